//! Refuses groups, prices, budgets and priorities that make no sense.

use super::rules::{Demand, Priority, Rule};
use super::{Goal, PlacementError, PlacementProblem, Weight};
use crate::id::{ServiceKey, suggestion};

impl PlacementProblem {
    /// Refuses what [`PlacementProblem::validate`] says of groups, prices, budgets and goals.
    pub(super) fn validate_constraints(&self) -> Result<(), PlacementError> {
        let invalid = |message: String| Err(PlacementError::InvalidProblem(message));
        let groups = self
            .co_location
            .iter()
            .map(|group| ("co-location", &group.services));
        let apart = self
            .anti_affinity
            .iter()
            .map(|group| ("anti-affinity", &group.services));
        for (kind, services) in groups.chain(apart) {
            let unknown = |service: &&ServiceKey| !self.services.contains_key(*service);
            if let Some(service) = services.iter().find(unknown) {
                return invalid(format!(
                    "a group of {kind} names {service}, which is no service of the problem"
                ));
            }
        }
        for service in self.scores.keys() {
            if !self.services.contains_key(service) {
                return invalid(format!(
                    "a score is for {service}, which is no service of the problem"
                ));
            }
        }
        for name in self.soft.keys() {
            let mut names = self.every_rule().map(Rule::name);
            if !names.any(|known| known == name) {
                let hint = suggestion(name, self.every_rule().map(Rule::name));
                return invalid(format!("no rule is called {name}{hint}"));
            }
            if [Demand.name(), Priority.name()].contains(&name.as_str()) {
                return invalid(format!("the rule {name} cannot be a wish"));
            }
        }
        let spreads = self.services.values().flat_map(|demand| {
            let wanted = demand.high_availability.iter().map(|wanted| wanted.price);
            demand.spread.iter().map(|spread| spread.price).chain(wanted)
        });
        let prices = spreads
            .chain(self.co_location.iter().map(|group| group.price))
            .chain(self.anti_affinity.iter().map(|group| group.price))
            .chain(self.budgets.iter().map(|budget| budget.price));
        let prices = prices.flatten().chain(self.soft.values().copied());
        if prices.into_iter().any(|price| price < Weight::from_millionths(0)) {
            return invalid("the price of a wish is negative".to_owned());
        }
        let signals = self
            .clusters
            .iter()
            .filter_map(|(name, supply)| Some((name, supply.carbon?.intensity.signal())));
        let mut signals = signals.collect::<Vec<_>>().into_iter();
        if let Some((one, first)) = signals.next()
            && let Some((other, _)) = signals.find(|(_, signal)| *signal != first)
        {
            return invalid(format!(
                "the carbon intensities of {one} and {other} are average and marginal ones; they do not compare"
            ));
        }
        // Points count what budgets cost, so a budget of points would have to know itself.
        if self.budgets.iter().any(|budget| budget.goal == Goal::Preference) {
            return invalid(format!("a budget of {} is not possible", Goal::Preference.name()));
        }
        if self.goals.then.iter().any(|level| !level.then.is_empty()) {
            return invalid(
                "a level of priority has levels of its own; list them one after the other".to_owned(),
            );
        }
        Ok(())
    }
}
