//! Errors of the core as the exceptions of `smo._errors`.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use smo_core::backend::BackendError;
use smo_core::diagnostic::Violations;
use smo_core::intent::TranslateError;
use smo_core::orchestrator::OrchestratorError;
use smo_core::placement::{Diagnosis, PlacementError};
use smo_core::plan::PlanError;

use crate::diagnostic::Violation;
use crate::orchestrator::ApplyReport;

/// An exception of the package, made with these arguments.
pub(crate) fn exception<'py>(
    py: Python<'py>,
    name: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
) -> PyErr {
    let made = py
        .import("smo._errors")
        .and_then(|module| module.getattr(name))
        .and_then(|class| class.call1(arguments));
    match made {
        Ok(instance) => PyErr::from_value(instance),
        Err(error) => error,
    }
}

/// `InvalidDescriptor` and its like: the whole screen as message, and the violations one by one.
pub(crate) fn invalid(py: Python<'_>, name: &str, violations: &Violations) -> PyErr {
    let list: Vec<Violation> = violations.iter().map(Violation::from).collect();
    exception(py, name, (violations.to_string(), list))
}

pub(crate) fn infeasible(py: Python<'_>, diagnosis: Diagnosis) -> PyErr {
    let text = diagnosis.to_string();
    let diagnosis = crate::placement::Diagnosis::new(diagnosis);
    exception(py, "Infeasible", (text.trim_end().to_owned(), diagnosis))
}

pub(crate) fn translate(py: Python<'_>, error: &TranslateError) -> PyErr {
    exception(py, "TranslateError", (error.to_string(), vec![error.hint()]))
}

/// `cause` is what the code of a Python placer raised. What is no `Exception`, such as `KeyboardInterrupt`, goes on as
/// it is.
pub(crate) fn placement(py: Python<'_>, error: &PlacementError, cause: Option<PyErr>) -> PyErr {
    let (placer, faults) = match error {
        PlacementError::Failed { placer, message } => (placer, vec![message.clone()]),
        PlacementError::WrongAnswer { placer, faults } => (placer, faults.clone()),
        other => return exception(py, "PlacementFailed", (other.to_string(),)),
    };
    if let Some(cause) = cause
        .as_ref()
        .filter(|cause| !cause.is_instance_of::<PyException>(py))
    {
        return cause.clone_ref(py);
    }
    let raised = exception(py, "PlacerError", (error.to_string(), placer, faults));
    raised.set_cause(py, cause);
    raised
}

pub(crate) fn plan(py: Python<'_>, error: PlanError, cause: Option<PyErr>) -> PyErr {
    match error {
        PlanError::Infeasible { diagnosis, .. } => infeasible(py, *diagnosis),
        PlanError::Placement(error) => placement(py, &error, cause),
        PlanError::Translate(error) => translate(py, &error),
        other => exception(py, "PlanError", (other.to_string(),)),
    }
}

pub(crate) fn backend(py: Python<'_>, error: &BackendError) -> PyErr {
    let kind = format!("{:?}", error.kind());
    exception(py, "BackendError", (error.to_string(), kind))
}

pub(crate) fn orchestrator(py: Python<'_>, error: OrchestratorError, cause: Option<PyErr>) -> PyErr {
    let message = error.to_string();
    let kind = match error {
        OrchestratorError::Plan(error) => return plan(py, error, cause),
        OrchestratorError::Backend(error) => return backend(py, &error),
        OrchestratorError::Failed(report) => {
            return exception(py, "OrchestratorError", (message, "Failed", ApplyReport(*report)));
        }
        OrchestratorError::UnknownGraph(_) => "UnknownGraph",
        OrchestratorError::Exists(_) => "Exists",
        OrchestratorError::Stopped(_) => "Stopped",
        OrchestratorError::NotStopped(_) => "NotStopped",
        OrchestratorError::NotInstalled(_) => "NotInstalled",
        OrchestratorError::Busy { .. } => "Busy",
        OrchestratorError::Changed { .. } => "Changed",
        _ => "Unexpected",
    };
    exception(py, "OrchestratorError", (message, kind))
}
