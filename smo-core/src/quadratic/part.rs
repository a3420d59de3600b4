//! One part that shares costs with the trees: a link that closes a circle, or a group with the task beside it; its min-marginals.

use super::certificate_parts::{Share, ShareOf};
use super::far::weighed;
use super::field::{Field, NEVER};
use super::group::Group;
use super::problem::{Link, QuadraticProblem};
use super::spread::{self, Spread};

/// From here on a cost stands for "never", sums with it included.
pub(super) const CLOSED: f32 = NEVER / 2.0;

#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) of: ShareOf,
    pub(super) tasks: Vec<usize>,
    /// Its group at no price, where an earlier part pays for it.
    free: Option<Group>,
    /// What it bears, by task, then agent (padded); [`NEVER`] where it may not be.
    pub(super) rows: Vec<f32>,
    /// What it bore when that was kept; nothing before.
    kept: Vec<f32>,
    /// Its min-marginals, like `rows`, and the least of them.
    pub(super) least: Vec<f32>,
    pub(super) value: f32,
}

impl Part {
    pub(super) fn new(problem: &QuadraticProblem, field: &Field, of: ShareOf, free: Option<Group>) -> Self {
        let tasks = of.tasks(problem).unwrap_or_default();
        let open = |cost: &f32| if *cost < NEVER { 0.0 } else { NEVER };
        let rows: Vec<f32> = tasks
            .iter()
            .flat_map(|task| field.costs(*task).iter().map(open))
            .collect();
        Self {
            of,
            tasks,
            free,
            least: vec![NEVER; rows.len()],
            rows,
            kept: Vec::new(),
            value: 0.0,
        }
    }

    /// Computes the min-marginals.
    pub(super) fn look(&mut self, problem: &QuadraticProblem, field: &Field, spread: &mut Spread) {
        self.least.fill(NEVER);
        match &self.of {
            ShareOf::Link(link) => {
                link_marginals(field, &problem.links()[*link], &self.rows, &mut self.least);
            }
            ShareOf::Group { group, beside } => {
                let group = self.free.as_ref().unwrap_or(&problem.groups()[*group]);
                let mut look = GroupLook {
                    field,
                    group,
                    by_class: vec![NEVER; group.tasks.len() * group.classes()],
                    spread,
                };
                match beside {
                    None => {
                        look.marginals(&self.rows, 0.0, &mut self.least);
                    }
                    Some((beside, links)) => {
                        let links: Vec<&Link> = links.iter().map(|link| &problem.links()[*link]).collect();
                        look.marginals_beside((*beside, &links), &self.rows, &mut self.least);
                    }
                }
            }
        }
        self.value = self.least[..field.width].iter().copied().fold(NEVER, f32::min);
    }

    /// About the work of [`Self::look`].
    pub(super) fn work(&self, problem: &QuadraticProblem, field: &Field) -> u64 {
        let (rows, agents) = (self.rows.len() as u64, field.agents as u64);
        match &self.of {
            ShareOf::Link(_) => rows * agents / 4,
            ShareOf::Group { group, beside } => {
                let group = self.free.as_ref().unwrap_or(&problem.groups()[*group]);
                let looks = if beside.is_some() { agents } else { 1 };
                looks * (rows + spread::work(group))
            }
        }
    }

    pub(super) fn keep(&mut self) {
        self.kept.clone_from(&self.rows);
    }

    /// What was kept, for the certificate; `None` when nothing was.
    pub(super) fn published(&self, width: usize, agents: usize) -> Option<Share> {
        let rows = self.kept.chunks_exact(width).map(|row| &row[..agents]);
        (!self.kept.is_empty()).then(|| Share::of(self.of.clone(), rows, CLOSED))
    }
}

fn link_marginals(field: &Field, link: &Link, rows: &[f32], least: &mut [f32]) {
    let far = &field.far[link.distance];
    let weight = link.weight as f32;
    let (from, to) = rows.split_at(field.width);
    let (least_from, least_to) = least.split_at_mut(field.width);
    let mut room = Vec::new();
    for (forward, mine, other, least) in [(false, from, to, least_from), (true, to, from, least_to)] {
        far.through((weight, forward), other, &mut room, least);
        for (least, cost) in least.iter_mut().zip(mine) {
            *least += cost;
        }
    }
}

/// A look at a group.
struct GroupLook<'g> {
    field: &'g Field,
    group: &'g Group,
    by_class: Vec<f32>,
    spread: &'g mut Spread,
}

impl GroupLook<'_> {
    /// Lowers `least` to what the group costs with each of its tasks at each agent, and `more`. Gives the least of the group alone.
    fn marginals(&mut self, rows: &[f32], more: f32, least: &mut [f32]) -> f32 {
        let (width, classes) = (self.field.width, self.group.classes());
        self.by_class.fill(NEVER);
        for (row, by_class) in rows
            .chunks_exact(width)
            .zip(self.by_class.chunks_exact_mut(classes))
        {
            for (class, cost) in self.group.class.iter().zip(row) {
                by_class[*class] = by_class[*class].min(*cost);
            }
        }
        let value = self.spread.look(self.group, &self.by_class);
        let tasks = rows.chunks_exact(width).zip(self.by_class.chunks_exact(classes));
        for ((row, by_class), least) in tasks.zip(least.chunks_exact_mut(width)) {
            for ((class, cost), least) in self.group.class.iter().zip(row).zip(least) {
                if *cost < CLOSED {
                    *least = least.min(cost - by_class[*class] + self.spread.least[*class] + more);
                }
            }
        }
        value
    }

    /// Every agent of the task beside the group in turn, and the group with that.
    fn marginals_beside(&mut self, (beside, links): (usize, &[&Link]), rows: &[f32], least: &mut [f32]) {
        let width = self.field.width;
        let (mine, rows) = rows.split_at(width);
        let (least_mine, least) = least.split_at_mut(width);
        let mut with = rows.to_vec();
        for (agent, cost) in mine.iter().enumerate() {
            if *cost >= CLOSED {
                continue;
            }
            with.copy_from_slice(rows);
            for link in links {
                let far = &self.field.far[link.distance];
                let forward = link.from == beside;
                let other = if forward { link.to } else { link.from };
                let there = far.row(forward, far.class[agent] as usize);
                let tasks = self.group.tasks.iter().zip(with.chunks_exact_mut(width));
                for (_, row) in tasks.filter(|(task, _)| **task == other) {
                    for (cost, class) in row.iter_mut().zip(&far.class) {
                        *cost += weighed(link.weight as f32, there[*class as usize]);
                    }
                }
            }
            least_mine[agent] = cost + self.marginals(&with, *cost, least);
        }
    }
}
