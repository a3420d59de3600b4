//! What a repair costs, so that the cheapest one can be found.

use serde::Serialize;

use super::Edit;
use crate::placement::{PlacementProblem, Value, Weight};
use crate::resources::ResourceName;

/// How dear each kind of repair is, in points. They are no money: they say what a host would rather do. The default holds
/// that more capacity is cheaper than a broken wish of the user, and a wish cheaper than fewer replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RepairCosts {
    /// One core more on a cluster.
    pub core: Weight,
    /// One GiB of memory more on a cluster.
    pub memory: Weight,
    /// One GiB of storage more on a cluster.
    pub storage: Weight,
    /// One piece more of anything else, such as a GPU.
    pub piece: Weight,
    /// A cluster made ready.
    pub ready: Weight,
    /// A taint tolerated.
    pub taint: Weight,
    /// A cluster allowed against a pin or an exclusion.
    pub allow: Weight,
    /// A region allowed.
    pub region: Weight,
    /// A millisecond more on a link.
    pub millisecond: Weight,
    /// A hop more on a link.
    pub hop: Weight,
    /// A limit of a link dropped, because nobody measured the path.
    pub unmeasured: Weight,
    /// One replica fewer.
    pub replica: Weight,
    /// The labels that a service requires dropped.
    pub labels: Weight,
    /// One domain fewer or more than the spread of a service asks for, one replica of skew more, or two clusters instead of two
    /// domains for high availability.
    pub domain: Weight,
    /// The replicas of a service let on several clusters.
    pub split: Weight,
    /// The spread of a service over one kind of domain, or its high availability, dropped.
    pub spread: Weight,
    /// A group that shares its clusters dropped, or one service more let together that keep apart; one that leaves counts for
    /// each of the others.
    pub group: Weight,
    /// A rule of the host dropped.
    pub rule: Weight,
    /// A service moved whose placement is final.
    pub release: Weight,
    /// One per cent more of a budget, up to [`RepairCosts::MOST_PERCENT`].
    pub budget: Weight,
    /// One per cent more between two clusters, up to [`RepairCosts::MOST_PERCENT`].
    pub bandwidth: Weight,
}

impl Default for RepairCosts {
    fn default() -> Self {
        let points = |points: i64| Weight::from_millionths(points * 1_000_000);
        Self {
            core: points(1),
            memory: Weight::from_millionths(250_000),
            storage: Weight::from_millionths(10_000),
            piece: points(5),
            ready: points(4),
            taint: points(3),
            allow: points(4),
            region: points(5),
            millisecond: Weight::from_millionths(200_000),
            hop: points(1),
            unmeasured: points(6),
            replica: points(8),
            labels: points(4),
            domain: points(2),
            split: points(3),
            spread: points(5),
            group: points(5),
            rule: points(10),
            release: points(3),
            budget: Weight::from_millionths(200_000),
            bandwidth: Weight::from_millionths(200_000),
        }
    }
}

impl RepairCosts {
    /// What is raised by more counts as raised by so many per cent; so does what was 0.
    pub const MOST_PERCENT: u64 = 1000;

