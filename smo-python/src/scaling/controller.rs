//! The controller, with its memory.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::scaling as core;

use super::{Scaler, ScalingGoals, ScalingObservation, ScalingPolicy, ScalingStep};
use crate::convert::{Moment, from_python, serialised};
use crate::error;
use crate::placement::Cause;

/// Decides from step to step how many replicas run: a state machine from an observation and the time to a decision. It owns
/// no clock and calls nobody: the host carries the changes out, and sees them in the next observation.
///
/// `policies` are those of single services, by name. `memory` is what another controller remembered (`memory()`), so that a
/// restart forgets nothing.
///
/// Raises `InvalidScaling` for a policy that contradicts itself, with every fault.
///
/// >>> from smo.scaling import ClusterRoom, ObservedService, ScalingController, ScalingObservation, Throughput
/// >>> controller = ScalingController()
/// >>> def step(rate, replicas, now):
/// ...     web = ObservedService(rate, Throughput(110, -30), at=now, max=10, per_replica={"cpu": 1}, clusters={"edge-2": replicas})
/// ...     return controller.step(ScalingObservation({"web": web}, {"edge-2": ClusterRoom({"cpu": 8})}), now)
/// >>> print(step(505, 2, "2026-01-01T10:00:00Z"))
/// 10:00:00 scale
/// web 2 -> 5 replicas on edge-2
///   load 505 req/s; 5 replicas carry 520 (110 r - 30), measured 0 s ago
///   the fewest that carry it: 4 would carry 410, 95 req/s short
/// >>> step(60, 5, "2026-01-01T10:01:00Z").services["web"].limits
/// ['1 wanted, but 5 within the last 5 min']
#[pyclass(module = "smo.scaling", frozen)]
pub(crate) struct ScalingController {
    core: Mutex<Machine>,
    cause: Cause,
}

struct Machine {
    controller: core::ScalingController,
    memory: core::ScalingMemory,
}

#[pymethods]
impl ScalingController {
    #[new]
    #[pyo3(signature = (policy = None, *, policies = None, scaler = None, goals = None, memory = None))]
    fn new(
        py: Python<'_>,
        policy: Option<&ScalingPolicy>,
        policies: Option<&Bound<'_, PyDict>>,
        scaler: Option<&Bound<'_, Scaler>>,
        goals: Option<&ScalingGoals>,
        memory: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let cause = Cause::default();
        let controller = super::autoscaler::controller(py, &cause, policy, policies, scaler, goals)?;
        let memory = memory
            .map(|memory| from_python(memory, "a memory of a controller"))
            .transpose()?;
        let machine = Machine {
            controller,
            memory: memory.unwrap_or_default(),
        };
        Ok(Self {
            core: Mutex::new(machine),
            cause,
        })
    }

    /// Takes one step: says what every service should run from `now` on. `now` is RFC 3339 text, a `datetime` with a time
    /// zone, or seconds since 1970. What the controller remembers only changes when the step succeeds.
    ///
    /// Raises `InvalidScaling` for an observation that makes no sense, with every fault, and for a step before the last
    /// one; `ScalerError` when the scaler is wrong or raises.
    fn step(&self, py: Python<'_>, observation: &ScalingObservation, now: Moment) -> PyResult<ScalingStep> {
        let step = py.detach(|| {
            let mut machine = self.core.lock().unwrap_or_else(PoisonError::into_inner);
            let Machine { controller, memory } = &mut *machine;
            controller.step(memory, &observation.0, now.0)
        });
        step.map(ScalingStep::new)
            .map_err(|failed| error::controller(py, &failed, self.cause.take()))
    }

    /// What it remembers, as Python's own types, to be stored.
    fn memory<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let memory = py.detach(|| {
            self.core
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .memory
                .clone()
        });
        serialised(py, &memory)
    }

    fn __repr__(&self) -> &'static str {
        "<smo.scaling.ScalingController>"
    }
}
