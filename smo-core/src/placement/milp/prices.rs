//! A bound by putting a price on capacity (Lagrangian relaxation of the capacity rows).
//!
//! For any prices of 0 or more, `sum over services of min over clusters (cost + price x demand) - sum of price x capacity`
//! is at most the cost of every placement: a placement pays for what it takes, and takes at most the capacity. Good
//! prices are looked for in floating point; the bound is then computed from rounded prices in integers, so it holds
//! whatever the search did. See Fisher, [The Lagrangian Relaxation Method](https://doi.org/10.1287/mnsc.27.1.1), 1981.

use super::component::{NO_PRICES, Part};
use super::model::as_f64;
use super::rows::{Row, rows_that_bind};
use crate::placement::grid::Grid;

/// Steps of the search for prices.
const STEPS: usize = 250;

/// Prices, and what they prove.
#[derive(Debug)]
pub(super) struct Prices {
    /// Rows, each with the price of one base unit in `1 / 2^shift` of a unit of cost.
    rows: Vec<(Row, i128)>,
    shift: u32,
    /// The bound, times `2^shift`.
    total: i128,
    /// By service and place in its domain: cost with prices, times `2^shift`.
    priced: Vec<Vec<i128>>,
    cheapest: Vec<i128>,
}

impl Prices {
    /// Good prices for the open pairs of a part; `target` is the cost of a known placement.
    pub(super) fn find(grid: &Grid<'_>, part: &Part, target: Option<i128>) -> Self {
        let rows = rows_that_bind(grid, part.items(), &part.domains);
        let wanted = search(grid, part, &rows, target);
        let largest = part.costs.iter().flatten().copied().max().unwrap_or(0).max(1);
        let bits = 128 - largest.leading_zeros() + usize::BITS - part.items().len().leading_zeros();
        let shift = 120_u32.saturating_sub(bits).min(50);
        let zero: Vec<f64> = vec![0.0; rows.len()];
        Self::exact(grid, part, &rows, &wanted, shift)
            .or_else(|| Self::exact(grid, part, &rows, &zero, 0))
            .unwrap_or_else(|| Self::nothing(part))
    }

    /// What it takes to find them, about a nanosecond each.
    pub(super) fn effort(part: &Part) -> u64 {
        2 * (STEPS as u64).saturating_mul(part.variables() as u64)
    }

    /// Prices of 0 prove that nothing is cheaper than 0.
    fn nothing(part: &Part) -> Self {
        Self {
            rows: Vec::new(),
            shift: 0,
            total: 0,
            priced: part.costs.clone(),
            cheapest: vec![0; part.costs.len()],
        }
    }

    /// The bound of rounded prices, in integers; `None` when it does not fit.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    fn exact(grid: &Grid<'_>, part: &Part, rows: &[Row], full: &[f64], shift: u32) -> Option<Self> {
        let scale = 1_i128.checked_shl(shift)?;
        let mut by_cluster: Vec<Vec<(usize, i128)>> = vec![Vec::new(); grid.clusters.len()];
        let mut total = 0_i128;
        let mut priced_rows = Vec::new();
        for (row, full) in rows.iter().zip(full) {
            let price = (full * as_f64(scale) / row.capacity.max(1) as f64).round() as i128;
            if price <= 0 {
                continue;
            }
            total = total.checked_sub(price.checked_mul(i128::from(row.capacity))?)?;
            by_cluster.get_mut(row.cluster)?.push((row.resource, price));
            priced_rows.push((*row, price));
        }
        let mut priced = Vec::with_capacity(part.costs.len());
        let mut cheapest = Vec::with_capacity(part.costs.len());
        for ((item, domain), costs) in part.items().iter().zip(&part.domains).zip(&part.costs) {
            let item = grid.items.get(*item)?;
            let mut row = Vec::with_capacity(domain.len());
            for (cluster, cost) in domain.iter().zip(costs) {
                let mut sum = cost.checked_mul(scale)?;
                for (resource, price) in by_cluster.get(*cluster)? {
                    sum = sum.checked_add(price.checked_mul(i128::from(item.need(*resource)))?)?;
                }
                row.push(sum);
            }
            let least = row.iter().copied().min()?;
            total = total.checked_add(least)?;
            cheapest.push(least);
            priced.push(row);
        }
        Some(Self {
            rows: priced_rows,
            shift,
            total,
            priced,
            cheapest,
        })
    }

    /// No placement of the open pairs costs less than this, in units.
    pub(super) fn bound(&self) -> i128 {
        ceil_shift(self.total, self.shift).max(0)
    }

    /// No placement that uses the pair costs less than this, in units.
    pub(super) fn bound_with(&self, position: usize, at: usize) -> i128 {
        let priced = self.priced.get(position).and_then(|row| row.get(at));
        let above = priced
            .zip(self.cheapest.get(position))
            .map_or(0, |(priced, least)| priced - least);
        ceil_shift(self.total.saturating_add(above), self.shift)
    }

    /// Costs with prices, by service and place in its domain.
    pub(super) fn priced(&self, position: usize, at: usize) -> Option<i128> {
        self.priced.get(position)?.get(at).copied()
    }

    /// Every row that has a price, with that price.
    pub(super) fn rows(&self) -> &[(Row, i128)] {
        &self.rows
    }

    /// How much dearer a choice is than the cheapest one of its service, with prices.
    pub(super) fn deviation(&self, position: usize, at: usize) -> Option<i128> {
        self.priced(position, at)?
            .checked_sub(*self.cheapest.get(position)?)
    }

    /// What the deviations and the price of empty capacity come to, at most, in a placement that costs `most` units.
    pub(super) fn budget(&self, most: i128) -> i128 {
        let most = 1_i128
            .checked_shl(self.shift)
            .and_then(|scale| most.checked_mul(scale));
        most.map_or(i128::MAX, |most| most.saturating_sub(self.total))
    }

    /// How the bound can be redone from the problem.
    pub(super) fn argument(&self, grid: &Grid<'_>) -> String {
        let price = |(row, price): &(Row, i128)| {
            let cluster = grid.clusters.get(row.cluster)?;
            let resource = grid.resources.get(row.resource)?;
            Some(format!("{price} for {resource} on {cluster}"))
        };
        let prices: Vec<String> = self.rows.iter().filter_map(price).collect();
        if prices.is_empty() {
            return NO_PRICES.to_owned();
        }
        format!(
            "{NO_PRICES} once capacity has a price (2^-{} cost units a base unit): {}",
            self.shift,
            prices.join(", ")
        )
    }
}

