//! A change to a placement question: what a what-if question asks about, and what a repair does.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cluster::{CarbonProfile, Intensity, Path, Readiness, Taint, Toleration};
use crate::id::{ClusterName, ServiceKey, suggestion};
use crate::placement::{
    AntiAffinityGroup, ClusterSupply, DomainKey, Goal, LinkDemand, LinkLimit, PlacementError,
    PlacementProblem, ServiceDemand,
};
use crate::resources::{ResourceName, Resources};
use crate::units::{DataRate, Latency, Money};

/// One change to a placement question. [`PlacementProblem::edited`] makes it; `Display` is a few words.
///
/// Percentages are of what there is: 150 is half as much again, 0 is nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "edit")]
#[non_exhaustive]
pub enum Edit {
    /// The cluster is gone: not ready, and what runs there has to move.
    Lose {
        /// The cluster.
        cluster: ClusterName,
    },
    /// The cluster takes no services and those there leave, although it is ready.
    Drain {
        /// The cluster.
        cluster: ClusterName,
    },
    /// The cluster is ready again.
    MakeReady {
        /// The cluster.
        cluster: ClusterName,
    },
    /// One cluster more.
    AddCluster {
        /// Its name, which no other cluster has.
        cluster: ClusterName,
        /// What it has.
        supply: Box<ClusterSupply>,
        /// How far it is from others.
        paths: Vec<(ClusterName, Path)>,
    },
    /// A service runs so many replicas.
    Replicas {
        /// The service.
        service: ServiceKey,
        /// How many.
        replicas: u32,
    },
    /// A service, or every one, runs this share of its replicas, rounded up.
    ScaleReplicas {
        /// The service; `None` for all.
        service: Option<ServiceKey>,
        /// Per cent of what it runs.
        percent: u32,
    },
    /// Every replica of a service, or of all, takes this share of what it takes, rounded up.
    ScaleDemand {
        /// The service; `None` for all.
        service: Option<ServiceKey>,
        /// Per cent of what it takes.
        percent: u32,
    },
    /// An hour of one unit of a resource costs this much on a cluster.
    Price {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// For a core, a GiB or a piece.
        price: Money,
    },
    /// Everything on a cluster, or on all, costs this share of its price, rounded up.
    ScalePrices {
        /// The cluster; `None` for all.
        cluster: Option<ClusterName>,
        /// Per cent of the price.
        percent: u32,
    },
    /// The electricity of a cluster has this carbon intensity.
    CarbonIntensity {
        /// The cluster.
        cluster: ClusterName,
        /// In gCO2e/kWh.
        intensity: f64,
    },
    /// A service may run on these clusters only.
    Pin {
        /// The service.
        service: ServiceKey,
        /// The clusters.
        clusters: BTreeSet<ClusterName>,
    },
    /// A service is no longer pinned.
    Unpin {
        /// The service.
        service: ServiceKey,
    },
    /// A service may not run on a cluster.
    Exclude {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
    /// A service may run on a cluster that it is kept off by a pin or an exclusion.
    Allow {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
    /// A service may run in one more region; where nobody knows the region of a cluster, in any.
    AllowRegion {
        /// The service.
        service: ServiceKey,
        /// The region; `None` for any.
        region: Option<String>,
    },
    /// A service ignores a taint.
    Tolerate {
        /// The service.
        service: ServiceKey,
        /// The taint.
        taint: Taint,
    },
    /// A cluster has so much of a resource for the services being decided.
    Capacity {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// How much, in its base unit.
        amount: u64,
    },
    /// A cluster has so much more of a resource. A resource that is not limited stays so.
    AddCapacity {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// How much more, in its base unit.
        amount: u64,
    },
    /// The ends of a link may be as far from one another as this path.
    AcceptPath {
        /// The caller.
        from: ServiceKey,
        /// The callee.
        to: ServiceKey,
        /// The path; what it does not say keeps its limit.
        path: Path,
    },
    /// The ends of a link may be anywhere.
    DropLimit {
        /// The caller.
        from: ServiceKey,
        /// The callee.
        to: ServiceKey,
    },
    /// The network between two clusters carries so much.
    Bandwidth {
        /// The clusters.
        between: [ClusterName; 2],
        /// How much.
        capacity: DataRate,
    },
    /// The labels of its clusters do not matter to a service.
    DropLabels {
        /// The service.
        service: ServiceKey,
    },
    /// A service need not spread over domains of this kind.
    DropSpread {
        /// The service.
        service: ServiceKey,
        /// What makes a domain.
        key: DomainKey,
    },
    /// A service need not survive the loss of a domain.
    DropHighAvailability {
        /// The service.
        service: ServiceKey,
    },
    /// A service whose placement is final may move.
    Release {
        /// The service.
        service: ServiceKey,
    },
    /// Services that share their clusters need not.
    DropCoLocation {
        /// All services of the group.
        services: BTreeSet<ServiceKey>,
    },
    /// Services that keep apart may share a domain with one another, and keep apart from the others.
    LetTogether {
        /// The services.
        services: BTreeSet<ServiceKey>,
    },
    /// So much of a goal may be spent, emitted or moved, where a budget allows less.
    RaiseBudget {
        /// The goal.
        goal: Goal,
        /// How much, in its base unit.
        at_most: i64,
    },
}

impl PlacementProblem {
    /// The same question with these changes, made in order.
    ///
    /// # Errors
    /// [`PlacementError::InvalidProblem`] for a service, cluster or link that the question does not have, and for an added
    /// cluster that it has already; [`PlacementError::Overflow`] for replicas or demands that do not fit.
    pub fn edited(&self, edits: &[Edit]) -> Result<Self, PlacementError> {
        let mut problem = self.clone();
        edits.iter().try_for_each(|edit| edit.apply(&mut problem))?;
        Ok(problem)
    }
}

impl Edit {
    fn apply(&self, problem: &mut PlacementProblem) -> Result<(), PlacementError> {
        match self {
            Self::Lose { cluster } => {
                supply_of(problem, cluster)?.readiness = Readiness::NotReady {
                    reason: "lost".to_owned(),
                    since: None,
                };
            }
            Self::Drain { cluster } => {
                supply_of(problem, cluster)?;
                for demand in problem.services.values_mut() {
                    demand.excluded.insert(cluster.clone());
                }
            }
            Self::MakeReady { cluster } => supply_of(problem, cluster)?.readiness = Readiness::Ready,
            Self::AddCluster {
                cluster,
                supply,
                paths,
            } => add_cluster(problem, cluster, supply, paths)?,
            Self::Replicas { service, replicas } => demand_of(problem, service)?.replicas = *replicas,
            Self::ScaleReplicas { service, percent } => {
                for (key, demand) in demands(problem, service.as_ref())? {
                    let replicas = scaled(demand.replicas.into(), *percent);
                    let fits = replicas.and_then(|replicas| u32::try_from(replicas).ok());
                    demand.replicas =
                        fits.ok_or_else(|| PlacementError::Overflow { service: key.clone() })?;
                }
            }
            Self::ScaleDemand { service, percent } => {
                for (key, demand) in demands(problem, service.as_ref())? {
                    let more = |(name, amount): (&ResourceName, u64)| {
                        Some((name.clone(), scaled(amount, *percent)?))
                    };
                    let scaled: Option<Resources> = demand.per_replica.iter().map(more).collect();
                    demand.per_replica =
                        scaled.ok_or_else(|| PlacementError::Overflow { service: key.clone() })?;
                }
            }
            Self::Price {
                cluster,
                resource,
                price,
            } => {
                let supply = supply_of(problem, cluster)?;
                supply.price = supply.price.clone().with(resource.clone(), *price);
            }
            Self::ScalePrices { cluster, percent } => {
                for supply in supplies(problem, cluster.as_ref())? {
                    let scaled = supply.price.scaled(*percent);
                    let too_large = || invalid(format!("{percent} % of a price does not fit 64 bits"));
                    supply.price = scaled.ok_or_else(too_large)?;
                }
            }
            Self::CarbonIntensity { cluster, intensity } => {
                // The fleet's signal: a problem with both is refused.
                let known = problem.clusters.values().find_map(|supply| supply.carbon);
                let signal = known
                    .map(|profile| profile.intensity.signal())
                    .unwrap_or_default();
                let supply = supply_of(problem, cluster)?;
                let (pue, watts_per_core) = match supply.carbon {
                    Some(profile) => (profile.pue, profile.watts_per_core),
                    None => (1.0, CarbonProfile::DEFAULT_WATTS_PER_CORE),
                };
                supply.carbon = Some(CarbonProfile {
                    intensity: Intensity::new(signal, *intensity),
                    pue,
                    watts_per_core,
                });
            }
            Self::Pin { service, clusters } => {
                for cluster in clusters {
                    supply_of(problem, cluster)?;
                }
                demand_of(problem, service)?.pinned = Some(clusters.clone());
            }
            Self::Unpin { service } => demand_of(problem, service)?.pinned = None,
            Self::Exclude { service, cluster } => {
                supply_of(problem, cluster)?;
                demand_of(problem, service)?.excluded.insert(cluster.clone());
            }
            Self::Allow { service, cluster } => {
                supply_of(problem, cluster)?;
                let demand = demand_of(problem, service)?;
                demand.excluded.remove(cluster);
                if let Some(pinned) = &mut demand.pinned {
                    pinned.insert(cluster.clone());
                }
            }
            Self::AllowRegion { service, region } => {
                let demand = demand_of(problem, service)?;
                match (region, &mut demand.regions) {
                    (Some(region), Some(regions)) => {
                        regions.insert(region.clone());
                    }
                    _ => demand.regions = None,
                }
            }
            Self::Tolerate { service, taint } => demand_of(problem, service)?.tolerations.push(Toleration {
                key: Some(taint.key.clone()),
                value: taint.value.clone(),
                effect: Some(taint.effect),
            }),
            Self::Capacity {
                cluster,
                resource,
                amount,
            } => supply_of(problem, cluster)?
                .capacity
                .set(resource.clone(), *amount),
            Self::AddCapacity {
                cluster,
                resource,
                amount,
            } => {
                let supply = supply_of(problem, cluster)?;
                if let Some(there) = supply.available(resource) {
                    let sum = there.saturating_add(*amount);
                    supply.capacity.set(resource.clone(), sum);
                }
            }
            Self::AcceptPath { from, to, path } => {
                for link in links(problem, from, to)? {
                    link.limit = link.limit.widened(*path);
                }
            }
            Self::DropLimit { from, to } => {
                for link in links(problem, from, to)? {
                    link.limit = LinkLimit::default();
                }
            }
            Self::Bandwidth { between, capacity } => {
                for cluster in between {
                    supply_of(problem, cluster)?;
                }
                let [a, b] = between;
                let path = Path {
                    bandwidth: Some(*capacity),
                    ..problem.network.path(a, b)
                };
                problem.network.measure(a.clone(), b.clone(), path);
            }
            Self::DropLabels { service } => demand_of(problem, service)?.labels.clear(),
            Self::DropSpread { service, key } => {
                let spread = &mut demand_of(problem, service)?.spread;
                spread.retain(|spread| spread.key != *key);
            }
            Self::DropHighAvailability { service } => {
                demand_of(problem, service)?.high_availability = None;
            }
            Self::Release { service } => demand_of(problem, service)?.final_placement = false,
            Self::DropCoLocation { services } => {
                let groups = problem.co_location.len();
                problem.co_location.retain(|group| group.services != *services);
                if problem.co_location.len() == groups {
                    return Err(invalid("these services are no group of co-location".to_owned()));
                }
            }
            Self::LetTogether { services } => let_together(problem, services)?,
            Self::RaiseBudget { goal, at_most } => {
                for budget in problem.budgets.iter_mut().filter(|budget| budget.goal == *goal) {
                    budget.at_most = budget.at_most.max(*at_most);
                }
            }
        }
        Ok(())
    }
}

fn let_together(
    problem: &mut PlacementProblem,
    services: &BTreeSet<ServiceKey>,
) -> Result<(), PlacementError> {
    for service in services {
        demand_of(problem, service)?;
    }
    let groups = std::mem::take(&mut problem.anti_affinity);
    for group in groups {
        let (among, others): (BTreeSet<_>, BTreeSet<_>) = group
            .services
            .iter()
            .cloned()
            .partition(|service| services.contains(service));
        if among.len() < 2 {
            problem.anti_affinity.push(group);
            continue;
        }
        // Each of them keeps apart from the others still.
        for service in among {
            let mut apart = others.clone();
            apart.insert(service);
            problem.anti_affinity.push(AntiAffinityGroup {
                services: apart,
                ..group.clone()
            });
        }
    }
    Ok(())
}

fn invalid(message: String) -> PlacementError {
    PlacementError::InvalidProblem(message)
}

/// `amount x percent / 100`, rounded up.
fn scaled(amount: u64, percent: u32) -> Option<u64> {
    let scaled = (u128::from(amount) * u128::from(percent)).div_ceil(100);
    u64::try_from(scaled).ok()
}

/// `name is no ... of the problem; did you mean ...?`
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> PlacementError {
    let meant = suggestion(name, known);
    invalid(format!("{name} is no {what} of the problem{meant}"))
}

fn supply_of<'a>(
    problem: &'a mut PlacementProblem,
    cluster: &ClusterName,
) -> Result<&'a mut ClusterSupply, PlacementError> {
    if !problem.clusters.contains_key(cluster) {
        let known = problem.clusters.keys().map(ClusterName::as_str);
        return Err(unknown("cluster", cluster.as_str(), known));
    }
    let found = problem.clusters.get_mut(cluster);
    found.ok_or_else(|| invalid(format!("{cluster} is no cluster of the problem")))
}

