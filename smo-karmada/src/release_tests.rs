use rstest::rstest;
use serde_json::json;
use smo_core::backend::{ClusterBackend, ErrorKind, ReleaseBackend, ReleaseBackendExt, Scope};
use smo_core::id::ClusterName;
use smo_core::resources::Resources;

use super::*;
use crate::double::FakeKarmada;

const WEB: &str = "/apis/apps/v1/namespaces/p/deployments/web";
const POLICY: &str = "/apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/web.smo";
const RECORD: &str = "/api/v1/namespaces/p/secrets/smo.web";

fn on(clusters: &[(&str, u32)]) -> Assignment {
    clusters
        .iter()
        .map(|(cluster, replicas)| (cluster.parse().unwrap(), *replicas))
        .collect()
}

fn spec(service: &str, chart: &str, values: Value, assignment: Assignment) -> ReleaseSpec {
    ReleaseSpec {
        service: service.parse().unwrap(),
        chart: chart.to_owned(),
        values: values.as_object().unwrap().clone().into(),
        target: Target::Clusters(assignment),
        resources: Resources::new().with("cpu", 500),
    }
}

fn image(assignment: Assignment) -> ReleaseSpec {
    spec(
        "p/g/web",
        "docker://nginx:1",
        json!({"ports": [{"port": 80}]}),
        assignment,
    )
}

fn deployment(replicas: u32) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": replicas}})
}

fn own_policy(clusters: Value) -> Value {
    json!({
        "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy", "metadata": {"name": "chart"},
        "spec": {
            "resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}],
            "placement": {"clusterAffinity": {"clusterNames": clusters}},
        },
    })
}

#[tokio::test]
async fn an_image_is_written_once_policies_first() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let fleet = fake.fleet();
    let spec = image(on(&[("m1", 2), ("m2", 1)]));
    let applied = fleet.apply(&spec).await.unwrap();
    assert_eq!((applied.revision, applied.changed), (1, true));
    insta::assert_snapshot!(fake.writes().join("\n"), @"
    PATCH /api/v1/namespaces/p
    PATCH /api/v1/namespaces/p/secrets/smo.web
    PATCH /apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/web.smo
    PATCH /apis/apps/v1/namespaces/p/deployments/web
    PATCH /api/v1/namespaces/p/services/web
    PATCH /api/v1/namespaces/p/secrets/smo.web
    ");
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 3);
    fake.reads();
    let again = fleet.apply(&spec).await.unwrap();
    assert_eq!((again.revision, again.changed), (1, false));
    assert_eq!(
        fake.writes(),
        Vec::<String>::new(),
        "nothing is written for what is in place"
    );
    assert_eq!(fake.reads(), 4, "the record and three objects");
}

#[tokio::test]
async fn what_a_new_revision_does_not_have_goes() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    fleet.apply(&image(on(&[("m1", 1)]))).await.unwrap();
    let service = "/api/v1/namespaces/p/services/web";
    assert!(fake.get(service).is_some());
    let without = spec("p/g/web", "docker://nginx:2", json!({}), on(&[("m1", 1)]));
    assert_eq!(fleet.apply(&without).await.unwrap().revision, 2);
    assert!(fake.get(service).is_none());
    assert_eq!(
        fake.get(WEB).unwrap()["spec"]["template"]["spec"]["containers"][0]["image"],
        "nginx:2"
    );
}

#[tokio::test]
async fn an_edited_policy_is_repaired() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    let spec = image(on(&[("m1", 1)]));
    fleet.apply(&spec).await.unwrap();
    let mut edited = fake.get(POLICY).unwrap();
    edited["spec"]["placement"]["clusterAffinity"]["clusterNames"] = json!(["m9"]);
    fake.put(POLICY, edited);
    let applied = fleet.apply(&spec).await.unwrap();
    assert_eq!((applied.revision, applied.changed), (1, true));
    assert_eq!(
        fake.get(POLICY).unwrap()["spec"]["placement"]["clusterAffinity"]["clusterNames"],
        json!(["m1"])
    );
}

