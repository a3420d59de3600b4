//! A part of the problem that shares nothing with the rest, and how it is settled.

use super::assigning::{assign, says_all};
use super::greedy;
use super::model;
use super::prices::Prices;
use super::search::search;
use super::split::keep_linked;
use super::{MilpPlacer, Work};
use crate::milp::Solved;
use crate::placement::PlacementError;
use crate::placement::grid::{Grid, Layout};
use crate::units::gcd;

/// A part of so few open pairs is tried at once.
const SMALL: usize = 40;

/// An assignment problem of more pairs goes to its own search before anything else is tried.
const DIRECT: usize = 400;

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
    fn value(&self, units: i128) -> Option<i128> {
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
        if self.variables() > DIRECT && says_all(grid, self) {
            let (mut best, mut bound, mut argument) = (None, 0, String::new());
            let settled = self.assign(self, grid, placer, &mut best, (&mut bound, &mut argument), work);
            return settled.map_or_else(
                || self.solve(self, grid, placer, best, (bound, argument), work),
                Ok,
            );
        }
        let mut open = self.clone();
        let mut best = greedy::search(grid, self).map(|clusters| (self.total(&clusters), clusters));
        let mut bound = 0;
        let mut argument = "no service is cheaper than on its cheapest allowed cluster".to_owned();
        // An assignment problem is improved by its own search.
        let mut improved = says_all(grid, self);
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
        if let Some(settled) = open.assign(self, grid, placer, &mut best, (&mut bound, &mut argument), work) {
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
        let argument = format!(
            "a search tree of {} nodes closes: {}",
            searched.nodes,
            prices.argument(grid)
        );
        Some(whole.closed(best.as_ref(), argument))
    }

    /// Settles it as an assignment problem; `None` when that does not close the part. Keeps what it finds.
    fn assign(
        &self,
        whole: &Self,
        grid: &Grid<'_>,
        placer: &MilpPlacer,
        best: &mut Option<(Option<i128>, Vec<usize>)>,
        (bound, argument): (&mut i128, &mut String),
        work: &mut Work,
    ) -> Option<Settled> {
        // Costs of the open part are those of the whole: closing pairs keeps offset and unit.
        let target = best.as_ref().and_then(|(total, _)| *total);
        let assigned = assign(grid, self, target, placer.assign_effort())?;
        work.nodes += assigned.nodes;
        if let Some(found) = assigned.found {
            *best = Some((whole.total(&found), found));
        }
        let how = match assigned.nodes {
            0 => {
                "prices on what clusters have, and what values there can be above what these prove".to_owned()
            }
            nodes => format!("what each cluster can take together, over {nodes} nodes"),
        };
        if !assigned.complete {
            if assigned.bound > *bound {
                *bound = assigned.bound;
                *argument = how;
            }
            return None;
        }
        Some(whole.closed(best.as_ref(), how))
    }

    /// What a search that came to its end says: the best placement is `best`, or there is none.
    fn closed(&self, best: Option<&(Option<i128>, Vec<usize>)>, argument: String) -> Settled {
        match best {
            Some((total, clusters)) => Settled::Placed(Placed {
                clusters: clusters.clone(),
                bound: total.and_then(|total| self.value(total)),
                argument,
                by_solver: false,
            }),
            None => Settled::Impossible,
        }
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
pub(super) fn better(total: Option<i128>, known: Option<i128>) -> bool {
    total.is_some_and(|total| known.is_none_or(|known| total < known))
}
