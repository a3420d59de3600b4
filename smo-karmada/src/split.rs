//! Which of two writes goes first when weights and replicas change together.
//!
//! Weights stand in the policy, replicas in the workload, and Karmada acts on each write: between the two a split is
//! visible that nobody asked for.

use std::collections::{BTreeMap, BTreeSet};

use smo_core::id::ClusterName;
use smo_core::placement::Assignment;

/// Which write goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    PolicyFirst,
    WorkloadFirst,
}

/// The order whose split in between takes the fewest replicas away that stay, and starts the fewest that are not
/// wanted.
pub(crate) fn order(now: &Assignment, wanted: &Assignment) -> Order {
    let policy_first = divide(wanted, now.replicas());
    let workload_first = divide(now, wanted.replicas());
    if harm(now, &workload_first, wanted) < harm(now, &policy_first, wanted) {
        Order::WorkloadFirst
    } else {
        Order::PolicyFirst
    }
}

/// Karmada's division of `replicas` by static weights: Webster's method, a tie going to the cluster with fewer seats
/// ([Sainte-Laguë](https://en.wikipedia.org/wiki/Sainte-Lagu%C3%AB_method)). Further ties go by name, which Karmada
/// decides otherwise; the counts are the same.
fn divide(weights: &Assignment, replicas: u32) -> BTreeMap<ClusterName, u32> {
    let mut seats: BTreeMap<ClusterName, u32> =
        weights.clusters().map(|cluster| (cluster.clone(), 0)).collect();
    for _ in 0..replicas {
        // Compares weight / (2 seats + 1) by multiplying out.
        let best = weights.iter().reduce(|best, next| {
            let seats = |cluster: &ClusterName| u64::from(seats.get(cluster).copied().unwrap_or(0));
            let (left, right) = (
                u64::from(next.1).saturating_mul(2 * seats(best.0) + 1),
                u64::from(best.1).saturating_mul(2 * seats(next.0) + 1),
            );
            if left > right || (left == right && seats(next.0) < seats(best.0)) {
                next
            } else {
                best
            }
        });
        let Some((cluster, _)) = best else { break };
        *seats.entry(cluster.clone()).or_default() += 1;
    }
    seats
}

/// How many replicas `between` takes away although they are there and wanted, and how many it starts that are not
/// wanted. The former is worse: an interruption, where the latter is only work.
fn harm(now: &Assignment, between: &BTreeMap<ClusterName, u32>, wanted: &Assignment) -> (u64, u64) {
    let clusters: BTreeSet<_> = now.clusters().chain(wanted.clusters()).collect();
    let mut harm = (0, 0);
    for cluster in clusters {
        let between = between.get(cluster).copied().unwrap_or(0);
        let kept = now.on(cluster).min(wanted.on(cluster));
        let most = now.on(cluster).max(wanted.on(cluster));
        harm.0 += u64::from(kept.saturating_sub(between));
        harm.1 += u64::from(between.saturating_sub(most));
    }
    harm
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rstest::rstest;

    fn assignment(text: &str) -> Assignment {
        let one = |part: &str| {
            let (cluster, count) = part.split_once('=').unwrap();
            (cluster.parse().unwrap(), count.parse().unwrap())
        };
        text.split_whitespace().map(one).collect()
    }

    #[rstest]
    #[case("a=1 b=2", 9, "a=3 b=6")]
    #[case("a=1 b=3", 9, "a=2 b=7")]
    #[case("a=2 b=1", 3, "a=2 b=1")]
    #[case("a=2 b=1", 6, "a=4 b=2")]
    #[case("a=5 b=3 c=1", 9, "a=5 b=3 c=1")]
    fn replicas_are_divided_as_karmada_does(
        #[case] weights: &str,
        #[case] replicas: u32,
        #[case] split: &str,
    ) {
        let divided: Assignment = divide(&assignment(weights), replicas).into_iter().collect();
        assert_eq!(divided, assignment(split));
    }

    proptest! {
        /// Counts as weights give exactly those counts, which is what a placement is written as.
        #[test]
        fn counts_as_weights_are_exact(counts in prop::collection::vec(1_u32..60, 1..8)) {
            let name = |number: usize| format!("c{number}").parse::<ClusterName>().unwrap();
            let wanted: Assignment = counts.iter().enumerate().map(|(number, count)| (name(number), *count)).collect();
            let divided: Assignment = divide(&wanted, wanted.replicas()).into_iter().collect();
            prop_assert_eq!(divided, wanted);
        }
    }

    #[rstest]
    #[case::grows_elsewhere("a=2", "a=2 b=1", Order::WorkloadFirst)]
    #[case::leaves_a_cluster("a=2 b=1", "a=2", Order::PolicyFirst)]
    #[case::grows("a=1", "a=3", Order::PolicyFirst)]
    #[case::moves("a=2", "b=2", Order::PolicyFirst)]
    #[case::moves_and_grows("a=1", "b=3", Order::PolicyFirst)]
    fn the_better_order_goes_first(#[case] now: &str, #[case] wanted: &str, #[case] first: Order) {
        assert_eq!(order(&assignment(now), &assignment(wanted)), first);
    }
}
