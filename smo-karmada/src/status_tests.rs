use serde_json::json;
use smo_core::placement::Assignment;
use smo_core::plan::ReleaseSpec;
use smo_core::resources::Resources;

use super::*;
use crate::facts::FleetFacts;
use crate::inventory::read_clusters;
use crate::record::Wish;

pub(crate) fn fleet(ready: &[(&str, &str)]) -> FleetReport {
    let cluster = |(name, status): &(&str, &str)| {
        let reason = if *status == "True" {
            "ClusterReady"
        } else {
            "ClusterNotReachable"
        };
        json!({"metadata": {"name": name}, "status": {
            "conditions": [{"type": "Ready", "status": status, "reason": reason, "lastTransitionTime": "2026-11-24T22:35:50Z"}],
            "resourceSummary": {"allocatable": {"cpu": "8", "memory": "32Gi"}},
        }})
    };
    let items: Vec<Value> = ready.iter().map(cluster).collect();
    let now = "2026-11-24T22:36:00Z".parse().unwrap();
    read_clusters(&items, &FleetFacts::new(), now)
}

fn both_ready() -> FleetReport {
    fleet(&[("m1", "True"), ("m2", "True")])
}

pub(crate) fn record(clusters: &[(&str, u32)]) -> Record {
    let assignment: Assignment = clusters
        .iter()
        .map(|(name, count)| (name.parse().unwrap(), *count))
        .collect();
    let spec = ReleaseSpec {
        service: "proj/shop/web".parse().unwrap(),
        chart: "docker://nginx".to_owned(),
        values: Default::default(),
        target: Target::Clusters(assignment.clone()),
        resources: Resources::new(),
    };
    let workload = ObjectRef::namespaced("apps/v1", "Deployment", "proj", "web");
    Record {
        objects: vec![
            workload.clone(),
            ObjectRef::namespaced("v1", "Service", "proj", "web"),
        ],
        workload: Some(workload),
        generation: 2,
        ..Record::new(&spec, Some(Wish::of(&assignment)))
    }
}

fn item(cluster: &str, replicas: u32, health: &str) -> Value {
    json!({"clusterName": cluster, "applied": true, "health": health, "status": {
        "availableReplicas": replicas, "generation": 1, "observedGeneration": 1, "readyReplicas": replicas,
        "replicas": replicas, "resourceTemplateGeneration": 2, "updatedReplicas": replicas,
    }})
}

/// A binding as Karmada shows it when two replicas run on m1 and one on m2.
fn running() -> Value {
    json!({
        "apiVersion": "work.karmada.io/v1alpha2", "kind": "ResourceBinding",
        "metadata": {"name": "web-deployment", "namespace": "proj", "generation": 2},
        "spec": {"replicas": 3, "clusters": [{"name": "m1", "replicas": 2}, {"name": "m2", "replicas": 1}]},
        "status": {
            "schedulerObservedGeneration": 2,
            "conditions": [
                {"type": "Scheduled", "status": "True", "reason": "Success", "message": "Binding has been scheduled successfully."},
                {"type": "FullyApplied", "status": "True", "reason": "FullyAppliedSuccess"},
            ],
            "aggregatedStatus": [item("m1", 2, "Healthy"), item("m2", 1, "Healthy")],
        },
    })
}

fn service_binding(applied: bool, message: &str) -> Value {
    json!({
        "metadata": {"name": "web-service", "namespace": "proj", "generation": 1},
        "spec": {"clusters": [{"name": "m1"}, {"name": "m2"}]},
        "status": {"schedulerObservedGeneration": 1, "aggregatedStatus": [
            {"clusterName": "m1", "applied": applied, "appliedMessage": message, "health": "Healthy"},
            {"clusterName": "m2", "applied": true, "health": "Healthy"},
        ]},
    })
}

fn shown(observed: &ObservedRelease) -> String {
    let mut text = String::new();
    for (cluster, at) in &observed.clusters {
        let message = at.message.as_deref().unwrap_or("");
        text.push_str(&format!(
            "{cluster} {}/{} {:?} {message}\n",
            at.ready, at.desired, at.health
        ));
    }
    if let Some(message) = &observed.message {
        text.push_str(&format!("{message}\n"));
    }
    text
}

fn told(record: &Record, bindings: &[Value], fleet: &FleetReport) -> String {
    shown(&observe(record, &read_bindings(bindings), fleet))
}

