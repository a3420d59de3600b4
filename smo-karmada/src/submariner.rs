//! What Submariner knows of the network between clusters: address ranges, gateways, and round-trip times between them.
//!
//! Submariner (`submariner.io/v1`, <https://submariner.io>) keeps its objects in each member: `Gateway` with the tunnels
//! of that member and their round-trip times, `Cluster` with the address ranges of every cluster it knows. They are read
//! through Karmada's proxy, in those members that serve the API; the others have no such facts.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use smo_core::cluster::Path;
use smo_core::id::ClusterName;
use smo_core::units::Latency;

use crate::backend::KarmadaFleet;
use crate::inventory::{FleetReport, serves};

/// The namespace that Submariner's operator uses.
pub(crate) const NAMESPACE: &str = "submariner-operator";
const API: &str = "submariner.io/v1";
/// A member that does not answer by then has to wait for the next look: an inventory is no place to hang in.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many members are asked at once.
const AT_ONCE: usize = 16;

/// What Submariner says of a cluster that serves its API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum Submariner {
    /// Its word.
    Present(ClusterNetwork),
    /// It could not be asked.
    Unreadable {
        /// Why.
        reason: String,
    },
}

/// The network of a cluster, by Submariner.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClusterNetwork {
    /// The cluster's name in Submariner, which may be another than in Karmada. `None` before a gateway runs.
    pub id: Option<String>,
    /// Address ranges of pods (CIDR); two in a dual stack.
    pub pod_cidrs: Vec<String>,
    /// Address ranges of Services.
    pub service_cidrs: Vec<String>,
    /// Address ranges with Globalnet, where ranges of clusters overlap; empty without it.
    pub global_cidrs: Vec<String>,
    /// Nodes that are gateways.
    pub gateways: Vec<Gateway>,
}

/// A node that tunnels to other clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// Its name.
    pub name: String,
    /// False for one that only stands by.
    pub active: bool,
    /// Its tunnels.
    pub tunnels: Vec<Tunnel>,
}

/// A tunnel to another cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tunnel {
    /// The other cluster's name in Submariner.
    pub to: String,
    /// `connected`, `connecting`, `error` or `none`.
    pub status: String,
    /// More on that.
    pub message: Option<String>,
    /// The average round-trip time between the two gateways.
    pub rtt: Option<Latency>,
}

