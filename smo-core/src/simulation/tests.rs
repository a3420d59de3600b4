//! Stories on small fleets, with answers that can be worked out by hand.

use std::time::Duration;

use rstest::rstest;

use super::*;
use crate::cluster::{Cluster, Inventory, Price};
use crate::graph::{Amount, ApplicationGraph, ComputeIntent, Service};
use crate::id::ServiceKey;
use crate::orchestrator::{Autoscaler, ScaledService};
use crate::plan::Planner;
use crate::resources::{ResourceName, Resources};
use crate::scaling::{ScalingController, ScalingPolicy, Throughput};
use crate::units::Money;

fn cluster(name: &str, cores: u64, price: &str) -> Cluster {
    let offered = Resources::new()
        .with(ResourceName::CPU, cores * 1000)
        .with(ResourceName::MEMORY, 64 << 30);
    Cluster {
        price: Price::free().with(ResourceName::CPU, Money::parse_decimal(price).unwrap()),
        ..Cluster::new(name.parse().unwrap(), offered)
    }
}

/// A cheap edge with room for three replicas, and a dear cloud with room for many.
fn fleet() -> Inventory {
    Inventory::new([cluster("edge", 3, "0.01"), cluster("cloud", 64, "0.10")])
}

fn web() -> ServiceKey {
    "default/shop/web".parse().unwrap()
}

fn graph() -> ApplicationGraph {
    let mut web = Service::new("web".parse().unwrap(), "oci://registry/shop/web:1.0.0");
    web.compute = ComputeIntent {
        cpu: Some(Amount::class("small")),
        ..ComputeIntent::default()
    };
    ApplicationGraph::new("shop".parse().unwrap(), [web], []).unwrap()
}

/// A replica carries 10 req/s and takes one core.
fn simulation(max: u32, load: LoadTrace) -> Simulation {
    let policy = ScalingPolicy {
        down_window: Duration::from_secs(120),
        ..ScalingPolicy::default()
    };
    let scaled = ScaledService::new("web_requests", Throughput::new(10.0, 0.0).unwrap(), max);
    let autoscaler = Autoscaler::new("shop", ScalingController::new(policy).unwrap())
        .with_service(web(), scaled)
        .with_graph(graph(), Planner::new());
    Simulation::new(fleet(), autoscaler).with_load(web(), load)
}

const MINUTE: Duration = Duration::from_secs(60);

fn minutes(count: u32) -> Duration {
    MINUTE * count
}

#[tokio::test]
async fn replicas_follow_the_load_as_fast_as_pods_start() {
    let load = LoadTrace::new(minutes(10), &[5.0, 25.0, 5.0]).unwrap();
    let quick = simulation(6, load.clone()).run(minutes(30)).await.unwrap();
    let slow = simulation(6, load)
        .with_pod_start(Duration::from_secs(45))
        .run(minutes(30))
        .await
        .unwrap();
    for result in [&quick, &slow] {
        let course = &result.services[&web()];
        assert_eq!(course.load.len(), 121, "a tick every 15 s, both ends included");
        assert_eq!((course.ready[30], course.ready[60], course.ready[120]), (1, 3, 1));
        assert_eq!(result.scalings(), 2);
        assert_eq!(result.moves(), 0);
    }
    let summary = |result: &SimulationResult| result.services[&web()].summary();
    assert!(
        summary(&slow).violations > summary(&quick).violations + 0.02,
        "{slow}{quick}"
    );
    // Ten minutes of one, ten of three, down after two more: between 50 and 60 replica-minutes.
    assert!((0.80..1.0).contains(&summary(&quick).replica_hours), "{quick}");
}

#[tokio::test]
async fn what_does_not_fit_moves_and_a_lost_cluster_is_left() {
    let load = LoadTrace::new(minutes(10), &[5.0, 55.0]).unwrap();
    let result = simulation(8, load)
        .with_outage("cloud".parse().unwrap(), minutes(20), minutes(25))
        .run(minutes(30))
        .await
        .unwrap();
    let course = &result.services[&web()];
    let at = |minute: usize| course.clusters[minute * 4].clone();
    assert_eq!(at(5), [("edge".parse().unwrap(), 1)].into());
    assert_eq!(at(15), [("cloud".parse().unwrap(), 6)].into());
    insta::assert_snapshot!(result);
}

#[tokio::test]
async fn the_same_scenario_gives_the_same_bytes() {
    let run = async || {
        let load = LoadTrace::new(minutes(3), &[5.0, 41.0, 18.0, 0.0, 33.0]).unwrap();
        let result = simulation(8, load)
            .with_outage("edge".parse().unwrap(), minutes(7), minutes(12))
            .with_edit(minutes(2), web(), 2)
            .run(minutes(20))
            .await
            .unwrap();
        (
            serde_json::to_string(&result).unwrap(),
            result.to_svg(),
            result.to_string(),
        )
    };
    assert_eq!(run().await, run().await);
}

