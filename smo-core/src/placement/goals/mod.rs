//! What a placement is judged by: goals, each in its own unit, one file each, and the weights that add them up.
//!
//! To add a goal: copy `latency.rs`, and add it to [`Goal`] with its name, its unit and its weight in [`Goals`]. A host adds
//! its own goals to [`PlacementProblem::measures`](super::PlacementProblem::measures).

mod balance;
mod carbon;
mod latency;
mod measure;
mod money;
mod moves;
mod preference;

use serde::Serialize;

pub(crate) use balance::{FULL, size};
pub use measure::{Facts, Measure};
pub(crate) use moves::moved_replicas;

pub use crate::value::{Value, Weight};

/// One thing to have little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// Running cost, egress included, in EUR/h.
    Money,
    /// Emissions, in gCO2e/h. A cluster of unknown intensity counts as the worst known one.
    Carbon,
    /// Services that leave a cluster they run on now. A service that runs nowhere moves for free.
    Moves,
    /// Replicas that leave a cluster they run on now.
    MovedReplicas,
    /// Data that these replicas take along, in GB (10^9 bytes).
    MovedState,
    /// Round trips of links weighted by their traffic. A pair nobody measured counts as the farthest known one.
    Latency,
    /// How full the fullest cluster is that a service of the problem runs on, in %.
    Balance,
    /// Clusters that a service of the problem runs on.
    Consolidation,
    /// The host's scores and goals, and what wishes that are not kept cost, in points.
    Preference,
    /// Services placed: the predecessor's constant `sum(x)`.
    Placements,
}

impl Goal {
    /// Every goal, in the order they are shown.
    pub const ALL: [Self; 10] = [
        Self::Money,
        Self::Carbon,
        Self::Moves,
        Self::MovedReplicas,
        Self::MovedState,
        Self::Latency,
        Self::Balance,
        Self::Consolidation,
        Self::Preference,
        Self::Placements,
    ];

    /// Its place in [`Goal::ALL`].
    pub(crate) const fn number(self) -> usize {
        self as usize
    }

    /// Base units in one unit of [`Goal::unit`]: nano-euro, microgram, pieces.
    #[must_use]
    pub const fn base_per_unit(self) -> i64 {
        match self {
            Self::Money | Self::MovedState | Self::Latency => 1_000_000_000,
            Self::Carbon | Self::Preference => 1_000_000,
            Self::Moves | Self::MovedReplicas | Self::Consolidation | Self::Placements => 1,
            Self::Balance => 100,
        }
    }

    /// The unit it is shown in.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Money => "EUR/h",
            Self::Carbon => "gCO2e/h",
            Self::Moves => "moves",
            Self::MovedReplicas => "moved replicas",
            Self::MovedState => "GB moved",
            Self::Latency => "MB/s x ms",
            Self::Balance => "% in use",
            Self::Consolidation => "clusters in use",
            Self::Preference => "points",
            Self::Placements => "placements",
        }
    }

    /// The name in options and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Money => "money",
            Self::Carbon => "carbon",
            Self::Moves => "moves",
            Self::MovedReplicas => "movedReplicas",
            Self::MovedState => "movedState",
            Self::Latency => "latency",
            Self::Balance => "balance",
            Self::Consolidation => "consolidation",
            Self::Preference => "preference",
            Self::Placements => "placements",
        }
    }

    /// The goal called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|goal| goal.name() == name)
    }

    /// How it is measured.
    #[must_use]
    pub fn measure(self) -> &'static dyn Measure {
        match self {
            Self::Money => &money::Money,
            Self::Carbon => &carbon::Carbon,
            Self::Moves => &moves::Moves,
            Self::MovedReplicas => &moves::MovedReplicas,
            Self::MovedState => &moves::MovedState,
            Self::Latency => &latency::Latency,
            Self::Balance => &balance::Balance,
            Self::Consolidation => &balance::Consolidation,
            Self::Preference => &preference::Preference,
            Self::Placements => &moves::Placements,
        }
    }

    /// True when links add to it.
    #[must_use]
    pub const fn is_of_links(self) -> bool {
        matches!(self, Self::Money | Self::Latency | Self::Preference)
    }

    /// `base` base units of it, as people read it: `0.214 EUR/h`.
    #[must_use]
    pub fn describe(self, base: i64) -> String {
        match self {
            Self::Moves if base == 1 => "1 move".to_owned(),
            Self::MovedReplicas if base == 1 => "1 moved replica".to_owned(),
            Self::Consolidation if base == 1 => "1 cluster in use".to_owned(),
            _ => format!("{} {}", self.figure(base), self.unit()),
        }
    }

    /// The same without its unit: `0.214`.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn figure(self, base: i64) -> String {
        match self.base_per_unit() {
            1 => base.to_string(),
            per_unit => significant(base as f64 / per_unit as f64),
        }
    }
}

