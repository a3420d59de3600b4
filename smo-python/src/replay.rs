//! Replaying a load that is over with policies of scaling.

use std::sync::Mutex;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use smo_core::scaling::{self as core, ReplayError};

use crate::convert::{seconds, serialised};
use crate::error;
use crate::forecast::LoadSeries;

/// A service under a load that is over.
///
/// Replicas carry `alpha * replicas + beta` requests per second; more violates the service level. `min` to `max` may run. Policies decide every
/// `tick` seconds from the mean over `sample_window` seconds, and a replica serves `start_delay` seconds after it was asked for. The `first` steps of
/// the load are not judged.
///
/// >>> from smo.forecast import LoadSeries
/// >>> from smo.replay import Workload, replay
/// >>> workload = Workload(LoadSeries([5.0, 15.0], step=3600), alpha=10, max=9)
/// >>> outcome = replay(workload, lambda view: 1)
/// >>> outcome.violation_share, outcome.replica_hours, outcome.under_hours
/// (0.5, 2.0, 1.0)
#[pyclass(module = "smo.replay", frozen)]
pub(crate) struct Workload(core::Workload);

#[pymethods]
impl Workload {
    #[new]
    #[pyo3(signature = (load, alpha, beta = 0.0, *, min = 1, max = 200, tick = 15.0, sample_window = 60.0, start_delay = 30.0, first = 0))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        load: &LoadSeries,
        alpha: f64,
        beta: f64,
        min: u32,
        max: u32,
        tick: f64,
        sample_window: f64,
        start_delay: f64,
        first: usize,
    ) -> PyResult<Self> {
        let throughput = core::Throughput::new(alpha, beta);
        let throughput = throughput.map_err(|fault| error::invalid_samples(py, [fault.to_string()], ""))?;
        let workload = core::Workload {
            load: load.0.clone(),
            throughput,
            min,
            max,
            tick: seconds("tick", tick)?,
            sample_window: seconds("sample_window", sample_window)?,
            start_delay: seconds("start_delay", start_delay)?,
            first,
        };
        let faults = workload.faults();
        if faults.is_empty() {
            Ok(Self(workload))
        } else {
            Err(error::invalid_samples(
                py,
                faults.iter().map(ToString::to_string),
                "",
            ))
        }
    }

    /// The fewest replicas within the bounds that carry so many requests per second.
    fn needed(&self, load: f64) -> u32 {
        self.0.needed(load)
    }

    fn __repr__(&self) -> String {
        format!("<smo.replay.Workload of {} ticks>", self.0.ticks())
    }
}

/// What a policy may know at a tick.
#[pyclass(module = "smo.replay", frozen)]
pub(crate) struct ReplayView {
    /// The number of the tick.
    #[pyo3(get)]
    tick: usize,
    /// When, as RFC 3339.
    #[pyo3(get)]
    now: String,
    /// What was measured, in requests per second; `None` without a sample.
    #[pyo3(get)]
    sample: Option<f64>,
    /// How many replicas are asked for.
    #[pyo3(get)]
    asked: u32,
    /// How many of them serve.
    #[pyo3(get)]
    ready: u32,
}

#[pymethods]
impl ReplayView {
    fn __repr__(&self) -> String {
        format!("<smo.replay.ReplayView at {}>", self.now)
    }
}

/// A policy that `replay` knows: this library's controller, or what others do.
///
/// >>> from smo.replay import ReplayPolicy
/// >>> ReplayPolicy.hpa(80).name, ReplayPolicy.predictive().name
/// ('HPA 80 %', 'smo, 0.90 quantile')
#[pyclass(module = "smo.replay", frozen)]
pub(crate) struct ReplayPolicy(Kind);

#[derive(Clone, Copy)]
enum Kind {
    Hpa(u32),
    Keda(u32),
    Predecessor,
    Foresight,
    Measured,
    Predictive { percent: u8, step: f64 },
}

