//! OCI registries.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use smo_artifact as adapter;

use crate::backend::{ArtifactBackend, ArtifactInfo};
use crate::convert::{path_name, seconds};
use crate::descriptor::Descriptor;
use crate::error;
use crate::runtime::{self, Port, ask};

/// How registries are reached. Every `with_...` gives a new configuration. No credential is in `repr()`, and it cannot be
/// pickled.
///
/// >>> from smo.artifact import RegistryConfig
/// >>> config = RegistryConfig().with_plain_http("127.0.0.1:5000").with_credentials("r.io", "smo", "hunter2")
/// >>> "hunter2" in repr(config)
/// False
#[pyclass(module = "smo.artifact", frozen)]
pub(crate) struct RegistryConfig(adapter::RegistryConfig);

impl RegistryConfig {
    pub(super) fn core(&self) -> &adapter::RegistryConfig {
        &self.0
    }

    fn with(&self, change: impl FnOnce(adapter::RegistryConfig) -> adapter::RegistryConfig) -> Self {
        Self(change(self.0.clone()))
    }
}

#[pymethods]
impl RegistryConfig {
    /// TLS everywhere, no credentials, Helm's limits.
    #[new]
    fn new() -> Self {
        Self(adapter::RegistryConfig::new())
    }

    /// What the environment says: `SMO_REGISTRY_PLAIN_HTTP`, `SMO_REGISTRY_AUTH_FILE`, `SMO_REGISTRY_CA_FILE`, and the
    /// credential files of Helm and Docker.
    #[staticmethod]
    fn from_env() -> Self {
        Self(adapter::RegistryConfig::from_env())
    }

    /// The same that reaches `host[:port]` without TLS.
    fn with_plain_http(&self, host: String) -> Self {
        self.with(|config| config.with_plain_http(host))
    }

    /// The same with a user and a password at `host[:port]`, whatever files say.
    fn with_credentials(&self, host: String, user: String, password: String) -> Self {
        self.with(|config| config.with_credentials(host, adapter::Credentials::basic(user, password)))
    }

    /// The same with a registry token at `host[:port]`, whatever files say.
    fn with_token(&self, host: String, token: String) -> Self {
        self.with(|config| config.with_credentials(host, adapter::Credentials::Token(token)))
    }

    /// The same with a credential file in Docker's format, after those given before. Helpers that it names are run.
    fn with_credential_file(&self, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let path = path_name(path)?;
        Ok(self.with(|config| config.with_credential_file(path)))
    }

    /// The same that trusts the PEM certificates in a file besides the system's.
    fn with_certificates(&self, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let path = path_name(path)?;
        Ok(self.with(|config| config.with_certificates(path)))
    }

    /// The same that gives up connecting, or waiting for the next bytes, after so many seconds.
    #[pyo3(signature = (*, connect = 10.0, read = 30.0))]
    fn with_timeouts(&self, connect: f64, read: f64) -> PyResult<Self> {
        let (connect, read) = (seconds("connect", connect)?, seconds("read", read)?);
        Ok(self.with(|config| config.with_timeouts(connect, read)))
    }

    /// The same that accepts archives of so many bytes `packed`, `unpacked` and per `file`, and so many `entries`. What is
    /// not given is as Helm has it.
    #[pyo3(signature = (*, packed = None, unpacked = None, file = None, entries = None))]
    fn with_limits(
        &self,
        packed: Option<u64>,
        unpacked: Option<u64>,
        file: Option<u64>,
        entries: Option<usize>,
    ) -> Self {
        let usual = adapter::ArchiveLimits::default();
        let limits = adapter::ArchiveLimits {
            packed: packed.unwrap_or(usual.packed),
            unpacked: unpacked.unwrap_or(usual.unpacked),
            file: file.unwrap_or(usual.file),
            entries: entries.unwrap_or(usual.entries),
        };
        self.with(|config| config.with_limits(limits))
    }

    fn __repr__(&self) -> String {
        format!("<smo.artifact.{:?}>", self.0)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("RegistryConfig"))
    }
}

/// What holds credentials does not go into a file or another process unasked.
pub(super) fn unpicklable(class: &str) -> PyErr {
    pyo3::exceptions::PyTypeError::new_err(format!("cannot pickle {class}: it may hold credentials"))
}

