//! The order of the steps: prices on the limits, rewards, dives for answers, and the tree that closes what is left.

use super::ascent::{Gait, Steps, ascend};
use super::columns::{Bounded, Proof, bound};
use super::dive::{MANY, Style};
use super::exchange::Exchange;
use super::heuristic::round;
use super::open::Open;
use super::relaxed::Relaxed;
use super::rent::Rent;
use super::residue::Residue;
use super::tree::Tree;
use crate::random::Random;

/// More tasks and agents together are bounded by steps along the slope alone: the work of a step grows with their number,
/// that of the master problem with its square.
const MOST_ROWS: usize = 110;

/// What the tree may take before dives get as much; twice as much each time after.
const FIRST_SLICE: u64 = 250_000_000;

/// An answer is near the bound when it is above it by its own value divided by this, or less.
const NEAR: u64 = 10_000;
/// And far above it when it is above by more than its value divided by this. With so many tasks a tree will not close that: it gets a small
/// part of a slice, one in so many.
const FAR: u64 = 2_000;
const FAR_TASKS: usize = 150;
const FAR_PART: u64 = 8;
/// With no more tasks than this, looks near the best answer get so many times the work of dives from the open question, which soon
/// end where others did.
const FEW_TASKS: usize = 150;
const RATHER_NEAR: u64 = 10;
/// With many tasks what the first dives find is seldom good enough to look near it; and another dive is worth more than that where
/// the best answer is above the bound by no more than its value divided by this.
const FIRST_DIVES: u64 = 2;
const CLOSE: u64 = 500;
/// At every so many looks near the best answer the best ones are joined instead, where there are others than the last time.
const JOIN_EVERY: u64 = 2;

/// The share of a slice that goes to exchanges is one in so many, twice as many after each time that found nothing.
const EXCHANGED: u64 = 4;
/// What one walk of exchanges takes.
const WALK: u64 = 500_000;
/// The first answers that are looked for among few pairs are less than so many units above the bound.
const FIRST_AHEAD: i64 = 4;

/// Looks for better answers so far, and the work they took.
#[derive(Debug, Default)]
struct Turns {
    /// From the open question.
    dives: u64,
    afar: u64,
    /// Near the best answer, or between the best ones.
    looks: u64,
    near: u64,
}

