//! What the labels of a cluster have to say. Softly: points for a replica on another cluster.

use super::{Pair, Rule};
use crate::placement::{LabelRequirement, Reason};

/// The labels of the cluster are as the service requires.
#[derive(Debug, Clone, Copy)]
pub struct Labels;

impl LabelRequirement {
    /// True when `value`, what the label says on a cluster, is as required; `None` where the label is absent.
    #[must_use]
    fn accepts(&self, value: Option<&String>) -> bool {
        match self {
            Self::In { values, .. } => value.is_some_and(|value| values.contains(value)),
            Self::NotIn { values, .. } => value.is_none_or(|value| !values.contains(value)),
            Self::Exists { .. } => value.is_some(),
            Self::DoesNotExist { .. } => value.is_none(),
        }
    }

    fn key(&self) -> &str {
        match self {
            Self::In { key, .. }
            | Self::NotIn { key, .. }
            | Self::Exists { key }
            | Self::DoesNotExist { key } => key,
        }
    }
}

impl Rule for Labels {
    fn name(&self) -> &str {
        "labels"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let broken =
            |requirement: &&LabelRequirement| !requirement.accepts(pair.supply.labels.get(requirement.key()));
        let requirement = pair.demand.labels.iter().find(broken)?.clone();
        Some(Reason::Label { requirement })
    }
}
