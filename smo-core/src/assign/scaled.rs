//! The question in small whole numbers: costs above the cheapest agent of each task in units of their greatest common
//! divisor, needs in units of theirs, limits that can be reached only.

use std::collections::BTreeMap;

use super::open::Open;
use super::problem::{AssignProblem, FORBIDDEN, Row};
use crate::units::gcd;

/// Sums of scaled costs, rewards and prices stay below this, so that floating point, whole up to 2^53, keeps them so.
pub(super) const LARGEST: f64 = 1_125_899_906_842_624.0; // 2^50

/// More cells of a table over capacity are not filled; capacity is counted in coarser units instead.
const MOST_CELLS: u64 = 1024;
/// The same for the only limit, whose table is exact: prices settle most items before it is filled.
const MOST_EXACT_CELLS: u64 = 65_536;
/// And no table has more cells than this, whatever the number of tasks.
const MOST_TABLE: u64 = 1 << 24;

/// The question by agent and task, ready for the search.
#[derive(Debug, Clone)]
pub(super) struct Scaled {
    pub(super) agents: usize,
    pub(super) tasks: usize,
    /// Agent by agent: the cost in units above the cheapest of the task; [`FORBIDDEN`] where it may not.
    pub(super) costs: Vec<i64>,
    pub(super) sacks: Vec<Sack>,
    /// What the cheapest agents cost together.
    pub(super) offset: i64,
    /// The unit of costs.
    pub(super) unit: i64,
    /// What a unit of cost is in scaled costs: a power of two.
    pub(super) scale: f64,
}

/// What an agent can take together.
#[derive(Debug, Clone, Default)]
pub(super) struct Sack {
    /// The limits that all open tasks together break; the first is the tightest, and tables run over it.
    pub(super) limits: Vec<Limit>,
    /// By task: what it takes of the first limit, in cells, rounded down.
    pub(super) cells: Vec<u32>,
    /// What there is of the first limit, in cells.
    pub(super) room: usize,
    /// True when the cells say exactly what fits.
    pub(super) exact: bool,
}

/// A limit in units of the greatest common divisor of the needs.
#[derive(Debug, Clone)]
pub(super) struct Limit {
    /// Which limit of the agent this is.
    pub(super) row: usize,
    /// Which list of needs it limits: agents may share it.
    pub(super) kind: usize,
    /// The unit, in units of the question.
    pub(super) unit: u64,
    pub(super) needs: Vec<u64>,
    pub(super) capacity: u64,
}

impl Scaled {
    /// `None` when the numbers do not fit.
    pub(super) fn new(problem: &AssignProblem) -> Option<Self> {
        let (agents, tasks) = (problem.agents(), problem.tasks());
        let cost =
            |agent: usize, task: usize| Some(problem.cost(agent, task)).filter(|_| may(problem, agent, task));
        let Above { costs, offset, unit } = Above::new(agents, tasks, cost)?;
        let allowed = |task: usize| {
            costs
                .iter()
                .skip(task)
                .step_by(tasks)
                .filter(|cost| **cost != FORBIDDEN)
        };
        let most: f64 = (0..tasks)
            .filter_map(|task| allowed(task).max())
            .map(|cost| *cost as f64)
            .sum();
        // Rewards are up to twice what all tasks cost at most, each.
        let sums = (2.0 * most + 3.0) * (tasks + 1) as f64;
        if sums > LARGEST {
            return None;
        }
        let mut scale = 1.0_f64;
        while sums * scale * 2.0 <= LARGEST && scale < 1_048_576.0 {
            scale *= 2.0;
        }
        let sacks = (0..agents).map(|agent| {
            let limits = problem.rows(agent).iter().enumerate().map(|(number, row)| Limit {
                row: number,
                kind: row.needs,
                unit: 1,
                needs: (0..tasks).map(|task| problem.need(row, task)).collect(),
                capacity: row.capacity,
            });
            Sack::new(limits.collect(), &costs[agent * tasks..(agent + 1) * tasks])
        });
        let sacks = sacks.collect();
        Some(Self {
            agents,
            tasks,
            costs,
            sacks,
            offset,
            unit,
            scale,
        })
    }