/// Three decimals below 10, one below 100, none above; as many as it takes to show a small amount.
fn significant(amount: f64) -> String {
    let decimals = match amount.abs() {
        tiny if tiny > 0.0 && tiny < 1e-6 => 9,
        small if small > 0.0 && small < 1e-3 => 6,
        small if small < 10.0 => 3,
        middle if middle < 100.0 => 1,
        _ => 0,
    };
    format!("{amount:.decimals$}")
}

/// Units of value in a millionth of a point.
#[allow(clippy::cast_possible_truncation)]
const PER_MILLIONTH: i64 = (Value::PER_POINT / 1_000_000) as i64;

/// The goals and their weights, and what comes after them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Goals {
    /// Points for 1 EUR/h.
    pub money: Weight,
    /// Points for 1 gCO2e/h.
    pub carbon: Weight,
    /// Points for one moved service.
    pub moves: Weight,
    /// Points for one moved replica.
    #[serde(skip_serializing_if = "is_nothing")]
    pub moved_replicas: Weight,
    /// Points for a GB of moved data.
    #[serde(skip_serializing_if = "is_nothing")]
    pub moved_state: Weight,
    /// Points for a MB/s over a millisecond of round trip.
    #[serde(skip_serializing_if = "is_nothing")]
    pub latency: Weight,
    /// Points for a percent of the fullest cluster.
    #[serde(skip_serializing_if = "is_nothing")]
    pub balance: Weight,
    /// Points for a cluster in use.
    #[serde(skip_serializing_if = "is_nothing")]
    pub consolidation: Weight,
    /// Points for a point of the host's scores and goals and of wishes that are not kept.
    #[serde(skip_serializing_if = "is_one")]
    pub preference: Weight,
    /// Points for one placed service.
    pub placements: Weight,
    /// Goals of a lower priority, in order: each decides among the placements that are best by all before it. They have
    /// none after them of their own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Goals>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_nothing(weight: &Weight) -> bool {
    weight.millionths() == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_one(weight: &Weight) -> bool {
    weight.millionths() == 1_000_000
}

impl Default for Goals {
    /// One point is one euro per hour: money counts 1, a gram of CO2e 0.0001 (100 EUR a tonne), a move 0.01, a point of
    /// preference 1.
    fn default() -> Self {
        Self {
            money: Weight::from_millionths(1_000_000),
            carbon: Weight::from_millionths(100),
            moves: Weight::from_millionths(10_000),
            preference: Weight::from_millionths(1_000_000),
            ..Self::none()
        }
    }
}

