//! The host's time. The library has none of its own.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

/// Tells the time.
///
/// # Contract
/// `now` never goes back between two calls by more than the host's clock is corrected.
///
/// # Idempotence
/// Asking changes nothing.
///
/// # Consistency
/// The same clock is given to everything that compares times.
///
/// # Cancellation
/// Nothing to cancel: `now` returns at once.
///
/// # Errors
/// None.
///
/// # Implementations
/// [`ManualClock`], which a test moves; the host's wall clock (`smo_karmada::SystemTime` for hosts on tokio).
///
/// # Example
/// ```
/// use std::time::Duration;
/// use smo_core::backend::{Clock, ManualClock};
/// let clock = ManualClock::default();
/// let start = clock.now();
/// clock.advance(Duration::from_secs(90));
/// assert_eq!(clock.now().duration_since(start).as_secs(), 90);
/// ```
pub trait Clock: Debug + Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
}

/// Waits, in whatever way the host waits (a runtime's sleep, a test's clock).
///
/// # Contract
/// After `wait(d)` the clock has moved by `d` or more.
///
/// # Idempotence
/// Two waits wait twice.
///
/// # Consistency
/// Waits by the same time that [`Clock::now`] tells.
///
/// # Cancellation
/// Dropping the future ends the wait.
///
/// # Errors
/// None.
///
/// # Implementations
/// [`ManualClock`], which moves itself and returns at once.
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
/// use smo_core::backend::{Clock, ManualClock, Timer};
/// let clock = ManualClock::default();
/// let start = clock.now();
/// clock.wait(Duration::from_secs(3600)).await; // no hour passes
/// assert_eq!(clock.now().duration_since(start).as_hours(), 1);
/// # }
/// ```
#[async_trait]
pub trait Timer: Clock {
    /// Returns after `duration`.
    async fn wait(&self, duration: Duration);
}

/// A clock that only moves when told to. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(start)))
    }

    /// Moves it forward.
    pub fn advance(&self, duration: Duration) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *now = later(*now, duration);
    }
}

impl Default for ManualClock {
    /// Stands at the Unix epoch.
    fn default() -> Self {
        Self::new(Timestamp::UNIX_EPOCH)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Timer for ManualClock {
    async fn wait(&self, duration: Duration) {
        self.advance(duration);
    }
}

/// `duration` after `at`, or the end of time.
pub(crate) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}

/// How long after `earlier` it is at `now`; zero when it is before.
pub(crate) fn since(now: Timestamp, earlier: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_time_and_the_end_of_time_holds() {
        let clock = ManualClock::new(Timestamp::MAX);
        let same = clock.clone();
        same.advance(Duration::MAX);
        assert_eq!(clock.now(), Timestamp::MAX);
        assert_eq!(since(Timestamp::UNIX_EPOCH, Timestamp::MAX), Duration::ZERO);
    }
}
