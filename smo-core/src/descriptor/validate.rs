//! From the tree to a graph: reads every part, resolves references, and reports everything that is wrong.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::{IndexMap, IndexSet};

use super::reader::Reader;
use super::service::{Draft, Reference, latency_path};
use super::trigger::DraftTrigger;
use super::{Dangling, Descriptor, MAX_SERVICES, ValidateOptions, Validated, codes};
use crate::decode::{Cursor, Decoder, MapReader};
use crate::diagnostic::{Violation, Violations, quoted};
use crate::graph::{
    ApplicationGraph, EventSource, GraphIntent, LatencyClass, Link, Service, Trigger, start_cycle,
};
use crate::id::{GraphId, ServiceId, nearest_dns_label};
use crate::yaml::{Node, Value};

/// The key of the graph, at the root.
const ROOT: &str = "hdaGraph";
/// The versions of the information model that are read.
const IM_VERSIONS: [&str; 2] = ["0.4.0", "0.3.0"];

/// What makes a document no descriptor at all, if anything does.
pub(super) fn check_root(root: &Node, text: &str) -> Option<Violation> {
    let hint = match root.get(ROOT) {
        Some(graph) if matches!(graph.value, Value::Map(_)) => return None,
        Some(graph) => {
            let message = format!("`{ROOT}` is {} where a map is expected", graph.kind());
            let violation = Violation::new(codes::NOT_A_DESCRIPTOR, message).with_path(ROOT);
            return Some(violation.with_position(graph.position, text));
        }
        None if root.get("id").is_some() && root.get("services").is_some() => {
            format!("`id` and `services` stand at the root; move everything below `{ROOT}:`")
        }
        None => format!("begin it with `{ROOT}:`"),
    };
    let message = match &root.value {
        Value::Map(_) => format!("the document has no root key `{ROOT}`"),
        Value::Null => "the document is empty".to_owned(),
        _ => format!(
            "the document is {}, and no map with the key `{ROOT}`",
            root.kind()
        ),
    };
    let violation = Violation::new(codes::NOT_A_DESCRIPTOR, message).with_hint(hint);
    Some(violation.with_position(root.position, text))
}

pub(super) fn validate(descriptor: &Descriptor, options: &ValidateOptions) -> Result<Validated, Violations> {
    let mut reader = Reader {
        decoder: Decoder::new(&descriptor.text, options.unknown_keys),
        options,
    };
    let graph = reader.document(&descriptor.root);
    let notes = reader.decoder.finish(&descriptor.source)?;
    match graph {
        Some(graph) => Ok(Validated { graph, notes }),
        // Whatever keeps a graph from being built has been reported; a list without an error is not a refusal.
        None => Err(Violations::new(
            &descriptor.source,
            vec![Violation::new(
                codes::NOT_A_DESCRIPTOR,
                format!("`{ROOT}` describes no graph"),
            )],
        )),
    }
}

/// The ids of all services, valid or not.
struct Ids<'a> {
    ids: IndexMap<&'a str, Option<ServiceId>>,
    /// The valid forms of the faulty ids.
    meant: BTreeSet<String>,
}

/// What a reference refers to.
enum Target {
    Service(ServiceId),
    /// A service whose id is faulty, which is reported where it stands.
    Faulty,
    /// Nothing.
    None,
}

impl Ids<'_> {
    fn find(&self, id: &str) -> Target {
        match self.ids.get(id) {
            Some(Some(id)) => Target::Service(id.clone()),
            Some(None) => Target::Faulty,
            None if self.meant.contains(id) => Target::Faulty,
            None => Target::None,
        }
    }
}

