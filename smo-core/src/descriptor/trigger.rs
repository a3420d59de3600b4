//! Reading when a service starts.

use std::collections::{BTreeMap, BTreeSet};

use super::codes;
use super::reader::Reader;
use super::service::Reference;
use crate::decode::Cursor;
use crate::diagnostic::quoted;
use crate::graph::{EventCondition, EventSource, Extensions, PrometheusDuration, TriggerEvent};
use crate::yaml::Value;

/// A trigger whose dependencies are not resolved yet.
pub(super) enum DraftTrigger<'a> {
    Auto(Vec<Reference<'a>>),
    Event {
        condition: EventCondition,
        events: Vec<TriggerEvent>,
        /// Where each event names its sources.
        sources: Vec<(Cursor<'a>, EventSource)>,
    },
}

const PATH: &str = "deployment.trigger";

impl<'a> Reader<'a, '_> {
    /// The trigger at `at`, in any of its forms: `auto`, `event`, `type: standard`, `type: event` with `event`.
    pub(super) fn trigger(
        &mut self,
        at: &Cursor<'a>,
        extensions: &mut BTreeMap<String, Extensions>,
    ) -> DraftTrigger<'a> {
        let at_once = DraftTrigger::Auto(Vec::new());
        let Some(mut map) = self.decoder.map(at) else {
            return at_once;
        };
        let kind = map.get("type").filter(|at| !at.is_null());
        let kind_text = kind.as_ref().and_then(|at| self.decoder.text(at));
        let auto = map.get("auto");
        let event = map.get("event");
        let unknown = map.finish(&mut self.decoder);
        let only_unknown = !unknown.is_empty() && kind.is_none() && auto.is_none() && event.is_none();
        extensions.insert(PATH.to_owned(), unknown);
        let known = "one of auto, event, `type: standard`, or `type: event` with an event";
        if only_unknown {
            self.decoder
                .report(
                    at,
                    codes::UNKNOWN_TRIGGER,
                    "a trigger of a form that is not known",
                )
                .hint = Some(known.to_owned());
            return at_once;
        }
        let waits = match kind_text {
            None => event.is_some(),
            Some("event") => true,
            Some("standard" | "auto") => false,
            Some(other) => {
                let message = format!("unknown type of trigger {}", quoted(other));
                self.decoder
                    .report(kind.as_ref().unwrap_or(at), codes::UNKNOWN_TRIGGER, message)
                    .hint = Some(known.to_owned());
                event.is_some()
            }
        };
        let contradicts =
            (auto.is_some() && event.is_some()) || (waits && auto.is_some()) || (!waits && event.is_some());
        if contradicts {
            let message = "the trigger is automatic and waits for an event at once";
            self.decoder.report(at, codes::AMBIGUOUS_TRIGGER, message).hint =
                Some("keep one of them".to_owned());
        }
        match (event, auto) {
            (Some(event), _) => self.event(&event, extensions),
            (None, _) if waits => {
                self.no_events(at);
                at_once
            }
            (None, Some(auto)) => self.auto(&auto, extensions),
            (None, None) => at_once,
        }
    }

    fn auto(&mut self, at: &Cursor<'a>, extensions: &mut BTreeMap<String, Extensions>) -> DraftTrigger<'a> {
        let Some(mut map) = self.decoder.map(at) else {
            return DraftTrigger::Auto(Vec::new());
        };
        let dependencies = self.texts_in(&mut map, "dependencies");
        extensions.insert(format!("{PATH}.auto"), map.finish(&mut self.decoder));
        let reference = |(at, id)| Reference { at, id };
        DraftTrigger::Auto(dependencies.into_iter().map(reference).collect())
    }

    fn no_events(&mut self, at: &Cursor<'a>) {
        self.decoder
            .report(
                at,
                codes::NO_EVENTS,
                "a trigger that waits for an event lists no events",
            )
            .hint = Some("list at least one under `event.events`, or use `auto`".to_owned());
    }

    fn event(&mut self, at: &Cursor<'a>, extensions: &mut BTreeMap<String, Extensions>) -> DraftTrigger<'a> {
        let (mut condition, mut events, mut sources) = (EventCondition::Any, Vec::new(), Vec::new());
        if let Some(mut map) = self.decoder.map(at) {
            if let Some(at) = map.get("condition").filter(|at| !at.is_null())
                && let Some(text) = self.decoder.text(&at)
            {
                match EventCondition::parse(text) {
                    Some(known) => condition = known,
                    None => {
                        let message = format!("unknown condition {}", quoted(text));
                        self.decoder.report(&at, codes::UNKNOWN_CONDITION, message).hint =
                            Some("one of ANY, OR, ALL, AND".to_owned());
                    }
                }
            }
            let items = map
                .get("events")
                .map(|at| self.decoder.list(&at))
                .unwrap_or_default();
            if items.is_empty() {
                self.no_events(at);
            }
            let mut ids = BTreeSet::new();
            for (index, item) in items.into_iter().enumerate() {
                let path = format!("{PATH}.event.events[{index}]");
                let event = self.event_item(&item, &path, &mut sources, extensions);
                if let Some(event) = event {
                    self.unique(&item, &event.id, "event", &mut ids);
                    events.push(event);
                }
            }
            extensions.insert(format!("{PATH}.event"), map.finish(&mut self.decoder));
        }
        DraftTrigger::Event {
            condition,
            events,
            sources,
        }
    }

    /// A violation when `id` was seen before.
    pub(super) fn unique(&mut self, at: &Cursor<'a>, id: &str, what: &str, seen: &mut BTreeSet<String>) {
        if !seen.insert(id.to_owned()) {
            let message = format!("a second {what} with the id {}", quoted(id));
            self.decoder.report(at, codes::DUPLICATE_ID, message);
        }
    }

    fn event_item(
        &mut self,
        at: &Cursor<'a>,
        path: &str,
        places: &mut Vec<(Cursor<'a>, EventSource)>,
        extensions: &mut BTreeMap<String, Extensions>,
    ) -> Option<TriggerEvent> {
        let mut map = self.decoder.map(at)?;
        let id = self.name_in(&mut map, "id");
        let sources = map
            .get("source")
            .map(|at| self.sources(&at, path, places, extensions))
            .unwrap_or_default();
        let (mut prom_query, mut grace_period, mut description) = (None, None, None);
        if let Some(mut rule) = map
            .require(&mut self.decoder, "condition")
            .and_then(|at| self.decoder.map(&at))
        {
            if let Some(at) = rule.require(&mut self.decoder, "promQuery")
                && let Some(text) = self.decoder.text(&at)
            {
                if text.trim().is_empty() {
                    self.decoder
                        .report(&at, codes::EMPTY_QUERY, "an empty PromQL query never fires");
                }
                prom_query = Some(text.to_owned());
            }
            grace_period = self.duration_in(&mut rule, "gracePeriod");
            description = self.text_in(&mut rule, "description");
            extensions.insert(format!("{path}.condition"), rule.finish(&mut self.decoder));
        }
        extensions.insert(path.to_owned(), map.finish(&mut self.decoder));
        Some(TriggerEvent {
            id: id?,
            sources,
            prom_query: prom_query?,
            grace_period: match grace_period {
                Some(grace_period) => grace_period,
                None => no_grace()?,
            },
            description,
        })
    }

    /// A list of `{serviceId, metricId}`, or the name of a source.
    fn sources(
        &mut self,
        at: &Cursor<'a>,
        path: &str,
        places: &mut Vec<(Cursor<'a>, EventSource)>,
        extensions: &mut BTreeMap<String, Extensions>,
    ) -> Vec<EventSource> {
        if let Value::String(text) = &at.node.value {
            let named = EventSource {
                service_id: text.clone(),
                metric_id: None,
            };
            return if text.is_empty() { Vec::new() } else { vec![named] };
        }
        let mut sources = Vec::new();
        for (index, item) in self.decoder.list(at).into_iter().enumerate() {
            let Some(mut map) = self.decoder.map(&item) else {
                continue;
            };
            let service = map.require(&mut self.decoder, "serviceId");
            let metric_id = self.text_in(&mut map, "metricId");
            extensions.insert(format!("{path}.source[{index}]"), map.finish(&mut self.decoder));
            let Some(at) = service else { continue };
            let Some(service_id) = self.name(&at) else {
                continue;
            };
            let source = EventSource {
                service_id,
                metric_id,
            };
            places.push((at, source.clone()));
            sources.push(source);
        }
        sources
    }
}

/// Prometheus fires at once where a rule does not say for how long.
fn no_grace() -> Option<PrometheusDuration> {
    "0s".parse().ok()
}
