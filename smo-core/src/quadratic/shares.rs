//! What is in no tree, links that close circles and groups, as parts of their own that share the costs of tasks with the trees.
//!
//! Each such part has a copy of its tasks; a share of what a task costs at each agent moves from its tree to the copy. For any shares
//! the sum of what trees and parts cost at least is a lower bound (dual decomposition: Komodakis, Paragios and Tziritas, "MRF energy
//! minimization and beyond via dual decomposition", 2011). Shares are evened out: a task's min-marginals in its tree and in a part meet
//! half way, which lowers neither bound (Globerson and Jaakkola, "Fixing max-product", 2007); where several meet in one tree or part,
//! each goes its share of the way.

use std::collections::BTreeSet;

use super::certificate_parts::{Share, ShareOf};
use super::far::weighed;
use super::field::{Field, NEVER};
use super::forest::Forest;
use super::group::Group;
use super::problem::QuadraticProblem;
use super::spread::{self, Spread};
use super::star::{MANY, Star};
use super::sweep::Sweep;

/// From here on a cost stands for "never", sums with it included.
const CLOSED: f32 = NEVER / 2.0;

/// More than so much of the scale of costs is never shared at once: a choice that is closed somewhere costs without end.
const MOST_SHARED: f64 = 100.0;

#[derive(Debug, Clone)]
struct Part {
    of: ShareOf,
    tasks: Vec<usize>,
    /// By task, then agent (padded); [`NEVER`] where it may not be.
    rows: Vec<f32>,
    /// Its min-marginals, like `rows`, and the least of them.
    least: Vec<f32>,
    value: f32,
}

/// The parts, and what they share.
#[derive(Debug)]
pub(super) struct Shares<'a> {
    problem: &'a QuadraticProblem,
    width: usize,
    parts: Vec<Part>,
    /// The groups of parts; those that are paid for by an earlier part cost nothing.
    groups: Vec<Option<Group>>,
    /// By tree: parts and which of their tasks are in it.
    of_tree: Vec<Vec<(usize, usize)>>,
    /// What moves from trees to parts: part, task of it, by agent.
    moves: Vec<(usize, usize, Vec<f32>)>,
    spread: Spread,
}

impl<'a> Shares<'a> {
    /// Of nothing.
    pub(super) const fn none(problem: &'a QuadraticProblem) -> Self {
        Self {
            problem,
            width: 0,
            parts: Vec::new(),
            groups: Vec::new(),
            of_tree: Vec::new(),
            moves: Vec::new(),
            spread: Spread::new(),
        }
    }

