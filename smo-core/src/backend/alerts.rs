//! The port to alerts: rules in force, and what fires.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{BackendError, Labels};
use crate::plan::AlertGroup;

/// An alert that fires.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FiringAlert {
    /// Its labels: those of its rule, `alertname`, and those of the series that it fires for.
    pub labels: Labels,
    /// Since when.
    pub starts_at: Timestamp,
    /// Tells it from other alerts: equal for equal labels. The same fingerprint with the same start is the same alert,
    /// delivered again.
    pub fingerprint: String,
}

impl FiringAlert {
    /// The value of a label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }
}

/// Keeps alert rules, and knows what fires.
///
/// # Contract
/// - A group is written and removed as a whole. The backend touches only groups that it wrote itself, and writes each
///   so that two graphs never share one.
/// - `groups` tells a group that somebody changed by its fingerprint, or by its absence.
/// - `firing` lists alerts of those rules that fire now: none that are pending, silenced or resolved. Each carries the
///   labels of its rule and `alertname`.
///
/// # Idempotence
/// Writing the same group again changes nothing: what fires goes on with the same start. Removing a group that is not
/// there succeeds.
///
/// # Consistency
/// `groups` shows a written group at once. Until its rules are evaluated it may take a reload (30 to 90 s with the
/// Prometheus operator). The same alert is seen again and again while it fires.
///
/// # Cancellation
/// A dropped call was done or not; repeat it.
///
/// # Errors
/// `Invalid` for a rule whose expression or duration the server refuses: nothing of the group is then written.
/// `Unavailable` when it does not answer.
///
/// # Implementations
/// [`InMemoryAlerts`](super::memory::InMemoryAlerts).
///
/// # Example
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use jiff::Timestamp;
/// use smo_core::backend::{AlertBackend, memory::InMemoryAlerts};
/// use smo_core::plan::{AlertGroup, AlertRule};
///
/// let alerts = InMemoryAlerts::new();
/// let rule = AlertRule {
///     alert: "shop-web-high-load".to_owned(),
///     expr: "sum(rate(requests_total[1m])) > 40".to_owned(),
///     hold: "2m".to_owned(),
///     labels: [("severity".to_owned(), "critical".to_owned())].into(),
///     annotations: [].into(),
/// };
/// alerts.write(&AlertGroup { name: "shop".to_owned(), rules: vec![rule] }).await?;
/// alerts.fire("shop-web-high-load", Timestamp::UNIX_EPOCH)?; // a test's privilege
/// let firing = alerts.firing().await?;
/// assert_eq!(firing[0].label("alertname"), Some("shop-web-high-load"));
/// # Ok(()) }
/// ```
#[async_trait]
pub trait AlertBackend: Debug + Send + Sync {
    /// Puts a group in force, in the place of one of the same name.
    async fn write(&self, group: &AlertGroup) -> Result<(), BackendError>;

    /// Takes a group out of force.
    async fn remove(&self, group: &str) -> Result<(), BackendError>;

    /// The groups in force: by name, the fingerprint of their content ([`AlertGroup::fingerprint`]).
    async fn groups(&self) -> Result<BTreeMap<String, String>, BackendError>;

    /// What fires now, by name and labels.
    async fn firing(&self) -> Result<Vec<FiringAlert>, BackendError>;
}

/// Conveniences for every [`AlertBackend`].
#[async_trait]
pub trait AlertBackendExt: AlertBackend {
    /// What fires now and has this label.
    async fn firing_with(&self, label: &str, value: &str) -> Result<Vec<FiringAlert>, BackendError> {
        let mut firing = self.firing().await?;
        firing.retain(|alert| alert.label(label) == Some(value));
        Ok(firing)
    }
}

impl<B: AlertBackend + ?Sized> AlertBackendExt for B {}
