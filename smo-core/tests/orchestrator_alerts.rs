//! Alerts start what waits for them, once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod orchestrator_support;

use orchestrator_support::*;
use smo_core::backend::memory::Scripted;
use smo_core::backend::{Clock, FiringAlert};
use smo_core::graph::EventCondition;
use smo_core::orchestrator::{AlertNotice, AlertOutcome, AlertState};

fn alert(world: &World, event: &str) -> FiringAlert {
    world.alerts.fire(&rule(event), world.clock().now()).unwrap()
}

async fn hear(world: &World, state: AlertState, alert: &FiringAlert) -> AlertOutcome {
    let notice = AlertNotice {
        state,
        alert: alert.clone(),
    };
    world.orchestrator.on_alerts(&[notice]).await.unwrap().remove(0)
}

#[tokio::test(flavor = "current_thread")]
async fn a_repeated_alert_does_nothing() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let alert = alert(&world, "main-event");
    assert!(matches!(
        hear(&world, AlertState::Firing, &alert).await,
        AlertOutcome::Started(_)
    ));
    world.advance(1);
    world.fleet.forget_calls();
    for _ in 0..8 {
        assert!(matches!(
            hear(&world, AlertState::Firing, &alert).await,
            AlertOutcome::Repeated
        ));
        world.run(60).await;
    }
    let later = FiringAlert {
        starts_at: world.clock().now(),
        ..alert
    };
    assert!(matches!(
        hear(&world, AlertState::Firing, &later).await,
        AlertOutcome::AlreadyStarted(_)
    ));
    assert!(world.fleet.calls_of("apply").is_empty());
    assert_eq!(world.release(VO).await.unwrap().revision, 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_resolved_alert_starts_nothing_and_stops_nothing() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let alert = alert(&world, "main-event");
    assert!(matches!(
        hear(&world, AlertState::Resolved, &alert).await,
        AlertOutcome::Resolved
    ));
    assert!(world.release(VO).await.is_none());
    hear(&world, AlertState::Firing, &alert).await;
    hear(&world, AlertState::Resolved, &alert).await;
    assert!(world.release(VO).await.is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn an_alert_for_a_stopped_graph_starts_nothing_until_it_is_started() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let alert = alert(&world, "main-event");
    world.orchestrator.stop(&graph_key()).await.unwrap();
    assert!(matches!(
        hear(&world, AlertState::Firing, &alert).await,
        AlertOutcome::GraphStopped(_)
    ));
    world.run(60).await;
    assert!(world.release(VO).await.is_none());
    world.orchestrator.start(&graph_key()).await.unwrap();
    assert!(
        world.release(VO).await.is_none(),
        "it never ran, so it waits again"
    );
    assert!(matches!(
        hear(&world, AlertState::Firing, &alert).await,
        AlertOutcome::Started(_)
    ));
}

#[tokio::test(flavor = "current_thread")]
async fn all_means_all_at_the_same_time() {
    let world = world();
    let graph = brussels_with(EventCondition::All, &["one", "two"], &[]);
    world.orchestrator.deploy(&graph, &planner()).await.unwrap();
    let one = alert(&world, "one");
    match hear(&world, AlertState::Firing, &one).await {
        AlertOutcome::WaitsForMore { service, missing } => {
            assert_eq!((service, missing), (key(VO), vec![rule("two")]));
        }
        other => panic!("{other:?}"),
    }
    insta::assert_snapshot!(world.states().await[0], @"image-compression-vo waits for the alert demo.image-detection-graph.image-compression-vo.two");
    // The first ends before the second begins.
    world.alerts.resolve(&rule("one"));
    hear(&world, AlertState::Resolved, &one).await;
    let two = alert(&world, "two");
    assert!(matches!(
        hear(&world, AlertState::Firing, &two).await,
        AlertOutcome::WaitsForMore { .. }
    ));
    let one = alert(&world, "one");
    let report = world.reconcile().await;
    assert!(
        report
            .alerts
            .iter()
            .any(|outcome| matches!(outcome, AlertOutcome::Started(_))),
        "{one:?} {report:?}"
    );
    assert!(world.release(VO).await.is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn a_poll_forgets_alerts_that_ended() {
    let world = world();
    let graph = brussels_with(EventCondition::All, &["one", "two"], &[]);
    world.orchestrator.deploy(&graph, &planner()).await.unwrap();
    alert(&world, "one");
    world.reconcile().await;
    world.alerts.resolve(&rule("one"));
    alert(&world, "two");
    world.reconcile().await;
    assert!(world.release(VO).await.is_none());
    alert(&world, "one");
    world.reconcile().await;
    assert!(world.release(VO).await.is_some());
}

#[tokio::test(flavor = "current_thread")]
async fn alerts_of_others_are_none_of_ours() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let ours = alert(&world, "main-event");
    let label = |name: &str, value: &str| {
        let mut alert = ours.clone();
        alert.labels.insert(name.to_owned(), value.to_owned());
        alert
    };
    let foreign = [
        FiringAlert {
            labels: [("alertname".to_owned(), "Watchdog".to_owned())].into(),
            ..ours.clone()
        },
        label("smo_graph", "other-graph"),
        label("smo_service", NOISE),
        label("smo_service", "No Label"),
        label("alertname", "demo.image-detection-graph.forged"),
    ];
    for alert in foreign {
        let outcome = hear(&world, AlertState::Firing, &alert).await;
        assert!(matches!(outcome, AlertOutcome::NotOurs), "{alert:?}: {outcome:?}");
    }
    assert!(world.release(VO).await.is_none());
}

#[tokio::test(flavor = "current_thread")]
async fn an_alert_that_could_not_be_obeyed_is_obeyed_later() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let alert = alert(&world, "main-event");
    world.fleet.fail_next("apply", unavailable("apply"));
    assert!(matches!(
        hear(&world, AlertState::Firing, &alert).await,
        AlertOutcome::Failed(..)
    ));
    assert!(world.release(VO).await.is_none());
    world.run(10).await;
    assert!(world.release(VO).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn what_fired_before_a_stop_does_not_count_after_it() {
    let world = world();
    let graph = brussels_with(EventCondition::All, &["one", "two"], &[]);
    world.orchestrator.deploy(&graph, &planner()).await.unwrap();
    let one = alert(&world, "one");
    hear(&world, AlertState::Firing, &one).await;
    world.orchestrator.stop(&graph_key()).await.unwrap();
    world.orchestrator.start(&graph_key()).await.unwrap();
    let two = alert(&world, "two");
    let outcome = hear(&world, AlertState::Firing, &two).await;
    assert!(
        matches!(outcome, AlertOutcome::WaitsForMore { .. }),
        "{outcome:?}"
    );
}
