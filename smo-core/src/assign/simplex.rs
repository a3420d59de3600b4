//! The restricted master problem: a small linear programme that grows by columns, solved by the revised primal simplex
//! method with an explicit inverse.
//!
//! `min c x` where every task is covered at least once and every agent uses at most one of its columns. Floating point: the
//! prices it gives are only where to look; bounds are computed from them in whole numbers elsewhere. See Dantzig, Wolfe,
//! [Decomposition Principle for Linear Programs](https://doi.org/10.1287/opre.8.1.101), 1960.

/// What it takes to price a column.
const PRICED: usize = 8;

/// Reduced costs above minus this share of the largest cost count as 0.
const TOLERANCE: f64 = 1e-9;
/// Steps before the inverse is computed anew.
const REFRESH: usize = 120;

/// A linear programme in the form above.
#[derive(Debug, Clone)]
pub(super) struct Master {
    tasks: usize,
    rows: usize,
    columns: Vec<Column>,
    /// The rows of the columns' ones, column after column; a surplus column has one row, and minus one there.
    ones: Vec<u32>,
    /// The columns that may enter.
    candidates: Vec<u32>,
    /// By row: the column in the basis.
    basis: Vec<usize>,
    /// Row by row.
    inverse: Vec<f64>,
    values: Vec<f64>,
    right: Vec<f64>,
    /// What a task costs that no pattern covers, at least 1.
    missing: f64,
    /// Numbers touched so far.
    pub(super) work: u64,
}

#[derive(Debug, Clone)]
struct Column {
    /// Where its rows begin and end.
    ones: (usize, usize),
    sign: f64,
    cost: f64,
    /// False while it may not be used: it does not enter, and leaves when it can.
    open: bool,
}

impl Master {
    /// No column yet: each task is covered by an artificial one that costs `missing`.
    pub(super) fn new(tasks: usize, agents: usize, missing: f64) -> Self {
        let rows = tasks + agents;
        let mut columns = Vec::with_capacity(rows + tasks);
        for at in 0..rows + tasks {
            columns.push(Column {
                ones: (at, at + 1),
                sign: if at < rows { 1.0 } else { -1.0 },
                cost: if at < tasks { missing } else { 0.0 },
                open: true,
            });
        }
        // A little off 1 and all different, so that steps are seldom of length 0.
        let right: Vec<f64> = (0..rows)
            .map(|row| 1.0 + 1e-3 * f64::from((row as u32).wrapping_mul(2_654_435_761) >> 16) / 65_536.0)
            .collect();
        let mut inverse = vec![0.0; rows * rows];
        for row in 0..rows {
            inverse[row * rows + row] = 1.0;
        }
        Self {
            tasks,
            rows,
            columns,
            ones: (0..rows).chain(0..tasks).map(|row| row as u32).collect(),
            candidates: (0..rows + tasks).map(|at| at as u32).collect(),
            basis: (0..rows).collect(),
            inverse,
            values: right.clone(),
            right,
            missing: missing.max(1.0),
            work: 0,
        }
    }

    /// Lets `agent` do `tasks` together.
    pub(super) fn add(&mut self, agent: usize, tasks: &[u32], cost: f64) {
        let start = self.ones.len();
        self.ones.extend(tasks);
        self.ones.push((self.tasks + agent) as u32);
        self.candidates.push(self.columns.len() as u32);
        self.columns.push(Column {
            ones: (start, self.ones.len()),
            sign: 1.0,
            cost,
            open: true,
        });
    }

    /// Opens the added columns that `may` says, by place, and closes the others.
    pub(super) fn open_where(&mut self, mut may: impl FnMut(usize) -> bool) {
        let first = self.first();
        self.candidates.truncate(first);
        for (place, column) in self.columns.iter_mut().skip(first).enumerate() {
            column.open = may(place);
            if column.open {
                self.candidates.push((first + place) as u32);
            }
        }
    }

    /// Opens an added column; false when it was open.
    pub(super) fn open(&mut self, place: usize) -> bool {
        let at = self.first() + place;
        let column = self.columns.get_mut(at);
        let new = column.is_some_and(|column| !std::mem::replace(&mut column.open, true));
        if new {
            self.candidates.push(at as u32);
        }
        new
    }

    fn ones(&self, column: &Column) -> &[u32] {
        &self.ones[column.ones.0..column.ones.1]
    }

    /// What a column costs; one that may not be used as much as what it covers would cost uncovered.
    fn cost(&self, column: usize) -> f64 {
        let column = &self.columns[column];
        if column.open {
            column.cost
        } else {
            self.missing * self.ones(column).len() as f64
        }
    }

    /// What a task costs that no pattern covers: no price is of use above it.
    pub(super) const fn missing(&self) -> f64 {
        self.missing
    }

    fn first(&self) -> usize {
        self.rows + self.tasks
    }

