//! Tasks that are alike: of all orders of them only one is searched.

use super::open::Open;
use super::scaled::Scaled;

/// Groups of tasks with the same costs and needs everywhere.
#[derive(Debug, Clone)]
pub(super) struct Twins {
    groups: Vec<Vec<usize>>,
}

impl Twins {
    pub(super) fn find(scaled: &Scaled) -> Self {
        let key = |task: usize| {
            let costs: Vec<i64> = (0..scaled.agents).map(|agent| scaled.cost(agent, task)).collect();
            let limits = scaled.sacks.iter().flat_map(|sack| &sack.limits);
            let needs: Vec<u64> = limits.map(|limit| limit.needs[task]).collect();
            (costs, needs)
        };
        let mut keyed: Vec<_> = (0..scaled.tasks).map(|task| (key(task), task)).collect();
        keyed.sort();
        let groups = keyed.chunk_by(|(one, _), (other, _)| one == other);
        Self {
            groups: groups
                .filter(|group| group.len() > 1)
                .map(|group| group.iter().map(|(_, task)| *task).collect())
                .collect(),
        }
    }

    /// Closes what the order of agents forbids: of like tasks a later one goes to the same or a later agent. False when a
    /// task has no agent left.
    pub(super) fn settle(&self, agents: usize, open: &mut Open) -> bool {
        for group in &self.groups {
            let mut first = 0;
            for task in group {
                (0..first).for_each(|agent| open.close(agent, *task));
                match open.agents_of(*task).next() {
                    Some(agent) => first = agent,
                    None => return false,
                }
            }
            let mut end = agents;
            for task in group.iter().rev() {
                (end..agents).for_each(|agent| open.close(agent, *task));
                match open.agents_of(*task).next_back() {
                    Some(agent) => end = agent + 1,
                    None => return false,
                }
            }
        }
        open.is_possible()
    }
}
