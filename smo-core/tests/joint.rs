//! Replicas and placement in one decision: a story, refusals, and a comparison with trying everything.

#![allow(clippy::unwrap_used, clippy::panic)]

#[allow(dead_code)]
#[path = "ask/support.rs"]
mod support;

use proptest::prelude::*;
use smo_core::joint::{
    ElasticService, JointError, JointLimits, JointOutcome, JointProblem, decide_jointly,
    decide_jointly_watched, scale_then_place,
};
use smo_core::placement::ask::AskProgress;
use smo_core::placement::rules::Pinning;
use smo_core::placement::{
    AutoPlacer, CustomRule, Exhaustive, FirstFit, MilpPlacer, Mode, Outcome, PlacementProblem, Placer,
    Status, Value, decide,
};
use smo_core::scaling::Throughput;
use smo_core::units::Rate;
use support::{Room, add, amounts, cluster, key, problems, run, supply};

fn throughput(alpha: f64) -> Throughput {
    Throughput::new(alpha, 0.0).unwrap()
}

fn elastic(load: &str, alpha: f64, on: &[(&str, f64)], max: u32) -> ElasticService {
    ElasticService {
        load: Rate::parse_decimal(load).unwrap(),
        throughput: throughput(alpha),
        on: on
            .iter()
            .map(|(name, alpha)| (cluster(name), throughput(*alpha)))
            .collect(),
        min: 1,
        max,
    }
}

/// A shop that runs at the edge, where a core costs less and carries half; the morning's load is about to come.
fn morning() -> JointProblem {
    let mut placement = PlacementProblem::default();
    placement
        .clusters
        .insert(cluster("edge"), supply(16, 64, "0.010", 90.0));
    placement
        .clusters
        .insert(cluster("cloud"), supply(64, 256, "0.014", 90.0));
    for service in ["web", "search"] {
        add(&mut placement, service, 2, amounts(1000, 1));
        run(&mut placement, service, "edge");
    }
    let loads = [
        (key("web"), elastic("800", 100.0, &[("edge", 50.0)], 20)),
        (key("search"), elastic("90", 10.0, &[("edge", 9.0)], 20)),
    ];
    JointProblem {
        placement,
        loads: loads.into_iter().collect(),
    }
}

fn joint(problem: &JointProblem) -> JointOutcome {
    decide_jointly(&AutoPlacer::default(), problem, JointLimits::default()).unwrap()
}

#[test]
fn counts_follow_from_where_replicas_run() {
    let problem = morning();
    let together = joint(&problem);
    insta::assert_snapshot!(together);
    let apart = scale_then_place(&AutoPlacer::default(), &problem).unwrap();
    insta::assert_snapshot!(apart);
    let (together, apart) = (together.decision().unwrap(), apart.decision().unwrap());
    assert_eq!(together.decision.status, Status::Optimal);
    assert!(together.decision.value < apart.decision.value);
}

#[test]
fn counts_of_a_fast_cluster_are_too_few_on_a_slow_one() {
    let mut problem = morning();
    for service in ["web", "search"] {
        run(&mut problem.placement, service, "cloud");
    }
    problem.placement.clusters[&cluster("cloud")].capacity = amounts(8000, 64);
    let apart = scale_then_place(&AutoPlacer::default(), &problem).unwrap();
    let overloaded: Vec<String> = apart
        .decision()
        .unwrap()
        .overloaded()
        .map(|(service, _)| service.to_string())
        .collect();
    assert!(!overloaded.is_empty());
    insta::assert_snapshot!(apart);
    let outcome = joint(&problem);
    assert_eq!(outcome.decision().unwrap().overloaded().count(), 0);
    insta::assert_snapshot!(outcome);
}

#[test]
fn too_much_load_and_too_little_room_are_said() {
    let mut problem = morning();
    problem.loads[0].max = 7;
    insta::assert_snapshot!(joint(&problem), @"default/demo/web has to carry 800 req/s, and 7 replicas carry 700 req/s at most; allow more of them");
    let mut problem = morning();
    problem.placement.clusters[&cluster("cloud")].capacity = amounts(4000, 64);
    problem.placement.clusters[&cluster("edge")].capacity = amounts(12000, 64);
    let outcome = joint(&problem);
    let JointOutcome::Infeasible(diagnosis) = &outcome else {
        panic!("{outcome}")
    };
    assert!(diagnosis.proved);
}

#[test]
fn everything_wrong_is_said_at_once() {
    let mut problem = morning();
    problem.loads[0].load = Rate::from_base(-1);
    problem.loads[1].min = 30;
    problem.loads[1].throughput.alpha = Rate::ZERO;
    problem.loads[1].on.insert(cluster("cloudy"), throughput(1.0));
    problem.loads.insert(key("serch"), elastic("1", 1.0, &[], 2));
    let error = decide_jointly(&FirstFit::new(), &problem, JointLimits::default()).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"));
    let mut problem = morning();
    problem.placement.links.push(smo_core::placement::LinkDemand {
        from: key("web"),
        to: key("nobody"),
        limit: Default::default(),
        traffic: Default::default(),
    });
    let error = decide_jointly(&FirstFit::new(), &problem, JointLimits::default()).unwrap_err();
    assert!(matches!(error, JointError::Placement(_)), "{error}");
}

