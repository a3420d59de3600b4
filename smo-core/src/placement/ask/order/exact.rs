//! The best way of all, over the states of the fleet: how many replicas of each service are where.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::fleet::{Fleet, Hop, Load, Lot};
use super::meanwhile::Meanwhile;
use super::way::assigned;
use crate::placement::Placement;

/// Numbers of replicas that are kept at most, over all states: some 64 MB.
const KEPT: usize = 16_000_000;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// The way whose hops lack least at most.
    LeastPeak,
    /// Of the ways whose hops lack no more than this, the one that lacks least, has the fewest hops, and breaks least.
    Within(u64),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The best way, and what its hops lack at most.
    Found(Vec<Hop>, u64),
    /// There is no way: proved.
    Exhausted,
    /// There were too many states.
    GaveUp,
}

/// What is lacking, hops, things that are broken. In search of the least peak only the first counts.
type Cost = (u64, usize, u64);

/// A state that was reached: its cost, the state before it, how much is broken in it, how many hops are left at least.
struct Reached {
    state: Vec<u32>,
    cost: Cost,
    peak: u64,
    before: Option<(usize, Hop)>,
    broken: u64,
    hops_left: usize,
}

/// A search over the states of some lots.
#[derive(Debug)]
pub(super) struct Exact<'f, 'a> {
    fleet: &'f Fleet<'a>,
    lots: &'f [Lot<'a>],
    rules: &'f Meanwhile<'a>,
    from: &'f Placement,
    /// By lot, where it may stop over.
    open: Vec<Vec<usize>>,
    /// The numbers of tied lots, by lot; `None` where nothing looks at it.
    tied: Vec<Option<Vec<usize>>>,
    states: usize,
}

