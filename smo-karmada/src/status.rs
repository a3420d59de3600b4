//! What became of a release: bindings read together with the readiness of the clusters.
//!
//! The binding of a dead cluster goes on saying `Healthy`, so what a binding says only counts where the cluster itself
//! is ready.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use smo_core::cluster::{Cluster, Health, ObservedRelease, ObservedReplicas, Readiness};
use smo_core::id::ClusterName;
use smo_core::plan::Target;
use smo_core::resources::Resources;

use crate::chart_import::imports_of;
use crate::inventory::FleetReport;
use crate::member::Condition;
use crate::objects::ObjectRef;
use crate::record::Record;

/// A `ResourceBinding` of `work.karmada.io/v1alpha2`: the part that is read here.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Binding {
    pub(crate) metadata: BindingMetadata,
    pub(crate) spec: BindingSpec,
    pub(crate) status: BindingStatus,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct BindingMetadata {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) generation: i64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct BindingSpec {
    pub(crate) replicas: u32,
    pub(crate) clusters: Vec<TargetCluster>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct TargetCluster {
    pub(crate) name: String,
    pub(crate) replicas: u32,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct BindingStatus {
    pub(crate) scheduler_observed_generation: i64,
    pub(crate) conditions: Vec<Condition>,
    pub(crate) aggregated_status: Vec<AggregatedItem>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct AggregatedItem {
    pub(crate) cluster_name: String,
    pub(crate) applied: bool,
    pub(crate) applied_message: String,
    pub(crate) health: String,
    pub(crate) status: Value,
}

impl Binding {
    /// Why the scheduler has refused it, if it has.
    fn refusal(&self) -> Option<&str> {
        let refused = |condition: &&Condition| condition.kind == "Scheduled" && condition.status == "False";
        self.status
            .conditions
            .iter()
            .find(refused)
            .map(|condition| condition.message.as_str())
    }

    /// True when nothing of it is left to run. Karmada divides 0 replicas among no clusters: the workload goes from its
    /// members until it is scaled up again.
    fn is_at_zero(&self) -> bool {
        self.spec.replicas == 0
            && self.spec.clusters.is_empty()
            && self.status.scheduler_observed_generation >= self.metadata.generation
    }

    /// True when every cluster that it names has the object, or the scheduler has refused it.
    pub(crate) fn has_arrived(&self) -> bool {
        let has = |target: &TargetCluster| self.item(&target.name).is_some_and(|item| item.applied);
        self.refusal().is_some() || !self.spec.clusters.is_empty() && self.spec.clusters.iter().all(has)
    }

    /// True when it runs in every cluster that it names, or one says why it cannot, or there is nothing to run.
    pub(crate) fn is_up(&self) -> bool {
        let is_up = |target: &TargetCluster| {
            self.item(&target.name).is_some_and(|item| {
                item.applied && item.health == "Healthy" || !item.applied && !item.applied_message.is_empty()
            })
        };
        self.refusal().is_some()
            || self.is_at_zero()
            || !self.spec.clusters.is_empty() && self.spec.clusters.iter().all(is_up)
    }

    pub(crate) fn item(&self, cluster: &str) -> Option<&AggregatedItem> {
        self.status
            .aggregated_status
            .iter()
            .find(|item| item.cluster_name == cluster)
    }

    pub(crate) fn target(&self, cluster: &str) -> Option<&TargetCluster> {
        self.spec.clusters.iter().find(|target| target.name == cluster)
    }

    /// True for the binding of `object`.
    pub(crate) fn is_of(&self, object: &ObjectRef) -> bool {
        Some(&self.metadata.namespace) == object.namespace.as_ref()
            && self.metadata.name == object.binding_name()
    }
}

/// Bindings by namespace and name.
pub(crate) type Bindings = BTreeMap<(String, String), Binding>;

/// The bindings of a list.
pub(crate) fn read_bindings(items: &[Value]) -> Bindings {
    let binding = |item: &Value| Binding::deserialize(item).ok();
    let keyed = |binding: Binding| {
        (
            (binding.metadata.namespace.clone(), binding.metadata.name.clone()),
            binding,
        )
    };
    items.iter().filter_map(binding).map(keyed).collect()
}

/// The binding of an object.
pub(crate) fn binding_of<'a>(bindings: &'a Bindings, object: &ObjectRef) -> Option<&'a Binding> {
    bindings
        .get(&(object.namespace.clone()?, object.binding_name()))
        .filter(|binding| binding.is_of(object))
}

/// What a release is like.
pub(crate) fn observe(record: &Record, bindings: &Bindings, fleet: &FleetReport) -> ObservedRelease {
    let workload = record
        .workload
        .as_ref()
        .and_then(|object| binding_of(bindings, object));
    let of_others = record
        .objects
        .iter()
        .filter(|object| Some(*object) != record.workload.as_ref());
    // An import that is for nobody is never scheduled, which is no fault.
    let imported = imports_of(&record.spec.values).is_none_or(|clusters| !clusters.is_empty());
    let others: Vec<&Binding> = of_others
        .filter(|object| imported || object.kind != "ServiceImport")
        .filter_map(|object| binding_of(bindings, object))
        .collect();
    let wanted = foreign_count(record, workload).unwrap_or_else(|| wanted(record, workload));
    let refusal = workload
        .into_iter()
        .chain(others.iter().copied())
        .find_map(Binding::refusal);
    let clusters = wanted
        .into_iter()
        .map(|(name, desired)| {
            let at = At {
                record,
                name: &name,
                desired,
                cluster: fleet.inventory.cluster(name.as_str()),
                waiting: fleet.details.get(&name).map(|details| &details.waiting),
            };
            let replicas = at.replicas(workload, &others);
            (name, replicas)
        })
        .collect();
    ObservedRelease {
        chart: record.spec.chart.clone(),
        values: record.spec.values.clone(),
        revision: record.revision,
        resources: record.spec.resources.clone(),
        clusters,
        message: refusal.map(str::to_owned),
        owners: Vec::new(),
    }
}

/// Where replicas run when somebody else has changed the count since we wrote it: a member reports a later generation of
/// the workload than ours, and another number of replicas is bound.
fn foreign_count(record: &Record, workload: Option<&Binding>) -> Option<BTreeMap<ClusterName, u32>> {
    let (wish, binding) = (record.wish.as_ref()?, workload?);
    let generation = |item: &AggregatedItem| item.status.get("resourceTemplateGeneration")?.as_i64();
    let later = |item: &AggregatedItem| generation(item).is_some_and(|seen| seen > record.generation);
    let foreign = record.complete
        && record.is_divided()
        && binding.spec.replicas != wish.replicas()
        && binding.status.aggregated_status.iter().any(later);
    foreign.then(|| {
        let bound = binding.spec.clusters.iter();
        bound
            .filter_map(|target| Some((target.name.parse().ok()?, target.replicas)))
            .collect()
    })
}

/// The clusters it should be on, with replicas.
fn wanted(record: &Record, workload: Option<&Binding>) -> BTreeMap<ClusterName, u32> {
    if let Some(wish) = &record.wish {
        let replicas = |replicas: u32| if wish.zero { 0 } else { replicas };
        let on = wish
            .assignment
            .iter()
            .map(|(cluster, count)| (cluster.clone(), replicas(count)));
        return on.collect();
    }
    let bound = workload.iter().flat_map(|binding| &binding.spec.clusters);
    let bound = bound.filter_map(|target| Some((target.name.parse().ok()?, target.replicas)));
    let bound: BTreeMap<ClusterName, u32> = bound.collect();
    match &record.spec.target {
        Target::ChosenByChart { declared } if bound.is_empty() => {
            declared.iter().map(|cluster| (cluster.clone(), 1)).collect()
        }
        _ => bound,
    }
}

/// One release on one cluster.
struct At<'a> {
    record: &'a Record,
    name: &'a ClusterName,
    desired: u32,
    cluster: Option<&'a Cluster>,
    /// What pods there request that have found no node yet.
    waiting: Option<&'a Resources>,
}

