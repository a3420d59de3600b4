//! A lower bound that anybody can check: whole-number prices of capacity, and the bound they prove.
//!
//! Checking shares nothing with the search: it reads the question and the certificate, in whole numbers.

use std::collections::BTreeSet;

use petgraph::unionfind::UnionFind;
use serde::{Deserialize, Serialize};

use super::certificate_cases::{Cases, Claim};
use super::certificate_narrow::alike;
use super::certificate_packing::Packing;
use super::certificate_parts::Share;
use super::certificate_tree::{Beside, Tree};
use super::distance::Distance;
use super::problem::{FORBIDDEN, QuadraticProblem};

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
    /// What prices leave open, by cases; the greater bound counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<Box<Cases>>,
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
            cases: None,
        }
    }

    /// Nothing has a price, and links that close circles are left out.
    #[must_use]
    pub fn free(problem: &QuadraticProblem) -> Self {
        let mut sets = UnionFind::new(problem.tasks());
        let links = problem.links().iter().enumerate();
        let circles = links.filter_map(|(number, link)| (!sets.union(link.from, link.to)).then_some(number));
        Self {
            left_out: circles.collect(),
            prices: vec![0; problem.agents() * problem.resources()],
            ..Self::default()
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
        let mut total = self.by_trees(problem, |tree, rows| tree.least(problem, rows))?;
        if let Some(packing) = &self.packing {
            let left_out = self.left_out.iter().copied().collect();
            total = total.max(packing.bound(problem, &left_out)?);
        }
        let bound = up(total)?;
        let Some(cases) = &self.cases else {
            return Some(bound);
        };
        let claim = i64::try_from(cases.claim).ok()?;
        let is_beaten = |answer: &[usize]| problem.value(answer).is_none_or(|value| value >= claim);
        let mut claimed = Claim::new(problem, |bound| bound >= claim, is_beaten).with_alike(alike(problem));
        claimed.holds(self, &cases.cases).then_some(bound.max(claim))
    }

    /// The same without a packing, and by task and then agent: no answer with the task there costs less; `None` where it may not be.
    pub(super) fn marginals(&self, problem: &QuadraticProblem) -> Option<(i64, Vec<Option<i64>>)> {
        let mut above = vec![None; problem.tasks() * problem.agents()];
        let total = self.by_trees(problem, |tree, rows| tree.marginals(problem, rows, &mut above))?;
        let bound = |above: Option<i128>| match above {
            Some(above) => up(total.checked_add(above)?).map(Some),
            None => Some(None),
        };
        let least = above.into_iter().map(bound).collect::<Option<Vec<_>>>()?;
        Some((up(total)?, least))
    }

    /// What prices prove, in 2^-40 of the unit of costs, given what says of a tree with priced rows what it costs at least.
    fn by_trees(
        &self,
        problem: &QuadraticProblem,
        mut least_of: impl FnMut(&Tree<'_>, Vec<Vec<Option<i128>>>) -> Option<i128>,
    ) -> Option<i128> {
        if problem.agents() == 0 && problem.tasks() > 0 {
            return None;
        }
        let mut total = 0_i128;
        let mut beside: Beside<'_> = vec![Vec::new(); problem.tasks()];
        let mut borne: Vec<Vec<&[i128]>> = vec![Vec::new(); problem.tasks()];
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
                borne[*task].push(costs);
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
                beside[link.from].push((link.to, link));
                beside[link.to].push((link.from, link));
            }
        }
        let mut seen = vec![false; problem.tasks()];
        for root in 0..problem.tasks() {
            if seen[root] {
                continue;
            }
            let tree = Tree::grow(&beside, root, &mut seen)?;
            let rows = tree.tasks().map(|task| self.priced(problem, task, &borne[task]));
            let rows = rows.collect::<Option<Vec<_>>>()?;
            total = total.checked_add(least_of(&tree, rows)?)?;
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
        Some(total)
    }

    fn price(&self, problem: &QuadraticProblem, agent: usize, resource: usize) -> Option<i128> {
        self.prices
            .get(agent * problem.resources() + resource)
            .and_then(|price| i128::try_from(*price).ok())
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

/// The next whole number up: costs are whole, so that is a bound too.
pub(super) fn up(total: i128) -> Option<i64> {
    let up = total.checked_add((1 << SHIFT) - 1)?;
    i64::try_from(up >> SHIFT).ok()
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
