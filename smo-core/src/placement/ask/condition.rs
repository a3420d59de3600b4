//! What stands in the way of a placement, one thing at a time, each of which can be taken away.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cluster::{Path, Readiness, TaintEffect, Toleration};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::{
    Available, Bandwidth, CoLocated, Final, KeptApart, Rule, Spreading, WithinBudget,
};
use crate::placement::{DomainKey, Goal, LinkLimit, PlacementProblem};
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

    /// What is asked of several services, clusters or replicas together, as a rule and not as a wish, links and capacity aside.
    pub(super) fn coupled(problem: &PlacementProblem) -> Vec<Self> {
        let of_service = |service| Self::of_service(problem, service);
        let mut conditions = Self::of_several(problem);
        conditions.extend(problem.services.keys().flat_map(of_service));
        let asked = |condition: &Self| {
            let rule = condition.coupling_rule();
            rule.is_some_and(|rule| !problem.soft.contains_key(rule))
        };
        conditions.retain(asked);
        conditions
    }

    /// The name of the rule about several services, clusters or replicas that it is part of.
    fn coupling_rule(&self) -> Option<&str> {
        let rule: &'static dyn Rule = match self {
            Self::Spread { .. } => &Spreading,
            Self::HighAvailability { .. } => &Available,
            Self::Final { .. } => &Final,
            Self::CoLocation { .. } => &CoLocated,
            Self::AntiAffinity { .. } => &KeptApart,
            Self::Budget { .. } => &WithinBudget,
            Self::Bandwidth => &Bandwidth,
            Self::Custom { rule } => return Some(rule),
            _ => return None,
        };
        Some(rule.name())
    }

    /// True when it keeps the service off clusters that are in no domain of this kind.
    pub(super) fn asks_for(
        &self,
        problem: &PlacementProblem,
        service: &ServiceKey,
        domain: &DomainKey,
    ) -> bool {
        let demand = problem.services.get(service);
        match self {
            Self::Spread { service: asked } => {
                let spreads = demand.map(|demand| &demand.spread);
                let mut spreads = spreads.into_iter().flatten();
                asked == service && spreads.any(|spread| spread.price.is_none() && spread.key == *domain)
            }
            Self::HighAvailability { service: asked } => {
                let wanted = demand.and_then(|demand| demand.high_availability.as_ref());
                asked == service && wanted.is_some_and(|wanted| wanted.key == *domain)
            }
            Self::AntiAffinity { services, key, .. } => services.contains(service) && key == domain,
            _ => false,
        }
    }

    /// False when it is about other services only.
    pub(super) fn may_concern(&self, service: &ServiceKey) -> bool {
        match self {
            Self::Spread { service: asked }
            | Self::HighAvailability { service: asked }
            | Self::Final { service: asked } => asked == service,
            Self::CoLocation { services, .. } | Self::AntiAffinity { services, .. } => {
                services.contains(service)
            }
            _ => true,
        }
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
            Self::Custom { rule } => {
                problem.rules.retain(|known| known.get().name() != rule);
                problem.soft.remove(rule);
            }
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
