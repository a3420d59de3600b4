//! What Karmada cannot know of a cluster.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_karmada as adapter;

use crate::cluster::Inventory;
use crate::convert::{Document, json_text, parse};
use crate::graph::count;

/// What the host knows of the fleet beside what Karmada reports: prices, carbon, distances, and regions, zones, providers
/// and labels where Karmada has none.
///
/// A fleet file holds all of them; its amounts are not used, since Karmada reports those:
///
/// >>> import smo
/// >>> file = smo.Inventory.parse('''
/// ... fleet:
/// ...   clusters:
/// ...     - {name: m1, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.02}, carbon: {intensity: 320, pue: 1.3}}
/// ...     - {name: m2, allocatable: {cpu: 1, memory: 1Gi}}
/// ...   network:
/// ...     - {between: [m1, m2], rtt: 4}
/// ... ''')
/// >>> smo.karmada.FleetFacts.of(file)
/// <smo.karmada.FleetFacts of 2 clusters>
#[pyclass(module = "smo.karmada", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct FleetFacts(adapter::FleetFacts);

impl FleetFacts {
    pub(super) fn core(&self) -> &adapter::FleetFacts {
        &self.0
    }
}

#[pymethods]
impl FleetFacts {
    /// Nothing known.
    #[new]
    fn new() -> Self {
        Self(adapter::FleetFacts::new())
    }

    /// The facts that a fleet file holds.
    #[staticmethod]
    fn of(inventory: &Inventory) -> Self {
        Self(adapter::FleetFacts::from(&**inventory.core()))
    }

    /// The same with facts about one cluster, in the shape of a fleet file: `region`, `zones`, `provider`, `labels`,
    /// `price` and `carbon`.
    ///
    /// Raises `InvalidInventory` with *every* violation.
    ///
    /// >>> from smo.karmada import FleetFacts
    /// >>> facts = FleetFacts().with_cluster("m1", price={"cpu": 0.02}, carbon={"intensity": 320})
    /// >>> facts.with_cluster("m2", region="eu-west").clusters
    /// ['m1', 'm2']
    #[pyo3(signature = (name, **facts))]
    fn with_cluster(&self, name: &str, facts: Option<&Bound<'_, PyDict>>, py: Python<'_>) -> PyResult<Self> {
        let cluster = facts.map_or_else(|| Ok(PyDict::new(py)), |facts| facts.copy())?;
        cluster.set_item("name", name)?;
        cluster.set_item("allocatable", BTreeMap::from([("cpu", "1"), ("memory", "1Gi")]))?;
        let fleet = PyDict::new(py);
        fleet.set_item("fleet", BTreeMap::from([("clusters", vec![cluster])]))?;
        let file = Inventory::from_text(py, &json_text(&fleet)?, "facts")?;
        let read = adapter::FleetFacts::from(&**file.core());
        let known = read
            .clusters
            .into_iter()
            .fold(self.0.clone(), |known, (name, facts)| known.with(name, facts));
        Ok(Self(known))
    }

    /// The clusters that something is known about.
    #[getter]
    fn clusters(&self) -> Vec<String> {
        self.0.clusters.keys().map(ToString::to_string).collect()
    }

    /// Whether something is known about a cluster.
    fn __contains__(&self, cluster: &str) -> bool {
        parse(cluster).is_ok_and(|name: smo_core::id::ClusterName| self.0.clusters.contains_key(&name))
    }

    fn __repr__(&self) -> String {
        let clusters = count(self.0.clusters.len(), "cluster");
        format!("<smo.karmada.FleetFacts of {clusters}>")
    }
}
