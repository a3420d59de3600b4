//! What leaves the clusters it runs on now: services, replicas, and the data they take along.

use super::{Facts, Measure};
use crate::id::ServiceKey;
use crate::placement::{Assignment, ServiceDemand};

/// The replicas that run now, and go on elsewhere: those that are wanted still, less those that stay. A service that runs
/// nowhere moves for free, and replicas that are no longer wanted do not move.
pub(crate) fn moved_replicas(now: Option<&Assignment>, wanted: u32, next: &Assignment) -> u32 {
    let Some(now) = now else { return 0 };
    let stay = now
        .iter()
        .map(|(cluster, replicas)| replicas.min(next.on(cluster)))
        .fold(0_u32, u32::saturating_add);
    now.replicas().min(wanted).saturating_sub(stay)
}

fn moved(facts: &Facts<'_>, service: &ServiceKey, demand: &ServiceDemand, next: &Assignment) -> u32 {
    moved_replicas(facts.problem.current.get(service), demand.replicas, next)
}

/// Services of which a replica moves.
#[derive(Debug)]
pub(super) struct Moves;

impl Measure for Moves {
    fn name(&self) -> &str {
        "moves"
    }

    fn of_service(
        &self,
        facts: &Facts<'_>,
        service: &ServiceKey,
        demand: &ServiceDemand,
        next: &Assignment,
    ) -> Option<i64> {
        Some(i64::from(moved(facts, service, demand, next) > 0))
    }
}

/// Replicas that move.
#[derive(Debug)]
pub(super) struct MovedReplicas;

impl Measure for MovedReplicas {
    fn name(&self) -> &str {
        "movedReplicas"
    }

    fn of_service(
        &self,
        facts: &Facts<'_>,
        service: &ServiceKey,
        demand: &ServiceDemand,
        next: &Assignment,
    ) -> Option<i64> {
        Some(moved(facts, service, demand, next).into())
    }
}

/// Bytes that moving replicas take along.
#[derive(Debug)]
pub(super) struct MovedState;

impl Measure for MovedState {
    fn name(&self) -> &str {
        "movedState"
    }

    fn of_service(
        &self,
        facts: &Facts<'_>,
        service: &ServiceKey,
        demand: &ServiceDemand,
        next: &Assignment,
    ) -> Option<i64> {
        let replicas = moved(facts, service, demand, next);
        i64::try_from(demand.state.checked_mul(replicas.into())?.get()).ok()
    }
}

/// Services placed: the predecessor's constant `sum(x)`.
#[derive(Debug)]
pub(super) struct Placements;

impl Measure for Placements {
    fn name(&self) -> &str {
        "placements"
    }

    fn of_service(&self, _: &Facts<'_>, _: &ServiceKey, _: &ServiceDemand, next: &Assignment) -> Option<i64> {
        Some(i64::from(!next.is_empty()))
    }
}
