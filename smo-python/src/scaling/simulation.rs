//! What would happen: the whole loop on a fleet in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::simulation::{self as core, SimulationError};

use super::{Autoscaler, Throughput, by_service, service_key};
use crate::cluster::Inventory;
use crate::convert::{parse, seconds, serialised};
use crate::error;
use crate::graph::count;
use crate::html;
use crate::placement::Names;
use crate::runtime::block_on;

/// Rates for every `step`, or pairs of a moment and the rate from it on.
fn trace(object: &Bound<'_, PyAny>, step: Duration) -> PyResult<core::LoadTrace> {
    let refused = |fault| error::invalid_scaling(object.py(), [fault]);
    if let Ok(rates) = object.extract::<Vec<f64>>() {
        return core::LoadTrace::new(step, &rates).map_err(refused);
    }
    let points: Vec<(f64, f64)> = object.extract()?;
    let point = |(moment, rate): (f64, f64)| Ok((seconds("a moment of a load", moment)?, rate));
    let points = points.into_iter().map(point).collect::<PyResult<Vec<_>>>()?;
    core::LoadTrace::from_points(&points).map_err(refused)
}

/// What would happen to graphs on a fleet: deploys the graphs of an autoscaler on a fleet in memory, lets their load follow
/// `loads`, and takes every step that a host takes (observe, decide, plan, diff, apply), by a clock that jumps. The same
/// scenario gives the same result.
///
/// `loads` has for every service of the autoscaler a list of requests per second, one for every `step` seconds, or pairs of
/// a moment (seconds from the start) and the rate from it on. `outages` are clusters that fail, as `(cluster, from,
/// until)`; `edits` counts that somebody else sets, as `(after, service, replicas)`; `throughputs` what replicas really
/// carry, where that is not what the autoscaler believes. Replicas start after `pod_start` seconds; a value is measured every
/// `tick` seconds.
///
/// Raises `InvalidScaling` for a load that is negative, no number or not in order, and for a scenario that makes no sense; what
/// `Orchestrator.deploy` raises when a graph cannot be deployed.
///
/// >>> import smo
/// >>> from smo.scaling import Autoscaler, ScaledService, Throughput, simulate
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 8, memory: 32Gi}}]}")
/// >>> autoscaler = Autoscaler("shop", {"shop/web": ScaledService("load", Throughput(10), max=6)}, [graph])
/// >>> result = simulate(fleet, autoscaler, {"shop/web": [5, 35, 5]}, step=600, duration=1800)
/// >>> max(result.services["web"].ready), result.moves
/// (4, 0)
#[pyfunction]
#[pyo3(signature = (fleet, autoscaler, loads, *, duration, step = 60.0, outages = Vec::new(), edits = Vec::new(),
    throughputs = None, pod_start = None, tick = 15.0))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn simulate(
    fleet: &Inventory,
    autoscaler: &Autoscaler,
    loads: &Bound<'_, PyDict>,
    duration: f64,
    step: f64,
    outages: Vec<(String, f64, f64)>,
    edits: Vec<(f64, String, u32)>,
    throughputs: Option<&Bound<'_, PyDict>>,
    pod_start: Option<f64>,
    tick: f64,
) -> PyResult<SimulationResult> {
    let py = loads.py();
    let step = seconds("step", step)?;
    let mut simulation = core::Simulation::new((**fleet.core()).clone(), Arc::clone(autoscaler.core()))
        .with_tick(seconds("tick", tick)?);
    for (service, load) in by_service(loads, |load| trace(&load, step))? {
        simulation = simulation.with_load(service, load);
    }
    if let Some(throughputs) = throughputs {
        let read = |object: Bound<'_, PyAny>| Ok(object.cast::<Throughput>()?.get().0);
        for (service, throughput) in by_service(throughputs, read)? {
            simulation = simulation.with_true_throughput(service, throughput);
        }
    }
    for (cluster, from, until) in outages {
        let (from, until) = (seconds("an outage", from)?, seconds("an outage", until)?);
        simulation = simulation.with_outage(parse(&cluster)?, from, until);
    }
    for (after, service, replicas) in edits {
        simulation = simulation.with_edit(seconds("an edit", after)?, service_key(&service)?, replicas);
    }
    if let Some(pod_start) = pod_start {
        simulation = simulation.with_pod_start(seconds("pod_start", pod_start)?);
    }
    let run = simulation.run(seconds("duration", duration)?);
    match block_on(py, run)? {
        Ok(result) => Ok(SimulationResult::new(result)),
        Err(SimulationError::Orchestrator(failed)) => {
            Err(error::orchestrator(py, failed, autoscaler.cause().take()))
        }
        Err(SimulationError::Backend(failed)) => Err(error::backend(py, &failed)),
        Err(other) => Err(error::invalid_scaling(py, [other])),
    }
}

