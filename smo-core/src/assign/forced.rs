//! What it costs an agent to be forced to take a task, or to leave it: by the tables over what comes before and after it, or by the
//! price of room where those would be large.

use super::knapsack::{Item, Tables, extend, with_prices, worthwhile};
use super::open::Open;
use super::scaled::Scaled;

/// Where tables of more cells would tell what forcing a task costs, the price of room does.
const LARGEST_SIDES: usize = 262_144;

impl Tables {
    /// For every open task: at most by how much dearer it gets for the agent to take it, and to leave it (scaled). Both
    /// are lower bounds; the unforced choice is `least`.
    pub(super) fn forced(
        &mut self,
        scaled: &Scaled,
        agent: usize,
        open: &Open,
        rewards: &[f64],
        least: f64,
    ) -> Vec<(f64, f64)> {
        let sack = &scaled.sacks[agent];
        let plain = worthwhile(scaled, agent, open, rewards);
        if sack.exact && plain.len() * (sack.room + 1) > LARGEST_SIDES {
            let mut settled = std::mem::take(&mut self.settled);
            self.work += 16 * plain.len() as u64 + scaled.tasks as u64;
            let priced = settled.relax(&plain, sack.room);
            self.settled = settled;
            if let Some((price, relaxed)) = priced {
                let above = |value: f64| (relaxed + value.max(0.0) - least).max(0.0);
                let dearer = (0..scaled.tasks).map(|task| {
                    if !open.has(agent, task) {
                        return (0.0, 0.0);
                    }
                    let reduced = scaled.worth(agent, task, rewards) + price * f64::from(sack.cells[task]);
                    (above(reduced), above(-reduced))
                });
                return dearer.collect();
            }
        }
        let (items, constant) = with_prices(sack, &plain, &self.prices[agent]);
        let width = sack.room + 1;
        let (with, without) = self.sides(&items, sack.room);
        let mut dearer = vec![(0.0, 0.0); scaled.tasks];
        let above = |value: f64| (value - constant - least).max(0.0);
        for ((item, with), without) in items.iter().zip(with).zip(without) {
            dearer[item.task as usize] = (above(with), above(without));
        }
        let whole = &self.layers[items.len() * width..];
        let mut listed = vec![false; scaled.tasks];
        items.iter().for_each(|item| listed[item.task as usize] = true);
        for task in (0..scaled.tasks).filter(|task| open.has(agent, *task) && !listed[*task]) {
            let worth = scaled.worth(agent, task, rewards) + sack.charge(&self.prices[agent], task);
            let room = sack.room - (sack.cells[task] as usize).min(sack.room);
            let with = whole[room] + worth - constant - least;
            dearer[task] = (with.max(0.0), 0.0);
        }
        dearer
    }

    /// By item: the least sum with it, and without it. Leaves the filled table.
    pub(super) fn sides(&mut self, items: &[Item], room: usize) -> (Vec<f64>, Vec<f64>) {
        let width = room + 1;
        self.fill(items, room);
        self.work += (items.len() * width) as u64;
        let (mut with, mut without) = (vec![0.0; items.len()], vec![0.0; items.len()]);
        let mut after = vec![0.0_f64; width];
        let mut next = after.clone();
        for (at, item) in items.iter().enumerate().rev() {
            let before = &self.layers[at * width..(at + 1) * width];
            without[at] = least_join(before, &after, room);
            with[at] = match room.checked_sub(item.cells) {
                Some(left) => item.worth + least_join(before, &after, left),
                None => f64::INFINITY,
            };
            extend(&after, &mut next, item);
            std::mem::swap(&mut after, &mut next);
        }
        (with, without)
    }
}

/// The least sum of two tables that share the room.
fn least_join(before: &[f64], after: &[f64], room: usize) -> f64 {
    let pairs = before[..=room].iter().zip(after[..=room].iter().rev());
    pairs
        .map(|(one, other)| one + other)
        .fold(f64::INFINITY, f64::min)
}
