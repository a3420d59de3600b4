//! What the parts of a descriptor have in common when they are read.

use super::{ValidateOptions, codes};
use crate::decode::{Cursor, Decoder, MapReader, boolean_text};
use crate::diagnostic::quoted;
use crate::graph::{Amount, Extensions, PrometheusDuration};
use crate::id::{is_dns_label, nearest_dns_label};
use crate::resources::ResourceName;
use crate::units::QuantityError;
use crate::yaml::Value;

/// Reads one descriptor: a decoder with the words of the format.
pub(super) struct Reader<'a, 'o> {
    pub(super) decoder: Decoder<'a>,
    pub(super) options: &'o ValidateOptions,
}

impl<'a> Reader<'a, '_> {
    /// A boolean; a note when it is written as a text.
    pub(super) fn boolean(&mut self, at: &Cursor<'a>) -> bool {
        let value = self.decoder.boolean(at).unwrap_or(false);
        if let Value::String(text) = &at.node.value
            && boolean_text(text).is_some()
        {
            let message = format!("the boolean {value} is written as the text {}", quoted(text));
            self.decoder.note(at, codes::BOOLEAN_AS_TEXT, message).hint = Some(format!("write {value}"));
        }
        value
    }

    /// The boolean below `key`; false when there is none.
    pub(super) fn boolean_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> bool {
        match map.get(key).filter(|at| !at.is_null()) {
            Some(at) => self.boolean(&at),
            None => false,
        }
    }

    /// The switch below `key`, `{enabled: true}` or a bare boolean, with the keys it does not know; off when there is
    /// none.
    pub(super) fn switch_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> (bool, Extensions) {
        let Some(at) = map.get(key).filter(|at| !at.is_null()) else {
            return (false, Extensions::new());
        };
        if !matches!(at.node.value, Value::Map(_)) {
            return (self.boolean(&at), Extensions::new());
        }
        let Some(mut switch) = self.decoder.map(&at) else {
            return (false, Extensions::new());
        };
        let enabled = switch.require(&mut self.decoder, "enabled");
        let on = enabled.is_some_and(|at| self.boolean(&at));
        (on, switch.finish(&mut self.decoder))
    }

    /// The text below `key`; `None` when there is none.
    pub(super) fn text_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> Option<String> {
        let at = map.get(key).filter(|at| !at.is_null())?;
        self.decoder.text(&at).map(str::to_owned)
    }

    /// The name below `key`, a violation when there is none or an empty one.
    pub(super) fn name_in(&mut self, map: &mut MapReader<'a>, key: &'static str) -> Option<String> {
        let at = map.require(&mut self.decoder, key)?;
        self.name(&at)
    }

    /// A name: a text that is not empty.
    pub(super) fn name(&mut self, at: &Cursor<'a>) -> Option<String> {
        let text = self.decoder.text(at)?;
        if text.trim().is_empty() {
            self.decoder
                .report(at, codes::EMPTY_NAME, "an empty text where a name is expected");
            return None;
        }
        Some(text.to_owned())
    }

    /// The duration below `key`.
    pub(super) fn duration_in(
        &mut self,
        map: &mut MapReader<'a>,
        key: &'static str,
    ) -> Option<PrometheusDuration> {
        let at = map.get(key).filter(|at| !at.is_null())?;
        let text = self.decoder.text(&at)?;
        let duration = text.parse().ok();
        if duration.is_none() {
            let message = format!("{} is no Prometheus duration", quoted(text));
            let seconds = text.trim().bytes().all(|byte| byte.is_ascii_digit()) && !text.trim().is_empty();
            self.decoder.report(&at, codes::BAD_DURATION, message).hint = Some(if seconds {
                format!(
                    "a unit is missing; try {}s",
                    quoted(text.trim()).trim_matches('`')
                )
            } else {
                "write it as 30s, 2m or 1h30m".to_owned()
            });
        }
        duration
    }

    /// The texts of the list below `key`, each with its place.
    pub(super) fn texts_in(
        &mut self,
        map: &mut MapReader<'a>,
        key: &'static str,
    ) -> Vec<(Cursor<'a>, &'a str)> {
        let items = map.get(key).map(|at| self.decoder.list(&at)).unwrap_or_default();
        let text = |at: Cursor<'a>| self.decoder.text(&at).map(|text| (at, text));
        items.into_iter().filter_map(text).collect()
    }

    /// A DNS label; a violation says the nearest one.
    pub(super) fn label(&mut self, at: &Cursor<'a>) -> Option<&'a str> {
        let text = self.decoder.text(at)?;
        if is_dns_label(text) {
            return Some(text);
        }
        let message = format!(
            "{} is not a DNS label (lower-case letters, digits and `-`, 63 at most)",
            quoted(text)
        );
        self.decoder.report(at, codes::NOT_A_LABEL, message).hint =
            nearest_dns_label(text).map(|label| format!("try `{label}`"));
        None
    }

    /// The amount of `resource` below `key`: a class of the catalogue or a quantity.
    pub(super) fn amount_in(
        &mut self,
        map: &mut MapReader<'a>,
        key: &'static str,
        resource: &'static str,
    ) -> Option<Amount> {
        let at = map.get(key).filter(|at| !at.is_null())?;
        self.amount(&at, resource)
    }

    /// An amount of `resource`: a class of the catalogue or a quantity.
    pub(super) fn amount(&mut self, at: &Cursor<'a>, resource: &'static str) -> Option<Amount> {
        let text = self.decoder.text(at)?;
        if self.options.catalog.amount(resource, text).is_some() {
            return Some(Amount::class(text));
        }
        let name = ResourceName::new(resource);
        let error = match name.parse_amount(text) {
            Ok(amount) => return Some(Amount::Quantity(amount)),
            Err(error) => error,
        };
        let example = if resource == ResourceName::CPU {
            "500m"
        } else {
            "2Gi"
        };
        let looks_like_a_number = text
            .trim()
            .starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '+' | '-'));
        if looks_like_a_number {
            let message = match error {
                QuantityError::Negative(_) => format!("{} is negative", quoted(text)),
                QuantityError::TooLarge(_) => format!("{} is too large", quoted(text)),
                _ => format!("{} is no Kubernetes quantity", quoted(text)),
            };
            let hint = nearest_quantity(&name, text)
                .map_or_else(|| format!("write it as {example}"), |near| format!("try {near}"));
            self.decoder.report(at, codes::BAD_QUANTITY, message).hint = Some(hint);
            return None;
        }
        let options = self.options;
        let known = options.catalog.classes(resource);
        let meant = self.decoder.suggest(text, known.iter().copied());
        let allowed = match known.as_slice() {
            [] => format!("the catalogue has no class of {resource}; write a quantity such as {example}"),
            known => format!("one of {}, or a quantity such as {example}", known.join(", ")),
        };
        let message = format!("unknown class {}", quoted(text));
        self.decoder.report(at, codes::UNKNOWN_CLASS, message).hint = Some(match meant {
            Some(meant) => format!("{meant} {allowed}"),
            None => allowed,
        });
        None
    }
}

/// `500MiB`, `10 GB` and `1,5` as Kubernetes writes them.
fn nearest_quantity(name: &ResourceName, text: &str) -> Option<String> {
    if text.len() > 40 {
        return None;
    }
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let squeezed = squeezed.replace(',', ".").replace("KB", "k").replace("kb", "k");
    let upper = squeezed.to_uppercase().replace('I', "i");
    let candidates = [
        squeezed.trim_end_matches(['B', 'b']).to_owned(),
        upper.trim_end_matches('B').to_owned(),
    ];
    candidates
        .into_iter()
        .find(|candidate| candidate != text && name.parse_amount(candidate).is_ok())
}
