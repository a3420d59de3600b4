//! A fleet in memory that behaves as the real Karmada was seen to behave.

mod delays;
mod outage;
mod ports;
mod schedule;
mod world;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use delays::Delays;

use self::world::{Member, Phase, World};
use super::{Journal, Scripted, lock};
use crate::backend::{Clock, ManualClock};
use crate::cluster::{Cluster, Health, Inventory, Readiness, Taint, TaintEffect};
use crate::id::{ClusterName, Project, ServiceId, ServiceKey};

/// The taint of a cluster that is being drained.
const DRAINED: &str = "cluster.karmada.io/unschedulable";

/// A fleet in memory: a [`ClusterBackend`](crate::backend::ClusterBackend) and a
/// [`ReleaseBackend`](crate::backend::ReleaseBackend) with a clock that a test moves. Clones share everything.
///
/// It behaves as Karmada 1.18 was seen to:
/// - work is bound, runs and is reported healthy after [`Delays`]; a move ends the old copy a little later;
/// - a dead cluster is reported `NotReady` only after a while, keeps its work in the books, and nothing is re-placed;
///   a copy that should have left it goes ten seconds after it is back;
/// - a chart that names no cluster runs on every cluster; an unknown or tainted one is refused with `NoClusterFit`, and
///   tried again when something changes;
/// - replicas are bound without a look at room: those that find none wait in their cluster, which is never `Healthy` then;
/// - what is scaled to zero leaves its clusters, and passes the filters anew when it is scaled up;
/// - of two policies on one object the first counts, and the second is ignored without a word;
/// - an object that was in a member before makes the release `Degraded` there, with the member's words;
/// - a resource that nobody requests is missing from `allocated`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use smo_core::backend::{ClusterBackend, memory::InMemoryFleet};
/// use smo_core::cluster::{Cluster, Inventory};
/// use smo_core::resources::{ResourceName, Resources};
///
/// let edge = Cluster::new("edge-1".parse()?, Resources::new().with(ResourceName::CPU, 8000));
/// let fleet = InMemoryFleet::new(Inventory::new([edge]));
/// fleet.kill(&"edge-1".parse()?);
/// assert_eq!(fleet.inventory().await?.ready().count(), 1); // nobody has noticed
/// fleet.advance(Duration::from_secs(10));
/// assert_eq!(fleet.inventory().await?.ready().count(), 0);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct InMemoryFleet(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    clock: ManualClock,
    world: Mutex<World>,
}

impl InMemoryFleet {
    /// A fleet of these clusters, at the time of the inventory (or the Unix epoch). What the inventory says is
    /// allocated belongs to others and stays.
    #[must_use]
    pub fn new(inventory: Inventory) -> Self {
        Self::with_delays(inventory, Delays::measured())
    }

    /// The same with other delays.
    #[must_use]
    pub fn with_delays(inventory: Inventory, delays: Delays) -> Self {
        let clock = inventory
            .observed_at
            .map_or_else(ManualClock::default, ManualClock::new);
        let world = Mutex::new(World::new(inventory, delays, clock.now()));
        Self(Arc::new(Inner {
            journal: Journal::default(),
            clock,
            world,
        }))
    }