#[rstest]
#[case::another_graph(None, "the name belongs to p/g/web")]
#[case::an_object(Some((WEB, json!({"metadata": {"name": "web"}}))), "Deployment p/web exists and is not ours")]
#[case::a_policy(
    Some(("/apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/theirs", json!({
        "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy",
        "metadata": {"name": "theirs", "namespace": "p"},
        "spec": {"resourceSelectors": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}]},
    }))),
    "Deployment p/web would be placed by PropagationPolicy p/theirs, which is not ours"
)]
#[tokio::test]
async fn what_is_not_ours_is_found_before_anything_is_written(
    #[case] there: Option<(&str, Value)>,
    #[case] why: &str,
) {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    match there {
        Some((path, object)) => fake.put(path, object),
        None => assert!(fleet.apply(&image(on(&[("m1", 1)]))).await.unwrap().changed),
    }
    fake.writes();
    let rival = spec("p/rival/web", "docker://nginx:1", json!({}), on(&[("m1", 1)]));
    let refused = fleet.apply(&rival).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.message().starts_with(why), "{refused}");
    assert_eq!(fake.writes(), Vec::<String>::new());
    assert!(!fleet.remove(&rival.service).await.unwrap().existed);
}

#[tokio::test]
async fn a_first_apply_that_fails_leaves_nothing_behind() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    fake.fail(&format!("PATCH {WEB}"), 422, "Deployment is invalid");
    let refused = fleet.apply(&image(on(&[("m1", 1)]))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert_eq!(fake.paths(), ["/api/v1/namespaces/p"], "only the namespace stays");
    fake.heal();
    let broken = spec("p/g/web", "oci://charts/broken", json!({}), on(&[("m1", 1)]));
    fake.render(vec![deployment(1)]);
    let refused = fleet.apply(&broken).await.unwrap_err();
    insta::assert_snapshot!(refused, @"apply p/g/web: helm upgrade: execution error at (web/templates/x.yaml)");
    // An installer may have written something, and taken it back.
    assert_eq!(fake.paths(), ["/api/v1/namespaces/p", RECORD]);
    fake.later(&fleet).await;
    assert_eq!(fake.paths(), ["/api/v1/namespaces/p"]);
}

#[tokio::test]
async fn an_apply_that_was_cut_off_is_finished_by_the_next() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    let mut spec = image(on(&[("m1", 1)]));
    fleet.apply(&spec).await.unwrap();
    spec.target = Target::Clusters(on(&[("m1", 3)]));
    fake.fail(&format!("PATCH {WEB}"), 503, "etcd is away");
    assert_eq!(
        fleet.apply(&spec).await.unwrap_err().kind(),
        ErrorKind::Unavailable
    );
    fake.heal();
    assert!(fleet.apply(&spec).await.unwrap().changed);
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 3);
}

#[tokio::test]
async fn scaling_changes_weights_and_replicas_and_nothing_else() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let fleet = fake.fleet();
    let spec = image(on(&[("m1", 1)]));
    fleet.apply(&spec).await.unwrap();
    fake.writes();
    fleet
        .scale(&spec.service, &on(&[("m1", 1), ("m2", 2)]))
        .await
        .unwrap();
    insta::assert_snapshot!(fake.writes().join("\n"), @"
    PATCH /api/v1/namespaces/p/secrets/smo.web
    PATCH /apis/apps/v1/namespaces/p/deployments/web
    PATCH /apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/web.smo
    PATCH /api/v1/namespaces/p/secrets/smo.web
    ");
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 3);
    fleet
        .scale(&spec.service, &on(&[("m1", 1), ("m2", 2)]))
        .await
        .unwrap();
    assert_eq!(fake.writes(), Vec::<String>::new());
    fleet.scale(&spec.service, &Assignment::default()).await.unwrap();
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 0);
    let observed = fleet.release(&spec.service).await.unwrap();
    assert_eq!((observed.revision, &observed.values), (1, &spec.values));
    assert_eq!(observed.clusters.len(), 2);
    assert!(observed.clusters.values().all(|at| at.desired == 0));
    let unknown = "p/g/other".parse().unwrap();
    assert_eq!(
        fleet.scale(&unknown, &on(&[("m1", 1)])).await.unwrap_err().kind(),
        ErrorKind::NotFound
    );
}