impl<'a> Reader<'a, '_> {
    fn document(&mut self, root: &'a Node) -> Option<ApplicationGraph> {
        let mut document = self.decoder.map(&Cursor::root(root))?;
        let graph = document.get(ROOT)?;
        document.finish(&mut self.decoder);
        self.graph(&Cursor::root(graph.node))
    }

    fn graph(&mut self, at: &Cursor<'a>) -> Option<ApplicationGraph> {
        let mut map = self.decoder.map(at)?;
        let im_version = self.im_version(&mut map);
        let id = map
            .require(&mut self.decoder, "id")
            .and_then(|at| self.label(&at))
            .and_then(|id| GraphId::parse(id).ok());
        let version = self.version(&mut map);
        let designer = self.text_in(&mut map, "designer");
        let description = self.text_in(&mut map, "description");
        let intent = map
            .get("hdaGraphIntent")
            .filter(|at| !at.is_null())
            .map(|at| self.graph_intent(&at))
            .unwrap_or_default();
        let drafts = self.drafts(&mut map);
        let (services, links) = self.resolve(drafts, &intent);
        let extensions = map.finish(&mut self.decoder);
        if self.decoder.has_errors() {
            return None;
        }
        let mut graph = match ApplicationGraph::new(id?, services, links) {
            Ok(graph) => graph,
            Err(error) => {
                self.decoder
                    .report(at, codes::NOT_A_DESCRIPTOR, error.to_string());
                return None;
            }
        };
        graph = graph.with_intent(intent).with_extensions(extensions);
        if let Some(im_version) = im_version {
            graph = graph.with_im_version(im_version);
        }
        if let Some(version) = version {
            graph = graph.with_version(version);
        }
        if let Some(designer) = designer {
            graph = graph.with_designer(designer);
        }
        if let Some(description) = description {
            graph = graph.with_description(description);
        }
        Some(graph)
    }

    fn im_version(&mut self, map: &mut MapReader<'a>) -> Option<&'static str> {
        let Some(at) = map.get("imVersion").filter(|at| !at.is_null()) else {
            let at = map.cursor().clone();
            self.decoder
                .note(
                    &at,
                    codes::NO_IM_VERSION,
                    "the version of the information model is not given; read as 0.4.0",
                )
                .hint = Some("add `imVersion: 0.4.0`".to_owned());
            return None;
        };
        let text = self.decoder.text(&at)?;
        let known = IM_VERSIONS.into_iter().find(|known| *known == text);
        match known {
            None => {
                let message = format!("unknown version {} of the information model", quoted(text));
                self.decoder.report(&at, codes::UNKNOWN_IM_VERSION, message).hint =
                    Some(format!("one of {}", IM_VERSIONS.join(", ")));
            }
            Some("0.3.0") => {
                let message = "information model 0.3.0 is read; it says less than 0.4.0";
                self.decoder.note(&at, codes::OLD_IM_VERSION, message).hint =
                    Some("write the intents in the form of 0.4.0".to_owned());
            }
            Some(_) => {}
        }
        known
    }

    fn version(&mut self, map: &mut MapReader<'a>) -> Option<semver::Version> {
        let at = map.get("version").filter(|at| !at.is_null())?;
        let text = self.decoder.text(&at)?;
        let version = semver::Version::parse(text).ok();
        if version.is_none() {
            let message = format!("{} is no semantic version", quoted(text));
            let bare = text.trim().trim_start_matches(['v', 'V']);
            let near = [bare.to_owned(), format!("{bare}.0"), format!("{bare}.0.0")]
                .into_iter()
                .find(|near| semver::Version::parse(near).is_ok());
            self.decoder.report(&at, codes::BAD_VERSION, message).hint = Some(match near {
                Some(near) => format!("try \"{near}\""),
                None => "write it as \"1.0.0\"".to_owned(),
            });
        }
        version
    }

    fn drafts(&mut self, map: &mut MapReader<'a>) -> Vec<Draft<'a>> {
        let Some(at) = map.require(&mut self.decoder, "services") else {
            return Vec::new();
        };
        let items = match &at.node.value {
            Value::List(_) => self.decoder.list(&at),
            _ => {
                self.decoder.list(&at);
                return Vec::new();
            }
        };
        if items.is_empty() {
            self.decoder
                .report(&at, codes::NO_SERVICES, "the graph has no service")
                .hint = Some("list at least one".to_owned());
        }
        if items.len() > MAX_SERVICES {
            let message = format!("{} services; {MAX_SERVICES} are accepted", items.len());
            self.decoder.report(&at, codes::TOO_MANY_SERVICES, message);
            return Vec::new();
        }
        items.iter().filter_map(|item| self.service(item)).collect()
    }

    /// Resolves every reference, and gives the services and links that are sound.
    fn resolve(&mut self, drafts: Vec<Draft<'a>>, intent: &GraphIntent) -> (Vec<Service>, Vec<Link>) {
        let ids = self.ids(&drafts);
        let metrics: BTreeMap<String, BTreeSet<String>> = drafts
            .iter()
            .filter_map(|draft| {
                let ids = draft.metrics.iter().map(|metric| metric.id.clone()).collect();
                Some((draft.id.as_ref()?.to_string(), ids))
            })
            .collect();
        let (mut services, mut links, mut waits) = (Vec::new(), Vec::new(), Vec::new());
        for mut draft in drafts {
            let mut own_links = self.links(&mut draft, &ids, intent);
            links.append(&mut own_links);
            let trigger = match draft.trigger {
                DraftTrigger::Auto(references) => Trigger::Auto {
                    dependencies: self.dependencies(draft.id.as_ref(), references, &ids, &mut waits),
                },
                DraftTrigger::Event {
                    condition,
                    events,
                    sources,
                } => {
                    self.note_unknown_sources(&sources, &metrics);
                    Trigger::Event { condition, events }
                }
            };
            if let (Some(id), Some(artifact)) = (draft.id, draft.artifact) {
                services.push(Service {
                    id,
                    trigger,
                    compute: draft.compute,
                    device_proximity: draft.device_proximity,
                    co_location: draft.co_location,
                    metrics: draft.metrics,
                    artifact,
                    extensions: draft.extensions,
                });
            }
        }
        self.check_cycle(&waits);
        (services, links)
    }

    fn ids(&mut self, drafts: &[Draft<'a>]) -> Ids<'a> {
        let mut ids = IndexMap::new();
        for draft in drafts {
            let Some(text) = draft.id_text else { continue };
            if ids.insert(text, draft.id.clone()).is_some() {
                let message = format!("a second service with the id {}", quoted(text));
                self.decoder
                    .report(&draft.id_at, codes::DUPLICATE_SERVICE, message);
            }
        }
        // The valid form of a faulty id is likely meant where it is used; the fault is told once, where the id stands.
        let meant = ids
            .iter()
            .filter(|(_, id)| id.is_none())
            .filter_map(|(text, _)| nearest_dns_label(text))
            .collect();
        Ids { ids, meant }
    }

    /// What `reference` refers to; nothing when it dangles, which is reported.
    fn find(&mut self, reference: &Reference<'a>, ids: &Ids<'a>) -> Option<ServiceId> {
        match ids.find(reference.id) {
            Target::Service(id) => return Some(id),
            Target::Faulty => return None,
            Target::None => {}
        }
        let hint = self.decoder.suggest(reference.id, ids.ids.keys().copied());
        let message = format!("no service has the id {}", quoted(reference.id));
        match self.options.dangling {
            Dangling::Refuse => {
                self.decoder
                    .report(&reference.at, codes::DANGLING_REFERENCE, message)
                    .hint = hint;
            }
            Dangling::Drop => {
                let message = format!("{message}; the reference is dropped");
                self.decoder
                    .note(&reference.at, codes::DROPPED_REFERENCE, message)
                    .hint = hint;
            }
        }
        None
    }

    /// The links of one service, with the latency class of each.
    fn links(&mut self, draft: &mut Draft<'a>, ids: &Ids<'a>, intent: &GraphIntent) -> Vec<Link> {
        let mut links: IndexMap<ServiceId, LatencyClass> = IndexMap::new();
        for point in &draft.connection_points {
            if draft.id_text == Some(point.id) {
                let message = format!("{} links to itself", quoted(point.id));
                self.decoder.report(&point.at, codes::SELF_LINK, message).hint = Some("remove it".to_owned());
                continue;
            }
            let Some(to) = self.find(point, ids) else { continue };
            if links.insert(to, LatencyClass::BestEffort).is_some() {
                let message = format!("{} is listed twice", quoted(point.id));
                self.decoder
                    .note(&point.at, codes::REPEATED_CONNECTION_POINT, message);
            }
        }
        let points: BTreeSet<&str> = draft.connection_points.iter().map(|point| point.id).collect();
        let mut said: BTreeMap<&str, LatencyClass> = BTreeMap::new();
        for latency in &draft.latencies {
            let id = latency.to.id;
            if !points.contains(id) {
                draft.extensions.remove(&latency_path(id));
                if self.find(&latency.to, ids).is_some() {
                    let message = format!("a latency for {}, which is no connection point", quoted(id));
                    self.decoder
                        .note(&latency.to.at, codes::LATENCY_WITHOUT_LINK, message)
                        .hint = Some("add it to `connectionPoints`, or remove the latency".to_owned());
                }
                continue;
            }
            let at = latency.class_at.as_ref().unwrap_or(&latency.to.at);
            let before = *said.entry(id).or_insert(latency.class);
            if before != latency.class {
                let message = format!("{} for {}, which is {before} above", latency.class, quoted(id));
                self.decoder.report(at, codes::CONFLICTING_LATENCY, message).hint =
                    Some("keep one of them".to_owned());
            }
            if intent.high_performance
                && latency.class_at.is_some()
                && latency.class != LatencyClass::UltraLow
            {
                let message = format!("`highPerformance` makes the link to {} ultralow", quoted(id));
                self.decoder.note(at, codes::OVERRIDDEN_LATENCY, message);
            }
            match links.get_mut(id) {
                Some(class) => *class = latency.class,
                None => {
                    draft.extensions.remove(&latency_path(id));
                }
            }
        }
        let Some(from) = draft.id.clone() else {
            return Vec::new();
        };
        let link = |(to, latency)| Link {
            from: from.clone(),
            to,
            latency,
        };
        links.into_iter().map(link).collect()
    }

    fn dependencies(
        &mut self,
        service: Option<&ServiceId>,
        references: Vec<Reference<'a>>,
        ids: &Ids<'a>,
        waits: &mut Vec<(ServiceId, ServiceId, Cursor<'a>)>,
    ) -> Vec<ServiceId> {
        let mut dependencies = IndexSet::new();
        for reference in references {
            let Some(on) = self.find(&reference, ids) else {
                continue;
            };
            if let Some(service) = service {
                waits.push((service.clone(), on.clone(), reference.at));
            }
            dependencies.insert(on);
        }
        dependencies.into_iter().collect()
    }

    fn note_unknown_sources(
        &mut self,
        sources: &[(Cursor<'a>, EventSource)],
        metrics: &BTreeMap<String, BTreeSet<String>>,
    ) {
        for (at, source) in sources {
            let id = quoted(&source.service_id);
            let message = match (metrics.get(&source.service_id), &source.metric_id) {
                (None, _) => format!("no service has the id {id}; the query decides alone"),
                (Some(of_service), Some(metric)) if !of_service.contains(metric) => {
                    format!("the service {id} lists no metric {}", quoted(metric))
                }
                _ => continue,
            };
            let hint = self
                .decoder
                .suggest(&source.service_id, metrics.keys().map(String::as_str))
                .filter(|_| !metrics.contains_key(&source.service_id));
            self.decoder.note(at, codes::UNKNOWN_EVENT_SOURCE, message).hint = hint;
        }
    }

    fn check_cycle(&mut self, waits: &[(ServiceId, ServiceId, Cursor<'a>)]) {
        let Some(cycle) = start_cycle(waits.iter().map(|(service, on, _)| (service, on))) else {
            return;
        };
        let first = cycle.first().zip(cycle.get(1));
        let at = waits
            .iter()
            .find(|(service, on, _)| first == Some((service, on)))
            .map(|(_, _, at)| at);
        let Some(at) = at else { return };
        let shown: Vec<&str> = cycle.iter().take(12).map(ServiceId::as_str).collect();
        let rest = if cycle.len() > shown.len() { " -> ..." } else { "" };
        let message = format!("the start order has a cycle: {}{rest}", shown.join(" -> "));
        self.decoder.report(at, codes::START_CYCLE, message).hint =
            Some("remove one of these dependencies".to_owned());
    }
}
