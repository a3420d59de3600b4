//! Writing a problem in the shape of its file, exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::Number;

use super::super::{
    AntiAffinityGroup, Budget, Ceiling, ClusterSupply, CoLocationGroup, Goal, Goals, HighAvailability,
    LinkDemand, Mode, PlacementProblem, ServiceDemand, Spread, Weight,
};
use super::reader;
use super::reader_rules::{VALUE_DECIMALS, decimals};
use super::schema;
use crate::cluster::schema::{Carbon, Egress as EgressPrices, Pair, Ready, Scalar, Status};
use crate::cluster::{CarbonProfile, CarbonSignal, DomainKey, Egress, Network, Path, Price, Readiness};
use crate::id::ClusterName;
use crate::resources::Resources;
use crate::units::{Bytes, DataRate, Latency, Money, decimal};
use crate::yaml::Node;

/// Why a problem cannot be written to a file: everything that has no place there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unwritable {
    /// One sentence each.
    faults: Vec<String>,
}

impl Unwritable {
    pub(super) fn new(faults: Vec<String>) -> Self {
        Self { faults }
    }

    /// One sentence for everything that has no place in a file.
    #[must_use]
    pub fn faults(&self) -> &[String] {
        &self.faults
    }
}

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the problem cannot be written: {}", self.faults.join("; "))
    }
}

impl std::error::Error for Unwritable {}

/// The document of a problem, which was read back and found to say the same.
pub(super) fn document(problem: &PlacementProblem) -> Result<schema::Document, Unwritable> {
    let rules = problem.rules.iter().map(|rule| ("rule", rule.get().name()));
    let goals = problem
        .measures
        .iter()
        .map(|measure| ("goal", measure.get().name()));
    let code = rules.chain(goals);
    let code: Vec<String> = code
        .map(|(kind, name)| format!("the {kind} {name} of the host is code"))
        .collect();
    if !code.is_empty() {
        return Err(Unwritable::new(code));
    }
    let document = schema::Document {
        problem: shape(problem),
    };
    let root = Node::from_json(&json(&document)?);
    match reader::read(reader::ROOT, "", &root) {
        Ok((read, _)) if read == *problem => Ok(document),
        Ok(_) => Err(Unwritable::new(vec![
            "it holds an amount that the format rounds".to_owned(),
        ])),
        Err(violations) => Err(Unwritable::new(
            violations.iter().map(ToString::to_string).collect(),
        )),
    }
}

pub(super) fn json(document: &schema::Document) -> Result<serde_json::Value, Unwritable> {
    serde_json::to_value(document).map_err(|error| Unwritable::new(vec![error.to_string()]))
}

/// As the `problem` of its file; rules and goals of the host, which are code, are left out.
impl Serialize for PlacementProblem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        shape(self).serialize(serializer)
    }
}

fn shape(problem: &PlacementProblem) -> schema::Problem {
    let signal = problem
        .clusters
        .values()
        .find_map(|supply| Some(supply.carbon?.intensity.signal()));
    schema::Problem {
        goals: (problem.goals != Goals::default()).then(|| goals(&problem.goals)),
        services: {
            let services = problem.services.iter();
            services
                .map(|(name, demand)| service(name.to_string(), demand))
                .collect()
        },
        clusters: {
            let clusters = problem.clusters.iter();
            clusters.map(|(name, supply)| cluster(name, supply)).collect()
        },
        carbon_signal: signal.filter(|signal| *signal != CarbonSignal::default()),
        links: problem.links.iter().map(link).collect(),
        network: network(&problem.network),
        current: {
            let running = problem.current.iter();
            let counts = running.map(|(service, now)| {
                let counts = now.iter().map(|(name, replicas)| (name.to_string(), replicas));
                (service.to_string(), counts.collect())
            });
            counts.collect()
        },
        co_location: problem.co_location.iter().map(co_location).collect(),
        anti_affinity: problem.anti_affinity.iter().map(anti_affinity).collect(),
        budgets: problem.budgets.iter().map(budget).collect(),
        soft: {
            let soft = problem.soft.iter();
            soft.map(|(rule, price)| (rule.clone(), points(*price))).collect()
        },
        scores: {
            let scores = problem.scores.iter();
            let scores = scores.map(|(service, scores)| {
                let scores = scores
                    .iter()
                    .map(|(name, score)| (name.to_string(), points(Weight::from_millionths(*score))));
                (service.to_string(), scores.collect())
            });
            scores.collect()
        },
        ceilings: problem.ceilings.iter().map(ceiling).collect(),
    }
}

