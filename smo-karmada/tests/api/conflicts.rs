//! What somebody else wrote: fields of our objects, objects of our names, policies on our objects.

use serde_json::{Value, json};
use smo_core::backend::{ErrorKind, ReleaseBackend, ReleaseBackendExt};
use smo_karmada::{Drift, KarmadaError};

use crate::server::{Server, cause, connect, image};

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_others_set_are_reported_or_taken_back() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    server.fresh_namespace("drift");
    let spec = image("drift/shop/web", json!({"ports": [{"port": 80}]}), &[("m1", 1)]);
    server.fleet.apply(&spec).await.unwrap();
    let edit = |object: &str, part: Value| {
        let part = part.to_string();
        let arguments = [
            "patch",
            object,
            "-n",
            "drift",
            "--type=merge",
            "--field-manager=kubectl-edit",
            "-p",
            &part,
        ];
        server.kubectl.run(&arguments).unwrap();
    };
    edit(
        "propagationpolicy/web.smo",
        json!({"spec": {"placement": {"clusterAffinity": {"clusterNames": ["m3"]}}}}),
    );
    edit("deployment/web", json!({"spec": {"replicas": 7}}));

    let careful = connect(server.testbed.kubeconfig(), Drift::Report).await.unwrap();
    let error = careful.apply(&spec).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let KarmadaError::FieldConflict { object, fields } = cause(&error) else {
        panic!("{error}")
    };
    assert_eq!(object, "PropagationPolicy drift/web.smo");
    assert_eq!(fields.len(), 1);
    assert_eq!(fields[0].manager, "kubectl-edit");
    assert_eq!(fields[0].field, ".spec.placement.clusterAffinity.clusterNames");
    insta::assert_snapshot!(error, @"apply drift/shop/web: others have set fields of PropagationPolicy drift/web.smo: .spec.placement.clusterAffinity.clusterNames by kubectl-edit (ask them to leave these fields alone, or connect with `Drift::Repair` to take them back)");
    let theirs = server.get("propagationpolicies", "drift", "web.smo").unwrap();
    assert_eq!(
        theirs["spec"]["placement"]["clusterAffinity"]["clusterNames"],
        json!(["m3"]),
        "it is left alone"
    );

    assert!(server.fleet.apply(&spec).await.unwrap().changed);
    let ours = server.get("propagationpolicies", "drift", "web.smo").unwrap();
    assert_eq!(
        ours["spec"]["placement"]["clusterAffinity"]["clusterNames"],
        json!(["m1"])
    );
    let ours = server.get("deployments", "drift", "web").unwrap();
    assert_eq!(ours["spec"]["replicas"], 1);
    assert!(
        !careful.apply(&spec).await.unwrap().changed,
        "nobody is in the way now"
    );
    server.fleet.remove(&spec.service).await.unwrap();
    server.drop_namespace("drift");
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_others_have_are_conflicts_and_nothing_is_written() {
    let Some(server) = Server::take().await else {
        return;
    };
    server.set_clusters(&[]);
    let workload = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": {"app": "theirs"}},
        "template": {"metadata": {"labels": {"app": "theirs"}}, "spec": {"containers": [{"name": "c", "image": "x"}]}},
    }});
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": [{"port": 80}]}});
    let policy = |name: &str, selector: Value| {
        json!({"apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy", "metadata": {"name": name},
            "spec": {"resourceSelectors": [selector], "placement": {"clusterAffinity": {"clusterNames": ["m2"]}}}})
    };
    let named = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let elsewhere = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "other"});
    let mut urgent = policy("all", json!({"apiVersion": "apps/v1", "kind": "Deployment"}));
    urgent["spec"]["priority"] = json!(10);
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "metadata": {"name": "smo.web"}});
    let cases = [
        workload,
        service,
        policy("web.smo", elsewhere),
        policy("theirs", named),
        urgent,
        secret,
    ];
    let mut told = String::new();
    for mut object in cases {
        server.fresh_namespace("taken");
        object["metadata"]["namespace"] = json!("taken");
        server.kubectl.apply(&object).unwrap();
        let before = server.names("taken");
        let spec = image("taken/shop/web", json!({"ports": [{"port": 80}]}), &[("m1", 1)]);
        let error = server.fleet.apply(&spec).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict, "{object}: {error}");
        assert_eq!(server.names("taken"), before, "nothing is written: {error}");
        let missing = server.fleet.release(&spec.service).await.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        told.push_str(&format!("{error}\n"));
    }
    insta::assert_snapshot!(told);
    server.drop_namespace("taken");
}
