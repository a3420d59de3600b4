//! Carrying plans out, without `async`: every call returns when it is done, and does not hold the interpreter meanwhile.

mod report;

pub(crate) use report::{
    AlertOutcome, ApplyReport, Deployment, GraphStatus, ReconcileReport, ServiceStatus, Step,
};

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use smo_core::backend::{Clock, ClusterBackend, FiringAlert};
use smo_core::cluster::Inventory;
use smo_core::id::{GraphKey, Project};
use smo_core::orchestrator::{self as core, AlertNotice, AlertState, OrchestratorError};
use smo_core::plan::{Fingerprint, Planner as CorePlanner};

use crate::backend::{InMemoryFleet, block_on};
use crate::cluster::ObservedState;
use crate::convert::parse;
use crate::error;
use crate::graph::ApplicationGraph;
use crate::placement::Cause;
use crate::plan::{ChangeSet, DeploymentPlan, Planner};

/// Carries plans out on a fleet, and keeps them carried out.
///
/// A graph is named by its id (in `project`), by `project/graph`, by the `ApplicationGraph`, or by a plan of it. Time
/// is that of the fleet: waiting for services to become healthy moves its clock.
///
/// Raises `OrchestratorError` when an operation is not done (its `report`, where there is one, says which step failed),
/// `BackendError` when the fleet fails, and what `plan` raises.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.InMemoryFleet(
/// ...     smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// ... )
/// >>> orchestrator = smo.Orchestrator(fleet)
/// >>> deployment = orchestrator.deploy(graph)
/// >>> orchestrator.status(graph).state
/// 'running'
#[pyclass(module = "smo", frozen)]
pub(crate) struct Orchestrator {
    core: core::Orchestrator,
    fleet: smo_core::backend::memory::InMemoryFleet,
    project: Project,
}

impl Orchestrator {
    /// Runs one operation to its end.
    fn run<T: Send>(
        py: Python<'_>,
        operation: impl Future<Output = Result<T, OrchestratorError>> + Send,
        cause: &Cause,
    ) -> PyResult<T> {
        block_on(py, operation).map_err(|failed| error::orchestrator(py, failed, cause.take()))
    }

    fn act<T: Send>(
        py: Python<'_>,
        operation: impl Future<Output = Result<T, OrchestratorError>> + Send,
    ) -> PyResult<T> {
        Self::run(py, operation, &Cause::default())
    }

    /// The fleet as it is now, for the picture of a plan, and a planner.
    fn prepare(
        &self,
        py: Python<'_>,
        planner: Option<&Planner>,
        cause: &Cause,
    ) -> PyResult<(Inventory, CorePlanner)> {
        let inventory = block_on(py, self.fleet.inventory());
        let inventory = inventory.map_err(|failed| error::backend(py, &failed))?;
        let planner = match planner {
            Some(planner) => planner.core(py, cause),
            None => CorePlanner::new().with_project(self.project.clone()),
        };
        Ok((inventory, planner))
    }

    fn key(&self, graph: &Bound<'_, PyAny>) -> PyResult<GraphKey> {
        if let Ok(plan) = graph.cast::<DeploymentPlan>() {
            return Ok(plan.get().core().graph.clone());
        }
        if let Ok(graph) = graph.cast::<ApplicationGraph>() {
            return Ok(GraphKey::new(
                self.project.clone(),
                graph.get().core().id().clone(),
            ));
        }
        let Ok(name) = graph.cast::<PyString>() else {
            let found = graph.get_type().name()?;
            let message = format!("graph is a str, an ApplicationGraph or a DeploymentPlan, not {found}");
            return Err(PyTypeError::new_err(message));
        };
        let name: String = name.extract()?;
        match name.split_once('/') {
            Some((project, graph)) => Ok(GraphKey::new(parse(project)?, parse(graph)?)),
            None => Ok(GraphKey::new(self.project.clone(), parse(&name)?)),
        }
    }
}

#[pymethods]
impl Orchestrator {
    #[new]
    #[pyo3(signature = (fleet, *, project = "default"))]
    fn new(fleet: &InMemoryFleet, project: &str) -> PyResult<Self> {
        let fleet = fleet.core().clone();
        Ok(Self {
            core: core::Orchestrator::builder(fleet.clone(), fleet.clock()).build(),
            fleet,
            project: parse(project)?,
        })
    }

    /// Plans a graph for the fleet as it is now, and applies the plan. Returns when everything is healthy.
    #[pyo3(signature = (graph, planner = None))]
    fn deploy(
        &self,
        py: Python<'_>,
        graph: &ApplicationGraph,
        planner: Option<&Planner>,
    ) -> PyResult<Deployment> {
        let cause = Cause::default();
        let (inventory, planner) = self.prepare(py, planner, &cause)?;
        let graph = Arc::clone(graph.core());
        let done = Self::run(
            py,
            async move { self.core.deploy(&graph, &planner).await },
            &cause,
        )?;
        Deployment::new(py, done, inventory)
    }

