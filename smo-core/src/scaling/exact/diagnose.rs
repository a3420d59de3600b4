//! Too little room: who lacks how much, and what fits until services are placed again.

use super::super::{Lack, LackReason, Replace, ScalingProblem, ServiceLoad};
use super::dense::{Dense, Wanted};
use super::targets;
use crate::id::ClusterName;

/// Fills the room in the order of the services: first what each one has now and needs, then what it needs more. Where
/// nobody lacks anything, that is an answer which the search did not find.
pub(super) fn fill(
    problem: &ScalingProblem,
    dense: &Dense,
    wanted: Wanted<'_>,
    scaler: &str,
    proved: bool,
) -> (Replace, Vec<u32>) {
    let mut fill = Fill {
        dense,
        left: dense.rows.iter().map(|row| row.room).collect(),
        replicas: vec![0; dense.pairs.len()],
    };
    for running in [true, false] {
        for item in &dense.items {
            let wanted = item.lo.min(item.hi);
            for pair in item.pairs.clone() {
                let placed = fill.total(item);
                let most = if running {
                    dense.pairs[pair].current
                } else {
                    u32::MAX
                };
                fill.add(pair, most.min(wanted.saturating_sub(placed)));
            }
        }
    }
    let mut lacks: Vec<Lack> = Vec::new();
    for ((key, service), item) in problem.services.iter().zip(&dense.items) {
        let possible = fill.total(item);
        if possible >= item.lo {
            continue;
        }
        let mut reasons = Vec::new();
        if possible == item.hi {
            reasons.push(LackReason::Maximum { max: item.hi });
        } else {
            for (pair, cluster) in item.pairs.clone().zip(service.clusters.keys()) {
                fill.explain(problem, service, pair, cluster, &mut reasons);
            }
        }
        let needed = service.throughput.needed(service.load).map(|_| item.lo);
        lacks.push(Lack {
            service: key.clone(),
            needed,
            possible,
            load: service.load,
            carried: service.throughput.capacity(possible),
            reasons,
        });
    }
    let replace = Replace {
        scaler: scaler.to_owned(),
        proved,
        lacks,
        meanwhile: targets(problem, dense, &fill.replicas, wanted),
    };
    (replace, fill.replicas)
}

struct Fill<'a> {
    dense: &'a Dense,
    left: Vec<i128>,
    replicas: Vec<u32>,
}

impl Fill<'_> {
    fn total(&self, item: &super::dense::Item) -> u32 {
        let replicas = &self.replicas[item.pairs.clone()];
        replicas.iter().fold(0, |sum, n| sum.saturating_add(*n))
    }

    fn add(&mut self, pair: usize, most: u32) {
        let uses = self.dense.uses(&self.dense.pairs[pair]);
        let room = self.dense.pairs[pair].limit - self.replicas[pair];
        let count = uses.iter().fold(most.min(room), |fit, used| {
            fit.min(u32::try_from((self.left[used.row] / used.amount).max(0)).unwrap_or(u32::MAX))
        });
        for used in uses {
            self.left[used.row] -= used.amount * i128::from(count);
        }
        self.replicas[pair] += count;
    }

    /// Says what keeps one more replica from a cluster.
    fn explain(
        &self,
        problem: &ScalingProblem,
        service: &ServiceLoad,
        pair: usize,
        cluster: &ClusterName,
        reasons: &mut Vec<LackReason>,
    ) {
        let Some(room) = problem.clusters.get(cluster) else {
            return;
        };
        let missing = service
            .requires
            .iter()
            .find(|name| room.available(name) == Some(0));
        if let Some(resource) = missing {
            return reasons.push(LackReason::NotOffered {
                cluster: cluster.clone(),
                resource: resource.clone(),
            });
        }
        // The uses of a pair are the limited resources of its service, in order.
        let limited = service
            .per_replica
            .iter()
            .filter(|(name, amount)| *amount > 0 && room.available(name).is_some());
        let uses = self.dense.uses(&self.dense.pairs[pair]);
        let short = limited
            .zip(uses)
            .filter(|(_, used)| self.left[used.row] < used.amount);
        reasons.extend(
            short.map(|((resource, per_replica), used)| LackReason::Insufficient {
                cluster: cluster.clone(),
                resource: resource.clone(),
                left: u64::try_from(self.left[used.row].max(0)).unwrap_or(u64::MAX),
                per_replica,
            }),
        );
    }
}
