//! What a cluster costs, emits, and keeps away.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};

use crate::resources::{ResourceName, Resources};
use crate::units::{Carbon, Money};

/// What an hour of each resource costs: per core, per GiB of memory or storage, per piece of anything else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(BTreeMap<ResourceName, Money>);

impl Price {
    /// Nothing costs anything.
    #[must_use]
    pub fn free() -> Self {
        Self::default()
    }

    /// The same with an hour of one unit of `name` at `price`.
    #[must_use]
    pub fn with(mut self, name: impl Into<ResourceName>, price: Money) -> Self {
        self.0.insert(name.into(), price);
        self
    }

    /// What an hour of `resources` costs, rounded up to a nano-euro per resource; `None` when it does not fit.
    #[must_use]
    pub fn of(&self, resources: &Resources) -> Option<Money> {
        let mut total: i128 = 0;
        for (name, amount) in resources.iter() {
            let Some(price) = self.0.get(name) else { continue };
            let base_per_unit: i128 = match name.as_str() {
                ResourceName::CPU => 1000,
                ResourceName::MEMORY | ResourceName::STORAGE => 1 << 30,
                _ => 1,
            };
            let nanos = i128::from(price.base()).checked_mul(i128::from(amount))?;
            let round_up = i128::from(nanos % base_per_unit > 0);
            total = total.checked_add(nanos / base_per_unit + round_up)?;
        }
        i64::try_from(total).ok().map(Money::from_base)
    }

    /// Every price at `percent` per cent, rounded up to a nano-euro; `None` when one does not fit.
    #[must_use]
    pub fn scaled(&self, percent: u32) -> Option<Self> {
        let scaled = |(name, price): (&ResourceName, &Money)| {
            let hundredfold = i128::from(price.base()) * i128::from(percent);
            let nanos = hundredfold / 100 + i128::from(hundredfold % 100 > 0);
            Some((name.clone(), Money::from_base(i64::try_from(nanos).ok()?)))
        };
        self.0.iter().map(scaled).collect::<Option<_>>().map(Self)
    }

    /// Names and prices, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceName, Money)> {
        self.0.iter().map(|(name, price)| (name, *price))
    }

    /// True when no price is known.
    #[must_use]
    pub fn is_free(&self) -> bool {
        self.0.is_empty()
    }
}

/// What traffic that leaves a cluster costs, per GiB (2^30 bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Egress {
    /// To another cluster of the same region.
    pub within_region: Money,
    /// To any other cluster; one of unknown region is in no region.
    pub out_of_region: Money,
}

impl Egress {
    /// Nothing costs anything.
    #[must_use]
    pub fn is_free(&self) -> bool {
        *self == Self::default()
    }
}

/// Which emission signal the intensities of an inventory are. The two answer different questions and are never mixed
/// in one inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CarbonSignal {
    /// Emissions of the mix that is produced, per kWh used.
    #[default]
    Average,
    /// Emissions of the plant that answers one more kWh.
    Marginal,
}

/// Emissions per kWh of the mix that is produced, in gCO2e/kWh.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AverageIntensity(pub f64);

/// Emissions per kWh of the plant that answers one more kWh, in gCO2e/kWh.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MarginalIntensity(pub f64);

/// Carbon intensity of electricity: one signal or the other. Nothing turns one into the other, and a placement problem that
/// has both is refused.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Intensity {
    /// Of the mix.
    Average(AverageIntensity),
    /// Of one more kWh.
    Marginal(MarginalIntensity),
}

impl Intensity {
    /// An average intensity, in gCO2e/kWh.
    #[must_use]
    pub const fn average(grams: f64) -> Self {
        Self::Average(AverageIntensity(grams))
    }

    /// A marginal intensity, in gCO2e/kWh.
    #[must_use]
    pub const fn marginal(grams: f64) -> Self {
        Self::Marginal(MarginalIntensity(grams))
    }

    /// One of this signal, in gCO2e/kWh.
    #[must_use]
    pub const fn new(signal: CarbonSignal, grams: f64) -> Self {
        match signal {
            CarbonSignal::Average => Self::average(grams),
            CarbonSignal::Marginal => Self::marginal(grams),
        }
    }

    /// In gCO2e/kWh, whichever it is.
    #[must_use]
    pub const fn grams(self) -> f64 {
        match self {
            Self::Average(AverageIntensity(grams)) | Self::Marginal(MarginalIntensity(grams)) => grams,
        }
    }

