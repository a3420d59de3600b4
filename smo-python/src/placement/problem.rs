//! The question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::diagnostic::Violations;
use smo_core::id::{GraphKey, Project, ServiceKey};
use smo_core::intent::{Catalog as CoreCatalog, Requirements, translate};
use smo_core::placement as core;
use smo_core::units::{DataRate, Latency};

use super::{
    Cause, ClusterSupply, Decision, Goal, Goals, Names, Rule, ServiceDemand, current_placement, goal, goals,
    read_placement, rule,
};
use crate::cluster::Inventory;
use crate::convert::{Document, Reduced, from_python, parse, resources, serialised};
use crate::error;
use crate::graph::{ApplicationGraph, count};
use crate::intent::Catalog;

/// A placement question: what services need, what clusters have, what to minimise.
///
/// Services are called by their id, or by `project/graph/service` where two graphs of the question have the same id.
/// Amounts are integers in base units: thousandths of a core, bytes, pieces.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> problem = smo.PlacementProblem.pose(fleet, graph)
/// >>> problem.services["web"].total["cpu"], problem.clusters["edge-1"].capacity["cpu"]
/// (1000, 4000)
/// >>> problem.open_clusters("web")
/// ['edge-1']
#[pyclass(module = "smo", frozen, eq)]
pub(crate) struct PlacementProblem {
    core: Arc<core::PlacementProblem>,
    names: Names,
    /// What rules and goals written in Python raised.
    raised: Cause,
}

impl PartialEq for PlacementProblem {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl PlacementProblem {
    pub(crate) fn new(core: core::PlacementProblem) -> Self {
        let services = core.services.iter();
        let names = Names::new(services.map(|(key, demand)| (key.clone(), demand.replicas)));
        Self {
            core: Arc::new(core),
            names,
            raised: Cause::default(),
        }
    }

    /// The same question, changed.
    fn edited(&self, edit: impl FnOnce(&mut core::PlacementProblem) -> PyResult<()>) -> PyResult<Self> {
        let mut core = (*self.core).clone();
        edit(&mut core)?;
        Ok(Self {
            raised: self.raised.clone(),
            ..Self::new(core)
        })
    }

    /// The keys of services by their names.
    fn keys(&self, services: &[String]) -> PyResult<BTreeSet<ServiceKey>> {
        services
            .iter()
            .map(|service| self.key(service).cloned())
            .collect()
    }

    fn key(&self, service: &str) -> PyResult<&ServiceKey> {
        let found = self.names.find(service);
        found.map(|(key, _)| key).map_err(PyKeyError::new_err)
    }

    /// What a rule or goal written in Python raised since the last time.
    pub(crate) fn checked<T>(&self, found: PyResult<T>) -> PyResult<T> {
        match self.raised.take() {
            Some(error) => Err(error),
            None => found,
        }
    }

    /// Where rules and goals written in Python tell what they raise.
    pub(crate) fn raised(&self) -> &Cause {
        &self.raised
    }

    pub(crate) fn core(&self) -> &Arc<core::PlacementProblem> {
        &self.core
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    fn placement(&self, placement: &Bound<'_, PyAny>) -> PyResult<core::Placement> {
        if let Ok(decision) = placement.cast::<Decision>() {
            return Ok(decision.get().core().placement.clone());
        }
        read_placement(placement, &self.names)?.map_err(|faults| PyValueError::new_err(faults.join("; ")))
    }
}

impl Document for PlacementProblem {
    const REFUSAL: &'static str = "InvalidProblem";
    const NAME: &'static str = "problem";

    fn parse_named(name: &str, text: &str) -> Result<Self, Violations> {
        core::PlacementProblem::parse_named(name, text).map(Self::new)
    }
}

#[allow(clippy::needless_pass_by_value)]
fn unwritable(error: core::file::Unwritable) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The JSON Schema of a problem file, for editors and other tools.
///
/// >>> import smo
/// >>> smo.problem_json_schema()["type"]
/// 'object'
#[pyfunction]
pub(crate) fn problem_json_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    serialised(py, &core::file::schema::json_schema())
}

/// One graph, or any number of them.
fn graphs_of<'py>(graphs: &Bound<'py, PyAny>) -> PyResult<Vec<Bound<'py, ApplicationGraph>>> {
    match graphs.cast::<ApplicationGraph>() {
        Ok(graph) => Ok(vec![graph.clone()]),
        Err(_) => graphs.try_iter()?.map(|graph| Ok(graph?.cast_into()?)).collect(),
    }
}

