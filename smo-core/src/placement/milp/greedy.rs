//! Good placements quickly: by regret, then by moving and swapping services while that is cheaper.

use super::component::Part;
use super::prices::Prices;
use super::run::PAIR;
use crate::placement::grid::{Grid, Layout};
use crate::placement::teller::Teller;

/// Rounds of moving and swapping.
const ROUNDS: usize = 20;

/// A placement of the part by its costs alone. It is not improved any more once `teller` is told to stop.
pub(super) fn search(grid: &Grid<'_>, part: &Part, teller: &mut Teller<'_>) -> Option<Vec<usize>> {
    let by_cost = |position: usize, at: usize| part.costs.get(position)?.get(at).copied();
    let by_size = order(part, |position| size(grid, part, position));
    let by_regret = order(part, |position| regret(part, position, &by_cost));
    [by_size, by_regret]
        .into_iter()
        .filter_map(|order| construct(grid, part, &order, &by_cost, teller))
        .min_by_key(|clusters| total(part, clusters))
}

/// Placements that follow the prices of capacity.
pub(super) fn from_prices(
    grid: &Grid<'_>,
    part: &Part,
    open: &Part,
    prices: &Prices,
    teller: &mut Teller<'_>,
) -> Vec<Vec<usize>> {
    // Prices are known for the open pairs; the others come last, by cost.
    let priced = |position: usize, at: usize| {
        let cluster = part.domains.get(position)?.get(at)?;
        let place = open.domains.get(position)?.binary_search(cluster);
        place
            .ok()
            .and_then(|place| prices.priced(position, place))
            .or(Some(i128::MAX))
    };
    let by_regret = order(part, |position| regret(part, position, &priced));
    let by_size = order(part, |position| size(grid, part, position));
    [by_regret, by_size]
        .into_iter()
        .filter_map(|order| construct(grid, part, &order, &priced, teller))
        .collect()
}

type Score<'s> = &'s dyn Fn(usize, usize) -> Option<i128>;

fn order(part: &Part, key: impl Fn(usize) -> u128) -> Vec<usize> {
    let mut order: Vec<usize> = (0..part.items().len()).collect();
    order.sort_by_cached_key(|position| std::cmp::Reverse(key(*position)));
    order
}

/// The largest share of a mean cluster that the service takes, in millionths.
fn size(grid: &Grid<'_>, part: &Part, position: usize) -> u128 {
    let Some(item) = part.items().get(position).and_then(|item| grid.items.get(*item)) else {
        return 0;
    };
    let share = |(resource, need): (usize, &u64)| {
        let limits = (0..grid.clusters.len()).filter_map(|cluster| grid.available(cluster, resource));
        let all: u128 = limits.map(u128::from).sum();
        u128::from(*need) * 1_000_000 / all.max(1)
    };
    item.needs.iter().enumerate().map(share).max().unwrap_or(0)
}

/// How much dearer the second choice is than the first; a service with one choice comes first.
fn regret(part: &Part, position: usize, score: Score<'_>) -> u128 {
    let count = part.domains.get(position).map_or(0, Vec::len);
    let (mut first, mut second) = (None, None);
    for score in (0..count).filter_map(|at| score(position, at)) {
        if first.is_none_or(|first| score < first) {
            (first, second) = (Some(score), first);
        } else if second.is_none_or(|second| score < second) {
            second = Some(score);
        }
    }
    first
        .zip(second)
        .map_or(u128::MAX, |(first, second)| second.abs_diff(first))
}

fn total(part: &Part, clusters: &[usize]) -> Option<i128> {
    let cost = |(position, cluster): (usize, &usize)| part.cost(position, *cluster);
    clusters
        .iter()
        .enumerate()
        .map(cost)
        .try_fold(0_i128, |sum, cost| sum.checked_add(cost?))
}

/// Every service in `order` on the open cluster with the least score that takes it, then improved.
fn construct(
    grid: &Grid<'_>,
    part: &Part,
    order: &[usize],
    score: Score<'_>,
    teller: &mut Teller<'_>,
) -> Option<Vec<usize>> {
    let mut state = State {
        teller,
        part,
        layout: Layout::new(grid),
        members: vec![Vec::new(); grid.clusters.len()],
    };
    for &position in order {
        let domain = part.domains.get(position)?.iter().enumerate();
        let choices = domain.filter_map(|(at, cluster)| Some((score(position, at)?, *cluster)));
        let item = *part.items().get(position)?;
        let mut least: Option<(i128, usize)> = None;
        for choice in choices.clone() {
            // Whether it fits is asked of few.
            if least.is_none_or(|least| choice < least) && state.layout.fits(item, choice.1) {
                least = Some(choice);
            }
        }
        if let Some((_, cluster)) = least {
            state.put(position, cluster);
        } else {
            let mut choices: Vec<(i128, usize)> = choices.collect();
            choices.sort_unstable();
            state.make_room(position, &choices)?;
        }
    }
    state.took(part.variables());
    for _ in 0..ROUNDS {
        if state.teller.stopped() || !state.move_one() && !state.swap_two() && !state.eject_one() {
            break;
        }
    }
    part.items()
        .iter()
        .map(|item| state.layout.cluster_of(*item))
        .collect()
}

struct State<'p, 'g, 'a, 'w> {
    teller: &'p mut Teller<'w>,
    part: &'p Part,
    layout: Layout<'g, 'a>,
    /// Positions by cluster.
    members: Vec<Vec<usize>>,
}

impl State<'_, '_, '_, '_> {
    fn item(&self, position: usize) -> usize {
        self.part.items().get(position).copied().unwrap_or(usize::MAX)
    }

