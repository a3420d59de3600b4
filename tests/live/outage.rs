//! A member dies: what ran there runs elsewhere, by the orchestrator's own decision.

use std::time::{Duration, Instant};

use futures::StreamExt;
use smo::karmada::Change;
use smo::orchestrator::Advice;
use smo_testbed::live::eventually;

use crate::charts::Chart;
use crate::scale::{healthy, on};
use crate::stage::{GPU, LONG, SMALL, Stage, service, told};

#[tokio::test(flavor = "multi_thread")]
async fn what_ran_on_a_dead_member_runs_elsewhere() {
    let Some(mut stage) = Stage::new("outage").await else {
        return;
    };
    if stage.testbed.members().is_empty() {
        eprintln!("live: this Karmada was not started here: no member of it is killed");
        return;
    }
    stage.push(&Chart::app("web", "0.1.0")).await;
    stage.push(&Chart::app("train", "0.1.0")).await;
    let services = [
        service("web", "SHELF/web:0.1.0", SMALL, &["train"], ""),
        service("train", "SHELF/train:0.1.0", GPU, &[], ""),
    ];
    let graph = stage.graph("shop", &services.concat()).await;
    let fleet = stage.fleet().await;
    let web = stage.key(&graph).service("web".parse().unwrap());
    stage.deploy(&graph).await;
    assert_eq!(stage.replicas("train"), [("m2".to_owned(), 1)], "GPUs are on m2");
    stage.orchestrator.scale(&web, &on(&[("m1", 3)])).await.unwrap();
    healthy(&fleet, &web, &[("m1", 3)]).await;

    // As a host does: one step at each word of a change.
    let mut changes = fleet.changes();
    stage.lap("web in m1, train in m2; m1's API server is killed now");
    stage.testbed.stop_member("m1").unwrap();
    let killed = Instant::now();
    let heard = loop {
        let patience = tokio::time::timeout(LONG, changes.next());
        if patience.await.expect("word of the dead member") != Some(Change::Clusters) {
            continue;
        }
        let heard = Instant::now();
        let report = stage
            .orchestrator
            .reconcile(jiff::Timestamp::now())
            .await
            .unwrap();
        let m1 = |advice: &Advice| matches!(advice, Advice::Replan { graph, clusters } if graph.project.as_str() == "outage" && clusters.contains("m1"));
        if report.advice.iter().any(m1) {
            break heard;
        }
    };
    let elsewhere = async {
        let path = "/apis/apps/v1/namespaces/outage/deployments/web";
        while stage
            .in_member("m3", path)
            .is_none_or(|found| found["status"]["readyReplicas"] != 3)
        {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        heard.elapsed()
    };
    let replanned = stage.orchestrator.replan(&graph, &stage.planner);
    let (moved, elsewhere) = futures::join!(replanned, elsewhere);
    let moved = moved.unwrap_or_else(|error| panic!("{}", told(&error)));
    eprintln!(
        "{:>8.2} s  outage: from the kill to Karmada's Ready=False, as its watch tells\n\
         {:>8.2} s  outage: from there to running elsewhere, by the orchestrator's decision\n\
         {:>8.2} s  outage: from there until everything of the plan was healthy",
        (heard - killed).as_secs_f64(),
        elsewhere.as_secs_f64(),
        heard.elapsed().as_secs_f64()
    );
    stage.lap("moved");
    let target = moved.plan.services["web"].release.target.to_string();
    assert_eq!(target, "m3 x3", "the next cheap one");
    healthy(&fleet, &web, &[("m3", 3)]).await;
    let path = "/apis/apps/v1/namespaces/outage/deployments/web";
    let there = stage.in_member("m3", path).unwrap();
    assert_eq!(
        there["status"]["readyReplicas"], 3,
        "replicas are kept through the move"
    );
    let imported = || {
        (stage
            .members_with("/api/v1", "services", "derived-train")
            .contains(&"m3".to_owned()))
        .then_some(())
    };
    eventually("the provider is imported where its caller went", LONG, imported);
    let leftovers = stage.orchestrator.leftovers(&stage.key(&graph)).await.unwrap();
    assert!(
        leftovers.iter().any(|left| left.cluster.as_str() == "m1"),
        "{leftovers:?}"
    );

    stage.testbed.start_member("m1").unwrap();
    stage.lap("m1 starts again");
    let gone = || {
        stage
            .in_member("m1", "/readyz")
            .is_some()
            .then_some(())
            .or_else(|| stage.in_member("m1", "/version").map(drop))
    };
    eventually("m1 answers", LONG, gone);
    let stale = || {
        let copies = stage.members_with("/apis/apps/v1", "deployments", "web");
        let imports = stage.members_with("/api/v1", "services", "derived-train");
        (copies == ["m3"] && imports == ["m3"]).then_some(())
    };
    eventually("the stale copy and the stale import gone", LONG, stale);
    stage.lap("... and the stale copy and import are gone");
    let ready = || {
        let cluster = stage
            .testbed
            .kubectl()
            .get(&["clusters.cluster.karmada.io", "m1"])
            .ok()?;
        (smo_testbed::condition(&cluster, "Ready") == Some("True")).then_some(())
    };
    eventually("m1 ready", LONG, ready);
    tokio::time::sleep(Duration::from_millis(100)).await;
    stage.remove(&graph).await;
}
