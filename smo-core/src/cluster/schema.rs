//! The shape of a fleet file, for its JSON Schema.
//!
//! [`super::Inventory::parse`] reads the file itself, with every fault and its place; these types say the same to
//! editors and to checks outside of this library. Keys that are not listed are refused.

use std::collections::BTreeMap;

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

/// A fleet file: clusters and the network between them, below the key `fleet`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "smo fleet")]
pub struct Document {
    /// The fleet.
    pub fleet: Fleet,
}

/// A snapshot of every cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fleet {
    /// When it was observed, such as 2026-11-24T10:00:00Z.
    pub observed: Option<String>,
    /// Which emission signal the carbon intensities are; average when not said.
    pub carbon_signal: Option<super::CarbonSignal>,
    /// The clusters; at least one.
    pub clusters: Vec<Cluster>,
    /// What was measured between clusters.
    pub network: Option<Vec<Pair>>,
    /// What decisions keep free of every cluster that says nothing else.
    pub headroom: Option<Headroom>,
}

/// What is kept free of a cluster: the larger of a share and an amount, resource by resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Headroom {
    /// Per cent of what it offers, rounded down; 0 when not said.
    #[schemars(range(min = 0, max = 100))]
    pub percent: Option<u32>,
    /// At least so much of a resource.
    pub at_least: Option<BTreeMap<String, Scalar>>,
}

/// One cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its name, a DNS label.
    pub name: String,
    /// Whether it can take work; true when not said.
    pub ready: Option<Ready>,
    /// Where it is, such as eu-west.
    pub region: Option<String>,
    /// Zones within the region.
    pub zones: Option<Vec<String>>,
    /// Who runs it.
    pub provider: Option<String>,
    /// Labels that rules may look at.
    pub labels: Option<BTreeMap<String, Scalar>>,
    /// Marks that keep work away.
    pub taints: Option<Vec<super::Taint>>,
    /// What its nodes offer together: cpu and memory at least; storage, pods, gpus, or an extended resource by its
    /// name.
    pub allocatable: BTreeMap<String, Scalar>,
    /// What running work has requested of that.
    pub allocated: Option<BTreeMap<String, Scalar>>,
    /// EUR per hour: per core, per GiB of memory or storage, per piece of anything else.
    pub price: Option<BTreeMap<String, Scalar>>,
    /// What it emits.
    pub carbon: Option<Carbon>,
    /// What traffic that leaves it costs, where it costs anything.
    pub egress: Option<Egress>,
    /// What is kept free here, in place of what the fleet says.
    pub headroom: Option<Headroom>,
}

/// What traffic that leaves a cluster costs, in EUR per GiB.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Egress {
    /// To another cluster of the same region.
    pub within_region: Option<Scalar>,
    /// To any other cluster.
    pub out_of_region: Option<Scalar>,
}

/// A text or a number: a Kubernetes quantity such as 500m, 8 or 16Gi, a price such as 0.02.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// A text.
    Text(String),
    /// A number.
    Number(serde_json::Number),
    /// A boolean, taken as the text that it is written as.
    Boolean(bool),
}

/// Whether a cluster can take work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Ready {
    /// Yes or no.
    Bare(bool),
    /// With a reason.
    Status(Status),
}

/// Why a cluster cannot take work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {
    /// `true`, `false` or `unknown`.
    pub status: Scalar,
    /// The reason it gives, such as ClusterNotReachable.
    pub reason: Option<String>,
    /// Since when, such as 2026-11-24T02:11:00Z.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// What a cluster emits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Carbon {
    /// Carbon intensity of its electricity, in gCO2e per kWh.
    pub intensity: f64,
    /// Facility power over machine power, 1 or more; 1 when not said.
    pub pue: Option<f64>,
    /// Electric power of one busy core, in watt; 10 when not said.
    pub watts_per_core: Option<f64>,
}

/// What was measured between two clusters, in both directions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pair {
    /// The names of the two clusters.
    pub between: [String; 2],
    /// Round trip, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt: Option<f64>,
    /// Network hops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hops: Option<u32>,
    /// What links between them may carry together, in bytes per second, as a quantity such as `125M`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<Scalar>,
}

/// The JSON Schema of fleet files (draft 2020-12).
#[must_use]
pub fn json_schema() -> serde_json::Value {
    SchemaGenerator::default()
        .into_root_schema_for::<Document>()
        .to_value()
}
