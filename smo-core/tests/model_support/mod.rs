//! Random placement problems with chosen rules and goals, small enough to try every placement.

use std::collections::{BTreeMap, BTreeSet};

use smo_core::cluster::{
    CarbonProfile, Egress, Intensity, Path, Price, Readiness, Taint, TaintEffect, Toleration,
};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    AntiAffinityGroup, Assignment, Budget, ClusterSupply, CoLocationGroup, DomainKey, Goal, Goals,
    HighAvailability, LabelRequirement, LinkDemand, LinkLimit, Mode, PlacementProblem, ServiceDemand, Spread,
    Weight,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{Bytes, DataRate, Latency, Money};

/// Chance with a seed, and what these problems ask of it.
pub(crate) struct Random(smo_core::random::Random);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(smo_core::random::Random::new(seed))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0.next()
    }

    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        self.0.between(least, most)
    }

    pub(crate) fn index(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    fn small(&mut self, least: u64, most: u64) -> u32 {
        u32::try_from(self.between(least, most)).unwrap()
    }

    fn weight(&mut self, most: u64) -> Weight {
        Weight::from_millionths(i64::try_from(self.between(0, most)).unwrap() * 500_000)
    }
}

/// A rule or a goal to try, alone or with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Split,
    Eligibility,
    Labels,
    Spread,
    HighAvailability,
    CoLocation,
    AntiAffinity,
    Final,
    LatencyLimits,
    Bandwidth,
    Budgets,
    Soft,
    Scores,
    Egress,
    Carbon,
    LatencyGoal,
    Moves,
    Balance,
    Consolidation,
}

impl Part {
    pub(crate) const ALL: [Self; 19] = [
        Self::Split,
        Self::Eligibility,
        Self::Labels,
        Self::Spread,
        Self::HighAvailability,
        Self::CoLocation,
        Self::AntiAffinity,
        Self::Final,
        Self::LatencyLimits,
        Self::Bandwidth,
        Self::Budgets,
        Self::Soft,
        Self::Scores,
        Self::Egress,
        Self::Carbon,
        Self::LatencyGoal,
        Self::Moves,
        Self::Balance,
        Self::Consolidation,
    ];
}

pub(crate) fn cluster_name(number: usize) -> ClusterName {
    format!("c{number}").parse().unwrap()
}

pub(crate) fn service_key(number: usize) -> ServiceKey {
    format!("p/g/s{number}").parse().unwrap()
}

/// The problem of a seed with these parts.
pub(crate) fn problem(seed: u64, parts: &[Part]) -> PlacementProblem {
    let mut random = Random::new(seed);
    let has = |part| parts.contains(&part);
    let clusters = random.index(4) + 1;
    // Replicas that split make many more placements.
    let most_services = if !has(Part::Split) {
        5
    } else if clusters == 4 {
        2
    } else {
        3
    };
    let services = if random.chance(3) {
        0
    } else {
        random.index(most_services) + 1
    };
    let mut problem = PlacementProblem {
        goals: Goals::none().with(Goal::Money, random.weight(2)),
        ..PlacementProblem::default()
    };
    for number in 0..clusters {
        problem.clusters.insert(cluster_name(number), supply(&mut random));
    }
    for number in 0..services {
        problem.services.insert(service_key(number), demand(&mut random));
    }
    for number in 0..services {
        if random.chance(40) {
            run(&mut problem, number, &mut random);
        }
    }
    for part in Part::ALL.into_iter().filter(|part| has(*part)) {
        add(&mut problem, part, &mut random);
    }
    problem
}

fn supply(random: &mut Random) -> ClusterSupply {
    ClusterSupply {
        capacity: Resources::new()
            .with(ResourceName::CPU, random.between(2, 12) * 500)
            .with(ResourceName::MEMORY, random.between(4, 12) << 30),
        price: Price::free()
            .with(
                ResourceName::CPU,
                Money::from_base(i64::from(random.small(0, 4)) * 1_000_000),
            )
            .with(
                ResourceName::MEMORY,
                Money::from_base(i64::from(random.small(0, 2)) * 1_000_000),
            ),
        ..ClusterSupply::default()
    }
}

