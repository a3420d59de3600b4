//! A link: one service calls another.

use std::fmt;

use serde::Serialize;

use crate::id::ServiceId;

/// `from` calls `to`, so the Kubernetes Service of `to` is imported wherever `from` runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Link {
    /// The caller.
    pub from: ServiceId,
    /// The callee.
    pub to: ServiceId,
    /// How near they have to be.
    pub latency: LatencyClass,
}

/// How near the two ends of a link have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatencyClass {
    /// Round trip below 10 ms in the default catalogue.
    #[serde(rename = "ultralow")]
    UltraLow,
    /// At most one hop in the default catalogue.
    Low,
    /// No limit.
    #[default]
    BestEffort,
}

impl LatencyClass {
    /// Every class, strictest first.
    pub const ALL: [Self; 3] = [Self::UltraLow, Self::Low, Self::BestEffort];

    /// The name in a descriptor.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UltraLow => "ultralow",
            Self::Low => "low",
            Self::BestEffort => "best-effort",
        }
    }

    /// The class called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

impl fmt::Display for LatencyClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
