//! Questions about the shape of a graph: who imports whom, in which order services start.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use serde::Serialize;

use super::ApplicationGraph;
use crate::id::ServiceId;

/// `service` waits until `on` is healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Dependency {
    /// The service that waits.
    pub service: ServiceId,
    /// The service it waits for.
    pub on: ServiceId,
}

/// Services in the order they start: all of a wave at once, a wave after the one before.
pub type Waves = Vec<Vec<ServiceId>>;

impl ApplicationGraph {
    /// The services that call `service`, in the order of the descriptor.
    #[must_use]
    pub fn importers(&self, service: &ServiceId) -> Vec<&ServiceId> {
        let calls = |caller: &&ServiceId| {
            self.links
                .iter()
                .any(|link| link.from == **caller && link.to == *service)
        };
        self.services.keys().filter(calls).collect()
    }

    /// Every start dependency.
    #[must_use]
    pub fn start_dependencies(&self) -> Vec<Dependency> {
        let of_service = |service: &super::Service| {
            let id = service.id.clone();
            let on = service.trigger.dependencies().iter().cloned();
            on.map(move |on| Dependency {
                service: id.clone(),
                on,
            })
            .collect::<Vec<_>>()
        };
        self.services.values().flat_map(of_service).collect()
    }

    /// The services in waves: each after everything it depends on, in the order of the descriptor within a wave.
    #[must_use]
    pub fn start_waves(&self) -> Waves {
        let mut wave_of: IndexMap<&ServiceId, usize> = self.services.keys().map(|id| (id, 0)).collect();
        let mut waiting: IndexMap<&ServiceId, usize> = IndexMap::new();
        let mut dependents: IndexMap<&ServiceId, Vec<&ServiceId>> = IndexMap::new();
        for (id, service) in &self.services {
            let dependencies = service.trigger.dependencies();
            waiting.insert(id, dependencies.len());
            for on in dependencies {
                dependents.entry(on).or_default().push(id);
            }
        }
        let mut settled: Vec<&ServiceId> = self
            .services
            .keys()
            .filter(|id| waiting.get(id) == Some(&0))
            .collect();
        while let Some(id) = settled.pop() {
            let next = wave_of.get(id).map_or(0, |wave| wave + 1);
            for dependent in dependents.get(id).into_iter().flatten() {
                if let Some(wave) = wave_of.get_mut(dependent) {
                    *wave = next.max(*wave);
                }
                if let Some(count) = waiting.get_mut(dependent) {
                    *count -= 1;
                    if *count == 0 {
                        settled.push(dependent);
                    }
                }
            }
        }
        let last = wave_of.values().max().copied().unwrap_or(0);
        let mut waves = vec![Vec::new(); last + 1];
        for (id, wave) in wave_of {
            waves[wave].push(id.clone());
        }
        waves
    }

    /// A cycle of services that wait for one another, if there is one.
    pub(super) fn start_cycle(&self) -> Option<Vec<ServiceId>> {
        start_cycle(
            self.start_dependencies()
                .iter()
                .map(|dependency| (&dependency.service, &dependency.on)),
        )
    }
}

/// The first cycle among "waits for" pairs, as services in the order they wait, the first repeated at the end.
pub(crate) fn start_cycle<'a>(
    pairs: impl IntoIterator<Item = (&'a ServiceId, &'a ServiceId)>,
) -> Option<Vec<ServiceId>> {
    let mut graph = DiGraph::<&ServiceId, ()>::new();
    let mut index: IndexMap<&ServiceId, NodeIndex> = IndexMap::new();
    for (service, on) in pairs {
        let [from, to] = [service, on].map(|id| *index.entry(id).or_insert_with(|| graph.add_node(id)));
        graph.update_edge(from, to, ());
    }
    let cyclic =
        |component: &Vec<NodeIndex>| component.len() > 1 || graph.contains_edge(component[0], component[0]);
    // Not Tarjan's algorithm: petgraph's recurses once for every service in a row.
    let component = kosaraju_scc(&graph).into_iter().find(cyclic)?;
    let component: BTreeSet<NodeIndex> = component.into_iter().collect();
    let mut path = IndexSet::from([*component.first()?]);
    loop {
        let last = *path.last()?;
        let mut next: Vec<NodeIndex> = graph
            .neighbors(last)
            .filter(|node| component.contains(node))
            .collect();
        next.sort();
        let closing = next.iter().find_map(|node| path.get_index_of(node));
        if let Some(start) = closing {
            let cycle = path.iter().skip(start).chain(path.get_index(start));
            return Some(cycle.map(|node| graph[*node].clone()).collect());
        }
        path.insert(*next.first()?);
    }
}

