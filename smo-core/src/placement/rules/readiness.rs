//! Only a cluster that is ready takes work.

use super::{Pair, Rule};
use crate::cluster::Readiness;
use crate::placement::Reason;

/// The cluster is ready.
#[derive(Debug, Clone, Copy)]
pub struct Ready;

impl Rule for Ready {
    fn name(&self) -> &str {
        "readiness"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        match &pair.supply.readiness {
            Readiness::Ready => None,
            Readiness::NotReady { reason, .. } | Readiness::Unknown { reason } => Some(Reason::NotReady {
                reason: reason.clone(),
            }),
        }
    }
}
