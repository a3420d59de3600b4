//! What is not ours, and what cannot be placed.

use serde_json::{Value, json};
use smo_core::backend::{ErrorKind, ReleaseBackend, ReleaseBackendExt};
use smo_core::cluster::Health;
use smo_core::placement::Assignment;

use crate::releases::{IMAGE, gone, healthy_on, on, spec, until};
use crate::rig::Rig;

/// The member already has an object of that name, which is not Karmada's.
pub(crate) async fn taken(rig: &mut Rig) {
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

pub(crate) async fn nowhere(rig: &mut Rig) {
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

pub(crate) async fn foreign(rig: &mut Rig) {
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

pub(crate) async fn drift(rig: &mut Rig) {
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
