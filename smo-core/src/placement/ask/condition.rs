//! What stands in the way of a placement, one thing at a time, each of which can be taken away.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cluster::{Readiness, TaintEffect, Toleration};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{LinkLimit, PlacementProblem};
use crate::resources::ResourceName;

/// One thing that a placement has to keep.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "condition")]
#[non_exhaustive]
pub enum Condition {
    /// Clusters that are not ready take nothing.
    Readiness,
    /// A cluster that is not ready takes nothing.
    NotReady {
        /// The cluster.
        cluster: ClusterName,
    },
    /// No cluster gives more of a resource than it has.
    Resource {
        /// The resource.
        resource: ResourceName,
    },
    /// A cluster gives no more of a resource than it has.
    Capacity {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
    },
    /// A service runs on the clusters it is pinned to.
    Pin {
        /// The service.
        service: ServiceKey,
    },
    /// A service keeps off the clusters it is excluded from.
    Exclusion {
        /// The service.
        service: ServiceKey,
    },
    /// A service stays in its regions.
    Regions {
        /// The service.
        service: ServiceKey,
    },
    /// A service keeps off taints that it does not tolerate.
    Taints {
        /// The service.
        service: ServiceKey,
    },
    /// The cluster of a service offers what it requires.
    Requirement {
        /// The service.
        service: ServiceKey,
    },
    /// The ends of a link are near one another.
    Link {
        /// The caller.
        from: ServiceKey,
        /// The callee.
        to: ServiceKey,
    },
    /// A service runs.
    Service {
        /// The service.
        service: ServiceKey,
    },
}

impl Condition {
    /// Everything that a placement of the problem has to keep, resources and readiness each as one.
    pub(super) fn all(problem: &PlacementProblem) -> Vec<Self> {
        let mut conditions = Vec::new();
        if problem
            .clusters
            .values()
            .any(|supply| !supply.readiness.is_ready())
        {
            conditions.push(Self::Readiness);
        }
        let running = || problem.services.iter().filter(|(_, demand)| demand.replicas > 0);
        let resources: BTreeSet<&ResourceName> = running()
            .flat_map(|(_, demand)| demand.per_replica.iter())
            .filter(|(_, amount)| *amount > 0)
            .map(|(name, _)| name)
            .collect();
        conditions.extend(resources.into_iter().map(|resource| Self::Resource {
            resource: resource.clone(),
        }));
        for (service, _) in running() {
            conditions.extend(Self::of_service(problem, service));
        }
        conditions.extend(Self::links(problem));
        conditions.extend(running().map(|(service, _)| Self::Service {
            service: service.clone(),
        }));
        conditions
    }

    /// What is asked for one service by itself, that it runs at all aside.
    pub(super) fn of_service(problem: &PlacementProblem, service: &ServiceKey) -> Vec<Self> {
        let Some(demand) = problem.services.get(service) else {
            return Vec::new();
        };
        let service = || service.clone();
        let tainted = problem.clusters.values().flat_map(|supply| &supply.taints);
        let intolerable = tainted
            .filter(|taint| taint.effect != TaintEffect::PreferNoSchedule)
            .any(|taint| !demand.tolerations.iter().any(|known| known.tolerates(taint)));
        let candidates = [
            (demand.pinned.is_some(), Self::Pin { service: service() }),
            (
                !demand.excluded.is_empty(),
                Self::Exclusion { service: service() },
            ),
            (demand.regions.is_some(), Self::Regions { service: service() }),
            (intolerable, Self::Taints { service: service() }),
            (
                !demand.requires.is_empty(),
                Self::Requirement { service: service() },
            ),
        ];
        candidates
            .into_iter()
            .filter(|(there, _)| *there)
            .map(|(_, condition)| condition)
            .collect()
    }

    /// The limited links.
    pub(super) fn links(problem: &PlacementProblem) -> Vec<Self> {
        let mut links: Vec<Self> = Vec::new();
        for link in problem.links.iter().filter(|link| !link.limit.is_none()) {
            let condition = Self::Link {
                from: link.from.clone(),
                to: link.to.clone(),
            };
            if !links.contains(&condition) {
                links.push(condition);
            }
        }
        links
    }

    /// Takes it away.
    pub(super) fn relax(&self, problem: &mut PlacementProblem) {
        match self {
            Self::Readiness => {
                for supply in problem.clusters.values_mut() {
                    supply.readiness = Readiness::Ready;
                }
            }
            Self::NotReady { cluster } => {
                if let Some(supply) = problem.clusters.get_mut(cluster) {
                    supply.readiness = Readiness::Ready;
                }
            }
            Self::Resource { resource } => {
                let clusters: Vec<ClusterName> = problem.clusters.keys().cloned().collect();
                for cluster in clusters {
                    lift(problem, &cluster, resource);
                }
            }
            Self::Capacity { cluster, resource } => lift(problem, cluster, resource),
            Self::Link { from, to } => {
                for link in &mut problem.links {
                    if link.from == *from && link.to == *to {
                        link.limit = LinkLimit::default();
                    }
                }
            }
            Self::Service { service } => problem.remove(service),
            Self::Pin { service } => demand(problem, service, |demand| demand.pinned = None),
            Self::Exclusion { service } => demand(problem, service, |demand| demand.excluded.clear()),
            Self::Regions { service } => demand(problem, service, |demand| demand.regions = None),
            Self::Requirement { service } => demand(problem, service, |demand| demand.requires.clear()),
            Self::Taints { service } => demand(problem, service, |demand| {
                demand.tolerations.push(Toleration {
                    key: None,
                    value: None,
                    effect: None,
                });
            }),
        }
    }

