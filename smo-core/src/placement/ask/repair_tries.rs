//! Ways out of one change each, tried with the placer: for problems that are too large to be searched to the end.

use super::asker::Asker;
use super::conflict::{Conflict, Possibility, possibility};
use super::repair_search::{Plan, Plans, cost};
use super::repairs::RepairLimits;
use super::what_if::list;
use super::within::Effort;
use super::{Condition, Edit};
use crate::id::ServiceKey;
use crate::placement::{DomainKey, PlacementError, PlacementProblem, Spread, Value};

/// Relaxes what a conflict names, each thing by itself: a spread by one step, then two, until there is a placement or
/// dropping it is no dearer; a service let apart; a rule dropped that is about several services.
pub(super) fn tries(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    conflict: &Conflict,
    limits: RepairLimits,
) -> Result<Plans, PlacementError> {
    let mut plans = Plans::default();
    let mut effort = Effort(limits.questions);
    for member in &conflict.members {
        for steps in ladders(problem, &member.condition, limits) {
            for (edit, price) in steps {
                if asker.is_stopped() || !effort.take() {
                    return Ok(plans);
                }
                let edits = vec![edit];
                if possibility(asker, &list(&edits), &problem.edited(&edits)?)? == Possibility::Possible {
                    plans.add(Plan { edits, cost: price }, limits.repairs);
                    break;
                }
            }
        }
    }
    Ok(plans)
}

/// Changes of one thing, the least first, each with its price.
fn ladders(
    problem: &PlacementProblem,
    condition: &Condition,
    limits: RepairLimits,
) -> Vec<Vec<(Edit, Value)>> {
    let priced = |edit: Edit| {
        let price = cost(problem, &limits.costs, std::slice::from_ref(&edit))?;
        Some((edit, price))
    };
    let one = |edit: Edit| vec![priced(edit).into_iter().collect()];
    match condition {
        Condition::Service { service } => {
            let demand = problem.services.get(service);
            match demand.filter(|demand| !demand.is_split() && demand.replicas > 1) {
                Some(_) => one(Edit::LetSplit {
                    service: service.clone(),
                }),
                None => Vec::new(),
            }
        }
        Condition::HighAvailability { service } => {
            let drop = priced(Edit::DropHighAvailability {
                service: service.clone(),
            });
            let most = drop.as_ref().map(|(_, price)| *price);
            let demand = problem.services.get(service);
            let wanted = demand.and_then(|demand| demand.high_availability.as_ref());
            let relax = wanted.filter(|wanted| wanted.key != DomainKey::Cluster);
            let relax = relax.and_then(|_| {
                priced(Edit::RelaxHighAvailability {
                    service: service.clone(),
                })
            });
            let relax = relax.filter(|(_, price)| Some(*price) < most);
            vec![relax.into_iter().chain(drop).collect()]
        }
        Condition::Custom { rule } => one(Edit::DropRule { rule: rule.clone() }),
        Condition::Spread { service } => {
            let spreads = problem.services.get(service).map(|demand| &demand.spread);
            let hard = spreads
                .into_iter()
                .flatten()
                .filter(|spread| spread.price.is_none());
            let mut ladders = Vec::new();
            for spread in hard {
                let drop = priced(Edit::DropSpread {
                    service: service.clone(),
                    key: spread.key.clone(),
                });
                let most = drop.as_ref().map(|(_, price)| *price);
                for edits in relaxed(service, spread) {
                    let cheaper = |step: &(Edit, Value)| Some(step.1) < most;
                    ladders.push(edits.into_iter().filter_map(priced).take_while(cheaper).collect());
                }
                ladders.push(drop.into_iter().collect());
            }
            ladders
        }
        _ => Vec::new(),
    }
}

/// More steps than this are not tried.
const MOST_STEPS: u32 = 16;

/// One group fewer at least, then two, and so on; the same for one more at most, and for a replica of skew more.
fn relaxed(service: &ServiceKey, spread: &Spread) -> [Vec<Edit>; 3] {
    let edit = |min_groups, max_groups, max_skew| Edit::RelaxSpread {
        service: service.clone(),
        key: spread.key.clone(),
        min_groups,
        max_groups,
        max_skew,
    };
    let fewer = |least: u32| (1..=MOST_STEPS).map_while(move |steps| least.checked_sub(steps));
    let more = |most: u32| (1..=MOST_STEPS).map_while(move |steps| most.checked_add(steps));
    let groups = spread.min_groups.into_iter().flat_map(fewer);
    let most = spread.max_groups.into_iter().flat_map(more);
    let skew = spread.max_skew.into_iter().flat_map(more);
    [
        groups.map(|least| edit(Some(least), None, None)).collect(),
        most.map(|most| edit(None, Some(most), None)).collect(),
        skew.map(|skew| edit(None, None, Some(skew))).collect(),
    ]
}
