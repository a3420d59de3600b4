//! Strategies: those of the core, and those written in Python.

use std::sync::{Arc, Mutex, PoisonError};

use pyo3::PyClassInitializer;
use pyo3::exceptions::PyNotImplementedError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smo_core::placement::{self as core, Answer, PlaceContext, PlacementError};

use super::claim::read_answer;
use super::{PlacementProblem, written};
use crate::convert::from_python;

/// A strategy that answers placement questions. Subclass it and write `place`.
///
/// `place` is given a `PlacementProblem` and returns a dict from service to cluster, or to a dict from cluster to
/// replicas; or `None` when it finds no placement. The answer is checked against every rule: a wrong one, or an
/// exception, becomes a `PlacerError` that names the strategy.
///
/// It may return a pair of that and what it claims beside it: a number of points below which no placement is (`problem.evaluate`
/// says what one is worth), `"optimal"`, or with `None` that there is no placement, `"infeasible"`. Decisions say that the
/// strategy says so (`Decision.proof` is its name), never that it is proved in integers; a bound above the value is refused, and
/// that there is no placement is only repeated where the library proves it, too.
///
/// >>> import smo
/// >>> class Only(smo.Placer):
/// ...     def place(self, problem):
/// ...         return {service: "edge-1" for service in problem.services}, "optimal"
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> one = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> decision = smo.place(smo.PlacementProblem.pose(one, graph), Only())
/// >>> decision.status, decision.proof
/// ('optimal', 'Only')
///
/// `name` is what decisions and errors show; it is the name
/// of the class unless the class has one of its own.
///
/// >>> import smo
/// >>> class Last(smo.Placer):
/// ...     def place(self, problem):
/// ...         return {service: problem.open_clusters(service)[-1] for service in problem.services}
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": name, "allocatable": size} for name in ("edge-1", "edge-2")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> smo.plan(graph, fleet, placer=Last()).placement["web"].clusters
/// ['edge-2']
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct Placer {
    native: Option<Arc<dyn core::Placer>>,
}

#[pymethods]
impl Placer {
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

    /// Answers one question: where every service runs, or `None` when it finds no placement.
    fn place<'py>(
        slf: &Bound<'py, Self>,
        problem: &Bound<'py, PlacementProblem>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let py = slf.py();
        let Some(native) = slf.get().native.clone() else {
            let class = slf.get_type().name()?;
            return Err(PyNotImplementedError::new_err(format!(
                "{class} does not define place"
            )));
        };
        let question = Arc::clone(problem.get().core());
        let answer = py.detach(move || native.place(&PlaceContext { problem: &question }));
        let answer = problem.get().checked(Ok(answer))?;
        let Answer::Found { placement, .. } =
            answer.map_err(|error| crate::error::placement(py, &error, None))?
        else {
            return Ok(None);
        };
        Ok(Some(written(py, &placement, problem.get().names())?))
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!(
            "<smo.Placer {}>",
            slf.getattr("name")?.extract::<String>()?
        ))
    }
}

// Defaults are numbers where they are written, so that Python can show them.
const _: () = assert!(core::FleetPlacer::DEFAULT_EFFORT == 1_000_000_000);
const _: () = assert!(core::MilpPlacer::DEFAULT_MAX_VARIABLES == 400);
const _: () = assert!(core::Exhaustive::DEFAULT_MOST == 2_000_000);

fn native(placer: impl core::Placer + 'static) -> Placer {
    Placer {
        native: Some(Arc::new(placer)),
    }
}

/// Every service, in order, on the first cluster that takes it. Fast, without proof; it may miss placements that exist.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.FirstFit().place(smo.PlacementProblem.pose(fleet, graph))
/// {'web': {'edge-1': 1}}
#[pyclass(module = "smo", frozen, extends = Placer)]
pub(crate) struct FirstFit;

#[pymethods]
impl FirstFit {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        PyClassInitializer::from(native(core::FirstFit::new())).add_subclass(Self)
    }

    /// The predecessor's: it only looks at cpu, readiness and the accelerator flag.
    ///
    /// >>> import smo
    /// >>> smo.FirstFit.smo().name
    /// 'first fit (smo)'
    #[staticmethod]
    fn smo(py: Python<'_>) -> PyResult<Py<Self>> {
        Py::new(
            py,
            PyClassInitializer::from(native(core::FirstFit::smo())).add_subclass(Self),
        )
    }
}

/// Every service, in order, on the cluster with the lowest emissions per core that takes it; among equals on the one
/// most in use. Without proof.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet, placer=smo.GreenConsolidation()).decision.placer
/// 'green consolidation'
#[pyclass(module = "smo", frozen, extends = Placer)]
pub(crate) struct GreenConsolidation;

#[pymethods]
impl GreenConsolidation {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        PyClassInitializer::from(native(core::GreenConsolidation)).add_subclass(Self)
    }
}

/// The best placement, with a bound that is re-evaluated in integers where the problem allows it.
///
/// A part of a problem with more than `max_variables` variables is not given to the solver: the answer is then a greedy
/// placement with its bound.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet, placer=smo.MilpPlacer(max_variables=500)).decision.status
/// 'optimal'
#[pyclass(module = "smo", frozen, extends = Placer)]
pub(crate) struct MilpPlacer;

#[pymethods]
impl MilpPlacer {
    #[new]
    #[pyo3(signature = (*, max_variables = 400))]
    fn new(max_variables: usize) -> PyClassInitializer<Self> {
        let placer = core::MilpPlacer::default().with_max_variables(max_variables);
        PyClassInitializer::from(native(placer)).add_subclass(Self)
    }
}

