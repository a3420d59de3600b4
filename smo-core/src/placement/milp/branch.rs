//! Branch and bound on knapsack bounds: closes what capacity prices leave open.
//!
//! A node is a part with some choices closed. Its rewards are improved by subgradient steps, choices that cannot be part of
//! a cheaper placement are closed, and the service on which the knapsacks disagree most is tried on each of its clusters.

use super::component::Part;
use super::knapsack::{CLOSED, Filled, Knapsacks, in_units};
use super::prices::Prices;
use crate::placement::grid::Grid;

/// Subgradient steps at the root and below it.
const STEPS: [usize; 2] = [3000, 60];

/// What came of it.
#[derive(Debug)]
pub(super) struct Closed {
    /// A placement cheaper than the known one, if one was found.
    pub(super) found: Option<Vec<usize>>,
    /// No placement costs less than this, in units.
    pub(super) bound: i128,
    /// True when every node was closed: `found`, or else the known placement, is the best.
    pub(super) complete: bool,
    /// Nodes that were opened.
    pub(super) nodes: u64,
    /// By service: the clusters that a cheaper placement may have.
    pub(super) open: Vec<Vec<usize>>,
}

/// Looks for placements of the open pairs cheaper than `target` units, with about `effort` table cells of work; `None`
/// where the part does not fit knapsacks.
pub(super) fn close(
    grid: &Grid<'_>,
    part: &Part,
    prices: &Prices,
    target: Option<i128>,
    effort: u64,
) -> Option<Closed> {
    let knapsacks = Knapsacks::new(grid, part, prices)?;
    let rewards = knapsacks.first_rewards();
    let target = i64::try_from(target.unwrap_or(1 << 40)).ok()?;
    let mut tree = Tree {
        grid,
        part,
        target,
        found: None,
        cells: 0,
        effort,
        nodes: 0,
        root_bound: 0,
        root_open: part.domains.clone(),
        complete: true,
    };
    tree.descend(knapsacks, rewards, 0);
    let bound = if tree.complete {
        tree.target
    } else {
        tree.root_bound.min(tree.target)
    };
    Some(Closed {
        found: tree.found,
        bound: bound.into(),
        complete: tree.complete,
        nodes: tree.nodes,
        open: tree.root_open,
    })
}

#[derive(Debug)]
struct Tree<'a> {
    grid: &'a Grid<'a>,
    part: &'a Part,
    /// A placement has to cost less than this, in units.
    target: i64,
    found: Option<Vec<usize>>,
    cells: u64,
    effort: u64,
    nodes: u64,
    root_bound: i64,
    root_open: Vec<Vec<usize>>,
    complete: bool,
}

