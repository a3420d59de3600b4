//! What a group costs at least when each of its tasks has a cost by class.
//!
//! A dynamic programme over classes: so many tasks, so many classes used. In a class the cheapest tasks of it count, whichever they
//! are elsewhere; that is exact where tasks are alike, as replicas of a service are, and a lower bound else.

use std::ops::RangeInclusive;

use super::field::NEVER;
use super::group::Group;

/// The least of a group, for all and by class.
#[derive(Debug)]
pub(super) struct Spread {
    /// By class, then number of tasks: what so many cost there.
    sums: Vec<f32>,
    before: Vec<f32>,
    after: Vec<f32>,
    /// By class: the least when at least one task is there.
    pub(super) least: Vec<f32>,
}

/// How many tasks a class may have, and what that costs.
struct Range {
    low: usize,
    high: usize,
    price: f32,
}

impl Spread {
    pub(super) const fn new() -> Self {
        Self {
            sums: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            least: Vec::new(),
        }
    }

    /// Looks at a group; `costs` by task, then class. Gives the least of all.
    pub(super) fn look(&mut self, group: &Group, costs: &[f32]) -> f32 {
        let (tasks, classes) = (group.tasks.len(), group.classes());
        self.sums.clear();
        for class in 0..classes {
            let first = self.sums.len();
            self.sums.push(0.0);
            self.sums
                .extend((0..tasks).map(|task| costs[task * classes + class]));
            let column = &mut self.sums[first + 1..];
            column.sort_by(f32::total_cmp);
            for at in 1..tasks {
                column[at] += column[at - 1];
            }
        }
        self.least.clear();
        self.least.resize(classes, NEVER);
        if is_pair_apart(group) {
            return self.two_apart();
        }
        for range in ranges(group) {
            self.pass(&Pass::new(group, range));
        }
        self.least.iter().copied().fold(NEVER, f32::min)
    }

    /// Two tasks in two classes, without the tables.
    fn two_apart(&mut self) -> f32 {
        let one = |class: usize| self.sums[class * 3 + 1];
        let (mut first, mut second) = ((NEVER, usize::MAX), NEVER);
        for class in 0..self.least.len() {
            let cost = one(class);
            if cost < first.0 {
                (first, second) = ((cost, class), first.0);
            } else {
                second = second.min(cost);
            }
        }
        for class in 0..self.least.len() {
            let other = if class == first.1 { second } else { first.0 };
            self.least[class] = (one(class) + other).min(NEVER);
        }
        (first.0 + second).min(NEVER)
    }

    /// The tables of all classes before each and after each, joined at every class.
    fn pass(&mut self, pass: &Pass<'_>) {
        let (classes, states) = (pass.group.classes(), pass.states());
        for table in [&mut self.before, &mut self.after] {
            table.clear();
            table.resize((classes + 1) * states, NEVER);
        }
        self.before[0] = 0.0;
        self.after[classes * states] = 0.0;
        for class in 0..classes {
            pass.add(class, &self.sums, &mut self.before, (class, class + 1));
        }
        for class in (0..classes).rev() {
            pass.add(class, &self.sums, &mut self.after, (class + 1, class));
        }
        for class in 0..classes {
            let before = &self.before[class * states..(class + 1) * states];
            let after = &self.after[(class + 1) * states..(class + 2) * states];
            let least = pass.join(class, &self.sums, before, after);
            self.least[class] = self.least[class].min(least);
        }
    }
}

/// A group, and one way to be uneven.
struct Pass<'g> {
    group: &'g Group,
    range: Range,
    most_used: usize,
}

impl<'g> Pass<'g> {
    fn new(group: &'g Group, range: Range) -> Self {
        Self {
            group,
            range,
            most_used: most_used(group),
        }
    }

    fn tasks(&self) -> usize {
        self.group.tasks.len()
    }

    /// How many pairs of tasks placed and classes used there are.
    fn states(&self) -> usize {
        (self.tasks() + 1) * (self.most_used + 1)
    }

