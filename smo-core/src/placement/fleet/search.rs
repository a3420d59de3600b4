//! The steps: prices on what is limited, the kernel at these, and a search of the whole model for what the kernel is not told.

use super::certificate::Certificate;
use super::climb::Climb;
use super::fullness::Fullness;
use super::left_out::{least, leaves_out, next_value};
use super::multipliers::{Limit, Multipliers, ROUNDS, limits};
use super::pose::Posed;
use crate::placement::integers::weighted;
use crate::placement::local::{has_code, improve};
use crate::placement::{
    Answer, FirstFit, Goal, IntegerModel, PlaceContext, Placement, PlacementError, PlacementProblem, Placer,
    Progress, Proof, Value, Watch, Work, evaluate, verify,
};
use crate::quadratic::{Limits, Start, solve};

/// The argument of a proof by cases.
pub(in crate::placement) const BY_CASES: &str = "prices on capacity, and all cases that they leave open";

/// What the kernel gets of the effort where the whole model is searched too, and what of that finds prices: one part in so many.
const KERNEL: u64 = 2;
const PRICING: u64 = 2;
/// And what of that shares the weight of the fullest cluster among clusters.
const SHARING: u64 = 10;

/// A search under way.
pub(super) struct Search<'a, 's, 'w> {
    problem: &'a PlacementProblem,
    model: IntegerModel<'a>,
    /// What goals weigh, without prices on limits.
    weights: Vec<i128>,
    limits: Vec<Limit>,
    watch: &'s mut Watch<'w>,
    stopped: bool,
    /// Whether a bound of the model without the host's goals is one.
    bounds: bool,
    work: u64,
    best: Option<(Value, Placement)>,
    bound: Option<(i128, &'static str)>,
    /// What proves the greatest bound by itself, and that.
    certificate: Option<(i128, Certificate)>,
    /// Prices of an earlier search.
    known: Option<Certificate>,
    /// The kernel's last answer and what it proved, which the next one begins with.
    last: Option<(Vec<usize>, Certificate)>,
}

/// An answer of the kernel.
struct Attempt {
    placement: Placement,
    /// By goal.
    totals: Vec<i128>,
    /// No placement that keeps the limits is worth less.
    bound: Option<i128>,
}

/// What came of asking the kernel.
enum Asked {
    Found(Box<Attempt>),
    /// Nothing, and whether there is nothing.
    Nothing {
        proved: bool,
    },
}

impl<'a, 's, 'w> Search<'a, 's, 'w> {
    pub(super) fn new(
        problem: &'a PlacementProblem,
        known: Option<&Certificate>,
        watch: &'s mut Watch<'w>,
    ) -> Result<Self, PlacementError> {
        let model = IntegerModel::without_code(problem)?;
        Ok(Self {
            problem,
            weights: model.weights.clone(),
            limits: limits(&model),
            known: known.cloned(),
            model,
            watch,
            stopped: false,
            bounds: !problem.has_code_below(),
            work: 0,
            best: None,
            bound: None,
            certificate: None,
            last: None,
        })
    }

    pub(super) fn run(mut self, effort: u64) -> Result<Answer, PlacementError> {
        let open = self
            .model
            .services
            .iter()
            .map(|service| service.open.len() as u64);
        let pairs: u64 = open.sum();
        let whole = leaves_out(&self.model) || has_code(self.problem);
        let of_kernel = if whole { effort / KERNEL } else { effort };
        let start = match self.price(of_kernel)? {
            Asked::Nothing { proved: true } => {
                return Ok(Answer::NotFound {
                    proved: true,
                    work: self.worked(pairs),
                });
            }
            Asked::Nothing { proved: false } => None,
            Asked::Found(attempt) => Some(attempt.placement),
        };
        // what runs now is an answer too, where it still is one
        self.offer(self.problem.current.clone())?;
        let left = effort.saturating_sub(self.work);
        if !self.stopped && !self.is_proved() && (whole || self.best.is_none()) {
            // at good prices the kernel's answer is a little over a limit, and nearer to the best than what keeps it by chance
            let best = self.best.as_ref().map(|(_, placement)| placement.clone());
            let from = if self.limits.is_empty() {
                best.or(start)
            } else {
                start.or(best)
            };
            self.search_whole(&from.unwrap_or_default(), left)?;
        }
        if self.best.is_none() {
            let context = PlaceContext {
                problem: self.problem,
            };
            if let Ok(Answer::Found { placement, .. }) = FirstFit::new().place(&context) {
                self.offer(placement)?;
            }
        }
        let work = self.worked(pairs);
        let Some((value, placement)) = self.best else {
            return Ok(Answer::NotFound { proved: false, work });
        };
        let bound = self.bound.filter(|(bound, _)| *bound <= value.units());
        let (certified, certificate) = self.certificate.unzip();
        Ok(Answer::Found {
            placement,
            bound: bound.map(|(bound, _)| Value::from_units(bound)),
            proof: match bound {
                Some((_, argument)) => Proof::Integer {
                    argument: argument.to_owned(),
                    certificate: certificate.map(Box::new),
                    certified: certified.map(Value::from_units),
                },
                None => Proof::None,
            },
            work,
        })
    }

