//! Every rule and goal of the model on problems worked by hand: what is allowed, what is not and why, what it costs.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use rstest::rstest;
use smo_core::cluster::{CarbonProfile, Egress, Intensity, Path, Price};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    AntiAffinityGroup, Assignment, Budget, ClusterSupply, CoLocationGroup, DomainKey, Exhaustive, FirstFit,
    Goal, Goals, GreenConsolidation, HighAvailability, LabelRequirement, LinkDemand, LinkLimit, MilpPlacer,
    Mode, Outcome, Placement, PlacementProblem, Placer, ServiceDemand, Spread, Totals, Weight, decide,
    evaluate, verify,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{Bytes, DataRate, Latency, Money};

fn cluster(name: &str) -> ClusterName {
    name.parse().unwrap()
}

fn key(id: &str) -> ServiceKey {
    format!("p/g/{id}").parse().unwrap()
}

fn points(points: i64) -> Weight {
    Weight::from_millionths(points * 1_000_000)
}

/// Three clusters of 8 cores: a and b in region eu, c in us without a rack. Two services of one core, `web` with four
/// replicas that may be split and `db` with one.
fn fleet() -> PlacementProblem {
    let mut problem = PlacementProblem {
        goals: Goals::none().with(Goal::Preference, points(1)),
        ..PlacementProblem::default()
    };
    for (name, region, rack) in [
        ("a", "eu", Some("r1")),
        ("b", "eu", Some("r2")),
        ("c", "us", None),
    ] {
        let supply = ClusterSupply {
            capacity: Resources::new().with(ResourceName::CPU, 8000),
            region: Some(region.into()),
            labels: rack
                .map(|rack| ("rack".to_owned(), rack.to_owned()))
                .into_iter()
                .collect(),
            ..ClusterSupply::default()
        };
        problem.clusters.insert(cluster(name), supply);
    }
    for (id, replicas, mode) in [("web", 4, Mode::Split), ("db", 1, Mode::Single)] {
        let demand = ServiceDemand {
            replicas,
            mode,
            per_replica: Resources::new().with(ResourceName::CPU, 1000),
            ..ServiceDemand::default()
        };
        problem.services.insert(key(id), demand);
    }
    problem
}

/// `web a2 b2, db c1`.
fn placed(text: &str) -> Placement {
    let service = |text: &str| {
        let (id, clusters) = text.trim().split_once(' ').unwrap();
        let there = |text: &str| (cluster(&text[..1]), text[1..].parse().unwrap());
        (key(id), clusters.split(' ').map(there).collect::<Assignment>())
    };
    text.split(',').map(service).collect()
}

fn faults(problem: &PlacementProblem, placement: &str) -> String {
    let faults = verify(problem, &placed(placement));
    faults
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("; ")
}

/// The points of a placement.
fn cost(problem: &PlacementProblem, placement: &str) -> f64 {
    let (totals, _) = evaluate(problem, &placed(placement)).unwrap();
    totals.preference as f64 / 1e6
}

fn spread(edit: impl Fn(&mut Spread)) -> PlacementProblem {
    let mut problem = fleet();
    let mut spread = Spread {
        key: DomainKey::Region,
        ..Spread::default()
    };
    edit(&mut spread);
    problem.services[0].spread.push(spread);
    problem
}

#[test]
fn replicas_split_only_where_they_may() {
    let mut problem = fleet();
    assert_eq!(faults(&problem, "web a1 b1 c2, db a1"), "");
    insta::assert_snapshot!(faults(&problem, "web a1 b1 c1, db a1"), @"p/g/web runs 3 of 4 replicas");
    problem.services[0].mode = Mode::Single;
    insta::assert_snapshot!(faults(&problem, "web a3 c1, db a1"), @"p/g/web is split over 2 clusters");
}

#[test]
fn a_cluster_that_takes_one_replica_is_open_to_a_split_service() {
    let mut problem = fleet();
    problem.services[0].per_replica.set(ResourceName::CPU, 3000);
    assert_eq!(problem.open_clusters(&key("web")).count(), 3);
    assert_eq!(faults(&problem, "web a2 b2, db a1"), "");
    insta::assert_snapshot!(faults(&problem, "web a3 b1, db a1"), @"a has 8 cores for services that take 10 cores");
    problem.services[0].mode = Mode::Single;
    assert_eq!(problem.open_clusters(&key("web")).count(), 0);
}

