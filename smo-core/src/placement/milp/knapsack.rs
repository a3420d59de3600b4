//! A stronger bound: every cluster fills a knapsack of its own (Lagrangian relaxation of the assignment rows).
//!
//! For any rewards `u`, `sum u + sum over clusters of min over what fits (cost - u)` is at most the cost of every placement:
//! each service is placed once, so the rewards cancel. Each minimum is a 0-1 knapsack, solved exactly over the capacity of
//! the *primary* resource; the other resources keep their prices. The bound is at least that of capacity prices alone, and
//! is computed in integers. See Fisher, Jaikumar, Van Wassenhove, [A Multiplier Adjustment Method for the Generalized
//! Assignment Problem](https://doi.org/10.1287/mnsc.32.9.1095), 1986.

use super::component::Part;
use super::prices::Prices;
use super::rows::{gcd, rows_that_bind};
use crate::placement::grid::Grid;

/// Costs are counted in `1 / 2^SHIFT` of a unit.
const SHIFT: u32 = 20;
/// A choice that is not open.
pub(super) const CLOSED: i64 = i64::MAX;
/// Costs in scaled units stay below this, so that no sum of them leaves 64 bits.
const LARGEST: i128 = 1 << 52;
/// More cells in one knapsack are not filled.
const MOST_CELLS: u128 = 4_000_000;

/// A part as knapsacks.
#[derive(Debug, Clone)]
pub(super) struct Knapsacks {
    /// By service: what it takes of the primary resource, in units of their greatest common divisor.
    pub(super) weights: Vec<usize>,
    /// By cluster: the primary capacity in those units, at most what all services take.
    pub(super) capacities: Vec<usize>,
    /// By service and cluster: the scaled cost, the prices of other resources included; [`CLOSED`] where not open.
    pub(super) costs: Vec<Vec<i64>>,
    /// What the prices of other resources take back, scaled.
    constant: i64,
}

/// What one round of knapsacks gives.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    /// The bound, scaled.
    pub(super) scaled: i64,
    /// By service: the clusters whose knapsack holds it.
    pub(super) holders: Vec<Vec<usize>>,
    /// By cluster: the least `cost - reward` of what fits.
    pub(super) least: Vec<i64>,
}

impl Filled {
    /// No placement costs less than this, in units.
    pub(super) const fn bound(&self) -> i64 {
        in_units(self.scaled)
    }
}

/// A scaled bound in whole units, rounded up: costs are whole.
pub(super) const fn in_units(scaled: i64) -> i64 {
    (scaled >> SHIFT) + (scaled & ((1 << SHIFT) - 1) != 0) as i64
}

impl Knapsacks {
    /// The part as knapsacks over the resource that binds on most clusters; `None` where numbers are too large for it.
    pub(super) fn new(grid: &Grid<'_>, part: &Part, prices: &Prices) -> Option<Self> {
        let rows = rows_that_bind(grid, part.items(), &part.domains);
        let binds = |resource: usize| rows.iter().filter(|row| row.resource == resource).count();
        let primary = (0..grid.resources.len())
            .rev()
            .max_by_key(|resource| binds(*resource))?;
        let needs: Vec<u64> = part
            .items()
            .iter()
            .map(|item| grid.items.get(*item).map_or(0, |item| item.need(primary)))
            .collect();
        let unit = needs.iter().fold(0, |unit, need| gcd(unit, *need)).max(1);
        let weights = needs
            .iter()
            .map(|need| usize::try_from(need / unit).ok())
            .collect::<Option<Vec<usize>>>()?;
        let all = weights
            .iter()
            .try_fold(0_usize, |sum, weight| sum.checked_add(*weight))?;
        let capacity = |cluster: usize| match grid.available(cluster, primary) {
            Some(available) => usize::try_from(available / unit).unwrap_or(usize::MAX).min(all),
            None => all,
        };
        let capacities: Vec<usize> = (0..grid.clusters.len()).map(capacity).collect();
        let largest = capacities.iter().copied().max().unwrap_or(0) as u128 + 1;
        if largest * weights.len() as u128 > MOST_CELLS {
            return None;
        }
        let mut knapsacks = Self {
            weights,
            capacities: capacities
                .iter()
                .map(|capacity| reachable(*capacity, &needs, unit))
                .collect(),
            costs: vec![vec![CLOSED; grid.clusters.len()]; part.items().len()],
            constant: 0,
        };
        knapsacks.charge(grid, part, prices, primary)?;
        Some(knapsacks)
    }