    const fn worked(&self, pairs: u64) -> Work {
        Work {
            pairs: pairs.saturating_add(self.work),
            nodes: 0,
            variables: 0,
            constraints: 0,
        }
    }

    fn is_proved(&self) -> bool {
        let best = self.best.as_ref().map(|(value, _)| value.units());
        best.zip(self.bound)
            .is_some_and(|(best, (bound, _))| bound >= best)
    }

    /// Keeps a placement that keeps every rule, where it is the best.
    fn offer(&mut self, placement: Placement) -> Result<(), PlacementError> {
        if !verify(self.problem, &placement).is_empty() {
            return Ok(());
        }
        let (_, value) = evaluate(self.problem, &placement)?;
        if self.best.as_ref().is_none_or(|(known, _)| value < *known) {
            self.best = Some((value, placement));
        }
        Ok(())
    }

    /// Asks the kernel, at the prices on limits that bound best where there are limits.
    fn price(&mut self, effort: u64) -> Result<Asked, PlacementError> {
        let mut best = Multipliers::none(&self.limits);
        if self.limits.is_empty() {
            return self.ask(&best, effort);
        }
        let each = effort / PRICING / (self.limits.len() * ROUNDS) as u64;
        for limit in 0..self.limits.len() {
            if self.stopped {
                break;
            }
            match self.price_of(limit, &best, each)? {
                Some(found) => best = found,
                None => return Ok(Asked::Nothing { proved: true }),
            }
        }
        let left = effort.saturating_sub(self.work);
        self.ask(&best, left)
    }

    /// The prices with that of one limit that bounds best; `None` when no placement keeps the limit.
    fn price_of(
        &mut self,
        number: usize,
        prices: &Multipliers,
        effort: u64,
    ) -> Result<Option<Multipliers>, PlacementError> {
        let limit = self.limits[number].clone();
        let Asked::Found(first) = self.ask(prices, effort)? else {
            return Ok(Some(prices.clone()));
        };
        if limit.over(&first.totals) <= 0 {
            return Ok(Some(prices.clone()));
        }
        // a placement with little of what is limited
        let Asked::Found(mut least) = self.ask_with(limit.weights.clone(), None, effort)? else {
            return Ok(Some(prices.clone()));
        };
        let refuted = |least: &Attempt| least.bound.is_some_and(|bound| bound > limit.at_most);
        if !refuted(&least)
            && limit.over(&least.totals) > 0
            && let Asked::Found(longer) =
                self.ask_with(limit.weights.clone(), None, effort.saturating_mul(ROUNDS as u64))?
        {
            // even the least that was found is too much: whether there is less decides everything
            least = longer;
        }
        if refuted(&least) {
            return Ok(None);
        }
        let Some(weights) = prices.weights(&self.limits, &self.weights) else {
            return Ok(Some(prices.clone()));
        };
        let worth = |totals: &[i128]| weighted(&weights, totals);
        let mut climb = Climb::default();
        climb.note(prices.of(number), first.bound.unwrap_or(i128::MIN));
        let (mut beyond, mut inside) = (first.totals, least.totals);
        for _ in 2..ROUNDS {
            // where what is within the limit and what is not are worth the same
            let rise = worth(&inside).saturating_sub(worth(&beyond));
            let run = limit.over(&beyond).saturating_sub(limit.over(&inside));
            let guess = rise.checked_div(run).filter(|_| run > 0).unwrap_or(0);
            let Some(price) = climb.next(guess).filter(|_| !self.stopped) else {
                break;
            };
            let Asked::Found(attempt) = self.ask(&prices.with(number, price), effort)? else {
                break;
            };
            climb.note(price, attempt.bound.unwrap_or(i128::MIN));
            let over = limit.over(&attempt.totals);
            if over <= 0 {
                inside = attempt.totals;
            } else if over < limit.over(&beyond) {
                beyond = attempt.totals;
            }
        }
        Ok(Some(prices.with(number, climb.best().unwrap_or(0))))
    }

    fn ask(&mut self, prices: &Multipliers, effort: u64) -> Result<Asked, PlacementError> {
        let priced = prices
            .weights(&self.limits, &self.weights)
            .zip(prices.of_limits(&self.limits));
        let Some((weights, of_limits)) = priced else {
            return Ok(Asked::Nothing { proved: false });
        };
        self.ask_with(weights, Some((prices, of_limits)), effort)
    }