#[pymethods]
impl PlacementProblem {
    /// The question where the services of `graphs` (one or several) should run on the fleet.
    ///
    /// `current` says where they run now: a plan, a decision, an `ObservedState`, or a dict from service to cluster.
    /// What they hold there counts as free for them. Without `goals` those of `Goals()` count.
    ///
    /// Raises `TranslateError` for a class that the catalogue does not have, `ValueError` for a `current` or a `project`
    /// that makes no sense, and `PlacementFailed` when a graph is given twice.
    #[staticmethod]
    #[pyo3(signature = (inventory, graphs, *, current = None, goals = None, project = "default", catalog = None))]
    fn pose(
        inventory: &Bound<'_, Inventory>,
        graphs: &Bound<'_, PyAny>,
        current: Option<&Bound<'_, PyAny>>,
        goals: Option<&Goals>,
        project: &str,
        catalog: Option<&Catalog>,
    ) -> PyResult<Self> {
        let py = inventory.py();
        let project: Project = parse(project)?;
        let default = CoreCatalog::default();
        let catalog = catalog.map_or(&default, Catalog::core);
        let mut asked: Vec<(GraphKey, Requirements)> = Vec::new();
        for graph in graphs_of(graphs)? {
            let graph = graph.get().core();
            let needs = translate(graph, catalog).map_err(|failed| error::translate(py, &failed))?;
            asked.push((GraphKey::new(project.clone(), graph.id().clone()), needs));
        }
        let services = asked.iter().flat_map(|(graph, needs)| {
            let services = needs.services.iter();
            services.map(|(id, service)| (graph.service(id.clone()), service.replicas))
        });
        let current = current_placement(current, &Names::new(services))?;
        let asked: Vec<_> = asked
            .iter()
            .map(|(graph, needs)| (graph.clone(), needs))
            .collect();
        let goals = goals.map_or_else(core::Goals::default, |goals| goals.0.clone());
        core::PlacementProblem::pose(inventory.get().core(), &asked, &current, goals)
            .map(Self::new)
            .map_err(|failed| error::placement(py, &failed, None))
    }

    /// Reads a question from YAML or JSON text; `name` is what violations call it.
    ///
    /// Raises `InvalidProblem` with *every* violation.
    #[staticmethod]
    #[pyo3(signature = (text, name = "problem"))]
    fn parse(py: Python<'_>, text: &str, name: &str) -> PyResult<Self> {
        Self::from_text(py, text, name)
    }

    /// Reads a question from a file (UTF-8).
    ///
    /// Raises `OSError`, such as `FileNotFoundError`, when the file cannot be read, and `InvalidProblem` as `parse`.
    #[staticmethod]
    fn read(path: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_file(path)
    }

