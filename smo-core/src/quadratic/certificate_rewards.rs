//! What agents can take, each by itself and within its room, as a certificate's cases count it: with a reward for every task, every agent takes what is
//! worth most to it, and all rewards less what the agents earn is a bound (Dantzig, Wolfe, [Decomposition Principle for Linear
//! Programs](https://doi.org/10.1287/opre.8.1.101), 1960). What an agent has to take or leave in any answer that is cheap enough follows from the same tables.
//!
//! One resource of an agent is counted, the others are paid for. Shares nothing with the search.

use super::certificate::{SHIFT, up};
use super::problem::{FORBIDDEN, QuadraticProblem};
use crate::units::gcd;

/// Room is counted in so many parts at most; what is needed is rounded down to parts, so that the bound stays one.
const MOST_PARTS: u64 = 1_024;

/// Larger tables are not looked at: nothing is shown.
const MOST_CELLS: usize = 1 << 20;

/// What follows from rewards.
pub(super) struct Earned {
    /// No answer costs less, in 2^-40 of the unit of costs.
    pub(super) bound: i128,
    /// By task and then agent: no answer with the task there costs less; `None` where it may not be.
    pub(super) with: Vec<Option<i128>>,
}

impl Earned {
    /// The same in the unit of costs, which are whole; `None` when one does not fit.
    pub(super) fn whole(&self) -> Option<(i64, Vec<Option<i64>>)> {
        let with = self.with.iter().map(|with| match with {
            Some(with) => up(*with).map(Some),
            None => Some(None),
        });
        Some((up(self.bound)?, with.collect::<Option<_>>()?))
    }
}

/// The bound of rewards, by task, beside prices of a unit of capacity, agent by agent; both in 2^-40 of the unit of costs. `None` when a sum does not fit, or they
/// are of another question.
pub(super) fn earned(problem: &QuadraticProblem, rewards: &[i128], prices: &[u128]) -> Option<Earned> {
    let (tasks, agents) = (problem.tasks(), problem.agents());
    if rewards.len() != tasks || prices.len() != agents * problem.resources() {
        return None;
    }
    let mut bound = 0_i128;
    for reward in rewards {
        bound = bound.checked_add(*reward)?;
    }
    // links cost their least, and groups nothing
    for link in problem.links() {
        let least = i128::from(problem.distances()[link.distance].least());
        let least = i128::from(link.weight)
            .checked_mul(least)?
            .checked_mul(1 << SHIFT)?;
        bound = bound.checked_add(least)?;
    }
    if !problem.groups_only_cost() {
        return None;
    }
    // by task, what it costs that no agent takes it, all agents together
    let mut by_none = vec![0_i128; tasks];
    let mut with = vec![None; tasks * agents];
    let mut memory = Vec::new();
    for agent in 0..agents {
        let menu = Menu::new(problem, rewards, prices, agent, memory)?;
        bound = bound.checked_add(menu.least()?)?;
        for (item, (taken, left)) in menu.items.iter().zip(menu.forced()?) {
            by_none[item.task] = by_none[item.task].checked_add(left)?;
            // in the end the others leave it, and this one does not
            with[item.task * agents + agent] = match taken {
                Some(taken) => Some(taken.checked_sub(left)?),
                None => None,
            };
        }
        memory = menu.into_memory();
    }
    for (task, by_none) in by_none.iter().enumerate() {
        for slot in &mut with[task * agents..(task + 1) * agents] {
            *slot = match *slot {
                Some(more) => Some(bound.checked_add(more)?.checked_add(*by_none)?),
                None => None,
            };
        }
    }
    Some(Earned { bound, with })
}

/// A task that an agent may take.
#[derive(Clone, Copy)]
struct Item {
    task: usize,
    /// What it costs beyond its reward, with what is not counted paid.
    worth: i128,
    /// What it needs of what is counted, in parts.
    parts: usize,
}

/// What an agent may take.
pub(super) struct Menu {
    items: Vec<Item>,
    /// Those that are worth something and fit, by number.
    wanted: Vec<usize>,
    /// Parts of its room.
    room: usize,
    /// What all its room costs that is paid for.
    rent: i128,
    /// By number of a wanted item, and after the last: the least that those before it come to, by room.
    before: Vec<i128>,
}