    /// Fills in costs with the prices of every resource but the primary one.
    fn charge(&mut self, grid: &Grid<'_>, part: &Part, prices: &Prices, primary: usize) -> Option<()> {
        let others: Vec<_> = prices
            .rows()
            .iter()
            .filter(|(row, _)| row.resource != primary)
            .collect();
        let mut constant = 0_i128;
        let mut surcharge = vec![vec![0_i128; grid.clusters.len()]; part.items().len()];
        for (row, price) in others {
            let need = |item: &usize| grid.items.get(*item).map_or(0, |item| item.need(row.resource));
            let unit = part.items().iter().map(need).fold(0, gcd).max(1);
            // The price of `unit` base units, in scaled units of cost.
            let price = (price.checked_mul(i128::from(unit))? << SHIFT) >> prices.shift();
            constant -= price.checked_mul(i128::from(row.capacity / unit))?;
            for (item, sums) in part.items().iter().zip(&mut surcharge) {
                *sums.get_mut(row.cluster)? += price.checked_mul(i128::from(need(item) / unit))?;
            }
        }
        for (position, (domain, costs)) in part.domains.iter().zip(&part.costs).enumerate() {
            for (cluster, cost) in domain.iter().zip(costs) {
                let surcharge = surcharge.get(position)?.get(*cluster)?;
                let scaled = cost.checked_mul(1 << SHIFT)?.checked_add(*surcharge)?;
                let fits = self.weights.get(position)? <= self.capacities.get(*cluster)?;
                if scaled.unsigned_abs() as i128 > LARGEST / (part.items().len() as i128 + 1) {
                    return None;
                }
                if fits {
                    *self.costs.get_mut(position)?.get_mut(*cluster)? = i64::try_from(scaled).ok()?;
                }
            }
        }
        self.constant = i64::try_from(constant)
            .ok()
            .filter(|constant| i128::from(constant.unsigned_abs()) < LARGEST)?;
        Some(())
    }

    /// The dearest reward that can help: what a service costs at most.
    pub(super) fn first_rewards(&self) -> Vec<i64> {
        self.costs
            .iter()
            .map(|row| {
                row.iter()
                    .copied()
                    .filter(|cost| *cost != CLOSED)
                    .min()
                    .unwrap_or(0)
            })
            .collect()
    }

    /// Fills every knapsack for these rewards. `cells` counts the work.
    pub(super) fn fill(&self, rewards: &[i64], cells: &mut u64) -> Filled {
        let mut filled = Filled {
            scaled: rewards.iter().sum::<i64>() + self.constant,
            holders: vec![Vec::new(); self.weights.len()],
            least: vec![0; self.capacities.len()],
        };
        for cluster in 0..self.capacities.len() {
            let (least, chosen) = self.fill_one(cluster, rewards, cells);
            filled.scaled += least;
            if let Some(slot) = filled.least.get_mut(cluster) {
                *slot = least;
            }
            for position in chosen {
                if let Some(holders) = filled.holders.get_mut(position) {
                    holders.push(cluster);
                }
            }
        }
        filled
    }

    /// The services that are worth having on a cluster, with what they cost less their reward.
    fn worthwhile(&self, cluster: usize, rewards: &[i64]) -> Vec<(usize, usize, i64)> {
        let entry = |(position, row): (usize, &Vec<i64>)| {
            let cost = row.get(cluster).copied().filter(|cost| *cost != CLOSED)?;
            let value = cost - rewards.get(position)?;
            (value < 0).then_some((position, *self.weights.get(position)?, value))
        };
        self.costs.iter().enumerate().filter_map(entry).collect()
    }

