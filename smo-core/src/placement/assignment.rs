//! The answer: how many replicas of each service run on which cluster.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::in_order::InOrder;
use crate::cluster::{ObservedRelease, ObservedReplicas, ObservedState};
use crate::id::{ClusterName, ServiceKey};

/// Replicas of one service by cluster; a cluster without replicas is not listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Assignment {
    /// By name. There are few, so that a list is less work than a tree.
    clusters: Vec<(ClusterName, u32)>,
}

impl Assignment {
    /// All `replicas` on one cluster.
    #[must_use]
    pub fn single(cluster: ClusterName, replicas: u32) -> Self {
        Self {
            clusters: if replicas > 0 {
                vec![(cluster, replicas)]
            } else {
                Vec::new()
            },
        }
    }

    /// Where `cluster` is in the list, or would be.
    fn place(&self, cluster: &ClusterName) -> Result<usize, usize> {
        self.clusters.binary_search_by(|(name, _)| name.cmp(cluster))
    }

    /// Replicas on `cluster`.
    #[must_use]
    pub fn on(&self, cluster: &ClusterName) -> u32 {
        let place = self.place(cluster).ok();
        let there = place.and_then(|place| self.clusters.get(place));
        there.map_or(0, |(_, replicas)| *replicas)
    }

    /// Replicas on all clusters.
    #[must_use]
    pub fn replicas(&self) -> u32 {
        let replicas = self.clusters.iter().map(|(_, replicas)| *replicas);
        replicas.fold(0, u32::saturating_add)
    }

    /// The clusters it runs on, by name.
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterName> {
        self.clusters.iter().map(|(cluster, _)| cluster)
    }

    /// Clusters and replicas, by name of cluster.
    pub fn iter(&self) -> impl Iterator<Item = (&ClusterName, u32)> {
        let clusters = self.clusters.iter();
        clusters.map(|(cluster, replicas)| (cluster, *replicas))
    }

    /// True when it runs nowhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }
}

impl FromIterator<(ClusterName, u32)> for Assignment {
    /// Entries of 0 replicas are left out; of two entries for one cluster the later counts.
    fn from_iter<I: IntoIterator<Item = (ClusterName, u32)>>(entries: I) -> Self {
        let mut all = Self::default();
        for (cluster, replicas) in entries.into_iter().filter(|(_, replicas)| *replicas > 0) {
            match all.place(&cluster) {
                Ok(place) => {
                    if let Some(there) = all.clusters.get_mut(place) {
                        there.1 = replicas;
                    }
                }
                Err(place) => all.clusters.insert(place, (cluster, replicas)),
            }
        }
        all
    }
}

impl Serialize for Assignment {
    /// As a map.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for Assignment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let clusters = BTreeMap::<ClusterName, u32>::deserialize(deserializer)?;
        Ok(clusters.into_iter().collect())
    }
}

impl fmt::Display for Assignment {
    /// `edge-1`, or `edge-1 x2, edge-2 x1` for more than one replica.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let several = self.replicas() > 1;
        let one = |(cluster, replicas): (&ClusterName, u32)| {
            if several {
                format!("{cluster} x{replicas}")
            } else {
                cluster.to_string()
            }
        };
        let parts: Vec<String> = self.iter().map(one).collect();
        f.pad(
            if parts.is_empty() {
                "nowhere".to_owned()
            } else {
                parts.join(", ")
            }
            .as_str(),
        )
    }
}

/// Where every service runs, by service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Placement(IndexMap<ServiceKey, Assignment>);

impl Placement {
    /// Nothing runs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing runs, with room for so many services.
    pub(crate) fn with_room(services: usize) -> Self {
        Self(IndexMap::with_capacity(services))
    }

    /// Sets where `service` runs; an empty assignment takes it out.
    pub fn set(&mut self, service: ServiceKey, assignment: Assignment) {
        if assignment.is_empty() {
            self.0.shift_remove(&service);
        } else {
            self.0.insert(service, assignment);
        }
    }

    /// Where `service` runs; `None` when it runs nowhere.
    #[must_use]
    pub fn get(&self, service: &ServiceKey) -> Option<&Assignment> {
        self.0.get(service)
    }

    /// Looks assignments up by services that mostly come in its own order.
    pub(crate) const fn in_order(&self) -> InOrder<'_, Assignment> {
        InOrder::new(&self.0)
    }

    /// Services and assignments, in the order they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&ServiceKey, &Assignment)> {
        self.0.iter()
    }

    /// How many services run.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when nothing runs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&ObservedRelease> for Assignment {
    /// Where a release should run and with how many replicas.
    fn from(release: &ObservedRelease) -> Self {
        let wanted = |(cluster, at): (&ClusterName, &ObservedReplicas)| (cluster.clone(), at.desired);
        release.clusters.iter().map(wanted).collect()
    }
}

impl From<&BTreeMap<ServiceKey, ObservedRelease>> for Placement {
    /// Where releases run, as the `current` of a placement problem. A service that only waits for its alert is not in
    /// it: it holds nothing yet.
    fn from(releases: &BTreeMap<ServiceKey, ObservedRelease>) -> Self {
        let running = |(key, release): (&ServiceKey, &ObservedRelease)| (key.clone(), release.into());
        releases.iter().map(running).collect()
    }
}

impl From<&ObservedState> for Placement {
    /// Where the releases of a state run.
    fn from(observed: &ObservedState) -> Self {
        Self::from(&observed.releases)
    }
}

impl FromIterator<(ServiceKey, Assignment)> for Placement {
    fn from_iter<I: IntoIterator<Item = (ServiceKey, Assignment)>>(entries: I) -> Self {
        let entries = entries.into_iter();
        let mut placement = Self::with_room(entries.size_hint().0);
        entries.for_each(|(service, assignment)| placement.set(service, assignment));
        placement
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_replicas_are_not_listed() {
        let [a, b] = ["a", "b"].map(|name| name.parse::<ClusterName>().unwrap());
        let assignment = Assignment::from_iter([(a.clone(), 2), (b, 0)]);
        assert_eq!(assignment, Assignment::single(a, 2));
        assert_eq!(assignment.to_string(), "a x2");
        let mut placement = Placement::new();
        placement.set("p/g/s".parse().unwrap(), Assignment::default());
        assert!(placement.is_empty());
    }
}
