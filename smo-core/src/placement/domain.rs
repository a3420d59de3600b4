//! Fault domains: what clusters may have in common, so that they fail together.

use std::collections::BTreeMap;

use super::{Assignment, ClusterSupply, PlacementProblem};
pub use crate::cluster::DomainKey;
use crate::id::ClusterName;

impl DomainKey {
    /// The domain of a cluster; `None` where it says nothing: such a cluster is in no domain.
    #[must_use]
    pub fn of<'a>(&self, name: &'a ClusterName, supply: &'a ClusterSupply) -> Option<&'a str> {
        match self {
            Self::Cluster => Some(name.as_str()),
            Self::Region => supply.region.as_deref(),
            Self::Zone => match supply.zones.as_slice() {
                [zone] => Some(zone),
                _ => None,
            },
            Self::Provider => supply.provider.as_deref(),
            Self::Label(key) => supply.labels.get(key).map(String::as_str),
        }
    }
}

/// The replicas in every domain that has some, and those on clusters in no domain.
pub(super) fn replicas_by_domain<'a>(
    problem: &'a PlacementProblem,
    key: &DomainKey,
    assignment: &Assignment,
) -> (BTreeMap<&'a str, u64>, u64) {
    let mut domains = BTreeMap::new();
    let mut outside = 0;
    for (cluster, replicas) in assignment.iter() {
        let Some((name, supply)) = problem.clusters.get_key_value(cluster) else {
            continue;
        };
        let count = match key.of(name, supply) {
            Some(domain) => domains.entry(domain).or_insert(0),
            None => &mut outside,
        };
        *count += u64::from(replicas);
    }
    (domains, outside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cluster_may_be_in_no_domain() {
        let name: ClusterName = "a".parse().unwrap();
        let supply = ClusterSupply {
            region: Some("eu".into()),
            zones: vec!["eu-1".into(), "eu-2".into()],
            labels: [("rack".to_owned(), "7".to_owned())].into(),
            ..ClusterSupply::default()
        };
        let of = |text: &str| {
            let key: DomainKey = text.parse().unwrap();
            assert_eq!(key.to_string(), text);
            key.of(&name, &supply).map(str::to_owned)
        };
        assert_eq!(of("cluster").as_deref(), Some("a"));
        assert_eq!(of("region").as_deref(), Some("eu"));
        assert_eq!(of("zone"), None);
        assert_eq!(of("provider"), None);
        assert_eq!(of("rack").as_deref(), Some("7"));
    }
}
