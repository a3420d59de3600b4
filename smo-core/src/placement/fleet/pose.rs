//! From the model in integers to the kernel's question.

use std::collections::BTreeMap;

use super::apart::{PairCost, between, is_group, pairs};
use super::distances::distance;
use super::fullness::Fullness;
use super::lots::{Lot, Lots};
use crate::placement::integers::IntegerDomains;
use crate::placement::{Assignment, Goal, IntegerModel, Placement, PlacementError};
use crate::quadratic::{Comfort, FORBIDDEN, Group, Link, QuadraticProblem};
use crate::units::gcd;

/// Costs of the kernel stay below this, so that their sums are exact in floating point.
const MOST: i128 = 1 << 50;

/// The question, and how to read its answers.
pub(super) struct Posed {
    pub(super) problem: QuadraticProblem,
    lots: Lots,
    /// Value in one unit of the kernel's cost, and what the kernel does not count.
    unit: i128,
    offset: i128,
    grains: Vec<u64>,
}

impl Posed {
    /// `None` when a service has no cluster that is open to it and to all that have to be where it is.
    ///
    /// # Errors
    /// [`PlacementError::Overflow`] for amounts that do not fit.
    pub(super) fn new(model: &IntegerModel<'_>, fullness: &Fullness) -> Result<Option<Self>, PlacementError> {
        let lots = Lots::new(model);
        let too_large = || PlacementError::TooLarge { goal: Goal::Money };
        let (within, mut links) = merged(
            model.clusters.len(),
            link_costs(model, &lots).ok_or_else(too_large)?,
        )
        .ok_or_else(too_large)?;
        let mut costs = Vec::with_capacity(lots.lots.len());
        let mut offset = 0_i128;
        for (number, lot) in lots.lots.iter().enumerate() {
            let overflow = || PlacementError::Overflow {
                service: model.services[lot.parts[0].0].key.clone(),
            };
            let mut row = row(model, lot, fullness).ok_or_else(overflow)?;
            if let Some(within) = within.get(&number) {
                row = added(&row, within).ok_or_else(overflow)?;
            }
            let Some(cheapest) = row.iter().flatten().min().copied() else {
                return Ok(None);
            };
            row.iter_mut()
                .flatten()
                .for_each(|cost| *cost = cost.saturating_sub(cheapest));
            offset = offset.checked_add(cheapest).ok_or_else(overflow)?;
            costs.push(row);
        }
        for link in &mut links {
            let least = link.costs.iter().flatten().min().copied().unwrap_or(0).min(0);
            link.costs
                .iter_mut()
                .flatten()
                .for_each(|cost| *cost = cost.saturating_sub(least));
            offset = offset.checked_add(least).ok_or_else(too_large)?;
        }
        let mut sum = 0_i128;
        let mut unit = 0_i128;
        for row in costs.iter().chain(links.iter().map(|link| &link.costs)) {
            sum = sum
                .checked_add(row.iter().flatten().max().copied().unwrap_or(0))
                .ok_or_else(too_large)?;
            unit = row.iter().flatten().fold(unit, |unit, cost| gcd(unit, *cost));
        }
        let point = model.weight(Goal::Preference);
        for price in wishes(model) {
            unit = gcd(unit, i128::from(price).checked_mul(point).ok_or_else(too_large)?);
        }
        let unit = unit.max(1).max(sum / MOST + 1);
        let scaled = |cost: i128| i64::try_from(cost / unit).map_err(|_| too_large());
        let wished = wished_room(model, unit);
        let grains = grains(model, &lots, wished.is_some());
        let mut problem = QuadraticProblem::new(model.clusters.len(), lots.lots.len(), model.resources.len());
        for (cluster, row) in model.capacity.iter().enumerate() {
            for (resource, has) in row.iter().enumerate() {
                match (has, wished) {
                    (Some(has), None) => problem.set_capacity(cluster, resource, *has / grains[resource]),
                    (None, _) => problem.set_capacity(cluster, resource, u64::MAX),
                    (Some(has), Some(price)) => {
                        problem.set_capacity(cluster, resource, u64::MAX);
                        let level = has.div_ceil(grains[resource]);
                        problem.set_comfort(cluster, resource, Comfort { level, price });
                    }
                }
            }
        }
        for (task, (lot, row)) in lots.lots.iter().zip(&costs).enumerate() {
            for (cluster, cost) in row.iter().enumerate() {
                if let Some(cost) = cost {
                    problem.set_cost(task, cluster, scaled(*cost)?);
                }
            }
            for (resource, grain) in grains.iter().enumerate() {
                let need = lot.need(model, resource) / u128::from(*grain);
                problem.set_need(task, resource, u64::try_from(need).unwrap_or(u64::MAX - 1));
            }
        }
        let mut known: BTreeMap<Vec<i64>, usize> = BTreeMap::new();
        for PairCost {
            lots: (from, to),
            costs,
        } in links
        {
            let mut costs = costs
                .iter()
                .map(|cost| cost.map_or(Ok(FORBIDDEN), scaled))
                .collect::<Result<Vec<i64>, PlacementError>>()?;
            if costs.iter().all(|cost| *cost == 0) {
                continue;
            }
            // links of which one carries twice as much share a distance
            let allowed = || costs.iter().filter(|cost| **cost != FORBIDDEN);
            let weight = allowed().fold(0, |weight, cost| gcd(weight, i128::from(*cost)));
            let weight = i64::try_from(weight.max(1)).map_err(|_| too_large())?;
            costs
                .iter_mut()
                .filter(|cost| **cost != FORBIDDEN)
                .for_each(|cost| *cost /= weight);
            let number = match known.get(&costs) {
                Some(number) => *number,
                None => {
                    let number = problem.add_distance(distance(model.clusters.len(), &costs));
                    known.insert(costs, number);
                    number
                }
            };
            problem.add_link(Link {
                from,
                to,
                weight,
                distance: number,
            });
        }
        groups(model, &lots, unit, &mut problem);
        Ok(Some(Self {
            problem,
            lots,
            unit,
            offset,
            grains,
        }))
    }

