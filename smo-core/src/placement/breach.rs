//! What a placement does wrong, as data: which rule, where, and how much.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

use super::{Budget, DomainKey, LinkLimit, Placement, Reason, Value, Weight};
use crate::cluster::Path;
use crate::id::{ClusterName, ServiceKey};
use crate::resources::ResourceName;
use crate::units::DataRate;

/// A rule that a placement breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Breach {
    /// A service runs where a rule forbids it, whatever the others do.
    #[error("{service} may not run on {cluster}: {reason}")]
    Forbidden {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
        /// The rule in the way.
        reason: Reason,
    },
    /// The services of a cluster take more than it has.
    #[error("{cluster} has {} for services that take {}", .resource.describe(*.capacity), describe_wide(.resource, *.demanded))]
    Overcommitted {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// What its services take, in the base unit.
        demanded: u128,
        /// What there is, in the base unit.
        capacity: u64,
    },
    /// The ends of a link are too far from one another.
    #[error("the link from {from} on {from_cluster} to {to} on {to_cluster}: {}", .limit.compare(*.measured))]
    LinkTooLong {
        /// The caller.
        from: ServiceKey,
        /// Its cluster.
        from_cluster: ClusterName,
        /// The callee.
        to: ServiceKey,
        /// Its cluster.
        to_cluster: ClusterName,
        /// How near they have to be.
        limit: LinkLimit,
        /// What was measured.
        measured: Path,
    },
    /// A service runs too few or too many replicas.
    #[error("{service} runs {placed} of {wanted} replicas")]
    Replicas {
        /// The service.
        service: ServiceKey,
        /// How many replicas the placement has.
        placed: u64,
        /// How many it needs.
        wanted: u32,
    },
    /// A service runs on several clusters.
    #[error("{service} is split over {clusters} clusters")]
    Split {
        /// The service.
        service: ServiceKey,
        /// How many.
        clusters: usize,
    },
    /// The replicas of a service do not spread as they should.
    #[error("{service} over {key}s: {fault}")]
    Spread {
        /// The service.
        service: ServiceKey,
        /// What makes a domain.
        key: DomainKey,
        /// What is wrong.
        fault: SpreadFault,
        /// The points for a unit of it; `None` for a rule.
        price: Option<Weight>,
    },
    /// A service would not survive the loss of one domain.
    #[error("{service} runs in one {key} only")]
    NotAvailable {
        /// The service.
        service: ServiceKey,
        /// What makes a domain.
        key: DomainKey,
        /// The points for it; `None` for a rule.
        price: Option<Weight>,
    },
    /// Two services that share their clusters do not.
    #[error("{one} and {other} share their clusters, and only one of them runs on {}", list(.clusters))]
    Apart {
        /// A service.
        one: ServiceKey,
        /// Another one.
        other: ServiceKey,
        /// The clusters that only one of the two uses.
        clusters: Vec<ClusterName>,
        /// The points for each of them; `None` for a rule.
        price: Option<Weight>,
    },
    /// Services that keep apart run in one domain.
    #[error("{} keep apart, and run on {domain} together", list(.services))]
    Together {
        /// The domain.
        domain: String,
        /// The services there.
        services: Vec<ServiceKey>,
        /// The points for each beyond the first; `None` for a rule.
        price: Option<Weight>,
    },
    /// A service whose placement is final moves.
    #[error("the placement of {service} is final, and {replicas} of its replicas would move")]
    Moved {
        /// The service.
        service: ServiceKey,
        /// How many replicas leave where they run.
        replicas: u32,
    },
    /// The network between two clusters carries more than it can.
    #[error("the links between {} and {} carry {carried} bytes/s of {} bytes/s", .between[0], .between[1], .capacity.get())]
    OverBandwidth {
        /// The clusters.
        between: [ClusterName; 2],
        /// What the links carry, in bytes per second.
        carried: u128,
        /// What the network can.
        capacity: DataRate,
    },
    /// More is spent, emitted or moved than allowed.
    #[error("{}, over the budget of {}", .budget.goal.describe(*.amount), .budget.goal.describe(.budget.at_most))]
    OverBudget {
        /// The budget.
        budget: Budget,
        /// How much it is, in the goal's base unit.
        amount: i64,
    },
    /// A goal of a higher priority gets worse.
    #[error("goals of a higher priority are worth {}, and could be worth {at_most}", .worth.map_or("too much to count".to_owned(), |worth| worth.to_string()))]
    Spoils {
        /// What they are worth.
        worth: Option<Value>,
        /// What they could be worth.
        at_most: Value,
    },
    /// A rule of the host.
    #[error("{rule}: {message}")]
    Custom {
        /// Its name.
        rule: String,
        /// What it says.
        message: String,
        /// How much it is broken, in its own unit; what its price is multiplied with where it is soft.
        amount: u64,
    },
    /// A service that the problem does not have.
    #[error("{service} is no service of the problem")]
    UnknownService {
        /// The service.
        service: ServiceKey,
    },
    /// A cluster that the problem does not have.
    #[error("{service} runs on {cluster}, which is no cluster of the fleet")]
    UnknownCluster {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
}

