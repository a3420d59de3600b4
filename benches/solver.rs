//! The solver: questions of placement of three sizes, decided, begun, written and read.
//!
//! `cargo bench --bench solver`; `cargo xtask report solver` measures how good the answers are.

#![allow(clippy::expect_used, missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use smo::placement::{PlaceContext, decide, solve};
use smo::{AutoPlacer, FirstFit, PlacementProblem, Placer};

/// A chain of services on clusters of unlike price, about 70 % full.
fn problem(services: usize, clusters: usize) -> PlacementProblem {
    let cpu = |service: usize| 250 * (1 + service * 7 % 8);
    let needed: usize = (0..services).map(cpu).sum();
    let fair = needed * 10 / 7 / clusters + 2000;
    let service = |number: usize| serde_json::json!({"name": format!("p/g{}/s{number}", number / 10), "perReplica": {"cpu": format!("{}m", cpu(number)), "memory": "1Gi"}});
    let cluster = |number: usize| {
        serde_json::json!({"name": format!("c{number}"), "capacity": {"cpu": format!("{}m", fair + 100 * (number % 7)), "memory": "4Ti"},
            "price": {"cpu": 0.01 * (1 + number * 7 % 9) as f64}})
    };
    let document = serde_json::json!({"problem": {
        "services": (0..services).map(service).collect::<Vec<_>>(),
        "clusters": (0..clusters).map(cluster).collect::<Vec<_>>(),
    }});
    PlacementProblem::parse(&document.to_string()).expect("a sound problem")
}

fn decisions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decide");
    group.sample_size(10);
    for (services, clusters) in [(3, 3), (100, 10), (200, 20)] {
        let problem = problem(services, clusters);
        let size = format!("{services}x{clusters}");
        group.bench_function(BenchmarkId::new("auto", &size), |bench| {
            let placer = AutoPlacer::default();
            bench.iter(|| decide(&placer, black_box(&problem)));
        });
        // the same without explanation
        group.bench_function(BenchmarkId::new("solve", &size), |bench| {
            let placer = AutoPlacer::default();
            bench.iter(|| solve(&placer, black_box(&problem)));
        });
        // the first answer that keeps every rule, without explanation
        group.bench_function(BenchmarkId::new("first answer", &size), |bench| {
            let context = PlaceContext { problem: &problem };
            bench.iter(|| FirstFit::new().place(black_box(&context)));
        });
    }
    group.finish();
}

fn files(criterion: &mut Criterion) {
    let problem = problem(200, 20);
    let text = problem.to_yaml().expect("nothing of it is code");
    criterion.bench_function("file/read 200x20", |bench| {
        bench.iter(|| PlacementProblem::parse(black_box(&text)));
    });
    criterion.bench_function("file/write 200x20", |bench| {
        bench.iter(|| black_box(&problem).to_yaml())
    });
}

criterion_group!(benches, decisions, files);
criterion_main!(benches);
