//! The question by number.

use super::affinity::Affinity;
use super::distance::Distance;
use super::group::Group;
use super::strain::{Balance, Comfort};

/// What a pair of task and agent costs when the agent may not do the task, and a link between agents where it may not be.
pub const FORBIDDEN: i64 = i64::MAX;

/// Two tasks that cost by where both are: `weight` times the distance between their agents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// One task.
    pub from: usize,
    /// The other.
    pub to: usize,
    /// How often the distance is paid; not negative.
    pub weight: i64,
    /// The number of the [`Distance`].
    pub distance: usize,
}

/// A quadratic generalised assignment problem: every task to one agent, within capacities, at least cost of pairs and links.
///
/// ```
/// use smo_core::quadratic::{Distance, Link, QuadraticProblem, solve};
///
/// // Two services that talk; the cheap agent has room for one of them, the dear one for both.
/// let mut problem = QuadraticProblem::new(2, 2, 1);
/// for (task, costs) in [[1, 3], [1, 3]].iter().enumerate() {
///     problem.set_need(task, 0, 1);
///     for (agent, cost) in costs.iter().enumerate() {
///         problem.set_cost(task, agent, *cost);
///     }
/// }
/// problem.set_capacity(0, 0, 1);
/// problem.set_capacity(1, 0, 2);
/// let cut = problem.add_distance(Distance::cut(2));
/// problem.add_link(Link { from: 0, to: 1, weight: 10, distance: cut });
/// let solved = solve(&problem, &Default::default(), &Default::default(), &mut |_| true);
/// assert_eq!(solved.best, Some((vec![1, 1], 6)));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuadraticProblem {
    agents: usize,
    tasks: usize,
    resources: usize,
    /// Task by task.
    costs: Vec<i64>,
    /// Task by task.
    needs: Vec<u64>,
    /// Agent by agent.
    capacities: Vec<u64>,
    /// Agent by agent: what may be taken for nothing, and what a unit above costs; empty where nothing is strained.
    comfort: Vec<Comfort>,
    balances: Vec<Balance>,
    /// By task; empty where none has a home.
    homes: Vec<Option<usize>>,
    /// By resource: only who is not at home needs it.
    arriving: Vec<bool>,
    distances: Vec<Distance>,
    links: Vec<Link>,
    groups: Vec<Group>,
    affinities: Vec<Affinity>,
}

