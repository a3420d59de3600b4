//! The placer for fleets: prices on capacity, annealing and a bound in whole numbers, by [`crate::quadratic`].

mod apart;
mod certificate;
mod certify;
mod climb;
mod distances;
mod fullness;
mod left_out;
mod lots;
mod multipliers;
mod pose;
mod question;
mod search;

use super::{Answer, PlaceContext, PlacementError, Placer, Watch};
pub use certificate::Certificate;
pub(super) use certify::certify_from;
pub use certify::{Certified, certify};
pub(super) use search::BY_CASES;
use search::Search;

/// Places thousands of services on hundreds of clusters: always with a bound, close to it, and proved best where few cases
/// are left.
///
/// The kernel knows costs of services and links, capacities, limits of links, replicas split, spread, co-location and
/// anti-affinity; budgets and goals of a higher priority have prices. What else a problem asks for (bandwidth, the fullest cluster,
/// rules and goals of the host) a search of the whole model adds, which begins where the kernel ended. Leaving it out can only lower
/// the bound, and a placement counts only if it keeps every rule.
///
/// ```
/// use smo_core::placement::{FleetPlacer, PlacementProblem, decide};
///
/// let outcome = decide(&FleetPlacer::default(), &PlacementProblem::default()).unwrap();
/// assert!(outcome.into_decision().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetPlacer {
    effort: u64,
    known: Option<Certificate>,
}

impl Default for FleetPlacer {
    fn default() -> Self {
        Self {
            effort: Self::DEFAULT_EFFORT,
            known: None,
        }
    }
}

impl FleetPlacer {
    /// What decisions call it.
    pub const NAME: &'static str = "fleet";

    /// Table cells and changes looked at: about a second. Thousands of services get better with more.
    pub const DEFAULT_EFFORT: u64 = 1_000_000_000;

    /// The same with another effort: table cells and changes looked at, about a nanosecond each.
    #[must_use]
    pub fn with_effort(self, effort: u64) -> Self {
        Self { effort, ..self }
    }

    /// The same, beginning with what an earlier search of the problem or a similar one proved; clusters may have come and gone since. Where
    /// services run now it begins anyway.
    #[must_use]
    pub fn with_known(self, known: Certificate) -> Self {
        Self {
            known: Some(known),
            ..self
        }
    }

    /// The effort it may take.
    #[must_use]
    pub const fn effort(&self) -> u64 {
        self.effort
    }
}

impl Placer for FleetPlacer {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        self.place_watched(context, &mut |_| true)
    }

    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        Search::new(context.problem, self.known.as_ref(), watch)?.run(self.effort)
    }
}
