//! What a person would write and type.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo_testbed::{Kubectl, Testbed};

const LONG: Duration = Duration::from_secs(180);

/// Runs Helm on Karmada.
pub(crate) fn helm(testbed: &Testbed, arguments: &[&str]) {
    let output = Command::new(testbed.servers().program("helm4"))
        .arg("--kubeconfig")
        .arg(testbed.kubeconfig())
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

pub(crate) fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

pub(crate) fn list(items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

pub(crate) fn deployment(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": name, "image": "registry.example/web:1", "ports": [{"containerPort": 80}],
                "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}}}]},
        }},
    })
}

/// The objects by which others reach it: Service, export, import.
pub(crate) fn reachable(namespace: &str, name: &str) -> [Value; 3] {
    let ports = json!([{"name": "http", "port": 80, "protocol": "TCP"}]);
    let metadata = json!({"name": name, "namespace": namespace});
    [
        json!({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"selector": {"app": name}, "ports": ports}}),
        json!({"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceExport", "metadata": metadata}),
        json!({"apiVersion": "multicluster.x-k8s.io/v1alpha1", "kind": "ServiceImport", "metadata": metadata,
            "spec": {"type": "ClusterSetIP", "ports": ports}}),
    ]
}

/// A policy for some objects of a name.
pub(crate) fn policy(namespace: &str, name: &str, of: &str, kinds: &[(&str, &str)], cluster: &str) -> Value {
    let selectors: Vec<Value> = kinds
        .iter()
        .map(|(version, kind)| json!({"apiVersion": version, "kind": kind, "name": of}))
        .collect();
    json!({
        "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"resourceSelectors": selectors, "placement": {"clusterAffinity": {"clusterNames": [cluster]}}},
    })
}

/// A namespace's bindings, and which are not healthy: what is no workload counts when it was applied.
pub(crate) fn bindings(kubectl: &Kubectl, namespace: &str) -> (Vec<Value>, usize) {
    let all = kubectl.get(&["resourcebindings", "-n", namespace]).unwrap();
    let all = all["items"].as_array().cloned().unwrap_or_default();
    let healthy = |binding: &&Value| {
        let workload = binding["spec"]["resource"]["kind"] == "Deployment";
        let items = binding["status"]["aggregatedStatus"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        let applied = smo_testbed::condition(binding, "FullyApplied") == Some("True");
        applied && !items.is_empty() && items.iter().all(|item| !workload || item["health"] == "Healthy")
    };
    let sick = all.iter().filter(|binding| !healthy(binding)).count();
    (all, sick)
}

/// Looks until something is so.
pub(crate) fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let began = Instant::now();
    while !reached() {
        assert!(began.elapsed() < LONG, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until as many workloads run, each with its replicas, and until all bindings are healthy; tells both times.
pub(crate) fn healthy(
    kubectl: &Kubectl,
    namespace: &str,
    workloads: usize,
    count: usize,
    began: Instant,
) -> [Duration; 2] {
    let mut running = None;
    until("healthy bindings", || {
        let (all, sick) = bindings(kubectl, namespace);
        let well = all.iter().filter(|binding| {
            let item = &binding["status"]["aggregatedStatus"][0];
            binding["spec"]["resource"]["kind"] == "Deployment" && item["health"] == "Healthy"
        });
        if well.count() == workloads && running.is_none() {
            running = Some(began.elapsed());
        }
        running.is_some() && sick == 0 && all.len() >= count
    });
    [running.unwrap_or_default(), began.elapsed()]
}

/// Takes a namespace away and waits until nothing of it is in Karmada.
pub(crate) fn clear(kubectl: &Kubectl, namespace: &str) {
    kubectl.run(&["delete", "namespace", namespace]).unwrap();
    until("no works", || {
        let works = kubectl.get(&["works", "--all-namespaces"]).unwrap();
        let theirs = |work: &&Value| {
            work["metadata"]["annotations"]["resourcebinding.karmada.io/namespace"] == namespace
        };
        works["items"].as_array().unwrap().iter().filter(theirs).count() == 0
    });
}
