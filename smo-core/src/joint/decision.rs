//! What comes back: counts and placement with one proof, or why there is none.

use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use super::bounds::carried;
use super::{ElasticService, JointProblem};
use crate::id::ServiceKey;
use crate::placement::{Decision, Diagnosis};
use crate::table::Table;
use crate::units::Rate;

/// The replicas of one service, and what they carry where they run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JointTarget {
    /// How many replicas should run.
    pub replicas: u32,
    /// What has to be carried.
    pub load: Rate,
    /// What these replicas carry where they run, the slowest cluster deciding.
    pub capacity: Rate,
}

impl JointTarget {
    /// True when the load is not carried. Never so in an answer of [`super::decide_jointly`].
    #[must_use]
    pub fn is_overloaded(&self) -> bool {
        self.capacity < self.load
    }
}

/// Counts and placement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JointDecision {
    /// The services with a load, in their order.
    pub targets: IndexMap<ServiceKey, JointTarget>,
    /// Where all services run, with value, bound and explanation. The bound holds for all counts.
    pub decision: Decision,
    /// Placement questions that were asked.
    pub questions: u64,
    /// True when the one who watched ended it, before all counts were looked at.
    pub stopped: bool,
}

impl JointDecision {
    pub(super) fn new(problem: &JointProblem, decision: Decision, questions: u64, stopped: bool) -> Self {
        let target = |(service, elastic): (&ServiceKey, &ElasticService)| {
            let there = decision.placement.get(service);
            let target = JointTarget {
                replicas: there.map_or(0, crate::placement::Assignment::replicas),
                load: elastic.load,
                capacity: carried(problem, service, &decision.placement),
            };
            (service.clone(), target)
        };
        Self {
            targets: problem.loads.iter().map(target).collect(),
            decision,
            questions,
            stopped,
        }
    }

    /// The services whose load is not carried, in their order.
    pub fn overloaded(&self) -> impl Iterator<Item = (&ServiceKey, &JointTarget)> {
        self.targets.iter().filter(|(_, target)| target.is_overloaded())
    }
}

impl fmt::Display for JointDecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n", self.decision.verdict())?;
        let titles = ["service", "replicas", "load", "carried", "clusters"];
        let mut table = Table::new(&titles).right(1).right(2).right(3);
        for (service, target) in &self.targets {
            let there = self.decision.placement.get(service);
            let note = if target.is_overloaded() { "; too few" } else { "" };
            table.push([
                service.to_string(),
                target.replicas.to_string(),
                target.load.to_string(),
                target.capacity.to_string(),
                there.map_or_else(|| "-".to_owned(), ToString::to_string) + note,
            ]);
        }
        write!(f, "{table}")
    }
}

/// A service whose load no allowed count carries anywhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overload {
    /// The service.
    pub service: ServiceKey,
    /// What has to be carried.
    pub load: Rate,
    /// The most that can be carried: by all replicas allowed, on the fastest cluster that is open to it.
    pub most: Rate,
    /// The replicas allowed.
    pub max: u32,
}

impl Overload {
    pub(super) fn new(service: &ServiceKey, elastic: &ElasticService, most: Rate) -> Self {
        Self {
            service: service.clone(),
            load: elastic.load,
            most,
            max: elastic.max,
        }
    }
}

impl fmt::Display for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            load,
            most,
            max,
        } = self;
        write!(
            f,
            "{service} has to carry {load}, and {max} replicas carry {most} at most; allow more of them"
        )
    }
}

/// The answer to a joint question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant)]
pub enum JointOutcome {
    /// Counts and placement.
    Decided(JointDecision),
    /// The maximum of some services is too low wherever they run.
    Overloaded(Vec<Overload>),
    /// No placement was found for any counts that carry the loads; the reasons are those of the counts tried last.
    Infeasible(Diagnosis),
}

impl JointOutcome {
    /// The decision, if there is one.
    #[must_use]
    pub const fn decision(&self) -> Option<&JointDecision> {
        match self {
            Self::Decided(decision) => Some(decision),
            Self::Overloaded(_) | Self::Infeasible(_) => None,
        }
    }
}

impl fmt::Display for JointOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Decided(decision) => decision.fmt(f),
            Self::Overloaded(overloads) => overloads
                .iter()
                .try_for_each(|overload| writeln!(f, "{overload}")),
            Self::Infeasible(diagnosis) => diagnosis.fmt(f),
        }
    }
}
