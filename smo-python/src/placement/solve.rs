//! One question answered without reasons.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::placement::{self as core, Proof, Solved};

use super::progress::Watcher;
use super::{Cause, Choice, Names, PlacementProblem, Placer, goals, written};
use crate::convert::{serialised, serialised_exactly};
use crate::error;

/// A placement that was checked against every rule, with what is known about its quality: a `Decision` without reasons.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> solution = smo.solve(smo.PlacementProblem.pose(fleet, graph))
/// >>> solution.status, solution.placement
/// ('optimal', {'web': {'edge-1': 1}})
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Solution {
    core: core::Solution,
    names: Names,
}

#[pymethods]
impl Solution {
    /// How many replicas of every service run on each cluster.
    #[getter]
    fn placement<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        written(py, &self.core.placement, &self.names)
    }

    /// `optimal`: no placement is better; `feasible`: a better one may exist.
    #[getter]
    fn status(&self) -> String {
        self.core.status().to_string()
    }

    /// What it is worth in points; less is better.
    #[getter]
    fn value(&self) -> f64 {
        self.core.value.points()
    }

    /// No placement is worth less than this, in points; `None` where no bound is known.
    #[getter]
    fn bound(&self) -> Option<f64> {
        self.core.bound.map(core::Value::points)
    }

    /// How far the value may be from the best one, as a share of the bound: see `Decision.gap`.
    #[getter]
    fn gap(&self) -> Option<f64> {
        self.core.gap()
    }

    /// Who vouches for the bound: the argument in integers, or the name of the solver; `None` without a bound.
    #[getter]
    fn proof(&self) -> Option<&str> {
        said(&self.core.proof)
    }

    /// What the bound can be evaluated from again without searching: see `Decision.certificate`.
    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let certificate = self.core.proof.certificate();
        certificate
            .map(|certificate| serialised_exactly(py, certificate))
            .transpose()
    }

    /// What it costs: `money` in EUR/h, `carbon` in gCO2e/h, `moves` and `placements` in services.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        goals::totals(py, &self.core.totals)
    }

    /// The effort, in counts that do not depend on the machine: `pairs`, `variables`, `constraints`.
    #[getter]
    fn work<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.work)
    }

    /// Everything, as Python's own types. Totals are in nano-euro per hour and microgram per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.Solution: {}, value {}>",
            self.core.status(),
            self.core.value
        )
    }
}

impl Solution {
    /// What is said of every placement: none is worth less.
    pub(super) fn claim(&self) -> core::Value {
        self.core.bound.unwrap_or(self.core.value)
    }
}

/// Who vouches for a bound.
pub(super) fn said(proof: &Proof) -> Option<&str> {
    match proof {
        Proof::None => None,
        Proof::Integer { argument, .. } => Some(argument),
        Proof::Solver { solver } => Some(solver),
    }
}

/// What `solve` gives back where no placement was found. It counts as false.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 500m, memory: 8Gi}}]}")
/// >>> nothing = smo.solve(smo.PlacementProblem.pose(fleet, graph))
/// >>> bool(nothing), nothing.proved
/// (False, True)
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct NoSolution {
    proved: bool,
    work: core::Work,
}

#[pymethods]
impl NoSolution {
    /// Whether the placer is sure that there is none, and first fit finds none either.
    #[getter]
    const fn proved(&self) -> bool {
        self.proved
    }

    /// The effort, in counts that do not depend on the machine: `pairs`, `variables`, `constraints`.
    #[getter]
    fn work<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.work)
    }

    const fn __bool__(&self) -> bool {
        false
    }

    fn __repr__(&self) -> String {
        let sure = if self.proved { ", proved" } else { "" };
        format!("<smo.NoSolution{sure}>")
    }
}

/// Answers a placement question as `place` does, with the same checks and the same placement, and without reasons: for
/// questions that are asked often. Where no placement is found, `NoSolution` comes back instead of `Infeasible`.
///
/// `seconds` and `watch` are as in `place`. Raises `PlacerError` when the placer is wrong or fails.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.solve(smo.PlacementProblem.pose(fleet, graph), smo.FirstFit())
/// <smo.Solution: feasible, value 0>
#[pyfunction]
#[pyo3(signature = (problem, placer = None, *, seconds = None, watch = None))]
pub(crate) fn solve<'py>(
    py: Python<'py>,
    problem: &PlacementProblem,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let cause = Cause::default();
    let stopped = Cause::default();
    let watcher = Watcher::new(seconds, watch, stopped.clone())?;
    let placer = Choice::new(placer)?.open(py, &cause);
    let question = Arc::clone(problem.core());
    let solved = py.detach(move || {
        core::solve_watched(placer.as_ref(), &question, &mut |progress| {
            watcher.goes_on(progress)
        })
    });
    if let Some(raised) = stopped.take() {
        return Err(raised);
    }
    match problem.checked(Ok(solved))? {
        Ok(Solved::Found(core)) => {
            let placed = core.placement.iter();
            let names = Names::new(placed.map(|(key, assignment)| (key.clone(), assignment.replicas())));
            let core = *core;
            Ok(Bound::new(py, Solution { core, names })?.into_any())
        }
        Ok(Solved::NotFound { proved, work }) => Ok(Bound::new(py, NoSolution { proved, work })?.into_any()),
        Err(failed) => Err(error::placement(py, &failed, cause.take())),
    }
}