#[test]
fn what_runs_is_healthy() {
    let split = record(&[("m1", 2), ("m2", 1)]);
    insta::assert_snapshot!(told(&split, &[running(), service_binding(true, "")], &both_ready()), @"
    m1 2/2 Healthy 
    m2 1/1 Healthy
    ");
}

#[test]
fn a_dead_cluster_is_never_healthy_whatever_its_binding_says() {
    let split = record(&[("m1", 2), ("m2", 1)]);
    insta::assert_snapshot!(told(&split, &[running()], &fleet(&[("m1", "False"), ("m2", "True")])), @"
    m1 2/2 Unknown m1 is not ready since 2026-11-24T22:35:50Z (ClusterNotReachable)
    m2 1/1 Healthy
    ");
    insta::assert_snapshot!(told(&split, &[running()], &fleet(&[("m1", "Unknown"), ("m2", "True")])), @"
    m1 2/2 Unknown m1 has not reported (ClusterNotReachable)
    m2 1/1 Healthy
    ");
    insta::assert_snapshot!(told(&split, &[running()], &fleet(&[("m2", "True")])), @"
    m1 2/2 Unknown m1 has left the fleet
    m2 1/1 Healthy
    ");
}

#[test]
fn what_is_under_way_is_progressing() {
    let split = record(&[("m1", 2), ("m2", 1)]);
    assert_eq!(
        told(&split, &[], &both_ready()),
        "m1 0/2 Progressing \nm2 0/1 Progressing \n",
        "no binding yet"
    );
    let scaled = record(&[("m1", 4), ("m2", 1)]);
    insta::assert_snapshot!(told(&scaled, &[running()], &both_ready()), @"
    m1 2/4 Progressing 
    m2 1/1 Healthy
    ");
    let upgraded = Record {
        generation: 3,
        ..split.clone()
    };
    insta::assert_snapshot!(told(&upgraded, &[running()], &both_ready()), @"
    m1 2/2 Progressing 
    m2 1/1 Progressing
    ");
    let mut rolling = running();
    rolling["status"]["aggregatedStatus"][0] = item("m1", 1, "Unhealthy");
    insta::assert_snapshot!(told(&split, &[rolling], &both_ready()), @"
    m1 1/2 Progressing 
    m2 1/1 Healthy
    ");
}

#[test]
fn replicas_without_room_say_so() {
    let mut split = record(&[("m1", 2), ("m2", 1)]);
    split.spec.resources = Resources::new().with("cpu", 500);
    let mut short = running();
    short["status"]["aggregatedStatus"][0] = item("m1", 1, "Unhealthy");
    let mut fleet = both_ready();
    let quiet = told(&split, &[short.clone()], &fleet);
    assert!(quiet.starts_with("m1 1/2 Progressing \n"), "{quiet}");
    let waiting = Resources::new().with("cpu", 500).with("nvidia.com/gpu", 1);
    fleet.details["m1"].waiting = waiting;
    insta::assert_snapshot!(told(&split, &[short.clone()], &fleet), @"
    m1 1/2 Progressing 1 of 2 replicas do not run, and pods in m1 find no node for 0.5 cores, 1 nvidia.com/gpu
    m2 1/1 Healthy
    ");
    split.spec.resources = Resources::new().with("memory", 1);
    assert_eq!(
        told(&split, &[short], &fleet),
        quiet,
        "others wait there, for what it does not ask for"
    );
}

#[test]
fn refusals_are_told_in_the_words_of_who_refuses() {
    let mut nofit = running();
    nofit["spec"]["clusters"] = json!(null);
    nofit["spec"].as_object_mut().unwrap().remove("clusters");
    nofit["status"] = json!({"conditions": [{"type": "Scheduled", "status": "False", "reason": "NoClusterFit",
        "message": "0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint."}]});
    insta::assert_snapshot!(told(&record(&[("m9", 1)]), &[nofit], &both_ready()), @"
    m9 0/1 Degraded 0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint.
    0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint.
    ");
    let taken = "Failed to apply all manifests (0/1): resource(kind=Service, proj/web) already exists in the cluster m1 \
                 and the conflict resolution is Abort";
    let split = record(&[("m1", 2), ("m2", 1)]);
    insta::assert_snapshot!(told(&split, &[running(), service_binding(false, taken)], &both_ready()), @"
    m1 2/2 Degraded Failed to apply all manifests (0/1): resource(kind=Service, proj/web) already exists in the cluster m1 and the conflict resolution is Abort
    m2 1/1 Healthy
    ");
}

#[test]
fn zero_replicas_are_healthy_once_nothing_runs() {
    let mut zero = record(&[("m1", 2)]);
    zero.wish.as_mut().unwrap().zero = true;
    let mut binding = running();
    assert_eq!(
        told(&zero, &[binding.clone()], &both_ready()),
        "m1 0/0 Progressing \n"
    );
    binding["spec"] = json!({});
    binding["status"]["aggregatedStatus"] = json!(null);
    binding["status"]
        .as_object_mut()
        .unwrap()
        .remove("aggregatedStatus");
    assert_eq!(
        told(&zero, &[binding.clone()], &both_ready()),
        "m1 0/0 Healthy \n"
    );
    binding["metadata"]["generation"] = json!(3);
    assert_eq!(
        told(&zero, &[binding], &both_ready()),
        "m1 0/0 Progressing \n",
        "the scheduler has not seen it yet"
    );
}

#[test]
fn a_chart_that_chooses_is_where_its_bindings_are() {
    let mut chosen = record(&[]);
    chosen.wish = None;
    chosen.spec.target = Target::ChosenByChart {
        declared: vec!["m7".parse().unwrap()],
    };
    assert_eq!(told(&chosen, &[], &both_ready()), "m7 0/1 Progressing \n");
    assert_eq!(
        told(&chosen, &[running()], &both_ready()),
        "m1 2/2 Healthy \nm2 1/1 Healthy \n"
    );
}

#[test]
fn bindings_of_odd_shape_are_no_crash() {
    let odd = [
        json!(3),
        json!({"metadata": 1}),
        json!({"spec": {"clusters": "x"}}),
        json!({}),
    ];
    assert!(read_bindings(&odd).len() <= 1);
}

#[test]
fn a_count_that_somebody_else_has_set_is_what_is_observed() {
    let record = Record {
        complete: true,
        ..record(&[("m1", 2), ("m2", 1)])
    };
    let mut binding = running();
    binding["spec"]["replicas"] = 5.into();
    binding["spec"]["clusters"] = json!([{"name": "m1", "replicas": 3}, {"name": "m2", "replicas": 2}]);
    // No member has reported a workload later than ours: the binding may be older than our last write.
    assert!(told(&record, &[binding.clone()], &both_ready()).starts_with("m1 2/2"));
    binding["status"]["aggregatedStatus"] = json!([item("m1", 3, "Healthy"), item("m2", 2, "Healthy")]);
    for at in [0, 1] {
        binding["status"]["aggregatedStatus"][at]["status"]["resourceTemplateGeneration"] = 3.into();
    }
    let shown = told(&record, &[binding.clone()], &both_ready());
    assert_eq!(shown, "m1 3/3 Healthy \nm2 2/2 Healthy \n");
    // An apply that was cut off is no change of somebody else.
    let cut = Record {
        complete: false,
        ..record
    };
    assert!(told(&cut, &[binding], &both_ready()).contains("/2 "));
}

#[test]
fn autoscalers_of_our_workload_are_owners() {
    let scaler = |kind: &str, namespace: &str, name: &str, target: Value| json!({"kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": {"scaleTargetRef": target}});
    let web = json!({"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"});
    let all = [
        scaler("HorizontalPodAutoscaler", "proj", "web", web.clone()),
        scaler("FederatedHPA", "proj", "all", web.clone()),
        scaler("HorizontalPodAutoscaler", "other", "web", web.clone()),
        scaler(
            "HorizontalPodAutoscaler",
            "proj",
            "db",
            json!({"kind": "Deployment", "name": "db"}),
        ),
        scaler(
            "CronFederatedHPA",
            "proj",
            "night",
            json!({"kind": "FederatedHPA", "name": "web"}),
        ),
        json!({"kind": "HorizontalPodAutoscaler", "metadata": {"name": "broken", "namespace": "proj"}}),
    ];
    let owners = crate::autoscalers::owners(&record(&[("m1", 1)]), &all);
    assert_eq!(owners, ["FederatedHPA/all", "HorizontalPodAutoscaler/web"]);
    let without = Record {
        workload: None,
        ..record(&[("m1", 1)])
    };
    assert_eq!(crate::autoscalers::owners(&without, &all), Vec::<String>::new());
}

#[test]
fn the_rest_waits_until_a_workload_runs_or_says_why_not() {
    let up = |binding: &Value| {
        read_bindings(std::slice::from_ref(binding))
            .values()
            .all(Binding::is_up)
    };
    assert!(up(&running()));
    let mut starting = running();
    starting["status"]["aggregatedStatus"][0] = item("m1", 0, "Unhealthy");
    assert!(!up(&starting), "it is there and does not run");
    starting["status"]["aggregatedStatus"] = json!([item("m2", 1, "Healthy")]);
    assert!(!up(&starting), "m1 has said nothing");
    let taken = json!({"clusterName": "m1", "applied": false, "appliedMessage": "already exists", "health": "Unknown"});
    starting["status"]["aggregatedStatus"] = json!([taken, item("m2", 1, "Healthy")]);
    assert!(up(&starting), "waiting would not help");
    let mut nowhere = running();
    nowhere["spec"] = json!({"replicas": 1});
    assert!(!up(&nowhere), "it is not scheduled yet");
    nowhere["status"]["conditions"] = json!([{"type": "Scheduled", "status": "False", "message": "0/3"}]);
    assert!(up(&nowhere), "and will not be");
    nowhere["spec"] = json!({"replicas": 0});
    nowhere["status"]["conditions"] = json!([]);
    assert!(up(&nowhere), "nothing is to run");
}
