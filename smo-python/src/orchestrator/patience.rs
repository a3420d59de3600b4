//! How long an orchestrator waits for what.

use std::time::Duration;

use pyo3::prelude::*;
use smo_core::orchestrator as core;

use crate::convert::{Reduced, seconds};

/// How long an orchestrator waits, in seconds: for the services of a wave to become `healthy`; for a `degraded` service to
/// get over it; between two looks while something is under way (`poll`), and while nothing is (`idle`).
///
/// Raises `ValueError` for what is negative or no number.
///
/// >>> import smo
/// >>> smo.Patience(healthy=60)
/// Patience(healthy=60.0, degraded=30.0, poll=0.5, idle=30.0)
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Patience(pub(super) core::Patience);

#[pymethods]
impl Patience {
    #[new]
    #[pyo3(signature = (healthy = 300.0, degraded = 30.0, poll = 0.5, idle = 30.0))]
    fn new(healthy: f64, degraded: f64, poll: f64, idle: f64) -> PyResult<Self> {
        Ok(Self(core::Patience {
            healthy: seconds("healthy", healthy)?,
            degraded: seconds("degraded", degraded)?,
            poll: seconds("poll", poll)?,
            idle: seconds("idle", idle)?,
        }))
    }

    /// For the services of a wave to become healthy.
    #[getter]
    fn healthy(&self) -> f64 {
        self.0.healthy.as_secs_f64()
    }

    /// For a service that says it is degraded to get over it.
    #[getter]
    fn degraded(&self) -> f64 {
        self.0.degraded.as_secs_f64()
    }

    /// Between two looks while something is under way.
    #[getter]
    fn poll(&self) -> f64 {
        self.0.poll.as_secs_f64()
    }

    /// Between two looks while nothing is.
    #[getter]
    fn idle(&self) -> f64 {
        self.0.idle.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        let shown = |duration: Duration| format!("{:?}", duration.as_secs_f64());
        format!(
            "Patience(healthy={}, degraded={}, poll={}, idle={})",
            shown(self.0.healthy),
            shown(self.0.degraded),
            shown(self.0.poll),
            shown(self.0.idle)
        )
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Reduced<'py, (f64, f64, f64, f64)> {
        let this = slf.get();
        let arguments = (this.healthy(), this.degraded(), this.poll(), this.idle());
        (slf.get_type().into_any(), arguments)
    }
}
