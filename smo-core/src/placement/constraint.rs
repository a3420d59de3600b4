//! What a question may ask for beyond demands and capacities. Each is hard, or soft with a price.
//!
//! The rules that read these are in [`super::rules`], one file each.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{DomainKey, Goal, Goals, Value, Weight};
use crate::id::ServiceKey;

/// Whether the replicas of a service share a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// All replicas run on one cluster, as the predecessor has it.
    #[default]
    Single,
    /// Replicas may run on several clusters.
    Split,
}

/// What the labels of a cluster have to say, as in a node affinity of Kubernetes
/// ([operators](https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/#operators)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "operator", deny_unknown_fields)]
pub enum LabelRequirement {
    /// The label has one of these values.
    In {
        /// The label.
        key: String,
        /// The values.
        values: BTreeSet<String>,
    },
    /// The label is absent or has none of these values.
    NotIn {
        /// The label.
        key: String,
        /// The values.
        values: BTreeSet<String>,
    },
    /// The label is there.
    Exists {
        /// The label.
        key: String,
    },
    /// The label is absent.
    DoesNotExist {
        /// The label.
        key: String,
    },
}

impl fmt::Display for LabelRequirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &BTreeSet<String>| values.iter().cloned().collect::<Vec<_>>().join(", ");
        match self {
            Self::In { key, values } => write!(f, "{key} in ({})", list(values)),
            Self::NotIn { key, values } => write!(f, "{key} not in ({})", list(values)),
            Self::Exists { key } => write!(f, "{key}"),
            Self::DoesNotExist { key } => write!(f, "no {key}"),
        }
    }
}

/// How the replicas of a service spread over domains.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Spread {
    /// What makes a domain. A cluster in no domain may not be used.
    pub key: DomainKey,
    /// At least so many domains are used.
    pub min_groups: Option<u32>,
    /// At most so many domains are used.
    pub max_groups: Option<u32>,
    /// The fullest domain has at most so many replicas more than the emptiest one that the service may use, used or not
    /// (Kubernetes' [`maxSkew`](https://kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints/)).
    pub max_skew: Option<u32>,
    /// `None` for a rule; for a wish, the points for one group, or replica of skew, or replica in no domain, too many or
    /// too few.
    pub price: Option<Weight>,
}

/// Replicas of a service in at least two domains, where it has that many replicas.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HighAvailability {
    /// What makes a domain.
    pub key: DomainKey,
    /// `None` for a rule; for a wish, the points for a service in one domain only.
    pub price: Option<Weight>,
}

/// Services that use the same clusters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CoLocationGroup {
    /// The services; those without replicas do not count.
    pub services: BTreeSet<ServiceKey>,
    /// `None` for a rule; for a wish, the points for every pair of them and cluster that only one of the two uses.
    pub price: Option<Weight>,
}

/// Services of which no two use one domain.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AntiAffinityGroup {
    /// The services.
    pub services: BTreeSet<ServiceKey>,
    /// What makes a domain. A cluster in no domain may not be used by them.
    pub key: DomainKey,
    /// `None` for a rule; for a wish, the points for every service beyond the first of a domain, and for every replica in
    /// no domain.
    pub price: Option<Weight>,
}

/// So much of a goal at most: money, carbon, moved services, replicas or bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Of what; not [`Goal::Preference`].
    pub goal: Goal,
    /// How much, in its base unit.
    pub at_most: i64,
    /// `None` for a rule; for a wish, the points for a thousandth of the goal's unit too much, or for one piece of a goal
    /// that is counted in pieces.
    pub price: Option<Weight>,
}

impl Budget {
    /// Base units that one unit of excess has.
    #[must_use]
    pub const fn step(&self) -> i64 {
        match self.goal.base_per_unit() / 1000 {
            0 => 1,
            step => step,
        }
    }
}

/// What goals of a higher priority have reached, which those below may not spoil.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ceiling {
    /// The goals of one level.
    pub goals: Goals,
    /// They are worth at most this together.
    pub at_most: Value,
}
