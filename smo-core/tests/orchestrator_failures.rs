//! What goes wrong is told, taken back, or finished later; it is never half done in silence.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod orchestrator_support;

use std::time::Duration;

use orchestrator_support::*;
use smo_core::backend::memory::{InMemoryFleet, Scripted};
use smo_core::backend::{
    AlertBackend, BackendError, Clock, DashboardBackend, ErrorKind, ReleaseBackend, Scope, StateStore,
};
use smo_core::graph::EventCondition;
use smo_core::orchestrator::{AlertOutcome, GraphState, Orchestrator, OrchestratorError, StepResult};

fn broken_chart() -> BackendError {
    let message = "INSTALLATION FAILED: Deployment.apps \"image-detection\" is invalid: containers[0].image: Required value";
    BackendError::new(ErrorKind::Invalid, "helm install image-detection", message)
}

async fn nothing_left(world: &World) {
    world.advance(1);
    let observed = world.fleet.observe(&Scope::All).await.unwrap();
    assert!(
        observed.releases.is_empty() && observed.leftovers.is_empty(),
        "{observed:?}"
    );
    assert!(world.alerts.groups().await.unwrap().is_empty());
    assert!(world.dashboards.list().await.unwrap().is_empty());
    assert!(world.store.list("").await.unwrap().is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_broken_chart_in_the_middle_leaves_nothing_and_says_why() {
    let world = world();
    world
        .fleet
        .fail_about("apply", &key(DETECTION).to_string(), broken_chart());
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @r#"demo/image-detection-graph: image-detection failed: helm install image-detection: INSTALLATION FAILED: Deployment.apps "image-detection" is invalid: containers[0].image: Required value; rolled back 1 step(s)"#);
    let OrchestratorError::Failed(report) = error else {
        panic!("{error:?}")
    };
    insta::assert_snapshot!(report, @r#"
    demo/image-detection-graph  plan a5b31061
      wave 1  image-compression-vo                               waits for its alert
      wave 1  noise-reduction                                    rolled back
      wave 1  image-detection                                    failed: helm install image-detection: INSTALLATION FAILED: Deployment.apps "image-detection" is invalid: containers[0].image: Required value
      wave 2  alert rules smo.demo.image-detection-graph         not tried
      wave 2  dashboard smo-image-detection-grap-7b741b80dc8f1d  not tried
      wave 2  dashboard smo-image-compression-vo-09ecbe9a125269  not tried
      wave 2  dashboard smo-noise-reduction-9e700af87daf22       not tried
      wave 2  dashboard smo-image-detection-139c00c5932ea3       not tried
    "#);
    nothing_left(&world).await;
    world.fleet.heal();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_service_that_does_not_get_healthy_is_given_up() {
    let fleet = fleet();
    let world = World {
        orchestrator: Orchestrator::builder(fleet.clone(), fleet.clock())
            .with_patience(quick())
            .build(),
        ..world_on(fleet)
    };
    for cluster in ["m1", "m2", "m3"] {
        world
            .fleet
            .add_foreign_object(&name(cluster), project(), DETECTION.parse().unwrap());
    }
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"demo/image-detection-graph: image-detection not healthy after 3 s: Failed to apply all manifests (0/1): resource(kind=Deployment, demo/image-detection) already exists in the cluster m2 and the conflict resolution is Abort; rolled back 1 step(s)");
    nothing_left(&world).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_name_that_is_taken_is_not_touched() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let rival = smo_core::graph::ApplicationGraph::new(
        "rival".parse().unwrap(),
        [smo_core::graph::Service::new(
            NOISE.parse().unwrap(),
            "oci://r/rival:1.0.0",
        )],
        [],
    )
    .unwrap();
    let error = world.orchestrator.deploy(&rival, &planner()).await.unwrap_err();
    insta::assert_snapshot!(error, @"demo/rival: noise-reduction failed: apply demo/rival/noise-reduction: the name belongs to demo/image-detection-graph/noise-reduction");
    world.advance(1);
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Running
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_failed_upgrade_is_set_back() {
    let world = world();
    let first = world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let mut second = planner()
        .plan(
            &brussels(),
            &smo_core::backend::ClusterBackend::inventory(&fleet())
                .await
                .unwrap(),
        )
        .unwrap();
    for service in second.services.values_mut() {
        service.release.chart = service.release.chart.replace("1.0.0", "2.0.0");
    }
    world
        .fleet
        .fail_about("apply", &key(DETECTION).to_string(), broken_chart());
    let error = world.orchestrator.apply(&second).await.unwrap_err();
    let OrchestratorError::Failed(report) = error else {
        panic!("{error:?}")
    };
    assert!(
        matches!(report.service(NOISE), Some(StepResult::RolledBack)),
        "{report}"
    );
    world.advance(2);
    assert_eq!(
        world.release(NOISE).await.unwrap().chart,
        first.plan.services[NOISE].release.chart
    );
    let status = world.orchestrator.status(&graph_key()).await.unwrap();
    assert_eq!(
        (status.state, status.plan),
        (GraphState::Running, first.plan.fingerprint)
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_short_outage_is_waited_out() {
    let world = world();
    world.fleet.fail_times("apply", 2, unavailable("apply"));
    world.fleet.fail_times("observe", 1, unavailable("observe"));
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OrchestratorError::Backend(_)),
        "nothing was done: {error}"
    );
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    world.fleet.lose_next_answer("apply", unavailable("apply"));
    world.fleet.remove(&key(NOISE)).await.unwrap();
    world.run(10).await;
    assert!(world.release(NOISE).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn dashboards_never_block_and_are_written_later() {
    let world = world();
    world
        .dashboards
        .fail_always("write", unavailable("POST /api/dashboards/db"));
    world
        .dashboards
        .fail_always("list", unavailable("GET /api/search"));
    let deployment = world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let tolerated = |result: &StepResult| matches!(result, StepResult::Tolerated(_));
    assert_eq!(
        deployment
            .report
            .steps
            .iter()
            .filter(|step| tolerated(&step.result))
            .count(),
        4
    );
    world.dashboards.heal();
    world.run(60).await;
    assert_eq!(world.dashboards.list().await.unwrap().len(), 4);
}

#[tokio::test(flavor = "current_thread")]
async fn alert_rules_that_cannot_be_written_fail_a_graph_that_needs_them() {
    let world = world();
    world
        .alerts
        .fail_always("write", unavailable("apply PrometheusRule"));
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"demo/image-detection-graph: alert rules smo.demo.image-detection-graph failed: apply PrometheusRule: dial tcp 127.0.0.1:5443: connection refused; rolled back 2 step(s)");
    world.alerts.heal();
    nothing_left(&world).await;
}

#[tokio::test(flavor = "current_thread")]
async fn what_could_not_be_rolled_back_is_removed_later() {
    let world = world();
    world
        .fleet
        .fail_about("apply", &key(DETECTION).to_string(), broken_chart());
    world.fleet.fail_times("remove", 3, unavailable("helm uninstall"));
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @r#"demo/image-detection-graph: image-detection failed: helm install image-detection: INSTALLATION FAILED: Deployment.apps "image-detection" is invalid: containers[0].image: Required value; 1 step(s) could not be rolled back yet"#);
    assert!(world.release(NOISE).await.is_some());
    world.run(60).await;
    nothing_left(&world).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_stop_or_removal_that_failed_is_finished_later() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    world.fleet.fail_times("remove", 3, unavailable("helm uninstall"));
    let error = world.orchestrator.stop(&graph_key()).await.unwrap_err();
    assert!(matches!(error, OrchestratorError::Failed(_)));
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Stopping
    );
    world.run(30).await;
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Stopped
    );

    world.orchestrator.start(&graph_key()).await.unwrap();
    world.fleet.fail_times("remove", 3, unavailable("helm uninstall"));
    world.orchestrator.remove(&graph_key()).await.unwrap_err();
    world.run(30).await;
    nothing_left(&world).await;
}

#[tokio::test(flavor = "current_thread")]
async fn removal_from_a_dead_cluster_is_owed_and_told() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let lost = name(&world.at(NOISE).await[0]);
    world.fleet.kill(&lost);
    world.advance(10);
    let report = world.orchestrator.remove(&graph_key()).await.unwrap();
    assert!(
        matches!(report.service(NOISE), Some(StepResult::Removed { owed }) if *owed == [lost.clone()]),
        "{report}"
    );
    assert_eq!(world.fleet.copies(&key(NOISE)), std::slice::from_ref(&lost));
    world.fleet.restore(&lost);
    world.advance(20);
    nothing_left(&world).await;
}

#[tokio::test(flavor = "current_thread")]
async fn a_plan_for_another_world_is_refused() {
    let world = world();
    let plan = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap()
        .plan;
    let changes = world.orchestrator.diff(&plan).await.unwrap();
    world
        .orchestrator
        .apply_unless_changed(&plan, &changes)
        .await
        .unwrap();
    world.fleet.remove(&key(NOISE)).await.unwrap();
    let error = world
        .orchestrator
        .apply_unless_changed(&plan, &changes)
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"what runs has changed since these differences were computed; nothing was done");
    assert!(world.release(NOISE).await.is_none());
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Installing
    );
}