#[tokio::test]
async fn a_chart_without_a_policy_gets_ours_and_its_replicas() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let fleet = fake.fleet();
    fake.render(vec![deployment(1)]);
    let spec = spec(
        "p/g/web",
        "oci://charts/web",
        json!({}),
        on(&[("m1", 2), ("m2", 1)]),
    );
    assert!(fleet.apply(&spec).await.unwrap().changed);
    insta::assert_snapshot!(fake.writes().join("\n"), @"
    PATCH /api/v1/namespaces/p
    PATCH /api/v1/namespaces/p/secrets/smo.web
    PATCH /apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/web.smo
    helm upgrade p/web
    PATCH /apis/apps/v1/namespaces/p/deployments/web
    PATCH /api/v1/namespaces/p/secrets/smo.web
    ");
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 3);
    assert!(!fleet.apply(&spec).await.unwrap().changed);
    assert_eq!(fake.writes(), Vec::<String>::new());
    let objects = fake.0.lock().unwrap().rendered.clone();
    fake.render(Vec::new());
    fleet.scale(&spec.service, &on(&[("m2", 5)])).await.unwrap();
    assert!(
        !fake.writes().iter().any(|write| write.starts_with("helm")),
        "scaling needs no chart"
    );
    fake.render(objects);
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 5);
    let placement = &fake.get(POLICY).unwrap()["spec"]["placement"];
    assert_eq!(placement["clusterAffinity"]["clusterNames"], json!(["m2"]));
    assert!(fleet.remove(&spec.service).await.unwrap().existed);
    fake.later(&fleet).await;
    assert_eq!(fake.paths(), ["/api/v1/namespaces/p"]);
}

#[tokio::test]
async fn a_chart_with_a_policy_is_steered_by_values_or_by_that_policy() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let fleet = fake.fleet();
    fake.render(vec![deployment(2), own_policy(json!(["m1"]))]);
    let spec = spec(
        "p/g/web",
        "oci://charts/web",
        json!({"clustersAffinity": ["m1"]}),
        on(&[("m1", 2)]),
    );
    fleet.apply(&spec).await.unwrap();
    assert!(fake.get(POLICY).is_none(), "a second policy would be ignored");
    fleet
        .scale(&spec.service, &on(&[("m1", 1), ("m2", 2)]))
        .await
        .unwrap();
    let path = "/apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/chart";
    insta::assert_snapshot!(fake.get(path).unwrap()["spec"]["placement"], @r#"{"clusterAffinity":{"clusterNames":["m1","m2"]},"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[{"targetCluster":{"clusterNames":["m1"]},"weight":1},{"targetCluster":{"clusterNames":["m2"]},"weight":2}]}}}"#);
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 3);
}

#[tokio::test]
async fn a_chart_that_would_go_everywhere_is_refused() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    fake.render(vec![deployment(1), own_policy(Value::Null)]);
    let spec = spec("p/g/web", "oci://charts/web", json!({}), on(&[("m1", 1)]));
    insta::assert_snapshot!(fleet.apply(&spec).await.unwrap_err(), @"apply p/g/web: Karmada refuses the object: the chart's own PropagationPolicy p/chart names no cluster, which is every cluster; its values do not take `clustersAffinity` (change what the message names)");
    assert_eq!(fake.writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_chart_release_of_somebody_else_is_a_conflict() {
    use smo_core::backend::ChartBackend;
    let fake = FakeKarmada::with_clusters(&["m1"]);
    fake.render(vec![deployment(1)]);
    let spec = spec("p/g/web", "oci://charts/web", json!({}), on(&[("m1", 1)]));
    ChartBackend::apply(&fake, &release_name(&spec.service), "oci://theirs", &spec.values)
        .await
        .unwrap();
    let refused = fake.fleet().apply(&spec).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Conflict, "{refused}");
}

#[tokio::test]
async fn a_chart_becomes_an_image_and_nothing_of_it_stays() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}});
    fake.render(vec![deployment(1), config]);
    fleet
        .apply(&spec("p/g/web", "oci://charts/web", json!({}), on(&[("m1", 1)])))
        .await
        .unwrap();
    fleet.apply(&image(on(&[("m1", 1)]))).await.unwrap();
    assert!(
        !fake.paths().iter().any(|path| path.contains("configmaps")),
        "{:?}",
        fake.paths()
    );
    assert!(fake.get(WEB).is_some());
}

