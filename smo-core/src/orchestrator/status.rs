//! How graphs do, read from what runs and never from what was once done.

use std::collections::BTreeMap;
use std::fmt;

use indexmap::IndexMap;

use super::observe::health_of;
use super::record::{GraphRecord, ServiceRecord, Wanted};
use super::{Orchestrator, OrchestratorError};
use crate::backend::{BackendError, Leftover, Scope};
use crate::cluster::{Health, ObservedRelease, ObservedReplicas};
use crate::graph::EventCondition;
use crate::id::{ClusterName, GraphKey, ServiceId};
use crate::plan::{Fingerprint, Start};

/// How a service does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceState {
    /// It is installed when alerts fire.
    WaitingForAlert {
        /// How many of them have to.
        condition: EventCondition,
        /// Those that do not fire now.
        missing: Vec<String>,
    },
    /// It is installed when these services are healthy.
    WaitingForServices(Vec<ServiceId>),
    /// It is on its way.
    Installing,
    /// All its replicas do their work.
    Running,
    /// It was refused, or fails.
    Degraded {
        /// Why.
        message: String,
    },
    /// Its cluster does not answer.
    Unknown {
        /// What is known.
        message: String,
    },
    /// It was taken down.
    Stopped,
    /// It is being taken down.
    Stopping,
}

impl fmt::Display for ServiceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WaitingForAlert { condition, missing } => match (missing.as_slice(), condition) {
                ([one], _) => write!(f, "waits for the alert {one}"),
                (several, EventCondition::Any) => {
                    write!(f, "waits for one of the alerts {}", several.join(", "))
                }
                (several, EventCondition::All) => write!(f, "waits for the alerts {}", several.join(", ")),
            },
            Self::WaitingForServices(services) => {
                let names: Vec<&str> = services.iter().map(ServiceId::as_str).collect();
                write!(f, "waits for {}", names.join(", "))
            }
            Self::Installing => f.write_str("installing"),
            Self::Running => f.write_str("running"),
            Self::Degraded { message } => write!(f, "degraded: {message}"),
            Self::Unknown { message } => write!(f, "unknown: {message}"),
            Self::Stopped => f.write_str("stopped"),
            Self::Stopping => f.write_str("stopping"),
        }
    }
}

/// How a graph does: the worst of its services that should run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GraphState {
    /// Every service runs, or waits for its alert.
    Running,
    /// A service is on its way.
    Installing,
    /// Of a service nobody knows how it does.
    Unknown,
    /// A service is degraded.
    Degraded,
    /// Services are being taken down.
    Stopping,
    /// It was taken down.
    Stopped,
}

impl fmt::Display for GraphState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Installing => "installing",
            Self::Unknown => "unknown",
            Self::Degraded => "degraded",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        })
    }
}

/// One service of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct ServiceStatus {
    /// How it does.
    pub state: ServiceState,
    /// Where it runs, or should.
    pub clusters: BTreeMap<ClusterName, ObservedReplicas>,
}

/// A graph at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct GraphStatus {
    /// The graph.
    pub graph: GraphKey,
    /// How it does as a whole.
    pub state: GraphState,
    /// The plan that it follows.
    pub plan: Fingerprint,
    /// Its services, in the order of the descriptor.
    pub services: IndexMap<ServiceId, ServiceStatus>,
    /// Copies where they should not be any more.
    pub leftovers: Vec<Leftover>,
}

