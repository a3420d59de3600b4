//! Charts installed by the `helm` program.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use smo_artifact as adapter;

use super::registry::{RegistryConfig, unpicklable};
use crate::backend::ChartBackend;
use crate::convert::{path_name, seconds};
use crate::error;
use crate::runtime::{self, Port, ask};

/// Where Helm and the control plane are, and how charts are pulled. Every `with_...` gives a new configuration. No
/// credential is in `repr()`, and it cannot be pickled.
///
/// >>> from smo.artifact import HelmConfig, RegistryConfig
/// >>> config = (
/// ...     HelmConfig()
/// ...     .with_program("/usr/local/bin/helm")
/// ...     .with_kubeconfig("/etc/karmada/karmada.config")
/// ...     .with_registry(RegistryConfig().with_plain_http("127.0.0.1:5000"))
/// ... )
#[pyclass(module = "smo.artifact", frozen)]
pub(crate) struct HelmConfig(adapter::HelmConfig);

impl HelmConfig {
    fn with(&self, change: impl FnOnce(adapter::HelmConfig) -> adapter::HelmConfig) -> Self {
        Self(change(self.0.clone()))
    }
}

#[pymethods]
impl HelmConfig {
    /// `helm` in the search path, the kubeconfig of the environment, no registry credentials.
    #[new]
    fn new() -> Self {
        Self(adapter::HelmConfig::new())
    }

    /// What the environment says: `SMO_HELM` (the program), `SMO_KARMADA_KUBECONFIG`, `SMO_KARMADA_CONTEXT`, and
    /// registries as `RegistryConfig.from_env()`.
    #[staticmethod]
    fn from_env() -> Self {
        Self(adapter::HelmConfig::from_env())
    }

    /// The same with another program.
    fn with_program(&self, program: &Bound<'_, PyAny>) -> PyResult<Self> {
        let program = path_name(program)?;
        Ok(self.with(|config| config.with_program(program)))
    }

    /// The same with the kubeconfig of the control plane.
    fn with_kubeconfig(&self, path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let path = path_name(path)?;
        Ok(self.with(|config| config.with_kubeconfig(path)))
    }

    /// The same with a context of the kubeconfig.
    fn with_context(&self, context: String) -> Self {
        self.with(|config| config.with_context(context))
    }

    /// The same that ends a run of Helm after so many seconds, and takes an operation older than this for cut off.
    fn with_timeout(&self, seconds: f64) -> PyResult<Self> {
        let timeout = self::seconds("seconds", seconds)?;
        Ok(self.with(|config| config.with_timeout(timeout)))
    }

    /// The same that keeps so many revisions of a release.
    fn with_history(&self, revisions: u32) -> Self {
        self.with(|config| config.with_history(revisions))
    }

    /// The same that leaves out the hooks of charts. Helm waits for the Jobs of hooks, which never end where nothing runs
    /// them.
    fn without_hooks(&self) -> Self {
        self.with(adapter::HelmConfig::without_hooks)
    }

    /// The same that tells charts which are rendered that these API versions are there.
    fn with_api_versions(&self, versions: Vec<String>) -> Self {
        self.with(|config| config.with_api_versions(versions))
    }

    /// The same that tells charts which are rendered that the control plane is of this version of Kubernetes.
    fn with_kube_version(&self, version: String) -> Self {
        self.with(|config| config.with_kube_version(version))
    }

    /// The same that pulls charts as `registry` says.
    fn with_registry(&self, registry: &RegistryConfig) -> Self {
        self.with(|config| config.with_registry(registry.core().clone()))
    }

    fn __repr__(&self) -> String {
        format!("<smo.artifact.{:?}>", self.0)
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("HelmConfig"))
    }
}

/// Installs charts by running `helm`, version 3 or 4.
///
/// A chart is a reference that `OciArtifacts` understands, or a path that begins with `/`, `./` or `../`. Helm is never
/// told to wait. When an upgrade fails, the revision before is brought back; when a first install fails, what it left is
/// taken away; what was cut off is mended by the next operation.
///
/// >>> import smo
/// >>> from smo.artifact import HelmConfig, HelmDriver
/// >>> try:
/// ...     HelmDriver(HelmConfig().with_program("/nowhere/helm")).version()
/// ... except smo.Unsupported as error:
/// ...     error.retryable
/// False
#[pyclass(module = "smo.artifact", frozen, extends = ChartBackend)]
pub(crate) struct HelmDriver(Port<adapter::HelmDriver>);

impl HelmDriver {
    fn with(py: Python<'_>, config: adapter::HelmConfig) -> PyResult<PyClassInitializer<Self>> {
        runtime::start()?;
        let core = adapter::HelmDriver::new(config).map_err(|failed| error::backend(py, &failed))?;
        let base = ChartBackend::new(Port::connected(Arc::new(core.clone())));
        Ok(PyClassInitializer::from(base).add_subclass(Self(Port::connected(core))))
    }
}

#[pymethods]
impl HelmDriver {
    /// A driver as `config` says. The program is not run yet.
    #[new]
    #[pyo3(signature = (config = None))]
    fn new(py: Python<'_>, config: Option<&HelmConfig>) -> PyResult<PyClassInitializer<Self>> {
        Self::with(py, config.map(|config| config.0.clone()).unwrap_or_default())
    }

    /// A driver as `HelmConfig.from_env()` says.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Py<Self>> {
        Py::new(py, Self::with(py, adapter::HelmConfig::from_env())?)
    }

    /// The version of the program, such as `v4.2.4`. Raises `Unsupported` when it does not start.
    fn version(&self, py: Python<'_>) -> PyResult<String> {
        let helm = self.0.get()?;
        ask(py, helm.version())
    }

    fn __repr__(&self) -> &'static str {
        "<smo.artifact.HelmDriver>"
    }

    fn __reduce__(&self) -> PyResult<()> {
        Err(unpicklable("HelmDriver"))
    }
}
