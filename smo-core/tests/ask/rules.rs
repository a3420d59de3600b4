//! Conflicts and repairs of rules about labels, domains, groups, moves and budgets.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::cluster::Path;
use smo_core::id::ServiceKey;
use smo_core::placement::ask::{
    Condition, Edit, RepairCosts, RepairLimits, Repairs, minimal_conflict, repairs,
};
use smo_core::placement::{
    AntiAffinityGroup, AutoPlacer, Budget, CoLocationGroup, DomainKey, Goal, HighAvailability,
    LabelRequirement, MilpPlacer, Mode, Outcome, PlacementProblem, Spread, Value, verify,
};
use smo_core::units::DataRate;

use crate::support::{add, amounts, cluster, is_possible, key, link, relaxed, run, supply};

fn ways_out(problem: &PlacementProblem) -> Repairs {
    repairs(&AutoPlacer::default(), problem, RepairLimits::default()).unwrap()
}

/// Three clusters in two zones, one of them with a label.
fn zones() -> PlacementProblem {
    let mut problem = PlacementProblem::default();
    for (name, zone) in [("red", "z1"), ("green", "z1"), ("blue", "z2")] {
        let mut supply = supply(64, 64, "0.01", 100.0);
        supply.zones = vec![zone.to_owned()];
        if name == "blue" {
            supply.labels.insert("tier".to_owned(), "gold".to_owned());
        }
        problem.clusters.insert(cluster(name), supply);
    }
    for service in ["api", "db", "web"] {
        add(&mut problem, service, 1, amounts(1000, 1));
    }
    problem
}

fn all(services: &[&str]) -> BTreeSet<ServiceKey> {
    services.iter().map(|service| key(service)).collect()
}

fn gold() -> LabelRequirement {
    LabelRequirement::In {
        key: "tier".to_owned(),
        values: BTreeSet::from(["gold".to_owned()]),
    }
}

fn apart(services: &[&str], key: DomainKey) -> AntiAffinityGroup {
    AntiAffinityGroup {
        services: all(services),
        key,
        price: None,
    }
}

