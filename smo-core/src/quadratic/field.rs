//! The numbers of the question as the search reads them: rows of `f32` over agents, padded for vector instructions.

use std::sync::Arc;

use super::far::Far;
use super::problem::{FORBIDDEN, QuadraticProblem};

/// What stands for "never": far above every cost, far below infinity, so that sums of it stay ordered.
pub(super) const NEVER: f32 = 1e30;

const LANES: usize = 16;

/// Two resources that should stay in proportion, see [`super::strain::Balance`].
#[derive(Debug, Clone)]
pub(super) struct Balanced {
    pub(super) one: usize,
    pub(super) other: usize,
    target: f64,
    price: f64,
    level: Vec<f64>,
}

impl Balanced {
    /// What it costs at an agent when so much is taken of both.
    pub(super) fn cost(&self, agent: usize, one: f64, other: f64) -> f64 {
        self.price * (other - self.target * one - self.level[agent]).max(0.0)
    }
}

/// Costs and needs as floats.
#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) agents: usize,
    /// Agents and what fills up the last vector.
    pub(super) width: usize,
    pub(super) resources: usize,
    /// Task by task; [`NEVER`] where forbidden, and infinite where there is no agent, so that no sum of the former is above it.
    costs: Vec<f32>,
    needs: Vec<f32>,
    /// The needs again, as exact as counts of what is taken have to be.
    amounts: Vec<f64>,
    /// By resource, whether only who is not at home needs it; empty where none is like that.
    arriving: Vec<bool>,
    /// By task; `usize::MAX` where it has none.
    homes: Vec<usize>,
    /// By number.
    pub(super) far: Arc<Vec<Far>>,
    /// Agent by agent; infinite where nothing is limited.
    pub(super) capacities: Vec<f64>,
    /// Agent by agent: the level from which a unit costs, and how much; empty where none does.
    pub(super) comfort: Vec<(f64, f64)>,
    pub(super) balances: Vec<Balanced>,
    /// What a choice of agent is about: the mean over tasks of mean cost less least cost, of what links cost apart, and of what
    /// its needs cost above comfort.
    pub(super) scale: f64,
    /// The same of the task in the middle, at most the mean: where few tasks are about much, most are about less.
    pub(super) typical: f64,
    /// The same by pairs alone, the mean: little where load is what costs.
    pub(super) pairs: f64,
    /// By resource: [`Self::scale`] for the mean need.
    pub(super) rates: Vec<f64>,
}

impl Field {
    pub(super) fn new(problem: &QuadraticProblem) -> Self {
        let (agents, tasks, resources) = (problem.agents(), problem.tasks(), problem.resources());
        let width = agents.div_ceil(LANES) * LANES;
        let mut costs = vec![NEVER; tasks * width];
        let mut scales = vec![0.0; tasks];
        for (task, row) in costs.chunks_exact_mut(width.max(1)).enumerate() {
            row[agents..].fill(f32::INFINITY);
            let (mut least, mut sum, mut open) = (f64::INFINITY, 0.0, 0_usize);
            for (agent, cost) in problem.costs(task).iter().enumerate() {
                if *cost != FORBIDDEN && problem.allows(task, agent) {
                    row[agent] = *cost as f32;
                    least = least.min(*cost as f64);
                    sum += *cost as f64;
                    open += 1;
                }
            }
            if open > 0 {
                scales[task] += sum / open as f64 - least;
            }
        }
        let pairs = scales.iter().sum::<f64>() / tasks.max(1) as f64;
        for link in problem.links() {
            let apart = link.weight as f64 * problem.distances()[link.distance].mean();
            for end in [link.from, link.to] {
                scales[end] += apart / 2.0;
            }
        }
        let needs: Vec<f32> = (0..tasks)
            .flat_map(|task| problem.needs(task).iter().map(|need| *need as f32))
            .collect();
        let amounts: Vec<f64> = (0..tasks)
            .flat_map(|task| problem.needs(task).iter().map(|need| *need as f64))
            .collect();
        for balance in problem.balances() {
            for (task, scale) in scales.iter_mut().enumerate() {
                *scale += amounts[task * resources + balance.other] * balance.price as f64;
            }
        }
        let comfort = comfort(problem);
        if !comfort.is_empty() {
            for (at, need) in needs.iter().enumerate() {
                let prices = comfort.iter().skip(at % resources).step_by(resources);
                let sum: f64 = prices.map(|(_, price)| price).sum();
                scales[at / resources] += f64::from(*need) * sum / agents as f64;
            }
        }
        let scale = (scales.iter().sum::<f64>() / tasks.max(1) as f64).max(1e-3);
        scales.sort_by(f64::total_cmp);
        let middle = scales.get(tasks / 2).copied().unwrap_or(scale);
        let typical = middle.clamp(scale / 1000.0, scale);
        let capacities = (0..agents)
            .flat_map(|agent| problem.capacities(agent).iter().map(|has| capacity(*has)))
            .collect();
        let mut sums = vec![0.0; resources];
        for (at, need) in needs.iter().enumerate() {
            sums[at % resources.max(1)] += f64::from(*need);
        }
        let rates = sums
            .iter()
            .map(|sum| scale * tasks as f64 / f64::max(*sum, 1.0))
            .collect();
        Self {
            agents,
            width,
            resources,
            costs,
            needs,
            amounts,
            arriving: arriving(problem),
            homes: (0..tasks)
                .map(|task| problem.home(task).unwrap_or(usize::MAX))
                .collect(),
            balances: balances(problem),
            far: Arc::new(problem.distances().iter().map(Far::new).collect()),
            capacities,
            comfort,
            scale,
            typical,
            pairs,
            rates,
        }
    }

