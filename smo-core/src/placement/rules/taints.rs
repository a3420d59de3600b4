//! A taint keeps work away that does not tolerate it; `PreferNoSchedule` is a wish, not a rule.

use super::{Pair, Rule};
use crate::cluster::TaintEffect;
use crate::placement::Reason;

/// The service tolerates the taints of the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Taints;

impl Rule for Taints {
    fn name(&self) -> &str {
        "taints"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let tolerated = |taint: &&crate::cluster::Taint| {
            let tolerations = &pair.demand.tolerations;
            tolerations.iter().any(|toleration| toleration.tolerates(taint))
        };
        let hard = |taint: &&crate::cluster::Taint| taint.effect != TaintEffect::PreferNoSchedule;
        let taint = pair
            .supply
            .taints
            .iter()
            .filter(hard)
            .find(|taint| !tolerated(taint))?;
        Some(Reason::Tainted { taint: taint.clone() })
    }
}
