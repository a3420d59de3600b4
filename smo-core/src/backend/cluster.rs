//! The port to the fleet: which clusters there are and what they can take.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{BackendError, ErrorKind};
use crate::cluster::{Cluster, Inventory};
use crate::id::ClusterName;

/// Sees the member clusters.
///
/// # Contract
/// - `inventory` lists every cluster that the fleet has, those that are down or have not reported included: their
///   [`Readiness`](crate::cluster::Readiness) says what is wrong. A cluster is never left out because a part of its
///   report is missing, and never `Ready` because an old report says so.
/// - `allocated` counts what *all* running work requests, this library's releases included, so `Cluster::free` is what
///   is left. Whoever decides anew about a running service has to add back what it holds. A resource that nothing
///   requests may be missing from `allocated`: it reads as 0.
/// - A cluster that is down keeps the last amounts it reported.
///
/// # Idempotence
/// Looking changes nothing.
///
/// # Consistency
/// One call is one snapshot, taken at `observed_at`. It may be older than what was just applied: Karmada refreshes
/// cluster status every ten seconds.
///
/// # Cancellation
/// Safe at any time.
///
/// # Errors
/// `Unavailable` when the fleet's control plane does not answer. A cluster that does not answer is no error.
///
/// # Implementations
/// [`InMemoryFleet`](super::memory::InMemoryFleet).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smo_core::backend::{ClusterBackend, memory::InMemoryFleet};
/// use smo_core::cluster::{Cluster, Inventory};
/// use smo_core::resources::{ResourceName, Resources};
///
/// let edge = Cluster::new("edge-1".parse()?, Resources::new().with(ResourceName::CPU, 8000));
/// let fleet = InMemoryFleet::new(Inventory::new([edge]));
/// assert_eq!(fleet.inventory().await?.ready().count(), 1);
/// # Ok(()) }
/// ```
#[async_trait]
pub trait ClusterBackend: Debug + Send + Sync {
    /// Every cluster, at one moment.
    async fn inventory(&self) -> Result<Inventory, BackendError>;
}

/// Conveniences for every [`ClusterBackend`].
#[async_trait]
pub trait ClusterBackendExt: ClusterBackend {
    /// One cluster; `NotFound` when the fleet has none of that name.
    async fn cluster(&self, name: &ClusterName) -> Result<Cluster, BackendError> {
        let mut inventory = self.inventory().await?;
        let missing = || {
            BackendError::new(
                ErrorKind::NotFound,
                format!("cluster {name}"),
                "the fleet has no such cluster",
            )
        };
        inventory.clusters.shift_remove(name).ok_or_else(missing)
    }
}

impl<B: ClusterBackend + ?Sized> ClusterBackendExt for B {}
