//! Every in-memory backend keeps the contract of its port, and the suites notice one that does not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rstest::rstest;
use serde_json::{Value, json};
use smo_core::backend::conformance::{
    self, ArtifactFixture, ChartFixture, InfrastructureFixture, MetricsFixture, OtherOwner, ReleaseFixture,
};
use smo_core::backend::memory::{
    Delays, InMemoryAlerts, InMemoryArtifacts, InMemoryCharts, InMemoryDashboards, InMemoryFleet,
    InMemoryInfrastructure, InMemoryMetrics, InMemoryStore, Scripted,
};
use smo_core::backend::{
    Applied, BackendError, ChartBackend, ClusterRequest, Document, ErrorKind, Expect, InstalledChart,
    ObservedReleases, ReleaseBackend, ReleaseName, Removed, Scope, StateStore,
};
use smo_core::cluster::{Cluster, Health, Inventory};
use smo_core::helm_values::HelmValues;
use smo_core::id::{Project, ServiceKey};
use smo_core::placement::Assignment;
use smo_core::plan::ReleaseSpec;
use smo_core::resources::{ResourceName, Resources};

fn fleet(delays: Delays) -> InMemoryFleet {
    let offered = Resources::new()
        .with(ResourceName::CPU, 8000)
        .with(ResourceName::PODS, 110);
    let cluster = |name: &str| Cluster::new(name.parse().unwrap(), offered.clone());
    InMemoryFleet::with_delays(Inventory::new(["m1", "m2"].map(cluster)), delays)
}

fn release_fixture() -> ReleaseFixture {
    ReleaseFixture {
        projects: ["p", "q"].map(|name| name.parse().unwrap()),
        graphs: ["g", "h"].map(|name| name.parse().unwrap()),
        service: "web".parse().unwrap(),
        chart: "oci://registry/p/web:1.0.0".to_owned(),
        values: json!({"clustersAffinity": ["m1"]})
            .as_object()
            .cloned()
            .unwrap()
            .into(),
        resources: Resources::new().with(ResourceName::CPU, 1000),
        clusters: ["m1", "m2"].map(|name| name.parse().unwrap()),
        unknown_cluster: "nosuch".parse().unwrap(),
        patience: Duration::from_secs(30),
    }
}

