//! A part of the problem that shares nothing with the rest, and how it is settled.

use super::greedy;
use super::model;
use super::prices::Prices;
use super::search::search;
use super::{MilpPlacer, Work};
use crate::milp::Solved;
use crate::placement::PlacementError;
use crate::placement::grid::{Grid, Layout};

/// A part of so few open pairs is tried at once.
const SMALL: usize = 40;

/// How many groups of clusters are searched for a cheaper placement.
const NEIGHBOURHOODS: usize = 400;

/// How many service-cluster pairs one such search may look at.
const NEIGHBOURHOOD_EFFORT: u64 = 50_000;

/// Services that share a cluster that can fill up, or a limited link, directly or through others.
#[derive(Debug, Clone)]
pub(super) struct Part {
    items: Vec<usize>,
    /// The clusters still open to each service, in order.
    pub(super) domains: Vec<Vec<usize>>,
    /// What each of those costs above the cheapest one of the service, in units of `unit`.
    pub(super) costs: Vec<Vec<i128>>,
    /// What the cheapest clusters cost together.
    offset: i128,
    /// The greatest number that divides every difference of cost.
    unit: i128,
}

/// A placement of a part.
#[derive(Debug)]
pub(super) struct Placed {
    /// One cluster a service, in the order of [`Part::items`].
    pub(super) clusters: Vec<usize>,
    /// No placement of the part costs less, in units of value; `None` when that does not fit.
    pub(super) bound: Option<i128>,
    /// How the bound can be redone.
    pub(super) argument: String,
    /// True when only the solver vouches for the bound.
    pub(super) by_solver: bool,
}

/// What came of a part.
#[derive(Debug)]
pub(super) enum Settled {
    Placed(Placed),
    Impossible,
    Unknown,
}

impl Part {
    /// The parts of the problem.
    pub(super) fn split(grid: &Grid<'_>) -> Result<Vec<Self>, PlacementError> {
        let mut domains: Vec<Vec<usize>> = grid.items.iter().map(|item| item.domain.clone()).collect();
        keep_linked(grid, &(0..grid.items.len()).collect::<Vec<_>>(), &mut domains);
        let mut groups = Groups::new(grid.items.len());
        for (index, item) in grid.items.iter().enumerate() {
            item.peers.iter().for_each(|(peer, _)| groups.join(index, *peer));
        }
        let all: Vec<usize> = (0..grid.items.len()).collect();
        for Row {
            cluster, resource, ..
        } in rows_that_bind(grid, &all, &domains)
        {
            let users = all.iter().copied().filter(|item| {
                let open = domains.get(*item).is_some_and(|domain| domain.contains(&cluster));
                open && grid.items.get(*item).is_some_and(|item| item.need(resource) > 0)
            });
            let users: Vec<usize> = users.collect();
            if let Some((first, rest)) = users.split_first() {
                rest.iter().for_each(|other| groups.join(*first, *other));
            }
        }
        groups
            .lists()
            .into_iter()
            .map(|items| Self::new(grid, items, &domains))
            .collect()
    }

    fn new(grid: &Grid<'_>, items: Vec<usize>, domains: &[Vec<usize>]) -> Result<Self, PlacementError> {
        let domains: Vec<Vec<usize>> = items
            .iter()
            .map(|item| domains.get(*item).cloned().unwrap_or_default())
            .collect();
        let mut costs = Vec::with_capacity(items.len());
        let (mut offset, mut unit) = (0_i128, 0_i128);
        for (item, domain) in items
            .iter()
            .filter_map(|item| grid.items.get(*item))
            .zip(&domains)
        {
            let overflow = || PlacementError::Overflow {
                service: item.key.clone(),
            };
            let cheapest = domain
                .iter()
                .map(|cluster| item.cost(*cluster))
                .min()
                .unwrap_or(0);
            offset = offset.checked_add(cheapest).ok_or_else(overflow)?;
            let above = |cluster: &usize| item.cost(*cluster).checked_sub(cheapest).ok_or_else(overflow);
            let row = domain.iter().map(above).collect::<Result<Vec<_>, _>>()?;
            unit = row.iter().fold(unit, |unit, cost| gcd(unit, *cost));
            costs.push(row);
        }
        let unit = unit.max(1);
        costs.iter_mut().flatten().for_each(|cost| *cost /= unit);
        Ok(Self {
            items,
            domains,
            costs,
            offset,
            unit,
        })
    }

