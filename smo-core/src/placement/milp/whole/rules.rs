//! The rows of every rule. A wish has a variable for how much it is not kept, which costs points.

use super::{Builder, Terms, Var};
use crate::milp::Relation;
use crate::placement::breach::BANDWIDTH_UNIT;
use crate::placement::integers::{IntegerDomains, IntegerSpread, Price};
use crate::placement::{Goal, PlacementError};

impl Builder<'_, '_> {
    /// Writes every rule but those about goals.
    pub(super) fn rules(&mut self) -> Result<(), PlacementError> {
        self.capacity();
        self.limits();
        self.spreads();
        self.availability();
        self.together();
        self.apart();
        self.finality();
        Ok(())
    }

    /// A variable of up to `most` for how much a wish is not kept; `None` for a rule.
    pub(super) fn slack(&mut self, price: Price, most: i128) -> Option<Var> {
        let price = price?;
        let slack = self.draft.integer(most);
        self.draft.add_to(Goal::Preference, slack, price.into());
        Some(slack)
    }

    fn capacity(&mut self) {
        let model = self.model;
        for (cluster, row) in model.capacity.iter().enumerate() {
            for (resource, capacity) in row.iter().enumerate() {
                let Some(capacity) = capacity.map(i128::from) else {
                    continue;
                };
                let mut terms = Terms::new();
                let mut all = 0_i128;
                for (number, service) in model.services.iter().enumerate() {
                    let need = service.need.get(resource).copied().map_or(0, i128::from);
                    if let Some(term) = self.replicas(number, cluster, need).filter(|_| need > 0) {
                        terms.push(term);
                        all = all.saturating_add(need.saturating_mul(service.replicas.into()));
                    }
                }
                if all <= capacity {
                    continue;
                }
                let unit = model.overload_units.get(resource).copied().map_or(1, i128::from);
                let most = (all - capacity) / unit + 1;
                if let Some(slack) = self.slack(model.overload, most) {
                    terms.push((slack, -unit));
                }
                self.draft.row(terms, Relation::AtMost, capacity);
            }
        }
    }

    fn limits(&mut self) {
        let model = self.model;
        let clusters = model.clusters.len();
        for limit in &model.limits {
            let near = |from: usize, to: usize| {
                let table = model.near.get(limit.near);
                table
                    .and_then(|table| table.get(from * clusters + to))
                    .copied()
                    .unwrap_or(false)
            };
            let single = |service: usize| model.services.get(service).is_some_and(|service| !service.split);
            for &from in self.open(limit.from) {
                let Some(here) = self.used(limit.from, from) else {
                    continue;
                };
                let far = self.open(limit.to).iter().copied().filter(|to| !near(from, *to));
                let far: Vec<usize> = far.collect();
                // A service of one cluster is on a near one, or it is not: one row for all.
                if limit.price.is_none() && single(limit.to) && !far.is_empty() {
                    let there = self.open(limit.to).iter().filter(|to| near(from, **to));
                    let there = there
                        .filter_map(|to| self.used(limit.to, *to))
                        .map(|there| (there, -1));
                    let terms: Terms = there.chain([(here, 1)]).collect();
                    self.draft.row(terms, Relation::AtMost, 0);
                    continue;
                }
                for to in far {
                    let Some(there) = self.used(limit.to, to) else {
                        continue;
                    };
                    let mut terms = vec![(here, 1), (there, 1)];
                    terms.extend(self.slack(limit.price, 1).map(|slack| (slack, -1)));
                    self.draft.row(terms, Relation::AtMost, 1);
                }
            }
        }
    }

    /// A variable a domain that is 1 exactly where the service uses a cluster of it; `None` where it cannot.
    fn domains_used(&mut self, service: usize, domains: &IntegerDomains) -> Vec<Option<Var>> {
        let mut members: Vec<Vec<Var>> = vec![Vec::new(); domains.count];
        for &cluster in self.open(service) {
            let domain = domains.of.get(cluster).copied().flatten();
            let members = domain.and_then(|domain| members.get_mut(domain));
            if let (Some(members), Some(used)) = (members, self.used(service, cluster)) {
                members.push(used);
            }
        }
        let mut variables = Vec::new();
        for members in members {
            variables.push(match members.as_slice() {
                [] => None,
                [one] => Some(*one),
                many => {
                    let used = self.draft.binary();
                    for member in many {
                        self.draft.row([(*member, 1), (used, -1)], Relation::AtMost, 0);
                    }
                    let any = many.iter().map(|member| (*member, -1));
                    self.draft.row(any.chain([(used, 1)]), Relation::AtMost, 0);
                    Some(used)
                }
            });
        }
        variables
    }

    /// Points for the replicas of a service on clusters in no domain.
    fn outside(&mut self, service: usize, domains: &IntegerDomains, price: Price) {
        let Some(price) = price else { return };
        for &cluster in self.open(service) {
            if domains.of.get(cluster).copied().flatten().is_none()
                && let Some((variable, factor)) = self.replicas(service, cluster, price.into())
            {
                self.draft.add_to(Goal::Preference, variable, factor);
            }
        }
    }

