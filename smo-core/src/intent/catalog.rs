//! The catalogue: what a class such as `small` means.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::Serialize;

use crate::cluster::DomainKey;
use crate::graph::LatencyClass;
use crate::resources::ResourceName;
use crate::units::{Bytes, Cpu, Latency};

/// What the classes of intents mean in amounts. A host may add classes, change them, or begin with none.
///
/// The defaults are those of the information model:
///
/// | class | cpu | memory | storage |
/// | --- | --- | --- | --- |
/// | none | | | 0 |
/// | light | 0.5 cores | 500Mi | |
/// | small | 1 core | 1Gi | 10G |
/// | medium | 4 cores | 2Gi | 20G |
/// | large | 8 cores | 8Gi | 40G |
///
/// `small` counts for what a service does not say. `ultralow` is a round trip below 10 ms, `low` is at most one hop,
/// `best-effort` has no limit, a GPU is one `nvidia.com/gpu`, and `highAvailability` spreads replicas over clusters.
///
/// ```
/// use smo_core::intent::Catalog;
/// use smo_core::units::Cpu;
/// let catalog = Catalog::default().with_cpu_class("tiny", Cpu::from_millicores(100));
/// assert_eq!(catalog.amount("cpu", "tiny"), Some(100));
/// assert_eq!(catalog.amount("cpu", "large"), Some(8000));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Catalog {
    cpu: IndexMap<String, Cpu>,
    memory: IndexMap<String, Bytes>,
    storage: IndexMap<String, Bytes>,
    defaults: BTreeMap<String, String>,
    latency: BTreeMap<LatencyClass, LatencyLimit>,
    accelerator: Accelerator,
    failure_domain: DomainKey,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_label: Option<String>,
}

/// What `gpu: {enabled: true}` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Accelerator {
    pub(super) name: ResourceName,
    pub(super) count: u32,
}

/// How near the two ends of a link of a latency class have to be. A part that is `None` has no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LatencyLimit {
    /// The round trip has to be *below* this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rtt_below: Option<Latency>,
    /// At most this many hops.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_hops: Option<u32>,
}

impl Default for Catalog {
    /// The classes of the information model.
    fn default() -> Self {
        const MI: u64 = 1 << 20;
        const GB: u64 = 1_000_000_000;
        let mut catalog = Self::empty();
        for (class, millicores, mebibytes) in [
            ("light", 500, 500),
            ("small", 1000, 1024),
            ("medium", 4000, 2048),
            ("large", 8000, 8192),
        ] {
            catalog = catalog
                .with_cpu_class(class, Cpu::from_millicores(millicores))
                .with_memory_class(class, Bytes::new(mebibytes * MI));
        }
        for (class, gigabytes) in [("none", 0), ("small", 10), ("medium", 20), ("large", 40)] {
            catalog = catalog.with_storage_class(class, Bytes::new(gigabytes * GB));
        }
        let below_10_ms = LatencyLimit {
            rtt_below: Some(Latency::from_base(10_000)),
            max_hops: None,
        };
        let one_hop = LatencyLimit {
            rtt_below: None,
            max_hops: Some(1),
        };
        catalog
            .with_latency(LatencyClass::UltraLow, below_10_ms)
            .with_latency(LatencyClass::Low, one_hop)
    }
}

