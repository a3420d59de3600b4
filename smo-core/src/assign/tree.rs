//! Branch and price: bounds by column generation, choices closed by them, and a tree over what is left.
//!
//! See Savelsbergh, [A Branch-and-Price Algorithm for the Generalized Assignment
//! Problem](https://doi.org/10.1287/opre.45.6.831), 1997, and for closing choices by what they would cost Posta, Ferland,
//! Michelon, [An exact method with variable fixing](https://doi.org/10.1007/s10589-011-9432-0), 2012.

use super::ascent::Steps;
use super::columns::{Bounded, Pool, Proof};
use super::elites::Elites;
use super::forced::Forced;
use super::heuristic::{improve, keeps_limits, round};
use super::knapsack::Tables;
use super::menu::Offer;
use super::open::Open;
use super::residue::Residue;
use super::scaled::Scaled;
use super::symmetry::Twins;
use super::watch::Watch;

/// What a look at a pair takes, and what one of a smaller question does.
const A_PAIR: u64 = 3;
const A_REDUCED: u64 = 48;

/// The tree, depth first.
#[derive(Debug)]
pub(super) struct Tree<'w> {
    pub(super) scaled: Scaled,
    pub(super) twins: Twins,
    pub(super) tables: Tables,
    pub(super) pool: Pool,
    /// Answers have to cost less than this, in units.
    pub(super) target: i64,
    /// The best answer, which costs less than the most any answer can.
    pub(super) best: Option<Vec<usize>>,
    pub(super) best_total: i64,
    /// The cheapest answer seen, and what it costs: it may cost more than is wanted.
    pub(super) seen: Option<(i64, Vec<usize>)>,
    /// The best answers, those that are not the best included.
    pub(super) elites: Elites,
    pub(super) nodes: u64,
    pub(super) effort: u64,
    /// What smaller questions took.
    pub(super) spent: u64,
    /// True while no node was given up.
    pub(super) complete: bool,
    /// No answer costs less than this, in units.
    pub(super) bound: i64,
    /// See [`Gait`](super::ascent::Gait).
    pub(super) stride: f64,
    /// What values are divided by, where that is of use.
    pub(super) residue: Option<Residue>,
    watch: Watch<'w>,
}

