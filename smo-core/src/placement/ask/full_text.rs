//! A full explanation as text and tables.

use std::fmt;

use super::comparison::{changes, goal_table};
use super::what_if::STOPPED;
use super::{FullExplanation, Precision, Price};
use crate::placement::Goal;
use crate::table::Table;

impl fmt::Display for Price {
    /// `+0.012 EUR/h`, `at most +0.012 EUR/h`, `same`, or what is in the way.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forbidden(reason) => f.pad(&reason.to_string()),
            Self::NoRoom { reason, .. } => match reason {
                Some(reason) => f.pad(&format!("no room for the rest ({reason})")),
                None => f.pad("no room for the rest"),
            },
            Self::NotAsked(reason) => f.pad(&format!("not asked ({reason} while the rest stays)")),
            Self::Costs {
                by_goal,
                precision,
                along,
                ..
            } => {
                let change = changes(by_goal);
                let change = match precision {
                    Precision::Exact => change,
                    Precision::Decided => format!("about {change}"),
                    Precision::AtMost => format!("at most {change}"),
                };
                let movers: Vec<&str> = along.iter().map(|moved| moved.service.service.as_str()).collect();
                match movers.len() {
                    0 => f.pad(&change),
                    1 | 2 => f.pad(&format!("{change}; {} moves along", movers.join(" and "))),
                    more => f.pad(&format!("{change}; {more} services move along")),
                }
            }
        }
    }
}

impl FullExplanation {
    /// Every service, a row each: where it runs and the runner-up.
    #[must_use]
    pub fn choices(&self) -> Table {
        let rows = self.services.iter().map(|(service, choice)| {
            let price = choice.runner_up.as_ref().and_then(|name| choice.others.get(name));
            [
                service.service.to_string(),
                choice.chosen.to_string(),
                choice.why.clone(),
                price.map(ToString::to_string).unwrap_or_default(),
            ]
        });
        rows.fold(
            Table::new(&["service", "cluster", "why", "price of the next"]),
            Table::row,
        )
        .without_empty_columns()
    }

    /// Every service and cluster that is not chosen, a row each: the rule that forbids it, or what it costs more.
    #[must_use]
    pub fn prices(&self) -> Table {
        let mut table = Table::new(&["service", "instead on", "price"]);
        for (service, choice) in &self.services {
            let mut name = service.service.to_string();
            for (cluster, price) in &choice.others {
                let whole = choice.whole.get(cluster);
                let one = whole.map_or_else(|| cluster.to_string(), |_| format!("{cluster} (a replica)"));
                table.push([std::mem::take(&mut name), one, price.to_string()]);
                if let Some(whole) = whole {
                    table.push([String::new(), format!("{cluster} (all)"), whole.to_string()]);
                }
            }
        }
        table
    }

    /// What binds, a row each, and what is gained without it.
    #[must_use]
    pub fn bindings(&self) -> Table {
        let rows = self.binding.iter().map(|binding| {
            let exact = if binding.exact { "" } else { "at least " };
            [
                binding.text.clone(),
                format!("{exact}{}", changes(&binding.by_goal)),
                binding.gain.to_string(),
            ]
        });
        rows.fold(
            Table::new(&["what binds", "without it", "points"]).right(2),
            Table::row,
        )
    }

    /// Goals before and after, a row each; only after where nothing runs now.
    #[must_use]
    pub fn totals(&self) -> Table {
        let after = &self.decision.totals;
        if let Some(before) = &self.before {
            return goal_table(before, after);
        }
        let shown = |goal: &Goal| *goal != Goal::Placements && after.of(*goal) != 0;
        let rows = Goal::ALL.into_iter().filter(shown);
        let rows = rows.map(|goal| [goal.name().to_owned(), goal.describe(after.of(goal))]);
        rows.fold(Table::new(&["goal", "total"]).right(1), Table::row)
    }
}

impl fmt::Display for FullExplanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "placement by {}: {}",
            self.decision.placer,
            self.decision.verdict()
        )?;
        if self.services.is_empty() {
            return Ok(());
        }
        write!(f, "\n{}\n{}", self.choices(), self.prices())?;
        if self.binding.is_empty() {
            writeln!(f, "\n  nothing stands in the way of a better placement")?;
        } else {
            write!(f, "\n{}", self.bindings())?;
        }
        write!(f, "\n{}", self.totals())?;
        if self.stopped {
            writeln!(f, "\n  {STOPPED}")?;
        } else if !self.complete {
            writeln!(
                f,
                "\n  not everything was asked: give it more questions for exact prices"
            )?;
        }
        Ok(())
    }
}
