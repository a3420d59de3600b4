//! From graphs, a fleet and what runs now to a placement problem.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::{
    Assignment, ClusterSupply, CoLocationGroup, Goals, HighAvailability, LabelRequirement, LinkDemand,
    LinkLimit, Mode, Placement, PlacementError, PlacementProblem, ServiceDemand,
};
use crate::cluster::{Cluster, Inventory};
use crate::graph::CoLocation;
use crate::id::{ClusterName, GraphKey, ServiceKey};
use crate::intent::Requirements;
use crate::resources::{ResourceName, Resources};
use crate::units::DataRate;

impl PlacementProblem {
    /// The question where the services of `graphs` should run, given the fleet and where they run now.
    ///
    /// - The capacity of a cluster is what is free there *plus* what the services being decided hold there now, at most
    ///   what it offers: what a service holds is not counted against itself. The headroom of the cluster, or of the fleet, is
    ///   taken off that; what runs moves where it does not fit beside the headroom. Cpu and memory that a cluster does not report
    ///   are 0; other resources that it does not report are not limited, except extended ones such as GPUs, of which
    ///   there are none.
    /// - A graph with static placement is left out: its charts decide.
    /// - A graph that is highly available has its services of two replicas and more in two failure domains; they may be
    ///   split. Where it is final too and all of a service runs, the service stays as it is.
    /// - Services that share their clusters form a group, within a graph and over the graphs that are decided together; one
    ///   that shares the clusters of a service that runs and is not decided now runs on these.
    /// - A service that runs with more replicas than its graph asks for keeps them.
    /// - A graph whose placement is final keeps every service where it runs, unless its cluster is not ready.
    /// - The storage that a service asks for is what a replica of it takes along when it moves.
    /// - `current` may have services of other graphs; they are left out.
    ///
    /// # Errors
    /// [`PlacementError::Overflow`] when a demand does not fit 64 bits, and [`PlacementError::InvalidProblem`] when a
    /// graph is given twice.
    pub fn pose(
        inventory: &Inventory,
        graphs: &[(GraphKey, &Requirements)],
        current: &Placement,
        goals: Goals,
    ) -> Result<Self, PlacementError> {
        let mut problem = Self {
            network: inventory.network.clone(),
            goals,
            ..Self::default()
        };
        let mut held: IndexMap<&ClusterName, Resources> = IndexMap::new();
        for (graph, requirements) in graphs.iter().filter(|(_, graph)| !graph.static_placement) {
            for (id, service) in &requirements.services {
                let key = graph.service(id.clone());
                let running = current.get(&key);
                let mut demand = ServiceDemand {
                    // Whoever scaled a service up owns that: it moves with all its replicas.
                    replicas: running.map_or(0, Assignment::replicas).max(service.replicas),
                    per_replica: service.per_replica.clone(),
                    requires: service.requires.clone(),
                    pinned: service.pinned.clone(),
                    state: service.state,
                    labels: service
                        .device_label
                        .clone()
                        .map(near_devices)
                        .into_iter()
                        .collect(),
                    ..ServiceDemand::default()
                };
                let overflow = || PlacementError::Overflow { service: key.clone() };
                demand.total().ok_or_else(overflow)?;
                if let Some(now) = running {
                    for (cluster, replicas) in now.iter() {
                        let there = demand.per_replica.checked_mul(replicas).ok_or_else(overflow)?;
                        let sum = held.entry(cluster).or_default();
                        *sum = sum.checked_add(&there).ok_or_else(overflow)?;
                    }
                    demand.final_placement = requirements.final_placement;
                }
                let stays =
                    demand.final_placement && running.is_some_and(|now| is_whole(inventory, now, &demand));
                // What is final and complete is not taken apart to be spread.
                if requirements.spread && demand.replicas >= 2 && !stays {
                    demand.mode = Mode::Split;
                    demand.high_availability = Some(HighAvailability {
                        key: requirements.failure_domain.clone(),
                        price: None,
                    });
                } else if stays && running.is_some_and(|now| now.clusters().count() > 1) {
                    demand.mode = Mode::Split;
                }
                if let Some(now) = running {
                    problem.current.set(key.clone(), now.clone());
                }
                if problem.services.insert(key, demand).is_some() {
                    let twice = format!("graph {graph} is given twice");
                    return Err(PlacementError::InvalidProblem(twice));
                }
            }
            problem.links.extend(links(graph, requirements));
        }
        for (graph, requirements) in graphs.iter().filter(|(_, graph)| !graph.static_placement) {
            for (id, service) in &requirements.services {
                let key = graph.service(id.clone());
                service
                    .co_location
                    .iter()
                    .for_each(|with| problem.share(&key, with, current, inventory));
            }
        }
        for cluster in inventory.clusters.values() {
            let held = held.get(&cluster.name).cloned().unwrap_or_default();
            problem.clusters.insert(
                cluster.name.clone(),
                supply(cluster, &held, &inventory.headroom_of(cluster)),
            );
        }
        Ok(problem)
    }
}

