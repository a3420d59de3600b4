//! Placers against trying every placement, over random problems with every rule and goal.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::cluster::{CarbonProfile, Intensity, Path, Price, Readiness, Taint, TaintEffect, Toleration};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    Assignment, AutoPlacer, ClusterSupply, Decision, FirstFit, FleetPlacer, Goal, Goals, GreenConsolidation,
    LinkDemand, LinkLimit, MilpPlacer, Outcome, Placement, PlacementError, PlacementProblem, Placer,
    ServiceDemand, Status, Value, Weight, decide, evaluate, verify,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{DataRate, Latency, Money};

/// The goals of the predecessor's problems; the others are tested in `model.rs`.
const BASIC: [Goal; 4] = [Goal::Money, Goal::Carbon, Goal::Moves, Goal::Placements];

fn cluster_name(number: usize) -> ClusterName {
    format!("c{number}").parse().unwrap()
}

fn service_key(number: usize) -> ServiceKey {
    format!("p/g/s{number}").parse().unwrap()
}

/// Mostly `common`, sometimes `rare`.
fn seldom<T: std::fmt::Debug + Clone + 'static>(
    common: T,
    rare: impl Strategy<Value = T> + 'static,
) -> impl Strategy<Value = T> {
    prop_oneof![12 => Just(common), 1 => rare]
}

fn supplies() -> impl Strategy<Value = ClusterSupply> {
    let capacity = (
        4_u64..=10,
        4_u64..=10,
        prop::option::of(0_u64..=2),
        seldom(None, (0_u64..=6).prop_map(Some)),
    );
    let price = (0_i64..=4, 0_i64..=3).prop_map(|(cpu, memory)| {
        Price::free()
            .with(ResourceName::CPU, Money::from_base(cpu * 1_000_000))
            .with(ResourceName::MEMORY, Money::from_base(memory * 1_000_000))
    });
    let down = Readiness::NotReady {
        reason: "down".into(),
        since: None,
    };
    let taint = Taint {
        key: "edge".into(),
        value: None,
        effect: TaintEffect::NoSchedule,
    };
    let soft = Taint {
        effect: TaintEffect::PreferNoSchedule,
        ..taint.clone()
    };
    (
        capacity,
        seldom(Readiness::Ready, Just(down)),
        prop_oneof![3 => Just(Some("a".to_owned())), 1 => Just(Some("b".to_owned())), 1 => Just(None)],
        price,
        prop::option::of(0_u32..=5),
        seldom(vec![], prop_oneof![Just(vec![taint]), Just(vec![soft])]),
    )
        .prop_map(
            |((cpu, memory, gpus, pods), readiness, region, price, carbon, taints)| {
                let mut capacity = Resources::new()
                    .with(ResourceName::CPU, cpu * 500)
                    .with(ResourceName::MEMORY, memory << 30);
                if let Some(gpus) = gpus {
                    capacity.set(ResourceName::NVIDIA_GPU, gpus);
                }
                if let Some(pods) = pods {
                    capacity.set(ResourceName::PODS, pods);
                }
                let profile = |intensity| CarbonProfile {
                    intensity: Intensity::average(f64::from(intensity) * 100.0),
                    pue: 1.2,
                    watts_per_core: 10.0,
                };
                let carbon = carbon.map(profile);
                ClusterSupply {
                    readiness,
                    capacity,
                    region,
                    price,
                    carbon,
                    taints,
                    ..ClusterSupply::default()
                }
            },
        )
}

