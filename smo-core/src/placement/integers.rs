//! The whole model by number, in integers: what a kernel or a solver is posed from. Names, rules, goals and prices are
//! looked up once; what is left is arrays.
//!
//! Services without replicas are left out. A *position* is a place in [`IntegerService::open`], the clusters that no rule
//! forbids. Amounts of goals are in base units; [`IntegerModel::weights`] turns them into value.

use std::collections::BTreeMap;

use super::breach::overload_unit;
use super::domain::DomainKey;
use super::evaluate::{Costs, part, parts};
use super::goals::size;
use super::rules::{
    Available, Bandwidth, Capacity, CoLocated, Final, KeptApart, Latency, Rule, Spreading, WithinBudget,
    first_reason, may_host, stays,
};
use super::{
    Assignment, Budget, Ceiling, Goal, LinkDemand, PlacementError, PlacementProblem, ServiceDemand, Totals,
    Weight,
};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;

/// A price in millionths of a point for a unit; `None` for a rule that has to be kept.
pub type Price = Option<i64>;

/// One service with replicas.
#[derive(Debug, Clone)]
pub struct IntegerService<'a> {
    /// Its key.
    pub key: &'a ServiceKey,
    /// What it needs.
    pub demand: &'a ServiceDemand,
    /// How many replicas run.
    pub replicas: u32,
    /// Whether they may run on several clusters.
    pub split: bool,
    /// What one replica takes, by resource.
    pub need: Vec<u64>,
    /// The clusters that no rule forbids, in order.
    pub open: Vec<usize>,
    /// By position, what one replica adds to every goal; of a service that is not split, what all replicas add together.
    /// Moves of a service that is split are not in it.
    pub amounts: Vec<Totals>,
    /// The replicas that run now, by cluster; those on clusters that are gone are not in it.
    pub now: Vec<u32>,
    /// The replicas that run now, anywhere.
    pub running: u32,
    /// It has to stay where it runs; with a price, points for every replica that moves. `None` where it may move.
    pub stays: Option<Price>,
}

impl IntegerService<'_> {
    /// Into how many parts its traffic is divided: one a replica where it is split.
    #[must_use]
    pub fn parts(&self) -> u32 {
        parts(self.demand)
    }
}

/// Domains by number.
#[derive(Debug, Clone)]
pub struct IntegerDomains {
    /// The domain of every cluster; `None` where it is in none.
    pub of: Vec<Option<usize>>,
    /// How many there are.
    pub count: usize,
}

/// A spread of one service.
#[derive(Debug, Clone)]
pub struct IntegerSpread {
    /// The service.
    pub service: usize,
    /// The domains.
    pub domains: IntegerDomains,
    /// The domains that the service may use.
    pub usable: Vec<bool>,
    /// At least so many are used.
    pub min_groups: u32,
    /// At most so many are used.
    pub max_groups: Option<u32>,
    /// The fullest has at most so many replicas more than the emptiest usable one.
    pub max_skew: Option<u32>,
    /// For a group or a replica too many or too few.
    pub price: Price,
}

impl IntegerSpread {
    /// Groups and replicas too many or too few when so many `replicas` are by domain, and so many in none.
    #[must_use]
    pub fn excess(&self, by_domain: &[i128], outside: i128) -> i128 {
        let used = by_domain.iter().filter(|count| **count > 0).count() as i128;
        let mut excess = (i128::from(self.min_groups) - used).max(0);
        if let Some(most) = self.max_groups {
            excess += (used - i128::from(most)).max(0);
        }
        if let Some(most) = self.max_skew {
            let fullest = by_domain.iter().copied().max().unwrap_or(0);
            let usable = by_domain.iter().zip(&self.usable).filter(|(_, usable)| **usable);
            let emptiest = usable.map(|(count, _)| *count).min().unwrap_or(fullest);
            excess += (fullest - emptiest - i128::from(most)).max(0);
        }
        excess + outside
    }

    /// The same when all `replicas` are on one cluster.
    #[must_use]
    pub fn of_whole(&self, cluster: usize, replicas: u32) -> i128 {
        let mut by_domain = vec![0; self.domains.count];
        let replicas = i128::from(replicas);
        match self.domains.of.get(cluster).copied().flatten() {
            Some(domain) => {
                if let Some(slot) = by_domain.get_mut(domain) {
                    *slot = replicas;
                }
                self.excess(&by_domain, 0)
            }
            None => self.excess(&by_domain, replicas),
        }
    }
}

