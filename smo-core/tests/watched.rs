//! Exact searches that are watched: told where they stand, ended at any moment, with nothing claimed that does not hold.

#![allow(clippy::unwrap_used, clippy::panic)]

mod model_support;

use model_support::{Part, Random, cluster_name, problem, service_key};
use smo_core::cluster::Path;
use smo_core::placement::{
    Answer, AutoPlacer, ClusterSupply, Exhaustive, FleetPlacer, Goal, Goals, LinkDemand, LinkLimit,
    MilpPlacer, Outcome, PlaceContext, PlacementProblem, Placer, Progress, Proof, ServiceDemand, Status,
    Value, Weight, decide, decide_watched, evaluate, verify,
};
use smo_core::resources::{ResourceName, Resources};
use smo_core::units::DataRate;

/// Services with a score of their own on every cluster, and clusters that they fill to so many percent.
fn packed(
    seed: u64,
    (services, clusters): (usize, usize),
    resources: &[&'static str],
    percent: u64,
) -> PlacementProblem {
    let mut random = Random::new(seed);
    let mut problem = PlacementProblem {
        goals: Goals::none().with(Goal::Preference, Weight::from_millionths(1_000_000)),
        ..PlacementProblem::default()
    };
    let mut all = vec![0; resources.len()];
    for number in 0..services {
        let mut demand = ServiceDemand {
            replicas: 1,
            ..ServiceDemand::default()
        };
        for (name, all) in resources.iter().zip(&mut all) {
            let amount = random.between(5, 25);
            *all += amount;
            demand.per_replica.set(*name, amount);
        }
        problem.services.insert(service_key(number), demand);
        let score = |number| {
            (
                cluster_name(number),
                -i64::try_from(random.between(10_000, 50_000)).unwrap() * 1_000,
            )
        };
        let scores = (0..clusters).map(score).collect();
        problem.scores.insert(service_key(number), scores);
    }
    for number in 0..clusters {
        let mut capacity = Resources::new();
        for (name, all) in resources.iter().zip(&all) {
            capacity.set(*name, all * 100 / (percent * clusters as u64));
        }
        let supply = ClusterSupply {
            capacity,
            ..ClusterSupply::default()
        };
        problem.clusters.insert(cluster_name(number), supply);
    }
    problem
}

/// The same with pairs of services that have to be near each other; clusters in a circle are near their neighbours.
fn linked(seed: u64, services: usize, clusters: usize) -> PlacementProblem {
    let mut problem = packed(seed, (services, clusters), &[ResourceName::CPU], 90);
    for number in 0..clusters {
        let path = Path {
            rtt: None,
            hops: Some(1),
            bandwidth: None,
        };
        let next = cluster_name((number + 1) % clusters);
        problem.network.measure(cluster_name(number), next, path);
    }
    for number in (0..services / 2).step_by(2) {
        problem.links.push(LinkDemand {
            from: service_key(number),
            to: service_key(number + 1),
            limit: LinkLimit {
                rtt_below: None,
                max_hops: Some(1),
            },
            traffic: DataRate::default(),
        });
    }
    problem
}

/// Searches that go through every step of the exact placers. All are settled when nobody ends them.
fn cases() -> Vec<(&'static str, Box<dyn Placer>, PlacementProblem)> {
    let exact = || Box::new(MilpPlacer::default());
    let solver = MilpPlacer::default().with_search_effort(0).with_assign_effort(0);
    let one = [ResourceName::CPU];
    let two = [ResourceName::CPU, ResourceName::MEMORY];
    vec![
        ("prices", exact(), packed(1, (40, 5), &one, 97)),
        ("its own search", exact(), packed(2, (60, 12), &one, 97)),
        ("neighbourhoods", exact(), packed(3, (36, 5), &two, 92)),
        ("links", exact(), linked(4, 40, 5)),
        ("the tree", exact(), packed(5, (20, 4), &two, 92)),
        ("the solver", Box::new(solver), packed(6, (10, 3), &two, 85)),
        (
            "everything",
            Box::new(Exhaustive::default()),
            packed(7, (7, 4), &one, 50),
        ),
    ]
}

/// What was told.
fn told(placer: &dyn Placer, problem: &PlacementProblem) -> (Answer, Vec<Progress>) {
    let mut told = Vec::new();
    let answer = placer.place_watched(&PlaceContext { problem }, &mut |progress| {
        told.push(*progress);
        true
    });
    (answer.unwrap(), told)
}

fn value(problem: &PlacementProblem, answer: &Answer) -> Option<Value> {
    match answer {
        Answer::Found { placement, .. } => Some(evaluate(problem, placement).unwrap().1),
        Answer::NotFound { .. } => None,
    }
}

/// What is told is true, says more and more, and changes nothing.
fn tells_the_truth(name: &str, placer: &dyn Placer, problem: &PlacementProblem) -> Vec<Progress> {
    let (answer, told) = told(placer, problem);
    assert_eq!(answer, placer.place(&PlaceContext { problem }).unwrap(), "{name}");
    let value = value(problem, &answer);
    for pair in told.windows(2) {
        let (before, after) = (&pair[0], &pair[1]);
        assert!(
            before.work <= after.work && before.bound <= after.bound,
            "{name}: {pair:?}"
        );
        assert!(
            before.value.is_none() || after.value.is_some_and(|value| Some(value) <= before.value),
            "{name}: {pair:?}"
        );
    }
    for progress in &told {
        assert!(
            value.is_none() || progress.value.is_none_or(|known| Some(known) >= value),
            "{name}: {progress:?} and {value:?}"
        );
        assert!(
            value.is_none() || progress.bound.is_none_or(|bound| Some(bound) <= value),
            "{name}: {progress:?} and {value:?}"
        );
    }
    told
}

/// Ends the search at its n-th report: it asks nobody again, and claims nothing that the best value there is refutes.
fn stopped(
    name: &str,
    placer: &dyn Placer,
    problem: &PlacementProblem,
    n: usize,
    best: Option<Value>,
) -> Option<Value> {
    let mut calls = 0;
    let answer = placer
        .place_watched(&PlaceContext { problem }, &mut |_| {
            calls += 1;
            calls < n
        })
        .unwrap();
    assert_eq!(calls, n, "{name}");
    if let Answer::Found {
        placement,
        bound,
        proof,
        ..
    } = &answer
    {
        assert_eq!(verify(problem, placement), vec![], "{name}, call {n}");
        assert!(
            bound.is_none() || *bound <= best,
            "{name}, call {n}: {bound:?} and {best:?}"
        );
        assert!(
            bound.is_some() || *proof == Proof::None,
            "{name}, call {n}: {proof:?}"
        );
    }
    let proved = matches!(answer, Answer::NotFound { proved: true, .. });
    assert!(!proved || best.is_none(), "{name}, call {n}: there is one");
    let mut calls = 0;
    let decided = decide_watched(placer, problem, &mut |_| {
        calls += 1;
        calls < n
    });
    assert_eq!(calls, n, "{name}");
    match decided.unwrap() {
        Outcome::Placed(decision) => {
            assert_eq!(Some(decision.value), value(problem, &answer), "{name}, call {n}");
            let optimal = decision.status == Status::Optimal;
            assert!(!optimal || Some(decision.value) == best, "{name}, call {n}");
        }
        Outcome::Infeasible(diagnosis) => {
            assert!(!diagnosis.proved || best.is_none(), "{name}, call {n}");
        }
    }
    value(problem, &answer)
}

#[test]
fn exact_searches_tell_the_truth_and_end_when_told() {
    for (name, placer, problem) in cases() {
        let told = tells_the_truth(name, placer.as_ref(), &problem);
        let decision = decide(placer.as_ref(), &problem)
            .unwrap()
            .into_decision()
            .unwrap();
        assert_eq!(decision.status, Status::Optimal, "{name}");
        let best = decision.value;
        let calls = told.len();
        assert!(calls > 2, "{name}: {told:?}");
        assert_eq!(told[calls - 1].value, Some(best), "{name}");
        let some = [1, 2, 3, 5, 8, 13, 40, calls / 2, calls - 1, calls];
        for n in some.into_iter().filter(|n| (1..=calls).contains(n)) {
            let reached = stopped(name, placer.as_ref(), &problem, n, Some(best));
            // The exact placer has an answer from the start; trying everything has it once it has found one.
            let known = told[n - 1].value;
            assert!(
                reached.is_some() || name == "everything" && known.is_none(),
                "{name}, call {n}"
            );
            assert!(
                known.is_none() || reached <= known,
                "{name}, call {n}: {reached:?} and {known:?}"
            );
        }
    }
}

#[test]
fn every_rule_and_goal_may_be_cut_short() {
    let (mut asked, mut cut) = (0, 0);
    for seed in 0..400 {
        let mut random = Random::new(seed ^ 0xcafe);
        let percent = random.between(5, 50);
        let parts: Vec<Part> = Part::ALL.into_iter().filter(|_| random.chance(percent)).collect();
        let problem = problem(seed, &parts);
        let name = format!("seed {seed}, {parts:?}");
        let (every, told) = told(&Exhaustive::default(), &problem);
        let best = value(&problem, &every);
        for n in [1, 2, told.len()]
            .into_iter()
            .filter(|n| *n <= told.len() && *n > 0)
        {
            stopped(&name, &Exhaustive::default(), &problem, n, best);
        }
        let context = PlaceContext { problem: &problem };
        let Ok(_) = MilpPlacer::default().place(&context) else {
            continue;
        };
        let calls = tells_the_truth(&name, &MilpPlacer::default(), &problem).len();
        asked += calls;
        for n in (1..=calls).take(6) {
            cut += usize::from(stopped(&name, &MilpPlacer::default(), &problem, n, best).is_some());
        }
    }
    assert!(asked > 400 && cut > 300, "asked {asked} times, {cut} cut short");
}

/// One `false` ends a decision by priority, and the default placer's way from one strategy to the next.
#[test]
fn nothing_is_begun_after_the_end() {
    let mut problem = packed(8, (24, 4), &[ResourceName::CPU, ResourceName::MEMORY], 85);
    problem.goals = Goals::by_priority([Goal::Consolidation, Goal::Preference]);
    let auto = AutoPlacer::new(MilpPlacer::default(), FleetPlacer::default()).with_effort(20_000_000);
    for n in [1, 2] {
        let mut calls = 0;
        let outcome = decide_watched(&auto, &problem, &mut |_| {
            calls += 1;
            calls < n
        });
        assert_eq!(calls, n);
        let decision = outcome.unwrap().into_decision().unwrap();
        assert_eq!(decision.levels.len(), 2);
        assert_eq!(
            decision.levels[1].bound, None,
            "{n}: the second level was searched"
        );
        assert_eq!(decision.status, Status::Feasible);
    }
}
