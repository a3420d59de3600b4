//! The in-memory fleet.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use smo_core::backend::memory::{Delays as CoreDelays, InMemoryFleet as CoreFleet};
use smo_core::backend::{ClusterBackend, Timer};
use smo_core::cluster::Health;
use smo_core::id::{ClusterName, suggestion};
use smo_core::orchestrator::{Orchestrator, OrchestratorBuilder};

use super::delays::Delays;
use super::fleet::{Fleet, FleetPort};
use super::journal::Journal;
use super::release::health_name;
use crate::cluster::{Cluster, Inventory};
use crate::convert::{parse, seconds};
use crate::graph::count;
use crate::runtime::{Port, ask};

impl FleetPort for CoreFleet {
    fn timer(&self) -> Arc<dyn Timer> {
        Arc::new(self.clock())
    }

    fn orchestrator(&self) -> OrchestratorBuilder {
        Orchestrator::builder(self.clone(), self.clock())
    }
}

/// A fleet in memory that behaves as a real Karmada was seen to: work is bound, runs and is healthy after a while, a dead
/// cluster is noticed late and keeps its work in the books. Its clock moves only with `advance` and with an
/// `Orchestrator` that waits. With `instant`, nothing takes time; `delays` says otherwise how long each thing takes.
///
/// Raises `ValueError` when both are given.
///
/// >>> import smo
/// >>> fleet = smo.InMemoryFleet(
/// ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// ... )
/// >>> fleet.kill("edge-1")
/// >>> fleet.inventory().clusters["edge-1"].ready
/// True
/// >>> fleet.advance(10)
/// >>> fleet.inventory().clusters["edge-1"].ready
/// False
#[pyclass(module = "smo", frozen, extends = Fleet)]
pub(crate) struct InMemoryFleet(CoreFleet);

impl InMemoryFleet {
    pub(super) fn core(&self) -> &CoreFleet {
        &self.0
    }

    fn known(&self, py: Python<'_>) -> PyResult<smo_core::cluster::Inventory> {
        ask(py, self.0.inventory())
    }

    fn member(&self, py: Python<'_>, name: &str) -> PyResult<ClusterName> {
        let clusters = self.known(py)?.clusters;
        if let Some((known, _)) = clusters.get_key_value(name) {
            return Ok(known.clone());
        }
        let meant = suggestion(name, clusters.keys().map(ClusterName::as_str));
        Err(PyKeyError::new_err(format!("no cluster is called {name}{meant}")))
    }
}

#[pymethods]
impl InMemoryFleet {
    #[new]
    #[pyo3(signature = (inventory, *, instant = false, delays = None))]
    fn new(
        inventory: &Inventory,
        instant: bool,
        delays: Option<&Delays>,
    ) -> PyResult<PyClassInitializer<Self>> {
        let delays = match delays {
            Some(_) if instant => return Err(PyValueError::new_err("either `instant` or `delays`")),
            Some(delays) => delays.0,
            None if instant => CoreDelays::none(),
            None => CoreDelays::measured(),
        };
        let core = CoreFleet::with_delays((**inventory.core()).clone(), delays);
        let base = Fleet::new(Port::in_memory(Arc::new(core.clone())));
        Ok(PyClassInitializer::from(base).add_subclass(Self(core)))
    }

