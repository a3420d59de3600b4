//! Solved cases of the predecessor's replica model, where the reference folder is there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;
use smo_core::resources::{ResourceName, Resources};
use smo_core::scaling::{
    ClusterRoom, ExactScaler, ScalingDecision, ScalingGoals, ScalingProblem, ServiceLoad, Throughput, decide,
};
use smo_core::units::Rate;
use smo_core::value::Weight;

/// The cases; none, with a line that says so, where the reference folder is missing.
fn cases() -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/oracle/scaling.jsonl");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Cores to millicores, requests to thousandths: the cases carry noise of binary floating point.
fn thousandths(value: &Json) -> u64 {
    (value.as_f64().unwrap() * 1000.0).round() as u64
}

fn problem(case: &Json, bounded: bool) -> ScalingProblem {
    let input = &case["input"];
    let weight = |name: &str| Weight::from_points(input["weights"][name].as_f64().unwrap()).unwrap();
    let mut problem = ScalingProblem {
        goals: ScalingGoals::Smo {
            utilisation: weight("util"),
            transition: weight("trans"),
            bounded,
        },
        ..ScalingProblem::default()
    };
    let mut capacity = Resources::new().with(ResourceName::CPU, thousandths(&input["cluster_capacity"]));
    if input["cluster_acceleration"].as_bool().unwrap() {
        capacity.set(ResourceName::NVIDIA_GPU, 1);
    }
    let room = ClusterRoom {
        capacity,
        ..ClusterRoom::default()
    };
    problem.clusters.insert("cluster".parse().unwrap(), room);
    for index in 0..input["request_rates"].as_array().unwrap().len() {
        let number = |name: &str| input[name][index].as_f64().unwrap();
        let count = |name: &str| u32::try_from(input[name][index].as_u64().unwrap()).unwrap();
        let requires = match input["acceleration"][index].as_bool().unwrap() {
            true => BTreeSet::from([ResourceName::new(ResourceName::NVIDIA_GPU)]),
            false => BTreeSet::new(),
        };
        let service = ServiceLoad {
            load: Rate::from_f64(number("request_rates")).unwrap(),
            throughput: Throughput::new(number("alpha"), number("beta")).unwrap(),
            min: 1,
            max: count("maximum_replicas"),
            per_replica: Resources::new().with(ResourceName::CPU, thousandths(&input["cpu_limits"][index])),
            requires,
            clusters: [("cluster".parse().unwrap(), count("previous_replicas"))]
                .into_iter()
                .collect(),
        };
        problem
            .services
            .insert(format!("p/g/s{index}").parse().unwrap(), service);
    }
    problem
}

/// Compares the status and, with floating-point numbers of the case itself, the objective.
fn check(id: &str, case: &Json, bounded: bool, expected: &Json) {
    let problem = problem(case, bounded);
    let decision = decide(&ExactScaler::new(), &problem).unwrap();
    match (expected["status"].as_str().unwrap(), &decision) {
        ("infeasible", ScalingDecision::Replace(replace)) => {
            assert!(replace.proved && !replace.lacks.is_empty(), "{id}\n{replace}");
        }
        ("optimal", ScalingDecision::Scale(targets)) => {
            assert!(targets.is_optimal(), "{id}\n{targets}");
            let wanted = expected["objective"].as_f64().unwrap();
            let found = objective(&case["input"], &decision);
            assert!(
                (found - wanted).abs() <= 1e-6 * wanted.abs().max(1.0),
                "{id}: {found} but the optimum is {wanted}\n{targets}"
            );
            assert!((targets.value.unwrap().points() - found).abs() < 1e-9, "{id}");
        }
        (status, decision) => panic!("{id} is {status}, got\n{decision}"),
    }
}

fn objective(input: &Json, decision: &ScalingDecision) -> f64 {
    let numbers = |name: &str| -> Vec<f64> {
        let list = input[name].as_array().unwrap();
        list.iter().map(|value| value.as_f64().unwrap()).collect()
    };
    let (cpu, maximum, previous) = (
        numbers("cpu_limits"),
        numbers("maximum_replicas"),
        numbers("previous_replicas"),
    );
    let unit = cpu.iter().zip(&maximum).map(|(c, m)| c * m).fold(0.0, f64::max);
    let mut sum = 0.0;
    for (index, target) in decision.services().values().enumerate() {
        let replicas = f64::from(target.replicas());
        sum += input["weights"]["util"].as_f64().unwrap() * replicas * cpu[index] / unit;
        let change = (previous[index] - replicas).abs() / maximum[index];
        sum += input["weights"]["trans"].as_f64().unwrap() * change;
    }
    sum
}

#[test]
fn every_case_is_solved_as_the_predecessor_should_have() {
    for case in cases() {
        let id = case["id"].as_str().unwrap();
        check(id, &case, false, &case["expected"]);
        check(&format!("{id} bounded"), &case, true, &case["expected_bounded"]);
    }
}

#[test]
fn the_default_scales_down_and_keeps_the_bounds() {
    let mut scaled_down = 0;
    let cases = cases();
    for case in &cases {
        let mut problem = problem(case, true);
        problem.goals = ScalingGoals::default();
        if let ScalingDecision::Scale(targets) = decide(&ExactScaler::new(), &problem).unwrap() {
            for (service, target) in problem.services.values().zip(targets.services.values()) {
                let needed = service.throughput.needed(service.load).unwrap().max(service.min);
                assert_eq!(target.replicas(), needed, "{}", case["id"]);
                assert!((service.min..=service.max).contains(&target.replicas()));
                scaled_down += usize::from(target.replicas() < target.current());
            }
        }
    }
    assert!(cases.is_empty() || scaled_down > 20, "{scaled_down}");
}
