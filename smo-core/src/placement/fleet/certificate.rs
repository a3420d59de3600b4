//! A bound that anybody can evaluate again: what the kernel publishes, and the prices of limits.

use serde::{Deserialize, Serialize};

use super::fullness::Fullness;
use super::multipliers::Multipliers;
use super::pose::Posed;
use super::question::Question;
use crate::id::ClusterName;
use crate::placement::{IntegerModel, PlacementError, PlacementProblem, Value};
use crate::quadratic::{self, Cases};
use crate::resources::ResourceName;

/// What proves that no placement of a problem is worth less than a bound: prices in whole numbers, from which [`Certificate::bound`]
/// evaluates it without searching. For any prices that is a bound; good ones come from a search.
///
/// It also helps the next search of a problem on the same or nearly the same clusters
/// ([`FleetPlacer::with_known`](super::FleetPlacer::with_known)).
///
/// ```
/// use smo_core::placement::{FleetPlacer, PlacementProblem, decide};
///
/// let problem = PlacementProblem::parse(
///     "problem:
///   services: [{name: default/shop/web, replicas: 2, perReplica: {cpu: 500m}}]
///   clusters:
///     - {name: edge, capacity: {cpu: 4}, price: {cpu: 0.03}}
///     - {name: cloud, capacity: {cpu: 64}, price: {cpu: 0.02}}",
/// )
/// .unwrap();
/// let decision = decide(&FleetPlacer::default(), &problem).unwrap().into_decision().unwrap();
/// let certificate = decision.proof.certificate().unwrap();
/// assert_eq!(certificate.bound(&problem).unwrap(), decision.bound);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Certificate {
    /// The clusters of the problem, in order.
    pub clusters: Vec<ClusterName>,
    /// The resources that its services ask for, in order.
    pub resources: Vec<ResourceName>,
    /// What a unit of each hard budget costs, then of each ceiling, in units of value (see [`Value::units`]).
    pub limits: Vec<i128>,
    /// What each resource of each cluster has of the weight of the fullest one, cluster by cluster, in parts of 2^20: no more than all in sum.
    /// Empty where that goal is bounded by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fullness: Vec<u32>,
    /// Units of value in a unit of the kernel's costs, which its prices are in.
    pub unit: i128,
    /// Base units in one that the kernel counts each resource in, which its prices are of; one where this is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grains: Vec<u64>,
    /// Prices of capacity, and what else the kernel publishes; its tasks are services, groups of services that are placed as one, and
    /// replicas of services that are split.
    pub kernel: quadratic::Certificate,
    /// What prices leave open, case by case, down to single placements where need be: the claim is in units of value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cases: Option<Cases>,
}

impl Certificate {
    pub(super) fn new(
        model: &IntegerModel<'_>,
        prices: &Multipliers,
        fullness: &Fullness,
        posed: &Posed,
        kernel: quadratic::Certificate,
    ) -> Self {
        Self {
            clusters: model.clusters.iter().map(|name| (*name).clone()).collect(),
            resources: model.resources.iter().map(|name| (*name).clone()).collect(),
            limits: prices.as_slice().to_vec(),
            fullness: fullness.as_slice().to_vec(),
            unit: posed.unit(),
            grains: posed.grains().to_vec(),
            kernel,
            cases: None,
        }
    }

    /// Nothing has a price: every service costs its cheapest cluster at least.
    pub(in crate::placement) fn free() -> Self {
        Self {
            clusters: Vec::new(),
            resources: Vec::new(),
            limits: Vec::new(),
            fullness: Vec::new(),
            unit: 1,
            grains: Vec::new(),
            kernel: quadratic::Certificate::default(),
            cases: None,
        }
    }

    /// No placement of the problem is worth less than this, in whole numbers and without searching; `None` where it proves nothing about this
    /// problem.
    ///
    /// # Errors
    /// [`PlacementError::Overflow`] and [`PlacementError::TooLarge`] for amounts of the problem that do not fit.
    pub fn bound(&self, problem: &PlacementProblem) -> Result<Option<Value>, PlacementError> {
        // what a goal of the host measures can be anything
        if problem.has_code_below() {
            return Ok(None);
        }
        let Some(question) = Question::new(problem, &self.limits, &self.fullness)? else {
            return Ok(None);
        };
        let bound = if self.is_free() {
            question.value_of(&quadratic::Certificate::free(&question.posed.problem))
        } else if question.is_about(&self.clusters, &self.resources) {
            question.value_of(&self.kernel)
        } else {
            return Ok(None);
        };
        let Some(cases) = &self.cases else {
            return Ok(bound.map(Value::from_units));
        };
        if bound.is_some_and(|bound| bound >= cases.claim) {
            return Ok(bound.map(Value::from_units));
        }
        let claim = question.claim(cases.claim)?;
        let holds = claim.is_some_and(|mut claim| claim.holds(&self.kernel, &cases.cases));
        Ok(holds.then(|| Value::from_units(cases.claim)))
    }

    /// True where nothing has a price: that proves something of any problem.
    fn is_free(&self) -> bool {
        self.clusters.is_empty()
            && self.resources.is_empty()
            && self.kernel == quadratic::Certificate::default()
    }

    /// The same prices by the clusters and resources of another model, in other units; those that are new cost nothing.
    pub(super) fn prices_of(&self, model: &IntegerModel<'_>, posed: &Posed) -> quadratic::Certificate {
        let columns = self.resources.len();
        let grain =
            |grains: &[u64], column: usize| u128::from(grains.get(column).copied().unwrap_or(1)).max(1);
        let price = |cluster: &ClusterName, (number, resource): (usize, &ResourceName)| {
            let row = self.clusters.iter().position(|name| name == cluster)?;
            let column = self.resources.iter().position(|name| name == resource)?;
            let price = self.kernel.prices.get(row * columns + column).copied()?;
            let (mine, other) = (
                u128::try_from(self.unit).ok()?,
                u128::try_from(posed.unit()).ok()?,
            );
            let of_unit = price.checked_mul(mine)? / other.max(1);
            let (mine, other) = (grain(&self.grains, column), grain(posed.grains(), number));
            Some(of_unit.checked_mul(other)? / mine)
        };
        let pairs = model.clusters.iter().flat_map(|cluster| {
            let resources = model.resources.iter().copied().enumerate();
            resources.map(move |resource| (*cluster, resource))
        });
        quadratic::Certificate {
            prices: pairs
                .map(|(cluster, resource)| price(cluster, resource).unwrap_or(0))
                .collect(),
            ..quadratic::Certificate::default()
        }
    }
}
