//! Comparing a plan with what runs.

use serde_json::Value;

use super::{
    Change, ChangeSet, DeploymentPlan, Fingerprint, ReleaseAction, ServicePlan, Start, Target, ValuesContract,
};
use crate::cluster::{Health, ObservedRelease, ObservedReplicas, ObservedState};
use crate::id::{ClusterName, ServiceId};

impl DeploymentPlan {
    /// What has to be done to get from `observed` to this plan, in waves: services in start order, then what the plan no
    /// longer has, then alert rules and dashboards.
    ///
    /// A waiting service that does not run yet is [`ReleaseAction::Await`]; one that was started by its alert is kept
    /// like any other. Replica counts are not compared: whoever scales a running service owns them.
    #[must_use]
    pub fn diff(&self, observed: &ObservedState) -> ChangeSet {
        let mut waves: Vec<Vec<Change>> = self
            .waves
            .iter()
            .map(|wave| {
                wave.iter()
                    .filter_map(|id| self.release_change(id, observed))
                    .collect()
            })
            .collect();
        waves.push(self.removals(observed));
        waves.push(self.monitoring_changes(observed));
        waves.retain(|wave| !wave.is_empty());
        ChangeSet {
            graph: self.graph.clone(),
            plan: self.fingerprint.clone(),
            observed: self.fingerprint_of(observed),
            waves,
        }
    }

    fn release_change(&self, id: &ServiceId, observed: &ObservedState) -> Option<Change> {
        let service = self.services.get(id)?;
        let running = observed.releases.get(&service.release.service);
        let imports = running.and_then(|running| import_change(service, running, &self.values_contract));
        let action = match running {
            None if matches!(service.start, Start::OnEvent { .. }) => ReleaseAction::Await,
            None => ReleaseAction::Install,
            Some(running) => action_on(service, running),
        };
        Some(Change::Release {
            service: id.clone(),
            action,
            spec: service.release.clone(),
            imports,
        })
    }

    fn removals(&self, observed: &ObservedState) -> Vec<Change> {
        let of_graph = observed
            .releases
            .iter()
            .filter(|(key, _)| key.graph == self.graph);
        let removed = of_graph.filter(|(key, _)| !self.services.contains_key(&key.service));
        let change = |(key, release): (&crate::id::ServiceKey, &ObservedRelease)| Change::RemoveRelease {
            service: key.clone(),
            from: release.clusters.keys().cloned().collect(),
        };
        removed.map(change).collect()
    }

    fn monitoring_changes(&self, observed: &ObservedState) -> Vec<Change> {
        let mut changes = Vec::new();
        if let Some(group) = &self.alerts {
            let current = observed.alert_groups.get(&group.name);
            if current != Some(&group.fingerprint()) {
                changes.push(Change::WriteAlerts(group.clone()));
            }
        }
        let ours = super::AlertGroup::name_of(&self.graph);
        if self.alerts.is_none() && observed.alert_groups.contains_key(&ours) {
            changes.push(Change::RemoveAlerts { group: ours });
        }
        let stale = |dashboard: &&super::Dashboard| {
            observed.dashboards.get(&dashboard.uid) != Some(&dashboard.fingerprint())
        };
        changes.extend(
            self.dashboards
                .iter()
                .filter(stale)
                .cloned()
                .map(Change::WriteDashboard),
        );
        changes
    }

    /// The part of a state that this plan is about: its own releases, alert rules and dashboards, without health.
    fn fingerprint_of(&self, observed: &ObservedState) -> Fingerprint {
        let of_graph = observed
            .releases
            .iter()
            .filter(|(key, _)| key.graph == self.graph);
        let releases: Vec<_> = of_graph
            .map(|(key, release)| {
                let clusters: Vec<_> = release
                    .clusters
                    .iter()
                    .map(|(name, at)| (name, at.desired))
                    .collect();
                (key, &release.chart, &release.values, clusters)
            })
            .collect();
        let alerts = observed
            .alert_groups
            .get(&super::AlertGroup::name_of(&self.graph));
        let dashboards: Vec<_> = self
            .dashboards
            .iter()
            .map(|d| observed.dashboards.get(&d.uid))
            .collect();
        Fingerprint::of(&(releases, alerts, dashboards))
    }
}

