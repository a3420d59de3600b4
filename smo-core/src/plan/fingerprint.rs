//! Short names for content.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A short name for the content of a plan or a state: equal content, equal fingerprint.
///
/// The first 16 hexadecimal digits of the SHA-256 of the canonical JSON (keys sorted, no spaces); 8 are displayed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a value. A value that is no JSON (a map with keys that are no texts) counts as null.
    #[must_use]
    pub fn of(content: &impl Serialize) -> Self {
        let mut canonical = String::new();
        write_canonical(
            &serde_json::to_value(content).unwrap_or(Value::Null),
            &mut canonical,
        );
        let digest = Sha256::digest(canonical.as_bytes());
        Self(digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// All 16 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0.get(..8).unwrap_or(&self.0))
    }
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_order_does_not_count_and_content_does() {
        let a = Fingerprint::of(&json!({"x": 1, "y": [1, 2]}));
        assert_eq!(a, Fingerprint::of(&json!({"y": [1, 2], "x": 1})));
        assert_ne!(a, Fingerprint::of(&json!({"y": [2, 1], "x": 1})));
        assert_eq!(a.to_string().len(), 8);
    }
}
