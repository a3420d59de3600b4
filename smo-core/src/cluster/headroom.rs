//! What of a cluster no new decision takes.

use serde::Serialize;
use thiserror::Error;

use crate::resources::Resources;

/// How much of a cluster is kept free: a share of all that it offers, and of some resources at least so much.
///
/// ```
/// use smo_core::cluster::Headroom;
/// use smo_core::resources::{ResourceName, Resources};
///
/// let offers = Resources::new().with(ResourceName::CPU, 8000).with("nvidia.com/gpu", 1);
/// let kept = Headroom::percent(10)?.with_at_least(ResourceName::CPU, 1000).of(&offers);
/// // 10 % of 8 cores is less than a core; of one GPU it is none.
/// assert_eq!(kept.cpu().millicores(), 1000);
/// assert_eq!(kept.amount("nvidia.com/gpu"), 0);
/// # Ok::<(), smo_core::cluster::HeadroomTooLarge>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Headroom {
    percent: u32,
    #[serde(skip_serializing_if = "Resources::is_empty")]
    at_least: Resources,
}

/// A share of more than all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a headroom of {percent} % is above 100 %")]
pub struct HeadroomTooLarge {
    /// The share.
    pub percent: u32,
}

impl Headroom {
    /// Nothing is kept free.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// So many per cent of every resource, rounded down: a share of one GPU keeps it from nobody.
    ///
    /// # Errors
    /// [`HeadroomTooLarge`] above 100 per cent.
    pub fn percent(percent: u32) -> Result<Self, HeadroomTooLarge> {
        if percent > 100 {
            return Err(HeadroomTooLarge { percent });
        }
        Ok(Self {
            percent,
            at_least: Resources::new(),
        })
    }

    /// The same with at least so much of a resource, in its base unit.
    #[must_use]
    pub fn with_at_least(mut self, resource: impl Into<crate::resources::ResourceName>, amount: u64) -> Self {
        self.at_least.set(resource, amount);
        self
    }

    /// What is kept free of a cluster that offers this, never more than that.
    #[must_use]
    pub fn of(&self, allocatable: &Resources) -> Resources {
        let kept = allocatable.iter().map(|(name, amount)| {
            // At most 100 per cent of 64 bits.
            let share = u128::from(amount) * u128::from(self.percent) / 100;
            let share = u64::try_from(share).unwrap_or(amount);
            let least = self.at_least.amount(name.as_str());
            (name.clone(), share.max(least).min(amount))
        });
        kept.filter(|(_, amount)| *amount > 0).collect()
    }

    /// True when nothing is kept free.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::ResourceName;

    #[test]
    fn the_larger_of_share_and_amount_is_kept() {
        let offers = Resources::new()
            .with(ResourceName::CPU, 8000)
            .with(ResourceName::MEMORY, 1000)
            .with(ResourceName::PODS, 110);
        let headroom = Headroom::percent(15)
            .unwrap()
            .with_at_least(ResourceName::CPU, 500)
            .with_at_least(ResourceName::MEMORY, 200)
            .with_at_least(ResourceName::STORAGE, 1);
        let expected = Resources::new()
            .with(ResourceName::CPU, 1200)
            .with(ResourceName::MEMORY, 200)
            .with(ResourceName::PODS, 16);
        assert_eq!(headroom.of(&offers), expected);
        let all = Headroom::none().with_at_least(ResourceName::PODS, 200);
        assert_eq!(all.of(&offers).amount(ResourceName::PODS), 110);
        assert!(Headroom::percent(0).unwrap().is_none() && Headroom::none().of(&offers).is_empty());
    }

    #[test]
    fn more_than_all_is_refused() {
        assert!(Headroom::percent(100).is_ok());
        insta::assert_snapshot!(Headroom::percent(101).unwrap_err(), @"a headroom of 101 % is above 100 %");
    }
}
