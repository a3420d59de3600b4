//! What would be decided if something changed.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smo_core::placement::Outcome;
use smo_core::placement::ask as core;

use super::{Edit, asked};
use crate::convert::serialised;
use crate::html;
use crate::placement::{Decision, Diagnosis, PlacementProblem, Placer, goals};

/// The decisions on a question with and without some edits, and what differs. `str()` is the whole answer.
///
/// See `what_if`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct WhatIf {
    core: core::WhatIf,
}

/// A decision, or the diagnosis why there is none.
pub(super) fn outcome<'py>(py: Python<'py>, outcome: &Outcome) -> PyResult<Bound<'py, PyAny>> {
    Ok(match outcome {
        Outcome::Placed(decision) => Bound::new(py, Decision::new(decision.clone()))?.into_any(),
        Outcome::Infeasible(diagnosis) => Bound::new(py, Diagnosis::new(diagnosis.clone()))?.into_any(),
    })
}

#[pymethods]
impl WhatIf {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// A map of services before and after (self-contained SVG): where each one runs, and what moves, starts or stops.
    fn to_svg(&self) -> String {
        self.core.to_svg()
    }

    /// What changes, a few words each.
    #[getter]
    fn edits(&self) -> Vec<String> {
        self.core.edits.iter().map(ToString::to_string).collect()
    }

    /// The `Decision` without the edits, or the `Diagnosis` why there is none.
    #[getter]
    fn before<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        outcome(py, &self.core.before)
    }

    /// The `Decision` with the edits, or the `Diagnosis` why there is none.
    #[getter]
    fn after<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        outcome(py, &self.core.after)
    }

    /// Who changes, as (service, before, after, fate), where both decisions are placements. A fate is `starts`, `stops`,
    /// `moves` or `scales`.
    #[getter]
    fn relocations(&self) -> Vec<(String, String, String, String)> {
        let comparison = self.core.comparison.iter();
        comparison
            .flat_map(|comparison| relocations(&comparison.relocations))
            .collect()
    }

    /// By how many points the value changes, positive being worse; `None` without two placements.
    #[getter]
    fn difference(&self) -> Option<f64> {
        let comparison = self.core.comparison.as_ref()?;
        Some(comparison.difference.points())
    }

    /// By how much every goal changes, in EUR/h, gCO2e/h, moves and placements; empty without two placements.
    #[getter]
    fn by_goal<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let comparison = self.core.comparison.as_ref();
        let change = comparison.and_then(|comparison| comparison.after.checked_sub(&comparison.before));
        change.map_or_else(|| Ok(PyDict::new(py)), |change| goals::totals(py, &change))
    }

    /// True when `watch` or `seconds` ended it: what is not said to be proved may be otherwise.
    #[getter]
    fn stopped(&self) -> bool {
        self.core.stopped
    }

    fn __repr__(&self) -> String {
        format!("<smo.ask.WhatIf: {}>", self.edits().join("; "))
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}

/// Who changes, in words.
pub(super) fn relocations(relocations: &[core::Relocation]) -> Vec<(String, String, String, String)> {
    let words = |moved: &core::Relocation| {
        (
            moved.service.service.to_string(),
            moved.from.to_string(),
            moved.to.to_string(),
            moved.fate().to_string(),
        )
    };
    relocations.iter().map(words).collect()
}

/// Decides a question as it is and with edits, and compares.
///
/// With `carried_out` the edits happen once the first decision runs: the second one starts from it, so that its moves are
/// moves away from the first. Raises `ValueError` for an edit of a service that the question does not have, and
/// `PlacementFailed` for one of a cluster that it does not have.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import Edit, what_if
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": name, "allocatable": size} for name in ("edge-1", "edge-2")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> problem = smo.PlacementProblem.pose(fleet, graph)
/// >>> what_if(problem, Edit.lose("edge-1"), carried_out=True).relocations
/// [('web', 'edge-1', 'edge-2', 'moves')]
#[pyfunction]
#[pyo3(signature = (problem, *edits, placer = None, carried_out = false, seconds = None, watch = None))]
pub(crate) fn what_if(
    py: Python<'_>,
    problem: &PlacementProblem,
    edits: &Bound<'_, PyTuple>,
    placer: Option<&Bound<'_, Placer>>,
    carried_out: bool,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<WhatIf> {
    let edits: Vec<PyRef<'_, Edit>> = edits.extract()?;
    let edits = Edit::resolve(&edits, problem.names())?;
    let ask = if carried_out {
        core::what_then_watched
    } else {
        core::what_if_watched
    };
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| ask(placer, problem, &edits, watch),
    )?;
    Ok(WhatIf { core })
}
