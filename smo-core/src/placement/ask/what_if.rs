//! What would be decided if something changed.

use std::fmt;

use serde::Serialize;

use super::asker::{AskWatch, Asker, watched};
use super::{Comparison, Edit};
use crate::placement::{Outcome, PlacementError, PlacementProblem, Placer};

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
    /// True when the one who watched ended it: a decision may be worse than it would have been, or missing.
    pub stopped: bool,
}

/// Decides a question as it is, and with `edits`. Services run where the question says, both times.
///
/// # Errors
/// Those of [`crate::placement::decide`], and of [`PlacementProblem::edited`] for edits that make no sense.
pub fn what_if(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    edits: &[Edit],
) -> Result<WhatIf, PlacementError> {
    what_if_watched(placer, problem, edits, &mut |_| true)
}

/// As [`what_if`], with `watch` told of both decisions.
///
/// # Errors
/// As [`what_if`].
pub fn what_if_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    edits: &[Edit],
    watch: &mut AskWatch<'_>,
) -> Result<WhatIf, PlacementError> {
    watched(QUESTION, placer, watch, |asker| {
        compare(asker, problem, edits, false)
    })
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
    what_then_watched(placer, problem, edits, &mut |_| true)
}

/// As [`what_then`], with `watch` told of both decisions. The second one starts from where services run now when it ends
/// before there is a first.
///
/// # Errors
/// As [`what_if`].
pub fn what_then_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    edits: &[Edit],
    watch: &mut AskWatch<'_>,
) -> Result<WhatIf, PlacementError> {
    watched(QUESTION, placer, watch, |asker| {
        compare(asker, problem, edits, true)
    })
}

const QUESTION: &str = "what if";

fn compare(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    edits: &[Edit],
    carried_out: bool,
) -> Result<WhatIf, PlacementError> {
    let mut edited = problem.edited(edits)?;
    asker.expect(2);
    let before = asker.decide("before", problem)?;
    if let (true, Outcome::Placed(decision)) = (carried_out, &before) {
        edited.current = decision.placement.clone();
    }
    let after = asker.decide("after", &edited)?;
    let comparison = match (&before, &after) {
        (Outcome::Placed(before), Outcome::Placed(after)) => Some(Comparison::new(&edited, before, after)),
        _ => None,
    };
    Ok(WhatIf {
        edits: edits.to_vec(),
        before,
        after,
        comparison,
        stopped: asker.is_stopped(),
    })
}

/// What an answer says that was ended by the one who watched.
pub(super) const STOPPED: &str = "stopped early: what is not said to be proved may be otherwise";

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
        if self.stopped {
            writeln!(f, "{STOPPED}")?;
        }
        if let Some(comparison) = &self.comparison {
            return write!(f, "\n{comparison}");
        }
        for outcome in [&self.before, &self.after] {
            // What was not looked for to the end has no cause.
            if let Outcome::Infeasible(diagnosis) = outcome
                && (diagnosis.proved || !self.stopped)
            {
                return write!(f, "\n{diagnosis}");
            }
        }
        Ok(())
    }
}
