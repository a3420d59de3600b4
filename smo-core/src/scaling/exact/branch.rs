//! Services that share clusters and may run on several of them, when they do not fit: branch and bound.
//!
//! Every row of room gets a price (a Lagrangian multiplier, an integer of at least 0), found by one pass of dual
//! coordinate ascent. At fixed prices every service is on its own and solved in closed form, and what they cost together
//! less the worth of all the room is a lower bound, whatever the prices (Fisher, *The Lagrangian relaxation method*,
//! Management Science 27, 1981). The search fixes one service after the other, the cheapest counts first. The bound is
//! convex in each count, so it stops going in a direction as soon as the bound is no better than what is known.

use super::dense::{Dense, Pair};
use super::relax::relax;

/// The best replicas found, by pair of the problem, and what is known about them.
#[derive(Debug, Clone, Default)]
pub(super) struct Branched {
    pub(super) replicas: Option<Vec<u32>>,
    pub(super) bound: i128,
    /// False when the search gave up.
    pub(super) complete: bool,
}

/// How often the prices of all rows are looked at again.
const PASSES: usize = 4;

pub(super) fn branch(dense: &Dense, items: &[usize], max_nodes: u64) -> Branched {
    let mut search = Search::new(dense, items, max_nodes);
    search.price();
    search.close();
    let root = search
        .suffix
        .first()
        .copied()
        .unwrap_or(0)
        .saturating_sub(search.worth);
    search.open();
    search.service(0, 0);
    let complete = search.nodes <= max_nodes;
    Branched {
        bound: if complete { search.best_cost } else { root },
        complete,
        replicas: search.found.then_some(search.best),
    }
}

struct Search<'a> {
    dense: &'a Dense,
    /// The services to decide, in order.
    order: Vec<usize>,
    /// Price by row.
    rows: Vec<i128>,
    /// What the room is worth at these prices.
    worth: i128,
    /// Price of one replica, by pair.
    prices: Vec<i128>,
    /// What the services from here on cost at least, prices included.
    suffix: Vec<i128>,
    left: Vec<i128>,
    limits: Vec<u32>,
    scratch: Vec<u32>,
    replicas: Vec<u32>,
    best: Vec<u32>,
    best_cost: i128,
    found: bool,
    nodes: u64,
    max_nodes: u64,
}

impl<'a> Search<'a> {
    fn new(dense: &'a Dense, items: &[usize], max_nodes: u64) -> Self {
        let mut order = items.to_vec();
        // Services without a choice first: what they need is taken from the room before anything is searched.
        order.sort_by_key(|item| (dense.items[*item].pairs.len() > 1, *item));
        Self {
            suffix: vec![0; order.len() + 1],
            order,
            rows: vec![0; dense.rows.len()],
            worth: 0,
            prices: vec![0; dense.pairs.len()],
            left: dense.rows.iter().map(|row| row.room).collect(),
            limits: dense.pairs.iter().map(|pair| pair.limit).collect(),
            scratch: vec![0; dense.pairs.len()],
            replicas: vec![0; dense.pairs.len()],
            best: vec![0; dense.pairs.len()],
            best_cost: i128::MAX,
            found: false,
            nodes: 0,
            max_nodes,
            dense,
        }
    }

    /// The cheapest replicas of the pairs from `first` on of a service of which `placed` are fixed, prices included.
    fn alone(&mut self, item: usize, first: usize, placed: u32) -> Option<i128> {
        let service = &self.dense.items[item];
        let rest = first..service.pairs.end;
        let mut service = service.clone();
        service.lo = service.lo.saturating_sub(placed);
        service.hi = service.hi.checked_sub(placed)?;
        relax(
            &service,
            &self.dense.pairs[rest.clone()],
            &self.prices[rest.clone()],
            &self.limits[rest.clone()],
            &mut self.scratch[rest],
        )
    }

