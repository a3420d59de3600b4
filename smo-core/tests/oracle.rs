//! Solved cases of the predecessor's placement and carbon models, where the reference folder is there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeSet;

use serde_json::Value as Json;
use smo_core::cluster::{CarbonProfile, Intensity};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    Assignment, ClusterSupply, FirstFit, Goal, Goals, GreenConsolidation, MilpPlacer, Outcome, Placement,
    PlacementProblem, Placer, ServiceDemand, Status, Weight, decide,
};
use smo_core::resources::{ResourceName, Resources};

mod oracle_support;
use oracle_support::{cases, number, thousandths};

/// A case as a problem; memory only where asked for.
fn problem(case: &Json, with_memory: bool) -> PlacementProblem {
    let input = &case["input"];
    let mut problem = PlacementProblem::default();
    let mut names: Vec<ClusterName> = Vec::new();
    for cluster in input["clusters"].as_array().unwrap() {
        let mut capacity = Resources::new().with(ResourceName::CPU, thousandths(&cluster["cpu"]));
        if with_memory {
            capacity.set(ResourceName::MEMORY, cluster["ram"].as_u64().unwrap() << 20);
        }
        if cluster["gpu"].as_bool().unwrap() {
            capacity.set(ResourceName::NVIDIA_GPU, 1);
        }
        let carbon = CarbonProfile {
            intensity: Intensity::average(number(&cluster["carbon"])),
            pue: 1.0,
            watts_per_core: 1000.0,
        };
        let name: ClusterName = cluster["name"].as_str().unwrap().parse().unwrap();
        names.push(name.clone());
        problem.clusters.insert(
            name,
            ClusterSupply {
                capacity,
                carbon: Some(carbon),
                ..ClusterSupply::default()
            },
        );
    }
    let services = input["services"].as_array().unwrap();
    for (service, current) in services.iter().zip(input["current"].as_array().unwrap()) {
        let key: ServiceKey = format!("p/g/{}", service["name"].as_str().unwrap())
            .parse()
            .unwrap();
        let replicas = u32::try_from(service["replicas"].as_u64().unwrap()).unwrap();
        let mut per_replica = Resources::new().with(ResourceName::CPU, thousandths(&service["cpu"]));
        if with_memory {
            per_replica.set(ResourceName::MEMORY, service["ram"].as_u64().unwrap() << 20);
        }
        let requires = if service["gpu"].as_bool().unwrap() {
            BTreeSet::from([ResourceName::new(ResourceName::NVIDIA_GPU)])
        } else {
            BTreeSet::new()
        };
        if let Some(current) = current.as_u64() {
            problem.current.set(
                key.clone(),
                Assignment::single(names[current as usize].clone(), replicas),
            );
        }
        problem.services.insert(
            key,
            ServiceDemand {
                replicas,
                per_replica,
                requires,
                ..ServiceDemand::default()
            },
        );
    }
    let weight = |name: &str| Weight::from_points(number(&input["weights"][name])).unwrap();
    problem.goals = Goals::none()
        .with(Goal::Placements, weight("dep"))
        .with(Goal::Moves, weight("re"))
        .with(Goal::Carbon, weight("carbon"));
    problem
}

/// Compares with a proved optimum; true when the decision proves it too. Otherwise its value and bound enclose it.
fn is_closed(id: &str, placer: &dyn Placer, problem: &PlacementProblem, expected: &Json) -> bool {
    let outcome = decide(placer, problem).unwrap();
    match (expected["status"].as_str().unwrap(), outcome) {
        ("optimal", Outcome::Placed(decision)) => {
            let wanted = number(&expected["objective"]);
            let tolerance = 1e-6 * wanted.abs().max(1.0);
            let value = decision.value.points();
            let bound = decision.bound.unwrap().points();
            assert!(
                bound <= wanted + tolerance,
                "{id}: bound {bound} but the optimum is {wanted}"
            );
            assert!(
                value >= wanted - tolerance,
                "{id}: value {value} but the optimum is {wanted}"
            );
            let optimal = decision.status == Status::Optimal;
            assert!(
                !optimal || (value - wanted).abs() <= tolerance,
                "{id}: {value} but the optimum is {wanted}"
            );
            assert!(
                value <= wanted + 0.03 * wanted.abs() + tolerance,
                "{id}: {value} is far from {wanted}"
            );
            optimal
        }
        ("infeasible", Outcome::Infeasible(diagnosis)) => {
            assert!(diagnosis.proved, "{id}\n{diagnosis}");
            true
        }
        (status, outcome) => panic!("{id} is {status}, got {outcome:?}"),
    }
}

/// The cases that a placer does not close.
fn open_cases(placer: &dyn Placer) -> Vec<String> {
    let mut open = Vec::new();
    for case in cases("placement.jsonl").iter().chain(&cases("carbon.jsonl")) {
        let id = case["id"].as_str().unwrap().to_owned();
        if !is_closed(&id, placer, &problem(case, false), &case["expected"]) {
            open.push(id.clone());
        }
        if let Some(expected) = case.get("expected_ram").filter(|expected| !expected.is_null()) {
            let id = format!("{id} with memory");
            if !is_closed(&id, placer, &problem(case, true), expected) {
                open.push(id);
            }
        }
    }
    open
}

#[test]
fn milp_finds_the_proved_optima() {
    assert_eq!(open_cases(&MilpPlacer::default()), Vec::<String>::new());
}

/// The same with HiGHS as the last step.
#[cfg(feature = "highs")]
#[test]
fn highs_finds_every_proved_optimum() {
    let solver = smo_core::milp::HighsSolver::default();
    let placer = MilpPlacer::new(Box::new(solver)).with_max_variables(5_000);
    assert_eq!(open_cases(&placer), Vec::<String>::new());
}

/// The cluster numbers of a placement, in the order of the services.
fn numbers(problem: &PlacementProblem, placement: &Placement) -> Vec<u64> {
    let number = |service| {
        let cluster = placement.get(service).unwrap().clusters().next().unwrap();
        problem.clusters.get_index_of(cluster).unwrap() as u64
    };
    problem.services.keys().map(number).collect()
}

fn differing(placer: &dyn Placer, name: &str) -> Vec<String> {
    let mut differing = Vec::new();
    for case in cases("placement.jsonl").iter().chain(&cases("carbon.jsonl")) {
        let problem = problem(case, false);
        let expected = &case["heuristics"][name];
        let found = match decide(placer, &problem).unwrap() {
            Outcome::Placed(decision) => Some(numbers(&problem, &decision.placement)),
            Outcome::Infeasible(_) => None,
        };
        let wanted: Option<Vec<u64>> = expected["assignment"]
            .as_array()
            .map(|list| list.iter().map(|cluster| cluster.as_u64().unwrap()).collect());
        if found != wanted {
            differing.push(format!("{} {found:?} {wanted:?}", case["id"].as_str().unwrap()));
        }
    }
    differing
}

#[test]
fn first_fit_is_the_predecessors() {
    assert_eq!(differing(&FirstFit::smo(), "naive"), Vec::<String>::new());
}

#[test]
fn green_consolidation_is_the_predecessors() {
    assert_eq!(differing(&GreenConsolidation, "green"), Vec::<String>::new());
}
