//! Reading the fleet file: clusters, prices, carbon and network as text.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use jiff::Timestamp;

use super::codes;
use super::{
    CarbonProfile, CarbonSignal, Cluster, Inventory, Network, Path, Price, Readiness, Taint, TaintEffect,
};
use crate::decode::{Cursor, Decoder, MapReader, UnknownKeys};
use crate::diagnostic::{Violation, Violations, quoted};
use crate::id::{ClusterName, is_dns_label, nearest_dns_label};
use crate::resources::{ResourceName, Resources};
use crate::units::{Latency, Money, QuantityError};
use crate::yaml::{self, Limits, Value};

/// The root key of a fleet file.
const ROOT: &str = "fleet";
/// A short name for `nvidia.com/gpu`.
const GPUS: &str = "gpus";

impl Inventory {
    /// Reads a fleet file. Keys that the format does not know are refused.
    ///
    /// ```
    /// use smo_core::cluster::Inventory;
    /// let fleet = Inventory::parse("
    /// fleet:
    ///   observed: 2026-11-24T10:00:00Z         # optional
    ///   carbonSignal: average                  # or marginal
    ///   clusters:
    ///     - name: edge-1
    ///       ready: true                        # or {status: false, reason: ClusterNotReachable, since: 2026-11-24T02:11:00Z}
    ///       region: gr-north
    ///       zones: [gr-a]
    ///       provider: ntua
    ///       labels: {tier: edge}
    ///       taints: [{key: dedicated, value: video, effect: NoSchedule}]
    ///       allocatable: {cpu: 8, memory: 16Gi, storage: 200G, pods: 110, gpus: 1}   # gpus: nvidia.com/gpu
    ///       allocated: {cpu: 500m}
    ///       price: {cpu: 0.02, memory: 0.003, gpus: 0.5}           # EUR per hour, per core, GiB and piece
    ///       carbon: {intensity: 320, pue: 1.3, wattsPerCore: 10}   # gCO2e per kWh
    ///     - {name: edge-2, allocatable: {cpu: 4, memory: 8Gi}}
    ///   network:
    ///     - {between: [edge-1, edge-2], rtt: 4, hops: 1}           # round trip in ms
    /// ").unwrap();
    /// assert_eq!(fleet.cluster("edge-1").unwrap().free().cpu().millicores(), 7500);
    /// ```
    ///
    /// # Errors
    /// *Everything* that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, Violations> {
        Self::parse_named(ROOT, text)
    }

    /// The same for the input called `source` (a file name) in violations.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_named(source: &str, text: &str) -> Result<Self, Violations> {
        Self::parse_noted(source, text, Limits::default()).map(|(inventory, _)| inventory)
    }

    /// The same within other limits, with notes about what is odd but accepted.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_noted(
        source: &str,
        text: &str,
        limits: Limits,
    ) -> Result<(Self, Vec<Violation>), Violations> {
        let root = yaml::parse(text, limits).map_err(|violation| Violations::new(source, vec![violation]))?;
        let mut reader = Reader {
            decoder: Decoder::new(text, UnknownKeys::Refuse),
        };
        let inventory = reader.document(&Cursor::root(&root));
        let notes = reader.decoder.finish(source)?;
        Ok((inventory, notes))
    }
}

struct Reader<'a> {
    decoder: Decoder<'a>,
}

impl<'a> Reader<'a> {
    fn fault(&mut self, at: &Cursor<'_>, code: crate::diagnostic::Code, message: String, hint: &str) {
        self.decoder.report(at, code, message).hint = Some(hint.to_owned());
    }

