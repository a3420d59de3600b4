//! Named amounts of resources: what a service demands and what a cluster offers.

use std::borrow::{Borrow, Cow};
use std::collections::BTreeMap;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::units::{Bytes, Cpu, QuantityError};

/// The name of a resource as Kubernetes spells it: `cpu`, `memory`, `storage`, `pods`, `nvidia.com/gpu`.
///
/// The names that have a constant here are not allocated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct ResourceName(Cow<'static, str>);

impl ResourceName {
    /// Cpu, counted in millicores.
    pub const CPU: &'static str = "cpu";
    /// Memory, counted in bytes.
    pub const MEMORY: &'static str = "memory";
    /// Storage, counted in bytes.
    pub const STORAGE: &'static str = "storage";
    /// Pods, counted one by one.
    pub const PODS: &'static str = "pods";
    /// NVIDIA's GPUs, the accelerator that the default catalogue asks for.
    pub const NVIDIA_GPU: &'static str = "nvidia.com/gpu";

    const KNOWN: [&'static str; 5] = [
        Self::CPU,
        Self::MEMORY,
        Self::STORAGE,
        Self::PODS,
        Self::NVIDIA_GPU,
    ];

    /// A resource by name.
    #[must_use]
    pub fn new(name: impl AsRef<str> + Into<String>) -> Self {
        let known = Self::KNOWN.into_iter().find(|known| *known == name.as_ref());
        Self(known.map_or_else(|| Cow::Owned(name.into()), Cow::Borrowed))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for a resource that only exists where a cluster reports it, such as a GPU. A cluster that does not
    /// report an extended resource has none of it; one that does not report storage has an unknown amount.
    #[must_use]
    pub fn is_extended(&self) -> bool {
        self.0.contains('/')
    }

    /// Reads an amount of this resource in its base unit.
    ///
    /// # Errors
    /// When the text is no quantity, negative, or too large.
    pub fn parse_amount(&self, text: &str) -> Result<u64, QuantityError> {
        if self.as_str() == Self::CPU {
            text.parse::<Cpu>().map(Cpu::millicores)
        } else {
            text.parse::<Bytes>().map(Bytes::get)
        }
    }

    /// Prints an amount of this resource as a Kubernetes quantity.
    #[must_use]
    pub fn quantity(&self, amount: u64) -> String {
        match self.as_str() {
            Self::CPU => Cpu::from_millicores(amount).to_string(),
            Self::MEMORY | Self::STORAGE | "ephemeral-storage" => Bytes::new(amount).to_string(),
            _ => amount.to_string(),
        }
    }

    /// Prints an amount as people say it: `0.5 cores`, `2Gi memory`, `1 nvidia.com/gpu`.
    #[must_use]
    pub fn describe(&self, amount: u64) -> String {
        match self.as_str() {
            Self::CPU if amount == 1000 => "1 core".to_owned(),
            Self::CPU => format!("{} cores", Cpu::from_millicores(amount).cores()),
            _ => format!("{} {self}", self.quantity(amount)),
        }
    }
}

impl fmt::Display for ResourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Borrow<str> for ResourceName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ResourceName {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for ResourceName {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

/// Amounts by resource, each in its base unit (millicores, bytes, pieces).
///
/// Serialised as Kubernetes serialises a resource list: a map of quantities.
///
/// ```
/// use smo_core::resources::{ResourceName, Resources};
/// let demand = Resources::new().with(ResourceName::CPU, 500).with(ResourceName::MEMORY, 500 << 20);
/// assert_eq!(demand.to_string(), "0.5 cores, 500Mi memory");
/// assert_eq!(serde_json::to_string(&demand)?, r#"{"cpu":"500m","memory":"500Mi"}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Resources {
    /// By name. There are few, so that a list is less work than a tree.
    amounts: Vec<(ResourceName, u64)>,
}

impl Resources {
    /// No resources.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with `amount` of `name`.
    #[must_use]
    pub fn with(mut self, name: impl Into<ResourceName>, amount: u64) -> Self {
        self.set(name, amount);
        self
    }

    /// Sets the amount of `name`.
    pub fn set(&mut self, name: impl Into<ResourceName>, amount: u64) {
        let name = name.into();
        match self.place(name.as_str()) {
            Ok(place) => {
                if let Some((_, listed)) = self.amounts.get_mut(place) {
                    *listed = amount;
                }
            }
            Err(place) => self.amounts.insert(place, (name, amount)),
        }
    }

    /// Where `name` is in the list, or would be.
    fn place(&self, name: &str) -> Result<usize, usize> {
        self.amounts
            .binary_search_by(|(listed, _)| listed.as_str().cmp(name))
    }

