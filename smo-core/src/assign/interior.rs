//! The linear relaxation by a primal-dual interior point method: prices on the limits to the last digit.
//!
//! Mehrotra, [On the Implementation of a Primal-Dual Interior Point Method](https://doi.org/10.1137/0802028), 1992. Every task has a row
//! of its own, which is eliminated, so a step solves one system with as many rows as there are limits. Steps along the slope stop
//! a thousandth below the best prices where many agents cost the same; this does not. Floating point: its prices are only where to
//! look, and what they prove is computed from them elsewhere.

use super::open::Open;
use super::scaled::Scaled;

/// Steps at most; most questions take 15 to 25.
const STEPS: usize = 60;
/// It is done when primal and dual are as close as this share of what the tasks cost.
const CLOSE: f64 = 1e-9;
/// The share of the way to the edge that a step goes.
const WITHIN: f64 = 0.995;
/// What leaving a task out costs, in shares of the dearest pair: there is always a solution.
const LEFT_OUT: f64 = 100.0;

/// A pair of task and agent, or a task that is left out.
#[derive(Debug, Clone)]
struct Column {
    task: usize,
    cost: f64,
    /// Its agent's first limit, and where its needs begin and end.
    first: usize,
    needs: (usize, usize),
}

/// The relaxation: each task once, within the limits, at least cost; a task may be left out at a price.
#[derive(Debug)]
pub(super) struct Interior {
    tasks: usize,
    rows: usize,
    columns: Vec<Column>,
    /// As shares of capacities.
    needs: Vec<f64>,
    /// What one unit of cost is here.
    unit: f64,
    /// Numbers touched by a step.
    work: u64,
}

/// Where the method stands: what is taken, and its prices. Slacks of limits come after the columns.
#[derive(Debug, Clone)]
struct Point {
    taken: Vec<f64>,
    reduced: Vec<f64>,
    /// What a task is worth.
    rewards: Vec<f64>,
    /// What the whole of a limit costs.
    prices: Vec<f64>,
}

impl Interior {
    /// The relaxation over the open pairs.
    pub(super) fn new(scaled: &Scaled, open: &Open) -> Self {
        let mut first = Vec::with_capacity(scaled.agents);
        let mut rows = 0;
        for sack in &scaled.sacks {
            first.push(rows);
            rows += sack.limits.len();
        }
        let (mut columns, mut needs) = (Vec::new(), Vec::new());
        for task in 0..scaled.tasks {
            for agent in open.agents_of(task) {
                let start = needs.len();
                let limits = scaled.sacks[agent].limits.iter();
                needs.extend(limits.map(|limit| limit.needs[task] as f64 / limit.capacity.max(1) as f64));
                columns.push(Column {
                    task,
                    cost: scaled.cost(agent, task) as f64,
                    first: first[agent],
                    needs: (start, needs.len()),
                });
            }
            columns.push(Column {
                task,
                cost: f64::INFINITY,
                first: 0,
                needs: (0, 0),
            });
        }
        let pairs = columns
            .iter()
            .map(|column| column.cost)
            .filter(|cost| cost.is_finite());
        let most = pairs.fold(1.0, f64::max);
        columns
            .iter_mut()
            .for_each(|column| column.cost = (column.cost / most).min(LEFT_OUT));
        let work = (scaled.tasks * rows * rows + rows * rows * rows + 20 * needs.len()) as u64;
        Self {
            tasks: scaled.tasks,
            rows,
            columns,
            needs,
            unit: most,
            work,
        }
    }

    /// What the whole of each limit costs at best, in units of cost, agent by agent; the work is added to `work`.
    pub(super) fn prices(&self, work: &mut u64) -> Vec<f64> {
        let mut point = self.start();
        for _ in 0..STEPS {
            *work += self.work;
            if !self.step(&mut point) {
                break;
            }
        }
        point
            .prices
            .iter()
            .map(|price| price.max(0.0) * self.unit)
            .collect()
    }

    fn start(&self) -> Point {
        let mut of_task = vec![0.0_f64; self.tasks];
        for column in &self.columns {
            of_task[column.task] += 1.0;
        }
        let mut taken: Vec<f64> = self
            .columns
            .iter()
            .map(|column| 1.0 / of_task[column.task])
            .collect();
        taken.extend(vec![1.0; self.rows]);
        let mut reduced: Vec<f64> = self.columns.iter().map(|column| column.cost + 0.5).collect();
        reduced.extend(vec![0.5; self.rows]);
        Point {
            taken,
            reduced,
            rewards: vec![0.0; self.tasks],
            prices: vec![0.5; self.rows],
        }
    }

