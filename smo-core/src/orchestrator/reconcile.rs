//! One step towards what is wanted, for every graph. The host calls it again and again.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::apply::Effort;
use super::observe::health_of;
use super::record::{GraphRecord, Wanted};
use super::together::together;
use super::{AlertOutcome, Orchestrator, Step, StepResult};
use crate::backend::{BackendError, Retry, Scope, later};
use crate::cluster::{Health, ObservedState, Readiness};
use crate::id::{ClusterName, GraphKey};
use crate::plan::{Change, ReleaseAction};

/// Something that a host should decide on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advice {
    /// Services of a graph run on clusters that do not answer: [`Orchestrator::replan`] would move them.
    Replan {
        /// The graph.
        graph: GraphKey,
        /// Those clusters.
        clusters: BTreeSet<ClusterName>,
    },
}

/// What a step did.
#[derive(Debug, Clone)]
pub struct ReconcileReport {
    /// When to call again.
    pub next: Timestamp,
    /// What alerts led to.
    pub alerts: Vec<AlertOutcome>,
    /// What was done, by graph; only steps that did or tried something.
    pub steps: Vec<(GraphKey, Step)>,
    /// What the host should decide on.
    pub advice: Vec<Advice>,
    /// What could not be looked at.
    pub problems: Vec<BackendError>,
}

impl Orchestrator {
    /// Does one step for every graph: takes word of alerts, installs what is missing and whose turn it is, mends what
    /// was changed behind its back, finishes what was interrupted. Never waits; says when to call it next.
    ///
    /// A failure in one graph does not keep it from the others.
    ///
    /// # Errors
    /// When the store or the fleet cannot be read at all.
    pub async fn reconcile(&self, now: Timestamp) -> Result<ReconcileReport, BackendError> {
        let mut report = ReconcileReport {
            next: later(now, self.patience.idle),
            alerts: Vec::new(),
            steps: Vec::new(),
            advice: Vec::new(),
            problems: Vec::new(),
        };
        match self.poll_alerts().await {
            Ok(outcomes) => report.alerts = outcomes,
            Err(error) => report.problem(error, now),
        }
        let inventory = self.clusters.inventory().await?;
        let lost: BTreeSet<ClusterName> = inventory
            .clusters
            .values()
            .filter(|cluster| !matches!(cluster.readiness, Readiness::Ready))
            .map(|cluster| cluster.name.clone())
            .collect();
        let (records, unreadable) = self.records().await?;
        report.problems.extend(unreadable);
        for record in records {
            match record.busy_until.filter(|until| *until > now) {
                Some(until) => report.next = report.next.min(until),
                None => self.reconcile_graph(record, &lost, now, &mut report).await,
            }
        }
        self.sweep(&lost, now, &mut report).await;
        Ok(report)
    }

    /// Looks at everything once: a fleet forgets what it removed when it sees that nothing of it is left, and graphs
    /// that are removed are looked at by nobody else.
    async fn sweep(&self, lost: &BTreeSet<ClusterName>, now: Timestamp, report: &mut ReconcileReport) {
        match self.releases.observe(&Scope::All).await {
            Ok(observed) => {
                let mut going = observed.leftovers.iter();
                if going.any(|left| !lost.contains(&left.cluster)) {
                    report.next = report.next.min(later(now, self.patience.poll));
                }
            }
            Err(error) => report.problem(error, now),
        }
    }

    async fn reconcile_graph(
        &self,
        record: GraphRecord,
        lost: &BTreeSet<ClusterName>,
        now: Timestamp,
        report: &mut ReconcileReport,
    ) {
        let graph = record.graph.clone();
        let result = match record.wanted {
            Wanted::Running => self.towards_running(record, lost, now, report).await,
            Wanted::Stopped | Wanted::Removed => self.towards_absent(&record, now, report).await,
        };
        if let Err(error) = result {
            report.problem(error, now);
        }
        // A lease that has run out belongs to an operation that was cut off.
        if let Err(error) = self.end_stale_lease(&graph, now).await {
            report.problem(error, now);
        }
    }