    fn fill_one(&self, cluster: usize, rewards: &[i64], cells: &mut u64) -> (i64, Vec<usize>) {
        let items = self.worthwhile(cluster, rewards);
        let capacity = self.capacities.get(cluster).copied().unwrap_or(0);
        let all: usize = items.iter().map(|(_, weight, _)| weight).sum();
        if all <= capacity {
            let least = items.iter().map(|(_, _, value)| value).sum();
            return (least, items.iter().map(|(position, ..)| *position).collect());
        }
        *cells += items.len() as u64 * (capacity as u64 + 1);
        let mut best = vec![0_i64; capacity + 1];
        let mut taken = vec![false; items.len() * (capacity + 1)];
        for ((_, weight, value), row) in items.iter().zip(taken.chunks_exact_mut(capacity + 1)) {
            for room in (*weight..=capacity).rev() {
                let with = best[room - weight] + value;
                if with < best[room] {
                    best[room] = with;
                    row[room] = true;
                }
            }
        }
        let mut room = capacity;
        let mut chosen = Vec::new();
        for ((position, weight, _), row) in items.iter().zip(taken.chunks_exact(capacity + 1)).rev() {
            if row[room] {
                chosen.push(*position);
                room -= weight;
            }
        }
        chosen.reverse();
        (best[capacity], chosen)
    }

    /// For every open choice, how much dearer (scaled) the bound gets when the service has to be in that knapsack.
    /// Prefix and suffix tables give all choices of a cluster at once.
    pub(super) fn forced(&self, filled: &Filled, rewards: &[i64], cells: &mut u64) -> Vec<Vec<i64>> {
        let mut forced = vec![vec![CLOSED; self.capacities.len()]; self.weights.len()];
        for (cluster, capacity) in self.capacities.iter().copied().enumerate() {
            let items = self.worthwhile(cluster, rewards);
            let least = filled.least.get(cluster).copied().unwrap_or(0);
            let width = capacity + 1;
            *cells += 2 * (items.len() as u64 + 1) * width as u64;
            // before[k]: the best of the first k items by room; after[k]: of the items from k on.
            let mut before = vec![vec![0_i64; width]; items.len() + 1];
            for (k, (_, weight, value)) in items.iter().enumerate() {
                let mut next = before[k].clone();
                for room in *weight..width {
                    next[room] = next[room].min(before[k][room - weight] + value);
                }
                before[k + 1] = next;
            }
            let mut after = vec![0_i64; width];
            for (k, (position, weight, value)) in items.iter().enumerate().rev() {
                let rest = |room: usize| before[k][room] + after[capacity - weight - room];
                let best = (0..=capacity - weight).map(rest).min().unwrap_or(0);
                forced[*position][cluster] = best + value - least;
                let mut next = after.clone();
                for room in *weight..width {
                    next[room] = next[room].min(after[room - weight] + value);
                }
                after = next;
            }
            let whole = &before[items.len()];
            for (position, row) in self.costs.iter().enumerate() {
                let (cost, weight) = (row[cluster], self.weights[position]);
                if cost != CLOSED && forced[position][cluster] == CLOSED && weight <= capacity {
                    forced[position][cluster] = whole[capacity - weight] + cost - rewards[position] - least;
                }
            }
        }
        forced
    }
}

/// The greatest amount up to `capacity` that some of the services add up to, in units.
fn reachable(capacity: usize, needs: &[u64], unit: u64) -> usize {
    let mut sums = vec![false; capacity + 1];
    sums[0] = true;
    for need in needs {
        let weight = usize::try_from(need / unit).unwrap_or(usize::MAX);
        for sum in (weight..=capacity).rev() {
            sums[sum] |= sums[sum - weight];
        }
    }
    sums.iter().rposition(|reached| *reached).unwrap_or(0)
}
