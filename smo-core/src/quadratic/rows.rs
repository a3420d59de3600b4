//! What agents hold of each resource, and what that costs: by rates below and above capacity, above comfort, and out of balance.

use std::ops::Range;

use super::field::Field;

/// So many resources of an agent are looked at together, with vector instructions.
const LANES: usize = 4;
type Lanes = [f64; LANES];

/// Rows of an agent, and what they cost by rates: a unit below capacity, and a unit above.
#[derive(Debug, Clone, Copy)]
struct Rated {
    used: Lanes,
    has: Lanes,
    slack: Lanes,
    over: Lanes,
    /// What each costs as it is.
    cost: Lanes,
}

impl Rated {
    /// What nobody uses and nothing costs.
    const NONE: Self = Self {
        used: [0.0; LANES],
        has: [f64::INFINITY; LANES],
        slack: [0.0; LANES],
        over: [0.0; LANES],
        cost: [0.0; LANES],
    };

    /// What a row costs when so much is used; `step` for being above capacity at all.
    fn pay(&self, lane: usize, used: f64, step: f64) -> f64 {
        let has = self.has[lane];
        let above = if used > has { step } else { 0.0 };
        let below = if used < has { used } else { has };
        self.slack[lane] * below + self.over[lane] * positive(used - has) + above
    }
}

/// Rows of an agent above comfort.
#[derive(Debug, Clone, Copy)]
struct Strained {
    level: Lanes,
    price: Lanes,
    cost: Lanes,
}

impl Strained {
    const NONE: Self = Self {
        level: [f64::INFINITY; LANES],
        price: [0.0; LANES],
        cost: [0.0; LANES],
    };

    fn pay(&self, lane: usize, used: f64) -> f64 {
        self.price[lane] * positive(used - self.level[lane])
    }
}

/// As `max(0)`, for a number: that would ask first whether it is one.
fn positive(number: f64) -> f64 {
    if number > 0.0 { number } else { 0.0 }
}

/// What more or less load at an agent costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Load {
    /// By the rates.
    pub(super) rated: f64,
    /// Above comfort and out of balance: what is a cost of the question too.
    pub(super) strain: f64,
}

/// What tasks that move take of each resource, and of what fills up the last lanes.
#[derive(Debug)]
pub(super) struct Moving {
    /// Where they are.
    pub(super) gone: Vec<f64>,
    /// Where they go.
    pub(super) come: Vec<f64>,
}

impl Moving {
    pub(super) fn new(field: &Field) -> Self {
        let none = vec![0.0; field.resources.next_multiple_of(LANES)];
        Self {
            gone: none.clone(),
            come: none,
        }
    }

    pub(super) fn weigh(&mut self, field: &Field, tasks: &[u32], from: usize, to: usize) {
        let Some((first, others)) = tasks.split_first() else {
            return;
        };
        for (gone, need) in self.gone.iter_mut().zip(field.amounts(*first as usize)) {
            *gone = *need;
        }
        for task in others {
            for (gone, need) in self.gone.iter_mut().zip(field.amounts(*task as usize)) {
                *gone += need;
            }
        }
        for (come, gone) in self.come.iter_mut().zip(&self.gone) {
            *come = *gone;
        }
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
    /// Lanes of an agent.
    lanes: usize,
    rated: Vec<Rated>,
    /// Empty where no load costs by itself.
    strained: Vec<Strained>,
    /// Being above capacity at all.
    pub(super) step: f64,
    /// By agent: all that its rows cost; no change of it saves more.
    held: Vec<f64>,
    /// How many are above capacity.
    pub(super) over: usize,
}

impl<'a> Rows<'a> {
    pub(super) fn new(field: &'a Field) -> Self {
        let lanes = field.resources.div_ceil(LANES);
        let strained = if field.comfort.is_empty() {
            0
        } else {
            field.agents * lanes
        };
        let mut rows = Self {
            field,
            lanes,
            rated: vec![Rated::NONE; field.agents * lanes],
            strained: vec![Strained::NONE; strained],
            step: 0.0,
            held: vec![0.0; field.agents],
            over: 0,
        };
        for agent in 0..field.agents {
            for resource in 0..field.resources {
                let row = agent * field.resources + resource;
                let (at, lane) = rows.place(agent, resource);
                rows.rated[at].has[lane] = field.capacities[row];
                if let Some((level, price)) = field.comfort.get(row) {
                    rows.strained[at].level[lane] = *level;
                    rows.strained[at].price[lane] = *price;
                }
            }
        }
        rows
    }

