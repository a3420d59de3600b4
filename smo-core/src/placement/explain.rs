//! Why a placement is what it is: for every service, what keeps it off every other cluster or what it would change.

use std::collections::BTreeMap;

use indexmap::IndexMap;

use super::evaluate::{Costs, totals};
use super::local::{Trial, Trials, has_code};
use super::rules::{Rule, first_own_reason, limited_links};
use super::{
    Alternative, Assignment, Breach, ClusterUse, Explanation, Goal, IntegerModel, LinkDemand, Placement,
    PlacementError, PlacementProblem, Reason, ServiceDemand, ServiceExplanation, Totals, Weight,
};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::{ResourceName, Resources};

/// Amounts that stop at the end of 64 bits instead of failing: a resource without a limit may be asked for without end.
type Used<'a> = BTreeMap<&'a ResourceName, u64>;

pub(super) fn explain(
    problem: &PlacementProblem,
    placement: &Placement,
) -> Result<Explanation, PlacementError> {
    let costs = Costs::new(problem);
    let mut used: BTreeMap<&ClusterName, Used<'_>> = BTreeMap::new();
    for (service, demand) in &problem.services {
        for (cluster, replicas) in placement.get(service).into_iter().flat_map(Assignment::iter) {
            let of_cluster = used.entry(cluster).or_default();
            for (resource, amount) in demand.per_replica.iter() {
                let sum = of_cluster.entry(resource).or_default();
                *sum = sum.saturating_add(amount.saturating_mul(u64::from(replicas)));
            }
        }
    }
    let mut explanation = Explanation::default();
    let mut links: BTreeMap<&ServiceKey, Vec<&LinkDemand>> = BTreeMap::new();
    for link in problem.links.iter().filter(|link| link.traffic.get() > 0) {
        for end in [&link.from, &link.to] {
            links.entry(end).or_default().push(link);
        }
    }
    let whole_goals = has_whole_goals(problem);
    let model = if whole_goals || !coupled(problem).is_empty() {
        IntegerModel::without_code(problem)
            .ok()
            .filter(|_| !has_code(problem))
    } else {
        None
    };
    let mut view = View {
        problem,
        placement,
        moved: placement.clone(),
        costs,
        used: &used,
        links: &links,
        trials: model.as_ref().and_then(|model| Trials::new(model, placement)),
        totals: if whole_goals {
            Some(totals(problem, placement)?)
        } else {
            None
        },
    };
    for (service, demand) in &problem.services {
        explanation
            .services
            .insert(service.clone(), view.service(service, demand)?);
    }
    for cluster in problem.clusters.keys() {
        explanation
            .clusters
            .insert(cluster.clone(), view.cluster(cluster)?);
    }
    Ok(explanation)
}

/// The hard rules about several services or clusters, but for room and limits of links.
fn coupled(problem: &PlacementProblem) -> Vec<&dyn Rule> {
    let aside = ["capacity", "latency"];
    let rules = problem.hard_rules();
    rules
        .filter(|rule| rule.couples(problem) && !aside.contains(&rule.name()))
        .collect()
}

/// True when a goal that counts looks at the placement as a whole.
fn has_whole_goals(problem: &PlacementProblem) -> bool {
    let counts = |goal| problem.goals.weight(goal) != Weight::default();
    let wishes = problem.every_rule().any(|rule| rule.priced(problem));
    counts(Goal::Balance)
        || counts(Goal::Consolidation)
        || counts(Goal::Preference) && (wishes || problem.has_coupled_goals())
}

struct View<'p, 'm> {
    problem: &'p PlacementProblem,
    placement: &'p Placement,
    /// The same, with the service in question elsewhere.
    moved: Placement,
    /// The links with traffic of each service.
    links: &'p BTreeMap<&'p ServiceKey, Vec<&'p LinkDemand>>,
    /// Tells what a service elsewhere would break and change, where rules or goals look at everything; `None` where arrays cannot say that.
    trials: Option<Trials<'m, 'p>>,
    /// The amounts of the placement, where a goal that counts needs it whole.
    totals: Option<Totals>,
    costs: Costs<'p>,
    used: &'p BTreeMap<&'p ClusterName, Used<'p>>,
}

