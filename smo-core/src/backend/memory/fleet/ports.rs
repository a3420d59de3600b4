//! The in-memory fleet behind its two ports.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::InMemoryFleet;
use super::schedule::Wish;
use super::world::{Phase, Release, WorkCopy, World};
use crate::backend::{
    Applied, BackendError, Clock, ClusterBackend, ErrorKind, Leftover, ObservedReleases, ReleaseBackend,
    Removed, Scope,
};
use crate::cluster::{Cluster, Health, Inventory, ObservedRelease, ObservedReplicas};
use crate::id::{ClusterName, ServiceKey};
use crate::placement::Assignment;
use crate::plan::{ReleaseSpec, Target};

/// How references of charts begin.
const CHART: &str = "oci://";
/// How references of plain images begin.
const IMAGE: &str = "docker://";

#[async_trait]
impl ClusterBackend for InMemoryFleet {
    async fn inventory(&self) -> Result<Inventory, BackendError> {
        self.journal_ref().enter("inventory", "")?;
        let now = self.clock().now();
        Ok(self.with_world(|world| {
            let clusters = world
                .clusters()
                .into_iter()
                .map(|cluster| (cluster.name.clone(), cluster))
                .collect();
            Inventory {
                observed_at: Some(now),
                clusters,
                ..world.fleet.clone()
            }
        }))
    }
}

#[async_trait]
impl ReleaseBackend for InMemoryFleet {
    async fn apply(&self, spec: &ReleaseSpec) -> Result<Applied, BackendError> {
        let subject = spec.service.to_string();
        self.journal_ref().enter("apply", subject.as_str())?;
        let applied = self.with_world(|world| apply(world, spec))?;
        self.journal_ref().leave("apply", &subject)?;
        Ok(applied)
    }

    async fn remove(&self, service: &ServiceKey) -> Result<Removed, BackendError> {
        let subject = service.to_string();
        self.journal_ref().enter("remove", subject.as_str())?;
        let removed = self.with_world(|world| {
            let existed = world.releases.remove(service).is_some();
            let delay = world.delays.removed;
            let owed = if existed {
                world.leave(service, |_| true, delay)
            } else {
                Vec::new()
            };
            Removed { existed, owed }
        });
        self.journal_ref().leave("remove", &subject)?;
        Ok(removed)
    }

    async fn scale(&self, service: &ServiceKey, assignment: &Assignment) -> Result<(), BackendError> {
        let subject = service.to_string();
        self.journal_ref().enter("scale", subject.as_str())?;
        let missing = || {
            BackendError::new(
                ErrorKind::NotFound,
                format!("scale {service}"),
                "it is not installed",
            )
        };
        let unsaid = || {
            BackendError::new(
                ErrorKind::Invalid,
                format!("scale {service}"),
                "its chart chooses where it runs; scale it to zero by its values",
            )
        };
        self.with_world(|world| {
            let release = world.releases.get_mut(service).ok_or_else(missing)?;
            let wish = scaled(&release.wish, assignment).ok_or_else(unsaid)?;
            if release.wish != wish {
                release.wish = wish;
                let delay = world.delays.rebind;
                world.decide_after(service, delay);
            }
            Ok(())
        })?;
        self.journal_ref().leave("scale", &subject)
    }

    async fn observe(&self, scope: &Scope) -> Result<ObservedReleases, BackendError> {
        self.journal_ref().enter("observe", scope.to_string())?;
        Ok(self.with_world(|world| {
            let meant = world
                .releases
                .iter()
                .filter(|(service, _)| scope.contains(service));
            let releases = meant
                .map(|(service, release)| (service.clone(), observe(world, service, release)))
                .collect();
            let leftovers = world
                .copies
                .iter()
                .filter(|((service, _), copy)| scope.contains(service) && copy.phase == Phase::Leaving);
            let leftovers = leftovers
                .map(|((service, cluster), _)| Leftover {
                    service: service.clone(),
                    cluster: cluster.clone(),
                })
                .collect();
            ObservedReleases { releases, leftovers }
        }))
    }
}

