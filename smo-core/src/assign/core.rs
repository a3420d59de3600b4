//! A knapsack by its core: the items near the first that no longer fits are added or taken out one by one, nearest first.
//!
//! The states reached are kept by what they hold, none that another dominates, and none that cannot become better than a choice that is
//! known. Where a table over the room would be large, there are few of them. See Pisinger, [A minimal algorithm for the 0-1 knapsack
//! problem](https://doi.org/10.1287/opre.45.5.758), 1997.

use super::knapsack::Item;

/// What a state costs, in cells of a table.
const A_STATE: u64 = 20;

/// Bounds are rounded by less than this share of what they add.
const ROUNDED: f64 = 1e-12;

/// No step led here.
const START: u32 = u32::MAX;

/// A choice of items, known by the steps that led to it.
#[derive(Debug, Clone, Copy)]
struct State {
    cells: usize,
    worth: f64,
    /// The place of its last step.
    step: u32,
}

/// An item that was added or taken out, and the step before.
#[derive(Debug, Clone, Copy)]
struct Step {
    before: u32,
    item: u32,
}

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Nothing that is worth less than what was known.
    Nothing,
    /// The best choice is in [`Core::tasks`], and what it is worth in [`Core::worth`].
    Better,
    /// The search took too much.
    Unknown,
}

/// The lists of a search, kept between calls to save memory traffic.
#[derive(Debug, Default)]
pub(super) struct Core {
    states: Vec<State>,
    next: Vec<State>,
    steps: Vec<Step>,
    /// By item: the most that a cell can bring when this item and all after it may be added, and the least that a cell costs
    /// when this item and all before it may be taken out.
    gain: Vec<f64>,
    loss: Vec<f64>,
    pub(super) tasks: Vec<u32>,
    pub(super) worth: f64,
}

impl Core {
    /// Looks for a choice that fits and is worth less than `known`; items, all of negative worth, are those most worth a cell first.
    pub(super) fn search(
        &mut self,
        items: &[Item],
        room: usize,
        known: f64,
        most: u64,
        work: &mut u64,
    ) -> Found {
        let until = work.saturating_add(most);
        *work += A_STATE * items.len() as u64;
        self.weigh(items);
        let (first, cells, worth) = fill(items, room);
        self.steps.clear();
        self.states.clear();
        self.states.push(State {
            cells,
            worth,
            step: START,
        });
        let mut best = (known, None);
        if worth < known {
            best = (worth, Some(START));
        }
        let (mut left, mut right) = (first, first);
        let mut add = true;
        while !self.states.is_empty() && (left > 0 || right < items.len()) {
            *work += A_STATE * self.states.len() as u64;
            if *work > until {
                return Found::Unknown;
            }
            add = (add && right < items.len()) || left == 0;
            let at = if add { right } else { left - 1 };
            if add {
                right += 1;
            } else {
                left -= 1;
            }
            let slopes = (
                self.gain.get(right).copied().unwrap_or(0.0),
                left.checked_sub(1).map(|at| self.loss[at]),
            );
            self.step(&items[at], at as u32, add, room, slopes, &mut best);
            add = !add;
        }
        let (worth, Some(step)) = best else {
            return Found::Nothing;
        };
        self.worth = worth;
        self.trace(items, first, step);
        Found::Better
    }

    fn weigh(&mut self, items: &[Item]) {
        let a_cell = |item: &Item| item.worth / item.cells as f64;
        self.gain.clear();
        self.gain.resize(items.len(), 0.0);
        let mut most = 0.0_f64;
        for (item, gain) in items.iter().zip(&mut self.gain).rev() {
            most = most.min(a_cell(item));
            *gain = most;
        }
        let mut least = f64::NEG_INFINITY;
        self.loss.clear();
        self.loss.extend(items.iter().map(|item| {
            least = least.max(a_cell(item));
            least
        }));
    }