/// True when every replica of a service runs on a cluster that can take work.
fn is_whole(inventory: &Inventory, now: &Assignment, demand: &ServiceDemand) -> bool {
    let ready = |name: &ClusterName| {
        let cluster = inventory.cluster(name.as_str());
        cluster.is_some_and(|cluster| cluster.readiness.is_ready())
    };
    now.replicas() >= demand.replicas && now.clusters().all(ready)
}

fn near_devices(label: String) -> LabelRequirement {
    LabelRequirement::Exists { key: label }
}

impl PlacementProblem {
    /// A service shares its clusters with another one: of its own graph, else of one that is decided now, else of one that
    /// runs. A service that is not found anywhere is no constraint.
    fn share(&mut self, service: &ServiceKey, with: &CoLocation, current: &Placement, inventory: &Inventory) {
        let named = |key: &&ServiceKey| {
            let graph = with.grounded_graph_id.as_deref();
            key.service.as_str() == with.id
                && **key != *service
                && graph.is_none_or(|graph| key.graph.graph.as_str() == graph)
        };
        let own = |key: &&ServiceKey| key.graph == service.graph;
        let decided = || self.services.keys().filter(named);
        if let Some(other) = decided().find(own).or_else(|| decided().next()).cloned() {
            // One group for all that are connected, so that a chain of them is said once.
            let mut services = BTreeSet::from([service.clone(), other]);
            self.co_location.retain(|group| {
                let apart = group.services.is_disjoint(&services);
                if !apart {
                    services.extend(group.services.iter().cloned());
                }
                apart
            });
            self.co_location.push(CoLocationGroup {
                services,
                price: None,
            });
            return;
        }
        let running = current.iter().find(|(key, _)| named(key));
        let demand = self.services.get_mut(service);
        if let (Some((_, there)), Some(demand)) = (running, demand) {
            let known = |name: &&ClusterName| inventory.cluster(name.as_str()).is_some();
            let clusters: BTreeSet<ClusterName> = there.clusters().filter(known).cloned().collect();
            demand.pinned = Some(match &demand.pinned {
                Some(pinned) => pinned.intersection(&clusters).cloned().collect(),
                None => clusters,
            });
        }
    }
}

fn links<'a>(
    graph: &'a GraphKey,
    requirements: &'a Requirements,
) -> impl Iterator<Item = LinkDemand> + use<'a> {
    requirements.links.iter().map(|link| LinkDemand {
        from: graph.service(link.from.clone()),
        to: graph.service(link.to.clone()),
        limit: LinkLimit {
            rtt_below: link.rtt_below,
            max_hops: link.max_hops,
        },
        traffic: DataRate::ZERO,
    })
}

