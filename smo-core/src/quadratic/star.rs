//! Groups with a task beside them: links from one task to several of a group, which is how a service talks to the replicas of another.

use std::collections::BTreeMap;

use super::problem::QuadraticProblem;

/// A group of more tasks counts as if it cost nothing.
pub(super) const MANY: usize = 12;

/// A task, and its links to several tasks of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Star {
    pub(super) group: usize,
    pub(super) beside: usize,
    pub(super) links: Vec<usize>,
}

/// The stars of a problem: no link is in two.
///
/// Links alone bound such a task badly: it is a bit of it beside each replica, wherever those spread.
pub(super) fn stars(problem: &QuadraticProblem) -> Vec<Star> {
    let mut group_of: Vec<Option<usize>> = vec![None; problem.tasks()];
    for (number, group) in problem.groups().iter().enumerate() {
        if group.binds() && group.tasks.len() <= MANY {
            for task in &group.tasks {
                group_of[*task] = group_of[*task].or(Some(number));
            }
        }
    }
    let mut found: BTreeMap<(usize, usize), Vec<usize>> = BTreeMap::new();
    for (number, link) in problem.links().iter().enumerate() {
        let (from, to) = (group_of[link.from], group_of[link.to]);
        let star = match (from, to) {
            (from, Some(to)) if from != Some(to) => (to, link.from),
            (Some(from), None) => (from, link.to),
            _ => continue,
        };
        // a task may be in several groups
        if !problem.groups()[star.0].tasks.contains(&star.1) {
            found.entry(star).or_default().push(number);
        }
    }
    let several = found.into_iter().filter(|(_, links)| links.len() > 1);
    several
        .map(|((group, beside), links)| Star { group, beside, links })
        .collect()
}
