//! Conflicts and repairs.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::cluster::{Taint, TaintEffect};
use smo_core::placement::ask::{Condition, Edit, RepairCosts, RepairLimits, minimal_conflict, repairs};
use smo_core::placement::{
    ClusterSupply, CoLocationGroup, LinkLimit, MilpPlacer, Mode, Outcome, PlacementProblem, Value, evaluate,
    verify,
};
use smo_core::resources::{ResourceName, Resources};

use crate::support::{
    Room, add, amounts, below, brussels, cluster, every_placement, is_possible, key, link, measure, problems,
    relaxed, shop,
};

fn ways_out(problem: &PlacementProblem) -> smo_core::placement::ask::Repairs {
    repairs(&MilpPlacer::default(), problem, RepairLimits::default()).unwrap()
}

#[test]
fn a_lost_gpu_has_ways_out() {
    let mut problem = brussels();
    problem.clusters[1].capacity.set(ResourceName::CPU, 3000);
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn a_link_that_is_too_long_can_be_relaxed() {
    let mut problem = brussels();
    problem.services[&key("noise-reduction")].pinned = Some(BTreeSet::from([cluster("cloud-1")]));
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn rules_of_the_host_can_be_dropped() {
    let mut problem = shop();
    for name in ["paris", "milan"] {
        let taint = Taint {
            key: "maintenance".into(),
            value: None,
            effect: TaintEffect::NoSchedule,
        };
        problem.clusters[&cluster(name)].taints.push(taint);
    }
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn replicas_can_be_fewer() {
    let mut problem = PlacementProblem::default();
    problem
        .clusters
        .insert(cluster("edge-1"), crate::support::supply(4, 64, "0.01", 100.0));
    add(&mut problem, "web", 3, amounts(1500, 1));
    let limits = RepairLimits {
        costs: RepairCosts {
            core: smo_core::placement::Weight::from_millionths(50_000_000),
            ..RepairCosts::default()
        },
        ..RepairLimits::default()
    };
    let found = repairs(&MilpPlacer::default(), &problem, limits).unwrap();
    assert_eq!(
        found.repairs[0].edits,
        [Edit::Replicas {
            service: key("web"),
            replicas: 2
        }]
    );
    insta::assert_snapshot!(found);
}

#[test]
fn what_is_possible_needs_no_repair() {
    let found = ways_out(&brussels());
    assert!(found.repairs.is_empty() && found.conflict.is_none() && found.cheapest);
    insta::assert_snapshot!(found, @"nothing to repair: optimal, proved in integers (value 0.097864)");
    assert_eq!(
        minimal_conflict(&MilpPlacer::default(), &brussels(), 100).unwrap(),
        None
    );
}

#[test]
fn groups_and_scores_of_a_service_go_with_it() {
    let mut problem = PlacementProblem::default();
    let supply = ClusterSupply {
        capacity: amounts(1000, 4),
        ..ClusterSupply::default()
    };
    problem.clusters.insert(cluster("c0"), supply);
    add(&mut problem, "s0", 1, amounts(1000, 1));
    add(&mut problem, "s1", 1, amounts(1000, 1));
    problem.co_location.push(CoLocationGroup {
        services: [key("s0"), key("s1")].into(),
        price: None,
    });
    problem.scores.insert(key("s0"), [(cluster("c0"), 1)].into());
    let found = ways_out(&problem);
    assert!(found.conflict.is_some());
    let more = Edit::AddCapacity {
        cluster: cluster("c0"),
        resource: ResourceName::new(ResourceName::CPU),
        amount: 1000,
    };
    assert_eq!(found.repairs[0].edits, [more]);
}

#[test]
fn no_way_out_does_more_than_it_has_to() {
    let mut problem = PlacementProblem::default();
    for (name, cpu, memory) in [("c0", 4000, 4), ("c1", 1000, 3), ("c2", 1000, 3)] {
        let supply = ClusterSupply {
            capacity: amounts(cpu, memory),
            ..ClusterSupply::default()
        };
        problem.clusters.insert(cluster(name), supply);
    }
    add(&mut problem, "s0", 2, amounts(1000, 1));
    add(&mut problem, "s1", 2, amounts(2000, 0));
    add(&mut problem, "s2", 1, amounts(500, 1));
    add(&mut problem, "s3", 1, amounts(500, 2));
    problem.services[0].pinned = Some([cluster("c2")].into());
    link(&mut problem, "s0", "s3", below(20));
    measure(&mut problem, "c0", "c1", 0);
    measure(&mut problem, "c1", "c2", 0);
    let fewer = Edit::Replicas {
        service: key("s0"),
        replicas: 1,
    };
    // Letting services apart would be cheaper, and is not what this is about.
    let limits = RepairLimits {
        costs: RepairCosts {
            split: smo_core::placement::Weight::from_millionths(100_000_000),
            ..RepairCosts::default()
        },
        ..RepairLimits::default()
    };
    let found = repairs(&MilpPlacer::default(), &problem, limits).unwrap();
    assert_eq!(found.repairs.len(), 5);
    // One replica fewer is enough by itself: nothing is added to it.
    let with_it: Vec<&[Edit]> = found
        .repairs
        .iter()
        .map(|repair| repair.edits.as_slice())
        .filter(|edits| edits.contains(&fewer))
        .collect();
    assert_eq!(with_it, [[fewer.clone()]]);
}

#[test]
fn a_conflict_names_services_rules_and_resources() {
    let mut problem = shop();
    problem.clusters.shift_remove("austin");
    let conflict = minimal_conflict(&MilpPlacer::default(), &problem, 400).unwrap();
    assert_eq!(conflict, None, "the rest still fits");
    add(&mut problem, "training", 1, amounts(5000, 4));
    insta::assert_snapshot!(ways_out(&problem));
}

#[test]
fn a_fleet_of_many_services_is_repaired_around_what_cannot_be_placed() {
    let mut problem = PlacementProblem::default();
    for number in 0..5 {
        problem.clusters.insert(
            cluster(&format!("edge-{number}")),
            crate::support::supply(8, 64, "0.01", 100.0),
        );
    }
    for number in 0..14 {
        add(&mut problem, &format!("s{number}"), 1, amounts(1500, 1));
    }
    add(&mut problem, "training", 1, amounts(10_000, 4));
    let limits = RepairLimits {
        placements: 4_000,
        ..RepairLimits::default()
    };
    let found = repairs(&MilpPlacer::default(), &problem, limits).unwrap();
    assert!(!found.cheapest && !found.repairs.is_empty());
    let conflict = found.conflict.unwrap();
    assert!(conflict.minimal);
    assert!(conflict.members.iter().any(|member| member.condition
        == Condition::Service {
            service: key("training")
        }));
    for repair in &found.repairs {
        let repaired = problem.edited(&repair.edits).unwrap();
        assert_eq!(verify(&repaired, &repair.decision.placement), vec![]);
    }
}

#[test]
fn json_has_the_conflict_and_the_ways_out() {
    let mut problem = brussels();
    problem.clusters[1].capacity.set(ResourceName::CPU, 3000);
    let json = serde_json::to_value(ways_out(&problem)).unwrap();
    assert_eq!(json["outcome"]["infeasible"]["proved"], true);
    assert_eq!(json["repairs"][0]["edits"][0]["edit"], "addCapacity");
    assert_eq!(
        json["conflict"]["members"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|member| member["text"].is_string())
            .count(),
        json["conflict"]["members"].as_array().unwrap().len()
    );
}

/// What it costs to make a placement sound when each service runs so many replicas, in millionths of a point, worked out
/// from the default costs and without `verify`.
fn price_of(
    problem: &PlacementProblem,
    placement: &smo_core::placement::Placement,
    fewer: u32,
) -> Option<i128> {
    let mut millionths = i128::from(fewer) * 8_000_000;
    let mut used: std::collections::BTreeMap<_, Resources> = std::collections::BTreeMap::new();
    let mut made_ready = BTreeSet::new();
    let mut regions = BTreeSet::new();
    for (service, there) in placement.iter() {
        let demand = &problem.services[service];
        if there.clusters().count() > 1 {
            millionths += 3_000_000;
        }
        for (name, replicas) in there.iter() {
            let supply = &problem.clusters[name];
            let before = used.remove(name).unwrap_or_default();
            used.insert(
                name.clone(),
                before.checked_add(&demand.per_replica.checked_mul(replicas)?)?,
            );
            if !supply.readiness.is_ready() && made_ready.insert(name.clone()) {
                millionths += 4_000_000;
            }
            if demand
                .pinned
                .as_ref()
                .is_some_and(|pinned| !pinned.contains(name))
                || demand.excluded.contains(name)
            {
                millionths += 4_000_000;
            }
            let region = supply.region.clone()?;
            if demand
                .regions
                .as_ref()
                .is_some_and(|allowed| !allowed.contains(&region))
                && regions.insert((service.clone(), region))
            {
                millionths += 5_000_000;
            }
        }
    }
    for (name, used) in &used {
        let capacity = &problem.clusters[name].capacity;
        let cores = used
            .cpu()
            .millicores()
            .saturating_sub(capacity.cpu().millicores());
        let gibibytes = used.memory().get().saturating_sub(capacity.memory().get());
        millionths += i128::from(cores) * 1000 + i128::from(gibibytes >> 30) * 250_000;
    }
    // Links between the same two services are widened together: each pays for its own limit.
    for link in &problem.links {
        let [Some(from), Some(to)] = [&link.from, &link.to].map(|end| placement.get(end)) else {
            continue;
        };
        let pairs = from
            .clusters()
            .flat_map(|from| to.clusters().map(move |to| (from, to)));
        let paths = pairs.map(|(from, to)| problem.network.path(from, to));
        let same = problem
            .links
            .iter()
            .filter(|other| (&other.from, &other.to) == (&link.from, &link.to));
        let too_long = paths.filter(|path| same.clone().any(|other| !other.limit.allows(*path)));
        let too_long: Vec<_> = too_long.map(|path| path.rtt).collect();
        if too_long.is_empty() {
            continue;
        }
        millionths += match too_long.into_iter().collect::<Option<Vec<_>>>() {
            None => 6_000_000,
            Some(rtts) => {
                let rtt = rtts.into_iter().max()?;
                let over = (rtt.base() - link.limit.rtt_below?.base() + 1).max(0);
                i128::from(over * 200)
            }
        };
    }
    Some(millionths)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_conflict_is_impossible_and_all_of_it_is_needed(problem in problems(Room::Little)) {
        let conflict = minimal_conflict(&MilpPlacer::default(), &problem, 1_000).unwrap();
        prop_assert_eq!(conflict.is_none(), is_possible(&problem));
        let Some(conflict) = conflict else { return Ok(()) };
        prop_assert!(conflict.minimal);
        for member in &conflict.members {
            prop_assert!(!member.text.is_empty());
        }
        // Everything else can be dropped ...
        let every = every_condition(&problem);
        let others = every.iter().filter(|condition| !conflict.members.iter().any(|member| member.condition == **condition));
        let core = others.fold(problem.clone(), |rest, condition| relaxed(&rest, condition));
        prop_assert!(!is_possible(&core), "{conflict}");
        // ... and without any one member there is a placement.
        for member in &conflict.members {
            let rest = relaxed(&core, &member.condition);
            prop_assert!(is_possible(&rest), "{conflict}without {}", member.text);
        }
    }

    #[test]
    fn the_first_repair_is_the_cheapest_and_all_of_them_work(problem in problems(Room::Little)) {
        let found = ways_out(&problem);
        prop_assert_eq!(matches!(found.outcome, Outcome::Placed(_)), is_possible(&problem));
        if is_possible(&problem) {
            return Ok(());
        }
        prop_assert!(found.cheapest);
        let mut cheapest: Option<i128> = None;
        for (fewer, placement) in with_fewer_replicas(&problem) {
            let price = price_of(&problem, &placement, fewer);
            cheapest = match (cheapest, price) { (Some(one), Some(other)) => Some(one.min(other)), (one, other) => one.or(other) };
        }
        let units = cheapest.map(|millionths| Value::from_units(millionths * (Value::PER_POINT / 1_000_000)));
        prop_assert_eq!(found.repairs.first().map(|repair| repair.cost), units);
        let costs = RepairCosts::default();
        for (before, after) in found.repairs.iter().zip(found.repairs.iter().skip(1)) {
            prop_assert!(before.cost <= after.cost);
        }
        for repair in &found.repairs {
            let repaired = problem.edited(&repair.edits).unwrap();
            prop_assert!(is_possible(&repaired));
            prop_assert_eq!(verify(&repaired, &repair.decision.placement), vec![]);
            prop_assert_eq!(evaluate(&repaired, &repair.decision.placement).unwrap().1, repair.decision.value);
            let sum = repair.edits.iter().map(|edit| costs.of(&problem, edit).unwrap()).fold(Value::ZERO, Value::plus);
            prop_assert_eq!(sum, repair.cost);
            // No edit of it is superfluous.
            for left_out in 0..repair.edits.len() {
                let fewer: Vec<Edit> = repair.edits.iter().enumerate().filter(|(at, _)| *at != left_out).map(|(_, edit)| edit.clone()).collect();
                prop_assert!(!is_possible(&problem.edited(&fewer).unwrap()), "{} is enough", fewer.len());
            }
        }
    }
}

fn every_condition(problem: &PlacementProblem) -> Vec<Condition> {
    let mut conditions = vec![Condition::Readiness];
    for resource in [ResourceName::CPU, ResourceName::MEMORY] {
        conditions.push(Condition::Resource {
            resource: resource.into(),
        });
    }
    for service in problem.services.keys() {
        let service = || service.clone();
        conditions.extend([
            Condition::Pin { service: service() },
            Condition::Exclusion { service: service() },
            Condition::Regions { service: service() },
        ]);
        conditions.push(Condition::Service { service: service() });
    }
    for link in problem
        .links
        .iter()
        .filter(|link| link.limit != LinkLimit::default())
    {
        conditions.push(Condition::Link {
            from: link.from.clone(),
            to: link.to.clone(),
        });
    }
    // A dropped service takes its links along, so services go last.
    conditions.sort_by_key(|condition| matches!(condition, Condition::Service { .. }));
    conditions.dedup();
    conditions
}

/// Every placement of every number of replicas from one to all, apart or together, with how many fewer run.
fn with_fewer_replicas(problem: &PlacementProblem) -> Vec<(u32, smo_core::placement::Placement)> {
    let mut apart = problem.clone();
    for demand in apart.services.values_mut() {
        demand.mode = Mode::Split;
    }
    let mut variants = vec![(0, apart)];
    for service in problem.services.keys() {
        let all = problem.services[service].replicas;
        variants = variants
            .into_iter()
            .flat_map(|(fewer, variant)| {
                (1..=all)
                    .map(move |replicas| {
                        let mut variant = variant.clone();
                        variant.services[service].replicas = replicas;
                        (fewer + all - replicas, variant)
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
    }
    variants
        .iter()
        .flat_map(|(fewer, variant)| {
            every_placement(variant)
                .into_iter()
                .map(|placement| (*fewer, placement))
        })
        .collect()
}
