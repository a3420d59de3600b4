//! From a graph and a fleet to a plan.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use smo_core::graph::ApplicationGraph as CoreGraph;
use smo_core::id::{GraphKey, Project};
use smo_core::intent::{Catalog as CoreCatalog, translate};
use smo_core::placement::Placement;
use smo_core::plan as core;

use super::refine::{Careful, refine};
use super::{DeploymentPlan, Raised, ValuesContract};
use crate::cluster::Inventory;
use crate::convert::parse;
use crate::error;
use crate::graph::ApplicationGraph;
use crate::intent::Catalog;
use crate::placement::{Cause, Choice, Goals, Names, Placer, Watcher, current_placement};

/// Makes plans with one set of choices: the project (Kubernetes namespace), the placer, the goals, the catalogue, the
/// values contract of the charts.
///
/// Without `placer`, `AutoPlacer()` decides. Without `goals`, those of `Goals()` count, carbon ten times for a graph that
/// asks for energy efficiency. Raises `ValueError` for a project that is no DNS label.
///
/// `refine` is called with every `PlacementProblem` that the planner poses, and returns the one that is decided: what
/// descriptors and fleets cannot say is said here. It keeps the services and their replicas, asks for no less per replica,
/// and adds no cluster; otherwise there is a `PlanError`. What it raises, or a rule or goal that it adds, is raised by
/// whoever plans.
///
/// >>> import smo
/// >>> smo.Planner(project="prod", placer=smo.FirstFit())
/// <smo.Planner for project prod, with first fit>
/// >>> services = [{"id": id, "artifact": {"ociImage": f"oci://r.io/shop/{id}"}} for id in ("web", "standby")]
/// >>> graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": services}}).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": name, "allocatable": size} for name in ("edge-1", "edge-2")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> apart = smo.Planner(refine=lambda problem: problem.with_anti_affinity(["web", "standby"]))
/// >>> sorted(cluster for placed in apart.plan(graph, fleet).placement.values() for cluster in placed.clusters)
/// ['edge-1', 'edge-2']
#[pyclass(module = "smo", frozen)]
pub(crate) struct Planner {
    project: Project,
    placer: Choice,
    goals: Option<smo_core::placement::Goals>,
    catalog: CoreCatalog,
    contract: core::ValuesContract,
    refine: Option<Py<PyAny>>,
}

impl Planner {
    pub(crate) fn with(
        project: &str,
        placer: Option<&Bound<'_, Placer>>,
        goals: Option<&Goals>,
        catalog: Option<&Catalog>,
        contract: Option<&ValuesContract>,
        refine: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        if let Some(other) = refine.filter(|refine| !refine.is_callable()) {
            let found = other.get_type().name()?;
            let message = format!("refine is a function of a PlacementProblem, not {found}");
            return Err(PyTypeError::new_err(message));
        }
        Ok(Self {
            project: parse(project)?,
            placer: Choice::new(placer)?,
            goals: goals.map(|goals| goals.0.clone()),
            catalog: catalog.map(|catalog| catalog.core().clone()).unwrap_or_default(),
            contract: contract.map(|contract| contract.0.clone()).unwrap_or_default(),
            refine: refine.map(|refine| refine.clone().unbind()),
        })
    }

    /// The core's planner; `raised` is told what Python code raises.
    pub(crate) fn core(&self, py: Python<'_>, raised: &Raised) -> core::Planner {
        let placer = self.placer.open(py, &raised.placer);
        let mut planner = core::Planner::new()
            .with_project(self.project.clone())
            .with_catalog(self.catalog.clone())
            .with_values_contract(self.contract.clone());
        if let Some(goals) = &self.goals {
            planner = planner.with_goals(goals.clone());
        }
        let Some(callable) = &self.refine else {
            return planner.with_placer(placer);
        };
        let careful = Careful {
            placer,
            raised: raised.clone(),
        };
        let (callable, raised) = (callable.clone_ref(py), raised.clone());
        planner
            .with_placer(Box::new(careful))
            .with_refinement(move |problem| refine(&callable, problem, &raised))
    }