fn service(name: String, demand: &ServiceDemand) -> schema::Service {
    schema::Service {
        name,
        replicas: Some(demand.replicas),
        per_replica: amounts(&demand.per_replica),
        requires: demand.requires.iter().map(ToString::to_string).collect(),
        mode: (demand.mode != Mode::default()).then_some(demand.mode),
        pinned: demand.pinned.as_ref().map(names),
        excluded: names(&demand.excluded),
        regions: demand
            .regions
            .as_ref()
            .map(|regions| regions.iter().cloned().collect()),
        tolerations: demand.tolerations.clone(),
        labels: demand.labels.clone(),
        spread: demand.spread.iter().map(spread).collect(),
        high_availability: demand
            .high_availability
            .as_ref()
            .map(|HighAvailability { key, price }| schema::HighAvailability {
                key: domain(key),
                price: price.map(points),
            }),
        final_placement: demand.final_placement,
        state: (demand.state != Bytes::ZERO).then(|| Scalar::Text(demand.state.to_string())),
    }
}

fn cluster(name: &ClusterName, supply: &ClusterSupply) -> schema::Cluster {
    let labels = supply.labels.iter();
    schema::Cluster {
        name: name.to_string(),
        ready: ready(&supply.readiness),
        capacity: amounts(&supply.capacity),
        taken: amounts(&supply.taken),
        region: supply.region.clone(),
        zones: supply.zones.clone(),
        provider: supply.provider.clone(),
        labels: labels
            .map(|(key, value)| (key.clone(), Scalar::Text(value.clone())))
            .collect(),
        taints: supply.taints.clone(),
        price: prices(&supply.price),
        carbon: supply.carbon.as_ref().map(carbon),
        egress: (!supply.egress.is_free()).then(|| egress(&supply.egress)),
    }
}

fn ready(readiness: &Readiness) -> Option<Ready> {
    match readiness {
        Readiness::Ready => None,
        Readiness::NotReady { reason, since } => Some(Ready::Status(Status {
            status: Scalar::Boolean(false),
            reason: Some(reason.clone()),
            since: since.map(|since| since.to_string()),
        })),
        Readiness::Unknown { reason } => Some(Ready::Status(Status {
            status: Scalar::Text("unknown".to_owned()),
            reason: Some(reason.clone()),
            since: None,
        })),
    }
}

fn carbon(profile: &CarbonProfile) -> Carbon {
    Carbon {
        intensity: profile.intensity.grams(),
        pue: Some(profile.pue),
        watts_per_core: Some(profile.watts_per_core),
    }
}

fn egress(egress: &Egress) -> EgressPrices {
    EgressPrices {
        within_region: Some(money(egress.within_region)),
        out_of_region: Some(money(egress.out_of_region)),
    }
}

fn link(link: &LinkDemand) -> schema::Link {
    schema::Link {
        from: link.from.to_string(),
        to: link.to.to_string(),
        rtt_below: link.limit.rtt_below.map(|rtt| number(rtt.base().into(), 3)),
        max_hops: link.limit.max_hops,
        traffic: (link.traffic != DataRate::ZERO).then(|| Scalar::Text(link.traffic.to_string())),
    }
}