fn demands() -> impl Strategy<Value = ServiceDemand> {
    let names = |chosen: Vec<usize>| chosen.into_iter().map(cluster_name).collect::<BTreeSet<_>>();
    let some_clusters = move || prop::collection::vec(0_usize..3, 1..=2).prop_map(names);
    let gpu = || BTreeSet::from([ResourceName::new(ResourceName::NVIDIA_GPU)]);
    (
        seldom(1_u32, 0_u32..=2),
        (1_u64..=5, 0_u64..=3, seldom(0_u64, Just(1))),
        seldom(BTreeSet::new(), Just(gpu())),
        seldom(None, some_clusters().prop_map(Some)),
        seldom(BTreeSet::new(), some_clusters()),
        seldom(None, Just(Some(BTreeSet::from(["a".to_owned()])))),
        any::<bool>(),
    )
        .prop_map(
            |(replicas, (cpu, memory, gpus), requires, pinned, excluded, regions, tolerates)| {
                let mut per_replica = Resources::new()
                    .with(ResourceName::CPU, cpu * 500)
                    .with(ResourceName::MEMORY, memory << 30)
                    .with(ResourceName::PODS, 1);
                if gpus > 0 {
                    per_replica.set(ResourceName::NVIDIA_GPU, gpus);
                }
                let toleration = Toleration {
                    key: Some("edge".into()),
                    value: None,
                    effect: None,
                };
                let tolerations = if tolerates { vec![toleration] } else { vec![] };
                ServiceDemand {
                    replicas,
                    per_replica,
                    requires,
                    pinned,
                    excluded,
                    regions,
                    tolerations,
                    ..ServiceDemand::default()
                }
            },
        )
}

fn limits() -> impl Strategy<Value = LinkLimit> {
    let rtt = prop::option::of((1_i64..=4).prop_map(|tens| Latency::from_base(tens * 5_000)));
    (rtt, prop::option::of(0_u32..=2)).prop_map(|(rtt_below, max_hops)| LinkLimit { rtt_below, max_hops })
}

fn goals() -> impl Strategy<Value = Goals> {
    let weights = prop_oneof![
        Just([1_000_000, 100, 10_000, 0]),
        Just([0, 5_000_000, 1_000_000, 0]),
        Just([0, 0, 1_000_000, 1_000_000]),
        Just([0; 4]),
        [0_i64..=3, 0_i64..=3, 0_i64..=3, 0_i64..=3].prop_map(|list| list.map(|weight| weight * 500_000)),
    ];
    weights.prop_map(|weights: [i64; 4]| {
        BASIC
            .into_iter()
            .zip(weights)
            .fold(Goals::none(), |goals, (goal, weight)| {
                goals.with(goal, Weight::from_millionths(weight))
            })
    })
}

prop_compose! {
    fn problems()(
        services in prop_oneof![1 => prop::collection::vec(demands(), 0..=2), 5 => prop::collection::vec(demands(), 3..=4)],
        clusters in prop_oneof![1 => prop::collection::vec(supplies(), 1), 5 => prop::collection::vec(supplies(), 2..=3)],
        links in prop::collection::vec((0_usize..4, 0_usize..4, limits()), 0..=2),
        paths in prop::collection::vec((0_usize..3, 0_usize..3, seldom(Some(1), prop::option::of(0_i64..=4)), seldom(Some(1), prop::option::of(0_u32..=3))), 0..=2),
        current in prop::collection::vec(prop::option::of((0_usize..3, 1_u32..=3)), 4),
        goals in goals(),
    ) -> PlacementProblem {
        let mut problem = PlacementProblem { goals, ..PlacementProblem::default() };
        let (many_services, many_clusters) = (services.len(), clusters.len());
        let exists = |name: &ClusterName| (0..many_clusters).any(|number| *name == cluster_name(number));
        for (number, mut demand) in services.into_iter().enumerate() {
            demand.pinned = demand.pinned.map(|pinned| pinned.into_iter().filter(exists).collect::<BTreeSet<_>>()).filter(|pinned| !pinned.is_empty());
            problem.services.insert(service_key(number), demand);
        }
        for (number, supply) in clusters.into_iter().enumerate() {
            problem.clusters.insert(cluster_name(number), supply);
        }
        for (from, to, limit) in links {
            if from < many_services && to < many_services {
                problem.links.push(LinkDemand { from: service_key(from), to: service_key(to), limit, traffic: DataRate::ZERO });
            }
        }
        let near = Path { rtt: Some(Latency::from_base(5_000)), hops: Some(1), bandwidth: None };
        for (a, b) in [(0, 1), (0, 2), (1, 2)] {
            problem.network.measure(cluster_name(a), cluster_name(b), near);
        }
        for (a, b, rtt, hops) in paths {
            let path = Path { rtt: rtt.map(|tens| Latency::from_base(tens * 5_000)), hops, bandwidth: None };
            problem.network.measure(cluster_name(a), cluster_name(b), path);
        }
        for (number, now) in current.into_iter().take(many_services).enumerate() {
            // The last one may be a cluster that is gone.
            if let Some((cluster, replicas)) = now.filter(|(cluster, _)| *cluster <= many_clusters) {
                problem.current.set(service_key(number), Assignment::single(cluster_name(cluster), replicas));
            }
        }
        problem
    }
}

