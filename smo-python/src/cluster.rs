//! The fleet, and what runs there.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};
use smo_core::cluster::{self as core, Readiness};
use smo_core::diagnostic::Violations;
use smo_core::resources::ResourceName;
use smo_core::yaml::Limits;

use crate::convert::{Document, Reduced, json_text, quantities, resources, serialised, to_json, to_python};
use crate::diagnostic::Violation;
use crate::graph::count;
use crate::html;

/// All clusters of a fleet at one moment.
///
/// >>> import smo
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> fleet.clusters["edge-1"].free
/// {'cpu': '4', 'memory': '8Gi'}
#[pyclass(module = "smo", frozen, eq)]
pub(crate) struct Inventory {
    core: Arc<core::Inventory>,
    notes: Vec<Violation>,
}

impl PartialEq for Inventory {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl Inventory {
    pub(crate) fn new(inventory: core::Inventory) -> Self {
        Self {
            core: Arc::new(inventory),
            notes: Vec::new(),
        }
    }

    pub(crate) fn core(&self) -> &Arc<core::Inventory> {
        &self.core
    }
}

impl Document for Inventory {
    const REFUSAL: &'static str = "InvalidInventory";
    const NAME: &'static str = "fleet";

    fn parse_named(name: &str, text: &str) -> Result<Self, Violations> {
        let (inventory, notes) = core::Inventory::parse_noted(name, text, Limits::default())?;
        Ok(Self {
            core: Arc::new(inventory),
            notes: notes.iter().map(Violation::from).collect(),
        })
    }
}

/// So many per cent of everything, and of some resources at least so much (quantities).
pub(crate) fn headroom(
    percent: u32,
    at_least: Option<BTreeMap<String, Bound<'_, PyAny>>>,
) -> PyResult<core::Headroom> {
    let headroom = core::Headroom::percent(percent);
    let mut headroom = headroom.map_err(|error| PyValueError::new_err(error.to_string()))?;
    for (resource, amount) in resources(at_least.unwrap_or_default())?.iter() {
        headroom = headroom.with_at_least(resource.clone(), amount);
    }
    Ok(headroom)
}

#[pymethods]
impl Inventory {
    /// Reads a fleet from YAML or JSON text; `name` is what violations call it.
    ///
    /// Raises `InvalidInventory` with *every* violation.
    #[staticmethod]
    #[pyo3(signature = (text, name = "fleet"))]
    fn parse(py: Python<'_>, text: &str, name: &str) -> PyResult<Self> {
        Self::from_text(py, text, name)
    }

    /// Reads a fleet from a file (UTF-8).
    ///
    /// Raises `OSError`, such as `FileNotFoundError`, when the file cannot be read, and `InvalidInventory` as `parse`.
    #[staticmethod]
    fn read(path: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_file(path)
    }

    /// A fleet of the same shape as the file, from Python's own types.
    ///
    /// >>> import smo
    /// >>> edge = {"name": "edge-1", "allocatable": {"cpu": 4, "memory": "8Gi"}}
    /// >>> smo.Inventory.from_dict({"fleet": {"clusters": [edge]}})
    /// <smo.Inventory of 1 cluster, 1 ready>
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_object(document)
    }

