//! Services that keep out of one another's domains.

use std::collections::BTreeMap;

use super::{Pair, Rule};
use crate::id::ServiceKey;
use crate::placement::domain::replicas_by_domain;
use crate::placement::{AntiAffinityGroup, Breach, Placement, PlacementProblem, Reason, SpreadFault};

/// No two services of a group use one domain.
#[derive(Debug, Clone, Copy)]
pub struct KeptApart;

impl Rule for KeptApart {
    fn name(&self) -> &str {
        "anti-affinity"
    }

    /// A cluster in no domain may be in the domain of any other.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let groups = &pair.problem.anti_affinity;
        let outside = groups.iter().find(|group| {
            group.price.is_none()
                && group.key.of(pair.cluster, pair.supply).is_none()
                && group.services.contains(pair.service)
        })?;
        Some(Reason::NoDomain {
            key: outside.key.clone(),
        })
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        of_groups(problem, placement, |_| true)
    }

    fn breaches_about(
        &self,
        problem: &PlacementProblem,
        placement: &Placement,
        service: &ServiceKey,
    ) -> Vec<Breach> {
        of_groups(problem, placement, |group| group.services.contains(service))
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        !problem.anti_affinity.is_empty()
    }

    fn priced(&self, problem: &PlacementProblem) -> bool {
        let wishes = problem.anti_affinity.iter().any(|group| group.price.is_some());
        problem.soft.contains_key(self.name()) || wishes
    }
}

fn of_groups(
    problem: &PlacementProblem,
    placement: &Placement,
    counts: impl Fn(&AntiAffinityGroup) -> bool,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for group in problem.anti_affinity.iter().filter(|group| counts(group)) {
        let mut members: BTreeMap<&str, Vec<ServiceKey>> = BTreeMap::new();
        for service in &group.services {
            let Some(assignment) = placement.get(service) else {
                continue;
            };
            let (domains, outside) = replicas_by_domain(problem, &group.key, assignment);
            for domain in domains.into_keys() {
                members.entry(domain).or_default().push(service.clone());
            }
            if outside > 0 {
                breaches.push(Breach::Spread {
                    service: service.clone(),
                    key: group.key.clone(),
                    fault: SpreadFault::Outside { replicas: outside },
                    price: group.price,
                });
            }
        }
        for (domain, services) in members.into_iter().filter(|(_, services)| services.len() > 1) {
            breaches.push(Breach::Together {
                domain: domain.to_owned(),
                services,
                price: group.price,
            });
        }
    }
    breaches
}
