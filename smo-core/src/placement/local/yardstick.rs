//! What is much: amounts of different kinds as numbers of things that are broken, so that they compare.

use super::draft::{FAULT, GOALS};
use crate::placement::integers::weighted;
use crate::placement::{Goal, IntegerModel, Totals};

/// What one move changes on average, by kind.
#[derive(Debug, Clone)]
pub(super) struct Yardstick {
    /// By resource, what a service needs.
    need: Vec<u128>,
    /// What a link carries.
    traffic: i128,
    /// By goal, what a service adds on one cluster more than on another.
    goal: [i128; GOALS],
    /// Weights of goals, and what they may be worth together.
    pub(super) ceilings: Vec<(Vec<i128>, i128)>,
    /// Whether the fullest cluster counts.
    pub(super) balance: bool,
    /// What the square of how full a cluster is counts for, in units of value; negative where few clusters are wanted.
    pub(super) uneven: f64,
}

/// What evens clusters out counts for so much of what is asked for.
const UNEVEN: f64 = 0.02;

impl Yardstick {
    pub(super) fn of(model: &IntegerModel<'_>) -> Self {
        let services = model.services.len().max(1) as u128;
        let need = |resource: usize| {
            let all = model
                .services
                .iter()
                .map(|service| u128::from(service.need[resource]));
            (all.sum::<u128>() / services).max(1)
        };
        let traffic = model.links.iter().map(|link| i128::from(link.traffic));
        let ceilings = model.ceilings.iter().map(|ceiling| {
            let weight = |goal| ceiling.goals.checked_value(goal, 1).map_or(0, |one| one.units());
            (
                Goal::ALL.into_iter().map(weight).collect(),
                ceiling.at_most.units(),
            )
        });
        let ceilings: Vec<(Vec<i128>, i128)> = ceilings.collect();
        let counts = |goal: Goal| {
            let weighs = |weights: &[i128]| weights.get(goal.number()).is_some_and(|weight| *weight != 0);
            weighs(&model.weights)
                || ceilings.iter().any(|(weights, _)| weighs(weights))
                || model.budgets.iter().any(|(budget, _)| budget.goal == goal)
        };
        let weight = |goal: Goal| model.weight(goal) as f64;
        let evened = if counts(Goal::Balance) {
            weight(Goal::Balance).max(0.0) * 10_000.0 / model.clusters.len().max(1) as f64
        } else {
            0.0
        };
        let emptied = if counts(Goal::Consolidation) {
            weight(Goal::Consolidation).max(0.0)
        } else {
            0.0
        };
        Self {
            need: (0..model.resources.len()).map(need).collect(),
            traffic: (traffic.sum::<i128>() / model.links.len().max(1) as i128).max(1),
            goal: spans(model),
            balance: counts(Goal::Balance),
            uneven: UNEVEN * (evened - emptied),
            ceilings,
        }
    }

    /// So much of a resource too much.
    pub(super) fn of_need(&self, resource: usize, over: u128) -> i128 {
        let over = i128::try_from(over).unwrap_or(i128::MAX);
        things(over, self.need[resource].cast_signed())
    }

    /// So much traffic too much.
    pub(super) const fn of_traffic(&self, over: i128) -> i128 {
        things(over, self.traffic)
    }

    /// So much of a goal too much.
    pub(super) const fn of_goal(&self, goal: usize, over: i128) -> i128 {
        things(over, self.goal[goal])
    }

    /// So much value too much, of goals with these weights.
    pub(super) fn of_value(&self, over: i128, weights: &[i128]) -> i128 {
        let absolute: Vec<i128> = weights.iter().map(|weight| weight.saturating_abs()).collect();
        things(over, weighted(&absolute, &self.goal))
    }
}

/// So many thousandths of a thing, and one thing more.
const fn things(over: i128, one: i128) -> i128 {
    let one = if one < 1 { 1 } else { one };
    FAULT + over.saturating_mul(FAULT) / one
}

/// By goal, how far apart the clusters of a service are, on average; 1 where they are not.
fn spans(model: &IntegerModel<'_>) -> [i128; GOALS] {
    let mut spans = [0_i128; GOALS];
    let mut counted = [0_i128; GOALS];
    let mut note = |amounts: &[Totals]| {
        for goal in Goal::ALL {
            let all = || amounts.iter().map(|amounts| i128::from(amounts.of(goal)));
            if let (Some(least), Some(most)) = (all().min(), all().max())
                && most > least
            {
                spans[goal.number()] += most - least;
                counted[goal.number()] += 1;
            }
        }
    };
    model.services.iter().for_each(|service| note(&service.amounts));
    model.paths.iter().for_each(|path| note(path));
    for ((span, counted), goal) in spans.iter_mut().zip(counted).zip(Goal::ALL) {
        let least = match goal {
            Goal::Balance => 100,
            _ => 1,
        };
        *span = (*span / counted.max(1)).max(least);
    }
    spans
}
