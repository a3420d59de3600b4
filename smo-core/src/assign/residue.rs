//! A bound by what is left when a value is divided: many costs are so much a unit of need plus a few equal amounts, as a price for
//! every core and one for every service that moves. Where an agent is full, what its tasks need is known, so the value is known
//! but for a multiple of that amount, and a bound rises to the next value there can be.
//!
//! With whole numbers `w` on the limits, `value = sum of (cost + w need) - sum of w (capacity - slack)`. Modulo any number that is a sum of one
//! choice a task and one slack an agent, each with a price above the relaxation of the limits, so the cheapest sum for every remainder
//! is a path over the remainders: Gomory, [Some polyhedra related to combinatorial
//! problems](https://doi.org/10.1016/0024-3795(69)90017-2), 1969.

use std::collections::BTreeMap;

use super::open::Open;
use super::rent::Rent;
use super::scaled::{LARGEST, Scaled};
use crate::units::gcd;

/// Larger numbers are not divided by.
const MOST_MODULUS: i64 = 512;
/// So many are tried.
const TRIED: usize = 4;
/// What no choice reaches.
const NEVER: i64 = i64::MAX / 4;

/// The relaxation of the limits in whole numbers, scaled.
struct Relaxed {
    /// No answer costs less.
    bound: i64,
    /// By task: the agents of answers cheaper than what is wanted, and what each costs above the cheapest.
    choices: Vec<Vec<(usize, i64)>>,
    /// By agent: its limit in what most are limited in.
    limits: Vec<Option<Common>>,
}

/// A limit that agents share, in units that they share.
struct Common {
    /// Its number among the agent's limits.
    at: usize,
    /// What a unit of the agent is in units of all.
    step: i64,
    capacity: i64,
    /// What a unit of the agent costs, scaled.
    price: i64,
}

/// No answer of the open pairs costs less than this, in units; `target` where none costs less than that.
pub(super) fn bound(scaled: &Scaled, open: &Open, rent: &Rent, target: i64, work: &mut u64) -> i64 {
    let Some(relaxed) = Relaxed::new(scaled, open, rent, target) else {
        return 0;
    };
    let plain = scaled.in_units(relaxed.bound as f64);
    if plain >= target || relaxed.choices.iter().any(Vec::is_empty) {
        return target;
    }
    *work += scaled.costs.len() as u64;
    let weights = relaxed.weights(scaled, work);
    let moduli = relaxed.moduli(scaled, &weights);
    let bounds = moduli
        .into_iter()
        .map(|modulus| relaxed.by(scaled, &weights, modulus, target, work));
    bounds.fold(plain, i64::max)
}

/// The pairs of answers that cost less than `target`.
pub(super) fn narrow(scaled: &Scaled, open: &Open, rent: &Rent, target: i64) -> Option<Open> {
    let relaxed = Relaxed::new(scaled, open, rent, target)?;
    let mut kept = vec![false; scaled.agents * scaled.tasks];
    for (task, choices) in relaxed.choices.iter().enumerate() {
        for (agent, _) in choices {
            kept[agent * scaled.tasks + task] = true;
        }
    }
    Some(Open::new(scaled.agents, scaled.tasks, |agent, task| {
        kept[agent * scaled.tasks + task]
    }))
}

