//! Simulated annealing from the question with priced, soft capacity to the question itself.
//!
//! On true costs with hard capacities a change between a dear full agent and a cheap empty one climbs over a barrier of
//! thousands; with room priced and overload cheap there is none. Both turn by degrees into what was asked: a homotopy.

use std::ops::Range;

use super::field::{Field, NEVER};
use super::forest::Forest;
use super::group::{Group, groups_of};
use super::incumbent::Incumbent;
use super::problem::QuadraticProblem;
use super::rearrange::Gone;
use super::state::{Change, State};
use super::sweep::{first_least, price};
use crate::random::Random;

const OF_TASK: usize = 6;
const OF_TREE: usize = 8;
const OF_CLASSES: usize = 8;
/// Up to so much of the scale of costs is added, so that of agents that cost the same other tasks try others.
const JITTER: f64 = 0.01;

/// Agents worth trying, by reduced cost.
#[derive(Debug)]
pub(super) struct Candidates {
    /// Where each task costs least by itself.
    home: Vec<u32>,
    task: Vec<Vec<u32>>,
    tree: Vec<Vec<u32>>,
    tree_of: Vec<usize>,
}

impl Candidates {
    pub(super) fn new(problem: &QuadraticProblem, field: &Field, forest: &Forest, prices: &[f64]) -> Self {
        let groups_of = groups_of(problem);
        let unit: Vec<f32> = prices.iter().map(|price| *price as f32).collect();
        let mut row = vec![0.0; field.width];
        let home = (0..field.tasks())
            .map(|task| first_least(field.costs(task)).0 as u32)
            .collect();
        let mut random = Random::new(0);
        let jitter = field.scale * JITTER;
        let mut task = vec![Vec::new(); field.tasks()];
        let mut tree = Vec::with_capacity(forest.trees());
        for number in 0..forest.trees() {
            let mut sum = vec![0.0_f32; field.width];
            for node in forest.tree(number) {
                price(field, node.task, &unit, &mut row);
                for cost in row.iter_mut().filter(|cost| **cost < NEVER) {
                    *cost += (jitter * random.unit()) as f32;
                }
                let order = cheapest(&row);
                let mut agents = first(&order, OF_TASK);
                for group in &groups_of[node.task] {
                    add_classes(&order, &problem.groups()[*group as usize], &mut agents);
                }
                task[node.task] = agents;
                for (sum, cost) in sum.iter_mut().zip(&row) {
                    *sum += (*cost).min(NEVER);
                }
            }
            tree.push(first(&cheapest(&sum), OF_TREE));
        }
        Self {
            home,
            task,
            tree,
            tree_of: forest.tree_of.clone(),
        }
    }
}

/// Adds the cheapest agent of each of the cheapest classes: whoever has to spread has to have somewhere else to go.
fn add_classes(order: &[u32], group: &Group, agents: &mut Vec<u32>) {
    let mut seen = vec![false; group.classes()];
    let firsts = order
        .iter()
        .filter(|agent| !std::mem::replace(&mut seen[group.class[**agent as usize]], true));
    let new: Vec<u32> = firsts
        .take(OF_CLASSES)
        .copied()
        .filter(|agent| !agents.contains(agent))
        .collect();
    agents.extend(new);
}

/// The agents that may be, the cheapest first.
fn cheapest(row: &[f32]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..row.len() as u32)
        .filter(|agent| row[*agent as usize] < NEVER)
        .collect();
    order.sort_by(|a, b| row[*a as usize].total_cmp(&row[*b as usize]).then(a.cmp(b)));
    order
}

fn first(order: &[u32], number: usize) -> Vec<u32> {
    order.iter().take(number).copied().collect()
}

/// How the question changes on the way; shares of the scale of costs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    pub(super) hot: f64,
    pub(super) cold: f64,
    /// What overload costs at first, over the rate of the resource, and at the end.
    pub(super) soft: f64,
    pub(super) hard: f64,
    /// The share of its price that room costs at first.
    pub(super) priced: f64,
    pub(super) step: f64,
    /// What is broken costs at least so much.
    pub(super) mending: f64,
    /// Heat is in shares of what pairs alone are about, and one target in so many is where a task costs least; 0 for neither.
    pub(super) homing: usize,
}

impl Schedule {
    const FLEET: Self = Self {
        hot: 0.05,
        cold: 0.001,
        soft: 0.1,
        hard: 100.0,
        priced: 1.1,
        step: 1.0,
        mending: 0.0,
        homing: 0,
    };

    /// Around an answer that is nearly right.
    pub(super) const fn near() -> Self {
        Self {
            hot: 0.004,
            soft: 1.0,
            ..Self::FLEET
        }
    }

    /// Where load costs by itself: hotter, as costs change with every move, and nothing may break that no group of moves will mend when
    /// it has cooled.
    pub(super) const fn strained() -> Self {
        Self {
            hot: 0.15,
            mending: 10.0,
            ..Self::FLEET
        }
    }

