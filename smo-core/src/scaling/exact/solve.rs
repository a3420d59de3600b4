//! From plain arrays to the cheapest counts, in memory that is kept from one decision to the next.

use super::branch::{Branching, branch, zeros};
use super::cover::Covering;
use super::dense::Dense;
use super::relax::relax;

/// The memory of an [`ExactScaler`](super::ExactScaler): once it has decided a problem, it decides others of at most that
/// size without allocating.
#[derive(Debug, Clone, Default)]
pub struct ScalingWorkspace {
    pub(super) dense: Dense,
    /// The counts, by pair of the problem.
    pub(super) replicas: Vec<u32>,
    limits: Vec<u32>,
    /// No prices, by pair.
    free: Vec<i128>,
    /// What is left of every row.
    left: Vec<i128>,
    components: Components,
    /// The rows that run out.
    rows: Vec<usize>,
    covering: Covering,
    branching: Branching,
}

/// What is known when a problem is solved.
#[derive(Debug, Clone, Copy)]
pub(super) struct Solved {
    pub(super) found: bool,
    pub(super) bound: i128,
    pub(super) proved: bool,
}

impl Solved {
    const fn infeasible(proved: bool) -> Self {
        Self {
            found: false,
            bound: 0,
            proved,
        }
    }
}

impl ScalingWorkspace {
    /// Solves the problem that [`ScalingWorkspace::dense`] holds.
    pub(super) fn solve(&mut self, max_nodes: u64) -> Solved {
        let Some(mut bound) = self.relax() else {
            return Solved::infeasible(true);
        };
        if self.left.iter().any(|left| *left < 0) {
            self.components.find(&self.dense);
            for index in 0..self.components.starts.len() {
                match self.component(index, max_nodes) {
                    Ok(extra) => bound += extra,
                    Err(proved) => return Solved::infeasible(proved),
                }
            }
        }
        Solved {
            found: true,
            bound,
            proved: true,
        }
    }

    /// Every service by itself, and what that leaves of the rows; the cost, or `None` where one has no count.
    fn relax(&mut self) -> Option<i128> {
        let dense = &self.dense;
        zeros(&mut self.replicas, dense.pairs.len());
        zeros(&mut self.free, dense.pairs.len());
        self.limits.clear();
        self.limits.extend(dense.pairs.iter().map(|pair| pair.limit));
        self.left.clear();
        self.left.extend(dense.rows.iter().map(|row| row.room));
        let mut bound = 0;
        for item in &dense.items {
            let pairs = item.pairs.clone();
            bound += relax(
                item,
                &dense.pairs[pairs.clone()],
                &self.free[pairs.clone()],
                &self.limits[pairs.clone()],
                &mut self.replicas[pairs.clone()],
            )?;
            for index in pairs {
                for used in dense.uses(&dense.pairs[index]) {
                    self.left[used.row] -= used.amount * i128::from(self.replicas[index]);
                }
            }
        }
        Some(bound)
    }

    /// Makes the services of a component fit, where they do not: what that costs more at least, or whether it is proved
    /// that there is no way.
    fn component(&mut self, index: usize, max_nodes: u64) -> Result<i128, bool> {
        let dense = &self.dense;
        let items = self.components.items(index);
        let pairs = || items.iter().flat_map(|item| dense.items[*item].pairs.clone());
        self.rows.clear();
        let uses = pairs().flat_map(|pair| dense.uses(&dense.pairs[pair]));
        self.rows
            .extend(uses.map(|used| used.row).filter(|row| self.left[*row] < 0));
        self.rows.sort_unstable();
        self.rows.dedup();
        if self.rows.is_empty() {
            return Ok(0);
        }
        if items.iter().all(|item| dense.items[*item].pairs.len() == 1) {
            return self.stop(index, max_nodes).ok_or(true);
        }
        let relaxed: i128 = pairs()
            .map(|pair| dense.pairs[pair].cost(self.replicas[pair]))
            .sum();
        let branched = branch(dense, items, max_nodes, &mut self.branching);
        if !branched.found {
            return Err(branched.complete);
        }
        for pair in pairs() {
            self.replicas[pair] = self.branching.best[pair];
        }
        Ok(branched.bound.max(relaxed) - relaxed)
    }

    /// Stops replicas of services that each run on one cluster until the rows fit; what that costs at least.
    fn stop(&mut self, index: usize, max_nodes: u64) -> Option<i128> {
        let (dense, rows) = (&self.dense, &self.rows);
        self.covering.begin(rows.iter().map(|row| -self.left[*row]));
        for item in self.components.items(index) {
            let item = &dense.items[*item];
            let pair = &dense.pairs[item.pairs.start];
            let taken = |row: &usize| {
                let uses = dense.uses(pair).iter().filter(|used| used.row == *row);
                uses.map(|used| used.amount).sum()
            };
            // More than the fewest run only where stopping one costs something, and never more than run now.
            let most = self.replicas[item.pairs.start] - item.lo;
            self.covering.push(-pair.below, most, rows.iter().map(taken));
        }
        let found = self.covering.solve(max_nodes)?;
        for (item, stopped) in self.components.items(index).iter().zip(&self.covering.stopped) {
            self.replicas[dense.items[*item].pairs.start] -= stopped;
        }
        Some(found.bound)
    }
}

/// The services that share clusters, directly or through others, each group in order.
#[derive(Debug, Clone, Default)]
struct Components {
    /// The first cluster of the group of each cluster, or one nearer to it.
    group: Vec<usize>,
    /// The services, group by group.
    order: Vec<usize>,
    /// Where each group starts.
    starts: Vec<usize>,
}

impl Components {
    fn find(&mut self, dense: &Dense) {
        self.group.clear();
        self.group.extend(0..dense.clusters);
        for item in &dense.items {
            let mut clusters = dense.pairs[item.pairs.clone()].iter().map(|pair| pair.cluster);
            let Some(first) = clusters.next() else { continue };
            for other in clusters {
                let (a, b) = (root(&self.group, first), root(&self.group, other));
                self.group[a.max(b)] = a.min(b);
            }
        }
        let Self { group, order, starts } = self;
        let group = |item: usize| root(group, dense.pairs[dense.items[item].pairs.start].cluster);
        let placed = |item: &usize| !dense.items[*item].pairs.is_empty();
        order.clear();
        order.extend((0..dense.items.len()).filter(placed));
        order.sort_unstable_by_key(|item| (group(*item), *item));
        let begins = |place: &usize| *place == 0 || group(order[*place - 1]) != group(order[*place]);
        starts.clear();
        starts.extend((0..order.len()).filter(begins));
    }

    fn items(&self, index: usize) -> &[usize] {
        let end = self.starts.get(index + 1).copied().unwrap_or(self.order.len());
        &self.order[self.starts[index]..end]
    }
}

fn root(group: &[usize], mut cluster: usize) -> usize {
    while group[cluster] != cluster {
        cluster = group[cluster];
    }
    cluster
}
