//! From one assignment to another, one process at a time, through assignments that keep every rule.

use super::instance::Instance;

/// Where every process is, with what the rules look at.
#[derive(Debug, Clone)]
pub(super) struct Walk<'a> {
    instance: &'a Instance,
    pub(super) at: Vec<usize>,
    /// What each machine holds, by machine and then resource.
    used: Vec<Vec<i64>>,
    /// What it has to have room for: transient resources of what left it too.
    held: Vec<Vec<i64>>,
    /// Processes of each service by location, and by neighbourhood.
    locations: Vec<Vec<u32>>,
    near: Vec<Vec<u32>>,
    /// Moved processes of each service.
    moved: Vec<i64>,
}

/// The machines that a process leaves and enters.
#[derive(Debug, Clone, Copy)]
struct Step {
    process: usize,
    from: usize,
    to: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn new(instance: &'a Instance, from: &[usize]) -> Self {
        let most = |of: fn(&super::instance::Machine) -> usize| {
            instance.machines.iter().map(of).max().map_or(0, |most| most + 1)
        };
        let services = instance.services.len();
        let resources = instance.resources.len();
        let mut walk = Self {
            instance,
            at: from.to_vec(),
            used: vec![vec![0; resources]; instance.machines.len()],
            held: Vec::new(),
            locations: vec![vec![0; most(|machine| machine.location)]; services],
            near: vec![vec![0; most(|machine| machine.neighbourhood)]; services],
            moved: vec![0; services],
        };
        for (process, machine) in instance.processes.iter().zip(from) {
            for (used, need) in walk.used[*machine].iter_mut().zip(&process.needs) {
                *used += need;
            }
            walk.locations[process.service][instance.machines[*machine].location] += 1;
            walk.near[process.service][instance.machines[*machine].neighbourhood] += 1;
        }
        walk.held.clone_from(&walk.used);
        for (process, (now, home)) in from.iter().zip(&instance.original).enumerate() {
            if now != home {
                let process = &instance.processes[process];
                walk.moved[process.service] += 1;
                for (resource, need) in process.needs.iter().enumerate() {
                    if instance.resources[resource].transient {
                        walk.held[*home][resource] += need;
                    }
                }
            }
        }
        walk
    }

    /// Goes as far towards `target` as rules allow, the most profitable step first. Gives the cheapest assignment on the way and
    /// the processes that could not get there.
    pub(super) fn towards(mut self, target: &[usize]) -> (Vec<usize>, Vec<usize>) {
        let mut pending: Vec<usize> = (0..target.len())
            .filter(|process| self.at[*process] != target[*process])
            .collect();
        let mut cost = 0_i128;
        let (mut best, mut cheapest) = (self.at.clone(), self.within_services());
        loop {
            let steps = pending.iter().enumerate().filter_map(|(index, process)| {
                let step = Step {
                    process: *process,
                    from: self.at[*process],
                    to: target[*process],
                };
                self.allows(step).then(|| (self.change(step), index, step))
            });
            let Some((change, index, step)) = steps.min_by_key(|(change, index, _)| (*change, *index)) else {
                return (best, pending);
            };
            self.take(step);
            pending.remove(index);
            cost += change;
            let all = cost + self.within_services();
            if all < cheapest {
                cheapest = all;
                best.clone_from(&self.at);
            }
        }
    }

    /// What the moves within a service cost.
    fn within_services(&self) -> i128 {
        let most = self.moved.iter().max().copied().unwrap_or_default();
        i128::from(self.instance.service_weight) * i128::from(most)
    }

