//! Explanations of services whose replicas may be split: the price of one replica elsewhere, and of all.

use proptest::prelude::*;
use smo_core::cluster::Price as Cost;
use smo_core::placement::ask::{FullExplanation, Precision, Price, explain_in_full};
use smo_core::placement::{
    ClusterSupply, DomainKey, Exhaustive, Goals, MilpPlacer, Mode, Placement, PlacementProblem, Spread,
    Value, decide,
};
use smo_core::resources::ResourceName;
use smo_core::units::Money;

use crate::support::{Room, add, amounts, cluster, key, problems, sound_placements};

/// Four replicas of a core: 3 fit at 1 EUR/h, 4 at 2, and 2 at 5.
fn four_replicas() -> PlacementProblem {
    let mut problem = PlacementProblem {
        goals: Goals::default(),
        ..PlacementProblem::default()
    };
    for (name, cores, price) in [("cheap", 3, 1), ("fair", 4, 2), ("dear", 2, 5)] {
        let supply = ClusterSupply {
            capacity: amounts(cores * 1000, 64),
            price: Cost::free().with(ResourceName::CPU, Money::from_base(price * 1_000_000_000)),
            ..ClusterSupply::default()
        };
        problem.clusters.insert(cluster(name), supply);
    }
    add(&mut problem, "web", 4, amounts(1000, 1));
    problem.services[&key("web")].mode = Mode::Split;
    problem
}

fn explained(problem: &PlacementProblem) -> FullExplanation {
    let decision = decide(&MilpPlacer::default(), problem)
        .unwrap()
        .into_decision()
        .unwrap();
    explain_in_full(&MilpPlacer::default(), problem, &decision, 100).unwrap()
}

#[test]
fn a_replica_elsewhere_has_a_price_of_its_own() {
    let problem = four_replicas();
    let explained = explained(&problem);
    assert!(explained.complete);
    let web = &explained.services[&key("web")];
    // 3 x 1 + 1 x 2 is what is decided; one replica that has to be dear costs 5 instead of 2. All four do not fit there.
    assert_eq!(
        web.others[&cluster("dear")].difference(),
        Some(Value::from_points(3.0))
    );
    assert!(matches!(
        web.whole[&cluster("dear")],
        Price::NoRoom { proved: true, .. }
    ));
    assert_eq!(web.runner_up, Some(cluster("dear")));
    insta::assert_snapshot!(explained);
    insta::assert_snapshot!(explained.to_svg());
    let json = serde_json::to_value(&explained).unwrap();
    let web = &json["services"]["default/demo/web"];
    assert_eq!(web["others"]["dear"]["costs"]["difference"], 3.0);
    assert_eq!(web["whole"]["dear"]["noRoom"]["proved"], true);
}

#[test]
fn all_there_may_be_the_cheapest_way_to_have_one_there() {
    let mut problem = four_replicas();
    // One group at most: whoever runs on another cluster runs there as a whole.
    problem.services[&key("web")].spread.push(Spread {
        key: DomainKey::Cluster,
        max_groups: Some(1),
        ..Spread::default()
    });
    problem.clusters[&cluster("dear")].capacity = amounts(4000, 64);
    let explained = explained(&problem);
    let web = &explained.services[&key("web")];
    // 4 x 5 instead of 4 x 2.
    for prices in [&web.others, &web.whole] {
        assert_eq!(
            prices[&cluster("dear")].difference(),
            Some(Value::from_points(12.0))
        );
        assert!(matches!(
            prices[&cluster("dear")],
            Price::Costs {
                precision: Precision::Exact,
                ..
            }
        ));
    }
}

#[test]
fn replicas_that_spread_evenly_are_never_all_on_one_cluster() {
    let mut problem = four_replicas();
    problem.services[&key("web")].spread.push(Spread {
        key: DomainKey::Cluster,
        max_skew: Some(1),
        ..Spread::default()
    });
    problem.services[&key("web")].replicas = 2;
    let explained = explained(&problem);
    let web = &explained.services[&key("web")];
    assert_eq!(
        web.others[&cluster("dear")].difference(),
        Some(Value::from_points(3.0))
    );
    // Two there and none elsewhere are two apart, although a service that is pinned there would be even.
    assert!(matches!(
        web.whole[&cluster("dear")],
        Price::NoRoom { proved: true, .. }
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_prices_are_those_of_trying_everything(
        problem in problems(Room::Some),
        split in prop::collection::vec((1_u32..=3, any::<bool>(), prop::option::weighted(0.3, 1_u32..=2)), 4),
    ) {
        let mut problem = problem;
        problem.current = Placement::new();
        for (demand, (replicas, apart, skew)) in problem.services.values_mut().zip(split) {
            demand.replicas = replicas;
            demand.mode = if apart { Mode::Split } else { Mode::Single };
            let spread = skew.filter(|_| apart).map(|skew| Spread { max_skew: Some(skew), ..Spread::default() });
            demand.spread.extend(spread);
        }
        let sound = sound_placements(&problem);
        prop_assume!(!sound.is_empty());
        let placer = Exhaustive::default();
        let decision = decide(&placer, &problem).unwrap().into_decision().unwrap();
        let explained = explain_in_full(&placer, &problem, &decision, 1_000).unwrap();
        prop_assert!(explained.complete);
        for (service, choice) in &explained.services {
            let replicas = problem.services[service].replicas;
            for (prices, least) in [(&choice.others, 1), (&choice.whole, replicas)] {
                for (cluster, price) in prices {
                    let least = if choice.whole.is_empty() { replicas } else { least };
                    let there = sound.iter().filter(|(placement, ..)| {
                        placement.get(service).is_some_and(|there| there.on(cluster) >= least)
                    });
                    let expected = there.map(|(_, _, value)| value.minus(decision.value)).min();
                    prop_assert_eq!(price.difference(), expected, "{} on {}: {}", service, cluster, price);
                    match price {
                        Price::Costs { precision, .. } => prop_assert_eq!(*precision, Precision::Exact),
                        Price::NoRoom { proved, .. } => prop_assert!(*proved),
                        Price::Forbidden(_) => {}
                        Price::NotAsked(_) => prop_assert!(false, "not asked"),
                    }
                }
            }
        }
    }
}
