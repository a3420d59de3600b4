//! How a goal is measured.

use std::fmt::Debug;

use crate::cluster::CarbonProfile;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::Pair;
use crate::placement::{Assignment, LinkDemand, Placement, PlacementProblem, ServiceDemand};
use crate::units::Latency;

/// A question, and what is known of its fleet as a whole.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The question.
    pub problem: &'a PlacementProblem,
    /// What the cluster with the highest known emissions per core emits.
    pub worst_carbon: Option<CarbonProfile>,
    /// The longest round trip that was measured.
    pub worst_rtt: Option<Latency>,
}

impl<'a> Facts<'a> {
    /// The facts of a question.
    #[must_use]
    pub fn new(problem: &'a PlacementProblem) -> Self {
        let carbon = problem.clusters.values().filter_map(|supply| supply.carbon);
        let rtts = problem.network.iter().filter_map(|(_, _, path)| path.rtt);
        Self {
            problem,
            worst_carbon: carbon.max_by_key(|profile| profile.per_core()),
            worst_rtt: rtts.max(),
        }
    }
}

/// How a goal is measured: an amount for a whole placement, in whole base units. It is the sum of four parts, each 0 unless
/// it says otherwise; the more of a goal is in the earlier ones, the better a placer can search.
///
/// An amount that does not fit is `None`.
pub trait Measure: Debug + Send + Sync {
    /// A short name.
    fn name(&self) -> &str;

    /// What one replica of a service on a cluster adds, wherever everything else runs.
    fn of_replica(&self, facts: &Facts<'_>, pair: &Pair<'_>) -> Option<i64> {
        let _ = (facts, pair);
        Some(0)
    }

    /// What a service adds that runs at `next`, wherever the others run; for what is not proportional to replicas.
    fn of_service(
        &self,
        facts: &Facts<'_>,
        service: &ServiceKey,
        demand: &ServiceDemand,
        next: &Assignment,
    ) -> Option<i64> {
        let _ = (facts, service, demand, next);
        Some(0)
    }

    /// What a link with traffic adds when all of it goes between these two clusters.
    fn of_link(
        &self,
        facts: &Facts<'_>,
        link: &LinkDemand,
        from: &ClusterName,
        to: &ClusterName,
    ) -> Option<i64> {
        let _ = (facts, link, from, to);
        Some(0)
    }

    /// What the placement as a whole adds.
    fn of_placement(&self, facts: &Facts<'_>, placement: &Placement) -> Option<i64> {
        let _ = (facts, placement);
        Some(0)
    }

    /// True when it says more than [`Measure::of_replica`] does, of a goal of the host: then only placers that try whole
    /// placements can search by it.
    fn couples(&self) -> bool {
        false
    }
}
