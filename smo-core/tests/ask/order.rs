//! Orders of moves.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::ask::{OrderLimits, StepKind, order_of_moves};
use smo_core::placement::{Assignment, MilpPlacer, Placement, PlacementProblem, decide};
use smo_core::resources::ResourceName;

use crate::support::{Room, add, amounts, cluster, every_placement, key, problems, shop, supply};

fn at(places: &[(&str, &str)]) -> Placement {
    places
        .iter()
        .map(|(service, name)| (key(service), Assignment::single(cluster(name), 1)))
        .collect()
}

/// Clusters `a`, `b`, `c` of so many cores, and services of so many.
fn yard(clusters: &[(&str, u64)], services: &[(&str, u64)]) -> PlacementProblem {
    let mut problem = PlacementProblem::default();
    for (name, cores) in clusters {
        problem
            .clusters
            .insert(cluster(name), supply(*cores, 64, "0.01", 100.0));
    }
    for (name, cores) in services {
        add(&mut problem, name, 1, amounts(cores * 1000, 1));
    }
    problem
}

fn order(
    problem: &PlacementProblem,
    from: &Placement,
    to: &Placement,
) -> smo_core::placement::ask::MoveOrder {
    let order = order_of_moves(problem, from, to, OrderLimits::default()).unwrap();
    assert_eq!(order.check(problem, from, to), Vec::<String>::new());
    order
}

#[test]
fn what_makes_room_goes_first() {
    let problem = yard(
        &[("a", 4), ("b", 4), ("c", 4)],
        &[("web", 3), ("api", 3), ("db", 3)],
    );
    let order = order(
        &problem,
        &at(&[("web", "a"), ("api", "b")]),
        &at(&[("web", "b"), ("api", "c"), ("db", "a")]),
    );
    assert!(order.is_feasible() && order.proved);
    insta::assert_snapshot!(order);
}

#[test]
fn a_swap_takes_a_stop_over() {
    let problem = yard(&[("a", 4), ("b", 4), ("c", 3)], &[("web", 3), ("api", 3)]);
    let order = order(
        &problem,
        &at(&[("web", "a"), ("api", "b")]),
        &at(&[("web", "b"), ("api", "a")]),
    );
    assert!(order.is_feasible() && order.proved);
    assert_eq!(
        order
            .steps
            .iter()
            .filter(|step| step.kind == StepKind::StopOver)
            .count(),
        1
    );
    insta::assert_snapshot!(order);
}

#[test]
fn a_service_that_stays_steps_aside_where_that_helps() {
    let problem = yard(
        &[("a", 4), ("b", 4), ("c", 4)],
        &[("web", 3), ("api", 3), ("log", 2)],
    );
    let from = at(&[("web", "a"), ("api", "b"), ("log", "c")]);
    let to = at(&[("web", "b"), ("api", "a"), ("log", "c")]);
    let order = order(&problem, &from, &to);
    // Nothing has room: `c` has 2 cores left, `a` and `b` one. `log` cannot step aside either.
    assert!(!order.is_feasible() && order.proved);
    let problem = yard(
        &[("a", 4), ("b", 4), ("c", 4), ("d", 2)],
        &[("web", 3), ("api", 3), ("log", 2)],
    );
    let order = crate::order::order(&problem, &from, &to);
    assert!(order.is_feasible() && order.proved);
    assert!(order.steps.iter().any(|step| step.service == key("log")));
}

#[test]
fn a_swap_without_room_says_what_it_lacks() {
    let problem = yard(&[("a", 4), ("b", 5)], &[("web", 3), ("api", 3)]);
    let order = order(
        &problem,
        &at(&[("web", "a"), ("api", "b")]),
        &at(&[("web", "b"), ("api", "a")]),
    );
    assert!(!order.is_feasible() && order.proved);
    insta::assert_snapshot!(order);
}

#[test]
fn links_may_break_for_a_while_and_it_says_so() {
    let problem = shop();
    let mut to = problem.current.clone();
    for service in ["web", "cart"] {
        let replicas = problem.services[&key(service)].replicas;
        to.set(key(service), Assignment::single(cluster("austin"), replicas));
    }
    let order = order(&problem, &problem.current, &to);
    assert!(order.steps[0].meanwhile.len() == 1 && order.steps[1].meanwhile.is_empty());
    insta::assert_snapshot!(order);
}

#[test]
fn what_is_not_known_is_refused() {
    let problem = yard(&[("a", 4)], &[("web", 3)]);
    let refused =
        |to: &Placement| order_of_moves(&problem, &Placement::new(), to, OrderLimits::default()).unwrap_err();
    insta::assert_snapshot!(refused(&at(&[("ghost", "a")])), @"the placement problem is inconsistent: default/demo/ghost is no service of the problem");
    insta::assert_snapshot!(refused(&at(&[("web", "z")])), @"the placement problem is inconsistent: default/demo/web is to run on z, which is no cluster of the problem");
    assert!(
        order_of_moves(
            &problem,
            &Placement::new(),
            &Placement::new(),
            OrderLimits::default()
        )
        .unwrap()
        .steps
        .is_empty()
    );
}

