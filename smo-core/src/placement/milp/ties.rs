//! Of equally good placements, the one that people would choose.

use std::cmp::Reverse;

use crate::placement::grid::{Grid, Layout};

/// Rounds over all services; each move makes the placement strictly more pleasant, so few are needed.
const ROUNDS: usize = 3;

/// Moves services between clusters of equal cost: to where they run, then to the services that they are linked with, then
/// to the first cluster. The rules hold before and after.
pub(super) fn settle(grid: &Grid<'_>, chosen: &mut [usize]) {
    let mut layout = Layout::new(grid);
    for (item, cluster) in chosen.iter().enumerate() {
        layout.put(item, *cluster);
    }
    for _ in 0..ROUNDS {
        let mut moved = false;
        for (index, (item, slot)) in grid.items.iter().zip(chosen.iter_mut()).enumerate() {
            let now = *slot;
            layout.lift(index);
            let together = |cluster: usize| {
                let linked = item.neighbours.iter();
                linked
                    .filter(|peer| layout.cluster_of(**peer) == Some(cluster))
                    .count()
            };
            let taste =
                |cluster: &usize| (Some(*cluster) != item.home, Reverse(together(*cluster)), *cluster);
            let equal = |cluster: &usize| {
                *cluster == now || item.cost(*cluster) == item.cost(now) && layout.fits(index, *cluster)
            };
            let next = item
                .domain
                .iter()
                .copied()
                .filter(equal)
                .min_by_key(taste)
                .unwrap_or(now);
            layout.put(index, next);
            moved |= next != now;
            *slot = next;
        }
        if !moved {
            break;
        }
    }
}
