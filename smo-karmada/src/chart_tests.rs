use serde_json::json;
use smo_core::placement::Assignment;

use super::*;

fn owner() -> Owner {
    Owner {
        manager: "smo".to_owned(),
        service: "proj/g/web".parse().unwrap(),
    }
}

fn object(version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "labels": {"app": name}}})
}

fn policy(name: &str, selector: Value, placement: Value) -> Value {
    json!({
        "apiVersion": "policy.karmada.io/v1alpha1", "kind": "PropagationPolicy", "metadata": {"name": name},
        "spec": {"resourceSelectors": [selector], "placement": placement},
    })
}

fn wish(clusters: &[(&str, u32)]) -> Wish {
    let assignment: Assignment = clusters
        .iter()
        .map(|(name, count)| (name.parse().unwrap(), *count))
        .collect();
    Wish::of(&assignment)
}

fn plan(objects: Vec<Value>, values: Value, wish: Option<&Wish>) -> Result<ChartPlan, KarmadaError> {
    let values = values.as_object().unwrap().clone().into();
    plan_chart(&owner(), objects, &values, wish, &[])
}

/// What each policy of ours selects.
fn selected(plan: &ChartPlan) -> String {
    let mut shown = String::new();
    for policy in &plan.policies {
        let reference = ObjectRef::of(policy).unwrap();
        let selectors = policy["spec"]["resourceSelectors"].as_array().unwrap().iter();
        let names: Vec<String> = selectors
            .map(|one| {
                format!(
                    "{} {}",
                    one["kind"].as_str().unwrap(),
                    one["name"].as_str().unwrap()
                )
            })
            .collect();
        let clusters = &policy["spec"]["placement"]["clusterAffinity"]["clusterNames"];
        shown.push_str(&format!("{reference}: {} -> {clusters}\n", names.join(", ")));
    }
    shown
}

/// A chart of the world: a subchart's database, an object in another namespace, one without, an import.
#[test]
fn what_travels_together_has_one_policy() {
    let mut monitor = object("monitoring.coreos.com/v1", "ServiceMonitor", "web");
    monitor["metadata"]["namespace"] = "monitoring".into();
    let objects = vec![
        object("v1", "Namespace", "extra"),
        object("rbac.authorization.k8s.io/v1", "ClusterRole", "web"),
        object("v1", "ConfigMap", "web"),
        object("apps/v1", "StatefulSet", "db"),
        object("apps/v1", "Deployment", "web"),
        monitor,
        object("multicluster.x-k8s.io/v1alpha1", "ServiceImport", "web"),
    ];
    let wish = wish(&[("m1", 2), ("m2", 1)]);
    let plan = plan(
        objects,
        json!({"voChartOverwrite": {"serviceImportClusters": ["m3"]}}),
        Some(&wish),
    )
    .unwrap();
    insta::assert_snapshot!(selected(&plan), @r#"
    ClusterPropagationPolicy web-proj.smo: ClusterRole web -> ["m1","m2"]
    PropagationPolicy monitoring/web-proj.smo: ServiceMonitor web -> ["m1","m2"]
    PropagationPolicy proj/web.smo: ConfigMap web, StatefulSet db, Deployment web -> ["m1","m2"]
    PropagationPolicy proj/web-import.smo: ServiceImport web -> ["m3"]
    "#);
    assert_eq!(plan.workload.unwrap().to_string(), "Deployment proj/web");
    assert_eq!(plan.steer, None);
}

#[test]
fn what_the_charts_own_policies_select_is_left_to_them() {
    let objects = vec![
        object("apps/v1", "Deployment", "web"),
        object("v1", "Service", "web"),
        object("apps/v1", "Deployment", "influxdb"),
        policy(
            "web",
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}),
            json!({"clusterAffinity": {"clusterNames": ["m1"]}}),
        ),
        policy(
            "labels",
            json!({"apiVersion": "v1", "kind": "Service", "labelSelector": {"matchLabels": {"app": "web"}}}),
            json!({"clusterAffinity": {"clusterNames": ["m1"]}}),
        ),
    ];
    let plan = plan(objects, json!({}), Some(&wish(&[("m1", 1)]))).unwrap();
    insta::assert_snapshot!(selected(&plan), @r#"PropagationPolicy proj/web.smo: Deployment influxdb -> ["m1"]"#);
    assert_eq!(plan.own_policies.len(), 2);
    assert_eq!(plan.steer, None, "its values have brought it where it should be");
}

