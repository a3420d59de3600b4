//! Karmada under smo.

mod client;
mod config;
mod error;
mod facts;
mod inventory;
pub mod member;
pub mod objects;

pub use config::{KarmadaConfig, KarmadaConfigBuilder};
pub use error::KarmadaError;
pub use facts::{ClusterFacts, FleetFacts};
pub use inventory::{ClusterDetails, FleetReport, Report, read_clusters};

/// tmp
#[derive(Debug)]
pub struct KarmadaFleet {
    client: client::Client,
    charts: Box<dyn smo_core::backend::ChartBackend>,
    clock: std::sync::Arc<dyn smo_core::backend::Clock>,
    facts: FleetFacts,
}
impl KarmadaFleet {
    /// tmp
    pub fn new(
        client: kube::Client,
        manager: &str,
        charts: Box<dyn smo_core::backend::ChartBackend>,
        clock: std::sync::Arc<dyn smo_core::backend::Clock>,
        facts: FleetFacts,
    ) -> Self {
        Self {
            client: client::Client::new(client, manager),
            charts,
            clock,
            facts,
        }
    }
}
