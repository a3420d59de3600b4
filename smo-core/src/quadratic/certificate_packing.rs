//! A bound by what agents can take: rewards of tasks, and the least that each agent comes to at them.
//!
//! Every answer gives each task to one agent, and a link that is cut is cut at two agents, so what it costs is a sum over agents: their
//! tasks, and half of every link that leaves them. With rewards it is at least the sum of rewards and of what each agent comes to at
//! least. That the latter is true is checked here set by set, in whole numbers, with nothing of the search.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::certificate::{SCALE, SHIFT};
use super::certificate_fit::{Fit, Load, MOST_RESOURCES, Set};
use super::packing::Amounts;
use super::problem::{FORBIDDEN, QuadraticProblem};

/// More sets of one tree are not looked at: the claim counts as not shown.
const MOST_SETS: usize = 1 << 16;

/// What tasks are rewarded with, what agents come to at least, and prices that show it in few steps. In 2^-40 of the unit of costs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Packing {
    /// By task.
    pub rewards: Vec<i128>,
    /// By agent: no set of tasks that it has room for costs less, their rewards taken off and half of every link that leaves the set added.
    pub least: Vec<i128>,
    /// Agent by agent, then by resource: the price of a unit of room. Any prices show what is true, good ones sooner.
    pub rents: Vec<u128>,
}

/// A task of a tree, after its parent: the place of that, and half of what the link costs.
struct Twig {
    task: usize,
    above: Option<(usize, i128)>,
}

impl Packing {
    /// From floats; what is claimed is a little less, so that rounding makes no claim false.
    pub(super) fn of(problem: &QuadraticProblem, rewards: &[f64], least: &[f64], rents: &[Amounts]) -> Self {
        let least = least.iter().zip(rents).enumerate().map(|(agent, (least, rent))| {
            let room = problem.capacities(agent).iter().zip(rent);
            let paid: f64 = room.map(|(has, price)| *has as f64 * price).sum();
            let margin = 1e-3 + 1e-9 * (least.abs() + paid);
            ((least - margin) * SCALE).floor() as i128
        });
        let resources = problem.resources();
        let whole = |rent: &Amounts| rent.map(|price| (price * SCALE) as u128);
        Self {
            rewards: rewards
                .iter()
                .map(|reward| (reward * SCALE).round() as i128)
                .collect(),
            least: least.collect(),
            rents: rents
                .iter()
                .flat_map(|rent| whole(rent).into_iter().take(resources))
                .collect(),
        }
    }

    /// What it proves, in 2^-40; `None` where a claim is false or not shown in the steps there are, the links not left out make a circle, or a
    /// sum does not fit.
    pub(super) fn bound(&self, problem: &QuadraticProblem, left_out: &BTreeSet<usize>) -> Option<i128> {
        let (agents, resources) = (problem.agents(), problem.resources());
        let complete = resources <= MOST_RESOURCES
            && problem.groups_only_cost()
            && self.rewards.len() == problem.tasks()
            && self.least.len() == agents
            && self.rents.len() == agents * resources;
        if !complete {
            return None;
        }
        let trees = trees(problem, left_out)?;
        let mut total = 0_i128;
        for agent in 0..agents {
            let least = self.least[agent];
            if !self.holds(problem, &trees, agent, least)? {
                return None;
            }
            total = total.checked_add(least)?;
        }
        self.rewards
            .iter()
            .try_fold(total, |total, reward| total.checked_add(*reward))
    }

    /// True when the agent has room for no set of tasks that comes to less than `least`.
    fn holds(
        &self,
        problem: &QuadraticProblem,
        trees: &[Vec<Twig>],
        agent: usize,
        least: i128,
    ) -> Option<bool> {
        let resources = problem.resources();
        let room = problem.capacities(agent);
        let rent = &self.rents[agent * resources..(agent + 1) * resources];
        let rent = rent
            .iter()
            .map(|price| i128::try_from(*price).ok())
            .collect::<Option<Vec<_>>>()?;
        let mut spare = least;
        // no end of it cannot be paid for, and nothing is short of it
        let endless = |(has, price): (&u64, &i128)| *has == u64::MAX && *price > 0;
        if room.iter().zip(&rent).any(endless) {
            return Some(false);
        }
        for (has, price) in room.iter().zip(&rent) {
            spare = spare.checked_add(price.checked_mul(i128::from(*has))?)?;
        }
        let mut priced = Vec::with_capacity(trees.len());
        for tree in trees {
            let costs = self.tree(problem, tree, agent, &rent)?;
            let (with, without) = costs[0];
            spare = spare.checked_sub(with.map_or(without, |with| with.min(without)))?;
            priced.push(costs);
        }
        // even the cheapest parts of all trees, with what they need paid, come to more
        if spare <= 0 {
            return Some(true);
        }
        let mut menus = Vec::with_capacity(trees.len());
        for (tree, costs) in trees.iter().zip(&priced) {
            menus.push(sets(problem, agent, tree, costs, spare)?);
        }
        let fits = Fit {
            menus: &menus,
            room,
            rent: &rent,
            spare,
        };
        Some(!fits.exists()?)
    }

