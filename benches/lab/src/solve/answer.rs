//! What is printed of an answer.

use serde_json::{Map, Value as Json, json};
use smo_core::placement::Value;

/// What is known about an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Proved: nothing is better.
    Optimal,
    /// Keeps every rule; something better may exist.
    Feasible,
    /// Proved: there is no answer.
    Infeasible,
    /// Nothing was found, and nothing is proved.
    Unknown,
}

impl Status {
    /// As it is printed.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Optimal => "optimal",
            Self::Feasible => "feasible",
            Self::Infeasible => "infeasible",
            Self::Unknown => "unknown",
        }
    }
}

/// One answer that was checked, as a JSON object with the keys of its format.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    status: Status,
    about: String,
    json: Map<String, Json>,
}

impl Answer {
    /// An answer about the problem called `about`, whose first keys are `first`.
    #[must_use]
    pub fn new(about: &str, first: &[(&str, Json)], status: Status) -> Self {
        let mut json = Map::new();
        for (key, value) in first {
            json.insert((*key).to_owned(), value.clone());
        }
        json.insert("status".to_owned(), json!(status.word()));
        Self {
            status,
            about: about.to_owned(),
            json,
        }
    }

    /// The same with one more key.
    #[must_use]
    pub fn with(mut self, key: &str, value: Json) -> Self {
        self.json.insert(key.to_owned(), value);
        self
    }

    /// The same with `value`, `bound` and `gap` ([`Value::gap`]): `null` where one is not known, and where it would be a division
    /// by zero.
    #[must_use]
    pub fn with_whole_value(self, value: Option<i64>, bound: Option<i64>) -> Self {
        let gap = value.zip(bound).and_then(|(value, bound)| gap(value, bound));
        self.with("value", json!(value))
            .with("bound", json!(bound))
            .with("gap", json!(gap))
    }

    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        Json::Object(self.json.clone()).to_string()
    }

    /// One line for people.
    #[must_use]
    pub fn headline(&self) -> String {
        let mut line = format!("{}: {}", self.about, self.status.word());
        for key in ["objective", "value", "bound"] {
            if let Some(value) = self.json.get(key).filter(|value| !value.is_null()) {
                line.push_str(&format!(", {key} {value}"));
            }
        }
        if let Some(gap) = self.json.get("gap").and_then(Json::as_f64) {
            line.push_str(&format!(", gap {:.3} %", gap * 100.0));
        }
        if let Some(seconds) = self.json.get("seconds").and_then(Json::as_f64) {
            line.push_str(&format!(", {seconds:.3} s"));
        }
        line
    }
}

/// The gap ([`Value::gap`]) of whole numbers.
#[must_use]
pub(super) fn gap(value: i64, bound: i64) -> Option<f64> {
    let [value, bound] = [value, bound].map(|whole| Value::from_units(whole.into()));
    value.gap(bound)
}
