//! What operations and questions of the orchestrator give back.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::cluster::Inventory;
use smo_core::orchestrator::{self as core, Advice};

use crate::backend::leftovers;
use crate::html;
use crate::plan::DeploymentPlan;

/// A graph that was planned and carried out: the `plan`, and the `report` of what was done.
#[pyclass(module = "smo", frozen, get_all)]
pub(crate) struct Deployment {
    /// The plan.
    plan: Py<DeploymentPlan>,
    /// What was done.
    report: Py<ApplyReport>,
}

impl Deployment {
    pub(super) fn new(py: Python<'_>, done: core::Deployment, fleet: Inventory) -> PyResult<Self> {
        Ok(Self {
            plan: Py::new(py, DeploymentPlan::new(done.plan, Arc::new(fleet)))?,
            report: Py::new(py, ApplyReport(done.report))?,
        })
    }
}

#[pymethods]
impl Deployment {
    fn __repr__(&self) -> String {
        format!("<smo.Deployment of {}>", self.report.get().0.graph)
    }
}

/// What an operation did to a graph. `str()` is one line a step.
#[pyclass(module = "smo", frozen)]
pub(crate) struct ApplyReport(pub(crate) core::ApplyReport);

#[pymethods]
impl ApplyReport {
    /// The graph, as `project/graph`.
    #[getter]
    fn graph(&self) -> String {
        self.0.graph.to_string()
    }

    /// The fingerprint of the plan.
    #[getter]
    fn plan(&self) -> &str {
        self.0.plan.as_str()
    }

    /// Every step, in the order of waves.
    #[getter]
    fn steps(&self) -> Vec<Step> {
        self.0.steps.iter().map(Step::from).collect()
    }

    /// True when no step failed.
    #[getter]
    fn succeeded(&self) -> bool {
        self.0.succeeded()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<smo.ApplyReport {}>", self.0.headline())
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.0.to_string())
    }
}

/// One step and what became of it.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct Step {
    /// The wave it belongs to, from 1.
    wave: usize,
    /// What it is about: the id of a service, `alert rules NAME` or `dashboard UID`.
    subject: String,
    /// What became of it, in words.
    result: String,
    /// Whether the operation failed for it.
    failed: bool,
}

impl From<&core::Step> for Step {
    fn from(step: &core::Step) -> Self {
        Self {
            wave: step.wave,
            subject: step.subject.to_string(),
            result: step.result.to_string(),
            failed: step.result.is_failure(),
        }
    }
}

#[pymethods]
impl Step {
    fn __str__(&self) -> String {
        format!("{}: {}", self.subject, self.result)
    }

    fn __repr__(&self) -> String {
        format!("<smo.Step {}>", self.__str__())
    }
}

/// How a graph does, by what runs. `str()` is one line a service.
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct GraphStatus(pub(super) core::GraphStatus);

#[pymethods]
impl GraphStatus {
    /// The graph, as `project/graph`.
    #[getter]
    fn graph(&self) -> String {
        self.0.graph.to_string()
    }

    /// `running`, `installing`, `unknown`, `degraded`, `stopping` or `stopped`: the worst of its services.
    #[getter]
    fn state(&self) -> String {
        self.0.state.to_string()
    }

    /// The fingerprint of the plan that it follows.
    #[getter]
    fn plan(&self) -> &str {
        self.0.plan.as_str()
    }

    /// Its services by id, in the order of the descriptor.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (id, status) in &self.0.services {
            services.set_item(id.as_str(), ServiceStatus::from(status))?;
        }
        Ok(services)
    }

    /// Copies where they should not be any more: pairs of a service (`project/graph/service`) and a cluster.
    #[getter]
    fn leftovers(&self) -> Vec<(String, String)> {
        leftovers(&self.0.leftovers)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<smo.GraphStatus {}: {}>", self.0.graph, self.0.state)
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.0.to_string())
    }
}

/// How one service does.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct ServiceStatus {
    /// How it does, in words that begin with `running`, `installing`, `waits for`, `degraded`, `unknown`, `stopping` or
    /// `stopped`.
    state: String,
    /// Where it runs, or should: by cluster, how many replicas are ready, and how many there should be.
    clusters: BTreeMap<String, (u32, u32)>,
}