    const fn place(&self, agent: usize, resource: usize) -> (usize, usize) {
        (agent * self.lanes + resource / LANES, resource % LANES)
    }

    /// What a unit below capacity costs from the next count on, and a unit above.
    pub(super) fn set_rates(&mut self, agent: usize, resource: usize, (slack, over): (f64, f64)) {
        let (at, lane) = self.place(agent, resource);
        self.rated[at].slack[lane] = slack;
        self.rated[at].over[lane] = over;
    }

    fn used(&self, agent: usize, resource: usize) -> f64 {
        let (at, lane) = self.place(agent, resource);
        self.rated[at].used[lane]
    }

    /// Counts everything anew. Gives what is above comfort and out of balance.
    pub(super) fn count(&mut self, agent_of: &[u32]) -> f64 {
        let mut used = vec![0.0; self.field.agents * self.field.resources];
        for (task, agent) in agent_of.iter().enumerate() {
            self.field.add_needs(task, *agent as usize, 1.0, &mut used);
        }
        self.over = 0;
        let mut cost = 0.0;
        for agent in 0..self.field.agents {
            for resource in 0..self.field.resources {
                let (at, lane) = self.place(agent, resource);
                let used = used[agent * self.field.resources + resource];
                self.rated[at].used[lane] = used;
                self.over += usize::from(used > self.rated[at].has[lane]);
            }
            self.price(agent);
            let strained = &self.strained[self.strains(agent)];
            cost += strained.iter().flat_map(|rows| rows.cost).sum::<f64>();
            cost += self.imbalance(agent);
        }
        cost
    }

    /// All that the rows of an agent cost.
    pub(super) fn held(&self, agent: usize) -> f64 {
        self.held[agent]
    }

    fn rows(&self, agent: usize) -> Range<usize> {
        agent * self.lanes..(agent + 1) * self.lanes
    }

    fn strains(&self, agent: usize) -> Range<usize> {
        if self.strained.is_empty() {
            return 0..0;
        }
        self.rows(agent)
    }

    /// What being out of balance costs.
    fn imbalance(&self, agent: usize) -> f64 {
        let balances = self.field.balances.iter();
        let costs = balances.map(|balance| {
            balance.cost(
                agent,
                self.used(agent, balance.one),
                self.used(agent, balance.other),
            )
        });
        costs.sum()
    }

    /// What it costs when an agent holds more of each resource, `sign` times.
    pub(super) fn change(&self, agent: usize, more: &[f64], sign: f64) -> Load {
        let rated = &self.rated[self.rows(agent)];
        let (more_lanes, _) = more.as_chunks::<LANES>();
        let mut sum = [0.0; LANES];
        for (rows, more) in rated.iter().zip(more_lanes) {
            for lane in 0..LANES {
                let used = rows.used[lane] + sign * more[lane];
                sum[lane] += rows.pay(lane, used, self.step) - rows.cost[lane];
            }
        }
        let mut load = Load {
            rated: sum.iter().sum(),
            strain: 0.0,
        };
        let mut sum = [0.0; LANES];
        let strained = self.strained[self.strains(agent)].iter();
        for ((rows, strained), more) in rated.iter().zip(strained).zip(more_lanes) {
            for lane in 0..LANES {
                let used = rows.used[lane] + sign * more[lane];
                sum[lane] += strained.pay(lane, used) - strained.cost[lane];
            }
        }
        load.strain += sum.iter().sum::<f64>();
        for balance in &self.field.balances {
            let (one, other) = (self.used(agent, balance.one), self.used(agent, balance.other));
            let after = [one + sign * more[balance.one], other + sign * more[balance.other]];
            load.strain += balance.cost(agent, after[0], after[1]) - balance.cost(agent, one, other);
        }
        load
    }

    /// Has an agent hold more of each resource, `sign` times.
    pub(super) fn load(&mut self, agent: usize, more: &[f64], sign: f64) {
        let rows = self.rows(agent);
        for (rows, more) in self.rated[rows].iter_mut().zip(more.as_chunks::<LANES>().0) {
            for (lane, more) in more.iter().enumerate() {
                let before = rows.used[lane] > rows.has[lane];
                rows.used[lane] += sign * more;
                let after = rows.used[lane] > rows.has[lane];
                self.over = self.over + usize::from(after) - usize::from(before);
            }
        }
        self.price(agent);
    }

