//! Two placements side by side: which services move, and what changes by goal.

use std::fmt;

use serde::Serialize;

use crate::id::ServiceKey;
use crate::placement::goals::moved_replicas;
use crate::placement::{Assignment, Decision, Goal, Placement, PlacementProblem, Totals, Value};
use crate::table::Table;

/// A service that runs elsewhere, or with other replicas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Relocation {
    /// The service.
    pub service: ServiceKey,
    /// Where it runs before; empty when it starts.
    pub from: Assignment,
    /// Where it runs after; empty when it stops.
    pub to: Assignment,
}

/// What becomes of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Fate {
    /// It runs nowhere before.
    Starts,
    /// It runs nowhere after.
    Stops,
    /// Replicas of it go on elsewhere.
    Moves,
    /// It has more or fewer replicas, and those that go on stay where they are.
    Scales,
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Starts => "starts",
            Self::Stops => "stops",
            Self::Moves => "moves",
            Self::Scales => "scales",
        })
    }
}

impl Relocation {
    /// What becomes of the service.
    #[must_use]
    pub fn fate(&self) -> Fate {
        if self.from.is_empty() {
            Fate::Starts
        } else if self.to.is_empty() {
            Fate::Stops
        } else if self.moved() > 0 {
            Fate::Moves
        } else {
            Fate::Scales
        }
    }

    /// How many replicas go on elsewhere, as the goal `movedReplicas` counts them: none of a service that starts, stops, or
    /// only has more or fewer replicas.
    #[must_use]
    pub fn moved(&self) -> u32 {
        moved_replicas(Some(&self.from), self.to.replicas(), &self.to)
    }

    /// Its name, with how many replicas move where that is not all of them: `web`, `web x2 of 3`.
    pub(super) fn mover(&self) -> String {
        let (moved, all) = (self.moved(), self.to.replicas());
        let name = &self.service.service;
        if moved < all {
            format!("{name} x{moved} of {all}")
        } else {
            name.to_string()
        }
    }

    /// Every service that differs between two placements, in the order of `problem`; others after them.
    #[must_use]
    pub fn between(problem: &PlacementProblem, before: &Placement, after: &Placement) -> Vec<Self> {
        let known = problem.services.keys();
        let others = before.iter().chain(after.iter()).map(|(service, _)| service);
        let mut services: Vec<&ServiceKey> = known.collect();
        for service in others {
            if !problem.services.contains_key(service) && !services.contains(&service) {
                services.push(service);
            }
        }
        let at =
            |placement: &Placement, service: &ServiceKey| placement.get(service).cloned().unwrap_or_default();
        let relocations = services.into_iter().map(|service| Self {
            service: service.clone(),
            from: at(before, service),
            to: at(after, service),
        });
        relocations.filter(|moved| moved.from != moved.to).collect()
    }
}

/// What one decision changes against another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// The services that run elsewhere, or with other replicas.
    pub relocations: Vec<Relocation>,
    /// What is paid, emitted and moved before.
    pub before: Totals,
    /// The same after.
    pub after: Totals,
    /// By how much the value changes; positive is worse.
    pub difference: Value,
}

impl Comparison {
    /// Compares two decisions; services are in the order of `problem`.
    #[must_use]
    pub fn new(problem: &PlacementProblem, before: &Decision, after: &Decision) -> Self {
        Self {
            relocations: Relocation::between(problem, &before.placement, &after.placement),
            before: before.totals,
            after: after.totals,
            difference: after.value.minus(before.value),
        }
    }

    /// The services that change, a row each: service, before, after, what becomes of it.
    #[must_use]
    pub fn services(&self) -> Table {
        let rows = self.relocations.iter().map(|moved| {
            [
                moved.service.service.to_string(),
                moved.from.to_string(),
                moved.to.to_string(),
                moved.fate().to_string(),
            ]
        });
        rows.fold(Table::new(&["service", "before", "after", ""]), Table::row)
    }

    /// The goals, a row each: before, after, change.
    #[must_use]
    pub fn goals(&self) -> Table {
        goal_table(&self.before, &self.after)
    }
}

/// Goals that have an amount, a row each: before, after, change. How many services are placed only shows where it changes.
pub(super) fn goal_table(before: &Totals, after: &Totals) -> Table {
    let shown = |goal: &Goal| match goal {
        Goal::Placements => before.of(*goal) != after.of(*goal),
        _ => before.of(*goal) != 0 || after.of(*goal) != 0,
    };
    let rows = Goal::ALL.into_iter().filter(shown).map(|goal| {
        let (old, new) = (before.of(goal), after.of(goal));
        let change = change_of(goal, new.saturating_sub(old)).unwrap_or_else(|| "same".to_owned());
        [
            goal.name().to_owned(),
            goal.describe(old),
            goal.describe(new),
            change,
        ]
    });
    let table = Table::new(&["goal", "before", "after", "change"]);
    [1, 2, 3]
        .into_iter()
        .fold(rows.fold(table, Table::row), Table::right)
}

/// `+0.012 EUR/h`; `None` where nothing changes.
pub(super) fn change_of(goal: Goal, base: i64) -> Option<String> {
    let sign = if base > 0 { "+" } else { "-" };
    (base != 0).then(|| format!("{sign}{}", goal.describe(base.saturating_abs())))
}

/// `+0.012 EUR/h, -3.100 gCO2e/h`; `no change`.
pub(super) fn changes(totals: &Totals) -> String {
    let parts: Vec<String> = Goal::ALL
        .into_iter()
        .filter_map(|goal| change_of(goal, totals.of(goal)))
        .collect();
    if parts.is_empty() {
        return "no change".to_owned();
    }
    parts.join(", ")
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.relocations.is_empty() {
            writeln!(f, "  every service stays where it is")?;
        } else {
            write!(f, "{}", self.services())?;
        }
        write!(f, "\n{}", self.goals())
    }
}
