//! What a placement is worth, goal by goal, in checked integers.

use super::goals::{Facts, Measure};
use super::rules::Pair;
use super::{
    Assignment, Goal, Goals, LinkDemand, Placement, PlacementError, PlacementProblem, ServiceDemand, Totals,
    Value,
};
use crate::cluster::CarbonProfile;
use crate::id::{ClusterName, ServiceKey};

/// The amounts of every goal for one problem.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs<'a> {
    facts: Facts<'a>,
}

impl<'a> Costs<'a> {
    pub(crate) fn new(problem: &'a PlacementProblem) -> Self {
        Self {
            facts: Facts::new(problem),
        }
    }

    pub(crate) fn facts(&self) -> &Facts<'a> {
        &self.facts
    }

    /// What a cluster emits; where nobody knows, what the worst known cluster emits.
    pub(crate) fn carbon_profile(&self, cluster: &ClusterName) -> Option<CarbonProfile> {
        let supply = self.facts.problem.clusters.get(cluster)?;
        supply.carbon.or(self.facts.worst_carbon)
    }

    /// The amounts of one service that runs at `assignment`, whatever the other services do.
    pub(crate) fn service(
        &self,
        service: &ServiceKey,
        demand: &ServiceDemand,
        assignment: &Assignment,
    ) -> Result<Totals, PlacementError> {
        let pairs = self.pairs(service, demand, assignment);
        self.amounts(service, demand, (assignment, &pairs))
    }

    /// What one service is worth with all its replicas on one cluster of the problem; `None` when that does not fit. Goals that do
    /// not count are not looked at.
    pub(crate) fn worth_on(&self, pair: &Pair<'_>) -> Option<Value> {
        let replicas = pair.demand.replicas;
        let assignment = Assignment::single(pair.cluster.clone(), replicas);
        let there = (&assignment, &[(*pair, replicas)][..]);
        let goals = &self.facts.problem.goals;
        let mut sum = 0_i128;
        for goal in Goal::ALL.into_iter().filter(|goal| goals.counts(*goal)) {
            let amount = self.of_service(goal, pair.service, pair.demand, there)?;
            sum = sum.checked_add(goals.checked_value(goal, amount)?.units())?;
        }
        Some(Value::from_units(sum))
    }

    fn amounts(
        &self,
        service: &ServiceKey,
        demand: &ServiceDemand,
        there: (&Assignment, &[(Pair<'_>, u32)]),
    ) -> Result<Totals, PlacementError> {
        let mut totals = Totals::default();
        for goal in Goal::ALL {
            let amount = self.of_service(goal, service, demand, there);
            totals.set(
                goal,
                amount.ok_or_else(|| PlacementError::Overflow {
                    service: service.clone(),
                })?,
            );
        }
        Ok(totals)
    }

    /// The service on each of its clusters that the problem has, with its replicas there: looked up once for all goals.
    fn pairs<'b>(
        &self,
        service: &'b ServiceKey,
        demand: &'b ServiceDemand,
        assignment: &Assignment,
    ) -> Vec<(Pair<'b>, u32)>
    where
        'a: 'b,
    {
        let problem = self.facts.problem;
        let pair = |(cluster, replicas)| {
            let (cluster, supply) = problem.clusters.get_key_value(cluster)?;
            let pair = Pair {
                problem,
                service,
                demand,
                cluster,
                supply,
            };
            Some((pair, replicas))
        };
        assignment.iter().filter_map(pair).collect()
    }

    fn of_service(
        &self,
        goal: Goal,
        service: &ServiceKey,
        demand: &ServiceDemand,
        (assignment, pairs): (&Assignment, &[(Pair<'_>, u32)]),
    ) -> Option<i64> {
        let mut sum = goal
            .measure()
            .of_service(&self.facts, service, demand, assignment)?;
        for (pair, replicas) in pairs {
            let each = goal.measure().of_replica(&self.facts, pair)?;
            sum = sum.checked_add(each.checked_mul(i64::from(*replicas))?)?;
        }
        Some(sum)
    }

    /// What the links in `links` add to every goal.
    pub(crate) fn links<'l>(
        &self,
        links: impl IntoIterator<Item = &'l LinkDemand>,
        placement: &Placement,
    ) -> Result<Totals, PlacementError> {
        let mut totals = Totals::default();
        for link in links {
            for goal in Goal::ALL.into_iter().filter(|goal| goal.is_of_links()) {
                let amount = of_link(&self.facts, goal.measure(), link, placement);
                let sum = amount.and_then(|amount| totals.of(goal).checked_add(amount));
                totals.set(
                    goal,
                    sum.ok_or_else(|| PlacementError::Overflow {
                        service: link.from.clone(),
                    })?,
                );
            }
        }
        Ok(totals)
    }
}

/// A part of the traffic of a link: between two clusters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Share<'a> {
    pub(super) from: &'a ClusterName,
    pub(super) to: &'a ClusterName,
    parts: i128,
    of: i128,
}

impl Share<'_> {
    /// The part of `amount`, which is that of the whole link. What one part carries is rounded up.
    pub(super) fn of(&self, amount: i128) -> Option<i128> {
        part(amount, self.of).checked_mul(self.parts)
    }
}

/// One part of an amount that is divided into `parts`, rounded up.
pub(super) fn part(amount: i128, parts: i128) -> i128 {
    let parts = parts.max(1);
    amount.div_euclid(parts) + i128::from(amount.rem_euclid(parts) > 0)
}

/// Into how many parts the traffic of a service is divided: one a replica where it may be split.
pub(super) fn parts(demand: &ServiceDemand) -> u32 {
    if demand.is_split() {
        demand.replicas.max(1)
    } else {
        1
    }
}

/// How the traffic of a link divides over pairs of clusters. A link of a service to itself stays within each cluster.
pub(super) fn shares<'a>(
    problem: &'a PlacementProblem,
    link: &'a LinkDemand,
    placement: &'a Placement,
) -> impl Iterator<Item = Share<'a>> {
    let end = |service: &ServiceKey| {
        let demand = problem.services.get(service)?;
        let assignment = placement.get(service).filter(|_| link.from != link.to)?;
        Some((assignment, parts(demand), demand.is_split()))
    };
    let ends = end(&link.from).zip(end(&link.to));
    ends.into_iter().flat_map(|(from, to)| {
        let of = i128::from(from.1) * i128::from(to.1);
        let count = |split: bool, replicas: u32| if split { i128::from(replicas) } else { 1 };
        from.0.iter().flat_map(move |(here, leaving)| {
            to.0.iter().map(move |(there, arriving)| Share {
                from: here,
                to: there,
                parts: count(from.2, leaving) * count(to.2, arriving),
                of,
            })
        })
    })
}

