//! The whole search: prices, a first answer, annealing, and the proof.

use std::cell::RefCell;

use super::anneal::{Anneal, Candidates, Schedule};
use super::branch::by_cases;
use super::certificate::Certificate;
use super::certificate_cases::{Cases, Claim};
use super::certificate_narrow::{Open, alike};
use super::certificate_parts::Share;
use super::construct::construct;
use super::dual::{Ascent, Stage};
use super::field::Field;
use super::forest::Forest;
use super::incumbent::Incumbent;
use super::problem::QuadraticProblem;
use super::rewards::reward;
use super::shares::Shares;
use super::star::{Star, stars};
use super::state::State;

/// How much work a question may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Table cells and changes looked at: about a nanosecond each.
    pub effort: u64,
    /// Where chance begins: with another number the search goes other ways. The same number gives the same answer.
    pub seed: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            effort: 4_000_000_000,
            seed: 0,
        }
    }
}

/// A question of at most so many pairs is tried by cases.
const FEW_PAIRS: usize = 4_000;

/// A question of at most so many pairs has its cases looked at for half of the time.
const FEWEST_PAIRS: usize = 400;

/// Effort for each pair, and each task of all, beyond which another run is worth more than a longer one: few tasks are soon where they
/// want to be. Twenty times as much where load costs by itself.
const A_RUN: u64 = 20;

/// A search has fewer runs than this.
const SEEDS: u64 = 1_000;

/// Effort for each pair from which on a warm search also looks far away.
const ENOUGH: u64 = 2_000;

/// One part in so many of the effort finds prices, of half the effort where nothing else is looked for.
const PRICED: u64 = 10;
const PROVING: u64 = PRICED / 2;

/// One part in so many of the effort goes to a bound by what agents can take.
const PACKED: u64 = 6;

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
    /// What proves a bound by itself: prices, and what agents can take.
    pub certificate: Certificate,
    /// The bound that they prove. [`Self::bound`] is greater where cases were tried too.
    pub priced: i64,
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

/// What is known before a search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start<'a> {
    /// One agent a task, such as what runs now. Tasks that may not be where it says, and what overloads an agent, are placed
    /// anew; the search goes on from there, and looks far away only where the effort suffices for that.
    pub answer: Option<&'a [usize]>,
    /// The prices of an earlier search on the same agents.
    pub prices: Option<&'a Certificate>,
}

/// Finds a cheap answer and a bound, from nothing or from what is known.
///
/// `watch` is told from time to time where the search stands; it ends when that says `false`.
/// See [`QuadraticProblem`] for an example.
#[must_use]
pub fn solve(
    problem: &QuadraticProblem,
    start: &Start<'_>,
    limits: &Limits,
    watch: &mut dyn FnMut(&Progress) -> bool,
) -> Solved {
    let impossible = Open::new(problem).nowhere(problem);
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
            ..Certificate::default()
        };
        // what is out of balance even when empty costs
        let value = problem.value(&[]).unwrap_or_default();
        return Solved {
            best: Some((Vec::new(), value)),
            bound: value,
            priced: certificate.bound(problem).unwrap_or(i64::MIN),
            certificate,
            ..Solved::default()
        };
    }
    let field = Field::new(problem);
    let stars = stars(problem);
    let forest = Forest::new(problem, &stars);
    let mut search = Search {
        seed: limits.seed.wrapping_mul(SEEDS),
        ..Search::new(problem, &field, &forest, &stars, watch)
    };
    search.run(start, limits)
}

