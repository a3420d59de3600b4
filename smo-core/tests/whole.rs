//! Rules and goals about everything at once, in problems too large for exact methods: answers that can be worked out by hand.
//!
//! Sixty services of one to nine cores on eight clusters of a thousand, which get cheaper by a cent an hour and core, unless a test says
//! otherwise.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use smo_core::placement::rules::Rule;
use smo_core::placement::{
    AutoPlacer, Breach, Certificate, CustomRule, Decision, FleetPlacer, Goal, MilpPlacer, Outcome,
    PlaceContext, Placement, PlacementProblem, Placer, Progress, Status, decide,
};

const SERVICES: usize = 60;
const CLUSTERS: usize = 8;

fn cores(service: usize) -> usize {
    1 + service * 7 % 9
}

fn name(service: usize) -> String {
    format!("p/g/s{service}")
}

/// In cents an hour and core.
fn price(cluster: usize) -> usize {
    10 - cluster
}

fn services(with: impl Fn(usize) -> Json) -> Vec<Json> {
    let one = |number: usize| {
        let mut service = json!({"name": name(number), "replicas": 1, "perReplica": {"cpu": cores(number)}});
        merge(&mut service, with(number));
        service
    };
    (0..SERVICES).map(one).collect()
}

fn clusters(with: impl Fn(usize) -> Json) -> Vec<Json> {
    let one = |number: usize| {
        let mut cluster = json!({
            "name": format!("c{number}"), "capacity": {"cpu": 1000},
            "price": {"cpu": price(number) as f64 / 100.0},
            "carbon": {"intensity": 100, "pue": 1, "wattsPerCore": 10},
        });
        merge(&mut cluster, with(number));
        cluster
    };
    (0..CLUSTERS).map(one).collect()
}

fn merge(into: &mut Json, more: Json) {
    let (Some(into), Json::Object(more)) = (into.as_object_mut(), more) else {
        return;
    };
    into.extend(more);
}

/// As the file says; money alone counts where it does not say what does.
fn asked(problem: Json) -> PlacementProblem {
    let mut whole = json!({
        "goals": {"money": 1, "carbon": 0, "moves": 0},
        "services": services(|_| json!({})),
        "clusters": clusters(|_| json!({})),
    });
    merge(&mut whole, problem);
    PlacementProblem::parse(&json!({ "problem": whole }).to_string()).unwrap()
}

fn decided(problem: &PlacementProblem) -> Decision {
    let placer = AutoPlacer::new(
        MilpPlacer::default(),
        FleetPlacer::default().with_effort(300_000_000),
    );
    decide(&placer, problem).unwrap().into_decision().unwrap()
}

fn cents(decision: &Decision) -> f64 {
    decision.totals.of(Goal::Money) as f64 / 1e7
}

#[track_caller]
fn is(decision: &Decision, wanted: usize) {
    assert!(
        (cents(decision) - wanted as f64).abs() < 1e-6,
        "{} cents, not {wanted}",
        cents(decision)
    );
}

fn descending(numbers: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut numbers: Vec<usize> = numbers.collect();
    numbers.sort_unstable_by(|one, other| other.cmp(one));
    numbers
}

#[test]
fn a_budget_of_moves_goes_to_those_that_save_most() {
    let home = |service: usize| service % CLUSTERS;
    let current: serde_json::Map<String, Json> = (0..SERVICES)
        .map(|service| (name(service), json!({format!("c{}", home(service)): 1})))
        .collect();
    let problem = asked(json!({"current": current, "budgets": [{"goal": "moves", "atMost": 5}]}));
    let decision = decided(&problem);
    let now: usize = (0..SERVICES)
        .map(|service| cores(service) * price(home(service)))
        .sum();
    let saved = descending(
        (0..SERVICES).map(|service| cores(service) * (price(home(service)) - price(CLUSTERS - 1))),
    );
    is(&decision, now - saved[..5].iter().sum::<usize>());
    assert_eq!(decision.status, Status::Optimal);
}

