//! Every service on its cheapest cluster: the best placement there can be, where it keeps the rules.

use super::component::Placed;
use crate::placement::grid::{Grid, Layout};

/// Places every service on its cheapest cluster, among equals where it runs, then on the first. `None` where that breaks a
/// rule or nothing runs: then parts are settled one by one.
pub(super) fn cheapest(grid: &Grid<'_>) -> Option<Placed> {
    let mut layout = Layout::new(grid);
    let mut clusters = Vec::with_capacity(grid.items.len());
    let mut sum = 0_i128;
    for (index, item) in grid.items.iter().enumerate() {
        let key = |cluster: &&usize| (item.cost(**cluster), Some(**cluster) != item.home, **cluster);
        let cluster = *item.domain.iter().min_by_key(key)?;
        if !layout.fits(index, cluster) {
            return None;
        }
        layout.put(index, cluster);
        clusters.push(cluster);
        sum = sum.checked_add(item.cost(cluster))?;
    }
    (!clusters.is_empty()).then(|| Placed::cheapest(clusters, sum))
}
