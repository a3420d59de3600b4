//! What is remembered of a graph: what is wanted, and which alerts have fired.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Orchestrator, OrchestratorError};
use crate::backend::{BackendError, ErrorKind, Expect, StateStoreExt};
use crate::graph::{EventCondition, Waves};
use crate::id::{GraphKey, ServiceId};
use crate::plan::{AlertGroup, Dashboard, DeploymentPlan, Fingerprint, ReleaseSpec, Start};

/// What is wanted of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Wanted {
    Running,
    Stopped,
    Removed,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ServiceRecord {
    pub(super) start: Start,
    pub(super) release: ReleaseSpec,
}

/// Everything that is remembered of a graph, stored as one document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct GraphRecord {
    pub(super) graph: GraphKey,
    pub(super) plan: Fingerprint,
    pub(super) wanted: Wanted,
    pub(super) services: IndexMap<ServiceId, ServiceRecord>,
    pub(super) waves: Waves,
    pub(super) alerts: Option<AlertGroup>,
    pub(super) dashboards: Vec<Dashboard>,
    /// Waiting services whose alerts have fired. They are part of the graph from then on.
    pub(super) started: BTreeSet<ServiceId>,
    /// What fires: by name of rule, the start by fingerprint. An alert that is in here was heard of before.
    pub(super) firing: BTreeMap<String, BTreeMap<String, Timestamp>>,
    /// While a long operation goes on: until when it has the graph for itself.
    pub(super) busy_until: Option<Timestamp>,
}

impl GraphRecord {
    /// The record of a plan that is to be carried out, with what is known of the graph from before.
    pub(super) fn of_plan(plan: &DeploymentPlan, former: Option<&Self>) -> Self {
        let service = |(id, service): (&ServiceId, &crate::plan::ServicePlan)| {
            let record = ServiceRecord {
                start: service.start.clone(),
                release: service.release.clone(),
            };
            (id.clone(), record)
        };
        let mut record = Self {
            graph: plan.graph.clone(),
            plan: plan.fingerprint.clone(),
            wanted: Wanted::Running,
            services: plan.services.iter().map(service).collect(),
            waves: plan.waves.clone(),
            alerts: plan.alerts.clone(),
            dashboards: plan.dashboards.clone(),
            started: former.map(|former| former.started.clone()).unwrap_or_default(),
            firing: former.map(|former| former.firing.clone()).unwrap_or_default(),
            busy_until: None,
        };
        let waits = |id: &ServiceId, record: &Self| {
            record
                .services
                .get(id)
                .is_some_and(|service| matches!(service.start, Start::OnEvent { .. }))
        };
        let started: BTreeSet<ServiceId> = record
            .started
            .iter()
            .filter(|id| waits(id, &record))
            .cloned()
            .collect();
        record.started = started;
        record
    }

    /// True when the service should run now: with the graph, or because its alerts have fired.
    pub(super) fn wants(&self, service: &ServiceId) -> bool {
        let waits = |record: &ServiceRecord| matches!(record.start, Start::OnEvent { .. });
        self.wanted == Wanted::Running
            && self
                .services
                .get(service)
                .is_some_and(|record| !waits(record) || self.started.contains(service))
    }

    /// What will be installed when alerts fire that have not fired yet.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &ReleaseSpec> {
        let waits = |(id, service): &(&ServiceId, &ServiceRecord)| {
            matches!(service.start, Start::OnEvent { .. }) && !self.started.contains(*id)
        };
        let wanted = self.wanted == Wanted::Running;
        self.services
            .iter()
            .filter(move |entry| wanted && waits(entry))
            .map(|(_, service)| &service.release)
    }

    /// The services whose condition holds by what fires, and that have not been started by it yet.
    pub(super) fn due(&self) -> Vec<ServiceId> {
        let fires = |alert: &String| self.firing.get(alert).is_some_and(|series| !series.is_empty());
        let holds = |record: &ServiceRecord| match &record.start {
            Start::OnEvent {
                condition: EventCondition::Any,
                alerts,
            } => alerts.iter().any(fires),
            Start::OnEvent {
                condition: EventCondition::All,
                alerts,
            } => alerts.iter().all(fires),
            _ => false,
        };
        let due = self
            .services
            .iter()
            .filter(|(id, record)| holds(record) && !self.started.contains(*id));
        due.map(|(id, _)| id.clone()).collect()
    }
}

