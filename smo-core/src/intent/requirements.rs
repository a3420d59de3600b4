//! The requirements of a graph: every intent as an amount or a rule.

use std::collections::BTreeSet;
use std::fmt;

use indexmap::IndexMap;
use serde::Serialize;

use crate::cluster::DomainKey;
use crate::graph::{CoLocation, LatencyClass};
use crate::id::{ClusterName, ServiceId};
use crate::resources::{ResourceName, Resources};
use crate::table::Table;
use crate::units::{Bytes, Latency};

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
    /// What a replica takes along when it moves: the storage that the descriptor asks for; nothing where it only gets the
    /// catalogue's default.
    #[serde(skip_serializing_if = "is_nothing")]
    pub state: Bytes,
    /// Resources that its cluster has to offer at all.
    pub requires: BTreeSet<ResourceName>,
    /// It has to be near its device.
    pub device_proximity: bool,
    /// The label that its clusters have, because they are near devices.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_label: Option<String>,
    /// Services, maybe of other running graphs, that it shares its clusters with.
    pub co_location: Vec<CoLocation>,
    /// The only clusters it may run on, where the host says so.
    pub pinned: Option<BTreeSet<ClusterName>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_nothing(state: &Bytes) -> bool {
    *state == Bytes::ZERO
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
    /// What makes a failure domain.
    pub failure_domain: DomainKey,
    /// Services that handle data of one trust domain stay together.
    pub security: bool,
    /// Energy and carbon weigh more than money.
    pub energy_efficiency: bool,
}

impl fmt::Display for Requirements {
    /// A table of services, then one line for each link with a limit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table(|_| String::new()))?;
        self.links
            .iter()
            .filter(|link| link.limit().is_some())
            .try_for_each(|link| writeln!(f, "  {link}"))
    }
}

impl Requirements {
    /// The table of services, with what `starts` says of each in the last column. Columns without a text are left out.
    pub(crate) fn table(&self, starts: impl Fn(&ServiceId) -> String) -> Table {
        let mut table = Table::new(&[
            "service",
            "cpu",
            "memory",
            "storage",
            "accelerators",
            "replicas",
            "starts",
        ])
        .right(5);
        for (id, service) in &self.services {
            let [cpu, memory, storage, rest] = columns(&service.per_replica);
            table.push([
                id.to_string(),
                cpu,
                memory,
                storage,
                rest,
                service.replicas.to_string(),
                starts(id),
            ]);
        }
        table.without_empty_columns()
    }
}

impl fmt::Display for LinkRequirement {
    /// `web -> db: below 10 ms (ultralow)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}: ", self.from, self.to)?;
        match self.limit() {
            Some(limit) => write!(f, "{limit} ({})", self.class),
            None => write!(f, "{}", self.class),
        }
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
