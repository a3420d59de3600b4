//! The whole model as one mixed-integer model: replicas split, groups, budgets, links that cost, wishes.
//!
//! One binary variable a service and open cluster, and an integer one for its replicas where they may be split; every rule
//! and goal is linear in these and in variables of its own. What is a product, the traffic of a link between two clusters, is
//! written with one variable a pair of clusters, which takes that at most one end is split.

mod draft;
mod goals;
mod rules;

use super::MilpPlacer;
use super::run::PAIR;
use crate::milp::{Relation, SolveError, Solved};
use crate::placement::first_fit;
use crate::placement::teller::Teller;
use crate::placement::{
    Answer, Assignment, Exhaustive, Goal, IntegerModel, PlaceContext, Placement, PlacementError,
    PlacementProblem, Placer, Proof, Value, Weight, Work, evaluate, verify, whole,
};
use draft::{Draft, Terms, Var};

/// Placements that are tried where the solver gives up.
const FEW: u64 = 50_000;

/// True when the problem has more than services of one cluster, capacities and limits of links.
pub(super) fn is_needed(problem: &PlacementProblem) -> bool {
    let counts = |goal| problem.goals.weight(goal) != Weight::default();
    let traffic = problem.links.iter().any(|link| link.traffic.get() > 0);
    let egress = problem.clusters.values().any(|supply| !supply.egress.is_free());
    let of_links = traffic && (counts(Goal::Latency) || counts(Goal::Money) && egress);
    let of_whole = counts(Goal::Balance) || counts(Goal::Consolidation);
    problem.is_coupled() || of_links || of_whole || problem.has_coupled_goals()
}

/// The variables of one service, by position.
struct Columns {
    /// It uses the cluster.
    used: Vec<Var>,
    /// Its replicas there; `None` where it is not split.
    replicas: Vec<Option<Var>>,
}

/// The model while it is written.
struct Builder<'m, 'a> {
    model: &'m IntegerModel<'a>,
    draft: Draft,
    columns: Vec<Columns>,
}

impl<'m, 'a> Builder<'m, 'a> {
    fn new(model: &'m IntegerModel<'a>) -> Self {
        let mut draft = Draft::new();
        let mut columns = Vec::new();
        for service in &model.services {
            let used: Vec<Var> = service.open.iter().map(|_| draft.binary()).collect();
            let mut replicas = vec![None; used.len()];
            let all = i128::from(service.replicas);
            if service.split {
                let mut sum = Terms::new();
                for (used, slot) in used.iter().zip(&mut replicas) {
                    let there = draft.integer(all);
                    draft.row([(there, 1), (*used, -all)], Relation::AtMost, 0);
                    draft.row([(*used, 1), (there, -1)], Relation::AtMost, 0);
                    sum.push((there, 1));
                    *slot = Some(there);
                }
                draft.row(sum, Relation::Equal, all);
            } else {
                draft.row(used.iter().map(|used| (*used, 1)), Relation::Equal, 1);
            }
            columns.push(Columns { used, replicas });
        }
        Self {
            model,
            draft,
            columns,
        }
    }

    /// The position of a cluster among those open to a service.
    fn position(&self, service: usize, cluster: usize) -> Option<usize> {
        self.model
            .services
            .get(service)?
            .open
            .binary_search(&cluster)
            .ok()
    }

    /// The variable that is 1 where the service uses the cluster.
    fn used(&self, service: usize, cluster: usize) -> Option<Var> {
        let position = self.position(service, cluster)?;
        self.columns.get(service)?.used.get(position).copied()
    }

    /// `factor` times the replicas of the service on the cluster; `None` where it may not run there.
    fn replicas(&self, service: usize, cluster: usize, factor: i128) -> Option<(Var, i128)> {
        let position = self.position(service, cluster)?;
        let columns = self.columns.get(service)?;
        Some(match columns.replicas.get(position).copied().flatten() {
            Some(replicas) => (replicas, factor),
            None => {
                let all = self.model.services.get(service)?.replicas;
                (*columns.used.get(position)?, factor.checked_mul(all.into())?)
            }
        })
    }

    /// The clusters open to a service.
    fn open(&self, service: usize) -> &'m [usize] {
        self.model
            .services
            .get(service)
            .map_or(&[], |service| &service.open)
    }

    fn read(&self, values: &[f64]) -> Placement {
        let mut placement = Placement::new();
        for (service, columns) in self.model.services.iter().zip(&self.columns) {
            let mut assignment = Vec::new();
            for ((cluster, used), replicas) in service.open.iter().zip(&columns.used).zip(&columns.replicas) {
                let there = match replicas {
                    Some(replicas) => replicas.value(values),
                    None if used.value(values) > 0 => service.replicas,
                    None => 0,
                };
                if let Some(name) = self.model.clusters.get(*cluster) {
                    assignment.push(((*name).clone(), there));
                }
            }
            placement.set(service.key.clone(), Assignment::from_iter(assignment));
        }
        placement
    }
}

