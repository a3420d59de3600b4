use proptest::prelude::*;

use super::{AssignProblem, FORBIDDEN, Limits, solve};

/// All answers tried: the cost of the cheapest.
pub(super) fn brute_force(problem: &AssignProblem) -> Option<i64> {
    let mut answer = vec![0; problem.tasks()];
    let mut best: Option<i64> = None;
    loop {
        if let Some(value) = problem.value(&answer) {
            best = Some(best.map_or(value, |best| best.min(value)));
        }
        let Some(at) = (0..answer.len()).find(|at| answer[*at] + 1 < problem.agents()) else {
            return best;
        };
        answer[at] += 1;
        answer[..at].fill(0);
    }
}

/// Agents, tasks, and resources with few distinct amounts, so that ties and exactly full agents are common.
fn problems() -> impl Strategy<Value = AssignProblem> {
    (1_usize..=4, 0_usize..=6, 0_usize..=3).prop_flat_map(|(agents, tasks, resources)| {
        let costs = prop::collection::vec(
            prop_oneof![5 => (-5_i64..20).prop_map(Some), 1 => Just(None)],
            agents * tasks,
        );
        let needs = prop::collection::vec(prop::collection::vec(0_u64..8, tasks), resources);
        let limits = prop::collection::vec(prop::option::of(0_u64..20), agents * resources);
        (
            costs,
            needs,
            limits,
            prop_oneof![Just(1_u64), Just(1000), Just(1 << 40)],
        )
            .prop_map(move |(costs, needs, limits, unit)| {
                let mut problem = AssignProblem::new(agents, tasks);
                for (at, cost) in costs.into_iter().enumerate() {
                    problem.set_cost(at / tasks, at % tasks, cost.unwrap_or(FORBIDDEN));
                }
                for (resource, needs) in needs.into_iter().enumerate() {
                    // Amounts without a common unit, where there are units at all: tables are then in coarse cells.
                    let odd = |(place, need): (usize, u64)| need * unit + place as u64 * u64::from(unit > 1);
                    let list = problem.add_needs(needs.into_iter().enumerate().map(odd).collect());
                    for agent in 0..agents {
                        if let Some(limit) = limits[agent * resources + resource] {
                            problem.limit(agent, list, limit * unit + unit / 2);
                        }
                    }
                }
                problem
            })
    })
}

