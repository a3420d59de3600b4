//! Branch and bound on prices: what reduced cost rules out is closed, and a tree decides the rest.
//!
//! Every node climbs a little from its parent's prices. Branching closes one choice of the dearest row that the relaxed
//! answer overloads, or takes it.

use super::certificate::{SHIFT, whole_prices};
use super::dual::{Ascent, Stage};
use super::field::Field;
use super::forest::Forest;
use super::marginals::{CLOSED, Marginals};
use super::problem::QuadraticProblem;
use super::shares::Shares;

#[derive(Debug)]
struct Node {
    closed: Vec<bool>,
    prices: Vec<f64>,
    bound: i128,
}

/// The search by cases.
pub(super) struct Branch<'a> {
    problem: &'a QuadraticProblem,
    field: &'a Field,
    forest: &'a Forest,
    pub(super) best: Option<(Vec<usize>, i64)>,
    pub(super) work: u64,
}

impl<'a> Branch<'a> {
    pub(super) const fn new(
        problem: &'a QuadraticProblem,
        field: &'a Field,
        forest: &'a Forest,
        best: Option<(Vec<usize>, i64)>,
    ) -> Self {
        Self {
            problem,
            field,
            forest,
            best,
            work: 0,
        }
    }

    /// Looks at every case, or stops when the effort is used up. Gives what no answer costs less than; that is the best
    /// answer's cost when all cases were looked at (`i64::MAX` when there is no answer).
    pub(super) fn search(&mut self, prices: &[f64], effort: u64, go_on: &mut dyn FnMut(u64) -> bool) -> i64 {
        let pairs = self.problem.tasks() * self.problem.agents();
        let closed = (0..pairs).map(|pair| {
            !self
                .problem
                .allows(pair / self.problem.agents(), pair % self.problem.agents())
        });
        let mut open = vec![Node {
            closed: closed.collect(),
            prices: prices.to_vec(),
            bound: i128::MIN,
        }];
        while let Some(node) = open.pop() {
            if self.is_beaten(node.bound) {
                continue;
            }
            if self.work > effort || !go_on(self.work) {
                open.push(node);
                break;
            }
            open.extend(self.look(node));
        }
        let left = open
            .iter()
            .map(|node| ceil(node.bound))
            .filter(|bound| self.best.as_ref().is_none_or(|(_, best)| bound < best));
        left.min()
            .unwrap_or_else(|| self.best.as_ref().map_or(i64::MAX, |(_, value)| *value))
    }

    /// True when nothing below this bound is better than the best.
    fn is_beaten(&self, bound: i128) -> bool {
        self.best.as_ref().is_some_and(|(_, value)| ceil(bound) >= *value)
    }

    /// The cases of a node, the likelier one last.
    fn look(&mut self, mut node: Node) -> Vec<Node> {
        let agents = self.problem.agents();
        let mut ascent = Ascent::new(self.problem, self.field, self.forest, Shares::none(self.problem));
        ascent.start_from(&node.prices);
        ascent.close(&node.closed);
        ascent.climb(
            &Stage {
                sweeps: 40,
                one_in: 1,
                from: 0.03,
                to: 0.001,
            },
            &mut |_| true,
        );
        self.work += ascent.work + 16 * (self.problem.tasks() * agents) as u64;
        node.prices = ascent.prices();
        let whole = whole_prices(self.problem, &node.prices, self.field.width);
        let Some(marginals) = Marginals::new(self.problem, self.forest, &whole, &node.closed) else {
            return Vec::new();
        };
        node.bound = node.bound.max(marginals.bound);
        let answer = ascent.relaxed();
        self.see(&answer);
        if self.is_beaten(node.bound) {
            return Vec::new();
        }
        for (closed, least) in node.closed.iter_mut().zip(&marginals.least) {
            *closed |= *least >= CLOSED
                || self
                    .best
                    .as_ref()
                    .is_some_and(|(_, value)| ceil(*least) >= *value);
        }
        let Some((task, agent)) = self.choice(&node, &answer, &marginals) else {
            return Vec::new();
        };
        let mut without = Node {
            closed: node.closed.clone(),
            prices: node.prices.clone(),
            bound: node.bound,
        };
        without.closed[task * agents + agent] = true;
        for other in (0..agents).filter(|other| *other != agent) {
            node.closed[task * agents + other] = true;
        }
        self.give_way(&mut node.closed);
        vec![without, node]
    }