/// Everybody at home, so many replicas each.
fn at_home(replicas: usize) -> serde_json::Map<String, Json> {
    let home = |service: usize| json!({format!("c{}", service % CLUSTERS): replicas});
    (0..SERVICES)
        .map(|service| (name(service), home(service)))
        .collect()
}

/// In cents an hour: what all pay at home, and what each saves on the cheapest cluster, by the replica.
fn at_stake() -> (usize, Vec<usize>) {
    let costs = (0..SERVICES).map(|service| cores(service) * price(service % CLUSTERS));
    let saves =
        (0..SERVICES).map(|service| cores(service) * (price(service % CLUSTERS) - price(CLUSTERS - 1)));
    (costs.sum(), saves.collect())
}

#[test]
fn a_budget_of_replicas_goes_to_those_that_save_most() {
    let split = services(|_| json!({"replicas": 3, "mode": "split"}));
    let budgets = json!([{"goal": "movedReplicas", "atMost": 7}]);
    let problem = asked(json!({"services": split, "current": at_home(3), "budgets": budgets}));
    let decision = decided(&problem);
    let (now, saves) = at_stake();
    let saved = descending(saves.into_iter().flat_map(|saves| [saves; 3]));
    is(&decision, 3 * now - saved[..7].iter().sum::<usize>());
    assert_eq!(decision.status, Status::Optimal);
    assert!(decision.totals.of(Goal::MovedReplicas) <= 7);
}

#[test]
fn a_budget_a_little_too_small_is_refuted_too() {
    let small = || clusters(|_| json!({"capacity": {"cpu": 53}}));
    let cheapest = decided(&asked(json!({"clusters": small()})));
    assert_eq!(cheapest.status, Status::Optimal);
    for (share, possible) in [(0.94, false), (0.99, false), (1.0, true)] {
        let budget = json!({"goal": "money", "atMost": share * cents(&cheapest) / 100.0});
        let goals = json!({"carbon": 1, "money": 0, "moves": 0});
        let problem = asked(json!({"clusters": small(), "budgets": [budget], "goals": goals}));
        match decide(&AutoPlacer::default(), &problem).unwrap() {
            Outcome::Placed(decision) => assert!(possible && cents(&decision) <= cents(&cheapest) + 1e-6),
            Outcome::Infeasible(diagnosis) => assert!(!possible && diagnosis.proved, "{share}: {diagnosis}"),
        }
    }
}

#[test]
fn a_budget_of_bytes_is_filled_like_a_knapsack() {
    const GIGABYTES: usize = 12;
    let size = |service: usize| 1 + service * 5 % 7;
    let heavy = services(|service| json!({"state": format!("{}G", size(service))}));
    let budgets = json!([{"goal": "movedState", "atMost": GIGABYTES}]);
    let problem = asked(json!({"services": heavy, "current": at_home(1), "budgets": budgets}));
    let decision = decided(&problem);
    let (now, saves) = at_stake();
    let mut saved = [0; GIGABYTES + 1];
    for (service, saves) in saves.into_iter().enumerate() {
        for room in (size(service)..=GIGABYTES).rev() {
            saved[room] = saved[room].max(saved[room - size(service)] + saves);
        }
    }
    is(&decision, now - saved[GIGABYTES]);
    assert!(decision.totals.of(Goal::MovedState) <= GIGABYTES as i64 * 1_000_000_000);
    // In part, the last service counts in the bound.
    let gap = decision.value.minus(decision.bound.unwrap()).points() * 100.0;
    assert!(gap < 14.0, "{gap} cents");
}

