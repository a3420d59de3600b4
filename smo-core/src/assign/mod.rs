//! Generalised assignment with proof: every task to one agent, several limited resources an agent, at least cost.
//!
//! The kernel under placement, free of its words: agents are clusters, tasks are services. It answers with the best
//! assignment found, a lower bound in whole numbers, and whether the two meet. Deterministic: limits are counts of work.

mod ascent;
mod columns;
mod core;
mod dive;
mod elites;
mod exchange;
mod forced;
mod heuristic;
mod interior;
mod knapsack;
mod labels;
mod mend;
mod menu;
mod open;
mod problem;
mod relaxed;
mod remainders;
mod rent;
mod residue;
mod scaled;
mod search;
mod settle;
mod simplex;
mod symmetry;
#[cfg(test)]
mod tests;
mod tree;
mod watch;

pub use problem::{AssignProblem, FORBIDDEN, Row};
pub use watch::Progress;

use scaled::Scaled;
use tree::Tree;
use watch::Watch;

/// How much work a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Table cells, labels and matrix entries touched: about a nanosecond each.
    pub effort: u64,
    /// Only answers that cost less than this are wanted.
    pub below: Option<i64>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            effort: 4_000_000_000,
            below: None,
        }
    }
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Solved {
    /// One agent a task, and the cost of it; `None` when there is no answer, or none was found in time.
    pub best: Option<(Vec<usize>, i64)>,
    /// No answer costs less than this, nor than [`Limits::below`] where that is less.
    pub bound: i64,
    /// True when the search came to its end: `best` is the best answer, or there is none (none below [`Limits::below`]).
    pub complete: bool,
    /// Nodes of the tree.
    pub nodes: u64,
    /// Effort taken.
    pub work: u64,
    /// True when the one who watched ended the search.
    pub stopped: bool,
}

/// Finds the cheapest answer; `start`, one agent a task, is where the search may begin.
///
/// See [`AssignProblem`] for an example.
#[must_use]
pub fn solve(problem: &AssignProblem, start: Option<&[usize]>, limits: &Limits) -> Solved {
    solve_watched(problem, start, limits, &mut |_| true)
}

/// The same, and `watch` is told from time to time where the search stands; it ends when that says `false`, with what was found
/// until then.
///
/// ```
/// use smo_core::assign::{AssignProblem, solve_watched};
///
/// let mut problem = AssignProblem::new(1, 2);
/// problem.set_cost(0, 0, 3);
/// problem.set_cost(0, 1, 4);
/// let mut values = Vec::new();
/// let solved = solve_watched(&problem, None, &Default::default(), &mut |progress| {
///     values.push(progress.value);
///     true
/// });
/// assert!(solved.complete && !solved.stopped);
/// assert_eq!(values.last(), Some(&Some(7)));
/// ```
#[must_use]
pub fn solve_watched(
    problem: &AssignProblem,
    start: Option<&[usize]>,
    limits: &Limits,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Solved {
    let Some(scaled) = Scaled::new(problem) else {
        return Solved {
            bound: i64::MIN,
            ..Solved::default()
        };
    };
    let start = start
        .filter(|start| problem.value(start).is_some())
        .map(<[usize]>::to_vec);
    let below = limits.below.map(|below| scaled.units_below(below));
    let mut tree = Tree::new(scaled, start, below, limits.effort, Watch::new(watch));
    tree.search();
    let best = tree
        .best
        .as_ref()
        .and_then(|answer| Some((answer.clone(), problem.value(answer)?)));
    Solved {
        bound: tree.value(tree.bound()).unwrap_or(i64::MIN),
        complete: tree.complete(),
        nodes: tree.nodes,
        work: tree.work(),
        stopped: tree.stopped(),
        best,
    }
}