    pub(super) fn items(&self) -> &[usize] {
        &self.items
    }

    /// The cost above the cheapest of one choice, in units; `None` where the choice is not open.
    pub(super) fn cost(&self, position: usize, cluster: usize) -> Option<i128> {
        let at = self.domains.get(position)?.binary_search(&cluster).ok()?;
        self.costs.get(position)?.get(at).copied()
    }

    pub(super) fn total(&self, clusters: &[usize]) -> Option<i128> {
        clusters
            .iter()
            .enumerate()
            .try_fold(0_i128, |sum, (position, cluster)| {
                sum.checked_add(self.cost(position, *cluster)?)
            })
    }

    /// A bound in units as a value.
    fn value(&self, units: i128) -> Option<i128> {
        units.checked_mul(self.unit)?.checked_add(self.offset)
    }

    pub(super) fn variables(&self) -> usize {
        self.domains.iter().map(Vec::len).sum()
    }

    /// True when `clusters`, one a service, keep capacities and links.
    fn holds(&self, grid: &Grid<'_>, clusters: &[usize]) -> bool {
        let mut layout = Layout::new(grid);
        self.items.iter().zip(clusters).all(|(item, cluster)| {
            let fits = layout.fits(*item, *cluster);
            layout.put(*item, *cluster);
            fits
        }) && clusters.len() == self.items.len()
    }

    /// Every service on its cheapest cluster; among equals where it runs, then the first.
    fn cheapest(&self, grid: &Grid<'_>) -> Vec<usize> {
        let best = |(position, item): (usize, &usize)| {
            let home = grid.items.get(*item).and_then(|item| item.home);
            let key = |cluster: &&usize| (self.cost(position, **cluster), Some(**cluster) != home, **cluster);
            self.domains.get(position)?.iter().min_by_key(key).copied()
        };
        self.items.iter().enumerate().filter_map(best).collect()
    }

    pub(super) fn settle(
        &self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        work: &mut Work,
    ) -> Result<Settled, PlacementError> {
        if self.domains.iter().any(Vec::is_empty) {
            return Ok(Settled::Impossible);
        }
        let cheapest = self.cheapest(grid);
        if self.holds(grid, &cheapest) {
            let argument = "every service is on its cheapest allowed cluster".to_owned();
            return Ok(Settled::Placed(Placed {
                clusters: cheapest,
                bound: Some(self.offset),
                argument,
                by_solver: false,
            }));
        }
        let mut open = self.clone();
        let mut best = greedy::search(grid, self).map(|clusters| (self.total(&clusters), clusters));
        let mut bound = 0;
        let mut argument = "no service is cheaper than on its cheapest allowed cluster".to_owned();
        let mut improved = false;
        loop {
            let before = open.variables();
            let target = best.as_ref().and_then(|(total, _)| *total);
            let prices = Prices::find(grid, &open, target);
            for candidate in greedy::from_prices(grid, self, &open, &prices) {
                let total = self.total(&candidate);
                if best.as_ref().is_none_or(|(known, _)| better(total, *known)) {
                    best = Some((total, candidate));
                }
            }
            if prices.bound() > bound {
                bound = prices.bound();
                argument = prices.argument(grid);
            }
            let Some((Some(total), clusters)) = &best else {
                break;
            };
            if bound < *total {
                open.keep_improving(grid, &prices, *total);
            }
            // Nothing is left that could be cheaper: the bound meets the placement.
            if bound >= *total || open.domains.iter().any(Vec::is_empty) {
                return Ok(Settled::Placed(Placed {
                    clusters: clusters.clone(),
                    bound: self.value(*total),
                    argument,
                    by_solver: false,
                }));
            }
            if open.variables() * 10 <= before * 9 {
                continue;
            }
            if !improved && open.variables() > SMALL {
                improved = true;
                let mut clusters = clusters.clone();
                self.improve(grid, &mut clusters, bound, work);
                best = Some((self.total(&clusters), clusters));
                continue;
            }
            break;
        }
        if let Some(settled) = open.try_all(self, grid, placer, &mut best, work) {
            return Ok(settled);
        }
        open.solve(self, grid, placer, best, (bound, argument), work)
    }

