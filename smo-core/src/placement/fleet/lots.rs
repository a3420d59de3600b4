//! What is placed as one: all replicas of a service that stays whole, together with those that have to be where it is, or one
//! replica of a service that may be split.

use std::collections::BTreeMap;

use petgraph::unionfind::UnionFind;

use crate::placement::IntegerModel;

/// Services and how many replicas of each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lot {
    pub(super) parts: Vec<(usize, u32)>,
    /// The cluster it runs on now, where it is one replica of a service that is split.
    pub(super) home: Option<usize>,
}

impl Lot {
    /// How much of a resource all of it needs, in base units.
    pub(super) fn need(&self, model: &IntegerModel<'_>, resource: usize) -> u128 {
        let needs = self.parts.iter().map(|(service, replicas)| {
            u128::from(model.services[*service].need[resource]) * u128::from(*replicas)
        });
        needs.sum()
    }
}

/// The lots of a model, and those of each service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lots {
    pub(super) lots: Vec<Lot>,
    pub(super) of_service: Vec<Vec<usize>>,
}

impl Lots {
    pub(super) fn new(model: &IntegerModel<'_>) -> Self {
        let mut sets = UnionFind::new(model.services.len());
        let is_whole = |service: usize| model.services.get(service).is_some_and(|service| !service.split);
        for group in model.together.iter().filter(|group| group.price.is_none()) {
            let mut whole = group
                .services
                .iter()
                .copied()
                .filter(|service| is_whole(*service));
            if let Some(first) = whole.next() {
                whole.for_each(|other| {
                    sets.union(first, other);
                });
            }
        }
        let mut lots = Self {
            lots: Vec::new(),
            of_service: vec![Vec::new(); model.services.len()],
        };
        let mut of_set: BTreeMap<usize, usize> = BTreeMap::new();
        for (number, service) in model.services.iter().enumerate() {
            if service.split {
                let mut homes = service
                    .now
                    .iter()
                    .enumerate()
                    .flat_map(|(cluster, count)| std::iter::repeat_n(cluster, *count as usize));
                for _ in 0..service.replicas {
                    lots.add(
                        number,
                        Lot {
                            parts: vec![(number, 1)],
                            home: homes.next(),
                        },
                    );
                }
                continue;
            }
            let root = sets.find_mut(number);
            match of_set.get(&root).copied() {
                Some(lot) => {
                    lots.of_service[number].push(lot);
                    lots.lots[lot].parts.push((number, service.replicas));
                }
                None => {
                    of_set.insert(root, lots.lots.len());
                    lots.add(
                        number,
                        Lot {
                            parts: vec![(number, service.replicas)],
                            home: None,
                        },
                    );
                }
            }
        }
        lots
    }

    fn add(&mut self, service: usize, lot: Lot) {
        self.of_service[service].push(self.lots.len());
        self.lots.push(lot);
    }
}