    fn document(&mut self, root: &Cursor<'a>) -> Inventory {
        let Some(node) = root.node.get(ROOT).filter(|node| node.value != Value::Null) else {
            let message = format!("the document has no root key `{ROOT}`");
            let hint = if root.node.get("hdaGraph").is_some() {
                "this is a descriptor; a fleet file begins with `fleet:`"
            } else {
                "begin it with `fleet:`"
            };
            self.fault(root, codes::NOT_A_FLEET, message, hint);
            return Inventory::default();
        };
        if let Some(mut document) = self.decoder.map(root) {
            document.get(ROOT);
            document.finish(&mut self.decoder);
        }
        let fleet = Cursor {
            node,
            path: ROOT.to_owned(),
        };
        match self.decoder.map(&fleet) {
            Some(map) => self.fleet(map),
            None => Inventory::default(),
        }
    }

    fn fleet(&mut self, mut map: MapReader<'a>) -> Inventory {
        let observed_at = map
            .get("observed")
            .filter(|at| !at.is_null())
            .and_then(|at| self.timestamp(&at));
        let carbon_signal = map
            .get("carbonSignal")
            .filter(|at| !at.is_null())
            .and_then(|at| {
                let known = [
                    ("average", CarbonSignal::Average),
                    ("marginal", CarbonSignal::Marginal),
                ];
                self.one_of(&at, &known)
            })
            .unwrap_or_default();
        let items = map.require(&mut self.decoder, "clusters");
        let clusters = items.map(|at| self.clusters(&at)).unwrap_or_default();
        let network = map
            .get("network")
            .map(|at| self.network(&at, &clusters))
            .unwrap_or_default();
        map.finish(&mut self.decoder);
        let clusters = clusters
            .into_values()
            .flatten()
            .map(|cluster| (cluster.name.clone(), cluster))
            .collect();
        Inventory {
            observed_at,
            carbon_signal,
            clusters,
            network,
        }
    }

