//! First fit where rules look at several services or clusters at once: replicas go where no rule that only gets worse is
//! broken, and the finished placement is checked.

use super::rules::{Demand, Rule, stays};
use super::{Assignment, Goal, Placement, PlacementProblem, Work, verify};
use crate::id::{ClusterName, ServiceKey};

impl PlacementProblem {
    /// True when a goal of the host says more than what one replica adds on a cluster.
    pub(super) fn has_coupled_goals(&self) -> bool {
        self.measures.iter().any(|goal| goal.get().couples())
    }

    /// True when code of the host may make a placement worth less than all that is counted without it: goals that look at everything, and wishes
    /// that are rewarded for being broken.
    pub(super) fn has_code_below(&self) -> bool {
        let rewarded = self.goals.weight(Goal::Preference).millionths() < 0;
        self.has_coupled_goals() || rewarded && self.rules.iter().any(|rule| rule.get().priced(self))
    }

    /// True when a rule that is not about capacity or the limits of links looks at more than one service or cluster, or a
    /// service may be split, or what would be such a limit costs points: what the search by number does not know.
    pub(super) fn is_coupled(&self) -> bool {
        let by_number = ["capacity", "latency"];
        self.services
            .values()
            .any(|demand| demand.is_split() && demand.replicas > 1)
            || self
                .every_rule()
                .any(|rule| rule.priced(self) || rule.couples(self) && !by_number.contains(&rule.name()))
    }
}

/// Every service, in order, on the first of its clusters that takes it, in the order of the problem.
pub(super) fn first_fit(problem: &PlacementProblem, work: &mut Work) -> Option<Placement> {
    fit(
        problem,
        |_, service| problem.open_clusters(service).collect(),
        work,
    )
}

/// Every service, in order, on the first of its clusters in `order` that takes it; a service that may be split puts as many
/// replicas there as it takes. `order` sorts the clusters that no rule forbids.
pub(super) fn fit<'a>(
    problem: &'a PlacementProblem,
    order: impl Fn(&Placement, &'a ServiceKey) -> Vec<&'a ClusterName>,
    work: &mut Work,
) -> Option<Placement> {
    let mut placement = Placement::new();
    for (service, demand) in problem.services.iter().filter(|(_, demand)| demand.replicas > 0) {
        let clusters = order(&placement, service);
        let mut left = demand.replicas;
        let mut assignment = Assignment::default();
        // What is final begins where it is.
        if let Some(now) = stays(problem, service, demand)
            && demand.is_split()
            && now.replicas() <= demand.replicas
        {
            assignment = now.clone();
            left -= now.replicas();
            placement.set(service.clone(), now.clone());
            if !keeps(problem, &placement, service) {
                return None;
            }
        }
        // One replica a round where they have to spread, so that they do.
        let spreads = demand.is_split() && (!demand.spread.is_empty() || demand.high_availability.is_some());
        while left > 0 {
            let before = left;
            for cluster in &clusters {
                let most = if spreads { 1 } else { left };
                let least = if demand.is_split() { 1 } else { left };
                let mut here = most.min(left);
                while here >= least && here > 0 {
                    work.pairs += 1;
                    let there = assignment.on(cluster) + here;
                    let tried = assignment
                        .iter()
                        .filter(|(name, _)| name != cluster)
                        .map(|(name, replicas)| (name.clone(), replicas));
                    let tried: Assignment = tried.chain([((*cluster).clone(), there)]).collect();
                    placement.set(service.clone(), tried.clone());
                    if keeps(problem, &placement, service) {
                        assignment = tried;
                        left -= here;
                        break;
                    }
                    here /= 2;
                }
                placement.set(service.clone(), assignment.clone());
                if left == 0 {
                    break;
                }
            }
            if left == before {
                return None;
            }
        }
    }
    verify(problem, &placement).is_empty().then_some(placement)
}

/// True when no hard rule is broken that more replicas can only break more. The missing replicas of `growing` and of the
/// services to come break none of those, nor do too few domains, an uneven spread, or a group that is not complete.
fn keeps(problem: &PlacementProblem, placement: &Placement, growing: &ServiceKey) -> bool {
    use super::{Breach, SpreadFault};
    let hard = problem.hard_rules().filter(|rule| rule.name() != Demand.name());
    let whole = |service: &ServiceKey| {
        let demand = problem.services.get(service);
        demand.is_none_or(|demand| {
            placement
                .get(service)
                .is_some_and(|assignment| assignment.replicas() >= demand.replicas)
        })
    };
    hard.flat_map(|rule| rule.breaches(problem, placement))
        .filter(|breach| breach.price().is_none())
        .all(|breach| match breach {
            Breach::Spread { service, fault, .. } => match fault {
                SpreadFault::TooMany { .. } | SpreadFault::Outside { .. } => false,
                SpreadFault::TooFew { .. } | SpreadFault::Skew { .. } => {
                    service == *growing && !whole(&service)
                }
            },
            Breach::NotAvailable { service, .. } | Breach::Moved { service, .. } => {
                service == *growing && !whole(&service)
            }
            Breach::Apart { one, other, .. } => !whole(&one) || !whole(&other),
            Breach::OverBudget { .. } | Breach::Spoils { .. } | Breach::Custom { .. } => {
                // What is yet to come may lower these: only the finished placement is judged by them.
                true
            }
            _ => false,
        })
}
