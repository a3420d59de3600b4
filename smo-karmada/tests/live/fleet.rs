//! The fleet itself: what it reports, how it refuses, and the ports' conformance suites.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures::StreamExt;
use serde_json::{Value, json};
use smo_core::backend::conformance::{self, OtherOwner, ReleaseFixture};
use smo_core::backend::{
    BackendError, ClusterBackend, ClusterBackendExt, ErrorKind, ReleaseBackend, ReleaseBackendExt,
};
use smo_core::helm_values::HelmValues;
use smo_core::id::ServiceKey;
use smo_core::resources::{ResourceName, Resources};
use smo_karmada::{Change, KarmadaConfig, SystemTime};
use smo_testbed::Kubectl;

use crate::releases::{IMAGE, gone, healthy_on, on, spec};
use crate::rig::{FunctionCharts, Rig};

pub(crate) async fn inventory(rig: &mut Rig) {
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
pub(crate) async fn credentials(rig: &mut Rig) {
    let text = std::fs::read_to_string(rig.testbed.kubeconfig()).unwrap();
    let good: Value = serde_yaml::from_str(&text).unwrap();
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
pub(crate) async fn changes(rig: &mut Rig) {
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

pub(crate) fn fixture(chart: &str) -> ReleaseFixture {
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

/// Somebody else, with kubectl.
#[derive(Debug)]
struct Others(Kubectl);

impl Others {
    fn run(&self, arguments: &[&str]) -> Result<(), BackendError> {
        let ran = self.0.run(arguments);
        let failed = |why| BackendError::new(ErrorKind::Unexpected, "kubectl", format!("{why:?}"));
        ran.map(|_| ()).map_err(failed)
    }
}

#[async_trait]
impl OtherOwner for Others {
    async fn add_autoscaler(&self, service: &ServiceKey) -> Result<String, BackendError> {
        let (name, namespace) = (&service.service, &service.graph.project);
        let autoscaler = json!({
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
                "minReplicas": 1,
                "maxReplicas": 3,
            },
        });
        let applied = self.0.apply(&autoscaler);
        let failed = |why| BackendError::new(ErrorKind::Unexpected, "kubectl", format!("{why:?}"));
        applied.map(|_| ()).map_err(failed)?;
        Ok(format!("HorizontalPodAutoscaler/{name}"))
    }

    async fn remove_autoscaler(&self, service: &ServiceKey) -> Result<(), BackendError> {
        let (name, namespace) = (service.service.as_str(), service.graph.project.as_str());
        self.run(&["delete", "horizontalpodautoscaler", name, "-n", namespace])
    }

    async fn edit_replicas(&self, service: &ServiceKey, replicas: u32) -> Result<(), BackendError> {
        let (name, namespace) = (service.service.as_str(), service.graph.project.as_str());
        let replicas = format!("--replicas={replicas}");
        self.run(&["scale", "deployment", name, "-n", namespace, &replicas])
    }
}

pub(crate) async fn conformance(rig: &mut Rig) {
    let free = async |rig: &Rig| rig.fleet.cluster(&"m1".parse().unwrap()).await.unwrap().free();
    let before = free(rig).await;
    for chart in [IMAGE, "oci://charts/plain"] {
        conformance::releases(&rig.fleet, &SystemTime, &fixture(chart))
            .await
            .unwrap();
        rig.lap(&format!("conformance: releases of {chart}"));
    }
    conformance::room(&rig.fleet, &SystemTime, &fixture(IMAGE))
        .await
        .unwrap();
    rig.lap("conformance: no room, and zero replicas");
    let others = Others(rig.testbed.kubectl());
    conformance::owners(&rig.fleet, &SystemTime, &fixture(IMAGE), &others)
        .await
        .unwrap();
    rig.lap("conformance: other owners of replicas");
    // Clusters report every few seconds: what ran until now, also before this suite, has to be forgotten before capacity
    // is measured.
    let (start, mut last, mut since) = (Instant::now(), free(rig).await, Instant::now());
    while since.elapsed() < Duration::from_secs(5)
        || !before.saturating_sub(&last).iter().all(|(_, less)| less == 0)
    {
        assert!(start.elapsed() < Duration::from_secs(60), "{last} of {before}");
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = free(rig).await;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    conformance::capacity(&rig.fleet, &rig.fleet, &SystemTime, &fixture(IMAGE))
        .await
        .unwrap();
    rig.lap("conformance: capacity");
}
