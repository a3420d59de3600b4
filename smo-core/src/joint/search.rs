//! Best-first search over ranges of counts: the easiest question of each range bounds it, halves refine it.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use super::bounds::{Choices, Ranges};
use super::decision::{JointDecision, JointOutcome};
use super::{JointError, JointProblem};
use crate::placement::ask::{AskWatch, Asker, watched};
use crate::placement::{
    Answer, Diagnosis, Outcome, PlaceContext, Placement, PlacementError, Placer, Proof, Solution, Solved,
    Value, Work, decide,
};

/// How much may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JointLimits {
    /// Placement questions; at least two are asked where counts are open.
    pub questions: u64,
}

impl Default for JointLimits {
    /// 1,000 questions.
    fn default() -> Self {
        Self { questions: 1_000 }
    }
}

/// Decides replicas and placement at once, by asking `placer` for placements of counts and of ranges of counts.
///
/// The status is optimal, and the bound holds for all counts, where the placer proves its answers and fewer replicas are
/// never harder to place: so for services of one cluster, and for split ones without spread, high availability, co-location
/// or links. There is no bound with rules or goals of the host's own, or with negative scores.
///
/// # Errors
/// [`JointError::InvalidProblem`] with every fault of the loads, [`JointError::Placement`] for a placement problem that makes
/// no sense or a placer that fails.
pub fn decide_jointly(
    placer: &dyn Placer,
    problem: &JointProblem,
    limits: JointLimits,
) -> Result<JointOutcome, JointError> {
    decide_jointly_watched(placer, problem, limits, &mut |_| true)
}

/// As [`decide_jointly`], with `watch` told of every placement question. Once it says `false` no further one is asked: the decision
/// is the best of those that were, and not found is not proved impossible.
///
/// # Errors
/// As [`decide_jointly`].
pub fn decide_jointly_watched(
    placer: &dyn Placer,
    problem: &JointProblem,
    limits: JointLimits,
    watch: &mut AskWatch<'_>,
) -> Result<JointOutcome, JointError> {
    watched("replicas and placement", placer, watch, |asker| {
        decided(asker, problem, limits)
    })
}

fn decided(
    asker: &Asker<'_>,
    problem: &JointProblem,
    limits: JointLimits,
) -> Result<JointOutcome, JointError> {
    problem.validate()?;
    problem.placement.validate()?;
    let choices = match Choices::new(problem) {
        Ok(choices) => choices,
        Err(overloads) => return Ok(JointOutcome::Overloaded(overloads)),
    };
    let mut search = Search {
        asker,
        choices: &choices,
        tried: BTreeSet::new(),
        best: None,
        questions: 0,
        vouched_by: None,
        last: choices.all(),
    };
    let bounded = choices.fewer_is_easier();
    let bound = search.run(limits, bounded)?;
    let Some(best) = search.best else {
        let diagnosis = search.diagnose(matches!(bound, Bound::Everything) && bounded)?;
        return Ok(JointOutcome::Infeasible(diagnosis));
    };
    let known = Known {
        placer: asker.placer(),
        bound: if bounded {
            bound.at_most(best.solution.value)
        } else {
            None
        },
        proof: search.vouched_by.as_ref().unwrap_or(&best.solution.proof),
        questions: search.questions,
        solution: &best.solution,
    };
    match decide(&known, &choices.relaxed(&best.counts))? {
        Outcome::Placed(decision) => Ok(JointOutcome::Decided(JointDecision::new(
            problem,
            decision,
            search.questions,
            asker.is_stopped(),
        ))),
        Outcome::Infeasible(diagnosis) => Ok(JointOutcome::Infeasible(diagnosis)),
    }
}

/// What is known of all that was not looked at to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    /// It is worth at least this.
    Value(Value),
    /// There is nothing left.
    Everything,
    /// Nothing is known.
    Nothing,
}

impl Bound {
    /// What holds for both.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, _) | (_, Self::Nothing) => Self::Nothing,
            (Self::Everything, bound) | (bound, Self::Everything) => bound,
            (Self::Value(one), Self::Value(other)) => Self::Value(one.min(other)),
        }
    }

    fn of(bound: Option<Value>) -> Self {
        bound.map_or(Self::Nothing, Self::Value)
    }

    fn at_most(self, value: Value) -> Option<Value> {
        match self {
            Self::Value(bound) => Some(bound.min(value)),
            Self::Everything => Some(value),
            Self::Nothing => None,
        }
    }
}

/// An answer for fixed counts.
#[derive(Debug)]
struct Best {
    counts: Ranges,
    solution: Solution,
}

/// Ranges that are not closed, by what bounds them.
type Open = BinaryHeap<Reverse<(Option<Value>, Ranges)>>;

