//! Variables, constraints, and the sum of costs to minimise.

use serde::Serialize;

use super::SolveError;

/// A variable of the model that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct VariableId(usize);

impl VariableId {
    /// Its place in [`Model::variables`] and in the values of a solution.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}

/// One variable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Variable {
    /// It is at least this; `-inf` for no limit.
    pub lower: f64,
    /// It is at most this; `inf` for no limit.
    pub upper: f64,
    /// It takes whole values only.
    pub integer: bool,
    /// What one unit of it adds to the objective.
    pub cost: f64,
}

/// How the two sides of a constraint compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Relation {
    /// The sum is at most the bound.
    AtMost,
    /// The sum is at least the bound.
    AtLeast,
    /// The sum is the bound.
    Equal,
}

/// `sum of coefficient x variable`, compared with a bound.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Constraint {
    /// Variables and their coefficients.
    pub terms: Vec<(VariableId, f64)>,
    /// How they compare.
    pub relation: Relation,
    /// With what.
    pub bound: f64,
}

/// A model to be minimised.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    variables: Vec<Variable>,
    constraints: Vec<Constraint>,
    cutoff: Option<f64>,
}

impl Model {
    /// A model without variables.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable.
    pub fn add(&mut self, variable: Variable) -> VariableId {
        self.variables.push(variable);
        VariableId(self.variables.len() - 1)
    }

    /// Adds a variable that is 0 or 1.
    pub fn binary(&mut self, cost: f64) -> VariableId {
        self.add(Variable {
            lower: 0.0,
            upper: 1.0,
            integer: true,
            cost,
        })
    }

    /// Adds a constraint.
    pub fn constrain(
        &mut self,
        terms: impl IntoIterator<Item = (VariableId, f64)>,
        relation: Relation,
        bound: f64,
    ) {
        let terms = terms.into_iter().collect();
        self.constraints.push(Constraint {
            terms,
            relation,
            bound,
        });
    }

    /// Asks only for solutions that cost at most `objective`: there is no other solution. It is one more constraint, kept
    /// apart because it also tells a solver how large the objective gets.
    pub fn cut_off(&mut self, objective: f64) {
        self.cutoff = Some(objective);
    }

    /// The variables, in the order they were added.
    #[must_use]
    pub fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// The variables by their ids, in the order they were added.
    pub fn ids(&self) -> impl Iterator<Item = VariableId> + use<> {
        (0..self.variables.len()).map(VariableId)
    }

    /// The constraints, in the order they were added.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// What a solution may cost at most, if that is limited.
    #[must_use]
    pub const fn cutoff(&self) -> Option<f64> {
        self.cutoff
    }

    /// A number of which the cost of every solution is a multiple: the greatest common divisor of the costs where all
    /// are whole and belong to integer variables, otherwise `None`.
    #[must_use]
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss
    )]
    pub fn step(&self) -> Option<f64> {
        const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
        let mut divisor = 0_u64;
        for variable in self.variables.iter().filter(|variable| variable.cost != 0.0) {
            let whole = variable.integer && variable.cost.fract() == 0.0 && variable.cost.abs() <= EXACT;
            let mut cost = whole.then_some(variable.cost.abs() as u64)?;
            while cost != 0 {
                (divisor, cost) = (cost, divisor % cost);
            }
        }
        (divisor > 0).then_some(divisor as f64)
    }

    /// The sum of costs at `values`.
    #[must_use]
    pub fn objective(&self, values: &[f64]) -> f64 {
        let costs = self.variables.iter().map(|variable| variable.cost);
        costs.zip(values).map(|(cost, value)| cost * value).sum()
    }

    /// Refuses numbers that no solver can work with.
    ///
    /// # Errors
    /// [`SolveError::InvalidModel`] for a cost, coefficient or bound that is not finite, a variable whose lower bound is
    /// above its upper one, or one that the model does not have.
    pub fn validate(&self) -> Result<(), SolveError> {
        let invalid = |message: String| Err(SolveError::InvalidModel(message));
        for (index, variable) in self.variables.iter().enumerate() {
            if !variable.cost.is_finite() {
                return invalid(format!("the cost of variable {index} is not finite"));
            }
            let bounds_compare = variable.lower.partial_cmp(&variable.upper);
            if bounds_compare.is_none_or(|order| order.is_gt()) {
                return invalid(format!("variable {index} has no value between its bounds"));
            }
        }
        if self.cutoff.is_some_and(|cutoff| !cutoff.is_finite()) {
            return invalid("the cutoff is not finite".to_owned());
        }
        for (index, constraint) in self.constraints.iter().enumerate() {
            let finite = constraint
                .terms
                .iter()
                .all(|(_, coefficient)| coefficient.is_finite());
            if !finite || !constraint.bound.is_finite() {
                return invalid(format!("constraint {index} has a number that is not finite"));
            }
            let known = |(variable, _): &(VariableId, f64)| variable.0 < self.variables.len();
            if !constraint.terms.iter().all(known) {
                return invalid(format!("constraint {index} has a variable of another model"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_no_solver_can_take_are_refused() {
        let refused = |edit: fn(&mut Model)| {
            let mut model = Model::new();
            edit(&mut model);
            model.validate().unwrap_err().to_string()
        };
        let crossed = Variable {
            lower: 2.0,
            upper: 1.0,
            integer: false,
            cost: 0.0,
        };
        insta::assert_snapshot!(refused(|model| { model.binary(f64::NAN); }), @"the model is invalid: the cost of variable 0 is not finite");
        let mut model = Model::new();
        model.add(crossed);
        insta::assert_snapshot!(model.validate().unwrap_err(), @"the model is invalid: variable 0 has no value between its bounds");
        insta::assert_snapshot!(refused(|model| {
            let x = model.binary(1.0);
            model.constrain([(x, f64::INFINITY)], Relation::AtMost, 1.0);
        }), @"the model is invalid: constraint 0 has a number that is not finite");
        insta::assert_snapshot!(refused(|model| model.constrain([(VariableId(3), 1.0)], Relation::Equal, 1.0)), @"the model is invalid: constraint 0 has a variable of another model");
    }
}
