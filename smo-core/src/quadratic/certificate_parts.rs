//! What is in no tree, as a certificate counts it: whole-number shares, and what a part costs at least with them.
//!
//! Shares nothing with the search.

use serde::{Deserialize, Serialize};

use super::certificate::{SCALE, SHIFT};
use super::group::Group;
use super::problem::{FORBIDDEN, Link, QuadraticProblem};

/// What a share is of, by number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum ShareOf {
    /// A link that is left out of the trees.
    Link(usize),
    /// A group, and links from a task beside it to tasks of the group.
    Group {
        /// The number of the group.
        group: usize,
        /// The task beside it, and the numbers of the links from there.
        beside: Option<(usize, Vec<usize>)>,
    },
}

impl ShareOf {
    /// The tasks that it is about: the ends of a link; the task beside a group, then its own. `None` for unknown numbers.
    pub(super) fn tasks(&self, problem: &QuadraticProblem) -> Option<Vec<usize>> {
        match self {
            Self::Link(link) => problem.links().get(*link).map(|link| vec![link.from, link.to]),
            Self::Group { group, beside } => {
                let group = problem.groups().get(*group)?;
                let beside = beside.iter().map(|(task, _)| *task);
                Some(beside.chain(group.tasks.iter().copied()).collect())
            }
        }
    }

    /// The links that it bears.
    pub(super) fn links(&self) -> &[usize] {
        match self {
            Self::Link(link) => std::slice::from_ref(link),
            Self::Group { beside, .. } => beside.as_ref().map_or(&[], |(_, links)| links),
        }
    }

    /// The number of the group that it is of.
    pub(super) const fn group(&self) -> Option<usize> {
        match self {
            Self::Link(_) => None,
            Self::Group { group, .. } => Some(*group),
        }
    }
}

/// What a link that closes a circle, or a group, bears of the costs of its tasks: so much less costs each of them in its tree.
/// Any shares prove a bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Share {
    /// What bears it.
    pub of: ShareOf,
    /// Task by task (of a link: `from`, then `to`; of a group: the task beside it, then its own) and then by agent, in 2^-40 of the unit of costs; may be below zero.
    pub costs: Vec<i128>,
}

/// Tasks of a group that are counted; a larger one has no share.
const MOST_TASKS: usize = 64;

impl Share {
    /// From shares in floats, a row a task; pairs that are forbidden have none.
    pub(super) fn of<'a>(of: ShareOf, rows: impl Iterator<Item = &'a [f32]>, forbidden: f32) -> Self {
        let whole = |share: &f32| {
            if *share < forbidden {
                (f64::from(*share) * SCALE) as i128
            } else {
                0
            }
        };
        Self {
            of,
            costs: rows.flatten().map(whole).collect(),
        }
    }

    /// The tasks that it is a share of; `None` when it is of no link or group, or not a share for each agent.
    pub(super) fn tasks(&self, problem: &QuadraticProblem) -> Option<Vec<usize>> {
        let tasks = self.of.tasks(problem)?;
        if let ShareOf::Group {
            group,
            beside: Some((beside, links)),
        } = &self.of
        {
            let group = &problem.groups()[*group].tasks;
            let joins = |link: &Link| {
                link.from == *beside && group.contains(&link.to)
                    || link.to == *beside && group.contains(&link.from)
            };
            let known = |link: &usize| problem.links().get(*link).is_some_and(joins);
            if *beside >= problem.tasks() || group.contains(beside) || !links.iter().all(known) {
                return None;
            }
        }
        let fits =
            self.costs.len() == tasks.len().checked_mul(problem.agents())? && tasks.len() <= MOST_TASKS;
        fits.then_some(tasks)
    }

    /// What it bears of these [tasks](Self::tasks) at least, in 2^-40 of the unit of costs; `None` when they can nowhere be, or a sum does
    /// not fit. A group that was `paid` for elsewhere costs nothing.
    pub(super) fn least(&self, problem: &QuadraticProblem, tasks: &[usize], paid: bool) -> Option<i128> {
        let rows = tasks.iter().zip(self.costs.chunks_exact(problem.agents()));
        let rows: Vec<Vec<Option<i128>>> = rows
            .map(|(task, row)| {
                let costs = row.iter().zip(problem.costs(*task));
                costs
                    .map(|(share, cost)| (*cost != FORBIDDEN).then_some(*share))
                    .collect()
            })
            .collect();
        let (number, beside) = match &self.of {
            ShareOf::Link(link) => return link_least(problem, &problem.links()[*link], &rows),
            ShareOf::Group { group, beside } => (*group, beside),
        };
        let group = &problem.groups()[number];
        let free = paid.then(|| group.paid());
        let group = free.as_ref().unwrap_or(group);
        let Some((beside, links)) = beside else {
            return group_least(group, &rows);
        };
        let (mine, rows) = rows.split_first()?;
        let mut least: Option<i128> = None;
        for (agent, cost) in mine.iter().enumerate() {
            let Some(cost) = cost else { continue };
            let mut with = rows.to_vec();
            for link in links {
                add_link(problem, (*link, *beside), agent, &group.tasks, &mut with)?;
            }
            if let Some(here) = group_least(group, &with) {
                let sum = cost.checked_add(here)?;
                least = Some(least.map_or(sum, |least| least.min(sum)));
            }
        }
        least
    }
}

