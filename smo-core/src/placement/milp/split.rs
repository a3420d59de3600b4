//! Splits a problem into parts that do not touch.

use std::collections::BTreeMap;

use super::component::Part;
use super::rows::{Row, rows_that_bind};
use crate::placement::PlacementError;
use crate::placement::grid::Grid;

impl Part {
    /// The parts of the problem.
    pub(super) fn split(grid: &Grid<'_>) -> Result<Vec<Self>, PlacementError> {
        let mut domains: Vec<Vec<usize>> = grid.items.iter().map(|item| item.domain.clone()).collect();
        keep_linked(grid, &(0..grid.items.len()).collect::<Vec<_>>(), &mut domains);
        let mut groups = Groups::new(grid.items.len());
        for (index, item) in grid.items.iter().enumerate() {
            item.peers.iter().for_each(|(peer, _)| groups.join(index, *peer));
        }
        let all: Vec<usize> = (0..grid.items.len()).collect();
        for Row {
            cluster, resource, ..
        } in rows_that_bind(grid, &all, &domains)
        {
            let users = all.iter().copied().filter(|item| {
                let open = domains.get(*item).is_some_and(|domain| domain.contains(&cluster));
                open && grid.items.get(*item).is_some_and(|item| item.need(resource) > 0)
            });
            let users: Vec<usize> = users.collect();
            if let Some((first, rest)) = users.split_first() {
                rest.iter().for_each(|other| groups.join(*first, *other));
            }
        }
        groups
            .lists()
            .into_iter()
            .map(|items| Self::new(grid, items, &domains))
            .collect()
    }
}

/// Closes every cluster from which a limited link reaches no open cluster of the other service, until nothing changes.
/// `domains` is by number of service.
pub(super) fn keep_linked(grid: &Grid<'_>, items: &[usize], domains: &mut [Vec<usize>]) {
    let mut changed = true;
    while std::mem::take(&mut changed) {
        for index in items {
            let Some(item) = grid.items.get(*index) else {
                continue;
            };
            for &(peer, limit) in &item.peers {
                let reached = domains.get(peer).cloned().unwrap_or_default();
                let Some(domain) = domains.get_mut(*index) else {
                    continue;
                };
                let before = domain.len();
                domain.retain(|from| {
                    reached.binary_search(from).is_ok() && grid.near(limit, *from, *from)
                        || reached.iter().any(|to| grid.near(limit, *from, *to))
                });
                changed |= domain.len() < before;
            }
        }
    }
}

/// Disjoint sets of services.
struct Groups(Vec<usize>);

impl Groups {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&self, mut item: usize) -> usize {
        while let Some(&parent) = self.0.get(item).filter(|parent| **parent != item) {
            item = parent;
        }
        item
    }

    /// Joins two sets under the earlier service.
    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.root(one), self.root(other));
        if let Some(slot) = self.0.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }

    fn lists(&self) -> Vec<Vec<usize>> {
        let mut lists = BTreeMap::<usize, Vec<usize>>::new();
        for item in 0..self.0.len() {
            lists.entry(self.root(item)).or_default().push(item);
        }
        lists.into_values().collect()
    }
}
