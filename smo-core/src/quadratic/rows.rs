//! What agents hold of each resource, and what that costs: by rates below and above capacity, above comfort, and out of balance.

use super::field::Field;

/// What rows of capacity cost, by agent and then resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    /// A unit below capacity.
    pub(super) slack: Vec<f64>,
    /// A unit above.
    pub(super) over: Vec<f64>,
    /// Being above at all.
    pub(super) step: f64,
}

/// What more or less load at an agent costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// By the rates.
    pub(super) rated: f64,
    /// Above comfort and out of balance: what is a cost of the question too.
    pub(super) strain: f64,
}

/// What tasks that move take of each resource.
#[derive(Debug)]
pub(super) struct Moving {
    /// Where they are.
    pub(super) gone: Vec<f64>,
    /// Where they go.
    pub(super) come: Vec<f64>,
}

impl Moving {
    pub(super) fn new(field: &Field) -> Self {
        Self {
            gone: vec![0.0; field.resources],
            come: vec![0.0; field.resources],
        }
    }

    pub(super) fn weigh(&mut self, field: &Field, tasks: &[u32], from: usize, to: usize) {
        self.gone.fill(0.0);
        for task in tasks {
            for (gone, need) in self.gone.iter_mut().zip(field.amounts(*task as usize)) {
                *gone += need;
            }
        }
        self.come.copy_from_slice(&self.gone);
        for task in tasks {
            let task = *task as usize;
            let Some((home, spared)) = field.spared(task) else {
                continue;
            };
            let side = match home {
                home if home == from => &mut self.gone,
                home if home == to => &mut self.come,
                _ => continue,
            };
            for resource in spared {
                side[resource] -= field.amounts(task)[resource];
            }
        }
    }
}

/// The rows of capacity, by agent and then resource.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    field: &'a Field,
    pub(super) rates: Rates,
    used: Vec<f64>,
    /// What each costs as it is, by the rates and above comfort.
    rated: Vec<f64>,
    strained: Vec<f64>,
    /// By agent: all that its rows cost; no change of it saves more.
    held: Vec<f64>,
    /// How many are above capacity.
    pub(super) over: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(field: &'a Field) -> Self {
        let rows = field.agents * field.resources;
        Self {
            field,
            rates: Rates {
                slack: vec![0.0; rows],
                over: vec![0.0; rows],
                step: 0.0,
            },
            used: vec![0.0; rows],
            rated: vec![0.0; rows],
            strained: vec![0.0; rows],
            held: vec![0.0; field.agents],
            over: 0,
        }
    }

    /// Counts everything anew. Gives what is above comfort and out of balance.
    pub(super) fn count(&mut self, agent_of: &[u32]) -> f64 {
        let resources = self.field.resources;
        self.used.fill(0.0);
        for (task, agent) in agent_of.iter().enumerate() {
            self.field.add_needs(task, *agent as usize, 1.0, &mut self.used);
        }
        let mut cost = 0.0;
        for row in 0..self.used.len() {
            self.price(row);
            cost += self.strained[row];
        }
        let capacities = self.used.iter().zip(&self.field.capacities);
        self.over = capacities.filter(|(used, has)| used > has).count();
        for balance in &self.field.balances {
            for (agent, used) in self.used.chunks_exact(resources).enumerate() {
                cost += balance.cost(agent, used[balance.one], used[balance.other]);
            }
        }
        for agent in 0..self.held.len() {
            self.hold(agent);
        }
        cost
    }

    /// All that the rows of an agent cost.
    pub(super) fn held(&self, agent: usize) -> f64 {
        self.held[agent]
    }

    fn hold(&mut self, agent: usize) {
        let rows = agent * self.field.resources..(agent + 1) * self.field.resources;
        let used = &self.used[rows.clone()];
        let balances = self.field.balances.iter();
        let balances = balances.map(|balance| balance.cost(agent, used[balance.one], used[balance.other]));
        let costs = self.rated[rows.clone()].iter().chain(&self.strained[rows]);
        self.held[agent] = costs.sum::<f64>() + balances.sum::<f64>();
    }

    /// What it costs when an agent holds more of each resource, `sign` times.
    pub(super) fn change(&self, agent: usize, more: &[f64], sign: f64) -> Load {
        let rows = agent * self.field.resources..(agent + 1) * self.field.resources;
        let used = &self.used[rows.clone()];
        let mut load = Load {
            rated: 0.0,
            strain: 0.0,
        };
        let capacities = &self.field.capacities[rows.clone()];
        let rates = self.rates.slack[rows.clone()]
            .iter()
            .zip(&self.rates.over[rows.clone()]);
        let now = used.iter().zip(more).zip(&self.rated[rows.clone()]);
        for (((used, more), rated), (has, (slack, over))) in now.zip(capacities.iter().zip(rates)) {
            load.rated += pay(used + sign * more, *has, (*slack, *over), self.rates.step) - rated;
        }
        if !self.field.comfort.is_empty() {
            let now = used.iter().zip(more).zip(&self.strained[rows.clone()]);
            for (((used, more), strained), (level, price)) in now.zip(&self.field.comfort[rows]) {
                load.strain += price * (used + sign * more - level).max(0.0) - strained;
            }
        }
        for balance in &self.field.balances {
            let (one, other) = (used[balance.one], used[balance.other]);
            let after = [one + sign * more[balance.one], other + sign * more[balance.other]];
            load.strain += balance.cost(agent, after[0], after[1]) - balance.cost(agent, one, other);
        }
        load
    }

    /// Has an agent hold more of each resource, `sign` times.
    pub(super) fn load(&mut self, agent: usize, more: &[f64], sign: f64) {
        for (resource, more) in more.iter().enumerate() {
            let row = agent * self.field.resources + resource;
            let has = self.field.capacities[row];
            let before = self.used[row] > has;
            self.used[row] += sign * more;
            let after = self.used[row] > has;
            self.over = self.over + usize::from(after) - usize::from(before);
            self.price(row);
        }
        self.hold(agent);
    }

    fn price(&mut self, row: usize) {
        let rates = (self.rates.slack[row], self.rates.over[row]);
        let has = self.field.capacities[row];
        self.rated[row] = pay(self.used[row], has, rates, self.rates.step);
        self.strained[row] = self.field.strain(row, self.used[row]);
    }
}

/// What a row costs by its rates when so much is used.
fn pay(used: f64, has: f64, (slack, over): (f64, f64), step: f64) -> f64 {
    let above = if used > has { step } else { 0.0 };
    slack * used.min(has) + over * (used - has).max(0.0) + above
}
