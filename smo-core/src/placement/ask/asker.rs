//! A question that is watched: which of its decisions is being made, and whether it goes on.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::placement::decide::is_infeasible_watched;
use crate::placement::watched::Watched;
use crate::placement::{Outcome, PlacementError, PlacementProblem, Placer, Progress, Solved, decide, solve};

/// Where a question stands: most take one decision after the other.
///
/// ```
/// use smo_core::placement::ask::{AskProgress, Edit, what_if_watched};
/// use smo_core::placement::{FirstFit, PlacementProblem};
///
/// let mut seen = Vec::new();
/// let mut watch = |at: &AskProgress| {
///     seen.push(at.to_string());
///     true
/// };
/// what_if_watched(&FirstFit::new(), &PlacementProblem::default(), &[], &mut watch).unwrap();
/// assert_eq!(seen, ["what if: 1 of 2, before", "what if: 2 of 2, after"]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskProgress {
    /// The question.
    pub question: &'static str,
    /// What is decided now, in a few words.
    pub about: String,
    /// Which decision that is, from 1.
    pub step: u64,
    /// How many decisions it takes at most, where that is known before.
    pub steps: Option<u64>,
    /// Where the search for this decision stands; `None` before it begins.
    pub search: Option<Progress>,
}

impl fmt::Display for AskProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.question, self.step)?;
        if let Some(steps) = self.steps {
            write!(f, " of {steps}")?;
        }
        if !self.about.is_empty() {
            write!(f, ", {}", self.about)?;
        }
        Ok(())
    }
}

/// Who watches a question: told of every decision and where its search stands, says whether it goes on. Once the answer is
/// `false` nothing more is decided and nobody asked again; the question comes back with what it knows.
pub type AskWatch<'w> = dyn FnMut(&AskProgress) -> bool + Send + 'w;

/// A placer as a question asks it, one decision at a time.
#[derive(Debug)]
pub(crate) struct Asker<'a> {
    placer: Watched<'a, 'a, 'a>,
    now: &'a Mutex<AskProgress>,
}

fn locked(now: &Mutex<AskProgress>) -> MutexGuard<'_, AskProgress> {
    now.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Asks a question with who watches it.
pub(crate) fn watched<T>(
    question: &'static str,
    placer: &dyn Placer,
    watch: &mut AskWatch<'_>,
    ask: impl FnOnce(&Asker<'_>) -> T,
) -> T {
    let now = Mutex::new(AskProgress {
        question,
        about: String::new(),
        step: 0,
        steps: None,
        search: None,
    });
    let mut told = |search: &Progress| {
        // Work and value of a search that has not begun say nothing.
        let mut now = locked(&now).clone();
        now.search = (*search != Progress::default()).then_some(*search);
        watch(&now)
    };
    ask(&Asker {
        placer: Watched::new(placer, &mut told),
        now: &now,
    })
}

impl Asker<'_> {
    /// The name of the placer.
    pub(crate) fn placer(&self) -> &str {
        self.placer.name()
    }

    /// How many decisions it takes at most.
    pub(super) fn expect(&self, steps: u64) {
        locked(self.now).steps = Some(steps);
    }

    /// True once the one who watches has enough.
    pub(crate) fn is_stopped(&self) -> bool {
        self.placer.is_stopped()
    }

    /// Reports the next decision; false when it is not to be made.
    fn begin(&self, about: &str) -> bool {
        {
            let mut now = locked(self.now);
            now.step += 1;
            about.clone_into(&mut now.about);
        }
        self.goes_on()
    }

    /// Reports where a search of its own stands that has no value and no bound; false when that is to end.
    pub(super) fn goes_on(&self) -> bool {
        let goes_on = self.placer.search(|watch| watch(&Progress::default()));
        goes_on.unwrap_or(false)
    }

    /// Reports a decision that need not be made.
    pub(super) fn skip(&self, about: &str) {
        self.begin(about);
    }

    fn step<T>(&self, about: &str, decide: impl FnOnce() -> T) -> T {
        // A `false` is kept, and the placer asked in vain.
        self.begin(about);
        decide()
    }

    /// As [`decide`].
    pub(crate) fn decide(&self, about: &str, problem: &PlacementProblem) -> Result<Outcome, PlacementError> {
        self.step(about, || decide(&self.placer, problem))
    }

    /// As [`solve`].
    pub(crate) fn solve(&self, about: &str, problem: &PlacementProblem) -> Result<Solved, PlacementError> {
        self.step(about, || solve(&self.placer, problem))
    }

    /// What our own reference says, as far as it got.
    pub(super) fn is_infeasible(&self, problem: &PlacementProblem) -> Result<bool, PlacementError> {
        let answer = self.placer.search(|watch| is_infeasible_watched(problem, watch));
        answer.unwrap_or(Ok(false))
    }
}
