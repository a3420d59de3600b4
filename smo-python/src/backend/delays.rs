//! How long the in-memory fleet takes for what it does.

use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smo_core::backend::memory as core;

use crate::convert::{Reduced, seconds};

/// How long an `InMemoryFleet` takes for what it does, in seconds. What is not given is as it was measured on a Karmada of
/// three small members.
///
/// Raises `ValueError` for what is negative or no number.
///
/// >>> import smo
/// >>> smo.Delays(not_ready=40).not_ready
/// 40.0
/// >>> smo.Delays().healthy, smo.Delays.none().healthy
/// (0.56, 0.0)
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Delays(pub(super) core::Delays);

#[pymethods]
impl Delays {
    #[new]
    #[pyo3(signature = (bind = 0.36, rebind = 0.43, running = 0.48, healthy = 0.56, moved_away = 0.16, removed = 0.28, not_ready = 6.4, ready_again = 5.0, stale_removed = 10.0))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        bind: f64,
        rebind: f64,
        running: f64,
        healthy: f64,
        moved_away: f64,
        removed: f64,
        not_ready: f64,
        ready_again: f64,
        stale_removed: f64,
    ) -> PyResult<Self> {
        Ok(Self(core::Delays {
            bind: seconds("bind", bind)?,
            rebind: seconds("rebind", rebind)?,
            running: seconds("running", running)?,
            healthy: seconds("healthy", healthy)?,
            moved_away: seconds("moved_away", moved_away)?,
            removed: seconds("removed", removed)?,
            not_ready: seconds("not_ready", not_ready)?,
            ready_again: seconds("ready_again", ready_again)?,
            stale_removed: seconds("stale_removed", stale_removed)?,
        }))
    }

    /// Everything happens at once.
    #[staticmethod]
    fn none() -> Self {
        Self(core::Delays::none())
    }

    /// From applying a new release to the decision where it runs.
    #[getter]
    fn bind(&self) -> f64 {
        self.0.bind.as_secs_f64()
    }

    /// From changing a release to the new decision.
    #[getter]
    fn rebind(&self) -> f64 {
        self.0.rebind.as_secs_f64()
    }

    /// From the decision to replicas that run.
    #[getter]
    fn running(&self) -> f64 {
        self.0.running.as_secs_f64()
    }

    /// From the decision to replicas that are reported healthy.
    #[getter]
    fn healthy(&self) -> f64 {
        self.0.healthy.as_secs_f64()
    }

    /// From the decision to the end of copies on clusters that are not in it any more.
    #[getter]
    fn moved_away(&self) -> f64 {
        self.0.moved_away.as_secs_f64()
    }

    /// From removing a release to the end of its copies.
    #[getter]
    fn removed(&self) -> f64 {
        self.0.removed.as_secs_f64()
    }

    /// From the death of a cluster to its being reported as not ready.
    #[getter]
    fn not_ready(&self) -> f64 {
        self.0.not_ready.as_secs_f64()
    }

    /// From the return of a cluster to its being reported as ready.
    #[getter]
    fn ready_again(&self) -> f64 {
        self.0.ready_again.as_secs_f64()
    }

    /// From a returned cluster being ready to the end of copies that should not be there.
    #[getter]
    fn stale_removed(&self) -> f64 {
        self.0.stale_removed.as_secs_f64()
    }

    fn __repr__(&self) -> String {
        let shown = self
            .parts()
            .map(|(name, delay)| format!("{name}={:?}", delay.as_secs_f64()));
        format!("Delays({})", shown.join(", "))
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, Bound<'py, PyTuple>>> {
        let delays = slf.get().parts().map(|(_, delay)| delay.as_secs_f64());
        Ok((slf.get_type().into_any(), PyTuple::new(slf.py(), delays)?))
    }
}

impl Delays {
    fn parts(&self) -> [(&'static str, Duration); 9] {
        let core::Delays {
            bind,
            rebind,
            running,
            healthy,
            moved_away,
            removed,
            not_ready,
            ready_again,
            stale_removed,
        } = self.0;
        [
            ("bind", bind),
            ("rebind", rebind),
            ("running", running),
            ("healthy", healthy),
            ("moved_away", moved_away),
            ("removed", removed),
            ("not_ready", not_ready),
            ("ready_again", ready_again),
            ("stale_removed", stale_removed),
        ]
    }
}
