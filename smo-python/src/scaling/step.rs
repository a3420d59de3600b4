//! What one step of a controller decided.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::scaling::{self as core, LoadUsed, ScalingAction};

use super::{Lack, ServiceTarget};
use crate::convert::serialised;
use crate::html;
use crate::placement::Names;

/// One step of a controller: a verdict about every service. `str()` is one screen.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ScalingStep {
    core: core::ScalingStep,
    names: Names,
}

impl ScalingStep {
    pub(crate) fn new(core: core::ScalingStep) -> Self {
        let services = core.services.iter();
        let names = Names::new(services.map(|(key, verdict)| (key.clone(), verdict.target.replicas())));
        Self { core, names }
    }
}

#[pymethods]
impl ScalingStep {
    /// When (RFC 3339).
    #[getter]
    fn at(&self) -> String {
        self.core.at.to_string()
    }

    /// What to do next: `hold`, `scale`, or `replace` where services have to be placed again.
    #[getter]
    fn action(&self) -> &'static str {
        match self.core.action() {
            ScalingAction::Hold => "hold",
            ScalingAction::Scale => "scale",
            ScalingAction::Replace => "replace",
        }
    }

    /// What was decided about every service.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (name, key) in self.names.iter() {
            if let Some(verdict) = self.core.services.get(key) {
                services.set_item(name, ServiceVerdict(verdict.clone()))?;
            }
        }
        Ok(services)
    }

    /// The services whose replicas change, with what they should run.
    #[getter]
    fn changes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let changes = PyDict::new(py);
        for (key, target) in self.core.changes() {
            changes.set_item(self.names.of(key), ServiceTarget(target.clone()))?;
        }
        Ok(changes)
    }

    /// Why services have to be placed again; empty when they have not.
    #[getter]
    fn lacks(&self) -> Vec<Lack> {
        let replace = self.core.replace.iter();
        replace
            .flat_map(|replace| Lack::all(replace, &self.names))
            .collect()
    }

    /// The earliest moment (RFC 3339) at which time alone would change a verdict; `None` when only another sample would.
    #[getter]
    fn next(&self) -> Option<String> {
        self.core.next().map(|next| next.to_string())
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        format!("<smo.scaling.ScalingStep at {}: {}>", self.core.at, self.action())
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.__str__())
    }
}

/// What was decided about one service: the `target`, the load it was decided for, and what held the count back.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ServiceVerdict(core::ServiceVerdict);

#[pymethods]
impl ServiceVerdict {
    /// The replicas, and the bound that decided them.
    #[getter]
    fn target(&self) -> ServiceTarget {
        ServiceTarget(self.0.target.clone())
    }

    /// What the load was taken from: `measured`, `expected` (a forecast), `assumed`, or `none` where nothing was decided.
    #[getter]
    fn load_from(&self) -> &'static str {
        match self.0.load {
            LoadUsed::Measured { .. } => "measured",
            LoadUsed::Expected { .. } => "expected",
            LoadUsed::Assumed { .. } => "assumed",
            LoadUsed::None => "none",
        }
    }

    /// What kept the count from what was wanted, one sentence each, in the order it applied.
    #[getter]
    fn limits(&self) -> Vec<String> {
        self.0.limits.iter().map(ToString::to_string).collect()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let target = &self.0.target;
        format!(
            "<smo.scaling.ServiceVerdict: {} -> {}>",
            target.current(),
            target.replicas()
        )
    }
}
