//! Rewards for tasks, such that what the agents take at them proves most: the other side of a bound by trees. There every tree chooses by
//! itself and may overload the agents; here every agent chooses by itself, within its room, and may take what others take too. Dantzig,
//! Wolfe, [Decomposition Principle for Linear Programs](https://doi.org/10.1287/opre.8.1.101), 1960, by steps along the slope.

use super::certificate_packing::Packing;
use super::field::Field;
use super::forest::Forest;
use super::packing::{Amounts, MOST_RESOURCES, Packer};
use super::problem::QuadraticProblem;
use crate::adam::Adam;

/// Steps with room priced, from prices to rewards that prove the same.
const FAR: u32 = 200;
/// The first and last length of these, in shares of the scale of costs.
const FAR_LENGTHS: (f64, f64) = (0.1, 0.01);
/// Steps within the room, at most.
const NEAR: u32 = 200;
const NEAR_LENGTHS: (f64, f64) = (0.002, 0.0002);
/// A step within the room takes about so many looks at each agent.
const LOOKS_A_STEP: u64 = 16;
/// Fewer steps than this are not worth the work.
const LEAST: u64 = 10;

/// What agents take at the best rewards found in so much work, and the work it took; `None` where there is too little of it, or no such
/// bound. `prices` are those of a unit, by resource and then agent in rows of the field's width.
pub(super) fn reward(
    problem: &QuadraticProblem,
    field: &Field,
    forest: &Forest,
    prices: &[f64],
    effort: u64,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Option<(Packing, u64)> {
    let mut packer = Packer::new(problem, field, forest)?;
    let step = packer.look_work() * problem.agents() as u64;
    if (u64::from(FAR) + LEAST * LOOKS_A_STEP).saturating_mul(step) > effort {
        return None;
    }
    let (agents, tasks) = (problem.agents(), problem.tasks());
    let rents = (0..agents).map(|agent| {
        let mut rent = [0.0; MOST_RESOURCES];
        for (resource, price) in rent.iter_mut().enumerate().take(problem.resources()) {
            *price = prices[resource * field.width + agent];
        }
        rent
    });
    let rents: Vec<Amounts> = rents.collect();
    let cheapest = |task: usize| {
        let open = (0..agents).filter(|agent| problem.allows(task, *agent));
        let priced = open.map(|agent| {
            let needs = problem.needs(task).iter().zip(&rents[agent]);
            problem.costs(task)[agent] as f64 + needs.map(|(need, price)| *need as f64 * price).sum::<f64>()
        });
        priced.fold(f64::INFINITY, f64::min)
    };
    let mut ascent = Ascent {
        rewards: (0..tasks).map(cheapest).collect(),
        slopes: Vec::new(),
        best: None,
        adam: Adam::new(tasks),
        rents,
    };
    for step in 0..FAR {
        ascent.look(&mut packer, false);
        ascent.step(field.scale * between(FAR_LENGTHS, f64::from(step) / f64::from(FAR)));
        if !go_on(packer.work) {
            return None;
        }
    }
    ascent.begin_near();
    let start = packer.work;
    for step in 0..NEAR {
        ascent.look(&mut packer, true);
        let spent = (packer.work - start) as f64 / effort.saturating_sub(start).max(1) as f64;
        if spent >= 1.0 || !go_on(packer.work) {
            break;
        }
        let progress = spent.max(f64::from(step) / f64::from(NEAR));
        ascent.step(field.scale * between(NEAR_LENGTHS, progress));
    }
    let best = ascent.best?;
    let packing = Packing::of(problem, &best.rewards, &best.least, &best.rents);
    Some((packing, packer.work))
}

/// From the first to the second by equal factors.
fn between((first, last): (f64, f64), progress: f64) -> f64 {
    first * (last / first).powf(progress)
}

struct Ascent {
    rewards: Vec<f64>,
    rents: Vec<Amounts>,
    /// One for every task, less one for every agent that takes it.
    slopes: Vec<f64>,
    best: Option<Best>,
    adam: Adam,
}

struct Best {
    bound: f64,
    rewards: Vec<f64>,
    rents: Vec<Amounts>,
    least: Vec<f64>,
}

impl Ascent {
    /// What the agents take, within their room or with it priced.
    fn look(&mut self, packer: &mut Packer, within: bool) {
        let mut slopes = vec![1.0; self.rewards.len()];
        let mut least = Vec::with_capacity(self.rents.len());
        for agent in 0..self.rents.len() {
            let members = if within {
                let taken = packer.take(agent, &self.rewards, &mut self.rents[agent]);
                least.push(taken.least);
                taken.members
            } else {
                least.push(packer.relax(agent, &self.rewards, &self.rents[agent]));
                packer.chosen()
            };
            members.iter().for_each(|task| slopes[*task as usize] -= 1.0);
        }
        let bound = self.rewards.iter().sum::<f64>() + least.iter().sum::<f64>();
        self.slopes = slopes;
        if self.best.as_ref().is_none_or(|best| bound > best.bound) {
            self.best = Some(Best {
                bound,
                rewards: self.rewards.clone(),
                rents: self.rents.clone(),
                least,
            });
        }
    }

    fn step(&mut self, length: f64) {
        self.adam
            .step(&self.slopes, length, f64::NEG_INFINITY, &mut self.rewards);
    }

    /// Goes on from the best rewards.
    fn begin_near(&mut self) {
        if let Some(best) = self.best.take() {
            self.rewards = best.rewards;
        }
    }
}
