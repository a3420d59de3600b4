//! The ports: one small trait for each part of the outside world, with a written contract, an in-memory implementation
//! that ships, and a conformance suite that anybody can run on an implementation of their own.
//!
//! | port | what is behind it | in memory |
//! | --- | --- | --- |
//! | [`ClusterBackend`] | the fleet and its capacity | [`memory::InMemoryFleet`] |
//! | [`ReleaseBackend`] | Helm releases propagated to clusters | [`memory::InMemoryFleet`] |
//! | [`ArtifactBackend`] | an OCI registry of charts and descriptors | [`memory::InMemoryArtifacts`] |
//! | [`ChartBackend`] | an installer of charts, such as Helm | [`memory::InMemoryCharts`] |
//! | [`MetricsBackend`] | Prometheus queries | [`memory::InMemoryMetrics`] |
//! | [`AlertBackend`] | alert rules, and which alerts fire | [`memory::InMemoryAlerts`] |
//! | [`DashboardBackend`] | dashboards | [`memory::InMemoryDashboards`] |
//! | [`InfrastructureBackend`] | whatever makes new clusters | [`memory::InMemoryInfrastructure`] |
//! | [`StateStore`] | a database of JSON documents | [`memory::InMemoryStore`] |
//! | [`Clock`], [`Timer`] | the host's time | [`ManualClock`] |
//!
//! Every trait is asynchronous and object-safe, and bound to no runtime. What all contracts share:
//!
//! - **Cancellation.** Dropping a future leaves an operation done or not done, never half done in a way that repeating
//!   the call does not mend.
//! - **Errors.** A [`BackendError`] has a kind and says whether repeating the same call may help. No error text,
//!   `Display` or `Debug`, shows a secret.
//! - **Waiting.** No method waits for a workload. It returns when the request was accepted; what became of it is
//!   observed.

mod alerts;
mod artifact;
mod chart;
mod clock;
mod cluster;
pub mod conformance;
mod dashboard;
mod error;
mod infrastructure;
pub mod memory;
mod metrics;
mod release;
mod store;

pub use alerts::{AlertBackend, AlertBackendExt, FiringAlert};
pub use artifact::{ArtifactBackend, ArtifactBackendExt, ArtifactInfo, ArtifactKind};
pub use chart::{ChartBackend, ChartState, InstalledChart, ReleaseName};
pub use clock::{Clock, ManualClock, Timer};
pub(crate) use clock::{later, since};
pub use cluster::{ClusterBackend, ClusterBackendExt};
pub use dashboard::DashboardBackend;
pub use error::{BackendError, ErrorKind, Retry};
pub use infrastructure::{
    ClusterRequest, InfrastructureBackend, InfrastructureBackendExt, TaskId, TaskStatus,
};
pub use metrics::{Labels, MetricsBackend, MetricsBackendExt, RangeSeries, Sample, Series, TimeRange};
pub use release::{Applied, Leftover, ObservedReleases, ReleaseBackend, ReleaseBackendExt, Removed, Scope};
pub use store::{Document, Expect, StateStore, StateStoreExt};
