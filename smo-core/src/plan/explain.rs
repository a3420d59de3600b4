//! The plan as a screen of text, ordered as a reader asks: what was understood, what it needs, where it goes and why,
//! what will be written.

use std::fmt;

use super::{Change, ChangeSet, DeploymentPlan, ReleaseAction, ServicePlan, Start};
use crate::graph::EventCondition;
use crate::id::{ClusterName, ServiceId};
use crate::placement::Goal;
use crate::table::Table;
use crate::yaml;

impl fmt::Display for DeploymentPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title())?;
        if let Some(time) = self.fleet_observed_at {
            writeln!(f, "fleet observed {time}")?;
        }
        let starts = |id: &ServiceId| {
            self.services
                .get(id)
                .map(|service| describe_start(&service.start))
        };
        write!(
            f,
            "\n{}",
            self.requirements.table(|id| starts(id).unwrap_or_default())
        )?;
        for link in self
            .requirements
            .links
            .iter()
            .filter(|link| link.limit().is_some())
        {
            writeln!(f, "  {link}")?;
        }
        writeln!(f)?;
        match &self.decision {
            Some(decision) => {
                writeln!(f, "{decision}")?;
                writeln!(f, "totals: {}\n", self.totals_line())?;
            }
            None => writeln!(f, "placement: static, the charts' own values decide\n")?,
        }
        writeln!(f, "releases")?;
        for service in self.services.values() {
            write_release(f, service)?;
        }
        if !self.imports.is_empty() {
            writeln!(f, "\nservice imports")?;
            write!(f, "{}", self.import_table())?;
        }
        if let Some(group) = &self.alerts {
            writeln!(f, "\nalert rules ({})", group.name)?;
            for rule in &group.rules {
                writeln!(
                    f,
                    "  {}\n    when {}\n    for {}",
                    rule.alert, rule.expr, rule.hold
                )?;
            }
        }
        writeln!(f, "\nplan {}   {}", self.fingerprint, self.contents())?;
        if !self.notes.is_empty() {
            writeln!(f, "notes ({})", self.notes.len())?;
            for note in &self.notes {
                writeln!(f, "  {note}")?;
            }
        }
        Ok(())
    }
}

impl DeploymentPlan {
    /// One line: id, version, size.
    pub(super) fn title(&self) -> String {
        let version = self
            .version
            .as_ref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        let project = if self.graph.project.as_str() == "default" {
            String::new()
        } else {
            format!(", project {}", self.graph.project)
        };
        format!(
            "{}{version}   {}, {}, HDAG {}{project}",
            self.graph.graph,
            count(self.services.len(), "service"),
            count(self.requirements.links.len(), "link"),
            self.im_version,
        )
    }

    /// One line: the amount of every goal that is known.
    pub(super) fn totals_line(&self) -> String {
        let Some(decision) = &self.decision else {
            return "static placement".to_owned();
        };
        let always = [Goal::Money, Goal::Carbon, Goal::Moves];
        let sometimes = [Goal::Latency, Goal::Preference];
        let sometimes = sometimes
            .into_iter()
            .filter(|goal| decision.totals.of(*goal) != 0);
        let amounts: Vec<String> = always
            .into_iter()
            .chain(sometimes)
            .map(|goal| goal.describe(decision.totals.of(goal)))
            .collect();
        amounts.join(", ")
    }

    fn import_table(&self) -> Table {
        let mut table = Table::new(&["service", "runs on", "imported into", "called by"]);
        for import in &self.imports {
            let target = self
                .services
                .get(&import.service)
                .map(|service| service.release.target.to_string());
            table.push([
                import.service.to_string(),
                target.unwrap_or_default(),
                list(import.into.iter().map(ClusterName::as_str)),
                list(import.importers.iter().map(ServiceId::as_str)),
            ]);
        }
        table
    }

    fn contents(&self) -> String {
        let alerts = self.alerts.as_ref().map_or(0, |group| group.rules.len());
        format!(
            "{}, {}, {}, {}, in {}",
            count(self.services.len(), "release"),
            count(self.imports.len(), "service import"),
            count(alerts, "alert rule"),
            count(self.dashboards.len(), "dashboard"),
            count(self.waves.len(), "wave"),
        )
    }
}

