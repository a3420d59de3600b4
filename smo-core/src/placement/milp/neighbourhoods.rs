//! Makes a placement cheaper by placing the services of a few clusters again, exactly (large neighbourhood search).

use super::assigning::assign;
use super::component::{Part, better};
use super::prices::Prices;
use super::run::Run;
use super::search::search;
use crate::placement::grid::Grid;

/// How many groups of clusters are searched for a cheaper placement.
const NEIGHBOURHOODS: usize = 400;

/// How many service-cluster pairs one such search may look at.
const NEIGHBOURHOOD_EFFORT: u64 = 50_000;

/// How much effort an assignment problem may take where the first look does not close it.
const NEIGHBOURHOOD_ASSIGN: u64 = 10_000_000;

impl Part {
    /// Replaces a few clusters at a time: one that has a service which would be cheaper elsewhere, that elsewhere, and a
    /// third. Stops at the bound, after [`NEIGHBOURHOODS`] searches, or when who watches says so.
    pub(super) fn improve(&self, grid: &Grid<'_>, clusters: &mut [usize], bound: i128, run: &mut Run<'_>) {
        let mut left = NEIGHBOURHOODS;
        for third in 0..grid.clusters.len() {
            for position in 0..clusters.len() {
                let Some(now) = clusters.get(position).copied() else {
                    continue;
                };
                let cheapest = self.domains.get(position).into_iter().flatten();
                let Some(&wish) = cheapest.min_by_key(|cluster| self.cost(position, **cluster)) else {
                    continue;
                };
                if wish == now || third == now || third == wish {
                    continue;
                }
                if left == 0 || self.total(clusters).is_none_or(|total| total <= bound) {
                    return;
                }
                left -= 1;
                self.replace(grid, clusters, &[now, wish, third], run);
                run.see(self, self.total(clusters), bound);
                if !run.teller.took(0) {
                    return;
                }
            }
        }
    }

    /// Places the services of some clusters again on these clusters, if that finds something cheaper.
    fn replace(&self, grid: &Grid<'_>, clusters: &mut [usize], free: &[usize], run: &mut Run<'_>) {
        let mut chosen = vec![None; grid.items.len()];
        for (item, cluster) in self.items.iter().zip(clusters.iter()) {
            if let Some(slot) = chosen.get_mut(*item) {
                *slot = Some(*cluster).filter(|cluster| !free.contains(cluster));
            }
        }
        let mut part = Self {
            items: vec![],
            domains: vec![],
            costs: vec![],
            offset: 0,
            unit: self.unit,
        };
        let mut positions = Vec::new();
        let mut target = 0_i128;
        for (position, now) in clusters.iter().enumerate().filter(|(_, now)| free.contains(now)) {
            let Some(item) = self.items.get(position).and_then(|item| grid.items.get(*item)) else {
                continue;
            };
            let near_peers = |cluster: usize| {
                let fixed = |peer: usize| chosen.get(peer).copied().flatten();
                let near = |&(peer, limit): &(usize, usize)| {
                    fixed(peer).is_none_or(|there| grid.near(limit, cluster, there))
                };
                item.peers.iter().all(near)
            };
            let domain = self.domains.get(position).into_iter().flatten().copied();
            let domain: Vec<usize> = domain
                .filter(|cluster| free.contains(cluster) && near_peers(*cluster))
                .collect();
            let costs = domain
                .iter()
                .filter_map(|cluster| self.cost(position, *cluster))
                .collect();
            target = target.saturating_add(self.cost(position, *now).unwrap_or(0));
            positions.push(position);
            part.items.extend(self.items.get(position));
            part.domains.push(domain);
            part.costs.push(costs);
        }
        let prices = Prices::find(grid, &part, Some(target));
        if prices.bound() >= target || !run.teller.took(Prices::effort(&part)) {
            return;
        }
        part.keep_improving(grid, &prices, target);
        if part.domains.iter().any(Vec::is_empty) {
            return;
        }
        let prices = Prices::find(grid, &part, Some(target));
        let teller = &mut run.teller;
        let searched = search(grid, &part, &prices, Some(target), NEIGHBOURHOOD_EFFORT, teller);
        run.work.nodes += searched.nodes;
        let mut found = searched.found;
        if !searched.complete && !run.teller.stopped() {
            let target = found.as_ref().map_or(Some(target), |found| part.total(found));
            // What is known of a few clusters says nothing of all.
            let see = |_: &mut Run<'_>, _, _| ();
            if let Some(assigned) = assign(grid, &part, target, NEIGHBOURHOOD_ASSIGN, run, see) {
                found = assigned.found.or(found);
            }
        }
        let mut next = clusters.to_vec();
        for (position, cluster) in positions.into_iter().zip(found.into_iter().flatten()) {
            if let Some(slot) = next.get_mut(position) {
                *slot = cluster;
            }
        }
        if better(self.total(&next), self.total(clusters)) && self.holds(grid, &next) {
            clusters.copy_from_slice(&next);
        }
    }
}
