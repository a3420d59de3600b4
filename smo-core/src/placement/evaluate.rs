//! What a placement is worth, goal by goal, in checked integers.

use super::{
    Assignment, Goal, Goals, Placement, PlacementError, PlacementProblem, ServiceDemand, Totals, Value,
};
use crate::cluster::CarbonProfile;
use crate::id::{ClusterName, ServiceKey};
use crate::units::{Carbon, Money};

/// The amounts of every goal for one problem. Goals are sums over services, so the cost of a service on a cluster does
/// not depend on the others, and [`evaluate`] is the sum of [`Costs::service`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Costs<'a> {
    problem: &'a PlacementProblem,
    worst: Option<CarbonProfile>,
}

impl<'a> Costs<'a> {
    pub(crate) fn new(problem: &'a PlacementProblem) -> Self {
        let known = problem.clusters.values().filter_map(|supply| supply.carbon);
        let worst = known.max_by_key(|profile| profile.per_core());
        Self { problem, worst }
    }

    /// What a cluster emits; where nobody knows, what the worst known cluster emits.
    pub(crate) fn carbon_profile(&self, cluster: &ClusterName) -> Option<CarbonProfile> {
        let supply = self.problem.clusters.get(cluster)?;
        supply.carbon.or(self.worst)
    }

    /// The amounts of one service that runs at `assignment`.
    pub(crate) fn service(
        &self,
        service: &ServiceKey,
        demand: &ServiceDemand,
        assignment: &Assignment,
    ) -> Result<Totals, PlacementError> {
        self.amounts(service, demand, assignment)
            .ok_or_else(|| PlacementError::Overflow {
                service: service.clone(),
            })
    }

    fn amounts(
        &self,
        service: &ServiceKey,
        demand: &ServiceDemand,
        assignment: &Assignment,
    ) -> Option<Totals> {
        let mut money = Money::ZERO;
        let mut carbon = Carbon::ZERO;
        for (cluster, replicas) in assignment.iter() {
            let Some(supply) = self.problem.clusters.get(cluster) else {
                continue;
            };
            let resources = demand.per_replica.checked_mul(replicas)?;
            money = money.checked_add(supply.price.of(&resources)?)?;
            if let Some(profile) = self.carbon_profile(cluster) {
                carbon = carbon.checked_add(profile.of_cpu(resources.cpu().millicores())?)?;
            }
        }
        Some(Totals {
            money: money.base(),
            carbon: carbon.base(),
            moves: i64::from(moves(
                self.problem.current.get(service),
                demand.replicas,
                assignment,
            )),
            placements: i64::from(!assignment.is_empty()),
        })
    }
}

/// True when a service that runs now leaves a cluster: fewer replicas stay there than it has, or needs.
fn moves(current: Option<&Assignment>, wanted: u32, next: &Assignment) -> bool {
    current.is_some_and(|current| {
        current
            .iter()
            .any(|(cluster, replicas)| next.on(cluster) < replicas.min(wanted))
    })
}

/// The amounts of every goal and the value of a placement. Services and clusters that the problem does not have cost
/// nothing; [`super::verify`] reports them.
///
/// # Errors
/// [`PlacementError::Overflow`] when an amount does not fit 64 bits, or a value 128 bits.
pub fn evaluate(
    problem: &PlacementProblem,
    placement: &Placement,
) -> Result<(Totals, Value), PlacementError> {
    let costs = Costs::new(problem);
    let mut totals = Totals::default();
    let nowhere = Assignment::default();
    for (service, demand) in &problem.services {
        let assignment = placement.get(service).unwrap_or(&nowhere);
        let overflow = || PlacementError::Overflow {
            service: service.clone(),
        };
        let amounts = costs.service(service, demand, assignment)?;
        totals = totals.checked_add(&amounts).ok_or_else(overflow)?;
        problem.goals.worth(&totals).ok_or_else(overflow)?;
    }
    let value = problem.goals.worth(&totals).unwrap_or_default();
    Ok((totals, value))
}

impl Totals {
    fn combine(&self, other: &Self, with: impl Fn(i64, i64) -> Option<i64>) -> Option<Self> {
        Some(Self {
            money: with(self.money, other.money)?,
            carbon: with(self.carbon, other.carbon)?,
            moves: with(self.moves, other.moves)?,
            placements: with(self.placements, other.placements)?,
        })
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
        for goal in Goal::ALL {
            sum = sum.checked_add(self.checked_value(goal, totals.of(goal))?.units())?;
        }
        Some(Value::from_units(sum))
    }
}