    fn current(
        &self,
        py: Python<'_>,
        graph: &CoreGraph,
        current: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Placement> {
        let needs = translate(graph, &self.catalog).map_err(|failed| error::translate(py, &failed))?;
        let key = GraphKey::new(self.project.clone(), graph.id().clone());
        let services = needs.services.iter();
        let names = Names::new(services.map(|(id, service)| (key.service(id.clone()), service.replicas)));
        current_placement(current, &names)
    }
}

#[pymethods]
impl Planner {
    #[new]
    #[pyo3(signature = (*, project = "default", placer = None, goals = None, catalog = None, values_contract = None, refine = None))]
    fn new(
        project: &str,
        placer: Option<&Bound<'_, Placer>>,
        goals: Option<&Goals>,
        catalog: Option<&Catalog>,
        values_contract: Option<&ValuesContract>,
        refine: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        Self::with(project, placer, goals, catalog, values_contract, refine)
    }

    /// The project it plans for.
    #[getter]
    fn project(&self) -> &str {
        self.project.as_str()
    }

    /// Plans `graph` for `fleet`. `current` says where its services run now; `seconds` and `watch` end the search; see `plan`.
    #[pyo3(signature = (graph, fleet, *, current = None, seconds = None, watch = None))]
    pub(crate) fn plan(
        &self,
        py: Python<'_>,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        current: Option<&Bound<'_, PyAny>>,
        seconds: Option<f64>,
        watch: Option<Py<PyAny>>,
    ) -> PyResult<DeploymentPlan> {
        let current = self.current(py, graph.core(), current)?;
        let raised = Raised::default();
        let planner = self.core(py, &raised);
        let (graph, fleet) = (Arc::clone(graph.core()), Arc::clone(fleet.core()));
        let seen = Arc::clone(&fleet);
        let stopped = Cause::default();
        let watcher = Watcher::new(seconds, watch, stopped.clone())?;
        let planned = py.detach(move || {
            let mut watch = |progress: &_| watcher.goes_on(progress);
            planner.replan_watched(&graph, &fleet, &current, &BTreeMap::new(), &mut watch)
        });
        if let Some(raised) = stopped.take().or_else(|| raised.take()) {
            return Err(raised);
        }
        match planned {
            Ok(plan) => Ok(DeploymentPlan::new(plan, seen)),
            Err(failed) => Err(error::plan(py, failed, raised.placer.take())),
        }
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.Planner for project {}, with {}>",
            self.project,
            self.placer.name()
        )
    }
}

/// The complete desired state of `graph` on `fleet`: where every service runs and why, and everything that is written.
///
/// The same graph and fleet give the same plan. `current` says where the services run now, so that moves count and what
/// they hold is theirs: a plan, a decision, an `ObservedState`, or a dict from service to cluster. `refine` is called with the
/// `PlacementProblem` and returns the one that is decided; see `Planner`. `seconds` and `watch` end the search early, as in
/// `place`.
///
/// Raises `Infeasible` when no placement is found, `TranslateError` for a class that the catalogue does not have,
/// `PlacerError` when the placer is wrong or fails, `PlanError` when the designer's values are in the way or `refine`
/// makes another question of it, `ValueError` for a `project` or a `current` that makes no sense, and what `refine` or `watch` raises.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet).services["web"].values["clustersAffinity"]
/// ['edge-1']
#[pyfunction]
#[pyo3(signature = (graph, fleet, *, project = "default", placer = None, goals = None, catalog = None, values_contract = None, current = None, refine = None, seconds = None, watch = None))]
#[allow(clippy::too_many_arguments)]
pub(crate) fn plan(
    py: Python<'_>,
    graph: &ApplicationGraph,
    fleet: &Inventory,
    project: &str,
    placer: Option<&Bound<'_, Placer>>,
    goals: Option<&Goals>,
    catalog: Option<&Catalog>,
    values_contract: Option<&ValuesContract>,
    current: Option<&Bound<'_, PyAny>>,
    refine: Option<&Bound<'_, PyAny>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<DeploymentPlan> {
    Planner::with(project, placer, goals, catalog, values_contract, refine)?
        .plan(py, graph, fleet, current, seconds, watch)
}
