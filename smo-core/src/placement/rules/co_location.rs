//! Services that share their clusters.

use super::Rule;
use crate::id::ServiceKey;
use crate::placement::{Breach, CoLocationGroup, Placement, PlacementProblem};

/// The services of a group use the same clusters.
#[derive(Debug, Clone, Copy)]
pub struct CoLocated;

impl Rule for CoLocated {
    fn name(&self) -> &str {
        "co-location"
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
        !problem.co_location.is_empty()
    }

    fn priced(&self, problem: &PlacementProblem) -> bool {
        let wishes = problem.co_location.iter().any(|group| group.price.is_some());
        problem.soft.contains_key(self.name()) || wishes
    }
}

fn of_groups(
    problem: &PlacementProblem,
    placement: &Placement,
    counts: impl Fn(&CoLocationGroup) -> bool,
) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for group in problem.co_location.iter().filter(|group| counts(group)) {
        let placed: Vec<_> = group
            .services
            .iter()
            .filter_map(|service| Some((service, placement.get(service)?)))
            .collect();
        for (position, (one, here)) in placed.iter().enumerate() {
            for (other, there) in placed.iter().skip(position + 1) {
                let alone = here.clusters().filter(|cluster| there.on(cluster) == 0);
                let apart = alone.chain(there.clusters().filter(|cluster| here.on(cluster) == 0));
                let apart: Vec<_> = apart.cloned().collect();
                if !apart.is_empty() {
                    breaches.push(Breach::Apart {
                        one: ServiceKey::clone(one),
                        other: ServiceKey::clone(other),
                        clusters: apart,
                        price: group.price,
                    });
                }
            }
        }
    }
    breaches
}