#[test]
fn zones_that_are_too_few() {
    let mut problem = zones();
    let group = apart(&["api", "db", "web"], DomainKey::Zone);
    problem.anti_affinity.push(group);
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn labels_and_a_group_that_do_not_agree() {
    let mut problem = zones();
    problem.services[&key("api")].labels.push(gold());
    problem.services[&key("db")].pinned = Some(BTreeSet::from([cluster("red")]));
    problem.co_location.push(CoLocationGroup {
        services: all(&["api", "db"]),
        price: None,
    });
    // In no way of this conflict.
    problem
        .anti_affinity
        .push(apart(&["api", "web"], DomainKey::Cluster));
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn a_budget_of_moves_that_is_too_small() {
    let mut problem = zones();
    for service in ["api", "db"] {
        run(&mut problem, service, "red");
        problem.services[&key(service)].labels.push(gold());
    }
    problem.services[&key("api")].final_placement = true;
    problem.budgets.push(Budget {
        goal: Goal::Moves,
        at_most: 1,
        price: None,
    });
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn one_cluster_is_not_enough_for_availability_and_spread() {
    let mut problem = zones();
    let demand = &mut problem.services[&key("web")];
    demand.replicas = 2;
    demand.high_availability = Some(HighAvailability {
        key: DomainKey::Zone,
        price: None,
    });
    demand.spread.push(Spread {
        key: DomainKey::Cluster,
        min_groups: Some(2),
        ..Spread::default()
    });
    let found = ways_out(&problem);
    insta::assert_snapshot!(found);
    // What a service could do with its replicas apart is looked at too.
    problem.services[&key("web")].mode = Mode::Split;
    problem.services[&key("web")].pinned = Some(BTreeSet::from([cluster("red")]));
    let found = ways_out(&problem);
    assert!(found.cheapest, "{found}");
    let allowed = Edit::Allow {
        service: key("web"),
        cluster: cluster("blue"),
    };
    assert_eq!(found.repairs[0].edits, [allowed]);
}

#[test]
fn two_clusters_do_where_there_is_only_one_zone() {
    let mut problem = zones();
    let demand = &mut problem.services[&key("web")];
    (demand.replicas, demand.mode) = (2, Mode::Split);
    demand.high_availability = Some(HighAvailability {
        key: DomainKey::Zone,
        price: None,
    });
    demand.excluded.insert(cluster("blue"));
    let relaxed = Edit::RelaxHighAvailability { service: key("web") };
    // Searched to the end, and one change at a time.
    for placements in [100_000, 1] {
        let limits = RepairLimits {
            placements,
            ..RepairLimits::default()
        };
        let found = repairs(&AutoPlacer::default(), &problem, limits).unwrap();
        let first = &found.repairs[0];
        assert_eq!(first.edits, std::slice::from_ref(&relaxed), "{found}");
        assert_eq!(first.cost, Value::from_points(2.0));
        assert_eq!(
            first
                .decision
                .placement
                .get(&key("web"))
                .unwrap()
                .clusters()
                .count(),
            2
        );
        assert_eq!(
            first.edits[0].to_string(),
            "let two clusters do for the high availability of web"
        );
    }
    // One that asks for two clusters has nothing less to ask for, and one that asks for nothing cannot ask for less.
    problem.services[&key("web")].high_availability = Some(HighAvailability::default());
    problem.services[&key("web")].excluded.insert(cluster("green"));
    assert!(!ways_out(&problem).to_string().contains("two clusters do"));
    problem.services[&key("web")].high_availability = None;
    insta::assert_snapshot!(problem.edited(&[relaxed]).unwrap_err(), @"the placement problem is inconsistent: default/demo/web does not ask for high availability");
}

#[test]
fn a_network_that_carries_too_little() {
    let mut problem = zones();
    problem
        .anti_affinity
        .push(apart(&["api", "web"], DomainKey::Zone));
    for (a, b) in [("red", "green"), ("green", "blue"), ("red", "blue")] {
        let path = Path {
            bandwidth: Some(DataRate::new(1000)),
            ..Path::default()
        };
        problem.network.measure(cluster(a), cluster(b), path);
    }
    link(&mut problem, "web", "api", Default::default());
    problem.links[0].traffic = DataRate::new(1500);
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn services_let_together_keep_apart_from_the_others() {
    let mut problem = zones();
    problem
        .anti_affinity
        .push(apart(&["api", "db", "web"], DomainKey::Zone));
    let together = Edit::LetTogether {
        services: all(&["api", "db"]),
    };
    let edited = problem.edited(&[together]).unwrap();
    let groups: Vec<_> = edited
        .anti_affinity
        .iter()
        .map(|group| group.services.clone())
        .collect();
    assert_eq!(groups, [all(&["api", "web"]), all(&["db", "web"])]);
    let nobody = Edit::DropCoLocation {
        services: all(&["api", "db"]),
    };
    assert!(problem.edited(&[nobody]).is_err(), "there is no such group");
}

prop_compose! {
    fn ruled()(
        labels in prop::bool::ANY,
        groups in (prop::bool::ANY, prop::bool::ANY),
        finals in prop::bool::weighted(0.4),
        current in prop::collection::vec(prop::option::weighted(0.8, 0_usize..3), 3),
        budget in prop::option::of(0_i64..=1),
        pins in prop::collection::vec(prop::option::weighted(0.5, 0_usize..3), 3),
    ) -> PlacementProblem {
        let names = ["red", "green", "blue"];
        let mut problem = zones();
        let services = ["api", "db", "web"];
        for ((service, at), pin) in services.iter().zip(current).zip(pins) {
            if let Some(at) = at {
                run(&mut problem, service, names[at]);
            }
            problem.services[&key(service)].pinned = pin.map(|pin| BTreeSet::from([cluster(names[pin])]));
        }
        if labels {
            problem.services[&key("api")].labels.push(gold());
        }
        if groups.0 {
            problem.anti_affinity.push(apart(&["api", "db"], DomainKey::Zone));
        }
        if groups.1 {
            problem.co_location.push(CoLocationGroup { services: all(&["db", "web"]), price: None });
        }
        problem.services[&key("web")].final_placement = finals;
        problem.budgets.extend(budget.map(|at_most| Budget { goal: Goal::Moves, at_most, price: None }));
        problem
    }
}

/// Every change that could be of use, whatever stands in the way.
fn changes(problem: &PlacementProblem) -> Vec<Edit> {
    let mut edits = vec![
        Edit::DropLabels { service: key("api") },
        Edit::LetTogether {
            services: all(&["api", "db"]),
        },
        Edit::Release { service: key("web") },
    ];
    if !problem.co_location.is_empty() {
        edits.push(Edit::DropCoLocation {
            services: all(&["db", "web"]),
        });
    }
    edits.extend((1..=3).map(|at_most| Edit::RaiseBudget {
        goal: Goal::Moves,
        at_most,
    }));
    for (service, demand) in &problem.services {
        for name in ["red", "green", "blue"].map(cluster) {
            if demand
                .pinned
                .as_ref()
                .is_some_and(|pinned| !pinned.contains(&name))
            {
                edits.push(Edit::Allow {
                    service: service.clone(),
                    cluster: name,
                });
            }
        }
    }
    edits
}

/// What the cheapest of all sets of changes costs after which there is a placement.
fn cheapest(problem: &PlacementProblem) -> Option<Value> {
    let (edits, costs) = (changes(problem), RepairCosts::default());
    let chosen = |number: u32| {
        let set = edits
            .iter()
            .enumerate()
            .filter(move |(at, _)| number >> at & 1 == 1);
        set.map(|(_, edit)| edit.clone()).collect::<Vec<Edit>>()
    };
    let cost = |number: u32| {
        let set = chosen(number);
        let sum = set
            .iter()
            .try_fold(Value::ZERO, |sum, edit| Some(sum.plus(costs.of(problem, edit)?)));
        Some((sum?, number))
    };
    let mut sets: Vec<(Value, u32)> = (0..1 << edits.len()).filter_map(cost).collect();
    sets.sort_unstable();
    let possible = |number: u32| is_possible(&problem.edited(&chosen(number)).unwrap());
    sets.into_iter()
        .find(|(_, number)| possible(*number))
        .map(|(cost, _)| cost)
}

/// Everything that placements of these problems have to keep; services last, as they take what is about them along.
fn conditions(problem: &PlacementProblem) -> Vec<Condition> {
    let mut all = vec![
        Condition::Labels { service: key("api") },
        Condition::Final { service: key("web") },
        Condition::Budget { goal: Goal::Moves },
    ];
    all.extend(problem.services.keys().map(|service| Condition::Pin {
        service: service.clone(),
    }));
    let groups = problem.co_location.iter().enumerate();
    all.extend(groups.map(|(group, members)| Condition::CoLocation {
        group,
        services: members.services.clone(),
    }));
    let groups = problem.anti_affinity.iter().enumerate();
    all.extend(groups.map(|(group, members)| Condition::AntiAffinity {
        group,
        services: members.services.clone(),
        key: members.key.clone(),
    }));
    all.extend(problem.services.keys().map(|service| Condition::Service {
        service: service.clone(),
    }));
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_first_repair_of_rules_is_the_cheapest(problem in ruled()) {
        let found = repairs(&MilpPlacer::default(), &problem, RepairLimits::default()).unwrap();
        if is_possible(&problem) {
            prop_assert!(matches!(found.outcome, Outcome::Placed(_)));
            return Ok(());
        }
        prop_assert!(found.cheapest, "{found}");
        prop_assert_eq!(found.repairs.first().map(|repair| repair.cost), cheapest(&problem), "{}", found);
        for repair in &found.repairs {
            let repaired = problem.edited(&repair.edits).unwrap();
            prop_assert_eq!(verify(&repaired, &repair.decision.placement), vec![]);
        }
        let conflict = minimal_conflict(&MilpPlacer::default(), &problem, 400).unwrap().unwrap();
        prop_assert!(conflict.minimal);
        // Everything else can be dropped, and without any one member there is a placement.
        let is_member = |condition: &Condition| conflict.members.iter().any(|member| member.condition == *condition);
        let others = conditions(&problem).into_iter().filter(|condition| !is_member(condition));
        let core = others.fold(problem.clone(), |rest, condition| relaxed(&rest, &condition));
        prop_assert!(!is_possible(&core), "{conflict}");
        for member in &conflict.members {
            prop_assert!(is_possible(&relaxed(&core, &member.condition)), "{conflict}without {}", member.text);
        }
    }
}