#[rstest]
#[case::too_few(spread(|spread| spread.min_groups = Some(2)), "web a2 b2, db a1", "p/g/web over regions: 1 used of at least 2")]
#[case::enough(spread(|spread| spread.min_groups = Some(2)), "web a3 c1, db a1", "")]
#[case::too_many(spread(|spread| spread.max_groups = Some(1)), "web a3 c1, db a1", "p/g/web over regions: 2 used of at most 1")]
#[case::one(spread(|spread| spread.max_groups = Some(1)), "web a3 b1, db a1", "")]
#[case::skewed(spread(|spread| spread.max_skew = Some(1)), "web a2 b1 c1, db a1", "p/g/web over regions: a skew of 2 of at most 1")]
#[case::even(spread(|spread| spread.max_skew = Some(1)), "web a1 b1 c2, db a1", "")]
#[case::unused_domains_count(spread(|spread| spread.max_skew = Some(1)), "web a2 b2, db a1", "p/g/web over regions: a skew of 4 of at most 1")]
#[case::outside(spread(|spread| spread.key = DomainKey::Label("rack".into())), "web a3 c1, db a1", "p/g/web may not run on c: no rack known; p/g/web over racks: 1 replicas in none")]
fn replicas_spread(#[case] problem: PlacementProblem, #[case] placement: &str, #[case] expected: &str) {
    let faults = faults(&problem, placement);
    assert!(
        if expected.is_empty() {
            faults.is_empty()
        } else {
            expected.contains(&faults) || faults.contains(expected)
        },
        "{faults}"
    );
}

#[test]
fn domains_that_a_service_may_not_use_do_not_count_for_skew() {
    let mut problem = spread(|spread| spread.max_skew = Some(1));
    problem.services[0].excluded = BTreeSet::from([cluster("c")]);
    assert_eq!(faults(&problem, "web a2 b2, db a1"), "");
}

#[test]
fn a_wish_to_spread_costs_points() {
    let mut problem = spread(|spread| {
        spread.min_groups = Some(3);
        spread.max_skew = Some(0);
        spread.price = Some(points(5));
    });
    // One group of three is used: 2 too few. All four in one region: a skew of 4.
    assert_eq!(faults(&problem, "web a4, db a1"), "");
    assert_eq!(cost(&problem, "web a4, db a1"), 5.0 * (2.0 + 4.0));
    problem.services[0].spread[0].key = DomainKey::Label("rack".into());
    // Two racks, one each; two replicas in none.
    assert_eq!(cost(&problem, "web a1 b1 c2, db a1"), 5.0 * (1.0 + 2.0));
}

#[test]
fn high_availability_needs_two_domains_where_there_are_two_replicas() {
    let mut problem = fleet();
    let wanted = HighAvailability {
        key: DomainKey::Region,
        price: None,
    };
    for demand in problem.services.values_mut() {
        demand.high_availability = Some(wanted.clone());
    }
    assert_eq!(faults(&problem, "web a3 c1, db a1"), "");
    insta::assert_snapshot!(faults(&problem, "web a2 b2, db a1"), @"p/g/web runs in one region only");
    problem.services[0].high_availability = Some(HighAvailability {
        price: Some(points(7)),
        ..wanted
    });
    assert_eq!(cost(&problem, "web a2 b2, db a1"), 7.0);
    assert_eq!(cost(&problem, "web a3 c1, db a1"), 0.0);
}

#[test]
fn services_share_their_clusters() {
    let mut problem = fleet();
    problem.co_location.push(CoLocationGroup {
        services: [key("web"), key("db")].into(),
        price: None,
    });
    assert_eq!(faults(&problem, "web a4, db a1"), "");
    insta::assert_snapshot!(faults(&problem, "web a2 b2, db a1"), @"p/g/db and p/g/web share their clusters, and only one of them runs on b");
    problem.co_location[0].price = Some(points(3));
    assert_eq!(cost(&problem, "web b2 c2, db a1"), 9.0);
    // A service without replicas keeps nobody away.
    problem.co_location[0].price = None;
    problem.services[1].replicas = 0;
    assert_eq!(faults(&problem, "web b2 c2"), "");
}