    /// Lets so many seconds pass. Raises `ValueError` when that is negative or no number.
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let duration = self::seconds("seconds", seconds)?;
        py.detach(|| self.0.advance(duration));
        Ok(())
    }

    /// Lets an autoscaler of somebody else, such as `HorizontalPodAutoscaler/web`, name a service as its target. It is seen,
    /// and does nothing by itself. `service` is `project/graph/service`.
    fn add_autoscaler(&self, py: Python<'_>, service: &str, autoscaler: &str) -> PyResult<()> {
        let service = parse(service)?;
        py.detach(|| self.0.add_autoscaler(&service, autoscaler));
        Ok(())
    }

    /// Takes such an autoscaler away.
    fn remove_autoscaler(&self, py: Python<'_>, service: &str, autoscaler: &str) -> PyResult<()> {
        let service = parse(service)?;
        py.detach(|| self.0.remove_autoscaler(&service, autoscaler));
        Ok(())
    }

    /// Changes the count of a running service (`project/graph/service`) behind the back of whoever installed it, as
    /// `kubectl scale` does. A service that does not run is left alone.
    fn edit_replicas(&self, py: Python<'_>, service: &str, replicas: u32) -> PyResult<()> {
        let service = parse(service)?;
        py.detach(|| self.0.edit_replicas(&service, replicas));
        Ok(())
    }

    /// Makes a cluster die; it is noticed later. Raises `KeyError` for a cluster that the fleet does not have.
    fn kill(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        py.detach(|| self.0.kill(&cluster));
        Ok(())
    }

    /// Brings a dead cluster back; it is noticed later. Raises `KeyError` for a cluster that the fleet does not have.
    fn restore(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        py.detach(|| self.0.restore(&cluster));
        Ok(())
    }

    /// Makes a cluster report at once that it is ready, or not. Raises `KeyError` for a cluster that it does not have.
    fn set_ready(&self, py: Python<'_>, cluster: &str, ready: bool) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        py.detach(|| self.0.set_ready(&cluster, ready));
        Ok(())
    }

    /// Keeps new work off a cluster; work that is there stays. Raises `KeyError` for a cluster that it does not have.
    fn drain(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        py.detach(|| self.0.drain(&cluster));
        Ok(())
    }

    /// Ends `drain`. Raises `KeyError` for a cluster that the fleet does not have.
    fn undrain(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        py.detach(|| self.0.undrain(&cluster));
        Ok(())
    }

    /// Adds a cluster, or changes what an existing one is and offers; its work stays.
    fn join(&self, py: Python<'_>, cluster: &Cluster) {
        py.detach(|| self.0.join(cluster.0.clone()));
    }

    /// Takes a cluster out of the fleet, with everything on it. Raises `KeyError` for a cluster that it does not have.
    fn part(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        py.detach(|| self.0.part(&cluster));
        Ok(())
    }

    /// Puts an object of somebody else into a cluster: a release of that name (`project/name`) is refused there.
    ///
    /// Raises `KeyError` for a cluster that the fleet does not have.
    fn add_foreign_object(&self, py: Python<'_>, cluster: &str, name: &str) -> PyResult<()> {
        let cluster = self.member(py, cluster)?;
        let release: smo_core::backend::ReleaseName = super::chart::release_name(name)?;
        py.detach(|| {
            self.0
                .add_foreign_object(&cluster, release.namespace, release.name);
        });
        Ok(())
    }

    /// Lets somebody else own a name (`project/name`) in the control plane: applying a release of it is a `Conflict`.
    fn add_foreign_release(&self, py: Python<'_>, name: &str) -> PyResult<()> {
        let release = super::chart::release_name(name)?;
        py.detach(|| self.0.add_foreign_release(release.namespace, release.name));
        Ok(())
    }

    /// What the control plane last heard of a service, by cluster, whether or not the cluster still answers.
    fn raw_health(&self, py: Python<'_>, service: &str) -> PyResult<BTreeMap<String, &'static str>> {
        let service = parse(service)?;
        let health = py.detach(|| self.0.raw_health(&service));
        let named = |(cluster, health): (ClusterName, Health)| (cluster.to_string(), health_name(health));
        Ok(health.into_iter().map(named).collect())
    }

    /// The clusters that really run a copy of a service now, stale ones included.
    fn copies(&self, py: Python<'_>, service: &str) -> PyResult<Vec<String>> {
        let service = parse(service)?;
        let copies = py.detach(|| self.0.copies(&service));
        Ok(copies.iter().map(ToString::to_string).collect())
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let clusters = count(self.known(py)?.clusters.len(), "cluster");
        Ok(format!(
            "<smo.InMemoryFleet of {clusters} at {}>",
            self.0.timer().now()
        ))
    }
}
