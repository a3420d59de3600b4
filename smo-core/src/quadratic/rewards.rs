//! Rewards for tasks, such that what the agents take at them proves most: the other side of a bound by trees. There every tree chooses by
//! itself and may overload the agents; here every agent chooses by itself, within its room, and may take what others take too. Dantzig,
//! Wolfe, [Decomposition Principle for Linear Programs](https://doi.org/10.1287/opre.8.1.101), 1960, by steps along the slope.

use super::certificate_packing::Packing;
use super::field::Field;
use super::forest::Forest;
use super::packing::{Amounts, MOST_RESOURCES, Packer};
use super::problem::QuadraticProblem;
use crate::adam::Adam;

/// Steps at most, and the first and last length of them, in shares of the scale of costs.
const STEPS: u32 = 400;
const LENGTHS: (f64, f64) = (0.002, 0.0002);
/// Not begun where the effort is less than so many looks with room priced.
const LEAST: u64 = 32;
/// Sums of half an agent's trees that are listed: one for so much effort an agent, and within these.
const A_SUM: u64 = 3_000;
const FEWEST_SUMS: usize = 5_000;
const MOST_SUMS: usize = 20_000;
/// Ended when one part in so many of the effort brought nothing.
const PATIENCE: u64 = 5;

/// What agents take at the best rewards found in so much work, and the work it took; `None` where there is too little of it, or no such
/// bound, or one look shows that there is none above `known`. `prices` are those of a unit, by resource and then agent in rows of the field's width.
pub(super) fn reward(
    problem: &QuadraticProblem,
    field: &Field,
    forest: &Forest,
    prices: &[f64],
    known: i64,
    effort: u64,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Option<(Packing, u64)> {
    let sums = (effort / A_SUM / problem.agents().max(1) as u64) as usize;
    let mut packer = Packer::new(problem, field, forest, sums.clamp(FEWEST_SUMS, MOST_SUMS))?;
    let step = packer.look_work() * problem.agents() as u64;
    if LEAST.saturating_mul(step) > effort {
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
    let mut ascent = Ascent {
        rewards: packer.fair(&rents),
        slopes: Vec::new(),
        best: None,
        adam: Adam::new(tasks),
        rents,
    };
    let start = packer.work;
    let all = effort.saturating_sub(start).max(1);
    let mut proved = (f64::NEG_INFINITY, start);
    for step in 0..STEPS {
        let bound = ascent.look(&mut packer);
        if bound > proved.0 {
            proved = (bound, packer.work);
        }
        let (spent, waited) = (packer.work - start, packer.work - proved.1);
        if spent >= all || waited > all / PATIENCE || !go_on(packer.work) {
            break;
        }
        // groups are left out, and can cost more than steps add
        if !problem.groups().is_empty() && proved.0 < known as f64 {
            return None;
        }
        let progress = (spent as f64 / all as f64).max(f64::from(step) / f64::from(STEPS));
        ascent.step(field.scale * between(LENGTHS, progress));
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
    /// What the agents take, and what that proves.
    fn look(&mut self, packer: &mut Packer) -> f64 {
        let mut slopes = vec![1.0; self.rewards.len()];
        let mut least = Vec::with_capacity(self.rents.len());
        for agent in 0..self.rents.len() {
            let taken = packer.take(agent, &self.rewards, &mut self.rents[agent]);
            least.push(taken.least);
            taken
                .members
                .iter()
                .for_each(|task| slopes[*task as usize] -= 1.0);
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
        bound
    }

    fn step(&mut self, length: f64) {
        self.adam
            .step(&self.slopes, length, f64::NEG_INFINITY, &mut self.rewards);
    }
}
