//! Scaling by load, on a fleet in memory: counts follow the load, other owners are left alone, and what finds no room is
//! placed again.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod orchestrator_support;

use std::sync::Arc;
use std::time::Duration;

use orchestrator_support::{NOISE, World, brussels, fleet, key, planner};
use smo_core::backend::memory::{InMemoryMetrics, Scripted};
use smo_core::backend::{BackendError, Clock, ErrorKind};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::orchestrator::{
    Autoscaler, LoadForecast, Orchestrator, OrchestratorError, ScaledService, ScalingReport, ScalingTrouble,
};
use smo_core::scaling::{ScalingAction, ScalingController, ScalingPolicy, SeasonalNaive, Throughput};

const LOAD: &str = "sum(rate(requests_total{service=\"noise-reduction\"}[1m]))";

struct Scene {
    world: World,
    metrics: InMemoryMetrics,
}

/// Noise reduction takes one core and carries 10 req/s a replica; m1 and m2 have room for one replica, m3 for many.
async fn scene() -> Scene {
    let mut world = orchestrator_support::world_on(fleet());
    let metrics = InMemoryMetrics::new();
    world.orchestrator = Orchestrator::builder(world.fleet.clone(), world.fleet.clock())
        .with_metrics(metrics.clone())
        .with_store(world.store.clone())
        .build();
    world.orchestrator.deploy(&brussels(), &planner()).await.unwrap();
    Scene { world, metrics }
}

fn service() -> ServiceKey {
    key(NOISE)
}

fn scaled() -> ScaledService {
    ScaledService::new(LOAD, Throughput::new(10.0, 0.0).unwrap(), 6)
}

fn autoscaler(scaled: ScaledService) -> Autoscaler {
    let policy = ScalingPolicy {
        down_window: Duration::from_secs(60),
        ..ScalingPolicy::default()
    };
    Autoscaler::new("demo", ScalingController::new(policy).unwrap()).with_service(service(), scaled)
}

impl Scene {
    /// Where noise reduction should run now.
    async fn clusters(&self) -> Vec<(ClusterName, u32)> {
        let observed = self.world.orchestrator.observe(&service().graph).await.unwrap();
        let clusters = &observed.releases[&service()].clusters;
        clusters
            .iter()
            .map(|(name, at)| (name.clone(), at.desired))
            .collect()
    }

    async fn replicas(&self) -> u32 {
        self.clusters().await.iter().map(|(_, count)| count).sum()
    }

    /// Lets a minute pass, measures this load, and takes a step.
    async fn step(&self, autoscaler: &Autoscaler, load: Option<f64>) -> ScalingReport {
        self.world.fleet.advance(Duration::from_secs(60));
        let now = self.world.fleet.clock().now();
        self.metrics.record(LOAD, [], now, load.unwrap_or(f64::NAN));
        let report = self.world.orchestrator.autoscale(autoscaler, now).await.unwrap();
        assert!(report.scaled.iter().all(|(_, result)| result.is_ok()), "{report}");
        assert_eq!(report.absent, []);
        self.world.fleet.advance(Duration::from_secs(5));
        report
    }

    fn said(report: &ScalingReport) -> String {
        report.to_string()
    }
}

/// Puts noise reduction where there is room for many.
async fn roomy(scene: &Scene) {
    let assignment = smo_core::placement::Assignment::single("m3".parse().unwrap(), 1);
    scene
        .world
        .orchestrator
        .scale(&service(), &assignment)
        .await
        .unwrap();
    scene.world.fleet.advance(Duration::from_secs(5));
}

