//! The desired state, and its difference from what runs.

mod change;
mod deployment;
mod planner;
mod refine;
mod values;

pub(crate) use change::{Change, ChangeSet};
pub(crate) use deployment::{DeploymentPlan, Note, ServicePlan};
pub(crate) use planner::{Planner, plan};
pub(crate) use refine::Raised;
pub(crate) use values::ValuesContract;
