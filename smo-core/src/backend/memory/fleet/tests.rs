//! Each test is one line of what the real Karmada was seen to do.

use super::*;
use crate::backend::{ClusterBackend, ErrorKind, Leftover, ReleaseBackend, ReleaseBackendExt, Scope};
use crate::cluster::ObservedRelease;
use crate::placement::Assignment;
use crate::plan::{ReleaseSpec, Target};
use crate::resources::{ResourceName, Resources};

fn name(text: &str) -> ClusterName {
    text.parse().unwrap()
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// Three clusters of 24 cores, as the testbed has them.
fn fleet() -> InMemoryFleet {
    let cluster = |text| Cluster::new(name(text), Resources::new().with(ResourceName::CPU, 24_000));
    InMemoryFleet::new(Inventory::new(["m1", "m2", "m3"].map(cluster)))
}

fn spec(service: &str, parts: &[(&str, u32)]) -> ReleaseSpec {
    ReleaseSpec {
        service: service.parse().unwrap(),
        chart: "oci://registry/p/web:1.0.0".to_owned(),
        values: crate::helm_values::HelmValues::default(),
        target: Target::Clusters(
            parts
                .iter()
                .map(|(cluster, replicas)| (name(cluster), *replicas))
                .collect(),
        ),
        resources: Resources::new().with(ResourceName::CPU, 1000),
    }
}

fn places(release: &ObservedRelease) -> Vec<(&str, u32, u32, Health)> {
    release
        .clusters
        .iter()
        .map(|(cluster, at)| (cluster.as_str(), at.desired, at.ready, at.health))
        .collect()
}

#[tokio::test(flavor = "current_thread")]
async fn binding_running_healthy_as_measured() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 2), ("m2", 1)]);
    fleet.apply(&web).await.unwrap();
    let seen = |millis| {
        fleet.advance(ms(millis));
        let fleet = fleet.clone();
        let service = web.service.clone();
        async move {
            let release = fleet.release(&service).await.unwrap();
            let ready: u32 = release.clusters.values().map(|at| at.ready).sum();
            (
                ready,
                release.is_healthy(),
                fleet.inventory().await.unwrap().clusters["m1"]
                    .allocated
                    .cpu()
                    .millicores(),
            )
        }
    };
    assert_eq!(seen(359).await, (0, false, 0));
    assert_eq!(seen(1).await, (0, false, 2000), "bound after 0.36 s");
    assert_eq!(seen(480).await, (3, false, 2000), "running after 0.84 s");
    assert_eq!(seen(80).await, (3, true, 2000), "healthy after 0.92 s");
    let m3 = &fleet.inventory().await.unwrap().clusters["m3"];
    assert!(m3.allocated.is_empty(), "what nobody requests is not listed");
}

