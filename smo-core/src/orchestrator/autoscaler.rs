//! What is scaled by load: how each service is measured, and by which controller.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;

use crate::graph::ApplicationGraph;
use crate::id::{GraphKey, ServiceKey};
use crate::plan::Planner;
use crate::resources::ResourceName;
use crate::scaling::{Forecaster, ScalingController, Throughput};

/// How a service is measured and what its replicas carry.
#[derive(Debug, Clone)]
pub struct ScaledService {
    /// A PromQL expression with at most one series: its load in requests per second.
    pub load: String,
    /// What replicas carry, such as that of a [`Profile`](crate::scaling::Profile).
    pub throughput: Throughput,
    /// The fewest replicas allowed. A policy that scales to zero goes below.
    pub min: u32,
    /// The most replicas allowed.
    pub max: u32,
    /// Resources that its clusters have to offer at all.
    pub requires: BTreeSet<ResourceName>,
    /// How load to come is forecast, where it is.
    pub forecast: Option<LoadForecast>,
}

impl ScaledService {
    /// A service with 1 to `max` replicas, without a forecast.
    #[must_use]
    pub fn new(load: impl Into<String>, throughput: Throughput, max: u32) -> Self {
        Self {
            load: load.into(),
            throughput,
            min: 1,
            max,
            requires: BTreeSet::new(),
            forecast: None,
        }
    }
}

/// How the load of a service is forecast from its history in the metrics.
#[derive(Debug, Clone)]
pub struct LoadForecast {
    /// The model.
    pub model: Arc<dyn Forecaster>,
    /// From one value of the history to the next; more than zero.
    pub step: Duration,
    /// How far back the history reaches.
    pub history: Duration,
    /// How far ahead replicas are decided for: at least what a replica takes to start.
    pub ahead: Duration,
    /// The quantile that is decided for, in percent.
    pub percent: u8,
}

/// What is scaled by load, and how: for [`Orchestrator::autoscale`](super::Orchestrator::autoscale).
///
/// Services of several graphs that share clusters belong into one autoscaler: they are decided together.
#[derive(Debug)]
pub struct Autoscaler {
    pub(super) name: String,
    pub(super) controller: ScalingController,
    pub(crate) services: IndexMap<ServiceKey, ScaledService>,
    pub(crate) graphs: IndexMap<GraphKey, (ApplicationGraph, Planner)>,
    pub(super) every: Duration,
    pub(super) replace_pause: Duration,
}

impl Autoscaler {
    /// An autoscaler without services, which takes a step every 15 s, and places a graph again every five minutes at most.
    /// What it remembers is stored under its `name`.
    #[must_use]
    pub fn new(name: impl Into<String>, controller: ScalingController) -> Self {
        Self {
            name: name.into(),
            controller,
            services: IndexMap::new(),
            graphs: IndexMap::new(),
            every: Duration::from_secs(15),
            replace_pause: Duration::from_secs(300),
        }
    }

    /// The same with a service. Services that come first get scarce room first.
    #[must_use]
    pub fn with_service(mut self, service: ServiceKey, scaled: ScaledService) -> Self {
        self.services.insert(service, scaled);
        self
    }

    /// The same with a graph that is placed again where its load does not fit where it runs. Without this, the report
    /// only says so.
    #[must_use]
    pub fn with_graph(mut self, graph: ApplicationGraph, planner: Planner) -> Self {
        let key = GraphKey::new(planner.project().clone(), graph.id().clone());
        self.graphs.insert(key, (graph, planner));
        self
    }

    /// The same with another time between steps.
    #[must_use]
    pub fn with_step(mut self, every: Duration) -> Self {
        self.every = every;
        self
    }

    /// The same with another time between two attempts to place a graph again.
    #[must_use]
    pub fn with_replace_pause(mut self, pause: Duration) -> Self {
        self.replace_pause = pause;
        self
    }
}