    /// Around an answer that is good but for small change.
    pub(super) const fn polish() -> Self {
        Self {
            hot: 0.001,
            cold: 1e-6,
            soft: 100.0,
            priced: 0.0,
            mending: 10.0,
            ..Self::FLEET
        }
    }

    /// Around an answer that is good but for what pairs cost by themselves, where load costs a million times as much: most tasks are far from
    /// where they cost least by then, and at the heat of loads nothing draws them there.
    pub(super) const fn homing() -> Self {
        Self {
            hot: 1.0,
            cold: 0.03,
            homing: 2,
            ..Self::polish()
        }
    }
}

impl Default for Schedule {
    fn default() -> Self {
        Self::FLEET
    }
}

const EPOCHS: u32 = 400;

/// Tasks whose costs are more numbers than this take turns: proposals about all of them at once wait for memory.
const TOGETHER: usize = 786_432; // 3 MiB

/// One proposal in so many mends what is broken: one of its tasks goes anywhere.
const MEND: usize = 8;

/// Where load costs by itself, one proposal in so many rearranges an agent, while that takes less than this share of the work, in 64ths.
const REARRANGE: usize = 32;
const REARRANGED: u64 = 32;

/// One target in so many is any agent, as no list has all that are of use.
const ANYWHERE: usize = 64;

/// So often an agent is drawn until one comes where the task may be.
const DRAWS: usize = 8;

/// One run: the schedule from beginning to end in so much work.
pub(super) struct Anneal<'s, 'a> {
    pub(super) state: &'s mut State<'a>,
    pub(super) candidates: &'s Candidates,
    pub(super) prices: &'s [f64],
    pub(super) random: Random,
    pub(super) incumbent: &'s mut Incumbent,
    run: Vec<u32>,
    second: Vec<u32>,
    /// Tasks of groups and links that were broken when the epoch began.
    broken: Vec<u32>,
    /// Where tasks of a rearrangement under way came from.
    pub(super) gone: Vec<Gone>,
    /// The work of the state when the run began, and how much of what followed was rearranging.
    start: u64,
    rearranged: u64,
    /// The tasks that are proposed for now.
    near: Range<usize>,
    /// See [`Schedule::homing`].
    homing: usize,
}

impl<'s, 'a> Anneal<'s, 'a> {
    pub(super) const fn new(
        state: &'s mut State<'a>,
        candidates: &'s Candidates,
        prices: &'s [f64],
        incumbent: &'s mut Incumbent,
        seed: u64,
    ) -> Self {
        let random = Random::new(seed);
        Self {
            state,
            candidates,
            prices,
            random,
            incumbent,
            run: Vec::new(),
            second: Vec::new(),
            broken: Vec::new(),
            gone: Vec::new(),
            start: 0,
            rearranged: 0,
            near: 0..0,
            homing: 0,
        }
    }

    /// False when `go_on` said no.
    pub(super) fn cool(
        &mut self,
        schedule: &Schedule,
        effort: u64,
        go_on: &mut dyn FnMut(u64, &Incumbent) -> bool,
    ) -> bool {
        let start = self.state.work;
        self.start = start;
        let field = self.state.field;
        let (hot, cold) = if schedule.homing > 0 {
            (field.pairs, field.pairs)
        } else {
            (field.scale, field.typical)
        };
        let (hot, cold) = (hot * schedule.hot, cold * schedule.cold);
        self.homing = schedule.homing;
        for epoch in 0..EPOCHS {
            let progress = f64::from(epoch) / f64::from(EPOCHS - 1);
            let heat = hot * (cold / hot).powf(progress);
            self.set_rates(schedule, progress);
            self.state.place_all();
            self.incumbent.see_all(self.state);
            self.broken = self.state.broken();
            let tasks = self.state.agent_of.len();
            let parts = tasks.div_ceil((TOGETHER / self.state.field.width).max(1));
            for part in 0..parts {
                self.near = part * tasks / parts..(part + 1) * tasks / parts;
                let done = f64::from(epoch) + (part + 1) as f64 / parts as f64;
                let until = start + (effort as f64 * done / f64::from(EPOCHS)) as u64;
                while self.state.work < until {
                    self.propose(heat);
                }
            }
            if !go_on(self.state.work, self.incumbent) {
                return false;
            }
        }
        true
    }

    fn set_rates(&mut self, schedule: &Schedule, progress: f64) {
        let field = self.state.field;
        let over = schedule.soft * (schedule.hard / schedule.soft).powf(progress);
        for agent in 0..field.agents {
            for resource in 0..field.resources {
                let at = agent * field.resources + resource;
                let price = self.prices[resource * field.width + agent];
                // What costs above comfort is soft as it is.
                let strained = field.comfort.get(at).is_some_and(|(_, price)| *price > 0.0);
                let priced = if strained { 0.0 } else { schedule.priced };
                let slack = price * priced * (1.0 - progress).sqrt();
                let above = price + over * field.rates[resource];
                self.state.rows.set_rates(agent, resource, (slack, above));
            }
        }
        self.state.mending = over.max(schedule.mending).min(20.0) * field.scale;
        self.state.rows.step = schedule.step * progress * progress * field.scale;
    }

