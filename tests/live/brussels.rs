//! The Brussels demo, from the registry to the last trace of it.

use smo::backend::FiringAlert;
use smo::orchestrator::{AlertNotice, AlertOutcome, ServiceState};
use smo_testbed::live::eventually;

use crate::charts::Chart;
use crate::stage::{LONG, Stage};

const SERVICES: &str = "
    - id: image-compression-vo
      deployment:
        trigger:
          event:
            condition: ANY
            events:
              - id: main-event
                source: []
                condition: {promQuery: 'absent(up{camera=\"1\"})', gracePeriod: 2m, description: The camera is gone}
        intent: {compute: {cpu: light, ram: light}, connectionPoints: [noise-reduction]}
      artifact:
        ociImage: SHELF/image-compression-vo:0.1.0
        ociConfig: {type: VO, implementer: WOT}
    - id: noise-reduction
      deployment:
        trigger: {auto: {dependencies: []}}
        intent: {compute: {cpu: small, ram: small}, connectionPoints: [image-detection]}
      artifact: {ociImage: 'SHELF/noise-reduction:0.1.0', ociConfig: {type: App, implementer: HELM}}
    - id: image-detection
      deployment:
        trigger: {auto: {dependencies: []}}
        intent: {compute: {cpu: medium, ram: medium, gpu: {enabled: true}}}
      artifact: {ociImage: 'SHELF/image-detection:0.1.0', ociConfig: {type: App, implementer: HELM}}
";

#[tokio::test(flavor = "multi_thread")]
async fn brussels_demo_with_helm_4() {
    let Some(stage) = Stage::with_helm("brussels-four", "helm4").await else {
        return;
    };
    story(stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn brussels_demo_with_helm_3() {
    let Some(stage) = Stage::with_helm("brussels-three", "helm3").await else {
        return;
    };
    story(stage).await;
}

async fn story(mut stage: Stage) {
    stage
        .push(&Chart::virtual_object("image-compression-vo", "0.1.0"))
        .await;
    stage.push(&Chart::app("noise-reduction", "0.1.0")).await;
    stage.push(&Chart::app("image-detection", "0.1.0")).await;
    let graph = stage.graph("image-detection-graph", SERVICES).await;
    stage.lap("three charts and the descriptor pushed, the descriptor pulled and validated");

    let began = std::time::Instant::now();
    let deployed = stage.deploy(&graph).await;
    let count = stage.all_bindings_healthy(&[]);
    eprintln!(
        "{:>8.2} s  {}: from the call to all {count} bindings healthy",
        began.elapsed().as_secs_f64(),
        stage.project()
    );
    stage.lap("the oracle agrees");
    assert_eq!(stage.replicas("noise-reduction"), [("m1".to_owned(), 1)]);
    assert_eq!(
        stage.replicas("image-detection"),
        [("m2".to_owned(), 1)],
        "GPUs are on m2"
    );
    assert_eq!(
        stage.replicas("image-compression-vo"),
        [],
        "it waits for its alert"
    );
    stage.is_running(&graph).await;
    let status = stage.orchestrator.status(&stage.key(&graph)).await.unwrap();
    assert!(
        matches!(
            status.services["image-compression-vo"].state,
            ServiceState::WaitingForAlert { .. }
        ),
        "{status}"
    );
    imported(&stage, "derived-image-detection", &["m1"]);
    imported(&stage, "derived-noise-reduction", &["m1"]);

    stage.lap("imports are right");
    let rule = deployed.plan.alerts.unwrap().rules[0].clone();
    let mut labels = rule.labels.clone();
    labels.insert("alertname".to_owned(), rule.alert.clone());
    let notice = AlertNotice::from(FiringAlert {
        labels,
        starts_at: jiff::Timestamp::now(),
        fingerprint: "f1".to_owned(),
    });
    let heard = stage
        .orchestrator
        .on_alerts(std::slice::from_ref(&notice))
        .await
        .unwrap();
    assert!(matches!(heard[0], AlertOutcome::Started(_)), "{heard:?}");
    stage.lap("its alert fired, the VO is installed");
    let running = || (stage.replicas("image-compression-vo") == [("m1".to_owned(), 1)]).then_some(());
    eventually("the VO runs", LONG, running);
    stage.lap("... and runs");
    let again = stage.orchestrator.on_alerts(&[notice]).await.unwrap();
    assert!(matches!(again[0], AlertOutcome::Repeated), "{again:?}");
    // Nobody calls it: it is imported where it runs, since an empty list would be everywhere.
    stage.all_bindings_healthy(&[]);
    imported(&stage, "derived-image-compression-vo", &["m1"]);
    stage.is_running(&graph).await;
    stage.remove(&graph).await;
}

/// The members that have a Service by import.
fn imported(stage: &Stage, service: &str, wanted: &[&str]) {
    let as_wanted = || (stage.members_with("/api/v1", "services", service) == wanted).then_some(());
    eventually(&format!("{service} in {wanted:?}"), LONG, as_wanted);
}
