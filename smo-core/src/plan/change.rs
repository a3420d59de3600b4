//! The ordered difference between a plan and what runs.

use serde::Serialize;

use super::{AlertGroup, Dashboard, Fingerprint, ReleaseSpec};
use crate::id::{ClusterName, GraphKey, ServiceId, ServiceKey};

/// What is done to a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ReleaseAction {
    /// It is not there yet.
    Install,
    /// It stays where it is with other values or another chart.
    Upgrade {
        /// What differs, as paths of values (`values.serviceImportClusters`) and `chart`.
        differences: Vec<String>,
    },
    /// It goes to other clusters.
    Move {
        /// Where it runs.
        from: Vec<ClusterName>,
        /// Where it will run.
        to: Vec<ClusterName>,
    },
    /// It is right as it is.
    Keep,
    /// It is installed later, when its alerts fire.
    Await,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant)]
pub enum Change {
    /// Bring a release about.
    Release {
        /// The service.
        service: ServiceId,
        /// What is done to it.
        action: ReleaseAction,
        /// What it should be.
        spec: ReleaseSpec,
        /// The clusters that import it, before and after, where they differ.
        imports: Option<[Vec<ClusterName>; 2]>,
    },
    /// Remove a release of this graph that the plan does not have.
    RemoveRelease {
        /// The service.
        service: ServiceKey,
        /// Where it runs.
        from: Vec<ClusterName>,
    },
    /// Write the alert rules of the graph.
    WriteAlerts(AlertGroup),
    /// Remove the alert rules of the graph.
    RemoveAlerts {
        /// The name of the group.
        group: String,
    },
    /// Write a dashboard.
    WriteDashboard(Dashboard),
}

/// The ordered difference: the steps of a wave may be done in any order, a wave after the one before is healthy.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeSet {
    /// The graph.
    pub graph: GraphKey,
    /// The plan it leads to.
    pub plan: Fingerprint,
    /// The state it starts from.
    pub observed: Fingerprint,
    /// The steps, in waves. Waves without steps are left out.
    pub waves: Vec<Vec<Change>>,
}
