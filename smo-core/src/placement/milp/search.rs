//! Tries every combination that the prices of capacity leave, in integers.
//!
//! A placement cheaper than the known one can only deviate so far from the cheapest priced choices: deviations add up, and
//! so does the price of capacity that stays empty. What is left of that budget prunes the search, together with the room
//! that is left on the clusters.

use std::collections::BTreeMap;

use super::component::Part;
use super::prices::Prices;
use super::rows::{Row, rows_that_bind};
use super::run::PAIR;
use crate::placement::grid::{Grid, Layout};
use crate::placement::teller::Teller;

/// What came of the search.
#[derive(Debug)]
pub(super) struct Searched {
    /// The cheapest placement that costs less than the target, if one was found.
    pub(super) found: Option<Vec<usize>>,
    /// True when every combination was tried.
    pub(super) complete: bool,
    /// Combinations that were opened.
    pub(super) nodes: u64,
}

/// Looks for a placement of the open pairs that costs less than `target`, in units; for any where there is no target. Looks
/// at about `effort` pairs at most: a larger part gets fewer nodes. Ends without having tried all when `teller` is told to stop.
pub(super) fn search(
    grid: &Grid<'_>,
    part: &Part,
    prices: &Prices,
    target: Option<i128>,
    effort: u64,
    teller: &mut Teller<'_>,
) -> Searched {
    let deviations: Vec<Vec<i128>> = (0..part.items().len())
        .map(|position| {
            let count = part.domains.get(position).map_or(0, Vec::len);
            (0..count)
                .filter_map(|at| prices.deviation(position, at))
                .collect()
        })
        .collect();
    let mut potential = vec![0_i128; prices.rows().len()];
    for (position, domain) in part.domains.iter().enumerate() {
        for cluster in domain {
            fill(grid, part, prices, position, *cluster, |row, need| {
                if let Some(sum) = potential.get_mut(row) {
                    *sum += need;
                }
            });
        }
    }
    let mut tree = Tree {
        grid,
        part,
        prices,
        deviations,
        layout: Layout::new(grid),
        potential,
        rooms: rows_that_bind(grid, part.items(), &part.domains),
        open: (0..part.items().len()).collect(),
        best: None,
        target,
        nodes: 0,
        seen: BTreeMap::new(),
        most_nodes: effort / (part.variables() as u64).max(1),
        teller,
    };
    let complete = tree.descend(0);
    Searched {
        found: tree.best,
        complete,
        nodes: tree.nodes,
    }
}

/// Calls `each` with every priced row of a cluster and what a service takes of it.
fn fill(
    grid: &Grid<'_>,
    part: &Part,
    prices: &Prices,
    position: usize,
    cluster: usize,
    mut each: impl FnMut(usize, i128),
) {
    let item = part.items().get(position).and_then(|item| grid.items.get(*item));
    for (number, (row, _)) in prices.rows().iter().enumerate() {
        if row.cluster == cluster {
            each(number, i128::from(item.map_or(0, |item| item.need(row.resource))));
        }
    }
}

/// Clusters of one service, each with what choosing it deviates.
type Choices = Vec<(i128, usize)>;

struct Tree<'p, 'g, 'a, 'w> {
    grid: &'g Grid<'a>,
    part: &'p Part,
    prices: &'p Prices,
    /// By position and place in the domain: the priced cost above the cheapest one.
    deviations: Vec<Vec<i128>>,
    layout: Layout<'g, 'a>,
    /// By priced row: what its services and all that are still open and may come could take.
    potential: Vec<i128>,
    /// What can fill up.
    rooms: Vec<Row>,
    /// Positions that are not placed yet.
    open: Vec<usize>,
    best: Option<Vec<usize>>,
    target: Option<i128>,
    nodes: u64,
    most_nodes: u64,
    /// What was spent to reach a state: the same services placed, the same room left.
    seen: BTreeMap<Vec<u64>, i128>,
    teller: &'p mut Teller<'w>,
}

impl Tree<'_, '_, '_, '_> {
    /// What a placement may deviate to be cheaper than the best known one; `None` when nothing is known.
    fn budget(&self) -> Option<i128> {
        self.target
            .map(|target| self.prices.budget(target.saturating_sub(1)))
    }

    /// All that decides how the search goes on: which services are placed, where those with limited links are, and the
    /// room that is left.
    fn state(&self) -> Vec<u64> {
        let place = |item: &usize| match self.layout.cluster_of(*item) {
            None => 0,
            Some(_)
                if self
                    .grid
                    .items
                    .get(*item)
                    .is_none_or(|item| item.peers.is_empty()) =>
            {
                1
            }
            Some(cluster) => cluster as u64 + 2,
        };
        let mut state: Vec<u64> = self.part.items().iter().map(place).collect();
        state.extend(
            self.rooms
                .iter()
                .map(|row| self.layout.left(row.cluster, row.resource)),
        );
        state
    }

