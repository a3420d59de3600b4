//! Telling whoever waits where a search stands, and hearing whether to go on.

/// Where a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Effort taken so far, see [`Limits::effort`](super::Limits::effort).
    pub work: u64,
    /// What the best answer so far costs.
    pub value: Option<i64>,
    /// No answer costs less, once that is known.
    pub bound: Option<i64>,
}

/// Work between two reports where nothing new was found.
const BETWEEN: u64 = 1_000_000;

/// The one who waits.
pub(super) struct Watch<'w> {
    ask: &'w mut dyn FnMut(&Progress) -> bool,
    /// What was done before the work of the question at hand.
    before: u64,
    /// True for the whole question: only its values and bounds say something.
    whole: bool,
    value: Option<i64>,
    bound: Option<i64>,
    told: Option<Progress>,
    /// True once the answer was to stop.
    pub(super) stopped: bool,
}

impl std::fmt::Debug for Watch<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Watch")
            .field("stopped", &self.stopped)
            .finish_non_exhaustive()
    }
}

impl<'w> Watch<'w> {
    pub(super) fn new(ask: &'w mut dyn FnMut(&Progress) -> bool) -> Self {
        Self {
            ask,
            before: 0,
            whole: true,
            value: None,
            bound: None,
            told: None,
            stopped: false,
        }
    }

    /// The same for a smaller question, which begins after so much work.
    pub(super) fn of_part(&mut self, work: u64) -> Watch<'_> {
        Watch {
            before: self.before + work,
            whole: false,
            ask: &mut *self.ask,
            value: self.value,
            bound: self.bound,
            told: self.told,
            stopped: self.stopped,
        }
    }

    /// True where the whole question is searched, not a part of it.
    pub(super) const fn is_whole(&self) -> bool {
        self.whole
    }

    /// Takes the value and the bound of the question at hand, where it is the whole one.
    pub(super) const fn see(&mut self, value: Option<i64>, bound: Option<i64>) {
        if self.whole {
            self.value = value;
            self.bound = bound;
        }
    }

    /// Reports, unless little happened since; false when the search is to stop.
    pub(super) fn tell(&mut self, work: u64) -> bool {
        let now = Progress {
            work: self.before + work,
            value: self.value,
            bound: self.bound,
        };
        let news = self.told.is_none_or(|told| {
            (told.value, told.bound) != (now.value, now.bound) || told.work + BETWEEN <= now.work
        });
        if news && !self.stopped {
            self.told = Some(now);
            self.stopped = !(self.ask)(&now);
        }
        !self.stopped
    }
}
