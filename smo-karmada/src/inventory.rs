//! From Karmada's `Cluster` objects to an [`Inventory`], without a cluster ever being lost on the way.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use smo_core::cluster::{Cluster, Inventory, Readiness, Taint, TaintEffect};
use smo_core::id::ClusterName;
use smo_core::resources::{ResourceName, Resources};

use crate::facts::FleetFacts;
use crate::member::{MemberCluster, NodeSummary};
use crate::submariner::Submariner;

/// The fleet as Karmada reports it.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FleetReport {
    /// What deciders work with.
    pub inventory: Inventory,
    /// What else is known of each cluster.
    pub details: IndexMap<ClusterName, ClusterDetails>,
    /// Objects that cannot be clusters of the fleet: what is wrong with each.
    pub faults: Vec<String>,
}

/// What is known of a cluster beside its part of the [`Inventory`].
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterDetails {
    /// How far its report can be believed.
    pub report: Report,
    /// True when an agent in the cluster fetches its work (`Pull`), so that the control plane may be unable to reach it.
    pub pull: bool,
    /// Its Kubernetes version.
    pub kubernetes_version: Option<String>,
    /// How many nodes it has. `allocatable` counts those that are not ready, too.
    pub nodes: Option<NodeSummary>,
    /// The largest pod that is sure to fit on one node, by Karmada's resource models. A sum may promise more than any
    /// single node has. `None` when the cluster does not report models.
    pub largest_pod: Option<Resources>,
    /// What pods request that have found no node yet.
    pub waiting: Resources,
    /// True when it serves `multicluster.x-k8s.io`, without which no Service of another cluster can be imported there.
    pub imports_services: bool,
    /// What Submariner knows of its network; `None` where there is no Submariner, or the cluster is not ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submariner: Option<Submariner>,
}

/// How far the report of a cluster can be believed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Report {
    /// All of it, as of the last ten seconds or so.
    #[default]
    Current,
    /// It is the last word of a cluster that does not answer any more.
    Stale,
    /// There is none yet.
    Never,
    /// Some of it is missing or cannot be read.
    Partial {
        /// What.
        missing: Vec<String>,
    },
}

/// Reads the items of a list of `Cluster` objects, seen at `now`, and adds what the host knows.
///
/// A cluster is listed whatever is missing of its report, and ready only when it says so *and* says what it offers.
#[must_use]
pub fn read_clusters(items: &[Value], facts: &FleetFacts, now: Timestamp) -> FleetReport {
    let mut report = FleetReport::default();
    for item in items {
        let named = item
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let name = match ClusterName::parse(named) {
            Ok(name) => name,
            Err(error) => {
                report.faults.push(format!("a cluster is left out: {error}"));
                continue;
            }
        };
        let (mut cluster, details) = match MemberCluster::deserialize_from(item) {
            Ok(member) => read_cluster(name.clone(), &member, item),
            Err(error) => unreadable(name.clone(), &error),
        };
        facts.fill(&mut cluster);
        report.inventory.clusters.insert(name.clone(), cluster);
        report.details.insert(name, details);
    }
    report.inventory.observed_at = Some(now);
    report.inventory.carbon_signal = facts.carbon_signal;
    report.inventory.network = facts.network.clone();
    report
}

impl MemberCluster {
    fn deserialize_from(item: &Value) -> Result<Self, serde_json::Error> {
        <Self as serde::Deserialize>::deserialize(item)
    }
}

fn unreadable(name: ClusterName, error: &serde_json::Error) -> (Cluster, ClusterDetails) {
    let reason = format!("its report cannot be read: {error}");
    let details = ClusterDetails {
        report: Report::Partial {
            missing: vec![reason.clone()],
        },
        ..ClusterDetails::default()
    };
    let cluster = Cluster {
        readiness: Readiness::Unknown { reason },
        ..Cluster::new(name, Resources::new())
    };
    (cluster, details)
}

fn read_cluster(name: ClusterName, member: &MemberCluster, item: &Value) -> (Cluster, ClusterDetails) {
    let mut missing = Vec::new();
    let summary = member.status.resource_summary.clone().unwrap_or_default();
    let allocatable = amounts("allocatable", &summary.allocatable, &mut missing);
    let allocated = amounts("allocated", &summary.allocated, &mut missing);
    let allocating = amounts("allocating", &summary.allocating, &mut missing);
    let allocated = allocated.checked_add(&allocating).unwrap_or_else(|| {
        missing.push("what is allocated is beyond any count".to_owned());
        allocatable.clone()
    });
    let offers = [ResourceName::CPU, ResourceName::MEMORY];
    let offers = offers.iter().all(|name| allocatable.listed(name).is_some());
    if !offers {
        missing.push("what it offers (resourceSummary.allocatable)".to_owned());
    }
    let taints = member.spec.taints.iter();
    let taints = taints.filter_map(|taint| {
        let effect = effect(&taint.effect);
        if effect.is_none() {
            missing.push(format!("the effect of taint {}", taint.key));
        }
        let value = taint.value.clone().filter(|value| !value.is_empty());
        effect.map(|effect| Taint {
            key: taint.key.clone(),
            value,
            effect,
        })
    });
    let taints = taints.collect();
    let (readiness, report) = readiness(member, offers, missing);
    let zone = member.spec.zone.iter().filter(|_| member.spec.zones.is_empty());
    let zones = member.spec.zones.iter().chain(zone);
    let details = ClusterDetails {
        report,
        pull: member.spec.sync_mode == "Pull",
        kubernetes_version: member.status.kubernetes_version.clone(),
        nodes: member.status.node_summary,
        largest_pod: largest_pod(member),
        waiting: allocating,
        imports_services: serves(item.get("status"), "multicluster.x-k8s.io/"),
        submariner: None,
    };
    let cluster = Cluster {
        readiness,
        region: text(&member.spec.region),
        zones: zones.filter(|zone| !zone.is_empty()).cloned().collect(),
        provider: text(&member.spec.provider),
        labels: member.metadata.labels.clone(),
        taints,
        allocated,
        ..Cluster::new(name, allocatable)
    };
    (cluster, details)
}

