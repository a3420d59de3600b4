//! What each change does to a placement question.

use std::collections::BTreeSet;

use super::Edit;
use crate::cluster::{CarbonProfile, Intensity, Path, Readiness, Toleration};
use crate::id::{ClusterName, ServiceKey, suggestion};
use crate::placement::{
    AntiAffinityGroup, Assignment, Budget, ClusterSupply, DomainKey, LinkDemand, LinkLimit, Mode,
    PlacementError, PlacementProblem, ServiceDemand, Spread,
};
use crate::resources::{ResourceName, Resources};
use crate::units::{DataRate, Latency};

impl Edit {
    pub(super) fn apply(&self, problem: &mut PlacementProblem) -> Result<(), PlacementError> {
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
                scale_replicas(problem, service.as_ref(), *percent)?;
            }
            Self::ScaleTraffic { service, percent } => {
                scale_traffic(problem, service.as_ref(), *percent)?;
            }
            Self::ScaleLoad { service, percent } => {
                scale_replicas(problem, service.as_ref(), *percent)?;
                scale_traffic(problem, service.as_ref(), *percent)?;
            }
            Self::Remove { service } => {
                demand_of(problem, service)?;
                problem.remove(service);
                problem.current.set(service.clone(), Assignment::default());
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
                let path = Path {
                    bandwidth: Some(*capacity),
                    ..Path::default()
                };
                measure(problem, between, path)?;
            }
            Self::Distance { between, path } => measure(problem, between, *path)?,
            Self::Weigh { goal, weight } => {
                let goals = std::mem::take(&mut problem.goals);
                problem.goals = goals.with(*goal, *weight);
            }
            Self::SetBudget { goal, at_most } => {
                problem.budgets.retain(|budget| budget.goal != *goal);
                problem.budgets.push(Budget {
                    goal: *goal,
                    at_most: *at_most,
                    price: None,
                });
            }
            Self::DropLabels { service } => demand_of(problem, service)?.labels.clear(),
            Self::DropSpread { service, key } => {
                let spread = &mut demand_of(problem, service)?.spread;
                spread.retain(|spread| spread.key != *key);
            }
            Self::RelaxSpread {
                service,
                key,
                min_groups,
                max_groups,
                max_skew,
            } => {
                let spread = demand_of(problem, service)?.spread.iter_mut();
                let mut spread = spread.filter(|spread| spread.key == *key).peekable();
                if spread.peek().is_none() {
                    return Err(invalid(format!("{service} does not spread over {key}s")));
                }
                for spread in spread {
                    *spread = spread.relaxed(*min_groups, *max_groups, *max_skew);
                }
            }
            Self::LetSplit { service } => demand_of(problem, service)?.mode = Mode::Split,
            Self::RelaxHighAvailability { service } => {
                let wanted = &mut demand_of(problem, service)?.high_availability;
                let Some(wanted) = wanted else {
                    return Err(invalid(format!("{service} does not ask for high availability")));
                };
                wanted.key = DomainKey::Cluster;
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
            Self::DropAntiAffinity { service } => {
                demand_of(problem, service)?;
                for group in &mut problem.anti_affinity {
                    group.services.remove(service);
                }
            }
            Self::DropRule { rule } => {
                let names: Vec<&str> = problem.rules.iter().map(|known| known.get().name()).collect();
                if !names.contains(&rule.as_str()) {
                    let meant = suggestion(rule, names);
                    return Err(invalid(format!("{rule} is no rule of the host{meant}")));
                }
                problem.rules.retain(|known| known.get().name() != rule);
                // A price for what is not there would be refused.
                problem.soft.remove(rule);
            }
            Self::RaiseBudget { goal, at_most } => {
                for budget in problem.budgets.iter_mut().filter(|budget| budget.goal == *goal) {
                    budget.at_most = budget.at_most.max(*at_most);
                }
            }
        }
        Ok(())
    }
}

fn scale_replicas(
    problem: &mut PlacementProblem,
    service: Option<&ServiceKey>,
    percent: u32,
) -> Result<(), PlacementError> {
    for (key, demand) in demands(problem, service)? {
        let replicas = scaled(demand.replicas.into(), percent);
        let fits = replicas.and_then(|replicas| u32::try_from(replicas).ok());
        demand.replicas = fits.ok_or_else(|| PlacementError::Overflow { service: key.clone() })?;
    }
    Ok(())
}

fn scale_traffic(
    problem: &mut PlacementProblem,
    service: Option<&ServiceKey>,
    percent: u32,
) -> Result<(), PlacementError> {
    if let Some(service) = service {
        demand_of(problem, service)?;
    }
    let has_end = |link: &LinkDemand| service.is_none_or(|end| [&link.from, &link.to].contains(&end));
    for link in problem.links.iter_mut().filter(|link| has_end(link)) {
        let more = scaled(link.traffic.get(), percent);
        link.traffic = more.map(DataRate::new).ok_or_else(|| PlacementError::Overflow {
            service: link.from.clone(),
        })?;
    }
    Ok(())
}

/// What the path does not say stays as it was measured.
fn measure(
    problem: &mut PlacementProblem,
    between: &[ClusterName; 2],
    path: Path,
) -> Result<(), PlacementError> {
    for cluster in between {
        supply_of(problem, cluster)?;
    }
    let [a, b] = between;
    if a == b {
        return Err(invalid(format!(
            "{a} is no distance from itself; name two clusters"
        )));
    }
    let known = problem.network.path(a, b);
    let path = Path {
        rtt: path.rtt.or(known.rtt),
        hops: path.hops.or(known.hops),
        bandwidth: path.bandwidth.or(known.bandwidth),
    };
    problem.network.measure(a.clone(), b.clone(), path);
    Ok(())
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

impl Spread {
    /// The same, asking for no more than this; what is `None` keeps its limit.
    pub(super) fn relaxed(
        &self,
        min_groups: Option<u32>,
        max_groups: Option<u32>,
        max_skew: Option<u32>,
    ) -> Self {
        let least = |limit: u32| min_groups.map_or(limit, |least| limit.min(least));
        let groups = |limit: u32| max_groups.map_or(limit, |most| limit.max(most));
        let skew = |limit: u32| max_skew.map_or(limit, |most| limit.max(most));
        Self {
            min_groups: self.min_groups.map(least),
            max_groups: self.max_groups.map(groups),
            max_skew: self.max_skew.map(skew),
            ..self.clone()
        }
    }
}
