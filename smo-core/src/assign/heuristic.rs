//! Answers from shares, and making answers better by single moves and exchanges.

use super::mend::mend;
use super::open::Open;
use super::scaled::Scaled;

/// What each agent has left of its limits.
#[derive(Debug, Clone)]
pub(super) struct Room {
    left: Vec<Vec<u64>>,
}

impl Room {
    pub(super) fn new(scaled: &Scaled) -> Self {
        let sacks = scaled.sacks.iter();
        Self {
            left: sacks
                .map(|sack| sack.limits.iter().map(|limit| limit.capacity).collect())
                .collect(),
        }
    }

    pub(super) fn fits(&self, scaled: &Scaled, agent: usize, task: usize) -> bool {
        let limits = scaled.sacks[agent].limits.iter();
        limits
            .zip(&self.left[agent])
            .all(|(limit, left)| limit.needs[task] <= *left)
    }

    /// True when `task` fits where `gone` is taken away.
    fn fits_without(&self, scaled: &Scaled, agent: usize, task: usize, gone: usize) -> bool {
        let limits = scaled.sacks[agent].limits.iter();
        limits
            .zip(&self.left[agent])
            .all(|(limit, left)| limit.needs[task] <= *left + limit.needs[gone])
    }

    pub(super) fn put(&mut self, scaled: &Scaled, agent: usize, task: usize) {
        for (limit, left) in scaled.sacks[agent].limits.iter().zip(&mut self.left[agent]) {
            *left = left.saturating_sub(limit.needs[task]);
        }
    }

    pub(super) fn lift(&mut self, scaled: &Scaled, agent: usize, task: usize) {
        for (limit, left) in scaled.sacks[agent].limits.iter().zip(&mut self.left[agent]) {
            *left += limit.needs[task];
        }
    }
}

/// True when the answer keeps all limits.
pub(super) fn keeps_limits(scaled: &Scaled, answer: &[usize]) -> bool {
    let mut room = Room::new(scaled);
    answer.iter().enumerate().all(|(task, agent)| {
        let fits = room.fits(scaled, *agent, task);
        room.put(scaled, *agent, task);
        fits
    })
}

/// Every task to the agent with the largest share that has room; the most decided first, then the largest. Where a task fits nowhere
/// there is no answer, unless work is given to mend what is overloaded.
pub(super) fn round(
    scaled: &Scaled,
    shares: &[f64],
    open: &Open,
    work: Option<&mut u64>,
) -> Option<Vec<usize>> {
    let (agents, tasks) = (scaled.agents, scaled.tasks);
    let share = |agent: usize, task: usize| shares[agent * tasks + task];
    let most = |task: usize| (0..agents).map(|agent| share(agent, task)).fold(0.0, f64::max);
    let size = |task: usize| {
        let sizes = scaled
            .sacks
            .iter()
            .map(|sack| f64::from(sack.cells[task]) / (sack.room + 1) as f64);
        sizes.fold(0.0, f64::max)
    };
    let mut order: Vec<(bool, f64, usize)> = (0..tasks)
        .map(|task| (most(task) < 0.999, size(task), task))
        .collect();
    order.sort_by(|one, other| {
        one.0
            .cmp(&other.0)
            .then(other.1.total_cmp(&one.1))
            .then(one.2.cmp(&other.2))
    });
    let by_share = |task: usize| {
        move |one: &usize, other: &usize| {
            let key = |agent: usize| scaled.cost(agent, task);
            share(*other, task)
                .total_cmp(&share(*one, task))
                .then(key(*one).cmp(&key(*other)))
                .then(one.cmp(other))
        }
    };
    let mut room = Room::new(scaled);
    let mut answer = vec![0; tasks];
    let mut fits = true;
    for (_, _, task) in order {
        let with_room = open
            .agents_of(task)
            .filter(|agent| room.fits(scaled, *agent, task))
            .min_by(by_share(task));
        fits &= with_room.is_some();
        let agent = match with_room {
            Some(agent) => agent,
            None if work.is_some() => open.agents_of(task).min_by(by_share(task))?,
            None => return None,
        };
        room.put(scaled, agent, task);
        answer[task] = agent;
    }
    let whole = fits || work.is_some_and(|work| mend(scaled, open, &mut answer, work));
    whole.then_some(answer)
}

/// What a look at an exchange of two tasks takes, with all those that are too dear or do not fit.
const AN_EXCHANGE: u64 = 8;

/// Moves single tasks and exchanges pairs while that makes the answer cheaper.
pub(super) fn improve(scaled: &Scaled, answer: &mut [usize], work: &mut u64) {
    let mut costs = Vec::with_capacity(scaled.agents);
    let mut room = Room::new(scaled);
    for (task, agent) in answer.iter().enumerate() {
        room.put(scaled, *agent, task);
    }
    loop {
        let mut changed = false;
        for (task, place) in answer.iter_mut().enumerate() {
            let now = *place;
            let better = (0..scaled.agents)
                .filter(|agent| {
                    scaled.cost(*agent, task) < scaled.cost(now, task) && room.fits(scaled, *agent, task)
                })
                .min_by_key(|agent| (scaled.cost(*agent, task), *agent));
            if let Some(agent) = better {
                room.lift(scaled, now, task);
                room.put(scaled, agent, task);
                *place = agent;
                changed = true;
            }
        }
        *work += AN_EXCHANGE * (scaled.tasks * scaled.tasks) as u64;
        let held = answer
            .iter()
            .enumerate()
            .map(|(task, agent)| scaled.cost(*agent, task));
        let mut held: Vec<i64> = held.collect();
        for one in 0..scaled.tasks {
            // Side by side: those of one task are far apart.
            costs.clear();
            costs.extend((0..scaled.agents).map(|agent| scaled.cost(agent, one)));
            let mut from = one + 1;
            loop {
                let here = answer[one];
                let backs = scaled.row(here);
                let others = answer[from..].iter().zip(&held[from..]).zip(&backs[from..]);
                let found = others.enumerate().position(|(at, ((there, held_there), back))| {
                    let to = costs[*there];
                    // what is forbidden costs more than all
                    to.saturating_add(*back) < held[one] + held_there
                        && *there != here
                        && room.fits_without(scaled, *there, one, from + at)
                        && room.fits_without(scaled, here, from + at, one)
                });
                let Some(other) = found.map(|at| from + at) else {
                    break;
                };
                let there = answer[other];
                for (agent, task) in [(here, one), (there, other)] {
                    room.lift(scaled, agent, task);
                }
                for (agent, task) in [(there, one), (here, other)] {
                    room.put(scaled, agent, task);
                }
                answer[one] = there;
                answer[other] = here;
                held[one] = costs[there];
                held[other] = backs[other];
                changed = true;
                from = other + 1;
            }
        }
        if !changed {
            return;
        }
    }
}
