//! What comes back from a decision.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::id::ServiceKey;
use smo_core::placement::{self as core, Goal};

use super::solve::said;
use super::{Names, goals};
use crate::convert::{serialised, serialised_exactly};
use crate::html;

/// A placement that was checked against every rule, with what is known about its quality and the reasons for it.
///
/// `str()` is one screen.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> decision = smo.place(smo.PlacementProblem.pose(fleet, graph))
/// >>> decision.status, decision.placement["web"].clusters, decision.placement["web"].why
/// ('optimal', ['edge-1'], 'the only cluster')
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Decision {
    core: Arc<core::Decision>,
    names: Names,
}

impl Decision {
    pub(crate) fn new(core: core::Decision) -> Self {
        let placed = core.placement.iter();
        let names = Names::new(placed.map(|(key, assignment)| (key.clone(), assignment.replicas())));
        Self {
            core: Arc::new(core),
            names,
        }
    }

    /// What is said of every placement: none is worth less.
    pub(super) fn claim(&self) -> core::Value {
        self.core.bound.unwrap_or(self.core.value)
    }

    pub(crate) fn core(&self) -> &core::Decision {
        &self.core
    }
}

#[pymethods]
impl Decision {
    /// Where every service runs and why, by service.
    #[getter]
    pub(crate) fn placement<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let placement = PyDict::new(py);
        for (name, key) in self.names.iter() {
            let placed = Placed {
                decision: Arc::clone(&self.core),
                key: key.clone(),
            };
            placement.set_item(name, placed)?;
        }
        Ok(placement)
    }

    /// The name of the placer.
    #[getter]
    fn placer(&self) -> &str {
        &self.core.placer
    }

    /// `optimal`: no placement is better; `feasible`: a better one may exist.
    #[getter]
    fn status(&self) -> String {
        self.core.status.to_string()
    }

    /// What it is worth in points; less is better.
    #[getter]
    fn value(&self) -> f64 {
        self.core.value.points()
    }

    /// No placement is worth less than this, in points; `None` where no bound is known.
    #[getter]
    fn bound(&self) -> Option<f64> {
        self.core.bound.map(core::Value::points)
    }

    /// How far the value may be from the best one, as a share of the bound: `(value - bound) / |bound|`. `None` where no bound is
    /// known, and for a bound of 0 that is not reached.
    #[getter]
    fn gap(&self) -> Option<f64> {
        self.core.gap()
    }

    /// Who vouches for the bound: the argument in integers, or the name of the solver; `None` without a bound.
    #[getter]
    fn proof(&self) -> Option<&str> {
        said(&self.core.proof)
    }

    /// What the bound can be evaluated from again without searching (`PlacementProblem.bound_by`), as a dict of plain values: prices, and the cases
    /// that they leave open. It may prove less than the bound; `None` where the placer gives none (`certify` looks for one). A later search of nearly the same question begins with it
    /// (`known=` of `FleetPlacer` and `AutoPlacer`).
    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let certificate = self.core.proof.certificate();
        certificate
            .map(|certificate| serialised_exactly(py, certificate))
            .transpose()
    }

    /// What it costs: `money` in EUR/h, `carbon` in gCO2e/h, `moves` and `placements` in services.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        goals::totals(py, &self.core.totals)
    }

    /// The effort, in counts that do not depend on the machine: `pairs`, `variables`, `constraints`.
    #[getter]
    fn work<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.work)
    }

    /// Everything, as Python's own types. Totals are in nano-euro per hour and microgram per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &*self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        let value = self.core.value;
        format!(
            "<smo.Decision by {}: {}, value {value}>",
            self.core.placer, self.core.status
        )
    }

    pub(crate) fn _repr_html_(&self) -> String {
        let rows = self.names.iter().filter_map(|(name, key)| {
            let explanation = self.core.explanation.services.get(key)?;
            Some(vec![
                name.to_owned(),
                explanation.chosen.to_string(),
                explanation.why(),
            ])
        });
        let amounts =
            [Goal::Money, Goal::Carbon, Goal::Moves].map(|goal| goal.describe(self.core.totals.of(goal)));
        let how = format!("{}: {}", self.core.placer, self.core.status);
        let caption = format!("placement by {how}; {}", amounts.join(", "));
        html::table(&caption, &["service", "cluster", "why"], rows)
    }
}