    /// Units of value in a unit of the kernel's costs.
    pub(super) const fn unit(&self) -> i128 {
        self.unit
    }

    /// Base units in one that the kernel counts in, by resource.
    pub(super) fn grains(&self) -> &[u64] {
        &self.grains
    }

    /// By lot: the one before it that is another replica of the same service and runs at the same place now.
    pub(super) fn alike(&self) -> Vec<Option<usize>> {
        let lots = &self.lots.lots;
        let is_alike = |lot: usize| {
            let before = lot.checked_sub(1)?;
            let one_replica = lots[lot].parts.len() == 1 && lots[lot].parts[0].1 == 1;
            (one_replica && lots[before] == lots[lot]).then_some(before)
        };
        (0..lots.len()).map(is_alike).collect()
    }

    /// A bound of the kernel as a value.
    pub(super) fn value(&self, bound: i64) -> Option<i128> {
        if bound == i64::MIN || bound == i64::MAX {
            return None;
        }
        i128::from(bound).checked_mul(self.unit)?.checked_add(self.offset)
    }

    /// The least bound of the kernel that is worth more than so many units.
    pub(super) fn first_above(&self, units: i128) -> Option<i128> {
        units
            .checked_sub(self.offset)?
            .div_euclid(self.unit)
            .checked_add(1)
    }

    /// Where everything runs now, as an answer; `None` when something runs nowhere.
    pub(super) fn now(&self, model: &IntegerModel<'_>) -> Option<Vec<usize>> {
        let home = |lot: &Lot| {
            let (service, _) = *lot.parts.first()?;
            let now = &model.services[service].now;
            let most = || {
                (0..now.len())
                    .filter(|cluster| now[*cluster] > 0)
                    .max_by_key(|cluster| (now[*cluster], std::cmp::Reverse(*cluster)))
            };
            lot.home.or_else(most)
        };
        let homes: Vec<Option<usize>> = self.lots.lots.iter().map(home).collect();
        // a lot that runs nowhere may go anywhere: an unknown agent says so
        let somewhere = homes.iter().flatten().count() > 0;
        somewhere.then(|| homes.into_iter().map(|home| home.unwrap_or(usize::MAX)).collect())
    }

    pub(super) fn placement(&self, model: &IntegerModel<'_>, answer: &[usize]) -> Placement {
        let mut counts: Vec<BTreeMap<usize, u32>> = vec![BTreeMap::new(); model.services.len()];
        for (lot, cluster) in self.lots.lots.iter().zip(answer) {
            for (service, replicas) in &lot.parts {
                *counts[*service].entry(*cluster).or_default() += replicas;
            }
        }
        let mut placement = Placement::new();
        for (service, counts) in model.services.iter().zip(counts) {
            let there = counts
                .into_iter()
                .filter_map(|(cluster, count)| Some(((*model.clusters.get(cluster)?).clone(), count)));
            placement.set(service.key.clone(), Assignment::from_iter(there));
        }
        placement
    }
}

