//! A proof that stands by itself, from Python.

use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use smo_core::placement as core;

use super::progress::Watcher;
use super::{Cause, Decision, PlacementProblem, Solution};
use crate::convert::serialised_exactly;
use crate::error;

/// What came of looking for a proof: see `certify`. It counts as true where all that was claimed is shown.
///
/// >>> import smo
/// >>> clusters = [{"name": "edge-1", "capacity": {"cpu": 4}, "price": {"cpu": 0.03}}]
/// >>> services = [{"name": "default/shop/web", "replicas": 2, "perReplica": {"cpu": 1}}]
/// >>> problem = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters}})
/// >>> smo.certify(problem, smo.place(problem, smo.MilpPlacer()))
/// <smo.Certified: bound 0.06>
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Certified {
    core: core::Certified,
    claim: core::Value,
}

#[pymethods]
impl Certified {
    /// What the bound can be evaluated from again (`PlacementProblem.bound_by`), as a dict of plain values; `None` where nothing is proved.
    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let certificate = self.core.certificate.as_ref();
        certificate
            .map(|certificate| serialised_exactly(py, certificate))
            .transpose()
    }

    /// No placement is worth less than this, in points.
    #[getter]
    fn bound(&self) -> Option<f64> {
        self.core.bound.map(core::Value::points)
    }

    /// The effort taken, about a nanosecond each.
    #[getter]
    const fn work(&self) -> u64 {
        self.core.work
    }

    fn __bool__(&self) -> bool {
        self.core.bound >= Some(self.claim)
    }

    fn __repr__(&self) -> String {
        let bound = self
            .core
            .bound
            .map_or("None".to_owned(), |bound| bound.to_string());
        format!("<smo.Certified: bound {bound}>")
    }
}

/// Looks for a certificate of a decision or a solution: that no placement is worth less than its bound, or than its value where it has no bound.
/// Whoever says so is not believed: what is shown is shown by prices and cases in whole numbers, which `PlacementProblem.bound_by` goes through
/// again without searching. `AutoPlacer` adds such a certificate where that takes little; the others leave it to this.
///
/// `effort` is about a nanosecond each; `seconds` and `watch` are as in `place`. What was found until then counts.
///
/// >>> import smo
/// >>> prices = {"edge-1": 0.03, "edge-2": 0.04}
/// >>> clusters = [{"name": name, "capacity": {"cpu": 4}, "price": {"cpu": price}} for name, price in prices.items()]
/// >>> services = [{"name": f"default/shop/s{number}", "perReplica": {"cpu": 3}} for number in range(2)]
/// >>> problem = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters}})
/// >>> decision = smo.place(problem, smo.Exhaustive())
/// >>> certified = smo.certify(problem, decision)
/// >>> bool(certified), problem.bound_by(certified.certificate) == decision.value
/// (True, True)
#[pyfunction]
#[pyo3(signature = (problem, decision, *, effort = 1_000_000_000, seconds = None, watch = None))]
pub(crate) fn certify(
    py: Python<'_>,
    problem: &PlacementProblem,
    decision: &Bound<'_, PyAny>,
    effort: u64,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<Certified> {
    let claim = if let Ok(decision) = decision.cast::<Decision>() {
        decision.get().claim()
    } else if let Ok(solution) = decision.cast::<Solution>() {
        solution.get().claim()
    } else {
        let kind = decision.get_type();
        return Err(PyTypeError::new_err(format!(
            "certify: give a Decision or a Solution, not {kind}"
        )));
    };
    let stopped = Cause::default();
    let watcher = Watcher::new(seconds, watch, stopped.clone())?;
    let question = Arc::clone(problem.core());
    let certified = py.detach(move || {
        core::certify(&question, claim, effort, &mut |progress| {
            watcher.goes_on(progress)
        })
    });
    if let Some(raised) = stopped.take() {
        return Err(raised);
    }
    match problem.checked(Ok(certified))? {
        Ok(core) => Ok(Certified { core, claim }),
        Err(failed) => Err(error::placement(py, &failed, None)),
    }
}
