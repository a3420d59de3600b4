//! Pairs that cannot be in an answer with what is still open, as a certificate's cases have them checked: where there is no room beside those that
//! have nowhere else to go, where a link may not be, and orders of tasks that are alike.
//!
//! Shares nothing with the search.

use std::collections::{BTreeMap, BTreeSet};

use super::problem::QuadraticProblem;

/// By task and then agent: whether a pair may still be in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open(pub(super) Vec<bool>);

impl Open {
    /// What the question allows.
    pub(super) fn new(problem: &QuadraticProblem) -> Self {
        let pairs =
            (0..problem.tasks()).flat_map(|task| (0..problem.agents()).map(move |agent| (task, agent)));
        Self(pairs.map(|(task, agent)| problem.allows(task, agent)).collect())
    }

    pub(super) fn row<'o>(&'o self, problem: &QuadraticProblem, task: usize) -> &'o [bool] {
        &self.0[task * problem.agents()..(task + 1) * problem.agents()]
    }

    /// The agents that are open to a task.
    pub(super) fn agents<'o>(
        &'o self,
        problem: &QuadraticProblem,
        task: usize,
    ) -> impl Iterator<Item = usize> + 'o {
        let row = self.row(problem, task).iter().enumerate();
        row.filter(|(_, open)| **open).map(|(agent, _)| agent)
    }

    /// The agent that a task has to be at; `None` where there are several, or none.
    pub(super) fn only(&self, problem: &QuadraticProblem, task: usize) -> Option<usize> {
        let mut agents = self.agents(problem, task);
        agents.next().filter(|_| agents.next().is_none())
    }

    /// A task that no agent is open to.
    pub(super) fn nowhere(&self, problem: &QuadraticProblem) -> Option<usize> {
        (0..problem.tasks()).find(|task| self.agents(problem, *task).next().is_none())
    }

    pub(super) fn count(&self) -> usize {
        self.0.iter().filter(|open| **open).count()
    }

    /// Leaves a task only one agent, or all but that one.
    pub(super) fn split(
        &self,
        problem: &QuadraticProblem,
        (task, agent): (usize, usize),
        there: bool,
    ) -> Self {
        let mut open = self.clone();
        let row = &mut open.0[task * problem.agents()..(task + 1) * problem.agents()];
        for (other, slot) in row.iter_mut().enumerate() {
            *slot &= (other == agent) == there;
        }
        open
    }

    /// Closes what cannot be, until nothing more can be closed; false when a task has no agent left.
    pub(super) fn narrow(&mut self, problem: &QuadraticProblem, alike: &[Option<usize>]) -> bool {
        loop {
            let before = self.count();
            let possible = self.fit(problem) && self.spread(problem) && self.order(problem, alike);
            self.reach(problem);
            if !possible || self.nowhere(problem).is_some() {
                return false;
            }
            if self.count() == before {
                return true;
            }
        }
    }

    /// Closes agents that have no room beside those that have to be there.
    fn fit(&mut self, problem: &QuadraticProblem) -> bool {
        let resources = problem.resources();
        let mut used = vec![0_u128; problem.agents() * resources];
        let decided: Vec<Option<usize>> = (0..problem.tasks())
            .map(|task| self.only(problem, task))
            .collect();
        for (task, agent) in decided.iter().enumerate() {
            let Some(agent) = *agent else { continue };
            for resource in 0..resources {
                used[agent * resources + resource] += u128::from(problem.need(task, agent, resource));
            }
        }
        for agent in 0..problem.agents() {
            for (resource, has) in problem.capacities(agent).iter().enumerate() {
                if *has == u64::MAX {
                    continue;
                }
                let used = used[agent * resources + resource];
                let has = u128::from(*has);
                if used > has {
                    return false;
                }
                for (task, decided) in decided.iter().enumerate() {
                    if decided.is_none() && used + u128::from(problem.need(task, agent, resource)) > has {
                        self.0[task * problem.agents() + agent] = false;
                    }
                }
            }
        }
        true
    }

    /// Closes agents from which a link may reach none that is open to its other end.
    fn reach(&mut self, problem: &QuadraticProblem) {
        for link in problem.links() {
            let distance = &problem.distances()[link.distance];
            if !distance.forbids() {
                continue;
            }
            for (task, other, forward) in [(link.from, link.to, true), (link.to, link.from, false)] {
                let mut there = vec![false; distance.classes()];
                for agent in self.agents(problem, other) {
                    there[distance.class_of(agent)] = true;
                }
                let reaches = |class: usize| {
                    let mut classes = there.iter().enumerate().filter(|(_, open)| **open);
                    classes.any(|(end, _)| {
                        let (from, to) = if forward { (class, end) } else { (end, class) };
                        distance.weighed(link.weight, from, to).is_some()
                    })
                };
                let reaches: Vec<bool> = (0..distance.classes()).map(reaches).collect();
                for agent in 0..problem.agents() {
                    self.0[task * problem.agents() + agent] &= reaches[distance.class_of(agent)];
                }
            }
        }
    }

    /// Closes classes of agents that a group may not use any more, or may not use again.
    fn spread(&mut self, problem: &QuadraticProblem) -> bool {
        for group in problem.groups().iter().filter(|group| group.price.is_none()) {
            let mut used = vec![false; group.classes()];
            let mut undecided = Vec::new();
            for task in &group.tasks {
                match self.only(problem, *task) {
                    Some(agent) => used[group.class[agent]] = true,
                    None => undecided.push(*task),
                }
            }
            let count = used.iter().filter(|used| **used).count();
            if count + undecided.len() < group.least || group.most.is_some_and(|most| count > most) {
                return false;
            }
            let no_more = group.most == Some(count);
            let none_again = count + undecided.len() == group.least;
            for task in undecided {
                for (agent, class) in group.class.iter().enumerate() {
                    let never = no_more && !used[*class] || none_again && used[*class];
                    self.0[task * problem.agents() + agent] &= !never;
                }
            }
        }
        true
    }

    /// Of tasks that are alike only answers with them in the order of their agents count: one of those that differ in who of them is where.
    fn order(&mut self, problem: &QuadraticProblem, alike: &[Option<usize>]) -> bool {
        for (task, before) in alike.iter().enumerate() {
            let Some(before) = *before else { continue };
            let (Some(first), Some(last)) = (
                self.agents(problem, before).next(),
                self.agents(problem, task).last(),
            ) else {
                return false;
            };
            for agent in 0..problem.agents() {
                self.0[task * problem.agents() + agent] &= agent >= first;
                self.0[before * problem.agents() + agent] &= agent <= last;
            }
        }
        true
    }
}

