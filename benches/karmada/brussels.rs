//! The Brussels demo: two applications at once, a virtual object that waits for its alert.

use std::time::{Duration, Instant};

use smo_testbed::Calls;

use crate::charts::Chart;
use crate::hand;
use crate::measure::{Act, RUNS, calls, median, told};
use crate::page::{Page, Table};
use crate::stage::Stage;

const SERVICES: &str = include_str!("brussels.yaml");

#[derive(Default)]
struct Runs {
    accepted: Vec<Duration>,
    healthy: Vec<Duration>,
    bindings: usize,
    own: Calls,
    helm: Calls,
}

impl Runs {
    fn row(&self, table: &mut Table, who: &str) {
        let cells = [
            told(median(&self.accepted)),
            told(median(&self.healthy)),
            told(self.healthy.iter().max().copied().unwrap_or_default()),
            self.bindings.to_string(),
            calls(&self.own),
            calls(&self.helm),
        ];
        let mut row = vec![who];
        row.extend(cells.iter().map(String::as_str));
        table.add(&row);
    }
}

async fn by_smo(helm: &str) -> Runs {
    let mut runs = Runs::default();
    for run in 0..RUNS {
        let mut stage = Stage::with_helm(&format!("report-{helm}-{run}"), helm)
            .await
            .unwrap();
        push(&stage).await;
        let graph = stage.graph("image-detection-graph", SERVICES).await;
        let act = Act::begin(stage.testbed);
        let deployed = stage.orchestrator.deploy(&graph, &stage.planner).await;
        deployed.unwrap_or_else(|error| panic!("{}", crate::stage::told(&error)));
        runs.accepted.push(act.elapsed());
        runs.own = act.smo();
        runs.helm = act.helm();
        runs.bindings = stage.all_bindings_healthy(&[]);
        runs.healthy.push(act.elapsed());
        stage.remove(&graph).await;
    }
    runs
}

/// The same charts with the same values, one `helm install` after the other, as in a runbook.
async fn by_hand() -> Runs {
    let mut runs = Runs::default();
    for run in 0..RUNS {
        let stage = Stage::with_helm(&format!("report-hand-{run}"), "helm4")
            .await
            .unwrap();
        push(&stage).await;
        let project = stage.project().to_owned();
        let act = Act::begin(stage.testbed);
        for (chart, cluster, importers) in [("noise-reduction", "m1", "m1"), ("image-detection", "m2", "m1")]
        {
            let place = format!("{}/{chart}", stage.shelf);
            let to = format!("clustersAffinity={{{cluster}}}");
            let importers = format!("serviceImportClusters={{{importers}}}");
            let arguments = [
                "upgrade",
                "--install",
                chart,
                &place,
                "--version",
                "0.1.0",
                "--plain-http",
                "--namespace",
                &project,
                "--create-namespace",
                "--set",
                &to,
                "--set",
                &importers,
            ];
            hand::helm(stage.testbed, &arguments);
        }
        runs.accepted.push(act.elapsed());
        runs.helm = act.helm();
        runs.bindings = stage.all_bindings_healthy(&[]);
        runs.healthy.push(act.elapsed());
        let began = Instant::now();
        for chart in ["noise-reduction", "image-detection"] {
            hand::helm(stage.testbed, &["uninstall", chart, "--namespace", &project]);
        }
        stage.nothing_left().await;
        eprintln!("report: removed by hand after {}", told(began.elapsed()));
    }
    runs
}

/// Seconds to all bindings healthy.
const GOAL: f64 = 2.0;

async fn push(stage: &Stage) {
    stage
        .push(&Chart::virtual_object("image-compression-vo", "0.1.0"))
        .await;
    stage.push(&Chart::app("noise-reduction", "0.1.0")).await;
    stage.push(&Chart::app("image-detection", "0.1.0")).await;
}

pub(crate) async fn measure(page: &mut Page) {
    let mut table = Table::new(&[
        "who",
        "call returns",
        "all bindings healthy",
        "slowest run",
        "bindings",
        "requests of its own",
        "requests of Helm",
    ]);
    let (ours, third, theirs) = (by_smo("helm4").await, by_smo("helm3").await, by_hand().await);
    ours.row(&mut table, "smo, Helm 4");
    third.row(&mut table, "smo, Helm 3");
    theirs.row(&mut table, "`helm upgrade --install`, twice");
    let [ours, theirs] = [&ours, &theirs].map(|runs| median(&runs.healthy).as_secs_f64());
    let verdict = if ours <= GOAL { "reached" } else { "missed" };
    page.section(
        "Brussels demo",
        &format!(
            "Charts from an OCI registry; two applications are installed, the virtual object waits for its alert. smo reads the \
             fleet, decides, checks for policies of others, installs, and returns when its services are healthy; by hand the \
             clusters are given and nothing is checked. The goal of {GOAL} s is {verdict}: smo takes {:.2} of the time by \
             hand, and what both wait for is Karmada, whose controllers spend several of their 40 requests a second on \
             each of the bindings that the charts ask for.\n\n{}",
            ours / theirs,
            table.text()
        ),
    );
}
