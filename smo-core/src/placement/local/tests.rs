//! A draft that is kept up to date move by move says what its placement is worth and whether it breaks a rule, for every rule and goal.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../../../tests/model_support/mod.rs"]
mod model_support;

use super::code::Code;
use super::draft::{Draft, Shift};
use super::proposals::Ideas;
use super::search::{improve, spots_of};
use crate::placement::{Answer, Breach, Goals, Weight};
use crate::placement::{
    CustomGoal, CustomRule, Exhaustive, Facts, IntegerModel, Measure, PlaceContext, Placement,
    PlacementProblem, Placer, evaluate, rules::Rule, verify,
};
use crate::random::Random;
use model_support::{Part, Random as Chance, problem};

fn problems() -> impl Iterator<Item = (String, PlacementProblem)> {
    (0..600).map(|seed| {
        let mut chance = Chance::new(seed ^ 0x10ca1);
        let percent = chance.between(20, 80);
        let parts: Vec<Part> = Part::ALL.into_iter().filter(|_| chance.chance(percent)).collect();
        (format!("seed {seed}, {parts:?}"), problem(seed, &parts))
    })
}

fn agrees(name: &str, problem: &PlacementProblem, draft: &Draft<'_, '_>) {
    let standing = draft.standing();
    let placement = draft.placement();
    let breaches = verify(problem, &placement);
    assert_eq!(
        standing.faults == 0,
        breaches.is_empty(),
        "{name}: {} faults, {breaches:?}",
        standing.faults
    );
    let (_, value) = evaluate(problem, &placement).unwrap();
    assert_eq!(standing.value, value.units(), "{name}: {placement:?}");
}

#[test]
fn a_draft_says_what_its_placement_is_worth() {
    let (mut looked, mut kept) = (0, 0);
    for (name, problem) in problems() {
        let model = IntegerModel::without_code(&problem).unwrap();
        let Some(spots) = spots_of(&model, &problem.current) else {
            continue;
        };
        if spots.is_empty() {
            continue;
        }
        let mut draft = Draft::new(&model, spots, None);
        let ideas = Ideas::new(&model);
        let mut random = Random::new(7);
        let mut shifts: Vec<Shift> = Vec::new();
        agrees(&name, &problem, &draft);
        for look in 0..40 {
            if look % 8 == 0 {
                ideas.evacuate(&draft, &mut random, &mut shifts);
            } else {
                ideas.propose(&draft, &[], &mut random, &mut shifts);
            }
            let before = (draft.standing(), draft.placement());
            shifts.iter().for_each(|shift| draft.apply(*shift));
            agrees(&name, &problem, &draft);
            looked += 1;
            kept += usize::from(draft.standing().faults == 0);
            if look % 3 == 0 {
                shifts.iter().rev().for_each(|shift| draft.apply(shift.back()));
                assert_eq!((draft.standing(), draft.placement()), before, "{name}");
            }
        }
    }
    assert!(
        looked > 10_000 && kept > 1_000 && kept < looked,
        "{kept} of {looked}"
    );
}

/// All on one cluster, or none there: more than arrays can say.
#[derive(Debug)]
struct AllOrNone;

impl Rule for AllOrNone {
    fn name(&self) -> &str {
        "all or none"
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let first = problem.clusters.keys().next();
        let on = |cluster| {
            placement
                .iter()
                .filter(|(_, there)| there.on(cluster) > 0)
                .count()
        };
        let there = first.map_or(0, on);
        if there == 0 || there == placement.len() {
            return Vec::new();
        }
        vec![Breach::Custom {
            rule: self.name().to_owned(),
            message: format!("{there} of {}", placement.len()),
            amount: there.min(placement.len() - there) as u64,
        }]
    }

    fn couples(&self, _: &PlacementProblem) -> bool {
        true
    }
}

/// The square of how many services the last cluster runs.
#[derive(Debug)]
struct Squared;

impl Measure for Squared {
    fn name(&self) -> &str {
        "squared"
    }

    fn of_placement(&self, facts: &Facts<'_>, placement: &Placement) -> Option<i64> {
        let last = facts.problem.clusters.keys().last()?;
        let there = placement.iter().filter(|(_, there)| there.on(last) > 0);
        let there = i64::try_from(there.count()).ok()?;
        Some(there * there * 1_000_000)
    }

    fn couples(&self) -> bool {
        true
    }
}

#[test]
fn rules_and_goals_of_the_host_count_at_every_step() {
    let (mut best, mut all) = (0, 0);
    for seed in 0..60 {
        let mut problem = problem(seed, &[Part::Carbon, Part::Scores]);
        problem.rules.push(CustomRule::new(AllOrNone));
        problem.measures.push(CustomGoal::new(Squared));
        problem.goals = Goals::smo().with(
            crate::placement::Goal::Preference,
            Weight::from_millionths(1_000_000),
        );
        let context = PlaceContext { problem: &problem };
        let exact = Exhaustive::default().place(&context).unwrap();
        let model = IntegerModel::without_code(&problem).unwrap();
        let found = improve(&problem, &model, &problem.current, 20_000_000, &mut |_| true);
        if let Some(placement) = &found.placement {
            assert_eq!(verify(&problem, placement), vec![]);
        }
        let Answer::Found { placement, .. } = exact else {
            assert_eq!(found.placement, None, "seed {seed}");
            continue;
        };
        let worth = |placement: &Placement| evaluate(&problem, placement).unwrap().1;
        all += 1;
        best += usize::from(
            found
                .placement
                .is_some_and(|found| worth(&found) == worth(&placement)),
        );
    }
    assert!(all > 20 && best * 10 >= all * 9, "{best} of {all}");
    let keys = Vec::new();
    assert!(Code::of(&PlacementProblem::default(), keys).is_none());
}

#[test]
fn whoever_watches_ends_it() {
    let (_, problem) = problems().nth(3).unwrap();
    let model = IntegerModel::without_code(&problem).unwrap();
    let mut calls = 0;
    let found = improve(&problem, &model, &problem.current, 1_000_000_000, &mut |_| {
        calls += 1;
        calls < 3
    });
    assert!(found.stopped);
    assert_eq!(calls, 3);
}
