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
        }
    }
}

impl RepairCosts {
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
            _ => return None,
        };
        millionths
            .checked_mul(Value::PER_POINT / 1_000_000)
            .map(Value::from_units)
    }
}

/// `weight x amount / base`, rounded up.
fn share(weight: Weight, amount: u128, base: u128) -> Option<i128> {
    let whole = u128::try_from(weight.millionths()).ok()?.checked_mul(amount)?;
    i128::try_from(whole.div_ceil(base)).ok()
}
