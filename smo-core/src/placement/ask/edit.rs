//! A change to a placement question: what a what-if question asks about, and what a repair does.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::cluster::{Path, Taint};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::{ClusterSupply, DomainKey, Goal, PlacementError, PlacementProblem, Weight};
use crate::resources::ResourceName;
use crate::units::{DataRate, Money};

/// One change to a placement question. [`PlacementProblem::edited`] makes it; `Display` is a few words.
///
/// Percentages are of what there is: 150 is half as much again, 0 is nothing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", tag = "edit")]
#[non_exhaustive]
pub enum Edit {
    /// The cluster is gone: not ready, and what runs there has to move.
    Lose {
        /// The cluster.
        cluster: ClusterName,
    },
    /// The cluster takes no services and those there leave, although it is ready.
    Drain {
        /// The cluster.
        cluster: ClusterName,
    },
    /// The cluster is ready again.
    MakeReady {
        /// The cluster.
        cluster: ClusterName,
    },
    /// One cluster more.
    AddCluster {
        /// Its name, which no other cluster has.
        cluster: ClusterName,
        /// What it has.
        supply: Box<ClusterSupply>,
        /// How far it is from others.
        paths: Vec<(ClusterName, Path)>,
    },
    /// A service runs so many replicas.
    Replicas {
        /// The service.
        service: ServiceKey,
        /// How many.
        replicas: u32,
    },
    /// A service, or every one, runs this share of its replicas, rounded up.
    ScaleReplicas {
        /// The service; `None` for all.
        service: Option<ServiceKey>,
        /// Per cent of what it runs.
        percent: u32,
    },
    /// Every replica of a service, or of all, takes this share of what it takes, rounded up.
    ScaleDemand {
        /// The service; `None` for all.
        service: Option<ServiceKey>,
        /// Per cent of what it takes.
        percent: u32,
    },
    /// The links of a service, or all, carry this share of their traffic, rounded up.
    ScaleTraffic {
        /// The service; `None` for all.
        service: Option<ServiceKey>,
        /// Per cent of what they carry.
        percent: u32,
    },
    /// A service, or every one, has this share of its load: so many of its replicas, and so much traffic on its links.
    /// A link of two services whose load changes one by one changes twice.
    ScaleLoad {
        /// The service; `None` for all.
        service: Option<ServiceKey>,
        /// Per cent of its load.
        percent: u32,
    },
    /// The service is gone, with its links, and leaves its groups.
    Remove {
        /// The service.
        service: ServiceKey,
    },
    /// An hour of one unit of a resource costs this much on a cluster.
    Price {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// For a core, a GiB or a piece.
        price: Money,
    },
    /// Everything on a cluster, or on all, costs this share of its price, rounded up.
    ScalePrices {
        /// The cluster; `None` for all.
        cluster: Option<ClusterName>,
        /// Per cent of the price.
        percent: u32,
    },
    /// The electricity of a cluster has this carbon intensity.
    CarbonIntensity {
        /// The cluster.
        cluster: ClusterName,
        /// In gCO2e/kWh.
        intensity: f64,
    },
    /// A service may run on these clusters only.
    Pin {
        /// The service.
        service: ServiceKey,
        /// The clusters.
        clusters: BTreeSet<ClusterName>,
    },
    /// A service is no longer pinned.
    Unpin {
        /// The service.
        service: ServiceKey,
    },
    /// A service may not run on a cluster.
    Exclude {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
    /// A service may run on a cluster that it is kept off by a pin or an exclusion.
    Allow {
        /// The service.
        service: ServiceKey,
        /// The cluster.
        cluster: ClusterName,
    },
    /// A service may run in one more region; where nobody knows the region of a cluster, in any.
    AllowRegion {
        /// The service.
        service: ServiceKey,
        /// The region; `None` for any.
        region: Option<String>,
    },
    /// A service ignores a taint.
    Tolerate {
        /// The service.
        service: ServiceKey,
        /// The taint.
        taint: Taint,
    },
    /// A cluster has so much of a resource for the services being decided.
    Capacity {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// How much, in its base unit.
        amount: u64,
    },
    /// A cluster has so much more of a resource. A resource that is not limited stays so.
    AddCapacity {
        /// The cluster.
        cluster: ClusterName,
        /// The resource.
        resource: ResourceName,
        /// How much more, in its base unit.
        amount: u64,
    },
    /// The ends of a link may be as far from one another as this path.
    AcceptPath {
        /// The caller.
        from: ServiceKey,
        /// The callee.
        to: ServiceKey,
        /// The path; what it does not say keeps its limit.
        path: Path,
    },
    /// The ends of a link may be anywhere.
    DropLimit {
        /// The caller.
        from: ServiceKey,
        /// The callee.
        to: ServiceKey,
    },
    /// The network between two clusters carries so much.
    Bandwidth {
        /// The clusters.
        between: [ClusterName; 2],
        /// How much.
        capacity: DataRate,
    },
    /// Two clusters are this far from one another; what the path does not say stays as it was measured.
    Distance {
        /// The clusters.
        between: [ClusterName; 2],
        /// What is measured.
        path: Path,
    },
    /// A goal of the highest priority counts so much, in points for one unit of it.
    Weigh {
        /// The goal.
        goal: Goal,
        /// Points for one unit.
        weight: Weight,
    },
    /// So much of a goal may be spent, emitted or moved, whatever budgets of it there are.
    SetBudget {
        /// The goal.
        goal: Goal,
        /// How much, in its base unit.
        at_most: i64,
    },
    /// The labels of its clusters do not matter to a service.
    DropLabels {
        /// The service.
        service: ServiceKey,
    },
    /// A service need not spread over domains of this kind.
    DropSpread {
        /// The service.
        service: ServiceKey,
        /// What makes a domain.
        key: DomainKey,
    },
    /// The spread of a service over domains of this kind asks for less; what is `None` keeps its limit.
    RelaxSpread {
        /// The service.
        service: ServiceKey,
        /// What makes a domain.
        key: DomainKey,
        /// So many domains are enough.
        min_groups: Option<u32>,
        /// So many domains may be used.
        max_groups: Option<u32>,
        /// The fullest domain may have so many replicas more than the emptiest.
        max_skew: Option<u32>,
    },
    /// The replicas of a service may run on several clusters.
    LetSplit {
        /// The service.
        service: ServiceKey,
    },
    /// A service has to survive the loss of a cluster only, not of a whole domain of several.
    RelaxHighAvailability {
        /// The service.
        service: ServiceKey,
    },
    /// A service need not survive the loss of a domain.
    DropHighAvailability {
        /// The service.
        service: ServiceKey,
    },
    /// A service whose placement is final may move.
    Release {
        /// The service.
        service: ServiceKey,
    },
    /// Services that share their clusters need not.
    DropCoLocation {
        /// All services of the group.
        services: BTreeSet<ServiceKey>,
    },
    /// Services that keep apart may share a domain with one another, and keep apart from the others.
    LetTogether {
        /// The services.
        services: BTreeSet<ServiceKey>,
    },
    /// A service need not keep apart from any other, and may run in no domain.
    DropAntiAffinity {
        /// The service.
        service: ServiceKey,
    },
    /// A rule of the host is not asked.
    DropRule {
        /// Its name.
        rule: String,
    },
    /// So much of a goal may be spent, emitted or moved, where a budget allows less.
    RaiseBudget {
        /// The goal.
        goal: Goal,
        /// How much, in its base unit.
        at_most: i64,
    },
}

impl PlacementProblem {
    /// The same question with these changes, made in order.
    ///
    /// # Errors
    /// [`PlacementError::InvalidProblem`] for a service, cluster, link or rule that the question does not have, and for an added
    /// cluster that it has already; [`PlacementError::Overflow`] for replicas, demands or traffic that do not fit.
    pub fn edited(&self, edits: &[Edit]) -> Result<Self, PlacementError> {
        let mut problem = self.clone();
        edits.iter().try_for_each(|edit| edit.apply(&mut problem))?;
        Ok(problem)
    }
}
