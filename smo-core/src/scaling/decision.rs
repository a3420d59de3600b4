//! What comes back: replicas for every service, or which services lack what; each count with the bound that decided it.

use indexmap::IndexMap;
use serde::Serialize;

use super::Throughput;
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;
use crate::units::Rate;
use crate::value::Value;

/// The answer to a scaling question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ScalingDecision {
    /// Replicas that carry the load within every bound.
    Scale(Targets),
    /// There is no room for that where the services may run: place them again.
    Replace(Replace),
}

impl ScalingDecision {
    /// What every service should run: the targets, or what fits until services are placed again.
    #[must_use]
    pub fn services(&self) -> &IndexMap<ServiceKey, ServiceTarget> {
        match self {
            Self::Scale(targets) => &targets.services,
            Self::Replace(replace) => &replace.meanwhile,
        }
    }

    /// The replicas of a service, on all clusters together.
    #[must_use]
    pub fn replicas(&self, service: &ServiceKey) -> Option<u32> {
        self.services().get(service).map(ServiceTarget::replicas)
    }
}

/// Replicas for every service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Targets {
    /// The scaler that decided.
    pub scaler: String,
    /// Every service, in the order of the problem.
    pub services: IndexMap<ServiceKey, ServiceTarget>,
    /// What the answer is worth, less being better; `None` for a scaler that weighs nothing.
    pub value: Option<Value>,
    /// No answer is worth less than this, where known.
    pub bound: Option<Value>,
}

impl Targets {
    /// True when no answer is better, which is proved in integers.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.value.is_some() && self.value == self.bound
    }
}

/// Why no replicas carry the load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replace {
    /// The scaler that found out.
    pub scaler: String,
    /// True when no answer exists; false when the search gave up.
    pub proved: bool,
    /// The services that lack replicas.
    pub lacks: Vec<Lack>,
    /// What fits until services are placed again: nobody gets more than needed, the first services get it first.
    pub meanwhile: IndexMap<ServiceKey, ServiceTarget>,
}

/// The replicas of one service on one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Share {
    /// The cluster.
    pub cluster: ClusterName,
    /// How many run there now.
    pub from: u32,
    /// How many should.
    pub to: u32,
}

/// What one service should run, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceTarget {
    /// Its clusters, in the order of the problem.
    pub shares: Vec<Share>,
    /// What has to be carried.
    pub load: Rate,
    /// What replicas carry.
    pub throughput: Throughput,
    /// The fewest replicas that carry the load, bounds aside; `None` when no number does.
    pub needed: Option<u32>,
    /// What decided the count.
    pub decided_by: DecidedBy,
}

impl ServiceTarget {
    /// How many replicas should run, on all clusters together.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        self.shares
            .iter()
            .fold(0, |sum, share| sum.saturating_add(share.to))
    }

    /// How many run now, on all clusters together.
    #[must_use]
    pub fn current(&self) -> u32 {
        self.shares
            .iter()
            .fold(0, |sum, share| sum.saturating_add(share.from))
    }

    /// True when replicas start, stop or move.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.shares.iter().any(|share| share.from != share.to)
    }

    /// What the replicas carry.
    #[must_use]
    pub fn carries(&self) -> Rate {
        self.throughput.capacity(self.replicas())
    }
}

/// The bound that decided a count of replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "by")]
pub enum DecidedBy {
    /// The fewest that carry the load.
    Load,
    /// The fewest allowed.
    Minimum,
    /// The most allowed.
    Maximum,
    /// More than needed stay, since stopping them gains nothing.
    Kept,
    /// Some of those that would stay stop, to make room for others.
    Room,
    /// There is no room for more.
    Fits,
    /// The load passed a threshold.
    Threshold {
        /// The threshold.
        threshold: Rate,
    },
    /// The load is between the thresholds.
    BetweenThresholds,
    /// The host asked for this count.
    Asked,
}

/// What one service lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Lack {
    /// The service.
    pub service: ServiceKey,
    /// How many replicas it needs; `None` when no number is enough.
    pub needed: Option<u32>,
    /// How many it can have.
    pub possible: u32,
    /// What has to be carried.
    pub load: Rate,
    /// What the possible ones carry.
    pub carried: Rate,
    /// What is in the way, by cluster.
    pub reasons: Vec<LackReason>,
}

/// Why a service cannot have more replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "reason")]
pub enum LackReason {
    /// More are not allowed.
    Maximum {
        /// The most allowed.
        max: u32,
    },
    /// A cluster has too little left.
    #[serde(rename_all = "camelCase")]
    Insufficient {
        /// The cluster.
        cluster: ClusterName,
        /// What runs out.
        resource: ResourceName,
        /// What is left of it, in its base unit.
        left: u64,
        /// What one more replica takes.
        per_replica: u64,
    },
    /// A cluster does not offer what the service requires.
    NotOffered {
        /// The cluster.
        cluster: ClusterName,
        /// What it does not have.
        resource: ResourceName,
    },
}
