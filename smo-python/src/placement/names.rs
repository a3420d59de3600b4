//! Services by name, and placements as Python writes them.

use indexmap::IndexMap;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use smo_core::cluster::ObservedState;
use smo_core::id::{ClusterName, ServiceKey, suggestion};
use smo_core::placement::{Assignment, Placement};

use crate::plan::DeploymentPlan;

/// The services of a question or an answer, by the names that Python sees: the id, or `project/graph/service` where two
/// graphs have the same id. With them, how many replicas each runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Names(IndexMap<String, (ServiceKey, u32)>);

impl Names {
    pub(crate) fn new(services: impl IntoIterator<Item = (ServiceKey, u32)>) -> Self {
        let services: Vec<_> = services.into_iter().collect();
        let mut of_id: IndexMap<String, usize> = IndexMap::new();
        for (key, _) in &services {
            *of_id.entry(key.service.to_string()).or_default() += 1;
        }
        let name = |key: &ServiceKey| match of_id.get(key.service.as_str()) {
            Some(1) => key.service.to_string(),
            _ => key.to_string(),
        };
        let named = services
            .into_iter()
            .map(|(key, replicas)| (name(&key), (key, replicas)));
        Self(named.collect())
    }

    /// Names and keys, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &ServiceKey)> {
        self.0.iter().map(|(name, (key, _))| (name.as_str(), key))
    }

    /// The service called `name`, by its name or its full key, and its replicas; or what is wrong with the name.
    pub(crate) fn find(&self, name: &str) -> Result<(&ServiceKey, u32), String> {
        let by_key = || self.0.values().find(|(key, _)| key.to_string() == name);
        if let Some((key, replicas)) = self.0.get(name).or_else(by_key) {
            return Ok((key, *replicas));
        }
        if self.0.values().any(|(key, _)| key.service.as_str() == name) {
            return Err(format!(
                "{name} is a service of several graphs; write project/graph/service"
            ));
        }
        let meant = suggestion(name, self.0.keys().map(String::as_str));
        Err(format!("{name} is no service of the problem{meant}"))
    }

    /// The name of a service.
    pub(crate) fn of(&self, key: &ServiceKey) -> String {
        let id = key.service.as_str();
        match self.0.get(id) {
            Some((known, _)) if known == key => id.to_owned(),
            _ => key.to_string(),
        }
    }
}

/// `{service: {cluster: replicas}}`.
pub(crate) fn written<'py>(
    py: Python<'py>,
    placement: &Placement,
    names: &Names,
) -> PyResult<Bound<'py, PyDict>> {
    let services = PyDict::new(py);
    for (name, key) in names.iter() {
        let clusters = PyDict::new(py);
        for (cluster, replicas) in placement.get(key).iter().flat_map(|there| there.iter()) {
            clusters.set_item(cluster.as_str(), replicas)?;
        }
        services.set_item(name, clusters)?;
    }
    Ok(services)
}

/// Reads `{service: cluster}` or `{service: {cluster: replicas}}`; everything that is wrong with it otherwise.
pub(crate) fn read_placement(
    answer: &Bound<'_, PyAny>,
    names: &Names,
) -> PyResult<Result<Placement, Vec<String>>> {
    let Ok(answer) = answer.cast::<PyMapping>() else {
        let found = answer.get_type().name()?;
        return Ok(Err(vec![format!(
            "it is of type {found}, not a dict from service to cluster"
        )]));
    };
    let mut placement = Placement::new();
    let mut faults = Vec::new();
    for item in answer.items()?.iter() {
        let (service, clusters): (Bound<'_, PyAny>, Bound<'_, PyAny>) = item.extract()?;
        let Ok(service) = service.extract::<String>() else {
            faults.push(format!(
                "a service is of type {}, not str",
                service.get_type().name()?
            ));
            continue;
        };
        let read = names.find(&service).and_then(|(key, replicas)| {
            let assignment = read_assignment(&clusters, replicas);
            assignment
                .map(|assignment| (key.clone(), assignment))
                .map_err(|fault| format!("{service}: {fault}"))
        });
        match read {
            Ok((key, assignment)) => placement.set(key, assignment),
            Err(fault) => faults.push(fault),
        }
    }
    Ok(if faults.is_empty() {
        Ok(placement)
    } else {
        Err(faults)
    })
}

fn read_assignment(clusters: &Bound<'_, PyAny>, replicas: u32) -> Result<Assignment, String> {
    let cluster = |name: &str| {
        name.parse::<ClusterName>()
            .map_err(|_| format!("{name} is no cluster of the fleet"))
    };
    if let Ok(name) = clusters.extract::<String>() {
        return Ok(Assignment::single(cluster(&name)?, replicas));
    }
    let by_cluster: IndexMap<String, u32> = clusters
        .cast::<PyDict>()
        .ok()
        .and_then(|clusters| {
            let entries = clusters
                .iter()
                .map(|(name, replicas)| Ok((name.extract()?, replicas.extract()?)));
            entries.collect::<PyResult<_>>().ok()
        })
        .ok_or("expected the name of a cluster, or a dict from cluster to replicas")?;
    by_cluster
        .iter()
        .map(|(name, replicas)| Ok((cluster(name)?, *replicas)))
        .collect()
}

/// Where services run now: a plan, an observed state, a dict from service to cluster, or nothing.
pub(crate) fn current_placement(current: Option<&Bound<'_, PyAny>>, names: &Names) -> PyResult<Placement> {
    let Some(current) = current.filter(|current| !current.is_none()) else {
        return Ok(Placement::new());
    };
    if let Ok(plan) = current.cast::<DeploymentPlan>() {
        return Ok(plan.get().core().placement());
    }
    if let Ok(decision) = current.cast::<super::Decision>() {
        return Ok(decision.get().core().placement.clone());
    }
    if let Ok(state) = current.cast::<crate::cluster::ObservedState>() {
        return Ok(placement_of(&state.get().0));
    }
    if current.cast::<PyMapping>().is_err() {
        let found = current.get_type().name()?;
        let message = format!(
            "current is a plan, an ObservedState, a dict from service to cluster, or None, not {found}"
        );
        return Err(PyTypeError::new_err(message));
    }
    read_placement(current, names)?
        .map_err(|faults| PyValueError::new_err(format!("current: {}", faults.join("; "))))
}

fn placement_of(state: &ObservedState) -> Placement {
    let releases = state.releases.iter();
    releases
        .map(|(key, release)| {
            let clusters = release.clusters.iter();
            let assignment = clusters.map(|(name, replicas)| (name.clone(), replicas.desired));
            (key.clone(), assignment.collect())
        })
        .collect()
}
