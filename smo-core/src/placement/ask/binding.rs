//! What a better placement fails at.

use serde::Serialize;

use super::Condition;
use super::within::Effort;
use crate::placement::decide::{Checked, checked};
use crate::placement::{
    Alternative, Decision, PlacementError, PlacementProblem, Placer, Reason, Totals, Value,
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

/// Tries the question without every condition that keeps a service off a cluster, and whether all of them were tried.
pub(super) fn binding(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    decision: &Decision,
    effort: &mut Effort,
) -> Result<(Vec<Binding>, bool), PlacementError> {
    let mut binding = Vec::new();
    for condition in candidates(problem, decision) {
        if !effort.take() {
            return Ok((binding, false));
        }
        let without = Condition::without(problem, [&condition]);
        let Checked::Sound(sound) = checked(placer, &without)? else {
            continue;
        };
        let gain = decision.value.minus(sound.value);
        if gain > Value::ZERO {
            binding.push(Binding {
                text: condition.describe(problem),
                condition,
                gain,
                by_goal: sound.totals.checked_sub(&decision.totals).unwrap_or_default(),
                exact: sound.is_optimal() && decision.bound == Some(decision.value),
            });
        }
    }
    Ok((binding, true))
}

/// The conditions that some service meets on its way to another cluster.
fn candidates(problem: &PlacementProblem, decision: &Decision) -> Vec<Condition> {
    let mut found: Vec<Condition> = Vec::new();
    let mut note = |condition: Condition| {
        if !found.contains(&condition) {
            found.push(condition);
        }
    };
    for (service, explained) in &decision.explanation.services {
        let service = || service.clone();
        for (cluster, alternative) in &explained.alternatives {
            let Alternative::Forbidden(reason) = alternative else {
                continue;
            };
            match reason {
                Reason::NotReady { .. } => note(Condition::NotReady {
                    cluster: cluster.clone(),
                }),
                Reason::Insufficient { resource, .. } | Reason::NotOffered { resource } => {
                    note(Condition::Capacity {
                        cluster: cluster.clone(),
                        resource: resource.clone(),
                    });
                }
                Reason::Tainted { .. } => note(Condition::Taints { service: service() }),
                Reason::PinnedElsewhere => note(Condition::Pin { service: service() }),
                Reason::Excluded => note(Condition::Exclusion { service: service() }),
                Reason::ForbiddenRegion { .. } => note(Condition::Regions { service: service() }),
                Reason::Label { .. } => note(Condition::Labels { service: service() }),
                Reason::Final => note(Condition::Final { service: service() }),
                Reason::NoDomain { .. } => note(Condition::Spread { service: service() }),
                // Which of the rules about several services it is, the words do not say.
                Reason::Breaks { .. } | Reason::Custom { .. } => {}
                Reason::LinkTooLong { peer, .. } => {
                    for condition in Condition::links(problem) {
                        let ends = [service(), peer.clone()];
                        if matches!(&condition, Condition::Link { from, to } if ends.contains(from) && ends.contains(to))
                        {
                            note(condition);
                        }
                    }
                }
            }
        }
    }
    found
}