/// By resource, base units in one that the kernel counts in: what all needs are multiples of, as the price of a single byte would be lost in
/// rounding; where capacity is a wish, what one unit of too much is.
fn grains(model: &IntegerModel<'_>, lots: &Lots, wished: bool) -> Vec<u64> {
    let grain = |resource: usize| {
        if wished {
            return model.overload_units[resource].max(1);
        }
        let needs = lots.lots.iter().map(|lot| lot.need(model, resource));
        let common = needs.fold(0, |common, need| gcd(common, i128::try_from(need).unwrap_or(1)));
        u64::try_from(common).unwrap_or(1).max(1)
    };
    (0..model.resources.len()).map(grain).collect()
}

/// What a unit of what is only wished costs, where the kernel counts it by itself.
fn wishes<'m>(model: &'m IntegerModel<'_>) -> impl Iterator<Item = i64> + 'm {
    let spreads = model.spreads.iter().map(|spread| spread.price);
    let availability = model.availability.iter().map(|wanted| wanted.price);
    spreads.chain(availability).chain([model.overload]).flatten()
}

/// Where capacity is a wish: what a unit of what is too much costs in units of the kernel, rounded down as needs are, so that the bound stays
/// one.
fn wished_room(model: &IntegerModel<'_>, unit: i128) -> Option<i64> {
    let price = i128::from(model.overload?).checked_mul(model.weight(Goal::Preference))?;
    Some(i64::try_from((price / unit).max(0)).unwrap_or(i64::MAX >> 20))
}

/// By cluster, what a lot costs there; `Some` of nothing where it may not be, `None` when a sum does not fit.
fn row(model: &IntegerModel<'_>, lot: &Lot, fullness: &Fullness) -> Option<Vec<Option<i128>>> {
    let mut row = vec![Some(0_i128); model.clusters.len()];
    for (number, _) in &lot.parts {
        let service = &model.services[*number];
        let mut mine = vec![None; row.len()];
        let wishes = of_whole(model, *number)?;
        for (cluster, amounts) in service.open.iter().zip(&service.amounts) {
            let mut cost = model.worth(amounts)?.checked_add(wishes[*cluster])?;
            if service.split
                && service.running <= service.replicas
                && lot.home.is_some_and(|home| home != *cluster)
            {
                match service.stays {
                    // what is final stays
                    Some(None) => continue,
                    Some(Some(price)) => {
                        let points = i128::from(price).checked_mul(model.weight(Goal::Preference))?;
                        cost = cost.checked_add(points.max(0))?;
                    }
                    None => {}
                }
                cost = cost.checked_add(moving(model, *number)?)?;
            }
            mine[*cluster] = Some(cost);
        }
        row = added(&row, &mine)?;
    }
    for (cluster, cost) in row.iter_mut().enumerate() {
        if let Some(cost) = cost {
            *cost = cost.checked_add(fullness.cost(model, lot, cluster)?)?;
        }
    }
    Some(row)
}

/// By cluster, what wishes to spread cost a service that is not split, all of it there; rules leave it no such cluster or are broken anywhere.
fn of_whole(model: &IntegerModel<'_>, number: usize) -> Option<Vec<i128>> {
    let service = &model.services[number];
    let mut costs = vec![0_i128; model.clusters.len()];
    if service.split {
        return Some(costs);
    }
    let point = model.weight(Goal::Preference);
    let mut add = |price: Option<i64>, amount: &dyn Fn(usize) -> i128| {
        for cluster in &service.open {
            let points = i128::from(price.unwrap_or(0)).checked_mul(amount(*cluster))?;
            costs[*cluster] = costs[*cluster].checked_add(points.checked_mul(point)?)?;
        }
        Some(())
    };
    for spread in model.spreads.iter().filter(|spread| spread.service == number) {
        add(spread.price, &|cluster| {
            spread.of_whole(cluster, service.replicas)
        })?;
    }
    for wanted in model
        .availability
        .iter()
        .filter(|wanted| wanted.service == number)
    {
        add(wanted.price, &|_| 1)?;
    }
    Some(costs)
}

/// Sums; `None` in them stands for never.
fn added(one: &[Option<i128>], other: &[Option<i128>]) -> Option<Vec<Option<i128>>> {
    let sum = |(one, other): (&Option<i128>, &Option<i128>)| match (one, other) {
        (Some(one), Some(other)) => one.checked_add(*other).map(Some),
        _ => Some(None),
    };
    one.iter().zip(other).map(sum).collect()
}

