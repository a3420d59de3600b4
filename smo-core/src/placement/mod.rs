//! Deciding which clusters run each service: one problem, strategies behind one trait, every answer re-checked.
//!
//! [`PlacementProblem`] states the question, a [`Placer`] answers it, [`decide`] checks the answer with code that shares
//! nothing with the placer and adds totals and reasons. No placement is a value, [`Outcome::Infeasible`], with a
//! [`Diagnosis`].

mod assignment;
mod decide;
mod decision;
mod diagnose;
mod diagnosis;
mod evaluate;
mod explain;
mod explanation;
mod first_fit;
mod goals;
mod green;
mod grid;
mod milp;
mod placer;
mod pose;
mod problem;
mod report;
pub mod rules;
mod verify;

pub use assignment::{Assignment, Placement};
pub use decide::decide;
pub use decision::{Decision, Outcome, Proof, Status, Totals, Work};
pub use diagnosis::{Diagnosis, Hint, ServiceDiagnosis, Shortage};
pub use evaluate::evaluate;
pub use explanation::{Alternative, ClusterUse, Explanation, Reason, ServiceExplanation};
pub use first_fit::FirstFit;
pub use goals::{Goal, Goals, Value, Weight};
pub use green::GreenConsolidation;
pub use milp::MilpPlacer;
pub use placer::{Answer, PlaceContext, PlacementError, Placer};
pub use problem::{ClusterSupply, LinkDemand, LinkLimit, PlacementProblem, ServiceDemand};
pub use rules::{Rule, default_rules};
pub use verify::{Breach, verify};
