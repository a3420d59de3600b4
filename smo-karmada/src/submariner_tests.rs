use rstest::rstest;
use serde_json::json;
use smo_core::backend::ClusterBackend;

use super::*;
use crate::double::FakeKarmada;

fn gateway(name: &str, id: &str, status: &str, tunnels: &[(&str, &str, &str)]) -> Value {
    let connection = |(to, status, average): &(&str, &str, &str)| {
        json!({"status": status, "statusMessage": "", "usingIP": "10.0.0.1",
            "endpoint": {"cluster_id": to, "cable_name": "c", "hostname": "h", "subnets": ["10.2.0.0/16"], "private_ip": "10.0.0.1",
                "public_ip": "", "nat_enabled": false, "backend": "libreswan"},
            "latencyRTT": {"last": "1ms", "min": "1ms", "average": average, "max": "9ms", "stdDev": "1ms"}})
    };
    let connections: Vec<Value> = tunnels.iter().map(connection).collect();
    json!({"apiVersion": "submariner.io/v1", "kind": "Gateway", "metadata": {"name": name},
        "status": {"haStatus": status, "version": "v0.19.0", "statusFailure": "", "localEndpoint": {"cluster_id": id},
            "connections": if tunnels.is_empty() { Value::Null } else { json!(connections) }}})
}

fn cluster(id: &str, pods: &str) -> Value {
    json!({"apiVersion": "submariner.io/v1", "kind": "Cluster", "metadata": {"name": id},
        "spec": {"cluster_id": id, "color_codes": ["blue"], "cluster_cidr": [pods], "service_cidr": ["10.100.0.0/16"], "global_cidr": null}})
}

/// A Karmada whose members serve Submariner and answer through its proxy.
fn karmada(members: &[&str]) -> FakeKarmada {
    let fake = FakeKarmada::with_clusters(members);
    for name in members {
        let path = format!("/apis/cluster.karmada.io/v1alpha1/clusters/{name}");
        let mut member = fake.get(&path).unwrap();
        member["status"]["apiEnablements"] =
            json!([{"groupVersion": "submariner.io/v1"}, {"groupVersion": "multicluster.x-k8s.io/v1alpha1"}]);
        fake.put(&path, member);
    }
    fake
}

fn proxy(member: &str, kind: &str) -> String {
    format!(
        "/apis/cluster.karmada.io/v1alpha1/clusters/{member}/proxy/apis/submariner.io/v1/namespaces/submariner-operator/{kind}"
    )
}

fn put(fake: &FakeKarmada, member: &str, kind: &str, items: &[Value]) {
    fake.put(&proxy(member, kind), json!({"kind": "List", "items": items}));
}

