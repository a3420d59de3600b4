//! What one agent would take at given rewards: a 0-1 knapsack over its limits.
//!
//! All amounts are whole numbers in floating point, below 2^53 (see [`LARGEST`]), so sums and comparisons are exact. A table over the capacity
//! of the first limit gives the least cost by room left; other limits get a price each (Lagrangian relaxation), and where
//! prices do not settle them, labels do. See Martello, Toth, *Knapsack Problems*, 1990.

use super::core::{Core, Found};
use super::labels::{Labels, TooMany};
use super::menu::{Menu, Offer};
use super::scaled::{LARGEST, Limit, Sack, Scaled};
use super::settle::Settled;

/// Tries of prices for the other limits.
const TRIES: usize = 6;

/// What a look at an agent takes by itself, at a task it is offered, and at one that it may take.
const A_LOOK: u64 = 64;
const AN_OFFER: u64 = 3;
pub(super) const AN_ITEM: u64 = 32;
/// So many cells of a table are filled in a unit of work.
const CELLS: u64 = 4;

/// A table of more cells is not filled when a search of the core does.
const LARGE: u64 = 16_384;

/// How far a knapsack of several limits is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Care {
    /// Prices only.
    Quick,
    /// Until labels become many.
    Thorough,
    /// Until labels become very many.
    Exhaustive,
}

impl Care {
    const fn labels(self) -> Option<usize> {
        match self {
            Self::Quick => None,
            Self::Thorough => Some(4_000),
            Self::Exhaustive => Some(100_000),
        }
    }

    /// The next step; `None` at the last.
    pub(super) const fn more(self) -> Option<Self> {
        match self {
            Self::Quick => Some(Self::Thorough),
            Self::Thorough => Some(Self::Exhaustive),
            Self::Exhaustive => None,
        }
    }
}

/// What an agent takes.
#[derive(Debug, Clone, Default)]
pub(super) struct Taken {
    /// No choice of its open tasks is worth less than this (scaled).
    pub(super) least: f64,
    /// A choice that fits; worth `least` unless the search was cut short.
    pub(super) tasks: Vec<u32>,
}

/// A task that is worth taking.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) task: u32,
    pub(super) cells: usize,
    /// Cost less reward, with prices where there are some.
    pub(super) worth: f64,
}

/// The tables of one agent, kept between calls to save memory traffic.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) layers: Vec<f64>,
    pub(super) settled: Settled,
    core: Core,
    /// By agent and limit after the first: the price of a unit.
    pub(super) prices: Vec<Vec<f64>>,
    /// Cells filled and nodes searched so far.
    pub(super) work: u64,
}

impl Tables {
    pub(super) fn new(scaled: &Scaled) -> Self {
        let prices = |sack: &Sack| vec![0.0; sack.others().len()];
        Self {
            layers: Vec::new(),
            settled: Settled::default(),
            core: Core::default(),
            prices: scaled.sacks.iter().map(prices).collect(),
            work: 0,
        }
    }

    /// Tables for a smaller question, with the prices known here.
    pub(super) fn reduced(&self, from: &Scaled, to: &Scaled) -> Self {
        let mut tables = Self::new(to);
        for (agent, prices) in tables.prices.iter_mut().enumerate() {
            for (limit, price) in to.sacks[agent].others().iter().zip(prices) {
                let mut known = from.sacks[agent].others().iter().zip(&self.prices[agent]);
                if let Some((old, known)) = known.find(|(old, _)| old.row == limit.row) {
                    *price = (known * limit.unit as f64 / old.unit as f64 / to.unit as f64).round();
                }
            }
        }
        tables
    }

