//! A way from one placement to another, hop by hop: what it lacks, and what it breaks.

use super::fleet::{Fleet, Hop, Lot};
use super::meanwhile::Meanwhile;
use crate::placement::{Assignment, Placement};

/// What a way costs: the most that a hop lacks and the sum of what they lack, in millionths of what clusters have, how many hops
/// there are, and how much is broken after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Cost {
    pub(super) peak: u64,
    pub(super) lack: u64,
    pub(super) hops: usize,
    pub(super) broken: u64,
}

/// Hops of some lots.
#[derive(Debug)]
pub(super) struct Way<'f, 'a> {
    pub(super) lots: &'f [Lot<'a>],
    pub(super) hops: Vec<Hop>,
    pub(super) cost: Cost,
}

impl<'f, 'a> Way<'f, 'a> {
    pub(super) fn new(
        fleet: &Fleet<'a>,
        lots: &'f [Lot<'a>],
        rules: &Meanwhile<'a>,
        from: &Placement,
        hops: &[Hop],
    ) -> Self {
        let hops = merged(hops);
        let mut cost = Cost {
            hops: hops.len(),
            ..Cost::default()
        };
        let mut load = fleet.load.clone();
        let mut counts: Vec<Vec<u32>> = lots.iter().map(|lot| lot.before.clone()).collect();
        let mut placement = from.clone();
        let mut broken = 0_u64;
        for hop in &hops {
            let lot = &lots[hop.lot];
            let lack = fleet.lack(&load, *hop, &lot.needs);
            cost.peak = cost.peak.max(lack);
            cost.lack = cost.lack.saturating_add(lack);
            load.carry_out(*hop, &lot.needs);
            if rules.ties(lot.service).is_some() {
                let counts = &mut counts[hop.lot];
                counts[hop.from] -= hop.replicas;
                counts[hop.to] += hop.replicas;
                let before = rules.about(&placement, lot.service).len() as u64;
                placement.set(lot.service.clone(), assigned(fleet, counts));
                let after = rules.about(&placement, lot.service).len() as u64;
                broken = (broken + after).saturating_sub(before);
            }
            cost.broken = cost.broken.saturating_add(broken);
        }
        Self { lots, hops, cost }
    }
}

/// Replicas of a service that go the same way one right after the other go together: that takes no more room at its height.
fn merged(hops: &[Hop]) -> Vec<Hop> {
    let mut merged: Vec<Hop> = Vec::with_capacity(hops.len());
    for hop in hops {
        match merged.last_mut() {
            Some(last) if (last.lot, last.from, last.to) == (hop.lot, hop.from, hop.to) => {
                last.replicas += hop.replicas;
            }
            _ => merged.push(*hop),
        }
    }
    merged
}

/// Replicas by place as an assignment; who is nowhere is left out.
pub(super) fn assigned(fleet: &Fleet<'_>, counts: &[u32]) -> Assignment {
    let named = fleet.clusters.iter().zip(counts);
    named.map(|(name, count)| ((*name).clone(), *count)).collect()
}
