//! Reading the amounts of a fleet file: resources, prices, carbon.

use std::collections::BTreeSet;

use super::codes;
use super::reader::Reader;
use super::reader_cluster::is_label_key;
use super::{CarbonProfile, Egress, Headroom, Intensity, Price};
use crate::decode::Cursor;
use crate::diagnostic::quoted;
use crate::resources::{ResourceName, Resources};
use crate::units::{Money, QuantityError};
use crate::yaml::Value;

/// A short name for `nvidia.com/gpu`.
const GPUS: &str = "gpus";

impl<'a> Reader<'a> {
    /// Names and values of a map of resources, under their Kubernetes names.
    pub(crate) fn resources(&mut self, at: &Cursor<'a>) -> Vec<(ResourceName, Cursor<'a>)> {
        let entries = self
            .decoder
            .map(at)
            .map(|map| map.entries(&mut self.decoder))
            .unwrap_or_default();
        let mut resources = Vec::new();
        let mut seen = BTreeSet::new();
        for (key, at) in entries {
            let Some(name) = self.resource_name(&at, key) else {
                continue;
            };
            if !seen.insert(name.clone()) {
                let message = format!("`{GPUS}` and `{name}` are the same");
                self.fault(&at, codes::REPEATED_RESOURCE, message, "keep one of them");
                continue;
            }
            resources.push((name, at));
        }
        resources
    }

    pub(crate) fn resource_name(&mut self, at: &Cursor<'a>, key: &str) -> Option<ResourceName> {
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

    pub(crate) fn amounts(&mut self, at: &Cursor<'a>) -> Vec<(ResourceName, u64, Cursor<'a>)> {
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

    pub(crate) fn allocatable(&mut self, at: &Cursor<'a>) -> Resources {
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

    pub(crate) fn allocated(&mut self, at: &Cursor<'a>, allocatable: &Resources) -> Resources {
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

    pub(crate) fn price(&mut self, at: &Cursor<'a>) -> Price {
        let mut price = Price::free();
        for (name, at) in self.resources(at) {
            if let Some(money) = self.money(&at, "write EUR per hour, 0 or more, such as 0.02") {
                price = price.with(name, money);
            }
        }
        price
    }

    fn money(&mut self, at: &Cursor<'a>, hint: &'static str) -> Option<Money> {
        let text = self.decoder.text(at)?;
        let money = Money::parse_decimal(text).filter(|money| *money >= Money::ZERO);
        if money.is_none() {
            let message = format!("{} is no price", quoted(text));
            self.fault(at, codes::BAD_PRICE, message, hint);
        }
        money
    }

    pub(crate) fn egress(&mut self, at: &Cursor<'a>) -> Option<Egress> {
        let mut map = self.decoder.map(at)?;
        let mut egress = Egress::default();
        for (key, price) in [
            ("withinRegion", &mut egress.within_region),
            ("outOfRegion", &mut egress.out_of_region),
        ] {
            let at = map.get(key).filter(|at| !at.is_null());
            let read = at.and_then(|at| self.money(&at, "write EUR per GiB, 0 or more, such as 0.05"));
            *price = read.unwrap_or_default();
        }
        map.finish(&mut self.decoder);
        Some(egress)
    }

    pub(crate) fn carbon(&mut self, at: &Cursor<'a>) -> Option<CarbonProfile> {
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
            intensity: Intensity::new(self.carbon_signal, intensity),
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

    /// `{percent, atLeast}`.
    pub(crate) fn headroom(&mut self, at: &Cursor<'a>) -> Option<Headroom> {
        let mut map = self.decoder.map(at)?;
        let percent = map.get("percent").filter(|at| !at.is_null());
        let at_least = map.get("atLeast").filter(|at| !at.is_null());
        map.finish(&mut self.decoder);
        let mut headroom = percent.and_then(|at| self.percent(&at)).unwrap_or_default();
        if let Some(at) = at_least {
            for (name, amount, _) in self.amounts(&at) {
                headroom = headroom.with_at_least(name, amount);
            }
        }
        Some(headroom)
    }

    fn percent(&mut self, at: &Cursor<'a>) -> Option<Headroom> {
        let text = self.decoder.text(at)?;
        let percent = text.trim().parse().ok();
        let headroom = percent.and_then(|percent| Headroom::percent(percent).ok());
        if headroom.is_none() {
            let message = format!("{} where a whole number of per cent is expected", quoted(text));
            self.fault(
                at,
                codes::BAD_PERCENT,
                message,
                "write 0 to 100, as in `percent: 10`",
            );
        }
        headroom
    }

    pub(crate) fn number(
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
}
