//! Reading the solved cases of the predecessor's models, where the reference folder is there.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

/// The cases of a file; none, with a line that says so, where the reference folder is missing.
pub(crate) fn cases(file: &str) -> Vec<Json> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/oracle")
        .join(file);
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return Vec::new();
    };
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub(crate) fn number(value: &Json) -> f64 {
    value.as_f64().unwrap()
}

/// In thousandths, such as cores in millicores: the cases carry noise of binary floating point.
pub(crate) fn thousandths(value: &Json) -> u64 {
    (number(value) * 1000.0).round() as u64
}
