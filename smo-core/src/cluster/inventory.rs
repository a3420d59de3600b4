//! One snapshot of the fleet.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use super::{CarbonProfile, CarbonSignal, Egress, Headroom, Network, Price, Taint};
use crate::id::ClusterName;
use crate::resources::Resources;

/// Whether a cluster can take work.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Readiness {
    /// It answers and takes work.
    #[default]
    Ready,
    /// It is known to be unable to.
    NotReady {
        /// The reason it gives, such as `ClusterNotReachable`.
        reason: String,
        /// Since when, where known.
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<Timestamp>,
    },
    /// It has not reported yet, or not for too long.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

impl Readiness {
    /// True when it can take work.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }
}

/// One member cluster as it was observed.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cluster {
    /// Its name.
    pub name: ClusterName,
    /// Whether it can take work.
    pub readiness: Readiness,
    /// Where it is, such as `eu-west`.
    pub region: Option<String>,
    /// Zones within the region.
    pub zones: Vec<String>,
    /// Who runs it.
    pub provider: Option<String>,
    /// Labels that rules may look at.
    pub labels: BTreeMap<String, String>,
    /// Marks that keep work away.
    pub taints: Vec<Taint>,
    /// What its nodes offer together.
    pub allocatable: Resources,
    /// What running work has requested of that, ours included.
    pub allocated: Resources,
    /// What an hour of its resources costs.
    pub price: Price,
    /// What it emits, where known.
    pub carbon: Option<CarbonProfile>,
    /// What traffic that leaves it costs.
    #[serde(skip_serializing_if = "Egress::is_free")]
    pub egress: Egress,
    /// What is kept free here; `None` for what is kept free of every cluster of the fleet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headroom: Option<Headroom>,
}

impl Cluster {
    /// A ready cluster called `name` that offers `allocatable`, with every other part empty.
    #[must_use]
    pub fn new(name: ClusterName, allocatable: Resources) -> Self {
        Self {
            name,
            readiness: Readiness::Ready,
            region: None,
            zones: Vec::new(),
            provider: None,
            labels: BTreeMap::new(),
            taints: Vec::new(),
            allocatable,
            allocated: Resources::new(),
            price: Price::free(),
            carbon: None,
            egress: Egress::default(),
            headroom: None,
        }
    }

    /// What is left: allocatable less allocated, never below zero. What decisions keep free is a part of it.
    #[must_use]
    pub fn free(&self) -> Resources {
        self.allocatable.saturating_sub(&self.allocated)
    }
}

/// All clusters at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// When it was observed, where known.
    pub observed_at: Option<Timestamp>,
    /// Which emission signal its carbon intensities are.
    pub carbon_signal: CarbonSignal,
    /// The clusters by name, in the order they were listed.
    pub clusters: IndexMap<ClusterName, Cluster>,
    /// How far they are from one another.
    pub network: Network,
    /// What decisions keep free of a cluster that says nothing else.
    #[serde(skip_serializing_if = "Headroom::is_none")]
    pub headroom: Headroom,
}

impl Inventory {
    /// An inventory of these clusters; of two with one name the later counts.
    #[must_use]
    pub fn new(clusters: impl IntoIterator<Item = Cluster>) -> Self {
        let clusters = clusters
            .into_iter()
            .map(|cluster| (cluster.name.clone(), cluster))
            .collect();
        Self {
            clusters,
            ..Self::default()
        }
    }

    /// The cluster called `name`.
    #[must_use]
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.get(name)
    }

    /// What decisions keep free of a cluster: its own headroom, else that of the fleet.
    #[must_use]
    pub fn headroom_of(&self, cluster: &Cluster) -> Resources {
        let headroom = cluster.headroom.as_ref().unwrap_or(&self.headroom);
        headroom.of(&cluster.allocatable)
    }

    /// Counts `resources` as allocated on a cluster, so that a decision leaves them free. A cluster that is not there is
    /// left alone.
    pub fn reserve(&mut self, cluster: &ClusterName, resources: &Resources) {
        let Some(cluster) = self.clusters.get_mut(cluster) else {
            return;
        };
        for (name, amount) in resources.iter() {
            let taken = cluster.allocated.amount(name.as_str()).saturating_add(amount);
            cluster.allocated.set(name.clone(), taken);
        }
    }

    /// The clusters that can take work.
    pub fn ready(&self) -> impl Iterator<Item = &Cluster> {
        self.clusters
            .values()
            .filter(|cluster| cluster.readiness.is_ready())
    }
}
