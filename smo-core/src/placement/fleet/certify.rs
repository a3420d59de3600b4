//! A proof that stands by itself, for what any placer says.

use super::certificate::Certificate;
use super::question::Question;
use crate::placement::{PlacementError, PlacementProblem, Progress, Value, Watch};
use crate::quadratic::{self, Cases, by_cases, prove};

/// One part in so many of the effort looks for prices, and the rest at the cases that they leave open.
const PRICING: u64 = 4;

/// The effort that is tried first, for each pair: most questions need no more.
const QUICK: u64 = 4_000;

/// One part in so many goes by prices alone.
const PLAIN: u64 = 2;

/// What came of looking for a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// The best proof found; `None` where nothing can be proved, as of goals of the host that look at everything.
    pub certificate: Option<Certificate>,
    /// What it proves.
    pub bound: Option<Value>,
    /// Effort taken, about a nanosecond each.
    pub work: u64,
}

/// Looks for a certificate that no placement is worth less than `claim`: no price at all, then prices on capacity and what clusters can
/// take, then cases. The claim can be of any placer; it is not believed. Where the effort does not do, or the claim is wrong, the
/// certificate proves less.
///
/// `watch` is told the effort from time to time; what was found so far counts when it says `false`.
///
/// # Errors
/// [`PlacementError::Overflow`] and [`PlacementError::TooLarge`] for amounts that do not fit.
///
/// ```
/// use smo_core::placement::{MilpPlacer, PlacementProblem, certify, decide};
///
/// let problem = PlacementProblem::parse(
///     "problem:
///   services:
///     - {name: p/g/one, perReplica: {cpu: 3}}
///     - {name: p/g/two, perReplica: {cpu: 3}}
///   clusters:
///     - {name: edge, capacity: {cpu: 4}, price: {cpu: 0.01}}
///     - {name: cloud, capacity: {cpu: 4}, price: {cpu: 0.02}}",
/// )?;
/// let decision = decide(&MilpPlacer::default(), &problem)?.into_decision().unwrap();
/// let certified = certify(&problem, decision.value, 1_000_000, &mut |_| true)?;
/// assert_eq!(certified.bound, Some(decision.value));
/// assert_eq!(certified.certificate.unwrap().bound(&problem)?, Some(decision.value));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn certify(
    problem: &PlacementProblem,
    claim: Value,
    effort: u64,
    watch: &mut Watch<'_>,
) -> Result<Certified, PlacementError> {
    certify_from(problem, claim, None, effort, watch)
}

/// The same with what is known of prices on limits and of the fullest cluster.
pub(in crate::placement) fn certify_from(
    problem: &PlacementProblem,
    claim: Value,
    known: Option<&Certificate>,
    effort: u64,
    watch: &mut Watch<'_>,
) -> Result<Certified, PlacementError> {
    let mut best = Certified {
        certificate: None,
        bound: None,
        work: 0,
    };
    if problem.has_code_below() {
        return Ok(best);
    }
    let (limits, fullness) = known.map_or((&[][..], &[][..]), |known| (&known.limits, &known.fullness));
    let Some(question) = Question::new(problem, limits, fullness)? else {
        return Ok(best);
    };
    // what is known proves more than that nothing costs
    if known.is_none() {
        let free = quadratic::Certificate::free(&question.posed.problem);
        best.bound = question.value_of(&free).map(Value::from_units);
        best.certificate = best.bound.map(|_| Certificate::free());
        if best.bound >= Some(claim) {
            return Ok(best);
        }
    }
    let mut search = Search {
        question,
        claim,
        best,
        watch,
        stopped: false,
    };
    let kernel = &search.question.posed.problem;
    let pairs = (kernel.tasks() * kernel.agents()) as u64;
    let quick = effort.min(pairs.saturating_mul(QUICK));
    for (effort, rewarding) in [(quick, false), (effort / PLAIN, false), (effort, true)] {
        if search.best.work < effort && !search.stopped && search.best.bound < Some(claim) {
            search.run(effort, rewarding)?;
        }
    }
    Ok(search.best)
}

struct Search<'a, 's, 'w> {
    question: Question<'a>,
    claim: Value,
    best: Certified,
    watch: &'s mut Watch<'w>,
    stopped: bool,
}

impl Search<'_, '_, '_> {
    /// Until about so much effort is taken in all, with rewards in every case or by prices alone.
    fn run(&mut self, effort: u64, rewarding: bool) -> Result<(), PlacementError> {
        let before = self.best.work;
        let (watch, stopped) = (&mut *self.watch, &mut self.stopped);
        let mut told = |work: u64| {
            *stopped = *stopped
                || !watch(&Progress {
                    work,
                    value: None,
                    bound: None,
                });
            !*stopped
        };
        let question = &self.question;
        let pricing = (effort - before) / PRICING;
        let proved = prove(&question.posed.problem, pricing, &mut |work| told(before + work));
        let Some((kernel, priced, work)) = proved else {
            return Ok(());
        };
        let mut certificate = Certificate::new(
            &question.model,
            &question.prices,
            &question.fullness,
            &question.posed,
            kernel,
        );
        let before = before.saturating_add(work);
        self.best.work = before;
        let priced = question.value(priced).map(Value::from_units);
        if priced > self.best.bound {
            self.best.bound = priced;
            self.best.certificate = Some(certificate.clone());
        }
        if priced >= Some(self.claim) {
            return Ok(());
        }
        let Some(mut claimed) = question.claim(self.claim.units())? else {
            return Ok(());
        };
        let left = effort.saturating_sub(before);
        let branched = by_cases(&mut claimed, &certificate.kernel, rewarding, left, &mut |work| {
            told(before + work)
        });
        self.best.work = before.saturating_add(branched.work);
        if branched.open.is_none()
            && let Some(cases) = branched.cases
        {
            certificate.cases = Some(Cases {
                claim: self.claim.units(),
                cases,
            });
            self.best.bound = Some(self.claim);
            self.best.certificate = Some(certificate);
        }
        Ok(())
    }
}
