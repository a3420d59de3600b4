//! From a graph to wire types, in the form of information model 0.4.0.

use super::schema::{self as wire, Flag, Switch, Text, TextOr};
use super::service::latency_path;
use crate::graph::{
    Amount, ApplicationGraph, CoLocation, ComputeIntent, EventSource, Extensions, GraphIntent, Implementer,
    LatencyClass, Link, Metric, Service, Trigger, TriggerEvent,
};
use crate::resources::ResourceName;

pub(super) fn document(graph: &ApplicationGraph) -> wire::Document {
    wire::Document {
        hda_graph: wire::Graph {
            im_version: Some(graph.im_version().to_owned()),
            id: graph.id().to_string(),
            version: graph.version().map(ToString::to_string),
            designer: graph.designer().map(str::to_owned),
            description: graph.description().map(str::to_owned),
            hda_graph_intent: Some(intents(graph.intent())),
            services: graph
                .services()
                .values()
                .map(|service| Writer { graph, service }.service())
                .collect(),
            extensions: graph.extensions().clone(),
        },
        extensions: Extensions::new(),
    }
}

fn intents(intent: &GraphIntent) -> TextOr<wire::Intents> {
    if let Some(statement) = &intent.statement {
        return TextOr::Text(statement.clone());
    }
    let mut rest = intent.extensions.clone();
    let mut below = |key: &str| match rest.remove(key) {
        Some(serde_json::Value::Object(keys)) => keys,
        _ => Extensions::new(),
    };
    let mut switch = |on: bool, key: &str| {
        Some(Switch::Map {
            enabled: Flag::Boolean(on),
            extensions: below(key),
        })
    };
    let security = switch(intent.security, "security");
    let high_performance = switch(intent.high_performance, "highPerformance");
    let energy_efficiency = switch(intent.energy_efficiency, "energyEfficiency");
    let high_availability = wire::HighAvailability::Map {
        enabled: Some(Flag::Boolean(intent.high_availability)),
        min_replicas_overall: intent.min_replicas,
        max_replicas_overall: intent.max_replicas,
        extensions: below("highAvailability"),
    };
    TextOr::Given(wire::Intents {
        use_static_placement: Some(Flag::Boolean(intent.static_placement)),
        security,
        high_availability: Some(high_availability),
        high_performance,
        energy_efficiency,
        extensions: rest,
    })
}

/// Writes one service of a graph.
struct Writer<'a> {
    graph: &'a ApplicationGraph,
    service: &'a Service,
}

