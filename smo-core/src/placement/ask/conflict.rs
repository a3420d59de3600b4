//! The fewest things that cannot hold together.

use std::fmt;

use serde::Serialize;

use super::Condition;
use super::asker::{AskWatch, Asker, watched};
use super::within::Effort;
use crate::placement::{Goals, PlacementError, PlacementProblem, Placer, Solved};

/// Conditions that cannot hold together, although all but any one of them can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The conditions, each with what it says.
    pub members: Vec<Member>,
    /// True when a placement was found without any one of them; false when the effort ran out before, or the one who watched
    /// ended it.
    pub minimal: bool,
}

/// One condition of a conflict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The condition.
    #[serde(flatten)]
    pub condition: Condition,
    /// What it says, in one line.
    pub text: String,
}

/// Whether a problem has a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Possibility {
    Possible,
    Impossible,
    Open,
}

/// Whether a problem has a placement, whatever it is worth. That it has none is checked by our own model.
pub(super) fn possibility(
    asker: &Asker<'_>,
    about: &str,
    problem: &PlacementProblem,
) -> Result<Possibility, PlacementError> {
    let question = PlacementProblem {
        goals: Goals::none(),
        ..problem.clone()
    };
    if let Solved::Found(_) = asker.solve(about, &question)? {
        return Ok(Possibility::Possible);
    }
    Ok(if asker.is_infeasible(&question)? {
        Possibility::Impossible
    } else {
        Possibility::Open
    })
}

/// The conditions of an impossible problem that cannot hold together, as few as can be: without any one of them there is a
/// placement. `None` when the problem has a placement, when nobody can prove that it has none, or when what is in the way is no
/// [`Condition`], such as a goal of a higher priority.
///
/// Conditions are left out in halves (QuickXplain; Junker 2004), services before rules and rules before resources, so that
/// few services are named. Asks the placer up to `questions` times.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn minimal_conflict(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    questions: u64,
) -> Result<Option<Conflict>, PlacementError> {
    minimal_conflict_watched(placer, problem, questions, &mut |_| true)
}

/// As [`minimal_conflict`], with `watch` told of every question to the placer. Once it says `false` the conflict comes back
/// as far as it is narrowed down, not [`Conflict::minimal`]; `None` before anything is proved.
///
/// # Errors
/// As [`minimal_conflict`].
pub fn minimal_conflict_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    questions: u64,
    watch: &mut AskWatch<'_>,
) -> Result<Option<Conflict>, PlacementError> {
    watched("what is in the way", placer, watch, |asker| {
        narrowed(asker, problem, questions)
    })
}

/// The conflict of a question that may be part of another one.
pub(super) fn narrowed(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    questions: u64,
) -> Result<Option<Conflict>, PlacementError> {
    problem.validate()?;
    let conditions = Condition::all(problem);
    let mut search = Search {
        asker,
        problem,
        conditions: &conditions,
        effort: Effort(questions),
        sure: true,
    };
    let every: Vec<usize> = (0..conditions.len()).collect();
    if !search.impossible(&every)? {
        return Ok(None);
    }
    // Impossible for something that is none of these conditions, such as a fleet without clusters.
    if search.impossible(&[])? {
        return Ok(None);
    }
    let mut kept = search.shrink(&[], false, &every)?;
    kept.sort_unstable();
    let members = kept.iter().filter_map(|at| conditions.get(*at));
    let members = members.map(|condition| Member {
        text: condition.describe(problem),
        condition: condition.clone(),
    });
    Ok(Some(Conflict {
        members: members.collect(),
        minimal: search.sure,
    }))
}

struct Search<'a, 'w> {
    asker: &'a Asker<'w>,
    problem: &'a PlacementProblem,
    conditions: &'a [Condition],
    effort: Effort,
    /// Every question had an answer.
    sure: bool,
}

impl Search<'_, '_> {
    /// True when nothing keeps these conditions, all others being dropped.
    fn impossible(&mut self, kept: &[usize]) -> Result<bool, PlacementError> {
        if self.asker.is_stopped() || !self.effort.take() {
            self.sure = false;
            return Ok(false);
        }
        let dropped = self.conditions.iter().enumerate();
        let dropped = dropped
            .filter(|(at, _)| !kept.contains(at))
            .map(|(_, condition)| condition);
        let relaxed = Condition::without(self.problem, dropped);
        let answer = possibility(self.asker, "conflict", &relaxed)?;
        self.sure &= answer != Possibility::Open;
        Ok(answer == Possibility::Impossible)
    }

    /// The fewest of `set` that are impossible together with `base`; `grown` says that `base` has more than was asked about.
    fn shrink(&mut self, base: &[usize], grown: bool, set: &[usize]) -> Result<Vec<usize>, PlacementError> {
        if grown && self.impossible(base)? {
            return Ok(Vec::new());
        }
        if set.len() <= 1 {
            return Ok(set.to_vec());
        }
        let (left, right) = set.split_at(set.len() / 2);
        let with_left = [base, left].concat();
        let of_right = self.shrink(&with_left, true, right)?;
        let with_right = [base, &of_right].concat();
        let mut kept = self.shrink(&with_right, !of_right.is_empty(), left)?;
        kept.extend(of_right);
        Ok(kept)
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.minimal {
            writeln!(
                f,
                "these cannot hold together, and without any one of them they could:"
            )?;
        } else {
            writeln!(f, "these cannot hold together, perhaps some of them neither:")?;
        }
        for member in &self.members {
            writeln!(f, "  {}", member.text)?;
        }
        Ok(())
    }
}
