//! Reading a problem file: clusters, services, and what ties them together.

use std::collections::BTreeMap;

use indexmap::{IndexMap, IndexSet};

use super::super::{
    Assignment, ClusterSupply, LinkDemand, LinkLimit, Placement, PlacementProblem, ServiceDemand, Weight,
};
use super::codes;
use crate::cluster::{self, Reader as Facts, codes as facts};
use crate::decode::{Cursor, MapReader};
use crate::diagnostic::{Severity, Violation, Violations, quoted};
use crate::id::{ClusterName, ServiceKey};
use crate::units::{DataRate, Latency, parse_decimal};
use crate::yaml::{Node, Value};

/// The root key of a problem file.
pub(super) const ROOT: &str = "problem";

/// Reads the tree of a text.
pub(super) fn read(
    source: &str,
    text: &str,
    root: &Node,
) -> Result<(PlacementProblem, Vec<Violation>), Violations> {
    let mut reader = Reader {
        facts: Facts::new(text),
        services: IndexMap::new(),
        clusters: IndexSet::new(),
    };
    let root = Cursor::root(root);
    let problem = reader.document(&root);
    // What is left is about the problem as a whole, and has no place of its own.
    if !reader.facts.decoder.has_errors()
        && let Err(error) = problem.validate()
    {
        reader
            .facts
            .decoder
            .report(&root, codes::INCONSISTENT, error.to_string());
    }
    let notes = reader.facts.decoder.finish(source)?;
    Ok((problem, notes))
}

/// Reads one problem file.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) facts: Facts<'a>,
    /// The services by name as written; one whose name is none is there without a key.
    services: IndexMap<&'a str, Option<ServiceKey>>,
    /// The names of clusters as written.
    pub(super) clusters: IndexSet<&'a str>,
}

impl<'a> Reader<'a> {
    fn document(&mut self, root: &Cursor<'a>) -> PlacementProblem {
        let Some(node) = root.node.get(ROOT).filter(|node| node.value != Value::Null) else {
            let message = format!("the document has no root key `{ROOT}`");
            let hint = if root.node.get("fleet").is_some() {
                "this is a fleet file; a problem file begins with `problem:`"
            } else {
                "begin it with `problem:`"
            };
            self.facts.fault(root, codes::NOT_A_PROBLEM, message, hint);
            return PlacementProblem::default();
        };
        if let Some(mut document) = self.facts.decoder.map(root) {
            document.get(ROOT);
            document.finish(&mut self.facts.decoder);
        }
        let problem = Cursor {
            node,
            path: ROOT.to_owned(),
        };
        match self.facts.decoder.map(&problem) {
            Some(map) => self.problem(map),
            None => PlacementProblem::default(),
        }
    }

    fn problem(&mut self, mut map: MapReader<'a>) -> PlacementProblem {
        self.facts.signal(&mut map);
        let clusters = map.require(&mut self.facts.decoder, "clusters");
        let clusters = clusters.map(|at| self.clusters(&at)).unwrap_or_default();
        let services = map.require(&mut self.facts.decoder, "services");
        let services = services.map(|at| self.services(&at)).unwrap_or_default();
        let network = given(&mut map, "network");
        let names = self.clusters.clone();
        // A cluster that was lost may still have been measured.
        let network = network.map(|at| self.facts.network(&at, &names, Severity::Note));
        let problem = PlacementProblem {
            goals: given(&mut map, "goals")
                .map(|at| self.goals(&at))
                .unwrap_or_default(),
            links: self.each(&mut map, "links", Self::link),
            network: network.unwrap_or_default(),
            current: given(&mut map, "current")
                .map(|at| self.current(&at))
                .unwrap_or_default(),
            co_location: self.each(&mut map, "coLocation", Self::co_location),
            anti_affinity: self.each(&mut map, "antiAffinity", Self::anti_affinity),
            budgets: self.each(&mut map, "budgets", Self::budget),
            ceilings: self.each(&mut map, "ceilings", Self::ceiling),
            soft: given(&mut map, "soft")
                .map(|at| self.soft(&at))
                .unwrap_or_default(),
            scores: given(&mut map, "scores")
                .map(|at| self.scores(&at))
                .unwrap_or_default(),
            services,
            clusters,
            ..PlacementProblem::default()
        };
        map.finish(&mut self.facts.decoder);
        problem
    }

    fn clusters(&mut self, at: &Cursor<'a>) -> IndexMap<ClusterName, ClusterSupply> {
        let mut clusters = IndexMap::new();
        for item in self.facts.decoder.list(at) {
            let Some(mut map) = self.facts.decoder.map(&item) else {
                continue;
            };
            let at = map.require(&mut self.facts.decoder, "name");
            let text = at.as_ref().and_then(|at| self.facts.decoder.text(at));
            let supply = self.supply(map);
            let Some((at, text)) = at.zip(text) else { continue };
            if !self.clusters.insert(text) {
                let message = format!("a second cluster with the name {}", quoted(text));
                self.facts.decoder.report(&at, facts::DUPLICATE_CLUSTER, message);
            } else if let Some(name) = self.facts.cluster_name(&at, text) {
                clusters.insert(name, supply);
            }
        }
        clusters
    }