struct Search<'a, 'p, 's> {
    asker: &'a Asker<'s>,
    choices: &'a Choices<'p>,
    /// Counts that were asked for.
    tried: BTreeSet<Ranges>,
    best: Option<Best>,
    questions: u64,
    /// The proof of an answer that is not one in integers.
    vouched_by: Option<Proof>,
    /// The ranges that were looked at last.
    last: Ranges,
}

impl Search<'_, '_, '_> {
    fn ask(&mut self, about: &str, ranges: &Ranges) -> Result<Solved, PlacementError> {
        self.questions += 1;
        let answer = self.asker.solve(about, &self.choices.relaxed(ranges))?;
        if let Solved::Found(solution) = &answer
            && let Proof::Solver { .. } = solution.proof
        {
            self.vouched_by = Some(solution.proof.clone());
        }
        Ok(answer)
    }

    /// Looks at ranges until none is left or the limit is reached. What comes back bounds all counts.
    fn run(&mut self, limits: JointLimits, bounded: bool) -> Result<Bound, JointError> {
        let mut open: Open = [Reverse((None, self.choices.all()))].into();
        let mut closed = Bound::Everything;
        while let Some(Reverse((floor, ranges))) = open.pop() {
            let is_worse = |floor| {
                self.best
                    .as_ref()
                    .is_some_and(|best| floor >= Some(best.solution.value))
            };
            if bounded && is_worse(floor) {
                // So are all that are left: the least bound comes first.
                return Ok(closed.and(Bound::of(floor)));
            }
            if self.questions >= limits.questions.max(2) || self.asker.is_stopped() {
                return Ok(closed.and(Bound::of(floor)));
            }
            let about = format!("ranges of counts open: {}", open.len() + 1);
            let solution = match self.ask(&about, &ranges)? {
                Solved::Found(solution) => *solution,
                Solved::NotFound { proved, .. } => {
                    closed = closed.and(if proved { Bound::Everything } else { Bound::Nothing });
                    if !bounded && let Some(halves) = self.choices.middle(&ranges) {
                        // More replicas may be easier.
                        open.extend(halves.map(|half| Reverse((floor, half))));
                    }
                    self.last = ranges;
                    continue;
                }
            };
            let floor = solution.bound.max(floor);
            match self.choices.halves(&ranges, &solution.placement) {
                None => {
                    let counts = self.choices.repaired(&ranges, &solution.placement);
                    closed = closed.and(Bound::of(floor));
                    self.keep(counts, solution);
                }
                Some(halves) => {
                    self.repair(&ranges, &solution.placement)?;
                    open.extend(halves.map(|half| Reverse((floor, half))));
                }
            }
        }
        Ok(closed)
    }

    /// Asks for the counts that the clusters of a placement need.
    fn repair(&mut self, ranges: &Ranges, placement: &Placement) -> Result<(), JointError> {
        let counts = self.choices.repaired(ranges, placement);
        if self.tried.insert(counts.clone()) {
            match self.ask("the counts of a placement", &counts)? {
                Solved::Found(solution) => self.keep(counts, *solution),
                Solved::NotFound { .. } => self.last = counts,
            }
        }
        Ok(())
    }

    fn keep(&mut self, counts: Ranges, solution: Solution) {
        if self
            .best
            .as_ref()
            .is_none_or(|best| solution.value < best.solution.value)
        {
            self.best = Some(Best { counts, solution });
        }
    }

    /// Why the counts that were tried last have no placement.
    fn diagnose(&self, proved: bool) -> Result<Diagnosis, PlacementError> {
        let last = self.choices.relaxed(&self.last);
        match self.asker.decide("why there is none", &last)? {
            Outcome::Infeasible(diagnosis) => Ok(Diagnosis {
                proved: proved && diagnosis.proved,
                ..diagnosis
            }),
            Outcome::Placed(_) => Err(PlacementError::Failed {
                placer: self.asker.placer().to_owned(),
                message: "asked twice for the same placement, it found none and one".to_owned(),
            }),
        }
    }
}

/// The answer that was found, for [`decide`] to check once more and to explain.
#[derive(Debug)]
struct Known<'a> {
    placer: &'a str,
    bound: Option<Value>,
    proof: &'a Proof,
    questions: u64,
    solution: &'a Solution,
}

impl Placer for Known<'_> {
    fn name(&self) -> &str {
        self.placer
    }

    fn place(&self, _: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        let proof = match self.proof {
            // a certificate would be one of a question among many
            Proof::Integer { argument, .. } => Proof::integer(format!(
                "{} placement questions over ranges of replicas; {argument}",
                self.questions
            )),
            other => other.clone(),
        };
        Ok(Answer::Found {
            placement: self.solution.placement.clone(),
            bound: self.bound,
            proof,
            work: Work {
                nodes: self.questions,
                ..self.solution.work
            },
        })
    }
}
