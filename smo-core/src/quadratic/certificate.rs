//! A lower bound that anybody can check: whole-number prices of capacity, and the bound they prove.

use super::forest::Forest;
use super::problem::{FORBIDDEN, QuadraticProblem};

/// The prices are in 1/2^24 of the unit of costs.
const SHIFT: u32 = 24;

/// Prices of capacity. For any prices at or above zero, what every tree of tasks costs at least when it pays for what it
/// takes, less the price of all that there is, is at most what an answer costs (Lagrangian relaxation).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Certificate {
    /// Agent by agent, then by resource: the price of a unit, in 2^-24 of the unit of costs.
    pub prices: Vec<u64>,
}

impl Certificate {
    /// From prices in floats, by resource and then agent in rows of `width`.
    pub(super) fn of(problem: &QuadraticProblem, prices: &[f64], width: usize) -> Self {
        let scale = f64::from(1_u32 << SHIFT);
        let (agents, resources) = (problem.agents(), problem.resources());
        let pairs = (0..agents).flat_map(|agent| (0..resources).map(move |resource| (agent, resource)));
        let prices = pairs
            .map(|(agent, resource)| match problem.capacities(agent)[resource] {
                u64::MAX => 0,
                _ => (prices[resource * width + agent] * scale).clamp(0.0, 9e18) as u64,
            })
            .collect();
        Self { prices }
    }

    /// The bound that these prices prove, in whole numbers: no answer costs less. `None` when a sum does not fit, or a
    /// task has no agent.
    ///
    /// Reads the question and the prices only, nothing of the search.
    #[must_use]
    pub fn bound(&self, problem: &QuadraticProblem) -> Option<i64> {
        let forest = Forest::new(problem);
        let mut total = 0_i128;
        for tree in 0..forest.trees() {
            total = total.checked_add(self.tree(problem, &forest, tree)?)?;
        }
        for agent in 0..problem.agents() {
            for (resource, has) in problem.capacities(agent).iter().enumerate() {
                let price = i128::from(self.price(problem, agent, resource)?);
                if price > 0 && *has == u64::MAX {
                    return None;
                }
                if price > 0 {
                    total = total.checked_sub(price.checked_mul(i128::from(*has))?)?;
                }
            }
        }
        for link in &forest.rest {
            let link = &problem.links()[*link];
            let least = i128::from(problem.distances()[link.distance].least());
            total = total.checked_add((i128::from(link.weight).checked_mul(least)?).checked_mul(1 << SHIFT)?)?;
        }
        // costs are whole, so the next whole number up is a bound too
        let up = total.checked_add((1 << SHIFT) - 1)?;
        i64::try_from(up >> SHIFT).ok()
    }

    fn price(&self, problem: &QuadraticProblem, agent: usize, resource: usize) -> Option<u64> {
        self.prices.get(agent * problem.resources() + resource).copied()
    }

    fn tree(&self, problem: &QuadraticProblem, forest: &Forest, tree: usize) -> Option<i128> {
        let nodes = forest.tree(tree);
        let agents = problem.agents();
        let mut rows = vec![None; nodes.len() * agents];
        for (place, node) in nodes.iter().enumerate() {
            for (agent, cost) in problem.costs(node.task).iter().enumerate() {
                if *cost == FORBIDDEN || !problem.allows(node.task, agent) {
                    continue;
                }
                let mut priced = i128::from(*cost).checked_mul(1 << SHIFT)?;
                for (resource, need) in problem.needs(node.task).iter().enumerate() {
                    let price = i128::from(self.price(problem, agent, resource)?);
                    priced = priced.checked_add(price.checked_mul(i128::from(*need))?)?;
                }
                rows[place * agents + agent] = Some(priced);
            }
        }
        for (place, node) in nodes.iter().enumerate().rev() {
            let Some((parent, link)) = node.parent else { break };
            let (before, here) = rows.split_at_mut(place * agents);
            let row = &here[..agents];
            let above = &mut before[parent * agents..(parent + 1) * agents];
            let link = &problem.links()[link];
            let distance = &problem.distances()[link.distance];
            let forward = link.from == nodes[parent].task;
            let unit = i128::from(link.weight).checked_mul(1 << SHIFT)?;
            let mut least: Vec<Option<i128>> = vec![None; distance.classes()];
            for (class, cost) in distance.class().iter().zip(row) {
                let slot = &mut least[*class];
                *slot = [*slot, *cost].into_iter().flatten().min();
            }
            let everywhere = least.iter().flatten().min().copied();
            for (class, above) in distance.class().iter().zip(above) {
                let Some(cost) = above else { continue };
                let below = match distance.cut_cost() {
                    Some(cut) => {
                        let apart = everywhere?.checked_add(unit.checked_mul(i128::from(cut))?)?;
                        least[*class].map_or(apart, |same| same.min(apart))
                    }
                    None => {
                        let mut best: Option<i128> = None;
                        for (other, cost) in least.iter().enumerate() {
                            let Some(cost) = cost else { continue };
                            let far = if forward { distance.of_classes(*class, other) } else { distance.of_classes(other, *class) };
                            let cost = cost.checked_add(unit.checked_mul(i128::from(far))?)?;
                            best = Some(best.map_or(cost, |best| best.min(cost)));
                        }
                        best?
                    }
                };
                *cost = cost.checked_add(below)?;
            }
        }
        rows[..agents].iter().flatten().min().copied()
    }
}
