//! An answer in the making: where each task is, what each agent holds, and what a change would cost.
//!
//! Capacity is soft here: what is taken below it may have a price, and what is taken above it has a dear one.

use super::far::weighed;
use super::field::{Field, NEVER};
use super::group::groups_of;
use super::problem::QuadraticProblem;

/// A link as one of its tasks sees it.
#[derive(Debug, Clone, Copy)]
struct Beside {
    other: u32,
    weight: f32,
    /// The number of the distance, and whether this task is the link's `from`; `None` where every two agents are equally far, and
    /// the weight is what that costs.
    far: Option<(u32, bool)>,
}

/// What rows of capacity cost, by agent and then resource.
#[derive(Debug, Clone, Default)]
pub(super) struct Rates {
    /// A unit below capacity.
    pub(super) slack: Vec<f64>,
    /// A unit above.
    pub(super) over: Vec<f64>,
    /// Being above at all.
    pub(super) step: f64,
    /// A class or task too many or too few in a group that may have none, and a link where it may not be.
    pub(super) broken: f64,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct State<'a> {
    problem: &'a QuadraticProblem,
    pub(super) field: &'a Field,
    beside: Vec<Beside>,
    starts: Vec<usize>,
    pub(super) agent_of: Vec<u32>,
    members: Vec<Vec<u32>>,
    place: Vec<u32>,
    /// By agent, then resource.
    used: Vec<f64>,
    pub(super) rates: Rates,
    /// Pairs, links, groups and what is above comfort, without what capacity costs.
    pub(super) cost: f64,
    /// Rows above capacity, what is too many or too few in groups that may have none, and links where they may not be.
    pub(super) over: usize,
    /// By task: its groups.
    groups_of: Vec<Vec<u32>>,
    /// By group: tasks by class, and what is too many or too few.
    spread: Vec<(Vec<u32>, usize)>,
    stamps: Vec<u32>,
    stamp: u32,
    pub(super) work: u64,
}

/// A change by itself: what it does to pairs, links and comfort, and to the rows of both agents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) cost: f64,
    /// Links where they may not be.
    pub(super) broken: i64,
    pub(super) left: f64,
    pub(super) entered: f64,
}

/// What a link costs, and whether it is where it may not be.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Price {
    cost: f64,
    broken: i64,
}

impl Price {
    const FREE: Self = Self { cost: 0.0, broken: 0 };

    fn change(&mut self, to: Self, from: Self) {
        self.cost += to.cost - from.cost;
        self.broken += to.broken - from.broken;
    }
}

impl Change {
    /// What undoes it.
    pub(super) fn back(self) -> Self {
        Self {
            cost: -self.cost,
            broken: -self.broken,
            left: -self.left,
            entered: -self.entered,
        }
    }

    pub(super) fn total(self) -> f64 {
        self.cost + self.left + self.entered
    }
}

impl<'a> State<'a> {
    pub(super) fn new(problem: &'a QuadraticProblem, field: &'a Field, answer: &[usize]) -> Self {
        let tasks = field.tasks();
        let mut near = vec![Vec::new(); tasks];
        for link in problem.links() {
            let simple = field.far[link.distance].cut;
            for (mine, other, forward) in [(link.from, link.to, true), (link.to, link.from, false)] {
                near[mine].push(Beside {
                    other: other as u32,
                    weight: link.weight as f32 * simple.unwrap_or(1.0),
                    far: simple.is_none().then_some((link.distance as u32, forward)),
                });
            }
        }
        let mut starts = vec![0];
        for near in &near {
            starts.push(starts[starts.len() - 1] + near.len());
        }
        let rows = field.agents * field.resources;
        let mut state = Self {
            problem,
            field,
            beside: near.concat(),
            starts,
            agent_of: answer.iter().map(|agent| *agent as u32).collect(),
            members: vec![Vec::new(); field.agents],
            place: vec![0; tasks],
            used: vec![0.0; rows],
            rates: Rates {
                slack: vec![0.0; rows],
                over: vec![0.0; rows],
                step: 0.0,
                broken: 0.0,
            },
            cost: 0.0,
            over: 0,
            groups_of: groups_of(problem),
            spread: vec![(Vec::new(), 0); problem.groups().len()],
            stamps: vec![0; tasks],
            stamp: 0,
            work: 0,
        };
        state.place_all();
        state
    }

    /// Every task where `answer` says.
    pub(super) fn reset(&mut self, answer: &[usize]) {
        for (mine, agent) in self.agent_of.iter_mut().zip(answer) {
            *mine = *agent as u32;
        }
        self.place_all();
    }

