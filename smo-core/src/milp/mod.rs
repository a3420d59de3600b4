//! A small mixed-integer linear model, free of the domain, and the solvers that answer it.
//!
//! A [`Model`] has bounded variables with a cost each, some of them integer, and linear [`Constraint`]s; it is minimised.
//! A [`Solver`] answers it with a [`Solved`]. Solvers compute in floating point, so [`check`] re-evaluates an answer with
//! code that shares nothing with them, exactly where the numbers are integers.
//!
//! ```
//! use smo_core::milp::{MicrolpSolver, Model, Relation, Solved, Solver, check};
//! let mut model = Model::new();
//! let x = model.binary(-5.0);
//! let y = model.binary(-4.0);
//! model.constrain([(x, 3.0), (y, 2.0)], Relation::AtMost, 4.0);
//! let Solved::Solution(solution) = MicrolpSolver::default().solve(&model)? else { unreachable!() };
//! assert_eq!(solution.values, [1.0, 0.0]);
//! assert!(check(&model, &solution.values).is_empty());
//! # Ok::<(), smo_core::milp::SolveError>(())
//! ```

mod check;
#[cfg(feature = "highs")]
mod highs;
mod microlp;
mod model;
mod solution;

pub use self::check::{Fault, check};
#[cfg(feature = "highs")]
pub use self::highs::HighsSolver;
pub use self::microlp::MicrolpSolver;
pub use self::model::{Constraint, Model, Relation, Variable, VariableId};
pub use self::solution::{Solution, SolveError, Solved, Solver};
