//! A lower bound that anybody can check: whole-number prices of capacity, and the bound they prove.
//!
//! Checking shares nothing with the search: it reads the question and the certificate, in whole numbers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::certificate_packing::Packing;
use super::certificate_parts::Share;
use super::distance::Distance;
use super::problem::{FORBIDDEN, Link, QuadraticProblem};

/// Prices are in 1/2^40 of the unit of costs, so that even the price of a byte of hundreds of gigabytes loses next to nothing in rounding.
pub(super) const SHIFT: u32 = 40;

/// The same as a number to multiply with.
pub(super) const SCALE: f64 = (1_u64 << SHIFT) as f64;

/// All room of an agent costs no more, so that sums of what is paid fit 128 bits.
const DEAREST: u128 = 1 << 105;

/// Prices of capacity, and shares. For any prices at or above zero, what every tree of tasks costs at least when it pays for what it
/// takes, less the price of all that there is, is at most what an answer costs (Lagrangian relaxation); links that close circles and
/// groups bear a share of what their tasks cost, and cost at least what they do by themselves (dual decomposition).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// Agent by agent, then by resource: the price of a unit, in 2^-40 of the unit of costs.
    pub prices: Vec<u128>,
    /// Links, by number, that are in no tree: without them the links make no circle. They cost their least, unless they bear a share.
    pub left_out: Vec<usize>,
    /// What links left out and groups bear. A group without a share counts as if it cost nothing.
    pub shares: Vec<Share>,
    /// Another bound of the same question: by what agents can take, instead of by prices. The greater one counts.
    pub packing: Option<Packing>,
}

impl Certificate {
    /// From prices in floats, by resource and then agent in rows of `width`.
    pub(super) fn of(
        problem: &QuadraticProblem,
        prices: &[f64],
        width: usize,
        left_out: &[usize],
        shares: Vec<Share>,
    ) -> Self {
        let prices = whole_prices(problem, prices, width);
        Self {
            prices,
            left_out: left_out.to_vec(),
            shares,
            packing: None,
        }
    }

    /// The prices in floats, by resource and then agent in rows of `width`; `None` when they are of another question.
    pub(super) fn prices(&self, problem: &QuadraticProblem, width: usize) -> Option<Vec<f64>> {
        let resources = problem.resources();
        if self.prices.len() != problem.agents() * resources {
            return None;
        }
        let mut prices = vec![0.0; resources * width];
        for (at, price) in self.prices.iter().enumerate() {
            prices[at % resources * width + at / resources] = *price as f64 / SCALE;
        }
        Some(prices)
    }

