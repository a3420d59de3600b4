//! The cheapest replicas that carry the load, exactly, without a solver.
//!
//! 1. Every service by itself, in closed form ([`relax`]). Where that fits, it is optimal.
//! 2. Services that share no cluster are decided apart; of those that do not fit,
//! 3. services of one cluster are a covering knapsack ([`cover`]),
//! 4. services that may run on several clusters are branched on ([`branch`]).
//!
//! All arithmetic is in integers, so the bound of an optimal answer is its value.

mod branch;
mod cover;
mod dense;
mod diagnose;
mod relax;
#[cfg(test)]
mod tests;

use branch::branch;
use cover::{Stoppable, cover};
use dense::{Dense, Wanted, bounds};
use indexmap::IndexMap;
use relax::relax;

use super::{
    DecidedBy, Faults, Scaler, ScalingDecision, ScalingError, ScalingGoals, ScalingProblem, ServiceLoad,
    ServiceTarget, Share, Targets,
};
use crate::value::Value;

/// Decides replicas exactly: of all counts within the bounds and the room of the clusters, the cheapest.
///
/// ```
/// use std::collections::BTreeSet;
/// use smo_core::resources::{ResourceName, Resources};
/// use smo_core::scaling::{ClusterRoom, ExactScaler, ScalingProblem, ServiceLoad, Throughput, decide};
/// use smo_core::units::Rate;
///
/// let mut problem = ScalingProblem::default();
/// let capacity = Resources::new().with(ResourceName::CPU, 8_000);
/// problem.clusters.insert("edge-2".parse()?, ClusterRoom { capacity, ..ClusterRoom::default() });
/// let service = "default/image-detection-graph/noise-reduction".parse()?;
/// problem.services.insert(service, ServiceLoad {
///     load: Rate::from_base(505_000_000),
///     throughput: Throughput::new(110.0, -30.0)?,
///     min: 1,
///     max: 10,
///     per_replica: Resources::new().with(ResourceName::CPU, 1_000),
///     requires: BTreeSet::new(),
///     clusters: [("edge-2".parse()?, 2)].into_iter().collect(),
/// });
/// let decision = decide(&ExactScaler::new(), &problem)?;
/// assert_eq!(decision.to_string(), "\
/// noise-reduction 2 -> 5 replicas on edge-2
///   load 505 req/s; 5 replicas carry 520 (110 r - 30)
///   the fewest that carry it: 4 would carry 410, 95 req/s short
/// ");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExactScaler {
    max_nodes: u64,
}

impl Default for ExactScaler {
    fn default() -> Self {
        Self::new()
    }
}

impl ExactScaler {
    /// With the default effort: 200,000 nodes of a search, where one is needed at all.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_nodes: 200_000 }
    }

    /// The same with another limit on the nodes of a search. An answer found before the limit is reached is optimal;
    /// otherwise it comes with a bound.
    #[must_use]
    pub const fn with_max_nodes(mut self, max_nodes: u64) -> Self {
        self.max_nodes = max_nodes;
        self
    }

    /// Divides given numbers of replicas over clusters at least cost, whatever the load: one number a service, in the
    /// order of the problem. Services without a number get none.
    ///
    /// # Errors
    /// [`ScalingError::InvalidProblem`] with every fault of the question.
    pub fn divide(&self, problem: &ScalingProblem, totals: &[u32]) -> Result<ScalingDecision, ScalingError> {
        self.answer(problem, Wanted::Exactly(totals), self.name())
    }

    fn answer(
        &self,
        problem: &ScalingProblem,
        wanted: Wanted<'_>,
        scaler: &str,
    ) -> Result<ScalingDecision, ScalingError> {
        let faults = problem.faults();
        if !faults.is_empty() {
            return Err(ScalingError::InvalidProblem(Faults(faults)));
        }
        let dense = Dense::new(problem, wanted);
        let solved = solve(&dense, self.max_nodes);
        if let Some(replicas) = solved.replicas {
            return Ok(ScalingDecision::Scale(Targets {
                scaler: scaler.to_owned(),
                value: Some(dense.value(&replicas)),
                bound: Some(Value::from_units(solved.bound)),
                services: targets(problem, &dense, &replicas, wanted),
            }));
        }
        let (replace, replicas) = diagnose::fill(problem, &dense, wanted, scaler, solved.proved);
        if !replace.lacks.is_empty() {
            return Ok(ScalingDecision::Replace(replace));
        }
        Ok(ScalingDecision::Scale(Targets {
            scaler: scaler.to_owned(),
            value: Some(dense.value(&replicas)),
            bound: None,
            services: replace.meanwhile,
        }))
    }
}

impl Scaler for ExactScaler {
    fn name(&self) -> &str {
        "exact"
    }

    fn decide(&self, problem: &ScalingProblem) -> Result<ScalingDecision, ScalingError> {
        self.answer(problem, Wanted::Load, self.name())
    }
}

struct Solved {
    replicas: Option<Vec<u32>>,
    bound: i128,
    proved: bool,
}

