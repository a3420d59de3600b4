//! A question as certificates see it: what the kernel is asked at prices on limits, and what its bounds are worth.
//!
//! Shares nothing with the search.

use super::fullness::Fullness;
use super::left_out::{least, next_value};
use super::multipliers::{Limit, Multipliers, limits};
use super::pose::Posed;
use crate::id::ClusterName;
use crate::placement::{IntegerModel, PlacementError, PlacementProblem, evaluate, verify};
use crate::quadratic::{self, Claim};
use crate::resources::ResourceName;

pub(super) struct Question<'a> {
    problem: &'a PlacementProblem,
    pub(super) model: IntegerModel<'a>,
    limits: Vec<Limit>,
    pub(super) prices: Multipliers,
    pub(super) fullness: Fullness,
    pub(super) posed: Posed,
    /// What the kernel does not count at least, less what the limits cost; `None` where nothing is known.
    above: Option<i128>,
}

impl<'a> Question<'a> {
    /// At these prices on limits, or none, and parts of the fullest cluster. `None` where they are of another question, or a service has
    /// nowhere to be.
    ///
    /// # Errors
    /// [`PlacementError::Overflow`] and [`PlacementError::TooLarge`] for amounts of the problem that do not fit.
    pub(super) fn new(
        problem: &'a PlacementProblem,
        prices: &[i128],
        fullness: &[u32],
    ) -> Result<Option<Self>, PlacementError> {
        let mut model = IntegerModel::without_code(problem)?;
        let limits = limits(&model);
        let prices = if prices.is_empty() {
            Multipliers::none(&limits)
        } else {
            Multipliers::new(prices)
        };
        if prices.as_slice().len() != limits.len() || prices.as_slice().iter().any(|price| *price < 0) {
            return Ok(None);
        }
        let Some((weights, of_limits)) = prices
            .weights(&limits, &model.weights)
            .zip(prices.of_limits(&limits))
        else {
            return Ok(None);
        };
        let of_question = std::mem::replace(&mut model.weights, weights);
        let Some(fullness) = Fullness::new(&model, fullness) else {
            return Ok(None);
        };
        let Some(posed) = Posed::new(&model, &fullness)? else {
            return Ok(None);
        };
        let above = least(&model, &fullness).and_then(|least| least.checked_sub(of_limits));
        model.weights = of_question;
        Ok(Some(Self {
            problem,
            model,
            limits,
            prices,
            fullness,
            posed,
            above,
        }))
    }

    /// Whether it has these clusters and asks for these resources, in order.
    pub(super) fn is_about(&self, clusters: &[ClusterName], resources: &[ResourceName]) -> bool {
        self.model.clusters.iter().copied().eq(clusters) && self.model.resources.iter().copied().eq(resources)
    }

    /// A bound of the kernel in units of value.
    pub(super) fn value(&self, bound: i64) -> Option<i128> {
        let bound = self.posed.value(bound)?.checked_add(self.above?)?;
        next_value(&self.model.weights, bound)
    }

    /// What a certificate of the kernel proves, in units of value.
    pub(super) fn value_of(&self, kernel: &quadratic::Certificate) -> Option<i128> {
        self.value(kernel.bound(&self.posed.problem)?)
    }

    /// The claim that no placement is worth less than so many units; `None` where a service has nowhere to be.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub(super) fn claim(&self, claim: i128) -> Result<Option<Claim<'_>>, PlacementError> {
        // values are multiples of what divides every weight, so that what is above the one before the claim is at least that
        let unit = next_value(&self.model.weights, 1).unwrap_or(1);
        let before = claim.saturating_sub(1).div_euclid(unit).saturating_mul(unit);
        let suffices = above(&self.posed, self.above, before);
        let is_beaten = move |answer: &[usize]| {
            let placement = self.posed.placement(&self.model, answer);
            !verify(self.problem, &placement).is_empty()
                || evaluate(self.problem, &placement).is_ok_and(|(_, value)| value.units() >= claim)
        };
        let mut claimed = Claim::new(&self.posed.problem, suffices, is_beaten).with_alike(self.posed.alike());
        let mut model = self.model.clone();
        for limit in &self.limits {
            model.weights.clone_from(&limit.weights);
            let Some(posed) = Posed::new(&model, &Fullness::none())? else {
                return Ok(None);
            };
            let is_too_much = above(&posed, least(&model, &Fullness::none()), limit.at_most);
            claimed = claimed.within(&posed.problem, is_too_much);
        }
        Ok(Some(claimed))
    }
}

/// Whether a bound of the kernel, with what comes on top, is more than a limit. Asked for every pair of every case.
fn above(posed: &Posed, on_top: Option<i128>, limit: i128) -> impl Fn(i64) -> bool + 'static {
    let least = on_top.and_then(|on_top| posed.first_above(limit.checked_sub(on_top)?));
    // the least number stands for nothing known
    move |bound| bound > i64::MIN && least.is_some_and(|least| i128::from(bound) >= least)
}
