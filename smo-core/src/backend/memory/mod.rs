//! The default implementation of every port: in memory, with a clock that a test moves, calls that are recorded and
//! faults that are scripted.

mod alerts;
mod artifacts;
mod charts;
mod dashboards;
mod fleet;
mod infrastructure;
mod journal;
mod metrics;
mod store;

pub use alerts::InMemoryAlerts;
pub use artifacts::InMemoryArtifacts;
pub use charts::InMemoryCharts;
pub use dashboards::InMemoryDashboards;
pub use fleet::{Delays, InMemoryFleet};
pub use infrastructure::InMemoryInfrastructure;
pub use journal::{Call, Journal, Scripted};
pub use metrics::InMemoryMetrics;
pub use store::InMemoryStore;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The content of a lock; a panic elsewhere does not make it unusable.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
