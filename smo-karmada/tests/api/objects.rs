//! Every kind of object that is written, under the schemas of the API server.

use serde_json::{Value, json};
use smo_core::backend::{ErrorKind, ReleaseBackend};

use crate::server::{Server, cause, image, on};

/// Values that bring out everything that is ever written for an image.
fn everything() -> Value {
    json!({
        "ports": [{"name": "http", "port": 8080}, {"port": 5683, "protocol": "UDP"}],
        "env": {"LOG_LEVEL": "info", "WORKERS": 4},
        "command": ["/app/server"],
        "args": ["--verbose"],
        "probes": {
            "readiness": {"http": {"path": "/healthz", "port": "http"}},
            "liveness": {"tcp": {"port": 8080}, "periodSeconds": 10},
            "startup": {"exec": ["cat", "/ready"]},
        },
        "limits": {"memory": "512Mi"},
        "imagePullSecrets": ["registry"],
        "conflictResolution": "Overwrite",
        "serviceImportClusters": ["m3"],
        "clusters": {"m2": {"env": {"LOG_LEVEL": "debug"}, "image": "mirror.example/web:1"}},
    })
}

/// The field managers of an object, but for those that only touched its status.
fn managers(object: &Value) -> Vec<&str> {
    let fields = object["metadata"]["managedFields"].as_array().unwrap();
    fields
        .iter()
        .filter(|field| field.get("subresource").is_none())
        .filter_map(|field| field["manager"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_is_accepted_owned_and_taken_away() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    let _absent = server
        .kubectl
        .run(&["delete", "namespace", "objects", "--ignore-not-found"]);
    let mut spec = image("objects/shop/web", everything(), &[("m1", 2), ("m2", 1)]);
    assert!(server.fleet.apply(&spec).await.unwrap().changed);
    let written = [
        "deployment.apps/web",
        "overridepolicy.policy.karmada.io/web-override.smo",
        "propagationpolicy.policy.karmada.io/web-import.smo",
        "propagationpolicy.policy.karmada.io/web.smo",
        "secret/smo.web",
        "service/web",
        "serviceexport.multicluster.x-k8s.io/web",
        "serviceimport.multicluster.x-k8s.io/web",
    ];
    assert_eq!(server.names("objects"), written);
    for object in written {
        let (kind, name) = object.split_once('/').unwrap();
        let found = server.get(kind, "objects", name).unwrap();
        assert_eq!(managers(&found), ["smo"], "{object}");
        let labels = &found["metadata"]["labels"];
        assert_eq!(labels["app.kubernetes.io/managed-by"], "smo", "{object}");
        assert_eq!(labels["app.kubernetes.io/part-of"], "shop", "{object}");
        assert_eq!(labels["app.kubernetes.io/instance"], "web", "{object}");
    }
    let policy = server.get("propagationpolicies", "objects", "web.smo").unwrap();
    assert_eq!(
        policy["spec"]["placement"]["replicaScheduling"]["weightPreference"]["staticWeightList"],
        json!([
            {"targetCluster": {"clusterNames": ["m1"]}, "weight": 2},
            {"targetCluster": {"clusterNames": ["m2"]}, "weight": 1},
        ])
    );

    // What the server fills in is no difference.
    let again = server.fleet.apply(&spec).await.unwrap();
    assert_eq!((again.revision, again.changed), (1, false));

    server
        .fleet
        .scale(&spec.service, &on(&[("m1", 2), ("m3", 3)]))
        .await
        .unwrap();
    let deployment = server.get("deployments", "objects", "web").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 5);

    // What a revision does not have any more goes.
    spec.values = json!({}).as_object().unwrap().clone().into();
    assert_eq!(server.fleet.apply(&spec).await.unwrap().revision, 2);
    assert_eq!(
        server.names("objects"),
        [
            "deployment.apps/web",
            "propagationpolicy.policy.karmada.io/web.smo",
            "secret/smo.web"
        ]
    );
    assert!(server.fleet.remove(&spec.service).await.unwrap().existed);
    assert_eq!(
        server.names("objects"),
        ["secret/smo.web"],
        "a copy may still come into being"
    );
    server.nothing_left("objects", "the removal").await;
    server.drop_namespace("objects");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_schema_refuses_is_named_and_taken_back() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    server.fresh_namespace("refused");
    let cases = [
        json!({"ports": [{"name": "Not A Name", "port": 80}]}),
        json!({"limits": {"memory": "much"}}),
        json!({"serviceImportClusters": ["m1"], "ports": [{"port": 80, "protocol": "CARRIER-PIGEON"}]}),
    ];
    let mut told = String::new();
    for values in cases {
        let error = server
            .fleet
            .apply(&image("refused/shop/web", values, &[("m1", 1)]))
            .await
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        server.nothing_left("refused", &error.to_string()).await;
        told.push_str(&format!("{error}\n"));
    }
    insta::assert_snapshot!(told);
    server.drop_namespace("refused");
}

/// Which code an unknown field gets, and that it is one at all: without strict validation it would vanish silently.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_field_is_an_error_of_the_server() {
    use kube::api::{Api, ApiResource, DynamicObject, Patch, PatchParams};
    use kube::core::GroupVersionKind;
    let Some(server) = Server::take().await else {
        return;
    };
    let config = smo_karmada::KarmadaConfig::builder()
        .with_kubeconfig_path(server.testbed.kubeconfig())
        .build()
        .unwrap();
    let client = config.client().await.unwrap();
    let policy = json!({"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy", "metadata": {"name": "x"},
        "spec": {"resourceSelectors": [{"apiVersion": "v1", "kind": "Service", "name": "x"}], "placement": {}, "placment": {}}});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "x"},
        "spec": {"ports": [{"port": 80}], "prots": []}});
    for (object, group, version) in [(policy, "policy.karmada.io", "v1alpha1"), (service, "", "v1")] {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
        let api: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
        let apply = PatchParams::apply("test").validation_strict();
        let error = api.patch("x", &apply, &Patch::Apply(&object)).await.unwrap_err();
        let kube::Error::Api(status) = error else {
            panic!("{error}")
        };
        assert_eq!(status.code, 500, "{kind}: {status:?}");
        assert!(
            status.message.contains("field not declared in schema"),
            "{status:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reserved_namespace_is_refused_before_anything_is_sent() {
    let Some(server) = Server::take().await else {
        return;
    };
    let error = server
        .fleet
        .apply(&image("kube-system/shop/web", json!({}), &[("m1", 1)]))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    insta::assert_snapshot!(cause(&error), @"Karmada refuses the object: Karmada keeps the objects of namespace kube-system to itself");
}