impl Relaxed {
    /// `None` when no two agents are limited in the same thing, or the numbers do not fit.
    fn new(scaled: &Scaled, open: &Open, rent: &Rent, target: i64) -> Option<Self> {
        let prices = rent.whole_prices(scaled);
        let mut kinds: BTreeMap<usize, usize> = BTreeMap::new();
        for limit in scaled.sacks.iter().flat_map(|sack| &sack.limits) {
            *kinds.entry(limit.kind).or_default() += 1;
        }
        let (kind, _) = kinds
            .into_iter()
            .filter(|(_, count)| *count > 1)
            .max_by_key(|(kind, count)| (*count, usize::MAX - kind))?;
        let units = scaled
            .sacks
            .iter()
            .flat_map(|sack| &sack.limits)
            .filter(|limit| limit.kind == kind);
        let unit = units.fold(0, |unit, limit| gcd(unit, limit.unit)).max(1);
        let mut limits = Vec::with_capacity(scaled.agents);
        let mut bound = 0.0;
        for (sack, prices) in scaled.sacks.iter().zip(&prices) {
            bound -= sack
                .limits
                .iter()
                .zip(prices)
                .map(|(limit, price)| limit.capacity as f64 * price)
                .sum::<f64>();
            let at = sack.limits.iter().position(|limit| limit.kind == kind);
            limits.push(match at {
                None => None,
                Some(at) => Some(Common {
                    at,
                    step: i64::try_from(sack.limits[at].unit / unit).ok()?,
                    capacity: i64::try_from(sack.limits[at].capacity).ok()?,
                    price: prices[at] as i64,
                }),
            });
        }
        let cost = |agent: usize, task: usize| {
            let limits = scaled.sacks[agent].limits.iter().zip(&prices[agent]);
            let rent: f64 = limits
                .map(|(limit, price)| limit.needs[task] as f64 * price)
                .sum();
            scaled.cost(agent, task) as f64 * scaled.scale + rent
        };
        let mut choices = Vec::with_capacity(scaled.tasks);
        let mut size = -bound;
        for task in 0..scaled.tasks {
            let costs: Vec<(usize, f64)> = open
                .agents_of(task)
                .map(|agent| (agent, cost(agent, task)))
                .collect();
            let least = costs.iter().map(|(_, cost)| *cost).fold(f64::INFINITY, f64::min);
            if !(least < LARGEST) {
                return None;
            }
            bound += least;
            size += least;
            choices.push(
                costs
                    .into_iter()
                    .map(|(agent, cost)| (agent, (cost - least).min(LARGEST) as i64))
                    .collect::<Vec<_>>(),
            );
        }
        if !(size < LARGEST) {
            return None;
        }
        let mut relaxed = Self {
            bound: bound as i64,
            choices,
            limits,
        };
        let most = relaxed.spare(scaled, target);
        for choices in &mut relaxed.choices {
            choices.retain(|(_, above)| *above <= most);
        }
        Some(relaxed)
    }

    /// How far above the relaxation an answer may be that costs less than `target` units.
    fn spare(&self, scaled: &Scaled, target: i64) -> i64 {
        ((target - 1) as f64 * scaled.scale) as i64 - self.bound
    }

    /// What a task needs of the common limit at an agent, in units of all.
    fn need(&self, scaled: &Scaled, agent: usize, task: usize) -> Option<i64> {
        let common = self.limits[agent].as_ref()?;
        Some(scaled.sacks[agent].limits[common.at].needs[task] as i64 * common.step)
    }

    /// A number for every agent, such that cost and so much a unit of need together are the same for most tasks at most agents. Agents
    /// whose room costs nothing have 0: how full they are is not known.
    fn weights(&self, scaled: &Scaled, work: &mut u64) -> Vec<i64> {
        // by two agents, how many tasks agree on how much more the first has to have
        let mut votes: BTreeMap<(usize, usize), BTreeMap<i64, usize>> = BTreeMap::new();
        for (task, choices) in self.choices.iter().enumerate() {
            *work += 32 * (choices.len() * choices.len()) as u64;
            for (place, (one, _)) in choices.iter().enumerate() {
                let Some(need) = self.need(scaled, *one, task).filter(|need| *need > 0) else {
                    continue;
                };
                for (other, _) in choices
                    .iter()
                    .skip(place + 1)
                    .filter(|(other, _)| self.limits[*other].is_some())
                {
                    let more = scaled.cost(*other, task) - scaled.cost(*one, task);
                    if more % need == 0 {
                        *votes
                            .entry((*one, *other))
                            .or_default()
                            .entry(more / need)
                            .or_default() += 1;
                    }
                }
            }
        }
        let most = |(pair, votes): ((usize, usize), BTreeMap<i64, usize>)| {
            let (more, count) = votes
                .into_iter()
                .max_by_key(|(more, count)| (*count, -more.abs(), *more))?;
            Some((count, pair, more))
        };
        let mut edges: Vec<(usize, (usize, usize), i64)> = votes.into_iter().filter_map(most).collect();
        edges.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        let free = |limit: &Option<Common>| limit.as_ref().is_none_or(|limit| limit.price == 0);
        let mut weights: Vec<Option<i64>> =
            self.limits.iter().map(|limit| free(limit).then_some(0)).collect();
        loop {
            let next =
                edges
                    .iter()
                    .find_map(|(_, (one, other), more)| match (weights[*one], weights[*other]) {
                        (Some(weight), None) => Some((*other, weight - more)),
                        (None, Some(weight)) => Some((*one, weight + more)),
                        _ => None,
                    });
            // where nothing leads to who has a number, the next begins anew
            let next = next.or_else(|| Some((weights.iter().position(Option::is_none)?, 0)));
            let Some((agent, weight)) = next else { break };
            weights[agent] = Some(weight);
        }
        weights.into_iter().map(Option::unwrap_or_default).collect()
    }

