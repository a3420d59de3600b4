//! What an answer is worth: weights and the points they add up to, for every decider.

use std::fmt;

use serde::{Serialize, Serializer};

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

/// The worth of an answer, less is better: the weighted sum of its goals, exact, in 10^-15 points.
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

    /// How far this may be from the best value when none is less than `bound`: `(value - bound) / |bound|`, as a share of the
    /// bound. Where both are positive, the value is at most so much above the best one, as a share of that.
    ///
    /// 0 where the value is at the bound; `None` for a bound of 0 that is not reached, of which nothing is a share.
    ///
    /// ```
    /// use smo_core::placement::Value;
    ///
    /// let value = Value::from_points(10.2);
    /// assert_eq!(value.gap(Value::from_points(10.0)), Some(0.02));
    /// assert_eq!(Value::from_points(-8.0).gap(Value::from_points(-10.0)), Some(0.2));
    /// assert_eq!((value.gap(value), Value::ZERO.gap(Value::ZERO), value.gap(Value::ZERO)), (Some(0.0), Some(0.0), None));
    /// ```
    #[must_use]
    pub fn gap(self, bound: Self) -> Option<f64> {
        let slack = self.minus(bound);
        if slack <= Self::ZERO {
            return Some(0.0);
        }
        (bound != Self::ZERO).then(|| slack.points() / bound.points().abs())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_bounded() {
        assert_eq!(Weight::from_points(5.0), Some(Weight(5_000_000)));
        for bad in [f64::NAN, f64::INFINITY, -1.0, 1e7] {
            assert_eq!(Weight::from_points(bad), None);
        }
    }

    #[test]
    fn a_gap_is_a_share_of_the_bound() {
        let gap = |value: f64, bound: f64| Value::from_points(value).gap(Value::from_points(bound));
        let cases = [
            ((102.0, 100.0), Some(0.02)),
            ((100.0, 100.0), Some(0.0)),
            // A bound above the value says no more than one at it.
            ((99.0, 100.0), Some(0.0)),
            ((-80.0, -100.0), Some(0.2)),
            ((50.0, -100.0), Some(1.5)),
            ((0.0, -100.0), Some(1.0)),
            ((0.0, 0.0), Some(0.0)),
            ((1.0, 0.0), None),
        ];
        for ((value, bound), expected) in cases {
            assert_eq!(gap(value, bound), expected, "{value} and {bound}");
        }
        // Near numbers that floating point would not tell apart.
        let large = Value::from_units(i128::from(i64::MAX) * 1_000_000_000);
        assert!(large.plus(Value::from_units(1)).gap(large).unwrap() > 0.0);
    }
}
