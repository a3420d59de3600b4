//! Pareto fronts, few moves, and what moves buy.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::placement::ask::{
    DEFAULT_QUESTIONS, Fate, FewMoves, FrontLimits, MoveUnit, Relocation, move_curve, pareto, with_few_moves,
};
use smo_core::placement::{FirstFit, Goal, MilpPlacer, Mode, PlacementProblem, Totals, Weight, verify};
use smo_core::units::Bytes;

use crate::support::{Room, brussels, cluster, key, problems, shop, sound_placements};

fn front(problem: &PlacementProblem) -> smo_core::placement::ask::ParetoFront {
    let placer = MilpPlacer::default();
    pareto(
        &placer,
        problem,
        Goal::Money,
        Goal::Carbon,
        FrontLimits::default(),
    )
    .unwrap()
}

#[test]
fn the_shop_trades_money_for_carbon() {
    insta::assert_snapshot!(front(&shop()));
}

#[test]
fn a_heuristic_has_no_proof() {
    let limits = FrontLimits {
        points: 5,
        questions: 50,
    };
    let front = pareto(&FirstFit::new(), &brussels(), Goal::Money, Goal::Carbon, limits).unwrap();
    assert!(!front.complete && front.points.iter().all(|point| !point.proved));
    insta::assert_snapshot!(front);
}

#[test]
fn a_front_has_two_goals() {
    let limits = FrontLimits::default();
    let error = pareto(&MilpPlacer::default(), &shop(), Goal::Money, Goal::Money, limits).unwrap_err();
    insta::assert_snapshot!(error, @"the placement problem is inconsistent: a front has two goals, and both are money");
}

#[test]
fn few_points_are_spread_over_the_front() {
    let whole = front(&shop());
    let limits = FrontLimits {
        points: 3,
        ..FrontLimits::default()
    };
    let few = pareto(&MilpPlacer::default(), &shop(), Goal::Money, Goal::Carbon, limits).unwrap();
    assert!(whole.complete && whole.points.len() > 3 && !few.complete);
    assert_eq!(few.points.len(), 3);
    assert_eq!(few.points.first(), whole.points.first());
    assert_eq!(
        few.points.last().unwrap().totals,
        whole.points.last().unwrap().totals
    );
    assert!(few.points.iter().all(|point| point.proved));
}

#[test]
fn moves_buy_something() {
    let mut problem = shop();
    problem.goals = problem.goals.with(Goal::Moves, Weight::from_millionths(0));
    let curve = move_curve(
        &MilpPlacer::default(),
        &problem,
        MoveUnit::Services,
        DEFAULT_QUESTIONS,
    )
    .unwrap();
    assert!(curve.complete);
    insta::assert_snapshot!(curve);
    let one = with_few_moves(
        &MilpPlacer::default(),
        &problem,
        MoveUnit::Services,
        1,
        DEFAULT_QUESTIONS,
    )
    .unwrap();
    insta::assert_snapshot!(one);
}

#[test]
fn too_few_moves_say_how_many_it_takes() {
    let mut problem = shop();
    let lost = smo_core::placement::ask::Edit::Lose {
        cluster: cluster("paris"),
    };
    problem = problem.edited(&[lost]).unwrap();
    let answer = with_few_moves(
        &MilpPlacer::default(),
        &problem,
        MoveUnit::Services,
        1,
        DEFAULT_QUESTIONS,
    )
    .unwrap();
    insta::assert_snapshot!(answer);
}

/// The shop with its data, its web split.
fn with_data() -> PlacementProblem {
    let mut problem = shop();
    problem.goals = problem.goals.with(Goal::Moves, Weight::from_millionths(0));
    problem.services[&key("web")].mode = Mode::Split;
    for (service, gigabytes) in [("cart", 2), ("search", 40), ("ledger", 8), ("reports", 3)] {
        problem.services[&key(service)].state = Bytes::new(gigabytes * 1_000_000_000);
    }
    problem
}

#[test]
fn moves_are_counted_in_replicas_and_in_bytes() {
    let problem = with_data();
    for unit in [MoveUnit::Replicas, MoveUnit::State] {
        let curve = move_curve(&MilpPlacer::default(), &problem, unit, DEFAULT_QUESTIONS).unwrap();
        assert!(curve.complete, "{curve}");
        insta::assert_snapshot!(format!("curve_in_{}", unit.name()), curve);
    }
    let five = 5_000_000_000;
    let few = with_few_moves(
        &MilpPlacer::default(),
        &problem,
        MoveUnit::State,
        five,
        DEFAULT_QUESTIONS,
    )
    .unwrap();
    insta::assert_snapshot!(few);
    let lost = smo_core::placement::ask::Edit::Lose {
        cluster: cluster("milan"),
    };
    let problem = problem.edited(&[lost]).unwrap();
    let too_few = with_few_moves(
        &MilpPlacer::default(),
        &problem,
        MoveUnit::State,
        five,
        DEFAULT_QUESTIONS,
    )
    .unwrap();
    insta::assert_snapshot!(too_few);
}

