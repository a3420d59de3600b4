//! Services that share clusters and may run on several of them, when they do not fit: branch and bound.
//!
//! Every row of room gets a price (a Lagrangian multiplier, an integer of at least 0), found by one pass of dual
//! coordinate ascent. At fixed prices every service is on its own and solved in closed form, and what they cost together
//! less the worth of all the room is a lower bound, whatever the prices (Fisher, *The Lagrangian relaxation method*,
//! Management Science 27, 1981). The search fixes one service after the other, the cheapest counts first. The bound is
//! convex in each count, so it stops going in a direction as soon as the bound is no better than what is known.

use super::dense::{Dense, Pair};
use super::relax::relax;

/// What is known when the search ends; the best replicas, by pair of the problem, are in [`Branching::best`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Branched {
    pub(super) found: bool,
    pub(super) bound: i128,
    /// False when the search gave up.
    pub(super) complete: bool,
}

/// The memory of a search, kept from one to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Branching {
    /// The services to decide, in order.
    order: Vec<usize>,
    /// The rows that they touch.
    touched: Vec<usize>,
    /// Price by row.
    rows: Vec<i128>,
    /// Price of one replica, by pair.
    prices: Vec<i128>,
    /// What the services from here on cost at least, prices included.
    suffix: Vec<i128>,
    left: Vec<i128>,
    limits: Vec<u32>,
    scratch: Vec<u32>,
    replicas: Vec<u32>,
    /// The best replicas found, by pair of the problem.
    pub(super) best: Vec<u32>,
}

impl Branching {
    fn reset(&mut self, dense: &Dense, items: &[usize]) {
        let (pairs, rows) = (dense.pairs.len(), dense.rows.len());
        self.order.clear();
        self.order.extend_from_slice(items);
        // Services without a choice first: what they need is taken from the room before anything is searched.
        self.order
            .sort_unstable_by_key(|item| (dense.items[*item].pairs.len() > 1, *item));
        zeros(&mut self.suffix, items.len() + 1);
        zeros(&mut self.rows, rows);
        zeros(&mut self.prices, pairs);
        zeros(&mut self.scratch, pairs);
        zeros(&mut self.replicas, pairs);
        zeros(&mut self.best, pairs);
        self.left.clear();
        self.left.extend(dense.rows.iter().map(|row| row.room));
        self.limits.clear();
        self.limits.extend(dense.pairs.iter().map(|pair| pair.limit));
        self.touched.clear();
        let pairs = self
            .order
            .iter()
            .flat_map(|item| dense.items[*item].pairs.clone());
        let uses = pairs.flat_map(|pair| dense.uses(&dense.pairs[pair]));
        self.touched.extend(uses.map(|used| used.row));
        self.touched.sort_unstable();
        self.touched.dedup();
    }
}

/// Makes a vector all zeros, in the memory it has.
pub(super) fn zeros<T: Copy + Default>(vector: &mut Vec<T>, length: usize) {
    vector.clear();
    vector.resize(length, T::default());
}

/// How often the prices of all rows are looked at again.
const PASSES: usize = 4;

pub(super) fn branch(dense: &Dense, items: &[usize], max_nodes: u64, memory: &mut Branching) -> Branched {
    memory.reset(dense, items);
    let mut search = Search {
        dense,
        at: memory,
        worth: 0,
        best_cost: i128::MAX,
        found: false,
        nodes: 0,
        max_nodes,
    };
    search.price();
    search.close();
    let root = search
        .at
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
        found: search.found,
    }
}

struct Search<'a> {
    dense: &'a Dense,
    at: &'a mut Branching,
    /// What the room is worth at the prices of the rows.
    worth: i128,
    best_cost: i128,
    found: bool,
    nodes: u64,
    max_nodes: u64,
}

