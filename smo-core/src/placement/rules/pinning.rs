//! The host may name the only clusters of a service, and clusters it may not use.

use super::{Pair, Rule};
use crate::placement::Reason;

/// The cluster is one that the host allows.
#[derive(Debug, Clone, Copy)]
pub struct Pinning;

impl Rule for Pinning {
    fn name(&self) -> &str {
        "pinning"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let pinned_elsewhere = pair
            .demand
            .pinned
            .as_ref()
            .is_some_and(|pinned| !pinned.contains(pair.cluster));
        if pinned_elsewhere {
            Some(Reason::PinnedElsewhere)
        } else {
            pair.demand
                .excluded
                .contains(pair.cluster)
                .then_some(Reason::Excluded)
        }
    }
}