    /// The clusters by name, in the order they were listed.
    #[getter]
    fn clusters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let clusters = PyDict::new(py);
        for (name, cluster) in &self.core.clusters {
            clusters.set_item(name.as_str(), Cluster(cluster.clone()))?;
        }
        Ok(clusters)
    }

    /// When it was observed (RFC 3339), or `None`.
    #[getter]
    fn observed_at(&self) -> Option<String> {
        self.core.observed_at.map(|time| time.to_string())
    }

    /// What is odd but accepted.
    #[getter]
    fn notes(&self) -> Vec<Violation> {
        self.notes.clone()
    }

    /// What decisions keep free of every cluster, as quantities.
    #[getter]
    fn kept_free(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let clusters = self.core.clusters.values();
        let kept = clusters.map(|cluster| {
            let kept = quantities(&self.core.headroom_of(cluster));
            (cluster.name.to_string(), kept)
        });
        kept.collect()
    }

    /// The same fleet of which decisions keep a share of every cluster free (rounded down), and of some resources at least so
    /// much (quantities). With `cluster`, that one keeps this and nothing else.
    ///
    /// >>> import smo
    /// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
    /// >>> fleet.with_headroom(10, at_least={"cpu": 1}).kept_free
    /// {'edge-1': {'cpu': '1', 'memory': '858993459'}}
    #[pyo3(signature = (percent = 0, *, at_least = None, cluster = None))]
    fn with_headroom(
        &self,
        percent: u32,
        at_least: Option<BTreeMap<String, Bound<'_, PyAny>>>,
        cluster: Option<&str>,
    ) -> PyResult<Self> {
        let headroom = headroom(percent, at_least)?;
        let mut inventory = self.core.as_ref().clone();
        match cluster {
            None => inventory.headroom = headroom,
            Some(name) => {
                let found = inventory.clusters.get_mut(name);
                let unknown = || PyValueError::new_err(format!("{name} is no cluster of the fleet"));
                found.ok_or_else(unknown)?.headroom = Some(headroom);
            }
        }
        Ok(Self {
            core: Arc::new(inventory),
            notes: self.notes.clone(),
        })
    }

    /// The fleet in the shape of the file, as Python's own types. `from_dict` reads it back.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &document(&self.core)?)
    }

    fn __len__(&self) -> usize {
        self.core.clusters.len()
    }

    fn __repr__(&self) -> String {
        let clusters = count(self.core.clusters.len(), "cluster");
        format!(
            "<smo.Inventory of {clusters}, {} ready>",
            self.core.ready().count()
        )
    }

    fn _repr_html_(&self) -> String {
        let rows = self.core.clusters.values().map(|cluster| {
            let free = cluster.free();
            let of = |resource: &str| {
                let name = ResourceName::new(resource);
                let offered = cluster.allocatable.listed(resource);
                let shown = offered.map(|all| {
                    format!(
                        "{} of {}",
                        name.quantity(free.amount(resource)),
                        name.quantity(all)
                    )
                });
                shown.unwrap_or_default()
            };
            let extended = free.iter().filter(|(name, _)| name.is_extended());
            let extended: Vec<String> = extended.map(|(name, amount)| name.describe(amount)).collect();
            let wrapped = Cluster(cluster.clone());
            let ready = wrapped
                .reason()
                .map_or("yes".to_owned(), |reason| format!("no: {reason}"));
            vec![
                cluster.name.to_string(),
                ready,
                cluster.region.clone().unwrap_or_default(),
                of(ResourceName::CPU),
                of(ResourceName::MEMORY),
                of(ResourceName::STORAGE),
                extended.join(", "),
            ]
        });
        let titles = [
            "cluster",
            "ready",
            "region",
            "free cpu",
            "free memory",
            "free storage",
            "also free",
        ];
        let observed = self.observed_at().map(|time| format!(" observed {time}"));
        html::table(&format!("fleet{}", observed.unwrap_or_default()), &titles, rows)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, (Bound<'py, PyAny>,)>> {
        let read = slf.get_type().getattr("from_dict")?;
        Ok((read, (slf.get().to_dict(slf.py())?,)))
    }
}

/// An inventory in the shape of a fleet file.
fn document(inventory: &core::Inventory) -> PyResult<Value> {
    let mut fleet = to_json(inventory)?;
    let mut clusters = Vec::new();
    for cluster in inventory.clusters.values() {
        let mut entry = to_json(cluster)?;
        if let Some(map) = entry.as_object_mut() {
            map.shift_remove("readiness");
            map.insert("ready".to_owned(), ready(&cluster.readiness));
            map.retain(|_, value| !value.is_null());
        }
        clusters.push(entry);
    }
    if let Some(map) = fleet.as_object_mut() {
        let observed = map.shift_remove("observedAt").unwrap_or_default();
        map.insert("observed".to_owned(), observed);
        map.insert("clusters".to_owned(), clusters.into());
        map.retain(|_, value| !value.is_null());
    }
    Ok(json!({ "fleet": fleet }))
}

fn ready(readiness: &Readiness) -> Value {
    match readiness {
        Readiness::Ready => json!(true),
        Readiness::NotReady { reason, since: None } => json!({"status": false, "reason": reason}),
        Readiness::NotReady { reason, since } => json!({"status": false, "reason": reason, "since": since}),
        Readiness::Unknown { reason } => json!({"status": "unknown", "reason": reason}),
    }
}