/// Settles the whole problem at once. What the solver says is read as a placement and judged in integers.
///
/// `teller` is asked before and after each step: a solver at work is not interrupted.
pub(super) fn place(
    placer: &MilpPlacer,
    problem: &PlacementProblem,
    mut teller: Teller<'_>,
) -> Result<Answer, PlacementError> {
    let model = IntegerModel::pose(problem, MilpPlacer::NAME)?;
    let mut builder = Builder::new(&model);
    builder.rules()?;
    builder.goals(problem)?;
    let mut work = Work {
        pairs: model
            .services
            .iter()
            .map(|service| service.open.len() as u64)
            .sum(),
        ..Work::default()
    };
    if builder.draft.is_contradictory() {
        return Ok(Answer::NotFound { proved: true, work });
    }
    let worth = |placement: &Placement| evaluate(problem, placement).map(|(_, value)| value);
    let greedy = whole::first_fit(problem, &mut work);
    teller.see(greedy.as_ref().and_then(|greedy| worth(greedy).ok()), None);
    if !teller.took(PAIR.saturating_mul(work.pairs)) || builder.draft.variables() > placer.max_variables() {
        return Ok(first_fit::answer(greedy, work));
    }
    let mixed = |backwards| {
        let mixed = builder.draft.finish(&model.weights, backwards);
        mixed.ok_or(PlacementError::TooLarge { goal: Goal::Money })
    };
    let forwards = mixed(false)?;
    work.variables = forwards.variables().len() as u64;
    work.constraints = forwards.constraints().len() as u64;
    let mut solved = placer.solver.solve(&forwards);
    // A solver that trips over its own rounding gets a second go from another start.
    if matches!(solved, Ok(Solved::GaveUp) | Err(SolveError::Failed { .. })) && teller.asked() {
        solved = placer.solver.solve(&mixed(true)?);
    }
    let solution = match solved {
        Ok(Solved::Infeasible) if greedy.is_none() => return Ok(Answer::NotFound { proved: true, work }),
        Ok(Solved::Unbounded) => return Err(placer.failed("it called a bounded model unbounded")),
        Ok(Solved::Solution(solution)) => solution,
        Err(error @ SolveError::InvalidModel(_)) => return Err(placer.failed(error)),
        // Numbers that are too far apart for its arithmetic are one more limit of a solver. What is small is tried whole.
        Ok(Solved::Infeasible | Solved::GaveUp) | Err(_) => {
            return try_all(problem, greedy, work, &mut teller);
        }
    };
    let found = builder.read(&solution.values);
    if !verify(problem, &found).is_empty() {
        // Off by rounding: nothing of it is believed.
        return Ok(first_fit::answer(greedy, work));
    }
    let value = worth(&found)?;
    let best: Option<(Value, Placement)> = match greedy {
        Some(greedy) => Some((worth(&greedy)?, greedy)).filter(|(known, _)| *known < value),
        None => None,
    };
    // A greedy placement that is better refutes the solver.
    if let Some((_, better)) = best {
        return Ok(first_fit::answer(Some(better), work));
    }
    teller.see(Some(value), solution.optimal.then_some(value));
    teller.asked();
    Ok(Answer::Found {
        placement: found,
        bound: solution.optimal.then_some(value),
        proof: Proof::Solver {
            solver: placer.solver.name().to_owned(),
        },
        work,
    })
}

/// Tries every placement of a small problem; the greedy one stands where there are more, or where trying ends before it is
/// bettered.
fn try_all(
    problem: &PlacementProblem,
    greedy: Option<Placement>,
    work: Work,
    teller: &mut Teller<'_>,
) -> Result<Answer, PlacementError> {
    let before = teller.work();
    if !teller.asked() {
        return Ok(first_fit::answer(greedy, work));
    }
    let tried =
        Exhaustive::default()
            .with_most(FEW)
            .place_watched(&PlaceContext { problem }, &mut |progress| {
                teller.see(progress.value, progress.bound);
                teller.reached(before.saturating_add(progress.work))
            });
    match (tried, greedy) {
        (Ok(Answer::NotFound { proved: false, .. }), greedy) => Ok(first_fit::answer(greedy, work)),
        (
            Ok(Answer::Found {
                placement,
                bound: None,
                ..
            }),
            Some(greedy),
        ) => {
            let worth = |placement: &Placement| evaluate(problem, placement).map(|(_, value)| value);
            let better = worth(&greedy)? < worth(&placement)?;
            let best = if better { greedy } else { placement };
            Ok(first_fit::answer(Some(best), work))
        }
        (tried, greedy) => Ok(tried.unwrap_or_else(|_| first_fit::answer(greedy, work))),
    }
}
