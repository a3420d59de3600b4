//! A service whose placement is final stays where it runs, as long as its clusters are ready. Softly: points for every
//! replica that moves. A service of one cluster stays on a cluster that it runs on, all others keep every replica in place.

use super::{Pair, Rule, about_each};
use crate::id::ServiceKey;
use crate::placement::goals::moved_replicas;
use crate::placement::{Assignment, Breach, Placement, PlacementProblem, Reason, ServiceDemand};

/// What is final stays.
#[derive(Debug, Clone, Copy)]
pub struct Final;

/// Where a service has to stay, if it has to.
pub(crate) fn stays<'a>(
    problem: &'a PlacementProblem,
    service: &ServiceKey,
    demand: &ServiceDemand,
) -> Option<&'a Assignment> {
    let now = problem.current.get(service).filter(|_| demand.final_placement)?;
    let ready = |cluster| {
        let supply = problem.clusters.get(cluster);
        supply.is_some_and(|supply| supply.readiness.is_ready())
    };
    now.clusters().all(ready).then_some(now)
}

impl Rule for Final {
    fn name(&self) -> &str {
        "final placement"
    }

    /// A cluster that the service does not run on is out, unless it grows and may be split.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let now = stays(pair.problem, pair.service, pair.demand)?;
        let grows = pair.demand.is_split() && pair.demand.replicas > now.replicas();
        (now.on(pair.cluster) == 0 && !grows).then_some(Reason::Final)
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        about_each(self, problem, placement, |demand| demand.final_placement)
    }

    fn breaches_about(
        &self,
        problem: &PlacementProblem,
        placement: &Placement,
        service: &ServiceKey,
    ) -> Vec<Breach> {
        let Some(demand) = problem.services.get(service) else {
            return Vec::new();
        };
        let (Some(now), Some(next)) = (stays(problem, service, demand), placement.get(service)) else {
            return Vec::new();
        };
        let replicas = if demand.is_split() {
            moved_replicas(Some(now), demand.replicas, next)
        } else {
            let elsewhere = next.iter().filter(|(cluster, _)| now.on(cluster) == 0);
            elsewhere
                .map(|(_, replicas)| replicas)
                .fold(0, u32::saturating_add)
        };
        let moved = (replicas > 0).then(|| Breach::Moved {
            service: service.clone(),
            replicas,
        });
        moved.into_iter().collect()
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        let bound = |(service, demand): (&ServiceKey, &ServiceDemand)| {
            demand.is_split() && stays(problem, service, demand).is_some()
        };
        problem.services.iter().any(bound)
    }
}