/// A service that needs two domains.
#[derive(Debug, Clone)]
pub struct IntegerAvailability {
    /// The service.
    pub service: usize,
    /// The domains.
    pub domains: IntegerDomains,
    /// For being in one only.
    pub price: Price,
}

/// Services that use the same clusters.
#[derive(Debug, Clone)]
pub struct IntegerTogether {
    /// The services.
    pub services: Vec<usize>,
    /// For every pair of them and cluster that only one of the two uses.
    pub price: Price,
}

/// Services that keep apart.
#[derive(Debug, Clone)]
pub struct IntegerApart {
    /// The services.
    pub services: Vec<usize>,
    /// The domains.
    pub domains: IntegerDomains,
    /// For every service beyond the first of a domain.
    pub price: Price,
}

/// Two services whose clusters have to be near.
#[derive(Debug, Clone)]
pub struct IntegerLimit {
    /// A service.
    pub from: usize,
    /// The other one.
    pub to: usize,
    /// Which of [`IntegerModel::near`] says whether two clusters are near enough.
    pub near: usize,
    /// For two clusters in use that are not.
    pub price: Price,
}

/// A link with traffic.
#[derive(Debug, Clone)]
pub struct IntegerLink {
    /// The caller.
    pub from: usize,
    /// The callee.
    pub to: usize,
    /// Bytes per second of one part.
    pub traffic: u64,
    /// Which of [`IntegerModel::paths`] says what one part adds to every goal.
    pub path: usize,
}

/// How full a cluster is, for [`Goal::Balance`].
#[derive(Debug, Clone, Copy)]
pub struct IntegerSize {
    /// What other work holds.
    pub taken: u64,
    /// What there is in all.
    pub whole: u64,
}

/// The whole model.
#[derive(Debug, Clone)]
pub struct IntegerModel<'a> {
    /// The services that run.
    pub services: Vec<IntegerService<'a>>,
    /// The clusters, those that cannot take work included.
    pub clusters: Vec<&'a ClusterName>,
    /// The resources that are asked for.
    pub resources: Vec<&'a ResourceName>,
    /// By cluster and resource; `None` where it is not limited.
    pub capacity: Vec<Vec<Option<u64>>>,
    /// By cluster and resource; `None` where it is not limited or there is none.
    pub sizes: Vec<Vec<Option<IntegerSize>>>,
    /// Base units in a unit of overload, by resource.
    pub overload_units: Vec<u64>,
    /// For a unit of overload.
    pub overload: Price,
    /// Spreads.
    pub spreads: Vec<IntegerSpread>,
    /// Services that need two domains.
    pub availability: Vec<IntegerAvailability>,
    /// Groups that use the same clusters.
    pub together: Vec<IntegerTogether>,
    /// Groups that keep apart.
    pub apart: Vec<IntegerApart>,
    /// Links with a limit.
    pub limits: Vec<IntegerLimit>,
    /// Whether two clusters are near enough, at `from * clusters + to`, once for every different limit.
    pub near: Vec<Vec<bool>>,
    /// Links with traffic.
    pub links: Vec<IntegerLink>,
    /// What one part of a link adds to every goal when it goes between two clusters, at `from * clusters + to`, once for
    /// every different traffic.
    pub paths: Vec<Vec<Totals>>,
    /// Pairs of clusters with a bandwidth, in bytes per second.
    pub bandwidth: Vec<(usize, usize, u64)>,
    /// For a kB/s too much.
    pub congestion: Price,
    /// Budgets, each with its price.
    pub budgets: Vec<(&'a Budget, Price)>,
    /// What goals of a higher priority have reached.
    pub ceilings: &'a [Ceiling],
    /// Units of value in one base unit of every goal, in the order of [`Goal::ALL`].
    pub weights: Vec<i128>,
}

impl<'a> IntegerModel<'a> {
    /// The model of a problem, for the placer called `placer`.
    ///
    /// # Errors
    /// [`PlacementError::CannotExpress`] for a rule or goal of the host that is more than arrays can say,
    /// [`PlacementError::Overflow`] and [`PlacementError::TooLarge`] for amounts that do not fit.
    pub fn pose(problem: &'a PlacementProblem, placer: &str) -> Result<Self, PlacementError> {
        refuse_code(problem, placer)?;
        Self::without_code(problem)
    }