    fn supply(&mut self, mut map: MapReader<'a>) -> ClusterSupply {
        let facts = &mut self.facts;
        let amounts = |facts: &mut Facts<'a>, at: Option<Cursor<'a>>| {
            let amounts = at.map(|at| facts.amounts(&at)).unwrap_or_default();
            amounts
                .into_iter()
                .map(|(name, amount, _)| (name, amount))
                .collect()
        };
        let supply = ClusterSupply {
            readiness: map
                .get("ready")
                .map(|at| facts.readiness(&at))
                .unwrap_or_default(),
            capacity: amounts(facts, given(&mut map, "capacity")),
            taken: amounts(facts, given(&mut map, "taken")),
            region: facts.text_in(&mut map, "region"),
            zones: texts(facts, &mut map, "zones").unwrap_or_default(),
            provider: facts.text_in(&mut map, "provider"),
            labels: given(&mut map, "labels")
                .map(|at| facts.labels(&at))
                .unwrap_or_default(),
            taints: {
                let items = given(&mut map, "taints").map(|at| facts.decoder.list(&at));
                let items = items.unwrap_or_default().into_iter();
                items.filter_map(|at| facts.taint(&at)).collect()
            },
            price: given(&mut map, "price")
                .map(|at| facts.price(&at))
                .unwrap_or_default(),
            carbon: given(&mut map, "carbon").and_then(|at| facts.carbon(&at)),
            egress: given(&mut map, "egress")
                .and_then(|at| facts.egress(&at))
                .unwrap_or_default(),
        };
        map.finish(&mut self.facts.decoder);
        supply
    }

    fn services(&mut self, at: &Cursor<'a>) -> IndexMap<ServiceKey, ServiceDemand> {
        let mut services = IndexMap::new();
        for item in self.facts.decoder.list(at) {
            let Some(mut map) = self.facts.decoder.map(&item) else {
                continue;
            };
            let at = map.require(&mut self.facts.decoder, "name");
            let text = at.as_ref().and_then(|at| self.facts.decoder.text(at));
            let demand = self.demand(map);
            let Some((at, text)) = at.zip(text) else { continue };
            let key = self.service_key(&at, text);
            if self.services.insert(text, key.clone()).is_some() {
                let message = format!("a second service with the name {}", quoted(text));
                self.facts.decoder.report(&at, codes::DUPLICATE_SERVICE, message);
            } else if let Some(key) = key {
                services.insert(key, demand);
            }
        }
        services
    }

    fn service_key(&mut self, at: &Cursor<'_>, text: &str) -> Option<ServiceKey> {
        let key = text.parse().ok();
        if key.is_none() {
            let message = format!("{} is no name of a service", quoted(text));
            let hint = "write project/graph/service, each of lower-case letters, digits and `-`, 63 at most";
            self.facts.fault(at, codes::BAD_SERVICE, message, hint);
        }
        key
    }

    /// A service of the problem.
    fn known_service(&mut self, at: &Cursor<'a>, text: &str) -> Option<ServiceKey> {
        if let Some(known) = self.services.get(text) {
            return known.clone();
        }
        let message = format!("no service has the name {}", quoted(text));
        let hint = self.facts.decoder.suggest(text, self.services.keys().copied());
        self.facts
            .decoder
            .report(at, codes::UNKNOWN_SERVICE, message)
            .hint = hint;
        None
    }

    /// The service that a key of a map names.
    pub(super) fn service_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> Option<ServiceKey> {
        let at = map.require(&mut self.facts.decoder, key)?;
        let text = self.facts.decoder.text(&at)?;
        self.known_service(&at, text)
    }

    /// The services that a list names.
    pub(super) fn services_in<C: FromIterator<ServiceKey>>(&mut self, map: &mut MapReader<'a>) -> C {
        let at = map.require(&mut self.facts.decoder, "services");
        let items = at.map(|at| self.facts.decoder.list(&at)).unwrap_or_default();
        let named = items.into_iter().filter_map(|at| {
            let text = self.facts.decoder.text(&at)?;
            self.known_service(&at, text)
        });
        named.collect()
    }

    /// The name of a cluster. `unknown` says what one is that the problem does not have.
    pub(super) fn cluster(&mut self, at: &Cursor<'a>, text: &str, unknown: Severity) -> Option<ClusterName> {
        if !self.clusters.contains(text) {
            let names = self.clusters.clone();
            self.facts.unknown_cluster(at, text, &names, unknown);
        }
        self.facts.cluster_name(at, text)
    }