    /// What an edit costs; `None` for one that is no repair. Rounded up to a millionth of a point.
    #[must_use]
    pub fn of(&self, problem: &PlacementProblem, edit: &Edit) -> Option<Value> {
        let millionths = match edit {
            Edit::AddCapacity { resource, amount, .. } => {
                let (weight, base) = match resource.as_str() {
                    ResourceName::CPU => (self.core, 1000),
                    ResourceName::MEMORY => (self.memory, 1 << 30),
                    ResourceName::STORAGE | "ephemeral-storage" => (self.storage, 1 << 30),
                    _ => (self.piece, 1),
                };
                share(weight, u128::from(*amount), base)?
            }
            Edit::MakeReady { .. } => self.ready.millionths().into(),
            Edit::Tolerate { .. } => self.taint.millionths().into(),
            Edit::Allow { .. } => self.allow.millionths().into(),
            Edit::AllowRegion { .. } => self.region.millionths().into(),
            Edit::Replicas { service, replicas } => {
                let now = problem.services.get(service)?.replicas;
                let fewer = now.checked_sub(*replicas)?;
                share(self.replica, fewer.into(), 1)?
            }
            Edit::AcceptPath { from, to, path } => {
                let mut sum = 0_i128;
                let links = problem.links.iter();
                for link in links.filter(|link| link.from == *from && link.to == *to) {
                    if let Some((limit, rtt)) = link.limit.rtt_below.zip(path.rtt) {
                        let over = rtt.base().saturating_sub(limit.base()).saturating_add(1).max(0);
                        sum += share(self.millisecond, over.unsigned_abs().into(), 1000)?;
                    }
                    if let Some((limit, hops)) = link.limit.max_hops.zip(path.hops) {
                        sum += share(self.hop, hops.saturating_sub(limit).into(), 1)?;
                    }
                }
                sum
            }
            Edit::DropLimit { from, to } => {
                let links = problem.links.iter();
                let links = links.filter(|link| link.from == *from && link.to == *to);
                let limits = links.map(|link| {
                    i128::from(link.limit.rtt_below.is_some()) + i128::from(link.limit.max_hops.is_some())
                });
                i128::from(self.unmeasured.millionths()) * limits.sum::<i128>()
            }
            Edit::DropLabels { .. } => self.labels.millionths().into(),
            Edit::DropSpread { .. } | Edit::DropHighAvailability { .. } => self.spread.millionths().into(),
            Edit::RelaxHighAvailability { .. } => self.domain.millionths().into(),
            Edit::RelaxSpread { .. } => self.relaxed_spread(problem, edit)?,
            Edit::LetSplit { .. } => self.split.millionths().into(),
            Edit::DropAntiAffinity { service } => {
                let groups = problem.anti_affinity.iter();
                let groups = groups.filter(|group| group.price.is_none() && group.services.contains(service));
                let others: usize = groups.map(|group| group.services.len().saturating_sub(1)).sum();
                share(self.group, others.max(1) as u128, 1)?
            }
            Edit::DropRule { .. } => self.rule.millionths().into(),
            Edit::DropCoLocation { .. } => self.group.millionths().into(),
            Edit::LetTogether { services } => {
                let let_out = services.len().saturating_sub(1);
                share(self.group, let_out as u128, 1)?
            }
            Edit::Release { .. } => self.release.millionths().into(),
            Edit::RaiseBudget { goal, at_most } => {
                let budgets = problem.budgets.iter().filter(|budget| budget.goal == *goal);
                let least = budgets.map(|budget| budget.at_most).min()?;
                let whole = |amount: i64| u64::try_from(amount).unwrap_or(0);
                share(self.budget, percent(whole(least), whole(*at_most)), 1)?
            }
            Edit::Bandwidth {
                between: [a, b],
                capacity,
            } => {
                let now = problem.network.path(a, b).bandwidth?;
                share(self.bandwidth, percent(now.get(), capacity.get()), 1)?
            }
            _ => return None,
        };
        millionths
            .checked_mul(Value::PER_POINT / 1_000_000)
            .map(Value::from_units)
    }

    /// So much a step, over all rules of a service about these domains; a spread of which nothing is left is one that is
    /// dropped.
    fn relaxed_spread(&self, problem: &PlacementProblem, edit: &Edit) -> Option<i128> {
        let Edit::RelaxSpread {
            service,
            key,
            min_groups,
            max_groups,
            max_skew,
        } = edit
        else {
            return None;
        };
        let rules = problem.services.get(service)?.spread.iter();
        let rules = rules.filter(|spread| spread.price.is_none() && spread.key == *key);
        let (mut steps, mut rest) = (0, false);
        for spread in rules {
            let then = spread.relaxed(*min_groups, *max_groups, *max_skew);
            let changes = [
                (spread.min_groups, then.min_groups),
                (spread.max_groups, then.max_groups),
                (spread.max_skew, then.max_skew),
            ];
            let changes = changes.into_iter().filter_map(|(now, then)| now.zip(then));
            steps += changes
                .map(|(now, then)| u128::from(now.abs_diff(then)))
                .sum::<u128>();
            rest |= then.min_groups.is_some_and(|least| least > 1)
                || then.max_groups.is_some()
                || then.max_skew.is_some();
        }
        if rest {
            share(self.domain, steps, 1)
        } else {
            Some(self.spread.millionths().into())
        }
    }
}

/// By how many per cent `more` is above `now`, rounded up, up to the most that counts.
fn percent(now: u64, more: u64) -> u128 {
    let most = u128::from(RepairCosts::MOST_PERCENT);
    let above = u128::from(more.saturating_sub(now)) * 100;
    match u128::from(now) {
        0 if above > 0 => most,
        now => above.div_ceil(now.max(1)).min(most),
    }
}

/// `weight x amount / base`, rounded up.
fn share(weight: Weight, amount: u128, base: u128) -> Option<i128> {
    let whole = u128::try_from(weight.millionths()).ok()?.checked_mul(amount)?;
    i128::try_from(whole.div_ceil(base)).ok()
}
