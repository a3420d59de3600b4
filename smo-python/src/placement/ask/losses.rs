//! The certificate for single losses.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::placement::ask as core;

use super::{asked, comparison};
use crate::convert::serialised;
use crate::error;
use crate::html;
use crate::placement::{PlacementProblem, Placer};

/// For every single loss, where everything runs then, or why nothing does. `str()` is the whole certificate.
///
/// See `single_losses`.
#[pyclass(module = "smo.ask", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct LossCertificate {
    core: core::LossCertificate,
}

#[pymethods]
impl LossCertificate {
    /// Everything, as Python's own types. Amounts are in base units, such as nano-euro per hour.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    /// A map of services and losses (self-contained SVG): where each service runs, where it goes after each loss that moves it, and
    /// which losses leave no placement.
    fn to_svg(&self) -> String {
        self.core.to_svg()
    }

    /// `survives`: everything can be placed whatever single loss happens; `breaks`: not so, proved; `open`: the placer found
    /// none after some loss, or some were left out.
    #[getter]
    fn verdict(&self) -> &'static str {
        match self.core.redundancy() {
            core::Redundancy::Survives => "survives",
            core::Redundancy::Breaks => "breaks",
            core::Redundancy::Open => "open",
        }
    }

    /// The names of the losses that leave no placement, each with the `Diagnosis`.
    #[getter]
    fn breaking<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let breaking = PyDict::new(py);
        for loss in &self.core.losses {
            if let core::Survival::Broken { outcome } = &loss.survival {
                breaking.set_item(&loss.name, comparison::outcome(py, outcome)?)?;
            }
        }
        Ok(breaking)
    }

    /// By loss, who moves as (service, before, after, fate); nobody where nothing runs there.
    #[getter]
    fn relocations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let moved = PyDict::new(py);
        for loss in &self.core.losses {
            if !matches!(loss.survival, core::Survival::Broken { .. }) {
                moved.set_item(&loss.name, comparison::relocations(loss.survival.relocations()))?;
            }
        }
        Ok(moved)
    }

    /// The losses that were not decided because `watch` or `seconds` ended it; they are in nothing else here.
    #[getter]
    fn left_out(&self) -> Vec<String> {
        self.core.left_out.clone()
    }

    /// Checks every placement of the certificate against every rule again, without a placer: one sentence for each fault.
    ///
    /// Raises `PlacementFailed` for the question of another fleet.
    fn check(&self, py: Python<'_>, problem: &PlacementProblem) -> PyResult<Vec<String>> {
        let checked = problem.checked(Ok(self.core.check(problem.core())))?;
        checked.map_err(|failed| error::placement(py, &failed, None))
    }

    fn __repr__(&self) -> String {
        format!("<smo.ask.LossCertificate: {}>", self.verdict())
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}

/// Places everything, then everything again after each single loss: of a `cluster`, a `region`, a `provider`, or of all
/// clusters with one value of another label.
///
/// `watch` and `seconds` end it early; see `AskProgress`.
///
/// >>> import smo
/// >>> from smo.ask import single_losses
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": name, "allocatable": size} for name in ("edge-1", "edge-2")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> certificate = single_losses(smo.PlacementProblem.pose(fleet, graph))
/// >>> certificate.verdict, certificate.relocations["edge-1"], certificate.relocations["edge-2"]
/// ('survives', [('web', 'edge-1', 'edge-2', 'moves')], [])
#[pyfunction]
#[pyo3(signature = (problem, *, of = "cluster", placer = None, seconds = None, watch = None))]
pub(crate) fn single_losses(
    py: Python<'_>,
    problem: &PlacementProblem,
    of: &str,
    placer: Option<&Bound<'_, Placer>>,
    seconds: Option<f64>,
    watch: Option<Py<PyAny>>,
) -> PyResult<LossCertificate> {
    let of = match of {
        "" => {
            return Err(PyValueError::new_err(
                "of is cluster, region, provider, or a label",
            ));
        }
        "cluster" => core::LossOf::Cluster,
        "region" => core::LossOf::Region,
        "provider" => core::LossOf::Provider,
        label => core::LossOf::Label(label.to_owned()),
    };
    let core = asked(
        py,
        problem,
        placer,
        (seconds, watch),
        move |placer, problem, watch| core::single_losses_watched(placer, problem, of, watch),
    )?;
    Ok(LossCertificate { core })
}