fn network(network: &Network) -> Vec<Pair> {
    let pair = |(a, b, path): (&ClusterName, &ClusterName, Path)| Pair {
        between: [a.to_string(), b.to_string()],
        rtt: path.rtt.map(Latency::to_f64),
        hops: path.hops,
        bandwidth: path.bandwidth.map(|rate| Scalar::Text(rate.to_string())),
    };
    network.iter().map(pair).collect()
}

fn goals(weights: &Goals) -> schema::Goals {
    let weight = |goal: Goal| {
        let weight = weights.weight(goal);
        let unsaid = if goal == Goal::Preference { 1_000_000 } else { 0 };
        (weight.millionths() != unsaid).then(|| points(weight))
    };
    schema::Goals {
        money: weight(Goal::Money),
        carbon: weight(Goal::Carbon),
        moves: weight(Goal::Moves),
        moved_replicas: weight(Goal::MovedReplicas),
        moved_state: weight(Goal::MovedState),
        latency: weight(Goal::Latency),
        balance: weight(Goal::Balance),
        consolidation: weight(Goal::Consolidation),
        preference: weight(Goal::Preference),
        placements: weight(Goal::Placements),
        then: weights.then.iter().map(goals).collect(),
    }
}

fn spread(spread: &Spread) -> schema::Spread {
    schema::Spread {
        key: domain(&spread.key),
        min_groups: spread.min_groups,
        max_groups: spread.max_groups,
        max_skew: spread.max_skew,
        price: spread.price.map(points),
    }
}

fn co_location(group: &CoLocationGroup) -> schema::CoLocationGroup {
    schema::CoLocationGroup {
        services: names(&group.services),
        price: group.price.map(points),
    }
}

fn anti_affinity(group: &AntiAffinityGroup) -> schema::AntiAffinityGroup {
    schema::AntiAffinityGroup {
        services: names(&group.services),
        key: domain(&group.key),
        price: group.price.map(points),
    }
}

fn budget(budget: &Budget) -> schema::Budget {
    schema::Budget {
        goal: budget.goal.name().to_owned(),
        at_most: number(budget.at_most.into(), decimals(budget.goal)),
        price: budget.price.map(points),
    }
}

fn ceiling(ceiling: &Ceiling) -> schema::Ceiling {
    schema::Ceiling {
        goals: goals(&ceiling.goals),
        at_most: number(ceiling.at_most.units(), VALUE_DECIMALS),
    }
}

fn domain(key: &DomainKey) -> Option<String> {
    Some(key.to_string())
}

fn names<T: ToString>(names: &BTreeSet<T>) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn amounts(resources: &Resources) -> BTreeMap<String, Scalar> {
    let amount = resources
        .iter()
        .map(|(name, amount)| (name.to_string(), Scalar::Text(name.quantity(amount))));
    amount.collect()
}

fn prices(price: &Price) -> BTreeMap<String, Scalar> {
    price
        .iter()
        .map(|(name, price)| (name.to_string(), money(price)))
        .collect()
}

fn money(money: Money) -> Scalar {
    number(money.base().into(), 9)
}

fn points(weight: Weight) -> Scalar {
    number(weight.millionths().into(), 6)
}

/// So many digits survive in every reader that takes numbers of JSON for doubles.
const DIGITS: usize = 15;

/// A decimal number; a text where a number of JSON might not be read as it is.
fn number(base: i128, decimals: u32) -> Scalar {
    let text = decimal(base, decimals);
    let digits = text.bytes().filter(u8::is_ascii_digit);
    let exact = digits.skip_while(|digit| *digit == b'0').count() <= DIGITS;
    let whole = || text.parse::<i64>().ok().map(Number::from);
    let double = || text.parse().ok().and_then(Number::from_f64);
    let number = exact.then(|| whole().or_else(double)).flatten();
    number.map_or(Scalar::Text(text), Scalar::Number)
}
