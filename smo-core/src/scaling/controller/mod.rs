//! The scaling controller: a state machine that is given an observation and the time, and says what to change.
//!
//! It owns no clock and calls nobody. One step asks the scaler what the load needs, and then holds each count back by
//! the policy: fresh samples, one owner, hysteresis, stabilisation, cool-down, step limits. What is held takes its room
//! away from the others before the scaler is asked. It changes counts; moving replicas from one cluster to another at
//! the same count is a matter of placement.

mod memory;
mod observation;
mod policy;
mod report;
mod service;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
use jiff::Timestamp;
use thiserror::Error;

pub use memory::ScalingMemory;
pub(super) use memory::since;
pub use observation::{ExpectedLoad, LoadSample, ObservedService, ScalingObservation};
pub use policy::{ForeignChange, PolicyFault, ScalingPolicy, StepLimit, WithoutSample};
pub use report::{Limit, LoadUsed, ScalingAction, ScalingStep, ServiceVerdict};
use service::Case;

use super::{
    DecidedBy, ExactScaler, Faults, Replace, Scaler, ScalingDecision, ScalingError, ScalingGoals,
    ScalingProblem, ServiceLoad, ServiceTarget, Share, decide,
};
use crate::id::ServiceKey;
use crate::units::Rate;

/// Why a step could not be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ControllerError {
    /// The policy contradicts itself; all faults at once.
    #[error("the scaling policy is inconsistent: {0}")]
    InvalidPolicy(Faults<PolicyFault>),
    /// The observation makes no sense, or the scaler failed.
    #[error(transparent)]
    Scaling(#[from] ScalingError),
    /// A step before the last one.
    #[error("the step at {now} is before the last one at {last}; time does not run backwards")]
    TimeWentBack {
        /// When the last step was.
        last: Timestamp,
        /// When this one is.
        now: Timestamp,
    },
}

/// Decides from step to step how many replicas run.
///
/// What it remembers is outside, in a [`ScalingMemory`] that the host keeps and may store.
#[derive(Debug)]
pub struct ScalingController {
    scaler: Box<dyn Scaler>,
    goals: ScalingGoals,
    policy: ScalingPolicy,
    policies: IndexMap<ServiceKey, ScalingPolicy>,
}

impl ScalingController {
    /// A controller with the exact scaler, the default goals, and `policy` for every service.
    ///
    /// # Errors
    /// [`ControllerError::InvalidPolicy`] with every fault of the policy.
    pub fn new(policy: ScalingPolicy) -> Result<Self, ControllerError> {
        Ok(Self {
            scaler: Box::new(ExactScaler::new()),
            goals: ScalingGoals::default(),
            policy: sound(policy)?,
            policies: IndexMap::new(),
        })
    }

    /// The same with another scaler.
    #[must_use]
    pub fn with_scaler(mut self, scaler: Box<dyn Scaler>) -> Self {
        self.scaler = scaler;
        self
    }

    /// The same with other goals.
    #[must_use]
    pub const fn with_goals(mut self, goals: ScalingGoals) -> Self {
        self.goals = goals;
        self
    }

    /// The same with another policy for one service.
    ///
    /// # Errors
    /// [`ControllerError::InvalidPolicy`] with every fault of the policy.
    pub fn with_service_policy(
        mut self,
        service: ServiceKey,
        policy: ScalingPolicy,
    ) -> Result<Self, ControllerError> {
        self.policies.insert(service, sound(policy)?);
        Ok(self)
    }

    fn policy(&self, service: &ServiceKey) -> &ScalingPolicy {
        self.policies.get(service).unwrap_or(&self.policy)
    }

    /// Takes one step: says what every service should run from `now` on. The host carries the changes out, and sees
    /// them in the next observation. `memory` is only changed when the step succeeds.
    ///
    /// # Errors
    /// [`ControllerError::Scaling`] for an observation that makes no sense, with every fault, and for a scaler that is
    /// wrong; [`ControllerError::TimeWentBack`] for a step before the last one.
    pub fn step(
        &self,
        memory: &mut ScalingMemory,
        observation: &ScalingObservation,
        now: Timestamp,
    ) -> Result<ScalingStep, ControllerError> {
        if let Some(last) = memory.last_step.filter(|last| *last > now) {
            return Err(ControllerError::TimeWentBack { last, now });
        }
        let mut next = memory.clone();
        next.last_step = Some(now);
        // A service that is no longer observed is forgotten.
        next.services
            .retain(|service, _| observation.services.contains_key(service));
        let mut cases = Vec::with_capacity(observation.services.len());
        for (key, observed) in &observation.services {
            let memory = next.services.entry(key.clone()).or_default();
            cases.push(Case::open(key, observed, self.policy(key), memory, now));
        }
        let replace = self.recommend(observation, &mut cases)?;
        for case in &mut cases {
            let memory = next.services.entry(case.key.clone()).or_default();
            case.limit(memory, now);
        }
        self.divide(observation, &mut cases)?;
        let mut services = IndexMap::with_capacity(cases.len());
        for case in cases {
            let memory = next.services.entry(case.key.clone()).or_default();
            case.remember(memory, now);
            services.insert(case.key.clone(), case.verdict());
        }
        *memory = next;
        Ok(ScalingStep {
            at: now,
            services,
            replace,
        })
    }

