//! The fleet's placer and the default one, against every placement there is, for every rule and goal alone and in mixes.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod model_support;

use model_support::{Part, Random, problem};
use smo_core::placement::{
    Answer, AutoPlacer, Exhaustive, FleetPlacer, MilpPlacer, Outcome, PlaceContext, Placement,
    PlacementProblem, Placer, Value, decide, decide_watched, evaluate, verify,
};

/// Small problems: each part alone, with and without replicas that split, then mixes.
fn problems() -> impl Iterator<Item = (String, PlacementProblem)> {
    let alone = Part::ALL
        .into_iter()
        .flat_map(|part| (0..40).map(move |seed| (seed, vec![Part::Split, part])));
    let whole = Part::ALL
        .into_iter()
        .flat_map(|part| (0..40).map(move |seed| (seed, vec![part])));
    let mixes = (0..8_500).map(|seed| {
        let mut random = Random::new(seed ^ 0xf1ee7);
        let percent = random.between(10, 60);
        (
            seed,
            Part::ALL.into_iter().filter(|_| random.chance(percent)).collect(),
        )
    });
    let all = alone.chain(whole).chain(mixes);
    all.map(|(seed, parts): (u64, Vec<Part>)| (format!("seed {seed}, {parts:?}"), problem(seed, &parts)))
}

fn found(placer: &dyn Placer, problem: &PlacementProblem) -> Option<(Placement, Value, Option<Value>)> {
    match placer.place(&PlaceContext { problem }).unwrap() {
        Answer::Found { placement, bound, .. } => {
            assert_eq!(verify(problem, &placement), vec![]);
            let (_, value) = evaluate(problem, &placement).unwrap();
            Some((placement, value, bound))
        }
        Answer::NotFound { proved, .. } => {
            let exists = Exhaustive::default().place(&PlaceContext { problem }).unwrap();
            assert!(
                !proved || matches!(exists, Answer::NotFound { .. }),
                "{} says that there is none: {exists:?}",
                placer.name()
            );
            None
        }
    }
}

#[test]
fn a_search_is_watched_and_ends_when_told() {
    let fleet = FleetPlacer::default().with_effort(50_000_000);
    let watched = |problem: &PlacementProblem| {
        let mut told = Vec::new();
        let whole = decide_watched(&fleet, problem, &mut |progress| {
            told.push(*progress);
            true
        });
        (whole, told)
    };
    let all = (0..100).map(|seed| problem(seed, &[Part::Scores, Part::Egress]));
    let (problem, (whole, told)) = all
        .map(|problem| (problem.clone(), watched(&problem)))
        .max_by_key(|(_, (_, told))| told.len())
        .unwrap();
    assert_eq!(whole, decide(&fleet, &problem));
    assert!(
        told.len() > 10 && told.windows(2).all(|pair| pair[0].work <= pair[1].work),
        "{told:?}"
    );
    for most in [1, 2, 5, told.len() / 2] {
        let (mut calls, mut value) = (0, None);
        let short = decide_watched(&fleet, &problem, &mut |progress| {
            calls += 1;
            value = progress.value;
            calls < most
        });
        assert_eq!(calls, most, "asked again after it said no");
        // what it has keeps the rules, as decide would have refused it, and is not lost
        match (short.unwrap(), value) {
            (Outcome::Placed(short), Some(value)) => assert!(short.value <= value, "{value}"),
            (Outcome::Placed(_), None) => {}
            (Outcome::Infeasible(diagnosis), value) => assert!(!diagnosis.proved && value.is_none()),
        }
    }
}

/// The kernel leaves some rules out: what it finds keeps them all the same, and its bound is one.
#[test]
fn bounds_are_bounds_and_placements_are_near() {
    let fleet = FleetPlacer::default().with_effort(1_500_000);
    let auto = AutoPlacer::new(MilpPlacer::default(), fleet.clone());
    let (mut placed, mut missed, mut worse, mut settled) = (0, 0, 0, 0);
    for (name, problem) in problems() {
        let Some((_, best, _)) = found(&Exhaustive::default(), &problem) else {
            assert_eq!(found(&fleet, &problem), None, "{name}");
            assert_eq!(found(&auto, &problem), None, "{name}");
            continue;
        };
        placed += 1;
        match found(&fleet, &problem) {
            None => missed += 1,
            Some((_, value, bound)) => {
                worse += usize::from(value > best);
                assert!(
                    bound.is_none_or(|bound| bound <= best),
                    "{name}: bound {bound:?}, and {best:?} there is"
                );
            }
        }
        let (_, value, bound) =
            found(&auto, &problem).unwrap_or_else(|| panic!("{name}: nothing, and {best:?} there is"));
        assert!(bound.is_none_or(|bound| bound <= best), "{name}");
        assert!(bound != Some(value) || value == best, "{name}");
        settled += usize::from(bound == Some(value));
    }
    println!(
        "{placed} have an answer: fleet missed {missed}, found worse ones for {worse}; the default proved {settled}"
    );
    assert!(
        placed > 5_000 && missed == 0 && worse * 100 < placed,
        "{missed} missed, {worse} worse of {placed}"
    );
    assert!(settled * 100 >= placed * 99, "{settled} of {placed} proved");
}