    /// What a choice adds to the value, but for what the agents have to give.
    fn part(&self, scaled: &Scaled, weights: &[i64], agent: usize, task: usize) -> i64 {
        let need = self.need(scaled, agent, task).unwrap_or(0);
        scaled
            .cost(agent, task)
            .wrapping_add(weights[agent].wrapping_mul(need))
    }

    /// Numbers that most differences between the choices of a task are multiples of.
    fn moduli(&self, scaled: &Scaled, weights: &[i64]) -> Vec<i64> {
        let mut differences: BTreeMap<i64, usize> = BTreeMap::new();
        for (task, choices) in self.choices.iter().enumerate() {
            let cheapest = choices.iter().min_by_key(|(agent, above)| (*above, *agent));
            let Some((cheapest, _)) = cheapest else { continue };
            let base = self.part(scaled, weights, *cheapest, task);
            for (agent, _) in choices {
                let more = self
                    .part(scaled, weights, *agent, task)
                    .wrapping_sub(base)
                    .wrapping_abs();
                if more != 0 {
                    *differences.entry(more).or_default() += 1;
                }
            }
        }
        let all = differences.keys().fold(0, |all, more| gcd(all, *more));
        let mut often: Vec<(usize, i64)> = differences
            .into_iter()
            .map(|(more, count)| (count, more))
            .collect();
        often.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        // where all agree, any number does
        let all = if often.is_empty() { MOST_MODULUS / 8 } else { all };
        let mut moduli: Vec<i64> = often
            .into_iter()
            .map(|(_, more)| more)
            .take(TRIED - 1)
            .chain([all])
            .collect();
        moduli.sort_unstable();
        moduli.dedup();
        moduli.retain(|modulus| (2..=MOST_MODULUS).contains(modulus));
        moduli
    }

    /// The least value whose remainder the choices and slacks can have at its price.
    fn by(&self, scaled: &Scaled, weights: &[i64], modulus: i64, target: i64, work: &mut u64) -> i64 {
        let spare = self.spare(scaled, target);
        let mut least = Remainders::new(modulus, spare);
        for (task, choices) in self.choices.iter().enumerate() {
            let parts = choices
                .iter()
                .map(|(agent, above)| (self.part(scaled, weights, *agent, task), *above));
            least.choose(parts, work);
        }
        for (agent, common) in self.limits.iter().enumerate() {
            let Some(common) = common.as_ref().filter(|_| weights[agent] != 0) else {
                continue;
            };
            let slacks = (0..modulus).map(|slack| (slack, slack.saturating_mul(common.price)));
            let slacks = slacks.take_while(|(slack, price)| *slack <= common.capacity && *price <= spare);
            let given = |slack: i64| {
                (common.capacity - slack)
                    .wrapping_mul(common.step)
                    .wrapping_mul(weights[agent])
            };
            least.choose(
                slacks.map(|(slack, price)| (given(slack).wrapping_neg(), price)),
                work,
            );
        }
        least.value(scaled, self.bound, target)
    }
}

/// The least price of a sum, by its remainder.
struct Remainders {
    modulus: i64,
    most: i64,
    prices: Vec<i64>,
    next: Vec<i64>,
}

impl Remainders {
    fn new(modulus: i64, most: i64) -> Self {
        let mut prices = vec![NEVER; modulus as usize];
        prices[0] = 0;
        Self {
            modulus,
            most,
            next: prices.clone(),
            prices,
        }
    }