    fn propose(&mut self, heat: f64) {
        if self.state.field.is_strained() && self.random.below(REARRANGE) == 0 {
            let before = self.state.work;
            if self.rearranged <= (before - self.start) / 64 * REARRANGED {
                let accepted = -heat * self.random.unit().ln();
                self.rearrange(accepted);
                self.rearranged += self.state.work - before;
                return;
            }
        }
        let mend = !self.broken.is_empty() && self.random.below(MEND) == 0;
        let task = if mend {
            self.broken[self.random.below(self.broken.len())] as usize
        } else {
            self.near.start + self.random.below(self.near.len())
        };
        self.state.work += 24;
        let from = self.state.agent_of[task] as usize;
        let to = if mend {
            Some(self.anywhere(task))
        } else {
            self.target(task)
        };
        let Some(to) = to else { return };
        if to == from {
            return;
        }
        match self.random.below(16) {
            0 => {
                self.run.clear();
                self.run.push(task as u32);
            }
            1 | 2 => {
                let chance = self.random.below(1 << 16);
                let but = self.state.neighbour(task, chance);
                self.state.run(task, but, &mut self.run);
            }
            _ => self.state.run(task, None, &mut self.run),
        }
        let accepted = -heat * self.random.unit().ln();
        let Some(change) = self.state.change(&self.run, to, accepted) else {
            self.trade(task, from, to, accepted);
            return;
        };
        if change.total() <= accepted {
            self.state.apply(&self.run, to, &change);
            self.incumbent.see(self.state, &self.run);
            return;
        }
        self.make_room(from, to, &change, accepted);
    }

    /// A task that may not be at `to` with another of its groups changes places with that one.
    fn trade(&mut self, task: usize, from: usize, to: usize, accepted: f64) {
        // where load costs by itself most changes are refused for that
        let [_] = self.run[..] else { return };
        if self.state.field.is_strained() {
            return;
        }
        let Some(mate) = self.state.mate(task, to) else {
            return;
        };
        let Some(first) = self.state.change(&self.run, to, f64::INFINITY) else {
            return;
        };
        self.second.clear();
        self.second.push(mate);
        self.exchange(from, to, from, &first, accepted);
    }

    /// The run goes to `to`, and one of there goes back or to a third agent.
    fn make_room(&mut self, from: usize, to: usize, first: &Change, accepted: f64) {
        let members = self.state.members(to);
        if members.is_empty() {
            return;
        }
        let other = members[self.random.below(members.len())] as usize;
        let back = if self.random.below(2) == 0 {
            from
        } else {
            self.target(other).unwrap_or(from)
        };
        if back == to {
            return;
        }
        if self.random.below(4) == 0 {
            self.second.clear();
            self.second.push(other as u32);
        } else {
            self.state.run(other, None, &mut self.second);
        }
        if let ([one], [other]) = (&self.run[..], &self.second[..])
            && self.state.exchange_floor(*one as usize, *other as usize, back) > accepted
        {
            return;
        }
        self.exchange(from, to, back, first, accepted);
    }

    /// The run goes to `to`, which is the first change, and the second one from there to `back`, where both cost no more than is accepted.
    fn exchange(&mut self, from: usize, to: usize, back: usize, first: &Change, accepted: f64) {
        self.state.apply(&self.run, to, first);
        if let Some(change) = self.state.change(&self.second, back, accepted - first.total())
            && first.total() + change.total() <= accepted
        {
            self.state.apply(&self.second, back, &change);
            self.incumbent.note(&self.run);
            self.incumbent.see(self.state, &self.second);
        } else {
            self.state.apply(&self.run, from, &first.back());
        }
    }

    /// An agent by chance; where load costs by itself one where the task may be, as most of the tries go to any.
    pub(super) fn anywhere(&mut self, task: usize) -> usize {
        let field = self.state.field;
        let mut agent = self.random.below(field.agents);
        if field.is_strained() {
            for _ in 1..DRAWS {
                if field.costs(task)[agent] < NEVER {
                    break;
                }
                agent = self.random.below(field.agents);
            }
        }
        agent
    }

    fn target(&mut self, task: usize) -> Option<usize> {
        if self.homing > 0 && self.random.below(self.homing) == 0 {
            return Some(self.candidates.home[task] as usize);
        }
        // what load costs by itself no list can tell before
        let is_strained = self.state.field.is_strained();
        if is_strained && self.random.below(4) > 0 || self.random.below(ANYWHERE) == 0 {
            return Some(self.anywhere(task));
        }
        let list = match self.random.below(16) {
            0 | 1 => {
                let chance = self.random.below(1 << 16);
                let other = self.state.neighbour(task, chance)?;
                return Some(self.state.agent_of[other] as usize);
            }
            2..=8 => &self.candidates.task[task],
            _ => &self.candidates.tree[self.candidates.tree_of[task]],
        };
        list.get(self.random.below(list.len()))
            .map(|agent| *agent as usize)
    }
}
