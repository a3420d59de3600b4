//! Helm values, which may hold secrets.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::diagnostic::looks_secret;

/// The values of a Helm release: a JSON map that `Debug` never prints, since designers put passwords into values.
///
/// ```
/// use smo_core::helm_values::HelmValues;
/// let mut values = HelmValues::default();
/// values.insert("password".to_owned(), "hunter2".into());
/// assert_eq!(format!("{values:?}"), "HelmValues(1 key)");
/// ```
#[derive(Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HelmValues(Map<String, Value>);

impl HelmValues {
    /// The same as a JSON value.
    #[must_use]
    pub fn to_json(&self) -> Value {
        Value::Object(self.0.clone())
    }

    /// The same for people: the value of every key that looks like a secret (`password`, `token`, ...) is `***`.
    ///
    /// ```
    /// # use smo_core::helm_values::HelmValues;
    /// let values: HelmValues = serde_json::from_str(r#"{"db": {"password": "hunter2", "port": 5432}}"#)?;
    /// assert_eq!(values.redacted().to_string(), r#"{"db":{"password":"***","port":5432}}"#);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn redacted(&self) -> Value {
        redact(&self.to_json())
    }
}

fn redact(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entry = |(key, value): (&String, &Value)| {
                let shown = if looks_secret(key) {
                    Value::from("***")
                } else {
                    redact(value)
                };
                (key.clone(), shown)
            };
            Value::Object(map.iter().map(entry).collect())
        }
        Value::Array(items) => items.iter().map(redact).collect(),
        scalar => scalar.clone(),
    }
}

impl fmt::Debug for HelmValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "HelmValues({} key{plural})", self.0.len())
    }
}

impl Deref for HelmValues {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl DerefMut for HelmValues {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl From<Map<String, Value>> for HelmValues {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}
