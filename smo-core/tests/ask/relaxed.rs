//! Repairs that relax: spreads that ask for less, services let apart, rules about domains and rules of the host dropped.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use smo_core::id::ClusterName;
use smo_core::placement::ask::{Edit, RepairCosts, RepairLimits, Repairs, repairs};
use smo_core::placement::rules::{Pair, Rule};
use smo_core::placement::{
    AntiAffinityGroup, AutoPlacer, CustomRule, DomainKey, HighAvailability, Mode, Outcome, Placement,
    PlacementProblem, Reason, Spread, Value, verify,
};

use crate::support::{add, amounts, cluster, every_placement, key, supply};

fn ways_out(problem: &PlacementProblem) -> Repairs {
    repairs(&AutoPlacer::default(), problem, RepairLimits::default()).unwrap()
}

/// A cluster in each of these zones, or in none, with room for so many replicas of 4 cores, and a service of them.
fn zones(rooms: &[(&str, Option<&str>, u64)], replicas: u32, mode: Mode) -> PlacementProblem {
    let mut problem = PlacementProblem::default();
    for (name, zone, room) in rooms {
        let mut supply = supply(room * 4, 64, "0.01", 100.0);
        supply.zones = zone.iter().map(|zone| (*zone).to_owned()).collect();
        problem.clusters.insert(cluster(name), supply);
    }
    add(&mut problem, "web", replicas, amounts(4000, 1));
    problem.services[&key("web")].mode = mode;
    problem
}

fn over_zones(min: Option<u32>, max: Option<u32>, skew: Option<u32>) -> Spread {
    Spread {
        key: DomainKey::Zone,
        min_groups: min,
        max_groups: max,
        max_skew: skew,
        price: None,
    }
}

fn relax(min_groups: Option<u32>, max_groups: Option<u32>, max_skew: Option<u32>) -> Edit {
    Edit::RelaxSpread {
        service: key("web"),
        key: DomainKey::Zone,
        min_groups,
        max_groups,
        max_skew,
    }
}

#[test]
fn three_zones_become_two() {
    // Blue has no room: 4 cores there cost 4 points, a zone fewer 2.
    let rooms = [
        ("red", Some("z1"), 2),
        ("green", Some("z2"), 2),
        ("blue", Some("z3"), 0),
    ];
    let mut problem = zones(&rooms, 3, Mode::Split);
    problem.services[0].spread.push(over_zones(Some(3), None, None));
    let found = ways_out(&problem);
    assert!(found.cheapest);
    assert_eq!(found.repairs[0].edits, [relax(Some(2), None, None)]);
    insta::assert_snapshot!(found);
}

#[test]
fn more_groups_and_more_skew_are_allowed_by_as_much_as_it_takes() {
    // 4 replicas in 3 zones of room 2, 1 and 1 take all three: two more than the one that is allowed, which costs 4.
    let rooms = [
        ("red", Some("z1"), 2),
        ("green", Some("z2"), 1),
        ("blue", Some("z3"), 1),
    ];
    let mut problem = zones(&rooms, 4, Mode::Split);
    problem.services[0].spread.push(over_zones(None, Some(1), None));
    let found = ways_out(&problem);
    assert_eq!(found.repairs[0].edits, [relax(None, Some(3), None)]);
    assert_eq!(found.repairs[0].cost.to_string(), "4");
    // 4 replicas where 3 and 1 have room: a skew of 2.
    let rooms = [("red", Some("z1"), 3), ("green", Some("z2"), 1)];
    let mut problem = zones(&rooms, 4, Mode::Split);
    problem.services[0].spread.push(over_zones(None, None, Some(1)));
    let found = ways_out(&problem);
    assert_eq!(found.repairs[0].edits, [relax(None, None, Some(2))]);
    assert_eq!(found.repairs[0].cost.to_string(), "2");
    insta::assert_snapshot!(found);
}

#[test]
fn a_spread_of_which_nothing_would_be_left_is_dropped() {
    let mut problem = zones(
        &[("red", Some("z1"), 2), ("green", Some("z2"), 0)],
        2,
        Mode::Split,
    );
    problem.services[0].spread.push(over_zones(Some(2), None, None));
    let costs = RepairCosts::default();
    let dropped = Edit::DropSpread {
        service: key("web"),
        key: DomainKey::Zone,
    };
    assert_eq!(
        costs.of(&problem, &relax(Some(1), None, None)),
        costs.of(&problem, &dropped)
    );
    // 4 cores in the second zone cost less than that.
    let found = ways_out(&problem);
    let changes: Vec<_> = found.repairs.iter().map(|repair| repair.edits.clone()).collect();
    assert!(changes.contains(&vec![dropped]), "{found}");
    assert!(!changes.contains(&vec![relax(Some(1), None, None)]), "{found}");
}

#[test]
fn a_service_that_fits_nowhere_whole_is_let_apart() {
    // Two replicas on one cluster lack 4 cores, which is dearer.
    let problem = zones(&[("red", None, 1), ("green", None, 1)], 2, Mode::Single);
    let found = ways_out(&problem);
    assert!(found.cheapest);
    let split = Edit::LetSplit { service: key("web") };
    assert_eq!(found.repairs[0].edits, [split]);
    assert_eq!(
        found.repairs[0]
            .decision
            .placement
            .get(&key("web"))
            .unwrap()
            .clusters()
            .count(),
        2
    );
    insta::assert_snapshot!(found);
}

