//! The trait that scaling strategies implement, and the check of what they answer.

use std::fmt::{self, Debug};

use thiserror::Error;

use super::{ProblemFault, ScalingDecision, ScalingProblem, verify};

/// A strategy that answers scaling questions: synchronous, without I/O, the same answer to the same question.
///
/// # Contract
/// `decide` gives every service of the problem a number of replicas on each of its clusters, within its bounds and the
/// room of the clusters, or says which services lack what ([`ScalingDecision::Replace`]). It need not be optimal.
/// [`super::decide`] refuses an answer that does not fit and names the scaler.
///
/// # Implementations
/// [`ExactScaler`](super::ExactScaler), [`ThresholdScaler`](super::ThresholdScaler).
///
/// # Example
/// ```
/// use smo_core::scaling::{ExactScaler, ScalingProblem, Scaler, decide};
/// let scalers: Vec<Box<dyn Scaler>> = vec![Box::new(ExactScaler::new())];
/// let decision = decide(scalers[0].as_ref(), &ScalingProblem::default())?;
/// assert!(decision.services().is_empty());
/// # Ok::<(), smo_core::scaling::ScalingError>(())
/// ```
pub trait Scaler: Debug + Send + Sync {
    /// The name that decisions and errors show.
    fn name(&self) -> &str;

    /// Answers one question.
    ///
    /// # Errors
    /// When the question makes no sense or the strategy itself fails; too little room is no error.
    fn decide(&self, problem: &ScalingProblem) -> Result<ScalingDecision, ScalingError>;
}

/// Every fault of an input, on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults<F>(pub Vec<F>);

impl<F: fmt::Display> fmt::Display for Faults<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

/// Why a question got no answer at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScalingError {
    /// The question contradicts itself; all faults at once.
    #[error("the scaling problem is inconsistent: {0}")]
    InvalidProblem(Faults<ProblemFault>),
    /// The scaler's own failure.
    #[error("the scaler `{scaler}` failed: {message}")]
    Failed {
        /// Its name.
        scaler: String,
        /// What it said.
        message: String,
    },
    /// The scaler broke its contract.
    #[error("the scaler `{scaler}` gave a wrong answer: {}", .faults.join("; "))]
    WrongAnswer {
        /// Its name.
        scaler: String,
        /// Everything that its answer breaks.
        faults: Vec<String>,
    },
}

/// Asks `scaler`, believing nothing it says: the question is checked before, bounds and room of the answer after.
///
/// # Errors
/// [`ScalingError::InvalidProblem`] with every fault of the question, [`ScalingError::WrongAnswer`] when the scaler is
/// wrong, [`ScalingError::Failed`] when it fails. Too little room is [`ScalingDecision::Replace`].
pub fn decide(scaler: &dyn Scaler, problem: &ScalingProblem) -> Result<ScalingDecision, ScalingError> {
    let faults = problem.faults();
    if !faults.is_empty() {
        return Err(ScalingError::InvalidProblem(Faults(faults)));
    }
    let decision = scaler.decide(problem)?;
    let faults = verify(problem, &decision);
    if faults.is_empty() {
        Ok(decision)
    } else {
        Err(ScalingError::WrongAnswer {
            scaler: scaler.name().to_owned(),
            faults: faults.iter().map(ToString::to_string).collect(),
        })
    }
}
