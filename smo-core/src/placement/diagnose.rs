//! Looks for the reason why no placement was found: first per service, then per resource, then for a small set of services
//! that do not fit together.

use std::collections::{BTreeMap, BTreeSet};

use super::decide::is_infeasible;
use super::rules::{Capacity, Rule, every_reason, first_reason};
use super::{
    AutoPlacer, Diagnosis, FleetPlacer, Hint, MilpPlacer, PlacementError, PlacementProblem, Reason,
    ServiceDemand, ServiceDiagnosis, Shortage, Work,
};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;

/// More services than this are not searched for a conflicting set: each takes one call of the solver.
const MOST_SERVICES: usize = 40;

/// How many hints one service may give.
const HINTS_PER_SERVICE: usize = 3;

pub(super) fn diagnose(
    placer: &str,
    problem: &PlacementProblem,
    (claimed, work): (bool, Work),
) -> Result<Diagnosis, PlacementError> {
    let mut diagnosis = Diagnosis {
        placer: placer.to_owned(),
        proved: false,
        clusters: problem.clusters.len(),
        services: problem
            .services
            .iter()
            .filter_map(|entry| unplaceable(problem, entry))
            .collect(),
        shortages: shortages(problem),
        conflict: Vec::new(),
        hints: Vec::new(),
        work,
    };
    // Both are arguments in integers that need no placer. Beyond them a claim is only repeated once our own model agrees.
    diagnosis.proved = !diagnosis.services.is_empty() || !diagnosis.shortages.is_empty();
    if !diagnosis.proved && claimed {
        diagnosis.proved = is_infeasible(problem)?;
        if diagnosis.proved && problem.services.len() <= MOST_SERVICES {
            diagnosis.conflict = smallest_conflict(problem)?;
        }
    }
    hints(problem, &mut diagnosis);
    Ok(diagnosis)
}

/// The reasons of every cluster, when each has one.
fn unplaceable(
    problem: &PlacementProblem,
    (service, demand): (&ServiceKey, &ServiceDemand),
) -> Option<(ServiceKey, ServiceDiagnosis)> {
    let reason = |cluster: &ClusterName| {
        let pair = problem.pair(service, cluster)?;
        Some((cluster.clone(), first_reason(&pair)?))
    };
    let reasons = problem.clusters.keys().map(reason).collect::<Option<_>>()?;
    (demand.replicas > 0).then(|| (service.clone(), ServiceDiagnosis { reasons }))
}

/// For every resource, the fewest services found that ask together for more than the clusters open to them have. The sets
/// looked at are those of services whose open clusters lie within the open clusters of one service, and of all services.
fn shortages(problem: &PlacementProblem) -> Vec<Shortage> {
    if problem.soft.contains_key(Capacity.name()) {
        return Vec::new();
    }
    let running = problem.services.iter().filter(|(_, demand)| demand.replicas > 0);
    let open: Vec<(&ServiceKey, &ServiceDemand, BTreeSet<&ClusterName>)> = running
        .map(|(service, demand)| (service, demand, problem.open_clusters(service).collect()))
        .filter(|(_, _, clusters): &(_, _, BTreeSet<_>)| !clusters.is_empty())
        .collect();
    let mut sets: BTreeSet<BTreeSet<&ClusterName>> = open.iter().map(|(_, _, set)| set.clone()).collect();
    sets.insert(open.iter().flat_map(|(_, _, set)| set.iter().copied()).collect());
    let resources: BTreeSet<&ResourceName> = open
        .iter()
        .flat_map(|(_, demand, _)| demand.per_replica.iter().map(|(name, _)| name))
        .collect();
    let mut found = Vec::new();
    for resource in resources {
        let of_set = |set: &BTreeSet<&ClusterName>| {
            let mut available = 0_u128;
            for cluster in set {
                available += u128::from(problem.clusters.get(*cluster)?.available(resource)?);
            }
            let need = |demand: &ServiceDemand| {
                u128::from(demand.per_replica.amount(resource.as_str())) * u128::from(demand.replicas)
            };
            let asking: Vec<_> = open
                .iter()
                .filter(|(_, demand, clusters)| need(demand) > 0 && clusters.is_subset(set))
                .collect();
            let demanded: u128 = asking.iter().map(|(_, demand, _)| need(demand)).sum();
            (demanded > available).then(|| Shortage {
                resource: resource.clone(),
                demanded: u64::try_from(demanded).unwrap_or(u64::MAX),
                available: u64::try_from(available).unwrap_or(u64::MAX),
                services: asking.iter().map(|(service, _, _)| (*service).clone()).collect(),
            })
        };
        found.extend(
            sets.iter()
                .filter_map(of_set)
                .min_by_key(|shortage| shortage.services.len()),
        );
    }
    found
}

