//! The acts of a day on one service, each with its requests and the time until it is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo::backend::memory::InMemoryCharts;
use smo::backend::{ClusterBackend, ReleaseBackend, Scope};
use smo::karmada::{KarmadaConfig, KarmadaFleet, SystemTime};
use smo::placement::Assignment;
use smo::plan::{ReleaseSpec, Target};
use smo::resources::{ResourceName, Resources};
use smo_testbed::{Kubectl, Testbed};

use crate::hand::{self, until};
use crate::measure::{Act, RUNS, calls, median, told};
use crate::page::{Page, Table};

/// A fleet without charts.
pub(crate) async fn connect(testbed: &Testbed) -> KarmadaFleet {
    let config = KarmadaConfig::builder()
        .with_kubeconfig_path(testbed.kubeconfig())
        .build()
        .unwrap();
    config
        .connect(Box::new(InMemoryCharts::new()), Arc::new(SystemTime))
        .await
        .unwrap()
}

/// A service that is a plain image.
pub(crate) fn image(service: &str, values: Value, clusters: &[(&str, u32)]) -> ReleaseSpec {
    ReleaseSpec {
        service: service.parse().unwrap(),
        chart: "docker://registry.example/web:1".to_owned(),
        values: values.as_object().unwrap().clone().into(),
        target: Target::Clusters(on(clusters)),
        resources: Resources::new()
            .with(ResourceName::CPU, 100)
            .with(ResourceName::MEMORY, 64 << 20),
    }
}

fn on(clusters: &[(&str, u32)]) -> Assignment {
    clusters
        .iter()
        .map(|(name, count)| (name.parse().unwrap(), *count))
        .collect()
}

/// What an act took.
#[derive(Default, Clone)]
struct Taken {
    returned: Vec<Duration>,
    done: Vec<Duration>,
    requests: String,
}

const ACTS: [&str; 7] = [
    "inventory",
    "deploy",
    "status",
    "scale 1 to 3",
    "move to m3",
    "the same again",
    "remove",
];