impl Kind {
    fn build(self) -> Result<Box<dyn core::ReplayPolicy>, ReplayError> {
        Ok(match self {
            Self::Hpa(target) => Box::new(core::Hpa::new(target)?),
            Self::Keda(target) => Box::new(core::Keda::new(target)?),
            Self::Predecessor => Box::new(core::PredecessorLoop::new()),
            Self::Foresight => Box::new(core::Foresight::new()),
            Self::Measured => Box::new(core::Predictive::measured()?),
            Self::Predictive { percent, step } => Box::new(core::Predictive::new(core::PredictiveOptions {
                percent: Some(percent),
                step: std::time::Duration::try_from_secs_f64(step).unwrap_or_default(),
                rolling: core::RollingOptions {
                    levels: vec![percent],
                    ..core::RollingOptions::default()
                },
                ..core::PredictiveOptions::default()
            })?),
        })
    }

    fn checked(self, py: Python<'_>) -> PyResult<ReplayPolicy> {
        match self.build() {
            Ok(_) => Ok(ReplayPolicy(self)),
            Err(fault) => Err(error::replay(py, &fault)),
        }
    }
}

#[pymethods]
impl ReplayPolicy {
    /// The Kubernetes HorizontalPodAutoscaler, by its documentation, with a target of so many percent of what one more replica carries.
    #[staticmethod]
    fn hpa(py: Python<'_>, target_percent: u32) -> PyResult<Self> {
        Kind::Hpa(target_percent).checked(py)
    }

    /// KEDA's ScaledObject, by its documentation, with a threshold of so many percent of what one more replica carries.
    #[staticmethod]
    fn keda(py: Python<'_>, target_percent: u32) -> PyResult<Self> {
        Kind::Keda(target_percent).checked(py)
    }

    /// The predecessor's loop.
    #[staticmethod]
    fn predecessor() -> Self {
        Self(Kind::Predecessor)
    }

    /// Who knows the future: what nobody can do better than.
    #[staticmethod]
    fn foresight() -> Self {
        Self(Kind::Foresight)
    }

    /// This library's controller for what was measured, with its default policy.
    #[staticmethod]
    fn measured() -> Self {
        Self(Kind::Measured)
    }

    /// This library's controller for a quantile of its forecast, whose steps are `step` seconds.
    #[staticmethod]
    #[pyo3(signature = (percent = core::ScalingPolicy::FORECAST_PERCENT, *, step = 60.0))]
    fn predictive(py: Python<'_>, percent: u8, step: f64) -> PyResult<Self> {
        seconds("step", step)?;
        Kind::Predictive { percent, step }.checked(py)
    }

    /// The name that reports show.
    #[getter]
    fn name(&self, py: Python<'_>) -> PyResult<String> {
        let policy = self.0.build().map_err(|fault| error::replay(py, &fault))?;
        Ok(policy.name())
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<smo.replay.ReplayPolicy {}>", self.name(py)?))
    }
}

/// A policy that is a callable of Python; what it raises is kept until the replay has ended.
#[derive(Debug)]
struct Callable {
    function: Py<PyAny>,
    name: String,
    raised: Mutex<Option<PyErr>>,
}

impl core::ReplayPolicy for Callable {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn decide(&mut self, view: &core::ReplayView<'_>) -> Result<u32, ReplayError> {
        let shown = ReplayView {
            tick: view.tick,
            now: view.now.to_string(),
            sample: view.sample,
            asked: view.asked,
            ready: view.ready,
        };
        let wanted = Python::attach(|py| self.function.call1(py, (shown,))?.extract::<u32>(py));
        wanted.map_err(|raised| {
            let fault = raised.to_string();
            if let Ok(mut kept) = self.raised.lock() {
                *kept = Some(raised);
            }
            ReplayError::Policy {
                policy: self.name.clone(),
                fault,
            }
        })
    }
}

/// How a policy would have served.
#[pyclass(module = "smo.replay", frozen)]
pub(crate) struct ReplayOutcome {
    outcome: core::ReplayOutcome,
    timeline: Option<Vec<core::ReplayMoment>>,
}

