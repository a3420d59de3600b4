//! The best placement with at most so much of one goal, from any placer.
//!
//! A placer need not know of the limit. Where its best placement exceeds it, the goal is given a price `p` on top of its
//! weight: for any `p >= 0`, `bound(value + p x amount) - p x limit` is a lower bound on the value of every placement within
//! the limit (Lagrangian relaxation; Geoffrion 1974), in whole numbers. The best `p` is found by a secant between the best
//! placement beyond the limit and the best one within. What gap is left is closed by branching: a service that the two
//! place differently is put on the cluster of one of them, or kept off it. Where only services that are split differ, the
//! placer is told of the limit as a budget.

use std::collections::BTreeSet;

use super::asker::Asker;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{
    Budget, Goal, Goals, Placement, PlacementError, PlacementProblem, Solution, Solved, Totals, Value,
    Weight, evaluate,
};

/// Rounds of the secant at one node.
const ROUNDS: u32 = 40;

/// How many questions the placer may still be asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effort(pub(super) u64);

impl Effort {
    /// Takes one; false when none is left.
    pub(super) fn take(&mut self) -> bool {
        let left = self.0 > 0;
        self.0 = self.0.saturating_sub(1);
        left
    }
}

/// At most this much of a goal, in its base unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) goal: Goal,
    pub(super) at_most: i64,
}

/// A placement with what it is worth by the goals of the question.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) placement: Placement,
    pub(super) totals: Totals,
    pub(super) value: Value,
}

/// What is known of the best placement within a limit.
#[derive(Debug, Clone)]
pub(super) struct Within {
    /// The best one found.
    pub(super) best: Option<Found>,
    /// No placement within the limit is worth less than this, where known.
    pub(super) bound: Option<Value>,
    /// True when there is no placement within the limit: proved.
    pub(super) impossible: bool,
}

impl Within {
    /// True when nothing is left open.
    pub(super) fn is_proved(&self) -> bool {
        self.impossible
            || self
                .best
                .as_ref()
                .is_some_and(|best| Some(best.value) == self.bound)
    }
}

/// Looks for the best placement with at most that much of the goal; what is still open when the one who watches has enough stays so.
pub(super) fn within(
    asker: &Asker<'_>,
    about: &str,
    problem: &PlacementProblem,
    limit: Limit,
    effort: &mut Effort,
) -> Result<Within, PlacementError> {
    let mut search = Search {
        asker,
        about,
        limit,
        effort,
        best: None,
    };
    let mut open: Vec<Node> = Vec::new();
    let mut floor: Option<Value> = None;
    let mut blind = false;
    // Goals of a lower priority only decide among equals, which is not asked here.
    let mut whole = problem.clone();
    whole.goals.then.clear();
    let mut pending: Vec<(PlacementProblem, Option<(Value, i64)>)> = vec![(whole, None)];
    loop {
        while let Some((question, parent)) = pending.pop() {
            let above = parent.map(|(bound, _)| bound);
            match search.node(&question, parent.map_or(0, |(_, price)| price))? {
                Outcome::Empty => {}
                Outcome::Unknown => match above {
                    None => blind = true,
                    Some(above) => floor = Some(least(floor, above)),
                },
                Outcome::Closed { bound } => {
                    floor = Some(least(floor, above.map_or(bound, |above| bound.max(above))));
                }
                Outcome::Open { bound, price, on } => open.push(Node {
                    bound: above.map_or(bound, |above| bound.max(above)),
                    price,
                    question,
                    on,
                }),
            }
        }
        // The least bound first: it is the bound of the whole search.
        let Some(at) = (0..open.len()).min_by_key(|at| open.get(*at).map(|node| node.bound)) else {
            break;
        };
        let node = open.swap_remove(at);
        if search.is_beaten(node.bound) || search.effort.0 == 0 || asker.is_stopped() {
            floor = Some(least(floor, node.bound));
            break;
        }
        let (service, cluster) = node.on;
        let mut away = node.question.clone();
        if let Some(demand) = away.services.get_mut(&service) {
            demand.excluded.insert(cluster.clone());
        }
        let mut there = node.question;
        if let Some(demand) = there.services.get_mut(&service) {
            demand.pinned = Some(BTreeSet::from([cluster]));
        }
        pending.push((away, Some((node.bound, node.price))));
        pending.push((there, Some((node.bound, node.price))));
    }
    let best = search.best;
    let bound = match (&best, floor) {
        _ if blind => None,
        // A part whose bound is no better than the best one was closed.
        (Some(best), floor) => Some(floor.map_or(best.value, |floor| floor.min(best.value))),
        (None, floor) => floor,
    };
    Ok(Within {
        impossible: best.is_none() && !blind && floor.is_none(),
        bound,
        best,
    })
}

