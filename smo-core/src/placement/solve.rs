//! The bare answer: a placement with its proof, checked, and nothing more.

use std::borrow::Cow;

use serde::Serialize;

use super::priority::solve_by_priority;
use super::{
    Answer, FirstFit, Level, PlaceContext, Placement, PlacementError, PlacementProblem, Placer, Proof,
    Status, Totals, Value, Work, evaluate, verify,
};

/// What came of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Solved {
    /// A placement that keeps every rule.
    Found(Box<Solution>),
    /// None was found.
    NotFound {
        /// True when the placer is sure that none exists, and first fit finds none either. [`super::decide`] asks further.
        proved: bool,
        /// The effort it took.
        work: Work,
    },
}

impl Solved {
    /// The solution, if there is one.
    #[must_use]
    pub fn into_solution(self) -> Option<Solution> {
        match self {
            Self::Found(solution) => Some(*solution),
            Self::NotFound { .. } => None,
        }
    }
}

/// A placement that keeps every rule, with its value worked out anew and what proves that none is better.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Solution {
    /// Where every service runs.
    pub placement: Placement,
    /// The amount of every goal.
    pub totals: Totals,
    /// Its worth.
    pub value: Value,
    /// No placement is worth less than this, where known.
    pub bound: Option<Value>,
    /// Who vouches for the bound.
    pub proof: Proof,
    /// What was reached on every level, where goals have an order of priority: see [`super::Decision::levels`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// The effort it took.
    pub work: Work,
}

impl Solution {
    /// True when no placement is better.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.bound == Some(self.value)
    }

    /// Whether a better one may exist.
    #[must_use]
    pub fn status(&self) -> Status {
        if self.is_optimal() {
            Status::Optimal
        } else {
            Status::Feasible
        }
    }

    /// How far the value may be from the best one, as a share of the bound ([`Value::gap`]); `None` without a bound, and for a
    /// bound of 0 that is not reached.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        self.value.gap(self.bound?)
    }
}

/// Answers a placement question as [`super::decide`] does, with the same checks and the same placement, and without
/// explanation or diagnosis: for hosts that ask often, where reasons would take longer than the decision.
///
/// # Errors
/// As [`super::decide`].
///
/// ```
/// use smo_core::placement::{AutoPlacer, PlacementProblem, Solved, Status, solve};
///
/// let problem = PlacementProblem::parse("
/// problem:
///   services: [{name: p/g/web, perReplica: {cpu: 1}}]
///   clusters:
///     - {name: near, capacity: {cpu: 4}, price: {cpu: 0.04}}
///     - {name: far, capacity: {cpu: 4}, price: {cpu: 0.01}}
/// ")?;
/// let solution = solve(&AutoPlacer::default(), &problem)?.into_solution().ok_or("no placement")?;
/// assert_eq!(solution.status(), Status::Optimal);
/// assert_eq!(solution.placement.get(&"p/g/web".parse()?).map(ToString::to_string), Some("far".to_owned()));
///
/// let nowhere = PlacementProblem { clusters: [].into(), ..problem };
/// assert!(matches!(solve(&AutoPlacer::default(), &nowhere)?, Solved::NotFound { proved: true, .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn solve(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Solved, PlacementError> {
    Ok(solve_asked(placer, problem)?.0)
}

/// The same, with the question that the placement answers: where goals have an order of priority, that of one level.
pub(super) fn solve_asked<'p>(
    placer: &dyn Placer,
    problem: &'p PlacementProblem,
) -> Result<(Solved, Cow<'p, PlacementProblem>), PlacementError> {
    problem.validate()?;
    if problem.goals.then.is_empty() {
        Ok((solve_level(placer, problem)?, Cow::Borrowed(problem)))
    } else {
        let (solved, asked) = solve_by_priority(placer, problem)?;
        Ok((solved, Cow::Owned(asked)))
    }
}