    /// Which it is.
    #[must_use]
    pub const fn signal(self) -> CarbonSignal {
        match self {
            Self::Average(_) => CarbonSignal::Average,
            Self::Marginal(_) => CarbonSignal::Marginal,
        }
    }
}

/// The number alone: which signal it is, the inventory says once.
impl Serialize for Intensity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.grams())
    }
}

/// What a cluster emits for work it does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CarbonProfile {
    /// Carbon intensity of its electricity.
    pub intensity: Intensity,
    /// Power usage effectiveness: facility power over machine power, 1 or more
    /// ([ISO/IEC 30134-2](https://www.iso.org/standard/63451.html)).
    pub pue: f64,
    /// Electric power of one busy core, in watt.
    pub watts_per_core: f64,
}

impl CarbonProfile {
    /// Power of one busy core where nobody says otherwise, in watt.
    pub const DEFAULT_WATTS_PER_CORE: f64 = 10.0;

    /// Emissions of one busy core: power x PUE x intensity. `None` when that is no finite amount.
    #[must_use]
    pub fn per_core(&self) -> Option<Carbon> {
        Carbon::from_f64(self.watts_per_core / 1000.0 * self.pue * self.intensity.grams())
    }

    /// Emissions of `millicores` of busy cpu, rounded up to a microgram; `None` when it does not fit.
    #[must_use]
    pub fn of_cpu(&self, millicores: u64) -> Option<Carbon> {
        let micrograms = i128::from(self.per_core()?.base()).checked_mul(i128::from(millicores))?;
        let rounded = micrograms / 1000 + i128::from(micrograms % 1000 > 0);
        i64::try_from(rounded).ok().map(Carbon::from_base)
    }
}

/// What a taint does to work that does not tolerate it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum TaintEffect {
    /// New work stays away.
    NoSchedule,
    /// New work stays away where it can.
    PreferNoSchedule,
    /// New work stays away and old work leaves.
    NoExecute,
}

/// A mark on a cluster that keeps work away
/// ([Kubernetes](https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/)).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Taint {
    /// Its key.
    pub key: String,
    /// Its value, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What it does.
    pub effect: TaintEffect,
}

/// Leave to ignore taints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Toleration {
    /// The key of the taints it is about; every key when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The value they have; every value when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The effect they have; every effect when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<TaintEffect>,
}

impl Toleration {
    /// True when work with this toleration may ignore `taint`.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.key.as_ref().is_none_or(|key| *key == taint.key)
            && self
                .value
                .as_ref()
                .is_none_or(|value| Some(value) == taint.value.as_ref())
            && self.effect.is_none_or(|effect| effect == taint.effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_per_core_gibibyte_and_piece() {
        let euro = |text| Money::parse_decimal(text).unwrap();
        let price = Price::free()
            .with(ResourceName::CPU, euro("0.04"))
            .with(ResourceName::MEMORY, euro("0.005"))
            .with(ResourceName::NVIDIA_GPU, euro("1.2"));
        let resources = Resources::new()
            .with(ResourceName::CPU, 500)
            .with(ResourceName::MEMORY, 2 << 30)
            .with(ResourceName::STORAGE, 1 << 40)
            .with(ResourceName::NVIDIA_GPU, 1);
        assert_eq!(price.of(&resources), Some(euro("1.23")));
        assert_eq!(
            price.of(&Resources::new().with(ResourceName::NVIDIA_GPU, u64::MAX)),
            None
        );
    }

    #[test]
    fn carbon_is_power_times_pue_times_intensity() {
        let profile = CarbonProfile {
            intensity: Intensity::average(300.0),
            pue: 1.5,
            watts_per_core: 10.0,
        };
        assert_eq!(profile.per_core().unwrap().to_string(), "4.5 gCO2e/h");
        assert_eq!(profile.of_cpu(500).unwrap().to_string(), "2.25 gCO2e/h");
    }

    #[test]
    fn a_toleration_without_key_tolerates_everything() {
        let taint = Taint {
            key: "edge".into(),
            value: Some("yes".into()),
            effect: TaintEffect::NoSchedule,
        };
        let any = Toleration {
            key: None,
            value: None,
            effect: None,
        };
        assert!(any.tolerates(&taint));
        assert!(
            !Toleration {
                key: Some("cloud".into()),
                ..any
            }
            .tolerates(&taint)
        );
    }
}
