//! No more money, carbon or moves than allowed.

use super::Rule;
use crate::placement::evaluate::total;
use crate::placement::{Breach, Placement, PlacementProblem};

/// Every budget is kept.
#[derive(Debug, Clone, Copy)]
pub struct WithinBudget;

impl Rule for WithinBudget {
    fn name(&self) -> &str {
        "budget"
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for budget in &problem.budgets {
            // An amount beyond 64 bits is over any budget.
            let amount = total(problem, placement, budget.goal).unwrap_or(i64::MAX);
            if amount > budget.at_most {
                breaches.push(Breach::OverBudget {
                    budget: budget.clone(),
                    amount,
                });
            }
        }
        breaches
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        !problem.budgets.is_empty()
    }

    fn priced(&self, problem: &PlacementProblem) -> bool {
        let wishes = problem.budgets.iter().any(|budget| budget.price.is_some());
        problem.soft.contains_key(self.name()) || wishes
    }
}
