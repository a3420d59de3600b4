//! A decision in memory that is kept allocates nothing: not for one cluster, not where room is scarce, not for several.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use smo_core::cluster::Price;
use smo_core::resources::{ResourceName, Resources};
use smo_core::scaling::{
    ClusterRoom, ExactScaler, ScalingGoals, ScalingProblem, ScalingWorkspace, ServiceLoad, Throughput,
};
use smo_core::units::{Money, Rate};

/// Services of unlike sizes, every third with a GPU, each on `each` of `clusters`, that now run what takes `cpu` in all;
/// the clusters have `percent` of that.
fn problem(services: u64, clusters: u64, each: u64, percent: u64, goals: ScalingGoals) -> ScalingProblem {
    let mut problem = ScalingProblem {
        goals,
        ..ScalingProblem::default()
    };
    let mut cpu = 0;
    for index in 0..services {
        let per_replica = 100 * (1 + index * 7 % 11);
        let current = u32::try_from(2 + index * 5 % 4).unwrap();
        cpu += per_replica * u64::from(current);
        let mut resources = Resources::new()
            .with(ResourceName::CPU, per_replica)
            .with(ResourceName::MEMORY, (64 + index) << 20);
        if index % 3 == 0 {
            resources.set(ResourceName::NVIDIA_GPU, 1);
        }
        let at = |offset: u64| format!("c{}", (index + offset) % clusters).parse().unwrap();
        let service = ServiceLoad {
            load: Rate::from_base(25_000_000),
            throughput: Throughput::new(20.0, -3.0).unwrap(),
            min: 1,
            max: 12,
            per_replica: resources,
            requires: BTreeSet::new(),
            clusters: (0..each)
                .map(|offset| (at(offset), if offset == 0 { current } else { 0 }))
                .collect(),
        };
        problem
            .services
            .insert(format!("p/g/s{index}").parse().unwrap(), service);
    }
    for index in 0..clusters {
        let capacity = Resources::new()
            .with(ResourceName::CPU, cpu * percent / 100 / clusters)
            .with(ResourceName::MEMORY, 1 << 40)
            .with(ResourceName::NVIDIA_GPU, 100);
        let price = Price::free().with(
            ResourceName::CPU,
            Money::from_base(10_000_000 + i64::try_from(index).unwrap()),
        );
        problem.clusters.insert(
            format!("c{index}").parse().unwrap(),
            ClusterRoom { capacity, price },
        );
    }
    problem
}

/// Decides again and again under other loads; how many answers there were, and what was allocated.
fn loops(mut problem: ScalingProblem) -> (usize, u64) {
    let scaler = ExactScaler::new();
    let mut workspace = ScalingWorkspace::default();
    let mut answers = 0;
    let mut decide = |load: i64, answers: &mut usize| {
        for service in problem.services.values_mut() {
            service.load = Rate::from_base(load * 1_000_000);
        }
        let counts = scaler.counts(&problem, &mut workspace).unwrap();
        *answers += usize::from(counts.is_some_and(|counts| counts.is_optimal()));
    };
    // What is largest comes first: the memory then suffices.
    (18..38).rev().for_each(|load| decide(load, &mut 0));
    let info = allocation_counter::measure(|| (18..38).for_each(|load| decide(load, &mut answers)));
    (answers, info.count_total)
}

#[test]
fn a_loop_of_decisions_allocates_nothing() {
    let money = ScalingGoals::default();
    for (name, problem) in [
        ("closed form", problem(20, 1, 1, 200, money)),
        ("predecessor, ample", problem(20, 1, 1, 200, ScalingGoals::smo())),
        ("predecessor, scarce", problem(20, 1, 1, 80, ScalingGoals::smo())),
        ("divided over clusters", problem(20, 4, 2, 200, money)),
        ("divided, scarce", problem(8, 3, 2, 95, money)),
    ] {
        let (answers, allocated) = loops(problem);
        assert_eq!(answers, 20, "{name}: every decision has a proved answer");
        assert_eq!(allocated, 0, "{name}");
    }
}

#[test]
fn the_counter_counts() {
    let info = allocation_counter::measure(|| drop(std::hint::black_box(vec![1_u8; 100])));
    assert_eq!(info.count_total, 1);
    // A workspace that is not kept has to get its memory anew.
    let problem = problem(20, 1, 1, 200, ScalingGoals::default());
    let decide = || {
        let mut workspace = ScalingWorkspace::default();
        let _ = ExactScaler::new().counts(&problem, &mut workspace);
    };
    assert!(allocation_counter::measure(decide).count_total > 5);
}
