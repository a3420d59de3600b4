//! A chart that the API server refuses, in the middle of a graph.

use smo::orchestrator::StepResult;

use crate::charts::Chart;
use crate::stage::{SMALL, Stage, service};

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_chart_leaves_nothing_behind_and_says_why() {
    let Some(mut stage) = Stage::with_helm("broken", "helm3").await else {
        return;
    };
    let chart = Chart::app("second", "0.1.0");
    stage.push(&Chart::app("first", "0.1.0")).await;
    stage
        .push(
            &chart
                .clone()
                .changed("values.yaml", "registry.example.com/app:1", "\"\""),
        )
        .await;
    stage.push(&Chart::app("third", "0.1.0")).await;
    let names = ["first", "second", "third"];
    let services = names.map(|name| service(name, &format!("SHELF/{name}:0.1.0"), SMALL, &[], ""));
    // One after the other, so that the broken one really is in the middle.
    let services = services
        .concat()
        .replace("auto: {dependencies: []}", "auto: {dependencies: [BEFORE]}");
    let services = services
        .replacen("[BEFORE]", "[]", 1)
        .replacen("[BEFORE]", "[first]", 1)
        .replacen("[BEFORE]", "[second]", 1);
    let graph = stage.graph("shop", &services).await;
    let report = stage.refused(&graph).await;
    assert!(
        matches!(report.service("first"), Some(StepResult::RolledBack)),
        "{report}"
    );
    assert!(
        report.headline().contains("second") && report.headline().contains("image: Required value"),
        "{report}"
    );
    assert!(
        matches!(report.service("third"), Some(StepResult::Skipped)),
        "{report}"
    );
    stage.nothing_left().await;
    stage.lap("... with nothing left");

    // The same name is free again.
    let mended = chart.changed("Chart.yaml", "0.1.0", "0.1.1");
    stage.push(&mended).await;
    let graph = stage
        .graph(
            "shop",
            &services.replace("SHELF/second:0.1.0", "SHELF/second:0.1.1"),
        )
        .await;
    stage.deploy(&graph).await;
    stage.is_running(&graph).await;
    stage.remove(&graph).await;
}
