//! The pairs of agent and task that are still allowed.

/// Which pairs are allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    agents: usize,
    tasks: usize,
    /// Agent by agent.
    pairs: Vec<bool>,
    /// By task: how many agents may do it.
    left: Vec<u32>,
}

impl Open {
    pub(super) fn new(agents: usize, tasks: usize, allowed: impl Fn(usize, usize) -> bool) -> Self {
        let mut open = Self {
            agents,
            tasks,
            pairs: vec![false; agents * tasks],
            left: vec![0; tasks],
        };
        for agent in 0..agents {
            for task in (0..tasks).filter(|task| allowed(agent, *task)) {
                open.open(agent, task);
            }
        }
        open
    }

    pub(super) fn has(&self, agent: usize, task: usize) -> bool {
        self.pairs[agent * self.tasks + task]
    }

    pub(super) fn open(&mut self, agent: usize, task: usize) {
        let pair = &mut self.pairs[agent * self.tasks + task];
        self.left[task] += u32::from(!*pair);
        *pair = true;
    }

    pub(super) fn close(&mut self, agent: usize, task: usize) {
        let pair = &mut self.pairs[agent * self.tasks + task];
        self.left[task] -= u32::from(*pair);
        *pair = false;
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

    /// The tasks that an agent may do, in order.
    pub(super) fn tasks_of(&self, agent: usize) -> impl Iterator<Item = usize> + '_ {
        let pairs = &self.pairs[agent * self.tasks..(agent + 1) * self.tasks];
        pairs
            .iter()
            .enumerate()
            .filter(|(_, open)| **open)
            .map(|(task, _)| task)
    }

    /// True while every task has an agent.
    pub(super) fn is_possible(&self) -> bool {
        self.left.iter().all(|left| *left > 0)
    }

    /// True for a task with more than one agent.
    pub(super) fn is_undecided(&self, task: usize) -> bool {
        self.left[task] > 1
    }

    /// Tasks with more than one agent.
    pub(super) fn undecided(&self) -> usize {
        self.left.iter().filter(|left| **left > 1).count()
    }

    /// Pairs that are open.
    pub(super) fn count(&self) -> usize {
        self.left.iter().map(|left| *left as usize).sum()
    }
}
