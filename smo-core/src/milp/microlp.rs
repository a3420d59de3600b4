//! [microlp](https://docs.rs/microlp), a branch-and-bound solver in pure Rust, through [good_lp](https://docs.rs/good_lp).

use good_lp::solvers::microlp::MicroLpProblem;
use good_lp::{Expression, ProblemVariables, SolverModel, Variable as Column, variable};
use microlp::{SolveOptions, TerminationReason};

use super::check::cutoff_row;
use super::solution::rounded;
use super::{Constraint, Model, Relation, SolveError, Solved, Solver};

/// The default solver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MicrolpSolver {
    node_limit: Option<u64>,
}

impl Default for MicrolpSolver {
    /// Stops after [`Self::DEFAULT_NODES`] nodes.
    fn default() -> Self {
        Self {
            node_limit: Some(Self::DEFAULT_NODES),
        }
    }
}

impl MicrolpSolver {
    /// Branch-and-bound nodes after which the default solver gives what it has.
    pub const DEFAULT_NODES: u64 = 3_000;

    /// The same that stops after `nodes` branch-and-bound nodes, or never.
    #[must_use]
    pub fn with_node_limit(self, nodes: Option<u64>) -> Self {
        Self { node_limit: nodes }
    }

    fn failed(message: impl ToString) -> SolveError {
        SolveError::Failed {
            solver: "microlp".to_owned(),
            message: message.to_string(),
        }
    }
}

impl Solver for MicrolpSolver {
    fn name(&self) -> &str {
        "microlp"
    }

    fn solve(&self, model: &Model) -> Result<Solved, SolveError> {
        model.validate()?;
        let (columns, objective) = columns(model);
        let mut problem: MicroLpProblem = columns.0.minimise(objective).using(good_lp::microlp);
        let cutoff = cutoff_row(model);
        for constraint in model.constraints().iter().chain(&cutoff) {
            problem.add_constraint(row(constraint, &columns.1));
        }
        // good_lp's own call cannot limit nodes, so the built problem is handed to microlp directly.
        let mut options = SolveOptions::default();
        options.node_limit = self.node_limit;
        options.mip_gap = 0.0;
        // Costs are multiples of a step: what is not a whole step cheaper than the best known solution is not cheaper.
        // microlp takes the slack relative to that solution's cost, which the cutoff limits.
        if let (Some(step), Some(cutoff)) = (model.step(), model.cutoff().filter(|cutoff| *cutoff >= 0.0)) {
            let slack = (step - 1e-6 * step.max(1.0)) / cutoff.max(1.0);
            options.tolerances.prune_epsilon = options.tolerances.prune_epsilon.max(slack.min(step * 0.999));
        }
        let inner = problem.as_inner();
        let outcome = match inner.solve_with(options) {
            Ok(outcome) => outcome,
            Err(microlp::Error::Infeasible) => return Ok(Solved::Infeasible),
            Err(microlp::Error::Unbounded) => return Ok(Solved::Unbounded),
            Err(error) => return Err(Self::failed(error)),
        };
        let Some(solution) = outcome.solution() else {
            return Ok(Solved::GaveUp);
        };
        let raw: Vec<f64> = solution.iter().map(|(_, value)| value).collect();
        if raw.len() != model.variables().len() {
            return Err(Self::failed(format!("it answered {} values", raw.len())));
        }
        let optimal = solution.termination_reason() == TerminationReason::ProvenOptimal;
        let stats = solution.stats();
        Ok(Solved::Solution(rounded(
            model,
            raw,
            stats.best_bound,
            optimal,
            stats.nodes_solved,
        )))
    }
}

/// good_lp's variables for a model, in its order, and the objective over them.
pub(super) fn columns(model: &Model) -> ((ProblemVariables, Vec<Column>), Expression) {
    let mut variables = ProblemVariables::new();
    let mut columns = Vec::with_capacity(model.variables().len());
    let mut objective = Expression::with_capacity(model.variables().len());
    for spec in model.variables() {
        let definition = variable().min(spec.lower).max(spec.upper);
        let definition = if spec.integer {
            definition.integer()
        } else {
            definition
        };
        let column = variables.add(definition);
        objective.add_mul(spec.cost, column);
        columns.push(column);
    }
    ((variables, columns), objective)
}

