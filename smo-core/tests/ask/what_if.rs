//! What-if questions.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::placement::ask::{Edit, what_if, what_then};
use smo_core::placement::{
    CoLocationGroup, DomainKey, Goal, MilpPlacer, Outcome, PlacementProblem, Weight, decide, verify,
};
use smo_core::resources::ResourceName;
use smo_core::units::{DataRate, Latency, Money};

use crate::support::{Room, brussels, cluster, key, problems, shop, supply};

fn ask(problem: &PlacementProblem, edits: &[Edit]) -> String {
    what_if(&MilpPlacer::default(), problem, edits)
        .unwrap()
        .to_string()
}

#[test]
fn losing_a_cluster_says_who_moves_and_what_it_costs() {
    let lost = [Edit::Lose {
        cluster: cluster("milan"),
    }];
    insta::assert_snapshot!(ask(&shop(), &lost));
    let answer = what_if(&MilpPlacer::default(), &shop(), &lost).unwrap();
    insta::assert_snapshot!(answer.to_svg());
}

#[test]
fn a_change_that_breaks_everything_says_why() {
    let lost = [Edit::Lose {
        cluster: cluster("edge-2"),
    }];
    insta::assert_snapshot!(ask(&brussels(), &lost));
    let answer = what_if(&MilpPlacer::default(), &brussels(), &lost).unwrap();
    let svg = answer.to_svg();
    let services = brussels().services.len();
    assert_eq!(svg.matches("class=\"here\"").count(), services);
    assert_eq!(svg.matches("class=\"broken\"").count(), services);
}

#[test]
fn edits_add_up() {
    let edits = [
        Edit::ScaleReplicas {
            service: Some(key("web")),
            percent: 250,
        },
        Edit::ScalePrices {
            cluster: Some(cluster("austin")),
            percent: 500,
        },
    ];
    insta::assert_snapshot!(ask(&shop(), &edits));
}

#[test]
fn a_decision_that_is_carried_out_first_is_where_services_run() {
    let mut problem = shop();
    problem.current = smo_core::placement::Placement::new();
    let drained = [Edit::Drain {
        cluster: cluster("austin"),
    }];
    let placer = MilpPlacer::default();
    let fresh = what_if(&placer, &problem, &drained).unwrap();
    let then = what_then(&placer, &problem, &drained).unwrap();
    assert_eq!(fresh.before, then.before);
    let moves = |outcome: &Outcome| match outcome {
        Outcome::Placed(decision) => decision.totals.moves,
        Outcome::Infeasible(diagnosis) => panic!("{diagnosis}"),
    };
    assert_eq!(moves(&fresh.after), 0);
    let relocated = then.comparison.as_ref().unwrap().relocations.len();
    assert!(relocated > 0 && moves(&then.after) == relocated as i64);
}

