//! One scaling decision, 1 to 100 services, with and without scarce room: `explained` from problem to explained answer,
//! `counts` in memory that is kept, as in a loop (`smo-core/tests/scaling_allocations.rs`: it allocates nothing).
//!
//! `cargo bench --bench scaling`; one case with `-- counts/predecessor/scarce/20`.

#![allow(clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use smo::resources::{ResourceName, Resources};
use smo::scaling::{
    ClusterRoom, ExactScaler, Scaler, ScalingDecision, ScalingGoals, ScalingProblem, ScalingWorkspace,
    ServiceLoad, Throughput,
};
use smo::units::Rate;

/// Services of unlike cpu and model on one cluster, or each on two of `clusters`, with `percent` of the cpu that would
/// let them keep what runs.
fn problem(services: u64, clusters: u64, percent: u64, goals: ScalingGoals) -> ScalingProblem {
    let mut problem = ScalingProblem {
        goals,
        ..ScalingProblem::default()
    };
    let mut cpu = 0;
    for index in 0..services {
        let per_replica = 50 * (1 + index * 7 % 37);
        let current = u32::try_from(2 + index * 5 % 9).expect("small");
        cpu += per_replica * u64::from(current);
        let on = |offset: u64| {
            format!("c{}", (index + offset) % clusters)
                .parse()
                .expect("a name")
        };
        let mut on_clusters = [(on(0), current)].into_iter().collect();
        if clusters > 1 {
            let map: &mut indexmap::IndexMap<_, _> = &mut on_clusters;
            map.insert(on(1), 0);
        }
        let service = ServiceLoad {
            load: Rate::from_base(i64::try_from(11_000_000 * (1 + index % 4)).expect("small")),
            throughput: Throughput::new(20.0, -3.0).expect("a model"),
            min: 1,
            max: 12,
            per_replica: Resources::new()
                .with(ResourceName::CPU, per_replica)
                .with(ResourceName::MEMORY, (64 + index * 13 % 200) << 20),
            requires: BTreeSet::new(),
            clusters: on_clusters,
        };
        problem
            .services
            .insert(format!("p/g/s{index}").parse().expect("a key"), service);
    }
    for index in 0..clusters {
        let capacity = Resources::new()
            .with(ResourceName::CPU, (cpu * percent / 100 / clusters).max(50))
            .with(ResourceName::MEMORY, 1 << 42);
        let room = ClusterRoom {
            capacity,
            ..ClusterRoom::default()
        };
        problem
            .clusters
            .insert(format!("c{index}").parse().expect("a name"), room);
    }
    problem
}

fn decisions(criterion: &mut Criterion) {
    let scaler = ExactScaler::new();
    for services in [1, 20, 100] {
        for (name, clusters, percent, goals) in [
            ("default/one-cluster", 1, 120, ScalingGoals::default()),
            ("default/two-of-four-clusters", 4, 120, ScalingGoals::default()),
            ("predecessor/ample", 1, 120, ScalingGoals::smo()),
            ("predecessor/scarce", 1, 80, ScalingGoals::smo()),
        ] {
            let problem = problem(services, clusters, percent, goals);
            let answer = scaler.decide(&problem).expect("a sound problem");
            assert!(
                matches!(&answer, ScalingDecision::Scale(targets) if targets.is_optimal()),
                "{name}: {answer}"
            );
            let id = BenchmarkId::new(format!("explained/{name}"), services);
            criterion.bench_with_input(id, &problem, |bench, problem| {
                bench.iter(|| scaler.decide(black_box(problem)))
            });
            let mut workspace = ScalingWorkspace::default();
            let id = BenchmarkId::new(format!("counts/{name}"), services);
            criterion.bench_with_input(id, &problem, |bench, problem| {
                bench.iter(|| {
                    let counts = scaler.counts(black_box(problem), &mut workspace);
                    counts.map(|counts| counts.map(|counts| counts.value))
                })
            });
        }
    }
}

criterion_group!(benches, decisions);
criterion_main!(benches);
