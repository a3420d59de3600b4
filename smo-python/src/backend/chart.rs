//! Chart installers.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;
use smo_core::backend::memory::InMemoryCharts as CoreCharts;
use smo_core::backend::{self as core, ChartState, ReleaseName};
use smo_core::helm_values::HelmValues;
use smo_core::id::Project;

use super::journal::Journal;
use crate::convert::{from_python, parse, serialised, to_python};
use crate::runtime::{Port, ask};

/// What is behind a chart installer.
pub(crate) trait ChartPort: core::ChartBackend {
    /// The same, for whoever keeps one of their own.
    fn boxed(&self) -> Box<dyn core::ChartBackend>;
}

impl<T: core::ChartBackend + Clone + 'static> ChartPort for T {
    fn boxed(&self) -> Box<dyn core::ChartBackend> {
        Box::new(self.clone())
    }
}

/// Reads `namespace/name`.
pub(super) fn release_name(text: &str) -> PyResult<ReleaseName> {
    let wrong = || PyValueError::new_err(format!("{text} is no release: write namespace/name"));
    let (namespace, name) = text.split_once('/').ok_or_else(wrong)?;
    Ok(ReleaseName {
        namespace: parse(namespace)?,
        name: parse(name)?,
    })
}

fn state_name(state: ChartState) -> &'static str {
    match state {
        ChartState::Deployed => "deployed",
        ChartState::Failed => "failed",
        ChartState::Pending => "pending",
        ChartState::Uninstalling => "uninstalling",
        ChartState::Other => "other",
    }
}

fn helm_values(values: Option<&Bound<'_, PyDict>>) -> PyResult<HelmValues> {
    values.map_or_else(
        || Ok(HelmValues::default()),
        |values| from_python(values, "Helm values"),
    )
}

/// An installer of charts in one control plane: a `smo.artifact.HelmDriver`, or an `InMemoryCharts`.
///
/// A release is named `namespace/name`. Whether anything runs is observed elsewhere; installing does not wait for it.
///
/// >>> import smo
/// >>> charts = smo.InMemoryCharts()
/// >>> charts.add_chart("oci://r.io/shop/web:1.0.0", "web-1.0.0")
/// >>> charts.apply("shop/web", "oci://r.io/shop/web:1.0.0", {"replicas": 2}).revision
/// 1
/// >>> charts.values("shop/web"), charts.uninstall("shop/web"), charts.status("shop/web")
/// ({'replicas': 2}, True, None)
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct ChartBackend(Port<Arc<dyn ChartPort>>);

impl ChartBackend {
    pub(crate) fn new(port: Port<Arc<dyn ChartPort>>) -> Self {
        Self(port)
    }

    pub(crate) fn boxed(&self) -> PyResult<Box<dyn core::ChartBackend>> {
        Ok(self.0.get()?.boxed())
    }
}

#[pymethods]
impl ChartBackend {
    /// Installs or upgrades a release, so that chart and values are exactly those given.
    ///
    /// Raises `NotFound` for a chart that does not exist, `Invalid` for values or templates that are refused, `Conflict`
    /// for objects of somebody else and for an operation under way. What failed leaves nothing half done.
    #[pyo3(signature = (release, chart, values = None))]
    fn apply(
        &self,
        py: Python<'_>,
        release: &str,
        chart: &str,
        values: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<InstalledChart> {
        let (charts, release, values) = (self.0.get()?, release_name(release)?, helm_values(values)?);
        ask(py, charts.apply(&release, chart, &values)).map(|installed| InstalledChart::from(&installed))
    }

    /// Goes back to an earlier revision, which becomes a new one. Raises `NotFound` when it is not there.
    fn rollback(&self, py: Python<'_>, release: &str, revision: u64) -> PyResult<InstalledChart> {
        let (charts, release) = (self.0.get()?, release_name(release)?);
        ask(py, charts.rollback(&release, revision)).map(|installed| InstalledChart::from(&installed))
    }

    /// Takes a release away; false when there was none.
    fn uninstall(&self, py: Python<'_>, release: &str) -> PyResult<bool> {
        let (charts, release) = (self.0.get()?, release_name(release)?);
        ask(py, charts.uninstall(&release))
    }

    /// A release, or `None`.
    fn status(&self, py: Python<'_>, release: &str) -> PyResult<Option<InstalledChart>> {
        let (charts, release) = (self.0.get()?, release_name(release)?);
        let found = ask(py, charts.status(&release))?;
        Ok(found.as_ref().map(InstalledChart::from))
    }

    /// The releases of a namespace, or of all.
    #[pyo3(signature = (namespace = None))]
    fn list(&self, py: Python<'_>, namespace: Option<&str>) -> PyResult<Vec<InstalledChart>> {
        let charts = self.0.get()?;
        let namespace: Option<Project> = namespace.map(parse).transpose()?;
        let listed = ask(py, charts.list(namespace.as_ref()))?;
        Ok(listed.iter().map(InstalledChart::from).collect())
    }

    /// The values that a release was given. Raises `NotFound` when it is not there.
    fn values<'py>(&self, py: Python<'py>, release: &str) -> PyResult<Bound<'py, PyAny>> {
        let (charts, release) = (self.0.get()?, release_name(release)?);
        serialised(py, &ask(py, charts.values(&release))?)
    }

    /// The Kubernetes objects that a chart makes of these values, without installing it.
    #[pyo3(signature = (release, chart, values = None))]
    fn render<'py>(
        &self,
        py: Python<'py>,
        release: &str,
        chart: &str,
        values: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (charts, release, values) = (self.0.get()?, release_name(release)?, helm_values(values)?);
        let objects = ask(py, charts.render(&release, chart, &values))?;
        to_python(py, &Value::Array(objects))
    }
}

