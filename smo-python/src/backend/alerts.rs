//! Alert rules, and which alerts fire.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::backend as core;
use smo_core::backend::memory::InMemoryAlerts as CoreAlerts;
use smo_core::orchestrator::OrchestratorBuilder;
use smo_core::plan::AlertGroup;

use super::journal::Journal;
use crate::convert::{from_python, moment, serialised};
use crate::error;
use crate::runtime::{Port, ask};

/// What is behind alert rules.
pub(crate) trait AlertPort: core::AlertBackend {
    /// Gives it to an orchestrator.
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder;
}

impl<T: core::AlertBackend + Clone + 'static> AlertPort for T {
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder {
        orchestrator.with_alerts(self.clone())
    }
}

/// Keeps alert rules, and knows what fires: an `InMemoryAlerts`.
///
/// A group is a dict of the shape of `DeploymentPlan.alerts`: `name` and `rules`.
///
/// >>> import smo
/// >>> alerts = smo.InMemoryAlerts()
/// >>> rule = {"alert": "shop-load", "expr": "load > 40", "for": "2m", "labels": {}, "annotations": {}}
/// >>> alerts.write({"name": "shop", "rules": [rule]})
/// >>> alert = alerts.fire("shop-load", "2026-11-24T10:00:00Z")
/// >>> alerts.firing()[0].labels["alertname"], list(alerts.groups())
/// ('shop-load', ['shop'])
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct AlertBackend(Port<Arc<dyn AlertPort>>);

impl AlertBackend {
    pub(crate) fn port(&self) -> PyResult<Arc<dyn AlertPort>> {
        self.0.get()
    }
}

#[pymethods]
impl AlertBackend {
    /// Puts a group in force, in the place of one of the same name. Raises `Invalid` for a rule that is refused.
    fn write(&self, py: Python<'_>, group: &Bound<'_, PyDict>) -> PyResult<()> {
        let alerts = self.0.get()?;
        let group: AlertGroup = from_python(group, "a group of alert rules")?;
        ask(py, alerts.write(&group))
    }

    /// Takes a group out of force.
    fn remove(&self, py: Python<'_>, group: &str) -> PyResult<()> {
        let alerts = self.0.get()?;
        ask(py, alerts.remove(group))
    }

    /// The groups in force: by name, the fingerprint of their content.
    fn groups(&self, py: Python<'_>) -> PyResult<BTreeMap<String, String>> {
        let alerts = self.0.get()?;
        ask(py, alerts.groups())
    }

    /// What fires now, by name and labels.
    fn firing(&self, py: Python<'_>) -> PyResult<Vec<FiringAlert>> {
        let alerts = self.0.get()?;
        let firing = ask(py, alerts.firing())?;
        Ok(firing.into_iter().map(FiringAlert::from).collect())
    }
}

/// An alert that fires.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct FiringAlert {
    /// Its labels, `alertname` included.
    labels: BTreeMap<String, String>,
    /// Since when (RFC 3339).
    starts_at: String,
    /// Equal for equal labels.
    fingerprint: String,
}

impl From<core::FiringAlert> for FiringAlert {
    fn from(alert: core::FiringAlert) -> Self {
        Self {
            labels: alert.labels,
            starts_at: alert.starts_at.to_string(),
            fingerprint: alert.fingerprint,
        }
    }
}

#[pymethods]
impl FiringAlert {
    fn __repr__(&self) -> String {
        let name = self.labels.get("alertname").map_or("", String::as_str);
        format!("<smo.FiringAlert {name} since {}>", self.starts_at)
    }
}

/// Alert rules in memory, which fire when told to.
///
/// >>> import smo
/// >>> smo.InMemoryAlerts().fire("nosuch", "2026-11-24T10:00:00Z")
/// Traceback (most recent call last):
/// smo._errors.NotFound: fire nosuch: no such rule is in force
#[pyclass(module = "smo", frozen, extends = AlertBackend)]
pub(crate) struct InMemoryAlerts(CoreAlerts);

#[pymethods]
impl InMemoryAlerts {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        let core = CoreAlerts::new();
        let base = AlertBackend(Port::in_memory(Arc::new(core.clone())));
        PyClassInitializer::from(base).add_subclass(Self(core))
    }

    /// Makes a rule fire since `at` (RFC 3339). A rule that fires already goes on with its start.
    ///
    /// Raises `NotFound` when no rule of that name is in force, `ValueError` when `at` is no moment in time.
    fn fire(&self, py: Python<'_>, rule: &str, at: &str) -> PyResult<FiringAlert> {
        let fired = self.0.fire(rule, moment(at)?);
        fired
            .map(FiringAlert::from)
            .map_err(|failed| error::backend(py, &failed))
    }

    /// Ends an alert.
    fn resolve(&self, rule: &str) {
        self.0.resolve(rule);
    }

    /// A group as it was written, or `None`.
    fn group<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.group(name))
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}