    /// The same problem without these conditions.
    pub(super) fn without<'a>(
        problem: &PlacementProblem,
        conditions: impl IntoIterator<Item = &'a Self>,
    ) -> PlacementProblem {
        let mut relaxed = problem.clone();
        for condition in conditions {
            condition.relax(&mut relaxed);
        }
        relaxed
    }

    /// What it says, in one line.
    #[must_use]
    pub fn describe(&self, problem: &PlacementProblem) -> String {
        let list = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
        match self {
            Self::Readiness => {
                let down = problem
                    .clusters
                    .iter()
                    .filter(|(_, supply)| !supply.readiness.is_ready());
                let names: Vec<&str> = down.map(|(name, _)| name.as_str()).collect();
                let verb = if names.len() == 1 { "is" } else { "are" };
                format!("{} {verb} not ready", shortened(&names))
            }
            Self::NotReady { cluster } => format!("{cluster} is not ready"),
            Self::Resource { resource } => {
                let offers: Vec<String> = problem
                    .clusters
                    .iter()
                    .filter(|(_, supply)| supply.readiness.is_ready())
                    .filter_map(|(name, supply)| Some((name, supply.available(resource)?)))
                    .filter(|(_, amount)| *amount > 0)
                    .map(|(name, amount)| format!("{name} has {}", resource.describe(amount)))
                    .collect();
                if offers.is_empty() {
                    return format!("no cluster that is ready has {resource}");
                }
                let offers: Vec<&str> = offers.iter().map(String::as_str).collect();
                shortened(&offers)
            }
            Self::Capacity { cluster, resource } => {
                let supply = problem.clusters.get(cluster);
                match supply.and_then(|supply| supply.available(resource)) {
                    None | Some(0) => format!("{cluster} has no {resource}"),
                    Some(amount) => format!("{cluster} has {}", resource.describe(amount)),
                }
            }
            Self::Pin { service } => {
                let pinned = problem
                    .services
                    .get(service)
                    .and_then(|demand| demand.pinned.as_ref());
                let names = list(&mut pinned.into_iter().flatten().map(ToString::to_string));
                format!("{} is pinned to {names}", service.service)
            }
            Self::Exclusion { service } => {
                let excluded = problem.services.get(service).map(|demand| &demand.excluded);
                let names = list(&mut excluded.into_iter().flatten().map(ToString::to_string));
                format!("{} is kept off {names}", service.service)
            }
            Self::Regions { service } => {
                let regions = problem
                    .services
                    .get(service)
                    .and_then(|demand| demand.regions.as_ref());
                let names = list(&mut regions.into_iter().flatten().cloned());
                format!("{} may only run in {names}", service.service)
            }
            Self::Taints { service } => {
                let demand = problem.services.get(service);
                let keeps_off = |taint: &&crate::cluster::Taint| {
                    taint.effect != TaintEffect::PreferNoSchedule
                        && demand.is_some_and(|demand| {
                            !demand.tolerations.iter().any(|known| known.tolerates(taint))
                        })
                };
                let taints = problem.clusters.values().flat_map(|supply| &supply.taints);
                let keys: BTreeSet<String> =
                    taints.filter(keeps_off).map(|taint| taint.key.clone()).collect();
                let names = list(&mut keys.into_iter());
                format!("{} does not tolerate the taint {names}", service.service)
            }
            Self::Requirement { service } => {
                let requires = problem.services.get(service).map(|demand| &demand.requires);
                let names = list(&mut requires.into_iter().flatten().map(ToString::to_string));
                format!("{} requires {names}", service.service)
            }
            Self::Link { from, to } => {
                let limits = problem
                    .links
                    .iter()
                    .filter(|link| link.from == *from && link.to == *to)
                    .map(|link| link.limit.to_string());
                let limits: Vec<String> = limits.filter(|limit| !limit.is_empty()).collect();
                format!(
                    "{} -> {} needs {}",
                    from.service,
                    to.service,
                    limits.join(" and ")
                )
            }
            Self::Service { service } => {
                let demand = problem.services.get(service);
                let total = demand.and_then(crate::placement::ServiceDemand::total);
                let total = total.map_or_else(String::new, |total| format!(" and takes {total}"));
                format!("{} runs{total}", service.service)
            }
        }
    }
}

/// A few of many, and how many more.
fn shortened(names: &[&str]) -> String {
    const SPELLED_OUT: usize = 4;
    let mut shown: Vec<String> = names
        .iter()
        .take(SPELLED_OUT)
        .map(|name| (*name).to_owned())
        .collect();
    if names.len() > SPELLED_OUT {
        shown.push(format!("{} more", names.len() - SPELLED_OUT));
    }
    shown.join(", ")
}

fn demand(
    problem: &mut PlacementProblem,
    service: &ServiceKey,
    edit: impl FnOnce(&mut crate::placement::ServiceDemand),
) {
    if let Some(demand) = problem.services.get_mut(service) {
        edit(demand);
    }
}

/// Gives a cluster as much of a resource as all services take together.
fn lift(problem: &mut PlacementProblem, cluster: &ClusterName, resource: &ResourceName) {
    let asked = problem.services.values().map(|demand| {
        let each = demand.per_replica.amount(resource.as_str());
        each.saturating_mul(u64::from(demand.replicas))
    });
    let asked = asked.fold(0, u64::saturating_add);
    if let Some(supply) = problem.clusters.get_mut(cluster)
        && let Some(there) = supply.available(resource)
    {
        supply.capacity.set(resource.clone(), there.max(asked));
    }
}
