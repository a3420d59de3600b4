//! The shape of a problem file, for its JSON Schema and for writing.
//!
//! [`PlacementProblem::parse`](super::super::PlacementProblem::parse) reads the file itself, with every fault and its place;
//! these types say the same to editors and to checks outside of this library. Keys that are not listed are refused.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::super::{LabelRequirement, Mode};
use crate::cluster::schema::{Carbon, Egress, Pair, Ready, Scalar};
use crate::cluster::{CarbonSignal, Taint, Toleration};

/// A problem file: one placement question, below the key `problem`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "smo placement problem")]
pub struct Document {
    /// The question.
    pub problem: Problem,
}

/// Services with their demands, clusters with what is left, rules and goals.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Problem {
    /// What is minimised; an hour's money, carbon and moves when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub goals: Option<Goals>,
    /// The services to place, in order.
    pub services: Vec<Service>,
    /// The clusters, those that cannot take work included, in order.
    pub clusters: Vec<Cluster>,
    /// Which emission signal the carbon intensities are; average when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carbon_signal: Option<CarbonSignal>,
    /// Links with a limit or traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// What was measured between clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<Pair>,
    /// Where services run now: replicas by service and cluster.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, u32>>")]
    pub current: IndexMap<String, BTreeMap<String, u32>>,
    /// Services that use the same clusters.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub co_location: Vec<CoLocationGroup>,
    /// Services of which no two use one domain.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anti_affinity: Vec<AntiAffinityGroup>,
    /// So much of a goal at most.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub budgets: Vec<Budget>,
    /// Rules that are only wishes, by name, with the points that a unit of violation costs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub soft: BTreeMap<String, Scalar>,
    /// Points for every replica of a service on a cluster, less is better.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    #[schemars(with = "BTreeMap<String, BTreeMap<String, Scalar>>")]
    pub scores: IndexMap<String, BTreeMap<String, Scalar>>,
    /// What goals of a higher priority have reached; a decision by priority sets it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ceilings: Vec<Ceiling>,
}

/// What one service needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// Its name: project/graph/service, each a DNS label.
    pub name: String,
    /// How many replicas run; 1 when not said.
    pub replicas: Option<u32>,
    /// What each replica takes: cpu, memory, storage, pods, gpus, or an extended resource by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub per_replica: BTreeMap<String, Scalar>,
    /// Resources that its cluster has to offer at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
    /// Whether its replicas share one cluster; single when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The only clusters it may run on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pinned: Option<Vec<String>>,
    /// Clusters it may not run on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub excluded: Vec<String>,
    /// The only regions it may run in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<String>>,
    /// Taints it may ignore.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// What the labels of its clusters have to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelRequirement>,
    /// How its replicas spread over domains.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spread: Vec<Spread>,
    /// Replicas in at least two domains, where it has that many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_availability: Option<HighAvailability>,
    /// It stays where it runs now, as long as all of these clusters are ready.
    #[serde(rename = "final", default, skip_serializing_if = "std::ops::Not::not")]
    pub final_placement: bool,
    /// The bytes that a replica takes along when it moves, as a quantity such as 2Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<Scalar>,
}

/// What one cluster can give.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// Its name, a DNS label.
    pub name: String,
    /// Whether it can take work; true when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ready: Option<Ready>,
    /// What is left for the services, what they hold there now included. What is not listed is not limited, except
    /// extended resources such as GPUs, of which there are none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capacity: BTreeMap<String, Scalar>,
    /// What other work holds; it only counts for how full the cluster is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub taken: BTreeMap<String, Scalar>,
    /// Where it is, such as eu-west.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Zones within the region.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zones: Vec<String>,
    /// Who runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Labels that rules may look at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, Scalar>,
    /// Marks that keep work away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// EUR per hour: per core, per GiB of memory or storage, per piece of anything else.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub price: BTreeMap<String, Scalar>,
    /// What it emits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carbon: Option<Carbon>,
    /// What traffic that leaves it costs, where it costs anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<Egress>,
}

/// A link between two services.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    /// The caller.
    pub from: String,
    /// The callee.
    pub to: String,
    /// The round trip has to be below so many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_below: Option<Scalar>,
    /// At most so many hops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_hops: Option<u32>,
    /// What the caller sends to the callee, in bytes per second, as a quantity such as 2M.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traffic: Option<Scalar>,
}

/// Points for one unit of each goal; a goal that is not named does not count, except preference, which counts 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Goals {
    /// For 1 EUR/h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub money: Option<Scalar>,
    /// For 1 gCO2e/h.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carbon: Option<Scalar>,
    /// For one moved service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moves: Option<Scalar>,
    /// For one moved replica.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_replicas: Option<Scalar>,
    /// For a GB of moved data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_state: Option<Scalar>,
    /// For a MB/s over a millisecond of round trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<Scalar>,
    /// For a percent of the fullest cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub balance: Option<Scalar>,
    /// For a cluster in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consolidation: Option<Scalar>,
    /// For a point of scores and of wishes that are not kept; 1 when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preference: Option<Scalar>,
    /// For one placed service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placements: Option<Scalar>,
    /// Goals of a lower priority, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Goals>,
}

/// How the replicas of a service spread over domains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Spread {
    /// What makes a domain: cluster (when not said), region, zone, provider, or the key of a label.
    pub key: Option<String>,
    /// At least so many domains are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_groups: Option<u32>,
    /// At most so many domains are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_groups: Option<u32>,
    /// The fullest domain has at most so many replicas more than the emptiest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_skew: Option<u32>,
    /// Points for one group, or replica of skew, too many or too few; a rule when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Scalar>,
}

/// Replicas of a service in at least two domains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HighAvailability {
    /// What makes a domain, as in a spread.
    pub key: Option<String>,
    /// Points for a service in one domain only; a rule when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Scalar>,
}

/// Services that use the same clusters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoLocationGroup {
    /// The services.
    pub services: Vec<String>,
    /// Points for every pair of them and cluster that only one of the two uses; a rule when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Scalar>,
}

/// Services of which no two use one domain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AntiAffinityGroup {
    /// The services.
    pub services: Vec<String>,
    /// What makes a domain, as in a spread.
    pub key: Option<String>,
    /// Points for every service beyond the first of a domain; a rule when not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Scalar>,
}

/// So much of a goal at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Budget {
    /// The name of the goal, as in the goals; not preference.
    pub goal: String,
    /// How much, in the unit of the goal.
    pub at_most: Scalar,
    /// Points for a thousandth of the goal's unit too much, or for one piece of a goal counted in pieces; a rule when not
    /// said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<Scalar>,
}

/// What goals of a higher priority have reached.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Ceiling {
    /// The goals of one level.
    pub goals: Goals,
    /// They are worth at most so many points together.
    pub at_most: Scalar,
}

/// The JSON Schema of problem files (draft 2020-12).
#[must_use]
pub fn json_schema() -> serde_json::Value {
    SchemaGenerator::default()
        .into_root_schema_for::<Document>()
        .to_value()
}
