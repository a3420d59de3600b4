//! The ordered difference between a plan and what runs.

use pyo3::prelude::*;
use smo_core::plan::{self as core, ReleaseAction};

use crate::convert::serialised;
use crate::graph::count;
use crate::html;

/// The ordered difference: the changes of a wave may be made in any order, a wave after the one before is healthy.
///
/// `str()` is one line a change: `+` new, `~` changed, `-` removed, `=` kept, `.` waiting.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> changes = smo.plan(graph, fleet).diff({})
/// >>> print(changes.changes[0])
/// + release web   edge-1
/// >>> changes.is_empty
/// False
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ChangeSet(pub(crate) core::ChangeSet);

#[pymethods]
impl ChangeSet {
    /// The changes, wave by wave.
    #[getter]
    fn waves(&self) -> Vec<Vec<Change>> {
        let changes = |wave: &Vec<core::Change>| wave.iter().cloned().map(Change).collect();
        self.0.waves.iter().map(changes).collect()
    }

    /// The changes of all waves, in order.
    #[getter]
    fn changes(&self) -> Vec<Change> {
        self.0.waves.iter().flatten().cloned().map(Change).collect()
    }

    /// True when every change keeps or waits.
    #[getter]
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fingerprint of the plan that it leads to.
    #[getter]
    fn plan(&self) -> &str {
        self.0.plan.as_str()
    }

    /// The fingerprint of the state that it starts from.
    #[getter]
    fn observed(&self) -> &str {
        self.0.observed.as_str()
    }

    /// Everything, Helm values included, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        let changes = count(self.0.waves.iter().map(Vec::len).sum(), "change");
        format!("<smo.ChangeSet of {}: {changes}>", self.0.graph)
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.0.to_string())
    }
}

/// One step of a `ChangeSet`. `str()` is one line.
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Change(core::Change);

#[pymethods]
impl Change {
    /// `install`, `upgrade`, `move`, `keep`, `await`, `remove`, `write-alerts`, `remove-alerts` or `write-dashboard`.
    #[getter]
    fn kind(&self) -> &'static str {
        match &self.0 {
            core::Change::Release { action, .. } => match action {
                ReleaseAction::Install => "install",
                ReleaseAction::Upgrade { .. } => "upgrade",
                ReleaseAction::Move { .. } => "move",
                ReleaseAction::Keep => "keep",
                ReleaseAction::Await => "await",
            },
            core::Change::RemoveRelease { .. } => "remove",
            core::Change::WriteAlerts(_) => "write-alerts",
            core::Change::RemoveAlerts { .. } => "remove-alerts",
            core::Change::WriteDashboard(_) => "write-dashboard",
        }
    }

    /// The id of the service it is about, or `None`.
    #[getter]
    fn service(&self) -> Option<&str> {
        match &self.0 {
            core::Change::Release { service, .. } => Some(service.as_str()),
            core::Change::RemoveRelease { service, .. } => Some(service.service.as_str()),
            _ => None,
        }
    }

    /// Everything, Helm values included, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        let service = self
            .service()
            .map(|service| format!(" {service}"))
            .unwrap_or_default();
        format!("<smo.Change {}{service}>", self.kind())
    }
}
