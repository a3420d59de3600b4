//! The rule of one owner of replicas, as [`ReleaseBackend`] keeps it: whoever else sets a count is seen.

use std::fmt::Debug;

use async_trait::async_trait;

use super::releases::{PORT, Suite};
use super::{Outcome, Patience, ReleaseFixture};
use crate::backend::{BackendError, ReleaseBackend, Timer};
use crate::cluster::ObservedRelease;
use crate::id::ServiceKey;

/// Somebody else on the fleet, who changes counts without the backend.
#[async_trait]
pub trait OtherOwner: Debug + Send + Sync {
    /// Lets an autoscaler name the workload of a service as its target, and gives what the backend has to call it, such as
    /// `HorizontalPodAutoscaler/web`. It never changes the count by itself.
    async fn add_autoscaler(&self, service: &ServiceKey) -> Result<String, BackendError>;

    /// Takes that autoscaler away.
    async fn remove_autoscaler(&self, service: &ServiceKey) -> Result<(), BackendError>;

    /// Changes the count of a service, as `kubectl scale` does.
    async fn edit_replicas(&self, service: &ServiceKey, replicas: u32) -> Result<(), BackendError>;
}

/// Checks that `backend` shows who else sets the replicas of a release, and what they set: a controller that does not see
/// that would undo it, again and again.
///
/// # Errors
/// The first rule that it breaks.
pub async fn owners(
    backend: &dyn ReleaseBackend,
    timer: &dyn Timer,
    fixture: &ReleaseFixture,
    others: &dyn OtherOwner,
) -> Outcome {
    let suite = Suite {
        backend,
        timer,
        fixture,
    };
    let key = &fixture.key();
    let [cluster, _] = &fixture.clusters;
    let spec = fixture.spec(key, cluster, 1);
    PORT.succeeds("a release can be applied", backend.apply(&spec).await)?;
    let at = |release: &ObservedRelease| release.clusters.get(cluster).map(|at| (at.desired, at.ready));
    suite
        .until("a release becomes healthy", |release| at(release) == Some((1, 1)))
        .await?;
    suite
        .until(
            "a release that nobody else scales has no other owner",
            |release| release.owners.is_empty(),
        )
        .await?;
    let name = PORT.succeeds("an autoscaler can be added", others.add_autoscaler(key).await)?;
    suite
        .until("an autoscaler of somebody else is an owner", |release| {
            release.owners == [name.clone()]
        })
        .await?;
    PORT.succeeds(
        "an autoscaler can be removed",
        others.remove_autoscaler(key).await,
    )?;
    suite
        .until("an autoscaler that is gone is no owner", |release| {
            release.owners.is_empty()
        })
        .await?;
    PORT.succeeds("a count can be edited", others.edit_replicas(key, 2).await)?;
    suite
        .until(
            "a count that somebody else has set is what is observed",
            |release| at(release) == Some((2, 2)),
        )
        .await?;
    let one = crate::placement::Assignment::single(cluster.clone(), 1);
    PORT.succeeds(
        "a count that somebody else has set can be set again",
        backend.scale(key, &one).await,
    )?;
    suite
        .until("a count that was set again is what runs", |release| {
            at(release) == Some((1, 1))
        })
        .await?;
    PORT.succeeds("a release can be removed", backend.remove(key).await)?;
    suite.no_leftovers("a removed release goes everywhere").await
}

impl Suite<'_> {
    async fn until(&self, rule: &'static str, holds: impl Fn(&ObservedRelease) -> bool) -> Outcome {
        let patience = Patience::new(self.timer, self.fixture.patience);
        loop {
            let release = self.observed().await?;
            if holds(&release) {
                return Ok(());
            }
            if !patience.wait().await {
                let found = format!("owners {:?}, {:?}", release.owners, release.clusters);
                return Err(PORT.broken(rule, found));
            }
        }
    }
}