#[rstest]
#[case(Delays::measured())]
#[case(Delays::none())]
#[tokio::test(flavor = "current_thread")]
async fn the_in_memory_fleet(#[case] delays: Delays) {
    let fleet = fleet(delays);
    let fixture = release_fixture();
    conformance::clusters(&fleet, &fixture.clusters[0], &fixture.unknown_cluster)
        .await
        .unwrap();
    conformance::releases(&fleet, &fleet.clock(), &fixture)
        .await
        .unwrap();
    conformance::capacity(&fleet, &fleet, &fleet.clock(), &fixture)
        .await
        .unwrap();
    conformance::room(&fleet, &fleet.clock(), &fixture).await.unwrap();
    conformance::owners(&fleet, &fleet.clock(), &fixture, &Others(fleet.clone()))
        .await
        .unwrap();
    let image = ReleaseFixture {
        chart: "docker://registry/web:1".to_owned(),
        ..fixture
    };
    conformance::releases(&fleet, &fleet.clock(), &image)
        .await
        .unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn the_other_in_memory_backends() {
    conformance::store(&InMemoryStore::new()).await.unwrap();
    conformance::alerts(&InMemoryAlerts::new()).await.unwrap();
    conformance::dashboards(&InMemoryDashboards::new()).await.unwrap();

    let registry = InMemoryArtifacts::new();
    registry
        .add_chart("oci://registry/p/web:1.0.0", b"chart")
        .unwrap();
    registry
        .add_descriptor("oci://registry/p/graph:1.0.0", "hdaGraph: {}")
        .unwrap();
    let fixture = ArtifactFixture {
        chart: "oci://registry/p/web:1.0.0".to_owned(),
        descriptor: "oci://registry/p/graph:1.0.0".to_owned(),
        descriptor_text: "hdaGraph: {}".to_owned(),
        missing: "oci://registry/p/web:2.0.0".to_owned(),
    };
    conformance::artifacts(&registry, &fixture).await.unwrap();

    let metrics = InMemoryMetrics::new();
    let at = Timestamp::UNIX_EPOCH;
    metrics.record("rate", [("service", "web")], at, 0.0);
    metrics.record("ratio", [], at, f64::NAN);
    let fixture = MetricsFixture {
        present: "rate".to_owned(),
        absent: "nothing".to_owned(),
        not_a_number: Some("ratio".to_owned()),
        at,
    };
    conformance::metrics(&metrics, &fixture).await.unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn the_in_memory_infrastructure() {
    let fleet = fleet(Delays::measured());
    let fixture = InfrastructureFixture {
        request: ClusterRequest {
            name: "edge-9".parse().unwrap(),
            workers: 2,
            worker: Resources::new().with(ResourceName::CPU, 4000),
            site: None,
        },
        patience: Duration::from_secs(1200),
    };
    let infrastructure = InMemoryInfrastructure::new(fleet.clone());
    conformance::infrastructure(&infrastructure, &fleet.clock(), &fixture)
        .await
        .unwrap();
    assert!(!fleet.has(&fixture.request.name));

    infrastructure.break_work(fixture.request.name.clone(), "no floating IP left");
    let error = conformance::infrastructure(&infrastructure, &fleet.clock(), &fixture)
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @r#"InfrastructureBackend: a requested cluster is made; found Failed { message: "no floating IP left" } where Done is right"#);
}

fn helm_values(value: Value) -> HelmValues {
    value.as_object().cloned().unwrap().into()
}

fn installer() -> (InMemoryCharts, ChartFixture) {
    let charts = InMemoryCharts::new();
    charts.add_chart_with("oci://registry/p/web:1.0.0", "web-1.0.0", |release, values| {
        if !values.get("replicas").is_some_and(Value::is_u64) {
            return Err("replicas: Invalid type. Expected: integer".to_owned());
        }
        let metadata = json!({"name": release.name.as_str()});
        Ok(vec![
            json!({"kind": "Deployment", "metadata": metadata, "spec": values.to_json()}),
        ])
    });
    let fixture = ChartFixture {
        namespaces: ["p", "q"].map(|name| name.parse().unwrap()),
        name: "web".parse().unwrap(),
        chart: "oci://registry/p/web:1.0.0".to_owned(),
        missing_chart: "oci://registry/p/web:2.0.0".to_owned(),
        values: [
            helm_values(json!({"replicas": 1, "port": 80})),
            helm_values(json!({"replicas": 2})),
        ],
        refused: helm_values(json!({"replicas": "many"})),
    };
    (charts, fixture)
}

#[tokio::test(flavor = "current_thread")]
async fn the_in_memory_installer() {
    let (charts, fixture) = installer();
    conformance::charts(&charts, &fixture).await.unwrap();
}

/// An installer with one fault: it keeps values of earlier revisions, or leaves what a failed install made.
#[derive(Debug)]
struct BrokenInstaller {
    inner: InMemoryCharts,
    keeps_values: bool,
    leaves_failures: bool,
}

#[async_trait]
impl ChartBackend for BrokenInstaller {
    async fn apply(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<InstalledChart, BackendError> {
        let mut values = values.clone();
        if self.keeps_values
            && let Ok(earlier) = self.inner.values(release).await
        {
            for (key, value) in earlier.iter() {
                values.entry(key).or_insert_with(|| value.clone());
            }
        }
        let result = self.inner.apply(release, chart, &values).await;
        if self.leaves_failures && result.is_err() {
            let values = helm_values(json!({"replicas": 0}));
            self.inner
                .apply(release, "oci://registry/p/web:1.0.0", &values)
                .await?;
        }
        result
    }

    async fn rollback(&self, release: &ReleaseName, revision: u64) -> Result<InstalledChart, BackendError> {
        self.inner.rollback(release, revision).await
    }

    async fn uninstall(&self, release: &ReleaseName) -> Result<bool, BackendError> {
        self.inner.uninstall(release).await
    }

    async fn status(&self, release: &ReleaseName) -> Result<Option<InstalledChart>, BackendError> {
        self.inner.status(release).await
    }

    async fn list(&self, namespace: Option<&Project>) -> Result<Vec<InstalledChart>, BackendError> {
        self.inner.list(namespace).await
    }

    async fn values(&self, release: &ReleaseName) -> Result<HelmValues, BackendError> {
        self.inner.values(release).await
    }

    async fn render(
        &self,
        release: &ReleaseName,
        chart: &str,
        values: &HelmValues,
    ) -> Result<Vec<Value>, BackendError> {
        self.inner.render(release, chart, values).await
    }
}

#[rstest]
#[case(true, false, "values of an earlier revision are not kept")]
#[case(false, true, "a failed first install leaves nothing behind")]
#[tokio::test(flavor = "current_thread")]
async fn a_broken_installer_is_told_its_fault(
    #[case] keeps_values: bool,
    #[case] leaves_failures: bool,
    #[case] rule: &str,
) {
    let (inner, fixture) = installer();
    let broken = BrokenInstaller {
        inner,
        keeps_values,
        leaves_failures,
    };
    let error = conformance::charts(&broken, &fixture).await.unwrap_err();
    assert_eq!((error.port, error.rule), ("ChartBackend", rule), "{error}");
}

/// One way to get a port wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    HidesOwners,
    AlwaysChanged,
    RemoveTwiceFails,
    ScaleResetsValues,
    BelievesHealth,
    MixesProjects,
    AcceptsNowhere,
    RefusesLarge,
}

#[derive(Debug)]
struct BrokenFleet(InMemoryFleet, Fault);

#[async_trait]
impl ReleaseBackend for BrokenFleet {
    async fn apply(&self, spec: &ReleaseSpec) -> Result<Applied, BackendError> {
        if self.1 == Fault::RefusesLarge && spec.resources.cpu().millicores() > 1_000_000 {
            return Err(BackendError::new(ErrorKind::Invalid, "install", "too large"));
        }
        match self.0.apply(spec).await {
            Ok(applied) if self.1 == Fault::AlwaysChanged => Ok(Applied {
                changed: true,
                ..applied
            }),
            Err(error) if self.1 == Fault::AcceptsNowhere && error.kind() == ErrorKind::Invalid => {
                Ok(Applied {
                    revision: 1,
                    changed: true,
                })
            }
            result => result,
        }
    }

    async fn remove(&self, service: &ServiceKey) -> Result<Removed, BackendError> {
        let removed = self.0.remove(service).await?;
        if self.1 == Fault::RemoveTwiceFails && !removed.existed {
            return Err(BackendError::new(
                ErrorKind::NotFound,
                "uninstall",
                "release: not found",
            ));
        }
        Ok(removed)
    }

    async fn scale(&self, service: &ServiceKey, assignment: &Assignment) -> Result<(), BackendError> {
        self.0.scale(service, assignment).await
    }

    async fn observe(&self, scope: &Scope) -> Result<ObservedReleases, BackendError> {
        let scope = if self.1 == Fault::MixesProjects {
            &Scope::All
        } else {
            scope
        };
        let mut observed = self.0.observe(scope).await?;
        for release in observed.releases.values_mut() {
            match self.1 {
                Fault::BelievesHealth => {
                    release
                        .clusters
                        .values_mut()
                        .for_each(|at| at.health = Health::Healthy);
                }
                Fault::HidesOwners => release.owners.clear(),
                Fault::ScaleResetsValues if release.clusters.values().any(|at| at.desired > 1) => {
                    release.values = smo_core::helm_values::HelmValues::default();
                }
                _ => {}
            }
        }
        Ok(observed)
    }
}

#[rstest]
#[case(Fault::AlwaysChanged, "applying the same again changes nothing")]
#[case(Fault::RemoveTwiceFails, "removing what is not there succeeds")]
#[case(Fault::ScaleResetsValues, "scaling keeps the values")]
#[case(
    Fault::BelievesHealth,
    "a release that no cluster can take is Degraded with a message"
)]
#[case(Fault::MixesProjects, "a scope holds its releases and no others")]
#[case(Fault::AcceptsNowhere, "a decided target without clusters is Invalid")]
#[tokio::test(flavor = "current_thread")]
async fn a_broken_release_backend_is_told_its_fault(#[case] fault: Fault, #[case] rule: &str) {
    let fleet = fleet(Delays::measured());
    let broken = BrokenFleet(fleet.clone(), fault);
    let error = conformance::releases(&broken, &fleet.clock(), &release_fixture())
        .await
        .unwrap_err();
    assert_eq!((error.port, error.rule), ("ReleaseBackend", rule), "{error}");
}