    /// What `read` makes of every map of the list below `key`.
    pub(super) fn each<T>(
        &mut self,
        map: &mut MapReader<'a>,
        key: &'static str,
        read: impl Fn(&mut Self, &mut MapReader<'a>) -> Option<T>,
    ) -> Vec<T> {
        let items = given(map, key).map(|at| self.facts.decoder.list(&at));
        let items = items.unwrap_or_default().into_iter();
        items.filter_map(|at| self.one(&at, &read)).collect()
    }

    /// What `read` makes of a map; the keys that it did not ask for are refused.
    pub(super) fn one<T>(
        &mut self,
        at: &Cursor<'a>,
        read: impl Fn(&mut Self, &mut MapReader<'a>) -> Option<T>,
    ) -> Option<T> {
        let mut map = self.facts.decoder.map(at)?;
        let one = read(self, &mut map);
        map.finish(&mut self.facts.decoder);
        one
    }

    /// A decimal number in 10^-`decimals`.
    pub(super) fn decimal<T: TryFrom<i128>>(
        &mut self,
        at: &Cursor<'a>,
        decimals: u32,
        least: i128,
        hint: &str,
    ) -> Option<T> {
        let text = self.facts.decoder.text(at)?;
        let read = parse_decimal(text, decimals).filter(|number| *number >= least);
        let read = read.and_then(|number| T::try_from(number).ok());
        if read.is_none() {
            let message = format!("{} is no number that is possible here", quoted(text));
            self.facts.fault(at, codes::BAD_NUMBER, message, hint);
        }
        read
    }

    /// What a wish costs, where it is only a wish.
    pub(super) fn price(&mut self, map: &mut MapReader<'a>) -> Option<Weight> {
        let at = given(map, "price")?;
        self.points(&at, 0)
    }

    /// Points from `least` millionths on.
    pub(super) fn points(&mut self, at: &Cursor<'a>, least: i64) -> Option<Weight> {
        let hint = if least == 0 {
            "write points, 0 or more, such as 2 or 0.5"
        } else {
            "write points, such as 2 or 0.0001"
        };
        self.decimal(at, 6, least.into(), hint)
            .map(Weight::from_millionths)
    }

    fn link(&mut self, map: &mut MapReader<'a>) -> Option<LinkDemand> {
        let from = self.service_in(map, "from");
        let to = self.service_in(map, "to");
        let rtt_below = given(map, "rttBelow").and_then(|at| {
            let hint = "write milliseconds, more than 0, such as 30 or 0.5";
            self.decimal(&at, 3, 1, hint).map(Latency::from_base)
        });
        let max_hops = given(map, "maxHops").and_then(|at| self.facts.decoder.count(&at));
        let traffic = given(map, "traffic").and_then(|at| self.facts.rate(&at));
        Some(LinkDemand {
            from: from?,
            to: to?,
            limit: LinkLimit { rtt_below, max_hops },
            traffic: traffic.unwrap_or(DataRate::ZERO),
        })
    }

    /// Where services run now: maybe services that are not decided, on clusters that are gone.
    fn current(&mut self, at: &Cursor<'a>) -> Placement {
        let mut current = Placement::new();
        for (service, at) in self.entries(at) {
            let key = match self.services.get(service) {
                Some(known) => known.clone(),
                None => self.service_key(&at, service),
            };
            let mut assignment = BTreeMap::new();
            for (cluster, at) in self.entries(&at) {
                let name = self.facts.cluster_name(&at, cluster);
                let replicas = self.facts.decoder.count(&at);
                assignment.extend(name.zip(replicas));
            }
            if let Some(key) = key {
                current.set(key, assignment.into_iter().collect::<Assignment>());
            }
        }
        current
    }

    fn scores(&mut self, at: &Cursor<'a>) -> IndexMap<ServiceKey, BTreeMap<ClusterName, i64>> {
        let mut scores = IndexMap::new();
        for (service, at) in self.entries(at) {
            let key = self.known_service(&at, service);
            let mut points = BTreeMap::new();
            for (cluster, at) in self.entries(&at) {
                let name = self.cluster(&at, cluster, Severity::Note);
                let score = self.points(&at, i64::MIN).map(Weight::millionths);
                points.extend(name.zip(score));
            }
            scores.extend(key.map(|key| (key, points)));
        }
        scores
    }

    /// The keys and values of a map whose keys are data.
    pub(super) fn entries(&mut self, at: &Cursor<'a>) -> Vec<(&'a str, Cursor<'a>)> {
        let map = self.facts.decoder.map(at);
        map.map(|map| map.entries(&mut self.facts.decoder))
            .unwrap_or_default()
    }
}

/// The value of a key that is there and says something.
pub(super) fn given<'a>(map: &mut MapReader<'a>, key: &'static str) -> Option<Cursor<'a>> {
    map.get(key).filter(|at| !at.is_null())
}

/// The texts of the list below `key`, where it is there.
pub(super) fn texts<'a, C: FromIterator<String>>(
    facts: &mut cluster::Reader<'a>,
    map: &mut MapReader<'a>,
    key: &'static str,
) -> Option<C> {
    let items = given(map, key).map(|at| facts.decoder.list(&at))?;
    let text = |at: Cursor<'a>| facts.decoder.text(&at).map(str::to_owned);
    Some(items.into_iter().filter_map(text).collect())
}
