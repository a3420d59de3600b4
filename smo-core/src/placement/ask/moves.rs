//! The best re-placement with few moves, and what every further move is worth.

use std::fmt;

use serde::Serialize;

use super::Relocation;
use super::asker::{AskWatch, Asker, watched};
use super::within::{Effort, Limit, Within, within};
use crate::placement::{
    Goal, Goals, Placement, PlacementError, PlacementProblem, Placer, Totals, Value, Weight,
};
use crate::table::Table;

/// Questions to the placer for one re-placement.
pub const DEFAULT_QUESTIONS: u64 = 10_000;

/// What moves are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum MoveUnit {
    /// Services of which a replica moves.
    #[default]
    Services,
    /// Replicas.
    Replicas,
    /// Bytes of state that replicas take along ([`ServiceDemand::state`](crate::placement::ServiceDemand::state)). A service
    /// without any moves for free.
    State,
}

impl MoveUnit {
    /// Every unit.
    pub const ALL: [Self; 3] = [Self::Services, Self::Replicas, Self::State];

    /// The goal that counts them, in whose base unit they are said.
    ///
    /// ```
    /// use smo_core::placement::{Goal, ask::MoveUnit};
    ///
    /// assert_eq!(MoveUnit::State.goal(), Goal::MovedState);
    /// assert_eq!(MoveUnit::State.goal().describe(2_000_000_000), "2.000 GB moved");
    /// ```
    #[must_use]
    pub const fn goal(self) -> Goal {
        match self {
            Self::Services => Goal::Moves,
            Self::Replicas => Goal::MovedReplicas,
            Self::State => Goal::MovedState,
        }
    }

    /// Its name in options: `services`, `replicas`, `state`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Services => "services",
            Self::Replicas => "replicas",
            Self::State => "state",
        }
    }

    /// The unit called `name`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name() == name)
    }

    const fn at_most(self, at_most: i64) -> Limit {
        Limit {
            goal: self.goal(),
            at_most,
        }
    }
}

/// The best placement with at most so many moves.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replacement {
    /// What moves are counted in.
    pub unit: MoveUnit,
    /// How many services or replicas may move, or how many bytes of state.
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
        /// What moves are counted in.
        unit: MoveUnit,
        /// How many are allowed.
        at_most: i64,
        /// The fewest moves of any placement, where known; `None` also when there is no placement at all.
        needed: Option<i64>,
    },
    /// The placer found none; whether there is one is open.
    Open {
        /// What moves are counted in.
        unit: MoveUnit,
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

    fn new(problem: &PlacementProblem, unit: MoveUnit, at_most: i64, within: Within) -> Option<Self> {
        let found = within.best?;
        Some(Self {
            unit,
            at_most,
            relocations: Relocation::between(problem, &problem.current, &found.placement),
            placement: found.placement,
            totals: found.totals,
            value: found.value,
            bound: within.bound,
        })
    }

    fn moves(&self) -> i64 {
        self.totals.of(self.unit.goal())
    }
}

/// The best placement that moves at most `at_most` services away from where they run now, or as many replicas, or bytes of
/// state, by the goals of the question. Services that run nowhere start for free. Asks the placer up to `questions` times.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn with_few_moves(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    unit: MoveUnit,
    at_most: i64,
    questions: u64,
) -> Result<FewMoves, PlacementError> {
    with_few_moves_watched(placer, problem, unit, at_most, questions, &mut |_| true)
}

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
        best_with_few(asker, problem, unit, at_most, questions)
    })
}

fn best_with_few(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    unit: MoveUnit,
    at_most: i64,
    questions: u64,
) -> Result<FewMoves, PlacementError> {
    let mut effort = Effort(questions);
    let found = within(asker, "", problem, unit.at_most(at_most), &mut effort)?;
    let impossible = found.impossible;
    let best = Replacement::new(problem, unit, at_most, found);
    if let Some(best) = best {
        return Ok(FewMoves::Found(best));
    }
    if !impossible {
        return Ok(FewMoves::Open { unit, at_most });
    }
    let fewest = fewest_moves(asker, problem, unit, &mut effort)?;
    let needed = fewest.is_proved().then_some(fewest.best).flatten();
    Ok(FewMoves::TooFew {
        unit,
        at_most,
        needed: needed.map(|found| found.totals.of(unit.goal())),
    })
}

