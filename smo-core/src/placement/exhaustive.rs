//! Every placement tried: the oracle for small problems.

use super::evaluate::evaluate;
use super::rules::{Capacity, Rule, first_reason};
use super::teller::Teller;
use super::{
    Answer, Assignment, PlaceContext, Placement, PlacementError, PlacementProblem, Placer, Proof,
    ServiceDemand, Value, Watch, Work, verify,
};
use crate::id::{ClusterName, ServiceKey};

/// What it takes to put a service somewhere, and to judge a whole placement: about a nanosecond each.
const PUT: u64 = 300;
const JUDGE: u64 = 3_000;

/// Tries every placement, replicas split in every way included, and keeps the first of the best. It takes every rule and
/// every goal, a host's own too: it only asks [`verify`] and [`super::evaluate`]. Exact, because nothing is left out but what a rule
/// forbids by itself and what overfills a cluster.
///
/// Up to about five services on four clusters; a problem of more than [`Self::most`] placements is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exhaustive {
    most: u64,
}

impl Default for Exhaustive {
    fn default() -> Self {
        Self {
            most: Self::DEFAULT_MOST,
        }
    }
}

impl Exhaustive {
    /// What decisions call it.
    pub const NAME: &'static str = "exhaustive";

    /// Placements, whether they keep the rules or not, of a problem that is not refused.
    pub const DEFAULT_MOST: u64 = 2_000_000;

    /// The same with another limit on the placements of a problem.
    #[must_use]
    pub const fn with_most(self, placements: u64) -> Self {
        Self { most: placements }
    }

    /// Problems of more placements are refused.
    #[must_use]
    pub const fn most(&self) -> u64 {
        self.most
    }
}

impl Placer for Exhaustive {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn place(&self, context: &PlaceContext<'_>) -> Result<Answer, PlacementError> {
        self.place_watched(context, &mut |_| true)
    }

    fn place_watched(
        &self,
        context: &PlaceContext<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<Answer, PlacementError> {
        let problem = context.problem;
        let mut choices = Vec::new();
        let mut placements = 1_u64;
        for (service, demand) in problem.services.iter().filter(|(_, demand)| demand.replicas > 0) {
            let ways = ways(problem, service, demand, self.most);
            placements = placements.saturating_mul(ways.as_ref().map_or(u64::MAX, |ways| ways.len() as u64));
            let Some(ways) = ways.filter(|_| placements <= self.most) else {
                return Err(PlacementError::CannotExpress {
                    placer: Self::NAME.to_owned(),
                    what: format!("a problem of more than {} placements", self.most),
                    hint: format!("use the {} placer, or raise the limit", super::MilpPlacer::NAME),
                });
            };
            choices.push((service, demand, ways));
        }
        let mut search = Search {
            problem,
            choices: &choices,
            placement: Placement::new(),
            used: vec![Vec::new(); problem.clusters.len()],
            tried: 0,
            best: None,
            teller: Teller::new(watch),
            cut: false,
        };
        search.resources();
        search.descend(0)?;
        search.tell_the_end();
        let work = Work {
            nodes: search.tried,
            ..Work::default()
        };
        Ok(match search.best {
            None => Answer::NotFound {
                proved: !search.cut,
                work,
            },
            // What was not tried may be better.
            Some((_, placement)) if search.cut => Answer::Found {
                placement,
                bound: None,
                proof: Proof::None,
                work,
            },
            Some((value, placement)) => Answer::Found {
                placement,
                bound: Some(value),
                proof: Proof::integer(format!(
                    "every placement was tried, {} of them to the end",
                    search.tried
                )),
                work,
            },
        })
    }
}

/// Replicas by number of cluster.
type Way = Vec<(usize, u32)>;

/// Where a service may run, by number of cluster; `None` when there are more than `most` ways.
fn ways(
    problem: &PlacementProblem,
    service: &ServiceKey,
    demand: &ServiceDemand,
    most: u64,
) -> Option<Vec<Way>> {
    let open = |(number, cluster): (usize, &ClusterName)| {
        let pair = problem.pair(service, cluster)?;
        first_reason(&pair).is_none().then_some(number)
    };
    let open: Vec<usize> = problem.clusters.keys().enumerate().filter_map(open).collect();
    if !demand.is_split() {
        return Some(
            open.into_iter()
                .map(|cluster| vec![(cluster, demand.replicas)])
                .collect(),
        );
    }
    // All ways to divide the replicas over the first clusters, one cluster more each time.
    let mut partial = vec![(Vec::new(), demand.replicas)];
    for cluster in open {
        let mut next = Vec::new();
        for (way, left) in partial {
            for here in 0..=left {
                let mut way: Vec<(usize, u32)> = way.clone();
                if here > 0 {
                    way.push((cluster, here));
                }
                next.push((way, left - here));
            }
            if next.len() as u64 > most {
                return None;
            }
        }
        partial = next;
    }
    let whole = partial.into_iter().filter(|(_, left)| *left == 0);
    Some(whole.map(|(way, _)| way).collect())
}

/// A service and where it may run.
type Choice<'a> = (&'a ServiceKey, &'a ServiceDemand, Vec<Way>);

struct Search<'a> {
    problem: &'a PlacementProblem,
    choices: &'a [Choice<'a>],
    placement: Placement,
    /// What is used of every limited resource and what there is of it, by cluster.
    used: Vec<Vec<(&'a str, u128, u128)>>,
    tried: u64,
    best: Option<(Value, Placement)>,
    teller: Teller<'a>,
    /// True when the one who watches ended it before every placement was tried.
    cut: bool,
}