    /// How much of a row is taken at this price where only that counts: all of it, or up to comfort where a unit above costs
    /// more.
    pub(super) fn worth_taking(&self, row: usize, price: f64) -> f64 {
        let has = self.capacities[row];
        match self.comfort.get(row) {
            Some((level, above)) if price <= *above => level.min(has),
            _ => has,
        }
    }

    /// A price above this would make it worth to take any amount of a row: a little below what a unit above comfort costs, where there is no
    /// other limit.
    pub(super) fn dearest(&self, row: usize) -> f64 {
        match self.comfort.get(row) {
            Some((_, above)) if self.capacities[row].is_infinite() => above * (1.0 - 1e-6),
            _ => f64::INFINITY,
        }
    }

    /// What a row costs above comfort when so much of it is taken.
    pub(super) fn strain(&self, row: usize, used: f64) -> f64 {
        self.comfort
            .get(row)
            .map_or(0.0, |(level, price)| price * (used - level).max(0.0))
    }

    pub(super) fn costs(&self, task: usize) -> &[f32] {
        &self.costs[task * self.width..(task + 1) * self.width]
    }

    pub(super) fn costs_mut(&mut self, task: usize) -> &mut [f32] {
        &mut self.costs[task * self.width..(task + 1) * self.width]
    }

    pub(super) fn needs(&self, task: usize) -> &[f32] {
        &self.needs[task * self.resources..(task + 1) * self.resources]
    }

    /// What a task takes of each resource where it is not at home, exactly.
    pub(super) fn amounts(&self, task: usize) -> &[f64] {
        &self.amounts[task * self.resources..(task + 1) * self.resources]
    }

    /// How much of a resource a task takes at an agent.
    pub(super) fn need(&self, task: usize, agent: usize, resource: usize) -> f64 {
        if self.is_home(task, agent) && self.arriving.get(resource) == Some(&true) {
            return 0.0;
        }
        self.amounts[task * self.resources + resource]
    }

    /// Whether a task fits into what is left at an agent; `rows` by agent, then resource.
    pub(super) fn fits(&self, task: usize, agent: usize, rows: &[f64]) -> bool {
        let left = &rows[agent * self.resources..(agent + 1) * self.resources];
        let fits = |(resource, left): (usize, &f64)| self.need(task, agent, resource) <= *left;
        left.iter().enumerate().all(fits)
    }

    /// Adds what a task takes at an agent, `sign` times, to `rows`, by agent and then resource.
    pub(super) fn add_needs(&self, task: usize, agent: usize, sign: f64, rows: &mut [f64]) {
        for resource in 0..self.resources {
            rows[agent * self.resources + resource] += sign * self.need(task, agent, resource);
        }
    }

    fn is_home(&self, task: usize, agent: usize) -> bool {
        !self.arriving.is_empty() && self.homes[task] == agent
    }

    /// Where a task is at home, and the resources that it does not need there.
    pub(super) fn spared(&self, task: usize) -> Option<(usize, impl Iterator<Item = usize>)> {
        let home = self.homes[task];
        let spared = (0..self.arriving.len()).filter(|resource| self.arriving[*resource]);
        (!self.arriving.is_empty() && home < self.agents).then_some((home, spared))
    }

    /// True when more load at an agent may cost by itself.
    pub(super) const fn is_strained(&self) -> bool {
        !self.comfort.is_empty() || !self.balances.is_empty()
    }

    /// How much a task takes, its needs weighed by their rates.
    pub(super) fn size(&self, task: usize) -> f64 {
        self.needs(task)
            .iter()
            .zip(&self.rates)
            .map(|(need, rate)| f64::from(*need) * rate)
            .sum()
    }

    pub(super) fn tasks(&self) -> usize {
        self.costs.len() / self.width.max(1)
    }
}

fn comfort(problem: &QuadraticProblem) -> Vec<(f64, f64)> {
    let rows = (0..problem.agents())
        .flat_map(|agent| (0..problem.resources()).map(move |resource| problem.comfort(agent, resource)));
    let rows: Vec<(f64, f64)> = rows
        .map(|comfort| {
            comfort.map_or((f64::INFINITY, 0.0), |comfort| {
                (comfort.level as f64, comfort.price as f64)
            })
        })
        .collect();
    if rows.iter().all(|(_, price)| *price == 0.0) {
        return Vec::new();
    }
    rows
}

fn arriving(problem: &QuadraticProblem) -> Vec<bool> {
    let arriving: Vec<bool> = (0..problem.resources())
        .map(|resource| problem.is_arriving(resource))
        .collect();
    if arriving.contains(&true) {
        return arriving;
    }
    Vec::new()
}

fn balances(problem: &QuadraticProblem) -> Vec<Balanced> {
    let balances = problem.balances().iter().map(|balance| Balanced {
        one: balance.one,
        other: balance.other,
        target: balance.target as f64,
        price: balance.price as f64,
        level: balance.level.iter().map(|level| *level as f64).collect(),
    });
    balances.collect()
}

fn capacity(has: u64) -> f64 {
    if has == u64::MAX {
        f64::INFINITY
    } else {
        has as f64
    }
}