    /// The clusters by name as written; a cluster that cannot be read is there without a value.
    fn clusters(&mut self, at: &Cursor<'a>) -> IndexMap<&'a str, Option<Cluster>> {
        let items = self.decoder.list(at);
        if items.is_empty() && matches!(at.node.value, Value::List(_)) {
            let hint = "list at least one, such as {name: laptop, allocatable: {cpu: 4, memory: 8Gi}}";
            self.fault(
                at,
                codes::NO_CLUSTERS,
                "the fleet has no cluster".to_owned(),
                hint,
            );
        }
        let mut clusters = IndexMap::new();
        for item in items {
            let Some(mut map) = self.decoder.map(&item) else {
                continue;
            };
            let name = map.require(&mut self.decoder, "name");
            let text = name.as_ref().and_then(|at| self.decoder.text(at));
            let parsed = name
                .as_ref()
                .zip(text)
                .and_then(|(at, text)| self.cluster_name(at, text));
            let cluster = self.cluster(map, parsed);
            let (Some(at), Some(text)) = (name, text) else {
                continue;
            };
            if clusters.insert(text, cluster).is_some() {
                let message = format!("a second cluster with the name {}", quoted(text));
                self.decoder.report(&at, codes::DUPLICATE_CLUSTER, message);
            }
        }
        clusters
    }

    fn cluster_name(&mut self, at: &Cursor<'a>, text: &str) -> Option<ClusterName> {
        if is_dns_label(text) {
            return ClusterName::parse(text).ok();
        }
        let message = format!(
            "{} is not a DNS label (lower-case letters, digits and `-`, 63 at most)",
            quoted(text)
        );
        self.decoder.report(at, codes::BAD_NAME, message).hint =
            nearest_dns_label(text).map(|label| format!("try `{label}`"));
        None
    }

    fn cluster(&mut self, mut map: MapReader<'a>, name: Option<ClusterName>) -> Option<Cluster> {
        let readiness = map.get("ready").map(|at| self.readiness(&at)).unwrap_or_default();
        let region = self.text_in(&mut map, "region");
        let zones = map
            .get("zones")
            .map(|at| self.decoder.list(&at))
            .unwrap_or_default();
        let zone = |at: Cursor<'a>| self.decoder.text(&at).map(str::to_owned);
        let zones = zones.into_iter().filter_map(zone).collect();
        let provider = self.text_in(&mut map, "provider");
        let labels = map.get("labels").map(|at| self.labels(&at)).unwrap_or_default();
        let taints = map
            .get("taints")
            .map(|at| self.decoder.list(&at))
            .unwrap_or_default();
        let taints = taints.into_iter().filter_map(|at| self.taint(&at)).collect();
        let allocatable = map.require(&mut self.decoder, "allocatable");
        let allocatable = allocatable.map(|at| self.allocatable(&at)).unwrap_or_default();
        let allocated = map
            .get("allocated")
            .map(|at| self.allocated(&at, &allocatable))
            .unwrap_or_default();
        let price = map.get("price").map(|at| self.price(&at)).unwrap_or_default();
        let carbon = map
            .get("carbon")
            .filter(|at| !at.is_null())
            .and_then(|at| self.carbon(&at));
        map.finish(&mut self.decoder);
        Some(Cluster {
            readiness,
            region,
            zones,
            provider,
            labels,
            taints,
            allocated,
            price,
            carbon,
            ..Cluster::new(name?, allocatable)
        })
    }

    /// `true`, `false`, or `{status, reason, since}` with the status `true`, `false` or `unknown`.
    fn readiness(&mut self, at: &Cursor<'a>) -> Readiness {
        if at.is_null() {
            return Readiness::Ready;
        }
        let not_ready = |reason: Option<String>, since| Readiness::NotReady {
            reason: reason.unwrap_or_else(|| "NotReady".to_owned()),
            since,
        };
        if !matches!(at.node.value, Value::Map(_)) {
            return match self.decoder.boolean(at) {
                Some(false) => not_ready(None, None),
                _ => Readiness::Ready,
            };
        }
        let Some(mut map) = self.decoder.map(at) else {
            return Readiness::Ready;
        };
        let status = map.require(&mut self.decoder, "status");
        let reason = self.text_in(&mut map, "reason");
        let since = map
            .get("since")
            .filter(|at| !at.is_null())
            .and_then(|at| self.timestamp(&at));
        map.finish(&mut self.decoder);
        let Some(status) = status else {
            return Readiness::Ready;
        };
        let unknown =
            matches!(&status.node.value, Value::String(text) if text.eq_ignore_ascii_case("unknown"));
        if unknown {
            return Readiness::Unknown {
                reason: reason.unwrap_or_else(|| "no report".to_owned()),
            };
        }
        match self.decoder.boolean(&status) {
            Some(false) => not_ready(reason, since),
            _ => Readiness::Ready,
        }
    }

    fn text_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> Option<String> {
        let at = map.get(key).filter(|at| !at.is_null())?;
        self.decoder.text(&at).map(str::to_owned)
    }

    fn timestamp(&mut self, at: &Cursor<'a>) -> Option<Timestamp> {
        let text = self.decoder.text(at)?;
        let timestamp = text.parse().ok();
        if timestamp.is_none() {
            let message = format!("{} is no moment in time", quoted(text));
            self.fault(
                at,
                codes::BAD_TIMESTAMP,
                message,
                "write it as 2026-11-24T10:00:00Z, with a time zone",
            );
        }
        timestamp
    }

    fn one_of<T: Copy>(&mut self, at: &Cursor<'a>, known: &[(&str, T)]) -> Option<T> {
        let text = self.decoder.text(at)?;
        let found = known.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            let message = format!("unknown value {}", quoted(text));
            let hint = format!("one of {}", names.join(", "));
            self.fault(at, codes::UNKNOWN_VALUE, message, &hint);
        }
        found.map(|(_, value)| *value)
    }

    fn labels(&mut self, at: &Cursor<'a>) -> BTreeMap<String, String> {
        let entries = self
            .decoder
            .map(at)
            .map(|map| map.entries(&mut self.decoder))
            .unwrap_or_default();
        let mut labels = BTreeMap::new();
        for (key, at) in entries {
            let Some(value) = self.decoder.text(&at) else {
                continue;
            };
            self.check_label(&at, key, value);
            labels.insert(key.to_owned(), value.to_owned());
        }
        labels
    }

