//! The part that the library's kernel knows, asked again and again with what it does not know.
//!
//! The kernel knows capacities, machines that a service uses once, locations, and what moves cost. Load costs are none of its
//! words: they become capacities, a little above what is needed, shared out by what machines have above safety. So no machine
//! is far above another, and none below safety while another is above. What the kernel answers is walked to from the original
//! assignment through rules that it does not know; pairs that the walk does not reach are closed, and the kernel is asked again.

use smo_core::quadratic::{FORBIDDEN, Group, Limits, QuadraticProblem, Start, solve};

use super::super::Effort;
use super::instance::Instance;
use super::judge;
use super::walk::{Walk, move_cost};

/// Effort of the kernel that takes about a second.
const PER_SECOND: f64 = 6e8;
/// How much more than is needed the machines may hold, in thousandths.
const SPARE: [i128; 7] = [5, 10, 20, 40, 80, 160, 1000];
/// How often pairs are closed for each of them.
const ROUNDS: u64 = 6;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) answer: Vec<usize>,
    pub(super) work: u64,
}

pub(super) fn search(instance: &Instance, effort: Effort) -> Found {
    let turns = SPARE.len() as u64 * ROUNDS;
    let limits = Limits {
        effort: (effort.steps(PER_SECOND) / turns).max(1),
    };
    let mut best = (
        judge::cost(instance, &instance.original),
        instance.original.clone(),
    );
    let mut work = 0;
    for spare in SPARE {
        let mut closed: Vec<(usize, usize)> = Vec::new();
        for _ in 0..ROUNDS {
            let problem = pose(instance, spare, &closed);
            let start = Start {
                answer: Some(&best.1),
                prices: None,
            };
            let solved = solve(&problem, &start, &limits, &mut |_| true);
            work += solved.work;
            let Some((target, _)) = solved.best else { break };
            let (answer, stuck) = Walk::new(instance).towards(&target);
            let cost = judge::cost(instance, &answer);
            if cost < best.0 {
                best = (cost, answer);
            }
            if stuck.is_empty() {
                break;
            }
            closed.extend(stuck.into_iter().map(|process| (process, target[process])));
        }
    }
    Found { answer: best.1, work }
}

/// What one machine may hold of each resource, when all may hold `spare` thousandths more than is needed.
fn limits(instance: &Instance, spare: i128) -> Vec<Vec<u64>> {
    let mut limits = vec![Vec::new(); instance.machines.len()];
    for resource in 0..instance.resources.len() {
        let sum = |of: &dyn Fn(usize) -> i64| -> i128 {
            (0..instance.machines.len())
                .map(|machine| i128::from(of(machine)))
                .sum()
        };
        let safety = sum(&|machine| instance.machines[machine].safety[resource]);
        let above = sum(&|machine| {
            let machine = &instance.machines[machine];
            (machine.capacity[resource] - machine.safety[resource]).max(0)
        });
        let needed: i128 = instance
            .processes
            .iter()
            .map(|process| i128::from(process.needs[resource]))
            .sum();
        let wanted = (needed + needed * spare / 1000 - safety).clamp(0, above);
        for (limits, machine) in limits.iter_mut().zip(&instance.machines) {
            let (has, safe) = (
                machine.capacity[resource],
                machine.safety[resource].min(machine.capacity[resource]),
            );
            let share = i128::from(has - safe) * wanted / above.max(1);
            let limit = if wanted == above {
                i128::from(has)
            } else {
                i128::from(safe) + share
            };
            limits.push(u64::try_from(limit).unwrap_or(0));
        }
    }
    limits
}

fn pose(instance: &Instance, spare: i128, closed: &[(usize, usize)]) -> QuadraticProblem {
    let (machines, processes) = (instance.machines.len(), instance.processes.len());
    let mut problem = QuadraticProblem::new(machines, processes, instance.resources.len());
    for (machine, limits) in limits(instance, spare).iter().enumerate() {
        for (resource, limit) in limits.iter().enumerate() {
            problem.set_capacity(machine, resource, *limit);
        }
    }
    for (process, mine) in instance.processes.iter().enumerate() {
        for (resource, need) in mine.needs.iter().enumerate() {
            problem.set_need(process, resource, u64::try_from(*need).unwrap_or(0));
        }
        for machine in 0..machines {
            let cost = i64::try_from(move_cost(instance, process, machine));
            problem.set_cost(process, machine, cost.unwrap_or(FORBIDDEN));
        }
    }
    for (process, machine) in closed {
        problem.set_cost(*process, *machine, FORBIDDEN);
    }
    for service in instance
        .services
        .iter()
        .filter(|service| service.processes.len() > 1)
    {
        let group = |class: Vec<usize>, least: usize| Group {
            tasks: service.processes.clone(),
            usable: vec![true; class.iter().max().map_or(0, |most| most + 1)],
            class,
            least,
            ..Group::default()
        };
        problem.add_group(group((0..machines).collect(), service.processes.len()));
        if service.spread > 1 {
            let locations = instance.machines.iter().map(|machine| machine.location);
            problem.add_group(group(locations.collect(), service.spread));
        }
    }
    problem
}
