//! What placements on the way break that neither the first nor the last one does.

use std::collections::{BTreeMap, BTreeSet};

use crate::id::ServiceKey;
use crate::placement::rules::{
    Available, Capacity, CoLocated, Demand, Final, KeptApart, Latency, Spreading, too_long,
};
use crate::placement::{Breach, LinkDemand, Placement, PlacementProblem, Rule, verify};

/// Something that is broken: the number of the rule, links last, and what it says.
pub(super) type Broken = BTreeSet<(usize, String)>;

/// The rules that look at more than one service on one cluster. The others hold on the way, because they hold wherever a
/// service starts, stops over and ends.
#[derive(Debug)]
pub(super) struct Meanwhile<'a> {
    problem: &'a PlacementProblem,
    /// Those that look at a service and those it has to do with.
    near: Vec<(usize, &'a dyn Rule)>,
    /// By service, its links that have a limit.
    links: BTreeMap<&'a ServiceKey, Vec<&'a LinkDemand>>,
    /// Those that look at everything.
    wide: Vec<(usize, &'a dyn Rule)>,
    /// By service that one of the near rules looks at, the others that it looks at then.
    ties: BTreeMap<&'a ServiceKey, BTreeSet<&'a ServiceKey>>,
    /// What is broken before or after is not the doing of an order.
    known: BTreeSet<String>,
}

impl<'a> Meanwhile<'a> {
    pub(super) fn new(problem: &'a PlacementProblem, from: &Placement, to: &Placement) -> Self {
        let local = [
            Spreading.name(),
            Available.name(),
            KeptApart.name(),
            CoLocated.name(),
            Final.name(),
        ];
        let mut links: BTreeMap<&ServiceKey, Vec<&LinkDemand>> = BTreeMap::new();
        let mut hard = problem.hard_rules();
        if hard.any(|rule| rule.name() == Latency.name()) {
            for link in problem.links.iter().filter(|link| !link.limit.is_none()) {
                links.entry(&link.from).or_default().push(link);
                links.entry(&link.to).or_default().push(link);
            }
        }
        // Links are looked at by themselves. Replicas that do not run yet and room that is missing come with doing one thing after the other.
        let apart = [Latency.name(), Capacity.name(), Demand.name()];
        let coupled = problem
            .hard_rules()
            .filter(|rule| rule.couples(problem) && !apart.contains(&rule.name()));
        let (near, wide) = coupled
            .enumerate()
            .partition(|(_, rule)| local.contains(&rule.name()));
        let ends = [from, to].map(|placement| verify(problem, placement));
        Self {
            problem,
            near,
            wide,
            links,
            ties: ties(problem),
            known: ends.iter().flatten().map(ToString::to_string).collect(),
        }
    }

    /// The services that a rule looks at together with this one; `None` where no rule looks at it on the way.
    pub(super) fn ties(&self, service: &ServiceKey) -> Option<&BTreeSet<&'a ServiceKey>> {
        self.ties.get(service)
    }

    /// What is broken because of where one service is. It asks only where those are that the service is tied to.
    pub(super) fn about(&self, placement: &Placement, service: &ServiceKey) -> Broken {
        if !self.ties.contains_key(service) {
            return Broken::new();
        }
        let of_rule = |(number, rule): &(usize, &dyn Rule)| {
            let breaches = rule.breaches_about(self.problem, placement, service);
            self.news(*number, breaches)
        };
        let mut broken: Broken = self.near.iter().flat_map(of_rule).collect();
        let links = self.links.get(service).into_iter().flatten().copied();
        broken.extend(self.news(usize::MAX, too_long(self.problem, placement, links)));
        broken
    }

    /// What rules that look at everything say.
    pub(super) fn about_all(&self, placement: &Placement) -> Broken {
        let of_rule = |(number, rule): &(usize, &dyn Rule)| {
            let breaches = rule.breaches(self.problem, placement);
            self.news(*number, breaches)
        };
        self.wide.iter().flat_map(of_rule).collect()
    }

    fn news(&self, number: usize, breaches: Vec<Breach>) -> Vec<(usize, String)> {
        let hard = breaches.into_iter().filter(|breach| breach.price().is_none());
        let texts = hard.map(|breach| breach.to_string());
        texts
            .filter(|text| !self.known.contains(text))
            .map(|text| (number, text))
            .collect()
    }
}

fn ties(problem: &PlacementProblem) -> BTreeMap<&ServiceKey, BTreeSet<&ServiceKey>> {
    let mut ties: BTreeMap<&ServiceKey, BTreeSet<&ServiceKey>> = BTreeMap::new();
    let linked = problem.links.iter().filter(|link| !link.limit.is_none());
    for link in linked {
        ties.entry(&link.from).or_default().insert(&link.to);
        ties.entry(&link.to).or_default().insert(&link.from);
    }
    let together = problem.co_location.iter().map(|group| &group.services);
    let apart = problem.anti_affinity.iter().map(|group| &group.services);
    for group in together.chain(apart) {
        for service in group {
            ties.entry(service).or_default().extend(group);
        }
    }
    for (service, demand) in &problem.services {
        if !demand.spread.is_empty() || demand.high_availability.is_some() || demand.final_placement {
            ties.entry(service).or_default();
        }
    }
    ties
}