#[test]
fn every_edit_is_a_few_words() {
    let web = key("web");
    let edge = cluster("edge-1");
    let taint = smo_core::cluster::Taint {
        key: "gpu-only".into(),
        value: None,
        effect: smo_core::cluster::TaintEffect::NoSchedule,
    };
    let path = |rtt: Option<i64>, hops| smo_core::cluster::Path {
        rtt: rtt.map(smo_core::units::Latency::from_base),
        hops,
        bandwidth: None,
    };
    let accept = |path| Edit::AcceptPath {
        from: web.clone(),
        to: key("api"),
        path,
    };
    let edits = [
        Edit::Lose {
            cluster: edge.clone(),
        },
        Edit::Drain {
            cluster: edge.clone(),
        },
        Edit::MakeReady {
            cluster: edge.clone(),
        },
        Edit::AddCluster {
            cluster: edge.clone(),
            supply: Box::new(supply(4, 8, "0.02", 100.0)),
            paths: vec![],
        },
        Edit::Replicas {
            service: web.clone(),
            replicas: 1,
        },
        Edit::Replicas {
            service: web.clone(),
            replicas: 3,
        },
        Edit::ScaleReplicas {
            service: None,
            percent: 200,
        },
        Edit::ScaleDemand {
            service: Some(web.clone()),
            percent: 150,
        },
        Edit::Price {
            cluster: edge.clone(),
            resource: "cpu".into(),
            price: Money::parse_decimal("0.03").unwrap(),
        },
        Edit::ScalePrices {
            cluster: Some(edge.clone()),
            percent: 120,
        },
        Edit::ScalePrices {
            cluster: None,
            percent: 80,
        },
        Edit::CarbonIntensity {
            cluster: edge.clone(),
            intensity: 42.5,
        },
        Edit::Pin {
            service: web.clone(),
            clusters: BTreeSet::from([edge.clone(), cluster("edge-2")]),
        },
        Edit::Unpin { service: web.clone() },
        Edit::Exclude {
            service: web.clone(),
            cluster: edge.clone(),
        },
        Edit::Allow {
            service: web.clone(),
            cluster: edge.clone(),
        },
        Edit::AllowRegion {
            service: web.clone(),
            region: Some("eu-west".into()),
        },
        Edit::AllowRegion {
            service: web.clone(),
            region: None,
        },
        Edit::Tolerate {
            service: web.clone(),
            taint,
        },
        Edit::Capacity {
            cluster: edge.clone(),
            resource: "cpu".into(),
            amount: 4000,
        },
        Edit::AddCapacity {
            cluster: edge.clone(),
            resource: "nvidia.com/gpu".into(),
            amount: 1,
        },
        accept(path(Some(22_000), None)),
        accept(path(Some(22_000), Some(3))),
        Edit::DropLimit {
            from: web.clone(),
            to: key("api"),
        },
        Edit::ScaleTraffic {
            service: Some(web.clone()),
            percent: 50,
        },
        Edit::ScaleLoad {
            service: None,
            percent: 200,
        },
        Edit::Remove { service: web.clone() },
        Edit::Distance {
            between: [edge.clone(), cluster("edge-2")],
            path: path(Some(22_000), Some(3)),
        },
        Edit::Weigh {
            goal: Goal::Carbon,
            weight: Weight::from_millionths(2_500_000),
        },
        Edit::SetBudget {
            goal: Goal::Money,
            at_most: 500_000_000,
        },
        Edit::SetBudget {
            goal: Goal::Moves,
            at_most: 0,
        },
        Edit::RelaxSpread {
            service: web.clone(),
            key: DomainKey::Zone,
            min_groups: Some(2),
            max_groups: None,
            max_skew: Some(3),
        },
        Edit::LetSplit { service: web.clone() },
        Edit::DropAntiAffinity { service: web.clone() },
        Edit::DropRule {
            rule: "licence".into(),
        },
    ];
    let words: Vec<String> = edits.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(words.join("\n"));
}