    fn check_label(&mut self, at: &Cursor<'a>, key: &str, value: &str) {
        let hint = "letters, digits, `-`, `_` and `.`, 63 at most, with a letter or digit at both ends";
        if !is_label_key(key) {
            self.fault(
                at,
                codes::BAD_LABEL,
                format!("{} is no label key", quoted(key)),
                hint,
            );
        }
        if !(value.is_empty() || is_label_name(value)) {
            let message = format!("{} is no label value", quoted(value));
            self.fault(at, codes::BAD_LABEL, message, hint);
        }
    }

    fn taint(&mut self, at: &Cursor<'a>) -> Option<Taint> {
        let mut map = self.decoder.map(at)?;
        let key = map.require(&mut self.decoder, "key");
        let value = self.text_in(&mut map, "value");
        let effect = map.require(&mut self.decoder, "effect").and_then(|at| {
            let known = [
                ("NoSchedule", TaintEffect::NoSchedule),
                ("PreferNoSchedule", TaintEffect::PreferNoSchedule),
                ("NoExecute", TaintEffect::NoExecute),
            ];
            self.one_of(&at, &known)
        });
        map.finish(&mut self.decoder);
        let at = key?;
        let key = self.decoder.text(&at)?;
        self.check_label(&at, key, value.as_deref().unwrap_or_default());
        Some(Taint {
            key: key.to_owned(),
            value,
            effect: effect?,
        })
    }

