//! The services of one cluster when they do not fit: the cheapest replicas to stop.
//!
//! Stopping one more replica of a service always costs the same until its lower bound is reached, so this is a bounded
//! covering knapsack: `min sum v*y` with `sum d*y >= excess` for every resource that runs out, and `y <= u`. It is
//! searched depth first in the order of cost per covered amount; the bound of a node is the fractional optimum of what
//! is left, which ends at the break item (Martello and Toth, *Knapsack Problems*, 1990, chapter 3; several resources
//! are added up to one surrogate row). One resource is solved by dynamic programming where the search takes too long.

use std::ops::Range;

use super::branch::zeros;
use crate::units::gcd;

/// Services that are alike count as one.
#[derive(Debug, Clone)]
struct Class {
    /// Cost of stopping one replica; above zero.
    cost: i128,
    /// How many may stop.
    most: u32,
    /// What one replica gives back of the surrogate row; above zero.
    weight: i128,
    /// Its services: a range of the order.
    members: Range<usize>,
}

/// One service that may stop replicas; what one of them gives back is listed apart, a number for every resource that runs
/// out.
#[derive(Debug, Clone, Copy)]
struct Stoppable {
    /// Cost of stopping one replica; not below zero.
    cost: i128,
    /// How many may stop.
    most: u32,
}

/// The memory of a search, kept from one to the next. First [`Covering::begin`], then [`Covering::push`] for every
/// service, then [`Covering::solve`].
#[derive(Debug, Clone, Default)]
pub(super) struct Covering {
    excess: Vec<i128>,
    services: Vec<Stoppable>,
    /// `services * rows`: what one replica gives back.
    given: Vec<i128>,
    /// How many replicas of each service to stop.
    pub(super) stopped: Vec<u32>,
    search: Search,
}

/// What the cheapest cover costs, and a proved lower bound of that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) cost: i128,
    pub(super) bound: i128,
}

impl Covering {
    /// Starts with what runs out, by resource: how much too much is taken.
    pub(super) fn begin(&mut self, excess: impl IntoIterator<Item = i128>) {
        self.excess.clear();
        self.excess.extend(excess);
        self.services.clear();
        self.given.clear();
    }

    /// Adds a service that may stop `most` replicas at `cost` each, and what one gives back of every resource.
    pub(super) fn push(&mut self, cost: i128, most: u32, gives: impl IntoIterator<Item = i128>) {
        self.services.push(Stoppable { cost, most });
        self.given.extend(gives);
    }

    /// The cheapest cover; `None` when stopping everything is not enough. What to stop is in [`Covering::stopped`].
    pub(super) fn solve(&mut self, max_nodes: u64) -> Option<Cover> {
        let rows = self.excess.len();
        let whole = |row: usize| -> i128 {
            let given = self.given.iter().skip(row).step_by(rows.max(1));
            let services = self.services.iter().zip(given);
            services
                .map(|(service, gives)| gives * i128::from(service.most))
                .sum()
        };
        if (0..rows).any(|row| whole(row) < self.excess[row]) {
            return None;
        }
        let search = &mut self.search;
        search.reset(&self.services, &self.given, &self.excess, max_nodes);
        let root = search.bound(0, 0).unwrap_or(0);
        search.dive(0, 0);
        let mut bound = search.best_cost;
        if search.nodes > max_nodes {
            match search.programme() {
                Some(()) => bound = search.best_cost,
                None => bound = root,
            }
        }
        let cost = search.best_cost;
        // A class stops the replicas of its last services first: the first ones matter most.
        zeros(&mut self.stopped, self.services.len());
        for (class, count) in search.classes.iter().zip(&search.best) {
            let mut left = *count;
            for member in search.order[class.members.clone()].iter().rev() {
                self.stopped[*member] = left.min(self.services[*member].most);
                left -= self.stopped[*member];
            }
        }
        Some(Cover { cost, bound })
    }
}

