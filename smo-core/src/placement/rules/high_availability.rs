//! A service with two replicas or more survives the loss of any one domain. Softly: points for a service that does not.

use super::{Pair, Rule, about_each};
use crate::id::ServiceKey;
use crate::placement::domain::replicas_by_domain;
use crate::placement::{Breach, Placement, PlacementProblem, Reason, ServiceDemand};

/// Replicas run in at least two domains.
#[derive(Debug, Clone, Copy)]
pub struct Available;

/// What the service asks for, if it has replicas enough.
fn asked(demand: &ServiceDemand) -> Option<&crate::placement::HighAvailability> {
    demand.high_availability.as_ref().filter(|_| demand.replicas >= 2)
}

impl Rule for Available {
    fn name(&self) -> &str {
        "high availability"
    }

    /// A cluster in no domain may share its fate with any other.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let wanted = asked(pair.demand).filter(|wanted| wanted.price.is_none())?;
        let key = wanted.key.clone();
        let domain = key.of(pair.cluster, pair.supply);
        domain.is_none().then_some(Reason::NoDomain { key })
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        about_each(self, problem, placement, |demand| asked(demand).is_some())
    }

    fn breaches_about(
        &self,
        problem: &PlacementProblem,
        placement: &Placement,
        service: &ServiceKey,
    ) -> Vec<Breach> {
        let wanted = problem.services.get(service).and_then(asked);
        let (Some(wanted), Some(assignment)) = (wanted, placement.get(service)) else {
            return Vec::new();
        };
        let (domains, _) = replicas_by_domain(problem, &wanted.key, assignment);
        if domains.len() >= 2 {
            return Vec::new();
        }
        vec![Breach::NotAvailable {
            service: service.clone(),
            key: wanted.key.clone(),
            price: wanted.price,
        }]
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        problem.services.values().any(|demand| asked(demand).is_some())
    }

    fn priced(&self, problem: &PlacementProblem) -> bool {
        let wishes = |demand: &ServiceDemand| asked(demand).is_some_and(|wanted| wanted.price.is_some());
        problem.soft.contains_key(self.name()) || problem.services.values().any(wishes)
    }
}
