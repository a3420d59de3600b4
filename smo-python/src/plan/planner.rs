//! From a graph and a fleet to a plan.

use std::sync::Arc;

use pyo3::prelude::*;
use smo_core::graph::ApplicationGraph as CoreGraph;
use smo_core::id::{GraphKey, Project};
use smo_core::intent::{Catalog as CoreCatalog, translate};
use smo_core::placement::Placement;
use smo_core::plan as core;

use super::{DeploymentPlan, ValuesContract};
use crate::cluster::Inventory;
use crate::convert::parse;
use crate::error;
use crate::graph::ApplicationGraph;
use crate::intent::Catalog;
use crate::placement::{Cause, Choice, Goals, Names, Placer, current_placement};

/// Makes plans with one set of choices: the project (Kubernetes namespace), the placer, the goals, the catalogue, the
/// values contract of the charts.
///
/// Without `placer`, `AutoPlacer()` decides. Without `goals`, those of `Goals()` count, carbon ten times for a graph that
/// asks for energy efficiency. Raises `ValueError` for a project that is no DNS label.
///
/// >>> import smo
/// >>> smo.Planner(project="prod", placer=smo.FirstFit())
/// <smo.Planner for project prod, with first fit>
#[pyclass(module = "smo", frozen)]
pub(crate) struct Planner {
    project: Project,
    placer: Choice,
    goals: Option<smo_core::placement::Goals>,
    catalog: CoreCatalog,
    contract: core::ValuesContract,
}

impl Planner {
    pub(crate) fn with(
        project: &str,
        placer: Option<&Bound<'_, Placer>>,
        goals: Option<&Goals>,
        catalog: Option<&Catalog>,
        contract: Option<&ValuesContract>,
    ) -> PyResult<Self> {
        Ok(Self {
            project: parse(project)?,
            placer: Choice::new(placer)?,
            goals: goals.map(|goals| goals.0.clone()),
            catalog: catalog.map(|catalog| catalog.core().clone()).unwrap_or_default(),
            contract: contract.map(|contract| contract.0.clone()).unwrap_or_default(),
        })
    }

    /// The core's planner; `cause` is told what the code of a Python placer raises.
    pub(crate) fn core(&self, py: Python<'_>, cause: &Cause) -> core::Planner {
        let planner = core::Planner::new()
            .with_project(self.project.clone())
            .with_placer(self.placer.open(py, cause))
            .with_catalog(self.catalog.clone())
            .with_values_contract(self.contract.clone());
        match &self.goals {
            Some(goals) => planner.with_goals(goals.clone()),
            None => planner,
        }
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
    #[pyo3(signature = (*, project = "default", placer = None, goals = None, catalog = None, values_contract = None))]
    fn new(
        project: &str,
        placer: Option<&Bound<'_, Placer>>,
        goals: Option<&Goals>,
        catalog: Option<&Catalog>,
        values_contract: Option<&ValuesContract>,
    ) -> PyResult<Self> {
        Self::with(project, placer, goals, catalog, values_contract)
    }

    /// The project it plans for.
    #[getter]
    fn project(&self) -> &str {
        self.project.as_str()
    }

    /// Plans `graph` for `fleet`. `current` says where its services run now; see `plan`.
    #[pyo3(signature = (graph, fleet, *, current = None))]
    pub(crate) fn plan(
        &self,
        py: Python<'_>,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        current: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<DeploymentPlan> {
        let current = self.current(py, graph.core(), current)?;
        let cause = Cause::default();
        let planner = self.core(py, &cause);
        let (graph, fleet) = (Arc::clone(graph.core()), Arc::clone(fleet.core()));
        let seen = Arc::clone(&fleet);
        let planned = py.detach(move || planner.replan(&graph, &fleet, &current));
        match planned {
            Ok(plan) => Ok(DeploymentPlan::new(plan, seen)),
            Err(failed) => Err(error::plan(py, failed, cause.take())),
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
/// they hold is theirs: a plan, a decision, an `ObservedState`, or a dict from service to cluster.
///
/// Raises `Infeasible` when no placement is found, `TranslateError` for a class that the catalogue does not have,
/// `PlacerError` when the placer is wrong or fails, `PlanError` when the designer's values are in the way, `ValueError`
/// for a `project` or a `current` that makes no sense.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> smo.plan(graph, fleet).services["web"].values["clustersAffinity"]
/// ['edge-1']
#[pyfunction]
#[pyo3(signature = (graph, fleet, *, project = "default", placer = None, goals = None, catalog = None, values_contract = None, current = None))]
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
) -> PyResult<DeploymentPlan> {
    Planner::with(project, placer, goals, catalog, values_contract)?.plan(py, graph, fleet, current)
}