    /// A step; false when it has arrived, or gets no further.
    fn step(&self, point: &mut Point) -> bool {
        let count = point.taken.len();
        let gap: f64 = point.taken.iter().zip(&point.reduced).map(|(x, z)| x * z).sum();
        // What is missing to every row, and to every price.
        let (covered, used) = self.rows_of(&point.taken);
        let task_rest: Vec<f64> = covered.iter().map(|covered| 1.0 - covered).collect();
        let limit_rest: Vec<f64> = used.iter().map(|used| 1.0 - used).collect();
        let at = self.price(&point.rewards, &point.prices);
        let price_rest: Vec<f64> = (0..count)
            .map(|place| {
                self.columns.get(place).map_or(0.0, |column| column.cost) - at[place] - point.reduced[place]
            })
            .collect();
        let worst = |rest: &[f64]| rest.iter().fold(0.0_f64, |worst, rest| worst.max(rest.abs()));
        let off = worst(&task_rest).max(worst(&limit_rest)).max(worst(&price_rest));
        let size: f64 = point
            .rewards
            .iter()
            .map(|reward| reward.abs())
            .sum::<f64>()
            .max(1.0);
        if gap / size < CLOSE && off < 1e-7 {
            return false;
        }
        let weights: Vec<f64> = point
            .taken
            .iter()
            .zip(&point.reduced)
            .map(|(x, z)| x / z)
            .collect();
        let Some(system) = System::new(self, &weights) else {
            return false;
        };
        let aim = |wanted: &[f64]| -> (Vec<f64>, Vec<f64>, Vec<f64>, Vec<f64>) {
            let scaled: Vec<f64> = (0..count)
                .map(|place| weights[place] * price_rest[place] - wanted[place] / point.reduced[place])
                .collect();
            let (more_covered, more_used) = self.rows_of(&scaled);
            let right_tasks: Vec<f64> = task_rest
                .iter()
                .zip(&more_covered)
                .map(|(rest, more)| rest + more)
                .collect();
            let right_limits: Vec<f64> = limit_rest
                .iter()
                .zip(&more_used)
                .map(|(rest, more)| rest + more)
                .collect();
            let (rewards, prices) = system.solve(self, &right_tasks, &right_limits);
            let at = self.price(&rewards, &prices);
            let reduced: Vec<f64> = (0..count).map(|place| price_rest[place] - at[place]).collect();
            let taken = (0..count)
                .map(|place| wanted[place] / point.reduced[place] - weights[place] * reduced[place])
                .collect();
            (taken, reduced, rewards, prices)
        };
        let straight: Vec<f64> = point
            .taken
            .iter()
            .zip(&point.reduced)
            .map(|(x, z)| -x * z)
            .collect();
        let (taken, reduced, ..) = aim(&straight);
        let (along, down) = (reach(&point.taken, &taken), reach(&point.reduced, &reduced));
        let left: f64 = (0..count)
            .map(|place| {
                (point.taken[place] + along * taken[place]) * (point.reduced[place] + down * reduced[place])
            })
            .sum();
        let centre = (left / gap).powi(3) * gap / count as f64;
        let bent: Vec<f64> = (0..count)
            .map(|place| centre + straight[place] - taken[place] * reduced[place])
            .collect();
        let (taken, reduced, rewards, prices) = aim(&bent);
        let along = (WITHIN * reach(&point.taken, &taken)).min(1.0);
        let down = (WITHIN * reach(&point.reduced, &reduced)).min(1.0);
        let go = |values: &mut [f64], by: &[f64], length: f64| {
            values
                .iter_mut()
                .zip(by)
                .for_each(|(value, by)| *value += length * by);
        };
        go(&mut point.taken, &taken, along);
        go(&mut point.reduced, &reduced, down);
        go(&mut point.rewards, &rewards, down);
        go(&mut point.prices, &prices, down);
        along.max(down) > 1e-6
    }

    /// How often each task is done, and how much of each limit is used, slack included.
    fn rows_of(&self, taken: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut covered = vec![0.0; self.tasks];
        let mut used = taken[self.columns.len()..].to_vec();
        for (column, taken) in self.columns.iter().zip(taken) {
            covered[column.task] += taken;
            let needs = &self.needs[column.needs.0..column.needs.1];
            for (used, need) in used[column.first..].iter_mut().zip(needs) {
                *used += need * taken;
            }
        }
        (covered, used)
    }

