//! Every stage of the main job at 3, 30 and 300 services on 3, 10 and 50 clusters.
//!
//! `cargo bench --bench pipeline`; one stage with `-- place`.

#![allow(clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use smo::placement::{PlacementProblem, decide};
use smo::{
    Catalog, Descriptor, FirstFit, Goals, GraphKey, GreenConsolidation, Inventory, MilpPlacer, Placement,
    Placer, Planner, Project,
};

const SERVICES: [usize; 3] = [3, 30, 300];
const CLUSTERS: [usize; 3] = [3, 10, 50];

/// A chain of services of mixed classes, every tenth with a GPU.
fn descriptor(services: usize) -> String {
    let mut text = "hdaGraph:\n  imVersion: 0.4.0\n  id: bench\n  version: 1.0.0\n  services:\n".to_owned();
    for index in 0..services {
        let class = ["light", "small", "medium"][index % 3];
        let next = if index + 1 < services {
            format!("s{}", index + 1)
        } else {
            String::new()
        };
        let _ = writeln!(
            text,
            "    - id: s{index}\n      deployment:\n        trigger: {{auto: {{dependencies: []}}}}\n        intent:\n          \
             compute: {{cpu: {class}, ram: {class}, storage: small, gpu: {{enabled: {gpu}}}}}\n          connectionPoints: [{next}]\n      \
             artifact: {{ociImage: 'oci://registry.example.com/bench/s{index}:1.0.0', ociConfig: {{type: App, implementer: HELM}}, valuesOverwrite: {{}}}}",
            gpu = index % 10 == 9,
        );
    }
    text
}

/// Clusters of unlike price and carbon that together hold about twice what 300 services ask for at 50, and just enough below.
fn fleet(clusters: usize, services: usize) -> String {
    let cores = (services * 3).div_ceil(clusters) + 8;
    let mut text = "fleet:\n  clusters:\n".to_owned();
    for index in 0..clusters {
        let _ = writeln!(
            text,
            "    - {{name: c{index}, region: r{}, allocatable: {{cpu: {}, memory: {}Gi, storage: 10T, nvidia.com/gpu: {}}}, \
             price: {{cpu: 0.0{}, memory: 0.004}}, carbon: {{intensity: {}, pue: 1.2}}}}",
            index % 5,
            cores + index % 7,
            cores * 4,
            services / 5 + 2,
            11 + index * 7 % 60,
            40 + index * 37 % 500,
        );
    }
    text
}

fn stages(criterion: &mut Criterion) {
    for services in SERVICES {
        let text = descriptor(services);
        let parsed = Descriptor::parse(&text).expect("the generated descriptor");
        let graph = parsed.validate().expect("the generated graph");
        criterion.bench_function(&format!("parse/{services}"), |bench| {
            bench.iter(|| Descriptor::parse(black_box(&text)))
        });
        criterion.bench_function(&format!("validate/{services}"), |bench| {
            bench.iter(|| black_box(&parsed).validate())
        });
        for clusters in CLUSTERS {
            let fleet = Inventory::parse(&fleet(clusters, services)).expect("the generated fleet");
            let requirements = smo::intent::translate(&graph, &Catalog::default()).expect("known classes");
            let key = GraphKey::new(Project::default(), graph.id().clone());
            let problem = PlacementProblem::pose(
                &fleet,
                &[(key, &requirements)],
                &Placement::new(),
                Goals::default(),
            )
            .expect("a consistent problem");
            let placers: [(&str, Box<dyn Placer>); 3] = [
                ("milp", Box::new(MilpPlacer::default())),
                ("first-fit", Box::new(FirstFit::new())),
                ("green", Box::new(GreenConsolidation)),
            ];
            let mut group = criterion.benchmark_group("place");
            group.sample_size(10);
            for (name, placer) in &placers {
                group.bench_function(
                    BenchmarkId::new(*name, format!("{services}x{clusters}")),
                    |bench| {
                        bench.iter(|| decide(placer.as_ref(), black_box(&problem)));
                    },
                );
            }
            group.finish();
            let planner = Planner::new();
            let plan = planner.plan(&graph, &fleet).expect("a feasible fleet");
            let state = plan.expected_state();
            let mut group = criterion.benchmark_group("plan");
            group.sample_size(10);
            group.bench_function(format!("{services}x{clusters}"), |bench| {
                bench.iter(|| planner.plan(black_box(&graph), black_box(&fleet)));
            });
            group.finish();
            criterion.bench_function(&format!("diff/{services}x{clusters}"), |bench| {
                bench.iter(|| black_box(&plan).diff(black_box(&state)));
            });
        }
    }
}

criterion_group!(benches, stages);
criterion_main!(benches);
