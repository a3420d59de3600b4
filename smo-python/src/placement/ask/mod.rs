//! Questions about decisions.

mod comparison;
mod edit;
mod front;
mod full;
mod losses;
mod moves;
mod order;
mod progress;
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
pub(crate) use progress::AskProgress;
pub(crate) use repair::{Repairs, repairs};

use super::progress::Watcher;
use super::{Cause, Choice, PlacementProblem, Placer};
use crate::error;

/// Asks the core with a placer, other threads running meanwhile, for so many seconds and as long as who watches says so; what
/// the placer does wrong becomes its exception, and what the one who watches raises is raised.
pub(crate) fn asked<T: Send>(
    py: Python<'_>,
    problem: &PlacementProblem,
    placer: Option<&Bound<'_, Placer>>,
    (seconds, watch): (Option<f64>, Option<Py<PyAny>>),
    ask: impl FnOnce(
        &dyn core::Placer,
        &core::PlacementProblem,
        &mut core::ask::AskWatch<'_>,
    ) -> Result<T, core::PlacementError>
    + Send,
) -> PyResult<T> {
    let cause = Cause::default();
    let stopped = Cause::default();
    let watcher = Watcher::new(seconds, watch, stopped.clone())?;
    let placer = Choice::new(placer)?.open(py, &cause);
    let question = Arc::clone(problem.core());
    let answer = py.detach(move || {
        ask(placer.as_ref(), &question, &mut |at: &core::ask::AskProgress| {
            watcher.hears(|py| Ok(Py::new(py, AskProgress(at.clone()))?.into_any()))
        })
    });
    if let Some(raised) = stopped.take() {
        return Err(raised);
    }
    problem
        .checked(Ok(answer))?
        .map_err(|failed| error::placement(py, &failed, cause.take()))
}
