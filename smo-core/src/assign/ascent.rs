//! Rewards for the tasks by steps along the slope of the bound they prove: many cheap looks at the agents instead of the few
//! dear ones that column generation takes.
//!
//! At given rewards each agent takes what is worth most, as in [`columns`](super::columns); a task that is taken too seldom is rewarded more.
//! What the agents take on the way, averaged, is close to a solution of the master problem (Barahona, Anbil, [The volume
//! algorithm](https://doi.org/10.1007/s101070050002), 2000).

use super::columns::{Bounded, Proof, prove};
use super::knapsack::{Care, Tables};
use super::open::Open;
use super::scaled::Scaled;
use crate::adam::Adam;

/// How far an ascent goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    most: u32,
    /// The first and last length, in strides.
    first: f64,
    last: f64,
}

impl Steps {
    /// From prices on the limits alone, in stages.
    pub(super) const FAR: [Self; 4] = [
        Self::of(100, 0.5, 0.16),
        Self::of(100, 0.16, 0.05),
        Self::of(100, 0.05, 0.016),
        Self::of(100, 0.016, 0.005),
    ];
    /// From rewards that are good for almost the same question.
    pub(super) const NEAR: Self = Self::of(40, 0.05, 0.005);

    const fn of(most: u32, first: f64, last: f64) -> Self {
        Self { most, first, last }
    }

    /// The length of a step, in strides.
    fn length(self, step: u32) -> f64 {
        let progress = f64::from(step) / f64::from(self.most);
        self.first * (self.last / self.first).powf(progress)
    }

    /// The weight of what is taken now in the mean.
    fn weight(self) -> f64 {
        (8.0 / f64::from(self.most)).clamp(0.02, 0.2)
    }
}

/// What the costs of a question say about steps on its rewards, scaled.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gait {
    /// The unit of steps: by how much a task's second agent is dearer than its first.
    pub(super) stride: f64,
    /// No reward is of use above it.
    pub(super) ceiling: f64,
}

/// Bounds the open pairs from below, until nothing better than `target` units can be among them, or the steps or the effort
/// end. It begins at `rewards` (scaled).
#[allow(clippy::too_many_arguments)]
pub(super) fn ascend(
    scaled: &Scaled,
    tables: &mut Tables,
    open: &Open,
    mut rewards: Vec<f64>,
    gait: Gait,
    steps: Steps,
    target: i64,
    effort: u64,
) -> Bounded {
    let tasks = scaled.tasks;
    let mut adam = Adam::new(tasks);
    let mut slopes = vec![0.0; tasks];
    let mut shares = vec![0.0; scaled.agents * tasks];
    let mut best: Option<Proof> = None;
    for step in 0..steps.most {
        let whole = rewards.iter().map(|reward| reward.round()).collect();
        let (proof, taken) = prove(scaled, tables, open, whole, Care::Quick);
        let weight = if step == 0 { 1.0 } else { steps.weight() };
        shares.iter_mut().for_each(|share| *share *= 1.0 - weight);
        slopes.fill(1.0);
        for (agent, taken) in taken.iter().enumerate() {
            for task in &taken.tasks {
                shares[agent * tasks + *task as usize] += weight;
                slopes[*task as usize] -= 1.0;
            }
        }
        tables.work += shares.len() as u64;
        if best.as_ref().is_none_or(|best| proof.bound > best.bound) {
            let settled = scaled.in_units(proof.bound) >= target;
            best = Some(proof);
            if settled {
                break;
            }
        }
        if tables.work > effort || slopes.iter().all(|slope| *slope == 0.0) {
            break;
        }
        adam.step(&slopes, gait.stride * steps.length(step), 0.0, &mut rewards);
        rewards
            .iter_mut()
            .for_each(|reward| *reward = reward.min(gait.ceiling));
    }
    let proof = best.unwrap_or_else(|| prove(scaled, tables, open, vec![0.0; tasks], Care::Quick).0);
    Bounded { proof, shares }
}
