//! What a placement is judged by: goals, each in its own unit, and the weights that add them up.

use std::fmt;

use serde::{Serialize, Serializer};

/// One thing to have little of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Goal {
    /// Running cost, in EUR/h.
    Money,
    /// Emissions, in gCO2e/h. A cluster of unknown intensity counts as the worst known one.
    Carbon,
    /// Services that leave a cluster they run on now. A service that runs nowhere moves for free.
    Moves,
    /// Services placed: the predecessor's constant `sum(x)`.
    Placements,
}

impl Goal {
    /// Every goal, in the order they are shown.
    pub const ALL: [Self; 4] = [Self::Money, Self::Carbon, Self::Moves, Self::Placements];

    /// Base units in one unit of [`Goal::unit`]: nano-euro, microgram, pieces.
    #[must_use]
    pub const fn base_per_unit(self) -> i64 {
        match self {
            Self::Money => 1_000_000_000,
            Self::Carbon => 1_000_000,
            Self::Moves | Self::Placements => 1,
        }
    }

    /// The unit it is shown in.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Money => "EUR/h",
            Self::Carbon => "gCO2e/h",
            Self::Moves => "moves",
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
            Self::Placements => "placements",
        }
    }

    /// `base` base units of it, as people read it: `0.214 EUR/h`.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn describe(self, base: i64) -> String {
        let amount = base as f64 / self.base_per_unit() as f64;
        match self {
            Self::Money | Self::Carbon => format!("{} {}", significant(amount), self.unit()),
            Self::Moves if base == 1 => "1 move".to_owned(),
            Self::Moves | Self::Placements => format!("{base} {}", self.unit()),
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

/// Points for one unit of a goal, in millionths of a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Weight(i64);

impl Weight {
    /// From millionths of a point.
    #[must_use]
    pub const fn from_millionths(millionths: i64) -> Self {
        Self(millionths)
    }

    /// From points, rounded to a millionth; `None` when not finite, negative, or above a million.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn from_points(points: f64) -> Option<Self> {
        (points.is_finite() && (0.0..=1e6).contains(&points)).then(|| Self((points * 1e6).round() as i64))
    }

    /// In millionths of a point.
    #[must_use]
    pub const fn millionths(self) -> i64 {
        self.0
    }

    /// In points.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn points(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Serialize for Weight {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.points())
    }
}

/// The worth of a placement, less is better: the weighted sum of its goals, exact, in 10^-15 points.
///
/// One unit of the finest goal (a nano-euro) at the smallest weight (a millionth of a point) is one unit of value, so
/// every value is an integer and two values compare exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Value(i128);

impl Value {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Value units in one point.
    pub const PER_POINT: i128 = 1_000_000_000_000_000;

    /// From 10^-15 points.
    #[must_use]
    pub const fn from_units(units: i128) -> Self {
        Self(units)
    }

    /// The nearest value to a floating-point number of points, as an outside solver gives it.
    #[must_use]
    #[allow(clippy::cast_possible_truncation)]
    pub fn from_points(points: f64) -> Self {
        Self((points * 1e15).round() as i128)
    }

    /// In 10^-15 points.
    #[must_use]
    pub const fn units(self) -> i128 {
        self.0
    }

    /// In points.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn points(self) -> f64 {
        self.0 as f64 / 1e15
    }

    /// The sum; saturates at the ends of 128 bits.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference; saturates at the ends of 128 bits.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = format!("{:.6}", self.points());
        f.pad(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.points())
    }
}

/// The goals and their weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Goals {
    /// Points for 1 EUR/h.
    pub money: Weight,
    /// Points for 1 gCO2e/h.
    pub carbon: Weight,
    /// Points for one moved service.
    pub moves: Weight,
    /// Points for one placed service.
    pub placements: Weight,
}

impl Default for Goals {
    /// One point is one euro per hour: money counts 1, a gram of CO2e 0.0001 (100 EUR a tonne), a move 0.01.
    fn default() -> Self {
        Self {
            money: Weight(1_000_000),
            carbon: Weight(100),
            moves: Weight(10_000),
            placements: Weight(0),
        }
    }
}

impl Goals {
    /// Nothing counts: any placement that keeps the rules will do.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            money: Weight(0),
            carbon: Weight(0),
            moves: Weight(0),
            placements: Weight(0),
        }
    }

    /// The predecessor's re-placement objective: `1 * sum(x) + 1 * sum(y * (y - x))`. The first term is constant, so it
    /// minimises moves.
    #[must_use]
    pub const fn smo() -> Self {
        Self {
            placements: Weight(1_000_000),
            moves: Weight(1_000_000),
            ..Self::none()
        }
    }

    /// The predecessor's carbon-aware objective: `1 * moves + 5 * carbon`, with carbon in gCO2e/h.
    #[must_use]
    pub const fn smo_carbon() -> Self {
        Self {
            moves: Weight(1_000_000),
            carbon: Weight(5_000_000),
            ..Self::none()
        }
    }

    /// The same with another weight for one goal.
    #[must_use]
    pub fn with(mut self, goal: Goal, weight: Weight) -> Self {
        match goal {
            Goal::Money => self.money = weight,
            Goal::Carbon => self.carbon = weight,
            Goal::Moves => self.moves = weight,
            Goal::Placements => self.placements = weight,
        }
        self
    }

    /// The weight of a goal.
    #[must_use]
    pub const fn weight(&self, goal: Goal) -> Weight {
        match goal {
            Goal::Money => self.money,
            Goal::Carbon => self.carbon,
            Goal::Moves => self.moves,
            Goal::Placements => self.placements,
        }
    }

    /// What `base` base units of `goal` are worth; saturates at the ends of 128 bits.
    #[must_use]
    pub fn value(&self, goal: Goal, base: i64) -> Value {
        let negative = (base < 0) != (self.weight(goal).0 < 0);
        let end = Value(if negative { i128::MIN } else { i128::MAX });
        self.checked_value(goal, base).unwrap_or(end)
    }

    /// What `base` base units of `goal` are worth, or `None` when that does not fit 128 bits.
    #[must_use]
    pub fn checked_value(&self, goal: Goal, base: i64) -> Option<Value> {
        let scale = Value::PER_POINT / 1_000_000 / i128::from(goal.base_per_unit());
        let weighted = i128::from(base).checked_mul(i128::from(self.weight(goal).0))?;
        weighted.checked_mul(scale).map(Value)
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
        let goals = Goals::none().with(Goal::Carbon, Weight(i64::MAX));
        assert_eq!(goals.value(Goal::Carbon, i64::MAX), Value(i128::MAX));
        assert_eq!(goals.value(Goal::Carbon, i64::MIN), Value(i128::MIN));
        assert_eq!(goals.checked_value(Goal::Carbon, i64::MAX), None);
    }

    #[test]
    fn weights_are_bounded() {
        assert_eq!(Weight::from_points(5.0), Some(Weight(5_000_000)));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e7] {
            assert_eq!(Weight::from_points(bad), None);
        }
    }
}
