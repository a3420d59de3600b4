//! What a chart rendered, sorted: what its own policies place, what needs one of ours, whose replicas are counted.

use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use smo_core::cluster::Toleration;
use smo_core::helm_values::HelmValues;

use crate::chart_import::{imports_of, named_ports};
use crate::error::KarmadaError;
use crate::foreign::{Candidate, selects};
use crate::objects::{
    ObjectRef, Owner, Placement, PropagationSpec, clusters_placement, exact_placement, manifest, propagation,
};
use crate::record::Wish;
use crate::status::has_replicas;

/// A chart's objects and what is to be done for them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct ChartPlan {
    /// Every object of the chart, with its namespace.
    pub(crate) objects: Vec<Value>,
    /// The chart's own policies.
    pub(crate) own_policies: Vec<ObjectRef>,
    /// Policies of ours, for what the chart's own do not select.
    pub(crate) policies: Vec<Value>,
    /// The chart's own policy of the workload and what is to be different in it: a chart is steered by its values, and
    /// where they do not reach by editing its policy, since a second policy would be ignored.
    pub(crate) steer: Option<(ObjectRef, Value)>,
    /// The chart's own policy of the workload, steered or not.
    pub(crate) steerable: Option<ObjectRef>,
    /// The object whose replicas are counted.
    pub(crate) workload: Option<ObjectRef>,
    /// Other objects of the chart that do not work as they are, and what is to be different in each.
    pub(crate) repairs: Vec<(ObjectRef, Value)>,
}

impl ChartPlan {
    /// The replicas of the workload as the chart has them: 1 where it does not say. `None` without such a workload.
    pub(crate) fn replicas(&self) -> Option<u32> {
        let workload = self
            .workload
            .as_ref()
            .filter(|workload| has_replicas(&workload.kind))?;
        let is_it = |object: &&Value| ObjectRef::of(object).is_ok_and(|reference| reference == *workload);
        let manifest = self.objects.iter().find(is_it)?;
        let count = manifest.pointer("/spec/replicas").map_or(Some(1), Value::as_u64);
        count.and_then(|count| u32::try_from(count).ok())
    }
}

/// Sorts what a chart rendered.
pub(crate) fn plan_chart(
    owner: &Owner,
    rendered: Vec<Value>,
    values: &HelmValues,
    wish: Option<&Wish>,
    tolerations: &[Toleration],
) -> Result<ChartPlan, KarmadaError> {
    let objects: Vec<Value> = rendered
        .into_iter()
        .map(|object| placed_in(object, owner.namespace()))
        .collect();
    let mut sorted = Vec::new();
    for object in &objects {
        sorted.push((ObjectRef::of(object)?, object));
    }
    let workload = workload(owner, &sorted);
    let mut own: Vec<(&ObjectRef, PropagationSpec)> = Vec::new();
    for (reference, policy) in &sorted {
        if reference.is_policy() && reference.kind.ends_with("PropagationPolicy") {
            let spec = policy.get("spec").unwrap_or(&Value::Null);
            let unreadable = |error| KarmadaError::Refused(format!("the chart's own {reference}: {error}"));
            own.push((reference, PropagationSpec::deserialize(spec).map_err(unreadable)?));
        }
    }
    let mut plan = ChartPlan {
        own_policies: own.iter().map(|(reference, _)| (*reference).clone()).collect(),
        workload: workload.clone(),
        repairs: named_ports(&sorted),
        ..ChartPlan::default()
    };
    if let Some(wish) = wish {
        let placement = exact_placement(&wish.assignment, tolerations).ok_or_else(|| {
            KarmadaError::Refused("it names no cluster, which would mean every cluster".to_owned())
        })?;
        let mine = |(reference, object): &(ObjectRef, &Value)| selecting(&own, reference, object).is_none();
        let free: Vec<_> = sorted
            .iter()
            .filter(|(reference, _)| is_propagated(reference))
            .filter(|entry| mine(entry))
            .collect();
        let (imports, rest): (Vec<_>, Vec<_>) = free
            .into_iter()
            .partition(|(reference, _)| reference.kind == "ServiceImport");
        plan.policies = ours(owner, "", &rest, &placement)?;
        if let Some(placement) = clusters_placement(imports_of(values).unwrap_or_default(), tolerations) {
            plan.policies.extend(ours(owner, "import", &imports, &placement)?);
        }
        let steered = workload.as_ref().and_then(|workload| {
            let (_, manifest) = sorted.iter().find(|(reference, _)| reference == workload)?;
            selecting(&own, workload, manifest)
        });
        if let Some((policy, spec)) = steered {
            plan.steerable = Some(policy.clone());
            plan.steer = steer(policy, spec, wish, &placement)?;
        }
    }
    plan.objects = objects;
    Ok(plan)
}