fn of_link(
    facts: &Facts<'_>,
    measure: &dyn Measure,
    link: &LinkDemand,
    placement: &Placement,
) -> Option<i64> {
    if link.traffic.get() == 0 {
        return Some(0);
    }
    let mut sum = 0_i128;
    for share in shares(facts.problem, link, placement) {
        let whole = measure.of_link(facts, link, share.from, share.to)?;
        sum = sum.checked_add(share.of(whole.into())?)?;
    }
    i64::try_from(sum).ok()
}

/// The amount of one goal; `None` when it does not fit.
pub(super) fn total(problem: &PlacementProblem, placement: &Placement, goal: Goal) -> Option<i64> {
    let costs = Costs::new(problem);
    let mut sum = goal.measure().of_placement(&costs.facts, placement)?;
    for (service, demand) in &problem.services {
        if let Some(assignment) = placement.get(service) {
            let pairs = costs.pairs(service, demand, assignment);
            sum = sum.checked_add(costs.of_service(goal, service, demand, (assignment, &pairs))?)?;
        }
    }
    for link in problem.links.iter().filter(|_| goal.is_of_links()) {
        sum = sum.checked_add(of_link(&costs.facts, goal.measure(), link, placement)?)?;
    }
    Some(sum)
}

/// The amounts of every goal for a whole placement.
pub(super) fn totals(problem: &PlacementProblem, placement: &Placement) -> Result<Totals, PlacementError> {
    let costs = Costs::new(problem);
    let mut totals = Totals::default();
    let nowhere = Assignment::default();
    let mut placed = placement.in_order();
    for (service, demand) in &problem.services {
        let assignment = placed.get(service).map_or(&nowhere, |(_, there)| there);
        let overflow = || PlacementError::Overflow {
            service: service.clone(),
        };
        let amounts = costs.service(service, demand, assignment)?;
        totals = totals.checked_add(&amounts).ok_or_else(overflow)?;
        problem.goals.worth(&totals).ok_or_else(overflow)?;
    }
    let links = costs.links(&problem.links, placement)?;
    let mut coupled = Totals::default();
    for goal in Goal::ALL {
        let amount = goal.measure().of_placement(&costs.facts, placement);
        let sum = amount.and_then(|amount| amount.checked_add(links.of(goal)));
        coupled.set(goal, sum.ok_or(PlacementError::TooLarge { goal })?);
        if totals.of(goal).checked_add(coupled.of(goal)).is_none() {
            return Err(PlacementError::TooLarge { goal });
        }
    }
    Ok(totals.checked_add(&coupled).unwrap_or(totals))
}

/// The amounts of every goal and the value of a placement. Services and clusters that the problem does not have cost
/// nothing; [`super::verify`] reports them.
///
/// # Errors
/// [`PlacementError::Overflow`] and [`PlacementError::TooLarge`] when an amount does not fit 64 bits, or a value 128 bits.
pub fn evaluate(
    problem: &PlacementProblem,
    placement: &Placement,
) -> Result<(Totals, Value), PlacementError> {
    let totals = totals(problem, placement)?;
    let heaviest = || {
        let weight = |goal: &Goal| problem.goals.weight(*goal).millionths().unsigned_abs();
        Goal::ALL.into_iter().max_by_key(weight).unwrap_or(Goal::Money)
    };
    let value = problem.goals.worth(&totals);
    let value = value.ok_or_else(|| PlacementError::TooLarge { goal: heaviest() })?;
    Ok((totals, value))
}

impl Totals {
    fn combine(&self, other: &Self, with: impl Fn(i64, i64) -> Option<i64>) -> Option<Self> {
        let mut combined = Self::default();
        for goal in Goal::ALL {
            combined.set(goal, with(self.of(goal), other.of(goal))?);
        }
        Some(combined)
    }

    /// The sum, or `None` when an amount does not fit.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        self.combine(other, i64::checked_add)
    }

    /// The difference, or `None` when an amount does not fit.
    #[must_use]
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        self.combine(other, i64::checked_sub)
    }
}

impl Goals {
    /// The weighted sum of the amounts, or `None` when it does not fit.
    #[must_use]
    pub fn worth(&self, totals: &Totals) -> Option<Value> {
        let mut sum = 0_i128;
        for goal in Goal::ALL.into_iter().filter(|goal| self.counts(*goal)) {
            sum = sum.checked_add(self.checked_value(goal, totals.of(goal))?.units())?;
        }
        Some(Value::from_units(sum))
    }
}
