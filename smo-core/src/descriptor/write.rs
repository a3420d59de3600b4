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
            values_overwrite: Some((*artifact.values).clone()),
            extensions: self.extensions("artifact"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::descriptor::Descriptor;
    use crate::graph::{Artifact, EventCondition};
    use crate::id::ServiceId;

    /// A text that YAML could mistake for something else.
    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ -~]{1,12}".prop_filter("a name has something in it", |text| !text.trim().is_empty()),
            prop::sample::select(vec![
                "yes",
                "1.0",
                "null",
                "~",
                "0x1f",
                "- a",
                "{",
                "1e3",
                "2026-11-24",
                "é: #"
            ])
            .prop_map(str::to_owned),
        ]
    }

    fn extensions() -> impl Strategy<Value = Extensions> {
        vec(("x-[a-z]{1,3}", any::<i32>()), 0..2)
            .prop_map(|keys| keys.into_iter().map(|(key, value)| (key, value.into())).collect())
    }

    fn amount(classes: &'static [&'static str]) -> impl Strategy<Value = Option<Amount>> {
        prop::option::of(prop_oneof![
            prop::sample::select(classes).prop_map(Amount::class),
            any::<u64>().prop_map(Amount::Quantity),
        ])
    }

    fn compute() -> impl Strategy<Value = ComputeIntent> {
        let class = &["light", "small"];
        (
            amount(class),
            amount(class),
            amount(&["none", "small"]),
            prop::option::of(0_u32..4),
        )
            .prop_map(|(cpu, memory, storage, gpus)| ComputeIntent {
                cpu,
                memory,
                storage,
                gpu: gpus.is_some(),
                gpu_count: gpus.filter(|gpus| *gpus > 0),
            })
    }

    fn event() -> impl Strategy<Value = TriggerEvent> {
        let source = (text(), prop::option::of(text())).prop_map(|(service_id, metric_id)| EventSource {
            service_id,
            metric_id,
        });
        (
            vec(source, 0..2),
            text(),
            "[1-9][0-9]?(ms|m|h)",
            prop::option::of(text()),
        )
            .prop_map(|(sources, prom_query, grace, description)| TriggerEvent {
                id: "e".to_owned(),
                sources,
                prom_query,
                grace_period: grace.parse().unwrap(),
                description,
            })
    }

    /// A service called `s<index>` that may wait for the ones before it.
    fn service(index: usize) -> impl Strategy<Value = Service> {
        let event = (any::<bool>(), event()).prop_map(|(all, event)| Trigger::Event {
            condition: if all {
                EventCondition::All
            } else {
                EventCondition::Any
            },
            events: vec![event],
        });
        let auto = prop::sample::subsequence((0..index).collect::<Vec<_>>(), 0..=index).prop_map(|on| {
            Trigger::Auto {
                dependencies: on.into_iter().map(id).collect(),
            }
        });
        let co_location = (text(), prop::option::of(text())).prop_map(|(id, grounded_graph_id)| CoLocation {
            id,
            grounded_graph_id,
        });
        let metric =
            (prop::option::of(text()), prop::option::of(text())).prop_map(|(metric_name, port)| Metric {
                id: "m".to_owned(),
                metric_name,
                selector: BTreeMap::from([("app".to_owned(), "a".to_owned())]),
                port,
                interval: "15s".parse().ok(),
            });
        let artifact = (prop::option::of(text()), prop::option::of(text()), extensions()).prop_map(
            |(kind, runner, values)| Artifact {
                reference: "oci://r/p/c:1.0".to_owned(),
                kind,
                implementer: Implementer::Wot,
                runner,
                runner_version: None,
                values: values.into(),
            },
        );
        let rest = (
            any::<bool>(),
            vec(co_location, 0..2),
            vec(metric, 0..2),
            extensions(),
        );
        (prop_oneof![auto, event], compute(), artifact, rest).prop_map(
            move |(trigger, compute, artifact, (device_proximity, co_location, metrics, unknown))| Service {
                trigger,
                compute,
                artifact,
                device_proximity,
                co_location,
                metrics,
                extensions: [
                    "",
                    "deployment.intent",
                    "artifact.ociRun",
                    "deployment.intent.compute.gpu",
                ]
                .into_iter()
                .filter(|_| !unknown.is_empty())
                .map(|path| (path.to_owned(), unknown.clone()))
                .collect(),
                ..Service::new(id(index), "")
            },
        )
    }

    fn id(index: usize) -> ServiceId {
        format!("s{index}").parse().unwrap()
    }

    fn graph() -> impl Strategy<Value = ApplicationGraph> {
        let links = vec(prop::sample::select(LatencyClass::ALL.to_vec()), 3);
        let intent = (any::<[bool; 5]>(), prop::option::of(1_u32..3), extensions());
        ((service(0), service(1), service(2)), links, intent, text()).prop_map(
            |((a, b, c), classes, (flags, min_replicas, extensions), text)| {
                let pairs = [(0, 1), (0, 2), (1, 2)];
                let links = pairs.into_iter().zip(classes).map(|((from, to), latency)| Link {
                    from: id(from),
                    to: id(to),
                    latency,
                });
                let intent = GraphIntent {
                    security: flags[0],
                    high_availability: flags[1],
                    min_replicas,
                    max_replicas: min_replicas.map(|min| min + 1),
                    high_performance: flags[2],
                    energy_efficiency: flags[3],
                    static_placement: flags[4],
                    statement: None,
                    extensions: extensions.clone(),
                };
                ApplicationGraph::new("g".parse().unwrap(), [a, b, c], links)
                    .unwrap()
                    .with_intent(intent)
                    .with_designer(text)
                    .with_version("1.2.3-rc.1+b".parse().unwrap())
                    .with_extensions(extensions)
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn what_is_written_reads_back(graph in graph()) {
            let written = Descriptor::from_graph(&graph);
            match Descriptor::parse(written.text()).and_then(|descriptor| descriptor.validate()) {
                Ok(again) => prop_assert_eq!(again, graph),
                Err(violations) => prop_assert!(false, "{}", violations),
            }
        }
    }
}
