//! First fit: every service, in order, on the first cluster that takes it.

use super::grid::{Grid, Layout};
use super::rules::{Accelerator, Ready, Rule};
use super::{
    Answer, Assignment, PlaceContext, Placement, PlacementError, PlacementProblem, Placer, Proof, Work,
    verify, whole,
};

/// Puts every service, in the order of the problem, on the first cluster that still takes it. Fast, without proof; it
/// never goes back on a choice, so it may miss placements that exist. A service that may be split puts as many replicas on
/// each cluster as it takes, or one a round where they have to spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FirstFit {
    smo: bool,
}

impl FirstFit {
    /// Looks at every rule, links to services that are already placed included.
    #[must_use]
    pub const fn new() -> Self {
        Self { smo: false }
    }

    /// The predecessor's: counts cpu, asks for the accelerator flag, and gives up at once when the largest demand is
    /// larger than the largest cluster, or all demands together are larger than all clusters together. It does not look at
    /// other rules; when its result breaks one, it has found no placement.
    #[must_use]
    pub const fn smo() -> Self {
        Self { smo: true }
    }
}

impl Placer for FirstFit {
    fn name(&self) -> &str {
        if self.smo { "first fit (smo)" } else { "first fit" }
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        let mut work = Work::default();
        let found = if self.smo {
            match by_cpu(context.problem, &mut work) {
                // Replicas that split may fit where all together do not, and capacity may be a wish.
                Err(TooMuch) => {
                    let proved = !context.problem.is_coupled();
                    return Ok(Answer::NotFound { proved, work });
                }
                Ok(found) => found.filter(|placement| verify(context.problem, placement).is_empty()),
            }
        } else if context.problem.is_coupled() {
            whole::first_fit(context.problem, &mut work)
        } else {
            by_every_rule(&Grid::new(context.problem)?, &mut work)
        };
        Ok(answer(found, work))
    }
}

/// A heuristic's answer: a placement without a bound, or none without a proof.
pub(super) fn answer(found: Option<Placement>, work: Work) -> Answer {
    match found {
        Some(placement) => Answer::Found {
            placement,
            bound: None,
            proof: Proof::None,
            work,
        },
        None => Answer::NotFound { proved: false, work },
    }
}

fn by_every_rule(grid: &Grid<'_>, work: &mut Work) -> Option<Placement> {
    let mut layout = Layout::new(grid);
    for (index, item) in grid.items.iter().enumerate() {
        let takes = |cluster: &&usize| {
            work.pairs += 1;
            layout.fits(index, **cluster)
        };
        let cluster = *item.domain.iter().find(takes)?;
        layout.put(index, cluster);
    }
    grid.placement(&layout.complete()?)
}

/// The demands exceed the capacities whatever goes where.
struct TooMuch;

/// The predecessor's first fit.
fn by_cpu(problem: &PlacementProblem, work: &mut Work) -> Result<Option<Placement>, TooMuch> {
    let cpu_of = |service: &super::ServiceDemand| {
        let per_replica = service.per_replica.cpu().millicores();
        u128::from(per_replica) * u128::from(service.replicas)
    };
    let mut left: Vec<u128> = problem
        .clusters
        .values()
        .map(|supply| u128::from(supply.capacity.cpu().millicores()))
        .collect();
    let demands = || problem.services.values().map(cpu_of);
    let largest_fits = demands().max().unwrap_or(0) <= left.iter().copied().max().unwrap_or(0);
    let sum = |amounts: &mut dyn Iterator<Item = u128>| amounts.fold(0, u128::saturating_add);
    if !largest_fits || sum(&mut demands()) > sum(&mut left.iter().copied()) {
        return Err(TooMuch);
    }
    let mut placement = Placement::new();
    for (service, demand) in &problem.services {
        let need = cpu_of(demand);
        let mut found = None;
        for (cluster, left) in problem.clusters.keys().zip(&mut left) {
            work.pairs += 1;
            let Some(pair) = problem.pair(service, cluster) else {
                continue;
            };
            let eligible = Ready.forbids(&pair).is_none() && Accelerator.forbids(&pair).is_none();
            if eligible && need <= *left {
                *left -= need;
                found = Some(cluster);
                break;
            }
        }
        let Some(cluster) = found else { return Ok(None) };
        placement.set(
            service.clone(),
            Assignment::single(cluster.clone(), demand.replicas),
        );
    }
    Ok(Some(placement))
}