    /// Its clock, to be shared with whatever has to agree on the time.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.0.clock.clone()
    }

    /// Lets time pass.
    pub fn advance(&self, duration: Duration) {
        self.0.clock.advance(duration);
    }

    /// Makes the API server of a cluster die. It is reported after [`Delays::not_ready`].
    pub fn kill(&self, cluster: &ClusterName) {
        self.with_world(|world| world.kill(cluster));
    }

    /// Brings a dead cluster back. It is reported after [`Delays::ready_again`].
    pub fn restore(&self, cluster: &ClusterName) {
        self.with_world(|world| world.restore(cluster));
    }

    /// Makes the report of a cluster say this, at once.
    pub fn set_readiness(&self, cluster: &ClusterName, readiness: Readiness) {
        self.with_world(|world| world.set_readiness(cluster, readiness));
    }

    /// Makes the report of a cluster say that it is ready, or that it is not, at once.
    pub fn set_ready(&self, cluster: &ClusterName, ready: bool) {
        let since = Some(self.0.clock.now());
        let not_ready = Readiness::NotReady {
            reason: "ClusterNotReady".to_owned(),
            since,
        };
        self.set_readiness(cluster, if ready { Readiness::Ready } else { not_ready });
    }

    /// Keeps new work off a cluster. Work that is there stays: moving it is the caller's task.
    pub fn drain(&self, cluster: &ClusterName) {
        let taint = Taint {
            key: DRAINED.to_owned(),
            value: None,
            effect: TaintEffect::NoSchedule,
        };
        self.change_taints(cluster, |taints| {
            if !taints.contains(&taint) {
                taints.push(taint);
            }
        });
    }

    /// Ends [`InMemoryFleet::drain`].
    pub fn undrain(&self, cluster: &ClusterName) {
        self.change_taints(cluster, |taints| taints.retain(|taint| taint.key != DRAINED));
    }

    fn change_taints(&self, cluster: &ClusterName, change: impl FnOnce(&mut Vec<Taint>)) {
        self.with_world(|world| {
            if let Some(cluster) = world.fleet.clusters.get_mut(cluster) {
                change(&mut cluster.taints);
            }
            world.try_again();
        });
    }

    /// Adds a cluster, or changes what an existing one is and offers; its work stays.
    pub fn join(&self, cluster: Cluster) {
        self.with_world(|world| {
            world
                .members
                .entry(cluster.name.clone())
                .or_insert_with(Member::default);
            world.fleet.clusters.insert(cluster.name.clone(), cluster);
            world.try_again();
        });
    }

    /// Takes a cluster out of the fleet, with everything on it.
    pub fn part(&self, cluster: &ClusterName) {
        self.with_world(|world| {
            world.members.remove(cluster);
            world.fleet.clusters.shift_remove(cluster);
            world.copies.retain(|(_, at), _| at != cluster);
        });
    }

    /// True when the fleet has a cluster of this name.
    #[must_use]
    pub fn has(&self, cluster: &ClusterName) -> bool {
        self.with_world(|world| world.fleet.clusters.contains_key(cluster))
    }

    /// Puts an object called `name` into a member that this fleet does not own: a release of that name is refused there.
    pub fn add_foreign_object(&self, cluster: &ClusterName, project: Project, name: ServiceId) {
        self.with_world(|world| {
            if let Some(member) = world.members.get_mut(cluster) {
                member.foreign.insert((project, name));
            }
        });
    }

    /// Takes such an object away; refused work then starts.
    pub fn remove_foreign_object(&self, cluster: &ClusterName, project: Project, name: ServiceId) {
        self.with_world(|world| {
            if let Some(member) = world.members.get_mut(cluster) {
                member.foreign.remove(&(project, name));
            }
            world.retry_refused_copies(cluster);
        });
    }

    /// Lets a release or policy that is not ours claim `name`. Karmada obeys the first policy on an object and ignores a
    /// second one without a word: applying a new release of that name is a conflict, and one that is installed stays ours.
    pub fn add_foreign_release(&self, project: Project, name: ServiceId) {
        self.with_world(|world| world.claimed.insert((project, name)));
    }

    /// Lets an autoscaler of somebody else, such as `HorizontalPodAutoscaler/web`, name a service as its target. It is
    /// seen and does nothing by itself: [`InMemoryFleet::edit_replicas`] does what it, or a person, would.
    pub fn add_autoscaler(&self, service: &ServiceKey, autoscaler: &str) {
        self.with_world(|world| {
            let autoscalers = world.autoscalers.entry(service.clone()).or_default();
            autoscalers.insert(autoscaler.to_owned());
        });
    }

    /// Takes such an autoscaler away.
    pub fn remove_autoscaler(&self, service: &ServiceKey, autoscaler: &str) {
        self.with_world(|world| {
            if let Some(autoscalers) = world.autoscalers.get_mut(service) {
                autoscalers.remove(autoscaler);
            }
        });
    }

    /// Changes the count of a running service behind the back of whoever installed it, as `kubectl scale` does. The fleet
    /// divides it among the clusters of the service as it does everything. A service that does not run is left alone.
    pub fn edit_replicas(&self, service: &ServiceKey, replicas: u32) {
        self.with_world(|world| world.edit_replicas(service, replicas));
    }

    /// How many replicas of a service do their work now, by cluster: those that are ready, on clusters that answer.
    #[must_use]
    pub fn serving(&self, service: &ServiceKey) -> BTreeMap<ClusterName, u32> {
        self.with_world(|world| {
            let alive = |cluster: &ClusterName| world.members.get(cluster).is_some_and(|member| !member.dead);
            let copies = world
                .copies
                .iter()
                .filter(|((owner, cluster), copy)| owner == service && copy.ready > 0 && alive(cluster));
            copies
                .map(|((_, cluster), copy)| (cluster.clone(), copy.ready))
                .collect()
        })
    }

    /// What the control plane last heard of a service, by cluster: without a look at whether the cluster still answers.
    /// This is what a naive reader of Karmada's bindings believes.
    #[must_use]
    pub fn raw_health(&self, service: &ServiceKey) -> BTreeMap<ClusterName, Health> {
        self.with_world(|world| {
            let copies = world
                .copies
                .iter()
                .filter(|((owner, _), copy)| owner == service && copy.phase != Phase::Leaving);
            let health = |phase: &Phase| match phase {
                Phase::Healthy => Health::Healthy,
                Phase::Refused(_) => Health::Degraded,
                _ => Health::Progressing,
            };
            copies
                .map(|((_, cluster), copy)| (cluster.clone(), health(&copy.phase)))
                .collect()
        })
    }

    /// The clusters that really run a copy of a service now, stale ones included.
    #[must_use]
    pub fn copies(&self, service: &ServiceKey) -> Vec<ClusterName> {
        self.with_world(|world| {
            let copies = world
                .copies
                .iter()
                .filter(|((owner, _), copy)| owner == service && copy.ready > 0);
            copies.map(|((_, cluster), _)| cluster.clone()).collect()
        })
    }

    fn journal_ref(&self) -> &Journal {
        &self.0.journal
    }

    /// The state, brought up to the time of the clock.
    fn with_world<T>(&self, act: impl FnOnce(&mut World) -> T) -> T {
        let mut world = lock(&self.0.world);
        world.settle(self.0.clock.now());
        let result = act(&mut world);
        // What takes no time has happened when the call returns.
        world.settle(self.0.clock.now());
        result
    }
}

impl Scripted for InMemoryFleet {
    fn journal(&self) -> &Journal {
        &self.0.journal
    }
}