impl Tree<'_> {
    fn descend(&mut self, mut knapsacks: Knapsacks, mut rewards: Vec<i64>, depth: usize) {
        if self.cells > self.effort {
            self.complete = false;
            return;
        }
        self.nodes += 1;
        let steps = STEPS[depth.min(1)];
        let mut rounds = 0;
        let filled = loop {
            let filled = self.improve(&knapsacks, &mut rewards, steps);
            if depth == 0 {
                self.root_bound = self.root_bound.max(filled.bound());
            }
            if filled.bound() >= self.target {
                return;
            }
            let Some(closed) = self.close_choices(&mut knapsacks, &filled, &rewards) else {
                return;
            };
            rounds += 1;
            // The tighter knapsacks may give a better bound; worth another look while much was closed.
            if closed * 10 < open_choices(&knapsacks) || rounds > 8 {
                break filled;
            }
        };
        if filled.bound() >= self.target {
            return;
        }
        if depth == 0 {
            self.root_open = knapsacks.costs.iter().map(|row| still_open(row)).collect();
        }
        let forced = knapsacks.forced(&filled, &rewards, &mut self.cells);
        let Some(position) = undecided(&knapsacks, &filled, &forced) else {
            // Every service has one cluster left.
            self.offer(&filled, &knapsacks);
            return;
        };
        let mut choices: Vec<(i64, usize)> = forced
            .get(position)
            .into_iter()
            .flatten()
            .enumerate()
            .filter(|(_, dearer)| **dearer != CLOSED)
            .map(|(cluster, dearer)| (*dearer, cluster))
            .collect();
        choices.sort_unstable();
        for (dearer, cluster) in choices {
            if in_units(filled.scaled.saturating_add(dearer)) >= self.target {
                continue;
            }
            let mut child = knapsacks.clone();
            keep_only(&mut child, position, cluster);
            self.descend(child, rewards.clone(), depth + 1);
        }
    }

    /// Subgradient steps: a service in no knapsack earns more, one in several earns less. Leaves the best rewards.
    fn improve(&mut self, knapsacks: &Knapsacks, rewards: &mut Vec<i64>, steps: usize) -> Filled {
        let mut best = knapsacks.fill(rewards, &mut self.cells);
        self.offer(&best, knapsacks);
        let mut current = rewards.clone();
        let mut filled = best.clone();
        let mut reach = 1.0_f64;
        let mut stale = 0;
        for _ in 0..steps {
            if best.bound() >= self.target || self.cells > self.effort {
                break;
            }
            let norm: i64 = filled
                .holders
                .iter()
                .map(|holders| (1 - holders.len() as i64).pow(2))
                .sum();
            if norm == 0 {
                break;
            }
            let goal = (self
                .target
                .min(in_units(best.scaled).saturating_mul(2).saturating_add(1 << 10))
                << 20) as f64;
            let step = (reach * (goal - filled.scaled as f64) / norm as f64).max(1.0);
            for (reward, holders) in current.iter_mut().zip(&filled.holders) {
                *reward += (step * (1 - holders.len() as i64) as f64) as i64;
            }
            filled = knapsacks.fill(&current, &mut self.cells);
            if filled.scaled > best.scaled {
                if filled.bound() > best.bound() {
                    stale = 0;
                }
                best = filled.clone();
                rewards.clone_from(&current);
                self.offer(&best, knapsacks);
            } else {
                stale += 1;
                if stale > 40 {
                    stale = 0;
                    reach /= 2.0;
                    current.clone_from(rewards);
                    filled = best.clone();
                    if reach < 1e-4 {
                        break;
                    }
                }
            }
        }
        best
    }

    /// Closes choices that no cheaper placement has. Gives how many; `None` when a service has none left.
    fn close_choices(
        &mut self,
        knapsacks: &mut Knapsacks,
        filled: &Filled,
        rewards: &[i64],
    ) -> Option<usize> {
        let forced = knapsacks.forced(filled, rewards, &mut self.cells);
        let mut closed = 0;
        for (row, forced) in knapsacks.costs.iter_mut().zip(&forced) {
            for (cost, dearer) in row.iter_mut().zip(forced) {
                if *cost != CLOSED && in_units(filled.scaled.saturating_add(*dearer)) >= self.target {
                    *cost = CLOSED;
                    closed += 1;
                }
            }
            if row.iter().all(|cost| *cost == CLOSED) {
                return None;
            }
        }
        Some(closed)
    }

    /// Makes a placement of what the knapsacks hold and keeps it if it is cheaper than the target.
    fn offer(&mut self, filled: &Filled, knapsacks: &Knapsacks) {
        let mut room: Vec<i64> = knapsacks
            .capacities
            .iter()
            .map(|capacity| *capacity as i64)
            .collect();
        let mut clusters = vec![usize::MAX; knapsacks.weights.len()];
        let mut order: Vec<usize> = (0..clusters.len()).collect();
        // Services that exactly one knapsack holds keep their place; then the heaviest choose first.
        order.sort_by_key(|position| {
            (
                filled.holders[*position].len() != 1,
                std::cmp::Reverse(knapsacks.weights[*position]),
            )
        });
        for position in order {
            let weight = knapsacks.weights[position] as i64;
            let holders = &filled.holders[position];
            let choice = |cluster: &usize| {
                let cost = knapsacks.costs[position][*cluster];
                (cost != CLOSED && room[*cluster] >= weight).then_some((
                    !holders.contains(cluster),
                    cost,
                    *cluster,
                ))
            };
            let Some((_, _, cluster)) = (0..room.len()).filter_map(|cluster| choice(&cluster)).min() else {
                return;
            };
            room[cluster] -= weight;
            clusters[position] = cluster;
        }
        let total = self
            .part
            .total(&clusters)
            .and_then(|total| i64::try_from(total).ok());
        if let Some(total) = total.filter(|total| *total < self.target)
            && self.part.holds(self.grid, &clusters)
        {
            self.target = total;
            self.found = Some(clusters);
        }
    }
}

fn still_open(row: &[i64]) -> Vec<usize> {
    (0..row.len())
        .filter(|cluster| row.get(*cluster).is_some_and(|cost| *cost != CLOSED))
        .collect()
}

fn open_choices(knapsacks: &Knapsacks) -> usize {
    knapsacks
        .costs
        .iter()
        .flatten()
        .filter(|cost| **cost != CLOSED)
        .count()
}

fn keep_only(knapsacks: &mut Knapsacks, position: usize, cluster: usize) {
    for (other, cost) in knapsacks
        .costs
        .get_mut(position)
        .into_iter()
        .flatten()
        .enumerate()
    {
        if other != cluster {
            *cost = CLOSED;
        }
    }
}

/// The service to branch on: one on which the knapsacks disagree before others, and of those the one whose second choice
/// is dearest, so that few branches stay open.
fn undecided(knapsacks: &Knapsacks, filled: &Filled, forced: &[Vec<i64>]) -> Option<usize> {
    let key = |position: &usize| {
        let mut dearer: Vec<i64> = forced
            .get(*position)?
            .iter()
            .copied()
            .filter(|dearer| *dearer != CLOSED)
            .collect();
        dearer.sort_unstable();
        let second = *dearer.get(1)?;
        let disagree = filled.holders.get(*position)?.len() != 1;
        Some((
            disagree,
            second,
            knapsacks.weights.get(*position)?,
            std::cmp::Reverse(*position),
        ))
    };
    (0..knapsacks.weights.len())
        .filter(|position| key(position).is_some())
        .max_by_key(key)
}