    /// Tries every open combination; `None` when they are too many.
    fn try_all(
        &self,
        whole: &Self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        best: &mut Option<(Option<i128>, Vec<usize>)>,
        work: &mut Work,
    ) -> Option<Settled> {
        let target = best.as_ref().and_then(|(total, _)| *total);
        let prices = Prices::find(grid, self, target);
        let searched = search(grid, self, &prices, target, placer.search_effort);
        work.nodes += searched.nodes;
        if let Some(found) = searched.found {
            *best = Some((whole.total(&found), found));
        }
        if !searched.complete {
            return None;
        }
        Some(match best {
            Some((total, clusters)) => Settled::Placed(Placed {
                clusters: clusters.clone(),
                bound: total.and_then(|total| whole.value(total)),
                argument: format!(
                    "a search tree of {} nodes closes: {}",
                    searched.nodes,
                    prices.argument(grid)
                ),
                by_solver: false,
            }),
            None => Settled::Impossible,
        })
    }

    /// Replaces a few clusters at a time: one that has a service which would be cheaper elsewhere, that elsewhere, and a
    /// third. Stops at the bound, or after [`NEIGHBOURHOODS`] searches.
    fn improve(&self, grid: &Grid<'_>, clusters: &mut [usize], bound: i128, work: &mut Work) {
        let mut left = NEIGHBOURHOODS;
        for third in 0..grid.clusters.len() {
            for position in 0..clusters.len() {
                let Some(now) = clusters.get(position).copied() else {
                    continue;
                };
                let cheapest = self.domains.get(position).into_iter().flatten();
                let Some(&wish) = cheapest.min_by_key(|cluster| self.cost(position, **cluster)) else {
                    continue;
                };
                if wish == now || third == now || third == wish {
                    continue;
                }
                if left == 0 || self.total(clusters).is_none_or(|total| total <= bound) {
                    return;
                }
                left -= 1;
                self.replace(grid, clusters, &[now, wish, third], work);
            }
        }
    }

    /// Places the services of some clusters again on these clusters, if that finds something cheaper.
    fn replace(&self, grid: &Grid<'_>, clusters: &mut [usize], free: &[usize], work: &mut Work) {
        let mut chosen = vec![None; grid.items.len()];
        for (item, cluster) in self.items.iter().zip(clusters.iter()) {
            if let Some(slot) = chosen.get_mut(*item) {
                *slot = Some(*cluster).filter(|cluster| !free.contains(cluster));
            }
        }
        let mut part = Self {
            items: vec![],
            domains: vec![],
            costs: vec![],
            offset: 0,
            unit: self.unit,
        };
        let mut positions = Vec::new();
        let mut target = 0_i128;
        for (position, now) in clusters.iter().enumerate().filter(|(_, now)| free.contains(now)) {
            let Some(item) = self.items.get(position).and_then(|item| grid.items.get(*item)) else {
                continue;
            };
            let near_peers = |cluster: usize| {
                let fixed = |peer: usize| chosen.get(peer).copied().flatten();
                let near = |&(peer, limit): &(usize, usize)| {
                    fixed(peer).is_none_or(|there| grid.near(limit, cluster, there))
                };
                item.peers.iter().all(near)
            };
            let domain = self.domains.get(position).into_iter().flatten().copied();
            let domain: Vec<usize> = domain
                .filter(|cluster| free.contains(cluster) && near_peers(*cluster))
                .collect();
            let costs = domain
                .iter()
                .filter_map(|cluster| self.cost(position, *cluster))
                .collect();
            target = target.saturating_add(self.cost(position, *now).unwrap_or(0));
            positions.push(position);
            part.items.extend(self.items.get(position));
            part.domains.push(domain);
            part.costs.push(costs);
        }
        let prices = Prices::find(grid, &part, Some(target));
        if prices.bound() >= target {
            return;
        }
        part.keep_improving(grid, &prices, target);
        if part.domains.iter().any(Vec::is_empty) {
            return;
        }
        let searched = search(
            grid,
            &part,
            &Prices::find(grid, &part, Some(target)),
            Some(target),
            NEIGHBOURHOOD_EFFORT,
        );
        work.nodes += searched.nodes;
        let mut next = clusters.to_vec();
        for (position, cluster) in positions.into_iter().zip(searched.found.into_iter().flatten()) {
            if let Some(slot) = next.get_mut(position) {
                *slot = cluster;
            }
        }
        if better(self.total(&next), self.total(clusters)) && self.holds(grid, &next) {
            clusters.copy_from_slice(&next);
        }
    }

