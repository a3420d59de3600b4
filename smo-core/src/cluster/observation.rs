//! What runs, as a backend saw it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::helm_values::HelmValues;
use crate::id::{ClusterName, ServiceKey};
use crate::resources::Resources;

/// Whether replicas do their work. A backend reports it together with the readiness of the cluster: a dead cluster's
/// last word is not health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Health {
    /// All wanted replicas are ready.
    Healthy,
    /// Not all are ready yet, or any more.
    Progressing,
    /// The cluster refused the work, or it fails.
    Degraded,
    /// The cluster does not answer.
    Unknown,
}

/// Replicas of one service on one cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedReplicas {
    /// How many there should be.
    pub desired: u32,
    /// How many are ready.
    pub ready: u32,
    /// Whether they do their work.
    pub health: Health,
    /// What the cluster says when it refuses or has no room, where it says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// One installed release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedRelease {
    /// The chart it was installed from.
    pub chart: String,
    /// The values it was installed with.
    pub values: HelmValues,
    /// How often it was installed or upgraded, from 1.
    pub revision: u64,
    /// What one replica requests, where known.
    pub resources: Resources,
    /// Where it runs, or should run.
    pub clusters: BTreeMap<ClusterName, ObservedReplicas>,
    /// What the fleet says when it cannot place the release at all, where it says anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Others that set its replicas, as `HorizontalPodAutoscaler/web`: an autoscaler that names it as its target.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<String>,
}

impl ObservedRelease {
    /// True when every cluster it should run on says that it does.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.clusters.is_empty()
            && self
                .clusters
                .values()
                .all(|replicas| replicas.health == Health::Healthy)
    }
}

/// Everything of ours that runs, at one moment.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedState {
    /// When it was observed, where known.
    pub observed_at: Option<Timestamp>,
    /// The releases by service.
    pub releases: BTreeMap<ServiceKey, ObservedRelease>,
    /// The alert groups in force: by name, the fingerprint of their content.
    pub alert_groups: BTreeMap<String, String>,
    /// The dashboards in place: by uid, the fingerprint of their content.
    pub dashboards: BTreeMap<String, String>,
}
