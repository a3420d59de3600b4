//! The pairs of agent and task that are still allowed.

/// Which pairs are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    agents: usize,
    tasks: usize,
    /// Agent by agent.
    pairs: Vec<bool>,
}

impl Open {
    pub(super) fn new(agents: usize, tasks: usize, allowed: impl Fn(usize, usize) -> bool) -> Self {
        let pairs = (0..agents).flat_map(|agent| (0..tasks).map(move |task| (agent, task)));
        Self {
            agents,
            tasks,
            pairs: pairs.map(|(agent, task)| allowed(agent, task)).collect(),
        }
    }

    pub(super) fn has(&self, agent: usize, task: usize) -> bool {
        self.pairs[agent * self.tasks + task]
    }

    pub(super) fn open(&mut self, agent: usize, task: usize) {
        self.pairs[agent * self.tasks + task] = true;
    }

    pub(super) fn close(&mut self, agent: usize, task: usize) {
        self.pairs[agent * self.tasks + task] = false;
    }

    /// Closes all other agents of a task.
    pub(super) fn decide(&mut self, agent: usize, task: usize) {
        for other in (0..self.agents).filter(|other| *other != agent) {
            self.close(other, task);
        }
    }

    /// The agents that may do a task, in order.
    pub(super) fn agents_of(&self, task: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (0..self.agents).filter(move |agent| self.has(*agent, task))
    }

    /// True while every task has an agent.
    pub(super) fn is_possible(&self) -> bool {
        (0..self.tasks).all(|task| self.agents_of(task).next().is_some())
    }

    /// Tasks with more than one agent.
    pub(super) fn undecided(&self) -> usize {
        (0..self.tasks)
            .filter(|task| self.agents_of(*task).nth(1).is_some())
            .count()
    }

    pub(super) fn count(&self) -> usize {
        self.pairs.iter().filter(|open| **open).count()
    }
}
