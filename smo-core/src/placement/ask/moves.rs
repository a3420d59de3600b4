//! The best re-placement with few moves, and what every further move is worth.

use std::fmt;

use serde::Serialize;

use super::Relocation;
use super::within::{Effort, Limit, Within, within};
use crate::placement::{Goal, Placement, PlacementError, PlacementProblem, Placer, Totals, Value, Weight};
use crate::table::Table;

/// Questions to the placer for one re-placement.
pub const DEFAULT_QUESTIONS: u64 = 10_000;

/// The best placement with at most so many moves.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replacement {
    /// How many services may move.
    pub at_most: i64,
    /// Where every service runs.
    pub placement: Placement,
    /// The amount of every goal.
    pub totals: Totals,
    /// What it is worth by the goals of the question.
    pub value: Value,
    /// No placement with so few moves is worth less than this, where known.
    pub bound: Option<Value>,
    /// The services that move.
    pub relocations: Vec<Relocation>,
}

/// What so many moves allow.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[allow(clippy::large_enum_variant, reason = "one value an answer, read at once")]
pub enum FewMoves {
    /// A placement.
    Found(Replacement),
    /// No placement keeps the rules with so few moves: proved.
    TooFew {
        /// How many are allowed.
        at_most: i64,
        /// The fewest moves of any placement, where known; `None` also when there is no placement at all.
        needed: Option<i64>,
    },
    /// The placer found none; whether there is one is open.
    Open {
        /// How many are allowed.
        at_most: i64,
    },
}

impl Replacement {
    /// True when no placement with so few moves is better.
    #[must_use]
    pub fn is_optimal(&self) -> bool {
        self.bound == Some(self.value)
    }

    fn new(problem: &PlacementProblem, at_most: i64, within: Within) -> Option<Self> {
        let found = within.best?;
        Some(Self {
            at_most,
            relocations: Relocation::between(problem, &problem.current, &found.placement),
            placement: found.placement,
            totals: found.totals,
            value: found.value,
            bound: within.bound,
        })
    }

    fn moves(&self) -> i64 {
        self.totals.of(Goal::Moves)
    }
}

/// The best placement that moves at most `at_most` services away from where they run now, by the goals of the question.
/// Services that run nowhere start for free. Asks the placer up to `questions` times.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn with_few_moves(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    at_most: i64,
    questions: u64,
) -> Result<FewMoves, PlacementError> {
    let mut effort = Effort(questions);
    let limit = Limit {
        goal: Goal::Moves,
        at_most,
    };
    let found = within(placer, problem, limit, &mut effort)?;
    let (impossible, best) = (found.impossible, Replacement::new(problem, at_most, found));
    if let Some(best) = best {
        return Ok(FewMoves::Found(best));
    }
    if !impossible {
        return Ok(FewMoves::Open { at_most });
    }
    let fewest = fewest_moves(placer, problem, &mut effort)?;
    let needed = fewest.is_proved().then_some(fewest.best).flatten();
    Ok(FewMoves::TooFew {
        at_most,
        needed: needed.map(|found| found.totals.of(Goal::Moves)),
    })
}

fn fewest_moves(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    effort: &mut Effort,
) -> Result<Within, PlacementError> {
    let question = PlacementProblem {
        goals: crate::placement::Goals::only(Goal::Moves),
        ..problem.clone()
    };
    let limit = Limit {
        goal: Goal::Moves,
        at_most: i64::MAX,
    };
    within(placer, &question, limit, effort)
}

/// What moves buy: for every number of moves at which something better becomes possible, the best placement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveCurve {
    /// From the fewest moves to as many as the best placement takes. Moves themselves count for nothing in their values.
    pub points: Vec<Replacement>,
    /// True when no placement with as few moves as any point is better than it, and no point is missing: proved.
    pub complete: bool,
}