    /// What is left to decide when only `open` pairs are allowed, and the numbers of the tasks in it; `None` when the tasks
    /// with one agent left do not fit. Its costs are counted from the same zero, in its own units of this one's units.
    pub(super) fn reduced(&self, open: &Open) -> Option<(Self, Vec<usize>)> {
        let (mut kept, mut decided) = (Vec::new(), Vec::new());
        for task in 0..self.tasks {
            let mut agents = open.agents_of(task);
            match (agents.next(), agents.next()) {
                (Some(agent), None) => decided.push((task, agent)),
                _ => kept.push(task),
            }
        }
        let tasks = kept.len();
        let cost = |agent: usize, place: usize| {
            let task = kept[place];
            Some(self.cost(agent, task)).filter(|_| open.has(agent, task))
        };
        let Above { costs, offset, unit } = Above::new(self.agents, tasks, cost)?;
        let spent: i64 = decided.iter().map(|(task, agent)| self.cost(*agent, *task)).sum();
        let mut sacks = Vec::with_capacity(self.agents);
        for (agent, sack) in self.sacks.iter().enumerate() {
            let mut limits = Vec::with_capacity(sack.limits.len());
            for limit in &sack.limits {
                let mine = decided.iter().filter(|(_, of)| *of == agent);
                let taken = limit.taken(mine.map(|(task, _)| *task));
                limits.push(Limit {
                    row: limit.row,
                    kind: limit.kind,
                    unit: limit.unit,
                    needs: kept.iter().map(|task| limit.needs[*task]).collect(),
                    capacity: u64::try_from(u128::from(limit.capacity).checked_sub(taken)?).ok()?,
                });
            }
            sacks.push(Sack::new(limits, &costs[agent * tasks..(agent + 1) * tasks]));
        }
        let reduced = Self {
            agents: self.agents,
            tasks,
            costs,
            sacks,
            offset: offset + spent,
            unit,
            scale: self.scale,
        };
        Some((reduced, kept))
    }

    /// The list of needs that most limits are about, the first of several; `None` where no two are about the same.
    pub(super) fn shared_kind(&self) -> Option<usize> {
        let mut kinds: BTreeMap<usize, usize> = BTreeMap::new();
        for limit in self.sacks.iter().flat_map(|sack| &sack.limits) {
            *kinds.entry(limit.kind).or_default() += 1;
        }
        let shared = kinds.into_iter().filter(|(_, count)| *count > 1);
        let most = shared.max_by_key(|(kind, count)| (*count, usize::MAX - kind));
        most.map(|(kind, _)| kind)
    }

    /// How many pairs of an agent and a task there are.
    pub(super) const fn pairs(&self) -> u64 {
        (self.agents * self.tasks) as u64
    }

    pub(super) fn cost(&self, agent: usize, task: usize) -> i64 {
        self.costs[agent * self.tasks + task]
    }

    /// What each task costs at an agent.
    pub(super) fn row(&self, agent: usize) -> &[i64] {
        &self.costs[agent * self.tasks..(agent + 1) * self.tasks]
    }

    /// Cost less reward, scaled.
    pub(super) fn worth(&self, agent: usize, task: usize, rewards: &[f64]) -> f64 {
        self.cost(agent, task) as f64 * self.scale - rewards[task]
    }

    /// What an answer costs in units.
    pub(super) fn total(&self, answer: &[usize]) -> i64 {
        answer
            .iter()
            .enumerate()
            .map(|(task, agent)| self.cost(*agent, task))
            .sum()
    }

    /// Units as a cost of the problem; `None` when it does not fit.
    pub(super) fn value(&self, units: i64) -> Option<i64> {
        units.checked_mul(self.unit)?.checked_add(self.offset)
    }

    /// The least number of units that costs `value` or more.
    pub(super) fn units_below(&self, value: i64) -> i64 {
        let above = i128::from(value) - i128::from(self.offset);
        let unit = i128::from(self.unit);
        i64::try_from((above + unit - 1).div_euclid(unit)).unwrap_or(if above < 0 {
            i64::MIN
        } else {
            i64::MAX / 4
        })
    }

    /// A scaled bound in whole units: costs are whole, so it is rounded up.
    pub(super) fn in_units(&self, scaled: f64) -> i64 {
        (scaled / self.scale).ceil() as i64
    }

    /// Which pairs are allowed.
    pub(super) fn open(&self) -> Open {
        Open::new(self.agents, self.tasks, |agent, task| {
            self.cost(agent, task) != FORBIDDEN
        })
    }
}

/// Costs above the cheapest agent of each task.
struct Above {
    /// Agent by agent, in units.
    costs: Vec<i64>,
    /// What the cheapest agents cost together.
    offset: i64,
    /// The greatest common divisor of the differences, at least 1.
    unit: i64,
}

