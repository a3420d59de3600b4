//! What is claimed, shown by certificates alone: those of the default placer, those of `certify`, and ones that somebody tampered with.

#![allow(clippy::unwrap_used)]

mod model_support;
#[path = "model_support/suite.rs"]
mod suite;

use std::collections::BTreeSet;

use model_support::Random;
use smo_core::placement::{
    Answer, AutoPlacer, Certificate, CustomGoal, Exhaustive, Facts, Measure, MilpPlacer, PlaceContext,
    Placement, PlacementProblem, Placer, Proof, Solution, Value, certify, evaluate, solve,
};
use smo_core::quadratic::Case;
use suite::problems;

/// Mixes that the suite of placers does not have.
const SALT: u64 = 0xce27;

fn solution(placer: &dyn Placer, problem: &PlacementProblem) -> Option<Solution> {
    solve(placer, problem).unwrap().into_solution()
}

/// What the best placement is worth by trying every one.
fn best(problem: &PlacementProblem) -> Option<Value> {
    match Exhaustive::default().place(&PlaceContext { problem }).unwrap() {
        Answer::Found { placement, .. } => Some(evaluate(problem, &placement).unwrap().1),
        Answer::NotFound { .. } => None,
    }
}

#[test]
fn the_default_placer_publishes_what_shows_its_bound() {
    let mut placed = 0;
    for (name, problem) in problems(6, 200, SALT) {
        let Some(found) = solution(&AutoPlacer::default(), &problem) else {
            continue;
        };
        placed += 1;
        assert!(found.is_optimal(), "{name}");
        assert!(
            matches!(found.proof, Proof::Integer { .. }),
            "{name}: {:?}",
            found.proof
        );
        let certificate = found.proof.certificate().unwrap();
        assert_eq!(certificate.bound(&problem).unwrap(), found.bound, "{name}");
        assert_eq!(found.proof.certified(), found.bound, "{name}");
        // what is published is what was written down
        let written = serde_json::to_string(certificate).unwrap();
        let read: Certificate = serde_json::from_str(&written).unwrap();
        assert_eq!(&read, certificate, "{name}");
    }
    assert!(placed > 150, "{placed}");
}

#[test]
fn whoever_says_so_what_is_true_is_shown_and_what_is_not_is_not() {
    let mut by_cases = 0;
    for (name, problem) in problems(10, 600, SALT) {
        let Some(value) = best(&problem) else { continue };
        let certified = certify(&problem, value, 50_000_000, &mut |_| true).unwrap();
        assert_eq!(certified.bound, Some(value), "{name}");
        let certificate = certified.certificate.unwrap();
        assert_eq!(certificate.bound(&problem).unwrap(), Some(value), "{name}");
        by_cases += u32::from(certificate.cases.is_some());
        let more = Value::from_units(value.units() + 1);
        let wrong = certify(&problem, more, 2_000_000, &mut |_| true).unwrap();
        assert!(wrong.bound.is_none_or(|bound| bound <= value), "{name}");
        assert!(
            certificate_says(wrong.certificate.as_ref(), &problem) <= Some(value),
            "{name}"
        );
    }
    assert!(by_cases > 40, "{by_cases}");
}

fn certificate_says(certificate: Option<&Certificate>, problem: &PlacementProblem) -> Option<Value> {
    certificate?.bound(problem).unwrap()
}

/// Somebody changes a certificate: never to prove what is not so.
#[test]
fn a_certificate_that_was_tampered_with_proves_nothing_that_is_not_so() {
    let (mut tampered, mut refused) = (0, 0);
    for (name, problem) in problems(10, 600, SALT) {
        let Some(value) = best(&problem) else { continue };
        let certificate = certify(&problem, value, 50_000_000, &mut |_| true)
            .unwrap()
            .certificate
            .unwrap();
        if certificate.cases.is_none() {
            continue;
        }
        let mut random = Random::new(7);
        for _ in 0..12 {
            let mut changed = certificate.clone();
            tamper(&mut random, &mut changed);
            let says = changed.bound(&problem).unwrap();
            assert!(says.is_none_or(|says| says <= value), "{name}: {changed:?}");
            tampered += 1;
            refused += u32::from(says != Some(value));
        }
    }
    assert!(
        tampered > 400 && refused > tampered / 5,
        "{refused} of {tampered}"
    );
}

fn tamper(random: &mut Random, certificate: &mut Certificate) {
    if let Some(price) = certificate.kernel.prices.first_mut()
        && random.index(3) == 0
    {
        *price = *price * 2 + 1_000_000;
        return;
    }
    let Some(cases) = &mut certificate.cases else {
        return;
    };
    let at = random.index(cases.cases.len());
    match random.index(6) {
        0 => cases.claim += 1_000_000,
        1 => cases.claim += 1,
        2 => drop(cases.cases.remove(at)),
        3 => cases.cases[at].split = None,
        4 => cases.cases.insert(at, Case::default()),
        _ => {
            if let Some((task, agent)) = &mut cases.cases[at].split {
                *agent += 1;
                *task += random.index(2);
            }
        }
    }
}