#[test]
fn services_keep_apart() {
    let mut problem = fleet();
    problem.anti_affinity.push(AntiAffinityGroup {
        services: [key("web"), key("db")].into(),
        key: DomainKey::Region,
        price: None,
    });
    assert_eq!(faults(&problem, "web a2 b2, db c1"), "");
    insta::assert_snapshot!(faults(&problem, "web a4, db b1"), @"p/g/db, p/g/web keep apart, and run on eu together");
    problem.anti_affinity[0].price = Some(points(2));
    assert_eq!(cost(&problem, "web a3 c1, db b1"), 2.0);
    problem.anti_affinity[0].key = DomainKey::Label("rack".into());
    assert_eq!(cost(&problem, "web a3 c1, db a1"), 2.0 * 2.0);
}

#[rstest]
#[case::in_one(LabelRequirement::In { key: "rack".into(), values: ["r1".to_owned()].into() }, "a")]
#[case::not_in(LabelRequirement::NotIn { key: "rack".into(), values: ["r1".to_owned()].into() }, "b c")]
#[case::exists(LabelRequirement::Exists { key: "rack".into() }, "a b")]
#[case::absent(LabelRequirement::DoesNotExist { key: "rack".into() }, "c")]
fn labels_are_required(#[case] requirement: LabelRequirement, #[case] open: &str) {
    let mut problem = fleet();
    problem.services[1].labels.push(requirement);
    let names: Vec<String> = problem
        .open_clusters(&key("db"))
        .map(ToString::to_string)
        .collect();
    assert_eq!(names.join(" "), open);
}

#[test]
fn what_is_final_stays() {
    let mut problem = fleet();
    problem.current = placed("web a2 b1, db b1");
    for demand in problem.services.values_mut() {
        demand.final_placement = true;
    }
    assert_eq!(faults(&problem, "web a2 b1 c1, db b1"), "");
    insta::assert_snapshot!(faults(&problem, "web a3 c1, db a1"), @"the placement of p/g/web is final, and 1 of its replicas would move; the placement of p/g/db is final, and 1 of its replicas would move");
    // Fewer replicas than now: those that are left stay.
    problem.services[0].replicas = 2;
    assert_eq!(faults(&problem, "web a1 b1, db b1"), "");
    assert_ne!(faults(&problem, "web a1 c1, db b1"), "");
    problem.soft.insert("final placement".into(), points(4));
    assert_eq!(cost(&problem, "web a1 c1, db c1"), 8.0);
}

/// `web` sends 10 MB/s to `db`.
fn talking() -> PlacementProblem {
    let mut problem = fleet();
    problem.links.push(LinkDemand {
        from: key("web"),
        to: key("db"),
        limit: LinkLimit::default(),
        traffic: DataRate::new(10_000_000),
    });
    for (a, b, ms) in [("a", "b", 10), ("a", "c", 40)] {
        let path = Path {
            rtt: Some(Latency::from_base(ms * 1000)),
            hops: Some(1),
            bandwidth: Some(DataRate::new(6_000_000)),
        };
        problem.network.measure(cluster(a), cluster(b), path);
    }
    problem
}

#[test]
fn bandwidth_is_shared_by_the_links_between_two_clusters() {
    let problem = talking();
    assert_eq!(faults(&problem, "web a2 b2, db a1"), "");
    insta::assert_snapshot!(faults(&problem, "web a1 b3, db a1"), @"the links between a and b carry 7500000 bytes/s of 6000000 bytes/s");
    // Nobody knows what b and c can carry.
    assert_eq!(faults(&problem, "web b4, db c1"), "");
    let mut soft = problem;
    soft.soft
        .insert("bandwidth".into(), Weight::from_millionths(1000));
    assert_eq!(cost(&soft, "web a1 b3, db a1"), 1.5);
}

#[test]
fn latency_weighs_round_trips_by_traffic() {
    let latency = |placement: &str| evaluate(&talking(), &placed(placement)).unwrap().0.latency;
    assert_eq!(latency("web a4, db a1"), 0);
    assert_eq!(latency("web a2 b2, db a1"), 5_000_000 * 10_000);
    // Nobody measured b to c: it counts as the farthest, 40 ms.
    assert_eq!(latency("web b4, db c1"), 10_000_000 * 40_000);
    assert_eq!(Goal::Latency.describe(5_000_000 * 10_000), "50.0 MB/s x ms");
}

