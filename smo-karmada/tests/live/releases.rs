//! What the stories have in common: releases, and waiting for what becomes of them.

use std::time::{Duration, Instant};

use serde_json::Value;
use smo_core::backend::{ReleaseBackend, ReleaseBackendExt, Scope};
use smo_core::cluster::{Health, ObservedRelease};
use smo_core::id::ServiceKey;
use smo_core::placement::Assignment;
use smo_core::plan::{ReleaseSpec, Target};
use smo_core::resources::{ResourceName, Resources};

use crate::rig::Rig;

pub(crate) fn key(text: &str) -> ServiceKey {
    text.parse().unwrap()
}

pub(crate) fn on(clusters: &[(&str, u32)]) -> Assignment {
    clusters
        .iter()
        .map(|(cluster, replicas)| (cluster.parse().unwrap(), *replicas))
        .collect()
}

pub(crate) fn spec(service: &str, chart: &str, values: Value, assignment: Assignment) -> ReleaseSpec {
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

pub(crate) const IMAGE: &str = "docker://registry.example/web:1";

/// Waits until a release is as `wanted` says, and tells how long that took.
pub(crate) async fn until(
    rig: &Rig,
    service: &ServiceKey,
    wanted: impl Fn(&ObservedRelease) -> bool,
) -> Duration {
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

pub(crate) fn healthy_on<'a>(wanted: &'a [(&'a str, u32)]) -> impl Fn(&ObservedRelease) -> bool + 'a {
    move |observed| {
        observed.clusters.len() == wanted.len()
            && wanted.iter().all(|(cluster, replicas)| {
                let at = observed.clusters.get(*cluster);
                at.is_some_and(|at| at.ready == *replicas && at.health == Health::Healthy)
            })
    }
}

/// Waits until nothing of a graph is left anywhere.
pub(crate) async fn gone(rig: &Rig, service: &ServiceKey) {
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
            // The record of a removal goes when somebody looks and nothing can be left any more.
            let scope = Scope::Graph(service.graph.clone());
            rig.fleet.observe(&scope).await.unwrap();
        }
    }
}