    /// The model of a problem without rules and goals of the host that are more than arrays can say.
    ///
    /// # Errors
    /// [`PlacementError::Overflow`] and [`PlacementError::TooLarge`] for amounts that do not fit.
    pub fn without_code(problem: &'a PlacementProblem) -> Result<Self, PlacementError> {
        let costs = Costs::new(problem);
        let clusters: Vec<&ClusterName> = problem.clusters.keys().collect();
        let running = || problem.services.iter().filter(|(_, demand)| demand.replicas > 0);
        let mut resources: Vec<&ResourceName> = Vec::new();
        for (resource, _) in
            running().flat_map(|(_, demand)| demand.per_replica.iter().filter(|(_, n)| *n > 0))
        {
            if !resources.contains(&resource) {
                resources.push(resource);
            }
        }
        let services = running()
            .map(|(key, demand)| service(&costs, &clusters, &resources, key, demand))
            .collect::<Result<Vec<_>, _>>()?;
        let mut weights = Vec::new();
        for goal in Goal::ALL {
            let weight = problem.goals.checked_value(goal, 1);
            weights.push(weight.ok_or(PlacementError::TooLarge { goal })?.units());
        }
        let limit = |cluster: &ClusterName, resource: &ResourceName| {
            problem
                .clusters
                .get(cluster)
                .and_then(|supply| supply.available(resource))
        };
        let sized = |cluster: &ClusterName, resource: &ResourceName| {
            let (taken, whole) = size(problem, cluster, resource)?;
            let taken = u64::try_from(taken).ok()?;
            u64::try_from(whole)
                .ok()
                .map(|whole| IntegerSize { taken, whole })
        };
        let by_resource = |cluster: &&ClusterName| resources.iter().map(|r| limit(cluster, r)).collect();
        let by_size = |cluster: &&ClusterName| resources.iter().map(|r| sized(cluster, r)).collect();
        let mut model = Self {
            capacity: clusters.iter().map(by_resource).collect(),
            sizes: clusters.iter().map(by_size).collect(),
            overload_units: resources.iter().map(|name| overload_unit(name)).collect(),
            overload: price(problem, &Capacity, None),
            spreads: Vec::new(),
            availability: Vec::new(),
            together: Vec::new(),
            apart: Vec::new(),
            limits: Vec::new(),
            near: Vec::new(),
            links: Vec::new(),
            paths: Vec::new(),
            bandwidth: Vec::new(),
            congestion: price(problem, &Bandwidth, None),
            budgets: problem
                .budgets
                .iter()
                .map(|budget| (budget, price(problem, &WithinBudget, budget.price)))
                .collect(),
            ceilings: &problem.ceilings,
            weights,
            services,
            clusters,
            resources,
        };
        model.group(problem);
        model.link(problem, &costs)?;
        Ok(model)
    }

