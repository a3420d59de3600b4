//! What a controller is told.

use std::collections::BTreeMap;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::scaling as core;

use super::problem::names_of;
use super::{ClusterRoom, Throughput, by_cluster, by_service, rate};
use crate::convert::{Moment, resources, serialised};
use crate::graph::count;

/// What a forecast expects: `rate` requests per second, which the real rate exceeds in at most 100 - `percent` of 100 cases
/// within the next `seconds`. `percent` is `None` for where a measured rate is heading.
///
/// >>> from smo.scaling import ExpectedLoad
/// >>> ExpectedLoad(505, percent=90, seconds=60)
/// <smo.scaling.ExpectedLoad: 505 expected within 1 min (0.90 quantile)>
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ExpectedLoad(pub(crate) core::ExpectedLoad);

#[pymethods]
impl ExpectedLoad {
    #[new]
    #[pyo3(signature = (rate, *, percent, seconds))]
    fn new(py: Python<'_>, rate: f64, percent: Option<u8>, seconds: u32) -> PyResult<Self> {
        Ok(Self(core::ExpectedLoad {
            rate: super::rate(py, "the expected load", rate)?,
            percent,
            seconds,
        }))
    }

    /// Requests per second.
    #[getter]
    fn rate(&self) -> f64 {
        self.0.rate.to_f64()
    }

    /// How sure, in percent; `None` where the latest changes of what is measured lead there.
    #[getter]
    fn percent(&self) -> Option<u8> {
        self.0.percent
    }

    /// For how long from now, in seconds.
    #[getter]
    fn seconds(&self) -> u32 {
        self.0.seconds
    }

    fn __repr__(&self) -> String {
        format!("<smo.scaling.ExpectedLoad: {}>", self.0)
    }
}

/// One service as it is.
///
/// `sample` is what was measured, in requests per second, or `None` for nothing: that is not a load of 0. `at` is when.
/// `clusters` are the clusters it may run on, with how many replicas are asked for there now. `owners` are others that set
/// its replicas, as `HorizontalPodAutoscaler/web`: two owners would undo one another, so with any here the controller
/// holds. The rest is as in `ServiceLoad`.
///
/// Raises `InvalidScaling` for a sample that is infinite; one that is `nan` is none.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ObservedService(core::ObservedService);

#[pymethods]
impl ObservedService {
    #[new]
    #[pyo3(signature = (sample, throughput, *, clusters, max, at = None, min = 1, per_replica = BTreeMap::new(),
        requires = Vec::new(), expected = None, owners = Vec::new()))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        sample: Option<f64>,
        throughput: &Throughput,
        clusters: &Bound<'_, PyDict>,
        max: u32,
        at: Option<Moment>,
        min: u32,
        per_replica: BTreeMap<String, Bound<'_, PyAny>>,
        requires: Vec<String>,
        expected: Option<&ExpectedLoad>,
        owners: Vec<String>,
    ) -> PyResult<Self> {
        let sample = match (sample.filter(|sample| !sample.is_nan()), at) {
            (None, _) => core::LoadSample::Missing,
            (Some(value), Some(at)) => core::LoadSample::Measured {
                rate: rate(py, "the sample", value)?,
                at: at.0,
            },
            (Some(_), None) => {
                return Err(PyTypeError::new_err("a sample needs `at`, when it was measured"));
            }
        };
        Ok(Self(core::ObservedService {
            sample,
            expected: expected.map(|expected| expected.0),
            throughput: throughput.0,
            min,
            max,
            per_replica: resources(per_replica)?,
            requires: names_of(requires),
            clusters: by_cluster(clusters, |replicas| replicas.extract())?,
            owners,
        }))
    }

    /// How many replicas are asked for now, on all clusters.
    #[getter]
    fn current(&self) -> u32 {
        self.0.current()
    }

    /// Others that set its replicas.
    #[getter]
    fn owners(&self) -> Vec<String> {
        self.0.owners.clone()
    }

    fn __repr__(&self) -> String {
        let sample = match self.0.sample {
            core::LoadSample::Measured { rate, .. } => rate.to_string(),
            core::LoadSample::Missing => "no sample".to_owned(),
        };
        format!(
            "<smo.scaling.ObservedService of {sample}, {} replicas>",
            self.0.current()
        )
    }
}

/// Everything at one moment: the services by name, in order of importance, and the clusters they run on. The room of a
/// cluster includes what these services hold there.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ScalingObservation(pub(super) core::ScalingObservation);

#[pymethods]
impl ScalingObservation {
    #[new]
    fn new(services: &Bound<'_, PyDict>, clusters: &Bound<'_, PyDict>) -> PyResult<Self> {
        let service = |object: Bound<'_, PyAny>| Ok(object.cast::<ObservedService>()?.get().0.clone());
        let room = |object: Bound<'_, PyAny>| Ok(object.cast::<ClusterRoom>()?.get().0.clone());
        Ok(Self(core::ScalingObservation {
            services: by_service(services, service)?,
            clusters: by_cluster(clusters, room)?,
        }))
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let services = count(self.0.services.len(), "service");
        let clusters = count(self.0.clusters.len(), "cluster");
        format!("<smo.scaling.ScalingObservation of {services} on {clusters}>")
    }
}
