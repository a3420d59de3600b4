//! The inventory of many clusters: `Cluster` objects as Karmada serves them, on an API server without Karmada's programs.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo::backend::ClusterBackend;
use smo::backend::memory::InMemoryCharts;
use smo::karmada::{KarmadaConfig, SystemTime};
use smo_testbed::Setup;

use crate::measure::{Act, RUNS, calls, median, told};
use crate::page::Table;

/// `Cluster` as a CRD; Karmada serves it by an API server of its own.
fn kind() -> Value {
    let open = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "clusters.cluster.karmada.io"},
        "spec": {"group": "cluster.karmada.io", "scope": "Cluster", "names": {"kind": "Cluster", "plural": "clusters"},
            "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": open, "status": open}}}}]},
    })
}

/// About 3 kB, with the nine sizes of nodes and the APIs that a real one has.
fn cluster(number: usize) -> Value {
    let grade = |grade: u32| {
        json!({"grade": grade, "ranges": [
            {"name": "cpu", "min": 1_u32 << grade, "max": 2_u32 << grade},
            {"name": "memory", "min": format!("{}Gi", 4_u32 << grade), "max": format!("{}Gi", 8_u32 << grade)},
        ]})
    };
    let api = |group: usize| json!({"groupVersion": format!("group{group}.example.com/v1"), "resources": [{"kind": "Thing", "name": "things"}]});
    json!({
        "apiVersion": "cluster.karmada.io/v1alpha1", "kind": "Cluster", "metadata": {"name": format!("c{number}")},
        "spec": {"syncMode": "Push", "region": "eu", "provider": "example", "apiEndpoint": "https://10.0.0.1:6443",
            "resourceModels": (0..9).map(grade).collect::<Vec<_>>()},
        "status": {
            "kubernetesVersion": "v1.36.3",
            "apiEnablements": (0..20).map(api).collect::<Vec<_>>(),
            "conditions": [{"type": "Ready", "status": "True", "reason": "ClusterReady"}],
            "nodeSummary": {"totalNum": 3, "readyNum": 3},
            "resourceSummary": {
                "allocatable": {"cpu": "24", "memory": "96Gi", "pods": "330", "ephemeral-storage": "300Gi"},
                "allocated": {"cpu": "500m", "memory": "256Mi", "pods": "2"},
                "allocatableModelings": (0..9).map(|grade| json!({"grade": grade, "count": grade % 3})).collect::<Vec<_>>(),
            },
        },
    })
}

pub(crate) async fn measure() -> String {
    let setup = Setup::api().with_name("report").with_manifest(kind().to_string());
    let testbed = setup.start().unwrap();
    let kubectl = testbed.kubectl();
    kubectl
        .run(&[
            "wait",
            "--for=condition=Established",
            "crd/clusters.cluster.karmada.io",
        ])
        .unwrap();
    let config = KarmadaConfig::builder()
        .with_kubeconfig_path(testbed.kubeconfig())
        .build()
        .unwrap();
    let fleet = config
        .connect(Box::new(InMemoryCharts::new()), std::sync::Arc::new(SystemTime))
        .await
        .unwrap();
    let mut table = Table::new(&[
        "clusters",
        "smo, first connection",
        "smo, then",
        "requests",
        "`kubectl get clusters -o json`",
    ]);
    let mut there = 0;
    for count in [100, 1000] {
        let more: Vec<Value> = (there..count).map(cluster).collect();
        kubectl
            .apply(&json!({"apiVersion": "v1", "kind": "List", "items": more}))
            .unwrap();
        there = count;
        let fresh = config
            .connect(Box::new(InMemoryCharts::new()), std::sync::Arc::new(SystemTime))
            .await
            .unwrap();
        let first = Instant::now();
        fresh.inventory().await.unwrap();
        let first = first.elapsed();
        let mut times: Vec<Duration> = Vec::new();
        let mut asked = String::new();
        for _ in 0..RUNS {
            let act = Act::begin(&testbed);
            let inventory = fleet.inventory().await.unwrap();
            times.push(act.elapsed());
            asked = calls(&act.smo());
            assert_eq!(inventory.ready().count(), count);
        }
        let by_hand: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let began = Instant::now();
                kubectl.get(&["clusters.cluster.karmada.io"]).unwrap();
                began.elapsed()
            })
            .collect();
        table.add(&[
            &count.to_string(),
            &told(first),
            &told(median(&times)),
            &asked,
            &told(median(&by_hand)),
        ]);
    }
    format!(
        "Simulated `Cluster` objects of about 3 kB each, served as a CRD. smo's time includes reading every quantity, taint and \
         size of node; kubectl's includes its start and the printing.\n\n{}",
        table.text()
    )
}