#[test]
fn traffic_that_leaves_a_cluster_costs_money() {
    let mut problem = talking();
    for supply in problem.clusters.values_mut() {
        supply.egress = Egress {
            within_region: Money::from_base(10_000_000),
            out_of_region: Money::from_base(50_000_000),
        };
    }
    problem.links[0].traffic = DataRate::new((1 << 30) / 900);
    let money =
        |problem: &PlacementProblem, placement: &str| evaluate(problem, &placed(placement)).unwrap().0.money;
    assert_eq!(money(&problem, "web a4, db a1"), 0);
    // 1 GiB in 900 s are 4 GiB an hour; a byte is lost to rounding the rate.
    let close = |amount: i64, euro: f64| (amount as f64 / 1e9 - euro).abs() < 1e-6;
    assert!(close(money(&problem, "web a4, db b1"), 0.04));
    assert!(close(money(&problem, "web a4, db c1"), 0.20));
    assert!(close(money(&problem, "web a2 b2, db c1"), 0.20));
    problem.clusters[0].region = None;
    assert!(close(money(&problem, "web a4, db b1"), 0.20));
}

#[test]
fn money_and_carbon_are_per_replica() {
    let mut problem = fleet();
    problem.clusters[0].price = Price::free().with(ResourceName::CPU, Money::from_base(3));
    problem.clusters[1].carbon = Some(CarbonProfile {
        intensity: Intensity::average(200.0),
        pue: 1.5,
        watts_per_core: 10.0,
    });
    problem.clusters[2].carbon = Some(CarbonProfile {
        intensity: Intensity::average(100.0),
        pue: 1.0,
        watts_per_core: 10.0,
    });
    let totals = evaluate(&problem, &placed("web a2 b1 c1, db a1")).unwrap().0;
    assert_eq!(totals.money, 9);
    // 3 g a core on b, 1 g on c, and a, which says nothing, counts as b.
    assert_eq!(totals.carbon, 3_000_000 * 4 + 1_000_000);
}

#[test]
fn moves_are_services_replicas_and_their_data() {
    let mut problem = fleet();
    problem.current = placed("web a3 b3, db a1");
    problem.services[0].state = Bytes::new(500_000_000);
    let totals = |placement: &str| evaluate(&problem, &placed(placement)).unwrap().0;
    let moved = |totals: Totals| (totals.moves, totals.moved_replicas, totals.moved_state);
    // Six run, four are wanted: two end, and do not move.
    assert_eq!(moved(totals("web a3 b1, db a1")), (0, 0, 0));
    assert_eq!(moved(totals("web a2 b1 c1, db a1")), (1, 1, 500_000_000));
    assert_eq!(moved(totals("web c4, db c1")), (2, 5, 2_000_000_000));
}

#[test]
fn the_fullest_cluster_and_the_clusters_in_use() {
    let mut problem = fleet();
    problem.clusters[2].taken = Resources::new().with(ResourceName::CPU, 8000);
    let totals = |placement: &str| evaluate(&problem, &placed(placement)).unwrap().0;
    assert_eq!(totals("web a4, db a1").balance, 6_250);
    assert_eq!(totals("web a2 b2, db a1").balance, 3_750);
    // Others hold half of c, which counts as soon as something runs there.
    assert_eq!(totals("web a2 b1 c1, db a1").balance, 5_625);
    assert_eq!(totals("web a2 b1 c1, db a1").consolidation, 3);
    assert_eq!(Goal::Balance.describe(5_625), "56.2 % in use");
}

#[test]
fn budgets_limit_any_goal() {
    let mut problem = fleet();
    problem.current = placed("web a4, db a1");
    let budget = |goal, at_most, price| Budget { goal, at_most, price };
    problem.budgets.push(budget(Goal::MovedReplicas, 2, None));
    assert_eq!(faults(&problem, "web a2 b2, db a1"), "");
    insta::assert_snapshot!(faults(&problem, "web a1 b3, db a1"), @"3 moved replicas, over the budget of 2 moved replicas");
    problem.budgets[0].price = Some(points(6));
    assert_eq!(cost(&problem, "web a1 b3, db b1"), 12.0);
    problem.clusters[0].price = Price::free().with(ResourceName::CPU, Money::from_base(10_000_000));
    problem.budgets[0] = budget(Goal::Money, 30_000_000, None);
    insta::assert_snapshot!(faults(&problem, "web a4, db b1"), @"0.040 EUR/h, over the budget of 0.030 EUR/h");
    // 10.5 thousandths of a euro are 11 units too much.
    problem.budgets[0] = budget(Goal::Money, 29_500_000, Some(points(1)));
    assert_eq!(cost(&problem, "web a4, db b1"), 11.0);
}

