//! Green consolidation: every service, in order, on the greenest cluster that takes it.

use std::cmp::Reverse;

use super::evaluate::Costs;
use super::first_fit::answer;
use super::grid::{Grid, Layout};
use super::{
    Answer, Assignment, PlaceContext, Placement, PlacementError, PlacementProblem, Placer, Work, whole,
};
use crate::id::{ClusterName, ServiceKey};
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
        if problem.is_coupled() {
            let mut work = Work::default();
            let costs = Costs::new(problem);
            let order = |placement: &Placement, service| greenest_first(problem, &costs, placement, service);
            return Ok(answer(whole::fit(problem, order, &mut work), work));
        }
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

/// The open clusters of a service, greenest first, among equals the one with the most cpu in use.
fn greenest_first<'a>(
    problem: &'a PlacementProblem,
    costs: &Costs<'_>,
    placement: &Placement,
    service: &'a ServiceKey,
) -> Vec<&'a ClusterName> {
    let used = |cluster: &ClusterName| {
        let there = |(service, assignment): (&ServiceKey, &Assignment)| {
            let demand = problem.services.get(service)?;
            Some(u128::from(demand.per_replica.cpu().millicores()) * u128::from(assignment.on(cluster)))
        };
        placement.iter().filter_map(there).sum::<u128>()
    };
    let emits = |cluster: &ClusterName| {
        costs
            .carbon_profile(cluster)
            .and_then(|profile| profile.per_core())
    };
    let mut clusters: Vec<_> = problem.open_clusters(service).collect();
    clusters.sort_by_cached_key(|cluster| (emits(cluster), Reverse(used(cluster))));
    clusters
}