fn action_on(service: &ServicePlan, running: &ObservedRelease) -> ReleaseAction {
    if let Target::Clusters(assignment) = &service.release.target {
        let from: Vec<ClusterName> = running.clusters.keys().cloned().collect();
        let to: Vec<ClusterName> = assignment.clusters().cloned().collect();
        if from != to {
            return ReleaseAction::Move { from, to };
        }
    }
    let mut differences = Vec::new();
    if service.release.chart != running.chart {
        differences.push("chart".to_owned());
    }
    let wanted = service.release.values.to_json();
    value_differences("values", &wanted, &running.values.to_json(), &mut differences);
    if differences.is_empty() {
        ReleaseAction::Keep
    } else {
        ReleaseAction::Upgrade { differences }
    }
}

/// The paths at which two values differ. Paths only: values may hold secrets.
fn value_differences(path: &str, wanted: &Value, running: &Value, differences: &mut Vec<String>) {
    match (wanted, running) {
        (Value::Object(wanted), Value::Object(running)) => {
            for (key, value) in wanted {
                let below = running.get(key).unwrap_or(&Value::Null);
                value_differences(&format!("{path}.{key}"), value, below, differences);
            }
            let gone = running
                .iter()
                .filter(|(key, value)| !wanted.contains_key(*key) && !value.is_null());
            differences.extend(gone.map(|(key, _)| format!("{path}.{key}")));
        }
        (wanted, running) if wanted == running => {}
        _ => differences.push(path.to_owned()),
    }
}

fn import_change(
    service: &ServicePlan,
    running: &ObservedRelease,
    contract: &ValuesContract,
) -> Option<[Vec<ClusterName>; 2]> {
    let read = |values| contract.read_imports(&service.implementer, values);
    let before = read(&running.values).unwrap_or_default();
    let after = read(&service.release.values)?;
    (before != after).then_some([before, after])
}

impl DeploymentPlan {
    /// The state that this plan leads to once every service is healthy; waiting services do not run in it.
    ///
    /// It answers "what would change?" without a fleet: `new_plan.diff(&old_plan.expected_state())`.
    #[must_use]
    pub fn expected_state(&self) -> ObservedState {
        let running = self
            .services
            .values()
            .filter(|service| !matches!(service.start, Start::OnEvent { .. }));
        let releases = running
            .map(|service| (service.release.service.clone(), service.expected_release()))
            .collect();
        ObservedState {
            observed_at: None,
            releases,
            alert_groups: self
                .alerts
                .iter()
                .map(|group| (group.name.clone(), group.fingerprint()))
                .collect(),
            dashboards: self
                .dashboards
                .iter()
                .map(|d| (d.uid.clone(), d.fingerprint()))
                .collect(),
        }
    }
}

impl ServicePlan {
    fn expected_release(&self) -> ObservedRelease {
        let on = |replicas| ObservedReplicas {
            desired: replicas,
            ready: replicas,
            health: Health::Healthy,
            message: None,
        };
        let clusters = match &self.release.target {
            Target::Clusters(assignment) => {
                assignment.iter().map(|(name, n)| (name.clone(), on(n))).collect()
            }
            Target::ChosenByChart { declared } => declared
                .iter()
                .map(|name| (name.clone(), on(self.replicas)))
                .collect(),
        };
        ObservedRelease {
            chart: self.release.chart.clone(),
            values: self.release.values.clone(),
            revision: 1,
            resources: self.release.resources.clone(),
            clusters,
            message: None,
            owners: Vec::new(),
        }
    }
}
