//! Where every replica is, what that adds to every goal, and how much of it breaks rules: kept up to date move by move.

use std::collections::BTreeMap;

use super::code::Code;
use super::faults::{Faulty, faulty_by_service};
use super::yardstick::Yardstick;
use crate::placement::goals::FULL;
use crate::placement::integers::weighted;
use crate::placement::{Assignment, Goal, IntegerModel, Placement, Totals};

/// How many goals there are.
pub(super) const GOALS: usize = Goal::ALL.len();

/// What one thing that is broken counts for.
pub(super) const FAULT: i128 = 1_000;

/// Replicas of a service on a cluster.
pub(super) type Spot = (usize, u32);

/// Replicas of a service that go from one cluster to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shift {
    pub(super) service: usize,
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) count: u32,
}

impl Shift {
    /// What undoes it.
    pub(super) const fn back(self) -> Self {
        Self {
            from: self.to,
            to: self.from,
            ..self
        }
    }
}

/// A placement in the making.
#[derive(Debug)]
pub(super) struct Draft<'m, 'a> {
    pub(super) model: &'m IntegerModel<'a>,
    /// By service, where its replicas are.
    pub(super) spots: Vec<Vec<Spot>>,
    /// By cluster and resource, what is taken.
    pub(super) load: Vec<u128>,
    /// By cluster, the services that use it, in any order.
    pub(super) members: Vec<Vec<usize>>,
    /// By limited pair of clusters, what their links carry.
    pub(super) carried: Vec<i128>,
    /// The number of a limited pair, by its clusters, the lower first.
    pub(super) limited: BTreeMap<(usize, usize), usize>,
    /// By cluster, how full it is, in hundredths of a percent; 0 where nothing runs.
    full: Vec<i128>,
    /// By goal, in base units.
    totals: [i128; GOALS],
    /// How much is broken, in thousandths of a thing; budgets and ceilings left out, which follow from the totals.
    faults: i128,
    by_service: Vec<Vec<Faulty>>,
    pub(super) yard: Yardstick,
    pub(super) code: Option<Code<'a>>,
}

/// A draft as the search sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Standing {
    /// In units of value; saturates.
    pub(super) value: i128,
    /// How much is broken, in thousandths of a thing.
    pub(super) faults: i128,
    /// How uneven clusters are, which helps where the fullest cluster or the number of clusters counts: no single move changes those.
    pub(super) uneven: f64,
}

impl<'m, 'a> Draft<'m, 'a> {
    /// `spots` has a cluster that is open to it for every replica of every service.
    pub(super) fn new(model: &'m IntegerModel<'a>, spots: Vec<Vec<Spot>>, code: Option<Code<'a>>) -> Self {
        let limited = model.bandwidth.iter().enumerate();
        let mut draft = Self {
            model,
            spots: vec![Vec::new(); model.services.len()],
            load: vec![0; model.clusters.len() * model.resources.len()],
            members: vec![Vec::new(); model.clusters.len()],
            carried: vec![0; model.bandwidth.len()],
            limited: limited.map(|(number, (a, b, _))| ((*a, *b), number)).collect(),
            full: vec![0; model.clusters.len()],
            totals: [0; GOALS],
            faults: 0,
            by_service: faulty_by_service(model),
            yard: Yardstick::of(model),
            code,
        };
        draft.place(spots);
        draft
    }

    /// Puts everything where `spots` says.
    pub(super) fn place(&mut self, spots: Vec<Vec<Spot>>) {
        self.load.fill(0);
        self.members.iter_mut().for_each(Vec::clear);
        self.carried.fill(0);
        self.totals = [0; GOALS];
        self.faults = 0;
        self.spots = spots;
        for service in 0..self.spots.len() {
            for (cluster, count) in self.spots[service].clone() {
                self.hold(service, cluster, count.into());
                self.members[cluster].push(service);
            }
            self.weigh_service(service, 1);
            if let Some(code) = &mut self.code {
                code.set(service, assignment(self.model, &self.spots[service]));
            }
        }
        for cluster in 0..self.members.len() {
            self.fill_up(cluster);
            self.weigh_cluster(cluster, 1);
        }
        let mut all: Vec<Faulty> = self.by_service.concat();
        all.sort_unstable();
        all.dedup();
        all.into_iter().for_each(|faulty| self.weigh(faulty, 1));
    }

