//! Carrying out changes, wave by wave.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use super::observe::{health_of, with_running_replicas};
use super::record::{GraphRecord, Wanted};
use super::together::together;
use super::{ApplyReport, Orchestrator, OrchestratorError, Step, StepResult, Subject};
use crate::backend::{BackendError, Retry, since};
use crate::cluster::{Health, ObservedRelease, ObservedState};
use crate::id::{GraphKey, ServiceId, ServiceKey};
use crate::plan::{Change, ChangeSet, DeploymentPlan, ReleaseAction};

/// How often a call is made that may succeed when it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effort {
    /// Once: the caller comes back by itself, and must not wait.
    Once,
    /// A few times, with pauses.
    Insist,
}

const ATTEMPTS: u32 = 3;

impl Orchestrator {
    /// What [`Orchestrator::apply`] would do now.
    ///
    /// # Errors
    /// When what runs cannot be observed.
    pub async fn diff(&self, plan: &DeploymentPlan) -> Result<ChangeSet, BackendError> {
        Ok(plan.diff(&self.observe(&plan.graph).await?))
    }

    /// Brings a plan about: installs a graph that does not run, changes or starts one that is known.
    ///
    /// Waves are done in order, each when the one before is healthy, and the services of a wave together. When a step fails, no later one is tried, and what
    /// this call did is taken back: what it installed is removed, what it changed is set back as far as it is known
    /// how it was. Dashboards never fail an operation. Returns when everything is healthy.
    ///
    /// # Errors
    /// [`OrchestratorError::Failed`] with a report of every step; anything else means that nothing was done.
    pub async fn apply(&self, plan: &DeploymentPlan) -> Result<ApplyReport, OrchestratorError> {
        self.apply_from(plan, None).await
    }

    /// The same, unless what runs has changed since `changes` were computed from this plan.
    ///
    /// # Errors
    /// [`OrchestratorError::Changed`] when it has, and as [`Orchestrator::apply`].
    pub async fn apply_unless_changed(
        &self,
        plan: &DeploymentPlan,
        changes: &ChangeSet,
    ) -> Result<ApplyReport, OrchestratorError> {
        self.apply_from(plan, Some(changes)).await
    }

    async fn apply_from(
        &self,
        plan: &DeploymentPlan,
        expected: Option<&ChangeSet>,
    ) -> Result<ApplyReport, OrchestratorError> {
        let graph = &plan.graph;
        let (former, record) = self
            .take(graph, |former| Ok(GraphRecord::of_plan(plan, former)))
            .await?;
        let observed = match self.observe(graph).await {
            Ok(observed) => observed,
            Err(error) => return self.give_up(graph, former, error.into()).await,
        };
        let changes = plan.diff(&observed);
        let same =
            |expected: &ChangeSet| expected.plan == changes.plan && expected.observed == changes.observed;
        if expected.is_some_and(|expected| !same(expected)) {
            return self
                .give_up(graph, former, OrchestratorError::Changed { graph: graph.clone() })
                .await;
        }
        self.carry_out_or_roll_back(&record, former, &changes.waves, &observed)
            .await
    }

    /// Sets the record back as it was before an operation that did nothing.
    async fn give_up<T>(
        &self,
        graph: &GraphKey,
        former: Option<GraphRecord>,
        error: OrchestratorError,
    ) -> Result<T, OrchestratorError> {
        self.restore(graph, former.as_ref()).await?;
        Err(error)
    }

