//! Services that keep apart, and those that would like to be together, as links between their lots.

use std::collections::BTreeSet;

use super::lots::Lots;
use crate::placement::IntegerModel;
use crate::placement::integers::IntegerApart;

/// Two lots, and what it costs, in units of value, when they are on two clusters: at `from * clusters + to`. `None` stands for
/// never.
pub(super) struct PairCost {
    pub(super) lots: (usize, usize),
    pub(super) costs: Vec<Option<i128>>,
}

/// The pairs of a model. What a wish costs is counted at most, so that the bound stays one.
pub(super) fn pairs(model: &IntegerModel<'_>, lots: &Lots, point: i128) -> Vec<PairCost> {
    let clusters = model.clusters.len();
    let mut found = Vec::new();
    for group in model.apart.iter().filter(|group| !is_group(model, lots, group)) {
        let of = &group.domains.of;
        let same = |from: usize, to: usize| match (of[from], of[to]) {
            (Some(one), Some(other)) => one == other,
            _ => false,
        };
        // k services of a domain cost k - 1 prices, and are k (k - 1) / 2 pairs of at most that many services
        let price = group.price.map(|price| {
            i128::from(price).saturating_mul(point).saturating_mul(2) / (group.services.len().max(2) as i128)
        });
        let cost = |from: usize, to: usize| if same(from, to) { price } else { Some(0) };
        let costs: Vec<Option<i128>> = (0..clusters * clusters)
            .map(|pair| cost(pair / clusters, pair % clusters))
            .collect();
        for (at, one) in group.services.iter().enumerate() {
            for other in &group.services[at + 1..] {
                let splits = model.services[*one].split || model.services[*other].split;
                if splits && group.price.is_some() {
                    continue;
                }
                found.extend(between(lots, *one, *other).map(|lots| PairCost {
                    lots,
                    costs: costs.clone(),
                }));
            }
        }
    }
    for group in &model.together {
        let Some(price) = group.price else { continue };
        let cost = |pair: usize| {
            Some(if pair / clusters == pair % clusters {
                0
            } else {
                i128::from(price).saturating_mul(point).saturating_mul(2)
            })
        };
        let costs: Vec<Option<i128>> = (0..clusters * clusters).map(cost).collect();
        for (at, one) in group.services.iter().enumerate() {
            for other in &group.services[at + 1..] {
                if !model.services[*one].split && !model.services[*other].split {
                    found.extend(between(lots, *one, *other).map(|lots| PairCost {
                        lots,
                        costs: costs.clone(),
                    }));
                }
            }
        }
    }
    found
}

/// True where services that stay whole keep apart: they use as many domains as they are.
pub(super) fn is_group(model: &IntegerModel<'_>, lots: &Lots, group: &IntegerApart) -> bool {
    let whole = |service: &usize| !model.services[*service].split;
    let tasks: BTreeSet<&usize> = group
        .services
        .iter()
        .flat_map(|service| &lots.of_service[*service])
        .collect();
    // two that are placed as one cannot keep apart
    let each = tasks.len() == group.services.len();
    group.price.is_none() && group.services.len() > 1 && group.services.iter().all(whole) && each
}

/// Every lot of one service with every lot of the other.
pub(super) fn between<'a>(
    lots: &'a Lots,
    one: usize,
    other: usize,
) -> impl Iterator<Item = (usize, usize)> + 'a {
    let ends = |service: usize| lots.of_service.get(service).map_or(&[][..], Vec::as_slice);
    ends(one)
        .iter()
        .flat_map(move |from| ends(other).iter().map(move |to| (*from, *to)))
}
