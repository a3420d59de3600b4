//! Rewards for the nodes of a tree: steps along the slope of what agents take too often or not at all.

use super::certificate::{SCALE, up};
use super::certificate_rewards::{Menu, earned};
use super::problem::{FORBIDDEN, QuadraticProblem};
use crate::adam::Adam;

/// Steps at the root, and at every other node.
const AT_ROOT: u32 = 300;
const AT_NODE: u32 = 24;

/// Not begun at the root where the effort is less than so many of them.
const LEAST: u64 = 40;

/// The first step at the root and at other nodes, and the last, in shares of what a choice is about.
const LENGTHS: (f64, f64, f64) = (0.05, 0.03, 0.0005);

/// Where the climb ended.
pub(super) struct Climbed {
    /// By task, in 2^-40 of the unit of costs.
    pub(super) rewards: Vec<i128>,
    pub(super) bound: i64,
    /// By task and agent, the mean of what was taken in the second half of the climb.
    pub(super) shares: Vec<f64>,
    pub(super) work: u64,
}

/// Climbs from rewards, far at the root of a tree and a little elsewhere, or from what every task costs at its cheapest agent with all it
/// needs paid. `None` where a number does not fit, a table would be too large, or the effort does not do.
pub(super) fn climb(
    problem: &QuadraticProblem,
    prices: &[u128],
    from: Option<&[i128]>,
    from_root: bool,
    effort: u64,
) -> Option<Climbed> {
    let (tasks, agents) = (problem.tasks(), problem.agents());
    if prices.len() != agents * problem.resources() || from.is_some_and(|from| from.len() != tasks) {
        return None;
    }
    let steps = if from_root { AT_ROOT } else { AT_NODE };
    let mut at: Vec<f64> = match from {
        Some(from) => from.iter().map(|reward| *reward as f64).collect(),
        None => (0..tasks).map(|task| cheapest(problem, prices, task)).collect(),
    };
    let scale = scale(problem);
    let first = if from_root { LENGTHS.0 } else { LENGTHS.1 };
    let mut adam = Adam::new(tasks);
    let mut best: Option<(i128, Vec<i128>)> = None;
    let mut shares = vec![0.0; tasks * agents];
    let (mut work, mut memory) = (0, Vec::new());
    for step in 0..steps {
        let rewards: Vec<i128> = at.iter().map(|reward| *reward as i128).collect();
        let mut slopes = vec![1.0; tasks];
        let mut bound = rewards
            .iter()
            .try_fold(0_i128, |sum, reward| sum.checked_add(*reward))?;
        for agent in 0..agents {
            let menu = Menu::new(problem, &rewards, prices, agent, memory)?;
            work += (2 * menu.cells() + 8 * tasks) as u64;
            bound = bound.checked_add(menu.least()?)?;
            for task in menu.taken() {
                slopes[task] -= 1.0;
                if 2 * step >= steps {
                    shares[task * agents + agent] += 2.0 / f64::from(steps);
                }
            }
            memory = menu.into_memory();
        }
        if from_root && step == 0 && work.saturating_mul(LEAST) > effort {
            return None;
        }
        if best.as_ref().is_none_or(|(known, _)| bound > *known) {
            best = Some((bound, rewards));
        }
        let progress = f64::from(step) / f64::from(steps);
        if work > effort {
            break;
        }
        let length = first * (LENGTHS.2 / first).powf(progress);
        adam.step(&slopes, length * scale, f64::NEG_INFINITY, &mut at);
    }
    let (_, rewards) = best?;
    let bound = up(earned(problem, &rewards, prices)?.bound)?;
    Some(Climbed {
        rewards,
        bound,
        shares,
        work,
    })
}

/// What a task costs with its needs paid, where that is least.
fn cheapest(problem: &QuadraticProblem, prices: &[u128], task: usize) -> f64 {
    let costs = problem.costs(task).iter().enumerate();
    let open = costs.filter(|(_, cost)| **cost != FORBIDDEN);
    let priced = open.map(|(agent, cost)| {
        let prices = &prices[agent * problem.resources()..];
        let paid = prices.iter().take(problem.resources()).enumerate();
        let paid = paid.map(|(resource, price)| *price as f64 * problem.need(task, agent, resource) as f64);
        *cost as f64 * SCALE + paid.sum::<f64>()
    });
    let least = priced.fold(f64::INFINITY, f64::min);
    if least.is_finite() { least } else { 0.0 }
}

/// What a choice of agent is about: mean cost less least cost, on average, in 2^-40 of the unit of costs.
fn scale(problem: &QuadraticProblem) -> f64 {
    let about = |task: usize| {
        let open = problem.costs(task).iter().filter(|cost| **cost != FORBIDDEN);
        let (mut sum, mut count, mut least) = (0.0, 0.0, f64::INFINITY);
        for cost in open {
            sum += *cost as f64;
            count += 1.0;
            least = least.min(*cost as f64);
        }
        if count > 0.0 { sum / count - least } else { 0.0 }
    };
    let tasks = problem.tasks();
    let sum: f64 = (0..tasks).map(about).sum();
    (sum / tasks.max(1) as f64).max(1.0) * SCALE
}