fn ceil_shift(number: i128, shift: u32) -> i128 {
    let floor = number >> shift;
    floor + i128::from((floor << shift) != number)
}

/// Prices of a full cluster, by subgradient steps of Polyak's length.
#[allow(clippy::cast_precision_loss)]
fn search(grid: &Grid<'_>, part: &Part, rows: &[Row], target: Option<i128>) -> Vec<f64> {
    let mut prices = vec![0.0_f64; rows.len()];
    if rows.is_empty() {
        return prices;
    }
    let open = Open::new(grid, part, rows);
    let spread = open.spread;
    let goal = target.map(as_f64);
    let (mut best, mut best_prices) = (f64::NEG_INFINITY, prices.clone());
    let (mut pace, mut stalled) = (1.5, 0);
    let mut excess = vec![0.0_f64; rows.len()];
    for _ in 0..STEPS {
        excess.fill(-1.0);
        let bound = open.least(&prices, &mut excess);
        if bound > best {
            (best, stalled) = (bound, 0);
            best_prices.clone_from(&prices);
        } else {
            stalled += 1;
            if stalled >= 12 {
                (pace, stalled) = (pace * 0.6, 0);
                prices.clone_from(&best_prices);
            }
        }
        // A row that is not full and has no price has nothing to give.
        let active = |(excess, price): (&f64, &f64)| {
            if *price <= 0.0 && *excess < 0.0 {
                0.0
            } else {
                excess * excess
            }
        };
        let norm: f64 = excess.iter().zip(&prices).map(active).sum();
        let upper = goal.unwrap_or(best.max(0.0) + 0.05 * spread);
        if norm <= 1e-12 || upper <= bound {
            break;
        }
        let step = pace * (upper - bound) / norm;
        for (price, excess) in prices.iter_mut().zip(&excess) {
            *price = (*price + step * excess).max(0.0);
        }
    }
    best_prices
}

/// The open pairs of a part, one after the other, as the search for prices wants them.
struct Open {
    /// Where the pairs of each service end.
    services: Vec<usize>,
    /// What each costs, and where its shares end.
    pairs: Vec<(f64, usize)>,
    /// What pairs take of rows, as shares of what these have: only what is not nothing.
    shares: Vec<(usize, f64)>,
    /// What the dearest clusters cost together.
    spread: f64,
}

impl Open {
    #[allow(clippy::cast_precision_loss)]
    fn new(grid: &Grid<'_>, part: &Part, rows: &[Row]) -> Self {
        let mut open = Self {
            services: Vec::with_capacity(part.items().len()),
            pairs: Vec::with_capacity(part.variables()),
            shares: Vec::with_capacity(part.variables()),
            spread: 0.0,
        };
        for ((item, domain), costs) in part.items().iter().zip(&part.domains).zip(&part.costs) {
            let mut dearest = 0.0_f64;
            for (cluster, cost) in domain.iter().zip(costs) {
                // Rows come cluster by cluster.
                let first = rows.partition_point(|row| row.cluster < *cluster);
                let of_cluster = rows.iter().enumerate().skip(first);
                for (number, row) in of_cluster.take_while(|(_, row)| row.cluster == *cluster) {
                    let need = grid.items.get(*item).map_or(0, |item| item.need(row.resource));
                    if need > 0 {
                        open.shares
                            .push((number, need as f64 / row.capacity.max(1) as f64));
                    }
                }
                let cost = as_f64(*cost);
                dearest = dearest.max(cost);
                open.pairs.push((cost, open.shares.len()));
            }
            open.spread += dearest;
            open.services.push(open.pairs.len());
        }
        open
    }

    /// What the prices prove: every service on the pair that is cheapest with them, less what capacity costs. Adds what these
    /// pairs take to `excess`.
    fn least(&self, prices: &[f64], excess: &mut [f64]) -> f64 {
        let mut bound = -prices.iter().sum::<f64>();
        let (mut first, mut begin) = (0, 0);
        for &last in &self.services {
            let mut least = (f64::INFINITY, 0, 0);
            for &(cost, end) in self.pairs.get(first..last).unwrap_or_default() {
                let shares = self.shares.get(begin..end).unwrap_or_default();
                let price = |(row, share): &(usize, f64)| prices.get(*row).map_or(0.0, |price| price * share);
                let priced = cost + shares.iter().map(price).sum::<f64>();
                if priced < least.0 {
                    least = (priced, begin, end);
                }
                begin = end;
            }
            first = last;
            bound += least.0;
            for (row, share) in self.shares.get(least.1..least.2).unwrap_or_default() {
                if let Some(excess) = excess.get_mut(*row) {
                    *excess += share;
                }
            }
        }
        bound
    }
}
