//! The rules that every placement keeps, one file each.
//!
//! A [`Rule`] has two faces. [`Rule::forbids`] looks at one service and one cluster, whatever the other services do: it
//! prunes a search and explains why a cluster was ruled out. [`Rule::breaches`] looks at a whole placement: it is what
//! [`super::verify`] asks, in integers, of every answer. A rule that the question softens
//! ([`PlacementProblem::soft`], or a price of its own) forbids nothing; its breaches cost points instead.
//!
//! To add a rule: copy `region.rs` for one about a service and a cluster, `co_location.rs` for one about a whole placement,
//! add a [`Reason`] or a [`Breach`], and list it in [`default_rules`]. A host adds its own rules to
//! [`PlacementProblem::rules`].

mod accelerator;
mod anti_affinity;
mod bandwidth;
mod budget;
mod capacity;
mod co_location;
mod demand;
mod finality;
mod high_availability;
mod labels;
mod latency;
mod pinning;
mod priority;
mod readiness;
mod region;
mod spread;
mod taints;

use std::fmt::Debug;

pub use accelerator::Accelerator;
pub use anti_affinity::KeptApart;
pub use bandwidth::Bandwidth;
pub use budget::WithinBudget;
pub use capacity::Capacity;
pub use co_location::CoLocated;
pub use demand::Demand;
pub use finality::Final;
pub(crate) use finality::stays;
pub use high_availability::Available;
pub use labels::Labels;
pub use latency::Latency;
pub(crate) use latency::{limited_links, too_long};
pub use pinning::Pinning;
pub use priority::Priority;
pub use readiness::Ready;
pub use region::Region;
pub use spread::Spreading;
pub use taints::Taints;
pub(super) use taints::is_avoided;

use super::in_order::InOrder;
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
    fn name(&self) -> &str;

    /// Why the service cannot run on the cluster, wherever the other services run; `None` when it can. It is about all
    /// replicas of a service in [`super::Mode::Single`], about any one of a service that may be split.
    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let _ = pair;
        None
    }

    /// Every way in which `placement` breaks the rule, hard or soft. By default that of every service on every cluster it
    /// runs on.
    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        forbidden(self, problem, placement)
    }

    /// Those of them that are there because of where one service is. By default all: a rule that looks at each service by itself says
    /// only what is about this one, so that thousands of services are explained in time.
    fn breaches_about(
        &self,
        problem: &PlacementProblem,
        placement: &Placement,
        service: &ServiceKey,
    ) -> Vec<Breach> {
        let _ = service;
        self.breaches(problem, placement)
    }

    /// True when, in this question, the rule is about more than one service on one cluster. A placer that only looks at
    /// [`Rule::forbids`] misses such a rule.
    fn couples(&self, problem: &PlacementProblem) -> bool {
        let _ = problem;
        false
    }

    /// True when, in this question, some breaches of the rule cost points instead of being forbidden.
    fn priced(&self, problem: &PlacementProblem) -> bool {
        problem.soft.contains_key(self.name())
    }
}

/// A breach for every service on every cluster of a placement that a rule forbids by itself.
pub fn forbidden<R: Rule + ?Sized>(
    rule: &R,
    problem: &PlacementProblem,
    placement: &Placement,
) -> Vec<Breach> {
    let breach = |InUse { pair, .. }: InUse<'_>| {
        let reason = rule.forbids(&pair)?;
        Some(Breach::Forbidden {
            service: pair.service.clone(),
            cluster: pair.cluster.clone(),
            reason,
        })
    };
    in_use(problem, placement).filter_map(breach).collect()
}

/// What a rule that looks at each service by itself says of all those that it concerns.
pub(super) fn about_each<R: Rule + ?Sized>(
    rule: &R,
    problem: &PlacementProblem,
    placement: &Placement,
    concerns: impl Fn(&ServiceDemand) -> bool,
) -> Vec<Breach> {
    let services = problem.services.iter().filter(|(_, demand)| concerns(demand));
    services
        .flat_map(|(service, _)| rule.breaches_about(problem, placement, service))
        .collect()
}

/// The rules, in the order in which reasons are looked for: what the host decided, then what the cluster is, then what it
/// has left, then where the other services can be.
static RULES: [&dyn Rule; 17] = [
    &Ready,
    &Final,
    &Pinning,
    &Region,
    &Labels,
    &Taints,
    &Accelerator,
    &Spreading,
    &Available,
    &KeptApart,
    &Capacity,
    &Latency,
    &CoLocated,
    &Bandwidth,
    &WithinBudget,
    &Priority,
    &Demand,
];

/// Every rule of the library, in the order in which reasons are looked for.
#[must_use]
pub fn default_rules() -> &'static [&'static dyn Rule] {
    &RULES
}

impl PlacementProblem {
    /// The rules of this question: the library's, then the host's.
    pub fn every_rule(&self) -> impl Iterator<Item = &dyn Rule> {
        let own = self.rules.iter().map(super::CustomRule::get);
        RULES.iter().copied().chain(own)
    }

    /// Those of them that are not softened by name.
    pub(crate) fn hard_rules(&self) -> impl Iterator<Item = &dyn Rule> {
        self.every_rule()
            .filter(|rule| !self.soft.contains_key(rule.name()))
    }
}

/// The first reason that keeps the service off the cluster, wherever the other services run.
#[must_use]
pub fn first_reason(pair: &Pair<'_>) -> Option<Reason> {
    pair.problem.hard_rules().find_map(|rule| rule.forbids(pair))
}

/// Every reason that keeps the service off the cluster, wherever the other services run.
pub(crate) fn every_reason(pair: &Pair<'_>) -> Vec<Reason> {
    let of_rule = |rule: &dyn Rule| match rule.name() {
        "capacity" => capacity::shortfalls(pair).collect(),
        _ => rule.forbids(pair).into_iter().collect::<Vec<_>>(),
    };
    pair.problem.hard_rules().flat_map(of_rule).collect()
}

/// The first reason that keeps the service off the cluster, links aside.
pub(crate) fn first_own_reason(pair: &Pair<'_>) -> Option<Reason> {
    let mut own = pair
        .problem
        .hard_rules()
        .filter(|rule| rule.name() != Latency.name());
    own.find_map(|rule| rule.forbids(pair))
}

/// True when only a lack of room or its links could keep the service off the cluster.
pub(crate) fn may_host(pair: &Pair<'_>) -> bool {
    let aside = [Latency.name(), Capacity.name()];
    let mut rest = pair
        .problem
        .hard_rules()
        .filter(|rule| !aside.contains(&rule.name()));
    rest.all(|rule| rule.forbids(pair).is_none())
}

/// A service of the problem on a cluster of the problem that it runs on.
struct InUse<'a> {
    pair: Pair<'a>,
    /// The number of the cluster.
    number: usize,
    replicas: u32,
}

/// The services of the problem on the clusters of the problem that they run on.
fn in_use<'a>(problem: &'a PlacementProblem, placement: &'a Placement) -> impl Iterator<Item = InUse<'a>> {
    let mut services = InOrder::new(&problem.services);
    let known = placement.iter().filter_map(move |(service, assignment)| {
        let (service, demand) = services.get(service)?;
        Some((service, demand, assignment))
    });
    known.flat_map(move |(service, demand, assignment)| {
        assignment.iter().filter_map(move |(cluster, replicas)| {
            let (number, cluster, supply) = problem.clusters.get_full(cluster)?;
            let pair = Pair {
                problem,
                service,
                demand,
                cluster,
                supply,
            };
            Some(InUse {
                pair,
                number,
                replicas,
            })
        })
    })
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
