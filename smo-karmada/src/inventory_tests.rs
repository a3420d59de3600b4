use rstest::rstest;
use serde_json::json;

use super::*;

fn now() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

fn read(items: &[Value]) -> FleetReport {
    read_clusters(items, &FleetFacts::new(), now())
}

/// A cluster of three nodes with GPUs, as the aggregated API serves it, with the sizes that are not used left out.
fn full() -> Value {
    json!({
        "apiVersion": "cluster.karmada.io/v1alpha1",
        "kind": "Cluster",
        "metadata": {
            "name": "m2",
            "uid": "6a656e5a-7773-40a0-b780-fbb622fae2a6",
            "labels": {"tier": "edge"},
            "finalizers": ["karmada.io/cluster-controller"],
        },
        "spec": {
            "apiEndpoint": "https://127.0.0.1:7463",
            "id": "m2-uid-2",
            "provider": "kwok",
            "region": "eu-m2",
            "zones": ["eu-m2-a"],
            "syncMode": "Push",
            "secretRef": {"name": "m2", "namespace": "karmada-cluster"},
            "taints": [{"key": "dedicated", "value": "video", "effect": "NoSchedule", "timeAdded": "2026-11-24T09:00:00Z"}],
            "resourceModels": [
                {"grade": 0, "ranges": [{"name": "cpu", "min": "0", "max": "1"}, {"name": "memory", "min": "0", "max": "4Gi"}]},
                {"grade": 2, "ranges": [{"name": "cpu", "min": "2", "max": "4"}, {"name": "memory", "min": "16Gi", "max": "32Gi"}]},
                {"grade": 3, "ranges": [{"name": "cpu", "min": "4", "max": "8"}, {"name": "memory", "min": "32Gi", "max": "64Gi"}]},
                {"grade": 8, "ranges": [{"name": "cpu", "min": "128", "max": "9223372036854775807"}]},
            ],
        },
        "status": {
            "kubernetesVersion": "v1.36.3",
            "apiEnablements": [{"groupVersion": "apps/v1", "resources": [{"kind": "Deployment", "name": "deployments"}]}],
            "conditions": [
                {"type": "CompleteAPIEnablements", "status": "True", "reason": "Complete"},
                {"type": "Ready", "status": "True", "reason": "ClusterReady",
                 "message": "cluster is healthy and ready to accept workloads", "lastTransitionTime": "2026-11-24T09:34:43Z"},
            ],
            "nodeSummary": {"totalNum": 3, "readyNum": 3},
            "resourceSummary": {
                "allocatable": {"cpu": "24", "ephemeral-storage": "300Gi", "memory": "96Gi", "nvidia.com/gpu": "6", "pods": "330"},
                "allocated": {"cpu": "500m", "memory": "256Mi", "pods": "1"},
                "allocating": {"cpu": "1500m", "nvidia.com/gpu": "2"},
                "allocatableModelings": [{"grade": 0, "count": 0}, {"grade": 2, "count": 1}, {"grade": 3, "count": 2}, {"grade": 8, "count": 0}],
            },
        },
    })
}

/// The same cluster some seconds after its API server was killed: everything but the condition is as before.
fn dead() -> Value {
    let mut cluster = full();
    cluster["status"]["conditions"][1] = json!({
        "type": "Ready", "status": "False", "reason": "ClusterNotReachable", "message": "cluster is not reachable",
        "lastTransitionTime": "2026-11-24T09:59:50Z",
    });
    cluster["spec"]["taints"] = json!([{"key": "cluster.karmada.io/not-ready", "effect": "NoSchedule", "timeAdded": "2026-11-24T09:59:50Z"}]);
    cluster
}

