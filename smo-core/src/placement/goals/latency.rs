//! Round trips of links, weighted by their traffic. A pair of clusters that nobody measured counts as the farthest known
//! one.

use super::{Facts, Measure};
use crate::id::ClusterName;
use crate::placement::LinkDemand;

/// Base unit: bytes per second x microseconds.
#[derive(Debug)]
pub(super) struct Latency;

impl Measure for Latency {
    fn name(&self) -> &str {
        "latency"
    }

    fn of_link(
        &self,
        facts: &Facts<'_>,
        link: &LinkDemand,
        from: &ClusterName,
        to: &ClusterName,
    ) -> Option<i64> {
        let Some(rtt) = facts.problem.network.path(from, to).rtt.or(facts.worst_rtt) else {
            return Some(0);
        };
        i64::try_from(link.traffic.get()).ok()?.checked_mul(rtt.base())
    }
}
