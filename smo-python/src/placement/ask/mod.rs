//! Questions about decisions.

mod comparison;
mod edit;
mod front;
mod full;
mod losses;
mod moves;
mod order;
mod repair;

use std::sync::Arc;

use pyo3::prelude::*;
use smo_core::placement as core;

pub(crate) use comparison::{WhatIf, what_if};
pub(crate) use edit::Edit;
pub(crate) use front::{ParetoFront, pareto};
pub(crate) use full::{FullExplanation, explain_in_full};
pub(crate) use losses::{LossCertificate, single_losses};
pub(crate) use moves::{FewMoves, MoveCurve, move_curve, with_few_moves};
pub(crate) use order::{MoveOrder, order_of_moves};
pub(crate) use repair::{Repairs, repairs};

use super::{Cause, Choice, PlacementProblem, Placer};
use crate::error;

/// Asks the core with a placer, other threads running meanwhile; what the placer does wrong becomes its exception.
pub(crate) fn asked<T: Send>(
    py: Python<'_>,
    problem: &PlacementProblem,
    placer: Option<&Bound<'_, Placer>>,
    ask: impl FnOnce(&dyn core::Placer, &core::PlacementProblem) -> Result<T, core::PlacementError> + Send,
) -> PyResult<T> {
    let cause = Cause::default();
    let placer = Choice::new(placer)?.open(py, &cause);
    let question = Arc::clone(problem.core());
    let answer = py.detach(move || ask(placer.as_ref(), &question));
    problem
        .checked(Ok(answer))?
        .map_err(|failed| error::placement(py, &failed, cause.take()))
}