fn supply(cluster: &Cluster, held: &Resources, headroom: &Resources) -> ClusterSupply {
    let mut capacity = Resources::new()
        .with(ResourceName::CPU, 0)
        .with(ResourceName::MEMORY, 0);
    for (resource, allocatable) in cluster.allocatable.iter() {
        // An extended resource of which a cluster reports 0 is one that it does not have.
        if resource.is_extended() && allocatable == 0 {
            continue;
        }
        let free = allocatable.saturating_sub(cluster.allocated.amount(resource.as_str()));
        let with_held = free.saturating_add(held.amount(resource.as_str()));
        let kept = headroom.amount(resource.as_str());
        capacity.set(resource.clone(), with_held.min(allocatable).saturating_sub(kept));
    }
    ClusterSupply {
        readiness: cluster.readiness.clone(),
        // What is kept free is neither ours nor taken: a cluster is full when only that is left.
        taken: cluster
            .allocatable
            .saturating_sub(headroom)
            .saturating_sub(&capacity),
        capacity,
        region: cluster.region.clone(),
        zones: cluster.zones.clone(),
        provider: cluster.provider.clone(),
        labels: cluster.labels.clone(),
        taints: cluster.taints.clone(),
        price: cluster.price.clone(),
        carbon: cluster.carbon,
        egress: cluster.egress,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::{Headroom, Readiness};
    use crate::graph::LatencyClass;
    use crate::id::ServiceKey;
    use crate::intent::{LinkRequirement, ServiceRequirements};
    use crate::placement::{Breach, Outcome, Reason};
    use crate::placement::{MilpPlacer, decide, verify};
    use crate::units::{Bytes, Latency};

    fn requirements() -> Requirements {
        let service = |cpu| ServiceRequirements {
            replicas: 2,
            per_replica: Resources::new()
                .with(ResourceName::CPU, cpu)
                .with(ResourceName::MEMORY, 1 << 30),
            state: Bytes::new(5_000),
            ..ServiceRequirements::default()
        };
        Requirements {
            services: [("web", service(1500)), ("api", service(500))]
                .map(|(id, service)| (id.parse().unwrap(), service))
                .into(),
            links: vec![LinkRequirement {
                from: "web".parse().unwrap(),
                to: "api".parse().unwrap(),
                class: LatencyClass::UltraLow,
                rtt_below: Some(Latency::from_base(10_000)),
                max_hops: None,
            }],
            ..Requirements::default()
        }
    }

    fn graph(name: &str) -> GraphKey {
        GraphKey::new("p".parse().unwrap(), name.parse().unwrap())
    }

    fn cluster(name: &str, cores: u64, used: u64) -> Cluster {
        let list = |cores: u64| {
            Resources::new()
                .with(ResourceName::CPU, cores * 1000)
                .with(ResourceName::MEMORY, cores << 30)
        };
        Cluster {
            allocated: list(used),
            ..Cluster::new(name.parse().unwrap(), list(cores))
        }
    }

    fn on(service: &str, cluster: &str, replicas: u32) -> (ServiceKey, Assignment) {
        (
            graph("g").service(service.parse().unwrap()),
            Assignment::single(cluster.parse().unwrap(), replicas),
        )
    }

    fn pose(clusters: Vec<Cluster>, requirements: &Requirements, current: &Placement) -> PlacementProblem {
        let inventory = Inventory::new(clusters);
        PlacementProblem::pose(
            &inventory,
            &[(graph("g"), requirements)],
            current,
            Goals::default(),
        )
        .unwrap()
    }

    #[test]
    fn what_a_service_holds_is_not_counted_against_itself() {
        let current = Placement::from_iter([on("web", "a", 2)]);
        let problem = pose(
            vec![cluster("a", 4, 4), cluster("b", 4, 3)],
            &requirements(),
            &current,
        );
        // a: nothing is free, and web holds 3 cores and 2 GiB there.
        assert_eq!(problem.clusters["a"].capacity.cpu().millicores(), 3000);
        assert_eq!(problem.clusters["a"].capacity.memory().get(), 2 << 30);
        assert_eq!(problem.clusters["b"].capacity.cpu().millicores(), 1000);
        assert_eq!(problem.current, current);
    }

    #[test]
    fn what_is_held_never_exceeds_what_there_is() {
        // The cluster does not report the new replicas yet.
        let problem = pose(
            vec![cluster("a", 4, 0)],
            &requirements(),
            &Placement::from_iter([on("web", "a", 2)]),
        );
        assert_eq!(problem.clusters["a"].capacity.cpu().millicores(), 4000);
    }

    /// What is kept free of clusters of 10 cores and 10 GiB.
    fn kept(percent: u32, cores: u64) -> Headroom {
        Headroom::percent(percent)
            .unwrap()
            .with_at_least(ResourceName::CPU, cores * 1000)
    }

    #[test]
    fn a_headroom_is_taken_off_once() {
        // web holds 3 cores and 2 GiB on a, where other work has 5: 10 - 8 + 3 - 2 = 3, and it stays.
        let current = Placement::from_iter([on("web", "a", 2)]);
        let mut fleet = Inventory::new([cluster("a", 10, 8), cluster("b", 10, 0), cluster("c", 10, 9)]);
        fleet.headroom = kept(20, 0);
        fleet.clusters["b"].headroom = Some(kept(0, 4));
        let mut last = requirements();
        last.links.clear();
        last.services.shift_remove("api");
        let pose = |fleet: &Inventory| {
            let graphs = [(graph("g"), &last)];
            PlacementProblem::pose(fleet, &graphs, &current, Goals::default()).unwrap()
        };
        let problem = pose(&fleet);
        let supply = |name: &str| {
            let supply = &problem.clusters[name];
            let [capacity, taken] =
                [&supply.capacity, &supply.taken].map(|amounts| amounts.cpu().millicores());
            (capacity, taken)
        };
        // 2 cores of a are kept, 4 of b; c has less left than what is kept.
        assert_eq!(supply("a"), (3000, 5000));
        assert_eq!(supply("b"), (6000, 0));
        assert_eq!(supply("c"), (0, 8000));
        assert_eq!(problem.clusters["a"].capacity.memory().get(), 2 << 30);
        assert_eq!(verify(&problem, &current), vec![]);
        let placed = |problem: &PlacementProblem| {
            let outcome = decide(&MilpPlacer::default(), problem).unwrap();
            outcome.into_decision().unwrap().placement
        };
        assert_eq!(placed(&problem), current);
        // One core more is kept: it moves to b.
        fleet.headroom = kept(20, 3);
        assert_eq!(placed(&pose(&fleet)), Placement::from_iter([on("web", "b", 2)]));
    }

    #[test]
    fn a_graph_that_fits_where_it_runs_stays_there() {
        let current = Placement::from_iter([on("web", "a", 2), on("api", "a", 2)]);
        let problem = pose(
            vec![cluster("a", 4, 4), cluster("b", 9, 0)],
            &requirements(),
            &current,
        );
        assert_eq!(verify(&problem, &current), vec![]);
        let Outcome::Placed(decision) = decide(&MilpPlacer::default(), &problem).unwrap() else {
            panic!()
        };
        assert_eq!(decision.placement, current);
        assert_eq!(decision.totals.moves, 0);
    }

    #[test]
    fn only_cpu_and_memory_are_nothing_where_they_are_not_reported() {
        let silent = Cluster::new(
            "a".parse().unwrap(),
            Resources::new().with(ResourceName::NVIDIA_GPU, 0),
        );
        let problem = pose(vec![silent], &requirements(), &Placement::new());
        let supply = &problem.clusters["a"];
        let available = |name: &str| supply.available(&ResourceName::new(name));
        assert_eq!(available(ResourceName::CPU), Some(0));
        assert_eq!(available(ResourceName::MEMORY), Some(0));
        assert_eq!(available(ResourceName::PODS), None);
        assert_eq!(available(ResourceName::STORAGE), None);
        assert_eq!(available(ResourceName::NVIDIA_GPU), Some(0));
        assert_eq!(supply.capacity.listed(ResourceName::NVIDIA_GPU), None);
    }

    #[test]
    fn a_final_placement_stays_while_its_clusters_are_ready() {
        let current = Placement::from_iter([on("web", "a", 2)]);
        let mut last = requirements();
        last.final_placement = true;
        last.links.clear();
        let open = |clusters: Vec<Cluster>, service: &str| -> Vec<String> {
            let problem = pose(clusters, &last, &current);
            let key = graph("g").service(service.parse().unwrap());
            problem.open_clusters(&key).map(ToString::to_string).collect()
        };
        let [a, b] = [cluster("a", 4, 4), cluster("b", 9, 0)];
        assert_eq!(open(vec![a.clone(), b.clone()], "web"), ["a"]);
        assert_eq!(open(vec![a.clone(), b.clone()], "api"), ["a", "b"]);

        let mut dead = a;
        dead.readiness = Readiness::NotReady {
            reason: "gone".into(),
            since: None,
        };
        assert_eq!(open(vec![dead, b.clone()], "web"), ["b"]);
        // A cluster that has left the fleet is not ready either.
        assert_eq!(open(vec![b], "web"), ["b"]);
    }

    #[test]
    fn graphs_with_static_placement_are_left_out() {
        let mut fixed = requirements();
        fixed.static_placement = true;
        let problem = pose(
            vec![cluster("a", 4, 4)],
            &fixed,
            &Placement::from_iter([on("web", "a", 2)]),
        );
        assert!(problem.services.is_empty() && problem.links.is_empty() && problem.current.is_empty());
        assert_eq!(problem.clusters["a"].capacity.cpu().millicores(), 0);
    }

    #[test]
    fn links_and_replicas_are_taken_over() {
        let problem = pose(
            vec![cluster("a", 3, 0), cluster("b", 3, 0)],
            &requirements(),
            &Placement::new(),
        );
        assert_eq!(problem.links[0].limit.rtt_below, Some(Latency::from_base(10_000)));
        assert_eq!(
            (problem.services[0].replicas, problem.services[0].state.get()),
            (2, 5_000)
        );
        // 3 + 1 cores need both clusters, which nobody measured.
        let apart = Placement::from_iter([on("web", "a", 2), on("api", "b", 2)]);
        assert!(matches!(
            verify(&problem, &apart)[..],
            [Breach::LinkTooLong { .. }]
        ));
        let Outcome::Infeasible(diagnosis) = decide(&MilpPlacer::default(), &problem).unwrap() else {
            panic!()
        };
        assert!(diagnosis.proved);
        assert_eq!(diagnosis.conflict.len(), 2);
        assert!(diagnosis.services.values().all(|service| {
            service
                .reasons
                .values()
                .all(|reason| matches!(reason, Reason::LinkTooLong { .. }))
        }));
    }

    #[test]
    fn high_availability_uses_two_domains_and_leaves_what_is_complete() {
        let mut available = requirements();
        available.final_placement = true;
        available.spread = true;
        available.links.clear();
        let clusters = || vec![cluster("a", 9, 4), cluster("b", 9, 0)];
        let decided = |current: &Placement| {
            let problem = pose(clusters(), &available, current);
            let outcome = decide(&MilpPlacer::default(), &problem).unwrap();
            let placement = outcome.into_decision().unwrap().placement;
            let shown = placement
                .iter()
                .map(|(key, there)| format!("{} {there}", key.service));
            shown.collect::<Vec<_>>().join("; ")
        };
        insta::assert_snapshot!(decided(&Placement::new()), @"web a x1, b x1; api a x1, b x1");
        // One replica of two runs: it stays, the other one goes elsewhere. What is complete stays in one cluster.
        let running = Placement::from_iter([on("web", "b", 1), on("api", "b", 2)]);
        insta::assert_snapshot!(decided(&running), @"web a x1, b x1; api b x2");
        available.failure_domain = crate::cluster::DomainKey::Region;
        let problem = pose(clusters(), &available, &Placement::new());
        assert_eq!(
            problem
                .open_clusters(&problem.services.get_index(0).unwrap().0.clone())
                .count(),
            0
        );
    }

    #[test]
    fn services_share_clusters_within_a_graph_and_with_what_runs() {
        let with = |id: &str, graph: Option<&str>| CoLocation {
            id: id.into(),
            grounded_graph_id: graph.map(str::to_owned),
        };
        let mut sharing = requirements();
        sharing.services[0].co_location = vec![with("api", None)];
        let clusters = || vec![cluster("a", 9, 0), cluster("b", 9, 0)];
        let problem = pose(clusters(), &sharing, &Placement::new());
        assert_eq!(problem.co_location.len(), 1);
        assert_eq!(problem.co_location[0].services.len(), 2);
        // The service of another graph that runs is no part of the question: its clusters are.
        sharing.services[0].co_location = vec![with("store", Some("data"))];
        let store = (
            "p/data/store".parse().unwrap(),
            Assignment::single("b".parse().unwrap(), 1),
        );
        let running = Placement::from_iter([store]);
        let problem = pose(clusters(), &sharing, &running);
        assert!(problem.co_location.is_empty());
        assert_eq!(
            problem.services[0].pinned,
            Some(BTreeSet::from(["b".parse().unwrap()]))
        );
        // Of a graph that nobody knows, nothing follows.
        sharing.services[0].co_location = vec![with("store", Some("other"))];
        let problem = pose(clusters(), &sharing, &running);
        assert_eq!(problem.services[0].pinned, None);
    }

    #[test]
    fn services_near_devices_run_where_devices_are() {
        let mut near = requirements();
        near.links.clear();
        near.services[1].device_label = Some("devices".into());
        let mut edge = cluster("a", 9, 0);
        edge.labels.insert("devices".into(), "camera".into());
        let problem = pose(vec![cluster("b", 9, 0), edge], &near, &Placement::new());
        let open = |service: usize| {
            let (key, _) = problem.services.get_index(service).unwrap();
            problem
                .open_clusters(key)
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!((open(0).len(), open(1)), (2, vec!["a".to_owned()]));
    }

    #[test]
    fn amounts_that_do_not_fit_and_graphs_given_twice_are_refused() {
        let requirements = requirements();
        let inventory = Inventory::new([cluster("a", 4, 0)]);
        let twice = [(graph("g"), &requirements), (graph("g"), &requirements)];
        let error = PlacementProblem::pose(&inventory, &twice, &Placement::new(), Goals::default());
        insta::assert_snapshot!(error.unwrap_err(), @"the placement problem is inconsistent: graph p/g is given twice");
        let mut huge = requirements;
        huge.services[0].per_replica.set(ResourceName::CPU, u64::MAX);
        let error = PlacementProblem::pose(
            &inventory,
            &[(graph("g"), &huge)],
            &Placement::new(),
            Goals::default(),
        );
        insta::assert_snapshot!(error.unwrap_err(), @"an amount of `p/g/web` does not fit 64 bits");
    }
}
