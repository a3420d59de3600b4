//! Splits a problem into parts that do not touch.

use indexmap::IndexMap;
use petgraph::unionfind::UnionFind;

use super::component::Part;
use super::rows::{Row, rows_that_bind};
use crate::placement::PlacementError;
use crate::placement::grid::Grid;

impl Part {
    /// The parts of the problem.
    pub(super) fn split(grid: &Grid<'_>) -> Result<Vec<Self>, PlacementError> {
        let mut domains: Vec<Vec<usize>> = grid.items.iter().map(|item| item.domain.clone()).collect();
        keep_linked(grid, &(0..grid.items.len()).collect::<Vec<_>>(), &mut domains);
        let mut sets = UnionFind::new(grid.items.len());
        for (index, item) in grid.items.iter().enumerate() {
            for (peer, _) in &item.peers {
                sets.union(index, *peer);
            }
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
                for other in rest {
                    sets.union(*first, *other);
                }
            }
        }
        lists(sets)
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

/// The sets, each in order, by their first services.
fn lists(sets: UnionFind<usize>) -> Vec<Vec<usize>> {
    let mut lists = IndexMap::<usize, Vec<usize>>::new();
    for (item, set) in sets.into_labeling().into_iter().enumerate() {
        lists.entry(set).or_default().push(item);
    }
    lists.into_values().collect()
}