    fn allows(&self, step: Step) -> bool {
        let Step { process, from, to } = step;
        let (machines, mine) = (&self.instance.machines, &self.instance.processes[process]);
        let service = &self.instance.services[mine.service];
        // what it takes of transient resources where it came from is held there anyway
        let home = self.instance.original[process] == to;
        let fits = mine.needs.iter().enumerate().all(|(resource, need)| {
            let held = home && self.instance.resources[resource].transient;
            let more = if held { 0 } else { *need };
            self.held[to][resource] + more <= machines[to].capacity[resource]
        });
        let alone = || service.processes.iter().all(|other| self.at[*other] != to);
        let spread = || {
            let counts = &self.locations[mine.service];
            let used = counts.iter().filter(|count| **count > 0).count();
            let (left, entered) = (machines[from].location, machines[to].location);
            let gone = usize::from(left != entered && counts[left] == 1);
            let new = usize::from(left != entered && counts[entered] == 0);
            used + new - gone >= service.spread
        };
        let near = || {
            let (left, entered) = (machines[from].neighbourhood, machines[to].neighbourhood);
            let last = left != entered && self.near[mine.service][left] == 1;
            let has = |other: &usize| self.near[*other][entered] > 0 || *other == mine.service;
            service.depends_on.iter().all(has)
                && (!last
                    || service
                        .needed_by
                        .iter()
                        .all(|other| self.near[*other][left] == 0 || *other == mine.service))
        };
        fits && alone() && spread() && near()
    }

    /// What load and balance of a machine cost with these amounts.
    fn machine(&self, machine: usize, used: impl Fn(usize) -> i64) -> i128 {
        let has = &self.instance.machines[machine];
        let load = self
            .instance
            .resources
            .iter()
            .enumerate()
            .map(|(number, resource)| {
                i128::from(resource.weight) * i128::from((used(number) - has.safety[number]).max(0))
            });
        let balance = self.instance.balances.iter().map(|balance| {
            let free = |resource: usize| i128::from(has.capacity[resource] - used(resource));
            let much = i128::from(balance.target) * free(balance.one) - free(balance.other);
            i128::from(balance.weight) * much.max(0)
        });
        load.sum::<i128>() + balance.sum::<i128>()
    }

    /// What a step changes of the cost, the moves within a service left out.
    fn change(&self, step: Step) -> i128 {
        let Step { process, from, to } = step;
        let mine = &self.instance.processes[process];
        let side = |machine: usize, sign: i64| {
            let used = &self.used[machine];
            let after = |resource: usize| used[resource] + sign * mine.needs[resource];
            self.machine(machine, after) - self.machine(machine, |resource| used[resource])
        };
        side(from, -1) + side(to, 1) + self.move_cost(process, to) - self.move_cost(process, from)
    }

    fn move_cost(&self, process: usize, to: usize) -> i128 {
        move_cost(self.instance, process, to)
    }

    fn take(&mut self, step: Step) {
        let Step { process, from, to } = step;
        let mine = &self.instance.processes[process];
        let home = self.instance.original[process];
        for (resource, need) in mine.needs.iter().enumerate() {
            self.used[from][resource] -= need;
            self.used[to][resource] += need;
            let transient = self.instance.resources[resource].transient;
            if !(transient && from == home) {
                self.held[from][resource] -= need;
            }
            if !(transient && to == home) {
                self.held[to][resource] += need;
            }
        }
        for (machine, more) in [(from, false), (to, true)] {
            let has = &self.instance.machines[machine];
            let counts = [
                &mut self.locations[mine.service][has.location],
                &mut self.near[mine.service][has.neighbourhood],
            ];
            for count in counts {
                *count = if more { *count + 1 } else { *count - 1 };
            }
        }
        self.moved[mine.service] += i64::from(from == home) - i64::from(to == home);
        self.at[process] = to;
    }
}

/// What it costs that a process runs elsewhere than at first.
pub(super) fn move_cost(instance: &Instance, process: usize, to: usize) -> i128 {
    let home = instance.original[process];
    if home == to {
        return 0;
    }
    i128::from(instance.process_weight) * i128::from(instance.processes[process].move_cost)
        + i128::from(instance.machine_weight) * i128::from(instance.machines[home].move_cost[to])
}
