//! What is to be done for a graph by what is remembered of it.

use super::observe::in_place;
use super::record::{GraphRecord, ServiceRecord};
use super::{ApplyReport, Step};
use crate::cluster::{ObservedRelease, ObservedState};
use crate::id::ServiceId;
use crate::plan::{AlertGroup, Change, Dashboard, ReleaseAction};

impl GraphRecord {
    /// What is to be done so that what is wanted runs, in waves, by the record alone.
    pub(super) fn changes(&self, observed: &ObservedState) -> Vec<Vec<Change>> {
        let of_service = |id: &ServiceId| {
            let record = self.services.get(id)?;
            let action = self.action(id, record, observed.releases.get(&record.release.service));
            Some(Change::Release {
                service: id.clone(),
                action,
                spec: record.release.clone(),
                imports: None,
            })
        };
        let mut waves: Vec<Vec<Change>> = self
            .waves
            .iter()
            .map(|wave| wave.iter().filter_map(of_service).collect())
            .collect();
        let mut monitoring = Vec::new();
        let stale =
            |group: &&AlertGroup| observed.alert_groups.get(&group.name) != Some(&group.fingerprint());
        monitoring.extend(
            self.alerts
                .as_ref()
                .filter(stale)
                .cloned()
                .map(Change::WriteAlerts),
        );
        let stale = |dashboard: &&Dashboard| {
            observed.dashboards.get(&dashboard.uid) != Some(&dashboard.fingerprint())
        };
        monitoring.extend(
            self.dashboards
                .iter()
                .filter(stale)
                .cloned()
                .map(Change::WriteDashboard),
        );
        waves.push(monitoring);
        waves.retain(|wave| !wave.is_empty());
        waves
    }

    fn action(
        &self,
        id: &ServiceId,
        record: &ServiceRecord,
        running: Option<&ObservedRelease>,
    ) -> ReleaseAction {
        match running {
            None if self.wants(id) => ReleaseAction::Install,
            None => ReleaseAction::Await,
            Some(running) if in_place(&record.release, running) => ReleaseAction::Keep,
            Some(running) => {
                let from: Vec<_> = running.clusters.keys().cloned().collect();
                let to = record.release.target.clusters();
                if to.is_empty() || from == to {
                    ReleaseAction::Upgrade {
                        differences: Vec::new(),
                    }
                } else {
                    ReleaseAction::Move { from, to }
                }
            }
        }
    }

    pub(super) fn report(&self, steps: Vec<Step>) -> ApplyReport {
        ApplyReport {
            graph: self.graph.clone(),
            plan: self.plan.clone(),
            steps,
        }
    }
}