/// By lot, what links within it cost at each cluster; and one link for each two lots. `None` when a sum does not fit.
#[allow(clippy::type_complexity)]
fn merged(
    clusters: usize,
    links: Vec<PairCost>,
) -> Option<(BTreeMap<usize, Vec<Option<i128>>>, Vec<PairCost>)> {
    let mut within: BTreeMap<usize, Vec<Option<i128>>> = BTreeMap::new();
    let mut between: BTreeMap<(usize, usize), Vec<Option<i128>>> = BTreeMap::new();
    for PairCost {
        lots: (from, to),
        costs,
    } in links
    {
        if from == to {
            let here: Vec<Option<i128>> = (0..clusters)
                .map(|cluster| costs[cluster * clusters + cluster])
                .collect();
            let sum = within
                .get(&from)
                .map_or(Some(here.clone()), |known| added(known, &here))?;
            within.insert(from, sum);
            continue;
        }
        let turned = |pair: usize| costs[pair % clusters * clusters + pair / clusters];
        let costs = if from < to {
            costs
        } else {
            (0..costs.len()).map(turned).collect()
        };
        let lots = (from.min(to), from.max(to));
        let sum = match between.get(&lots) {
            Some(known) => added(known, &costs)?,
            None => costs,
        };
        between.insert(lots, sum);
    }
    Some((
        within,
        between
            .into_iter()
            .map(|(lots, costs)| PairCost { lots, costs })
            .collect(),
    ))
}

/// What it is worth that one replica of a split service leaves its cluster. That the service moves at all is paid by all that run, a
/// part each, so that it never counts for more than it costs.
fn moving(model: &IntegerModel<'_>, service: usize) -> Option<i128> {
    let service = &model.services[service];
    let state = i128::from(service.demand.state.get());
    model
        .weight(Goal::MovedReplicas)
        .checked_add(model.weight(Goal::MovedState).checked_mul(state)?)?
        .checked_add(model.weight(Goal::Moves).max(0) / i128::from(service.running.max(1)))
}

/// Limits, traffic, and what keeps apart.
fn link_costs(model: &IntegerModel<'_>, lots: &Lots) -> Option<Vec<PairCost>> {
    let point = model.weight(Goal::Preference);
    let mut links = pairs(model, lots, point);
    for limit in &model.limits {
        let near = &model.near[limit.near];
        let far = limit.price.map(|price| i128::from(price).saturating_mul(point));
        let splits = [limit.from, limit.to]
            .iter()
            .any(|service| model.services[*service].split);
        if splits && far.is_some() {
            continue;
        }
        let costs: Vec<Option<i128>> = near
            .iter()
            .map(|near| if *near { Some(0) } else { far })
            .collect();
        links.extend(between(lots, limit.from, limit.to).map(|lots| PairCost {
            lots,
            costs: costs.clone(),
        }));
    }
    for link in &model.links {
        let path = &model.paths[link.path];
        let costs = path
            .iter()
            .map(|amounts| model.worth(amounts).map(Some))
            .collect::<Option<Vec<_>>>()?;
        links.extend(between(lots, link.from, link.to).map(|lots| PairCost {
            lots,
            costs: costs.clone(),
        }));
    }
    Some(links)
}

/// Services that keep apart, and spreads of those that are split. Where a cluster is in no domain, which only a wish allows, it is left out.
fn groups(model: &IntegerModel<'_>, lots: &Lots, unit: i128, problem: &mut QuadraticProblem) {
    let point = model.weight(Goal::Preference);
    let price = |price: Option<i64>| {
        price.map(|price| {
            i64::try_from(i128::from(price).saturating_mul(point) / unit).unwrap_or(i64::MAX >> 20)
        })
    };
    for group in model.apart.iter().filter(|group| is_group(model, lots, group)) {
        let tasks = group
            .services
            .iter()
            .flat_map(|service| &lots.of_service[*service]);
        let class = group.domains.of.iter();
        problem.add_group(Group {
            tasks: tasks.copied().collect(),
            class: class
                .map(|domain| domain.unwrap_or(group.domains.count))
                .collect(),
            usable: vec![true; group.domains.count],
            least: group.services.len(),
            ..Group::default()
        });
    }
    let mut add = |number: usize, domains: &IntegerDomains, wanted: Group| {
        let service = &model.services[number];
        if service.split && service.open.iter().all(|cluster| domains.of[*cluster].is_some()) {
            problem.add_group(Group {
                tasks: lots.of_service[number].clone(),
                class: domains
                    .of
                    .iter()
                    .map(|domain| domain.unwrap_or(domains.count))
                    .collect(),
                ..wanted
            });
        }
    };
    for spread in &model.spreads {
        let wanted = Group {
            usable: spread.usable.clone(),
            least: spread.min_groups as usize,
            most: spread.max_groups.map(|most| most as usize),
            skew: spread.max_skew.map(|skew| skew as usize),
            price: price(spread.price),
            ..Group::default()
        };
        add(spread.service, &spread.domains, wanted);
    }
    for wanted in &model.availability {
        let two = Group {
            least: 2,
            price: price(wanted.price),
            ..Group::default()
        };
        add(wanted.service, &wanted.domains, two);
    }
}
