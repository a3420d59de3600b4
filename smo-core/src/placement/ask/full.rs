//! Why a placement is what it is, in full: every other cluster of every service with its price, all else decided again.

use indexmap::IndexMap;
use serde::Serialize;

use super::binding::{Binding, binding};
use super::within::Effort;
use super::{Edit, Relocation};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::decide::{Checked, checked, is_infeasible};
use crate::placement::rules::first_reason;
use crate::placement::{
    Alternative, Assignment, Decision, Placement, PlacementError, PlacementProblem, Placer, Reason,
    ServiceExplanation, Totals, Value, evaluate,
};

/// How far a price can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Precision {
    /// Both this placement and the one that was decided are proved to be the best of their kind.
    Exact,
    /// All else was decided again, without a proof: the price may be less.
    Decided,
    /// All else stays where it is: the price may be less if it were decided again.
    AtMost,
}

/// Another cluster for a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Price {
    /// A rule forbids it, whatever the other services do.
    Forbidden(Reason),
    /// No rule of its own forbids it, but the rest cannot be placed then.
    NoRoom {
        /// True when that is proved.
        proved: bool,
        /// What is in the way while the rest stays.
        reason: Option<Reason>,
    },
    /// What it costs more.
    Costs {
        /// By how much the value changes; positive is worse.
        difference: Value,
        /// The same for every goal.
        by_goal: Totals,
        /// How far that can be trusted.
        precision: Precision,
        /// The other services that would move with it.
        along: Vec<Relocation>,
    },
    /// Not asked: the effort went to other clusters. While the rest stays, this is in the way.
    NotAsked(Reason),
}

impl Price {
    /// What it costs more; `None` where it cannot be had, or nobody asked.
    #[must_use]
    pub fn difference(&self) -> Option<Value> {
        match self {
            Self::Costs { difference, .. } => Some(*difference),
            _ => None,
        }
    }
}

/// One service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceChoice {
    /// Where it runs.
    pub chosen: Assignment,
    /// The cheapest other cluster, if any is possible.
    pub runner_up: Option<ClusterName>,
    /// Every other cluster, in the order of the fleet.
    pub others: IndexMap<ClusterName, Price>,
    /// Why it runs there, in one short sentence.
    pub why: String,
}

/// Why a service runs where it runs, from the prices of the other clusters.
fn why(choice: &ServiceChoice, explained: &ServiceExplanation) -> String {
    let runner_up = choice.runner_up.as_ref();
    let price = runner_up.and_then(|name| Some((name, choice.others.get(name)?.difference()?)));
    match price {
        None => explained.why(),
        Some((name, difference)) if difference < Value::ZERO => format!("{name} would be better"),
        Some((name, Value::ZERO)) => format!("as good as {name}"),
        Some((name, _)) => format!("best; next {name}"),
    }
}

/// Why a placement is what it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FullExplanation {
    /// The decision that is explained.
    pub decision: Decision,
    /// What runs now costs, where the question says where services run; moves aside.
    pub before: Option<Totals>,
    /// Every service, in the order of the question.
    pub services: IndexMap<ServiceKey, ServiceChoice>,
    /// What would make a better placement possible if it were not there, the dearest first.
    pub binding: Vec<Binding>,
    /// True when nothing was left out: every cluster that rules allow was decided again, and every condition tried.
    pub complete: bool,
}

/// Questions to the placer for one explanation.
pub const DEFAULT_EXPLANATION_QUESTIONS: u64 = 400;

