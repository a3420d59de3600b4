//! A first answer at given prices: the largest tree first, whole if it fits as it would like to be, else task by task.

use super::field::{Field, NEVER};
use super::forest::Forest;
use super::problem::QuadraticProblem;
use super::sweep::{Sweep, price};

/// Where every task goes; agents may be overloaded where nothing has room.
pub(super) fn construct(
    problem: &QuadraticProblem,
    field: &Field,
    forest: &Forest,
    prices: &[f64],
) -> Vec<usize> {
    let unit: Vec<f32> = prices.iter().map(|price| *price as f32).collect();
    let mut sweep = Sweep::new(problem, field, forest);
    let mut room = field.capacities.clone();
    let mut answer = vec![0; field.tasks()];
    let mut row = vec![0.0; field.width];
    let size = |task: usize| -> f64 {
        field
            .needs(task)
            .iter()
            .zip(&field.rates)
            .map(|(need, rate)| f64::from(*need) * rate)
            .sum()
    };
    let mut order: Vec<(f64, usize)> = (0..forest.trees())
        .map(|tree| (forest.tree(tree).iter().map(|node| size(node.task)).sum(), tree))
        .collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    for (_, tree) in order {
        let full = |task: usize, agent: usize| !fits(field, &room, task, agent);
        sweep.tree(tree, &unit, Some(&full), &mut answer);
        let nodes = forest.tree(tree);
        let mut placed = 0;
        while placed < nodes.len() && fits(field, &room, nodes[placed].task, answer[nodes[placed].task]) {
            take(
                field,
                &mut room,
                nodes[placed].task,
                answer[nodes[placed].task],
                1.0,
            );
            placed += 1;
        }
        if placed == nodes.len() {
            continue;
        }
        for node in &nodes[..placed] {
            take(field, &mut room, node.task, answer[node.task], -1.0);
        }
        for node in nodes {
            price(field, node.task, &unit, &mut row);
            if let Some((parent, link)) = node.parent {
                let link = &problem.links()[link];
                let beside = answer[nodes[parent].task];
                for (agent, cost) in row.iter_mut().enumerate().take(field.agents) {
                    let (from, to) = if link.to == node.task {
                        (beside, agent)
                    } else {
                        (agent, beside)
                    };
                    let far = problem.distances()[link.distance].between(from, to).unwrap_or(0);
                    *cost += link.weight as f32 * far as f32;
                }
            }
            let allowed = |agent: &usize| row[*agent] < NEVER;
            let agent = (0..field.agents)
                .filter(|agent| allowed(agent) && fits(field, &room, node.task, *agent))
                .min_by(|a, b| row[*a].total_cmp(&row[*b]))
                .or_else(|| {
                    (0..field.agents)
                        .filter(allowed)
                        .max_by(|a, b| least_room(field, &room, *a).total_cmp(&least_room(field, &room, *b)))
                })
                .unwrap_or(0);
            answer[node.task] = agent;
            take(field, &mut room, node.task, agent, 1.0);
        }
    }
    answer
}

fn fits(field: &Field, room: &[f64], task: usize, agent: usize) -> bool {
    let room = &room[agent * field.resources..(agent + 1) * field.resources];
    field
        .needs(task)
        .iter()
        .zip(room)
        .all(|(need, room)| f64::from(*need) <= *room)
}

fn take(field: &Field, room: &mut [f64], task: usize, agent: usize, times: f64) {
    for (resource, need) in field.needs(task).iter().enumerate() {
        room[agent * field.resources + resource] -= times * f64::from(*need);
    }
}

/// The scarcest room of an agent, as a share of what it has.
fn least_room(field: &Field, room: &[f64], agent: usize) -> f64 {
    (0..field.resources)
        .map(|resource| agent * field.resources + resource)
        .map(|at| {
            if field.capacities[at].is_finite() {
                room[at] / field.capacities[at].max(1.0)
            } else {
                1.0
            }
        })
        .fold(f64::INFINITY, f64::min)
}