impl<'a> Search<'a> {
    fn tell_the_end(&mut self) {
        if let (Some((value, _)), false) = (&self.best, self.cut) {
            self.teller.see(None, Some(*value));
            self.teller.took(0);
        }
    }

    fn resources(&mut self) {
        // Where capacity is a wish, nothing is too full.
        if self.problem.soft.contains_key(Capacity.name()) {
            return;
        }
        for (used, supply) in self.used.iter_mut().zip(self.problem.clusters.values()) {
            let names = self
                .choices
                .iter()
                .flat_map(|(_, demand, _)| demand.per_replica.iter());
            for (name, _) in names.filter(|(_, amount)| *amount > 0) {
                let known = used.iter().any(|(known, ..)| *known == name.as_str());
                if let Some(available) = supply.available(name).filter(|_| !known) {
                    used.push((name.as_str(), 0, available.into()));
                }
            }
        }
    }

    /// Adds replicas to a cluster; false when it is too full then.
    fn put(&mut self, demand: &ServiceDemand, cluster: usize, replicas: u32) -> bool {
        let mut fits = true;
        for (name, used, available) in self.used.get_mut(cluster).into_iter().flatten() {
            *used += u128::from(demand.per_replica.amount(name)) * u128::from(replicas);
            fits &= used <= available;
        }
        fits
    }

    fn lift(&mut self, demand: &ServiceDemand, cluster: usize, replicas: u32) {
        for (name, used, _) in self.used.get_mut(cluster).into_iter().flatten() {
            *used -= u128::from(demand.per_replica.amount(name)) * u128::from(replicas);
        }
    }

    fn descend(&mut self, depth: usize) -> Result<(), PlacementError> {
        let choices = self.choices;
        let Some((service, demand, ways)) = choices.get(depth) else {
            return self.judge();
        };
        for way in ways {
            if !self.teller.took(PUT) {
                self.cut = true;
                return Ok(());
            }
            let fits = way.iter().fold(true, |fits, (cluster, replicas)| {
                self.put(demand, *cluster, *replicas) && fits
            });
            if fits {
                let names = |(cluster, replicas): &(usize, u32)| {
                    let (name, _) = self.problem.clusters.get_index(*cluster)?;
                    Some((name.clone(), *replicas))
                };
                let assignment: Assignment = way.iter().filter_map(names).collect();
                self.placement.set(ServiceKey::clone(service), assignment);
                self.descend(depth + 1)?;
                self.placement
                    .set(ServiceKey::clone(service), Assignment::default());
            }
            for (cluster, replicas) in way {
                self.lift(demand, *cluster, *replicas);
            }
        }
        Ok(())
    }

    /// Keeps a whole placement that keeps the rules and is better than the best one.
    fn judge(&mut self) -> Result<(), PlacementError> {
        self.tried += 1;
        self.teller.took(JUDGE);
        let evaluated = evaluate(self.problem, &self.placement).map(|(_, value)| value);
        // Cheaper than to look at every rule first; what overflows only matters where the rules are kept.
        let best = self.best.as_ref().map(|(best, _)| *best);
        let worse = |value: Value| best.is_some_and(|best| best <= value);
        if evaluated.as_ref().is_ok_and(|value| worse(*value))
            || !verify(self.problem, &self.placement).is_empty()
        {
            return Ok(());
        }
        let value = evaluated?;
        self.teller.see(Some(value), None);
        self.best = Some((value, self.placement.clone()));
        Ok(())
    }
}
