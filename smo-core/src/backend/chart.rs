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

/// What Helm says a release is in ([states](https://helm.sh/docs/helm/helm_status/)).
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
    /// What it is in.
    pub state: ChartState,
}

/// Installs charts, changes and removes them, as Helm does.
///
/// # Contract
/// - `apply` installs or upgrades so that chart and values are exactly those given; values of an earlier revision are
///   not kept. It does not wait for anything to run.
/// - A failed first install leaves nothing behind; a failed upgrade leaves the revision before in force.
/// - `values` gives what was last given to `apply`, not the chart's defaults.
/// - `render` gives the objects that `apply` would write, without writing.
///
/// # Idempotence
/// `apply` of what is in place may make a new revision. `uninstall` of what is not there is `false`.
///
/// # Consistency
/// `status` after a call shows its effect.
///
/// # Cancellation
/// A dropped call was done, partly done or not; `status` tells.
///
/// # Errors
/// `NotFound` for a chart that does not exist, `Invalid` for values or templates that are refused, with the
/// installer's own words, `Conflict` for objects that somebody else owns or an operation under way, `Unavailable` when
/// the control plane does not answer, `Unauthenticated` when registry or control plane refuse the credentials.
///
/// # Implementations
/// [`InMemoryCharts`](super::memory::InMemoryCharts).
#[async_trait]
pub trait ChartBackend: Debug + Send + Sync {
    /// Installs or upgrades.
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

    /// The releases of a namespace, or of all, by name.
    async fn list(&self, namespace: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError>;

    /// The values that a release was given.
    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError>;

    /// The Kubernetes objects that a chart makes of these values.
    async fn render(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Vec<serde_json::Value>, BackendError>;
}
