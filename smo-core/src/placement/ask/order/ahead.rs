//! An order for fleets of any size, one hop after the other without looking back.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::fleet::{Fleet, Hop, Load, Lot};
use super::meanwhile::Meanwhile;
use super::way::assigned;
use crate::placement::Placement;

/// So many ways to make room are compared.
const COMPARED: usize = 32;

/// What is done where no service has room as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resort {
    /// As many replicas go as have room, and others make room only where none has.
    Parts,
    /// Others make room first.
    Room,
}

/// Replicas of a service on their way from one place to another; in place where the two are the same.
#[derive(Debug, Clone, Copy)]
struct Unit {
    lot: usize,
    left: u32,
    at: usize,
    to: usize,
    /// It made room once, and does not do so again.
    aside: bool,
}

/// What is known about a unit until something changes.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    /// How many replicas have room where they go.
    fits: u32,
    /// For so many replicas that go, how much more is broken then.
    harm: Option<(u32, i64)>,
}

/// Units on their way.
#[derive(Debug)]
pub(super) struct Ahead<'f, 'a> {
    fleet: &'f Fleet<'a>,
    lots: &'f [Lot<'a>],
    rules: &'f Meanwhile<'a>,
    resort: Resort,
    stop_overs: bool,
    units: Vec<Unit>,
    known: Vec<Known>,
    /// By lot, its units, and the lots that rules look at together with it.
    units_of: Vec<Vec<usize>>,
    tied: Vec<Option<Vec<usize>>>,
    /// By lot and place, whether it may stop over there, where that was asked.
    open: BTreeMap<(usize, usize), bool>,
    counts: Vec<Vec<u32>>,
    load: Load,
    placement: Placement,
}

