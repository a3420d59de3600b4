//! The complete desired state of one graph, as a value: releases with their values, imports, alerts, dashboards.
//!
//! [`Planner`] makes a [`DeploymentPlan`] from a graph and an inventory; [`DeploymentPlan::diff`] compares it with what
//! runs; [`lint`] reads it for what is allowed but surprising. Nothing here touches a cluster.

mod change;
mod deployment;
mod diff;
mod error;
mod explain;
mod fingerprint;
mod imports;
pub mod lint;
mod monitoring;
mod planner;
mod refinement;
mod svg;
mod values;

pub use change::{Change, ChangeSet, ReleaseAction};
pub use deployment::{
    DeploymentPlan, Note, ReleaseSpec, ServiceExport, ServiceImport, ServicePlan, Start, Target,
};
pub use error::PlanError;
pub use fingerprint::Fingerprint;
pub use monitoring::{AlertGroup, AlertRule, Dashboard, Panel, PanelKind, Query, Unit, Variable};
pub use planner::Planner;
pub use values::{ValuesContract, WrapperIsNoMap};
