//! Images that go exactly where they are told.

use std::time::{Duration, Instant};

use serde_json::json;
use smo_core::backend::ReleaseBackend;
use smo_core::plan::{ReleaseSpec, Target};
use smo_core::resources::ResourceName;

use crate::releases::{IMAGE, gone, healthy_on, on, spec, until};
use crate::rig::Rig;

pub(crate) async fn exact_split(rig: &mut Rig) {
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

pub(crate) async fn accelerator(rig: &mut Rig) {
    let mut spec = spec("live/gpu/train", IMAGE, json!({}), on(&[("m2", 2)]));
    spec.resources.set(ResourceName::NVIDIA_GPU, 2);
    rig.fleet.apply(&spec).await.unwrap();
    until(rig, &spec.service, healthy_on(&[("m2", 2)])).await;
    rig.lap("two replicas with two GPUs each healthy on m2");
    rig.fleet.remove(&spec.service).await.unwrap();
    gone(rig, &spec.service).await;
}

pub(crate) async fn imports(rig: &mut Rig) {
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
pub(crate) async fn chain(rig: &mut Rig) {
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
