//! Against every answer there is, on small questions of every shape.

use super::certificate::SHIFT;
use super::*;
use crate::random::Random;

/// Up to 5 tasks and 4 agents: forbidden pairs, ties, zero needs, circles of links, distances by class in both directions.
fn random_problem(random: &mut Random) -> QuadraticProblem {
    let (agents, tasks, resources) = (1 + random.below(4), random.below(6), random.below(3));
    let mut problem = QuadraticProblem::new(agents, tasks, resources);
    let (spread, needy) = (1 + random.below(30), 1 + random.below(9));
    for task in 0..tasks {
        for agent in 0..agents {
            if random.below(8) > 0 {
                problem.set_cost(task, agent, random.below(spread) as i64);
            }
        }
        for resource in 0..resources {
            problem.set_need(task, resource, random.below(needy) as u64);
        }
    }
    for agent in 0..agents {
        for resource in 0..resources {
            if random.below(6) > 0 {
                problem.set_capacity(agent, resource, random.below(needy * 3) as u64);
            }
        }
    }
    let cut = problem.add_distance(Distance::cut(agents));
    let class: Vec<usize> = (0..agents).map(|_| random.below(3)).collect();
    let far: Vec<i64> = (0..9)
        .map(|_| match random.below(13) {
            12 => FORBIDDEN,
            far => far as i64,
        })
        .collect();
    let measured = problem.add_distance(Distance::new(class.clone(), |from, to| far[from * 3 + to]));
    let zones = problem.add_distance(Distance::cut_classes(class));
    for _ in 0..random.below(2 * tasks + 1) {
        let distance = [cut, measured, zones][random.below(3)];
        let (from, to) = (random.below(tasks), random.below(tasks));
        problem.add_link(Link {
            from,
            to,
            weight: random.below(6) as i64,
            distance,
        });
    }
    for _ in 0..random.below(3) {
        let tasks: Vec<usize> = (0..tasks).filter(|_| random.below(2) == 0).collect();
        let class: Vec<usize> = (0..agents).map(|_| random.below(3)).collect();
        problem.add_group(Group {
            tasks,
            class,
            usable: (0..3).map(|_| random.below(3) > 0).collect(),
            least: random.below(3),
            most: (random.below(3) == 0).then(|| 1 + random.below(2)),
            skew: (random.below(3) == 0).then(|| random.below(3)),
            price: (random.below(2) == 0).then(|| random.below(20) as i64),
        });
    }
    problem
}

/// Each task to any agent, allowed or not.
pub(super) fn every_answer(problem: &QuadraticProblem) -> impl Iterator<Item = Vec<usize>> + use<> {
    let (agents, tasks) = (problem.agents(), problem.tasks());
    (0..agents.pow(tasks as u32)).map(move |mut number| {
        let digit = |_| {
            let digit = number % agents;
            number /= agents;
            digit
        };
        (0..tasks).map(digit).collect()
    })
}

fn best_of_all(problem: &QuadraticProblem) -> Option<i64> {
    every_answer(problem)
        .filter_map(|answer| problem.value(&answer))
        .min()
}

fn quick(problem: &QuadraticProblem) -> Solved {
    solve(
        problem,
        &Start::default(),
        &Limits {
            effort: 10_000_000,
            ..Limits::default()
        },
        &mut |_| true,
    )
}

#[test]
fn small_questions_get_the_best_answer_and_its_proof() {
    let mut random = Random::new(7);
    let (mut answers, mut none) = (0, 0);
    for round in 0..400 {
        let problem = random_problem(&mut random);
        let best = best_of_all(&problem);
        let solved = quick(&problem);
        assert_eq!(
            solved.best.as_ref().map(|(_, value)| *value),
            best,
            "round {round}: {problem:?}"
        );
        assert!(solved.complete(), "round {round}: {solved:?} {problem:?}");
        if let Some((answer, value)) = &solved.best {
            assert_eq!(problem.value(answer), Some(*value));
            assert_eq!(solved.bound, *value, "round {round}");
            assert!(solved.certificate.bound(&problem).unwrap() <= *value);
            answers += 1;
        } else {
            none += 1;
        }
    }
    assert!(answers > 100 && none > 20, "{answers} answers, {none} without");
}