#[pymethods]
impl ReplayOutcome {
    /// The policy.
    #[getter]
    fn policy(&self) -> &str {
        &self.outcome.policy
    }

    /// The share of the time in which more came than the ready replicas carry.
    #[getter]
    fn violation_share(&self) -> f64 {
        self.outcome.violation_share
    }

    /// The share of the requests that came above what the ready replicas carry.
    #[getter]
    fn excess_share(&self) -> f64 {
        self.outcome.excess_share
    }

    /// Replicas asked for, times hours.
    #[getter]
    fn replica_hours(&self) -> f64 {
        self.outcome.replica_hours
    }

    /// Ready replicas beyond those needed, times hours.
    #[getter]
    fn over_hours(&self) -> f64 {
        self.outcome.over_hours
    }

    /// Replicas needed beyond those ready, times hours.
    #[getter]
    fn under_hours(&self) -> f64 {
        self.outcome.under_hours
    }

    /// How often the count was changed.
    #[getter]
    fn actions(&self) -> usize {
        self.outcome.actions
    }

    /// The most replicas asked for.
    #[getter]
    fn peak(&self) -> u32 {
        self.outcome.peak
    }

    /// Every tick, where it was asked for: what came, replicas asked for, replicas that served.
    #[getter]
    fn timeline(&self) -> Option<Vec<(Option<f64>, u32, u32)>> {
        let moments = self.timeline.as_ref()?.iter();
        Some(
            moments
                .map(|moment| (moment.load, moment.asked, moment.ready))
                .collect(),
        )
    }

    /// Everything but the timeline, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.outcome)
    }

    fn __str__(&self) -> String {
        self.outcome.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<smo.replay.ReplayOutcome of {}>", self.outcome.policy)
    }
}

/// Goes through a workload with a policy: a `ReplayPolicy`, or a callable that is given a `ReplayView` and says how many replicas to ask for.
///
/// Bounds are kept whatever a policy says. What a callable raises is raised. `timeline` keeps every tick.
///
/// >>> from smo.forecast import generate_load
/// >>> from smo.replay import ReplayPolicy, Workload, replay
/// >>> workload = Workload(generate_load(days=2), alpha=10, first=1440)
/// >>> best = replay(workload, ReplayPolicy.foresight())
/// >>> hpa = replay(workload, ReplayPolicy.hpa(80))
/// >>> best.violation_share, best.replica_hours < hpa.replica_hours
/// (0.0, True)
#[pyfunction]
#[pyo3(signature = (workload, policy, *, timeline = false))]
pub(crate) fn replay(
    py: Python<'_>,
    workload: &Workload,
    policy: &Bound<'_, PyAny>,
    timeline: bool,
) -> PyResult<ReplayOutcome> {
    let mut moments = timeline.then(Vec::new);
    let mut seen = |moment: &core::ReplayMoment| {
        if let Some(moments) = &mut moments {
            moments.push(*moment);
        }
    };
    let outcome = if let Ok(known) = policy.cast::<ReplayPolicy>() {
        let kind = known.get().0;
        py.detach(|| core::replay_with(kind.build()?.as_mut(), &workload.0, &mut seen))
    } else if policy.is_callable() {
        let name = policy
            .getattr("__name__")
            .and_then(|name| name.extract::<String>());
        let mut called = Callable {
            function: policy.clone().unbind(),
            name: name.unwrap_or_else(|_| "a callable".to_owned()),
            raised: Mutex::new(None),
        };
        let outcome = core::replay_with(&mut called, &workload.0, &mut seen);
        if let Some(raised) = called.raised.into_inner().ok().flatten() {
            return Err(raised);
        }
        outcome
    } else {
        let found = policy.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "a policy is a ReplayPolicy or a callable, not {found}"
        )));
    };
    let outcome = outcome.map_err(|fault| error::replay(py, &fault))?;
    Ok(ReplayOutcome {
        outcome,
        timeline: moments,
    })
}
