//! Reading a catalogue from text.

use std::str::FromStr;

use super::{Catalog, LatencyLimit};
use crate::decode::{Cursor, Decoder, UnknownKeys};
use crate::diagnostic::{Violations, quoted};
use crate::graph::LatencyClass;
use crate::resources::ResourceName;
use crate::units::{Bytes, Cpu, Latency, QuantityError};
use crate::yaml::{self, Limits};

/// Every kind of violation that reading a catalogue can give, beside those of [`crate::yaml`] and [`crate::decode`].
pub mod codes {
    use crate::diagnostic::{Code, code_table};

    code_table! {
        /// The document has no root key `catalog`.
        NOT_A_CATALOG = "C001";
        /// An amount that is no quantity, is negative, or is too large.
        BAD_QUANTITY = "C002";
        /// A default class that the catalogue does not have.
        UNKNOWN_DEFAULT = "C003";
        /// A latency class that is not known.
        UNKNOWN_LATENCY = "C004";
        /// A round trip that is no positive number of milliseconds.
        BAD_RTT = "C005";
        /// An accelerator that is no extended resource name.
        BAD_ACCELERATOR = "C006";
    }
}

impl Catalog {
    /// Reads a catalogue. It adds to the default one, or stands alone with `replace: true`.
    ///
    /// ```
    /// use smo_core::intent::Catalog;
    /// let catalog = Catalog::parse("
    /// catalog:
    ///   cpu: {tiny: 100m, small: 2}
    ///   storage: {archive: 1T}
    ///   defaults: {cpu: tiny}
    ///   latency: {low: {rttBelow: 25, maxHops: 2}}     # milliseconds
    ///   accelerator: {name: amd.com/gpu, count: 1}
    ///   failureDomain: zone                            # or cluster, region, provider, or a label
    ///   deviceLabel: smo.example.com/devices           # clusters near devices have it
    /// ").unwrap();
    /// assert_eq!(catalog.amount("cpu", "small"), Some(2000));
    /// assert_eq!(catalog.default_class("cpu"), "tiny");
    /// ```
    ///
    /// # Errors
    /// Everything that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, Violations> {
        let source = "catalog";
        let root = yaml::parse(text, Limits::default())
            .map_err(|violation| Violations::new(source, vec![violation]))?;
        let mut decoder = Decoder::new(text, UnknownKeys::Refuse);
        let catalog = read(&mut decoder, &Cursor::root(&root));
        decoder.finish(source).map(|_| catalog)
    }
}

fn read<'a>(decoder: &mut Decoder<'a>, root: &Cursor<'a>) -> Catalog {
    let Some(at) = root.node.get("catalog") else {
        decoder
            .report(
                root,
                codes::NOT_A_CATALOG,
                "the document has no root key `catalog`",
            )
            .hint = Some("begin it with `catalog:`".to_owned());
        return Catalog::empty();
    };
    if let Some(mut document) = decoder.map(root) {
        document.get("catalog");
        document.finish(decoder);
    }
    let at = Cursor {
        node: at,
        path: "catalog".to_owned(),
    };
    let Some(mut map) = decoder.map(&at) else {
        return Catalog::empty();
    };
    let replace = map.get("replace").and_then(|at| decoder.boolean(&at));
    let mut catalog = if replace == Some(true) {
        Catalog::empty()
    } else {
        Catalog::default()
    };
    if let Some(at) = map.get(ResourceName::CPU) {
        for (class, amount) in amounts::<Cpu>(decoder, &at) {
            catalog = catalog.with_cpu_class(class, amount);
        }
    }
    if let Some(at) = map.get(ResourceName::MEMORY) {
        for (class, amount) in amounts::<Bytes>(decoder, &at) {
            catalog = catalog.with_memory_class(class, amount);
        }
    }
    if let Some(at) = map.get(ResourceName::STORAGE) {
        for (class, amount) in amounts::<Bytes>(decoder, &at) {
            catalog = catalog.with_storage_class(class, amount);
        }
    }
    if let Some(mut defaults) = map.get("defaults").and_then(|at| decoder.map(&at)) {
        for resource in Catalog::RESOURCES {
            let Some(at) = defaults.get(resource) else {
                continue;
            };
            let Some(class) = decoder.text(&at) else { continue };
            if catalog.amount(resource, class).is_none() {
                let known = catalog.classes(resource).join(", ");
                let message = format!("no {resource} class is called {}", quoted(class));
                decoder.report(&at, codes::UNKNOWN_DEFAULT, message).hint = Some(format!("one of {known}"));
            }
            catalog = catalog.with_default_class(resource, class);
        }
        defaults.finish(decoder);
    }
    if let Some(map) = map.get("latency").and_then(|at| decoder.map(&at)) {
        for (name, at) in map.entries(decoder) {
            let limit = read_limit(decoder, &at);
            match LatencyClass::parse(name) {
                Some(class) => catalog = catalog.with_latency(class, limit),
                None => {
                    let message = format!("no latency class is called {}", quoted(name));
                    decoder.report(&at, codes::UNKNOWN_LATENCY, message).hint =
                        Some("one of ultralow, low, best-effort".to_owned());
                }
            }
        }
    }
    if let Some(mut accelerator) = map.get("accelerator").and_then(|at| decoder.map(&at)) {
        let name = accelerator.require(decoder, "name");
        let count = accelerator
            .get("count")
            .and_then(|at| decoder.count(&at))
            .unwrap_or(1);
        if let Some(at) = name
            && let Some(name) = decoder.text(&at)
        {
            if !ResourceName::new(name).is_extended() {
                let message = format!("{} is no extended resource name", quoted(name));
                decoder.report(&at, codes::BAD_ACCELERATOR, message).hint =
                    Some("write it as Kubernetes does, such as nvidia.com/gpu".to_owned());
            }
            catalog = catalog.with_accelerator(name, count);
        }
        accelerator.finish(decoder);
    }
    if let Some(key) = map.get("failureDomain").and_then(|at| decoder.text(&at)) {
        let Ok(key) = key.parse();
        catalog = catalog.with_failure_domain(key);
    }
    if let Some(label) = map.get("deviceLabel").and_then(|at| decoder.text(&at)) {
        catalog = catalog.with_device_label(label);
    }
    map.finish(decoder);
    catalog
}

