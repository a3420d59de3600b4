//! Bindings as Karmada's scheduler and controllers would write them, read back as what became of a release.

use serde_json::{Value, json};
use smo_core::backend::{ReleaseBackend, ReleaseBackendExt, Scope};
use smo_core::cluster::Health;
use smo_core::id::ServiceKey;

use crate::server::{Server, cluster, image};

const WORKS: &str = "works.work.karmada.io";

/// The test as the scheduler of one Deployment.
struct Scheduler<'a> {
    server: &'a Server,
    service: ServiceKey,
}

impl Scheduler<'_> {
    /// Writes where it goes and what is reported of it.
    fn bind(&self, replicas: u32, clusters: Value, conditions: Value, items: Value) {
        let namespace = self.service.graph.project.as_str();
        let name = format!("{}-deployment", self.service.service);
        let resource = json!({"apiVersion": "apps/v1", "kind": "Deployment", "namespace": namespace,
            "name": self.service.service.as_str()});
        let binding = json!({
            "apiVersion": "work.karmada.io/v1alpha2", "kind": "ResourceBinding",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"resource": resource, "replicas": replicas, "clusters": clusters},
        });
        self.server.kubectl.apply(&binding).unwrap();
        let binding = self
            .server
            .get("resourcebindings.work.karmada.io", namespace, &name)
            .unwrap();
        let status = json!({"status": {"schedulerObservedGeneration": binding["metadata"]["generation"],
            "conditions": conditions, "aggregatedStatus": items}});
        let status = status.to_string();
        let arguments = [
            "patch",
            "resourcebindings.work.karmada.io",
            &name,
            "-n",
            namespace,
            "--subresource=status",
            "--type=merge",
            "-p",
            &status,
        ];
        self.server.kubectl.run(&arguments).unwrap();
    }

    /// What a caller is told: message, then each cluster.
    async fn told(&self) -> String {
        let observed = self.server.fleet.release(&self.service).await.unwrap();
        let mut told = observed.message.unwrap_or_else(|| "-".to_owned());
        for (name, at) in observed.clusters {
            let message = at.message.unwrap_or_default();
            told.push_str(&format!(
                "\n  {name} {}/{} {:?} {message}",
                at.ready, at.desired, at.health
            ));
        }
        told
    }
}