impl Menu {
    /// At these rewards by task, and prices of a unit by agent and resource; in `memory` that another one had.
    pub(super) fn new(
        problem: &QuadraticProblem,
        rewards: &[i128],
        prices: &[u128],
        agent: usize,
        memory: Vec<i128>,
    ) -> Option<Self> {
        let capacities = problem.capacities(agent);
        let price = |resource: usize| i128::try_from(prices[agent * problem.resources() + resource]).ok();
        let open = |task: &usize| problem.costs(*task)[agent] != FORBIDDEN;
        let tasks: Vec<usize> = (0..problem.tasks()).filter(open).collect();
        // counted is what would be overrun most if all came, those too that may not: the same in all cases
        let over = |resource: &usize| {
            let all = 0..problem.tasks();
            let needed = all.map(|task| u128::from(problem.need(task, agent, *resource)));
            let has = u128::from(capacities[*resource]);
            (needed.sum::<u128>() << 20) / has.max(1)
        };
        let limited = (0..capacities.len()).filter(|resource| capacities[*resource] != u64::MAX);
        let counted = limited.max_by_key(|resource| (over(resource), std::cmp::Reverse(*resource)));
        let has = counted.map_or(0, |resource| capacities[resource]);
        let grain = counted.map_or(1, |resource| {
            let needs = tasks.iter().map(|task| problem.need(*task, agent, resource));
            let common = needs.fold(0, gcd).max(1);
            common.max(has.div_ceil(MOST_PARTS)).max(1)
        });
        let mut rent = 0_i128;
        for (resource, has) in capacities.iter().enumerate() {
            if Some(resource) != counted && *has != u64::MAX {
                rent = rent.checked_add(price(resource)?.checked_mul(i128::from(*has))?)?;
            }
        }
        let mut items = Vec::with_capacity(tasks.len());
        for task in tasks {
            let mut worth = i128::from(problem.costs(task)[agent]).checked_mul(1 << SHIFT)?;
            worth = worth.checked_sub(rewards[task])?;
            for (resource, has) in capacities.iter().enumerate() {
                if Some(resource) != counted && *has != u64::MAX {
                    let need = i128::from(problem.need(task, agent, resource));
                    worth = worth.checked_add(price(resource)?.checked_mul(need)?)?;
                }
            }
            let need = counted.map_or(0, |resource| problem.need(task, agent, resource));
            items.push(Item {
                task,
                worth,
                parts: usize::try_from(need / grain).ok()?,
            });
        }
        let room = usize::try_from(has / grain).ok()?;
        let wanted = (0..items.len()).filter(|item| items[*item].worth < 0 && items[*item].parts <= room);
        let mut menu = Self {
            wanted: wanted.collect(),
            items,
            room,
            rent,
            before: Vec::new(),
        };
        if menu.cells() > MOST_CELLS {
            return None;
        }
        menu.before = menu.tables(menu.wanted.iter(), memory)?;
        Some(menu)
    }

    /// Sums of its tables.
    pub(super) fn cells(&self) -> usize {
        (self.wanted.len() + 1) * (self.room + 1)
    }

