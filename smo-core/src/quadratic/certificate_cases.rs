//! A claim by cases: a tree whose every leaf is closed by prices, by what fits, or by the one answer that is left.
//!
//! Checking shares nothing with the search: it follows the tree, in whole numbers.

use serde::{Deserialize, Serialize};

use super::certificate::Certificate;
use super::certificate_narrow::Open;
use super::certificate_rewards::earned;
use super::problem::{FORBIDDEN, QuadraticProblem};

/// One case of a tree, in the order in which they are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Case {
    /// Prices for this case and those below it; where there are none, those of the case above count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<Certificate>,
    /// By task, a reward for this case and those below it, in 2^-40 of the unit of costs, beside prices: what agents can take at them
    /// counts too. Where there are none, those of the case above count, if it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewards: Option<Vec<i128>>,
    /// A task and an agent: the case without the pair comes next, with all below it, then the case with the task there. None where
    /// nothing is left open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<(usize, usize)>,
}

/// Longer lists are not followed.
pub(super) const MOST_CASES: usize = 20_000;

/// Whether costs of at least so much are enough for something.
type IsEnough<'a> = Box<dyn Fn(i64) -> bool + 'a>;

/// Whether one answer is as dear as claimed, or does not count.
type IsBeaten<'a> = Box<dyn FnMut(&[usize]) -> bool + 'a>;

/// What is claimed of a question: no answer that counts is cheaper.
#[allow(missing_debug_implementations)]
pub struct Claim<'a> {
    problem: &'a QuadraticProblem,
    /// The question with closed pairs forbidden.
    narrowed: QuadraticProblem,
    /// Whether answers that cost at least this are as dear as claimed.
    suffices: IsEnough<'a>,
    is_beaten: IsBeaten<'a>,
    limits: Vec<Limit<'a>>,
    alike: Vec<Option<usize>>,
}

/// Other costs of the same tasks and agents, which an answer that counts has only so much of.
struct Limit<'a> {
    problem: QuadraticProblem,
    narrowed: QuadraticProblem,
    /// Whether it has too much of them that costs at least this.
    is_too_much: IsEnough<'a>,
    free: Certificate,
}

/// What is published for a case.
#[derive(Clone, Copy)]
pub(super) struct Known<'k> {
    pub(super) prices: &'k Certificate,
    pub(super) rewards: Option<&'k [i128]>,
}

/// What is known of a case.
pub(super) enum Look {
    /// Nothing in it counts and is cheaper.
    Closed,
    /// What prices prove, of all that is open and of each pair.
    Open(i64, Vec<Option<i64>>),
    /// The only answer that is left counts and is cheaper: the claim is wrong.
    Cheaper,
}

/// No answer costs less than is claimed, by cases.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cases {
    /// What no answer costs less than, in the unit of costs; of a placement, in units of value.
    pub claim: i128,
    /// The cases, see [`Case::split`] for their order.
    pub cases: Vec<Case>,
}

impl<'a> Claim<'a> {
    /// Of a question: whether answers that cost at least some number are as dear as claimed, and whether one answer is, or does not count.
    pub fn new(
        problem: &'a QuadraticProblem,
        suffices: impl Fn(i64) -> bool + 'a,
        is_beaten: impl FnMut(&[usize]) -> bool + 'a,
    ) -> Self {
        Self {
            problem,
            narrowed: problem.clone(),
            suffices: Box::new(suffices),
            is_beaten: Box::new(is_beaten),
            limits: Vec::new(),
            alike: vec![None; problem.tasks()],
        }
    }

    /// The same where tasks are alike: by task, one before it such that to exchange the two makes no answer dearer or one that does not count.
    #[must_use]
    pub fn with_alike(mut self, alike: Vec<Option<usize>>) -> Self {
        let known = |before: &usize| *before < self.problem.tasks();
        if alike.len() == self.problem.tasks() && alike.iter().flatten().all(known) {
            self.alike = alike;
        }
        self
    }

    /// The same of answers that do not cost too much in another question of the same tasks and agents.
    #[must_use]
    pub fn within(mut self, other: &QuadraticProblem, is_too_much: impl Fn(i64) -> bool + 'a) -> Self {
        if other.tasks() == self.problem.tasks() && other.agents() == self.problem.agents() {
            self.limits.push(Limit {
                problem: other.clone(),
                narrowed: other.clone(),
                is_too_much: Box::new(is_too_much),
                free: Certificate::free(other),
            });
        }
        self
    }

    /// True when the cases show it, beginning with these prices.
    pub fn holds(&mut self, prices: &Certificate, cases: &[Case]) -> bool {
        cases.len() <= MOST_CASES && self.follow(prices, cases).unwrap_or(false)
    }

