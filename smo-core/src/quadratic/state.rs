//! An answer in the making: where each task is, what each agent holds, and what a change would cost.
//!
//! Capacity is soft here: what is taken below it may have a price, and what is taken above it has a dear one.

use super::far::weighed;
use super::field::{Field, NEVER};
use super::near::Near;
use super::problem::QuadraticProblem;
use super::rows::{Load, Moving, Rows};
use super::spreading::Spreading;

/// A link as one of its tasks sees it.
#[derive(Debug, Clone, Copy)]
struct Beside {
    other: u32,
    weight: f32,
    /// The number of the distance, and whether this task is the link's `from`; `None` where every two agents are equally far, and
    /// the weight is what that costs.
    far: Option<(u32, bool)>,
}

/// Where everything is.
#[derive(Debug)]
pub(super) struct State<'a> {
    pub(super) field: &'a Field,
    beside: Vec<Beside>,
    starts: Vec<usize>,
    pub(super) agent_of: Vec<u32>,
    members: Vec<Vec<u32>>,
    place: Vec<u32>,
    pub(super) rows: Rows<'a>,
    spreading: Spreading<'a>,
    near: Near,
    /// What is broken costs so much: a class or task too many or too few in a group that may have none, a link where it may not be, and
    /// a task without another that it needs near.
    pub(super) mending: f64,
    /// Pairs, links, groups and what is above comfort or out of balance, without what capacity costs.
    pub(super) cost: f64,
    /// How much is broken, rows above capacity left out.
    broken: i64,
    /// What is about to move, and what in exchange for it.
    load: Moving,
    other: Moving,
    stamps: Vec<u32>,
    stamp: u32,
    pub(super) work: u64,
}

/// A change by itself: what it does to pairs, links and comfort, and to the rows of both agents.
#[derive(Debug, Clone, Copy)]
pub(super) struct Change {
    pub(super) cost: f64,
    /// How much more is broken, see [`State::is_sound`].
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
        let mut state = Self {
            field,
            beside: near.concat(),
            starts,
            agent_of: answer.iter().map(|agent| *agent as u32).collect(),
            members: vec![Vec::new(); field.agents],
            place: vec![0; tasks],
            rows: Rows::new(field),
            spreading: Spreading::new(problem),
            near: Near::new(problem.affinities(), tasks),
            mending: 0.0,
            cost: 0.0,
            broken: 0,
            load: Moving::new(field),
            other: Moving::new(field),
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
        self.cost = 0.0;
        let mut links = Price::FREE;
        for task in 0..self.agent_of.len() {
            let agent = self.agent_of[task] as usize;
            self.place[task] = self.members[agent].len() as u32;
            self.members[agent].push(task as u32);
            self.cost += f64::from(self.field.costs(task)[agent]);
            for at in self.starts[task]..self.starts[task + 1] {
                let beside = self.beside[at];
                if (beside.other as usize) > task {
                    let other = self.agent_of[beside.other as usize];
                    links.change(self.link(beside, agent as u32, other), Price::FREE);
                }
            }
        }
        let uneven = self.spreading.count(&self.agent_of);
        let strain = self.rows.count(&self.agent_of);
        let alone = self.near.count(&self.agent_of) as i64;
        self.cost += links.cost + strain + uneven.priced;
        self.broken = links.broken + uneven.broken + alone;
    }

    /// True when nothing is broken or above capacity.
    pub(super) const fn is_sound(&self) -> bool {
        self.broken == 0 && self.rows.over == 0
    }