/// Every way to give each service one cluster.
fn every_placement(problem: &PlacementProblem) -> Vec<Placement> {
    let mut placements = vec![Placement::new()];
    for (service, demand) in problem.services.iter().filter(|(_, demand)| demand.replicas > 0) {
        let on = |placement: &Placement, cluster: &ClusterName| {
            let mut placement = placement.clone();
            placement.set(
                service.clone(),
                Assignment::single(cluster.clone(), demand.replicas),
            );
            placement
        };
        placements = placements
            .iter()
            .flat_map(|placement| problem.clusters.keys().map(move |cluster| on(placement, cluster)))
            .collect();
    }
    placements
}

fn best_value(problem: &PlacementProblem) -> Option<Value> {
    let sound = every_placement(problem)
        .into_iter()
        .filter(|placement| verify(problem, placement).is_empty());
    sound
        .map(|placement| evaluate(problem, &placement).unwrap().1)
        .min()
}

fn decided(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Decision, bool> {
    match decide(placer, problem).unwrap() {
        Outcome::Placed(decision) => Ok(decision),
        Outcome::Infeasible(diagnosis) => Err(diagnosis.proved),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600,
        failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn milp_is_as_good_as_trying_everything(problem in problems()) {
        match (decided(&MilpPlacer::default(), &problem), best_value(&problem)) {
            (Ok(decision), Some(best)) => {
                prop_assert_eq!(decision.value, best);
                prop_assert_eq!(decision.status, Status::Optimal);
                prop_assert!(!decision.to_string().is_empty());
            }
            (Err(proved), None) => prop_assert!(proved),
            (found, best) => prop_assert!(false, "{found:?}, the best is {best:?}"),
        }
    }

    #[test]
    fn the_solver_alone_is_as_good(problem in problems()) {
        let placer = MilpPlacer::default().with_search_effort(0);
        let value = decided(&placer, &problem).map(|decision| decision.value);
        prop_assert_eq!(value.ok(), best_value(&problem));
    }

    #[test]
    fn heuristics_only_give_sound_placements(problem in problems()) {
        let best = best_value(&problem);
        for placer in [&FirstFit::new() as &dyn Placer, &FirstFit::smo(), &GreenConsolidation] {
            match decided(placer, &problem) {
                Ok(decision) => prop_assert!(Some(decision.value) >= best && best.is_some()),
                Err(proved) => prop_assert!(!proved || best.is_none()),
            }
        }
    }

    #[test]
    fn the_order_of_clusters_does_not_change_the_value(problem in problems()) {
        let mut reversed = problem.clone();
        reversed.clusters = problem.clusters.clone().into_iter().rev().collect();
        for placer in [&MilpPlacer::default() as &dyn Placer, &AutoPlacer::default()] {
            let value = |problem| decided(placer, problem).map(|decision| decision.value);
            prop_assert_eq!(value(&problem), value(&reversed));
        }
    }

    #[test]
    fn the_names_of_clusters_do_not_change_the_value(problem in problems()) {
        let renamed = |name: &ClusterName| format!("z-{name}").parse::<ClusterName>().unwrap();
        let all = |names: &BTreeSet<ClusterName>| names.iter().map(renamed).collect::<BTreeSet<_>>();
        let mut other = problem.clone();
        other.clusters = problem.clusters.iter().map(|(name, supply)| (renamed(name), supply.clone())).collect();
        for demand in other.services.values_mut() {
            demand.pinned = demand.pinned.as_ref().map(all);
            demand.excluded = all(&demand.excluded);
        }
        other.network = smo_core::cluster::Network::new();
        for (a, b, path) in problem.network.iter() {
            other.network.measure(renamed(a), renamed(b), path);
        }
        other.current = problem.current.iter().map(|(service, now)| {
            (service.clone(), now.iter().map(|(cluster, replicas)| (renamed(cluster), replicas)).collect())
        }).collect();
        for placer in [&MilpPlacer::default() as &dyn Placer, &AutoPlacer::default()] {
            let value = |problem| decided(placer, problem).map(|decision| decision.value);
            prop_assert_eq!(value(&problem), value(&other));
        }
    }

    #[test]
    fn the_same_question_has_the_same_answer(problem in problems()) {
        let answer = || format!("{:?}", decide(&MilpPlacer::default(), &problem));
        prop_assert_eq!(answer(), answer());
    }
}

/// Numbers at the ends of their types.
fn extremes() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        Just(1),
        Just(u64::MAX),
        Just(u64::MAX - 1),
        Just(1 << 63),
        any::<u64>(),
        0_u64..1000
    ]
}

