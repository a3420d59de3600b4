//! The question.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::cluster::Price;
use smo_core::resources::ResourceName;
use smo_core::scaling as core;
use smo_core::units::Money;

use super::goals::or_default;
use super::{ScalingGoals, Throughput, by_cluster, by_service, rate};
use crate::convert::{amounts, resources, serialised};
use crate::error::invalid_scaling;
use crate::graph::count;
use crate::placement::Names;

/// One service whose replicas are asked for.
///
/// `load` is what has to be carried, in requests per second; `throughput` what replicas carry. `min` and `max` bound the
/// replicas on all clusters together. `per_replica` is what each replica takes, as quantities; `requires` are resources
/// that a cluster has to offer at all. `clusters` are the clusters it may run on, with how many replicas run there now.
///
/// >>> from smo.scaling import ServiceLoad, Throughput
/// >>> ServiceLoad(505, Throughput(110, -30), max=10, per_replica={"cpu": 1}, clusters={"edge-2": 2})
/// <smo.scaling.ServiceLoad of 505 req/s, 1 to 10 replicas, 2 now>
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ServiceLoad(core::ServiceLoad);

/// Names of resources.
pub(super) fn names_of(resources: Vec<String>) -> BTreeSet<ResourceName> {
    resources.into_iter().map(ResourceName::new).collect()
}

#[pymethods]
impl ServiceLoad {
    #[new]
    #[pyo3(signature = (load, throughput, *, clusters, max, min = 1, per_replica = BTreeMap::new(), requires = Vec::new()))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        load: f64,
        throughput: &Throughput,
        clusters: &Bound<'_, PyDict>,
        max: u32,
        min: u32,
        per_replica: BTreeMap<String, Bound<'_, PyAny>>,
        requires: Vec<String>,
    ) -> PyResult<Self> {
        Ok(Self(core::ServiceLoad {
            load: rate(py, "the load", load)?,
            throughput: throughput.0,
            min,
            max,
            per_replica: resources(per_replica)?,
            requires: names_of(requires),
            clusters: by_cluster(clusters, |replicas| replicas.extract())?,
        }))
    }

    /// What has to be carried, in requests per second.
    #[getter]
    fn load(&self) -> f64 {
        self.0.load.to_f64()
    }

    /// What replicas carry.
    #[getter]
    fn throughput(&self) -> Throughput {
        Throughput(self.0.throughput)
    }

    /// The fewest replicas allowed, on all clusters together.
    #[getter]
    fn min(&self) -> u32 {
        self.0.min
    }

    /// The most replicas allowed, on all clusters together.
    #[getter]
    fn max(&self) -> u32 {
        self.0.max
    }

    /// What each replica takes, in thousandths of a core, bytes, pieces.
    #[getter]
    fn per_replica(&self) -> BTreeMap<String, u64> {
        amounts(&self.0.per_replica)
    }

    /// Resources that its clusters have to offer at all.
    #[getter]
    fn requires(&self) -> Vec<String> {
        self.0.requires.iter().map(ToString::to_string).collect()
    }

    /// The clusters it may run on, with how many replicas run there now.
    #[getter]
    fn clusters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        counts(
            py,
            self.0
                .clusters
                .iter()
                .map(|(name, count)| (name.as_str(), *count)),
        )
    }

    fn __repr__(&self) -> String {
        let service = &self.0;
        format!(
            "<smo.scaling.ServiceLoad of {}, {} to {} replicas, {} now>",
            service.load,
            service.min,
            service.max,
            service.current()
        )
    }
}

/// Counts by name.
pub(super) fn counts<'py, 'a>(
    py: Python<'py>,
    counts: impl IntoIterator<Item = (&'a str, u32)>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, count) in counts {
        dict.set_item(name, count)?;
    }
    Ok(dict)
}

/// What one cluster can give to the services being decided, as quantities: what is free, *plus* what they hold there now.
///
/// A resource that is not listed is not limited, except an extended one such as a GPU, of which there is none. `price` is
/// what an hour of one core, one GiB or one piece costs in EUR.
///
/// >>> from smo.scaling import ClusterRoom
/// >>> ClusterRoom({"cpu": 8, "memory": "16Gi"}, price={"cpu": 0.02}).capacity
/// {'cpu': 8000, 'memory': 17179869184}
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ClusterRoom(pub(super) core::ClusterRoom);

#[pymethods]
impl ClusterRoom {
    #[new]
    #[pyo3(signature = (capacity, price = None))]
    fn new(
        py: Python<'_>,
        capacity: BTreeMap<String, Bound<'_, PyAny>>,
        price: Option<BTreeMap<String, f64>>,
    ) -> PyResult<Self> {
        let mut prices = Price::free();
        for (name, euro) in price.unwrap_or_default() {
            let money = Money::from_f64(euro).filter(|money| *money >= Money::from_base(0));
            let fault = || format!("the price of {name} is {euro}, not a number of EUR/h from 0");
            prices = prices.with(
                name.as_str(),
                money.ok_or_else(|| invalid_scaling(py, [fault()]))?,
            );
        }
        Ok(Self(core::ClusterRoom {
            capacity: resources(capacity)?,
            price: prices,
        }))
    }

