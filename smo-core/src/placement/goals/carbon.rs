//! Emissions: power x PUE x intensity of every busy core. A cluster of unknown intensity counts as the worst known one.

use super::{Facts, Measure};
use crate::placement::rules::Pair;

/// Base unit: micrograms of CO2e per hour.
#[derive(Debug)]
pub(super) struct Carbon;

impl Measure for Carbon {
    fn name(&self) -> &str {
        "carbon"
    }

    fn of_replica(&self, facts: &Facts<'_>, pair: &Pair<'_>) -> Option<i64> {
        let Some(profile) = pair.supply.carbon.or(facts.worst_carbon) else {
            return Some(0);
        };
        let emitted = profile.of_cpu(pair.demand.per_replica.cpu().millicores())?;
        Some(emitted.base())
    }
}