fn fewest_moves(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    unit: MoveUnit,
    effort: &mut Effort,
) -> Result<Within, PlacementError> {
    let question = PlacementProblem {
        goals: Goals::only(unit.goal()),
        ..problem.clone()
    };
    within(asker, "", &question, unit.at_most(i64::MAX), effort)
}

/// What moves buy: for every number of moves, counted in one unit, at which something better becomes possible, the best placement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveCurve {
    /// What moves are counted in.
    pub unit: MoveUnit,
    /// From the fewest moves to as many as the best placement takes. Moves themselves count for nothing in their values.
    pub points: Vec<Replacement>,
    /// True when no placement with as few moves as any point is better than it, and no point is missing: proved.
    pub complete: bool,
}

/// The trade-off between moves and everything else: the best value for every number of moved services, or replicas, or bytes of
/// state, moves in any unit not being priced.
/// Asks the placer up to `questions` times.
///
/// # Errors
/// Those of [`crate::placement::decide`].
pub fn move_curve(
    placer: &dyn Placer,
    problem: &PlacementProblem,
    unit: MoveUnit,
    questions: u64,
) -> Result<MoveCurve, PlacementError> {
    move_curve_watched(placer, problem, unit, questions, &mut |_| true)
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
        points(asker, problem, unit, questions)
    })
}

fn points(
    asker: &Asker<'_>,
    problem: &PlacementProblem,
    unit: MoveUnit,
    questions: u64,
) -> Result<MoveCurve, PlacementError> {
    let mut effort = Effort(questions);
    let unpriced = |goals: Goals, unit: MoveUnit| goals.with(unit.goal(), Weight::from_millionths(0));
    let question = PlacementProblem {
        goals: MoveUnit::ALL.into_iter().fold(problem.goals.clone(), unpriced),
        ..problem.clone()
    };
    let mut points: Vec<Replacement> = Vec::new();
    let mut complete = true;
    let mut at_most = i64::MAX;
    // Down from the best placement, one move fewer than it takes each time.
    loop {
        let found = within(asker, "", &question, unit.at_most(at_most), &mut effort)?;
        complete &= found.is_proved();
        let Some(mut point) = Replacement::new(problem, unit, at_most, found) else {
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
    Ok(MoveCurve {
        unit,
        points,
        complete,
    })
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
                let moves = found.unit.goal().describe(found.moves());
                let at_most = found.unit.goal().figure(found.at_most);
                let proof = proof(found.value, found.bound);
                writeln!(f, "{moves} of at most {at_most}: value {} ({proof})", found.value)?;
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
                unit,
                at_most,
                needed,
            } => {
                let at_most = unit.goal().describe(*at_most);
                let fewest = match unit {
                    MoveUnit::Services | MoveUnit::Replicas => "the fewest are",
                    MoveUnit::State => "the least is",
                };
                match needed.map(|needed| unit.goal().figure(needed)) {
                    Some(needed) => {
                        writeln!(
                            f,
                            "no placement has at most {at_most}; {fewest} {needed} (proved)"
                        )
                    }
                    None => writeln!(f, "no placement has at most {at_most} (proved)"),
                }
            }
            Self::Open { unit, at_most } => {
                writeln!(
                    f,
                    "none was found with at most {}",
                    unit.goal().describe(*at_most)
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
            let movers = point.relocations.iter().filter(|moved| moved.moved() > 0);
            let movers: Vec<String> = movers.map(Relocation::mover).collect();
            [
                self.unit.goal().figure(point.moves()),
                point.value.to_string(),
                gain.unwrap_or_default(),
                movers.join(", "),
                proof(point.value, point.bound),
            ]
        });
        let moves = match self.unit {
            MoveUnit::Services => "moves",
            MoveUnit::Replicas => "replicas",
            MoveUnit::State => "GB",
        };
        let table = Table::new(&[moves, "value", "gain", "who moves", ""]);
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
