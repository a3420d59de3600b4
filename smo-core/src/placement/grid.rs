//! The problem by number: what the placers search on. Names, rules and prices are looked up once.

use std::collections::BTreeMap;
use std::ops::Range;

use super::evaluate::Costs;
use super::rules::{Pair, Rule};
use super::{Assignment, LinkLimit, Placement, PlacementError, PlacementProblem, ServiceDemand};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;

/// One service with replicas to place.
#[derive(Debug)]
pub(crate) struct Item<'a> {
    pub(crate) key: &'a ServiceKey,
    pub(crate) demand: &'a ServiceDemand,
    /// What all replicas take, by number of resource.
    pub(crate) needs: Vec<u64>,
    /// The cluster that most of its replicas run on now.
    pub(crate) home: Option<usize>,
    /// The clusters that no rule forbids, in order.
    pub(crate) domain: Vec<usize>,
    /// What it costs on each cluster of the domain, in units of value; by number of cluster, `None` outside the domain.
    pub(crate) costs: Vec<Option<i128>>,
    /// The services at the other ends of its limited links, with the number of the limit.
    pub(crate) peers: Vec<(usize, usize)>,
    /// The services at the other ends of all its links.
    pub(crate) neighbours: Vec<usize>,
}

impl Item<'_> {
    pub(crate) fn cost(&self, cluster: usize) -> i128 {
        self.costs.get(cluster).copied().flatten().unwrap_or(i128::MAX)
    }

    /// What one resource of it takes.
    pub(crate) fn need(&self, resource: usize) -> u64 {
        self.needs.get(resource).copied().unwrap_or(0)
    }
}

/// The problem by number.
#[derive(Debug)]
pub(crate) struct Grid<'a> {
    pub(crate) items: Vec<Item<'a>>,
    pub(crate) clusters: Vec<&'a ClusterName>,
    pub(crate) resources: Vec<&'a ResourceName>,
    /// Resource by resource of each cluster; `None` where it is not limited.
    capacity: Vec<Option<u64>>,
    /// By limit, then `from * clusters + to`: whether the two are near enough.
    near: Vec<Vec<bool>>,
}

impl<'a> Grid<'a> {
    pub(crate) fn new(problem: &'a PlacementProblem) -> Result<Self, PlacementError> {
        let clusters: Vec<&ClusterName> = problem.clusters.keys().collect();
        let running: Vec<_> = problem
            .services
            .iter()
            .filter(|(_, demand)| demand.replicas > 0)
            .collect();
        let mut resources: Vec<&ResourceName> = Vec::new();
        for (_, demand) in &running {
            for (resource, amount) in demand.per_replica.iter() {
                if amount > 0 && !resources.contains(&resource) {
                    resources.push(resource);
                }
            }
        }
        let mut capacity = Vec::with_capacity(clusters.len().saturating_mul(resources.len()));
        for supply in problem.clusters.values() {
            capacity.extend(resources.iter().map(|resource| supply.available(resource)));
        }
        let rules: Vec<&dyn Rule> = problem.hard_rules().collect();
        let costs = Costs::new(problem);
        let items = running
            .iter()
            .map(|(key, demand)| item(problem, &costs, &rules, &resources, key, demand))
            .collect::<Result<Vec<_>, _>>()?;
        let mut grid = Self {
            items,
            clusters,
            resources,
            capacity,
            near: Vec::new(),
        };
        grid.link(problem);
        Ok(grid)
    }

    fn link(&mut self, problem: &PlacementProblem) {
        if problem.links.is_empty() {
            return;
        }
        let position: BTreeMap<&ServiceKey, usize> = self
            .items
            .iter()
            .enumerate()
            .map(|(index, item)| (item.key, index))
            .collect();
        let mut limits: Vec<LinkLimit> = Vec::new();
        for link in &problem.links {
            let (Some(&from), Some(&to)) = (position.get(&link.from), position.get(&link.to)) else {
                continue;
            };
            if from == to {
                continue;
            }
            let known = limits.iter().position(|limit| *limit == link.limit);
            let limit = known.unwrap_or_else(|| {
                limits.push(link.limit);
                limits.len() - 1
            });
            for (one, other) in [(from, to), (to, from)] {
                if let Some(item) = self.items.get_mut(one) {
                    item.neighbours.push(other);
                    if !link.limit.is_none() {
                        item.peers.push((other, limit));
                    }
                }
            }
        }
        for item in &mut self.items {
            item.peers.sort_unstable();
            item.peers.dedup();
        }
        let pairs = |limit: LinkLimit| {
            let clusters = &self.clusters;
            clusters
                .iter()
                .flat_map(|from| {
                    clusters
                        .iter()
                        .map(move |to| limit.allows(problem.network.path(from, to)))
                })
                .collect()
        };
        self.near = limits.into_iter().map(pairs).collect();
    }

    /// True when the two clusters are within the limit.
    pub(crate) fn near(&self, limit: usize, from: usize, to: usize) -> bool {
        let pair = from.saturating_mul(self.clusters.len()).saturating_add(to);
        self.near
            .get(limit)
            .and_then(|near| near.get(pair))
            .copied()
            .unwrap_or(false)
    }

    /// How much of a resource a cluster has; `None` when it is not limited.
    pub(crate) fn available(&self, cluster: usize, resource: usize) -> Option<u64> {
        self.row(cluster, &self.capacity).get(resource).copied().flatten()
    }

    /// Where a cluster is in a list by cluster and resource.
    fn range(&self, cluster: usize) -> Range<usize> {
        let start = cluster.saturating_mul(self.resources.len());
        start..start.saturating_add(self.resources.len())
    }

