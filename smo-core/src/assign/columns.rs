//! The bound of a node: column generation on what each agent takes together.
//!
//! The master problem covers the tasks by patterns (an agent and tasks that fit it), its prices reward tasks, and each
//! agent answers with the pattern that is worth most at these rewards. `sum of rewards + sum of least` is a lower bound for
//! any rewards, so the best of them is kept; rewards half way between the best and the master's settle faster (Wentges,
//! [Weighted Dantzig-Wolfe decomposition](https://doi.org/10.1111/j.1475-3995.1997.tb00001.x), 1997).

use std::collections::BTreeMap;

use super::knapsack::{Care, Tables, Taken};
use super::menu::Menu;
use super::open::Open;
use super::scaled::Scaled;
use super::simplex::Master;

/// Steps of the simplex method between two looks at the agents.
const STEPS: usize = 1000;

/// What an agent takes together.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pattern {
    pub(super) agent: usize,
    pub(super) tasks: Vec<u32>,
}

/// All patterns found so far, with the master problem over them.
#[derive(Debug)]
pub(super) struct Pool {
    patterns: Vec<Pattern>,
    known: BTreeMap<Pattern, usize>,
    master: Master,
    missing: i64,
}

impl Pool {
    /// No pattern; a task that no pattern covers costs `missing` units.
    pub(super) fn new(scaled: &Scaled, missing: i64) -> Self {
        Self {
            patterns: Vec::new(),
            known: BTreeMap::new(),
            master: Master::new(scaled.tasks, scaled.agents, missing as f64),
            missing,
        }
    }

    /// What a task costs that no pattern covers, in units: no reward is of use above it.
    pub(super) const fn missing(&self) -> i64 {
        self.missing
    }

    /// Numbers touched so far.
    pub(super) const fn work(&self) -> u64 {
        self.master.work
    }

    /// Adds a pattern or opens it; false when it was open.
    pub(super) fn add(&mut self, scaled: &Scaled, agent: usize, tasks: &[u32]) -> bool {
        if tasks.is_empty() {
            return false;
        }
        let pattern = Pattern {
            agent,
            tasks: tasks.to_vec(),
        };
        if let Some(place) = self.known.get(&pattern) {
            return self.master.open(*place);
        }
        self.master.add(agent, tasks, cost(scaled, &pattern));
        self.known.insert(pattern.clone(), self.patterns.len());
        self.patterns.push(pattern);
        true
    }

    /// Adds what each agent takes in an answer.
    pub(super) fn add_answer(&mut self, scaled: &Scaled, answer: &[usize]) {
        for agent in 0..scaled.agents {
            let tasks: Vec<u32> = (0..answer.len())
                .filter(|task| answer[*task] == agent)
                .map(|task| task as u32)
                .collect();
            self.add(scaled, agent, &tasks);
        }
    }

    /// The patterns as far as they are about the tasks `kept`, where what is left of them is allowed.
    pub(super) fn reduced(&self, scaled: &Scaled, kept: &[usize], missing: i64) -> Self {
        let mut pool = Self::new(scaled, missing);
        for pattern in &self.patterns {
            let places = pattern
                .tasks
                .iter()
                .filter_map(|task| kept.binary_search(&(*task as usize)).ok());
            let tasks: Vec<u32> = places
                .filter(|place| scaled.cost(pattern.agent, *place) != super::FORBIDDEN)
                .map(|place| place as u32)
                .collect();
            if scaled.sacks[pattern.agent].fits(tasks.iter().map(|place| *place as usize)) {
                pool.add(scaled, pattern.agent, &tasks);
            }
        }
        pool
    }

    /// Opens the patterns that `may` says and closes the others.
    fn open_where(&mut self, may: impl Fn(&Pattern) -> bool) {
        let patterns = &self.patterns;
        self.master
            .open_where(|place| patterns.get(place).is_some_and(&may));
    }
}

/// The bound of a node, and what its master problem looks like.
#[derive(Debug)]
pub(super) struct Bounded {
    pub(super) proof: Proof,
    /// Agent by agent: the share of the task that the master gives to the agent.
    pub(super) shares: Vec<f64>,
}

