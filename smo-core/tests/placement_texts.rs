//! What people read: reasons, sentences, diagnoses, errors and the screen of a decision.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use rstest::rstest;
use smo_core::cluster::{CarbonProfile, Intensity, Path, Price, Readiness, Taint, TaintEffect};
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::placement::{
    Answer, Assignment, Breach, ClusterSupply, Decision, FirstFit, Goals, LinkDemand, LinkLimit, MilpPlacer,
    Outcome, PlaceContext, Placement, PlacementError, PlacementProblem, Placer, Proof, Reason, ServiceDemand,
    Value, Work, decide, verify,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::{DataRate, Latency, Money};

fn cluster(name: &str) -> ClusterName {
    name.parse().unwrap()
}

fn key(service: &str) -> ServiceKey {
    format!("default/image-detection-graph/{service}")
        .parse()
        .unwrap()
}

fn below(milliseconds: i64) -> LinkLimit {
    LinkLimit {
        rtt_below: Some(Latency::from_base(milliseconds * 1000)),
        max_hops: None,
    }
}

fn amounts(millicores: u64, gibibytes: u64) -> Resources {
    Resources::new()
        .with(ResourceName::CPU, millicores)
        .with(ResourceName::MEMORY, gibibytes << 30)
}

/// A fleet of two edges and a cloud, one edge with a GPU, and a dead edge.
fn fleet() -> PlacementProblem {
    let mut problem = PlacementProblem {
        goals: Goals::default(),
        ..PlacementProblem::default()
    };
    for (name, cores, memory, gpus, price, intensity) in [
        ("edge-1", 8, 16, 0, "0.012", 90.0),
        ("edge-2", 8, 32, 1, "0.02", 120.0),
        ("cloud-1", 64, 256, 0, "0.01", 300.0),
        ("edge-3", 8, 16, 1, "0.01", 50.0),
    ] {
        let mut capacity = amounts(cores * 1000, memory);
        if gpus > 0 {
            capacity.set(ResourceName::NVIDIA_GPU, gpus);
        }
        let price = Price::free().with(ResourceName::CPU, Money::parse_decimal(price).unwrap());
        let carbon = Some(CarbonProfile {
            intensity: Intensity::average(intensity),
            pue: 1.2,
            watts_per_core: 10.0,
        });
        let supply = ClusterSupply {
            capacity,
            price,
            carbon,
            ..ClusterSupply::default()
        };
        problem.clusters.insert(cluster(name), supply);
    }
    problem.clusters[3].readiness = Readiness::NotReady {
        reason: "ClusterNotReachable".into(),
        since: None,
    };
    for (a, b, milliseconds) in [
        ("edge-1", "edge-2", 4),
        ("edge-1", "cloud-1", 18),
        ("edge-2", "cloud-1", 22),
    ] {
        let path = Path {
            rtt: Some(Latency::from_base(milliseconds * 1000)),
            hops: Some(2),
            bandwidth: None,
        };
        problem.network.measure(cluster(a), cluster(b), path);
    }
    problem
}

fn ask(problem: &mut PlacementProblem, service: &str, per_replica: Resources) {
    let demand = ServiceDemand {
        replicas: 1,
        per_replica,
        ..ServiceDemand::default()
    };
    problem.services.insert(key(service), demand);
}

fn link(problem: &mut PlacementProblem, from: &str, to: &str, limit: LinkLimit) {
    problem.links.push(LinkDemand {
        from: key(from),
        to: key(to),
        limit,
        traffic: DataRate::ZERO,
    });
}

/// The Brussels demo on that fleet.
fn brussels() -> PlacementProblem {
    let mut problem = fleet();
    ask(&mut problem, "image-compression-vo", amounts(500, 1));
    ask(&mut problem, "noise-reduction", amounts(1000, 1));
    ask(
        &mut problem,
        "image-detection",
        amounts(4000, 2).with(ResourceName::NVIDIA_GPU, 1),
    );
    link(&mut problem, "noise-reduction", "image-detection", below(10));
    problem
}

fn place(problem: &PlacementProblem) -> Decision {
    match decide(&MilpPlacer::default(), problem).unwrap() {
        Outcome::Placed(decision) => decision,
        Outcome::Infeasible(diagnosis) => panic!("{diagnosis}"),
    }
}

fn diagnose(placer: &dyn Placer, problem: &PlacementProblem) -> String {
    match decide(placer, problem).unwrap() {
        Outcome::Placed(decision) => panic!("{decision}"),
        Outcome::Infeasible(diagnosis) => diagnosis.to_string(),
    }
}

fn why(problem: &PlacementProblem, service: &str) -> String {
    place(problem).explanation.services[&key(service)].why()
}

#[rstest]
#[case(Reason::NotReady { reason: "ClusterNotReachable".into() }, "not ready (ClusterNotReachable)", "not ready")]
#[case(Reason::NotReady { reason: String::new() }, "not ready", "not ready")]
#[case(Reason::NotOffered { resource: "nvidia.com/gpu".into() }, "no nvidia.com/gpu", "no nvidia.com/gpu")]
#[case(Reason::Insufficient { resource: "cpu".into(), missing: 3000 }, "3 cores short", "insufficient cpu")]
#[case(Reason::Insufficient { resource: "memory".into(), missing: 1 << 30 }, "1Gi memory short", "insufficient memory")]
#[case(
    Reason::PinnedElsewhere,
    "pinned to other clusters",
    "pinned to other clusters"
)]
#[case(Reason::Excluded, "excluded", "excluded")]
#[case(Reason::ForbiddenRegion { region: Some("us-east".into()) }, "region us-east not allowed", "region not allowed")]
#[case(Reason::ForbiddenRegion { region: None }, "region not known", "region not allowed")]
#[case(
    Reason::Tainted { taint: Taint { key: "edge".into(), value: Some("yes".into()), effect: TaintEffect::NoSchedule } },
    "taint edge=yes not tolerated",
    "taint edge not tolerated"
)]
fn reasons_are_short(#[case] reason: Reason, #[case] text: &str, #[case] label: &str) {
    assert_eq!(reason.to_string(), text);
    assert_eq!(reason.label(), label);
}

