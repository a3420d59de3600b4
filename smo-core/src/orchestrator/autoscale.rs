//! One step of scaling by load: what is measured goes to the controller, and what it says is carried out.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::autoscaler::{Autoscaler, LoadForecast, ScaledService};
use super::record::GraphRecord;
use super::{Deployment, Orchestrator, OrchestratorError};
use crate::backend::{
    BackendError, Expect, MetricsBackendExt, Sample, Scope, StateStoreExt, TimeRange, later, since,
};
use crate::cluster::{Cluster, Inventory, ObservedRelease};
use crate::id::{ClusterName, GraphKey, ServiceId, ServiceKey};
use crate::placement::Assignment;
use crate::resources::Resources;
use crate::scaling::{
    ClusterRoom, ExpectedLoad, Forecast, ForecastError, LoadSample, LoadSeries, ObservedService, Replace,
    ScalingMemory, ScalingObservation, ScalingStep,
};
use crate::units::Rate;

/// Why a load is not known, or not what is to come. The count is then held, or decided without a forecast.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum ScalingTrouble {
    /// The metrics failed.
    #[error("{service}: {error}")]
    Metrics {
        /// The service.
        service: ServiceKey,
        /// What they said.
        #[source]
        error: BackendError,
    },
    /// What was measured is no load.
    #[error("{service} has a measured load of {value}, which is none")]
    NoRate {
        /// The service.
        service: ServiceKey,
        /// What was measured.
        value: f64,
    },
    /// There is no forecast.
    #[error("{service}: no forecast: {error}")]
    Forecast {
        /// The service.
        service: ServiceKey,
        /// Why.
        #[source]
        error: ForecastError,
    },
}

/// What a step of scaling did.
#[derive(Debug, Clone)]
pub struct ScalingReport {
    /// What was decided.
    pub step: ScalingStep,
    /// What became of the counts that change.
    pub scaled: Vec<(ServiceKey, Result<(), OrchestratorError>)>,
    /// What became of the graphs that had to be placed again.
    pub replaced: Vec<(GraphKey, Result<Deployment, OrchestratorError>)>,
    /// Services that do not run, so that nothing was decided about them.
    pub absent: Vec<ServiceKey>,
    /// Loads that are not known.
    pub troubles: Vec<ScalingTrouble>,
    /// When to take the next step.
    pub next: Timestamp,
}

impl fmt::Display for ScalingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        for (service, result) in &self.scaled {
            if let Err(error) = result {
                writeln!(f, "{service} was not scaled: {error}")?;
            }
        }
        for (graph, result) in &self.replaced {
            match result {
                Ok(done) => writeln!(f, "{graph} was placed again: plan {}", done.plan.fingerprint)?,
                Err(error) => writeln!(f, "{graph} was not placed again: {error}")?,
            }
        }
        for service in &self.absent {
            writeln!(f, "{service} does not run")?;
        }
        self.troubles
            .iter()
            .try_for_each(|trouble| writeln!(f, "{trouble}"))
    }
}

/// What an autoscaler remembers, stored as one document.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Remembered {
    memory: ScalingMemory,
    /// When graphs were last placed again, or tried to.
    replaced: Vec<(GraphKey, Timestamp)>,
}

