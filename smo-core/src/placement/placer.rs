//! The trait that strategies implement.

use std::fmt::Debug;

use thiserror::Error;

use super::{Goal, Placement, PlacementProblem, Proof, Value, Work};
use crate::id::ServiceKey;

/// What a placer is given.
#[derive(Debug, Clone, Copy)]
pub struct PlaceContext<'a> {
    /// The question.
    pub problem: &'a PlacementProblem,
}

/// What a placer gives back. Nothing of it is believed: [`super::decide`] checks the placement and recomputes its value.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// A placement.
    Found {
        /// Where every service runs.
        placement: Placement,
        /// No placement is worth less than this, where known.
        bound: Option<Value>,
        /// Who vouches for the bound.
        proof: Proof,
        /// The effort it took.
        work: Work,
    },
    /// No placement.
    NotFound {
        /// True when the placer is sure that none exists.
        proved: bool,
        /// The effort it took.
        work: Work,
    },
}

/// A strategy that answers placement questions: synchronous, without I/O, the same answer to the same question.
///
/// # Contract
/// `place` gives every service of the problem all its replicas on clusters of the problem, or says that it found no
/// placement. It need not be optimal. [`super::decide`] refuses an answer that breaks a rule and names the placer.
pub trait Placer: Debug + Send + Sync {
    /// The name that decisions and errors show.
    fn name(&self) -> &str;

    /// Answers one question.
    ///
    /// # Errors
    /// When the strategy itself fails; having found no placement is [`Answer::NotFound`].
    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError>;

    /// The same, telling `watch` from time to time where the search stands, and ending with what it has when that says
    /// `false`. A strategy that is done in a moment need not tell anything.
    ///
    /// # Errors
    /// As [`Self::place`].
    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        let _ = watch;
        self.place(context)
    }
}

/// Where a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Effort taken so far: table cells and changes looked at, about a nanosecond each.
    pub work: u64,
    /// What the best placement found so far is worth, as far as the search counts it.
    pub value: Option<Value>,
    /// No placement is worth less, once that is known.
    pub bound: Option<Value>,
}

/// Who watches a search: told where it stands, says whether it goes on. A host's clock, its progress bar and its button to
/// cancel all fit here.
pub type Watch<'w> = dyn FnMut(&Progress) -> bool + Send + 'w;

/// Why a question got no answer at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PlacementError {
    /// Demands, capacities or costs do not fit the arithmetic.
    #[error("an amount of `{service}` does not fit 64 bits")]
    Overflow {
        /// The service.
        service: ServiceKey,
    },
    /// A goal of a placement does not fit the arithmetic.
    #[error("the total of {} of a placement does not fit", .goal.name())]
    TooLarge {
        /// The goal.
        goal: Goal,
    },
    /// The placer has no way to take a rule or a goal of the problem into account.
    #[error("the placer `{placer}` cannot express {what}; {hint}")]
    CannotExpress {
        /// Its name.
        placer: String,
        /// The rule or goal.
        what: String,
        /// What to try.
        hint: String,
    },
    /// The problem refers to something it does not have.
    #[error("the placement problem is inconsistent: {0}")]
    InvalidProblem(String),
    /// The placer's own failure.
    #[error("the placer `{placer}` failed: {message}")]
    Failed {
        /// Its name.
        placer: String,
        /// What it said.
        message: String,
    },
    /// The placer broke its contract.
    #[error("the placer `{placer}` gave a wrong answer: {}", .faults.join("; "))]
    WrongAnswer {
        /// Its name.
        placer: String,
        /// Every rule that its placement breaks.
        faults: Vec<String>,
    },
}
