//! The best answer of one tree of tasks when capacity has a price: a dynamic programme from the leaves to the root.
//!
//! With links that cost the same between all agents apart a step takes as long as there are agents, else classes squared.

use super::field::{Field, NEVER};
use super::forest::{Forest, Node};
use super::problem::QuadraticProblem;

/// The tables of one tree, used again for each.
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    problem: &'a QuadraticProblem,
    field: &'a Field,
    forest: &'a Forest,
    /// By place in the tree: what it costs to have the task at each agent, with everything below it.
    rows: Vec<f32>,
    /// By place: the agent that is cheapest there.
    cheapest: Vec<usize>,
    by_agent: Vec<bool>,
    message: Vec<f32>,
    least: Vec<f32>,
}

impl<'a> Sweep<'a> {
    pub(super) fn new(problem: &'a QuadraticProblem, field: &'a Field, forest: &'a Forest) -> Self {
        let places = forest.largest();
        Self {
            problem,
            field,
            forest,
            rows: vec![0.0; places * field.width],
            cheapest: vec![0; places],
            by_agent: problem
                .distances()
                .iter()
                .map(super::Distance::is_by_agent)
                .collect(),
            message: vec![0.0; field.width],
            least: Vec::new(),
        }
    }

    /// The best value of a tree at these prices (by resource, then agent), and its answer into `answer` (by task).
    ///
    /// `closed` says whether an agent has no room for a task.
    pub(super) fn tree(
        &mut self,
        tree: usize,
        prices: &[f32],
        closed: Option<&dyn Fn(usize, usize) -> bool>,
        answer: &mut [usize],
    ) -> f64 {
        let nodes = self.forest.tree(tree);
        let width = self.field.width;
        for (place, node) in nodes.iter().enumerate() {
            let row = &mut self.rows[place * width..(place + 1) * width];
            price(self.field, node.task, prices, row);
            if let Some(closed) = closed {
                for (agent, cost) in row.iter_mut().enumerate().take(self.field.agents) {
                    if closed(node.task, agent) {
                        *cost = NEVER;
                    }
                }
            }
        }
        let mut value = 0.0;
        for (place, node) in nodes.iter().enumerate().rev() {
            let (before, here) = self.rows.split_at_mut(place * width);
            let row = &here[..width];
            let (agent, least) = first_least(row);
            self.cheapest[place] = agent;
            value += f64::from(least);
            let Some((parent, link)) = node.parent else {
                continue;
            };
            let above = &mut before[parent * width..(parent + 1) * width];
            let link = &self.problem.links()[link];
            let distance = &self.problem.distances()[link.distance];
            let weight = link.weight as f32;
            if let Some(cut) = distance.cut_cost()
                && self.by_agent[link.distance]
            {
                let apart = weight * cut as f32;
                for (above, here) in above.iter_mut().zip(row) {
                    let more = *here - least;
                    *above += if more < apart { more } else { apart };
                }
                continue;
            }
            let forward = link.from == nodes[parent].task;
            let classes = distance.classes();
            self.least.clear();
            self.least.resize(classes, NEVER);
            for (class, cost) in distance.class().iter().zip(row) {
                self.least[*class] = self.least[*class].min(*cost - least);
            }
            self.message.clear();
            self.message.resize(classes, NEVER);
            for mine in 0..classes {
                let mut best = NEVER;
                for other in 0..classes {
                    let far = if forward {
                        distance.of_classes(mine, other)
                    } else {
                        distance.of_classes(other, mine)
                    };
                    best = best.min(self.least[other] + weight * far as f32);
                }
                self.message[mine] = best;
            }
            for (class, above) in distance.class().iter().zip(above) {
                *above += self.message[*class];
            }
        }
        self.decode(nodes, answer);
        value
    }

    fn decode(&self, nodes: &[Node], answer: &mut [usize]) {
        let width = self.field.width;
        for (place, node) in nodes.iter().enumerate() {
            let mut agent = self.cheapest[place];
            if let Some((parent, link)) = node.parent {
                let row = &self.rows[place * width..(place + 1) * width];
                let link = &self.problem.links()[link];
                let distance = &self.problem.distances()[link.distance];
                let weight = link.weight as f32;
                let beside = answer[nodes[parent].task];
                if let Some(cut) = distance.cut_cost()
                    && self.by_agent[link.distance]
                {
                    if row[beside] <= row[agent] + weight * cut as f32 {
                        agent = beside;
                    }
                } else {
                    let forward = link.from == nodes[parent].task;
                    let above = distance.class_of(beside);
                    let mut best = f32::INFINITY;
                    for (other, cost) in row.iter().enumerate().take(self.field.agents) {
                        let class = distance.class_of(other);
                        let far = if forward {
                            distance.of_classes(above, class)
                        } else {
                            distance.of_classes(class, above)
                        };
                        let cost = cost + weight * far as f32;
                        if cost < best {
                            (best, agent) = (cost, other);
                        }
                    }
                }
            }
            answer[node.task] = agent;
        }
    }
}

/// The costs of a task at each agent, its needs paid at these prices.
pub(super) fn price(field: &Field, task: usize, prices: &[f32], row: &mut [f32]) {
    row.copy_from_slice(field.costs(task));
    for (need, prices) in field
        .needs(task)
        .iter()
        .zip(prices.chunks_exact(field.width.max(1)))
    {
        for (cost, price) in row.iter_mut().zip(prices) {
            *cost += need * price;
        }
    }
}

fn first_least(row: &[f32]) -> (usize, f32) {
    let mut lanes = [f32::INFINITY; 16];
    for chunk in row.chunks_exact(16) {
        for (least, cost) in lanes.iter_mut().zip(chunk) {
            *least = if *cost < *least { *cost } else { *least };
        }
    }
    let least = lanes.iter().copied().fold(f32::INFINITY, f32::min);
    let agent = row.iter().position(|cost| *cost <= least).unwrap_or(0);
    (agent, least)
}
