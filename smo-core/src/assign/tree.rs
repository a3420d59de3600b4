//! Branch and price: bounds by column generation, choices closed by them, and a tree over what is left.
//!
//! See Savelsbergh, [A Branch-and-Price Algorithm for the Generalized Assignment
//! Problem](https://doi.org/10.1287/opre.45.6.831), 1997, and for closing choices by what they would cost Posta, Ferland,
//! Michelon, [An exact method with variable fixing](https://doi.org/10.1007/s10589-011-9432-0), 2012.

use super::ascent::{Gait, Steps, ascend};
use super::columns::{Bounded, Pool, Proof, bound};
use super::heuristic::{improve, keeps_limits, round};
use super::knapsack::Tables;
use super::open::Open;
use super::rent::Rent;
use super::scaled::Scaled;
use super::symmetry::Twins;

/// More tasks and agents together are bounded by steps along the slope alone: the work of a step grows with their number,
/// that of the master problem with its square.
const MOST_ROWS: usize = 100;

/// The tree, depth first.
#[derive(Debug)]
pub(super) struct Tree {
    scaled: Scaled,
    twins: Twins,
    tables: Tables,
    pool: Pool,
    /// Answers have to cost less than this, in units.
    target: i64,
    /// The best answer, which costs less than the most any answer can.
    pub(super) best: Option<Vec<usize>>,
    best_total: i64,
    pub(super) nodes: u64,
    effort: u64,
    /// What smaller questions took.
    spent: u64,
    /// True while no node was given up.
    complete: bool,
    /// No answer costs less than this, in units.
    bound: i64,
    /// The rewards that bound the root best (scaled).
    rewards: Option<Vec<f64>>,
    /// See [`Gait`].
    stride: f64,
}

impl Tree {
    /// Answers have to cost less than `below` units, and than `start`.
    pub(super) fn new(scaled: Scaled, start: Option<Vec<usize>>, below: Option<i64>, effort: u64) -> Self {
        let dearest = |task: usize| {
            let costs = (0..scaled.agents).map(|agent| scaled.cost(agent, task));
            costs.filter(|cost| *cost != super::FORBIDDEN).max().unwrap_or(0)
        };
        let most: i64 = (0..scaled.tasks).map(dearest).sum();
        let known = start.as_ref().map_or(most + 1, |start| scaled.total(start));
        let best_total = below.map_or(known, |below| below.min(known));
        let mut pool = Pool::new(&scaled, 2 * best_total.max(0) + 1);
        if let Some(start) = &start {
            pool.add_answer(&scaled, start);
        }
        Self {
            twins: Twins::find(&scaled),
            tables: Tables::new(&scaled),
            scaled,
            pool,
            target: best_total,
            best: start.filter(|_| best_total == known),
            best_total,
            nodes: 0,
            effort,
            spent: 0,
            complete: true,
            bound: 0,
            rewards: None,
            stride: 0.0,
        }
    }

    /// Units as a cost of the problem; `None` when it does not fit.
    pub(super) fn value(&self, units: i64) -> Option<i64> {
        self.scaled.value(units)
    }

    pub(super) const fn work(&self) -> u64 {
        self.spent + self.tables.work + self.pool.work()
    }

    /// True when nothing is cheaper than the best answer.
    pub(super) const fn complete(&self) -> bool {
        self.bound >= self.best_total
    }

    /// No answer costs less than this, in units.
    pub(super) fn bound(&self) -> i64 {
        self.bound.min(self.best_total)
    }

    /// Looks for answers just above the bound first, and goes further up when there are none: a low target closes much.
    pub(super) fn search(&mut self) {
        self.target = self.best_total;
        self.bound_root();
        let mut ahead = 1;
        while self.bound < self.best_total && self.work() <= self.effort {
            self.target = self.best_total.min(self.bound.saturating_add(ahead));
            self.complete = true;
            self.descend(self.scaled.open(), self.rewards.clone(), self.bound);
            if self.complete {
                // Nothing is below the target, unless it was found and is the target now.
                self.bound = self.target;
            }
            ahead *= 2;
        }
    }

