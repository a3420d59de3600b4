//! What takes a whole Karmada: it says so in one line where there is none.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo_core::backend::{ClusterBackend, ErrorKind, ReleaseBackend, ReleaseBackendExt, Retry};
use smo_core::cluster::Health;
use smo_karmada::{Drift, KarmadaError, Submariner};
use smo_testbed::{Kubectl, Testbed, live};

use crate::server::{cause, connect, image, on};

const LONG: Duration = Duration::from_secs(60);

async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !reached().await {
        assert!(began.elapsed() < LONG, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    began.elapsed()
}

/// What the in-memory fleet does of zero replicas, too.
#[tokio::test(flavor = "multi_thread")]
async fn karmada_empties_what_is_at_zero_and_lets_it_in_anew() {
    let Some(testbed) = live::karmada() else { return };
    let fleet = connect(testbed.kubeconfig(), Drift::Repair).await.unwrap();

    // A cluster that was left at zero has to let it in again, one that has it need not.
    let kubectl = testbed.kubectl();
    let spec = image("room-a/g/web", json!({}), &[("m1", 1)]);
    fleet.apply(&spec).await.unwrap();
    let healthy = async |replicas: u32| {
        let at = &fleet.release(&spec.service).await.unwrap().clusters["m1"];
        (at.ready, at.health) == (replicas, Health::Healthy)
    };
    until("it runs", async || healthy(1).await).await;
    let taint = |taints: Value| {
        let part = json!({"spec": {"taints": taints}}).to_string();
        kubectl
            .run(&[
                "patch",
                "clusters.cluster.karmada.io",
                "m1",
                "--type=merge",
                "-p",
                &part,
            ])
            .unwrap();
    };
    let drained = json!([{"key": "cluster.karmada.io/unschedulable", "effect": "NoSchedule"}]);
    taint(drained.clone());
    fleet.scale(&spec.service, &on(&[("m1", 2)])).await.unwrap();
    until("what is there grows", async || healthy(2).await).await;
    taint(json!([]));
    fleet.scale(&spec.service, &on(&[])).await.unwrap();
    until("nothing runs", async || healthy(0).await).await;
    let binding = kubectl
        .get(&[
            "resourcebindings.work.karmada.io",
            "web-deployment",
            "-n",
            "room-a",
        ])
        .unwrap();
    assert!(binding["spec"]["clusters"].is_null(), "{binding:#}");
    taint(drained);
    fleet.scale(&spec.service, &on(&[("m1", 1)])).await.unwrap();
    until("it is kept out", async || {
        let observed = fleet.release(&spec.service).await.unwrap();
        observed
            .message
            .is_some_and(|message| message.contains("untolerated taint"))
    })
    .await;
    taint(json!([]));
    until("it is let in", async || healthy(1).await).await;
    fleet.remove(&spec.service).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn karmada_without_its_aggregated_api_is_degraded_and_not_empty() {
    let Some(testbed) = live::karmada() else { return };
    if testbed.members().is_empty() {
        eprintln!("live: this Karmada was not started here: nothing of it is killed");
        return;
    }
    let fleet = connect(testbed.kubeconfig(), Drift::Repair).await.unwrap();
    assert_eq!(fleet.inventory().await.unwrap().ready().count(), 3);
    testbed.stop_aggregated().unwrap();
    let began = Instant::now();
    let error = fleet.inventory().await.unwrap_err();
    eprintln!(
        "live: a dead aggregated API server is told after {:.0?}",
        began.elapsed()
    );
    assert!(
        matches!(cause(&error), KarmadaError::AggregatedApiDown),
        "{error:?}"
    );
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Later)
    );
    testbed.start_aggregated().unwrap();
    let time = until("it is back", async || fleet.inventory().await.is_ok()).await;
    eprintln!(
        "live: the fleet is seen again {:.1} s after its return",
        time.as_secs_f64()
    );
    until("all are ready", async || {
        fleet.inventory().await.unwrap().ready().count() == 3
    })
    .await;
}