    /// Adds one of the parts, each with its price.
    fn choose(&mut self, parts: impl Iterator<Item = (i64, i64)>, work: &mut u64) {
        let mut cheapest: BTreeMap<i64, i64> = BTreeMap::new();
        for (part, price) in parts {
            let slot = cheapest.entry(part.rem_euclid(self.modulus)).or_insert(price);
            *slot = price.min(*slot);
        }
        self.next.fill(NEVER);
        *work += (cheapest.len() * self.prices.len()) as u64;
        for (part, price) in cheapest {
            let (before, after) = self.prices.split_at(self.prices.len() - part as usize);
            for (next, known) in self.next.iter_mut().zip(after.iter().chain(before)) {
                let sum = known + price;
                if sum <= self.most && sum < *next {
                    *next = sum;
                }
            }
        }
        std::mem::swap(&mut self.prices, &mut self.next);
    }

    /// The least value, in units, at or above `bound` and its remainder's price.
    fn value(&self, scaled: &Scaled, bound: i64, target: i64) -> i64 {
        let values = self
            .prices
            .iter()
            .zip(0_i64..)
            .filter(|(price, _)| **price < NEVER)
            .map(|(price, remainder)| {
                let least = scaled.in_units((bound + price) as f64);
                least + (remainder - least).rem_euclid(self.modulus)
            });
        values.fold(target, i64::min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::tests::brute_force;
    use crate::assign::{AssignProblem, Limits, solve};
    use crate::random::Random;

    /// Costs of so much a unit of need, different from agent to agent, and one more amount for who leaves home.
    fn homes(seed: u64) -> AssignProblem {
        let mut random = Random::new(seed);
        let (agents, tasks) = (random.between(2, 4) as usize, random.between(4, 7) as usize);
        let mut problem = AssignProblem::new(agents, tasks);
        let needs: Vec<u64> = (0..tasks).map(|_| random.between(1, 9)).collect();
        let all: u64 = needs.iter().sum();
        let list = problem.add_needs(needs.clone());
        let leaving = random.between(1, 40) as i64;
        for agent in 0..agents {
            problem.limit(agent, list, all * random.between(9, 14) / 10 / agents as u64 + 3);
            let each = random.between(0, 9) as i64;
            for (task, need) in needs.iter().enumerate() {
                let away = if random.below(agents) == 0 { 0 } else { leaving };
                problem.set_cost(agent, task, each * *need as i64 + away);
            }
        }
        problem
    }

    fn proved(problem: &AssignProblem, target: i64) -> (i64, i64) {
        let scaled = Scaled::new(problem).unwrap();
        let open = scaled.open();
        let rent = Rent::ascend(&scaled, &open, &mut 0);
        let target = scaled.units_below(target);
        let plain = Relaxed::new(&scaled, &open, &rent, target)
            .map_or(0, |relaxed| scaled.in_units(relaxed.bound as f64));
        let value = |units: i64| scaled.value(units).unwrap();
        (value(plain), value(bound(&scaled, &open, &rent, target, &mut 0)))
    }

    #[test]
    fn no_answer_is_below_the_bound_and_remainders_lift_it() {
        let (mut lifted, mut closed, mut asked) = (0, 0, 0);
        for seed in 0..600 {
            let problem = homes(seed);
            let Some(best) = brute_force(&problem) else {
                continue;
            };
            for more in [1, 7] {
                let (plain, bound) = proved(&problem, best + more);
                assert!(
                    plain <= bound && bound <= best,
                    "{seed}: {plain}, {bound} of {best}"
                );
                lifted += usize::from(bound > plain);
                closed += usize::from(bound == best && plain < best);
                asked += 1;
            }
        }
        assert!(
            asked > 600 && 5 * lifted > asked && 20 * closed > asked,
            "{closed} and {lifted} of {asked}"
        );
    }

    #[test]
    fn pairs_of_cheaper_answers_stay() {
        for seed in 0..500 {
            let problem = homes(seed);
            let Some((answer, best)) = solve(&problem, None, &Limits::default()).best else {
                continue;
            };
            let scaled = Scaled::new(&problem).unwrap();
            let open = scaled.open();
            let rent = Rent::ascend(&scaled, &open, &mut 0);
            let Some(narrow) = narrow(&scaled, &open, &rent, scaled.units_below(best + 1)) else {
                continue;
            };
            assert!(
                answer
                    .iter()
                    .enumerate()
                    .all(|(task, agent)| narrow.has(*agent, task)),
                "{seed}"
            );
        }
    }
}
