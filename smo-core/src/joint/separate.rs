//! The way without this module, to compare with: counts first, by where replicas run today, then their placement.

use super::decision::{JointDecision, JointOutcome, Overload};
use super::{JointError, JointProblem};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{Outcome, Placer, decide};

/// Scales every service by what its replicas carry where they run now (the slowest cluster deciding; where none runs, by
/// [`super::ElasticService::throughput`]), and then places these counts. The answer may overload a service that moves to a
/// slower cluster ([`JointDecision::overloaded`]).
///
/// # Errors
/// As [`super::decide_jointly`].
pub fn scale_then_place(placer: &dyn Placer, problem: &JointProblem) -> Result<JointOutcome, JointError> {
    problem.validate()?;
    let mut counted = problem.placement.clone();
    let mut overloads = Vec::new();
    for (service, elastic) in &problem.loads {
        let running = running_on(problem, service);
        let measured = running.map(|cluster| elastic.throughput_on(cluster));
        let measured = measured.min_by_key(|throughput| throughput.capacity(elastic.max));
        let measured = measured.unwrap_or(elastic.throughput);
        let needed = measured
            .needed(elastic.load)
            .map(|needed| needed.max(elastic.min));
        match (
            needed.filter(|needed| *needed <= elastic.max),
            counted.services.get_mut(service),
        ) {
            (Some(needed), Some(demand)) => demand.replicas = needed,
            (None, _) => overloads.push(Overload::new(service, elastic, measured.capacity(elastic.max))),
            (Some(_), None) => {}
        }
    }
    if !overloads.is_empty() {
        return Ok(JointOutcome::Overloaded(overloads));
    }
    Ok(match decide(placer, &counted)? {
        Outcome::Placed(decision) => JointOutcome::Decided(JointDecision::new(problem, decision, 1, false)),
        Outcome::Infeasible(diagnosis) => JointOutcome::Infeasible(diagnosis),
    })
}

fn running_on<'p>(problem: &'p JointProblem, service: &ServiceKey) -> impl Iterator<Item = &'p ClusterName> {
    let current = problem.placement.current.get(service);
    current.into_iter().flat_map(|assignment| assignment.clusters())
}
