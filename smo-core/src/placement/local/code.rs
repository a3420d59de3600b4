//! Rules and goals of the host that look at a whole placement: it is asked about every one that the search comes to.

use super::draft::FAULT;
use crate::id::ServiceKey;
use crate::placement::integers::code_of;
use crate::placement::rules::Rule;
use crate::placement::{Assignment, CustomRule, Placement, PlacementProblem, evaluate};

/// The host's code, and the placement it is asked about.
#[derive(Debug)]
pub(super) struct Code<'a> {
    problem: &'a PlacementProblem,
    keys: Vec<&'a ServiceKey>,
    placement: Placement,
}

/// True when the host has rules or goals that are about more than one service on one cluster.
pub(in crate::placement) fn has_code(problem: &PlacementProblem) -> bool {
    code_of(problem).is_some()
}

fn hard(problem: &PlacementProblem) -> impl Iterator<Item = &dyn Rule> {
    let rules = problem.rules.iter().map(CustomRule::get);
    rules.filter(|rule| rule.couples(problem) && !problem.soft.contains_key(rule.name()))
}

impl<'a> Code<'a> {
    /// `None` when there is none.
    pub(super) fn of(problem: &'a PlacementProblem, keys: Vec<&'a ServiceKey>) -> Option<Self> {
        has_code(problem).then(|| Self {
            problem,
            keys,
            placement: Placement::new(),
        })
    }

    pub(super) fn set(&mut self, service: usize, assignment: Assignment) {
        if let Some(key) = self.keys.get(service) {
            self.placement.set((*key).clone(), assignment);
        }
    }

    /// The value of the placement, and how much of it breaks rules of the host.
    pub(super) fn judge(&self) -> (i128, i128) {
        let value = evaluate(self.problem, &self.placement);
        let value = value.map_or(i128::MAX, |(_, value)| value.units());
        let mut broken = 0_i128;
        for rule in hard(self.problem) {
            for breach in rule.breaches(self.problem, &self.placement) {
                let amount = breach.amount(&self.placement).max(1);
                broken = broken.saturating_add(i128::from(amount).saturating_mul(FAULT));
            }
        }
        (value, broken)
    }
}
