//! The fleet read from `Cluster` objects: many of them, half of one, and none because the part that serves them is down.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo_core::backend::{ClusterBackend, ErrorKind, Retry};
use smo_karmada::KarmadaError;

use crate::server::{Server, cause, cluster};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_clusters_in_pages() {
    let Some(server) = Server::take().await else {
        return;
    };
    let many: Vec<Value> = (1..=1000).map(|number| cluster(&format!("c{number}"))).collect();
    let began = Instant::now();
    server.set_clusters(&many);
    eprintln!(
        "live: 1000 clusters written in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let mut times = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let inventory = server.fleet.inventory().await.unwrap();
        times.push(began.elapsed());
        assert_eq!(inventory.ready().count(), 1000);
    }
    times.sort();
    eprintln!("live: inventory of 1000 clusters in {:.0?}", times[1]);
    server.set_clusters(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_that_are_late_or_half_there_are_states() {
    let Some(server) = Server::take().await else {
        return;
    };
    let with = |name: &str, change: fn(&mut Value)| {
        let mut cluster = cluster(name);
        change(&mut cluster);
        cluster
    };
    server.set_clusters(&[
        cluster("good"),
        with("new", |cluster| {
            cluster.as_object_mut().unwrap().remove("status");
        }),
        with("dead", |cluster| {
            cluster["status"]["conditions"][0] =
                json!({"type": "Ready", "status": "False", "reason": "ClusterNotReachable"});
        }),
        with("silent", |cluster| {
            cluster["status"]["conditions"][0] =
                json!({"type": "Ready", "status": "Unknown", "reason": "ClusterStatusUnknown"});
        }),
        with("without-amounts", |cluster| {
            cluster["status"]
                .as_object_mut()
                .unwrap()
                .remove("resourceSummary");
        }),
        with("idle", |cluster| {
            cluster["status"]["resourceSummary"]
                .as_object_mut()
                .unwrap()
                .remove("allocated");
        }),
        with("odd", |cluster| {
            cluster["status"]["resourceSummary"]["allocatable"]["memory"] = json!("lots")
        }),
    ]);
    let report = server.fleet.report().await.unwrap();
    let mut told = String::new();
    for (name, cluster) in &report.inventory.clusters {
        let readiness = serde_json::to_string(&cluster.readiness).unwrap();
        let state = serde_json::to_string(&report.details[name].report).unwrap();
        told.push_str(&format!("{name}: {readiness} {state}, {} free\n", cluster.free()));
    }
    insta::assert_snapshot!(told);
    server.set_clusters(&[]);
}

/// What a dead aggregated API server looks like: its group is registered, and nobody answers for it.
#[tokio::test(flavor = "multi_thread")]
async fn no_aggregated_api_is_no_empty_fleet() {
    const GROUP: &str = "apiservice/v1alpha1.cluster.karmada.io";
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[cluster("m1")]);
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "nobody", "namespace": "default"},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": 1}]}});
    server.kubectl.apply(&service).unwrap();
    // Without the label Kubernetes leaves the registration of a CRD's group alone.
    server
        .kubectl
        .run(&["label", GROUP, "kube-aggregator.kubernetes.io/automanaged-"])
        .unwrap();
    let dead = json!({"spec": {"insecureSkipTLSVerify": true, "service": {"name": "nobody", "namespace": "default", "port": 1}}});
    server
        .kubectl
        .run(&["patch", GROUP, "--type=merge", "-p", &dead.to_string()])
        .unwrap();
    let began = Instant::now();
    let error = loop {
        match server.fleet.inventory().await {
            Err(error) => break error,
            Ok(_) => assert!(began.elapsed() < Duration::from_secs(20), "it is answered for"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    // Made anew, it is the CRD's again.
    server.kubectl.run(&["delete", GROUP]).unwrap();
    server.kubectl.run(&["delete", "service", "nobody"]).unwrap();
    let began = Instant::now();
    while server
        .fleet
        .inventory()
        .await
        .map(|fleet| fleet.ready().count())
        .unwrap_or(0)
        != 1
    {
        assert!(began.elapsed() < Duration::from_secs(30), "it is served again");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(
        matches!(cause(&error), KarmadaError::AggregatedApiDown),
        "{error:?}"
    );
    assert_eq!(
        (error.kind(), error.retry()),
        (ErrorKind::Unavailable, Retry::Later)
    );
    insta::assert_snapshot!(error, @"inventory: Karmada is degraded: its aggregated API server does not answer, so that no cluster can be seen (check karmada-aggregated-apiserver and the APIService v1alpha1.cluster.karmada.io)");
}
