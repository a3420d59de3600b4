//! The whole search: prices, a first answer, annealing, and the proof.

use super::anneal::{Anneal, Candidates, Schedule};
use super::branch::Branch;
use super::certificate::Certificate;
use super::construct::construct;
use super::dual::{Ascent, Stage};
use super::field::Field;
use super::forest::Forest;
use super::incumbent::Incumbent;
use super::problem::QuadraticProblem;
use super::state::State;

/// How much work a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Table cells and changes looked at: about a nanosecond each.
    pub effort: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            effort: 4_000_000_000,
        }
    }
}

/// A question of at most so many pairs is tried by cases.
const FEW_PAIRS: usize = 4_000;

/// Where a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Effort taken so far, see [`Limits::effort`].
    pub work: u64,
    /// What the best answer so far costs.
    pub value: Option<i64>,
    /// No answer costs less, once that is known.
    pub bound: Option<i64>,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Solved {
    /// One agent a task, and the cost of it; `None` when none was found.
    pub best: Option<(Vec<usize>, i64)>,
    /// No answer costs less than this; `i64::MAX` when there is none.
    pub bound: i64,
    /// Prices that prove a bound by themselves. [`Self::bound`] is greater where cases were tried too.
    pub certificate: Certificate,
    /// A task that no agent may do, or has room for even when empty: there is no answer.
    pub impossible: Option<usize>,
    /// Effort taken.
    pub work: u64,
    /// True when `watch` ended the search.
    pub stopped: bool,
}

impl Solved {
    /// True when the best answer is proved best, or it is proved that there is none.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.bound == i64::MAX || self.best.as_ref().is_some_and(|(_, value)| *value <= self.bound)
    }
}