#[test]
fn every_edit_does_what_it_says() {
    let problem = shop();
    let web = || key("web");
    let edited = |edit: Edit| problem.edited(&[edit]).unwrap();
    assert!(
        !edited(Edit::Lose {
            cluster: cluster("paris")
        })
        .clusters[0]
            .readiness
            .is_ready()
    );
    let drained = edited(Edit::Drain {
        cluster: cluster("paris"),
    });
    assert!(
        drained
            .services
            .values()
            .all(|demand| demand.excluded.contains(&cluster("paris")))
    );
    let grown = edited(Edit::AddCluster {
        cluster: cluster("oslo"),
        supply: Box::new(supply(4, 8, "0.01", 20.0)),
        paths: vec![(
            cluster("paris"),
            smo_core::cluster::Path {
                rtt: None,
                hops: Some(4),
                bandwidth: None,
            },
        )],
    });
    assert_eq!(
        grown.network.path(&cluster("paris"), &cluster("oslo")).hops,
        Some(4)
    );
    assert_eq!(
        edited(Edit::ScaleReplicas {
            service: None,
            percent: 150
        })
        .services[&web()]
            .replicas,
        3
    );
    let demand = &edited(Edit::ScaleDemand {
        service: Some(web()),
        percent: 33,
    })
    .services[&web()];
    assert_eq!(demand.per_replica.cpu().millicores(), 330);
    let price = edited(Edit::ScalePrices {
        cluster: None,
        percent: 50,
    })
    .clusters[0]
        .price
        .clone();
    assert_eq!(
        price.of(&problem.services[&web()].per_replica),
        Money::parse_decimal("0.015")
    );
    let pinned = edited(Edit::Pin {
        service: web(),
        clusters: BTreeSet::from([cluster("milan")]),
    });
    let allowed = pinned
        .edited(&[Edit::Allow {
            service: web(),
            cluster: cluster("austin"),
        }])
        .unwrap();
    assert_eq!(allowed.services[&web()].pinned.as_ref().unwrap().len(), 2);
    let more = Edit::AddCapacity {
        cluster: cluster("milan"),
        resource: ResourceName::new("cpu"),
        amount: 500,
    };
    assert_eq!(edited(more).clusters["milan"].capacity.cpu().millicores(), 6500);
    let storage = Edit::AddCapacity {
        cluster: cluster("milan"),
        resource: ResourceName::new("storage"),
        amount: 5,
    };
    assert_eq!(edited(storage), problem, "what is not limited stays so");
    // A limit is strict, so 20 ms is widened to what just allows 110 ms.
    let far = problem.network.path(&cluster("paris"), &cluster("austin"));
    let wide = edited(Edit::AcceptPath {
        from: web(),
        to: key("cart"),
        path: far,
    });
    assert!(wide.links[0].limit.allows(far) && !problem.links[0].limit.allows(far));
    assert_eq!(
        wide.links[0].limit.rtt_below.unwrap().base(),
        far.rtt.unwrap().base() + 1
    );
    let carbon = edited(Edit::CarbonIntensity {
        cluster: cluster("paris"),
        intensity: 1.0,
    });
    assert_eq!(carbon.clusters[0].carbon.unwrap().pue, 1.2);
}

#[test]
fn loads_distances_goals_and_budgets_change() {
    let mut problem = shop();
    problem.links[0].traffic = DataRate::new(1001);
    let web = || key("web");
    let edited = |edit: Edit| problem.edited(&[edit]).unwrap();
    let traffic = edited(Edit::ScaleTraffic {
        service: Some(key("cart")),
        percent: 50,
    });
    // Rounded up, and nothing else changes.
    assert_eq!(traffic.links[0].traffic.get(), 501);
    assert_eq!(traffic.services, problem.services);
    let other = edited(Edit::ScaleTraffic {
        service: Some(key("search")),
        percent: 50,
    });
    assert_eq!(other, problem, "search is at no link");
    let doubled = edited(Edit::ScaleLoad {
        service: None,
        percent: 200,
    });
    let replicas: Vec<u32> = doubled.services.values().map(|demand| demand.replicas).collect();
    assert_eq!(
        (replicas, doubled.links[0].traffic.get()),
        (vec![4, 2, 2, 2, 2], 2002)
    );
    let near = edited(Edit::Distance {
        between: [cluster("austin"), cluster("paris")],
        path: smo_core::cluster::Path {
            rtt: Some(Latency::from_base(7_000)),
            ..smo_core::cluster::Path::default()
        },
    });
    let path = near.network.path(&cluster("paris"), &cluster("austin"));
    assert_eq!(
        (path.rtt.unwrap().base(), path.hops),
        (7_000, Some(1)),
        "hops stay"
    );
    let weighed = edited(Edit::Weigh {
        goal: Goal::Carbon,
        weight: Weight::from_millionths(7),
    });
    assert_eq!(weighed.goals.carbon, Weight::from_millionths(7));
    assert_eq!(weighed.goals.money, problem.goals.money);
    let budget = |at_most| Edit::SetBudget {
        goal: Goal::Moves,
        at_most,
    };
    let tightened = problem.edited(&[budget(3), budget(1)]).unwrap();
    assert_eq!(tightened.budgets.len(), 1);
    assert_eq!(
        tightened.budgets[0].at_most, 1,
        "the later counts, although it is less"
    );
    problem.co_location.push(CoLocationGroup {
        services: BTreeSet::from([web(), key("cart")]),
        price: None,
    });
    let removed = problem.edited(&[Edit::Remove { service: web() }]).unwrap();
    assert_eq!(removed.services.len(), problem.services.len() - 1);
    assert!(removed.links.is_empty() && removed.current.get(&web()).is_none());
    assert_eq!(removed.co_location[0].services, BTreeSet::from([key("cart")]));
}

