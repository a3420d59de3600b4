//! Reading one service.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::Reader;
use super::trigger::DraftTrigger;
use super::{MAX_SERVICE_ID, codes};
use crate::decode::{Cursor, MapReader};
use crate::diagnostic::quoted;
use crate::graph::{Amount, Artifact, CoLocation, ComputeIntent, Extensions, LatencyClass, Metric};
use crate::id::ServiceId;
use crate::resources::ResourceName;
use crate::yaml::Value;

/// A reference to a service by id, not resolved yet.
pub(super) struct Reference<'a> {
    pub(super) at: Cursor<'a>,
    pub(super) id: &'a str,
}

/// A latency class for one connection point.
pub(super) struct DraftLatency<'a> {
    pub(super) to: Reference<'a>,
    pub(super) class: LatencyClass,
    /// Where the class stands, when it is said.
    pub(super) class_at: Option<Cursor<'a>>,
}

/// A service whose references are not resolved yet.
pub(super) struct Draft<'a> {
    /// Where its id stands.
    pub(super) id_at: Cursor<'a>,
    /// Its id as written, when it is a text.
    pub(super) id_text: Option<&'a str>,
    /// Its id, when it is valid.
    pub(super) id: Option<ServiceId>,
    pub(super) artifact: Option<Artifact>,
    pub(super) trigger: DraftTrigger<'a>,
    pub(super) compute: ComputeIntent,
    pub(super) device_proximity: bool,
    pub(super) co_location: Vec<CoLocation>,
    pub(super) metrics: Vec<Metric>,
    pub(super) connection_points: Vec<Reference<'a>>,
    pub(super) latencies: Vec<DraftLatency<'a>>,
    pub(super) extensions: BTreeMap<String, Extensions>,
}

const INTENT: &str = "deployment.intent";

