//! Questions about few moves, watched.

use super::asker::{AskWatch, watched};
use super::moves::{FewMoves, MoveCurve, MoveUnit, move_curve, with_few_moves};
use crate::placement::{PlacementError, PlacementProblem, Placer};

/// As [`with_few_moves`], with `watch` told of every question to the placer. Once it says `false` the best placement so far
/// comes back, with a bound only where there is one; where there is none yet, [`FewMoves::Open`].
///
/// # Errors
/// As [`with_few_moves`].
pub fn with_few_moves_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    unit: MoveUnit,
    at_most: i64,
    questions: u64,
    watch: &mut AskWatch<'_>,
) -> Result<FewMoves, PlacementError> {
    watched("few moves", placer, watch, |asker| {
        with_few_moves(asker, problem, unit, at_most, questions)
    })
}

/// As [`move_curve`], with `watch` told of every question to the placer. Once it says `false` the points so far come back,
/// and the curve is not [`MoveCurve::complete`].
///
/// # Errors
/// As [`move_curve`].
pub fn move_curve_watched(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    unit: MoveUnit,
    questions: u64,
    watch: &mut AskWatch<'_>,
) -> Result<MoveCurve, PlacementError> {
    watched("what moves buy", placer, watch, |asker| {
        move_curve(asker, problem, unit, questions)
    })
}
