//! Strategies: the core's, and those written in Python.

use std::sync::Arc;

use indexmap::IndexMap;
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping, PyTuple};
use smo_core::id::ServiceKey;
use smo_core::scaling::{self as core, ScalingError};

use super::{ScalingDecision, ScalingProblem, by_service, rate};
use crate::error;
use crate::placement::{Cause, Names};

/// Decides how many replicas run. Derive from it for a strategy of your own.
///
/// A subclass defines `replicas(problem)`: a dict from service to the number of replicas on all its clusters together.
/// Replicas on several clusters are then divided at least cost, and where the room is too small the answer is `replace`, as
/// everywhere. The core re-checks what it says: a wrong answer is a `ScalerError` that names the scaler.
///
/// >>> from smo.scaling import ClusterRoom, ScalingProblem, Scaler, ServiceLoad, Throughput, decide
/// >>> class OneMore(Scaler):
/// ...     def replicas(self, problem):
/// ...         return {name: service.throughput.needed(service.load) + 1 for name, service in problem.services.items()}
/// >>> web = ServiceLoad(505, Throughput(110, -30), max=10, per_replica={"cpu": 1}, clusters={"edge-2": 2})
/// >>> decision = decide(ScalingProblem({"web": web}, {"edge-2": ClusterRoom({"cpu": 8})}), OneMore())
/// >>> decision.scaler, decision.replicas
/// ('OneMore', {'web': 6})
#[pyclass(module = "smo.scaling", frozen, subclass)]
pub(crate) struct Scaler {
    native: Option<Arc<dyn core::Scaler>>,
}

#[pymethods]
impl Scaler {
    /// Takes any arguments, so that a subclass with its own `__init__` need not write `__new__` too.
    #[new]
    #[pyo3(signature = (*args, **kwargs))]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self { native: None }
    }

    /// The name that decisions and errors show.
    #[getter]
    fn name(slf: &Bound<'_, Self>) -> PyResult<String> {
        match &slf.get().native {
            Some(native) => Ok(native.name().to_owned()),
            None => slf.get_type().name()?.extract(),
        }
    }

    /// How many replicas every service should run, on all its clusters together.
    fn replicas<'py>(
        slf: &Bound<'py, Self>,
        problem: &Bound<'py, ScalingProblem>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let py = slf.py();
        if slf.get().native.is_none() {
            let class = slf.get_type().name()?;
            return Err(PyNotImplementedError::new_err(format!(
                "{class} does not define replicas"
            )));
        }
        let decision = decide(py, problem.get(), Some(slf))?;
        decision.replicas(py)
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        let name: String = slf.getattr("name")?.extract()?;
        Ok(format!("<smo.scaling.Scaler {name}>"))
    }
}

fn native(scaler: impl core::Scaler + 'static) -> Scaler {
    Scaler {
        native: Some(Arc::new(scaler)),
    }
}

/// The cheapest counts within the bounds and the room of the clusters, exactly, without a solver. An answer found before
/// `max_nodes` nodes of a search is proved; otherwise it comes with a bound.
///
/// >>> from smo.scaling import ExactScaler
/// >>> ExactScaler().name
/// 'exact'
#[pyclass(module = "smo.scaling", frozen, extends = Scaler)]
pub(crate) struct ExactScaler;

#[pymethods]
impl ExactScaler {
    #[new]
    #[pyo3(signature = (*, max_nodes = 200_000))]
    fn new(max_nodes: u64) -> PyClassInitializer<Self> {
        let scaler = core::ExactScaler::new().with_max_nodes(max_nodes);
        PyClassInitializer::from(native(scaler)).add_subclass(Self)
    }
}

/// When to run many replicas, and when few: above a load of `up`, `up_replicas` run; below `down`, `down_replicas`.
///
/// >>> from smo.scaling import Thresholds
/// >>> Thresholds(up=50, down=10, up_replicas=4)
/// Thresholds(up=50.0, down=10.0, up_replicas=4, down_replicas=1)
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Thresholds(core::Thresholds);

#[pymethods]
impl Thresholds {
    #[new]
    #[pyo3(signature = (*, up, down, up_replicas, down_replicas = 1))]
    fn new(py: Python<'_>, up: f64, down: f64, up_replicas: u32, down_replicas: u32) -> PyResult<Self> {
        Ok(Self(core::Thresholds {
            up: rate(py, "the threshold up", up)?,
            down: rate(py, "the threshold down", down)?,
            up_replicas,
            down_replicas,
        }))
    }

