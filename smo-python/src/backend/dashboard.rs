//! Dashboards.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::backend as core;
use smo_core::backend::memory::InMemoryDashboards as CoreDashboards;
use smo_core::orchestrator::OrchestratorBuilder;
use smo_core::plan::Dashboard;

use super::journal::Journal;
use crate::convert::{from_python, serialised};
use crate::runtime::{Port, ask};

/// What is behind dashboards.
pub(crate) trait DashboardPort: core::DashboardBackend {
    /// Gives it to an orchestrator.
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder;
}

impl<T: core::DashboardBackend + Clone + 'static> DashboardPort for T {
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder {
        orchestrator.with_dashboards(self.clone())
    }
}

/// Keeps dashboards: an `InMemoryDashboards`.
///
/// A dashboard is a dict of the shape of those in `DeploymentPlan.dashboards`.
///
/// >>> import smo
/// >>> dashboards = smo.InMemoryDashboards()
/// >>> dashboards.write({"uid": "shop", "title": "shop", "tags": [], "variables": [], "panels": []})
/// >>> list(dashboards.list())
/// ['shop']
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct DashboardBackend(Port<Arc<dyn DashboardPort>>);

impl DashboardBackend {
    pub(crate) fn port(&self) -> PyResult<Arc<dyn DashboardPort>> {
        self.0.get()
    }
}

#[pymethods]
impl DashboardBackend {
    /// Puts a dashboard in place of one of the same uid. Raises `Invalid` for one that is refused, `Conflict` for a uid of
    /// somebody else.
    fn write(&self, py: Python<'_>, dashboard: &Bound<'_, PyDict>) -> PyResult<()> {
        let dashboards = self.0.get()?;
        let dashboard: Dashboard = from_python(dashboard, "a dashboard")?;
        ask(py, dashboards.write(&dashboard))
    }

    /// Takes a dashboard away.
    fn remove(&self, py: Python<'_>, uid: &str) -> PyResult<()> {
        let dashboards = self.0.get()?;
        ask(py, dashboards.remove(uid))
    }

    /// The dashboards in place: by uid, the fingerprint of their content.
    fn list(&self, py: Python<'_>) -> PyResult<BTreeMap<String, String>> {
        let dashboards = self.0.get()?;
        ask(py, dashboards.list())
    }
}

/// Dashboards in memory.
///
/// >>> import smo
/// >>> print(smo.InMemoryDashboards().dashboard("nosuch"))
/// None
#[pyclass(module = "smo", frozen, extends = DashboardBackend)]
pub(crate) struct InMemoryDashboards(CoreDashboards);

#[pymethods]
impl InMemoryDashboards {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        let core = CoreDashboards::new();
        let base = DashboardBackend(Port::in_memory(Arc::new(core.clone())));
        PyClassInitializer::from(base).add_subclass(Self(core))
    }

    /// A dashboard as it was written, or `None`.
    fn dashboard<'py>(&self, py: Python<'py>, uid: &str) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.dashboard(uid))
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}