    /// What the rows of an agent cost as they are.
    fn price(&mut self, agent: usize) {
        let (range, strains) = (self.rows(agent), self.strains(agent));
        let mut sum = [0.0; LANES];
        for rows in &mut self.rated[range.clone()] {
            for (lane, sum) in sum.iter_mut().enumerate() {
                rows.cost[lane] = rows.pay(lane, rows.used[lane], self.step);
                *sum += rows.cost[lane];
            }
        }
        let rated = &self.rated[range];
        for (strained, rows) in self.strained[strains].iter_mut().zip(rated) {
            for (lane, sum) in sum.iter_mut().enumerate() {
                strained.cost[lane] = strained.pay(lane, rows.used[lane]);
                *sum += strained.cost[lane];
            }
        }
        self.held[agent] = sum.iter().sum::<f64>() + self.imbalance(agent);
    }
}

#[cfg(test)]
mod tests {
    use super::super::problem::QuadraticProblem;
    use super::super::strain::{Balance, Comfort};
    use super::*;
    use crate::random::Random;

    const RESOURCES: usize = 6;

    /// More resources than lanes, some of them unlimited, with comfort and a balance across lanes.
    fn question() -> QuadraticProblem {
        let mut problem = QuadraticProblem::new(3, 8, RESOURCES);
        for agent in 0..3 {
            for resource in 0..RESOURCES - 1 {
                problem.set_capacity(agent, resource, (10 + 3 * agent + resource) as u64);
                let comfort = Comfort {
                    level: (4 + resource) as u64,
                    price: 2 + resource as i64,
                };
                problem.set_comfort(agent, resource, comfort);
            }
        }
        for task in 0..8 {
            for resource in 0..RESOURCES {
                problem.set_need(task, resource, ((task * 5 + resource * 3) % 7) as u64);
            }
        }
        problem.add_balance(Balance {
            one: 0,
            other: 5,
            target: 1,
            level: vec![1; 3],
            price: 3,
        });
        problem
    }

    /// What the rows of all agents cost: by the rates, above comfort, and out of balance.
    fn all(field: &Field, step: f64, agent_of: &[u32]) -> f64 {
        let mut used = vec![0.0; field.agents * RESOURCES];
        for (task, agent) in agent_of.iter().enumerate() {
            field.add_needs(task, *agent as usize, 1.0, &mut used);
        }
        let mut sum = 0.0;
        for (row, used) in used.iter().enumerate() {
            let has = field.capacities[row];
            sum += 0.5 * used.min(has) + 7.0 * (used - has).max(0.0) + field.strain(row, *used);
            sum += if *used > has { step } else { 0.0 };
        }
        for (agent, used) in used.chunks(RESOURCES).enumerate() {
            sum += field.balances[0].cost(agent, used[0], used[5]);
        }
        sum
    }

    #[test]
    fn a_change_costs_what_counting_anew_says() {
        let problem = question();
        let field = Field::new(&problem);
        let mut rows = Rows::new(&field);
        rows.step = 11.0;
        for agent in 0..3 {
            (0..RESOURCES).for_each(|resource| rows.set_rates(agent, resource, (0.5, 7.0)));
        }
        let mut agent_of = vec![0_u32; 8];
        rows.count(&agent_of);
        assert!(rows.over > 0);
        let mut moving = Moving::new(&field);
        let mut random = Random::new(1);
        for _ in 0..200 {
            let (task, to) = (random.below(8), random.below(3));
            let from = agent_of[task] as usize;
            if from == to {
                continue;
            }
            moving.weigh(&field, &[task as u32], from, to);
            let left = rows.change(from, &moving.gone, -1.0);
            let entered = rows.change(to, &moving.come, 1.0);
            let before = all(&field, rows.step, &agent_of);
            agent_of[task] = to as u32;
            let more = all(&field, rows.step, &agent_of) - before;
            let foreseen = left.rated + left.strain + entered.rated + entered.strain;
            assert!((foreseen - more).abs() < 1e-9, "{foreseen} is not {more}");
            rows.load(from, &moving.gone, -1.0);
            rows.load(to, &moving.come, 1.0);
            let held: f64 = (0..3).map(|agent| rows.held(agent)).sum();
            assert!((held - before - more).abs() < 1e-9);
            let over = rows.over;
            rows.count(&agent_of);
            assert_eq!(rows.over, over);
        }
    }
}
