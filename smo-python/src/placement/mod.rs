//! Deciding where services run.

mod decision;
mod diagnosis;
mod goals;
mod names;
mod placer;
mod problem;

pub(crate) use decision::{Alternative, Decision, Placed};
pub(crate) use diagnosis::Diagnosis;
pub(crate) use goals::Goals;
pub(crate) use names::{Names, current_placement, read_placement};
pub(crate) use placer::{Cause, Choice, FirstFit, GreenConsolidation, MilpPlacer, Placer};
pub(crate) use problem::{ClusterSupply, PlacementProblem, ServiceDemand, place};