#[tokio::test]
async fn counts_follow_the_load_and_missing_samples_hold_them() {
    let scene = scene().await;
    roomy(&scene).await;
    let autoscaler = autoscaler(scaled());
    let report = scene.step(&autoscaler, Some(35.0)).await;
    assert_eq!(report.step.action(), ScalingAction::Scale);
    assert_eq!(scene.replicas().await, 4);
    // Nothing measured is not no load.
    let report = scene.step(&autoscaler, None).await;
    assert_eq!(
        (report.step.action(), scene.replicas().await),
        (ScalingAction::Hold, 4)
    );
    assert!(
        Scene::said(&report).contains("which does not mean no load"),
        "{report}"
    );
    let report = scene.step(&autoscaler, Some(-3.0)).await;
    assert!(
        matches!(&report.troubles[..], [ScalingTrouble::NoRate { value, .. }] if *value == -3.0),
        "{report}"
    );
    assert_eq!(scene.replicas().await, 4);
    scene.step(&autoscaler, Some(12.0)).await;
    scene.step(&autoscaler, Some(12.0)).await;
    assert_eq!(scene.replicas().await, 2);
    // Metrics that do not answer hold the count too.
    let down = BackendError::new(ErrorKind::Unavailable, "query", "no answer");
    scene.metrics.fail_next("query", down);
    let report = scene.step(&autoscaler, Some(55.0)).await;
    assert!(
        matches!(&report.troubles[..], [ScalingTrouble::Metrics { .. }]),
        "{report}"
    );
    assert_eq!(scene.replicas().await, 2);
    // The count that was reached outlives a reconciliation.
    let now = scene.world.fleet.clock().now();
    scene.world.orchestrator.reconcile(now).await.unwrap();
    assert_eq!(scene.replicas().await, 2);
}

#[tokio::test]
async fn an_autoscaler_of_somebody_else_and_a_person_are_seen_and_left_alone() {
    let scene = scene().await;
    roomy(&scene).await;
    let autoscaler = autoscaler(scaled());
    scene
        .world
        .fleet
        .add_autoscaler(&service(), "FederatedHPA/noise-reduction");
    let report = scene.step(&autoscaler, Some(35.0)).await;
    assert_eq!(
        (report.step.action(), scene.replicas().await),
        (ScalingAction::Hold, 1)
    );
    assert!(
        Scene::said(&report)
            .contains("held: FederatedHPA/noise-reduction sets this count; remove one of the two"),
        "{report}"
    );
    scene
        .world
        .fleet
        .remove_autoscaler(&service(), "FederatedHPA/noise-reduction");
    scene.step(&autoscaler, Some(35.0)).await;
    assert_eq!(scene.replicas().await, 4);
    scene.step(&autoscaler, Some(35.0)).await;
    scene.world.fleet.edit_replicas(&service(), 6);
    let report = scene.step(&autoscaler, Some(35.0)).await;
    assert_eq!(
        (report.step.action(), scene.replicas().await),
        (ScalingAction::Hold, 6)
    );
    assert!(
        Scene::said(&report).contains("somebody else changed 4 to 6; left so until"),
        "{report}"
    );
}

#[tokio::test]
async fn a_load_that_does_not_fit_leads_to_another_place() {
    let scene = scene().await;
    let before = scene.clusters().await;
    assert_ne!(before, [("m3".parse().unwrap(), 1)], "{before:?}");
    // Without the graph, the host is told.
    let told = scene.step(&autoscaler(scaled()), Some(35.0)).await;
    assert_eq!(told.step.action(), ScalingAction::Replace);
    assert!(told.replaced.is_empty());
    assert!(
        Scene::said(&told).contains("noise-reduction lacks 3 of 4 replicas"),
        "{told}"
    );
    assert_eq!(scene.clusters().await, before);

    let autoscaler = autoscaler(scaled()).with_graph(brussels(), planner());
    let report = scene.step(&autoscaler, Some(35.0)).await;
    assert!(
        matches!(&report.replaced[..], [(graph, Ok(_))] if *graph == service().graph),
        "{report}"
    );
    assert_eq!(scene.clusters().await, [("m3".parse().unwrap(), 1)]);
    let report = scene.step(&autoscaler, Some(35.0)).await;
    assert_eq!(report.step.action(), ScalingAction::Scale, "{report}");
    assert_eq!(scene.clusters().await, [("m3".parse().unwrap(), 4)]);
}

#[tokio::test]
async fn a_graph_that_fits_nowhere_is_tried_again_after_a_pause_only() {
    let scene = scene().await;
    let scaled = ScaledService::new(LOAD, Throughput::new(10.0, 0.0).unwrap(), 60);
    let autoscaler = autoscaler(scaled).with_graph(brussels(), planner());
    let report = scene.step(&autoscaler, Some(500.0)).await;
    assert!(
        matches!(&report.replaced[..], [(_, Err(OrchestratorError::Plan(_)))]),
        "{report}"
    );
    assert!(
        Scene::said(&report).contains("was not placed again: no placement for"),
        "{report}"
    );
    let report = scene.step(&autoscaler, Some(500.0)).await;
    assert_eq!(report.step.action(), ScalingAction::Replace);
    assert!(report.replaced.is_empty(), "{report}");
    for _ in 0..4 {
        assert!(scene.step(&autoscaler, Some(500.0)).await.replaced.len() <= 1);
    }
    let puts = scene.world.store.calls_of("put");
    assert!(puts.iter().any(|key| key == "scaling/demo"), "{puts:?}");
}

