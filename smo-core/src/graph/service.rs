//! A service: what it runs, what it asks for, when it starts.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Extensions, PrometheusDuration, Trigger};
use crate::helm_values::HelmValues;
use crate::id::ServiceId;

/// One node of the graph.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// Its id, also the name of its Helm release.
    pub id: ServiceId,
    /// When it starts.
    pub trigger: Trigger,
    /// What it needs to run.
    pub compute: ComputeIntent,
    /// A virtual object that has to be near its device (time-sensitive networking).
    pub device_proximity: bool,
    /// Services of other running graphs that it shares a cluster with.
    pub co_location: Vec<CoLocation>,
    /// Metrics that central monitoring scrapes for it.
    pub metrics: Vec<Metric>,
    /// What is installed.
    pub artifact: Artifact,
    /// Keys that the format does not know, by the path of their map below the service, such as
    /// `deployment.intent.metrics[0]`; empty for the service itself.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub extensions: BTreeMap<String, Extensions>,
}

/// How much of a resource: a class of the catalogue, or a Kubernetes quantity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Amount {
    /// A class such as `small`, given a meaning by [`crate::intent::Catalog`].
    Class(String),
    /// A quantity in the base unit of its resource: millicores or bytes.
    Quantity(u64),
}

impl Amount {
    /// The class called `name`.
    #[must_use]
    pub fn class(name: impl Into<String>) -> Self {
        Self::Class(name.into())
    }
}

/// What one replica needs to run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComputeIntent {
    /// Cpu; the catalogue's default class when not said.
    pub cpu: Option<Amount>,
    /// Memory; the catalogue's default class when not said.
    pub memory: Option<Amount>,
    /// Storage; the catalogue's default class when not said.
    pub storage: Option<Amount>,
    /// Needs an accelerator.
    pub gpu: bool,
    /// How many accelerators; as many as the catalogue says when not said.
    pub gpu_count: Option<u32>,
}

/// A service of another running graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CoLocation {
    /// The id of that service.
    pub id: String,
    /// The identifier of the running graph, as given.
    pub grounded_graph_id: Option<String>,
}

/// A metric to be scraped, as a Prometheus ServiceMonitor endpoint takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Its id, which events refer to.
    pub id: String,
    /// The name under which Prometheus sees it.
    pub metric_name: Option<String>,
    /// Labels of the Kubernetes Service to scrape.
    pub selector: BTreeMap<String, String>,
    /// The name of the port to scrape.
    pub port: Option<String>,
    /// How often.
    pub interval: Option<PrometheusDuration>,
}

/// Who wrote the chart's value contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Implementer {
    /// A Web-of-Things virtual object: orchestrator values go below `voChartOverwrite`.
    Wot,
    /// A plain Helm chart: orchestrator values go to the root.
    Helm,
    /// Something else, treated as a plain chart.
    Other(String),
}

/// What is installed for a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Artifact {
    /// The reference as written, `oci://host/project/name[:version]`.
    pub reference: String,
    /// `VO`, `cVO`, `App`, or what the descriptor says.
    pub kind: Option<String>,
    /// Who wrote the chart's value contract.
    pub implementer: Implementer,
    /// The tool that runs it, as given (`HELM`).
    pub runner: Option<String>,
    /// The version of that tool, as given (`v3`).
    pub runner_version: Option<String>,
    /// Helm values given by the designer.
    pub values: HelmValues,
}

impl Service {
    /// A service that installs the chart at `reference` at once, with every other part at its default.
    #[must_use]
    pub fn new(id: ServiceId, reference: impl Into<String>) -> Self {
        Self {
            id,
            trigger: Trigger::default(),
            compute: ComputeIntent::default(),
            device_proximity: false,
            co_location: Vec::new(),
            metrics: Vec::new(),
            artifact: Artifact {
                reference: reference.into(),
                kind: None,
                implementer: Implementer::Helm,
                runner: None,
                runner_version: None,
                values: HelmValues::default(),
            },
            extensions: BTreeMap::new(),
        }
    }
}
