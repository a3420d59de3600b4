//! Services and clusters of a question.

use std::collections::{BTreeMap, BTreeSet};

use pyo3::prelude::*;
use smo_core::cluster::Readiness;
use smo_core::placement as core;

use crate::convert::amounts;
use crate::graph::count;

/// What one service of a placement question needs. Amounts are in thousandths of a core, bytes, pieces.
#[pyclass(module = "smo", frozen, get_all)]
pub(crate) struct ServiceDemand {
    /// How many replicas run.
    replicas: u32,
    /// What each replica takes.
    per_replica: BTreeMap<String, u64>,
    /// What all replicas take together.
    total: BTreeMap<String, u64>,
    /// Resources that its cluster has to offer at all.
    requires: Vec<String>,
    /// The only clusters it may run on, or `None`.
    pinned: Option<Vec<String>>,
    /// Clusters it may not run on.
    excluded: Vec<String>,
    /// The only regions it may run in, or `None`.
    regions: Option<Vec<String>>,
    /// The replicas that run on each cluster now.
    current: BTreeMap<String, u32>,
    /// Whether its replicas may run on several clusters.
    split: bool,
    /// Whether it has to stay where it runs.
    final_placement: bool,
    /// The bytes that a replica takes along when it moves.
    state: u64,
}

impl ServiceDemand {
    pub(crate) fn new(demand: &core::ServiceDemand, current: Option<&core::Assignment>) -> Self {
        let clusters =
            |names: &BTreeSet<smo_core::id::ClusterName>| names.iter().map(ToString::to_string).collect();
        let running = current.iter().flat_map(|assignment| assignment.iter());
        Self {
            replicas: demand.replicas,
            per_replica: amounts(&demand.per_replica),
            total: demand.total().as_ref().map(amounts).unwrap_or_default(),
            requires: demand.requires.iter().map(ToString::to_string).collect(),
            pinned: demand.pinned.as_ref().map(clusters),
            excluded: clusters(&demand.excluded),
            regions: demand
                .regions
                .as_ref()
                .map(|regions| regions.iter().cloned().collect()),
            current: running
                .map(|(cluster, replicas)| (cluster.to_string(), replicas))
                .collect(),
            split: demand.is_split(),
            final_placement: demand.final_placement,
            state: demand.state.get(),
        }
    }
}

#[pymethods]
impl ServiceDemand {
    fn __repr__(&self) -> String {
        format!(
            "<smo.ServiceDemand of {}>",
            count(self.replicas as usize, "replica")
        )
    }
}

/// What one cluster of a placement question has. Amounts are in thousandths of a core, bytes, pieces.
#[pyclass(module = "smo", frozen, get_all)]
pub(crate) struct ClusterSupply {
    /// Whether it can take work.
    ready: bool,
    /// What there is for the services of the question. What is not listed is not limited, except extended resources
    /// such as GPUs, of which there are none.
    capacity: BTreeMap<String, u64>,
    /// Where it is, or `None`.
    region: Option<String>,
    /// Who runs it, or `None`.
    provider: Option<String>,
    /// Its labels.
    labels: BTreeMap<String, String>,
    /// What a busy core emits in gCO2e/h, or `None` where not known.
    carbon_per_core: Option<f64>,
}

impl From<&core::ClusterSupply> for ClusterSupply {
    fn from(supply: &core::ClusterSupply) -> Self {
        let per_core = supply.carbon.and_then(|profile| profile.per_core());
        Self {
            ready: matches!(supply.readiness, Readiness::Ready),
            capacity: amounts(&supply.capacity),
            region: supply.region.clone(),
            provider: supply.provider.clone(),
            labels: supply.labels.clone(),
            carbon_per_core: per_core.map(smo_core::units::Carbon::to_f64),
        }
    }
}

#[pymethods]
impl ClusterSupply {
    fn __repr__(&self) -> &'static str {
        if self.ready {
            "<smo.ClusterSupply: ready>"
        } else {
            "<smo.ClusterSupply: not ready>"
        }
    }
}