    /// The bound that these prices prove, in whole numbers: no answer costs less. `None` when a sum does not fit 128 bits,
    /// a task has no agent, a price is of something that is neither limited nor costs above a level, the links not left out make a circle,
    /// a share is of a link in a tree, of one that bears another share, or not of all its tasks, or what a packing claims is not shown.
    #[must_use]
    pub fn bound(&self, problem: &QuadraticProblem) -> Option<i64> {
        let mut total = 0_i128;
        let mut at = AtTask {
            links: vec![Vec::new(); problem.tasks()],
            borne: vec![Vec::new(); problem.tasks()],
        };
        let left_out: BTreeSet<usize> = self.left_out.iter().copied().collect();
        let least: Vec<i64> = problem.distances().iter().map(Distance::least).collect();
        let (mut bearers, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for share in &self.shares {
            let tasks = share.tasks(problem)?;
            let mut links = share.of.links().iter();
            if !links.all(|link| left_out.contains(link) && bearers.insert(*link)) {
                return None;
            }
            // what costs is paid once; what may not be may be counted again
            let priced = |group: &usize| problem.groups()[*group].price.is_some();
            let group = share.of.group().filter(priced);
            let paid = group.is_some_and(|group| !groups.insert(group));
            for (task, costs) in tasks.iter().zip(share.costs.chunks_exact(problem.agents())) {
                at.borne[*task].push(costs);
            }
            total = total.checked_add(share.least(problem, &tasks, paid)?)?;
        }
        for (number, link) in problem.links().iter().enumerate() {
            if bearers.contains(&number) {
                continue;
            }
            if left_out.contains(&number) {
                let least = i128::from(least[link.distance]);
                total = total.checked_add(
                    i128::from(link.weight)
                        .checked_mul(least)?
                        .checked_mul(1 << SHIFT)?,
                )?;
            } else {
                at.links[link.from].push((link.to, link));
                at.links[link.to].push((link.from, link));
            }
        }
        let mut seen = vec![false; problem.tasks()];
        for root in 0..problem.tasks() {
            if !seen[root] {
                total = total.checked_add(self.tree(problem, &at, root, &mut seen)?)?;
            }
        }
        for agent in 0..problem.agents() {
            for (resource, has) in problem.capacities(agent).iter().enumerate() {
                let price = self.price(problem, agent, resource)?;
                // Where a unit above a level costs, only a price above that makes it worth to take more.
                let mut taken = *has;
                if let Some(comfort) = problem.comfort(agent, resource) {
                    let above = i128::from(comfort.price).checked_mul(1 << SHIFT)?;
                    let level = comfort.level.min(*has);
                    if price <= above {
                        taken = level;
                    } else {
                        total = total.checked_add(above.checked_mul(i128::from(*has - level))?)?;
                    }
                }
                if price > 0 && taken == u64::MAX {
                    return None;
                }
                if price > 0 {
                    total = total.checked_sub(price.checked_mul(i128::from(taken))?)?;
                }
            }
        }
        if let Some(packing) = &self.packing {
            total = total.max(packing.bound(problem, &left_out)?);
        }
        // costs are whole, so the next whole number up is a bound too
        let up = total.checked_add((1 << SHIFT) - 1)?;
        i64::try_from(up >> SHIFT).ok()
    }

    fn price(&self, problem: &QuadraticProblem, agent: usize, resource: usize) -> Option<i128> {
        self.prices
            .get(agent * problem.resources() + resource)
            .and_then(|price| i128::try_from(*price).ok())
    }

    /// The least that a tree costs, needs paid.
    fn tree(
        &self,
        problem: &QuadraticProblem,
        at: &AtTask<'_>,
        root: usize,
        seen: &mut [bool],
    ) -> Option<i128> {
        // parents first
        let mut order: Vec<(usize, Option<(usize, &Link)>)> = vec![(root, None)];
        seen[root] = true;
        let mut place = 0;
        while let Some((task, above)) = order.get(place).copied() {
            for (other, link) in &at.links[task] {
                if above.is_some_and(|(_, up)| std::ptr::eq(up, *link)) {
                    continue;
                }
                if seen[*other] {
                    return None;
                }
                seen[*other] = true;
                order.push((*other, Some((place, *link))));
            }
            place += 1;
        }
        let mut rows = Vec::with_capacity(order.len());
        for (task, _) in &order {
            rows.push(self.priced(problem, *task, &at.borne[*task])?);
        }
        for place in (1..order.len()).rev() {
            let (_, Some((parent, link))) = order[place] else {
                return None;
            };
            let below = rows.split_off(place).pop()?;
            let message = message(problem, link, link.from == order[parent].0, &below)?;
            for (cost, more) in rows[parent].iter_mut().zip(message) {
                *cost = match (*cost, more) {
                    (Some(cost), Some(more)) => Some(cost.checked_add(more)?),
                    _ => None,
                };
            }
        }
        rows.first()?.iter().flatten().min().copied()
    }

    /// By agent: what the task costs with its needs paid and without what others bear, where it may be.
    fn priced(
        &self,
        problem: &QuadraticProblem,
        task: usize,
        borne: &[&[i128]],
    ) -> Option<Vec<Option<i128>>> {
        let mut row = Vec::with_capacity(problem.agents());
        for (agent, cost) in problem.costs(task).iter().enumerate() {
            let need = |resource| problem.need(task, agent, resource);
            let mut rooms = problem.capacities(agent).iter().enumerate();
            if *cost == FORBIDDEN || rooms.any(|(resource, has)| need(resource) > *has) {
                row.push(None);
                continue;
            }
            let mut priced = i128::from(*cost).checked_mul(1 << SHIFT)?;
            for resource in 0..problem.resources() {
                let price = self.price(problem, agent, resource)?;
                priced = priced.checked_add(price.checked_mul(i128::from(need(resource)))?)?;
            }
            for share in borne {
                priced = priced.checked_sub(*share.get(agent)?)?;
            }
            row.push(Some(priced));
        }
        Some(row)
    }
}

/// What is at each task: its links in trees, each with the other end, and the shares that others bear of its costs.
struct AtTask<'a> {
    links: Vec<Vec<(usize, &'a Link)>>,
    borne: Vec<Vec<&'a [i128]>>,
}

/// By agent of the parent: the least of the child and the link, where there is one that may be.
fn message(
    problem: &QuadraticProblem,
    link: &Link,
    forward: bool,
    below: &[Option<i128>],
) -> Option<Vec<Option<i128>>> {
    let distance = &problem.distances()[link.distance];
    let unit = i128::from(link.weight).checked_mul(1 << SHIFT)?;
    // agents of a class are alike: the cheapest of each, and for each parent class the best of them
    let mut least: Vec<Option<i128>> = vec![None; distance.classes()];
    for (agent, cost) in below.iter().enumerate() {
        let slot = &mut least[distance.class_of(agent)];
        *slot = [*slot, *cost].into_iter().flatten().min();
    }
    let everywhere = least.iter().flatten().min().copied()?;
    let mut by_class = Vec::with_capacity(distance.classes());
    for class in 0..distance.classes() {
        let best = if let Some(cut) = distance.cut_cost() {
            let apart = everywhere.checked_add(unit.checked_mul(i128::from(cut))?)?;
            Some(least[class].map_or(apart, |same| same.min(apart)))
        } else {
            let mut best = None;
            for (other, cost) in least
                .iter()
                .enumerate()
                .filter_map(|(other, least)| Some((other, (*least)?)))
            {
                let (from, to) = if forward { (class, other) } else { (other, class) };
                if let Some(far) = distance.weighed(link.weight, from, to) {
                    let far = cost.checked_add(far.checked_mul(1 << SHIFT)?)?;
                    best = Some(best.map_or(far, |best: i128| best.min(far)));
                }
            }
            best
        };
        by_class.push(best);
    }
    let message = (0..below.len())
        .map(|agent| by_class[distance.class_of(agent)])
        .collect();
    Some(message)
}

/// Prices in whole numbers, by agent and then resource; nothing where nothing is limited and nothing costs.
pub(super) fn whole_prices(problem: &QuadraticProblem, prices: &[f64], width: usize) -> Vec<u128> {
    let pairs = (0..problem.agents())
        .flat_map(|agent| (0..problem.resources()).map(move |resource| (agent, resource)));
    pairs
        .map(|(agent, resource)| {
            let whole = (prices[resource * width + agent] * SCALE) as u128;
            match (
                problem.capacities(agent)[resource],
                problem.comfort(agent, resource),
            ) {
                (u64::MAX, None) => 0,
                // a price above what a unit costs would be worth any amount
                (u64::MAX, Some(comfort)) => whole.min(u128::try_from(comfort.price).unwrap_or(0) << SHIFT),
                (has, _) => whole.min(DEAREST / u128::from(has.max(1))),
            }
        })
        .collect()
}
