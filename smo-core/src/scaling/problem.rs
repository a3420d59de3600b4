//! The question: services with load, model and bounds, clusters with what is left, goals.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::Serialize;
use thiserror::Error;

use super::Throughput;
use crate::cluster::Price;
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};
use crate::units::Rate;
use crate::value::Weight;

/// One service whose replicas are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceLoad {
    /// What has to be carried: measured, or a quantile of a forecast.
    pub load: Rate,
    /// What replicas carry.
    pub throughput: Throughput,
    /// The fewest replicas allowed, on all clusters together.
    pub min: u32,
    /// The most replicas allowed, on all clusters together. The predecessor only measures changes by it.
    pub max: u32,
    /// What each replica takes away from its cluster.
    pub per_replica: Resources,
    /// Resources that its clusters have to offer at all, whatever is left of them (the predecessor's acceleration).
    pub requires: BTreeSet<ResourceName>,
    /// The clusters it may run on, and how many replicas run there now.
    pub clusters: IndexMap<ClusterName, u32>,
}

impl ServiceLoad {
    /// How many replicas run now, on all clusters.
    #[must_use]
    pub fn current(&self) -> u64 {
        self.clusters.values().map(|replicas| u64::from(*replicas)).sum()
    }
}

/// What one cluster can give to the services being decided.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRoom {
    /// What is left for the services being decided: allocatable less allocated, *plus* what these services hold there
    /// now (so that nothing is counted twice). A resource that is not listed is not limited, except an extended one
    /// such as a GPU, of which there is none.
    pub capacity: Resources,
    /// What an hour of its resources costs.
    pub price: Price,
}

impl ClusterRoom {
    /// How much of a resource there is for the services being decided; `None` when it is not limited.
    #[must_use]
    pub fn available(&self, resource: &ResourceName) -> Option<u64> {
        let listed = self.capacity.listed(resource.as_str());
        listed.or(resource.is_extended().then_some(0))
    }
}

/// What the counts are judged by, less being better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "model")]
pub enum ScalingGoals {
    /// What runs costs; so does starting and stopping. Counts keep `min <= r <= max`.
    #[serde(rename_all = "camelCase")]
    Cost {
        /// Points for 1 EUR/h.
        money: Weight,
        /// Points for one replica that runs, whatever it costs.
        replicas: Weight,
        /// Points for one replica started on a cluster.
        starts: Weight,
        /// Points for one replica stopped on a cluster. Below the price of an hour, or nothing ever scales down.
        stops: Weight,
    },
    /// The predecessor's: `utilisation * sum(r*cpu)/max(maximum*cpu) + transition * sum(|r - current|/maximum)`, at
    /// least one replica of everything. It scales down only where the room runs out.
    #[serde(rename_all = "camelCase")]
    Smo {
        /// Its weight of cpu; 0.4.
        utilisation: Weight,
        /// Its weight of changes; 0.4.
        transition: Weight,
        /// Whether `r <= max` holds, as its documentation says and its code does not.
        bounded: bool,
    },
}

impl Default for ScalingGoals {
    /// One point is one euro per hour: a replica counts 0.0001 (fewer are better where nothing has a price), a start
    /// 0.001 (replicas stay where they are unless another cluster saves more), a stop nothing.
    fn default() -> Self {
        Self::Cost {
            money: Weight::from_millionths(1_000_000),
            replicas: Weight::from_millionths(100),
            starts: Weight::from_millionths(1_000),
            stops: Weight::from_millionths(0),
        }
    }
}

impl ScalingGoals {
    /// True when running, starting and stopping a replica are each worth at most 1000 points.
    fn fits(&self, service: &ServiceLoad, room: &ClusterRoom) -> bool {
        const MOST: i64 = 1_000_000_000;
        match *self {
            Self::Cost {
                money,
                replicas,
                starts,
                stops,
            } => {
                let price = room
                    .price
                    .of(&service.per_replica)
                    .map(|price| i128::from(price.base()));
                let worth = price.map(|nano| nano * i128::from(money.millionths()) / 1_000_000_000);
                let fixed = [replicas, starts, stops];
                worth.is_some_and(|worth| (0..=i128::from(MOST)).contains(&worth))
                    && fixed
                        .iter()
                        .all(|weight| (0..=MOST).contains(&weight.millionths()))
            }
            Self::Smo {
                utilisation,
                transition,
                ..
            } => [utilisation, transition]
                .iter()
                .all(|weight| (0..=MOST).contains(&weight.millionths())),
        }
    }

