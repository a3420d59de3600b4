//! Reading descriptors.

use std::sync::Arc;

use pyo3::prelude::*;
use smo_core::decode::UnknownKeys;
use smo_core::descriptor::{self as core, Dangling, ValidateOptions};
use smo_core::diagnostic::Violations;

use crate::convert::{Document, Reduced, to_python};
use crate::error::invalid;
use crate::graph::ApplicationGraph;
use crate::intent::Catalog;

/// A descriptor that is read but not validated: an application graph in YAML or JSON.
///
/// >>> import smo
/// >>> descriptor = smo.Descriptor.parse('''
/// ... hdaGraph:
/// ...   id: shop
/// ...   services:
/// ...     - id: web
/// ...       artifact: {ociImage: oci://registry.example.com/shop/web}
/// ... ''')
/// >>> descriptor.validate()
/// <smo.ApplicationGraph shop: 1 service, 0 links>
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Descriptor(Arc<core::Descriptor>);

impl Document for Descriptor {
    const REFUSAL: &'static str = "InvalidDescriptor";
    const NAME: &'static str = "descriptor";

    fn parse_named(name: &str, text: &str) -> Result<Self, Violations> {
        core::Descriptor::parse_named(name, text).map(|descriptor| Self(Arc::new(descriptor)))
    }
}

#[pymethods]
impl Descriptor {
    /// Reads a descriptor from YAML or JSON text; `name` is what violations call it.
    ///
    /// Raises `InvalidDescriptor` when the text is no YAML, too large, or has no `hdaGraph` map at its root. Everything
    /// else is for `validate` to say.
    ///
    /// >>> import smo
    /// >>> smo.Descriptor.parse("hdaGraph: {id: shop}", name="shop.yaml")
    /// <smo.Descriptor shop.yaml>
    #[staticmethod]
    #[pyo3(signature = (text, name = "descriptor"))]
    fn parse(py: Python<'_>, text: &str, name: &str) -> PyResult<Self> {
        Self::from_text(py, text, name)
    }

    /// Reads a descriptor from a file (UTF-8).
    ///
    /// Raises `OSError`, such as `FileNotFoundError`, when the file cannot be read, and `InvalidDescriptor` as `parse`.
    ///
    /// >>> import smo
    /// >>> smo.Descriptor.read("nowhere.yaml")
    /// Traceback (most recent call last):
    /// FileNotFoundError: [Errno 2] No such file or directory: 'nowhere.yaml'
    #[staticmethod]
    fn read(path: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_file(path)
    }

    /// A descriptor of the same shape as the file, from Python's own types.
    ///
    /// >>> import smo
    /// >>> web = {"id": "web", "artifact": {"ociImage": "oci://registry.example.com/shop/web"}}
    /// >>> smo.Descriptor.from_dict({"hdaGraph": {"id": "shop", "services": [web]}}).validate().id
    /// 'shop'
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_object(document)
    }

    /// The graph that it describes. Notes about it are in `graph.notes`.
    ///
    /// With `strict`, keys that the format does not know are refused; otherwise they are noted and kept. With
    /// `drop_dangling`, references to services that do not exist are left out with a note; otherwise they are refused.
    /// `catalog` says which classes exist.
    ///
    /// Raises `InvalidDescriptor` with *every* violation.
    ///
    /// >>> import smo
    /// >>> descriptor = smo.Descriptor.parse("hdaGraph: {id: My Shop, services: []}")
    /// >>> try:
    /// ...     descriptor.validate()
    /// ... except smo.InvalidDescriptor as error:
    /// ...     len(error.violations)
    /// 2
    #[pyo3(signature = (*, strict = false, drop_dangling = false, catalog = None))]
    fn validate(
        &self,
        py: Python<'_>,
        strict: bool,
        drop_dangling: bool,
        catalog: Option<&Catalog>,
    ) -> PyResult<ApplicationGraph> {
        let mut options = ValidateOptions::new();
        if strict {
            options = options.with_unknown_keys(UnknownKeys::Refuse);
        }
        if drop_dangling {
            options = options.with_dangling(Dangling::Drop);
        }
        if let Some(catalog) = catalog {
            options = options.with_catalog(catalog.core().clone());
        }
        let descriptor = Arc::clone(&self.0);
        let validated = py.detach(move || descriptor.validate_with(&options));
        validated
            .map(|valid| ApplicationGraph::new(valid.graph, &valid.notes))
            .map_err(|violations| invalid(py, Self::REFUSAL, &violations))
    }

    /// What violations call it: `descriptor`, or the name of the file.
    #[getter]
    fn name(&self) -> &str {
        self.0.source_name()
    }

    /// The text as it was read.
    #[getter]
    pub(crate) fn text(&self) -> &str {
        self.0.text()
    }

    /// What it says as YAML without comments, keys that the format does not know included.
    fn to_yaml(&self) -> String {
        self.0.to_yaml()
    }

    /// What it says as Python's own types, keys that the format does not know included.
    ///
    /// >>> import smo
    /// >>> smo.Descriptor.parse("hdaGraph: {id: shop, services: []}").to_dict()
    /// {'hdaGraph': {'id': 'shop', 'services': []}}
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.to_json())
    }

    fn __repr__(&self) -> String {
        format!("<smo.Descriptor {}>", self.0.source_name())
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, (String, String)>> {
        let this = &slf.get().0;
        let arguments = (this.text().to_owned(), this.source_name().to_owned());
        Ok((slf.get_type().getattr("parse")?, arguments))
    }
}

/// The JSON Schema of a descriptor, for editors and other tools.
///
/// >>> import smo
/// >>> smo.json_schema()["type"]
/// 'object'
#[pyfunction]
pub(crate) fn json_schema(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    crate::convert::serialised(py, &core::json_schema())
}
