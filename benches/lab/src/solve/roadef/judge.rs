//! What an assignment costs and which rules it breaks, by the formulas of the challenge, from the files alone.
//!
//! It shares nothing with the search, which asks what an answer costs and breaks: it is what answers are checked with.

use std::collections::BTreeSet;

use super::instance::{Instance, Machine};

/// What each machine holds, by machine and then resource.
fn used(instance: &Instance, answer: &[usize]) -> Vec<Vec<i128>> {
    let mut used = vec![vec![0; instance.resources.len()]; instance.machines.len()];
    for (process, machine) in instance.processes.iter().zip(answer) {
        for (used, need) in used[*machine].iter_mut().zip(&process.needs) {
            *used += i128::from(*need);
        }
    }
    used
}

/// Every rule that an answer breaks, one sentence each.
pub(super) fn faults(instance: &Instance, answer: &[usize]) -> Vec<String> {
    if answer.len() != instance.processes.len() {
        return vec![format!(
            "it has {} processes instead of {}",
            answer.len(),
            instance.processes.len()
        )];
    }
    if let Some(process) = (0..answer.len()).find(|process| answer[*process] >= instance.machines.len()) {
        return vec![format!("process {process} is on a machine which there is not")];
    }
    let mut faults = Vec::new();
    let mut held = used(instance, answer);
    for (process, (now, before)) in answer.iter().zip(&instance.original).enumerate() {
        if now != before {
            for (resource, need) in instance.processes[process].needs.iter().enumerate() {
                if instance.resources[resource].transient {
                    held[*before][resource] += i128::from(*need);
                }
            }
        }
    }
    for (number, (machine, held)) in instance.machines.iter().zip(&held).enumerate() {
        for (resource, (held, has)) in held.iter().zip(&machine.capacity).enumerate() {
            if *held > i128::from(*has) {
                faults.push(format!(
                    "machine {number} holds {held} of resource {resource} and has {has}"
                ));
            }
        }
    }
    let near = |machine: usize| instance.machines[machine].neighbourhood;
    for (number, service) in instance.services.iter().enumerate() {
        let on: Vec<usize> = service.processes.iter().map(|process| answer[*process]).collect();
        let machines: BTreeSet<usize> = on.iter().copied().collect();
        if machines.len() < on.len() {
            faults.push(format!("two processes of service {number} are on one machine"));
        }
        let locations: BTreeSet<usize> = on
            .iter()
            .map(|machine| instance.machines[*machine].location)
            .collect();
        if !on.is_empty() && locations.len() < service.spread {
            faults.push(format!(
                "service {number} is in {} locations and has to be in {}",
                locations.len(),
                service.spread
            ));
        }
        for other in &service.depends_on {
            let there: BTreeSet<usize> = instance.services[*other]
                .processes
                .iter()
                .map(|process| near(answer[*process]))
                .collect();
            if on.iter().any(|machine| !there.contains(&near(*machine))) {
                faults.push(format!(
                    "a process of service {number} has none of service {other} near it"
                ));
            }
        }
    }
    faults
}

/// What is too much of the free amounts of a machine, or of all machines: `target` times one less the other.
fn unbalanced(target: i64, one: i128, other: i128) -> i128 {
    (i128::from(target) * one - other).max(0)
}

/// What an answer costs: load above safety, balance, moved processes, moves within a service, moves between machines.
pub(super) fn cost(instance: &Instance, answer: &[usize]) -> i128 {
    let used = used(instance, answer);
    let mut cost = 0;
    for (machine, used) in instance.machines.iter().zip(&used) {
        for (resource, used) in instance.resources.iter().zip(used).enumerate() {
            let (kind, used) = used;
            cost += i128::from(kind.weight) * (used - i128::from(machine.safety[resource])).max(0);
        }
        for balance in &instance.balances {
            let free = |resource: usize| i128::from(machine.capacity[resource]) - used[resource];
            let much = unbalanced(balance.target, free(balance.one), free(balance.other));
            cost += i128::from(balance.weight) * much;
        }
    }
    let mut moved = vec![0_i128; instance.services.len()];
    for (process, (now, before)) in answer.iter().zip(&instance.original).enumerate() {
        if now != before {
            let process = &instance.processes[process];
            moved[process.service] += 1;
            cost += i128::from(instance.process_weight) * i128::from(process.move_cost);
            cost +=
                i128::from(instance.machine_weight) * i128::from(instance.machines[*before].move_cost[*now]);
        }
    }
    cost + i128::from(instance.service_weight) * moved.into_iter().max().unwrap_or(0)
}

/// No answer costs less: as if all machines were one, which may only lower what is above safety and what is out of balance.
pub(super) fn bound(instance: &Instance) -> i128 {
    let all = |of: fn(&Machine) -> &Vec<i64>, resource: usize| -> i128 {
        instance
            .machines
            .iter()
            .map(|machine| i128::from(of(machine)[resource]))
            .sum()
    };
    let needed = |resource: usize| -> i128 {
        let needs = instance.processes.iter();
        needs.map(|process| i128::from(process.needs[resource])).sum()
    };
    let mut bound = 0;
    for (number, resource) in instance.resources.iter().enumerate() {
        let above = needed(number) - all(|machine| &machine.safety, number);
        bound += i128::from(resource.weight) * above.max(0);
    }
    for balance in &instance.balances {
        let free = |resource: usize| all(|machine| &machine.capacity, resource) - needed(resource);
        let much = unbalanced(balance.target, free(balance.one), free(balance.other));
        bound += i128::from(balance.weight) * much;
    }
    bound
}