fn demand(random: &mut Random) -> ServiceDemand {
    ServiceDemand {
        replicas: if random.chance(4) { 0 } else { random.small(1, 3) },
        per_replica: Resources::new()
            .with(ResourceName::CPU, random.between(0, 2) * 500)
            .with(ResourceName::MEMORY, random.between(0, 2) << 30),
        ..ServiceDemand::default()
    }
}

/// A service runs somewhere now, maybe on several clusters, maybe on one that is gone.
fn run(problem: &mut PlacementProblem, number: usize, random: &mut Random) {
    let clusters = problem.clusters.len() + 1;
    let mut assignment = BTreeMap::new();
    for _ in 0..random.between(1, 2) {
        let gone = random.chance(5);
        let cluster = if gone {
            clusters - 1
        } else {
            random.index(clusters - 1)
        };
        assignment.insert(cluster_name(cluster), random.small(1, 2));
    }
    problem.current.set(
        service_key(number),
        assignment.into_iter().collect::<Assignment>(),
    );
}

fn some<T: Clone>(random: &mut Random, of: &[T], percent: u64) -> Vec<T> {
    of.iter().filter(|_| random.chance(percent)).cloned().collect()
}

fn key(random: &mut Random) -> DomainKey {
    match random.index(6) {
        0 => DomainKey::Region,
        1 => DomainKey::Label("rack".into()),
        2 => DomainKey::Zone,
        3 => DomainKey::Provider,
        _ => DomainKey::Cluster,
    }
}

/// Clusters say where they are, most of them.
fn locate(problem: &mut PlacementProblem, random: &mut Random) {
    for supply in problem.clusters.values_mut() {
        if supply.region.is_none() && random.chance(90) {
            supply.region = Some(["eu", "us"][random.index(2)].to_owned());
        }
        if supply.zones.is_empty() && random.chance(90) {
            supply.zones = vec![["eu-1", "eu-2", "us-1"][random.index(3)].to_owned()];
        }
        if supply.provider.is_none() && random.chance(90) {
            supply.provider = Some(["ours", "theirs"][random.index(2)].to_owned());
        }
        if !supply.labels.contains_key("rack") && random.chance(90) {
            supply
                .labels
                .insert("rack".into(), ["r1", "r2", "r3"][random.index(3)].to_owned());
        }
    }
}

/// Links with traffic, and a network that nearly always was measured.
fn connect(problem: &mut PlacementProblem, random: &mut Random) {
    let services = problem.services.len();
    if services == 0 || !problem.links.is_empty() {
        return;
    }
    for _ in 0..random.between(1, 3) {
        problem.links.push(LinkDemand {
            from: service_key(random.index(services)),
            to: service_key(random.index(services)),
            limit: LinkLimit::default(),
            traffic: DataRate::new(random.between(0, 4) * 6_000),
        });
    }
    for a in 0..problem.clusters.len() {
        for b in 0..a {
            if random.chance(90) {
                let path = Path {
                    rtt: random
                        .chance(95)
                        .then(|| Latency::from_base(i64::from(random.small(1, 4)) * 5_000)),
                    hops: random.chance(95).then(|| random.small(1, 3)),
                    bandwidth: None,
                };
                problem.network.measure(cluster_name(a), cluster_name(b), path);
            }
        }
    }
}

fn members(problem: &PlacementProblem, random: &mut Random) -> BTreeSet<ServiceKey> {
    let keys: Vec<ServiceKey> = problem.services.keys().cloned().collect();
    some(random, &keys, 60).into_iter().collect()
}

fn price(random: &mut Random, hard: u64) -> Option<Weight> {
    (!random.chance(hard)).then(|| random.weight(4))
}

