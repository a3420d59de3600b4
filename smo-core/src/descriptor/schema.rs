//! The wire types: the shape of a descriptor, as it is written and as its JSON Schema says.
//!
//! Where the format has several forms of one thing (a boolean or the text `'True'`, a map or a text), an untagged enum
//! lists them. Keys that the format does not know are kept in `extensions`.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::graph::Extensions;

/// A descriptor: one graph below the key `hdaGraph`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(title = "HDAG descriptor")]
pub struct Document {
    /// The Hyper Distributed Application Graph.
    pub hda_graph: Graph,
    /// Keys beside `hdaGraph`.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// A graph of services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Graph {
    /// The version of the information model: 0.4.0, or the older 0.3.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub im_version: Option<String>,
    /// The id of the graph: a DNS label, unique within a project.
    pub id: String,
    /// The version of the graph, a semantic version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Who wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designer: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the graph as a whole asks for; a free text in 0.3.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hda_graph_intent: Option<TextOr<Intents>>,
    /// The services; at least one.
    pub services: Vec<Service>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// A free text, or the thing itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "TextOr{T}")]
pub enum TextOr<T> {
    /// A text, as 0.3.0 has it.
    Text(String),
    /// The thing itself.
    Given(T),
}

/// `true` or `false`, also as the texts `'True'` and `'False'`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    /// A boolean.
    Boolean(bool),
    /// A text that says the same.
    Text(String),
}

impl JsonSchema for Flag {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Flag".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A boolean; the texts True and False are read too.",
            "anyOf": [
                {"type": "boolean"},
                {"type": "string", "pattern": "^([Tt]rue|TRUE|[Ff]alse|FALSE|[Yy]es|[Nn]o|[Oo]n|[Oo]ff)$"}
            ]
        })
    }
}

/// An intent that is on or off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Switch {
    /// A bare boolean.
    Bare(Flag),
    /// `{enabled: true}`.
    Map {
        /// Whether it is on.
        enabled: Flag,
        /// Keys that the format does not know.
        #[serde(flatten)]
        extensions: Extensions,
    },
}

/// What the graph as a whole asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Intents {
    /// The charts' own values say where services run; nothing is decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub use_static_placement: Option<Flag>,
    /// Services that handle data of one trust domain stay together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub security: Option<Switch>,
    /// The placement is final, and replicas go to different domains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_availability: Option<HighAvailability>,
    /// Every link is `ultralow`, whatever the service says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high_performance: Option<Switch>,
    /// Energy and carbon weigh more than money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub energy_efficiency: Option<Switch>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// High availability.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum HighAvailability {
    /// A bare boolean.
    Bare(Flag),
    /// With bounds.
    #[serde(rename_all = "camelCase")]
    Map {
        /// Whether it is on; off when not said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        enabled: Option<Flag>,
        /// Fewest replicas of each service over all clusters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min_replicas_overall: Option<u32>,
        /// Most replicas of each service over all clusters.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_replicas_overall: Option<u32>,
        /// Keys that the format does not know.
        #[serde(flatten)]
        extensions: Extensions,
    },
}

/// One service: a node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The id of the service: a DNS label of at most 53 characters, also the name of its Helm release.
    pub id: String,
    /// When it starts and what it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Deployment>,
    /// What is installed.
    pub artifact: Artifact,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// When a service starts and what it asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deployment {
    /// When it starts; with the graph when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<Trigger>,
    /// What it asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<ServiceIntent>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// When a service starts: `auto`, or `event`, not both.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trigger {
    /// `standard` for `auto`, or `event`; need not be said.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TriggerKind>,
    /// With the graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auto: Option<Auto>,
    /// When alerts fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Event>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// The kinds of trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TriggerKind {
    /// With the graph.
    Standard,
    /// With the graph.
    Auto,
    /// When alerts fire.
    Event,
}