/// Looks for prices that prove much, and for what agents can take, without looking for answers: a certificate, what it proves, and the effort that
/// took. `None` where a task has no agent.
#[must_use]
pub fn prove(
    problem: &QuadraticProblem,
    effort: u64,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Option<(Certificate, i64, u64)> {
    if problem.tasks() == 0 || Open::new(problem).nowhere(problem).is_some() {
        return None;
    }
    let field = Field::new(problem);
    let stars = stars(problem);
    let forest = Forest::new(problem, &stars);
    let mut watch = |progress: &Progress| go_on(progress.work);
    let mut search = Search::new(problem, &field, &forest, &stars, &mut watch);
    let incumbent = Incumbent::new();
    let (prices, shares) = search.prices(None, effort.saturating_mul(PROVING), &incumbent);
    let mut certificate = search.certificate(&prices, shares);
    search.priced = certificate.bound(problem)?;
    search.pack(
        &mut certificate,
        &prices,
        effort.saturating_sub(search.work),
        &incumbent,
    );
    Some((certificate, search.priced, search.work))
}

struct Search<'a, 'w> {
    problem: &'a QuadraticProblem,
    field: &'a Field,
    forest: &'a Forest,
    stars: &'a [Star],
    watch: &'w mut dyn FnMut(&Progress) -> bool,
    stopped: bool,
    work: u64,
    bound: Option<i64>,
    /// The bound of the certificate.
    priced: i64,
    /// Added to the number of each run.
    seed: u64,
}

impl<'a, 'w> Search<'a, 'w> {
    fn new(
        problem: &'a QuadraticProblem,
        field: &'a Field,
        forest: &'a Forest,
        stars: &'a [Star],
        watch: &'w mut dyn FnMut(&Progress) -> bool,
    ) -> Self {
        Self {
            problem,
            field,
            forest,
            stars,
            watch,
            stopped: false,
            work: 0,
            bound: None,
            priced: i64::MIN,
            seed: 0,
        }
    }

    fn run(&mut self, start: &Start<'_>, limits: &Limits) -> Solved {
        let kept = self.kept(start.answer);
        let known = start
            .prices
            .and_then(|known| known.prices(self.problem, self.field.width));
        let mut incumbent = self.first(known.as_deref(), &kept);
        let (prices, shares) = self.prices(known, limits.effort, &incumbent);
        let mut certificate = self.certificate(&prices, shares);
        self.priced = certificate.bound(self.problem).unwrap_or(i64::MIN);
        self.pack(&mut certificate, &prices, limits.effort / PACKED, &incumbent);
        if dearest(self.problem).is_some_and(|dearest| self.priced > dearest) {
            self.bound = Some(i64::MAX);
            return self.solved(&incumbent, certificate);
        }
        self.bound = Some(self.priced);
        let warm = 2 * kept.iter().flatten().count() > kept.len();
        let first = construct(self.problem, self.field, self.forest, &prices, &kept);
        let mut state = State::new(self.problem, self.field, &first);
        incumbent.see_all(&state);
        let guide = Guide {
            candidates: &Candidates::new(self.problem, self.field, self.forest, &prices),
            prices: &prices,
        };
        if !self.tell(&incumbent) || self.is_proved(&incumbent) {
            return self.solved(&incumbent, certificate);
        }
        let pairs = self.problem.tasks() * self.problem.agents();
        let left = limits.effort.saturating_sub(self.work);
        let strained = self.field.is_strained();
        let near = if left / (pairs as u64) < ENOUGH {
            left
        } else if strained {
            // the long run begins too hot to keep any of it
            left / 50
        } else {
            left / 10
        };
        let (schedule, effort) = if warm {
            (Schedule::near(), near)
        } else {
            (Schedule::default(), left / 30)
        };
        self.anneal(&mut state, &guide, &mut incumbent, (&schedule, 1), effort);
        if !self.stopped && pairs <= FEW_PAIRS {
            let left = limits.effort.saturating_sub(self.work);
            let share = if pairs <= FEWEST_PAIRS { 2 } else { 4 };
            let best = self.branch(&mut certificate, self.checked(&incumbent), left / share);
            if let Some((answer, _)) = best {
                state.reset(&answer);
                incumbent.see_all(&state);
            }
        }
        let left = limits.effort.saturating_sub(self.work);
        let (schedule, a_run) = if strained {
            (Schedule::strained(), 20 * A_RUN)
        } else {
            (Schedule::default(), A_RUN)
        };
        let polish = if strained { left / 10 } else { 0 };
        let a_run = a_run.saturating_mul((pairs * self.problem.tasks()) as u64);
        let runs = (left / a_run.max(1)).clamp(1, 100);
        for run in 0..runs {
            let left = limits.effort.saturating_sub(self.work + polish);
            if self.stopped || left == 0 || self.is_proved(&incumbent) {
                break;
            }
            let effort = left / (runs - run);
            self.anneal(&mut state, &guide, &mut incumbent, (&schedule, 2 + run), effort);
        }
        // where pairs cost next to nothing beside load, most of what is left to find is at the heat of pairs
        let small = self.field.scale * Schedule::polish().hot;
        let stages = if self.field.pairs > 0.0 && self.field.pairs < small {
            &[(Schedule::polish(), 5), (Schedule::homing(), 1)][..]
        } else {
            &[(Schedule::polish(), 1)]
        };
        for (number, (schedule, one_in)) in (2 + runs..).zip(stages) {
            let Some(best) = incumbent.answer.clone().filter(|_| strained) else {
                break;
            };
            state.reset(&best);
            let left = limits.effort.saturating_sub(self.work);
            self.anneal(
                &mut state,
                &guide,
                &mut incumbent,
                (schedule, number),
                left / one_in,
            );
        }
        self.solved(&incumbent, certificate)
    }

    /// What of an answer can stay: where a task is allowed, and the agent has room after the larger ones.
    fn kept(&self, answer: Option<&[usize]>) -> Vec<Option<usize>> {
        let tasks = self.problem.tasks();
        let mut kept = vec![None; tasks];
        let Some(answer) = answer.filter(|answer| answer.len() == tasks) else {
            return kept;
        };
        let mut room = self.field.capacities.clone();
        let mut order: Vec<usize> = (0..tasks).collect();
        order.sort_by(|a, b| self.field.size(*b).total_cmp(&self.field.size(*a)).then(a.cmp(b)));
        for task in order {
            let agent = answer[task];
            if self.problem.allows(task, agent) && self.field.fits(task, agent, &room) {
                self.field.add_needs(task, agent, -1.0, &mut room);
                kept[task] = Some(agent);
            }
        }
        kept
    }

    /// True when the incumbent is the best answer, or there is none.
    fn is_proved(&self, incumbent: &Incumbent) -> bool {
        let answer = incumbent.answer.as_ref();
        let value = answer.and_then(|answer| self.problem.value(answer));
        self.bound.is_some_and(|bound| value.unwrap_or(i64::MAX) <= bound)
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
            priced: self.priced,
            impossible: None,
            work: self.work,
            stopped: self.stopped,
        }
    }

    /// An answer and a bound at once, at prices that are known or none: some wait for any answer more than for a good one.
    fn first(&mut self, known: Option<&[f64]>, kept: &[Option<usize>]) -> Incumbent {
        let none = vec![0.0; self.field.resources * self.field.width];
        let prices = known.unwrap_or(&none);
        let mut incumbent = Incumbent::new();
        let first = construct(self.problem, self.field, self.forest, prices, kept);
        incumbent.see_all(&State::new(self.problem, self.field, &first));
        self.work += 2 * (self.problem.tasks() * self.field.width) as u64;
        if incumbent.answer.is_some() {
            let certificate = self.certificate(prices, Vec::new());
            self.bound = certificate.bound(self.problem);
            self.tell(&incumbent);
        }
        incumbent
    }

    fn certificate(&self, prices: &[f64], shares: Vec<Share>) -> Certificate {
        Certificate::of(self.problem, prices, self.field.width, &self.forest.rest, shares)
    }

    fn prices(
        &mut self,
        known: Option<Vec<f64>>,
        effort: u64,
        incumbent: &Incumbent,
    ) -> (Vec<f64>, Vec<Share>) {
        // what load costs by itself prices do not know
        let effort = effort / if self.field.is_strained() { 50 } else { PRICED };
        let shares = Shares::new(self.problem, self.field, self.forest, self.stars);
        let mut ascent = Ascent::new(self.problem, self.field, self.forest, shares);
        let warm = known.is_some_and(|known| ascent.start_from(&known));
        let first = if warm { 0.01 } else { 0.1 };
        let sweep = ascent.sweep_work().max(1);
        let sweeps = |share: f64, most: usize, one_in: usize| {
            ((effort as f64 * share / (sweep as f64 / one_in as f64)) as usize).clamp(8, most)
        };
        let one_in = (self.forest.trees() / 32).clamp(1, 8);
        let stages = [
            Stage {
                sweeps: sweeps(0.6, 2000, one_in),
                one_in,
                from: first,
                to: 0.002,
            },
            Stage {
                sweeps: sweeps(0.4, 600, 1),
                one_in: 1,
                from: 0.002,
                to: 0.0001,
            },
        ];
        let before = self.work;
        for stage in stages {
            if self.stopped {
                break;
            }
            ascent.climb(&stage, &mut |work| {
                self.work = before + work;
                self.tell(incumbent)
            });
        }
        self.work = before + ascent.work;
        if !self.stopped {
            ascent.share(effort, &mut |work| {
                self.work = before + work;
                self.tell(incumbent)
            });
            self.work = before + ascent.work;
        }
        (ascent.prices(), ascent.shares())
    }

    /// Adds what agents can take to the proof, where that proves more.
    fn pack(&mut self, certificate: &mut Certificate, prices: &[f64], effort: u64, incumbent: &Incumbent) {
        if self.stopped {
            return;
        }
        self.bound = Some(self.priced);
        let before = self.work;
        let (problem, field, forest) = (self.problem, self.field, self.forest);
        let found = reward(problem, field, forest, prices, self.priced, effort, &mut |work| {
            self.work = before + work;
            self.tell(incumbent)
        });
        let Some((packing, work)) = found else { return };
        self.work = before + work;
        certificate.packing = Some(packing);
        match certificate.bound(problem).filter(|bound| *bound > self.priced) {
            Some(bound) => self.priced = bound,
            None => certificate.packing = None,
        }
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
        guide: &Guide<'_>,
        incumbent: &mut Incumbent,
        (schedule, seed): (&Schedule, u64),
        effort: u64,
    ) {
        if self.stopped {
            return;
        }
        let before = self.work;
        let from = state.work;
        let seed = self.seed.wrapping_add(seed);
        let mut anneal = Anneal::new(state, guide.candidates, guide.prices, incumbent, seed);
        anneal.cool(schedule, effort, &mut |work, incumbent| {
            self.work = before + work - from;
            self.tell(incumbent)
        });
    }

    /// Tries every case where there are few, and adds what they show to the proof.
    fn branch(
        &mut self,
        certificate: &mut Certificate,
        best: Option<(Vec<usize>, i64)>,
        effort: u64,
    ) -> Option<(Vec<usize>, i64)> {
        let before = self.work;
        let problem = self.problem;
        let best = RefCell::new(best);
        let value = || best.borrow().as_ref().map(|(_, value)| *value);
        let see = |answer: &[usize]| {
            if let Some(cost) = problem.value(answer)
                && value().is_none_or(|value| cost < value)
            {
                *best.borrow_mut() = Some((answer.to_vec(), cost));
            }
            true
        };
        let suffices = |bound: i64| value().is_some_and(|value| bound >= value);
        let mut claim = Claim::new(problem, suffices, see).with_alike(alike(problem));
        let branched = by_cases(
            &mut claim,
            certificate,
            problem.links().is_empty(),
            effort,
            &mut |work| {
                let go_on = (self.watch)(&Progress {
                    work: before + work,
                    value: None,
                    bound: self.bound,
                });
                self.stopped |= !go_on;
                go_on
            },
        );
        drop(claim);
        self.work += branched.work;
        // nothing is cheaper than the best answer, or what was not looked at
        let shown = branched.open.into_iter().chain(value()).min().unwrap_or(i64::MAX);
        if self.bound.is_none_or(|bound| shown > bound) {
            self.bound = Some(shown);
            if let Some(cases) = branched.cases.filter(|_| shown < i64::MAX) {
                let claim = shown.into();
                certificate.cases = Some(Box::new(Cases { claim, cases }));
                // what was looked at with a worse answer in hand may not be enough for whoever follows
                match certificate.bound(problem).filter(|bound| *bound >= shown) {
                    Some(bound) => self.priced = bound,
                    None => certificate.cases = None,
                }
            }
        }
        best.into_inner()
    }
}

