//! Small loads whose outcomes are worked out by hand, and laws that hold for every load.

use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::scaling::{LoadSeries, Throughput};

const TICK: Duration = Duration::from_secs(15);

/// A load with one value a tick; one replica carries 10.
fn workload(values: &[f64]) -> Workload {
    let values = values
        .iter()
        .map(|value| (*value >= 0.0).then_some(*value))
        .collect();
    let load = LoadSeries::new(Timestamp::UNIX_EPOCH, TICK, values).unwrap();
    let mut workload = Workload::new(load, Throughput::new(10.0, 0.0).unwrap(), 1, 100);
    workload.sample_window = TICK;
    workload
}

/// The counts that a policy asks for, and its outcome.
fn counts(policy: &mut dyn ReplayPolicy, workload: &Workload) -> (Vec<u32>, ReplayOutcome) {
    let mut asked = Vec::new();
    let outcome = replay_with(policy, workload, &mut |moment| asked.push(moment.asked)).unwrap();
    (asked, outcome)
}

#[test]
fn what_is_counted_is_worked_out_by_hand() {
    // Two more at tick 2 serve from tick 4 on; the gap at 5 is nobody's fault.
    #[derive(Debug)]
    struct Plan(Vec<u32>);
    impl ReplayPolicy for Plan {
        fn name(&self) -> String {
            "plan".to_owned()
        }
        fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
            Ok(self.0[view.tick])
        }
    }
    let workload = workload(&[10.0, 25.0, 30.0, 30.0, 30.0, -1.0, 5.0]);
    let mut ready = Vec::new();
    let mut plan = Plan(vec![1, 1, 3, 3, 3, 3, 0]);
    let outcome = replay_with(&mut plan, &workload, &mut |moment| ready.push(moment.ready)).unwrap();
    assert_eq!(ready, [1, 1, 1, 1, 3, 3, 1]);
    assert_eq!(outcome.violation_share, 3.0 / 6.0);
    assert_eq!(outcome.excess_share, (15.0 + 20.0 + 20.0) / 130.0);
    let tick = 15.0 / 3600.0;
    // The minimum is 1, so the plan of 0 at the end is not kept.
    assert_eq!(outcome.replica_hours, (1.0 + 1.0 + 3.0 * 4.0 + 1.0) * tick);
    assert_eq!(
        (outcome.over_hours, outcome.under_hours),
        (0.0, (2.0 + 2.0 + 2.0) * tick)
    );
    assert_eq!((outcome.actions, outcome.peak, outcome.hours), (2, 3, 7.0 * tick));
    insta::assert_snapshot!(outcome, @"plan: 50.00 % of the time too few, 0.1 replica-hours (0.0 too many, 0.0 too few), 2 actions");
}

#[test]
fn replicas_that_do_not_serve_yet_stop_first() {
    #[derive(Debug)]
    struct Plan;
    impl ReplayPolicy for Plan {
        fn name(&self) -> String {
            String::new()
        }
        fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
            Ok([2, 5, 3, 1, 1][view.tick])
        }
    }
    let mut ready = Vec::new();
    let workload = workload(&[20.0; 5]);
    replay_with(&mut Plan, &workload, &mut |moment| {
        ready.push((moment.asked, moment.ready))
    })
    .unwrap();
    assert_eq!(ready, [(2, 2), (5, 2), (3, 2), (1, 1), (1, 1)]);
}

#[test]
fn the_autoscaler_of_kubernetes_by_hand() {
    // Target 8 a replica. 30/8 is 4 at once; 1 of 4 serves, so 35 is over the target of 32 by less than 10 %; 100 wants 13 and may
    // have 4 + 4; then 13. Down only after the window.
    let mut load = vec![8.0, 30.0, 35.0, 100.0, 100.0, 100.0];
    load.extend([20.0; 30]);
    let (asked, _) = counts(&mut Hpa::new(80).unwrap(), &workload(&load));
    assert_eq!(asked[..7], [1, 1, 4, 4, 8, 13, 13]);
    // The last 100 was measured at tick 6, and 13 wanted then; a window of 300 s holds it 20 ticks more.
    assert_eq!(asked[26], 13);
    assert_eq!(asked[27], 3);
    // Within the tolerance nothing changes: 8.7 of 8.
    assert_eq!(counts(&mut Hpa::new(80).unwrap(), &workload(&[8.7; 9])).0, [1; 9]);
    // A gap holds.
    assert_eq!(
        counts(&mut Hpa::new(80).unwrap(), &workload(&[30.0, -1.0, -1.0, 30.0])).0,
        [3, 4, 4, 4]
    );
}

