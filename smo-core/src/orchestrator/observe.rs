//! Looking at what runs.

use std::collections::BTreeMap;

use super::Orchestrator;
use crate::backend::{BackendError, Leftover, Scope};
use crate::cluster::{Health, Inventory, ObservedRelease, ObservedState};
use crate::id::{ClusterName, GraphKey, ServiceKey};
use crate::placement::Assignment;
use crate::plan::{ReleaseSpec, Target};

impl Orchestrator {
    /// Everything of a graph that runs, as [`DeploymentPlan::diff`](crate::plan::DeploymentPlan::diff) takes it. With
    /// dashboards that cannot be listed, none are there.
    ///
    /// # Errors
    /// When releases or alert rules cannot be observed.
    pub async fn observe(&self, graph: &GraphKey) -> Result<ObservedState, BackendError> {
        let observed = self.releases.observe(&Scope::Graph(graph.clone())).await?;
        Ok(ObservedState {
            observed_at: Some(self.timer.now()),
            releases: observed.releases,
            alert_groups: self.alerts.groups().await?,
            dashboards: self.dashboards.list().await.unwrap_or_default(),
        })
    }

    /// Copies of services where they should not be (any more), such as on a cluster that does not answer.
    ///
    /// # Errors
    /// When releases cannot be observed.
    pub async fn leftovers(&self, graph: &GraphKey) -> Result<Vec<Leftover>, BackendError> {
        self.releases
            .observe(&Scope::Graph(graph.clone()))
            .await
            .map(|observed| observed.leftovers)
    }

    /// The fleet as a decision about `graph` has to see it: what the waiting services of other graphs will take when their
    /// alerts fire counts as allocated. For a decision about no graph, those of all. It keeps the headroom of the host.
    pub(super) async fn fleet_for(&self, graph: Option<&GraphKey>) -> Result<Inventory, BackendError> {
        let mut fleet = self.clusters.inventory().await?;
        if let Some(headroom) = &self.headroom {
            fleet.headroom = headroom.clone();
        }
        let (records, _) = self.records().await?;
        for record in records.iter().filter(|record| Some(&record.graph) != graph) {
            for spec in record.waiting() {
                let Target::Clusters(assignment) = &spec.target else {
                    continue;
                };
                for (cluster, replicas) in assignment.iter() {
                    // A demand that was planned fits 64 bits.
                    let held = spec.resources.checked_mul(replicas).unwrap_or_default();
                    fleet.reserve(cluster, &held);
                }
            }
        }
        Ok(fleet)
    }

    pub(super) async fn observed_releases(
        &self,
        graph: &GraphKey,
    ) -> Result<BTreeMap<ServiceKey, ObservedRelease>, BackendError> {
        self.releases
            .observe(&Scope::Graph(graph.clone()))
            .await
            .map(|observed| observed.releases)
    }
}

/// True when a release has the chart, values and clusters of its spec. How many replicas run is not compared: whoever
/// scales a running service owns that.
pub(super) fn in_place(spec: &ReleaseSpec, running: &ObservedRelease) -> bool {
    let same_clusters = match &spec.target {
        Target::Clusters(assignment) => assignment.clusters().eq(running.clusters.keys()),
        Target::ChosenByChart { .. } => true,
    };
    same_clusters && spec.chart == running.chart && running.values == spec.values
}

/// The spec with the replicas that run: a change of values, or of the one cluster, is no reason to undo a scaling.
pub(super) fn with_running_replicas(spec: &ReleaseSpec, running: Option<&ObservedRelease>) -> ReleaseSpec {
    let mut spec = spec.clone();
    let (Target::Clusters(wanted), Some(running)) = (&spec.target, running) else {
        return spec;
    };
    let current = Assignment::from(running);
    if current.is_empty() {
        return spec;
    }
    let clusters: Vec<&ClusterName> = wanted.clusters().collect();
    let kept = match clusters.as_slice() {
        _ if current.clusters().eq(wanted.clusters()) => current,
        [one] => Assignment::single((*one).clone(), current.replicas()),
        _ => return spec,
    };
    spec.target = Target::Clusters(kept);
    spec
}

/// How a release does as a whole, and what is said about it: the worst of its clusters.
pub(super) fn health_of(release: &ObservedRelease) -> (Health, Option<String>) {
    if let Some(message) = &release.message {
        return (Health::Degraded, Some(message.clone()));
    }
    let badness = |health: Health| match health {
        Health::Healthy => 0,
        Health::Progressing => 1,
        Health::Unknown => 2,
        Health::Degraded => 3,
    };
    let worst = release.clusters.values().max_by_key(|at| badness(at.health));
    worst.map_or((Health::Progressing, None), |at| (at.health, at.message.clone()))
}