impl Above {
    /// `None` when a number does not fit.
    fn new(agents: usize, tasks: usize, cost: impl Fn(usize, usize) -> Option<i64>) -> Option<Self> {
        let mut costs = vec![FORBIDDEN; agents * tasks];
        let (mut offset, mut unit) = (0_i64, 0_i64);
        for task in 0..tasks {
            let row = (0..agents).filter_map(|agent| Some((agent, cost(agent, task)?)));
            let cheapest = row.clone().map(|(_, cost)| cost).min().unwrap_or(0);
            offset = offset.checked_add(cheapest)?;
            for (agent, cost) in row {
                let above = cost.checked_sub(cheapest)?;
                unit = gcd(unit, above);
                costs[agent * tasks + task] = above;
            }
        }
        let unit = unit.max(1);
        let allowed = costs.iter_mut().filter(|cost| **cost != FORBIDDEN);
        allowed.for_each(|cost| *cost /= unit);
        Some(Self { costs, offset, unit })
    }
}

impl Limit {
    /// What tasks need together.
    pub(super) fn taken(&self, tasks: impl Iterator<Item = usize>) -> u128 {
        tasks.map(|task| u128::from(self.needs[task])).sum()
    }

    /// By what share of its capacity the tasks go beyond it; below 0 when they do not.
    pub(super) fn over(&self, tasks: &[u32]) -> f64 {
        let taken = self.taken(tasks.iter().map(|task| *task as usize));
        (taken as f64 - self.capacity as f64) / self.capacity.max(1) as f64
    }
}

impl Sack {
    /// The limits after the first, which have prices.
    pub(super) fn others(&self) -> &[Limit] {
        self.limits.get(1..).unwrap_or(&[])
    }

    /// What prices on the other limits charge for a task.
    pub(super) fn charge(&self, prices: &[f64], task: usize) -> f64 {
        let limits = self.others().iter().zip(prices);
        limits
            .map(|(limit, price)| price * limit.needs[task] as f64)
            .sum()
    }

    /// True when the tasks keep every limit together.
    pub(super) fn fits(&self, tasks: impl Iterator<Item = usize> + Clone) -> bool {
        let keeps = |limit: &Limit| limit.taken(tasks.clone()) <= u128::from(limit.capacity);
        self.limits.iter().all(keeps)
    }

    /// Limits that cannot be broken are left out, and so is what a forbidden task needs.
    fn new(rows: Vec<Limit>, costs: &[i64]) -> Self {
        let mut limits: Vec<(f64, Limit)> = Vec::new();
        for mut row in rows {
            for (need, cost) in row.needs.iter_mut().zip(costs) {
                if *cost == FORBIDDEN {
                    *need = 0;
                }
            }
            let all: u128 = row.needs.iter().map(|need| u128::from(*need)).sum();
            if all <= u128::from(row.capacity) {
                continue;
            }
            let unit = row.needs.iter().copied().fold(0, gcd).max(1);
            row.needs.iter_mut().for_each(|need| *need /= unit);
            row.capacity /= unit;
            row.unit = row.unit.saturating_mul(unit);
            limits.push((all as f64 / (row.capacity.max(1) as f64 * unit as f64), row));
        }
        limits.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        let limits: Vec<Limit> = limits.into_iter().map(|(_, limit)| limit).collect();
        let Some(first) = limits.first() else {
            return Self {
                cells: vec![0; costs.len()],
                exact: true,
                ..Self::default()
            };
        };
        let most = match limits.len() {
            1 => (MOST_TABLE / costs.len().max(1) as u64).clamp(MOST_CELLS, MOST_EXACT_CELLS),
            _ => MOST_CELLS,
        };
        let coarse = first.capacity / most + 1;
        let room = first.capacity / coarse;
        // What does not fit at all needs no exact number.
        let cells = first
            .needs
            .iter()
            .map(|need| (need / coarse).min(room + 1) as u32);
        Self {
            cells: cells.collect(),
            room: room as usize,
            exact: limits.len() == 1 && coarse == 1,
            limits,
        }
    }
}

/// True when the agent can do the task on its own.
fn may(problem: &AssignProblem, agent: usize, task: usize) -> bool {
    let fits = |row: &Row| problem.need(row, task) <= row.capacity;
    problem.cost(agent, task) != FORBIDDEN && problem.rows(agent).iter().all(fits)
}
