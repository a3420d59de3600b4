//! Goals by order of priority: one decision a level, each within what those above it have reached.

use super::decide::decide_level;
use super::{Ceiling, Decision, Level, Outcome, PlacementError, PlacementProblem, Placer, Status, evaluate};

/// Decides level by level. What is reached on a level is a ceiling for those below, so any placer that keeps rules does it;
/// one that finds nothing under a ceiling that its own placement keeps has that placement stand.
pub(super) fn decide_by_priority(
    placer: &dyn Placer,
    problem: &PlacementProblem,
) -> Result<Outcome, PlacementError> {
    let mut question = problem.clone();
    let mut best: Option<Decision> = None;
    let mut levels: Vec<Level> = Vec::new();
    for goals in problem.goals.levels() {
        question.goals = goals.clone();
        let (value, bound) = match decide_level(placer, &question)? {
            Outcome::Placed(decision) => {
                let reached = (decision.value, decision.bound);
                best = Some(decision);
                reached
            }
            Outcome::Infeasible(diagnosis) => match &best {
                None => return Ok(Outcome::Infeasible(diagnosis)),
                Some(stands) => (evaluate(&question, &stands.placement)?.1, None),
            },
        };
        question.ceilings.push(Ceiling {
            goals: goals.clone(),
            at_most: value,
        });
        levels.push(Level { goals, value, bound });
    }
    // The goals of a problem have at least one level.
    let Some(mut decision) = best else {
        return decide_level(placer, problem);
    };
    let open = levels.iter().find(|level| level.bound != Some(level.value));
    if let Some(level) = open.or(levels.last()) {
        decision.value = level.value;
        decision.bound = level.bound;
    }
    decision.status = if open.is_none() {
        Status::Optimal
    } else {
        Status::Feasible
    };
    decision.levels = levels;
    Ok(Outcome::Placed(decision))
}
