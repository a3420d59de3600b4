//! Replicas and placement in one decision.

use indexmap::IndexMap;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::id::ServiceKey;
use smo_core::joint as core;
use smo_core::placement as placing;

use crate::convert::serialised;
use crate::error::{self, invalid_scaling};
use crate::html;
use crate::placement::ask::asked;
use crate::placement::{Decision, Names, PlacementProblem, Placer};
use crate::scaling::{Throughput, by_cluster, rate};

/// A service whose replicas follow from its load.
///
/// `load` is what has to be carried, in requests per second; `throughput` what replicas carry on a cluster that `on` does
/// not list; `on` what they carry on clusters that are faster or slower. `min` and `max` bound the replicas.
///
/// >>> from smo.joint import ElasticService
/// >>> from smo.scaling import Throughput
/// >>> web = ElasticService(500, Throughput(100), on={"edge": Throughput(60)}, max=20)
/// >>> web.needed_on("cloud"), web.needed_on("edge")
/// (5, 9)
#[pyclass(module = "smo.joint", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ElasticService(core::ElasticService);

#[pymethods]
impl ElasticService {
    #[new]
    #[pyo3(signature = (load, throughput, *, max, min = 1, on = None))]
    fn new(
        py: Python<'_>,
        load: f64,
        throughput: &Throughput,
        max: u32,
        min: u32,
        on: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let read = |throughput: Bound<'_, PyAny>| Ok(throughput.cast::<Throughput>()?.get().core());
        let on = on.map(|on| by_cluster(on, read)).transpose()?;
        Ok(Self(core::ElasticService {
            load: rate(py, "the load", load)?,
            throughput: throughput.core(),
            on: on.unwrap_or_default().into_iter().collect(),
            min,
            max,
        }))
    }

    /// What has to be carried, in requests per second.
    #[getter]
    fn load(&self) -> f64 {
        self.0.load.to_f64()
    }

    /// What replicas carry on a cluster that `on` does not list.
    #[getter]
    fn throughput(&self) -> Throughput {
        Throughput::from(self.0.throughput)
    }

    /// What they carry on clusters that are faster or slower.
    #[getter]
    fn on<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let on = PyDict::new(py);
        for (cluster, throughput) in &self.0.on {
            on.set_item(cluster.as_str(), Throughput::from(*throughput))?;
        }
        Ok(on)
    }

    /// The fewest replicas allowed.
    #[getter]
    fn min(&self) -> u32 {
        self.0.min
    }

    /// The most replicas allowed.
    #[getter]
    fn max(&self) -> u32 {
        self.0.max
    }

    /// The fewest replicas that carry the load if one of them runs on `cluster`; `None` when that is above `max`.
    fn needed_on(&self, cluster: &str) -> PyResult<Option<u32>> {
        Ok(self.0.needed_on(&crate::convert::parse(cluster)?))
    }

    fn __repr__(&self) -> String {
        let Self(service) = self;
        format!(
            "<smo.joint.ElasticService of {}, {} to {} replicas>",
            service.load, service.min, service.max
        )
    }
}

/// Replicas and placement: how many replicas of every service with a load, and where all services run.
///
/// `str()` is one screen. See `decide_jointly`.
#[pyclass(module = "smo.joint", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct JointDecision {
    core: core::JointDecision,
    names: Names,
}

#[pymethods]
impl JointDecision {
    /// Where all services run, with value, bound and reasons. The bound holds for all counts.
    #[getter]
    fn decision(&self) -> Decision {
        Decision::new(self.core.decision.clone())
    }

    /// The replicas of every service with a load.
    #[getter]
    fn replicas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.by_service(py, |target| target.replicas)
    }

    /// What these replicas carry where they run, in requests per second, the slowest cluster deciding.
    #[getter]
    fn capacity<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.by_service(py, |target| target.capacity.to_f64())
    }

    /// The services whose load is not carried; none in an answer of `decide_jointly`.
    #[getter]
    fn overloaded(&self) -> Vec<String> {
        self.core
            .overloaded()
            .map(|(service, _)| self.names.of(service))
            .collect()
    }

    /// How many placement questions were asked.
    #[getter]
    fn questions(&self) -> u64 {
        self.core.questions
    }

    /// True when `watch` or `seconds` ended it, before all counts were looked at.
    #[getter]
    fn stopped(&self) -> bool {
        self.core.stopped
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn _repr_html_(&self) -> String {
        let rows = self.core.targets.iter().map(|(service, target)| {
            let there = self.core.decision.placement.get(service);
            vec![
                self.names.of(service),
                target.replicas.to_string(),
                target.load.to_string(),
                target.capacity.to_string(),
                there.map_or_else(|| "-".to_owned(), ToString::to_string),
            ]
        });
        let titles = ["service", "replicas", "load", "carried", "clusters"];
        html::table(&self.core.decision.verdict(), &titles, rows)
    }
}

impl JointDecision {
    fn by_service<'py, T: IntoPyObject<'py>>(
        &self,
        py: Python<'py>,
        of: impl Fn(&core::JointTarget) -> T,
    ) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        for (service, target) in &self.core.targets {
            dict.set_item(self.names.of(service), of(target))?;
        }
        Ok(dict)
    }
}