#[test]
fn homes_balance_and_needed_neighbours_get_the_best_answer() {
    let mut random = Random::new(29);
    let (mut answers, mut none, mut strained) = (0, 0, 0);
    for round in 0..400 {
        let mut problem = random_problem(&mut random);
        let (agents, tasks, resources) = (problem.agents(), problem.tasks(), problem.resources());
        for task in 0..tasks {
            if random.below(3) > 0 {
                problem.set_home(task, random.below(agents));
            }
        }
        for resource in 0..resources {
            if random.below(2) == 0 {
                problem.set_arriving(resource);
            }
        }
        if resources == 2 && random.below(2) == 0 {
            problem.add_balance(Balance {
                one: random.below(2),
                other: random.below(2),
                target: random.below(3) as i64,
                level: (0..agents).map(|_| random.below(9) as i64 - 4).collect(),
                price: random.below(9) as i64,
            });
            strained += 1;
        }
        for _ in 0..random.below(3) {
            problem.add_affinity(Affinity {
                tasks: (0..tasks).filter(|_| random.below(3) == 0).collect(),
                others: (0..tasks).filter(|_| random.below(2) == 0).collect(),
                class: (0..agents).map(|_| random.below(3)).collect(),
            });
        }
        let best = best_of_all(&problem);
        let solved = quick(&problem);
        let found = solved.best.as_ref().map(|(_, value)| *value);
        assert_eq!(found, best, "round {round}: {problem:?}");
        let least = best.unwrap_or(i64::MAX);
        assert!(solved.bound <= least, "round {round}: {solved:?} {problem:?}");
        assert!(
            solved
                .certificate
                .bound(&problem)
                .is_none_or(|bound| bound <= least),
            "round {round}"
        );
        answers += usize::from(best.is_some());
        none += usize::from(best.is_none());
    }
    assert!(
        answers > 100 && none > 20 && strained > 20,
        "{answers} answers, {none} without, {strained} with balance"
    );
}

#[test]
fn what_is_above_a_level_is_paid_and_proved() {
    let mut random = Random::new(11);
    let (mut answers, mut proved) = (0, 0);
    for round in 0..300 {
        let mut problem = random_problem(&mut random);
        for agent in 0..problem.agents() {
            for resource in 0..problem.resources() {
                let (level, price) = (random.below(9) as u64, random.below(8) as i64);
                problem.set_comfort(agent, resource, Comfort { level, price });
            }
        }
        let best = best_of_all(&problem);
        let solved = quick(&problem);
        let found = solved.best.as_ref().map(|(_, value)| *value);
        assert_eq!(found, best, "round {round}: {problem:?}");
        if let Some(value) = best {
            answers += 1;
            proved += usize::from(solved.complete());
            assert!(solved.bound <= value, "round {round}: {solved:?}");
            assert!(
                solved.certificate.bound(&problem).unwrap() <= value,
                "round {round}"
            );
        }
    }
    assert!(
        answers > 100 && proved * 10 > answers * 9,
        "{proved} of {answers} are proved"
    );
}

#[test]
fn a_level_that_costs_proves_what_it_costs() {
    let mut problem = QuadraticProblem::new(1, 1, 1);
    problem.set_cost(0, 0, 5);
    problem.set_need(0, 0, 4);
    problem.set_comfort(0, 0, Comfort { level: 3, price: 10 });
    let proves = |problem: &QuadraticProblem, price: u64| {
        let certificate = Certificate {
            prices: vec![u128::from(price) << SHIFT],
            ..Certificate::default()
        };
        certificate.bound(problem)
    };
    // 5, and a unit above the level at the price.
    assert_eq!(
        [0, 4, 10].map(|price| proves(&problem, price)),
        [Some(5), Some(9), Some(15)]
    );
    // With no limit a price above what a unit costs would be worth any amount; with a limit of 4 it is worth one.
    assert_eq!(proves(&problem, 12), None);
    problem.set_capacity(0, 0, 4);
    assert_eq!(proves(&problem, 12), Some(15));
    assert_eq!(quick(&problem).best, Some((vec![0], 15)));
}

