//! Branch and bound on prices: what reduced cost rules out is closed, and a tree decides the rest. What it looked at is a proof that can be
//! followed again.
//!
//! Every node climbs a little from its parent's prices. Branching closes one choice of the dearest row that the relaxed
//! answer overloads, or takes it. Where what agents can take proves more than prices, nodes climb by rewards instead.

use std::rc::Rc;

use super::branch_rewards::climb;
use super::certificate::Certificate;
use super::certificate_cases::{Case, Claim, Known, Look, MOST_CASES};
use super::certificate_narrow::Open;
use super::dual::{Ascent, Stage};
use super::field::Field;
use super::forest::Forest;
use super::problem::QuadraticProblem;
use super::shares::Shares;
use super::star::stars;

/// Sweeps of the climb of one node, and rounds of sharing where there is something to share.
const SWEEPS: usize = 40;
const ROUNDS: u64 = 24;

/// What came of looking at cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branched {
    /// What shows that no answer that counts costs less than [`Self::open`] or is claimed; `None` where that is too much to keep, or the claim is wrong.
    pub cases: Option<Vec<Case>>,
    /// The least that prices prove of what was not looked at; `None` where all was.
    pub open: Option<i64>,
    /// An answer that counts and is cheaper than claimed was met: the claim is wrong.
    pub refuted: bool,
    /// Effort taken.
    pub work: u64,
}

