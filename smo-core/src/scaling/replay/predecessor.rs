//! The predecessor's scaling loop.

use std::time::Duration;

use super::pace::Pace;
use super::{ReplayError, ReplayPolicy, ReplayView};

/// The predecessor's loop: every 30 s the optimum of its model for the rate that was measured, where a missing sample counts as no
/// load. The optimum of one service with room is the larger of what the rate needs and what runs: its model never gains from
/// stopping a replica, so counts only go up. (Where stopping one is an exact tie, its solver may do either.)
#[derive(Debug, Clone)]
pub struct PredecessorLoop {
    pace: Pace,
}

const EVERY: Duration = Duration::from_secs(30);

impl PredecessorLoop {
    /// The loop before its first step.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            pace: Pace::new(EVERY),
        }
    }
}

impl Default for PredecessorLoop {
    fn default() -> Self {
        Self::new()
    }
}

impl ReplayPolicy for PredecessorLoop {
    fn name(&self) -> String {
        "predecessor's loop".to_owned()
    }

    fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
        if !self.pace.is_due(view.now) {
            return Ok(view.asked);
        }
        Ok(view
            .workload
            .needed(view.sample.unwrap_or(0.0))
            .max(view.asked)
            .max(1))
    }
}