fn amounts<'a, T>(decoder: &mut Decoder<'a>, at: &Cursor<'a>) -> Vec<(&'a str, T)>
where
    T: FromStr<Err = QuantityError>,
{
    let entries = decoder
        .map(at)
        .map(|map| map.entries(decoder))
        .unwrap_or_default();
    let mut amounts = Vec::new();
    for (class, at) in entries {
        match decoder.text(&at).map(str::parse::<T>) {
            Some(Ok(amount)) => amounts.push((class, amount)),
            Some(Err(error)) => {
                decoder.report(&at, codes::BAD_QUANTITY, error.to_string());
            }
            None => {}
        }
    }
    amounts
}

fn read_limit<'a>(decoder: &mut Decoder<'a>, at: &Cursor<'a>) -> LatencyLimit {
    let Some(mut map) = decoder.map(at) else {
        return LatencyLimit::default();
    };
    let rtt_below = map.get("rttBelow").and_then(|at| {
        let text = decoder.text(&at)?;
        let rtt = Latency::parse_decimal(text).filter(|rtt| *rtt > Latency::ZERO);
        if rtt.is_none() {
            let message = format!("{} is no positive number of milliseconds", quoted(text));
            decoder.report(&at, codes::BAD_RTT, message);
        }
        rtt
    });
    let max_hops = map.get("maxHops").and_then(|at| decoder.count(&at));
    map.finish(decoder);
    LatencyLimit { rtt_below, max_hops }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_catalogue_may_stand_alone() {
        let catalog =
            Catalog::parse("catalog: {replace: true, cpu: {one: 1}, defaults: {cpu: one}}").unwrap();
        assert_eq!(catalog.classes("cpu"), ["one"]);
        assert!(catalog.classes("memory").is_empty());
        assert_eq!(catalog.latency(LatencyClass::UltraLow), LatencyLimit::default());
        assert_eq!(Catalog::parse("catalog:").unwrap(), Catalog::default());
    }

    #[test]
    fn every_code_is_given() {
        let text = "catalog:
  cpu: {tiny: -1, wide: many}
  memory: {big: 99E}
  memroy: {}
  defaults: {cpu: tyni, pods: 1}
  latency: {fast: {rttBelow: 1}, low: {rttBelow: -4, maxHops: 1.5}}
  accelerator: {name: gpu, count: x}
";
        let violations = Catalog::parse(text).unwrap_err();
        let root = Catalog::parse("cpu: {}").unwrap_err();
        let codes: BTreeSet<&str> = violations.codes().into_iter().chain(root.codes()).collect();
        for (code, _) in codes::ALL {
            assert!(codes.contains(code.0), "{code}");
        }
        insta::assert_snapshot!(violations);
        insta::assert_snapshot!(root);
    }
}
