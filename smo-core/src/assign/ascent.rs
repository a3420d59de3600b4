//! Rewards for the tasks by steps along the slope of the bound they prove: many cheap looks at the agents instead of the few
//! dear ones that column generation takes.
//!
//! At given rewards each agent takes what is worth most, as in [`columns`](super::columns); a task that is taken too seldom is rewarded more.
//! What the agents take on the way, averaged, is close to a solution of the master problem (Barahona, Anbil, [The volume
//! algorithm](https://doi.org/10.1007/s101070050002), 2000).

use super::columns::{Bounded, Proof, prove};
use super::knapsack::{Care, Tables};
use super::menu::Menu;
use super::open::Open;
use super::scaled::Scaled;
use crate::adam::Adam;

/// What it takes to list a pair and to keep its share, and what to move a reward.
const LISTED: u64 = 12;
const MOVED: u64 = 16;

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
    let menu = Menu::new(scaled, open);
    tables.work += LISTED * scaled.pairs();
    let mut shares = Mean::new(scaled.agents * tasks);
    let mut best: Option<Proof> = None;
    for step in 0..steps.most {
        let whole = rewards.iter().map(|reward| reward.round()).collect();
        let (proof, taken) = prove(scaled, tables, &menu, whole, Care::Quick);
        shares.fade(if step == 0 { 1.0 } else { steps.weight() });
        slopes.fill(1.0);
        for (agent, taken) in taken.iter().enumerate() {
            for task in &taken.tasks {
                shares.see(agent * tasks + *task as usize);
                slopes[*task as usize] -= 1.0;
            }
        }
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
        tables.work += MOVED * tasks as u64;
        adam.step(&slopes, gait.stride * steps.length(step), 0.0, &mut rewards);
        rewards
            .iter_mut()
            .for_each(|reward| *reward = reward.min(gait.ceiling));
    }
    let proof = best.unwrap_or_else(|| prove(scaled, tables, &menu, vec![0.0; tasks], Care::Quick).0);
    Bounded {
        proof,
        shares: shares.all(),
    }
}

/// A mean in which what was seen earlier fades. What fades is the unit, so that a step costs what it sees.
struct Mean {
    seen: Vec<f64>,
    /// What the last step weighs in the mean, and the unit of `seen` in it.
    weight: f64,
    unit: f64,
}

impl Mean {
    fn new(places: usize) -> Self {
        Self {
            seen: vec![0.0; places],
            weight: 1.0,
            unit: 1.0,
        }
    }

    /// Begins a step that weighs so much; the first has to weigh 1.
    fn fade(&mut self, weight: f64) {
        if weight < 1.0 {
            self.unit *= 1.0 - weight;
        }
        self.weight = weight;
    }

    /// Sees a place in this step.
    fn see(&mut self, place: usize) {
        self.seen[place] += self.weight / self.unit;
    }

    fn all(mut self) -> Vec<f64> {
        self.seen.iter_mut().for_each(|seen| *seen *= self.unit);
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::Mean;

    #[test]
    fn what_was_seen_earlier_counts_less() {
        let mut mean = Mean::new(3);
        for (weight, places) in [(1.0, &[0, 1][..]), (0.5, &[1, 2]), (0.25, &[2])] {
            mean.fade(weight);
            places.iter().for_each(|place| mean.see(*place));
        }
        // 1 faded by a half and a quarter, and what came after
        assert_eq!(mean.all(), [0.375, 0.75, 0.625]);
    }
}
