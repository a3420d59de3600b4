//! Where a release goes, decided as Karmada decides: filters, then static weights. Room is not looked at: replicas that
//! find none wait in their member.

use std::collections::BTreeMap;

use crate::cluster::{Cluster, TaintEffect};
use crate::id::ClusterName;
use crate::placement::Assignment;
use crate::resources::Resources;

/// Replicas by cluster; unlike an [`Assignment`] it may list a cluster with none.
pub(super) type Binding = BTreeMap<ClusterName, u32>;

/// What a release asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    /// These replicas; their counts are weights where only some of the clusters can take work.
    Divided(Assignment),
    /// All replicas on each of these clusters; on every cluster when none is named.
    Duplicated {
        clusters: Vec<ClusterName>,
        replicas: u32,
    },
    /// No replicas. The scheduler takes it off these clusters; it is still looked for there.
    Zero { clusters: Vec<ClusterName> },
}

/// Decides where a release goes. A binding of no replicas is empty: what is scaled to zero is in no cluster, and passes
/// the filters anew when it comes back.
///
/// # Errors
/// What the scheduler would say: `NoClusterFit: ...`.
pub(super) fn schedule(clusters: &[Cluster], wish: &Wish, bound: &Binding) -> Result<Binding, String> {
    match wish {
        Wish::Zero { .. } => Ok(Binding::new()),
        Wish::Divided(assignment) => {
            let names: Vec<&ClusterName> = assignment.clusters().collect();
            let candidates = filter(clusters, &names, bound)?;
            let weights: Vec<(ClusterName, u32)> = assignment
                .iter()
                .filter(|(name, _)| candidates.contains(name))
                .map(|(c, n)| (c.clone(), n))
                .collect();
            Ok(divide(assignment.replicas(), &weights))
        }
        Wish::Duplicated {
            clusters: names,
            replicas,
        } => {
            let names: Vec<&ClusterName> = names.iter().collect();
            let candidates = filter(clusters, &names, bound)?;
            Ok(candidates
                .into_iter()
                .map(|name| (name.clone(), *replicas))
                .collect())
        }
    }
}

/// The clusters that may take the release: all, or those named, less those that are tainted or not ready. A cluster
/// that has it already passes.
fn filter<'a>(
    clusters: &'a [Cluster],
    names: &[&ClusterName],
    bound: &Binding,
) -> Result<Vec<&'a ClusterName>, String> {
    let mut candidates = Vec::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for cluster in clusters {
        let reason = if !names.is_empty() && !names.contains(&&cluster.name) {
            Some("did not match the placement cluster affinity constraint".to_owned())
        } else if bound.contains_key(&cluster.name) {
            None
        } else if !cluster.readiness.is_ready() {
            Some("had untolerated taint {cluster.karmada.io/not-ready: NoSchedule}".to_owned())
        } else {
            let keeps_away = |effect| effect != TaintEffect::PreferNoSchedule;
            let taint = cluster.taints.iter().find(|taint| keeps_away(taint.effect));
            taint.map(|taint| format!("had untolerated taint {{{}: {:?}}}", taint.key, taint.effect))
        };
        match reason {
            Some(reason) => *reasons.entry(reason).or_default() += 1,
            None => candidates.push(&cluster.name),
        }
    }
    if !candidates.is_empty() {
        return Ok(candidates);
    }
    let counted: Vec<String> = reasons
        .iter()
        .map(|(reason, count)| format!("{count} cluster(s) {reason}"))
        .collect();
    let why = if counted.is_empty() {
        "the fleet is empty".to_owned()
    } else {
        counted.join(", ")
    };
    Err(format!(
        "NoClusterFit: 0/{} clusters are available: {why}.",
        clusters.len()
    ))
}

/// `replicas` in proportion to weights, by Webster's method: the next seat goes to the largest
/// `weight / (2 * seats + 1)`, of equals to the first by name. Exact shares come out exactly.
pub(super) fn divide(replicas: u32, weights: &[(ClusterName, u32)]) -> Binding {
    let total: u64 = weights.iter().map(|(_, weight)| u64::from(*weight)).sum();
    if total == u64::from(replicas) {
        return weights.iter().cloned().collect();
    }
    let mut seats: Vec<(u64, u64)> = weights
        .iter()
        .map(|(_, weight)| (u64::from(*weight), 0))
        .collect();
    for _ in 0..replicas {
        let mut best: Option<usize> = None;
        for (index, (weight, taken)) in seats.iter().enumerate() {
            let better = best
                .and_then(|best| seats.get(best))
                .is_none_or(|(best_weight, best_taken)| {
                    weight * (2 * best_taken + 1) > best_weight * (2 * taken + 1)
                });
            if better {
                best = Some(index);
            }
        }
        if let Some((_, taken)) = best.and_then(|index| seats.get_mut(index)) {
            *taken += 1;
        }
    }
    let counted = weights
        .iter()
        .zip(seats)
        .map(|((name, _), (_, taken))| (name.clone(), taken));
    counted
        .filter(|(_, taken)| *taken > 0)
        .map(|(name, taken)| (name, u32::try_from(taken).unwrap_or(u32::MAX)))
        .collect()
}

