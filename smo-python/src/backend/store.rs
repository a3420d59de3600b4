//! A database of JSON documents.

use std::sync::Arc;

use pyo3::PyClassInitializer;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyString;
use serde_json::Value;
use smo_core::backend::memory::InMemoryStore as CoreStore;
use smo_core::backend::{self as core, Expect};
use smo_core::orchestrator::OrchestratorBuilder;

use super::journal::Journal;
use crate::convert::{from_python, to_python};
use crate::runtime::{Port, ask};

/// What is behind a store.
pub(crate) trait StorePort: core::StateStore {
    /// Gives it to an orchestrator.
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder;
}

impl<T: core::StateStore + Clone + 'static> StorePort for T {
    fn give(&self, orchestrator: OrchestratorBuilder) -> OrchestratorBuilder {
        orchestrator.with_store(self.clone())
    }
}

/// Reads what a writer expects to be stored.
fn expectation(expect: Option<&Bound<'_, PyAny>>) -> PyResult<Expect> {
    let Some(expect) = expect else {
        return Ok(Expect::Anything);
    };
    if let Ok(text) = expect.cast::<PyString>() {
        return match text.extract::<String>()?.as_str() {
            "absent" => Ok(Expect::Absent),
            "anything" => Ok(Expect::Anything),
            other => Err(PyValueError::new_err(format!(
                "{other} is no expectation: a revision, `absent` or `anything`"
            ))),
        };
    }
    expect
        .extract()
        .map(Expect::Revision)
        .map_err(|_| PyTypeError::new_err("expect is a revision, `absent` or `anything`"))
}

/// Keeps JSON documents: an `InMemoryStore`.
///
/// `expect` is what a writer believes to be stored: a revision, `absent`, or `anything`. Raises `Conflict` when something
/// else is: read again, then try again.
///
/// >>> import smo
/// >>> store = smo.InMemoryStore()
/// >>> first = store.put("graph/shop", ["web"], expect="absent")
/// >>> store.get("graph/shop").value
/// ['web']
/// >>> store.put("graph/shop", ["web", "db"], expect=first) > first
/// True
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct StateStore(Port<Arc<dyn StorePort>>);

impl StateStore {
    pub(crate) fn port(&self) -> PyResult<Arc<dyn StorePort>> {
        self.0.get()
    }
}

#[pymethods]
impl StateStore {
    /// The document of a key, or `None`.
    fn get(&self, py: Python<'_>, key: &str) -> PyResult<Option<StoredDocument>> {
        let store = self.0.get()?;
        Ok(ask(py, store.get(key))?.map(StoredDocument))
    }

    /// Stores a document and gives its new revision.
    #[pyo3(signature = (key, value, *, expect = None))]
    fn put(
        &self,
        py: Python<'_>,
        key: &str,
        value: &Bound<'_, PyAny>,
        expect: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u64> {
        let (store, expect) = (self.0.get()?, expectation(expect)?);
        let value: Value = from_python(value, "a document")?;
        ask(py, store.put(key, value, expect))
    }

    /// The documents whose key begins with `prefix`, by key.
    #[pyo3(signature = (prefix = ""))]
    fn list(&self, py: Python<'_>, prefix: &str) -> PyResult<Vec<StoredDocument>> {
        let store = self.0.get()?;
        let found = ask(py, store.list(prefix))?;
        Ok(found.into_iter().map(StoredDocument).collect())
    }

    /// Removes a document.
    #[pyo3(signature = (key, *, expect = None))]
    fn delete(&self, py: Python<'_>, key: &str, expect: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        let (store, expect) = (self.0.get()?, expectation(expect)?);
        ask(py, store.delete(key, expect))
    }
}

/// A stored document: its `key`, its `value`, and its `revision`, which changes with every write.
#[pyclass(module = "smo", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct StoredDocument(core::Document);

#[pymethods]
impl StoredDocument {
    /// Its key.
    #[getter]
    fn key(&self) -> &str {
        &self.0.key
    }

    /// Its content.
    #[getter]
    fn value<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.value)
    }

    /// Changes with every write.
    #[getter]
    fn revision(&self) -> u64 {
        self.0.revision
    }

    fn __repr__(&self) -> String {
        format!("<smo.StoredDocument {} revision {}>", self.0.key, self.0.revision)
    }
}

/// JSON documents in memory.
///
/// >>> import smo
/// >>> smo.InMemoryStore().list()
/// []
#[pyclass(module = "smo", frozen, extends = StateStore)]
pub(crate) struct InMemoryStore(CoreStore);

#[pymethods]
impl InMemoryStore {
    #[new]
    fn new() -> PyClassInitializer<Self> {
        let core = CoreStore::new();
        let base = StateStore(Port::in_memory(Arc::new(core.clone())));
        PyClassInitializer::from(base).add_subclass(Self(core))
    }

    /// The calls that it received, and faults for those to come.
    #[getter]
    fn journal(&self) -> Journal {
        Journal::of(&self.0)
    }
}
