//! From a graph and a fleet to a plan: translate, pose, decide, write values.

use std::collections::BTreeMap;
use std::error::Error;

use indexmap::IndexMap;

use super::imports::{exports, imports};
use super::lint::lint;
use super::refinement::{self, Refinement};
use super::{
    AlertGroup, AlertRule, Dashboard, DeploymentPlan, Fingerprint, PlanError, ReleaseSpec, ServiceImport,
    ServicePlan, Start, Target, ValuesContract,
};
use crate::cluster::Inventory;
use crate::graph::{ApplicationGraph, Service, Trigger};
use crate::id::{ClusterName, GraphKey, Project, ServiceId};
use crate::intent::{Catalog, Requirements, translate};
use crate::placement::{
    AutoPlacer, Decision, Goals, Outcome, Placement, PlacementProblem, Placer, Watch, Weight, decide,
    decide_watched,
};

/// Makes plans. Pure: the same graph and fleet give the same plan, byte for byte.
///
/// ```
/// use smo_core::cluster::Inventory;
/// use smo_core::descriptor::Descriptor;
/// use smo_core::plan::Planner;
///
/// let graph = Descriptor::parse(
///     "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://registry.example.com/shop/web'}}]}",
/// )?
/// .validate()?;
/// let fleet = Inventory::parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")?;
/// let plan = Planner::new().plan(&graph, &fleet)?;
/// assert_eq!(plan.services["web"].release.values["clustersAffinity"][0], "edge-1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Planner {
    project: Project,
    placer: Box<dyn Placer>,
    goals: Option<Goals>,
    catalog: Catalog,
    contract: ValuesContract,
    refinements: Vec<Refinement>,
}

impl Default for Planner {
    fn default() -> Self {
        Self::new()
    }
}

impl Planner {
    /// A planner for the project `default`, with [`AutoPlacer`], [`Goals::default`], and the default catalogue.
    #[must_use]
    pub fn new() -> Self {
        Self {
            project: Project::default(),
            placer: Box::new(AutoPlacer::default()),
            goals: None,
            catalog: Catalog::default(),
            contract: ValuesContract::default(),
            refinements: Vec::new(),
        }
    }

    /// The same for another project (Kubernetes namespace).
    #[must_use]
    pub fn with_project(mut self, project: Project) -> Self {
        self.project = project;
        self
    }

    /// The same with another placer.
    #[must_use]
    pub fn with_placer(mut self, placer: Box<dyn Placer>) -> Self {
        self.placer = placer;
        self
    }

    /// The same with other goals. Without this, a graph that asks for energy efficiency is planned with ten times the
    /// default weight of carbon.
    #[must_use]
    pub fn with_goals(mut self, goals: Goals) -> Self {
        self.goals = Some(goals);
        self
    }

    /// The same with another catalogue.
    #[must_use]
    pub fn with_catalog(mut self, catalog: Catalog) -> Self {
        self.catalog = catalog;
        self
    }

    /// The same with other names for the orchestrator's keys in Helm values.
    #[must_use]
    pub fn with_values_contract(mut self, contract: ValuesContract) -> Self {
        self.contract = contract;
        self
    }

