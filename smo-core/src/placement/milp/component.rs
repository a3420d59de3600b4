//! A part of the problem that shares nothing with the rest, and how it is settled.

use super::MilpPlacer;
use super::assigning::says_all;
use super::greedy;
use super::prices::Prices;
use super::run::{PAIR, Run};
use super::split::keep_linked;
use crate::placement::PlacementError;
use crate::placement::grid::{Grid, Layout};
use crate::units::gcd;

/// A part of so few open pairs is tried at once.
const SMALL: usize = 40;

/// An assignment problem of more pairs goes to its own search before anything else is tried.
const DIRECT: usize = 400;

/// What proves a bound of 0.
pub(super) const NO_PRICES: &str = "no service is cheaper than on its cheapest allowed cluster";

/// Services that share a cluster that can fill up, or a limited link, directly or through others.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) items: Vec<usize>,
    /// The clusters still open to each service, in order.
    pub(super) domains: Vec<Vec<usize>>,
    /// What each of those costs above the cheapest one of the service, in units of `unit`.
    pub(super) costs: Vec<Vec<i128>>,
    /// What the cheapest clusters cost together.
    pub(super) offset: i128,
    /// The greatest number that divides every difference of cost.
    pub(super) unit: i128,
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

impl Placed {
    /// Every service on its cheapest cluster, which costs `sum`.
    pub(super) fn cheapest(clusters: Vec<usize>, sum: i128) -> Self {
        Self {
            clusters,
            bound: Some(sum),
            argument: "every service is on its cheapest allowed cluster".to_owned(),
            by_solver: false,
        }
    }
}

/// Prices, of how many open pairs, and with what as the best known placement.
type Known = (Prices, usize, Option<i128>);

/// What came of a part.
#[derive(Debug)]
pub(super) enum Settled {
    Placed(Placed),
    Impossible,
    Unknown,
}

impl Part {
    pub(super) fn new(
        grid: &Grid<'_>,
        items: Vec<usize>,
        domains: &[Vec<usize>],
    ) -> Result<Self, PlacementError> {
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
    pub(super) fn value(&self, units: i128) -> Option<i128> {
        units.checked_mul(self.unit)?.checked_add(self.offset)
    }

    pub(super) fn variables(&self) -> usize {
        self.domains.iter().map(Vec::len).sum()
    }

    /// True when `clusters`, one a service, keep capacities and links.
    pub(super) fn holds(&self, grid: &Grid<'_>, clusters: &[usize]) -> bool {
        let mut layout = Layout::new(grid);
        self.items.iter().zip(clusters).all(|(item, cluster)| {
            let fits = layout.fits(*item, *cluster);
            layout.put(*item, *cluster);
            fits
        }) && clusters.len() == self.items.len()
    }

    /// Every service on its cheapest cluster; among equals where it runs, then the first.
    fn cheapest(&self, grid: &Grid<'_>) -> Vec<usize> {
        let best = |(item, (domain, costs)): (&usize, (&Vec<usize>, &Vec<i128>))| {
            let home = grid.items.get(*item).and_then(|item| item.home);
            let key = |(cluster, cost): &(&usize, &i128)| (**cost, Some(**cluster) != home, **cluster);
            let cheapest = domain.iter().zip(costs).min_by_key(key);
            cheapest.map(|(cluster, _)| *cluster)
        };
        let open = self.domains.iter().zip(&self.costs);
        self.items.iter().zip(open).filter_map(best).collect()
    }

    /// Settles the part; with what is known by then when the one who watches has enough.
    pub(super) fn settle(
        &self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        run: &mut Run<'_>,
    ) -> Result<Settled, PlacementError> {
        if self.domains.iter().any(Vec::is_empty) {
            return Ok(Settled::Impossible);
        }
        let cheapest = self.cheapest(grid);
        if self.holds(grid, &cheapest) {
            return Ok(Settled::Placed(Placed::cheapest(cheapest, self.offset)));
        }
        let (mut bound, mut argument) = (0, NO_PRICES.to_owned());
        if !run.teller.took(PAIR.saturating_mul(self.variables() as u64)) {
            return Ok(self.given_up(grid, None, (bound, argument), run));
        }
        if self.variables() > DIRECT && says_all(grid, self) {
            let mut best = None;
            let settled = self.assign(self, grid, placer, &mut best, (&mut bound, &mut argument), run);
            return settled.map_or_else(
                || self.solve(self, grid, placer, best, (bound, argument), run),
                Ok,
            );
        }
        let mut open = self.clone();
        let mut best =
            greedy::search(grid, self, &mut run.teller).map(|clusters| (self.total(&clusters), clusters));
        // An assignment problem is improved by its own search.
        let mut improved = says_all(grid, self);
        let mut known: Option<Known> = None;
        while !run.teller.stopped() {
            let before = open.variables();
            let target = best.as_ref().and_then(|(total, _)| *total);
            let prices = Prices::find(grid, &open, target);
            if run.teller.took(Prices::effort(&open)) {
                for candidate in greedy::from_prices(grid, self, &open, &prices, &mut run.teller) {
                    let total = self.total(&candidate);
                    if best.as_ref().is_none_or(|(known, _)| better(total, *known)) {
                        best = Some((total, candidate));
                    }
                }
            }
            if prices.bound() > bound {
                bound = prices.bound();
                argument = prices.argument(grid);
            }
            let Some((Some(total), clusters)) = &best else {
                break;
            };
            run.see(self, Some(*total), bound);
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
            known = Some((prices, before, target));
            if open.variables() * 10 <= before * 9 {
                continue;
            }
            if !improved && open.variables() > SMALL {
                improved = true;
                let mut clusters = clusters.clone();
                self.improve(grid, &mut clusters, bound, run);
                best = Some((self.total(&clusters), clusters));
                continue;
            }
            break;
        }
        if !run.teller.took(0) {
            return Ok(self.given_up(grid, best, (bound, argument), run));
        }
        // Pairs are only closed: as many as before are the same.
        let now = (open.variables(), best.as_ref().and_then(|(total, _)| *total));
        let known = known.filter(|(_, pairs, target)| (*pairs, *target) == now);
        let known = known.map(|(prices, ..)| prices);
        if let Some(settled) = open.try_all(self, grid, placer, &mut best, known, run) {
            return Ok(settled);
        }
        if run.teller.stopped() {
            return Ok(self.given_up(grid, best, (bound, argument), run));
        }
        if let Some(settled) = open.assign(self, grid, placer, &mut best, (&mut bound, &mut argument), run) {
            return Ok(settled);
        }
        open.solve(self, grid, placer, best, (bound, argument), run)
    }

    /// Closes every pair that cannot be in a placement cheaper than `total`.
    pub(super) fn keep_improving(&mut self, grid: &Grid<'_>, prices: &Prices, total: i128) {
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
}

/// True when `total` is known and less than `known`.
pub(super) fn better(total: Option<i128>, known: Option<i128>) -> bool {
    total.is_some_and(|total| known.is_none_or(|known| total < known))
}
