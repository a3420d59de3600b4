//! Clusters and what they can take on the way, and the services whose replicas go from one to another, by number.

use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::first_reason;
use crate::placement::{Assignment, Placement, PlacementProblem};
use crate::resources::ResourceName;

/// Replicas of a service that go from one place to another. A place is the number of a cluster, or [`Fleet::nowhere`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hop {
    /// The number of the service.
    pub(super) lot: usize,
    pub(super) replicas: u32,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A service: what a replica takes, by number of resource, and how many are where, by place, before and after.
#[derive(Debug)]
pub(super) struct Lot<'a> {
    pub(super) service: &'a ServiceKey,
    pub(super) needs: Vec<u64>,
    pub(super) before: Vec<u32>,
    pub(super) after: Vec<u32>,
}

impl Lot<'_> {
    /// The fewest hops there are, wherever they stop over: each leaves one place and reaches one.
    pub(super) fn hops_left(&self, now: &[u32]) -> usize {
        let pairs = || now.iter().zip(&self.after);
        let leaves = pairs().filter(|(now, after)| now > after).count();
        let lacks = pairs().filter(|(now, after)| now < after).count();
        leaves.max(lacks)
    }

    /// Who goes where straight away: equal numbers first, so that there are few hops.
    pub(super) fn straight(&self, lot: usize) -> Vec<Hop> {
        let beyond = |more: &[u32], less: &[u32]| -> Vec<(usize, u32)> {
            let rows = more.iter().zip(less).enumerate();
            rows.filter(|(_, (more, less))| more > less)
                .map(|(place, (more, less))| (place, more - less))
                .collect()
        };
        let mut leaving = beyond(&self.before, &self.after);
        let mut lacking = beyond(&self.after, &self.before);
        let mut hops = Vec::new();
        for exactly in [true, false] {
            for (to, lacks) in &mut lacking {
                for (from, left) in &mut leaving {
                    let replicas = if exactly && left != lacks {
                        0
                    } else {
                        (*left).min(*lacks)
                    };
                    if replicas > 0 {
                        hops.push(Hop {
                            lot,
                            replicas,
                            from: *from,
                            to: *to,
                        });
                        *left -= replicas;
                        *lacks -= replicas;
                    }
                }
            }
        }
        hops
    }
}

/// What is used, by cluster and resource.
#[derive(Debug, Clone)]
pub(super) struct Load(Vec<Vec<u128>>);

impl Load {
    pub(super) fn add(&mut self, place: usize, needs: &[u64], replicas: u32) {
        for (sum, need) in self.0.get_mut(place).into_iter().flatten().zip(needs) {
            *sum += u128::from(*need) * u128::from(replicas);
        }
    }

    pub(super) fn remove(&mut self, place: usize, needs: &[u64], replicas: u32) {
        for (sum, need) in self.0.get_mut(place).into_iter().flatten().zip(needs) {
            *sum = sum.saturating_sub(u128::from(*need) * u128::from(replicas));
        }
    }

    /// A service runs in both places for a while: what it leaves is counted as free only after it.
    pub(super) fn carry_out(&mut self, hop: Hop, needs: &[u64]) {
        self.remove(hop.from, needs, hop.replicas);
        self.add(hop.to, needs, hop.replicas);
    }
}

/// The clusters and resources by number. Clusters that only the placement before knows have no limits.
#[derive(Debug)]
pub(super) struct Fleet<'a> {
    pub(super) problem: &'a PlacementProblem,
    pub(super) clusters: Vec<&'a ClusterName>,
    pub(super) resources: Vec<&'a ResourceName>,
    /// By cluster and resource, what there is; `None` where it is not limited.
    capacity: Vec<Vec<Option<u64>>>,
    /// The same, or what is used to begin with where that is more.
    ceiling: Vec<Vec<Option<u128>>>,
    /// What is used to begin with.
    pub(super) load: Load,
}

impl<'a> Fleet<'a> {
    pub(super) fn new(problem: &'a PlacementProblem, from: &'a Placement, to: &'a Placement) -> Self {
        let mut clusters: Vec<&ClusterName> = problem.clusters.keys().collect();
        let placed = from.iter().chain(to.iter());
        for cluster in placed.flat_map(|(_, assignment)| assignment.clusters()) {
            if !problem.clusters.contains_key(cluster) && !clusters.contains(&cluster) {
                clusters.push(cluster);
            }
        }
        let mut resources: Vec<&ResourceName> = problem
            .services
            .values()
            .flat_map(|demand| demand.per_replica.iter())
            .filter(|(_, amount)| *amount > 0)
            .map(|(name, _)| name)
            .collect();
        resources.sort_unstable();
        resources.dedup();
        let limits = |cluster: &&ClusterName| -> Vec<Option<u64>> {
            let supply = problem.clusters.get(*cluster);
            resources
                .iter()
                .map(|resource| supply.and_then(|supply| supply.available(resource)))
                .collect()
        };
        let mut fleet = Self {
            problem,
            capacity: clusters.iter().map(limits).collect(),
            ceiling: Vec::new(),
            load: Load(vec![vec![0; resources.len()]; clusters.len()]),
            clusters,
            resources,
        };
        for (service, assignment) in from.iter() {
            let needs = fleet.needs(service);
            for (cluster, replicas) in assignment.iter() {
                let place = fleet.number(cluster);
                fleet.load.add(place, &needs, replicas);
            }
        }
        let rows = fleet.capacity.iter().zip(&fleet.load.0);
        fleet.ceiling = rows
            .map(|(capacity, used)| {
                let rows = capacity.iter().zip(used);
                rows.map(|(capacity, used)| capacity.map(|capacity| u128::from(capacity).max(*used)))
                    .collect()
            })
            .collect();
        fleet
    }