#[tokio::test(flavor = "current_thread")]
async fn a_move_ends_the_old_copy_after_the_new_decision() {
    let fleet = fleet();
    let mut web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    web.target = Target::Clusters(Assignment::single(name("m3"), 1));
    assert!(fleet.apply(&web).await.unwrap().changed);
    fleet.advance(ms(430));
    let leftovers = fleet.observe(&Scope::All).await.unwrap().leftovers;
    assert_eq!(
        leftovers,
        [Leftover {
            service: web.service.clone(),
            cluster: name("m1")
        }]
    );
    fleet.advance(ms(160));
    assert_eq!(fleet.observe(&Scope::All).await.unwrap().leftovers, []);
    fleet.advance(ms(400));
    assert_eq!(
        places(&fleet.release(&web.service).await.unwrap()),
        [("m3", 1, 1, Health::Healthy)]
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_dead_cluster_is_noticed_late_and_its_work_is_unknown_then() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    fleet.kill(&name("m1"));
    fleet.advance(ms(6399));
    assert!(
        fleet.release(&web.service).await.unwrap().is_healthy(),
        "nobody has noticed"
    );
    fleet.advance(ms(1));
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(places(&release), [("m1", 1, 1, Health::Unknown)]);
    insta::assert_snapshot!(release.clusters["m1"].message.clone().unwrap(), @"m1 is not ready since 1970-01-01T00:00:07.4Z (ClusterNotReachable)");
    assert_eq!(
        fleet.raw_health(&web.service)[&name("m1")],
        Health::Healthy,
        "the binding still says so"
    );
    let inventory = fleet.inventory().await.unwrap();
    assert_eq!(
        inventory.clusters["m1"].allocated.cpu().millicores(),
        1000,
        "it keeps its last report"
    );
    assert_eq!(inventory.ready().count(), 2);
    fleet.advance(Duration::from_secs(3600));
    assert_eq!(
        places(&fleet.release(&web.service).await.unwrap())[0].0,
        "m1",
        "nothing is re-placed"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_stale_copy_goes_ten_seconds_after_its_cluster_is_ready() {
    let fleet = fleet();
    let mut web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    fleet.kill(&name("m1"));
    fleet.advance(ms(7000));
    web.target = Target::Clusters(Assignment::single(name("m3"), 1));
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
    assert_eq!(fleet.copies(&web.service), [name("m1"), name("m3")]);
    fleet.restore(&name("m1"));
    fleet.advance(ms(14_999));
    assert!(
        fleet.inventory().await.unwrap().clusters["m1"]
            .readiness
            .is_ready()
    );
    assert_eq!(fleet.observe(&Scope::All).await.unwrap().leftovers.len(), 1);
    fleet.advance(ms(1));
    assert_eq!(fleet.observe(&Scope::All).await.unwrap().leftovers.len(), 0);
    assert_eq!(fleet.copies(&web.service), [name("m3")]);
}

#[tokio::test(flavor = "current_thread")]
async fn removal_is_owed_to_a_dead_cluster() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 1), ("m2", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    fleet.kill(&name("m1"));
    fleet.advance(ms(7000));
    let removed = fleet.remove(&web.service).await.unwrap();
    assert_eq!((removed.existed, removed.owed), (true, vec![name("m1")]));
    assert!(!fleet.remove(&web.service).await.unwrap().existed);
    fleet.advance(ms(280));
    assert_eq!(fleet.copies(&web.service), [name("m1")]);
    fleet.restore(&name("m1"));
    fleet.advance(ms(15_000));
    assert!(fleet.copies(&web.service).is_empty());
}

#[tokio::test(flavor = "current_thread")]
async fn what_finds_no_room_is_bound_and_waits_in_its_cluster() {
    let fleet = fleet();
    let big = spec("p/g/big", &[("m1", 20)]);
    let web = spec("p/g/web", &[("m1", 5)]);
    fleet.apply(&big).await.unwrap();
    fleet.advance(ms(1000));
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(5000));
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(places(&release), [("m1", 5, 4, Health::Progressing)]);
    assert_eq!(release.message, None, "the scheduler is content");
    insta::assert_snapshot!(release.clusters["m1"].message.clone().unwrap(), @"1 of 5 replicas find no room in m1; each asks for 1 core");
    let m1 = &fleet.inventory().await.unwrap().clusters["m1"];
    assert_eq!(
        m1.allocated.cpu().millicores(),
        25_000,
        "what waits is counted, too"
    );
    fleet.remove(&big.service).await.unwrap();
    fleet.advance(ms(2000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn what_is_scaled_to_zero_is_in_no_cluster_and_passes_the_filters_anew() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 2)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    fleet.scale(&web.service, &Assignment::default()).await.unwrap();
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(
        places(&release),
        [("m1", 0, 0, Health::Progressing)],
        "not decided yet"
    );
    fleet.advance(ms(1000));
    assert!(fleet.copies(&web.service).is_empty());
    assert!(
        fleet.raw_health(&web.service).is_empty(),
        "its binding lists nobody"
    );
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(places(&release), [("m1", 0, 0, Health::Healthy)]);

    // While it ran there, a taint would not have kept it from growing.
    fleet.drain(&name("m1"));
    let one = Assignment::single(name("m1"), 1);
    fleet.scale(&web.service, &one).await.unwrap();
    fleet.advance(ms(1000));
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(places(&release), [("m1", 1, 0, Health::Degraded)]);
    insta::assert_snapshot!(release.message.unwrap(), @"NoClusterFit: 0/3 clusters are available: 2 cluster(s) did not match the placement cluster affinity constraint, 1 cluster(s) had untolerated taint {cluster.karmada.io/unschedulable: NoSchedule}.");
    fleet.undrain(&name("m1"));
    fleet.advance(ms(1000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn a_drained_cluster_lets_grow_what_it_has() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    fleet.drain(&name("m1"));
    let two = Assignment::single(name("m1"), 2);
    fleet.scale(&web.service, &two).await.unwrap();
    fleet.advance(ms(1000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn a_plain_image_goes_where_it_is_declared() {
    let fleet = fleet();
    let mut web = spec("p/g/web", &[]);
    web.chart = "docker://registry/web:1".to_owned();
    web.target = Target::ChosenByChart {
        declared: vec![name("m1"), name("m3")],
    };
    web.values.insert("replicas".to_owned(), serde_json::json!(2));
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(
        places(&release),
        [("m1", 2, 2, Health::Healthy), ("m3", 2, 2, Health::Healthy)]
    );
    web.target = Target::ChosenByChart { declared: vec![] };
    let error = fleet.apply(&web).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "apply p/g/web: it names no cluster, which would mean every cluster"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_no_karmada_takes_is_refused() {
    let fleet = fleet();
    let mut errors = Vec::new();
    let mut odd = spec("p/g/web", &[("m1", 1)]);
    odd.chart = "web".to_owned();
    errors.push(fleet.apply(&odd).await.unwrap_err());
    errors.push(
        fleet
            .apply(&spec("kube-system/g/web", &[("m1", 1)]))
            .await
            .unwrap_err(),
    );
    let chart = ReleaseSpec {
        target: Target::ChosenByChart {
            declared: vec![name("m1")],
        },
        ..spec("p/g/web", &[])
    };
    fleet.apply(&chart).await.unwrap();
    errors.push(
        fleet
            .scale(&chart.service, &Assignment::default())
            .await
            .unwrap_err(),
    );
    assert!(errors.iter().all(|error| error.kind() == ErrorKind::Invalid));
    let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @"
    apply p/g/web: `web` is no reference of a chart (oci://...) or an image (docker://...)
    apply kube-system/g/web: Karmada keeps the objects of namespace kube-system to itself
    scale p/g/web: its chart chooses where it runs; scale it to zero by its values
    ");
}

#[tokio::test(flavor = "current_thread")]
async fn an_unknown_or_drained_cluster_is_no_fit() {
    let fleet = fleet();
    fleet.drain(&name("m2"));
    let mut web = spec("p/g/web", &[("nosuch", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    let message = fleet.release(&web.service).await.unwrap().message.unwrap();
    assert!(
        message.starts_with("NoClusterFit: 0/3 clusters are available"),
        "{message}"
    );
    web.target = Target::Clusters(Assignment::single(name("m2"), 1));
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    assert!(!fleet.release(&web.service).await.unwrap().is_healthy());
    fleet.undrain(&name("m2"));
    fleet.advance(ms(1000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn a_chart_that_names_no_cluster_runs_everywhere() {
    let fleet = fleet();
    let chart = ReleaseSpec {
        target: Target::ChosenByChart { declared: vec![] },
        ..spec("p/g/web", &[])
    };
    fleet.set_ready(&name("m3"), false);
    fleet.apply(&chart).await.unwrap();
    fleet.advance(ms(1000));
    let release = fleet.release(&chart.service).await.unwrap();
    assert_eq!(
        places(&release),
        [("m1", 1, 1, Health::Healthy), ("m2", 1, 1, Health::Healthy)]
    );
    let decided = spec("p/g/db", &[]);
    let error = fleet.apply(&decided).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(
        error.to_string(),
        "apply p/g/db: it names no cluster, which would mean every cluster"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn foreign_names_are_conflicts_before_anything_is_written() {
    let fleet = fleet();
    fleet.add_foreign_release("p".parse().unwrap(), "web".parse().unwrap());
    let error = fleet.apply(&spec("p/g/web", &[("m1", 1)])).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    fleet.apply(&spec("p/g/db", &[("m1", 1)])).await.unwrap();
    let error = fleet.apply(&spec("p/h/db", &[("m1", 1)])).await.unwrap_err();
    assert_eq!(error.to_string(), "apply p/h/db: the name belongs to p/g/db");
    fleet.apply(&spec("q/h/db", &[("m1", 1)])).await.unwrap();
    assert_eq!(fleet.observe(&Scope::All).await.unwrap().releases.len(), 2);
    // The policy that came first keeps the object, and the second one is ignored without a word.
    fleet.add_foreign_release("p".parse().unwrap(), "db".parse().unwrap());
    assert!(fleet.apply(&spec("p/g/db", &[("m2", 1)])).await.unwrap().changed);
}

#[tokio::test(flavor = "current_thread")]
async fn an_object_that_was_there_before_degrades_the_release() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 1), ("m2", 1)]);
    fleet.add_foreign_object(&name("m2"), "p".parse().unwrap(), "web".parse().unwrap());
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(
        places(&release),
        [("m1", 1, 1, Health::Healthy), ("m2", 1, 0, Health::Degraded)]
    );
    insta::assert_snapshot!(release.clusters["m2"].message.clone().unwrap(), @"Failed to apply all manifests (0/1): resource(kind=Deployment, p/web) already exists in the cluster m2 and the conflict resolution is Abort");
    fleet.remove_foreign_object(&name("m2"), "p".parse().unwrap(), "web".parse().unwrap());
    fleet.advance(ms(1000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn work_that_was_starting_when_its_cluster_died_starts_when_it_is_back() {
    let fleet = fleet();
    let web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(400));
    fleet.kill(&name("m1"));
    fleet.advance(ms(10_000));
    assert_eq!(
        places(&fleet.release(&web.service).await.unwrap()),
        [("m1", 1, 0, Health::Unknown)]
    );
    fleet.restore(&name("m1"));
    fleet.advance(ms(6000));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn new_values_do_not_restart_what_runs_and_a_new_chart_does() {
    let fleet = fleet();
    let mut web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    web.values
        .insert("serviceImportClusters".to_owned(), serde_json::json!(["m2"]));
    assert_eq!(fleet.apply(&web).await.unwrap().revision, 2);
    fleet.advance(ms(430));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
    web.chart = "oci://registry/p/web:2.0.0".to_owned();
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(430));
    assert!(!fleet.release(&web.service).await.unwrap().is_healthy());
    fleet.advance(ms(600));
    assert!(fleet.release(&web.service).await.unwrap().is_healthy());
}

#[tokio::test(flavor = "current_thread")]
async fn work_on_a_cluster_that_left_the_fleet_is_unknown() {
    let fleet = fleet();
    let mut web = spec("p/g/web", &[("m1", 1)]);
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    fleet.part(&name("m1"));
    let release = fleet.release(&web.service).await.unwrap();
    assert_eq!(places(&release), [("m1", 1, 0, Health::Unknown)]);
    web.target = Target::Clusters(Assignment::single(name("m2"), 1));
    fleet.apply(&web).await.unwrap();
    fleet.advance(ms(1000));
    assert_eq!(
        places(&fleet.release(&web.service).await.unwrap()),
        [("m2", 1, 1, Health::Healthy)]
    );
}