fn apply(world: &mut World, spec: &ReleaseSpec) -> Result<Applied, BackendError> {
    let service = &spec.service;
    let refuse = |kind, why: String| Err(BackendError::new(kind, format!("apply {service}"), why));
    if !spec.chart.starts_with(CHART) && !spec.chart.starts_with(IMAGE) {
        return refuse(
            ErrorKind::Invalid,
            format!(
                "`{}` is no reference of a chart ({CHART}...) or an image ({IMAGE}...)",
                spec.chart
            ),
        );
    }
    let project = &service.graph.project;
    if is_reserved(project.as_str()) {
        return refuse(
            ErrorKind::Invalid,
            format!("Karmada keeps the objects of namespace {project} to itself"),
        );
    }
    let Some(wish) = wish_of(spec) else {
        return refuse(
            ErrorKind::Invalid,
            "it names no cluster, which would mean every cluster".to_owned(),
        );
    };
    let name = (service.graph.project.clone(), service.service.clone());
    // Of two policies the one that was there first counts: a claim on what is installed goes unnoticed.
    if world.claimed.contains(&name) && !world.releases.contains_key(service) {
        let why = format!(
            "{}/{} belongs to a release or policy that is not ours",
            name.0, name.1
        );
        return refuse(ErrorKind::Conflict, why);
    }
    let same_name = |other: &&ServiceKey| {
        *other != service && other.graph.project == service.graph.project && other.service == service.service
    };
    if let Some(other) = world.releases.keys().find(same_name) {
        return refuse(ErrorKind::Conflict, format!("the name belongs to {other}"));
    }
    let (revision, changed, delay) = match world.releases.get_mut(service) {
        Some(release) if release.spec == *spec && release.wish == wish => (release.revision, false, None),
        Some(release) => {
            release.revision += 1;
            release.spec = spec.clone();
            release.wish = wish;
            (release.revision, true, Some(world.delays.rebind))
        }
        None => {
            let release = Release {
                spec: spec.clone(),
                wish,
                revision: 1,
                bound: BTreeMap::new(),
                deciding: true,
                refusal: None,
                generation: 0,
            };
            world.releases.insert(service.clone(), release);
            (1, true, Some(world.delays.bind))
        }
    };
    if let Some(delay) = delay {
        world.decide_after(service, delay);
    }
    Ok(Applied { revision, changed })
}

/// True for namespaces whose objects Karmada never propagates.
fn is_reserved(namespace: &str) -> bool {
    ["kube-", "karmada-es-"]
        .iter()
        .any(|prefix| namespace.starts_with(prefix))
        || ["karmada-system", "karmada-cluster"].contains(&namespace)
}

/// What is wished after scaling; `None` for nothing at all where the chart chooses the clusters.
fn scaled(wish: &Wish, assignment: &Assignment) -> Option<Wish> {
    match wish {
        _ if !assignment.is_empty() => Some(Wish::Divided(assignment.clone())),
        Wish::Divided(former) => Some(Wish::Zero {
            clusters: former.clusters().cloned().collect(),
        }),
        Wish::Zero { .. } => Some(wish.clone()),
        Wish::Duplicated { .. } => None,
    }
}

/// What a spec asks the scheduler for; `None` where no cluster is named and that would mean every cluster.
fn wish_of(spec: &ReleaseSpec) -> Option<Wish> {
    match &spec.target {
        Target::Clusters(assignment) if assignment.is_empty() => None,
        Target::Clusters(assignment) => Some(Wish::Divided(assignment.clone())),
        Target::ChosenByChart { declared } => {
            let replicas = spec.values.get("replicas").and_then(Value::as_u64).unwrap_or(1);
            let replicas = u32::try_from(replicas).unwrap_or(u32::MAX);
            // An image has no chart that chooses: its values say how many replicas each of the declared clusters gets.
            if spec.chart.starts_with(IMAGE) {
                let each = declared.iter().map(|cluster| (cluster.clone(), replicas));
                let assignment: Assignment = each.collect();
                return (!assignment.is_empty()).then_some(Wish::Divided(assignment));
            }
            Some(Wish::Duplicated {
                clusters: declared.clone(),
                replicas,
            })
        }
    }
}