fn supplies<'a>(
    problem: &'a mut PlacementProblem,
    cluster: Option<&ClusterName>,
) -> Result<Vec<&'a mut ClusterSupply>, PlacementError> {
    match cluster {
        Some(cluster) => Ok(vec![supply_of(problem, cluster)?]),
        None => Ok(problem.clusters.values_mut().collect()),
    }
}

fn demand_of<'a>(
    problem: &'a mut PlacementProblem,
    service: &ServiceKey,
) -> Result<&'a mut ServiceDemand, PlacementError> {
    if !problem.services.contains_key(service) {
        let keys: Vec<String> = problem.services.keys().map(ToString::to_string).collect();
        return Err(unknown(
            "service",
            &service.to_string(),
            keys.iter().map(String::as_str),
        ));
    }
    let found = problem.services.get_mut(service);
    found.ok_or_else(|| invalid(format!("{service} is no service of the problem")))
}

fn demands<'a>(
    problem: &'a mut PlacementProblem,
    service: Option<&'a ServiceKey>,
) -> Result<Vec<(&'a ServiceKey, &'a mut ServiceDemand)>, PlacementError> {
    match service {
        Some(service) => Ok(vec![(service, demand_of(problem, service)?)]),
        None => Ok(problem.services.iter_mut().collect()),
    }
}

