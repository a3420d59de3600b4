//! From intents to amounts.

use std::collections::BTreeSet;

use thiserror::Error;

use super::{Catalog, LinkRequirement, Requirements, ServiceRequirements};
use crate::graph::{Amount, ApplicationGraph, LatencyClass, Service};
use crate::id::ServiceId;
use crate::resources::{ResourceName, Resources};
use crate::units::Bytes;

/// Why intents have no amounts.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TranslateError {
    /// The catalogue does not have the class.
    #[error("service `{service}` asks for {resource} of the unknown class `{class}`")]
    UnknownClass {
        /// The service.
        service: ServiceId,
        /// What it asks for.
        resource: ResourceName,
        /// The class it asks for, its own or the catalogue's default.
        class: String,
        /// The classes that the catalogue has.
        known: Vec<String>,
    },
    /// The replicas of a service together need more than fits 64 bits.
    #[error("service `{service}` asks for {replicas} replicas of {per_replica}, which is beyond any count")]
    TooMuch {
        /// The service.
        service: ServiceId,
        /// Its replicas.
        replicas: u32,
        /// What each of them needs.
        per_replica: Resources,
    },
}

impl TranslateError {
    /// What to try.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownClass { known, .. } if known.is_empty() => {
                "ask for a quantity such as 500m; the catalogue has no class for it".to_owned()
            }
            Self::UnknownClass { known, .. } => format!("one of {}, or a quantity", known.join(", ")),
            Self::TooMuch { .. } => "ask for less, or for fewer replicas".to_owned(),
        }
    }
}

/// The requirements of `graph` by the classes of `catalog`.
///
/// Every intent is carried, also those that no rule reads: nothing is lost between the descriptor and the decision.
/// `highPerformance` makes every link `ultralow`. A service has as many replicas as `minReplicasOverall` says, and at
/// least one.
///
/// # Errors
/// The first class that the catalogue does not know, or amount that does not fit.
pub fn translate(graph: &ApplicationGraph, catalog: &Catalog) -> Result<Requirements, TranslateError> {
    let intent = graph.intent();
    let services = graph
        .services()
        .iter()
        .map(|(id, service)| Ok((id.clone(), translate_service(graph, service, catalog)?)))
        .collect::<Result<_, _>>()?;
    let links = graph
        .links()
        .iter()
        .map(|link| {
            let class = if intent.high_performance {
                LatencyClass::UltraLow
            } else {
                link.latency
            };
            let limit = catalog.latency(class);
            LinkRequirement {
                from: link.from.clone(),
                to: link.to.clone(),
                class,
                rtt_below: limit.rtt_below,
                max_hops: limit.max_hops,
            }
        })
        .collect();
    Ok(Requirements {
        services,
        links,
        static_placement: intent.static_placement,
        final_placement: intent.high_availability,
        spread: intent.high_availability,
        failure_domain: catalog.failure_domain().clone(),
        security: intent.security,
        energy_efficiency: intent.energy_efficiency,
    })
}

fn translate_service(
    graph: &ApplicationGraph,
    service: &Service,
    catalog: &Catalog,
) -> Result<ServiceRequirements, TranslateError> {
    let compute = &service.compute;
    let mut per_replica = Resources::new();
    let asked = [&compute.cpu, &compute.memory, &compute.storage];
    for (resource, asked) in Catalog::RESOURCES.into_iter().zip(asked) {
        let amount = match asked {
            Some(Amount::Quantity(amount)) => *amount,
            Some(Amount::Class(class)) => lookup(service, catalog, resource, class)?,
            None => lookup(service, catalog, resource, catalog.default_class(resource))?,
        };
        per_replica.set(resource, amount);
    }
    let kept = compute
        .storage
        .is_some()
        .then(|| per_replica.amount(ResourceName::STORAGE));
    let mut requires = BTreeSet::new();
    if compute.gpu {
        let (name, count) = catalog.accelerator();
        per_replica.set(name.clone(), u64::from(compute.gpu_count.unwrap_or(count)));
        requires.insert(name.clone());
    }
    let replicas = graph.intent().min_replicas.unwrap_or(1).max(1);
    if per_replica.checked_mul(replicas).is_none() {
        return Err(TranslateError::TooMuch {
            service: service.id.clone(),
            replicas,
            per_replica,
        });
    }
    Ok(ServiceRequirements {
        replicas,
        max_replicas: graph.intent().max_replicas,
        per_replica,
        state: Bytes::new(kept.unwrap_or(0)),
        requires,
        device_proximity: service.device_proximity,
        device_label: catalog
            .device_label()
            .filter(|_| service.device_proximity)
            .map(str::to_owned),
        co_location: service.co_location.clone(),
        pinned: None,
    })
}

