//! Prices on capacity: the Lagrangian dual of the capacity rows, climbed by Adam.
//!
//! With rows priced every tree is a dynamic programme of its own, and the sum of the trees less the price of all capacity is
//! a lower bound; where a unit above a level costs, the capacity beyond that counts by what its price is above (Geoffrion, "Lagrangean relaxation for integer programming", 1974). Steps are those of Kingma and Ba,
//! "Adam" (2015), on prices in units of the question's scale, kept at or above zero; first on samples of the trees, then
//! on all. Which step rule is taken decides how soon the bound stands: Polyak's and the volume algorithm need ten times as long.

use super::certificate_parts::Share;
use super::field::Field;
use super::forest::Forest;
use super::problem::QuadraticProblem;
use super::shares::Shares;
use super::sweep::Sweep;
use crate::adam::Adam;
use crate::random::Random;

/// A part of the climb: how many sweeps, over which share of the trees, with steps from one size down to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stage {
    pub(super) sweeps: usize,
    /// One tree in so many is looked at.
    pub(super) one_in: usize,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// Fewer rounds of sharing are not worth their work.
const LEAST_ROUNDS: u64 = 8;

/// More rounds of sharing add nothing.
const MOST_ROUNDS: u64 = 300;

/// Where the climb stands.
#[derive(Debug)]
pub(super) struct Ascent<'a> {
    /// Costs without what is shared.
    field: Field,
    forest: &'a Forest,
    shares: Shares<'a>,
    /// What shares cost at least, in sum.
    outside: f64,
    sweep: Sweep<'a>,
    /// By resource, then agent (padded): price of a unit over its rate.
    prices: Vec<f64>,
    slopes: Vec<f64>,
    adam: Adam,
    answer: Vec<usize>,
    used: Vec<f64>,
    random: Random,
    /// The best prices seen, and what they prove, in floats; the shares of then are kept.
    best: (f64, Vec<f64>),
    pub(super) work: u64,
}

impl<'a> Ascent<'a> {
    pub(super) fn new(
        problem: &'a QuadraticProblem,
        field: &Field,
        forest: &'a Forest,
        shares: Shares<'a>,
    ) -> Self {
        let length = field.resources * field.width;
        Self {
            field: field.clone(),
            forest,
            outside: shares.before(),
            shares,
            sweep: Sweep::new(problem, field, forest),
            prices: vec![0.0; length],
            slopes: vec![0.0; length],
            adam: Adam::new(length),
            answer: vec![0; field.tasks()],
            used: vec![0.0; length],
            random: Random::new(1),
            best: (f64::NEG_INFINITY, vec![0.0; length]),
            work: 0,
        }
    }

    /// Starts from known prices of a unit, where they prove more than none do: steps are too small to come down from prices of another scale.
    pub(super) fn start_from(&mut self, prices: &[f64]) -> bool {
        self.outside = self.shares.before();
        self.look(1, false);
        let (without, _) = self.best;
        for (at, price) in prices.iter().enumerate() {
            self.prices[at] = price / self.field.rates[at / self.field.width];
        }
        self.look(1, false);
        self.work += 2 * self.sweep_work();
        let better = self.best.0 > without;
        if !better {
            self.prices.fill(0.0);
        }
        better
    }

    /// What the trees took when last looked at; capacity may be overrun.
    pub(super) fn relaxed(&self) -> Vec<usize> {
        self.answer.clone()
    }

    /// The best prices of a unit so far, by resource, then agent (padded).
    pub(super) fn prices(&self) -> Vec<f64> {
        let (_, best) = &self.best;
        best.iter()
            .enumerate()
            .map(|(at, price)| price * self.field.rates[at / self.field.width])
            .collect()
    }

    /// The work of one sweep over everything.
    pub(super) const fn sweep_work(&self) -> u64 {
        self.sweep.work()
    }

