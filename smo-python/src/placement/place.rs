//! One question answered.

use std::sync::Arc;

use pyo3::prelude::*;
use smo_core::placement::{self as core, Outcome};

use super::progress::Watcher;
use super::{Cause, Choice, Decision, PlacementProblem, Placer};
use crate::error;

/// Answers a placement question with `placer`, or with `AutoPlacer()`, and checks the answer.
///
/// `watch` is called with a `Progress` from time to time; when it returns `False`, or after `seconds`, the search ends with
/// what it has. An exception that `watch` raises is raised here.
///
/// Raises `Infeasible` when no placement is found, `PlacerError` when the placer is wrong or fails.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.place(smo.PlacementProblem.pose(fleet, graph), smo.FirstFit()).status
/// 'feasible'
#[pyfunction]
#[pyo3(signature = (problem, placer = None, *, seconds = None, watch = None))]
pub(crate) fn place(
    py: Python<'_>,
    problem: &PlacementProblem,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<Decision> {
    let cause = Cause::default();
    let stopped = Cause::default();
    let watcher = Watcher::new(seconds, watch, stopped.clone())?;
    let placer = Choice::new(placer)?.open(py, &cause);
    let question = Arc::clone(problem.core());
    let decided = py.detach(move || {
        core::decide_watched(placer.as_ref(), &question, &mut |progress| {
            watcher.goes_on(progress)
        })
    });
    if let Some(raised) = stopped.take() {
        return Err(raised);
    }
    match problem.checked(Ok(decided))? {
        Ok(Outcome::Placed(decision)) => Ok(Decision::new(decision)),
        Ok(Outcome::Infeasible(diagnosis)) => Err(error::infeasible(py, diagnosis)),
        Err(failed) => Err(error::placement(py, &failed, cause.take())),
    }
}
