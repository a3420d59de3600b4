//! Twelve services in a row. What it takes at Karmada's default limits is in the report (`benches/karmada`).

use std::time::Instant;

use crate::stage::{LONG, SMALL, Stage, service, told};

#[tokio::test(flavor = "multi_thread")]
async fn twelve_services_in_a_row() {
    let Some(mut stage) = Stage::new("chain").await else {
        return;
    };
    let name = |number: usize| format!("s{number:02}");
    let services: String = (1..=12)
        .map(|number| {
            let next = name(number + 1);
            let calls = if number < 12 {
                vec![next.as_str()]
            } else {
                Vec::new()
            };
            service(
                &name(number),
                "docker://registry.example.com/web:1",
                SMALL,
                &calls,
                "ports: [{port: 80}]",
            )
        })
        .collect();
    let graph = stage.graph("chain", &services).await;
    stage.lap("ready");
    let began = Instant::now();
    let deploy = stage.orchestrator.deploy(&graph, &stage.planner);
    // Two oracles: workloads, and everything.
    let workloads = async {
        loop {
            let ready = stage.ready_workloads();
            // When it never comes to that, deploy says why.
            if ready == 12 || began.elapsed() > 2 * LONG {
                return began.elapsed();
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let (deployed, workloads) = futures::join!(deploy, workloads);
    let deployed = deployed.unwrap_or_else(|error| panic!("{}", told(&error)));
    let done = began.elapsed();
    let count = stage.all_bindings_healthy(&[]);
    eprintln!(
        "{:>8.2} s  chain: twelve workloads healthy, {:.2} s until deploy returned, {:.2} s until all {count} bindings were healthy",
        workloads.as_secs_f64(),
        done.as_secs_f64(),
        began.elapsed().as_secs_f64()
    );
    assert_eq!(
        deployed.report.steps.iter().filter(|step| step.wave == 1).count(),
        12,
        "{}",
        deployed.report
    );
    stage.lap("all of it there");
    stage.remove(&graph).await;
}