impl Catalog {
    /// The resources that classes exist for.
    pub const RESOURCES: [&'static str; 3] = [ResourceName::CPU, ResourceName::MEMORY, ResourceName::STORAGE];

    /// A catalogue without classes and without latency limits. Its default class is `small`, its accelerator one
    /// `nvidia.com/gpu`.
    #[must_use]
    pub fn empty() -> Self {
        let small = |resource: &str| (resource.to_owned(), "small".to_owned());
        Self {
            cpu: IndexMap::new(),
            memory: IndexMap::new(),
            storage: IndexMap::new(),
            defaults: Self::RESOURCES.into_iter().map(small).collect(),
            latency: BTreeMap::new(),
            accelerator: Accelerator {
                name: ResourceName::new(ResourceName::NVIDIA_GPU),
                count: 1,
            },
            failure_domain: DomainKey::Cluster,
            device_label: None,
        }
    }

    /// The same with a cpu class, new or changed.
    #[must_use]
    pub fn with_cpu_class(mut self, class: impl Into<String>, amount: Cpu) -> Self {
        self.cpu.insert(class.into(), amount);
        self
    }

    /// The same with a memory class, new or changed.
    #[must_use]
    pub fn with_memory_class(mut self, class: impl Into<String>, amount: Bytes) -> Self {
        self.memory.insert(class.into(), amount);
        self
    }

    /// The same with a storage class, new or changed.
    #[must_use]
    pub fn with_storage_class(mut self, class: impl Into<String>, amount: Bytes) -> Self {
        self.storage.insert(class.into(), amount);
        self
    }

    /// The same with the class that counts where a service says nothing about `resource` (`cpu`, `memory` or
    /// `storage`).
    #[must_use]
    pub fn with_default_class(mut self, resource: &str, class: impl Into<String>) -> Self {
        self.defaults.insert(resource.to_owned(), class.into());
        self
    }

    /// The same with what a latency class means.
    #[must_use]
    pub fn with_latency(mut self, class: LatencyClass, limit: LatencyLimit) -> Self {
        self.latency.insert(class, limit);
        self
    }

    /// The same with what a service that needs an accelerator gets: `count` of the extended resource `name`.
    #[must_use]
    pub fn with_accelerator(mut self, name: impl Into<ResourceName>, count: u32) -> Self {
        self.accelerator = Accelerator {
            name: name.into(),
            count,
        };
        self
    }

    /// The same with what `highAvailability` spreads replicas over; clusters when not said.
    #[must_use]
    pub fn with_failure_domain(mut self, key: DomainKey) -> Self {
        self.failure_domain = key;
        self
    }

    /// The same with the label that the clusters near devices have. `deviceProximity` asks for it; without one it asks for
    /// nothing.
    #[must_use]
    pub fn with_device_label(mut self, label: impl Into<String>) -> Self {
        self.device_label = Some(label.into());
        self
    }

    /// What `highAvailability` spreads replicas over.
    #[must_use]
    pub const fn failure_domain(&self) -> &DomainKey {
        &self.failure_domain
    }

    /// The label that the clusters near devices have, where there is one.
    #[must_use]
    pub fn device_label(&self) -> Option<&str> {
        self.device_label.as_deref()
    }

    /// What `class` means for `resource`, in millicores or bytes; `None` for a class that is not known.
    #[must_use]
    pub fn amount(&self, resource: &str, class: &str) -> Option<u64> {
        match resource {
            ResourceName::CPU => self.cpu.get(class).map(|amount| amount.millicores()),
            ResourceName::MEMORY => self.memory.get(class).map(|amount| amount.get()),
            ResourceName::STORAGE => self.storage.get(class).map(|amount| amount.get()),
            _ => None,
        }
    }

    /// The classes of `resource`, in the order they were added.
    #[must_use]
    pub fn classes(&self, resource: &str) -> Vec<&str> {
        match resource {
            ResourceName::CPU => self.cpu.keys().map(String::as_str).collect(),
            ResourceName::MEMORY => self.memory.keys().map(String::as_str).collect(),
            ResourceName::STORAGE => self.storage.keys().map(String::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The class that counts where a service says nothing about `resource`.
    #[must_use]
    pub fn default_class(&self, resource: &str) -> &str {
        self.defaults.get(resource).map_or("small", String::as_str)
    }

    /// What a latency class means; no limit when the catalogue does not say.
    #[must_use]
    pub fn latency(&self, class: LatencyClass) -> LatencyLimit {
        self.latency.get(&class).copied().unwrap_or_default()
    }

    /// The extended resource that a service with an accelerator needs, and how many of it.
    #[must_use]
    pub fn accelerator(&self) -> (&ResourceName, u32) {
        (&self.accelerator.name, self.accelerator.count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_information_model() {
        let json = serde_json::to_string_pretty(&Catalog::default()).unwrap();
        insta::assert_snapshot!(json);
    }

    #[test]
    fn storage_has_no_class_light() {
        assert_eq!(Catalog::default().amount("storage", "light"), None);
        assert_eq!(Catalog::default().amount("pods", "small"), None);
        assert_eq!(
            Catalog::default().classes("storage"),
            ["none", "small", "medium", "large"]
        );
    }
}
