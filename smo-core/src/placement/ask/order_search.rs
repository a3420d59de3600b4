//! Looks for an order of moves: straight ahead first, then over the states of the fleet.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::order::OrderLimits;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::rules::first_reason;
use crate::placement::{Placement, PlacementProblem};
use crate::resources::{ResourceName, Resources};

/// One thing that is done.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) service: ServiceKey,
    pub(super) replicas: u32,
    pub(super) from: Option<ClusterName>,
    pub(super) to: Option<ClusterName>,
    /// What there is no room for.
    pub(super) missing: Resources,
}

/// Replicas that go together from one place to another. A place is the number of a cluster; `NOWHERE` before a start.
#[derive(Debug)]
struct Unit<'a> {
    service: &'a ServiceKey,
    replicas: u32,
    /// What they take, by number of resource.
    needs: Vec<u64>,
    from: usize,
    to: usize,
    /// Places it may stop over at.
    detours: Vec<usize>,
}

const NOWHERE: usize = usize::MAX;

/// Missing room in millionths of what there is, then steps.
type Cost = (u64, usize);

/// The best order found, and whether no other one is better.
pub(super) fn search(
    problem: &PlacementProblem,
    from: &Placement,
    to: &Placement,
    limits: OrderLimits,
) -> (Vec<Action>, bool) {
    let fleet = Fleet::new(problem, from, to);
    let (stops, units, fixed) = fleet.units(from, to, limits.stop_overs);
    let mut actions = stops;
    let mut yard = Yard {
        fleet: &fleet,
        used: fleet.used_without(from, to),
        units,
    };
    if let Some(straight) = yard.straight() {
        actions.extend(yard.actions(&straight));
        return (actions, true);
    }
    let direct = yard.units.len();
    let first = yard.shortest(limits.states);
    // Nothing beats one step more than a move each: without a stop-over there is no order with room.
    let best_possible = first.as_ref().is_some_and(|(cost, _)| *cost <= (0, direct + 1));
    let mut proved = best_possible || (first.is_some() && !limits.stop_overs);
    let mut best = first;
    if limits.stop_overs && !best_possible {
        // Services that stay may step aside, too.
        for unit in &fixed {
            yard.take(unit.to, &unit.needs, false);
        }
        yard.units.extend(fixed);
        if let Some(second) = yard.shortest(limits.states) {
            proved = true;
            if best.as_ref().is_none_or(|(cost, _)| second.0 < *cost) {
                best = Some(second);
            }
        }
    }
    let steps = best.map_or_else(|| yard.ahead(limits.stop_overs), |(_, steps)| steps);
    actions.extend(yard.actions(&steps));
    (actions, proved)
}

/// The clusters and resources by number. Clusters that only `from` knows have no limits.
struct Fleet<'a> {
    problem: &'a PlacementProblem,
    clusters: Vec<&'a ClusterName>,
    resources: Vec<&'a ResourceName>,
    /// By cluster and resource; `None` where it is not limited.
    capacity: Vec<Vec<Option<u64>>>,
}

