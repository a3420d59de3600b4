//! Why no placement was found: per service and cluster, which rule is in the way, and what is missing.

use indexmap::IndexMap;
use serde::Serialize;

use super::Reason;
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;

/// Why no placement was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// The placer that found none.
    pub placer: String,
    /// True when no placement exists; false when the placer gave up and another one may find one.
    pub proved: bool,
    /// How many clusters the fleet has.
    pub clusters: usize,
    /// The services that no cluster can take, each with the reason of every cluster.
    pub services: IndexMap<ServiceKey, ServiceDiagnosis>,
    /// Resources of which the services ask for more, together, than the clusters that may take them have.
    pub shortages: Vec<Shortage>,
    /// What to try, most promising first.
    pub hints: Vec<Hint>,
}

/// Why one service fits nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDiagnosis {
    /// The first rule in the way, by cluster.
    pub reasons: IndexMap<ClusterName, Reason>,
}

/// A resource that is not enough for all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// The resource.
    pub resource: ResourceName,
    /// What the services ask for together, in its base unit.
    pub demanded: u64,
    /// What the clusters that may take them have, in its base unit.
    pub available: u64,
    /// The services that ask for it.
    pub services: Vec<ServiceKey>,
}

/// Something to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Hint(pub String);