/// One cluster as it was observed. Amounts are dicts of Kubernetes quantities.
///
/// >>> import smo
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> edge = fleet.clusters["edge-1"]
/// >>> edge.ready, edge.allocatable["cpu"], edge.carbon
/// (True, '4', None)
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Cluster(pub(crate) core::Cluster);

#[pymethods]
impl Cluster {
    /// Its name.
    #[getter]
    fn name(&self) -> &str {
        self.0.name.as_str()
    }

    /// Whether it can take work.
    #[getter]
    fn ready(&self) -> bool {
        self.0.readiness.is_ready()
    }

    /// Why it cannot take work; `None` when it can.
    #[getter]
    fn reason(&self) -> Option<&str> {
        match &self.0.readiness {
            Readiness::Ready => None,
            Readiness::NotReady { reason, .. } | Readiness::Unknown { reason } => Some(reason),
        }
    }

    /// Where it is, or `None`.
    #[getter]
    fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Who runs it, or `None`.
    #[getter]
    fn provider(&self) -> Option<&str> {
        self.0.provider.as_deref()
    }

    /// Its labels.
    #[getter]
    fn labels(&self) -> BTreeMap<String, String> {
        self.0.labels.clone()
    }

    /// What its nodes offer together.
    #[getter]
    fn allocatable(&self) -> BTreeMap<String, String> {
        quantities(&self.0.allocatable)
    }

    /// What running work has requested of that.
    #[getter]
    fn allocated(&self) -> BTreeMap<String, String> {
        quantities(&self.0.allocated)
    }

    /// What is left: allocatable less allocated.
    #[getter]
    fn free(&self) -> BTreeMap<String, String> {
        quantities(&self.0.free())
    }

    /// EUR per hour for a core, a GiB of memory or storage, or one piece of anything else.
    #[getter]
    fn price<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.price)
    }

    /// `intensity` (gCO2e/kWh), `pue` and `wattsPerCore`, or `None` where not known.
    #[getter]
    fn carbon<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.carbon)
    }

    /// Everything about it, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let state = if self.ready() { "ready" } else { "not ready" };
        format!("<smo.Cluster {}: {state}>", self.0.name)
    }
}

/// What runs, at one moment. Its Helm values are only in `to_dict()`.
///
/// >>> import smo
/// >>> smo.ObservedState.from_dict({}).releases
/// {}
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ObservedState(pub(crate) core::ObservedState);

/// Reads what `ObservedState.to_dict` writes; a part that is not there is empty.
pub(crate) fn observed_state(document: &Bound<'_, PyAny>) -> PyResult<core::ObservedState> {
    let text = json_text(document)?;
    let wrong = |error: serde_json::Error| PyValueError::new_err(format!("not an observed state: {error}"));
    let mut value: Value = serde_json::from_str(&text).map_err(wrong)?;
    if let Some(map) = value.as_object_mut() {
        for part in ["releases", "alertGroups", "dashboards"] {
            map.entry(part).or_insert_with(|| json!({}));
        }
    }
    serde_json::from_value(value).map_err(wrong)
}

#[pymethods]
impl ObservedState {
    /// Reads what `to_dict` writes; a part that is not there is empty. Raises `ValueError` for anything else.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        observed_state(document).map(Self)
    }

    /// The clusters of every release, by `project/graph/service`, with the replicas that should be there.
    #[getter]
    fn releases(&self) -> BTreeMap<String, BTreeMap<String, u32>> {
        let clusters = |release: &core::ObservedRelease| {
            let replicas = |(name, at): (&smo_core::id::ClusterName, &core::ObservedReplicas)| {
                (name.to_string(), at.desired)
            };
            release.clusters.iter().map(replicas).collect()
        };
        let releases = self.0.releases.iter();
        releases
            .map(|(key, release)| (key.to_string(), clusters(release)))
            .collect()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.ObservedState of {}>",
            count(self.0.releases.len(), "release")
        )
    }
}

/// The JSON Schema of a fleet file, for editors and other tools.
///
/// >>> import smo
/// >>> smo.fleet_json_schema()["type"]
/// 'object'
#[pyfunction]
pub(crate) fn fleet_json_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    to_python(py, &core::schema::json_schema())
}
