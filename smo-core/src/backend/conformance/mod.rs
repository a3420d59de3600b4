//! One suite for each port, to be run on any implementation: ours, and those of others.
//!
//! A suite is a plain asynchronous function. It takes the backend, where time matters the host's [`Timer`], and where the
//! backend needs real things (a chart, two clusters) a fixture that names them. It says the first rule of the contract
//! that the backend breaks. It cleans up after itself when the backend keeps its contract.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use smo_core::backend::{conformance, memory::InMemoryStore};
//!
//! conformance::store(&InMemoryStore::new()).await?;
//! # Ok(()) }
//! ```

mod alerts;
mod artifacts;
mod charts;
mod clusters;
mod dashboards;
mod infrastructure;
mod metrics;
mod owners;
mod releases;
mod store;

use std::fmt::Debug;
use std::time::Duration;

use thiserror::Error;

pub use alerts::alerts;
pub use artifacts::{ArtifactFixture, artifacts};
pub use charts::{ChartFixture, charts};
pub use clusters::{capacity, clusters};
pub use dashboards::dashboards;
pub use infrastructure::{InfrastructureFixture, infrastructure};
pub use metrics::{MetricsFixture, metrics};
pub use owners::{OtherOwner, owners};
pub use releases::{ReleaseFixture, releases, room};
pub use store::store;

use super::clock::{later, since};
use super::{BackendError, ErrorKind, Timer};

/// The first rule of a contract that a backend breaks.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{port}: {rule}; found {found}")]
pub struct ConformanceError {
    /// The port.
    pub port: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// What the backend did instead.
    pub found: String,
}

type Outcome = Result<(), ConformanceError>;

/// Checks the rules of one port.
#[derive(Debug, Clone, Copy)]
struct Port(&'static str);

impl Port {
    fn broken(self, rule: &'static str, found: impl Into<String>) -> ConformanceError {
        ConformanceError {
            port: self.0,
            rule,
            found: found.into(),
        }
    }

    /// The value of a call that has to succeed.
    fn succeeds<T>(self, rule: &'static str, result: Result<T, BackendError>) -> Result<T, ConformanceError> {
        result.map_err(|error| self.broken(rule, format!("{} error `{error}`", error.kind())))
    }

    /// A call has to fail in a certain way.
    fn fails<T: Debug>(
        self,
        rule: &'static str,
        kind: ErrorKind,
        result: Result<T, BackendError>,
    ) -> Outcome {
        match result {
            Err(error) if error.kind() == kind => Ok(()),
            Err(error) => Err(self.broken(rule, format!("{} error `{error}`", error.kind()))),
            Ok(value) => Err(self.broken(rule, format!("success: {value:?}"))),
        }
    }

    /// Two values have to be equal.
    fn equal<T: PartialEq + Debug>(self, rule: &'static str, found: T, wanted: T) -> Outcome {
        if found == wanted {
            Ok(())
        } else {
            Err(self.broken(rule, format!("{found:?} where {wanted:?} is right")))
        }
    }

    fn holds(self, rule: &'static str, holds: bool, found: impl Into<String>) -> Outcome {
        if holds {
            Ok(())
        } else {
            Err(self.broken(rule, found))
        }
    }
}

/// Counts down while a suite waits for something.
struct Patience<'a> {
    timer: &'a dyn Timer,
    deadline: jiff::Timestamp,
    pause: Duration,
}

impl<'a> Patience<'a> {
    fn new(timer: &'a dyn Timer, patience: Duration) -> Self {
        let pause = (patience / 50).max(Duration::from_millis(10));
        Self {
            timer,
            deadline: later(timer.now(), patience),
            pause,
        }
    }

    /// Waits a little; false when there is no patience left.
    async fn wait(&self) -> bool {
        let left = since(self.deadline, self.timer.now());
        if left.is_zero() {
            return false;
        }
        self.timer.wait(self.pause.min(left)).await;
        true
    }
}