fn solve(dense: &Dense, max_nodes: u64) -> Solved {
    let infeasible = |proved| Solved {
        replicas: None,
        bound: 0,
        proved,
    };
    let mut replicas = vec![0; dense.pairs.len()];
    let free = vec![0; dense.pairs.len()];
    let limits: Vec<u32> = dense.pairs.iter().map(|pair| pair.limit).collect();
    let mut bound = 0;
    let mut left: Vec<i128> = dense.rows.iter().map(|row| row.room).collect();
    for item in &dense.items {
        let pairs = item.pairs.clone();
        let cost = relax(
            item,
            &dense.pairs[pairs.clone()],
            &free[pairs.clone()],
            &limits[pairs.clone()],
            &mut replicas[pairs.clone()],
        );
        let Some(cost) = cost else {
            return infeasible(true);
        };
        bound += cost;
        for index in pairs {
            for used in dense.uses(&dense.pairs[index]) {
                left[used.row] -= used.amount * i128::from(replicas[index]);
            }
        }
    }
    if left.iter().all(|left| *left >= 0) {
        return Solved {
            replicas: Some(replicas),
            bound,
            proved: true,
        };
    }
    for items in components(dense) {
        let pairs = || items.iter().flat_map(|item| dense.items[*item].pairs.clone());
        let over = |row: &usize| left[*row] < 0;
        let mut rows: Vec<usize> = pairs()
            .flat_map(|pair| dense.uses(&dense.pairs[pair]))
            .map(|used| used.row)
            .filter(over)
            .collect();
        rows.sort_unstable();
        rows.dedup();
        if rows.is_empty() {
            continue;
        }
        let relaxed: i128 = pairs().map(|pair| dense.pairs[pair].cost(replicas[pair])).sum();
        if items.iter().all(|item| dense.items[*item].pairs.len() == 1) {
            let Some(extra) = stop(dense, &items, &rows, &left, max_nodes, &mut replicas) else {
                return infeasible(true);
            };
            bound += extra;
        } else {
            let branched = branch(dense, &items, max_nodes);
            let Some(best) = branched.replicas else {
                return infeasible(branched.complete);
            };
            bound += branched.bound.max(relaxed) - relaxed;
            for pair in pairs() {
                replicas[pair] = best[pair];
            }
        }
    }
    Solved {
        replicas: Some(replicas),
        bound,
        proved: true,
    }
}

/// Stops replicas of services that each run on one cluster until the rows fit; what that costs at least.
fn stop(
    dense: &Dense,
    items: &[usize],
    rows: &[usize],
    left: &[i128],
    max_nodes: u64,
    replicas: &mut [u32],
) -> Option<i128> {
    let excess: Vec<i128> = rows.iter().map(|row| -left[*row]).collect();
    let stoppable = |item: &usize| {
        let item = &dense.items[*item];
        let pair = &dense.pairs[item.pairs.start];
        let taken = |row: &usize| {
            let uses = dense.uses(pair).iter().filter(|used| used.row == *row);
            uses.map(|used| used.amount).sum()
        };
        Stoppable {
            cost: -pair.below,
            // More than the fewest run only where stopping one costs something, and never more than run now.
            most: replicas[item.pairs.start] - item.lo,
            gives: rows.iter().map(taken).collect(),
        }
    };
    let services: Vec<Stoppable> = items.iter().map(stoppable).collect();
    let found = cover(&services, &excess, max_nodes)?;
    for (item, stopped) in items.iter().zip(&found.stopped) {
        replicas[dense.items[*item].pairs.start] -= stopped;
    }
    Some(found.bound)
}

/// The services that share clusters, directly or through others, each group in order.
fn components(dense: &Dense) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..dense.clusters).collect();
    let root = |group: &[usize], mut cluster: usize| {
        while group[cluster] != cluster {
            cluster = group[cluster];
        }
        cluster
    };
    for item in &dense.items {
        let mut clusters = dense.pairs[item.pairs.clone()].iter().map(|pair| pair.cluster);
        let Some(first) = clusters.next() else { continue };
        for other in clusters {
            let (a, b) = (root(&group, first), root(&group, other));
            group[a.max(b)] = a.min(b);
        }
    }
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); dense.clusters];
    for (index, item) in dense.items.iter().enumerate() {
        if let Some(pair) = dense.pairs[item.pairs.clone()].first() {
            members[root(&group, pair.cluster)].push(index);
        }
    }
    members.retain(|members| !members.is_empty());
    members
}

/// What every service should run, with the bound that decided it.
fn targets(
    problem: &ScalingProblem,
    dense: &Dense,
    replicas: &[u32],
    wanted: Wanted<'_>,
) -> IndexMap<crate::id::ServiceKey, ServiceTarget> {
    let target = |((key, service), item): ((&crate::id::ServiceKey, &ServiceLoad), &dense::Item)| {
        let pairs = item.pairs.clone();
        let shares = service.clusters.iter().zip(&replicas[pairs]);
        let shares = shares.map(|((cluster, from), to)| Share {
            cluster: cluster.clone(),
            from: *from,
            to: *to,
        });
        let mut target = ServiceTarget {
            shares: shares.collect(),
            load: service.load,
            throughput: service.throughput,
            needed: service.throughput.needed(service.load),
            decided_by: DecidedBy::Asked,
        };
        if matches!(wanted, Wanted::Load) {
            target.decided_by = decided_by(&problem.goals, service, &target);
        }
        (key.clone(), target)
    };
    problem.services.iter().zip(&dense.items).map(target).collect()
}

fn decided_by(goals: &ScalingGoals, service: &ServiceLoad, target: &ServiceTarget) -> DecidedBy {
    let replicas = target.replicas();
    let (lo, hi) = bounds(goals, service);
    if replicas < lo {
        return DecidedBy::Fits;
    }
    if replicas == lo {
        return match target.needed {
            Some(needed) if needed == lo => DecidedBy::Load,
            _ => DecidedBy::Minimum,
        };
    }
    match u64::from(replicas).cmp(&service.current()) {
        std::cmp::Ordering::Less if replicas == hi => DecidedBy::Maximum,
        std::cmp::Ordering::Less => DecidedBy::Room,
        _ => DecidedBy::Kept,
    }
}