#[tokio::test(flavor = "current_thread")]
async fn one_long_operation_at_a_time_and_an_abandoned_one_is_carried_on() {
    // A timer of its own that never comes back: the operation hangs in its first wait and is dropped.
    #[derive(Debug)]
    struct Stuck(InMemoryFleet);
    impl Clock for Stuck {
        fn now(&self) -> jiff::Timestamp {
            self.0.clock().now()
        }
    }
    #[async_trait::async_trait]
    impl smo_core::backend::Timer for Stuck {
        async fn wait(&self, _: Duration) {
            std::future::pending::<()>().await;
        }
    }
    let world = world();
    let graph = brussels_with(EventCondition::Any, &["main-event"], &[DETECTION]);
    let stuck = Orchestrator::builder(world.fleet.clone(), Stuck(world.fleet.clone()))
        .with_store(world.store.clone())
        .build();
    let planner = planner();
    let operation = stuck.deploy(&graph, &planner);
    {
        let mut operation = Box::pin(operation);
        let waker = std::task::Waker::noop();
        let mut context = std::task::Context::from_waker(waker);
        assert!(operation.as_mut().poll(&mut context).is_pending());
        let error = world.orchestrator.stop(&graph_key()).await.unwrap_err();
        insta::assert_snapshot!(error, @"another operation on the graph `demo/image-detection-graph` goes on; it has until 1970-01-01T00:05:30Z");
    }
    // An alert that comes meanwhile is not lost.
    let label = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let alert = smo_core::backend::FiringAlert {
        labels: [
            label("alertname", &rule("main-event")),
            label("smo_project", "demo"),
            label("smo_graph", "image-detection-graph"),
            label("smo_service", VO),
        ]
        .into(),
        starts_at: world.clock().now(),
        fingerprint: "a1b2c3d4e5f60718".to_owned(),
    };
    let outcomes = world.orchestrator.on_alerts(&[alert.into()]).await.unwrap();
    assert!(
        matches!(outcomes.as_slice(), [AlertOutcome::Deferred(_)]),
        "{outcomes:?}"
    );
    assert!(
        world.release(NOISE).await.is_none(),
        "it was dropped before the second wave"
    );
    world.run(400).await;
    assert!(world.release(VO).await.unwrap().is_healthy());
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Running
    );
    world.orchestrator.stop(&graph_key()).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn no_placement_is_told_and_nothing_is_done() {
    let world = world();
    for cluster in ["m1", "m2", "m3"] {
        world.fleet.set_ready(&name(cluster), false);
    }
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    assert!(matches!(error, OrchestratorError::Plan(_)), "{error}");
    nothing_left(&world).await;
}

#[tokio::test(flavor = "current_thread")]
async fn one_unreadable_record_does_not_keep_reconcile_from_the_others() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let garbage = serde_json::json!({"from": "another version"});
    world
        .store
        .put("graph/a/b", garbage, smo_core::backend::Expect::Absent)
        .await
        .unwrap();
    world.fleet.remove(&key(NOISE)).await.unwrap();
    let report = world.reconcile().await;
    insta::assert_snapshot!(report.problems[0], @"read graph/a/b: it is stored in another form");
    world.advance(2);
    assert!(world.release(NOISE).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn a_store_that_fails_at_the_wrong_moment_is_told() {
    let world = world();
    world
        .fleet
        .fail_about("apply", &key(DETECTION).to_string(), broken_chart());
    world.store.fail_always("delete", unavailable("delete"));
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    assert!(
        matches!(error, OrchestratorError::NotRemembered { .. }),
        "{error}"
    );
    assert!(
        world
            .fleet
            .observe(&Scope::All)
            .await
            .unwrap()
            .releases
            .is_empty()
    );
}
