//! Errors of the core as the exceptions of `smo._errors`.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use smo_artifact::ArtifactError;
use smo_core::backend::{BackendError, Retry};
use smo_core::diagnostic::Violations;
use smo_core::intent::TranslateError;
use smo_core::orchestrator::{self as core, OrchestratorError, StepResult};
use smo_core::placement::{Diagnosis, PlacementError};
use smo_core::plan::PlanError;
use smo_core::scaling::{
    ControllerError, ForecastError, ProfileError, ReplayError, SamplesError, ScalingError,
};
use smo_karmada::KarmadaError;

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

/// `InvalidSamples` with everything that is wrong.
pub(crate) fn invalid_samples(
    py: Python<'_>,
    faults: impl IntoIterator<Item = impl ToString>,
    hint: &str,
) -> PyErr {
    let faults: Vec<String> = faults.into_iter().map(|fault| fault.to_string()).collect();
    let hints: Vec<&str> = Some(hint).filter(|hint| !hint.is_empty()).into_iter().collect();
    exception(py, "InvalidSamples", (faults.join("; "), faults, hints))
}

/// A text that holds no samples.
pub(crate) fn samples(py: Python<'_>, error: &SamplesError) -> PyErr {
    invalid_samples(py, [error.to_string()], &error.hint)
}

/// `NotEnoughData` where more of the same would help.
fn not_enough(py: Python<'_>, error: &dyn std::fmt::Display) -> PyErr {
    exception(py, "NotEnoughData", (error.to_string(),))
}

pub(crate) fn forecast(py: Python<'_>, error: &ForecastError) -> PyErr {
    match error {
        ForecastError::Invalid(faults) => invalid_samples(py, &faults.0, ""),
        ForecastError::TooShort { .. } | ForecastError::NoSample | ForecastError::Accuracy(_) => {
            not_enough(py, error)
        }
        other => invalid_samples(py, [other.to_string()], ""),
    }
}

pub(crate) fn profile(py: Python<'_>, error: &ProfileError) -> PyErr {
    match error {
        ProfileError::Invalid(faults) => invalid_samples(py, &faults.0, ""),
        ProfileError::Refused(refusal) => not_enough(py, refusal),
        other => invalid_samples(py, [other.to_string()], ""),
    }
}

pub(crate) fn replay(py: Python<'_>, error: &ReplayError) -> PyErr {
    match error {
        ReplayError::Invalid(faults) => invalid_samples(py, &faults.0, ""),
        ReplayError::Forecast(error) => forecast(py, error),
        other => invalid_samples(py, [other.to_string()], ""),
    }
}

pub(crate) fn translate(py: Python<'_>, error: &TranslateError) -> PyErr {
    exception(py, "TranslateError", (error.to_string(), vec![error.hint()]))
}

/// `cause` is what the code of a Python placer raised.
pub(crate) fn placement(py: Python<'_>, error: &PlacementError, cause: Option<PyErr>) -> PyErr {
    let (placer, faults) = match error {
        PlacementError::Failed { placer, message } => (placer, vec![message.clone()]),
        PlacementError::WrongAnswer { placer, faults } => (placer, faults.clone()),
        other => return exception(py, "PlacementFailed", (other.to_string(),)),
    };
    named(py, "PlacerError", (error.to_string(), placer, faults), cause)
}

pub(crate) fn plan(py: Python<'_>, error: PlanError, cause: Option<PyErr>) -> PyErr {
    match error {
        PlanError::Infeasible { diagnosis, .. } => infeasible(py, *diagnosis),
        PlanError::Placement(error) => placement(py, &error, cause),
        PlanError::Translate(error) => translate(py, &error),
        other => exception(py, "PlanError", (other.to_string(),)),
    }
}

/// `InvalidScaling` with everything that is wrong.
pub(crate) fn invalid_scaling(
    py: Python<'_>,
    faults: impl IntoIterator<Item = impl std::fmt::Display>,
) -> PyErr {
    let faults: Vec<String> = faults.into_iter().map(|fault| fault.to_string()).collect();
    exception(py, "InvalidScaling", (faults.join("; "), faults))
}

/// `cause` is what the code of a Python scaler raised.
pub(crate) fn scaling(py: Python<'_>, error: &ScalingError, cause: Option<PyErr>) -> PyErr {
    let (scaler, faults) = match error {
        ScalingError::InvalidProblem(faults) => return invalid_scaling(py, &faults.0),
        ScalingError::Failed { scaler, message } => (scaler, vec![message.clone()]),
        ScalingError::WrongAnswer { scaler, faults } => (scaler, faults.clone()),
        other => return exception(py, "ScalingFailed", (other.to_string(),)),
    };
    named(py, "ScalerError", (error.to_string(), scaler, faults), cause)
}