impl Orchestrator {
    /// Takes one step of scaling by load at `now`: observes replicas, room and owners of counts, measures load, lets the
    /// controller decide, sets the counts that change, and places graphs again whose load does not fit where they run.
    ///
    /// It returns when that is accepted; placing again waits until what moves is healthy. A sample that is missing is never
    /// read as no load, and a count that an autoscaler of somebody else sets is left alone: the step says so. Of several
    /// orchestrators that share a store and an autoscaler, only one takes a step: the others are told `Conflict`.
    ///
    /// # Errors
    /// [`OrchestratorError::Scaling`] when what was observed makes no sense or the scaler is wrong, and
    /// [`OrchestratorError::Backend`] when the store or the fleet fails. What fails for one service is in the report.
    pub async fn autoscale(
        &self,
        autoscaler: &Autoscaler,
        now: Timestamp,
    ) -> Result<ScalingReport, OrchestratorError> {
        let key = format!("scaling/{}", autoscaler.name);
        let stored: Option<(Remembered, u64)> = self.store.get_as(&key).await?;
        let (mut remembered, expect) = match stored {
            Some((remembered, revision)) => (remembered, Expect::Revision(revision)),
            None => (Remembered::default(), Expect::Absent),
        };
        let look = self.look(autoscaler, now).await?;
        let step = autoscaler
            .controller
            .step(&mut remembered.memory, &look.observation, now)?;
        let again = remembered.due(autoscaler, step.replace.as_ref(), now);
        // Written first: whoever writes it is the one that acts.
        self.store.put_as(&key, &remembered, expect).await?;
        let mut scaled = Vec::new();
        for (service, target) in step.changes() {
            let shares = target.shares.iter();
            let counts: Assignment = shares.map(|share| (share.cluster.clone(), share.to)).collect();
            scaled.push((service.clone(), self.scale(service, &counts).await));
        }
        let mut replaced = Vec::new();
        for (graph, needed) in again {
            if let Some((application, planner)) = autoscaler.graphs.get(&graph) {
                let done = self.replan_with_replicas(application, planner, &needed).await;
                replaced.push((graph, done));
            }
        }
        let next = later(now, autoscaler.every);
        Ok(ScalingReport {
            next: step.next().map_or(next, |earlier| earlier.min(next)),
            step,
            scaled,
            replaced,
            absent: look.absent,
            troubles: look.troubles,
        })
    }

    async fn look(&self, autoscaler: &Autoscaler, now: Timestamp) -> Result<Look, OrchestratorError> {
        let fleet = self.fleet_for(None).await?;
        let running = self.releases.observe(&Scope::All).await?.releases;
        let mut look = Look::default();
        let mut records: BTreeMap<&GraphKey, Option<GraphRecord>> = BTreeMap::new();
        for (key, scaled) in &autoscaler.services {
            if !records.contains_key(&key.graph) {
                records.insert(&key.graph, self.record(&key.graph).await?);
            }
            let record = records.get(&key.graph).and_then(Option::as_ref);
            let wanted = record.is_some_and(|record| record.wants(&key.service));
            let Some(release) = running
                .get(key)
                .filter(|release| wanted && !release.clusters.is_empty())
            else {
                look.absent.push(key.clone());
                continue;
            };
            look.hold(release);
            let sample = self.sample(key, scaled, now, &mut look.troubles).await;
            let expected = match &scaled.forecast {
                Some(forecast) => self.expect(key, scaled, forecast, now, &mut look.troubles).await,
                None => None,
            };
            let desired = release
                .clusters
                .iter()
                .map(|(name, at)| (name.clone(), at.desired));
            let observed = ObservedService {
                sample,
                expected,
                throughput: scaled.throughput,
                min: scaled.min,
                max: scaled.max,
                per_replica: release.resources.clone(),
                requires: scaled.requires.clone(),
                clusters: desired.collect(),
                owners: release.owners.clone(),
            };
            look.observation.services.insert(key.clone(), observed);
        }
        look.rooms(&fleet);
        Ok(look)
    }

    async fn sample(
        &self,
        service: &ServiceKey,
        scaled: &ScaledService,
        now: Timestamp,
        troubles: &mut Vec<ScalingTrouble>,
    ) -> LoadSample {
        match self.metrics.scalar(&scaled.load, now).await {
            Ok(Sample::Value(value)) => match Rate::from_f64(value).filter(|rate| *rate >= Rate::ZERO) {
                Some(rate) => return LoadSample::Measured { rate, at: now },
                None => troubles.push(ScalingTrouble::NoRate {
                    service: service.clone(),
                    value,
                }),
            },
            Ok(Sample::Missing) => {}
            Err(error) => troubles.push(ScalingTrouble::Metrics {
                service: service.clone(),
                error,
            }),
        }
        LoadSample::Missing
    }

