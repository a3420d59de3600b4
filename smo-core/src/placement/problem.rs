//! The question: services with their demands, clusters with what is left, links, goals.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde::Serialize;

use super::{
    AntiAffinityGroup, Budget, Ceiling, CoLocationGroup, CustomGoal, CustomRule, Goals, HighAvailability,
    LabelRequirement, Mode, Placement, Spread, Weight,
};
use crate::cluster::{CarbonProfile, Egress, Network, Price, Readiness, Taint, Toleration};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};
use crate::units::{Bytes, DataRate, Latency};

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
    /// Whether its replicas share one cluster.
    pub mode: Mode,
    /// What the labels of its clusters have to say.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelRequirement>,
    /// How its replicas spread over domains.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<Spread>,
    /// Whether it has to survive the loss of a domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_availability: Option<HighAvailability>,
    /// It stays where it runs now, as long as all of these clusters are ready.
    pub final_placement: bool,
    /// The data that a replica takes along when it moves.
    pub state: Bytes,
}

impl ServiceDemand {
    /// What all replicas together take; `None` when it does not fit 64 bits.
    #[must_use]
    pub fn total(&self) -> Option<Resources> {
        self.per_replica.checked_mul(self.replicas)
    }

    /// True when its replicas may run on several clusters.
    #[must_use]
    pub const fn is_split(&self) -> bool {
        matches!(self.mode, Mode::Split)
    }

    /// The replicas that have to fit a cluster for it to be used at all: one of a service that may be split, else all.
    #[must_use]
    pub const fn least_replicas(&self) -> u32 {
        match self.mode {
            Mode::Split if self.replicas > 1 => 1,
            _ => self.replicas,
        }
    }
}

/// What one cluster can give to the services being decided.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterSupply {
    /// Whether it can take work.
    pub readiness: Readiness,
    /// What is left for the services being decided: allocatable less allocated, *plus* what these services hold there
    /// now (so that nothing is counted twice), less the headroom that the host keeps free. A resource that is not listed
    /// is not limited, except an extended one such as a GPU, of which there is none.
    pub capacity: Resources,
    /// What other work holds of it. It only counts for how full the cluster is.
    pub taken: Resources,
    /// Where it is.
    pub region: Option<String>,
    /// Zones within the region.
    pub zones: Vec<String>,
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
    /// What traffic that leaves it costs.
    pub egress: Egress,
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

/// A link between two services of the problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkDemand {
    /// The caller.
    pub from: ServiceKey,
    /// The callee.
    pub to: ServiceKey,
    /// How near they have to be.
    pub limit: LinkLimit,
    /// What the caller sends to the callee. A link the other way carries the replies. Every replica of one end sends the
    /// same to every replica of the other.
    pub traffic: DataRate,
}

/// One placement question. It may hold several graphs: they are decided together.
///
/// It is written and read as a [`file`](super::file).
///
/// Order is part of the question where it matters: first fit takes services and clusters in the order of the maps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PlacementProblem {
    /// The services to place.
    pub services: IndexMap<ServiceKey, ServiceDemand>,
    /// The clusters of the fleet, those that cannot take work included (they appear in explanations).
    pub clusters: IndexMap<ClusterName, ClusterSupply>,
    /// Links; those without limit and traffic need not be listed.
    pub links: Vec<LinkDemand>,
    /// How far the clusters are from one another.
    pub network: Network,
    /// Where services run now; a service that runs nowhere is not in it.
    pub current: Placement,
    /// What to minimise.
    pub goals: Goals,
    /// Services that use the same clusters.
    pub co_location: Vec<CoLocationGroup>,
    /// Services that stay apart.
    pub anti_affinity: Vec<AntiAffinityGroup>,
    /// How much may be spent, emitted or moved.
    pub budgets: Vec<Budget>,
    /// What goals of a higher priority have reached; [`super::decide`] sets it.
    pub ceilings: Vec<Ceiling>,
    /// Rules that are only wishes, by name, with the points that a unit of violation costs. What a unit is, each rule says.
    pub soft: BTreeMap<String, Weight>,
    /// The host's own points for every replica of a service on a cluster, less is better, in millionths of a point.
    pub scores: IndexMap<ServiceKey, BTreeMap<ClusterName, i64>>,
    /// Rules of the host.
    pub rules: Vec<CustomRule>,
    /// Goals of the host; what they measure counts as points of [`super::Goal::Preference`].
    pub measures: Vec<CustomGoal>,
}

impl PlacementProblem {
    /// The same question without one service, wherever it is named.
    #[must_use]
    pub fn without(&self, service: &ServiceKey) -> Self {
        let mut rest = self.clone();
        rest.remove(service);
        rest
    }

    /// Takes a service out, wherever it is named.
    pub(super) fn remove(&mut self, service: &ServiceKey) {
        self.services.shift_remove(service);
        self.links
            .retain(|link| link.from != *service && link.to != *service);
        let groups = self.co_location.iter_mut().map(|group| &mut group.services);
        for services in groups.chain(self.anti_affinity.iter_mut().map(|group| &mut group.services)) {
            services.remove(service);
        }
        self.scores.shift_remove(service);
    }
}
