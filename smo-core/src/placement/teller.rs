//! Who watches a search: told where it stands, and heard once. After a `false` nobody is asked again.

use std::fmt;

use super::{Progress, Value, Watch};

/// Effort between two reports where nothing new was found.
const BETWEEN: u64 = 1_000_000;

/// Tells a [`Watch`] what a search knows, not more often than it has something to say.
pub(super) struct Teller<'w> {
    ask: &'w mut Watch<'w>,
    now: Progress,
    told: Option<Progress>,
    stopped: bool,
}

impl fmt::Debug for Teller<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Teller")
            .field("now", &self.now)
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

impl<'w> Teller<'w> {
    pub(super) fn new(watch: &'w mut Watch<'_>) -> Self {
        Self {
            ask: watch,
            now: Progress {
                work: 0,
                value: None,
                bound: None,
            },
            told: None,
            stopped: false,
        }
    }

    /// True once the answer was to stop.
    pub(super) const fn stopped(&self) -> bool {
        self.stopped
    }

    /// Effort taken so far.
    pub(super) const fn work(&self) -> u64 {
        self.now.work
    }

    /// Takes what is known of the whole question. A worse value and a lower bound than before are no news.
    pub(super) fn see(&mut self, value: Option<Value>, bound: Option<Value>) {
        let best = [self.now.value, value].into_iter().flatten().min();
        self.now.value = best;
        self.now.bound = self.now.bound.max(bound);
    }

    /// Adds effort, and reports unless little happened; false when the search is to stop.
    pub(super) fn took(&mut self, work: u64) -> bool {
        self.reached(self.now.work.saturating_add(work))
    }

    /// The same, where the search within counts all effort itself.
    pub(super) fn reached(&mut self, work: u64) -> bool {
        self.now.work = self.now.work.max(work);
        let now = self.now;
        let news = self.told.is_none_or(|told| {
            (told.value, told.bound) != (now.value, now.bound)
                || told.work.saturating_add(BETWEEN) <= now.work
        });
        if news { self.asked() } else { !self.stopped }
    }

    /// Reports in any case, as before and after what cannot be interrupted; false when the search is to stop.
    pub(super) fn asked(&mut self) -> bool {
        if !self.stopped {
            self.told = Some(self.now);
            self.stopped = !(self.ask)(&self.now);
        }
        !self.stopped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_hears_news_and_effort_and_is_heard_once() {
        let mut heard = Vec::new();
        let mut watch = |progress: &Progress| {
            heard.push((progress.work, progress.value.is_some()));
            heard.len() < 4
        };
        let mut teller = Teller::new(&mut watch);
        // The first word, then nothing new, then enough effort.
        assert!(teller.took(1) && teller.took(10) && teller.took(BETWEEN));
        teller.see(Some(Value::from_units(3)), None);
        assert!(teller.took(0));
        // A worse value is no news.
        teller.see(Some(Value::from_units(4)), None);
        assert!(teller.took(0));
        assert!(!teller.asked() && !teller.asked() && !teller.took(9 * BETWEEN));
        assert!(teller.stopped());
        let all = 11 + BETWEEN;
        assert_eq!(heard, [(1, false), (all, false), (all, true), (all, true)]);
    }
}