    async fn expect(
        &self,
        service: &ServiceKey,
        scaled: &ScaledService,
        forecast: &LoadForecast,
        now: Timestamp,
        troubles: &mut Vec<ScalingTrouble>,
    ) -> Option<ExpectedLoad> {
        let range = TimeRange {
            start: now.checked_sub(forecast.history).unwrap_or(Timestamp::MIN),
            end: now,
            step: forecast.step,
        };
        let series = match self.metrics.query_range(&scaled.load, range).await {
            Ok(series) => series.into_iter().next()?,
            Err(error) => {
                troubles.push(ScalingTrouble::Metrics {
                    service: service.clone(),
                    error,
                });
                return None;
            }
        };
        let values = series.samples.iter().map(|(_, sample)| sample.value()).collect();
        let horizon = forecast
            .ahead
            .as_nanos()
            .div_ceil(forecast.step.as_nanos().max(1));
        let horizon = usize::try_from(horizon).unwrap_or(usize::MAX).max(1);
        let expected = LoadSeries::new(range.start, range.step, values).and_then(|history| {
            Forecast::new(forecast.model.as_ref(), &history, horizon, &[forecast.percent])
        });
        match expected {
            Ok(expected) => expected.expected(forecast.percent, forecast.ahead),
            Err(error) => {
                troubles.push(ScalingTrouble::Forecast {
                    service: service.clone(),
                    error,
                });
                None
            }
        }
    }
}

/// What was seen before a step.
#[derive(Debug, Default)]
struct Look {
    observation: ScalingObservation,
    absent: Vec<ServiceKey>,
    troubles: Vec<ScalingTrouble>,
    /// What the services hold, by cluster.
    held: IndexMap<ClusterName, Resources>,
}

impl Look {
    fn hold(&mut self, release: &ObservedRelease) {
        for (name, at) in &release.clusters {
            let held = self.held.entry(name.clone()).or_default();
            // What runs fits 64 bits.
            let more = release.resources.checked_mul(at.desired).unwrap_or_default();
            if let Some(sum) = held.checked_add(&more) {
                *held = sum;
            }
        }
    }

    /// The room of every cluster that a service runs on: what is free, and what the services hold there.
    fn rooms(&mut self, fleet: &Inventory) {
        for (name, held) in &self.held {
            let room = match fleet.cluster(name.as_str()) {
                Some(cluster) => room(cluster, held),
                // It has left the fleet: nothing starts there.
                None => ClusterRoom {
                    capacity: held.clone(),
                    ..ClusterRoom::default()
                },
            };
            self.observation.clusters.insert(name.clone(), room);
        }
    }
}

/// What services that hold `held` on a cluster can have there. On one that is not ready nothing starts.
fn room(cluster: &Cluster, held: &Resources) -> ClusterRoom {
    let free = match cluster.readiness.is_ready() {
        true => cluster.free(),
        false => Resources::new(),
    };
    let mut capacity = Resources::new();
    for (name, allocatable) in cluster.allocatable.iter() {
        let with_held = free
            .amount(name.as_str())
            .saturating_add(held.amount(name.as_str()));
        capacity.set(name.clone(), with_held.min(allocatable));
    }
    ClusterRoom {
        capacity,
        price: cluster.price.clone(),
    }
}

impl Remembered {
    /// The graphs to be placed again now, with what their services need; remembers that they were.
    fn due(
        &mut self,
        autoscaler: &Autoscaler,
        replace: Option<&Replace>,
        now: Timestamp,
    ) -> IndexMap<GraphKey, BTreeMap<ServiceId, u32>> {
        self.replaced
            .retain(|(_, at)| since(now, *at) < autoscaler.replace_pause);
        let mut due: IndexMap<GraphKey, BTreeMap<ServiceId, u32>> = IndexMap::new();
        for lack in replace.iter().flat_map(|replace| &replace.lacks) {
            let graph = &lack.service.graph;
            let known = autoscaler.graphs.contains_key(graph);
            // More than its maximum finds no room anywhere.
            let most = autoscaler
                .services
                .get(&lack.service)
                .map_or(0, |scaled| scaled.max);
            let needed = lack.needed.unwrap_or(u32::MAX).min(most);
            let recently = self.replaced.iter().any(|(placed, _)| placed == graph);
            if known && !recently && needed > lack.possible {
                due.entry(graph.clone())
                    .or_default()
                    .insert(lack.service.service.clone(), needed);
            }
        }
        self.replaced.extend(due.keys().map(|graph| (graph.clone(), now)));
        due
    }
}
