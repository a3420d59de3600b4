//! A scaling problem as plain arrays: what the search works on.

use std::ops::Range;

use super::super::{ScalingGoals, ScalingProblem, ServiceLoad};
use crate::id::ClusterName;
use crate::resources::ResourceName;
use crate::value::{Value, Weight};

/// Value units in a millionth of a point.
const PER_MILLIONTH: i128 = Value::PER_POINT / 1_000_000;

/// A service: how many replicas in all, and its pairs.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) lo: u32,
    pub(super) hi: u32,
    pub(super) pairs: Range<usize>,
}

/// A service on a cluster. The cost of `n` replicas there is convex, with a kink at `current`.
#[derive(Debug, Clone)]
pub(super) struct Pair {
    pub(super) cluster: usize,
    pub(super) current: u32,
    /// Cost of one more replica, up to `current`.
    pub(super) below: i128,
    /// Cost of one more replica, above `current`; not less than `below`.
    pub(super) above: i128,
    /// Cost of no replica: the current ones stopped.
    pub(super) none: i128,
    /// How many the cluster can take, were it empty.
    pub(super) limit: u32,
    pub(super) uses: Range<usize>,
}

impl Pair {
    pub(super) fn cost(&self, replicas: u32) -> i128 {
        let below = replicas.min(self.current);
        self.none + i128::from(below) * self.below + i128::from(replicas - below) * self.above
    }
}

/// What one replica takes of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) row: usize,
    pub(super) amount: i128,
}

/// A limited resource of a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) room: i128,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Dense {
    pub(super) items: Vec<Item>,
    pub(super) pairs: Vec<Pair>,
    pub(super) uses: Vec<Use>,
    pub(super) rows: Vec<Row>,
    pub(super) clusters: usize,
    /// Resource names that were ever seen, kept so that the next problem need not copy them.
    names: Vec<ResourceName>,
    /// The resources of this problem, as indices of `names`.
    columns: Vec<usize>,
    /// The columns of what each service takes, one service after the other.
    columns_used: Vec<usize>,
    /// The row of a resource on a cluster, `clusters * columns`; `None` where it is not limited.
    row_of: Vec<Option<usize>>,
}

/// Names that are no longer seen are forgotten past this many.
const MOST_NAMES: usize = 64;

/// Few clusters are found faster by looking than by hashing.
pub(super) fn cluster_index(problem: &ScalingProblem, cluster: &ClusterName) -> Option<usize> {
    const FEW: usize = 8;
    if problem.clusters.len() > FEW {
        return problem.clusters.get_index_of(cluster);
    }
    problem.clusters.keys().position(|other| other == cluster)
}

/// How many replicas of each service: what its load and bounds say, or a number that the caller fixes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wanted<'a> {
    Load,
    Exactly(&'a [u32]),
}

impl Dense {
    /// Becomes `problem`, in the memory it has.
    pub(super) fn fill(&mut self, problem: &ScalingProblem, wanted: Wanted<'_>) {
        self.clear();
        self.clusters = problem.clusters.len();
        for service in problem.services.values() {
            for (name, amount) in service.per_replica.iter() {
                if amount > 0 {
                    let column = self.column(name);
                    self.columns_used.push(column);
                }
            }
        }
        for room in problem.clusters.values() {
            for column in 0..self.columns.len() {
                let row = room.available(&self.names[self.columns[column]]).map(|room| {
                    self.rows.push(Row {
                        room: i128::from(room),
                    });
                    self.rows.len() - 1
                });
                self.row_of.push(row);
            }
        }
        let unit = smo_unit(problem);
        let mut used = 0;
        for (index, service) in problem.services.values().enumerate() {
            let (lo, hi) = match wanted {
                Wanted::Load => bounds(&problem.goals, service),
                Wanted::Exactly(totals) => {
                    let total = totals.get(index).copied().unwrap_or(0);
                    (total, total)
                }
            };
            let demanded = service
                .per_replica
                .iter()
                .filter(|(_, amount)| *amount > 0)
                .count();
            let start = self.pairs.len();
            for (cluster, current) in &service.clusters {
                if let Some(cluster) = cluster_index(problem, cluster) {
                    let columns = used..used + demanded;
                    self.add_pair(problem, service, cluster, *current, columns, unit);
                }
            }
            used += demanded;
            self.items.push(Item {
                lo,
                hi,
                pairs: start..self.pairs.len(),
            });
        }
    }