#[tokio::test]
async fn a_count_that_a_person_sets_is_left_alone() {
    let load = LoadTrace::new(minutes(1), &[15.0]).unwrap();
    let result = simulation(8, load)
        .with_edit(minutes(3), web(), 3)
        .run(minutes(9))
        .await
        .unwrap();
    let ready = &result.services[&web()].ready;
    assert_eq!((ready[8], ready[20], ready[36]), (2, 3, 3), "{result}");
}

#[tokio::test]
async fn replicas_that_carry_less_than_believed_are_seen() {
    let load = LoadTrace::new(minutes(1), &[25.0]).unwrap();
    let result = simulation(8, load)
        .with_true_throughput(web(), Throughput::new(8.0, 0.0).unwrap())
        .run(minutes(10))
        .await
        .unwrap();
    let summary = result.services[&web()].summary();
    assert!(summary.violations > 0.9 && summary.unserved > 0.03, "{result}");
    assert_eq!(summary.spare, 0.0);
}

#[tokio::test]
async fn the_picture_has_everything() {
    let load = LoadTrace::new(minutes(10), &[5.0, 55.0]).unwrap();
    let simulation = simulation(8, load).with_outage("cloud".parse().unwrap(), minutes(20), minutes(25));
    let svg = simulation.run(minutes(30)).await.unwrap().to_svg();
    for part in [
        "<svg",
        "default/shop/web",
        ">load<",
        ">capacity<",
        ">edge<",
        ">cloud<",
        "cloud fails",
        "cloud is back",
        "</svg>",
    ] {
        assert!(svg.contains(part), "{part}: {svg}");
    }
    assert!(svg.contains("web moved from edge to cloud"), "{svg}");
    assert!(!svg.contains("NaN"), "{svg}");
}

#[rstest]
#[case(&[], "a trace of load has at least one rate")]
#[case(&[1.0, -2.0], "rate 1 of a trace of load is -2; a load is a finite number from 0")]
#[case(&[f64::NAN], "rate 0 of a trace of load is NaN; a load is a finite number from 0")]
fn traces_that_make_no_sense_are_refused(#[case] rates: &[f64], #[case] fault: &str) {
    assert_eq!(LoadTrace::new(MINUTE, rates).unwrap_err().to_string(), fault);
}

#[test]
fn moments_of_a_trace_are_in_order() {
    let of = |points: &[(u64, f64)]| {
        let points: Vec<_> = points
            .iter()
            .map(|(at, rate)| (Duration::from_secs(*at), *rate))
            .collect();
        LoadTrace::from_points(&points)
    };
    let refused = |points: &[(u64, f64)]| of(points).unwrap_err().to_string();
    insta::assert_snapshot!(refused(&[(0, 1.0), (20, 1.0), (10, 2.0)]), @"rate 2 of a trace of load is not after the one before; sort them by time, each moment once");
    insta::assert_snapshot!(refused(&[(5, 1.0)]), @"a trace of load begins at 0 s, not at 5 s");
    insta::assert_snapshot!(LoadTrace::new(Duration::ZERO, &[1.0]).unwrap_err(), @"the step of a trace of load is above zero");
    let trace = of(&[(0, 1.0), (10, 2.0)]).unwrap();
    let at = |seconds| trace.at(Duration::from_secs(seconds)).to_f64();
    assert_eq!((at(0), at(9), at(10), at(1000)), (1.0, 1.0, 2.0, 2.0));
}

#[tokio::test]
async fn scenarios_that_make_no_sense_are_refused() {
    let load = || LoadTrace::new(MINUTE, &[1.0]).unwrap();
    let refused = async |simulation: Simulation| simulation.run(MINUTE).await.unwrap_err().to_string();
    let mut without = simulation(2, load());
    without = Simulation::with_tick(without, Duration::ZERO);
    insta::assert_snapshot!(refused(without).await, @"the tick of a simulation is above zero");
    let other: ServiceKey = "default/shop/db".parse().unwrap();
    let unknown = simulation(2, load()).with_load(other.clone(), load());
    insta::assert_snapshot!(refused(unknown).await, @"default/shop/db is no service of the autoscaler");
    let edited = simulation(2, load()).with_edit(MINUTE, other, 3);
    insta::assert_snapshot!(refused(edited).await, @"default/shop/db is no service of the autoscaler");
    let nowhere = simulation(2, load()).with_outage("moon".parse().unwrap(), MINUTE, minutes(2));
    insta::assert_snapshot!(refused(nowhere).await, @"the fleet has no cluster moon");
    let backwards = simulation(2, load()).with_outage("edge".parse().unwrap(), minutes(2), MINUTE);
    insta::assert_snapshot!(refused(backwards).await, @"edge returns before it fails");
    let controller = ScalingController::new(ScalingPolicy::default()).unwrap();
    let scaled = ScaledService::new("q", Throughput::new(10.0, 0.0).unwrap(), 2);
    let silent = Simulation::new(
        fleet(),
        Autoscaler::new("shop", controller).with_service(web(), scaled),
    );
    insta::assert_snapshot!(refused(silent).await, @"default/shop/web has no trace of load; give one `with_load`");
}