#[cfg(test)]
mod tests {
    use crate::graph::{ApplicationGraph, GraphError, LatencyClass, Link, Service, Trigger};
    use crate::id::ServiceId;

    fn id(text: &str) -> ServiceId {
        text.parse().unwrap()
    }

    fn waiting(name: &str, dependencies: &[&str]) -> Service {
        let dependencies = dependencies.iter().map(|dependency| id(dependency)).collect();
        Service {
            trigger: Trigger::Auto { dependencies },
            ..Service::new(id(name), "oci://r/c")
        }
    }

    fn link(from: &str, to: &str) -> Link {
        Link {
            from: id(from),
            to: id(to),
            latency: LatencyClass::BestEffort,
        }
    }

    fn graph(services: Vec<Service>, links: Vec<Link>) -> Result<ApplicationGraph, GraphError> {
        ApplicationGraph::new("g".parse().unwrap(), services, links)
    }

    #[test]
    fn waves_respect_dependencies_and_descriptor_order() {
        let graph = graph(
            vec![
                waiting("c", &["b"]),
                waiting("b", &["a"]),
                waiting("a", &[]),
                waiting("d", &[]),
            ],
            vec![],
        );
        let waves = graph.unwrap().start_waves();
        assert_eq!(waves, [vec![id("a"), id("d")], vec![id("b")], vec![id("c")]]);
    }

    #[test]
    fn importers_are_the_callers() {
        let services = vec![waiting("a", &[]), waiting("b", &[]), waiting("c", &[])];
        let graph = graph(services, vec![link("c", "b"), link("a", "b")]).unwrap();
        assert_eq!(graph.importers(&id("b")), [&id("a"), &id("c")]);
        assert!(graph.importers(&id("a")).is_empty());
    }

    #[test]
    fn what_is_no_graph_is_refused() {
        let cycle = vec![waiting("a", &["b"]), waiting("b", &["c"]), waiting("c", &["a"])];
        assert_eq!(
            graph(cycle, vec![]).unwrap_err().to_string(),
            "the start order has a cycle: a -> b -> c -> a"
        );
        assert_eq!(graph(vec![], vec![]), Err(GraphError::Empty));
        assert_eq!(
            graph(vec![waiting("a", &["a"])], vec![]).unwrap_err().to_string(),
            "the start order has a cycle: a -> a"
        );
        assert_eq!(
            graph(vec![waiting("a", &[])], vec![link("a", "a")]),
            Err(GraphError::SelfLink(id("a")))
        );
        let dangling = graph(vec![waiting("a", &[])], vec![link("a", "z")]);
        assert_eq!(
            dangling,
            Err(GraphError::DanglingReference {
                from: id("a"),
                to: id("z")
            })
        );
        let twice = graph(vec![waiting("a", &[]), waiting("a", &[])], vec![]);
        assert_eq!(twice, Err(GraphError::DuplicateService(id("a"))));
    }

    #[test]
    fn a_row_of_ten_thousand_needs_no_deep_stack() {
        let name = |index: usize| format!("s{index}");
        let row = |last: usize| {
            let services = (0..10_000).map(|index| match index {
                0 => waiting("s0", &[name(last).as_str()][..usize::from(last > 0)]),
                index => waiting(&name(index), &[&name(index - 1)]),
            });
            graph(services.collect(), vec![])
        };
        assert_eq!(row(0).unwrap().start_waves().len(), 10_000);
        let Err(GraphError::StartCycle(cycle)) = row(9_999) else {
            panic!("a cycle was not found");
        };
        assert_eq!((cycle.len(), cycle.first()), (10_001, cycle.last()));
    }
}