    fn clear(&mut self) {
        self.items.clear();
        self.pairs.clear();
        self.uses.clear();
        self.rows.clear();
        self.columns.clear();
        self.columns_used.clear();
        self.row_of.clear();
        if self.names.len() > MOST_NAMES {
            self.names.clear();
        }
    }

    /// The column of a resource, in the order in which the problem first names it: the answer must not depend on what
    /// was decided in this memory before.
    fn column(&mut self, name: &ResourceName) -> usize {
        let known = |column: &usize| self.names[*column] == *name;
        if let Some(column) = self.columns.iter().position(known) {
            return column;
        }
        let id = self.names.iter().position(|other| other == name);
        let id = id.unwrap_or_else(|| {
            self.names.push(name.clone());
            self.names.len() - 1
        });
        self.columns.push(id);
        self.columns.len() - 1
    }

    /// Adds a service on a cluster; `columns` says where the columns of what it takes are listed.
    fn add_pair(
        &mut self,
        problem: &ScalingProblem,
        service: &ServiceLoad,
        cluster: usize,
        current: u32,
        columns: Range<usize>,
        unit: i128,
    ) {
        let Some((_, room)) = problem.clusters.get_index(cluster) else {
            return;
        };
        let first_use = self.uses.len();
        let mut limit = u32::MAX;
        let amounts = service.per_replica.iter().map(|(_, amount)| amount);
        let amounts = amounts.filter(|amount| *amount > 0).map(i128::from);
        for (amount, column) in amounts.zip(&self.columns_used[columns]) {
            if let Some(row) = self.row_of[cluster * self.columns.len() + column] {
                self.uses.push(Use { row, amount });
                let fit = u32::try_from(self.rows[row].room / amount).unwrap_or(u32::MAX);
                limit = limit.min(fit);
            }
        }
        let offers = |name| room.available(name) != Some(0);
        if !service.requires.iter().all(offers) {
            limit = 0;
        }
        let (running, start, stop) = prices(&problem.goals, service, room, unit);
        self.pairs.push(Pair {
            cluster,
            current,
            below: running - stop,
            above: running + start,
            none: i128::from(current) * stop,
            limit,
            uses: first_use..self.uses.len(),
        });
    }

    pub(super) fn uses(&self, pair: &Pair) -> &[Use] {
        &self.uses[pair.uses.clone()]
    }

    pub(super) fn value(&self, replicas: &[u32]) -> Value {
        let costs = self.pairs.iter().zip(replicas).map(|(pair, n)| pair.cost(*n));
        Value::from_units(costs.sum())
    }
}

/// The fewest and the most replicas of a service; the fewest may exceed the most.
pub(super) fn bounds(goals: &ScalingGoals, service: &ServiceLoad) -> (u32, u32) {
    let needed = service.throughput.needed(service.load).unwrap_or(u32::MAX);
    match goals {
        ScalingGoals::Cost { .. } => (needed.max(service.min), service.max),
        ScalingGoals::Smo { bounded: true, .. } => (needed.max(1), service.max),
        ScalingGoals::Smo { bounded: false, .. } => (needed.max(1), u32::MAX),
    }
}

/// The predecessor's divisor of cpu: `max(maximum * cpu)`, in millicores.
fn smo_unit(problem: &ScalingProblem) -> i128 {
    let whole =
        |service: &ServiceLoad| i128::from(service.max) * i128::from(service.per_replica.cpu().millicores());
    let largest = problem.services.values().map(whole).max();
    largest.unwrap_or(0).max(1)
}

/// What one replica costs while it runs, when it starts, and when it stops, in value units.
fn prices(
    goals: &ScalingGoals,
    service: &ServiceLoad,
    room: &super::super::ClusterRoom,
    unit: i128,
) -> (i128, i128, i128) {
    let units = |weight: Weight| i128::from(weight.millionths()) * PER_MILLIONTH;
    match *goals {
        ScalingGoals::Cost {
            money,
            replicas,
            starts,
            stops,
        } => {
            let price = room.price.of(&service.per_replica).unwrap_or_default();
            // Nano-euro times millionths of a point are value units.
            let running = i128::from(price.base()) * i128::from(money.millionths());
            (running + units(replicas), units(starts), units(stops))
        }
        ScalingGoals::Smo {
            utilisation,
            transition,
            ..
        } => {
            let cpu = i128::from(service.per_replica.cpu().millicores());
            let running = units(utilisation) * cpu / unit;
            let change = units(transition) / i128::from(service.max.max(1));
            (running, change, change)
        }
    }
}
