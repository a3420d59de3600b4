//! Reading what a graph as a whole asks for, and what a service needs to run.

use super::codes;
use super::reader::Reader;
use super::service::Draft;
use crate::decode::{Cursor, MapReader};
use crate::graph::{ComputeIntent, Extensions, GraphIntent};
use crate::resources::ResourceName;
use crate::yaml::Value;

impl<'a> Reader<'a, '_> {
    /// `hdaGraphIntent`: a map, or the free text of information model 0.3.0.
    pub(super) fn graph_intent(&mut self, at: &Cursor<'a>) -> GraphIntent {
        let mut intent = GraphIntent::default();
        if let Value::String(text) = &at.node.value {
            intent.statement = Some(text.clone());
            return intent;
        }
        let Some(mut map) = self.decoder.map(at) else {
            return intent;
        };
        intent.static_placement = self.boolean_in(&mut map, "useStaticPlacement");
        let security = self.switch_in(&mut map, "security");
        let high_performance = self.switch_in(&mut map, "highPerformance");
        let energy_efficiency = self.switch_in(&mut map, "energyEfficiency");
        let availability = self.high_availability(&mut map, &mut intent);
        intent.security = security.0;
        intent.high_performance = high_performance.0;
        intent.energy_efficiency = energy_efficiency.0;
        intent.extensions = map.finish(&mut self.decoder);
        for (key, unknown) in [
            ("security", security.1),
            ("highPerformance", high_performance.1),
            ("energyEfficiency", energy_efficiency.1),
            ("highAvailability", availability),
        ] {
            if !unknown.is_empty() {
                intent.extensions.insert(key.to_owned(), unknown.into());
            }
        }
        intent
    }

    fn high_availability(&mut self, map: &mut MapReader<'a>, intent: &mut GraphIntent) -> Extensions {
        let none = Extensions::new();
        let Some(at) = map.get("highAvailability").filter(|at| !at.is_null()) else {
            return none;
        };
        if !matches!(at.node.value, Value::Map(_)) {
            intent.high_availability = self.boolean(&at);
            return none;
        }
        let Some(mut map) = self.decoder.map(&at) else {
            return none;
        };
        intent.high_availability = self.boolean_in(&mut map, "enabled");
        let min = map.get("minReplicasOverall").filter(|at| !at.is_null());
        let max = map.get("maxReplicasOverall").filter(|at| !at.is_null());
        intent.min_replicas = min.and_then(|at| self.decoder.count(&at));
        intent.max_replicas = max.as_ref().and_then(|at| self.decoder.count(at));
        if let (Some(at), Some(most)) = (&max, intent.max_replicas) {
            let least = intent.min_replicas.unwrap_or(1).max(1);
            if most < least {
                let message = format!("at most {most} replicas, but at least {least}");
                self.decoder.report(at, codes::BAD_REPLICA_BOUNDS, message).hint =
                    Some("raise the maximum or lower the minimum".to_owned());
            }
        }
        map.finish(&mut self.decoder)
    }

    /// `compute`: amounts and whether an accelerator is needed.
    pub(super) fn compute(&mut self, at: &Cursor<'a>, draft: &mut Draft<'a>) {
        let Some(mut map) = self.decoder.map(at) else {
            return;
        };
        let faults = self.decoder.errors();
        let amounts = [
            (ResourceName::CPU, "cpu"),
            (ResourceName::MEMORY, "ram"),
            (ResourceName::STORAGE, "storage"),
        ]
        .map(|(resource, key)| self.amount_in(&mut map, key, resource));
        let [cpu, memory, storage] = amounts;
        let compute = &mut draft.compute;
        compute.cpu = cpu.or(compute.cpu.take());
        compute.memory = memory.or(compute.memory.take());
        compute.storage = storage.or(compute.storage.take());
        if self.decoder.errors() == faults {
            self.note_defaults(at, &draft.compute);
        }
        if let Some(at) = map.get("gpu").filter(|at| !at.is_null()) {
            self.gpu(&at, draft);
        }
        let unknown = map.finish(&mut self.decoder);
        draft
            .extensions
            .insert("deployment.intent.compute".to_owned(), unknown);
    }

    /// `{enabled: true}`, with a `count` where more than the catalogue's is needed; a bare boolean; or a bare count.
    fn gpu(&mut self, at: &Cursor<'a>, draft: &mut Draft<'a>) {
        let compute = &mut draft.compute;
        match &at.node.value {
            Value::Number(_) => {
                let count = self.decoder.count(at);
                compute.gpu = count.is_some_and(|count| count > 0);
                compute.gpu_count = count.filter(|count| *count > 0);
            }
            Value::Map(_) => {
                let Some(mut map) = self.decoder.map(at) else {
                    return;
                };
                let count = map.get("count").filter(|at| !at.is_null());
                let enabled = match &count {
                    Some(_) => map.get("enabled").filter(|at| !at.is_null()),
                    None => map.require(&mut self.decoder, "enabled"),
                };
                let count = count.and_then(|at| self.decoder.count(&at));
                compute.gpu = match enabled {
                    Some(at) => self.boolean(&at),
                    None => count.is_some_and(|count| count > 0),
                };
                compute.gpu_count = count.filter(|count| *count > 0 && compute.gpu);
                let unknown = map.finish(&mut self.decoder);
                draft
                    .extensions
                    .insert("deployment.intent.compute.gpu".to_owned(), unknown);
            }
            _ => compute.gpu = self.boolean(at),
        }
    }

    /// A note when the catalogue's default class counts for an amount.
    pub(super) fn note_defaults(&mut self, at: &Cursor<'a>, compute: &ComputeIntent) {
        let said = [
            ("cpu", ResourceName::CPU, &compute.cpu),
            ("ram", ResourceName::MEMORY, &compute.memory),
            ("storage", ResourceName::STORAGE, &compute.storage),
        ];
        let options = self.options;
        let missing: Vec<String> = said
            .into_iter()
            .filter(|(_, _, amount)| amount.is_none())
            .map(|(key, resource, _)| format!("{key}: {}", options.catalog.default_class(resource)))
            .collect();
        if !missing.is_empty() {
            let message = format!("not said, so the default counts: {}", missing.join(", "));
            self.decoder.note(at, codes::DEFAULT_CLASS, message);
        }
    }
}