/// good_lp's form of a constraint. The model is valid, so every variable is known.
pub(super) fn row(constraint: &Constraint, columns: &[Column]) -> good_lp::Constraint {
    let mut sum = Expression::with_capacity(constraint.terms.len());
    for (variable, coefficient) in &constraint.terms {
        if let Some(column) = columns.get(variable.index()) {
            sum.add_mul(*coefficient, *column);
        }
    }
    match constraint.relation {
        Relation::AtMost => sum.leq(constraint.bound),
        Relation::AtLeast => sum.geq(constraint.bound),
        Relation::Equal => sum.eq(constraint.bound),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::milp::{Variable, check};

    #[test]
    fn no_solution_and_no_end_are_values() {
        let mut model = Model::new();
        let x = model.binary(1.0);
        model.constrain([(x, 1.0)], Relation::AtLeast, 2.0);
        assert_eq!(MicrolpSolver::default().solve(&model), Ok(Solved::Infeasible));
        let mut model = Model::new();
        model.add(Variable {
            lower: f64::NEG_INFINITY,
            upper: 0.0,
            integer: false,
            cost: 1.0,
        });
        assert_eq!(MicrolpSolver::default().solve(&model), Ok(Solved::Unbounded));
        assert!(matches!(
            MicrolpSolver::default().solve(&Model::new()),
            Ok(Solved::Solution(solution)) if solution.values.is_empty()
        ));
    }

    /// The least cost over all whole points of a box, or `None`.
    fn enumerate(model: &Model) -> Option<i64> {
        let mut points = vec![vec![]];
        for variable in model.variables() {
            let values = variable.lower as i64..=variable.upper as i64;
            points = points
                .iter()
                .flat_map(|point: &Vec<i64>| values.clone().map(|value| [&point[..], &[value]].concat()))
                .collect();
        }
        let holds = |point: &[i64], constraint: &Constraint| {
            let sum: i64 = constraint
                .terms
                .iter()
                .map(|(id, factor)| *factor as i64 * point[id.index()])
                .sum();
            match constraint.relation {
                Relation::AtMost => sum <= constraint.bound as i64,
                Relation::AtLeast => sum >= constraint.bound as i64,
                Relation::Equal => sum == constraint.bound as i64,
            }
        };
        let cost = |point: &Vec<i64>| {
            model
                .variables()
                .iter()
                .zip(point)
                .map(|(v, x)| v.cost as i64 * x)
                .sum()
        };
        points
            .iter()
            .filter(|point| model.constraints().iter().all(|row| holds(point, row)))
            .map(cost)
            .min()
    }

    fn small_models() -> impl Strategy<Value = Model> {
        let variables = prop::collection::vec((-2_i32..=1, 0_i32..=3, -9_i32..=9), 1..=5);
        let rows = prop::collection::vec(
            (prop::collection::vec(-5_i32..=5, 5), 0..3_usize, -8_i32..=12),
            0..=4,
        );
        (variables, rows).prop_map(|(variables, rows)| {
            let mut model = Model::new();
            let ids: Vec<_> = variables
                .into_iter()
                .map(|(lower, width, cost)| {
                    model.add(Variable {
                        lower: f64::from(lower),
                        upper: f64::from(lower + width),
                        integer: true,
                        cost: f64::from(cost),
                    })
                })
                .collect();
            for (coefficients, relation, bound) in rows {
                let terms: Vec<_> = ids
                    .iter()
                    .copied()
                    .zip(coefficients.into_iter().map(f64::from))
                    .collect();
                let relation = [Relation::AtMost, Relation::AtLeast, Relation::Equal][relation];
                model.constrain(terms, relation, f64::from(bound));
            }
            model
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn it_agrees_with_trying_every_point(model in small_models()) {
            match (MicrolpSolver::default().solve(&model).unwrap(), enumerate(&model)) {
                (Solved::Solution(solution), Some(best)) => {
                    prop_assert_eq!(check(&model, &solution.values), vec![]);
                    prop_assert!(solution.optimal);
                    prop_assert_eq!(solution.objective, best as f64);
                }
                (Solved::Infeasible, None) => {}
                (solved, best) => prop_assert!(false, "{solved:?} but the best is {best:?}"),
            }
        }
    }
}