    /// The bound of all answers, and a first one.
    fn bound_root(&mut self) {
        let mut open = self.scaled.open();
        if !self.twins.settle(self.scaled.agents, &mut open) {
            self.bound = self.best_total;
            return;
        }
        let rent = Rent::ascend(&self.scaled, &open, &mut self.tables.work);
        let rewards = rent.rewards(&self.scaled, self.pool.missing());
        let mean = rewards.iter().sum::<f64>() / rewards.len().max(1) as f64;
        self.stride = (rent.apart(&self.scaled, &open) * self.scaled.scale).max(mean / 100.0);
        let mut bounded = self.ascend(&open, rewards, Steps::FAR);
        if self.is_small() {
            bounded = self.bound_open(&open, Some(&bounded.proof.rewards));
        }
        self.bound = self.scaled.in_units(bounded.proof.bound).max(0);
        self.offer(&bounded, &open);
        self.rewards = Some(bounded.proof.rewards);
    }

    /// True when column generation is worth its work.
    const fn is_small(&self) -> bool {
        self.scaled.tasks + self.scaled.agents <= MOST_ROWS
    }

    fn ascend(&mut self, open: &Open, rewards: Vec<f64>, steps: Steps) -> Bounded {
        let gait = Gait {
            stride: self.stride,
            ceiling: self.pool.missing() as f64 * self.scaled.scale,
        };
        let effort = self.effort.saturating_sub(self.spent + self.pool.work());
        ascend(
            &self.scaled,
            &mut self.tables,
            open,
            rewards,
            gait,
            steps,
            self.target,
            effort,
        )
    }

    fn bound_open(&mut self, open: &Open, rewards: Option<&[f64]>) -> Bounded {
        bound(
            &self.scaled,
            &mut self.tables,
            &mut self.pool,
            open,
            rewards,
            self.target,
            self.effort.saturating_sub(self.spent),
        )
    }

    fn descend(&mut self, mut open: Open, mut rewards: Option<Vec<f64>>, above: i64) {
        self.nodes += 1;
        let bounded = loop {
            if !self.twins.settle(self.scaled.agents, &mut open) {
                return;
            }
            let bounded = match &rewards {
                Some(rewards) if !self.is_small() => self.ascend(&open, rewards.clone(), Steps::NEAR),
                _ => self.bound_open(&open, rewards.as_deref()),
            };
            let units = self.scaled.in_units(bounded.proof.bound).max(above);
            if units >= self.target {
                return;
            }
            self.offer(&bounded, &open);
            if units >= self.target {
                return;
            }
            if self.work() > self.effort {
                self.complete = false;
                return;
            }
            let before = open.count();
            if !self.close(&bounded, &mut open) {
                return;
            }
            let closed = before - open.count();
            rewards = Some(bounded.proof.rewards.clone());
            if closed * 20 < before {
                break bounded;
            }
        };
        let above = self.scaled.in_units(bounded.proof.bound).max(above);
        let undecided = open.undecided();
        if undecided > 0 && undecided * 4 <= self.scaled.tasks * 3 {
            self.descend_reduced(&open, &bounded.proof.rewards);
            return;
        }
        let Some((agent, task)) = self.branch(&bounded, &open) else {
            self.offer_decided(&open);
            return;
        };
        let mut with = open.clone();
        with.decide(agent, task);
        self.descend(with, rewards.clone(), above);
        open.close(agent, task);
        self.descend(open, rewards, above);
    }