/// By task: the one before it that is alike, so that to exchange the two changes nothing of an answer but their names.
pub(super) fn alike(problem: &QuadraticProblem) -> Vec<Option<usize>> {
    let linked: BTreeSet<usize> = problem
        .links()
        .iter()
        .flat_map(|link| [link.from, link.to])
        .collect();
    let near: BTreeSet<usize> = problem
        .affinities()
        .iter()
        .flat_map(|affinity| affinity.tasks.iter().chain(&affinity.others).copied())
        .collect();
    let mut groups = vec![Vec::new(); problem.tasks()];
    for (number, group) in problem.groups().iter().enumerate() {
        group.tasks.iter().for_each(|task| groups[*task].push(number));
    }
    let mut last = BTreeMap::new();
    (0..problem.tasks())
        .map(|task| {
            let lonely = !linked.contains(&task) && !near.contains(&task);
            let kind = (
                problem.costs(task),
                problem.needs(task),
                problem.home(task),
                &groups[task],
            );
            lonely.then(|| last.insert(kind, task)).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quadratic::tests::every_answer;
    use crate::quadratic::{Distance, FORBIDDEN, Group, Link};
    use crate::random::Random;

    fn question(random: &mut Random) -> QuadraticProblem {
        let (agents, tasks, resources) = (1 + random.below(4), 1 + random.below(5), random.below(3));
        let mut problem = QuadraticProblem::new(agents, tasks, resources);
        for task in 0..tasks {
            // some are alike
            let kind = random.below(2) as i64;
            for agent in 0..agents {
                if random.below(9) > 0 {
                    problem.set_cost(task, agent, kind * agent as i64);
                }
            }
            for resource in 0..resources {
                problem.set_need(task, resource, 1 + kind as u64);
            }
        }
        for agent in 0..agents {
            for resource in 0..resources {
                problem.set_capacity(agent, resource, random.below(6) as u64);
            }
        }
        let far: Vec<i64> = (0..4).map(|_| [0, 1, FORBIDDEN][random.below(3)]).collect();
        let class: Vec<usize> = (0..agents).map(|_| random.below(2)).collect();
        let distance = problem.add_distance(Distance::new(class, |from, to| far[from * 2 + to]));
        if random.below(2) > 0 && tasks > 1 {
            let (from, weight) = (random.below(tasks - 1), 1);
            problem.add_link(Link {
                from,
                to: from + 1,
                weight,
                distance,
            });
        }
        if random.below(2) > 0 {
            let most = (random.below(2) > 0).then_some(1 + random.below(2));
            problem.add_group(Group {
                tasks: (0..1 + random.below(tasks)).collect(),
                class: (0..agents).collect(),
                usable: vec![true; agents],
                least: random.below(4),
                most,
                ..Group::default()
            });
        }
        problem
    }

    #[test]
    fn no_answer_is_lost_but_those_that_are_alike() {
        let mut random = Random::new(5);
        let (mut closed, mut impossible) = (0, 0);
        for round in 0..3_000 {
            let problem = question(&mut random);
            let alike = alike(&problem);
            let mut open = Open::new(&problem);
            let before = open.count();
            let possible = open.narrow(&problem, &alike);
            closed += usize::from(possible && open.count() < before);
            impossible += usize::from(!possible);
            for answer in every_answer(&problem) {
                let mut before = alike.iter().enumerate();
                let in_order =
                    before.all(|(task, before)| before.is_none_or(|before| answer[before] <= answer[task]));
                if in_order && problem.value(&answer).is_some() {
                    let stays = |(task, agent): (usize, &usize)| open.row(&problem, task)[*agent];
                    assert!(
                        possible && answer.iter().enumerate().all(stays),
                        "round {round}: {answer:?}"
                    );
                }
            }
        }
        assert!(closed > 100 && impossible > 300, "{closed}, {impossible}");
    }
}
