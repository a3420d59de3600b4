//! A mixed-integer model in whole numbers, and its scaled copy for a solver.

use crate::milp::{Model, Relation, Variable, VariableId};
use crate::placement::Goal;
use crate::units::gcd;

/// The largest cost that the solver sees, as in the model of a part.
const LARGEST_COST: i128 = 1_000_000;

/// The largest number in a row that is kept whole: solvers compare rows with absolute tolerances.
const LARGEST_BOUND: i128 = 1 << 20;

/// A variable of a draft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Var(usize);

impl Var {
    /// Its value in a solution, as replicas.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub(super) fn value(self, values: &[f64]) -> u32 {
        values
            .get(self.0)
            .map_or(0, |value| value.round().max(0.0) as u32)
    }
}

/// Variables and what each is multiplied with.
pub(super) type Terms = Vec<(Var, i128)>;

#[derive(Debug)]
struct Row {
    terms: Terms,
    relation: Relation,
    bound: i128,
}

/// A model of integer variables, each at least 0.
#[derive(Debug)]
pub(super) struct Draft {
    upper: Vec<i128>,
    rows: Vec<Row>,
    /// What every goal sums up to, in base units, beside a constant.
    goals: Vec<Terms>,
    constants: Vec<i128>,
    contradictory: bool,
}

impl Draft {
    pub(super) fn new() -> Self {
        Self {
            upper: Vec::new(),
            rows: Vec::new(),
            goals: vec![Terms::new(); Goal::ALL.len()],
            constants: vec![0; Goal::ALL.len()],
            contradictory: false,
        }
    }

    pub(super) fn integer(&mut self, upper: i128) -> Var {
        self.upper.push(upper.max(0));
        Var(self.upper.len() - 1)
    }

    pub(super) fn binary(&mut self) -> Var {
        self.integer(1)
    }

    /// The most that a variable can be.
    pub(super) fn most(&self, variable: Var) -> i128 {
        self.upper.get(variable.0).copied().unwrap_or(0)
    }

    pub(super) fn variables(&self) -> usize {
        self.upper.len()
    }

    /// Adds a row. One without variables holds or makes the whole model contradictory.
    pub(super) fn row(
        &mut self,
        terms: impl IntoIterator<Item = (Var, i128)>,
        relation: Relation,
        bound: i128,
    ) {
        let mut sums: std::collections::BTreeMap<Var, i128> = std::collections::BTreeMap::new();
        for (variable, factor) in terms {
            let sum = sums.entry(variable).or_default();
            *sum = sum.saturating_add(factor);
        }
        let terms: Terms = sums.into_iter().filter(|(_, factor)| *factor != 0).collect();
        let holds = match relation {
            Relation::AtMost => 0 <= bound,
            Relation::AtLeast => 0 >= bound,
            Relation::Equal => bound == 0,
        };
        if terms.is_empty() {
            self.contradictory |= !holds;
            return;
        }
        self.rows.push(Row {
            terms,
            relation,
            bound,
        });
    }

    /// True when a row without variables does not hold.
    pub(super) const fn is_contradictory(&self) -> bool {
        self.contradictory
    }

    pub(super) fn add_to(&mut self, goal: Goal, variable: Var, factor: i128) {
        if let (Some(terms), true) = (self.goals.get_mut(number(goal)), factor != 0) {
            terms.push((variable, factor));
        }
    }

    pub(super) fn add_constant(&mut self, goal: Goal, amount: i128) {
        if let Some(constant) = self.constants.get_mut(number(goal)) {
            *constant = constant.saturating_add(amount);
        }
    }

    /// The terms of a goal and its constant.
    pub(super) fn goal(&self, goal: Goal) -> (Terms, i128) {
        let terms = self.goals.get(number(goal)).cloned().unwrap_or_default();
        (terms, self.constants.get(number(goal)).copied().unwrap_or(0))
    }

    /// The weighted sum of the goals, and of their constants; `None` when that does not fit.
    pub(super) fn weighted(&self, weights: &[i128]) -> Option<(Terms, i128)> {
        let mut terms = Terms::new();
        let mut constant = 0_i128;
        for ((goal, weight), amount) in self.goals.iter().zip(weights).zip(&self.constants) {
            for (variable, factor) in goal.iter().filter(|_| *weight != 0) {
                terms.push((*variable, weight.checked_mul(*factor)?));
            }
            constant = constant.checked_add(weight.checked_mul(*amount)?)?;
        }
        Some((terms, constant))
    }

    /// The model for a solver: costs and rows divided by what divides them, and scaled down where they are still large.
    /// `None` when the costs do not fit. With `backwards` the rows come in the other order.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn finish(&self, weights: &[i128], backwards: bool) -> Option<Model> {
        let mut costs = vec![0_i128; self.upper.len()];
        for (variable, factor) in self.weighted(weights)?.0 {
            let cost = costs.get_mut(variable.0)?;
            *cost = cost.checked_add(factor)?;
        }
        let divisor = costs.iter().fold(0, |divisor, cost| gcd(divisor, *cost)).max(1);
        let largest = costs.iter().map(|cost| (cost / divisor).saturating_abs()).max();
        let shrink = scale(largest.unwrap_or(0), LARGEST_COST);
        let mut model = Model::new();
        let mut variables: Vec<VariableId> = Vec::new();
        for (upper, cost) in self.upper.iter().zip(&costs) {
            variables.push(model.add(Variable {
                lower: 0.0,
                upper: *upper as f64,
                integer: true,
                cost: (cost / divisor) as f64 * shrink,
            }));
        }
        let order: Box<dyn Iterator<Item = &Row>> = if backwards {
            Box::new(self.rows.iter().rev())
        } else {
            Box::new(self.rows.iter())
        };
        for row in order {
            let divisor = row
                .terms
                .iter()
                .fold(0, |divisor, (_, factor)| gcd(divisor, *factor))
                .max(1);
            // Whole variables: what is left of the bound beyond a multiple makes no difference.
            let bound = match row.relation {
                Relation::AtMost => row.bound.div_euclid(divisor),
                Relation::AtLeast => -(row.bound.saturating_neg().div_euclid(divisor)),
                Relation::Equal if row.bound % divisor != 0 => return Some(contradiction(model, &variables)),
                Relation::Equal => row.bound / divisor,
            };
            let factors = row
                .terms
                .iter()
                .map(|(_, factor)| (factor / divisor).saturating_abs());
            let shrink = scale(
                factors.max().unwrap_or(0).max(bound.saturating_abs()),
                LARGEST_BOUND,
            );
            let terms = row.terms.iter().filter_map(|(variable, factor)| {
                Some((*variables.get(variable.0)?, (factor / divisor) as f64 * shrink))
            });
            let terms: Vec<_> = terms.collect();
            model.constrain(terms, row.relation, bound as f64 * shrink);
        }
        Some(model)
    }
}

/// A row that nothing can keep.
fn contradiction(mut model: Model, variables: &[VariableId]) -> Model {
    if let Some(first) = variables.first() {
        model.constrain([(*first, 1.0)], Relation::AtMost, -1.0);
    }
    model
}

#[allow(clippy::cast_precision_loss)]
fn scale(largest: i128, most: i128) -> f64 {
    if largest > most {
        most as f64 / largest as f64
    } else {
        1.0
    }
}

fn number(goal: Goal) -> usize {
    Goal::ALL.iter().position(|known| *known == goal).unwrap_or(0)
}
