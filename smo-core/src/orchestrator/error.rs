//! Why an operation was not done.

use jiff::Timestamp;
use thiserror::Error;

use super::ApplyReport;
use crate::backend::BackendError;
use crate::id::{GraphKey, ServiceKey};
use crate::plan::PlanError;
use crate::scaling::ControllerError;

/// Why an operation was not done, or not to the end.
#[derive(Debug, Clone, Error)]
#[non_exhaustive]
pub enum OrchestratorError {
    /// No such graph is deployed.
    #[error("no graph `{0}` is deployed")]
    UnknownGraph(GraphKey),
    /// A graph of that name is deployed already.
    #[error("a graph `{0}` is deployed already")]
    Exists(GraphKey),
    /// The graph has been stopped.
    #[error("the graph `{0}` is stopped")]
    Stopped(GraphKey),
    /// The graph has not been stopped.
    #[error("the graph `{0}` is not stopped")]
    NotStopped(GraphKey),
    /// The service is not installed.
    #[error("the service `{0}` is not installed")]
    NotInstalled(ServiceKey),
    /// Another operation on the graph goes on.
    #[error("another operation on the graph `{graph}` goes on; it has until {until}")]
    Busy {
        /// The graph.
        graph: GraphKey,
        /// Until when at most, unless it shows progress.
        until: Timestamp,
    },
    /// What runs has changed since the differences were computed.
    #[error("what runs has changed since these differences were computed; nothing was done")]
    Changed {
        /// The graph.
        graph: GraphKey,
    },
    /// There is no plan.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The step of scaling makes no sense: an observation, or the scaler.
    #[error(transparent)]
    Scaling(#[from] ControllerError),
    /// A part of the outside world failed before anything was done.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A step failed. The report says which, and what became of the others.
    #[error("{}", .0.headline())]
    Failed(Box<ApplyReport>),
    /// A step failed, what was done was taken back as the report says, and that could not be remembered: `reconcile`
    /// will try the plan again.
    #[error("{}; this could not be remembered: {error}", .report.headline())]
    NotRemembered {
        /// What was done.
        report: Box<ApplyReport>,
        /// Why the store refused.
        #[source]
        error: BackendError,
    },
}