impl fmt::Display for GraphStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}  plan {}", self.graph, self.state, self.plan)?;
        let width = self
            .services
            .keys()
            .map(|id| id.as_str().len())
            .max()
            .unwrap_or(0);
        for (id, service) in &self.services {
            let place = |(cluster, at): (&ClusterName, &ObservedReplicas)| {
                format!("{cluster} {}/{}", at.ready, at.desired)
            };
            let places: Vec<String> = service.clusters.iter().map(place).collect();
            let places = if places.is_empty() {
                "-".to_owned()
            } else {
                places.join(", ")
            };
            write!(f, "\n  {id:<width$}  {places:<12}  {}", service.state)?;
            // The other states say it themselves.
            if service.state == ServiceState::Installing
                && let Some(message) = service.clusters.values().find_map(|at| at.message.as_ref())
            {
                write!(f, ": {message}")?;
            }
        }
        for leftover in &self.leftovers {
            write!(
                f,
                "\n  a copy of {} is still on {}",
                leftover.service.service, leftover.cluster
            )?;
        }
        Ok(())
    }
}

impl Orchestrator {
    /// Every graph that is known, by name.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn graphs(&self) -> Result<Vec<GraphKey>, BackendError> {
        Ok(self
            .records()
            .await?
            .0
            .into_iter()
            .map(|record| record.graph)
            .collect())
    }

    /// How a graph does, by what runs now.
    ///
    /// # Errors
    /// [`OrchestratorError::UnknownGraph`], or when the store or the fleet cannot be read.
    pub async fn status(&self, graph: &GraphKey) -> Result<GraphStatus, OrchestratorError> {
        let record = self.known(graph).await?;
        let observed = self.releases.observe(&Scope::Graph(graph.clone())).await?;
        let of_service = |(id, service): (&ServiceId, &ServiceRecord)| {
            let release = observed.releases.get(&service.release.service);
            let status = ServiceStatus {
                state: state_of(&record, id, service, release),
                clusters: release
                    .map(|release| release.clusters.clone())
                    .unwrap_or_default(),
            };
            (id.clone(), status)
        };
        let services: IndexMap<ServiceId, ServiceStatus> = record.services.iter().map(of_service).collect();
        Ok(GraphStatus {
            graph: graph.clone(),
            state: state_of_graph(&record, &services),
            plan: record.plan.clone(),
            services,
            leftovers: observed.leftovers,
        })
    }
}

fn state_of(
    record: &GraphRecord,
    id: &ServiceId,
    service: &ServiceRecord,
    release: Option<&ObservedRelease>,
) -> ServiceState {
    let Some(release) = release else {
        return match &service.start {
            _ if record.wanted != Wanted::Running => ServiceState::Stopped,
            Start::OnEvent { condition, alerts } if !record.started.contains(id) => {
                let missing = alerts
                    .iter()
                    .filter(|alert| !record.firing.contains_key(*alert))
                    .cloned()
                    .collect();
                ServiceState::WaitingForAlert {
                    condition: *condition,
                    missing,
                }
            }
            Start::After(services) => ServiceState::WaitingForServices(services.clone()),
            _ => ServiceState::Installing,
        };
    };
    if record.wanted != Wanted::Running {
        return ServiceState::Stopping;
    }
    let (health, message) = health_of(release);
    let message = message.unwrap_or_else(|| "no reason is given".to_owned());
    match health {
        Health::Healthy => ServiceState::Running,
        Health::Progressing => ServiceState::Installing,
        Health::Degraded => ServiceState::Degraded { message },
        Health::Unknown => ServiceState::Unknown { message },
    }
}

fn state_of_graph(record: &GraphRecord, services: &IndexMap<ServiceId, ServiceStatus>) -> GraphState {
    let any = |wanted: fn(&ServiceState) -> bool| services.values().any(|service| wanted(&service.state));
    if record.wanted != Wanted::Running {
        return if any(|state| *state == ServiceState::Stopping) {
            GraphState::Stopping
        } else {
            GraphState::Stopped
        };
    }
    if any(|state| matches!(state, ServiceState::Degraded { .. })) {
        GraphState::Degraded
    } else if any(|state| matches!(state, ServiceState::Unknown { .. })) {
        GraphState::Unknown
    } else if any(|state| {
        matches!(
            state,
            ServiceState::Installing | ServiceState::WaitingForServices(_)
        )
    }) {
        GraphState::Installing
    } else {
        GraphState::Running
    }
}
