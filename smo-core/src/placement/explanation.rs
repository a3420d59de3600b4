//! Why each service is where it is, as data.

use indexmap::IndexMap;
use serde::Serialize;

use super::{Assignment, LinkLimit, Totals, Value};
use crate::cluster::{Path, Taint};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};

/// The rule that keeps a service off a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "rule")]
#[non_exhaustive]
pub enum Reason {
    /// The cluster cannot take work.
    NotReady {
        /// What it says.
        reason: String,
    },
    /// The cluster has none of a resource at all.
    NotOffered {
        /// The resource.
        resource: ResourceName,
    },
    /// The cluster has too little left of a resource.
    Insufficient {
        /// The resource.
        resource: ResourceName,
        /// How much is missing, in its base unit.
        missing: u64,
    },
    /// The service does not tolerate a taint.
    Tainted {
        /// The taint.
        taint: Taint,
    },
    /// The service is pinned to other clusters.
    PinnedElsewhere,
    /// The service may not run there.
    Excluded,
    /// The service may not run in that region.
    ForbiddenRegion {
        /// The region of the cluster, where known.
        region: Option<String>,
    },
    /// A link would be too long, or nobody measured it.
    LinkTooLong {
        /// The service at the other end.
        peer: ServiceKey,
        /// The cluster of that service, when it is one; `None` when no cluster of it is near enough.
        peer_cluster: Option<ClusterName>,
        /// How near it has to be.
        limit: LinkLimit,
        /// What was measured.
        measured: Path,
    },
}

/// A cluster that was not chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Alternative {
    /// A rule forbids it while everything else stays.
    Forbidden(Reason),
    /// It is allowed, and would change the value by this much while everything else stays.
    Allowed {
        /// The change of value; positive is worse.
        difference: Value,
        /// The change of every goal.
        by_goal: Totals,
    },
}

/// Why one service is where it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceExplanation {
    /// Where it runs.
    pub chosen: Assignment,
    /// The best other cluster, if any is allowed.
    pub runner_up: Option<ClusterName>,
    /// Every other cluster.
    pub alternatives: IndexMap<ClusterName, Alternative>,
}

/// How full a cluster is after the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterUse {
    /// What the services decided on take there.
    pub used: Resources,
    /// What there was for them.
    pub capacity: Resources,
    /// The services there.
    pub services: Vec<ServiceKey>,
    /// What they cost, in nano-euro per hour, and so on.
    pub totals: Totals,
}

/// Why a placement is what it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// By service, in the order of the problem.
    pub services: IndexMap<ServiceKey, ServiceExplanation>,
    /// By cluster, in the order of the problem.
    pub clusters: IndexMap<ClusterName, ClusterUse>,
}
