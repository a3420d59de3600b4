//! Why each service is where it is, as data.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::{Assignment, DomainKey, Goal, LabelRequirement, LinkLimit, Totals, Value};
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
    /// The labels of the cluster are not as required.
    Label {
        /// What is required.
        requirement: LabelRequirement,
    },
    /// The cluster is in no domain, and the service spreads over domains or keeps apart from others.
    NoDomain {
        /// What makes a domain.
        key: DomainKey,
    },
    /// The placement of the service is final.
    Final,
    /// A rule about several services or clusters would be broken.
    Breaks {
        /// What the rule says.
        breach: String,
    },
    /// A rule of the host.
    Custom {
        /// Its name.
        name: String,
        /// What it says.
        message: String,
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
    /// It runs there now.
    pub stays: bool,
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

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotReady { reason } if reason.is_empty() => f.write_str("not ready"),
            Self::NotReady { reason } => write!(f, "not ready ({reason})"),
            Self::NotOffered { resource } => write!(f, "no {resource}"),
            Self::Insufficient { resource, missing } => write!(f, "{} short", resource.describe(*missing)),
            Self::Tainted { taint } => {
                let value = taint
                    .value
                    .as_ref()
                    .map(|value| format!("={value}"))
                    .unwrap_or_default();
                write!(f, "taint {}{value} not tolerated", taint.key)
            }
            Self::PinnedElsewhere => f.write_str("pinned to other clusters"),
            Self::Excluded => f.write_str("excluded"),
            Self::ForbiddenRegion { region: Some(region) } => write!(f, "region {region} not allowed"),
            Self::ForbiddenRegion { region: None } => f.write_str("region not known"),
            Self::Label { requirement } => write!(f, "labels are not {requirement}"),
            Self::NoDomain { key } => write!(f, "no {key} known"),
            Self::Final => f.write_str("placement is final"),
            Self::Breaks { breach } => f.write_str(breach),
            Self::Custom { name, message } => write!(f, "{name}: {message}"),
            Self::LinkTooLong {
                peer,
                limit,
                measured,
                ..
            } => {
                write!(f, "link to {} {}", peer.service, limit.compare(*measured))
            }
        }
    }
}

impl Reason {
    /// The reason without amounts, to be counted over clusters: `insufficient cpu`, `no nvidia.com/gpu`, `not ready`.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::NotReady { .. } => "not ready".to_owned(),
            Self::NotOffered { resource } => format!("no {resource}"),
            Self::Insufficient { resource, .. } => format!("insufficient {resource}"),
            Self::Tainted { taint } => format!("taint {} not tolerated", taint.key),
            Self::PinnedElsewhere => "pinned to other clusters".to_owned(),
            Self::Excluded => "excluded".to_owned(),
            Self::ForbiddenRegion { .. } => "region not allowed".to_owned(),
            Self::Label { requirement } => format!("labels not {requirement}"),
            Self::NoDomain { key } => format!("no {key}"),
            Self::Final => "placement is final".to_owned(),
            Self::Breaks { .. } => "breaks another rule".to_owned(),
            Self::Custom { name, .. } => name.clone(),
            Self::LinkTooLong { peer, .. } => format!("too far from {}", peer.service),
        }
    }

    /// The resource that is missing, if that is the reason.
    fn resource(&self) -> Option<&ResourceName> {
        match self {
            Self::NotOffered { resource } | Self::Insufficient { resource, .. } => Some(resource),
            _ => None,
        }
    }
}

/// How many reasons are spelled out in one sentence.
const SPELLED_OUT: usize = 3;

impl ServiceExplanation {
    /// Why it runs where it runs, in one short sentence.
    #[must_use]
    pub fn why(&self) -> String {
        if self.chosen.is_empty() {
            return "runs no replicas".to_owned();
        }
        let allowed = self
            .runner_up
            .as_ref()
            .and_then(|cluster| match self.alternatives.get(cluster) {
                Some(Alternative::Allowed { difference, by_goal }) => Some((cluster, *difference, by_goal)),
                _ => None,
            });
        match allowed {
            None => self.only_cluster(),
            Some((cluster, difference, by_goal)) if difference > Value::ZERO => {
                let what = if self.stays {
                    "stays where it runs"
                } else {
                    superlative(by_goal)
                };
                format!("{what}; next best {cluster}: {}", describe_change(by_goal))
            }
            Some((cluster, difference, _)) if difference == Value::ZERO => {
                let what = if self.stays { "stays where it runs; " } else { "" };
                format!("{what}as good as {cluster}")
            }
            Some((cluster, _, by_goal)) => {
                format!("not the best: {cluster} would be {}", describe_change(by_goal))
            }
        }
    }

    /// The sentence for a service that no other cluster can take.
    fn only_cluster(&self) -> String {
        let reasons: Vec<(&ClusterName, &Reason)> = self
            .alternatives
            .iter()
            .filter_map(|(cluster, alternative)| match alternative {
                Alternative::Forbidden(reason) => Some((cluster, reason)),
                Alternative::Allowed { .. } => None,
            })
            .collect();
        let is_down = |reason: &Reason| matches!(reason, Reason::NotReady { .. });
        let of_ready: Vec<_> = reasons.iter().filter(|(_, reason)| !is_down(reason)).collect();
        let Some((_, first)) = of_ready.first() else {
            return if reasons.is_empty() {
                "the only cluster"
            } else {
                "the only cluster that is ready"
            }
            .to_owned();
        };
        if of_ready
            .iter()
            .all(|(_, reason)| **reason == Reason::PinnedElsewhere)
        {
            return "pinned there".to_owned();
        }
        if of_ready.iter().all(|(_, reason)| **reason == Reason::Final) {
            return "placement is final".to_owned();
        }
        let ready = if of_ready.len() < reasons.len() {
            "ready "
        } else {
            ""
        };
        let same = |(_, reason): &(&ClusterName, &Reason)| reason.resource() == first.resource();
        if let (Some(resource), true) = (first.resource(), of_ready.iter().all(|entry| same(entry))) {
            return if resource.is_extended() {
                format!("the only {ready}cluster with a free {resource}")
            } else {
                format!("the only {ready}cluster with enough {resource}")
            };
        }
        let mut parts: Vec<String> = reasons
            .iter()
            .take(SPELLED_OUT)
            .map(|(cluster, reason)| format!("{cluster} {reason}"))
            .collect();
        if reasons.len() > SPELLED_OUT {
            parts.push(format!("{} more ruled out", reasons.len() - SPELLED_OUT));
        }
        format!("the only cluster that is left: {}", parts.join(", "))
    }
}

/// What the chosen cluster is most of, given what another one would change.
fn superlative(change: &Totals) -> &'static str {
    match (change.money > 0, change.carbon > 0, change.moves > 0) {
        (true, false, false) => "cheapest",
        (false, true, false) => "greenest",
        (true, true, false) => "cheapest and greenest",
        _ => "best",
    }
}

/// `+0.012 EUR/h, -3.100 gCO2e/h`.
fn describe_change(change: &Totals) -> String {
    let part = |goal: Goal| {
        let base = change.of(goal);
        let sign = if base > 0 { "+" } else { "" };
        (base != 0).then(|| format!("{sign}{}", goal.describe(base)))
    };
    let parts: Vec<String> = Goal::ALL.into_iter().filter_map(part).collect();
    parts.join(", ")
}
