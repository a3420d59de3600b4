//! Re-evaluates a solution with code that shares nothing with any solver.

use std::borrow::Cow;

use thiserror::Error;

use super::{Constraint, Model, Relation};

/// How far a sum of fractions may be off its bound, relative to the size of its terms.
const TOLERANCE: f64 = 1e-7;

/// Whole numbers up to here are exact in floating point.
const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53

/// A promise that a solution breaks.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// Too few or too many values.
    #[error("{found} values for {wanted} variables")]
    Length {
        /// Values.
        found: usize,
        /// Variables.
        wanted: usize,
    },
    /// A value that is not finite or outside the bounds of its variable.
    #[error("variable {variable} is {value}, outside its bounds")]
    OutOfBounds {
        /// The place of the variable.
        variable: usize,
        /// Its value.
        value: f64,
    },
    /// A value that is not whole although its variable is integer.
    #[error("variable {variable} is {value}, not a whole number")]
    NotWhole {
        /// The place of the variable.
        variable: usize,
        /// Its value.
        value: f64,
    },
    /// A constraint that does not hold.
    #[error("constraint {constraint} does not hold: the sum is {sum}")]
    Broken {
        /// The place of the constraint.
        constraint: usize,
        /// Its sum.
        sum: f64,
    },
}

/// Every promise that `values` break: bounds, whole numbers, constraints.
///
/// A constraint whose coefficients, bound and values are whole numbers is evaluated in integers, without tolerance;
/// any other one with a tolerance of 10^-7 of the size of its terms.
#[must_use]
pub fn check(model: &Model, values: &[f64]) -> Vec<Fault> {
    let wanted = model.variables().len();
    if values.len() != wanted {
        return vec![Fault::Length {
            found: values.len(),
            wanted,
        }];
    }
    let mut faults = Vec::new();
    for (variable, (spec, &value)) in model.variables().iter().zip(values).enumerate() {
        let slack = if spec.integer {
            0.0
        } else {
            TOLERANCE * value.abs().max(1.0)
        };
        if !value.is_finite() || value < spec.lower - slack || value > spec.upper + slack {
            faults.push(Fault::OutOfBounds { variable, value });
        } else if spec.integer && value.fract() != 0.0 {
            faults.push(Fault::NotWhole { variable, value });
        }
    }
    for (index, constraint) in rows(model).enumerate() {
        let constraint = constraint.as_ref();
        let holds = holds_exactly(constraint, values).unwrap_or_else(|| holds_nearly(constraint, values));
        if !holds {
            let sum = terms(constraint, values)
                .map(|(factor, value)| factor * value)
                .sum();
            faults.push(Fault::Broken {
                constraint: index,
                sum,
            });
        }
    }
    faults
}

/// The constraints, and that of the cutoff after them.
fn rows(model: &Model) -> impl Iterator<Item = Cow<'_, Constraint>> {
    let cutoff = cutoff_row(model).map(Cow::Owned);
    model.constraints().iter().map(Cow::Borrowed).chain(cutoff)
}

/// The cutoff as a constraint.
pub(super) fn cutoff_row(model: &Model) -> Option<Constraint> {
    let ids = model.ids().zip(model.variables());
    let terms = ids
        .filter(|(_, variable)| variable.cost != 0.0)
        .map(|(id, variable)| (id, variable.cost))
        .collect();
    model.cutoff().map(|bound| Constraint {
        terms,
        relation: Relation::AtMost,
        bound,
    })
}

fn terms<'a>(constraint: &'a Constraint, values: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    // A variable that the model does not have breaks the constraint instead of the checker.
    let value = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    constraint
        .terms
        .iter()
        .map(move |(id, factor)| (*factor, value(id.index())))
}

/// `None` when a number is not whole, or too large to be exact.
fn holds_exactly(constraint: &Constraint, values: &[f64]) -> Option<bool> {
    let mut sum: i128 = 0;
    for (factor, value) in terms(constraint, values) {
        sum = sum.checked_add(whole(factor)?.checked_mul(whole(value)?)?)?;
    }
    let bound = whole(constraint.bound)?;
    Some(match constraint.relation {
        Relation::AtMost => sum <= bound,
        Relation::AtLeast => sum >= bound,
        Relation::Equal => sum == bound,
    })
}

#[allow(clippy::cast_possible_truncation)]
fn whole(number: f64) -> Option<i128> {
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i128)
}

fn holds_nearly(constraint: &Constraint, values: &[f64]) -> bool {
    let mut sum = 0.0;
    let mut size = constraint.bound.abs().max(1.0);
    for (factor, value) in terms(constraint, values) {
        sum += factor * value;
        size = f64::max(size, (factor * value).abs());
    }
    let excess = sum - constraint.bound;
    let slack = TOLERANCE * size;
    match constraint.relation {
        Relation::AtMost => excess <= slack,
        Relation::AtLeast => excess >= -slack,
        Relation::Equal => excess.abs() <= slack,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::milp::Variable;

    #[test]
    fn whole_numbers_are_compared_exactly() {
        let mut model = Model::new();
        let x = model.binary(0.0);
        let y = model.binary(0.0);
        // One byte too many out of 2^52 is one byte too many.
        let half = 2_f64.powi(51);
        model.constrain([(x, half), (y, half + 1.0)], Relation::AtMost, 2.0 * half);
        let faults = check(&model, &[1.0, 1.0]);
        insta::assert_snapshot!(faults[0], @"constraint 0 does not hold: the sum is 4503599627370497");
        assert_eq!(check(&model, &[1.0, 0.0]), []);
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        let mut model = Model::new();
        let x = model.binary(0.0);
        let y = model.add(Variable {
            lower: 0.0,
            upper: 1.0,
            integer: false,
            cost: 0.0,
        });
        model.constrain([(x, 1.0), (y, 1.0)], Relation::Equal, 1.0);
        let faults = |values: &[f64]| {
            check(&model, values)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        };
        insta::assert_snapshot!(faults(&[1.0]), @"1 values for 2 variables");
        insta::assert_snapshot!(faults(&[0.5, 0.5]), @"variable 0 is 0.5, not a whole number");
        insta::assert_snapshot!(faults(&[2.0, f64::NAN]), @"variable 0 is 2, outside its bounds; variable 1 is NaN, outside its bounds; constraint 0 does not hold: the sum is NaN");
        assert_eq!(faults(&[0.0, 1.0 + 1e-9]), "");
    }
}
