//! A taint keeps work away that does not tolerate it; `PreferNoSchedule` is a wish, which the goal of preference prices.

use super::{Pair, Rule};
use crate::cluster::{Taint, TaintEffect};
use crate::placement::Reason;

/// The service tolerates the taints of the cluster.
#[derive(Debug, Clone, Copy)]
pub struct Taints;

impl Rule for Taints {
    fn name(&self) -> &str {
        "taints"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let hard = |taint: &&Taint| taint.effect != TaintEffect::PreferNoSchedule;
        let taint = not_tolerated(pair).find(hard)?;
        Some(Reason::Tainted { taint: taint.clone() })
    }
}

fn not_tolerated<'a>(pair: &Pair<'a>) -> impl Iterator<Item = &'a Taint> {
    let tolerations = &pair.demand.tolerations;
    let tolerated = |taint: &Taint| tolerations.iter().any(|toleration| toleration.tolerates(taint));
    pair.supply.taints.iter().filter(move |taint| !tolerated(taint))
}

/// True where a taint asks that the service rather run elsewhere.
pub(in crate::placement) fn is_avoided(pair: &Pair<'_>) -> bool {
    not_tolerated(pair).any(|taint| taint.effect == TaintEffect::PreferNoSchedule)
}
