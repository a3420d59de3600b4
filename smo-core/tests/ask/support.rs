//! The Brussels demo, a small fleet, random small problems, and every placement of them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::cluster::{CarbonProfile, Intensity, Path, Price, Readiness};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::ask::Condition;
use smo_core::placement::{
    Assignment, ClusterSupply, Goals, LinkDemand, LinkLimit, Placement, PlacementProblem, ServiceDemand,
    Totals, Value, evaluate, verify,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{DataRate, Latency, Money};

pub(crate) fn cluster(name: &str) -> ClusterName {
    name.parse().unwrap()
}

pub(crate) fn key(service: &str) -> ServiceKey {
    format!("default/demo/{service}").parse().unwrap()
}

pub(crate) fn amounts(millicores: u64, gibibytes: u64) -> Resources {
    Resources::new()
        .with(ResourceName::CPU, millicores)
        .with(ResourceName::MEMORY, gibibytes << 30)
}

pub(crate) fn below(milliseconds: i64) -> LinkLimit {
    LinkLimit {
        rtt_below: Some(Latency::from_base(milliseconds * 1000)),
        max_hops: None,
    }
}

pub(crate) fn add(problem: &mut PlacementProblem, service: &str, replicas: u32, per_replica: Resources) {
    let demand = ServiceDemand {
        replicas,
        per_replica,
        ..ServiceDemand::default()
    };
    problem.services.insert(key(service), demand);
}

pub(crate) fn link(problem: &mut PlacementProblem, from: &str, to: &str, limit: LinkLimit) {
    problem.links.push(LinkDemand {
        from: key(from),
        to: key(to),
        limit,
        traffic: DataRate::default(),
    });
}

pub(crate) fn run(problem: &mut PlacementProblem, service: &str, name: &str) {
    let replicas = problem.services[&key(service)].replicas;
    problem
        .current
        .set(key(service), Assignment::single(cluster(name), replicas));
}

pub(crate) fn supply(cores: u64, memory: u64, price: &str, intensity: f64) -> ClusterSupply {
    ClusterSupply {
        capacity: amounts(cores * 1000, memory),
        price: Price::free().with(ResourceName::CPU, Money::parse_decimal(price).unwrap()),
        carbon: Some(CarbonProfile {
            intensity: Intensity::average(intensity),
            pue: 1.2,
            watts_per_core: 10.0,
        }),
        ..ClusterSupply::default()
    }
}

pub(crate) fn measure(problem: &mut PlacementProblem, a: &str, b: &str, milliseconds: i64) {
    let path = Path {
        rtt: Some(Latency::from_base(milliseconds * 1000)),
        hops: Some(1),
        bandwidth: None,
    };
    problem.network.measure(cluster(a), cluster(b), path);
}

/// The Brussels demo: two edges, one with a GPU, a cloud, and an edge that is down.
pub(crate) fn brussels() -> PlacementProblem {
    let mut problem = PlacementProblem::default();
    for (name, cores, memory, gpus, price, intensity) in [
        ("edge-1", 8, 16, 0, "0.012", 90.0),
        ("edge-2", 8, 32, 1, "0.02", 120.0),
        ("cloud-1", 64, 256, 0, "0.01", 300.0),
        ("edge-3", 8, 16, 1, "0.01", 50.0),
    ] {
        let mut supply = supply(cores, memory, price, intensity);
        if gpus > 0 {
            supply.capacity.set(ResourceName::NVIDIA_GPU, gpus);
        }
        problem.clusters.insert(cluster(name), supply);
    }
    problem.clusters[3].readiness = Readiness::NotReady {
        reason: "ClusterNotReachable".into(),
        since: None,
    };
    measure(&mut problem, "edge-1", "edge-2", 4);
    measure(&mut problem, "edge-1", "cloud-1", 18);
    measure(&mut problem, "edge-2", "cloud-1", 22);
    add(&mut problem, "image-compression-vo", 1, amounts(500, 1));
    add(&mut problem, "noise-reduction", 1, amounts(1000, 1));
    let detection = amounts(4000, 2).with(ResourceName::NVIDIA_GPU, 1);
    add(&mut problem, "image-detection", 1, detection);
    link(&mut problem, "noise-reduction", "image-detection", below(10));
    problem
}

/// Five services that run on three clusters, two regions, one of them dear.
pub(crate) fn shop() -> PlacementProblem {
    let mut problem = PlacementProblem::default();
    for (name, region, cores, price, intensity) in [
        ("paris", "eu", 6, "0.03", 60.0),
        ("milan", "eu", 6, "0.02", 300.0),
        ("austin", "us", 12, "0.01", 400.0),
    ] {
        let supply = ClusterSupply {
            region: Some(region.into()),
            ..supply(cores, 32, price, intensity)
        };
        problem.clusters.insert(cluster(name), supply);
    }
    measure(&mut problem, "paris", "milan", 12);
    measure(&mut problem, "paris", "austin", 110);
    measure(&mut problem, "milan", "austin", 120);
    add(&mut problem, "web", 2, amounts(1000, 1));
    add(&mut problem, "cart", 1, amounts(1000, 1));
    add(&mut problem, "search", 1, amounts(2000, 4));
    add(&mut problem, "ledger", 1, amounts(1000, 2));
    add(&mut problem, "reports", 1, amounts(3000, 4));
    problem.services[&key("ledger")].regions = Some(BTreeSet::from(["eu".to_owned()]));
    link(&mut problem, "web", "cart", below(20));
    for (service, name) in [
        ("web", "paris"),
        ("cart", "paris"),
        ("search", "paris"),
        ("ledger", "milan"),
        ("reports", "milan"),
    ] {
        run(&mut problem, service, name);
    }
    problem
}

/// How tight random problems are.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Room {
    /// Most can be placed.
    Some,
    /// About half cannot.
    Little,
}