    fn follow(&mut self, prices: &Certificate, cases: &[Case]) -> Option<bool> {
        let mut cases = cases.iter();
        let none = Known {
            prices,
            rewards: None,
        };
        let mut waiting = vec![(Some(Open::new(self.problem)), none)];
        while let Some((open, above)) = waiting.pop() {
            let case = cases.next()?;
            // below what is closed already there is nothing to look at
            let mut open = open;
            let here = Known {
                prices: case.certificate.as_ref().unwrap_or(above.prices),
                rewards: case.rewards.as_deref().or(above.rewards),
            };
            let is_new = case.certificate.is_some() || case.rewards.is_some();
            for known in [Some(above), is_new.then_some(here)].into_iter().flatten() {
                match open.as_mut().map(|open| self.look(open, known)) {
                    None | Some(Look::Open(..)) => {}
                    Some(Look::Closed) => open = None,
                    Some(Look::Cheaper) => return Some(false),
                }
            }
            match (case.split, open) {
                (None, None) => {}
                (None, Some(_)) => return Some(false),
                (Some((task, agent)), _)
                    if task >= self.problem.tasks() || agent >= self.problem.agents() =>
                {
                    return Some(false);
                }
                (Some(pair), open) => {
                    // where the pair is closed, or the only one, a part is empty
                    let part = |there: bool| {
                        let open = open.as_ref()?;
                        let (task, agent) = pair;
                        let is_open = open.row(self.problem, task)[agent];
                        let is_only = open.only(self.problem, task) == Some(agent);
                        let is_empty = if there { !is_open } else { is_only };
                        (!is_empty).then(|| open.split(self.problem, pair, there))
                    };
                    waiting.push((part(true), here));
                    waiting.push((part(false), here));
                }
            }
        }
        Some(cases.next().is_none())
    }

    /// Closes the pairs that cannot be in an answer that counts and is cheaper.
    pub(super) fn look(&mut self, open: &mut Open, known: Known<'_>) -> Look {
        loop {
            if !open.narrow(self.problem, &self.alike) {
                return Look::Closed;
            }
            let before = open.count();
            for limit in &mut self.limits {
                narrow(&mut limit.narrowed, &limit.problem, open);
                let Some((least, with)) = limit.free.marginals(&limit.narrowed) else {
                    continue;
                };
                if (limit.is_too_much)(least) {
                    return Look::Closed;
                }
                close(open, &with, &limit.is_too_much);
            }
            if before == self.problem.tasks() {
                let only = (0..before).map(|task| open.only(self.problem, task));
                let Some(answer) = only.collect::<Option<Vec<usize>>>() else {
                    return Look::Closed;
                };
                return if (self.is_beaten)(&answer) {
                    Look::Closed
                } else {
                    Look::Cheaper
                };
            }
            narrow(&mut self.narrowed, self.problem, open);
            // of numbers that do not fit nothing is known
            let nothing = || (i64::MIN, vec![Some(i64::MIN); open.0.len()]);
            let (mut bound, with) = known.prices.marginals(&self.narrowed).unwrap_or_else(nothing);
            if (self.suffices)(bound) {
                return Look::Closed;
            }
            close(open, &with, &self.suffices);
            if open.count() < before {
                continue;
            }
            let earned = known
                .rewards
                .and_then(|rewards| earned(&self.narrowed, rewards, &known.prices.prices));
            if let Some((least, with)) = earned.and_then(|earned| earned.whole()) {
                bound = bound.max(least);
                if (self.suffices)(least) {
                    return Look::Closed;
                }
                close(open, &with, &self.suffices);
            }
            if open.count() == before {
                return Look::Open(bound, with);
            }
        }
    }

    pub(super) const fn problem(&self) -> &'a QuadraticProblem {
        self.problem
    }

    /// The question with what is closed forbidden, as it was looked at last.
    pub(super) const fn narrowed(&self) -> &QuadraticProblem {
        &self.narrowed
    }

    /// Whether an answer is as dear as claimed, or does not count.
    pub(super) fn is_beaten(&mut self, answer: &[usize]) -> bool {
        (self.is_beaten)(answer)
    }
}

/// Forbids what is not open.
fn narrow(narrowed: &mut QuadraticProblem, problem: &QuadraticProblem, open: &Open) {
    for task in 0..problem.tasks() {
        for (agent, open) in open.row(problem, task).iter().enumerate() {
            narrowed.set_cost(
                task,
                agent,
                if *open {
                    problem.costs(task)[agent]
                } else {
                    FORBIDDEN
                },
            );
        }
    }
}

/// Closes pairs with which too much is proved.
fn close(open: &mut Open, with: &[Option<i64>], is_enough: &dyn Fn(i64) -> bool) {
    for (open, with) in open.0.iter_mut().zip(with) {
        *open &= with.is_some_and(|with| !is_enough(with));
    }
}
