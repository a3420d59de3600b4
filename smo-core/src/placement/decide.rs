//! An answer with everything that people want to know: reasons, or a diagnosis.

use super::diagnose::diagnose;
use super::explain::explain;
use super::grid::Grid;
use super::rules::first_reason;
use super::solve::solve_asked;
use super::{
    Answer, Decision, Exhaustive, FleetPlacer, MilpPlacer, Outcome, PlaceContext, PlacementError,
    PlacementProblem, Placer, Progress, Solution, Solved, Watch,
};
use crate::id::suggestion;

/// Answers a placement question with `placer`, believing nothing it says: the placement is verified, its value
/// recomputed, its bound compared with the value, and a claim that no placement exists is checked again.
///
/// Goals with an order of priority are decided level by level ([`Decision::levels`]).
///
/// A problem without services has an empty placement; one without clusters is infeasible.
///
/// # Errors
/// [`PlacementError::InvalidProblem`] and [`PlacementError::Overflow`] for a problem that makes no sense,
/// [`PlacementError::WrongAnswer`] when the placer is wrong, [`PlacementError::Failed`] when it fails. No placement is
/// [`Outcome::Infeasible`].
pub fn decide(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Outcome, PlacementError> {
    let (solved, asked) = solve_asked(placer, problem)?;
    Ok(match solved {
        Solved::Found(solution) => Outcome::Placed(explained(*solution, placer, &asked)?),
        Solved::NotFound { proved, work } => {
            Outcome::Infeasible(diagnose(placer.name(), &asked, (proved, work))?)
        }
    })
}

/// With everything that a decision adds.
fn explained(
    solution: Solution,
    placer: &dyn Placer,
    problem: &PlacementProblem,
) -> Result<Decision, PlacementError> {
    Ok(Decision {
        placer: placer.name().to_owned(),
        explanation: explain(problem, &solution.placement)?,
        status: solution.status(),
        placement: solution.placement,
        value: solution.value,
        bound: solution.bound,
        proof: solution.proof,
        totals: solution.totals,
        levels: solution.levels,
        work: solution.work,
    })
}

/// What our own reference says about a problem in which first fit finds nothing.
pub(super) fn is_infeasible(problem: &PlacementProblem) -> Result<bool, PlacementError> {
    is_infeasible_watched(problem, &mut |_| true)
}

/// The same, told where the searches stand; nothing is infeasible once `watch` says to stop.
pub(super) fn is_infeasible_watched(
    problem: &PlacementProblem,
    watch: &mut Watch<'_>,
) -> Result<bool, PlacementError> {
    let grid = Grid::new(problem)?;
    if grid.items.iter().any(|item| item.domain.is_empty()) {
        return Ok(true);
    }
    drop(grid);
    let context = PlaceContext { problem };
    let mut stopped = false;
    let mut told = |progress: &Progress| {
        stopped = stopped || !watch(progress);
        !stopped
    };
    let mut answer = MilpPlacer::default().place_watched(&context, &mut told);
    if let Err(PlacementError::CannotExpress { .. }) = answer {
        answer = Exhaustive::default().place_watched(&context, &mut told);
    }
    match answer {
        Ok(Answer::NotFound { proved: true, .. }) => Ok(true),
        _ if stopped => Ok(false),
        Ok(Answer::NotFound { proved: false, .. }) | Err(PlacementError::CannotExpress { .. }) => {
            // What is too large for it prices may refute.
            let fleet = FleetPlacer::default().with_effort(REFUTING);
            let answer = fleet.place_watched(&context, watch)?;
            Ok(matches!(answer, Answer::NotFound { proved: true, .. }))
        }
        answer => answer.map(|_| false),
    }
}

/// The effort in which prices refute a problem that is too large for exact methods, or do not.
const REFUTING: u64 = 200_000_000;

impl PlacementProblem {
    /// Refuses a question that contradicts itself.
    ///
    /// # Errors
    /// [`PlacementError::InvalidProblem`] for a link of a service that the problem does not have, a service pinned to a
    /// cluster that the fleet does not have, a carbon profile that is no finite amount, a group of a service that the
    /// problem does not have, a rule softened that does not exist or cannot be, a negative price, a budget of points, and
    /// levels of priority within one;
    /// [`PlacementError::Overflow`] for a service that asks for more than 64 bits of a resource.
    pub fn validate(&self) -> Result<(), PlacementError> {
        let invalid = |message: String| Err(PlacementError::InvalidProblem(message));
        for (key, demand) in &self.services {
            if !demand.per_replica.fits_times(demand.replicas) {
                return Err(PlacementError::Overflow { service: key.clone() });
            }
            let pinned = demand.pinned.iter().flatten();
            if self.clusters.is_empty() {
                continue;
            }
            if let Some(unknown) = pinned.into_iter().find(|name| !self.clusters.contains_key(*name)) {
                let names = self.clusters.keys().map(|name| name.as_str());
                let hint = suggestion(unknown.as_str(), names);
                return invalid(format!(
                    "{key} is pinned to {unknown}, which is no cluster of the fleet{hint}"
                ));
            }
        }
        for link in &self.links {
            for end in [&link.from, &link.to] {
                if !self.services.contains_key(end) {
                    return invalid(format!(
                        "the link from {} to {} has an end that is no service of the problem: {end}",
                        link.from, link.to
                    ));
                }
            }
        }
        self.validate_constraints()?;
        for (cluster, supply) in &self.clusters {
            if supply.carbon.is_some_and(|profile| profile.per_core().is_none()) {
                return invalid(format!("the carbon profile of {cluster} is no finite amount"));
            }
        }
        Ok(())
    }

    /// The clusters that no rule forbids to a service, wherever the others run, in order.
    pub fn open_clusters<'a>(
        &'a self,
        service: &'a crate::id::ServiceKey,
    ) -> impl Iterator<Item = &'a crate::id::ClusterName> + 'a {
        self.clusters.keys().filter(move |cluster| {
            self.pair(service, cluster)
                .is_some_and(|pair| first_reason(&pair).is_none())
        })
    }
}