impl View<'_, '_> {
    fn service(
        &mut self,
        service: &ServiceKey,
        demand: &ServiceDemand,
    ) -> Result<ServiceExplanation, PlacementError> {
        let overflow = || PlacementError::Overflow {
            service: service.clone(),
        };
        let chosen = self.placement.get(service).cloned().unwrap_or_default();
        let here = self.costs.service(service, demand, &chosen)?;
        let mut alternatives = IndexMap::new();
        let problem = self.problem;
        let others = problem.clusters.keys().filter(|cluster| chosen.on(cluster) == 0);
        for cluster in others.filter(|_| demand.replicas > 0) {
            let by_itself = self.forbidden_by_itself(service, demand, cluster);
            let trials = self.trials.as_mut().filter(|_| by_itself.is_none());
            let trial = trials.and_then(|trials| trials.of(service, cluster));
            let reason = by_itself.or_else(|| self.breaks(service, demand, cluster, trial.as_ref()));
            let alternative = if let Some(reason) = reason {
                Alternative::Forbidden(reason)
            } else if let Some(trial) = trial {
                let by_goal = self.counted(trial.change);
                let difference = problem.goals.worth(&by_goal).ok_or_else(overflow)?;
                Alternative::Allowed { difference, by_goal }
            } else {
                let moved = Assignment::single(cluster.clone(), demand.replicas);
                let there = self.costs.service(service, demand, &moved)?;
                let by_goal = there.checked_sub(&here).ok_or_else(overflow)?;
                let by_goal = self.with_others(service, moved, by_goal)?;
                let difference = self.problem.goals.worth(&by_goal).ok_or_else(overflow)?;
                Alternative::Allowed { difference, by_goal }
            };
            alternatives.insert(cluster.clone(), alternative);
        }
        let allowed = alternatives
            .iter()
            .filter_map(|(cluster, alternative)| match alternative {
                Alternative::Allowed { difference, .. } => Some((*difference, cluster)),
                Alternative::Forbidden(_) => None,
            });
        // `min_by_key` gives the first of equals.
        let runner_up = allowed
            .min_by_key(|(difference, _)| *difference)
            .map(|(_, cluster)| cluster.clone());
        let stays = !chosen.is_empty()
            && self
                .problem
                .current
                .get(service)
                .is_some_and(|now| here.moves == 0 && !now.is_empty());
        Ok(ServiceExplanation {
            chosen,
            stays,
            runner_up,
            alternatives,
        })
    }

    /// The change of every goal that counts, given that of the service alone.
    fn with_others(
        &mut self,
        service: &ServiceKey,
        moved: Assignment,
        alone: Totals,
    ) -> Result<Totals, PlacementError> {
        let overflow = || PlacementError::Overflow {
            service: service.clone(),
        };
        let links = self.links.get(service);
        if links.is_none() && self.totals.is_none() {
            return Ok(self.counted(alone));
        }
        let back = self.placement.get(service).cloned().unwrap_or_default();
        self.moved.set(service.clone(), moved);
        let changed = match self.totals {
            Some(before) => totals(self.problem, &self.moved)?.checked_sub(&before),
            None => {
                let links = || links.into_iter().flatten().copied();
                let before = self.costs.links(links(), self.placement)?;
                let after = self.costs.links(links(), &self.moved)?;
                let change = after.checked_sub(&before);
                change.and_then(|change| alone.checked_add(&change))
            }
        };
        self.moved.set(service.clone(), back);
        changed.map(|changed| self.counted(changed)).ok_or_else(overflow)
    }

    /// The goals that people know, and of the others those that count: a change of the rest is noise.
    fn counted(&self, mut change: Totals) -> Totals {
        let known = [Goal::Money, Goal::Carbon, Goal::Moves, Goal::Placements];
        for goal in Goal::ALL.into_iter().filter(|goal| !known.contains(goal)) {
            if self.problem.goals.weight(goal) == Weight::default() {
                change.set(goal, 0);
            }
        }
        change
    }