    /// Finds prices at which the services, each on its own, keep within the room as far as possible.
    fn price(&mut self) {
        let dense = self.dense;
        let touched: Vec<usize> = (0..dense.rows.len())
            .filter(|row| {
                let pairs = self
                    .order
                    .iter()
                    .flat_map(|item| &dense.pairs[dense.items[*item].pairs.clone()]);
                pairs
                    .into_iter()
                    .any(|pair| dense.uses(pair).iter().any(|used| used.row == *row))
            })
            .collect();
        for _ in 0..PASSES {
            let mut changed = false;
            for row in &touched {
                let before = self.rows[*row];
                self.set_price(*row, 0);
                if self.usage(*row) > dense.rows[*row].room {
                    let (mut low, mut high) = (0, self.dearest(*row));
                    while high - low > 1 {
                        let middle = low + (high - low) / 2;
                        self.set_price(*row, middle);
                        if self.usage(*row) > dense.rows[*row].room {
                            low = middle;
                        } else {
                            high = middle;
                        }
                    }
                    self.set_price(*row, high);
                }
                changed |= self.rows[*row] != before;
            }
            if !changed {
                break;
            }
        }
    }

    /// A price at which nobody uses a row that can do without.
    fn dearest(&self, row: usize) -> i128 {
        let mut slopes = 0;
        let (mut least, mut greatest) = (i128::MAX, 0);
        for item in &self.order {
            let pairs = self.dense.items[*item].pairs.clone();
            for (pair, price) in self.dense.pairs[pairs.clone()].iter().zip(&self.prices[pairs]) {
                slopes = slopes.max(pair.above.abs() + price).max(pair.below.abs() + price);
                for used in self.dense.uses(pair).iter().filter(|used| used.row == row) {
                    least = least.min(used.amount);
                    greatest = greatest.max(used.amount);
                }
            }
        }
        // No price is so high that what a service pays for the most replicas does not fit the arithmetic.
        let most = 10_i128.pow(26) / greatest.max(1);
        (2 * slopes / least.max(1) + 1).min(most)
    }

    fn set_price(&mut self, row: usize, price: i128) {
        let change = price - self.rows[row];
        self.rows[row] = price;
        for (pair, total) in self.dense.pairs.iter().zip(&mut self.prices) {
            for used in self.dense.uses(pair).iter().filter(|used| used.row == row) {
                *total += used.amount * change;
            }
        }
    }

    /// What the services, each on its own, take of a row at the prices.
    fn usage(&mut self, row: usize) -> i128 {
        let mut usage = 0;
        for index in 0..self.order.len() {
            let item = self.order[index];
            let pairs = self.dense.items[item].pairs.clone();
            let touches = |pair: &Pair| self.dense.uses(pair).iter().any(|used| used.row == row);
            if !self.dense.pairs[pairs.clone()].iter().any(touches)
                || self.alone(item, pairs.start, 0).is_none()
            {
                continue;
            }
            for index in pairs {
                for used in self.dense.uses(&self.dense.pairs[index]) {
                    if used.row == row {
                        usage += used.amount * i128::from(self.scratch[index]);
                    }
                }
            }
        }
        usage
    }

    /// Bounds of the services from each one on, at the prices.
    fn close(&mut self) {
        self.worth = self
            .dense
            .rows
            .iter()
            .zip(&self.rows)
            .fold(0, |sum: i128, (row, price)| {
                sum.saturating_add(row.room.saturating_mul(*price))
            });
        for index in (0..self.order.len()).rev() {
            let item = self.order[index];
            let cost = self.alone(item, self.dense.items[item].pairs.start, 0);
            self.suffix[index] = self.suffix[index + 1].saturating_add(cost.unwrap_or(0));
        }
    }

    /// Takes from the room what services without a choice need.
    fn open(&mut self) {
        for index in 0..self.order.len() {
            let service = &self.dense.items[self.order[index]];
            if service.pairs.len() == 1 {
                self.take(service.pairs.start, i128::from(service.lo));
            }
        }
    }

    fn take(&mut self, pair: usize, replicas: i128) {
        for used in self.dense.uses(&self.dense.pairs[pair]) {
            self.left[used.row] -= used.amount * replicas;
        }
    }

