//! Green consolidation: every service, in order, on the greenest cluster that takes it.

use std::cmp::Reverse;

use super::evaluate::Costs;
use super::first_fit::answer;
use super::grid::{Grid, Layout};
use super::{Answer, PlaceContext, PlacementError, Placer, Work};
use crate::resources::ResourceName;

/// Puts every service, in the order of the problem, on the cluster with the lowest emissions per core that still takes
/// it; among equals on the one with the most cpu in use, so that others can stay empty. Without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GreenConsolidation;

impl Placer for GreenConsolidation {
    fn name(&self) -> &str {
        "green consolidation"
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        let problem = context.problem;
        let grid = Grid::new(problem)?;
        let costs = Costs::new(problem);
        let emissions: Vec<_> = grid
            .clusters
            .iter()
            .map(|cluster| {
                costs
                    .carbon_profile(cluster)
                    .and_then(|profile| profile.per_core())
            })
            .collect();
        let cpu = grid
            .resources
            .iter()
            .position(|name| name.as_str() == ResourceName::CPU);
        let mut used = vec![0_u64; grid.clusters.len()];
        let mut layout = Layout::new(&grid);
        let mut work = Work::default();
        for (index, item) in grid.items.iter().enumerate() {
            work.pairs += item.domain.len() as u64;
            let greenest = item
                .domain
                .iter()
                .copied()
                .filter(|cluster| layout.fits(index, *cluster))
                .min_by_key(|cluster| (emissions.get(*cluster), Reverse(used.get(*cluster).copied())));
            let Some(cluster) = greenest else {
                return Ok(answer(None, work));
            };
            layout.put(index, cluster);
            if let (Some(cpu), Some(used)) = (cpu, used.get_mut(cluster)) {
                *used = used.saturating_add(item.need(cpu));
            }
        }
        let placement = layout.complete().and_then(|chosen| grid.placement(&chosen));
        Ok(answer(placement, work))
    }
}
