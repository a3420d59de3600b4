//! The best answer of one tree of tasks when capacity has a price: a dynamic programme from the leaves to the root.
//!
//! With links that cost the same between all agents apart a step takes as long as there are agents, else classes squared.

use super::far::weighed;
use super::field::{Field, NEVER};
use super::forest::{Forest, Node};
use super::problem::QuadraticProblem;

/// The tables of one tree, used again for each.
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    problem: &'a QuadraticProblem,
    forest: &'a Forest,
    /// By place in the tree: what it costs to have the task at each agent, with everything below it.
    rows: Vec<f32>,
    /// By place: the agent that is cheapest there.
    cheapest: Vec<usize>,
    message: Vec<f32>,
    least: Vec<f32>,
    width: usize,
    /// By place: what the task and all below it add to each agent of the parent.
    up: Vec<f32>,
    work: u64,
}

/// What looking at a task takes besides its row.
const A_TASK: usize = 24;

impl<'a> Sweep<'a> {
    pub(super) fn new(problem: &'a QuadraticProblem, field: &Field, forest: &'a Forest) -> Self {
        let places = forest.largest();
        Self {
            problem,
            forest,
            rows: vec![0.0; places * field.width],
            cheapest: vec![0; places],
            message: vec![0.0; field.width],
            least: Vec::new(),
            width: field.width,
            up: vec![0.0; places * field.width],
            work: (0..forest.trees())
                .flat_map(|tree| forest.tree(tree))
                .map(|node| work(problem, field, node))
                .sum(),
        }
    }

    /// The work of looking at every tree once.
    pub(super) const fn work(&self) -> u64 {
        self.work
    }

    /// The best value of a tree at these prices (by resource, then agent), and its answer into `answer` (by task).
    ///
    /// `closed` says whether an agent has no room for a task.
    pub(super) fn tree(
        &mut self,
        field: &Field,
        tree: usize,
        prices: &[f32],
        closed: Option<&dyn Fn(usize, usize) -> bool>,
        answer: &mut [usize],
    ) -> f64 {
        let nodes = self.forest.tree(tree);
        let width = field.width;
        for (place, node) in nodes.iter().enumerate() {
            let row = &mut self.rows[place * width..(place + 1) * width];
            price(field, node.task, prices, row);
            if let Some(closed) = closed {
                for (agent, cost) in row.iter_mut().enumerate().take(field.agents) {
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
            let far = &field.far[link.distance];
            let weight = link.weight as f32;
            let message = &mut self.up[place * width..(place + 1) * width];
            if let Some(cut) = far.cut {
                let apart = weight * cut;
                for ((message, above), here) in message.iter_mut().zip(above).zip(row) {
                    let more = *here - least;
                    *message = if more < apart { more } else { apart };
                    *above += *message;
                }
                continue;
            }
            let forward = link.from == nodes[parent].task;
            self.least.clear();
            self.least.extend(row.iter().map(|cost| cost - least));
            far.through((weight, !forward), &self.least, &mut self.message, message);
            for (message, above) in message.iter().zip(above) {
                *above += *message;
            }
        }
        self.decode(field, nodes, answer);
        value
    }

    /// After [`Self::tree`]: what the tree costs at least with each task at each agent, but for a constant.
    pub(super) fn beliefs(&mut self, field: &Field, tree: usize) {
        let nodes = self.forest.tree(tree);
        let width = field.width;
        let mut down = vec![0.0; width];
        for (place, node) in nodes.iter().enumerate() {
            let Some((parent, link)) = node.parent else {
                continue;
            };
            let link = &self.problem.links()[link];
            let far = &field.far[link.distance];
            let weight = link.weight as f32;
            let (before, here) = self.rows.split_at_mut(place * width);
            let above = &before[parent * width..(parent + 1) * width];
            let up = &self.up[place * width..(place + 1) * width];
            self.least.clear();
            self.least
                .extend(above.iter().zip(up).map(|(all, mine)| (all - mine).max(-NEVER)));
            let (_, least) = first_least(&self.least);
            self.least
                .iter_mut()
                .for_each(|cost| *cost = (*cost - least).min(NEVER));
            if let Some(cut) = far.cut {
                let apart = weight * cut;
                for (down, cost) in down.iter_mut().zip(&self.least) {
                    *down = if *cost < apart { *cost } else { apart };
                }
            } else {
                let forward = link.from == node.task;
                far.through((weight, !forward), &self.least, &mut self.message, &mut down);
            }
            for (cost, down) in here[..width].iter_mut().zip(&down) {
                *cost += *down;
            }
        }
    }

    /// By agent (padded), after [`Self::beliefs`] of the tree.
    pub(super) fn belief(&self, place: usize) -> &[f32] {
        let width = self.width;
        &self.rows[place * width..(place + 1) * width]
    }

    fn decode(&self, field: &Field, nodes: &[Node], answer: &mut [usize]) {
        let width = self.width;
        for (place, node) in nodes.iter().enumerate() {
            let mut agent = self.cheapest[place];
            if let Some((parent, link)) = node.parent {
                let row = &self.rows[place * width..(place + 1) * width];
                let link = &self.problem.links()[link];
                let far = &field.far[link.distance];
                let weight = link.weight as f32;
                let beside = answer[nodes[parent].task];
                if let Some(cut) = far.cut {
                    if row[beside] <= row[agent] + weight * cut {
                        agent = beside;
                    }
                } else {
                    let forward = link.from == nodes[parent].task;
                    let below = far.row(forward, far.class[beside] as usize);
                    let mut best = f32::INFINITY;
                    for (other, (cost, class)) in row.iter().zip(&far.class).enumerate() {
                        let cost = cost + weighed(weight, below[*class as usize]);
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

fn work(problem: &QuadraticProblem, field: &Field, node: &Node) -> u64 {
    let row = field.width * (2 + field.resources) / 4 + A_TASK;
    let table = node.parent.map_or(0, |(_, link)| {
        let far = &field.far[problem.links()[link].distance];
        if far.cut.is_some() {
            0
        } else {
            far.classes * far.classes / 2 + 2 * field.width
        }
    });
    (row + table) as u64
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
    if let Some((home, spared)) = field.spared(task) {
        for resource in spared {
            row[home] -= field.needs(task)[resource] * prices[resource * field.width + home];
        }
    }
}

/// The first of the agents that cost least, and what that is.
pub(super) fn first_least(row: &[f32]) -> (usize, f32) {
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
