//! Values by what is left when they are divided: many costs are so much a unit of need plus a few equal amounts, as a price for
//! every core and one for every service that moves. Where an agent is full, what its tasks need is known, so the value is known
//! but for a multiple of that amount, and a bound rises to the next value there can be.
//!
//! With whole numbers `w` on the limits, `value = sum of (cost + w need) - sum of w (capacity - slack)`. Modulo any number that is a sum of one
//! choice a task and one slack an agent, each with a price above the relaxation of the limits: Gomory, [Some polyhedra related to
//! combinatorial problems](https://doi.org/10.1016/0024-3795(69)90017-2), 1969. It is as well a sum of what every agent takes together
//! ([`Residue::packed`]), which knows how full they are, where the other knows that each task is done once.

use std::collections::BTreeMap;

use super::columns::Proof;
use super::open::Open;
use super::relaxed::{Common, Relaxed};
use super::remainders::Remainders;
use super::scaled::{Sack, Scaled};
use crate::units::gcd;

/// Larger numbers are not divided by.
const MOST_MODULUS: i64 = 512;
/// So many are tried.
const TRIED: usize = 4;
/// So many of a task's agents say by how much they differ.
const VOTERS: usize = 24;
/// Tables of what agents take together have no more cells than this.
const MOST_CELLS: usize = 1 << 20;

/// What values are divided by, and what tasks add to them wherever they are done.
#[derive(Debug, Clone)]
pub(super) struct Residue {
    modulus: i64,
    /// By task: any number will do, and proves most where it is what the task adds at most agents, what it needs there included.
    base: Vec<i64>,
}

impl Residue {
    /// The number that lifts the bound of a relaxation most, and how high, in units: to `target` where no answer costs less than that.
    pub(super) fn find(
        scaled: &Scaled,
        relaxed: &Relaxed,
        target: i64,
        work: &mut u64,
    ) -> Option<(Self, i64)> {
        *work += scaled.costs.len() as u64;
        let weights = relaxed.weights(scaled, work);
        let bounds = relaxed.moduli(scaled, &weights).into_iter().map(|modulus| {
            let bound = relaxed.by(scaled, &weights, modulus, target, work);
            (modulus, bound)
        });
        let (modulus, bound) = bounds.max_by_key(|(modulus, bound)| (*bound, -modulus))?;
        let base = relaxed.choices.iter().enumerate().map(|(task, choices)| {
            let cheapest = cheapest(choices);
            cheapest.map_or(0, |agent| relaxed.part(scaled, &weights, agent, task))
        });
        let base = base.collect();
        Some((Self { modulus, base }, bound))
    }

    /// The same of a question of the tasks `kept`, with costs above `cheapest` in units of `unit`; `None` where that is not in whole numbers.
    pub(super) fn reduced(&self, kept: &[usize], cheapest: impl Fn(usize) -> i64, unit: i64) -> Option<Self> {
        let divided = |number: i64| (number % unit == 0).then_some(number / unit);
        let base = kept
            .iter()
            .map(|task| divided(self.base[*task] - cheapest(*task)));
        Some(Self {
            modulus: divided(self.modulus).filter(|modulus| *modulus > 1)?,
            base: base.collect::<Option<_>>()?,
        })
    }

    /// True when the next value there can be above `units` may be `target`.
    pub(super) const fn may_lift(&self, units: i64, target: i64) -> bool {
        target - units <= 2 * self.modulus
    }

    /// The least value, in units, above a proof by what agents take together; `target` where there is none below that, and nothing where
    /// tables would be too large.
    pub(super) fn packed(
        &self,
        scaled: &Scaled,
        open: &Open,
        proof: &Proof,
        target: i64,
        work: &mut u64,
    ) -> Option<i64> {
        let cells = |sack: &Sack| (sack.room + 1).saturating_mul(self.modulus as usize);
        if scaled
            .sacks
            .iter()
            .any(|sack| !sack.exact || cells(sack) > MOST_CELLS)
        {
            return None;
        }
        let spare = ((target - 1) as f64 * scaled.scale - proof.bound) as i64;
        let mut all = Remainders::new(self.modulus, spare);
        all.choose(
            [(self.base.iter().map(|base| base % self.modulus).sum::<i64>(), 0)].into_iter(),
            work,
        );
        for agent in 0..scaled.agents {
            let least = self.take(scaled, agent, open, &proof.rewards, work);
            let above = least.iter().map(|least| (least - proof.least[agent]).max(0.0));
            let parts = (0_i64..).zip(above).filter(|(_, above)| *above <= spare as f64);
            all.choose(parts.map(|(part, above)| (part, above as i64)), work);
        }
        Some(all.value(scaled, proof.bound as i64, target))
    }

    /// The least that an agent can take together, by the remainder of what that adds; infinite where nothing adds it.
    fn take(&self, scaled: &Scaled, agent: usize, open: &Open, rewards: &[f64], work: &mut u64) -> Vec<f64> {
        let (sack, modulus) = (&scaled.sacks[agent], self.modulus as usize);
        let mut table = vec![f64::INFINITY; (sack.room + 1) * modulus];
        let mut next = table.clone();
        table[0] = 0.0;
        let mut reached = 0;
        let may = |task: &usize| open.has(agent, *task) && sack.cells[*task] as usize <= sack.room;
        for task in (0..scaled.tasks).filter(may) {
            let size = sack.cells[task] as usize;
            let worth = scaled.worth(agent, task, rewards);
            let part = (scaled.cost(agent, task) - self.base[task] % self.modulus).rem_euclid(self.modulus);
            reached = (reached + size).min(sack.room);
            let filled = (reached + 1) * modulus;
            *work += 2 * filled as u64;
            next[..filled].copy_from_slice(&table[..filled]);
            let rows = next[size * modulus..filled].chunks_exact_mut(modulus);
            for (to, from) in rows.zip(table.chunks_exact(modulus)) {
                let (low, high) = to.split_at_mut(part as usize);
                let (before, after) = from.split_at(high.len());
                for (to, from) in high.iter_mut().zip(before).chain(low.iter_mut().zip(after)) {
                    *to = to.min(from + worth);
                }
            }
            std::mem::swap(&mut table, &mut next);
        }
        let mut least = vec![f64::INFINITY; modulus];
        for row in table.chunks_exact(modulus) {
            least
                .iter_mut()
                .zip(row)
                .for_each(|(least, value)| *least = least.min(*value));
        }
        least
    }
}

