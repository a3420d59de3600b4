//! Carrying plans out, without `async`: every call returns when it is done, and does not hold the interpreter meanwhile.

mod patience;
mod report;

pub(crate) use patience::Patience;
pub(crate) use report::{
    AlertOutcome, ApplyReport, Deployment, GraphStatus, ReconcileReport, ServiceStatus, Step,
};

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use smo_core::backend::FiringAlert;
use smo_core::cluster::Inventory;
use smo_core::id::{GraphKey, Project, ServiceKey};
use smo_core::orchestrator::{self as core, AlertNotice, AlertState, OrchestratorError};
use smo_core::plan::{Fingerprint, Planner as CorePlanner};

use crate::backend::{AlertBackend, DashboardBackend, Fleet, FleetPort, MetricsBackend, StateStore};
use crate::cluster::{ObservedState, headroom};
use crate::convert::{assignment, moment, parse};
use crate::error;
use crate::graph::ApplicationGraph;
use crate::placement::Cause;
use crate::plan::{ChangeSet, DeploymentPlan, Planner, Raised};
use crate::runtime::{Port, ask, block_on};
use crate::scaling::{Autoscaler, ScalingReport};

/// Carries plans out on a fleet, and keeps them carried out.
///
/// `fleet` is an `InMemoryFleet` or a `smo.karmada.KarmadaFleet`. `alerts`, `dashboards`, `metrics` and `store` are the
/// other ports; those not given are served from memory, and so end with the process. Without `alerts`, alerts come in
/// through `on_alert` only. `releases_at_once` is how many releases of a wave are written at the same time, at
/// least one: the services of a wave do not wait for one another. `headroom_percent` of every cluster that says nothing of its
/// own is kept free by decisions, and of some resources at least so much (`headroom_at_least`, quantities); without either it is
/// left to the fleet.
///
/// A graph is named by its id (in `project`), by `project/graph`, by the `ApplicationGraph`, or by a plan of it. Time
/// is that of the fleet: waiting for services to become healthy moves the clock of an `InMemoryFleet`.
///
/// Every method returns when it is done, and lets other threads run meanwhile; `smo.aio` has the same for asyncio. Ctrl-c
/// ends a method; the operation is then carried on by `reconcile` once its lease (`Patience.healthy`) has ended.
///
/// Raises `OrchestratorError` when an operation is not done (its `report`, where there is one, says which step failed),
/// a `BackendError` when the fleet fails, and what `plan` raises.
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
    core: Port<core::Orchestrator>,
    fleet: Port<Arc<dyn FleetPort>>,
    project: Project,
}

impl Orchestrator {
    /// Runs one operation to its end.
    fn run<T: Send>(
        py: Python<'_>,
        operation: impl Future<Output = Result<T, OrchestratorError>> + Send,
        cause: &Cause,
    ) -> PyResult<T> {
        block_on(py, operation)?.map_err(|failed| error::orchestrator(py, failed, cause.take()))
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
        raised: &Raised,
    ) -> PyResult<(Inventory, CorePlanner)> {
        let fleet = self.fleet.get()?;
        let inventory = ask(py, async move { fleet.inventory().await })?;
        let planner = match planner {
            Some(planner) => planner.core(py, raised),
            None => CorePlanner::new().with_project(self.project.clone()),
        };
        Ok((inventory, planner))
    }

