//! The trait of policies, and what they are shown.

use std::fmt::Debug;

use jiff::Timestamp;

use super::{ReplayError, Workload};

/// What a policy may know at a tick. It is shown the workload for what replicas carry and their bounds; looking at the load
/// to come is for [`Foresight`](super::Foresight) only.
#[derive(Debug, Clone, Copy)]
pub struct ReplayView<'a> {
    /// The number of the tick.
    pub tick: usize,
    /// When.
    pub now: Timestamp,
    /// What was measured, in requests per second; `None` without a sample.
    pub sample: Option<f64>,
    /// How many replicas are asked for.
    pub asked: u32,
    /// How many of them serve.
    pub ready: u32,
    /// The workload.
    pub workload: &'a Workload,
}

/// A policy of scaling: a state machine, without chance.
///
/// # Contract
/// `decide` says how many replicas to ask for from now on. The bounds of the workload are kept by the replay.
///
/// # Implementations
/// [`Hpa`](super::Hpa), [`Keda`](super::Keda), [`PredecessorLoop`](super::PredecessorLoop),
/// [`Predictive`](super::Predictive), [`Foresight`](super::Foresight).
///
/// # Example
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use smo_core::scaling::{LoadSeries, ReplayError, ReplayPolicy, ReplayView, Throughput, Workload, replay};
///
/// #[derive(Debug)]
/// struct Always(u32);
///
/// impl ReplayPolicy for Always {
///     fn name(&self) -> String {
///         format!("always {}", self.0)
///     }
///     fn decide(&mut self, _: &ReplayView<'_>) -> Result<u32, ReplayError> {
///         Ok(self.0)
///     }
/// }
///
/// let load = LoadSeries::new(Timestamp::UNIX_EPOCH, Duration::from_secs(3600), vec![Some(5.0), Some(15.0)])?;
/// let workload = Workload::new(load, Throughput::new(10.0, 0.0).unwrap(), 1, 9);
/// let outcome = replay(&mut Always(1), &workload)?;
/// assert_eq!((outcome.violation_share, outcome.replica_hours, outcome.under_hours), (0.5, 2.0, 1.0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReplayPolicy: Debug {
    /// The name that reports show.
    fn name(&self) -> String;

    /// How many replicas to ask for.
    ///
    /// # Errors
    /// When the policy makes no sense or fails.
    fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError>;
}