    fn spreads(&mut self) {
        for spread in &self.model.spreads {
            self.outside(spread.service, &spread.domains, spread.price);
            let used = self.domains_used(spread.service, &spread.domains);
            let used: Terms = used.into_iter().flatten().map(|used| (used, 1)).collect();
            if spread.min_groups > 0 {
                let slack = self.slack(spread.price, spread.min_groups.into());
                let terms = used.iter().copied().chain(slack.map(|slack| (slack, 1)));
                let terms: Terms = terms.collect();
                self.draft.row(terms, Relation::AtLeast, spread.min_groups.into());
            }
            if let Some(most) = spread.max_groups {
                let slack = self.slack(spread.price, spread.domains.count as i128);
                let terms = used.iter().copied().chain(slack.map(|slack| (slack, -1)));
                let terms: Terms = terms.collect();
                self.draft.row(terms, Relation::AtMost, most.into());
            }
            self.skew(spread);
        }
    }

    fn skew(&mut self, spread: &IntegerSpread) {
        let Some(most) = spread.max_skew else { return };
        let all = self
            .model
            .services
            .get(spread.service)
            .map_or(0, |service| service.replicas);
        let mut counts: Vec<Terms> = vec![Terms::new(); spread.domains.count];
        for &cluster in self.open(spread.service) {
            let domain = spread.domains.of.get(cluster).copied().flatten();
            let count = domain.and_then(|domain| counts.get_mut(domain));
            if let (Some(count), Some(term)) = (count, self.replicas(spread.service, cluster, 1)) {
                count.push(term);
            }
        }
        let slack = self.slack(spread.price, all.into());
        for (full, fullest) in counts.iter().enumerate() {
            for (empty, emptiest) in counts.iter().enumerate() {
                let usable = spread.usable.get(empty).copied().unwrap_or(false);
                if full == empty || fullest.is_empty() || !usable {
                    continue;
                }
                let less = emptiest.iter().map(|(variable, factor)| (*variable, -factor));
                let terms = fullest.iter().copied().chain(less);
                let terms = terms.chain(slack.map(|slack| (slack, -1)));
                let terms: Terms = terms.collect();
                self.draft.row(terms, Relation::AtMost, most.into());
            }
        }
    }

    fn availability(&mut self) {
        for wanted in &self.model.availability {
            let used = self.domains_used(wanted.service, &wanted.domains);
            let slack = self.slack(wanted.price, 1);
            let used = used.into_iter().flatten().map(|used| (used, 1));
            // One wish for a service in one domain or in none.
            let terms: Terms = used.chain(slack.map(|slack| (slack, 2))).collect();
            self.draft.row(terms, Relation::AtLeast, 2);
        }
    }

    fn together(&mut self) {
        let clusters = 0..self.model.clusters.len();
        for group in &self.model.together {
            for (position, &one) in group.services.iter().enumerate() {
                let others = group.services.iter().skip(position + 1);
                // As a rule it is enough that each does as the next one does.
                let others = others.take(if group.price.is_none() { 1 } else { usize::MAX });
                for &other in others {
                    for cluster in clusters.clone() {
                        let here = self.used(one, cluster).map(|used| (used, 1));
                        let there = self.used(other, cluster).map(|used| (used, -1));
                        let both: Terms = here.into_iter().chain(there).collect();
                        if both.is_empty() {
                            continue;
                        }
                        let Some(slack) = self.slack(group.price, 1) else {
                            self.draft.row(both, Relation::Equal, 0);
                            continue;
                        };
                        let less = both.iter().copied().chain([(slack, -1)]);
                        let more = both.iter().copied().chain([(slack, 1)]);
                        let (less, more): (Terms, Terms) = (less.collect(), more.collect());
                        self.draft.row(less, Relation::AtMost, 0);
                        self.draft.row(more, Relation::AtLeast, 0);
                    }
                }
            }
        }
    }

    fn apart(&mut self) {
        for group in &self.model.apart {
            let mut members: Vec<Terms> = vec![Terms::new(); group.domains.count];
            for &service in &group.services {
                self.outside(service, &group.domains, group.price);
                let used = self.domains_used(service, &group.domains);
                for (members, used) in members.iter_mut().zip(used) {
                    members.extend(used.map(|used| (used, 1)));
                }
            }
            for mut terms in members.into_iter().filter(|terms| terms.len() > 1) {
                let slack = self.slack(group.price, terms.len() as i128);
                terms.extend(slack.map(|slack| (slack, -1)));
                self.draft.row(terms, Relation::AtMost, 1);
            }
        }
    }

    /// What is final and split keeps every replica in place; the wish for it costs per moved replica, with the goals.
    fn finality(&mut self) {
        let model = self.model;
        for (number, service) in model.services.iter().enumerate() {
            if service.stays != Some(None) {
                continue;
            }
            let relation = if service.replicas >= service.running {
                Relation::AtLeast
            } else {
                Relation::AtMost
            };
            for (cluster, now) in service.now.iter().enumerate() {
                let term = self.replicas(number, cluster, 1);
                self.draft.row(term, relation, (*now).into());
            }
        }
    }

    /// The traffic between two clusters fits, where that is limited. `carried` is by pair of clusters, the lesser first.
    pub(super) fn bandwidth(&mut self, carried: &mut std::collections::BTreeMap<(usize, usize), Terms>) {
        let unit = i128::try_from(BANDWIDTH_UNIT).unwrap_or(1);
        for &(from, to, capacity) in &self.model.bandwidth {
            let Some(mut terms) = carried.remove(&(from, to)) else {
                continue;
            };
            let all: i128 = terms
                .iter()
                .map(|(variable, factor)| self.draft.most(*variable).saturating_mul(*factor))
                .fold(0, i128::saturating_add);
            let most = (all.saturating_sub(capacity.into())).max(0) / unit + 1;
            terms.extend(
                self.slack(self.model.congestion, most)
                    .map(|slack| (slack, -unit)),
            );
            self.draft.row(terms, Relation::AtMost, capacity.into());
        }
    }
}