fn add_cluster(
    problem: &mut PlacementProblem,
    cluster: &ClusterName,
    supply: &ClusterSupply,
    paths: &[(ClusterName, Path)],
) -> Result<(), PlacementError> {
    if problem.clusters.contains_key(cluster) {
        return Err(invalid(format!(
            "the problem has a cluster {cluster} already; give the new one another name"
        )));
    }
    problem.clusters.insert(cluster.clone(), supply.clone());
    for (other, path) in paths {
        supply_of(problem, other)?;
        problem.network.measure(cluster.clone(), other.clone(), *path);
    }
    Ok(())
}

fn links<'a>(
    problem: &'a mut PlacementProblem,
    from: &ServiceKey,
    to: &ServiceKey,
) -> Result<Vec<&'a mut LinkDemand>, PlacementError> {
    let links = problem.links.iter_mut();
    let links: Vec<_> = links
        .filter(|link| link.from == *from && link.to == *to)
        .collect();
    if links.is_empty() {
        return Err(invalid(format!("there is no link from {from} to {to}")));
    }
    Ok(links)
}

impl LinkLimit {
    /// The tightest limit that allows all it allows and `path` too; what the path does not say keeps its limit.
    #[must_use]
    pub fn widened(self, path: Path) -> Self {
        // Strictly below: one base unit more than was measured.
        let above = |rtt: Latency| Latency::from_base(rtt.base().saturating_add(1));
        let rtt = |limit: Latency| path.rtt.map_or(limit, |rtt| limit.max(above(rtt)));
        let hops = |limit: u32| path.hops.map_or(limit, |hops| limit.max(hops));
        Self {
            rtt_below: self.rtt_below.map(rtt),
            max_hops: self.max_hops.map(hops),
        }
    }
}
