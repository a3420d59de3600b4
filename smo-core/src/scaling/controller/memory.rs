//! What the controller remembers from step to step. It can be stored and read back, so a restart forgets nothing.

use std::collections::VecDeque;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ClusterName, ServiceKey};

/// The memory of all services.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingMemory {
    /// When the last step was.
    pub(super) last_step: Option<Timestamp>,
    pub(super) services: IndexMap<ServiceKey, ServiceMemory>,
}

/// The memory of one service.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceMemory {
    /// Counts that were wanted, oldest first, as far back as the windows reach.
    pub(super) wanted: VecDeque<(Timestamp, u32)>,
    /// When the controller last changed the count.
    pub(super) changed: Option<Timestamp>,
    /// What it last asked for, or found and left.
    pub(super) target: Option<IndexMap<ClusterName, u32>>,
    /// The count before that.
    pub(super) before: u32,
    /// Whether that was seen in place.
    pub(super) in_place: bool,
    /// Since when there was no load.
    pub(super) idle_since: Option<Timestamp>,
    /// When there last was a sample.
    pub(super) sampled: Option<Timestamp>,
    /// A change of somebody else is left alone until then.
    pub(super) respected_until: Option<Timestamp>,
}

impl ServiceMemory {
    /// The lowest and highest counts wanted within the windows before `now`; older ones are forgotten.
    pub(super) fn stabilised(&mut self, now: Timestamp, up: Duration, down: Duration) -> (u32, u32) {
        let within = |at: Timestamp, window: Duration| since(now, at) < window;
        while self.wanted.len() > 1
            && self
                .wanted
                .front()
                .is_some_and(|(at, _)| !within(*at, up.max(down)))
        {
            self.wanted.pop_front();
        }
        let recent = |window| {
            self.wanted
                .iter()
                .filter(move |(at, _)| within(*at, window))
                .map(|(_, count)| *count)
        };
        (
            recent(up).min().unwrap_or(u32::MAX),
            recent(down).max().unwrap_or(0),
        )
    }
}

/// How long after `earlier` it is at `now`; zero when it is before.
pub(in crate::scaling) fn since(now: Timestamp, earlier: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(earlier)).unwrap_or(Duration::ZERO)
}

/// `at` and so much later; the end of time when there is no later.
pub(super) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    at.checked_add(duration).unwrap_or(Timestamp::MAX)
}