    /// Plans a graph that runs again, for the fleet as it is now, and applies the plan.
    #[pyo3(signature = (graph, planner = None))]
    fn replan(
        &self,
        py: Python<'_>,
        graph: &ApplicationGraph,
        planner: Option<&Planner>,
    ) -> PyResult<Deployment> {
        let cause = Cause::default();
        let (inventory, planner) = self.prepare(py, planner, &cause)?;
        let graph = Arc::clone(graph.core());
        let done = Self::run(
            py,
            async move { self.core.replan(&graph, &planner).await },
            &cause,
        )?;
        Deployment::new(py, done, inventory)
    }

    /// What `apply` would do to what runs now.
    fn diff(&self, py: Python<'_>, plan: &DeploymentPlan) -> PyResult<ChangeSet> {
        let plan = Arc::clone(plan.core());
        let changes = block_on(py, async move { self.core.diff(&plan).await });
        changes
            .map(ChangeSet)
            .map_err(|failed| error::backend(py, &failed))
    }

    /// Brings a plan about: installs a graph that does not run, changes one that does. A step that fails is taken back.
    ///
    /// With `changes`, what `diff` gave, nothing is done when what runs has changed since.
    #[pyo3(signature = (plan, changes = None))]
    fn apply(
        &self,
        py: Python<'_>,
        plan: &DeploymentPlan,
        changes: Option<&ChangeSet>,
    ) -> PyResult<ApplyReport> {
        let plan = Arc::clone(plan.core());
        let changes = changes.map(|changes| changes.0.clone());
        let apply = async move {
            match changes {
                Some(changes) => self.core.apply_unless_changed(&plan, &changes).await,
                None => self.core.apply(&plan).await,
            }
        };
        Self::act(py, apply).map(ApplyReport)
    }

    /// Takes the services of a graph down; `start` brings them back.
    fn stop(&self, graph: &Bound<'_, PyAny>) -> PyResult<ApplyReport> {
        let key = self.key(graph)?;
        Self::act(graph.py(), async move { self.core.stop(&key).await }).map(ApplyReport)
    }

    /// Brings a stopped graph back.
    fn start(&self, graph: &Bound<'_, PyAny>) -> PyResult<ApplyReport> {
        let key = self.key(graph)?;
        Self::act(graph.py(), async move { self.core.start(&key).await }).map(ApplyReport)
    }

    /// Takes a graph down and forgets it.
    fn remove(&self, graph: &Bound<'_, PyAny>) -> PyResult<ApplyReport> {
        let key = self.key(graph)?;
        Self::act(graph.py(), async move { self.core.remove(&key).await }).map(ApplyReport)
    }

    /// How a graph does, by what runs now.
    fn status(&self, graph: &Bound<'_, PyAny>) -> PyResult<GraphStatus> {
        let key = self.key(graph)?;
        Self::act(graph.py(), async move { self.core.status(&key).await }).map(GraphStatus)
    }

    /// What runs of a graph, for `DeploymentPlan.diff` and `current`.
    fn observe(&self, graph: &Bound<'_, PyAny>) -> PyResult<ObservedState> {
        let key = self.key(graph)?;
        let py = graph.py();
        let observed = block_on(py, async move { self.core.observe(&key).await });
        observed
            .map(ObservedState)
            .map_err(|failed| error::backend(py, &failed))
    }

    /// Every graph that is known, as `project/graph`.
    fn graphs(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let graphs = block_on(py, self.core.graphs());
        let graphs = graphs.map_err(|failed| error::backend(py, &failed))?;
        Ok(graphs.iter().map(ToString::to_string).collect())
    }

    /// Takes word of an alert, as a webhook brings it: its labels, `alertname` included. A service that waits for it is
    /// installed. `firing` is false for an alert that has ended; `starts_at` (RFC 3339) is now unless said.
    ///
    /// Raises `ValueError` when `starts_at` is no moment in time.
    #[pyo3(signature = (labels, *, firing = true, starts_at = None))]
    fn on_alert(
        &self,
        py: Python<'_>,
        labels: BTreeMap<String, String>,
        firing: bool,
        starts_at: Option<&str>,
    ) -> PyResult<AlertOutcome> {
        let starts_at = match starts_at {
            Some(text) => text.parse().map_err(|_| {
                let message = format!("{text} is no moment in time, such as 2026-11-24T10:00:00Z");
                PyValueError::new_err(message)
            })?,
            None => self.fleet.clock().now(),
        };
        let fingerprint = Fingerprint::of(&labels).as_str().to_owned();
        let alert = FiringAlert {
            labels,
            starts_at,
            fingerprint,
        };
        let state = if firing {
            AlertState::Firing
        } else {
            AlertState::Resolved
        };
        let notice = AlertNotice { state, alert };
        let outcomes = block_on(py, async move { self.core.on_alerts(&[notice]).await });
        let outcomes = outcomes.map_err(|failed| error::backend(py, &failed))?;
        let outcome = outcomes.first().unwrap_or(&core::AlertOutcome::NotOurs);
        Ok(AlertOutcome::from(outcome))
    }

    /// One step of keeping everything as it should be, at the time of the fleet. The report says when to call again.
    fn reconcile(&self, py: Python<'_>) -> PyResult<ReconcileReport> {
        let now = self.fleet.clock().now();
        let report = block_on(py, self.core.reconcile(now));
        report
            .map(ReconcileReport)
            .map_err(|failed| error::backend(py, &failed))
    }

    fn __repr__(&self) -> String {
        format!("<smo.Orchestrator for project {}>", self.project)
    }
}
