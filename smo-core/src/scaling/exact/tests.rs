//! Against brute force over all counts, which shares no code with the search.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::{ClusterRoom, ScalingBreach, Throughput, decide, verify};
use super::cover::{Cover, Covering};
use super::*;
use crate::cluster::Price;
use crate::resources::{ResourceName, Resources};
use crate::units::{Money, Rate};
use crate::value::Weight;

/// A service of a random problem: load, alpha, beta, min, max, cpu, memory, GPUs, and (cluster, replicas) pairs.
type Sketch = (i64, i64, i64, u32, u32, u64, u64, u64, Vec<(usize, u32)>);

fn problem(goals: ScalingGoals, rooms: &[(u64, u64, u64, i64)], services: &[Sketch]) -> ScalingProblem {
    let mut problem = ScalingProblem {
        goals,
        ..ScalingProblem::default()
    };
    for (index, (cpu, memory, gpus, price)) in rooms.iter().enumerate() {
        let capacity = Resources::new()
            .with(ResourceName::CPU, *cpu)
            .with(ResourceName::MEMORY, *memory)
            .with(ResourceName::NVIDIA_GPU, *gpus);
        let price = Price::free().with(ResourceName::CPU, Money::from_base(*price));
        let room = ClusterRoom { capacity, price };
        problem
            .clusters
            .insert(format!("c{index}").parse().unwrap(), room);
    }
    for (index, (load, alpha, beta, min, max, cpu, memory, gpus, pairs)) in services.iter().enumerate() {
        let mut per_replica = Resources::new()
            .with(ResourceName::CPU, *cpu)
            .with(ResourceName::MEMORY, *memory);
        if *gpus > 0 {
            per_replica.set(ResourceName::NVIDIA_GPU, *gpus);
        }
        let clusters = pairs
            .iter()
            .map(|(cluster, n)| (format!("c{}", cluster % rooms.len()).parse().unwrap(), *n));
        let service = ServiceLoad {
            load: Rate::from_base(*load * 1000),
            throughput: Throughput {
                alpha: Rate::from_base(*alpha * 1000),
                beta: Rate::from_base(*beta * 1000),
            },
            min: *min,
            max: *max,
            per_replica,
            requires: BTreeSet::new(),
            clusters: clusters.collect(),
        };
        problem
            .services
            .insert(format!("p/g/s{index}").parse().unwrap(), service);
    }
    problem
}

/// No more replicas fit a cluster: each takes at least one unit of memory.
const MOST_REPLICAS: u64 = 6;

/// The least cost in points over every combination of counts, straight from the words of the goals.
fn brute_force(problem: &ScalingProblem) -> Option<f64> {
    let pairs: Vec<(usize, usize, u32)> = problem
        .services
        .values()
        .enumerate()
        .flat_map(|(index, service)| {
            let at = |name| problem.clusters.get_index_of(name).unwrap();
            service
                .clusters
                .iter()
                .map(move |(name, n)| (index, at(name), *n))
        })
        .collect();
    let mut counts = vec![0_u32; pairs.len()];
    let mut best: Option<f64> = None;
    loop {
        if let Some(cost) = cost(problem, &pairs, &counts) {
            best = Some(best.map_or(cost, |best| best.min(cost)));
        }
        let Some(next) = counts.iter().position(|count| u64::from(*count) < MOST_REPLICAS) else {
            return best;
        };
        counts[next] += 1;
        counts[..next].fill(0);
    }
}

