//! The port to a chart installer: what `helm` does, for one control plane.

use std::fmt::{self, Debug};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::BackendError;
use crate::helm_values::HelmValues;
use crate::id::{Project, ServiceId};

/// A Helm release by name. The namespace is the project, the name the service id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ReleaseName {
    /// The Kubernetes namespace.
    pub namespace: Project,
    /// The name in it.
    pub name: ServiceId,
}

impl fmt::Display for ReleaseName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// The state that Helm says a release is in ([states](https://helm.sh/docs/helm/helm_status/)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChartState {
    /// Installed; says nothing about whether anything runs.
    Deployed,
    /// The last operation failed; objects of it may be in place.
    Failed,
    /// An operation is under way, or was cut off.
    Pending,
    /// Being taken away.
    Uninstalling,
    /// Anything else.
    Other,
}

/// One installed release as the installer keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InstalledChart {
    /// The release.
    pub release: ReleaseName,
    /// Its revision, from 1.
    pub revision: u64,
    /// The chart and its version, such as `web-1.2.0`.
    pub chart: String,
    /// The state it is in.
    pub state: ChartState,
}

/// Installs charts, changes and removes them, as Helm does.
///
/// # Contract
/// - A chart is named as an [`ArtifactBackend`](super::ArtifactBackend) names it; an implementation may understand
///   more, such as a folder.
/// - `apply` installs or upgrades so that chart and values are exactly those given; values of an earlier revision are
///   not kept. It makes the namespace where there is none. It does not wait for anything to run.
/// - A failed first install leaves no release and no object of it behind (the namespace stays); a failed upgrade leaves
///   the revision before in force, which may have a new number then. When cleaning up fails too, the message says so.
/// - `rollback` makes a new revision with chart and values of an earlier one.
/// - `values` gives what was last given to `apply`, not the chart's defaults; after `rollback`, what that revision had.
/// - `render` gives the objects that a first `apply` would write, without writing or asking the control plane.
/// - A revision counts from 1 and only grows while the release exists.
///
/// # Idempotence
/// `apply` of what is in place may make a new revision. `uninstall` of what is not there is `false`.
///
/// # Consistency
/// `status`, `values` and `list` after a call show its effect. Whether anything runs is observed elsewhere.
///
/// # Cancellation
/// A dropped call was done, partly done or not; `status` tells. The next `apply` or `uninstall` mends what was cut off.
///
/// # Errors
/// `NotFound` for a chart that does not exist, and for the values or the rollback of a release or revision that does
/// not; `Invalid` for values or templates that are refused, with the installer's own words; `Conflict` for objects that
/// somebody else owns and for an operation under way; `Unavailable` when the control plane or the registry does not
/// answer; `Unauthenticated` when one of them refuses the credentials.
///
/// # Implementations
/// [`InMemoryCharts`](super::memory::InMemoryCharts); the `helm` program in the crate `smo-artifact`.
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use smo_core::backend::{ChartBackend, ChartState, ReleaseName, memory::InMemoryCharts};
/// use smo_core::helm_values::HelmValues;
///
/// let charts = InMemoryCharts::new();
/// charts.add_chart("oci://registry/shop/web:1.0.0", "web-1.0.0");
/// let web = ReleaseName { namespace: "shop".parse()?, name: "web".parse()? };
/// let values: HelmValues = serde_json::from_str(r#"{"replicas": 2}"#)?;
/// let installed = charts.apply(&web, "oci://registry/shop/web:1.0.0", &values).await?;
/// assert_eq!((installed.revision, installed.state), (1, ChartState::Deployed));
/// assert_eq!(charts.values(&web).await?, values);
/// assert!(charts.uninstall(&web).await?);
/// assert!(!charts.uninstall(&web).await?);
/// # Ok(()) }
/// ```
#[async_trait]
pub trait ChartBackend: Debug + Send + Sync {
    /// Installs or upgrades, and gives the revision in place.
    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<InstalledChart, BackendError>;

    /// Goes back to an earlier revision, which becomes a new one.
    async fn rollback(&self, release: &ReleaseName, revision: u64) -> Result<InstalledChart, BackendError>;

    /// Takes a release away; false when there was none.
    async fn uninstall(&self, release: &ReleaseName) -> Result<bool, BackendError>;

    /// A release, if it is there.
    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, BackendError>;

    /// The releases of a namespace, or of all, in order of namespace and name.
    async fn list(&self, namespace: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError>;

    /// The values that a release was given.
    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError>;

    /// The Kubernetes objects that a chart makes of these values, in the installer's order.
    async fn render(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Vec<serde_json::Value>, BackendError>;
}
