//! Problem files: what is written is read as it was, and what is wrong is refused with its place.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

#[path = "model_support/mod.rs"]
#[allow(dead_code)]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use smo_core::cluster::{CarbonProfile, Intensity, Readiness, Taint, TaintEffect, Toleration};
use smo_core::placement::file::{codes, schema};
use smo_core::placement::rules::{Pair, Rule};
use smo_core::placement::{
    AutoPlacer, Ceiling, CustomRule, Goal, Goals, PlacementProblem, Reason, Value, Weight, decide,
};
use smo_core::resources::ResourceName;
use smo_core::units::{Bytes, DataRate, Latency};
use support::{Part, problem, service_key};

fn examples() -> Vec<(String, String)> {
    let folder: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/problems");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(path).unwrap())
    };
    files.map(read).collect()
}

/// A problem with every part at hand, and with amounts at the ends of what there is.
fn rich(seed: u64) -> PlacementProblem {
    let mut rich = problem(seed, &Part::ALL);
    let big = i64::try_from(seed % 1_000_003).unwrap() * 9_000_000_000_001;
    for (number, supply) in rich.clusters.values_mut().enumerate() {
        supply.provider = Some("a provider: 'yes'".to_owned());
        supply.zones = vec!["z 1".to_owned(), "true".to_owned()];
        supply.taken.set(ResourceName::STORAGE, u64::MAX - seed);
        supply.taints.push(Taint {
            key: "edge".to_owned(),
            value: Some("0644".to_owned()),
            effect: TaintEffect::PreferNoSchedule,
        });
        supply.carbon = supply.carbon.map(|profile| CarbonProfile {
            intensity: Intensity::marginal(profile.intensity.grams() + 0.1),
            ..profile
        });
        if number == 1 {
            let since = Some("2026-11-24T02:11:00.000000001Z".parse().unwrap());
            let reason = "gone".to_owned();
            supply.readiness = Readiness::NotReady { reason, since };
        } else if number == 2 {
            supply.readiness = Readiness::Unknown {
                reason: String::new(),
            };
        }
    }
    for demand in rich.services.values_mut() {
        demand.state = Bytes::new(seed);
        demand.tolerations.push(Toleration {
            key: None,
            value: None,
            effect: Some(TaintEffect::NoExecute),
        });
    }
    for link in &mut rich.links {
        link.traffic = DataRate::new(seed);
        link.limit.rtt_below = Some(Latency::from_base(big + 1));
    }
    for scores in rich.scores.values_mut() {
        scores.values_mut().for_each(|score| *score -= big);
    }
    for budget in &mut rich.budgets {
        budget.at_most -= big;
    }
    rich.goals = rich
        .goals
        .with(Goal::Carbon, Weight::from_millionths(big + 1))
        .then(Goals::by_priority([Goal::Money, Goal::Balance]));
    rich.ceilings.push(Ceiling {
        goals: Goals::default(),
        at_most: Value::from_units(i128::from(big) * -1_000_003_000_007),
    });
    rich
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(seed: u64, parts in prop::collection::btree_set(0..Part::ALL.len(), 0..6)) {
        let parts: Vec<Part> = parts.into_iter().map(|part| Part::ALL[part]).collect();
        for asked in [problem(seed, &parts), rich(seed)] {
            let text = asked.to_json().unwrap().to_string();
            prop_assert_eq!(&PlacementProblem::parse(&text).unwrap(), &asked);
            prop_assert_eq!(&PlacementProblem::parse(&asked.to_yaml().unwrap()).unwrap(), &asked);
            let document: schema::Document = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(document, asked.document().unwrap());
        }
    }
}

#[test]
fn order_is_kept() {
    let asked = problem(7, &Part::ALL);
    let read = PlacementProblem::parse(&asked.to_yaml().unwrap()).unwrap();
    assert!(read.services.keys().eq(asked.services.keys()));
    assert!(read.clusters.keys().eq(asked.clusters.keys()));
}

