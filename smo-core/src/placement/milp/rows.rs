//! The capacity rows of a part: which can bind, and how tight they are.

use crate::placement::grid::Grid;
use crate::units::gcd;

/// A cluster and a resource that the services could fill up, if all of them that may go there did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cluster: usize,
    pub(super) resource: usize,
    /// What there is, down to the next amount that the services can add up to: a multiple of the greatest common divisor
    /// of what they take.
    pub(super) capacity: u64,
}

/// Every row that can bind.
pub(super) fn rows_that_bind(grid: &Grid<'_>, items: &[usize], domains: &[Vec<usize>]) -> Vec<Row> {
    let resources = grid.resources.len();
    let mut asked = vec![(0_u128, 0_u64); resources.saturating_mul(grid.clusters.len())];
    for (item, domain) in items.iter().zip(domains) {
        let Some(item) = grid.items.get(*item) else {
            continue;
        };
        for cluster in domain {
            let row = asked.iter_mut().skip(cluster.saturating_mul(resources));
            for ((sum, divisor), need) in row.zip(&item.needs) {
                *sum += u128::from(*need);
                *divisor = gcd(*divisor, *need);
            }
        }
    }
    let mut rows = Vec::new();
    for (number, (asked, divisor)) in asked.iter().enumerate() {
        let (cluster, resource) = (number / resources, number % resources);
        let available = grid.available(cluster, resource);
        if let Some(available) = available.filter(|available| *asked > u128::from(*available)) {
            let capacity = available - available % (*divisor).max(1);
            rows.push(Row {
                cluster,
                resource,
                capacity,
            });
        }
    }
    rows
}