    /// Closes every pair that cannot be in a placement cheaper than `total`.
    fn keep_improving(&mut self, grid: &Grid<'_>, prices: &Prices, total: i128) {
        for (position, (domain, costs)) in self.domains.iter_mut().zip(&mut self.costs).enumerate() {
            let open: Vec<bool> = (0..domain.len())
                .map(|at| prices.bound_with(position, at) < total)
                .collect();
            let mut keep = open.iter();
            domain.retain(|_| keep.next().copied().unwrap_or(false));
            let mut keep = open.iter();
            costs.retain(|_| keep.next().copied().unwrap_or(false));
        }
        let before = self.domains.clone();
        let mut linked = vec![Vec::new(); grid.items.len()];
        for (item, domain) in self.items.iter().zip(&self.domains) {
            if let Some(slot) = linked.get_mut(*item) {
                slot.clone_from(domain);
            }
        }
        keep_linked(grid, &self.items, &mut linked);
        for (position, item) in self.items.iter().enumerate() {
            let (Some(after), Some(old)) = (linked.get_mut(*item), before.get(position)) else {
                continue;
            };
            let after = std::mem::take(after);
            if let (Some(costs), true) = (self.costs.get_mut(position), after.len() < old.len()) {
                let mut kept = old.iter().map(|cluster| after.contains(cluster));
                costs.retain(|_| kept.next().unwrap_or(false));
            }
            if let Some(domain) = self.domains.get_mut(position) {
                *domain = after;
            }
        }
    }

    /// Asks the solver for a placement cheaper than the best known one of the whole part.
    fn solve(
        &self,
        whole: &Self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        best: Option<(Option<i128>, Vec<usize>)>,
        (bound, argument): (i128, String),
        work: &mut Work,
    ) -> Result<Settled, PlacementError> {
        let fall_back = |best: Option<(Option<i128>, Vec<usize>)>| match best {
            Some((_, clusters)) => Settled::Placed(Placed {
                clusters,
                bound: whole.value(bound),
                argument: argument.clone(),
                by_solver: false,
            }),
            None => Settled::Unknown,
        };
        if self.variables() > placer.max_variables() {
            return Ok(fall_back(best));
        }
        let target = best.as_ref().and_then(|(total, _)| *total);
        let model = model::build(grid, self, target);
        work.variables += model.variables().len() as u64;
        work.constraints += model.constraints().len() as u64;
        let solved = placer
            .solver
            .solve(&model)
            .map_err(|error| placer.failed(error))?;
        let proved = |clusters: Vec<usize>| {
            Settled::Placed(Placed {
                bound: whole.total(&clusters).and_then(|total| whole.value(total)),
                clusters,
                argument: String::new(),
                by_solver: true,
            })
        };
        match (solved, best) {
            (Solved::Infeasible, None) => Ok(Settled::Impossible),
            (Solved::Infeasible, Some((_, clusters))) => Ok(proved(clusters)),
            (Solved::GaveUp, best) => Ok(fall_back(best)),
            (Solved::Unbounded, _) => Err(placer.failed("it called a bounded model unbounded")),
            (Solved::Solution(solution), best) => {
                let faults = crate::milp::check(&model, &solution.values);
                let found = model::read(self, &solution.values)
                    .filter(|clusters| faults.is_empty() && self.holds(grid, clusters));
                let Some(found) = found else {
                    // Off by rounding: nothing of it is believed.
                    return Ok(fall_back(best));
                };
                let total = whole.total(&found);
                let improves = best.as_ref().is_none_or(|(known, _)| better(total, *known));
                let clusters = match best {
                    Some((_, clusters)) if !improves => clusters,
                    _ => found,
                };
                if solution.optimal {
                    Ok(proved(clusters))
                } else {
                    Ok(fall_back(Some((None, clusters))))
                }
            }
        }
    }
}

