//! `Cluster` objects as Karmada serves them: the part that is read here.
//!
//! The objects come from Karmada's aggregated API server, which is no CRD and leaves out whatever is empty: every field
//! may be missing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A member cluster, `cluster.karmada.io/v1alpha1`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberCluster {
    /// Name and labels.
    pub metadata: MemberMetadata,
    /// What it was registered with.
    pub spec: MemberSpec,
    /// What it last reported; empty until the first report.
    pub status: MemberStatus,
}

/// The metadata of a member cluster.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberMetadata {
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Since when it is being removed from the fleet.
    pub deletion_timestamp: Option<Timestamp>,
    /// Everything else.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// What a member cluster was registered with.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberSpec {
    /// `Push` or `Pull`.
    pub sync_mode: String,
    /// The UID of its `kube-system` namespace.
    pub id: Option<String>,
    /// Who runs it.
    pub provider: Option<String>,
    /// Where it is.
    pub region: Option<String>,
    /// Its one zone (older objects).
    pub zone: Option<String>,
    /// Its zones.
    pub zones: Vec<String>,
    /// Marks that keep work away.
    pub taints: Vec<MemberTaint>,
    /// The sizes that its nodes are sorted into.
    pub resource_models: Vec<ResourceModel>,
    /// Everything else.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A taint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberTaint {
    /// Its key.
    pub key: String,
    /// Its value.
    pub value: Option<String>,
    /// `NoSchedule`, `PreferNoSchedule` or `NoExecute`.
    pub effect: String,
}

/// One size of node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceModel {
    /// Its number, from 0.
    pub grade: u32,
    /// What a node of it has free, at least `min` and less than `max` of each resource.
    pub ranges: Vec<ResourceRange>,
}

/// The bounds of one resource in a size of node.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceRange {
    /// The resource.
    pub name: String,
    /// The least amount.
    pub min: Value,
    /// The amount that is already the next size.
    pub max: Value,
}

/// What a member cluster last reported.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberStatus {
    /// Its Kubernetes version.
    pub kubernetes_version: Option<String>,
    /// `Ready` and others.
    pub conditions: Vec<Condition>,
    /// How many nodes it has.
    pub node_summary: Option<NodeSummary>,
    /// What its nodes offer and its pods request.
    pub resource_summary: Option<ResourceSummary>,
    /// Everything else.
    #[serde(flatten)]
    pub other: BTreeMap<String, Value>,
}

/// A condition, of a cluster or of a binding.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Condition {
    /// What it is about.
    #[serde(rename = "type")]
    pub kind: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
    /// Since when.
    pub last_transition_time: Option<Timestamp>,
}

/// How many nodes a cluster has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeSummary {
    /// All nodes.
    pub total_num: u32,
    /// Those that are ready.
    pub ready_num: u32,
}

/// What nodes offer and pods request. Karmada leaves out entries of 0.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceSummary {
    /// What all nodes offer, those that are not ready included.
    pub allocatable: BTreeMap<String, Value>,
    /// What pods request that have a node.
    pub allocated: BTreeMap<String, Value>,
    /// What pods request that have no node yet.
    pub allocating: BTreeMap<String, Value>,
    /// How many nodes are of which size.
    pub allocatable_modelings: Vec<GradeCount>,
}

/// How many nodes are of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct GradeCount {
    /// The size.
    pub grade: u32,
    /// How many.
    pub count: u64,
}

impl MemberStatus {
    /// The condition `Ready`, where there is one.
    #[must_use]
    pub fn ready(&self) -> Option<&Condition> {
        self.conditions.iter().find(|condition| condition.kind == "Ready")
    }
}