    /// The place of what does not run yet, or no more.
    pub(super) const fn nowhere(&self) -> usize {
        self.clusters.len()
    }

    fn number(&self, cluster: &ClusterName) -> usize {
        let known = self.problem.clusters.get_index_of(cluster);
        let found = known.or_else(|| self.clusters.iter().position(|other| *other == cluster));
        found.unwrap_or(self.nowhere())
    }

    fn needs(&self, service: &ServiceKey) -> Vec<u64> {
        let demand = self.problem.services.get(service);
        let amount = |resource: &&ResourceName| {
            demand.map_or(0, |demand| demand.per_replica.amount(resource.as_str()))
        };
        self.resources.iter().map(amount).collect()
    }

    /// The services that move, and with `all` those that stay where they are too.
    pub(super) fn lots(&self, from: &Placement, to: &Placement, all: bool) -> Vec<Lot<'a>> {
        let services = self.problem.services.keys();
        let wanted = services.filter(|service| {
            let (before, after) = (from.get(service), to.get(service));
            before != after || all && before.is_some()
        });
        let nowhere = self.nowhere();
        let counts = |placed: Option<&Assignment>| -> Vec<u32> {
            let mut counts = vec![0; nowhere + 1];
            for (cluster, replicas) in placed.into_iter().flat_map(Assignment::iter) {
                counts[self.number(cluster)] = replicas;
            }
            counts
        };
        let total = |counts: &[u32]| counts.iter().copied().fold(0_u32, u32::saturating_add);
        wanted
            .map(|service| {
                let (mut before, mut after) = (counts(from.get(service)), counts(to.get(service)));
                let (had, has) = (total(&before), total(&after));
                before[nowhere] = has.saturating_sub(had);
                after[nowhere] = had.saturating_sub(has);
                Lot {
                    service,
                    needs: self.needs(service),
                    before,
                    after,
                }
            })
            .collect()
    }

    /// True where the rules leave the cluster to the service, so that it may stop over there.
    pub(super) fn is_open(&self, service: &ServiceKey, place: usize) -> bool {
        let name = self.clusters.get(place);
        let pair = name.and_then(|name| self.problem.pair(service, name));
        pair.is_some_and(|pair| first_reason(&pair).is_none())
    }

    /// How many replicas more there is room for.
    pub(super) fn fits(&self, load: &Load, place: usize, needs: &[u64]) -> u32 {
        let (Some(used), Some(ceiling)) = (load.0.get(place), self.ceiling.get(place)) else {
            return u32::MAX;
        };
        let rows = needs.iter().zip(used).zip(ceiling);
        let rooms = rows.filter_map(|((need, used), ceiling)| {
            let room = ceiling.as_ref()?.saturating_sub(*used);
            room.checked_div(u128::from(*need))
        });
        let least = rooms.min().unwrap_or(u128::MAX);
        u32::try_from(least).unwrap_or(u32::MAX)
    }

    /// What a place lacks to take so many replicas as well, by resource.
    pub(super) fn missing(&self, load: &Load, place: usize, needs: &[u64], replicas: u32) -> Vec<u64> {
        let (Some(used), Some(ceiling)) = (load.0.get(place), self.ceiling.get(place)) else {
            return Vec::new();
        };
        let rows = needs.iter().zip(used).zip(ceiling);
        rows.map(|((need, used), ceiling)| match ceiling {
            Some(ceiling) if *need > 0 => {
                let then = used + u128::from(*need) * u128::from(replicas);
                u64::try_from(then.saturating_sub(*ceiling)).unwrap_or(u64::MAX)
            }
            _ => 0,
        })
        .collect()
    }

    /// Missing room in millionths of what there is, rounded up.
    pub(super) fn share(&self, place: usize, missing: &[u64]) -> u64 {
        let capacity = self.capacity.get(place).into_iter().flatten();
        let parts = missing.iter().zip(capacity).map(|(missing, capacity)| {
            let whole = u128::from(capacity.unwrap_or(0).max(1));
            let share = (u128::from(*missing) * 1_000_000).div_ceil(whole);
            u64::try_from(share).unwrap_or(u64::MAX)
        });
        parts.fold(0, u64::saturating_add)
    }

    /// What a hop lacks, in millionths of what there is.
    pub(super) fn lack(&self, load: &Load, hop: Hop, needs: &[u64]) -> u64 {
        // Nearly every hop looked at has room.
        if self.fits(load, hop.to, needs) >= hop.replicas {
            return 0;
        }
        self.share(hop.to, &self.missing(load, hop.to, needs, hop.replicas))
    }
}