    /// Names and values of a map of resources, under their Kubernetes names.
    fn resources(&mut self, at: &Cursor<'a>) -> Vec<(ResourceName, Cursor<'a>)> {
        let entries = self
            .decoder
            .map(at)
            .map(|map| map.entries(&mut self.decoder))
            .unwrap_or_default();
        let mut resources: Vec<(ResourceName, Cursor<'a>)> = Vec::new();
        for (key, at) in entries {
            let Some(name) = self.resource_name(&at, key) else {
                continue;
            };
            if resources.iter().any(|(known, _)| *known == name) {
                let message = format!("`{GPUS}` and `{name}` are the same");
                self.fault(&at, codes::REPEATED_RESOURCE, message, "keep one of them");
                continue;
            }
            resources.push((name, at));
        }
        resources
    }

    fn resource_name(&mut self, at: &Cursor<'a>, key: &str) -> Option<ResourceName> {
        const KNOWN: [&str; 5] = [
            ResourceName::CPU,
            ResourceName::MEMORY,
            ResourceName::STORAGE,
            ResourceName::PODS,
            GPUS,
        ];
        if key == GPUS {
            return Some(ResourceName::new(ResourceName::NVIDIA_GPU));
        }
        if KNOWN.contains(&key) || (key.contains('/') && is_label_key(key)) {
            return Some(ResourceName::new(key));
        }
        let meant = match key {
            "ram" | "mem" => Some("did you mean `memory`?".to_owned()),
            "disk" | "ephemeral-storage" => Some("did you mean `storage`?".to_owned()),
            "gpu" => Some("did you mean `gpus`?".to_owned()),
            _ => self.decoder.suggest(key, KNOWN.into_iter()),
        };
        let message = format!("unknown resource {}", quoted(key));
        let hint = meant.unwrap_or_else(|| {
            format!(
                "one of {}, or an extended resource such as nvidia.com/gpu",
                KNOWN.join(", ")
            )
        });
        self.fault(at, codes::UNKNOWN_RESOURCE, message, &hint);
        None
    }

    fn amounts(&mut self, at: &Cursor<'a>) -> Vec<(ResourceName, u64, Cursor<'a>)> {
        let mut amounts = Vec::new();
        for (name, at) in self.resources(at) {
            let Some(text) = self.decoder.text(&at) else {
                continue;
            };
            match name.parse_amount(text) {
                Ok(amount) => amounts.push((name, amount, at)),
                Err(error) => {
                    let message = match error {
                        QuantityError::Negative(_) => format!("{} is negative", quoted(text)),
                        QuantityError::TooLarge(_) => format!("{} is too large", quoted(text)),
                        QuantityError::Malformed(_) => format!("{} is no Kubernetes quantity", quoted(text)),
                    };
                    self.fault(
                        &at,
                        codes::BAD_QUANTITY,
                        message,
                        "write it as 500m, 8, 1.5 or 16Gi",
                    );
                }
            }
        }
        amounts
    }

    fn allocatable(&mut self, at: &Cursor<'a>) -> Resources {
        let said: BTreeSet<String> = match &at.node.value {
            Value::Map(entries) => entries
                .iter()
                .filter_map(|(key, _)| key.scalar_text().map(str::to_owned))
                .collect(),
            _ => BTreeSet::new(),
        };
        let amounts = self.amounts(at);
        for needed in [ResourceName::CPU, ResourceName::MEMORY] {
            if matches!(at.node.value, Value::Map(_)) && !said.contains(needed) {
                let message = format!("the cluster does not say how much {needed} it offers");
                let hint = format!("add `{needed}: {}`", if needed == "cpu" { "8" } else { "16Gi" });
                self.fault(at, codes::MISSING_AMOUNT, message, &hint);
            }
        }
        amounts
            .into_iter()
            .map(|(name, amount, _)| (name, amount))
            .collect()
    }

    fn allocated(&mut self, at: &Cursor<'a>, allocatable: &Resources) -> Resources {
        let mut allocated = Resources::new();
        for (name, amount, at) in self.amounts(at) {
            if let Some(offered) = allocatable.listed(name.as_str())
                && amount > offered
            {
                let message = format!(
                    "{} are allocated of {}: nothing is left",
                    name.describe(amount),
                    name.describe(offered)
                );
                self.decoder.note(&at, codes::OVERCOMMITTED, message);
            }
            allocated.set(name, amount);
        }
        allocated
    }

    fn price(&mut self, at: &Cursor<'a>) -> Price {
        let mut price = Price::free();
        for (name, at) in self.resources(at) {
            let Some(text) = self.decoder.text(&at) else {
                continue;
            };
            match Money::parse_decimal(text).filter(|money| *money >= Money::ZERO) {
                Some(money) => price = price.with(name, money),
                None => {
                    let message = format!("{} is no price", quoted(text));
                    self.fault(
                        &at,
                        codes::BAD_PRICE,
                        message,
                        "write EUR per hour, 0 or more, such as 0.02",
                    );
                }
            }
        }
        price
    }

    fn carbon(&mut self, at: &Cursor<'a>) -> Option<CarbonProfile> {
        let mut map = self.decoder.map(at)?;
        let intensity = map.require(&mut self.decoder, "intensity");
        let pue = map.get("pue").filter(|at| !at.is_null());
        let watts = map.get("wattsPerCore").filter(|at| !at.is_null());
        map.finish(&mut self.decoder);
        let intensity = self.number(
            &intensity?,
            0.0,
            codes::BAD_INTENSITY,
            "a number of gCO2e per kWh, 0 or more,",
        )?;
        let pue = match pue {
            Some(at) => self.number(
                &at,
                1.0,
                codes::BAD_PUE,
                "facility power over machine power, 1 or more,",
            )?,
            None => 1.0,
        };
        let watts_per_core = match watts {
            Some(at) => self.number(
                &at,
                0.0,
                codes::BAD_POWER,
                "a number of watt per busy core, 0 or more,",
            )?,
            None => CarbonProfile::DEFAULT_WATTS_PER_CORE,
        };
        let profile = CarbonProfile {
            intensity,
            pue,
            watts_per_core,
        };
        if profile.per_core().is_none() {
            let message = "the emissions of one core are beyond any count".to_owned();
            self.fault(
                at,
                codes::BAD_INTENSITY,
                message,
                "check intensity, pue and wattsPerCore",
            );
        }
        Some(profile)
    }

    fn number(
        &mut self,
        at: &Cursor<'a>,
        least: f64,
        code: crate::diagnostic::Code,
        what: &str,
    ) -> Option<f64> {
        let text = self.decoder.text(at)?;
        let number = text
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite() && *number >= least);
        if number.is_none() {
            let message = format!("{} where {what} is expected", quoted(text));
            self.decoder.report(at, code, message);
        }
        number
    }