#[test]
fn what_comes_second_is_the_best_of_what_is_best_first() {
    let clusters = clusters(|number| match number {
        0 => json!({"carbon": {"intensity": 50, "pue": 1, "wattsPerCore": 10}}),
        1 => json!({"price": {"cpu": 0.03}, "carbon": {"intensity": 50, "pue": 1, "wattsPerCore": 10}}),
        _ => json!({"price": {"cpu": 0.01}}),
    });
    let goals = json!({"carbon": 1, "money": 0, "moves": 0, "then": [{"money": 1, "carbon": 0, "moves": 0}]});
    let decision = decided(&asked(json!({"clusters": clusters, "goals": goals})));
    is(&decision, 3 * (0..SERVICES).map(cores).sum::<usize>());
    assert_eq!(decision.status, Status::Optimal);
}

#[test]
fn the_fullest_cluster_is_as_empty_as_all_of_them() {
    let goals = json!({"balance": 1, "money": 0, "carbon": 0, "moves": 0});
    let decision = decided(&asked(json!({ "goals": goals })));
    let all: usize = (0..SERVICES).map(cores).sum();
    // hundredths of a percent of a thousand cores
    let wanted = 10 * all.div_ceil(CLUSTERS);
    assert_eq!(decision.totals.of(Goal::Balance), i64::try_from(wanted).unwrap());
    assert!(decision.gap().unwrap() < 0.03, "{:?}", decision.gap());
}

#[test]
fn money_and_the_fullest_cluster_are_bounded_together() {
    const ROOM: usize = 60;
    let small = clusters(|_| json!({"capacity": {"cpu": ROOM}}));
    let goals = json!({"balance": 0.1, "money": 1, "carbon": 0, "moves": 0});
    let problem = asked(json!({"goals": goals, "clusters": small}));
    let decision = decided(&problem);
    // were services divisible, the cheapest few clusters would be equally full
    let all = (0..SERVICES).map(cores).sum::<usize>() as f64;
    let value = |few: usize| {
        let cents: usize = (CLUSTERS - few..CLUSTERS).map(price).sum();
        let percent = 100.0 * all / (few * ROOM) as f64;
        (percent <= 100.0).then_some(0.1 * percent + cents as f64 / 100.0 * all / few as f64)
    };
    let best = (1..=CLUSTERS).filter_map(value).fold(f64::INFINITY, f64::min);
    let bound = decision.bound.unwrap().points();
    assert!(0.999 * best <= bound && bound <= best, "{bound} of {best}");
    assert!(decision.gap().unwrap() < 0.005, "{:?}", decision.gap());

    // the parts of the clusters are published, and more than the whole goal cannot be shared
    let certificate = decision.proof.certificate().unwrap();
    assert_eq!(certificate.bound(&problem).unwrap(), decision.bound);
    let mut greedy = certificate.clone();
    greedy.fullness[0] += 1 << 20;
    assert_eq!(greedy.bound(&problem), Ok(None));
    greedy.fullness = certificate.fullness[1..].to_vec();
    assert_eq!(greedy.bound(&problem), Ok(None));
}

#[test]
fn few_clusters_are_enough() {
    let goals = json!({"consolidation": 1, "money": 0, "carbon": 0, "moves": 0});
    let small = clusters(|_| json!({"capacity": {"cpu": 110}}));
    let decision = decided(&asked(json!({"goals": goals, "clusters": small})));
    let all: usize = (0..SERVICES).map(cores).sum();
    assert_eq!(
        decision.totals.of(Goal::Consolidation),
        i64::try_from(all.div_ceil(110)).unwrap()
    );
    assert_eq!(decision.status, Status::Optimal);
}

#[test]
fn a_path_that_is_full_keeps_the_dearest_off_the_cheap_cluster() {
    // half of them stay on c0; each talks to one that may be on c1, which is cheap, or on c2
    let of = |number: usize| 1 + number / 2 % 9;
    let services = services(|number| match number % 2 {
        0 => json!({"pinned": ["c0"], "perReplica": {"cpu": 1}}),
        _ => json!({"pinned": ["c1", "c2"], "perReplica": {"cpu": of(number)}}),
    });
    let clusters = clusters(|number| json!({"price": {"cpu": if number == 1 { 0.01 } else { 0.05 }}}));
    let links: Vec<Json> = (0..SERVICES / 2)
        .map(|pair| json!({"from": name(2 * pair), "to": name(2 * pair + 1), "traffic": "1M"}))
        .collect();
    let network = json!([{"between": ["c0", "c1"], "rtt": 1, "bandwidth": "10M"}]);
    let problem =
        asked(json!({"services": services, "clusters": clusters, "links": links, "network": network}));
    let sizes = descending((0..SERVICES).filter(|number| number % 2 == 1).map(of));
    let all: usize = 5 * (SERVICES / 2 + sizes.iter().sum::<usize>());
    is(&decided(&problem), all - 4 * sizes[..10].iter().sum::<usize>());
}