    /// Does the first wave that has something to do; the next one has to wait until it is healthy.
    async fn towards_running(
        &self,
        record: GraphRecord,
        lost: &BTreeSet<ClusterName>,
        now: Timestamp,
        report: &mut ReconcileReport,
    ) -> Result<(), BackendError> {
        let observed = self.observe(&record.graph).await?;
        let on_lost: BTreeSet<ClusterName> = observed
            .releases
            .values()
            .flat_map(|release| release.clusters.keys())
            .filter(|at| lost.contains(*at))
            .cloned()
            .collect();
        if !on_lost.is_empty() {
            report.advice.push(Advice::Replan {
                graph: record.graph.clone(),
                clusters: on_lost,
            });
        }
        for (index, mut wave) in record.changes(&observed).into_iter().enumerate() {
            for change in &mut wave {
                mend_if_degraded(change, &observed);
            }
            let calls = wave
                .iter()
                .map(|change| self.carry_out_one(&record, change, &observed.releases, Effort::Once));
            let results = together(self.at_once, calls, |_| false).await;
            let mut acted = false;
            for (change, result) in wave.iter().zip(results.into_iter().flatten()) {
                if matches!(result, StepResult::Kept | StepResult::Waiting) {
                    continue;
                }
                acted = true;
                report.done(&record.graph, Step::of(index, change, result), now);
            }
            let health = |change: &Change| match change {
                Change::Release { service, spec, .. } if record.wants(service) => {
                    let release = observed.releases.get(&spec.service);
                    release.map_or(Health::Progressing, |release| health_of(release).0)
                }
                _ => Health::Healthy,
            };
            if acted || wave.iter().any(|change| health(change) != Health::Healthy) {
                // What is on its way is there soon; what stays degraded need not be looked at that often.
                let soon = acted || wave.iter().any(|change| health(change) == Health::Progressing);
                let pause = if soon {
                    self.patience.poll
                } else {
                    self.patience.poll * 10
                };
                report.next = report.next.min(later(now, pause));
                // Alert rules and dashboards do not wait for services.
                if wave.iter().any(|change| matches!(change, Change::Release { .. })) {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn towards_absent(
        &self,
        record: &GraphRecord,
        now: Timestamp,
        report: &mut ReconcileReport,
    ) -> Result<(), BackendError> {
        let observed = self.observe(&record.graph).await?;
        let group = crate::plan::AlertGroup::name_of(&record.graph);
        let nothing_left = observed.releases.is_empty() && !observed.alert_groups.contains_key(&group);
        if !nothing_left || record.wanted == Wanted::Removed {
            for step in self.take_down(record, Effort::Once).await {
                report.done(&record.graph, step, now);
            }
        }
        let clean = !report
            .steps
            .iter()
            .any(|(graph, step)| *graph == record.graph && step.result.is_failure());
        if clean && record.wanted == Wanted::Removed {
            self.forget(&record.graph).await?;
        }
        Ok(())
    }

    async fn end_stale_lease(&self, graph: &GraphKey, now: Timestamp) -> Result<(), BackendError> {
        let end = |record: &mut GraphRecord| {
            if record.busy_until.is_some_and(|until| until <= now) {
                record.busy_until = None;
            }
        };
        self.change(graph, end).await.map(|_| ())
    }
}

/// What is right by chart, values and clusters and yet does not work is written once more, which mends what somebody
/// has changed behind our back, and changes nothing else.
fn mend_if_degraded(change: &mut Change, observed: &ObservedState) {
    let Change::Release { action, spec, .. } = change else {
        return;
    };
    let running = observed.releases.get(&spec.service);
    let degraded = running.is_some_and(|running| health_of(running).0 == Health::Degraded);
    if degraded && *action == ReleaseAction::Keep {
        *action = ReleaseAction::Upgrade {
            differences: Vec::new(),
        };
    }
}

impl ReconcileReport {
    fn problem(&mut self, error: BackendError, now: Timestamp) {
        self.come_back(&error, now);
        self.problems.push(error);
    }

    fn done(&mut self, graph: &GraphKey, step: Step, now: Timestamp) {
        if let StepResult::Failed(error) = &step.result {
            let error = error.clone();
            self.come_back(&error, now);
        }
        self.steps.push((graph.clone(), step));
    }

    /// Comes back when an error says that this helps.
    fn come_back(&mut self, error: &BackendError, now: Timestamp) {
        const PAUSE: std::time::Duration = std::time::Duration::from_secs(5);
        match error.retry() {
            Retry::Never => {}
            Retry::Later => self.next = self.next.min(later(now, PAUSE)),
            Retry::After(pause) => self.next = self.next.min(later(now, pause)),
        }
    }
}