impl<'a> Reader<'a, '_> {
    /// The service at `at`, as far as it can be read.
    pub(super) fn service(&mut self, at: &Cursor<'a>) -> Option<Draft<'a>> {
        let mut map = self.decoder.map(at)?;
        let mut draft = Draft {
            id_at: at.clone(),
            id_text: None,
            id: None,
            artifact: None,
            trigger: DraftTrigger::Auto(Vec::new()),
            compute: ComputeIntent::default(),
            device_proximity: false,
            co_location: Vec::new(),
            metrics: Vec::new(),
            connection_points: Vec::new(),
            latencies: Vec::new(),
            extensions: BTreeMap::new(),
        };
        if let Some(at) = map.require(&mut self.decoder, "id") {
            draft.id_text = at.node.scalar_text();
            draft.id = self.service_id(&at);
            draft.id_at = at;
        }
        let mut compute_is_said = false;
        if let Some(mut deployment) = map.get("deployment").and_then(|at| self.decoder.map(&at)) {
            if let Some(at) = deployment.get("trigger") {
                draft.trigger = self.trigger(&at, &mut draft.extensions);
            }
            if let Some(at) = deployment.get("intent") {
                compute_is_said = self.service_intent(&at, &mut draft);
            }
            let unknown = deployment.finish(&mut self.decoder);
            draft.extensions.insert("deployment".to_owned(), unknown);
        }
        if let Some(at) = map.require(&mut self.decoder, "artifact") {
            draft.artifact = self.artifact(&at, &mut draft.extensions);
        }
        draft
            .extensions
            .insert(String::new(), map.finish(&mut self.decoder));
        draft.extensions.retain(|_, keys| !keys.is_empty());
        if !compute_is_said {
            self.note_defaults(at, &draft.compute);
        }
        Some(draft)
    }

    fn service_id(&mut self, at: &Cursor<'a>) -> Option<ServiceId> {
        let text = self.label(at)?;
        if text.len() > MAX_SERVICE_ID {
            let message = format!(
                "{} has {} characters; the name of a Helm release has {MAX_SERVICE_ID} at most",
                quoted(text),
                text.len()
            );
            self.decoder.report(at, codes::LONG_SERVICE_ID, message).hint =
                Some("shorten the id, and the name of the chart with it".to_owned());
            return None;
        }
        ServiceId::parse(text).ok()
    }

    /// Reads `deployment.intent`; true when what the service needs to run is said or faulty.
    fn service_intent(&mut self, at: &Cursor<'a>, draft: &mut Draft<'a>) -> bool {
        let Some(mut map) = self.decoder.map(at) else {
            return true;
        };
        let compute = map.get("compute").filter(|at| !at.is_null());
        let resources = map.get("resources").filter(|at| !at.is_null());
        if let Some(at) = &resources {
            self.all_resources(at, &mut draft.compute);
        }
        if let Some(at) = &compute {
            self.compute(at, draft);
        }
        let points = self.texts_in(&mut map, "connectionPoints");
        let mut misplaced = Vec::new();
        if let Some(at) = map.get("network").filter(|at| !at.is_null()) {
            match &at.node.value {
                // Information model 0.3.0 has a text here, mostly an empty one.
                Value::String(text) if text.is_empty() => {}
                Value::String(text) => {
                    let message = format!("{} is a text of 0.3.0 and decides nothing", quoted(text));
                    self.decoder.note(&at, codes::OLD_IM_VERSION, message);
                }
                _ => misplaced = self.network(&at, draft),
            }
        }
        let reference = |(at, id)| Reference { at, id };
        draft.connection_points = points.into_iter().map(reference).collect();
        // Points in both places are meant once; only those of one list may be a slip.
        let known: BTreeSet<&str> = draft.connection_points.iter().map(|point| point.id).collect();
        let new = misplaced.into_iter().filter(|(_, id)| !known.contains(id));
        draft.connection_points.extend(new.map(reference));
        self.co_locations(&mut map, draft);
        self.metrics(&mut map, draft);
        let unknown = map.finish(&mut self.decoder);
        draft.extensions.insert(INTENT.to_owned(), unknown);
        compute.is_some() || resources.is_some()
    }

    /// The one class of information model 0.3.0.
    fn all_resources(&mut self, at: &Cursor<'a>, compute: &mut ComputeIntent) {
        let Some(text) = self.decoder.text(at) else { return };
        if text.is_empty() {
            return;
        }
        if self.options.catalog.amount(ResourceName::CPU, text).is_none() {
            let options = self.options;
            let known = options.catalog.classes(ResourceName::CPU).join(", ");
            let message = format!("unknown class {}", quoted(text));
            self.decoder.report(at, codes::UNKNOWN_CLASS, message).hint =
                Some(format!("one of {known}; amounts go to `compute`"));
            return;
        }
        compute.cpu = Some(Amount::class(text));
        compute.memory = self.amount(at, ResourceName::MEMORY);
        // Storage has no class `light`; the default class counts for it.
        if self.options.catalog.amount(ResourceName::STORAGE, text).is_some() {
            compute.storage = Some(Amount::class(text));
        }
    }

    /// Reads `network` and gives the connection points that stand there by mistake.
    fn network(&mut self, at: &Cursor<'a>, draft: &mut Draft<'a>) -> Vec<(Cursor<'a>, &'a str)> {
        let Some(mut map) = self.decoder.map(at) else {
            return Vec::new();
        };
        let path = format!("{INTENT}.network");
        let (near, unknown) = self.switch_in(&mut map, "deviceProximity");
        draft.device_proximity = near;
        draft
            .extensions
            .insert(format!("{path}.deviceProximity"), unknown);
        let items = map
            .get("latencies")
            .map(|at| self.decoder.list(&at))
            .unwrap_or_default();
        for item in items {
            self.latency(&item, draft);
        }
        let points_at = map.get("connectionPoints");
        let points = self.texts_in(&mut map, "connectionPoints");
        if let Some(at) = points_at.filter(|_| !points.is_empty()) {
            let message = "connection points stand one level above, in `intent`; these are read all the same";
            self.decoder
                .note(&at, codes::MISPLACED_CONNECTION_POINTS, message);
        }
        draft.extensions.insert(path, map.finish(&mut self.decoder));
        points
    }

    fn latency(&mut self, at: &Cursor<'a>, draft: &mut Draft<'a>) {
        let Some(mut map) = self.decoder.map(at) else {
            return;
        };
        let point = map.get("connectionPoint");
        let qos = map.get("qos").filter(|at| !at.is_null());
        let unknown = map.finish(&mut self.decoder);
        let class = match &qos {
            None => LatencyClass::BestEffort,
            Some(at) => match self.qos(at) {
                Some(class) => class,
                None => return,
            },
        };
        let id = match &point {
            Some(at) if !at.is_null() => match self.decoder.text(at) {
                Some(id) => id,
                None => return,
            },
            _ => "",
        };
        if id.is_empty() {
            self.decoder
                .note(
                    point.as_ref().unwrap_or(at),
                    codes::UNUSED_PLACEHOLDER,
                    "a latency for no connection point",
                )
                .hint = Some("name the service it is about, or remove it".to_owned());
            return;
        }
        draft.extensions.insert(latency_path(id), unknown);
        draft.latencies.push(DraftLatency {
            to: Reference {
                at: point.unwrap_or_else(|| at.clone()),
                id,
            },
            class,
            class_at: qos,
        });
    }

    fn qos(&mut self, at: &Cursor<'a>) -> Option<LatencyClass> {
        let text = self.decoder.text(at)?;
        let class = LatencyClass::parse(text);
        if class.is_none() {
            let names = LatencyClass::ALL.map(LatencyClass::as_str);
            let meant = self.decoder.suggest(text, names.into_iter());
            let allowed = format!("one of {}", names.join(", "));
            let message = format!("unknown latency class {}", quoted(text));
            self.decoder.report(at, codes::UNKNOWN_QOS, message).hint =
                Some(meant.map_or(allowed.clone(), |meant| format!("{meant} {allowed}")));
        }
        class
    }

    fn co_locations(&mut self, map: &mut MapReader<'a>, draft: &mut Draft<'a>) {
        let items = map
            .get("coLocation")
            .map(|at| self.decoder.list(&at))
            .unwrap_or_default();
        for (index, item) in items.into_iter().enumerate() {
            if item.node.scalar_text().is_some() {
                draft.co_location.extend(self.name(&item).map(|id| CoLocation {
                    id,
                    grounded_graph_id: None,
                }));
                continue;
            }
            let Some(mut map) = self.decoder.map(&item) else {
                continue;
            };
            let id = self.name_in(&mut map, "id");
            let grounded_graph_id = self.text_in(&mut map, "groundedGraphId");
            let unknown = map.finish(&mut self.decoder);
            draft
                .extensions
                .insert(format!("{INTENT}.coLocation[{index}]"), unknown);
            draft.co_location.extend(id.map(|id| CoLocation {
                id,
                grounded_graph_id,
            }));
        }
    }

    fn metrics(&mut self, map: &mut MapReader<'a>, draft: &mut Draft<'a>) {
        let items = map
            .get("metrics")
            .map(|at| self.decoder.list(&at))
            .unwrap_or_default();
        let mut ids = BTreeSet::new();
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{INTENT}.metrics[{index}]");
            if let Some(metric) = self.metric(&item, &path, &mut draft.extensions) {
                self.unique(&item, &metric.id, "metric", &mut ids);
                draft.metrics.push(metric);
            }
        }
    }

    fn metric(
        &mut self,
        at: &Cursor<'a>,
        path: &str,
        extensions: &mut BTreeMap<String, Extensions>,
    ) -> Option<Metric> {
        let mut map = self.decoder.map(at)?;
        let id = self.name_in(&mut map, "id");
        let metric_name = self.text_in(&mut map, "metricName");
        let labels = map.get("selector").and_then(|at| self.decoder.map(&at));
        let labels = labels
            .map(|map| map.entries(&mut self.decoder))
            .unwrap_or_default();
        let label =
            |(key, at): (&str, Cursor<'a>)| Some((key.to_owned(), self.decoder.text(&at)?.to_owned()));
        let selector = labels.into_iter().filter_map(label).collect();
        let (mut port, mut interval) = (None, None);
        if let Some(mut endpoint) = map.get("endpoint").and_then(|at| self.decoder.map(&at)) {
            port = self.text_in(&mut endpoint, "port");
            interval = self.duration_in(&mut endpoint, "interval");
            extensions.insert(format!("{path}.endpoint"), endpoint.finish(&mut self.decoder));
        }
        extensions.insert(path.to_owned(), map.finish(&mut self.decoder));
        Some(Metric {
            id: id?,
            metric_name,
            selector,
            port,
            interval,
        })
    }
}

/// The path of the unknown keys of a latency: by the service it is about, since latencies have no order of their own.
pub(super) fn latency_path(id: &str) -> String {
    format!("{INTENT}.network.latencies[{id}]")
}