prop_compose! {
    /// Up to 4 services on up to 3 clusters with prices, pins, exclusions, regions, links and a current placement.
    pub(crate) fn problems(room: Room)(
        services in prop::collection::vec((1_u32..=2, 1_u64..=4, 0_u64..=3, any::<u8>()), 1..=4),
        clusters in prop::collection::vec((2_u64..=8, 2_u64..=8, 0_i64..=4, 0_u32..=4, any::<u8>()), 1..=3),
        links in prop::collection::vec((0_usize..4, 0_usize..4, 1_i64..=4), 0..=2),
        paths in prop::collection::vec(prop::option::weighted(0.9, 0_i64..=5), 3),
        current in prop::collection::vec(prop::option::weighted(0.7, 0_usize..3), 4),
    ) -> PlacementProblem {
        let mut problem = PlacementProblem { goals: Goals::default(), ..PlacementProblem::default() };
        let many = clusters.len();
        for (number, (cpu, memory, price, carbon, dice)) in clusters.into_iter().enumerate() {
            let extra = match room { Room::Some => 4, Room::Little => 0 };
            let supply = ClusterSupply {
                capacity: amounts((cpu + extra) * 500, memory + extra),
                price: Price::free().with(ResourceName::CPU, Money::from_base(price * 1_000_000)),
                carbon: Some(CarbonProfile { intensity: Intensity::average(f64::from(carbon) * 100.0), pue: 1.2, watts_per_core: 10.0 }),
                region: Some(if dice % 3 == 0 { "us" } else { "eu" }.to_owned()),
                readiness: if dice > 240 { Readiness::NotReady { reason: "down".into(), since: None } } else { Readiness::Ready },
                ..ClusterSupply::default()
            };
            problem.clusters.insert(cluster(&format!("c{number}")), supply);
        }
        for (number, (replicas, cpu, memory, dice)) in services.iter().enumerate() {
            let name = format!("s{number}");
            add(&mut problem, &name, *replicas, amounts(cpu * 500, *memory));
            let there = cluster(&format!("c{}", usize::from(*dice) % many));
            let demand = &mut problem.services[&key(&name)];
            match dice % 10 {
                0 => demand.pinned = Some(BTreeSet::from([there])),
                1 => { demand.excluded.insert(there); }
                2 => demand.regions = Some(BTreeSet::from(["eu".to_owned()])),
                _ => {}
            }
        }
        for (from, to, limit) in links {
            if from < services.len() && to < services.len() && from != to {
                link(&mut problem, &format!("s{from}"), &format!("s{to}"), below(limit * 5));
            }
        }
        for ((a, b), tens) in [(0, 1), (0, 2), (1, 2)].into_iter().zip(paths) {
            if let Some(tens) = tens.filter(|_| b < many) {
                measure(&mut problem, &format!("c{a}"), &format!("c{b}"), tens * 5);
            }
        }
        for (number, now) in current.into_iter().take(services.len()).enumerate() {
            if let Some(now) = now.filter(|now| *now < many) {
                run(&mut problem, &format!("s{number}"), &format!("c{now}"));
            }
        }
        problem
    }
}

