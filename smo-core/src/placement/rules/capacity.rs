//! What the services of a cluster take together fits what the cluster has, resource by resource. Softly: points for a
//! millicore, a MiB or a piece too much.

use std::collections::BTreeMap;

use super::{InUse, Pair, Rule, in_use};
use crate::placement::{Breach, Placement, PlacementProblem, Reason};
use crate::resources::ResourceName;

/// No resource is taken more than there is.
#[derive(Debug, Clone, Copy)]
pub struct Capacity;

impl Rule for Capacity {
    fn name(&self) -> &str {
        "capacity"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        shortfalls(pair).next()
    }

    fn couples(&self, _: &PlacementProblem) -> bool {
        true
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let mut taken: BTreeMap<(usize, &ResourceName), u128> = BTreeMap::new();
        for InUse {
            pair,
            number,
            replicas,
        } in in_use(problem, placement)
        {
            for (resource, amount) in pair.demand.per_replica.iter() {
                // 2^64 times 2^32 leaves room for 2^32 services.
                *taken.entry((number, resource)).or_default() += u128::from(amount) * u128::from(replicas);
            }
        }
        let mut breaches = Vec::new();
        for ((number, resource), demanded) in taken {
            let Some((cluster, supply)) = problem.clusters.get_index(number) else {
                continue;
            };
            let capacity = supply.available(resource);
            if let Some(capacity) = capacity.filter(|capacity| demanded > u128::from(*capacity)) {
                breaches.push(Breach::Overcommitted {
                    cluster: cluster.clone(),
                    resource: resource.clone(),
                    demanded,
                    capacity,
                });
            }
        }
        breaches
    }
}

/// Every resource of which the cluster has too little for the service, by name: for one replica of a service that may be
/// split, else for all.
pub(crate) fn shortfalls<'a>(pair: &Pair<'a>) -> impl Iterator<Item = Reason> + use<'a> {
    let Pair { demand, supply, .. } = *pair;
    demand.per_replica.iter().filter_map(move |(resource, amount)| {
        let demanded = u128::from(amount) * u128::from(demand.least_replicas());
        let missing = demanded.checked_sub(u128::from(supply.available(resource)?))?;
        if missing == 0 {
            return None;
        }
        let resource = resource.clone();
        Some(if supply.capacity.listed(resource.as_str()).is_some() {
            let missing = u64::try_from(missing).unwrap_or(u64::MAX);
            Reason::Insufficient { resource, missing }
        } else {
            Reason::NotOffered { resource }
        })
    })
}
