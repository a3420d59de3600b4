//! Karmada's policies: the part that is written here, typed, with everything else kept as it is read.

use std::collections::BTreeMap;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smo_core::cluster::Toleration;
use smo_core::id::ClusterName;
use smo_core::placement::Assignment;

/// Says where objects of a namespace go (`policy.karmada.io/v1alpha1`).
#[derive(CustomResource, Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "policy.karmada.io",
    version = "v1alpha1",
    kind = "PropagationPolicy",
    namespaced,
    schema = "disabled",
    derive = "PartialEq"
)]
#[serde(default, rename_all = "camelCase")]
pub struct PropagationSpec {
    /// Which objects.
    pub resource_selectors: Vec<ResourceSelector>,
    /// Where they go.
    pub placement: Placement,
    /// What the objects refer to (ConfigMaps, Secrets, ...) goes with them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub propagate_deps: bool,
    /// Whether an object that a member already has is taken over (`Overwrite`) or left alone (`Abort`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict_resolution: Option<String>,
    /// Of several policies the one of highest priority counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Everything else.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// The same for objects without a namespace.
#[derive(CustomResource, Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "policy.karmada.io",
    version = "v1alpha1",
    kind = "ClusterPropagationPolicy",
    schema = "disabled",
    derive = "PartialEq"
)]
#[serde(transparent)]
pub struct ClusterPropagationSpec(pub PropagationSpec);

/// Which objects a policy is about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceSelector {
    /// Such as `apps/v1`.
    pub api_version: String,
    /// Such as `Deployment`.
    pub kind: String,
    /// The namespace; that of the policy when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// The name; every name when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The labels, looked at when no name is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<Value>,
}

/// Where objects go.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Placement {
    /// The clusters that come into question; **all** when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_affinity: Option<ClusterAffinity>,
    /// Taints that are ignored.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub cluster_tolerations: Vec<ClusterToleration>,
    /// How replicas are spread; when not given every cluster gets all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_scheduling: Option<ReplicaScheduling>,
    /// Everything else.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// The clusters that come into question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterAffinity {
    /// By name; an empty list is **all** clusters. Charts render an empty list as null.
    #[serde(deserialize_with = "null_as_none")]
    pub cluster_names: Vec<String>,
    /// Everything else.
    #[serde(flatten)]
    #[schemars(skip)]
    pub other: BTreeMap<String, Value>,
}

/// Leave to ignore taints, as `core/v1` has it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ClusterToleration {
    /// The key; every key when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// `Equal` or `Exists`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// The value, with `Equal`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The effect; every effect when not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<String>,
}

impl From<&Toleration> for ClusterToleration {
    fn from(toleration: &Toleration) -> Self {
        use smo_core::cluster::TaintEffect;
        let operator = if toleration.value.is_some() {
            "Equal"
        } else {
            "Exists"
        };
        let effect = toleration.effect.map(|effect| match effect {
            TaintEffect::NoSchedule => "NoSchedule",
            TaintEffect::PreferNoSchedule => "PreferNoSchedule",
            TaintEffect::NoExecute => "NoExecute",
        });
        Self {
            key: toleration.key.clone(),
            operator: Some(operator.to_owned()),
            value: toleration.value.clone(),
            effect: effect.map(str::to_owned),
        }
    }
}

/// How replicas are spread.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct ReplicaScheduling {
    /// `Divided` or `Duplicated`.
    pub replica_scheduling_type: String,
    /// `Weighted` or `Aggregated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replica_division_preference: Option<String>,
    /// The weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_preference: Option<WeightPreference>,
}

/// The weights of clusters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct WeightPreference {
    /// Given weights.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub static_weight_list: Vec<StaticWeight>,
    /// A rule that gives weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dynamic_weight: Option<String>,
}

/// The weight of some clusters, at least 1.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct StaticWeight {
    /// The clusters.
    pub target_cluster: ClusterAffinity,
    /// Their weight each.
    pub weight: i64,
}

/// Says how objects differ from cluster to cluster (`policy.karmada.io/v1alpha1`).
#[derive(CustomResource, Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "policy.karmada.io",
    version = "v1alpha1",
    kind = "OverridePolicy",
    namespaced,
    schema = "disabled",
    derive = "PartialEq"
)]
#[serde(default, rename_all = "camelCase")]
pub struct OverridePolicySpec {
    /// Which objects.
    pub resource_selectors: Vec<ResourceSelector>,
    /// What is different where.
    pub override_rules: Vec<OverrideRule>,
}