/// Explains a decision: for every service, each other cluster with the first rule that forbids it, or with what it costs
/// when the service is pinned there and everything else is decided again; what binds; and totals before and after.
///
/// Asks the placer up to `questions` times: half of them for what binds, the others for clusters, the most likely runner-up
/// of every service first. What is not asked has the price of moving that service alone, which is never too low.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn explain_in_full(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    decision: &Decision,
    questions: u64,
) -> Result<FullExplanation, PlacementError> {
    let mut effort = Effort(questions.div_ceil(2));
    let (mut binding, all_tried) = binding(placer, problem, decision, &mut effort)?;
    binding.sort_by_key(|binding| std::cmp::Reverse(binding.gain));
    let mut effort = Effort(questions / 2 + effort.0);
    let mut services: IndexMap<ServiceKey, ServiceChoice> = IndexMap::new();
    let mut open: Vec<(usize, Value, ServiceKey, ClusterName)> = Vec::new();
    for (service, explained) in &decision.explanation.services {
        let mut others = IndexMap::new();
        let mut likely: Vec<(Value, ClusterName)> = Vec::new();
        for (cluster, alternative) in &explained.alternatives {
            let pair = problem.pair(service, cluster);
            let price = match (pair.as_ref().and_then(first_reason), alternative) {
                (Some(reason), _) => Price::Forbidden(reason),
                (None, Alternative::Allowed { difference, by_goal }) => {
                    likely.push((*difference, cluster.clone()));
                    Price::Costs {
                        difference: *difference,
                        by_goal: *by_goal,
                        precision: Precision::AtMost,
                        along: Vec::new(),
                    }
                }
                (None, Alternative::Forbidden(reason)) => {
                    // Unknown prices come after all known ones.
                    likely.push((Value::from_units(i128::MAX), cluster.clone()));
                    Price::NotAsked(reason.clone())
                }
            };
            others.insert(cluster.clone(), price);
        }
        likely.sort();
        let ranked = likely.into_iter().enumerate();
        open.extend(ranked.map(|(rank, (price, cluster))| (rank, price, service.clone(), cluster)));
        services.insert(
            service.clone(),
            ServiceChoice {
                chosen: explained.chosen.clone(),
                runner_up: None,
                others,
                why: String::new(),
            },
        );
    }
    // A stable sort: services of one rank stay in the order of the question.
    open.sort_by_key(|(rank, ..)| *rank);
    let mut complete = all_tried;
    for (_, _, service, cluster) in open {
        if !effort.take() {
            complete = false;
            break;
        }
        let known = services
            .get_mut(&service)
            .and_then(|choice| choice.others.get_mut(&cluster));
        if let Some(known) = known {
            let reason = match known {
                Price::NotAsked(reason) => Some(reason.clone()),
                _ => None,
            };
            *known = forced(placer, problem, decision, &service, &cluster, reason)?;
        }
    }
    for (service, choice) in &mut services {
        let allowed = choice.others.iter();
        let allowed = allowed.filter_map(|(cluster, price)| Some((price.difference()?, cluster)));
        // `min_by_key` gives the first of equals.
        let best = allowed.min_by_key(|(difference, _)| *difference);
        choice.runner_up = best.map(|(_, cluster)| cluster.clone());
        if let Some(explained) = decision.explanation.services.get(service) {
            choice.why = why(choice, explained);
        }
    }
    Ok(FullExplanation {
        before: before(problem)?,
        decision: decision.clone(),
        services,
        binding,
        complete,
    })
}

/// What runs now costs by every goal, with nothing moved.
fn before(problem: &PlacementProblem) -> Result<Option<Totals>, PlacementError> {
    if problem.current.is_empty() {
        return Ok(None);
    }
    let placed = problem.current.iter();
    let known: Placement = placed
        .filter(|(service, _)| problem.services.contains_key(*service))
        .map(|(service, there)| (service.clone(), there.clone()))
        .collect();
    let still = PlacementProblem {
        current: known.clone(),
        ..problem.clone()
    };
    let (totals, _) = evaluate(&still, &known)?;
    Ok(Some(totals))
}

/// The price of a cluster for a service when everything else is decided again.
fn forced(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    decision: &Decision,
    service: &ServiceKey,
    cluster: &ClusterName,
    reason: Option<Reason>,
) -> Result<Price, PlacementError> {
    let pinned = problem.edited(&[Edit::Pin {
        service: service.clone(),
        clusters: std::iter::once(cluster.clone()).collect(),
    }])?;
    let sound = match checked(placer, &pinned)? {
        Checked::Sound(sound) => sound,
        Checked::NotFound { proved } => {
            return Ok(Price::NoRoom {
                proved: proved && is_infeasible(&pinned)?,
                reason,
            });
        }
    };
    let overflow = || PlacementError::Overflow {
        service: service.clone(),
    };
    let by_goal = sound.totals.checked_sub(&decision.totals).ok_or_else(overflow)?;
    let exact = sound.is_optimal() && decision.bound == Some(decision.value);
    let along = Relocation::between(problem, &decision.placement, &sound.placement);
    Ok(Price::Costs {
        difference: sound.value.minus(decision.value),
        by_goal,
        precision: if exact {
            Precision::Exact
        } else {
            Precision::Decided
        },
        along: along
            .into_iter()
            .filter(|moved| moved.service != *service)
            .collect(),
    })
}