    /// Above this load, `up_replicas` run.
    #[getter]
    fn up(&self) -> f64 {
        self.0.up.to_f64()
    }

    /// Below this load, `down_replicas` run.
    #[getter]
    fn down(&self) -> f64 {
        self.0.down.to_f64()
    }

    /// How many run under a high load.
    #[getter]
    fn up_replicas(&self) -> u32 {
        self.0.up_replicas
    }

    /// How many run under a low load.
    #[getter]
    fn down_replicas(&self) -> u32 {
        self.0.down_replicas
    }

    fn __repr__(&self) -> String {
        format!(
            "Thresholds(up={:?}, down={:?}, up_replicas={}, down_replicas={})",
            self.up(),
            self.down(),
            self.up_replicas(),
            self.down_replicas()
        )
    }
}

/// The predecessor's simple scaler: two thresholds, two counts, the same for every service or by service. A service
/// without thresholds stays as it is.
///
/// >>> from smo.scaling import ClusterRoom, ScalingProblem, ServiceLoad, ThresholdScaler, Thresholds, Throughput, decide
/// >>> web = ServiceLoad(60, Throughput(20), max=9, per_replica={"cpu": 1}, clusters={"edge-2": 2})
/// >>> scaler = ThresholdScaler(Thresholds(up=50, down=10, up_replicas=4))
/// >>> decide(ScalingProblem({"web": web}, {"edge-2": ClusterRoom({"cpu": 8})}), scaler).replicas
/// {'web': 4}
#[pyclass(module = "smo.scaling", frozen, extends = Scaler)]
pub(crate) struct ThresholdScaler;

#[pymethods]
impl ThresholdScaler {
    #[new]
    #[pyo3(signature = (thresholds = None, services = None))]
    fn new(
        thresholds: Option<&Thresholds>,
        services: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let mut scaler = match thresholds {
            Some(thresholds) => core::ThresholdScaler::new(thresholds.0),
            None => core::ThresholdScaler::by_service(),
        };
        if let Some(services) = services {
            let read = |object: Bound<'_, PyAny>| Ok(object.cast::<Thresholds>()?.get().0);
            for (service, thresholds) in by_service(services, read)? {
                scaler = scaler.with_service(service, thresholds);
            }
        }
        Ok(PyClassInitializer::from(native(scaler)).add_subclass(Self))
    }
}

/// Answers a question, believing nothing that a scaler says: the question is checked before, bounds and room of the answer
/// after. Without `scaler`, `ExactScaler()` decides.
///
/// Raises `InvalidScaling` with everything that is wrong with the question (`faults`): a negative load, a maximum below the
/// minimum, a cluster that the question does not have; `ScalerError` when the scaler is wrong or raises.
///
/// >>> from smo.scaling import ClusterRoom, ScalingProblem, ServiceLoad, Throughput, decide
/// >>> web = ServiceLoad(505, Throughput(110, -30), max=10, per_replica={"cpu": 1}, clusters={"edge-2": 2})
/// >>> decide(ScalingProblem({"web": web}, {"edge-2": ClusterRoom({"cpu": 8})})).replicas
/// {'web': 5}
#[pyfunction]
#[pyo3(signature = (problem, scaler = None))]
pub(crate) fn decide(
    py: Python<'_>,
    problem: &ScalingProblem,
    scaler: Option<&Bound<'_, Scaler>>,
) -> PyResult<ScalingDecision> {
    let cause = Cause::default();
    let scaler = Choice::new(scaler)?.open(py, &cause);
    let question = Arc::clone(problem.core());
    let decision = py.detach(move || core::decide(scaler.as_ref(), &question));
    decision
        .map(|decision| ScalingDecision::new(decision, problem.names()))
        .map_err(|failed| error::scaling(py, &failed, cause.take()))
}

/// A strategy that a caller chose.
#[derive(Debug)]
pub(super) enum Choice {
    Native(Arc<dyn core::Scaler>),
    Python { object: Py<Scaler>, name: String },
}