#[tokio::test(flavor = "current_thread")]
async fn ranges_gateways_and_times_between_them() {
    let fake = karmada(&["m1", "m2", "m3"]);
    let known = [cluster("west", "10.1.0.0/16"), cluster("m2", "10.2.0.0/16")];
    let west = [
        gateway(
            "n1",
            "west",
            "active",
            &[("m2", "connected", "1.2ms"), ("m3", "error", "0s")],
        ),
        gateway("n2", "west", "passive", &[]),
    ];
    put(&fake, "m1", "gateways", &west);
    put(&fake, "m1", "clusters", &known);
    put(
        &fake,
        "m2",
        "gateways",
        &[gateway("g", "m2", "active", &[("west", "connected", "1.7ms")])],
    );
    put(&fake, "m2", "clusters", &known);
    fake.fail(
        &format!("GET {}", proxy("m3", "gateways")),
        503,
        "the server is currently unable",
    );
    let report = fake.fleet().report().await.unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&report.details["m1"].submariner).unwrap(), @r#"
    {
      "state": "present",
      "id": "west",
      "podCidrs": [
        "10.1.0.0/16"
      ],
      "serviceCidrs": [
        "10.100.0.0/16"
      ],
      "globalCidrs": [],
      "gateways": [
        {
          "name": "n1",
          "active": true,
          "tunnels": [
            {
              "to": "m2",
              "status": "connected",
              "message": null,
              "rtt": 1.2
            },
            {
              "to": "m3",
              "status": "error",
              "message": null,
              "rtt": null
            }
          ]
        },
        {
          "name": "n2",
          "active": false,
          "tunnels": []
        }
      ]
    }
    "#);
    let Some(Submariner::Present(second)) = &report.details["m2"].submariner else {
        panic!("{report:?}")
    };
    assert_eq!(
        (second.id.as_deref(), &*second.pod_cidrs),
        (Some("m2"), &["10.2.0.0/16".to_owned()][..])
    );
    insta::assert_snapshot!(serde_json::to_string(&report.details["m3"].submariner).unwrap(), @r#"{"state":"unreadable","reason":"Karmada is degraded: its aggregated API server does not answer, so that no cluster can be seen"}"#);
    assert!(report.details["m1"].imports_services);
    let paths: Vec<String> = report
        .inventory
        .network
        .iter()
        .map(|(a, b, path)| format!("{a} {b} {}", path.rtt.unwrap()))
        .collect();
    assert_eq!(
        paths,
        ["m1 m2 1.7 ms"],
        "the slower direction, under the names of the fleet"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn what_the_host_measured_goes_first_and_nobody_is_asked_without_need() {
    let fake = karmada(&["m1", "m2"]);
    put(
        &fake,
        "m1",
        "gateways",
        &[gateway("g", "m1", "active", &[("m2", "connected", "3ms")])],
    );
    put(&fake, "m1", "clusters", &[]);
    put(&fake, "m2", "gateways", &[]);
    put(&fake, "m2", "clusters", &[]);
    let fleet = fake.fleet();
    let mut facts = crate::FleetFacts::new();
    let (a, b): (ClusterName, ClusterName) = ("m1".parse().unwrap(), "m2".parse().unwrap());
    let path = Path {
        rtt: Some(Latency::from_base(500)),
        hops: Some(2),
        bandwidth: None,
    };
    facts.network.measure(a.clone(), b.clone(), path);
    fleet.set_facts(facts);
    assert_eq!(fleet.inventory().await.unwrap().network.path(&a, &b), path);

    fake.reads();
    fleet.inventory().await.unwrap();
    assert_eq!(fake.reads(), 5, "the clusters, and two lists of each member");
    let silent = fake.fleet().with_submariner(None);
    silent.inventory().await.unwrap();
    assert_eq!(fake.reads(), 1);
    let plain = FakeKarmada::with_clusters(&["m1", "m2"]);
    let report = plain.fleet().report().await.unwrap();
    assert_eq!(plain.reads(), 1, "no member serves the API");
    assert_eq!(report.details["m1"].submariner, None);
    assert!(!report.details["m1"].imports_services);
}

#[rstest]
#[case("1.2ms", Some(1200))]
#[case("543.21µs", Some(544))]
#[case("543us", Some(543))]
#[case("1m2.5s", Some(62_500_000))]
#[case("2h", Some(7_200_000_000))]
#[case("900ns", Some(1))]
#[case("0s", None)]
#[case("", None)]
#[case("12", None)]
#[case("ms", None)]
#[case("1.2 ms", None)]
#[case("-1ms", None)]
#[case("99999999999999999999999999999999999999h", None)]
fn durations_of_go(#[case] text: &str, #[case] microseconds: Option<i64>) {
    assert_eq!(duration(text), microseconds.map(Latency::from_base));
}

#[test]
fn a_member_without_a_gateway_has_no_name_yet() {
    let network = read_network(&[], &[cluster("m1", "10.1.0.0/16")]);
    assert_eq!(network, ClusterNetwork::default());
    let odd = read_network(&[json!(3), json!({"status": {"connections": 7}})], &[json!([])]);
    assert_eq!(odd, ClusterNetwork::default());
}
