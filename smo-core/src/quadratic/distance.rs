//! How far agents are from one another, by classes of agents.

use super::group::classes;
use super::problem::FORBIDDEN;

/// A cost for each ordered pair of agents, given by class: agents of a class (a cluster, a region) are alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distance {
    /// The class of each agent.
    class: Vec<usize>,
    classes: usize,
    /// `between[a * classes + b]`.
    between: Vec<i64>,
    /// What every pair of different classes costs, where it is the same, may be, and staying costs nothing.
    cut: Option<i64>,
    range: Range,
}

/// What all the distances have in common, asked for once a link.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    forbids: bool,
    /// Of what may be.
    least: i64,
    most: i64,
    sum: i128,
    count: usize,
}

impl Range {
    fn of(between: &[i64]) -> Self {
        let allowed = || between.iter().copied().filter(|distance| *distance != FORBIDDEN);
        Self {
            forbids: between.contains(&FORBIDDEN),
            least: allowed().min().unwrap_or(0),
            most: allowed().max().unwrap_or(0),
            sum: allowed().map(i128::from).sum(),
            count: allowed().count(),
        }
    }
}

impl Distance {
    /// 1 between different agents, 0 at the same one.
    #[must_use]
    pub fn cut(agents: usize) -> Self {
        Self::cut_classes((0..agents).collect())
    }

    /// 1 between agents of different classes, 0 within a class.
    #[must_use]
    pub fn cut_classes(class: Vec<usize>) -> Self {
        Self::new(class, |from, to| i64::from(from != to))
    }

    /// Any cost for each ordered pair of classes: `between(from, to)`; negative ones count as 0. A pair that is [`FORBIDDEN`] may not
    /// be, whatever the weight of the link.
    ///
    /// ```
    /// use smo_core::quadratic::Distance;
    ///
    /// let distance = Distance::new(vec![0, 1, 1], |from, to| if from == to { 2 } else { 20 });
    /// assert_eq!(distance.between(0, 2), Some(20));
    /// assert_eq!(distance.between(1, 2), Some(2));
    /// assert_eq!(distance.between(0, 3), None);
    /// ```
    #[must_use]
    pub fn new(class: Vec<usize>, between: impl Fn(usize, usize) -> i64) -> Self {
        let classes = classes(&class);
        let pairs = (0..classes).flat_map(|from| (0..classes).map(move |to| (from, to)));
        let between: Vec<i64> = pairs.map(|(from, to)| between(from, to).max(0)).collect();
        let mut apart = (0..classes * classes)
            .filter(|pair| pair / classes != pair % classes)
            .map(|pair| between[pair]);
        let first = apart.next().unwrap_or(0);
        let still = (0..classes).all(|class| between[class * classes + class] == 0);
        let alike = first != FORBIDDEN && apart.all(|other| other == first);
        let cut = (still && alike).then_some(first);
        Self {
            class,
            classes,
            range: Range::of(&between),
            between,
            cut,
        }
    }

    /// What lies between two agents, [`FORBIDDEN`] where a link may not be; `None` for unknown numbers.
    #[must_use]
    pub fn between(&self, from: usize, to: usize) -> Option<i64> {
        let (from, to) = (*self.class.get(from)?, *self.class.get(to)?);
        self.between.get(from * self.classes + to).copied()
    }

    /// True when some pair of classes may not be.
    pub(super) const fn forbids(&self) -> bool {
        self.range.forbids
    }

    /// The least distance there is.
    pub(super) const fn least(&self) -> i64 {
        self.range.least
    }

    /// The greatest distance there is.
    pub(super) const fn most(&self) -> i64 {
        self.range.most
    }

    /// The mean over pairs of classes that may be.
    pub(super) fn mean(&self) -> f64 {
        self.range.sum as f64 / self.range.count.max(1) as f64
    }

    pub(super) const fn cut_cost(&self) -> Option<i64> {
        self.cut
    }

    pub(super) const fn classes(&self) -> usize {
        self.classes
    }

    pub(super) fn class_of(&self, agent: usize) -> usize {
        self.class[agent]
    }

    pub(super) fn class(&self) -> &[usize] {
        &self.class
    }

    /// True when every agent is a class of its own, in order.
    pub(super) fn is_by_agent(&self) -> bool {
        self.class
            .iter()
            .enumerate()
            .all(|(agent, class)| agent == *class)
    }

    /// What a link of this weight costs between two classes; `None` where it may not be.
    pub(super) fn weighed(&self, weight: i64, from: usize, to: usize) -> Option<i128> {
        let distance = self.between[from * self.classes + to];
        (distance != FORBIDDEN).then(|| i128::from(weight) * i128::from(distance))
    }
}