#[rstest]
#[case(
    Fault::BelievesHealth,
    "what finds no room is observed where it should be, and is not Healthy"
)]
#[case(Fault::RefusesLarge, "what is too large is accepted")]
#[tokio::test(flavor = "current_thread")]
async fn a_release_backend_that_counts_room_otherwise_is_told(#[case] fault: Fault, #[case] rule: &str) {
    let fleet = fleet(Delays::measured());
    let broken = BrokenFleet(fleet.clone(), fault);
    let error = conformance::room(&broken, &fleet.clock(), &release_fixture())
        .await
        .unwrap_err();
    assert_eq!((error.port, error.rule), ("ReleaseBackend", rule), "{error}");
}

/// A store without optimistic concurrency.
#[derive(Debug)]
struct CarelessStore(InMemoryStore);

#[async_trait]
impl StateStore for CarelessStore {
    async fn get(&self, key: &str) -> Result<Option<Document>, BackendError> {
        self.0.get(key).await
    }

    async fn put(&self, key: &str, value: Value, _expect: Expect) -> Result<u64, BackendError> {
        self.0.put(key, value, Expect::Anything).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, BackendError> {
        self.0.list(prefix).await
    }

    async fn delete(&self, key: &str, expect: Expect) -> Result<(), BackendError> {
        self.0.delete(key, expect).await
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_careless_store_is_told_its_fault() {
    let error = conformance::store(&CarelessStore(InMemoryStore::new()))
        .await
        .unwrap_err();
    insta::assert_snapshot!(error, @"StateStore: a document that exists is no new one: Conflict; found success: 2");
}

#[tokio::test(flavor = "current_thread")]
async fn a_failing_backend_is_no_conforming_one() {
    let dashboards = InMemoryDashboards::new();
    let refused = BackendError::new(ErrorKind::Unavailable, "list dashboards", "no route to host");
    dashboards.fail_always("list", refused);
    let error = conformance::dashboards(&dashboards).await.unwrap_err();
    insta::assert_snapshot!(error, @"DashboardBackend: dashboards can be listed; found unavailable error `list dashboards: no route to host`");
}

/// Somebody else on the fleet in memory.
#[derive(Debug)]
struct Others(InMemoryFleet);

#[async_trait]
impl OtherOwner for Others {
    async fn add_autoscaler(&self, service: &ServiceKey) -> Result<String, BackendError> {
        self.0.add_autoscaler(service, "HorizontalPodAutoscaler/web");
        Ok("HorizontalPodAutoscaler/web".to_owned())
    }

    async fn remove_autoscaler(&self, service: &ServiceKey) -> Result<(), BackendError> {
        self.0.remove_autoscaler(service, "HorizontalPodAutoscaler/web");
        Ok(())
    }

    async fn edit_replicas(&self, service: &ServiceKey, replicas: u32) -> Result<(), BackendError> {
        self.0.edit_replicas(service, replicas);
        Ok(())
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_release_backend_that_hides_other_owners_is_told() {
    let fleet = fleet(Delays::measured());
    let broken = BrokenFleet(fleet.clone(), Fault::HidesOwners);
    let others = Others(fleet.clone());
    let error = conformance::owners(&broken, &fleet.clock(), &release_fixture(), &others)
        .await
        .unwrap_err();
    assert_eq!(error.rule, "an autoscaler of somebody else is an owner");
}
