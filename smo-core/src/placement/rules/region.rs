//! Data residency: a service that names its regions runs in one of them. A cluster of unknown region is in none.

use super::{Pair, Rule};
use crate::placement::Reason;

/// The cluster is in a region that the service allows.
#[derive(Debug, Clone, Copy)]
pub struct Region;

impl Rule for Region {
    fn name(&self) -> &str {
        "region"
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        let regions = pair.demand.regions.as_ref()?;
        let region = pair.supply.region.as_ref();
        let allowed = region.is_some_and(|region| regions.contains(region));
        (!allowed).then(|| Reason::ForbiddenRegion {
            region: region.cloned(),
        })
    }
}
