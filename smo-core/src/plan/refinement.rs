//! What a host adds to a question before it is decided, and what it may not change.

use std::error::Error;
use std::fmt;

use crate::id::ServiceId;
use crate::placement::{PlacementProblem, ServiceDemand};

type Change = dyn Fn(&mut PlacementProblem) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync;

/// A change of questions, by the host.
pub(super) struct Refinement(Box<Change>);

impl Refinement {
    pub(super) fn new(
        change: impl Fn(&mut PlacementProblem) -> Result<(), Box<dyn Error + Send + Sync>> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(change))
    }

    pub(super) fn apply(&self, problem: &mut PlacementProblem) -> Result<(), String> {
        (self.0)(problem).map_err(|error| error.to_string())
    }
}

impl fmt::Debug for Refinement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Refinement")
    }
}

/// Everything in a refined question that a plan could not keep. The plan writes releases for the services of the graph,
/// with the resources that the graph asks for, on clusters of the fleet: an answer about anything else would be wrong.
pub(super) fn faults(posed: &PlacementProblem, refined: &PlacementProblem) -> Vec<String> {
    let mut faults = Vec::new();
    for (key, demand) in &posed.services {
        match refined.services.get(key) {
            None => faults.push(format!("it removes the service `{}`", key.service)),
            Some(now) => faults.extend(demand_faults(&key.service, demand, now)),
        }
    }
    let added = refined.services.keys();
    let added = added.filter(|key| !posed.services.contains_key(*key));
    faults.extend(added.map(|key| format!("it adds the service `{}`", key.service)));
    let unknown = refined.clusters.keys();
    let unknown = unknown.filter(|name| !posed.clusters.contains_key(*name));
    faults.extend(unknown.map(|name| format!("it adds the cluster `{name}`, which the fleet does not have")));
    if refined.current != posed.current {
        faults.push("it changes where services run now".to_owned());
    }
    faults
}

fn demand_faults(service: &ServiceId, posed: &ServiceDemand, refined: &ServiceDemand) -> Vec<String> {
    let mut faults = Vec::new();
    if refined.replicas != posed.replicas {
        let (before, after) = (posed.replicas, refined.replicas);
        faults.push(format!(
            "it changes the replicas of `{service}` from {before} to {after}"
        ));
    }
    for (resource, before) in posed.per_replica.iter() {
        let after = refined.per_replica.amount(resource.as_str());
        if after < before {
            let (before, after) = (resource.describe(before), resource.describe(after));
            faults.push(format!(
                "it lowers what a replica of `{service}` takes from {before} to {after}"
            ));
        }
    }
    faults
}
