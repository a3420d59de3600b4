//! What intents mean in amounts.

use std::collections::BTreeMap;
use std::sync::Arc;

use pyo3::exceptions::{PyKeyError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::diagnostic::Violations;
use smo_core::graph::LatencyClass;
use smo_core::id::ServiceId;
use smo_core::intent::{self as core, LatencyLimit};
use smo_core::resources::ResourceName;
use smo_core::units::Latency;

use crate::convert::{Document, parse, quantities, serialised};
use crate::error::translate as translate_error;
use crate::graph::{ApplicationGraph, count};
use crate::html;

/// What the classes of intents mean in amounts. Every `with_...` gives a new catalogue.
///
/// >>> import smo
/// >>> catalog = smo.Catalog().with_cpu_class("tiny", "100m")
/// >>> catalog.classes("cpu")
/// {'light': '500m', 'small': '1', 'medium': '4', 'large': '8', 'tiny': '100m'}
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Catalog(core::Catalog);

impl Catalog {
    pub(crate) fn core(&self) -> &core::Catalog {
        &self.0
    }

    fn with(&self, change: impl FnOnce(core::Catalog) -> core::Catalog) -> Self {
        Self(change(self.0.clone()))
    }
}

impl Document for Catalog {
    const REFUSAL: &'static str = "InvalidCatalog";
    const NAME: &'static str = "catalog";

    fn parse_named(_: &str, text: &str) -> Result<Self, Violations> {
        core::Catalog::parse(text).map(Self)
    }
}

#[pymethods]
impl Catalog {
    /// The classes of the information model.
    #[new]
    fn new() -> Self {
        Self(core::Catalog::default())
    }

    /// A catalogue without classes and without latency limits.
    #[staticmethod]
    fn empty() -> Self {
        Self(core::Catalog::empty())
    }

    /// Reads a catalogue from YAML or JSON text. Raises `InvalidCatalog` with *every* violation.
    #[staticmethod]
    fn parse(py: Python<'_>, text: &str) -> PyResult<Self> {
        Self::from_text(py, text, Self::NAME)
    }

    /// Reads a catalogue from a file (UTF-8). Raises `OSError` when it cannot be read, and `InvalidCatalog` as `parse`.
    #[staticmethod]
    fn read(path: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_file(path)
    }

    /// A catalogue of the same shape as the file, from Python's own types.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_object(document)
    }

    /// The same with a cpu class, new or changed. Raises `ValueError` when `amount` is no quantity.
    fn with_cpu_class(&self, name: &str, amount: &str) -> PyResult<Self> {
        let amount = parse(amount)?;
        Ok(self.with(|catalog| catalog.with_cpu_class(name, amount)))
    }

    /// The same with a memory class, new or changed. Raises `ValueError` when `amount` is no quantity.
    fn with_memory_class(&self, name: &str, amount: &str) -> PyResult<Self> {
        let amount = parse(amount)?;
        Ok(self.with(|catalog| catalog.with_memory_class(name, amount)))
    }

    /// The same with a storage class, new or changed. Raises `ValueError` when `amount` is no quantity.
    fn with_storage_class(&self, name: &str, amount: &str) -> PyResult<Self> {
        let amount = parse(amount)?;
        Ok(self.with(|catalog| catalog.with_storage_class(name, amount)))
    }

    /// The same with the class that counts where a service says nothing about `resource` (`cpu`, `memory`, `storage`).
    ///
    /// Raises `ValueError` for another resource, or a class that the catalogue does not have.
    fn with_default_class(&self, resource: &str, name: &str) -> PyResult<Self> {
        self.check_resource(resource)?;
        if self.0.amount(resource, name).is_none() {
            return Err(PyValueError::new_err(format!(
                "no {resource} class is called {name}"
            )));
        }
        Ok(self.with(|catalog| catalog.with_default_class(resource, name)))
    }

    /// The same with what the latency class `name` (`ultralow`, `low`, `best-effort`) means: a round trip *below*
    /// `rtt_below` milliseconds, and at most `max_hops` hops; `None` is no limit.
    ///
    /// Raises `ValueError` for another class, or a round trip that is not positive.
    #[pyo3(signature = (name, *, rtt_below = None, max_hops = None))]
    fn with_latency(&self, name: &str, rtt_below: Option<f64>, max_hops: Option<u32>) -> PyResult<Self> {
        let class = LatencyClass::parse(name).ok_or_else(|| {
            PyValueError::new_err(format!(
                "no latency class is called {name}; one of ultralow, low, best-effort"
            ))
        })?;
        let positive = |milliseconds: f64| {
            let rtt = Latency::from_f64(milliseconds).filter(|rtt| *rtt > Latency::ZERO);
            rtt.ok_or_else(|| PyValueError::new_err("rtt_below is a positive number of milliseconds"))
        };
        let rtt_below = rtt_below.map(positive).transpose()?;
        let limit = LatencyLimit { rtt_below, max_hops };
        Ok(self.with(|catalog| catalog.with_latency(class, limit)))
    }

    /// The same with what `highAvailability` spreads replicas over: `cluster`, `region`, `zone`, `provider`, or a label.
    fn with_failure_domain(&self, key: &str) -> Self {
        let Ok(key) = key.parse();
        self.with(|catalog| catalog.with_failure_domain(key))
    }

    /// The same with the label that clusters near devices have; `deviceProximity` asks for it.
    fn with_device_label(&self, label: &str) -> Self {
        self.with(|catalog| catalog.with_device_label(label))
    }

    /// The same with what a service that needs an accelerator gets: `number` of the extended resource `name`.
    ///
    /// Raises `ValueError` when `name` is no extended resource such as `nvidia.com/gpu`.
    #[pyo3(signature = (name, number = 1))]
    fn with_accelerator(&self, name: &str, number: u32) -> PyResult<Self> {
        if !ResourceName::new(name).is_extended() {
            let message = format!("{name} is no extended resource, such as nvidia.com/gpu");
            return Err(PyValueError::new_err(message));
        }
        Ok(self.with(|catalog| catalog.with_accelerator(name, number)))
    }

    /// The classes of `resource` (`cpu`, `memory`, `storage`) and their quantities. Raises `ValueError` for another.
    fn classes<'py>(&self, py: Python<'py>, resource: &str) -> PyResult<Bound<'py, PyDict>> {
        self.check_resource(resource)?;
        let classes = PyDict::new(py);
        for class in self.0.classes(resource) {
            let amount = self.0.amount(resource, class).unwrap_or_default();
            classes.set_item(class, ResourceName::new(resource).quantity(amount))?;
        }
        Ok(classes)
    }

    /// The catalogue as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let classes = core::Catalog::RESOURCES.map(|resource| self.0.classes(resource).len());
        format!("<smo.Catalog of {} classes>", classes.iter().sum::<usize>())
    }
}