    /// What each column, and each slack, earns: the reward less the price of what it needs.
    fn price(&self, rewards: &[f64], prices: &[f64]) -> Vec<f64> {
        let columns = self.columns.iter().map(|column| {
            let needs = &self.needs[column.needs.0..column.needs.1];
            let rent: f64 = needs
                .iter()
                .zip(&prices[column.first..])
                .map(|(need, price)| need * price)
                .sum();
            rewards[column.task] - rent
        });
        columns.chain(prices.iter().map(|price| -price)).collect()
    }
}

/// The normal equations, with the rows of tasks eliminated.
struct System {
    /// By task.
    diagonal: Vec<f64>,
    /// By task and limit: what the task takes of the limit, weighted.
    mixed: Vec<f64>,
    /// Cholesky's factor of what is left, row by row.
    factor: Vec<f64>,
}

impl System {
    /// `None` when the numbers are no longer numbers.
    fn new(of: &Interior, weights: &[f64]) -> Option<Self> {
        let rows = of.rows;
        let mut diagonal = vec![0.0; of.tasks];
        let mut mixed = vec![0.0; of.tasks * rows];
        let mut factor = vec![0.0; rows * rows];
        for (column, weight) in of.columns.iter().zip(weights) {
            diagonal[column.task] += weight;
            let needs = &of.needs[column.needs.0..column.needs.1];
            for (place, need) in needs.iter().enumerate() {
                mixed[column.task * rows + column.first + place] += weight * need;
                for (other, more) in needs.iter().enumerate().take(place + 1) {
                    factor[(column.first + place) * rows + column.first + other] += weight * need * more;
                }
            }
        }
        for (row, weight) in weights[of.columns.len()..].iter().enumerate() {
            factor[row * rows + row] += weight;
        }
        for (mixed, diagonal) in mixed.chunks_exact(rows.max(1)).zip(&diagonal) {
            for (row, one) in mixed.iter().enumerate().filter(|(_, one)| **one != 0.0) {
                let share = one / diagonal;
                for (slot, other) in factor[row * rows..=row * rows + row].iter_mut().zip(mixed) {
                    *slot -= share * other;
                }
            }
        }
        cholesky(&mut factor, rows)?;
        Some(Self {
            diagonal,
            mixed,
            factor,
        })
    }

    /// Rewards and prices for right hand sides. The rows of limits have prices with a minus.
    fn solve(&self, of: &Interior, tasks: &[f64], limits: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let rows = of.rows;
        let mixed = || self.mixed.chunks_exact(rows.max(1));
        let mut prices = limits.to_vec();
        for ((mixed, diagonal), right) in mixed().zip(&self.diagonal).zip(tasks) {
            let share = right / diagonal;
            for (slot, one) in prices.iter_mut().zip(mixed) {
                *slot -= share * one;
            }
        }
        for row in 0..rows {
            let (before, rest) = prices.split_at_mut(row);
            let line = &self.factor[row * rows..];
            let sum: f64 = line
                .iter()
                .zip(before.iter())
                .map(|(factor, value)| factor * value)
                .sum();
            rest[0] = (rest[0] - sum) / line[row];
        }
        for row in (0..rows).rev() {
            prices[row] /= self.factor[row * rows + row];
            let value = prices[row];
            for (before, slot) in prices[..row].iter_mut().enumerate() {
                *slot -= self.factor[row * rows + before] * value;
            }
        }
        let mut rewards: Vec<f64> = tasks.to_vec();
        if rows == 0 {
            rewards
                .iter_mut()
                .zip(&self.diagonal)
                .for_each(|(reward, diagonal)| *reward /= diagonal);
        }
        for ((reward, mixed), diagonal) in rewards.iter_mut().zip(mixed()).zip(&self.diagonal) {
            let sum: f64 = mixed.iter().zip(&prices).map(|(one, price)| one * price).sum();
            *reward = (*reward - sum) / diagonal;
        }
        prices.iter_mut().for_each(|price| *price = -*price);
        (rewards, prices)
    }
}

/// Cholesky's factor in place, of the lower half; a pivot that rounding ate is made so large that its row stays still.
fn cholesky(matrix: &mut [f64], rows: usize) -> Option<()> {
    for row in 0..rows {
        let (above, rest) = matrix.split_at_mut(row * rows);
        let line = &mut rest[..rows];
        let mut pivot = line[row];
        let whole = pivot.abs();
        for column in 0..row {
            let other = &above[column * rows..column * rows + rows];
            let sum: f64 = line[..column]
                .iter()
                .zip(other)
                .map(|(one, other)| one * other)
                .sum();
            line[column] = (line[column] - sum) / other[column];
            pivot -= line[column] * line[column];
        }
        if !pivot.is_finite() {
            return None;
        }
        line[row] = if pivot > 1e-14 * whole.max(1e-300) {
            pivot.sqrt()
        } else {
            1e64
        };
    }
    Some(())
}

