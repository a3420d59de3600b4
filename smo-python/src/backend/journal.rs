//! What every in-memory backend can do besides its work: remember its calls, and fail as told.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smo_core::backend::memory::Scripted;
use smo_core::backend::{BackendError, ErrorKind};

use crate::graph::count;

/// Clones of an in-memory backend share its journal.
type Kept = Arc<dyn Scripted + Send + Sync>;

/// The calls that an in-memory backend received, and faults for those to come. Operations are named as the methods of
/// the port.
///
/// `kind` is that of the `BackendError` that is raised, such as `Unavailable`. Raises `ValueError` for another kind.
///
/// >>> import smo
/// >>> dashboards = smo.InMemoryDashboards()
/// >>> dashboards.journal.fail_next("list", "Unavailable", "scripted")
/// >>> try:
/// ...     dashboards.list()
/// ... except smo.Unavailable as error:
/// ...     print(error, error.retryable)
/// list: scripted True
/// >>> dashboards.list(), dashboards.journal.calls
/// ({}, [('list', ''), ('list', '')])
#[pyclass(module = "smo", frozen)]
pub(crate) struct Journal(Kept);

impl Journal {
    pub(super) fn of<T: Scripted + Clone + Send + Sync + 'static>(backend: &T) -> Self {
        Self(Arc::new(backend.clone()))
    }
}

fn fault(operation: &str, kind: &str, message: &str) -> PyResult<BackendError> {
    let kinds = [
        ErrorKind::NotFound,
        ErrorKind::Conflict,
        ErrorKind::Unauthenticated,
        ErrorKind::Unavailable,
        ErrorKind::Invalid,
        ErrorKind::Unsupported,
        ErrorKind::Unexpected,
    ];
    let found = kinds.into_iter().find(|known| format!("{known:?}") == kind);
    let wrong = || {
        let known = kinds.map(|kind| format!("{kind:?}")).join(", ");
        PyValueError::new_err(format!("{kind} is no kind of error; one of {known}"))
    };
    Ok(BackendError::new(found.ok_or_else(wrong)?, operation, message))
}

#[pymethods]
impl Journal {
    /// The calls so far, oldest first: pairs of the operation and what it was about.
    #[getter]
    fn calls(&self) -> Vec<(&'static str, String)> {
        let calls = self.0.calls();
        calls
            .into_iter()
            .map(|call| (call.operation, call.subject))
            .collect()
    }

    /// What the calls of one operation were about, oldest first.
    fn calls_of(&self, operation: &str) -> Vec<String> {
        self.0.calls_of(operation)
    }

    /// Forgets the calls so far.
    fn forget(&self) {
        self.0.forget_calls();
    }

    /// Fails the next `times` calls of `operation`, without effect.
    #[pyo3(signature = (operation, kind = "Unavailable", message = "scripted", *, times = 1))]
    fn fail_next(&self, operation: &str, kind: &str, message: &str, times: u32) -> PyResult<()> {
        self.0
            .fail_times(operation, times, fault(operation, kind, message)?);
        Ok(())
    }

    /// Fails every call of `operation` (about `subject`, where one is given) without effect, until `heal`.
    #[pyo3(signature = (operation, kind = "Unavailable", message = "scripted", *, subject = None))]
    fn fail_always(&self, operation: &str, kind: &str, message: &str, subject: Option<&str>) -> PyResult<()> {
        let error = fault(operation, kind, message)?;
        match subject {
            Some(subject) => self.0.fail_about(operation, subject, error),
            None => self.0.fail_always(operation, error),
        }
        Ok(())
    }

    /// Lets the next call of `operation` have its effect, and loses its answer.
    #[pyo3(signature = (operation, kind = "Unavailable", message = "scripted"))]
    fn lose_next_answer(&self, operation: &str, kind: &str, message: &str) -> PyResult<()> {
        self.0
            .lose_next_answer(operation, fault(operation, kind, message)?);
        Ok(())
    }

    /// Drops every scripted fault.
    fn heal(&self) {
        self.0.heal();
    }

    fn __repr__(&self) -> String {
        format!("<smo.Journal of {}>", count(self.0.calls().len(), "call"))
    }
}