/// A start with the graph.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Auto {
    /// Services that have to be healthy first.
    #[serde(default)]
    pub dependencies: Vec<String>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// A start when alerts fire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// `ANY` (also `OR`) or `ALL` (also `AND`) of the events; `ANY` when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The alerts; at least one.
    pub events: Vec<EventItem>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventItem {
    /// Its id, unique within the trigger.
    pub id: String,
    /// The metrics it looks at: a list, or the name of a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<TextOr<Vec<Source>>>,
    /// When it fires.
    pub condition: EventRule,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// A metric that an event looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// The service that exposes it.
    pub service_id: String,
    /// The id of the metric.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_id: Option<String>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// When an event fires.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventRule {
    /// The PromQL expression that is not empty while the alert is due.
    pub prom_query: String,
    /// How long it has to be due before it fires, as Prometheus writes durations; 0s when not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_period: Option<String>,
    /// What it means, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// What a service asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceIntent {
    /// What it asks of the network; a text in 0.3.0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<TextOr<Network>>,
    /// What it needs to run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<Compute>,
    /// One class for cpu, memory and storage, as 0.3.0 has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<String>,
    /// Services of other running graphs that it shares a cluster with.
    #[serde(default)]
    pub co_location: Vec<TextOr<CoLocation>>,
    /// The services that it calls.
    #[serde(default)]
    pub connection_points: Vec<String>,
    /// Metrics that central monitoring scrapes.
    #[serde(default)]
    pub metrics: Vec<Metric>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// What a service asks of the network.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// A virtual object that has to be near its device (time-sensitive networking).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_proximity: Option<Switch>,
    /// How near the services that it calls have to be.
    #[serde(default)]
    pub latencies: Vec<LatencyItem>,
    /// Read as if they stood one level up, where they belong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connection_points: Vec<String>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// How near one service that is called has to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatencyItem {
    /// The service; empty in templates.
    pub connection_point: String,
    /// `ultralow`, `low` or `best-effort`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qos: Option<Qos>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// Latency classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Qos {
    /// Below 10 ms.
    #[serde(rename = "ultralow")]
    UltraLow,
    /// At most one hop.
    Low,
    /// No limit.
    BestEffort,
}

/// A class of the catalogue or a Kubernetes quantity.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Amount {
    /// A class such as `small`, or a quantity such as `500m`.
    Text(String),
    /// A quantity without a suffix, such as 2 or 0.5.
    Number(serde_json::Number),
}

/// What one replica needs to run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Compute {
    /// Cpu: `light`, `small`, `medium`, `large`, or a quantity such as `500m`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Amount>,
    /// Memory: `light`, `small`, `medium`, `large`, or a quantity such as `2Gi`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ram: Option<Amount>,
    /// Storage: `none`, `small`, `medium`, `large`, or a quantity such as `10G`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<Amount>,
    /// Whether it needs an accelerator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpu>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// Whether a service needs an accelerator.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Gpu {
    /// How many.
    Count(u32),
    /// A bare boolean.
    Bare(Flag),
    /// `{enabled: true}`, with a count where the catalogue's is not enough.
    Map {
        /// Whether it needs one.
        enabled: Flag,
        /// How many.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
        /// Keys that the format does not know.
        #[serde(flatten)]
        extensions: Extensions,
    },
}

/// A service of another running graph.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CoLocation {
    /// The id of that service.
    pub id: Text,
    /// The identifier of the running graph.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grounded_graph_id: Option<Text>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// A text, also one that looks like a number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Text {
    /// A text.
    Text(String),
    /// A number, taken as the text that it is written as.
    Number(serde_json::Number),
}

/// A metric to be scraped, as a Prometheus ServiceMonitor endpoint takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Its id, which events refer to.
    pub id: String,
    /// The name under which Prometheus sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric_name: Option<String>,
    /// Labels of the Kubernetes Service to scrape.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub selector: BTreeMap<String, String>,
    /// Where and how often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<Endpoint>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// Where and how often a metric is scraped.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The name of the exposed port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<Text>,
    /// The scrape period, as Prometheus writes durations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// What is installed for a service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The chart: `oci://host/project/name[:version]`, an `https://` address, or the bare `host/project/name`. Or a plain
    /// container image: `docker://host/name:tag`.
    pub oci_image: String,
    /// What kind of artifact it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci_config: Option<OciConfig>,
    /// The tool that runs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oci_run: Option<OciRun>,
    /// Helm values given by the designer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values_overwrite: Option<Extensions>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// What kind of artifact it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciConfig {
    /// `VO`, `cVO`, `App`, or another kind.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `WOT` for a Web-of-Things virtual object, `HELM` for a plain chart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub implementer: Option<String>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// The tool that runs an artifact.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciRun {
    /// `HELM`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text>,
    /// `v3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Text>,
    /// Keys that the format does not know.
    #[serde(flatten)]
    pub extensions: Extensions,
}

/// The JSON Schema of descriptors (draft 2020-12), for editors and for checks outside of this library.
///
/// It says the shape. What only [`crate::descriptor::Descriptor::validate`] can say (references, cycles, classes of the
/// catalogue) is not in it.
#[must_use]
pub fn json_schema() -> serde_json::Value {
    let schema = SchemaGenerator::default().into_root_schema_for::<Document>();
    schema.to_value()
}
