//! Every service runs all its replicas, on one cluster unless it may be split.

use super::Rule;
use crate::placement::in_order::InOrder;
use crate::placement::{Breach, Placement, PlacementProblem};

/// All replicas run, and they share one cluster where they have to. It cannot be softened.
#[derive(Debug, Clone, Copy)]
pub struct Demand;

impl Rule for Demand {
    fn name(&self) -> &str {
        "demand"
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let mut breaches = Vec::new();
        let mut placed_at = placement.in_order();
        for (service, demand) in &problem.services {
            let assignment = placed_at.get(service).map(|(_, assignment)| assignment);
            let placed = assignment.map_or(0, |assignment| {
                assignment.iter().map(|(_, replicas)| u64::from(replicas)).sum()
            });
            if placed != u64::from(demand.replicas) {
                breaches.push(Breach::Replicas {
                    service: service.clone(),
                    placed,
                    wanted: demand.replicas,
                });
            }
            let clusters = assignment.map_or(0, |assignment| assignment.clusters().count());
            if clusters > 1 && !demand.is_split() {
                breaches.push(Breach::Split {
                    service: service.clone(),
                    clusters,
                });
            }
        }
        let mut services = InOrder::new(&problem.services);
        for (service, assignment) in placement.iter() {
            if services.get(service).is_none() {
                breaches.push(Breach::UnknownService {
                    service: service.clone(),
                });
            }
            for cluster in assignment.clusters() {
                if !problem.clusters.contains_key(cluster) {
                    breaches.push(Breach::UnknownCluster {
                        service: service.clone(),
                        cluster: cluster.clone(),
                    });
                }
            }
        }
        breaches
    }
}