impl Search<'_> {
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
            &self.at.prices[rest.clone()],
            &self.at.limits[rest.clone()],
            &mut self.at.scratch[rest],
        )
    }

    /// Finds prices at which the services, each on its own, keep within the room as far as possible.
    fn price(&mut self) {
        let dense = self.dense;
        for _ in 0..PASSES {
            let mut changed = false;
            for index in 0..self.at.touched.len() {
                let row = self.at.touched[index];
                let before = self.at.rows[row];
                self.set_price(row, 0);
                if self.usage(row) > dense.rows[row].room {
                    let (mut low, mut high) = (0, self.dearest(row));
                    while high - low > 1 {
                        let middle = low + (high - low) / 2;
                        self.set_price(row, middle);
                        if self.usage(row) > dense.rows[row].room {
                            low = middle;
                        } else {
                            high = middle;
                        }
                    }
                    self.set_price(row, high);
                }
                changed |= self.at.rows[row] != before;
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
        for item in &self.at.order {
            let pairs = self.dense.items[*item].pairs.clone();
            for (pair, price) in self.dense.pairs[pairs.clone()].iter().zip(&self.at.prices[pairs]) {
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
        let change = price - self.at.rows[row];
        self.at.rows[row] = price;
        for (pair, total) in self.dense.pairs.iter().zip(&mut self.at.prices) {
            for used in self.dense.uses(pair).iter().filter(|used| used.row == row) {
                *total += used.amount * change;
            }
        }
    }

    /// What the services, each on its own, take of a row at the prices.
    fn usage(&mut self, row: usize) -> i128 {
        let mut usage = 0;
        for index in 0..self.at.order.len() {
            let item = self.at.order[index];
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
                        usage += used.amount * i128::from(self.at.scratch[index]);
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
            .zip(&self.at.rows)
            .fold(0, |sum: i128, (row, price)| {
                sum.saturating_add(row.room.saturating_mul(*price))
            });
        for index in (0..self.at.order.len()).rev() {
            let item = self.at.order[index];
            let cost = self.alone(item, self.dense.items[item].pairs.start, 0);
            self.at.suffix[index] = self.at.suffix[index + 1].saturating_add(cost.unwrap_or(0));
        }
    }

    /// Takes from the room what services without a choice need.
    fn open(&mut self) {
        for index in 0..self.at.order.len() {
            let service = &self.dense.items[self.at.order[index]];
            if service.pairs.len() == 1 {
                self.take(service.pairs.start, i128::from(service.lo));
            }
        }
    }

    fn take(&mut self, pair: usize, replicas: i128) {
        for used in self.dense.uses(&self.dense.pairs[pair]) {
            self.at.left[used.row] -= used.amount * replicas;
        }
    }

    /// Decides the services from `index` on; those before cost `cost`, prices included.
    fn service(&mut self, index: usize, cost: i128) {
        let Some(item) = self.at.order.get(index).copied() else {
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
            .at
            .order
            .iter()
            .flat_map(|item| dense.items[*item].pairs.clone());
        let cost = pairs
            .map(|pair| dense.pairs[pair].cost(self.at.replicas[pair]))
            .sum();
        if cost < self.best_cost {
            self.best_cost = cost;
            self.found = true;
            self.at.best.copy_from_slice(&self.at.replicas);
        }
    }

    /// How many more replicas of a pair the room that is left can take.
    fn fits(&self, pair: usize) -> u32 {
        let dense = &self.dense.pairs[pair];
        let fit = |fit: u32, used: &super::dense::Use| {
            let room = (self.at.left[used.row] / used.amount).max(0);
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
        let item = self.at.order[index];
        let end = self.dense.items[item].pairs.end;
        for later in pair..end {
            self.at.limits[later] = self.fits(later);
        }
        let Some(rest) = self.alone(item, pair, placed) else {
            return;
        };
        if self.found && cost + rest + self.at.suffix[index + 1].saturating_sub(self.worth) >= self.best_cost
        {
            return;
        }
        let best = self.at.scratch[pair];
        let service = &self.dense.items[item];
        let most = self.at.limits[pair].min(service.hi - placed);
        let later = self.at.limits[pair + 1..end]
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
        let item = self.at.order[index];
        let end = self.dense.items[item].pairs.end;
        let placed = placed.saturating_add(replicas);
        let dense = &self.dense.pairs[pair];
        let cost = cost + dense.cost(replicas) + i128::from(replicas) * self.at.prices[pair];
        self.take(pair, i128::from(replicas));
        self.at.replicas[pair] = replicas;
        for later in pair + 1..end {
            self.at.limits[later] = self.fits(later);
        }
        // What the later pairs of the service cost at least; without any, nothing, when the count is right.
        let rest = self.alone(item, pair + 1, placed);
        let bound = rest.map(|rest| cost + rest + self.at.suffix[index + 1].saturating_sub(self.worth));
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