/// Shares by chance, of some of the links and of the groups.
fn random_shares(random: &mut Random, problem: &QuadraticProblem) -> Certificate {
    let mut shares = Vec::new();
    let mut bearing = |random: &mut Random, of: ShareOf, tasks: usize| {
        let costs = (0..tasks * problem.agents()).map(|_| (random.below(41) as i128 - 20) << (SHIFT - 2));
        shares.push(Share {
            of,
            costs: costs.collect(),
        });
    };
    let mut free: Vec<usize> = (0..problem.links().len()).collect();
    for (number, group) in problem.groups().iter().enumerate() {
        let mut outside = (0..problem.tasks()).filter(|task| !group.tasks.contains(task));
        let beside = outside.next_back().filter(|_| random.below(3) > 0);
        let beside = beside.map(|beside| {
            let joins = |link: &usize| {
                let Link { from, to, .. } = problem.links()[*link];
                from == beside && group.tasks.contains(&to) || to == beside && group.tasks.contains(&from)
            };
            let (mine, rest) = free.iter().partition(|link| joins(link));
            free = rest;
            (beside, mine)
        });
        let tasks = group.tasks.len() + usize::from(beside.is_some());
        bearing(
            random,
            ShareOf::Group {
                group: number,
                beside,
            },
            tasks,
        );
    }
    for link in free.into_iter().filter(|link| link % 3 > 0) {
        bearing(random, ShareOf::Link(link), 2);
    }
    Certificate {
        cases: None,
        prices: vec![0; problem.agents() * problem.resources()],
        left_out: (0..problem.links().len()).collect(),
        shares,
        packing: None,
    }
}

#[test]
fn no_share_proves_more_than_there_is() {
    let mut random = Random::new(23);
    let (mut proved, mut close) = (0, 0);
    for round in 0..2_000 {
        let problem = random_problem(&mut random);
        let certificate = random_shares(&mut random, &problem);
        if let (Some(best), Some(bound)) = (best_of_all(&problem), certificate.bound(&problem)) {
            assert!(
                bound <= best,
                "round {round}: {bound} {certificate:?} {problem:?}"
            );
            proved += 1;
            close += usize::from(bound + 5 >= best);
        }
    }
    assert!(
        proved > 500 && close > 20,
        "{proved} proved, {close} of them closely"
    );
}

#[test]
fn a_share_counts_once() {
    let mut problem = QuadraticProblem::new(2, 2, 0);
    for pair in 0..4 {
        problem.set_cost(pair / 2, pair % 2, 0);
    }
    let cut = problem.add_distance(Distance::new(vec![0, 1], |_, _| 3));
    problem.add_link(Link {
        from: 0,
        to: 1,
        weight: 1,
        distance: cut,
    });
    let share = Share {
        of: ShareOf::Link(0),
        costs: vec![0; 4],
    };
    let certificate = |left_out: Vec<usize>, shares: Vec<Share>| Certificate {
        cases: None,
        prices: Vec::new(),
        left_out,
        shares,
        packing: None,
    };
    let proves = |certificate: Certificate| certificate.bound(&problem);
    assert_eq!(proves(certificate(vec![0], vec![share.clone()])), Some(3));
    assert_eq!(
        proves(certificate(vec![0], vec![share.clone(), share.clone()])),
        None
    );
    assert_eq!(proves(certificate(Vec::new(), vec![share.clone()])), None);
    let short = Share {
        costs: vec![0; 3],
        ..share
    };
    assert_eq!(proves(certificate(vec![0], vec![short])), None);
}