    /// The least sum of `cost - reward` over what fits the agent together. Where a table does not settle it, prices do in
    /// part; only a `thorough` answer is searched to the end.
    pub(super) fn take(
        &mut self,
        scaled: &Scaled,
        agent: usize,
        menu: &Menu,
        rewards: &[f64],
        care: Care,
    ) -> Taken {
        let sack = &scaled.sacks[agent];
        let offers = menu.of(agent);
        self.work += A_LOOK + AN_OFFER * offers.len() as u64;
        let items = worthwhile(offers, rewards);
        if sack.fits(items.iter().map(|item| item.task as usize)) {
            return Taken {
                least: items.iter().map(|item| item.worth).sum(),
                tasks: items.iter().map(|item| item.task).collect(),
            };
        }
        if sack.exact {
            return self.take_exactly(&items, sack.room);
        }
        let mut prices = std::mem::take(&mut self.prices[agent]);
        let tries = if care == Care::Quick { TRIES } else { 4 * TRIES };
        let (taken, settled) = self.take_with_prices(sack, &items, &mut prices, tries);
        let taken = match care.labels() {
            Some(most) if !settled => self.take_thoroughly(sack, &items, &prices, taken, most),
            _ => taken,
        };
        self.prices[agent] = prices;
        taken
    }

    /// The best choice of the only limit.
    fn take_exactly(&mut self, items: &[Item], room: usize) -> Taken {
        let mut settled = std::mem::take(&mut self.settled);
        self.work += AN_ITEM * items.len() as u64;
        let open = settled.settle(items, room);
        let (mut least, mut tasks) = (settled.greedy_worth, &settled.greedy);
        if open {
            let known = least - settled.taken_worth;
            if let Some((worth, rest)) = self.take_rest(&settled.rest, settled.room, known) {
                least = settled.taken_worth + worth;
                settled.taken.extend(rest);
                tasks = &settled.taken;
            }
        }
        let mut tasks = tasks.clone();
        tasks.sort_unstable();
        self.settled = settled;
        Taken { least, tasks }
    }

    /// The best choice of items, those most worth a cell first, where one is worth less than `known`.
    fn take_rest(&mut self, items: &[Item], room: usize, known: f64) -> Option<(f64, Vec<u32>)> {
        let cells = (items.len() * (room + 1)) as u64;
        if cells > LARGE {
            match self.core.search(items, room, known, cells / 2, &mut self.work) {
                Found::Nothing => return None,
                Found::Better => return Some((self.core.worth, self.core.tasks.clone())),
                Found::Unknown => {}
            }
        }
        self.fill(items, room);
        let worth = self.last(items, room);
        (worth < known).then(|| (worth, self.trace(items, room)))
    }

    /// Prices the limits after the first, best prices left in `prices`. True when nothing is worth more than the answer.
    fn take_with_prices(
        &mut self,
        sack: &Sack,
        items: &[Item],
        prices: &mut [f64],
        tries: usize,
    ) -> (Taken, bool) {
        let mut best = Taken {
            least: f64::NEG_INFINITY,
            tasks: Vec::new(),
        };
        let (mut worth, mut best_prices) = (0.0, prices.to_vec());
        // By limit after the first: the highest price that was too low, and the lowest that was too high.
        let mut brackets = vec![(0.0_f64, f64::INFINITY); prices.len()];
        for _ in 0..tries {
            let (priced, constant) = with_prices(sack, items, prices);
            self.fill(&priced, sack.room);
            let bound = self.last(&priced, sack.room) - constant;
            let tasks = self.trace(&priced, sack.room);
            let over: Vec<f64> = sack.others().iter().map(|limit| limit.over(&tasks)).collect();
            if bound > best.least {
                best.least = bound;
                best_prices.copy_from_slice(prices);
            }
            let slack = |(price, over): (&f64, &f64)| *price == 0.0 || *over == 0.0;
            if sack.fits(tasks.iter().map(|task| *task as usize)) && prices.iter().zip(&over).all(slack) {
                return (Taken { least: bound, tasks }, true);
            }
            let repaired = repair(sack, items, &tasks);
            let total = value(items, &repaired);
            if total < worth {
                worth = total;
                best.tasks = repaired;
            }
            if worth <= best.least {
                break;
            }
            let moved = |at: &usize| prices[*at] > 0.0 || over[*at] > 0.0;
            let Some(at) = (0..prices.len())
                .filter(moved)
                .max_by(|a, b| over[*a].abs().total_cmp(&over[*b].abs()))
            else {
                break;
            };
            let (low, high) = &mut brackets[at];
            if over[at] > 0.0 {
                *low = low.max(prices[at]);
            } else {
                *high = high.min(prices[at]);
            }
            let capacity = sack.others()[at].capacity.max(1) as f64;
            let unit = (0.1 * bound.abs() / capacity).max(1.0);
            let next = if high.is_infinite() {
                (*low * 1.5).max(*low + unit)
            } else {
                (*low + *high) / 2.0
            };
            // Whole, and small enough that what it charges stays so.
            let next = next.round().min((LARGEST / capacity).floor());
            if next == prices[at] {
                break;
            }
            prices[at] = next;
        }
        prices.copy_from_slice(&best_prices);
        let settled = worth <= best.least;
        (best, settled)
    }

