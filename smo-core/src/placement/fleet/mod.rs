//! The placer for fleets: prices on capacity, annealing and a bound in whole numbers, by [`crate::quadratic`].

mod apart;
mod distances;
mod lots;
mod pose;

use super::whole;
use super::{
    Answer, IntegerModel, PlaceContext, Placement, PlacementError, Placer, Progress, Proof, Value, Watch,
    Work, evaluate, verify,
};
use crate::quadratic::{Limits, Start, solve};
use pose::Posed;

/// Places thousands of services on hundreds of clusters: always with a bound, close to it, and proved best where few cases
/// are left.
///
/// The kernel knows costs of services and links, capacities, limits of links, replicas split, spread, co-location and
/// anti-affinity. What else a problem asks for (budgets, bandwidth, the fullest cluster) it leaves out, which can only lower
/// its bound; a placement counts only if it keeps every rule all the same.
///
/// ```
/// use smo_core::placement::{FleetPlacer, PlacementProblem, decide};
///
/// let outcome = decide(&FleetPlacer::default(), &PlacementProblem::default()).unwrap();
/// assert!(outcome.into_decision().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetPlacer {
    effort: u64,
}

impl Default for FleetPlacer {
    fn default() -> Self {
        Self {
            effort: Self::DEFAULT_EFFORT,
        }
    }
}

impl FleetPlacer {
    /// What decisions call it.
    pub const NAME: &'static str = "fleet";

    /// Table cells and changes looked at: about a second. Thousands of services get better with more.
    pub const DEFAULT_EFFORT: u64 = 1_000_000_000;

    /// The same with another effort: table cells and changes looked at, about a nanosecond each.
    #[must_use]
    pub const fn with_effort(self, effort: u64) -> Self {
        Self { effort }
    }

    /// The effort it may take.
    #[must_use]
    pub const fn effort(&self) -> u64 {
        self.effort
    }
}

impl Placer for FleetPlacer {
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
        let model = IntegerModel::pose(problem, Self::NAME)?;
        let mut work = Work {
            pairs: model
                .services
                .iter()
                .map(|service| service.open.len() as u64)
                .sum(),
            ..Work::default()
        };
        let Some(posed) = Posed::new(&model)? else {
            return Ok(Answer::NotFound { proved: true, work });
        };
        let now = posed.now(&model);
        let start = Start {
            answer: now.as_deref(),
            prices: None,
        };
        let units = |cost: Option<i64>| cost.and_then(|cost| posed.value(cost)).map(Value::from_units);
        let solved = solve(
            &posed.problem,
            &start,
            &Limits {
                effort: self.effort,
                ..Limits::default()
            },
            &mut |progress| {
                watch(&Progress {
                    work: progress.work,
                    value: units(progress.value),
                    bound: units(progress.bound),
                })
            },
        );
        work.pairs = work.pairs.saturating_add(solved.work);
        if solved.complete() && solved.best.is_none() {
            return Ok(Answer::NotFound { proved: true, work });
        }
        let bound = posed.value(solved.bound).map(Value::from_units);
        let keeps = |placement: &Placement| verify(problem, placement).is_empty();
        let found = solved
            .best
            .as_ref()
            .map(|(answer, _)| posed.placement(&model, answer));
        let found = found.filter(keeps);
        // what runs now is an answer too, where it still is one
        let current = Some(&problem.current).filter(|current| keeps(current)).cloned();
        let first_fit = match found {
            Some(_) => None,
            None => whole::first_fit(problem, &mut Work::default()),
        };
        let mut best: Option<(Value, Placement)> = None;
        for placement in [found, current, first_fit].into_iter().flatten() {
            let (_, value) = evaluate(problem, &placement)?;
            if best.as_ref().is_none_or(|(known, _)| value < *known) {
                best = Some((value, placement));
            }
        }
        let Some((value, placement)) = best else {
            return Ok(Answer::NotFound { proved: false, work });
        };
        let argument = if solved.priced < solved.bound {
            "prices on capacity, and all cases that they leave open"
        } else if solved.certificate.packing.is_some() {
            "rewards for services, and the most that each cluster can earn in the room it has"
        } else {
            "prices on capacity, each graph placed best at them"
        };
        Ok(Answer::Found {
            placement,
            // what was left out may be worth less than nothing
            bound: bound.filter(|bound| *bound <= value),
            proof: Proof::Integer {
                argument: argument.to_owned(),
            },
            work,
        })
    }
}
