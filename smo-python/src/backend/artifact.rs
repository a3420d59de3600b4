//! Artifacts: what a reference stands for.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use smo_core::backend::memory::InMemoryArtifacts as CoreArtifacts;
use smo_core::backend::{self as core, ArtifactBackendExt};

use super::journal::Journal;
use crate::convert::Document;
use crate::descriptor::Descriptor;
use crate::error;
use crate::runtime::{Port, ask};

/// A registry of charts and descriptors: a `smo.artifact.OciArtifacts`, or an `InMemoryArtifacts`.
///
/// A reference is `oci://host/path/name`, followed by `:tag`, by `@sha256:digest`, or by nothing: the highest released
/// version then.
///
/// >>> import smo
/// >>> registry = smo.InMemoryArtifacts()
/// >>> digest = registry.add_descriptor("oci://r.io/demo/shop:1.0.0", "hdaGraph: {id: shop, services: []}")
/// >>> registry.descriptor("oci://r.io/demo/shop")
/// <smo.Descriptor oci://r.io/demo/shop>
/// >>> registry.resolve("oci://r.io/demo/shop").kind, registry.exists("oci://r.io/demo/shop:2.0.0")
/// ('descriptor', False)
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct ArtifactBackend(Port<Arc<dyn core::ArtifactBackend>>);

impl ArtifactBackend {
    pub(crate) fn new(port: Port<Arc<dyn core::ArtifactBackend>>) -> Self {
        Self(port)
    }
}

#[pymethods]
impl ArtifactBackend {
    /// What a reference stands for now: its kind, digest and size, and a reference that stands for it for ever.
    ///
    /// Raises `NotFound` for a name, tag or digest that is not there, `Invalid` for what is no reference,
    /// `Unauthenticated` and `Unavailable` as the registry says.
    fn resolve(&self, py: Python<'_>, reference: &str) -> PyResult<ArtifactInfo> {
        let artifacts = self.0.get()?;
        ask(py, artifacts.resolve(reference)).map(ArtifactInfo::from)
    }

    /// Whether a reference stands for something.
    fn exists(&self, py: Python<'_>, reference: &str) -> PyResult<bool> {
        let artifacts = self.0.get()?;
        ask(py, artifacts.exists(reference))
    }

    /// The descriptor that a reference stands for.
    ///
    /// Raises as `resolve`, `Invalid` for a chart, and `InvalidDescriptor` for a descriptor that cannot be read.
    fn descriptor(&self, py: Python<'_>, reference: &str) -> PyResult<Descriptor> {
        let artifacts = self.0.get()?;
        let text = ask(py, artifacts.descriptor(reference))?;
        Descriptor::from_text(py, &text, reference)
    }
}

/// What a reference stands for.
#[pyclass(module = "smo", frozen, eq, hash, get_all)]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct ArtifactInfo {
    /// A reference to exactly this content: with its digest.
    reference: String,
    /// The digest of its manifest, `sha256:...`.
    digest: String,
    /// `chart` or `descriptor`.
    kind: String,
    /// Bytes of its content.
    size: u64,
}

impl From<core::ArtifactInfo> for ArtifactInfo {
    fn from(info: core::ArtifactInfo) -> Self {
        Self {
            reference: info.reference,
            digest: info.digest,
            kind: info.kind.to_string(),
            size: info.size,
        }
    }
}

#[pymethods]
impl ArtifactInfo {
    fn __repr__(&self) -> String {
        format!("<smo.ArtifactInfo {} {}>", self.kind, self.reference)
    }
}

/// A registry in memory.
///
/// >>> import smo
/// >>> registry = smo.InMemoryArtifacts()
/// >>> digest = registry.add_chart("oci://r.io/demo/web:1.0.0", b"the chart")
/// >>> registry.resolve("oci://r.io/demo/web").size
/// 9
#[pyclass(module = "smo", frozen, extends = ArtifactBackend)]
pub(crate) struct InMemoryArtifacts(CoreArtifacts);

#[pymethods]
impl InMemoryArtifacts {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        let core = CoreArtifacts::new();
        let base = ArtifactBackend::new(Port::in_memory(Arc::new(core.clone())));
        PyClassInitializer::from(base).add_subclass(Self(core))
    }

    /// Puts a chart at a reference with a tag (without one: `latest`), and gives its digest.
    ///
    /// Raises `Invalid` for what is no reference.
    fn add_chart(&self, py: Python<'_>, reference: &str, content: &[u8]) -> PyResult<String> {
        let added = self.0.add_chart(reference, content);
        added.map_err(|failed| error::backend(py, &failed))
    }

    /// Puts a descriptor at a reference with a tag (without one: `latest`), and gives its digest.
    ///
    /// Raises `Invalid` for what is no reference.
    fn add_descriptor(&self, py: Python<'_>, reference: &str, text: &str) -> PyResult<String> {
        let added = self.0.add_descriptor(reference, text);
        added.map_err(|failed| error::backend(py, &failed))
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}