fn least(floor: Option<Value>, bound: Value) -> Value {
    floor.map_or(bound, |floor| floor.min(bound))
}

/// A part of the search that is not settled.
struct Node {
    bound: Value,
    /// The extra weight of the limited goal that gave the bound, in millionths of a point.
    price: i64,
    question: PlacementProblem,
    /// What to branch on.
    on: (ServiceKey, ClusterName),
}

/// What one node came to.
enum Outcome {
    /// It has no placement within the limit.
    Empty,
    /// The placer does not say.
    Unknown,
    /// Nothing in it is better than the best known, or than `bound`, and it cannot be split.
    Closed { bound: Value },
    /// Something in it may be as good as `bound`, which this price of the goal gave.
    Open {
        bound: Value,
        price: i64,
        on: (ServiceKey, ClusterName),
    },
}

struct Search<'a, 'w> {
    asker: &'a Asker<'w>,
    about: &'a str,
    limit: Limit,
    effort: &'a mut Effort,
    best: Option<Found>,
}

impl Search<'_, '_> {
    fn is_beaten(&self, bound: Value) -> bool {
        self.best.as_ref().is_some_and(|best| bound >= best.value)
    }

    fn amount(&self, found: &Found) -> i64 {
        found.totals.of(self.limit.goal)
    }

    fn is_within(&self, found: &Found) -> bool {
        self.amount(found) <= self.limit.at_most
    }

    fn keep(&mut self, found: &Found) {
        if self.is_within(found) && !self.is_beaten(found.value) {
            self.best = Some(found.clone());
        }
    }

    /// Asks the placer with another weight for the limited goal. The placement is worth what it is by the real goals; the
    /// bound is one on the weighted value.
    fn ask(&mut self, question: &PlacementProblem, goals: Goals) -> Result<Asked, PlacementError> {
        if self.asker.is_stopped() || !self.effort.take() {
            return Ok(Asked::Unknown);
        }
        let weighted = PlacementProblem {
            goals,
            ..question.clone()
        };
        match self.asker.solve(self.about, &weighted)? {
            Solved::Found(solution) => {
                let Solution { placement, bound, .. } = *solution;
                let (totals, value) = evaluate(question, &placement)?;
                let found = Found {
                    placement,
                    totals,
                    value,
                };
                self.keep(&found);
                Ok(Asked::Found(found, bound))
            }
            Solved::NotFound { proved, .. } => {
                let proved = proved && self.asker.is_infeasible(question)?;
                Ok(if proved { Asked::Empty } else { Asked::Unknown })
            }
        }
    }

    /// Asks with the goal that much dearer: a placement, and a bound on the value of all within the limit.
    fn priced(&mut self, question: &PlacementProblem, price: i64) -> Result<Asked, PlacementError> {
        let Limit { goal, at_most } = self.limit;
        let Some(weight) = question.goals.weight(goal).millionths().checked_add(price) else {
            return Ok(Asked::Unknown);
        };
        let goals = question.goals.clone().with(goal, Weight::from_millionths(weight));
        let asked = self.ask(question, goals)?;
        let extra = Goals::none().with(goal, Weight::from_millionths(price));
        Ok(match asked {
            Asked::Found(found, bound) => {
                let at_limit = extra.value(goal, at_most);
                Asked::Found(found, bound.map(|bound| bound.minus(at_limit)))
            }
            other => other,
        })
    }