#[allow(clippy::too_many_lines)]
fn add(problem: &mut PlacementProblem, part: Part, random: &mut Random) {
    let names: Vec<ClusterName> = problem.clusters.keys().cloned().collect();
    match part {
        Part::Split => {
            for demand in problem.services.values_mut() {
                if random.chance(75) {
                    demand.mode = Mode::Split;
                }
            }
        }
        Part::Eligibility => eligibility(problem, &names, random),
        Part::Labels => {
            locate(problem, random);
            for demand in problem.services.values_mut() {
                if !random.chance(50) {
                    continue;
                }
                let values: BTreeSet<String> = some(random, &["r1".to_owned(), "r2".to_owned()], 70)
                    .into_iter()
                    .collect();
                let key = "rack".to_owned();
                demand.labels.push(match random.index(4) {
                    0 => LabelRequirement::In { key, values },
                    1 => LabelRequirement::NotIn { key, values },
                    2 => LabelRequirement::Exists { key },
                    _ => LabelRequirement::DoesNotExist { key },
                });
            }
        }
        Part::Spread => {
            locate(problem, random);
            for demand in problem.services.values_mut() {
                if !random.chance(60) {
                    continue;
                }
                demand.spread.push(Spread {
                    key: key(random),
                    min_groups: random.chance(50).then(|| random.small(0, 3)),
                    max_groups: random.chance(40).then(|| random.small(1, 2)),
                    max_skew: random.chance(50).then(|| random.small(0, 2)),
                    price: price(random, 60),
                });
            }
        }
        Part::HighAvailability => {
            locate(problem, random);
            for demand in problem.services.values_mut() {
                if !random.chance(60) {
                    continue;
                }
                demand.high_availability = Some(HighAvailability {
                    key: key(random),
                    price: price(random, 60),
                });
            }
        }
        Part::CoLocation => {
            for _ in 0..random.between(1, 2) {
                let services = members(problem, random);
                let price = price(random, 60);
                problem.co_location.push(CoLocationGroup { services, price });
            }
        }
        Part::AntiAffinity => {
            locate(problem, random);
            for _ in 0..random.between(1, 2) {
                problem.anti_affinity.push(AntiAffinityGroup {
                    services: members(problem, random),
                    key: key(random),
                    price: price(random, 60),
                });
            }
        }
        Part::Final => {
            for demand in problem.services.values_mut() {
                demand.final_placement = random.chance(40);
            }
        }
        Part::LatencyLimits => {
            connect(problem, random);
            for link in &mut problem.links {
                link.limit = LinkLimit {
                    rtt_below: random
                        .chance(50)
                        .then(|| Latency::from_base(i64::from(random.small(1, 4)) * 5_000)),
                    max_hops: random.chance(50).then(|| random.small(0, 2)),
                };
            }
        }
        Part::Bandwidth => {
            connect(problem, random);
            let paths: Vec<_> = problem
                .network
                .iter()
                .map(|(a, b, path)| (a.clone(), b.clone(), path))
                .collect();
            for (a, b, path) in paths {
                let bandwidth = random
                    .chance(70)
                    .then(|| DataRate::new(random.between(0, 6) * 6_000));
                problem.network.measure(a, b, Path { bandwidth, ..path });
            }
        }
        Part::Budgets => {
            for demand in problem.services.values_mut() {
                demand.state = Bytes::new(random.between(0, 3) * 1_000_000_000);
            }
            for _ in 0..random.between(1, 2) {
                let (goal, at_most) = match random.index(8) {
                    0 => (Goal::Money, i64::from(random.small(0, 12)) * 1_000_000),
                    1 => (Goal::Moves, random.small(0, 2).into()),
                    2 => (Goal::Consolidation, random.small(1, 3).into()),
                    3 => (Goal::MovedState, i64::from(random.small(0, 5)) * 1_000_000_000),
                    4 => (Goal::Carbon, i64::from(random.small(0, 10)) * 2_000_000),
                    5 => (Goal::Latency, i64::from(random.small(0, 8)) * 30_000_000),
                    6 => (Goal::Balance, i64::from(random.small(3, 10)) * 1_000),
                    _ => (Goal::MovedReplicas, random.small(0, 3).into()),
                };
                let price = price(random, 60);
                problem.budgets.push(Budget { goal, at_most, price });
            }
        }
        Part::Soft => {
            let rules = [
                "capacity",
                "region",
                "taints",
                "pinning",
                "labels",
                "latency",
                "spread",
                "co-location",
                "anti-affinity",
                "bandwidth",
                "budget",
                "final placement",
                "high availability",
                "readiness",
                "accelerator",
            ];
            for rule in rules {
                if random.chance(20) {
                    let points = if rule == "capacity" {
                        Weight::from_millionths(i64::from(random.small(0, 5)) * 1_000)
                    } else {
                        random.weight(3)
                    };
                    problem.soft.insert(rule.to_owned(), points);
                }
            }
            problem.goals.preference = Weight::from_millionths(1_000_000);
        }
        Part::Scores => {
            for number in 0..problem.services.len() {
                let scores = names
                    .iter()
                    .map(|name| (name.clone(), i64::from(random.small(0, 8)) * 250_000 - 1_000_000));
                let scores: BTreeMap<ClusterName, i64> = scores.filter(|_| true).collect();
                problem.scores.insert(service_key(number), scores);
            }
            problem.goals.preference = random.weight(2);
        }
        Part::Egress => {
            locate(problem, random);
            connect(problem, random);
            for supply in problem.clusters.values_mut() {
                supply.egress = Egress {
                    within_region: Money::from_base(i64::from(random.small(0, 3)) * 1_000_000),
                    out_of_region: Money::from_base(i64::from(random.small(0, 9)) * 10_000_000),
                };
            }
            problem.goals.money = random.weight(2);
        }
        Part::Carbon => {
            for supply in problem.clusters.values_mut() {
                supply.carbon = random.chance(80).then(|| CarbonProfile {
                    intensity: Intensity::average(f64::from(random.small(0, 5)) * 100.0),
                    pue: 1.5,
                    watts_per_core: 10.0,
                });
            }
            problem.goals.carbon = random.weight(2);
        }
        Part::LatencyGoal => {
            connect(problem, random);
            problem.goals.latency = random.weight(2);
        }
        Part::Moves => {
            for demand in problem.services.values_mut() {
                demand.state = Bytes::new(random.between(0, 3) * 1_000_000_000);
            }
            problem.goals.moves = random.weight(2);
            problem.goals.moved_replicas = random.weight(2);
            problem.goals.moved_state = random.weight(2);
            problem.goals.placements = random.weight(1);
        }
        Part::Balance => {
            for supply in problem.clusters.values_mut() {
                if !random.chance(40) {
                    continue;
                }
                supply.taken = Resources::new().with(ResourceName::CPU, random.between(0, 4) * 500);
            }
            problem.goals.balance = random.weight(2);
        }
        Part::Consolidation => problem.goals.consolidation = random.weight(2),
    }
}

