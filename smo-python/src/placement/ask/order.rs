//! Orders of moves.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use smo_core::placement::ask as core;

use crate::convert::{quantities, serialised};
use crate::error;
use crate::html;
use crate::placement::{Names, PlacementProblem, current_placement};

/// An order in which moves can be carried out. `str()` is a table of steps.
///
/// See `order_of_moves`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct MoveOrder {
    core: core::MoveOrder,
    names: Names,
}

#[pymethods]
impl MoveOrder {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// The steps: dicts with `service`, `replicas`, `source` and `target` (clusters or `None`), `kind` (`start`, `move`,
    /// `stopOver` or `stop`), `needs` (a dict of missing quantities, empty where there is room) and `meanwhile` (rules that
    /// are broken for a while, one sentence each).
    #[getter]
    fn steps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let steps = PyList::empty(py);
        for step in &self.core.steps {
            let kind = match step.kind {
                core::StepKind::Start => "start",
                core::StepKind::Move => "move",
                core::StepKind::StopOver => "stopOver",
                core::StepKind::Stop => "stop",
            };
            let missing = step.needs.as_ref().map(|needs| quantities(&needs.missing));
            let dict = PyDict::new(py);
            dict.set_item("service", self.names.of(&step.service))?;
            dict.set_item("replicas", step.replicas)?;
            dict.set_item("source", step.from.as_ref().map(ToString::to_string))?;
            dict.set_item("target", step.to.as_ref().map(ToString::to_string))?;
            dict.set_item("kind", kind)?;
            dict.set_item("needs", missing.unwrap_or_default())?;
            dict.set_item("meanwhile", step.meanwhile.clone())?;
            steps.append(dict)?;
        }
        Ok(steps)
    }

    /// True when every step has room.
    #[getter]
    fn feasible(&self) -> bool {
        self.core.is_feasible()
    }

    /// True when no order needs less spare room, and none with as little has fewer steps: proved.
    #[getter]
    fn proved(&self) -> bool {
        self.core.proved
    }

    fn __len__(&self) -> usize {
        self.core.steps.len()
    }

    fn __repr__(&self) -> String {
        let steps = crate::graph::count(self.core.steps.len(), "step");
        format!("<smo.ask.MoveOrder: {steps}>")
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}

/// The order in which to go from where services run now to `target`, with room at every step.
///
/// `target` is a decision, a plan, or a dict from service to cluster; `current` likewise, by default that of the question. A
/// service runs in both places while it moves. It moves as a whole where that is possible, else part by part. Where that does
/// not help, services stop over on other clusters; where that does not help either, steps say what room they lack. Looks at
/// `states` states of the fleet at most.
///
/// >>> import smo
/// >>> from smo.ask import order_of_moves
/// >>> listed = [{"id": id, "artifact": {"ociImage": f"oci://r.io/shop/{id}"}} for id in ("web", "api")]
/// >>> graph = smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": listed}}).validate()
/// >>> clusters = [{"name": name, "allocatable": {"cpu": 1, "memory": "8Gi"}} for name in ("a", "b", "c")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> problem = smo.PlacementProblem.pose(fleet, graph, current={"web": "a", "api": "b"})
/// >>> order = order_of_moves(problem, {"web": "b", "api": "a"})
/// >>> [(step["service"], step["target"], step["kind"]) for step in order.steps]
/// [('web', 'c', 'stopOver'), ('api', 'a', 'move'), ('web', 'b', 'move')]
#[pyfunction]
#[pyo3(signature = (problem, target, *, current = None, states = 20000, stop_overs = true))]
pub(crate) fn order_of_moves(
    py: Python<'_>,
    problem: &PlacementProblem,
    target: &Bound<'_, PyAny>,
    current: Option<&Bound<'_, PyAny>>,
    states: usize,
    stop_overs: bool,
) -> PyResult<MoveOrder> {
    let to = current_placement(Some(target), problem.names())?;
    let from = match current {
        Some(_) => current_placement(current, problem.names())?,
        None => problem.core().current.clone(),
    };
    let limits = core::OrderLimits { states, stop_overs };
    let question = std::sync::Arc::clone(problem.core());
    let core = py.detach(move || core::order_of_moves(&question, &from, &to, limits));
    Ok(MoveOrder {
        core: problem
            .checked(Ok(core))?
            .map_err(|failed| error::placement(py, &failed, None))?,
        names: problem.names().clone(),
    })
}