const PREFIX: &str = "graph/";

fn key(graph: &GraphKey) -> String {
    format!("{PREFIX}{graph}")
}

/// How often a small change is tried when somebody else writes the same record.
const ATTEMPTS: usize = 8;

impl Orchestrator {
    pub(super) async fn record(&self, graph: &GraphKey) -> Result<Option<GraphRecord>, BackendError> {
        Ok(self.store.get_as(&key(graph)).await?.map(|(record, _)| record))
    }

    pub(super) async fn known(&self, graph: &GraphKey) -> Result<GraphRecord, OrchestratorError> {
        self.record(graph)
            .await?
            .ok_or_else(|| OrchestratorError::UnknownGraph(graph.clone()))
    }

    /// Every record, by name, and what could not be read.
    pub(super) async fn records(&self) -> Result<(Vec<GraphRecord>, Vec<BackendError>), BackendError> {
        let mut records = Vec::new();
        let mut problems = Vec::new();
        for document in self.store.list(PREFIX).await? {
            match document.read() {
                Ok(record) => records.push(record),
                Err(error) => problems.push(error),
            }
        }
        Ok((records, problems))
    }

    /// Takes a graph for a long operation and writes what `change` makes of its record (`None`: there is none yet).
    /// Gives what the record was before.
    pub(super) async fn take(
        &self,
        graph: &GraphKey,
        change: impl Fn(Option<&GraphRecord>) -> Result<GraphRecord, OrchestratorError>,
    ) -> Result<(Option<GraphRecord>, GraphRecord), OrchestratorError> {
        let key = key(graph);
        let mut attempt = 0;
        loop {
            let stored: Option<(GraphRecord, u64)> = self.store.get_as(&key).await?;
            let former = stored.as_ref().map(|(record, _)| record);
            let now = self.timer.now();
            if let Some(until) = former
                .and_then(|record| record.busy_until)
                .filter(|until| *until > now)
            {
                return Err(OrchestratorError::Busy {
                    graph: graph.clone(),
                    until,
                });
            }
            let mut record = change(former)?;
            record.busy_until = Some(self.lease());
            let expect = stored
                .as_ref()
                .map_or(Expect::Absent, |(_, revision)| Expect::Revision(*revision));
            match self.store.put_as(&key, &record, expect).await {
                Ok(_) => return Ok((stored.map(|(record, _)| record), record)),
                Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Changes a record that exists; gives it as it is then. `None` when it is gone.
    pub(super) async fn change<T>(
        &self,
        graph: &GraphKey,
        change: impl Fn(&mut GraphRecord) -> T,
    ) -> Result<Option<(GraphRecord, T)>, BackendError> {
        let key = key(graph);
        let mut attempt = 0;
        loop {
            let Some((former, revision)) = self.store.get_as::<GraphRecord>(&key).await? else {
                return Ok(None);
            };
            let mut record = former.clone();
            let result = change(&mut record);
            if record == former {
                return Ok(Some((record, result)));
            }
            match self.store.put_as(&key, &record, Expect::Revision(revision)).await {
                Ok(_) => return Ok(Some((record, result))),
                Err(error) if error.kind() == ErrorKind::Conflict && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Forgets a graph.
    pub(super) async fn forget(&self, graph: &GraphKey) -> Result<(), BackendError> {
        self.store.delete(&key(graph), Expect::Anything).await
    }

    /// Ends a long operation.
    pub(super) async fn end(&self, graph: &GraphKey) {
        // When this cannot be written, the lease ends by itself.
        let _ = self
            .insist(|| self.change(graph, |record| record.busy_until = None))
            .await;
    }

    /// Shows that a long operation still goes on.
    pub(super) async fn renew(&self, graph: &GraphKey) -> Result<(), BackendError> {
        let until = self.lease();
        self.change(graph, |record| record.busy_until = Some(until))
            .await
            .map(|_| ())
    }

    fn lease(&self) -> Timestamp {
        // A wave has this long, and a little for the calls.
        let lease = self.patience.healthy.saturating_add(Duration::from_secs(30));
        self.timer.now().checked_add(lease).unwrap_or(Timestamp::MAX)
    }
}