    /// Tasks of groups that have too many or too few where they may have none, of links where they may not be, and without another that
    /// they need near.
    pub(super) fn broken(&self) -> Vec<u32> {
        let mut tasks: Vec<u32> = self.spreading.broken().collect();
        for task in 0..self.agent_of.len() {
            let beside = &self.beside[self.starts[task]..self.starts[task + 1]];
            let far = |beside: &Beside| {
                beside.far.is_some()
                    && self
                        .link(*beside, self.agent_of[task], self.agent_of[beside.other as usize])
                        .broken
                        > 0
            };
            if beside.iter().any(far) || self.near.is_alone(task, self.agent_of[task] as usize) {
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

    /// A task of an agent that is in a group with this one.
    pub(super) fn mate(&mut self, task: usize, agent: usize) -> Option<u32> {
        if self.spreading.of(task) == 0 {
            return None;
        }
        let members = &self.members[agent];
        self.work += 2 * members.len() as u64;
        members
            .iter()
            .copied()
            .find(|other| self.spreading.are_mates(task, *other as usize))
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

    /// What it would do to bring tasks, all of one agent, to another; `None` when one of them may not be there, or when leaving alone
    /// costs more than is accepted.
    pub(super) fn change(&mut self, tasks: &[u32], to: usize, accepted: f64) -> Option<Change> {
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
        let from = from as usize;
        let bonds = |task: &u32| self.spreading.of(*task as usize) + self.near.of(*task as usize);
        let bonds: usize = tasks.iter().map(bonds).sum();
        self.work += 16 * tasks.len() as u64 + 16 * looked + 6 * bonds as u64;
        let uneven = self.spreading.change(tasks, from, to);
        let cost = cost + uneven.priced + links.cost;
        let broken = uneven.broken + links.broken;
        let floor = cost - self.rows.held(from);
        if broken > 0 && floor + (broken - self.broken) as f64 * self.mending > accepted {
            return None;
        }
        let broken = broken + self.near.change(tasks, from, to);
        if floor + broken as f64 * self.mending > accepted {
            return None;
        }
        self.load.weigh(self.field, tasks, from, to);
        let left = self.rows.change(from, &self.load.gone, -1.0);
        let cost = cost + left.strain;
        let left = broken as f64 * self.mending + left.rated;
        self.work += 8 * self.field.resources as u64;
        if cost + left > accepted {
            return None;
        }
        let entered = self.rows.change(to, &self.load.come, 1.0);
        Some(Change {
            cost: cost + entered.strain,
            broken,
            left,
            entered: entered.rated,
        })
    }

    /// No exchange of two tasks costs less, the one to the agent of the other, and that to `back`; a quick look that leaves out what
    /// mending may save at most. Minus infinity where it cannot tell.
    pub(super) fn exchange_floor(&mut self, one: usize, other: usize, back: usize) -> f64 {
        let linked = |task: usize| self.starts[task] < self.starts[task + 1];
        if linked(one) || linked(other) || self.spreading.is_priced {
            return f64::NEG_INFINITY;
        }
        let (from, to) = (self.agent_of[one] as usize, self.agent_of[other] as usize);
        let pair = |task: usize, from: usize, to: usize| {
            let costs = self.field.costs(task);
            f64::from(costs[to]) - f64::from(costs[from])
        };
        let pairs = pair(one, from, to) + pair(other, to, back);
        self.load.weigh(self.field, &[one as u32], from, to);
        self.other.weigh(self.field, &[other as u32], to, back);
        let (gone, come) = (&self.load.gone, &mut self.load.come);
        come.iter_mut()
            .zip(&self.other.gone)
            .for_each(|(come, gone)| *come -= gone);
        let mut floor = pairs - self.broken as f64 * self.mending;
        let mut add = |load: Load| floor += load.rated + load.strain;
        add(self.rows.change(to, come, 1.0));
        if back == from {
            let there = &mut self.other.come;
            there.iter_mut().zip(gone).for_each(|(come, gone)| *come -= gone);
        } else {
            add(self.rows.change(from, gone, -1.0));
        }
        add(self.rows.change(back, &self.other.come, 1.0));
        self.work += 12 * self.field.resources as u64;
        floor
    }

    /// Brings tasks to an agent; `change` is what that does.
    pub(super) fn apply(&mut self, tasks: &[u32], to: usize, change: &Change) {
        let from = self.agent_of[tasks[0] as usize] as usize;
        self.load.weigh(self.field, tasks, from, to);
        self.rows.load(from, &self.load.gone, -1.0);
        self.rows.load(to, &self.load.come, 1.0);
        self.near.apply(tasks, from, to);
        self.spreading.apply(tasks, from, to);
        self.broken += change.broken;
        for task in tasks {
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
        self.work += 8 * tasks.len() as u64 + 16 * self.field.resources as u64;
    }

    pub(super) fn answer(&self) -> Vec<usize> {
        self.agent_of.iter().map(|agent| *agent as usize).collect()
    }
}
