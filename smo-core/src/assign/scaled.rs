//! The question in small whole numbers: costs above the cheapest agent of each task in units of their greatest common
//! divisor, needs in units of theirs, limits that can be reached only.

use super::problem::{AssignProblem, FORBIDDEN, Row};

/// Sums of scaled costs stay below this, so that floating point keeps them whole.
const LARGEST: f64 = 1_125_899_906_842_624.0; // 2^50

/// More cells of a table over capacity are not filled; capacity is counted in coarser units instead.
const MOST_CELLS: u64 = 1024;

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
    /// The unit, in units of the question.
    pub(super) unit: u64,
    pub(super) needs: Vec<u64>,
    pub(super) capacity: u64,
}

impl Scaled {
    /// `None` when the numbers do not fit.
    pub(super) fn new(problem: &AssignProblem) -> Option<Self> {
        let (agents, tasks) = (problem.agents(), problem.tasks());
        let mut costs = vec![FORBIDDEN; agents * tasks];
        let (mut offset, mut unit, mut most) = (0_i64, 0_i64, 0.0_f64);
        for task in 0..tasks {
            let allowed = |agent: &usize| may(problem, *agent, task);
            let row: Vec<usize> = (0..agents).filter(allowed).collect();
            let cheapest = row
                .iter()
                .map(|agent| problem.cost(*agent, task))
                .min()
                .unwrap_or(0);
            offset = offset.checked_add(cheapest)?;
            let mut dearest = 0;
            for agent in row {
                let above = problem.cost(agent, task).checked_sub(cheapest)?;
                unit = gcd(unit, above);
                dearest = dearest.max(above);
                costs[agent * tasks + task] = above;
            }
            most += dearest as f64;
        }
        let unit = unit.max(1);
        for cost in &mut costs {
            if *cost != FORBIDDEN {
                *cost /= unit;
            }
        }
        let most = most / unit as f64 + 1.0;
        let mut scale = 1.0_f64;
        while most * scale * 2.0 <= LARGEST && scale < 1_048_576.0 {
            scale *= 2.0;
        }
        if most > LARGEST {
            return None;
        }
        let sacks = (0..agents).map(|agent| {
            let limits = problem.rows(agent).iter().enumerate().map(|(number, row)| Limit {
                row: number,
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
    pub(super) fn reduced(&self, open: &[bool]) -> Option<(Self, Vec<usize>)> {
        let agents_of = |task: usize| (0..self.agents).filter(move |agent| open[agent * self.tasks + task]);
        let (mut kept, mut decided) = (Vec::new(), Vec::new());
        for task in 0..self.tasks {
            let mut agents = agents_of(task);
            match (agents.next(), agents.next()) {
                (Some(agent), None) => decided.push((task, agent)),
                _ => kept.push(task),
            }
        }
        let tasks = kept.len();
        let mut costs = vec![FORBIDDEN; self.agents * tasks];
        let mut offset: i64 = decided.iter().map(|(task, agent)| self.cost(*agent, *task)).sum();
        let mut unit = 0;
        for (place, task) in kept.iter().enumerate() {
            let cheapest = agents_of(*task).map(|agent| self.cost(agent, *task)).min()?;
            offset += cheapest;
            for agent in agents_of(*task) {
                let above = self.cost(agent, *task) - cheapest;
                unit = gcd(unit, above);
                costs[agent * tasks + place] = above;
            }
        }
        let unit = unit.max(1);
        costs
            .iter_mut()
            .filter(|cost| **cost != FORBIDDEN)
            .for_each(|cost| *cost /= unit);
        let mut sacks = Vec::with_capacity(self.agents);
        for (agent, sack) in self.sacks.iter().enumerate() {
            let mut limits = Vec::with_capacity(sack.limits.len());
            for limit in &sack.limits {
                let mine = decided.iter().filter(|(_, of)| *of == agent);
                let taken: u64 = mine.map(|(task, _)| limit.needs[*task]).sum();
                limits.push(Limit {
                    row: limit.row,
                    unit: limit.unit,
                    needs: kept.iter().map(|task| limit.needs[*task]).collect(),
                    capacity: limit.capacity.checked_sub(taken)?,
                });
            }
            sacks.push(Sack::new(limits, &costs[agent * tasks..(agent + 1) * tasks]));
        }
        let reduced = Self {
            agents: self.agents,
            tasks,
            costs,
            sacks,
            offset,
            unit,
            scale: self.scale,
        };
        Some((reduced, kept))
    }

    pub(super) fn cost(&self, agent: usize, task: usize) -> i64 {
        self.costs[agent * self.tasks + task]
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

    /// Which pairs are allowed, agent by agent.
    pub(super) fn open(&self) -> Vec<bool> {
        self.costs.iter().map(|cost| *cost != FORBIDDEN).collect()
    }
}

impl Limit {
    /// By what share of its capacity the tasks go beyond it; below 0 when they do not.
    pub(super) fn over(&self, tasks: &[u32]) -> f64 {
        let taken: u64 = tasks.iter().map(|task| self.needs[*task as usize]).sum();
        (taken as f64 - self.capacity as f64) / self.capacity.max(1) as f64
    }
}

impl Sack {
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
            let unit = row.needs.iter().fold(0, |unit, need| gcd_u64(unit, *need)).max(1);
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
        let coarse = first.capacity / MOST_CELLS + 1;
        Self {
            cells: first.needs.iter().map(|need| (need / coarse) as u32).collect(),
            room: (first.capacity / coarse) as usize,
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

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a.abs() } else { gcd(b, a % b) }
}

fn gcd_u64(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd_u64(b, a % b) }
}
