//! The challenge in the words of the library's kernel.
//!
//! The kernel knows capacities, what a unit above safety costs, balance, machines that a service uses once, locations, what moves
//! cost, that a process is held where it came from too (room for arrivals is what those at home leave), and processes that need
//! others in their neighbourhood. It does not know that only the service with the most moves pays for them.

use std::panic::resume_unwind;

use smo_core::quadratic::{
    Affinity, Balance as Proportion, Comfort, FORBIDDEN, Group, Limits, QuadraticProblem, Solved, Start,
    solve,
};

use super::super::Effort;
use super::instance::Instance;

/// Effort of the kernel that takes about a second, and where more pairs of a process and a machine than a cache holds are looked at.
const PER_SECOND: f64 = 1e9;
const PER_SECOND_LARGE: f64 = 4e8;
const LARGE: usize = 200_000;

/// Searches side by side, from different chance: the best answer counts. The challenge gives two cores.
const SEARCHES: u64 = 2;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) answer: Vec<usize>,
    pub(super) work: u64,
}

pub(super) fn search(instance: &Instance, effort: Effort) -> Found {
    let problem = pose(instance);
    let start = Start {
        answer: Some(&instance.original),
        prices: None,
    };
    let large = problem.tasks() * problem.agents() > LARGE;
    let per_second = if large { PER_SECOND_LARGE } else { PER_SECOND };
    let one = |seed: u64| {
        let limits = Limits {
            effort: effort.steps(per_second),
            seed,
        };
        solve(&problem, &start, &limits, &mut |_| true)
    };
    let one = &one;
    let solved: Vec<Solved> = if effort.threads > 1 {
        std::thread::scope(|scope| {
            let searches: Vec<_> = (0..SEARCHES).map(|seed| scope.spawn(move || one(seed))).collect();
            let ended = searches
                .into_iter()
                .map(|search| search.join().unwrap_or_else(|panic| resume_unwind(panic)));
            ended.collect()
        })
    } else {
        (0..SEARCHES).map(one).collect()
    };
    let work = solved.iter().map(|solved| solved.work).sum();
    let best = solved.into_iter().filter_map(|solved| solved.best);
    let best = best.min_by_key(|(_, value)| *value);
    Found {
        answer: best.map_or_else(|| instance.original.clone(), |(answer, _)| answer),
        work,
    }
}

pub(super) fn pose(instance: &Instance) -> QuadraticProblem {
    let (machines, processes) = (instance.machines.len(), instance.processes.len());
    let transient: Vec<usize> = (0..instance.resources.len())
        .filter(|resource| instance.resources[*resource].transient)
        .collect();
    let resources = instance.resources.len();
    let mut problem = QuadraticProblem::new(machines, processes, resources + transient.len());
    let mut room: Vec<Vec<i64>> = instance
        .machines
        .iter()
        .map(|machine| machine.capacity.clone())
        .collect();
    for (process, home) in instance.processes.iter().zip(&instance.original) {
        for resource in &transient {
            room[*home][*resource] -= process.needs[*resource];
        }
    }
    let amount = |amount: i64| u64::try_from(amount).unwrap_or(0);
    for arriving in 0..transient.len() {
        problem.set_arriving(resources + arriving);
    }
    for (number, machine) in instance.machines.iter().enumerate() {
        for (resource, kind) in instance.resources.iter().enumerate() {
            if !kind.transient {
                problem.set_capacity(number, resource, amount(machine.capacity[resource]));
            }
            let comfort = Comfort {
                level: amount(machine.safety[resource]),
                price: kind.weight,
            };
            problem.set_comfort(number, resource, comfort);
        }
        for (arriving, resource) in transient.iter().enumerate() {
            problem.set_capacity(number, resources + arriving, amount(room[number][*resource]));
        }
    }
    for balance in &instance.balances {
        let machines = instance.machines.iter();
        problem.add_balance(Proportion {
            one: balance.one,
            other: balance.other,
            target: balance.target,
            level: machines
                .map(|machine| {
                    machine.capacity[balance.other] - balance.target * machine.capacity[balance.one]
                })
                .collect(),
            price: balance.weight,
        });
    }
    for (process, mine) in instance.processes.iter().enumerate() {
        problem.set_home(process, instance.original[process]);
        for (resource, need) in mine.needs.iter().enumerate() {
            problem.set_need(process, resource, amount(*need));
        }
        for (arriving, resource) in transient.iter().enumerate() {
            problem.set_need(process, resources + arriving, amount(mine.needs[*resource]));
        }
        for machine in 0..machines {
            let cost = i64::try_from(move_cost(instance, process, machine));
            problem.set_cost(process, machine, cost.unwrap_or(FORBIDDEN));
        }
    }
    services(instance, &mut problem);
    problem
}

fn services(instance: &Instance, problem: &mut QuadraticProblem) {
    let near: Vec<usize> = instance
        .machines
        .iter()
        .map(|machine| machine.neighbourhood)
        .collect();
    for service in &instance.services {
        for other in &service.depends_on {
            problem.add_affinity(Affinity {
                tasks: service.processes.clone(),
                others: instance.services[*other].processes.clone(),
                class: near.clone(),
            });
        }
        if service.processes.len() < 2 {
            continue;
        }
        let group = |class: Vec<usize>, least: usize| Group {
            tasks: service.processes.clone(),
            usable: vec![true; class.iter().max().map_or(0, |most| most + 1)],
            class,
            least,
            ..Group::default()
        };
        problem.add_group(group(
            (0..instance.machines.len()).collect(),
            service.processes.len(),
        ));
        if service.spread > 1 {
            let locations = instance.machines.iter().map(|machine| machine.location);
            problem.add_group(group(locations.collect(), service.spread));
        }
    }
}

/// What it costs that a process runs elsewhere than at first.
fn move_cost(instance: &Instance, process: usize, to: usize) -> i128 {
    let home = instance.original[process];
    if home == to {
        return 0;
    }
    i128::from(instance.process_weight) * i128::from(instance.processes[process].move_cost)
        + i128::from(instance.machine_weight) * i128::from(instance.machines[home].move_cost[to])
}
