//! Placements of which none is better by one goal without being worse by the other.

use std::fmt;

use serde::Serialize;

use super::asker::{AskWatch, Asker, watched};
use super::within::{Effort, Limit, Within, within};
use crate::placement::{Goal, Goals, Placement, PlacementError, PlacementProblem, Placer, Totals, Value};
use crate::table::Table;

/// How far a front is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontLimits {
    /// At most so many points.
    pub points: usize,
    /// At most so many questions to the placer.
    pub questions: u64,
}

impl Default for FrontLimits {
    fn default() -> Self {
        Self {
            points: 20,
            questions: 10_000,
        }
    }
}

/// One point of a front.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrontPoint {
    /// Where every service runs.
    pub placement: Placement,
    /// The amount of every goal.
    pub totals: Totals,
    /// True when no placement is better by one of the two goals and no worse by the other: proved.
    pub proved: bool,
    /// No placement with at most as much of the second goal has less than this of the first, in its base unit, where known.
    pub bound: Option<i64>,
}

/// The best trade-offs between two goals.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ParetoFront {
    /// The first goal: the points get worse by it.
    pub first: Goal,
    /// The second goal: the points get better by it.
    pub second: Goal,
    /// The points, from the least of the first goal to the least of the second.
    pub points: Vec<FrontPoint>,
    /// True when there are no other points: proved. Otherwise the limits were reached, or the one who watched ended it.
    pub complete: bool,
}

/// Placements of which none is better by `first` or `second` without being worse by the other, other goals aside.
///
/// Each is exact: `first` is minimised with at most so much of `second`, then `second` with no more of `first` (the
/// epsilon-constraint method; Haimes, Lasdon and Wismer 1971). The limits lie where the largest gaps between known points
/// are, so that few points are spread evenly and enough of them are all there are.
///
/// No placement at all is a front without points.
///
/// # Errors
/// Those of [`crate::placement::decide`]; [`PlacementError::InvalidProblem`] for twice the same goal.
pub fn pareto(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    first: Goal,
    second: Goal,
    limits: FrontLimits,
) -> Result<ParetoFront, PlacementError> {
    pareto_watched(placer, problem, first, second, limits, &mut |_| true)
}

/// As [`pareto`], with `watch` told of every question to the placer. Once it says `false` the points so far come back, and
/// the front is not [`ParetoFront::complete`].
///
/// # Errors
/// As [`pareto`].
pub fn pareto_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    first: Goal,
    second: Goal,
    limits: FrontLimits,
    watch: &mut AskWatch<'_>,
) -> Result<ParetoFront, PlacementError> {
    watched("trade-offs", placer, watch, |asker| {
        explored(asker, problem, (first, second), limits)
    })
}

fn explored(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    (first, second): (Goal, Goal),
    limits: FrontLimits,
) -> Result<ParetoFront, PlacementError> {
    if first == second {
        let message = format!("a front has two goals, and both are {}", first.name());
        return Err(PlacementError::InvalidProblem(message));
    }
    let mut search = Search {
        asker,
        problem,
        first,
        second,
        effort: Effort(limits.questions),
        complete: true,
    };
    let mut points: Vec<FrontPoint> = Vec::new();
    // The least of the first goal, and the least of the second.
    let Some(left) = search.point(first, second, None)? else {
        return Ok(search.front(points));
    };
    let right = search.point(second, first, None)?.unwrap_or_else(|| left.clone());
    let mut boxes: Vec<Gap> = vec![search.gap(&left, &right)];
    let ends_meet = left.totals.of(second) <= right.totals.of(second);
    points.push(left);
    if !ends_meet && limits.points > 1 {
        points.push(right);
    }
    loop {
        boxes.retain(|gap| !gap.is_empty());
        let Some(at) = (0..boxes.len()).max_by_key(|at| boxes.get(*at).map(Gap::area)) else {
            break;
        };
        if points.len() >= limits.points || search.effort.0 == 0 || asker.is_stopped() {
            search.complete = false;
            break;
        }
        let gap = boxes.swap_remove(at);
        let limit = gap.limit();
        let Some(found) = search.point(first, second, Some(limit))? else {
            search.complete = false;
            continue;
        };
        if found.totals.of(second) <= gap.low || found.totals.of(first) >= gap.right {
            // Nothing new up to the limit; what lies above it is looked at from the other side.
            boxes.push(Gap {
                low: limit,
                from_above: true,
                ..gap
            });
            continue;
        }
        boxes.push(Gap {
            low: limit,
            right: found.totals.of(first),
            from_above: false,
            ..gap
        });
        boxes.push(Gap {
            high: found.totals.of(second),
            left: found.totals.of(first),
            from_above: false,
            ..gap
        });
        points.push(found);
    }
    points.sort_by_key(|point| (point.totals.of(first), point.totals.of(second)));
    Ok(search.front(points))
}

