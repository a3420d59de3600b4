//! The default placer: the method that suits the problem.

use super::fleet::{BY_CASES, certify_from};
use super::milp::MilpPlacer;
use super::{
    Answer, Certificate, Exhaustive, FleetPlacer, PlaceContext, PlacementError, PlacementProblem, Placer,
    Progress, Proof, Watch, evaluate,
};

/// Dispatches by structure and size:
///
/// 1. up to [`AutoPlacer::FEW_PAIRS`] pairs of service and cluster: [`MilpPlacer`], whose exact steps (cheapest cluster, prices,
///    branch and price, a linear model) say why they are exact;
/// 2. what that leaves open, and everything larger: [`FleetPlacer`], prices on capacity and annealing;
/// 3. what is still open and has few placements: [`Exhaustive`], which also knows rules and goals of the host that look at a
///    whole placement.
///
/// The better placement and the greater bound count, and of two that are the same the one that is proved in integers: what a solver in
/// floating point claims is given to the other ways too, for a moment. A strategy that cannot express the problem is passed over.
///
/// What is proved without a [`Certificate`] is given to [`certify`](super::certify) at last, with half the effort it took: the answer
/// has what shows its bound then, or most of it ([`Proof::certified`]).
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

/// The effort for a proof in integers of what a solver claims, and the placements that are tried for one.
const VOUCHING: u64 = 20_000_000;
const VOUCHED: u64 = 2_000;

/// The effort for a certificate of what is proved without one, and one part in so many of what the proof took.
const CERTIFYING: u64 = 10_000_000;
const ONE_IN: u64 = 2;

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

    /// The same, beginning with what an earlier search proved: see [`FleetPlacer::with_known`].
    #[must_use]
    pub fn with_known(self, known: Certificate) -> Self {
        Self {
            fleet: self.fleet.with_known(known),
            ..self
        }
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
        let mut seen = Progress::default();
        for way in [Way::Exact, Way::Fleet, Way::Every] {
            let standing = known
                .as_ref()
                .map_or(Standing::Open, |known| standing(problem, known));
            if standing == Standing::Proved || stopped && known.is_some() {
                break;
            }
            if way == Way::Exact && pairs > Self::FEW_PAIRS {
                continue;
            }
            let claimed = standing == Standing::Claimed;
            // Who said to stop is not asked again, and nothing more is begun.
            let mut told = |progress: &Progress| {
                seen = *progress;
                stopped = stopped || !watch(progress);
                !stopped
            };
            let answer = match way {
                Way::Exact => self.exact.place_watched(context, &mut told),
                Way::Fleet if claimed => {
                    let effort = self.fleet.effort().min(VOUCHING);
                    let fleet = self.fleet.clone().with_effort(effort);
                    fleet.place_watched(context, &mut told)
                }
                Way::Fleet => self.fleet.place_watched(context, &mut told),
                Way::Every => Exhaustive::default()
                    .with_most(if claimed { VOUCHED } else { Self::FEW_PLACEMENTS })
                    .place_watched(context, &mut told),
            };
            match answer {
                Err(error @ PlacementError::CannotExpress { .. }) => refused = refused.or(Some(error)),
                // numbers that are too large for one strategy take nothing from what another has found
                Err(PlacementError::Overflow { .. } | PlacementError::TooLarge { .. }) if known.is_some() => {
                }
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
        let mut known = known.ok_or_else(|| refused.unwrap_or_else(nothing))?;
        if !stopped {
            let effort = CERTIFYING + seen.work / ONE_IN;
            add_certificate(problem, &mut known, effort, &mut |progress| {
                let work = seen.work.saturating_add(progress.work);
                watch(&Progress { work, ..seen })
            })?;
        }
        Ok(known)
    }
}

/// Looks for a certificate of what is proved without one; what a solver claims counts as proved in integers then.
fn add_certificate(
    problem: &PlacementProblem,
    answer: &mut Answer,
    effort: u64,
    watch: &mut Watch<'_>,
) -> Result<(), PlacementError> {
    let Answer::Found {
        bound: Some(bound),
        proof,
        placement,
        ..
    } = answer
    else {
        return Ok(());
    };
    if proof.certified().is_some_and(|certified| certified >= *bound) {
        return Ok(());
    }
    let found = match certify_from(problem, *bound, proof.certificate(), effort, watch) {
        // numbers that are too large for it take nothing from what is found
        Err(PlacementError::Overflow { .. } | PlacementError::TooLarge { .. }) => return Ok(()),
        found => found?,
    };
    let (_, value) = evaluate(problem, placement)?;
    if found.bound <= proof.certified() || found.bound > Some(value) {
        return Ok(());
    }
    let argument = match proof {
        Proof::Integer { argument, .. } => std::mem::take(argument),
        _ if found.bound < Some(*bound) => return Ok(()),
        _ => BY_CASES.to_owned(),
    };
    *proof = Proof::Integer {
        argument,
        certificate: found.certificate.map(Box::new),
        certified: found.bound,
    };
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Exact,
    Fleet,
    Every,
}

/// What is known of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// There may be a better one.
    Open,
    /// A solver in floating point says that there is none: somebody who counts in integers is asked, for a moment.
    Claimed,
    /// Nothing is left to find out.
    Proved,
}

fn standing(problem: &PlacementProblem, answer: &Answer) -> Standing {
    match answer {
        Answer::NotFound { proved: true, .. } => Standing::Proved,
        Answer::NotFound { proved: false, .. } => Standing::Open,
        Answer::Found {
            placement,
            bound,
            proof,
            ..
        } => {
            let value = evaluate(problem, placement).map(|(_, value)| value);
            match bound {
                Some(bound) if value.is_ok_and(|value| *bound >= value) => {
                    if is_integer(proof) {
                        Standing::Proved
                    } else {
                        Standing::Claimed
                    }
                }
                _ => Standing::Open,
            }
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
            let least = value.min(second_value);
            // a placement refutes whoever says that there is none as good
            let claims = [(bound, proof), (found, how)].into_iter();
            let sound = claims.filter(|(bound, _)| bound.is_some_and(|bound| bound <= least));
            let (bound, proof) = sound
                .max_by_key(|(bound, proof)| (*bound, is_integer(proof)))
                .unwrap_or((None, Proof::None));
            let placement = if second_value < value { second } else { placement };
            Ok(Answer::Found {
                placement,
                bound,
                proof,
                work: work.plus(more),
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
            work: work.plus(more),
        }),
        // a placement refutes whoever says that there is none
        (Answer::Found { placement, work, .. }, Answer::NotFound { work: more, .. }) => Ok(Answer::Found {
            placement,
            bound: None,
            proof: Proof::None,
            work: work.plus(more),
        }),
        (
            Answer::NotFound { proved, work },
            Answer::NotFound {
                proved: also,
                work: more,
            },
        ) => Ok(Answer::NotFound {
            proved: proved || also,
            work: work.plus(more),
        }),
    }
}

const fn is_integer(proof: &Proof) -> bool {
    matches!(proof, Proof::Integer { .. })
}
