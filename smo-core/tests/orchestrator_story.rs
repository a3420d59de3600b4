//! The main job: the Brussels graph from nothing to running, through a lost cluster, a stop, and to its end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod orchestrator_support;

use orchestrator_support::*;
use smo_core::backend::memory::Scripted;
use smo_core::backend::{Clock, ReleaseBackend, Scope, StateStore};
use smo_core::cluster::Headroom;
use smo_core::graph::{Amount, ApplicationGraph, EventCondition, Service};
use smo_core::orchestrator::{Advice, AlertOutcome, GraphState, Orchestrator, OrchestratorError, StepResult};
use smo_core::placement::Assignment;
use smo_core::plan::Planner;

#[tokio::test(flavor = "current_thread")]
async fn from_nothing_to_running() {
    let world = world();
    let begin = world.clock().now();
    let deployment = world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    insta::assert_snapshot!(deployment.report, @"
    demo/image-detection-graph  plan a5b31061
      wave 1  image-compression-vo                               waits for its alert
      wave 1  noise-reduction                                    done
      wave 1  image-detection                                    done
      wave 2  alert rules smo.demo.image-detection-graph         done
      wave 2  dashboard smo-image-detection-grap-7b741b80dc8f1d  done
      wave 2  dashboard smo-image-compression-vo-09ecbe9a125269  done
      wave 2  dashboard smo-noise-reduction-9e700af87daf22       done
      wave 2  dashboard smo-image-detection-139c00c5932ea3       done
    ");
    assert!(
        world.clock().now().duration_since(begin).as_secs_f64() < 5.0,
        "simulated seconds"
    );
    let status = world.orchestrator.status(&graph_key()).await.unwrap();
    insta::assert_snapshot!(status, @"
    demo/image-detection-graph  running  plan a5b31061
      image-compression-vo  -             waits for the alert demo.image-detection-graph.image-compression-vo.main-event
      noise-reduction       m1 1/1        running
      image-detection       m2 1/1        running
    ");
    assert_eq!(status.state, GraphState::Running);
    assert!(world.release(VO).await.is_none());
    assert_eq!(world.dashboards.calls_of("write").len(), 4);

    world
        .alerts
        .fire(&rule("main-event"), world.clock().now())
        .unwrap();
    let report = world.reconcile().await;
    assert!(matches!(report.alerts.as_slice(), [AlertOutcome::Started(service)] if *service == key(VO)));
    world.advance(1);
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Running
    );
    assert!(world.release(VO).await.unwrap().is_healthy());
    assert_eq!(
        world.imported_in(NOISE).await,
        world.at(VO).await,
        "the caller can reach its provider"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn deploying_twice_is_refused_and_applying_twice_changes_nothing() {
    let world = world();
    let deployment = world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let error = world
        .orchestrator
        .deploy(&brussels(), &planner())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a graph `demo/image-detection-graph` is deployed already"
    );
    world.fleet.forget_calls();
    let report = world.orchestrator.apply(&deployment.plan).await.unwrap();
    assert!(
        matches!(report.service(NOISE), Some(StepResult::Kept)),
        "{report}"
    );
    assert!(
        matches!(report.service(VO), Some(StepResult::Waiting)),
        "{report}"
    );
    assert!(world.fleet.calls_of("apply").is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn a_lost_cluster_is_advised_replanned_and_cleaned_up_when_it_returns() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let lost = world.at(NOISE).await.remove(0);
    let detection = world.at(DETECTION).await;
    assert_ne!(detection[0], lost);
    world.fleet.kill(&name(&lost));
    world.advance(7);
    let status = world.orchestrator.status(&graph_key()).await.unwrap();
    assert_eq!(status.state, GraphState::Unknown);
    insta::assert_snapshot!(world.states().await[1], @"noise-reduction unknown: m1 is not ready since 1970-01-01T00:00:07.35Z (ClusterNotReachable)");
    let advice = world.reconcile().await.advice;
    assert_eq!(
        advice,
        [Advice::Replan {
            graph: graph_key(),
            clusters: [name(&lost)].into()
        }]
    );
    assert_eq!(world.at(NOISE).await[0], lost, "advice moves nothing");

    let deployment = world.orchestrator.replan(&brussels(), &planner()).await.unwrap();
    assert!(
        matches!(deployment.report.service(VO), Some(StepResult::Waiting)),
        "{}",
        deployment.report
    );
    let moved = world.at(NOISE).await;
    assert_ne!(moved[0], lost);
    assert_eq!(world.at(DETECTION).await, detection, "what is right stays");
    assert_eq!(
        world.imported_in(DETECTION).await,
        moved,
        "the provider is imported where its caller went"
    );
    assert_eq!(world.release(DETECTION).await.unwrap().revision, 2);
    let status = world.orchestrator.status(&graph_key()).await.unwrap();
    assert_eq!(status.state, GraphState::Running);
    assert_eq!(status.leftovers.len(), 1, "{status}");

    world.fleet.restore(&name(&lost));
    world.advance(20);
    let status = world.orchestrator.status(&graph_key()).await.unwrap();
    assert_eq!((status.state, status.leftovers.len()), (GraphState::Running, 0));
    assert_eq!(world.fleet.copies(&key(NOISE)), [name(&moved[0])]);
    let again = world.orchestrator.replan(&brussels(), &planner()).await.unwrap();
    assert_eq!(
        again.plan.placement().get(&key(DETECTION)),
        deployment.plan.placement().get(&key(DETECTION))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_scaled_service_keeps_its_replicas() {
    let world = world();
    world.fleet.drain(&name("m1"));
    world.fleet.drain(&name("m2"));
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let scaled = Assignment::single(name("m3"), 3);
    world.orchestrator.scale(&key(DETECTION), &scaled).await.unwrap();
    let replicas = || async {
        let release = world.release(DETECTION).await.unwrap();
        release.clusters.values().map(|at| at.desired).sum::<u32>()
    };
    world.advance(2);
    let mut plan = world
        .orchestrator
        .replan(&brussels(), &planner())
        .await
        .unwrap()
        .plan;
    assert_eq!(replicas().await, 3, "a re-placement keeps it");
    plan.services[DETECTION].release.chart = "oci://127.0.0.1:5000/test/image-detection:2.0.0".to_owned();
    world.orchestrator.apply(&plan).await.unwrap();
    assert_eq!(replicas().await, 3, "an upgrade keeps it");
    assert_eq!(world.release(DETECTION).await.unwrap().revision, 2);
    world.run(60).await;
    assert_eq!(replicas().await, 3, "reconciling keeps it");
    let missing = world.orchestrator.scale(&key(VO), &scaled).await.unwrap_err();
    assert_eq!(
        missing.to_string(),
        format!("the service `{}` is not installed", key(VO))
    );
}

#[tokio::test(flavor = "current_thread")]
async fn stop_start_remove() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    world
        .alerts
        .fire(&rule("main-event"), world.clock().now())
        .unwrap();
    world.reconcile().await;
    world.advance(1);
    let ran_at = [world.at(VO).await, world.at(NOISE).await];

    let error = world.orchestrator.start(&graph_key()).await.unwrap_err();
    assert!(matches!(error, OrchestratorError::NotStopped(_)));
    insta::assert_snapshot!(world.orchestrator.stop(&graph_key()).await.unwrap(), @"
    demo/image-detection-graph  plan a5b31061
      wave 1  alert rules smo.demo.image-detection-graph  removed
      wave 2  image-detection                             removed
      wave 2  noise-reduction                             removed
      wave 2  image-compression-vo                        removed
    ");
    assert!(
        world
            .fleet
            .observe(&Scope::All)
            .await
            .unwrap()
            .releases
            .is_empty()
    );
    assert!(world.alerts.group("smo.demo.image-detection-graph").is_none());
    assert_eq!(
        world.orchestrator.status(&graph_key()).await.unwrap().state,
        GraphState::Stopped
    );
    let error = world
        .orchestrator
        .replan(&brussels(), &planner())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the graph `demo/image-detection-graph` is stopped"
    );
    world.run(120).await;
    assert!(
        world
            .fleet
            .observe(&Scope::All)
            .await
            .unwrap()
            .releases
            .is_empty(),
        "stopped stays stopped"
    );

    world.orchestrator.start(&graph_key()).await.unwrap();
    assert_eq!(
        [world.at(VO).await, world.at(NOISE).await],
        ran_at,
        "what ran runs again"
    );
    assert!(world.alerts.group("smo.demo.image-detection-graph").is_some());

    world.orchestrator.remove(&graph_key()).await.unwrap();
    world.advance(1);
    assert_nothing_left(&world).await;
    let error = world.orchestrator.remove(&graph_key()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "no graph `demo/image-detection-graph` is deployed"
    );
    assert!(world.orchestrator.status(&graph_key()).await.is_err());
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
}

async fn assert_nothing_left(world: &World) {
    use smo_core::backend::{AlertBackend, ClusterBackend, DashboardBackend};
    let observed = world.fleet.observe(&Scope::All).await.unwrap();
    assert!(
        observed.releases.is_empty() && observed.leftovers.is_empty(),
        "{observed:?}"
    );
    assert!(world.alerts.groups().await.unwrap().is_empty());
    assert!(world.dashboards.list().await.unwrap().is_empty());
    assert!(world.store.list("").await.unwrap().is_empty());
    let inventory = world.fleet.inventory().await.unwrap();
    assert!(
        inventory
            .clusters
            .values()
            .all(|cluster| cluster.allocated.is_empty())
    );
}

#[tokio::test(flavor = "current_thread")]
async fn two_projects_with_the_same_names_do_not_meet() {
    let world = world();
    let other = || Planner::new().with_project("other".parse().unwrap());
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let second = world.orchestrator.deploy(&brussels(), &other()).await.unwrap();
    assert_eq!(world.orchestrator.graphs().await.unwrap().len(), 2);
    assert_eq!(world.fleet.observe(&Scope::All).await.unwrap().releases.len(), 4);
    world
        .alerts
        .fire(&rule("main-event"), world.clock().now())
        .unwrap();
    world.reconcile().await;
    assert!(world.release(VO).await.is_some());
    let services = world
        .fleet
        .observe(&Scope::Graph(second.plan.graph.clone()))
        .await
        .unwrap()
        .releases;
    assert_eq!(services.len(), 2, "the other project's virtual object waits");
    world.orchestrator.remove(&graph_key()).await.unwrap();
    world.advance(1);
    assert_eq!(
        world.orchestrator.status(&second.plan.graph).await.unwrap().state,
        GraphState::Running
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_service_starts_after_those_it_depends_on() {
    let world = world();
    let graph = brussels_with(EventCondition::Any, &["main-event"], &[DETECTION]);
    world.orchestrator.deploy(&graph, &planner()).await.unwrap();
    let order = world.fleet.calls_of("apply");
    assert_eq!(order, [key(DETECTION).to_string(), key(NOISE).to_string()]);
    // The wave began only when the one before was healthy: many looks lie between the two.
    let calls = world.fleet.calls();
    let place = |service: &str| {
        calls
            .iter()
            .position(|call| call.operation == "apply" && call.subject == key(service).to_string())
            .unwrap()
    };
    let looks = calls[place(DETECTION)..place(NOISE)]
        .iter()
        .filter(|call| call.operation == "observe")
        .count();
    assert!(looks >= 2, "{calls:?}");
}

#[tokio::test(flavor = "current_thread")]
async fn another_orchestrator_carries_on_from_the_store() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    let second = Orchestrator::builder(world.fleet.clone(), world.clock())
        .with_alerts(world.alerts.clone())
        .with_store(world.store.clone())
        .build();
    assert_eq!(
        second.status(&graph_key()).await.unwrap().state,
        GraphState::Running
    );
    world.fleet.remove(&key(NOISE)).await.unwrap();
    let report = second.reconcile(world.clock().now()).await.unwrap();
    assert_eq!(
        report
            .steps
            .iter()
            .filter(|(_, step)| matches!(step.result, StepResult::Done))
            .count(),
        1
    );
    world.advance(1);
    assert!(
        world.release(NOISE).await.unwrap().is_healthy(),
        "what was removed behind its back is back"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_a_waiting_service_will_take_is_left_free_by_other_graphs() {
    let world = world();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    // 500m are free on m1 and on m2, and the virtual object will take those of one of them.
    let mut taken = Vec::new();
    for id in ["one", "two"] {
        let mut service = Service::new(id.parse().unwrap(), "oci://registry/demo/light:1.0.0");
        service.compute.cpu = Some(Amount::class("light"));
        let graph = ApplicationGraph::new(id.parse().unwrap(), [service], []).unwrap();
        let deployment = world.orchestrator.deploy(&graph, &planner()).await.unwrap();
        taken.push(deployment.plan.services[id].release.target.to_string());
    }
    assert_eq!(
        taken.iter().filter(|cluster| *cluster != "m3").count(),
        1,
        "{taken:?}"
    );
    world
        .alerts
        .fire(&rule("main-event"), world.clock().now())
        .unwrap();
    world.reconcile().await;
    world.advance(1);
    assert!(world.release(VO).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn a_headroom_of_the_host_is_kept_free() {
    let world = world();
    // Half of m1 and of m2 is 750m, less than either big service takes.
    let careful = Orchestrator::builder(world.fleet.clone(), world.clock())
        .with_headroom(Headroom::percent(50).unwrap())
        .build();
    careful.deploy(&brussels(), &planner()).await.unwrap();
    assert_eq!(world.at(NOISE).await, ["m3"]);
    assert_eq!(world.at(DETECTION).await, ["m3"]);
}
