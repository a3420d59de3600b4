//! Reading one cluster of a fleet file: name, readiness, labels, taints.

use std::collections::BTreeMap;

use super::codes;
use super::reader::Reader;
use super::{Cluster, Readiness, Taint, TaintEffect};
use crate::decode::{Cursor, MapReader};
use crate::diagnostic::quoted;
use crate::id::{ClusterName, is_dns_label, nearest_dns_label};
use crate::yaml::Value;

impl<'a> Reader<'a> {
    pub(crate) fn cluster_name(&mut self, at: &Cursor<'a>, text: &str) -> Option<ClusterName> {
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

    pub(crate) fn cluster(&mut self, mut map: MapReader<'a>, name: Option<ClusterName>) -> Option<Cluster> {
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
        let egress = map
            .get("egress")
            .filter(|at| !at.is_null())
            .and_then(|at| self.egress(&at))
            .unwrap_or_default();
        let headroom = map
            .get("headroom")
            .filter(|at| !at.is_null())
            .and_then(|at| self.headroom(&at));
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
            egress,
            headroom,
            ..Cluster::new(name?, allocatable)
        })
    }

    /// `true`, `false`, or `{status, reason, since}` with the status `true`, `false` or `unknown`.
    pub(crate) fn readiness(&mut self, at: &Cursor<'a>) -> Readiness {
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

    pub(crate) fn text_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> Option<String> {
        let at = map.get(key).filter(|at| !at.is_null())?;
        self.decoder.text(&at).map(str::to_owned)
    }

    pub(crate) fn labels(&mut self, at: &Cursor<'a>) -> BTreeMap<String, String> {
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

    pub(crate) fn check_label(&mut self, at: &Cursor<'a>, key: &str, value: &str) {
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

    pub(crate) fn taint(&mut self, at: &Cursor<'a>) -> Option<Taint> {
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
pub(crate) fn is_label_key(text: &str) -> bool {
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
    fn label_keys_follow_kubernetes() {
        for good in ["tier", "nvidia.com/gpu", "a.b-c_d", "topology.kubernetes.io/zone"] {
            assert!(is_label_key(good), "{good}");
        }
        for bad in ["", "-a", "a/", "/a", "a/b/c", "UP.com/a", "a b"] {
            assert!(!is_label_key(bad), "{bad}");
        }
    }
}
