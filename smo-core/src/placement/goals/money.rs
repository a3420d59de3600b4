//! Running cost: what the resources of every replica cost, and what traffic that leaves a cluster costs.

use super::{Facts, Measure};
use crate::id::ClusterName;
use crate::placement::LinkDemand;
use crate::placement::rules::Pair;

/// Base unit: nano-euro per hour.
#[derive(Debug)]
pub(super) struct Money;

impl Measure for Money {
    fn name(&self) -> &str {
        "money"
    }

    fn of_replica(&self, _: &Facts<'_>, pair: &Pair<'_>) -> Option<i64> {
        let price = pair.supply.price.of(&pair.demand.per_replica)?;
        Some(price.base())
    }

    /// The price of the cluster that sends, by whether the other one is in its region, rounded up to a nano-euro.
    fn of_link(
        &self,
        facts: &Facts<'_>,
        link: &LinkDemand,
        from: &ClusterName,
        to: &ClusterName,
    ) -> Option<i64> {
        const SECONDS_PER_HOUR: i128 = 3600;
        const BYTES_PER_GIB: i128 = 1 << 30;
        let clusters = &facts.problem.clusters;
        let (Some(sender), Some(receiver)) = (clusters.get(from), clusters.get(to)) else {
            return Some(0);
        };
        if from == to || sender.egress.is_free() {
            return Some(0);
        }
        let near = sender.region.is_some() && sender.region == receiver.region;
        let price = if near {
            sender.egress.within_region
        } else {
            sender.egress.out_of_region
        };
        let bytes = i128::from(link.traffic.get()) * SECONDS_PER_HOUR;
        let nanos = bytes.checked_mul(price.base().into())?;
        i64::try_from(crate::placement::evaluate::part(nanos, BYTES_PER_GIB)).ok()
    }
}
