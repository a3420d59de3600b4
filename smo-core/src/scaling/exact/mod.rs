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
mod solve;
#[cfg(test)]
mod tests;

use dense::{Dense, Wanted, bounds};
use indexmap::IndexMap;
pub use solve::ScalingWorkspace;

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

    /// Only the counts, in memory that the caller keeps: for loops in which nothing may be allocated, such as what-if
    /// questions by the thousand. [`Scaler::decide`] finds the same counts and explains them.
    ///
    /// Once a workspace has seen a problem, others of at most that size are decided without allocating.
    ///
    /// ```
    /// # use smo_core::scaling::{ExactScaler, ScalingProblem, ScalingWorkspace};
    /// let mut workspace = ScalingWorkspace::default();
    /// let problem = ScalingProblem::default();
    /// let counts = ExactScaler::new().counts(&problem, &mut workspace)?;
    /// assert!(counts.is_some_and(|counts| counts.replicas.is_empty() && counts.is_optimal()));
    /// # Ok::<(), smo_core::scaling::ScalingError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScalingError::InvalidProblem`] with every fault of the question. Where no counts were found, the answer is `None`;
    /// [`Scaler::decide`] then says which service lacks what.
    pub fn counts<'w>(
        &self,
        problem: &ScalingProblem,
        workspace: &'w mut ScalingWorkspace,
    ) -> Result<Option<ScalingCounts<'w>>, ScalingError> {
        let faults = problem.faults();
        if !faults.is_empty() {
            return Err(ScalingError::InvalidProblem(Faults(faults)));
        }
        workspace.dense.fill(problem, Wanted::Load);
        let solved = workspace.solve(self.max_nodes);
        let workspace = &*workspace;
        Ok(solved.found.then(|| ScalingCounts {
            replicas: &workspace.replicas,
            value: workspace.dense.value(&workspace.replicas),
            bound: Value::from_units(solved.bound),
        }))
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
        let mut workspace = ScalingWorkspace::default();
        workspace.dense.fill(problem, wanted);
        let solved = workspace.solve(self.max_nodes);
        let (dense, replicas) = (&workspace.dense, &workspace.replicas);
        if solved.found {
            return Ok(ScalingDecision::Scale(Targets {
                scaler: scaler.to_owned(),
                value: Some(dense.value(replicas)),
                bound: Some(Value::from_units(solved.bound)),
                services: targets(problem, dense, replicas, wanted),
            }));
        }
        let (replace, replicas) = diagnose::fill(problem, dense, wanted, scaler, solved.proved);
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

/// Counts without an explanation, in the memory of a [`ScalingWorkspace`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScalingCounts<'w> {
    /// How many replicas run: a number for every cluster of every service, in the order of the problem.
    pub replicas: &'w [u32],
    /// What they are worth, less being better.
    pub value: Value,
    /// No counts are worth less than this.
    pub bound: Value,
}

impl ScalingCounts<'_> {
    /// True when no counts are better, which is proved in integers.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.value == self.bound
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
