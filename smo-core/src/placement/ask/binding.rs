//! What a better placement fails at.

use serde::Serialize;

use super::Condition;
use super::asker::Asker;
use super::within::Effort;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{
    Alternative, Decision, PlacementError, PlacementProblem, Reason, Solved, Totals, Value,
};

/// A condition without which there would be a better placement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// The condition.
    #[serde(flatten)]
    pub condition: Condition,
    /// What it says, in one line.
    pub text: String,
    /// By how many points the best placement found without it is better.
    pub gain: Value,
    /// The change of every goal without it.
    pub by_goal: Totals,
    /// True when no placement is better without it: proved.
    pub exact: bool,
}

/// Tries the question without each of the [`candidates`], and says whether all of them were tried.
pub(super) fn binding(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    decision: &Decision,
    candidates: Vec<Condition>,
    effort: &mut Effort,
) -> Result<(Vec<Binding>, bool), PlacementError> {
    let mut binding = Vec::new();
    for condition in candidates {
        if asker.is_stopped() || !effort.take() {
            return Ok((binding, false));
        }
        let text = condition.describe(problem);
        let without = Condition::without(problem, [&condition]);
        let Solved::Found(solution) = asker.solve(&format!("without: {text}"), &without)? else {
            continue;
        };
        let gain = decision.value.minus(solution.value);
        if gain > Value::ZERO {
            binding.push(Binding {
                text,
                condition,
                gain,
                by_goal: solution.totals.checked_sub(&decision.totals).unwrap_or_default(),
                exact: solution.is_optimal() && decision.bound == Some(decision.value),
            });
        }
    }
    Ok((binding, !asker.is_stopped()))
}

/// The conditions that some service meets on its way to another cluster, and then every other one that no service may meet
/// alone: two moves may exceed a budget that allows each of them, and what keeps replicas apart is met by those in place.
pub(super) fn candidates(problem: &PlacementProblem, decision: &Decision) -> Vec<Condition> {
    let coupled = Condition::coupled(problem);
    let mut found: Vec<Condition> = Vec::new();
    let mut note = |condition: Condition| {
        if !found.contains(&condition) {
            found.push(condition);
        }
    };
    for (service, explained) in &decision.explanation.services {
        for (cluster, alternative) in &explained.alternatives {
            let Alternative::Forbidden(reason) = alternative else {
                continue;
            };
            met(problem, &coupled, service, cluster, reason)
                .into_iter()
                .for_each(&mut note);
        }
    }
    coupled.into_iter().for_each(note);
    found
}

/// The conditions behind the reason that keeps a service off a cluster.
fn met(
    problem: &PlacementProblem,
    coupled: &[Condition],
    service: &ServiceKey,
    cluster: &ClusterName,
    reason: &Reason,
) -> Vec<Condition> {
    let key = || service.clone();
    match reason {
        Reason::NotReady { .. } => vec![Condition::NotReady {
            cluster: cluster.clone(),
        }],
        Reason::Insufficient { resource, .. } | Reason::NotOffered { resource } => {
            let demand = problem.services.get(service);
            let required = demand.is_some_and(|demand| demand.requires.contains(resource));
            let required = required.then(|| Condition::Requirement { service: key() });
            let capacity = Condition::Capacity {
                cluster: cluster.clone(),
                resource: resource.clone(),
            };
            std::iter::once(capacity).chain(required).collect()
        }
        Reason::Tainted { .. } => vec![Condition::Taints { service: key() }],
        Reason::PinnedElsewhere => vec![Condition::Pin { service: key() }],
        Reason::Excluded => vec![Condition::Exclusion { service: key() }],
        Reason::ForbiddenRegion { .. } => vec![Condition::Regions { service: key() }],
        Reason::Label { .. } => vec![Condition::Labels { service: key() }],
        Reason::Final => vec![Condition::Final { service: key() }],
        Reason::Custom { name, .. } => vec![Condition::Custom { rule: name.clone() }],
        Reason::NoDomain { key } => {
            let about = coupled
                .iter()
                .filter(|condition| condition.asks_for(problem, service, key));
            about.cloned().collect()
        }
        // Which of the rules about several services it is, the words do not say.
        Reason::Breaks { .. } => {
            let about = coupled.iter().filter(|condition| condition.may_concern(service));
            about.cloned().collect()
        }
        Reason::LinkTooLong { peer, .. } => {
            let ends = [service, peer];
            let mut links = Condition::links(problem);
            links.retain(|link| {
                matches!(link, Condition::Link { from, to } if ends.contains(&from) && ends.contains(&to))
            });
            links
        }
    }
}
