//! The port to whatever makes clusters: asks for one, follows the work.

use std::fmt::{self, Debug};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::clock::{later, since};
use super::{BackendError, ErrorKind, Timer};
use crate::id::ClusterName;
use crate::resources::Resources;

/// The name of work that goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskId(pub String);

impl fmt::Display for TaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A cluster that is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterRequest {
    /// What it will be called.
    pub name: ClusterName,
    /// How many workers; 1 or more.
    pub workers: u32,
    /// What each worker offers.
    pub worker: Resources,
    /// The site it is made at, in the words of the infrastructure (an area of NFVCL); its default when not said.
    pub site: Option<String>,
}

/// How far work has got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum TaskStatus {
    /// It goes on.
    Running,
    /// It is done.
    Done,
    /// It came to nothing.
    Failed {
        /// Why.
        message: String,
    },
}

/// Makes, grows and removes clusters.
///
/// # Contract
/// - A request returns at once with the name of the work; [`TaskStatus::Done`] means that the cluster is part of the
///   fleet, has its new workers, or is gone.
/// - A cluster is known by its name. What the infrastructure calls it (an NFVCL blueprint) stays behind the port.
///
/// # Idempotence
/// Requesting a cluster that is being made in the same way gives the same work. `remove_cluster` of one that is not
/// there is done at once. `add_workers` adds each time it is called.
///
/// # Consistency
/// A finished task may be forgotten (`NotFound`) after the infrastructure restarts; the inventory has the last word.
///
/// # Cancellation
/// Dropping a call does not stop the work.
///
/// # Errors
/// `Invalid` for a request that it refuses (no workers, too many), `Conflict` for a name that is taken by another
/// cluster or while other work goes on for it, `NotFound` for an unknown cluster or task, `Unsupported` for what this
/// infrastructure cannot do.
///
/// # Implementations
/// [`InMemoryInfrastructure`](super::memory::InMemoryInfrastructure).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use smo_core::backend::{ClusterBackend, ClusterRequest, InfrastructureBackend, InfrastructureBackendExt};
/// use smo_core::backend::{TaskStatus, memory::{InMemoryFleet, InMemoryInfrastructure}};
/// use smo_core::cluster::Inventory;
/// use smo_core::resources::{ResourceName, Resources};
///
/// let fleet = InMemoryFleet::new(Inventory::default());
/// let infrastructure = InMemoryInfrastructure::new(fleet.clone());
/// let request = ClusterRequest {
///     name: "edge-9".parse()?,
///     workers: 2,
///     worker: Resources::new().with(ResourceName::CPU, 4000),
///     site: None,
/// };
/// let task = infrastructure.request_cluster(&request).await?;
/// let status = infrastructure.finish(&task, &fleet.clock(), Duration::from_secs(900)).await?;
/// assert_eq!(status, TaskStatus::Done);
/// assert_eq!(fleet.inventory().await?.cluster("edge-9").map(|edge| edge.free().cpu().millicores()), Some(8000));
/// # Ok(()) }
/// ```
#[async_trait]
pub trait InfrastructureBackend: Debug + Send + Sync {
    /// Asks for a new cluster.
    async fn request_cluster(&self, request: &ClusterRequest) -> Result<TaskId, BackendError>;

    /// Asks for more workers, of the kind that the cluster has.
    async fn add_workers(&self, cluster: &ClusterName, workers: u32) -> Result<TaskId, BackendError>;

    /// Asks for the end of a cluster.
    async fn remove_cluster(&self, cluster: &ClusterName) -> Result<TaskId, BackendError>;

    /// How far work has got.
    async fn task(&self, task: &TaskId) -> Result<TaskStatus, BackendError>;
}

/// Conveniences for every [`InfrastructureBackend`].
#[async_trait]
pub trait InfrastructureBackendExt: InfrastructureBackend {
    /// Waits until work is done or has failed; `Unavailable` when that takes longer than `patience`.
    async fn finish(
        &self,
        task: &TaskId,
        timer: &dyn Timer,
        patience: Duration,
    ) -> Result<TaskStatus, BackendError> {
        const PAUSE: Duration = Duration::from_secs(5);
        let deadline = later(timer.now(), patience);
        loop {
            let status = self.task(task).await?;
            if status != TaskStatus::Running {
                return Ok(status);
            }
            let left = since(deadline, timer.now());
            if left.is_zero() {
                let message = format!("still running after {} s", patience.as_secs());
                return Err(BackendError::new(
                    ErrorKind::Unavailable,
                    format!("task {task}"),
                    message,
                ));
            }
            timer.wait(PAUSE.min(left)).await;
        }
    }
}

impl<B: InfrastructureBackend + ?Sized> InfrastructureBackendExt for B {}
