//! The question: services with their demands, clusters with what is left, links, goals.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;

use super::{Goals, Placement};
use crate::cluster::{CarbonProfile, Network, Price, Readiness, Taint, Toleration};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};
use crate::units::Latency;

/// What one service needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDemand {
    /// How many replicas run.
    pub replicas: u32,
    /// What each replica takes away from its cluster.
    pub per_replica: Resources,
    /// Resources that its cluster has to offer at all, whatever is left of them (the predecessor's accelerator flag).
    pub requires: BTreeSet<ResourceName>,
    /// The only clusters it may run on, where the host says so.
    pub pinned: Option<BTreeSet<ClusterName>>,
    /// Clusters it may not run on.
    pub excluded: BTreeSet<ClusterName>,
    /// The only regions it may run in (data residency), where the host says so.
    pub regions: Option<BTreeSet<String>>,
    /// Taints it may ignore.
    pub tolerations: Vec<Toleration>,
}

impl ServiceDemand {
    /// What all replicas together take; `None` when it does not fit 64 bits.
    #[must_use]
    pub fn total(&self) -> Option<Resources> {
        self.per_replica.checked_mul(self.replicas)
    }
}

/// What one cluster can give to the services being decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSupply {
    /// Whether it can take work.
    pub readiness: Readiness,
    /// What is left for the services being decided: allocatable less allocated, *plus* what these services hold there
    /// now (so that nothing is counted twice). A resource that is not listed is not limited, except an extended one
    /// such as a GPU, of which there is none.
    pub capacity: Resources,
    /// Where it is.
    pub region: Option<String>,
    /// Who runs it.
    pub provider: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Marks that keep work away.
    pub taints: Vec<Taint>,
    /// What an hour of its resources costs.
    pub price: Price,
    /// What it emits, where known.
    pub carbon: Option<CarbonProfile>,
}

impl ClusterSupply {
    /// How much of a resource there is for the services being decided; `None` when it is not limited.
    #[must_use]
    pub fn available(&self, resource: &ResourceName) -> Option<u64> {
        let listed = self.capacity.listed(resource.as_str());
        listed.or(resource.is_extended().then_some(0))
    }
}

/// How near the two ends of a link have to be, as amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkLimit {
    /// The round trip has to be *below* this.
    pub rtt_below: Option<Latency>,
    /// At most this many hops.
    pub max_hops: Option<u32>,
}

impl LinkLimit {
    /// True when any pair of clusters will do.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.rtt_below.is_none() && self.max_hops.is_none()
    }
}

/// A link whose ends have to be near one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkDemand {
    /// The caller.
    pub from: ServiceKey,
    /// The callee.
    pub to: ServiceKey,
    /// How near.
    pub limit: LinkLimit,
}

/// One placement question. It may hold several graphs: they are decided together.
///
/// Order is part of the question where it matters: first fit takes services and clusters in the order of the maps.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacementProblem {
    /// The services to place.
    pub services: IndexMap<ServiceKey, ServiceDemand>,
    /// The clusters of the fleet, those that cannot take work included (they appear in explanations).
    pub clusters: IndexMap<ClusterName, ClusterSupply>,
    /// Links with a limit; links without one need not be listed.
    pub links: Vec<LinkDemand>,
    /// How far the clusters are from one another.
    #[serde(skip_serializing_if = "crate::placement::problem::is_unmeasured")]
    pub network: Network,
    /// Where services run now; a service that runs nowhere is not in it.
    pub current: Placement,
    /// What to minimise.
    pub goals: Goals,
}

fn is_unmeasured(network: &Network) -> bool {
    network.iter().next().is_none()
}