    /// Solves it from the last basis. Gives the prices by row, and whether they are final or
    /// `steps` did not suffice.
    pub(super) fn solve(&mut self, steps: usize) -> (Vec<f64>, bool) {
        let rows = self.rows;
        let tolerance = TOLERANCE * self.missing;
        let mut prices = self.prices();
        let mut step = vec![0.0; rows];
        for count in 0..steps {
            self.work += (rows * rows + PRICED * self.candidates.len()) as u64;
            let Some((entering, reduced)) = self.entering(&prices, tolerance) else {
                return (prices, true);
            };
            let column = &self.columns[entering];
            let ones = &self.ones[column.ones.0..column.ones.1];
            for (row, slot) in step.iter_mut().enumerate() {
                let inverse = &self.inverse[row * rows..(row + 1) * rows];
                let sum: f64 = ones.iter().map(|at| inverse[*at as usize]).sum();
                *slot = sum * column.sign;
            }
            let mut leaving: Option<(usize, f64)> = None;
            for (row, slope) in step.iter().enumerate() {
                if *slope > 1e-7 {
                    let ratio = self.values[row] / slope;
                    let first = leaving.is_none_or(|(other, best)| {
                        ratio < best - 1e-12 || (ratio <= best + 1e-12 && *slope > step[other])
                    });
                    if first {
                        leaving = Some((row, ratio));
                    }
                }
            }
            let Some((leaving, length)) = leaving else {
                return (prices, true);
            };
            let length = length.max(0.0);
            let pivot = step[leaving];
            let (before, rest) = self.inverse.split_at_mut(leaving * rows);
            let (pivot_row, after) = rest.split_at_mut(rows);
            for value in pivot_row.iter_mut() {
                *value /= pivot;
            }
            for (price, value) in prices.iter_mut().zip(pivot_row.iter()) {
                *price += reduced * value;
            }
            for (row, inverse) in before.chunks_exact_mut(rows).enumerate().chain(
                after
                    .chunks_exact_mut(rows)
                    .enumerate()
                    .map(|(row, slice)| (row + leaving + 1, slice)),
            ) {
                let factor = step[row];
                if factor != 0.0 {
                    for (value, pivot) in inverse.iter_mut().zip(pivot_row.iter()) {
                        *value -= factor * pivot;
                    }
                    self.values[row] = (self.values[row] - factor * length).max(0.0);
                }
            }
            self.values[leaving] = length;
            self.basis[leaving] = entering;
            if (count + 1) % REFRESH == 0 {
                self.refresh();
                prices = self.prices();
            }
        }
        (prices, false)
    }

    /// The added columns in use, by place, and how much of each.
    pub(super) fn used(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let first = self.first();
        let used = self.basis.iter().zip(&self.values);
        used.filter(move |(column, value)| **column >= first && **value > 1e-5)
            .map(move |(column, value)| (column - first, *value))
    }

    /// The cheapest column by reduced cost; `None` when all are worth nothing.
    fn entering(&self, prices: &[f64], tolerance: f64) -> Option<(usize, f64)> {
        let mut best: Option<(usize, f64)> = None;
        for place in &self.candidates {
            let place = *place as usize;
            let column = &self.columns[place];
            let priced: f64 = self.ones(column).iter().map(|row| prices[*row as usize]).sum();
            let reduced = column.cost - column.sign * priced;
            if reduced < best.map_or(-tolerance, |(_, least)| least) {
                best = Some((place, reduced));
            }
        }
        best
    }

    fn prices(&self) -> Vec<f64> {
        let mut prices = vec![0.0; self.rows];
        for (row, column) in self.basis.iter().enumerate() {
            let cost = self.cost(*column);
            if cost != 0.0 {
                let inverse = &self.inverse[row * self.rows..(row + 1) * self.rows];
                for (price, value) in prices.iter_mut().zip(inverse) {
                    *price += cost * value;
                }
            }
        }
        prices
    }

    /// The inverse of the basis by Gauss-Jordan elimination; keeps the old one when the basis is close to singular.
    fn refresh(&mut self) {
        let rows = self.rows;
        let width = 2 * rows;
        self.work += (rows * rows * width / 2) as u64;
        let mut table = vec![0.0; rows * width];
        for (at, column) in self.basis.iter().enumerate() {
            let column = &self.columns[*column];
            for row in self.ones(column) {
                table[*row as usize * width + at] = column.sign;
            }
        }
        for row in 0..rows {
            table[row * width + rows + row] = 1.0;
        }
        for at in 0..rows {
            let size = |row: &usize| table[row * width + at].abs();
            let Some(pivot) = (at..rows).max_by(|a, b| size(a).total_cmp(&size(b))) else {
                return;
            };
            if size(&pivot) < 1e-9 {
                return;
            }
            if pivot != at {
                for column in 0..width {
                    table.swap(at * width + column, pivot * width + column);
                }
            }
            let factor = table[at * width + at];
            table[at * width..(at + 1) * width]
                .iter_mut()
                .for_each(|value| *value /= factor);
            let pivot_row = table[at * width..(at + 1) * width].to_vec();
            for row in (0..rows).filter(|row| *row != at) {
                let factor = table[row * width + at];
                if factor != 0.0 {
                    let slice = &mut table[row * width..(row + 1) * width];
                    for (value, pivot) in slice.iter_mut().zip(&pivot_row) {
                        *value -= factor * pivot;
                    }
                }
            }
        }
        for (row, inverse) in self.inverse.chunks_exact_mut(rows).enumerate() {
            inverse.copy_from_slice(&table[row * width + rows..(row + 1) * width]);
            let value: f64 = inverse.iter().zip(&self.right).map(|(a, b)| a * b).sum();
            self.values[row] = value.max(0.0);
        }
    }
}