/// Services that cannot be placed together although any one of them fewer could: every service is left out in turn, and
/// stays out where the rest is still infeasible.
fn smallest_conflict(problem: &PlacementProblem) -> Result<Vec<ServiceKey>, PlacementError> {
    let mut rest = problem.clone();
    for service in problem.services.keys() {
        let without = rest.without(service);
        if is_infeasible(&without)? {
            rest = without;
        }
    }
    Ok(rest.services.into_keys().collect())
}

fn hints(problem: &PlacementProblem, diagnosis: &mut Diagnosis) {
    let mut hints: Vec<String> = Vec::new();
    if problem.clusters.is_empty() {
        hints.push("add a cluster: the fleet has none".to_owned());
    }
    for service in diagnosis.services.keys() {
        hints.extend(for_service(problem, service));
    }
    for shortage in &diagnosis.shortages {
        let missing = shortage
            .resource
            .describe(shortage.demanded - shortage.available.min(shortage.demanded));
        hints.push(format!(
            "add {missing} to the clusters that may take {}",
            names(&shortage.services)
        ));
    }
    if !diagnosis.conflict.is_empty() {
        hints.push(format!(
            "make room for one of {} on another cluster, or add one",
            names(&diagnosis.conflict)
        ));
    }
    if !diagnosis.proved {
        let placer = &diagnosis.placer;
        let exact = [MilpPlacer::NAME, AutoPlacer::NAME, FleetPlacer::NAME];
        hints.push(if exact.contains(&placer.as_str()) {
            format!(
                "{placer} reached its limits: give it more search effort, more variables, or another solver"
            )
        } else {
            format!(
                "{placer} gave up: the {} placer may find a placement",
                MilpPlacer::NAME
            )
        });
    }
    let mut seen = BTreeSet::new();
    diagnosis.hints = hints
        .into_iter()
        .filter(|hint| seen.insert(hint.clone()))
        .map(Hint)
        .collect();
}

/// What would open one cluster, where a single thing is in the way; the least missing first.
fn for_service(problem: &PlacementProblem, service: &ServiceKey) -> Vec<String> {
    let mut found: BTreeMap<(u8, u64, usize), String> = BTreeMap::new();
    for (place, cluster) in problem.clusters.keys().enumerate() {
        let Some(pair) = problem.pair(service, cluster) else {
            continue;
        };
        let reasons = every_reason(&pair);
        let ([reason] | [reason, Reason::NotOffered { .. }]) = reasons.as_slice() else {
            continue;
        };
        // A required accelerator that is also counted is one thing, said twice.
        if reasons.len() == 2 && reasons.first() != reasons.last() {
            continue;
        }
        let id = &service.service;
        let (rank, amount, text) = match reason {
            Reason::NotReady { .. } => (0, 0, format!("make {cluster} ready")),
            Reason::Insufficient { resource, missing } => (
                1,
                *missing,
                format!("free {} on {cluster} for {id}", resource.describe(*missing)),
            ),
            Reason::NotOffered { resource } => {
                let needed = pair.demand.per_replica.amount(resource.as_str());
                let needed = needed.saturating_mul(u64::from(pair.demand.replicas)).max(1);
                (
                    2,
                    needed,
                    format!("add {} to {cluster} for {id}", resource.describe(needed)),
                )
            }
            Reason::LinkTooLong {
                peer,
                limit,
                measured,
                ..
            } => {
                let Some(relaxed) = limit.relaxed_to(*measured) else {
                    continue;
                };
                // Both ends find the same link; named in one order it is one hint.
                let (one, other) = if *id <= peer.service {
                    (id, &peer.service)
                } else {
                    (&peer.service, id)
                };
                (
                    3,
                    0,
                    format!("relax the link between {one} and {other} to {relaxed}"),
                )
            }
            Reason::Tainted { taint } => (
                4,
                0,
                format!("let {id} tolerate the taint {} of {cluster}", taint.key),
            ),
            Reason::PinnedElsewhere
            | Reason::Excluded
            | Reason::ForbiddenRegion { .. }
            | Reason::Final
            | Reason::Custom { .. } => (5, 0, format!("allow {id} on {cluster}")),
            Reason::Label { requirement } => (
                5,
                1,
                format!("label {cluster} so that {requirement} holds for {id}"),
            ),
            Reason::NoDomain { key } => (4, 1, format!("say in which {key} {cluster} is")),
            Reason::Breaks { .. } => continue,
        };
        found.insert((rank, amount, place), text);
    }
    found.into_values().take(HINTS_PER_SERVICE).collect()
}

/// Service ids in a sentence, the first few of many.
pub(super) fn names(services: &[ServiceKey]) -> String {
    const MOST: usize = 6;
    let mut ids: Vec<String> = services
        .iter()
        .take(MOST)
        .map(|key| key.service.to_string())
        .collect();
    if services.len() > MOST {
        ids.push(format!("{} more", services.len() - MOST));
    }
    ids.join(", ")
}
