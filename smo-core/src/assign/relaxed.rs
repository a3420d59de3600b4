//! The relaxation of the limits in whole numbers: what any prices on them prove, and what is left of the pairs in answers that cost less
//! than is wanted.

use super::open::Open;
use super::rent::Rent;
use super::scaled::{LARGEST, Scaled};
use crate::units::gcd;

/// The relaxation of the limits in whole numbers, scaled.
pub(super) struct Relaxed {
    /// No answer costs less.
    pub(super) bound: i64,
    /// By task: the agents of answers cheaper than what is wanted, and what each costs above the cheapest.
    pub(super) choices: Vec<Vec<(usize, i64)>>,
    /// By agent: its limit in what most are limited in.
    pub(super) limits: Vec<Option<Common>>,
}

/// A limit that agents share, in units that they share.
pub(super) struct Common {
    /// Its number among the agent's limits.
    at: usize,
    /// What a unit of the agent is in units of all.
    pub(super) step: i64,
    pub(super) capacity: i64,
    /// The capacity in units of all.
    pub(super) most: i64,
    /// What a unit of the agent costs, scaled.
    pub(super) price: i64,
}

impl Relaxed {
    /// `None` when no two agents are limited in the same thing, or the numbers do not fit.
    pub(super) fn new(scaled: &Scaled, open: &Open, rent: &Rent, target: i64) -> Option<Self> {
        let prices = rent.whole_prices(scaled);
        let kind = scaled.shared_kind()?;
        let units = scaled
            .sacks
            .iter()
            .flat_map(|sack| &sack.limits)
            .filter(|limit| limit.kind == kind);
        let unit = units.fold(0, |unit, limit| gcd(unit, limit.unit)).max(1);
        let mut limits = Vec::with_capacity(scaled.agents);
        let mut bound = 0.0;
        for (sack, prices) in scaled.sacks.iter().zip(&prices) {
            bound -= sack
                .limits
                .iter()
                .zip(prices)
                .map(|(limit, price)| limit.capacity as f64 * price)
                .sum::<f64>();
            let at = sack.limits.iter().position(|limit| limit.kind == kind);
            limits.push(match at {
                None => None,
                Some(at) => {
                    let step = i64::try_from(sack.limits[at].unit / unit).ok()?;
                    let capacity = i64::try_from(sack.limits[at].capacity).ok()?;
                    Some(Common {
                        at,
                        step,
                        capacity,
                        most: capacity.checked_mul(step)?,
                        price: prices[at] as i64,
                    })
                }
            });
        }
        let cost = |agent: usize, task: usize| {
            let limits = scaled.sacks[agent].limits.iter().zip(&prices[agent]);
            let rent: f64 = limits
                .map(|(limit, price)| limit.needs[task] as f64 * price)
                .sum();
            scaled.cost(agent, task) as f64 * scaled.scale + rent
        };
        let mut choices = Vec::with_capacity(scaled.tasks);
        let mut size = -bound;
        for task in 0..scaled.tasks {
            let costs: Vec<(usize, f64)> = open
                .agents_of(task)
                .map(|agent| (agent, cost(agent, task)))
                .collect();
            let least = costs.iter().map(|(_, cost)| *cost).fold(f64::INFINITY, f64::min);
            if least >= LARGEST {
                return None;
            }
            bound += least;
            size += least;
            choices.push(
                costs
                    .into_iter()
                    .map(|(agent, cost)| (agent, (cost - least).min(LARGEST) as i64))
                    .collect::<Vec<_>>(),
            );
        }
        if size >= LARGEST {
            return None;
        }
        let mut relaxed = Self {
            bound: bound as i64,
            choices,
            limits,
        };
        let most = relaxed.spare(scaled, target);
        for choices in &mut relaxed.choices {
            choices.retain(|(_, above)| *above <= most);
        }
        Some(relaxed)
    }

    /// How far above the relaxation an answer may be that costs less than `target` units.
    pub(super) fn spare(&self, scaled: &Scaled, target: i64) -> i64 {
        ((target - 1) as f64 * scaled.scale) as i64 - self.bound
    }

    /// The pairs of answers that cost less than what is wanted.
    pub(super) fn open(&self, scaled: &Scaled) -> Open {
        let mut open = Open::new(scaled.agents, scaled.tasks, |_, _| false);
        for (task, choices) in self.choices.iter().enumerate() {
            choices.iter().for_each(|(agent, _)| open.open(*agent, task));
        }
        open
    }

    /// What a task needs of the common limit at an agent, in units of all.
    pub(super) fn need(&self, scaled: &Scaled, agent: usize, task: usize) -> Option<i64> {
        let common = self.limits[agent].as_ref()?;
        Some(scaled.sacks[agent].limits[common.at].needs[task] as i64 * common.step)
    }
}