impl<'w> Tree<'w> {
    /// Answers have to cost less than `below` units, and than `start`.
    pub(super) fn new(
        scaled: Scaled,
        start: Option<Vec<usize>>,
        below: Option<i64>,
        effort: u64,
        watch: Watch<'w>,
    ) -> Self {
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
            seen: start.clone().map(|start| (known, start)),
            best: start.filter(|_| best_total == known),
            best_total,
            elites: Elites::default(),
            nodes: 0,
            effort,
            spent: 0,
            complete: true,
            bound: 0,
            stride: 0.0,
            residue: None,
            watch,
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

    /// True when the work is done that may be done, or when the one who waits has enough.
    pub(super) const fn is_over(&self) -> bool {
        self.watch.stopped || self.work() > self.effort
    }

    /// Reports where the search stands; false when it is to stop.
    pub(super) fn tell(&mut self) -> bool {
        let value = self.best.as_ref().and_then(|_| self.value(self.best_total));
        self.watch.see(value, self.value(self.bound()));
        let work = self.work();
        self.watch.tell(work)
    }

    /// True when the one who waits ended the search.
    pub(super) const fn stopped(&self) -> bool {
        self.watch.stopped
    }

    pub(super) fn descend(&mut self, mut open: Open, mut rewards: Vec<f64>, above: i64) {
        self.nodes += 1;
        let bounded = loop {
            if !self.twins.settle(self.scaled.agents, &mut open) {
                return;
            }
            let bounded = if self.is_small() {
                self.bound_open(&open, &rewards)
            } else {
                self.ascend(&open, rewards, Steps::NEAR)
            };
            let units = self.scaled.in_units(bounded.proof.bound).max(above);
            if units >= self.target {
                return;
            }
            self.offer(&bounded, &open);
            if units >= self.target || self.lifted(&bounded.proof, &open) >= self.target {
                return;
            }
            if !self.tell() || self.is_over() {
                self.complete = false;
                return;
            }
            let before = open.count();
            if !self.close(&bounded, &mut open) {
                return;
            }
            let closed = before - open.count();
            rewards = bounded.proof.rewards.clone();
            if closed * 20 < before {
                break bounded;
            }
        };
        let above = self.scaled.in_units(bounded.proof.bound).max(above);
        let undecided = open.undecided();
        if undecided > 0 && undecided * 4 <= self.scaled.tasks * 3 {
            self.reduce(&open, &bounded.proof.rewards, |tree, rewards| {
                tree.descend(tree.scaled.open(), rewards, 0);
            });
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

    /// Lets `go` search a node as a smaller question, without the tasks that have one agent left.
    pub(super) fn reduce(&mut self, open: &Open, rewards: &[f64], go: impl FnOnce(&mut Tree<'_>, Vec<f64>)) {
        let Some((reduced, kept)) = self.scaled.reduced(open) else {
            return;
        };
        self.spent += A_PAIR * self.scaled.pairs() + A_REDUCED * reduced.pairs();
        let target = reduced.units_below(self.target);
        if target <= 0 {
            return;
        }
        let cheapest = |task: usize| {
            let costs = open.agents_of(task).map(|agent| self.scaled.cost(agent, task));
            costs.min().unwrap_or(0)
        };
        let residue = self.residue.as_ref();
        let residue = residue.and_then(|residue| residue.reduced(&kept, cheapest, reduced.unit));
        let rewards = kept.iter().map(|task| {
            let above = rewards[*task] - cheapest(*task) as f64 * self.scaled.scale;
            (above / reduced.unit as f64).round().max(0.0)
        });
        let rewards: Vec<f64> = rewards.collect();
        let pool = self.pool.reduced(&reduced, &kept, 2 * target + 1);
        let work = self.work();
        let mut tables = self.tables.reduced(&self.scaled, &reduced);
        // Memory of its own would be cleared page by page.
        std::mem::swap(&mut tables.layers, &mut self.tables.layers);
        let mut tree = Tree {
            twins: Twins::find(&reduced),
            tables,
            pool,
            target,
            best: None,
            best_total: target,
            seen: None,
            elites: Elites::default(),
            nodes: 0,
            effort: self.effort.saturating_sub(work),
            spent: 0,
            complete: true,
            bound: 0,
            stride: self.stride / reduced.unit as f64,
            residue,
            watch: self.watch.of_part(work),
            scaled: reduced,
        };
        go(&mut tree, rewards);
        let (best, nodes, spent, complete) = (tree.best.take(), tree.nodes, tree.work(), tree.complete);
        self.tables.layers = tree.tables.layers;
        self.watch.stopped = tree.watch.stopped;
        self.nodes += nodes;
        self.spent += spent;
        self.complete &= complete;
        if let Some(found) = best {
            let first = |task: usize| open.agents_of(task).next().unwrap_or(0);
            let mut answer: Vec<usize> = (0..self.scaled.tasks).map(first).collect();
            for (task, agent) in kept.iter().zip(found) {
                answer[*task] = agent;
            }
            self.keep(answer);
        }
    }

    /// Closes pairs that no better answer has; false when a task has none left.
    pub(super) fn close(&mut self, bounded: &Bounded, open: &mut Open) -> bool {
        self.spent += A_PAIR * self.scaled.pairs();
        let Proof {
            bound,
            rewards,
            least,
        } = &bounded.proof;
        let slack = (self.target - 1) as f64 * self.scaled.scale - bound;
        for (agent, least) in least.iter().enumerate() {
            let offers: Vec<Offer> = Offer::all(&self.scaled, open, agent).collect();
            let forced = self
                .tables
                .forced(&self.scaled, agent, &offers, rewards, least + slack);
            for (task, forced) in forced {
                match forced {
                    Forced::Left => open.close(agent, task),
                    Forced::Taken => open.decide(agent, task),
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
            if !open.is_undecided(task) {
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
    pub(super) fn offer(&mut self, bounded: &Bounded, open: &Open) {
        let unseen = self.watch.is_whole() && self.seen.is_none();
        let work = unseen.then_some(&mut self.tables.work);
        if let Some(answer) = round(&self.scaled, &bounded.shares, open, work) {
            self.keep_improved(answer);
        }
    }

    pub(super) fn keep_improved(&mut self, mut answer: Vec<usize>) {
        improve(&self.scaled, &mut answer, &mut self.spent);
        self.keep(answer);
    }

    fn offer_decided(&mut self, open: &Open) {
        let tasks = 0..self.scaled.tasks;
        let answer: Option<Vec<usize>> = tasks.map(|task| open.agents_of(task).next()).collect();
        if let Some(answer) = answer.filter(|answer| keeps_limits(&self.scaled, answer)) {
            self.keep(answer);
        }
    }

    pub(super) fn keep(&mut self, answer: Vec<usize>) {
        let total = self.scaled.total(&answer);
        if self.seen.as_ref().is_none_or(|(known, _)| total < *known) {
            self.seen = Some((total, answer.clone()));
        }
        if total <= self.target {
            self.elites.see(total, &answer);
        }
        if total < self.best_total {
            self.best_total = total;
            self.target = self.target.min(total);
            self.pool.add_answer(&self.scaled, &answer);
            self.best = Some(answer);
        }
    }
}