    /// The price of capacity that stays empty whatever happens next.
    fn idle(&self) -> i128 {
        let idle = |((row, price), potential): (&(Row, i128), &i128)| {
            price.saturating_mul((i128::from(row.capacity) - potential).max(0))
        };
        self.prices
            .rows()
            .iter()
            .zip(&self.potential)
            .map(idle)
            .fold(0, i128::saturating_add)
    }

    /// False when the limit of nodes was reached, or who watches said to stop.
    fn descend(&mut self, spent: i128) -> bool {
        let node = PAIR * self.part.variables() as u64;
        if self.nodes >= self.most_nodes || !self.teller.took(node) {
            return false;
        }
        self.nodes += 1;
        // The same state for less was followed to its end before, with a budget at least as large.
        let state = self.state();
        if self.seen.get(&state).is_some_and(|before| *before <= spent) {
            return true;
        }
        self.seen.insert(state, spent);
        let Some((position, choices)) = self.next(spent) else {
            return true;
        };
        if choices.is_empty() {
            self.keep();
            return true;
        }
        self.open.retain(|open| *open != position);
        let domain = self.part.domains.get(position).map_or(&[][..], Vec::as_slice);
        let mut complete = true;
        for (deviation, cluster) in choices {
            let leaves = domain
                .iter()
                .copied()
                .filter(|other| *other != cluster)
                .collect::<Vec<_>>();
            self.shift(position, &leaves, -1);
            let item = self.part.items().get(position).copied().unwrap_or(usize::MAX);
            self.layout.put(item, cluster);
            complete = self.descend(spent.saturating_add(deviation));
            self.layout.lift(item);
            self.shift(position, &leaves, 1);
            if !complete {
                break;
            }
        }
        self.open.push(position);
        self.open.sort_unstable();
        complete
    }

    fn shift(&mut self, position: usize, clusters: &[usize], sign: i128) {
        for cluster in clusters {
            let potential = &mut self.potential;
            fill(
                self.grid,
                self.part,
                self.prices,
                position,
                *cluster,
                |row, need| {
                    if let Some(sum) = potential.get_mut(row) {
                        *sum += sign * need;
                    }
                },
            );
        }
    }

    /// The open service with the fewest choices, least deviation first; no choices at all when every service is placed.
    /// `None` when the branch is dead.
    fn next(&self, spent: i128) -> Option<(usize, Choices)> {
        let budget = self.budget();
        let left = budget.map(|budget| budget.saturating_sub(spent).saturating_sub(self.idle()));
        let mut least_sum = 0_i128;
        let mut fewest: Option<(usize, i128, Choices)> = None;
        for &position in &self.open {
            let item = *self.part.items().get(position)?;
            let domain = self.part.domains.get(position)?;
            let mut choices: Choices = self
                .deviations
                .get(position)?
                .iter()
                .zip(domain)
                .filter(|(deviation, cluster)| {
                    left.is_none_or(|left| **deviation <= left) && self.layout.fits(item, **cluster)
                })
                .map(|(deviation, cluster)| (*deviation, *cluster))
                .collect();
            choices.sort_unstable();
            let least = choices.first()?.0;
            least_sum = least_sum.saturating_add(least);
            if fewest
                .as_ref()
                .is_none_or(|(_, _, known)| choices.len() < known.len())
            {
                fewest = Some((position, least, choices));
            }
        }
        if left.is_some_and(|left| least_sum > left) {
            return None;
        }
        let Some((position, least, mut choices)) = fewest else {
            return Some((usize::MAX, Vec::new()));
        };
        // The other services deviate by their least at least.
        if let Some(left) = left {
            choices.retain(|(deviation, _)| (least_sum - least).saturating_add(*deviation) <= left);
        }
        (!choices.is_empty()).then_some((position, choices))
    }

    /// Keeps a complete placement that is cheaper than the best known one.
    fn keep(&mut self) {
        let clusters: Option<Vec<usize>> = self
            .part
            .items()
            .iter()
            .map(|item| self.layout.cluster_of(*item))
            .collect();
        let Some(clusters) = clusters else { return };
        let total = self.part.total(&clusters);
        if total.is_some_and(|total| self.target.is_none_or(|target| total < target)) {
            self.target = total;
            self.best = Some(clusters);
        }
    }
}
