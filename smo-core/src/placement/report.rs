//! A decision on one screen.

use std::fmt;

use super::{Alternative, ClusterUse, Decision, Goal, Proof, Reason, Status, Weight};
use crate::resources::ResourceName;
use crate::table::Table;
use crate::units::Cpu;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Optimal => "optimal",
            Self::Feasible => "feasible",
        })
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "placement by {}: {}", self.placer, self.verdict())?;
        for (number, level) in self.levels.iter().enumerate() {
            let proved = if level.bound == Some(level.value) {
                "the best there is"
            } else {
                "maybe not the best"
            };
            let goals = Goal::ALL
                .into_iter()
                .filter(|goal| level.goals.weight(*goal) != Weight::default());
            let amounts: Vec<String> = goals.map(|goal| goal.describe(self.totals.of(goal))).collect();
            writeln!(f, "  priority {}: {}, {proved}", number + 1, amounts.join(", "))?;
        }
        if !self.explanation.services.is_empty() {
            let rows = self.explanation.services.iter().map(|(service, explanation)| {
                [
                    service.service.to_string(),
                    explanation.chosen.to_string(),
                    explanation.why(),
                ]
            });
            write!(f, "\n{}", columns(["service", "cluster", "why"], rows))?;
        }
        if !self.explanation.clusters.is_empty() {
            let rows = self.explanation.clusters.iter().map(|(name, usage)| {
                [
                    name.to_string(),
                    fill(usage, ResourceName::CPU),
                    fill(usage, ResourceName::MEMORY),
                    amount(usage, Goal::Money),
                    amount(usage, Goal::Carbon),
                    self.ruled_out(name),
                ]
            });
            let titles = [
                "cluster",
                "cpu after",
                "memory after",
                "EUR/h",
                "gCO2e/h",
                "ruled out for",
            ];
            write!(f, "\n{}", columns(titles, rows))?;
        }
        Ok(())
    }
}

impl Decision {
    /// Status, proof and value in one line: `optimal, proved in integers (value 0.214)`.
    #[must_use]
    pub fn verdict(&self) -> String {
        let value = self.value;
        match (self.status, &self.proof, self.gap(), self.bound) {
            (Status::Optimal, Proof::Integer { .. }, ..) => {
                format!("optimal, proved in integers (value {value})")
            }
            (Status::Optimal, Proof::Solver { solver }, ..) => {
                format!("optimal, says {solver} (value {value})")
            }
            (_, proof, gap, Some(bound)) => {
                // What is counted in integers needs nobody who says so.
                let says = match proof {
                    Proof::Solver { solver } => format!(", says {solver}"),
                    _ => String::new(),
                };
                let gap = gap.map(|gap| format!(", at most {:.2} % from the best", gap * 100.0));
                let gap = gap.unwrap_or_default();
                format!("feasible{gap}{says} (value {value}, bound {bound})")
            }
            _ => format!("feasible, no bound (value {value})"),
        }
    }

    /// The services that a rule keeps off a cluster, with the rule; together where it is the same for all.
    fn ruled_out(&self, cluster: &crate::id::ClusterName) -> String {
        let mut reasons: Vec<(String, String)> = Vec::new();
        for (service, explanation) in &self.explanation.services {
            if let Some(Alternative::Forbidden(reason)) = explanation.alternatives.get(cluster) {
                if let Reason::NotReady { .. } = reason {
                    return reason.to_string();
                }
                reasons.push((service.service.to_string(), reason.to_string()));
            }
        }
        let Some((_, first)) = reasons.first() else {
            return String::new();
        };
        if reasons.len() > 1 && reasons.iter().all(|(_, reason)| reason == first) {
            let all = reasons.len() == self.explanation.services.len();
            let who = if all {
                "all".to_owned()
            } else {
                format!("{} services", reasons.len())
            };
            return format!("{who}: {first}");
        }
        let more = reasons.len().saturating_sub(2);
        let mut parts: Vec<String> = reasons
            .into_iter()
            .take(2)
            .map(|(service, reason)| format!("{service}: {reason}"))
            .collect();
        if more > 0 {
            parts.push(format!("{more} more"));
        }
        parts.join("; ")
    }
}

/// `5 / 8 63 %`, or what is used where there is no limit; cpu in cores.
fn fill(usage: &ClusterUse, resource: &str) -> String {
    let name = ResourceName::new(resource);
    let show = |amount: u64| match resource {
        ResourceName::CPU => Cpu::from_millicores(amount).cores(),
        _ => name.quantity(amount),
    };
    let used = usage.used.amount(resource);
    if used == 0 && usage.services.is_empty() {
        return "-".to_owned();
    }
    match usage.capacity.listed(resource) {
        Some(capacity) if capacity > 0 => {
            let percent = (u128::from(used) * 100 + u128::from(capacity) / 2) / u128::from(capacity);
            format!("{} / {} {percent} %", show(used), show(capacity))
        }
        _ => show(used),
    }
}

fn amount(usage: &ClusterUse, goal: Goal) -> String {
    let text = goal.describe(usage.totals.of(goal));
    let number = text.split(' ').next().unwrap_or_default();
    if usage.services.is_empty() {
        String::new()
    } else {
        number.to_owned()
    }
}

/// A table of these rows.
fn columns<const N: usize>(titles: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
    rows.fold(Table::new(&titles), Table::row)
}
