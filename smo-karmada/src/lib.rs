//! Karmada under smo.

mod backend;
mod chart;
mod client;
mod config;
#[cfg(test)]
mod double;
mod error;
mod facts;
mod foreign;
mod inventory;
pub mod member;
pub mod objects;
mod record;
mod release;
mod split;
mod status;

pub use backend::KarmadaFleet;
pub use config::{KarmadaConfig, KarmadaConfigBuilder};
pub use error::KarmadaError;
pub use facts::{ClusterFacts, FleetFacts};
pub use inventory::{ClusterDetails, FleetReport, Report, read_clusters};
