//! Full explanations.

use std::collections::BTreeMap;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use smo_core::placement::Goal;
use smo_core::placement::ask as core;

use super::asked;
use crate::convert::serialised;
use crate::placement::{Decision, Names, PlacementProblem, Placer, goals};

/// Why a placement is what it is: every other cluster of every service with its price. `str()` is the whole explanation, a
/// notebook shows a map.
///
/// See `explain_in_full`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct FullExplanation {
    core: core::FullExplanation,
    names: Names,
}

#[pymethods]
impl FullExplanation {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// By service, a dict with `chosen`, `runner_up` (or `None`), `why`, and `others`: by cluster, what it costs more or what
    /// forbids it, in words. Where its replicas may be split, that is the price of a replica there at least, and `whole` has that of
    /// all of them.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (service, choice) in &self.core.services {
            let others = PyDict::new(py);
            for (cluster, price) in &choice.others {
                others.set_item(cluster.as_str(), price.to_string())?;
            }
            let dict = PyDict::new(py);
            dict.set_item("chosen", choice.chosen.to_string())?;
            dict.set_item("runner_up", choice.runner_up.as_ref().map(ToString::to_string))?;
            dict.set_item("why", &choice.why)?;
            dict.set_item("others", others)?;
            if !choice.whole.is_empty() {
                let whole = choice.whole.iter();
                let whole = whole.map(|(cluster, price)| (cluster.to_string(), price.to_string()));
                dict.set_item("whole", whole.collect::<BTreeMap<_, _>>())?;
            }
            services.set_item(self.names.of(service), dict)?;
        }
        Ok(services)
    }

    /// By service and cluster, how many points more it is when the service has to run there and everything else is decided
    /// again; only what is possible.
    #[getter]
    fn prices<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (service, choice) in &self.core.services {
            let prices = PyDict::new(py);
            for (cluster, price) in &choice.others {
                if let Some(difference) = price.difference() {
                    prices.set_item(cluster.as_str(), difference.points())?;
                }
            }
            services.set_item(self.names.of(service), prices)?;
        }
        Ok(services)
    }

    /// What would make a better placement possible if it were not there, the dearest first: dicts with `text`, `gain` (points)
    /// and `exact`.
    #[getter]
    fn binding<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for binding in &self.core.binding {
            let dict = PyDict::new(py);
            dict.set_item("text", &binding.text)?;
            dict.set_item("gain", binding.gain.points())?;
            dict.set_item("exact", binding.exact)?;
            list.append(dict)?;
        }
        Ok(list)
    }

    /// By goal, what it is before and after, in EUR/h, gCO2e/h, moves and placements; before is `None` where nothing runs.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let after = goals::totals(py, &self.core.decision.totals)?;
        let before = self.core.before.as_ref();
        let before = before.map(|before| goals::totals(py, before)).transpose()?;
        let both = PyDict::new(py);
        for goal in Goal::ALL {
            let name = goals::keyword(goal);
            let old = before.as_ref().map(|before| before.get_item(name)).transpose()?;
            both.set_item(name, (old.flatten(), after.get_item(name)?))?;
        }
        Ok(both)
    }

    /// True when every cluster that rules allow was decided again, and everything that may bind was tried.
    #[getter]
    fn complete(&self) -> bool {
        self.core.complete
    }

    /// A map of services and clusters (self-contained SVG): the dearer, the redder.
    fn to_svg(&self) -> String {
        self.core.to_svg()
    }

    /// True when `watch` or `seconds` ended it: what is not said to be proved may be otherwise.
    #[getter]
    fn stopped(&self) -> bool {
        self.core.stopped
    }

    fn __repr__(&self) -> String {
        let services = crate::graph::count(self.core.services.len(), "service");
        format!("<smo.ask.FullExplanation of {services}>")
    }

    fn _repr_html_(&self) -> String {
        self.core.to_svg()
    }
}

/// Explains a decision on a question: for every service, what each other cluster costs when the service has to run there and
/// everything else is decided again, or the first rule that forbids it; what binds; and totals before and after.
///
/// Asks the placer at most `questions` times; what is not asked has the price of moving that service alone, which is never
/// too low and says so.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import explain_in_full
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": "dear", "allocatable": size, "price": {"cpu": 1}}, {"name": "cheap", "allocatable": size}]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> problem = smo.PlacementProblem.pose(fleet, graph)
/// >>> explained = explain_in_full(problem, smo.place(problem))
/// >>> explained.services["web"]
/// {'chosen': 'cheap', 'runner_up': 'dear', 'why': 'best; next dear', 'others': {'dear': '+1.000 EUR/h'}}
#[pyfunction]
#[pyo3(signature = (problem, decision, *, questions = core::DEFAULT_EXPLANATION_QUESTIONS, placer = None, seconds = None, watch = None))]
pub(crate) fn explain_in_full(
    py: Python<'_>,
    problem: &PlacementProblem,
    decision: &Decision,
    questions: u64,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<FullExplanation> {
    let explained = decision.core();
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| {
            core::explain_in_full_watched(placer, problem, explained, questions, watch)
        },
    )?;
    Ok(FullExplanation {
        core,
        names: problem.names().clone(),
    })
}
