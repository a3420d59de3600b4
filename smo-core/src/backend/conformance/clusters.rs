//! The contract of [`ClusterBackend`].

use super::{Outcome, Patience, Port, ReleaseFixture};
use crate::backend::{ClusterBackend, ClusterBackendExt, ErrorKind, ReleaseBackend, Timer};
use crate::id::ClusterName;
use crate::resources::Resources;

const PORT: Port = Port("ClusterBackend");

/// Checks that `backend` keeps the contract of [`ClusterBackend`], with a cluster that it has and one that it has not.
///
/// # Errors
/// The first rule that it breaks.
pub async fn clusters(backend: &dyn ClusterBackend, known: &ClusterName, unknown: &ClusterName) -> Outcome {
    let inventory = PORT.succeeds("the fleet can be observed", backend.inventory().await)?;
    PORT.holds(
        "an inventory says when it was observed",
        inventory.observed_at.is_some(),
        "no time",
    )?;
    let misnamed = inventory
        .clusters
        .iter()
        .find(|(name, cluster)| **name != cluster.name);
    PORT.holds(
        "a cluster is listed under its own name",
        misnamed.is_none(),
        format!("{misnamed:?}"),
    )?;
    let again = PORT.succeeds("the fleet can be observed again", backend.inventory().await)?;
    let names =
        |inventory: &crate::cluster::Inventory| inventory.clusters.keys().cloned().collect::<Vec<_>>();
    PORT.equal(
        "clusters are listed in the same order",
        names(&again),
        names(&inventory),
    )?;
    let one = PORT.succeeds("a cluster can be looked up", backend.cluster(known).await)?;
    PORT.equal("a cluster that is looked up is the one", &one.name, known)?;
    PORT.fails(
        "an unknown cluster is NotFound",
        ErrorKind::NotFound,
        backend.cluster(unknown).await,
    )
}

/// Checks that what releases hold is counted in the inventory, and given back when they go.
///
/// # Errors
/// The first rule that is broken.
pub async fn capacity(
    clusters: &dyn ClusterBackend,
    releases: &dyn ReleaseBackend,
    timer: &dyn Timer,
    fixture: &ReleaseFixture,
) -> Outcome {
    let [first, _] = &fixture.clusters;
    let free = || async {
        PORT.succeeds("a cluster can be looked up", clusters.cluster(first).await)
            .map(|c| c.free())
    };
    let before = free().await?;
    let spec = fixture.spec(&fixture.key(), first, 2);
    let held = fixture.resources.checked_mul(2).unwrap_or_default();
    PORT.succeeds("a release is accepted", releases.apply(&spec).await)?;
    let wanted = before.saturating_sub(&held);
    reached(
        clusters,
        first,
        &wanted,
        timer,
        fixture,
        "what a release requests is counted as allocated, once",
    )
    .await?;
    PORT.succeeds("a release can be removed", releases.remove(&spec.service).await)?;
    reached(
        clusters,
        first,
        &before,
        timer,
        fixture,
        "what a removed release held is free again",
    )
    .await
}

/// Waits until the resources that the fixture asks for are left as `wanted` says.
async fn reached(
    clusters: &dyn ClusterBackend,
    name: &ClusterName,
    wanted: &Resources,
    timer: &dyn Timer,
    fixture: &ReleaseFixture,
    rule: &'static str,
) -> Outcome {
    let asked = |free: &Resources| -> Vec<u64> {
        fixture
            .resources
            .iter()
            .map(|(resource, _)| free.amount(resource.as_str()))
            .collect()
    };
    let patience = Patience::new(timer, fixture.patience);
    loop {
        let free = PORT
            .succeeds("a cluster can be looked up", clusters.cluster(name).await)?
            .free();
        if asked(&free) == asked(wanted) {
            return Ok(());
        }
        if !patience.wait().await {
            return Err(PORT.broken(rule, format!("{free} left where {wanted} is right")));
        }
    }
}