#[test]
fn clusters_in_no_zone_can_be_used_all_the_same() {
    let mut problem = zones(&[("red", Some("z1"), 1), ("green", None, 1)], 2, Mode::Split);
    problem.services[0].high_availability = Some(HighAvailability {
        key: DomainKey::Zone,
        price: None,
    });
    insta::assert_snapshot!(ways_out(&problem));
    // With two zones in use nothing but the rule itself keeps the third replica out of none.
    let rooms = [
        ("red", Some("z1"), 1),
        ("green", None, 1),
        ("blue", Some("z2"), 1),
    ];
    let three = PlacementProblem {
        clusters: zones(&rooms, 3, Mode::Split).clusters,
        ..problem.clone()
    };
    let mut three = three;
    three.services[0].replicas = 3;
    let found = ways_out(&three);
    assert!(found.cheapest, "{found}");
    let mut problem = zones(&[("red", Some("z1"), 1), ("green", None, 1)], 1, Mode::Single);
    add(&mut problem, "api", 1, amounts(4000, 1));
    problem.anti_affinity.push(AntiAffinityGroup {
        services: BTreeSet::from([key("api"), key("web")]),
        key: DomainKey::Zone,
        price: None,
    });
    insta::assert_snapshot!(ways_out(&problem));
}

/// Databases keep off clusters without a licence.
#[derive(Debug)]
struct Licensed;

impl Rule for Licensed {
    fn name(&self) -> &str {
        "licence"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        (pair.supply.zones.is_empty()).then(|| Reason::Custom {
            name: self.name().to_owned(),
            message: "no licence".to_owned(),
        })
    }
}

#[test]
fn a_rule_of_the_host_can_be_switched_off() {
    let mut problem = zones(&[("red", None, 1), ("green", Some("z1"), 0)], 1, Mode::Single);
    problem.rules.push(CustomRule::new(Licensed));
    let found = ways_out(&problem);
    insta::assert_snapshot!(found);
    let dropped = Edit::DropRule {
        rule: "licence".to_owned(),
    };
    assert!(
        problem
            .edited(std::slice::from_ref(&dropped))
            .unwrap()
            .rules
            .is_empty()
    );
    let misspelt = Edit::DropRule {
        rule: "license".to_owned(),
    };
    insta::assert_snapshot!(problem.edited(&[misspelt]).unwrap_err(), @"the placement problem is inconsistent: license is no rule of the host; did you mean licence?");
    insta::assert_snapshot!(problem.edited(&[relax(Some(1), None, None)]).unwrap_err(), @"the placement problem is inconsistent: default/demo/web does not spread over zones");
}

#[test]
fn what_is_too_large_to_be_searched_is_tried() {
    // 8 replicas on 12 clusters: far more ways than are looked at.
    let names: Vec<String> = (0..12).map(|number| format!("edge-{number}")).collect();
    let zone = |number: usize| Some(if number.is_multiple_of(2) { "z1" } else { "z2" });
    let rooms: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(number, name)| (name.as_str(), zone(number), 1))
        .collect();
    let mut problem = zones(&rooms, 8, Mode::Split);
    problem.services[0].spread.push(over_zones(Some(4), None, None));
    let found = ways_out(&problem);
    assert!(!found.cheapest);
    assert_eq!(found.repairs[0].edits, [relax(Some(2), None, None)]);
    problem.services[0].spread.clear();
    problem.services[0].mode = Mode::Single;
    let found = ways_out(&problem);
    assert_eq!(found.repairs[0].edits, [Edit::LetSplit { service: key("web") }]);
}

/// Some placement keeps every rule. What is highly available uses no cluster in no zone.
fn is_possible(problem: &PlacementProblem) -> bool {
    let placements = every_placement(problem);
    placements.iter().any(|placement| {
        let outside = problem.services.iter().any(|(service, demand)| {
            let over_zones = demand.high_availability.as_ref();
            over_zones.is_some_and(|wanted| wanted.key == DomainKey::Zone)
                && demand.replicas > 1
                && placement
                    .get(service)
                    .unwrap()
                    .clusters()
                    .any(|name| problem.clusters[name].zones.is_empty())
        });
        !outside && verify(problem, placement).is_empty()
    })
}

