//! The validated application graph.

use std::sync::Arc;

use pyo3::exceptions::PyKeyError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::descriptor::Descriptor;
use smo_core::graph::{self as core, Amount, Trigger};
use smo_core::id::suggestion;
use smo_core::resources::ResourceName;

use crate::convert::{Reduced, serialised, to_python};
use crate::diagnostic::Violation;
use crate::html;

/// A validated graph of services; made by `Descriptor.validate`.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> graph.id, list(graph.services), graph.start_waves()
/// ('shop', ['web'], [['web']])
#[pyclass(module = "smo", frozen, eq)]
pub(crate) struct ApplicationGraph {
    core: Arc<core::ApplicationGraph>,
    notes: Vec<Violation>,
}

impl PartialEq for ApplicationGraph {
    fn eq(&self, other: &Self) -> bool {
        self.core == other.core
    }
}

impl ApplicationGraph {
    pub(crate) fn new(graph: core::ApplicationGraph, notes: &[smo_core::diagnostic::Violation]) -> Self {
        Self {
            core: Arc::new(graph),
            notes: notes.iter().map(Violation::from).collect(),
        }
    }

    pub(crate) fn core(&self) -> &Arc<core::ApplicationGraph> {
        &self.core
    }
}

/// `1 service`, `2 services`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let end = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{end}")
}

#[pymethods]
impl ApplicationGraph {
    /// Its id, unique within a project.
    #[getter]
    fn id(&self) -> &str {
        self.core.id().as_str()
    }

    /// Its own version, or `None`.
    #[getter]
    fn version(&self) -> Option<String> {
        self.core.version().map(ToString::to_string)
    }

    /// The version of the information model that it was written in.
    #[getter]
    fn im_version(&self) -> &str {
        self.core.im_version()
    }

    /// Who designed it, or `None`.
    #[getter]
    fn designer(&self) -> Option<&str> {
        self.core.designer()
    }

    /// What it is, in words, or `None`.
    #[getter]
    fn description(&self) -> Option<&str> {
        self.core.description()
    }

    /// The services by id, in the order of the descriptor.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (id, service) in self.core.services() {
            services.set_item(id.as_str(), Service(service.clone()))?;
        }
        Ok(services)
    }

    /// Who calls whom: links with `caller`, `callee` and `latency`.
    #[getter]
    fn links(&self) -> Vec<Link> {
        self.core.links().iter().map(Link::from).collect()
    }

    /// What the graph as a whole asks for, such as `highAvailability`, as a dict.
    #[getter]
    fn intent<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, self.core.intent())
    }

    /// What its author should know: allowed, but surprising.
    #[getter]
    fn notes(&self) -> Vec<Violation> {
        self.notes.clone()
    }

    /// The ids of the services in the order they start: all of a wave at once, a wave after the one before.
    fn start_waves(&self) -> Vec<Vec<String>> {
        let names = |wave: Vec<smo_core::id::ServiceId>| wave.iter().map(ToString::to_string).collect();
        self.core.start_waves().into_iter().map(names).collect()
    }

    /// The ids of the services that call `service`, in the order of the descriptor.
    ///
    /// Raises `KeyError` for a service that the graph does not have.
    fn importers(&self, service: &str) -> PyResult<Vec<String>> {
        match self.core.services().get_key_value(service) {
            Some((id, _)) => Ok(self
                .core
                .importers(id)
                .into_iter()
                .map(ToString::to_string)
                .collect()),
            None => {
                let ids = self.core.services().keys().map(smo_core::id::ServiceId::as_str);
                let meant = suggestion(service, ids);
                Err(PyKeyError::new_err(format!(
                    "no service is called {service}{meant}"
                )))
            }
        }
    }

    /// The graph as a descriptor of information model 0.4.0. Validating it gives an equal graph.
    fn to_yaml(&self) -> String {
        Descriptor::from_graph(&self.core).text().to_owned()
    }

    /// The graph in the shape of a descriptor of information model 0.4.0.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &Descriptor::from_graph(&self.core).to_json())
    }

    fn __repr__(&self) -> String {
        let services = count(self.core.services().len(), "service");
        let links = count(self.core.links().len(), "link");
        format!("<smo.ApplicationGraph {}: {services}, {links}>", self.core.id())
    }

    fn _repr_html_(&self) -> String {
        let rows = self.core.services().values().map(|service| {
            let service = Service(service.clone());
            let calls = self.core.links().iter().filter(|link| link.from == service.0.id);
            let calls: Vec<String> = calls
                .map(|link| format!("{} ({})", link.to, link.latency))
                .collect();
            let amounts = [service.cpu(), service.memory(), service.storage()];
            let mut row = vec![service.0.id.to_string()];
            row.extend(amounts.map(Option::unwrap_or_default));
            row.extend([
                if service.0.compute.gpu { "yes" } else { "" }.to_owned(),
                calls.join(", "),
            ]);
            row
        });
        let titles = ["service", "cpu", "memory", "storage", "gpu", "calls"];
        html::table(&format!("graph {}", self.core.id()), &titles, rows)
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, memo: &Bound<'_, PyAny>) -> Py<Self> {
        let _ = memo;
        slf
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py, (String, Vec<Violation>)>> {
        let restore = slf.py().import("smo._smo")?.getattr("_restore_graph")?;
        Ok((restore, (slf.get().to_yaml(), slf.get().notes.clone())))
    }
}

