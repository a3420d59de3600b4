//! Why there is no placement.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::placement as core;

use super::Names;
use crate::convert::serialised;
use crate::html;

/// Why no placement was found: what keeps each service off each cluster, what is missing, and what to try.
///
/// `str()` is the whole explanation.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: tiny, allocatable: {cpu: 500m, memory: 8Gi}}]}")
/// >>> try:
/// ...     smo.plan(graph, fleet)
/// ... except smo.Infeasible as error:
/// ...     error.diagnosis.proved, error.diagnosis.services
/// (True, {'web': {'tiny': '0.5 cores short'}})
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Diagnosis {
    core: core::Diagnosis,
    names: Names,
}

impl Diagnosis {
    pub(crate) fn new(core: core::Diagnosis) -> Self {
        let together = core.shortages.iter().flat_map(|shortage| &shortage.services);
        let mentioned = core.services.keys().chain(together).chain(&core.conflict);
        let mut keys: Vec<_> = Vec::new();
        for key in mentioned {
            if !keys.contains(key) {
                keys.push(key.clone());
            }
        }
        let names = Names::new(keys.into_iter().map(|key| (key, 0)));
        Self { core, names }
    }
}

#[pymethods]
impl Diagnosis {
    /// True when no placement exists; false when the placer only found none.
    #[getter]
    fn proved(&self) -> bool {
        self.core.proved
    }

    /// The name of the placer that was asked.
    #[getter]
    fn placer(&self) -> &str {
        &self.core.placer
    }

    /// For each service that fits nowhere: by cluster, the first rule that keeps it off.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (key, diagnosis) in &self.core.services {
            let reasons = PyDict::new(py);
            for (cluster, reason) in &diagnosis.reasons {
                reasons.set_item(cluster.as_str(), reason.to_string())?;
            }
            services.set_item(self.names.of(key), reasons)?;
        }
        Ok(services)
    }

    /// What services need together and the clusters open to them do not have, one sentence each.
    #[getter]
    fn shortages(&self) -> Vec<String> {
        self.core.shortages.iter().map(ToString::to_string).collect()
    }

    /// Services that do not fit together, though they would with any of them left out.
    #[getter]
    fn conflict(&self) -> Vec<String> {
        self.core.conflict.iter().map(|key| self.names.of(key)).collect()
    }

    /// What to try.
    #[getter]
    fn hints(&self) -> Vec<String> {
        self.core.hints.iter().map(ToString::to_string).collect()
    }

    /// What the placer did, as the `work` of a decision.
    #[getter]
    fn work<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core.work)
    }

    /// A map of the services that fit nowhere and the clusters (self-contained SVG), with the rule in the way; shortages, conflicts and
    /// what to try are below it.
    fn to_svg(&self) -> String {
        self.core.to_svg()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.core)
    }

    fn __str__(&self) -> String {
        self.core.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        let proved = if self.core.proved { "proved" } else { "not proved" };
        format!("<smo.Diagnosis by {}: {proved}>", self.core.placer)
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.core.to_string())
    }
}
