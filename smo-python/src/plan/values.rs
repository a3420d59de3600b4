//! Which keys of Helm values say where a release runs and who imports it.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::graph::Implementer;
use smo_core::helm_values::HelmValues;
use smo_core::id::ClusterName;
use smo_core::plan as core;

use crate::convert::{Reduced, from_python};

/// The values contract between the orchestrator and charts: the key of the list of clusters to run on (`affinity`), of
/// the list of clusters that import the Kubernetes Service (`imports`), and of the map that holds both in a Web-of-Things
/// chart (`wot_wrapper`). A planner writes these and no other keys.
///
/// >>> import smo
/// >>> contract = smo.ValuesContract(affinity="clusters")
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> fleet = smo.Inventory.parse("fleet: {clusters: [{name: edge-1, allocatable: {cpu: 4, memory: 8Gi}}]}")
/// >>> plan = smo.plan(graph, fleet, values_contract=contract)
/// >>> plan.services["web"].values
/// {'clusters': ['edge-1'], 'serviceImportClusters': ['edge-1']}
/// >>> contract.read_affinity(plan.services["web"].values)
/// ['edge-1']
#[pyclass(module = "smo", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct ValuesContract(pub(super) core::ValuesContract);

#[pymethods]
impl ValuesContract {
    #[new]
    #[pyo3(signature = (affinity = None, imports = None, wot_wrapper = None))]
    fn new(affinity: Option<String>, imports: Option<String>, wot_wrapper: Option<String>) -> Self {
        let usual = core::ValuesContract::default();
        Self(core::ValuesContract {
            affinity: affinity.unwrap_or(usual.affinity),
            imports: imports.unwrap_or(usual.imports),
            wot_wrapper: wot_wrapper.unwrap_or(usual.wot_wrapper),
        })
    }

    /// The key of the list of clusters to run on.
    #[getter]
    fn affinity(&self) -> &str {
        &self.0.affinity
    }

    /// The key of the list of clusters that import the Kubernetes Service.
    #[getter]
    fn imports(&self) -> &str {
        &self.0.imports
    }

    /// The key of the map that holds both in a Web-of-Things chart.
    #[getter]
    fn wot_wrapper(&self) -> &str {
        &self.0.wot_wrapper
    }

    /// The clusters that values name to run on; none when they name none. `wot`: those of a Web-of-Things chart.
    #[pyo3(signature = (values, *, wot = false))]
    fn read_affinity(&self, values: &Bound<'_, PyDict>, wot: bool) -> PyResult<Vec<String>> {
        let values: HelmValues = from_python(values, "Helm values")?;
        Ok(names(self.0.read_affinity(&implementer(wot), &values)))
    }

    /// The clusters that values name to import the Kubernetes Service; `None` when they do not say.
    #[pyo3(signature = (values, *, wot = false))]
    fn read_imports(&self, values: &Bound<'_, PyDict>, wot: bool) -> PyResult<Option<Vec<String>>> {
        let values: HelmValues = from_python(values, "Helm values")?;
        Ok(self.0.read_imports(&implementer(wot), &values).map(names))
    }

    fn __repr__(&self) -> String {
        let core::ValuesContract {
            affinity,
            imports,
            wot_wrapper,
        } = &self.0;
        format!("ValuesContract(affinity={affinity:?}, imports={imports:?}, wot_wrapper={wot_wrapper:?})")
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> Reduced<'py, (String, String, String)> {
        let contract = slf.get().0.clone();
        let arguments = (contract.affinity, contract.imports, contract.wot_wrapper);
        (slf.get_type().into_any(), arguments)
    }
}

fn implementer(wot: bool) -> Implementer {
    if wot { Implementer::Wot } else { Implementer::Helm }
}

fn names(clusters: Vec<ClusterName>) -> Vec<String> {
    clusters.iter().map(ToString::to_string).collect()
}
