//! What would be decided if something changed.

use std::fmt;

use serde::Serialize;

use super::{Comparison, Edit};
use crate::placement::{Outcome, PlacementError, PlacementProblem, Placer, decide};

/// The same question with and without some edits, decided both times.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhatIf {
    /// What changes.
    pub edits: Vec<Edit>,
    /// The decision without the edits.
    pub before: Outcome,
    /// The decision with them.
    pub after: Outcome,
    /// What the second decision changes against the first, where there are both.
    pub comparison: Option<Comparison>,
}

/// Decides a question as it is, and with `edits`. Services run where the question says, both times.
///
/// # Errors
/// Those of [`decide`], and of [`PlacementProblem::edited`] for edits that make no sense.
pub fn what_if(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    edits: &[Edit],
) -> Result<WhatIf, PlacementError> {
    compare(placer, problem, edits, false)
}

/// As [`what_if`], but the edits happen once the first decision has been carried out: the second one starts from it, so
/// that its moves are moves away from the first.
///
/// # Errors
/// As [`what_if`].
pub fn what_then(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    edits: &[Edit],
) -> Result<WhatIf, PlacementError> {
    compare(placer, problem, edits, true)
}

fn compare(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    edits: &[Edit],
    carried_out: bool,
) -> Result<WhatIf, PlacementError> {
    let mut edited = problem.edited(edits)?;
    let before = decide(placer, problem)?;
    if let (true, Outcome::Placed(decision)) = (carried_out, &before) {
        edited.current = decision.placement.clone();
    }
    let after = decide(placer, &edited)?;
    let comparison = match (&before, &after) {
        (Outcome::Placed(before), Outcome::Placed(after)) => Some(Comparison::new(&edited, before, after)),
        _ => None,
    };
    Ok(WhatIf {
        edits: edits.to_vec(),
        before,
        after,
        comparison,
    })
}

/// Edits in one line.
pub(super) fn list(edits: &[Edit]) -> String {
    let edits: Vec<String> = edits.iter().map(ToString::to_string).collect();
    edits.join("; ")
}

/// A decision in one line.
pub(super) fn verdict(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Placed(decision) => decision.verdict(),
        Outcome::Infeasible(diagnosis) if diagnosis.proved => "no placement exists (proved)".to_owned(),
        Outcome::Infeasible(diagnosis) => format!("{} found no placement", diagnosis.placer),
    }
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "what if: {}", list(&self.edits))?;
        writeln!(f, "before: {}", verdict(&self.before))?;
        writeln!(f, "after: {}", verdict(&self.after))?;
        if let Some(comparison) = &self.comparison {
            return write!(f, "\n{comparison}");
        }
        for outcome in [&self.before, &self.after] {
            if let Outcome::Infeasible(diagnosis) = outcome {
                return write!(f, "\n{diagnosis}");
            }
        }
        Ok(())
    }
}
