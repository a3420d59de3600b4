//! Why a placement is what it is, in full: every other cluster of every service with its price, all else decided again.

use indexmap::IndexMap;
use serde::Serialize;

use super::Relocation;
use super::asker::{AskWatch, Asker, watched};
use super::binding::{Binding, binding, candidates};
use super::forced::Forced;
use super::within::Effort;
use crate::id::{ClusterName, ServiceKey};
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

    /// The same as a price of something easier.
    fn at_most(&self) -> Self {
        match self {
            Self::Costs {
                difference,
                by_goal,
                along,
                ..
            } => Self::Costs {
                difference: *difference,
                by_goal: *by_goal,
                precision: Precision::AtMost,
                along: along.clone(),
            },
            Self::NoRoom { reason, .. } => Self::NoRoom {
                proved: false,
                reason: reason.clone(),
            },
            other => other.clone(),
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
    /// Every other cluster, in the order of the fleet: what it costs when the service runs there, or, where its replicas may be
    /// split, when at least one of them does.
    pub others: IndexMap<ClusterName, Price>,
    /// Where its replicas may be split: the same clusters, with what it costs when all replicas run there.
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub whole: IndexMap<ClusterName, Price>,
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
    /// True when the one who watched ended it.
    pub stopped: bool,
}

/// Questions to the placer for one explanation.
pub const DEFAULT_EXPLANATION_QUESTIONS: u64 = 400;

/// Explains a decision: for every service, each other cluster with the first rule that forbids it, or with what it costs
/// when the service is pinned there and everything else is decided again; what binds; and totals before and after. Where
/// replicas may be split, a cluster has two prices: of at least one replica there, and of all of them.
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
    explain_in_full_watched(placer, problem, decision, questions, &mut |_| true)
}

/// As [`explain_in_full`], with `watch` told of every question to the placer. Once it says `false` the rest is as if not asked
/// for lack of questions.
///
/// # Errors
/// As [`explain_in_full`].
pub fn explain_in_full_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    decision: &Decision,
    questions: u64,
    watch: &mut AskWatch<'_>,
) -> Result<FullExplanation, PlacementError> {
    watched("why here", placer, watch, |asker| {
        explained(asker, problem, decision, questions)
    })
}

fn explained(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    decision: &Decision,
    questions: u64,
) -> Result<FullExplanation, PlacementError> {
    let (mut services, open) = prices_alone(problem, decision);
    let candidates = candidates(problem, decision);
    let for_binding = questions.div_ceil(2).min(candidates.len() as u64);
    let for_prices = open
        .iter()
        .map(|(_, _, service, _)| price_of_price(&services, service))
        .sum();
    asker.expect(for_binding + (questions - for_binding).min(for_prices));
    let mut effort = Effort(for_binding);
    let (mut binding, all_tried) = binding(asker, problem, decision, candidates, &mut effort)?;
    binding.sort_by_key(|binding| std::cmp::Reverse(binding.gain));
    let mut effort = Effort(questions - for_binding);
    let mut complete = all_tried;
    let forced = Forced {
        asker,
        problem,
        decision,
    };
    for (_, _, service, cluster) in open {
        let questions = price_of_price(&services, &service);
        let Some(choice) = services.get_mut(&service) else {
            continue;
        };
        if asker.is_stopped() || !(0..questions).all(|_| effort.take()) {
            complete = false;
            break;
        }
        let reason = match choice.others.get(&cluster) {
            Some(Price::NotAsked(reason)) => Some(reason.clone()),
            _ => None,
        };
        let Some(mut whole) = forced.whole(&service, &cluster, reason.clone())? else {
            complete = false;
            continue;
        };
        let mut told = vec![(&mut choice.others, whole.clone())];
        if let Some(all) = choice.whole.get(&cluster) {
            if is_cut_off(asker, &whole) {
                whole = all.clone();
            }
            let one = forced.one(&service, &cluster, &whole, reason)?;
            let price = one.unwrap_or_else(|| whole.at_most());
            told = vec![(&mut choice.others, price), (&mut choice.whole, whole)];
        }
        for (prices, price) in told {
            if is_cut_off(asker, &price) {
                complete = false;
            } else {
                prices.insert(cluster.clone(), price);
            }
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
        stopped: asker.is_stopped(),
    })
}

/// How many questions a cluster of a service takes: one for all replicas, and one for one of them.
fn price_of_price(services: &IndexMap<ServiceKey, ServiceChoice>, service: &ServiceKey) -> u64 {
    let is_split = services
        .get(service)
        .is_some_and(|choice| !choice.whole.is_empty());
    1 + u64::from(is_split)
}

/// True where a search was ended before it found anything, which says nothing.
fn is_cut_off(asker: &Asker<'_>, price: &Price) -> bool {
    asker.is_stopped() && matches!(price, Price::NoRoom { proved: false, .. })
}

/// A cluster to ask about: its rank among those of its service, its price while all else stays, and what it is.
type Open = (usize, Value, ServiceKey, ClusterName);

/// Every service with the prices of moving it alone, and what can be asked about, the likeliest runners-up first.
fn prices_alone(
    problem: &PlacementProblem,
    decision: &Decision,
) -> (IndexMap<ServiceKey, ServiceChoice>, Vec<Open>) {
    let mut services: IndexMap<ServiceKey, ServiceChoice> = IndexMap::new();
    let mut open: Vec<Open> = Vec::new();
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
        let demand = problem.services.get(service);
        let is_split = demand.is_some_and(|demand| demand.is_split() && demand.replicas > 1);
        services.insert(
            service.clone(),
            ServiceChoice {
                chosen: explained.chosen.clone(),
                runner_up: None,
                whole: if is_split { others.clone() } else { IndexMap::new() },
                others,
                why: String::new(),
            },
        );
    }
    // A stable sort: services of one rank stay in the order of the question.
    open.sort_by_key(|(rank, ..)| *rank);
    (services, open)
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