/// Asks a placer by the goals of the highest priority alone, and checks what it says.
pub(super) fn solve_level(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Solved, PlacementError> {
    match placer.place(&PlaceContext { problem })? {
        Answer::Found {
            placement,
            bound,
            proof,
            work,
        } => {
            let placement = in_order(problem, placement);
            let faults: Vec<String> = verify(problem, &placement)
                .iter()
                .map(ToString::to_string)
                .collect();
            if !faults.is_empty() {
                return Err(wrong(placer, faults));
            }
            let (totals, value) = evaluate(problem, &placement)?;
            if let Some(bound) = bound.filter(|bound| *bound > value) {
                let fault = format!("it claims that nothing is below {bound}, and found {value}");
                return Err(wrong(placer, vec![fault]));
            }
            Ok(Solved::Found(Box::new(Solution {
                placement,
                totals,
                value,
                bound,
                proof: if bound.is_some() { proof } else { Proof::None },
                levels: Vec::new(),
                work,
            })))
        }
        Answer::NotFound { proved, work } => {
            if proved {
                refute(placer, problem)?;
            }
            Ok(Solved::NotFound { proved, work })
        }
    }
}

fn wrong(placer: &dyn Placer, faults: Vec<String>) -> PlacementError {
    PlacementError::WrongAnswer {
        placer: placer.name().to_owned(),
        faults,
    }
}

/// The same placement in the order of the problem; what the problem does not have comes last.
fn in_order(problem: &PlacementProblem, placement: Placement) -> Placement {
    let mut order = problem.services.keys();
    if placement
        .iter()
        .all(|(service, _)| order.any(|next| next == service))
    {
        return placement;
    }
    let known = problem.services.keys().filter_map(|service| {
        placement
            .get(service)
            .map(|assignment| (service.clone(), assignment.clone()))
    });
    let unknown = placement
        .iter()
        .filter(|(service, _)| !problem.services.contains_key(*service));
    let unknown = unknown.map(|(service, assignment)| (service.clone(), assignment.clone()));
    known.chain(unknown).collect()
}

/// A claim that nothing exists is wrong when something simple finds a placement.
fn refute(placer: &dyn Placer, problem: &PlacementProblem) -> Result<(), PlacementError> {
    let context = PlaceContext { problem };
    if let Answer::Found { placement, .. } = FirstFit::new().place(&context)?
        && verify(problem, &placement).is_empty()
    {
        let fault = "it claims that no placement exists, and first fit finds one".to_owned();
        return Err(wrong(placer, vec![fault]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::placement::{Assignment, Exhaustive, Goal, Goals};

    /// Two services on two clusters: `dear` is where they run, `cheap` has room for one of them.
    fn problem() -> PlacementProblem {
        let text = "
problem:
  services: [{name: p/g/one, perReplica: {cpu: 1}}, {name: p/g/two, perReplica: {cpu: 1}}]
  clusters:
    - {name: dear, capacity: {cpu: 4}, price: {cpu: 0.04}}
    - {name: cheap, capacity: {cpu: 1}, price: {cpu: 0.01}}
  current: {p/g/one: {dear: 1}, p/g/two: {dear: 1}}
";
        PlacementProblem::parse(text).unwrap()
    }

    /// Says what it is told to say.
    #[derive(Debug)]
    struct Says(Answer);

    impl Placer for Says {
        fn name(&self) -> &str {
            "says"
        }

        fn place(&self, _: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
            Ok(self.0.clone())
        }
    }

    fn on(clusters: [(&str, &str); 2], bound: Option<Value>) -> Says {
        let at = |(service, cluster): (&str, &str)| {
            let assignment = Assignment::single(cluster.parse().unwrap(), 1);
            (service.parse().unwrap(), assignment)
        };
        Says(Answer::Found {
            placement: clusters.map(at).into_iter().collect(),
            bound,
            proof: Proof::integer("said"),
            work: Work::default(),
        })
    }

    #[test]
    fn nothing_that_a_placer_says_is_believed() {
        let (one, two) = ("p/g/one", "p/g/two");
        let high = Some(Value::from_units(i128::MAX));
        let nothing = Says(Answer::NotFound {
            proved: true,
            work: Work::default(),
        });
        for (placer, fault) in [
            (
                on([(one, "cheap"), (two, "cheap")], None),
                "cheap has 1 core for services",
            ),
            (on([(one, "dear"), (two, "dear")], high), "nothing is below"),
            (nothing, "first fit finds one"),
        ] {
            let Err(PlacementError::WrongAnswer { faults, .. }) = solve(&placer, &problem()) else {
                panic!("{placer:?} is believed");
            };
            assert!(faults.iter().any(|found| found.contains(fault)), "{faults:?}");
        }
    }

    #[test]
    fn services_are_in_the_order_of_the_problem_and_what_nobody_vouches_for_is_not_proved() {
        let placer = on([("p/g/two", "dear"), ("p/g/one", "cheap")], None);
        let solution = solve(&placer, &problem()).unwrap().into_solution().unwrap();
        let order = solution.placement.iter().map(|(service, _)| service.to_string());
        assert_eq!(order.collect::<Vec<_>>(), ["p/g/one", "p/g/two"]);
        assert_eq!(
            (solution.status(), solution.proof.clone()),
            (Status::Feasible, Proof::None)
        );
        assert_eq!(solution.gap(), None);
        assert_eq!((solution.totals.money, solution.totals.moves), (50_000_000, 1));
    }

    #[test]
    fn goals_come_by_priority() {
        for (goals, moved, money) in [
            ([Goal::Money, Goal::Moves], 1, 50_000_000),
            ([Goal::Moves, Goal::Money], 0, 80_000_000),
        ] {
            let mut problem = problem();
            problem.goals = Goals::by_priority(goals);
            let solved = solve(&Exhaustive::default(), &problem).unwrap();
            let solution = solved.into_solution().unwrap();
            assert_eq!((solution.totals.moves, solution.totals.money), (moved, money));
            assert_eq!((solution.levels.len(), solution.status()), (2, Status::Optimal));
        }
    }
}
