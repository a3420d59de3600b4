//! The plan itself.

use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AlertGroup, Dashboard, Fingerprint, ValuesContract};
use crate::diagnostic::Code;
use crate::graph::{EventCondition, Implementer, Waves};
use crate::helm_values::HelmValues;
use crate::id::{ClusterName, GraphKey, ServiceId, ServiceKey};
use crate::intent::Requirements;
use crate::placement::{Assignment, Decision};
use crate::resources::Resources;

/// Where a release goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// To the clusters that were decided.
    Clusters(Assignment),
    /// Wherever the chart's own values say (`useStaticPlacement`).
    ChosenByChart {
        /// The clusters that the descriptor's values name, where they name any.
        declared: Vec<ClusterName>,
    },
}

impl Target {
    /// The clusters, as far as they are known before the chart is rendered.
    #[must_use]
    pub fn clusters(&self) -> Vec<ClusterName> {
        match self {
            Self::Clusters(assignment) => assignment.clusters().cloned().collect(),
            Self::ChosenByChart { declared } => declared.clone(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Clusters(assignment) => assignment.fmt(f),
            Self::ChosenByChart { declared } if declared.is_empty() => f.pad("as the chart says"),
            Self::ChosenByChart { declared } => {
                let names: Vec<&str> = declared.iter().map(ClusterName::as_str).collect();
                f.pad(&names.join(", "))
            }
        }
    }
}

/// When a release is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Start {
    /// With the graph.
    AtOnce,
    /// With the graph, once these services are healthy.
    After(Vec<ServiceId>),
    /// When alerts of the plan fire. Capacity is held for it until then.
    OnEvent {
        /// How many of the alerts have to fire.
        condition: EventCondition,
        /// The names of the alert rules.
        alerts: Vec<String>,
    },
}

/// What a release backend is asked to bring about: one Helm release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReleaseSpec {
    /// The service it belongs to; its project is the namespace, its service id the name of the release.
    pub service: ServiceKey,
    /// The chart, `oci://host/project/name[:version]`.
    pub chart: String,
    /// The complete Helm values.
    pub values: HelmValues,
    /// Where it goes.
    pub target: Target,
    /// What one replica requests.
    pub resources: Resources,
}

/// Everything planned for one service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServicePlan {
    /// When it is installed.
    pub start: Start,
    /// How many replicas run.
    pub replicas: u32,
    /// Who wrote the chart's value contract.
    pub implementer: Implementer,
    /// The release.
    pub release: ReleaseSpec,
}

/// The Kubernetes Service of a service is offered to other clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceExport {
    /// The service.
    pub service: ServiceId,
    /// The clusters that offer it.
    pub from: Vec<ClusterName>,
}

/// The Kubernetes Service of a service is made known in clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceImport {
    /// The service.
    pub service: ServiceId,
    /// The clusters that import it. Never empty where clusters are known: Karmada reads an empty list as "everywhere".
    pub into: Vec<ClusterName>,
    /// The services that call it.
    pub importers: Vec<ServiceId>,
}

/// Something allowed but worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Note {
    /// What kind of thing, such as `N014`.
    pub code: Code,
    /// The service it is about, where it is about one.
    pub service: Option<ServiceId>,
    /// What it is.
    pub message: String,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.service {
            Some(service) => write!(f, "{} {service}: {}", self.code, self.message),
            None => write!(f, "{} {}", self.code, self.message),
        }
    }
}

/// The complete desired state of one graph.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeploymentPlan {
    /// The graph.
    pub graph: GraphKey,
    /// Its version, where given.
    pub version: Option<semver::Version>,
    /// The version of the information model it was written in.
    pub im_version: String,
    /// When the fleet was observed that it was decided on, where known.
    pub fleet_observed_at: Option<Timestamp>,
    /// What the intents mean in amounts.
    pub requirements: Requirements,
    /// What is planned for each service, in the order of the descriptor.
    pub services: IndexMap<ServiceId, ServicePlan>,
    /// Services offered to other clusters.
    pub exports: Vec<ServiceExport>,
    /// Services made known in clusters.
    pub imports: Vec<ServiceImport>,
    /// The alert rules that start waiting services.
    pub alerts: Option<AlertGroup>,
    /// Dashboards for the graph and its services.
    pub dashboards: Vec<Dashboard>,
    /// The order in which services start.
    pub waves: Waves,
    /// How the placement was decided; `None` with static placement.
    pub decision: Option<Decision>,
    /// Where the values list clusters.
    pub values_contract: ValuesContract,
    /// What is allowed but worth knowing.
    pub notes: Vec<Note>,
    /// The name of this plan: of everything that would be written, not of how it was decided.
    pub fingerprint: Fingerprint,
}