impl At<'_> {
    fn replicas(&self, workload: Option<&Binding>, others: &[&Binding]) -> ObservedReplicas {
        let name = self.name.as_str();
        let item = workload.and_then(|binding| binding.item(name));
        let count = |key: &str| {
            item.and_then(|item| item.status.get(key))
                .and_then(Value::as_i64)
                .unwrap_or(0)
        };
        let ready = u32::try_from(count("readyReplicas"))
            .unwrap_or(0)
            .min(self.desired);
        let (health, message) = self.health(workload, item, others);
        ObservedReplicas {
            desired: self.desired,
            ready,
            health,
            message,
        }
    }

    /// The cluster's own word comes first, then refusals, then what runs.
    fn health(
        &self,
        workload: Option<&Binding>,
        item: Option<&AggregatedItem>,
        others: &[&Binding],
    ) -> (Health, Option<String>) {
        let name = self.name.as_str();
        let bindings = || workload.into_iter().chain(others.iter().copied());
        let bound = bindings().any(|binding| binding.target(name).is_some());
        match self.cluster {
            Some(cluster) if bound && !cluster.readiness.is_ready() => {
                return (Health::Unknown, Some(not_ready(cluster)));
            }
            None if bound => return (Health::Unknown, Some(format!("{name} has left the fleet"))),
            _ => {}
        }
        let unplaced = bindings().filter(|binding| binding.target(name).is_none());
        if let Some(refusal) = unplaced.filter_map(Binding::refusal).next() {
            return (Health::Degraded, Some(refusal.to_owned()));
        }
        let items = || bindings().filter_map(|binding| binding.item(name));
        let refused = items().find(|item| !item.applied && !item.applied_message.is_empty());
        if let Some(refused) = refused {
            return (Health::Degraded, Some(refused.applied_message.clone()));
        }
        let others_applied = others
            .iter()
            .filter(|binding| binding.target(name).is_some())
            .all(|binding| binding.item(name).is_some_and(|item| item.applied));
        let runs = match (workload, item) {
            (Some(binding), None) if self.desired == 0 => binding.is_at_zero(),
            (Some(binding), Some(item)) => self.runs(binding, item),
            // A chart without a workload does its work when its objects are in place.
            _ => self.record.workload.is_none() && bound,
        };
        if runs && others_applied {
            (Health::Healthy, None)
        } else {
            (Health::Progressing, item.and_then(|item| self.no_room(item)))
        }
    }

    /// Why replicas that their cluster has accepted do not run, where it is for want of room.
    fn no_room(&self, item: &AggregatedItem) -> Option<String> {
        let count = |key: &str| item.status.get(key).and_then(Value::as_u64).unwrap_or(0);
        let waiting = self.waiting?;
        let asked = &self.record.spec.resources;
        let short = asked.iter().any(|(name, _)| waiting.amount(name.as_str()) > 0);
        let missing = u64::from(self.desired).saturating_sub(count("readyReplicas"));
        (item.applied && short && missing > 0).then(|| {
            let (name, desired) = (self.name, self.desired);
            format!(
                "{missing} of {desired} replicas do not run, and pods in {name} find no node for {waiting}"
            )
        })
    }

    /// True when what was asked for last is what runs.
    fn runs(&self, binding: &Binding, item: &AggregatedItem) -> bool {
        let count = |key: &str| item.status.get(key).and_then(Value::as_i64);
        let is_desired = |key: &str| count(key).unwrap_or(0) == i64::from(self.desired);
        let target = binding.target(self.name.as_str()).map(|target| target.replicas);
        let counted = self.record.is_divided();
        let current = count("resourceTemplateGeneration").is_none_or(|seen| seen >= self.record.generation);
        let replicas = !counted
            || (target == Some(self.desired)
                && ["replicas", "readyReplicas", "updatedReplicas"]
                    .into_iter()
                    .all(is_desired));
        item.applied && item.health == "Healthy" && current && replicas
    }
}

/// True for kinds whose replicas Karmada divides.
pub(crate) fn has_replicas(kind: &str) -> bool {
    ["Deployment", "StatefulSet", "ReplicaSet"].contains(&kind)
}

fn not_ready(cluster: &Cluster) -> String {
    let name = &cluster.name;
    match &cluster.readiness {
        Readiness::Ready => format!("{name} is ready"),
        Readiness::NotReady { reason, since } => match since {
            Some(since) => format!("{name} is not ready since {since} ({reason})"),
            None => format!("{name} is not ready ({reason})"),
        },
        Readiness::Unknown { reason } => format!("{name} has not reported ({reason})"),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
pub(crate) mod tests;
