//! Karmada under smo: the fleet as an [`Inventory`](smo_core::cluster::Inventory), and releases exactly where a plan
//! puts them.
//!
//! [`KarmadaFleet`] implements smo-core's [`ClusterBackend`](smo_core::backend::ClusterBackend) and
//! [`ReleaseBackend`](smo_core::backend::ReleaseBackend) on the API server of a [Karmada](https://karmada.io) control
//! plane (tested on 1.18). Charts are installed by whichever [`ChartBackend`](smo_core::backend::ChartBackend) the host
//! gives; services that are plain container images (`docker://host/repository:tag`) need none.
//!
//! ```no_run
//! # async fn example(charts: Box<dyn smo_core::backend::ChartBackend>, clock: std::sync::Arc<dyn smo_core::backend::Clock>)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! use smo_core::backend::ClusterBackend;
//! use smo_karmada::KarmadaConfig;
//!
//! let fleet = KarmadaConfig::from_env()?.connect(charts, clock).await?;
//! for cluster in fleet.inventory().await?.ready() {
//!     println!("{}: {} free", cluster.name, cluster.free());
//! }
//! # Ok(()) }
//! ```
//!
//! # What is written
//!
//! | object | for | name |
//! | --- | --- | --- |
//! | `Namespace` | a project that has none yet; it stays when its releases go | the project |
//! | `Secret` of type `smo/release.v1` | a release: chart, values, revision, what was asked for | `smo.<service>` |
//! | `PropagationPolicy` | what has no policy of its own: replica counts as static weights | `<service>.smo` |
//! | `PropagationPolicy` | the import of a Service | `<service>-import.smo` |
//! | `OverridePolicy` | what an image does otherwise in one cluster | `<service>-override.smo` |
//! | `Deployment`, `Service`, `ServiceExport`, `ServiceImport` | an image | the service |
//!
//! Everything is written by server-side apply with strict field validation, and carries `app.kubernetes.io/managed-by`,
//! `part-of` (the graph) and `instance` (the service). `smo` stands for the manager's name, which
//! [`KarmadaConfigBuilder::with_manager`] sets.
//!
//! # What Karmada does otherwise than one would think
//!
//! - An empty list of clusters is *every* cluster: nothing here ever writes one.
//! - A second policy on an object is ignored without a word: foreign ones are looked for before anything is written, and
//!   a chart that brings its own policy is steered by its values, or by editing that policy.
//! - A Service that is imported with several ports needs a name for each: they are filled in where a chart leaves them
//!   out.
//! - The binding of a dead cluster goes on saying `Healthy`: it counts only together with the cluster's own readiness.
//! - A workload of 0 replicas with weights is taken off its clusters, and comes back when it is scaled up.
//! - Of two changes within moments a member may keep the first: a workload that lags behind for six seconds is written
//!   again by an annotation, `smo/renewed`.
//! - A removal reaches a dead cluster when it returns: until then it is a [`Leftover`](smo_core::backend::Leftover), and
//!   the release's record stays.
//!
//! # Permissions
//!
//! [`permissions`] is the role that the user of the kubeconfig needs in Karmada's API server.

mod autoscalers;
mod backend;
mod chart;
mod chart_import;
mod client;
mod clock;
mod config;
#[cfg(test)]
mod double;
mod drift;
mod error;
mod facts;
mod foreign;
mod inventory;
mod leftovers;
pub mod member;
pub mod objects;
mod permissions;
mod record;
mod refusal;
mod release;
mod renewal;
mod split;
mod start;
mod status;
mod submariner;
mod watch;
mod write;

pub use backend::KarmadaFleet;
pub use clock::SystemTime;
pub use config::{Drift, KarmadaConfig, KarmadaConfigBuilder};
pub use error::KarmadaError;
pub use facts::{ClusterFacts, FleetFacts};
pub use inventory::{ClusterDetails, FleetReport, Report, read_clusters};
pub use permissions::permissions;
pub use refusal::{Denied, ManagedField};
pub use submariner::{ClusterNetwork, Gateway, Submariner, Tunnel};
pub use watch::Change;