/// True when `total` is known and less than `known`.
fn better(total: Option<i128>, known: Option<i128>) -> bool {
    total.is_some_and(|total| known.is_none_or(|known| total < known))
}

/// A cluster and a resource that the services could fill up, if all of them that may go there did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cluster: usize,
    pub(super) resource: usize,
    /// What there is, down to the next amount that the services can add up to: a multiple of the greatest common divisor
    /// of what they take.
    pub(super) capacity: u64,
}

/// Every row that can bind.
pub(super) fn rows_that_bind(grid: &Grid<'_>, items: &[usize], domains: &[Vec<usize>]) -> Vec<Row> {
    let mut asked = vec![vec![(0_u128, 0_u64); grid.resources.len()]; grid.clusters.len()];
    for (item, domain) in items.iter().zip(domains) {
        let Some(item) = grid.items.get(*item) else {
            continue;
        };
        for cluster in domain {
            for ((sum, divisor), need) in asked.get_mut(*cluster).into_iter().flatten().zip(&item.needs) {
                *sum += u128::from(*need);
                *divisor = gcd(*divisor, *need);
            }
        }
    }
    let mut rows = Vec::new();
    for (cluster, row) in asked.iter().enumerate() {
        for (resource, (asked, divisor)) in row.iter().enumerate() {
            let available = grid.available(cluster, resource);
            if let Some(available) = available.filter(|available| *asked > u128::from(*available)) {
                let capacity = available - available % (*divisor).max(1);
                rows.push(Row {
                    cluster,
                    resource,
                    capacity,
                });
            }
        }
    }
    rows
}

/// Closes every cluster from which a limited link reaches no open cluster of the other service, until nothing changes.
/// `domains` is by number of service.
fn keep_linked(grid: &Grid<'_>, items: &[usize], domains: &mut [Vec<usize>]) {
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for index in items {
            let Some(item) = grid.items.get(*index) else {
                continue;
            };
            for &(peer, limit) in &item.peers {
                let reached = domains.get(peer).cloned().unwrap_or_default();
                let Some(domain) = domains.get_mut(*index) else {
                    continue;
                };
                let before = domain.len();
                domain.retain(|from| {
                    reached.binary_search(from).is_ok() && grid.near(limit, *from, *from)
                        || reached.iter().any(|to| grid.near(limit, *from, *to))
                });
                changed |= domain.len() < before;
            }
        }
    }
}

/// The greatest common divisor.
pub(super) fn gcd<N: Copy + Default + PartialEq + std::ops::Rem<Output = N>>(mut a: N, mut b: N) -> N {
    while b != N::default() {
        (a, b) = (b, a % b);
    }
    a
}

/// Disjoint sets of services.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&self, mut item: usize) -> usize {
        while let Some(&parent) = self.0.get(item).filter(|parent| **parent != item) {
            item = parent;
        }
        item
    }

    /// Joins two sets under the earlier service.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(slot) = self.0.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }

    fn lists(&self) -> Vec<Vec<usize>> {
        let mut lists = std::collections::BTreeMap::<usize, Vec<usize>>::new();
        for item in 0..self.0.len() {
            lists.entry(self.root(item)).or_default().push(item);
        }
        lists.into_values().collect()
    }
}