impl<'f, 'a> Exact<'f, 'a> {
    /// `None` where there are more choices to begin with than states may be looked at.
    pub(super) fn new(
        fleet: &'f Fleet<'a>,
        lots: &'f [Lot<'a>],
        rules: &'f Meanwhile<'a>,
        from: &'f Placement,
        (states, stop_overs): (usize, bool),
    ) -> Option<Self> {
        let width = lots.len() * (fleet.nowhere() + 1);
        let states = states.min(KEPT / width.max(1));
        if lots
            .len()
            .saturating_mul(if stop_overs { fleet.nowhere() } else { 1 })
            > states
        {
            return None;
        }
        let open = |lot: &Lot<'a>| -> Vec<usize> {
            let places = 0..if stop_overs { fleet.nowhere() } else { 0 };
            places
                .filter(|place| fleet.is_open(lot.service, *place))
                .collect()
        };
        let tied = |lot: &Lot<'a>| {
            let ties = rules.ties(lot.service)?;
            let numbers = lots.iter().enumerate();
            Some(
                numbers
                    .filter(|(_, other)| ties.contains(other.service))
                    .map(|(number, _)| number)
                    .collect(),
            )
        };
        Some(Self {
            open: lots.iter().map(open).collect(),
            tied: lots.iter().map(tied).collect(),
            fleet,
            lots,
            rules,
            from,
            states,
        })
    }

    /// A* with the number of hops that are left at least.
    pub(super) fn search(&self, aim: Aim) -> Outcome {
        let places = self.fleet.nowhere() + 1;
        let start: Vec<u32> = self
            .lots
            .iter()
            .flat_map(|lot| lot.before.iter().copied())
            .collect();
        let hops_left = self.lots.iter().map(|lot| lot.hops_left(&lot.before)).sum();
        let mut numbers = BTreeMap::from([(start.clone(), 0)]);
        let mut reached = vec![Reached {
            state: start,
            cost: (0, 0, 0),
            peak: 0,
            before: None,
            broken: 0,
            hops_left,
        }];
        let mut queue = BinaryHeap::from([Reverse(((0, hops_left, 0), (0, 0, 0), 0))]);
        while let Some(Reverse((_, cost, number))) = queue.pop() {
            let here = &reached[number];
            if here.cost < cost {
                continue;
            }
            if here.hops_left == 0 {
                let peak = here.peak;
                return Outcome::Found(trail(&reached, number), peak);
            }
            let state = here.state.clone();
            let (peak, broken, left) = (here.peak, here.broken, here.hops_left);
            let load = self.load(&state);
            let Some(choices) = self.choices(&state) else {
                return Outcome::GaveUp;
            };
            for hop in choices {
                let lot = &self.lots[hop.lot];
                let lack = self.fleet.lack(&load, hop, &lot.needs);
                let peak = peak.max(lack);
                if matches!(aim, Aim::Within(most) if lack > most) {
                    continue;
                }
                let at = hop.lot * places;
                let mut next = state.clone();
                next[at + hop.from] -= hop.replicas;
                next[at + hop.to] += hop.replicas;
                let known = numbers.get(&next).copied();
                let broken = match (known, aim) {
                    (Some(known), _) => reached[known].broken,
                    (None, Aim::LeastPeak) => 0,
                    (None, Aim::Within(_)) => self.broken(broken, &state, &next, hop.lot),
                };
                let next_cost = match aim {
                    Aim::LeastPeak => (peak, 0, 0),
                    Aim::Within(_) => (
                        cost.0.saturating_add(lack),
                        cost.1 + 1,
                        cost.2.saturating_add(broken),
                    ),
                };
                if known.is_some_and(|known| reached[known].cost <= next_cost) {
                    continue;
                }
                let change = |state: &[u32]| lot.hops_left(&state[at..at + places]);
                let hops_left = left + change(&next) - change(&state);
                let entry = Reached {
                    state: next,
                    cost: next_cost,
                    peak,
                    before: Some((number, hop)),
                    broken,
                    hops_left,
                };
                let slot = known.unwrap_or(reached.len());
                if known.is_some() {
                    reached[slot] = entry;
                } else if reached.len() > self.states {
                    return Outcome::GaveUp;
                } else {
                    numbers.insert(entry.state.clone(), slot);
                    reached.push(entry);
                }
                let estimate = (next_cost.0, next_cost.1 + hops_left, next_cost.2);
                queue.push(Reverse((estimate, next_cost, slot)));
            }
        }
        Outcome::Exhausted
    }

    fn load(&self, state: &[u32]) -> Load {
        let mut load = self.fleet.load.clone();
        let now = state.chunks(self.fleet.nowhere() + 1);
        for (lot, now) in self.lots.iter().zip(now) {
            for (place, (before, now)) in lot.before.iter().zip(now).enumerate() {
                load.remove(place, &lot.needs, before.saturating_sub(*now));
                load.add(place, &lot.needs, now.saturating_sub(*before));
            }
        }
        load
    }

    /// Where replicas can go next; `None` where that is too much to look at.
    fn choices(&self, state: &[u32]) -> Option<Vec<Hop>> {
        let nowhere = self.fleet.nowhere();
        let mut choices = Vec::new();
        for (number, (lot, now)) in self.lots.iter().zip(state.chunks(nowhere + 1)).enumerate() {
            let open = &self.open[number];
            for (from, held) in now.iter().enumerate().filter(|(_, held)| **held > 0) {
                let beyond = held.saturating_sub(lot.after[from]);
                for to in (0..=nowhere).filter(|to| *to != from) {
                    let lacks = lot.after[to].saturating_sub(now[to]);
                    // What has not started, or ends, does not stop over.
                    let stops_over = from != nowhere && !open.is_empty();
                    let most = if stops_over && open.binary_search(&to).is_ok() {
                        *held
                    } else if stops_over {
                        lacks.min(*held)
                    } else {
                        lacks.min(beyond)
                    };
                    if usize::try_from(most).is_ok_and(|most| choices.len() + most > self.states) {
                        return None;
                    }
                    choices.extend((1..=most).map(|replicas| Hop {
                        lot: number,
                        replicas,
                        from,
                        to,
                    }));
                }
            }
        }
        Some(choices)
    }

    /// How much is broken after a hop of one lot, from what was broken before it.
    fn broken(&self, broken: u64, state: &[u32], next: &[u32], lot: usize) -> u64 {
        let Some(tied) = &self.tied[lot] else {
            return broken;
        };
        let service = self.lots[lot].service;
        let places = self.fleet.nowhere() + 1;
        let ties = self.rules.ties(service).into_iter().flatten();
        let others = ties.filter_map(|other| Some(((*other).clone(), self.from.get(other)?.clone())));
        let mut placement: Placement = others.collect();
        let mut count = |state: &[u32]| {
            for number in tied.iter().chain([&lot]) {
                let now = assigned(self.fleet, &state[number * places..(number + 1) * places]);
                placement.set(self.lots[*number].service.clone(), now);
            }
            self.rules.about(&placement, service).len() as u64
        };
        let before = count(state);
        (broken + count(next)).saturating_sub(before)
    }
}

fn trail(reached: &[Reached], mut number: usize) -> Vec<Hop> {
    let mut hops = Vec::new();
    while let Some((before, hop)) = reached[number].before {
        hops.push(hop);
        number = before;
    }
    hops.reverse();
    hops
}