#[test]
fn a_full_report() {
    let report = read(&[full()]);
    insta::assert_snapshot!(serde_json::to_string_pretty(&report).unwrap(), @r#"
    {
      "inventory": {
        "observedAt": "2026-11-24T10:00:00Z",
        "carbonSignal": "average",
        "clusters": {
          "m2": {
            "name": "m2",
            "readiness": {
              "state": "ready"
            },
            "region": "eu-m2",
            "zones": [
              "eu-m2-a"
            ],
            "provider": "kwok",
            "labels": {
              "tier": "edge"
            },
            "taints": [
              {
                "key": "dedicated",
                "value": "video",
                "effect": "NoSchedule"
              }
            ],
            "allocatable": {
              "cpu": "24",
              "memory": "96Gi",
              "nvidia.com/gpu": "6",
              "pods": "330",
              "storage": "300Gi"
            },
            "allocated": {
              "cpu": "2",
              "memory": "256Mi",
              "nvidia.com/gpu": "2",
              "pods": "1"
            },
            "price": {},
            "carbon": null
          }
        },
        "network": []
      },
      "details": {
        "m2": {
          "report": {
            "state": "current"
          },
          "pull": false,
          "kubernetesVersion": "v1.36.3",
          "nodes": {
            "totalNum": 3,
            "readyNum": 3
          },
          "largestPod": {
            "cpu": "4",
            "memory": "32Gi"
          },
          "waiting": {
            "cpu": "1500m",
            "nvidia.com/gpu": "2"
          },
          "importsServices": false
        }
      },
      "faults": []
    }
    "#);
    assert_eq!(
        report.inventory.cluster("m2").unwrap().free().cpu().millicores(),
        22_000
    );
}

#[test]
fn a_dead_cluster_keeps_its_amounts_and_is_not_ready() {
    let report = read(&[dead()]);
    let cluster = report.inventory.cluster("m2").unwrap();
    insta::assert_snapshot!(serde_json::to_string(&cluster.readiness).unwrap(), @r#"{"state":"notReady","reason":"ClusterNotReachable","since":"2026-11-24T09:59:50Z"}"#);
    assert_eq!(cluster.allocatable.cpu().millicores(), 24_000);
    assert_eq!(report.details["m2"].report, Report::Stale);
    assert_eq!(report.inventory.ready().count(), 0);
}

#[test]
fn reports_that_are_missing_parts() {
    let with = |change: fn(&mut Value)| {
        let mut cluster = full();
        change(&mut cluster);
        cluster
    };
    let mut shown = String::new();
    let cases: [(&str, Value); 8] = [
        (
            "just registered",
            json!({"metadata": {"name": "m2"}, "spec": {"syncMode": "Push"}}),
        ),
        (
            "up, no amounts",
            with(|c| c["status"]["resourceSummary"] = Value::Null),
        ),
        (
            "amounts, no condition",
            with(|c| c["status"]["conditions"] = json!([])),
        ),
        (
            "no answer",
            with(|c| {
                c["status"]["conditions"][1] =
                    json!({"type": "Ready", "status": "Unknown", "reason": "ClusterStatusUnknown"})
            }),
        ),
        (
            "leaving",
            with(|c| c["metadata"]["deletionTimestamp"] = json!("2026-11-24T09:00:00Z")),
        ),
        (
            "odd amounts",
            with(|c| {
                c["status"]["resourceSummary"]["allocatable"]["memory"] = json!("lots");
                c["status"]["resourceSummary"]["allocated"]["cpu"] = json!("-1");
            }),
        ),
        (
            "odd taint",
            with(|c| c["spec"]["taints"][0]["effect"] = json!("Never")),
        ),
        ("odd shape", with(|c| c["spec"]["zones"] = json!("eu"))),
    ];
    for (case, cluster) in cases {
        let report = read(&[cluster]);
        let cluster = &report.inventory.clusters[0];
        let readiness = serde_json::to_string(&cluster.readiness).unwrap();
        let state = serde_json::to_string(&report.details[0].report).unwrap();
        shown.push_str(&format!("{case}: {readiness} {state}\n"));
    }
    insta::assert_snapshot!(shown, @r#"
    just registered: {"state":"unknown","reason":"it has not reported yet"} {"state":"never"}
    up, no amounts: {"state":"unknown","reason":"it is up and does not say what it offers"} {"state":"partial","missing":["what it offers (resourceSummary.allocatable)"]}
    amounts, no condition: {"state":"unknown","reason":"it has not reported yet"} {"state":"current"}
    no answer: {"state":"unknown","reason":"ClusterStatusUnknown"} {"state":"stale"}
    leaving: {"state":"notReady","reason":"ClusterBeingRemoved","since":"2026-11-24T09:00:00Z"} {"state":"current"}
    odd amounts: {"state":"unknown","reason":"it is up and does not say what it offers"} {"state":"partial","missing":["allocatable.memory: \"lots\" is no quantity","allocated.cpu: \"-1\" is no quantity","what it offers (resourceSummary.allocatable)"]}
    odd taint: {"state":"ready"} {"state":"partial","missing":["the effect of taint dedicated"]}
    odd shape: {"state":"unknown","reason":"its report cannot be read: invalid type: string \"eu\", expected a sequence"} {"state":"partial","missing":["its report cannot be read: invalid type: string \"eu\", expected a sequence"]}
    "#);
}

#[test]
fn nothing_allocated_reads_as_zero() {
    let mut cluster = full();
    cluster["status"]["resourceSummary"]
        .as_object_mut()
        .unwrap()
        .remove("allocated");
    cluster["status"]["resourceSummary"]
        .as_object_mut()
        .unwrap()
        .remove("allocating");
    let report = read(&[cluster]);
    let cluster = report.inventory.cluster("m2").unwrap();
    assert_eq!(cluster.free(), cluster.allocatable);
    assert_eq!(report.details["m2"].report, Report::Current);
}

#[rstest]
#[case("12", 12_000)]
#[case("500m", 500)]
#[case("1.5", 1500)]
#[case("1500000u", 1500)]
#[case("2k", 2_000_000)]
#[case("129e6", 129_000_000_000)]
#[case("0", 0)]
fn every_suffix_of_cpu(#[case] text: &str, #[case] millicores: u64) {
    assert_eq!(amount(&ResourceName::new("cpu"), &json!(text)), Some(millicores));
}

#[rstest]
#[case(json!("16Gi"), 16 << 30)]
#[case(json!("129e6"), 129_000_000)]
#[case(json!("129M"), 129_000_000)]
#[case(json!("123Ki"), 123 << 10)]
#[case(json!("1Ti"), 1 << 40)]
#[case(json!("2Pi"), 2 << 50)]
#[case(json!("1E"), 1_000_000_000_000_000_000)]
#[case(json!("1500m"), 2)]
#[case(json!("9223372036854775807"), 9_223_372_036_854_775_807)]
#[case(json!(4096), 4096)]
fn every_suffix_of_memory(#[case] quantity: Value, #[case] bytes: u64) {
    assert_eq!(amount(&ResourceName::new("memory"), &quantity), Some(bytes));
}

#[test]
fn a_name_that_cannot_be_is_a_fault_and_not_a_crash() {
    let report = read(&[json!({"metadata": {"name": "Bad_Name"}}), json!(3), full()]);
    assert_eq!(report.inventory.clusters.len(), 1);
    insta::assert_snapshot!(report.faults.join("\n"), @"
    a cluster is left out: `Bad_Name` is not a DNS label (lower-case letters, digits and `-`, 63 at most)
    a cluster is left out: `` is not a DNS label (lower-case letters, digits and `-`, 63 at most)
    ");
}

#[test]
fn what_the_host_knows_fills_gaps() {
    let file = "
fleet:
  carbonSignal: marginal
  clusters:
    - name: m2
      region: elsewhere
      zones: [z]
      labels: {tier: cloud, rack: '7'}
      allocatable: {cpu: 1, memory: 1Gi}
      price: {cpu: 0.02}
      carbon: {intensity: 320, pue: 1.3}
    - {name: m9, allocatable: {cpu: 1, memory: 1Gi}}
  network:
    - {between: [m2, m9], rtt: 4, hops: 1}
";
    let facts = FleetFacts::from(&Inventory::parse(file).unwrap());
    let mut cluster = full();
    cluster["spec"]["zones"] = json!([]);
    let report = read_clusters(&[cluster], &facts, now());
    let inventory = &report.inventory;
    let cluster = inventory.cluster("m2").unwrap();
    assert_eq!(cluster.region.as_deref(), Some("eu-m2"));
    assert_eq!(cluster.zones, ["z"]);
    assert_eq!(cluster.labels["tier"], "edge");
    assert_eq!(cluster.labels["rack"], "7");
    assert_eq!(cluster.allocatable.cpu().millicores(), 24_000);
    assert!(!cluster.price.is_free());
    assert_eq!(cluster.carbon.unwrap().pue, 1.3);
    assert_eq!(inventory.network.iter().count(), 1);
    assert_eq!(
        inventory.clusters.len(),
        1,
        "a cluster that only the file knows is not in the fleet"
    );
}

#[test]
fn unknown_parts_of_a_cluster_survive_a_round_trip() {
    let member: MemberCluster = serde_json::from_value(full()).unwrap();
    let written = serde_json::to_value(&member).unwrap();
    for pointer in [
        "/metadata/uid",
        "/spec/secretRef/name",
        "/status/apiEnablements/0/groupVersion",
    ] {
        assert_eq!(written.pointer(pointer), full().pointer(pointer), "{pointer}");
    }
}

#[test]
fn a_thousand_clusters_are_read_in_one_go() {
    let many: Vec<Value> = (0..1000)
        .map(|number| {
            let mut cluster = full();
            cluster["metadata"]["name"] = json!(format!("c{number}"));
            cluster
        })
        .collect();
    assert_eq!(read(&many).inventory.ready().count(), 1000);
}
