//! A part as a mixed-integer model, and its solution as clusters.

use super::component::Part;
use super::rows::{Row, rows_that_bind};
use crate::milp::{Model, Relation, VariableId};
use crate::placement::grid::Grid;
use crate::units::gcd;

/// The largest cost that the solver sees; larger ones are scaled down, so that its absolute tolerances mean something.
const LARGEST_COST: f64 = 1e6;

/// The largest capacity that is kept as a whole number; larger ones are scaled down and checked again afterwards.
const LARGEST_CAPACITY: u64 = 1 << 40;

/// One binary variable a service and open cluster, in order.
///
/// With `target`, only placements that cost at least a unit less are asked for.
pub(super) fn build(grid: &Grid<'_>, part: &Part, target: Option<i128>) -> Model {
    let mut model = Model::new();
    let largest = part.costs.iter().flatten().copied().max().unwrap_or(0);
    let scale = (LARGEST_COST / as_f64(largest)).min(1.0);
    let columns: Vec<Vec<(usize, VariableId)>> = part
        .domains
        .iter()
        .zip(&part.costs)
        .map(|(domain, costs)| {
            let column = |(cluster, cost): (&usize, &i128)| (*cluster, model.binary(as_f64(*cost) * scale));
            domain.iter().zip(costs).map(column).collect()
        })
        .collect();
    if let Some(target) = target.filter(|_| largest > 0) {
        model.cut_off(as_f64(target.saturating_sub(1)) * scale);
    }
    for row in &columns {
        model.constrain(row.iter().map(|(_, x)| (*x, 1.0)), Relation::Equal, 1.0);
    }
    for row in rows_that_bind(grid, part.items(), &part.domains) {
        capacity_row(grid, part, &columns, row, &mut model);
    }
    for (item, row) in part.items().iter().zip(&columns) {
        let peers = grid.items.get(*item).map_or(&[][..], |item| &item.peers);
        for &(peer, limit) in peers {
            let at = part.items().iter().position(|item| *item == peer);
            let Some(peer_row) = at.and_then(|at| columns.get(at)) else {
                continue;
            };
            for (from, x) in row {
                let near = peer_row.iter().filter(|(to, _)| grid.near(limit, *from, *to));
                let near: Vec<_> = near.map(|(_, y)| (*y, -1.0)).collect();
                // Where every open cluster of the peer is near, the row always holds.
                if near.len() < peer_row.len() {
                    model.constrain(near.into_iter().chain([(*x, 1.0)]), Relation::AtMost, 0.0);
                }
            }
        }
    }
    model
}

#[allow(clippy::cast_precision_loss)]
fn capacity_row(
    grid: &Grid<'_>,
    part: &Part,
    columns: &[Vec<(usize, VariableId)>],
    Row {
        cluster,
        resource,
        capacity,
    }: Row,
    model: &mut Model,
) {
    let mut terms: Vec<(VariableId, u64)> = Vec::new();
    for (item, row) in part.items().iter().zip(columns) {
        let need = grid.items.get(*item).map_or(0, |item| item.need(resource));
        let column = row.iter().find(|(open, _)| *open == cluster);
        if let (Some((_, x)), true) = (column, need > 0) {
            terms.push((*x, need));
        }
    }
    let divisor = terms
        .iter()
        .fold(0, |divisor, (_, need)| gcd(divisor, *need))
        .max(1);
    let bound = capacity / divisor;
    let scale = if bound > LARGEST_CAPACITY {
        LARGEST_CAPACITY as f64 / bound as f64
    } else {
        1.0
    };
    let terms = terms
        .into_iter()
        .map(|(x, need)| (x, (need / divisor) as f64 * scale));
    model.constrain(terms, Relation::AtMost, bound as f64 * scale);
}

/// The cluster of every service; `None` when a service has none or several.
pub(super) fn read(part: &Part, values: &[f64]) -> Option<Vec<usize>> {
    let mut values = values.iter();
    let chosen = |domain: &Vec<usize>| {
        let on: Vec<usize> = domain
            .iter()
            .filter(|_| values.next().is_some_and(|value| *value > 0.5))
            .copied()
            .collect();
        match on.as_slice() {
            [one] => Some(*one),
            _ => None,
        }
    };
    part.domains.iter().map(chosen).collect()
}

#[allow(clippy::cast_precision_loss)]
pub(super) fn as_f64(number: i128) -> f64 {
    number as f64
}
