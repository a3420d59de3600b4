//! Violations and notes.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smo_core::diagnostic::{self as core, Severity};

use crate::convert::Reduced;

/// One thing that is wrong with an input, or worth knowing about it.
///
/// `code` is a stable name such as `E012`; `severity` is `error` or `note`; `path` is the place in the structure and
/// `line` and `column` (from 1) the place in the text, `None` where there is none; `hint` is what to try, or `None`.
/// `str()` is one line.
///
/// >>> import smo
/// >>> try:
/// ...     smo.Inventory.parse("fleet: {clusters: [{name: Edge_1}]}")
/// ... except smo.InvalidInventory as error:
/// ...     first = error.violations[0]
/// >>> first.severity, first.line
/// ('error', 1)
#[pyclass(module = "smo", frozen, eq, hash, get_all)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Violation {
    /// What kind of thing it is, such as `E012`.
    code: String,
    /// `error`: the input is refused for it; `note`: it is accepted.
    severity: String,
    /// The place in the structure; empty for the whole input.
    path: String,
    /// The line, from 1.
    line: Option<usize>,
    /// The column in characters, from 1.
    column: Option<usize>,
    /// What was found and what is allowed.
    message: String,
    /// What to try.
    hint: Option<String>,
}

impl From<&core::Violation> for Violation {
    fn from(violation: &core::Violation) -> Self {
        let severity = match violation.severity {
            Severity::Error => "error",
            Severity::Note => "note",
        };
        Self {
            code: violation.code.0.to_owned(),
            severity: severity.to_owned(),
            path: violation.path.clone(),
            line: violation.position.map(|position| position.line),
            column: violation.position.map(|position| position.column),
            message: violation.message.clone(),
            hint: violation.hint.clone(),
        }
    }
}

#[pymethods]
impl Violation {
    #[new]
    #[pyo3(signature = (code, severity, path, line, column, message, hint))]
    fn new(
        code: String,
        severity: String,
        path: String,
        line: Option<usize>,
        column: Option<usize>,
        message: String,
        hint: Option<String>,
    ) -> Self {
        Self {
            code,
            severity,
            path,
            line,
            column,
            message,
            hint,
        }
    }

    fn __str__(&self) -> String {
        let path = if self.path.is_empty() {
            String::new()
        } else {
            format!(" {}:", self.path)
        };
        let hint = self.hint.as_ref().map(|hint| format!("; {hint}"));
        format!("{}{path} {}{}", self.code, self.message, hint.unwrap_or_default())
    }

    fn __repr__(&self) -> String {
        let place = self.line.zip(self.column);
        let place = place.map(|(line, column)| format!(" at {line}:{column}"));
        format!("<smo.Violation {}{}>", self.code, place.unwrap_or_default())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, Bound<'py, PyTuple>>> {
        let this = slf.get().clone();
        let arguments = (
            this.code,
            this.severity,
            this.path,
            this.line,
            this.column,
            this.message,
            this.hint,
        );
        Ok((slf.get_type().into_any(), arguments.into_pyobject(slf.py())?))
    }
}
