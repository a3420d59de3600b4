//! What looks at more than one service on one cluster: links, their limits and what they carry, spreads, groups.

use super::draft::{Draft, FAULT, on};
use crate::placement::IntegerModel;
use crate::placement::breach::BANDWIDTH_UNIT;
use crate::placement::integers::IntegerDomains;

/// One of them, by its number in the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Faulty {
    Link(usize),
    Limit(usize),
    Spread(usize),
    Availability(usize),
    Together(usize),
    Apart(usize),
}

impl Faulty {
    /// The services that it looks at.
    pub(super) fn services(self, model: &IntegerModel<'_>) -> Vec<usize> {
        match self {
            Self::Link(link) => vec![model.links[link].from, model.links[link].to],
            Self::Limit(limit) => vec![model.limits[limit].from, model.limits[limit].to],
            Self::Spread(spread) => vec![model.spreads[spread].service],
            Self::Availability(wanted) => vec![model.availability[wanted].service],
            Self::Together(group) => model.together[group].services.clone(),
            Self::Apart(group) => model.apart[group].services.clone(),
        }
    }

    pub(super) fn all(model: &IntegerModel<'_>) -> Vec<Self> {
        let links = (0..model.links.len()).map(Self::Link);
        let limits = (0..model.limits.len()).map(Self::Limit);
        let spreads = (0..model.spreads.len()).map(Self::Spread);
        let availability = (0..model.availability.len()).map(Self::Availability);
        let together = (0..model.together.len()).map(Self::Together);
        let apart = (0..model.apart.len()).map(Self::Apart);
        links
            .chain(limits)
            .chain(spreads)
            .chain(availability)
            .chain(together)
            .chain(apart)
            .collect()
    }
}

/// By service, what looks at it.
pub(super) fn faulty_by_service(model: &IntegerModel<'_>) -> Vec<Vec<Faulty>> {
    let mut by_service = vec![Vec::new(); model.services.len()];
    for faulty in Faulty::all(model) {
        for service in faulty.services(model) {
            by_service[service].push(faulty);
        }
    }
    by_service
}

impl Draft<'_, '_> {
    /// Adds what one of them costs, `sign` times.
    pub(super) fn weigh(&mut self, faulty: Faulty, sign: i128) {
        match faulty {
            Faulty::Link(link) => self.weigh_link(link, sign),
            Faulty::Limit(limit) => self.weigh_limit(limit, sign),
            Faulty::Spread(spread) => self.weigh_spread(spread, sign),
            Faulty::Availability(wanted) => {
                let wanted = &self.model.availability[wanted];
                let (domains, _) = self.by_domain(wanted.service, &wanted.domains);
                let used = domains.iter().filter(|count| **count > 0).count();
                self.charge(wanted.price, i128::from(used < 2), sign);
            }
            Faulty::Together(group) => self.weigh_together(group, sign),
            Faulty::Apart(group) => self.weigh_apart(group, sign),
        }
    }

    fn weigh_link(&mut self, number: usize, sign: i128) {
        let link = &self.model.links[number];
        let path = &self.model.paths[link.path];
        let clusters = self.model.clusters.len();
        let parts = |service: usize, count: u32| {
            if self.model.services[service].split {
                i128::from(count)
            } else {
                1
            }
        };
        let (mut amounts, mut carried) = (Vec::new(), Vec::new());
        for (here, leaving) in &self.spots[link.from] {
            for (there, arriving) in &self.spots[link.to] {
                let share = parts(link.from, *leaving) * parts(link.to, *arriving);
                amounts.push((here * clusters + there, share));
                if let Some(pair) = self.limited.get(&(*here.min(there), *here.max(there))) {
                    carried.push((*pair, share * i128::from(link.traffic)));
                }
            }
        }
        for (at, share) in amounts {
            self.add_all(&path[at], sign * share);
        }
        for (pair, amount) in carried {
            self.weigh_carried(pair, -1);
            self.carried[pair] += sign * amount;
            self.weigh_carried(pair, 1);
        }
    }

