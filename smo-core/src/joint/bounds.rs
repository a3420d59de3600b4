//! Counts that are still open: a range for every service, and the placement question that is no harder than any of them.

use super::JointProblem;
use super::decision::Overload;
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{Placement, PlacementProblem};
use crate::units::Rate;

/// A service with the counts that can matter. More replicas than the slowest cluster in use needs never pay, so these
/// are what its clusters need.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) service: ServiceKey,
    /// What each cluster needs, in the order of the problem; `None` where the load cannot be carried or nothing may run.
    needed: Vec<(ClusterName, Option<u32>)>,
    /// Ascending, never empty.
    counts: Vec<u32>,
}

impl Choice {
    fn count(&self, index: usize) -> u32 {
        self.counts.get(index).copied().unwrap_or(0)
    }

    fn needed(&self, cluster: &ClusterName) -> Option<u32> {
        let found = self.needed.iter().find(|(name, _)| name == cluster);
        found.and_then(|(_, needed)| *needed)
    }

    pub(super) const fn is_open(&self) -> bool {
        self.counts.len() > 1
    }
}

/// The lowest and the highest count of every choice, as indices into its counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ranges(Vec<(usize, usize)>);

/// The choices of a problem.
#[derive(Debug)]
pub(super) struct Choices<'p> {
    problem: &'p PlacementProblem,
    pub(super) choices: Vec<Choice>,
}

impl<'p> Choices<'p> {
    /// # Errors
    /// The services whose load no allowed count carries on any cluster that is open to them.
    pub(super) fn new(problem: &'p JointProblem) -> Result<Self, Vec<Overload>> {
        let placement = &problem.placement;
        let fewest = problem.with_fewest();
        let (mut choices, mut overloads) = (Vec::new(), Vec::new());
        for (service, elastic) in &problem.loads {
            let needed = placement
                .clusters
                .keys()
                .map(|cluster| (cluster.clone(), elastic.needed_on(cluster)));
            let needed: Vec<_> = needed.collect();
            let open: Vec<&ClusterName> = fewest.open_clusters(service).collect();
            let mut counts: Vec<u32> = needed
                .iter()
                .filter(|(cluster, _)| open.contains(&cluster))
                .filter_map(|(_, needed)| *needed)
                .collect();
            counts.sort_unstable();
            counts.dedup();
            if counts.is_empty() {
                if let Some(most) = open
                    .iter()
                    .map(|cluster| elastic.throughput_on(cluster).capacity(elastic.max))
                    .max()
                {
                    overloads.push(Overload::new(service, elastic, most));
                    continue;
                }
                // Nothing may run anywhere, whatever its count: the placement question says why.
                let most = needed.iter().filter_map(|(_, needed)| *needed).max();
                counts.push(most.unwrap_or(elastic.max));
            }
            choices.push(Choice {
                service: service.clone(),
                needed,
                counts,
            });
        }
        if overloads.is_empty() {
            Ok(Self {
                problem: placement,
                choices,
            })
        } else {
            Err(overloads)
        }
    }

    /// Every count is open.
    pub(super) fn all(&self) -> Ranges {
        let highest = |choice: &Choice| choice.counts.len() - 1;
        Ranges(self.choices.iter().map(|choice| (0, highest(choice))).collect())
    }

    /// The lowest counts, on every cluster that some count of the ranges allows.
    pub(super) fn relaxed(&self, ranges: &Ranges) -> PlacementProblem {
        let mut relaxed = self.problem.clone();
        for (choice, &(lowest, highest)) in self.choices.iter().zip(&ranges.0) {
            let Some(demand) = relaxed.services.get_mut(&choice.service) else {
                continue;
            };
            let most = choice.count(highest);
            demand.replicas = choice.count(lowest);
            let slow = choice
                .needed
                .iter()
                .filter(|(_, needed)| needed.is_none_or(|needed| needed > most));
            demand.excluded.extend(slow.map(|(cluster, _)| cluster.clone()));
        }
        relaxed
    }

    /// The counts that the clusters of a placement need, at least the lowest ones, as ranges of one count each.
    pub(super) fn repaired(&self, ranges: &Ranges, placement: &Placement) -> Ranges {
        let fixed = self.choices.iter().zip(&ranges.0).map(|(choice, &(lowest, _))| {
            let index = self.index_needed(choice, placement).max(lowest);
            (index, index)
        });
        Ranges(fixed.collect())
    }

