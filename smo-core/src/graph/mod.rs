//! The validated Hyper Distributed Application Graph: services, links, intents, triggers.
//!
//! Values of this module are facts: ids are unique DNS labels, links join services that exist, start dependencies
//! have no cycle. [`crate::descriptor`] reads them from text; [`ApplicationGraph::new`] builds them in code.

mod link;
mod service;
mod topology;
mod trigger;

use indexmap::IndexMap;
use serde::Serialize;
use thiserror::Error;

pub use link::{LatencyClass, Link};
pub use service::{Amount, Artifact, CoLocation, ComputeIntent, Implementer, Metric, Service};
pub(crate) use topology::start_cycle;
pub use topology::{Dependency, Waves};
pub use trigger::{EventCondition, EventSource, PrometheusDuration, Trigger, TriggerEvent};

use crate::id::{GraphId, ServiceId};

/// Keys that the format does not know, kept for a round trip.
pub type Extensions = serde_json::Map<String, serde_json::Value>;

/// What the graph as a whole asks for.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GraphIntent {
    /// Services that handle data of one trust domain stay together.
    pub security: bool,
    /// The placement is final: the graph is left out of later re-placements. Replicas go to different domains.
    pub high_availability: bool,
    /// Fewest replicas of each service over all clusters, where asked.
    pub min_replicas: Option<u32>,
    /// Most replicas of each service over all clusters, where asked.
    pub max_replicas: Option<u32>,
    /// Every link is as short as the `ultralow` latency class, whatever the service says.
    pub high_performance: bool,
    /// Energy and carbon weigh more than money.
    pub energy_efficiency: bool,
    /// The charts' own values say where services run; nothing is decided.
    pub static_placement: bool,
    /// The intent in words, as information model 0.3.0 has it. It decides nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub statement: Option<String>,
    /// Keys below `hdaGraphIntent` that the format does not know; those below a known key are below that key.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    pub extensions: Extensions,
}

/// A graph of services, validated.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApplicationGraph {
    id: GraphId,
    im_version: String,
    version: Option<semver::Version>,
    designer: Option<String>,
    description: Option<String>,
    intent: GraphIntent,
    services: IndexMap<ServiceId, Service>,
    links: Vec<Link>,
    extensions: Extensions,
}

/// Why services and links make no graph.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GraphError {
    /// A graph needs a service.
    #[error("the graph has no service")]
    Empty,
    /// Two services have one id.
    #[error("two services have the id `{0}`")]
    DuplicateService(ServiceId),
    /// A link or dependency names a service that does not exist.
    #[error("`{from}` refers to `{to}`, which is no service of the graph")]
    DanglingReference {
        /// The service that refers.
        from: ServiceId,
        /// What it refers to.
        to: ServiceId,
    },
    /// A service links to itself.
    #[error("`{0}` links to itself")]
    SelfLink(ServiceId),
    /// Services that wait for one another.
    #[error("the start order has a cycle: {}", .0.iter().map(ServiceId::as_str).collect::<Vec<_>>().join(" -> "))]
    StartCycle(Vec<ServiceId>),
}

impl ApplicationGraph {
    /// A graph of `services` joined by `links`, with every optional part empty.
    ///
    /// # Errors
    /// The first of: no service, a duplicate id, a dangling or self link, a cycle of start dependencies.
    pub fn new(
        id: GraphId,
        services: impl IntoIterator<Item = Service>,
        links: impl IntoIterator<Item = Link>,
    ) -> Result<Self, GraphError> {
        let mut by_id = IndexMap::new();
        for service in services {
            if let Some(duplicate) = by_id.insert(service.id.clone(), service) {
                return Err(GraphError::DuplicateService(duplicate.id));
            }
        }
        if by_id.is_empty() {
            return Err(GraphError::Empty);
        }
        let links: Vec<Link> = links.into_iter().collect();
        for link in &links {
            if link.from == link.to {
                return Err(GraphError::SelfLink(link.from.clone()));
            }
            for end in [&link.from, &link.to] {
                if !by_id.contains_key(end) {
                    return Err(GraphError::DanglingReference {
                        from: link.from.clone(),
                        to: end.clone(),
                    });
                }
            }
        }
        for service in by_id.values() {
            for dependency in service.trigger.dependencies() {
                if !by_id.contains_key(dependency) {
                    return Err(GraphError::DanglingReference {
                        from: service.id.clone(),
                        to: dependency.clone(),
                    });
                }
            }
        }
        let graph = Self {
            id,
            im_version: "0.4.0".to_owned(),
            version: None,
            designer: None,
            description: None,
            intent: GraphIntent::default(),
            services: by_id,
            links,
            extensions: Extensions::new(),
        };
        match graph.start_cycle() {
            Some(cycle) => Err(GraphError::StartCycle(cycle)),
            None => Ok(graph),
        }
    }

    /// The same with graph-level intents.
    #[must_use]
    pub fn with_intent(mut self, intent: GraphIntent) -> Self {
        self.intent = intent;
        self
    }

    /// The same with the version of the information model it was written in (`0.4.0` unless said).
    #[must_use]
    pub fn with_im_version(mut self, im_version: impl Into<String>) -> Self {
        self.im_version = im_version.into();
        self
    }

    /// The same with its own version.
    #[must_use]
    pub fn with_version(mut self, version: semver::Version) -> Self {
        self.version = Some(version);
        self
    }

    /// The same with an author.
    #[must_use]
    pub fn with_designer(mut self, designer: impl Into<String>) -> Self {
        self.designer = Some(designer.into());
        self
    }

    /// The same with a description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// The same with keys that the format does not know.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Self {
        self.extensions = extensions;
        self
    }

    /// Its id, unique within a project.
    #[must_use]
    pub fn id(&self) -> &GraphId {
        &self.id
    }

    /// The version of the information model it was written in.
    #[must_use]
    pub fn im_version(&self) -> &str {
        &self.im_version
    }

    /// Its own version, where given.
    #[must_use]
    pub fn version(&self) -> Option<&semver::Version> {
        self.version.as_ref()
    }

    /// Its author, where given.
    #[must_use]
    pub fn designer(&self) -> Option<&str> {
        self.designer.as_deref()
    }

    /// What it is, where given.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.description.as_deref()
    }

    /// What the graph as a whole asks for.
    #[must_use]
    pub fn intent(&self) -> &GraphIntent {
        &self.intent
    }

    /// The services by id, in the order of the descriptor.
    #[must_use]
    pub fn services(&self) -> &IndexMap<ServiceId, Service> {
        &self.services
    }

    /// The service called `id`.
    #[must_use]
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.get(id)
    }

    /// Who calls whom.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Keys of the graph that the format does not know.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}
