//! Which clusters import which services, and which services are exported.

use indexmap::IndexMap;

use super::{ServiceExport, ServiceImport};
use crate::graph::ApplicationGraph;
use crate::id::{ClusterName, ServiceId};

/// Who imports each placed service: the clusters of its callers, each once. A service that nobody calls is imported
/// where it runs, since Karmada takes an empty list for every cluster there is.
pub(super) fn imports(
    graph: &ApplicationGraph,
    placed: &IndexMap<ServiceId, Vec<ClusterName>>,
) -> IndexMap<ServiceId, ServiceImport> {
    let import = |(id, own): (&ServiceId, &Vec<ClusterName>)| {
        let importers = graph.importers(id);
        let callers = importers
            .iter()
            .filter_map(|caller| placed.get(*caller))
            .flatten();
        let mut into: Vec<ClusterName> = callers.cloned().collect();
        if into.is_empty() {
            into.clone_from(own);
        }
        into.sort();
        into.dedup();
        let importers = importers.into_iter().cloned().collect();
        (
            id.clone(),
            ServiceImport {
                service: id.clone(),
                into,
                importers,
            },
        )
    };
    placed.iter().map(import).collect()
}

/// Only what another service calls is exported.
pub(super) fn exports(
    imports: &IndexMap<ServiceId, ServiceImport>,
    placed: &IndexMap<ServiceId, Vec<ClusterName>>,
) -> Vec<ServiceExport> {
    let called = imports.values().filter(|import| !import.importers.is_empty());
    let export = |import: &ServiceImport| ServiceExport {
        service: import.service.clone(),
        from: placed.get(&import.service).cloned().unwrap_or_default(),
    };
    called.map(export).collect()
}