/// Thousands of services on hundreds of clusters: prices on capacity, annealing, and a bound in whole numbers.
///
/// `effort` is what it may take: table cells and changes looked at, about a nanosecond each. The same effort gives the same
/// answer. What the bound does not know (bandwidth, the fullest cluster, code of yours) only lowers it; every rule is kept. `known` is the
/// `certificate` of an earlier decision of the same or a similar question: the search begins with its prices.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet, placer=smo.FleetPlacer(effort=1_000_000)).decision.status
/// 'optimal'
#[pyclass(module = "smo", frozen, extends = Placer)]
pub(crate) struct FleetPlacer;

#[pymethods]
impl FleetPlacer {
    #[new]
    #[pyo3(signature = (*, effort = 1000000000, known = None))]
    fn new(effort: u64, known: Option<&Bound<'_, PyAny>>) -> PyResult<PyClassInitializer<Self>> {
        let mut placer = core::FleetPlacer::default().with_effort(effort);
        if let Some(known) = known {
            placer = placer.with_known(from_python(known, "a certificate")?);
        }
        Ok(PyClassInitializer::from(native(placer)).add_subclass(Self))
    }
}

/// The default: `MilpPlacer` where the problem is small, `FleetPlacer` for what that leaves open and for fleets.
///
/// `effort` is for what is not settled at once, about a nanosecond each; the default is some seconds at most. `known` is as for
/// `FleetPlacer`.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet, placer=smo.AutoPlacer()) == smo.plan(graph, fleet)
/// True
#[pyclass(module = "smo", frozen, extends = Placer)]
pub(crate) struct AutoPlacer;

#[pymethods]
impl AutoPlacer {
    #[new]
    #[pyo3(signature = (*, effort = None, known = None))]
    fn new(effort: Option<u64>, known: Option<&Bound<'_, PyAny>>) -> PyResult<PyClassInitializer<Self>> {
        let mut placer = core::AutoPlacer::default();
        if let Some(effort) = effort {
            placer = placer.with_effort(effort);
        }
        if let Some(known) = known {
            placer = placer.with_known(from_python(known, "a certificate")?);
        }
        Ok(PyClassInitializer::from(native(placer)).add_subclass(Self))
    }
}

/// Every placement tried, and the best kept: exact, for small problems, with rules and goals of yours that look at a whole
/// placement. A problem of more than `most` placements is refused with `PlacementFailed`.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet, placer=smo.Exhaustive()).decision.proof
/// 'every placement was tried, 1 of them to the end'
#[pyclass(module = "smo", frozen, extends = Placer)]
pub(crate) struct Exhaustive;

#[pymethods]
impl Exhaustive {
    #[new]
    #[pyo3(signature = (*, most = 2000000))]
    fn new(most: u64) -> PyClassInitializer<Self> {
        let placer = core::Exhaustive::default().with_most(most);
        PyClassInitializer::from(native(placer)).add_subclass(Self)
    }
}

/// A strategy that a caller chose.
#[derive(Debug)]
pub(crate) enum Choice {
    Native(Arc<dyn core::Placer>),
    Python { object: Py<Placer>, name: String },
}

/// What the code of a strategy written in Python raised.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cause(Arc<Mutex<Option<PyErr>>>);

impl Cause {
    pub(crate) fn keep(&self, error: PyErr) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }

    pub(crate) fn take(&self) -> Option<PyErr> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Choice {
    /// The default strategy without a placer.
    pub(crate) fn new(placer: Option<&Bound<'_, Placer>>) -> PyResult<Self> {
        let Some(placer) = placer else {
            return Ok(Self::Native(Arc::new(core::AutoPlacer::default())));
        };
        Ok(match &placer.get().native {
            Some(native) => Self::Native(Arc::clone(native)),
            None => Self::Python {
                object: placer.clone().unbind(),
                name: placer.getattr("name")?.str()?.extract()?,
            },
        })
    }

    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Native(native) => native.name(),
            Self::Python { name, .. } => name,
        }
    }

    /// For one decision; `cause` is told what Python code raises.
    pub(crate) fn open(&self, py: Python<'_>, cause: &Cause) -> Box<dyn core::Placer> {
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
struct Shared(Arc<dyn core::Placer>);

impl core::Placer for Shared {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        self.0.place(context)
    }

    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut core::Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        self.0.place_watched(context, watch)
    }
}

/// A strategy written in Python.
#[derive(Debug)]
struct Foreign {
    object: Py<Placer>,
    name: String,
    cause: Cause,
}

impl core::Placer for Foreign {
    fn name(&self) -> &str {
        &self.name
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        let asked = Python::attach(|py| {
            let problem = Py::new(py, PlacementProblem::new(context.problem.clone()))?;
            let answer = self
                .object
                .bind(py)
                .call_method1("place", (problem.clone_ref(py),))?;
            read_answer(&answer, problem.get().names())
        });
        match asked {
            Ok(Ok(claimed)) => claimed.answer(context.problem, &self.name),
            Ok(Err(faults)) => Err(PlacementError::WrongAnswer {
                placer: self.name.clone(),
                faults,
            }),
            Err(error) => {
                let message = error.to_string();
                self.cause.keep(error);
                Err(PlacementError::Failed {
                    placer: self.name.clone(),
                    message,
                })
            }
        }
    }
}