/// Twelve services that fill four clusters to the last core, which prices alone leave open.
fn full() -> PlacementProblem {
    let services = (0..12).map(|number| {
        format!(
            "    - {{name: p/g/s{number}, perReplica: {{cpu: {}}}}}\n",
            2 + number % 4
        )
    });
    let clusters = (0..4).map(|number| {
        format!(
            "    - {{name: c{number}, capacity: {{cpu: 11}}, price: {{cpu: 0.0{}}}}}\n",
            number + 1
        )
    });
    let text = format!(
        "problem:\n  services:\n{}  clusters:\n{}",
        services.collect::<String>(),
        clusters.collect::<String>()
    );
    PlacementProblem::parse(&text).unwrap()
}

#[test]
fn effort_and_who_watches_limit_what_is_shown() {
    let problem = full();
    let exact = solution(&MilpPlacer::default(), &problem).unwrap();
    assert!(exact.is_optimal() && exact.proof.certificate().is_none());
    let all = certify(&problem, exact.value, 500_000_000, &mut |_| true).unwrap();
    assert_eq!(all.bound, Some(exact.value));
    let cases = all.certificate.as_ref().unwrap().cases.as_ref();
    assert!(cases.is_none_or(|cases| cases.cases.len() < 2_000));
    // nothing that takes effort: every service on its cheapest cluster
    let none = certify(&problem, exact.value, 0, &mut |_| true).unwrap();
    assert!(none.bound.unwrap() <= exact.value);
    assert_eq!(certificate_says(none.certificate.as_ref(), &problem), none.bound);
    let mut asked = 0;
    let stopped = certify(&problem, exact.value, 500_000_000, &mut |_| {
        asked += 1;
        false
    })
    .unwrap();
    assert!(asked > 0 && stopped.work <= all.work && stopped.bound <= all.bound);
}

/// Goals that are rewarded: what a split service moves or that it runs is less than nothing then, which no price counts.
#[test]
fn rewards_for_moves_and_placements_of_split_services_are_bounded() {
    let mut shown = 0;
    for goal in [
        "placements",
        "moves",
        "movedReplicas",
        "movedState",
        "balance",
        "consolidation",
        "preference",
    ] {
        for weight in ["-1", "2"] {
            for running in ["", "  current: {p/g/web: {a: 3}}\n"] {
                let text = format!(
                    "problem:\n  goals: {{money: 1, {goal}: {weight}}}\n  services:\n    - {{name: p/g/web, replicas: 2, mode: split, state: 1G, perReplica: {{cpu: 1}}}}\n    - {{name: p/g/db, perReplica: {{cpu: 1}}}}\n  clusters:\n    - {{name: a, capacity: {{cpu: 3}}, price: {{cpu: 0.02}}}}\n    - {{name: b, capacity: {{cpu: 3}}, price: {{cpu: 0.01}}}}\n{running}"
                );
                let problem = PlacementProblem::parse(&text).unwrap();
                let value = best(&problem).unwrap();
                let found = solution(&AutoPlacer::default(), &problem).unwrap();
                assert_eq!((found.value, found.bound), (value, Some(value)), "{text}");
                assert!(found.proof.certified() <= Some(value), "{text}");
                let certified = certify(&problem, value, 10_000_000, &mut |_| true).unwrap();
                assert!(certified.bound <= Some(value), "{text}");
                assert_eq!(
                    certificate_says(certified.certificate.as_ref(), &problem),
                    certified.bound,
                    "{text}"
                );
                shown += u32::from(certified.bound == Some(value));
                let more = Value::from_units(value.units() + 1);
                let wrong = certify(&problem, more, 10_000_000, &mut |_| true).unwrap();
                assert!(wrong.bound <= Some(value), "{text}");
            }
        }
    }
    assert!(shown >= 20, "{shown}");
}

/// A goal that looks at everything, of which nothing is known.
#[derive(Debug)]
struct Few;

impl Measure for Few {
    fn name(&self) -> &str {
        "few"
    }

    fn of_placement(&self, _: &Facts<'_>, placement: &Placement) -> Option<i64> {
        let used = placement.iter().flat_map(|(_, assignment)| assignment.clusters());
        i64::try_from(used.collect::<BTreeSet<_>>().len()).ok()
    }

    fn couples(&self) -> bool {
        true
    }
}

#[test]
fn of_a_goal_that_looks_at_everything_nothing_is_shown() {
    let mut problem = full();
    problem.measures.push(CustomGoal::new(Few));
    let certified = certify(&problem, Value::from_units(1), 1_000_000, &mut |_| true).unwrap();
    assert_eq!((certified.certificate, certified.bound), (None, None));
}