#[tokio::test]
async fn what_is_owed_to_a_dead_cluster_is_remembered_until_it_is_done() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let fleet = fake.fleet();
    let spec = image(on(&[("m1", 1)]));
    fleet.apply(&spec).await.unwrap();
    let binding = "/apis/work.karmada.io/v1alpha2/namespaces/p/resourcebindings/web-deployment";
    fake.put(
        binding,
        json!({"apiVersion": "work.karmada.io/v1alpha2", "kind": "ResourceBinding",
            "metadata": {"name": "web-deployment", "namespace": "p"}, "spec": {"clusters": [{"name": "m1", "replicas": 1}]}}),
    );
    let work = "/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-m1/works/web-123";
    fake.put(
        work,
        json!({"metadata": {"name": "web-123", "namespace": "karmada-es-m1", "annotations": {
            "resourcebinding.karmada.io/name": "web-deployment", "resourcebinding.karmada.io/namespace": "p"}}}),
    );
    fake.put(
        "/apis/cluster.karmada.io/v1alpha1/clusters/m1",
        json!({"metadata": {"name": "m1"}, "status": {"conditions": [{"type": "Ready", "status": "False", "reason": "ClusterNotReachable"}]}}),
    );
    let m1: ClusterName = "m1".parse().unwrap();
    let removed = fleet.remove(&spec.service).await.unwrap();
    assert_eq!((removed.existed, removed.owed), (true, vec![m1.clone()]));
    assert!(
        !fleet.remove(&spec.service).await.unwrap().existed,
        "it is gone, whatever is owed"
    );
    let scope = Scope::Graph(spec.service.graph.clone());
    let observed = fleet.observe(&scope).await.unwrap();
    assert!(observed.releases.is_empty());
    assert_eq!(observed.leftovers.len(), 1);
    assert_eq!(observed.leftovers[0].cluster, m1);
    fake.0.lock().unwrap().objects.remove(work);
    assert!(fleet.observe(&scope).await.unwrap().leftovers.is_empty());
    assert!(fake.get(RECORD).is_some(), "Karmada has not forgotten it yet");
    fake.0.lock().unwrap().objects.remove(binding);
    fake.later(&fleet).await;
    assert!(fake.get(RECORD).is_none(), "a debt that is paid is forgotten");
}

/// An apply that fails when its workload is written already, and a Work that Karmada makes after that.
#[tokio::test]
async fn a_copy_that_karmada_forgot_is_deleted() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    let spec = image(on(&[("m1", 1)]));
    fake.fail(
        "PATCH /api/v1/namespaces/p/services/web",
        422,
        "Service is invalid",
    );
    fleet.apply(&spec).await.unwrap_err();
    fake.heal();
    let left = || async { fleet.observe(&Scope::All).await.unwrap().leftovers.len() };
    assert_eq!(left().await, 0);
    assert!(
        fake.get(RECORD).is_some(),
        "it is remembered while a copy may come"
    );
    let path = "/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-m1/works/web-123";
    let work = json!({"metadata": {"name": "web-123", "namespace": "karmada-es-m1", "resourceVersion": "7", "annotations": {
        "resourcebinding.karmada.io/name": "web-deployment", "resourcebinding.karmada.io/namespace": "p"}}});
    let binding = "/apis/work.karmada.io/v1alpha2/namespaces/p/resourcebindings/web-deployment";
    fake.put(path, work.clone());
    fake.put(
        binding,
        json!({"metadata": {"name": "web-deployment", "namespace": "p"}}),
    );
    assert_eq!(left().await, 1);
    assert!(fake.get(path).is_some(), "Karmada deletes the Works of a binding");
    fake.0.lock().unwrap().objects.remove(binding);
    let mut ending = work.clone();
    ending["metadata"]["deletionTimestamp"] = "2026-11-24T22:00:00Z".into();
    fake.put(path, ending);
    assert_eq!(left().await, 1);
    assert!(fake.get(path).is_some(), "it is being deleted");
    fake.put(path, work);
    assert_eq!(left().await, 1, "it is told as long as it was there");
    assert!(fake.get(path).is_none(), "its binding is gone");
    fake.later(&fleet).await;
    assert_eq!(fake.paths(), ["/api/v1/namespaces/p"]);
}

#[tokio::test]
async fn what_an_upgrade_took_away_is_owed_to_its_clusters() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    fleet.apply(&image(on(&[("m1", 1)]))).await.unwrap();
    let without = spec("p/g/web", "docker://nginx:2", json!({}), on(&[("m1", 1)]));
    fleet.apply(&without).await.unwrap();
    let path = "/apis/work.karmada.io/v1alpha1/namespaces/karmada-es-m1/works/web-9";
    fake.put(
        path,
        json!({"metadata": {"name": "web-9", "namespace": "karmada-es-m1", "deletionTimestamp": "2026-11-24T22:00:00Z",
            "annotations": {"resourcebinding.karmada.io/name": "web-service", "resourcebinding.karmada.io/namespace": "p"}}}),
    );
    let observed = fleet.observe(&Scope::All).await.unwrap();
    assert_eq!(observed.leftovers.len(), 1, "its Service is still in m1");
    assert_eq!(observed.releases.len(), 1);
    fake.0.lock().unwrap().objects.remove(path);
    assert_eq!(fleet.observe(&Scope::All).await.unwrap().leftovers, []);
    fake.put(
        path,
        json!({"metadata": {"name": "web-9", "namespace": "karmada-es-m1", "annotations": {
        "resourcebinding.karmada.io/name": "web-service", "resourcebinding.karmada.io/namespace": "p"}}}),
    );
    assert_eq!(
        fleet.observe(&Scope::All).await.unwrap().leftovers,
        [],
        "a debt that is paid is forgotten: this one is somebody else's"
    );
}