/// One installed release as the installer keeps it.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct InstalledChart {
    /// The release, `namespace/name`.
    release: String,
    /// Its revision, from 1.
    revision: u64,
    /// The chart and its version, such as `web-1.2.0`.
    chart: String,
    /// `deployed`, `failed`, `pending`, `uninstalling` or `other`.
    state: &'static str,
}

impl From<&core::InstalledChart> for InstalledChart {
    fn from(installed: &core::InstalledChart) -> Self {
        Self {
            release: installed.release.to_string(),
            revision: installed.revision,
            chart: installed.chart.clone(),
            state: state_name(installed.state),
        }
    }
}

#[pymethods]
impl InstalledChart {
    fn __repr__(&self) -> String {
        format!(
            "<smo.InstalledChart {} {} revision {}, {}>",
            self.release, self.chart, self.revision, self.state
        )
    }
}

/// A chart installer in memory.
///
/// >>> import smo
/// >>> charts = smo.InMemoryCharts()
/// >>> def template(release, values):
/// ...     if "port" not in values:
/// ...         raise ValueError("values: port is required")
/// ...     return [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": release.split("/")[1]}}]
/// >>> charts.add_chart("oci://r.io/shop/web:1.0.0", "web-1.0.0", template)
/// >>> charts.render("shop/web", "oci://r.io/shop/web:1.0.0", {"port": 80})[0]["kind"]
/// 'Service'
/// >>> charts.apply("shop/web", "oci://r.io/shop/web:1.0.0")
/// Traceback (most recent call last):
/// smo._errors.Invalid: apply shop/web: values: port is required
#[pyclass(module = "smo", frozen, extends = ChartBackend)]
pub(crate) struct InMemoryCharts(CoreCharts);

#[pymethods]
impl InMemoryCharts {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        let core = CoreCharts::new();
        let base = ChartBackend::new(Port::in_memory(Arc::new(core.clone())));
        PyClassInitializer::from(base).add_subclass(Self(core))
    }

    /// Makes a chart known: its reference, and its name and version such as `web-1.0.0`.
    ///
    /// `template` is called with the release (`namespace/name`) and its values, and returns a list of Kubernetes objects;
    /// what it raises becomes the words of a refusal. Without it, the chart makes one ConfigMap.
    #[pyo3(signature = (reference, name, template = None))]
    fn add_chart(&self, reference: String, name: String, template: Option<Py<PyAny>>) -> PyResult<()> {
        let Some(template) = template else {
            self.0.add_chart(reference, name);
            return Ok(());
        };
        if !Python::attach(|py| template.bind(py).is_callable()) {
            return Err(PyTypeError::new_err(
                "template is a function of a release and its values",
            ));
        }
        self.0.add_chart_with(reference, name, move |release, values| {
            made(&template, release, values)
        });
        Ok(())
    }

    /// Puts an object of somebody else into the control plane; one without a namespace is in `default`.
    fn add_foreign_object(&self, object: &Bound<'_, PyDict>) -> PyResult<()> {
        let object: Value = from_python(object, "an object")?;
        self.0.add_foreign_object(&object);
        Ok(())
    }

    /// The objects of a release that are in force; none when there is no such release.
    fn objects<'py>(&self, py: Python<'py>, release: &str) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &Value::Array(self.0.objects(&release_name(release)?)))
    }

    /// Sets the state of a release, as if an operation had been cut off or were under way; false when there is none.
    ///
    /// Raises `ValueError` for what is no state.
    fn set_state(&self, release: &str, state: &str) -> PyResult<bool> {
        let states = [
            ChartState::Deployed,
            ChartState::Failed,
            ChartState::Pending,
            ChartState::Uninstalling,
            ChartState::Other,
        ];
        let meant = states.into_iter().find(|known| state_name(*known) == state);
        let wrong = || {
            let known = states.map(state_name).join(", ");
            PyValueError::new_err(format!("{state} is no state; one of {known}"))
        };
        Ok(self
            .0
            .set_state(&release_name(release)?, meant.ok_or_else(wrong)?))
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}

/// What a Python template makes, or its refusal.
fn made(template: &Py<PyAny>, release: &ReleaseName, values: &HelmValues) -> Result<Vec<Value>, String> {
    Python::attach(|py| {
        let values = serialised(py, values)?;
        let objects = template.bind(py).call1((release.to_string(), values))?;
        from_python(&objects, "a list of objects")
    })
    .map_err(|error: PyErr| Python::attach(|py| error.value(py).to_string()))
}