fn eligibility(problem: &mut PlacementProblem, names: &[ClusterName], random: &mut Random) {
    locate(problem, random);
    let taint = Taint {
        key: "edge".into(),
        value: None,
        effect: TaintEffect::NoSchedule,
    };
    for supply in problem.clusters.values_mut() {
        if random.chance(15) {
            supply.readiness = Readiness::NotReady {
                reason: "down".into(),
                since: None,
            };
        }
        if random.chance(30) {
            let effect = [TaintEffect::NoSchedule, TaintEffect::PreferNoSchedule][random.index(2)];
            supply.taints.push(Taint {
                effect,
                ..taint.clone()
            });
        }
        if random.chance(40) {
            supply
                .capacity
                .set(ResourceName::NVIDIA_GPU, random.between(0, 2));
        }
    }
    for demand in problem.services.values_mut() {
        if random.chance(20) {
            demand.regions = Some(BTreeSet::from(["eu".to_owned()]));
        }
        if random.chance(20) {
            demand.pinned = Some(some(random, names, 60).into_iter().collect());
        }
        if random.chance(20) {
            demand.excluded = some(random, names, 30).into_iter().collect();
        }
        if random.chance(40) {
            demand.tolerations.push(Toleration {
                key: Some("edge".into()),
                value: None,
                effect: None,
            });
        }
        if random.chance(15) {
            demand
                .requires
                .insert(ResourceName::new(ResourceName::NVIDIA_GPU));
            demand
                .per_replica
                .set(ResourceName::NVIDIA_GPU, random.between(0, 1));
        }
    }
}