#[derive(Debug, Clone, Default)]
struct Search {
    classes: Vec<Class>,
    /// The services by cost per covered amount; those of a class in their own order.
    order: Vec<usize>,
    /// What a replica of each service gives back of the surrogate row.
    weighed: Vec<i128>,
    /// `classes * rows`: what one replica gives back.
    gives: Vec<i128>,
    /// `(classes + 1) * rows`: what the classes from here on can give back in all.
    rest: Vec<i128>,
    need: Vec<i128>,
    surrogate: i128,
    rows: usize,
    stopped: Vec<u32>,
    best: Vec<u32>,
    best_cost: i128,
    nodes: u64,
    max_nodes: u64,
    /// The dynamic programme: the cheapest way to cover each amount, and the counts that do.
    least: Vec<i128>,
    counts: Vec<u32>,
}

impl Search {
    fn reset(&mut self, services: &[Stoppable], given: &[i128], excess: &[i128], max_nodes: u64) {
        let rows = excess.len();
        let gives = |service: usize| &given[service * rows..(service + 1) * rows];
        self.weigh(given, excess);
        let weighed = &self.weighed;
        self.order.clear();
        self.order
            .extend((0..services.len()).filter(|index| services[*index].most > 0 && weighed[*index] > 0));
        self.order.sort_unstable_by(|a, b| {
            let ratio = (services[*a].cost * weighed[*b]).cmp(&(services[*b].cost * weighed[*a]));
            ratio.then_with(|| gives(*b).cmp(gives(*a))).then(a.cmp(b))
        });
        self.classes.clear();
        self.gives.clear();
        for (place, index) in self.order.iter().copied().enumerate() {
            let service = services[index];
            let alike = |class: &Class| {
                let first = self.order[class.members.start];
                gives(first) == gives(index) && services[first].cost == service.cost
            };
            match self.classes.last_mut().filter(|class| alike(class)) {
                Some(class) => {
                    class.most = class.most.saturating_add(service.most);
                    class.members.end = place + 1;
                }
                None => {
                    self.classes.push(Class {
                        cost: service.cost,
                        most: service.most,
                        weight: weighed[index],
                        members: place..place + 1,
                    });
                    self.gives.extend_from_slice(gives(index));
                }
            }
        }
        let classes = self.classes.len();
        zeros(&mut self.rest, (classes + 1) * rows);
        for index in (0..classes).rev() {
            for row in 0..rows {
                self.rest[index * rows + row] = self.rest[(index + 1) * rows + row]
                    + self.gives[index * rows + row] * i128::from(self.classes[index].most);
            }
        }
        zeros(&mut self.stopped, classes);
        zeros(&mut self.best, classes);
        self.need.clear();
        self.need.extend_from_slice(excess);
        self.rows = rows;
        self.best_cost = i128::MAX;
        self.nodes = 0;
        self.max_nodes = max_nodes;
    }

    /// Adds the rows up to one surrogate row: what has to be covered of it, and what each service gives back.
    fn weigh(&mut self, given: &[i128], excess: &[i128]) {
        // Rows weigh the more the smaller their excess, so that each counts the same in the surrogate row.
        let largest = excess.iter().copied().max().unwrap_or(1);
        let weight = |excess: i128| (largest / excess).clamp(1, 1 << 20);
        let total = |gives: &[i128]| -> i128 {
            let rows = gives.iter().zip(excess);
            rows.map(|(gives, excess)| gives * weight(*excess)).sum()
        };
        // A coarse row, rounded so that nothing is excluded, keeps products with costs within 128 bits.
        let shift = (128 - 60_u32).saturating_sub(total(excess).leading_zeros());
        let surrogate = (total(excess) >> shift).max(1);
        self.surrogate = surrogate;
        self.weighed.clear();
        self.weighed
            .extend(given.chunks_exact(excess.len().max(1)).map(|gives| {
                let total = total(gives);
                // What is given back beyond the whole excess counts for nothing.
                ((total >> shift) + i128::from(total & ((1 << shift) - 1) > 0)).min(surrogate)
            }));
    }

    /// What every completion costs at least; `None` when there is none.
    fn bound(&self, from: usize, cost: i128) -> Option<i128> {
        for row in 0..self.rows {
            if self.rest[from * self.rows + row] < self.need[row] {
                return None;
            }
        }
        let mut bound = cost;
        let mut left = self.surrogate;
        for class in &self.classes[from..] {
            if left <= 0 {
                break;
            }
            let whole = class.weight * i128::from(class.most);
            if whole < left {
                bound += class.cost * i128::from(class.most);
                left -= whole;
            } else {
                // Costs are integers: what is left rounds up.
                let part = class.cost * left;
                return Some(bound + part / class.weight + i128::from(part % class.weight > 0));
            }
        }
        (left <= 0 || self.need.iter().all(|need| *need <= 0)).then_some(bound)
    }

