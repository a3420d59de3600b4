//! Services that are looked up in the order in which a map has them.

use indexmap::IndexMap;

use crate::id::ServiceKey;

/// Looks services up in a map: the one after the last is looked at before it is looked for. Placements and problems mostly
/// have the same order.
#[derive(Debug)]
pub(crate) struct InOrder<'a, V> {
    map: &'a IndexMap<ServiceKey, V>,
    next: usize,
}

impl<'a, V> InOrder<'a, V> {
    pub(crate) const fn new(map: &'a IndexMap<ServiceKey, V>) -> Self {
        Self { map, next: 0 }
    }

    /// The service as the map has it, and what is there.
    pub(crate) fn get(&mut self, service: &ServiceKey) -> Option<(&'a ServiceKey, &'a V)> {
        let next = self.map.get_index(self.next);
        if let Some(found) = next.filter(|(key, _)| *key == service) {
            self.next += 1;
            return Some(found);
        }
        let (place, key, value) = self.map.get_full(service)?;
        self.next = place + 1;
        Some((key, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_finds_what_is_there() {
        let keys = ["p/g/a", "p/g/b", "p/g/c", "p/g/d"].map(|key| key.parse::<ServiceKey>().unwrap());
        let map: IndexMap<ServiceKey, usize> = keys.iter().take(3).cloned().zip(0..).collect();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [1, 3, 1, 2], [2, 0, 0, 1]] {
            let mut services = InOrder::new(&map);
            for at in order {
                let found = services.get(&keys[at]).map(|(key, value)| (key.clone(), *value));
                assert_eq!(found, (at < 3).then(|| (keys[at].clone(), at)), "{order:?}");
            }
        }
    }
}
