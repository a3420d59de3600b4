//! Whatever makes new clusters.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use smo_core::backend::memory::InMemoryInfrastructure as CoreInfrastructure;
use smo_core::backend::{self as core, ClusterRequest, InfrastructureBackendExt, TaskId, Timer};

use super::journal::Journal;
use super::memory_fleet::InMemoryFleet;
use crate::convert::{parse, resources, seconds};
use crate::runtime::{Port, ask};

type Behind = (Arc<dyn core::InfrastructureBackend>, Arc<dyn Timer>);

/// Makes, grows and removes clusters: an `InMemoryInfrastructure`.
///
/// A request returns at once with the name of the work, which `task` and `finish` take.
///
/// >>> import smo
/// >>> fleet = smo.InMemoryFleet(
/// ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// ... )
/// >>> infrastructure = smo.InMemoryInfrastructure(fleet, delay=600)
/// >>> work = infrastructure.request_cluster("edge-9", workers=2, worker={"cpu": 4, "memory": "8Gi"})
/// >>> infrastructure.task(work).state, infrastructure.finish(work, patience=900).state
/// ('running', 'done')
/// >>> fleet.cluster("edge-9").free["cpu"]
/// '8'
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct InfrastructureBackend(Port<Behind>);

#[pymethods]
impl InfrastructureBackend {
    /// Asks for a new cluster of so many workers that offer `worker` each; `site` is where, in the words of the
    /// infrastructure. Gives the name of the work.
    ///
    /// Raises `Invalid` for a request that it refuses, `Conflict` for a name that is taken.
    #[pyo3(signature = (name, *, workers, worker, site = None))]
    fn request_cluster(
        &self,
        py: Python<'_>,
        name: &str,
        workers: u32,
        worker: BTreeMap<String, Bound<'_, PyAny>>,
        site: Option<String>,
    ) -> PyResult<String> {
        let (infrastructure, _) = self.0.get()?;
        let request = ClusterRequest {
            name: parse(name)?,
            workers,
            worker: resources(worker)?,
            site,
        };
        ask(py, infrastructure.request_cluster(&request)).map(|task| task.0)
    }

    /// Asks for more workers, of the kind that the cluster has. Gives the name of the work.
    fn add_workers(&self, py: Python<'_>, cluster: &str, workers: u32) -> PyResult<String> {
        let ((infrastructure, _), cluster) = (self.0.get()?, parse(cluster)?);
        ask(py, infrastructure.add_workers(&cluster, workers)).map(|task| task.0)
    }

    /// Asks for the end of a cluster. Gives the name of the work.
    fn remove_cluster(&self, py: Python<'_>, cluster: &str) -> PyResult<String> {
        let ((infrastructure, _), cluster) = (self.0.get()?, parse(cluster)?);
        ask(py, infrastructure.remove_cluster(&cluster)).map(|task| task.0)
    }

    /// How far work has got. Raises `NotFound` for work that is not known.
    fn task(&self, py: Python<'_>, task: String) -> PyResult<TaskStatus> {
        let (infrastructure, _) = self.0.get()?;
        let status = ask(py, infrastructure.task(&TaskId(task)))?;
        Ok(TaskStatus::from(status))
    }

    /// Waits until work is done or has failed. Raises `Unavailable` when that takes more than `patience` seconds.
    #[pyo3(signature = (task, *, patience = 900.0))]
    fn finish(&self, py: Python<'_>, task: String, patience: f64) -> PyResult<TaskStatus> {
        let ((infrastructure, timer), patience) = (self.0.get()?, seconds("patience", patience)?);
        let status = ask(py, infrastructure.finish(&TaskId(task), timer.as_ref(), patience))?;
        Ok(TaskStatus::from(status))
    }
}

/// How far work has got.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct TaskStatus {
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// Why it failed, or `None`.
    message: Option<String>,
}

impl From<core::TaskStatus> for TaskStatus {
    fn from(status: core::TaskStatus) -> Self {
        let (state, message) = match status {
            core::TaskStatus::Running => ("running", None),
            core::TaskStatus::Done => ("done", None),
            core::TaskStatus::Failed { message } => ("failed", Some(message)),
        };
        Self { state, message }
    }
}

#[pymethods]
impl TaskStatus {
    fn __repr__(&self) -> String {
        format!("<smo.TaskStatus {}>", self.state)
    }
}

/// Infrastructure in memory: clusters that join an in-memory fleet after `delay` seconds, by the clock of the fleet.
///
/// >>> import smo
/// >>> fleet = smo.InMemoryFleet(
/// ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// ... )
/// >>> infrastructure = smo.InMemoryInfrastructure(fleet)
/// >>> infrastructure.break_work("edge-9", "no more machines")
/// >>> work = infrastructure.request_cluster("edge-9", workers=1, worker={"cpu": 4})
/// >>> infrastructure.finish(work).message
/// 'no more machines'
#[pyclass(module = "smo", frozen, extends = InfrastructureBackend)]
pub(crate) struct InMemoryInfrastructure(CoreInfrastructure);

#[pymethods]
impl InMemoryInfrastructure {
    #[new]
    #[pyo3(signature = (fleet, *, delay = 600.0))]
    fn new(fleet: &InMemoryFleet, delay: f64) -> PyResult<PyClassInitializer<Self>> {
        let fleet = fleet.core().clone();
        let timer: Arc<dyn Timer> = Arc::new(fleet.clock());
        let core = CoreInfrastructure::with_delay(fleet, seconds("delay", delay)?);
        let behind: Behind = (Arc::new(core.clone()), timer);
        let base = InfrastructureBackend(Port::in_memory(behind));
        Ok(PyClassInitializer::from(base).add_subclass(Self(core)))
    }

    /// Makes the work that ends next for `cluster` fail with this message.
    fn break_work(&self, cluster: &str, message: String) -> PyResult<()> {
        self.0.break_work(parse(cluster)?, message);
        Ok(())
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}
