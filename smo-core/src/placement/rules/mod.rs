//! The rules that every placement keeps, one file each.
//!
//! A [`Rule`] has two faces. [`Rule::forbids`] looks at one service and one cluster, whatever the other services do: it
//! prunes a search and explains why a cluster was ruled out. [`Rule::breaches`] looks at a whole placement: it is what
//! [`super::verify`] asks, in integers, of every answer.
//!
//! To add a rule: copy `region.rs`, add a [`Reason`], and list it in [`default_rules`].

mod accelerator;
mod capacity;
mod demand;
mod latency;
mod pinning;
mod readiness;
mod region;
mod taints;

use std::fmt::Debug;

pub use accelerator::Accelerator;
pub use capacity::Capacity;
pub use demand::Demand;
pub use latency::Latency;
pub(crate) use latency::limited_links;
pub use pinning::Pinning;
pub use readiness::Ready;
pub use region::Region;
pub use taints::Taints;

use super::{Breach, ClusterSupply, Placement, PlacementProblem, Reason, ServiceDemand};
use crate::id::{ClusterName, ServiceKey};

/// One service on one cluster.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'a> {
    /// The question.
    pub problem: &'a PlacementProblem,
    /// The service.
    pub service: &'a ServiceKey,
    /// What it needs.
    pub demand: &'a ServiceDemand,
    /// The cluster.
    pub cluster: &'a ClusterName,
    /// What it has.
    pub supply: &'a ClusterSupply,
}

/// Something that every placement keeps.
pub trait Rule: Debug + Send + Sync {
    /// A short name, as in `capacity`.
    fn name(&self) -> &'static str;

    /// Why all replicas of the service cannot run on the cluster, wherever the other services run; `None` when they can.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason>;

    /// Every way in which `placement` breaks the rule. By default that of every service on every cluster it runs on.
    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let mut breaches = Vec::new();
        for pair in pairs_in_use(problem, placement) {
            if let Some(reason) = self.forbids(&pair) {
                breaches.push(Breach::Forbidden {
                    service: pair.service.clone(),
                    cluster: pair.cluster.clone(),
                    reason,
                });
            }
        }
        breaches
    }
}

/// The rules, in the order in which reasons are looked for: what the host decided, then what the cluster is, then what it
/// has left, then where the other services can be.
static RULES: [&dyn Rule; 8] = [
    &Ready,
    &Pinning,
    &Region,
    &Taints,
    &Accelerator,
    &Capacity,
    &Latency,
    &Demand,
];

/// Every rule, in the order in which reasons are looked for.
#[must_use]
pub fn default_rules() -> &'static [&'static dyn Rule] {
    &RULES
}

/// The first reason that keeps the service off the cluster, wherever the other services run.
#[must_use]
pub fn first_reason(pair: &Pair<'_>) -> Option<Reason> {
    RULES.iter().find_map(|rule| rule.forbids(pair))
}

/// Every reason that keeps the service off the cluster, wherever the other services run.
pub(crate) fn every_reason(pair: &Pair<'_>) -> Vec<Reason> {
    let of_rule = |rule: &&dyn Rule| match rule.name() {
        "capacity" => capacity::shortfalls(pair).collect(),
        _ => rule.forbids(pair).into_iter().collect::<Vec<_>>(),
    };
    RULES.iter().flat_map(of_rule).collect()
}

/// The first reason that keeps the service off the cluster, links aside.
pub(crate) fn first_own_reason(pair: &Pair<'_>) -> Option<Reason> {
    let own = RULES.iter().filter(|rule| rule.name() != Latency.name());
    own.into_iter().find_map(|rule| rule.forbids(pair))
}

/// The services of the problem on the clusters of the problem that they run on.
fn pairs_in_use<'a>(
    problem: &'a PlacementProblem,
    placement: &'a Placement,
) -> impl Iterator<Item = Pair<'a>> {
    placement
        .iter()
        .flat_map(|(service, assignment)| assignment.clusters().map(move |cluster| (service, cluster)))
        .filter_map(|(service, cluster)| problem.pair(service, cluster))
}

impl PlacementProblem {
    /// One service on one cluster; `None` when the problem does not have both.
    #[must_use]
    pub fn pair<'a>(&'a self, service: &ServiceKey, cluster: &ClusterName) -> Option<Pair<'a>> {
        let (service, demand) = self.services.get_key_value(service)?;
        let (cluster, supply) = self.clusters.get_key_value(cluster)?;
        Some(Pair {
            problem: self,
            service,
            demand,
            cluster,
            supply,
        })
    }
}