    const fn state(&self, count: usize, used: usize) -> usize {
        count * (self.most_used + 1) + used
    }

    /// How many tasks the class may have.
    fn counts(&self, class: usize) -> RangeInclusive<usize> {
        let usable = self.group.usable.get(class).copied().unwrap_or(false);
        (if usable { self.range.low } else { 0 })..=self.range.high.min(self.tasks())
    }

    /// What so many tasks cost in the class.
    fn cost(&self, class: usize, sums: &[f32], count: usize) -> f32 {
        sums[class * (self.tasks() + 1) + count]
    }

    /// Adds a class: from the states of one row of the table to those of another.
    fn add(&self, class: usize, sums: &[f32], table: &mut [f32], (from, to): (usize, usize)) {
        for count in 0..=self.tasks() {
            for used in 0..=self.most_used {
                let known = table[from * self.states() + self.state(count, used)];
                if known >= NEVER {
                    continue;
                }
                for more in self.counts(class).take_while(|more| count + more <= self.tasks()) {
                    let used = (used + usize::from(more > 0)).min(self.most_used);
                    let slot = &mut table[to * self.states() + self.state(count + more, used)];
                    *slot = slot.min(known + self.cost(class, sums, more));
                }
            }
        }
    }

    /// The least when the class has a task at least, from the states of all before it and of all after it.
    fn join(&self, class: usize, sums: &[f32], before: &[f32], after: &[f32]) -> f32 {
        let price = self.group.price.map_or(NEVER, |price| price as f32);
        let broken = |used: usize| match self.group.excess_used(used) {
            0 => 0.0,
            excess => price * excess as f32,
        };
        let mut least = NEVER;
        for more in self.counts(class).filter(|more| *more > 0) {
            let here = self.range.price + self.cost(class, sums, more);
            for count in 0..=self.tasks() - more {
                for used in 0..=self.most_used {
                    let before = before[self.state(count, used)];
                    if before >= NEVER {
                        continue;
                    }
                    for others in 0..=self.most_used {
                        let after = after[self.state(self.tasks() - more - count, others)];
                        least = least.min(before + here + after + broken(used + others + 1));
                    }
                }
            }
        }
        least
    }
}

/// About the work of a look at a group.
pub(super) fn work(group: &Group) -> u64 {
    let (tasks, classes) = (group.tasks.len() as u64, group.classes() as u64);
    if is_pair_apart(group) {
        return 4 * classes;
    }
    let used = most_used(group) as u64 + 1;
    ranges(group).len() as u64 * classes * (tasks + 1) * (tasks + 1) * used * used / 4
}

/// True for two tasks that have to be in two classes, and for nothing else.
const fn is_pair_apart(group: &Group) -> bool {
    group.tasks.len() == 2
        && group.least == 2
        && group.most.is_none()
        && group.skew.is_none()
        && group.price.is_none()
}

/// Beyond so many classes used it makes no difference how many.
fn most_used(group: &Group) -> usize {
    let tasks = group.tasks.len();
    if group.most.is_some() {
        tasks
    } else {
        group.least.min(tasks)
    }
}

/// The ways to be uneven: each emptiest class with each fullest that differs by more than may be, where that has a price.
fn ranges(group: &Group) -> Vec<Range> {
    let tasks = group.tasks.len();
    let usable = group.usable.iter().filter(|usable| **usable).count();
    let (Some(skew), 1..) = (group.skew, usable) else {
        return vec![Range {
            low: 0,
            high: tasks,
            price: 0.0,
        }];
    };
    let mut ranges = Vec::new();
    for low in 0..=tasks / usable {
        let even = (low + skew).min(tasks);
        let most = if group.price.is_some() { tasks } else { even };
        for high in even..=most {
            let price = group.price.unwrap_or(0) as f32 * (high - even) as f32;
            ranges.push(Range { low, high, price });
        }
    }
    ranges
}
