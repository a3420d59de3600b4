//! What a solver answers.

use std::fmt::Debug;

use serde::Serialize;
use thiserror::Error;

use super::Model;

/// Values for every variable.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Solution {
    /// One value a variable, in the order of [`Model::variables`]; whole where the variable is integer.
    pub values: Vec<f64>,
    /// The sum of costs, as recomputed from the values.
    pub objective: f64,
    /// The solver claims that no solution costs less than this.
    pub bound: Option<f64>,
    /// The solver claims that no solution costs less.
    pub optimal: bool,
    /// Branch-and-bound nodes it solved; 0 where it does not say.
    pub nodes: u64,
}

/// The answer to a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Solved {
    /// A solution, the best one unless [`Solution::optimal`] is false.
    Solution(Solution),
    /// The constraints cannot hold together.
    Infeasible,
    /// The objective can be made as small as one likes.
    Unbounded,
    /// The limit of work was reached before any solution was found.
    GaveUp,
}

/// Why a model got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SolveError {
    /// The model has numbers that no solver can work with.
    #[error("the model is invalid: {0}")]
    InvalidModel(String),
    /// The solver failed.
    #[error("the solver `{solver}` failed: {message}")]
    Failed {
        /// Its name.
        solver: String,
        /// What it said.
        message: String,
    },
}

/// Something that minimises models: synchronous, without I/O, the same answer to the same model.
///
/// # Contract
/// A solution has one value a variable and is meant to keep every constraint; callers check it with [`super::check`].
/// `optimal` and `bound` hold for a relative gap of 0, within the tolerance of the solver. A limit of effort is a count,
/// never a time.
pub trait Solver: Debug + Send + Sync {
    /// The name that proofs and errors show.
    fn name(&self) -> &str;

    /// Minimises `model`.
    ///
    /// # Errors
    /// When the model is invalid or the solver fails. No solution is [`Solved::Infeasible`].
    fn solve(&self, model: &Model) -> Result<Solved, SolveError>;
}

/// The solution with integer variables rounded and the objective recomputed.
pub(super) fn rounded(
    model: &Model,
    raw: Vec<f64>,
    bound: Option<f64>,
    optimal: bool,
    nodes: u64,
) -> Solution {
    let whole = |(value, integer): (f64, bool)| if integer { value.round() } else { value };
    let kinds = model.variables().iter().map(|variable| variable.integer);
    let values: Vec<f64> = raw.into_iter().zip(kinds).map(whole).collect();
    let objective = model.objective(&values);
    Solution {
        values,
        objective,
        bound,
        optimal,
        nodes,
    }
}
