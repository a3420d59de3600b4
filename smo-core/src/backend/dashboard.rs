//! The port to dashboards. Pictures are never worth a failed deployment.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;

use super::BackendError;
use crate::plan::Dashboard;

/// Keeps dashboards.
///
/// # Contract
/// - A dashboard is identified by its uid. The backend touches only dashboards that this library wrote.
/// - A caller reports a failure and goes on: a deployment never fails for want of a picture.
///
/// # Idempotence
/// Writing the same dashboard again changes nothing that a viewer sees. Removing one that is not there succeeds.
///
/// # Consistency
/// `list` shows what was written at once.
///
/// # Cancellation
/// A dropped call was done or not; repeat it.
///
/// # Errors
/// `Invalid` for a dashboard that the tool refuses, `Conflict` for a uid that belongs to somebody else, `Unavailable`
/// when the tool does not answer.
///
/// # Implementations
/// [`InMemoryDashboards`](super::memory::InMemoryDashboards).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smo_core::backend::{DashboardBackend, memory::InMemoryDashboards};
/// use smo_core::plan::Dashboard;
///
/// let dashboards = InMemoryDashboards::new();
/// let shop = Dashboard {
///     uid: "default-shop".to_owned(),
///     title: "shop".to_owned(),
///     tags: vec![],
///     variables: vec![],
///     panels: vec![],
/// };
/// dashboards.write(&shop).await?;
/// assert!(dashboards.list().await?.contains_key("default-shop"));
/// dashboards.remove("default-shop").await?;
/// dashboards.remove("default-shop").await?;
/// # Ok(()) }
/// ```
#[async_trait]
pub trait DashboardBackend: Debug + Send + Sync {
    /// Puts a dashboard in place of one of the same uid.
    async fn write(&self, dashboard: &Dashboard) -> Result<(), BackendError>;

    /// Takes a dashboard away.
    async fn remove(&self, uid: &str) -> Result<(), BackendError>;

    /// The dashboards in place: by uid, the fingerprint of their content ([`Dashboard::fingerprint`]).
    async fn list(&self) -> Result<BTreeMap<String, String>, BackendError>;
}
