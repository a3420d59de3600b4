//! Questions that are watched: every decision is told of, and one that is stopped claims nothing that does not hold.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::placement::ask::{
    AskProgress, Edit, FewMoves, FrontLimits, LossOf, MoveUnit, Precision, Price, Redundancy, RepairLimits,
    Survival, explain_in_full, explain_in_full_watched, minimal_conflict_watched, move_curve,
    move_curve_watched, pareto, pareto_watched, repairs, repairs_watched, single_losses,
    single_losses_watched, what_if, what_if_watched, what_then_watched, with_few_moves,
    with_few_moves_watched,
};
use smo_core::placement::{FleetPlacer, Goal, MilpPlacer, Outcome, PlacementProblem, decide};

use crate::support::{Room, cluster, is_possible, problems, shop, sound_placements};

fn placer() -> MilpPlacer {
    MilpPlacer::default()
}

/// Says stop at the `after`-th report, and never hears of anything then.
fn until(after: usize) -> impl FnMut(&AskProgress) -> bool + Send {
    let mut heard = 0;
    move |_| {
        heard += 1;
        assert!(heard <= after, "asked again after it said to stop");
        heard < after
    }
}

/// What is told of, each decision once.
fn told(ask: impl FnOnce(&mut (dyn FnMut(&AskProgress) -> bool + Send))) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    let mut watch = |at: &AskProgress| {
        let text = at.to_string();
        if steps.last() != Some(&text) {
            steps.push(text);
        }
        true
    };
    ask(&mut watch);
    steps
}

