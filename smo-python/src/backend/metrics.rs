//! Metrics: PromQL queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use smo_core::backend::memory::InMemoryMetrics as CoreMetrics;
use smo_core::backend::{self as core, MetricsBackendExt, TimeRange};
use smo_core::orchestrator::OrchestratorBuilder;

use super::journal::Journal;
use crate::convert::{moment, seconds};
use crate::runtime::{Port, ask};

/// What is behind metrics.
pub(crate) trait MetricsPort: core::MetricsBackend {
    /// Gives it to an orchestrator.
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder;
}

impl<T: core::MetricsBackend + Clone + 'static> MetricsPort for T {
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder {
        orchestrator.with_metrics(self.clone())
    }
}

/// Answers PromQL queries: an `InMemoryMetrics`. A sample that is missing is `None`, never 0 or NaN.
///
/// Moments are texts (RFC 3339). Raises `Invalid` for an expression that is refused, `ValueError` for what is no moment.
///
/// >>> import smo
/// >>> metrics = smo.InMemoryMetrics()
/// >>> at = "2026-11-24T10:00:00Z"
/// >>> metrics.record("up", 1.0, at, {"job": "web"})
/// >>> metrics.query("up", at)[0].value, metrics.scalar("load", at)
/// (1.0, None)
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct MetricsBackend(Port<Arc<dyn MetricsPort>>);

impl MetricsBackend {
    pub(crate) fn port(&self) -> PyResult<Arc<dyn MetricsPort>> {
        self.0.get()
    }
}

#[pymethods]
impl MetricsBackend {
    /// Every series of `expr` at one moment.
    fn query(&self, py: Python<'_>, expr: &str, at: &str) -> PyResult<Vec<Series>> {
        let (metrics, at) = (self.0.get()?, moment(at)?);
        let series = ask(py, metrics.query(expr, at))?;
        Ok(series.into_iter().map(Series::from).collect())
    }

    /// Every series of `expr` from `start` to `end`, every `step` seconds.
    fn query_range(
        &self,
        py: Python<'_>,
        expr: &str,
        start: &str,
        end: &str,
        step: f64,
    ) -> PyResult<Vec<RangeSeries>> {
        let metrics = self.0.get()?;
        let range = TimeRange {
            start: moment(start)?,
            end: moment(end)?,
            step: seconds("step", step)?,
        };
        let series = ask(py, metrics.query_range(expr, range))?;
        Ok(series.into_iter().map(RangeSeries::from).collect())
    }

    /// The one sample of an expression that has at most one series; raises `Invalid` when it has more.
    fn scalar(&self, py: Python<'_>, expr: &str, at: &str) -> PyResult<Option<f64>> {
        let (metrics, at) = (self.0.get()?, moment(at)?);
        ask(py, metrics.scalar(expr, at)).map(core::Sample::value)
    }
}

/// One series at one moment.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct Series {
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// What it was, or `None` when there is no sample.
    value: Option<f64>,
}

impl From<core::Series> for Series {
    fn from(series: core::Series) -> Self {
        Self {
            labels: series.labels,
            value: series.sample.value(),
        }
    }
}

#[pymethods]
impl Series {
    fn __repr__(&self) -> String {
        let value = self.value.map_or("missing".to_owned(), |value| value.to_string());
        format!("<smo.Series {:?} {value}>", self.labels)
    }
}

/// One series over a range.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct RangeSeries {
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// Every moment of the range in order, with its sample, or `None` when there is none.
    samples: Vec<(String, Option<f64>)>,
}

impl From<core::RangeSeries> for RangeSeries {
    fn from(series: core::RangeSeries) -> Self {
        let samples = series.samples.into_iter();
        Self {
            labels: series.labels,
            samples: samples
                .map(|(at, sample)| (at.to_string(), sample.value()))
                .collect(),
        }
    }
}

#[pymethods]
impl RangeSeries {
    fn __repr__(&self) -> String {
        let samples = crate::graph::count(self.samples.len(), "moment");
        format!("<smo.RangeSeries {:?} over {samples}>", self.labels)
    }
}

/// Metrics in memory. Nothing is computed: an expression has the samples that were recorded for that very text.
///
/// >>> import smo
/// >>> metrics = smo.InMemoryMetrics()
/// >>> metrics.record("load", 40.0, "2026-11-24T10:00:00Z")
/// >>> metrics.query_range("load", "2026-11-24T10:00:00Z", "2026-11-24T10:00:30Z", 30)[0].samples
/// [('2026-11-24T10:00:00Z', 40.0), ('2026-11-24T10:00:30Z', 40.0)]
#[pyclass(module = "smo", frozen, extends = MetricsBackend)]
pub(crate) struct InMemoryMetrics(CoreMetrics);

#[pymethods]
impl InMemoryMetrics {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        let core = CoreMetrics::new();
        let base = MetricsBackend(Port::in_memory(Arc::new(core.clone())));
        PyClassInitializer::from(base).add_subclass(Self(core))
    }

    /// Records a sample of one series of `expr`. It counts for five minutes, or until the next one. NaN ends the series.
    #[pyo3(signature = (expr, value, at, labels = BTreeMap::new()))]
    fn record(&self, expr: &str, value: f64, at: &str, labels: BTreeMap<String, String>) -> PyResult<()> {
        let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.0.record(expr, pairs, moment(at)?, value);
        Ok(())
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}
