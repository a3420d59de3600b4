//! The whole model: every placer against every placement there is, for every rule and goal alone and in mixes.

#![allow(clippy::unwrap_used)]

mod model_support;
#[path = "model_support/suite.rs"]
mod suite;

use std::collections::{BTreeMap, BTreeSet};

use model_support::Random;
use smo_core::cluster::{CarbonProfile, Intensity, Network, Price, Taint, TaintEffect, Toleration};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    Alternative, Answer, Assignment, AutoPlacer, ClusterSupply, Exhaustive, FirstFit, FleetPlacer, Goal,
    Goals, GreenConsolidation, MilpPlacer, Mode, Outcome, PlaceContext, Placement, PlacementError,
    PlacementProblem, Placer, ServiceDemand, Status, Value, Weight, decide, evaluate, verify,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{Bytes, DataRate, Money};

/// Seeds for each part alone; there are 19 of them.
const ALONE: u64 = 150;

/// Seeds for mixes of parts.
const MIXES: u64 = 7_150;

/// Every problem of the suite.
fn problems() -> impl Iterator<Item = (String, PlacementProblem)> {
    suite::problems(ALONE, MIXES, 0x5eed)
}

fn found(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Answer, PlacementError> {
    problem.validate()?;
    placer.place(&PlaceContext { problem })
}

/// What the best placement is worth by trying every one.
fn best(problem: &PlacementProblem) -> Option<Value> {
    match found(&Exhaustive::default(), problem).unwrap() {
        Answer::Found { placement, bound, .. } => {
            assert_eq!(verify(problem, &placement), vec![]);
            let (_, value) = evaluate(problem, &placement).unwrap();
            assert_eq!(bound, Some(value));
            Some(value)
        }
        Answer::NotFound { proved, .. } => {
            assert!(proved);
            None
        }
    }
}

#[test]
fn milp_is_as_good_as_trying_everything() {
    let (mut infeasible, mut refused, mut all, mut tried) = (0, 0, 0, 0);
    for (name, problem) in problems() {
        all += 1;
        let answer = match found(&MilpPlacer::default(), &problem) {
            Err(PlacementError::CannotExpress { what, .. }) => {
                assert!(what.contains("both split"), "{name}: {what}");
                refused += 1;
                continue;
            }
            answer => answer.unwrap(),
        };
        match (answer, best(&problem)) {
            (
                Answer::Found {
                    placement,
                    bound,
                    proof,
                    ..
                },
                Some(best),
            ) => {
                assert_eq!(verify(&problem, &placement), vec![], "{name}");
                let (_, value) = evaluate(&problem, &placement).unwrap();
                assert_eq!(value, best, "{name}");
                assert_eq!(bound, Some(best), "{name}");
                tried += u32::from(format!("{proof:?}").contains("was tried"));
            }
            (Answer::NotFound { proved, .. }, None) => {
                assert!(proved, "{name}");
                infeasible += 1;
            }
            (answer, best) => panic!("{name}: {answer:?}, the best is {best:?}"),
        }
    }
    // The problems are neither all easy nor all impossible.
    assert!(all >= 10_000, "{all}");
    assert!(
        infeasible > all / 20 && infeasible < all / 2,
        "{infeasible} of {all} infeasible"
    );
    assert!(refused < all / 10, "{refused} of {all} refused");
    // It is the model that is compared, not the last resort of small problems.
    assert!(tried < 100, "{tried} were tried whole");
}

/// Every way to give each service its replicas on any clusters, allowed or not.
fn every_placement(problem: &PlacementProblem) -> Vec<Placement> {
    let mut placements = vec![Placement::new()];
    for (service, demand) in problem.services.iter().filter(|(_, demand)| demand.replicas > 0) {
        let ways: Vec<Assignment> = if demand.is_split() {
            let mut ways = vec![(Vec::new(), 0)];
            for cluster in problem.clusters.keys() {
                let more = |(way, sum): &(Vec<_>, u32)| {
                    let (way, sum) = (way.clone(), *sum);
                    (0..=demand.replicas - sum)
                        .map(move |here| {
                            let mut way = way.clone();
                            way.push((cluster.clone(), here));
                            (way, sum + here)
                        })
                        .collect::<Vec<_>>()
                };
                ways = ways.iter().flat_map(more).collect();
            }
            let whole = ways.into_iter().filter(|(_, sum)| *sum == demand.replicas);
            whole.map(|(way, _)| way.into_iter().collect()).collect()
        } else {
            let single = |cluster: &ClusterName| Assignment::single(cluster.clone(), demand.replicas);
            problem.clusters.keys().map(single).collect()
        };
        let with = |placement: &Placement, way: &Assignment| {
            let mut placement = placement.clone();
            placement.set(service.clone(), way.clone());
            placement
        };
        placements = placements
            .iter()
            .flat_map(|known| ways.iter().map(move |way| with(known, way)))
            .collect();
    }
    placements
}

/// With little effort: the problems are small.
fn fleet_placer() -> FleetPlacer {
    FleetPlacer::default().with_effort(1_500_000)
}

/// The default placer, with little effort where that counts.
fn default_placer() -> AutoPlacer {
    AutoPlacer::new(MilpPlacer::default(), fleet_placer())
}

/// A few problems of every kind.
fn sample(every: usize) -> impl Iterator<Item = (String, PlacementProblem)> {
    problems().step_by(every)
}

#[test]
fn nothing_that_is_left_out_is_better() {
    for (name, problem) in sample(23) {
        let sound = every_placement(&problem)
            .into_iter()
            .filter(|placement| verify(&problem, placement).is_empty());
        let naive = sound
            .map(|placement| evaluate(&problem, &placement).unwrap().1)
            .min();
        assert_eq!(best(&problem), naive, "{name}");
    }
}

#[test]
fn heuristics_only_give_sound_placements() {
    let (mut found_one, mut possible) = (0, 0);
    for (name, problem) in sample(7) {
        let best = best(&problem);
        possible += u32::from(best.is_some());
        for placer in [
            &FirstFit::new() as &dyn Placer,
            &FirstFit::smo(),
            &GreenConsolidation,
        ] {
            match found(placer, &problem).unwrap() {
                Answer::Found { placement, .. } => {
                    assert_eq!(verify(&problem, &placement), vec![], "{name}");
                    let (_, value) = evaluate(&problem, &placement).unwrap();
                    assert!(best.is_some_and(|best| best <= value), "{name}");
                    found_one += u32::from(placer.name() == "first fit");
                }
                Answer::NotFound { proved, .. } => assert!(!proved || best.is_none(), "{name}"),
            }
        }
    }
    // First fit finds most of what exists.
    assert!(found_one * 4 > possible * 3, "{found_one} of {possible}");
}

#[test]
fn decisions_explain_themselves_for_every_rule_and_goal() {
    for (name, problem) in sample(31) {
        for placer in [&Exhaustive::default() as &dyn Placer, &MilpPlacer::default()] {
            match decide(placer, &problem) {
                Ok(Outcome::Placed(decision)) => {
                    assert_eq!(decision.status, Status::Optimal, "{name}");
                    assert!(!decision.to_string().is_empty());
                    // No service is better off elsewhere while all others stay.
                    for explanation in decision.explanation.services.values() {
                        for alternative in explanation.alternatives.values() {
                            if let Alternative::Allowed { difference, .. } = alternative {
                                assert!(*difference >= Value::ZERO, "{name}: {decision}");
                            }
                        }
                    }
                }
                Ok(Outcome::Infeasible(diagnosis)) => {
                    assert!(diagnosis.proved, "{name}: {diagnosis}");
                    assert!(!diagnosis.to_string().is_empty());
                }
                Err(PlacementError::CannotExpress { .. }) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
}

#[test]
fn priorities_are_decided_in_their_order() {
    let levels = [
        Goal::Consolidation,
        Goal::Moves,
        Goal::Balance,
        Goal::Money,
        Goal::MovedReplicas,
        Goal::Preference,
    ];
    for (seed, (name, mut problem)) in sample(29).enumerate() {
        let mut random = Random::new(seed as u64);
        let chosen: Vec<Goal> = (0..random.between(1, 3))
            .map(|_| levels[random.index(levels.len())])
            .collect();
        problem.goals = Goals::by_priority(chosen.clone());
        let worth = |placement: &Placement| {
            let of_level = |goals: Goals| {
                let mut question = problem.clone();
                question.goals = goals;
                evaluate(&question, placement).unwrap().1
            };
            problem
                .goals
                .levels()
                .into_iter()
                .map(of_level)
                .collect::<Vec<Value>>()
        };
        let sound = every_placement(&problem)
            .into_iter()
            .filter(|placement| verify(&problem, placement).is_empty());
        let best = sound.map(|placement| worth(&placement)).min();
        for placer in [&Exhaustive::default() as &dyn Placer, &MilpPlacer::default()] {
            match decide(placer, &problem) {
                Ok(Outcome::Placed(decision)) => {
                    assert_eq!(
                        Some(worth(&decision.placement)),
                        best,
                        "{name}, {chosen:?}, {}",
                        placer.name()
                    );
                    assert_eq!(decision.status, Status::Optimal);
                }
                Ok(Outcome::Infeasible(_)) => assert_eq!(best, None, "{name}"),
                Err(PlacementError::CannotExpress { .. }) => {}
                Err(error) => panic!("{name}: {error}"),
            }
        }
    }
}

/// The same problem with other names, which sort the other way round.
fn renamed(problem: &PlacementProblem) -> PlacementProblem {
    let number = |name: &str| name[1..].parse::<usize>().unwrap();
    let cluster = |name: &ClusterName| {
        format!("z{}", 9 - number(name.as_str()))
            .parse::<ClusterName>()
            .unwrap()
    };
    let service = |key: &ServiceKey| {
        let id = number(key.service.as_str());
        format!("p/g/t{}", 9 - id).parse::<ServiceKey>().unwrap()
    };
    let clusters = |names: &BTreeSet<ClusterName>| names.iter().map(cluster).collect::<BTreeSet<_>>();
    let services = |keys: &BTreeSet<ServiceKey>| keys.iter().map(service).collect::<BTreeSet<_>>();
    let mut other = problem.clone();
    other.clusters = problem
        .clusters
        .iter()
        .map(|(name, supply)| (cluster(name), supply.clone()))
        .collect();
    other.services = problem
        .services
        .iter()
        .map(|(key, demand)| (service(key), demand.clone()))
        .collect();
    for demand in other.services.values_mut() {
        demand.pinned = demand.pinned.as_ref().map(clusters);
        demand.excluded = clusters(&demand.excluded);
    }
    for link in &mut other.links {
        (link.from, link.to) = (service(&link.from), service(&link.to));
    }
    other.network = Network::new();
    for (a, b, path) in problem.network.iter() {
        other.network.measure(cluster(a), cluster(b), path);
    }
    let there = |assignment: &Assignment| {
        assignment
            .iter()
            .map(|(name, count)| (cluster(name), count))
            .collect()
    };
    other.current = problem
        .current
        .iter()
        .map(|(key, assignment)| (service(key), there(assignment)))
        .collect();
    for group in &mut other.co_location {
        group.services = services(&group.services);
    }
    for group in &mut other.anti_affinity {
        group.services = services(&group.services);
    }
    let scores = |scores: &BTreeMap<ClusterName, i64>| {
        scores
            .iter()
            .map(|(name, score)| (cluster(name), *score))
            .collect()
    };
    other.scores = problem
        .scores
        .iter()
        .map(|(key, of)| (service(key), scores(of)))
        .collect();
    other
}

fn reordered(problem: &PlacementProblem) -> PlacementProblem {
    let mut other = problem.clone();
    other.clusters = problem.clusters.clone().into_iter().rev().collect();
    other.services = problem.services.clone().into_iter().rev().collect();
    other.links.reverse();
    other.co_location.reverse();
    other.anti_affinity.reverse();
    other.budgets.reverse();
    other
}

/// All amounts of cpu and memory three times as large.
fn scaled(problem: &PlacementProblem) -> PlacementProblem {
    let three = |resources: &Resources| resources.checked_mul(3).unwrap();
    let mut other = problem.clone();
    for demand in other.services.values_mut() {
        demand.per_replica = three(&demand.per_replica);
    }
    for supply in other.clusters.values_mut() {
        supply.capacity = three(&supply.capacity);
        supply.taken = three(&supply.taken);
    }
    other
}

#[test]
fn names_order_and_units_make_no_difference() {
    for (name, mut problem) in sample(11) {
        // What three times the cores cost and emit is three times as much.
        problem.goals.money = Weight::default();
        problem.goals.carbon = Weight::default();
        problem
            .budgets
            .retain(|budget| ![Goal::Money, Goal::Carbon].contains(&budget.goal));
        problem.soft.remove("capacity");
        let value = best(&problem);
        for (law, other) in [
            ("renamed", renamed(&problem)),
            ("reordered", reordered(&problem)),
            ("scaled", scaled(&problem)),
        ] {
            assert_eq!(best(&other), value, "{name}, {law}");
            for placer in [&MilpPlacer::default() as &dyn Placer, &default_placer()] {
                match found(placer, &other) {
                    Ok(Answer::Found { placement, .. }) => {
                        let found = evaluate(&other, &placement).unwrap().1;
                        assert_eq!(Some(found), value, "{name}, {law}, {}", placer.name());
                    }
                    Ok(Answer::NotFound { .. }) => {
                        assert_eq!(value, None, "{name}, {law}, {}", placer.name())
                    }
                    Err(error) => assert!(
                        matches!(error, PlacementError::CannotExpress { .. }),
                        "{name}, {}: {error}",
                        placer.name()
                    ),
                }
            }
        }
    }
}

#[test]
fn more_room_is_never_worse() {
    for (name, mut problem) in sample(13) {
        // A larger cluster is less full: that goal is not about room.
        problem.goals.balance = Weight::default();
        let before = best(&problem);
        for supply in problem.clusters.values_mut() {
            let cpu = supply.capacity.cpu().millicores();
            supply.capacity.set(ResourceName::CPU, cpu + 500);
        }
        let after = best(&problem);
        assert!(before.is_none() || after <= before && after.is_some(), "{name}");
        if let Answer::Found { placement, .. } = found(&default_placer(), &problem).unwrap() {
            assert_eq!(Some(evaluate(&problem, &placement).unwrap().1), after, "{name}");
        } else {
            assert_eq!(after, None, "{name}");
        }
    }
}

/// Numbers near the ends of their types, zero demands, one cluster, no service: no placer breaks, and none says what is wrong.
#[test]
fn no_numbers_break_anything() {
    let ends = [0, 1, u64::MAX, u64::MAX / 2, 1 << 62, 1 << 53, 1000];
    let mut placed = 0;
    for (seed, (name, mut problem)) in sample(9).enumerate() {
        let mut random = Random::new(seed as u64 ^ 0xbad);
        let mut any = || ends[random.index(ends.len())];
        for demand in problem.services.values_mut() {
            demand.per_replica = Resources::new()
                .with(ResourceName::CPU, any())
                .with(ResourceName::MEMORY, any() / 5);
            demand.state = Bytes::new(any());
        }
        for supply in problem.clusters.values_mut() {
            supply.capacity = Resources::new()
                .with(ResourceName::CPU, any())
                .with(ResourceName::MEMORY, any());
            supply.taken = Resources::new().with(ResourceName::CPU, any());
        }
        for link in &mut problem.links {
            link.traffic = DataRate::new(any());
        }
        for budget in &mut problem.budgets {
            budget.at_most = i64::try_from(any() / 2).unwrap();
        }
        for placer in [
            &Exhaustive::default() as &dyn Placer,
            &MilpPlacer::default(),
            &fleet_placer(),
            &default_placer(),
            &FirstFit::new(),
            &GreenConsolidation,
        ] {
            match decide(placer, &problem) {
                Ok(Outcome::Placed(decision)) => {
                    placed += 1;
                    assert_eq!(verify(&problem, &decision.placement), vec![], "{name}");
                    assert!(!decision.to_string().is_empty());
                }
                Ok(Outcome::Infeasible(diagnosis)) => assert!(!diagnosis.to_string().is_empty()),
                Err(
                    PlacementError::Overflow { .. }
                    | PlacementError::TooLarge { .. }
                    | PlacementError::CannotExpress { .. },
                ) => {}
                Err(error) => panic!("{name}, {}: {error}", placer.name()),
            }
        }
    }
    assert!(placed > 500, "{placed}");
}

/// Clusters that are exactly full, and the same short of one unit.
#[test]
fn one_unit_decides() {
    for split in [Mode::Single, Mode::Split] {
        let mut problem = PlacementProblem::default();
        for number in 0..2 {
            let supply = ClusterSupply {
                capacity: Resources::new().with(ResourceName::CPU, 3_000),
                ..ClusterSupply::default()
            };
            problem
                .clusters
                .insert(model_support::cluster_name(number), supply);
            let demand = ServiceDemand {
                replicas: 3,
                mode: split,
                per_replica: Resources::new().with(ResourceName::CPU, 1_000),
                ..ServiceDemand::default()
            };
            problem
                .services
                .insert(model_support::service_key(number), demand);
        }
        for placer in [
            &Exhaustive::default() as &dyn Placer,
            &MilpPlacer::default(),
            &fleet_placer(),
            &default_placer(),
            &FirstFit::new(),
        ] {
            assert!(
                matches!(decide(placer, &problem).unwrap(), Outcome::Placed(_)),
                "{}",
                placer.name()
            );
        }
        problem.clusters[0].capacity.set(ResourceName::CPU, 2_999);
        for placer in [
            &Exhaustive::default() as &dyn Placer,
            &MilpPlacer::default(),
            &fleet_placer(),
            &default_placer(),
            &FirstFit::new(),
        ] {
            let Outcome::Infeasible(diagnosis) = decide(placer, &problem).unwrap() else {
                panic!("{}", placer.name())
            };
            assert!(diagnosis.proved, "{diagnosis}");
        }
    }
}

/// A taint `PreferNoSchedule` is a wish: another cluster at up to a point more, and no reason to move or to run nowhere.
#[test]
fn a_taint_may_be_a_wish() {
    let mut problem = PlacementProblem::default();
    for (number, cents) in [(0, 1), (1, 2)] {
        let supply = ClusterSupply {
            capacity: Resources::new().with(ResourceName::CPU, 1_000),
            price: Price::free().with(ResourceName::CPU, Money::from_base(cents * 10_000_000)),
            ..ClusterSupply::default()
        };
        problem
            .clusters
            .insert(model_support::cluster_name(number), supply);
    }
    problem.clusters[0].taints.push(Taint {
        key: "edge".into(),
        value: None,
        effect: TaintEffect::PreferNoSchedule,
    });
    let demand = ServiceDemand {
        replicas: 1,
        per_replica: Resources::new().with(ResourceName::CPU, 1_000),
        ..ServiceDemand::default()
    };
    let service = model_support::service_key(0);
    problem.services.insert(service.clone(), demand);
    let chosen = |problem: &PlacementProblem| {
        let placers: [&dyn Placer; 4] = [
            &Exhaustive::default(),
            &MilpPlacer::default(),
            &fleet_placer(),
            &default_placer(),
        ];
        let decided = placers.map(|placer| {
            let decision = decide(placer, problem).unwrap().into_decision().unwrap();
            let there = decision.placement.get(&service).unwrap().to_string();
            (there, decision.totals.preference)
        });
        assert!(decided.iter().all(|one| *one == decided[0]), "{decided:?}");
        decided[0].clone()
    };
    assert_eq!(chosen(&problem), ("c1".to_owned(), 0));
    let mut full = problem.clone();
    full.clusters[1].capacity = Resources::new().with(ResourceName::CPU, 0);
    assert_eq!(chosen(&full), ("c0".to_owned(), 1_000_000));
    let mut running = problem.clone();
    running.current.set(
        service.clone(),
        Assignment::single(model_support::cluster_name(0), 1),
    );
    assert_eq!(chosen(&running), ("c0".to_owned(), 0));
    problem.services[0].tolerations.push(Toleration {
        key: Some("edge".into()),
        value: None,
        effect: None,
    });
    assert_eq!(chosen(&problem), ("c0".to_owned(), 0));
}

#[test]
fn average_and_marginal_intensities_do_not_mix() {
    let mut problem = PlacementProblem::default();
    for (number, intensity) in [Intensity::average(100.0), Intensity::marginal(100.0)]
        .into_iter()
        .enumerate()
    {
        let carbon = CarbonProfile {
            intensity,
            pue: 1.2,
            watts_per_core: 10.0,
        };
        let supply = ClusterSupply {
            carbon: Some(carbon),
            ..ClusterSupply::default()
        };
        problem
            .clusters
            .insert(model_support::cluster_name(number), supply);
    }
    let error = decide(&default_placer(), &problem).unwrap_err();
    assert!(
        error.to_string().contains("c0 and c1 are average and marginal"),
        "{error}"
    );
}