    /// Asks the kernel with these weights of goals. Where they are those of the question with `prices` on limits, what it proves less what the
    /// limits cost is a bound of the question.
    fn ask_with(
        &mut self,
        weights: Vec<i128>,
        prices: Option<(&Multipliers, i128)>,
        effort: u64,
    ) -> Result<Asked, PlacementError> {
        // who said to stop is not asked again
        if self.stopped {
            return Ok(Asked::Nothing { proved: false });
        }
        let plain = weights == self.weights;
        self.model.weights = weights;
        let (fullness, work) = Fullness::find(&self.model, effort / SHARING);
        self.work += work;
        let effort = effort.saturating_sub(work);
        let posed = Posed::new(&self.model, &fullness)?;
        let above = least(&self.model, &fullness);
        self.model.weights.clone_from(&self.weights);
        let Some(posed) = posed else {
            return Ok(Asked::Nothing { proved: true });
        };
        // what has little of a limit begins where everything is now
        let known = self.last.as_ref().filter(|_| prices.is_some());
        let now = posed.now(&self.model);
        let earlier = known.map(|(_, certificate)| certificate).or(self.known.as_ref());
        let earlier = earlier
            .filter(|_| prices.is_some())
            .map(|known| known.prices_of(&self.model, &posed));
        let start = Start {
            answer: known.map(|(answer, _)| answer.as_slice()).or(now.as_deref()),
            prices: earlier.as_ref(),
        };
        let (counts, of_limits) = (prices.is_some(), prices.map_or(0, |(_, of_limits)| of_limits));
        let of_question = &self.weights;
        let as_value = |cost: i64| {
            let bound = posed.value(cost)?.checked_add(above?)?.checked_sub(of_limits)?;
            if counts {
                next_value(of_question, bound)
            } else {
                Some(bound)
            }
        };
        let before = self.work;
        let known = self.bound.map(|(bound, _)| bound);
        let watch = &mut *self.watch;
        let solved = solve(
            &posed.problem,
            &start,
            &Limits {
                effort,
                ..Limits::default()
            },
            &mut |progress| {
                let value = progress
                    .value
                    .filter(|_| plain)
                    .and_then(|cost| posed.value(cost));
                let bound = progress.bound.filter(|_| counts).and_then(as_value);
                watch(&Progress {
                    work: before + progress.work,
                    value: value.map(Value::from_units),
                    bound: bound.max(known).map(Value::from_units),
                })
            },
        );
        self.work += solved.work;
        self.stopped |= solved.stopped;
        if solved.best.is_none() {
            return Ok(Asked::Nothing {
                proved: solved.complete(),
            });
        }
        let argument = if solved.priced < solved.bound || solved.certificate.cases.is_some() {
            BY_CASES
        } else if solved.certificate.packing.is_some() {
            "rewards for services, and the most that each cluster can earn in the room it has"
        } else if !fullness.as_slice().is_empty() {
            "prices on capacity and on how full each cluster is, each graph placed best at them"
        } else if of_limits != 0 {
            "prices on capacity and on what is limited, each graph placed best at them"
        } else {
            "prices on capacity, each graph placed best at them"
        };
        let bound = as_value(solved.bound).filter(|_| self.bounds);
        if counts
            && let Some(bound) = bound
            && self.bound.is_none_or(|(known, _)| bound > known)
        {
            self.bound = Some((bound, argument));
        }
        let Some((answer, _)) = solved.best else {
            return Ok(Asked::Nothing { proved: false });
        };
        let placement = posed.placement(&self.model, &answer);
        if let Some((prices, _)) = prices {
            let proved = as_value(solved.priced).filter(|_| self.bounds);
            let certificate = Certificate::new(&self.model, prices, &fullness, &posed, solved.certificate);
            if let Some(proved) = proved
                && self.certificate.as_ref().is_none_or(|(known, _)| proved > *known)
            {
                self.certificate = Some((proved, certificate.clone()));
            }
            self.last = Some((answer, certificate));
        }
        self.offer(placement.clone())?;
        let (totals, _) = evaluate(self.problem, &placement)?;
        Ok(Asked::Found(Box::new(Attempt {
            placement,
            totals: Goal::ALL.into_iter().map(|goal| totals.of(goal).into()).collect(),
            bound,
        })))
    }

    /// Searches the whole model from a placement.
    fn search_whole(&mut self, start: &Placement, effort: u64) -> Result<(), PlacementError> {
        let before = self.work;
        let bound = self.bound.map(|(bound, _)| Value::from_units(bound));
        let watch = &mut *self.watch;
        let found = improve(self.problem, &self.model, start, effort, &mut |progress| {
            watch(&Progress {
                work: before + progress.work,
                value: progress.value,
                bound,
            })
        });
        self.work += found.work;
        self.stopped |= found.stopped;
        match found.placement {
            Some(placement) => self.offer(placement),
            None => Ok(()),
        }
    }
}