    fn see(&mut self, answer: &[usize]) {
        if let Some(value) = self.problem.value(answer)
            && self.best.as_ref().is_none_or(|(_, best)| value < *best)
        {
            self.best = Some((answer.to_vec(), value));
        }
    }

    /// A task with more than one agent left, and the agent to try: the largest on the most overloaded row of the relaxed
    /// answer, else the one whose second choice is dearest. `None` when everything is decided: then that is an answer.
    fn choice(&mut self, node: &Node, answer: &[usize], marginals: &Marginals) -> Option<(usize, usize)> {
        let agents = self.problem.agents();
        let open: Vec<usize> = (0..self.problem.tasks())
            .filter(|task| {
                node.closed[task * agents..(task + 1) * agents]
                    .iter()
                    .filter(|closed| !**closed)
                    .count()
                    > 1
            })
            .collect();
        if open.is_empty() {
            let only = (0..self.problem.tasks())
                .map(|task| (0..agents).find(|agent| !node.closed[task * agents + agent]));
            if let Some(only) = only.collect::<Option<Vec<usize>>>() {
                self.see(&only);
            }
            return None;
        }
        let mut used = vec![0.0; agents * self.field.resources];
        for (task, agent) in answer.iter().enumerate() {
            self.field.add_needs(task, *agent, 1.0, &mut used);
        }
        let over = |at: &usize| used[*at] / self.field.capacities[*at].max(1.0);
        let row = (0..used.len())
            .filter(|at| over(at) > 1.0 + 1e-12)
            .max_by(|a, b| over(a).total_cmp(&over(b)));
        if let Some(row) = row {
            let (agent, resource) = (row / self.field.resources, row % self.field.resources);
            let size = |task: &usize| self.field.needs(*task)[resource];
            let there = open
                .iter()
                .copied()
                .filter(|task| answer[*task] == agent && size(task) > 0.0);
            if let Some(task) = there.max_by(|a, b| size(a).total_cmp(&size(b))) {
                return Some((task, agent));
            }
        }
        let cheapest = |task: usize| {
            let row = &marginals.least[task * agents..(task + 1) * agents];
            let mut open: Vec<(i128, usize)> = row
                .iter()
                .copied()
                .zip(0..)
                .filter(|(_, agent)| !node.closed[task * agents + agent])
                .collect();
            open.sort_unstable();
            open
        };
        open.into_iter()
            .filter_map(|task| match cheapest(task)[..] {
                [(first, agent), (second, _), ..] => Some((second - first, task, agent)),
                _ => None,
            })
            .max_by_key(|(regret, task, _)| (*regret, std::cmp::Reverse(*task)))
            .map(|(_, task, agent)| (task, agent))
    }

    /// Closes agents that those already decided leave no room at.
    fn give_way(&self, closed: &mut [bool]) {
        let agents = self.problem.agents();
        let resources = self.problem.resources();
        let mut used = vec![0_u128; agents * resources];
        let mut decided = vec![false; self.problem.tasks()];
        for task in 0..self.problem.tasks() {
            let mut left = (0..agents).filter(|agent| !closed[task * agents + agent]);
            if let (Some(agent), None) = (left.next(), left.next()) {
                decided[task] = true;
                for resource in 0..resources {
                    used[agent * resources + resource] +=
                        u128::from(self.problem.need(task, agent, resource));
                }
            }
        }
        for task in 0..self.problem.tasks() {
            for agent in 0..agents {
                let full = self
                    .problem
                    .capacities(agent)
                    .iter()
                    .enumerate()
                    .any(|(resource, has)| {
                        let need = if decided[task] {
                            0
                        } else {
                            self.problem.need(task, agent, resource)
                        };
                        *has < u64::MAX
                            && used[agent * resources + resource] + u128::from(need) > u128::from(*has)
                    });
                closed[task * agents + agent] |= full;
            }
        }
    }
}

fn ceil(fixed: i128) -> i64 {
    let up = fixed.saturating_add((1 << SHIFT) - 1) >> SHIFT;
    i64::try_from(up).unwrap_or(if up > 0 { i64::MAX } else { i64::MIN })
}
