//! The question: a placement problem whose counts follow from loads.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;
use thiserror::Error;

use crate::id::{ClusterName, ServiceKey, did_you_mean};
use crate::placement::{PlacementError, PlacementProblem};
use crate::scaling::{Faults, Throughput};
use crate::units::Rate;

/// A service whose replicas follow from its load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ElasticService {
    /// What has to be carried: measured, or a quantile of a forecast.
    pub load: Rate,
    /// What replicas carry on a cluster that [`Self::on`] does not list.
    pub throughput: Throughput,
    /// What they carry on clusters that are faster or slower.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub on: BTreeMap<ClusterName, Throughput>,
    /// The fewest replicas allowed.
    pub min: u32,
    /// The most replicas allowed.
    pub max: u32,
}

impl ElasticService {
    /// What replicas carry when they all run on one cluster, or when it is the slowest one that they run on.
    #[must_use]
    pub fn throughput_on(&self, cluster: &ClusterName) -> Throughput {
        self.on.get(cluster).copied().unwrap_or(self.throughput)
    }

    /// The fewest replicas that carry the load if one of them runs on `cluster`; `None` when that is above the maximum.
    ///
    /// ```
    /// use smo_core::joint::ElasticService;
    /// use smo_core::scaling::Throughput;
    /// use smo_core::units::Rate;
    /// let web = ElasticService {
    ///     load: Rate::parse_decimal("500").unwrap(),
    ///     throughput: Throughput::new(100.0, 0.0)?,
    ///     on: [("edge".parse()?, Throughput::new(60.0, 0.0)?)].into(),
    ///     min: 1,
    ///     max: 20,
    /// };
    /// assert_eq!(web.needed_on(&"cloud".parse()?), Some(5));
    /// assert_eq!(web.needed_on(&"edge".parse()?), Some(9));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn needed_on(&self, cluster: &ClusterName) -> Option<u32> {
        let needed = self.throughput_on(cluster).needed(self.load)?;
        Some(needed.max(self.min)).filter(|needed| *needed <= self.max)
    }
}

/// Replicas and placement in one question.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JointProblem {
    /// Services, clusters, rules and goals. The replicas that it states for a service with a load do not matter.
    pub placement: PlacementProblem,
    /// The services whose replicas are asked for; the others keep the count that the placement problem states.
    pub loads: IndexMap<ServiceKey, ElasticService>,
}

/// One thing wrong with a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Error)]
#[serde(rename_all = "camelCase", tag = "fault")]
#[non_exhaustive]
pub enum JointFault {
    /// A service that the placement problem does not have.
    #[error("{service} has a load and is no service of the placement problem{}", hint(.meant.as_deref()))]
    UnknownService {
        /// The service.
        service: ServiceKey,
        /// A service with a name like it.
        meant: Option<String>,
    },
    /// A cluster that the placement problem does not have.
    #[error("{service} has a throughput on {cluster}, which is no cluster of the placement problem{}", hint(.meant.as_deref()))]
    UnknownCluster {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
        /// A cluster with a name like it.
        meant: Option<String>,
    },
    /// A load is below zero.
    #[error("{service} has a load of {load}; a load is not negative")]
    NegativeLoad {
        /// The service.
        service: ServiceKey,
        /// What was given.
        load: Rate,
    },
    /// One more replica carries nothing more.
    #[error("{service} has an alpha of {alpha}{}; one more replica has to carry more, so it is above zero", place(.cluster.as_ref()))]
    AlphaNotPositive {
        /// The service.
        service: ServiceKey,
        /// The cluster, where the throughput is that of one.
        cluster: Option<ClusterName>,
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
    /// Levels of priority are not compared.
    #[error(
        "the goals have an order of priority, by which counts cannot be compared; give them weights in one level"
    )]
    Priorities,
}

fn hint(meant: Option<&str>) -> String {
    meant.map_or_else(String::new, |name| format!("; did you mean {name}?"))
}

fn place(cluster: Option<&ClusterName>) -> String {
    cluster.map_or_else(String::new, |cluster| format!(" on {cluster}"))
}

/// Why a question got no answer at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JointError {
    /// The loads contradict themselves or the placement problem; all faults at once.
    #[error("the joint problem is inconsistent: {0}")]
    InvalidProblem(Faults<JointFault>),
    /// The placement problem makes no sense, or its placer failed.
    #[error(transparent)]
    Placement(#[from] PlacementError),
}

impl JointProblem {
    /// Everything that is wrong with the loads, in their order; empty when nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<JointFault> {
        let mut faults = Vec::new();
        for (key, elastic) in &self.loads {
            let service = || key.clone();
            if !self.placement.services.contains_key(key) {
                let names: Vec<String> = self.placement.services.keys().map(ToString::to_string).collect();
                let meant = did_you_mean(&key.to_string(), names.iter().map(String::as_str));
                let meant = meant.map(str::to_owned);
                faults.push(JointFault::UnknownService {
                    service: service(),
                    meant,
                });
            }
            if elastic.load < Rate::ZERO {
                let load = elastic.load;
                faults.push(JointFault::NegativeLoad {
                    service: service(),
                    load,
                });
            }
            let everywhere = [(None, elastic.throughput)];
            let somewhere = elastic
                .on
                .iter()
                .map(|(cluster, throughput)| (Some(cluster), *throughput));
            for (cluster, throughput) in everywhere.into_iter().chain(somewhere) {
                if throughput.alpha <= Rate::ZERO {
                    let (cluster, alpha) = (cluster.cloned(), throughput.alpha);
                    faults.push(JointFault::AlphaNotPositive {
                        service: service(),
                        cluster,
                        alpha,
                    });
                }
            }
            for cluster in elastic.on.keys() {
                if !self.placement.clusters.contains_key(cluster) {
                    let names = self.placement.clusters.keys().map(ClusterName::as_str);
                    let meant = did_you_mean(cluster.as_str(), names).map(str::to_owned);
                    let cluster = cluster.clone();
                    faults.push(JointFault::UnknownCluster {
                        service: service(),
                        cluster,
                        meant,
                    });
                }
            }
            if elastic.max < elastic.min {
                let (min, max) = (elastic.min, elastic.max);
                faults.push(JointFault::MaximumBelowMinimum {
                    service: service(),
                    min,
                    max,
                });
            }
        }
        if !self.placement.goals.then.is_empty() {
            faults.push(JointFault::Priorities);
        }
        faults
    }

    /// The placement question with the fewest replicas that any cluster asks for, so that nothing is refused for a count.
    pub(super) fn with_fewest(&self) -> PlacementProblem {
        let mut fewest = self.placement.clone();
        for (key, elastic) in &self.loads {
            if let Some(demand) = fewest.services.get_mut(key) {
                let needed = self
                    .placement
                    .clusters
                    .keys()
                    .filter_map(|cluster| elastic.needed_on(cluster));
                demand.replicas = needed.min().unwrap_or(elastic.min);
            }
        }
        fewest
    }

    /// Refuses a question that contradicts itself.
    pub(super) fn validate(&self) -> Result<(), JointError> {
        let faults = self.faults();
        if faults.is_empty() {
            Ok(())
        } else {
            Err(JointError::InvalidProblem(Faults(faults)))
        }
    }
}
