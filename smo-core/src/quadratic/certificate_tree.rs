//! What a tree of tasks costs at least, as a certificate counts it: by messages from the leaves to the root, and back for what every pair costs.
//!
//! Shares nothing with the search.

use super::certificate::SHIFT;
use super::problem::{Link, QuadraticProblem};

/// By task: its links in trees, each with the task at the other end.
pub(super) type Beside<'a> = Vec<Vec<(usize, &'a Link)>>;

/// By agent; `None` where a task may not be.
type Row = Vec<Option<i128>>;

/// Tasks and the links between them, each task after its parent.
pub(super) struct Tree<'a> {
    places: Vec<Place<'a>>,
}

struct Place<'a> {
    task: usize,
    /// The place of the parent, and the link there.
    above: Option<(usize, &'a Link)>,
}

impl<'a> Tree<'a> {
    /// All that is linked with a task; `None` when that closes a circle.
    pub(super) fn grow(beside: &Beside<'a>, root: usize, seen: &mut [bool]) -> Option<Self> {
        let mut places = vec![Place {
            task: root,
            above: None,
        }];
        seen[root] = true;
        let mut at = 0;
        while let Some(Place { task, above }) = places.get(at) {
            let through = *above;
            for (other, link) in &beside[*task] {
                if through.is_some_and(|(_, up)| std::ptr::eq(up, *link)) {
                    continue;
                }
                if seen[*other] {
                    return None;
                }
                seen[*other] = true;
                places.push(Place {
                    task: *other,
                    above: Some((at, *link)),
                });
            }
            at += 1;
        }
        Some(Self { places })
    }

    pub(super) fn tasks(&self) -> impl Iterator<Item = usize> + '_ {
        self.places.iter().map(|place| place.task)
    }

    /// The least that it costs, given what each task costs at each agent; `None` when it can be nowhere, or a sum does not fit.
    pub(super) fn least(&self, problem: &QuadraticProblem, mut rows: Vec<Row>) -> Option<i128> {
        for place in (1..self.places.len()).rev() {
            let below = rows.split_off(place).pop()?;
            self.rise(problem, place, &below, &mut rows)?;
        }
        rows.first()?.iter().flatten().min().copied()
    }

    /// The same, and by task and agent what it costs more at least with the task there.
    pub(super) fn marginals(
        &self,
        problem: &QuadraticProblem,
        mut rows: Vec<Row>,
        above: &mut [Option<i128>],
    ) -> Option<i128> {
        let mut risen = vec![Row::new(); rows.len()];
        for place in (1..self.places.len()).rev() {
            let below = std::mem::take(rows.get_mut(place)?);
            risen[place] = self.rise(problem, place, &below, &mut rows)?;
            rows[place] = below;
        }
        let least = rows.first()?.iter().flatten().min().copied()?;
        for place in 1..self.places.len() {
            let (parent, link) = self.places[place].above?;
            // what the rest of the tree costs with the parent at each agent
            let mut rest = Vec::with_capacity(rows[parent].len());
            for (all, mine) in rows[parent].iter().zip(&risen[place]) {
                rest.push(match (all, mine) {
                    (Some(all), Some(mine)) => Some(all.checked_sub(*mine)?),
                    _ => None,
                });
            }
            let down = message(problem, link, link.from == self.places[place].task, &rest)?;
            add(&mut rows[place], &down)?;
        }
        for (place, row) in self.places.iter().zip(rows) {
            let slots = above.get_mut(place.task * problem.agents()..)?;
            for (slot, cost) in slots.iter_mut().zip(row) {
                *slot = match cost {
                    Some(cost) => Some(cost.checked_sub(least)?),
                    None => None,
                };
            }
        }
        Some(least)
    }

    /// Adds what is at and below a place to what its parent costs, and gives that.
    fn rise(
        &self,
        problem: &QuadraticProblem,
        place: usize,
        below: &[Option<i128>],
        rows: &mut [Row],
    ) -> Option<Row> {
        let (parent, link) = self.places.get(place)?.above?;
        let message = message(problem, link, link.from == self.places[parent].task, below)?;
        add(&mut rows[parent], &message)?;
        Some(message)
    }
}

/// `None` when a sum does not fit.
fn add(row: &mut Row, more: &[Option<i128>]) -> Option<()> {
    for (cost, more) in row.iter_mut().zip(more) {
        *cost = match (*cost, *more) {
            (Some(cost), Some(more)) => Some(cost.checked_add(more)?),
            _ => None,
        };
    }
    Some(())
}

/// By agent of one end of a link, which is its `from` where it goes `forward`: the least of the other end and the link, where there is one
/// that may be.
fn message(problem: &QuadraticProblem, link: &Link, forward: bool, other: &[Option<i128>]) -> Option<Row> {
    let distance = &problem.distances()[link.distance];
    let unit = i128::from(link.weight).checked_mul(1 << SHIFT)?;
    // agents of a class are alike: the cheapest of each, and for each class of this end the best of them
    let mut least: Vec<Option<i128>> = vec![None; distance.classes()];
    for (agent, cost) in other.iter().enumerate() {
        let slot = &mut least[distance.class_of(agent)];
        *slot = [*slot, *cost].into_iter().flatten().min();
    }
    let everywhere = least.iter().flatten().min().copied()?;
    let mut by_class = Vec::with_capacity(distance.classes());
    for class in 0..distance.classes() {
        let best = if let Some(cut) = distance.cut_cost() {
            let apart = everywhere.checked_add(unit.checked_mul(i128::from(cut))?)?;
            Some(least[class].map_or(apart, |same| same.min(apart)))
        } else {
            let mut best = None;
            for (other, cost) in least
                .iter()
                .enumerate()
                .filter_map(|(other, least)| Some((other, (*least)?)))
            {
                let (from, to) = if forward { (class, other) } else { (other, class) };
                if let Some(far) = distance.weighed(link.weight, from, to) {
                    let far = cost.checked_add(far.checked_mul(1 << SHIFT)?)?;
                    best = Some(best.map_or(far, |best: i128| best.min(far)));
                }
            }
            best
        };
        by_class.push(best);
    }
    let message = (0..other.len()).map(|agent| by_class[distance.class_of(agent)]);
    Some(message.collect())
}
