//! The services of one cluster when they do not fit: the cheapest replicas to stop.
//!
//! Stopping one more replica of a service always costs the same until its lower bound is reached, so this is a bounded
//! covering knapsack: `min sum v*y` with `sum d*y >= excess` for every resource that runs out, and `y <= u`. It is
//! searched depth first in the order of cost per covered amount; the bound of a node is the fractional optimum of what
//! is left, which ends at the break item (Martello and Toth, *Knapsack Problems*, 1990, chapter 3; several resources
//! are added up to one surrogate row). One resource is solved by dynamic programming where the search takes too long.

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
}

/// One service that may stop replicas.
#[derive(Debug, Clone)]
pub(super) struct Stoppable {
    /// Cost of stopping one replica; not below zero.
    pub(super) cost: i128,
    /// How many may stop.
    pub(super) most: u32,
    /// What one replica gives back, for every resource that runs out.
    pub(super) gives: Vec<i128>,
}

/// The cheapest replicas to stop, and a proved lower bound of their cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cover {
    pub(super) stopped: Vec<u32>,
    pub(super) cost: i128,
    pub(super) bound: i128,
}

/// The cheapest cover of `excess`; `None` when stopping everything is not enough.
pub(super) fn cover(services: &[Stoppable], excess: &[i128], max_nodes: u64) -> Option<Cover> {
    let whole = |row: usize| -> i128 {
        let gives = |service: &Stoppable| service.gives[row] * i128::from(service.most);
        services.iter().map(gives).sum()
    };
    if (0..excess.len()).any(|row| whole(row) < excess[row]) {
        return None;
    }
    let mut search = Search::new(services, excess, max_nodes);
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
    let mut stopped = vec![0; services.len()];
    for (class, members) in search.members.iter().enumerate() {
        let mut left = search.best[class];
        for member in members.iter().rev() {
            stopped[*member] = left.min(services[*member].most);
            left -= stopped[*member];
        }
    }
    Some(Cover { stopped, cost, bound })
}

struct Search {
    classes: Vec<Class>,
    members: Vec<Vec<usize>>,
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
}

impl Search {
    fn new(services: &[Stoppable], excess: &[i128], max_nodes: u64) -> Self {
        let rows = excess.len();
        // Rows weigh the more the smaller their excess, so that each counts the same in the surrogate row.
        let largest = excess.iter().copied().max().unwrap_or(1);
        let weights: Vec<i128> = excess
            .iter()
            .map(|excess| (largest / excess).clamp(1, 1 << 20))
            .collect();
        let total = |gives: &[i128]| -> i128 { gives.iter().zip(&weights).map(|(a, b)| a * b).sum() };
        // A coarse row, rounded so that nothing is excluded, keeps products with costs within 128 bits.
        let shift = (128 - 60_u32).saturating_sub(total(excess).leading_zeros());
        let surrogate = (total(excess) >> shift).max(1);
        // What is given back beyond the whole excess counts for nothing.
        let weigh = |gives: &[i128]| -> i128 {
            let total = total(gives);
            ((total >> shift) + i128::from(total & ((1 << shift) - 1) > 0)).min(surrogate)
        };
        let mut order: Vec<usize> = (0..services.len())
            .filter(|index| services[*index].most > 0 && weigh(&services[*index].gives) > 0)
            .collect();
        order.sort_by(|a, b| {
            let (a, b) = (&services[*a], &services[*b]);
            let ratio = (a.cost * weigh(&b.gives)).cmp(&(b.cost * weigh(&a.gives)));
            ratio.then_with(|| b.gives.cmp(&a.gives))
        });
        let mut classes: Vec<Class> = Vec::with_capacity(order.len());
        let mut members: Vec<Vec<usize>> = Vec::with_capacity(order.len());
        let mut gives = Vec::with_capacity(order.len() * rows);
        for index in order {
            let service = &services[index];
            let alike = members.last().and_then(|members| members.first());
            let alike = alike.is_some_and(|first| {
                services[*first].gives == service.gives && services[*first].cost == service.cost
            });
            match (classes.last_mut(), members.last_mut()) {
                (Some(class), Some(members)) if alike => {
                    class.most = class.most.saturating_add(service.most);
                    members.push(index);
                }
                _ => {
                    classes.push(Class {
                        cost: service.cost,
                        most: service.most,
                        weight: weigh(&service.gives),
                    });
                    members.push(vec![index]);
                    gives.extend_from_slice(&service.gives);
                }
            }
        }
        for members in &mut members {
            members.sort_unstable();
        }
        let mut rest = vec![0; (classes.len() + 1) * rows];
        for index in (0..classes.len()).rev() {
            for row in 0..rows {
                rest[index * rows + row] = rest[(index + 1) * rows + row]
                    + gives[index * rows + row] * i128::from(classes[index].most);
            }
        }
        Self {
            stopped: vec![0; classes.len()],
            best: vec![0; classes.len()],
            best_cost: i128::MAX,
            surrogate,
            need: excess.to_vec(),
            classes,
            members,
            gives,
            rest,
            rows,
            nodes: 0,
            max_nodes,
        }
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
        let mut least = vec![i128::MAX; width];
        least[0] = 0;
        let mut counts = vec![0_u32; cells];
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
