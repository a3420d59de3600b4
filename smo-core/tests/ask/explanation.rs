//! Full explanations.

use std::collections::BTreeSet;

use proptest::prelude::*;
use smo_core::placement::ask::{FullExplanation, Precision, Price, explain_in_full};
use smo_core::placement::{Decision, MilpPlacer, PlacementProblem, Value, decide};

use crate::support::{Room, brussels, cluster, key, problems, shop, sound_placements};

fn place(problem: &PlacementProblem) -> Decision {
    decide(&MilpPlacer::default(), problem)
        .unwrap()
        .into_decision()
        .unwrap()
}

fn explain(problem: &PlacementProblem, questions: u64) -> FullExplanation {
    explain_in_full(&MilpPlacer::default(), problem, &place(problem), questions).unwrap()
}

#[test]
fn brussels_is_explained() {
    let explained = explain(&brussels(), 400);
    assert!(explained.complete);
    insta::assert_snapshot!(explained);
}

#[test]
fn the_shop_is_explained() {
    let explained = explain(&shop(), 400);
    assert!(explained.complete);
    insta::assert_snapshot!(explained);
    insta::assert_snapshot!(explained.to_svg());
}

#[test]
fn with_few_questions_prices_are_upper_bounds() {
    let explained = explain(&shop(), 4);
    assert!(!explained.complete);
    insta::assert_snapshot!(explained);
    let exact = explain(&shop(), 400);
    for (service, choice) in &explained.services {
        for (cluster, price) in &choice.others {
            if let (
                Price::Costs {
                    difference,
                    precision: Precision::AtMost,
                    ..
                },
                Some(best),
            ) = (price, exact.services[service].others[cluster].difference())
            {
                assert!(*difference >= best);
            }
        }
    }
}

#[test]
fn a_service_moves_along_where_its_link_is_short() {
    let mut problem = brussels();
    let gpu = smo_core::resources::ResourceName::NVIDIA_GPU;
    problem.clusters[&cluster("cloud-1")].capacity.set(gpu, 1);
    let explained = explain(&problem, 400);
    let price = &explained.services[&key("image-detection")].others[&cluster("edge-2")];
    let Price::Costs { along, precision, .. } = price else {
        panic!("{price}")
    };
    assert_eq!(*precision, Precision::Exact);
    assert_eq!(
        along.iter().map(|moved| &moved.service).collect::<Vec<_>>(),
        [&key("noise-reduction")]
    );
}

#[test]
fn json_and_picture_have_every_pair() {
    let explained = explain(&shop(), 400);
    let json = serde_json::to_value(&explained).unwrap();
    assert_eq!(
        json["services"]["default/demo/web"]["others"]
            .as_object()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(json["complete"], true);
    let svg = explained.to_svg();
    assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
    assert_eq!(svg.matches("<rect").count(), 5 * 3);
    assert_eq!(svg.matches("class=\"here\"").count(), 5);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn prices_are_those_of_trying_everything(problem in problems(Room::Some)) {
        let sound = sound_placements(&problem);
        prop_assume!(!sound.is_empty());
        let decision = place(&problem);
        let explained = explain_in_full(&MilpPlacer::default(), &problem, &decision, 1_000).unwrap();
        prop_assert!(explained.complete);
        for (service, choice) in &explained.services {
            let mut best: Option<Value> = None;
            for (cluster, price) in &choice.others {
                let there = sound.iter().filter(|(placement, ..)| placement.get(service).is_some_and(|there| there.on(cluster) > 0));
                let expected = there.map(|(_, _, value)| value.minus(decision.value)).min();
                prop_assert_eq!(price.difference(), expected, "{} on {}: {}", service, cluster, price);
                match price {
                    Price::Costs { precision, .. } => prop_assert_eq!(*precision, Precision::Exact),
                    Price::NoRoom { proved, .. } => prop_assert!(*proved),
                    Price::Forbidden(_) => {}
                    Price::NotAsked(_) => prop_assert!(false, "not asked"),
                }
                best = match (best, expected) { (Some(one), Some(other)) => Some(one.min(other)), (one, other) => one.or(other) };
            }
            let runner_up = choice.runner_up.as_ref().map(|name| choice.others[name].difference().unwrap());
            prop_assert_eq!(runner_up, best);
        }
    }

    #[test]
    fn what_binds_is_worth_what_trying_everything_says(problem in problems(Room::Some)) {
        let sound = sound_placements(&problem);
        prop_assume!(!sound.is_empty());
        let decision = place(&problem);
        let explained = explain_in_full(&MilpPlacer::default(), &problem, &decision, 1_000).unwrap();
        let texts: BTreeSet<&str> = explained.binding.iter().map(|binding| binding.text.as_str()).collect();
        prop_assert_eq!(texts.len(), explained.binding.len());
        for binding in &explained.binding {
            use smo_core::placement::ask::Condition;
            let mut without = problem.clone();
            match &binding.condition {
                Condition::NotReady { cluster } => without.clusters[cluster].readiness = smo_core::cluster::Readiness::Ready,
                Condition::Capacity { cluster, resource } => without.clusters[cluster].capacity.set(resource.clone(), 1 << 50),
                Condition::Pin { service } => without.services[service].pinned = None,
                Condition::Exclusion { service } => without.services[service].excluded.clear(),
                Condition::Regions { service } => without.services[service].regions = None,
                Condition::Link { from, to } => without.links.retain(|link| (&link.from, &link.to) != (from, to)),
                other => prop_assert!(false, "{other:?} is not in random problems"),
            }
            let best = sound_placements(&without).into_iter().map(|(_, _, value)| value).min().unwrap();
            prop_assert_eq!(binding.gain, decision.value.minus(best), "{}", binding.text);
            prop_assert!(binding.exact && binding.gain > Value::ZERO);
        }
    }
}