#[tokio::test]
async fn scale_to_zero_and_back() {
    let scene = scene().await;
    roomy(&scene).await;
    let policy = ScalingPolicy {
        idle_after: Some(Duration::from_secs(90)),
        ..ScalingPolicy::default()
    };
    let controller = ScalingController::new(policy).unwrap();
    let autoscaler = Autoscaler::new("zero", controller).with_service(service(), scaled());
    for _ in 0..3 {
        scene.step(&autoscaler, Some(0.0)).await;
    }
    assert_eq!(scene.clusters().await, [("m3".parse().unwrap(), 0)]);
    scene.step(&autoscaler, Some(12.0)).await;
    assert_eq!(scene.clusters().await, [("m3".parse().unwrap(), 2)]);
}

#[tokio::test]
async fn load_that_is_to_come_is_decided_for() {
    let scene = scene().await;
    roomy(&scene).await;
    // Ten minutes of 5 req/s, then ten of 35, again and again; the next minute belongs to the high ones.
    let start = scene.world.fleet.clock().now();
    for minute in 0..120 {
        let at = start + Duration::from_secs(60 * minute);
        scene
            .metrics
            .record(LOAD, [], at, if minute / 10 % 2 == 0 { 5.0 } else { 35.0 });
    }
    scene.world.fleet.advance(Duration::from_secs(60 * 109));
    let forecast = LoadForecast {
        model: Arc::new(SeasonalNaive::new(20)),
        step: Duration::from_secs(60),
        history: Duration::from_secs(60 * 109),
        ahead: Duration::from_secs(120),
        percent: 90,
    };
    let autoscaler = autoscaler(ScaledService {
        forecast: Some(forecast),
        ..scaled()
    });
    let now = scene.world.fleet.clock().now();
    let report = scene
        .world
        .orchestrator
        .autoscale(&autoscaler, now)
        .await
        .unwrap();
    assert!(
        Scene::said(&report).contains("5 req/s measured 0 s ago, 35 expected within 2 min (0.90 quantile)"),
        "{report}"
    );
    assert_eq!(report.step.changes().next().unwrap().1.replicas(), 4);
    // A history that is too short is said, and the sample decides.
    let hasty = autoscaler_of_short_history();
    let report = scene.world.orchestrator.autoscale(&hasty, now).await.unwrap();
    assert!(
        matches!(&report.troubles[..], [ScalingTrouble::Forecast { .. }]),
        "{report}"
    );
}

fn autoscaler_of_short_history() -> Autoscaler {
    let forecast = LoadForecast {
        model: Arc::new(SeasonalNaive::new(20)),
        step: Duration::from_secs(60),
        history: Duration::from_secs(300),
        ahead: Duration::from_secs(120),
        percent: 90,
    };
    let controller = ScalingController::new(ScalingPolicy::default()).unwrap();
    Autoscaler::new("hasty", controller).with_service(
        service(),
        ScaledService {
            forecast: Some(forecast),
            ..scaled()
        },
    )
}

#[tokio::test]
async fn what_does_not_run_is_not_decided() {
    let scene = scene().await;
    let autoscaler = autoscaler(scaled());
    scene.world.orchestrator.stop(&service().graph).await.unwrap();
    let now = scene.world.fleet.clock().now();
    let report = scene
        .world
        .orchestrator
        .autoscale(&autoscaler, now)
        .await
        .unwrap();
    assert_eq!(report.absent, [service()]);
    assert_eq!(report.step.action(), ScalingAction::Hold);
    let earlier = now - Duration::from_secs(1);
    let refused = scene.world.orchestrator.autoscale(&autoscaler, earlier).await;
    assert!(matches!(refused, Err(OrchestratorError::Scaling(_))));
}
