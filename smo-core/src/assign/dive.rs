//! Answers by going straight down: what the mean of the agents' choices is surest of is decided, the rest is bounded anew, and
//! so on until a small question is left, which a tree decides.
//!
//! Rewards follow every decision, so that the last agents are not left with what fits nobody. See Sadykov, Vanderbeck, Pessoa,
//! Tahiri, Uchoa, [Primal Heuristics for Branch-and-Price](https://doi.org/10.1287/ijoc.2018.0822), 2019.

use super::ascent::Steps;
use super::columns::Bounded;
use super::open::Open;
use super::tree::Tree;
use crate::random::Random;

/// So many tasks or fewer are left to a tree.
const FEW: usize = 30;
/// What that tree may take.
const LAST_EFFORT: u64 = 20_000_000;
/// With more tasks the first dives are in a greater hurry.
pub(super) const MANY: usize = 400;
/// A pair with less of a share is decided only when none has more; the second is for many tasks.
const SURE: [f64; 2] = [0.8, 0.5];

/// How one dive goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    /// The share of the tasks that is decided between two bounds.
    pub(super) part: f64,
    /// How much chance weighs against shares.
    pub(super) noise: f64,
}

impl Style {
    /// The dives of a search: one in a hurry, then slower ones, no two alike.
    pub(super) const fn of(dive: u64, tasks: usize) -> Self {
        match dive {
            0 => Self {
                part: if tasks > MANY { 0.12 } else { 0.1 },
                noise: 0.0,
            },
            1 => Self {
                part: if tasks > MANY { 0.06 } else { 0.03 },
                noise: 0.0,
            },
            _ => Self {
                part: 0.03,
                noise: 0.3,
            },
        }
    }
}

impl Tree<'_> {
    /// True when a dive is more than what the tree does anyway.
    pub(super) const fn is_deep(&self) -> bool {
        self.scaled.tasks > FEW
    }

    /// Goes down from the open pairs, at rewards that bound them well.
    pub(super) fn dive(&mut self, mut open: Open, rewards: Vec<f64>, random: &mut Random, style: Style) {
        self.nodes += 1;
        if !self.twins.settle(self.scaled.agents, &mut open) || !self.tell() {
            return;
        }
        let bounded = self.ascend(&open, rewards, Steps::NEAR);
        let units = self.scaled.in_units(bounded.proof.bound);
        if units >= self.target {
            return;
        }
        self.offer(&bounded, &open);
        if units >= self.target || !self.close(&bounded, &mut open) {
            return;
        }
        if !self.is_deep() {
            let effort = self.effort;
            self.effort = effort.min(self.work().saturating_add(LAST_EFFORT));
            self.descend(open, bounded.proof.rewards, units);
            self.effort = effort;
            return;
        }
        self.decide(&bounded, &mut open, random, style);
        self.reduce(&open, &bounded.proof.rewards, |tree, rewards| {
            tree.dive(tree.scaled.open(), rewards, random, style);
        });
    }

    /// Decides the surest pairs of large tasks.
    fn decide(&self, bounded: &Bounded, open: &mut Open, random: &mut Random, style: Style) {
        let tasks = self.scaled.tasks;
        let mut sure: Vec<(f64, f64, usize, usize)> = Vec::new();
        for task in (0..tasks).filter(|task| open.is_undecided(*task)) {
            let shares = open
                .agents_of(task)
                .map(|agent| (bounded.shares[agent * tasks + task], agent));
            let most = shares.max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
            if let Some((share, agent)) = most {
                let sack = &self.scaled.sacks[agent];
                let size = f64::from(sack.cells[task] + 1) / (sack.room + 1) as f64;
                let score = share * (1.0 + size + style.noise * random.unit());
                sure.push((score, share, agent, task));
            }
        }
        sure.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.3.cmp(&other.3)));
        let most = ((sure.len() as f64 * style.part) as usize).max(1);
        for (at, (_, share, agent, task)) in sure.into_iter().take(most).enumerate() {
            if at == 0 || share >= SURE[usize::from(self.scaled.tasks > MANY)] {
                open.decide(agent, task);
            }
        }
    }
}
