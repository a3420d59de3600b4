//! What is scaled by load, and what a step of that did.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::orchestrator::{self as core, OrchestratorError};
use smo_core::plan::Planner as CorePlanner;
use smo_core::scaling;

use super::goals::or_default;
use super::problem::names_of;
use super::scaler::Choice;
use super::{Scaler, ScalingGoals, ScalingPolicy, ScalingStep, Throughput, by_service};
use crate::convert::seconds;
use crate::error;
use crate::forecast::seasonal_model;
use crate::graph::{ApplicationGraph, count};
use crate::html;
use crate::placement::Cause;
use crate::plan::{Planner, Raised};

/// A day is seen in it more than three times, which finding it takes.
const UNTOLD_HISTORY: Duration = Duration::from_secs(4 * 86_400);

/// How a service is measured and what its replicas carry. `load` is a PromQL expression with at most one series, in requests
/// per second.
///
/// With a `model`, or a `season` (in seconds), replicas are decided for what is to come as well: the `percent` quantile of its
/// forecast for the next `ahead` seconds, from a `history` of so many seconds in values of `step` seconds. The model is
/// `seasonal-naive`, which repeats what was one season ago, or `holt-winters`, which is fitted to the history; the season is found
/// in the history where it is not given. The history is three seasons, or four days, where it is not given. Quantiles come from
/// the errors that the model would have made in it.
///
/// Raises `ValueError` for a model that does not exist, `InvalidSamples` for a step of zero and a level outside 1 to 99.
///
/// >>> from smo.scaling import ScaledService, Throughput
/// >>> ScaledService("sum(rate(requests_total[1m]))", Throughput(110, -30), max=10)
/// <smo.scaling.ScaledService by sum(rate(requests_total[1m])), 1 to 10 replicas>
#[pyclass(module = "smo.scaling", frozen)]
pub(crate) struct ScaledService(core::ScaledService);

#[pymethods]
impl ScaledService {
    #[new]
    #[pyo3(signature = (load, throughput, *, max, min = 1, requires = Vec::new(), season = None, step = 60.0,
        history = None, ahead = 120.0, percent = 90, model = None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        load: String,
        throughput: &Throughput,
        max: u32,
        min: u32,
        requires: Vec<String>,
        season: Option<f64>,
        step: f64,
        history: Option<f64>,
        ahead: f64,
        percent: u8,
        model: Option<&str>,
    ) -> PyResult<Self> {
        let forecast = match (model, season) {
            (None, None) => None,
            (model, season) => {
                let step = seconds("step", step)?;
                let season = season.map(|season| seconds("season", season)).transpose()?;
                let period = season.map(|season| {
                    usize::try_from(season.as_nanos() / step.as_nanos().max(1)).unwrap_or(usize::MAX)
                });
                let history = match (history, season) {
                    (Some(history), _) => seconds("history", history)?,
                    (None, Some(season)) => season.saturating_mul(3),
                    (None, None) => UNTOLD_HISTORY,
                };
                // What keeps a rolling forecast from being made is wrong here as well.
                let levels = scaling::RollingOptions {
                    levels: vec![percent],
                    ..scaling::RollingOptions::default()
                };
                scaling::LoadPredictor::new(step, levels).map_err(|fault| error::forecast(py, &fault))?;
                Some(core::LoadForecast {
                    model: Arc::new(seasonal_model(model.unwrap_or("seasonal-naive"), period)?),
                    step,
                    history,
                    ahead: seconds("ahead", ahead)?,
                    percent,
                })
            }
        };
        Ok(Self(core::ScaledService {
            min,
            requires: names_of(requires),
            forecast,
            ..core::ScaledService::new(load, throughput.0, max)
        }))
    }

    fn __repr__(&self) -> String {
        let service = &self.0;
        format!(
            "<smo.scaling.ScaledService by {}, {} to {} replicas>",
            service.load, service.min, service.max
        )
    }
}

/// What is scaled by load, and how: for `Orchestrator.autoscale`, and for `simulate`.
///
/// Services that come first get scarce room first. `graphs` are placed again by `planner` where their load does not fit
/// where they run. What is remembered is stored under `name`. The rest is as in `ScalingController`.
///
/// >>> from smo.scaling import Autoscaler, ScaledService, Throughput
/// >>> Autoscaler("shop", {"shop/web": ScaledService("web_requests", Throughput(10), max=6)})
/// <smo.scaling.Autoscaler shop of 1 service>
#[pyclass(module = "smo.scaling", frozen)]
pub(crate) struct Autoscaler {
    core: Arc<core::Autoscaler>,
    name: String,
    services: usize,
    cause: Cause,
}

impl Autoscaler {
    pub(crate) fn core(&self) -> &Arc<core::Autoscaler> {
        &self.core
    }