/// Adds what a link costs when the task beside the group is at an agent, to the rows of the group's tasks.
fn add_link(
    problem: &QuadraticProblem,
    (number, beside): (usize, usize),
    agent: usize,
    tasks: &[usize],
    rows: &mut [Vec<Option<i128>>],
) -> Option<()> {
    let link = &problem.links()[number];
    let distance = &problem.distances()[link.distance];
    let forward = link.from == beside;
    let other = if forward { link.to } else { link.from };
    for (_, row) in tasks.iter().zip(rows).filter(|(task, _)| **task == other) {
        for (there, slot) in row.iter_mut().enumerate() {
            let (from, to) = if forward { (agent, there) } else { (there, agent) };
            let far = distance.weighed(link.weight, distance.class_of(from), distance.class_of(to));
            *slot = match (*slot, far) {
                (Some(cost), Some(far)) => Some(cost.checked_add(far.checked_mul(1 << SHIFT)?)?),
                _ => None,
            };
        }
    }
    Some(())
}

fn link_least(problem: &QuadraticProblem, link: &Link, rows: &[Vec<Option<i128>>]) -> Option<i128> {
    let distance = &problem.distances()[link.distance];
    let by_class = |row: &[Option<i128>]| {
        let mut least: Vec<Option<i128>> = vec![None; distance.classes()];
        for (agent, cost) in row.iter().enumerate() {
            let slot = &mut least[distance.class_of(agent)];
            *slot = [*slot, *cost].into_iter().flatten().min();
        }
        least
    };
    let (from, to) = (by_class(&rows[0]), by_class(&rows[1]));
    let mut least: Option<i128> = None;
    for (one, here) in from.iter().enumerate() {
        for (other, there) in to.iter().enumerate() {
            if let (Some(here), Some(there), Some(far)) =
                (here, there, distance.weighed(link.weight, one, other))
            {
                let cost = far
                    .checked_mul(1 << SHIFT)?
                    .checked_add(*here)?
                    .checked_add(*there)?;
                least = Some(least.map_or(cost, |least| least.min(cost)));
            }
        }
    }
    least
}

/// The least over how many tasks each class has. The cheapest tasks of a class are counted, whichever they are elsewhere.
fn group_least(group: &Group, rows: &[Vec<Option<i128>>]) -> Option<i128> {
    let (tasks, classes) = (rows.len(), group.classes());
    let mut sums: Vec<Vec<i128>> = Vec::with_capacity(classes);
    for class in 0..classes {
        let cheapest = |row: &Vec<Option<i128>>| {
            let here = row.iter().zip(&group.class).filter(|(_, other)| **other == class);
            here.filter_map(|(cost, _)| *cost).min()
        };
        let mut costs: Vec<i128> = rows.iter().filter_map(cheapest).collect();
        costs.sort_unstable();
        let mut sum = vec![0_i128];
        for cost in costs {
            sum.push(sum.last()?.checked_add(cost)?);
        }
        sums.push(sum);
    }
    let unit = |count: usize| match (count, group.price) {
        (0, _) => Some(0),
        (_, None) => None,
        (count, Some(price)) => Some((i128::from(price) << SHIFT).saturating_mul(count as i128)),
    };
    let usable = (0..classes)
        .filter(|class| group.usable.get(*class) == Some(&true))
        .count();
    let skew = group.skew.filter(|_| usable > 0);
    let mut least: Option<i128> = None;
    // where the skew counts: the emptiest usable class has at least `low`, the fullest at most `high`
    for low in 0..=skew.map_or(0, |_| tasks / usable) {
        for high in skew.map_or(tasks, |_| low.max(1))..=tasks {
            let Some(uneven) = unit(skew.map_or(0, |skew| (high - low).saturating_sub(skew))) else {
                continue;
            };
            // by number of tasks, then classes used
            let mut known: Vec<Vec<Option<i128>>> = vec![vec![None; tasks + 1]; tasks + 1];
            known[0][0] = Some(0);
            for (class, sums) in sums.iter().enumerate() {
                let from = if skew.is_some() && group.usable.get(class) == Some(&true) {
                    low
                } else {
                    0
                };
                let mut next: Vec<Vec<Option<i128>>> = vec![vec![None; tasks + 1]; tasks + 1];
                for (count, row) in known.iter().enumerate() {
                    for (used, cost) in row.iter().enumerate() {
                        let Some(cost) = cost else { continue };
                        for (more, here) in sums
                            .iter()
                            .enumerate()
                            .take(high.min(tasks - count) + 1)
                            .skip(from)
                        {
                            let slot = &mut next[count + more][used + usize::from(more > 0)];
                            let cost = cost.checked_add(*here)?;
                            *slot = Some(slot.map_or(cost, |least| least.min(cost)));
                        }
                    }
                }
                known = next;
            }
            for (used, cost) in known[tasks].iter().enumerate() {
                if let (Some(cost), Some(broken)) = (cost, unit(group.excess_used(used))) {
                    let cost = cost.checked_add(uneven)?.checked_add(broken)?;
                    least = Some(least.map_or(cost, |least| least.min(cost)));
                }
            }
        }
    }
    least
}
