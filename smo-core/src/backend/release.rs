//! The port to releases: bring one about, take it away, see what became of it.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};

use async_trait::async_trait;

use super::{BackendError, ErrorKind};
use crate::cluster::ObservedRelease;
use crate::id::{ClusterName, GraphKey, Project, ServiceKey};
use crate::placement::Assignment;
use crate::plan::ReleaseSpec;

/// Which releases are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Every release of this library.
    All,
    /// Those of one project.
    Project(Project),
    /// Those of one graph.
    Graph(GraphKey),
}

impl Scope {
    /// True when a service is meant.
    #[must_use]
    pub fn contains(&self, service: &ServiceKey) -> bool {
        match self {
            Self::All => true,
            Self::Project(project) => service.graph.project == *project,
            Self::Graph(graph) => service.graph == *graph,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.pad("all"),
            Self::Project(project) => fmt::Display::fmt(project, f),
            Self::Graph(graph) => fmt::Display::fmt(graph, f),
        }
    }
}

/// What applying a release did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The revision that is in place now, from 1.
    pub revision: u64,
    /// False when the release already was as asked for, and nothing was written.
    pub changed: bool,
}

/// What removing a release did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Removed {
    /// False when there was no such release.
    pub existed: bool,
    /// Clusters that do not answer now, so that the removal is owed to them until they return.
    pub owed: Vec<ClusterName>,
}

/// A copy of a service on a cluster where it should not be (any more): after a move, or a removal, while the cluster
/// did not answer. It goes when the cluster is back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leftover {
    /// The service.
    pub service: ServiceKey,
    /// Where the copy is.
    pub cluster: ClusterName,
}

/// The releases of a scope at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObservedReleases {
    /// What is installed, by service.
    pub releases: BTreeMap<ServiceKey, ObservedRelease>,
    /// What is still somewhere although it should not be, by service and cluster.
    pub leftovers: Vec<Leftover>,
}

/// Installs, changes and removes releases, and sees what became of them.
///
/// A release is identified by its [`ServiceKey`]: the project is the namespace, the service id the name in it. Only one
/// graph of a project can have a service of a given id.
///
/// # Contract
/// - `apply` makes chart, values, clusters and replicas be what the spec says. It returns when that was accepted, not
///   when it runs. A spec that the clusters cannot take (unknown or tainted cluster) is accepted and shows up in
///   `observe`, `Degraded`, with the reason. Replicas that find no room in their cluster wait there: they are wanted and
///   not ready, and their release is not `Healthy`.
/// - A decided target without clusters is `Invalid`: a fleet would read an empty list as "everywhere". Only a chart
///   that chooses for itself may name none, and then it does run everywhere.
/// - `apply` refuses with `Conflict`, before it writes anything, a name that belongs to another graph or to somebody
///   else (a foreign release, or a foreign policy on the same objects, which a fleet would obey in silence).
/// - `scale` changes replicas and clusters of an installed release and nothing else: values and revision stay. An empty
///   assignment scales to zero: the release stays, with 0 replicas where it was, and nothing of it is in a cluster;
///   scaled up again, it has to be let in again. The next `apply` sets the replicas of
///   its own spec again, so whoever scales hands the new assignment on.
/// - `remove` takes the release away everywhere, and only the release of that very graph: a namesake of another graph is
///   not touched. To a cluster that does not answer the removal is owed, and done when
///   it returns.
/// - `observe` shows the count that is set now, whoever set it, and in
///   [`owners`](crate::cluster::ObservedRelease::owners) every autoscaler that names the workload as its target, as
///   `Kind/name`: two owners of one count would undo one another.
/// - `observe` reads health *together with the readiness of the cluster*: replicas on a cluster that is not ready are
///   `Unknown`, whatever was last heard of them.
///
/// # Idempotence
/// `apply` of the spec in place changes nothing and says so. `remove` of what is not there succeeds. `scale` to what is
/// in place changes nothing.
///
/// # Consistency
/// `observe` after a call shows its effect at once as a release (revision, values, wanted replicas); clusters follow
/// later. A copy that has moved away may still run for a moment, or until its cluster returns: it is a leftover.
///
/// # Cancellation
/// A dropped call was done or not; repeat it, or observe.
///
/// # Errors
/// `Conflict` and `Invalid` as above; `NotFound` for a chart that does not exist and for `scale` of what is not
/// installed; `Unavailable` when the control plane does not answer, with nothing or everything written.
///
/// # Implementations
/// [`InMemoryFleet`](super::memory::InMemoryFleet).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use smo_core::backend::{ReleaseBackend, ReleaseBackendExt, Scope, memory::InMemoryFleet};
/// use smo_core::cluster::{Cluster, Inventory};
/// use smo_core::placement::Assignment;
/// use smo_core::plan::{ReleaseSpec, Target};
/// use smo_core::resources::{ResourceName, Resources};
///
/// let edge = Cluster::new("edge-1".parse()?, Resources::new().with(ResourceName::CPU, 8000));
/// let fleet = InMemoryFleet::new(Inventory::new([edge]));
/// let web = ReleaseSpec {
///     service: "default/shop/web".parse()?,
///     chart: "oci://registry/shop/web:1.0.0".to_owned(),
///     values: serde_json::Map::new().into(),
///     target: Target::Clusters(Assignment::single("edge-1".parse()?, 2)),
///     resources: Resources::new().with(ResourceName::CPU, 500),
/// };
/// assert!(fleet.apply(&web).await?.changed);
/// assert!(!fleet.apply(&web).await?.changed);
/// assert!(!fleet.release(&web.service).await?.is_healthy());
/// fleet.advance(Duration::from_secs(1)); // replicas start
/// assert!(fleet.release(&web.service).await?.is_healthy());
/// assert!(fleet.remove(&web.service).await?.existed);
/// assert!(fleet.observe(&Scope::All).await?.releases.is_empty());
/// # Ok(()) }
/// ```
#[async_trait]
pub trait ReleaseBackend: Debug + Send + Sync {
    /// Makes a release be as `spec` says.
    async fn apply(&self, spec: &ReleaseSpec) -> Result<Applied, BackendError>;

    /// Takes a release away.
    async fn remove(&self, service: &ServiceKey) -> Result<Removed, BackendError>;

    /// Changes how many replicas of an installed release run where.
    async fn scale(&self, service: &ServiceKey, assignment: &Assignment) -> Result<(), BackendError>;

    /// What is installed, and how it does.
    async fn observe(&self, scope: &Scope) -> Result<ObservedReleases, BackendError>;
}

/// Conveniences for every [`ReleaseBackend`].
#[async_trait]
pub trait ReleaseBackendExt: ReleaseBackend {
    /// One release; `NotFound` when it is not installed.
    async fn release(&self, service: &ServiceKey) -> Result<ObservedRelease, BackendError> {
        let mut observed = self.observe(&Scope::Graph(service.graph.clone())).await?;
        let missing = || {
            BackendError::new(
                ErrorKind::NotFound,
                format!("release {service}"),
                "it is not installed",
            )
        };
        observed.releases.remove(service).ok_or_else(missing)
    }
}

impl<B: ReleaseBackend + ?Sized> ReleaseBackendExt for B {}
