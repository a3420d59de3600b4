//! The life of a graph: deploy, replan, scale, stop, start, remove.

use std::collections::BTreeMap;

use super::apply::Effort;
use super::record::{GraphRecord, Wanted};
use super::together::together;
use super::{ApplyReport, Orchestrator, OrchestratorError, Step, StepResult, Subject};
use crate::backend::BackendError;
use crate::graph::ApplicationGraph;
use crate::id::{GraphKey, ServiceId, ServiceKey};
use crate::placement::{Assignment, Placement};
use crate::plan::{AlertGroup, DeploymentPlan, Planner, Target};

/// A plan that was carried out.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// The plan.
    pub plan: DeploymentPlan,
    /// What was done.
    pub report: ApplyReport,
}

impl Orchestrator {
    /// Plans a graph for the fleet as it is now, and applies the plan.
    ///
    /// # Errors
    /// [`OrchestratorError::Exists`] when a graph of that name is deployed, [`OrchestratorError::Plan`] when there is no
    /// plan, and as [`Orchestrator::apply`].
    pub async fn deploy(
        &self,
        graph: &ApplicationGraph,
        planner: &Planner,
    ) -> Result<Deployment, OrchestratorError> {
        let key = GraphKey::new(planner.project().clone(), graph.id().clone());
        if self
            .record(&key)
            .await?
            .is_some_and(|record| record.wanted != Wanted::Removed)
        {
            return Err(OrchestratorError::Exists(key));
        }
        let plan = planner.plan(graph, &self.fleet_for(Some(&key)).await?)?;
        let report = self.apply(&plan).await?;
        Ok(Deployment { plan, report })
    }

    /// Plans a running graph again from where it runs now, for the fleet as it is now, and applies the plan: moves what
    /// has to move, upgrades the providers whose importers moved, leaves alone what is right and what waits.
    ///
    /// # Errors
    /// [`OrchestratorError::UnknownGraph`], [`OrchestratorError::Stopped`], [`OrchestratorError::Plan`] when there is no
    /// plan, and as [`Orchestrator::apply`].
    pub async fn replan(
        &self,
        graph: &ApplicationGraph,
        planner: &Planner,
    ) -> Result<Deployment, OrchestratorError> {
        self.replan_with_replicas(graph, planner, &BTreeMap::new()).await
    }

    /// The same for services that need more replicas than run: they go where so many find room.
    ///
    /// # Errors
    /// As [`Orchestrator::replan`].
    pub async fn replan_with_replicas(
        &self,
        graph: &ApplicationGraph,
        planner: &Planner,
        replicas: &BTreeMap<ServiceId, u32>,
    ) -> Result<Deployment, OrchestratorError> {
        let key = GraphKey::new(planner.project().clone(), graph.id().clone());
        if self.known(&key).await?.wanted != Wanted::Running {
            return Err(OrchestratorError::Stopped(key));
        }
        let current = Placement::from(&self.observed_releases(&key).await?);
        let fleet = self.fleet_for(Some(&key)).await?;
        let plan = planner.replan_with_replicas(graph, &fleet, &current, replicas)?;
        let report = self.apply(&plan).await?;
        Ok(Deployment { plan, report })
    }

    /// Changes how many replicas of a service run where, and remembers it.
    ///
    /// # Errors
    /// [`OrchestratorError::NotInstalled`] for a service that is not known or does not run, and what the fleet says.
    pub async fn scale(
        &self,
        service: &ServiceKey,
        assignment: &Assignment,
    ) -> Result<(), OrchestratorError> {
        let missing = || OrchestratorError::NotInstalled(service.clone());
        let record = self.record(&service.graph).await?.ok_or_else(missing)?;
        if !record.wants(&service.service) {
            return Err(missing());
        }
        self.insist(|| self.releases.scale(service, assignment)).await?;
        let remember = |record: &mut GraphRecord| {
            let known = record.services.get_mut(&service.service);
            if let Some(known) = known.filter(|_| !assignment.is_empty()) {
                known.release.target = Target::Clusters(assignment.clone());
            }
        };
        self.change(&service.graph, remember).await?;
        Ok(())
    }

    /// Takes a graph down and remembers how to start it. Its alert rules go first, so that nothing starts meanwhile; its
    /// dashboards stay.
    ///
    /// # Errors
    /// [`OrchestratorError::UnknownGraph`], [`OrchestratorError::Stopped`] when it is, [`OrchestratorError::Failed`] when
    /// something could not be taken down: the rest was, and `reconcile` tries again.
    pub async fn stop(&self, graph: &GraphKey) -> Result<ApplyReport, OrchestratorError> {
        let stop = |former: Option<&GraphRecord>| match former {
            None => Err(OrchestratorError::UnknownGraph(graph.clone())),
            Some(record) if record.wanted == Wanted::Running => Ok(GraphRecord {
                wanted: Wanted::Stopped,
                // Without rules nothing fires; what fires after a start is news.
                firing: BTreeMap::new(),
                ..record.clone()
            }),
            Some(_) => Err(OrchestratorError::Stopped(graph.clone())),
        };
        let (_, record) = self.take(graph, stop).await?;
        let report = record.report(self.take_down(&record, Effort::Insist).await);
        self.end(graph).await;
        if report.succeeded() {
            Ok(report)
        } else {
            Err(OrchestratorError::Failed(Box::new(report)))
        }
    }