    /// The amount of `name`; `None` when it is not listed.
    #[must_use]
    pub fn listed(&self, name: &str) -> Option<u64> {
        let place = self.place(name).ok()?;
        self.amounts.get(place).map(|(_, amount)| *amount)
    }

    /// The amount of `name`; 0 when it is not listed.
    #[must_use]
    pub fn amount(&self, name: &str) -> u64 {
        self.listed(name).unwrap_or(0)
    }

    /// The cpu amount.
    #[must_use]
    pub fn cpu(&self) -> Cpu {
        Cpu::from_millicores(self.amount(ResourceName::CPU))
    }

    /// The memory amount.
    #[must_use]
    pub fn memory(&self) -> Bytes {
        Bytes::new(self.amount(ResourceName::MEMORY))
    }

    /// The storage amount.
    #[must_use]
    pub fn storage(&self) -> Bytes {
        Bytes::new(self.amount(ResourceName::STORAGE))
    }

    /// Names and amounts, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&ResourceName, u64)> {
        self.amounts.iter().map(|(name, amount)| (name, *amount))
    }

    /// True when nothing is listed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.amounts.is_empty()
    }

    /// The sum, or `None` when an amount does not fit 64 bits.
    #[must_use]
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let mut sum = self.clone();
        for (name, amount) in other.iter() {
            sum.set(name.clone(), sum.amount(name.as_str()).checked_add(amount)?);
        }
        Some(sum)
    }

    /// True when `count` times every amount fits 64 bits.
    #[must_use]
    pub fn fits_times(&self, count: u32) -> bool {
        let fits = |(_, amount): (_, u64)| amount.checked_mul(u64::from(count)).is_some();
        self.iter().all(fits)
    }

    /// `count` times every amount, or `None` when one does not fit 64 bits.
    #[must_use]
    pub fn checked_mul(&self, count: u32) -> Option<Self> {
        let scaled = |(name, amount): (&ResourceName, u64)| {
            amount
                .checked_mul(u64::from(count))
                .map(|amount| (name.clone(), amount))
        };
        let amounts = self.iter().map(scaled).collect::<Option<_>>()?;
        Some(Self { amounts })
    }

    /// What is left of the listed amounts after taking `other` away, never below zero.
    #[must_use]
    pub fn saturating_sub(&self, other: &Self) -> Self {
        let left = |(name, amount): (&ResourceName, u64)| {
            (name.clone(), amount.saturating_sub(other.amount(name.as_str())))
        };
        Self {
            amounts: self.iter().map(left).collect(),
        }
    }
}

impl FromIterator<(ResourceName, u64)> for Resources {
    /// Of two amounts of one resource the later counts.
    fn from_iter<I: IntoIterator<Item = (ResourceName, u64)>>(amounts: I) -> Self {
        amounts
            .into_iter()
            .fold(Self::new(), |all, (name, amount)| all.with(name, amount))
    }
}

impl fmt::Display for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.iter().map(|(name, amount)| name.describe(amount)).collect();
        if parts.is_empty() {
            f.write_str("nothing")
        } else {
            f.write_str(&parts.join(", "))
        }
    }
}

impl Serialize for Resources {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(name, amount)| (name, name.quantity(amount))))
    }
}

impl<'de> Deserialize<'de> for Resources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let quantities = BTreeMap::<ResourceName, String>::deserialize(deserializer)?;
        let amount = |(name, text): (ResourceName, String)| match name.parse_amount(&text) {
            Ok(amount) => Ok((name, amount)),
            Err(error) => Err(D::Error::custom(format!("{name}: {error}"))),
        };
        quantities.into_iter().map(amount).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_products_refuse_to_overflow() {
        let huge = Resources::new().with(ResourceName::CPU, u64::MAX);
        assert_eq!(
            huge.checked_add(&Resources::new().with(ResourceName::CPU, 1)),
            None
        );
        assert_eq!(huge.checked_mul(2), None);
        assert_eq!(huge.checked_mul(1).as_ref(), Some(&huge));
    }

    #[test]
    fn subtraction_keeps_only_what_is_listed() {
        let offer = Resources::new().with(ResourceName::CPU, 1000);
        let taken = Resources::new()
            .with(ResourceName::CPU, 1500)
            .with(ResourceName::MEMORY, 1);
        assert_eq!(
            offer.saturating_sub(&taken),
            Resources::new().with(ResourceName::CPU, 0)
        );
    }

    #[test]
    fn json_round_trip() {
        let json = r#"{"cpu":"1500m","memory":"2Gi","nvidia.com/gpu":"6"}"#;
        let resources: Resources = serde_json::from_str(json).unwrap();
        assert_eq!(resources.cpu(), Cpu::from_millicores(1500));
        assert_eq!(serde_json::to_string(&resources).unwrap(), json);
        assert!(serde_json::from_str::<Resources>(r#"{"cpu":"x"}"#).is_err());
    }
}
