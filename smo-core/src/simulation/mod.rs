//! What would happen: the whole loop on a fleet in memory, by a clock that the simulation moves.
//!
//! A [`Simulation`] deploys graphs on an [`InMemoryFleet`](crate::backend::memory::InMemoryFleet), lets their load follow
//! [`LoadTrace`]s, and does what a host does: it reconciles, and scales by load with an [`Autoscaler`](crate::orchestrator::Autoscaler). Every step goes
//! through observe, decide, plan, diff and apply, as on a real fleet; replicas take their time to start, and clusters fail
//! when the scenario says so. The same scenario gives the same result, byte for byte.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::Duration;
//! use smo_core::cluster::{Cluster, Inventory};
//! use smo_core::graph::{ApplicationGraph, Service};
//! use smo_core::orchestrator::{Autoscaler, ScaledService};
//! use smo_core::plan::Planner;
//! use smo_core::resources::{ResourceName, Resources};
//! use smo_core::scaling::{ScalingController, ScalingPolicy, Throughput};
//! use smo_core::simulation::{LoadTrace, Simulation};
//!
//! let offered = Resources::new().with(ResourceName::CPU, 8000).with(ResourceName::MEMORY, 16 << 30);
//! let fleet = Inventory::new([Cluster::new("edge-1".parse()?, offered)]);
//! let web = Service::new("web".parse()?, "oci://registry.example.com/shop/web:1.0.0");
//! let graph = ApplicationGraph::new("shop".parse()?, [web], [])?;
//! let service = "default/shop/web".parse()?;
//!
//! let controller = ScalingController::new(ScalingPolicy::default())?;
//! let scaled = ScaledService::new("web_requests", Throughput::new(10.0, 0.0)?, 6);
//! let autoscaler = Autoscaler::new("shop", controller)
//!     .with_service(service, scaled)
//!     .with_graph(graph, Planner::new());
//! let ten_minutes = Duration::from_secs(600);
//! let load = LoadTrace::new(ten_minutes, &[5.0, 35.0, 5.0])?;
//! let result = Simulation::new(fleet, autoscaler)
//!     .with_load("default/shop/web".parse()?, load)
//!     .run(Duration::from_secs(1800))
//!     .await?;
//! let web = &result.services[0];
//! assert_eq!(web.ready.iter().max(), Some(&4));
//! assert!(web.summary().violations < 0.05);
//! # Ok(()) }
//! ```

mod course;
mod result;
mod run;
mod svg;
#[cfg(test)]
mod tests;
mod trace;

pub use result::{Happening, ServiceCourse, ServiceSummary, SimulationResult};
pub use run::{Simulation, SimulationError};
pub use trace::{LoadTrace, TraceFault};