    /// The predecessor's weights, without the bound that its code lost.
    #[must_use]
    pub const fn smo() -> Self {
        Self::Smo {
            utilisation: Weight::from_millionths(400_000),
            transition: Weight::from_millionths(400_000),
            bounded: false,
        }
    }
}

/// One scaling question. It may hold several graphs: services that share clusters are decided together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingProblem {
    /// The services, in order of importance: where not everything fits, the first ones get what they need first.
    pub services: IndexMap<ServiceKey, ServiceLoad>,
    /// The clusters they run on.
    pub clusters: IndexMap<ClusterName, ClusterRoom>,
    /// What to minimise.
    pub goals: ScalingGoals,
}

/// One thing wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "camelCase", tag = "fault")]
#[non_exhaustive]
pub enum ProblemFault {
    /// A load is below zero.
    #[error("{service} has a load of {load}; a load is not negative")]
    NegativeLoad {
        /// The service.
        service: ServiceKey,
        /// What was given.
        load: Rate,
    },
    /// One more replica carries nothing more.
    #[error("{service} has an alpha of {alpha}; one more replica has to carry more, so it is above zero")]
    AlphaNotPositive {
        /// The service.
        service: ServiceKey,
        /// What was given.
        alpha: Rate,
    },
    /// No count is both above the minimum and below the maximum.
    #[error("{service} has a maximum of {max} below its minimum of {min}")]
    MaximumBelowMinimum {
        /// The service.
        service: ServiceKey,
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
    /// A service that may run nowhere.
    #[error("{service} names no cluster that it may run on")]
    NoCluster {
        /// The service.
        service: ServiceKey,
    },
    /// A cluster that the problem does not have.
    #[error("{service} may run on {cluster}, which is no cluster of the problem")]
    UnknownCluster {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
    /// The predecessor's model divides by the maximum.
    #[error("{service} has a maximum of 0, by which the predecessor's model divides")]
    ZeroMaximum {
        /// The service.
        service: ServiceKey,
    },
    /// More replicas run than can be counted.
    #[error("{service} runs more than 4294967295 replicas now")]
    TooManyReplicas {
        /// The service.
        service: ServiceKey,
    },
    /// What a replica costs does not fit the arithmetic.
    #[error("one replica of {service} is worth more than 1000 points; take smaller weights or prices")]
    TooDear {
        /// The service.
        service: ServiceKey,
    },
}

impl ScalingProblem {
    /// Everything that is wrong with the question, in the order of its services; empty when nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<ProblemFault> {
        let mut faults = Vec::new();
        for (key, service) in &self.services {
            let key = || key.clone();
            if service.load < Rate::ZERO {
                faults.push(ProblemFault::NegativeLoad {
                    service: key(),
                    load: service.load,
                });
            }
            if service.throughput.alpha <= Rate::ZERO {
                faults.push(ProblemFault::AlphaNotPositive {
                    service: key(),
                    alpha: service.throughput.alpha,
                });
            }
            match self.goals {
                ScalingGoals::Smo { .. } if service.max == 0 => {
                    faults.push(ProblemFault::ZeroMaximum { service: key() });
                }
                ScalingGoals::Smo { bounded: false, .. } => {}
                _ if service.max < service.min => faults.push(ProblemFault::MaximumBelowMinimum {
                    service: key(),
                    min: service.min,
                    max: service.max,
                }),
                _ => {}
            }
            if service.clusters.is_empty() {
                faults.push(ProblemFault::NoCluster { service: key() });
            }
            for cluster in service.clusters.keys() {
                if !self.clusters.contains_key(cluster) {
                    faults.push(ProblemFault::UnknownCluster {
                        service: key(),
                        cluster: cluster.clone(),
                    });
                }
            }
            if service.current() > u64::from(u32::MAX) {
                faults.push(ProblemFault::TooManyReplicas { service: key() });
            }
            let mut rooms = service.clusters.keys().filter_map(|name| self.clusters.get(name));
            if !rooms.all(|room| self.goals.fits(service, room)) {
                faults.push(ProblemFault::TooDear { service: key() });
            }
        }
        faults
    }
}
