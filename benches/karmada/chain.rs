//! A chain of twelve services in one cluster, each but the first called by the one before it.

use std::time::{Duration, Instant};

use serde_json::Value;
use smo_testbed::{Calls, Kubectl, Testbed};

use crate::hand;
use crate::measure::{Act, RUNS, calls, median, told};
use crate::page::{Page, Table};
use crate::stage::{SMALL, Stage, service, told as told_error};

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

/// The whole way: read the fleet, decide, plan, write in waves, wait until all of it is healthy.
async fn by_smo() -> Runs {
    let mut runs = Runs::default();
    for run in 0..RUNS {
        let mut stage = Stage::new(&format!("chain-smo-{run}")).await.unwrap();
        let name = |number: usize| format!("s{number:02}");
        let services = (1..=SERVICES).map(|number| {
            let next = name(number + 1);
            let calls: &[&str] = if number < SERVICES { &[&next] } else { &[] };
            let image = "docker://registry.example.com/web:1";
            service(&name(number), image, SMALL, calls, "ports: [{port: 80}]")
        });
        let services: String = services.collect();
        let graph = stage.graph("chain", &services).await;
        let kubectl = stage.testbed.kubectl();
        let project = stage.project().to_owned();
        let act = Act::begin(stage.testbed);
        let began = Instant::now();
        let deploying = stage.orchestrator.deploy(&graph, &stage.planner);
        let watching = {
            let (kubectl, project) = (kubectl.clone(), project.clone());
            tokio::task::spawn_blocking(move || hand::healthy(&kubectl, &project, SERVICES, SERVICES, began))
        };
        deploying
            .await
            .unwrap_or_else(|error| panic!("{}", told_error(&error)));
        runs.accepted.push(act.elapsed());
        runs.calls = act.smo();
        let [workloads, all] = watching.await.unwrap();
        runs.workloads.push(workloads);
        runs.all.push(all);
        runs.bindings = hand::bindings(&kubectl, &project).0.len();
        stage.remove(&graph).await;
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
    let ours = by_smo().await;
    let theirs = by_hand(testbed, "full", full).await;
    let least = by_hand(testbed, "bare", bare).await;
    ours.row(&mut table, "smo");
    theirs.row(&mut table, "`kubectl apply`, every object for every service");
    least.row(&mut table, "`kubectl apply`, workloads and policies alone");
    let ratio = median(&ours.workloads).as_secs_f64() / median(&theirs.workloads).as_secs_f64();
    page.section(
        "A chain of twelve services",
        &format!(
            "Plain images that smo places by cost, all in one cluster; each but the first is called by the one before it. smo's time \
             is that of the whole way: reading the fleet, deciding, writing in waves. Karmada's controllers have their \
             default limits (40 requests a second), which every binding costs several of. Workloads are healthy after \
             {ratio:.2} of the time that the full set takes by hand.\n\n{}",
            table.text()
        ),
    );
}
