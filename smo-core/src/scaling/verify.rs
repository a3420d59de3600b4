//! Re-checks an answer in integers, with code that no scaler uses to search.

use std::collections::BTreeMap;

use thiserror::Error;

use super::{ScalingDecision, ScalingGoals, ScalingProblem, ServiceLoad, ServiceTarget};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;
use crate::units::Rate;

/// Something that an answer breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScalingBreach {
    /// A service got no answer.
    #[error("it says nothing about {service}")]
    Forgotten {
        /// The service.
        service: ServiceKey,
    },
    /// A service that the problem does not have.
    #[error("{service} is no service of the problem")]
    UnknownService {
        /// The service.
        service: ServiceKey,
    },
    /// Replicas where the service may not run, or a cluster left out.
    #[error("{service} may run on {}, and it answers for {}", names(.allowed), names(.answered))]
    OtherClusters {
        /// The service.
        service: ServiceKey,
        /// Where it may run.
        allowed: Vec<ClusterName>,
        /// What the answer is about.
        answered: Vec<ClusterName>,
    },
    /// A count outside the bounds.
    #[error("{service} gets {replicas} replicas, outside {min} to {max}")]
    OutOfBounds {
        /// The service.
        service: ServiceKey,
        /// How many it gets.
        replicas: u64,
        /// The fewest.
        min: u32,
        /// The most.
        max: u32,
    },
    /// Too few replicas for the load.
    #[error("{service} gets {replicas} replicas, which carry {carried} of {load}")]
    Overloaded {
        /// The service.
        service: ServiceKey,
        /// How many it gets.
        replicas: u64,
        /// What they carry.
        carried: Rate,
        /// What has to be carried.
        load: Rate,
    },
    /// A cluster that does not offer what a service requires.
    #[error("{service} requires {resource}, which {cluster} does not offer")]
    NotOffered {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
        /// What it does not have.
        resource: ResourceName,
    },
    /// More than there is room for.
    #[error("{cluster} has {capacity} base units of {resource} for replicas that take {demanded}")]
    Overcommitted {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// What the replicas take.
        demanded: u128,
        /// What there is.
        capacity: u64,
    },
}

fn names(clusters: &[ClusterName]) -> String {
    clusters
        .iter()
        .map(ClusterName::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// Everything that an answer breaks: of targets the bounds, the load and the room; of what runs until services are
/// placed again only the room. Whether the load has to be carried is up to the scaler where it decides by thresholds.
#[must_use]
pub fn verify(problem: &ScalingProblem, decision: &ScalingDecision) -> Vec<ScalingBreach> {
    let mut breaches = Vec::new();
    let mut taken: BTreeMap<(usize, &ResourceName), u128> = BTreeMap::new();
    let targets = matches!(decision, ScalingDecision::Scale(_));
    for service in decision.services().keys() {
        if !problem.services.contains_key(service) {
            breaches.push(ScalingBreach::UnknownService {
                service: service.clone(),
            });
        }
    }
    for (key, service) in &problem.services {
        let Some(target) = decision.services().get(key) else {
            breaches.push(ScalingBreach::Forgotten { service: key.clone() });
            continue;
        };
        if !target
            .shares
            .iter()
            .map(|share| &share.cluster)
            .eq(service.clusters.keys())
        {
            breaches.push(ScalingBreach::OtherClusters {
                service: key.clone(),
                allowed: service.clusters.keys().cloned().collect(),
                answered: target.shares.iter().map(|share| share.cluster.clone()).collect(),
            });
            continue;
        }
        if targets {
            breaches.extend(bound_breaches(problem, key, service, target));
        }
        for share in target.shares.iter().filter(|share| share.to > 0) {
            let Some((index, _, room)) = problem.clusters.get_full(&share.cluster) else {
                continue;
            };
            for resource in &service.requires {
                if room.available(resource) == Some(0) {
                    breaches.push(ScalingBreach::NotOffered {
                        service: key.clone(),
                        cluster: share.cluster.clone(),
                        resource: resource.clone(),
                    });
                }
            }
            for (name, amount) in service.per_replica.iter() {
                *taken.entry((index, name)).or_default() += u128::from(amount) * u128::from(share.to);
            }
        }
    }
    for ((index, resource), demanded) in taken {
        let Some((cluster, room)) = problem.clusters.get_index(index) else {
            continue;
        };
        if let Some(capacity) = room
            .available(resource)
            .filter(|capacity| demanded > u128::from(*capacity))
        {
            breaches.push(ScalingBreach::Overcommitted {
                cluster: cluster.clone(),
                resource: resource.clone(),
                demanded,
                capacity,
            });
        }
    }
    breaches
}

fn bound_breaches(
    problem: &ScalingProblem,
    key: &ServiceKey,
    service: &ServiceLoad,
    target: &ServiceTarget,
) -> Option<ScalingBreach> {
    let replicas: u64 = target.shares.iter().map(|share| u64::from(share.to)).sum();
    let (min, max) = match problem.goals {
        ScalingGoals::Cost { .. } => (service.min, service.max),
        ScalingGoals::Smo { bounded: true, .. } => (1, service.max),
        ScalingGoals::Smo { bounded: false, .. } => (1, u32::MAX),
    };
    if !(u64::from(min)..=u64::from(max)).contains(&replicas) {
        return Some(ScalingBreach::OutOfBounds {
            service: key.clone(),
            replicas,
            min,
            max,
        });
    }
    let by_load = !matches!(
        target.decided_by,
        super::DecidedBy::Threshold { .. } | super::DecidedBy::BetweenThresholds | super::DecidedBy::Asked
    );
    let carried = service
        .throughput
        .capacity(u32::try_from(replicas).unwrap_or(u32::MAX));
    (by_load && carried < service.load).then(|| ScalingBreach::Overloaded {
        service: key.clone(),
        replicas,
        carried,
        load: service.load,
    })
}