    /// Asks the scaler about the services that are decided, in the room that the others leave.
    fn recommend(
        &self,
        observation: &ScalingObservation,
        cases: &mut [Case<'_>],
    ) -> Result<Option<Replace>, ControllerError> {
        // Faults of the whole observation, held services included.
        let everything = self.problem(observation, cases, |_| true, |case| Some(case.asked));
        let faults = everything.faults();
        if !faults.is_empty() {
            return Err(ScalingError::InvalidProblem(Faults(faults)).into());
        }
        let problem = self.problem(observation, cases, |case| !case.held, |case| Some(case.asked));
        let decision = decide(self.scaler.as_ref(), &problem)?;
        for case in cases.iter_mut().filter(|case| !case.held) {
            if let Some(target) = decision.services().get(case.key) {
                case.recommended = target.replicas();
                case.target = target.clone();
            }
        }
        let ScalingDecision::Replace(replace) = decision else {
            return Ok(None);
        };
        for case in cases.iter_mut().filter(|case| !case.held) {
            // Nobody who lacks replicas loses some.
            if replace.lacks.iter().any(|lack| lack.service == *case.key) {
                case.recommended = case.recommended.max(case.current);
            }
        }
        Ok(Some(replace))
    }

    /// The question about some of the services, in the room that the others leave.
    fn problem<'a>(
        &self,
        observation: &ScalingObservation,
        cases: &[Case<'a>],
        decided: impl Fn(&Case<'a>) -> bool,
        load: impl Fn(&Case<'a>) -> Option<(Rate, u32)>,
    ) -> ScalingProblem {
        let mut problem = ScalingProblem {
            services: IndexMap::new(),
            clusters: observation.clusters.clone(),
            goals: self.goals,
        };
        for case in cases {
            let observed = case.observed;
            if decided(case) {
                let (load, min) = load(case).unwrap_or((Rate::ZERO, 0));
                let service = ServiceLoad {
                    load,
                    throughput: observed.throughput,
                    min,
                    max: observed.max,
                    per_replica: observed.per_replica.clone(),
                    requires: observed.requires.clone(),
                    clusters: observed.clusters.clone(),
                };
                problem.services.insert(case.key.clone(), service);
                continue;
            }
            for (cluster, replicas) in &observed.clusters {
                let holds = observed.per_replica.checked_mul(*replicas);
                if let (Some(room), Some(holds)) = (problem.clusters.get_mut(cluster), holds) {
                    room.capacity = room.capacity.saturating_sub(&holds);
                }
            }
        }
        problem
    }

    /// Divides the counts that change over the clusters; where they do not fit beside what is held back, what is held
    /// back gives way, and else nothing changes.
    fn divide(
        &self,
        observation: &ScalingObservation,
        cases: &mut [Case<'_>],
    ) -> Result<(), ControllerError> {
        if self.try_divide(observation, cases)? {
            return Ok(());
        }
        for case in cases
            .iter_mut()
            .filter(|case| !case.held && case.count > case.recommended)
        {
            case.count = case.recommended;
            let told =
                |limit: &Limit| matches!(limit, Limit::ForeignChange { .. } | Limit::NotCarriedOut { .. });
            case.limits.retain(told);
            case.limits.push(Limit::RoomNeeded);
        }
        if self.try_divide(observation, cases)? {
            return Ok(());
        }
        for case in cases.iter_mut().filter(|case| case.count > case.current) {
            case.limits.push(Limit::NoRoom { wanted: case.count });
            case.count = case.current;
        }
        if !self.try_divide(observation, cases)? {
            for case in cases.iter_mut() {
                case.count = case.current;
                case.shares = stay(case);
            }
        }
        Ok(())
    }

    fn try_divide(
        &self,
        observation: &ScalingObservation,
        cases: &mut [Case<'_>],
    ) -> Result<bool, ControllerError> {
        for case in cases.iter_mut() {
            case.shares = stay(case);
        }
        let changes = |case: &Case<'_>| case.count != case.current;
        let problem = self.problem(observation, cases, changes, |_| None);
        if problem.services.is_empty() {
            return Ok(true);
        }
        let counts: Vec<u32> = cases
            .iter()
            .filter(|case| changes(case))
            .map(|case| case.count)
            .collect();
        let ScalingDecision::Scale(targets) = ExactScaler::new().divide(&problem, &counts)? else {
            return Ok(false);
        };
        for case in cases.iter_mut() {
            if let Some(target) = targets.services.get(case.key) {
                case.shares.clone_from(&target.shares);
            }
        }
        Ok(true)
    }
}

fn sound(policy: ScalingPolicy) -> Result<ScalingPolicy, ControllerError> {
    let faults = policy.faults();
    if faults.is_empty() {
        Ok(policy)
    } else {
        Err(ControllerError::InvalidPolicy(Faults(faults)))
    }
}

fn stay(case: &Case<'_>) -> Vec<Share> {
    let share = |(cluster, replicas): (&crate::id::ClusterName, &u32)| Share {
        cluster: cluster.clone(),
        from: *replicas,
        to: *replicas,
    };
    case.observed.clusters.iter().map(share).collect()
}

/// A target that changes nothing, before anything is decided.
fn unchanged(observed: &ObservedService, load: Rate) -> ServiceTarget {
    let share = |(cluster, replicas): (&crate::id::ClusterName, &u32)| Share {
        cluster: cluster.clone(),
        from: *replicas,
        to: *replicas,
    };
    ServiceTarget {
        shares: observed.clusters.iter().map(share).collect(),
        load,
        throughput: observed.throughput,
        needed: observed.throughput.needed(load),
        decided_by: DecidedBy::Asked,
    }
}
