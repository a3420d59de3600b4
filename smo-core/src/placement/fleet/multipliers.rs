//! Prices on what a placement may have at most of a goal: budgets, and what goals of a higher priority have reached.
//!
//! With a price on the goal the kernel decides as if there were no limit, and what it proves less the price of the limit itself is a bound
//! of all placements that keep it (Geoffrion, [Lagrangean relaxation for integer
//! programming](https://doi.org/10.1007/BFb0120690), 1974). The price is found between an answer within the limit and one beyond.

use crate::placement::integers::weighted;
use crate::placement::{Goal, IntegerModel};
use crate::units::gcd;

/// A limit on a sum of goals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    /// By goal, in the order of [`Goal::ALL`].
    pub(super) weights: Vec<i128>,
    pub(super) at_most: i128,
}

/// Answers that are looked for to find the price of one limit.
pub(super) const ROUNDS: usize = 12;

/// The hard limits of a model on goals that the kernel counts.
pub(super) fn limits(model: &IntegerModel<'_>) -> Vec<Limit> {
    let counted = |weights: &[i128]| {
        let left_out = [Goal::Balance, Goal::Consolidation, Goal::Preference];
        let mut goals = Goal::ALL.into_iter().zip(weights);
        // less of what the kernel leaves out only helps
        goals.all(|(goal, weight)| *weight >= 0 || !left_out.contains(&goal))
    };
    let budgets = model.budgets.iter().filter(|(_, price)| price.is_none());
    let budgets = budgets.map(|(budget, _)| Limit {
        weights: Goal::ALL
            .into_iter()
            .map(|goal| i128::from(goal == budget.goal))
            .collect(),
        at_most: budget.at_most.into(),
    });
    let ceilings = model.ceilings.iter().filter_map(|ceiling| {
        let weights = Goal::ALL
            .into_iter()
            .map(|goal| ceiling.goals.checked_value(goal, 1).map(|one| one.units()));
        Some(Limit {
            weights: weights.collect::<Option<Vec<i128>>>()?,
            at_most: ceiling.at_most.units(),
        })
    });
    budgets
        .chain(ceilings)
        .filter(|limit| counted(&limit.weights))
        .map(Limit::reduced)
        .collect()
}

impl Limit {
    /// The same in the largest unit there is, so that prices can be small.
    fn reduced(self) -> Self {
        let unit = self
            .weights
            .iter()
            .fold(0, |unit, weight| gcd(unit, *weight))
            .max(1);
        Self {
            weights: self.weights.iter().map(|weight| weight / unit).collect(),
            at_most: self.at_most.div_euclid(unit),
        }
    }

    /// How much of it there is more than allowed, in amounts by goal; negative below.
    pub(super) fn over(&self, totals: &[i128]) -> i128 {
        weighted(&self.weights, totals).saturating_sub(self.at_most)
    }
}

/// One price a limit, in units of value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Multipliers(Vec<i128>);

impl Multipliers {
    pub(super) fn none(limits: &[Limit]) -> Self {
        Self(vec![0; limits.len()])
    }

    pub(super) fn new(prices: &[i128]) -> Self {
        Self(prices.to_vec())
    }

    /// The price of one limit.
    pub(super) fn of(&self, limit: usize) -> i128 {
        self.0.get(limit).copied().unwrap_or(0)
    }

    pub(super) fn as_slice(&self) -> &[i128] {
        &self.0
    }

    /// The same with another price of one limit.
    pub(super) fn with(&self, limit: usize, price: i128) -> Self {
        let mut prices = self.0.clone();
        if let Some(slot) = prices.get_mut(limit) {
            *slot = price.max(0);
        }
        Self(prices)
    }

    /// Weights of goals with the prices; `None` where they do not fit.
    pub(super) fn weights(&self, limits: &[Limit], weights: &[i128]) -> Option<Vec<i128>> {
        let mut sum = weights.to_vec();
        for (limit, price) in limits.iter().zip(&self.0) {
            for (sum, weight) in sum.iter_mut().zip(&limit.weights) {
                *sum = sum.checked_add(weight.checked_mul(*price)?)?;
            }
        }
        Some(sum)
    }

    /// What the limits themselves cost.
    pub(super) fn of_limits(&self, limits: &[Limit]) -> Option<i128> {
        let terms = limits.iter().zip(&self.0);
        terms
            .map(|(limit, price)| limit.at_most.checked_mul(*price))
            .try_fold(0_i128, |sum, term| sum.checked_add(term?))
    }
}
