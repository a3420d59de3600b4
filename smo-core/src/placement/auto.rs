//! The default placer: the method that suits the problem.

use super::milp::MilpPlacer;
use super::{
    Answer, FleetPlacer, PlaceContext, PlacementError, PlacementProblem, Placer, Proof, Value, Work, evaluate,
};

/// Dispatches by structure and size:
///
/// 1. up to [`AutoPlacer::FEW_PAIRS`] pairs of service and cluster: [`MilpPlacer`], whose exact steps (cheapest cluster, prices,
///    branch and price, a linear model) say why they are exact;
/// 2. what that leaves open, and everything larger: [`FleetPlacer`], prices on capacity and annealing, from what was found.
///
/// The better placement and the greater bound count.
///
/// ```
/// use smo_core::placement::{AutoPlacer, PlacementProblem, Status, decide};
///
/// let outcome = decide(&AutoPlacer::default(), &PlacementProblem::default()).unwrap();
/// assert_eq!(outcome.into_decision().unwrap().status, Status::Optimal);
/// ```
#[derive(Debug, Default)]
pub struct AutoPlacer {
    exact: MilpPlacer,
    fleet: FleetPlacer,
}

impl AutoPlacer {
    /// What decisions call it.
    pub const NAME: &'static str = "auto";

    /// Problems of at most so many pairs are tried exactly first.
    pub const FEW_PAIRS: usize = 20_000;

    /// From its parts.
    #[must_use]
    pub const fn new(exact: MilpPlacer, fleet: FleetPlacer) -> Self {
        Self { exact, fleet }
    }

    /// The same with another effort for what is not settled exactly, see [`FleetPlacer::with_effort`].
    #[must_use]
    pub fn with_effort(self, effort: u64) -> Self {
        Self { fleet: self.fleet.with_effort(effort), ..self }
    }
}

impl Placer for AutoPlacer {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        let problem = context.problem;
        let pairs = problem.services.len().saturating_mul(problem.clusters.len());
        let exact = if pairs <= Self::FEW_PAIRS { Some(self.exact.place(context)?) } else { None };
        if exact.as_ref().is_some_and(|answer| is_settled(problem, answer)) {
            return exact.ok_or_else(unreachable);
        }
        let fleet = self.fleet.place(context)?;
        match exact {
            Some(exact) => better(problem, exact, fleet),
            None => Ok(fleet),
        }
    }
}

fn unreachable() -> PlacementError {
    PlacementError::Failed { placer: AutoPlacer::NAME.to_owned(), message: "it has no answer".to_owned() }
}

/// True when nothing is left to find out.
fn is_settled(problem: &PlacementProblem, answer: &Answer) -> bool {
    match answer {
        Answer::NotFound { proved, .. } => *proved,
        Answer::Found { placement, bound, .. } => {
            evaluate(problem, placement).is_ok_and(|(_, value)| bound.is_some_and(|bound| bound >= value))
        }
    }
}

/// The better placement with the greater bound.
fn better(problem: &PlacementProblem, one: Answer, other: Answer) -> Result<Answer, PlacementError> {
    match (one, other) {
        (Answer::Found { placement, bound, proof, work }, Answer::Found { placement: second, bound: found, proof: how, work: more }) => {
            let (_, value) = evaluate(problem, &placement)?;
            let (_, second_value) = evaluate(problem, &second)?;
            let (bound, proof) = if stronger(bound, found) { (found, how) } else { (bound, proof) };
            let placement = if second_value < value { second } else { placement };
            Ok(Answer::Found { placement, bound, proof, work: sum(work, more) })
        }
        (Answer::NotFound { work, .. }, Answer::Found { placement, bound, proof, work: more })
        | (Answer::Found { placement, bound, proof, work }, Answer::NotFound { work: more, proved: false }) => {
            Ok(Answer::Found { placement, bound, proof, work: sum(work, more) })
        }
        // a placement refutes whoever says that there is none
        (Answer::Found { placement, work, .. }, Answer::NotFound { work: more, .. }) => {
            Ok(Answer::Found { placement, bound: None, proof: Proof::None, work: sum(work, more) })
        }
        (Answer::NotFound { proved, work }, Answer::NotFound { proved: also, work: more }) => {
            Ok(Answer::NotFound { proved: proved || also, work: sum(work, more) })
        }
    }
}

fn stronger(known: Option<Value>, found: Option<Value>) -> bool {
    match (known, found) {
        (Some(known), Some(found)) => found > known,
        (None, Some(_)) => true,
        _ => false,
    }
}

const fn sum(one: Work, other: Work) -> Work {
    Work {
        pairs: one.pairs.saturating_add(other.pairs),
        nodes: one.nodes.saturating_add(other.nodes),
        variables: one.variables.saturating_add(other.variables),
        constraints: one.constraints.saturating_add(other.constraints),
    }
}
