//! Conflicts and repairs.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use smo_core::placement::Weight;
use smo_core::placement::ask as core;

use super::asked;
use crate::convert::serialised;
use crate::html;
use crate::placement::{Decision, PlacementProblem, Placer};

/// Why a question has no placement, and the ways out. `str()` is the whole answer.
///
/// See `repairs`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Repairs {
    core: core::Repairs,
}

#[pymethods]
impl Repairs {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// What cannot hold together, one sentence each: without any one of them there is a placement. Empty where nothing is
    /// proved to be impossible.
    #[getter]
    fn conflict(&self) -> Vec<String> {
        let conflict = self.core.conflict.iter();
        conflict
            .flat_map(|conflict| &conflict.members)
            .map(|member| member.text.clone())
            .collect()
    }

    /// The ways out, cheapest first: dicts with `changes` (a few words each), `cost` (points) and `decision`, what is decided
    /// then.
    #[getter]
    fn ways_out<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let ways = PyList::empty(py);
        for repair in &self.core.repairs {
            let changes: Vec<String> = repair.edits.iter().map(ToString::to_string).collect();
            let dict = PyDict::new(py);
            dict.set_item("changes", changes)?;
            dict.set_item("cost", repair.cost.points())?;
            dict.set_item("decision", Decision::new(repair.decision.clone()))?;
            ways.append(dict)?;
        }
        Ok(ways)
    }

    /// True when no set of changes of these kinds is cheaper than the first: proved.
    #[getter]
    fn cheapest(&self) -> bool {
        self.core.cheapest
    }

    /// True when `watch` or `seconds` ended it: what is not said to be proved may be otherwise.
    #[getter]
    fn stopped(&self) -> bool {
        self.core.stopped
    }

    fn __repr__(&self) -> String {
        let ways = crate::graph::count(self.core.repairs.len(), "repair");
        format!("<smo.ask.Repairs: {ways}>")
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}

fn costs(points: BTreeMap<String, f64>) -> PyResult<core::RepairCosts> {
    let mut costs = core::RepairCosts::default();
    for (kind, points) in points {
        let slot = match kind.as_str() {
            "core" => &mut costs.core,
            "memory" => &mut costs.memory,
            "storage" => &mut costs.storage,
            "piece" => &mut costs.piece,
            "ready" => &mut costs.ready,
            "taint" => &mut costs.taint,
            "allow" => &mut costs.allow,
            "region" => &mut costs.region,
            "millisecond" => &mut costs.millisecond,
            "hop" => &mut costs.hop,
            "unmeasured" => &mut costs.unmeasured,
            "replica" => &mut costs.replica,
            "labels" => &mut costs.labels,
            "domain" => &mut costs.domain,
            "split" => &mut costs.split,
            "spread" => &mut costs.spread,
            "group" => &mut costs.group,
            "rule" => &mut costs.rule,
            "release" => &mut costs.release,
            "budget" => &mut costs.budget,
            "bandwidth" => &mut costs.bandwidth,
            other => {
                let message = format!(
                    "{other} is no kind of repair; one of core, memory, storage, piece, ready, taint, allow, region, \
                     millisecond, hop, unmeasured, replica, labels, domain, split, spread, group, rule, release, budget, \
                     bandwidth"
                );
                return Err(PyValueError::new_err(message));
            }
        };
        let message = || format!("the cost of {kind} is {points}, not a number from 0 to 1000000");
        *slot = Weight::from_points(points).ok_or_else(|| PyValueError::new_err(message()))?;
    }
    Ok(costs)
}

/// What stands in the way of a placement, and the cheapest ways out, each checked by solving again.
///
/// `costs` says how dear each kind of change is, in points: a `core`, a GiB of `memory` or `storage` or a `piece` of anything
/// else more on a cluster, a cluster made `ready`, a `taint` tolerated, a cluster to `allow`, a `region`, a `millisecond` or a
/// `hop` more on a link or the limit of an `unmeasured` one, a `replica` fewer, a `domain` fewer or more than a spread asks for
/// or a replica of skew more or two clusters instead of two domains for high availability, replicas `split` over clusters, the `labels`, or the `spread` or high availability of a service
/// dropped, a `group` dropped or a service more let together, a `rule` of yours dropped, a final placement to `release`, a per
/// cent more of a `budget` or of the `bandwidth` between two clusters. At most `most` ways out are given back;
/// `placements` placements are looked at, and the placer is asked `questions` times for the conflict.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import repairs
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: tiny, allocatable: {cpu: 500m, memory: 8Gi}}]}")
/// >>> found = repairs(smo.PlacementProblem.pose(fleet, graph))
/// >>> found.conflict
/// ['tiny has 0.5 cores', 'web runs and takes 1 core, 1Gi memory, 10G storage']
/// >>> [(way["changes"], way["cost"]) for way in found.ways_out], found.cheapest
/// ([(['+0.5 cores on tiny'], 0.5)], True)
#[pyfunction]
#[pyo3(signature = (problem, *, most = 5, costs = None, placements = 100_000, questions = 400, placer = None, seconds = None, watch = None))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn repairs(
    py: Python<'_>,
    problem: &PlacementProblem,
    most: usize,
    costs: Option<BTreeMap<String, f64>>,
    placements: u64,
    questions: u64,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<Repairs> {
    let limits = core::RepairLimits {
        repairs: most,
        placements,
        questions,
        costs: self::costs(costs.unwrap_or_default())?,
    };
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| core::repairs_watched(placer, problem, limits, watch),
    )?;
    Ok(Repairs { core })
}