#[test]
fn a_chart_that_chooses_is_left_alone() {
    let objects = vec![object("apps/v1", "Deployment", "web")];
    let plan = plan(objects, json!({}), None).unwrap();
    assert!(plan.policies.is_empty() && plan.steer.is_none());
}

#[test]
fn policies_that_cannot_be_followed_are_refused() {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let refused = |placement: Value| {
        let objects = vec![
            object("apps/v1", "Deployment", "web"),
            policy("web", deployment.clone(), placement),
        ];
        plan(objects, json!({}), Some(&wish(&[("m1", 1)])))
            .unwrap_err()
            .to_string()
    };
    let shown = [
        refused(json!({})),
        refused(json!({"clusterAffinity": {"clusterNames": null}})),
        refused(json!({"clusterAffinity": {"clusterNames": "m1"}})),
    ];
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Karmada refuses the object: the chart's own PropagationPolicy proj/web names no cluster, which is every cluster; its values do not take `clustersAffinity`
    Karmada refuses the object: the chart's own PropagationPolicy proj/web names no cluster, which is every cluster; its values do not take `clustersAffinity`
    Karmada refuses the object: the chart's own PropagationPolicy proj/web: invalid type: string "m1", expected a sequence
    "#);
}

#[test]
fn a_policy_that_chooses_by_labels_is_told_the_clusters() {
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let placement = json!({"clusterAffinity": {"labelSelector": {"matchLabels": {"tier": "edge"}}}});
    let objects = vec![
        object("apps/v1", "Deployment", "web"),
        policy("web", deployment, placement),
    ];
    let plan = plan(objects, json!({}), Some(&wish(&[("m1", 1)]))).unwrap();
    let (policy, part) = plan.steer.unwrap();
    insta::assert_snapshot!(format!("{policy}: {part}"), @r#"PropagationPolicy proj/web: {"spec":{"placement":{"clusterAffinities":null,"clusterAffinity":{"clusterNames":["m1"]},"replicaScheduling":{"replicaSchedulingType":"Divided","replicaDivisionPreference":"Weighted","weightPreference":{"staticWeightList":[{"targetCluster":{"clusterNames":["m1"]},"weight":1}]}}}}}"#);
}

#[test]
fn another_wish_changes_placement_and_leaves_imports() {
    let objects = vec![
        object("apps/v1", "Deployment", "web"),
        object("multicluster.x-k8s.io/v1alpha1", "ServiceImport", "web"),
    ];
    let before = plan(
        objects,
        json!({"serviceImportClusters": ["m3"]}),
        Some(&wish(&[("m1", 1)])),
    )
    .unwrap();
    let mut live = before.policies.clone();
    live[0]["metadata"]["labels"]["propagationpolicy.karmada.io/permanent-id"] = "4b0b0f35".into();
    let again = replan(&owner(), &live, None, &wish(&[("m2", 2)]), &[]).unwrap();
    insta::assert_snapshot!(selected(&again), @r#"
    PropagationPolicy proj/web.smo: Deployment web -> ["m2"]
    PropagationPolicy proj/web-import.smo: ServiceImport web -> ["m3"]
    "#);
    assert_eq!(again.policies[1], before.policies[1]);
    assert_eq!(
        again.policies[0]["metadata"], before.policies[0]["metadata"],
        "Karmada's labels stay Karmada's"
    );
}
