//! The fleet against a real Karmada, whose kubeconfig `SMO_KARMADA_KUBECONFIG` names: members m1, m2 with
//! `nvidia.com/gpu`, m3, at least 4 free cores each. Says in one line that it did not run when there is none.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    clippy::panic,
    clippy::type_complexity
)]

mod rig;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use rig::{FunctionCharts, Rig, SystemTime};
use serde_json::{Value, json};
use smo_core::backend::conformance::{self, ReleaseFixture};
use smo_core::backend::{
    ClusterBackend, ClusterBackendExt, ErrorKind, ReleaseBackend, ReleaseBackendExt, ReleaseName, Scope,
};
use smo_core::cluster::{Health, ObservedRelease};
use smo_core::helm_values::HelmValues;
use smo_core::id::ServiceKey;
use smo_core::placement::Assignment;
use smo_core::plan::{ReleaseSpec, Target};
use smo_core::resources::{ResourceName, Resources};
use smo_karmada::{Change, KarmadaConfig};

fn key(text: &str) -> ServiceKey {
    text.parse().unwrap()
}

fn on(clusters: &[(&str, u32)]) -> Assignment {
    clusters
        .iter()
        .map(|(cluster, replicas)| (cluster.parse().unwrap(), *replicas))
        .collect()
}

fn spec(service: &str, chart: &str, values: Value, assignment: Assignment) -> ReleaseSpec {
    ReleaseSpec {
        service: key(service),
        chart: chart.to_owned(),
        values: values.as_object().unwrap().clone().into(),
        target: Target::Clusters(assignment),
        resources: Resources::new()
            .with(ResourceName::CPU, 100)
            .with(ResourceName::MEMORY, 64 << 20),
    }
}

const IMAGE: &str = "docker://registry.example/web:1";