impl Tunnel {
    /// True when packets pass.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.status == "connected"
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named<T> {
    metadata: Metadata,
    spec: T,
    status: GatewayStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    name: String,
}

/// Unlike most of Kubernetes these fields are in snake case.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ClusterSpec {
    cluster_id: String,
    cluster_cidr: Option<Vec<String>>,
    service_cidr: Option<Vec<String>>,
    global_cidr: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct GatewayStatus {
    ha_status: String,
    local_endpoint: Endpoint,
    connections: Option<Vec<Connection>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Endpoint {
    cluster_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Connection {
    status: String,
    status_message: String,
    endpoint: Endpoint,
    #[serde(rename = "latencyRTT")]
    latency_rtt: Option<RoundTrip>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RoundTrip {
    average: String,
}

fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

/// Reads the `Gateway` and `Cluster` objects of one member. What cannot be read is left out.
pub(crate) fn read_network(gateways: &[Value], clusters: &[Value]) -> ClusterNetwork {
    let read = |item: &Value| Named::<ClusterSpec>::deserialize(item).ok();
    let gateways: Vec<_> = gateways.iter().filter_map(read).collect();
    let id = gateways
        .iter()
        .find_map(|gateway| text(&gateway.status.local_endpoint.cluster_id));
    let clusters: Vec<_> = clusters.iter().filter_map(read).collect();
    // Every cluster knows the others, too.
    let own = match &id {
        Some(id) => clusters
            .into_iter()
            .find(|cluster| cluster.spec.cluster_id == *id),
        None => None,
    };
    let own = own.map(|cluster| cluster.spec).unwrap_or_default();
    let tunnel = |connection: Connection| Tunnel {
        to: connection.endpoint.cluster_id,
        rtt: connection.latency_rtt.and_then(|times| duration(&times.average)),
        message: text(&connection.status_message),
        status: connection.status,
    };
    let gateway = |gateway: Named<ClusterSpec>| Gateway {
        name: gateway.metadata.name,
        active: gateway.status.ha_status == "active",
        tunnels: gateway
            .status
            .connections
            .into_iter()
            .flatten()
            .map(tunnel)
            .collect(),
    };
    ClusterNetwork {
        id,
        pod_cidrs: own.cluster_cidr.unwrap_or_default(),
        service_cidrs: own.service_cidr.unwrap_or_default(),
        global_cidrs: own.global_cidr.unwrap_or_default(),
        gateways: gateways.into_iter().map(gateway).collect(),
    }
}

/// A duration as Go writes it: `543.21µs`, `1.2ms`, `1m2.5s`. Zero is none: nothing was measured.
fn duration(text: &str) -> Option<Latency> {
    const UNITS: [(&str, u128); 7] = [
        // In nanoseconds; `m` after those that begin with it.
        ("ns", 1),
        ("µs", 1_000),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
    ];
    let mut rest = text;
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let (unit, scale) = UNITS.into_iter().find(|(unit, _)| after.starts_with(unit))?;
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        nanoseconds = nanoseconds.checked_add(whole.parse::<u128>().ok()?.checked_mul(scale)?)?;
        let mut place = scale;
        for digit in fraction.chars() {
            place /= 10;
            nanoseconds = nanoseconds.checked_add(u128::from(digit.to_digit(10)?) * place)?;
        }
        rest = after.strip_prefix(unit)?;
    }
    let microseconds = i64::try_from(nanoseconds.div_ceil(1_000)).ok()?;
    (microseconds > 0).then(|| Latency::from_base(microseconds))
}

/// Adds what the tunnels measured where the host knows no round-trip time. Of two directions the slower counts.
pub(crate) fn fill_network(report: &mut FleetReport) {
    let networks = || {
        report
            .details
            .iter()
            .filter_map(|(name, details)| match &details.submariner {
                Some(Submariner::Present(network)) => Some((name, network)),
                _ => None,
            })
    };
    let by_id: BTreeMap<&str, &ClusterName> = networks()
        .filter_map(|(name, network)| Some((network.id.as_deref()?, name)))
        .collect();
    let named = |id: &str| match by_id.get(id) {
        Some(name) => Some((*name).clone()),
        None => report.inventory.cluster(id).map(|cluster| cluster.name.clone()),
    };
    let mut measured: BTreeMap<(ClusterName, ClusterName), Latency> = BTreeMap::new();
    for (from, network) in networks() {
        let active = network.gateways.iter().filter(|gateway| gateway.active);
        let tunnels = active.flat_map(|gateway| &gateway.tunnels);
        for tunnel in tunnels.filter(|tunnel| tunnel.is_connected()) {
            let (Some(to), Some(rtt)) = (named(&tunnel.to), tunnel.rtt) else {
                continue;
            };
            let pair = if *from <= to {
                (from.clone(), to)
            } else {
                (to, from.clone())
            };
            let known = measured.entry(pair).or_insert(rtt);
            *known = (*known).max(rtt);
        }
    }
    for ((a, b), rtt) in measured {
        let path = report.inventory.network.path(&a, &b);
        if path.rtt.is_none() {
            let rtt = Some(rtt);
            report.inventory.network.measure(a, b, Path { rtt, ..path });
        }
    }
}

impl KarmadaFleet {
    /// Adds what Submariner knows to a report made of `items`, where it is and answers.
    pub(crate) async fn ask_submariner(&self, items: &[Value], report: &mut FleetReport) {
        let Some(namespace) = &self.submariner else { return };
        let served = items
            .iter()
            .filter(|item| serves(item.get("status"), API))
            .filter_map(|item| item.pointer("/metadata/name")?.as_str());
        let ready = served.filter_map(|name| {
            let cluster = report.inventory.cluster(name)?;
            cluster.readiness.is_ready().then(|| cluster.name.clone())
        });
        let ready: Vec<ClusterName> = ready.collect();
        let asked = stream::iter(ready).map(|name| async move {
            let facts = match tokio::time::timeout(PATIENCE, self.network_of(&name, namespace)).await {
                Ok(Ok(network)) => Submariner::Present(network),
                Ok(Err(error)) => Submariner::Unreadable {
                    reason: error.to_string(),
                },
                Err(_) => Submariner::Unreadable {
                    reason: format!("no answer within {} s", PATIENCE.as_secs()),
                },
            };
            (name, facts)
        });
        let answers: Vec<(ClusterName, Submariner)> = asked.buffered(AT_ONCE).collect().await;
        for (name, facts) in answers {
            if let Some(details) = report.details.get_mut(&name) {
                details.submariner = Some(facts);
            }
        }
        fill_network(report);
    }

    async fn network_of(
        &self,
        name: &ClusterName,
        namespace: &str,
    ) -> Result<ClusterNetwork, crate::KarmadaError> {
        let root = format!(
            "/apis/cluster.karmada.io/v1alpha1/clusters/{name}/proxy/apis/{API}/namespaces/{namespace}"
        );
        let list = async |kind: &str| self.client.list(&format!("{root}/{kind}"), "").await;
        let (gateways, clusters) = futures::try_join!(list("gateways"), list("clusters"))?;
        Ok(read_network(&gateways, &clusters))
    }
}

#[cfg(test)]
#[path = "submariner_tests.rs"]
mod tests;