/// The agent that costs least above the relaxation.
fn cheapest(choices: &[(usize, i64)]) -> Option<usize> {
    let cheapest = choices.iter().min_by_key(|(agent, above)| (*above, *agent));
    cheapest.map(|(agent, _)| *agent)
}

impl Relaxed {
    /// A number for every agent, such that cost and so much a unit of need together are the same for most tasks at most agents. Agents
    /// whose room costs nothing have 0: how full they are is not known.
    fn weights(&self, scaled: &Scaled, work: &mut u64) -> Vec<i64> {
        // by two agents, how many tasks agree on how much more the first has to have
        let mut votes: BTreeMap<(usize, usize), BTreeMap<i64, usize>> = BTreeMap::new();
        for (task, choices) in self.choices.iter().enumerate() {
            let mut choices = choices.clone();
            choices.sort_by_key(|(agent, above)| (*above, *agent));
            choices.truncate(VOTERS);
            choices.sort_unstable();
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
        let sound = |(weight, limit): (Option<i64>, &Option<Common>)| {
            let most = limit.as_ref().map_or(0, |limit| limit.most);
            let weight = weight.unwrap_or_default();
            // any number will do, so 0 where products would not fit
            let fits = weight.checked_abs().and_then(|weight| weight.checked_mul(most));
            if fits.is_some_and(|most| most < i64::MAX / 4) {
                weight
            } else {
                0
            }
        };
        weights.into_iter().zip(&self.limits).map(sound).collect()
    }

    /// What a choice adds to the value, but for what the agents have to give.
    fn part(&self, scaled: &Scaled, weights: &[i64], agent: usize, task: usize) -> i64 {
        let need = self.need(scaled, agent, task).unwrap_or(0);
        scaled.cost(agent, task) + weights[agent] * need
    }

    /// Numbers that most differences between the choices of a task are multiples of.
    fn moduli(&self, scaled: &Scaled, weights: &[i64]) -> Vec<i64> {
        let mut differences: BTreeMap<i64, usize> = BTreeMap::new();
        for (task, choices) in self.choices.iter().enumerate() {
            let Some(cheapest) = cheapest(choices) else {
                continue;
            };
            let base = self.part(scaled, weights, cheapest, task);
            for (agent, _) in choices {
                let more = (self.part(scaled, weights, *agent, task) - base).abs();
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
            let given = |slack: i64| (common.capacity - slack) * common.step * weights[agent];
            least.choose(slacks.map(|(slack, price)| (-given(slack), price)), work);
        }
        least.value(scaled, self.bound, target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::columns::prove;
    use crate::assign::knapsack::{Care, Tables};
    use crate::assign::menu::Menu;
    use crate::assign::rent::Rent;
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

    /// What prices prove, what remainders add to that, and what they add to what agents take together.
    fn proved(problem: &AssignProblem, target: i64) -> Option<[i64; 3]> {
        let scaled = Scaled::new(problem)?;
        let open = scaled.open();
        let rent = Rent::ascend(&scaled, &open, &mut 0);
        let target = scaled.units_below(target);
        let relaxed = Relaxed::new(&scaled, &open, &rent, target)?;
        let (residue, bound) = Residue::find(&scaled, &relaxed, target, &mut 0)?;
        let mut tables = Tables::new(&scaled);
        let proof = prove(
            &scaled,
            &mut tables,
            &Menu::new(&scaled, &open),
            rent.rewards(&scaled, target.max(1)),
            Care::Quick,
        )
        .0;
        let packed = residue.packed(&scaled, &open, &proof, target, &mut 0)?;
        let units = [scaled.in_units(relaxed.bound as f64).min(target), bound, packed];
        Some(units.map(|units| scaled.value(units).unwrap()))
    }

    #[test]
    fn no_answer_is_below_the_bound_and_remainders_lift_it() {
        let (mut lifted, mut closed, mut packed, mut asked) = (0, 0, 0, 0);
        for seed in 0..600 {
            let problem = homes(seed);
            let Some(best) = brute_force(&problem) else {
                continue;
            };
            for more in [1, 7] {
                let Some([plain, bound, together]) = proved(&problem, best + more) else {
                    continue;
                };
                assert!(plain <= bound, "{seed}: {plain}, {bound}");
                assert!(
                    bound <= best && together <= best,
                    "{seed}: {bound}, {together} of {best}"
                );
                lifted += usize::from(bound > plain);
                closed += usize::from(bound == best && plain < best);
                packed += usize::from(together == best && bound < best);
                asked += 1;
            }
        }
        let all = format!(
            "of {asked} {lifted} are lifted, {closed} to the best, {packed} more by what agents take"
        );
        assert!(
            asked > 600 && 5 * lifted > asked && 20 * closed > asked && 50 * packed > asked,
            "{all}"
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
            let target = scaled.units_below(best + 1);
            let Some(relaxed) = Relaxed::new(&scaled, &open, &rent, target) else {
                continue;
            };
            let narrow = relaxed.open(&scaled);
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