#[test]
fn large_fleets_are_ordered_without_trying_everything() {
    // Forty pairs that swap, and one empty cluster for all of them.
    let mut problem = yard(&[("spare", 4)], &[]);
    let (mut from, mut to) = (Placement::new(), Placement::new());
    for number in 0..40 {
        for side in ["l", "r"] {
            let name = format!("{side}{number}");
            problem
                .clusters
                .insert(cluster(&name), supply(4, 64, "0.01", 100.0));
            add(&mut problem, &name, 1, amounts(3000, 1));
            let other = format!("{}{number}", if side == "l" { "r" } else { "l" });
            from.set(key(&name), Assignment::single(cluster(&name), 1));
            to.set(key(&name), Assignment::single(cluster(&other), 1));
        }
    }
    let order = order(&problem, &from, &to);
    assert!(order.is_feasible(), "{order}");
    assert_eq!(order.steps.len(), 120);
}

/// Least missing room, then fewest steps, over all orders in which any service may go anywhere its rules allow: by
/// relaxing every edge of the graph of all placements until nothing changes.
fn brute_force(problem: &PlacementProblem, from: &Placement, to: &Placement) -> (u64, usize) {
    let services: Vec<&ServiceKey> = problem
        .services
        .keys()
        .filter(|service| from.get(service).is_some())
        .collect();
    let clusters: Vec<&ClusterName> = problem.clusters.keys().collect();
    let place = |placement: &Placement| -> Vec<usize> {
        services
            .iter()
            .map(|service| {
                let there = placement.get(service).unwrap().clusters().next().unwrap();
                clusters.iter().position(|name| *name == there).unwrap()
            })
            .collect()
    };
    let (start, end) = (place(from), place(to));
    let mut best: BTreeMap<Vec<usize>, (u64, usize)> = BTreeMap::from([(start.clone(), (0, 0))]);
    let mut queue = VecDeque::from([start]);
    while let Some(state) = queue.pop_front() {
        let cost = best[&state];
        for (number, service) in services.iter().enumerate() {
            for (target, name) in clusters
                .iter()
                .enumerate()
                .filter(|(target, _)| *target != state[number])
            {
                let open = problem.open_clusters(service).any(|open| open == *name);
                if target != end[number] && !open {
                    continue;
                }
                let demand = &problem.services[*service];
                let mut share = 0;
                for resource in [ResourceName::CPU, ResourceName::MEMORY] {
                    let used: u64 = services
                        .iter()
                        .zip(&state)
                        .filter(|(_, there)| **there == target)
                        .map(|(other, _)| {
                            let other = &problem.services[*other];
                            other.per_replica.amount(resource) * u64::from(other.replicas)
                        })
                        .sum();
                    let need = demand.per_replica.amount(resource) * u64::from(demand.replicas);
                    let capacity = problem.clusters[*name].capacity.amount(resource);
                    if need > 0 {
                        let missing = (used + need).saturating_sub(capacity.max(used));
                        share +=
                            (u128::from(missing) * 1_000_000).div_ceil(u128::from(capacity.max(1))) as u64;
                    }
                }
                let mut next = state.clone();
                next[number] = target;
                let next_cost = (cost.0 + share, cost.1 + 1);
                if best.get(&next).is_none_or(|known| next_cost < *known) {
                    best.insert(next.clone(), next_cost);
                    queue.push_back(next);
                }
            }
        }
    }
    best[&end]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_needs_less(problem in problems(Room::Little), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()) {
        let fitting: Vec<Placement> = every_placement(&problem).into_iter().filter(|placement| {
            let breaches = smo_core::placement::verify(&problem, placement);
            !breaches.iter().any(|breach| matches!(breach, smo_core::placement::Breach::Overcommitted { .. }))
        }).collect();
        prop_assume!(!fitting.is_empty());
        let (from, to) = (from.get(&fitting), to.get(&fitting));
        let order = order_of_moves(&problem, from, to, OrderLimits::default()).unwrap();
        prop_assert_eq!(order.check(&problem, from, to), Vec::<String>::new());
        prop_assert!(order.proved);
        let (share, steps) = brute_force(&problem, from, to);
        prop_assert_eq!(order.is_feasible(), share == 0);
        prop_assert_eq!(order.steps.len(), steps);
        let lacking: u64 = order.steps.iter().filter_map(|step| step.needs.as_ref()).map(|needs| {
            let supply = &problem.clusters[&needs.cluster];
            needs.missing.iter().map(|(name, amount)| (u128::from(amount) * 1_000_000).div_ceil(u128::from(supply.capacity.amount(name.as_str()).max(1))) as u64).sum::<u64>()
        }).sum();
        prop_assert_eq!(lacking, share);
    }

    #[test]
    fn a_decision_can_be_carried_out_in_order(problem in problems(Room::Some)) {
        if let Ok(decision) = decide(&MilpPlacer::default(), &problem).unwrap().into_decision() {
            let order = order_of_moves(&problem, &problem.current, &decision.placement, OrderLimits::default()).unwrap();
            prop_assert_eq!(order.check(&problem, &problem.current, &decision.placement), Vec::<String>::new());
        }
    }
}