#[test]
fn a_budget_of_money_is_spent_where_it_helps_most() {
    let clusters = clusters(|number| match number {
        0 => json!({"price": {"cpu": 0.10}, "carbon": {"intensity": 10, "pue": 1, "wattsPerCore": 10}}),
        1 => json!({"price": {"cpu": 0.01}, "carbon": {"intensity": 300, "pue": 1, "wattsPerCore": 10}}),
        _ => json!({"price": {"cpu": 0.05}, "carbon": {"intensity": 250, "pue": 1, "wattsPerCore": 10}}),
    });
    let all: usize = (0..SERVICES).map(cores).sum();
    let budget = json!([{"goal": "money", "atMost": 0.05 * all as f64}]);
    let goals = json!({"carbon": 1, "money": 0, "moves": 0});
    let problem = asked(json!({"clusters": clusters, "budgets": budget, "goals": goals}));
    let decision = decided(&problem);
    assert!(cents(&decision) <= 5.0 * all as f64 + 1e-6);
    // four ninths of the cores at ten cents and the rest at one spend it all: no mix is greener, and cores are whole
    let green = 4 * all / 9;
    let grams = 0.1 * green as f64 + 3.0 * (all - green) as f64;
    let found = decision.totals.of(Goal::Carbon) as f64 / 1e6;
    assert!((found - grams).abs() < 1e-6, "{found}, not {grams}");
    assert!(decision.gap().unwrap() < 0.01);
}

#[test]
fn room_that_is_only_wished_is_overrun_as_little_as_possible() {
    let clusters = clusters(|_| json!({"capacity": {"cpu": 30}}));
    let decision = decided(&asked(json!({"clusters": clusters, "soft": {"capacity": 0.01}})));
    let all: usize = (0..SERVICES).map(cores).sum();
    // a hundredth of a point a millicore
    let points = decision.totals.of(Goal::Preference) / 1_000_000;
    assert_eq!(points, i64::try_from(10 * (all - 30 * CLUSTERS)).unwrap());
    assert!(decision.gap().unwrap() < 0.001, "{:?}", decision.gap());
}

#[test]
fn services_that_keep_apart_are_spread_by_size() {
    let groups: Vec<Json> = (0..7)
        .map(|group| json!({"services": (0..7).map(|member| name(8 * group + member)).collect::<Vec<_>>()}))
        .collect();
    let decision = decided(&asked(json!({ "antiAffinity": groups })));
    let grouped: BTreeSet<usize> = (0..7)
        .flat_map(|group| (0..7).map(move |member| 8 * group + member))
        .collect();
    let mut wanted = 0;
    for group in 0..7 {
        let sizes = descending((0..7).map(|member| cores(8 * group + member)));
        wanted += sizes
            .iter()
            .zip(3..)
            .map(|(size, price)| size * price)
            .sum::<usize>();
    }
    let free = (0..SERVICES).filter(|service| !grouped.contains(service));
    wanted += free.map(|service| 3 * cores(service)).sum::<usize>();
    is(&decision, wanted);
}

