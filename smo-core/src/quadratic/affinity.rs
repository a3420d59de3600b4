//! Tasks that need others near: each in a class of agents with one of the others at least.

use super::group::classes;

/// Each of the tasks needs one of the others at an agent of its class, as a service that is of no use in a zone without a cache.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Affinity {
    /// The tasks that need.
    pub tasks: Vec<usize>,
    /// The tasks that are needed.
    pub others: Vec<usize>,
    /// The class of each agent.
    pub class: Vec<usize>,
}

impl Affinity {
    pub(super) fn classes(&self) -> usize {
        classes(&self.class)
    }

    /// How many tasks have none of the others near, given where every task is.
    pub(super) fn alone(&self, agent_of: impl Fn(usize) -> usize) -> usize {
        let mut there = vec![false; self.classes()];
        for other in &self.others {
            there[self.class[agent_of(*other)]] = true;
        }
        let alone = |task: &&usize| !there[self.class[agent_of(**task)]];
        self.tasks.iter().filter(alone).count()
    }
}
