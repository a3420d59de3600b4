//! Tasks that have to spread over classes of agents, such as replicas over zones.

use super::problem::QuadraticProblem;

/// How a group of tasks spreads. Agents of a class (a zone, a provider) fail together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// The tasks.
    pub tasks: Vec<usize>,
    /// The class of each agent.
    pub class: Vec<usize>,
    /// By class: whether the tasks may be there at all; the emptiest of these counts for [`Self::skew`].
    pub usable: Vec<bool>,
    /// At least so many classes are used.
    pub least: usize,
    /// At most so many classes are used.
    pub most: Option<usize>,
    /// The fullest class has at most so many tasks more than the emptiest usable one.
    pub skew: Option<usize>,
    /// What a class, or a task of skew, too many or too few costs; `None` where there may be none.
    pub price: Option<i64>,
}

impl Group {
    /// False when every answer keeps it.
    pub(super) fn binds(&self) -> bool {
        self.tasks.len() > 1 && (self.least > 1 || self.most.is_some() || self.skew.is_some())
    }

    pub(super) fn classes(&self) -> usize {
        classes(&self.class).max(self.usable.len())
    }

    /// Classes, and tasks of skew, too many or too few, given the tasks by class.
    pub(super) fn excess(&self, counts: &[u32]) -> usize {
        let used = counts.iter().filter(|count| **count > 0).count();
        self.excess_of(counts, used)
    }

    /// The same where it is known how many classes are used.
    pub(super) fn excess_of(&self, counts: &[u32], used: usize) -> usize {
        let mut excess = self.excess_used(used);
        if let Some(skew) = self.skew
            && used > 0
        {
            let fullest = counts.iter().max().copied().unwrap_or(0);
            let usable = counts.iter().zip(&self.usable).filter(|(_, usable)| **usable);
            let emptiest = usable.map(|(count, _)| *count).min().unwrap_or(fullest);
            excess += ((fullest - emptiest.min(fullest)) as usize).saturating_sub(skew);
        }
        excess
    }

    /// Classes too many or too few when so many are used.
    pub(super) fn excess_used(&self, used: usize) -> usize {
        self.least.saturating_sub(used) + self.most.map_or(0, |most| used.saturating_sub(most))
    }

    /// The same for nothing: somebody else pays for it.
    pub(super) fn paid(&self) -> Self {
        Self {
            price: Some(0),
            ..self.clone()
        }
    }

    /// [`Self::excess`] is never more.
    pub(super) fn most_excess(&self) -> usize {
        self.least + self.classes() + self.tasks.len()
    }

    /// The tasks by class, given where every task is.
    pub(super) fn count(&self, agent_of: impl Fn(usize) -> usize) -> Vec<u32> {
        let mut counts = vec![0; self.classes()];
        for task in &self.tasks {
            counts[self.class[agent_of(*task)]] += 1;
        }
        counts
    }
}

/// How many classes there are, given the class of each agent.
pub(super) fn classes(class: &[usize]) -> usize {
    class.iter().max().map_or(0, |most| most + 1)
}

/// By task: the numbers of its groups.
pub(super) fn groups_of(problem: &QuadraticProblem) -> Vec<Vec<u32>> {
    let mut groups_of = vec![Vec::new(); problem.tasks()];
    for (number, group) in problem.groups().iter().enumerate() {
        for task in &group.tasks {
            groups_of[*task].push(number as u32);
        }
    }
    groups_of
}
