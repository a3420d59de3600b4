//! What a simulation saw.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::Serialize;

use crate::backend::since;
use crate::id::{ClusterName, GraphKey, ServiceKey};
use crate::table::Table;
use crate::units::Rate;

/// Something that happened in a simulation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "what")]
pub enum Happening {
    /// A count was changed by the autoscaler.
    Scaled {
        /// The service.
        service: ServiceKey,
        /// How many replicas ran.
        from: u32,
        /// How many should.
        to: u32,
    },
    /// A service was moved.
    Moved {
        /// The service.
        service: ServiceKey,
        /// Where it ran.
        from: Vec<ClusterName>,
        /// Where it runs now.
        to: Vec<ClusterName>,
    },
    /// A graph had to be placed again, which failed.
    NotPlaced {
        /// The graph.
        graph: GraphKey,
        /// Why, in one line.
        why: String,
    },
    /// A cluster failed.
    ClusterFailed {
        /// The cluster.
        cluster: ClusterName,
    },
    /// A cluster came back.
    ClusterReturned {
        /// The cluster.
        cluster: ClusterName,
    },
    /// Somebody else changed a count.
    Edited {
        /// The service.
        service: ServiceKey,
        /// The count.
        replicas: u32,
    },
}

impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = |clusters: &[ClusterName]| {
            let names: Vec<&str> = clusters.iter().map(ClusterName::as_str).collect();
            names.join(", ")
        };
        match self {
            Self::Scaled { service, from, to } => write!(f, "{} {from} -> {to} replicas", service.service),
            Self::Moved { service, from, to } => {
                write!(
                    f,
                    "{} moved from {} to {}",
                    service.service,
                    names(from),
                    names(to)
                )
            }
            Self::NotPlaced { graph, why } => write!(f, "{} was not placed again: {why}", graph.graph),
            Self::ClusterFailed { cluster } => write!(f, "{cluster} fails"),
            Self::ClusterReturned { cluster } => write!(f, "{cluster} is back"),
            Self::Edited { service, replicas } => {
                write!(f, "somebody sets {} to {replicas}", service.service)
            }
        }
    }
}

/// One service over time: a value for every tick, from the start on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceCourse {
    /// From one tick to the next, in seconds.
    #[serde(serialize_with = "seconds")]
    pub tick: Duration,
    /// Requests per second.
    pub load: Vec<Rate>,
    /// What the replicas that are ready carry.
    pub capacity: Vec<Rate>,
    /// How many replicas are ready.
    pub ready: Vec<u32>,
    /// The same by cluster.
    pub clusters: Vec<BTreeMap<ClusterName, u32>>,
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// A service over time in a few numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceSummary {
    /// The share of ticks at which the load was above what the ready replicas carry, 0 to 1.
    pub violations: f64,
    /// The share of requests that were above that, 0 to 1.
    pub unserved: f64,
    /// Replicas times hours.
    pub replica_hours: f64,
    /// The share of capacity that no load used, 0 to 1.
    pub spare: f64,
}

impl ServiceCourse {
    /// It in a few numbers.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "for display")]
    pub fn summary(&self) -> ServiceSummary {
        let pairs = || self.load.iter().zip(&self.capacity);
        let sum = |of: &dyn Fn(&Rate, &Rate) -> i64| -> f64 {
            let total: i128 = pairs()
                .map(|(load, capacity)| i128::from(of(load, capacity)))
                .sum();
            total as f64
        };
        let share = |part: f64, whole: f64| if whole > 0.0 { part / whole } else { 0.0 };
        let over = pairs().filter(|(load, capacity)| load > capacity).count();
        let replicas: u64 = self.ready.iter().map(|ready| u64::from(*ready)).sum();
        ServiceSummary {
            violations: share(over as f64, self.load.len() as f64),
            unserved: share(
                sum(&|load, capacity| load.saturating_sub(*capacity).base().max(0)),
                sum(&|load, _| load.base()),
            ),
            replica_hours: replicas as f64 * self.tick.as_secs_f64() / 3600.0,
            spare: share(
                sum(&|load, capacity| capacity.saturating_sub(*load).base().max(0)),
                sum(&|_, capacity| capacity.base()),
            ),
        }
    }
}

/// A simulation, seen from its end. `Display` is a screen: a line a service, then what happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SimulationResult {
    /// When it began.
    pub start: Timestamp,
    /// The services, in the order of the autoscaler.
    pub services: IndexMap<ServiceKey, ServiceCourse>,
    /// What happened, in order of time.
    pub happenings: Vec<(Timestamp, Happening)>,
}

impl SimulationResult {
    /// How many replicas moved: services that changed their clusters.
    #[must_use]
    pub fn moves(&self) -> usize {
        let moved = |happening: &&Happening| matches!(happening, Happening::Moved { .. });
        self.happenings
            .iter()
            .map(|(_, happening)| happening)
            .filter(moved)
            .count()
    }

    /// How often counts were changed by the autoscaler.
    #[must_use]
    pub fn scalings(&self) -> usize {
        let scaled = |happening: &&Happening| matches!(happening, Happening::Scaled { .. });
        self.happenings
            .iter()
            .map(|(_, happening)| happening)
            .filter(scaled)
            .count()
    }

    /// A picture, SVG: load and capacity of every service, its replicas by cluster, and what happened.
    #[must_use]
    pub fn to_svg(&self) -> String {
        super::svg::picture(self)
    }
}

/// Minutes and seconds since the start: `12:30`.
pub(super) fn elapsed(start: Timestamp, at: Timestamp) -> String {
    let seconds = since(at, start).as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

impl fmt::Display for SimulationResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new(&["service", "overloaded", "unserved", "replica-hours", "spare"])
            .right(1)
            .right(2)
            .right(3)
            .right(4);
        let percent = |share: f64| format!("{:.1} %", share * 100.0);
        for (key, course) in &self.services {
            let summary = course.summary();
            table.push([
                key.service.to_string(),
                percent(summary.violations),
                percent(summary.unserved),
                format!("{:.2}", summary.replica_hours),
                percent(summary.spare),
            ]);
        }
        write!(f, "{table}")?;
        for (at, happening) in &self.happenings {
            writeln!(f, "  {:>6}  {happening}", elapsed(self.start, *at))?;
        }
        Ok(())
    }
}
