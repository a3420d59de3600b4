//! Charts with and without a policy of their own.

use serde_json::{Value, json};
use smo_core::backend::{ReleaseBackend, ReleaseName};
use smo_core::helm_values::HelmValues;
use smo_core::plan::Target;

use crate::releases::{gone, healthy_on, on, spec, until};
use crate::rig::Rig;

/// A chart of the world: no word about Karmada, replicas of its own, an object in a second kind.
pub(crate) fn plain_chart(release: &ReleaseName, _: &HelmValues) -> Vec<Value> {
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
pub(crate) fn steered_chart(release: &ReleaseName, values: &HelmValues) -> Vec<Value> {
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

pub(crate) async fn steered(rig: &mut Rig) {
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