    /// Starts a stopped graph where it ran: what ran when it was stopped, services that an alert had started included.
    /// To place it anew, plan it and [`Orchestrator::apply`] the plan.
    ///
    /// # Errors
    /// [`OrchestratorError::UnknownGraph`], [`OrchestratorError::NotStopped`], and as [`Orchestrator::apply`].
    pub async fn start(&self, graph: &GraphKey) -> Result<ApplyReport, OrchestratorError> {
        let start = |former: Option<&GraphRecord>| match former {
            None => Err(OrchestratorError::UnknownGraph(graph.clone())),
            Some(record) if record.wanted == Wanted::Stopped => Ok(GraphRecord {
                wanted: Wanted::Running,
                ..record.clone()
            }),
            Some(_) => Err(OrchestratorError::NotStopped(graph.clone())),
        };
        let (former, record) = self.take(graph, start).await?;
        let observed = match self.observe(graph).await {
            Ok(observed) => observed,
            Err(error) => {
                self.restore(graph, former.as_ref()).await?;
                return Err(error.into());
            }
        };
        self.carry_out_or_roll_back(&record, former, &record.changes(&observed), &observed)
            .await
    }

    /// Takes a graph down for good, its dashboards and the memory of it included.
    ///
    /// # Errors
    /// [`OrchestratorError::UnknownGraph`], [`OrchestratorError::Failed`] when something could not be taken down: the
    /// rest was, and `reconcile` tries again.
    pub async fn remove(&self, graph: &GraphKey) -> Result<ApplyReport, OrchestratorError> {
        let remove = |former: Option<&GraphRecord>| match former {
            None => Err(OrchestratorError::UnknownGraph(graph.clone())),
            Some(record) => Ok(GraphRecord {
                wanted: Wanted::Removed,
                ..record.clone()
            }),
        };
        let (_, record) = self.take(graph, remove).await?;
        let report = record.report(self.take_down(&record, Effort::Insist).await);
        if report.succeeded() {
            self.insist(|| self.forget(graph)).await?;
            return Ok(report);
        }
        self.end(graph).await;
        Err(OrchestratorError::Failed(Box::new(report)))
    }

    /// Takes away alert rules, then releases, last wave first, then (of a removed graph) dashboards. Goes on past
    /// failures.
    pub(super) async fn take_down(&self, record: &GraphRecord, effort: Effort) -> Vec<Step> {
        let mut steps = Vec::new();
        let group = AlertGroup::name_of(&record.graph);
        if let Some(result) = taken(
            self.call(effort, || self.alerts.remove(&group)).await,
            record.alerts.is_some(),
        ) {
            steps.push(Step {
                wave: 1,
                subject: Subject::Alerts(group),
                action: None,
                result,
            });
        }
        let of_wave = |wave: &Vec<ServiceId>| -> Vec<ServiceKey> {
            let services = wave.iter().rev();
            services.map(|id| record.graph.service(id.clone())).collect()
        };
        let mut waves: Vec<Vec<ServiceKey>> = record.waves.iter().rev().map(of_wave).collect();
        // A release that the record does not know is taken down too; when nobody can say, the record has to do.
        let observed = self.observed_releases(&record.graph).await;
        let releases = observed.into_iter().flat_map(|releases| releases.into_keys());
        waves.push(
            releases
                .filter(|key| !record.services.contains_key(&key.service))
                .collect(),
        );
        for wave in waves {
            let remove = async |service: &ServiceKey| {
                let removed = self.call(effort, || self.releases.remove(service)).await;
                match removed {
                    Ok(removed) if !removed.existed => None,
                    Ok(removed) => Some(StepResult::Removed { owed: removed.owed }),
                    Err(error) => Some(StepResult::Failed(error)),
                }
            };
            let results = together(self.at_once, wave.iter().map(remove), |_| false).await;
            let told = wave.iter().zip(results.into_iter().flatten());
            steps.extend(told.filter_map(|(service, result)| {
                Some(Step {
                    wave: 2,
                    subject: Subject::Release(service.service.clone()),
                    action: None,
                    result: result?,
                })
            }));
        }
        if record.wanted == Wanted::Removed {
            for dashboard in &record.dashboards {
                let result = match self.dashboards.remove(&dashboard.uid).await {
                    Ok(()) => StepResult::Removed { owed: Vec::new() },
                    Err(error) => StepResult::Tolerated(error),
                };
                let subject = Subject::Dashboard(dashboard.uid.clone());
                steps.push(Step {
                    wave: 3,
                    subject,
                    action: None,
                    result,
                });
            }
        }
        steps
    }
}

/// The result of taking something away; nothing to tell when it was not there.
fn taken(removed: Result<(), BackendError>, was_there: bool) -> Option<StepResult> {
    match removed {
        Ok(()) => was_there.then_some(StepResult::Removed { owed: Vec::new() }),
        Err(error) => Some(StepResult::Failed(error)),
    }
}
