//! The plan itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::cluster::Inventory;
use smo_core::plan::{self as core, Start};

use super::{ChangeSet, ValuesContract};
use crate::backend::ReleaseSpec;
use crate::cluster::{ObservedState, observed_state};
use crate::convert::{quantities, serialised, to_json};
use crate::graph::count;
use crate::html;
use crate::intent::Requirements;
use crate::placement::Decision;

/// The complete desired state of one graph: releases with their Helm values, imports, alert rules, dashboards.
///
/// `str()` is a screen that says all of it; a notebook shows the reasons and a picture. Helm values are in the services,
/// `str()`, `to_dict()` and `to_json()`, never in `repr()`.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> plan = smo.plan(graph, fleet)
/// >>> plan.placement["web"].why, plan.imports, plan.waves
/// ('the only cluster', {'web': ['edge-1']}, [['web']])
/// >>> plan.to_svg()[:4]
/// '<svg'
#[pyclass(module = "smo", frozen, eq)]
pub(crate) struct DeploymentPlan {
    core: Arc<core::DeploymentPlan>,
    fleet: Arc<Inventory>,
}

impl PartialEq for DeploymentPlan {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl DeploymentPlan {
    pub(crate) fn new(core: core::DeploymentPlan, fleet: Arc<Inventory>) -> Self {
        Self {
            core: Arc::new(core),
            fleet,
        }
    }

    pub(crate) fn core(&self) -> &Arc<core::DeploymentPlan> {
        &self.core
    }
}

#[pymethods]
impl DeploymentPlan {
    /// The id of the graph.
    #[getter]
    fn graph(&self) -> &str {
        self.core.graph.graph.as_str()
    }

    /// The project (Kubernetes namespace) that it is planned for.
    #[getter]
    fn project(&self) -> &str {
        self.core.graph.project.as_str()
    }

    /// The version of the graph, or `None`.
    #[getter]
    fn version(&self) -> Option<String> {
        self.core.version.as_ref().map(ToString::to_string)
    }

    /// What is planned for each service, in the order of the descriptor.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (id, service) in &self.core.services {
            services.set_item(id.as_str(), ServicePlan(service.clone()))?;
        }
        Ok(services)
    }

    /// Where every service runs and why; empty with static placement.
    #[getter]
    fn placement<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match self.decision() {
            Some(decision) => decision.placement(py),
            None => Ok(PyDict::new(py)),
        }
    }

    /// How the placement was decided; `None` with static placement.
    #[getter]
    fn decision(&self) -> Option<Decision> {
        self.core.decision.clone().map(Decision::new)
    }

    /// What the intents mean in amounts.
    #[getter]
    fn requirements(&self) -> Requirements {
        Requirements::new(self.core.requirements.clone())
    }

    /// By service, the clusters that import its Kubernetes Service: those of its callers.
    #[getter]
    fn imports(&self) -> BTreeMap<String, Vec<String>> {
        let imports = self.core.imports.iter();
        imports
            .map(|import| (import.service.to_string(), names(&import.into)))
            .collect()
    }

    /// By service that others call, the clusters that offer it.
    #[getter]
    fn exports(&self) -> BTreeMap<String, Vec<String>> {
        let exports = self.core.exports.iter();
        exports
            .map(|export| (export.service.to_string(), names(&export.from)))
            .collect()
    }

    /// The alert rules that start waiting services (`name` and `rules`), or `None`.
    #[getter]
    fn alerts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.alerts)
    }

    /// Dashboards for the graph and its services, as dicts.
    #[getter]
    fn dashboards<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.dashboards)
    }

    /// The ids of the services in the order they start.
    #[getter]
    fn waves(&self) -> Vec<Vec<String>> {
        let ids = |wave: &Vec<smo_core::id::ServiceId>| wave.iter().map(ToString::to_string).collect();
        self.core.waves.iter().map(ids).collect()
    }

    /// The names of the keys that it writes into Helm values.
    #[getter]
    fn values_contract(&self) -> ValuesContract {
        ValuesContract(self.core.values_contract.clone())
    }

    /// What is allowed but worth knowing.
    #[getter]
    fn notes(&self) -> Vec<Note> {
        self.core.notes.iter().map(Note::from).collect()
    }

    /// The name of everything that would be written: equal content, equal fingerprint.
    #[getter]
    fn fingerprint(&self) -> &str {
        self.core.fingerprint.as_str()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &*self.core)
    }

    /// Everything, as JSON text.
    fn to_json(&self) -> PyResult<String> {
        to_json(&*self.core).map(|value| format!("{value:#}"))
    }

    /// The graph on the fleet that it was planned for, as a self-contained SVG picture.
    fn to_svg(&self) -> String {
        self.core.to_svg(&self.fleet)
    }

    /// What has to be done to get from `observed` to this plan: an `ObservedState`, its dict, or a plan that was carried
    /// out.
    ///
    /// >>> import smo
    /// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
    /// >>> graph = smo.Descriptor.parse(text).validate()
    /// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    /// >>> plan = smo.plan(graph, fleet)
    /// >>> [change.kind for change in plan.diff({}).changes][0], plan.diff(plan).is_empty
    /// ('install', True)
    fn diff(&self, observed: &Bound<'_, PyAny>) -> PyResult<ChangeSet> {
        let state = if let Ok(plan) = observed.cast::<Self>() {
            plan.get().core.expected_state()
        } else if let Ok(state) = observed.cast::<ObservedState>() {
            state.get().0.clone()
        } else if observed.is_instance_of::<PyDict>() {
            observed_state(observed)?
        } else {
            let found = observed.get_type().name()?;
            let message = format!("observed is a DeploymentPlan, an ObservedState or a dict, not {found}");
            return Err(PyTypeError::new_err(message));
        };
        Ok(ChangeSet(self.core.diff(&state)))
    }

    /// The state that this plan leads to once every service is healthy; services that wait for an alert do not run in it.
    fn expected_state(&self) -> ObservedState {
        ObservedState(self.core.expected_state())
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        let services = count(self.core.services.len(), "service");
        let short = self.core.fingerprint.to_string();
        format!(
            "<smo.DeploymentPlan {} of {}: {services}>",
            short, self.core.graph
        )
    }

    fn _repr_html_(&self) -> String {
        let notes: Vec<String> = self.core.notes.iter().map(ToString::to_string).collect();
        let decided = match self.decision() {
            Some(decision) => decision._repr_html_(),
            None => {
                let rows = self.core.services.values();
                let rows = rows.map(|service| {
                    vec![
                        service.release.service.service.to_string(),
                        service.release.target.to_string(),
                    ]
                });
                html::table(
                    "placement: static, the charts' own values decide",
                    &["service", "cluster"],
                    rows,
                )
            }
        };
        let notes = if notes.is_empty() {
            String::new()
        } else {
            html::lines(&notes.join("\n"))
        };
        let title = format!("plan {} of {}", self.core.fingerprint, self.core.graph);
        format!(
            "<p><b>{}</b></p>{decided}{}{notes}",
            html::escape(&title),
            self.to_svg()
        )
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }
}

