//! Deciding which clusters run each service: one problem, strategies behind one trait, every answer re-checked.
//!
//! [`PlacementProblem`] states the question, a [`Placer`] answers it, [`decide`] checks the answer with code that shares
//! nothing with the placer and adds totals and reasons; [`solve`] does the same without reasons. No placement is a value,
//! [`Outcome::Infeasible`], with a [`Diagnosis`].

pub mod ask;
mod assignment;
mod auto;
mod breach;
mod constraint;
mod custom;
mod decide;
mod decision;
mod diagnose;
mod diagnosis;
mod diagnosis_map;
mod domain;
mod evaluate;
mod exhaustive;
mod explain;
mod explanation;
pub mod file;
mod first_fit;
mod fleet;
pub mod goals;
mod green;
mod grid;
mod in_order;
pub mod integers;
mod local;
mod map;
mod milp;
mod placer;
mod pose;
mod priority;
mod problem;
mod report;
pub mod rules;
mod solve;
mod teller;
mod validate;
mod verify;
mod watched;
mod whole;

pub use assignment::{Assignment, Placement};
pub use auto::AutoPlacer;
pub use breach::{Breach, SpreadFault};
pub use constraint::{
    AntiAffinityGroup, Budget, Ceiling, CoLocationGroup, HighAvailability, LabelRequirement, Mode, Spread,
};
pub use custom::{CustomGoal, CustomRule};
pub use decide::decide;
pub use decision::{Decision, Level, Outcome, Proof, Status, Totals, Work};
pub use diagnosis::{Diagnosis, Hint, ServiceDiagnosis, Shortage};
pub use domain::DomainKey;
pub use evaluate::evaluate;
pub use exhaustive::Exhaustive;
pub use explanation::{Alternative, ClusterUse, Explanation, Reason, ServiceExplanation};
pub use first_fit::FirstFit;
pub use fleet::{Certificate, Certified, FleetPlacer, certify};
pub use goals::{Facts, Goal, Goals, Measure, Value, Weight};
pub use green::GreenConsolidation;
pub use integers::IntegerModel;
pub use milp::MilpPlacer;
pub use placer::{Answer, PlaceContext, PlacementError, Placer, Progress, Watch};
pub use problem::{ClusterSupply, LinkDemand, LinkLimit, PlacementProblem, ServiceDemand};
pub use rules::{Rule, default_rules};
pub use solve::{Solution, Solved, solve};
pub use verify::verify;
pub use watched::{decide_watched, solve_watched};