    /// Searches what prices left open: items are taken or left for good where the table proves it, the rest depth first.
    fn take_thoroughly(
        &mut self,
        sack: &Sack,
        items: &[Item],
        prices: &[f64],
        known: Taken,
        most: usize,
    ) -> Taken {
        let worth = value(items, &known.tasks);
        let (priced, constant) = with_prices(sack, items, prices);
        let (with, without) = self.sides(&priced, sack.room);
        let mut room: Vec<u64> = sack.limits.iter().map(|limit| limit.capacity).collect();
        let (mut cells, mut fixed, mut chosen, mut rest) = (sack.room, 0.0, Vec::new(), Vec::new());
        for ((item, with), without) in priced.iter().zip(&with).zip(&without) {
            if with - constant >= worth {
                continue;
            }
            if without - constant < worth {
                rest.push(*item);
                continue;
            }
            let task = item.task as usize;
            let taken = cells.checked_sub(item.cells);
            let fits = sack
                .limits
                .iter()
                .zip(&room)
                .all(|(limit, left)| limit.needs[task] <= *left);
            let (Some(left), true) = (taken, fits) else {
                return Taken {
                    least: worth,
                    ..known
                };
            };
            cells = left;
            fixed += item.worth - sack.charge(prices, task);
            chosen.push(item.task);
            for (limit, left) in sack.limits.iter().zip(&mut room) {
                *left -= limit.needs[task];
            }
        }
        self.fill(&rest, cells);
        let labels = Labels {
            sack,
            items: &rest,
            layers: &self.layers,
            width: cells + 1,
            prices,
            most,
        };
        let searched = labels.search(&room, cells, worth - fixed, &mut self.work);
        match searched {
            Err(TooMany) => known,
            Ok(None) => Taken {
                least: worth,
                ..known
            },
            Ok(Some((better, tasks))) => {
                let mut tasks = [chosen, tasks].concat();
                tasks.sort_unstable();
                Taken {
                    least: fixed + better,
                    tasks,
                }
            }
        }
    }

    /// The last cell of the filled table.
    fn last(&self, items: &[Item], room: usize) -> f64 {
        self.layers[items.len() * (room + 1) + room]
    }

    /// By number of items and room: the least that the first items come to.
    pub(super) fn fill(&mut self, items: &[Item], room: usize) {
        let width = room + 1;
        self.work += (items.len() * width) as u64 / CELLS;
        let cells = (items.len() + 1) * width;
        if self.layers.len() < cells {
            self.layers.resize(cells, 0.0);
        }
        self.layers[..width].fill(0.0);
        for (at, item) in items.iter().enumerate() {
            let (before, next) = self.layers.split_at_mut((at + 1) * width);
            extend(&before[at * width..], &mut next[..width], item);
        }
    }

    /// The tasks behind the last cell of the filled table.
    fn trace(&self, items: &[Item], room: usize) -> Vec<u32> {
        let width = room + 1;
        let mut left = room;
        let mut tasks = Vec::new();
        for (at, item) in items.iter().enumerate().rev() {
            if self.layers[(at + 1) * width + left] != self.layers[at * width + left] {
                tasks.push(item.task);
                left -= item.cells;
            }
        }
        tasks.sort_unstable();
        tasks
    }
}

