//! How long the in-memory fleet takes for what it does.

use std::time::Duration;

/// How long a fleet takes for what it does.
///
/// The defaults were measured on Karmada 1.18.2 with three small members, from the client's write; the thresholds of
/// readiness were 5 s there (Karmada's own defaults make a dead cluster show after 40 s).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// From applying a new release to the decision where it runs.
    pub bind: Duration,
    /// From changing a release to the new decision.
    pub rebind: Duration,
    /// From the decision to replicas that run.
    pub running: Duration,
    /// From the decision to replicas that are reported healthy.
    pub healthy: Duration,
    /// From the decision to the end of copies on clusters that are not in it any more.
    pub moved_away: Duration,
    /// From removing a release to the end of its copies.
    pub removed: Duration,
    /// From the death of a cluster to its being reported as not ready.
    pub not_ready: Duration,
    /// From the return of a cluster to its being reported as ready.
    pub ready_again: Duration,
    /// From a returned cluster being ready to the end of copies that should not be there.
    pub stale_removed: Duration,
}

impl Delays {
    /// As measured.
    #[must_use]
    pub const fn measured() -> Self {
        Self {
            bind: Duration::from_millis(360),
            rebind: Duration::from_millis(430),
            running: Duration::from_millis(480),
            healthy: Duration::from_millis(560),
            moved_away: Duration::from_millis(160),
            removed: Duration::from_millis(280),
            not_ready: Duration::from_millis(6400),
            ready_again: Duration::from_secs(5),
            stale_removed: Duration::from_secs(10),
        }
    }

    /// Everything happens at once.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            bind: Duration::ZERO,
            rebind: Duration::ZERO,
            running: Duration::ZERO,
            healthy: Duration::ZERO,
            moved_away: Duration::ZERO,
            removed: Duration::ZERO,
            not_ready: Duration::ZERO,
            ready_again: Duration::ZERO,
            stale_removed: Duration::ZERO,
        }
    }
}

impl Default for Delays {
    fn default() -> Self {
        Self::measured()
    }
}
