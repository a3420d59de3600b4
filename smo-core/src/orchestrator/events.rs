//! Alerts: a service that waits for one is installed once, by an alert that fires.

use std::collections::BTreeMap;

use super::Orchestrator;
use super::apply::Effort;
use super::observe::with_running_replicas;
use super::record::{GraphRecord, Wanted};
use crate::backend::{BackendError, FiringAlert};
use crate::id::{GraphKey, ServiceId, ServiceKey};
use crate::plan::{AlertRule, Start};

/// Whether an alert fires or has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    /// It fires.
    Firing,
    /// It has ended.
    Resolved,
}

/// Word of an alert, as a webhook or a poll brings it. The same word may come any number of times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertNotice {
    /// Whether it fires.
    pub state: AlertState,
    /// The alert.
    pub alert: FiringAlert,
}

impl From<FiringAlert> for AlertNotice {
    fn from(alert: FiringAlert) -> Self {
        Self {
            state: AlertState::Firing,
            alert,
        }
    }
}

/// What word of an alert led to.
#[derive(Debug, Clone)]
pub enum AlertOutcome {
    /// The service is installed now, because of it.
    Started(ServiceKey),
    /// The service will be installed by the next `reconcile`: an operation on its graph goes on.
    Deferred(ServiceKey),
    /// The service waits for these alerts too.
    WaitsForMore {
        /// The service.
        service: ServiceKey,
        /// The names of the rules that do not fire yet.
        missing: Vec<String>,
    },
    /// The service runs already.
    AlreadyStarted(ServiceKey),
    /// The same alert was heard of before.
    Repeated,
    /// The alert has ended, which starts nothing.
    Resolved,
    /// The graph is stopped.
    GraphStopped(GraphKey),
    /// The alert is none of a deployed graph.
    NotOurs,
    /// The service should be installed now, and was not; `reconcile` tries again.
    Failed(ServiceKey, BackendError),
}

impl Orchestrator {
    /// Takes word of alerts, and installs the services whose condition now holds. It does not wait for them to become
    /// healthy, so a webhook can answer at once. Gives an outcome for each notice, in order.
    ///
    /// Nothing is installed twice: not by an alert that is delivered again, nor by one that has ended, nor in a stopped
    /// graph.
    ///
    /// # Errors
    /// When the store fails. A fleet that fails is an outcome.
    pub async fn on_alerts(&self, notices: &[AlertNotice]) -> Result<Vec<AlertOutcome>, BackendError> {
        let mut outcomes = Vec::with_capacity(notices.len());
        for notice in notices {
            outcomes.push(self.on_alert(notice).await?);
        }
        Ok(outcomes)
    }

    async fn on_alert(&self, notice: &AlertNotice) -> Result<AlertOutcome, BackendError> {
        let Some(service) = service_of(&notice.alert) else {
            return Ok(AlertOutcome::NotOurs);
        };
        let now = self.timer.now();
        let heard = self
            .change(&service.graph, |record| record.hear(&service.service, notice))
            .await?;
        let Some((record, heard)) = heard else {
            return Ok(AlertOutcome::NotOurs);
        };
        match heard {
            Heard::Nothing(outcome) => Ok(outcome),
            Heard::Due if record.busy_until.is_some_and(|until| until > now) => {
                Ok(AlertOutcome::Deferred(service))
            }
            Heard::Due => Ok(match self.install(&record, &service.service).await {
                Ok(()) => AlertOutcome::Started(service),
                Err(error) => AlertOutcome::Failed(service, error),
            }),
        }
    }

    /// Installs a service of a record.
    async fn install(&self, record: &GraphRecord, service: &ServiceId) -> Result<(), BackendError> {
        let Some(known) = record.services.get(service) else {
            return Ok(());
        };
        let running = self.observed_releases(&record.graph).await?;
        let spec = with_running_replicas(&known.release, running.get(&known.release.service));
        self.call(Effort::Once, || self.releases.apply(&spec))
            .await
            .map(|_| ())
    }

    /// Asks which alerts fire now, takes word of them, and forgets those that do not fire any more.
    pub(super) async fn poll_alerts(&self) -> Result<Vec<AlertOutcome>, BackendError> {
        if !self.polls_alerts {
            return Ok(Vec::new());
        }
        let firing = self.alerts.firing().await?;
        for record in self.records().await?.0 {
            let still = |rule: &str, fingerprint: &str| {
                firing
                    .iter()
                    .any(|alert| alert.fingerprint == fingerprint && alert.label("alertname") == Some(rule))
            };
            self.change(&record.graph, |record| {
                for (rule, series) in &mut record.firing {
                    series.retain(|fingerprint, _| still(rule, fingerprint));
                }
                record.firing.retain(|_, series| !series.is_empty());
            })
            .await?;
        }
        let notices: Vec<AlertNotice> = firing.into_iter().map(AlertNotice::from).collect();
        self.on_alerts(&notices).await
    }
}

/// What a record makes of word of an alert.
enum Heard {
    Nothing(AlertOutcome),
    /// The service is to be installed.
    Due,
}

impl GraphRecord {
    /// Remembers the alert, and says what it means for the service.
    fn hear(&mut self, service: &ServiceId, notice: &AlertNotice) -> Heard {
        let alert = &notice.alert;
        let rule = alert.label("alertname").unwrap_or_default().to_owned();
        let key = self.graph.service(service.clone());
        let waits_for = match self.services.get(service).map(|record| &record.start) {
            Some(Start::OnEvent { alerts, .. }) if alerts.contains(&rule) => alerts.clone(),
            _ => return Heard::Nothing(AlertOutcome::NotOurs),
        };
        if self.wanted != Wanted::Running {
            // Not remembered: the alert is news to the graph when it is started again.
            return Heard::Nothing(AlertOutcome::GraphStopped(self.graph.clone()));
        }
        if notice.state == AlertState::Resolved {
            if let Some(series) = self.firing.get_mut(&rule) {
                series.remove(&alert.fingerprint);
                if series.is_empty() {
                    self.firing.remove(&rule);
                }
            }
            return Heard::Nothing(AlertOutcome::Resolved);
        }
        let series: &mut BTreeMap<_, _> = self.firing.entry(rule).or_default();
        let before = series.insert(alert.fingerprint.clone(), alert.starts_at);
        if before == Some(alert.starts_at) {
            return Heard::Nothing(AlertOutcome::Repeated);
        }
        if self.started.contains(service) {
            return Heard::Nothing(AlertOutcome::AlreadyStarted(key));
        }
        if self.due().contains(service) {
            self.started.insert(service.clone());
            return Heard::Due;
        }
        let missing = waits_for
            .into_iter()
            .filter(|alert| !self.firing.contains_key(alert))
            .collect();
        Heard::Nothing(AlertOutcome::WaitsForMore {
            service: key,
            missing,
        })
    }
}

/// The service that the labels of an alert name.
fn service_of(alert: &FiringAlert) -> Option<ServiceKey> {
    let label = |name| alert.label(name);
    let graph = GraphKey::new(
        label(AlertRule::PROJECT)?.parse().ok()?,
        label(AlertRule::GRAPH)?.parse().ok()?,
    );
    Some(graph.service(label(AlertRule::SERVICE)?.parse().ok()?))
}