fn observe(world: &World, service: &ServiceKey, release: &Release) -> ObservedRelease {
    let mut clusters = BTreeMap::new();
    let wanted: BTreeMap<ClusterName, u32> = match &release.wish {
        Wish::Divided(assignment)
            if release.bound.is_empty() || release.deciding || release.refusal.is_some() =>
        {
            assignment
                .iter()
                .map(|(cluster, replicas)| (cluster.clone(), replicas))
                .collect()
        }
        Wish::Duplicated { clusters, replicas } if release.bound.is_empty() => clusters
            .iter()
            .map(|cluster| (cluster.clone(), *replicas))
            .collect(),
        Wish::Zero { clusters } => clusters.iter().map(|cluster| (cluster.clone(), 0)).collect(),
        _ => release.bound.clone(),
    };
    for (name, desired) in wanted {
        clusters.insert(name.clone(), replicas(world, service, release, &name, desired));
    }
    ObservedRelease {
        chart: release.spec.chart.clone(),
        values: release.spec.values.clone(),
        revision: release.revision,
        resources: release.spec.resources.clone(),
        clusters,
        message: release.refusal.clone(),
        owners: world
            .autoscalers
            .get(service)
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
    }
}

/// What is to be said of one service on one cluster. The cluster's own readiness comes first.
fn replicas(
    world: &World,
    service: &ServiceKey,
    release: &Release,
    name: &ClusterName,
    desired: u32,
) -> ObservedReplicas {
    let copy = world
        .copies
        .get(&(service.clone(), name.clone()))
        .filter(|copy| copy.phase != Phase::Leaving);
    let ready = copy.map_or(0, |copy| copy.ready.min(desired));
    let (health, message) = match (world.fleet.cluster(name.as_str()), copy) {
        (Some(cluster), Some(_)) if !cluster.readiness.is_ready() => {
            (Health::Unknown, Some(not_ready(cluster)))
        }
        (None, _) if release.bound.contains_key(name) => {
            (Health::Unknown, Some(format!("{name} has left the fleet")))
        }
        (_, Some(copy)) => match &copy.phase {
            Phase::Refused(message) => (Health::Degraded, Some(message.clone())),
            Phase::Healthy if copy.replicas == desired => (Health::Healthy, None),
            _ => (Health::Progressing, copy.waits().then(|| no_room(name, copy))),
        },
        // What has no replicas is in no cluster.
        (_, None) if desired == 0 && release.bound.is_empty() && !release.deciding => (Health::Healthy, None),
        (_, None) => match &release.refusal {
            Some(refusal) => (Health::Degraded, Some(refusal.clone())),
            None => (Health::Progressing, None),
        },
    };
    ObservedReplicas {
        desired,
        ready,
        health,
        message,
    }
}

fn no_room(cluster: &ClusterName, copy: &WorkCopy) -> String {
    let waiting = copy.replicas - copy.ready;
    format!(
        "{waiting} of {} replicas find no room in {cluster}; each asks for {}",
        copy.replicas, copy.per_replica
    )
}

fn not_ready(cluster: &Cluster) -> String {
    use crate::cluster::Readiness;
    match &cluster.readiness {
        Readiness::Ready => format!("{} is ready", cluster.name),
        Readiness::NotReady {
            reason,
            since: Some(since),
        } => {
            format!("{} is not ready since {since} ({reason})", cluster.name)
        }
        Readiness::NotReady { reason, since: None } => format!("{} is not ready ({reason})", cluster.name),
        Readiness::Unknown { reason } => format!("{} has not reported ({reason})", cluster.name),
    }
}
