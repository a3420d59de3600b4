//! What stands in the way of a placement, one thing at a time, each of which can be taken away.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cluster::{Path, Readiness, TaintEffect, Toleration};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{DomainKey, Goal, LinkLimit, PlacementProblem, Spread};
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
    /// The labels of its clusters are as a service requires.
    Labels {
        /// The service.
        service: ServiceKey,
    },
    /// The replicas of a service spread.
    Spread {
        /// The service.
        service: ServiceKey,
    },
    /// A service survives the loss of a domain.
    HighAvailability {
        /// The service.
        service: ServiceKey,
    },
    /// A service stays where it is.
    Final {
        /// The service.
        service: ServiceKey,
    },
    /// Services share their clusters.
    CoLocation {
        /// Its place among the groups of the problem.
        group: usize,
        /// The services.
        services: BTreeSet<ServiceKey>,
    },
    /// Services keep apart.
    AntiAffinity {
        /// Its place among the groups of the problem.
        group: usize,
        /// The services.
        services: BTreeSet<ServiceKey>,
        /// What makes a domain.
        key: DomainKey,
    },
    /// No more of a goal is spent, emitted or moved than allowed.
    Budget {
        /// The goal.
        goal: Goal,
    },
    /// The network between clusters carries no more than it can.
    Bandwidth,
    /// A rule of the host is kept.
    Custom {
        /// Its name.
        rule: String,
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
        conditions.extend(Self::of_several(problem));
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
            (!demand.labels.is_empty(), Self::Labels { service: service() }),
            (
                demand.spread.iter().any(|spread| spread.price.is_none()),
                Self::Spread { service: service() },
            ),
            (
                demand
                    .high_availability
                    .as_ref()
                    .is_some_and(|wanted| wanted.price.is_none()),
                Self::HighAvailability { service: service() },
            ),
            (demand.final_placement, Self::Final { service: service() }),
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

    /// What several services have to keep together, links aside.
    fn of_several(problem: &PlacementProblem) -> Vec<Self> {
        let sharing = problem.co_location.iter().enumerate();
        let sharing = sharing.filter(|(_, group)| group.price.is_none());
        let apart = problem.anti_affinity.iter().enumerate();
        let apart = apart.filter(|(_, group)| group.price.is_none());
        let budgets = problem.budgets.iter().filter(|budget| budget.price.is_none());
        let mut found: Vec<Self> = sharing
            .map(|(number, group)| Self::CoLocation {
                group: number,
                services: group.services.clone(),
            })
            .collect();
        found.extend(apart.map(|(number, group)| Self::AntiAffinity {
            group: number,
            services: group.services.clone(),
            key: group.key.clone(),
        }));
        let goals: BTreeSet<Goal> = budgets.map(|budget| budget.goal).collect();
        found.extend(goals.into_iter().map(|goal| Self::Budget { goal }));
        if problem
            .network
            .iter()
            .any(|(_, _, path)| path.bandwidth.is_some())
        {
            found.push(Self::Bandwidth);
        }
        let rules = problem.rules.iter().map(|rule| rule.get().name().to_owned());
        found.extend(rules.map(|rule| Self::Custom { rule }));
        found
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
            Self::Labels { service } => demand(problem, service, |demand| demand.labels.clear()),
            Self::Spread { service } => demand(problem, service, |demand| {
                demand.spread.retain(|spread| spread.price.is_some());
            }),
            Self::HighAvailability { service } => {
                demand(problem, service, |demand| demand.high_availability = None);
            }
            Self::Final { service } => demand(problem, service, |demand| demand.final_placement = false),
            // Emptied and not removed: the others keep their places.
            Self::CoLocation { group, .. } => {
                if let Some(group) = problem.co_location.get_mut(*group) {
                    group.services.clear();
                }
            }
            Self::AntiAffinity { group, .. } => {
                if let Some(group) = problem.anti_affinity.get_mut(*group) {
                    group.services.clear();
                }
            }
            Self::Budget { goal } => problem
                .budgets
                .retain(|budget| budget.price.is_some() || budget.goal != *goal),
            Self::Bandwidth => {
                let measured = problem.network.iter();
                let unlimited: Vec<_> = measured
                    .map(|(a, b, path)| {
                        let path = Path {
                            bandwidth: None,
                            ..path
                        };
                        (a.clone(), b.clone(), path)
                    })
                    .collect();
                for (a, b, path) in unlimited {
                    problem.network.measure(a, b, path);
                }
            }
            Self::Custom { rule } => problem.rules.retain(|known| known.get().name() != rule),
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
            Self::Labels { service } => {
                let labels = problem.services.get(service).map(|demand| &demand.labels);
                let labels = list(&mut labels.into_iter().flatten().map(ToString::to_string));
                format!("{} needs clusters with the labels {labels}", service.service)
            }
            Self::Spread { service } => {
                let spread = problem.services.get(service).map(|demand| &demand.spread);
                let hard = spread
                    .into_iter()
                    .flatten()
                    .filter(|spread| spread.price.is_none());
                let said = list(&mut hard.map(described));
                format!("{} spreads over {said}", service.service)
            }
            Self::HighAvailability { service } => {
                let wanted = problem.services.get(service);
                let wanted = wanted.and_then(|demand| demand.high_availability.as_ref());
                let key = wanted.map(|wanted| wanted.key.to_string()).unwrap_or_default();
                format!("{} survives the loss of a {key}", service.service)
            }
            Self::Final { service } => format!("the placement of {} is final", service.service),
            Self::CoLocation { services, .. } => {
                let names = list(&mut services.iter().map(|key| key.service.to_string()));
                format!("{names} share their clusters")
            }
            Self::AntiAffinity { services, key, .. } => {
                let names = list(&mut services.iter().map(|key| key.service.to_string()));
                format!("of {names} no two share a {key}")
            }
            Self::Budget { goal } => {
                let budgets = problem.budgets.iter().filter(|budget| budget.goal == *goal);
                let least = budgets.map(|budget| budget.at_most).min().unwrap_or(0);
                format!("at most {}", goal.describe(least))
            }
            Self::Bandwidth => "the network between clusters carries what it can".to_owned(),
            Self::Custom { rule } => format!("the rule {rule} is kept"),
            Self::Service { service } => {
                let demand = problem.services.get(service);
                let total = demand.and_then(crate::placement::ServiceDemand::total);
                let total = total.map_or_else(String::new, |total| format!(" and takes {total}"));
                format!("{} runs{total}", service.service)
            }
        }
    }
}

/// `zones, at least 2`
fn described(spread: &Spread) -> String {
    let parts = [
        spread.min_groups.map(|least| format!("at least {least}")),
        spread.max_groups.map(|most| format!("at most {most}")),
        spread
            .max_skew
            .map(|skew| format!("with a skew of at most {skew}")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("{}s ({})", spread.key, parts.join(", "))
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
