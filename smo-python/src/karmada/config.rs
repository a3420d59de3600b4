//! How to reach a Karmada control plane, and under which name to write there.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::prelude::*;
use smo_core::cluster::Toleration;
use smo_karmada as adapter;

use super::facts::FleetFacts;
use super::fleet::{KarmadaFleet, Shared};
use crate::backend::{ChartBackend, Fleet};
use crate::convert::{from_python, path_name};
use crate::error;
use crate::runtime::{self, Port, ask};

/// Where Karmada is, and under which name to write there. No credential is in `repr()`.
///
/// `kubeconfig` is the path of the kubeconfig of Karmada's API server, `text` the kubeconfig itself, which goes before a
/// path. `context` names one of its contexts instead of the current one. `manager` is the field manager, and the label
/// `app.kubernetes.io/managed-by` of what is written, so that two installations on one Karmada stay apart.
///
/// Raises `Invalid` when no kubeconfig is given, or the manager is no DNS label.
///
/// >>> from smo.karmada import KarmadaConfig
/// >>> KarmadaConfig("/etc/karmada/karmada.config", context="karmada-apiserver")
/// <smo.karmada.KarmadaConfig { kubeconfig: "/etc/karmada/karmada.config", context: Some("karmada-apiserver"), manager: "smo", drift: Repair }>
#[pyclass(module = "smo.karmada", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct KarmadaConfig(adapter::KarmadaConfig);

const CONFIGURE: &str = "configure Karmada";

#[pymethods]
impl KarmadaConfig {
    #[new]
    #[pyo3(signature = (kubeconfig = None, *, text = None, context = None, manager = None))]
    fn new(
        py: Python<'_>,
        kubeconfig: Option<&Bound<'_, PyAny>>,
        text: Option<String>,
        context: Option<String>,
        manager: Option<String>,
    ) -> PyResult<Self> {
        let mut builder = adapter::KarmadaConfig::builder();
        if let Some(path) = kubeconfig {
            builder = builder.with_kubeconfig_path(path_name(path)?);
        }
        if let Some(text) = text {
            builder = builder.with_kubeconfig_text(text);
        }
        if let Some(context) = context {
            builder = builder.with_context(context);
        }
        if let Some(manager) = manager {
            builder = builder.with_manager(manager);
        }
        let built = builder.build();
        built
            .map(Self)
            .map_err(|failed| error::backend(py, &failed.during(CONFIGURE)))
    }

    /// What the environment says: `SMO_KARMADA_KUBECONFIG`, or `KUBECONFIG` where that is not set, and
    /// `SMO_KARMADA_CONTEXT`. Raises `Invalid` when neither names a kubeconfig.
    #[staticmethod]
    fn from_env(py: Python<'_>) -> PyResult<Self> {
        adapter::KarmadaConfig::from_env()
            .map(Self)
            .map_err(|failed| error::backend(py, &failed.during(CONFIGURE)))
    }

    /// The name under which it writes.
    #[getter]
    fn manager(&self) -> &str {
        self.0.manager()
    }

    /// Connects. `charts` installs the services that are charts: a `smo.artifact.HelmDriver` for the same kubeconfig.
    ///
    /// `facts` is what the host knows of the fleet and Karmada does not: prices, carbon, distances. `tolerations` are
    /// taints that releases ignore, dicts of `key`, `value` and `effect`. Nothing is sent yet. Raises `Invalid` when the
    /// kubeconfig cannot be read.
    ///
    /// >>> import smo
    /// >>> try:
    /// ...     smo.karmada.KarmadaConfig("/nowhere").connect(smo.InMemoryCharts())
    /// ... except smo.Invalid as error:
    /// ...     print(error.hints[0])
    /// name Karmada's kubeconfig in SMO_KARMADA_KUBECONFIG or KUBECONFIG, and check its current-context
    #[pyo3(signature = (charts, *, facts = None, tolerations = None))]
    fn connect(
        &self,
        py: Python<'_>,
        charts: &ChartBackend,
        facts: Option<&FleetFacts>,
        tolerations: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Py<KarmadaFleet>> {
        runtime::start()?;
        let charts = charts.boxed()?;
        let tolerations: Vec<Toleration> = match tolerations {
            Some(given) => from_python(given, "a list of tolerations")?,
            None => Vec::new(),
        };
        let fleet =
            ask(py, self.0.connect(charts, Arc::new(adapter::SystemTime)))?.with_tolerations(tolerations);
        if let Some(facts) = facts {
            fleet.set_facts(facts.core().clone());
        }
        let shared = Shared::new(fleet);
        let base = Fleet::new(Port::connected(Arc::new(shared.clone())));
        let port = Port::connected(shared);
        Py::new(
            py,
            PyClassInitializer::from(base).add_subclass(KarmadaFleet::new(port)),
        )
    }

    fn __repr__(&self) -> String {
        format!("<smo.karmada.{:?}>", self.0)
    }
}