    /// What there is for the services being decided, in thousandths of a core, bytes, pieces.
    #[getter]
    fn capacity(&self) -> BTreeMap<String, u64> {
        amounts(&self.0.capacity)
    }

    /// What an hour of one core, one GiB or one piece costs in EUR.
    #[getter]
    fn price<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0.price)
    }

    fn __repr__(&self) -> String {
        format!("<smo.scaling.ClusterRoom of {}>", self.0.capacity)
    }
}

/// How many replicas should run: services with load, model and bounds, clusters with what is left, goals.
///
/// Services come in order of importance: where not everything fits, the first ones get what they need first. They are called
/// `project/graph/service`; `graph/service` is one of the project `default`, a bare id one of the graph `default`. Answers
/// call them by their id, or by the whole name where two graphs have the same id. Services of several graphs that share
/// clusters belong into one question.
///
/// Raises `ValueError` for a name that makes no sense, and `InvalidScaling` for a service that is given twice. What else is
/// wrong, `faults` says, and `decide` refuses.
///
/// >>> from smo.scaling import ClusterRoom, ScalingProblem, ServiceLoad, Throughput, decide
/// >>> web = ServiceLoad(505, Throughput(110, -30), max=10, per_replica={"cpu": 1}, clusters={"edge-2": 2})
/// >>> print(decide(ScalingProblem({"shop/web": web}, {"edge-2": ClusterRoom({"cpu": 8})})))
/// web 2 -> 5 replicas on edge-2
///   load 505 req/s; 5 replicas carry 520 (110 r - 30)
///   the fewest that carry it: 4 would carry 410, 95 req/s short
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ScalingProblem {
    core: Arc<core::ScalingProblem>,
    names: Names,
}

impl ScalingProblem {
    pub(super) fn wrap(core: core::ScalingProblem) -> Self {
        let services = core.services.iter();
        let names = Names::new(
            services
                .map(|(key, service)| (key.clone(), u32::try_from(service.current()).unwrap_or(u32::MAX))),
        );
        Self {
            core: Arc::new(core),
            names,
        }
    }

    pub(super) fn core(&self) -> &Arc<core::ScalingProblem> {
        &self.core
    }

    pub(super) fn names(&self) -> &Names {
        &self.names
    }
}

#[pymethods]
impl ScalingProblem {
    #[new]
    #[pyo3(signature = (services, clusters, goals = None))]
    fn new(
        services: &Bound<'_, PyDict>,
        clusters: &Bound<'_, PyDict>,
        goals: Option<&ScalingGoals>,
    ) -> PyResult<Self> {
        let service = |object: Bound<'_, PyAny>| Ok(object.cast::<ServiceLoad>()?.get().0.clone());
        let room = |object: Bound<'_, PyAny>| Ok(object.cast::<ClusterRoom>()?.get().0.clone());
        Ok(Self::wrap(core::ScalingProblem {
            services: by_service(services, service)?,
            clusters: by_cluster(clusters, room)?,
            goals: or_default(goals),
        }))
    }

    /// The services, in order.
    #[getter]
    fn services<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let services = PyDict::new(py);
        for (name, key) in self.names.iter() {
            if let Some(service) = self.core.services.get(key) {
                services.set_item(name, ServiceLoad(service.clone()))?;
            }
        }
        Ok(services)
    }

    /// The clusters.
    #[getter]
    fn clusters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let clusters = PyDict::new(py);
        for (name, room) in &self.core.clusters {
            clusters.set_item(name.as_str(), ClusterRoom(room.clone()))?;
        }
        Ok(clusters)
    }

    /// What is minimised.
    #[getter]
    fn goals(&self) -> ScalingGoals {
        ScalingGoals(self.core.goals)
    }

    /// Everything that is wrong with the question, one sentence each; empty when nothing is.
    ///
    /// >>> from smo.scaling import ClusterRoom, ScalingProblem, ServiceLoad, Throughput
    /// >>> web = ServiceLoad(-5, Throughput(110), min=4, max=2, clusters={"edge-2": 2})
    /// >>> ScalingProblem({"web": web}, {"edge-2": ClusterRoom({"cpu": 8})}).faults()[1]
    /// 'default/default/web has a maximum of 2 below its minimum of 4'
    fn faults(&self) -> Vec<String> {
        self.core.faults().iter().map(ToString::to_string).collect()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &*self.core)
    }

    fn __repr__(&self) -> String {
        let services = count(self.core.services.len(), "service");
        let clusters = count(self.core.clusters.len(), "cluster");
        format!("<smo.scaling.ScalingProblem of {services} on {clusters}>")
    }
}
