//! A small question of placement is decided in microseconds, so what it allocates counts: little for the whole, and at most one
//! piece for a pair of service and cluster.

#![allow(clippy::unwrap_used)]

use smo_core::cluster::{CarbonProfile, Intensity};
use smo_core::placement::{
    Assignment, ClusterSupply, Goals, MilpPlacer, PlacementProblem, ServiceDemand, solve,
};
use smo_core::resources::{ResourceName, Resources};

/// Services of one core each on clusters of unlike carbon, the first with room for all of them.
fn problem(services: usize, clusters: u32) -> PlacementProblem {
    let mut problem = PlacementProblem {
        goals: Goals::smo_carbon(),
        ..PlacementProblem::default()
    };
    for index in 0..clusters {
        let supply = ClusterSupply {
            capacity: Resources::new().with(ResourceName::CPU, 1000 * services as u64),
            carbon: Some(CarbonProfile {
                intensity: Intensity::average(f64::from(index + 1)),
                pue: 1.0,
                watts_per_core: 1000.0,
            }),
            ..ClusterSupply::default()
        };
        problem
            .clusters
            .insert(format!("c{index}").parse().unwrap(), supply);
    }
    for index in 0..services {
        let demand = ServiceDemand {
            replicas: 1,
            per_replica: Resources::new().with(ResourceName::CPU, 1000),
            ..ServiceDemand::default()
        };
        let key: smo_core::id::ServiceKey = format!("p/g/s{index}").parse().unwrap();
        let last = format!("c{}", clusters - 1).parse().unwrap();
        problem.current.set(key.clone(), Assignment::single(last, 1));
        problem.services.insert(key, demand);
    }
    problem
}

/// How often memory is allocated to solve it.
fn allocated(problem: &PlacementProblem) -> u64 {
    let placer = MilpPlacer::default();
    let info = allocation_counter::measure(|| {
        let solution = solve(&placer, problem).unwrap().into_solution().unwrap();
        assert!(solution.is_optimal());
        assert!(
            solution
                .placement
                .iter()
                .all(|(_, there)| there.on(&"c0".parse().unwrap()) == 1)
        );
    });
    // the names that are asked for above
    info.count_total - problem.services.len() as u64
}

#[test]
fn small_questions_allocate_little() {
    let small = allocated(&problem(3, 3));
    assert!(small <= 60, "{small} allocations");
    let wide = allocated(&problem(3, 30)) - small;
    assert!(wide <= 100, "{wide} allocations for 81 more pairs");
}