    /// Adds an item to every state, or takes it out, and keeps what can still be best.
    fn step(
        &mut self,
        item: &Item,
        at: u32,
        add: bool,
        room: usize,
        (gain, loss): (f64, Option<f64>),
        best: &mut (f64, Option<u32>),
    ) {
        let changed = |state: &State| {
            let (cells, worth) = if add {
                (state.cells + item.cells, state.worth + item.worth)
            } else {
                (state.cells - item.cells, state.worth - item.worth)
            };
            State {
                cells,
                worth,
                step: state.step,
            }
        };
        self.next.clear();
        let (mut old, mut new) = (0, 0);
        let mut least = f64::INFINITY;
        loop {
            let plain = self.states.get(old);
            let other = self.states.get(new).map(changed);
            let (state, is_new) = match (plain, other) {
                (None, None) => break,
                (Some(plain), Some(other)) if (other.cells, other.worth) < (plain.cells, plain.worth) => {
                    (other, true)
                }
                (Some(plain), _) => (*plain, false),
                (None, Some(other)) => (other, true),
            };
            if is_new {
                new += 1;
            } else {
                old += 1;
            }
            if state.worth >= least {
                continue;
            }
            let hopeless = match room.checked_sub(state.cells) {
                Some(left) => {
                    let more = left as f64 * gain;
                    state.worth + more * (1.0 + ROUNDED) >= best.0
                }
                None => loss.is_none_or(|loss| {
                    let less = (state.cells - room) as f64 * -loss;
                    state.worth + less * (1.0 - ROUNDED) >= best.0
                }),
            };
            let better = state.cells <= room && state.worth < best.0;
            if hopeless && !better {
                continue;
            }
            least = state.worth;
            let mut state = state;
            if is_new {
                self.steps.push(Step {
                    before: state.step,
                    item: at,
                });
                state.step = (self.steps.len() - 1) as u32;
            }
            if better {
                *best = (state.worth, Some(state.step));
            }
            self.next.push(state);
        }
        std::mem::swap(&mut self.states, &mut self.next);
    }

    /// Collects the tasks that a state holds.
    fn trace(&mut self, items: &[Item], first: usize, mut step: u32) {
        let mut taken: Vec<bool> = (0..items.len()).map(|at| at < first).collect();
        while let Some(Step { before, item }) = self.steps.get(step as usize) {
            taken[*item as usize] ^= true;
            step = *before;
        }
        self.tasks.clear();
        let taken = items.iter().zip(&taken).filter(|(_, taken)| **taken);
        self.tasks.extend(taken.map(|(item, _)| item.task));
    }
}

/// The first item that no longer fits after all before it, and what these hold and are worth.
fn fill(items: &[Item], room: usize) -> (usize, usize, f64) {
    let (mut cells, mut worth) = (0, 0.0);
    for (at, item) in items.iter().enumerate() {
        if cells + item.cells > room {
            return (at, cells, worth);
        }
        cells += item.cells;
        worth += item.worth;
    }
    (items.len(), cells, worth)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn by_table(items: &[Item], room: usize) -> f64 {
        let mut least = vec![0.0_f64; room + 1];
        for item in items {
            for left in (item.cells..=room).rev() {
                least[left] = least[left].min(least[left - item.cells] + item.worth);
            }
        }
        least[room]
    }

    #[test]
    fn the_core_finds_what_a_table_finds() {
        let mut random = Random::new(7);
        let mut core = Core::default();
        for case in 0..2_000 {
            let number = random.below(14);
            let spread = 1 + random.below(60);
            let mut items: Vec<Item> = (0..number)
                .map(|task| {
                    let cells = random.below(20);
                    let worth = if case % 2 == 0 {
                        1 + random.below(spread)
                    } else {
                        1 + cells + random.below(3)
                    };
                    Item {
                        task: task as u32,
                        cells,
                        worth: -(worth as f64),
                    }
                })
                .collect();
            let key = |item: &Item| item.worth / (item.cells as f64 + 1e-3);
            items.sort_by(|one, other| key(one).total_cmp(&key(other)));
            let room = random.below(100);
            let best = by_table(&items, room);
            let mut work = 0;
            assert_eq!(
                core.search(&items, room, best, u64::MAX, &mut work),
                Found::Nothing
            );
            let known = best + 1.0 + random.below(20) as f64;
            assert_eq!(
                core.search(&items, room, known, u64::MAX, &mut work),
                Found::Better
            );
            assert_eq!(core.worth, best);
            let chosen = |item: &&Item| core.tasks.contains(&item.task);
            let cells: usize = items.iter().filter(chosen).map(|item| item.cells).sum();
            let worth: f64 = items.iter().filter(chosen).map(|item| item.worth).sum();
            assert!(cells <= room);
            assert_eq!(worth, best);
        }
    }

    #[test]
    fn a_search_that_takes_too_much_says_so() {
        let items: Vec<Item> = (0..40)
            .map(|task| Item {
                task,
                cells: 100 + task as usize,
                worth: -f64::from(1_000 + 10 * task),
            })
            .collect();
        let mut work = 0;
        let found = Core::default().search(&items, 2_050, 0.0, 500, &mut work);
        assert_eq!(found, Found::Unknown);
    }
}
