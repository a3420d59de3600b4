//! Karmada under smo.

mod facts;
mod inventory;
pub mod member;

pub use facts::{ClusterFacts, FleetFacts};
pub use inventory::{ClusterDetails, FleetReport, Report, read_clusters};
