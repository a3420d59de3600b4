//! How much load replicas carry.

use pyo3::prelude::*;
use smo_core::scaling as core;

use super::rate;
use crate::convert::Reduced;
use crate::error::invalid_scaling;

/// How much load a number of replicas carries: `alpha * r + beta` requests per second for `r >= 1` replicas, nothing for
/// none. `beta` is often negative: what replicas lose to coordination.
///
/// Raises `InvalidScaling` for an `alpha` that is not above zero, and for what is no finite number.
///
/// >>> from smo.scaling import Throughput
/// >>> model = Throughput(110, -30)
/// >>> print(model)
/// 110 r - 30
/// >>> model.needed(505), model.capacity(5)
/// (5, 520.0)
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Throughput(pub(super) core::Throughput);

impl Throughput {
    pub(crate) const fn core(&self) -> core::Throughput {
        self.0
    }
}

impl From<core::Throughput> for Throughput {
    fn from(core: core::Throughput) -> Self {
        Self(core)
    }
}

#[pymethods]
impl Throughput {
    #[new]
    #[pyo3(signature = (alpha, beta = 0.0))]
    fn new(py: Python<'_>, alpha: f64, beta: f64) -> PyResult<Self> {
        let made = core::Throughput::new(alpha, beta);
        made.map(Self).map_err(|fault| invalid_scaling(py, [fault]))
    }

    /// What one more replica adds, in requests per second.
    #[getter]
    fn alpha(&self) -> f64 {
        self.0.alpha.to_f64()
    }

    /// What is there, or missing, whatever the number of replicas.
    #[getter]
    fn beta(&self) -> f64 {
        self.0.beta.to_f64()
    }

    /// What so many replicas carry, in requests per second; never below zero.
    fn capacity(&self, replicas: u32) -> f64 {
        self.0.capacity(replicas).to_f64()
    }

    /// The fewest replicas that carry a load; `None` when no number below 2^32 does.
    ///
    /// Raises `InvalidScaling` for what is no finite number.
    fn needed(&self, py: Python<'_>, load: f64) -> PyResult<Option<u32>> {
        Ok(self.0.needed(rate(py, "the load", load)?))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Throughput({:?}, {:?})", self.alpha(), self.beta())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Reduced<'py, (f64, f64)> {
        let this = slf.get();
        (slf.get_type().into_any(), (this.alpha(), this.beta()))
    }
}
