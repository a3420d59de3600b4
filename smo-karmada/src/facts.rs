//! What Karmada cannot know of a cluster: prices, carbon, distances.

use std::collections::BTreeMap;

use smo_core::cluster::{CarbonProfile, CarbonSignal, Cluster, Egress, Inventory, Network, Price};
use smo_core::id::ClusterName;

/// What the host knows of one cluster. What Karmada says of region, zones, provider and labels goes first; these fill
/// gaps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ClusterFacts {
    /// Where it is.
    pub region: Option<String>,
    /// Zones within the region.
    pub zones: Vec<String>,
    /// Who runs it.
    pub provider: Option<String>,
    /// More labels.
    pub labels: BTreeMap<String, String>,
    /// What an hour of its resources costs.
    pub price: Price,
    /// What it emits (power usage effectiveness included).
    pub carbon: Option<CarbonProfile>,
    /// What traffic that leaves it costs.
    pub egress: Egress,
}

/// What the host knows of the fleet beside what Karmada reports. Facts of a cluster that the fleet does not have wait
/// until it joins.
///
/// A fleet file holds all of them; its amounts of cpu and memory are not used, since Karmada reports those:
///
/// ```
/// use smo_core::cluster::Inventory;
/// use smo_karmada::FleetFacts;
///
/// let file = Inventory::parse("
/// fleet:
///   clusters:
///     - {name: m1, allocatable: {cpu: 1, memory: 1Gi}, price: {cpu: 0.02}, carbon: {intensity: 320, pue: 1.3}}
///     - {name: m2, allocatable: {cpu: 1, memory: 1Gi}}
///   network:
///     - {between: [m1, m2], rtt: 4}
/// ")?;
/// let facts = FleetFacts::from(&file);
/// assert!(!facts.clusters["m1"].price.is_free());
/// # Ok::<(), smo_core::diagnostic::Violations>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FleetFacts {
    /// Which emission signal the carbon intensities are.
    pub carbon_signal: CarbonSignal,
    /// By name of cluster.
    pub clusters: BTreeMap<ClusterName, ClusterFacts>,
    /// How far clusters are from one another.
    pub network: Network,
}

impl FleetFacts {
    /// Nothing known.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `facts` about `cluster`.
    #[must_use]
    pub fn with(mut self, cluster: ClusterName, facts: ClusterFacts) -> Self {
        self.clusters.insert(cluster, facts);
        self
    }

    /// Adds what is known of a cluster to what Karmada reported.
    pub(crate) fn fill(&self, cluster: &mut Cluster) {
        let Some(facts) = self.clusters.get(&cluster.name) else {
            return;
        };
        cluster.region = cluster.region.take().or_else(|| facts.region.clone());
        cluster.provider = cluster.provider.take().or_else(|| facts.provider.clone());
        if cluster.zones.is_empty() {
            cluster.zones.clone_from(&facts.zones);
        }
        for (key, value) in &facts.labels {
            cluster.labels.entry(key.clone()).or_insert_with(|| value.clone());
        }
        cluster.price = facts.price.clone();
        cluster.carbon = facts.carbon;
        cluster.egress = facts.egress;
    }
}

impl From<&Inventory> for FleetFacts {
    fn from(file: &Inventory) -> Self {
        let facts = |cluster: &Cluster| ClusterFacts {
            region: cluster.region.clone(),
            zones: cluster.zones.clone(),
            provider: cluster.provider.clone(),
            labels: cluster.labels.clone(),
            price: cluster.price.clone(),
            carbon: cluster.carbon,
            egress: cluster.egress,
        };
        let clusters = file
            .clusters
            .iter()
            .map(|(name, cluster)| (name.clone(), facts(cluster)));
        Self {
            carbon_signal: file.carbon_signal,
            clusters: clusters.collect(),
            network: file.network.clone(),
        }
    }
}