/// A simulation, seen from its end. `str()` is a line a service and what happened; a notebook shows the picture.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct SimulationResult {
    core: core::SimulationResult,
    names: Names,
}

impl SimulationResult {
    fn new(core: core::SimulationResult) -> Self {
        let names = Names::new(core.services.keys().map(|key| (key.clone(), 0)));
        Self { core, names }
    }
}

#[pymethods]
impl SimulationResult {
    /// Every service over time.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (name, key) in self.names.iter() {
            if let Some(course) = self.core.services.get(key) {
                services.set_item(name, ServiceCourse(course.clone()))?;
            }
        }
        Ok(services)
    }

    /// What happened, in order: seconds from the start, and a sentence.
    #[getter]
    fn happenings(&self) -> Vec<(f64, String)> {
        let told = |(at, happening): &(jiff::Timestamp, core::Happening)| {
            (
                at.duration_since(self.core.start).as_secs_f64(),
                happening.to_string(),
            )
        };
        self.core.happenings.iter().map(told).collect()
    }

    /// How many services moved to other clusters.
    #[getter]
    fn moves(&self) -> usize {
        self.core.moves()
    }

    /// How often the autoscaler changed counts.
    #[getter]
    fn scalings(&self) -> usize {
        self.core.scalings()
    }

    /// A picture: load and capacity of every service, its replicas by cluster, moves and failures.
    fn to_svg(&self) -> String {
        self.core.to_svg()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        let services = count(self.core.services.len(), "service");
        format!("<smo.scaling.SimulationResult of {services}>")
    }

    fn _repr_html_(&self) -> String {
        format!("{}{}", self.core.to_svg(), html::lines(&self.__str__()))
    }
}

/// One service over time: a value for every tick, from the start on.
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ServiceCourse(core::ServiceCourse);

#[pymethods]
impl ServiceCourse {
    /// From one value to the next, in seconds.
    #[getter]
    fn tick(&self) -> f64 {
        self.0.tick.as_secs_f64()
    }

    /// Requests per second.
    #[getter]
    fn load(&self) -> Vec<f64> {
        self.0.load.iter().map(|rate| rate.to_f64()).collect()
    }

    /// What the replicas that are ready carry, in requests per second.
    #[getter]
    fn capacity(&self) -> Vec<f64> {
        self.0.capacity.iter().map(|rate| rate.to_f64()).collect()
    }

    /// How many replicas are ready.
    #[getter]
    fn ready(&self) -> Vec<u32> {
        self.0.ready.clone()
    }

    /// The same by cluster.
    #[getter]
    fn clusters(&self) -> Vec<BTreeMap<String, u32>> {
        let names = |at: &BTreeMap<smo_core::id::ClusterName, u32>| {
            at.iter()
                .map(|(name, count)| (name.to_string(), *count))
                .collect()
        };
        self.0.clusters.iter().map(names).collect()
    }

    /// The share of time in which the load was above what the ready replicas carry, 0 to 1.
    #[getter]
    fn violations(&self) -> f64 {
        self.0.summary().violations
    }

    /// The share of requests that were above that, 0 to 1.
    #[getter]
    fn unserved(&self) -> f64 {
        self.0.summary().unserved
    }

    /// Replicas times hours.
    #[getter]
    fn replica_hours(&self) -> f64 {
        self.0.summary().replica_hours
    }

    /// The share of capacity that no load used, 0 to 1.
    #[getter]
    fn spare(&self) -> f64 {
        self.0.summary().spare
    }

    fn __repr__(&self) -> String {
        format!("<smo.scaling.ServiceCourse of {} values>", self.0.load.len())
    }
}
