//! Values across the border: JSON, amounts, files.

use std::collections::BTreeMap;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use serde::Serialize;
use serde_json::Value;
use smo_core::diagnostic::{Position, Violation, Violations};
use smo_core::resources::Resources;
use smo_core::yaml;

/// What `__reduce__` gives to pickle: what to call, and its arguments.
pub(crate) type Reduced<'py, Arguments> = (Bound<'py, PyAny>, Arguments);

/// A JSON value as Python's own types.
pub(crate) fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(truth) => truth.into_pyobject(py)?.to_owned().into_any(),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (_, Some(number)) => number.into_pyobject(py)?.into_any(),
            _ => number.as_f64().into_pyobject(py)?.into_any(),
        },
        Value::String(text) => text.into_pyobject(py)?.into_any(),
        Value::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(to_python(py, item)?)?;
            }
            list.into_any()
        }
        Value::Object(entries) => {
            let dict = PyDict::new(py);
            for (key, value) in entries {
                dict.set_item(key, to_python(py, value)?)?;
            }
            dict.into_any()
        }
    })
}

/// A value in its JSON form, as Python's own types.
pub(crate) fn serialised<'py>(py: Python<'py>, value: &impl Serialize) -> PyResult<Bound<'py, PyAny>> {
    to_python(py, &to_json(value)?)
}

/// A value in its JSON form.
pub(crate) fn to_json(value: &impl Serialize) -> PyResult<Value> {
    serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// Python's own types as JSON text, which every reader of YAML takes.
pub(crate) fn json_text(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = object.py();
    if !object.is_instance_of::<PyDict>() {
        let found = object.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!("expected a dict, not {found}")));
    }
    let options = PyDict::new(py);
    options.set_item("indent", 2)?;
    options.set_item("ensure_ascii", false)?;
    options.set_item("allow_nan", false)?;
    py.import("json")?
        .call_method("dumps", (object,), Some(&options))?
        .extract()
}

/// A file as it was read: its name, and its text or the violation that it is no text.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) text: Result<String, Violations>,
}

/// Reads a file the way Python does, so that errors are Python's and name the file.
pub(crate) fn read_file(path: &Bound<'_, PyAny>) -> PyResult<File> {
    let py = path.py();
    let name: String = py
        .import("os")?
        .call_method1("fspath", (path,))?
        .str()?
        .extract()?;
    let file = py.import("pathlib")?.getattr("Path")?.call1((path,))?;
    let bytes = file.call_method0("read_bytes")?.cast_into::<PyBytes>()?;
    let text = match std::str::from_utf8(bytes.as_bytes()) {
        Ok(text) => Ok(text.to_owned()),
        Err(error) => Err(not_utf8(&name, bytes.as_bytes(), error.valid_up_to())),
    };
    Ok(File { name, text })
}

fn not_utf8(name: &str, bytes: &[u8], at: usize) -> Violations {
    let before = String::from_utf8_lossy(bytes.get(..at).unwrap_or_default());
    let position = Position {
        line: before.matches('\n').count() + 1,
        column: before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1,
        width: 1,
    };
    let byte = bytes.get(at).copied().unwrap_or_default();
    let violation = Violation::new(yaml::SYNTAX, format!("byte 0x{byte:02x} is no UTF-8 text"))
        .with_hint("save the file as UTF-8")
        .with_excerpt(position, None);
    Violations::new(name, vec![violation])
}

/// Amounts as Kubernetes quantities, such as `{"cpu": "500m"}`.
pub(crate) fn quantities(resources: &Resources) -> BTreeMap<String, String> {
    let quantity = |(name, amount): (&smo_core::resources::ResourceName, u64)| {
        (name.as_str().to_owned(), name.quantity(amount))
    };
    resources.iter().map(quantity).collect()
}

/// Amounts in their base units: millicores, bytes, pieces.
pub(crate) fn amounts(resources: &Resources) -> BTreeMap<String, u64> {
    resources
        .iter()
        .map(|(name, amount)| (name.as_str().to_owned(), amount))
        .collect()
}

/// A text that a type of the core reads, or a `ValueError` with what it says.
pub(crate) fn parse<T>(text: &str) -> PyResult<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse()
        .map_err(|error: T::Err| PyValueError::new_err(error.to_string()))
}