    pub(super) fn climb(&mut self, stage: &Stage, go_on: &mut dyn FnMut(u64) -> bool) {
        let decay = (stage.to / stage.from).powf(1.0 / stage.sweeps.max(1) as f64);
        let mut step = stage.from;
        for _ in 0..stage.sweeps {
            let one_in = stage.one_in.clamp(1, self.forest.trees().max(1));
            self.look(one_in, false);
            self.step(step);
            step *= decay;
            self.work += self.sweep_work() / one_in as u64;
            if !go_on(self.work) {
                return;
            }
        }
    }

    /// The prices of a unit, by resource and then agent (padded).
    fn unit(&self) -> Vec<f32> {
        let prices = self.prices.iter().enumerate();
        prices
            .map(|(at, price)| (price * self.field.rates[at / self.field.width]) as f32)
            .collect()
    }

    /// Evens out what is shared with links that close circles and with groups, prices following.
    pub(super) fn share(&mut self, effort: u64, go_on: &mut dyn FnMut(u64) -> bool) {
        if self.shares.is_empty() {
            return;
        }
        let round = self.sweep_work() * 2 + self.shares.work(&self.field);
        let rounds = (effort / round.max(1)).min(MOST_ROUNDS);
        if rounds < LEAST_ROUNDS {
            return;
        }
        let decay = 0.05_f64.powf(1.0 / rounds as f64);
        let mut step = 0.01;
        self.prices.copy_from_slice(&self.best.1);
        for _ in 0..rounds {
            self.outside = self.shares.look(&self.field);
            self.look(1, true);
            self.shares.even(&mut self.field);
            self.step(step);
            step *= decay;
            self.work += round;
            if !go_on(self.work) {
                break;
            }
        }
    }

    /// The shares that go with [`Self::prices`].
    pub(super) fn shares(&self) -> Vec<Share> {
        self.shares.published(self.field.agents)
    }

    /// What the trees take at these prices, and, where all were looked at, what that proves. `sharing` also notes what moves between
    /// trees and parts.
    fn look(&mut self, one_in: usize, sharing: bool) {
        let unit = self.unit();
        self.used.fill(0.0);
        let mut value = self.outside;
        let first = self.random.below(one_in);
        for tree in (first..self.forest.trees()).step_by(one_in) {
            value += self.sweep.tree(&self.field, tree, &unit, None, &mut self.answer);
            if sharing {
                self.shares.note(&self.field, self.forest, &mut self.sweep, tree);
            }
            for node in self.forest.tree(tree) {
                let agent = self.answer[node.task];
                for resource in 0..self.field.resources {
                    let need = self.field.need(node.task, agent, resource);
                    self.used[resource * self.field.width + agent] += need * one_in as f64;
                }
            }
        }
        if one_in > 1 {
            return;
        }
        for agent in 0..self.field.agents {
            for resource in 0..self.field.resources {
                let row = agent * self.field.resources + resource;
                let price = f64::from(unit[resource * self.field.width + agent]);
                if price > 0.0 {
                    let taken = self.field.worth_taking(row, price);
                    value += self.field.strain(row, taken) - price * taken;
                }
            }
        }
        if value > self.best.0 {
            self.best.0 = value;
            self.best.1.copy_from_slice(&self.prices);
            if sharing {
                self.shares.keep();
            }
        }
    }

    fn step(&mut self, step: f64) {
        let width = self.field.width;
        let row = |at: usize| at % width * self.field.resources + at / width;
        // what is left to fill the last vector is no agent
        let agents = self.field.agents;
        let rows = |all: usize| (0..all).filter(move |at| at % width < agents);
        self.slopes.fill(0.0);
        for at in rows(self.prices.len()) {
            let rate = self.field.rates[at / width];
            let has = self.field.worth_taking(row(at), self.prices[at] * rate);
            if has.is_finite() {
                self.slopes[at] = (self.used[at] - has) / has.max(1.0);
            }
        }
        self.adam.step(&self.slopes, step, 0.0, &mut self.prices);
        for at in rows(self.prices.len()) {
            let dearest = self.field.dearest(row(at)) / self.field.rates[at / width];
            self.prices[at] = self.prices[at].min(dearest);
        }
    }
}
