//! The state of the in-memory fleet, and the events that change it as time passes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::Delays;
use super::schedule::{Binding, Wish, divide, room, schedule};
use crate::backend::clock::later;
use crate::cluster::{Cluster, Inventory, Readiness};
use crate::id::{ClusterName, Project, ServiceId, ServiceKey};
use crate::plan::ReleaseSpec;
use crate::resources::{ResourceName, Resources};

/// A name in a namespace.
pub(super) type Named = (Project, ServiceId);

/// What goes on in one member cluster besides its report.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// Its API server does not answer.
    pub(super) dead: bool,
    /// Counts deaths and returns, so that an event of the life before is not believed.
    pub(super) life: u64,
    /// Objects there that are not ours.
    pub(super) foreign: BTreeSet<Named>,
}

/// An installed release.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) spec: ReleaseSpec,
    pub(super) wish: Wish,
    pub(super) revision: u64,
    /// The last decision.
    pub(super) bound: Binding,
    /// True while a decision is still to come.
    pub(super) deciding: bool,
    /// What the scheduler said last, when it refused.
    pub(super) refusal: Option<String>,
    /// Counts changes, so that an event of the state before is not believed.
    pub(super) generation: u64,
}

/// How far a copy has got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    Starting,
    Running,
    Healthy,
    /// The member refused it.
    Refused(String),
    /// It should not be there any more.
    Leaving,
}

/// The work of one service in one cluster.
#[derive(Debug)]
pub(super) struct WorkCopy {
    pub(super) replicas: u32,
    pub(super) ready: u32,
    pub(super) phase: Phase,
    pub(super) per_replica: Resources,
    chart: String,
    pub(super) generation: u64,
}

impl WorkCopy {
    /// True when some replicas found no room.
    pub(super) fn waits(&self) -> bool {
        self.phase == Phase::Running && self.ready < self.replicas
    }

    /// True when it runs, and as asked for.
    fn is(&self, spec: &ReleaseSpec, replicas: u32) -> bool {
        matches!(self.phase, Phase::Running | Phase::Healthy)
            && self.replicas == replicas
            && self.per_replica == spec.resources
            && self.chart == spec.chart
    }
}

#[derive(Debug, Clone)]
pub(super) enum Event {
    Bind(ServiceKey, u64),
    Run(ServiceKey, ClusterName, u64),
    Report(ServiceKey, ClusterName, u64),
    Leave(ServiceKey, ClusterName, u64),
    LoseCluster(ClusterName, u64),
    RegainCluster(ClusterName, u64),
    Collect(ClusterName, u64),
}

/// Everything. Amounts that somebody else has allocated are those of the inventory it began with.
#[derive(Debug)]
pub(super) struct World {
    pub(super) fleet: Inventory,
    pub(super) members: BTreeMap<ClusterName, Member>,
    pub(super) releases: BTreeMap<ServiceKey, Release>,
    pub(super) copies: BTreeMap<(ServiceKey, ClusterName), WorkCopy>,
    /// Names that a foreign policy has claimed.
    pub(super) claimed: BTreeSet<Named>,
    /// Autoscalers of others that name a service as their target.
    pub(super) autoscalers: BTreeMap<ServiceKey, BTreeSet<String>>,
    pub(super) delays: Delays,
    events: BTreeMap<(Timestamp, u64), Event>,
    /// The moment up to which events have happened.
    now: Timestamp,
    counter: u64,
}