impl Tree<'_> {
    /// Searches until there is nothing left to find, the effort is spent or the one who waits has enough.
    pub(super) fn search(&mut self) {
        self.take_turns();
        self.tell();
    }

    /// Looks for answers just above the bound first, and goes further up when there are none: a low target closes much.
    /// Where the tree does not get to its end soon, it takes turns with dives.
    fn take_turns(&mut self) {
        self.target = self.best_total;
        let mut random = Random::new(1);
        let mut exchange = Exchange::new(&self.scaled);
        let Some((rewards, shares)) = self.bound_root(exchange.as_mut(), &mut random) else {
            self.bound = self.best_total;
            return;
        };
        let mut turns = Turns::default();
        let (mut ahead, mut slice, mut share) = (1, FIRST_SLICE, EXCHANGED);
        while self.goes_on() {
            if let Some(exchange) = &mut exchange {
                let found = self.exchange(exchange, &mut random, slice / share);
                share = if found { EXCHANGED } else { share.saturating_mul(2) };
            }
            if self.is_deep() && !(turns.dives > 0 && self.is_near()) {
                let until = self
                    .work()
                    .saturating_add(if turns.dives == 0 { 0 } else { slice });
                loop {
                    self.look(&mut turns, &rewards, &shares, &mut random);
                    if self.work() >= until || !self.goes_on() {
                        break;
                    }
                }
            }
            let effort = self.effort;
            let far = self.scaled.tasks >= FAR_TASKS && self.is_above(FAR);
            let part = if far { slice / FAR_PART } else { slice };
            self.effort = effort.min(self.work().saturating_add(part));
            while self.goes_on() {
                self.target = self.best_total.min(self.bound.saturating_add(ahead));
                self.complete = true;
                self.descend(self.scaled.open(), rewards.clone(), self.bound);
                if self.complete {
                    // Nothing is below the target, unless it was found and is the target now.
                    self.bound = self.target;
                    ahead *= 2;
                }
            }
            self.effort = effort;
            // What did not come to its end may come to a nearer one.
            ahead = 1;
            slice *= 2;
        }
    }

    /// Looks for better answers once: from the open question, near the best answer or between the best ones, both with as
    /// much work, or rather near where there are few tasks. As far above the best as the bound is below it, answers are still of
    /// use to the others.
    fn look(&mut self, turns: &mut Turns, rewards: &[f64], shares: &[f64], random: &mut Random) {
        let before = self.work();
        let above = self.best.as_ref().map_or(0, |_| self.best_total - self.bound);
        self.target = self.best_total.saturating_add(above);
        let times = if self.scaled.tasks > FEW_TASKS {
            1
        } else {
            RATHER_NEAR
        };
        if self.best.is_none()
            || (turns.dives < FIRST_DIVES && (self.scaled.tasks > MANY || !self.is_above(CLOSE)))
            || times * turns.afar <= turns.near
        {
            self.dive(
                self.scaled.open(),
                rewards.to_vec(),
                random,
                Style::of(turns.dives, self.scaled.tasks),
            );
            turns.dives += 1;
            turns.afar += self.work() - before;
            return;
        }
        turns.looks += 1;
        if self.elites.fresh && turns.looks.is_multiple_of(JOIN_EVERY) {
            self.target = self.best_total;
            self.join(rewards);
        } else {
            self.vary(rewards, shares, random);
        }
        turns.near += self.work() - before;
    }

    /// True when the best answer is so good that the work is better spent on the proof.
    fn is_near(&self) -> bool {
        self.best.is_some() && !self.is_above(NEAR)
    }

    /// True when the best answer is above the bound by more than its own value divided by `part`, or there is none.
    fn is_above(&self, part: u64) -> bool {
        let values = self.value(self.best_total).zip(self.value(self.bound));
        values.is_none_or(|(best, bound)| best.abs_diff(bound) > best.unsigned_abs() / part)
    }

    /// True while there is something to find and work left to find it.
    fn goes_on(&self) -> bool {
        self.bound < self.best_total && !self.is_over()
    }

    /// A first answer, and the bound of all answers with the rewards (scaled) that prove it and the shares of agents in tasks;
    /// `None` when there is none.
    fn bound_root(
        &mut self,
        mut exchange: Option<&mut Exchange>,
        random: &mut Random,
    ) -> Option<(Vec<f64>, Vec<f64>)> {
        let mut open = self.scaled.open();
        if !self.twins.settle(self.scaled.agents, &mut open) {
            return None;
        }
        let rent = Rent::ascend(&self.scaled, &open, &mut self.tables.work);
        let mut rewards = rent.rewards(&self.scaled, self.pool.missing());
        let mut shares = rent.shares(&self.scaled, &open);
        let mean = rewards.iter().sum::<f64>() / rewards.len().max(1) as f64;
        self.stride = (rent.apart(&self.scaled, &open) * self.scaled.scale).max(mean / 100.0);
        if let Some(answer) = round(&self.scaled, &shares, &open, Some(&mut self.tables.work)) {
            self.keep_improved(answer);
        }
        self.rise(&rent, &open);
        if exchange.is_some() {
            self.narrow(&rent, &open, &rewards, random);
        }
        for stage in Steps::FAR {
            if !(self.tell() && self.goes_on()) {
                break;
            }
            let before = self.work();
            let bounded = self.ascend(&open, rewards, stage);
            self.see(&bounded, &open);
            (rewards, shares) = (bounded.proof.rewards, bounded.shares);
            if let Some(wandering) = exchange.take() {
                let work = self.work() - before;
                let found = self.exchange(wandering, random, work);
                exchange = found.then_some(wandering);
                self.rise(&rent, &open);
            }
        }
        if self.is_small() && self.goes_on() {
            let bounded = self.bound_open(&open, &rewards);
            self.see(&bounded, &open);
            (rewards, shares) = (bounded.proof.rewards, bounded.shares);
        }
        Some((rewards, shares))
    }

    /// Lifts the bound to what values there can be above what prices on the limits prove.
    fn rise(&mut self, rent: &Rent, open: &Open) {
        if !self.goes_on() {
            return;
        }
        let target = self.best_total;
        let Some(relaxed) = Relaxed::new(&self.scaled, open, rent, target) else {
            return;
        };
        let mut bound = self.scaled.in_units(relaxed.bound as f64).min(target);
        if relaxed.choices.iter().any(Vec::is_empty) {
            bound = target;
        }
        if bound < target
            && let Some((residue, lifted)) =
                Residue::find(&self.scaled, &relaxed, target, &mut self.tables.work)
        {
            self.residue = Some(residue);
            bound = bound.max(lifted);
        }
        self.bound = self.bound.max(bound);
    }

    /// The least value there can be above what the agents' choices prove, in units; the bound of the proof where no number is known to
    /// divide by, or nothing would come of it.
    pub(super) fn lifted(&mut self, proof: &Proof, open: &Open) -> i64 {
        let units = self.scaled.in_units(proof.bound);
        let residue = self
            .residue
            .as_ref()
            .filter(|residue| residue.may_lift(units, self.target));
        let lifted = residue.and_then(|residue| {
            residue.packed(&self.scaled, open, proof, self.target, &mut self.tables.work)
        });
        lifted.map_or(units, |lifted| lifted.max(units))
    }

    /// Looks for answers a little above the bound among the pairs that prices leave to such answers, and further up when there are none.
    fn narrow(&mut self, rent: &Rent, open: &Open, rewards: &[f64], random: &mut Random) {
        let mut ahead = FIRST_AHEAD;
        while self.goes_on() {
            let target = self.best_total.min(self.bound.saturating_add(ahead));
            let last = target == self.best_total;
            let Some(relaxed) = Relaxed::new(&self.scaled, open, rent, target) else {
                break;
            };
            let narrow = relaxed.open(&self.scaled);
            if 4 * narrow.undecided() > 3 * self.scaled.tasks {
                break;
            }
            self.target = target;
            let mut closed = true;
            if narrow.is_possible() {
                self.reduce(&narrow, rewards, |tree, _| {
                    if let Some(mut exchange) = Exchange::new(&tree.scaled) {
                        tree.bound_root(Some(&mut exchange), random);
                    }
                    closed = tree.complete();
                });
            }
            if closed {
                self.bound = self.bound.max(target.min(self.best_total));
            }
            ahead *= 2;
            if last {
                break;
            }
        }
        self.target = self.best_total;
    }

    /// Lets an answer wander by exchanges between two agents; true when that found a better one.
    fn exchange(&mut self, exchange: &mut Exchange, random: &mut Random, work: u64) -> bool {
        let mut better = false;
        let until = self
            .tables
            .work
            .saturating_add(work.min(self.effort.saturating_sub(self.work())));
        while self.tables.work < until && self.bound < self.best_total && self.tell() {
            let Some((_, seen)) = &self.seen else { break };
            let walk = until.min(self.tables.work.saturating_add(WALK));
            let spent = &mut self.tables.work;
            let found = exchange.wander(&self.scaled, seen, self.bound, random, spent, walk);
            if let Some(answer) = found {
                self.keep(answer);
                better = true;
            }
        }
        better
    }

    /// Takes what a bound of all answers says.
    fn see(&mut self, bounded: &Bounded, open: &Open) {
        let units = self.scaled.in_units(bounded.proof.bound).max(0);
        self.bound = self.bound.max(units);
        self.offer(bounded, open);
        self.target = self.best_total;
        if self.goes_on() {
            self.bound = self.bound.max(self.lifted(&bounded.proof, open));
        }
    }

    /// True when column generation is worth its work.
    pub(super) const fn is_small(&self) -> bool {
        self.scaled.tasks + self.scaled.agents <= MOST_ROWS
    }

    /// Bounds the open pairs by steps along the slope.
    pub(super) fn ascend(&mut self, open: &Open, rewards: Vec<f64>, steps: Steps) -> Bounded {
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

    /// Bounds the open pairs by column generation.
    pub(super) fn bound_open(&mut self, open: &Open, rewards: &[f64]) -> Bounded {
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
}
