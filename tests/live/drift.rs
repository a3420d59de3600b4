//! Others write to what is ours.

use serde_json::json;
use smo::orchestrator::StepResult;
use smo_testbed::live::eventually;

use crate::charts::Chart;
use crate::stage::{LONG, SMALL, Stage, service};

#[tokio::test(flavor = "multi_thread")]
async fn an_edited_policy_is_set_right() {
    let Some(mut stage) = Stage::new("drift").await else {
        return;
    };
    stage.push(&Chart::app("web", "0.1.0")).await;
    let services = [
        service("web", "SHELF/web:0.1.0", SMALL, &[], ""),
        service("image", "docker://registry.example.com/image:1", SMALL, &[], ""),
    ];
    let graph = stage.graph("shop", &services.concat()).await;
    stage.deploy(&graph).await;
    // One policy is the chart's own, the other ours.
    for (policy, service) in [("web", "web"), ("image.smo", "image")] {
        let elsewhere =
            json!({"spec": {"placement": {"clusterAffinity": {"clusterNames": ["m3"]}}}}).to_string();
        let edit = [
            "patch",
            "propagationpolicy",
            policy,
            "--namespace",
            "drift",
            "--type",
            "merge",
            "--patch",
            &elsewhere,
        ];
        stage.testbed.kubectl().run(&edit).unwrap();
        let moved = || (stage.members_with("/apis/apps/v1", "deployments", service) == ["m3"]).then_some(());
        eventually("Karmada moves it", LONG, moved);
        stage.lap(&format!("somebody's edit of {policy} has moved {service} to m3"));
        let status = stage.orchestrator.status(&stage.key(&graph)).await.unwrap();
        eprintln!("            {}", status.services[service].state);
        assert!(
            status.services[service].state.to_string().contains("m3"),
            "{status}"
        );
        let report = stage
            .orchestrator
            .reconcile(jiff::Timestamp::now())
            .await
            .unwrap();
        let steps: Vec<_> = report.steps.iter().map(|(_, step)| step).collect();
        assert!(
            steps
                .iter()
                .any(|step| step.subject.to_string() == service && matches!(step.result, StepResult::Done)),
            "{steps:?}"
        );
        let back = || (stage.members_with("/apis/apps/v1", "deployments", service) == ["m1"]).then_some(());
        eventually("it is back", LONG, back);
        stage.lap("... and the orchestrator's next step has set it right");
    }
    // Nothing moves when one is deleted: it would be missed at the next change only.
    let kubectl = stage.testbed.kubectl();
    for (policy, service) in [("web", "web"), ("image.smo", "image")] {
        let there = ["propagationpolicy", policy, "--namespace", "drift"];
        kubectl.run(&[&["delete"][..], &there].concat()).unwrap();
        let status = stage.orchestrator.status(&stage.key(&graph)).await.unwrap();
        let state = status.services[service].state.to_string();
        assert!(state.contains(&format!("drift/{policy} is gone")), "{status}");
        stage
            .orchestrator
            .reconcile(jiff::Timestamp::now())
            .await
            .unwrap();
        let names = &kubectl.get(&there).unwrap()["spec"]["placement"]["clusterAffinity"]["clusterNames"];
        assert_eq!(*names, json!(["m1"]), "{policy}");
        stage.lap(&format!("{policy} was deleted by somebody, and is there again"));
    }
    let running = || async { stage.orchestrator.status(&stage.key(&graph)).await.unwrap().state };
    let began = std::time::Instant::now();
    while running().await != smo::orchestrator::GraphState::Running {
        assert!(began.elapsed() < LONG);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    stage.remove(&graph).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_competes_is_named_before_anything_is_written() {
    let Some(mut stage) = Stage::new("rival").await else {
        return;
    };
    let kubectl = stage.testbed.kubectl();
    // The chart has no policy of its own, so ours would place it, and theirs was first.
    let chart = Chart::app("web", "0.1.0");
    let chart = ["propagationpolicy", "serviceexport", "servicemonitor"]
        .iter()
        .fold(chart, |chart, template| {
            chart.without(&format!("templates/{template}.yaml"))
        });
    stage.push(&chart).await;
    let graph = stage
        .graph("shop", &service("web", "SHELF/web:0.1.0", SMALL, &[], ""))
        .await;
    let theirs = json!({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "rival"}},
        {
            "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
            "metadata": {"name": "theirs", "namespace": "rival"},
            "spec": {
                "resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}],
                "placement": {"clusterAffinity": {"clusterNames": ["m2"]}},
            },
        },
    ]});
    kubectl.apply(&theirs).unwrap();
    let report = stage.refused(&graph).await;
    assert!(
        report.headline().contains("PropagationPolicy rival/theirs"),
        "{report}"
    );
    kubectl
        .run(&["delete", "propagationpolicy", "theirs", "--namespace", "rival"])
        .unwrap();
    stage.nothing_left().await;
    stage.lap("a policy that competes is named, and nothing was written");
    stage.deploy(&graph).await;
    stage.remove(&graph).await;
}