/// True when the status of a cluster lists an API whose group and version begin so.
pub(crate) fn serves(status: Option<&Value>, api: &str) -> bool {
    let listed = status
        .and_then(|status| status.get("apiEnablements"))
        .and_then(Value::as_array);
    let mut versions = listed
        .into_iter()
        .flatten()
        .filter_map(|enabled| enabled.get("groupVersion")?.as_str());
    versions.any(|version| version.starts_with(api))
}

fn text(field: &Option<String>) -> Option<String> {
    field.clone().filter(|text| !text.is_empty())
}

fn effect(name: &str) -> Option<TaintEffect> {
    match name {
        "NoSchedule" => Some(TaintEffect::NoSchedule),
        "PreferNoSchedule" => Some(TaintEffect::PreferNoSchedule),
        "NoExecute" => Some(TaintEffect::NoExecute),
        _ => None,
    }
}

/// A cluster is ready when it says so, stays in the fleet, and says what it offers.
fn readiness(member: &MemberCluster, offers: bool, missing: Vec<String>) -> (Readiness, Report) {
    let status = &member.status;
    let partial = |missing: Vec<String>| {
        if missing.is_empty() {
            Report::Current
        } else {
            Report::Partial { missing }
        }
    };
    if let Some(since) = member.metadata.deletion_timestamp {
        let reason = "ClusterBeingRemoved".to_owned();
        let since = Some(since);
        return (Readiness::NotReady { reason, since }, partial(missing));
    }
    let Some(ready) = status.ready() else {
        let reason = "it has not reported yet".to_owned();
        let report = if status.resource_summary.is_none() {
            Report::Never
        } else {
            partial(missing)
        };
        return (Readiness::Unknown { reason }, report);
    };
    let reason = if ready.reason.is_empty() {
        "no reason given".to_owned()
    } else {
        ready.reason.clone()
    };
    match ready.status.as_str() {
        "True" if !offers => {
            let reason = "it is up and does not say what it offers".to_owned();
            (Readiness::Unknown { reason }, partial(missing))
        }
        "True" => (Readiness::Ready, partial(missing)),
        "False" => {
            let since = ready.last_transition_time;
            (Readiness::NotReady { reason, since }, Report::Stale)
        }
        _ => (Readiness::Unknown { reason }, Report::Stale),
    }
}

/// Reads quantities; what cannot be read is named and left out.
fn amounts(list: &str, quantities: &BTreeMap<String, Value>, missing: &mut Vec<String>) -> Resources {
    let mut amounts = Resources::new();
    for (name, quantity) in quantities {
        let resource = resource(name);
        match amount(&resource, quantity) {
            Some(amount) => amounts.set(resource, amount),
            None => missing.push(format!("{list}.{name}: {quantity} is no quantity")),
        }
    }
    amounts
}

/// The name that deciders know a resource by: a node's disk is `ephemeral-storage` to Kubernetes.
fn resource(name: &str) -> ResourceName {
    match name {
        "ephemeral-storage" => ResourceName::new(ResourceName::STORAGE),
        other => ResourceName::new(other),
    }
}

/// A quantity, in the base unit of its resource. Kubernetes writes texts; numbers are taken as well.
fn amount(resource: &ResourceName, quantity: &Value) -> Option<u64> {
    let text = match quantity {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    resource.parse_amount(&text).ok()
}

/// The least that a node of the largest size in use has free. Karmada sorts a node into the largest size of which it
/// has enough of *every* resource, so the least amounts are sure and the upper ones are not.
fn largest_pod(member: &MemberCluster) -> Option<Resources> {
    let summary = member.status.resource_summary.as_ref()?;
    let in_use = |grade: u32| {
        let mut counts = summary.allocatable_modelings.iter();
        counts.any(|entry| entry.grade == grade && entry.count > 0)
    };
    let models = member.spec.resource_models.iter();
    let largest = models
        .filter(|model| in_use(model.grade))
        .max_by_key(|model| model.grade)?;
    let least = largest.ranges.iter().filter_map(|range| {
        let resource = resource(&range.name);
        amount(&resource, &range.min).map(|amount| (resource, amount))
    });
    Some(least.collect())
}

#[cfg(test)]
#[path = "inventory_tests.rs"]
mod tests;