/// The same for a step of a controller.
pub(crate) fn controller(py: Python<'_>, error: &ControllerError, cause: Option<PyErr>) -> PyErr {
    match error {
        ControllerError::InvalidPolicy(faults) => invalid_scaling(py, &faults.0),
        ControllerError::Scaling(error) => scaling(py, error, cause),
        other => invalid_scaling(py, [other]),
    }
}

/// An exception about a strategy, with what the code of one written in Python raised as its cause. What is no `Exception`,
/// such as `KeyboardInterrupt`, goes on as it is.
fn named<'py>(
    py: Python<'py>,
    class: &str,
    arguments: impl pyo3::call::PyCallArgs<'py>,
    cause: Option<PyErr>,
) -> PyErr {
    if let Some(cause) = cause
        .as_ref()
        .filter(|cause| !cause.is_instance_of::<PyException>(py))
    {
        return cause.clone_ref(py);
    }
    let raised = exception(py, class, arguments);
    raised.set_cause(py, cause);
    raised
}

/// `NotFound`, `Unavailable` and so on, as classes by kind.
pub(crate) fn backend(py: Python<'_>, error: &BackendError) -> PyErr {
    let kind = format!("{:?}", error.kind());
    let pause = match error.retry() {
        Retry::After(pause) => Some(pause.as_secs_f64()),
        Retry::Never | Retry::Later => None,
    };
    let arguments = (
        error.to_string(),
        kind.clone(),
        error.operation(),
        may_succeed_later(error),
        pause,
        hints(error),
    );
    let known = [
        "NotFound",
        "Conflict",
        "Unauthenticated",
        "Unavailable",
        "Invalid",
        "Unsupported",
        "Unexpected",
    ];
    let class = known.into_iter().find(|known| *known == kind);
    exception(py, class.unwrap_or("BackendError"), arguments)
}

fn may_succeed_later(error: &BackendError) -> bool {
    error.retry() != Retry::Never
}

/// What the adapters say to try.
fn hints(error: &BackendError) -> Vec<String> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        if let Some(karmada) = cause.downcast_ref::<KarmadaError>() {
            return vec![karmada.hint().to_string()];
        }
        if let Some(artifact) = cause.downcast_ref::<ArtifactError>() {
            return artifact.hint().map(str::to_owned).into_iter().collect();
        }
        next = cause.source();
    }
    Vec::new()
}

pub(crate) fn orchestrator(py: Python<'_>, error: OrchestratorError, cause: Option<PyErr>) -> PyErr {
    let message = error.to_string();
    let (kind, hint) = match error {
        OrchestratorError::Plan(error) => return plan(py, error, cause),
        OrchestratorError::Backend(error) => return backend(py, &error),
        OrchestratorError::Scaling(error) => return controller(py, &error, cause),
        OrchestratorError::Failed(report) => return failed(py, message, "Failed", *report),
        OrchestratorError::NotRemembered { report, .. } => {
            return failed(py, message, "NotRemembered", *report);
        }
        OrchestratorError::UnknownGraph(_) => ("UnknownGraph", "`graphs()` lists what is deployed"),
        OrchestratorError::Exists(_) => ("Exists", "`replan` changes a graph that runs, `remove` ends it"),
        OrchestratorError::Stopped(_) => ("Stopped", "`start` brings it back"),
        OrchestratorError::NotStopped(_) => ("NotStopped", "it runs: `replan` changes it, `stop` stops it"),
        OrchestratorError::NotInstalled(_) => ("NotInstalled", "`status` says which services run"),
        OrchestratorError::Busy { .. } => ("Busy", "try again when that operation has ended"),
        OrchestratorError::Changed { .. } => ("Changed", "look at `diff` again"),
        _ => ("Unexpected", "look at `status`"),
    };
    let report: Option<ApplyReport> = None;
    exception(
        py,
        "OrchestratorError",
        (message, kind, report, vec![hint], kind == "Busy"),
    )
}

/// An operation of which a step failed.
fn failed(py: Python<'_>, message: String, kind: &str, report: core::ApplyReport) -> PyErr {
    let refused = report.steps.iter().filter_map(|step| match &step.result {
        StepResult::Failed(error) => Some(error),
        _ => None,
    });
    let refused: Vec<&BackendError> = refused.collect();
    let retryable = !refused.is_empty() && refused.iter().all(|error| may_succeed_later(error));
    let mut all: Vec<String> = refused.iter().flat_map(|error| hints(error)).collect();
    all.dedup();
    exception(
        py,
        "OrchestratorError",
        (message, kind, ApplyReport(report), all, retryable),
    )
}