/// An amount that may not fit 64 bits.
fn describe_wide(resource: &ResourceName, amount: u128) -> String {
    u64::try_from(amount).map_or_else(
        |_| format!("{amount} base units of {resource}"),
        |amount| resource.describe(amount),
    )
}

fn list(names: &[impl fmt::Display]) -> String {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    names.join(", ")
}

/// How the replicas of a service fail to spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", tag = "fault")]
pub enum SpreadFault {
    /// In too few domains.
    TooFew {
        /// How many are used.
        used: u32,
        /// How many are asked for.
        least: u32,
    },
    /// In too many domains.
    TooMany {
        /// How many are used.
        used: u32,
        /// How many are allowed.
        most: u32,
    },
    /// Too unevenly.
    Skew {
        /// Replicas in the fullest domain less those in the emptiest.
        skew: u64,
        /// How many are allowed.
        most: u32,
    },
    /// On clusters that are in no domain.
    Outside {
        /// How many replicas.
        replicas: u64,
    },
}

impl fmt::Display for SpreadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFew { used, least } => write!(f, "{used} used of at least {least}"),
            Self::TooMany { used, most } => write!(f, "{used} used of at most {most}"),
            Self::Skew { skew, most } => write!(f, "a skew of {skew} of at most {most}"),
            Self::Outside { replicas } => write!(f, "{replicas} replicas in none"),
        }
    }
}

impl SpreadFault {
    fn amount(self) -> u64 {
        match self {
            Self::TooFew { used, least } => u64::from(least.saturating_sub(used)),
            Self::TooMany { used, most } => u64::from(used.saturating_sub(most)),
            Self::Skew { skew, most } => skew.saturating_sub(most.into()),
            Self::Outside { replicas } => replicas,
        }
    }
}

/// Base units of a resource in one unit of overload: a millicore, a MiB, a piece.
pub(super) fn overload_unit(resource: &ResourceName) -> u64 {
    match resource.as_str() {
        ResourceName::MEMORY | ResourceName::STORAGE | "ephemeral-storage" => 1 << 20,
        _ => 1,
    }
}

/// Bytes per second in one unit of traffic beyond the bandwidth.
pub(super) const BANDWIDTH_UNIT: u128 = 1000;

impl Breach {
    /// The points for a unit of it, where the question says so for this very thing; `None` for a rule.
    #[must_use]
    pub fn price(&self) -> Option<Weight> {
        match self {
            Self::Spread { price, .. }
            | Self::NotAvailable { price, .. }
            | Self::Apart { price, .. }
            | Self::Together { price, .. } => *price,
            Self::OverBudget { budget, .. } => budget.price,
            _ => None,
        }
    }

    /// How much of it there is in `placement`, in the unit that its rule names; saturates.
    #[must_use]
    pub fn amount(&self, placement: &Placement) -> u64 {
        let fit = |amount: u128| u64::try_from(amount).unwrap_or(u64::MAX);
        match self {
            Self::Forbidden { service, cluster, .. } => placement
                .get(service)
                .map_or(0, |assignment| assignment.on(cluster).into()),
            Self::Overcommitted {
                resource,
                demanded,
                capacity,
                ..
            } => {
                let excess = demanded.saturating_sub((*capacity).into());
                fit(excess.div_ceil(overload_unit(resource).into()))
            }
            Self::Spread { fault, .. } => fault.amount(),
            Self::Apart { clusters, .. } => clusters.len() as u64,
            Self::Together { services, .. } => services.len().saturating_sub(1) as u64,
            Self::Moved { replicas, .. } => (*replicas).into(),
            Self::OverBandwidth {
                carried, capacity, ..
            } => fit(carried
                .saturating_sub(capacity.get().into())
                .div_ceil(BANDWIDTH_UNIT)),
            Self::OverBudget { budget, amount } => {
                let excess = i128::from(*amount) - i128::from(budget.at_most);
                fit(excess
                    .unsigned_abs()
                    .div_ceil(budget.step().unsigned_abs().into()))
            }
            Self::Custom { amount, .. } => *amount,
            Self::Replicas { placed, wanted, .. } => placed.abs_diff((*wanted).into()),
            Self::Split { clusters, .. } => clusters.saturating_sub(1) as u64,
            Self::NotAvailable { .. }
            | Self::LinkTooLong { .. }
            | Self::Spoils { .. }
            | Self::UnknownService { .. }
            | Self::UnknownCluster { .. } => 1,
        }
    }
}