    fn index_needed(&self, choice: &Choice, placement: &Placement) -> usize {
        let clusters = placement
            .get(&choice.service)
            .into_iter()
            .flat_map(|there| there.clusters());
        let needed = clusters
            .filter_map(|cluster| choice.needed(cluster))
            .max()
            .unwrap_or(0);
        choice.counts.partition_point(|count| *count < needed)
    }

    /// Both halves of the ranges at the service that a placement serves worst: counts below what its clusters need, and the
    /// others. `None` when every service has what it needs.
    pub(super) fn halves(&self, ranges: &Ranges, placement: &Placement) -> Option<[Ranges; 2]> {
        let mut worst: Option<(usize, usize, f64)> = None;
        for (number, (choice, &(lowest, _))) in self.choices.iter().zip(&ranges.0).enumerate() {
            let index = self.index_needed(choice, placement);
            let short = f64::from(choice.count(index)) / f64::from(choice.count(lowest).max(1));
            if index > lowest && worst.is_none_or(|(_, _, most)| short > most) {
                worst = Some((number, index, short));
            }
        }
        let (number, index, _) = worst?;
        Some(Self::split(ranges, number, index))
    }

    /// Both halves of the widest range; `None` when every count is decided.
    pub(super) fn middle(&self, ranges: &Ranges) -> Option<[Ranges; 2]> {
        let widths = ranges
            .0
            .iter()
            .map(|(lowest, highest)| highest - lowest)
            .enumerate();
        let (number, width) = widths.max_by_key(|(number, width)| (*width, std::cmp::Reverse(*number)))?;
        let lowest = ranges.0.get(number)?.0;
        (width > 0).then(|| Self::split(ranges, number, lowest + width.div_ceil(2)))
    }

    /// The ranges with one of them below an index, and from it on.
    fn split(ranges: &Ranges, number: usize, index: usize) -> [Ranges; 2] {
        let half = |from: Option<usize>, to: Option<usize>| {
            let mut half = ranges.clone();
            if let Some((lowest, highest)) = half.0.get_mut(number) {
                *lowest = from.unwrap_or(*lowest);
                *highest = to.unwrap_or(*highest);
            }
            half
        };
        [half(None, index.checked_sub(1)), half(Some(index), None)]
    }

    /// Whether fewer replicas are never harder to place nor worth less, so that the relaxed question bounds all counts of its
    /// ranges. Where it is not known, an answer comes without a bound.
    pub(super) fn fewer_is_easier(&self) -> bool {
        let problem = self.problem;
        if !problem.rules.is_empty() || !problem.measures.is_empty() {
            return false;
        }
        self.choices
            .iter()
            .filter(|choice| choice.is_open())
            .all(|choice| {
                let service = &choice.service;
                let scores = problem
                    .scores
                    .get(service)
                    .into_iter()
                    .flat_map(|scores| scores.values());
                let is_rewarded = scores.into_iter().any(|score| *score < 0);
                let Some(demand) = problem.services.get(service) else {
                    return false;
                };
                // A count decides how a split service can be divided, and so where its traffic goes.
                let is_free = || {
                    let ends_here = |from: &ServiceKey, to: &ServiceKey| from == service || to == service;
                    demand.spread.is_empty()
                        && demand.high_availability.is_none()
                        && !problem
                            .co_location
                            .iter()
                            .any(|group| group.services.contains(service))
                        && !problem.links.iter().any(|link| ends_here(&link.from, &link.to))
                };
                !is_rewarded && (!demand.is_split() || is_free())
            })
    }
}

/// What replicas carry that run on these clusters, the slowest deciding; nothing where none runs.
pub(super) fn carried(problem: &JointProblem, service: &ServiceKey, placement: &Placement) -> Rate {
    let (Some(elastic), Some(there)) = (problem.loads.get(service), placement.get(service)) else {
        return Rate::ZERO;
    };
    let replicas = there.replicas();
    let capacities = there
        .clusters()
        .map(|cluster| elastic.throughput_on(cluster).capacity(replicas));
    capacities.min().unwrap_or(Rate::ZERO)
}
