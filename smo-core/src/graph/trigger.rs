//! When a service starts.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::id::ServiceId;

/// When a service starts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Trigger {
    /// With the graph, after the services it depends on are healthy.
    Auto {
        /// Services that have to be healthy first.
        dependencies: Vec<ServiceId>,
    },
    /// When alerts fire.
    Event {
        /// How many of the events have to fire.
        condition: EventCondition,
        /// The alerts; at least one.
        events: Vec<TriggerEvent>,
    },
}

impl Default for Trigger {
    fn default() -> Self {
        Self::Auto {
            dependencies: Vec::new(),
        }
    }
}

impl Trigger {
    /// Services that have to be healthy first; none for an event.
    #[must_use]
    pub fn dependencies(&self) -> &[ServiceId] {
        match self {
            Self::Auto { dependencies } => dependencies,
            Self::Event { .. } => &[],
        }
    }

    /// The alerts it waits for; none for an automatic start.
    #[must_use]
    pub fn events(&self) -> &[TriggerEvent] {
        match self {
            Self::Auto { .. } => &[],
            Self::Event { events, .. } => events,
        }
    }

    /// True when it starts only after an alert.
    #[must_use]
    pub fn waits_for_event(&self) -> bool {
        matches!(self, Self::Event { .. })
    }
}

/// How many of a trigger's events have to fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum EventCondition {
    /// One is enough (`ANY`, `OR`).
    #[default]
    Any,
    /// All at the same time (`ALL`, `AND`).
    All,
}

impl EventCondition {
    /// Reads `ANY`, `OR`, `ALL` or `AND`, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "ANY" | "OR" => Some(Self::Any),
            "ALL" | "AND" => Some(Self::All),
            _ => None,
        }
    }
}

impl fmt::Display for EventCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Any => "ANY",
            Self::All => "ALL",
        })
    }
}

/// An alert that a service waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TriggerEvent {
    /// Its id, unique within the trigger.
    pub id: String,
    /// The metrics it looks at, as given.
    pub sources: Vec<EventSource>,
    /// The PromQL expression that is not empty while the alert is due.
    pub prom_query: String,
    /// How long it has to be due before it fires.
    pub grace_period: PrometheusDuration,
    /// What it means, for people.
    pub description: Option<String>,
}

/// A metric that an event looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EventSource {
    /// The service that exposes it, as given.
    pub service_id: String,
    /// The id of the metric, where given.
    pub metric_id: Option<String>,
}

/// A duration as Prometheus writes it: `2m`, `1h30m`, `500ms`.
///
/// Units `y w d h m s ms`, each at most once, in that order
/// ([grammar](https://prometheus.io/docs/prometheus/latest/querying/basics/#float-literals-and-time-durations)).
///
/// ```
/// use smo_core::graph::PrometheusDuration;
/// let grace: PrometheusDuration = "1h30m".parse().unwrap();
/// assert_eq!(grace.seconds(), 5400.0);
/// assert!("2 minutes".parse::<PrometheusDuration>().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrometheusDuration {
    text: String,
    millis: u64,
}

/// A text that is no Prometheus duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a Prometheus duration such as 30s, 2m or 1h30m")]
pub struct NotADuration(pub String);

impl PrometheusDuration {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// In milliseconds.
    #[must_use]
    pub const fn millis(&self) -> u64 {
        self.millis
    }

    /// In seconds.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn seconds(&self) -> f64 {
        self.millis as f64 / 1000.0
    }
}

impl FromStr for PrometheusDuration {
    type Err = NotADuration;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const DAY: u64 = 86_400_000;
        const UNITS: [(&str, u64); 7] = [
            ("y", 365 * DAY),
            ("w", 7 * DAY),
            ("d", DAY),
            ("h", 3_600_000),
            ("m", 60_000),
            ("s", 1000),
            ("ms", 1),
        ];
        let refuse = || NotADuration(text.to_owned());
        let mut rest = text;
        let mut units = UNITS.as_slice();
        let mut millis: u64 = 0;
        if text == "0" {
            return Ok(Self {
                text: text.to_owned(),
                millis,
            });
        }
        if rest.is_empty() {
            return Err(refuse());
        }
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(refuse)?;
            let (number, tail) = rest.split_at(digits);
            let letters = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let index = units
                .iter()
                .position(|(name, _)| *name == unit)
                .ok_or_else(refuse)?;
            let amount: u64 = number.parse().map_err(|_| refuse())?;
            millis = amount
                .checked_mul(units[index].1)
                .and_then(|part| millis.checked_add(part))
                .ok_or_else(refuse)?;
            units = &units[index + 1..];
            rest = tail;
        }
        Ok(Self {
            text: text.to_owned(),
            millis,
        })
    }
}

impl fmt::Display for PrometheusDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Serialize for PrometheusDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("0", Some(0))]
    #[case("500ms", Some(500))]
    #[case("1h30m", Some(5_400_000))]
    #[case("1y", Some(31_536_000_000))]
    #[case("", None)]
    #[case("2", None)]
    #[case("m", None)]
    #[case("30m1h", None)]
    #[case("1m1m", None)]
    #[case("2 m", None)]
    #[case("1.5m", None)]
    #[case("99999999999999999999y", None)]
    fn durations_follow_prometheus(#[case] text: &str, #[case] millis: Option<u64>) {
        assert_eq!(
            text.parse::<PrometheusDuration>().ok().map(|d| d.millis()),
            millis
        );
    }
}