    /// Counts everything anew, from where each task is.
    pub(super) fn place_all(&mut self) {
        self.members.iter_mut().for_each(Vec::clear);
        self.used.fill(0.0);
        self.cost = 0.0;
        let mut links = Price::FREE;
        for task in 0..self.agent_of.len() {
            let agent = self.agent_of[task] as usize;
            self.place[task] = self.members[agent].len() as u32;
            self.members[agent].push(task as u32);
            self.cost += f64::from(self.field.costs(task)[agent]);
            for (resource, need) in self.field.needs(task).iter().enumerate() {
                self.used[agent * self.field.resources + resource] += f64::from(*need);
            }
            for at in self.starts[task]..self.starts[task + 1] {
                let beside = self.beside[at];
                if (beside.other as usize) > task {
                    let other = self.agent_of[beside.other as usize];
                    links.change(self.link(beside, agent as u32, other), Price::FREE);
                }
            }
        }
        self.cost += links.cost;
        for (row, used) in self.used.iter().enumerate() {
            self.cost += self.field.strain(row, *used);
        }
        self.over = self
            .used
            .iter()
            .zip(&self.field.capacities)
            .filter(|(used, has)| used > has)
            .count();
        self.over += links.broken as usize;
        for (spread, group) in self.spread.iter_mut().zip(self.problem.groups()) {
            let counts = group.count(|task| self.agent_of[task] as usize);
            let excess = group.excess(&counts);
            match group.price {
                None => self.over += excess,
                Some(price) => self.cost += price as f64 * excess as f64,
            }
            *spread = (counts, excess);
        }
    }

    /// Tasks of groups that have too many or too few where they may have none, and of links where they may not be.
    pub(super) fn broken(&self) -> Vec<u32> {
        let groups = self.spread.iter().zip(self.problem.groups());
        let groups = groups.filter(|((_, excess), group)| *excess > 0 && group.price.is_none());
        let mut tasks: Vec<u32> = groups
            .flat_map(|(_, group)| group.tasks.iter().map(|task| *task as u32))
            .collect();
        for task in 0..self.agent_of.len() {
            let beside = &self.beside[self.starts[task]..self.starts[task + 1]];
            let far = |beside: &Beside| {
                beside.far.is_some()
                    && self
                        .link(*beside, self.agent_of[task], self.agent_of[beside.other as usize])
                        .broken
                        > 0
            };
            if beside.iter().any(far) {
                tasks.push(task as u32);
            }
        }
        tasks
    }

    fn link(&self, beside: Beside, mine: u32, other: u32) -> Price {
        let cost = match beside.far {
            None if mine == other => 0.0,
            None => beside.weight,
            Some((far, forward)) => {
                let far = &self.field.far[far as usize];
                let (mine, other) = (far.class[mine as usize], far.class[other as usize]);
                weighed(beside.weight, far.row(forward, mine as usize)[other as usize])
            }
        };
        if cost >= NEVER {
            return Price { cost: 0.0, broken: 1 };
        }
        Price {
            cost: f64::from(cost),
            broken: 0,
        }
    }

    pub(super) fn members(&self, agent: usize) -> &[u32] {
        &self.members[agent]
    }

    /// One of the tasks linked to this one, by chance.
    pub(super) fn neighbour(&self, task: usize, chance: usize) -> Option<usize> {
        let near = &self.beside[self.starts[task]..self.starts[task + 1]];
        let beside = near.get(chance % near.len().max(1))?;
        Some(beside.other as usize)
    }

    /// Collects the tasks linked to this one at the same agent, not through `but`.
    pub(super) fn run(&mut self, task: usize, but: Option<usize>, run: &mut Vec<u32>) {
        self.next_stamp();
        let agent = self.agent_of[task];
        run.clear();
        run.push(task as u32);
        self.stamps[task] = self.stamp;
        if let Some(but) = but {
            self.stamps[but] = self.stamp;
        }
        let mut at = 0;
        while at < run.len() {
            let mine = run[at] as usize;
            for entry in self.starts[mine]..self.starts[mine + 1] {
                let other = self.beside[entry].other as usize;
                if self.agent_of[other] == agent && self.stamps[other] != self.stamp {
                    self.stamps[other] = self.stamp;
                    run.push(other as u32);
                }
            }
            at += 1;
        }
        self.work += 8 * run.len() as u64;
    }

    fn next_stamp(&mut self) {
        self.stamp = self.stamp.wrapping_add(1);
        if self.stamp == 0 {
            self.stamps.fill(0);
            self.stamp = 1;
        }
    }

