//! Orders of moves.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::ask::{OrderLimits, StepKind, order_of_moves};
use smo_core::placement::{
    AntiAffinityGroup, Assignment, DomainKey, MilpPlacer, Mode, Placement, PlacementProblem, decide,
};
use smo_core::resources::ResourceName;

use crate::support::{
    Room, add, amounts, below, cluster, every_placement, key, link, measure, problems, shop, supply,
};

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

/// Two services of so many replicas, of a core each, that change places between two clusters.
fn change_of_places(replicas: u32, cores: u64) -> (PlacementProblem, Placement, Placement) {
    let mut problem = yard(&[("a", cores), ("b", cores)], &[]);
    let (mut from, mut to) = (Placement::new(), Placement::new());
    for (name, here, there) in [("web", "a", "b"), ("api", "b", "a")] {
        add(&mut problem, name, replicas, amounts(1000, 1));
        from.set(key(name), Assignment::single(cluster(here), replicas));
        to.set(key(name), Assignment::single(cluster(there), replicas));
    }
    (problem, from, to)
}

#[test]
fn what_does_not_fit_as_a_whole_goes_part_by_part() {
    // One core is free on each: neither service has room beside the other one.
    let (problem, from, to) = change_of_places(3, 4);
    let order = order(&problem, &from, &to);
    assert!(order.is_feasible() && order.proved);
    insta::assert_snapshot!(order);
}

#[test]
fn parts_lack_less_than_the_whole() {
    let (problem, from, to) = change_of_places(2, 2);
    let order = order(&problem, &from, &to);
    assert!(!order.is_feasible() && order.proved);
    insta::assert_snapshot!(order);
}

#[test]
fn what_has_room_as_a_whole_stays_whole() {
    let (mut problem, from, to) = change_of_places(3, 4);
    problem.clusters[&cluster("b")] = supply(6, 64, "0.01", 100.0);
    let order = order(&problem, &from, &to);
    assert!(order.is_feasible() && order.proved);
    assert_eq!(
        order.steps.iter().map(|step| step.replicas).collect::<Vec<_>>(),
        [3, 3]
    );
}

#[test]
fn split_services_are_paired_so_that_few_steps_do_it() {
    let mut problem = yard(&[("a", 9), ("b", 9), ("c", 9), ("d", 9)], &[]);
    add(&mut problem, "web", 5, amounts(1000, 1));
    let split = |parts: [(&str, u32); 2]| -> Placement {
        let parts = parts.map(|(name, replicas)| (cluster(name), replicas));
        [(key("web"), Assignment::from_iter(parts))].into_iter().collect()
    };
    let order = order(
        &problem,
        &split([("a", 2), ("b", 3)]),
        &split([("c", 3), ("d", 2)]),
    );
    assert!(order.is_feasible() && order.proved);
    assert_eq!(order.steps.len(), 2);
}

#[test]
fn a_step_that_breaks_nothing_goes_first() {
    let mut problem = yard(&[("a", 9), ("b", 9), ("c", 9)], &[("web", 1), ("api", 1)]);
    problem.anti_affinity.push(AntiAffinityGroup {
        services: [key("web"), key("api")].into(),
        key: DomainKey::Cluster,
        price: None,
    });
    let from = at(&[("web", "a"), ("api", "b")]);
    let to = at(&[("web", "b"), ("api", "c")]);
    let order = order(&problem, &from, &to);
    let movers: Vec<ServiceKey> = order.steps.iter().map(|step| step.service.clone()).collect();
    assert_eq!(movers, [key("api"), key("web")]);
    assert!(order.steps.iter().all(|step| step.meanwhile.is_empty()));
}