/// The trade-off between moves and everything else: the best value for every number of moves, moves not being priced.
/// Asks the placer up to `questions` times.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn move_curve(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    questions: u64,
) -> Result<MoveCurve, PlacementError> {
    let mut effort = Effort(questions);
    let question = PlacementProblem {
        goals: problem
            .goals
            .clone()
            .with(Goal::Moves, Weight::from_millionths(0)),
        ..problem.clone()
    };
    let mut points: Vec<Replacement> = Vec::new();
    let mut complete = true;
    let mut at_most = i64::MAX;
    // Down from the best placement, one move fewer than it takes each time.
    loop {
        let limit = Limit {
            goal: Goal::Moves,
            at_most,
        };
        let found = within(placer, &question, limit, &mut effort)?;
        complete &= found.is_proved();
        let Some(mut point) = Replacement::new(problem, at_most, found) else {
            break;
        };
        at_most = point.moves() - 1;
        point.at_most = point.moves();
        // As good with fewer moves: the other one was no point.
        if points.last().is_some_and(|more| more.value == point.value) {
            points.pop();
        }
        points.push(point);
        if at_most < 0 {
            break;
        }
    }
    points.reverse();
    Ok(MoveCurve { points, complete })
}

/// `optimal`, `at most 1.2 % from the best`, `no bound`.
fn proof(value: Value, bound: Option<Value>) -> String {
    match bound {
        None => "no bound".to_owned(),
        Some(bound) if bound >= value => "proved".to_owned(),
        Some(bound) => format!("the best is at least {bound}"),
    }
}

impl fmt::Display for FewMoves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found(found) => {
                let moves = Goal::Moves.describe(found.moves());
                let proof = proof(found.value, found.bound);
                writeln!(
                    f,
                    "{moves} of at most {}: value {} ({proof})",
                    found.at_most, found.value
                )?;
                if found.relocations.is_empty() {
                    return writeln!(f, "  every service stays where it is");
                }
                let rows = found.relocations.iter().map(|moved| {
                    [
                        moved.service.service.to_string(),
                        moved.from.to_string(),
                        moved.to.to_string(),
                        moved.fate().to_string(),
                    ]
                });
                let table = rows.fold(Table::new(&["service", "now", "then", ""]), Table::row);
                write!(f, "\n{table}")
            }
            Self::TooFew {
                at_most,
                needed: Some(needed),
            } => writeln!(
                f,
                "no placement has at most {}; the fewest are {needed} (proved)",
                Goal::Moves.describe(*at_most)
            ),
            Self::TooFew {
                at_most,
                needed: None,
            } => {
                writeln!(
                    f,
                    "no placement has at most {} (proved)",
                    Goal::Moves.describe(*at_most)
                )
            }
            Self::Open { at_most } => {
                writeln!(
                    f,
                    "none was found with at most {}",
                    Goal::Moves.describe(*at_most)
                )
            }
        }
    }
}

impl MoveCurve {
    /// The points, a row each: moves, value, what the last moves gain, who moves.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut before: Option<Value> = None;
        let rows = self.points.iter().map(|point| {
            let gain = before.map(|before| before.minus(point.value).to_string());
            before = Some(point.value);
            let movers: Vec<&str> = point
                .relocations
                .iter()
                .filter(|moved| !moved.from.is_empty())
                .map(|moved| moved.service.service.as_str())
                .collect();
            [
                point.moves().to_string(),
                point.value.to_string(),
                gain.unwrap_or_default(),
                movers.join(", "),
                proof(point.value, point.bound),
            ]
        });
        let table = Table::new(&["moves", "value", "gain", "who moves", ""]);
        rows.fold(table.right(0).right(1).right(2), Table::row)
            .without_empty_columns()
    }
}

impl fmt::Display for MoveCurve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.points.is_empty() {
            return writeln!(f, "no placement was found");
        }
        let rest = if self.complete {
            "all points, proved"
        } else {
            "there may be better ones"
        };
        writeln!(f, "what moves buy ({rest})\n\n{}", self.table())
    }
}