impl QuadraticProblem {
    /// All pairs are forbidden, nothing is needed and nothing is limited at first.
    #[must_use]
    pub fn new(agents: usize, tasks: usize, resources: usize) -> Self {
        Self {
            agents,
            tasks,
            resources,
            costs: vec![FORBIDDEN; tasks.saturating_mul(agents)],
            needs: vec![0; tasks.saturating_mul(resources)],
            capacities: vec![u64::MAX; agents.saturating_mul(resources)],
            comfort: Vec::new(),
            balances: Vec::new(),
            homes: Vec::new(),
            arriving: vec![false; resources],
            distances: Vec::new(),
            links: Vec::new(),
            groups: Vec::new(),
            affinities: Vec::new(),
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

    /// The number of limited resources.
    #[must_use]
    pub const fn resources(&self) -> usize {
        self.resources
    }

    /// What it costs when the agent does the task; [`FORBIDDEN`] when it may not. Unknown numbers change nothing.
    pub fn set_cost(&mut self, task: usize, agent: usize, cost: i64) {
        if agent < self.agents
            && let Some(slot) = self.costs.get_mut(task * self.agents + agent)
        {
            *slot = cost;
        }
    }

    /// How much of a resource a task takes wherever it is, or wherever it is not at home, see [`Self::set_arriving`]. Unknown numbers
    /// change nothing.
    pub fn set_need(&mut self, task: usize, resource: usize, amount: u64) {
        if resource < self.resources
            && let Some(slot) = self.needs.get_mut(task * self.resources + resource)
        {
            *slot = amount;
        }
    }

    /// Where a task is at home, such as where it runs now. Unknown numbers change nothing.
    pub fn set_home(&mut self, task: usize, agent: usize) {
        if task < self.tasks && agent < self.agents {
            self.homes.resize(self.tasks, None);
            self.homes[task] = Some(agent);
        }
    }

    /// Where a task is at home.
    #[must_use]
    pub fn home(&self, task: usize) -> Option<usize> {
        self.homes.get(task).copied().flatten()
    }

    /// From now on only tasks that are not at home need this resource: it is what arrivals take, such as room beside what has not left
    /// yet. Unknown numbers change nothing.
    ///
    /// ```
    /// use smo_core::quadratic::QuadraticProblem;
    ///
    /// // Both run at the first agent, and would rather run at the second; it has room for one arrival.
    /// let mut problem = QuadraticProblem::new(2, 2, 1);
    /// problem.set_arriving(0);
    /// for task in 0..2 {
    ///     problem.set_home(task, 0);
    ///     problem.set_need(task, 0, 1);
    ///     problem.set_cost(task, 0, 9);
    ///     problem.set_cost(task, 1, 1);
    /// }
    /// problem.set_capacity(0, 0, 0);
    /// problem.set_capacity(1, 0, 1);
    /// assert_eq!(problem.value(&[0, 0]), Some(18));
    /// assert_eq!(problem.value(&[0, 1]), Some(10));
    /// assert_eq!(problem.value(&[1, 1]), None);
    /// ```
    pub fn set_arriving(&mut self, resource: usize) {
        if let Some(arriving) = self.arriving.get_mut(resource) {
            *arriving = true;
        }
    }

    /// Whether only tasks that are not at home need the resource.
    #[must_use]
    pub fn is_arriving(&self, resource: usize) -> bool {
        self.arriving.get(resource).copied().unwrap_or(false)
    }

    /// How much of a resource a task takes at an agent; nothing for unknown numbers.
    #[must_use]
    pub fn need(&self, task: usize, agent: usize, resource: usize) -> u64 {
        if self.is_arriving(resource) && self.home(task) == Some(agent) {
            return 0;
        }
        self.needs(task).get(resource).copied().unwrap_or(0)
    }

    /// How much of a resource an agent has; `u64::MAX` is no limit. Unknown numbers change nothing.
    pub fn set_capacity(&mut self, agent: usize, resource: usize, amount: u64) {
        if resource < self.resources
            && let Some(slot) = self.capacities.get_mut(agent * self.resources + resource)
        {
            *slot = amount;
        }
    }

    /// What an agent's resource costs above a level that is below its capacity. Unknown numbers and a price below zero change
    /// nothing.
    ///
    /// ```
    /// use smo_core::quadratic::{Comfort, QuadraticProblem};
    ///
    /// let mut problem = QuadraticProblem::new(1, 1, 1);
    /// problem.set_cost(0, 0, 5);
    /// problem.set_need(0, 0, 4);
    /// problem.set_comfort(0, 0, Comfort { level: 3, price: 10 });
    /// assert_eq!(problem.value(&[0]), Some(15));
    /// ```
    pub fn set_comfort(&mut self, agent: usize, resource: usize, comfort: Comfort) {
        let rows = self.agents * self.resources;
        if agent >= self.agents || resource >= self.resources || comfort.price < 0 {
            return;
        }
        if self.comfort.is_empty() {
            self.comfort = vec![Comfort::FREE; rows];
        }
        self.comfort[agent * self.resources + resource] = comfort;
    }

    /// What an agent's resource costs above which level; `None` where it costs nothing at any.
    #[must_use]
    pub fn comfort(&self, agent: usize, resource: usize) -> Option<Comfort> {
        let comfort = self.comfort.get(agent.checked_mul(self.resources)? + resource);
        comfort
            .copied()
            .filter(|comfort| resource < self.resources && comfort.price > 0)
    }

    /// Adds two resources that should stay in proportion. One with unknown numbers, without a level for each agent, or with a target or
    /// a price below zero changes nothing.
    ///
    /// ```
    /// use smo_core::quadratic::{Balance, QuadraticProblem};
    ///
    /// // 4 of the second should go with 2 of the first; 6 do.
    /// let mut problem = QuadraticProblem::new(1, 1, 2);
    /// problem.set_cost(0, 0, 5);
    /// problem.set_need(0, 0, 2);
    /// problem.set_need(0, 1, 6);
    /// problem.add_balance(Balance { one: 0, other: 1, target: 2, level: vec![0], price: 10 });
    /// assert_eq!(problem.value(&[0]), Some(25));
    /// ```
    pub fn add_balance(&mut self, balance: Balance) {
        let known = balance.one < self.resources && balance.other < self.resources;
        if known && balance.level.len() == self.agents && balance.target >= 0 && balance.price >= 0 {
            self.balances.push(balance);
        }
    }

    /// The resources that should stay in proportion.
    #[must_use]
    pub fn balances(&self) -> &[Balance] {
        &self.balances
    }

    /// Adds a distance between agents, and gives its number.
    pub fn add_distance(&mut self, distance: Distance) -> usize {
        self.distances.push(distance);
        self.distances.len() - 1
    }

    /// Adds a link. One with unknown numbers, of a task with itself, or with a weight below zero changes nothing.
    pub fn add_link(&mut self, link: Link) {
        let known = link.from < self.tasks && link.to < self.tasks && link.distance < self.distances.len();
        if known && link.from != link.to && link.weight >= 0 {
            self.links.push(link);
        }
    }

    /// Adds a group of tasks that spread. One without tasks, with unknown ones or one twice, without a class for each agent, or with a price below zero
    /// changes nothing.
    pub fn add_group(&mut self, group: Group) {
        let mut once = std::collections::BTreeSet::new();
        let mut tasks = group.tasks.iter();
        let known =
            tasks.all(|task| *task < self.tasks && once.insert(*task)) && group.class.len() == self.agents;
        if known && !group.tasks.is_empty() && group.price.is_none_or(|price| price >= 0) {
            self.groups.push(group);
        }
    }

    /// Adds tasks that need others near. One with unknown tasks or without a class for each agent changes nothing.
    ///
    /// ```
    /// use smo_core::quadratic::{Affinity, QuadraticProblem};
    ///
    /// let mut problem = QuadraticProblem::new(2, 2, 0);
    /// for (task, agent) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
    ///     problem.set_cost(task, agent, 1);
    /// }
    /// problem.add_affinity(Affinity { tasks: vec![0], others: vec![1], class: vec![0, 1] });
    /// assert_eq!(problem.value(&[1, 1]), Some(2));
    /// assert_eq!(problem.value(&[0, 1]), None);
    /// ```
    pub fn add_affinity(&mut self, affinity: Affinity) {
        let mut tasks = affinity.tasks.iter().chain(&affinity.others);
        if tasks.all(|task| *task < self.tasks) && affinity.class.len() == self.agents {
            self.affinities.push(affinity);
        }
    }

    /// The tasks that need others near.
    #[must_use]
    pub fn affinities(&self) -> &[Affinity] {
        &self.affinities
    }

    /// What a task costs at each agent.
    #[must_use]
    pub fn costs(&self, task: usize) -> &[i64] {
        let at = task.saturating_mul(self.agents);
        self.costs.get(at..at.saturating_add(self.agents)).unwrap_or(&[])
    }

    /// What a task takes of each resource where it is not at home.
    #[must_use]
    pub fn needs(&self, task: usize) -> &[u64] {
        let at = task.saturating_mul(self.resources);
        self.needs
            .get(at..at.saturating_add(self.resources))
            .unwrap_or(&[])
    }

    /// What an agent has of each resource.
    #[must_use]
    pub fn capacities(&self, agent: usize) -> &[u64] {
        let at = agent.saturating_mul(self.resources);
        self.capacities
            .get(at..at.saturating_add(self.resources))
            .unwrap_or(&[])
    }

    /// The links.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The distances.
    #[must_use]
    pub fn distances(&self) -> &[Distance] {
        &self.distances
    }

    /// The groups.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Whether no group is paid for being broken: what leaves groups out is a bound then.
    pub(super) fn groups_only_cost(&self) -> bool {
        let costs = |group: &Group| group.price.is_none_or(|price| price >= 0);
        self.groups.iter().all(costs)
    }

    /// Whether the agent may do the task and has room for it when it is empty.
    #[must_use]
    pub fn allows(&self, task: usize, agent: usize) -> bool {
        self.costs(task).get(agent).is_some_and(|cost| *cost != FORBIDDEN)
            && self
                .capacities(agent)
                .iter()
                .enumerate()
                .all(|(resource, has)| self.need(task, agent, resource) <= *has)
    }
}