    /// Searches a node as a smaller question without the tasks that have one agent left.
    fn descend_reduced(&mut self, open: &Open, rewards: &[f64]) {
        let Some((reduced, kept)) = self.scaled.reduced(open) else {
            return;
        };
        let target = reduced.units_below(self.target);
        if target <= 0 {
            return;
        }
        let rewards = kept.iter().map(|task| {
            let costs = open.agents_of(*task).map(|agent| self.scaled.cost(agent, *task));
            let cheapest = costs.min().unwrap_or(0);
            let above = rewards[*task] - cheapest as f64 * self.scaled.scale;
            (above / reduced.unit as f64).round().max(0.0)
        });
        let rewards: Vec<f64> = rewards.collect();
        let pool = self.pool.reduced(&reduced, &kept, 2 * target + 1);
        let mut tree = Self {
            twins: Twins::find(&reduced),
            tables: self.tables.reduced(&self.scaled, &reduced),
            pool,
            target,
            best: None,
            best_total: target,
            nodes: 0,
            effort: self.effort.saturating_sub(self.work()),
            spent: 0,
            complete: true,
            bound: 0,
            rewards: None,
            stride: self.stride / reduced.unit as f64,
            scaled: reduced,
        };
        tree.descend(tree.scaled.open(), Some(rewards), 0);
        self.nodes += tree.nodes;
        self.spent += tree.work();
        self.complete &= tree.complete;
        if let Some(found) = tree.best {
            let first = |task: usize| open.agents_of(task).next().unwrap_or(0);
            let mut answer: Vec<usize> = (0..self.scaled.tasks).map(first).collect();
            for (task, agent) in kept.iter().zip(found) {
                answer[*task] = agent;
            }
            self.keep(answer);
        }
    }

    /// Closes pairs that no better answer has; false when a task has none left.
    fn close(&mut self, bounded: &Bounded, open: &mut Open) -> bool {
        let Proof {
            bound,
            rewards,
            least,
        } = &bounded.proof;
        for (agent, least) in least.iter().enumerate() {
            let forced = self.tables.forced(&self.scaled, agent, open, rewards, *least);
            for (task, (with, without)) in forced.into_iter().enumerate() {
                if !open.has(agent, task) {
                    continue;
                }
                if self.scaled.in_units(bound + with) >= self.target {
                    open.close(agent, task);
                } else if self.scaled.in_units(bound + without) >= self.target {
                    open.decide(agent, task);
                }
            }
        }
        open.is_possible()
    }

    /// The pair to decide next: of a large task, and far from decided.
    fn branch(&self, bounded: &Bounded, open: &Open) -> Option<(usize, usize)> {
        let tasks = self.scaled.tasks;
        let mut best: Option<(f64, usize, usize)> = None;
        for task in 0..tasks {
            if open.agents_of(task).nth(1).is_none() {
                continue;
            }
            for agent in open.agents_of(task) {
                let share = bounded.shares[agent * tasks + task].clamp(0.0, 1.0);
                let sack = &self.scaled.sacks[agent];
                let size = f64::from(sack.cells[task] + 1) / (sack.room + 1) as f64;
                // Diving on the largest share of a large task finds answers, and closes much when it fails.
                let score = if share < 0.999 { share * (0.1 + size) } else { 0.0 } + 1e-6 * share;
                if best.is_none_or(|(known, ..)| score > known) {
                    best = Some((score, agent, task));
                }
            }
        }
        best.map(|(_, agent, task)| (agent, task))
    }

    /// Makes an answer of the shares and keeps it when it is better.
    fn offer(&mut self, bounded: &Bounded, open: &Open) {
        if let Some(mut answer) = round(&self.scaled, &bounded.shares, open) {
            improve(&self.scaled, &mut answer);
            self.keep(answer);
        }
    }

    fn offer_decided(&mut self, open: &Open) {
        let tasks = 0..self.scaled.tasks;
        let answer: Option<Vec<usize>> = tasks.map(|task| open.agents_of(task).next()).collect();
        if let Some(answer) = answer.filter(|answer| keeps_limits(&self.scaled, answer)) {
            self.keep(answer);
        }
    }

    fn keep(&mut self, answer: Vec<usize>) {
        let total = self.scaled.total(&answer);
        if total < self.best_total {
            self.best_total = total;
            self.target = self.target.min(total);
            self.pool.add_answer(&self.scaled, &answer);
            self.best = Some(answer);
        }
    }
}
