//! [HiGHS](https://highs.dev), a solver in C++, through [good_lp](https://docs.rs/good_lp). Behind the feature `highs`.

use good_lp::{ResolutionError, Solution as _, SolverModel, WithMipGap, solvers::SolutionStatus};

use super::check::cutoff_row;
use super::microlp::{columns, row};
use super::solution::rounded;
use super::{Model, SolveError, Solved, Solver};

/// HiGHS on one thread with a fixed seed, at a gap of 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HighsSolver {
    node_limit: Option<i32>,
}

impl Default for HighsSolver {
    /// Stops after [`Self::DEFAULT_NODES`] nodes.
    fn default() -> Self {
        Self {
            node_limit: Some(Self::DEFAULT_NODES),
        }
    }
}

impl HighsSolver {
    /// Branch-and-bound nodes after which the default solver gives what it has.
    pub const DEFAULT_NODES: i32 = 100_000;

    /// The same that stops after `nodes` branch-and-bound nodes, or never.
    #[must_use]
    pub fn with_node_limit(self, nodes: Option<i32>) -> Self {
        Self { node_limit: nodes }
    }

    fn failed(message: impl ToString) -> SolveError {
        SolveError::Failed {
            solver: "highs".to_owned(),
            message: message.to_string(),
        }
    }
}

impl Solver for HighsSolver {
    fn name(&self) -> &str {
        "highs"
    }

    fn solve(&self, model: &Model) -> Result<Solved, SolveError> {
        model.validate()?;
        // HiGHS calls a model without variables empty, not solved.
        if model.variables().is_empty() {
            return super::MicrolpSolver::default().solve(model);
        }
        let ((variables, columns), objective) = columns(model);
        let mut problem = variables
            .minimise(objective)
            .using(good_lp::solvers::highs::highs)
            .set_threads(1)
            .set_option("random_seed", 0)
            .set_mip_abs_gap(0.0)
            .and_then(|problem| problem.with_mip_gap(0.0))
            .map_err(Self::failed)?;
        if let Some(nodes) = self.node_limit {
            problem = problem.set_option("mip_max_nodes", nodes);
        }
        let cutoff = cutoff_row(model);
        for constraint in model.constraints().iter().chain(&cutoff) {
            problem.add_constraint(row(constraint, &columns));
        }
        match problem.solve() {
            Ok(solution) => {
                let raw = columns.iter().map(|column| solution.value(*column)).collect();
                // At a requested gap of 0 a gap limit is an optimum with a rounding error in its bound.
                let optimal = matches!(
                    solution.status(),
                    SolutionStatus::Optimal | SolutionStatus::GapLimit
                );
                let mut answer = rounded(model, raw, None, optimal, 0);
                answer.bound = optimal.then_some(answer.objective);
                Ok(Solved::Solution(answer))
            }
            Err(ResolutionError::Infeasible) => Ok(Solved::Infeasible),
            Err(ResolutionError::Unbounded) => Ok(Solved::Unbounded),
            Err(ResolutionError::Other("NoSolutionFound")) => Ok(Solved::GaveUp),
            Err(error) => Err(Self::failed(error)),
        }
    }
}