impl Choice {
    /// The exact strategy without a scaler.
    pub(super) fn new(scaler: Option<&Bound<'_, Scaler>>) -> PyResult<Self> {
        let Some(scaler) = scaler else {
            return Ok(Self::Native(Arc::new(core::ExactScaler::new())));
        };
        Ok(match &scaler.get().native {
            Some(native) => Self::Native(Arc::clone(native)),
            None => Self::Python {
                object: scaler.clone().unbind(),
                name: scaler.getattr("name")?.str()?.extract()?,
            },
        })
    }

    /// A scaler of the core; `cause` is told what Python code raises.
    pub(super) fn open(&self, py: Python<'_>, cause: &Cause) -> Box<dyn core::Scaler> {
        match self {
            Self::Native(native) => Box::new(Shared(Arc::clone(native))),
            Self::Python { object, name } => Box::new(Foreign {
                object: object.clone_ref(py),
                name: name.clone(),
                cause: cause.clone(),
            }),
        }
    }
}

#[derive(Debug)]
struct Shared(Arc<dyn core::Scaler>);

impl core::Scaler for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn decide(&self, problem: &core::ScalingProblem) -> Result<core::ScalingDecision, ScalingError> {
        self.0.decide(problem)
    }
}

/// A strategy written in Python.
#[derive(Debug)]
struct Foreign {
    object: Py<Scaler>,
    name: String,
    cause: Cause,
}

impl Foreign {
    fn wrong(&self, faults: Vec<String>) -> ScalingError {
        ScalingError::WrongAnswer {
            scaler: self.name.clone(),
            faults,
        }
    }
}

impl core::Scaler for Foreign {
    fn name(&self) -> &str {
        &self.name
    }

    fn decide(&self, problem: &core::ScalingProblem) -> Result<core::ScalingDecision, ScalingError> {
        let asked = Python::attach(|py| {
            let question = Py::new(py, ScalingProblem::wrap(problem.clone()))?;
            let answer = self
                .object
                .bind(py)
                .call_method1("replicas", (question.clone_ref(py),))?;
            read_counts(&answer, question.get().names())
        });
        let counts = match asked {
            Ok(Ok(counts)) => counts,
            Ok(Err(faults)) => return Err(self.wrong(faults)),
            Err(error) => {
                let message = error.to_string();
                self.cause.keep(error);
                return Err(ScalingError::Failed {
                    scaler: self.name.clone(),
                    message,
                });
            }
        };
        let forgotten = problem.services.keys().filter(|key| !counts.contains_key(*key));
        let forgotten: Vec<String> = forgotten
            .map(|key| format!("it says nothing about {key}"))
            .collect();
        if !forgotten.is_empty() {
            return Err(self.wrong(forgotten));
        }
        let totals: Vec<u32> = problem
            .services
            .keys()
            .filter_map(|key| counts.get(key).copied())
            .collect();
        let mut decision = core::ExactScaler::new().divide(problem, &totals)?;
        match &mut decision {
            core::ScalingDecision::Scale(targets) => {
                targets.scaler.clone_from(&self.name);
                (targets.value, targets.bound) = (None, None);
            }
            core::ScalingDecision::Replace(replace) => replace.scaler.clone_from(&self.name),
        }
        Ok(decision)
    }
}

/// Reads `{service: replicas}`; everything that is wrong with it otherwise.
fn read_counts(
    answer: &Bound<'_, PyAny>,
    names: &Names,
) -> PyResult<Result<IndexMap<ServiceKey, u32>, Vec<String>>> {
    let Ok(answer) = answer.cast::<PyMapping>() else {
        let found = answer.get_type().name()?;
        return Ok(Err(vec![format!(
            "it is of type {found}, not a dict from service to replicas"
        )]));
    };
    let mut read = IndexMap::new();
    let mut faults = Vec::new();
    for item in answer.items()?.iter() {
        let (service, count): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let Ok(service) = service.extract::<String>() else {
            faults.push(format!(
                "a service is of type {}, not str",
                service.get_type().name()?
            ));
            continue;
        };
        match (names.find(&service), count.extract::<u32>()) {
            (Ok((key, _)), Ok(count)) => {
                read.insert(key.clone(), count);
            }
            (Err(fault), _) => faults.push(fault),
            (_, Err(_)) => faults.push(format!("{service}: {} is no number of replicas", count.repr()?)),
        }
    }
    Ok(if faults.is_empty() { Ok(read) } else { Err(faults) })
}
