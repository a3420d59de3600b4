//! The controller step by step, with a small world that carries its changes out.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use rstest::rstest;

use super::super::{ClusterRoom, ThresholdScaler, Thresholds, Throughput};
use super::*;
use crate::resources::{ResourceName, Resources};

/// A fleet of one cluster with services of one core a replica, `capacity(r) = 110 r - 30`.
struct World {
    controller: ScalingController,
    memory: ScalingMemory,
    observation: ScalingObservation,
}

fn rate(requests: i64) -> Rate {
    Rate::from_base(requests * 1_000_000)
}

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(1_767_225_600 + second).unwrap()
}

fn key(name: &str) -> ServiceKey {
    format!("p/g/{name}").parse().unwrap()
}

impl World {
    fn new(policy: ScalingPolicy, cores: u64, services: &[(&str, u32)]) -> Self {
        let mut observation = ScalingObservation::default();
        let capacity = Resources::new().with(ResourceName::CPU, cores * 1_000);
        let room = ClusterRoom {
            capacity,
            ..ClusterRoom::default()
        };
        observation.clusters.insert("edge-1".parse().unwrap(), room);
        for (name, replicas) in services {
            let service = ObservedService {
                sample: LoadSample::Missing,
                expected: None,
                throughput: Throughput::new(110.0, -30.0).unwrap(),
                min: 1,
                max: 10,
                per_replica: Resources::new().with(ResourceName::CPU, 1_000),
                requires: BTreeSet::new(),
                clusters: [("edge-1".parse().unwrap(), *replicas)].into_iter().collect(),
                owners: Vec::new(),
            };
            observation.services.insert(key(name), service);
        }
        Self {
            controller: ScalingController::new(policy).unwrap(),
            memory: ScalingMemory::default(),
            observation,
        }
    }

    fn load(&mut self, name: &str, second: i64, requests: i64) -> &mut Self {
        let sample = LoadSample::Measured {
            rate: rate(requests),
            at: moment(second),
        };
        self.observation.services[&key(name)].sample = sample;
        self
    }

    fn set(&mut self, name: &str, replicas: u32) -> &mut Self {
        self.observation.services[&key(name)].clusters[0] = replicas;
        self
    }

    fn replicas(&self, name: &str) -> u32 {
        self.observation.services[&key(name)].current()
    }

    /// Takes a step without carrying it out.
    fn decide(&mut self, second: i64) -> ScalingStep {
        self.controller
            .step(&mut self.memory, &self.observation, moment(second))
            .unwrap()
    }

    /// Takes a step and carries it out.
    fn step(&mut self, second: i64) -> ScalingStep {
        let step = self.decide(second);
        for (service, target) in step.changes() {
            for share in &target.shares {
                self.observation.services[service].clusters[&share.cluster] = share.to;
            }
        }
        step
    }
}

fn web(policy: ScalingPolicy, replicas: u32) -> World {
    World::new(policy, 20, &[("web", replicas)])
}