impl<'a> Fleet<'a> {
    fn new(problem: &'a PlacementProblem, from: &'a Placement, to: &'a Placement) -> Self {
        let mut clusters: Vec<&ClusterName> = problem.clusters.keys().collect();
        let placed = from.iter().chain(to.iter());
        for cluster in placed.flat_map(|(_, assignment)| assignment.clusters()) {
            if !clusters.contains(&cluster) {
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
        let limits = |cluster: &&ClusterName| {
            let supply = problem.clusters.get(*cluster);
            resources
                .iter()
                .map(|resource| supply.and_then(|supply| supply.available(resource)))
                .collect()
        };
        Self {
            problem,
            capacity: clusters.iter().map(limits).collect(),
            clusters,
            resources,
        }
    }

    fn number(&self, cluster: &ClusterName) -> usize {
        let found = self.clusters.iter().position(|known| *known == cluster);
        found.unwrap_or(NOWHERE)
    }

    fn needs(&self, service: &ServiceKey, replicas: u32) -> Vec<u64> {
        let demand = self.problem.services.get(service);
        let amount = |resource: &&ResourceName| {
            let per_replica = demand.map_or(0, |demand| demand.per_replica.amount(resource.as_str()));
            per_replica.saturating_mul(u64::from(replicas))
        };
        self.resources.iter().map(amount).collect()
    }

    /// What ends; what moves or starts; what stays and could step aside.
    fn units(
        &self,
        from: &'a Placement,
        to: &'a Placement,
        stop_overs: bool,
    ) -> (Vec<Action>, Vec<Unit<'a>>, Vec<Unit<'a>>) {
        let (mut stops, mut units, mut fixed) = (Vec::new(), Vec::new(), Vec::new());
        for service in self.problem.services.keys() {
            let (before, after) = (from.get(service), to.get(service));
            let count = |placed: Option<&crate::placement::Assignment>, cluster: usize| {
                let name = self.clusters.get(cluster);
                placed.zip(name).map_or(0, |(placed, name)| placed.on(name))
            };
            let unit = |replicas: u32, from: usize, to: usize| Unit {
                service,
                replicas,
                needs: self.needs(service, replicas),
                from,
                to,
                detours: if stop_overs {
                    self.detours(service)
                } else {
                    Vec::new()
                },
            };
            let mut surplus: Vec<(usize, u32)> = Vec::new();
            let mut lacking: Vec<(usize, u32)> = Vec::new();
            for cluster in 0..self.clusters.len() {
                let (now, then) = (count(before, cluster), count(after, cluster));
                if now > then {
                    surplus.push((cluster, now - then));
                } else if then > now {
                    lacking.push((cluster, then - now));
                }
                if now.min(then) > 0 {
                    fixed.push(unit(now.min(then), cluster, cluster));
                }
            }
            for (target, mut missing) in lacking {
                for (source, left) in &mut surplus {
                    let moved = missing.min(*left);
                    if moved > 0 {
                        units.push(unit(moved, *source, target));
                        missing -= moved;
                        *left -= moved;
                    }
                }
                if missing > 0 {
                    units.push(unit(missing, NOWHERE, target));
                }
            }
            for (cluster, replicas) in surplus.into_iter().filter(|(_, left)| *left > 0) {
                stops.push(Action {
                    service: service.clone(),
                    replicas,
                    from: self.clusters.get(cluster).map(|name| (*name).clone()),
                    to: None,
                    missing: Resources::new(),
                });
            }
        }
        (stops, units, fixed)
    }

    /// The clusters that the rules leave to a service.
    fn detours(&self, service: &ServiceKey) -> Vec<usize> {
        let open = |cluster: &usize| {
            let name = self.clusters.get(*cluster);
            let pair = name.and_then(|name| self.problem.pair(service, name));
            pair.is_some_and(|pair| first_reason(&pair).is_none())
        };
        (0..self.clusters.len()).filter(open).collect()
    }

    /// What services that stay where they are take, by cluster and resource.
    fn used_without(&self, from: &Placement, to: &Placement) -> Vec<Vec<u64>> {
        let mut used = vec![vec![0_u64; self.resources.len()]; self.clusters.len()];
        for service in self.problem.services.keys() {
            let (Some(before), Some(after)) = (from.get(service), to.get(service)) else {
                continue;
            };
            for (cluster, replicas) in before.iter() {
                let stays = replicas.min(after.on(cluster));
                let needs = self.needs(service, stays);
                if let Some(row) = used.get_mut(self.number(cluster)) {
                    row.iter_mut()
                        .zip(needs)
                        .for_each(|(sum, need)| *sum = sum.saturating_add(need));
                }
            }
        }
        used
    }
}

/// Units on their way.
struct Yard<'f, 'a> {
    fleet: &'f Fleet<'a>,
    /// What is taken by what is no unit, by cluster and resource.
    used: Vec<Vec<u64>>,
    units: Vec<Unit<'a>>,
}

/// The least cost of a state, and the state and step before it.
type Reached = (Cost, Option<(Vec<usize>, Step)>);

/// A unit goes to a place.
type Step = (usize, usize);

impl Yard<'_, '_> {
    fn take(&mut self, place: usize, needs: &[u64], more: bool) {
        shift(&mut self.used, place, needs, more);
    }

    /// What is used when the units are at these places.
    fn used_at(&self, places: &[usize]) -> Vec<Vec<u64>> {
        let mut used = self.used.clone();
        for (unit, place) in self.units.iter().zip(places) {
            shift(&mut used, *place, &unit.needs, true);
        }
        used
    }

    /// What a place lacks to take a unit as well, by resource.
    fn missing(&self, used: &[Vec<u64>], unit: usize, place: usize) -> Vec<u64> {
        let (Some(unit), Some(used)) = (self.units.get(unit), used.get(place)) else {
            return Vec::new();
        };
        let capacity = self.fleet.capacity.get(place).into_iter().flatten();
        let rows = unit.needs.iter().zip(used).zip(capacity);
        rows.map(|((need, used), capacity)| match capacity {
            Some(capacity) if *need > 0 => used.saturating_add(*need).saturating_sub((*capacity).max(*used)),
            _ => 0,
        })
        .collect()
    }

    /// Missing room in millionths of what there is, rounded up.
    fn share(&self, place: usize, missing: &[u64]) -> u64 {
        let capacity = self.fleet.capacity.get(place).into_iter().flatten();
        let parts = missing.iter().zip(capacity).map(|(missing, capacity)| {
            let whole = u128::from(capacity.unwrap_or(0).max(1));
            let share = (u128::from(*missing) * 1_000_000).div_ceil(whole);
            u64::try_from(share).unwrap_or(u64::MAX)
        });
        parts.fold(0, u64::saturating_add)
    }

    fn start(&self) -> Vec<usize> {
        self.units.iter().map(|unit| unit.from).collect()
    }

    fn pending(&self, places: &[usize]) -> Vec<usize> {
        let rows = self.units.iter().zip(places).enumerate();
        rows.filter(|(_, (unit, place))| unit.to != **place)
            .map(|(number, _)| number)
            .collect()
    }

    /// Every unit straight to where it stays, as long as one has room; `None` when all that are left have none. The one
    /// goes first that leaves a cluster which most others wait for.
    fn straight(&self) -> Option<Vec<Step>> {
        let mut places = self.start();
        let mut used = self.used_at(&places);
        let mut steps = Vec::new();
        loop {
            let pending = self.pending(&places);
            if pending.is_empty() {
                return Some(steps);
            }
            steps.push(self.roomy(&pending, &places, &used)?);
            self.go(&mut places, &mut used, steps.last().copied());
        }
    }

    /// The pending unit with room that leaves the cluster most waited for.
    fn roomy(&self, pending: &[usize], places: &[usize], used: &[Vec<u64>]) -> Option<Step> {
        let target = |unit: &usize| self.units.get(*unit).map_or(NOWHERE, |unit| unit.to);
        let (free, blocked): (Vec<usize>, Vec<usize>) = pending.iter().partition(|unit| {
            let missing = self.missing(used, **unit, target(unit));
            missing.iter().all(|missing| *missing == 0)
        });
        let waited_for = |unit: &usize| {
            let place = places.get(*unit).copied().unwrap_or(NOWHERE);
            blocked.iter().filter(|blocked| target(blocked) == place).count()
        };
        // Of equals the first: `max_by_key` would give the last.
        let best = free.iter().rev().max_by_key(|unit| waited_for(unit))?;
        Some((*best, target(best)))
    }

    fn go(&self, places: &mut [usize], used: &mut [Vec<u64>], step: Option<Step>) {
        let Some((unit, place)) = step else { return };
        if let (Some(at), Some(moved)) = (places.get_mut(unit), self.units.get(unit)) {
            shift(used, *at, &moved.needs, false);
            shift(used, place, &moved.needs, true);
            *at = place;
        }
    }

    /// The best order of all: A* over the places of the units, with the number of units that are not where they stay as
    /// what is left at least. `None` when the limit is reached.
    fn shortest(&self, states: usize) -> Option<(Cost, Vec<Step>)> {
        let start = self.start();
        let mut known: BTreeMap<Vec<usize>, Reached> = BTreeMap::new();
        let mut queue = BinaryHeap::new();
        queue.push(Reverse(((0, self.pending(&start).len()), (0, 0), start.clone())));
        known.insert(start, ((0, 0), None));
        while let Some(Reverse((_, cost, places))) = queue.pop() {
            if known.get(&places).is_some_and(|(best, _)| *best < cost) {
                continue;
            }
            if self.pending(&places).is_empty() {
                return Some((cost, trail(&known, places)));
            }
            let used = self.used_at(&places);
            for step in self.choices(&places) {
                if known.len() > states {
                    return None;
                }
                let (unit, place) = step;
                let share = self.share(place, &self.missing(&used, unit, place));
                let next_cost = (cost.0.saturating_add(share), cost.1 + 1);
                let mut next = places.clone();
                if let Some(at) = next.get_mut(unit) {
                    *at = place;
                }
                let better = known.get(&next).is_none_or(|(best, _)| next_cost < *best);
                if better {
                    let estimate = (next_cost.0, next_cost.1 + self.pending(&next).len());
                    known.insert(next.clone(), (next_cost, Some((places.clone(), step))));
                    queue.push(Reverse((estimate, next_cost, next)));
                }
            }
        }
        None
    }

    /// Where units can go next.
    fn choices(&self, places: &[usize]) -> Vec<Step> {
        let mut choices = Vec::new();
        for (number, (unit, place)) in self.units.iter().zip(places).enumerate() {
            if *place != unit.to {
                choices.push((number, unit.to));
            }
            // What has not started does not stop over.
            let detours = unit.detours.iter().filter(|_| *place != NOWHERE);
            choices.extend(
                detours
                    .filter(|detour| *detour != place && **detour != unit.to)
                    .map(|detour| (number, *detour)),
            );
        }
        choices
    }

    /// An order for fleets too large to try everything: straight ahead; where nothing has room, a unit steps aside once if
    /// that makes room for another one; else the one that lacks least goes.
    fn ahead(&self, stop_overs: bool) -> Vec<Step> {
        let mut places = self.start();
        let mut used = self.used_at(&places);
        let mut aside = vec![false; self.units.len()];
        let mut steps = Vec::new();
        loop {
            let pending = self.pending(&places);
            if pending.is_empty() {
                return steps;
            }
            let detour = || {
                let allowed = if stop_overs { pending.as_slice() } else { &[] };
                self.detour(allowed, &places, &used, &aside)
            };
            let step = self.roomy(&pending, &places, &used).or_else(detour).or_else(|| {
                let least = pending.iter().min_by_key(|unit| {
                    let to = self.units.get(**unit).map_or(NOWHERE, |unit| unit.to);
                    self.share(to, &self.missing(&used, **unit, to))
                });
                least.and_then(|unit| Some((*unit, self.units.get(*unit)?.to)))
            });
            let Some((unit, place)) = step else { return steps };
            if self.units.get(unit).is_some_and(|moved| moved.to != place)
                && let Some(aside) = aside.get_mut(unit)
            {
                *aside = true;
            }
            steps.push((unit, place));
            self.go(&mut places, &mut used, Some((unit, place)));
        }
    }

    /// A unit that makes room for a pending one by stepping aside to a place with room, and has not done so yet.
    fn detour(&self, pending: &[usize], places: &[usize], used: &[Vec<u64>], aside: &[bool]) -> Option<Step> {
        let fits = |used: &[Vec<u64>], unit: usize, place: usize| {
            self.missing(used, unit, place)
                .iter()
                .all(|missing| *missing == 0)
        };
        for (number, unit) in self.units.iter().enumerate() {
            let place = places.get(number).copied().unwrap_or(NOWHERE);
            if place == NOWHERE || aside.get(number).copied().unwrap_or(true) {
                continue;
            }
            let mut without = used.to_vec();
            shift(&mut without, place, &unit.needs, false);
            let helped = pending.iter().any(|other| {
                let to = self.units.get(*other).map_or(NOWHERE, |other| other.to);
                *other != number && to == place && fits(&without, *other, to)
            });
            let refuge = unit
                .detours
                .iter()
                .find(|detour| **detour != place && fits(used, number, **detour));
            if let (true, Some(refuge)) = (helped, refuge) {
                return Some((number, *refuge));
            }
        }
        None
    }

    /// Steps by name, with what each lacks.
    fn actions(&self, steps: &[Step]) -> Vec<Action> {
        let mut places = self.start();
        let mut used = self.used_at(&places);
        let name = |place: usize| self.fleet.clusters.get(place).map(|name| (*name).clone());
        let mut actions = Vec::new();
        for (number, place) in steps {
            let Some(unit) = self.units.get(*number) else {
                continue;
            };
            let missing = self.missing(&used, *number, *place);
            let missing = self.fleet.resources.iter().zip(missing);
            actions.push(Action {
                service: unit.service.clone(),
                replicas: unit.replicas,
                from: places.get(*number).and_then(|place| name(*place)),
                to: name(*place),
                missing: missing
                    .filter(|(_, missing)| *missing > 0)
                    .map(|(resource, missing)| ((*resource).clone(), missing))
                    .collect(),
            });
            self.go(&mut places, &mut used, Some((*number, *place)));
        }
        actions
    }
}

fn shift(used: &mut [Vec<u64>], place: usize, needs: &[u64], more: bool) {
    for (sum, need) in used.get_mut(place).into_iter().flatten().zip(needs) {
        *sum = if more {
            sum.saturating_add(*need)
        } else {
            sum.saturating_sub(*need)
        };
    }
}

type Known = BTreeMap<Vec<usize>, (Cost, Option<(Vec<usize>, Step)>)>;

/// The steps that led to these places.
fn trail(known: &Known, mut places: Vec<usize>) -> Vec<Step> {
    let mut steps = Vec::new();
    while let Some((_, Some((before, step)))) = known.get(&places) {
        steps.push(*step);
        places.clone_from(before);
    }
    steps.reverse();
    steps
}