/// How far `values` may go along `by` before one is 0, at most 1.
fn reach(values: &[f64], by: &[f64]) -> f64 {
    let edges = values.iter().zip(by).filter(|(_, by)| **by < 0.0);
    edges.map(|(value, by)| -value / by).fold(1.0, f64::min)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assign::AssignProblem;
    use crate::milp::{MicrolpSolver, Model, Relation, Solved, Solver, Variable};
    use crate::random::Random;

    /// Every agent limited in two things; in `lean` questions no task can be done in full.
    fn question(seed: u64, lean: bool) -> Scaled {
        let mut random = Random::new(seed);
        let (agents, tasks) = (random.between(1, 5) as usize, random.between(1, 12) as usize);
        let mut problem = AssignProblem::new(agents, tasks);
        for agent in 0..agents {
            for task in 0..tasks {
                problem.set_cost(agent, task, random.between(0, 40) as i64);
            }
            for _ in 0..2 {
                let needs: Vec<u64> = (0..tasks).map(|_| random.between(1, 30)).collect();
                let all: u64 = needs.iter().sum();
                let list = problem.add_needs(needs);
                let room = all * random.between(8, 16) / 10 / agents as u64;
                problem.limit(agent, list, if lean { room / 3 } else { room.max(30) });
            }
        }
        Scaled::new(&problem).unwrap()
    }

    /// The value of the relaxation, leaving out included, by a simplex method.
    fn by_simplex(scaled: &Scaled, left_out: f64) -> f64 {
        let mut model = Model::new();
        let mut rows = vec![Vec::new(); scaled.agents];
        for task in 0..scaled.tasks {
            let mut choices = Vec::new();
            for agent in scaled.open().agents_of(task).chain([usize::MAX]) {
                let cost = if agent == usize::MAX {
                    left_out
                } else {
                    scaled.cost(agent, task) as f64
                };
                let variable = model.add(Variable {
                    lower: 0.0,
                    upper: f64::INFINITY,
                    integer: false,
                    cost,
                });
                choices.push((variable, 1.0));
                if let Some(row) = rows.get_mut(agent) {
                    row.push((variable, task));
                }
            }
            model.constrain(choices, Relation::Equal, 1.0);
        }
        for (sack, row) in scaled.sacks.iter().zip(&rows) {
            for limit in &sack.limits {
                let terms = row
                    .iter()
                    .map(|(variable, task)| (*variable, limit.needs[*task] as f64));
                model.constrain(terms, Relation::AtMost, limit.capacity as f64);
            }
        }
        match MicrolpSolver::default().solve(&model).unwrap() {
            Solved::Solution(solution) => model.objective(&solution.values),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn prices_prove_what_a_simplex_method_finds() {
        for seed in 0..300 {
            let scaled = question(seed, seed % 5 == 0);
            let interior = Interior::new(&scaled, &scaled.open());
            let left_out = interior.unit * LEFT_OUT;
            let prices = interior.prices(&mut 0);
            let mut proved: f64 = -prices.iter().sum::<f64>();
            for task in 0..scaled.tasks {
                let cost = |agent: usize| {
                    let first: usize = scaled.sacks[..agent].iter().map(|sack| sack.limits.len()).sum();
                    let limits = scaled.sacks[agent].limits.iter().zip(&prices[first..]);
                    let rent = limits.map(|(limit, price)| {
                        price * limit.needs[task] as f64 / limit.capacity.max(1) as f64
                    });
                    scaled.cost(agent, task) as f64 + rent.sum::<f64>()
                };
                proved += scaled.open().agents_of(task).map(cost).fold(left_out, f64::min);
            }
            let best = by_simplex(&scaled, left_out);
            assert!(
                (proved - best).abs() < 1e-5 * best.abs().max(1.0),
                "{seed}: {proved} of {best}"
            );
        }
    }

    #[test]
    fn without_limits_there_are_no_prices() {
        let mut problem = AssignProblem::new(2, 2);
        (0..4).for_each(|pair| problem.set_cost(pair / 2, pair % 2, pair as i64));
        let scaled = Scaled::new(&problem).unwrap();
        assert!(Interior::new(&scaled, &scaled.open()).prices(&mut 0).is_empty());
    }
}