impl Writer<'_> {
    fn extensions(&self, path: &str) -> Extensions {
        self.service.extensions.get(path).cloned().unwrap_or_default()
    }

    fn service(&self) -> wire::Service {
        wire::Service {
            id: self.service.id.to_string(),
            deployment: Some(wire::Deployment {
                trigger: Some(self.trigger()),
                intent: Some(self.intent()),
                extensions: self.extensions("deployment"),
            }),
            artifact: self.artifact(),
            extensions: self.extensions(""),
        }
    }

    fn trigger(&self) -> wire::Trigger {
        let mut trigger = wire::Trigger {
            extensions: self.extensions("deployment.trigger"),
            ..wire::Trigger::default()
        };
        match &self.service.trigger {
            Trigger::Auto { dependencies } => {
                trigger.auto = Some(wire::Auto {
                    dependencies: dependencies.iter().map(ToString::to_string).collect(),
                    extensions: self.extensions("deployment.trigger.auto"),
                });
            }
            Trigger::Event { condition, events } => {
                let items = events.iter().enumerate();
                trigger.event = Some(wire::Event {
                    condition: Some(condition.to_string()),
                    events: items.map(|(index, event)| self.event(index, event)).collect(),
                    extensions: self.extensions("deployment.trigger.event"),
                });
            }
        }
        trigger
    }

    fn event(&self, index: usize, event: &TriggerEvent) -> wire::EventItem {
        let path = format!("deployment.trigger.event.events[{index}]");
        let source = |(index, source): (usize, &EventSource)| wire::Source {
            service_id: source.service_id.clone(),
            metric_id: source.metric_id.clone(),
            extensions: self.extensions(&format!("{path}.source[{index}]")),
        };
        let sources: Vec<wire::Source> = event.sources.iter().enumerate().map(source).collect();
        wire::EventItem {
            id: event.id.clone(),
            source: (!sources.is_empty()).then_some(TextOr::Given(sources)),
            condition: wire::EventRule {
                prom_query: event.prom_query.clone(),
                grace_period: Some(event.grace_period.to_string()),
                description: event.description.clone(),
                extensions: self.extensions(&format!("{path}.condition")),
            },
            extensions: self.extensions(&path),
        }
    }

    fn intent(&self) -> wire::ServiceIntent {
        let own = self
            .graph
            .links()
            .iter()
            .filter(|link| link.from == self.service.id);
        let connection_points = own.clone().map(|link| link.to.to_string()).collect();
        let co_location = self.service.co_location.iter().enumerate();
        let metrics = self.service.metrics.iter().enumerate();
        wire::ServiceIntent {
            network: Some(TextOr::Given(wire::Network {
                device_proximity: Some(Switch::Map {
                    enabled: Flag::Boolean(self.service.device_proximity),
                    extensions: self.extensions("deployment.intent.network.deviceProximity"),
                }),
                latencies: own.filter_map(|link| self.latency(link)).collect(),
                connection_points: Vec::new(),
                extensions: self.extensions("deployment.intent.network"),
            })),
            compute: Some(self.compute(&self.service.compute)),
            resources: None,
            co_location: co_location
                .map(|(index, item)| self.co_location(index, item))
                .collect(),
            connection_points,
            metrics: metrics
                .map(|(index, metric)| self.metric(index, metric))
                .collect(),
            extensions: self.extensions("deployment.intent"),
        }
    }

    /// The latency of a link, where it says something.
    fn latency(&self, link: &Link) -> Option<wire::LatencyItem> {
        let extensions = self.extensions(&latency_path(link.to.as_str()));
        let says_something = link.latency != LatencyClass::BestEffort || !extensions.is_empty();
        says_something.then(|| wire::LatencyItem {
            connection_point: link.to.to_string(),
            qos: Some(match link.latency {
                LatencyClass::UltraLow => wire::Qos::UltraLow,
                LatencyClass::Low => wire::Qos::Low,
                LatencyClass::BestEffort => wire::Qos::BestEffort,
            }),
            extensions,
        })
    }

    fn compute(&self, compute: &ComputeIntent) -> wire::Compute {
        let amount = |amount: &Option<Amount>, resource: &str| {
            amount.as_ref().map(|amount| {
                wire::Amount::Text(match amount {
                    Amount::Class(class) => class.clone(),
                    Amount::Quantity(amount) => ResourceName::new(resource).quantity(*amount),
                })
            })
        };
        wire::Compute {
            cpu: amount(&compute.cpu, ResourceName::CPU),
            ram: amount(&compute.memory, ResourceName::MEMORY),
            storage: amount(&compute.storage, ResourceName::STORAGE),
            gpu: Some(wire::Gpu::Map {
                enabled: Flag::Boolean(compute.gpu),
                count: compute.gpu_count,
                extensions: self.extensions("deployment.intent.compute.gpu"),
            }),
            extensions: self.extensions("deployment.intent.compute"),
        }
    }

    fn co_location(&self, index: usize, item: &CoLocation) -> TextOr<wire::CoLocation> {
        TextOr::Given(wire::CoLocation {
            id: Text::Text(item.id.clone()),
            grounded_graph_id: item.grounded_graph_id.clone().map(Text::Text),
            extensions: self.extensions(&format!("deployment.intent.coLocation[{index}]")),
        })
    }

    fn metric(&self, index: usize, metric: &Metric) -> wire::Metric {
        let path = format!("deployment.intent.metrics[{index}]");
        let endpoint = wire::Endpoint {
            port: metric.port.clone().map(Text::Text),
            interval: metric.interval.as_ref().map(ToString::to_string),
            extensions: self.extensions(&format!("{path}.endpoint")),
        };
        wire::Metric {
            id: metric.id.clone(),
            metric_name: metric.metric_name.clone(),
            selector: metric.selector.clone(),
            endpoint: (endpoint != wire::Endpoint::default()).then_some(endpoint),
            extensions: self.extensions(&path),
        }
    }

    fn artifact(&self) -> wire::Artifact {
        let artifact = &self.service.artifact;
        wire::Artifact {
            oci_image: artifact.reference.clone(),
            oci_config: Some(wire::OciConfig {
                kind: artifact.kind.clone(),
                implementer: Some(match &artifact.implementer {
                    Implementer::Wot => "WOT".to_owned(),
                    Implementer::Helm => "HELM".to_owned(),
                    Implementer::Other(name) => name.clone(),
                }),
                extensions: self.extensions("artifact.ociConfig"),
            }),
            oci_run: Some(wire::OciRun {
                name: artifact.runner.clone().map(Text::Text),
                version: artifact.runner_version.clone().map(Text::Text),
                extensions: self.extensions("artifact.ociRun"),
            })
            .filter(|run| *run != wire::OciRun::default()),
            values_overwrite: Some(artifact.values.clone()),
            extensions: self.extensions("artifact"),
        }
    }
}
