//! How full the fullest cluster is, and how many clusters are used at all: opposite goals; the host picks one.

use std::collections::{BTreeMap, BTreeSet};

use super::{Facts, Measure};
use crate::id::ClusterName;
use crate::placement::in_order::InOrder;
use crate::placement::{Placement, PlacementProblem};
use crate::resources::ResourceName;

/// Parts that a full cluster has.
pub(crate) const FULL: u128 = 10_000;

/// The largest share in use of any limited resource of any cluster on which a service of the problem runs, other work
/// included, in hundredths of a percent, rounded up. A cluster that runs none of them does not count.
#[derive(Debug)]
pub(super) struct Balance;

impl Measure for Balance {
    fn name(&self) -> &str {
        "balance"
    }

    fn of_placement(&self, facts: &Facts<'_>, placement: &Placement) -> Option<i64> {
        let mut used: BTreeMap<(&ClusterName, &ResourceName), u128> = BTreeMap::new();
        let mut services = InOrder::new(&facts.problem.services);
        for (service, assignment) in placement.iter() {
            let Some((_, demand)) = services.get(service) else {
                continue;
            };
            for (cluster, replicas) in assignment.iter() {
                for (resource, amount) in demand.per_replica.iter().filter(|(_, amount)| *amount > 0) {
                    *used.entry((cluster, resource)).or_default() +=
                        u128::from(amount) * u128::from(replicas);
                }
            }
        }
        let mut fullest = 0;
        for ((cluster, resource), used) in used {
            if let Some((taken, whole)) = size(facts.problem, cluster, resource) {
                fullest = fullest.max(used.checked_add(taken)?.checked_mul(FULL)?.div_ceil(whole));
            }
        }
        i64::try_from(fullest).ok()
    }
}

/// What other work holds of a resource of a cluster, and what there is of it in all; `None` where it is not limited or
/// there is none of it.
pub(crate) fn size(
    problem: &PlacementProblem,
    cluster: &ClusterName,
    resource: &ResourceName,
) -> Option<(u128, u128)> {
    let supply = problem.clusters.get(cluster)?;
    let taken = u128::from(supply.taken.amount(resource.as_str()));
    let whole = taken + u128::from(supply.available(resource)?);
    (whole > 0).then_some((taken, whole))
}

/// Clusters on which a service of the problem runs.
#[derive(Debug)]
pub(super) struct Consolidation;

impl Measure for Consolidation {
    fn name(&self) -> &str {
        "consolidation"
    }

    fn of_placement(&self, facts: &Facts<'_>, placement: &Placement) -> Option<i64> {
        let mut services = InOrder::new(&facts.problem.services);
        let placed = placement
            .iter()
            .filter(|(service, _)| services.get(service).is_some());
        let clusters: BTreeSet<&ClusterName> = placed
            .flat_map(|(_, assignment)| assignment.clusters())
            .filter(|cluster| facts.problem.clusters.contains_key(*cluster))
            .collect();
        i64::try_from(clusters.len()).ok()
    }
}
