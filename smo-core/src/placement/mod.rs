//! Deciding which clusters run each service: one problem, strategies behind one trait, every answer re-checked.
//!
//! [`PlacementProblem`] states the question, a [`Placer`] answers it, [`decide`] checks the answer with code that shares
//! nothing with the placer and adds totals and reasons. No placement is a value, [`Outcome::Infeasible`], with a
//! [`Diagnosis`].

mod assignment;
mod decision;
mod diagnosis;
mod explanation;
mod goals;
mod placer;
mod problem;

pub use assignment::{Assignment, Placement};
pub use decision::{Decision, Outcome, Proof, Status, Totals, Work};
pub use diagnosis::{Diagnosis, Hint, ServiceDiagnosis, Shortage};
pub use explanation::{Alternative, ClusterUse, Explanation, Reason, ServiceExplanation};
pub use goals::{Goal, Goals, Value, Weight};
pub use placer::{Answer, PlaceContext, PlacementError, Placer};
pub use problem::{ClusterSupply, LinkDemand, LinkLimit, PlacementProblem, ServiceDemand};