    /// For these, one after the other, and after the last: the least that those before come to, by room; row by row.
    fn tables<'i>(&self, wanted: impl Iterator<Item = &'i usize>, mut rows: Vec<i128>) -> Option<Vec<i128>> {
        let width = self.room + 1;
        rows.clear();
        rows.resize(width, 0);
        for item in wanted {
            let Item { worth, parts, .. } = self.items[*item];
            let start = rows.len();
            rows.extend_from_within(start - width..);
            let (before, here) = rows.split_at_mut(start);
            let before = &before[start - width..];
            for (slot, others) in here[parts..].iter_mut().zip(before) {
                *slot = (*slot).min(others.checked_add(worth)?);
            }
        }
        Some(rows)
    }

    /// The table of those before a wanted item.
    fn before(&self, number: usize) -> &[i128] {
        let width = self.room + 1;
        &self.before[number * width..(number + 1) * width]
    }

    /// The memory of its tables, for the next one.
    pub(super) fn into_memory(self) -> Vec<i128> {
        self.before
    }

    /// What it earns, as a cost, all its rent paid back.
    pub(super) fn least(&self) -> Option<i128> {
        self.before.last()?.checked_sub(self.rent)
    }

    /// The tasks that it takes for that.
    pub(super) fn taken(&self) -> impl Iterator<Item = usize> + '_ {
        let mut room = self.room;
        let numbered = self.wanted.iter().enumerate().rev();
        numbered.filter_map(move |(number, item)| {
            let Item { task, parts, .. } = self.items[*item];
            if self.before(number + 1)[room] == self.before(number)[room] {
                return None;
            }
            room -= parts;
            Some(task)
        })
    }

    /// By item: how much dearer it is to take it, where it fits, and to leave it.
    fn forced(&self) -> Option<Vec<(Option<i128>, i128)>> {
        let after = self.tables(self.wanted.iter().rev(), Vec::new())?;
        let (width, whole) = (self.room + 1, self.before(self.wanted.len()));
        let all = *whole.last()?;
        let with = |others: i128, item: &Item| others.checked_add(item.worth)?.checked_sub(all);
        let mut forced = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let taken = match self.room.checked_sub(item.parts) {
                Some(room) => Some(with(whole[room], item)?),
                None => None,
            };
            forced.push((taken, 0));
        }
        for (number, item) in self.wanted.iter().enumerate() {
            let behind = self.wanted.len() - 1 - number;
            let (before, after) = (self.before(number), &after[behind * width..(behind + 1) * width]);
            let others = |room: usize| {
                let mut sums = before[..=room].iter().zip(after[..=room].iter().rev());
                sums.try_fold(i128::MAX, |least, (one, other)| {
                    Some(least.min(one.checked_add(*other)?))
                })
            };
            let here = &self.items[*item];
            let taken = with(others(self.room - here.parts)?, here)?;
            forced[*item] = (Some(taken), others(self.room)?.checked_sub(all)?);
        }
        Some(forced)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quadratic::tests::every_answer;
    use crate::random::Random;

    /// Each task to one agent within room, all tried: the least cost, by task and agent the least with the task there.
    fn tried(problem: &QuadraticProblem) -> (Option<i64>, Vec<Option<i64>>) {
        let (tasks, agents) = (problem.tasks(), problem.agents());
        let mut least = (None::<i64>, vec![None::<i64>; tasks * agents]);
        for answer in every_answer(problem) {
            let Some(value) = problem.value(&answer) else {
                continue;
            };
            let lower = |known: Option<i64>| Some(known.map_or(value, |known| known.min(value)));
            least.0 = lower(least.0);
            for (task, agent) in answer.iter().enumerate() {
                let slot = &mut least.1[task * agents + agent];
                *slot = lower(*slot);
            }
        }
        least
    }

    #[test]
    fn any_rewards_prove_a_bound_and_no_more() {
        let mut random = Random::new(3);
        let (mut tight, mut closed) = (0, 0);
        for round in 0..400 {
            let (agents, tasks, resources) = (1 + random.below(3), 1 + random.below(5), random.below(3));
            let mut problem = QuadraticProblem::new(agents, tasks, resources);
            for task in 0..tasks {
                for agent in 0..agents {
                    if random.below(8) > 0 {
                        problem.set_cost(task, agent, random.below(20) as i64);
                    }
                }
                for resource in 0..resources {
                    problem.set_need(task, resource, random.below(6) as u64);
                }
            }
            for agent in 0..agents {
                for resource in 0..resources {
                    problem.set_capacity(agent, resource, random.below(14) as u64);
                }
            }
            let (best, with) = tried(&problem);
            for _ in 0..5 {
                let rewards: Vec<i128> = (0..tasks).map(|_| (random.below(30) as i128) << SHIFT).collect();
                let prices: Vec<u128> = (0..agents * resources)
                    .map(|_| (random.below(3) as u128) << (SHIFT - 1))
                    .collect();
                let earned = earned(&problem, &rewards, &prices).unwrap();
                let proves = |bound: i128, value: i64| bound <= i128::from(value) << SHIFT;
                if let Some(best) = best {
                    assert!(proves(earned.bound, best), "round {round}");
                    tight += u32::from(earned.bound + (3 << SHIFT) > i128::from(best) << SHIFT);
                }
                for (value, bound) in with.iter().zip(&earned.with) {
                    match (value, bound) {
                        (Some(value), Some(bound)) => assert!(proves(*bound, *value), "round {round}"),
                        (Some(_), None) => panic!("round {round}: {problem:?}"),
                        (None, _) => closed += u32::from(bound.is_none()),
                    }
                }
            }
        }
        assert!(tight > 50 && closed > 50, "{tight}, {closed}");
    }
}
