//! The member already has an object of that name, which is not Karmada's.

use serde_json::json;
use smo_testbed::live::eventually;

use crate::stage::{LONG, SMALL, Stage, service};

#[tokio::test(flavor = "multi_thread")]
async fn an_object_of_the_member_is_told_of_and_taken_over_only_when_the_user_says_so() {
    let Some(mut stage) = Stage::new("taken").await else {
        return;
    };
    if stage.testbed.members().is_empty() {
        eprintln!("live: this Karmada was not started here: nothing is put into a member of it");
        return;
    }
    let member = stage.testbed.member_kubectl("m1").unwrap();
    let labels = json!({"app": "theirs"});
    let theirs = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "taken"}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "taken", "labels": labels},
         "spec": {"selector": labels, "ports": [{"name": "old", "port": 1}]}},
    ]});
    member.apply(&theirs).unwrap();
    let image = "docker://registry.example.com/web:1";
    let graph = stage
        .graph("shop", &service("web", image, SMALL, &[], "ports: [{port: 80}]"))
        .await;
    let report = stage.refused(&graph).await;
    assert!(report.headline().contains("already exist"), "{report}");
    let there = member.get(&["service", "web", "--namespace", "taken"]).unwrap();
    assert_eq!(
        there["metadata"]["labels"]["app"], "theirs",
        "what is not ours stays as it was"
    );

    let values = "ports: [{port: 80}], conflictResolution: Overwrite";
    let graph = stage
        .graph("shop", &service("web", image, SMALL, &[], values))
        .await;
    stage.deploy(&graph).await;
    let ours = || {
        let there = member.get(&["service", "web", "--namespace", "taken"]).ok()?;
        (there["spec"]["ports"][0]["port"] == 80).then_some(())
    };
    eventually("the user's decision is carried out", LONG, ours);
    stage.lap("... and taken over by the user's decision");
    stage.remove(&graph).await;
}