fn names(clusters: &[smo_core::id::ClusterName]) -> Vec<String> {
    clusters.iter().map(ToString::to_string).collect()
}

/// Everything planned for one service: one Helm release. Its values are only in `values` and `to_dict()`.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> service = smo.plan(graph, fleet).services["web"]
/// >>> service.chart, service.clusters, service.start
/// ('oci://r.io/shop/web', ['edge-1'], 'at once')
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ServicePlan(core::ServicePlan);

#[pymethods]
impl ServicePlan {
    /// The chart, `oci://host/project/name[:version]`.
    #[getter]
    fn chart(&self) -> &str {
        &self.0.release.chart
    }

    /// The complete Helm values.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.release.values)
    }

    /// The release, as a fleet takes it.
    #[getter]
    fn release(&self) -> ReleaseSpec {
        ReleaseSpec::new(self.0.release.clone())
    }

    /// Where it goes, as text: the names of clusters, or that the chart decides.
    #[getter]
    fn target(&self) -> String {
        self.0.release.target.to_string()
    }

    /// The names of the clusters that it goes to, as far as they are known.
    #[getter]
    fn clusters(&self) -> Vec<String> {
        names(&self.0.release.target.clusters())
    }

    /// When it is installed: `at once`, `after` the services of `starts_after`, or `on event`, when `alerts` fire.
    #[getter]
    fn start(&self) -> &'static str {
        match &self.0.start {
            Start::AtOnce => "at once",
            Start::After(_) => "after",
            Start::OnEvent { .. } => "on event",
        }
    }

    /// The ids of the services that have to be healthy first.
    #[getter]
    fn starts_after(&self) -> Vec<String> {
        match &self.0.start {
            Start::After(services) => services.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        }
    }

    /// The names of the alert rules that start it.
    #[getter]
    fn alerts(&self) -> Vec<String> {
        match &self.0.start {
            Start::OnEvent { alerts, .. } => alerts.clone(),
            _ => Vec::new(),
        }
    }

    /// How many replicas run.
    #[getter]
    fn replicas(&self) -> u32 {
        self.0.replicas
    }

    /// What one replica requests, as Kubernetes quantities.
    #[getter]
    fn resources(&self) -> BTreeMap<String, String> {
        quantities(&self.0.release.resources)
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let release = &self.0.release;
        format!(
            "<smo.ServicePlan {} to {}>",
            release.service.service, release.target
        )
    }
}

/// Something allowed but worth knowing about a plan. `str()` is one line.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct Note {
    /// What kind of thing, such as `N101`.
    code: String,
    /// The id of the service it is about, or `None`.
    service: Option<String>,
    /// What it is.
    message: String,
}

impl From<&core::Note> for Note {
    fn from(note: &core::Note) -> Self {
        Self {
            code: note.code.to_string(),
            service: note.service.as_ref().map(ToString::to_string),
            message: note.message.clone(),
        }
    }
}

#[pymethods]
impl Note {
    fn __str__(&self) -> String {
        match &self.service {
            Some(service) => format!("{} {service}: {}", self.code, self.message),
            None => format!("{} {}", self.code, self.message),
        }
    }

    fn __repr__(&self) -> String {
        format!("<smo.Note {}>", self.code)
    }
}