#[test]
fn the_examples_are_decided() {
    let examples = examples();
    assert_eq!(examples.len(), 1);
    for (name, text) in examples {
        let (asked, notes) = PlacementProblem::parse_noted(&name, &text, Default::default()).unwrap();
        assert_eq!(notes, [], "{name}");
        let decision = decide(&AutoPlacer::default(), &asked)
            .unwrap()
            .into_decision()
            .unwrap();
        insta::assert_snapshot!(format!("{} {:?}", decision.value, decision.status), @"0.850659 Optimal");
        insta::assert_json_snapshot!(decision.placement, @r#"
        {
          "default/shop/web": {
            "edge-1": 2,
            "edge-2": 1
          },
          "default/shop/cart": {
            "edge-2": 2
          },
          "default/shop/recommender": {
            "edge-2": 1
          },
          "default/shop/db": {
            "edge-1": 1
          }
        }
        "#);
        let json = smo_core::yaml::parse(&text, Default::default())
            .unwrap()
            .to_json();
        let document: schema::Document = serde_json::from_value(json).unwrap();
        assert_eq!(document.problem.services.len(), asked.services.len());
    }
}

const WRONG: &str = "problem:
  goals: {mony: 1, carbon: much, then: [{moves: x}]}
  services:
    - {name: web}
    - {name: default/shop/db, replicas: -1, perReplica: {cpu: 1, ram: 2}, pinned: [edge-9], mode: both}
    - {name: default/shop/db, state: x, spread: [{key: '', minGroups: 1.5}]}
    - {labels: [{key: tier, operator: In}, {key: tier, operator: Near}], tolerations: [{effect: Never}]}
  clusters:
    - {name: edge-1, capacity: {cpu: -1}, price: {cpu: -1}, carbon: {intensity: -1}}
    - {name: edge-1}
    - {name: Edge_2, ready: maybe}
  links:
    - {from: default/shop/bd, to: default/shop/db, rttBelow: 0, traffic: x}
  network:
    - {between: [edge-1]}
  current:
    shop/db: {edge-1: 1}
    default/shop/db: {edge-1: x}
  coLocation:
    - {services: [default/shop/db, default/shop/x], price: -1}
  antiAffinity:
    - {key: zone}
  budgets:
    - {goal: preference, atMost: 1}
    - {goal: money}
  soft: {taint: 1, demand: 1, spread: -1}
  scores:
    default/shop/x: {edge-1: 1}
  ceilings:
    - {goals: {}, atMost: x}
";

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let inputs = [
        WRONG,
        "fleet: {clusters: []}",
        "problem: 3",
        "problem: {services: [{name: a/b/c, replicas: 4294967295, perReplica: {memory: 16E}}], clusters: []}",
    ];
    let mut given = BTreeSet::new();
    for text in inputs {
        let violations = PlacementProblem::parse_named("shop.yaml", text).unwrap_err();
        given.extend(violations.codes());
        insta::assert_snapshot!(violations);
    }
    for (code, _) in codes::ALL {
        assert!(given.contains(code.0), "{code}");
    }
}

#[test]
fn clusters_that_are_gone_are_notes() {
    let text = "problem: {services: [{name: p/g/s, excluded: [b]}], clusters: [{name: a}], network: [{between: [a, b], rtt: 1}], current: {p/g/s: {b: 1}}, scores: {p/g/s: {b: 1}}}";
    let (read, notes) = PlacementProblem::parse_noted("p.yaml", text, Default::default()).unwrap();
    assert_eq!(notes.len(), 3);
    assert_eq!(read.network.iter().count(), 1);
    assert_eq!(read.current.get(&service_key(0)).map(|now| now.replicas()), None);
    assert_eq!(read.current.len(), 1);
}

#[test]
fn hostile_texts_are_refused_and_never_panic() {
    let texts = [
        String::new(),
        "\0".to_owned(),
        "problem: [a]".to_owned(),
        "problem: {services: 5, clusters: x, links: 1, goals: [], soft: [], scores: 3, current: 4}"
            .to_owned(),
        "problem: {services: [1, null, {}, {name: []}], clusters: [1, null, {name: {}}]}".to_owned(),
        format!("problem: {}", "{a: ".repeat(10_000)),
    ];
    for text in texts {
        assert!(!PlacementProblem::parse(&text).unwrap_err().is_empty());
    }
}

#[derive(Debug)]
struct Licensed;

impl Rule for Licensed {
    fn name(&self) -> &str {
        "licensed"
    }

    fn forbids(&self, _: &Pair<'_>) -> Option<Reason> {
        None
    }
}

#[test]
fn what_has_no_place_in_a_file_is_not_written() {
    let mut asked = problem(1, &[]);
    asked.rules.push(CustomRule::new(Licensed));
    insta::assert_snapshot!(asked.document().unwrap_err(), @"the problem cannot be written: the rule licensed of the host is code");
    asked.rules.clear();
    let clusters: Vec<_> = asked.clusters.keys().cloned().collect();
    asked.clusters[&clusters[0]].capacity.set("floppies", 2);
    insta::assert_snapshot!(asked.document().unwrap_err(), @"the problem cannot be written: F008 problem.clusters[0].capacity.floppies: unknown resource `floppies`; one of cpu, memory, storage, pods, gpus, or an extended resource such as nvidia.com/gpu");
}