impl World {
    pub(super) fn new(fleet: Inventory, delays: Delays, now: Timestamp) -> Self {
        let members = fleet
            .clusters
            .keys()
            .map(|name| (name.clone(), Member::default()))
            .collect();
        Self {
            fleet,
            members,
            releases: BTreeMap::new(),
            copies: BTreeMap::new(),
            claimed: BTreeSet::new(),
            autoscalers: BTreeMap::new(),
            delays,
            events: BTreeMap::new(),
            now,
            counter: 0,
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    pub(super) fn after(&mut self, delay: Duration, event: Event) {
        let key = (later(self.now, delay), self.next());
        self.events.insert(key, event);
    }

    /// Lets everything happen that is due at `now`.
    pub(super) fn settle(&mut self, now: Timestamp) {
        while let Some(entry) = self.events.first_entry() {
            let due = entry.key().0;
            if due > now {
                break;
            }
            let event = entry.remove();
            self.now = self.now.max(due);
            self.happen(event);
        }
        self.now = self.now.max(now);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Bind(service, generation) => self.bind(&service, generation),
            Event::Run(service, cluster, generation) => self.run(service, cluster, generation),
            Event::Report(service, cluster, generation) => {
                let copy = self.living_copy(&service, &cluster, generation);
                if let Some(copy) = copy.filter(|copy| copy.phase == Phase::Running && !copy.waits()) {
                    copy.phase = Phase::Healthy;
                }
            }
            Event::Leave(service, cluster, generation) => {
                if self
                    .living_copy(&service, &cluster, generation)
                    .is_some_and(|copy| copy.phase == Phase::Leaving)
                {
                    self.copies.remove(&(service, cluster));
                    self.try_again();
                }
            }
            Event::LoseCluster(name, life) => {
                if self.lives(&name, life) {
                    let since = Some(self.now);
                    let reason = "ClusterNotReachable".to_owned();
                    self.set_readiness(&name, Readiness::NotReady { reason, since });
                }
            }
            Event::RegainCluster(name, life) => {
                if self.lives(&name, life) {
                    self.set_readiness(&name, Readiness::Ready);
                }
            }
            Event::Collect(name, life) => {
                if self.lives(&name, life) {
                    self.copies
                        .retain(|(_, cluster), copy| *cluster != name || copy.phase != Phase::Leaving);
                    self.try_again();
                }
            }
        }
    }

    /// Asks for a decision after `delay`.
    pub(super) fn decide_after(&mut self, service: &ServiceKey, delay: Duration) {
        let generation = self.next();
        if let Some(release) = self.releases.get_mut(service) {
            release.generation = generation;
            release.deciding = true;
            self.after(delay, Event::Bind(service.clone(), generation));
        }
    }

    /// Changes the count of a service that runs, whoever asked for another.
    pub(super) fn edit_replicas(&mut self, service: &ServiceKey, replicas: u32) {
        let Some(release) = self.releases.get_mut(service) else {
            return;
        };
        if let Wish::Divided(assignment) = &release.wish {
            let weights: Vec<(ClusterName, u32)> = assignment
                .iter()
                .map(|(name, weight)| (name.clone(), weight))
                .collect();
            release.wish = if replicas == 0 {
                let clusters = weights.into_iter().map(|(name, _)| name).collect();
                Wish::Zero { clusters }
            } else {
                Wish::Divided(divide(replicas, &weights).into_iter().collect())
            };
            self.decide_after(service, self.delays.rebind);
        }
    }

    fn bind(&mut self, service: &ServiceKey, generation: u64) {
        let clusters: Vec<Cluster> = self.fleet.clusters.values().cloned().collect();
        let Some(release) = self
            .releases
            .get_mut(service)
            .filter(|release| release.generation == generation)
        else {
            return;
        };
        release.deciding = false;
        match schedule(&clusters, &release.wish, &release.bound) {
            Ok(binding) => {
                release.refusal = None;
                release.bound = binding.clone();
                self.dispatch(service, &binding, generation);
            }
            Err(refusal) => release.refusal = Some(refusal),
        }
    }

    /// Brings the copies of a service in line with a decision.
    fn dispatch(&mut self, service: &ServiceKey, binding: &Binding, generation: u64) {
        let Some(spec) = self.releases.get(service).map(|release| release.spec.clone()) else {
            return;
        };
        for (cluster, replicas) in binding {
            let key = (service.clone(), cluster.clone());
            let former = self.copies.get_mut(&key);
            if let Some(copy) = former.filter(|copy| copy.is(&spec, *replicas)) {
                // Values that steer the fleet (who imports a Service) do not restart what runs.
                copy.generation = generation;
                if copy.phase == Phase::Running {
                    self.after(
                        self.delays.healthy,
                        Event::Report(service.clone(), cluster.clone(), generation),
                    );
                }
                continue;
            }
            let copy = WorkCopy {
                replicas: *replicas,
                ready: self.copies.get(&key).map_or(0, |copy| copy.ready.min(*replicas)),
                phase: Phase::Starting,
                per_replica: spec.resources.clone(),
                chart: spec.chart.clone(),
                generation,
            };
            self.copies.insert(key, copy);
            self.after(
                self.delays.running,
                Event::Run(service.clone(), cluster.clone(), generation),
            );
        }
        self.leave(
            service,
            |cluster| !binding.contains_key(cluster),
            self.delays.moved_away,
        );
        self.try_again();
    }

    /// Lets the copies of a service leave the clusters that are meant, and names those that do not answer.
    pub(super) fn leave(
        &mut self,
        service: &ServiceKey,
        from: impl Fn(&ClusterName) -> bool,
        delay: Duration,
    ) -> Vec<ClusterName> {
        let generation = self.next();
        let mut leaving = Vec::new();
        for ((owner, cluster), copy) in &mut self.copies {
            if owner == service && from(cluster) {
                copy.phase = Phase::Leaving;
                copy.generation = generation;
                leaving.push(cluster.clone());
            }
        }
        for cluster in &leaving {
            self.after(delay, Event::Leave(service.clone(), cluster.clone(), generation));
        }
        // A death that nobody has noticed yet is no reason to say that a removal is owed.
        leaving.retain(|name| {
            self.fleet
                .cluster(name.as_str())
                .is_none_or(|cluster| !cluster.readiness.is_ready())
        });
        leaving
    }

    fn run(&mut self, service: ServiceKey, cluster: ClusterName, generation: u64) {
        let name = (service.graph.project.clone(), service.service.clone());
        let foreign = self
            .members
            .get(&cluster)
            .is_some_and(|member| member.foreign.contains(&name));
        let Some(copy) = self.living_copy(&service, &cluster, generation) else {
            return;
        };
        if foreign {
            copy.phase = Phase::Refused(format!(
                "Failed to apply all manifests (0/1): resource(kind=Deployment, {}/{}) already exists in the cluster \
                 {cluster} and the conflict resolution is Abort",
                name.0, name.1
            ));
            copy.ready = 0;
            return;
        }
        copy.phase = Phase::Running;
        let (replicas, per_replica) = (copy.replicas, copy.per_replica.clone());
        let room = self.room_for(&service, &cluster, &per_replica);
        if let Some(copy) = self.living_copy(&service, &cluster, generation) {
            copy.ready = replicas.min(room);
        }
        let report = self.delays.healthy.saturating_sub(self.delays.running);
        self.after(report, Event::Report(service, cluster, generation));
    }

    /// How many replicas of a service find room in a cluster beside what else runs there.
    fn room_for(&self, service: &ServiceKey, cluster: &ClusterName, per_replica: &Resources) -> u32 {
        let Some(cluster) = self.fleet.cluster(cluster.as_str()) else {
            return 0;
        };
        let others = self
            .copies
            .iter()
            .filter(|((owner, at), _)| *at == cluster.name && owner != service);
        let free = others.fold(cluster.free(), |free, (_, copy)| {
            let held = copy.per_replica.checked_mul(copy.ready).unwrap_or_default();
            free.saturating_sub(&held)
        });
        room(cluster, &free, per_replica)
    }

    /// The copy that an event is about, if it is still that copy and its cluster answers.
    fn living_copy(
        &mut self,
        service: &ServiceKey,
        cluster: &ClusterName,
        generation: u64,
    ) -> Option<&mut WorkCopy> {
        if self.members.get(cluster).is_none_or(|member| member.dead) {
            return None;
        }
        let copy = self.copies.get_mut(&(service.clone(), cluster.clone()));
        copy.filter(|copy| copy.generation == generation)
    }

    fn lives(&self, name: &ClusterName, life: u64) -> bool {
        self.members.get(name).is_some_and(|member| member.life == life)
    }

    pub(super) fn set_readiness(&mut self, name: &ClusterName, readiness: Readiness) {
        if let Some(cluster) = self.fleet.clusters.get_mut(name) {
            cluster.readiness = readiness;
        }
        self.try_again();
    }

    /// Something has changed that may make room: for what the scheduler refused, and for replicas that wait in a member.
    pub(super) fn try_again(&mut self) {
        let refused = |release: &Release| release.refusal.is_some() && !release.deciding;
        let again: Vec<ServiceKey> = self
            .releases
            .iter()
            .filter(|(_, release)| refused(release))
            .map(|(key, _)| key.clone())
            .collect();
        again
            .iter()
            .for_each(|service| self.decide_after(service, self.delays.rebind));
        let waiting: Vec<(ServiceKey, ClusterName, u64)> = self
            .copies
            .iter()
            .filter(|((service, cluster), copy)| {
                copy.waits() && self.room_for(service, cluster, &copy.per_replica) > copy.ready
            })
            .map(|((service, cluster), copy)| (service.clone(), cluster.clone(), copy.generation))
            .collect();
        for (service, cluster, generation) in waiting {
            self.after(self.delays.running, Event::Run(service, cluster, generation));
        }
    }

    /// The clusters as they report themselves, with what runs there, or waits for room, counted in.
    pub(super) fn clusters(&self) -> Vec<Cluster> {
        let mut clusters: Vec<Cluster> = self.fleet.clusters.values().cloned().collect();
        for cluster in &mut clusters {
            let here = self.copies.iter().filter(|((_, at), _)| *at == cluster.name);
            for (_, copy) in here.filter(|(_, copy)| !matches!(copy.phase, Phase::Refused(_))) {
                let mut held = copy.per_replica.checked_mul(copy.replicas).unwrap_or_default();
                if cluster.allocatable.listed(ResourceName::PODS).is_some() {
                    held.set(ResourceName::PODS, u64::from(copy.replicas));
                }
                let held: Resources = held
                    .iter()
                    .filter(|(_, amount)| *amount > 0)
                    .map(|(name, amount)| (name.clone(), amount))
                    .collect();
                cluster.allocated = cluster
                    .allocated
                    .checked_add(&held)
                    .unwrap_or_else(|| cluster.allocatable.clone());
            }
        }
        clusters
    }
}