    fn network(&mut self, at: &Cursor<'a>, clusters: &IndexMap<&'a str, Option<Cluster>>) -> Network {
        let mut network = Network::new();
        let mut seen = BTreeSet::new();
        for item in self.decoder.list(at) {
            let Some(mut map) = self.decoder.map(&item) else {
                continue;
            };
            let between = map.require(&mut self.decoder, "between");
            let rtt = map
                .get("rtt")
                .filter(|at| !at.is_null())
                .and_then(|at| self.rtt(&at));
            let hops = map
                .get("hops")
                .filter(|at| !at.is_null())
                .and_then(|at| self.decoder.count(&at));
            map.finish(&mut self.decoder);
            let Some(between) = between else { continue };
            let Some([(a_at, a), (b_at, b)]) = self.pair(&between) else {
                continue;
            };
            let mut known = true;
            for (at, name) in [(&a_at, a), (&b_at, b)] {
                if !clusters.contains_key(name) {
                    let message = format!("no cluster has the name {}", quoted(name));
                    let hint = self.decoder.suggest(name, clusters.keys().copied());
                    self.decoder.report(at, codes::UNKNOWN_CLUSTER, message).hint = hint;
                    known = false;
                }
            }
            if !known {
                continue;
            }
            if a == b {
                let message = format!("{} is paired with itself", quoted(a));
                let hint = "within one cluster it is 0 ms and 0 hops; remove the entry";
                self.fault(&between, codes::SELF_PAIR, message, hint);
            } else if !seen.insert((a.min(b), a.max(b))) {
                let message = format!("a second entry for {} and {}", quoted(a), quoted(b));
                let hint = "an entry counts in both directions; keep one of them";
                self.fault(&between, codes::DUPLICATE_PAIR, message, hint);
            } else if let (Ok(a), Ok(b)) = (ClusterName::parse(a), ClusterName::parse(b)) {
                network.measure(a, b, Path { rtt, hops });
            }
        }
        network
    }

    fn rtt(&mut self, at: &Cursor<'a>) -> Option<Latency> {
        let text = self.decoder.text(at)?;
        let rtt = Latency::parse_decimal(text).filter(|rtt| *rtt >= Latency::ZERO);
        if rtt.is_none() {
            let message = format!("{} is no round trip", quoted(text));
            self.fault(
                at,
                codes::BAD_RTT,
                message,
                "write milliseconds, 0 or more, such as 4 or 0.5",
            );
        }
        rtt
    }

    fn pair(&mut self, at: &Cursor<'a>) -> Option<[(Cursor<'a>, &'a str); 2]> {
        let items = self.decoder.list(at);
        let found = items.len();
        let texts: Vec<_> = items
            .into_iter()
            .filter_map(|at| self.decoder.text(&at).map(|text| (at, text)))
            .collect();
        if found != 2 && matches!(at.node.value, Value::List(_)) {
            let message = format!("{found} clusters where two are expected");
            self.fault(at, codes::NOT_A_PAIR, message, "write it as [edge-1, edge-2]");
        }
        texts.try_into().ok()
    }
}

/// A label's name, or its value: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends
/// ([Kubernetes](https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/)).
fn is_label_name(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let ends = [text.bytes().next(), text.bytes().last()];
    (1..=63).contains(&text.len())
        && text.bytes().all(inner)
        && ends.iter().flatten().all(u8::is_ascii_alphanumeric)
}