impl<'f, 'a> Ahead<'f, 'a> {
    /// Lots that stay where they are make room, too.
    pub(super) fn new(
        fleet: &'f Fleet<'a>,
        lots: &'f [Lot<'a>],
        rules: &'f Meanwhile<'a>,
        from: &Placement,
        (resort, stop_overs): (Resort, bool),
    ) -> Self {
        let mut units = Vec::new();
        for (number, lot) in lots.iter().enumerate() {
            units.extend(lot.straight(number).into_iter().map(|hop| Unit {
                lot: number,
                left: hop.replicas,
                at: hop.from,
                to: hop.to,
                aside: false,
            }));
            let stays = lot.before.iter().zip(&lot.after).enumerate();
            let stays = stays.filter(|(place, _)| *place != fleet.nowhere() && stop_overs);
            units.extend(stays.map(|(place, (before, after))| Unit {
                lot: number,
                left: *before.min(after),
                at: place,
                to: place,
                aside: false,
            }));
        }
        units.retain(|unit| unit.left > 0);
        let numbers = lots.iter().enumerate();
        let numbers: BTreeMap<_, _> = numbers.map(|(number, lot)| (lot.service, number)).collect();
        let tied = |lot: &Lot<'a>| {
            let others = rules.ties(lot.service)?.iter();
            Some(others.filter_map(|other| numbers.get(other).copied()).collect())
        };
        let mut ahead = Self {
            fleet,
            lots,
            rules,
            resort,
            stop_overs,
            known: vec![Known::default(); units.len()],
            units_of: vec![Vec::new(); lots.len()],
            tied: lots.iter().map(tied).collect(),
            open: BTreeMap::new(),
            counts: lots.iter().map(|lot| lot.before.clone()).collect(),
            load: fleet.load.clone(),
            placement: from.clone(),
            units,
        };
        for (number, unit) in ahead.units.iter().enumerate() {
            ahead.units_of[unit.lot].push(number);
        }
        for place in 0..=fleet.nowhere() {
            ahead.look_again(place);
        }
        ahead
    }

    pub(super) fn run(mut self) -> Vec<Hop> {
        let mut hops = Vec::new();
        loop {
            let waits = self.waits();
            let step = self.whole(&waits).or_else(|| match self.resort {
                Resort::Parts => self.part(&waits).or_else(|| self.aside(&waits)),
                Resort::Room => self.aside(&waits).or_else(|| self.part(&waits)),
            });
            let Some((unit, to, replicas)) = step.or_else(|| self.least_lacking()) else {
                return hops;
            };
            hops.push(self.go(unit, to, replicas));
        }
    }

    fn pending(&self) -> impl Iterator<Item = (usize, &Unit)> {
        let units = self.units.iter().enumerate();
        units.filter(|(_, unit)| unit.left > 0 && unit.at != unit.to)
    }

    /// By place, how many units wait for room there.
    fn waits(&self) -> Vec<usize> {
        let mut waits = vec![0; self.fleet.nowhere() + 1];
        for (number, unit) in self.pending() {
            if self.known[number].fits < unit.left {
                waits[unit.to] += 1;
            }
        }
        waits
    }

    /// A unit that goes where it stays, all of it. What ends goes first, then what breaks least, then what most others wait for.
    fn whole(&mut self, waits: &[usize]) -> Option<(usize, usize, u32)> {
        let ready = self.pending();
        let ready = ready.filter(|(number, unit)| self.known[*number].fits >= unit.left);
        let ready: Vec<(usize, u32)> = ready.map(|(number, unit)| (number, unit.left)).collect();
        self.best(&ready, waits)
    }

    /// As many replicas of a unit as have room.
    fn part(&mut self, waits: &[usize]) -> Option<(usize, usize, u32)> {
        let ready = self.pending().filter(|(number, _)| self.known[*number].fits > 0);
        let ready: Vec<(usize, u32)> = ready
            .map(|(number, unit)| (number, self.known[number].fits.min(unit.left)))
            .collect();
        // Who makes no room for anybody only takes it.
        let waited: Vec<(usize, u32)> = ready
            .iter()
            .copied()
            .filter(|(number, _)| waits[self.units[*number].at] > 0)
            .collect();
        self.best(if waited.is_empty() { &ready } else { &waited }, waits)
    }

    fn best(&mut self, ready: &[(usize, u32)], waits: &[usize]) -> Option<(usize, usize, u32)> {
        let mut best = None;
        for (number, replicas) in ready {
            let unit = self.units[*number];
            let goes_on = unit.to != self.fleet.nowhere();
            let harm = self.harm(*number, *replicas);
            let key = (goes_on, harm, Reverse(waits[unit.at]), *number);
            if best.as_ref().is_none_or(|(least, _)| key < *least) {
                best = Some((key, (*number, unit.to, *replicas)));
            }
        }
        best.map(|(_, step)| step)
    }

    /// A unit that makes room by stepping aside to a cluster with room: no more replicas of it than that takes, and what breaks least.
    fn aside(&mut self, waits: &[usize]) -> Option<(usize, usize, u32)> {
        if !self.stop_overs {
            return None;
        }
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); waits.len()];
        for (number, unit) in self.pending() {
            if self.known[number].fits < unit.left {
                waiting[unit.to].push(number);
            }
        }
        let mut found = Vec::new();
        for (number, unit) in self.units.iter().enumerate() {
            let helps = unit.left > 0 && !unit.aside && unit.at != self.fleet.nowhere();
            if !helps || waiting[unit.at].is_empty() {
                continue;
            }
            let needs = &self.lots[unit.lot].needs;
            let enough = self.enough(*unit, number, &waiting[unit.at]);
            for place in (0..self.fleet.nowhere()).filter(|place| *place != unit.at && *place != unit.to) {
                let most = self.fleet.fits(&self.load, place, needs).min(unit.left);
                let Some(replicas) = enough.into_iter().flatten().find(|replicas| *replicas <= most) else {
                    continue;
                };
                let service = self.lots[unit.lot].service;
                let fleet = self.fleet;
                let open = self.open.entry((unit.lot, place));
                if *open.or_insert_with(|| fleet.is_open(service, place)) {
                    found.push((number, place, replicas));
                }
            }
            if found.len() >= COMPARED {
                break;
            }
        }
        let costs = found.into_iter().map(|(unit, place, replicas)| {
            let harm = self.harm_of(unit, place, replicas);
            (harm, (unit, place, replicas))
        });
        costs.min_by_key(|(harm, _)| *harm).map(|(_, step)| step)
    }

    /// The fewest replicas that make room for all of a unit that waits where this one is, and for one more replica of it.
    fn enough(&self, unit: Unit, number: usize, waiting: &[usize]) -> [Option<u32>; 2] {
        let needs = &self.lots[unit.lot].needs;
        let takes = |other: usize, replicas: u32| -> Option<u32> {
            let theirs = &self.lots[self.units[other].lot].needs;
            let missing = self.fleet.missing(&self.load, unit.at, theirs, replicas);
            let rows = missing.iter().zip(needs).filter(|(missing, _)| **missing > 0);
            let counts = rows.map(|(missing, need)| (*need > 0).then(|| missing.div_ceil(*need)));
            let most = counts
                .max_by_key(|count| count.unwrap_or(u64::MAX))
                .unwrap_or(Some(1))?;
            u32::try_from(most).ok()
        };
        let others = || waiting.iter().copied().filter(|other| *other != number);
        let all = others().filter_map(|other| takes(other, self.units[other].left));
        let one_more = others().filter_map(|other| takes(other, self.known[other].fits.saturating_add(1)));
        [all.min(), one_more.min()]
    }

    /// Where nothing has room: a replica of the unit that lacks least.
    fn least_lacking(&self) -> Option<(usize, usize, u32)> {
        let lacking = self.pending().map(|(number, unit)| {
            let hop = Hop {
                lot: unit.lot,
                replicas: 1,
                from: unit.at,
                to: unit.to,
            };
            let lack = self.fleet.lack(&self.load, hop, &self.lots[unit.lot].needs);
            (lack, number, unit.to)
        });
        lacking.min().map(|(_, number, to)| (number, to, 1))
    }

    /// How much more is broken when so many replicas of a unit go where they stay.
    fn harm(&mut self, number: usize, replicas: u32) -> i64 {
        if let Some((_, harm)) = self.known[number].harm.filter(|(count, _)| *count == replicas) {
            return harm;
        }
        let harm = self.harm_of(number, self.units[number].to, replicas);
        self.known[number].harm = Some((replicas, harm));
        harm
    }

    fn harm_of(&mut self, number: usize, to: usize, replicas: u32) -> i64 {
        let unit = self.units[number];
        if self.tied[unit.lot].is_none() {
            return 0;
        }
        let service = self.lots[unit.lot].service;
        let broken = |placement: &Placement| self.rules.about(placement, service).len() as i64;
        let before = broken(&self.placement);
        let mut counts = self.counts[unit.lot].clone();
        counts[unit.at] -= replicas;
        counts[to] += replicas;
        let back = assigned(self.fleet, &self.counts[unit.lot]);
        self.placement.set(service.clone(), assigned(self.fleet, &counts));
        let after = broken(&self.placement);
        self.placement.set(service.clone(), back);
        after - before
    }

    fn go(&mut self, number: usize, to: usize, replicas: u32) -> Hop {
        let Unit { lot, at, .. } = self.units[number];
        let hop = Hop {
            lot,
            replicas,
            from: at,
            to,
        };
        self.load.carry_out(hop, &self.lots[lot].needs);
        let counts = &mut self.counts[lot];
        counts[at] -= replicas;
        counts[to] += replicas;
        let service = self.lots[lot].service.clone();
        self.placement.set(service, assigned(self.fleet, counts));
        let unit = &mut self.units[number];
        unit.left -= replicas;
        if to != unit.to {
            let aside = Unit {
                left: replicas,
                at: to,
                aside: true,
                ..*unit
            };
            self.units_of[lot].push(self.units.len());
            self.units.push(aside);
            self.known.push(Known::default());
            self.look_again(aside.to);
        }
        self.look_again(at);
        self.look_again(to);
        for other in self.tied[lot].iter().flatten().chain([&lot]) {
            for unit in &self.units_of[*other] {
                self.known[*unit].harm = None;
            }
        }
        hop
    }

    /// How many replicas have room that go to a place where something changed.
    fn look_again(&mut self, place: usize) {
        for (unit, known) in self.units.iter().zip(&mut self.known) {
            if unit.to == place && unit.at != place && unit.left > 0 {
                known.fits = self.fleet.fits(&self.load, place, &self.lots[unit.lot].needs);
            }
        }
    }
}