/// What guides the annealing.
struct Guide<'a> {
    candidates: &'a Candidates,
    prices: &'a [f64],
}

/// More than any answer costs; `None` when that does not fit.
fn dearest(problem: &QuadraticProblem) -> Option<i64> {
    let mut sum = 0_i64;
    for task in 0..problem.tasks() {
        let allowed = problem
            .costs(task)
            .iter()
            .filter(|cost| **cost != super::FORBIDDEN);
        sum = sum.checked_add(*allowed.max()?)?;
    }
    for link in problem.links() {
        sum = sum.checked_add(
            link.weight
                .checked_mul(problem.distances()[link.distance].most())?,
        )?;
    }
    for group in problem.groups() {
        let most = i64::try_from(group.most_excess()).ok()?;
        sum = sum.checked_add(group.price.unwrap_or(0).checked_mul(most)?)?;
    }
    for agent in 0..problem.agents() {
        for (resource, has) in problem.capacities(agent).iter().enumerate() {
            let Some(comfort) = problem.comfort(agent, resource) else {
                continue;
            };
            let all = (0..problem.tasks())
                .try_fold(0_u64, |sum, task| sum.checked_add(problem.needs(task)[resource]));
            let above = all?.min(*has).saturating_sub(comfort.level);
            sum = sum.checked_add(comfort.price.checked_mul(i64::try_from(above).ok()?)?)?;
        }
        for balance in problem.balances() {
            let all = (0..problem.tasks()).try_fold(0_u128, |sum, task| {
                sum.checked_add(problem.needs(task)[balance.other].into())
            });
            let above = balance.above(agent, 0, all?)?;
            sum = sum.checked_add(balance.price.checked_mul(i64::try_from(above).ok()?)?)?;
        }
    }
    Some(sum)
}