#[test]
fn keda_rests_and_wakes() {
    let mut load = vec![10.0; 2];
    load.extend([0.0; 30]);
    load.extend([25.0; 6]);
    let mut workload = workload(&load);
    workload.min = 0;
    let (asked, _) = counts(&mut Keda::new(100).unwrap(), &workload);
    let rest = asked.iter().position(|count| *count == 0).unwrap();
    // There is no sample at tick 0, so polls are at 1, 3 and so on; the first saw the last request, and the cool-down takes 20 ticks.
    assert_eq!(rest, 21);
    let woken = asked.iter().rposition(|count| *count == 0).unwrap() + 1;
    assert_eq!(woken, 33);
    assert_eq!(asked[woken..], [1, 3, 3, 3, 3]);
    // With a minimum of 1 it is an autoscaler and nothing else.
    workload.min = 1;
    assert!(
        counts(&mut Keda::new(100).unwrap(), &workload)
            .0
            .iter()
            .all(|count| *count > 0)
    );
}

#[test]
fn the_predecessor_only_goes_up_and_takes_a_gap_for_no_load() {
    let (asked, _) = counts(
        &mut PredecessorLoop::new(),
        &workload(&[20.0, 40.0, 40.0, 10.0, -1.0, 10.0, 50.0, 10.0, 10.0]),
    );
    assert_eq!(asked, [2, 2, 4, 4, 4, 4, 4, 4, 4]);
}

#[test]
fn foresight_starts_as_late_as_will_do() {
    let workload = workload(&[10.0, 10.0, 10.0, 30.0, 10.0, -1.0, 20.0]);
    let (asked, outcome) = counts(&mut Foresight::new(), &workload);
    assert_eq!(asked, [1, 3, 3, 3, 2, 2, 2]);
    assert_eq!((outcome.violation_share, outcome.under_hours), (0.0, 0.0));
}