    /// A question of the same shape as the file, from Python's own types.
    ///
    /// >>> import smo
    /// >>> service = {"name": "default/shop/web", "perReplica": {"cpu": "500m"}}
    /// >>> problem = {"services": [service], "clusters": [{"name": "edge-1", "capacity": {"cpu": 4}}]}
    /// >>> smo.place(smo.PlacementProblem.from_dict({"problem": problem})).status
    /// 'optimal'
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_object(document)
    }

    /// What each service needs, in the order of the question.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (name, key) in self.names.iter() {
            let Some(demand) = self.core.services.get(key) else {
                continue;
            };
            let current = self.core.current.get(key);
            services.set_item(name, ServiceDemand::new(demand, current))?;
        }
        Ok(services)
    }

    /// What each cluster has, those that cannot take work included.
    #[getter]
    fn clusters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let clusters = PyDict::new(py);
        for (name, supply) in &self.core.clusters {
            clusters.set_item(name.as_str(), ClusterSupply::from(supply))?;
        }
        Ok(clusters)
    }

    /// What is minimised.
    #[getter]
    fn goals(&self) -> Goals {
        Goals(self.core.goals.clone())
    }

    /// The clusters that no rule forbids to a service by itself, in the order of the fleet.
    ///
    /// Raises `KeyError` for a service that the question does not have.
    fn open_clusters(&self, service: &str) -> PyResult<Vec<String>> {
        let key = self.key(service)?;
        let open = self.core.open_clusters(key).map(ToString::to_string);
        self.checked(Ok(open.collect()))
    }

    /// Every rule that a placement or a decision breaks, one sentence each; empty when it keeps them all.
    ///
    /// Raises `ValueError` for a placement with a service or a cluster name that makes no sense.
    fn verify(&self, placement: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
        let placement = self.placement(placement)?;
        let breaches = core::verify(&self.core, &placement);
        self.checked(Ok(breaches.iter().map(ToString::to_string).collect()))
    }

    /// What a placement is worth in points, less is better, and its amounts by goal (EUR/h, gCO2e/h, moves, placements).
    ///
    /// It does not look at the rules. Raises `ValueError` as `verify`.
    fn evaluate<'py>(&self, placement: &Bound<'py, PyAny>) -> PyResult<(f64, Bound<'py, PyDict>)> {
        let py = placement.py();
        let placement = self.placement(placement)?;
        let evaluated = self.checked(Ok(core::evaluate(&self.core, &placement)))?;
        let (totals, value) = evaluated.map_err(|failed| error::placement(py, &failed, None))?;
        Ok((value.points(), goals::totals(py, &totals)?))
    }

    /// The round trip between two clusters in milliseconds, and the hops; `None` for what nobody measured.
    ///
    /// Raises `ValueError` for a text that is no name of a cluster.
    fn path(&self, a: &str, b: &str) -> PyResult<(Option<f64>, Option<u32>)> {
        let path = self.core.network.path(&parse(a)?, &parse(b)?);
        Ok((path.rtt.map(Latency::to_f64), path.hops))
    }

    /// The same question with another service: what is not given stays.
    ///
    /// With `split` its replicas may run on several clusters. `labels` is what the labels of its clusters have to say, as in
    /// Kubernetes: `{"key": "tier", "operator": "In", "values": ["edge"]}`, with the operators `In`, `NotIn`, `Exists` and
    /// `DoesNotExist`. `final` keeps it where it runs. `state` is the bytes that a replica takes along when it moves.
    /// `per_replica` is what a replica takes of some resources (quantities), `requires` the resources that its cluster has to offer
    /// at all, `tolerations` the taints that it ignores, as in Kubernetes: `{"key": "gpu", "effect": "NoSchedule"}`; what a
    /// toleration does not say may be anything.
    ///
    /// Raises `KeyError` for a service that the question does not have, `ValueError` for what is no requirement, no toleration or
    /// no quantity.
    #[pyo3(signature = (service, *, replicas = None, split = None, pinned = None, excluded = None, regions = None, labels = None, r#final = None, state = None, per_replica = None, requires = None, tolerations = None))]
    #[allow(clippy::too_many_arguments)]
    fn with_service(
        &self,
        service: &str,
        replicas: Option<u32>,
        split: Option<bool>,
        pinned: Option<Vec<String>>,
        excluded: Option<Vec<String>>,
        regions: Option<Vec<String>>,
        labels: Option<&Bound<'_, PyAny>>,
        r#final: Option<bool>,
        state: Option<u64>,
        per_replica: Option<BTreeMap<String, Bound<'_, PyAny>>>,
        requires: Option<Vec<String>>,
        tolerations: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let key = self.key(service)?;
        let amounts = resources(per_replica.unwrap_or_default())?;
        let names = |names: Vec<String>| names.iter().map(|name| parse(name)).collect::<PyResult<_>>();
        self.edited(|problem| {
            let Some(demand) = problem.services.get_mut(key) else {
                return Ok(());
            };
            demand.replicas = replicas.unwrap_or(demand.replicas);
            if let Some(split) = split {
                demand.mode = if split {
                    core::Mode::Split
                } else {
                    core::Mode::Single
                };
            }
            if let Some(pinned) = pinned {
                demand.pinned = Some(names(pinned)?);
            }
            if let Some(excluded) = excluded {
                demand.excluded = names(excluded)?;
            }
            if let Some(regions) = regions {
                demand.regions = Some(regions.into_iter().collect());
            }
            if let Some(labels) = labels {
                demand.labels = from_python(labels, "a list of label requirements")?;
            }
            for (resource, amount) in amounts.iter() {
                demand.per_replica.set(resource.clone(), amount);
            }
            if let Some(requires) = requires {
                demand.requires = requires.iter().map(|name| name.as_str().into()).collect();
            }
            if let Some(tolerations) = tolerations {
                demand.tolerations = from_python(tolerations, "a list of tolerations")?;
            }
            demand.final_placement = r#final.unwrap_or(demand.final_placement);
            demand.state = state.map_or(demand.state, smo_core::units::Bytes::new);
            Ok(())
        })
    }

    /// The same question with the replicas of a service spread over domains.
    ///
    /// `key` is `cluster`, `region`, `zone`, `provider`, or a label. At least `min_groups` and at most `max_groups` domains
    /// are used; the fullest has at most `max_skew` replicas more than the emptiest that the service may use. With a
    /// `price` it is a wish: points for a group, or a replica of skew, too many or too few.
    #[pyo3(signature = (service, *, key = "cluster", min_groups = None, max_groups = None, max_skew = None, price = None))]
    fn with_spread(
        &self,
        service: &str,
        key: &str,
        min_groups: Option<u32>,
        max_groups: Option<u32>,
        max_skew: Option<u32>,
        price: Option<f64>,
    ) -> PyResult<Self> {
        let spread = core::Spread {
            key: rule::domain(key),
            min_groups,
            max_groups,
            max_skew,
            price: rule::points(price)?,
        };
        let service = self.key(service)?;
        self.edited(|problem| {
            if let Some(demand) = problem.services.get_mut(service) {
                demand.spread.push(spread);
            }
            Ok(())
        })
    }

    /// The same question with a service in two domains at least, where it has two replicas or more. It has to be one that
    /// may be split. With a `price` it is a wish.
    #[pyo3(signature = (service, *, key = "cluster", price = None))]
    fn with_high_availability(&self, service: &str, key: &str, price: Option<f64>) -> PyResult<Self> {
        let wanted = core::HighAvailability {
            key: rule::domain(key),
            price: rule::points(price)?,
        };
        let service = self.key(service)?;
        self.edited(|problem| {
            if let Some(demand) = problem.services.get_mut(service) {
                demand.high_availability = Some(wanted);
            }
            Ok(())
        })
    }

    /// The same question with one more link: `traffic` bytes per second from one service to another, a round trip below
    /// `rtt_below` milliseconds, at most `max_hops` hops.
    #[pyo3(signature = (from_, to, *, traffic = 0, rtt_below = None, max_hops = None))]
    fn with_link(
        &self,
        from_: &str,
        to: &str,
        traffic: u64,
        rtt_below: Option<f64>,
        max_hops: Option<u32>,
    ) -> PyResult<Self> {
        let (from, to) = (self.key(from_)?.clone(), self.key(to)?.clone());
        let round_trip = |limit: f64| {
            let read = Latency::from_f64(limit).filter(|limit| *limit > Latency::ZERO);
            read.ok_or_else(|| {
                PyValueError::new_err(format!("{limit} is no positive number of milliseconds"))
            })
        };
        let limit = core::LinkLimit {
            rtt_below: rtt_below.map(round_trip).transpose()?,
            max_hops,
        };
        let traffic = DataRate::new(traffic);
        self.edited(|problem| {
            problem.links.push(core::LinkDemand {
                from,
                to,
                limit,
                traffic,
            });
            Ok(())
        })
    }

    /// The same question with services that use the same clusters. With a `price` it is a wish: points for every two of
    /// them and cluster that only one of the two uses.
    #[pyo3(signature = (services, *, price = None))]
    fn with_co_location(&self, services: Vec<String>, price: Option<f64>) -> PyResult<Self> {
        let services = self.keys(&services)?;
        let price = rule::points(price)?;
        self.edited(|problem| {
            problem
                .co_location
                .push(core::CoLocationGroup { services, price });
            Ok(())
        })
    }

    /// The same question with services of which no two use one domain. With a `price` it is a wish: points for every
    /// service beyond the first of a domain.
    #[pyo3(signature = (services, *, key = "cluster", price = None))]
    fn with_anti_affinity(&self, services: Vec<String>, key: &str, price: Option<f64>) -> PyResult<Self> {
        let group = core::AntiAffinityGroup {
            services: self.keys(&services)?,
            key: rule::domain(key),
            price: rule::points(price)?,
        };
        self.edited(|problem| {
            problem.anti_affinity.push(group);
            Ok(())
        })
    }

    /// The same question with at most so much of a goal, by its name in `Goals` and in the unit it is shown in. With a
    /// `price` it is a wish: points for a thousandth of that unit too much, or for a piece.
    #[pyo3(signature = (goal, at_most, *, price = None))]
    fn with_budget(&self, goal: &str, at_most: f64, price: Option<f64>) -> PyResult<Self> {
        let budget = goals::budget(goal, at_most, rule::points(price)?)?;
        self.edited(|problem| {
            problem.budgets.push(budget);
            Ok(())
        })
    }

    /// The same question with a rule that is only a wish: points for each unit of violation. `smo.rules()` names them.
    fn with_soft(&self, rule: &str, price: f64) -> PyResult<Self> {
        let price = rule::points(Some(price))?.unwrap_or_default();
        self.edited(|problem| {
            problem.soft.insert(rule.to_owned(), price);
            Ok(())
        })
    }

    /// The same question with the points of a service on clusters, for every replica there; less is better.
    fn with_scores(&self, service: &str, scores: BTreeMap<String, f64>) -> PyResult<Self> {
        let mut by_cluster = BTreeMap::new();
        for (cluster, score) in scores {
            by_cluster.insert(parse(&cluster)?, goals::millionths(score)?);
        }
        let service = self.key(service)?.clone();
        self.edited(|problem| {
            problem.scores.insert(service, by_cluster);
            Ok(())
        })
    }

    /// The same question with a rule of yours.
    fn with_rule(&self, rule: &Bound<'_, Rule>) -> PyResult<Self> {
        let rule = rule::custom(rule, self.names.clone(), self.raised.clone())?;
        self.edited(|problem| {
            problem.rules.push(rule);
            Ok(())
        })
    }

    /// The same question with a goal of yours.
    fn with_goal(&self, goal: &Bound<'_, Goal>) -> PyResult<Self> {
        let goal = goal::custom(goal, self.names.clone(), self.raised.clone())?;
        self.edited(|problem| {
            problem.measures.push(goal);
            Ok(())
        })
    }

    /// The same question with other goals.
    fn with_goals(&self, goals: &Goals) -> PyResult<Self> {
        self.edited(|problem| {
            problem.goals = goals.0.clone();
            Ok(())
        })
    }

    /// The question in the shape of the file, as Python's own types. `from_dict` reads it back.
    ///
    /// Raises `ValueError` for rules and goals written in Python, which are code.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.document().map_err(unwritable)?)
    }

    /// No placement is worth less than this, in points, as a `certificate` of a decision proves in whole numbers and without searching;
    /// `None` where it proves nothing about this question. Any prices prove something, good ones more.
    ///
    /// >>> import smo
    /// >>> clusters = [{"name": "edge-1", "capacity": {"cpu": 4}, "price": {"cpu": 0.03}}]
    /// >>> services = [{"name": "default/shop/web", "replicas": 2, "perReplica": {"cpu": 1}}]
    /// >>> problem = smo.PlacementProblem.from_dict({"problem": {"services": services, "clusters": clusters}})
    /// >>> decision = smo.place(problem, smo.FleetPlacer())
    /// >>> problem.bound_by(decision.certificate) == decision.bound == decision.value
    /// True
    fn bound_by(&self, certificate: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
        let py = certificate.py();
        let certificate: core::Certificate = from_python(certificate, "a certificate")?;
        let bound = certificate.bound(&self.core);
        let bound = bound.map_err(|failed| error::placement(py, &failed, None))?;
        Ok(bound.map(core::Value::points))
    }

    /// The question as YAML, which `parse` reads. Raises `ValueError` as `to_dict`.
    fn to_yaml(&self) -> PyResult<String> {
        self.core.to_yaml().map_err(unwritable)
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, (String,)>> {
        Ok((slf.get_type().getattr("parse")?, (slf.get().to_yaml()?,)))
    }

    fn __repr__(&self) -> String {
        let services = count(self.core.services.len(), "service");
        let clusters = count(self.core.clusters.len(), "cluster");
        format!("<smo.PlacementProblem of {services} on {clusters}>")
    }
}