fn scheduled(status: &str, reason: &str, message: &str) -> Value {
    json!([{"type": "Scheduled", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": "2026-11-24T10:00:00Z"}])
}

fn runs(name: &str, replicas: u32) -> Value {
    json!({"clusterName": name, "applied": true, "health": "Healthy", "status": {
        "replicas": replicas, "readyReplicas": replicas, "updatedReplicas": replicas, "availableReplicas": replicas}})
}

/// A cluster in which a copy has an earlier content than its Work, and no event tells Karmada.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_lags_behind_is_written_again() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[cluster("m1")]);
    server.fresh_namespace("lagging");
    let spec = image("lagging/shop/web", json!({}), &[("m1", 2)]);
    server.fleet.apply(&spec).await.unwrap();
    let scheduler = Scheduler {
        server: &server,
        service: spec.service.clone(),
    };
    let success = scheduled("True", "Success", "Binding has been scheduled successfully.");
    let target = json!([{"name": "m1", "replicas": 2}]);
    scheduler.bind(2, target.clone(), success.clone(), json!([runs("m1", 1)]));
    let mark = async || {
        scheduler.told().await;
        let workload = server.get("deployments.apps", "lagging", "web").unwrap();
        workload["metadata"]["annotations"]["smo/renewed"].clone()
    };
    server.later();
    let renewed = mark().await;
    assert!(renewed.is_string(), "{renewed}");
    assert_eq!(mark().await, renewed, "once for each write");
    scheduler.bind(2, target, success, json!([runs("m1", 2)]));
    assert_eq!(scheduler.told().await, "-\n  m1 2/2 Healthy ");
    server.fleet.remove(&spec.service).await.unwrap();
    server.drop_namespace("lagging");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_scheduler_wrote_is_told() {
    let Some(server) = Server::take().await else {
        return;
    };
    let mut dead = cluster("m2");
    dead["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ClusterNotReachable",
        "lastTransitionTime": "2026-11-24T09:00:00Z"}]);
    server.set_clusters(&[cluster("m1"), dead]);
    server.fresh_namespace("bound");
    let spec = image("bound/shop/web", json!({}), &[("m1", 2), ("m2", 1)]);
    server.fleet.apply(&spec).await.unwrap();
    let scheduler = Scheduler {
        server: &server,
        service: spec.service.clone(),
    };
    let both = json!([{"name": "m1", "replicas": 2}, {"name": "m2", "replicas": 1}]);
    let success = || scheduled("True", "Success", "Binding has been scheduled successfully.");
    let mut told = format!("nothing yet: {}\n", scheduler.told().await);
    let mut note = async |case: &str| {
        let line = format!("{case}: {}\n", scheduler.told().await);
        told.push_str(&line);
    };

    scheduler.bind(3, both.clone(), success(), json!([]));
    note("bound").await;
    // A dead cluster's last word stays in the binding, and is not believed.
    scheduler.bind(3, both.clone(), success(), json!([runs("m1", 2), runs("m2", 1)]));
    note("running, one cluster dead").await;
    let waiting = json!({"clusterName": "m1", "applied": true, "health": "Unhealthy",
        "status": {"replicas": 2, "readyReplicas": 1, "updatedReplicas": 2, "unavailableReplicas": 1}});
    scheduler.bind(3, both.clone(), success(), json!([waiting, runs("m2", 1)]));
    note("one replica waits for room").await;
    let taken = json!({"clusterName": "m1", "applied": false, "health": "Unknown",
        "appliedMessage": "resource(kind=Deployment, bound/web) already exists in the cluster m1"});
    scheduler.bind(3, both.clone(), success(), json!([taken]));
    note("not taken by the member").await;
    let nowhere = "0/2 clusters are available: 2 cluster(s) had untolerated taint";
    scheduler.bind(
        3,
        json!([]),
        scheduled("False", "NoClusterFit", nowhere),
        json!([]),
    );
    note("refused by the scheduler").await;
    scheduler.bind(3, both, success(), json!([runs("m1", 2), runs("m2", 1)]));
    server
        .kubectl
        .run(&["delete", "clusters.cluster.karmada.io", "m1"])
        .unwrap();
    note("a cluster has left").await;
    server.kubectl.apply(&cluster("m1")).unwrap();
    server
        .fleet
        .scale(&spec.service, &crate::server::on(&[]))
        .await
        .unwrap();
    note("asked for none").await;
    scheduler.bind(0, json!([]), success(), json!([]));
    note("at zero").await;
    insta::assert_snapshot!(told);
    server.fleet.remove(&spec.service).await.unwrap();
    server.drop_namespace("bound");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_is_owed_until_the_work_is_gone() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[cluster("m1")]);
    server.fresh_namespace("owed");
    let spec = image("owed/shop/web", json!({}), &[("m1", 1)]);
    server.fleet.apply(&spec).await.unwrap();
    let scheduler = Scheduler {
        server: &server,
        service: spec.service.clone(),
    };
    let success = scheduled("True", "Success", "");
    scheduler.bind(
        1,
        json!([{"name": "m1", "replicas": 1}]),
        success,
        json!([runs("m1", 1)]),
    );
    let observed = server.fleet.release(&spec.service).await.unwrap();
    assert_eq!(observed.clusters["m1"].health, Health::Healthy);
    server.make_work("owed", "web-deployment");
    let scope = Scope::Graph(spec.service.graph.clone());
    assert_eq!(server.fleet.observe(&scope).await.unwrap().leftovers, []);

    let mut dead = cluster("m1");
    dead["status"]["conditions"][0] =
        json!({"type": "Ready", "status": "False", "reason": "ClusterNotReachable"});
    server.kubectl.apply(&dead).unwrap();
    let removed = server.fleet.remove(&spec.service).await.unwrap();
    assert_eq!(removed.owed, ["m1".parse().unwrap()]);
    // Karmada's controllers keep the Work while its cluster does not answer, and the garbage collector takes the binding.
    let hold = json!({"metadata": {"finalizers": ["karmada.io/execution-controller"]}}).to_string();
    server
        .kubectl
        .run(&[
            "patch",
            WORKS,
            "web-owed",
            "-n",
            "karmada-es-m1",
            "--type=merge",
            "-p",
            &hold,
        ])
        .unwrap();
    server
        .kubectl
        .run(&["delete", WORKS, "web-owed", "-n", "karmada-es-m1", "--wait=false"])
        .unwrap();
    let binding = [
        "delete",
        "resourcebindings.work.karmada.io",
        "web-deployment",
        "-n",
        "owed",
    ];
    server.kubectl.run(&binding).unwrap();
    let observed = server.fleet.observe(&scope).await.unwrap();
    assert!(observed.releases.is_empty());
    assert_eq!(observed.leftovers.len(), 1, "{observed:?}");
    assert_eq!(observed.leftovers[0].cluster.as_str(), "m1");
    assert_eq!(
        server.names("owed"),
        ["secret/smo.web"],
        "what is owed is on record"
    );

    let done = json!({"metadata": {"finalizers": null}}).to_string();
    server
        .kubectl
        .run(&[
            "patch",
            WORKS,
            "web-owed",
            "-n",
            "karmada-es-m1",
            "--type=merge",
            "-p",
            &done,
        ])
        .unwrap();
    assert_eq!(server.fleet.observe(&scope).await.unwrap().leftovers, []);
    server.nothing_left("owed", "the Work went").await;
    server.drop_namespace("owed");
}

/// A Work that is made after its binding is gone: nobody but this library deletes it.
#[tokio::test(flavor = "multi_thread")]
async fn a_work_without_a_binding_is_deleted() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[cluster("m1")]);
    server.fresh_namespace("orphan");
    let spec = image("orphan/shop/web", json!({}), &[("m1", 1)]);
    server.fleet.apply(&spec).await.unwrap();
    assert_eq!(server.fleet.remove(&spec.service).await.unwrap().owed, []);
    server.make_work("orphan", "web-deployment");
    let scope = Scope::Graph(spec.service.graph.clone());
    let left = server.fleet.observe(&scope).await.unwrap().leftovers;
    assert_eq!(left.len(), 1);
    let work = || server.get(WORKS, "karmada-es-m1", "web-orphan");
    assert!(work().is_some(), "Karmada may not have seen its copy yet");
    server.later();
    assert_eq!(server.fleet.observe(&scope).await.unwrap().leftovers.len(), 1);
    assert!(work().is_none());
    server.nothing_left("orphan", "the Work was deleted").await;
    server.drop_namespace("orphan");
}