    /// What two clusters carry too much between them.
    fn weigh_carried(&mut self, pair: usize, sign: i128) {
        let over = self.carried[pair] - i128::from(self.model.bandwidth[pair].2);
        if over <= 0 {
            return;
        }
        match self.model.congestion {
            Some(price) => {
                let unit = BANDWIDTH_UNIT.cast_signed();
                self.charge(Some(price), (over + unit - 1) / unit, sign);
            }
            None => {
                let faults = self.yard.of_traffic(over);
                self.add_faults(sign * faults);
            }
        }
    }

    fn weigh_limit(&mut self, number: usize, sign: i128) {
        let limit = &self.model.limits[number];
        let near = &self.model.near[limit.near];
        let clusters = self.model.clusters.len();
        let mut far = 0;
        for (here, _) in &self.spots[limit.from] {
            let there = self.spots[limit.to].iter();
            far += there.filter(|(there, _)| !near[here * clusters + there]).count();
        }
        self.charge(limit.price, far as i128, sign);
    }

    fn weigh_spread(&mut self, number: usize, sign: i128) {
        let spread = &self.model.spreads[number];
        let (domains, outside) = self.by_domain(spread.service, &spread.domains);
        let excess = spread.excess(&domains, outside);
        self.charge(spread.price, excess, sign);
    }

    fn weigh_together(&mut self, number: usize, sign: i128) {
        let group = &self.model.together[number];
        let mut apart = 0;
        for (at, one) in group.services.iter().enumerate() {
            let here = &self.spots[*one];
            for other in &group.services[at + 1..] {
                let there = &self.spots[*other];
                apart += here
                    .iter()
                    .filter(|(cluster, _)| on(there, *cluster) == 0)
                    .count();
                apart += there
                    .iter()
                    .filter(|(cluster, _)| on(here, *cluster) == 0)
                    .count();
            }
        }
        self.charge(group.price, apart as i128, sign);
    }

    fn weigh_apart(&mut self, number: usize, sign: i128) {
        let group = &self.model.apart[number];
        let mut members = vec![0_i128; group.domains.count];
        let mut outside = 0;
        for service in &group.services {
            let (domains, out) = self.by_domain(*service, &group.domains);
            outside += out;
            for (members, count) in members.iter_mut().zip(domains) {
                *members += i128::from(count > 0);
            }
        }
        let crowded: i128 = members.iter().map(|members| (members - 1).max(0)).sum();
        self.charge(group.price, crowded + outside, sign);
    }

    /// The replicas of a service in every domain, and those in none.
    fn by_domain(&self, service: usize, domains: &IntegerDomains) -> (Vec<i128>, i128) {
        let mut counts = vec![0; domains.count];
        let mut outside = 0;
        for (cluster, count) in &self.spots[service] {
            let count = i128::from(*count);
            match domains.of[*cluster].and_then(|domain| counts.get_mut(domain)) {
                Some(slot) => *slot += count,
                None => outside += count,
            }
        }
        (counts, outside)
    }

    /// Services that something broken looks at, and those on clusters with too little room.
    pub(super) fn suspects(&mut self) -> Vec<usize> {
        let mut suspects = Vec::new();
        for faulty in Faulty::all(self.model) {
            let before = self.broken();
            self.weigh(faulty, -1);
            let without = self.broken();
            self.weigh(faulty, 1);
            if without + FAULT <= before {
                suspects.extend(faulty.services(self.model));
            }
        }
        let resources = self.model.resources.len();
        let full = |cluster: usize| {
            let has = self.model.capacity[cluster].iter();
            let load = &self.load[cluster * resources..];
            let mut rows = has.zip(load);
            rows.any(|(has, load)| has.is_some_and(|has| *load > u128::from(has)))
        };
        let crowded: Vec<bool> = (0..self.members.len()).map(full).collect();
        for (service, spots) in self.spots.iter().enumerate() {
            if spots.iter().any(|(cluster, _)| crowded[*cluster]) {
                suspects.push(service);
            }
        }
        suspects.sort_unstable();
        suspects.dedup();
        suspects
    }
}