/// Where points may still be: between two amounts of each goal, ends excluded.
#[derive(Debug, Clone, Copy)]
struct Gap {
    left: i64,
    right: i64,
    low: i64,
    high: i64,
    /// The lower half is known to be empty: the next limit is just below the upper end.
    from_above: bool,
}

impl Gap {
    fn is_empty(&self) -> bool {
        self.right.saturating_sub(self.left) <= 1 || self.high.saturating_sub(self.low) <= 1
    }

    fn area(&self) -> u128 {
        u128::from(self.left.abs_diff(self.right)) * u128::from(self.low.abs_diff(self.high))
    }

    fn limit(&self) -> i64 {
        if self.from_above {
            return self.high.saturating_sub(1);
        }
        i64::midpoint(self.low, self.high)
    }
}

struct Search<'a, 'w> {
    asker: &'a Asker<'w>,
    problem: &'a PlacementProblem,
    first: Goal,
    second: Goal,
    effort: Effort,
    complete: bool,
}

/// A bound on the value as one on the amount of the only goal that counts, rounded up.
fn amount(goal: Goal, bound: Value) -> Option<i64> {
    let unit = Goals::only(goal).value(goal, 1).units();
    let whole = bound.units().div_euclid(unit);
    i64::try_from(whole + i128::from(bound.units().rem_euclid(unit) > 0)).ok()
}

impl Search<'_, '_> {
    fn least(&mut self, goal: Goal, limit: Limit) -> Result<Within, PlacementError> {
        let question = PlacementProblem {
            goals: Goals::only(goal),
            ..self.problem.clone()
        };
        let about = format!("least {}", goal.name());
        within(self.asker, &about, &question, limit, &mut self.effort)
    }

    /// The least of `one` with at most so much of `other`, and of these the least of `other`.
    fn point(
        &mut self,
        one: Goal,
        other: Goal,
        at_most: Option<i64>,
    ) -> Result<Option<FrontPoint>, PlacementError> {
        let limit = Limit {
            goal: other,
            at_most: at_most.unwrap_or(i64::MAX),
        };
        let best = self.least(one, limit)?;
        self.complete &= best.is_proved();
        let Some(found) = &best.best else {
            return Ok(None);
        };
        let limit = Limit {
            goal: one,
            at_most: found.totals.of(one),
        };
        let refined = self.least(other, limit)?;
        self.complete &= refined.is_proved();
        let proved = best.is_proved() && refined.is_proved();
        let found = refined.best.as_ref().unwrap_or(found);
        let bound = if one == self.first {
            best.bound.and_then(|bound| amount(one, bound))
        } else {
            refined.bound.and_then(|bound| amount(other, bound))
        };
        Ok(Some(FrontPoint {
            placement: found.placement.clone(),
            totals: found.totals,
            proved,
            bound,
        }))
    }

    fn gap(&self, left: &FrontPoint, right: &FrontPoint) -> Gap {
        Gap {
            left: left.totals.of(self.first),
            right: right.totals.of(self.first),
            low: right.totals.of(self.second),
            high: left.totals.of(self.second),
            from_above: false,
        }
    }

    fn front(self, points: Vec<FrontPoint>) -> ParetoFront {
        ParetoFront {
            first: self.first,
            second: self.second,
            points,
            complete: self.complete,
        }
    }
}

impl ParetoFront {
    /// The points, a row each.
    #[must_use]
    pub fn table(&self) -> Table {
        let rows = self.points.iter().enumerate().map(|(number, point)| {
            let proof = match (point.proved, point.bound) {
                (true, _) => "proved".to_owned(),
                (false, Some(bound)) => format!("at best {}", self.first.describe(bound)),
                (false, None) => "no bound".to_owned(),
            };
            [
                (number + 1).to_string(),
                self.first.describe(point.totals.of(self.first)),
                self.second.describe(point.totals.of(self.second)),
                proof,
            ]
        });
        let titles = ["", self.first.name(), self.second.name(), ""];
        rows.fold(Table::new(&titles).right(0).right(1).right(2), Table::row)
    }
}

impl fmt::Display for ParetoFront {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, second) = (self.first.name(), self.second.name());
        let count = match self.points.len() {
            0 => {
                return writeln!(
                    f,
                    "no placement was found: {first} and {second} have no trade-off"
                );
            }
            1 => "1 best trade-off".to_owned(),
            count => format!("{count} best trade-offs"),
        };
        let rest = if self.complete {
            "there is no other (proved)"
        } else {
            "there may be more"
        };
        writeln!(
            f,
            "{count} between {first} and {second}; {rest}\n\n{}",
            self.table()
        )
    }
}