/// Decides replicas and placement at once: how many replicas a service of `loads` needs depends on where they run.
///
/// `problem` has rules and goals; the replicas that it states for a service of `loads` do not matter. `placer` answers its
/// placement questions, at most `questions` of them; `watch` is told of each (an `AskProgress`) and ends it by returning `False`, as `seconds`
/// do, with the best of those that were asked. The status of the decision is `optimal`, and its bound holds for all
/// counts, where the placer proves its answers and fewer replicas are never harder to place.
///
/// Raises `Overloaded` when `max` replicas of a service do not carry its load anywhere, `Infeasible` when no placement is
/// found, `InvalidScaling` for loads that make no sense, `PlacerError` when the placer is wrong or fails.
///
/// >>> import smo
/// >>> from smo.joint import ElasticService, decide_jointly
/// >>> from smo.scaling import Throughput
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": [
/// ...     {"name": "edge", "allocatable": {"cpu": 32, "memory": "64Gi"}, "price": {"cpu": 0.010}},
/// ...     {"name": "cloud", "allocatable": {"cpu": 32, "memory": "64Gi"}, "price": {"cpu": 0.014}},
/// ... ]}})
/// >>> web = ElasticService(800, Throughput(100), on={"edge": Throughput(50)}, max=20)
/// >>> joint = decide_jointly(smo.PlacementProblem.pose(fleet, graph), {"web": web})
/// >>> joint.replicas, joint.decision.placement["web"].clusters, joint.decision.status
/// ({'web': 8}, ['cloud'], 'optimal')
#[pyfunction]
#[pyo3(signature = (problem, loads, placer = None, *, questions = 1_000, seconds = None, watch = None))]
pub(crate) fn decide_jointly(
    py: Python<'_>,
    problem: &PlacementProblem,
    loads: &Bound<'_, PyDict>,
    placer: Option<&Bound<'_, Placer>>,
    questions: u64,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<JointDecision> {
    let limits = core::JointLimits { questions };
    answered(
        py,
        problem,
        loads,
        placer,
        (seconds, watch),
        |placer, joint, watch| core::decide_jointly_watched(placer, joint, limits, watch),
    )
}

/// The way without `decide_jointly`, to compare with: every service is scaled by what its replicas carry where they run
/// now, and these counts are placed. The answer may have services that are overloaded where they go.
///
/// Raises what `decide_jointly` does.
#[pyfunction]
#[pyo3(signature = (problem, loads, placer = None))]
pub(crate) fn scale_then_place(
    py: Python<'_>,
    problem: &PlacementProblem,
    loads: &Bound<'_, PyDict>,
    placer: Option<&Bound<'_, Placer>>,
) -> PyResult<JointDecision> {
    answered(py, problem, loads, placer, (None, None), |placer, joint, _| {
        core::scale_then_place(placer, joint)
    })
}

fn answered(
    py: Python<'_>,
    problem: &PlacementProblem,
    loads: &Bound<'_, PyDict>,
    placer: Option<&Bound<'_, Placer>>,
    watched: (Option<f64>, Option<Py<PyAny>>),
    ask: impl FnOnce(
        &dyn placing::Placer,
        &core::JointProblem,
        &mut placing::ask::AskWatch<'_>,
    ) -> Result<core::JointOutcome, core::JointError>
    + Send,
) -> PyResult<JointDecision> {
    let loads = read_loads(problem, loads)?;
    let answer = asked(py, problem, placer, watched, move |placer, question, watch| {
        let joint = core::JointProblem {
            placement: question.clone(),
            loads,
        };
        match ask(placer, &joint, watch) {
            Err(core::JointError::Placement(failed)) => Err(failed),
            other => Ok(other),
        }
    })?;
    match answer.map_err(|invalid| match &invalid {
        core::JointError::InvalidProblem(faults) => invalid_scaling(py, &faults.0),
        other => invalid_scaling(py, [other]),
    })? {
        core::JointOutcome::Decided(core) => Ok(JointDecision {
            core,
            names: problem.names().clone(),
        }),
        core::JointOutcome::Overloaded(overloads) => {
            let lines: Vec<String> = overloads.iter().map(ToString::to_string).collect();
            let services = PyDict::new(py);
            for overload in &overloads {
                let rates = (overload.load.to_f64(), overload.most.to_f64());
                services.set_item(problem.names().of(&overload.service), rates)?;
            }
            Err(error::exception(py, "Overloaded", (lines.join("\n"), services)))
        }
        core::JointOutcome::Infeasible(diagnosis) => Err(error::infeasible(py, diagnosis)),
    }
}

fn read_loads(
    problem: &PlacementProblem,
    loads: &Bound<'_, PyDict>,
) -> PyResult<IndexMap<ServiceKey, core::ElasticService>> {
    let mut read = IndexMap::new();
    let mut faults = Vec::new();
    for (name, elastic) in loads.iter() {
        let name: String = name.extract()?;
        match problem.names().find(&name) {
            Ok((key, _)) => {
                let elastic = elastic.cast::<ElasticService>()?.get().0.clone();
                if read.insert(key.clone(), elastic).is_some() {
                    faults.push(format!("{name} is given twice"));
                }
            }
            Err(fault) => faults.push(fault),
        }
    }
    if faults.is_empty() {
        Ok(read)
    } else {
        Err(invalid_scaling(loads.py(), faults))
    }
}
