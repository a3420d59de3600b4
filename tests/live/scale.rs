//! Exact splits, scaling, and upgrades that keep what runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use smo::ServiceKey;
use smo::backend::ReleaseBackendExt;
use smo::cluster::Health;
use smo::karmada::KarmadaFleet;
use smo::placement::Assignment;

use crate::charts::Chart;
use crate::stage::{LONG, SMALL, Stage, service};

pub(crate) fn on(clusters: &[(&str, u32)]) -> Assignment {
    clusters
        .iter()
        .map(|(cluster, replicas)| (cluster.parse().unwrap(), *replicas))
        .collect()
}

/// Waits until a service is healthy with exactly these replicas.
pub(crate) async fn healthy(fleet: &KarmadaFleet, service: &ServiceKey, wanted: &[(&str, u32)]) {
    let began = Instant::now();
    loop {
        let observed = fleet.release(service).await.unwrap();
        let as_wanted = wanted.iter().all(|(cluster, replicas)| {
            let at = observed.clusters.get(*cluster);
            at.is_some_and(|at| at.ready == *replicas && at.health == Health::Healthy)
        });
        if as_wanted && observed.clusters.len() == wanted.len() {
            return;
        }
        assert!(began.elapsed() < LONG, "{observed:#?}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn owned(wanted: &[(&str, u64)]) -> Vec<(String, u64)> {
    wanted
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scaling_and_upgrades_keep_what_runs() {
    let Some(mut stage) = Stage::new("scale").await else {
        return;
    };
    stage.push(&Chart::app("web", "0.1.0")).await;
    stage.push(&Chart::app("web", "0.2.0")).await;
    let graph = stage
        .graph("shop", &service("web", "SHELF/web:0.1.0", SMALL, &[], ""))
        .await;
    let fleet = stage.fleet().await;
    let key = stage.key(&graph).service("web".parse().unwrap());
    stage.deploy(&graph).await;
    assert_eq!(stage.replicas("web"), owned(&[("m1", 1)]));

    for (split, what) in [
        (&[("m1", 3)][..], "scaled from 1 to 3"),
        (&[("m1", 2), ("m3", 1)], "split exactly 2/1"),
        (&[("m1", 4), ("m3", 2)], "scaled to 4/2"),
        (&[("m1", 3)], "back to 3 in one place"),
    ] {
        stage.lap("quiet");
        let accepted = stage.orchestrator.scale(&key, &on(split)).await;
        accepted.unwrap();
        let decided = stage.lap(&format!("{what}: written"));
        healthy(&fleet, &key, split).await;
        let ran = stage.lap(&format!("{what}: ... and runs"));
        eprintln!(
            "{:>8.2} s  scale: {what}, from the decision",
            (decided + ran).as_secs_f64()
        );
        let counts: Vec<(&str, u64)> = split
            .iter()
            .map(|(name, count)| (*name, u64::from(*count)))
            .collect();
        assert_eq!(stage.replicas("web"), owned(&counts));
    }

    // The chart says 1 replica. Not even for a moment may there be fewer than run.
    let newer = stage
        .graph("shop", &service("web", "SHELF/web:0.2.0", SMALL, &[], ""))
        .await;
    let fewest = Fewest::watch(&stage, "web");
    stage.lap("quiet");
    stage.orchestrator.replan(&newer, &stage.planner).await.unwrap();
    stage.lap("upgraded to 0.2.0 with 3 replicas");
    assert_eq!(fewest.end(), 3, "replicas of the template during the upgrade");
    assert_eq!(stage.replicas("web"), owned(&[("m1", 3)]));
    let there = stage
        .in_member("m1", "/apis/apps/v1/namespaces/scale/deployments/web")
        .unwrap();
    assert_eq!(there["metadata"]["labels"]["version"], "0.2.0");
    stage.remove(&newer).await;
}

/// The fewest replicas that a Deployment in Karmada was ever seen with.
struct Fewest {
    ended: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<u64>,
}

impl Fewest {
    fn watch(stage: &Stage, name: &str) -> Self {
        let ended = Arc::new(AtomicBool::new(false));
        let (kubectl, seen) = (stage.testbed.kubectl(), ended.clone());
        let arguments = ["deployment", name, "--namespace", stage.project()].map(str::to_owned);
        let thread = std::thread::spawn(move || {
            let mut fewest = u64::MAX;
            while !seen.load(Ordering::Relaxed) {
                let found = kubectl.get(&arguments).unwrap();
                fewest = fewest.min(found["spec"]["replicas"].as_u64().unwrap_or(0));
            }
            fewest
        });
        Self { ended, thread }
    }

    fn end(self) -> u64 {
        self.ended.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}
