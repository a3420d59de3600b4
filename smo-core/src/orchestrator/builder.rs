//! Putting an orchestrator together.

use std::sync::Arc;
use std::time::Duration;

use super::Orchestrator;
use crate::backend::memory::{InMemoryAlerts, InMemoryDashboards, InMemoryMetrics, InMemoryStore};
use crate::backend::{
    AlertBackend, ClusterBackend, DashboardBackend, MetricsBackend, ReleaseBackend, StateStore, Timer,
};
use crate::cluster::Headroom;

/// How long an orchestrator waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the services of a wave to become healthy.
    pub healthy: Duration,
    /// For a service that says it is degraded to get over it.
    pub degraded: Duration,
    /// Between two looks while something is under way; at first it looks more often.
    pub poll: Duration,
    /// Between two looks while nothing is.
    pub idle: Duration,
}

impl Default for Patience {
    /// Five minutes to become healthy, 30 s degraded, a look every half second, every 30 s while nothing happens.
    fn default() -> Self {
        Self {
            healthy: Duration::from_secs(300),
            degraded: Duration::from_secs(30),
            poll: Duration::from_millis(500),
            idle: Duration::from_secs(30),
        }
    }
}

/// Puts an [`Orchestrator`] together. Every port that is not given is served from memory.
#[derive(Debug)]
pub struct OrchestratorBuilder(Orchestrator);

impl Orchestrator {
    /// An orchestrator of `fleet` by the time of `timer`.
    pub fn builder<F>(fleet: F, timer: impl Timer + 'static) -> OrchestratorBuilder
    where
        F: ClusterBackend + ReleaseBackend + 'static,
    {
        let fleet = Arc::new(fleet);
        OrchestratorBuilder(Self {
            clusters: fleet.clone(),
            releases: fleet,
            alerts: Arc::new(InMemoryAlerts::new()),
            polls_alerts: false,
            dashboards: Arc::new(InMemoryDashboards::new()),
            metrics: Arc::new(InMemoryMetrics::new()),
            store: Arc::new(InMemoryStore::new()),
            timer: Arc::new(timer),
            patience: Patience::default(),
            at_once: OrchestratorBuilder::AT_ONCE,
            headroom: None,
        })
    }

    /// The metrics that it was built with, for hosts that scale by them.
    #[must_use]
    pub fn metrics(&self) -> &dyn MetricsBackend {
        self.metrics.as_ref()
    }
}

impl OrchestratorBuilder {
    /// How many releases of a wave are written at once when nothing else is said.
    pub const AT_ONCE: usize = 16;

    /// The same with another number of releases of a wave that are written at once, at least one. The services of a wave
    /// do not wait for one another, and reports are in the order of the plan whatever ends first.
    #[must_use]
    pub fn with_releases_at_once(mut self, count: usize) -> Self {
        self.0.at_once = count;
        self
    }

    /// The same with decisions that keep so much free of every cluster, whatever the fleet says; a cluster that says
    /// something of its own keeps that.
    #[must_use]
    pub fn with_headroom(mut self, headroom: Headroom) -> Self {
        self.0.headroom = Some(headroom);
        self
    }

    /// The same with alert rules that are evaluated. Without this, alerts only come in through
    /// [`Orchestrator::on_alerts`].
    #[must_use]
    pub fn with_alerts(mut self, alerts: impl AlertBackend + 'static) -> Self {
        self.0.alerts = Arc::new(alerts);
        self.0.polls_alerts = true;
        self
    }

    /// The same with dashboards that are shown.
    #[must_use]
    pub fn with_dashboards(mut self, dashboards: impl DashboardBackend + 'static) -> Self {
        self.0.dashboards = Arc::new(dashboards);
        self
    }

    /// The same with metrics that are measured.
    #[must_use]
    pub fn with_metrics(mut self, metrics: impl MetricsBackend + 'static) -> Self {
        self.0.metrics = Arc::new(metrics);
        self
    }

    /// The same with a store that outlives the process.
    #[must_use]
    pub fn with_store(mut self, store: impl StateStore + 'static) -> Self {
        self.0.store = Arc::new(store);
        self
    }

    /// The same with other patience.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.0.patience = patience;
        self
    }

    /// The orchestrator.
    #[must_use]
    pub fn build(self) -> Orchestrator {
        self.0
    }
}