/// The table with one more item: by room, the lesser of leaving it and taking it.
pub(super) fn extend(before: &[f64], next: &mut [f64], item: &Item) {
    let cells = item.cells.min(next.len());
    next[..cells].copy_from_slice(&before[..cells]);
    for ((next, without), with) in next[cells..].iter_mut().zip(&before[cells..]).zip(before) {
        let with = with + item.worth;
        *next = if with < *without { with } else { *without };
    }
}

/// What prices on the other limits take back.
pub(super) fn refund(sack: &Sack, prices: &[f64]) -> f64 {
    let limits = sack.others().iter().zip(prices);
    limits.map(|(limit, price)| price * limit.capacity as f64).sum()
}

/// The items with the prices of the other limits, cheapest a cell last; and what the prices take back.
fn with_prices(sack: &Sack, items: &[Item], prices: &[f64]) -> (Vec<Item>, f64) {
    let priced = items.iter().map(|item| Item {
        worth: item.worth + sack.charge(prices, item.task as usize),
        ..*item
    });
    let mut priced: Vec<Item> = priced.collect();
    let key = |item: &Item| item.worth / (item.cells as f64 + 0.5);
    priced.sort_by(|one, other| key(other).total_cmp(&key(one)).then(other.task.cmp(&one.task)));
    (priced, refund(sack, prices))
}

/// The open tasks that cost less than their reward.
fn worthwhile(offers: &[Offer], rewards: &[f64]) -> Vec<Item> {
    let mut items = Vec::with_capacity(offers.len());
    items.extend(offers.iter().filter_map(|offer| {
        let worth = offer.worth(rewards);
        (worth < 0.0).then_some(Item {
            task: offer.task,
            cells: offer.cells as usize,
            worth,
        })
    }));
    items
}

fn value(items: &[Item], tasks: &[u32]) -> f64 {
    let taken = items
        .iter()
        .filter(|item| tasks.binary_search(&item.task).is_ok());
    taken.map(|item| item.worth).sum()
}

/// Takes items away until the rest fits, those of least worth for what they take of the limits broken first; then adds what
/// still fits.
fn repair(sack: &Sack, items: &[Item], tasks: &[u32]) -> Vec<u32> {
    let mut room: Vec<i128> = sack
        .limits
        .iter()
        .map(|limit| i128::from(limit.capacity))
        .collect();
    let shift = |task: u32, sign: i128, room: &mut Vec<i128>| {
        for (limit, left) in sack.limits.iter().zip(room) {
            *left -= sign * i128::from(limit.needs[task as usize]);
        }
    };
    for task in tasks {
        shift(*task, 1, &mut room);
    }
    let broken: Vec<bool> = room.iter().map(|left| *left < 0).collect();
    let mut order: Vec<(f64, Item)> = items
        .iter()
        .map(|item| {
            let share = |limit: &Limit| limit.needs[item.task as usize] as f64 / limit.capacity.max(1) as f64;
            let limits = sack.limits.iter().zip(&broken).filter(|(_, broken)| **broken);
            let size: f64 = limits.map(|(limit, _)| share(limit)).sum();
            (item.worth / (size + 1e-9), *item)
        })
        .collect();
    order.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.task.cmp(&other.1.task)));
    let mut kept: Vec<u32> = Vec::new();
    let mut rest = Vec::new();
    for (_, item) in &order {
        if tasks.binary_search(&item.task).is_err() {
            rest.push(item);
        } else if room.iter().any(|left| *left < 0) {
            shift(item.task, -1, &mut room);
            rest.push(item);
        } else {
            kept.push(item.task);
        }
    }
    rest.sort_by(|one, other| one.worth.total_cmp(&other.worth).then(one.task.cmp(&other.task)));
    for item in rest {
        let needs = sack
            .limits
            .iter()
            .map(|limit| i128::from(limit.needs[item.task as usize]));
        if needs.zip(&room).all(|(need, left)| need <= *left) {
            shift(item.task, 1, &mut room);
            kept.push(item.task);
        }
    }
    kept.sort_unstable();
    kept
}