#[test]
fn load_rises_at_once_and_falls_after_the_window() {
    let mut world = web(ScalingPolicy::default(), 2);
    let text = |world: &mut World, second, load| world.load("web", second, load).step(second).to_string();
    insta::assert_snapshot!(text(&mut world, 0, 412), @"
    00:00:00 scale
    web 2 -> 5 replicas on edge-1
      load 412 req/s; 5 replicas carry 520 (110 r - 30), measured 0 s ago
      the fewest that carry it: 4 would carry 410, 2 req/s short
    ");
    insta::assert_snapshot!(text(&mut world, 10, 600), @"
    00:00:10 hold
    web stays at 5 replicas on edge-1
      load 600 req/s; 5 replicas carry 520 (110 r - 30), measured 0 s ago
      6 wanted, not before 00:00:15 (cool-down)
    next change by time alone at 00:00:15
    ");
    insta::assert_snapshot!(text(&mut world, 15, 600), @"
    00:00:15 scale
    web 5 -> 6 replicas on edge-1
      load 600 req/s; 6 replicas carry 630 (110 r - 30), measured 0 s ago
      the fewest that carry it: 5 would carry 520, 80 req/s short
    ");
    insta::assert_snapshot!(text(&mut world, 60, 100), @"
    00:01:00 hold
    web stays at 6 replicas on edge-1
      load 100 req/s; 6 replicas carry 630 (110 r - 30), measured 0 s ago
      2 wanted, but 6 within the last 5 min
    ");
    insta::assert_snapshot!(text(&mut world, 200, 300), @"
    00:03:20 hold
    web stays at 6 replicas on edge-1
      load 300 req/s; 6 replicas carry 630 (110 r - 30), measured 0 s ago
      3 wanted, but would not carry 10 % more
      4 wanted, but 6 within the last 5 min
    ");
    insta::assert_snapshot!(text(&mut world, 370, 100), @"
    00:06:10 scale
    web 6 -> 4 replicas on edge-1
      load 100 req/s; 4 replicas carry 410 (110 r - 30), measured 0 s ago
      2 wanted, but 4 within the last 5 min
    ");
}

#[test]
fn hysteresis_and_steps_hold_counts_back() {
    let mut policy = ScalingPolicy {
        down_window: Duration::ZERO,
        down_step: StepLimit {
            replicas: 1,
            percent: 0,
        },
        up_step: StepLimit {
            replicas: 1,
            percent: 50,
        },
        ..ScalingPolicy::default()
    };
    policy.down_cooldown = Duration::ZERO;
    let mut world = web(policy, 3);
    // Two carry 190; 10 % more than 180 is 198.
    insta::assert_snapshot!(world.load("web", 0, 180).step(0), @"
    00:00:00 hold
    web stays at 3 replicas on edge-1
      load 180 req/s; 3 replicas carry 300 (110 r - 30), measured 0 s ago
      2 wanted, but would not carry 10 % more
    ");
    insta::assert_snapshot!(world.load("web", 60, 900).step(60), @"
    00:01:00 scale
    web 3 -> 5 replicas on edge-1
      load 900 req/s; 5 replicas carry 520 (110 r - 30), measured 0 s ago
      9 wanted, but by at most 2 at once
    ");
    insta::assert_snapshot!(world.load("web", 120, 10).step(120), @"
    00:02:00 scale
    web 5 -> 4 replicas on edge-1
      load 10 req/s; 4 replicas carry 410 (110 r - 30), measured 0 s ago
      1 wanted, but by at most 1 at once
    ");
    assert_eq!(world.replicas("web"), 4);
}

#[test]
fn missing_and_stale_samples_hold_and_are_never_read_as_zero() {
    let mut world = web(ScalingPolicy::default(), 4);
    insta::assert_snapshot!(world.step(0), @"
    00:00:00 hold
    web stays at 4 replicas on edge-1
      held: no sample yet, which does not mean no load
    ");
    world.load("web", 5, 300);
    assert_eq!(world.step(5).action(), ScalingAction::Hold);
    insta::assert_snapshot!(world.step(400), @"
    00:06:40 hold
    web stays at 4 replicas on edge-1
      held: no fresh sample since 00:00:05, which does not mean no load
    ");
    let policy = ScalingPolicy {
        without_sample: WithoutSample::Assume(rate(600)),
        ..ScalingPolicy::default()
    };
    insta::assert_snapshot!(web(policy, 4).step(0), @"
    00:00:00 scale
    web 4 -> 6 replicas on edge-1
      load 600 req/s; 6 replicas carry 630 (110 r - 30), assumed without a sample
      the fewest that carry it: 5 would carry 520, 80 req/s short
    ");
}

#[test]
fn a_forecast_above_the_sample_decides() {
    let mut world = web(ScalingPolicy::default(), 2);
    let expected = ExpectedLoad {
        rate: rate(505),
        percent: Some(90),
        seconds: 60,
    };
    world.observation.services[0].expected = Some(expected);
    insta::assert_snapshot!(world.load("web", -3, 412).step(0), @"
    00:00:00 scale
    web 2 -> 5 replicas on edge-1
      load 505 req/s; 5 replicas carry 520 (110 r - 30)
      412 req/s measured 3 s ago, 505 expected within 1 min (0.90 quantile)
      the fewest that carry it: 4 would carry 410, 95 req/s short
    ");
    let heading = ExpectedLoad {
        percent: None,
        ..expected
    };
    assert_eq!(
        heading.to_string(),
        "505 expected within 1 min (where it is heading, with headroom)"
    );
    // A forecast below what is measured does not scale down.
    world.load("web", 60, 700).step(60);
    assert_eq!(world.replicas("web"), 7);
    // A forecast alone is no sample.
    world.observation.services[0].sample = LoadSample::Missing;
    assert_eq!(world.step(61).action(), ScalingAction::Hold);
}

#[test]
fn without_load_it_goes_to_rest_and_wakes_at_once() {
    let policy = ScalingPolicy {
        idle_after: Some(Duration::from_secs(120)),
        idle_load: rate(1),
        ..ScalingPolicy::default()
    };
    let mut world = web(policy, 1);
    insta::assert_snapshot!(world.load("web", 0, 1).step(0), @"
    00:00:00 hold
    web stays at 1 replica on edge-1
      load 0 req/s; 1 replica carries 80 (110 r - 30), measured 0 s ago
      the fewest allowed
      no load; one keeps running until 00:02:00
    next change by time alone at 00:02:00
    ");
    // A gap is no proof of rest: the time starts again.
    world.observation.services[0].sample = LoadSample::Missing;
    world.step(60);
    world.load("web", 119, 0).step(119);
    world.load("web", 130, 0).step(130);
    assert_eq!(world.replicas("web"), 1);
    insta::assert_snapshot!(world.load("web", 239, 0).step(239), @"
    00:03:59 scale
    web 1 -> 0 replicas on edge-1
      load 0 req/s; 0 replicas carry 0 (110 r - 30), measured 0 s ago
      no load, and none has to run
    ");
    insta::assert_snapshot!(world.load("web", 240, 0).step(240), @"
    00:04:00 hold
    web stays at 0 replicas on edge-1
      load 0 req/s; 0 replicas carry 0 (110 r - 30), measured 0 s ago
      no load, and none has to run
    ");
    world.observation.services[0].sample = LoadSample::Missing;
    assert_eq!(world.step(300).action(), ScalingAction::Hold);
    insta::assert_snapshot!(world.load("web", 301, 250).step(301), @"
    00:05:01 scale
    web 0 -> 3 replicas on edge-1
      load 250 req/s; 3 replicas carry 300 (110 r - 30), measured 0 s ago
      the fewest that carry it: 2 would carry 190, 60 req/s short
    ");
}

#[test]
fn a_count_has_one_owner() {
    let mut world = web(ScalingPolicy::default(), 2);
    world.load("web", 0, 300).step(0);
    // A person scales by hand.
    insta::assert_snapshot!(world.set("web", 9).load("web", 60, 300).step(60), @"
    00:01:00 hold
    web stays at 9 replicas on edge-1
      somebody else changed 3 to 9; left so until 00:11:00
    next change by time alone at 00:11:00
    ");
    insta::assert_snapshot!(world.load("web", 120, 300).step(120), @"
    00:02:00 hold
    web stays at 9 replicas on edge-1
      held: a change of somebody else is left alone until 00:11:00
    next change by time alone at 00:11:00
    ");
    world.load("web", 661, 300).step(661);
    world.load("web", 1000, 300).step(1000);
    assert_eq!(
        world.replicas("web"),
        4,
        "decided again after ten minutes and the window"
    );
    // An autoscaler.
    world.observation.services[0].owners = vec!["HorizontalPodAutoscaler/web".to_owned()];
    insta::assert_snapshot!(world.set("web", 6).load("web", 1100, 900).step(1100), @"
    00:18:20 hold
    web stays at 6 replicas on edge-1
      held: HorizontalPodAutoscaler/web sets this count; remove one of the two
    ");
    // It is removed: what it left is where the controller starts.
    world.observation.services[0].owners.clear();
    assert_eq!(
        world.load("web", 1200, 900).step(1200).action(),
        ScalingAction::Scale
    );

    let policy = ScalingPolicy {
        foreign_change: ForeignChange::Override,
        ..ScalingPolicy::default()
    };
    let mut world = web(policy, 2);
    world.load("web", 0, 300).step(0);
    insta::assert_snapshot!(world.set("web", 1).load("web", 60, 300).step(60), @"
    00:01:00 scale
    web 1 -> 3 replicas on edge-1
      load 300 req/s; 3 replicas carry 300 (110 r - 30), measured 0 s ago
      the fewest that carry it: 2 would carry 190, 110 req/s short
      somebody else changed 3 to 1; decided again
    ");
}

#[test]
fn a_change_that_is_not_carried_out_is_waited_for_and_then_decided_again() {
    let mut world = web(ScalingPolicy::default(), 2);
    world.load("web", 0, 412).decide(0);
    insta::assert_snapshot!(world.load("web", 30, 412).decide(30), @"
    00:00:30 hold
    web stays at 2 replicas on edge-1
      held: 5 replicas asked for and not in place yet; waiting until 00:01:00
    next change by time alone at 00:01:00
    ");
    insta::assert_snapshot!(world.load("web", 61, 412).decide(61), @"
    00:01:01 scale
    web 2 -> 5 replicas on edge-1
      load 412 req/s; 5 replicas carry 520 (110 r - 30), measured 0 s ago
      the fewest that carry it: 4 would carry 410, 2 req/s short
      5 replicas asked for and never in place; decided again
    ");
}

#[test]
fn too_little_room_asks_for_another_placement_and_grows_as_far_as_it_goes() {
    let mut world = World::new(
        ScalingPolicy::default(),
        6,
        &[("api", 1), ("web", 2), ("batch", 2)],
    );
    world.load("api", 0, 150).load("web", 0, 600).load("batch", 0, 50);
    let step = world.step(0);
    assert_eq!(step.action(), ScalingAction::Replace);
    insta::assert_snapshot!(step, @"
    00:00:00 place again
    api 1 -> 2 replicas on edge-1
      load 150 req/s; 2 replicas carry 190 (110 r - 30), measured 0 s ago
      the fewest that carry it: 1 would carry 80, 70 req/s short
    web 2 -> 3 replicas on edge-1
      load 600 req/s; 3 replicas carry 300 (110 r - 30), measured 0 s ago
      all that fits; 300 req/s short
    batch 2 -> 1 replica on edge-1
      load 50 req/s; 1 replica carries 80 (110 r - 30), measured 0 s ago
      the fewest that carry it: 0 would carry 0, 50 req/s short
      fewer at once, since others need the room
    web lacks 3 of 6 replicas: 3 carry 300 of 600 req/s; edge-1 has 0 cores left, one more takes 1 core
    ");
    let json = serde_json::to_value(&step).unwrap();
    assert_eq!(json["replace"]["lacks"][0]["service"], "p/g/web");
    assert_eq!(json["services"]["p/g/api"]["target"]["shares"][0]["to"], 2);
}

#[test]
fn what_is_held_takes_its_room_from_the_others_and_gives_way_to_them() {
    // No sample of `batch`: its three cores are not to be had.
    let mut world = World::new(ScalingPolicy::default(), 6, &[("web", 2), ("batch", 3)]);
    insta::assert_snapshot!(world.load("web", 0, 400).step(0), @"
    00:00:00 place again
    web 2 -> 3 replicas on edge-1
      load 400 req/s; 3 replicas carry 300 (110 r - 30), measured 0 s ago
      all that fits; 100 req/s short
    batch stays at 3 replicas on edge-1
      held: no sample yet, which does not mean no load
    web lacks 1 of 4 replicas: 3 carry 300 of 400 req/s; edge-1 has 0 cores left, one more takes 1 core
    ");
    // With a sample, its window does not keep what `web` needs.
    let mut world = World::new(ScalingPolicy::default(), 6, &[("web", 2), ("batch", 3)]);
    insta::assert_snapshot!(world.load("web", 0, 400).load("batch", 0, 100).step(0), @"
    00:00:00 scale
    web 2 -> 4 replicas on edge-1
      load 400 req/s; 4 replicas carry 410 (110 r - 30), measured 0 s ago
      the fewest that carry it: 3 would carry 300, 100 req/s short
    batch 3 -> 2 replicas on edge-1
      load 100 req/s; 2 replicas carry 190 (110 r - 30), measured 0 s ago
      the fewest that carry it: 1 would carry 80, 20 req/s short
      fewer at once, since others need the room
    ");
}

#[test]
fn other_scalers_and_policies_plug_in() {
    let thresholds = Thresholds {
        up: rate(50),
        down: rate(10),
        up_replicas: 4,
        down_replicas: 1,
    };
    let mut world = World::new(ScalingPolicy::default(), 20, &[("web", 2), ("api", 2)]);
    let slow = ScalingPolicy {
        up_window: Duration::from_secs(60),
        ..ScalingPolicy::default()
    };
    world.controller = ScalingController::new(ScalingPolicy::default())
        .unwrap()
        .with_scaler(Box::new(ThresholdScaler::new(thresholds)))
        .with_service_policy(key("api"), slow)
        .unwrap();
    insta::assert_snapshot!(world.load("web", 0, 60).load("api", 0, 60).step(0), @"
    00:00:00 scale
    web 2 -> 4 replicas on edge-1
      load 60 req/s; 4 replicas carry 410 (110 r - 30), measured 0 s ago
      above the threshold of 50 req/s
    api stays at 2 replicas on edge-1
      load 60 req/s; 2 replicas carry 190 (110 r - 30), measured 0 s ago
      4 wanted, but 2 within the last 1 min
    ");
}

#[test]
fn a_restart_forgets_nothing() {
    let mut world = web(ScalingPolicy::default(), 2);
    world.load("web", 0, 412).step(0);
    let stored = serde_json::to_string(&world.memory).unwrap();
    world.memory = serde_json::from_str(&stored).unwrap();
    let step = world.load("web", 10, 600).step(10);
    assert!(step.to_string().contains("cool-down"), "{step}");
    assert_eq!(step.next(), Some(moment(15)));
}

#[test]
fn wrong_policies_and_steps_back_are_refused() {
    let policy = ScalingPolicy {
        up_step: StepLimit {
            replicas: 0,
            percent: 0,
        },
        stale_after: Duration::ZERO,
        idle_load: rate(-1),
        without_sample: WithoutSample::Assume(rate(-2)),
        tolerance_percent: 2_000,
        ..ScalingPolicy::default()
    };
    insta::assert_snapshot!(ScalingController::new(policy).unwrap_err().to_string().replace("; ", "\n"), @"
    the scaling policy is inconsistent: the step up is 0 replicas and 0 %, so a count never goes up
    samples are stale after 0 s, so there never is one
    the load that counts as none is -1 req/s
    a load is not negative
    the load assumed without a sample is -2 req/s
    a load is not negative
    a tolerance of 2000 % is above 1000 %
    ");
    let mut world = web(ScalingPolicy::default(), 2);
    world.load("web", 0, -5).observation.services[0].max = 0;
    let mut refuse = |second| {
        let step = world
            .controller
            .step(&mut world.memory, &world.observation, moment(second));
        step.unwrap_err().to_string()
    };
    insta::assert_snapshot!(refuse(9), @"the scaling problem is inconsistent: p/g/web has a load of -5 req/s; a load is not negative; p/g/web has a maximum of 0 below its minimum of 1");
    world.observation.services[0].max = 3;
    world.load("web", 0, 5).step(9);
    let error = world
        .controller
        .step(&mut world.memory, &world.observation, moment(8))
        .unwrap_err();
    insta::assert_snapshot!(error, @"the step at 2026-01-01T00:00:08Z is before the last one at 2026-01-01T00:00:09Z; time does not run backwards");
}

#[rstest]
#[case(StepLimit { replicas: 4, percent: 100 }, 2, 4)]
#[case(StepLimit { replicas: 4, percent: 100 }, 7, 7)]
#[case(StepLimit { replicas: 0, percent: 10 }, 11, 2)]
#[case(StepLimit::NONE, 1, u32::MAX)]
fn a_step_is_the_larger_of_the_two(#[case] step: StepLimit, #[case] current: u32, #[case] most: u32) {
    assert_eq!(step.most(current), most);
}

proptest! {
    #[test]
    fn counts_stay_within_bounds_room_and_steps(
        loads in proptest::collection::vec((0..4_u32, proptest::option::of(0..1_500_i64), proptest::option::of(0..1_500_i64)), 1..40),
        cores in 2..14_u64,
    ) {
        let policy = ScalingPolicy { idle_after: Some(Duration::from_secs(60)), ..ScalingPolicy::default() };
        let mut world = World::new(policy, cores, &[("web", 1), ("api", 1)]);
        let mut second = 0;
        for (pause, web, api) in loads {
            second += i64::from(pause) * 20;
            for (name, load) in [("web", web), ("api", api)] {
                match load {
                    Some(load) => { world.load(name, second, load); }
                    None => world.observation.services[&key(name)].sample = LoadSample::Missing,
                }
            }
            let before = (world.replicas("web"), world.replicas("api"));
            let step = world.step(second);
            let after = (world.replicas("web"), world.replicas("api"));
            prop_assert!(u64::from(after.0 + after.1) <= cores);
            prop_assert!(after.0 <= 10 && after.1 <= 10);
            prop_assert!(web.is_some() || before.0 == after.0, "a missing sample changed a count\n{}", step);
            prop_assert!(api.is_some() || before.1 == after.1, "a missing sample changed a count\n{}", step);
            prop_assert!(before.0 == 0 || after.0 <= before.0 + before.0.max(4));
            prop_assert_eq!(step.changes().count() > 0, before != after);
        }
    }
}
