//! The default placer: the method that suits the problem.

use super::milp::MilpPlacer;
use super::{
    Answer, Exhaustive, FleetPlacer, PlaceContext, PlacementError, PlacementProblem, Placer, Progress, Proof,
    Value, Watch, Work, evaluate,
};

/// Dispatches by structure and size:
///
/// 1. up to [`AutoPlacer::FEW_PAIRS`] pairs of service and cluster: [`MilpPlacer`], whose exact steps (cheapest cluster, prices,
///    branch and price, a linear model) say why they are exact;
/// 2. what that leaves open, and everything larger: [`FleetPlacer`], prices on capacity and annealing;
/// 3. what is still open and has few placements: [`Exhaustive`], which also knows rules and goals of the host that look at a
///    whole placement.
///
/// The better placement and the greater bound count. A strategy that cannot express the problem is passed over.
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

    /// What is still open and has at most so many placements is settled by trying them all.
    pub const FEW_PLACEMENTS: u64 = 100_000;

    /// From its parts.
    #[must_use]
    pub const fn new(exact: MilpPlacer, fleet: FleetPlacer) -> Self {
        Self { exact, fleet }
    }

    /// The same with another effort, about a nanosecond each, for what is not settled at once: see
    /// [`MilpPlacer::with_assign_effort`] and [`FleetPlacer::with_effort`].
    #[must_use]
    pub fn with_effort(self, effort: u64) -> Self {
        Self {
            exact: self.exact.with_assign_effort(effort),
            fleet: self.fleet.with_effort(effort),
        }
    }
}

impl Placer for AutoPlacer {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        self.place_watched(context, &mut |_| true)
    }

    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        let problem = context.problem;
        let pairs = problem.services.len().saturating_mul(problem.clusters.len());
        let mut known: Option<Answer> = None;
        let mut refused = None;
        let mut stopped = false;
        for way in [Way::Exact, Way::Fleet, Way::Every] {
            if way == Way::Exact && pairs > Self::FEW_PAIRS
                || known.as_ref().is_some_and(|known| is_settled(problem, known))
            {
                continue;
            }
            if stopped && known.is_some() {
                break;
            }
            // Who said to stop is not asked again, and nothing more is begun.
            let mut told = |progress: &Progress| {
                stopped = stopped || !watch(progress);
                !stopped
            };
            let answer = match way {
                Way::Exact => self.exact.place_watched(context, &mut told),
                Way::Fleet => self.fleet.place_watched(context, &mut told),
                Way::Every => Exhaustive::default()
                    .with_most(Self::FEW_PLACEMENTS)
                    .place_watched(context, &mut told),
            };
            match answer {
                Err(error @ PlacementError::CannotExpress { .. }) => refused = refused.or(Some(error)),
                answer => {
                    let answer = answer?;
                    known = Some(match known {
                        Some(known) => better(problem, known, answer)?,
                        None => answer,
                    });
                }
            }
        }
        let nothing = || PlacementError::InvalidProblem("no strategy takes it".to_owned());
        known.ok_or_else(|| refused.unwrap_or_else(nothing))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Exact,
    Fleet,
    Every,
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
        (
            Answer::Found {
                placement,
                bound,
                proof,
                work,
            },
            Answer::Found {
                placement: second,
                bound: found,
                proof: how,
                work: more,
            },
        ) => {
            let (_, value) = evaluate(problem, &placement)?;
            let (_, second_value) = evaluate(problem, &second)?;
            let (bound, proof) = if stronger(bound, found) {
                (found, how)
            } else {
                (bound, proof)
            };
            let placement = if second_value < value { second } else { placement };
            Ok(Answer::Found {
                placement,
                bound,
                proof,
                work: sum(work, more),
            })
        }
        (
            Answer::NotFound { work, .. },
            Answer::Found {
                placement,
                bound,
                proof,
                work: more,
            },
        )
        | (
            Answer::Found {
                placement,
                bound,
                proof,
                work,
            },
            Answer::NotFound {
                work: more,
                proved: false,
            },
        ) => Ok(Answer::Found {
            placement,
            bound,
            proof,
            work: sum(work, more),
        }),
        // a placement refutes whoever says that there is none
        (Answer::Found { placement, work, .. }, Answer::NotFound { work: more, .. }) => Ok(Answer::Found {
            placement,
            bound: None,
            proof: Proof::None,
            work: sum(work, more),
        }),
        (
            Answer::NotFound { proved, work },
            Answer::NotFound {
                proved: also,
                work: more,
            },
        ) => Ok(Answer::NotFound {
            proved: proved || also,
            work: sum(work, more),
        }),
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