/// What is different in some clusters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct OverrideRule {
    /// The clusters.
    pub target_cluster: ClusterAffinity,
    /// The differences.
    pub overriders: Overriders,
}

/// Differences.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct Overriders {
    /// By JSON pointer.
    pub plaintext: Vec<PlaintextOverrider>,
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, rename_all = "camelCase")]
pub struct PlaintextOverrider {
    /// A JSON pointer.
    pub path: String,
    /// `add`, `replace` or `remove`.
    pub operator: String,
    /// The value to be there.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

fn null_as_none<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

fn named(clusters: impl IntoIterator<Item = ClusterName>) -> ClusterAffinity {
    ClusterAffinity {
        cluster_names: clusters.into_iter().map(|cluster| cluster.to_string()).collect(),
        ..ClusterAffinity::default()
    }
}

/// Exactly the replicas of an assignment: the counts are the static weights, and their sum has to be the replicas of
/// the workload. A cluster without replicas is left out, since a weight is at least 1. `None` when the assignment is
/// empty, which Karmada would read as "everywhere".
#[must_use]
pub fn exact_placement(assignment: &Assignment, tolerations: &[Toleration]) -> Option<Placement> {
    let mut placement = clusters_placement(assignment.clusters().cloned(), tolerations)?;
    let weights = assignment.iter().map(|(cluster, replicas)| StaticWeight {
        target_cluster: named([cluster.clone()]),
        weight: i64::from(replicas),
    });
    placement.replica_scheduling = Some(ReplicaScheduling {
        replica_scheduling_type: "Divided".to_owned(),
        replica_division_preference: Some("Weighted".to_owned()),
        weight_preference: Some(WeightPreference {
            static_weight_list: weights.collect(),
            dynamic_weight: None,
        }),
    });
    Some(placement)
}

/// The same object on each of these clusters. `None` when there are none, which Karmada would read as "everywhere".
#[must_use]
pub fn clusters_placement(
    clusters: impl IntoIterator<Item = ClusterName>,
    tolerations: &[Toleration],
) -> Option<Placement> {
    let affinity = named(clusters);
    (!affinity.cluster_names.is_empty()).then(|| Placement {
        cluster_affinity: Some(affinity),
        cluster_tolerations: tolerations.iter().map(ClusterToleration::from).collect(),
        ..Placement::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use smo_core::cluster::TaintEffect;

    #[test]
    fn an_exact_split_is_static_weights() {
        let [m1, m2, m3] = ["m1", "m2", "m3"].map(|name| name.parse::<ClusterName>().unwrap());
        let assignment = Assignment::from_iter([(m1, 2), (m2, 1), (m3, 0)]);
        let edge = Toleration {
            key: Some("tier".to_owned()),
            value: Some("edge".to_owned()),
            effect: Some(TaintEffect::NoSchedule),
        };
        let any = Toleration {
            key: None,
            value: None,
            effect: None,
        };
        let placement = exact_placement(&assignment, &[edge, any]).unwrap();
        insta::assert_snapshot!(serde_json::to_string(&placement).unwrap(), @r#"{"clusterAffinity":{"clusterNames":["m1","m2"]},"clusterTolerations":[{"key":"tier","operator":"Equal","value":"edge","effect":"NoSchedule"},{"operator":"Exists"}],"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[{"targetCluster":{"clusterNames":["m1"]},"weight":2},{"targetCluster":{"clusterNames":["m2"]},"weight":1}]}}}"#);
    }

    #[test]
    fn nowhere_is_never_written_as_everywhere() {
        assert_eq!(exact_placement(&Assignment::default(), &[]), None);
        assert_eq!(clusters_placement([], &[]), None);
    }

    #[test]
    fn fields_of_a_policy_that_are_not_known_here_survive() {
        let policy = json!({
            "apiVersion": "policy.karmada.io/v1alpha1",
            "kind": "PropagationPolicy",
            "metadata": {"name": "p", "namespace": "n"},
            "spec": {
                "resourceSelectors": [{"apiVersion": "v1", "kind": "Service"}],
                "placement": {"clusterAffinity": {"clusterNames": ["a"], "exclude": ["b"]}, "spreadConstraints": []},
                "preemption": "Never",
            },
        });
        let read: PropagationPolicy = serde_json::from_value(policy.clone()).unwrap();
        assert_eq!(serde_json::to_value(&read).unwrap(), policy);
    }
}
