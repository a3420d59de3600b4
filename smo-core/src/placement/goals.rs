//! What a placement is judged by: goals, each in its own unit, and the weights that add them up.

use serde::Serialize;

pub use crate::value::{Value, Weight};

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
            money: Weight::from_millionths(1_000_000),
            carbon: Weight::from_millionths(100),
            moves: Weight::from_millionths(10_000),
            placements: Weight::from_millionths(0),
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
            placements: Weight::from_millionths(0),
        }
    }

    /// The predecessor's re-placement objective: `1 * sum(x) + 1 * sum(y * (y - x))`. The first term is constant, so it
    /// minimises moves.
    #[must_use]
    pub const fn smo() -> Self {
        Self {
            placements: Weight::from_millionths(1_000_000),
            moves: Weight::from_millionths(1_000_000),
            ..Self::none()
        }
    }

    /// The predecessor's carbon-aware objective: `1 * moves + 5 * carbon`, with carbon in gCO2e/h.
    #[must_use]
    pub const fn smo_carbon() -> Self {
        Self {
            moves: Weight::from_millionths(1_000_000),
            carbon: Weight::from_millionths(5_000_000),
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
        let negative = (base < 0) != (self.weight(goal).millionths() < 0);
        let end = Value::from_units(if negative { i128::MIN } else { i128::MAX });
        self.checked_value(goal, base).unwrap_or(end)
    }

    /// What `base` base units of `goal` are worth, or `None` when that does not fit 128 bits.
    #[must_use]
    pub fn checked_value(&self, goal: Goal, base: i64) -> Option<Value> {
        let scale = Value::PER_POINT / 1_000_000 / i128::from(goal.base_per_unit());
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