/// `1 wave`, `2 waves`.
fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() {
        "-".to_owned()
    } else {
        names.join(", ")
    }
}

fn describe_start(start: &Start) -> String {
    match start {
        Start::AtOnce => "at once".to_owned(),
        Start::After(services) => format!("after {}", list(services.iter().map(ServiceId::as_str))),
        Start::OnEvent { condition, alerts } => {
            let which = match (condition, alerts.len()) {
                (_, 1) => "its alert fires".to_owned(),
                (EventCondition::Any, all) => format!("any of its {all} alerts fires"),
                (EventCondition::All, all) => format!("all of its {all} alerts fire"),
            };
            format!("when {which}")
        }
    }
}

fn write_release(f: &mut fmt::Formatter<'_>, service: &ServicePlan) -> fmt::Result {
    let release = &service.release;
    writeln!(
        f,
        "  {} -> {}   {}",
        release.service.service, release.target, release.chart
    )?;
    if release.values.is_empty() {
        return writeln!(f, "    (no values)");
    }
    let text = yaml::to_string(&release.values.redacted()).map_err(|_| fmt::Error)?;
    text.lines().try_for_each(|line| writeln!(f, "    {line}"))
}

impl fmt::Display for ChangeSet {
    /// One line per step: `+` new, `~` changed, `-` removed, `=` kept, `.` waiting.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        for (index, wave) in self.waves.iter().enumerate() {
            writeln!(f, "wave {}", index + 1)?;
            for change in wave {
                writeln!(f, "  {change}")?;
            }
        }
        writeln!(f, "plan {}, from state {}", self.plan, self.observed)
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release {
                service,
                action,
                spec,
                imports,
            } => {
                match action {
                    ReleaseAction::Install => write!(f, "+ release {service}   {}", spec.target)?,
                    ReleaseAction::Move { from, to } => {
                        let [from, to] = [from, to].map(|names| list(names.iter().map(ClusterName::as_str)));
                        write!(f, "~ release {service}   {from} -> {to}")?;
                    }
                    ReleaseAction::Upgrade { differences } => {
                        write!(f, "~ release {service}   {}", differences.join(", "))?;
                    }
                    ReleaseAction::Keep => write!(f, "= release {service}")?,
                    ReleaseAction::Await => write!(f, ". release {service}   waits for its alert")?,
                }
                if let Some([before, after]) = imports {
                    let [before, after] =
                        [before, after].map(|names| list(names.iter().map(ClusterName::as_str)));
                    write!(f, "\n  ~ service import {service}   {before} -> {after}")?;
                }
                Ok(())
            }
            Self::RemoveRelease { service, from } => {
                write!(
                    f,
                    "- release {}   {}",
                    service.service,
                    list(from.iter().map(ClusterName::as_str))
                )
            }
            Self::WriteAlerts(group) => write!(f, "+ alert rules {} ({})", group.name, group.rules.len()),
            Self::RemoveAlerts { group } => write!(f, "- alert rules {group}"),
            Self::WriteDashboard(dashboard) => write!(f, "+ dashboard {}", dashboard.title),
        }
    }
}

impl ChangeSet {
    /// True when every step keeps or waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let idle = |change: &Change| {
            matches!(
                change,
                Change::Release {
                    action: ReleaseAction::Keep | ReleaseAction::Await,
                    ..
                }
            )
        };
        self.waves.iter().flatten().all(idle)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_read_as_sentences() {
        let id = |text: &str| text.parse::<ServiceId>().unwrap();
        assert_eq!(describe_start(&Start::AtOnce), "at once");
        assert_eq!(
            describe_start(&Start::After(vec![id("a"), id("b")])),
            "after a, b"
        );
        let event = |condition, alerts: &[&str]| Start::OnEvent {
            condition,
            alerts: alerts.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(
            describe_start(&event(EventCondition::Any, &["x"])),
            "when its alert fires"
        );
        assert_eq!(
            describe_start(&event(EventCondition::All, &["x", "y"])),
            "when all of its 2 alerts fire"
        );
    }
}