    /// By place: the least of the subtree with its task, where that may be, and without, what it needs paid.
    fn tree(
        &self,
        problem: &QuadraticProblem,
        tree: &[Twig],
        agent: usize,
        rent: &[i128],
    ) -> Option<Vec<(Option<i128>, i128)>> {
        let mut costs: Vec<(Option<i128>, i128)> = Vec::with_capacity(tree.len());
        for twig in tree {
            let cost = problem.costs(twig.task)[agent];
            let fits = problem.capacities(agent).iter().enumerate();
            let mut fits = fits.map(|(resource, has)| problem.need(twig.task, agent, resource) <= *has);
            if cost == FORBIDDEN || !fits.all(|fits| fits) {
                costs.push((None, 0));
                continue;
            }
            let mut with = i128::from(cost)
                .checked_mul(1 << SHIFT)?
                .checked_sub(self.rewards[twig.task])?;
            for (resource, price) in rent.iter().enumerate() {
                let need = i128::from(problem.need(twig.task, agent, resource));
                with = with.checked_add(price.checked_mul(need)?)?;
            }
            costs.push((Some(with), 0));
        }
        for place in (0..tree.len()).rev() {
            let Some((parent, half)) = tree[place].above else {
                continue;
            };
            let (with, without) = costs[place];
            let cut = without.checked_add(half)?;
            if let Some(sum) = costs[parent].0 {
                let child = with.map_or(cut, |with| with.min(cut));
                costs[parent].0 = Some(sum.checked_add(child)?);
            }
            let child = match with {
                Some(with) => with.checked_add(half)?.min(without),
                None => without,
            };
            costs[parent].1 = costs[parent].1.checked_add(child)?;
        }
        Some(costs)
    }
}

/// The tasks as trees of the links that cost the same wherever they are cut, and are not left out; all other links count nothing here.
fn trees(problem: &QuadraticProblem, left_out: &BTreeSet<usize>) -> Option<Vec<Vec<Twig>>> {
    let mut beside = vec![Vec::new(); problem.tasks()];
    for (number, link) in problem.links().iter().enumerate() {
        let distance = &problem.distances()[link.distance];
        let cut = distance.cut_cost().filter(|_| distance.is_by_agent());
        if let Some(cut) = cut.filter(|_| !left_out.contains(&number)) {
            let half = i128::from(link.weight)
                .checked_mul(i128::from(cut))?
                .checked_mul(1 << (SHIFT - 1))?;
            beside[link.from].push((link.to, number, half));
            beside[link.to].push((link.from, number, half));
        }
    }
    let mut seen = vec![false; problem.tasks()];
    let mut trees = Vec::new();
    for root in 0..problem.tasks() {
        if std::mem::replace(&mut seen[root], true) {
            continue;
        }
        let mut tree = vec![Twig {
            task: root,
            above: None,
        }];
        let mut through = vec![usize::MAX];
        let mut place = 0;
        while place < tree.len() {
            for (other, number, half) in &beside[tree[place].task] {
                if *number == through[place] {
                    continue;
                }
                if std::mem::replace(&mut seen[*other], true) {
                    return None;
                }
                tree.push(Twig {
                    task: *other,
                    above: Some((place, *half)),
                });
                through.push(*number);
            }
            place += 1;
        }
        trees.push(tree);
    }
    Some(trees)
}

/// All sets of a tree's tasks that are dearer than the cheapest by less than `spare`.
fn sets(
    problem: &QuadraticProblem,
    agent: usize,
    tree: &[Twig],
    costs: &[(Option<i128>, i128)],
    spare: i128,
) -> Option<Vec<Set>> {
    let mut open: Vec<(i128, Vec<bool>)> = vec![(0, Vec::new())];
    for (twig, (with, without)) in tree.iter().zip(costs) {
        let mut next = Vec::with_capacity(open.len());
        for (above, taken) in open {
            // given the parent, what leaving this task and what taking it come to
            let (half_in, half_out) = match twig.above {
                None => (0, 0),
                Some((parent, half)) if taken[parent] => (0, half),
                Some((_, half)) => (half, 0),
            };
            let leave = without.checked_add(half_out)?;
            let take = match with {
                Some(with) => Some(with.checked_add(half_in)?),
                None => None,
            };
            let least = take.map_or(leave, |take| take.min(leave));
            for (is_in, cost) in [(false, Some(leave)), (true, take)] {
                let Some(cost) = cost else { continue };
                let sum = above.checked_add(cost.checked_sub(least)?)?;
                if sum < spare {
                    let mut taken = taken.clone();
                    taken.push(is_in);
                    next.push((sum, taken));
                }
            }
        }
        if next.len() > MOST_SETS {
            return None;
        }
        open = next;
    }
    let needs = |taken: &[bool]| {
        let mut load = Load::default();
        for (twig, _) in tree.iter().zip(taken).filter(|(_, taken)| **taken) {
            for (resource, load) in load.iter_mut().enumerate().take(problem.resources()) {
                if problem.capacities(agent)[resource] < u64::MAX {
                    *load += u128::from(problem.need(twig.task, agent, resource));
                }
            }
        }
        load
    };
    Some(open.iter().map(|(above, taken)| (*above, needs(taken))).collect())
}