    pub(super) fn new(problem: &'a QuadraticProblem, field: &Field, forest: &Forest, stars: &[Star]) -> Self {
        let inside: BTreeSet<usize> = stars.iter().flat_map(|star| star.links.iter().copied()).collect();
        let with_star: BTreeSet<usize> = stars.iter().map(|star| star.group).collect();
        let circles = forest.rest.iter().filter(|link| !inside.contains(link));
        let circles = circles.map(|link| ShareOf::Link(*link));
        let beside = stars.iter().map(|star| ShareOf::Group {
            group: star.group,
            beside: Some((star.beside, star.links.clone())),
        });
        let alone = (0..problem.groups().len()).filter(|number| {
            let group = &problem.groups()[*number];
            !with_star.contains(number) && group.binds() && group.tasks.len() <= MANY
        });
        let alone = alone.map(|group| ShareOf::Group { group, beside: None });
        let of: Vec<ShareOf> = circles.chain(beside).chain(alone).collect();
        let parts: Vec<Part> = of.into_iter().map(|of| Part::new(problem, field, of)).collect();
        let mut of_tree = vec![Vec::new(); forest.trees()];
        for (number, part) in parts.iter().enumerate() {
            for (at, task) in part.tasks.iter().enumerate() {
                of_tree[forest.tree_of[*task]].push((number, at));
            }
        }
        let mut paid = BTreeSet::new();
        let mut group = |part: &Part| {
            let ShareOf::Group { group: number, .. } = part.of else {
                return None;
            };
            let mut group = problem.groups()[number].clone();
            if group.price.is_some() && !paid.insert(number) {
                group.price = Some(0);
            }
            Some(group)
        };
        Self {
            problem,
            width: field.width,
            groups: parts.iter().map(&mut group).collect(),
            parts,
            of_tree,
            moves: Vec::new(),
            spread: Spread::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Looks at every part: gives what they cost at least, in sum.
    pub(super) fn look(&mut self, field: &Field) -> f64 {
        let mut sum = 0.0;
        for (part, group) in self.parts.iter_mut().zip(&self.groups) {
            part.least.fill(NEVER);
            match (&part.of, group) {
                (ShareOf::Link(link), _) => part.look_at_link(self.problem, field, *link),
                (ShareOf::Group { beside: None, .. }, Some(group)) => {
                    part.look_at_group(field, group, &mut self.spread);
                }
                (
                    ShareOf::Group {
                        beside: Some(beside), ..
                    },
                    Some(group),
                ) => {
                    let beside = beside.clone();
                    part.look_beside(self.problem, field, (group, &beside), &mut self.spread);
                }
                _ => {}
            }
            part.value = part.least[..self.width].iter().copied().fold(NEVER, f32::min);
            sum += f64::from(part.value);
        }
        sum
    }

    /// What the parts cost at least before anything is shared, without a look: their links at their least.
    pub(super) fn before(&self) -> f64 {
        let links = self.parts.iter().flat_map(|part| match &part.of {
            ShareOf::Link(link) => vec![*link],
            ShareOf::Group { beside, .. } => beside.iter().flat_map(|(_, links)| links.clone()).collect(),
        });
        let least = |link: usize| {
            let link = &self.problem.links()[link];
            link.weight as f64 * self.problem.distances()[link.distance].least() as f64
        };
        links.map(least).sum()
    }

    /// About the work of [`Self::look`].
    pub(super) fn work(&self, field: &Field) -> u64 {
        let work = |(part, group): (&Part, &Option<Group>)| {
            let rows = part.rows.len() as u64;
            let agents = field.agents as u64;
            match (&part.of, group) {
                (ShareOf::Group { beside: None, .. }, Some(group)) => rows + spread::work(group),
                (ShareOf::Group { .. }, Some(group)) => agents * (rows + spread::work(group)),
                _ => rows * agents / 4,
            }
        };
        self.parts.iter().zip(&self.groups).map(work).sum()
    }

    /// Notes how a tree and its parts meet half way. `sweep` has just looked at the tree, and this at the parts.
    pub(super) fn note(&mut self, field: &Field, forest: &Forest, sweep: &mut Sweep<'_>, tree: usize) {
        if self.of_tree[tree].is_empty() {
            return;
        }
        sweep.beliefs(field, tree);
        let most = (field.scale * MOST_SHARED) as f32;
        for (number, at) in &self.of_tree[tree] {
            let part = &self.parts[*number];
            let others = self.of_tree[tree].len().max(part.tasks.len());
            let step = 0.5 / others as f32;
            let belief = sweep.belief(forest.place_of[part.tasks[*at]]);
            let tree_least = belief.iter().copied().fold(NEVER, f32::min);
            let least = &part.least[at * self.width..(at + 1) * self.width];
            let far = belief.iter().zip(least).map(|(mine, other)| {
                let apart = (mine.min(CLOSED) - tree_least) - (other.min(CLOSED) - part.value);
                step * apart.clamp(-most, most)
            });
            self.moves.push((*number, *at, far.collect()));
        }
    }

    /// Does what was noted.
    pub(super) fn even(&mut self, field: &mut Field) {
        for (number, at, moved) in std::mem::take(&mut self.moves) {
            let part = &mut self.parts[number];
            let share = &mut part.rows[at * self.width..(at + 1) * self.width];
            let costs = field.costs_mut(part.tasks[at]);
            for ((share, cost), moved) in share.iter_mut().zip(costs).zip(moved) {
                if *share < CLOSED {
                    *share += moved;
                    *cost -= moved;
                }
            }
        }
    }

    /// For the certificate.
    pub(super) fn published(&self, agents: usize) -> Vec<Share> {
        let share = |part: &Part| {
            let rows = part.rows.chunks_exact(self.width);
            Share::of(part.of.clone(), rows.map(|row| &row[..agents]), CLOSED)
        };
        self.parts.iter().map(share).collect()
    }
}

impl Part {
    fn new(problem: &QuadraticProblem, field: &Field, of: ShareOf) -> Self {
        let tasks = match &of {
            ShareOf::Link(link) => {
                let ends = &problem.links()[*link];
                vec![ends.from, ends.to]
            }
            ShareOf::Group { group, beside } => {
                let beside = beside.iter().map(|(task, _)| *task);
                beside
                    .chain(problem.groups()[*group].tasks.iter().copied())
                    .collect()
            }
        };
        let open = |cost: &f32| if *cost < NEVER { 0.0 } else { NEVER };
        let rows: Vec<f32> = tasks
            .iter()
            .flat_map(|task| field.costs(*task).iter().map(open))
            .collect();
        Self {
            of,
            tasks,
            least: vec![NEVER; rows.len()],
            rows,
            value: 0.0,
        }
    }

    fn look_at_link(&mut self, problem: &QuadraticProblem, field: &Field, link: usize) {
        let link = &problem.links()[link];
        let far = &field.far[link.distance];
        let weight = link.weight as f32;
        let (from, to) = self.rows.split_at(field.width);
        let (least_from, least_to) = self.least.split_at_mut(field.width);
        for (forward, mine, other, least) in [(true, from, to, least_from), (false, to, from, least_to)] {
            let mut cheapest = vec![NEVER; far.classes];
            for (class, cost) in far.class.iter().zip(other) {
                let slot = &mut cheapest[*class as usize];
                *slot = slot.min(*cost);
            }
            let message: Vec<f32> = (0..far.classes)
                .map(|class| {
                    let row = far.row(forward, class).iter().zip(&cheapest);
                    row.map(|(far, cost)| cost + weighed(weight, *far))
                        .fold(NEVER, f32::min)
                })
                .collect();
            for ((least, cost), class) in least.iter_mut().zip(mine).zip(&far.class) {
                *least = cost + message[*class as usize];
            }
        }
    }

    fn look_at_group(&mut self, field: &Field, group: &Group, spread: &mut Spread) {
        let of = (field.width, group);
        let mut by_class = vec![NEVER; self.tasks.len() * group.classes()];
        least_by_class(&self.rows, of, &mut by_class);
        spread.look(group, &by_class);
        lower(&self.rows, of, (&by_class, &spread.least), 0.0, &mut self.least);
    }

    /// Every agent of the task beside the group in turn, and the group with that.
    fn look_beside(
        &mut self,
        problem: &QuadraticProblem,
        field: &Field,
        (group, (beside, links)): (&Group, &(usize, Vec<usize>)),
        spread: &mut Spread,
    ) {
        let width = field.width;
        let (mine, rows) = self.rows.split_at(width);
        let (least_mine, least) = self.least.split_at_mut(width);
        let mut with = rows.to_vec();
        let mut by_class = vec![NEVER; group.tasks.len() * group.classes()];
        for (agent, cost) in mine.iter().enumerate() {
            if *cost >= CLOSED {
                continue;
            }
            with.copy_from_slice(rows);
            for link in links {
                let link = &problem.links()[*link];
                let far = &field.far[link.distance];
                let forward = link.from == *beside;
                let other = if forward { link.to } else { link.from };
                let there = far.row(forward, far.class[agent] as usize);
                for (at, _) in group.tasks.iter().enumerate().filter(|(_, task)| **task == other) {
                    let row = &mut with[at * width..(at + 1) * width];
                    for (cost, class) in row.iter_mut().zip(&far.class) {
                        *cost += weighed(link.weight as f32, there[*class as usize]);
                    }
                }
            }
            by_class.fill(NEVER);
            least_by_class(&with, (width, group), &mut by_class);
            least_mine[agent] = cost + spread.look(group, &by_class);
            lower(&with, (width, group), (&by_class, &spread.least), *cost, least);
        }
    }
}

/// The cheapest of each class, by task and then class.
fn least_by_class(rows: &[f32], (width, group): (usize, &Group), by_class: &mut [f32]) {
    for (row, by_class) in rows
        .chunks_exact(width)
        .zip(by_class.chunks_exact_mut(group.classes()))
    {
        for (class, cost) in group.class.iter().zip(row) {
            by_class[*class] = by_class[*class].min(*cost);
        }
    }
}

/// Lowers `least` to what the group costs with each task at each agent, and `more`.
fn lower(
    rows: &[f32],
    (width, group): (usize, &Group),
    (by_class, whole): (&[f32], &[f32]),
    more: f32,
    least: &mut [f32],
) {
    let tasks = rows
        .chunks_exact(width)
        .zip(by_class.chunks_exact(group.classes()));
    for ((row, by_class), least) in tasks.zip(least.chunks_exact_mut(width)) {
        for ((class, cost), least) in group.class.iter().zip(row).zip(least) {
            if *cost < CLOSED {
                *least = least.min(cost - by_class[*class] + whole[*class] + more);
            }
        }
    }
}
