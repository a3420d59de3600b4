//! Carries plans out through the ports, and keeps them carried out.
//!
//! The [`Orchestrator`] remembers in a [`StateStore`] what is wanted of each graph, looks at what runs, and closes the
//! gap: [`Orchestrator::apply`] for a plan, [`Orchestrator::on_alerts`] for services that wait for alerts,
//! [`Orchestrator::reconcile`] for everything that went wrong meanwhile. It owns no loop, no thread and no clock: the
//! host calls `reconcile`, which does one step and says when it wants to be called next.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use smo_core::backend::memory::InMemoryFleet;
//! use smo_core::cluster::{Cluster, Inventory};
//! use smo_core::graph::{ApplicationGraph, Service};
//! use smo_core::orchestrator::{GraphState, Orchestrator};
//! use smo_core::plan::Planner;
//! use smo_core::resources::{ResourceName, Resources};
//!
//! let offered = Resources::new().with(ResourceName::CPU, 8000).with(ResourceName::MEMORY, 16 << 30);
//! let fleet = InMemoryFleet::new(Inventory::new([Cluster::new("edge-1".parse()?, offered)]));
//! let orchestrator = Orchestrator::builder(fleet.clone(), fleet.clock()).build();
//!
//! let web = Service::new("web".parse()?, "oci://registry.example.com/shop/web:1.0.0");
//! let graph = ApplicationGraph::new("shop".parse()?, [web], [])?;
//! let deployment = orchestrator.deploy(&graph, &Planner::new()).await?;
//!
//! let status = orchestrator.status(&deployment.plan.graph).await?;
//! assert_eq!(status.state, GraphState::Running);
//! # Ok(()) }
//! ```

mod apply;
mod autoscale;
mod autoscaler;
mod builder;
mod changes;
mod error;
mod events;
mod lifecycle;
mod observe;
mod reconcile;
mod record;
mod report;
mod rollback;
mod status;
mod together;

use std::sync::Arc;

pub use autoscale::{ScalingReport, ScalingTrouble};
pub use autoscaler::{Autoscaler, LoadForecast, ScaledService};
pub use builder::{OrchestratorBuilder, Patience};
pub use error::OrchestratorError;
pub use events::{AlertNotice, AlertOutcome, AlertState};
pub use lifecycle::Deployment;
pub use reconcile::{Advice, ReconcileReport};
pub use report::{ApplyReport, Step, StepResult, Subject};
pub use status::{GraphState, GraphStatus, ServiceState, ServiceStatus};

use crate::backend::{
    AlertBackend, ClusterBackend, DashboardBackend, MetricsBackend, ReleaseBackend, StateStore, Timer,
};
use crate::cluster::Headroom;

/// Carries plans out and keeps them carried out. Clones share everything.
///
/// One long operation (apply, start, stop, remove) at a time is allowed for a graph; another one is told
/// [`OrchestratorError::Busy`]. Operations on different graphs do not wait for one another. Several orchestrators may
/// share a store: its optimistic concurrency keeps them apart.
///
/// Dropping the future of a long operation leaves the graph busy until its lease ends ([`Patience::healthy`] after the
/// last sign of progress); `reconcile` then carries on with it.
#[derive(Debug, Clone)]
pub struct Orchestrator {
    clusters: Arc<dyn ClusterBackend>,
    releases: Arc<dyn ReleaseBackend>,
    alerts: Arc<dyn AlertBackend>,
    /// False when alerts come only from outside (a webhook), so that `reconcile` has nobody to ask.
    polls_alerts: bool,
    dashboards: Arc<dyn DashboardBackend>,
    metrics: Arc<dyn MetricsBackend>,
    store: Arc<dyn StateStore>,
    timer: Arc<dyn Timer>,
    patience: Patience,
    at_once: usize,
    headroom: Option<Headroom>,
}