/// Kinds without a namespace that charts bring.
const CLUSTER_SCOPED: [&str; 12] = [
    "Namespace",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "PersistentVolume",
    "StorageClass",
    "PriorityClass",
    "IngressClass",
    "APIService",
    "ClusterPropagationPolicy",
    "ClusterOverridePolicy",
    "RuntimeClass",
];

fn is_cluster_scoped(kind: &str) -> bool {
    CLUSTER_SCOPED.contains(&kind) || kind.ends_with("WebhookConfiguration")
}

/// The object in its namespace: that of the release, where it names none.
fn placed_in(mut object: Value, namespace: &str) -> Value {
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or_default();
    if !is_cluster_scoped(kind)
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        metadata.entry("namespace").or_insert_with(|| namespace.into());
    }
    object
}

/// Karmada's own objects stay where they are, and namespaces travel by themselves.
fn is_propagated(object: &ObjectRef) -> bool {
    !object.is_policy() && object.kind != "Namespace" && !object.api_version.contains(".karmada.io/")
}

/// The object whose replicas are counted: the one with the name of the service, else the first that has replicas, else
/// the first that runs anything.
fn workload(owner: &Owner, objects: &[(ObjectRef, &Value)]) -> Option<ObjectRef> {
    let service = owner.service.service.as_str();
    let refs = || objects.iter().map(|(reference, _)| reference);
    let counted = || refs().filter(|reference| has_replicas(&reference.kind));
    let runs =
        |reference: &&ObjectRef| ["DaemonSet", "Job", "CronJob", "Pod"].contains(&reference.kind.as_str());
    let found = counted().find(|reference| reference.name == service);
    found
        .or_else(|| counted().next())
        .or_else(|| refs().find(runs))
        .cloned()
}

/// The chart's own policy that selects an object.
fn selecting<'a>(
    own: &'a [(&'a ObjectRef, PropagationSpec)],
    object: &ObjectRef,
    manifest: &Value,
) -> Option<(&'a ObjectRef, &'a PropagationSpec)> {
    let candidate = Candidate {
        object,
        manifest,
        live: None,
    };
    let reaches = |policy: &ObjectRef| policy.namespace.is_none() || policy.namespace == object.namespace;
    own.iter()
        .filter(|(policy, _)| reaches(policy))
        .find(|(_, spec)| {
            spec.resource_selectors
                .iter()
                .any(|selector| selects(selector, &candidate))
        })
        .map(|(policy, spec)| (*policy, spec))
}

/// One policy of ours for each namespace that has objects without one.
fn ours(
    owner: &Owner,
    role: &str,
    objects: &[&(ObjectRef, &Value)],
    placement: &Placement,
) -> Result<Vec<Value>, KarmadaError> {
    let mut namespaces: Vec<&Option<String>> = objects
        .iter()
        .map(|(reference, _)| &reference.namespace)
        .collect();
    namespaces.sort();
    namespaces.dedup();
    let policy = |namespace: &&Option<String>| {
        let here: Vec<Value> = objects
            .iter()
            .filter(|(reference, _)| reference.namespace == **namespace)
            .map(|(_, object)| (*object).clone())
            .collect();
        let foreign = namespace.as_deref() != Some(owner.namespace());
        // Two projects may reach into one other namespace.
        let role = match foreign {
            true => format!(
                "{}{}",
                owner.namespace(),
                if role.is_empty() { "" } else { "-import" }
            ),
            false => role.to_owned(),
        };
        let mut policy = propagation(owner, &role, &here, placement.clone(), None, true)?;
        match namespace {
            Some(namespace) => policy["metadata"]["namespace"] = namespace.as_str().into(),
            None => {
                policy["kind"] = "ClusterPropagationPolicy".into();
                if let Some(metadata) = policy["metadata"].as_object_mut() {
                    metadata.remove("namespace");
                }
            }
        }
        Ok(policy)
    };
    namespaces.iter().map(policy).collect()
}

