//! The in-memory fleet, and how futures of the core are waited for.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use smo_core::backend::memory::{Delays, InMemoryFleet as CoreFleet};
use smo_core::backend::{Clock, ClusterBackend, ReleaseBackend, Scope};
use smo_core::id::{ClusterName, did_you_mean};

use crate::cluster::Inventory;
use crate::error;
use crate::graph::count;

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on this thread, without holding the interpreter. Unlike that of an async runtime it may be called
/// within itself: a Python placer may ask the fleet while a deployment waits for it.
pub(crate) fn block_on<T: Send>(py: Python<'_>, future: impl Future<Output = T> + Send) -> T {
    py.detach(move || {
        let mut future = pin!(future);
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match future.as_mut().poll(&mut context) {
                Poll::Ready(value) => return value,
                Poll::Pending => thread::park(),
            }
        }
    })
}

/// A fleet in memory that behaves as a real Karmada was seen to: work is bound, runs and is healthy after a while, a dead
/// cluster is noticed late and keeps its work in the books. Its clock moves only with `advance` and with an
/// `Orchestrator` that waits. With `instant`, nothing takes time.
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
#[pyclass(module = "smo", frozen)]
pub(crate) struct InMemoryFleet(CoreFleet);

impl InMemoryFleet {
    pub(crate) fn core(&self) -> &CoreFleet {
        &self.0
    }

    fn cluster(&self, py: Python<'_>, name: &str) -> PyResult<ClusterName> {
        let inventory = self.inventory(py)?;
        let clusters = &inventory.core().clusters;
        if let Some((known, _)) = clusters.get_key_value(name) {
            return Ok(known.clone());
        }
        let meant = did_you_mean(name, clusters.keys().map(ClusterName::as_str));
        let meant = meant
            .map(|known| format!("; did you mean {known}?"))
            .unwrap_or_default();
        Err(PyKeyError::new_err(format!("no cluster is called {name}{meant}")))
    }
}

#[pymethods]
impl InMemoryFleet {
    #[new]
    #[pyo3(signature = (inventory, *, instant = false))]
    fn new(inventory: &Inventory, instant: bool) -> Self {
        let delays = if instant {
            Delays::none()
        } else {
            Delays::measured()
        };
        Self(CoreFleet::with_delays((**inventory.core()).clone(), delays))
    }

    /// Lets so many seconds pass. Raises `ValueError` when that is negative or no number.
    fn advance(&self, py: Python<'_>, seconds: f64) -> PyResult<()> {
        let duration = Duration::try_from_secs_f64(seconds);
        let duration = duration.map_err(|error| PyValueError::new_err(format!("seconds: {error}")))?;
        py.detach(|| self.0.advance(duration));
        Ok(())
    }

    /// Its time (RFC 3339).
    #[getter]
    fn now(&self) -> String {
        self.0.clock().now().to_string()
    }

    /// Makes a cluster die; it is noticed later. Raises `KeyError` for a cluster that the fleet does not have.
    fn kill(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.cluster(py, cluster)?;
        py.detach(|| self.0.kill(&cluster));
        Ok(())
    }

    /// Brings a dead cluster back; it is noticed later. Raises `KeyError` for a cluster that the fleet does not have.
    fn restore(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.cluster(py, cluster)?;
        py.detach(|| self.0.restore(&cluster));
        Ok(())
    }

    /// Keeps new work off a cluster; work that is there stays. Raises `KeyError` for a cluster that it does not have.
    fn drain(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.cluster(py, cluster)?;
        py.detach(|| self.0.drain(&cluster));
        Ok(())
    }

    /// Ends `drain`. Raises `KeyError` for a cluster that the fleet does not have.
    fn undrain(&self, py: Python<'_>, cluster: &str) -> PyResult<()> {
        let cluster = self.cluster(py, cluster)?;
        py.detach(|| self.0.undrain(&cluster));
        Ok(())
    }

    /// The fleet as it reports itself now.
    fn inventory(&self, py: Python<'_>) -> PyResult<Inventory> {
        let inventory = block_on(py, self.0.inventory());
        inventory
            .map(Inventory::new)
            .map_err(|failed| error::backend(py, &failed))
    }

    /// What runs, by `project/graph/service`: the clusters, and the replicas that are ready there.
    fn releases(&self, py: Python<'_>) -> PyResult<BTreeMap<String, BTreeMap<String, u32>>> {
        let observed = block_on(py, self.0.observe(&Scope::All));
        let observed = observed.map_err(|failed| error::backend(py, &failed))?;
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

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let clusters = count(self.inventory(py)?.core().clusters.len(), "cluster");
        Ok(format!("<smo.InMemoryFleet of {clusters} at {}>", self.now()))
    }
}
