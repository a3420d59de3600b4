//! Answers near good answers: most of the best one kept and the rest dived for anew, or what several good ones disagree on
//! decided by a tree.
//!
//! The second joins answers as Cook and Seymour join tours: [Tour merging via
//! branch-decomposition](https://doi.org/10.1287/ijoc.15.3.233.16078), 2003. What good answers share is seldom wrong, and what is
//! left is small.

use super::dive::Style;
use super::open::Open;
use super::tree::Tree;
use crate::random::Random;

/// So many answers are kept, and so many are joined.
const KEPT: usize = 16;
const JOINED: usize = 10;
/// What the tree over joined answers may take.
const JOIN_EFFORT: u64 = 200_000_000;
/// The least and the greatest share of the tasks that is dived for anew.
const ANEW: (f64, f64) = (0.2, 0.5);
/// And so many tasks at most: dives for few are cheap.
const MOST_ANEW: usize = 200;
/// How much a task's share at its agent weighs against chance.
const DOUBT: f64 = 0.5;
/// How those dives go.
const STYLE: Style = Style {
    part: 0.05,
    noise: 0.1,
};

/// The best answers found, the cheapest first.
#[derive(Debug, Default)]
pub(super) struct Elites {
    kept: Vec<(i64, Vec<usize>)>,
    /// True when those that are joined are not what they were when they were joined last: the same ones give the same.
    pub(super) fresh: bool,
}

impl Elites {
    pub(super) fn see(&mut self, total: i64, answer: &[usize]) {
        let is_known = |(known, other): &(i64, Vec<usize>)| *known == total && other == answer;
        if !self.kept.iter().any(is_known) {
            let at = self.kept.partition_point(|(known, _)| *known <= total);
            self.kept.insert(at, (total, answer.to_vec()));
            self.kept.truncate(KEPT);
            self.fresh |= at < JOINED;
        }
    }
}

impl Tree<'_> {
    /// Keeps most of a good answer, every other time the best, rather where `shares` are sure of it, and dives for the rest.
    pub(super) fn vary(&mut self, rewards: &[f64], shares: &[f64], random: &mut Random) {
        let Some(best) = &self.best else { return };
        let elite = self
            .elites
            .kept
            .get(random.below(2 * self.elites.kept.len().max(1)));
        let best = elite.map_or(best, |(_, elite)| elite);
        let tasks = self.scaled.tasks;
        let part = ANEW.0 + (ANEW.1 - ANEW.0) * random.unit();
        self.tables.work += self.scaled.pairs();
        let mut doubts: Vec<(f64, usize)> = Vec::with_capacity(tasks);
        for (task, agent) in best.iter().enumerate() {
            let share = shares.get(agent * tasks + task).copied().unwrap_or(0.0);
            doubts.push(((1.0 - share) * DOUBT + random.unit(), task));
        }
        doubts.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
        let anew = ((tasks as f64 * part) as usize).clamp(1, MOST_ANEW);
        let mut open = self.scaled.open();
        for (_, task) in doubts.into_iter().skip(anew) {
            open.decide(best[task], task);
        }
        self.reduce(&open, rewards, |tree, rewards| {
            tree.dive(tree.scaled.open(), rewards, random, STYLE);
        });
    }

    /// Searches what can be made of the best answers, each task at an agent that one of them has it at.
    pub(super) fn join(&mut self, rewards: &[f64]) {
        self.tables.work += self.scaled.pairs();
        self.elites.fresh = false;
        let joined = self.elites.kept.iter().take(JOINED);
        let joined: Vec<&Vec<usize>> = joined.map(|(_, answer)| answer).collect();
        let may = |agent: usize, task: usize| joined.iter().any(|answer| answer.get(task) == Some(&agent));
        let open = Open::new(self.scaled.agents, self.scaled.tasks, may);
        if joined.len() < 2 || !open.is_possible() {
            return;
        }
        let effort = self.effort;
        self.effort = effort.min(self.work().saturating_add(JOIN_EFFORT));
        self.reduce(&open, rewards, |tree, rewards| {
            tree.descend(tree.scaled.open(), rewards, 0);
        });
        self.effort = effort;
    }
}
