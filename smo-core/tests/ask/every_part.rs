//! Questions about problems with every rule and goal there is, alone and in mixes, compared with trying everything.

use std::collections::BTreeSet;

use smo_core::placement::ask::{
    FrontLimits, LossOf, Precision, Price, Redundancy, explain_in_full, pareto, single_losses,
};
use smo_core::placement::{Exhaustive, Goal, Outcome, PlacementProblem, decide};

use crate::model_support::{Part, Random, problem};
use crate::support::{is_possible, sound_placements};

/// Each part alone, with and without replicas that split, then mixes.
fn problems() -> impl Iterator<Item = (String, PlacementProblem)> {
    let alone = Part::ALL.into_iter().flat_map(|part| {
        (0..4).map(move |seed| {
            (
                seed,
                if seed % 2 == 0 {
                    vec![part]
                } else {
                    vec![Part::Split, part]
                },
            )
        })
    });
    let mixes = (0..120).map(|seed| {
        let mut random = Random::new(seed ^ 0xa5c);
        let percent = random.between(10, 60);
        let parts = Part::ALL.into_iter().filter(|_| random.chance(percent)).collect();
        (seed, parts)
    });
    let posed = |(seed, parts): (u64, Vec<Part>)| (format!("seed {seed}, {parts:?}"), problem(seed, &parts));
    alone.chain(mixes).map(posed)
}

#[test]
fn prices_are_those_of_trying_everything() {
    let (mut priced, mut of_one) = (0, 0);
    for (name, problem) in problems() {
        let placer = Exhaustive::default();
        let Outcome::Placed(decision) = decide(&placer, &problem).unwrap() else {
            continue;
        };
        let sound = sound_placements(&problem);
        // Nothing can say that a service has to run somewhere.
        let only_wished = ["pinning", "labels"]
            .iter()
            .all(|rule| problem.soft.contains_key(*rule));
        let explained = explain_in_full(&placer, &problem, &decision, 10_000).unwrap();
        assert!(explained.complete || only_wished, "{name}");
        if only_wished {
            continue;
        }
        for (service, choice) in &explained.services {
            let replicas = problem.services[service].replicas;
            let is_split = !choice.whole.is_empty();
            // Where spread is only a wish, one replica elsewhere is not asked for.
            let one = is_split && !problem.soft.contains_key("spread");
            let least_of_others = if one { 1 } else { replicas };
            for (prices, least) in [(&choice.others, least_of_others), (&choice.whole, replicas)] {
                for (cluster, price) in prices {
                    let there = sound.iter().filter(|(placement, ..)| {
                        placement
                            .get(service)
                            .is_some_and(|there| there.on(cluster) >= least)
                    });
                    let expected = there.map(|(_, _, value)| value.minus(decision.value)).min();
                    assert_eq!(
                        price.difference(),
                        expected,
                        "{name}: {service} on {cluster}: {price:?}"
                    );
                    match price {
                        Price::Costs { precision, .. } => {
                            let at_most = is_split && !one && least_of_others == least;
                            assert!(
                                at_most || *precision == Precision::Exact,
                                "{name}: {service} on {cluster}: {price:?}"
                            );
                        }
                        Price::NoRoom { proved, .. } => assert!(*proved || is_split && !one, "{name}"),
                        Price::Forbidden(_) => {}
                        Price::NotAsked(_) => panic!("{name}: not asked"),
                    }
                    priced += usize::from(expected.is_some());
                    of_one += usize::from(one && least == 1 && expected.is_some());
                }
            }
        }
    }
    assert!(priced > 200 && of_one > 30, "{priced} {of_one}");
}

#[test]
fn single_losses_are_those_of_trying_everything() {
    let (mut survived, mut broken) = (0, 0);
    for (name, problem) in problems() {
        let placer = Exhaustive::default();
        let certificate = single_losses(&placer, &problem, LossOf::Cluster).unwrap();
        assert_eq!(
            certificate.check(&problem).unwrap(),
            Vec::<String>::new(),
            "{name}"
        );
        let Outcome::Placed(decision) = &certificate.baseline else {
            assert!(!is_possible(&problem), "{name}");
            continue;
        };
        let survives = |cluster| {
            let lost = smo_core::placement::ask::Edit::Lose { cluster };
            let mut after = problem.edited(&[lost]).unwrap();
            after.current = decision.placement.clone();
            is_possible(&after)
        };
        let expected = problem
            .clusters
            .iter()
            .filter(|(_, supply)| supply.readiness.is_ready());
        let expected = expected.map(|(name, _)| name.clone()).all(survives);
        let verdict = if expected {
            Redundancy::Survives
        } else {
            Redundancy::Breaks
        };
        assert_eq!(certificate.redundancy(), verdict, "{name}");
        survived += usize::from(expected);
        broken += usize::from(!expected);
    }
    assert!(survived > 10 && broken > 10, "{survived} {broken}");
}

#[test]
fn fronts_are_those_of_trying_everything() {
    let mut points = 0;
    for (name, problem) in problems() {
        let front = pareto(
            &Exhaustive::default(),
            &problem,
            Goal::Money,
            Goal::Moves,
            FrontLimits::default(),
        )
        .unwrap();
        let found: BTreeSet<_> = front
            .points
            .iter()
            .map(|point| (point.totals.money, point.totals.moves))
            .collect();
        let all: Vec<_> = sound_placements(&problem)
            .iter()
            .map(|(_, totals, _)| (totals.money, totals.moves))
            .collect();
        let beaten = |point: &(i64, i64)| {
            all.iter()
                .any(|other| other != point && other.0 <= point.0 && other.1 <= point.1)
        };
        let expected: BTreeSet<_> = all.iter().copied().filter(|point| !beaten(point)).collect();
        if front.complete {
            assert_eq!(found, expected, "{name}");
        }
        assert!(
            front
                .points
                .iter()
                .filter(|point| point.proved)
                .all(|point| expected.contains(&(point.totals.money, point.totals.moves))),
            "{name}"
        );
        points += found.len();
    }
    assert!(points > 100, "{points}");
}
