//! Re-checks a placement against every rule, in integers, with code that no placer uses to search.

use super::{Breach, Placement, PlacementProblem};

/// Every hard rule that `placement` breaks, in the order of the rules; empty when it keeps them all. What a soft rule asks
/// for costs points instead ([`super::evaluate`]).
#[must_use]
pub fn verify(problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
    problem
        .hard_rules()
        .flat_map(|rule| rule.breaches(problem, placement))
        .filter(|breach| breach.price().is_none())
        .collect()
}

/// What the breaches of soft rules cost, in millionths of a point; `None` when that does not fit.
pub(super) fn penalties(problem: &PlacementProblem, placement: &Placement) -> Option<i64> {
    let mut sum = 0_i64;
    for rule in problem.every_rule().filter(|rule| rule.priced(problem)) {
        let of_rule = problem.soft.get(rule.name()).copied();
        for breach in rule.breaches(problem, placement) {
            let Some(price) = of_rule.or_else(|| breach.price()) else {
                continue;
            };
            let amount = i64::try_from(breach.amount(placement)).ok()?;
            sum = sum.checked_add(price.millionths().checked_mul(amount)?)?;
        }
    }
    Some(sum)
}