    /// The same with a change of every question before it is decided. What descriptors and fleets cannot say is said here:
    /// services that stay apart, traffic, regions, budgets, wishes with prices, rules and goals of the host. Refinements
    /// are applied in the order in which they were given. A graph with static placement has no question.
    ///
    /// Decision, explanation, totals and diagnosis are those of the changed question. A refinement keeps the services and
    /// their replicas (more of these are asked for by [`Planner::replan_with_replicas`]), asks for no less per replica than
    /// the graph, adds no cluster, and leaves [`PlacementProblem::current`] alone. What it says of clusters it answers for.
    /// It should do the same to the same question, as the plan is only as reproducible as that.
    ///
    /// ```
    /// use smo_core::cluster::Inventory;
    /// use smo_core::descriptor::Descriptor;
    /// use smo_core::placement::AntiAffinityGroup;
    /// use smo_core::plan::Planner;
    ///
    /// let graph = Descriptor::parse(
    ///     "hdaGraph: {id: shop, services: [
    ///         {id: web, artifact: {ociImage: 'oci://registry.example.com/shop/web'}},
    ///         {id: standby, artifact: {ociImage: 'oci://registry.example.com/shop/standby'}}]}",
    /// )?
    /// .validate()?;
    /// let fleet = Inventory::parse("fleet: {clusters: [
    ///     {name: edge-1, allocatable: {cpu: 4, memory: 8Gi}},
    ///     {name: edge-2, allocatable: {cpu: 4, memory: 8Gi}}]}")?;
    /// let planner = Planner::new().with_refinement(|problem| {
    ///     let services = problem.services.keys().cloned().collect();
    ///     problem.anti_affinity.push(AntiAffinityGroup { services, ..AntiAffinityGroup::default() });
    ///     Ok(())
    /// });
    /// let plan = planner.plan(&graph, &fleet)?;
    /// assert_ne!(plan.services["web"].release.target, plan.services["standby"].release.target);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_refinement(
        mut self,
        refine: impl Fn(&mut PlacementProblem) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        self.refinements.push(Refinement::new(refine));
        self
    }

    /// The project it plans for.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Plans a graph that does not run yet.
    ///
    /// # Errors
    /// When an intent is unknown, no placement is found, the placer or a refinement fails or is wrong, or values are in the
    /// way.
    pub fn plan(&self, graph: &ApplicationGraph, fleet: &Inventory) -> Result<DeploymentPlan, PlanError> {
        self.replan(graph, fleet, &Placement::new())
    }

    /// Plans a graph whose services run as `current` says (`Placement::from(&observed)`). What they hold is theirs: the
    /// inventory counts it as allocated, and for this decision it is free again.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    pub fn replan(
        &self,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        current: &Placement,
    ) -> Result<DeploymentPlan, PlanError> {
        self.replan_with_replicas(graph, fleet, current, &BTreeMap::new())
    }

    /// The same for services that need more replicas than run, and than the graph asks for, such as those that a load
    /// does not fit into where they are.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    pub fn replan_with_replicas(
        &self,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        current: &Placement,
        replicas: &BTreeMap<ServiceId, u32>,
    ) -> Result<DeploymentPlan, PlanError> {
        self.planned(graph, fleet, current, replicas, None)
    }

    /// As [`Planner::plan`], with `watch` told where the search stands. Once it says `false` the search ends with what it has, as
    /// in [`decide_watched`]: the plan may be dearer, or there is none, which is then not proved.
    ///
    /// # Errors
    /// As [`Planner::plan`].
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use smo_core::cluster::Inventory;
    /// use smo_core::descriptor::Descriptor;
    /// use smo_core::plan::Planner;
    ///
    /// # let text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://registry.example.com/shop/web'}}]}";
    /// # let graph = Descriptor::parse(text)?.validate()?;
    /// # let fleet = Inventory::parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")?;
    /// let deadline = Instant::now() + Duration::from_secs(2);
    /// let plan = Planner::new().plan_watched(&graph, &fleet, &mut |_| Instant::now() < deadline)?;
    /// assert_eq!(plan.services["web"].release.target.to_string(), "edge-1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn plan_watched(
        &self,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        watch: &mut Watch<'_>,
    ) -> Result<DeploymentPlan, PlanError> {
        self.replan_watched(graph, fleet, &Placement::new(), &BTreeMap::new(), watch)
    }

    /// The same for a graph that runs as `current` says, with at least so many `replicas`, if any are given
    /// ([`Planner::replan_with_replicas`]).
    ///
    /// # Errors
    /// As [`Planner::plan`].
    pub fn replan_watched(
        &self,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        current: &Placement,
        replicas: &BTreeMap<ServiceId, u32>,
        watch: &mut Watch<'_>,
    ) -> Result<DeploymentPlan, PlanError> {
        self.planned(graph, fleet, current, replicas, Some(watch))
    }

    fn planned(
        &self,
        graph: &ApplicationGraph,
        fleet: &Inventory,
        current: &Placement,
        replicas: &BTreeMap<ServiceId, u32>,
        watch: Option<&mut Watch<'_>>,
    ) -> Result<DeploymentPlan, PlanError> {
        let key = GraphKey::new(self.project.clone(), graph.id().clone());
        let mut requirements = translate(graph, &self.catalog)?;
        for (id, service) in &mut requirements.services {
            let needed = replicas.get(id).copied().unwrap_or(0);
            service.replicas = service.replicas.max(needed);
        }
        let decision = self.decide(&key, &requirements, fleet, current, watch)?;
        let placed: IndexMap<ServiceId, Vec<ClusterName>> = match &decision {
            Some(decision) => decision
                .placement
                .iter()
                .map(|(key, assignment)| (key.service.clone(), assignment.clusters().cloned().collect()))
                .collect(),
            None => IndexMap::new(),
        };
        let imports = imports(graph, &placed);
        let services = graph
            .services()
            .values()
            .map(|service| {
                let plan = self.service_plan(&key, service, &requirements, decision.as_ref(), &imports)?;
                Ok((service.id.clone(), plan))
            })
            .collect::<Result<_, PlanError>>()?;
        let mut plan = DeploymentPlan {
            graph: key.clone(),
            version: graph.version().cloned(),
            im_version: graph.im_version().to_owned(),
            fleet_observed_at: fleet.observed_at,
            requirements,
            services,
            exports: exports(&imports, &placed),
            imports: imports.into_values().collect(),
            alerts: AlertGroup::of_graph(&key, graph),
            dashboards: Dashboard::of_graph(&key, graph),
            waves: graph.start_waves(),
            decision,
            values_contract: self.contract.clone(),
            notes: Vec::new(),
            fingerprint: Fingerprint::of(&()),
        };
        plan.fingerprint = Fingerprint::of(&(
            &plan.graph,
            &plan.services,
            &plan.imports,
            &plan.alerts,
            &plan.dashboards,
        ));
        plan.notes = lint(&plan, graph, fleet);
        Ok(plan)
    }

    fn decide(
        &self,
        key: &GraphKey,
        requirements: &Requirements,
        fleet: &Inventory,
        current: &Placement,
        watch: Option<&mut Watch<'_>>,
    ) -> Result<Option<Decision>, PlanError> {
        if requirements.static_placement {
            return Ok(None);
        }
        let goals = self.goals.clone().unwrap_or_else(|| default_goals(requirements));
        let posed = PlacementProblem::pose(fleet, &[(key.clone(), requirements)], current, goals)?;
        let problem = self.refined(key, posed)?;
        let outcome = match watch {
            Some(watch) => decide_watched(self.placer.as_ref(), &problem, watch)?,
            None => decide(self.placer.as_ref(), &problem)?,
        };
        match outcome {
            Outcome::Placed(decision) => Ok(Some(decision)),
            Outcome::Infeasible(diagnosis) => Err(PlanError::Infeasible {
                graph: key.clone(),
                diagnosis: Box::new(diagnosis),
            }),
        }
    }

    fn refined(&self, key: &GraphKey, posed: PlacementProblem) -> Result<PlacementProblem, PlanError> {
        if self.refinements.is_empty() {
            return Ok(posed);
        }
        let mut refined = posed.clone();
        for refinement in &self.refinements {
            refinement
                .apply(&mut refined)
                .map_err(|message| PlanError::Refinement {
                    graph: key.clone(),
                    message,
                })?;
        }
        let faults = refinement::faults(&posed, &refined);
        if faults.is_empty() {
            return Ok(refined);
        }
        Err(PlanError::WrongRefinement {
            graph: key.clone(),
            faults,
        })
    }

    fn service_plan(
        &self,
        key: &GraphKey,
        service: &Service,
        requirements: &Requirements,
        decision: Option<&Decision>,
        imports: &IndexMap<ServiceId, ServiceImport>,
    ) -> Result<ServicePlan, PlanError> {
        let service_key = key.service(service.id.clone());
        let artifact = &service.artifact;
        let values_error = |message: String| PlanError::Values {
            service: service.id.clone(),
            message,
        };
        let (target, values) = match decision.and_then(|decision| decision.placement.get(&service_key)) {
            Some(assignment) => {
                let clusters: Vec<ClusterName> = assignment.clusters().cloned().collect();
                let into = imports
                    .get(&service.id)
                    .map(|import| import.into.as_slice())
                    .unwrap_or_default();
                let values = self
                    .contract
                    .write(artifact, &clusters, into)
                    .map_err(|error| values_error(error.to_string()))?;
                (Target::Clusters(assignment.clone()), values)
            }
            None => {
                let declared = self
                    .contract
                    .read_affinity(&artifact.implementer, &artifact.values);
                (Target::ChosenByChart { declared }, artifact.values.clone())
            }
        };
        let needs = requirements.services.get(&service.id);
        Ok(ServicePlan {
            start: start(key, service),
            replicas: match &target {
                Target::Clusters(assignment) => assignment.replicas(),
                Target::ChosenByChart { .. } => needs.map_or(1, |needs| needs.replicas),
            },
            implementer: artifact.implementer.clone(),
            release: ReleaseSpec {
                service: service_key,
                chart: artifact.reference.clone(),
                values,
                target,
                resources: needs.map(|needs| needs.per_replica.clone()).unwrap_or_default(),
            },
        })
    }
}

