//! Goals written in Python.

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smo_core::placement::rules::Pair;
use smo_core::placement::{CustomGoal, Facts, Measure, Placement};

use super::rule::{as_dict, overrides, view};
use super::{Cause, ClusterSupply, Names, ServiceDemand, goals};

/// A goal of yours, in points; less is better. Subclass it and write `of_replica`, or `of_placement`, or both.
///
/// `of_replica` is what one replica of a service on a cluster costs, wherever everything else runs: every placer that
/// searches for the best searches by it. `of_placement` is what a whole placement costs beside that, a dict from service to
/// a dict from cluster to replicas; only `Exhaustive` searches by it. The points count as `Goals.preference` weighs them.
///
/// >>> import smo
/// >>> class Friends(smo.Goal):
/// ...     def of_replica(self, service, demand, cluster, supply):
/// ...         return 0.0 if supply.provider == "ntua" else 1.0
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": name, "provider": name, "allocatable": size} for name in ("acme", "ntua")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> problem = smo.PlacementProblem.pose(fleet, graph).with_goal(Friends())
/// >>> smo.place(problem).placement["web"].clusters
/// ['ntua']
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct Goal;

#[pymethods]
impl Goal {
    /// Takes any arguments, so that a subclass with its own `__init__` need not write `__new__` too.
    #[new]
    #[pyo3(signature = (*args, **kwargs))]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self
    }

    /// The name that errors show: that of the class unless the class has one of its own.
    #[getter]
    fn name(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.get_type().name()?.extract()
    }

    /// Points for one replica of a service on a cluster.
    #[allow(clippy::unused_self)]
    fn of_replica(
        &self,
        service: &str,
        demand: &ServiceDemand,
        cluster: &str,
        supply: &ClusterSupply,
    ) -> f64 {
        let _ = (service, demand, cluster, supply);
        0.0
    }

    /// Points for a placement as a whole.
    #[allow(clippy::unused_self)]
    fn of_placement(&self, placement: &Bound<'_, PyDict>) -> f64 {
        let _ = placement;
        0.0
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!(
            "<smo.Goal {}>",
            slf.getattr("name")?.extract::<String>()?
        ))
    }
}

pub(super) fn custom(goal: &Bound<'_, Goal>, names: Names, raised: Cause) -> PyResult<CustomGoal> {
    Ok(CustomGoal::new(Foreign {
        name: goal.getattr("name")?.str()?.extract()?,
        linear: overrides(goal, "of_replica")?,
        couples: overrides(goal, "of_placement")?,
        object: goal.clone().unbind(),
        names,
        raised,
    }))
}

#[derive(Debug)]
struct Foreign {
    object: Py<Goal>,
    name: String,
    linear: bool,
    couples: bool,
    names: Names,
    raised: Cause,
}

impl Foreign {
    /// What it says, in millionths of a point. What raises counts as nothing here, and is raised once all is done.
    fn ask(&self, ask: impl FnOnce(Python<'_>) -> PyResult<f64>) -> Option<i64> {
        let said = Python::attach(|py| goals::millionths(ask(py)?));
        Some(said.unwrap_or_else(|error| {
            self.raised.keep(error);
            0
        }))
    }
}

impl Measure for Foreign {
    fn name(&self) -> &str {
        &self.name
    }

    fn of_replica(&self, _: &Facts<'_>, pair: &Pair<'_>) -> Option<i64> {
        if !self.linear {
            return Some(0);
        }
        self.ask(|py| {
            let object = self.object.bind(py);
            object
                .call_method1("of_replica", view(pair, &self.names))?
                .extract()
        })
    }

    fn of_placement(&self, _: &Facts<'_>, placement: &Placement) -> Option<i64> {
        if !self.couples {
            return Some(0);
        }
        self.ask(|py| {
            let placement = as_dict(py, placement, &self.names)?;
            self.object
                .bind(py)
                .call_method1("of_placement", (placement,))?
                .extract()
        })
    }

    fn couples(&self) -> bool {
        self.couples
    }
}