    /// Counts pairs that were looked at; false when the one who watches has enough.
    fn took(&mut self, pairs: usize) -> bool {
        self.teller.took(PAIR.saturating_mul(pairs as u64))
    }

    fn lift(&mut self, position: usize) {
        let item = self.item(position);
        if let Some(cluster) = self.layout.cluster_of(item) {
            self.layout.lift(item);
            if let Some(members) = self.members.get_mut(cluster) {
                members.retain(|member| *member != position);
            }
        }
    }

    fn put(&mut self, position: usize, cluster: usize) {
        self.lift(position);
        let item = self.item(position);
        self.layout.put(item, cluster);
        if let Some(members) = self.members.get_mut(cluster) {
            members.push(position);
        }
    }

    /// Puts a service that fits nowhere where another one can leave.
    fn make_room(&mut self, position: usize, choices: &[(i128, usize)]) -> Option<()> {
        for (_, cluster) in choices {
            for other in self.members.get(*cluster).cloned().unwrap_or_default() {
                self.lift(other);
                if self.layout.fits(self.item(position), *cluster) {
                    self.put(position, *cluster);
                    let elsewhere = self.part.domains.get(other)?.iter().copied();
                    let mut elsewhere = elsewhere.filter(|next| next != cluster);
                    if let Some(next) = elsewhere.find(|next| self.layout.fits(self.item(other), *next)) {
                        self.put(other, next);
                        return Some(());
                    }
                    self.lift(position);
                }
                self.put(other, *cluster);
            }
        }
        None
    }

    /// Moves every service to its cheapest cluster that takes it; true when one moved.
    fn move_one(&mut self) -> bool {
        let mut moved = false;
        for position in 0..self.part.items().len() {
            let item = self.item(position);
            let Some(now) = self.layout.cluster_of(item) else {
                continue;
            };
            let here = self.part.cost(position, now);
            let domain = self.part.domains.get(position).map_or(&[][..], Vec::as_slice);
            if !self.took(domain.len()) {
                break;
            }
            self.lift(position);
            let cheaper = domain
                .iter()
                .map(|cluster| (self.part.cost(position, *cluster), *cluster))
                .filter(|(cost, cluster)| *cost < here && self.layout.fits(item, *cluster))
                .min();
            let next = cheaper.map_or(now, |(_, cluster)| cluster);
            moved |= next != now;
            self.put(position, next);
        }
        moved
    }

    /// Moves a service to a cheaper cluster that another one leaves for it, where both together save; true when one did.
    fn eject_one(&mut self) -> bool {
        let mut moved = false;
        for position in 0..self.part.items().len() {
            let item = self.item(position);
            let Some(now) = self.layout.cluster_of(item) else {
                continue;
            };
            let part = self.part;
            let here = part.cost(position, now).unwrap_or(0);
            let domain = part.domains.get(position).map_or(&[][..], Vec::as_slice);
            let cheaper = domain
                .iter()
                .filter_map(|cluster| Some((part.cost(position, *cluster)?, *cluster)));
            let cheaper = cheaper.filter(|(cost, _)| *cost < here);
            let gain = cheaper
                .map(|(cost, cluster)| (here - cost, cluster))
                .collect::<Vec<_>>();
            if !self.took(domain.len()) {
                break;
            }
            moved |= gain
                .into_iter()
                .any(|(gain, cluster)| self.eject(position, now, cluster, gain));
        }
        moved
    }

    /// Moves `position` from `now` to `cluster`, saving `gain`, if a service there can leave for less than that.
    fn eject(&mut self, position: usize, now: usize, cluster: usize, gain: i128) -> bool {
        let item = self.item(position);
        let part = self.part;
        for other in self.members.get(cluster).cloned().unwrap_or_default() {
            let domain = part.domains.get(other).map_or(&[][..], Vec::as_slice);
            if !self.took(domain.len()) {
                break;
            }
            let its_cost = part.cost(other, cluster).unwrap_or(0);
            self.lift(position);
            self.lift(other);
            if self.layout.fits(item, cluster) {
                self.put(position, cluster);
                let next = domain
                    .iter()
                    .filter_map(|next| Some((part.cost(other, *next)?, *next)))
                    .filter(|(cost, next)| {
                        cost - its_cost < gain && self.layout.fits(self.item(other), *next)
                    })
                    .min();
                if let Some((_, next)) = next {
                    self.put(other, next);
                    return true;
                }
            }
            self.put(position, now);
            self.put(other, cluster);
        }
        false
    }

    /// Swaps pairs of services while that is cheaper; true when one pair was.
    fn swap_two(&mut self) -> bool {
        let mut swapped = false;
        for one in 0..self.part.items().len() {
            if !self.took(self.part.items().len() - one) {
                break;
            }
            for other in one + 1..self.part.items().len() {
                swapped |= self.swap(one, other);
            }
        }
        swapped
    }

    fn swap(&mut self, one: usize, other: usize) -> bool {
        let (first, second) = (self.item(one), self.item(other));
        let (Some(a), Some(b)) = (self.layout.cluster_of(first), self.layout.cluster_of(second)) else {
            return false;
        };
        let part = self.part;
        let saving = || {
            let after = part.cost(one, b)?.checked_add(part.cost(other, a)?)?;
            let before = part.cost(one, a)?.checked_add(part.cost(other, b)?)?;
            Some(after < before)
        };
        if a == b || saving() != Some(true) {
            return false;
        }
        self.lift(one);
        self.lift(other);
        if self.layout.fits(first, b) {
            self.put(one, b);
            if self.layout.fits(second, a) {
                self.put(other, a);
                return true;
            }
        }
        self.put(one, a);
        self.put(other, b);
        false
    }
}
