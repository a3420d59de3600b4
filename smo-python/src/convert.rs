//! Values across the border: JSON, amounts, times, files.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp, Unit};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use smo_core::diagnostic::{Position, Violation, Violations};
use smo_core::id::ClusterName;
use smo_core::placement::Assignment;
use smo_core::resources::{ResourceName, Resources};
use smo_core::yaml;

use crate::error::invalid;

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

/// A value in its JSON form, as Python's own types, with integers of any size.
pub(crate) fn serialised_exactly<'py>(
    py: Python<'py>,
    value: &impl Serialize,
) -> PyResult<Bound<'py, PyAny>> {
    let text = serde_json::to_string(value).map_err(|error| PyValueError::new_err(error.to_string()))?;
    py.import("json")?.call_method1("loads", (text,))
}

/// A value in its JSON form.
pub(crate) fn to_json(value: &impl Serialize) -> PyResult<Value> {
    serde_json::to_value(value).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A dict as JSON text, which every reader of YAML takes.
pub(crate) fn json_text(object: &Bound<'_, PyAny>) -> PyResult<String> {
    if !object.is_instance_of::<PyDict>() {
        let found = object.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!("expected a dict, not {found}")));
    }
    dumps(object)
}

/// Python's own types as a value that is read from JSON. `what` is what it should be, with an article.
pub(crate) fn from_python<T: DeserializeOwned>(object: &Bound<'_, PyAny>, what: &str) -> PyResult<T> {
    serde_json::from_str(&dumps(object)?)
        .map_err(|error| PyValueError::new_err(format!("not {what}: {error}")))
}

fn dumps(object: &Bound<'_, PyAny>) -> PyResult<String> {
    let py = object.py();
    let options = PyDict::new(py);
    options.set_item("indent", 2)?;
    options.set_item("ensure_ascii", false)?;
    options.set_item("allow_nan", false)?;
    py.import("json")?
        .call_method("dumps", (object,), Some(&options))?
        .extract()
}

/// What is read from YAML or JSON text.
pub(crate) trait Document: Sized + Send {
    /// The exception that refuses it.
    const REFUSAL: &'static str;
    /// What violations call one that is not read from a file.
    const NAME: &'static str;

    /// Reads it; `name` is what violations call it.
    fn parse_named(name: &str, text: &str) -> Result<Self, Violations>;

    /// Reads it from text.
    fn from_text(py: Python<'_>, text: &str, name: &str) -> PyResult<Self> {
        py.detach(|| Self::parse_named(name, text))
            .map_err(|violations| invalid(py, Self::REFUSAL, &violations))
    }

    /// Reads it from a file (UTF-8).
    fn from_file(path: &Bound<'_, PyAny>) -> PyResult<Self> {
        let File { name, text } = read_file(path)?;
        let text = text.map_err(|violations| invalid(path.py(), Self::REFUSAL, &violations))?;
        Self::from_text(path.py(), &text, &name)
    }

    /// Reads it from Python's own types in the shape of the file.
    fn from_object(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        Self::from_text(document.py(), &json_text(document)?, Self::NAME)
    }
}

/// A file as it was read: its name, and its text or the violation that it is no text.
struct File {
    name: String,
    text: Result<String, Violations>,
}

/// A path as text.
pub(crate) fn path_name(path: &Bound<'_, PyAny>) -> PyResult<String> {
    path.py()
        .import("os")?
        .call_method1("fspath", (path,))?
        .str()?
        .extract()
}

/// Reads a file the way Python does, so that errors are Python's and name the file.
fn read_file(path: &Bound<'_, PyAny>) -> PyResult<File> {
    let py = path.py();
    let name = path_name(path)?;
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

/// Amounts from quantities, texts or whole numbers: `{"cpu": "500m", "nvidia.com/gpu": 1}`.
pub(crate) fn resources(quantities: BTreeMap<String, Bound<'_, PyAny>>) -> PyResult<Resources> {
    let amount = |(name, quantity): (String, Bound<'_, PyAny>)| {
        let text: String = quantity.str()?.extract()?;
        let resource = ResourceName::new(&*name);
        let amount = resource.parse_amount(&text);
        amount
            .map(|amount| (resource, amount))
            .map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
    };
    quantities.into_iter().map(amount).collect()
}

/// Clusters with replicas: a dict, or the name of one cluster for a single replica.
pub(crate) fn assignment(clusters: &Bound<'_, PyAny>) -> PyResult<Assignment> {
    if let Ok(name) = clusters.cast::<PyString>() {
        return Ok(Assignment::single(parse(name.extract()?)?, 1));
    }
    let Ok(replicas) = clusters.extract::<BTreeMap<String, u32>>() else {
        return Err(PyTypeError::new_err(
            "clusters is the name of a cluster, or a dict from cluster to replicas (0 or more)",
        ));
    };
    let entry = |(name, replicas): (String, u32)| Ok((parse::<ClusterName>(&name)?, replicas));
    replicas.into_iter().map(entry).collect()
}

/// Seconds as a duration. `name` is what the argument is called.
pub(crate) fn seconds(name: &str, seconds: f64) -> PyResult<Duration> {
    Duration::try_from_secs_f64(seconds).map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
}

/// A moment in time (RFC 3339).
pub(crate) fn moment(text: &str) -> PyResult<Timestamp> {
    text.parse().map_err(|_| {
        let message = format!("{text} is no moment in time, such as 2026-11-24T10:00:00Z");
        PyValueError::new_err(message)
    })
}

/// A moment of Python: RFC 3339 text, a `datetime` with a time zone, or seconds since 1970.
pub(crate) struct Moment(pub(crate) Timestamp);

impl<'py> FromPyObject<'_, 'py> for Moment {
    type Error = PyErr;

    fn extract(when: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = when.cast::<PyString>() {
            return moment(text.to_str()?).map(Self);
        }
        if let Ok(seconds) = when.extract::<f64>() {
            let since_1970 = SignedDuration::try_from_secs_f64(seconds).ok();
            // To the millisecond: a float has no more to say.
            let at = since_1970.and_then(|since| {
                Timestamp::from_duration(since)
                    .ok()?
                    .round(Unit::Millisecond)
                    .ok()
            });
            let at = at.ok_or_else(|| PyValueError::new_err(format!("{seconds} is no moment in time")));
            return at.map(Self);
        }
        let Ok(text) = when.call_method0("isoformat") else {
            let found = when.get_type().name()?;
            return Err(PyTypeError::new_err(format!(
                "a moment is RFC 3339 text, a datetime or seconds since 1970, not {found}"
            )));
        };
        moment(&text.extract::<String>()?).map(Self)
    }
}

/// A text that a type of the core reads, or a `ValueError` with what it says.
pub(crate) fn parse<T>(text: &str) -> PyResult<T>
where
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    text.parse()
        .map_err(|error: T::Err| PyValueError::new_err(error.to_string()))
}
