//! Deciding where services run.

pub(crate) mod ask;
pub(crate) mod certify;
mod claim;
mod decision;
mod diagnosis;
mod goal;
mod goals;
mod names;
mod parts;
pub(crate) mod place;
mod placer;
mod problem;
mod progress;
mod rule;
pub(crate) mod solve;

pub(crate) use certify::Certified;
pub(crate) use decision::{Alternative, Decision, Placed};
pub(crate) use diagnosis::Diagnosis;
pub(crate) use goal::Goal;
pub(crate) use goals::Goals;
pub(crate) use names::{Names, current_placement, read_placement, written};
pub(crate) use parts::{ClusterSupply, ServiceDemand};
pub(crate) use placer::{
    AutoPlacer, Cause, Choice, Exhaustive, FirstFit, FleetPlacer, GreenConsolidation, MilpPlacer, Placer,
};
pub(crate) use problem::{PlacementProblem, problem_json_schema};
pub(crate) use progress::{Progress, Watcher};
pub(crate) use rule::{Rule, rules};
pub(crate) use solve::{NoSolution, Solution};
