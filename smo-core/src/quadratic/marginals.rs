//! What every single choice costs at given prices: the least of a tree when one task is fixed to one agent.
//!
//! A pass from the leaves to the root and one back (belief propagation on a tree, exact there). In whole numbers, 2^-40 of
//! the unit of costs, so that what is closed by it is closed with proof.

use super::certificate::SHIFT;
use super::forest::Forest;
use super::problem::{FORBIDDEN, Link, QuadraticProblem};

/// What a closed choice costs; sums of it stay in range.
pub(super) const CLOSED: i128 = 1 << 100;

/// At given prices.
#[derive(Debug)]
pub(super) struct Marginals {
    /// No answer costs less.
    pub(super) bound: i128,
    /// By task, then agent: no answer with the task there costs less.
    pub(super) least: Vec<i128>,
}

impl Marginals {
    /// `prices` by agent, then resource; `closed` by task, then agent. `None` when a task has no agent left.
    pub(super) fn new(
        problem: &QuadraticProblem,
        forest: &Forest,
        prices: &[u128],
        closed: &[bool],
    ) -> Option<Self> {
        let agents = problem.agents();
        let mut least = vec![CLOSED; problem.tasks() * agents];
        let mut outside = 0_i128;
        for agent in 0..agents {
            for (resource, has) in problem.capacities(agent).iter().enumerate() {
                let price = prices[agent * problem.resources() + resource] as i128;
                let comfort = problem.comfort(agent, resource);
                let free = comfort.map_or(*has, |comfort| comfort.level.min(*has));
                let above = comfort.map_or(0, |comfort| i128::from(comfort.price) << SHIFT);
                if price > 0 {
                    outside -= price * i128::from(free) + (price - above).max(0) * i128::from(*has - free);
                }
            }
        }
        for link in &forest.rest {
            let link = &problem.links()[*link];
            outside +=
                (i128::from(link.weight) * i128::from(problem.distances()[link.distance].least())) << SHIFT;
        }
        let mut values = Vec::with_capacity(forest.trees());
        for tree in 0..forest.trees() {
            values.push(tree_marginals(problem, forest, tree, prices, closed, &mut least)?);
        }
        let bound = outside + values.iter().sum::<i128>();
        for (task, row) in least.chunks_exact_mut(agents.max(1)).enumerate() {
            let others = bound - values[forest.tree_of[task]];
            row.iter_mut().for_each(|cost| *cost += others);
        }
        Some(Self { bound, least })
    }
}

fn tree_marginals(
    problem: &QuadraticProblem,
    forest: &Forest,
    tree: usize,
    prices: &[u128],
    closed: &[bool],
    least: &mut [i128],
) -> Option<i128> {
    let agents = problem.agents();
    let nodes = forest.tree(tree);
    let mut rows: Vec<Vec<i128>> = nodes
        .iter()
        .map(|node| priced(problem, node.task, prices, closed))
        .collect();
    let mut up: Vec<Vec<i128>> = vec![Vec::new(); nodes.len()];
    for place in (1..nodes.len()).rev() {
        let Some((parent, link)) = nodes[place].parent else {
            continue;
        };
        let link = &problem.links()[link];
        up[place] = message(problem, link, link.from == nodes[parent].task, &rows[place]);
        for (cost, more) in rows[parent].iter_mut().zip(&up[place]) {
            *cost = (*cost + more).min(CLOSED);
        }
    }
    let value = rows[0].iter().copied().min().filter(|value| *value < CLOSED)?;
    // now what is above each place joins what is below it
    for place in 1..nodes.len() {
        let Some((parent, link)) = nodes[place].parent else {
            continue;
        };
        let link = &problem.links()[link];
        let without: Vec<i128> = rows[parent]
            .iter()
            .zip(&up[place])
            .map(|(all, mine)| if *all >= CLOSED { CLOSED } else { all - mine })
            .collect();
        let down = message(problem, link, link.from == nodes[place].task, &without);
        for (cost, more) in rows[place].iter_mut().zip(down) {
            *cost = (*cost + more).min(CLOSED);
        }
    }
    for (node, row) in nodes.iter().zip(rows) {
        least[node.task * agents..(node.task + 1) * agents].copy_from_slice(&row);
    }
    Some(value)
}

fn priced(problem: &QuadraticProblem, task: usize, prices: &[u128], closed: &[bool]) -> Vec<i128> {
    let agents = problem.agents();
    let price = |(agent, cost): (usize, &i64)| {
        if *cost == FORBIDDEN || closed[task * agents + agent] {
            return CLOSED;
        }
        let prices = &prices[agent * problem.resources()..];
        let paid = (0..problem.resources())
            .map(|resource| i128::from(problem.need(task, agent, resource)) * prices[resource] as i128);
        (i128::from(*cost) << SHIFT) + paid.sum::<i128>()
    };
    problem.costs(task).iter().enumerate().map(price).collect()
}

/// What the far end of a link adds to each agent of the near end, which is the link's `from` when `forward`.
fn message(problem: &QuadraticProblem, link: &Link, forward: bool, far: &[i128]) -> Vec<i128> {
    let distance = &problem.distances()[link.distance];
    let mut least = vec![CLOSED; distance.classes()];
    for (agent, cost) in far.iter().enumerate() {
        let slot = &mut least[distance.class_of(agent)];
        *slot = (*slot).min(*cost);
    }
    let everywhere = least.iter().copied().min().unwrap_or(CLOSED);
    let by_class: Vec<i128> = (0..least.len())
        .map(|mine| match distance.cut_cost() {
            Some(cut) => least[mine].min(everywhere + ((i128::from(link.weight) * i128::from(cut)) << SHIFT)),
            None => {
                let through = |(other, cost): (usize, &i128)| {
                    let (from, to) = if forward { (mine, other) } else { (other, mine) };
                    let far = distance.weighed(link.weight, from, to);
                    far.map_or(CLOSED, |far| cost + (far << SHIFT))
                };
                least.iter().enumerate().map(through).min().unwrap_or(CLOSED)
            }
        })
        .map(|cost| cost.min(CLOSED))
        .collect();
    (0..far.len())
        .map(|agent| by_class[distance.class_of(agent)])
        .collect()
}
