//! What binds, worked by hand: a replica of one core costs 0.01 on cheap, 0.05 on dear and on other; a move 0.01.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::cluster::Path;
use smo_core::id::ServiceKey;
use smo_core::placement::ask::{Condition, explain_in_full};
use smo_core::placement::rules::{Pair, Rule};
use smo_core::placement::{
    AntiAffinityGroup, AutoPlacer, Breach, Budget, CoLocationGroup, CustomRule, DomainKey, Exhaustive, Goal,
    HighAvailability, Mode, Placement, PlacementProblem, Placer, Reason, Spread, Value, Weight, decide,
};
use smo_core::units::DataRate;

use crate::support::{add, amounts, cluster, key, run, sound_placements, supply};

fn town() -> PlacementProblem {
    let mut problem = PlacementProblem::default();
    for (name, price, zone) in [
        ("cheap", "0.01", None),
        ("dear", "0.05", Some("z1")),
        ("other", "0.05", Some("z2")),
    ] {
        let mut supply = supply(8, 64, price, 0.0);
        supply.zones = zone.into_iter().map(str::to_owned).collect();
        problem.clusters.insert(cluster(name), supply);
    }
    for service in ["api", "web"] {
        add(&mut problem, service, 1, amounts(1000, 1));
    }
    problem
}

/// What binds and what it costs in thousandths of a point, the dearest first.
fn binding_by(placer: &dyn Placer, problem: &PlacementProblem) -> Vec<(String, i128)> {
    let decision = decide(placer, problem).unwrap().into_decision().unwrap();
    let explained = explain_in_full(placer, problem, &decision, 400).unwrap();
    assert!(explained.complete);
    let found = explained.binding.iter();
    let thousandth = Value::PER_POINT / 1000;
    found
        .map(|binding| {
            assert!(
                binding.exact && binding.gain.units() % thousandth == 0,
                "{binding:?}"
            );
            (binding.text.clone(), binding.gain.units() / thousandth)
        })
        .collect()
}

fn binding(problem: &PlacementProblem) -> Vec<(String, i128)> {
    binding_by(&AutoPlacer::default(), problem)
}

fn says(text: &str, gain: i128) -> (String, i128) {
    (text.to_owned(), gain)
}

fn both() -> BTreeSet<ServiceKey> {
    BTreeSet::from([key("api"), key("web")])
}

fn apart(key: DomainKey) -> AntiAffinityGroup {
    AntiAffinityGroup {
        services: both(),
        key,
        price: None,
    }
}

#[test]
fn nothing_binds_where_nothing_is_asked() {
    assert_eq!(binding(&town()), []);
}

#[test]
fn groups_bind() {
    // Apart one of two is on a dear cluster: 0.06 and not 0.02.
    let mut problem = town();
    problem.anti_affinity.push(apart(DomainKey::Cluster));
    assert_eq!(
        binding(&problem),
        [says("of api, web no two share a cluster", 40)]
    );
    // As a wish it is no condition: it has a price.
    problem
        .soft
        .insert("anti-affinity".to_owned(), Weight::from_millionths(1_000_000));
    assert_eq!(binding(&problem), []);
    // Api is kept on dear: web by its side costs 0.10, alone 0.06; both on cheap 0.02.
    let mut problem = town();
    problem.services[&key("api")].pinned = Some(BTreeSet::from([cluster("dear")]));
    problem.co_location.push(CoLocationGroup {
        services: both(),
        price: None,
    });
    let expected = [
        says("api is pinned to dear", 80),
        says("api, web share their clusters", 40),
    ];
    assert_eq!(binding(&problem), expected);
}

#[test]
fn replicas_that_are_kept_apart_bind() {
    let mut problem = town();
    problem.services.shift_remove(&key("api"));
    let demand = &mut problem.services[&key("web")];
    demand.replicas = 2;
    demand.mode = Mode::Split;
    demand.high_availability = Some(HighAvailability::default());
    assert_eq!(
        binding(&problem),
        [says("web survives the loss of a cluster", 40)]
    );
    let demand = &mut problem.services[&key("web")];
    demand.high_availability = None;
    demand.spread.push(Spread {
        min_groups: Some(2),
        ..Spread::default()
    });
    assert_eq!(
        binding(&problem),
        [says("web spreads over clusters (at least 2)", 40)]
    );
}

/// Cheap is in no zone: whatever asks for zones keeps off it.
#[test]
fn a_cluster_in_no_domain_is_forbidden_by_the_rule_that_asks_for_domains() {
    let mut problem = town();
    problem.anti_affinity.push(apart(DomainKey::Zone));
    assert_eq!(binding(&problem), [says("of api, web no two share a zone", 80)]);
    let mut problem = town();
    problem.services.shift_remove(&key("api"));
    problem.services[&key("web")].spread.push(Spread {
        key: DomainKey::Zone,
        min_groups: Some(1),
        ..Spread::default()
    });
    assert_eq!(
        binding(&problem),
        [says("web spreads over zones (at least 1)", 40)]
    );
    let demand = &mut problem.services[&key("web")];
    demand.spread.clear();
    demand.replicas = 2;
    demand.mode = Mode::Split;
    demand.high_availability = Some(HighAvailability {
        key: DomainKey::Zone,
        price: None,
    });
    assert_eq!(binding(&problem), [says("web survives the loss of a zone", 80)]);
}

