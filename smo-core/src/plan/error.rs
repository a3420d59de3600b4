//! Why a planner has no plan.

use thiserror::Error;

use crate::id::{GraphKey, ServiceId};
use crate::intent::TranslateError;
use crate::placement::{Diagnosis, PlacementError};

/// Why there is no plan.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum PlanError {
    /// An intent has no meaning in the catalogue.
    #[error(transparent)]
    Translate(#[from] TranslateError),
    /// No placement was found. The diagnosis says why and what to try.
    #[error("no placement for `{graph}`")]
    Infeasible {
        /// The graph.
        graph: GraphKey,
        /// Why.
        diagnosis: Box<Diagnosis>,
    },
    /// The placer failed.
    #[error(transparent)]
    Placement(#[from] PlacementError),
    /// A refinement ([`Planner::with_refinement`](super::Planner::with_refinement)) failed.
    #[error("the question about `{graph}` was not refined: {message}")]
    Refinement {
        /// The graph.
        graph: GraphKey,
        /// What it said.
        message: String,
    },
    /// Refinements made a question of which no answer is a plan for the graph.
    #[error("the question about `{graph}` was refined into another one: {}", .faults.join("; "))]
    WrongRefinement {
        /// The graph.
        graph: GraphKey,
        /// Everything that is not as it was.
        faults: Vec<String>,
    },
    /// The designer's values leave no room for the orchestrator's.
    #[error("service `{service}`: {message}")]
    Values {
        /// The service.
        service: ServiceId,
        /// What is in the way.
        message: String,
    },
}
