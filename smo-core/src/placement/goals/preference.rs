//! Points: the host's own scores, what its own goals measure, and what wishes that are not kept cost, those of taints included.

use super::{Facts, Measure};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::{Pair, is_avoided};
use crate::placement::verify::penalties;
use crate::placement::{Assignment, LinkDemand, Placement, ServiceDemand};

/// What a replica costs on a cluster with a taint `PreferNoSchedule` that it does not tolerate: a point. What runs there now may stay, as Kubernetes evicts
/// nothing for such a taint ([taints and tolerations](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/)).
const AVOIDED: i64 = 1_000_000;

/// Base unit: millionths of a point.
#[derive(Debug)]
pub(super) struct Preference;

fn sum(amounts: impl IntoIterator<Item = Option<i64>>) -> Option<i64> {
    let mut amounts = amounts.into_iter();
    amounts.try_fold(0_i64, |sum, amount| sum.checked_add(amount?))
}

fn runs_there(facts: &Facts<'_>, pair: &Pair<'_>) -> bool {
    let now = facts.problem.current.get(pair.service);
    now.is_some_and(|now| now.on(pair.cluster) > 0)
}

impl Measure for Preference {
    fn name(&self) -> &str {
        "preference"
    }

    fn of_replica(&self, facts: &Facts<'_>, pair: &Pair<'_>) -> Option<i64> {
        let scores = facts.problem.scores.get(pair.service);
        let score = scores.and_then(|scores| scores.get(pair.cluster)).copied();
        let avoided = if is_avoided(pair) && !runs_there(facts, pair) {
            AVOIDED
        } else {
            0
        };
        let own = facts.problem.measures.iter();
        let own = own.map(|goal| goal.get().of_replica(facts, pair));
        sum(own.chain([Some(score.unwrap_or(0)), Some(avoided)]))
    }

    fn of_service(
        &self,
        facts: &Facts<'_>,
        service: &ServiceKey,
        demand: &ServiceDemand,
        next: &Assignment,
    ) -> Option<i64> {
        let own = facts.problem.measures.iter();
        sum(own.map(|goal| goal.get().of_service(facts, service, demand, next)))
    }

    fn of_link(
        &self,
        facts: &Facts<'_>,
        link: &LinkDemand,
        from: &ClusterName,
        to: &ClusterName,
    ) -> Option<i64> {
        let own = facts.problem.measures.iter();
        sum(own.map(|goal| goal.get().of_link(facts, link, from, to)))
    }

    fn of_placement(&self, facts: &Facts<'_>, placement: &Placement) -> Option<i64> {
        let own = facts.problem.measures.iter();
        let own = own.map(|goal| goal.get().of_placement(facts, placement));
        sum(own.chain([penalties(facts.problem, placement)]))
    }
}