/// Every way to place so many replicas, one by one.
fn ways(clusters: &[ClusterName], replicas: u32) -> Vec<Assignment> {
    let mut counts = BTreeSet::from([vec![0_u32; clusters.len()]]);
    for _ in 0..replicas {
        let one_more = |count: &Vec<u32>| {
            let with = |at: usize| {
                let mut count = count.clone();
                count[at] += 1;
                count
            };
            (0..clusters.len()).map(with).collect::<Vec<_>>()
        };
        counts = counts.iter().flat_map(one_more).collect();
    }
    let named = |count: Vec<u32>| clusters.iter().cloned().zip(count).collect();
    counts.into_iter().map(named).collect()
}

/// Every way to give each service one cluster, or several where it may be split, whether it keeps the rules or not.
pub(crate) fn every_placement(problem: &PlacementProblem) -> Vec<Placement> {
    let clusters: Vec<ClusterName> = problem.clusters.keys().cloned().collect();
    let mut placements = vec![Placement::new()];
    for (service, demand) in problem.services.iter().filter(|(_, demand)| demand.replicas > 0) {
        let whole = |cluster: &ClusterName| Assignment::single(cluster.clone(), demand.replicas);
        let ways = if demand.is_split() {
            ways(&clusters, demand.replicas)
        } else {
            clusters.iter().map(whole).collect()
        };
        let with = |placement: &Placement| {
            let on = |way: &Assignment| {
                let mut placement = placement.clone();
                placement.set(service.clone(), way.clone());
                placement
            };
            ways.iter().map(on).collect::<Vec<_>>()
        };
        placements = placements.iter().flat_map(with).collect();
    }
    placements
}

/// Every placement that keeps the rules, with its totals and value.
pub(crate) fn sound_placements(problem: &PlacementProblem) -> Vec<(Placement, Totals, Value)> {
    let sound = every_placement(problem)
        .into_iter()
        .filter(|placement| verify(problem, placement).is_empty());
    sound
        .map(|placement| {
            let (totals, value) = evaluate(problem, &placement).unwrap();
            (placement, totals, value)
        })
        .collect()
}

pub(crate) fn is_possible(problem: &PlacementProblem) -> bool {
    every_placement(problem)
        .iter()
        .any(|placement| verify(problem, placement).is_empty())
}

/// The problem without everything that a condition asks for, by hand.
pub(crate) fn relaxed(problem: &PlacementProblem, condition: &Condition) -> PlacementProblem {
    let mut problem = problem.clone();
    match condition {
        Condition::Readiness => problem
            .clusters
            .values_mut()
            .for_each(|supply| supply.readiness = Readiness::Ready),
        Condition::Resource { resource } => problem
            .clusters
            .values_mut()
            .for_each(|supply| supply.capacity.set(resource.clone(), 1 << 50)),
        Condition::Pin { service } => problem.services[service].pinned = None,
        Condition::Exclusion { service } => problem.services[service].excluded.clear(),
        Condition::Regions { service } => problem.services[service].regions = None,
        Condition::Link { from, to } => problem.links.retain(|link| (&link.from, &link.to) != (from, to)),
        Condition::Service { service } => {
            problem.services.shift_remove(service);
            problem
                .links
                .retain(|link| link.from != *service && link.to != *service);
            let groups = problem.co_location.iter_mut().map(|group| &mut group.services);
            let groups = groups.chain(problem.anti_affinity.iter_mut().map(|group| &mut group.services));
            groups.for_each(|services| {
                services.remove(service);
            });
        }
        Condition::Labels { service } => problem.services[service].labels.clear(),
        Condition::Final { service } => problem.services[service].final_placement = false,
        // emptied, so that the others keep their places
        Condition::CoLocation { group, .. } => problem.co_location[*group].services.clear(),
        Condition::AntiAffinity { group, .. } => problem.anti_affinity[*group].services.clear(),
        Condition::Budget { goal } => problem.budgets.retain(|budget| budget.goal != *goal),
        Condition::Spread { service } => problem.services[service].spread.clear(),
        Condition::HighAvailability { service } => problem.services[service].high_availability = None,
        Condition::Bandwidth => {
            let paths: Vec<_> = problem
                .network
                .iter()
                .map(|(a, b, path)| (a.clone(), b.clone(), path))
                .collect();
            for (a, b, path) in paths {
                problem.network.measure(
                    a,
                    b,
                    Path {
                        bandwidth: None,
                        ..path
                    },
                );
            }
        }
        other => panic!("{other:?} is not in random problems"),
    }
    problem
}
