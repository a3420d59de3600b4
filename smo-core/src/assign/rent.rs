//! Prices on the agents' limits, and the rewards they come to: where the search for rewards begins.
//!
//! With the limits relaxed each task goes to the agent that is cheapest at these prices, so a look costs no more than reading the
//! costs. They move towards what the agents have.

use super::interior::Interior;
use super::open::Open;
use super::problem::FORBIDDEN;
use super::scaled::{Limit, Scaled};
use crate::adam::Adam;

/// Up to so many limits that agents share, prices are found to the last digit: the work of that grows with the cube of their number.
/// Where every agent has needs of its own few agents cost the same, and dives from the steps' prices end better (type D).
const MOST_LIMITS: usize = 200;
/// Steps of the ascent where there are more.
const STEPS: u32 = 300;
/// The first and last length of a step, as shares of what an agent's tasks cost.
const FIRST: f64 = 0.2;
const LAST: f64 = 0.002;

/// What each limit charges for a unit of need.
#[derive(Debug, Clone)]
pub(super) struct Rent {
    /// By agent and limit, in units of cost.
    prices: Vec<Vec<f64>>,
    /// By task: what it costs at the agent that is cheapest with rent, in units of cost.
    cheapest: Vec<f64>,
}

impl Rent {
    /// The prices that bound the open pairs best.
    pub(super) fn ascend(scaled: &Scaled, open: &Open, work: &mut u64) -> Self {
        let mut rent = Self {
            prices: scaled
                .sacks
                .iter()
                .map(|sack| vec![0.0; sack.limits.len()])
                .collect(),
            cheapest: vec![0.0; scaled.tasks],
        };
        let count = rent.prices.iter().map(Vec::len).sum();
        if count <= MOST_LIMITS && scaled.shared_kind().is_some() {
            let whole = Interior::new(scaled, open).prices(work);
            let limits = scaled.sacks.iter().flat_map(|sack| &sack.limits);
            for ((price, limit), whole) in rent.prices.iter_mut().flatten().zip(limits).zip(whole) {
                *price = whole / limit.capacity.max(1) as f64;
            }
            rent.relax(scaled, open);
            return rent;
        }
        let known = scaled.costs.iter().filter(|cost| **cost != FORBIDDEN);
        let (sum, pairs) = known.fold((0.0, 0.0), |(sum, pairs), cost| {
            (sum + *cost as f64, pairs + 1.0_f64)
        });
        // A variable is what the whole capacity of a limit costs, in shares of what an agent's tasks cost on average.
        let unit = sum / pairs.max(1.0) * scaled.tasks as f64 / scaled.agents.max(1) as f64;
        let whole = |limit: &Limit| limit.capacity.max(1) as f64;
        let mut variables = vec![0.0; count];
        let mut adam = Adam::new(count);
        let mut best = (f64::NEG_INFINITY, rent.clone());
        for step in 0..STEPS {
            *work += 2 * scaled.costs.len() as u64;
            let load = rent.relax(scaled, open);
            let bound = rent.cheapest.iter().sum::<f64>() - unit * variables.iter().sum::<f64>();
            if bound > best.0 {
                best = (bound, rent.clone());
            }
            let loaded = scaled
                .sacks
                .iter()
                .flat_map(|sack| &sack.limits)
                .zip(load.iter().flatten());
            let slopes: Vec<f64> = loaded
                .map(|(limit, load)| (load - limit.capacity as f64) / whole(limit))
                .collect();
            let length = FIRST * (LAST / FIRST).powf(f64::from(step) / f64::from(STEPS));
            adam.step(&slopes, length, 0.0, &mut variables);
            let limits = scaled.sacks.iter().flat_map(|sack| &sack.limits);
            let prices = rent.prices.iter_mut().flatten();
            for ((price, limit), variable) in prices.zip(limits).zip(&variables) {
                *price = variable * unit / whole(limit);
            }
        }
        best.1
    }

    /// Gives each task to its cheapest agent; what that takes of each limit, by agent.
    fn relax(&mut self, scaled: &Scaled, open: &Open) -> Vec<Vec<f64>> {
        self.cheapest.fill(f64::INFINITY);
        let mut chosen = vec![0; scaled.tasks];
        for agent in 0..scaled.agents {
            for task in (0..scaled.tasks).filter(|task| open.has(agent, *task)) {
                let cost = self.cost(scaled, agent, task);
                if cost < self.cheapest[task] {
                    self.cheapest[task] = cost;
                    chosen[task] = agent;
                }
            }
        }
        let mut load: Vec<Vec<f64>> = self.prices.iter().map(|prices| vec![0.0; prices.len()]).collect();
        for (task, agent) in chosen.into_iter().enumerate() {
            for (limit, load) in scaled.sacks[agent].limits.iter().zip(&mut load[agent]) {
                *load += limit.needs[task] as f64;
            }
        }
        load
    }

    /// Cost with rent, in units of cost.
    pub(super) fn cost(&self, scaled: &Scaled, agent: usize, task: usize) -> f64 {
        let limits = scaled.sacks[agent].limits.iter().zip(&self.prices[agent]);
        let rent: f64 = limits
            .map(|(limit, price)| price * limit.needs[task] as f64)
            .sum();
        rent + scaled.cost(agent, task) as f64
    }

    /// What a unit of need costs, by agent and limit: whole numbers, scaled.
    pub(super) fn whole_prices(&self, scaled: &Scaled) -> Vec<Vec<f64>> {
        let whole = |price: &f64| (price * scaled.scale).round();
        self.prices
            .iter()
            .map(|prices| prices.iter().map(whole).collect())
            .collect()
    }

    /// By how much the second agent of a task is dearer than the first, with rent, on average; in units of cost.
    pub(super) fn apart(&self, scaled: &Scaled, open: &Open) -> f64 {
        let (mut sum, mut counted) = (0.0, 0.0_f64);
        for task in 0..scaled.tasks {
            let above = open
                .agents_of(task)
                .map(|agent| self.cost(scaled, agent, task) - self.cheapest[task]);
            let (least, second) = above.fold((f64::INFINITY, f64::INFINITY), |(least, second), above| {
                if above < least {
                    (above, least)
                } else {
                    (least, second.min(above))
                }
            });
            if second.is_finite() {
                sum += second - least;
                counted += 1.0;
            }
        }
        sum / counted.max(1.0)
    }

    /// Agent by agent: 1 for a task's cheapest agent with rent, the less the dearer the agent.
    pub(super) fn shares(&self, scaled: &Scaled, open: &Open) -> Vec<f64> {
        let unit = self.apart(scaled, open).max(1e-9);
        let pairs = (0..scaled.agents).flat_map(|agent| (0..scaled.tasks).map(move |task| (agent, task)));
        pairs
            .map(|(agent, task)| {
                if !open.has(agent, task) {
                    return 0.0;
                }
                let above = self.cost(scaled, agent, task) - self.cheapest[task];
                unit / (unit + above.max(0.0))
            })
            .collect()
    }

    /// Rewards that just pay each task's cheapest agent, scaled; `most` units at most.
    pub(super) fn rewards(&self, scaled: &Scaled, most: i64) -> Vec<f64> {
        let capped = self.cheapest.iter().map(|cost| cost.min(most as f64));
        capped.map(|cost| (cost * scaled.scale).round()).collect()
    }
}
