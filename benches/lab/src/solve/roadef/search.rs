//! The part that the library's kernel knows, asked again and again with what it does not know.
//!
//! The kernel knows capacities, what a unit above safety costs, machines that a service uses once, locations, and what moves
//! cost. Processes of services that depend on others, or are depended on, stay in their neighbourhood, which keeps every
//! dependency. It does not know what transient resources are held besides, and balance: its answer is walked to from the best so
//! far as long as rules allow and the challenge's cost falls. So on, turn by turn; while nothing gets better, what
//! the walk did not reach is closed, and the next turn takes twice the effort.

use smo_core::quadratic::{Comfort, FORBIDDEN, Group, Limits, QuadraticProblem, Start, solve};

use super::super::Effort;
use super::instance::Instance;
use super::judge;
use super::walk::{Walk, move_cost};

/// Effort of the kernel that takes about a second where nothing is limited; it counts tasks, and looks at every resource of them.
const PER_SECOND: f64 = 6e8;
/// Effort for each pair of the first turn: the kernel looks around what it is given, and not far away.
const NEAR: u64 = 500;

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) answer: Vec<usize>,
    pub(super) work: u64,
}

pub(super) fn search(instance: &Instance, effort: Effort) -> Found {
    let pairs = (instance.machines.len() * instance.processes.len()) as u64;
    let mut best = (
        judge::cost(instance, &instance.original),
        instance.original.clone(),
    );
    let mut closed: Vec<(usize, usize)> = Vec::new();
    let resources = u32::try_from(instance.resources.len()).unwrap_or(u32::MAX);
    let per_second = PER_SECOND * 4.0 / (4.0 + f64::from(resources));
    let (all, mut work, mut near) = (effort.steps(per_second), 0, NEAR);
    while work < all {
        let left = all - work;
        let limits = Limits {
            effort: near.saturating_mul(pairs).min(left).max(1),
        };
        let problem = pose(instance, &closed);
        let start = Start {
            answer: Some(&best.1),
            prices: None,
        };
        let solved = solve(&problem, &start, &limits, &mut |_| true);
        // even nothing takes some work
        work += solved.work.max(pairs);
        let Some((target, _)) = solved.best else { break };
        let (mut answer, stuck) = Walk::new(instance, &best.1).towards(&target);
        if judge::faults(instance, &target).is_empty() {
            answer.clone_from(&target);
        }
        let cost = judge::cost(instance, &answer);
        let better = cost < best.0;
        if better {
            best = (cost, answer);
            closed.clear();
        } else if limits.effort >= left {
            // All that was left was not enough for a better one.
            break;
        } else {
            near = near.saturating_mul(2);
            closed.extend(stuck.into_iter().map(|process| (process, target[process])));
        }
    }
    Found { answer: best.1, work }
}

fn pose(instance: &Instance, closed: &[(usize, usize)]) -> QuadraticProblem {
    let (machines, processes) = (instance.machines.len(), instance.processes.len());
    let amount = |amount: i64| u64::try_from(amount).unwrap_or(0);
    let mut problem = QuadraticProblem::new(machines, processes, instance.resources.len());
    for (number, machine) in instance.machines.iter().enumerate() {
        for (resource, kind) in instance.resources.iter().enumerate() {
            problem.set_capacity(number, resource, amount(machine.capacity[resource]));
            let comfort = Comfort {
                level: amount(machine.safety[resource]),
                price: kind.weight,
            };
            problem.set_comfort(number, resource, comfort);
        }
    }
    for (process, mine) in instance.processes.iter().enumerate() {
        for (resource, need) in mine.needs.iter().enumerate() {
            problem.set_need(process, resource, amount(*need));
        }
        let service = &instance.services[mine.service];
        let bound = !service.depends_on.is_empty() || !service.needed_by.is_empty();
        let home = instance.machines[instance.original[process]].neighbourhood;
        for machine in 0..machines {
            let far = bound && instance.machines[machine].neighbourhood != home;
            let cost = i64::try_from(move_cost(instance, process, machine));
            problem.set_cost(process, machine, cost.ok().filter(|_| !far).unwrap_or(FORBIDDEN));
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
