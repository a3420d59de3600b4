//! Solved cases of the predecessor's replica model, where the reference folder is there.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeSet;

use serde_json::Value as Json;
use smo_core::resources::{ResourceName, Resources};
use smo_core::scaling::{
    ClusterRoom, ExactScaler, ScalingDecision, ScalingGoals, ScalingProblem, ServiceLoad, Throughput, decide,
};
use smo_core::units::Rate;
use smo_core::value::Weight;

mod oracle_support;
use oracle_support::{cases, number, thousandths};

fn problem(case: &Json, bounded: bool) -> ScalingProblem {
    let input = &case["input"];
    let weight = |name: &str| Weight::from_points(number(&input["weights"][name])).unwrap();
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
        let at = |name: &str| number(&input[name][index]);
        let count = |name: &str| u32::try_from(input[name][index].as_u64().unwrap()).unwrap();
        let requires = match input["acceleration"][index].as_bool().unwrap() {
            true => BTreeSet::from([ResourceName::new(ResourceName::NVIDIA_GPU)]),
            false => BTreeSet::new(),
        };
        let service = ServiceLoad {
            load: Rate::from_f64(at("request_rates")).unwrap(),
            throughput: Throughput::new(at("alpha"), at("beta")).unwrap(),
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
            let wanted = number(&expected["objective"]);
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
        list.iter().map(number).collect()
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
        sum += number(&input["weights"]["util"]) * replicas * cpu[index] / unit;
        let change = (previous[index] - replicas).abs() / maximum[index];
        sum += number(&input["weights"]["trans"]) * change;
    }
    sum
}

#[test]
fn every_case_is_solved_as_the_predecessor_should_have() {
    for case in cases("scaling.jsonl") {
        let id = case["id"].as_str().unwrap();
        check(id, &case, false, &case["expected"]);
        check(&format!("{id} bounded"), &case, true, &case["expected_bounded"]);
    }
}

#[test]
fn the_default_scales_down_and_keeps_the_bounds() {
    let mut scaled_down = 0;
    let cases = cases("scaling.jsonl");
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