    /// A hard rule about several services or clusters that is broken when one service runs elsewhere.
    fn breaks(
        &mut self,
        service: &ServiceKey,
        demand: &ServiceDemand,
        cluster: &ClusterName,
        trial: Option<&Trial>,
    ) -> Option<Reason> {
        let reason = |breach: &Breach| Reason::Breaks {
            breach: breach.to_string(),
        };
        // a trial knows sums; what else is broken the rules say
        if let Some(trial) = trial.filter(|trial| !trial.is_broken) {
            return trial.over.as_ref().map(reason);
        }
        let problem = self.problem;
        let coupled = coupled(problem);
        if coupled.is_empty() {
            return None;
        }
        let back = self.placement.get(service).cloned().unwrap_or_default();
        let there = Assignment::single(cluster.clone(), demand.replicas);
        self.moved.set(service.clone(), there);
        let mut breaches = coupled
            .iter()
            .flat_map(|rule| rule.breaches_about(problem, &self.moved, service))
            .filter(|breach| breach.price().is_none());
        let found = breaches.next().map(|breach| reason(&breach));
        self.moved.set(service.clone(), back);
        found
    }

    /// The first rule in the way by itself, or by room and links, while every other service stays.
    fn forbidden_by_itself(
        &self,
        service: &ServiceKey,
        demand: &ServiceDemand,
        cluster: &ClusterName,
    ) -> Option<Reason> {
        let pair = self.problem.pair(service, cluster)?;
        let hard = |rule: &str| !self.problem.soft.contains_key(rule);
        first_own_reason(&pair)
            .or_else(|| self.too_full(demand, cluster).filter(|_| hard("capacity")))
            .or_else(|| {
                if !hard("latency") {
                    return None;
                }
                limited_links(self.problem, service).find_map(|(peer, limit)| {
                    let there = self.placement.get(peer)?;
                    let far = |peer_cluster: &&ClusterName| {
                        !limit.allows(self.problem.network.path(cluster, peer_cluster))
                    };
                    let peer_cluster = there.clusters().find(far)?;
                    Some(Reason::LinkTooLong {
                        peer: peer.clone(),
                        peer_cluster: Some(peer_cluster.clone()),
                        limit,
                        measured: self.problem.network.path(cluster, peer_cluster),
                    })
                })
            })
    }

    fn too_full(&self, demand: &ServiceDemand, cluster: &ClusterName) -> Option<Reason> {
        let supply = self.problem.clusters.get(cluster)?;
        let used = self.used.get(cluster);
        demand.per_replica.iter().find_map(|(resource, amount)| {
            let available = u128::from(supply.available(resource)?);
            let asked = u128::from(amount) * u128::from(demand.replicas)
                + u128::from(used.and_then(|used| used.get(resource)).copied().unwrap_or(0));
            let missing = asked
                .checked_sub(available)
                .filter(|missing| *missing > 0 && amount > 0)?;
            Some(Reason::Insufficient {
                resource: resource.clone(),
                missing: u64::try_from(missing).unwrap_or(u64::MAX),
            })
        })
    }

    fn cluster(&self, cluster: &ClusterName) -> Result<ClusterUse, PlacementError> {
        let mut services = Vec::new();
        let mut totals = Totals::default();
        for (service, assignment) in self.placement.iter().filter(|(_, there)| there.on(cluster) > 0) {
            let Some(demand) = self.problem.services.get(service) else {
                continue;
            };
            let amounts = self.costs.service(service, demand, assignment)?;
            totals = totals
                .checked_add(&amounts)
                .ok_or_else(|| PlacementError::Overflow {
                    service: service.clone(),
                })?;
            services.push(service.clone());
        }
        let used = self.used.get(cluster).into_iter().flatten();
        let used: Resources = used
            .map(|(resource, amount)| ((*resource).clone(), *amount))
            .collect();
        let capacity = self
            .problem
            .clusters
            .get(cluster)
            .map(|supply| supply.capacity.clone());
        Ok(ClusterUse {
            used,
            capacity: capacity.unwrap_or_default(),
            services,
            totals,
        })
    }
}