#[test]
fn what_keeps_services_in_place_binds() {
    let mut problem = town();
    for service in ["api", "web"] {
        run(&mut problem, service, "dear");
    }
    // One move, to cheap: 0.07. Two: 0.04. Each of them alone is within the budget.
    problem.budgets.push(Budget {
        goal: Goal::Moves,
        at_most: 1,
        price: None,
    });
    assert_eq!(binding(&problem), [says("at most 1 move", 30)]);
    problem.budgets.clear();
    problem.services[&key("web")].final_placement = true;
    assert_eq!(binding(&problem), [says("the placement of web is final", 30)]);
}

#[test]
fn the_network_binds() {
    let mut problem = town();
    problem.services[&key("api")].pinned = Some(BTreeSet::from([cluster("dear")]));
    crate::support::link(&mut problem, "web", "api", Default::default());
    problem.links[0].traffic = DataRate::new(1500);
    let path = Path {
        bandwidth: Some(DataRate::new(1000)),
        ..Path::default()
    };
    problem.network.measure(cluster("cheap"), cluster("dear"), path);
    let network = "the network between clusters carries what it can";
    assert_eq!(
        binding(&problem),
        [says("api is pinned to dear", 80), says(network, 40)]
    );
}

/// A rule about pairs, or about whole placements.
#[derive(Debug)]
struct Off {
    name: &'static str,
    whole: bool,
}

impl Rule for Off {
    fn name(&self) -> &str {
        self.name
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let there = !self.whole && pair.cluster.as_str() == "cheap" && pair.service.service.as_str() == "web";
        there.then(|| Reason::Custom {
            name: self.name.to_owned(),
            message: "not there".to_owned(),
        })
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        if !self.whole {
            return smo_core::placement::rules::forbidden(self, problem, placement);
        }
        let there = placement
            .iter()
            .filter(|(_, there)| there.on(&cluster("cheap")) > 0)
            .count();
        let breach = || Breach::Custom {
            rule: self.name.to_owned(),
            message: "one is enough there".to_owned(),
            amount: 1,
        };
        (there > 1).then(breach).into_iter().collect()
    }

    fn couples(&self, _: &PlacementProblem) -> bool {
        self.whole
    }
}

#[test]
fn rules_of_the_host_bind() {
    for whole in [false, true] {
        let mut problem = town();
        problem.rules.push(CustomRule::new(Off { name: "off", whole }));
        let found = binding_by(&Exhaustive::default(), &problem);
        assert_eq!(found, [says("the rule off is kept", 40)]);
    }
}

prop_compose! {
    fn asked()(
        group in prop::option::weighted(0.5, prop::bool::ANY),
        share in prop::bool::weighted(0.3),
        moves in prop::option::weighted(0.5, 0_i64..=2),
        current in prop::collection::vec(prop::option::of(0_usize..3), 2),
        finals in prop::collection::vec(prop::bool::weighted(0.3), 2),
    ) -> PlacementProblem {
        let mut problem = town();
        let names = ["cheap", "dear", "other"];
        for ((service, at), last) in ["api", "web"].into_iter().zip(current).zip(finals) {
            if let Some(at) = at {
                run(&mut problem, service, names[at]);
            }
            problem.services[&key(service)].final_placement = last;
        }
        problem.anti_affinity.extend(group.map(|zone| apart(if zone { DomainKey::Zone } else { DomainKey::Cluster })));
        if share {
            problem.co_location.push(CoLocationGroup { services: both(), price: None });
        }
        problem.budgets.extend(moves.map(|at_most| Budget { goal: Goal::Moves, at_most, price: None }));
        problem
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn everything_binds_without_which_there_is_better(problem in asked()) {
        let best = |problem: &PlacementProblem| sound_placements(problem).into_iter().map(|(_, _, value)| value).min();
        let Some(now) = best(&problem) else { return Ok(()) };
        let mut expected: Vec<(String, Value)> = Vec::new();
        let mut without = |name: &str, edit: &dyn Fn(&mut PlacementProblem)| {
            let mut relaxed = problem.clone();
            edit(&mut relaxed);
            let gain = now.minus(best(&relaxed).unwrap());
            if gain > Value::ZERO {
                expected.push((name.to_owned(), gain));
            }
        };
        without("apart", &|problem| problem.anti_affinity.clear());
        without("together", &|problem| problem.co_location.clear());
        without("budget", &|problem| problem.budgets.clear());
        for service in ["api", "web"] {
            without(service, &|problem| problem.services[&key(service)].final_placement = false);
        }
        let placer = AutoPlacer::default();
        let decision = decide(&placer, &problem).unwrap().into_decision().unwrap();
        let explained = explain_in_full(&placer, &problem, &decision, 1000).unwrap();
        let name = |condition: &Condition| match condition {
            Condition::AntiAffinity { .. } => "apart".to_owned(),
            Condition::CoLocation { .. } => "together".to_owned(),
            Condition::Budget { .. } => "budget".to_owned(),
            Condition::Final { service } => service.service.to_string(),
            other => panic!("{other:?} is not asked"),
        };
        let mut found: Vec<_> = explained.binding.iter().map(|binding| (name(&binding.condition), binding.gain)).collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}
