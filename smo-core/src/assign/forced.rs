//! What an agent has to take, and what it cannot: in all choices that are not dearer than a better answer allows.
//!
//! The price of room says it of most tasks (see [`settle`](super::settle)); for the rest tables over what comes before and after a task do, as
//! far as these are small.

use super::knapsack::{AN_ITEM, Item, Tables, extend, refund};
use super::menu::Offer;
use super::scaled::Scaled;

/// Tables of more cells are not filled.
const LARGEST_SIDES: usize = 262_144;

/// So many sums are compared at a time.
const SIDE_BY_SIDE: usize = 8;

/// What is known of a task for one agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forced {
    /// The agent takes it.
    Taken,
    /// It does not.
    Left,
}

impl Tables {
    /// What the agent has to take of its open tasks, and what it cannot, in choices that are worth `most` or less (scaled).
    pub(super) fn forced(
        &mut self,
        scaled: &Scaled,
        agent: usize,
        offers: &[Offer],
        rewards: &[f64],
        most: f64,
    ) -> Vec<(usize, Forced)> {
        let sack = &scaled.sacks[agent];
        let prices = &self.prices[agent];
        let all = offers.iter().map(|offer| Item {
            task: offer.task,
            cells: offer.cells as usize,
            worth: offer.worth(rewards) + sack.charge(prices, offer.task as usize),
        });
        let (items, idle): (Vec<Item>, Vec<Item>) = all.partition(|item| item.worth < 0.0);
        let most = most + refund(sack, prices);
        self.work += AN_ITEM * items.len() as u64 + idle.len() as u64;
        let mut settled = std::mem::take(&mut self.settled);
        let relaxed = settled.relax(&items, sack.room);
        self.settled = settled;
        let (price, least) = relaxed.unwrap_or((0.0, f64::NEG_INFINITY));
        let mut forced = Vec::new();
        let (mut rest, mut room, mut taken) = (Vec::with_capacity(items.len()), sack.room, 0.0);
        for item in items {
            let reduced = item.worth + price * item.cells as f64;
            if least + reduced.abs() <= most {
                rest.push(item);
            } else if reduced > 0.0 {
                forced.push((item.task as usize, Forced::Left));
            } else {
                forced.push((item.task as usize, Forced::Taken));
                room = room.saturating_sub(item.cells);
                taken += item.worth;
            }
        }
        let may = |item: &&Item| least + item.worth + price * item.cells as f64 <= most;
        let (maybe, never): (Vec<&Item>, Vec<&Item>) = idle.iter().partition(may);
        forced.extend(never.iter().map(|item| (item.task as usize, Forced::Left)));
        if rest.len() * (room + 1) > LARGEST_SIDES {
            return forced;
        }
        let (with, without) = self.sides(&rest, room);
        for ((item, with), without) in rest.iter().zip(with).zip(without) {
            if taken + with > most {
                forced.push((item.task as usize, Forced::Left));
            } else if taken + without > most {
                forced.push((item.task as usize, Forced::Taken));
            }
        }
        let whole = &self.layers[rest.len() * (room + 1)..];
        forced.extend(maybe.into_iter().filter_map(|item| {
            let left = room.checked_sub(item.cells);
            let fits = left.is_some_and(|left| taken + whole[left] + item.worth <= most);
            (!fits).then_some((item.task as usize, Forced::Left))
        }));
        forced
    }

    /// By item: the least sum with it, and without it. Leaves the filled table.
    pub(super) fn sides(&mut self, items: &[Item], room: usize) -> (Vec<f64>, Vec<f64>) {
        let width = room + 1;
        self.fill(items, room);
        self.work += 2 * (items.len() * width) as u64;
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

/// The least sum of two tables that share the room. Several sums are compared side by side: one least alone waits for itself.
fn least_join(before: &[f64], after: &[f64], room: usize) -> f64 {
    let lesser = |one: f64, other: f64| if other < one { other } else { one };
    let (before, after) = (&before[..=room], &after[..=room]);
    let mut least = [f64::INFINITY; SIDE_BY_SIDE];
    let (ahead, back) = (
        before.chunks_exact(SIDE_BY_SIDE),
        after.rchunks_exact(SIDE_BY_SIDE),
    );
    let rest = ahead.remainder().iter().zip(back.remainder().iter().rev());
    let rest = rest.fold(f64::INFINITY, |least, (one, other)| lesser(least, one + other));
    for (one, other) in ahead.zip(back) {
        for (at, least) in least.iter_mut().enumerate() {
            *least = lesser(*least, one[at] + other[SIDE_BY_SIDE - 1 - at]);
        }
    }
    least.into_iter().fold(rest, lesser)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::AssignProblem;
    use crate::random::Random;

    /// What fits agent 0 and is worth `most` or less, as sets of tasks.
    fn choices(scaled: &Scaled, offers: &[Offer], rewards: &[f64], most: f64) -> Vec<u32> {
        let sack = &scaled.sacks[0];
        (0..1_u32 << offers.len())
            .filter(|choice| {
                let chosen = || (0..offers.len()).filter(|at| choice >> at & 1 == 1);
                let worth: f64 = chosen().map(|at| offers[at].worth(rewards)).sum();
                sack.fits(chosen().map(|at| offers[at].task as usize)) && worth <= most
            })
            .collect()
    }

    #[test]
    fn no_choice_that_is_cheap_enough_differs_from_what_is_forced() {
        let mut random = Random::new(5);
        let (mut taken, mut left) = (0, 0);
        for case in 0..400 {
            let tasks = 3 + random.below(6);
            let mut problem = AssignProblem::new(2, tasks);
            for task in 0..tasks {
                problem.set_cost(0, task, random.between(0, 30) as i64);
                problem.set_cost(1, task, random.between(0, 30) as i64);
            }
            // One limit or two, in amounts that make tables small or large.
            let size = if case % 2 == 0 { 9 } else { 60_000 };
            for _ in 0..1 + case / 2 % 2 {
                let needs: Vec<u64> = (0..tasks).map(|_| random.between(1, size)).collect();
                let room = needs.iter().sum::<u64>() / 2;
                let list = problem.add_needs(needs);
                problem.limit(0, list, room);
            }
            let Some(scaled) = Scaled::new(&problem) else {
                continue;
            };
            let offers: Vec<Offer> = Offer::all(&scaled, &scaled.open(), 0).collect();
            let rewards: Vec<f64> = (0..tasks)
                .map(|_| random.between(0, 40) as f64 * scaled.scale)
                .collect();
            let least = choices(&scaled, &offers, &rewards, f64::INFINITY)
                .into_iter()
                .map(|choice| {
                    let chosen = (0..offers.len()).filter(|at| choice >> at & 1 == 1);
                    chosen.map(|at| offers[at].worth(&rewards)).sum::<f64>()
                })
                .fold(0.0, f64::min);
            let most = least + random.below(20) as f64 * scaled.scale;
            let near = choices(&scaled, &offers, &rewards, most);
            for (task, forced) in Tables::new(&scaled).forced(&scaled, 0, &offers, &rewards, most) {
                let at = offers
                    .iter()
                    .position(|offer| offer.task as usize == task)
                    .unwrap();
                let has = near.iter().filter(|choice| **choice >> at & 1 == 1).count();
                match forced {
                    Forced::Taken => assert_eq!(has, near.len()),
                    Forced::Left => assert_eq!(has, 0),
                }
                taken += usize::from(forced == Forced::Taken);
                left += usize::from(forced == Forced::Left);
            }
        }
        assert!(taken > 100 && left > 100, "{taken} taken, {left} left");
    }
}
