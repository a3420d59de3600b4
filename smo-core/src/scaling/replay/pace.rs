//! What happens at most so often.

use std::time::Duration;

use jiff::Timestamp;

use crate::scaling::controller::since;

/// A loop that looks again after some time, and not at every tick.
#[derive(Debug, Clone)]
pub(super) struct Pace {
    every: Duration,
    last: Option<Timestamp>,
}

impl Pace {
    pub(super) const fn new(every: Duration) -> Self {
        Self { every, last: None }
    }

    /// Whether it is time to look again; then the time begins anew.
    pub(super) fn is_due(&mut self, now: Timestamp) -> bool {
        let due = self.last.is_none_or(|last| since(now, last) >= self.every);
        if due {
            self.last = Some(now);
        }
        due
    }
}