    /// What such a list has of a cluster; nothing where that is none.
    fn row<'l>(&self, cluster: usize, list: &'l [Option<u64>]) -> &'l [Option<u64>] {
        list.get(self.range(cluster)).unwrap_or_default()
    }

    /// Where every service runs, given one cluster a service. `None` when a number is no cluster.
    pub(crate) fn placement(&self, chosen: &[usize]) -> Option<Placement> {
        let mut placement = Placement::with_room(self.items.len());
        for (item, &cluster) in self.items.iter().zip(chosen) {
            let name = *self.clusters.get(cluster)?;
            let assignment = Assignment::single(name.clone(), item.demand.replicas);
            placement.set(item.key.clone(), assignment);
        }
        Some(placement)
    }

    /// The number of allowed service-cluster pairs.
    pub(crate) fn pairs(&self) -> u64 {
        self.items.iter().map(|item| item.domain.len() as u64).sum()
    }
}

fn item<'a>(
    problem: &'a PlacementProblem,
    costs: &Costs<'_>,
    rules: &[&'a dyn Rule],
    resources: &[&'a ResourceName],
    key: &'a ServiceKey,
    demand: &'a ServiceDemand,
) -> Result<Item<'a>, PlacementError> {
    let overflow = || PlacementError::Overflow { service: key.clone() };
    let mut domain = Vec::with_capacity(problem.clusters.len());
    let mut prices = vec![None; problem.clusters.len()];
    for (index, ((cluster, supply), price)) in problem.clusters.iter().zip(&mut prices).enumerate() {
        let pair = Pair {
            problem,
            service: key,
            demand,
            cluster,
            supply,
        };
        if rules.iter().any(|rule| rule.forbids(&pair).is_some()) {
            continue;
        }
        *price = Some(costs.worth_on(&pair).ok_or_else(overflow)?.units());
        domain.push(index);
    }
    let now = problem.current.get(key);
    let home = now
        .and_then(|now| now.iter().max_by_key(|(_, replicas)| *replicas))
        .and_then(|(cluster, _)| problem.clusters.get_index_of(cluster));
    let need = |resource: &&ResourceName| {
        let each = demand.per_replica.amount(resource.as_str());
        each.checked_mul(u64::from(demand.replicas))
    };
    let needs: Option<Vec<u64>> = resources.iter().map(need).collect();
    Ok(Item {
        key,
        demand,
        needs: needs.ok_or_else(overflow)?,
        home,
        domain,
        costs: prices,
        peers: Vec::new(),
        neighbours: Vec::new(),
    })
}

/// What is left of every cluster while services are put on it, and where they are.
#[derive(Debug, Clone)]
pub(crate) struct Layout<'g, 'a> {
    grid: &'g Grid<'a>,
    /// As [`Grid::capacity`].
    left: Vec<Option<u64>>,
    chosen: Vec<Option<usize>>,
}

impl<'g, 'a> Layout<'g, 'a> {
    pub(crate) fn new(grid: &'g Grid<'a>) -> Self {
        Self {
            grid,
            left: grid.capacity.clone(),
            chosen: vec![None; grid.items.len()],
        }
    }

    pub(crate) fn cluster_of(&self, item: usize) -> Option<usize> {
        self.chosen.get(item).copied().flatten()
    }

    /// One cluster a service, or `None` while a service has none.
    pub(crate) fn complete(&self) -> Option<Vec<usize>> {
        self.chosen.iter().copied().collect()
    }

    /// What is left of a resource; 0 when it is not limited.
    pub(crate) fn left(&self, cluster: usize, resource: usize) -> u64 {
        let row = self.grid.row(cluster, &self.left);
        row.get(resource).copied().flatten().unwrap_or(0)
    }

    /// True when what is left suffices, whatever the links say.
    pub(crate) fn has_room(&self, item: usize, cluster: usize) -> bool {
        let Some(item) = self
            .grid
            .items
            .get(item)
            .filter(|_| cluster < self.grid.clusters.len())
        else {
            return false;
        };
        let fits = |(need, left): (&u64, &Option<u64>)| left.is_none_or(|left| *need <= left);
        item.needs
            .iter()
            .zip(self.grid.row(cluster, &self.left))
            .all(fits)
    }

    /// True when every peer that is already placed is near enough.
    pub(crate) fn is_near_peers(&self, item: usize, cluster: usize) -> bool {
        self.grid.items.get(item).is_some_and(|item| {
            item.peers.iter().all(|&(peer, limit)| {
                self.cluster_of(peer)
                    .is_none_or(|there| self.grid.near(limit, cluster, there))
            })
        })
    }

    /// True when the service, which is placed nowhere, can be put there as things stand.
    pub(crate) fn fits(&self, item: usize, cluster: usize) -> bool {
        self.has_room(item, cluster) && self.is_near_peers(item, cluster)
    }

    pub(crate) fn put(&mut self, item: usize, cluster: usize) {
        self.lift(item);
        self.shift(item, cluster, u64::saturating_sub);
        if let Some(chosen) = self.chosen.get_mut(item) {
            *chosen = Some(cluster);
        }
    }

    pub(crate) fn lift(&mut self, item: usize) {
        if let Some(cluster) = self.chosen.get_mut(item).and_then(Option::take) {
            self.shift(item, cluster, u64::saturating_add);
        }
    }

    fn shift(&mut self, item: usize, cluster: usize, by: fn(u64, u64) -> u64) {
        let range = self.grid.range(cluster);
        let (Some(item), Some(left)) = (self.grid.items.get(item), self.left.get_mut(range)) else {
            return;
        };
        for (need, left) in item.needs.iter().zip(left) {
            *left = left.map(|left| by(left, *need));
        }
    }
}
