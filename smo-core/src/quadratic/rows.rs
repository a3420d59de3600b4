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

/// The rows of capacity, by agent and then resource.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    field: &'a Field,
    pub(super) rates: Rates,
    used: Vec<f64>,
    /// What each costs as it is, by the rates and above comfort.
    rated: Vec<f64>,
    strained: Vec<f64>,
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
            over: 0,
        }
    }

    /// Counts everything anew. Gives what is above comfort and out of balance.
    pub(super) fn count(&mut self, agent_of: &[u32]) -> f64 {
        let resources = self.field.resources;
        self.used.fill(0.0);
        for (task, agent) in agent_of.iter().enumerate() {
            let agent = *agent as usize;
            for resource in 0..resources {
                self.used[agent * resources + resource] += self.field.need(task, agent, resource);
            }
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
        cost
    }

    /// What it costs when an agent holds more of each resource, `sign` times.
    pub(super) fn change(&self, agent: usize, more: &[f64], sign: f64) -> Load {
        let first = agent * self.field.resources;
        let used = &self.used[first..first + more.len()];
        let mut load = Load {
            rated: 0.0,
            strain: 0.0,
        };
        for (resource, (used, more)) in used.iter().zip(more).enumerate() {
            let row = first + resource;
            load.rated += self.pay(row, used + sign * more) - self.rated[row];
        }
        if !self.field.comfort.is_empty() {
            for (resource, (used, more)) in used.iter().zip(more).enumerate() {
                let row = first + resource;
                load.strain += self.field.strain(row, used + sign * more) - self.strained[row];
            }
        }
        for balance in &self.field.balances {
            let (one, other) = (used[balance.one], used[balance.other]);
            let after = [
                one + sign * more[balance.one],
                other + sign * more[balance.other],
            ];
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
    }

    fn price(&mut self, row: usize) {
        self.rated[row] = self.pay(row, self.used[row]);
        self.strained[row] = self.field.strain(row, self.used[row]);
    }

    /// What a row costs by its rates when so much is used.
    fn pay(&self, row: usize, used: f64) -> f64 {
        let has = self.field.capacities[row];
        if used <= has {
            self.rates.slack[row] * used
        } else {
            self.rates.slack[row] * has + self.rates.over[row] * (used - has) + self.rates.step
        }
    }
}
