//! What was done, step by step.

use std::fmt;
use std::time::Duration;

use crate::backend::BackendError;
use crate::id::{ClusterName, GraphKey, ServiceId};
use crate::plan::{Change, Fingerprint, ReleaseAction};

/// What a step is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The release of a service.
    Release(ServiceId),
    /// A group of alert rules.
    Alerts(String),
    /// A dashboard.
    Dashboard(String),
}

impl Subject {
    pub(super) fn of(change: &Change) -> Self {
        match change {
            Change::Release { service, .. } => Self::Release(service.clone()),
            Change::RemoveRelease { service, .. } => Self::Release(service.service.clone()),
            Change::WriteAlerts(group) => Self::Alerts(group.name.clone()),
            Change::RemoveAlerts { group } => Self::Alerts(group.clone()),
            Change::WriteDashboard(dashboard) => Self::Dashboard(dashboard.uid.clone()),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Release(service) => f.pad(service.as_str()),
            Self::Alerts(group) => f.pad(&format!("alert rules {group}")),
            Self::Dashboard(uid) => f.pad(&format!("dashboard {uid}")),
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone)]
pub enum StepResult {
    /// It was brought about.
    Done,
    /// It was right as it was.
    Kept,
    /// It is installed when its alerts fire.
    Waiting,
    /// It was taken away; clusters that did not answer will follow.
    Removed {
        /// Those clusters.
        owed: Vec<ClusterName>,
    },
    /// The backend refused it.
    Failed(BackendError),
    /// It was accepted, and does not get healthy.
    Unhealthy {
        /// How long that was watched.
        after: Duration,
        /// What is said about it.
        message: String,
    },
    /// It failed, and nothing depends on it.
    Tolerated(BackendError),
    /// A step before it failed.
    Skipped,
    /// It was brought about, and taken back because another step failed.
    RolledBack,
    /// It should have been taken back, which failed too. `reconcile` tries again.
    NotRolledBack(BackendError),
}

impl StepResult {
    /// True when the operation fails for it.
    #[must_use]
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed(_) | Self::Unhealthy { .. })
    }
}

impl fmt::Display for StepResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done => f.write_str("done"),
            Self::Kept => f.write_str("kept"),
            Self::Waiting => f.write_str("waits for its alert"),
            Self::Removed { owed } if owed.is_empty() => f.write_str("removed"),
            Self::Removed { owed } => {
                let names: Vec<&str> = owed.iter().map(ClusterName::as_str).collect();
                write!(f, "removed; from {} when it answers again", names.join(", "))
            }
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Unhealthy { after, message } => {
                write!(f, "not healthy after {} s: {message}", after.as_secs())
            }
            Self::Tolerated(error) => write!(f, "failed, which does no harm: {error}"),
            Self::Skipped => f.write_str("not tried"),
            Self::RolledBack => f.write_str("rolled back"),
            Self::NotRolledBack(error) => write!(f, "not rolled back, will be tried again: {error}"),
        }
    }
}

/// One step and what became of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// The wave it belongs to, from 1.
    pub wave: usize,
    /// What it is about.
    pub subject: Subject,
    /// What was to be done to it, for a release of the plan.
    pub action: Option<ReleaseAction>,
    /// What became of it.
    pub result: StepResult,
}

impl Step {
    /// What became of a change of the wave at `index`.
    pub(super) fn of(index: usize, change: &Change, result: StepResult) -> Self {
        let action = match change {
            Change::Release { action, .. } => Some(action.clone()),
            _ => None,
        };
        Self {
            wave: index + 1,
            subject: Subject::of(change),
            action,
            result,
        }
    }
}

/// What an operation did to a graph.
#[derive(Debug, Clone)]
pub struct ApplyReport {
    /// The graph.
    pub graph: GraphKey,
    /// The plan.
    pub plan: Fingerprint,
    /// Every step, in the order of waves.
    pub steps: Vec<Step>,
}

impl ApplyReport {
    /// What became of a service.
    #[must_use]
    pub fn service(&self, service: &str) -> Option<&StepResult> {
        let about = |step: &&Step| matches!(&step.subject, Subject::Release(id) if id.as_str() == service);
        self.steps.iter().find(about).map(|step| &step.result)
    }

    /// True when no step failed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.failed_step().is_none()
    }

    fn failed_step(&self) -> Option<&Step> {
        self.steps.iter().find(|step| step.result.is_failure())
    }

    /// The first failure in one line, or that there was none.
    #[must_use]
    pub fn headline(&self) -> String {
        let Some(step) = self.failed_step() else {
            return format!("{}: every step succeeded", self.graph);
        };
        let taken_back = self
            .steps
            .iter()
            .filter(|step| matches!(step.result, StepResult::RolledBack))
            .count();
        let stuck = self
            .steps
            .iter()
            .filter(|step| matches!(step.result, StepResult::NotRolledBack(_)))
            .count();
        let mut line = format!("{}: {} {}", self.graph, step.subject, step.result);
        if taken_back > 0 {
            line.push_str(&format!("; rolled back {taken_back} step(s)"));
        }
        if stuck > 0 {
            line.push_str(&format!("; {stuck} step(s) could not be rolled back yet"));
        }
        line
    }
}

impl fmt::Display for ApplyReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  plan {}", self.graph, self.plan)?;
        let subjects: Vec<String> = self.steps.iter().map(|step| step.subject.to_string()).collect();
        let width = subjects.iter().map(String::len).max().unwrap_or(0);
        for (step, subject) in self.steps.iter().zip(subjects) {
            write!(f, "\n  wave {}  {subject:<width$}  {}", step.wave, step.result)?;
        }
        Ok(())
    }
}
