//! From graphs, a fleet and what runs now to a placement problem.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{
    Assignment, ClusterSupply, Goals, LinkDemand, LinkLimit, Placement, PlacementError, PlacementProblem,
    ServiceDemand,
};
use crate::cluster::{Cluster, Inventory};
use crate::id::{ClusterName, GraphKey};
use crate::intent::Requirements;
use crate::resources::{ResourceName, Resources};

impl PlacementProblem {
    /// The question where the services of `graphs` should run, given the fleet and where they run now.
    ///
    /// - The capacity of a cluster is what is free there *plus* what the services being decided hold there now, at most
    ///   what it offers: what a service holds is not counted against itself. Cpu and memory that a cluster does not report
    ///   are 0; other resources that it does not report are not limited, except extended ones such as GPUs, of which
    ///   there are none.
    /// - A graph with static placement is left out: its charts decide.
    /// - A service that runs with more replicas than its graph asks for keeps them.
    /// - A graph whose placement is final keeps every service where it runs, unless its cluster is not ready.
    /// - `current` may have services of other graphs; they are left out.
    ///
    /// # Errors
    /// [`PlacementError::Overflow`] when a demand does not fit 64 bits, and [`PlacementError::InvalidProblem`] when a
    /// graph is given twice.
    pub fn pose(
        inventory: &Inventory,
        graphs: &[(GraphKey, &Requirements)],
        current: &Placement,
        goals: Goals,
    ) -> Result<Self, PlacementError> {
        let mut problem = Self {
            network: inventory.network.clone(),
            goals,
            ..Self::default()
        };
        let mut held: IndexMap<&ClusterName, Resources> = IndexMap::new();
        for (graph, requirements) in graphs.iter().filter(|(_, graph)| !graph.static_placement) {
            for (id, service) in &requirements.services {
                let key = graph.service(id.clone());
                let running = current.get(&key);
                let mut demand = ServiceDemand {
                    // Whoever scaled a service up owns that: it moves with all its replicas.
                    replicas: running.map_or(0, Assignment::replicas).max(service.replicas),
                    per_replica: service.per_replica.clone(),
                    requires: service.requires.clone(),
                    pinned: service.pinned.clone(),
                    ..ServiceDemand::default()
                };
                let overflow = || PlacementError::Overflow { service: key.clone() };
                demand.total().ok_or_else(overflow)?;
                if let Some(now) = running {
                    for (cluster, replicas) in now.iter() {
                        let there = demand.per_replica.checked_mul(replicas).ok_or_else(overflow)?;
                        let sum = held.entry(cluster).or_default();
                        *sum = sum.checked_add(&there).ok_or_else(overflow)?;
                    }
                    if requirements.final_placement {
                        demand.pinned = stays(inventory, now).or(demand.pinned);
                    }
                    problem.current.set(key.clone(), now.clone());
                }
                if problem.services.insert(key, demand).is_some() {
                    let twice = format!("graph {graph} is given twice");
                    return Err(PlacementError::InvalidProblem(twice));
                }
            }
            problem.links.extend(links(graph, requirements));
        }
        for cluster in inventory.clusters.values() {
            let held = held.get(&cluster.name).cloned().unwrap_or_default();
            problem
                .clusters
                .insert(cluster.name.clone(), supply(cluster, &held));
        }
        Ok(problem)
    }
}

/// The clusters of a service whose placement is final, if all of them can still take work.
fn stays(inventory: &Inventory, now: &Assignment) -> Option<BTreeSet<ClusterName>> {
    let ready = |name: &ClusterName| {
        inventory
            .cluster(name.as_str())
            .is_some_and(|cluster| cluster.readiness.is_ready())
    };
    now.clusters()
        .all(ready)
        .then(|| now.clusters().cloned().collect())
}

fn links<'a>(
    graph: &'a GraphKey,
    requirements: &'a Requirements,
) -> impl Iterator<Item = LinkDemand> + use<'a> {
    requirements.links.iter().map(|link| LinkDemand {
        from: graph.service(link.from.clone()),
        to: graph.service(link.to.clone()),
        limit: LinkLimit {
            rtt_below: link.rtt_below,
            max_hops: link.max_hops,
        },
    })
}

fn supply(cluster: &Cluster, held: &Resources) -> ClusterSupply {
    let mut capacity = Resources::new()
        .with(ResourceName::CPU, 0)
        .with(ResourceName::MEMORY, 0);
    for (resource, allocatable) in cluster.allocatable.iter() {
        // An extended resource of which a cluster reports 0 is one that it does not have.
        if resource.is_extended() && allocatable == 0 {
            continue;
        }
        let free = allocatable.saturating_sub(cluster.allocated.amount(resource.as_str()));
        let with_held = free.saturating_add(held.amount(resource.as_str()));
        capacity.set(resource.clone(), with_held.min(allocatable));
    }
    ClusterSupply {
        readiness: cluster.readiness.clone(),
        capacity,
        region: cluster.region.clone(),
        provider: cluster.provider.clone(),
        labels: cluster.labels.clone(),
        taints: cluster.taints.clone(),
        price: cluster.price.clone(),
        carbon: cluster.carbon,
    }
}
