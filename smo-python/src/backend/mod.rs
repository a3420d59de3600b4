//! The ports: a class for each, with its methods, and the in-memory implementations below it. Adapters have theirs in
//! `karmada` and `artifact`.
//!
//! What takes a port (`Orchestrator`, `KarmadaConfig.connect`) takes an instance of its class.

mod alerts;
mod artifact;
mod chart;
mod dashboard;
mod delays;
mod fleet;
mod infrastructure;
mod journal;
mod memory_fleet;
mod metrics;
mod release;
mod store;

pub(crate) use alerts::{AlertBackend, FiringAlert, InMemoryAlerts};
pub(crate) use artifact::{ArtifactBackend, ArtifactInfo, InMemoryArtifacts};
pub(crate) use chart::{ChartBackend, InMemoryCharts, InstalledChart};
pub(crate) use dashboard::{DashboardBackend, InMemoryDashboards};
pub(crate) use delays::Delays;
pub(crate) use fleet::{Fleet, FleetPort};
pub(crate) use infrastructure::{InMemoryInfrastructure, InfrastructureBackend, TaskStatus};
pub(crate) use journal::Journal;
pub(crate) use memory_fleet::InMemoryFleet;
pub(crate) use metrics::{InMemoryMetrics, MetricsBackend, RangeSeries, Series};
pub(crate) use release::{
    Applied, ObservedRelease, ObservedReleases, ObservedReplicas, ReleaseSpec, Removed, leftovers,
};
pub(crate) use store::{InMemoryStore, StateStore, StoredDocument};