#[test]
fn the_ends_of_a_link_move_one_right_after_the_other() {
    let services = ["web", "log", "mail", "db"];
    let mut problem = yard(&[("a", 9), ("b", 9)], &services.map(|name| (name, 1)));
    link(&mut problem, "web", "db", below(10));
    measure(&mut problem, "a", "b", 30);
    let all_on = |name| at(&services.map(|service| (service, name)));
    for states in [0, 20_000] {
        let limits = OrderLimits {
            states,
            ..OrderLimits::default()
        };
        let order = order_of_moves(&problem, &all_on("a"), &all_on("b"), limits).unwrap();
        assert_eq!(
            order.check(&problem, &all_on("a"), &all_on("b")),
            Vec::<String>::new()
        );
        let broken = order
            .steps
            .iter()
            .filter(|step| !step.meanwhile.is_empty())
            .count();
        assert_eq!((order.steps.len(), broken), (4, 1), "{order}");
    }
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
    let crowd = [(cluster("a"), u32::MAX), (cluster("b"), 1)]
        .into_iter()
        .collect();
    let crowd: Placement = [(key("web"), crowd)].into_iter().collect();
    insta::assert_snapshot!(refused(&crowd), @"the placement problem is inconsistent: default/demo/web has 4294967296 replicas, which are too many");
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

#[test]
fn thousands_of_moves_are_ordered_at_once() {
    // Rings of ten clusters; in each, all services go on to the next cluster, where they only fit in parts. Links hold them together.
    let mut problem = yard(&[], &[]);
    let (mut from, mut to) = (Placement::new(), Placement::new());
    for number in 0..1_000 {
        let (ring, place) = (number / 100, number % 10);
        let here = cluster(&format!("r{ring}-{place}"));
        let there = cluster(&format!("r{ring}-{}", (place + 1) % 10));
        problem
            .clusters
            .entry(here.clone())
            .or_insert_with(|| supply(31, 64, "0.01", 100.0));
        let name = format!("s{number}");
        add(&mut problem, &name, 3, amounts(1000, 1));
        if number % 2 == 1 {
            link(&mut problem, &format!("s{}", number - 1), &name, below(10));
        }
        from.set(key(&name), Assignment::single(here, 3));
        to.set(key(&name), Assignment::single(there, 3));
    }
    let order = order_of_moves(&problem, &from, &to, OrderLimits::default()).unwrap();
    assert!(order.is_feasible());
    assert!(order.steps.len() < 2_000, "{} steps", order.steps.len());
    assert_eq!(order.check(&problem, &from, &to), Vec::<String>::new());
}

/// What the step that lacks most lacks, what all lack, and how many steps there are: the least, over all orders in which any
/// replicas may go anywhere their rules allow. By relaxing every edge of the graph of all placements until nothing changes,
/// first for the step that lacks most.
fn brute_force(problem: &PlacementProblem, from: &Placement, to: &Placement) -> (u64, u64, usize) {
    let services: Vec<&ServiceKey> = problem
        .services
        .keys()
        .filter(|service| from.get(service).is_some())
        .collect();
    let clusters: Vec<&ClusterName> = problem.clusters.keys().collect();
    type State = Vec<Vec<u32>>;
    let counts = |placement: &Placement| -> State {
        let of = |service: &&ServiceKey| {
            let there = placement.get(service).unwrap();
            clusters.iter().map(|name| there.on(name)).collect()
        };
        services.iter().map(of).collect()
    };
    let (start, end) = (counts(from), counts(to));
    let used = |state: &State, cluster: usize, resource: &str| -> u64 {
        let rows = services.iter().zip(state);
        rows.map(|(service, there)| {
            problem.services[*service].per_replica.amount(resource) * u64::from(there[cluster])
        })
        .sum()
    };
    // Every step, with what it lacks.
    let steps = |state: &State| -> Vec<(State, u64)> {
        let mut steps = Vec::new();
        for (number, service) in services.iter().enumerate() {
            for (source, target) in (0..clusters.len()).flat_map(|a| (0..clusters.len()).map(move |b| (a, b)))
            {
                for many in 1..=state[number][source] {
                    let mut next = state.clone();
                    next[number][source] -= many;
                    next[number][target] += many;
                    let stays = next[number][target] <= end[number][target];
                    let open = problem
                        .open_clusters(service)
                        .any(|open| open == clusters[target]);
                    if source == target || !stays && !open {
                        continue;
                    }
                    let mut lacks = 0;
                    for resource in [ResourceName::CPU, ResourceName::MEMORY] {
                        let capacity = problem.clusters[clusters[target]].capacity.amount(resource);
                        let missing = used(&next, target, resource).saturating_sub(capacity);
                        if problem.services[*service].per_replica.amount(resource) > 0 {
                            lacks += (u128::from(missing) * 1_000_000).div_ceil(u128::from(capacity.max(1)))
                                as u64;
                        }
                    }
                    steps.push((next, lacks));
                }
            }
        }
        steps
    };
    let relaxed = |cost_of: &dyn Fn((u64, usize), u64) -> Option<(u64, usize)>| {
        let mut best: BTreeMap<State, (u64, usize)> = BTreeMap::from([(start.clone(), (0, 0))]);
        let mut queue = VecDeque::from([start.clone()]);
        while let Some(state) = queue.pop_front() {
            let cost = best[&state];
            for (next, lacks) in steps(&state) {
                let Some(next_cost) = cost_of(cost, lacks) else {
                    continue;
                };
                if best.get(&next).is_none_or(|known| next_cost < *known) {
                    best.insert(next.clone(), next_cost);
                    queue.push_back(next);
                }
            }
        }
        best[&end]
    };
    let (peak, _) = relaxed(&|cost, lacks| Some((cost.0.max(lacks), 0)));
    let (sum, steps) = relaxed(&|cost, lacks| (lacks <= peak).then_some((cost.0 + lacks, cost.1 + 1)));
    (peak, sum, steps)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_needs_less(
        problem in problems(Room::Little), split in any::<bool>(), from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()
    ) {
        let mut problem = problem;
        for demand in problem.services.values_mut().filter(|_| split) {
            demand.mode = Mode::Split;
        }
        let fitting: Vec<Placement> = every_placement(&problem).into_iter().filter(|placement| {
            let breaches = smo_core::placement::verify(&problem, placement);
            !breaches.iter().any(|breach| matches!(breach, smo_core::placement::Breach::Overcommitted { .. }))
        }).collect();
        prop_assume!(!fitting.is_empty());
        let (from, to) = (from.get(&fitting), to.get(&fitting));
        let order = order_of_moves(&problem, from, to, OrderLimits::default()).unwrap();
        prop_assert_eq!(order.check(&problem, from, to), Vec::<String>::new());
        prop_assert!(order.proved);
        let (peak, sum, steps) = brute_force(&problem, from, to);
        let lacking = order.steps.iter().filter_map(|step| step.needs.as_ref()).map(|needs| {
            let supply = &problem.clusters[&needs.cluster];
            needs.missing.iter().map(|(name, amount)| (u128::from(amount) * 1_000_000).div_ceil(u128::from(supply.capacity.amount(name.as_str()).max(1))) as u64).sum::<u64>()
        });
        let lacking: Vec<u64> = lacking.collect();
        prop_assert_eq!(lacking.iter().copied().max().unwrap_or(0), peak);
        prop_assert_eq!(lacking.iter().sum::<u64>(), sum);
        prop_assert_eq!(order.steps.len(), steps);
    }

    #[test]
    fn services_grow_shrink_start_and_end_on_the_way(
        problem in problems(Room::Some), many in any::<bool>(), begins in prop::collection::vec(any::<bool>(), 4),
        from in any::<prop::sample::Index>(), to in any::<prop::sample::Index>()
    ) {
        let mut problem = problem;
        for demand in problem.services.values_mut() {
            demand.mode = Mode::Split;
        }
        let ends = every_placement(&problem);
        for demand in problem.services.values_mut() {
            demand.replicas = if many { 3 } else { 3 - demand.replicas };
        }
        let mut starts = every_placement(&problem);
        let from = starts.swap_remove(from.index(starts.len()));
        let runs = |(number, _): &(usize, _)| begins[*number];
        let from: Placement = from.iter().enumerate().filter(runs).map(|(_, (key, there))| (key.clone(), there.clone())).collect();
        let to = to.get(&ends);
        for limits in [0, 3, 2_000].into_iter().flat_map(|states| [true, false].map(|stop_overs| OrderLimits { states, stop_overs })) {
            let order = order_of_moves(&problem, &from, to, limits).unwrap();
            prop_assert_eq!(order.check(&problem, &from, to), Vec::<String>::new());
            let only_once = limits.stop_overs || order.steps.iter().all(|step| step.kind != StepKind::StopOver);
            prop_assert!(only_once);
        }
    }

    #[test]
    fn a_decision_can_be_carried_out_in_order(problem in problems(Room::Some)) {
        if let Ok(decision) = decide(&MilpPlacer::default(), &problem).unwrap().into_decision() {
            let order = order_of_moves(&problem, &problem.current, &decision.placement, OrderLimits::default()).unwrap();
            prop_assert_eq!(order.check(&problem, &problem.current, &decision.placement), Vec::<String>::new());
        }
    }
}