    /// Moves replicas; the service has at least so many on `from`.
    pub(super) fn apply(&mut self, shift: Shift) {
        let Shift {
            service,
            from,
            to,
            count,
        } = shift;
        self.weigh_around(service, -1);
        for cluster in [from, to] {
            self.weigh_cluster(cluster, -1);
        }
        let spots = &mut self.spots[service];
        if let Some(at) = spots.iter().position(|(cluster, _)| *cluster == from) {
            spots[at].1 -= count;
            if spots[at].1 == 0 {
                spots.swap_remove(at);
                let members = &mut self.members[from];
                if let Some(at) = members.iter().position(|member| *member == service) {
                    members.swap_remove(at);
                }
            }
        }
        match spots.iter_mut().find(|(cluster, _)| *cluster == to) {
            Some((_, there)) => *there += count,
            None => {
                spots.push((to, count));
                self.members[to].push(service);
            }
        }
        self.hold(service, from, -i128::from(count));
        self.hold(service, to, count.into());
        for cluster in [from, to] {
            self.fill_up(cluster);
            self.weigh_cluster(cluster, 1);
        }
        self.weigh_around(service, 1);
        if let Some(code) = &mut self.code {
            code.set(service, assignment(self.model, &self.spots[service]));
        }
    }

    /// What it comes to, goal by goal; `None` where an amount does not fit.
    pub(super) fn amounts(&self) -> Option<Totals> {
        let (totals, _) = self.totals_and_faults();
        let mut amounts = Totals::default();
        for (goal, total) in Goal::ALL.into_iter().zip(totals) {
            amounts.set(goal, i64::try_from(total).ok()?);
        }
        Some(amounts)
    }

    /// The same with what budgets cost that are wishes, and how much is broken, budgets included.
    fn totals_and_faults(&self) -> ([i128; GOALS], i128) {
        let mut totals = self.totals;
        let mut faults = self.faults;
        if self.yard.balance {
            totals[Goal::Balance.number()] = self.full.iter().copied().max().unwrap_or(0);
        }
        for (budget, price) in &self.model.budgets {
            let goal = budget.goal.number();
            let over = totals[goal] - i128::from(budget.at_most);
            if over <= 0 {
                continue;
            }
            match price {
                None => faults += self.yard.of_goal(goal, over),
                Some(price) => {
                    let steps = (over + i128::from(budget.step()) - 1) / i128::from(budget.step()).max(1);
                    totals[Goal::Preference.number()] += steps.saturating_mul((*price).into());
                }
            }
        }
        (totals, faults)
    }

    /// How it stands.
    pub(super) fn standing(&self) -> Standing {
        let (totals, mut faults) = self.totals_and_faults();
        for (weights, at_most) in &self.yard.ceilings {
            let over = weighted(weights, &totals).saturating_sub(*at_most);
            if over > 0 {
                faults += self.yard.of_value(over, weights);
            }
        }
        let (value, broken) = match &self.code {
            Some(code) => code.judge(),
            None => (weighted(&self.model.weights, &totals), 0),
        };
        Standing {
            value,
            faults: faults.saturating_add(broken),
            uneven: self.uneven(),
        }
    }

    fn uneven(&self) -> f64 {
        if self.yard.uneven == 0.0 {
            return 0.0;
        }
        let square = |full: &i128| (*full as f64 / FULL as f64).powi(2);
        self.yard.uneven * self.full.iter().map(square).sum::<f64>()
    }

    /// Replicas of a service on a cluster.
    pub(super) fn on(&self, service: usize, cluster: usize) -> u32 {
        on(&self.spots[service], cluster)
    }

    pub(super) fn add(&mut self, goal: Goal, amount: i128) {
        self.totals[goal.number()] += amount;
    }

    /// How much is broken, budgets and ceilings left out.
    pub(super) const fn broken(&self) -> i128 {
        self.faults
    }

    pub(super) fn add_faults(&mut self, faults: i128) {
        self.faults += faults;
    }

    /// What is wished costs points, what is a rule is broken: `amount` of it.
    pub(super) fn charge(&mut self, price: Option<i64>, amount: i128, sign: i128) {
        match price {
            _ if amount == 0 => {}
            Some(price) => self.add(
                Goal::Preference,
                amount.saturating_mul(price.into()).saturating_mul(sign),
            ),
            None => self.faults += sign * amount.saturating_mul(FAULT),
        }
    }

    fn weigh_around(&mut self, service: usize, sign: i128) {
        self.weigh_service(service, sign);
        for at in 0..self.by_service[service].len() {
            let faulty = self.by_service[service][at];
            self.weigh(faulty, sign);
        }
    }

