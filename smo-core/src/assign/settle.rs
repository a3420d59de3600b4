//! Which items of a knapsack a price on its room settles, so that a table runs over the others only.
//!
//! With the price of the item that no longer fits (Dantzig, [Discrete-Variable Extremum
//! Problems](https://doi.org/10.1287/opre.5.2.266), 1957), every item has a reduced worth. Where deciding it against its sign
//! costs more than a greedy choice leaves to gain, it is decided. Whole numbers, so nothing is lost to rounding.

use super::knapsack::Item;

/// Sums stay whole below this.
const WHOLE: f64 = 4_503_599_627_370_496.0; // 2^52

/// A knapsack with some items decided.
#[derive(Debug, Default)]
pub(super) struct Settled {
    /// A choice that fits, by number of item, and what it is worth.
    pub(super) greedy: Vec<u32>,
    pub(super) greedy_worth: f64,
    /// The tasks taken in all better choices, and what they are worth.
    pub(super) taken: Vec<u32>,
    pub(super) taken_worth: f64,
    /// What is still to decide, and the room for it.
    pub(super) rest: Vec<Item>,
    pub(super) room: usize,
    /// Numbers of items below what a cell of them is worth.
    order: Vec<u64>,
}

impl Settled {
    /// Decides what a price can. No choice that is worth less than the greedy one differs from it. False when nothing better
    /// than the greedy choice can exist.
    pub(super) fn settle(&mut self, items: &[Item], room: usize) -> bool {
        self.sort(items);
        self.fill_greedily(items, room);
        self.taken.clear();
        self.rest.clear();
        self.taken_worth = 0.0;
        let Some(price) = self.price(items, room) else {
            self.rest.extend(self.order.iter().map(|key| items[place(*key)]));
            self.room = room;
            return true;
        };
        let reduced = |item: &Item| item.worth + price * item.cells as f64;
        let least = relaxed(items, room, price);
        let most = self.greedy_worth - least;
        if most <= 0.0 {
            return false;
        }
        let mut left = room;
        for key in &self.order {
            let item = items[place(*key)];
            let reduced = reduced(&item);
            if reduced.abs() < most {
                self.rest.push(item);
            } else if reduced < 0.0 {
                let Some(after) = left.checked_sub(item.cells) else {
                    return false;
                };
                left = after;
                self.taken.push(item.task);
                self.taken_worth += item.worth;
            }
        }
        self.room = left;
        true
    }

    /// A price of room, and what no choice is worth less than with it; `None` when sums would not stay whole.
    pub(super) fn relax(&mut self, items: &[Item], room: usize) -> Option<(f64, f64)> {
        self.sort(items);
        let price = self.price(items, room)?;
        Some((price, relaxed(items, room, price)))
    }

    /// Most worth a cell first.
    fn sort(&mut self, items: &[Item]) {
        self.order.clear();
        // Worths are negative, so the bits of a quotient grow with it. An order that is only nearly right serves, and whole numbers
        // sort fast.
        let keyed = items.iter().enumerate().map(|(at, item)| {
            let a_cell = (item.worth / (item.cells as f64 + 1e-3)) as f32;
            u64::from(u32::MAX - a_cell.to_bits()) << 32 | at as u64
        });
        self.order.extend(keyed);
        self.order.sort_unstable();
    }

    fn fill_greedily(&mut self, items: &[Item], room: usize) {
        self.greedy.clear();
        self.greedy_worth = 0.0;
        let mut left = room;
        for key in &self.order {
            let item = &items[place(*key)];
            if let Some(after) = left.checked_sub(item.cells) {
                left = after;
                self.greedy.push(item.task);
                self.greedy_worth += item.worth;
            }
        }
    }

    /// What a cell is worth to the first item that no longer fits, nothing when all fit; `None` when sums would not stay whole.
    fn price(&self, items: &[Item], room: usize) -> Option<f64> {
        let mut left = room;
        let mut cells = 0;
        let mut first = None;
        for key in &self.order {
            let item = &items[place(*key)];
            cells += item.cells;
            if first.is_none() {
                match left.checked_sub(item.cells) {
                    Some(after) => left = after,
                    None => first = Some((-item.worth / item.cells as f64).round()),
                }
            }
        }
        Some(first.unwrap_or(0.0)).filter(|price| price * ((cells + room) as f64) < WHOLE)
    }
}

/// The number of an item in its place of the order.
const fn place(key: u64) -> usize {
    (key & 0xffff_ffff) as usize
}

/// What no choice is worth less than, at a price of room.
fn relaxed(items: &[Item], room: usize, price: f64) -> f64 {
    let reduced = items.iter().map(|item| item.worth + price * item.cells as f64);
    reduced.map(|reduced| reduced.min(0.0)).sum::<f64>() - price * room as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The least that choices of items come to, given whether the item at a place is taken.
    fn least(items: &[Item], room: usize, at: usize, taken: bool) -> f64 {
        let choices = (0..1_u32 << items.len()).filter(|choice| (choice >> at & 1 == 1) == taken);
        let chosen = choices.map(|choice| {
            let chosen = items
                .iter()
                .enumerate()
                .filter(move |(at, _)| choice >> at & 1 == 1);
            chosen.fold((0, 0.0), |(cells, worth), (_, item)| {
                (cells + item.cells, worth + item.worth)
            })
        });
        let fitting = chosen.filter(|(cells, _)| *cells <= room);
        fitting.map(|(_, worth)| worth).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn a_price_of_room_says_what_forcing_an_item_costs_at_least() {
        let mut random = Random::new(11);
        let mut priced = 0;
        for _ in 0..300 {
            let items: Vec<Item> = (0..1 + random.below(8))
                .map(|task| Item {
                    task: task as u32,
                    cells: random.below(30),
                    worth: -(1.0 + random.below(200) as f64),
                })
                .collect();
            let room = random.below(90);
            let Some((price, relaxed)) = Settled::default().relax(&items, room) else {
                continue;
            };
            priced += 1;
            for (at, item) in items.iter().enumerate() {
                let reduced = item.worth + price * item.cells as f64;
                assert!(relaxed + reduced.max(0.0) <= least(&items, room, at, true));
                assert!(relaxed + (-reduced).max(0.0) <= least(&items, room, at, false));
            }
        }
        assert!(priced > 100);
    }
}
