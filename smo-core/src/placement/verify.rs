//! Re-checks a placement against every rule, in integers, with code that no placer uses to search.

use thiserror::Error;

use super::rules::default_rules;
use super::{LinkLimit, Placement, PlacementProblem, Reason};
use crate::cluster::Path;
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;

/// A rule that a placement breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Breach {
    /// A service runs where a rule forbids it, whatever the others do.
    #[error("{service} may not run on {cluster}: {reason}")]
    Forbidden {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
        /// The rule in the way.
        reason: Reason,
    },
    /// The services of a cluster take more than it has.
    #[error("{cluster} has {} for services that take {}", .resource.describe(*.capacity), describe_wide(.resource, *.demanded))]
    Overcommitted {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// What its services take, in the base unit.
        demanded: u128,
        /// What there is, in the base unit.
        capacity: u64,
    },
    /// The ends of a link are too far from one another.
    #[error("the link from {from} on {from_cluster} to {to} on {to_cluster}: {}", .limit.compare(*.measured))]
    LinkTooLong {
        /// The caller.
        from: ServiceKey,
        /// Its cluster.
        from_cluster: ClusterName,
        /// The callee.
        to: ServiceKey,
        /// Its cluster.
        to_cluster: ClusterName,
        /// How near they have to be.
        limit: LinkLimit,
        /// What was measured.
        measured: Path,
    },
    /// A service runs too few or too many replicas.
    #[error("{service} runs {placed} of {wanted} replicas")]
    Replicas {
        /// The service.
        service: ServiceKey,
        /// How many replicas the placement has.
        placed: u64,
        /// How many it needs.
        wanted: u32,
    },
    /// A service runs on several clusters.
    #[error("{service} is split over {clusters} clusters")]
    Split {
        /// The service.
        service: ServiceKey,
        /// How many.
        clusters: usize,
    },
    /// A service that the problem does not have.
    #[error("{service} is no service of the problem")]
    UnknownService {
        /// The service.
        service: ServiceKey,
    },
    /// A cluster that the problem does not have.
    #[error("{service} runs on {cluster}, which is no cluster of the fleet")]
    UnknownCluster {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
}

/// An amount that may not fit 64 bits.
fn describe_wide(resource: &ResourceName, amount: u128) -> String {
    u64::try_from(amount).map_or_else(
        |_| format!("{amount} base units of {resource}"),
        |amount| resource.describe(amount),
    )
}

/// Every rule that `placement` breaks, in the order of the rules; empty when it keeps them all.
#[must_use]
pub fn verify(problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
    default_rules()
        .iter()
        .flat_map(|rule| rule.breaches(problem, placement))
        .collect()
}