#[test]
fn a_share_of_a_task_that_is_not_there_proves_nothing() {
    let mut problem = QuadraticProblem::new(1, 2, 0);
    problem.set_cost(0, 0, 4);
    problem.set_cost(1, 0, 1);
    problem.add_group(Group {
        tasks: vec![0],
        class: vec![0],
        ..Group::default()
    });
    let proves = |beside: usize| {
        let share = Share {
            of: ShareOf::Group {
                group: 0,
                beside: Some((beside, Vec::new())),
            },
            costs: vec![0; 2],
        };
        let certificate = Certificate {
            shares: vec![share],
            ..Certificate::default()
        };
        certificate.bound(&problem)
    };
    assert_eq!([0, 1, 2].map(proves), [None, Some(5), None]);
}

#[test]
fn a_service_beside_replicas_that_spread_is_bounded_by_where_they_have_to_be() {
    // three replicas in three zones, and a service that talks to all: two of its links are cut wherever it is
    let mut problem = QuadraticProblem::new(6, 4, 0);
    for task in 0..4 {
        for agent in 0..6 {
            problem.set_cost(task, agent, 0);
        }
    }
    let class: Vec<usize> = (0..6).map(|agent| agent / 2).collect();
    let cut = problem.add_distance(Distance::cut_classes(class.clone()));
    for to in 1..4 {
        problem.add_link(Link {
            from: 0,
            to,
            weight: 100,
            distance: cut,
        });
    }
    problem.add_group(Group {
        tasks: vec![1, 2, 3],
        class,
        usable: vec![true; 3],
        skew: Some(0),
        ..Group::default()
    });
    let solved = quick(&problem);
    assert_eq!(solved.best.as_ref().map(|(_, value)| *value), Some(200));
    assert_eq!(solved.priced, 200);
    assert_eq!(solved.certificate.bound(&problem), Some(200));
}

/// Paths of tasks that cost when they are cut, and little room.
fn tight(random: &mut Random) -> QuadraticProblem {
    let (agents, tasks, resources) = (2 + random.below(2), 4 + random.below(4), 1 + random.below(2));
    let mut problem = QuadraticProblem::new(agents, tasks, resources);
    for task in 0..tasks {
        for agent in 0..agents {
            if random.below(12) > 0 {
                problem.set_cost(task, agent, random.below(40) as i64);
            }
        }
        for resource in 0..resources {
            problem.set_need(task, resource, 1 + random.below(9) as u64);
        }
    }
    for agent in 0..agents {
        for resource in 0..resources {
            if random.below(6) > 0 {
                problem.set_capacity(agent, resource, (5 * tasks / agents + random.below(8)) as u64);
            }
        }
    }
    let cut = problem.add_distance(Distance::cut(agents));
    for to in 1..tasks {
        if random.below(4) > 0 {
            problem.add_link(Link {
                from: random.below(to),
                to,
                weight: random.below(20) as i64,
                distance: cut,
            });
        }
    }
    problem
}

/// What agents can take at the best rewards found, and what prices of zero prove.
fn packed(problem: &QuadraticProblem) -> Option<(Packing, i64)> {
    let field = field::Field::new(problem);
    let forest = forest::Forest::new(problem, &[]);
    let prices = vec![0.0; field.resources * field.width];
    let none = Certificate {
        prices: vec![0; problem.agents() * problem.resources()],
        ..Certificate::default()
    };
    let (packing, _) = rewards::reward(
        problem,
        &field,
        &forest,
        &prices,
        i64::MIN,
        20_000_000,
        &mut |_| true,
    )?;
    Some((packing, none.bound(problem)?))
}

fn proves(problem: &QuadraticProblem, packing: &Packing) -> Option<i64> {
    let certificate = Certificate {
        prices: vec![0; problem.agents() * problem.resources()],
        packing: Some(packing.clone()),
        ..Certificate::default()
    };
    certificate.bound(problem)
}

