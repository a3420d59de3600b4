//! Fair rewards for the tasks of a tree, given what each costs at each agent with its room priced: all of them come to what the tree costs
//! at least, and no agent gains by taking some of the tasks, where a link that is cut costs half at either end.
//!
//! These are duals of the linear programme of labelling a tree, of which there are many. Where they make many sets of tasks worth the same, agents
//! cannot tell which to take, so what each task costs at its cheapest agent is raised by the same for all tasks of the tree, as far as that is fair.

/// The tasks of a tree, each after its parent, and what they cost.
pub(super) struct Costs<'a> {
    pub(super) agents: usize,
    /// By place in the tree, then agent.
    pub(super) rows: &'a [f64],
    /// By place: the parent's, and half of what the link costs when it is cut; `None` at the root.
    pub(super) above: &'a [Option<(usize, f64)>],
}

/// Halvings of the share of rewards that are raised alike.
const HALVINGS: u32 = 6;
/// What may be lost by that, as a share of what the tree costs.
const LOST: f64 = 1e-7;

impl Costs<'_> {
    /// Looks at all pairs of a task and an agent that it takes to find [`Self::fair`].
    pub(super) const LOOKS: u64 = 3 + HALVINGS as u64;

    /// By place.
    pub(super) fn fair(&self) -> Vec<f64> {
        let shifted = self.shifted();
        let all: f64 = shifted.iter().sum();
        let cheapest: Vec<f64> = self.rows.chunks_exact(self.agents).map(least).collect();
        let raise = (all - cheapest.iter().sum::<f64>()) / cheapest.len() as f64;
        let mixed = |share: f64| -> Vec<f64> {
            let rewards = shifted.iter().zip(&cheapest);
            rewards
                .map(|(shifted, cheapest)| shifted + share * (cheapest + raise - shifted))
                .collect()
        };
        // what agents gain is convex in the share, and nothing where that is none
        let (mut low, mut high) = (0.0, 2.0);
        for _ in 0..HALVINGS {
            let share = f64::midpoint(low, high);
            if self.gained(&mixed(share)) <= LOST * all.abs() {
                low = share;
                if share >= 1.0 {
                    break;
                }
            } else {
                high = share;
            }
        }
        mixed(low)
    }

    /// Fair rewards by shifting half of each link between its ends, by what the tasks on either side come to at an agent: the mean over all roots of the tree.
    fn shifted(&self) -> Vec<f64> {
        let count = self.above.len();
        // with what comes from below; then from above too
        let mut all = self.rows.to_vec();
        let mut size = vec![1.0; count];
        let mut ups = vec![0.0; self.rows.len()];
        let (mut up, mut down) = (vec![0.0; self.agents], vec![0.0; self.agents]);
        for (place, above) in self.above.iter().enumerate().rev() {
            let Some((parent, half)) = *above else { continue };
            message(&all[self.row(place)], half, &mut up);
            size[parent] += size[place];
            add(&mut all[self.row(parent)], &up, 1.0);
            ups[self.row(place)].copy_from_slice(&up);
        }
        let mut priced = self.rows.to_vec();
        let mut beside = vec![0.0; self.agents];
        for (place, above) in self.above.iter().enumerate() {
            let Some((parent, half)) = *above else { continue };
            let up = &ups[self.row(place)];
            beside.copy_from_slice(&all[self.row(parent)]);
            add(&mut beside, up, -1.0);
            message(&beside, half, &mut down);
            add(&mut all[self.row(place)], &down, 1.0);
            // so many of all roots are above this link
            let share = 1.0 - size[place] / count as f64;
            for (row, sign) in [(place, -1.0), (parent, 1.0)] {
                let row = &mut priced[self.row(row)];
                add(row, up, sign * share);
                add(row, &down, -sign * (1.0 - share));
            }
        }
        priced.chunks_exact(self.agents).map(least).collect()
    }

    /// What all agents gain together when each takes what is best for it.
    fn gained(&self, rewards: &[f64]) -> f64 {
        let mut with = self.rows.to_vec();
        for (row, reward) in with.chunks_exact_mut(self.agents).zip(rewards) {
            row.iter_mut().for_each(|cost| *cost -= reward);
        }
        let mut without = vec![0.0; self.rows.len()];
        for (place, above) in self.above.iter().enumerate().rev() {
            let Some((parent, half)) = *above else { continue };
            for agent in 0..self.agents {
                let (here, there) = (place * self.agents + agent, parent * self.agents + agent);
                let (taken, left) = (with[here], without[here]);
                with[there] += taken.min(left + half);
                without[there] += left.min(taken + half);
            }
        }
        let root = with.iter().zip(&without).take(self.agents);
        root.map(|(with, without)| -with.min(*without)).sum()
    }

    const fn row(&self, place: usize) -> std::ops::Range<usize> {
        place * self.agents..(place + 1) * self.agents
    }
}

/// What a link adds at its other end, given what the tasks on this side come to at each agent.
fn message(row: &[f64], half: f64, message: &mut [f64]) {
    let least = least(row);
    for (message, cost) in message.iter_mut().zip(row) {
        *message = (cost - least).min(2.0 * half) - half;
    }
}

fn add(sums: &mut [f64], more: &[f64], times: f64) {
    sums.iter_mut()
        .zip(more)
        .for_each(|(sum, more)| *sum += times * more);
}

fn least(row: &[f64]) -> f64 {
    row.iter().copied().fold(f64::INFINITY, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The least of a tree, every labelling tried.
    fn least_of_all(costs: &Costs<'_>) -> f64 {
        let (tasks, agents) = (costs.above.len(), costs.agents);
        let all = (0..agents.pow(tasks as u32)).map(|number| {
            let agent = |place: usize| number / agents.pow(place as u32) % agents;
            let own: f64 = (0..tasks)
                .map(|place| costs.rows[place * agents + agent(place)])
                .sum();
            let cut = costs.above.iter().enumerate().filter_map(|(place, above)| {
                let (parent, half) = (*above)?;
                (agent(place) != agent(parent)).then_some(2.0 * half)
            });
            own + cut.sum::<f64>()
        });
        all.fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn rewards_come_to_the_least_of_the_tree_and_nobody_gains() {
        let mut random = Random::new(5);
        let mut alike = 0;
        for _ in 0..300 {
            let (tasks, agents) = (1 + random.below(5), 1 + random.below(4));
            let rows: Vec<f64> = (0..tasks * agents).map(|_| random.below(40) as f64).collect();
            let above: Vec<Option<(usize, f64)>> = (0..tasks)
                .map(|place| (place > 0).then(|| (random.below(place), random.below(20) as f64 / 2.0)))
                .collect();
            let costs = Costs {
                agents,
                rows: &rows,
                above: &above,
            };
            let least_of_all = least_of_all(&costs);
            let fair = costs.fair();
            let sum: f64 = fair.iter().sum();
            assert!((sum - least_of_all).abs() < 1e-6, "{sum} of {least_of_all}");
            assert!(costs.gained(&fair) <= LOST * least_of_all.abs() + 1e-9);
            let raises = rows.chunks_exact(agents).map(least).zip(&fair);
            let raises: Vec<f64> = raises.map(|(cheapest, reward)| reward - cheapest).collect();
            alike += usize::from(raises.iter().all(|raise| (raise - raises[0]).abs() < 1e-6));
        }
        assert!(alike > 100, "only {alike} of 300 are raised alike");
    }
}