/// The weight of carbon is ten times the default for a graph that asks for energy efficiency.
fn default_goals(requirements: &Requirements) -> Goals {
    let goals = Goals::default();
    if requirements.energy_efficiency {
        let carbon = Weight::from_millionths(goals.carbon.millionths() * 10);
        return Goals { carbon, ..goals };
    }
    goals
}

fn start(key: &GraphKey, service: &Service) -> Start {
    match &service.trigger {
        Trigger::Auto { dependencies } if dependencies.is_empty() => Start::AtOnce,
        Trigger::Auto { dependencies } => Start::After(dependencies.clone()),
        Trigger::Event { condition, events } => {
            let key = key.service(service.id.clone());
            let alerts = events
                .iter()
                .map(|event| AlertRule::name_of(&key, &event.id))
                .collect();
            Start::OnEvent {
                condition: *condition,
                alerts,
            }
        }
    }
}

impl DeploymentPlan {
    /// Where this plan puts its services, waiting ones included. What a later [`Planner::replan`] takes as current is what
    /// *runs*: `Placement::from(&observed)`.
    #[must_use]
    pub fn placement(&self) -> Placement {
        let assigned = |service: &ServicePlan| match &service.release.target {
            Target::Clusters(assignment) => Some((service.release.service.clone(), assignment.clone())),
            Target::ChosenByChart { .. } => None,
        };
        self.services.values().filter_map(assigned).collect()
    }
}
