//! The requirements of a graph: every intent as an amount or a rule.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;

use crate::graph::LatencyClass;
use crate::id::{ClusterName, ServiceId};
use crate::resources::{ResourceName, Resources};
use crate::units::Latency;

/// What one service needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRequirements {
    /// How many replicas run over all clusters.
    pub replicas: u32,
    /// What each replica needs.
    pub per_replica: Resources,
    /// Resources that its cluster has to offer at all.
    pub requires: BTreeSet<ResourceName>,
    /// It has to be near its device.
    pub device_proximity: bool,
    /// The only clusters it may run on, where the host says so.
    pub pinned: Option<BTreeSet<ClusterName>>,
}

/// How near the two ends of a link have to be, as amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkRequirement {
    /// The caller.
    pub from: ServiceId,
    /// The callee.
    pub to: ServiceId,
    /// The class that counts (`highPerformance` overrides the service's own).
    pub class: LatencyClass,
    /// The round trip has to be below this.
    pub rtt_below: Option<Latency>,
    /// At most this many hops.
    pub max_hops: Option<u32>,
}

/// What a graph needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    /// By service, in the order of the descriptor.
    pub services: IndexMap<ServiceId, ServiceRequirements>,
    /// Every link, in the order of the descriptor.
    pub links: Vec<LinkRequirement>,
    /// The charts decide where services run.
    pub static_placement: bool,
    /// A running graph keeps its placement (`highAvailability`: placement is final).
    pub final_placement: bool,
    /// Energy and carbon weigh more than money.
    pub energy_efficiency: bool,
}