#[test]
fn a_service_that_is_removed_stops() {
    let edits = [
        Edit::Remove {
            service: key("reports"),
        },
        Edit::ScaleLoad {
            service: Some(key("web")),
            percent: 200,
        },
    ];
    insta::assert_snapshot!(ask(&shop(), &edits));
}

#[test]
fn edits_that_make_no_sense_are_refused() {
    let refused = |edit: Edit| shop().edited(&[edit]).unwrap_err().to_string();
    insta::assert_snapshot!(refused(Edit::Lose { cluster: cluster("parys") }), @"the placement problem is inconsistent: parys is no cluster of the problem; did you mean paris?");
    insta::assert_snapshot!(refused(Edit::Replicas { service: key("wep"), replicas: 1 }), @"the placement problem is inconsistent: default/demo/wep is no service of the problem; did you mean default/demo/web?");
    let again = Edit::AddCluster {
        cluster: cluster("paris"),
        supply: Box::default(),
        paths: vec![],
    };
    insta::assert_snapshot!(refused(again), @"the placement problem is inconsistent: the problem has a cluster paris already; give the new one another name");
    let many = [
        Edit::Replicas {
            service: key("web"),
            replicas: 200,
        },
        Edit::ScaleReplicas {
            service: Some(key("web")),
            percent: u32::MAX,
        },
    ];
    insta::assert_snapshot!(shop().edited(&many).unwrap_err(), @"an amount of `default/demo/web` does not fit 64 bits");
    let nowhere = Edit::Distance {
        between: [cluster("paris"), cluster("paris")],
        path: smo_core::cluster::Path::default(),
    };
    insta::assert_snapshot!(refused(nowhere), @"the placement problem is inconsistent: paris is no distance from itself; name two clusters");
    let backwards = Edit::AcceptPath {
        from: key("cart"),
        to: key("web"),
        path: smo_core::cluster::Path::default(),
    };
    insta::assert_snapshot!(refused(backwards), @"the placement problem is inconsistent: there is no link from default/demo/cart to default/demo/web");
}

#[test]
fn json_has_both_decisions_and_the_difference() {
    let lost = [Edit::Lose {
        cluster: cluster("milan"),
    }];
    let answer = what_if(&MilpPlacer::default(), &shop(), &lost).unwrap();
    let json = serde_json::to_value(&answer).unwrap();
    assert_eq!(
        json["edits"][0],
        serde_json::json!({"edit": "lose", "cluster": "milan"})
    );
    assert_eq!(json["before"]["placed"]["status"], "optimal");
    let relocations = &json["comparison"]["relocations"];
    assert_eq!(relocations.as_array().unwrap().len(), 1);
    assert_eq!(
        relocations[0],
        serde_json::json!({"service": "default/demo/ledger", "from": {"milan": 1}, "to": {"paris": 1}})
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn both_decisions_are_those_of_the_two_questions(problem in problems(Room::Some), which in 0_usize..3, percent in 0_u32..300) {
        let placer = MilpPlacer::default();
        let cluster = problem.clusters.get_index(which % problem.clusters.len()).unwrap().0.clone();
        let edits = [Edit::Drain { cluster }, Edit::ScaleReplicas { service: None, percent }];
        let edited = problem.edited(&edits).unwrap();
        let answer = what_if(&placer, &problem, &edits).unwrap();
        prop_assert_eq!(&answer.before, &decide(&placer, &problem).unwrap());
        prop_assert_eq!(&answer.after, &decide(&placer, &edited).unwrap());
        if let (Some(comparison), Outcome::Placed(before), Outcome::Placed(after)) = (&answer.comparison, &answer.before, &answer.after) {
            prop_assert!(verify(&edited, &after.placement).is_empty());
            let mut rebuilt = before.placement.clone();
            for moved in &comparison.relocations {
                rebuilt.set(moved.service.clone(), moved.to.clone());
            }
            for service in problem.services.keys() {
                prop_assert_eq!(rebuilt.get(service), after.placement.get(service));
            }
        }
    }
}