    fn service(&self, name: &str) -> PyResult<ServiceKey> {
        let key = match name.split('/').count() {
            3 => parse(name),
            2 => parse(&format!("{}/{name}", self.project)),
            _ => {
                return Err(PyValueError::new_err(format!(
                    "{name}: write project/graph/service, or graph/service"
                )));
            }
        };
        key.map_err(|_| PyValueError::new_err(format!("{name} is no service: its parts are DNS labels")))
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

// A number where it is written, so that Python can show it.
const _: () = assert!(core::OrchestratorBuilder::AT_ONCE == 16);

#[pymethods]
impl Orchestrator {
    #[new]
    #[pyo3(signature = (fleet, *, project = "default", patience = None, alerts = None, dashboards = None, metrics = None, store = None, releases_at_once = 16, headroom_percent = 0, headroom_at_least = None))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        fleet: &Fleet,
        project: &str,
        patience: Option<&Patience>,
        alerts: Option<&AlertBackend>,
        dashboards: Option<&DashboardBackend>,
        metrics: Option<&MetricsBackend>,
        store: Option<&StateStore>,
        releases_at_once: usize,
        headroom_percent: u32,
        headroom_at_least: Option<BTreeMap<String, Bound<'_, PyAny>>>,
    ) -> PyResult<Self> {
        let project = parse(project)?;
        if releases_at_once == 0 {
            return Err(PyValueError::new_err("releases_at_once is 1 or more"));
        }
        let headroom = headroom(headroom_percent, headroom_at_least)?;
        let fleet = fleet.port().clone();
        let builder = fleet.get()?.orchestrator();
        let mut builder = builder.with_releases_at_once(releases_at_once);
        if !headroom.is_none() {
            builder = builder.with_headroom(headroom);
        }
        if let Some(patience) = patience {
            builder = builder.with_patience(patience.0);
        }
        if let Some(alerts) = alerts {
            builder = alerts.port()?.give(builder);
        }
        if let Some(dashboards) = dashboards {
            builder = dashboards.port()?.give(builder);
        }
        if let Some(metrics) = metrics {
            builder = metrics.port()?.give(builder);
        }
        if let Some(store) = store {
            builder = store.port()?.give(builder);
        }
        Ok(Self {
            core: fleet.map(|_| builder.build())?,
            fleet,
            project,
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
        let raised = Raised::default();
        let (inventory, planner) = self.prepare(py, planner, &raised)?;
        let (core, graph) = (self.core.get()?, Arc::clone(graph.core()));
        let done = async move { core.deploy(&graph, &planner).await };
        let done = Self::run(py, done, &raised.placer).map_err(|error| raised.take().unwrap_or(error))?;
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
        let raised = Raised::default();
        let (inventory, planner) = self.prepare(py, planner, &raised)?;
        let (core, graph) = (self.core.get()?, Arc::clone(graph.core()));
        let done = async move { core.replan(&graph, &planner).await };
        let done = Self::run(py, done, &raised.placer).map_err(|error| raised.take().unwrap_or(error))?;
        Deployment::new(py, done, inventory)
    }

    /// Changes on which clusters a service runs, with how many replicas, and remembers it: `{"edge-1": 2, "edge-2": 1}`. An
    /// empty dict scales to zero. `service` is `project/graph/service`, or `graph/service` in the orchestrator's project.
    ///
    /// Raises `OrchestratorError` (`NotInstalled`) for a service that is not known or does not run.
    fn scale(&self, py: Python<'_>, service: &str, clusters: &Bound<'_, PyAny>) -> PyResult<()> {
        let (core, service) = (self.core.get()?, self.service(service)?);
        let clusters = assignment(clusters)?;
        Self::act(py, async move { core.scale(&service, &clusters).await })
    }

    /// One step of scaling by load, at the time of the fleet: observes replicas, room and owners of counts, measures load by
    /// the metrics, lets the controller decide, sets the counts that change, and places graphs again whose load does not
    /// fit where they run. The report says when to call again.
    ///
    /// A sample that is missing is never read as no load, and a count that an autoscaler of somebody else sets, or that a
    /// person has changed, is left alone: the step says so. What fails for one service is in the report.
    ///
    /// Raises `InvalidScaling` when what was observed makes no sense, `ScalerError` when the scaler is wrong or raises, a
    /// `BackendError` when the store or the fleet fails.
    fn autoscale(&self, py: Python<'_>, autoscaler: &Autoscaler) -> PyResult<ScalingReport> {
        let (core, now) = (self.core.get()?, self.fleet.get()?.timer().now());
        let scaled = Arc::clone(autoscaler.core());
        let step = async move { core.autoscale(&scaled, now).await };
        Self::run(py, step, autoscaler.cause()).map(ScalingReport)
    }

    /// What `apply` would do to what runs now.
    fn diff(&self, py: Python<'_>, plan: &DeploymentPlan) -> PyResult<ChangeSet> {
        let (core, plan) = (self.core.get()?, Arc::clone(plan.core()));
        ask(py, async move { core.diff(&plan).await }).map(ChangeSet)
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
        let (core, plan) = (self.core.get()?, Arc::clone(plan.core()));
        let changes = changes.map(|changes| changes.0.clone());
        let apply = async move {
            match changes {
                Some(changes) => core.apply_unless_changed(&plan, &changes).await,
                None => core.apply(&plan).await,
            }
        };
        Self::act(py, apply).map(ApplyReport)
    }

    /// Takes the services of a graph down; `start` brings them back.
    fn stop(&self, graph: &Bound<'_, PyAny>) -> PyResult<ApplyReport> {
        let (core, key) = (self.core.get()?, self.key(graph)?);
        Self::act(graph.py(), async move { core.stop(&key).await }).map(ApplyReport)
    }

    /// Brings a stopped graph back.
    fn start(&self, graph: &Bound<'_, PyAny>) -> PyResult<ApplyReport> {
        let (core, key) = (self.core.get()?, self.key(graph)?);
        Self::act(graph.py(), async move { core.start(&key).await }).map(ApplyReport)
    }

    /// Takes a graph down and forgets it.
    fn remove(&self, graph: &Bound<'_, PyAny>) -> PyResult<ApplyReport> {
        let (core, key) = (self.core.get()?, self.key(graph)?);
        Self::act(graph.py(), async move { core.remove(&key).await }).map(ApplyReport)
    }

    /// How a graph does, by what runs now.
    fn status(&self, graph: &Bound<'_, PyAny>) -> PyResult<GraphStatus> {
        let (core, key) = (self.core.get()?, self.key(graph)?);
        Self::act(graph.py(), async move { core.status(&key).await }).map(GraphStatus)
    }

    /// What runs of a graph, for `DeploymentPlan.diff` and `current`.
    fn observe(&self, graph: &Bound<'_, PyAny>) -> PyResult<ObservedState> {
        let (core, key) = (self.core.get()?, self.key(graph)?);
        ask(graph.py(), async move { core.observe(&key).await }).map(ObservedState)
    }

    /// Every graph that is known, as `project/graph`.
    fn graphs(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        let core = self.core.get()?;
        let graphs = ask(py, async move { core.graphs().await })?;
        Ok(graphs.iter().map(ToString::to_string).collect())
    }

    /// Takes word of an alert, as a webhook brings it: its labels, `alertname` included. A service that waits for it is
    /// installed. `firing` is false for an alert that has ended; `starts_at` (RFC 3339) is now unless said, and tells an alert that
    /// is delivered again from one that fires anew.
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
            Some(text) => moment(text)?,
            None => self.fleet.get()?.timer().now(),
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
        let core = self.core.get()?;
        let outcomes = ask(py, async move { core.on_alerts(&[notice]).await })?;
        let outcome = outcomes.first().unwrap_or(&core::AlertOutcome::NotOurs);
        Ok(AlertOutcome::from(outcome))
    }

    /// One step of keeping everything as it should be, at the time of the fleet. The report says when to call again.
    fn reconcile(&self, py: Python<'_>) -> PyResult<ReconcileReport> {
        let (core, now) = (self.core.get()?, self.fleet.get()?.timer().now());
        ask(py, async move { core.reconcile(now).await }).map(ReconcileReport)
    }

    fn __repr__(&self) -> String {
        format!("<smo.Orchestrator for project {}>", self.project)
    }
}