    /// Bounds what is in `question`, and keeps the best placement that turns up. A good first `price` saves questions: most
    /// nodes are closed by it.
    fn node(&mut self, question: &PlacementProblem, price: i64) -> Result<Outcome, PlacementError> {
        let (first, mut best_bound) = match self.priced(question, price)? {
            Asked::Empty => return Ok(Outcome::Empty),
            Asked::Unknown | Asked::Found(_, None) => return Ok(Outcome::Unknown),
            Asked::Found(found, Some(bound)) => (found, bound),
        };
        let mut best_price = price;
        if self.is_beaten(best_bound) || (price == 0 && self.is_within(&first)) {
            return Ok(Outcome::Closed { bound: best_bound });
        }
        let (mut beyond, mut inside) = (None, None);
        if self.is_within(&first) {
            inside = Some(first);
        } else {
            beyond = Some(first);
        }
        if beyond.is_none() {
            match self.priced(question, 0)? {
                Asked::Empty => return Ok(Outcome::Empty),
                Asked::Found(found, Some(bound)) if self.is_within(&found) => {
                    return Ok(Outcome::Closed {
                        bound: bound.max(best_bound),
                    });
                }
                Asked::Found(found, _) => beyond = Some(found),
                Asked::Unknown => return Ok(Outcome::Closed { bound: best_bound }),
            }
        }
        if inside.is_none() {
            let (goal, at_most) = (self.limit.goal, self.limit.at_most);
            let least = Goals::only(goal);
            match self.ask(question, least.clone())? {
                Asked::Empty => return Ok(Outcome::Empty),
                Asked::Found(found, bound) if !self.is_within(&found) => {
                    // The least amount there is exceeds the limit, or the placer does not know it exactly.
                    let proved = bound.is_some_and(|bound| bound > least.value(goal, at_most));
                    return if proved {
                        Ok(Outcome::Empty)
                    } else {
                        self.budgeted(question, best_bound)
                    };
                }
                Asked::Found(found, _) => inside = Some(found),
                Asked::Unknown => return Ok(Outcome::Closed { bound: best_bound }),
            }
        }
        let (Some(mut beyond), Some(mut inside)) = (beyond, inside) else {
            return Ok(Outcome::Closed { bound: best_bound });
        };
        for _ in 0..ROUNDS {
            if self.is_beaten(best_bound) {
                return Ok(Outcome::Closed { bound: best_bound });
            }
            let Some(price) = secant(self.limit.goal, &beyond, &inside) else {
                break;
            };
            let Asked::Found(found, Some(bound)) = self.priced(question, price)? else {
                break;
            };
            if bound > best_bound {
                (best_bound, best_price) = (bound, price);
            }
            if [self.amount(&beyond), self.amount(&inside)].contains(&self.amount(&found)) {
                break;
            }
            if self.is_within(&found) {
                inside = found;
            } else {
                beyond = found;
            }
        }
        if self.is_beaten(best_bound) {
            return Ok(Outcome::Closed { bound: best_bound });
        }
        Ok(match difference(question, &beyond.placement, &inside.placement) {
            Some(on) => Outcome::Open {
                bound: best_bound,
                price: best_price,
                on,
            },
            None => self.budgeted(question, best_bound)?,
        })
    }

    /// Services that are split leave nothing to branch on: the placer itself is told of the limit.
    fn budgeted(&mut self, question: &PlacementProblem, known: Value) -> Result<Outcome, PlacementError> {
        let mut limited = question.clone();
        limited.budgets.push(Budget {
            goal: self.limit.goal,
            at_most: self.limit.at_most,
            price: None,
        });
        let asked = match self.ask(&limited, question.goals.clone()) {
            Err(PlacementError::CannotExpress { .. }) => Asked::Unknown,
            asked => asked?,
        };
        Ok(match asked {
            Asked::Empty => Outcome::Empty,
            Asked::Found(_, Some(bound)) => Outcome::Closed {
                bound: bound.max(known),
            },
            Asked::Found(_, None) | Asked::Unknown => Outcome::Closed { bound: known },
        })
    }
}

/// What came of one question.
#[allow(clippy::large_enum_variant, reason = "one value at a time, never kept")]
enum Asked {
    Found(Found, Option<Value>),
    Empty,
    Unknown,
}

/// The price at which both placements are worth the same, in millionths of a point for a unit of the goal, rounded down.
fn secant(goal: Goal, beyond: &Found, inside: &Found) -> Option<i64> {
    let rise = inside.value.minus(beyond.value).units();
    let run = i128::from(beyond.totals.of(goal)) - i128::from(inside.totals.of(goal));
    let unit = Goals::none()
        .with(goal, Weight::from_millionths(1))
        .value(goal, 1)
        .units();
    let price = rise.checked_div(run.checked_mul(unit)?)?;
    i64::try_from(price).ok().filter(|price| *price > 0 && run > 0)
}

/// A service that the first placement has on one cluster and the second one elsewhere.
fn difference(
    question: &PlacementProblem,
    first: &Placement,
    second: &Placement,
) -> Option<(ServiceKey, ClusterName)> {
    // Pinned or kept off a cluster is all there is only for a service on one cluster.
    let whole = |(service, _): &(&ServiceKey, _)| {
        let demand = question.services.get(*service);
        demand.is_some_and(|demand| !demand.is_split())
    };
    first.iter().filter(whole).find_map(|(service, there)| {
        let elsewhere = second.get(service);
        let only = there
            .clusters()
            .find(|cluster| elsewhere.is_none_or(|other| other.on(cluster) != there.on(cluster)))?;
        Some((service.clone(), only.clone()))
    })
}
