//! Clusters and the releases on them, whatever is behind them.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use smo_core::backend::{ClusterBackend, ClusterBackendExt, ReleaseBackend, ReleaseBackendExt, Scope, Timer};
use smo_core::orchestrator::OrchestratorBuilder;

use super::release::{Applied, ObservedRelease, ObservedReleases, ReleaseSpec, Removed, scope};
use crate::cluster::{Cluster, Inventory};
use crate::convert::{assignment, parse};
use crate::runtime::{Port, ask};

/// What is behind a fleet.
pub(crate) trait FleetPort: ClusterBackend + ReleaseBackend {
    /// Its time.
    fn timer(&self) -> Arc<dyn Timer>;

    /// Begins an orchestrator of it.
    fn orchestrator(&self) -> OrchestratorBuilder;
}

/// Clusters, and the releases on them: an `InMemoryFleet`, or a `smo.karmada.KarmadaFleet`.
///
/// A service is named `project/graph/service`; the project is its Kubernetes namespace. Most hosts hand a fleet to an
/// `Orchestrator` and only look at it here. No method waits for a workload: it returns when the request was accepted, and
/// `observe` tells what became of it. Every method raises a `BackendError` of some kind when the fleet fails.
///
/// >>> import smo
/// >>> fleet = smo.InMemoryFleet(
/// ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// ... )
/// >>> web = smo.ReleaseSpec("default/shop/web", "oci://r.io/shop/web:1.0.0", {"edge-1": 2}, resources={"cpu": "500m"})
/// >>> fleet.apply(web).revision
/// 1
/// >>> fleet.advance(5)
/// >>> fleet.release("default/shop/web").is_healthy, fleet.cluster("edge-1").free["cpu"]
/// (True, '3')
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct Fleet(Port<Arc<dyn FleetPort>>);

impl Fleet {
    pub(crate) fn new(port: Port<Arc<dyn FleetPort>>) -> Self {
        Self(port)
    }

    pub(crate) fn port(&self) -> &Port<Arc<dyn FleetPort>> {
        &self.0
    }
}

#[pymethods]
impl Fleet {
    /// Its time (RFC 3339).
    #[getter]
    fn now(&self) -> PyResult<String> {
        Ok(self.0.get()?.timer().now().to_string())
    }

    /// The fleet as it reports itself now. A cluster that is down is in it, and not ready.
    fn inventory(&self, py: Python<'_>) -> PyResult<Inventory> {
        let fleet = self.0.get()?;
        ask(py, async move { fleet.inventory().await }).map(Inventory::new)
    }

    /// One cluster. Raises `NotFound` for one that the fleet does not have, `ValueError` for what is no name of a cluster.
    fn cluster(&self, py: Python<'_>, name: &str) -> PyResult<Cluster> {
        let (fleet, name) = (self.0.get()?, parse(name)?);
        ask(py, async move { fleet.cluster(&name).await }).map(Cluster)
    }

    /// Makes a release be as `release` says: chart, values, clusters and replicas.
    ///
    /// Raises `Conflict` for a name that belongs to another graph or to somebody else, before anything is written.
    fn apply(&self, py: Python<'_>, release: &ReleaseSpec) -> PyResult<Applied> {
        let (fleet, spec) = (self.0.get()?, release.core().clone());
        ask(py, async move { fleet.apply(&spec).await }).map(|applied| Applied::from(&applied))
    }

    /// Changes on which clusters a release runs, with how many replicas: `{"edge-1": 2, "edge-2": 1}`. Chart and values
    /// stay. An empty dict scales to zero.
    ///
    /// Raises `NotFound` when the service is not installed.
    fn scale(&self, py: Python<'_>, service: &str, clusters: &Bound<'_, PyAny>) -> PyResult<()> {
        let (fleet, service, clusters) = (self.0.get()?, parse(service)?, assignment(clusters)?);
        ask(py, async move { fleet.scale(&service, &clusters).await })
    }

    /// Takes a release away everywhere. To a cluster that does not answer the removal is owed: it is done when that
    /// returns.
    fn remove(&self, py: Python<'_>, service: &str) -> PyResult<Removed> {
        let (fleet, service) = (self.0.get()?, parse(service)?);
        ask(py, async move { fleet.remove(&service).await }).map(|removed| Removed::from(&removed))
    }

    /// What is installed and how it does, of everything, of a `project`, or of a `project/graph`.
    #[pyo3(signature = (scope = None))]
    fn observe(&self, py: Python<'_>, scope: Option<&str>) -> PyResult<ObservedReleases> {
        let (fleet, scope) = (self.0.get()?, self::scope(scope)?);
        ask(py, async move { fleet.observe(&scope).await }).map(ObservedReleases)
    }

    /// One release. Raises `NotFound` when it is not installed.
    fn release(&self, py: Python<'_>, service: &str) -> PyResult<ObservedRelease> {
        let (fleet, service) = (self.0.get()?, parse(service)?);
        ask(py, async move { fleet.release(&service).await }).map(ObservedRelease)
    }

    /// What runs, by `project/graph/service`: the clusters, and the replicas that are ready there.
    fn releases(&self, py: Python<'_>) -> PyResult<BTreeMap<String, BTreeMap<String, u32>>> {
        let fleet = self.0.get()?;
        let observed = ask(py, async move { fleet.observe(&Scope::All).await })?;
        let ready = |release: &smo_core::cluster::ObservedRelease| {
            let clusters = release.clusters.iter();
            clusters
                .map(|(name, replicas)| (name.to_string(), replicas.ready))
                .collect()
        };
        let releases = observed.releases.iter();
        Ok(releases
            .map(|(key, release)| (key.to_string(), ready(release)))
            .collect())
    }
}