/// Charts and descriptors in OCI registries.
///
/// Besides what `ArtifactBackend` says, a reference may begin with `https://` (as `oci://`), `http://` (no TLS) or with the
/// host, and end with a range of versions: `oci://host/path/name:^1.2`. What an artifact is, its content says, whatever the
/// media types. Digests and sizes are checked, and archives that lead out of their folder or grow too large are refused.
///
/// >>> import smo
/// >>> registry = smo.artifact.OciArtifacts()
/// >>> try:
/// ...     registry.resolve("no reference")
/// ... except smo.Invalid as error:
/// ...     print(error)
/// resolve no reference: `no reference` is no registry host; write `oci://host[:port]/path/name`
#[pyclass(module = "smo.artifact", frozen, extends = ArtifactBackend)]
pub(crate) struct OciArtifacts(Port<adapter::OciArtifacts>);

impl OciArtifacts {
    fn with(py: Python<'_>, config: adapter::RegistryConfig) -> PyResult<PyClassInitializer<Self>> {
        runtime::start()?;
        let core = adapter::OciArtifacts::new(config).map_err(|failed| error::backend(py, &failed))?;
        let base = ArtifactBackend::new(Port::connected(Arc::new(core.clone())));
        Ok(PyClassInitializer::from(base).add_subclass(Self(Port::connected(core))))
    }
}

#[pymethods]
impl OciArtifacts {
    /// Registries reached as `config` says. Raises `Invalid` when certificates cannot be read.
    #[new]
    #[pyo3(signature = (config = None))]
    fn new(py: Python<'_>, config: Option<&RegistryConfig>) -> PyResult<PyClassInitializer<Self>> {
        Self::with(py, config.map(|config| config.0.clone()).unwrap_or_default())
    }

    /// Registries reached as `RegistryConfig.from_env()` says.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Py<Self>> {
        Py::new(py, Self::with(py, adapter::RegistryConfig::from_env())?)
    }

    /// The chart that a reference stands for, with its archive. Raises as `resolve`, and `Invalid` for a descriptor.
    fn chart(&self, py: Python<'_>, reference: &str) -> PyResult<PulledChart> {
        let registry = self.0.get()?;
        ask(py, registry.chart(reference)).map(PulledChart)
    }

    /// The versions in a repository, newest first; what a reference says after its name does not matter.
    fn versions(&self, py: Python<'_>, reference: &str) -> PyResult<Vec<String>> {
        let registry = self.0.get()?;
        let versions = ask(py, registry.versions(reference))?;
        Ok(versions.iter().map(ToString::to_string).collect())
    }

    /// Pushes a descriptor below `project` (`oci://host[:port]/path`), under its `hdaGraph.id` and `hdaGraph.version`. The
    /// text is unchanged.
    ///
    /// Raises `Invalid` for one without id and version.
    fn push_descriptor(
        &self,
        py: Python<'_>,
        project: &str,
        descriptor: &Descriptor,
    ) -> PyResult<ArtifactInfo> {
        let registry = self.0.get()?;
        let text = descriptor.text();
        ask(py, registry.push_descriptor(project, text)).map(ArtifactInfo::from)
    }

    /// Pushes the archive of a chart (as `helm package` writes it) below `project`, under its name and version.
    ///
    /// Raises `Invalid` for what is no chart.
    fn push_chart(&self, py: Python<'_>, project: &str, archive: &[u8]) -> PyResult<ArtifactInfo> {
        let registry = self.0.get()?;
        ask(py, registry.push_chart(project, archive)).map(ArtifactInfo::from)
    }

    /// Packages and pushes a folder below `project`: a chart when it has a `Chart.yaml`, else the descriptor in it.
    ///
    /// Files that begin with a dot stay out. Raises `Invalid` for a folder with neither.
    fn push_folder(
        &self,
        py: Python<'_>,
        project: &str,
        folder: &Bound<'_, PyAny>,
    ) -> PyResult<ArtifactInfo> {
        let (registry, folder) = (self.0.get()?, path_name(folder)?);
        ask(py, registry.push_folder(project, folder)).map(ArtifactInfo::from)
    }

    fn __repr__(&self) -> &'static str {
        "<smo.artifact.OciArtifacts>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("OciArtifacts"))
    }
}

/// A chart as it stands in a registry.
#[pyclass(module = "smo.artifact", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct PulledChart(adapter::PulledChart);

#[pymethods]
impl PulledChart {
    /// What the reference stands for.
    #[getter]
    fn info(&self) -> ArtifactInfo {
        ArtifactInfo::from(self.0.info.clone())
    }

    /// The name of the chart.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Its version.
    #[getter]
    fn version(&self) -> &str {
        &self.0.version
    }

    /// Its archive, as `helm package` writes it.
    #[getter]
    fn archive<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.archive)
    }

    fn __repr__(&self) -> String {
        format!("<smo.artifact.PulledChart {} {}>", self.0.name, self.0.version)
    }
}
