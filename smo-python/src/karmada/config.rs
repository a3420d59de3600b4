//! How to reach a Karmada control plane, and under which name to write there.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use smo_core::cluster::Toleration;
use smo_karmada::{self as adapter, Drift};

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
/// `app.kubernetes.io/managed-by` of what is written, so that two installations on one Karmada stay apart. `drift` is what
/// is done about fields of our objects that somebody else has set since: `"repair"` takes them back, `"report"` leaves
/// them and raises `Conflict`, which names them and who set them.
///
/// Raises `Invalid` when no kubeconfig is given, or the manager is no DNS label, and `ValueError` for another `drift`.
///
/// >>> from smo.karmada import KarmadaConfig
/// >>> KarmadaConfig("/etc/karmada/karmada.config", context="karmada-apiserver")
/// <smo.karmada.KarmadaConfig { kubeconfig: "/etc/karmada/karmada.config", context: Some("karmada-apiserver"), manager: "smo", drift: Repair }>
#[pyclass(module = "smo.karmada", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct KarmadaConfig(adapter::KarmadaConfig);

const REPAIR: &str = "repair";
const REPORT: &str = "report";

fn drift_of(name: &str) -> PyResult<Drift> {
    match name {
        REPAIR => Ok(Drift::Repair),
        REPORT => Ok(Drift::Report),
        other => Err(PyValueError::new_err(format!(
            "drift is \"{REPAIR}\" or \"{REPORT}\", not {other:?}"
        ))),
    }
}

const CONFIGURE: &str = "configure Karmada";

#[pymethods]
impl KarmadaConfig {
    #[new]
    #[pyo3(signature = (kubeconfig = None, *, text = None, context = None, manager = None, drift = "repair"))]
    fn new(
        py: Python<'_>,
        kubeconfig: Option<&Bound<'_, PyAny>>,
        text: Option<String>,
        context: Option<String>,
        manager: Option<String>,
        drift: &str,
    ) -> PyResult<Self> {
        let mut builder = adapter::KarmadaConfig::builder().with_drift(drift_of(drift)?);
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
    /// `SMO_KARMADA_CONTEXT`. Raises `Invalid` when neither names a kubeconfig, and `ValueError` for another `drift`.
    #[staticmethod]
    #[pyo3(signature = (*, drift = "repair"))]
    fn from_env(py: Python<'_>, drift: &str) -> PyResult<Self> {
        let drift = drift_of(drift)?;
        adapter::KarmadaConfig::from_env()
            .map(|config| Self(config.with_drift(drift)))
            .map_err(|failed| error::backend(py, &failed.during(CONFIGURE)))
    }

    /// The name under which it writes.
    #[getter]
    fn manager(&self) -> &str {
        self.0.manager()
    }

    /// What is done about fields that somebody else has set: `"repair"` or `"report"`.
    #[getter]
    fn drift(&self) -> &'static str {
        match self.0.drift() {
            Drift::Repair => REPAIR,
            Drift::Report => REPORT,
        }
    }

    /// Connects. `charts` installs the services that are charts: a `smo.artifact.HelmDriver` for the same kubeconfig.
    ///
    /// `facts` is what the host knows of the fleet and Karmada does not: prices, carbon, distances. `tolerations` are
    /// taints that releases ignore, dicts of `key`, `value` and `effect`. `submariner` is the namespace of Submariner's
    /// objects in members, `None` to look for none. Nothing is sent yet. Raises `Invalid` when the
    /// kubeconfig cannot be read.
    ///
    /// >>> import smo
    /// >>> try:
    /// ...     smo.karmada.KarmadaConfig("/nowhere").connect(smo.InMemoryCharts())
    /// ... except smo.Invalid as error:
    /// ...     print(error.hints[0])
    /// name Karmada's kubeconfig in SMO_KARMADA_KUBECONFIG or KUBECONFIG, and check its current-context
    #[pyo3(signature = (charts, *, facts = None, tolerations = None, submariner = Some("submariner-operator")))]
    fn connect(
        &self,
        py: Python<'_>,
        charts: &ChartBackend,
        facts: Option<&FleetFacts>,
        tolerations: Option<&Bound<'_, PyAny>>,
        submariner: Option<&str>,
    ) -> PyResult<Py<KarmadaFleet>> {
        runtime::start()?;
        let charts = charts.boxed()?;
        let tolerations: Vec<Toleration> = match tolerations {
            Some(given) => from_python(given, "a list of tolerations")?,
            None => Vec::new(),
        };
        let fleet = ask(py, self.0.connect(charts, Arc::new(adapter::SystemTime)))?;
        let fleet = fleet.with_tolerations(tolerations).with_submariner(submariner);
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