#[test]
fn who_only_grows_does_not_move() {
    let service = key("web");
    let on = |parts: &[(&str, u32)]| {
        parts
            .iter()
            .map(|(name, replicas)| (cluster(name), *replicas))
            .collect()
    };
    for (from, to, fate, moved) in [
        (vec![("a", 1)], vec![("a", 1), ("b", 1)], Fate::Scales, 0),
        (vec![("a", 2), ("b", 1)], vec![("a", 1), ("b", 2)], Fate::Moves, 1),
        (vec![("a", 2), ("b", 2)], vec![("a", 2)], Fate::Scales, 0),
        (vec![("a", 2)], vec![("b", 1)], Fate::Moves, 1),
        (vec![], vec![("b", 1)], Fate::Starts, 0),
        (vec![("a", 1)], vec![], Fate::Stops, 0),
    ] {
        let relocation = Relocation {
            service: service.clone(),
            from: on(&from),
            to: on(&to),
        };
        assert_eq!(
            (relocation.fate(), relocation.moved()),
            (fate, moved),
            "{relocation:?}"
        );
    }
}

/// The amounts of two goals of every sound placement that no other one beats.
fn non_dominated(problem: &PlacementProblem, first: Goal, second: Goal) -> BTreeSet<(i64, i64)> {
    let pair = |totals: &Totals| (totals.of(first), totals.of(second));
    let all: BTreeSet<(i64, i64)> = sound_placements(problem)
        .iter()
        .map(|(_, totals, _)| pair(totals))
        .collect();
    let beaten = |one: &(i64, i64)| {
        all.iter()
            .any(|other| other != one && other.0 <= one.0 && other.1 <= one.1)
    };
    all.iter().filter(|one| !beaten(one)).copied().collect()
}

prop_compose! {
    /// Problems with data, some of their services split.
    fn stateful()(problem in problems(Room::Some), data in prop::collection::vec((0_u64..4, any::<bool>()), 4)) -> PlacementProblem {
        let mut problem = problem;
        for (demand, (gigabytes, split)) in problem.services.values_mut().zip(data) {
            demand.state = Bytes::new(gigabytes * 1_000_000_000);
            demand.mode = if split { Mode::Split } else { Mode::Single };
        }
        problem
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_complete_front_is_every_placement_that_is_not_beaten(problem in problems(Room::Some)) {
        for (first, second) in [(Goal::Money, Goal::Carbon), (Goal::Carbon, Goal::Moves)] {
            let limits = FrontLimits { points: 100, questions: 20_000 };
            let front = pareto(&MilpPlacer::default(), &problem, first, second, limits).unwrap();
            let found: Vec<(i64, i64)> = front.points.iter().map(|point| (point.totals.of(first), point.totals.of(second))).collect();
            let expected: Vec<(i64, i64)> = non_dominated(&problem, first, second).into_iter().collect();
            prop_assert_eq!(&found, &expected);
            prop_assert!(front.complete);
            for point in &front.points {
                prop_assert!(point.proved && point.bound == Some(point.totals.of(first)));
                prop_assert!(verify(&problem, &point.placement).is_empty());
            }
        }
    }

    #[test]
    fn few_moves_are_the_best_few(problem in stateful(), unit in prop::sample::select(MoveUnit::ALL.to_vec()), at_most in 0_i64..4) {
        let amount = |totals: &Totals| totals.of(unit.goal());
        let at_most = at_most * unit.goal().base_per_unit();
        let best = sound_placements(&problem).into_iter().filter(|(_, totals, _)| amount(totals) <= at_most).map(|(_, _, value)| value).min();
        let fewest = sound_placements(&problem).iter().map(|(_, totals, _)| amount(totals)).min();
        match with_few_moves(&MilpPlacer::default(), &problem, unit, at_most, DEFAULT_QUESTIONS).unwrap() {
            FewMoves::Found(found) => {
                prop_assert_eq!(Some(found.value), best);
                prop_assert!(found.is_optimal() && amount(&found.totals) <= at_most);
                prop_assert!(verify(&problem, &found.placement).is_empty());
            }
            FewMoves::TooFew { needed, .. } => {
                prop_assert_eq!(best, None);
                prop_assert_eq!(needed, fewest);
            }
            FewMoves::Open { .. } => prop_assert!(false, "left open"),
        }
    }

    #[test]
    fn the_curve_is_the_best_value_for_every_number_of_moves(problem in stateful(), unit in prop::sample::select(MoveUnit::ALL.to_vec())) {
        let mut problem = problem;
        problem.goals = problem.goals.with(Goal::Moves, Weight::from_millionths(0));
        let curve = move_curve(&MilpPlacer::default(), &problem, unit, DEFAULT_QUESTIONS).unwrap();
        prop_assert!(curve.complete);
        let sound = sound_placements(&problem);
        let amount = |totals: &Totals| totals.of(unit.goal());
        let amounts: BTreeSet<i64> = sound.iter().map(|(_, totals, _)| amount(totals)).collect();
        let mut expected = Vec::new();
        for moves in amounts {
            let best = sound.iter().filter(|(_, totals, _)| amount(totals) <= moves).map(|(_, _, value)| *value).min();
            if let Some(best) = best.filter(|best| expected.last().is_none_or(|(_, known)| best < known)) {
                expected.push((moves, best));
            }
        }
        let found: Vec<_> = curve.points.iter().map(|point| (amount(&point.totals), point.value)).collect();
        prop_assert_eq!(found, expected);
    }
}
