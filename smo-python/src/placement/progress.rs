//! Searches that are watched from Python: progress, a limit of time, cancellation.

use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smo_core::placement as core;

use super::Cause;

/// Where a search stands.
///
/// `work` is the effort taken so far (about a nanosecond each), `value` what the best placement found is worth and `bound`
/// what none is worth less than, in points; `None` while that is not known.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> seen = []
/// >>> decision = smo.place(smo.PlacementProblem.pose(fleet, graph), smo.FleetPlacer(), watch=seen.append)
/// >>> seen[0].work > 0 and seen[0].value >= seen[-1].value
/// True
#[pyclass(module = "smo", frozen)]
pub(crate) struct Progress(pub(crate) core::Progress);

#[pymethods]
impl Progress {
    /// Effort taken so far, about a nanosecond each.
    #[getter]
    fn work(&self) -> u64 {
        self.0.work
    }

    /// What the best placement found so far is worth, in points.
    #[getter]
    fn value(&self) -> Option<f64> {
        self.0.value.map(core::Value::points)
    }

    /// No placement is worth less, in points.
    #[getter]
    fn bound(&self) -> Option<f64> {
        self.0.bound.map(core::Value::points)
    }

    fn __repr__(&self) -> String {
        let known = |value: Option<core::Value>| value.map_or("None".to_owned(), |value| value.to_string());
        format!(
            "<smo.Progress: work {}, value {}, bound {}>",
            self.0.work,
            known(self.0.value),
            known(self.0.bound)
        )
    }
}

/// Who watches a search for Python.
pub(crate) struct Watcher {
    callable: Option<Py<PyAny>>,
    deadline: Option<Instant>,
    cause: Cause,
}

impl Watcher {
    /// `seconds` from now, and what is called with every `Progress`.
    pub(crate) fn new(seconds: Option<f64>, callable: Option<Py<PyAny>>, cause: Cause) -> PyResult<Self> {
        let deadline = match seconds.map(Duration::try_from_secs_f64) {
            None => None,
            // so far away that it never comes
            Some(Ok(limit)) => Instant::now().checked_add(limit),
            Some(Err(_)) => {
                return Err(PyValueError::new_err(
                    "seconds: give a number of seconds, 0 or more",
                ));
            }
        };
        Ok(Self {
            callable,
            deadline,
            cause,
        })
    }

    /// Whether the search goes on: not past the deadline, nor once the callable says `False` or raises.
    pub(crate) fn goes_on(&self, progress: &core::Progress) -> bool {
        self.hears(|py| Ok(Py::new(py, Progress(*progress))?.into_any()))
    }

    /// The same with another thing to be told.
    pub(crate) fn hears(&self, news: impl FnOnce(Python<'_>) -> PyResult<Py<PyAny>>) -> bool {
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return false;
        }
        Python::attach(|py| {
            let answer = py.check_signals().and_then(|()| match &self.callable {
                None => Ok(true),
                Some(callable) => Ok(!callable
                    .bind(py)
                    .call1((news(py)?,))?
                    .is(pyo3::types::PyBool::new(py, false))),
            });
            answer.unwrap_or_else(|error| {
                self.cause.keep(error);
                false
            })
        })
    }
}
