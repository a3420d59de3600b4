//! The pure heart of smo: application graphs, intents, placement, plans, and the traits of the outside world.
//!
//! Everything before *apply* is a plain function from values to values. Modules are ranked; a module uses only modules
//! of lower rank, and those of rank 0 one another without a cycle (a test enforces it):
//!
//! | rank | modules |
//! | --- | --- |
//! | 0 vocabulary | [`units`], [`resources`], [`id`], [`diagnostic`], [`yaml`], [`decode`], [`table`], [`helm_values`], [`value`], [`svg`], [`random`], [`adam`] |
//! | 1 facts, and the optimisation kernels | [`graph`], [`cluster`], [`milp`], [`assign`], [`quadratic`] |
//! | 2 intent | [`intent`] |
//! | 3 reading | [`descriptor`] |
//! | 4 deciding | [`placement`], [`scaling`] |
//! | 5 deciding both, planning | [`joint`], [`plan`] |
//! | 6 ports | [`backend`] |
//! | 7 carrying out | [`orchestrator`] |
//! | 8 simulating | [`simulation`] |

// random problems of the tests name the crate as its users do
#[cfg(test)]
extern crate self as smo_core;

pub mod adam;
pub mod assign;
pub mod backend;
pub mod cluster;
pub mod decode;
pub mod descriptor;
pub mod diagnostic;
pub mod graph;
pub mod helm_values;
pub mod id;
pub mod intent;
pub mod joint;
pub mod milp;
pub mod orchestrator;
pub mod placement;
pub mod plan;
pub mod quadratic;
pub mod random;
pub mod resources;
pub mod scaling;
pub mod simulation;
pub mod svg;
pub mod table;
pub mod units;
pub mod value;
pub mod yaml;
