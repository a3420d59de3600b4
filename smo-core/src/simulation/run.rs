//! Running a simulation: what a host does, by the clock of the course.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use jiff::Timestamp;
use thiserror::Error;

use super::course::{Course, Event, Simulated};
use super::result::{Happening, ServiceCourse, SimulationResult};
use super::trace::LoadTrace;
use crate::backend::memory::{Delays, InMemoryFleet, InMemoryMetrics};
use crate::backend::{BackendError, Clock, later, since};
use crate::cluster::Inventory;
use crate::id::{ClusterName, GraphKey, ServiceKey};
use crate::orchestrator::{
    Advice, Autoscaler, Deployment, Orchestrator, OrchestratorError, ScalingReport, Subject,
};
use crate::plan::ReleaseAction;
use crate::scaling::Throughput;

/// Why a simulation did not run.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum SimulationError {
    /// A service of the autoscaler has no load.
    #[error("{service} has no trace of load; give one `with_load`")]
    NoLoad {
        /// The service.
        service: ServiceKey,
    },
    /// The autoscaler does not scale the service.
    #[error("{service} is no service of the autoscaler")]
    UnknownService {
        /// The service.
        service: ServiceKey,
    },
    /// The fleet has no such cluster.
    #[error("the fleet has no cluster {cluster}")]
    UnknownCluster {
        /// The cluster.
        cluster: ClusterName,
    },
    /// A cluster that returns before it fails.
    #[error("{cluster} returns before it fails")]
    ReturnsFirst {
        /// The cluster.
        cluster: ClusterName,
    },
    /// No time between two ticks.
    #[error("the tick of a simulation is above zero")]
    NoTick,
    /// A graph was not deployed, or a step of scaling made no sense.
    #[error(transparent)]
    Orchestrator(#[from] OrchestratorError),
    /// A step of reconciliation failed.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// A scenario: a fleet, graphs that are scaled by load, and what happens to them.
#[derive(Debug)]
pub struct Simulation {
    fleet: Inventory,
    autoscaler: Arc<Autoscaler>,
    loads: IndexMap<ServiceKey, LoadTrace>,
    throughputs: IndexMap<ServiceKey, Throughput>,
    events: Vec<(Duration, Event)>,
    outages: Vec<(ClusterName, Duration, Duration)>,
    delays: Delays,
    tick: Duration,
}

impl Simulation {
    /// The graphs of an autoscaler on a fleet. They are deployed first, by their planners.
    #[must_use]
    pub fn new(fleet: Inventory, autoscaler: impl Into<Arc<Autoscaler>>) -> Self {
        Self {
            fleet,
            autoscaler: autoscaler.into(),
            loads: IndexMap::new(),
            throughputs: IndexMap::new(),
            events: Vec::new(),
            outages: Vec::new(),
            delays: Delays::measured(),
            tick: Duration::from_secs(15),
        }
    }

    /// The same with the load of a service. Every service of the autoscaler needs one.
    #[must_use]
    pub fn with_load(mut self, service: ServiceKey, load: LoadTrace) -> Self {
        self.loads.insert(service, load);
        self
    }

    /// The same with replicas that really carry something else than the autoscaler believes.
    #[must_use]
    pub fn with_true_throughput(mut self, service: ServiceKey, throughput: Throughput) -> Self {
        self.throughputs.insert(service, throughput);
        self
    }

    /// The same with a cluster that fails so long after the start, and comes back.
    #[must_use]
    pub fn with_outage(mut self, cluster: ClusterName, fails: Duration, returns: Duration) -> Self {
        self.events.push((fails, Event::Fails(cluster.clone())));
        self.events.push((returns, Event::Returns(cluster.clone())));
        self.outages.push((cluster, fails, returns));
        self
    }

    /// The same with somebody who changes the count of a service so long after the start.
    #[must_use]
    pub fn with_edit(mut self, after: Duration, service: ServiceKey, replicas: u32) -> Self {
        self.events.push((after, Event::Edited(service, replicas)));
        self
    }

    /// The same with replicas that take so long from the decision to their work.
    #[must_use]
    pub fn with_pod_start(mut self, pod_start: Duration) -> Self {
        let report = self.delays.healthy.saturating_sub(self.delays.running);
        self.delays.running = pod_start;
        self.delays.healthy = pod_start.saturating_add(report);
        self
    }

    /// The same with another time from one measurement to the next; 15 s.
    #[must_use]
    pub const fn with_tick(mut self, tick: Duration) -> Self {
        self.tick = tick;
        self
    }

    /// Runs it for so long, from the deployment on.
    ///
    /// # Errors
    /// For a scenario that makes no sense, and when a graph cannot be deployed. What fails later is part of the result.
    pub async fn run(mut self, duration: Duration) -> Result<SimulationResult, SimulationError> {
        self.check()?;
        self.events.sort_by_key(|(after, _)| *after);
        let fleet = InMemoryFleet::with_delays(self.fleet, self.delays);
        let metrics = InMemoryMetrics::new();
        let mut services = IndexMap::new();
        for (key, scaled) in &self.autoscaler.services {
            let missing = || SimulationError::NoLoad { service: key.clone() };
            let simulated = Simulated {
                query: scaled.load.clone(),
                load: self.loads.swap_remove(key).ok_or_else(missing)?,
                throughput: self.throughputs.get(key).copied().unwrap_or(scaled.throughput),
                course: ServiceCourse {
                    tick: self.tick,
                    ..ServiceCourse::default()
                },
            };
            services.insert(key.clone(), simulated);
        }
        let events = VecDeque::from(self.events);
        let course = Course::new(
            fleet.clone(),
            metrics.clone(),
            services,
            events,
            self.tick,
            duration,
        );
        let orchestrator = Orchestrator::builder(fleet, course.clone())
            .with_metrics(metrics)
            .build();
        let mut host = Host {
            autoscaler: &self.autoscaler,
            orchestrator,
            course: &course,
            tried: IndexMap::new(),
        };
        host.run().await?;
        let mut state = course.state();
        Ok(SimulationResult {
            start: course.start,
            happenings: std::mem::take(&mut state.happenings),
            services: std::mem::take(&mut state.services)
                .into_iter()
                .map(|(key, service)| (key, service.course))
                .collect(),
        })
    }

    fn check(&self) -> Result<(), SimulationError> {
        if self.tick.is_zero() {
            return Err(SimulationError::NoTick);
        }
        let edited = self.events.iter().filter_map(|(_, event)| match event {
            Event::Edited(service, _) => Some(service),
            _ => None,
        });
        let named = self.loads.keys().chain(self.throughputs.keys()).chain(edited);
        for service in named {
            if !self.autoscaler.services.contains_key(service) {
                let service = service.clone();
                return Err(SimulationError::UnknownService { service });
            }
        }
        for (cluster, fails, returns) in &self.outages {
            let cluster = cluster.clone();
            if self.fleet.cluster(cluster.as_str()).is_none() {
                return Err(SimulationError::UnknownCluster { cluster });
            }
            if returns < fails {
                return Err(SimulationError::ReturnsFirst { cluster });
            }
        }
        Ok(())
    }
}

/// What runs the orchestrator: reconciles, scales, and places again what lost its cluster.
struct Host<'a> {
    autoscaler: &'a Autoscaler,
    orchestrator: Orchestrator,
    course: &'a Course,
    /// When a graph was last placed again because of a lost cluster, or tried to.
    tried: IndexMap<GraphKey, Timestamp>,
}

