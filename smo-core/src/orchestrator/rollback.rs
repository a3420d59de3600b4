//! Taking back what a failed operation did.

use super::observe::with_running_replicas;
use super::record::{GraphRecord, Wanted};
use super::{Orchestrator, Step, StepResult};
use crate::backend::{BackendError, ErrorKind};
use crate::cluster::ObservedState;
use crate::id::{GraphKey, ServiceId};
use crate::plan::{Change, ReleaseAction, ReleaseSpec};

impl Orchestrator {
    /// Takes back, last first, what steps brought about. True when nothing of it is left.
    pub(super) async fn roll_back(
        &self,
        steps: &mut [Step],
        waves: &[Vec<Change>],
        former: Option<&GraphRecord>,
        observed: &ObservedState,
    ) -> bool {
        let former = former.filter(|former| former.wanted == Wanted::Running);
        let mut clean = true;
        let changes: Vec<&Change> = waves.iter().flatten().collect();
        for (step, change) in steps.iter_mut().zip(changes).rev() {
            if !may_have_effect(&step.result) {
                continue;
            }
            let taken_back = self.take_back(change, former, observed).await;
            // The step that failed keeps its own reason.
            match taken_back {
                Ok(true) if !step.result.is_failure() => step.result = StepResult::RolledBack,
                Ok(_) => {}
                Err(error) => {
                    clean = false;
                    if !step.result.is_failure() {
                        step.result = StepResult::NotRolledBack(error);
                    }
                }
            }
        }
        clean
    }

    /// Takes one change back; false when nobody knows how it was before.
    async fn take_back(
        &self,
        change: &Change,
        former: Option<&GraphRecord>,
        observed: &ObservedState,
    ) -> Result<bool, BackendError> {
        match change {
            Change::Release {
                action: ReleaseAction::Install | ReleaseAction::Await,
                spec,
                ..
            } => {
                self.insist(|| self.releases.remove(&spec.service)).await?;
            }
            Change::Release { service, .. } => return self.set_back(service, former, observed).await,
            Change::RemoveRelease { service, .. } => {
                return self.set_back(&service.service, former, observed).await;
            }
            Change::WriteAlerts(group) => match former.and_then(|former| former.alerts.as_ref()) {
                Some(before) => self.insist(|| self.alerts.write(before)).await?,
                None => self.insist(|| self.alerts.remove(&group.name)).await?,
            },
            Change::RemoveAlerts { .. } => match former.and_then(|former| former.alerts.as_ref()) {
                Some(before) => self.insist(|| self.alerts.write(before)).await?,
                None => return Ok(false),
            },
            Change::WriteDashboard(dashboard) => {
                let mut before = former.into_iter().flat_map(|former| &former.dashboards);
                // Pictures are not worth a failure here either.
                let _ = match before.find(|before| before.uid == dashboard.uid) {
                    Some(before) => self.dashboards.write(before).await,
                    None => self.dashboards.remove(&dashboard.uid).await,
                };
            }
        }
        Ok(true)
    }

    async fn set_back(
        &self,
        service: &ServiceId,
        former: Option<&GraphRecord>,
        observed: &ObservedState,
    ) -> Result<bool, BackendError> {
        let Some(record) = former.and_then(|former| former.services.get(service)) else {
            return Ok(false);
        };
        let before: ReleaseSpec =
            with_running_replicas(&record.release, observed.releases.get(&record.release.service));
        self.insist(|| self.releases.apply(&before)).await.map(|_| true)
    }

    /// Sets the record of a graph back as it was; forgets the graph when there was none. What was heard of alerts
    /// meanwhile is kept.
    pub(super) async fn restore(
        &self,
        graph: &GraphKey,
        former: Option<&GraphRecord>,
    ) -> Result<(), BackendError> {
        let Some(former) = former else {
            return self.forget(graph).await;
        };
        let set_back = |record: &mut GraphRecord| {
            let firing = std::mem::take(&mut record.firing);
            let started = std::mem::take(&mut record.started);
            *record = GraphRecord {
                firing,
                started,
                busy_until: None,
                ..former.clone()
            };
        };
        self.change(graph, set_back).await.map(|_| ())
    }
}

/// True when a step may have left something behind: it succeeded, or failed after it may have written.
fn may_have_effect(result: &StepResult) -> bool {
    match result {
        StepResult::Done | StepResult::Removed { .. } | StepResult::Unhealthy { .. } => true,
        StepResult::Failed(error) => !matches!(
            error.kind(),
            ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::Unsupported
        ),
        _ => false,
    }
}