#[test]
fn what_makes_no_sense_is_refused_with_every_fault() {
    let mut wrong = workload(&[1.0, 2.0]);
    (wrong.first, wrong.tick, wrong.min, wrong.max) = (2, Duration::ZERO, 3, 2);
    wrong.throughput.alpha = crate::units::Rate::ZERO;
    let error = replay(&mut Foresight::new(), &wrong).unwrap_err().to_string();
    insta::assert_snapshot!(error.replace("; the", "\nthe").replace("; alpha", "\nalpha"), @"
    the workload cannot be replayed: the load has 2 steps, the first 2 of which are not judged: nothing is left
    the tick is zero
    the maximum of 2 is below the minimum of 3
    alpha is 0 req/s; one more replica has to carry more, so it is above zero
    ");
    let mut gaps = workload(&[1.0, -1.0]);
    gaps.first = 1;
    insta::assert_snapshot!(replay(&mut Foresight::new(), &gaps).unwrap_err(), @"the workload cannot be replayed: the load has gaps only in what is judged");
    let mut long = workload(&[1.0; 9]);
    long.tick = Duration::from_nanos(1);
    insta::assert_snapshot!(replay(&mut Foresight::new(), &long).unwrap_err(), @"the workload cannot be replayed: the load has 135000000000 ticks, more than 10000000; take a longer tick");
    insta::assert_snapshot!(Hpa::new(0).unwrap_err(), @"the policy HPA makes no sense: a target of 0 % of what a replica carries is not between 1 and 100");
    insta::assert_snapshot!(Keda::new(101).unwrap_err(), @"the policy KEDA makes no sense: a target of 101 % of what a replica carries is not between 1 and 100");
}

#[test]
fn generated_loads_are_the_same_for_the_same_seed() {
    let made = |seed| {
        GeneratedLoad {
            seed,
            ..GeneratedLoad::default()
        }
        .series()
        .unwrap()
    };
    assert_eq!(made(1), made(1));
    assert_ne!(made(1), made(2));
    let series = made(1);
    assert_eq!(series.len(), 14 * 1440);
    let mean = |from: usize, until: usize| {
        let values = &series.values()[from..until];
        values.iter().flatten().sum::<f64>() / (until - from) as f64
    };
    // Two in the afternoon of a working day against two at night; a week-end against the days before.
    assert!(mean(13 * 60, 15 * 60) > 2.0 * mean(60, 180));
    assert!(mean(5 * 1440, 7 * 1440) < 0.85 * mean(0, 5 * 1440));
    let endless = GeneratedLoad {
        days: 100_000,
        ..GeneratedLoad::default()
    };
    insta::assert_snapshot!(endless.series().unwrap_err(), @"the samples are no series: from first to last there are 200000 steps, more than 100000; take a longer step");
    let negative = GeneratedLoad {
        mean: f64::NAN,
        days: 1,
        step: Duration::from_secs(43_200),
        ..GeneratedLoad::default()
    };
    assert!(negative.series().is_err());
}

/// What the report shows on public traces, on loads that everybody has: fewer violations than the autoscalers that take as many
/// replica-hours or more. Over seeds together: three days have about nine minutes of violations, so that single seeds go either way (of
/// the first twenty, fourteen ours and one neither).
#[test]
fn the_forecast_serves_better_than_autoscalers_that_take_as_much() {
    let mut sums = [0.0; 3];
    for seed in 1..=8 {
        let load = GeneratedLoad {
            seed,
            days: 5,
            ..GeneratedLoad::default()
        }
        .series()
        .unwrap();
        let mut workload = Workload::new(load, Throughput::new(10.0, 0.0).unwrap(), 1, 100);
        workload.first = 2 * 1440;
        let ours = replay(
            &mut Predictive::new(PredictiveOptions::default()).unwrap(),
            &workload,
        )
        .unwrap();
        let theirs = Hpa::of_hours(&workload, ours.replica_hours).unwrap().unwrap();
        assert!(
            theirs.replica_hours >= ours.replica_hours,
            "{seed}\n{ours}\n{theirs}"
        );
        let measured = replay(&mut Predictive::measured().unwrap(), &workload).unwrap();
        for (sum, outcome) in sums.iter_mut().zip([&ours, &theirs, &measured]) {
            *sum += outcome.violation_share;
        }
    }
    let [ours, theirs, measured] = sums;
    assert!(ours < theirs && ours < measured, "{sums:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn nobody_serves_as_well_for_less_than_who_knows_the_future(
        load in prop::collection::vec(prop_oneof![8 => 0.0_f64..200.0, 1 => Just(-1.0)], 2..60),
        target in 1_u32..=100,
    ) {
        prop_assume!(load.iter().any(|value| *value >= 0.0));
        let workload = workload(&load);
        let best = replay(&mut Foresight::new(), &workload).unwrap();
        // Nothing that is asked for at the first tick serves before the third.
        let known: Vec<f64> = load.iter().copied().filter(|value| *value >= 0.0).collect();
        if known[..known.len().min(3)].iter().all(|value| *value <= known[0]) {
            prop_assert_eq!(best.under_hours, 0.0);
        }
        let mut policies: Vec<Box<dyn ReplayPolicy>> = vec![
            Box::new(Hpa::new(target).unwrap()),
            Box::new(Keda::new(target).unwrap()),
            Box::new(PredecessorLoop::new()),
            Box::new(Predictive::measured().unwrap()),
            Box::new(Predictive::new(PredictiveOptions::default()).unwrap()),
        ];
        for policy in &mut policies {
            let outcome = replay(policy.as_mut(), &workload).unwrap();
            prop_assert!(outcome.under_hours >= best.under_hours - 1e-9, "{outcome}\n{best}");
            if outcome.under_hours <= best.under_hours + 1e-9 {
                prop_assert!(outcome.replica_hours >= best.replica_hours - 1e-9, "{outcome}\n{best}");
            }
            // Replicas that serve are those needed, more or less.
            let served = outcome.over_hours - outcome.under_hours;
            prop_assert!(served <= outcome.replica_hours + 1e-9);
        }
    }
}