    /// Carries out the changes of a taken graph, takes them back when one fails, and ends the operation.
    pub(super) async fn carry_out_or_roll_back(
        &self,
        record: &GraphRecord,
        former: Option<GraphRecord>,
        waves: &[Vec<Change>],
        observed: &ObservedState,
    ) -> Result<ApplyReport, OrchestratorError> {
        let graph = record.graph.clone();
        let steps = self.carry_out(record, waves, &observed.releases).await;
        let mut report = ApplyReport {
            graph: graph.clone(),
            plan: record.plan.clone(),
            steps,
        };
        if report.succeeded() {
            self.end(&graph).await;
            return Ok(report);
        }
        let clean = self
            .roll_back(&mut report.steps, waves, former.as_ref(), observed)
            .await;
        let owed = |record: &mut GraphRecord| {
            record.wanted = Wanted::Removed;
            record.busy_until = None;
        };
        let remembered = match (&former, clean) {
            // What could not be taken back is still owed: `reconcile` removes it.
            (None, false) => self.insist(|| self.change(&graph, owed)).await.map(|_| ()),
            (former, _) => self.insist(|| self.restore(&graph, former.as_ref())).await,
        };
        match remembered {
            Ok(()) => Err(OrchestratorError::Failed(Box::new(report))),
            Err(error) => Err(OrchestratorError::NotRemembered {
                report: Box::new(report),
                error,
            }),
        }
    }