    /// The number of a service that runs.
    fn number(&self) -> BTreeMap<&'a ServiceKey, usize> {
        let keys = self.services.iter().map(|service| service.key);
        keys.enumerate().map(|(number, key)| (key, number)).collect()
    }

    fn domains(&self, problem: &PlacementProblem, key: &DomainKey) -> IntegerDomains {
        let mut numbers: BTreeMap<&str, usize> = BTreeMap::new();
        let mut of = Vec::with_capacity(self.clusters.len());
        for (name, supply) in &problem.clusters {
            of.push(key.of(name, supply).map(|domain| {
                let next = numbers.len();
                *numbers.entry(domain).or_insert(next)
            }));
        }
        let count = numbers.len();
        IntegerDomains { of, count }
    }

    fn group(&mut self, problem: &PlacementProblem) {
        let number = self.number();
        for (service, entry) in self.services.iter().enumerate() {
            for spread in &entry.demand.spread {
                let domains = self.domains(problem, &spread.key);
                let mut usable = vec![false; domains.count];
                for (name, domain) in problem.clusters.keys().zip(&domains.of) {
                    let may = problem.pair(entry.key, name).is_some_and(|pair| may_host(&pair));
                    if let Some(slot) = domain.filter(|_| may).and_then(|domain| usable.get_mut(domain)) {
                        *slot = true;
                    }
                }
                self.spreads.push(IntegerSpread {
                    service,
                    domains,
                    usable,
                    min_groups: spread.min_groups.unwrap_or(0),
                    max_groups: spread.max_groups,
                    max_skew: spread.max_skew,
                    price: price(problem, &Spreading, spread.price),
                });
            }
            if let Some(wanted) = entry
                .demand
                .high_availability
                .as_ref()
                .filter(|_| entry.replicas >= 2)
            {
                self.availability.push(IntegerAvailability {
                    service,
                    domains: self.domains(problem, &wanted.key),
                    price: price(problem, &Available, wanted.price),
                });
            }
        }
        let members = |keys: &std::collections::BTreeSet<ServiceKey>| -> Vec<usize> {
            keys.iter().filter_map(|key| number.get(key).copied()).collect()
        };
        for group in &problem.co_location {
            self.together.push(IntegerTogether {
                services: members(&group.services),
                price: price(problem, &CoLocated, group.price),
            });
        }
        for group in &problem.anti_affinity {
            self.apart.push(IntegerApart {
                services: members(&group.services),
                domains: self.domains(problem, &group.key),
                price: price(problem, &KeptApart, group.price),
            });
        }
    }

    fn link(&mut self, problem: &PlacementProblem, costs: &Costs<'_>) -> Result<(), PlacementError> {
        let number = self.number();
        let pairs = || {
            self.clusters
                .iter()
                .flat_map(|from| self.clusters.iter().map(move |to| (*from, *to)))
        };
        let (mut limits, mut near) = (Vec::new(), Vec::new());
        let (mut links, mut paths) = (Vec::new(), Vec::new());
        let (mut of_limit, mut of_traffic) = (Vec::new(), BTreeMap::new());
        for link in problem.links.iter().filter(|link| link.from != link.to) {
            let (Some(&from), Some(&to)) = (number.get(&link.from), number.get(&link.to)) else {
                continue;
            };
            if !link.limit.is_none() {
                let known = of_limit.iter().position(|limit| *limit == link.limit);
                let known = known.unwrap_or_else(|| {
                    let allows = |(from, to): (&ClusterName, &ClusterName)| {
                        link.limit.allows(problem.network.path(from, to))
                    };
                    near.push(pairs().map(allows).collect());
                    of_limit.push(link.limit);
                    of_limit.len() - 1
                });
                limits.push(IntegerLimit {
                    from,
                    to,
                    near: known,
                    price: price(problem, &Latency, None),
                });
            }
            if link.traffic.get() == 0 {
                continue;
            }
            let of = |service: usize| self.services.get(service).map_or(1, IntegerService::parts);
            let of = i128::from(of(from)) * i128::from(of(to));
            let path = match of_traffic.get(&(link.traffic, of)) {
                Some(known) => *known,
                None => {
                    let ends = pairs().map(|(here, there)| one_part(costs, link, here, there, of));
                    paths.push(ends.collect::<Result<_, _>>()?);
                    of_traffic.insert((link.traffic, of), paths.len() - 1);
                    paths.len() - 1
                }
            };
            let traffic = part(link.traffic.get().into(), of);
            links.push(IntegerLink {
                from,
                to,
                traffic: u64::try_from(traffic).unwrap_or(u64::MAX),
                path,
            });
        }
        self.limits = limits;
        self.near = near;
        self.links = links;
        self.paths = paths;
        for (from, one) in self.clusters.iter().enumerate() {
            for (to, other) in self.clusters.iter().enumerate().skip(from + 1) {
                if let Some(capacity) = problem.network.path(one, other).bandwidth {
                    self.bandwidth.push((from, to, capacity.get()));
                }
            }
        }
        Ok(())
    }

    /// Units of value in a base unit of a goal; of [`Goal::Preference`], in a millionth of a point.
    #[must_use]
    pub fn weight(&self, goal: Goal) -> i128 {
        self.weights.get(goal.number()).copied().unwrap_or(0)
    }

    /// What the amounts of one position are worth, in units of value; `None` when that does not fit.
    #[must_use]
    pub fn worth(&self, amounts: &Totals) -> Option<i128> {
        Goal::ALL
            .into_iter()
            .zip(&self.weights)
            .try_fold(0_i128, |sum, (goal, weight)| {
                sum.checked_add(weight.checked_mul(amounts.of(goal).into())?)
            })
    }
}

/// Amounts by goal as value, given weights by goal; saturates.
pub(super) fn weighted(weights: &[i128], amounts: &[i128]) -> i128 {
    let terms = weights.iter().zip(amounts);
    terms
        .map(|(weight, amount)| weight.saturating_mul(*amount))
        .fold(0, i128::saturating_add)
}