/// Between two attempts to place a graph again.
const PAUSE: Duration = Duration::from_secs(60);

impl Host<'_> {
    async fn run(&mut self) -> Result<(), SimulationError> {
        for (graph, planner) in self.autoscaler.graphs.values() {
            self.orchestrator.deploy(graph, planner).await?;
        }
        let mut next_scaling = self.course.now();
        while !self.course.is_over() {
            let reconciled = self.orchestrator.reconcile(self.course.now()).await?;
            for advice in reconciled.advice {
                let Advice::Replan { graph, .. } = advice;
                self.place_again(&graph).await;
            }
            let now = self.course.now();
            if now >= next_scaling {
                let report = self.orchestrator.autoscale(self.autoscaler, now).await?;
                next_scaling = report.next;
                self.tell(report);
            }
            let now = self.course.now();
            // A step takes time, however soon the next one is wanted.
            let soon = later(now, Duration::from_secs(1));
            let next = reconciled.next.min(next_scaling).max(soon);
            self.course.advance_to(next);
        }
        Ok(())
    }

    async fn place_again(&mut self, graph: &GraphKey) {
        let now = self.course.now();
        if self.tried.get(graph).is_some_and(|at| since(now, *at) < PAUSE) {
            return;
        }
        self.tried.insert(graph.clone(), now);
        let Some((application, planner)) = self.autoscaler.graphs.get(graph) else {
            return;
        };
        let placed = self.orchestrator.replan(application, planner).await;
        self.tell_placed(graph, placed);
    }

    fn tell(&self, report: ScalingReport) {
        for (service, target) in report.step.changes() {
            let done = report
                .scaled
                .iter()
                .any(|(scaled, result)| scaled == service && result.is_ok());
            if done {
                self.course.tell(Happening::Scaled {
                    service: service.clone(),
                    from: target.current(),
                    to: target.replicas(),
                });
            }
        }
        for (graph, placed) in report.replaced {
            self.tell_placed(&graph, placed);
        }
    }

    fn tell_placed(&self, graph: &GraphKey, placed: Result<Deployment, OrchestratorError>) {
        let done = match placed {
            Ok(done) => done,
            Err(error) => {
                let (graph, why) = (graph.clone(), error.to_string());
                let happening = Happening::NotPlaced { graph, why };
                // The same again is no news.
                let told = self
                    .course
                    .state()
                    .happenings
                    .iter()
                    .any(|(_, told)| *told == happening);
                if !told {
                    self.course.tell(happening);
                }
                return;
            }
        };
        for step in done.report.steps {
            if let (Subject::Release(id), Some(ReleaseAction::Move { from, to })) =
                (step.subject, step.action)
            {
                let service = graph.service(id);
                self.course.tell(Happening::Moved { service, from, to });
            }
        }
    }
}