fn lookup(service: &Service, catalog: &Catalog, resource: &str, class: &str) -> Result<u64, TranslateError> {
    catalog
        .amount(resource, class)
        .ok_or_else(|| TranslateError::UnknownClass {
            service: service.id.clone(),
            resource: ResourceName::new(resource),
            class: class.to_owned(),
            known: catalog.classes(resource).into_iter().map(str::to_owned).collect(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{CoLocation, ComputeIntent, GraphIntent, Link};
    use crate::units::Cpu;

    fn service(name: &str, compute: ComputeIntent) -> Service {
        Service {
            compute,
            ..Service::new(name.parse().unwrap(), "oci://r/p/c")
        }
    }

    fn graph(services: Vec<Service>) -> ApplicationGraph {
        let links = services.windows(2).map(|pair| Link {
            from: pair[0].id.clone(),
            to: pair[1].id.clone(),
            latency: LatencyClass::Low,
        });
        let links: Vec<Link> = links.collect();
        ApplicationGraph::new("g".parse().unwrap(), services, links).unwrap()
    }

    fn three() -> ApplicationGraph {
        let mut near = service("camera-vo", ComputeIntent::default());
        near.device_proximity = true;
        near.co_location = vec![CoLocation {
            id: "store".into(),
            grounded_graph_id: None,
        }];
        graph(vec![
            near,
            service(
                "api",
                ComputeIntent {
                    cpu: Some(Amount::class("light")),
                    memory: Some(Amount::Quantity(3 << 30)),
                    storage: Some(Amount::class("none")),
                    ..ComputeIntent::default()
                },
            ),
            service(
                "inference",
                ComputeIntent {
                    cpu: Some(Amount::class("medium")),
                    gpu: true,
                    gpu_count: Some(2),
                    ..ComputeIntent::default()
                },
            ),
        ])
    }

    #[test]
    fn the_table_says_what_is_asked_for() {
        let requirements = translate(&three(), &Catalog::default()).unwrap();
        insta::assert_snapshot!(requirements);
        let lean = graph(vec![service(
            "a",
            ComputeIntent {
                storage: Some(Amount::class("none")),
                ..ComputeIntent::default()
            },
        )]);
        insta::assert_snapshot!(translate(&lean, &Catalog::default()).unwrap());
    }

    #[test]
    fn nothing_is_lost() {
        let intent = GraphIntent {
            security: true,
            high_availability: true,
            min_replicas: Some(3),
            max_replicas: Some(5),
            high_performance: true,
            energy_efficiency: true,
            static_placement: true,
            ..GraphIntent::default()
        };
        let requirements = translate(&three().with_intent(intent), &Catalog::default()).unwrap();
        assert!(requirements.security && requirements.final_placement && requirements.spread);
        assert!(requirements.static_placement && requirements.energy_efficiency);
        assert!(
            requirements
                .links
                .iter()
                .all(|link| link.class == LatencyClass::UltraLow && link.rtt_below.is_some())
        );
        let camera = &requirements.services["camera-vo"];
        assert_eq!((camera.replicas, camera.max_replicas), (3, Some(5)));
        assert!(camera.device_proximity);
        assert_eq!(camera.co_location[0].id, "store");
        let inference = &requirements.services["inference"];
        assert_eq!(inference.per_replica.amount(ResourceName::NVIDIA_GPU), 2);
        assert!(inference.requires.contains(ResourceName::NVIDIA_GPU));
    }

    #[test]
    fn the_storage_that_is_asked_for_moves_along() {
        let state = |storage: Option<Amount>| {
            let compute = ComputeIntent {
                storage,
                ..ComputeIntent::default()
            };
            let requirements = translate(&graph(vec![service("a", compute)]), &Catalog::default()).unwrap();
            requirements.services["a"].state.get()
        };
        assert_eq!(state(Some(Amount::Quantity(7_000))), 7_000);
        assert_eq!(state(Some(Amount::class("small"))), 10_000_000_000);
        assert_eq!((state(Some(Amount::class("none"))), state(None)), (0, 0));
    }

    #[test]
    fn the_host_decides_what_a_class_means() {
        let catalog = Catalog::default()
            .with_cpu_class("small", Cpu::from_millicores(250))
            .with_default_class("memory", "large")
            .with_accelerator("amd.com/gpu", 1);
        let requirements = translate(&three(), &catalog).unwrap();
        let camera = &requirements.services["camera-vo"].per_replica;
        assert_eq!(camera.to_string(), "0.25 cores, 8Gi memory, 10G storage");
        assert_eq!(
            requirements.services["inference"]
                .per_replica
                .amount("amd.com/gpu"),
            2
        );
    }

    #[test]
    fn what_has_no_amount_is_an_error() {
        let tiny = ComputeIntent {
            cpu: Some(Amount::class("tiny")),
            ..ComputeIntent::default()
        };
        let error = translate(&graph(vec![service("a", tiny)]), &Catalog::default()).unwrap_err();
        insta::assert_snapshot!(format!("{error}; {}", error.hint()), @"service `a` asks for cpu of the unknown class `tiny`; one of light, small, medium, large, or a quantity");
        let plain = graph(vec![service("a", ComputeIntent::default())]);
        let error = translate(&plain, &Catalog::empty()).unwrap_err();
        insta::assert_snapshot!(format!("{error}; {}", error.hint()), @"service `a` asks for cpu of the unknown class `small`; ask for a quantity such as 500m; the catalogue has no class for it");
        let huge = ComputeIntent {
            cpu: Some(Amount::Quantity(u64::MAX / 2)),
            ..ComputeIntent::default()
        };
        let intent = GraphIntent {
            min_replicas: Some(3),
            ..GraphIntent::default()
        };
        let huge = graph(vec![service("a", huge)]).with_intent(intent);
        let error = translate(&huge, &Catalog::default()).unwrap_err();
        insta::assert_snapshot!(format!("{error}; {}", error.hint()), @"service `a` asks for 3 replicas of 9223372036854775.807 cores, 1Gi memory, 10G storage, which is beyond any count; ask for less, or for fewer replicas");
    }
}