impl From<&core::ServiceStatus> for ServiceStatus {
    fn from(status: &core::ServiceStatus) -> Self {
        let clusters = status.clusters.iter();
        Self {
            state: status.state.to_string(),
            clusters: clusters
                .map(|(name, at)| (name.to_string(), (at.ready, at.desired)))
                .collect(),
        }
    }
}

#[pymethods]
impl ServiceStatus {
    fn __repr__(&self) -> String {
        format!("<smo.ServiceStatus {}>", self.state)
    }
}

/// What word of an alert led to.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct AlertOutcome {
    /// `started`, `deferred`, `waits for more`, `already started`, `repeated`, `resolved`, `graph stopped`, `not ours` or
    /// `failed`.
    kind: String,
    /// The service, as `project/graph/service`, or `None`.
    service: Option<String>,
    /// The names of the alert rules that the service waits for too.
    missing: Vec<String>,
    /// What the fleet said when it failed, or `None`.
    message: Option<String>,
}

impl From<&core::AlertOutcome> for AlertOutcome {
    fn from(outcome: &core::AlertOutcome) -> Self {
        use core::AlertOutcome as Outcome;
        let (kind, service) = match outcome {
            Outcome::Started(service) => ("started", Some(service)),
            Outcome::Deferred(service) => ("deferred", Some(service)),
            Outcome::WaitsForMore { service, .. } => ("waits for more", Some(service)),
            Outcome::AlreadyStarted(service) => ("already started", Some(service)),
            Outcome::Repeated => ("repeated", None),
            Outcome::Resolved => ("resolved", None),
            Outcome::GraphStopped(_) => ("graph stopped", None),
            Outcome::NotOurs => ("not ours", None),
            Outcome::Failed(service, _) => ("failed", Some(service)),
        };
        let missing = match outcome {
            Outcome::WaitsForMore { missing, .. } => missing.clone(),
            _ => Vec::new(),
        };
        let message = match outcome {
            Outcome::Failed(_, error) => Some(error.to_string()),
            _ => None,
        };
        Self {
            kind: kind.to_owned(),
            service: service.map(ToString::to_string),
            missing,
            message,
        }
    }
}

#[pymethods]
impl AlertOutcome {
    fn __repr__(&self) -> String {
        let service = self.service.as_ref().map(|service| format!(" {service}"));
        format!("<smo.AlertOutcome {}{}>", self.kind, service.unwrap_or_default())
    }
}

/// What one step of `Orchestrator.reconcile` did.
#[pyclass(module = "smo", frozen)]
pub(crate) struct ReconcileReport(pub(super) core::ReconcileReport);

#[pymethods]
impl ReconcileReport {
    /// When to call again (RFC 3339).
    #[getter]
    fn next(&self) -> String {
        self.0.next.to_string()
    }

    /// What was done: pairs of a graph (`project/graph`) and a step.
    #[getter]
    fn steps(&self) -> Vec<(String, Step)> {
        let steps = self.0.steps.iter();
        steps
            .map(|(graph, step)| (graph.to_string(), Step::from(step)))
            .collect()
    }

    /// Graphs (`project/graph`) of which services run on clusters that do not answer, with these clusters: `replan` would
    /// move them.
    #[getter]
    fn advice(&self) -> BTreeMap<String, Vec<String>> {
        let advice = self.0.advice.iter();
        advice
            .map(|Advice::Replan { graph, clusters }| {
                (
                    graph.to_string(),
                    clusters.iter().map(ToString::to_string).collect(),
                )
            })
            .collect()
    }

    /// What alerts led to.
    #[getter]
    fn alerts(&self) -> Vec<AlertOutcome> {
        self.0.alerts.iter().map(AlertOutcome::from).collect()
    }

    /// What could not be looked at, one sentence each.
    #[getter]
    fn problems(&self) -> Vec<String> {
        self.0.problems.iter().map(ToString::to_string).collect()
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.ReconcileReport: {} steps, next {}>",
            self.0.steps.len(),
            self.0.next
        )
    }
}
