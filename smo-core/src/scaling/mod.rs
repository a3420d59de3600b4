//! Deciding how many replicas every service runs: one problem, strategies behind one trait, every answer re-checked.
//!
//! [`ScalingProblem`] states the question, a [`Scaler`] answers it, [`decide`] checks the answer with code that shares
//! nothing with the scaler. Too little room is a value, [`ScalingDecision::Replace`], that says which service lacks how
//! much.

mod decision;
mod exact;
mod explain;
mod problem;
mod scaler;
mod threshold;
mod throughput;
mod verify;

pub use decision::{DecidedBy, Lack, LackReason, Replace, ScalingDecision, ServiceTarget, Share, Targets};
pub use exact::ExactScaler;
pub use problem::{ClusterRoom, ProblemFault, ScalingGoals, ScalingProblem, ServiceLoad};
pub use scaler::{Faults, Scaler, ScalingError, decide};
pub use threshold::{ThresholdScaler, Thresholds};
pub use throughput::{Throughput, ThroughputError};
pub use verify::{ScalingBreach, verify};
