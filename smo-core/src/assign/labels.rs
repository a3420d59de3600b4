//! The knapsack of several limits to its end: labels of what is taken so far, those that cannot become the best or are
//! dominated dropped.
//!
//! A label dominates another when it has as much left of every limit and is worth as much. See Kellerer, Pferschy, Pisinger,
//! [Knapsack Problems](https://doi.org/10.1007/978-3-540-24777-7), 2004, sections 3.4 and 9.3.

use std::collections::BTreeMap;

use super::knapsack::Item;
use super::scaled::Sack;

/// More limits are not followed by labels.
const MOST_LIMITS: usize = 4;

/// What has been decided, from the last item down.
#[derive(Debug, Clone, Copy)]
struct Label {
    /// Without prices.
    worth: f64,
    /// What is left of the first limit, in cells.
    cells: usize,
    /// By limit.
    left: [u64; MOST_LIMITS],
    /// Its own place among the decisions.
    place: u32,
    /// The decision before this one, and the item it took.
    parent: u32,
    task: u32,
}

/// A knapsack that a filled table bounds from below.
pub(super) struct Labels<'a> {
    pub(super) sack: &'a Sack,
    /// Worth with prices.
    pub(super) items: &'a [Item],
    /// By number of items and cells left: the least that the first items come to, with prices.
    pub(super) layers: &'a [f64],
    pub(super) width: usize,
    /// By limit after the first.
    pub(super) prices: &'a [f64],
    /// More labels at a time are not kept.
    pub(super) most: usize,
}

const NONE: u32 = u32::MAX;

/// The labels became too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany;

impl Labels<'_> {
    /// The tasks worth less than `known` together and what they are worth, given what is left of each limit (and of the
    /// first in cells); `Ok(None)` when there are none, `Err` when that takes too many labels.
    pub(super) fn search(
        &self,
        left: &[u64],
        cells: usize,
        known: f64,
        work: &mut u64,
    ) -> Result<Option<(f64, Vec<u32>)>, TooMany> {
        let mut first = Label {
            worth: 0.0,
            cells,
            left: [0; MOST_LIMITS],
            place: 0,
            parent: NONE,
            task: NONE,
        };
        first
            .left
            .get_mut(..left.len())
            .ok_or(TooMany)?
            .copy_from_slice(left);
        let mut best = (known, NONE);
        let mut decided = vec![first];
        let mut labels = vec![first];
        for at in (0..self.items.len()).rev() {
            let mut next: Vec<Label> = Vec::with_capacity(labels.len() * 2);
            for label in labels {
                if let Some(mut taken) = self.take(&label, at)
                    && self.bound(&taken, at) < best.0
                {
                    taken.place = decided.len() as u32;
                    decided.push(taken);
                    if taken.worth < best.0 {
                        best = (taken.worth, taken.place);
                    }
                    next.push(taken);
                }
                if self.bound(&label, at) < best.0 {
                    next.push(label);
                }
            }
            *work += 32 * next.len() as u64;
            if left.len() == 2 {
                drop_dominated(&mut next);
            }
            labels = next;
            if labels.len() > self.most {
                return Err(TooMany);
            }
        }
        if best.1 == NONE {
            return Ok(None);
        }
        let mut tasks = Vec::new();
        let mut place = best.1;
        while let Some(label) = decided.get(place as usize).filter(|label| label.task != NONE) {
            tasks.push(label.task);
            place = label.parent;
        }
        Ok(Some((best.0, tasks)))
    }

    /// The label with the item taken too, where it fits.
    fn take(&self, label: &Label, at: usize) -> Option<Label> {
        let item = self.items[at];
        let task = item.task as usize;
        let mut left = label.left;
        for (left, limit) in left.iter_mut().zip(&self.sack.limits) {
            *left = left.checked_sub(limit.needs[task])?;
        }
        Some(Label {
            worth: label.worth + item.worth - self.sack.charge(self.prices, task),
            cells: label.cells.checked_sub(item.cells)?,
            left,
            place: NONE,
            parent: label.place,
            task: item.task,
        })
    }

    /// No completion of the label by the first `items` is worth less.
    fn bound(&self, label: &Label, items: usize) -> f64 {
        let left = label.left.iter().skip(1).zip(self.prices);
        let refund: f64 = left.map(|(left, price)| price * *left as f64).sum();
        label.worth + self.layers[items * self.width + label.cells] - refund
    }
}

/// Drops labels that another one dominates, for two limits.
fn drop_dominated(labels: &mut Vec<Label>) {
    labels.sort_unstable_by(|one, other| {
        let by_room = other.left.cmp(&one.left);
        by_room
            .then(one.worth.total_cmp(&other.worth))
            .then(one.place.cmp(&other.place))
    });
    // What is left of the second limit, ascending, with the least worth: more of it comes with less worth, or it would be
    // dominated.
    let mut stairs: BTreeMap<u64, f64> = BTreeMap::new();
    labels.retain(|label| {
        let second = label.left[1];
        let above = stairs.range(second..).next();
        if above.is_some_and(|(_, worth)| *worth <= label.worth) {
            return false;
        }
        while let Some((&key, &worth)) = stairs.range(..=second).next_back() {
            if worth < label.worth {
                break;
            }
            stairs.remove(&key);
        }
        stairs.insert(second, label.worth);
        true
    });
}