prop_compose! {
    fn adversarial()(
        mut problem in problems(),
        amounts in prop::collection::vec((extremes(), extremes(), extremes()), 12),
        replicas in prop_oneof![Just(1_u32), Just(u32::MAX), 0_u32..4],
        prices in prop::collection::vec(prop_oneof![Just(i64::MAX), Just(i64::MIN), any::<i64>(), -3_i64..3], 4),
        weights in prop::collection::vec(prop_oneof![Just(i64::MAX), Just(i64::MIN), any::<i64>(), 0_i64..3], 4),
        intensity in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), Just(1e300), Just(-1.0), Just(1e9)],
    ) -> PlacementProblem {
        let mut amounts = amounts.into_iter();
        let mut list = || {
            let (cpu, memory, pods) = amounts.next().unwrap_or_default();
            Resources::new().with(ResourceName::CPU, cpu).with(ResourceName::MEMORY, memory).with(ResourceName::PODS, pods)
        };
        for demand in problem.services.values_mut() {
            demand.per_replica = list();
            demand.replicas = replicas;
        }
        for (supply, price) in problem.clusters.values_mut().zip(prices) {
            supply.capacity = list();
            supply.price = Price::free().with(ResourceName::CPU, Money::from_base(price));
            if let Some(carbon) = &mut supply.carbon {
                carbon.intensity = Intensity::average(intensity);
            }
        }
        problem.goals = BASIC.into_iter().zip(weights).fold(Goals::none(), |goals, (goal, weight)| {
            goals.with(goal, Weight::from_millionths(weight))
        });
        problem
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600,
        failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_numbers_break_anything(problem in adversarial()) {
        let fleet = FleetPlacer::default().with_effort(1_000_000);
        let auto = AutoPlacer::new(MilpPlacer::default(), fleet.clone());
        for placer in [&MilpPlacer::default() as &dyn Placer, &fleet, &auto, &FirstFit::new(), &FirstFit::smo(), &GreenConsolidation] {
            match decide(placer, &problem) {
                Ok(Outcome::Placed(decision)) => {
                    prop_assert_eq!(verify(&problem, &decision.placement), vec![]);
                    prop_assert!(!decision.to_string().is_empty());
                }
                Ok(Outcome::Infeasible(diagnosis)) => prop_assert!(!diagnosis.to_string().is_empty()),
                Err(PlacementError::Overflow { .. } | PlacementError::InvalidProblem(_)) => {}
                Err(error) => prop_assert!(false, "{error}"),
            }
        }
    }
}
