//! Goals by order of priority: one decision a level, each within what those above it have reached.

use super::solve::solve_level;
use super::{
    Ceiling, Level, PlacementError, PlacementProblem, Placer, Proof, Solution, Solved, Work, evaluate,
};

/// Decides level by level. What is reached on a level is a ceiling for those below, so any placer that keeps rules does it;
/// one that finds nothing under a ceiling that its own placement keeps has that placement stand. What comes back is the
/// answer, and the question of the level that it was found on.
///
/// The proof is that of the level whose bound is given. All work counts, that of levels that found nothing too.
pub(super) fn solve_by_priority(
    placer: &dyn Placer,
    problem: &PlacementProblem,
) -> Result<(Solved, PlacementProblem), PlacementError> {
    let mut question = problem.clone();
    // The last placement that was found, and what was asked then.
    let mut best: Option<(Box<Solution>, PlacementProblem)> = None;
    let mut levels: Vec<(Level, Proof)> = Vec::new();
    let mut total = Work::default();
    for goals in problem.goals.levels() {
        question.goals = goals.clone();
        let (value, bound, proof) = match solve_level(placer, &question)? {
            Solved::Found(solution) => {
                total = total.plus(solution.work);
                let reached = (solution.value, solution.bound, solution.proof.clone());
                best = Some((solution, question.clone()));
                reached
            }
            Solved::NotFound { proved, work } => {
                total = total.plus(work);
                match &best {
                    None => return Ok((Solved::NotFound { proved, work: total }, question)),
                    Some((stands, _)) => (evaluate(&question, &stands.placement)?.1, None, Proof::None),
                }
            }
        };
        question.ceilings.push(Ceiling {
            goals: goals.clone(),
            at_most: value,
        });
        levels.push((Level { goals, value, bound }, proof));
    }
    // The goals of a problem have at least one level.
    let Some((mut solution, asked)) = best else {
        return Ok((solve_level(placer, problem)?, question));
    };
    solution.work = total;
    let open = levels.iter().find(|(level, _)| level.bound != Some(level.value));
    if let Some((level, proof)) = open.or(levels.last()) {
        solution.value = level.value;
        solution.bound = level.bound;
        solution.proof = proof.clone();
    }
    if open.is_none() {
        // The best of all levels is only as well proved as the level that is proved worst.
        let trusted = |(_, proof): &&(Level, Proof)| !matches!(proof, Proof::Integer { .. });
        if let Some((_, proof)) = levels.iter().find(trusted) {
            solution.proof = proof.clone();
        }
    }
    solution.levels = levels.into_iter().map(|(level, _)| level).collect();
    Ok((Solved::Found(solution), asked))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::placement::{Answer, Decision, Exhaustive, Goal, Goals, PlaceContext, Status, Value, decide};

    /// Tries everything, and says of each level what it is told to say: who vouches, and how far the bound is below.
    #[derive(Debug)]
    struct Says {
        levels: Vec<Option<(Proof, i128)>>,
        asked: AtomicUsize,
    }

    impl Placer for Says {
        fn name(&self) -> &str {
            "says"
        }

        fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
            let level = self.asked.fetch_add(1, Ordering::Relaxed);
            let work = Work {
                pairs: 10_u64.pow(u32::try_from(level).unwrap()),
                nodes: 1,
                ..Work::default()
            };
            let Some((proof, below)) = self.levels[level].clone() else {
                return Ok(Answer::NotFound { proved: false, work });
            };
            let Answer::Found { placement, bound, .. } = Exhaustive::default().place(context)? else {
                panic!("there is a placement");
            };
            let bound = bound.map(|bound| bound.minus(Value::from_units(below)));
            Ok(Answer::Found {
                placement,
                bound,
                proof,
                work,
            })
        }
    }

    fn decided(levels: Vec<Option<(Proof, i128)>>) -> Decision {
        let text = "problem: {services: [{name: p/g/web, perReplica: {cpu: 1}}], clusters: [{name: a, capacity: {cpu: 2}}]}";
        let mut problem = PlacementProblem::parse(text).unwrap();
        problem.goals = Goals::by_priority([Goal::Money, Goal::Moves, Goal::Placements]);
        let says = Says {
            levels,
            asked: AtomicUsize::new(0),
        };
        decide(&says, &problem).unwrap().into_decision().unwrap()
    }

    #[test]
    fn the_proof_is_that_of_the_bound_and_all_work_counts() {
        let integer = |argument: &str| Proof::integer(argument);
        let solver = || Proof::Solver {
            solver: "micro".to_owned(),
        };
        let (one, two, three) = (integer("one"), integer("two"), integer("three"));
        let exact = |proof: &Proof| Some((proof.clone(), 0));
        let open = |proof: &Proof| Some((proof.clone(), 5));
        // The best of every level: in integers only where all levels are.
        let cases = [
            (
                vec![exact(&one), exact(&two), exact(&three)],
                Status::Optimal,
                three.clone(),
            ),
            (
                vec![exact(&one), exact(&solver()), exact(&three)],
                Status::Optimal,
                solver(),
            ),
            (
                vec![exact(&solver()), exact(&two), exact(&three)],
                Status::Optimal,
                solver(),
            ),
            // Open: the proof of the first open level, whoever vouches for the others.
            (
                vec![open(&solver()), exact(&two), exact(&three)],
                Status::Feasible,
                solver(),
            ),
            (
                vec![exact(&solver()), open(&two), open(&three)],
                Status::Feasible,
                two.clone(),
            ),
            // A level that found nothing has no bound that anybody could vouch for.
            (
                vec![exact(&one), None, exact(&three)],
                Status::Feasible,
                Proof::None,
            ),
        ];
        for (levels, status, proof) in cases {
            let decision = decided(levels.clone());
            assert_eq!(
                (&decision.status, &decision.proof),
                (&status, &proof),
                "{levels:?}"
            );
            assert_eq!((decision.work.pairs, decision.work.nodes), (111, 3), "{levels:?}");
            let reported = decision
                .levels
                .iter()
                .find(|level| level.bound != Some(level.value));
            let reported = reported.or(decision.levels.last()).unwrap();
            assert_eq!((decision.value, decision.bound), (reported.value, reported.bound));
        }
    }
}