/// What has to be different in the chart's own policy; `None` when its values have brought it where it should be.
fn steer(
    policy: &ObjectRef,
    spec: &PropagationSpec,
    wish: &Wish,
    placement: &Placement,
) -> Result<Option<(ObjectRef, Value)>, KarmadaError> {
    let named = spec
        .placement
        .cluster_affinity
        .as_ref()
        .map(|affinity| &affinity.cluster_names);
    let chosen_otherwise = spec.placement.other.contains_key("clusterAffinities")
        || spec
            .placement
            .cluster_affinity
            .as_ref()
            .is_some_and(|affinity| !affinity.other.is_empty());
    if named.is_none_or(Vec::is_empty) && !chosen_otherwise {
        let why = "names no cluster, which is every cluster; its values do not take `clustersAffinity`";
        return Err(KarmadaError::Refused(format!("the chart's own {policy} {why}")));
    }
    let wanted: Vec<String> = wish.assignment.clusters().map(ToString::to_string).collect();
    let mut listed = named.cloned().unwrap_or_default();
    listed.sort();
    let divided = spec.placement.replica_scheduling == placement.replica_scheduling;
    if listed == wanted && !chosen_otherwise && (wanted.len() == 1 || divided) {
        return Ok(None);
    }
    Ok(Some((policy.clone(), steering(placement))))
}

/// The part of a chart's own policy that says where it goes.
fn steering(placement: &Placement) -> Value {
    json!({"spec": {"placement": {
        "clusterAffinities": null,
        "clusterAffinity": placement.cluster_affinity,
        "replicaScheduling": placement.replica_scheduling,
    }}})
}

/// The policies of an installed chart, for another wish: without rendering the chart again, so that scaling needs no
/// registry. `policies` are those of ours as they are, `steerable` is the chart's own of the workload.
pub(crate) fn replan(
    owner: &Owner,
    policies: &[Value],
    steerable: Option<&ObjectRef>,
    wish: &Wish,
    tolerations: &[Toleration],
) -> Result<ChartPlan, KarmadaError> {
    let placement = exact_placement(&wish.assignment, tolerations).ok_or_else(|| {
        KarmadaError::Refused("it names no cluster, which would mean every cluster".to_owned())
    })?;
    let placement_value = manifest(&placement)?;
    let again = |policy: &Value| {
        let spec = |key: &str| {
            policy
                .get("spec")
                .and_then(|spec| spec.get(key))
                .cloned()
                .unwrap_or_default()
        };
        let selectors = spec("resourceSelectors");
        let is_import =
            |selector: &Value| selector.get("kind").and_then(Value::as_str) == Some("ServiceImport");
        let imports = selectors.as_array().is_some_and(|all| all.iter().any(is_import));
        // Only what is ours is written: a label that Karmada has set may never be given up again.
        let metadata = |key: &str| policy.get("metadata").and_then(|all| all.get(key)).cloned();
        let named = ["name", "namespace"]
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), metadata(key)?)));
        let mut kept: Map<String, Value> = named.collect();
        kept.insert("labels".to_owned(), Value::Object(owner.labels()));
        json!({
            "apiVersion": policy.get("apiVersion"),
            "kind": policy.get("kind"),
            "metadata": kept,
            "spec": {
                "resourceSelectors": selectors,
                "placement": if imports { spec("placement") } else { placement_value.clone() },
                "propagateDeps": spec("propagateDeps"),
                "conflictResolution": spec("conflictResolution"),
            },
        })
    };
    Ok(ChartPlan {
        policies: policies.iter().map(again).collect(),
        steer: steerable.map(|policy| (policy.clone(), steering(&placement))),
        ..ChartPlan::default()
    })
}

#[cfg(test)]
#[path = "chart_tests.rs"]
mod tests;