    fn take(&mut self, class: usize, count: i128) {
        for row in 0..self.rows {
            self.need[row] -= self.gives[class * self.rows + row] * count;
        }
        self.surrogate -= self.classes[class].weight * count;
    }

    fn dive(&mut self, from: usize, cost: i128) {
        self.nodes += 1;
        if self.nodes > self.max_nodes && self.best_cost < i128::MAX {
            return;
        }
        if self.need.iter().all(|need| *need <= 0) {
            if cost < self.best_cost {
                self.best_cost = cost;
                self.best.copy_from_slice(&self.stopped);
                self.best[from..].fill(0);
            }
            return;
        }
        if from == self.classes.len() || self.bound(from, cost).is_none_or(|bound| bound >= self.best_cost) {
            return;
        }
        let enough = |row: usize| {
            let gives = self.gives[from * self.rows + row];
            let need = self.need[row];
            if need <= 0 || gives == 0 {
                return 0;
            }
            u32::try_from(need / gives + i128::from(need % gives > 0)).unwrap_or(u32::MAX)
        };
        let most = (0..self.rows).map(enough).max().unwrap_or(0);
        let most = most.min(self.classes[from].most);
        self.take(from, i128::from(most));
        let mut cost = cost + self.classes[from].cost * i128::from(most);
        for count in (0..=most).rev() {
            self.stopped[from] = count;
            self.dive(from + 1, cost);
            if count > 0 {
                self.take(from, -1);
                cost -= self.classes[from].cost;
            }
        }
    }

    /// The optimum of one row by dynamic programming over the covered amount; `None` when the table would be too large.
    fn programme(&mut self) -> Option<()> {
        const MOST_CELLS: usize = 4_000_000;
        const MOST_STEPS: usize = 200_000_000;
        if self.rows != 1 {
            return None;
        }
        let divisor = self.gives.iter().copied().fold(0, gcd).max(1);
        let excess = self.need[0] / divisor + i128::from(self.need[0] % divisor > 0);
        let width = usize::try_from(excess).ok()?.checked_add(1)?;
        let cells = width.checked_mul(self.classes.len())?;
        let most = |(class, gives): (&Class, &i128)| {
            let enough = excess * divisor / gives + 1;
            usize::try_from(enough.min(i128::from(class.most))).unwrap_or(usize::MAX)
        };
        let steps: usize = self
            .classes
            .iter()
            .zip(&self.gives)
            .map(most)
            .fold(0, usize::saturating_add);
        if cells > MOST_CELLS || steps.saturating_mul(width) > MOST_STEPS {
            return None;
        }
        // least[e]: the cheapest way to cover e with the classes so far.
        self.least.clear();
        self.least.resize(width, i128::MAX);
        self.least[0] = 0;
        zeros(&mut self.counts, cells);
        let (least, counts) = (&mut self.least, &mut self.counts);
        for (index, class) in self.classes.iter().enumerate() {
            let gives = usize::try_from(self.gives[index] / divisor).ok()?;
            // From the largest amount down, so that smaller ones are still those of the classes before.
            for amount in (1..width).rev() {
                let mut best = (least[amount], 0);
                let mut left = amount;
                let mut cost = 0;
                for count in 1..=class.most {
                    left = left.saturating_sub(gives);
                    cost += class.cost;
                    if least[left] < i128::MAX && least[left] + cost < best.0 {
                        best = (least[left] + cost, count);
                    }
                    if left == 0 {
                        break;
                    }
                }
                least[amount] = best.0;
                counts[index * width + amount] = best.1;
            }
        }
        let mut amount = width - 1;
        if least[amount] == i128::MAX {
            return None;
        }
        self.best_cost = least[amount];
        for index in (0..self.classes.len()).rev() {
            self.best[index] = counts[index * width + amount];
            let covered = i128::from(self.best[index]) * (self.gives[index] / divisor);
            amount = amount.saturating_sub(usize::try_from(covered).ok()?);
        }
        Some(())
    }
}
