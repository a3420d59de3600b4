//! What is in no tree, links that close circles and groups, as parts of their own that share the costs of tasks with the trees.
//!
//! Each such part has a copy of its tasks; a share of what a task costs at each agent moves from its tree to the copy. For any shares
//! the sum of what trees and parts cost at least is a lower bound (dual decomposition: Komodakis, Paragios and Tziritas, "MRF energy
//! minimization and beyond via dual decomposition", 2011). Shares are evened out: a task's min-marginals in its tree and in a part meet
//! half way, which lowers neither bound (Globerson and Jaakkola, "Fixing max-product", 2007); where several meet in one tree or part,
//! each goes its share of the way.

use std::collections::BTreeSet;

use super::certificate_parts::{Share, ShareOf};
use super::field::{Field, NEVER};
use super::forest::Forest;
use super::part::{CLOSED, Part};
use super::problem::QuadraticProblem;
use super::spread::Spread;
use super::star::{MANY, Star};
use super::sweep::Sweep;

/// More than so much of the scale of costs is never shared at once: a choice that is closed somewhere costs without end.
const MOST_SHARED: f64 = 100.0;

/// The parts, and what they share.
#[derive(Debug)]
pub(super) struct Shares<'a> {
    problem: &'a QuadraticProblem,
    width: usize,
    parts: Vec<Part>,
    /// By tree: parts and which of their tasks are in it.
    of_tree: Vec<Vec<(usize, usize)>>,
    /// What moves from trees to parts: part, task of it, by agent.
    moves: Vec<(usize, usize, Vec<f32>)>,
    spread: Spread,
}

impl<'a> Shares<'a> {
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
        let mut paid = BTreeSet::new();
        let part = |of: ShareOf| {
            // what costs is paid once; what may not be may be counted again
            let priced = |group: &usize| problem.groups()[*group].price.is_some();
            let group = of.group().filter(priced);
            let free = group.filter(|group| !paid.insert(*group));
            Part::new(
                problem,
                field,
                of,
                free.map(|group| problem.groups()[group].paid()),
            )
        };
        let parts: Vec<Part> = circles.chain(beside).chain(alone).map(part).collect();
        let mut of_tree = vec![Vec::new(); forest.trees()];
        for (number, part) in parts.iter().enumerate() {
            for (at, task) in part.tasks.iter().enumerate() {
                of_tree[forest.tree_of[*task]].push((number, at));
            }
        }
        Self {
            problem,
            width: field.width,
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
        for part in &mut self.parts {
            part.look(self.problem, field, &mut self.spread);
            sum += f64::from(part.value);
        }
        sum
    }

    /// What the parts cost at least before anything is shared, without a look: their links at their least.
    pub(super) fn before(&self) -> f64 {
        let links = self.parts.iter().flat_map(|part| part.of.links());
        let least = |link: &usize| {
            let link = &self.problem.links()[*link];
            link.weight as f64 * self.problem.distances()[link.distance].least() as f64
        };
        links.map(least).sum()
    }

    /// About the work of [`Self::look`].
    pub(super) fn work(&self, field: &Field) -> u64 {
        let parts = self.parts.iter();
        parts.map(|part| part.work(self.problem, field)).sum()
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

    /// Keeps what is shared now for the certificate.
    pub(super) fn keep(&mut self) {
        self.parts.iter_mut().for_each(Part::keep);
    }

    /// What was kept last, for the certificate.
    pub(super) fn published(&self, agents: usize) -> Vec<Share> {
        let parts = self.parts.iter();
        parts
            .filter_map(|part| part.published(self.width, agents))
            .collect()
    }
}