#[test]
fn split_services_that_belong_together_use_the_same_clusters() {
    let services = services(|_| json!({"mode": "split", "replicas": 3, "perReplica": {"cpu": 1}}));
    let clusters = clusters(|_| json!({"capacity": {"cpu": 40}}));
    let groups: Vec<Json> = (0..SERVICES / 2)
        .map(|pair| json!({"services": [name(2 * pair), name(2 * pair + 1)]}))
        .collect();
    let decision = decided(&asked(
        json!({"services": services, "clusters": clusters, "coLocation": groups}),
    ));
    // a pair takes six cores: six pairs and a part of one fill a cluster, from the cheapest on
    let (mut left, mut wanted) = (3 * SERVICES, 0);
    for cluster in (0..CLUSTERS).rev() {
        let here = left.min(40);
        wanted += here * price(cluster);
        left -= here;
    }
    is(&decision, wanted);
}

#[test]
fn what_is_final_stays_and_the_rest_goes_where_it_is_cheap() {
    let services = services(|number| json!({"mode": "split", "replicas": 4, "final": number % 2 == 0}));
    let current: serde_json::Map<String, Json> = (0..SERVICES)
        .map(|number| {
            let (one, other) = (number % CLUSTERS, (number + 1) % CLUSTERS);
            (
                name(number),
                json!({format!("c{one}"): 2, format!("c{other}"): 2}),
            )
        })
        .collect();
    let decision = decided(&asked(json!({"services": services, "current": current})));
    let cost = |number: usize| match number % 2 {
        0 => 2 * cores(number) * (price(number % CLUSTERS) + price((number + 1) % CLUSTERS)),
        _ => 4 * cores(number) * price(CLUSTERS - 1),
    };
    is(&decision, (0..SERVICES).map(cost).sum());
    assert_eq!(decision.status, Status::Optimal);
}

/// At most ten services on the cheapest cluster.
#[derive(Debug)]
struct TenThere;

impl Rule for TenThere {
    fn name(&self) -> &str {
        "ten there"
    }

    fn breaches(&self, _: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let cheapest = format!("c{}", CLUSTERS - 1).parse().unwrap();
        let there = placement
            .iter()
            .filter(|(_, there)| there.on(&cheapest) > 0)
            .count();
        let over = there.saturating_sub(10);
        let breach = Breach::Custom {
            rule: self.name().to_owned(),
            message: format!("{there} services"),
            amount: over as u64,
        };
        Vec::from_iter((over > 0).then_some(breach))
    }

    fn couples(&self, _: &PlacementProblem) -> bool {
        true
    }
}

#[test]
fn a_rule_of_the_host_about_everything_holds_in_large_problems_too() {
    let mut problem = asked(json!({}));
    problem.rules.push(CustomRule::new(TenThere));
    let decision = decided(&problem);
    let sizes = descending((0..SERVICES).map(cores));
    let there: usize = sizes[..10].iter().sum();
    let others: usize = sizes[10..].iter().sum();
    let wanted = 3 * there + 4 * others;
    assert!(
        cents(&decision) <= wanted as f64 * 1.005,
        "{} of {wanted}",
        cents(&decision)
    );
}

#[test]
fn a_budget_that_nothing_keeps_is_refuted() {
    let all: usize = (0..SERVICES).map(cores).sum();
    let short = 0.03 * all as f64 - 0.01;
    let problem = asked(json!({"budgets": [{"goal": "money", "atMost": short}]}));
    let placer = AutoPlacer::new(
        MilpPlacer::default(),
        FleetPlacer::default().with_effort(300_000_000),
    );
    match decide(&placer, &problem).unwrap() {
        Outcome::Infeasible(diagnosis) => assert!(diagnosis.proved, "{diagnosis}"),
        Outcome::Placed(decision) => panic!("{decision}"),
    }
}

