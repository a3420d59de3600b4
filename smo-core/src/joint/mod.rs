//! Replicas and placement in one decision: how many replicas a service needs depends on where they run.
//!
//! Scaling first and placing afterwards takes what a replica carries from where it runs today. Where clusters are not
//! equally fast this is wrong both ways: a move to a faster cluster takes more replicas along than it needs, one to a
//! slower cluster too few. [`decide_jointly`] asks for both at once, with every rule and goal of the placement problem and
//! with any [`Placer`](crate::placement::Placer); [`scale_then_place`] is the other way, to compare with.
//!
//! The load of a service is divided evenly over its replicas, so the slowest cluster in use decides how many there have
//! to be.

mod bounds;
mod decision;
mod problem;
mod search;
mod separate;

pub use decision::{JointDecision, JointOutcome, JointTarget, Overload};
pub use problem::{ElasticService, JointError, JointFault, JointProblem};
pub use search::{JointLimits, decide_jointly, decide_jointly_watched};
pub use separate::scale_then_place;