/// Rewards and what they prove.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// Lower bound, scaled: the sum of `rewards` and `least`.
    pub(super) bound: f64,
    pub(super) rewards: Vec<f64>,
    /// By agent: its share of the bound.
    pub(super) least: Vec<f64>,
}

impl Proof {
    /// True when an answer with this pattern may cost less than `target` units.
    fn admits(&self, scaled: &Scaled, pattern: &Pattern, target: i64) -> bool {
        let tasks = pattern.tasks.iter().map(|task| *task as usize);
        let worth: f64 = tasks
            .map(|task| scaled.worth(pattern.agent, task, &self.rewards))
            .sum();
        scaled.in_units(self.bound + (worth - self.least[pattern.agent]).max(0.0)) < target
    }
}

/// Bounds the open pairs from below, until nothing better than `target` units can be among them or the bound settles.
pub(super) fn bound(
    scaled: &Scaled,
    tables: &mut Tables,
    pool: &mut Pool,
    open: &Open,
    start: &[f64],
    target: i64,
    effort: u64,
) -> Bounded {
    let menu = Menu::new(scaled, open);
    let mut best = prove(scaled, tables, &menu, start.to_vec(), Care::Quick).0;
    pool.open_where(|pattern| {
        let open = pattern
            .tasks
            .iter()
            .all(|task| open.has(pattern.agent, *task as usize));
        open && best.admits(scaled, pattern, target)
    });
    let mut care = Care::Quick;
    loop {
        if scaled.in_units(best.bound) >= target || tables.work + pool.work() > effort {
            break;
        }
        let (prices, solved) = pool.master.solve(STEPS);
        let value: f64 = prices.iter().sum();
        // The bound cannot get beyond the next whole number.
        if solved && best.bound / scaled.scale >= value - 1e-6 * value.abs().max(1.0) {
            break;
        }
        let wanted: Vec<f64> = prices[..scaled.tasks]
            .iter()
            .map(|price| (price.clamp(0.0, pool.master.missing()) * scaled.scale).round())
            .collect();
        let pairs = best.rewards.iter().zip(&wanted);
        let between: Vec<f64> = pairs
            .map(|(best, wanted)| ((best + wanted) / 2.0).round())
            .collect();
        let mut added = 0;
        for rewards in [between, wanted] {
            let (proof, patterns) = prove(scaled, tables, &menu, rewards, care);
            for (agent, taken) in patterns.into_iter().enumerate() {
                let gain: f64 = taken
                    .tasks
                    .iter()
                    .map(|task| scaled.cost(agent, *task as usize) as f64 - prices[*task as usize])
                    .sum::<f64>()
                    - prices[scaled.tasks + agent];
                if gain >= -1e-7 * value.max(1.0) {
                    continue;
                }
                added += usize::from(pool.add(scaled, agent, &taken.tasks));
            }
            if proof.bound > best.bound {
                best = proof;
            }
            if added > 0 {
                break;
            }
        }
        if added == 0 && solved {
            match care.more() {
                Some(more) => care = more,
                None => break,
            }
        }
    }
    let mut shares = vec![0.0; scaled.agents * scaled.tasks];
    for (place, share) in pool.master.used() {
        if let Some(pattern) = pool.patterns.get(place) {
            for task in &pattern.tasks {
                shares[pattern.agent * scaled.tasks + *task as usize] += share;
            }
        }
    }
    Bounded { proof: best, shares }
}

/// What rewards prove, and what each agent takes at them.
pub(super) fn prove(
    scaled: &Scaled,
    tables: &mut Tables,
    menu: &Menu,
    rewards: Vec<f64>,
    care: Care,
) -> (Proof, Vec<Taken>) {
    let taken: Vec<Taken> = (0..scaled.agents)
        .map(|agent| tables.take(scaled, agent, menu, &rewards, care))
        .collect();
    let least: Vec<f64> = taken.iter().map(|taken| taken.least).collect();
    let bound = rewards.iter().sum::<f64>() + least.iter().sum::<f64>();
    (
        Proof {
            bound,
            rewards,
            least,
        },
        taken,
    )
}

fn cost(scaled: &Scaled, pattern: &Pattern) -> f64 {
    let costs = pattern
        .tasks
        .iter()
        .map(|task| scaled.cost(pattern.agent, *task as usize));
    costs.map(|cost| cost as f64).sum()
}
