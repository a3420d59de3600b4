//! The question by number.

/// What one pair of agent and task costs when the agent may not do the task.
pub const FORBIDDEN: i64 = i64::MAX;

/// A limited resource of an agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which list of needs it limits, see [`AssignProblem::add_needs`].
    pub needs: usize,
    /// How much of it the agent has.
    pub capacity: u64,
}

/// A multi-resource generalised assignment problem: every task to one agent at least cost, within the agents' capacities.
///
/// ```
/// use smo_core::assign::AssignProblem;
///
/// let mut problem = AssignProblem::new(2, 3);
/// let sizes = problem.add_needs(vec![2, 3, 4]);
/// problem.limit(0, sizes, 5);
/// problem.limit(1, sizes, 6);
/// for (agent, costs) in [[1, 2, 3], [4, 4, 4]].iter().enumerate() {
///     for (task, cost) in costs.iter().enumerate() {
///         problem.set_cost(agent, task, *cost);
///     }
/// }
/// let solved = smo_core::assign::solve(&problem, None, &Default::default());
/// assert_eq!(solved.best, Some((vec![0, 0, 1], 7)));
/// assert_eq!(solved.bound, 7);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssignProblem {
    agents: usize,
    tasks: usize,
    /// Agent by agent.
    costs: Vec<i64>,
    needs: Vec<Vec<u64>>,
    rows: Vec<Vec<Row>>,
}

impl AssignProblem {
    /// All pairs are forbidden and nothing is limited at first.
    #[must_use]
    pub fn new(agents: usize, tasks: usize) -> Self {
        Self {
            agents,
            tasks,
            costs: vec![FORBIDDEN; agents.saturating_mul(tasks)],
            needs: Vec::new(),
            rows: vec![Vec::new(); agents],
        }
    }

    /// The number of agents.
    #[must_use]
    pub const fn agents(&self) -> usize {
        self.agents
    }

    /// The number of tasks.
    #[must_use]
    pub const fn tasks(&self) -> usize {
        self.tasks
    }

    /// A list of what each task needs of a resource, by number of task; missing ones need nothing. Gives the number of
    /// the list, which is that of an equal one where there is one: agents that share a list exchange tasks better.
    pub fn add_needs(&mut self, mut needs: Vec<u64>) -> usize {
        needs.resize(self.tasks, 0);
        let known = self.needs.iter().position(|known| *known == needs);
        known.unwrap_or_else(|| {
            self.needs.push(needs);
            self.needs.len() - 1
        })
    }

    /// Limits what an agent takes of a list of needs. Unknown numbers change nothing.
    pub fn limit(&mut self, agent: usize, needs: usize, capacity: u64) {
        if needs < self.needs.len()
            && let Some(rows) = self.rows.get_mut(agent)
        {
            rows.push(Row { needs, capacity });
        }
    }

    /// What it costs when the agent does the task; [`FORBIDDEN`] when it may not. Unknown numbers change nothing.
    pub fn set_cost(&mut self, agent: usize, task: usize, cost: i64) {
        if task < self.tasks
            && let Some(slot) = self.costs.get_mut(agent * self.tasks + task)
        {
            *slot = cost;
        }
    }

    /// What it costs when the agent does the task; [`FORBIDDEN`] when it may not.
    #[must_use]
    pub fn cost(&self, agent: usize, task: usize) -> i64 {
        if task >= self.tasks {
            return FORBIDDEN;
        }
        let at = agent.saturating_mul(self.tasks).saturating_add(task);
        self.costs.get(at).copied().unwrap_or(FORBIDDEN)
    }

    /// The limits of an agent.
    #[must_use]
    pub fn rows(&self, agent: usize) -> &[Row] {
        self.rows.get(agent).map_or(&[], Vec::as_slice)
    }

    /// What a task needs under a limit.
    #[must_use]
    pub fn need(&self, row: &Row, task: usize) -> u64 {
        self.needs
            .get(row.needs)
            .and_then(|needs| needs.get(task))
            .copied()
            .unwrap_or(0)
    }

    /// What an answer (one agent a task) costs; `None` when it breaks a rule or the sum does not fit. Shares nothing with
    /// the search: it is what answers are checked with.
    ///
    /// ```
    /// use smo_core::assign::AssignProblem;
    ///
    /// let mut problem = AssignProblem::new(1, 1);
    /// assert_eq!(problem.value(&[0]), None);
    /// problem.set_cost(0, 0, 5);
    /// assert_eq!(problem.value(&[0]), Some(5));
    /// ```
    #[must_use]
    pub fn value(&self, answer: &[usize]) -> Option<i64> {
        if answer.len() != self.tasks {
            return None;
        }
        let mut value = 0_i64;
        for (task, agent) in answer.iter().enumerate() {
            let cost = self.cost(*agent, task);
            if cost == FORBIDDEN {
                return None;
            }
            value = value.checked_add(cost)?;
        }
        for agent in 0..self.agents {
            for row in self.rows(agent) {
                let mine = answer.iter().enumerate().filter(|(_, of)| **of == agent);
                let taken = mine
                    .map(|(task, _)| u128::from(self.need(row, task)))
                    .sum::<u128>();
                if taken > u128::from(row.capacity) {
                    return None;
                }
            }
        }
        Some(value)
    }
}
