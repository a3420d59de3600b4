//! Reading what one service of a problem file needs.

use std::collections::BTreeSet;

use super::super::{HighAvailability, LabelRequirement, Mode, ServiceDemand, Spread};
use super::reader::{Reader, given, texts};
use crate::cluster::{DomainKey, TaintEffect, Toleration, codes as facts};
use crate::decode::MapReader;
use crate::diagnostic::Severity;
use crate::id::ClusterName;
use crate::resources::{ResourceName, Resources};
use crate::units::Bytes;

impl<'a> Reader<'a> {
    pub(super) fn demand(&mut self, mut map: MapReader<'a>) -> ServiceDemand {
        let replicas = given(&mut map, "replicas").and_then(|at| self.facts.decoder.count(&at));
        let per_replica = given(&mut map, "perReplica").map(|at| self.facts.amounts(&at));
        let per_replica: Resources = per_replica
            .unwrap_or_default()
            .into_iter()
            .map(|(name, amount, _)| (name, amount))
            .collect();
        let known = [("single", Mode::Single), ("split", Mode::Split)];
        let mode = given(&mut map, "mode").and_then(|at| self.facts.one_of(&at, &known));
        // A problem without clusters is asked when the whole fleet is lost; nobody misspelt anything then.
        let unknown = if self.clusters.is_empty() {
            Severity::Note
        } else {
            Severity::Error
        };
        let demand = ServiceDemand {
            replicas: replicas.unwrap_or(1),
            per_replica,
            requires: self.required(&mut map),
            mode: mode.unwrap_or_default(),
            pinned: self.clusters_in(&mut map, "pinned", unknown),
            excluded: self
                .clusters_in(&mut map, "excluded", Severity::Note)
                .unwrap_or_default(),
            regions: texts(&mut self.facts, &mut map, "regions"),
            tolerations: self.each(&mut map, "tolerations", Self::toleration),
            labels: self.each(&mut map, "labels", Self::label),
            spread: self.each(&mut map, "spread", Self::spread),
            high_availability: given(&mut map, "highAvailability")
                .and_then(|at| self.one(&at, Self::high_availability)),
            final_placement: given(&mut map, "final")
                .and_then(|at| self.facts.decoder.boolean(&at))
                .unwrap_or_default(),
            state: given(&mut map, "state")
                .and_then(|at| self.facts.bytes(&at, "write bytes as a quantity, such as 20G"))
                .map(Bytes::new)
                .unwrap_or_default(),
        };
        map.finish(&mut self.facts.decoder);
        demand
    }

    fn required(&mut self, map: &mut MapReader<'a>) -> BTreeSet<ResourceName> {
        let items = given(map, "requires").map(|at| self.facts.decoder.list(&at));
        let mut required = BTreeSet::new();
        for at in items.unwrap_or_default() {
            let text = self.facts.decoder.text(&at);
            required.extend(text.and_then(|text| self.facts.resource_name(&at, text)));
        }
        required
    }

    fn clusters_in(
        &mut self,
        map: &mut MapReader<'a>,
        key: &'static str,
        unknown: Severity,
    ) -> Option<BTreeSet<ClusterName>> {
        let items = given(map, key).map(|at| self.facts.decoder.list(&at))?;
        let named = items.into_iter().filter_map(|at| {
            let text = self.facts.decoder.text(&at)?;
            self.cluster(&at, text, unknown)
        });
        Some(named.collect())
    }

    fn toleration(&mut self, map: &mut MapReader<'a>) -> Option<Toleration> {
        let effects = [
            ("NoSchedule", TaintEffect::NoSchedule),
            ("PreferNoSchedule", TaintEffect::PreferNoSchedule),
            ("NoExecute", TaintEffect::NoExecute),
        ];
        Some(Toleration {
            key: self.facts.text_in(map, "key"),
            value: self.facts.text_in(map, "value"),
            effect: given(map, "effect").and_then(|at| self.facts.one_of(&at, &effects)),
        })
    }

    fn label(&mut self, map: &mut MapReader<'a>) -> Option<LabelRequirement> {
        let key = map.require(&mut self.facts.decoder, "key");
        let key = key.and_then(|at| self.facts.decoder.text(&at)).map(str::to_owned);
        let operator = map.require(&mut self.facts.decoder, "operator");
        let operator = operator.and_then(|at| {
            let known = [
                ("In", Operator::In),
                ("NotIn", Operator::NotIn),
                ("Exists", Operator::Exists),
                ("DoesNotExist", Operator::DoesNotExist),
            ];
            self.facts.one_of(&at, &known)
        });
        let mut values = |reader: &mut Self| {
            map.require(&mut reader.facts.decoder, "values")?;
            texts(&mut reader.facts, map, "values")
        };
        Some(match operator? {
            Operator::In => LabelRequirement::In {
                values: values(self)?,
                key: key?,
            },
            Operator::NotIn => LabelRequirement::NotIn {
                values: values(self)?,
                key: key?,
            },
            Operator::Exists => LabelRequirement::Exists { key: key? },
            Operator::DoesNotExist => LabelRequirement::DoesNotExist { key: key? },
        })
    }

    /// What makes a domain; the cluster when not said.
    pub(super) fn domain(&mut self, map: &mut MapReader<'a>) -> DomainKey {
        let at = given(map, "key");
        let text = at.and_then(|at| {
            let text = self.facts.decoder.text(&at)?;
            if text.is_empty() {
                let hint = "cluster, region, zone, provider, or the key of a label";
                self.facts
                    .fault(&at, facts::UNKNOWN_VALUE, "an empty key".to_owned(), hint);
            }
            Some(text)
        });
        // Reading a key never fails: what is none of the known ones is a label.
        text.and_then(|text| text.parse().ok()).unwrap_or_default()
    }

    fn spread(&mut self, map: &mut MapReader<'a>) -> Option<Spread> {
        let mut count =
            |reader: &mut Self, key| given(map, key).and_then(|at| reader.facts.decoder.count(&at));
        let [min_groups, max_groups, max_skew] =
            ["minGroups", "maxGroups", "maxSkew"].map(|key| count(self, key));
        Some(Spread {
            key: self.domain(map),
            min_groups,
            max_groups,
            max_skew,
            price: self.price(map),
        })
    }

    fn high_availability(&mut self, map: &mut MapReader<'a>) -> Option<HighAvailability> {
        Some(HighAvailability {
            key: self.domain(map),
            price: self.price(map),
        })
    }
}

/// How a label is compared.
#[derive(Debug, Clone, Copy)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}