impl Goals {
    /// Nothing counts: any placement that keeps the rules will do.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            money: Weight::from_millionths(0),
            carbon: Weight::from_millionths(0),
            moves: Weight::from_millionths(0),
            moved_replicas: Weight::from_millionths(0),
            moved_state: Weight::from_millionths(0),
            latency: Weight::from_millionths(0),
            balance: Weight::from_millionths(0),
            consolidation: Weight::from_millionths(0),
            preference: Weight::from_millionths(0),
            placements: Weight::from_millionths(0),
            then: Vec::new(),
        }
    }

    /// Only one goal counts: a point for one unit of it.
    pub(crate) fn only(goal: Goal) -> Self {
        Self::none().with(goal, Weight::from_millionths(1_000_000))
    }

    /// One goal after the other: the first counts, the second among the placements that are best by the first, and so on.
    #[must_use]
    pub fn by_priority(goals: impl IntoIterator<Item = Goal>) -> Self {
        let mut levels = goals.into_iter().map(Self::only);
        let mut first = levels.next().unwrap_or_else(Self::none);
        first.then = levels.collect();
        first
    }

    /// The same with more goals of a lower priority than all it has.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.then.extend(next.levels());
        self
    }

    /// The levels in order of priority, each without those after it.
    #[must_use]
    pub fn levels(&self) -> Vec<Self> {
        let alone = |goals: &Self| Self {
            then: Vec::new(),
            ..goals.clone()
        };
        std::iter::once(self).chain(&self.then).map(alone).collect()
    }

    /// The predecessor's re-placement objective: `1 * sum(x) + 1 * sum(y * (y - x))`. The first term is constant, so it
    /// minimises moves.
    #[must_use]
    pub fn smo() -> Self {
        Self {
            placements: Weight::from_millionths(1_000_000),
            moves: Weight::from_millionths(1_000_000),
            ..Self::none()
        }
    }

    /// The predecessor's carbon-aware objective: `1 * moves + 5 * carbon`, with carbon in gCO2e/h.
    #[must_use]
    pub fn smo_carbon() -> Self {
        Self {
            moves: Weight::from_millionths(1_000_000),
            carbon: Weight::from_millionths(5_000_000),
            ..Self::none()
        }
    }

    /// The same with another weight for one goal.
    #[must_use]
    pub fn with(mut self, goal: Goal, weight: Weight) -> Self {
        let slot = match goal {
            Goal::Money => &mut self.money,
            Goal::Carbon => &mut self.carbon,
            Goal::Moves => &mut self.moves,
            Goal::MovedReplicas => &mut self.moved_replicas,
            Goal::MovedState => &mut self.moved_state,
            Goal::Latency => &mut self.latency,
            Goal::Balance => &mut self.balance,
            Goal::Consolidation => &mut self.consolidation,
            Goal::Preference => &mut self.preference,
            Goal::Placements => &mut self.placements,
        };
        *slot = weight;
        self
    }

    /// The weight of a goal.
    #[must_use]
    pub const fn weight(&self, goal: Goal) -> Weight {
        match goal {
            Goal::Money => self.money,
            Goal::Carbon => self.carbon,
            Goal::Moves => self.moves,
            Goal::MovedReplicas => self.moved_replicas,
            Goal::MovedState => self.moved_state,
            Goal::Latency => self.latency,
            Goal::Balance => self.balance,
            Goal::Consolidation => self.consolidation,
            Goal::Preference => self.preference,
            Goal::Placements => self.placements,
        }
    }

    /// True when a goal has a weight.
    pub(crate) const fn counts(&self, goal: Goal) -> bool {
        self.weight(goal).millionths() != 0
    }

    /// What `base` base units of `goal` are worth; saturates at the ends of 128 bits.
    #[must_use]
    pub fn value(&self, goal: Goal, base: i64) -> Value {
        let negative = (base < 0) != (self.weight(goal).millionths() < 0);
        let end = Value::from_units(if negative { i128::MIN } else { i128::MAX });
        self.checked_value(goal, base).unwrap_or(end)
    }

    /// What `base` base units of `goal` are worth, or `None` when that does not fit 128 bits.
    #[must_use]
    pub fn checked_value(&self, goal: Goal, base: i64) -> Option<Value> {
        let scale = i128::from(PER_MILLIONTH / goal.base_per_unit());
        let weighted = i128::from(base).checked_mul(i128::from(self.weight(goal).millionths()))?;
        weighted.checked_mul(scale).map(Value::from_units)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_exact_and_comparable() {
        let goals = Goals::default();
        assert_eq!(goals.value(Goal::Money, 1_000_000_000).points(), 1.0);
        assert_eq!(goals.value(Goal::Carbon, 1_000_000).points(), 0.0001);
        assert_eq!(goals.value(Goal::Moves, 2).to_string(), "0.02");
        assert!(goals.value(Goal::Money, 1) < goals.value(Goal::Money, 2));
        assert_eq!(Goals::smo().value(Goal::Placements, 3).points(), 3.0);
    }

    #[test]
    fn goals_are_listed_in_the_order_of_their_numbers() {
        for (place, goal) in Goal::ALL.into_iter().enumerate() {
            assert_eq!(goal.number(), place, "{goal:?}");
        }
    }

    #[test]
    fn small_amounts_are_not_shown_as_nothing() {
        assert_eq!(Goal::Money.describe(12_000_000), "0.012 EUR/h");
        assert_eq!(Goal::Money.describe(20_000), "0.000020 EUR/h");
        assert_eq!(Goal::Money.describe(-1), "-0.000000001 EUR/h");
        assert_eq!(Goal::Carbon.describe(0), "0.000 gCO2e/h");
        assert_eq!(Goal::Carbon.describe(38_240_000), "38.2 gCO2e/h");
        assert_eq!(Goal::Moves.describe(1), "1 move");
    }

    #[test]
    fn values_stop_at_the_ends() {
        let goals = Goals::none().with(Goal::Carbon, Weight::from_millionths(i64::MAX));
        assert_eq!(goals.value(Goal::Carbon, i64::MAX), Value::from_units(i128::MAX));
        assert_eq!(goals.value(Goal::Carbon, i64::MIN), Value::from_units(i128::MIN));
        assert_eq!(goals.checked_value(Goal::Carbon, i64::MAX), None);
    }
}