#[test]
fn every_decision_is_told_of() {
    let problem = shop();
    let lost = [Edit::Lose {
        cluster: cluster("milan"),
    }];
    let steps = told(|watch| drop(what_then_watched(&placer(), &problem, &lost, watch).unwrap()));
    assert_eq!(steps, ["what if: 1 of 2, before", "what if: 2 of 2, after"]);
    let steps = told(|watch| {
        drop(single_losses_watched(&placer(), &problem, LossOf::Cluster, watch).unwrap());
    });
    insta::assert_snapshot!(steps.join("\n"), @r"
    single losses: 1 of 4, without a loss
    single losses: 2 of 4, without paris
    single losses: 3 of 4, without milan
    single losses: 4 of 4, without austin
    ");
    let decision = decide(&placer(), &problem).unwrap().into_decision().unwrap();
    let steps = told(|watch| {
        drop(explain_in_full_watched(&placer(), &problem, &decision, 6, watch).unwrap());
    });
    insta::assert_snapshot!(steps.join("\n"));
    let moves =
        told(|watch| drop(move_curve_watched(&placer(), &problem, MoveUnit::Services, 10, watch).unwrap()));
    assert_eq!(moves.last().unwrap(), &format!("what moves buy: {}", moves.len()));
    assert!((3..=10).contains(&moves.len()), "{moves:?}");
}

#[test]
fn the_search_of_a_decision_is_told_of() {
    let mut bounds = 0;
    let mut watch = |at: &AskProgress| {
        bounds += usize::from(
            at.search
                .is_some_and(|search| search.bound.is_some() && search.work > 0),
        );
        true
    };
    what_if_watched(&FleetPlacer::default(), &shop(), &[], &mut watch).unwrap();
    assert!(bounds >= 2, "{bounds}");
}

#[test]
fn what_is_stopped_says_so() {
    let problem = shop();
    let answer = what_if_watched(&placer(), &problem, &[], &mut until(1)).unwrap();
    assert!(answer.stopped && answer.comparison.is_none());
    insta::assert_snapshot!(answer);
    let certificate = single_losses_watched(&placer(), &problem, LossOf::Cluster, &mut until(1)).unwrap();
    assert_eq!(certificate.left_out, ["paris", "milan", "austin"]);
    insta::assert_snapshot!(certificate);
    // The first decision takes several reports; none is heard of the second.
    let mut second = |at: &AskProgress| at.step < 3;
    let certificate = single_losses_watched(&placer(), &problem, LossOf::Cluster, &mut second).unwrap();
    assert_eq!(certificate.redundancy(), Redundancy::Open);
    insta::assert_snapshot!(certificate);
    let decision = decide(&placer(), &problem).unwrap().into_decision().unwrap();
    let explained = explain_in_full_watched(&placer(), &problem, &decision, 400, &mut until(1)).unwrap();
    assert!(explained.stopped && !explained.complete && explained.binding.is_empty());
    assert!(
        explained
            .to_string()
            .ends_with("stopped early: what is not said to be proved may be otherwise\n")
    );
    let front = pareto_watched(
        &placer(),
        &problem,
        Goal::Money,
        Goal::Carbon,
        FrontLimits::default(),
        &mut until(1),
    );
    assert!(!front.unwrap().complete);
    let curve = move_curve_watched(&placer(), &problem, MoveUnit::Services, 100, &mut until(1)).unwrap();
    assert!(!curve.complete && curve.points.is_empty());
    let few = with_few_moves_watched(&placer(), &problem, MoveUnit::Services, 1, 100, &mut until(1)).unwrap();
    assert_eq!(
        few,
        FewMoves::Open {
            unit: MoveUnit::Services,
            at_most: 1
        }
    );
}

/// More than fits anywhere, and a link between.
fn impossible() -> PlacementProblem {
    let mut problem = shop();
    for demand in problem.services.values_mut() {
        demand.replicas *= 4;
    }
    problem
}

#[test]
fn repairs_that_are_stopped_are_not_the_cheapest() {
    let problem = impossible();
    let found = repairs_watched(&placer(), &problem, RepairLimits::default(), &mut until(1)).unwrap();
    assert!(found.stopped && !found.cheapest && found.repairs.is_empty());
    insta::assert_snapshot!(found);
    // Stopped while placements are looked at, which no placer does.
    let mut looks = 0;
    let mut watch = |at: &AskProgress| {
        looks = if at.search.is_none() { looks + 1 } else { 0 };
        looks < 3
    };
    let found = repairs_watched(&placer(), &problem, RepairLimits::default(), &mut watch).unwrap();
    assert!(found.stopped && !found.cheapest);
    assert!(found.conflict.is_some_and(|conflict| conflict.minimal));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_stopped_claims_only_what_holds(problem in problems(Room::Some), after in 1_usize..60) {
        let sound = sound_placements(&problem);
        let best = sound.iter().map(|(.., value)| *value).min();
        let lost = [Edit::Lose { cluster: problem.clusters.keys().next().unwrap().clone() }];

        let whole = what_if(&placer(), &problem, &lost).unwrap();
        prop_assert!(!whole.stopped);
        let part = what_if_watched(&placer(), &problem, &lost, &mut until(after)).unwrap();
        prop_assert!(part.stopped || part == whole);
        for (part, whole) in [(&part.before, &whole.before), (&part.after, &whole.after)] {
            match (part, whole) {
                (Outcome::Placed(part), Outcome::Placed(whole)) => {
                    prop_assert!(part.value >= whole.value && part.bound.is_none_or(|bound| bound <= whole.value));
                }
                (Outcome::Infeasible(part), whole) => {
                    let none = matches!(whole, Outcome::Infeasible(_));
                    prop_assert!(!part.proved || none);
                }
                (part, _) => prop_assert!(false, "{:?}", part),
            }
        }

        let whole = single_losses(&placer(), &problem, LossOf::Cluster).unwrap();
        let part = single_losses_watched(&placer(), &problem, LossOf::Cluster, &mut until(after)).unwrap();
        prop_assert!(part.redundancy() == whole.redundancy() || part.redundancy() == Redundancy::Open);
        let faults = part.check(&problem).unwrap();
        let placed = matches!(part.baseline, Outcome::Placed(_));
        prop_assert_eq!(faults.len(), if placed { part.left_out.len() } else { 0 }, "{:?}", faults);
        for loss in &part.losses {
            if let Survival::Broken { outcome: Outcome::Infeasible(diagnosis) } = &loss.survival {
                prop_assert!(diagnosis.proved);
            }
        }

        let limits = FrontLimits::default();
        let whole = pareto(&placer(), &problem, Goal::Money, Goal::Carbon, limits).unwrap();
        let part = pareto_watched(&placer(), &problem, Goal::Money, Goal::Carbon, limits, &mut until(after)).unwrap();
        let of_whole: BTreeSet<_> = whole.points.iter().map(|point| (point.totals.money, point.totals.carbon)).collect();
        for point in part.points.iter().filter(|point| point.proved) {
            prop_assert!(of_whole.contains(&(point.totals.money, point.totals.carbon)));
        }
        prop_assert!(!part.complete || part.points.len() == whole.points.len());

        let whole = move_curve(&placer(), &problem, MoveUnit::Services, 1_000).unwrap();
        let part = move_curve_watched(&placer(), &problem, MoveUnit::Services, 1_000, &mut until(after)).unwrap();
        prop_assert!(!part.complete || part == whole);
        let whole = with_few_moves(&placer(), &problem, MoveUnit::Services, 1, 1_000).unwrap();
        match with_few_moves_watched(&placer(), &problem, MoveUnit::Services, 1, 1_000, &mut until(after)).unwrap() {
            FewMoves::Found(part) => {
                let FewMoves::Found(whole) = &whole else { panic!("{whole:?}") };
                prop_assert!(part.value >= whole.value && part.bound.is_none_or(|bound| bound <= whole.value));
            }
            FewMoves::TooFew { .. } => {
                let too_few = matches!(whole, FewMoves::TooFew { .. });
                prop_assert!(too_few);
            }
            FewMoves::Open { .. } => {}
        }

        if best.is_some() {
            let decision = decide(&placer(), &problem).unwrap().into_decision().unwrap();
            let whole = explain_in_full(&placer(), &problem, &decision, 1_000).unwrap();
            let part = explain_in_full_watched(&placer(), &problem, &decision, 1_000, &mut until(after)).unwrap();
            prop_assert!(part.stopped || part == whole);
            prop_assert!(!part.complete || part.binding == whole.binding);
            for (service, choice) in &part.services {
                for (cluster, price) in &choice.others {
                    let full = &whole.services[service].others[cluster];
                    match price {
                        Price::Costs { difference, precision: Precision::Exact, .. } => {
                            prop_assert_eq!(Some(*difference), full.difference());
                        }
                        Price::Costs { difference, .. } => {
                            prop_assert!(full.difference().is_some_and(|full| full <= *difference));
                        }
                        Price::NoRoom { proved, .. } => prop_assert!(*proved && full.difference().is_none()),
                        Price::Forbidden(_) | Price::NotAsked(_) => {}
                    }
                }
            }
        }
    }

    #[test]
    fn conflicts_and_repairs_that_are_stopped_hold(problem in problems(Room::Little), after in 1_usize..40) {
        let possible = is_possible(&problem);
        if let Some(conflict) = minimal_conflict_watched(&placer(), &problem, 1_000, &mut until(after)).unwrap() {
            prop_assert!(!possible && !conflict.members.is_empty());
        }
        let limits = RepairLimits { placements: 20_000, ..RepairLimits::default() };
        let whole = repairs(&placer(), &problem, limits).unwrap();
        let part = repairs_watched(&placer(), &problem, limits, &mut until(after)).unwrap();
        prop_assert!(part.stopped || part == whole);
        for repair in &part.repairs {
            prop_assert!(is_possible(&problem.edited(&repair.edits).unwrap()));
        }
        if part.cheapest && let (Some(part), Some(whole)) = (part.repairs.first(), whole.repairs.first()) {
            prop_assert_eq!(part.cost, whole.cost);
        }
    }
}