/// Looks for cases that show a claim, beginning with these prices, until the effort is used up or `go_on` says `false`. With rewards at
/// every node, which take longer, where that is wanted and they prove more than prices do: for agents that are full to the last unit.
///
/// ```
/// use smo_core::quadratic::{Certificate, Claim, QuadraticProblem, by_cases};
///
/// // Two tasks of 2; the cheap agent has room for one, which prices say only in part.
/// let mut problem = QuadraticProblem::new(2, 2, 1);
/// for task in 0..2 {
///     problem.set_need(task, 0, 2);
///     problem.set_cost(task, 0, 1);
///     problem.set_cost(task, 1, 10);
/// }
/// problem.set_capacity(0, 0, 3);
/// problem.set_capacity(1, 0, 9);
/// let question = &problem;
/// let claimed = |claim: i64| {
///     let dear = move |answer: &[usize]| question.value(answer).is_none_or(|value| value >= claim);
///     Claim::new(question, move |bound| bound >= claim, dear)
/// };
/// let prices = Certificate::free(&problem);
/// let shown = by_cases(&mut claimed(11), &prices, true, 1_000_000, &mut |_| true);
/// assert!(claimed(11).holds(&prices, &shown.cases.unwrap()));
/// assert!(by_cases(&mut claimed(12), &prices, false, 1_000_000, &mut |_| true).refuted);
/// ```
#[must_use]
pub fn by_cases(
    claim: &mut Claim<'_>,
    prices: &Certificate,
    rewarding: bool,
    effort: u64,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Branched {
    let mut tree = Tree {
        claim,
        cases: Some(Vec::new()),
        rewarding,
        refuted: false,
        effort,
        work: 0,
    };
    let open = tree.search(prices, go_on);
    Branched {
        cases: tree.cases.filter(|_| !tree.refuted),
        open,
        refuted: tree.refuted,
        work: tree.work,
    }
}

struct Node {
    open: Open,
    prices: Rc<Certificate>,
    rewards: Option<Rc<[i128]>>,
    bound: i64,
}

struct Tree<'c, 'a> {
    claim: &'c mut Claim<'a>,
    cases: Option<Vec<Case>>,
    /// What agents can take proves more than prices do: it is looked at in every node.
    rewarding: bool,
    refuted: bool,
    effort: u64,
    work: u64,
}

impl Tree<'_, '_> {
    /// Gives the least bound of what is left open.
    fn search(&mut self, prices: &Certificate, go_on: &mut dyn FnMut(u64) -> bool) -> Option<i64> {
        let mut waiting = vec![Node {
            open: Open::new(self.claim.problem()),
            prices: Rc::new(prices.clone()),
            rewards: None,
            bound: i64::MIN,
        }];
        let mut left: Option<i64> = None;
        while let Some(node) = waiting.pop() {
            if self.refuted || self.work > self.effort || !go_on(self.work) {
                left = Some(left.map_or(node.bound, |left| left.min(node.bound)));
                self.keep(Case::default());
                continue;
            }
            waiting.extend(self.look(node).into_iter().flatten());
        }
        left
    }

    fn keep(&mut self, case: Case) {
        if let Some(cases) = &mut self.cases {
            cases.push(case);
        }
        self.cases.take_if(|cases| cases.len() > MOST_CASES);
    }

    /// The cases of a node, the one to look at first last; `None` where it is closed.
    fn look(&mut self, mut node: Node) -> Option<[Node; 2]> {
        let mut case = Case::default();
        let mut looked = self.closer(&mut node);
        let mut relaxed = None;
        let mut shares = None;
        if let Some((bound, _)) = &looked
            && (node.rewards.is_none() || !self.rewarding)
        {
            let climb = Climb::of(self.claim.narrowed(), &node.prices);
            self.work += climb.work;
            self.refuted |= !self.claim.is_beaten(&climb.relaxed);
            relaxed = Some(climb.relaxed);
            let better = climb.certificate.bound(self.claim.narrowed());
            if better.is_some_and(|better| better > *bound) {
                case.certificate = Some(climb.certificate.clone());
                node.prices = Rc::new(climb.certificate);
                looked = self.closer(&mut node);
            }
        }
        if let Some((bound, _)) = &looked
            && self.rewarding
        {
            let narrowed = self.claim.narrowed();
            let packed = node
                .prices
                .packing
                .as_ref()
                .map(|packing| packing.rewards.as_slice());
            let from = node.rewards.as_deref().or(packed);
            let climbed = climb(
                narrowed,
                &node.prices.prices,
                from,
                node.rewards.is_none(),
                self.effort.saturating_sub(self.work),
            );
            self.work += climbed.as_ref().map_or(0, |climbed| climbed.work);
            match climbed {
                Some(climbed) if climbed.bound > *bound => {
                    case.rewards = Some(climbed.rewards.clone());
                    node.rewards = Some(climbed.rewards.into());
                    shares = Some(climbed.shares);
                    looked = self.closer(&mut node);
                }
                Some(climbed) if node.rewards.is_some() => shares = Some(climbed.shares),
                // what proves no more at the root is not looked at again
                _ => self.rewarding = false,
            }
        }
        if let Some((bound, with)) = looked {
            node.bound = node.bound.max(bound);
            let problem = self.claim.problem();
            let undecided = shares.and_then(|shares| most_undecided(problem, &node.open, &shares));
            case.split = undecided.or_else(|| choice(problem, &node.open, relaxed.as_deref(), &with));
        }
        let parts = case.split.map(|pair| {
            let part = |there| Node {
                open: node.open.split(self.claim.problem(), pair, there),
                prices: Rc::clone(&node.prices),
                rewards: node.rewards.clone(),
                bound: node.bound,
            };
            [part(true), part(false)]
        });
        self.keep(case);
        parts
    }

    /// What is left open at what is known of a node.
    fn closer(&mut self, node: &mut Node) -> Option<(i64, Vec<Option<i64>>)> {
        self.work += 16 * node.open.0.len() as u64;
        let known = Known {
            prices: &node.prices,
            rewards: node.rewards.as_deref(),
        };
        match self.claim.look(&mut node.open, known) {
            Look::Closed => None,
            Look::Open(bound, with) => Some((bound, with)),
            Look::Cheaper => {
                self.refuted = true;
                None
            }
        }
    }
}

/// Prices of a node, climbed from those of its parent.
struct Climb {
    certificate: Certificate,
    /// What the trees take at them; agents may be overloaded.
    relaxed: Vec<usize>,
    work: u64,
}

impl Climb {
    fn of(problem: &QuadraticProblem, prices: &Certificate) -> Self {
        let field = Field::new(problem);
        let stars = stars(problem);
        let forest = Forest::new(problem, &stars);
        let shares = Shares::new(problem, &field, &forest, &stars);
        let shared = (ROUNDS + 1) * shares.work(&field);
        let mut ascent = Ascent::new(problem, &field, &forest, shares);
        if let Some(known) = prices.prices(problem, field.width) {
            ascent.start_from(&known);
        }
        let stage = Stage {
            sweeps: SWEEPS,
            one_in: 1,
            from: 0.03,
            to: 0.001,
        };
        ascent.climb(&stage, &mut |_| true);
        ascent.share(shared + 2 * (ROUNDS + 1) * ascent.sweep_work(), &mut |_| true);
        Self {
            relaxed: ascent.relaxed(),
            work: ascent.work,
            certificate: Certificate::of(
                problem,
                &ascent.prices(),
                field.width,
                &forest.rest,
                ascent.shares(),
            ),
        }
    }
}

/// A pair that agents took sometimes and sometimes not, rather one of a large task; `None` where all that is open is as good as decided.
fn most_undecided(problem: &QuadraticProblem, open: &Open, shares: &[f64]) -> Option<(usize, usize)> {
    let agents = problem.agents();
    let mut best: Option<(f64, usize, usize)> = None;
    for task in 0..problem.tasks() {
        if open.only(problem, task).is_some() {
            continue;
        }
        for agent in open.agents(problem, task) {
            let share = shares[task * agents + agent];
            let rows = problem.capacities(agent).iter().enumerate();
            let sizes =
                rows.map(|(resource, has)| problem.need(task, agent, resource) as f64 / (*has).max(1) as f64);
            let undecided = share.min(1.0 - share) * (0.01 + sizes.fold(0.0, f64::max));
            if share.min(1.0 - share) > 0.02 && best.is_none_or(|(known, ..)| undecided > known) {
                best = Some((undecided, task, agent));
            }
        }
    }
    best.map(|(_, task, agent)| (task, agent))
}

/// A task with more than one agent left, and the agent to try: the largest on the most overloaded row of the relaxed
/// answer, else the one whose second choice is dearest.
fn choice(
    problem: &QuadraticProblem,
    open: &Open,
    answer: Option<&[usize]>,
    with: &[Option<i64>],
) -> Option<(usize, usize)> {
    let (agents, resources) = (problem.agents(), problem.resources());
    let undecided = || (0..problem.tasks()).filter(|task| open.agents(problem, *task).nth(1).is_some());
    let mut used = vec![0.0; agents * resources];
    for (task, agent) in answer.unwrap_or_default().iter().enumerate() {
        for resource in 0..resources {
            used[agent * resources + resource] += problem.need(task, *agent, resource) as f64;
        }
    }
    let over =
        |row: &usize| used[*row] / (problem.capacities(row / resources)[row % resources] as f64).max(1.0);
    let row = (0..used.len())
        .filter(|row| over(row) > 1.0 + 1e-12)
        .max_by(|one, other| over(one).total_cmp(&over(other)));
    if let Some(row) = row {
        let (agent, resource) = (row / resources, row % resources);
        let size = |task: &usize| problem.need(*task, agent, resource);
        let is_there = |task: usize| answer.is_some_and(|answer| answer[task] == agent);
        let there = undecided().filter(|task| is_there(*task) && size(task) > 0);
        if let Some(task) = there
            .filter(|task| open.row(problem, *task)[agent])
            .max_by_key(size)
        {
            return Some((task, agent));
        }
    }
    let regret = |task: usize| {
        let mut costs: Vec<(i64, usize)> = open
            .agents(problem, task)
            .filter_map(|agent| Some((with[task * agents + agent]?, agent)))
            .collect();
        costs.sort_unstable();
        match costs[..] {
            [(first, agent), (second, _), ..] => Some((i128::from(second) - i128::from(first), task, agent)),
            _ => None,
        }
    };
    undecided()
        .filter_map(regret)
        .max_by_key(|(regret, task, _)| (*regret, std::cmp::Reverse(*task)))
        .map(|(_, task, agent)| (task, agent))
}
