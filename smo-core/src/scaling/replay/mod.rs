//! Replaying a load: what a policy of scaling would have decided, and how well that would have served.
//!
//! A [`Workload`] says what came and what replicas carry, a [`ReplayPolicy`] decides tick by tick from what it could have
//! known then, and [`replay`] counts: how often too little was ready, how many replica-hours that took, how many were too
//! many and too few, and how often counts changed. [`Hpa`], [`Keda`] and [`PredecessorLoop`] do as others do; [`Foresight`]
//! knows the future and shows what is possible; [`Predictive`] is this library's controller with its forecast.

mod foresight;
mod generate;
mod hpa;
mod keda;
mod pace;
mod policy;
mod predecessor;
mod predictive;
mod run;
#[cfg(test)]
mod tests;
mod workload;

use thiserror::Error;

pub use foresight::Foresight;
pub use generate::GeneratedLoad;
pub use hpa::Hpa;
pub use keda::Keda;
pub use policy::{ReplayPolicy, ReplayView};
pub use predecessor::PredecessorLoop;
pub use predictive::{Predictive, PredictiveOptions};
pub use run::{ReplayMoment, ReplayOutcome, replay, replay_with};
pub use workload::{Workload, WorkloadFault};

use super::{ControllerError, Faults, ForecastError};

/// Why there is no replay.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The workload makes no sense; all faults at once.
    #[error("the workload cannot be replayed: {0}")]
    Invalid(Faults<WorkloadFault>),
    /// A policy that makes no sense.
    #[error("the policy {policy} makes no sense: {fault}")]
    Policy {
        /// Its name.
        policy: String,
        /// What is wrong.
        fault: String,
    },
    /// The controller failed.
    #[error(transparent)]
    Controller(#[from] ControllerError),
    /// The forecast failed.
    #[error(transparent)]
    Forecast(#[from] ForecastError),
}
