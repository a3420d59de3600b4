//! The answer.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::scaling as core;
use smo_core::value::Value;

use super::Throughput;
use super::problem::counts;
use crate::convert::serialised;
use crate::html;
use crate::placement::Names;

/// The answer to a scaling question: replicas for every service, or why the load does not fit. `str()` is one screen.
///
/// `action` is `scale`, or `replace` where there is no room for the load: the services have to be placed again, and
/// `services` is what fits until then.
///
/// >>> from smo.scaling import ClusterRoom, ScalingProblem, ServiceLoad, Throughput, decide
/// >>> web = ServiceLoad(505, Throughput(110, -30), max=10, per_replica={"cpu": 1}, clusters={"edge-2": 2})
/// >>> decision = decide(ScalingProblem({"web": web}, {"edge-2": ClusterRoom({"cpu": 3})}))
/// >>> decision.action, decision.replicas
/// ('replace', {'web': 3})
/// >>> print(decision.lacks[0])
/// web lacks 2 of 5 replicas: 3 carry 300 of 505 req/s; edge-2 has 0 cores left, one more takes 1 core
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ScalingDecision {
    core: Arc<core::ScalingDecision>,
    names: Names,
}

impl ScalingDecision {
    pub(super) fn new(core: core::ScalingDecision, names: &Names) -> Self {
        Self {
            core: Arc::new(core),
            names: names.clone(),
        }
    }
}

#[pymethods]
impl ScalingDecision {
    /// `scale` or `replace`.
    #[getter]
    fn action(&self) -> &'static str {
        match &*self.core {
            core::ScalingDecision::Scale(_) => "scale",
            core::ScalingDecision::Replace(_) => "replace",
        }
    }

    /// The scaler that decided.
    #[getter]
    fn scaler(&self) -> &str {
        match &*self.core {
            core::ScalingDecision::Scale(targets) => &targets.scaler,
            core::ScalingDecision::Replace(replace) => &replace.scaler,
        }
    }

    /// What every service should run, and why.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (name, key) in self.names.iter() {
            if let Some(target) = self.core.services().get(key) {
                services.set_item(name, ServiceTarget(target.clone()))?;
            }
        }
        Ok(services)
    }

    /// How many replicas every service should run, on all clusters together.
    #[getter]
    pub(super) fn replicas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let count = |(name, key)| Some((name, self.core.replicas(key)?));
        counts(py, self.names.iter().filter_map(count))
    }

    /// What the answer is worth in points, less being better; `None` for a scaler that weighs nothing, and for `replace`.
    #[getter]
    fn value(&self) -> Option<f64> {
        match &*self.core {
            core::ScalingDecision::Scale(targets) => targets.value.map(Value::points),
            core::ScalingDecision::Replace(_) => None,
        }
    }

    /// No answer is worth less than this, in points; `None` where no bound is known.
    #[getter]
    fn bound(&self) -> Option<f64> {
        match &*self.core {
            core::ScalingDecision::Scale(targets) => targets.bound.map(Value::points),
            core::ScalingDecision::Replace(_) => None,
        }
    }

    /// True when it is proved: that no counts are better, or that no counts carry the load.
    #[getter]
    fn proved(&self) -> bool {
        match &*self.core {
            core::ScalingDecision::Scale(targets) => targets.is_optimal(),
            core::ScalingDecision::Replace(replace) => replace.proved,
        }
    }

    /// The services that lack replicas; empty for `scale`.
    #[getter]
    fn lacks(&self) -> Vec<Lack> {
        match &*self.core {
            core::ScalingDecision::Scale(_) => Vec::new(),
            core::ScalingDecision::Replace(replace) => Lack::all(replace, &self.names),
        }
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &*self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.scaling.ScalingDecision by {}: {}>",
            self.scaler(),
            self.action()
        )
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.__str__())
    }
}

/// What one service should run, and why.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ServiceTarget(pub(super) core::ServiceTarget);

#[pymethods]
impl ServiceTarget {
    /// How many replicas should run, on all clusters together.
    #[getter]
    fn replicas(&self) -> u32 {
        self.0.replicas()
    }

    /// How many run now, on all clusters together.
    #[getter]
    fn current(&self) -> u32 {
        self.0.current()
    }

    /// How many should run on each of its clusters.
    #[getter]
    fn clusters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counts(
            py,
            self.0
                .shares
                .iter()
                .map(|share| (share.cluster.as_str(), share.to)),
        )
    }

    /// How many run on each of its clusters now.
    #[getter]
    fn before<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counts(
            py,
            self.0
                .shares
                .iter()
                .map(|share| (share.cluster.as_str(), share.from)),
        )
    }

    /// True when replicas start, stop or move.
    #[getter]
    fn changes(&self) -> bool {
        self.0.changes()
    }

    /// What has to be carried, in requests per second.
    #[getter]
    fn load(&self) -> f64 {
        self.0.load.to_f64()
    }

    /// What the replicas carry.
    #[getter]
    fn carries(&self) -> f64 {
        self.0.carries().to_f64()
    }

    /// What replicas carry, as a model.
    #[getter]
    fn throughput(&self) -> Throughput {
        Throughput(self.0.throughput)
    }

    /// The fewest replicas that carry the load, bounds aside; `None` when no number does.
    #[getter]
    fn needed(&self) -> Option<u32> {
        self.0.needed
    }

    /// What decided the count: `load`, `minimum`, `maximum`, `kept`, `room`, `fits`, `threshold`, `betweenThresholds` or
    /// `asked`.
    #[getter]
    fn decided_by<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.decided_by)?.get_item("by")
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.scaling.ServiceTarget of {} replicas, {} now>",
            self.0.replicas(),
            self.0.current()
        )
    }
}

/// What one service lacks. `str()` is one line.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Lack {
    core: core::Lack,
    name: String,
}

impl Lack {
    /// Those of an answer.
    pub(super) fn all(replace: &core::Replace, names: &Names) -> Vec<Self> {
        let lack = |lack: &core::Lack| Self {
            core: lack.clone(),
            name: names.of(&lack.service),
        };
        replace.lacks.iter().map(lack).collect()
    }
}

#[pymethods]
impl Lack {
    /// The service.
    #[getter]
    fn service(&self) -> &str {
        &self.name
    }

    /// How many replicas it needs; `None` when no number is enough.
    #[getter]
    fn needed(&self) -> Option<u32> {
        self.core.needed
    }

    /// How many it can have.
    #[getter]
    fn possible(&self) -> u32 {
        self.core.possible
    }

    /// What has to be carried, in requests per second.
    #[getter]
    fn load(&self) -> f64 {
        self.core.load.to_f64()
    }

    /// What the possible ones carry.
    #[getter]
    fn carried(&self) -> f64 {
        self.core.carried.to_f64()
    }

    /// What is in the way, by cluster, as Python's own types: `reason` is `maximum`, `insufficient` or `notOffered`.
    #[getter]
    fn reasons<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.reasons)
    }

    fn __str__(&self) -> String {
        self.core.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<smo.scaling.Lack: {}>", self.core)
    }
}
