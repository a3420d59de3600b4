//! Replicas spread over domains: at least so many, at most so many, and evenly.

use super::{Pair, Rule, about_each, may_host};
use crate::id::ServiceKey;
use crate::placement::domain::replicas_by_domain;
use crate::placement::{
    Assignment, Breach, Placement, PlacementProblem, Reason, ServiceDemand, Spread, SpreadFault,
};

/// Every service spreads as it asks for.
#[derive(Debug, Clone, Copy)]
pub struct Spreading;

impl Rule for Spreading {
    fn name(&self) -> &str {
        "spread"
    }

    /// A hard spread rules out the clusters that are in no domain.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let hard = pair.demand.spread.iter().filter(|spread| spread.price.is_none());
        let mut keys = hard.map(|spread| &spread.key);
        let key = keys.find(|key| key.of(pair.cluster, pair.supply).is_none())?;
        Some(Reason::NoDomain { key: key.clone() })
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        about_each(self, problem, placement, |demand| !demand.spread.is_empty())
    }

    fn breaches_about(
        &self,
        problem: &PlacementProblem,
        placement: &Placement,
        service: &ServiceKey,
    ) -> Vec<Breach> {
        let (Some(demand), Some(assignment)) = (problem.services.get(service), placement.get(service)) else {
            return Vec::new();
        };
        let breaches = demand.spread.iter().flat_map(|spread| {
            let faults = spread.faults(problem, service, demand, assignment);
            faults.into_iter().map(|fault| Breach::Spread {
                service: service.clone(),
                key: spread.key.clone(),
                fault,
                price: spread.price,
            })
        });
        breaches.collect()
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        problem.services.values().any(|demand| !demand.spread.is_empty())
    }

    fn priced(&self, problem: &PlacementProblem) -> bool {
        let wishes = |demand: &ServiceDemand| demand.spread.iter().any(|spread| spread.price.is_some());
        problem.soft.contains_key(self.name()) || problem.services.values().any(wishes)
    }
}

impl Spread {
    fn faults(
        &self,
        problem: &PlacementProblem,
        service: &ServiceKey,
        demand: &ServiceDemand,
        assignment: &Assignment,
    ) -> Vec<SpreadFault> {
        let (domains, outside) = replicas_by_domain(problem, &self.key, assignment);
        let used = u32::try_from(domains.len()).unwrap_or(u32::MAX);
        let mut faults = Vec::new();
        if let Some(least) = self.min_groups.filter(|least| used < *least) {
            faults.push(SpreadFault::TooFew { used, least });
        }
        if let Some(most) = self.max_groups.filter(|most| used > *most) {
            faults.push(SpreadFault::TooMany { used, most });
        }
        if let Some(most) = self.max_skew {
            let fullest = domains.values().copied().max().unwrap_or(0);
            let usable = usable_domains(problem, service, &self.key);
            let emptiest = usable.map(|domain| domains.get(domain).copied().unwrap_or(0));
            let skew = fullest.saturating_sub(emptiest.min().unwrap_or(fullest));
            if demand.replicas > 0 && skew > u64::from(most) {
                faults.push(SpreadFault::Skew { skew, most });
            }
        }
        if outside > 0 {
            faults.push(SpreadFault::Outside { replicas: outside });
        }
        faults
    }
}

/// The domains of the clusters that the service may use, capacity and the other services aside.
fn usable_domains<'a>(
    problem: &'a PlacementProblem,
    service: &'a ServiceKey,
    key: &'a crate::placement::DomainKey,
) -> impl Iterator<Item = &'a str> {
    problem.clusters.iter().filter_map(move |(name, supply)| {
        let pair = problem.pair(service, name)?;
        key.of(name, supply).filter(|_| may_host(&pair))
    })
}