    pub(crate) fn cause(&self) -> &Cause {
        &self.cause
    }
}

#[pymethods]
impl Autoscaler {
    #[new]
    #[pyo3(signature = (name, services, graphs = Vec::new(), *, planner = None, policy = None, policies = None,
        scaler = None, goals = None, step = 15.0, replace_pause = 300.0))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        name: String,
        services: &Bound<'_, PyDict>,
        graphs: Vec<Bound<'_, ApplicationGraph>>,
        planner: Option<&Planner>,
        policy: Option<&ScalingPolicy>,
        policies: Option<&Bound<'_, PyDict>>,
        scaler: Option<&Bound<'_, Scaler>>,
        goals: Option<&ScalingGoals>,
        step: f64,
        replace_pause: f64,
    ) -> PyResult<Self> {
        let py = services.py();
        let cause = Cause::default();
        let controller = controller(py, &cause, policy, policies, scaler, goals)?;
        let mut autoscaler = core::Autoscaler::new(&*name, controller)
            .with_step(seconds("step", step)?)
            .with_replace_pause(seconds("replace_pause", replace_pause)?);
        let scaled = by_service(services, |object| {
            Ok(object.cast::<ScaledService>()?.get().0.clone())
        })?;
        let services = scaled.len();
        for (key, service) in scaled {
            autoscaler = autoscaler.with_service(key, service);
        }
        for graph in graphs {
            let planner =
                planner.map_or_else(CorePlanner::new, |planner| planner.core(py, &Raised::by(&cause)));
            autoscaler = autoscaler.with_graph((**graph.get().core()).clone(), planner);
        }
        Ok(Self {
            core: Arc::new(autoscaler),
            name,
            services,
            cause,
        })
    }

    fn __repr__(&self) -> String {
        let services = count(self.services, "service");
        format!("<smo.scaling.Autoscaler {} of {services}>", self.name)
    }
}

/// A controller of the core; `cause` is told what the code of a Python scaler raises.
pub(super) fn controller(
    py: Python<'_>,
    cause: &Cause,
    policy: Option<&ScalingPolicy>,
    policies: Option<&Bound<'_, PyDict>>,
    scaler: Option<&Bound<'_, Scaler>>,
    goals: Option<&ScalingGoals>,
) -> PyResult<scaling::ScalingController> {
    let policy = policy.map(|policy| policy.0.clone()).unwrap_or_default();
    let refuse = |fault| error::controller(py, &fault, None);
    let mut controller = scaling::ScalingController::new(policy)
        .map_err(refuse)?
        .with_scaler(Choice::new(scaler)?.open(py, cause))
        .with_goals(or_default(goals));
    if let Some(policies) = policies {
        let read = |object: Bound<'_, PyAny>| Ok(object.cast::<ScalingPolicy>()?.get().0.clone());
        for (service, policy) in by_service(policies, read)? {
            controller = controller.with_service_policy(service, policy).map_err(refuse)?;
        }
    }
    Ok(controller)
}

/// What a step of scaling did. `str()` is one screen.
#[pyclass(module = "smo.scaling", frozen)]
pub(crate) struct ScalingReport(pub(crate) core::ScalingReport);

fn outcome<T>(result: &Result<T, OrchestratorError>) -> Option<String> {
    result.as_ref().err().map(ToString::to_string)
}

#[pymethods]
impl ScalingReport {
    /// What was decided.
    #[getter]
    fn step(&self) -> ScalingStep {
        ScalingStep::new(self.0.step.clone())
    }

    /// The services whose count was changed, as `project/graph/service`: `None`, or why it was not.
    #[getter]
    fn scaled(&self) -> BTreeMap<String, Option<String>> {
        let scaled = self.0.scaled.iter();
        scaled
            .map(|(service, result)| (service.to_string(), outcome(result)))
            .collect()
    }

    /// The graphs that were placed again, as `project/graph`: `None`, or why they were not.
    #[getter]
    fn replaced(&self) -> BTreeMap<String, Option<String>> {
        let replaced = self.0.replaced.iter();
        replaced
            .map(|(graph, result)| (graph.to_string(), outcome(result)))
            .collect()
    }

    /// Services that do not run, so that nothing was decided about them.
    #[getter]
    fn absent(&self) -> Vec<String> {
        self.0.absent.iter().map(ToString::to_string).collect()
    }

    /// Loads that are not known, one sentence each. Their counts were held, or decided without a forecast.
    #[getter]
    fn troubles(&self) -> Vec<String> {
        self.0.troubles.iter().map(ToString::to_string).collect()
    }

    /// When to take the next step (RFC 3339).
    #[getter]
    fn next(&self) -> String {
        self.0.next.to_string()
    }

    fn __str__(&self) -> String {
        self.0.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        format!("<smo.scaling.ScalingReport at {}>", self.0.step.at)
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.__str__())
    }
}
