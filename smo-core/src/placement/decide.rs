//! Asks a placer, checks what it says, and adds what everybody wants to know.

use super::diagnose::diagnose;
use super::explain::explain;
use super::grid::Grid;
use super::priority::decide_by_priority;
use super::rules::first_reason;
use super::{
    Answer, Decision, Exhaustive, FirstFit, FleetPlacer, MilpPlacer, Outcome, PlaceContext, Placement,
    PlacementError, PlacementProblem, Placer, Progress, Proof, Status, Totals, Value, Watch, Work, evaluate,
    verify,
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
    problem.validate()?;
    if problem.goals.then.is_empty() {
        decide_level(placer, problem)
    } else {
        decide_by_priority(placer, problem)
    }
}

/// Answers by the goals of the highest priority alone.
pub(super) fn decide_level(
    placer: &dyn Placer,
    problem: &PlacementProblem,
) -> Result<Outcome, PlacementError> {
    match answered(placer, problem)? {
        Checked::Sound(sound) => Ok(Outcome::Placed(sound.explained(placer, problem)?)),
        Checked::NotFound { proved } => {
            if proved {
                refute(placer, problem)?;
            }
            Ok(Outcome::Infeasible(diagnose(placer.name(), problem, proved)?))
        }
    }
}

/// A placement that keeps every rule, with its value recomputed.
#[derive(Debug, Clone)]
pub(crate) struct Sound {
    pub(crate) placement: Placement,
    pub(crate) totals: Totals,
    pub(crate) value: Value,
    pub(crate) bound: Option<Value>,
    pub(crate) proof: Proof,
    pub(crate) work: Work,
}

impl Sound {
    pub(crate) fn is_optimal(&self) -> bool {
        self.bound == Some(self.value)
    }

    /// With everything that a decision adds.
    pub(super) fn explained(
        self,
        placer: &dyn Placer,
        problem: &PlacementProblem,
    ) -> Result<Decision, PlacementError> {
        Ok(Decision {
            placer: placer.name().to_owned(),
            explanation: explain(problem, &self.placement)?,
            status: if self.is_optimal() {
                Status::Optimal
            } else {
                Status::Feasible
            },
            placement: self.placement,
            value: self.value,
            bound: self.bound,
            proof: self.proof,
            totals: self.totals,
            levels: Vec::new(),
            work: self.work,
        })
    }
}

/// What a placer said, as far as it can be checked without searching.
#[derive(Debug)]
pub(crate) enum Checked {
    Sound(Box<Sound>),
    /// It found nothing; `proved` is only its own claim.
    NotFound {
        proved: bool,
    },
}

/// Decides without explanations and diagnoses.
pub(crate) fn checked(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Checked, PlacementError> {
    problem.validate()?;
    if problem.goals.then.is_empty() {
        return answered(placer, problem);
    }
    Ok(match decide_by_priority(placer, problem)? {
        Outcome::Placed(decision) => Checked::Sound(Box::new(Sound {
            placement: decision.placement,
            totals: decision.totals,
            value: decision.value,
            bound: decision.bound,
            proof: decision.proof,
            work: decision.work,
        })),
        Outcome::Infeasible(diagnosis) => Checked::NotFound {
            proved: diagnosis.proved,
        },
    })
}

/// Asks a placer and checks its placement and its bound.
fn answered(placer: &dyn Placer, problem: &PlacementProblem) -> Result<Checked, PlacementError> {
    Ok(answered_with_work(placer, problem)?.0)
}

/// The same, with the work that it took to find a placement or none.
pub(super) fn answered_with_work(
    placer: &dyn Placer,
    problem: &PlacementProblem,
) -> Result<(Checked, Work), PlacementError> {
    match placer.place(&PlaceContext { problem })? {
        Answer::Found {
            placement,
            bound,
            proof,
            work,
        } => {
            let placement = in_order(problem, placement);
            let faults: Vec<String> = verify(problem, &placement)
                .iter()
                .map(ToString::to_string)
                .collect();
            if !faults.is_empty() {
                return Err(wrong(placer, faults));
            }
            let (totals, value) = evaluate(problem, &placement)?;
            if let Some(bound) = bound.filter(|bound| *bound > value) {
                let fault = format!("it claims that nothing is below {bound}, and found {value}");
                return Err(wrong(placer, vec![fault]));
            }
            let sound = Box::new(Sound {
                placement,
                totals,
                value,
                bound,
                proof: if bound.is_some() { proof } else { Proof::None },
                work,
            });
            Ok((Checked::Sound(sound), work))
        }
        Answer::NotFound { proved, work } => Ok((Checked::NotFound { proved }, work)),
    }
}

fn wrong(placer: &dyn Placer, faults: Vec<String>) -> PlacementError {
    PlacementError::WrongAnswer {
        placer: placer.name().to_owned(),
        faults,
    }
}

/// The same placement in the order of the problem; what the problem does not have comes last.
fn in_order(problem: &PlacementProblem, placement: Placement) -> Placement {
    let known = problem.services.keys().filter_map(|service| {
        placement
            .get(service)
            .map(|assignment| (service.clone(), assignment.clone()))
    });
    let unknown = placement
        .iter()
        .filter(|(service, _)| !problem.services.contains_key(*service));
    let unknown = unknown.map(|(service, assignment)| (service.clone(), assignment.clone()));
    known.chain(unknown).collect()
}

/// A claim that nothing exists is wrong when something simple finds a placement.
pub(super) fn refute(placer: &dyn Placer, problem: &PlacementProblem) -> Result<(), PlacementError> {
    let context = PlaceContext { problem };
    if let Answer::Found { placement, .. } = FirstFit::new().place(&context)?
        && verify(problem, &placement).is_empty()
    {
        let fault = "it claims that no placement exists, and first fit finds one".to_owned();
        return Err(wrong(placer, vec![fault]));
    }
    Ok(())
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
            demand
                .total()
                .ok_or_else(|| PlacementError::Overflow { service: key.clone() })?;
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