    /// Does every step of every wave until one fails, and says what became of each.
    pub(super) async fn carry_out(
        &self,
        record: &GraphRecord,
        waves: &[Vec<Change>],
        running: &BTreeMap<ServiceKey, ObservedRelease>,
    ) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut failed = false;
        for (index, wave) in waves.iter().enumerate() {
            let begin = steps.len();
            if index > 0 && !failed {
                // A lease that cannot be renewed ends early, and `reconcile` would help along: no reason to fail.
                let _ = self.renew(&record.graph).await;
            }
            let calls = wave
                .iter()
                .filter(|_| !failed)
                .map(|change| self.carry_out_one(record, change, running, Effort::Insist));
            let mut results = together(self.at_once, calls, StepResult::is_failure)
                .await
                .into_iter();
            for change in wave {
                let result = results.next().flatten().unwrap_or(StepResult::Skipped);
                failed |= result.is_failure();
                steps.push(Step::of(index, change, result));
            }
            if failed {
                continue;
            }
            let more_follows = waves.iter().skip(index + 1).flatten().any(installs);
            let awaited = |step: &Step| match (&step.subject, &step.result) {
                (Subject::Release(id), StepResult::Done) => Some(id.clone()),
                (Subject::Release(id), StepResult::Kept) if more_follows => Some(id.clone()),
                _ => None,
            };
            let awaited: Vec<ServiceId> = steps.iter().skip(begin).filter_map(awaited).collect();
            if let Err((service, result)) = self.wait_until_healthy(&record.graph, &awaited).await {
                failed = true;
                let about = |step: &&mut Step| step.subject == Subject::Release(service.clone());
                if let Some(step) = steps.iter_mut().skip(begin).find(about) {
                    step.result = result;
                }
            }
        }
        steps
    }

    pub(super) async fn carry_out_one(
        &self,
        record: &GraphRecord,
        change: &Change,
        running: &BTreeMap<ServiceKey, ObservedRelease>,
        effort: Effort,
    ) -> StepResult {
        let result = match change {
            Change::Release {
                action: ReleaseAction::Keep,
                ..
            } => Ok(StepResult::Kept),
            Change::Release {
                action: ReleaseAction::Await,
                service,
                ..
            } if !record.wants(service) => Ok(StepResult::Waiting),
            Change::Release { spec, .. } => {
                let spec = with_running_replicas(spec, running.get(&spec.service));
                let applied = self.call(effort, || self.releases.apply(&spec)).await;
                applied.map(|applied| {
                    if applied.changed {
                        StepResult::Done
                    } else {
                        StepResult::Kept
                    }
                })
            }
            Change::RemoveRelease { service, .. } => {
                let removed = self.call(effort, || self.releases.remove(service)).await;
                removed.map(|removed| StepResult::Removed { owed: removed.owed })
            }
            Change::WriteAlerts(group) => self
                .call(effort, || self.alerts.write(group))
                .await
                .map(|()| StepResult::Done),
            Change::RemoveAlerts { group } => {
                let removed = self.call(effort, || self.alerts.remove(group)).await;
                removed.map(|()| StepResult::Removed { owed: Vec::new() })
            }
            Change::WriteDashboard(dashboard) => match self.dashboards.write(dashboard).await {
                Ok(()) => Ok(StepResult::Done),
                Err(error) => Ok(StepResult::Tolerated(error)),
            },
        };
        result.unwrap_or_else(StepResult::Failed)
    }

    /// Makes a call, again when its error says that this may help.
    pub(super) async fn call<T, F>(&self, effort: Effort, call: impl Fn() -> F) -> Result<T, BackendError>
    where
        F: Future<Output = Result<T, BackendError>>,
    {
        let mut attempt = 1;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let pause = match error.retry() {
                Retry::Never => return Err(error),
                Retry::Later => self.patience.poll,
                Retry::After(pause) => pause.min(self.patience.healthy),
            };
            if effort == Effort::Once || attempt == ATTEMPTS {
                return Err(error);
            }
            attempt += 1;
            self.timer.wait(pause).await;
        }
    }

    /// [`Orchestrator::call`] for operations that have time.
    pub(super) async fn insist<T, F>(&self, call: impl Fn() -> F) -> Result<T, BackendError>
    where
        F: Future<Output = Result<T, BackendError>>,
    {
        self.call(Effort::Insist, call).await
    }

    /// Returns when all these services are healthy, or one of them has been given up.
    async fn wait_until_healthy(
        &self,
        graph: &GraphKey,
        services: &[ServiceId],
    ) -> Result<(), (ServiceId, StepResult)> {
        let begin = self.timer.now();
        let mut bad_since: BTreeMap<&ServiceId, Timestamp> = BTreeMap::new();
        // A fleet that does not answer for a moment is no reason to give up.
        let mut last_error: Option<BackendError> = None;
        loop {
            let now = self.timer.now();
            let observed = match self.observed_releases(graph).await {
                Ok(observed) => Some(observed),
                Err(error) => {
                    last_error = Some(error);
                    None
                }
            };
            let mut pending: Option<(&ServiceId, Option<String>)> = None;
            for service in services {
                let release = observed
                    .as_ref()
                    .and_then(|observed| observed.get(&graph.service(service.clone())));
                let (health, message) = match (&observed, release) {
                    (Some(_), Some(release)) => health_of(release),
                    (Some(_), None) => (Health::Degraded, Some("the release is gone".to_owned())),
                    (None, _) => (Health::Progressing, last_error.as_ref().map(ToString::to_string)),
                };
                let bad = matches!(health, Health::Degraded | Health::Unknown);
                if bad && observed.is_some() {
                    let after = since(now, *bad_since.entry(service).or_insert(now));
                    if after >= self.patience.degraded {
                        let message = message.unwrap_or_else(|| "no reason is given".to_owned());
                        return Err((service.clone(), StepResult::Unhealthy { after, message }));
                    }
                } else if observed.is_some() {
                    bad_since.remove(service);
                }
                if health != Health::Healthy && pending.is_none() {
                    pending = Some((service, message));
                }
            }
            let Some((service, message)) = pending else {
                return Ok(());
            };
            let after = since(now, begin);
            if after >= self.patience.healthy {
                let message = message.unwrap_or_else(|| "its replicas are not all ready".to_owned());
                return Err((service.clone(), StepResult::Unhealthy { after, message }));
            }
            self.timer.wait(pause(after, self.patience.poll)).await;
        }
    }
}

/// How long to wait between two looks: what was just written is often there in a moment, and what takes long need not be
/// looked at often. A quarter of the time so far in whole milliseconds, from a tenth of `poll` to `poll`.
fn pause(so_far: Duration, poll: Duration) -> Duration {
    let pause = (so_far / 4).clamp(poll / 10, poll);
    Duration::new(pause.as_secs(), pause.subsec_millis() * 1_000_000)
}

fn installs(change: &Change) -> bool {
    use ReleaseAction::{Install, Move, Upgrade};
    matches!(
        change,
        Change::Release {
            action: Install | Upgrade { .. } | Move { .. },
            ..
        }
    )
}