#[test]
fn what_proves_a_bound_proves_it_again_and_helps_the_next_search() {
    // what is cheap emits much
    let small = clusters(|number| {
        let carbon = json!({"intensity": 40 + 20 * number, "pue": 1, "wattsPerCore": 10});
        json!({"capacity": {"cpu": 45}, "carbon": carbon})
    });
    let all: usize = (0..SERVICES).map(cores).sum();
    let budget = json!([{"goal": "carbon", "atMost": 1.1 * all as f64}]);
    let problem = asked(json!({"clusters": small, "budgets": budget}));
    let fleet = FleetPlacer::default().with_effort(100_000_000);
    let decision = decide(&fleet, &problem).unwrap().into_decision().unwrap();
    let certificate = decision.proof.certificate().unwrap().clone();
    let proved = certificate.bound(&problem).unwrap().unwrap();
    assert!(Some(proved) <= decision.bound && proved <= decision.value);
    assert!(
        proved.points() > 0.98 * decision.value.points(),
        "{proved} of {}",
        decision.value
    );
    // any prices prove something, nothing that is not true, and others less
    let mut other = certificate.clone();
    for (at, price) in other.kernel.prices.iter_mut().enumerate() {
        *price += 1 << (at % 3 + 24);
    }
    assert!(other.bound(&problem).unwrap().unwrap() <= decision.value);
    other.limits[0] /= 2;
    assert!(other.bound(&problem).unwrap().unwrap() < proved);
    // in JSON and back
    let text = serde_json::to_string(&certificate).unwrap();
    let read: Certificate = serde_json::from_str(&text).unwrap();
    assert_eq!(read, certificate);
    // with another cluster it is another question
    let mut less = problem.clone();
    less.clusters.shift_remove_index(0);
    assert_eq!(certificate.bound(&less), Ok(None));
}

#[test]
fn a_search_that_begins_with_known_prices_proves_at_once_what_they_prove() {
    let small = clusters(|_| json!({"capacity": {"cpu": 45}}));
    let problem = asked(json!({ "clusters": small }));
    let decided = |placer: &FleetPlacer| decide(placer, &problem).unwrap().into_decision().unwrap();
    let long = decided(&FleetPlacer::default().with_effort(100_000_000));
    let certificate = long.proof.certificate().unwrap().clone();
    let proved = certificate.bound(&problem).unwrap().unwrap();
    let quick = FleetPlacer::default().with_effort(20_000);
    assert!(decided(&quick).bound.unwrap() < proved);
    assert!(decided(&quick.with_known(certificate)).bound.unwrap() >= proved);
}

#[test]
fn whoever_says_to_stop_is_not_asked_again_while_limits_are_priced() {
    let small = clusters(|_| json!({"capacity": {"cpu": 45}}));
    let problem = asked(json!({"clusters": small, "budgets": [{"goal": "money", "atMost": 20}]}));
    let fleet = FleetPlacer::default().with_effort(50_000_000);
    for most in [1, 2, 40, 200] {
        let mut calls = 0;
        let mut watch = |_: &Progress| {
            calls += 1;
            calls < most
        };
        fleet
            .place_watched(&PlaceContext { problem: &problem }, &mut watch)
            .unwrap();
        assert_eq!(calls, most);
    }
}

#[test]
fn the_price_of_memory_is_not_lost_in_rounding() {
    // in GiB, and in bytes that have nothing in common
    for odd in [0, 1] {
        let memory = |service: usize| ((1 + service * 11 % 37) << 30) + odd * (service * 7919 % 1000);
        let needs =
            services(|service| json!({"perReplica": {"cpu": cores(service), "memory": memory(service)}}));
        let all: usize = (0..SERVICES).map(memory).sum();
        let clusters = clusters(|cluster| {
            json!({
                "capacity": {"cpu": 60, "memory": all / 7 + cluster % 2 * all / 50},
                "price": {"cpu": price(cluster) as f64 / 100.0},
            })
        });
        let problem = asked(json!({"services": needs, "clusters": clusters}));
        let fleet = FleetPlacer::default().with_effort(300_000_000);
        let decision = decide(&fleet, &problem).unwrap().into_decision().unwrap();
        let bound = decision.proof.certificate().unwrap().bound(&problem).unwrap();
        assert!(bound.is_some() && bound <= Some(decision.value));
        let gap = decision.value.gap(bound.unwrap()).unwrap();
        assert!(gap < 0.003, "{gap}");
    }
}
