//! The least price of a sum, by what is left when it is divided: a path over the remainders, one step a choice.

use std::collections::BTreeMap;

use super::scaled::Scaled;

/// What no choice reaches.
const NEVER: i64 = i64::MAX / 4;

/// The least price of a sum, by its remainder.
pub(super) struct Remainders {
    modulus: i64,
    most: i64,
    prices: Vec<i64>,
    next: Vec<i64>,
}

impl Remainders {
    pub(super) fn new(modulus: i64, most: i64) -> Self {
        let mut prices = vec![NEVER; modulus as usize];
        prices[0] = 0;
        Self {
            modulus,
            most,
            next: prices.clone(),
            prices,
        }
    }

    /// Adds one of the parts, each with its price.
    pub(super) fn choose(&mut self, parts: impl Iterator<Item = (i64, i64)>, work: &mut u64) {
        let mut cheapest: BTreeMap<i64, i64> = BTreeMap::new();
        for (part, price) in parts {
            let slot = cheapest.entry(part.rem_euclid(self.modulus)).or_insert(price);
            *slot = price.min(*slot);
        }
        self.next.fill(NEVER);
        *work += (cheapest.len() * self.prices.len()) as u64;
        for (part, price) in cheapest {
            let (before, after) = self.prices.split_at(self.prices.len() - part as usize);
            for (next, known) in self.next.iter_mut().zip(after.iter().chain(before)) {
                let sum = known + price;
                if sum <= self.most && sum < *next {
                    *next = sum;
                }
            }
        }
        std::mem::swap(&mut self.prices, &mut self.next);
    }

    /// The least value, in units, at or above `bound` and its remainder's price.
    pub(super) fn value(&self, scaled: &Scaled, bound: i64, target: i64) -> i64 {
        let values = self
            .prices
            .iter()
            .zip(0_i64..)
            .filter(|(price, _)| **price < NEVER)
            .map(|(price, remainder)| {
                let least = scaled.in_units((bound + price) as f64);
                least + (remainder - least).rem_euclid(self.modulus)
            });
        values.fold(target, i64::min)
    }
}