/// How many replicas find room in what is free. A resource that the cluster does not list is not limited, except an extended one.
pub(super) fn room(cluster: &Cluster, free: &Resources, per_replica: &Resources) -> u32 {
    let of_resource = |(name, amount): (&crate::resources::ResourceName, u64)| {
        let limited = cluster.allocatable.listed(name.as_str()).is_some() || name.is_extended();
        (limited && amount > 0).then(|| free.amount(name.as_str()) / amount)
    };
    let most = per_replica.iter().filter_map(of_resource).min();
    most.map_or(u32::MAX, |most| u32::try_from(most).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Readiness, Taint};
    use crate::resources::ResourceName;

    fn name(text: &str) -> ClusterName {
        text.parse().unwrap()
    }

    fn cluster(text: &str, cores: u64) -> Cluster {
        Cluster::new(name(text), Resources::new().with(ResourceName::CPU, cores * 1000))
    }

    fn divided(parts: &[(&str, u32)]) -> Wish {
        Wish::Divided(
            parts
                .iter()
                .map(|(cluster, replicas)| (name(cluster), *replicas))
                .collect(),
        )
    }

    fn binding(parts: &[(&str, u32)]) -> Binding {
        parts
            .iter()
            .map(|(cluster, replicas)| (name(cluster), *replicas))
            .collect()
    }

    #[test]
    fn what_finds_no_room_is_bound_all_the_same() {
        let wish = divided(&[("a", 100)]);
        assert_eq!(
            schedule(&[cluster("a", 8)], &wish, &Binding::new()),
            Ok(binding(&[("a", 100)]))
        );
        let each = Resources::new().with(ResourceName::CPU, 5000);
        let a = cluster("a", 8);
        assert_eq!(room(&a, &a.free(), &each), 1);
        let gpu = Resources::new().with(ResourceName::NVIDIA_GPU, 1);
        assert_eq!(room(&a, &a.free(), &gpu), 0);
        let memory = Resources::new().with(ResourceName::MEMORY, 1);
        assert_eq!(room(&a, &a.free(), &memory), u32::MAX, "it is not limited there");
    }

    #[test]
    fn no_replicas_are_in_no_cluster() {
        let clusters = vec![name("a")];
        assert_eq!(
            schedule(
                &[cluster("a", 8)],
                &Wish::Zero { clusters },
                &binding(&[("a", 2)])
            ),
            Ok(binding(&[]))
        );
    }

    #[test]
    fn shares_are_exact_and_otherwise_webster() {
        let parts = |parts: &[(&str, u32)]| parts.iter().map(|(c, n)| (name(c), *n)).collect::<Vec<_>>();
        assert_eq!(
            divide(9, &parts(&[("a", 1), ("b", 2)])),
            binding(&[("a", 3), ("b", 6)])
        );
        assert_eq!(
            divide(9, &parts(&[("a", 1), ("b", 3)])),
            binding(&[("a", 2), ("b", 7)])
        );
        assert_eq!(divide(3, &parts(&[("b", 1)])), binding(&[("b", 3)]));
        assert_eq!(divide(1, &parts(&[("a", 1), ("b", 1)])), binding(&[("a", 1)]));
        assert_eq!(divide(2, &[]), binding(&[]));
    }

    #[test]
    fn no_cluster_named_means_everywhere() {
        let fleet = [cluster("a", 8), cluster("b", 8)];
        let wish = Wish::Duplicated {
            clusters: vec![],
            replicas: 1,
        };
        assert_eq!(
            schedule(&fleet, &wish, &Binding::new()),
            Ok(binding(&[("a", 1), ("b", 1)]))
        );
    }

    #[test]
    fn refusals_say_why() {
        let mut tainted = cluster("a", 8);
        tainted.taints.push(Taint {
            key: "edge".into(),
            value: None,
            effect: TaintEffect::NoSchedule,
        });
        let mut dead = cluster("b", 8);
        dead.readiness = Readiness::NotReady {
            reason: "ClusterNotReachable".into(),
            since: None,
        };
        let fleet = [tainted, dead, cluster("c", 8)];
        let say = |wish: &Wish| schedule(&fleet, wish, &Binding::new()).unwrap_err();
        insta::assert_snapshot!(say(&divided(&[("nosuch", 1)])), @"NoClusterFit: 0/3 clusters are available: 3 cluster(s) did not match the placement cluster affinity constraint.");
        insta::assert_snapshot!(say(&divided(&[("a", 1), ("b", 1)])), @"NoClusterFit: 0/3 clusters are available: 1 cluster(s) did not match the placement cluster affinity constraint, 1 cluster(s) had untolerated taint {cluster.karmada.io/not-ready: NoSchedule}, 1 cluster(s) had untolerated taint {edge: NoSchedule}.");
        assert_eq!(
            schedule(&[], &divided(&[("a", 1)]), &Binding::new()).unwrap_err(),
            "NoClusterFit: 0/0 clusters are available: the fleet is empty."
        );
    }

    #[test]
    fn a_cluster_that_has_it_keeps_it() {
        let mut dead = cluster("b", 8);
        dead.readiness = Readiness::NotReady {
            reason: "ClusterNotReachable".into(),
            since: None,
        };
        let fleet = [cluster("a", 8), dead];
        let wish = divided(&[("a", 1), ("b", 2)]);
        assert_eq!(schedule(&fleet, &wish, &Binding::new()), Ok(binding(&[("a", 3)])));
        assert_eq!(
            schedule(&fleet, &wish, &binding(&[("b", 3)])),
            Ok(binding(&[("a", 1), ("b", 2)]))
        );
    }
}