#[test]
fn any_rule_can_be_a_wish() {
    let mut problem = fleet();
    problem.services[1].regions = Some(["us".to_owned()].into());
    problem.services[0].per_replica.set(ResourceName::CPU, 2500);
    problem.services[0].per_replica.set(ResourceName::MEMORY, 3 << 20);
    problem.clusters[0].capacity.set(ResourceName::MEMORY, 5 << 20);
    assert_eq!(verify(&problem, &placed("web a4, db a1")).len(), 3);
    problem.soft.insert("region".into(), points(10));
    problem.soft.insert("capacity".into(), points(2));
    assert_eq!(faults(&problem, "web a4, db a1"), "");
    // One replica out of its region; 3000 millicores and 7 MiB too much.
    assert_eq!(cost(&problem, "web a4, db a1"), 10.0 + 2.0 * 3007.0);
}

#[test]
fn scores_are_points_per_replica() {
    let mut problem = fleet();
    problem.scores.insert(
        key("web"),
        [(cluster("a"), 250_000), (cluster("b"), -100_000)].into(),
    );
    assert_eq!(cost(&problem, "web a3 b1, db a1"), 0.75 - 0.1);
}

#[rstest]
#[case(|problem: &mut PlacementProblem| { problem.soft.insert("regin".into(), points(1)); }, "no rule is called regin; did you mean region?")]
#[case(|problem: &mut PlacementProblem| { problem.soft.insert("demand".into(), points(1)); }, "the rule demand cannot be a wish")]
#[case(|problem: &mut PlacementProblem| { problem.soft.insert("region".into(), points(-1)); }, "the price of a wish is negative")]
#[case(|problem: &mut PlacementProblem| problem.co_location.push(CoLocationGroup { services: [key("cache")].into(), price: None }), "a group of co-location names p/g/cache, which is no service of the problem")]
#[case(|problem: &mut PlacementProblem| { problem.scores.insert(key("cache"), [].into()); }, "a score is for p/g/cache, which is no service of the problem")]
#[case(|problem: &mut PlacementProblem| problem.budgets.push(Budget { goal: Goal::Preference, at_most: 0, price: None }), "a budget of preference is not possible")]
fn what_makes_no_sense_is_refused(#[case] edit: fn(&mut PlacementProblem), #[case] message: &str) {
    let mut problem = fleet();
    edit(&mut problem);
    let error = problem.validate().unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the placement problem is inconsistent: {message}")
    );
}

/// Every placer finds the only placement there is, or says that it found none; none breaks a rule.
#[test]
fn every_placer_keeps_the_rules() {
    let mut problem = fleet();
    problem.services[0].spread.push(Spread {
        max_skew: Some(1),
        ..Spread::default()
    });
    problem.anti_affinity.push(AntiAffinityGroup {
        services: [key("web"), key("db")].into(),
        ..AntiAffinityGroup::default()
    });
    problem.services[0].excluded = BTreeSet::from([cluster("c")]);
    for placer in [
        &Exhaustive::default() as &dyn Placer,
        &MilpPlacer::default(),
        &FirstFit::new(),
        &GreenConsolidation,
    ] {
        let Outcome::Placed(decision) = decide(placer, &problem).unwrap() else {
            panic!("{}", placer.name())
        };
        assert_eq!(
            decision.placement,
            placed("web a2 b2, db c1"),
            "{}",
            placer.name()
        );
    }
    // The predecessor's does not look at them, so it finds nothing.
    assert!(matches!(
        decide(&FirstFit::smo(), &problem).unwrap(),
        Outcome::Infeasible(_)
    ));
}

#[test]
fn priorities_say_what_each_level_reached() {
    let mut problem = fleet();
    problem.current = placed("web a4, db a1");
    problem.clusters[0].price = Price::free().with(ResourceName::CPU, Money::from_base(20_000_000));
    problem.goals = Goals::by_priority([Goal::Consolidation, Goal::Money, Goal::MovedReplicas]);
    let Outcome::Placed(decision) = decide(&Exhaustive::default(), &problem).unwrap() else {
        panic!()
    };
    let screen = decision.to_string();
    let head: Vec<&str> = screen.lines().take(4).collect();
    insta::assert_snapshot!(head.join("\n"), @"
    placement by exhaustive: optimal, proved in integers (value 5)
      priority 1: 1 cluster in use, the best there is
      priority 2: 0.000 EUR/h, the best there is
      priority 3: 5 moved replicas, the best there is
    ");
    assert_eq!(decision.levels.len(), 3);
}
