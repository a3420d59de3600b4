//! A chain of twelve services in one cluster, each but the first called by the one before it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use smo::backend::ReleaseBackend;
use smo_testbed::{Calls, Kubectl, Testbed};

use crate::acts::{connect, image};
use crate::hand;
use crate::measure::{Act, RUNS, calls, median, told};
use crate::page::{Page, Table};

const SERVICES: usize = 12;
const WORKLOAD: (&str, &str) = ("apps/v1", "Deployment");
const SERVICE: (&str, &str) = ("v1", "Service");
const EXPORT: (&str, &str) = ("multicluster.x-k8s.io/v1alpha1", "ServiceExport");
const IMPORT: (&str, &str) = ("multicluster.x-k8s.io/v1alpha1", "ServiceImport");

#[derive(Default)]
struct Runs {
    accepted: Vec<Duration>,
    workloads: Vec<Duration>,
    all: Vec<Duration>,
    bindings: usize,
    calls: Calls,
}

impl Runs {
    /// `count` bindings are there when it is done.
    fn await_health(&mut self, kubectl: &Kubectl, namespace: &str, count: usize, began: Instant) {
        let [workloads, all] = hand::healthy(kubectl, namespace, SERVICES, count, began);
        self.workloads.push(workloads);
        self.all.push(all);
        self.bindings = hand::bindings(kubectl, namespace).0.len();
    }

    fn row(&self, table: &mut Table, who: &str) {
        let cells = [
            told(median(&self.accepted)),
            told(median(&self.workloads)),
            told(median(&self.all)),
            self.bindings.to_string(),
            calls(&self.calls),
        ];
        let mut row = vec![who];
        row.extend(cells.iter().map(String::as_str));
        table.add(&row);
    }
}

async fn by_smo(testbed: &Testbed) -> Runs {
    let fleet = connect(testbed).await;
    let kubectl = testbed.kubectl();
    let mut runs = Runs::default();
    for run in 0..RUNS {
        let project = format!("chain-smo-{run}");
        let specs: Vec<_> = (1..=SERVICES)
            .map(|number| {
                let importers: &[&str] = if number == 1 { &[] } else { &["m1"] };
                let values =
                    json!({"ports": [{"name": "http", "port": 80}], "serviceImportClusters": importers});
                image(&format!("{project}/chain/s{number}"), values, &[("m1", 1)])
            })
            .collect();
        let act = Act::begin(testbed);
        let began = Instant::now();
        let applied = specs.iter().map(|spec| fleet.apply(spec));
        futures::future::try_join_all(applied).await.unwrap();
        runs.accepted.push(act.elapsed());
        runs.calls = act.smo();
        runs.await_health(&kubectl, &project, 1, began);
        let removed = specs.iter().map(|spec| fleet.remove(&spec.service));
        futures::future::try_join_all(removed).await.unwrap();
        hand::clear(&kubectl, &project);
        rest().await;
    }
    runs
}

/// Karmada's limits fill up again while nothing happens.
async fn rest() {
    tokio::time::sleep(Duration::from_secs(4)).await;
}

async fn by_hand(testbed: &Testbed, name: &str, objects: fn(&str, &str) -> Vec<Value>) -> Runs {
    let kubectl = testbed.kubectl();
    let mut runs = Runs::default();
    for run in 0..RUNS {
        let project = format!("chain-{name}-{run}");
        let mut items = vec![hand::namespace(&project)];
        items.extend((1..=SERVICES).flat_map(|number| objects(&project, &format!("s{number}"))));
        let act = Act::begin(testbed);
        let began = Instant::now();
        kubectl.apply(&hand::list(&items)).unwrap();
        runs.accepted.push(act.elapsed());
        runs.calls = act.kubectl();
        let bound = items.len()
            - 1
            - items
                .iter()
                .filter(|item| item["kind"] == "PropagationPolicy")
                .count();
        runs.await_health(&kubectl, &project, bound, began);
        hand::clear(&kubectl, &project);
        rest().await;
    }
    runs
}

/// As the demo's charts have it: everything for every service, each kind with a policy of its own.
fn full(project: &str, name: &str) -> Vec<Value> {
    let mut objects = vec![hand::deployment(project, name)];
    objects.extend(hand::reachable(project, name));
    let policy = |suffix: &str, kinds: &[(&str, &str)]| {
        hand::policy(project, &format!("{name}{suffix}"), name, kinds, "m1")
    };
    objects.push(policy("", &[WORKLOAD, SERVICE, EXPORT]));
    objects.push(policy("-import", &[IMPORT]));
    objects
}

/// Nothing but the workload and its policy: nobody can call anybody.
fn bare(project: &str, name: &str) -> Vec<Value> {
    vec![
        hand::deployment(project, name),
        hand::policy(project, name, name, &[WORKLOAD], "m1"),
    ]
}

pub(crate) async fn measure(page: &mut Page, testbed: &Testbed) {
    let mut table = Table::new(&[
        "who",
        "call returns",
        "12 workloads healthy",
        "all bindings healthy",
        "bindings",
        "requests",
    ]);
    let ours = by_smo(testbed).await;
    let theirs = by_hand(testbed, "full", full).await;
    let least = by_hand(testbed, "bare", bare).await;
    ours.row(&mut table, "smo");
    theirs.row(&mut table, "`kubectl apply`, every object for every service");
    least.row(&mut table, "`kubectl apply`, workloads and policies alone");
    let ratio = median(&ours.workloads).as_secs_f64() / median(&theirs.workloads).as_secs_f64();
    page.section(
        "A chain of twelve services",
        &format!(
            "Plain images in one cluster, each but the first imported where its caller runs; Karmada's controllers have their \
             default limits (40 requests a second), which every binding costs several of. Workloads are healthy after \
             {ratio:.2} of the time that the full set takes by hand.\n\n{}",
            table.text()
        ),
    );
}
