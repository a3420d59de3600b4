//! What kubectl sees, which shares no code with what is tested.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::stage::{LONG, Stage};

/// Kinds that the stories write, in Karmada and in members.
const KINDS: &str = "deployments,statefulsets,jobs,services,configmaps,secrets,serviceaccounts,\
                     serviceexports.multicluster.x-k8s.io,serviceimports.multicluster.x-k8s.io";
const POLICIES: &str = "propagationpolicies,overridepolicies,resourcebindings";

fn items(list: Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap_or_default()
}

/// Objects that Kubernetes itself makes in every namespace.
fn is_natural(object: &Value) -> bool {
    ["kube-root-ca.crt", "default"].contains(&name(object)) && object["kind"] != "Deployment"
}

impl Stage {
    fn members(&self) -> Vec<String> {
        let clusters = self
            .testbed
            .kubectl()
            .get(&["clusters.cluster.karmada.io"])
            .unwrap();
        items(clusters)
            .iter()
            .map(|cluster| name(cluster).to_owned())
            .collect()
    }

    /// An object in a member, by Karmada's proxy.
    pub(crate) fn in_member(&self, member: &str, path: &str) -> Option<Value> {
        let proxy = format!("/apis/cluster.karmada.io/v1alpha1/clusters/{member}/proxy{path}");
        let text = self.testbed.kubectl().run(&["get", "--raw", &proxy]).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// The members that have an object of this collection (`/api/v1/.../services`) in the project's namespace.
    pub(crate) fn members_with(&self, api: &str, collection: &str, name: &str) -> Vec<String> {
        let path = format!("{api}/namespaces/{}/{collection}/{name}", self.project());
        let mut all = self.members();
        all.retain(|member| self.in_member(member, &path).is_some());
        all
    }

    /// Ready replicas of a Deployment in each member that has it.
    pub(crate) fn replicas(&self, deployment: &str) -> Vec<(String, u64)> {
        let path = format!(
            "/apis/apps/v1/namespaces/{}/deployments/{deployment}",
            self.project()
        );
        let ready = |member: String| {
            let found = self.in_member(&member, &path)?;
            let count = found["status"]["readyReplicas"].as_u64().unwrap_or(0);
            Some((member, count))
        };
        self.members().into_iter().filter_map(ready).collect()
    }

    /// How many bindings the project and its monitors have, and which of them are not applied and healthy.
    pub(crate) fn unhealthy_bindings(&self) -> (usize, Vec<String>) {
        let all = items(
            self.testbed
                .kubectl()
                .get(&["resourcebindings", "--all-namespaces"])
                .unwrap(),
        );
        let ours = |binding: &&Value| {
            let namespace = binding["metadata"]["namespace"].as_str().unwrap_or_default();
            namespace == self.project()
                || namespace == "monitoring" && name(binding).starts_with(self.project())
        };
        let ours: Vec<&Value> = all.iter().filter(ours).collect();
        let holds = |binding: &Value, kind: &str| smo_testbed::condition(binding, kind) == Some("True");
        let healthy = |binding: &Value| {
            let items = binding["status"]["aggregatedStatus"].as_array();
            let well = |item: &Value| {
                let health = item["health"].as_str();
                item["applied"] == true
                    && (health == Some("Healthy") || binding["spec"]["resource"]["kind"] != "Deployment")
            };
            // What follows another binding (by `requiredBy`) is not scheduled for itself.
            holds(binding, "FullyApplied")
                && items.is_some_and(|items| !items.is_empty() && items.iter().all(well))
        };
        let sick = ours.iter().filter(|binding| !healthy(binding));
        (ours.len(), sick.map(|binding| name(binding).to_owned()).collect())
    }

    /// Waits until every binding of the project is healthy but those named; tells how many there are.
    pub(crate) fn all_bindings_healthy(&self, but: &[&str]) -> usize {
        let began = Instant::now();
        loop {
            let (count, mut sick) = self.unhealthy_bindings();
            sick.retain(|name| !but.contains(&name.as_str()));
            if sick.is_empty() {
                return count;
            }
            assert!(
                began.elapsed() < LONG,
                "bindings that do not get healthy: {sick:?}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Everything of the project in Karmada and in the members that nature did not make.
    pub(crate) fn left(&self) -> Vec<String> {
        let namespace = ["--namespace", self.project()];
        let kubectl = self.testbed.kubectl();
        let get = |kubectl: &smo_testbed::Kubectl, kinds: &str| {
            let all = [&["--ignore-not-found", kinds], &namespace[..]].concat();
            kubectl.get(&all).map(items).unwrap_or_default()
        };
        let tell = |place: &str, objects: Vec<Value>| -> Vec<String> {
            let ours = objects.iter().filter(|object| !is_natural(object));
            ours.map(|object| format!("{place}: {} {}", object["kind"], name(object)))
                .collect()
        };
        let mut left = tell("karmada", get(&kubectl, &format!("{KINDS},{POLICIES}")));
        let works = items(kubectl.get(&["works", "--all-namespaces"]).unwrap());
        let of_project = |work: &&Value| {
            work["metadata"]["annotations"]["resourcebinding.karmada.io/namespace"] == self.project()
        };
        left.extend(
            works
                .iter()
                .filter(of_project)
                .map(|work| format!("karmada: Work {}", name(work))),
        );
        let monitors = items(
            kubectl
                .get(&[
                    "servicemonitors,propagationpolicies,resourcebindings",
                    "--namespace",
                    "monitoring",
                ])
                .unwrap(),
        );
        let ours = monitors
            .iter()
            .filter(|object| name(object).starts_with(&format!("{}-", self.project())));
        left.extend(ours.map(|object| format!("karmada, monitoring: {} {}", object["kind"], name(object))));
        for member in self.testbed.members() {
            let kubectl = self.testbed.member_kubectl(&member.name).unwrap();
            left.extend(tell(&member.name, get(&kubectl, KINDS)));
        }
        left
    }

    /// Waits until nothing is left. A fleet forgets what it removed when it looks and sees that it is gone, which the
    /// host's regular step does.
    pub(crate) async fn nothing_left(&self) {
        let began = Instant::now();
        loop {
            let left = self.left();
            if left.is_empty() {
                return;
            }
            let report = self.orchestrator.reconcile(jiff::Timestamp::now()).await.unwrap();
            assert!(
                began.elapsed() < LONG,
                "left of {}: {left:#?}\n{:#?}",
                self.project(),
                report.problems
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// How many Deployments of the project Karmada says are ready.
    pub(crate) fn ready_workloads(&self) -> usize {
        let all = items(
            self.testbed
                .kubectl()
                .get(&["deployments", "--namespace", self.project()])
                .unwrap(),
        );
        all.iter()
            .filter(|found| found["status"]["readyReplicas"] == found["spec"]["replicas"])
            .count()
    }
}
