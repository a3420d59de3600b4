//! A decision that is watched: progress, a deadline of the host's clock, cancellation.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::{
    Answer, Outcome, PlaceContext, PlacementError, PlacementProblem, Placer, Progress, Solved, Watch, Work,
    decide, solve,
};

/// As [`decide`], with `watch` told where the search stands. Once it says `false` the search ends with what it has: a
/// placement that is not as good, or none, which is then not proved impossible. It is not asked again then, and no further
/// level of priority is searched.
///
/// # Errors
/// As [`decide`].
///
/// ```
/// use std::time::{Duration, Instant};
/// use smo_core::placement::{FleetPlacer, PlacementProblem, decide_watched};
///
/// let deadline = Instant::now() + Duration::from_secs(2);
/// let mut watch = |_: &_| Instant::now() < deadline;
/// let outcome = decide_watched(&FleetPlacer::default(), &PlacementProblem::default(), &mut watch).unwrap();
/// assert!(outcome.into_decision().is_ok());
/// ```
pub fn decide_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    watch: &mut Watch<'_>,
) -> Result<Outcome, PlacementError> {
    decide(&Watched::new(placer, watch), problem)
}

/// As [`solve`], watched as [`decide_watched`] is.
///
/// # Errors
/// As [`solve`].
pub fn solve_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    watch: &mut Watch<'_>,
) -> Result<Solved, PlacementError> {
    solve(&Watched::new(placer, watch), problem)
}

/// A placer and who watches it.
pub(super) struct Watched<'p, 'w, 'f> {
    placer: &'p dyn Placer,
    /// With true once it said to stop.
    watch: Mutex<(&'w mut Watch<'f>, bool)>,
}

impl<'p, 'w, 'f> Watched<'p, 'w, 'f> {
    pub(super) fn new(placer: &'p dyn Placer, watch: &'w mut Watch<'f>) -> Self {
        Self {
            placer,
            watch: Mutex::new((watch, false)),
        }
    }

    /// Runs a search that is watched; `None` once it was said to stop.
    pub(super) fn search<T>(&self, run: impl FnOnce(&mut Watch<'_>) -> T) -> Option<T> {
        let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        let (watch, stopped) = &mut *watch;
        if *stopped {
            return None;
        }
        Some(run(&mut |progress: &Progress| {
            *stopped = *stopped || !watch(progress);
            !*stopped
        }))
    }

    /// True once it was said to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.search(|_| ()).is_none()
    }
}

impl fmt::Debug for Watched<'_, '_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.placer.fmt(f)
    }
}

impl Placer for Watched<'_, '_, '_> {
    fn name(&self) -> &str {
        self.placer.name()
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        let answer = self.search(|watch| self.placer.place_watched(context, watch));
        answer.unwrap_or(Ok(Answer::NotFound {
            proved: false,
            work: Work::default(),
        }))
    }
}
