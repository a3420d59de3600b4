//! Trade-offs between two goals.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use smo_core::placement::ask as core;

use super::asked;
use crate::convert::serialised;
use crate::placement::{Names, PlacementProblem, Placer, goals, written};

/// Placements of which none is better by one goal without being worse by the other. `str()` is a table, a notebook shows a
/// chart.
///
/// See `pareto`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ParetoFront {
    core: core::ParetoFront,
    names: Names,
}

#[pymethods]
impl ParetoFront {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// The points, from the least of the first goal to the least of the second: dicts with `placement` (by service, the
    /// replicas on each cluster), `totals` (by goal, in EUR/h, gCO2e/h, moves and placements) and `proved`.
    #[getter]
    fn points<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let points = PyList::empty(py);
        for point in &self.core.points {
            let dict = PyDict::new(py);
            dict.set_item("placement", written(py, &point.placement, &self.names)?)?;
            dict.set_item("totals", goals::totals(py, &point.totals)?)?;
            dict.set_item("proved", point.proved)?;
            points.append(dict)?;
        }
        Ok(points)
    }

    /// True when there are no other points: proved.
    #[getter]
    fn complete(&self) -> bool {
        self.core.complete
    }

    /// The front as a chart (self-contained SVG): a filled point is proved, a hollow one is the best found.
    fn to_svg(&self) -> String {
        self.core.to_svg()
    }

    fn __repr__(&self) -> String {
        let (first, second) = (self.core.first.name(), self.core.second.name());
        let points = crate::graph::count(self.core.points.len(), "point");
        format!("<smo.ask.ParetoFront of {first} and {second}: {points}>")
    }

    fn _repr_html_(&self) -> String {
        self.core.to_svg()
    }
}

/// The best trade-offs between two goals, such as `money` and `carbon`, other goals aside.
///
/// Every point is exact where the placer proves its answers: the first goal is minimised with at most so much of the second.
/// At most `points` are given back, spread over the front, and the placer is asked at most `questions` times.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import pareto
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [
/// ...     {"name": "cheap", "allocatable": size, "price": {"cpu": 0.01}, "carbon": {"intensity": 400}},
/// ...     {"name": "green", "allocatable": size, "price": {"cpu": 0.03}, "carbon": {"intensity": 20}},
/// ... ]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> front = pareto(smo.PlacementProblem.pose(fleet, graph), "money", "carbon")
/// >>> [point["placement"] for point in front.points], front.complete
/// ([{'web': {'cheap': 1}}, {'web': {'green': 1}}], True)
#[pyfunction]
#[pyo3(signature = (problem, first, second, *, points = 20, questions = 10_000, placer = None, seconds = None, watch = None))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn pareto(
    py: Python<'_>,
    problem: &PlacementProblem,
    first: &str,
    second: &str,
    points: usize,
    questions: u64,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<ParetoFront> {
    let (first, second) = (goals::goal(first)?, goals::goal(second)?);
    let limits = core::FrontLimits { points, questions };
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| core::pareto_watched(placer, problem, first, second, limits, watch),
    )?;
    Ok(ParetoFront {
        core,
        names: problem.names().clone(),
    })
}