/// A label's key: a name, with a DNS subdomain and `/` before it where it is not the user's own.
fn is_label_key(text: &str) -> bool {
    match text.split_once('/') {
        None => is_label_name(text),
        Some((domain, name)) => {
            domain.len() <= 253 && domain.split('.').all(is_dns_label) && is_label_name(name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_fleet_is_enough() {
        let fleet = Inventory::parse("fleet: {clusters: [{name: a, allocatable: {cpu: 1, memory: 1Gi}}]}");
        let fleet = fleet.unwrap();
        assert_eq!(fleet.observed_at, None);
        assert!(fleet.cluster("a").unwrap().readiness.is_ready());
    }

    #[test]
    fn readiness_has_four_forms() {
        let read = |ready: &str| {
            let text = format!(
                "fleet: {{clusters: [{{name: a, ready: {ready}, allocatable: {{cpu: 1, memory: 1Gi}}}}]}}"
            );
            serde_json::to_string(&Inventory::parse(&text).unwrap().cluster("a").unwrap().readiness).unwrap()
        };
        assert_eq!(read("true"), r#"{"state":"ready"}"#);
        assert_eq!(read("'False'"), r#"{"state":"notReady","reason":"NotReady"}"#);
        assert_eq!(
            read("{status: false, reason: Gone, since: 2026-11-24T02:11:00Z}"),
            r#"{"state":"notReady","reason":"Gone","since":"2026-11-24T02:11:00Z"}"#
        );
        assert_eq!(
            read("{status: unknown}"),
            r#"{"state":"unknown","reason":"no report"}"#
        );
    }

    #[test]
    fn label_keys_follow_kubernetes() {
        for good in ["tier", "nvidia.com/gpu", "a.b-c_d", "topology.kubernetes.io/zone"] {
            assert!(is_label_key(good), "{good}");
        }
        for bad in ["", "-a", "a/", "/a", "a/b/c", "UP.com/a", "a b"] {
            assert!(!is_label_key(bad), "{bad}");
        }
    }

    #[test]
    fn what_is_odd_is_noted() {
        let text = "fleet: {clusters: [{name: a, allocatable: {cpu: 1, memory: 1Gi}, allocated: {cpu: 2}}]}";
        let (fleet, notes) = Inventory::parse_noted("f.yaml", text, Limits::default()).unwrap();
        assert_eq!(fleet.cluster("a").unwrap().free().cpu().millicores(), 0);
        insta::assert_snapshot!(notes[0], @"F101 fleet.clusters[0].allocated.cpu: 2 cores are allocated of 1 core: nothing is left");
    }

    #[test]
    fn every_code_is_given() {
        let wrong = "fleet:
  observed: yesterday
  carbonSignal: mean
  clustres: []
  clusters:
    - name: Edge_1
      labels: {'a b': x, tier: -edge}
      taints: [{key: k, effect: Never}]
      allocatable: {cpu: 99999999999999999999, ram: 4, gpus: 1, nvidia.com/gpu: 1}
      price: {cpu: -1, memory: much}
      carbon: {intensity: -1}
    - name: a
      ready: {status: false, since: 1}
      allocatable: {cpu: 1, memory: x}
      carbon: {intensity: 1, pue: 0.9}
    - name: a
      allocatable: {cpu: -1, memory: 1}
      carbon: {intensity: 1, wattsPerCore: NaN}
    - name: b
      allocatable: {cpu: 1, memory: 1}
      carbon: {intensity: 1e300}
  network:
    - {between: [a, c], rtt: 1}
    - {between: [a, a]}
    - {between: [a, b], rtt: -1}
    - {between: [b, a], hops: -1}
    - {between: [a]}
";
        let inputs = [wrong, "clusters: []", "fleet: {clusters: []}"];
        let mut given: BTreeSet<&str> = BTreeSet::from([codes::OVERCOMMITTED.0]);
        for text in inputs {
            let violations = Inventory::parse_named("fleet.yaml", text).unwrap_err();
            given.extend(violations.codes());
            insta::assert_snapshot!(violations);
        }
        for (code, _) in codes::ALL {
            assert!(given.contains(code.0), "{code}");
        }
    }
}