/// Waits until a release is as `wanted` says, and tells how long that took.
async fn until(rig: &Rig, service: &ServiceKey, wanted: impl Fn(&ObservedRelease) -> bool) -> Duration {
    let start = Instant::now();
    loop {
        let observed = rig.fleet.release(service).await.unwrap();
        if wanted(&observed) {
            return start.elapsed();
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{observed:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn healthy_on<'a>(wanted: &'a [(&'a str, u32)]) -> impl Fn(&ObservedRelease) -> bool + 'a {
    move |observed| {
        observed.clusters.len() == wanted.len()
            && wanted.iter().all(|(cluster, replicas)| {
                let at = observed.clusters.get(*cluster);
                at.is_some_and(|at| at.ready == *replicas && at.health == Health::Healthy)
            })
    }
}

/// Waits until nothing of a graph is left anywhere.
async fn gone(rig: &Rig, service: &ServiceKey) {
    let start = Instant::now();
    loop {
        let observed = rig
            .fleet
            .observe(&Scope::Graph(service.graph.clone()))
            .await
            .unwrap();
        if observed.releases.is_empty() && observed.leftovers.is_empty() {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{observed:#?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let namespace = service.graph.project.as_str();
    let name = service.service.as_str();
    for (version, kind, name) in [
        ("apps/v1", "Deployment", name.to_owned()),
        ("v1", "Service", name.to_owned()),
        (
            "policy.karmada.io/v1alpha1",
            "PropagationPolicy",
            format!("{name}.smo"),
        ),
        (
            "policy.karmada.io/v1alpha1",
            "PropagationPolicy",
            format!("{name}-import.smo"),
        ),
        ("multicluster.x-k8s.io/v1alpha1", "ServiceExport", name.to_owned()),
        ("multicluster.x-k8s.io/v1alpha1", "ServiceImport", name.to_owned()),
        ("v1", "Secret", format!("smo.{name}")),
    ] {
        // Karmada's finalizers take a moment.
        while let Some(left) = rig.get(version, kind, Some(namespace), &name).await {
            assert!(
                start.elapsed() < Duration::from_secs(60),
                "{kind} {name} is left: {left:#}"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

fn fixture(chart: &str) -> ReleaseFixture {
    ReleaseFixture {
        projects: ["conf-a".parse().unwrap(), "conf-b".parse().unwrap()],
        graphs: ["g".parse().unwrap(), "h".parse().unwrap()],
        service: "conformance".parse().unwrap(),
        chart: chart.to_owned(),
        values: HelmValues::default(),
        resources: Resources::new()
            .with(ResourceName::CPU, 500)
            .with(ResourceName::MEMORY, 256 << 20),
        clusters: ["m1".parse().unwrap(), "m3".parse().unwrap()],
        unknown_cluster: "nosuch".parse().unwrap(),
        patience: Duration::from_secs(45),
    }
}

/// A chart of the world: no word about Karmada, replicas of its own, an object in a second kind.
fn plain_chart(release: &ReleaseName, _: &HelmValues) -> Vec<Value> {
    let name = release.name.as_str();
    let requests = json!({"cpu": "500m", "memory": "256Mi"});
    vec![
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "b"}}),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
            "spec": {"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "c", "image": "nginx", "resources": {"requests": requests}}]},
            }},
        }),
    ]
}

/// A chart with a policy of its own, steered by the predecessor's value.
fn steered_chart(release: &ReleaseName, values: &HelmValues) -> Vec<Value> {
    let mut objects = plain_chart(release, values);
    let name = release.name.as_str();
    objects.push(json!({
        "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy", "metadata": {"name": name},
        "spec": {
            "resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name}],
            "placement": {"clusterAffinity": {"clusterNames": values.get("clustersAffinity")}},
        },
    }));
    objects
}

#[tokio::test(flavor = "multi_thread")]
async fn karmada() {
    type Render = fn(&ReleaseName, &HelmValues) -> Vec<Value>;
    let charts: [(&str, Render); 2] = [
        ("oci://charts/plain", plain_chart),
        ("oci://charts/steered", steered_chart),
    ];
    let Some(mut rig) = Rig::new(&charts).await else {
        return;
    };
    inventory(&mut rig).await;
    credentials(&mut rig).await;
    conformance(&mut rig).await;
    changes(&mut rig).await;
    exact_split(&mut rig).await;
    accelerator(&mut rig).await;
    imports(&mut rig).await;
    chain(&mut rig).await;
    taken(&mut rig).await;
    nowhere(&mut rig).await;
    foreign(&mut rig).await;
    steered(&mut rig).await;
    drift(&mut rig).await;
    outage(&mut rig).await;
}

async fn inventory(rig: &mut Rig) {
    let report = rig.fleet.report().await.unwrap();
    let names: Vec<&str> = report
        .inventory
        .clusters
        .keys()
        .map(|name| name.as_str())
        .collect();
    assert_eq!(names, ["m1", "m2", "m3"]);
    assert_eq!(
        report
            .inventory
            .cluster("m2")
            .unwrap()
            .allocatable
            .amount(ResourceName::NVIDIA_GPU),
        6
    );
    assert!(report.details["m1"].largest_pod.is_some(), "{report:?}");
    rig.lap("inventory of three clusters");
    conformance::clusters(&rig.fleet, &"m1".parse().unwrap(), &"m9".parse().unwrap())
        .await
        .unwrap();
    rig.lap("conformance: clusters");
}

/// Ways in which the kubeconfig may be wrong.
async fn credentials(rig: &mut Rig) {
    let path = std::env::var(KarmadaConfig::KUBECONFIG).unwrap();
    let good: Value = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let cases: [(&str, ErrorKind, fn(&mut Value)); 3] = [
        (
            "a token that is not known",
            ErrorKind::Unauthenticated,
            |config| {
                config["users"][0]["user"] = json!({"token": "expired"});
            },
        ),
        ("another authority", ErrorKind::Unauthenticated, |config| {
            let other = config["users"][0]["user"]["client-certificate-data"].clone();
            config["clusters"][0]["cluster"]["certificate-authority-data"] = other;
        }),
        ("another port", ErrorKind::Unavailable, |config| {
            config["clusters"][0]["cluster"]["server"] = json!("https://127.0.0.1:1");
        }),
    ];
    for (case, kind, change) in cases {
        let mut config = good.clone();
        change(&mut config);
        let config = KarmadaConfig::builder()
            .with_kubeconfig_text(config.to_string())
            .build()
            .unwrap();
        let charts = FunctionCharts::new(rig.client.clone(), &[]);
        let fleet = config
            .connect(Box::new(charts), Arc::new(SystemTime))
            .await
            .unwrap();
        let error = fleet.inventory().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{case}: {error}");
        eprintln!("            {case}: {error}");
    }
    rig.lap("wrong kubeconfigs are told apart");
}

/// A change is told without asking.
async fn changes(rig: &mut Rig) {
    let mut changes = rig.fleet.changes();
    let mut next = async || {
        tokio::time::timeout(Duration::from_secs(20), changes.next())
            .await
            .unwrap()
    };
    let mut told = std::collections::BTreeSet::new();
    while told.len() < 2 {
        told.extend(next().await);
    }
    assert_eq!(Vec::from_iter(told), [Change::Clusters, Change::Releases]);
    let spec = spec("live/watch/web", IMAGE, json!({}), on(&[("m1", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    rig.lap("watching");
    while !healthy_on(&[("m1", 1)])(&rig.fleet.release(&spec.service).await.unwrap()) {
        next().await;
    }
    rig.lap("healthy, by watching alone");
    rig.fleet.remove(&spec.service).await.unwrap();
    gone(rig, &spec.service).await;
}

async fn conformance(rig: &mut Rig) {
    let free = async |rig: &Rig| rig.fleet.cluster(&"m1".parse().unwrap()).await.unwrap().free();
    let before = free(rig).await;
    for chart in [IMAGE, "oci://charts/plain"] {
        conformance::releases(&rig.fleet, &SystemTime, &fixture(chart))
            .await
            .unwrap();
        rig.lap(&format!("conformance: releases of {chart}"));
    }
    // Clusters report every few seconds: what ran until now has to be forgotten before capacity is measured.
    let start = Instant::now();
    while free(rig).await != before {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "{} of {before}",
            free(rig).await
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    conformance::capacity(&rig.fleet, &rig.fleet, &SystemTime, &fixture(IMAGE))
        .await
        .unwrap();
    rig.lap("conformance: capacity");
}

async fn exact_split(rig: &mut Rig) {
    let mut spec = spec(
        "live/split/web",
        IMAGE,
        json!({"ports": [{"port": 80}]}),
        on(&[("m1", 2), ("m2", 1)]),
    );
    assert!(rig.fleet.apply(&spec).await.unwrap().changed);
    rig.lap("an image in 2/1 accepted");
    until(rig, &spec.service, healthy_on(&[("m1", 2), ("m2", 1)])).await;
    rig.lap("... and healthy in 2/1");
    assert!(!rig.fleet.apply(&spec).await.unwrap().changed);
    rig.lap("the same again changes nothing");
    rig.fleet
        .scale(&spec.service, &on(&[("m1", 2), ("m2", 1), ("m3", 4)]))
        .await
        .unwrap();
    rig.lap("scaled to 2/1/4");
    until(rig, &spec.service, healthy_on(&[("m1", 2), ("m2", 1), ("m3", 4)])).await;
    rig.lap("... and healthy");
    spec.target = Target::Clusters(on(&[("m3", 3)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m3", 3)])).await;
    rig.lap("moved to m3 and healthy");
    assert!(rig.fleet.remove(&spec.service).await.unwrap().existed);
    gone(rig, &spec.service).await;
    rig.lap("removed, nothing left");
}

async fn accelerator(rig: &mut Rig) {
    let mut spec = spec("live/gpu/train", IMAGE, json!({}), on(&[("m2", 2)]));
    spec.resources.set(ResourceName::NVIDIA_GPU, 2);
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m2", 2)])).await;
    rig.lap("two replicas with two GPUs each healthy on m2");
    rig.fleet.remove(&spec.service).await.unwrap();
    gone(rig, &spec.service).await;
}

async fn imports(rig: &mut Rig) {
    let values = json!({"ports": [{"port": 8080}, {"port": 5683, "protocol": "UDP"}], "serviceImportClusters": ["m3"]});
    let spec = spec("live/links/db", IMAGE, values, on(&[("m1", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    let start = Instant::now();
    loop {
        let binding = rig
            .get(
                "work.karmada.io/v1alpha2",
                "ResourceBinding",
                Some("live"),
                "db-serviceimport",
            )
            .await;
        let clusters = binding.and_then(|binding| binding.pointer("/spec/clusters/0/name").cloned());
        if clusters == Some(json!("m3")) {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{clusters:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    rig.lap("exported from m1, imported in m3");
    rig.fleet.remove(&spec.service).await.unwrap();
    gone(rig, &spec.service).await;
}

/// Twelve services in one cluster, at whatever limits this Karmada has.
async fn chain(rig: &mut Rig) {
    let services: Vec<ReleaseSpec> = (1..=12)
        .map(|number| {
            spec(
                &format!("live/chain/s{number}"),
                IMAGE,
                json!({"ports": [{"port": 80}]}),
                on(&[("m1", 1)]),
            )
        })
        .collect();
    let start = Instant::now();
    futures::future::try_join_all(services.iter().map(|spec| rig.fleet.apply(spec)))
        .await
        .unwrap();
    let accepted = start.elapsed();
    for spec in &services {
        until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    }
    rig.lap(&format!(
        "twelve services healthy, accepted after {:.2} s",
        accepted.as_secs_f64()
    ));
    futures::future::try_join_all(services.iter().map(|spec| rig.fleet.remove(&spec.service)))
        .await
        .unwrap();
    for spec in &services {
        gone(rig, &spec.service).await;
    }
    rig.lap("... and gone");
}

/// The member already has an object of that name, which is not Karmada's.
async fn taken(rig: &mut Rig) {
    let key = spec("live/taken/web", IMAGE, json!({}), on(&[("m1", 1)]));
    let there = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "theirs"}}, "template": {
            "metadata": {"labels": {"app": "theirs"}}, "spec": {"containers": [{"name": "c", "image": "nginx"}]},
        }},
    });
    let path = "/apis/cluster.karmada.io/v1alpha1/clusters/m1/proxy/apis/apps/v1/namespaces/live/deployments";
    let request = |method: &str, path: String, body: Vec<u8>| {
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json");
        rig.client.request::<Value>(request.body(body).unwrap())
    };
    request("POST", path.to_owned(), there.to_string().into_bytes())
        .await
        .unwrap();
    rig.fleet.apply(&key).await.unwrap();
    until(rig, &key.service, |observed| {
        let at = &observed.clusters["m1"];
        at.health == Health::Degraded
            && at
                .message
                .as_ref()
                .is_some_and(|message| message.contains("already exist"))
    })
    .await;
    let message = rig.fleet.release(&key.service).await.unwrap().clusters["m1"]
        .message
        .clone();
    eprintln!("            {}", message.unwrap());
    rig.fleet.remove(&key.service).await.unwrap();
    gone(rig, &key.service).await;
    let left = request("GET", format!("{path}/web"), Vec::new()).await;
    assert!(left.is_ok(), "what is not ours stays in the member");
    request("DELETE", format!("{path}/web"), Vec::new())
        .await
        .unwrap();
    rig.lap("an object that the member has is told, and stays");
}

async fn nowhere(rig: &mut Rig) {
    let empty = spec("live/odd/web", IMAGE, json!({}), Assignment::default());
    let refused = rig.fleet.apply(&empty).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    let unknown = spec("live/odd/web", IMAGE, json!({}), on(&[("nosuch", 1)]));
    rig.fleet.apply(&unknown).await.unwrap();
    until(rig, &unknown.service, |observed| {
        observed
            .message
            .as_ref()
            .is_some_and(|message| message.contains("0/3 clusters are available"))
    })
    .await;
    rig.lap("a cluster that is not there: 0/3 clusters are available");
    rig.fleet.remove(&unknown.service).await.unwrap();
    gone(rig, &unknown.service).await;
    let bad = spec(
        "live/odd/web",
        IMAGE,
        json!({"ports": [{"port": 80, "name": "Not A Name"}]}),
        on(&[("m1", 1)]),
    );
    let refused = rig.fleet.apply(&bad).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid, "{refused}");
    eprintln!("            refused: {refused}");
    gone(rig, &bad.service).await;
    rig.lap("a refused object leaves nothing behind");
}

async fn foreign(rig: &mut Rig) {
    let policies: kube::Api<kube::api::DynamicObject> = kube::Api::namespaced_with(
        rig.client.clone(),
        "live",
        &kube::core::ApiResource::erase::<smo_karmada::objects::PropagationPolicy>(&()),
    );
    let theirs = json!({
        "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy", "metadata": {"name": "theirs"},
        "spec": {"resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}],
                 "placement": {"clusterAffinity": {"clusterNames": ["m2"]}}},
    });
    let params = kube::api::PatchParams::apply("somebody");
    policies
        .patch("theirs", &params, &kube::api::Patch::Apply(&theirs))
        .await
        .unwrap();
    let mine = spec("live/mine/web", IMAGE, json!({}), on(&[("m1", 1)]));
    let refused = rig.fleet.apply(&mine).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
    eprintln!("            refused: {refused}");
    policies
        .delete("theirs", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    gone(rig, &mine.service).await;
    rig.lap("a foreign policy is found before anything is written");
}

async fn steered(rig: &mut Rig) {
    let values = |clusters: Value| json!({"clustersAffinity": clusters});
    let mut spec = spec(
        "live/steer/web",
        "oci://charts/steered",
        values(json!(["m1"])),
        on(&[("m1", 1)]),
    );
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    rig.lap("a chart with its own policy healthy on m1");
    rig.fleet
        .scale(&spec.service, &on(&[("m2", 2), ("m3", 1)]))
        .await
        .unwrap();
    until(rig, &spec.service, healthy_on(&[("m2", 2), ("m3", 1)])).await;
    rig.lap("... scaled to 2/1 on two others by its own policy");
    spec.values = values(json!(["m3"])).as_object().unwrap().clone().into();
    spec.target = Target::Clusters(on(&[("m3", 2)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m3", 2)])).await;
    rig.lap("... moved to m3 by its values");
    rig.fleet.remove(&spec.service).await.unwrap();
    gone(rig, &spec.service).await;
}

async fn drift(rig: &mut Rig) {
    let spec = spec("live/drift/web", IMAGE, json!({}), on(&[("m1", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    let policies: kube::Api<smo_karmada::objects::PropagationPolicy> =
        kube::Api::namespaced(rig.client.clone(), "live");
    let edit = json!({"spec": {"placement": {"clusterAffinity": {"clusterNames": ["m3"]}}}});
    let params = kube::api::PatchParams::default();
    policies
        .patch("web.smo", &params, &kube::api::Patch::Merge(edit))
        .await
        .unwrap();
    assert!(
        rig.fleet.apply(&spec).await.unwrap().changed,
        "an edited policy is repaired"
    );
    until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    rig.lap("an edited policy repaired");
    rig.fleet.remove(&spec.service).await.unwrap();
    gone(rig, &spec.service).await;
}

/// Needs to know how to kill and start m1's API server: `SMO_KARMADA_KILL_M1` and `SMO_KARMADA_START_M1`, two commands.
async fn outage(rig: &mut Rig) {
    let command = |name: &str| std::env::var(name).ok();
    let (Some(kill), Some(start)) = (command("SMO_KARMADA_KILL_M1"), command("SMO_KARMADA_START_M1")) else {
        eprintln!(
            "SKIPPED: the outage of a member; SMO_KARMADA_KILL_M1 and SMO_KARMADA_START_M1 name no commands."
        );
        return;
    };
    let run = |line: &str| {
        assert!(
            std::process::Command::new("sh")
                .args(["-c", line])
                .status()
                .unwrap()
                .success(),
            "{line}"
        )
    };
    let mut spec = spec("live/outage/web", IMAGE, json!({}), on(&[("m1", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m1", 1)])).await;
    rig.lap("healthy on m1; its API server is killed now");
    run(&kill);
    until(rig, &spec.service, |observed| {
        observed.clusters["m1"].health == Health::Unknown
    })
    .await;
    rig.lap("... its replicas are Unknown");
    assert_eq!(rig.fleet.inventory().await.unwrap().ready().count(), 2);
    spec.target = Target::Clusters(on(&[("m3", 1)]));
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m3", 1)])).await;
    rig.lap("... moved to m3 and healthy");
    let observed = rig
        .fleet
        .observe(&Scope::Graph(spec.service.graph.clone()))
        .await
        .unwrap();
    assert_eq!(observed.leftovers.len(), 1, "{observed:?}");
    assert_eq!(observed.leftovers[0].cluster.as_str(), "m1");
    let removed = rig.fleet.remove(&spec.service).await.unwrap();
    assert_eq!(removed.owed, ["m1".parse().unwrap()], "the removal is owed to m1");
    let left = rig
        .fleet
        .observe(&Scope::Graph(spec.service.graph.clone()))
        .await
        .unwrap();
    assert!(
        left.releases.is_empty() && left.leftovers.iter().any(|left| left.cluster.as_str() == "m1"),
        "{left:?}"
    );
    run(&start);
    gone(rig, &spec.service).await;
    rig.lap("m1 is back, and the stale copy gone");
}