#[tokio::test]
async fn a_policy_of_a_chart_that_somebody_deleted_is_told_and_repaired() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let fleet = fake.fleet();
    let hook = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hook", "annotations": {"helm.sh/hook": "pre-install"}}});
    fake.render(vec![deployment(1), own_policy(json!(["m1"])), hook]);
    let spec = spec("p/g/web", "oci://charts/web", json!({}), on(&[("m1", 1)]));
    fleet.apply(&spec).await.unwrap();
    let own = "/apis/policy.karmada.io/v1alpha1/namespaces/p/propagationpolicies/chart";
    let hook = "/api/v1/namespaces/p/configmaps/hook";
    fake.0.lock().unwrap().objects.remove(hook);
    fake.writes();
    assert!(
        !fleet.apply(&spec).await.unwrap().changed,
        "hooks go by themselves"
    );
    assert_eq!(fake.writes(), [""; 0]);
    fake.0.lock().unwrap().objects.remove(own);
    let told = fleet.release(&spec.service).await.unwrap().message;
    insta::assert_snapshot!(told.unwrap(), @"PropagationPolicy p/chart is gone");
    assert!(fleet.apply(&spec).await.unwrap().changed);
    assert!(fake.get(own).is_some(), "its installer has written it again");
    assert_eq!(fleet.release(&spec.service).await.unwrap().message, None);
    // Scaling needs no chart, unless there is nothing to steer it by.
    fake.0.lock().unwrap().objects.remove(own);
    fleet.scale(&spec.service, &on(&[("m2", 2)])).await.unwrap();
    let placement = &fake.get(own).unwrap()["spec"]["placement"];
    assert_eq!(placement["clusterAffinity"]["clusterNames"], json!(["m2"]));
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 2);
}

#[tokio::test]
async fn another_graph_may_take_a_name_that_was_removed() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let fleet = fake.fleet();
    fleet.apply(&image(on(&[("m1", 1)]))).await.unwrap();
    fleet.remove(&"p/g/web".parse().unwrap()).await.unwrap();
    let heir = spec("p/heir/web", "docker://nginx:1", json!({}), on(&[("m1", 1)]));
    assert_eq!(fleet.apply(&heir).await.unwrap().revision, 1);
}

#[rstest]
#[case(401, "Unauthorized", ErrorKind::Unauthenticated)]
#[case(403, "clusters is forbidden", ErrorKind::Unauthenticated)]
#[case(404, "404 page not found", ErrorKind::Unsupported)]
#[case(503, "error trying to reach service", ErrorKind::Unavailable)]
#[tokio::test]
async fn a_fleet_that_cannot_be_seen_is_an_error_and_never_empty(
    #[case] code: u16,
    #[case] said: &str,
    #[case] kind: ErrorKind,
) {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    fake.fail("GET /apis/cluster.karmada.io", code, said);
    let error = fake.fleet().inventory().await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
}

#[tokio::test]
async fn some_namespaces_are_refused() {
    let fake = FakeKarmada::with_clusters(&["m1"]);
    let spec = spec("kube-system/g/web", "docker://nginx", json!({}), on(&[("m1", 1)]));
    insta::assert_snapshot!(fake.fleet().apply(&spec).await.unwrap_err(), @"apply kube-system/g/web: Karmada refuses the object: Karmada keeps the objects of namespace kube-system to itself (change what the message names)");
}

#[tokio::test]
async fn an_image_runs_where_its_values_say_when_nobody_decides() {
    let fake = FakeKarmada::with_clusters(&["m1", "m2"]);
    let mut spec = spec(
        "p/g/web",
        "docker://nginx",
        json!({"replicas": 2}),
        Assignment::default(),
    );
    spec.target = Target::ChosenByChart {
        declared: vec!["m1".parse().unwrap(), "m2".parse().unwrap()],
    };
    fake.fleet().apply(&spec).await.unwrap();
    assert_eq!(fake.get(WEB).unwrap()["spec"]["replicas"], 4);
}
