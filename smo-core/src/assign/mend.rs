//! Answers that overload agents made ones that do not: tasks are moved or exchanged while that lessens what is above the limits.

use super::open::Open;
use super::scaled::Scaled;

/// What each agent holds of each of its limits.
struct Load<'a> {
    scaled: &'a Scaled,
    held: Vec<Vec<i128>>,
}

impl Load<'_> {
    /// What an agent has above its limits, in shares of them, when a task comes and another goes.
    fn over(&self, agent: usize, come: Option<usize>, gone: Option<usize>) -> f64 {
        let limits = self.scaled.sacks[agent].limits.iter().zip(&self.held[agent]);
        limits
            .map(|(limit, held)| {
                let need = |task: Option<usize>| task.map_or(0, |task| i128::from(limit.needs[task]));
                let over = held + need(come) - need(gone) - i128::from(limit.capacity);
                over.max(0) as f64 / limit.capacity.max(1) as f64
            })
            .sum()
    }

    fn change(&mut self, agent: usize, task: usize, sign: i128) {
        let limits = self.scaled.sacks[agent].limits.iter();
        for (limit, held) in limits.zip(&mut self.held[agent]) {
            *held += sign * i128::from(limit.needs[task]);
        }
    }
}

/// A task that goes to another agent, and the one that comes back for it.
#[derive(Debug, Clone, Copy)]
struct Change {
    over: f64,
    cost: i64,
    task: usize,
    to: usize,
    back: Option<usize>,
}

/// Lessens what is above limits until nothing is, always from the agent that has most above, by the change that lessens it most; true when
/// nothing is left.
pub(super) fn mend(scaled: &Scaled, open: &Open, answer: &mut [usize], work: &mut u64) -> bool {
    let held = scaled.sacks.iter().map(|sack| vec![0; sack.limits.len()]);
    let mut load = Load {
        scaled,
        held: held.collect(),
    };
    let mut members = vec![Vec::new(); scaled.agents];
    for (task, agent) in answer.iter().enumerate() {
        load.change(*agent, task, 1);
        members[*agent].push(task);
    }
    loop {
        let overs = (0..scaled.agents).map(|agent| (load.over(agent, None, None), agent));
        let worst = overs.max_by(|one, other| one.0.total_cmp(&other.0).then(other.1.cmp(&one.1)));
        let Some((_, from)) = worst.filter(|(over, _)| *over > 0.0) else {
            return true;
        };
        let Some(change) = best_change(&load, open, &members, from, work) else {
            return false;
        };
        let mut shift = |task: usize, from: usize, to: usize| {
            load.change(from, task, -1);
            load.change(to, task, 1);
            members[from].retain(|other| *other != task);
            members[to].push(task);
            answer[task] = to;
        };
        shift(change.task, from, change.to);
        if let Some(back) = change.back {
            shift(back, change.to, from);
        }
    }
}

/// The change that lessens what is above limits most, the cheapest of several; `None` when none lessens it.
fn best_change(
    load: &Load<'_>,
    open: &Open,
    members: &[Vec<usize>],
    from: usize,
    work: &mut u64,
) -> Option<Change> {
    let scaled = load.scaled;
    let cost = |agent: usize, task: usize| scaled.cost(agent, task);
    let here = load.over(from, None, None);
    let mut best: Option<Change> = None;
    let mut see = |change: Change| {
        let key = |change: &Change| (change.over, change.cost);
        if change.over < -1e-12 && best.is_none_or(|known| key(&change) < key(&known)) {
            best = Some(change);
        }
    };
    for task in &members[from] {
        for to in open.agents_of(*task).filter(|agent| *agent != from) {
            let there = here + load.over(to, None, None);
            let moved = cost(to, *task) - cost(from, *task);
            *work += 16 * (1 + members[to].len()) as u64;
            see(Change {
                over: load.over(from, None, Some(*task)) + load.over(to, Some(*task), None) - there,
                cost: moved,
                task: *task,
                to,
                back: None,
            });
            for other in members[to].iter().filter(|other| open.has(from, **other)) {
                let left = load.over(from, Some(*other), Some(*task));
                let entered = load.over(to, Some(*task), Some(*other));
                see(Change {
                    over: left + entered - there,
                    cost: moved + cost(from, *other) - cost(to, *other),
                    task: *task,
                    to,
                    back: Some(*other),
                });
            }
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::super::AssignProblem;
    use super::super::heuristic::keeps_limits;
    use super::*;

    /// Two agents with room for ten each, and tasks of these sizes, cheaper at the first.
    fn question(sizes: &[u64]) -> Scaled {
        let mut problem = AssignProblem::new(2, sizes.len());
        let needs = problem.add_needs(sizes.to_vec());
        for agent in 0..2 {
            problem.limit(agent, needs, 10);
            for task in 0..sizes.len() {
                problem.set_cost(agent, task, agent as i64);
            }
        }
        Scaled::new(&problem).unwrap()
    }

    #[test]
    fn an_exchange_mends_what_no_move_can() {
        let scaled = question(&[6, 6, 4, 4]);
        let (mut answer, mut work) = (vec![0, 0, 1, 1], 0);
        assert!(mend(&scaled, &scaled.open(), &mut answer, &mut work));
        assert!(keeps_limits(&scaled, &answer));
        assert!(work > 0);
    }

    #[test]
    fn what_cannot_be_mended_is_said_to_be_so() {
        let scaled = question(&[7, 7, 6]);
        let (mut answer, mut work) = (vec![0, 0, 1], 0);
        assert!(!mend(&scaled, &scaled.open(), &mut answer, &mut work));
    }
}