/// Waits until the workload runs with this many replicas in a cluster and nowhere else.
fn runs_at(kubectl: &Kubectl, project: &str, cluster: &str, replicas: u64) {
    until("running", || {
        let (bindings, _) = hand::bindings(kubectl, project);
        bindings.iter().any(|binding| {
            let items = binding["status"]["aggregatedStatus"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            binding["spec"]["resource"]["kind"] == "Deployment"
                && items.len() == 1
                && items[0]["clusterName"] == cluster
                && items[0]["status"]["readyReplicas"] == replicas
        })
    });
}

fn no_bindings(kubectl: &Kubectl, project: &str) {
    until("no bindings", || hand::bindings(kubectl, project).0.is_empty());
}

async fn by_smo(testbed: &Testbed) -> Vec<Taken> {
    let fleet = connect(testbed).await;
    let kubectl = testbed.kubectl();
    let mut taken = vec![Taken::default(); ACTS.len()];
    for run in 0..RUNS {
        let project = format!("acts-smo-{run}");
        let values = json!({"ports": [{"name": "http", "port": 80}]});
        let spec = image(&format!("{project}/g/web"), values.clone(), &[("m1", 1)]);
        let moved = image(&format!("{project}/g/web"), values, &[("m3", 3)]);
        let scope = Scope::Graph(spec.service.graph.clone());
        for (act, taken) in ACTS.iter().zip(&mut taken) {
            let under_way = Act::begin(testbed);
            match *act {
                "inventory" => drop(fleet.inventory().await.unwrap()),
                "deploy" => drop(fleet.apply(&spec).await.unwrap()),
                "status" => drop(fleet.observe(&scope).await.unwrap()),
                "scale 1 to 3" => fleet.scale(&spec.service, &on(&[("m1", 3)])).await.unwrap(),
                "move to m3" | "the same again" => drop(fleet.apply(&moved).await.unwrap()),
                _ => drop(fleet.remove(&spec.service).await.unwrap()),
            }
            taken.returned.push(under_way.elapsed());
            taken.requests = calls(&under_way.smo());
            done(act, &kubectl, &project);
            taken.done.push(under_way.elapsed());
        }
        hand::clear(&kubectl, &project);
    }
    taken
}

/// Waits until an act has come about.
fn done(act: &str, kubectl: &Kubectl, project: &str) {
    match act {
        "deploy" => runs_at(kubectl, project, "m1", 1),
        "scale 1 to 3" => runs_at(kubectl, project, "m1", 3),
        "move to m3" => runs_at(kubectl, project, "m3", 3),
        "remove" => no_bindings(kubectl, project),
        _ => {}
    }
}

fn by_hand(testbed: &Testbed) -> Vec<Taken> {
    let kubectl = testbed.kubectl();
    let mut taken = vec![Taken::default(); ACTS.len()];
    for run in 0..RUNS {
        let project = format!("acts-hand-{run}");
        let kinds = [("apps/v1", "Deployment"), ("v1", "Service")];
        let [service, ..] = hand::reachable(&project, "web");
        let objects = hand::list(&[
            hand::namespace(&project),
            hand::deployment(&project, "web"),
            service,
            hand::policy(&project, "web", "web", &kinds, "m1"),
        ]);
        let to_m3 = json!({"spec": {"placement": {"clusterAffinity": {"clusterNames": ["m3"]}}}}).to_string();
        for (act, taken) in ACTS.iter().zip(&mut taken) {
            let under_way = Act::begin(testbed);
            let ran = match *act {
                "inventory" => kubectl.run(&["get", "clusters.cluster.karmada.io", "-o", "json"]),
                "deploy" => kubectl.apply(&objects),
                "status" => kubectl.run(&["get", "resourcebindings", "-n", &project, "-o", "json"]),
                "scale 1 to 3" => {
                    kubectl.run(&["scale", "deployment", "web", "-n", &project, "--replicas=3"])
                }
                "move to m3" => kubectl.run(&[
                    "patch",
                    "propagationpolicy",
                    "web",
                    "-n",
                    &project,
                    "--type=merge",
                    "-p",
                    &to_m3,
                ]),
                "the same again" => kubectl.run(&[
                    "patch",
                    "propagationpolicy",
                    "web",
                    "-n",
                    &project,
                    "--type=merge",
                    "-p",
                    &to_m3,
                ]),
                _ => kubectl.run(&[
                    "delete",
                    "deployment,service,propagationpolicy",
                    "web",
                    "-n",
                    &project,
                ]),
            };
            ran.unwrap();
            taken.returned.push(under_way.elapsed());
            taken.requests = calls(&under_way.kubectl());
            done(act, &kubectl, &project);
            taken.done.push(under_way.elapsed());
        }
        hand::clear(&kubectl, &project);
    }
    taken
}

pub(crate) async fn measure(page: &mut Page, testbed: &Testbed) {
    let began = Instant::now();
    let ours = by_smo(testbed).await;
    let theirs = by_hand(testbed);
    let mut table = Table::new(&[
        "act",
        "smo returns",
        "done",
        "requests",
        "kubectl returns",
        "done",
        "requests",
    ]);
    for (act, (ours, theirs)) in ACTS.iter().zip(ours.iter().zip(&theirs)) {
        let waits = ["deploy", "scale 1 to 3", "move to m3", "remove"].contains(act);
        let time = |taken: &Taken| {
            if waits {
                told(median(&taken.done))
            } else {
                "-".to_owned()
            }
        };
        table.add(&[
            act,
            &told(median(&ours.returned)),
            &time(ours),
            &ours.requests,
            &told(median(&theirs.returned)),
            &time(theirs),
            &theirs.requests,
        ]);
    }
    eprintln!("report: acts after {}", told(began.elapsed()));
    page.section(
        "Acts on one service",
        &format!(
            "A plain image with one port. `done`: running where it should be and nowhere else, or gone from Karmada. Requests to \
             Karmada's API server, as its audit log has them, discovery left out. smo reads before it writes: the record of the \
             release, objects of these names and policies that would compete.\n\n{}",
            table.text()
        ),
    );
}
