//! A first answer at given prices: the largest tree first, whole if it fits as it would like to be, else task by task.

use super::field::{Field, NEVER};
use super::forest::{Forest, Node};
use super::problem::QuadraticProblem;
use super::sweep::{Sweep, price};

/// Where every task goes; those that are `kept` stay. Agents may be overloaded where nothing has room.
pub(super) fn construct(
    problem: &QuadraticProblem,
    field: &Field,
    forest: &Forest,
    prices: &[f64],
    kept: &[Option<usize>],
) -> Vec<usize> {
    let mut building = Building {
        problem,
        field,
        unit: prices.iter().map(|price| *price as f32).collect(),
        room: field.capacities.clone(),
        answer: vec![None; field.tasks()],
        row: vec![0.0; field.width],
    };
    for (task, agent) in kept.iter().enumerate() {
        if let Some(agent) = agent {
            building.put(task, *agent);
        }
    }
    let mut sweep = Sweep::new(problem, field, forest);
    let mut wish = vec![0; field.tasks()];
    let size = |nodes: &[Node]| -> f64 { nodes.iter().map(|node| field.size(node.task)).sum() };
    let mut order: Vec<(f64, usize)> = (0..forest.trees())
        .map(|tree| (size(forest.tree(tree)), tree))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, tree) in order {
        let nodes = forest.tree(tree);
        if nodes.iter().all(|node| building.answer[node.task].is_none()) {
            let full = |task: usize, agent: usize| !building.fits(task, agent);
            sweep.tree(field, tree, &building.unit, Some(&full), &mut wish);
            if building.put_all(nodes, &wish) {
                continue;
            }
        }
        for node in nodes {
            if building.answer[node.task].is_none() {
                let agent = building.choose(nodes, node.task);
                building.put(node.task, agent);
            }
        }
    }
    building
        .answer
        .into_iter()
        .map(|agent| agent.unwrap_or(0))
        .collect()
}

struct Building<'a> {
    problem: &'a QuadraticProblem,
    field: &'a Field,
    unit: Vec<f32>,
    /// By agent, then resource.
    room: Vec<f64>,
    answer: Vec<Option<usize>>,
    row: Vec<f32>,
}

impl Building<'_> {
    /// Whether the agent may do the task and has room for it.
    fn fits(&self, task: usize, agent: usize) -> bool {
        self.field.costs(task)[agent] < NEVER && self.field.fits(task, agent, &self.room)
    }

    fn put(&mut self, task: usize, agent: usize) {
        self.answer[task] = Some(agent);
        self.field.add_needs(task, agent, -1.0, &mut self.room);
    }

    /// Puts a whole tree where it wishes to be, or nothing of it.
    fn put_all(&mut self, nodes: &[Node], wish: &[usize]) -> bool {
        let before = self.room.clone();
        for node in nodes {
            // what fits nowhere is wished anywhere
            if !self.fits(node.task, wish[node.task]) {
                self.room = before;
                nodes.iter().for_each(|node| self.answer[node.task] = None);
                return false;
            }
            self.put(node.task, wish[node.task]);
        }
        true
    }

    /// The cheapest agent with room, links to what is placed counted; the emptiest where none has.
    fn choose(&mut self, nodes: &[Node], task: usize) -> usize {
        price(self.field, task, &self.unit, &mut self.row);
        for node in nodes {
            let Some((parent, link)) = node.parent else {
                continue;
            };
            let parent = nodes[parent].task;
            let beside = match (node.task == task, parent == task) {
                (true, _) => self.answer[parent],
                (_, true) => self.answer[node.task],
                _ => continue,
            };
            let Some(beside) = beside else { continue };
            let link = &self.problem.links()[link];
            for (agent, cost) in self.row.iter_mut().enumerate().take(self.field.agents) {
                let (from, to) = if link.to == task {
                    (beside, agent)
                } else {
                    (agent, beside)
                };
                *cost = (*cost + self.field.far[link.distance].between(link.weight, from, to)).min(NEVER);
            }
        }
        let allowed = |agent: &usize| self.row[*agent] < NEVER;
        (0..self.field.agents)
            .filter(|agent| allowed(agent) && self.fits(task, *agent))
            .min_by(|a, b| self.row[*a].total_cmp(&self.row[*b]))
            .or_else(|| {
                let emptier = |a: &usize, b: &usize| self.least_room(*a).total_cmp(&self.least_room(*b));
                (0..self.field.agents).filter(allowed).max_by(emptier)
            })
            .unwrap_or(0)
    }

    /// The scarcest room of an agent, as a share of what it has.
    fn least_room(&self, agent: usize) -> f64 {
        (0..self.field.resources)
            .map(|resource| agent * self.field.resources + resource)
            .map(|at| match self.field.capacities[at] {
                has if has.is_finite() => self.room[at] / has.max(1.0),
                _ => 1.0,
            })
            .fold(f64::INFINITY, f64::min)
    }
}