    /// What a service adds by itself.
    fn weigh_service(&mut self, number: usize, sign: i128) {
        let service = &self.model.services[number];
        for at in 0..self.spots[number].len() {
            let (cluster, count) = self.spots[number][at];
            if let Ok(position) = service.open.binary_search(&cluster) {
                let parts = if service.split { i128::from(count) } else { 1 };
                self.add_all(&service.amounts[position], sign * parts);
            }
        }
        if !service.split {
            return;
        }
        self.add(Goal::Placements, sign);
        let stay: u32 = service
            .now
            .iter()
            .enumerate()
            .filter(|(_, now)| **now > 0)
            .map(|(cluster, now)| self.on(number, cluster).min(*now))
            .fold(0, u32::saturating_add);
        let moved = i128::from(service.running.min(service.replicas).saturating_sub(stay));
        if moved > 0 {
            self.add(Goal::Moves, sign);
            self.add(Goal::MovedReplicas, sign * moved);
            let state = i128::from(service.demand.state.get());
            self.add(Goal::MovedState, sign * moved * state);
            if let Some(price) = service.stays {
                self.charge(price, moved, sign);
            }
        }
    }

    pub(super) fn add_all(&mut self, amounts: &Totals, times: i128) {
        for (goal, total) in Goal::ALL.into_iter().zip(&mut self.totals) {
            *total += i128::from(amounts.of(goal)).saturating_mul(times);
        }
    }

    /// What a cluster is over its capacity, and that it is used.
    fn weigh_cluster(&mut self, cluster: usize, sign: i128) {
        let resources = self.model.resources.len();
        for resource in 0..resources {
            let Some(has) = self.model.capacity[cluster][resource] else {
                continue;
            };
            let load = self.load[cluster * resources + resource];
            let Some(over) = load.checked_sub(has.into()).filter(|over| *over > 0) else {
                continue;
            };
            match self.model.overload {
                Some(price) => {
                    let units = over.div_ceil(self.model.overload_units[resource].max(1).into());
                    let units = i128::try_from(units).unwrap_or(i128::MAX);
                    self.charge(Some(price), units, sign);
                }
                None => self.faults += sign * self.yard.of_need(resource, over),
            }
        }
        if !self.members[cluster].is_empty() {
            self.add(Goal::Consolidation, sign);
        }
    }

    fn hold(&mut self, service: usize, cluster: usize, count: i128) {
        let resources = self.model.resources.len();
        let need = &self.model.services[service].need;
        for (load, need) in self.load[cluster * resources..].iter_mut().zip(need) {
            *load = load.wrapping_add_signed(i128::from(*need) * count);
        }
    }

    /// Counts anew how full a cluster is.
    fn fill_up(&mut self, cluster: usize) {
        if !self.yard.balance && self.yard.uneven == 0.0 {
            return;
        }
        let resources = self.model.resources.len();
        let mut fullest = 0;
        for (resource, size) in self.model.sizes[cluster].iter().enumerate() {
            let load = self.load[cluster * resources + resource];
            if let Some(size) = size.filter(|size| size.whole > 0 && load > 0) {
                let used = load.saturating_add(size.taken.into()).saturating_mul(FULL);
                fullest = fullest.max(used.div_ceil(size.whole.into()));
            }
        }
        self.full[cluster] = i128::try_from(fullest).unwrap_or(i128::MAX);
    }

    /// What it takes to make a change, about, in nanoseconds.
    pub(super) fn effort(&self, shift: Shift) -> u64 {
        let links = self.by_service[shift.service].len() as u64;
        let rows = self.model.resources.len() as u64;
        400 + 60 * links + 20 * rows + self.members.len() as u64
    }

    /// The placement it stands for.
    pub(super) fn placement(&self) -> Placement {
        let services = self.model.services.iter().zip(&self.spots);
        services
            .map(|(service, spots)| (service.key.clone(), assignment(self.model, spots)))
            .collect()
    }
}

/// Replicas on a cluster.
pub(super) fn on(spots: &[Spot], cluster: usize) -> u32 {
    let there = spots.iter().find(|(at, _)| *at == cluster);
    there.map_or(0, |(_, count)| *count)
}

fn assignment(model: &IntegerModel<'_>, spots: &[Spot]) -> Assignment {
    let mut spots = spots.to_vec();
    spots.sort_unstable();
    let named = spots.into_iter().filter_map(|(cluster, count)| {
        let name = model.clusters.get(cluster)?;
        Some(((*name).clone(), count))
    });
    Assignment::from_iter(named)
}
