//! The best answer that keeps every limit, and what has changed since.

use super::state::State;

#[derive(Debug)]
pub(super) struct Incumbent {
    /// In floats, as the search counts.
    pub(super) cost: f64,
    pub(super) answer: Option<Vec<usize>>,
    /// Tasks that moved since; too many are not noted.
    journal: Vec<u32>,
    whole: bool,
}

impl Incumbent {
    pub(super) const fn new() -> Self {
        Self {
            cost: f64::INFINITY,
            answer: None,
            journal: Vec::new(),
            whole: true,
        }
    }

    pub(super) fn note(&mut self, moved: &[u32]) {
        if !self.whole {
            self.journal.extend_from_slice(moved);
        }
    }

    pub(super) fn see(&mut self, state: &State<'_>, moved: &[u32]) {
        self.note(moved);
        if state.is_sound() && state.cost < self.cost - 1e-6 {
            self.keep(state);
        } else if self.journal.len() > 4 * state.agent_of.len() {
            self.journal.clear();
            self.whole = true;
        }
    }

    /// After tasks moved unnoticed.
    pub(super) fn see_all(&mut self, state: &State<'_>) {
        self.journal.clear();
        self.whole = true;
        self.see(state, &[]);
    }

    fn keep(&mut self, state: &State<'_>) {
        self.cost = state.cost;
        match &mut self.answer {
            Some(answer) if !self.whole => {
                for task in &self.journal {
                    answer[*task as usize] = state.agent_of[*task as usize] as usize;
                }
            }
            answer => *answer = Some(state.answer()),
        }
        self.journal.clear();
        self.whole = false;
    }
}