impl Catalog {
    fn check_resource(&self, resource: &str) -> PyResult<()> {
        if core::Catalog::RESOURCES.contains(&resource) {
            return Ok(());
        }
        let known = core::Catalog::RESOURCES.join(", ");
        Err(PyValueError::new_err(format!(
            "no classes exist for {resource}; one of {known}"
        )))
    }
}

/// What a graph needs: by service, what each replica needs, as a dict of Kubernetes quantities.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> needs = smo.translate(smo.Descriptor.parse(text).validate())
/// >>> needs["web"]
/// {'cpu': '1', 'memory': '1Gi', 'storage': '10G'}
#[pyclass(module = "smo", frozen, eq, mapping)]
#[derive(PartialEq)]
pub(crate) struct Requirements(Arc<core::Requirements>);

impl Requirements {
    pub(crate) fn new(requirements: core::Requirements) -> Self {
        Self(Arc::new(requirements))
    }
}

#[pymethods]
impl Requirements {
    fn __getitem__(&self, service: &str) -> PyResult<BTreeMap<String, String>> {
        let needs = self.0.services.get(service);
        let needs = needs.ok_or_else(|| PyKeyError::new_err(service.to_owned()))?;
        Ok(quantities(&needs.per_replica))
    }

    fn __contains__(&self, service: &str) -> bool {
        self.0.services.contains_key(service)
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.keys().into_pyobject(py)?.call_method0("__iter__")
    }

    fn __len__(&self) -> usize {
        self.0.services.len()
    }

    /// The ids of the services, in the order of the descriptor.
    fn keys(&self) -> Vec<String> {
        self.0.services.keys().map(ServiceId::to_string).collect()
    }

    /// How many replicas each service runs over all clusters.
    #[getter]
    fn replicas<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let replicas = PyDict::new(py);
        for (id, service) in &self.0.services {
            replicas.set_item(id.as_str(), service.replicas)?;
        }
        Ok(replicas)
    }

    /// Everything that is asked for, links included, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &*self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.Requirements of {}>",
            count(self.0.services.len(), "service")
        )
    }

    fn _repr_html_(&self) -> String {
        html::lines(&self.0.to_string())
    }
}

/// The requirements of `graph` by the classes of `catalog`, or of the information model.
///
/// Raises `TranslateError` for a class that the catalogue does not have.
///
/// >>> import smo
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> smo.translate(smo.Descriptor.parse(text).validate())["web"]["memory"]
/// '1Gi'
#[pyfunction]
#[pyo3(signature = (graph, catalog = None))]
pub(crate) fn translate(
    py: Python<'_>,
    graph: &ApplicationGraph,
    catalog: Option<&Catalog>,
) -> PyResult<Requirements> {
    let default = core::Catalog::default();
    let translated = core::translate(graph.core(), catalog.map_or(&default, Catalog::core));
    translated
        .map(Requirements::new)
        .map_err(|error| translate_error(py, &error))
}