/// Where one service runs, and why.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> placed = smo.plan(graph, fleet).placement["web"]
/// >>> placed.clusters, placed.replicas, placed.runner_up, placed.alternatives
/// (['edge-1'], {'edge-1': 1}, None, {})
#[pyclass(module = "smo", frozen)]
pub(crate) struct Placed {
    decision: Arc<core::Decision>,
    key: ServiceKey,
}

impl Placed {
    fn explanation(&self) -> Option<&core::ServiceExplanation> {
        self.decision.explanation.services.get(&self.key)
    }
}

#[pymethods]
impl Placed {
    /// The names of the clusters that it runs on.
    #[getter]
    fn clusters(&self) -> Vec<String> {
        let assignment = self.decision.placement.get(&self.key);
        let clusters = assignment.iter().flat_map(|assignment| assignment.clusters());
        clusters.map(ToString::to_string).collect()
    }

    /// How many replicas run on each cluster.
    #[getter]
    fn replicas(&self) -> BTreeMap<String, u32> {
        let assignment = self.decision.placement.get(&self.key);
        let on = assignment.iter().flat_map(|assignment| assignment.iter());
        on.map(|(cluster, replicas)| (cluster.to_string(), replicas))
            .collect()
    }

    /// Why it runs there, in one line.
    #[getter]
    fn why(&self) -> String {
        self.explanation()
            .map(core::ServiceExplanation::why)
            .unwrap_or_default()
    }

    /// The next best cluster, or `None`.
    #[getter]
    fn runner_up(&self) -> Option<&str> {
        self.explanation()?.runner_up.as_ref().map(|name| name.as_str())
    }

    /// Every other cluster: the rule that forbids it, or what it would cost more.
    #[getter]
    fn alternatives<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let alternatives = PyDict::new(py);
        for (cluster, alternative) in self.explanation().iter().flat_map(|found| &found.alternatives) {
            alternatives.set_item(cluster.as_str(), Alternative(alternative.clone()))?;
        }
        Ok(alternatives)
    }

    fn __str__(&self) -> String {
        let assignment = self.decision.placement.get(&self.key);
        assignment.map(ToString::to_string).unwrap_or_default()
    }

    fn __repr__(&self) -> String {
        format!("<smo.Placed {} on {}>", self.key.service, self.__str__())
    }
}

/// Another cluster for a service. `str()` is the rule that forbids it, or what it would cost more.
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Alternative(core::Alternative);

#[pymethods]
impl Alternative {
    /// Whether the rules allow it.
    #[getter]
    fn allowed(&self) -> bool {
        matches!(self.0, core::Alternative::Allowed { .. })
    }

    /// The rule that forbids it; `None` when it is allowed.
    #[getter]
    fn reason(&self) -> Option<String> {
        match &self.0 {
            core::Alternative::Forbidden(reason) => Some(reason.to_string()),
            core::Alternative::Allowed { .. } => None,
        }
    }

    /// How many points more it would be; `None` when it is forbidden.
    #[getter]
    fn difference(&self) -> Option<f64> {
        match &self.0 {
            core::Alternative::Forbidden(_) => None,
            core::Alternative::Allowed { difference, .. } => Some(difference.points()),
        }
    }

    /// How much more of each goal it would be, in EUR/h, gCO2e/h, moves and placements; empty when it is forbidden.
    #[getter]
    fn by_goal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        match &self.0 {
            core::Alternative::Forbidden(_) => Ok(PyDict::new(py)),
            core::Alternative::Allowed { by_goal, .. } => goals::totals(py, by_goal),
        }
    }

    fn __str__(&self) -> String {
        match &self.0 {
            core::Alternative::Forbidden(reason) => reason.to_string(),
            core::Alternative::Allowed { by_goal, .. } => goals::describe(by_goal),
        }
    }

    fn __repr__(&self) -> String {
        format!("<smo.Alternative: {}>", self.__str__())
    }
}