fn cost(problem: &ScalingProblem, pairs: &[(usize, usize, u32)], counts: &[u32]) -> Option<f64> {
    let services: Vec<&ServiceLoad> = problem.services.values().collect();
    let mut totals = vec![0; services.len()];
    let mut cost = 0.0;
    let unit = services
        .iter()
        .map(|s| f64::from(s.max) * s.per_replica.cpu().millicores() as f64)
        .fold(1.0, f64::max);
    for ((service, cluster, current), count) in pairs.iter().zip(counts) {
        totals[*service] += count;
        let (current, count) = (f64::from(*current), f64::from(*count));
        let cpu = services[*service].per_replica.cpu().millicores() as f64;
        match problem.goals {
            ScalingGoals::Smo {
                utilisation,
                transition,
                ..
            } => {
                cost += utilisation.points() * count * cpu / unit;
                cost += transition.points() * (count - current).abs() / f64::from(services[*service].max);
            }
            ScalingGoals::Cost {
                money,
                replicas,
                starts,
                stops,
            } => {
                let price = problem.clusters[*cluster]
                    .price
                    .of(&services[*service].per_replica)
                    .unwrap();
                cost += count * (money.points() * price.to_f64() + replicas.points());
                cost += starts.points() * (count - current).max(0.0)
                    + stops.points() * (current - count).max(0.0);
            }
        }
    }
    for (service, total) in services.iter().zip(&totals) {
        let (min, max) = match problem.goals {
            ScalingGoals::Cost { .. } => (service.min, service.max),
            ScalingGoals::Smo { bounded: true, .. } => (1, service.max),
            ScalingGoals::Smo { .. } => (1, u32::MAX),
        };
        let line = service.throughput.alpha.base() * i64::from(*total) + service.throughput.beta.base();
        let carries = if *total == 0 { 0 } else { line.max(0) };
        if *total < min || *total > max || carries < service.load.base() {
            return None;
        }
    }
    for (index, room) in problem.clusters.values().enumerate() {
        for (name, capacity) in room.capacity.iter() {
            let taken: u64 = pairs
                .iter()
                .zip(counts)
                .filter(|((_, cluster, _), _)| *cluster == index)
                .map(|((service, ..), n)| {
                    services[*service].per_replica.amount(name.as_str()) * u64::from(*n)
                })
                .sum();
            if taken > capacity {
                return None;
            }
        }
    }
    Some(cost)
}

thread_local! {
    /// One memory for all cases: what was decided before must not show.
    static WORKSPACE: std::cell::RefCell<ScalingWorkspace> = std::cell::RefCell::default();
}

fn agrees(problem: &ScalingProblem) -> Result<(), TestCaseError> {
    let decision = decide(&ExactScaler::new(), problem);
    let decision = decision.map_err(|error| TestCaseError::fail(error.to_string()))?;
    WORKSPACE.with_borrow_mut(|workspace| {
        let counts = ExactScaler::new().counts(problem, workspace).unwrap();
        let shares = decision.services().values().flat_map(|target| &target.shares);
        match (&decision, counts) {
            (ScalingDecision::Scale(targets), Some(counts)) => {
                prop_assert!(counts.replicas.iter().copied().eq(shares.map(|share| share.to)));
                prop_assert_eq!(Some(counts.value), targets.value);
                prop_assert_eq!(Some(counts.bound), targets.bound);
            }
            (decision, counts) => prop_assert!(counts.is_none(), "{counts:?}, and\n{decision}"),
        }
        Ok(())
    })?;
    match (brute_force(problem), &decision) {
        (Some(best), ScalingDecision::Scale(targets)) => {
            prop_assert!(targets.is_optimal(), "{targets}");
            let value = targets.value.unwrap().points();
            prop_assert!((value - best).abs() < 1e-9, "{value} is not {best}\n{targets}");
        }
        (None, ScalingDecision::Replace(replace)) => {
            prop_assert!(replace.proved);
            prop_assert!(!replace.lacks.is_empty());
        }
        (best, decision) => prop_assert!(false, "brute force {best:?}, got\n{decision}"),
    }
    Ok(())
}

fn sketch(clusters: usize) -> impl Strategy<Value = Sketch> {
    let pairs = proptest::collection::vec((0..3_usize, 0..5_u32), 1..=clusters);
    let model = (0..30_i64, 4..12_i64, -3..4_i64);
    let bounds = (0..3_u32, 3..6_u32);
    let demand = (1..4_u64, 1..4_u64, 0..2_u64);
    (model, bounds, demand, pairs).prop_map(|(model, bounds, demand, pairs)| {
        let (load, alpha, beta) = model;
        (
            load,
            alpha,
            beta,
            bounds.0,
            bounds.1,
            demand.0 * 500,
            demand.1,
            demand.2,
            pairs,
        )
    })
}

/// Room of a cluster, with little enough memory for brute force.
fn room() -> impl Strategy<Value = (u64, u64, u64, i64)> {
    (2..14_u64, 3..=MOST_REPLICAS, 0..7_u64, 1..9_i64)
        .prop_map(|(cpu, memory, gpus, price)| (cpu * 500, memory, gpus, price * 7_000_000))
}