/// What unpickling a graph calls.
#[pyfunction]
pub(crate) fn _restore_graph(
    py: Python<'_>,
    text: &str,
    notes: Vec<Py<Violation>>,
) -> PyResult<ApplicationGraph> {
    let validated = Descriptor::parse(text).and_then(|descriptor| descriptor.validate());
    let graph =
        validated.map_err(|violations| crate::error::invalid(py, "InvalidDescriptor", &violations))?;
    Ok(ApplicationGraph {
        core: Arc::new(graph),
        notes: notes.iter().map(|note| note.get().clone()).collect(),
    })
}

/// One service calls another.
#[pyclass(module = "smo", frozen, eq, get_all)]
#[derive(PartialEq)]
pub(crate) struct Link {
    /// The id of the service that calls.
    caller: String,
    /// The id of the service that is called.
    callee: String,
    /// How near they have to be: `ultralow`, `low` or `best-effort`.
    latency: String,
}

impl From<&core::Link> for Link {
    fn from(link: &core::Link) -> Self {
        Self {
            caller: link.from.to_string(),
            callee: link.to.to_string(),
            latency: link.latency.to_string(),
        }
    }
}

#[pymethods]
impl Link {
    fn __repr__(&self) -> String {
        format!("<smo.Link {} -> {} ({})>", self.caller, self.callee, self.latency)
    }
}

/// One service of a graph. Its Helm values are only in `values` and `to_dict()`.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> web = graph.services["web"]
/// >>> web.id, web.chart, web.cpu, web.gpu
/// ('web', 'oci://r.io/shop/web', None, False)
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Service(core::Service);

/// A class as it is, a quantity as Kubernetes writes it.
fn amount(resource: &str, amount: Option<&Amount>) -> Option<String> {
    amount.map(|amount| match amount {
        Amount::Class(class) => class.clone(),
        Amount::Quantity(amount) => ResourceName::new(resource).quantity(*amount),
    })
}

#[pymethods]
impl Service {
    /// Its id, also the name of its Helm release.
    #[getter]
    fn id(&self) -> &str {
        self.0.id.as_str()
    }

    /// The class or quantity of cpu that it asks for, or `None` for the catalogue's default.
    #[getter]
    fn cpu(&self) -> Option<String> {
        amount(ResourceName::CPU, self.0.compute.cpu.as_ref())
    }

    /// The class or quantity of memory that it asks for, or `None` for the catalogue's default.
    #[getter]
    fn memory(&self) -> Option<String> {
        amount(ResourceName::MEMORY, self.0.compute.memory.as_ref())
    }

    /// The class or quantity of storage that it asks for, or `None` for the catalogue's default.
    #[getter]
    fn storage(&self) -> Option<String> {
        amount(ResourceName::STORAGE, self.0.compute.storage.as_ref())
    }

    /// Whether it needs an accelerator.
    #[getter]
    fn gpu(&self) -> bool {
        self.0.compute.gpu
    }

    /// The chart that is installed.
    #[getter]
    fn chart(&self) -> &str {
        &self.0.artifact.reference
    }

    /// The Helm values that its designer gives.
    #[getter]
    fn values<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.artifact.values)
    }

    /// The ids of the services that have to be healthy before it starts.
    #[getter]
    fn starts_after(&self) -> Vec<String> {
        self.0
            .trigger
            .dependencies()
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    /// The ids of the events that start it; empty when it starts with the graph.
    #[getter]
    fn events(&self) -> Vec<String> {
        match &self.0.trigger {
            Trigger::Auto { .. } => Vec::new(),
            Trigger::Event { events, .. } => events.iter().map(|event| event.id.clone()).collect(),
        }
    }

    /// Everything about it, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        format!("<smo.Service {}>", self.0.id)
    }
}