/// Submariner's kinds of objects in a member, and what its operator would write there.
fn with_submariner(member: &Kubectl, gateway: &Value, clusters: &[Value]) {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let kind = |kind: &str, plural: &str| {
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.submariner.io")},
            "spec": {"group": "submariner.io", "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
                "versions": [{"name": "v1", "served": true, "storage": true,
                    "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": open, "status": open}}}}]}})
    };
    let kinds = [kind("Gateway", "gateways"), kind("Cluster", "clusters")];
    member
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": kinds}))
        .unwrap();
    let wait = [
        "wait",
        "--for=condition=Established",
        "crd/gateways.submariner.io",
        "crd/clusters.submariner.io",
    ];
    member.run(&wait).unwrap();
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "submariner-operator"}});
    let mut items = vec![namespace, gateway.clone()];
    items.extend(clusters.iter().cloned());
    member
        .apply(&json!({"apiVersion": "v1", "kind": "List", "items": items}))
        .unwrap();
}

fn without_submariner(testbed: &Testbed, members: &[&str]) {
    for name in members {
        let member = testbed.member_kubectl(name).unwrap();
        member
            .run(&[
                "delete",
                "crd",
                "gateways.submariner.io",
                "clusters.submariner.io",
            ])
            .unwrap();
        member
            .run(&["delete", "namespace", "submariner-operator", "--wait=false"])
            .unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn karmada_shows_what_submariner_knows_of_members() {
    let Some(testbed) = live::karmada() else { return };
    if testbed.members().is_empty() {
        eprintln!(
            "live: this Karmada was not started here: Submariner's objects are not put into its members"
        );
        return;
    }
    let own = |kind: &str, name: &str, rest: Value| {
        let mut object = json!({"apiVersion": "submariner.io/v1", "kind": kind,
            "metadata": {"name": name, "namespace": "submariner-operator"}});
        object
            .as_object_mut()
            .unwrap()
            .extend(rest.as_object().unwrap().clone());
        object
    };
    let cluster = |id: &str, pods: &str| {
        own(
            "Cluster",
            id,
            json!({"spec": {"cluster_id": id, "color_codes": [], "cluster_cidr": [pods],
            "service_cidr": ["10.100.0.0/16"], "global_cidr": []}}),
        )
    };
    let clusters = [cluster("m1", "10.1.0.0/16"), cluster("m2", "10.2.0.0/16")];
    for (name, other, average) in [("m1", "m2", "4.5ms"), ("m2", "m1", "4ms")] {
        let gateway = own(
            "Gateway",
            &format!("{name}-0"),
            json!({"status": {"haStatus": "active", "version": "v0.19.0",
            "localEndpoint": {"cluster_id": name}, "connections": [{"status": "connected",
                "endpoint": {"cluster_id": other}, "latencyRTT": {"average": average}}]}}),
        );
        with_submariner(&testbed.member_kubectl(name).unwrap(), &gateway, &clusters);
    }
    let fleet = connect(testbed.kubeconfig(), Drift::Repair).await.unwrap();
    let mut report = fleet.report().await.unwrap();
    // Karmada looks for new APIs of members every now and then.
    let time = until("Karmada knows that two members serve the API", async || {
        report = fleet.report().await.unwrap();
        ["m1", "m2"]
            .iter()
            .all(|name| report.details[*name].submariner.is_some())
    })
    .await;
    eprintln!(
        "live: what Submariner knows is seen {:.1} s after it was there",
        time.as_secs_f64()
    );
    let Some(Submariner::Present(network)) = &report.details["m1"].submariner else {
        panic!("{:?}", report.details["m1"])
    };
    assert_eq!(network.id.as_deref(), Some("m1"));
    assert_eq!(network.pod_cidrs, ["10.1.0.0/16"]);
    assert!(network.gateways[0].active && network.gateways[0].tunnels[0].is_connected());
    let path = report
        .inventory
        .network
        .path(&"m1".parse().unwrap(), &"m2".parse().unwrap());
    assert_eq!(path.rtt.unwrap().to_string(), "4.5 ms");
    assert!(report.details["m3"].submariner.is_none());
    assert!(report.details["m3"].imports_services);
    without_submariner(testbed, &["m1", "m2"]);
}
