//! Why a placement is what it is: for every service, what keeps it off every other cluster or what it would change.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::evaluate::Costs;
use super::rules::{first_own_reason, limited_links};
use super::{
    Alternative, Assignment, ClusterUse, Explanation, Placement, PlacementError, PlacementProblem, Reason,
    ServiceDemand, ServiceExplanation, Totals,
};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};

/// Amounts that stop at the end of 64 bits instead of failing: a resource without a limit may be asked for without end.
type Used<'a> = BTreeMap<&'a ResourceName, u64>;

pub(super) fn explain(
    problem: &PlacementProblem,
    placement: &Placement,
) -> Result<Explanation, PlacementError> {
    let costs = Costs::new(problem);
    let mut used: BTreeMap<&ClusterName, Used<'_>> = BTreeMap::new();
    for (service, demand) in &problem.services {
        for (cluster, replicas) in placement.get(service).into_iter().flat_map(Assignment::iter) {
            let of_cluster = used.entry(cluster).or_default();
            for (resource, amount) in demand.per_replica.iter() {
                let sum = of_cluster.entry(resource).or_default();
                *sum = sum.saturating_add(amount.saturating_mul(u64::from(replicas)));
            }
        }
    }
    let mut explanation = Explanation::default();
    let view = View {
        problem,
        placement,
        costs,
        used: &used,
    };
    for (service, demand) in &problem.services {
        explanation
            .services
            .insert(service.clone(), view.service(service, demand)?);
    }
    for cluster in problem.clusters.keys() {
        explanation
            .clusters
            .insert(cluster.clone(), view.cluster(cluster)?);
    }
    Ok(explanation)
}

struct View<'p> {
    problem: &'p PlacementProblem,
    placement: &'p Placement,
    costs: Costs<'p>,
    used: &'p BTreeMap<&'p ClusterName, Used<'p>>,
}

impl View<'_> {
    fn service(
        &self,
        service: &ServiceKey,
        demand: &ServiceDemand,
    ) -> Result<ServiceExplanation, PlacementError> {
        let overflow = || PlacementError::Overflow {
            service: service.clone(),
        };
        let chosen = self.placement.get(service).cloned().unwrap_or_default();
        let here = self.costs.service(service, demand, &chosen)?;
        let mut alternatives = IndexMap::new();
        let others = self
            .problem
            .clusters
            .keys()
            .filter(|cluster| chosen.on(cluster) == 0);
        for cluster in others.filter(|_| demand.replicas > 0) {
            let alternative = if let Some(reason) = self.forbids(service, demand, cluster) {
                Alternative::Forbidden(reason)
            } else {
                let moved = Assignment::single(cluster.clone(), demand.replicas);
                let there = self.costs.service(service, demand, &moved)?;
                let by_goal = there.checked_sub(&here).ok_or_else(overflow)?;
                let difference = self.problem.goals.worth(&by_goal).ok_or_else(overflow)?;
                Alternative::Allowed { difference, by_goal }
            };
            alternatives.insert(cluster.clone(), alternative);
        }
        let allowed = alternatives
            .iter()
            .filter_map(|(cluster, alternative)| match alternative {
                Alternative::Allowed { difference, .. } => Some((*difference, cluster)),
                Alternative::Forbidden(_) => None,
            });
        // `min_by_key` gives the first of equals.
        let runner_up = allowed
            .min_by_key(|(difference, _)| *difference)
            .map(|(_, cluster)| cluster.clone());
        let stays = !chosen.is_empty()
            && self
                .problem
                .current
                .get(service)
                .is_some_and(|now| here.moves == 0 && !now.is_empty());
        Ok(ServiceExplanation {
            chosen,
            stays,
            runner_up,
            alternatives,
        })
    }

    /// The first rule in the way while every other service stays.
    fn forbids(&self, service: &ServiceKey, demand: &ServiceDemand, cluster: &ClusterName) -> Option<Reason> {
        let pair = self.problem.pair(service, cluster)?;
        first_own_reason(&pair)
            .or_else(|| self.too_full(demand, cluster))
            .or_else(|| {
                limited_links(self.problem, service).find_map(|(peer, limit)| {
                    let there = self.placement.get(peer)?;
                    let far = |peer_cluster: &&ClusterName| {
                        !limit.allows(self.problem.network.path(cluster, peer_cluster))
                    };
                    let peer_cluster = there.clusters().find(far)?;
                    Some(Reason::LinkTooLong {
                        peer: peer.clone(),
                        peer_cluster: Some(peer_cluster.clone()),
                        limit,
                        measured: self.problem.network.path(cluster, peer_cluster),
                    })
                })
            })
    }

    fn too_full(&self, demand: &ServiceDemand, cluster: &ClusterName) -> Option<Reason> {
        let supply = self.problem.clusters.get(cluster)?;
        let used = self.used.get(cluster)?;
        demand.per_replica.iter().find_map(|(resource, amount)| {
            let available = u128::from(supply.available(resource)?);
            let asked = u128::from(amount) * u128::from(demand.replicas)
                + u128::from(used.get(resource).copied().unwrap_or(0));
            let missing = asked
                .checked_sub(available)
                .filter(|missing| *missing > 0 && amount > 0)?;
            Some(Reason::Insufficient {
                resource: resource.clone(),
                missing: u64::try_from(missing).unwrap_or(u64::MAX),
            })
        })
    }

    fn cluster(&self, cluster: &ClusterName) -> Result<ClusterUse, PlacementError> {
        let mut services = Vec::new();
        let mut totals = Totals::default();
        for (service, assignment) in self.placement.iter().filter(|(_, there)| there.on(cluster) > 0) {
            let Some(demand) = self.problem.services.get(service) else {
                continue;
            };
            let amounts = self.costs.service(service, demand, assignment)?;
            totals = totals
                .checked_add(&amounts)
                .ok_or_else(|| PlacementError::Overflow {
                    service: service.clone(),
                })?;
            services.push(service.clone());
        }
        let used = self.used.get(cluster).into_iter().flatten();
        let used: Resources = used
            .map(|(resource, amount)| ((*resource).clone(), *amount))
            .collect();
        let capacity = self
            .problem
            .clusters
            .get(cluster)
            .map(|supply| supply.capacity.clone());
        Ok(ClusterUse {
            used,
            capacity: capacity.unwrap_or_default(),
            services,
            totals,
        })
    }
}
