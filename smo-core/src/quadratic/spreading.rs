//! Where the tasks of groups are, counted while they move.

use super::group::{Group, groups_of};
use super::problem::QuadraticProblem;

/// What a change does to groups.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Unevenness {
    /// What the priced ones cost.
    pub(super) priced: f64,
    /// Classes and tasks too many or too few where there may be none.
    pub(super) broken: i64,
}

/// Every group, and its tasks by class.
#[derive(Debug)]
pub(super) struct Spreading<'a> {
    groups: &'a [Group],
    /// By task: its groups.
    of_task: Vec<Vec<u32>>,
    counted: Vec<Counted>,
    /// The classes of agents, each way to class them once: many groups have the same.
    classes: Vec<Vec<u32>>,
    touched: Vec<u32>,
    /// Some groups may be uneven at a price.
    pub(super) is_priced: bool,
    /// Some groups may have only so many more in one class than in another.
    is_level: bool,
}

#[derive(Debug)]
struct Counted {
    /// Tasks by class, and how many classes have any.
    counts: Vec<u32>,
    /// The number of the way to class agents.
    way: usize,
    used: usize,
    /// What is too many or too few.
    excess: usize,
}

impl Counted {
    fn new(group: &Group, way: usize) -> Self {
        Self {
            counts: vec![0; group.classes()],
            way,
            used: 0,
            excess: 0,
        }
    }

    /// How many classes are used when one of the tasks goes from class to class.
    fn used_after(&self, from: usize, to: usize) -> usize {
        if from == to {
            return self.used;
        }
        self.used + usize::from(self.counts[to] == 0) - usize::from(self.counts[from] == 1)
    }

    fn step(&mut self, from: usize, to: usize) {
        self.counts[from] -= 1;
        self.used -= usize::from(self.counts[from] == 0);
        self.used += usize::from(self.counts[to] == 0);
        self.counts[to] += 1;
    }
}

impl<'a> Spreading<'a> {
    pub(super) fn new(problem: &'a QuadraticProblem) -> Self {
        let mut classes: Vec<Vec<u32>> = Vec::new();
        let counted = problem.groups().iter().map(|group| {
            let class: Vec<u32> = group.class.iter().map(|class| *class as u32).collect();
            let known = classes.iter().position(|known| *known == class);
            if known.is_none() {
                classes.push(class);
            }
            Counted::new(group, known.unwrap_or(classes.len() - 1))
        });
        Self {
            counted: counted.collect(),
            groups: problem.groups(),
            of_task: groups_of(problem),
            classes,
            touched: Vec::new(),
            is_priced: problem.groups().iter().any(|group| group.price.is_some()),
            is_level: problem.groups().iter().any(|group| group.skew.is_some()),
        }
    }

    /// How many groups a task is in.
    pub(super) fn of(&self, task: usize) -> usize {
        self.of_task[task].len()
    }

    /// True when two tasks are in one group.
    pub(super) fn are_mates(&self, one: usize, other: usize) -> bool {
        let others = &self.of_task[other];
        self.of_task[one].iter().any(|group| others.contains(group))
    }

    /// Counts everything anew: what it costs, and how much is broken.
    pub(super) fn count(&mut self, agent_of: &[u32]) -> Unevenness {
        let mut all = Unevenness::default();
        for (counted, group) in self.counted.iter_mut().zip(self.groups) {
            counted.counts.fill(0);
            counted.used = 0;
            for task in &group.tasks {
                let count = &mut counted.counts[group.class[agent_of[*task] as usize]];
                counted.used += usize::from(*count == 0);
                *count += 1;
            }
            counted.excess = group.excess_of(&counted.counts, counted.used);
            all.add(group, counted.excess, 0);
        }
        all
    }

    /// What it does to bring tasks from an agent to another.
    pub(super) fn change(&mut self, tasks: &[u32], from: usize, to: usize) -> Unevenness {
        let mut all = Unevenness::default();
        if self.counted.is_empty() {
            return all;
        }
        if let [task] = tasks
            && !self.is_level
        {
            for number in &self.of_task[*task as usize] {
                let (group, counted) = (&self.groups[*number as usize], &self.counted[*number as usize]);
                let class = &self.classes[counted.way];
                let used = counted.used_after(class[from] as usize, class[to] as usize);
                all.add(group, group.excess_used(used), counted.excess);
            }
            return all;
        }
        self.step(tasks, from, to);
        for at in 0..self.touched.len() {
            let number = self.touched[at];
            if tasks.len() == 1 || !self.touched[..at].contains(&number) {
                let (group, counted) = (&self.groups[number as usize], &self.counted[number as usize]);
                all.add(
                    group,
                    group.excess_of(&counted.counts, counted.used),
                    counted.excess,
                );
            }
        }
        self.step(tasks, to, from);
        all
    }

    /// Brings tasks from an agent to another.
    pub(super) fn apply(&mut self, tasks: &[u32], from: usize, to: usize) {
        if self.counted.is_empty() {
            return;
        }
        self.step(tasks, from, to);
        for number in &self.touched {
            let (group, counted) = (
                &self.groups[*number as usize],
                &mut self.counted[*number as usize],
            );
            counted.excess = group.excess_of(&counted.counts, counted.used);
        }
    }

    /// The tasks of groups that are broken.
    pub(super) fn broken(&self) -> impl Iterator<Item = u32> {
        let groups = self.counted.iter().zip(self.groups);
        let groups = groups.filter(|(counted, group)| counted.excess > 0 && group.price.is_none());
        groups.flat_map(|(_, group)| group.tasks.iter().map(|task| *task as u32))
    }

    /// Moves what is counted, and notes what was touched.
    fn step(&mut self, tasks: &[u32], from: usize, to: usize) {
        self.touched.clear();
        for task in tasks {
            for number in &self.of_task[*task as usize] {
                let counted = &mut self.counted[*number as usize];
                let class = &self.classes[counted.way];
                counted.step(class[from] as usize, class[to] as usize);
                self.touched.push(*number);
            }
        }
    }
}

impl Unevenness {
    fn add(&mut self, group: &Group, now: usize, before: usize) {
        let more = now as i64 - before as i64;
        match group.price {
            None => self.broken += more,
            Some(price) => self.priced += price as f64 * more as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::group::classes;
    use super::*;
    use crate::random::Random;

    fn question(skew: Option<usize>) -> QuadraticProblem {
        let mut problem = QuadraticProblem::new(4, 6, 0);
        let group = |tasks: Vec<usize>, class: Vec<usize>, least: usize| Group {
            usable: vec![true; classes(&class)],
            tasks,
            class,
            least,
            ..Group::default()
        };
        problem.add_group(group((0..4).collect(), vec![0, 1, 2, 3], 4));
        problem.add_group(Group {
            skew,
            price: Some(5),
            ..group((2..6).collect(), vec![0, 0, 1, 1], 2)
        });
        problem
    }

    #[test]
    fn a_change_is_what_counting_anew_says() {
        for skew in [None, Some(1)] {
            let problem = question(skew);
            let mut spreading = Spreading::new(&problem);
            let mut random = Random::new(2);
            let mut agent_of = vec![0_u32; 6];
            for _ in 0..200 {
                let (task, to) = (random.below(6), random.below(4));
                let from = agent_of[task] as usize;
                if from == to {
                    continue;
                }
                let before = spreading.count(&agent_of);
                let change = spreading.change(&[task as u32], from, to);
                agent_of[task] = to as u32;
                let after = spreading.count(&agent_of);
                assert_eq!(change.broken, after.broken - before.broken);
                assert_eq!(change.priced, after.priced - before.priced);
            }
        }
    }
}