    /// Decides the services from `index` on; those before cost `cost`, prices included.
    fn service(&mut self, index: usize, cost: i128) {
        let Some(item) = self.order.get(index).copied() else {
            return self.leaf();
        };
        let service = &self.dense.items[item];
        let (start, lo) = (service.pairs.start, i128::from(service.lo));
        let only = service.pairs.len() == 1;
        if only {
            self.take(start, -lo);
        }
        self.pair(index, start, 0, cost);
        if only {
            self.take(start, lo);
        }
    }

    fn leaf(&mut self) {
        let dense = self.dense;
        let pairs = self
            .order
            .iter()
            .flat_map(|item| dense.items[*item].pairs.clone());
        let cost = pairs
            .map(|pair| dense.pairs[pair].cost(self.replicas[pair]))
            .sum();
        if cost < self.best_cost {
            self.best_cost = cost;
            self.found = true;
            self.best.copy_from_slice(&self.replicas);
        }
    }

    /// How many more replicas of a pair the room that is left can take.
    fn fits(&self, pair: usize) -> u32 {
        let dense = &self.dense.pairs[pair];
        let fit = |fit: u32, used: &super::dense::Use| {
            let room = (self.left[used.row] / used.amount).max(0);
            fit.min(u32::try_from(room).unwrap_or(u32::MAX))
        };
        self.dense.uses(dense).iter().fold(dense.limit, fit)
    }

    /// Decides the pairs of a service from `pair` on, of which `placed` replicas are on those before.
    fn pair(&mut self, index: usize, pair: usize, placed: u32, cost: i128) {
        self.nodes += 1;
        if self.nodes > self.max_nodes {
            return;
        }
        let item = self.order[index];
        let end = self.dense.items[item].pairs.end;
        for later in pair..end {
            self.limits[later] = self.fits(later);
        }
        let Some(rest) = self.alone(item, pair, placed) else {
            return;
        };
        if self.found && cost + rest + self.suffix[index + 1].saturating_sub(self.worth) >= self.best_cost {
            return;
        }
        let best = self.scratch[pair];
        let service = &self.dense.items[item];
        let most = self.limits[pair].min(service.hi - placed);
        let later = self.limits[pair + 1..end]
            .iter()
            .fold(0_u32, |sum, limit| sum.saturating_add(*limit));
        let least = service.lo.saturating_sub(placed).saturating_sub(later);
        for replicas in best..=most {
            if !self.step(index, pair, placed, cost, replicas) {
                break;
            }
        }
        for replicas in (least..best).rev() {
            if !self.step(index, pair, placed, cost, replicas) {
                break;
            }
        }
    }

    /// Decides one pair and goes on; false when the bound says that this direction has nothing better.
    fn step(&mut self, index: usize, pair: usize, placed: u32, cost: i128, replicas: u32) -> bool {
        let item = self.order[index];
        let end = self.dense.items[item].pairs.end;
        let placed = placed.saturating_add(replicas);
        let dense = &self.dense.pairs[pair];
        let cost = cost + dense.cost(replicas) + i128::from(replicas) * self.prices[pair];
        self.take(pair, i128::from(replicas));
        self.replicas[pair] = replicas;
        for later in pair + 1..end {
            self.limits[later] = self.fits(later);
        }
        // What the later pairs of the service cost at least; without any, nothing, when the count is right.
        let rest = self.alone(item, pair + 1, placed);
        let bound = rest.map(|rest| cost + rest + self.suffix[index + 1].saturating_sub(self.worth));
        let promising = bound.is_some_and(|bound| !self.found || bound < self.best_cost);
        if promising {
            if pair + 1 == end {
                self.service(index + 1, cost);
            } else {
                self.pair(index, pair + 1, placed, cost);
            }
        }
        self.take(pair, -i128::from(replicas));
        // A count that no later pair can make up for says nothing about the others.
        (promising || bound.is_none()) && self.nodes <= self.max_nodes
    }
}
