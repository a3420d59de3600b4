//! Reading the fleet file: clusters, prices, carbon and network as text.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use jiff::Timestamp;

use super::codes;
use super::{CarbonSignal, Cluster, Inventory, Network, Path};
use crate::decode::{Cursor, Decoder, MapReader, UnknownKeys};
use crate::diagnostic::{Severity, Violation, Violations, quoted};
use crate::id::ClusterName;
use crate::units::{Bytes, DataRate, Latency};
use crate::yaml::{self, Limits, Value};

/// The root key of a fleet file.
const ROOT: &str = "fleet";

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
    ///       egress: {withinRegion: 0.01, outOfRegion: 0.05}        # EUR per GiB that leaves it
    ///     - {name: edge-2, allocatable: {cpu: 4, memory: 8Gi}}
    ///   headroom: {percent: 10, atLeast: {cpu: 500m}}            # kept free of every cluster; a cluster may say otherwise
    ///   network:
    ///     - {between: [edge-1, edge-2], rtt: 4, hops: 1, bandwidth: 125M}   # round trip in ms; bytes per second
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
        let mut reader = Reader::new(text);
        let inventory = reader.document(&Cursor::root(&root));
        let notes = reader.decoder.finish(source)?;
        Ok((inventory, notes))
    }
}

/// Reads the facts of a fleet file, and of a placement problem.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    pub(crate) decoder: Decoder<'a>,
    /// Which signal the intensities of the file are.
    pub(crate) carbon_signal: CarbonSignal,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self {
            decoder: Decoder::new(text, UnknownKeys::Refuse),
            carbon_signal: CarbonSignal::default(),
        }
    }

    pub(crate) fn fault(
        &mut self,
        at: &Cursor<'_>,
        code: crate::diagnostic::Code,
        message: String,
        hint: &str,
    ) {
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
        let carbon_signal = self.signal(&mut map);
        let items = map.require(&mut self.decoder, "clusters");
        let clusters = items.map(|at| self.clusters(&at)).unwrap_or_default();
        let network = map
            .get("network")
            .map(|at| {
                let names: IndexSet<&str> = clusters.keys().copied().collect();
                self.network(&at, &names, Severity::Error)
            })
            .unwrap_or_default();
        let headroom = map
            .get("headroom")
            .filter(|at| !at.is_null())
            .and_then(|at| self.headroom(&at))
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
            headroom,
        }
    }

    /// Which signal the intensities of the file are.
    pub(crate) fn signal(&mut self, map: &mut MapReader<'a>) -> CarbonSignal {
        let known = [
            ("average", CarbonSignal::Average),
            ("marginal", CarbonSignal::Marginal),
        ];
        let at = map.get("carbonSignal").filter(|at| !at.is_null());
        self.carbon_signal = at.and_then(|at| self.one_of(&at, &known)).unwrap_or_default();
        self.carbon_signal
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

    pub(crate) fn timestamp(&mut self, at: &Cursor<'a>) -> Option<Timestamp> {
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

    pub(crate) fn one_of<T: Copy>(&mut self, at: &Cursor<'a>, known: &[(&str, T)]) -> Option<T> {
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

    /// What was measured between clusters. `unknown` says what a name is that is not among `clusters`: a fault, or a note
    /// and no matter.
    pub(crate) fn network(
        &mut self,
        at: &Cursor<'a>,
        clusters: &IndexSet<&'a str>,
        unknown: Severity,
    ) -> Network {
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
            let bandwidth = map
                .get("bandwidth")
                .filter(|at| !at.is_null())
                .and_then(|at| self.rate(&at));
            map.finish(&mut self.decoder);
            let Some(between) = between else { continue };
            let Some([(a_at, a), (b_at, b)]) = self.pair(&between) else {
                continue;
            };
            let mut known = true;
            for (at, name) in [(&a_at, a), (&b_at, b)] {
                if !clusters.contains(name) {
                    known &= self.unknown_cluster(at, name, clusters, unknown);
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
                let path = Path { rtt, hops, bandwidth };
                network.measure(a, b, path);
            }
        }
        network
    }

    /// Tells of a cluster that there is not. True when it is no fault.
    pub(crate) fn unknown_cluster(
        &mut self,
        at: &Cursor<'_>,
        name: &str,
        clusters: &IndexSet<&'a str>,
        severity: Severity,
    ) -> bool {
        let message = format!("no cluster has the name {}", quoted(name));
        let hint = self.decoder.suggest(name, clusters.iter().copied());
        let violation = match severity {
            Severity::Error => self.decoder.report(at, codes::UNKNOWN_CLUSTER, message),
            Severity::Note => self.decoder.note(at, codes::UNKNOWN_CLUSTER, message),
        };
        violation.hint = hint;
        severity == Severity::Note
    }

    pub(crate) fn rtt(&mut self, at: &Cursor<'a>) -> Option<Latency> {
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

    pub(crate) fn rate(&mut self, at: &Cursor<'a>) -> Option<DataRate> {
        let hint = "write bytes per second as a quantity, such as 125M for a gigabit";
        self.bytes(at, hint).map(DataRate::new)
    }

    pub(crate) fn bytes(&mut self, at: &Cursor<'a>, hint: &str) -> Option<u64> {
        let text = self.decoder.text(at)?;
        let bytes = text.parse::<Bytes>();
        if let Err(error) = &bytes {
            self.fault(at, codes::BAD_QUANTITY, error.to_string(), hint);
        }
        bytes.ok().map(Bytes::get)
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
  headroom: {percent: 101, atLeast: {cpus: 1}}
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
      headroom: {percent: 1.5, per: 3}
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

    #[test]
    fn hostile_texts_are_refused_and_never_panic() {
        let texts = [
            String::new(),
            "\0".to_owned(),
            "fleet: 1".to_owned(),
            "fleet: [a]".to_owned(),
            "fleet: {clusters: 5, network: x}".to_owned(),
            "fleet: {clusters: [1, null, {}, {name: [], allocatable: 3, ready: [], carbon: x, price: y}]}"
                .to_owned(),
            format!("fleet: {}", "{a: ".repeat(10_000)),
            format!("fleet: {{clusters: [{}]}}", "{name: a},".repeat(5000)),
            "hdaGraph: {}".to_owned(),
        ];
        for text in texts {
            let violations = Inventory::parse(&text).unwrap_err();
            assert!(!violations.is_empty());
        }
    }
}