fn goals() -> impl Strategy<Value = ScalingGoals> {
    let dear = ScalingGoals::Cost {
        money: Weight::from_millionths(1_000_000),
        replicas: Weight::from_millionths(100),
        starts: Weight::from_millionths(20_000),
        stops: Weight::from_millionths(50_000),
    };
    let bounded = ScalingGoals::Smo {
        utilisation: Weight::from_millionths(800_000),
        transition: Weight::from_millionths(300_000),
        bounded: true,
    };
    prop_oneof![
        Just(ScalingGoals::default()),
        Just(ScalingGoals::smo()),
        Just(bounded),
        Just(dear)
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn one_cluster_is_decided_as_brute_force_does(goals in goals(), room in room(), services in proptest::collection::vec(sketch(1), 1..5)) {
        agrees(&problem(goals, &[room], &services))?;
    }

    #[test]
    fn several_clusters_are_decided_as_brute_force_does(
        goals in goals(),
        rooms in proptest::collection::vec(room(), 2..4),
        services in proptest::collection::vec(sketch(2), 1..4),
    ) {
        agrees(&problem(goals, &rooms, &services))?;
    }

    #[test]
    fn search_and_dynamic_programme_agree(
        services in proptest::collection::vec((1..50_i128, 1..9_u32, 1..40_i128), 1..12),
        share in 1..100_i128,
    ) {
        let whole: i128 = services.iter().map(|(_, most, gives)| gives * i128::from(*most)).sum();
        let excess = (whole * share / 100).max(1);
        let mut covering = Covering::default();
        let (searched, stopped) = covered(&mut covering, &services, excess, u64::MAX);
        // In the memory of another search.
        let (programmed, programmed_stopped) = covered(&mut covering, &services, excess, 1);
        prop_assert_eq!(searched.cost, programmed.cost);
        prop_assert_eq!(searched.cost, searched.bound);
        for (answer, stopped) in [(searched, stopped), (programmed, programmed_stopped)] {
            let sum = |of: fn(&(i128, u32, i128)) -> i128| -> i128 {
                services.iter().zip(&stopped).map(|(s, n)| of(s) * i128::from(*n)).sum()
            };
            prop_assert!(sum(|s| s.2) >= excess);
            prop_assert_eq!(sum(|s| s.0), answer.cost);
            prop_assert!(services.iter().zip(&stopped).all(|(s, n)| *n <= s.1));
        }
    }
}

/// The cheapest cover of services as (cost, most, gives).
fn covered(
    covering: &mut Covering,
    services: &[(i128, u32, i128)],
    excess: i128,
    max_nodes: u64,
) -> (Cover, Vec<u32>) {
    covering.begin([excess]);
    for (cost, most, gives) in services {
        covering.push(*cost, *most, [*gives]);
    }
    let cover = covering.solve(max_nodes).unwrap();
    (cover, covering.stopped.clone())
}

fn load(load: i64, max: u32, cpu: u64, pairs: Vec<(usize, u32)>) -> Sketch {
    (load, 110_000, -30_000, 1, max, cpu, 1 << 30, 0, pairs)
}

const WIDE: (u64, u64, u64, i64) = (8_000, 64 << 30, 0, 30_000_000);

#[test]
fn more_load_starts_the_fewest_replicas_and_less_stops_them() {
    let services = [
        load(505_000, 10, 1_000, vec![(0, 2)]),
        load(60_000, 10, 500, vec![(0, 4)]),
    ];
    let problem = problem(ScalingGoals::default(), &[WIDE], &services);
    insta::assert_snapshot!(decide(&ExactScaler::new(), &problem).unwrap(), @"
    s0 2 -> 5 replicas on c0
      load 505 req/s; 5 replicas carry 520 (110 r - 30)
      the fewest that carry it: 4 would carry 410, 95 req/s short
    s1 4 -> 1 replica on c0
      load 60 req/s; 1 replica carries 80 (110 r - 30)
      the fewest that carry it: 0 would carry 0, 60 req/s short
    ");
}

#[test]
fn replicas_are_divided_at_least_cost() {
    let rooms = [(3_000, 64 << 30, 0, 20_000_000), (8_000, 64 << 30, 0, 30_000_000)];
    let services = [
        load(500_000, 10, 1_000, vec![(0, 0), (1, 2)]),
        load(100_000, 10, 1_000, vec![(0, 2)]),
    ];
    let problem = problem(ScalingGoals::default(), &rooms, &services);
    insta::assert_snapshot!(decide(&ExactScaler::new(), &problem).unwrap(), @"
    s0 2 -> 5 replicas: c0 0 -> 1, c1 2 -> 4
      load 500 req/s; 5 replicas carry 520 (110 r - 30)
      the fewest that carry it: 4 would carry 410, 90 req/s short
    s1 stays at 2 replicas on c0
      load 100 req/s; 2 replicas carry 190 (110 r - 30)
      the fewest that carry it: 1 would carry 80, 20 req/s short
    ");
}

#[test]
fn too_little_room_says_who_lacks_how_much() {
    let rooms = [(4_000, 64 << 30, 1, 0), (1_500, 64 << 30, 0, 0)];
    let mut gpu = load(300_000, 10, 500, vec![(0, 1)]);
    gpu.7 = 1;
    let services = [
        load(505_000, 3, 500, vec![(0, 1)]),
        load(400_000, 10, 1_000, vec![(0, 1), (1, 1)]),
        gpu,
    ];
    let problem = problem(ScalingGoals::default(), &rooms, &services);
    let decision = decide(&ExactScaler::new(), &problem).unwrap();
    insta::assert_snapshot!(decision, @"
    the load does not fit where the services are (proved): place again
      s0 lacks 2 of 5 replicas: 3 carry 300 of 505 req/s; more than 3 are not allowed
      s1 lacks 1 of 4 replicas: 3 carry 300 of 400 req/s; c0 has 0 cores left, one more takes 1 core; c1 has 0.5 cores left, one more takes 1 core
      s2 lacks 2 of 3 replicas: 1 carries 80 of 300 req/s; c0 has 0 cores left, one more takes 0.5 cores; c0 has 0 nvidia.com/gpu left, one more takes 1 nvidia.com/gpu
    until then
      s0 1 -> 3 replicas on c0
      s1 2 -> 3 replicas: c0 1 -> 2, c1 1
    ");
    let json = serde_json::to_string_pretty(&decision).unwrap();
    insta::assert_snapshot!(json.lines().take(40).collect::<Vec<_>>().join("\n"), @r#"
    {
      "replace": {
        "scaler": "exact",
        "proved": true,
        "lacks": [
          {
            "service": "p/g/s0",
            "needed": 5,
            "possible": 3,
            "load": 505.0,
            "carried": 300.0,
            "reasons": [
              {
                "reason": "maximum",
                "max": 3
              }
            ]
          },
          {
            "service": "p/g/s1",
            "needed": 4,
            "possible": 3,
            "load": 400.0,
            "carried": 300.0,
            "reasons": [
              {
                "reason": "insufficient",
                "cluster": "c0",
                "resource": "cpu",
                "left": 0,
                "perReplica": 1000
              },
              {
                "reason": "insufficient",
                "cluster": "c1",
                "resource": "cpu",
                "left": 500,
                "perReplica": 1000
              }
            ]
    "#);
}

#[test]
fn what_is_required_has_to_be_offered() {
    let mut problem = problem(
        ScalingGoals::smo(),
        &[(8_000, 1 << 40, 0, 0)],
        &[load(1, 3, 500, vec![(0, 1)])],
    );
    problem.services[0]
        .requires
        .insert(ResourceName::new(ResourceName::NVIDIA_GPU));
    insta::assert_snapshot!(decide(&ExactScaler::new(), &problem).unwrap(), @"
    the load does not fit where the services are (proved): place again
      s0 lacks 1 of 1 replica: 0 carry 0 of 0.001 req/s; c0 offers no nvidia.com/gpu
    until then
      s0 1 -> 0 replicas on c0
    ");
}

#[test]
fn every_fault_of_a_question_is_told_at_once() {
    let mut services = vec![load(-5_000, 2, 500, vec![(0, 1)]); 3];
    services[0].3 = 4;
    services[1].1 = 0;
    services[2].8.clear();
    let mut problem = problem(ScalingGoals::default(), &[WIDE], &services);
    problem.services[1]
        .clusters
        .insert("elsewhere".parse().unwrap(), u32::MAX);
    problem.clusters[0].price = Price::free().with(ResourceName::CPU, Money::from_base(i64::MAX));
    let error = ExactScaler::new().decide(&problem).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @"
    the scaling problem is inconsistent: p/g/s0 has a load of -5 req/s
    a load is not negative
    p/g/s0 has a maximum of 2 below its minimum of 4
    one replica of p/g/s0 is worth more than 1000 points
    take smaller weights or prices
    p/g/s1 has a load of -5 req/s
    a load is not negative
    p/g/s1 has an alpha of 0 req/s
    one more replica has to carry more, so it is above zero
    p/g/s1 may run on elsewhere, which is no cluster of the problem
    p/g/s1 runs more than 4294967295 replicas now
    one replica of p/g/s1 is worth more than 1000 points
    take smaller weights or prices
    p/g/s2 has a load of -5 req/s
    a load is not negative
    p/g/s2 names no cluster that it may run on
    ");
    problem.goals = ScalingGoals::smo();
    problem.services[0].max = 0;
    let error = ExactScaler::new().decide(&problem).unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @"
    the scaling problem is inconsistent: p/g/s0 has a load of -5 req/s
    a load is not negative
    p/g/s0 has a maximum of 0, by which the predecessor's model divides
    p/g/s1 has a load of -5 req/s
    a load is not negative
    p/g/s1 has an alpha of 0 req/s
    one more replica has to carry more, so it is above zero
    p/g/s1 may run on elsewhere, which is no cluster of the problem
    p/g/s1 runs more than 4294967295 replicas now
    p/g/s2 has a load of -5 req/s
    a load is not negative
    p/g/s2 names no cluster that it may run on
    ");
}

#[test]
fn an_answer_that_breaks_a_bound_is_found_out() {
    let problem = problem(
        ScalingGoals::default(),
        &[WIDE],
        &[load(300_000, 4, 1_000, vec![(0, 2)])],
    );
    let good = ExactScaler::new().decide(&problem).unwrap();
    assert_eq!(verify(&problem, &good), []);
    let mut texts = Vec::new();
    for wrong in [2, 5, 4_000] {
        let mut decision = good.clone();
        let ScalingDecision::Scale(targets) = &mut decision else {
            panic!("{good}")
        };
        targets.services[0].shares[0].to = wrong;
        texts.extend(verify(&problem, &decision).iter().map(ScalingBreach::to_string));
    }
    let ScalingDecision::Scale(mut targets) = good else {
        panic!()
    };
    targets.services[0].shares[0].cluster = "other".parse().unwrap();
    texts.extend(
        verify(&problem, &ScalingDecision::Scale(targets.clone()))
            .iter()
            .map(ScalingBreach::to_string),
    );
    targets.services.clear();
    texts.extend(
        verify(&problem, &ScalingDecision::Scale(targets))
            .iter()
            .map(ScalingBreach::to_string),
    );
    insta::assert_snapshot!(texts.join("\n"), @"
    p/g/s0 gets 2 replicas, which carry 190 req/s of 300 req/s
    p/g/s0 gets 5 replicas, outside 1 to 4
    p/g/s0 gets 4000 replicas, outside 1 to 4
    c0 has 8000 base units of cpu for replicas that take 4000000
    c0 has 68719476736 base units of memory for replicas that take 4294967296000
    p/g/s0 may run on c0, and it answers for other
    it says nothing about p/g/s0
    ");
}

#[test]
fn extreme_amounts_do_not_overflow() {
    let huge = (
        i64::MAX / 1000,
        1,
        -1,
        0,
        u32::MAX,
        u64::MAX,
        u64::MAX,
        u64::MAX,
        vec![(0, u32::MAX), (1, 3)],
    );
    let rooms = [(u64::MAX, u64::MAX, u64::MAX, 1); 2];
    let small = (3, 1, 0, 0, 9, 1, 1, 1, vec![(1, 2), (0, 1)]);
    for goals in [ScalingGoals::default(), ScalingGoals::smo()] {
        let problem = problem(goals, &rooms, &[huge.clone(), small.clone()]);
        assert!(matches!(
            decide(&ExactScaler::new(), &problem),
            Ok(ScalingDecision::Replace(_)) | Err(_)
        ));
    }
}

#[test]
fn a_search_that_gives_up_says_so() {
    let services: Vec<Sketch> = (0..12)
        .map(|index| {
            let cpu = 700 + 130 * (index as u64 % 5);
            (
                900,
                100,
                0,
                1,
                20,
                cpu,
                1 << 20,
                0,
                vec![(index % 3, 3), ((index + 1) % 3, 4)],
            )
        })
        .collect();
    let rooms = [
        (36_000, 1 << 40, 0, 10_000_000),
        (34_500, 1 << 40, 0, 20_000_000),
        (36_300, 1 << 40, 0, 31_000_000),
    ];
    let problem = problem(ScalingGoals::default(), &rooms, &services);
    let quick = decide(&ExactScaler::new().with_max_nodes(50), &problem).unwrap();
    match &quick {
        ScalingDecision::Scale(targets) => {
            assert!(!targets.is_optimal());
            assert!(quick.to_string().contains("not proved to be the best"), "{quick}");
        }
        ScalingDecision::Replace(replace) => assert!(!replace.proved),
    }
}
