//! The requirements of a graph: every intent as an amount or a rule.

use std::collections::BTreeSet;
use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use crate::graph::{CoLocation, LatencyClass};
use crate::id::{ClusterName, ServiceId};
use crate::resources::{ResourceName, Resources};
use crate::units::Latency;

/// What one service needs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceRequirements {
    /// How many replicas run over all clusters.
    pub replicas: u32,
    /// The most replicas that may run over all clusters, where there is a limit.
    pub max_replicas: Option<u32>,
    /// What each replica needs.
    pub per_replica: Resources,
    /// Resources that its cluster has to offer at all.
    pub requires: BTreeSet<ResourceName>,
    /// It has to be near its device.
    pub device_proximity: bool,
    /// Services of other running graphs that it shares a cluster with.
    pub co_location: Vec<CoLocation>,
    /// The only clusters it may run on, where the host says so.
    pub pinned: Option<BTreeSet<ClusterName>>,
}

/// How near the two ends of a link have to be, as amounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LinkRequirement {
    /// The caller.
    pub from: ServiceId,
    /// The callee.
    pub to: ServiceId,
    /// The class that counts (`highPerformance` overrides the service's own).
    pub class: LatencyClass,
    /// The round trip has to be below this.
    pub rtt_below: Option<Latency>,
    /// At most this many hops.
    pub max_hops: Option<u32>,
}

impl LinkRequirement {
    /// What the link asks for, in words: `under 10 ms`, `at most 1 hop`; `None` without a limit.
    #[must_use]
    pub fn limit(&self) -> Option<String> {
        let rtt = self.rtt_below.map(|rtt| format!("under {rtt}"));
        let hops = self.max_hops.map(|hops| match hops {
            1 => "at most 1 hop".to_owned(),
            hops => format!("at most {hops} hops"),
        });
        let limits: Vec<String> = rtt.into_iter().chain(hops).collect();
        (!limits.is_empty()).then(|| limits.join(" and "))
    }
}

/// What a graph needs.
///
/// `Display` is a table: a line for each service, then a line for each link with a limit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Requirements {
    /// By service, in the order of the descriptor.
    pub services: IndexMap<ServiceId, ServiceRequirements>,
    /// Every link, in the order of the descriptor.
    pub links: Vec<LinkRequirement>,
    /// The charts decide where services run.
    pub static_placement: bool,
    /// A running graph keeps its placement (`highAvailability`: placement is final).
    pub final_placement: bool,
    /// Replicas of a service go to different failure domains (`highAvailability`).
    pub spread: bool,
    /// Services that handle data of one trust domain stay together.
    pub security: bool,
    /// Energy and carbon weigh more than money.
    pub energy_efficiency: bool,
}

impl fmt::Display for Requirements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rows = vec![[
            "service".to_owned(),
            "asks for".to_owned(),
            String::new(),
            String::new(),
            String::new(),
            "replicas".to_owned(),
        ]];
        for (id, service) in &self.services {
            let [cpu, memory, storage, rest] = columns(&service.per_replica);
            rows.push([
                id.to_string(),
                cpu,
                memory,
                storage,
                rest,
                service.replicas.to_string(),
            ]);
        }
        let width = |column: usize| {
            rows.iter()
                .map(|row| row[column].chars().count())
                .max()
                .unwrap_or(0)
        };
        // The title `asks for` may run over the columns below it, and a column that nobody uses has no gap.
        let widths: [usize; 6] = std::array::from_fn(width);
        for (index, row) in rows.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            f.write_str("  ")?;
            for column in 0..5 {
                let gap = if widths[column] > 0 { "  " } else { "" };
                write!(f, "{:<width$}{gap}", row[column], width = widths[column])?;
            }
            write!(f, "{:>width$}", row[5], width = widths[5])?;
        }
        for link in &self.links {
            if let Some(limit) = link.limit() {
                write!(f, "\n  {} -> {}: {limit} ({})", link.from, link.to, link.class)?;
            }
        }
        Ok(())
    }
}

/// Cpu, memory, storage, and everything else, as people say it; empty where nothing is asked for.
fn columns(resources: &Resources) -> [String; 4] {
    let mut columns: [String; 4] = Default::default();
    for (name, amount) in resources.iter() {
        let (column, text) = match name.as_str() {
            ResourceName::CPU => (0, name.describe(amount)),
            ResourceName::MEMORY => (1, name.quantity(amount)),
            ResourceName::STORAGE if amount == 0 => continue,
            ResourceName::STORAGE => (2, name.quantity(amount)),
            ResourceName::NVIDIA_GPU if amount == 1 => (3, "1 GPU".to_owned()),
            ResourceName::NVIDIA_GPU => (3, format!("{amount} GPUs")),
            _ => (3, name.describe(amount)),
        };
        let separator = if columns[column].is_empty() { "" } else { ", " };
        columns[column] = format!("{}{separator}{text}", columns[column]);
    }
    columns
}
