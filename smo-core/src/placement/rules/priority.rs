//! Goals of a lower priority do not spoil what those above them have reached.

use super::Rule;
use crate::placement::evaluate::totals;
use crate::placement::{Breach, Placement, PlacementProblem};

/// Every ceiling is kept. It cannot be softened.
#[derive(Debug, Clone, Copy)]
pub struct Priority;

impl Rule for Priority {
    fn name(&self) -> &str {
        "priority"
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        if problem.ceilings.is_empty() {
            return Vec::new();
        }
        let totals = totals(problem, placement).ok();
        let mut breaches = Vec::new();
        for ceiling in &problem.ceilings {
            let worth = totals.and_then(|totals| ceiling.goals.worth(&totals));
            if worth.is_none_or(|worth| worth > ceiling.at_most) {
                breaches.push(Breach::Spoils {
                    worth,
                    at_most: ceiling.at_most,
                });
            }
        }
        breaches
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        !problem.ceilings.is_empty()
    }
}
