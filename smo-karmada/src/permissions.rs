//! The verbs that this crate needs in Karmada's API server, as a role that an administrator can apply.

use serde_json::{Value, json};

/// What it takes to write, change and remove an object of our own.
const OWN: &[&str] = &["get", "create", "patch", "delete"];

/// Group, resources, verbs. Sorted by group.
const RULES: &[(&str, &[&str], &[&str])] = &[
    ("", &["namespaces"], &["get", "create", "patch"]),
    ("", &["secrets"], &["get", "list", "create", "patch", "delete"]),
    ("", &["services"], OWN),
    ("apps", &["deployments"], OWN),
    // Workloads of charts: their replicas are read and set.
    ("apps", &["statefulsets", "replicasets"], &["get", "patch"]),
    // Who else sets the count of a workload.
    ("autoscaling", &["horizontalpodautoscalers"], &["list"]),
    (
        "autoscaling.karmada.io",
        &["cronfederatedhpas", "federatedhpas"],
        &["list"],
    ),
    ("cluster.karmada.io", &["clusters"], &["list", "watch"]),
    // What Submariner knows is in the clusters themselves.
    ("cluster.karmada.io", &["clusters/proxy"], &["get"]),
    (
        "multicluster.x-k8s.io",
        &["serviceexports", "serviceimports"],
        OWN,
    ),
    (
        "policy.karmada.io",
        &["propagationpolicies"],
        &["get", "list", "create", "patch", "delete"],
    ),
    ("policy.karmada.io", &["clusterpropagationpolicies"], &["list"]),
    ("policy.karmada.io", &["overridepolicies"], OWN),
    ("work.karmada.io", &["resourcebindings"], &["list", "watch"]),
    // Copies that Karmada has forgotten are deleted.
    ("work.karmada.io", &["works"], &["list", "delete"]),
];

/// A `ClusterRole` called `name` with everything that a [`KarmadaFleet`](crate::KarmadaFleet) does in Karmada's API server,
/// for the user of its kubeconfig. The chart installer needs more: whatever its charts hold.
///
/// ```
/// let role = smo_karmada::permissions("smo");
/// assert_eq!(role["kind"], "ClusterRole");
/// println!("{role:#}"); // for `kubectl apply -f -`
/// ```
#[must_use]
pub fn permissions(name: &str) -> Value {
    let rules: Vec<Value> = RULES
        .iter()
        .map(
            |(group, resources, verbs)| json!({"apiGroups": [group], "resources": resources, "verbs": verbs}),
        )
        .collect();
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    })
}