#[rstest]
#[case(below(10), Some(18_000), None, "link to image-detection 18 ms, needs < 10 ms")]
#[case(below(10), None, None, "link to image-detection not measured, needs < 10 ms")]
#[case(LinkLimit { rtt_below: None, max_hops: Some(1) }, None, Some(2), "link to image-detection 2 hops, needs at most 1")]
#[case(LinkLimit { rtt_below: None, max_hops: Some(1) }, None, None, "link to image-detection hops not measured, needs at most 1")]
fn links_say_what_was_measured(
    #[case] limit: LinkLimit,
    #[case] rtt: Option<i64>,
    #[case] hops: Option<u32>,
    #[case] text: &str,
) {
    let measured = Path {
        rtt: rtt.map(Latency::from_base),
        hops,
        bandwidth: None,
    };
    let reason = Reason::LinkTooLong {
        peer: key("image-detection"),
        peer_cluster: None,
        limit,
        measured,
    };
    assert_eq!(reason.to_string(), text);
}

#[test]
fn a_decision_fits_one_screen() {
    insta::assert_snapshot!(place(&brussels()), @"
    placement by milp: optimal, proved in integers (value 0.097864)

      service               cluster  why
      image-compression-vo  cloud-1  cheapest; next best edge-1: +0.001 EUR/h, -1.260 gCO2e/h
      noise-reduction       edge-1   cheapest and greenest; next best edge-2: +0.008 EUR/h, +0.360 gCO2e/h
      image-detection       edge-2   the only ready cluster with a free nvidia.com/gpu

      cluster  cpu after     memory after     EUR/h  gCO2e/h  ruled out for
      edge-1   1 / 8 13 %    1Gi / 16Gi 6 %   0.012  1.080    image-detection: no nvidia.com/gpu
      edge-2   4 / 8 50 %    2Gi / 32Gi 6 %   0.080  5.760
      cloud-1  0.5 / 64 1 %  1Gi / 256Gi 0 %  0.005  1.800    noise-reduction: link to image-detection 22 ms, needs < 10 ms; image-detection: no nvidia.com/gpu
      edge-3   -             -                                not ready (ClusterNotReachable)
    ");
}

#[test]
fn a_heuristic_says_that_it_has_no_bound() {
    let Outcome::Placed(decision) = decide(&FirstFit::new(), &brussels()).unwrap() else {
        panic!()
    };
    insta::assert_snapshot!(decision.to_string().lines().next().unwrap(), @"placement by first fit: feasible, no bound (value 0.098738)");
    insta::assert_snapshot!(decision.explanation.services[&key("image-compression-vo")].why(), @"not the best: cloud-1 would be -0.001 EUR/h, +1.260 gCO2e/h");
}

#[test]
fn every_service_says_why() {
    let problem = brussels();
    insta::assert_snapshot!(why(&problem, "image-detection"), @"the only ready cluster with a free nvidia.com/gpu");
    insta::assert_snapshot!(why(&problem, "noise-reduction"), @"cheapest and greenest; next best edge-2: +0.008 EUR/h, +0.360 gCO2e/h");
    insta::assert_snapshot!(why(&problem, "image-compression-vo"), @"cheapest; next best edge-1: +0.001 EUR/h, -1.260 gCO2e/h");

    let mut running = brussels();
    let vo = key("image-compression-vo");
    running
        .current
        .set(vo.clone(), Assignment::single(cluster("edge-1"), 1));
    insta::assert_snapshot!(why(&running, "image-compression-vo"), @"stays where it runs; next best cloud-1: -0.001 EUR/h, +1.260 gCO2e/h, +1 move");

    let mut pinned = brussels();
    pinned.services[&vo].pinned = Some(BTreeSet::from([cluster("edge-2")]));
    insta::assert_snapshot!(why(&pinned, "image-compression-vo"), @"pinned there");

    let mut asleep = brussels();
    asleep.services[&vo].replicas = 0;
    insta::assert_snapshot!(why(&asleep, "image-compression-vo"), @"runs no replicas");

    let mut nothing_counts = brussels();
    nothing_counts.goals = Goals::none();
    insta::assert_snapshot!(why(&nothing_counts, "image-compression-vo"), @"as good as edge-2");

    let mut tight = brussels();
    ask(&mut tight, "database", amounts(7000, 1));
    tight.services[&key("database")].pinned = Some(BTreeSet::from([cluster("edge-1")]));
    tight.services[&key("noise-reduction")].per_replica = amounts(4000, 1);
    insta::assert_snapshot!(why(&tight, "noise-reduction"), @"the only cluster that is left: edge-1 3 cores short, cloud-1 link to image-detection 22 ms, needs < 10 ms, edge-3 not ready (ClusterNotReachable)");

    let mut alone = fleet();
    alone.clusters.truncate(1);
    ask(&mut alone, "web", amounts(100, 0));
    insta::assert_snapshot!(why(&alone, "web"), @"the only cluster");
}

#[test]
fn a_service_that_fits_nowhere_is_diagnosed() {
    let mut problem = brussels();
    problem.clusters[1].capacity.set(ResourceName::CPU, 3000);
    insta::assert_snapshot!(diagnose(&MilpPlacer::default(), &problem), @"
    no placement exists (proved)
      0/4 clusters can take image-detection: 2 no nvidia.com/gpu, 1 insufficient cpu (1 core short), 1 not ready
    try
      1. free 1 core on edge-2 for image-detection
      2. add 1 nvidia.com/gpu to edge-1 for image-detection
      3. add 1 nvidia.com/gpu to cloud-1 for image-detection
    ");
}

#[test]
fn a_shortage_is_diagnosed() {
    let mut problem = brussels();
    problem.services[1].per_replica.set(ResourceName::CPU, 5000);
    problem.services[1]
        .requires
        .insert(ResourceName::new(ResourceName::NVIDIA_GPU));
    insta::assert_snapshot!(diagnose(&MilpPlacer::default(), &problem), @"
    no placement exists (proved)
      noise-reduction, image-detection need 9 cores together; the clusters that may take them have 8 cores
    try
      1. add 1 core to the clusters that may take noise-reduction, image-detection
    ");
}

#[test]
fn services_that_only_fail_together_are_named() {
    let mut problem = fleet();
    problem.clusters.shift_remove("cloud-1");
    for (service, cores) in [("a", 5), ("b", 5), ("c", 5), ("small", 1)] {
        ask(&mut problem, service, amounts(cores * 1000, 1));
    }
    insta::assert_snapshot!(diagnose(&MilpPlacer::default(), &problem), @"
    no placement exists (proved)
      a, b, c do not fit together, though they would with any of them left out
    try
      1. make room for one of a, b, c on another cluster, or add one
    ");
}

#[test]
fn links_that_cannot_hold_are_diagnosed() {
    let mut problem = brussels();
    problem.services[1].pinned = Some(BTreeSet::from([cluster("cloud-1")]));
    insta::assert_snapshot!(diagnose(&MilpPlacer::default(), &problem), @"
    no placement exists (proved)
      0/4 clusters can take noise-reduction: 2 pinned to other clusters, 1 too far from image-detection, 1 not ready
      0/4 clusters can take image-detection: 2 no nvidia.com/gpu, 1 too far from noise-reduction, 1 not ready
    try
      1. relax the link between image-detection and noise-reduction to more than 22 ms
      2. allow noise-reduction on edge-1
      3. allow noise-reduction on edge-2
      4. add 1 nvidia.com/gpu to cloud-1 for image-detection
    ");
}

#[test]
fn rules_of_the_host_are_diagnosed() {
    let mut problem = fleet();
    ask(&mut problem, "web", amounts(100, 0));
    let taint = Taint {
        key: "drain".into(),
        value: None,
        effect: TaintEffect::NoExecute,
    };
    problem.clusters[0].taints.push(taint);
    problem.services[0].excluded.insert(cluster("edge-2"));
    problem.services[0].regions = Some(BTreeSet::from(["eu".to_owned()]));
    problem.clusters[0].region = Some("eu".into());
    problem.clusters[1].region = Some("eu".into());
    problem.clusters[3].region = Some("eu".into());
    insta::assert_snapshot!(diagnose(&MilpPlacer::default(), &problem), @"
    no placement exists (proved)
      0/4 clusters can take web: 1 taint drain not tolerated, 1 excluded, 1 region not allowed, 1 not ready
    try
      1. make edge-3 ready
      2. let web tolerate the taint drain of edge-1
      3. allow web on edge-2
    ");
}

#[test]
fn a_heuristic_that_gives_up_proves_nothing() {
    let mut problem = fleet();
    problem.clusters.shift_remove("cloud-1");
    for (service, cores) in [("a", 4), ("b", 3), ("c", 5), ("d", 4)] {
        ask(&mut problem, service, amounts(cores * 1000, 1));
    }
    insta::assert_snapshot!(diagnose(&FirstFit::new(), &problem), @"
    first fit found no placement (not proved that none exists)
      every service fits somewhere by itself; whether all fit together is open
    try
      1. first fit gave up: the milp placer may find a placement
    ");
    assert!(place(&problem).bound.is_some());
}

#[test]
fn a_fleet_without_clusters_is_infeasible_and_no_services_are_placed() {
    let mut problem = brussels();
    problem.clusters.clear();
    insta::assert_snapshot!(diagnose(&MilpPlacer::default(), &problem), @"
    no placement exists (proved)
      0/0 clusters can take image-compression-vo
      0/0 clusters can take noise-reduction
      0/0 clusters can take image-detection
    try
      1. add a cluster: the fleet has none
    ");
    let nothing = PlacementProblem::default();
    insta::assert_snapshot!(place(&nothing), @"placement by milp: optimal, proved in integers (value 0)");
}

#[derive(Debug)]
struct Says(Answer);

impl Placer for Says {
    fn name(&self) -> &str {
        "says"
    }

    fn place(&self, _: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        Ok(self.0.clone())
    }
}

fn found(placement: Placement, bound: Option<Value>) -> Says {
    Says(Answer::Found {
        placement,
        bound,
        proof: Proof::None,
        work: Work::default(),
    })
}

#[test]
fn a_bound_that_somebody_claims_is_said_to_be_a_claim() {
    let good = place(&brussels()).placement;
    let verdict = |points: f64| {
        let says = Says(Answer::Found {
            placement: good.clone(),
            bound: Some(Value::from_points(points)),
            proof: Proof::Solver {
                solver: "somebody".to_owned(),
            },
            work: Work::default(),
        });
        decide(&says, &brussels())
            .unwrap()
            .into_decision()
            .unwrap()
            .verdict()
    };
    insta::assert_snapshot!(verdict(0.097864), @"optimal, says somebody (value 0.097864)");
    insta::assert_snapshot!(verdict(0.08), @"feasible, at most 22.33 % from the best, says somebody (value 0.097864, bound 0.08)");
    // Of nothing nothing is a share.
    insta::assert_snapshot!(verdict(0.0), @"feasible, says somebody (value 0.097864, bound 0)");
}

#[test]
fn a_wrong_answer_names_the_placer_and_every_fault() {
    let problem = brussels();
    let on =
        |service: &str, name: &str, replicas| (key(service), Assignment::single(cluster(name), replicas));
    let error = |says: Says| decide(&says, &problem).unwrap_err().to_string();
    let everything_wrong = Placement::from_iter([
        on("image-compression-vo", "edge-3", 2),
        on("noise-reduction", "cloud-1", 1),
        on("image-detection", "edge-2", 1),
        on("ghost", "nowhere", 1),
    ]);
    insta::assert_snapshot!(error(found(everything_wrong, None)), @"the placer `says` gave a wrong answer: default/image-detection-graph/image-compression-vo may not run on edge-3: not ready (ClusterNotReachable); the link from default/image-detection-graph/noise-reduction on cloud-1 to default/image-detection-graph/image-detection on edge-2: 22 ms, needs < 10 ms; default/image-detection-graph/image-compression-vo runs 2 of 1 replicas; default/image-detection-graph/ghost is no service of the problem; default/image-detection-graph/ghost runs on nowhere, which is no cluster of the fleet");
    let good = place(&problem).placement;
    insta::assert_snapshot!(error(found(good, Some(Value::from_units(Value::PER_POINT)))), @"the placer `says` gave a wrong answer: it claims that nothing is below 1, and found 0.097864");
    let none = Says(Answer::NotFound {
        proved: true,
        work: Work::default(),
    });
    insta::assert_snapshot!(error(none), @"the placer `says` gave a wrong answer: it claims that no placement exists, and first fit finds one");
}

#[test]
fn breaches_are_sentences() {
    let mut problem = brussels();
    problem.services[1].per_replica.set(ResourceName::CPU, 5000);
    let everywhere = Assignment::from_iter([(cluster("edge-1"), 1), (cluster("edge-2"), 1)]);
    let placement = Placement::from_iter([
        (key("image-compression-vo"), everywhere),
        (key("noise-reduction"), Assignment::single(cluster("edge-2"), 1)),
        (key("image-detection"), Assignment::single(cluster("edge-2"), 1)),
    ]);
    let texts: Vec<String> = verify(&problem, &placement)
        .iter()
        .map(Breach::to_string)
        .collect();
    insta::assert_snapshot!(texts.join("\n"), @"
    edge-2 has 8 cores for services that take 9.5 cores
    default/image-detection-graph/image-compression-vo runs 2 of 1 replicas
    default/image-detection-graph/image-compression-vo is split over 2 clusters
    ");
}

#[test]
fn problems_that_make_no_sense_are_refused() {
    let error = |edit: fn(&mut PlacementProblem)| {
        let mut problem = brussels();
        edit(&mut problem);
        decide(&MilpPlacer::default(), &problem).unwrap_err().to_string()
    };
    insta::assert_snapshot!(error(|problem| link(problem, "noise-reduction", "ghost", below(1))), @"the placement problem is inconsistent: the link from default/image-detection-graph/noise-reduction to default/image-detection-graph/ghost has an end that is no service of the problem: default/image-detection-graph/ghost");
    insta::assert_snapshot!(error(|problem| problem.services[0].pinned = Some(BTreeSet::from([cluster("edge-9")]))), @"the placement problem is inconsistent: default/image-detection-graph/image-compression-vo is pinned to edge-9, which is no cluster of the fleet; did you mean edge-1?");
    insta::assert_snapshot!(error(|problem| {
        problem.services[0].replicas = 2;
        problem.services[0].per_replica.set(ResourceName::CPU, u64::MAX);
    }), @"an amount of `default/image-detection-graph/image-compression-vo` does not fit 64 bits");
    insta::assert_snapshot!(error(|problem| {
        problem.clusters[0].carbon = Some(CarbonProfile { intensity: Intensity::average(f64::NAN), pue: 1.0, watts_per_core: 1.0 });
    }), @"the placement problem is inconsistent: the carbon profile of edge-1 is no finite amount");
    insta::assert_snapshot!(PlacementError::Failed { placer: "milp".into(), message: "no memory".into() }, @"the placer `milp` failed: no memory");
}
