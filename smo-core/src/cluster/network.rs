//! How far clusters are from one another.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::id::ClusterName;
use crate::units::{DataRate, Latency};

/// What was measured between two clusters; a part that nobody measured is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Path {
    /// Round-trip time.
    pub rtt: Option<Latency>,
    /// Network hops.
    pub hops: Option<u32>,
    /// How much the links between them may carry together, both directions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bandwidth: Option<DataRate>,
}

/// Measured paths between clusters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Network(BTreeMap<(ClusterName, ClusterName), Path>);

impl Network {
    /// Nothing measured.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Records the path between two clusters, the same in both directions.
    pub fn measure(&mut self, a: ClusterName, b: ClusterName, path: Path) {
        self.0.insert(ordered(a, b), path);
    }

    /// The path between two clusters. Within one cluster it is 0 ms and 0 hops, and its bandwidth is not limited.
    #[must_use]
    pub fn path(&self, a: &ClusterName, b: &ClusterName) -> Path {
        if a == b {
            return Path {
                rtt: Some(Latency::ZERO),
                hops: Some(0),
                bandwidth: None,
            };
        }
        self.0
            .get(&ordered(a.clone(), b.clone()))
            .copied()
            .unwrap_or_default()
    }

    /// Every measured pair, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ClusterName, &ClusterName, Path)> {
        self.0.iter().map(|((a, b), path)| (a, b, *path))
    }
}

fn ordered(a: ClusterName, b: ClusterName) -> (ClusterName, ClusterName) {
    if a <= b { (a, b) } else { (b, a) }
}

impl Serialize for Network {
    /// A list of `{between: [a, b], rtt, hops, bandwidth}`, as the fleet file has it.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Entry<'a> {
            between: [&'a ClusterName; 2],
            #[serde(flatten)]
            path: Path,
        }
        serializer.collect_seq(self.iter().map(|(a, b, path)| Entry {
            between: [a, b],
            path,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_symmetric_and_zero_at_home() {
        let [a, b, c] = ["a", "b", "c"].map(|name| name.parse::<ClusterName>().unwrap());
        let mut network = Network::new();
        let measured = Path {
            rtt: Some(Latency::from_base(4000)),
            hops: Some(1),
            bandwidth: None,
        };
        network.measure(b.clone(), a.clone(), measured);
        assert_eq!(network.path(&a, &b), measured);
        assert_eq!(network.path(&a, &c), Path::default());
        assert_eq!(network.path(&c, &c).hops, Some(0));
    }
}
