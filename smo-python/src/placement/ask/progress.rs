//! Where a question stands.

use pyo3::prelude::*;
use smo_core::placement::ask as core;

use crate::placement::progress::Progress;

/// Where a question stands: most take one decision after the other. `str()` is a line.
///
/// `watch=` of every question is called with one from time to time; when it returns `False`, or after `seconds`, the question
/// comes back with what it knows, and says so. An exception that `watch` raises is raised by the question.
///
/// >>> import smo
/// >>> from smo.ask import what_if
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> seen = []
/// >>> answer = what_if(smo.PlacementProblem.pose(fleet, graph), watch=seen.append)
/// >>> str(seen[0]), str(seen[-1])
/// ('what if: 1 of 2, before', 'what if: 2 of 2, after')
#[pyclass(module = "smo.ask", frozen)]
pub(crate) struct AskProgress(pub(super) core::AskProgress);

#[pymethods]
impl AskProgress {
    /// The question.
    #[getter]
    fn question(&self) -> &str {
        self.0.question
    }

    /// What is decided now, in a few words.
    #[getter]
    fn about(&self) -> &str {
        &self.0.about
    }

    /// Which decision that is, from 1.
    #[getter]
    fn step(&self) -> u64 {
        self.0.step
    }

    /// How many decisions it takes at most; `None` where that is not known before.
    #[getter]
    fn steps(&self) -> Option<u64> {
        self.0.steps
    }

    /// Where the search for this decision stands; `None` before it begins.
    #[getter]
    fn search(&self) -> Option<Progress> {
        self.0.search.map(Progress)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("<smo.ask.AskProgress: {}>", self.0)
    }
}