/// What one of `of` parts of a link adds to every goal.
fn one_part(
    costs: &Costs<'_>,
    link: &LinkDemand,
    from: &ClusterName,
    to: &ClusterName,
    of: i128,
) -> Result<Totals, PlacementError> {
    let mut totals = Totals::default();
    for goal in Goal::ALL.into_iter().filter(|goal| goal.is_of_links()) {
        let too_large = || PlacementError::TooLarge { goal };
        let whole = goal.measure().of_link(costs.facts(), link, from, to);
        let one = part(whole.ok_or_else(too_large)?.into(), of);
        totals.set(goal, i64::try_from(one).map_err(|_| too_large())?);
    }
    Ok(totals)
}

/// The price of a unit of a rule: of the rule by name, else its own.
fn price(problem: &PlacementProblem, rule: &dyn Rule, own: Option<Weight>) -> Price {
    let by_name = problem.soft.get(rule.name()).copied();
    by_name.or(own).map(Weight::millionths)
}

/// A rule or goal of the host that is about more than one service on one cluster, in words.
pub(super) fn code_of(problem: &PlacementProblem) -> Option<String> {
    let mut rules = problem.rules.iter().map(super::CustomRule::get);
    let rule = rules.find(|rule| rule.couples(problem));
    let mut goals = problem.measures.iter().map(super::CustomGoal::get);
    rule.map(|rule| format!("the rule {}", rule.name()))
        .or_else(|| Some(format!("the goal {}", goals.find(|goal| goal.couples())?.name())))
}

/// Code of the host can only be posed where it is about one service and one cluster.
fn refuse_code(problem: &PlacementProblem, placer: &str) -> Result<(), PlacementError> {
    let Some(what) = code_of(problem) else {
        return Ok(());
    };
    Err(PlacementError::CannotExpress {
        placer: placer.to_owned(),
        what,
        hint: format!(
            "say it by service and cluster, or use the {} placer on a small problem",
            super::Exhaustive::NAME
        ),
    })
}

fn service<'a>(
    costs: &Costs<'a>,
    clusters: &[&'a ClusterName],
    resources: &[&'a ResourceName],
    key: &'a ServiceKey,
    demand: &'a ServiceDemand,
) -> Result<IntegerService<'a>, PlacementError> {
    let problem = costs.facts().problem;
    let overflow = || PlacementError::Overflow { service: key.clone() };
    let split = demand.is_split();
    let mut open = Vec::new();
    let mut amounts = Vec::new();
    for (number, cluster) in clusters.iter().enumerate() {
        let Some(pair) = problem.pair(key, cluster) else {
            continue;
        };
        if first_reason(&pair).is_some() {
            continue;
        }
        let replicas = if split { 1 } else { demand.replicas };
        let there = Assignment::single((*cluster).clone(), replicas);
        let mut totals = costs.service(key, demand, &there)?;
        if split {
            for goal in [
                Goal::Moves,
                Goal::MovedReplicas,
                Goal::MovedState,
                Goal::Placements,
            ] {
                totals.set(goal, 0);
            }
        }
        // Rules about one service and one cluster that are only wishes.
        let wishes = problem
            .every_rule()
            .filter(|rule| problem.soft.contains_key(rule.name()))
            .filter(|rule| !rule.couples(problem) || rule.name() == Final.name() && !split);
        for rule in wishes.filter(|rule| rule.forbids(&pair).is_some()) {
            let each = problem
                .soft
                .get(rule.name())
                .map_or(0, |price| price.millionths());
            let points = each.checked_mul(replicas.into());
            let sum = points.and_then(|points| totals.preference.checked_add(points));
            totals.preference = sum.ok_or_else(overflow)?;
        }
        open.push(number);
        amounts.push(totals);
    }
    let current = problem.current.get(key);
    let now = |cluster: &&ClusterName| current.map_or(0, |current| current.on(cluster));
    // What is not split and has to stay is a matter of open clusters, or of wishes about them.
    let bound = split && stays(problem, key, demand).is_some();
    Ok(IntegerService {
        key,
        demand,
        replicas: demand.replicas,
        split,
        need: resources
            .iter()
            .map(|resource| demand.per_replica.amount(resource.as_str()))
            .collect(),
        open,
        amounts,
        now: clusters.iter().map(now).collect(),
        running: current.map_or(0, Assignment::replicas),
        stays: bound.then(|| price(problem, &Final, None)),
    })
}
