//! What a cluster costs when a service has to run there and everything else is decided again.

use super::asker::Asker;
use super::{Edit, Precision, Price, Relocation};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::{Labels, Pinning, Rule, Spreading};
use crate::placement::{
    Breach, Decision, DomainKey, LabelRequirement, PlacementError, PlacementProblem, Reason, ServiceDemand,
    Solved, Spread, evaluate, verify,
};

/// A price, and what is in the way while the rest stays.
pub(super) struct Forced<'a, 'w> {
    pub(super) asker: &'a Asker<'w>,
    pub(super) problem: &'a PlacementProblem,
    pub(super) decision: &'a Decision,
}

impl Forced<'_, '_> {
    /// The price of a cluster for all replicas of a service. `None` where each rule that says so is only wished.
    pub(super) fn whole(
        &self,
        service: &ServiceKey,
        cluster: &ClusterName,
        reason: Option<Reason>,
    ) -> Result<Option<Price>, PlacementError> {
        let asked = |rule: &dyn Rule| !self.problem.soft.contains_key(rule.name());
        let narrower = if asked(&Pinning) {
            self.problem.edited(&[Edit::Pin {
                service: service.clone(),
                clusters: std::iter::once(cluster.clone()).collect(),
            }])?
        } else if asked(&Labels) {
            labelled(self.problem, cluster, service, |demand, key| {
                demand.labels.push(LabelRequirement::In {
                    key,
                    values: std::iter::once(THERE.to_owned()).collect(),
                });
            })
        } else {
            return Ok(None);
        };
        let about = format!("{} on {cluster}", service.service);
        self.price(&about, service, &narrower, reason).map(Some)
    }

    /// The price of a cluster for one replica or more of a service that may be split, given that of all: the replicas run
    /// there and elsewhere, or all there. `None` where the rule that says so is only wished.
    pub(super) fn one(
        &self,
        service: &ServiceKey,
        cluster: &ClusterName,
        whole: &Price,
        reason: Option<Reason>,
    ) -> Result<Option<Price>, PlacementError> {
        if self.problem.soft.contains_key(Spreading.name()) {
            return Ok(None);
        }
        let about = format!("a replica of {} on {cluster}", service.service);
        let two_groups = labelled(self.problem, cluster, service, |demand, key| {
            demand.spread.push(Spread {
                key: DomainKey::Label(key),
                min_groups: Some(2),
                ..Spread::default()
            });
        });
        let apart = self.price(&about, service, &two_groups, reason)?;
        Ok(Some(cheaper(apart, whole)))
    }

    /// What the best placement of a narrower question costs more, in terms of the real one.
    fn price(
        &self,
        about: &str,
        service: &ServiceKey,
        narrower: &PlacementProblem,
        reason: Option<Reason>,
    ) -> Result<Price, PlacementError> {
        let solution = match self.asker.solve(about, narrower)? {
            Solved::Found(solution) => solution,
            Solved::NotFound { proved, .. } => {
                return Ok(Price::NoRoom {
                    proved: proved && self.asker.is_infeasible(narrower)?,
                    reason,
                });
            }
        };
        // A service that may run on one cluster only is spread evenly there; one that may run elsewhere is not.
        let breaches = verify(self.problem, &solution.placement);
        if !breaches.is_empty() {
            let of_it =
                |breach: &Breach| matches!(breach, Breach::Spread { service: who, .. } if who == service);
            return Ok(Price::NoRoom {
                proved: breaches.iter().all(of_it),
                reason,
            });
        }
        let overflow = || PlacementError::Overflow {
            service: service.clone(),
        };
        // The same where spread is only wished: that counts in the real question.
        let (totals, real) = evaluate(self.problem, &solution.placement)?;
        let (_, narrow) = evaluate(narrower, &solution.placement)?;
        let value = solution.value.plus(real.minus(narrow));
        let by_goal = totals.checked_sub(&self.decision.totals).ok_or_else(overflow)?;
        let exact = solution.is_optimal() && self.decision.bound == Some(self.decision.value);
        let along = Relocation::between(self.problem, &self.decision.placement, &solution.placement);
        Ok(Price::Costs {
            difference: value.minus(self.decision.value),
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
}

/// The value of the label on the cluster that is asked about.
const THERE: &str = "yes";

/// The question with a label that only one cluster has that value of, and a service that asks for something about it.
fn labelled(
    problem: &PlacementProblem,
    cluster: &ClusterName,
    service: &ServiceKey,
    ask: impl FnOnce(&mut ServiceDemand, String),
) -> PlacementProblem {
    let mut narrower = problem.clone();
    let mut label = "there".to_owned();
    while problem
        .clusters
        .values()
        .any(|supply| supply.labels.contains_key(&label))
    {
        label.push('\'');
    }
    for (name, supply) in &mut narrower.clusters {
        let there = if name == cluster { THERE } else { "no" };
        supply.labels.insert(label.clone(), there.to_owned());
    }
    if let Some(demand) = narrower.services.get_mut(service) {
        ask(demand, label);
    }
    narrower
}

/// The cheaper of two ways; as precise as both are.
fn cheaper(one: Price, other: &Price) -> Price {
    let settled = |price: &Price| {
        matches!(
            price,
            Price::Forbidden(_)
                | Price::NoRoom { proved: true, .. }
                | Price::Costs {
                    precision: Precision::Exact,
                    ..
                }
        )
    };
    let both = settled(&one) && settled(other);
    let best = match (one.difference(), other.difference()) {
        (Some(of_one), Some(of_other)) if of_other < of_one => other.clone(),
        (None, Some(_)) => other.clone(),
        _ => one,
    };
    match best {
        Price::Costs {
            difference,
            by_goal,
            precision: Precision::Exact,
            along,
        } if !both => Price::Costs {
            difference,
            by_goal,
            precision: Precision::Decided,
            along,
        },
        Price::NoRoom { reason, .. } => Price::NoRoom { proved: both, reason },
        best => best,
    }
}