#[test]
fn what_is_ended_claims_nothing_that_does_not_hold() {
    let problem = morning();
    let whole = joint(&problem);
    let whole = whole.decision().unwrap();
    assert!(!whole.stopped && whole.questions > 2);
    let mut found = 0;
    for most in 0..=whole.questions {
        let mut about = Vec::new();
        let mut watch = |at: &AskProgress| {
            about.push(at.to_string());
            at.step <= most
        };
        let limits = JointLimits::default();
        let outcome = decide_jointly_watched(&AutoPlacer::default(), &problem, limits, &mut watch).unwrap();
        assert!(about[0].starts_with("replicas and placement: 1, "), "{about:?}");
        match &outcome {
            JointOutcome::Decided(ended) => {
                found += 1;
                assert_eq!(ended.stopped, most < whole.questions);
                assert!(ended.decision.value >= whole.decision.value);
                assert!(ended.decision.bound <= Some(whole.decision.value));
            }
            JointOutcome::Infeasible(diagnosis) => assert!(!diagnosis.proved && most < 2),
            JointOutcome::Overloaded(_) => panic!("{outcome}"),
        }
        if most == whole.questions {
            assert_eq!(outcome.decision(), Some(whole));
        }
    }
    assert!(found > 1);
}

#[test]
fn without_loads_it_is_a_placement_question() {
    let mut problem = morning();
    problem.loads.clear();
    let outcome = joint(&problem);
    let Outcome::Placed(placed) = decide(&AutoPlacer::default(), &problem.placement).unwrap() else {
        panic!()
    };
    let decision = &outcome.decision().unwrap().decision;
    assert_eq!(
        (decision.value, &decision.placement),
        (placed.value, &placed.placement)
    );
    assert_eq!(decision.status, Status::Optimal);
}

#[test]
fn no_bound_is_claimed_where_fewer_may_be_harder() {
    let mut problem = morning();
    problem.placement.rules.push(CustomRule::new(Pinning));
    let placer = Exhaustive::default();
    let outcome = decide_jointly(&placer, &problem, JointLimits::default()).unwrap();
    let decision = &outcome.decision().unwrap().decision;
    assert_eq!((decision.status, decision.bound), (Status::Feasible, None));
    assert_eq!(
        decision.value,
        joint(&morning()).decision().unwrap().decision.value
    );
}

prop_compose! {
    fn joint_problems()(
        mut placement in problems(Room::Some),
        loads in prop::collection::vec((any::<bool>(), any::<bool>(), 0_i64..=40, 5_i64..=20, prop::collection::vec(5_i64..=20, 3)), 4),
    ) -> JointProblem {
        let clusters = placement.clusters.len();
        let mut elastic = indexmap::IndexMap::new();
        for ((service, demand), (split, is_elastic, load, alpha, on)) in placement.services.iter_mut().zip(loads) {
            let free = !placement.links.iter().any(|link| link.from == *service || link.to == *service);
            if split && free {
                demand.mode = Mode::Split;
            }
            if is_elastic {
                let on = on.into_iter().take(clusters).enumerate();
                let whole = |alpha: i64| Throughput { alpha: Rate::from_base(alpha * 1_000_000), beta: Rate::ZERO };
                elastic.insert(service.clone(), ElasticService {
                    load: Rate::from_base(load * 1_000_000),
                    throughput: whole(alpha),
                    on: on.map(|(number, alpha)| (cluster(&format!("c{number}")), whole(alpha))).collect(),
                    min: 0,
                    max: 3,
                });
            }
        }
        JointProblem { placement, loads: elastic }
    }
}

/// The best value over all counts, each placed in every way that carries the loads.
fn brute_force(problem: &JointProblem) -> Option<Value> {
    let mut counted = vec![problem.placement.clone()];
    for (service, elastic) in &problem.loads {
        let with = |one: &PlacementProblem, replicas: u32| {
            let mut one = one.clone();
            let demand = one.services.get_mut(service).unwrap();
            demand.replicas = replicas;
            let slow = |name: &&smo_core::id::ClusterName| {
                elastic.throughput_on(name).capacity(replicas) < elastic.load
            };
            let slow: Vec<_> = problem.placement.clusters.keys().filter(slow).cloned().collect();
            demand.excluded.extend(slow);
            one
        };
        // A service without replicas carries nothing.
        let least = if elastic.load > Rate::ZERO {
            elastic.min.max(1)
        } else {
            elastic.min
        };
        counted = counted
            .iter()
            .flat_map(|one| (least..=elastic.max).map(move |replicas| with(one, replicas)))
            .collect();
    }
    let best = counted
        .iter()
        .filter_map(|one| match decide(&Exhaustive::default(), one).unwrap() {
            Outcome::Placed(decision) => Some(decision.value),
            Outcome::Infeasible(_) => None,
        });
    best.min()
}

fn agrees(placer: &dyn Placer, problem: &JointProblem) {
    let expected = brute_force(problem);
    let outcome = decide_jointly(placer, problem, JointLimits::default()).unwrap();
    let found = outcome.decision().map(|decision| decision.decision.value);
    assert_eq!(found, expected, "{outcome}");
    if let Some(decision) = outcome.decision() {
        assert_eq!(decision.overloaded().count(), 0);
        assert_eq!(decision.decision.status, Status::Optimal);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_counts_and_placement_are_better(problem in joint_problems()) {
        agrees(&AutoPlacer::default(), &problem);
        agrees(&MilpPlacer::default(), &problem);
    }

    #[test]
    fn fewer_questions_end_with_a_bound(problem in joint_problems(), questions in 0_u64..6) {
        let some = decide_jointly(&AutoPlacer::default(), &problem, JointLimits { questions }).unwrap();
        if let (Some(some), Some(best)) = (some.decision(), joint(&problem).decision()) {
            let bound = some.decision.bound.unwrap();
            prop_assert!(bound <= best.decision.value && best.decision.value <= some.decision.value);
        }
    }
}
