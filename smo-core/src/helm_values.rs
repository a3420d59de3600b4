//! Helm values, which may hold secrets.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

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