/// Finds a cheap answer and a bound; `start` is an answer to begin with, such as what runs now.
///
/// `watch` is told from time to time where the search stands; it ends when that says `false`.
/// See [`QuadraticProblem`] for an example.
#[must_use]
pub fn solve(
    problem: &QuadraticProblem,
    start: Option<&[usize]>,
    limits: &Limits,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Solved {
    let impossible =
        (0..problem.tasks()).find(|task| !(0..problem.agents()).any(|agent| problem.allows(*task, agent)));
    if impossible.is_some() {
        return Solved {
            bound: i64::MAX,
            impossible,
            ..Solved::default()
        };
    }
    if problem.tasks() == 0 {
        let prices = vec![0; problem.agents() * problem.resources()];
        let certificate = Certificate {
            prices,
            left_out: Vec::new(),
        };
        return Solved {
            best: Some((Vec::new(), 0)),
            certificate,
            ..Solved::default()
        };
    }
    let field = Field::new(problem);
    let forest = Forest::new(problem);
    let mut search = Search {
        problem,
        field: &field,
        forest: &forest,
        watch,
        stopped: false,
        work: 0,
        bound: None,
    };
    search.run(start, limits)
}

struct Search<'a, 'w> {
    problem: &'a QuadraticProblem,
    field: &'a Field,
    forest: &'a Forest,
    watch: &'w mut dyn FnMut(&Progress) -> bool,
    stopped: bool,
    work: u64,
    bound: Option<i64>,
}

impl Search<'_, '_> {
    fn run(&mut self, start: Option<&[usize]>, limits: &Limits) -> Solved {
        let prices = self.prices(limits.effort / 10);
        let certificate = Certificate::of(self.problem, &prices, self.field.width, &self.forest.rest);
        let bound = certificate.bound(self.problem).unwrap_or(i64::MIN);
        self.bound = Some(bound);
        let first = construct(self.problem, self.field, self.forest, &prices);
        let mut incumbent = Incumbent::new();
        let mut state = State::new(self.problem, self.field, &first);
        incumbent.see_all(&state);
        if let Some(start) = start.filter(|start| self.problem.value(start).is_some()) {
            state.reset(start);
            incumbent.see_all(&state);
        }
        let guide = Guide {
            candidates: &Candidates::new(self.field, self.forest, &prices),
            prices: &prices,
        };
        if !self.tell(&incumbent) || self.is_proved(&incumbent) {
            return self.solved(&incumbent, certificate);
        }
        let left = limits.effort.saturating_sub(self.work);
        self.anneal(&mut state, &guide, &mut incumbent, 1, left / 30);
        if !self.stopped && self.problem.tasks() * self.problem.agents() <= FEW_PAIRS {
            let left = limits.effort.saturating_sub(self.work);
            let best = self.branch(&prices, self.checked(&incumbent), left / 2);
            if let Some((answer, _)) = best {
                state.reset(&answer);
                incumbent.see_all(&state);
            }
        }
        if !self.is_proved(&incumbent) {
            let left = limits.effort.saturating_sub(self.work);
            self.anneal(&mut state, &guide, &mut incumbent, 2, left);
        }
        self.solved(&incumbent, certificate)
    }

    /// True when the incumbent is the best answer, or there is none.
    fn is_proved(&self, incumbent: &Incumbent) -> bool {
        let value = self.checked(incumbent).map_or(i64::MAX, |(_, value)| value);
        self.bound.is_some_and(|bound| value <= bound)
    }

    fn checked(&self, incumbent: &Incumbent) -> Option<(Vec<usize>, i64)> {
        let answer = incumbent.answer.clone()?;
        let value = self.problem.value(&answer)?;
        Some((answer, value))
    }

    fn solved(&self, incumbent: &Incumbent, certificate: Certificate) -> Solved {
        Solved {
            best: self.checked(incumbent),
            bound: self.bound.unwrap_or(i64::MIN),
            certificate,
            impossible: None,
            work: self.work,
            stopped: self.stopped,
        }
    }

    fn prices(&mut self, effort: u64) -> Vec<f64> {
        let mut ascent = Ascent::new(self.problem, self.field, self.forest);
        let sweep = ascent.sweep_work().max(1);
        let sweeps = |share: f64, most: usize, one_in: usize| {
            ((effort as f64 * share / (sweep as f64 / one_in as f64)) as usize).clamp(8, most)
        };
        let one_in = (self.forest.trees() / 32).clamp(1, 8);
        let stages = [
            Stage {
                sweeps: sweeps(0.6, 2000, one_in),
                one_in,
                from: 0.1,
                to: 0.002,
            },
            Stage {
                sweeps: sweeps(0.4, 600, 1),
                one_in: 1,
                from: 0.002,
                to: 0.0001,
            },
        ];
        for stage in stages {
            let watch = &mut self.watch;
            let mut stopped = false;
            ascent.climb(&stage, &mut |work| {
                stopped = !watch(&Progress {
                    work,
                    value: None,
                    bound: None,
                });
                !stopped
            });
            self.stopped |= stopped;
        }
        self.work += ascent.work;
        ascent.prices()
    }

    fn tell(&mut self, incumbent: &Incumbent) -> bool {
        let value = incumbent.answer.as_ref().map(|_| incumbent.cost.round() as i64);
        let go_on = !self.stopped
            && (self.watch)(&Progress {
                work: self.work,
                value,
                bound: self.bound,
            });
        self.stopped |= !go_on;
        go_on
    }

    /// One run from hot to cold; the search goes on where `state` is.
    fn anneal(
        &mut self,
        state: &mut State<'_>,
        parts: &Guide<'_>,
        incumbent: &mut Incumbent,
        seed: u64,
        effort: u64,
    ) {
        if self.stopped {
            return;
        }
        let before = self.work;
        let from = state.work;
        let mut anneal = Anneal::new(state, parts.candidates, parts.prices, incumbent, seed);
        anneal.cool(&Schedule::default(), effort, &mut |work, incumbent| {
            self.work = before + work - from;
            self.tell(incumbent)
        });
    }

    /// Tries every case where there are few.
    fn branch(
        &mut self,
        prices: &[f64],
        best: Option<(Vec<usize>, i64)>,
        effort: u64,
    ) -> Option<(Vec<usize>, i64)> {
        let before = self.work;
        let mut branch = Branch::new(self.problem, self.field, self.forest, best);
        let bound = branch.search(prices, effort, &mut |work| {
            let go_on = (self.watch)(&Progress {
                work: before + work,
                value: None,
                bound: self.bound,
            });
            self.stopped |= !go_on;
            go_on
        });
        self.work += branch.work;
        self.bound = self.bound.max(Some(bound));
        branch.best
    }
}

/// What guides the annealing.
struct Guide<'a> {
    candidates: &'a Candidates,
    prices: &'a [f64],
}
