//! The Brussels graph on a small fleet in memory.
#![allow(dead_code, reason = "every test binary uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use serde_json::json;
use smo_core::backend::memory::{InMemoryAlerts, InMemoryDashboards, InMemoryFleet, InMemoryStore};
use smo_core::backend::{BackendError, Clock, ErrorKind, ManualClock, ReleaseBackend, Scope};
use smo_core::cluster::{Cluster, Inventory, ObservedRelease, Price};
use smo_core::graph::{
    Amount, ApplicationGraph, ComputeIntent, EventCondition, Implementer, LatencyClass, Link, Service,
    Trigger, TriggerEvent,
};
use smo_core::id::{ClusterName, GraphKey, Project, ServiceKey};
use smo_core::orchestrator::{Orchestrator, Patience, ReconcileReport};
use smo_core::plan::Planner;
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::Money;

pub(crate) const VO: &str = "image-compression-vo";
pub(crate) const NOISE: &str = "noise-reduction";
pub(crate) const DETECTION: &str = "image-detection";

pub(crate) struct World {
    pub(crate) fleet: InMemoryFleet,
    pub(crate) alerts: InMemoryAlerts,
    pub(crate) dashboards: InMemoryDashboards,
    pub(crate) store: InMemoryStore,
    pub(crate) orchestrator: Orchestrator,
}

/// m1 and m2 have room for one of the two big services each and are cheap; m3 has room for everything and is dear.
pub(crate) fn fleet() -> InMemoryFleet {
    let cluster = |(name, millicores, price): (&str, u64, &str)| {
        let offered = Resources::new()
            .with(ResourceName::CPU, millicores)
            .with(ResourceName::MEMORY, 64 << 30);
        let price = Price::free().with(ResourceName::CPU, Money::parse_decimal(price).unwrap());
        Cluster {
            price,
            ..Cluster::new(name.parse().unwrap(), offered)
        }
    };
    InMemoryFleet::new(Inventory::new(
        [("m1", 1500, "0.01"), ("m2", 1500, "0.02"), ("m3", 16_000, "0.10")].map(cluster),
    ))
}

pub(crate) fn world() -> World {
    world_on(fleet())
}

pub(crate) fn world_on(fleet: InMemoryFleet) -> World {
    let (alerts, dashboards, store) = (
        InMemoryAlerts::new(),
        InMemoryDashboards::new(),
        InMemoryStore::new(),
    );
    let orchestrator = Orchestrator::builder(fleet.clone(), fleet.clock())
        .with_alerts(alerts.clone())
        .with_dashboards(dashboards.clone())
        .with_store(store.clone())
        .build();
    World {
        fleet,
        alerts,
        dashboards,
        store,
        orchestrator,
    }
}

impl World {
    pub(crate) fn clock(&self) -> ManualClock {
        self.fleet.clock()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.fleet.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn reconcile(&self) -> ReconcileReport {
        self.orchestrator.reconcile(self.clock().now()).await.unwrap()
    }

    /// Does what a host does, for a while.
    pub(crate) async fn run(&self, seconds: u64) {
        let end = self.clock().now() + Duration::from_secs(seconds);
        while self.clock().now() < end {
            let next = self.reconcile().await.next.min(end);
            let pause = Duration::try_from(next.duration_since(self.clock().now())).unwrap_or_default();
            self.clock().advance(pause.max(Duration::from_millis(1)));
        }
    }

    pub(crate) async fn release(&self, service: &str) -> Option<ObservedRelease> {
        self.fleet
            .observe(&Scope::All)
            .await
            .unwrap()
            .releases
            .remove(&key(service))
    }

    /// Where a service runs.
    pub(crate) async fn at(&self, service: &str) -> Vec<String> {
        let release = self.release(service).await;
        release
            .into_iter()
            .flat_map(|release| release.clusters.into_keys())
            .map(|name| name.to_string())
            .collect()
    }

    /// Which clusters import a service, by the values of its release.
    pub(crate) async fn imported_in(&self, service: &str) -> Vec<String> {
        let values = self.release(service).await.unwrap().values.to_json();
        let list = if service == VO {
            &values["voChartOverwrite"]
        } else {
            &values
        }["serviceImportClusters"]
            .clone();
        serde_json::from_value(list).unwrap()
    }

    /// One line for each service: `name state`.
    pub(crate) async fn states(&self) -> Vec<String> {
        let status = self.orchestrator.status(&graph_key()).await.unwrap();
        status
            .services
            .iter()
            .map(|(id, service)| format!("{id} {}", service.state))
            .collect()
    }
}

pub(crate) fn name(text: &str) -> ClusterName {
    text.parse().unwrap()
}

pub(crate) fn project() -> Project {
    "demo".parse().unwrap()
}

pub(crate) fn graph_key() -> GraphKey {
    GraphKey::new(project(), "image-detection-graph".parse().unwrap())
}

pub(crate) fn key(service: &str) -> ServiceKey {
    graph_key().service(service.parse().unwrap())
}

pub(crate) fn rule(event: &str) -> String {
    format!("demo.image-detection-graph.{VO}.{event}")
}

pub(crate) fn planner() -> Planner {
    Planner::new().with_project(project())
}

/// Three services in a chain: the virtual object calls noise reduction, which calls image detection.
pub(crate) fn brussels() -> ApplicationGraph {
    brussels_with(EventCondition::Any, &["main-event"], &[])
}

pub(crate) fn brussels_with(
    condition: EventCondition,
    events: &[&str],
    noise_after: &[&str],
) -> ApplicationGraph {
    let event = |id: &&str| TriggerEvent {
        id: (*id).to_owned(),
        sources: Vec::new(),
        prom_query: "absent(up{prometheus=\"kc1/kube-prometheus-operator\"})".to_owned(),
        grace_period: "2m".parse().unwrap(),
        description: Some("High vo-metric".to_owned()),
    };
    let service = |id: &str, cpu: &str| {
        let mut service = Service::new(
            id.parse().unwrap(),
            format!("oci://127.0.0.1:5000/test/{id}:1.0.0"),
        );
        service.compute = ComputeIntent {
            cpu: Some(Amount::class(cpu)),
            ..ComputeIntent::default()
        };
        service
    };
    let mut vo = service(VO, "light");
    vo.trigger = Trigger::Event {
        condition,
        events: events.iter().map(event).collect(),
    };
    vo.artifact.implementer = Implementer::Wot;
    vo.artifact
        .values
        .insert("voChartOverwrite".to_owned(), json!({}));
    let mut noise = service(NOISE, "small");
    noise.trigger = Trigger::Auto {
        dependencies: noise_after.iter().map(|id| id.parse().unwrap()).collect(),
    };
    let link = |from: &str, to: &str| Link {
        from: from.parse().unwrap(),
        to: to.parse().unwrap(),
        latency: LatencyClass::BestEffort,
    };
    let services = [vo, noise, service(DETECTION, "small")];
    ApplicationGraph::new(
        "image-detection-graph".parse().unwrap(),
        services,
        [link(VO, NOISE), link(NOISE, DETECTION)],
    )
    .unwrap()
}

pub(crate) fn unavailable(operation: &str) -> BackendError {
    BackendError::new(
        ErrorKind::Unavailable,
        operation,
        "dial tcp 127.0.0.1:5443: connection refused",
    )
}

pub(crate) fn quick() -> Patience {
    Patience {
        degraded: Duration::from_secs(3),
        ..Patience::default()
    }
}