    /// What it would do to bring tasks, all of one agent, to another; `None` when one of them may not be there.
    pub(super) fn change(&mut self, tasks: &[u32], to: usize) -> Option<Change> {
        let from = self.agent_of[tasks[0] as usize];
        self.next_stamp();
        for task in tasks {
            self.stamps[*task as usize] = self.stamp;
        }
        let mut cost = 0.0;
        let mut links = Price::FREE;
        let mut looked = 0;
        for task in tasks {
            let task = *task as usize;
            let costs = self.field.costs(task);
            let here = costs[to];
            if here >= NEVER {
                return None;
            }
            cost += f64::from(here) - f64::from(costs[from as usize]);
            for entry in self.starts[task]..self.starts[task + 1] {
                let beside = self.beside[entry];
                let other = beside.other as usize;
                looked += u64::from(beside.far.is_some());
                if self.stamps[other] != self.stamp {
                    let there = self.agent_of[other];
                    links.change(
                        self.link(beside, to as u32, there),
                        self.link(beside, from, there),
                    );
                } else if other > task && beside.far.is_some() {
                    links.change(
                        self.link(beside, to as u32, to as u32),
                        self.link(beside, from, from),
                    );
                }
            }
        }
        let (priced, broken) = self.spread_change(tasks, to);
        cost += priced + links.cost;
        let (mut left, mut entered) = ((broken + links.broken as f64) * self.rates.broken, 0.0);
        for resource in 0..self.field.resources {
            let needs: f64 = tasks
                .iter()
                .map(|task| f64::from(self.field.needs(*task as usize)[resource]))
                .sum();
            left += self.row(from as usize, resource, -needs);
            entered += self.row(to, resource, needs);
            cost += self.strained(from as usize, resource, -needs) + self.strained(to, resource, needs);
        }
        self.work += 16 * tasks.len() as u64 + 16 + 16 * looked;
        Some(Change {
            cost,
            broken: links.broken,
            left,
            entered,
        })
    }

    /// What bringing tasks to an agent does to groups: to their prices, and to what is too many or too few where there may be
    /// none.
    fn spread_change(&mut self, tasks: &[u32], to: usize) -> (f64, f64) {
        if self.spread.is_empty() {
            return (0.0, 0.0);
        }
        let from = self.agent_of[tasks[0] as usize] as usize;
        let mut touched: Vec<u32> = Vec::new();
        for task in tasks {
            for group in &self.groups_of[*task as usize] {
                let class = &self.problem.groups()[*group as usize].class;
                let counts = &mut self.spread[*group as usize].0;
                counts[class[from]] -= 1;
                counts[class[to]] += 1;
                touched.push(*group);
            }
        }
        let (mut priced, mut broken) = (0.0, 0.0);
        for at in 0..touched.len() {
            let number = touched[at];
            let group = &self.problem.groups()[number as usize];
            let (counts, before) = &mut self.spread[number as usize];
            if !touched[..at].contains(&number) {
                let more = group.excess(counts) as f64 - *before as f64;
                match group.price {
                    None => broken += more,
                    Some(price) => priced += price as f64 * more,
                }
            }
        }
        for number in touched {
            let group = &self.problem.groups()[number as usize];
            let counts = &mut self.spread[number as usize].0;
            counts[group.class[to]] -= 1;
            counts[group.class[from]] += 1;
        }
        (priced, broken)
    }

    fn row(&self, agent: usize, resource: usize, more: f64) -> f64 {
        let at = agent * self.field.resources + resource;
        let (has, used) = (self.field.capacities[at], self.used[at]);
        let (slack, over) = (self.rates.slack[at], self.rates.over[at]);
        let pay = |used: f64| {
            if used <= has {
                slack * used
            } else {
                slack * has + over * (used - has) + self.rates.step
            }
        };
        pay(used + more) - pay(used)
    }

    /// What more of a row costs above comfort.
    fn strained(&self, agent: usize, resource: usize, more: f64) -> f64 {
        if self.field.comfort.is_empty() {
            return 0.0;
        }
        let row = agent * self.field.resources + resource;
        let used = self.used[row];
        self.field.strain(row, used + more) - self.field.strain(row, used)
    }

    /// Brings tasks to an agent; `change` is what that does.
    pub(super) fn apply(&mut self, tasks: &[u32], to: usize, change: &Change) {
        let from = self.agent_of[tasks[0] as usize] as usize;
        for resource in 0..self.field.resources {
            let needs: f64 = tasks
                .iter()
                .map(|task| f64::from(self.field.needs(*task as usize)[resource]))
                .sum();
            self.load(from, resource, -needs);
            self.load(to, resource, needs);
        }
        for task in tasks {
            for number in &self.groups_of[*task as usize] {
                let group = &self.problem.groups()[*number as usize];
                let (counts, excess) = &mut self.spread[*number as usize];
                counts[group.class[from]] -= 1;
                counts[group.class[to]] += 1;
                let now = group.excess(counts);
                if group.price.is_none() {
                    self.over = self.over + now - *excess;
                }
                *excess = now;
            }
            let at = *task as usize;
            let place = self.place[at] as usize;
            self.members[from].swap_remove(place);
            if let Some(moved) = self.members[from].get(place) {
                self.place[*moved as usize] = place as u32;
            }
            self.place[at] = self.members[to].len() as u32;
            self.members[to].push(*task);
            self.agent_of[at] = to as u32;
        }
        self.cost += change.cost;
        self.over = self.over.saturating_add_signed(change.broken as isize);
        self.work += 8 * tasks.len() as u64;
    }

    fn load(&mut self, agent: usize, resource: usize, more: f64) {
        let at = agent * self.field.resources + resource;
        let has = self.field.capacities[at];
        let before = self.used[at] > has;
        self.used[at] += more;
        let after = self.used[at] > has;
        self.over = self.over + usize::from(after) - usize::from(before);
    }

    pub(super) fn answer(&self) -> Vec<usize> {
        self.agent_of.iter().map(|agent| *agent as usize).collect()
    }
}
