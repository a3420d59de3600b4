//! Few moves, and what moves buy.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use smo_core::placement::ask as core;

use super::{asked, comparison};
use crate::convert::serialised;
use crate::html;
use crate::placement::{Names, PlacementProblem, Placer, goals, written};

fn unit_called(name: &str) -> PyResult<core::MoveUnit> {
    core::MoveUnit::parse(name).ok_or_else(|| {
        let known = core::MoveUnit::ALL.map(core::MoveUnit::name).join(", ");
        PyValueError::new_err(format!("{name} is no unit of moves; one of {known}"))
    })
}

/// The best placement with few moves, or that there is none. `str()` is the whole answer.
///
/// See `with_few_moves`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct FewMoves {
    core: core::FewMoves,
    names: Names,
}

impl FewMoves {
    fn found(&self) -> Option<&core::Replacement> {
        match &self.core {
            core::FewMoves::Found(found) => Some(found),
            _ => None,
        }
    }
}

#[pymethods]
impl FewMoves {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// By service, the replicas on each cluster; `None` where there is no placement with so few moves.
    #[getter]
    fn placement<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyDict>>> {
        let found = self.found();
        found
            .map(|found| written(py, &found.placement, &self.names))
            .transpose()
    }

    /// Who moves, as (service, now, then, fate).
    #[getter]
    fn relocations(&self) -> Vec<(String, String, String, String)> {
        let found = self.found();
        found
            .map(|found| comparison::relocations(&found.relocations))
            .unwrap_or_default()
    }

    /// What the placement is worth in points; `None` without one.
    #[getter]
    fn value(&self) -> Option<f64> {
        Some(self.found()?.value.points())
    }

    /// True when no placement with so few moves is better, or when there is none: proved.
    #[getter]
    fn proved(&self) -> bool {
        match &self.core {
            core::FewMoves::Found(found) => found.is_optimal(),
            core::FewMoves::TooFew { .. } => true,
            core::FewMoves::Open { .. } => false,
        }
    }

    /// The fewest moves of any placement, in the unit of the question, where so few are impossible and it is known; else `None`.
    #[getter]
    fn needed(&self) -> Option<i64> {
        match &self.core {
            core::FewMoves::TooFew { needed, .. } => *needed,
            _ => None,
        }
    }

    fn __repr__(&self) -> String {
        let text = self.core.to_string();
        format!("<smo.ask.FewMoves: {}>", text.lines().next().unwrap_or_default())
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}

/// The best placement that moves at most so many services away from where they run now, by the goals of the question.
///
/// `unit` is what moves are counted in: `services`, `replicas`, or `state`, the bytes that replicas take along (what is said of
/// a service as `state`; a descriptor's `storage`). Services that run nowhere start for free. Asks the placer at most `questions`
/// times.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import with_few_moves
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": "dear", "allocatable": size, "price": {"cpu": 1}}, {"name": "cheap", "allocatable": size}]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> problem = smo.PlacementProblem.pose(fleet, graph, current={"web": "dear"})
/// >>> with_few_moves(problem, 0).placement, with_few_moves(problem, 1).placement
/// ({'web': {'dear': 1}}, {'web': {'cheap': 1}})
/// >>> heavy = problem.with_service("web", state=3_000_000_000)
/// >>> with_few_moves(heavy, 2_000_000_000, unit="state").placement
/// {'web': {'dear': 1}}
#[pyfunction]
#[pyo3(signature = (problem, at_most, *, unit = "services", questions = core::DEFAULT_QUESTIONS, placer = None, seconds = None, watch = None))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn with_few_moves(
    py: Python<'_>,
    problem: &PlacementProblem,
    at_most: i64,
    unit: &str,
    questions: u64,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<FewMoves> {
    let unit = unit_called(unit)?;
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| {
            core::with_few_moves_watched(placer, problem, unit, at_most, questions, watch)
        },
    )?;
    Ok(FewMoves {
        core,
        names: problem.names().clone(),
    })
}

/// What moves buy: the best placement for every number of moves at which something better becomes possible. `str()` is a
/// table.
///
/// See `move_curve`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct MoveCurve {
    core: core::MoveCurve,
    names: Names,
}

#[pymethods]
impl MoveCurve {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// What moves are counted in: `services`, `replicas` or `state` (bytes).
    #[getter]
    fn unit(&self) -> &'static str {
        self.core.unit.name()
    }

    /// From the fewest moves to the most: dicts with `moves` (in the unit of the curve), `value` (points, moves not counted),
    /// `placement`, `totals` and `proved`.
    #[getter]
    fn points<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let points = PyList::empty(py);
        for point in &self.core.points {
            let dict = PyDict::new(py);
            dict.set_item("moves", point.totals.of(self.core.unit.goal()))?;
            dict.set_item("value", point.value.points())?;
            dict.set_item("placement", written(py, &point.placement, &self.names)?)?;
            dict.set_item("totals", goals::totals(py, &point.totals)?)?;
            dict.set_item("proved", point.is_optimal())?;
            points.append(dict)?;
        }
        Ok(points)
    }

    /// True when every point is the best with so few moves, and none is missing: proved.
    #[getter]
    fn complete(&self) -> bool {
        self.core.complete
    }

    fn __repr__(&self) -> String {
        let points = crate::graph::count(self.core.points.len(), "point");
        format!("<smo.ask.MoveCurve: {points}>")
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}

/// What every further move buys, moves themselves not being priced. Asks the placer at most `questions` times.
///
/// `unit` is what moves are counted in: `services`, `replicas`, or `state` in bytes, as for `with_few_moves`.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import move_curve
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": "dear", "allocatable": size, "price": {"cpu": 1}}, {"name": "cheap", "allocatable": size}]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> curve = move_curve(smo.PlacementProblem.pose(fleet, graph, current={"web": "dear"}))
/// >>> [(point["moves"], point["value"]) for point in curve.points]
/// [(0, 1.0), (1, 0.0)]
#[pyfunction]
#[pyo3(signature = (problem, *, unit = "services", questions = core::DEFAULT_QUESTIONS, placer = None, seconds = None, watch = None))]
pub(crate) fn move_curve(
    py: Python<'_>,
    problem: &PlacementProblem,
    unit: &str,
    questions: u64,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<MoveCurve> {
    let unit = unit_called(unit)?;
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| core::move_curve_watched(placer, problem, unit, questions, watch),
    )?;
    Ok(MoveCurve {
        core,
        names: problem.names().clone(),
    })
}