prop_compose! {
    fn spreads()(
        rooms in prop::collection::vec((0_u64..=2, prop::option::weighted(0.8, 0_usize..3)), 3),
        replicas in 2_u32..=3,
        apart in prop::bool::ANY,
        spread in prop::option::weighted(0.7, (prop::option::of(2_u32..=3), prop::option::of(1_u32..=2), prop::option::of(1_u32..=1))),
        available in prop::bool::weighted(0.3),
        group in prop::bool::weighted(0.4),
    ) -> PlacementProblem {
        let zone = ["z1", "z2", "z3"];
        let names = ["red", "green", "blue"];
        let rooms: Vec<_> = rooms.iter().zip(names).map(|((room, at), name)| (name, at.map(|at| zone[at]), *room)).collect();
        let mode = if apart { Mode::Split } else { Mode::Single };
        let mut problem = zones(&rooms, replicas, mode);
        add(&mut problem, "api", 1, amounts(4000, 1));
        let demand = &mut problem.services[&key("web")];
        demand.spread.extend(spread.map(|(min, max, skew)| over_zones(min, max, skew)));
        if available {
            demand.high_availability = Some(HighAvailability { key: DomainKey::Zone, price: None });
        }
        if group {
            problem.anti_affinity.push(AntiAffinityGroup {
                services: BTreeSet::from([key("api"), key("web")]),
                key: DomainKey::Zone,
                price: None,
            });
        }
        problem
    }
}

/// What it costs in points to make a placement sound, worked out from the default costs and without `verify`.
fn price_of(problem: &PlacementProblem, placement: &Placement) -> u64 {
    let web = &problem.services[&key("web")];
    let there = placement.get(&key("web")).unwrap();
    let zone = |name: &ClusterName| problem.clusters[name].zones.first();
    let mut price = 8 * u64::from(web.replicas - there.replicas());
    if there.clusters().count() > 1 && web.mode == Mode::Single {
        price += 3;
    }
    for (name, supply) in &problem.clusters {
        let replicas = placement.iter().map(|(_, there)| there.on(name)).sum::<u32>();
        // A core costs a point.
        price += (u64::from(replicas) * 4).saturating_sub(supply.capacity.cpu().millicores() / 1000);
    }
    let mut zones: BTreeMap<&String, u32> = BTreeMap::new();
    for (name, replicas) in there.iter() {
        if let Some(zone) = zone(name) {
            *zones.entry(zone).or_default() += replicas;
        }
    }
    let outside = there.clusters().any(|name| zone(name).is_none());
    let used = u32::try_from(zones.len()).unwrap();
    let available = web.high_availability.is_none() || there.replicas() < 2;
    if !available && (outside || used < 2) {
        // Two clusters are less than two zones.
        price += if there.clusters().count() > 1 { 2 } else { 5 };
    }
    if let Some(spread) = web.spread.first() {
        let fullest = zones.values().copied().max().unwrap_or(0);
        // What is not in any zone is ruled out by this and by all other rules about zones.
        let all: BTreeSet<_> = problem.clusters.keys().filter_map(zone).collect();
        let emptiest = all
            .iter()
            .map(|zone| zones.get(zone).copied().unwrap_or(0))
            .min()
            .unwrap_or(0);
        let least = spread.min_groups.map(|least| least.min(used));
        let most = spread.max_groups.map(|most| most.max(used));
        let skew = spread.max_skew.map(|skew| skew.max(fullest - emptiest));
        let changes = [
            (spread.min_groups, least),
            (spread.max_groups, most),
            (spread.max_skew, skew),
        ];
        let steps: u32 = changes
            .iter()
            .filter_map(|(now, then)| Some(now.as_ref()?.abs_diff(then.unwrap())))
            .sum();
        let rest = least.is_some_and(|least| least > 1) || most.is_some() || skew.is_some();
        price += match steps {
            _ if outside => 5,
            0 => 0,
            steps if rest => u64::from(2 * steps).min(5),
            _ => 5,
        };
    }
    if !problem.anti_affinity.is_empty() {
        let of_api = placement
            .get(&key("api"))
            .unwrap()
            .clusters()
            .next()
            .and_then(zone);
        price += match (outside, of_api) {
            (true, None) => 10,
            (true, Some(_)) | (false, None) => 5,
            (false, Some(zone)) if zones.contains_key(zone) => 5,
            (false, Some(_)) => 0,
        };
    }
    price
}

/// What the cheapest of all changes costs after which there is a placement, whatever replicas of web are left.
fn cheapest(problem: &PlacementProblem) -> u64 {
    let all = problem.services[&key("web")].replicas;
    let placements = (1..=all).flat_map(|kept| {
        let mut fewer = problem.clone();
        let demand = &mut fewer.services[&key("web")];
        (demand.replicas, demand.mode) = (kept, Mode::Split);
        every_placement(&fewer)
    });
    placements
        .map(|placement| price_of(problem, &placement))
        .min()
        .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_first_repair_of_spreads_is_the_cheapest_and_all_of_them_work(problem in spreads()) {
        let found = ways_out(&problem);
        prop_assert_eq!(matches!(found.outcome, Outcome::Placed(_)), is_possible(&problem));
        if is_possible(&problem) {
            return Ok(());
        }
        prop_assert!(found.cheapest, "{found}");
        let points = Value::from_units(i128::from(cheapest(&problem)) * Value::PER_POINT);
        prop_assert_eq!(found.repairs[0].cost, points, "{}", found);
        for repair in &found.repairs {
            let repaired = problem.edited(&repair.edits).unwrap();
            prop_assert!(is_possible(&repaired), "{found}");
            prop_assert_eq!(verify(&repaired, &repair.decision.placement), vec![]);
        }
    }
}