/// One resource in amounts that make tables large: knapsacks are searched by their core, and a price says what forcing costs.
fn large() -> impl Strategy<Value = AssignProblem> {
    (2_usize..=3, 5_usize..=7).prop_flat_map(|(agents, tasks)| {
        let costs = prop::collection::vec(0_i64..60, agents * tasks);
        let needs = prop::collection::vec(9_000_u64..30_000, tasks);
        let limits = prop::collection::vec(20_000_u64..65_000, agents);
        (costs, needs, limits).prop_map(move |(costs, needs, limits)| {
            let mut problem = AssignProblem::new(agents, tasks);
            for (at, cost) in costs.into_iter().enumerate() {
                problem.set_cost(at / tasks, at % tasks, cost);
            }
            let list = problem.add_needs(needs);
            for (agent, limit) in limits.into_iter().enumerate() {
                problem.limit(agent, list, limit);
            }
            problem
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_answer_is_the_cheapest(problem in problems()) {
        let solved = solve(&problem, None, &Limits::default());
        let best = solved.best.as_ref().map(|(_, value)| *value);
        prop_assert!(solved.complete);
        prop_assert_eq!(best, brute_force(&problem));
        if let Some((answer, value)) = &solved.best {
            prop_assert_eq!(problem.value(answer), Some(*value));
            prop_assert_eq!(solved.bound, *value);
        }
    }

    #[test]
    fn only_cheaper_answers_where_asked(problem in problems(), below in -10_i64..60) {
        let limits = Limits { below: Some(below), ..Limits::default() };
        let solved = solve(&problem, None, &limits);
        prop_assert!(solved.complete);
        let wanted = brute_force(&problem).filter(|best| *best < below);
        prop_assert_eq!(solved.best.map(|(_, value)| value), wanted);
    }

    #[test]
    fn a_bound_holds_whenever_the_search_stops(problem in problems(), effort in 0_u64..3000) {
        let limits = Limits { effort, ..Limits::default() };
        let solved = solve(&problem, None, &limits);
        if let Some(best) = brute_force(&problem) {
            prop_assert!(solved.bound <= best, "{} > {best}", solved.bound);
        }
        if let Some((answer, value)) = &solved.best {
            prop_assert_eq!(problem.value(answer), Some(*value));
        }
    }

    #[test]
    fn more_room_costs_no_more(problem in problems(), more in 1_u64..5) {
        let mut wider = AssignProblem::new(problem.agents(), problem.tasks());
        for agent in 0..problem.agents() {
            for task in 0..problem.tasks() {
                wider.set_cost(agent, task, problem.cost(agent, task));
            }
            for row in problem.rows(agent) {
                let needs = (0..problem.tasks()).map(|task| problem.need(row, task)).collect();
                let list = wider.add_needs(needs);
                wider.limit(agent, list, row.capacity.saturating_mul(more));
            }
        }
        let before = solve(&problem, None, &Limits::default()).best;
        let after = solve(&wider, None, &Limits::default()).best;
        if let Some((_, before)) = before {
            prop_assert!(after.is_some_and(|(_, after)| after <= before));
        }
    }

    #[test]
    fn amounts_too_large_for_small_tables_make_no_difference(problem in large()) {
        let best = brute_force(&problem);
        let solved = solve(&problem, None, &Limits::default());
        prop_assert!(solved.complete);
        prop_assert_eq!(solved.best.map(|(_, value)| value), best);
    }

    #[test]
    fn a_start_is_never_made_worse(problem in problems()) {
        let Some((answer, value)) = solve(&problem, None, &Limits::default()).best else { return Ok(()) };
        let limits = Limits { effort: 0, ..Limits::default() };
        prop_assert_eq!(solve(&problem, Some(&answer), &limits).best, Some((answer, value)));
    }
}

#[test]
fn the_same_question_gives_the_same_bytes() {
    let problem = tight(9, 4, 3);
    let once = format!("{:?}", solve(&problem, None, &Limits::default()));
    assert_eq!(once, format!("{:?}", solve(&problem, None, &Limits::default())));
}

#[test]
fn nothing_to_do_costs_nothing() {
    let solved = solve(&AssignProblem::new(3, 0), None, &Limits::default());
    assert_eq!(solved.best, Some((vec![], 0)));
    assert!(solved.complete);
    assert!(
        solve(&AssignProblem::new(0, 2), None, &Limits::default())
            .best
            .is_none()
    );
}

#[test]
fn short_by_one_unit_is_impossible() {
    let with_last = |capacity: u64| {
        let mut problem = AssignProblem::new(2, 3);
        let needs = problem.add_needs(vec![5, 5, 4]);
        for agent in 0..2 {
            (0..3).for_each(|task| problem.set_cost(agent, task, 1));
        }
        problem.limit(0, needs, 9);
        problem.limit(1, needs, capacity);
        solve(&problem, None, &Limits::default())
    };
    let short = with_last(4);
    assert!(short.complete && short.best.is_none());
    assert_eq!(with_last(5).best.map(|(_, value)| value), Some(3));
}

#[test]
fn sums_beyond_64_bits_do_not_fit() {
    let mut problem = AssignProblem::new(1, 3);
    let needs = problem.add_needs(vec![u64::MAX / 2, u64::MAX / 2 - 1, u64::MAX / 2]);
    problem.limit(0, needs, u64::MAX);
    (0..3).for_each(|task| problem.set_cost(0, task, 1));
    let solved = solve(&problem, None, &Limits::default());
    assert!(solved.complete && solved.best.is_none());
}

#[test]
fn numbers_near_the_end_of_the_range_are_not_mistaken() {
    let mut problem = AssignProblem::new(2, 2);
    let needs = problem.add_needs(vec![u64::MAX / 2, u64::MAX / 2]);
    for agent in 0..2 {
        problem.limit(agent, needs, u64::MAX / 2);
        problem.set_cost(agent, 0, i64::MAX / 4 + agent as i64);
        problem.set_cost(agent, 1, 7);
    }
    let solved = solve(&problem, None, &Limits::default());
    assert_eq!(solved.best, Some((vec![0, 1], i64::MAX / 4 + 7)));
    problem.set_cost(1, 0, i64::MIN);
    let solved = solve(&problem, None, &Limits::default());
    assert!(
        !solved.complete && solved.bound == i64::MIN,
        "differences do not fit: nothing is claimed"
    );
}

/// Correlated costs and needs, 90 % full.
fn tight(tasks: usize, agents: usize, seed: u64) -> AssignProblem {
    let mut state = seed;
    let mut next = |most: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let mut problem = AssignProblem::new(agents, tasks);
    let needs: Vec<u64> = (0..tasks).map(|_| 5 + next(20)).collect();
    let all: u64 = needs.iter().sum();
    let list = problem.add_needs(needs.clone());
    for agent in 0..agents {
        problem.limit(agent, list, all * 11 / 10 / agents as u64);
        for (task, need) in needs.iter().enumerate() {
            problem.set_cost(agent, task, (need * (1 + next(5)) + next(10)) as i64);
        }
    }
    problem
}
