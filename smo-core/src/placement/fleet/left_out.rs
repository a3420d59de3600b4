//! What the kernel does not count, and by how much that can raise its bound all the same.

use super::fullness::Fullness;
use crate::placement::goals::FULL;
use crate::placement::{Goal, IntegerModel};
use crate::units::gcd;

/// True when a rule or a goal of the model is more than the kernel is told.
pub(super) fn leaves_out(model: &IntegerModel<'_>) -> bool {
    let split = |service: &usize| model.services[*service].split;
    let counts = |goal| model.weight(goal) != 0;
    let carried = !model.bandwidth.is_empty() && !model.links.is_empty();
    let of_whole = counts(Goal::Balance) || counts(Goal::Consolidation);
    let moves = model.services.iter().any(|service| {
        service.split && service.running > 0 && (counts(Goal::Moves) || service.stays.is_some())
    });
    let groups = model
        .together
        .iter()
        .any(|group| group.services.iter().any(split));
    let apart = model
        .apart
        .iter()
        .any(|group| group.price.is_some() && (group.services.len() > 2 || group.services.iter().any(split)));
    let limits = model
        .limits
        .iter()
        .any(|limit| limit.price.is_some() && (split(&limit.from) || split(&limit.to)));
    let outside = |service: usize, of: &[Option<usize>]| {
        let service = &model.services[service];
        service.split && service.open.iter().any(|cluster| of[*cluster].is_none())
    };
    let spreads = model
        .spreads
        .iter()
        .any(|spread| outside(spread.service, &spread.domains.of));
    let availability = model
        .availability
        .iter()
        .any(|wanted| outside(wanted.service, &wanted.domains.of));
    !model.budgets.is_empty()
        || !model.ceilings.is_empty()
        || model.overload.is_some()
        || carried
        || of_whole
        || moves
        || groups
        || apart
        || limits
        || spreads
        || availability
}

/// No placement has less of the goals that the kernel leaves out than this, in units of value, beside the parts of the fullest cluster that it
/// is told; `None` where one of them is a reward, so that nothing is known.
pub(super) fn least(model: &IntegerModel<'_>, fullness: &Fullness) -> Option<i128> {
    let wishes = model.budgets.iter().any(|(_, price)| price.is_some())
        || model.overload.is_some()
        || model.congestion.is_some()
        || model.spreads.iter().any(|spread| spread.price.is_some())
        || model.availability.iter().any(|wanted| wanted.price.is_some())
        || model.together.iter().any(|group| group.price.is_some())
        || model.apart.iter().any(|group| group.price.is_some())
        || model.limits.iter().any(|limit| limit.price.is_some())
        || model
            .services
            .iter()
            .any(|service| matches!(service.stays, Some(Some(_))));
    let (balance, clusters) = (model.weight(Goal::Balance), model.weight(Goal::Consolidation));
    if balance < 0 || clusters < 0 || wishes && model.weight(Goal::Preference) < 0 {
        return None;
    }
    // what moves of a service that is split is counted in part, which is less only where moving costs
    let moving = [Goal::Moves, Goal::MovedReplicas, Goal::MovedState];
    let split = || model.services.iter().filter(|service| service.split);
    if split().any(|service| service.running > 0) && moving.iter().any(|goal| model.weight(*goal) < 0) {
        return None;
    }
    let placed = model
        .weight(Goal::Placements)
        .checked_mul(split().count() as i128)?;
    let fullest = if balance > 0 { fullest(model) } else { 0 };
    let used = if clusters > 0 { used(model) } else { 0 };
    fullness
        .rest(balance.checked_mul(fullest)?)?
        .checked_add(clusters.checked_mul(used)?)?
        .checked_add(placed)
}

/// The least value there can be at or above a bound: amounts of goals are whole, so values are multiples of what divides every weight.
pub(super) fn next_value(weights: &[i128], bound: i128) -> Option<i128> {
    let unit = weights.iter().fold(0, |unit, weight| gcd(unit, *weight)).max(1);
    match bound.rem_euclid(unit) {
        0 => Some(bound),
        beyond => bound.checked_add(unit - beyond),
    }
}

/// What all services need of a resource; 0 where a service may be on a cluster that it does not limit.
fn needed(model: &IntegerModel<'_>, resource: usize) -> u128 {
    let limited = |cluster: &usize| model.capacity[*cluster][resource].is_some();
    let services = model
        .services
        .iter()
        .filter(|service| service.open.iter().all(limited));
    services
        .map(|service| u128::from(service.need[resource]) * u128::from(service.replicas))
        .fold(0, u128::saturating_add)
}

/// The least part of it that the fullest cluster can have in use, in hundredths of a percent: all that is needed fits what clusters have up to
/// there, and each service fits somewhere.
pub(super) fn fullest(model: &IntegerModel<'_>) -> i128 {
    let mut least = 0_u128;
    for resource in 0..model.resources.len() {
        let sizes = || model.sizes.iter().filter_map(move |sizes| sizes[resource]);
        let needed = needed(model, resource);
        let fits = |part: u128| {
            let room = sizes().map(|size| {
                (u128::from(size.whole).saturating_mul(part) / FULL).saturating_sub(size.taken.into())
            });
            room.fold(0, u128::saturating_add) >= needed
        };
        if needed > 0 {
            // what rules leave to a cluster never needs more than all of it
            let (mut low, mut high) = (0, FULL);
            while low < high {
                let middle = u128::midpoint(low, high);
                if fits(middle) {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            least = least.max(low);
        }
        for service in model.services.iter().filter(|service| service.need[resource] > 0) {
            let replicas = if service.split { 1 } else { service.replicas };
            let need = u128::from(service.need[resource]) * u128::from(replicas);
            let full = |cluster: &usize| {
                let size = model.sizes[*cluster][resource];
                size.map_or(0, |size| {
                    let used = need + u128::from(size.taken);
                    used.saturating_mul(FULL).div_ceil(u128::from(size.whole).max(1))
                })
            };
            least = least.max(service.open.iter().map(full).min().unwrap_or(0));
        }
    }
    i128::try_from(least).unwrap_or(0)
}

/// The fewest clusters that have room for everything; capacity that is only a wish does not count.
fn used(model: &IntegerModel<'_>) -> i128 {
    let mut least = u32::from(!model.services.is_empty());
    if model.overload.is_some() {
        return least.into();
    }
    for resource in 0..model.resources.len() {
        let mut rooms: Vec<u128> = model
            .capacity
            .iter()
            .filter_map(|row| row[resource].map(u128::from))
            .collect();
        rooms.sort_unstable_by(|one, other| other.cmp(one));
        let mut left = needed(model, resource);
        let mut count = 0;
        for room in rooms {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(room);
            count += 1;
        }
        least = least.max(count);
    }
    least.into()
}
