//! What comes back from a decision: a checked placement with its proof, or a diagnosis.

use serde::Serialize;

use super::{Certificate, Diagnosis, Explanation, Goal, Goals, Placement, Value};

/// What is known about the quality of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// No placement is better.
    Optimal,
    /// A better one may exist; the gap says by how much at most, where a bound is known.
    Feasible,
}

/// Who vouches for the bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "by")]
pub enum Proof {
    /// Nobody: a heuristic without a bound.
    None,
    /// Integer arithmetic that can be redone from the problem alone; says how.
    Integer {
        /// The argument, in one line.
        argument: String,
        /// What the bound can be evaluated from again, all of it or most: see `certified`. Where goals have an order of priority, it is one of the
        /// question by the goals of the level that the bound is of.
        #[serde(skip)]
        certificate: Option<Box<Certificate>>,
        /// The bound that the certificate proves by itself; less than the one that is claimed where the argument shows more.
        #[serde(skip_serializing_if = "Option::is_none")]
        certified: Option<Value>,
    },
    /// A floating-point solver, within its tolerance.
    Solver {
        /// Its name.
        solver: String,
    },
}

impl Proof {
    /// What the bound can be evaluated from again, where it was published.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        match self {
            Self::Integer { certificate, .. } => certificate.as_deref(),
            _ => None,
        }
    }

    /// Integer arithmetic, by an argument that needs no more than the problem.
    pub(crate) fn integer(argument: impl Into<String>) -> Self {
        Self::Integer {
            argument: argument.into(),
            certificate: None,
            certified: None,
        }
    }

    /// The bound that the certificate proves by itself.
    #[must_use]
    pub const fn certified(&self) -> Option<Value> {
        match self {
            Self::Integer { certified, .. } => *certified,
            _ => None,
        }
    }
}

/// Effort, in counts that do not depend on the machine. A count that a placer does not have is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// Service-cluster pairs looked at.
    pub pairs: u64,
    /// Nodes of a search tree.
    pub nodes: u64,
    /// Variables of the model that was solved.
    pub variables: u64,
    /// Constraints of the model that was solved.
    pub constraints: u64,
}

impl Work {
    /// Both together.
    #[must_use]
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            pairs: self.pairs.saturating_add(other.pairs),
            nodes: self.nodes.saturating_add(other.nodes),
            variables: self.variables.saturating_add(other.variables),
            constraints: self.constraints.saturating_add(other.constraints),
        }
    }
}

/// Base units of every goal, for a whole placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Totals {
    /// Nano-euro per hour.
    pub money: i64,
    /// Micrograms of CO2e per hour.
    pub carbon: i64,
    /// Moved services.
    pub moves: i64,
    /// Moved replicas.
    #[serde(skip_serializing_if = "is_zero")]
    pub moved_replicas: i64,
    /// Bytes that they take along.
    #[serde(skip_serializing_if = "is_zero")]
    pub moved_state: i64,
    /// Bytes per second x microseconds of round trip.
    #[serde(skip_serializing_if = "is_zero")]
    pub latency: i64,
    /// Hundredths of a percent of the fullest cluster.
    #[serde(skip_serializing_if = "is_zero")]
    pub balance: i64,
    /// Clusters in use.
    #[serde(skip_serializing_if = "is_zero")]
    pub consolidation: i64,
    /// Millionths of a point.
    #[serde(skip_serializing_if = "is_zero")]
    pub preference: i64,
    /// Placed services.
    pub placements: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(amount: &i64) -> bool {
    *amount == 0
}

impl Totals {
    /// The amount of one goal, in its base unit.
    #[must_use]
    pub const fn of(&self, goal: Goal) -> i64 {
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

    /// Sets the amount of one goal.
    pub fn set(&mut self, goal: Goal, amount: i64) {
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
        *slot = amount;
    }
}

/// What was reached on one level of priority.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Level {
    /// The goals of the level.
    pub goals: Goals,
    /// What the placement is worth by them.
    pub value: Value,
    /// No placement that is as good by the levels above is worth less, where known.
    pub bound: Option<Value>,
}

/// A placement that keeps every rule, with everything known about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// The placer that found it.
    pub placer: String,
    /// Where every service runs.
    pub placement: Placement,
    /// Whether a better one may exist.
    pub status: Status,
    /// Its worth, recomputed from the problem.
    pub value: Value,
    /// No placement is worth less than this, where known.
    pub bound: Option<Value>,
    /// Who vouches for the bound.
    pub proof: Proof,
    /// The amount of every goal.
    pub totals: Totals,
    /// What was reached on every level, where goals have an order of priority; value, bound and gap of the decision are
    /// then those of the first level that is not proved, or else of the last one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<Level>,
    /// The effort it took.
    pub work: Work,
    /// Why each service is where it is.
    pub explanation: Explanation,
}

impl Decision {
    /// How far the value may be from the best one, as a share of the bound ([`Value::gap`]); `None` without a bound, and for a
    /// bound of 0 that is not reached.
    #[must_use]
    pub fn gap(&self) -> Option<f64> {
        self.value.gap(self.bound?)
    }
}

/// The answer to a placement question.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant)]
pub enum Outcome {
    /// A placement.
    Placed(Decision),
    /// None was found, and why.
    Infeasible(Diagnosis),
}

impl Outcome {
    /// The decision; `None` when there is none.
    #[must_use]
    pub const fn decision(&self) -> Option<&Decision> {
        match self {
            Self::Placed(decision) => Some(decision),
            Self::Infeasible(_) => None,
        }
    }

    /// The decision, if there is one.
    ///
    /// # Errors
    /// The diagnosis, when there is none.
    pub fn into_decision(self) -> Result<Decision, Diagnosis> {
        match self {
            Self::Placed(decision) => Ok(decision),
            Self::Infeasible(diagnosis) => Err(diagnosis),
        }
    }
}
