//! What the links between two clusters carry fits what the network between them can. Softly: points for a kB/s too much.

use std::collections::BTreeMap;

use super::Rule;
use crate::id::ClusterName;
use crate::placement::evaluate::shares;
use crate::placement::{Breach, Placement, PlacementProblem};

/// No path between clusters carries more than it can, where that is known.
#[derive(Debug, Clone, Copy)]
pub struct Bandwidth;

impl Rule for Bandwidth {
    fn name(&self) -> &str {
        "bandwidth"
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        if !self.couples(problem) {
            return Vec::new();
        }
        let mut carried: BTreeMap<(&ClusterName, &ClusterName), u128> = BTreeMap::new();
        for link in problem.links.iter().filter(|link| link.traffic.get() > 0) {
            for share in shares(problem, link, placement) {
                let (a, b) = (share.from, share.to);
                if a != b {
                    let amount = share.of(link.traffic.get().into());
                    let amount = amount.and_then(|amount| u128::try_from(amount).ok());
                    let sum = carried.entry(if a < b { (a, b) } else { (b, a) }).or_default();
                    *sum = sum.saturating_add(amount.unwrap_or(u128::MAX));
                }
            }
        }
        let over = |((a, b), carried): ((&ClusterName, &ClusterName), u128)| {
            let capacity = problem.network.path(a, b).bandwidth?;
            (carried > u128::from(capacity.get())).then(|| Breach::OverBandwidth {
                between: [a.clone(), b.clone()],
                carried,
                capacity,
            })
        };
        carried.into_iter().filter_map(over).collect()
    }

    fn couples(&self, problem: &PlacementProblem) -> bool {
        let limited = |(_, _, path): (_, _, crate::cluster::Path)| path.bandwidth.is_some();
        problem.links.iter().any(|link| link.traffic.get() > 0) && problem.network.iter().any(limited)
    }
}