#[test]
fn what_agents_can_take_is_a_bound_and_no_more_can_be_claimed() {
    let mut random = Random::new(31);
    let (mut asked, mut more, mut best_proved) = (0, 0, 0);
    for round in 0..200 {
        let problem = tight(&mut random);
        let Some(best) = best_of_all(&problem) else {
            continue;
        };
        let Some((packing, plain)) = packed(&problem) else {
            continue;
        };
        let bound = proves(&problem, &packing).unwrap_or_else(|| panic!("round {round}: not shown"));
        assert!(bound <= best, "round {round}: {bound} of {best} {problem:?}");
        asked += 1;
        more += usize::from(bound > plain);
        best_proved += usize::from(bound == best);
        for agent in 0..problem.agents() {
            let mut false_claim = packing.clone();
            false_claim.least[agent] += 1 << (SHIFT - 4);
            assert_eq!(
                proves(&problem, &false_claim),
                None,
                "round {round}: a 16th more at {agent}"
            );
        }
    }
    assert!(
        asked > 100 && 2 * more > asked && 5 * best_proved > asked,
        "of {asked} {more} are above the plain bound, {best_proved} at the best"
    );
}

#[test]
fn a_packing_of_another_question_proves_nothing() {
    let mut random = Random::new(37);
    let problem = tight(&mut random);
    let (packing, _) = packed(&problem).unwrap();
    for change in 0..3 {
        let mut other = packing.clone();
        match change {
            0 => drop(other.rewards.pop()),
            1 => drop(other.least.pop()),
            _ => drop(other.rents.pop()),
        }
        assert_eq!(proves(&problem, &other), None);
    }
}

#[test]
fn groups_that_keep_apart_fill_agents_that_cost_the_same() {
    let (agents, dear, groups, size) = (30, 2, 14, 20);
    let mut problem = QuadraticProblem::new(agents, groups * size, 1);
    for agent in 0..agents {
        problem.set_capacity(agent, 0, 10);
    }
    for task in 0..groups * size {
        problem.set_need(task, 0, 1);
        for agent in 0..agents {
            problem.set_cost(task, agent, if agent < agents - dear { 1 } else { 100 });
        }
    }
    for group in 0..groups {
        problem.add_group(Group {
            tasks: (group * size..(group + 1) * size).collect(),
            class: (0..agents).collect(),
            usable: vec![true; agents],
            least: size,
            ..Group::default()
        });
    }
    let limits = Limits {
        effort: 200_000_000,
        ..Limits::default()
    };
    let solved = solve(&problem, &Start::default(), &limits, &mut |_| true);
    // as much as there is room for at the cheap ones
    assert_eq!(solved.best.unwrap().1, (groups * size) as i64);
}

/// Tasks that cost nothing at home, on agents of which every third holds too much for comfort.
fn crowded() -> (QuadraticProblem, Vec<usize>) {
    let (agents, tasks) = (30, 300);
    let mut problem = QuadraticProblem::new(agents, tasks, 2);
    let mut random = Random::new(5);
    let homes: Vec<usize> = (0..tasks).map(|task| task % agents).collect();
    let mut held = vec![[0_u64; 2]; agents];
    for (task, home) in homes.iter().enumerate() {
        for (resource, held) in held[*home].iter_mut().enumerate() {
            let need = 50 + random.below(100) as u64;
            problem.set_need(task, resource, need);
            *held += need;
        }
        problem.set_home(task, *home);
        for agent in 0..agents {
            problem.set_cost(task, agent, i64::from(agent != *home));
        }
    }
    for (agent, held) in held.iter().enumerate() {
        for (resource, held) in held.iter().enumerate() {
            let level = if agent % 3 == 0 { held - 100 } else { held + 150 };
            problem.set_capacity(agent, resource, 2 * held);
            problem.set_comfort(agent, resource, Comfort { level, price: 10_000 });
        }
    }
    (problem, homes)
}

#[test]
fn only_those_move_that_have_to() {
    let (problem, homes) = crowded();
    let limits = Limits {
        effort: 300_000_000,
        seed: 0,
    };
    let start = Start {
        answer: Some(&homes),
        prices: None,
    };
    let (_, value) = solve(&problem, &start, &limits, &mut |_| true).best.unwrap();
    // one or two of each of ten agents go
    assert!((10..=30).contains(&value), "{value}");
}
