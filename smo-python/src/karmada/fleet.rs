//! The fleet behind a Karmada control plane.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::backend::{
    Applied, BackendError, ClusterBackend, ObservedReleases, ReleaseBackend, Removed, Scope, Timer,
};
use smo_core::cluster::Inventory as CoreInventory;
use smo_core::id::ServiceKey;
use smo_core::orchestrator::{Orchestrator, OrchestratorBuilder};
use smo_core::placement::Assignment;
use smo_core::plan::ReleaseSpec;
use smo_karmada as adapter;
use tokio::sync::Mutex;

use super::facts::FleetFacts;
use crate::backend::{Fleet, FleetPort};
use crate::cluster::Inventory;
use crate::convert::{seconds, serialised};
use crate::graph::count;
use crate::runtime::{Port, ask, block_on};

/// A fleet that an orchestrator and Python use at once.
#[derive(Debug, Clone)]
pub(super) struct Shared(Arc<adapter::KarmadaFleet>);

impl Shared {
    pub(super) fn new(fleet: adapter::KarmadaFleet) -> Self {
        Self(Arc::new(fleet))
    }
}

#[async_trait]
impl ClusterBackend for Shared {
    async fn inventory(&self) -> Result<CoreInventory, BackendError> {
        self.0.inventory().await
    }
}

#[async_trait]
impl ReleaseBackend for Shared {
    async fn apply(&self, spec: &ReleaseSpec) -> Result<Applied, BackendError> {
        self.0.apply(spec).await
    }

    async fn remove(&self, service: &ServiceKey) -> Result<Removed, BackendError> {
        self.0.remove(service).await
    }

    async fn scale(&self, service: &ServiceKey, assignment: &Assignment) -> Result<(), BackendError> {
        self.0.scale(service, assignment).await
    }

    async fn observe(&self, scope: &Scope) -> Result<ObservedReleases, BackendError> {
        self.0.observe(scope).await
    }
}

impl FleetPort for Shared {
    fn timer(&self) -> Arc<dyn Timer> {
        Arc::new(adapter::SystemTime)
    }

    fn orchestrator(&self) -> OrchestratorBuilder {
        Orchestrator::builder(self.clone(), adapter::SystemTime)
    }
}

/// The fleet behind a Karmada control plane, made by `KarmadaConfig.connect`.
///
/// It holds no state of its own: what it must remember of a release is in a Secret beside it, so that several hosts and
/// restarts see the same. `smo.Orchestrator` takes it as it takes an `InMemoryFleet`.
#[pyclass(module = "smo.karmada", frozen, extends = Fleet)]
pub(crate) struct KarmadaFleet(Port<Shared>);

impl KarmadaFleet {
    pub(super) fn new(port: Port<Shared>) -> Self {
        Self(port)
    }
}

#[pymethods]
impl KarmadaFleet {
    /// The fleet with what an `Inventory` has no place for: how far each report can be believed, and the largest pod that
    /// fits.
    fn report(&self, py: Python<'_>) -> PyResult<FleetReport> {
        let Shared(fleet) = self.0.get()?;
        ask(py, fleet.report()).map(FleetReport)
    }

    /// Replaces what the host knows of the fleet: prices, carbon, distances.
    fn set_facts(&self, facts: &FleetFacts) -> PyResult<()> {
        let Shared(fleet) = self.0.get()?;
        fleet.set_facts(facts.core().clone());
        Ok(())
    }

    /// Says when clusters or releases may have changed, so that a host need not ask in a loop. See `Changes`.
    fn changes(&self) -> PyResult<Changes> {
        let stream = |Shared(fleet): Shared| Arc::new(Mutex::new(fleet.changes().boxed()));
        self.0.map(stream).map(Changes)
    }

    fn __repr__(&self) -> &'static str {
        "<smo.karmada.KarmadaFleet>"
    }
}

type Words = Pin<Box<dyn Stream<Item = adapter::Change> + Send>>;

/// An iterator of `clusters` and `releases`: what may have changed, so look now. It never ends.
///
/// The first word of each kind comes at once. A watch that breaks is begun again, and then says that something may have
/// changed, since nobody saw what happened meanwhile.
#[pyclass(module = "smo.karmada", frozen)]
pub(crate) struct Changes(Port<Arc<Mutex<Words>>>);

impl Changes {
    fn next(&self, py: Python<'_>, patience: Option<Duration>) -> PyResult<Option<&'static str>> {
        let words = self.0.get()?;
        let next = async move {
            let next = async { words.lock().await.next().await };
            match patience {
                Some(patience) => tokio::time::timeout(patience, next).await.ok().flatten(),
                None => next.await,
            }
        };
        Ok(block_on(py, next)?.map(|change| match change {
            adapter::Change::Clusters => "clusters",
            adapter::Change::Releases => "releases",
        }))
    }
}

#[pymethods]
impl Changes {
    /// The next word, or `None` when there is none within so many seconds.
    fn wait(&self, py: Python<'_>, seconds: f64) -> PyResult<Option<&'static str>> {
        let patience = self::seconds("seconds", seconds)?;
        self.next(py, Some(patience))
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<&'static str>> {
        self.next(py, None)
    }
}

/// The fleet as Karmada reports it.
#[pyclass(module = "smo.karmada", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct FleetReport(adapter::FleetReport);

#[pymethods]
impl FleetReport {
    /// What placers work with.
    #[getter]
    fn inventory(&self) -> Inventory {
        Inventory::new(self.0.inventory.clone())
    }

    /// What else is known, by cluster: `report` (whose `state` is `current`, `stale`, `never` or `partial`), `pull`,
    /// `kubernetesVersion`, `nodes`, `largestPod`.
    #[getter]
    fn details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let details = PyDict::new(py);
        for (name, cluster) in &self.0.details {
            details.set_item(name.as_str(), serialised(py, cluster)?)?;
        }
        Ok(details)
    }

    /// Objects that cannot be clusters of the fleet: what is wrong with each.
    #[getter]
    fn faults(&self) -> Vec<String> {
        self.0.faults.clone()
    }

    fn __repr__(&self) -> String {
        let clusters = count(self.0.details.len(), "cluster");
        format!("<smo.karmada.FleetReport of {clusters}>")
    }
}
