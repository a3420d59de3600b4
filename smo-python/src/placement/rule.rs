//! Rules written in Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smo_core::placement::rules::{Pair, Rule as CoreRule};
use smo_core::placement::{self as core, Breach, CustomRule, Placement, PlacementProblem, Reason};

use super::{Cause, ClusterSupply, Names, ServiceDemand};

/// A rule that every placement keeps. Subclass it and write `forbids`, or `breaches`, or both.
///
/// `forbids` looks at one service and one cluster and says why the service may not run there, or `None`: every placer takes
/// that into account. `breaches` looks at a whole placement, a dict from service to a dict from cluster to replicas, and
/// says everything that is wrong, each a text or a text and how much of it there is; only `Exhaustive` searches by it, any
/// other placer is checked against it. `name` is what is shown, and what `with_soft` takes; it is the name of the class
/// unless the class has one of its own.
///
/// >>> import smo
/// >>> class Quiet(smo.Rule):
/// ...     def forbids(self, service, demand, cluster, supply):
/// ...         return "it is loud there" if cluster == "edge-1" else None
/// >>> text = "hdaGraph: {id: shop, services: [{id: web, artifact: {ociImage: 'oci://r.io/shop/web'}}]}"
/// >>> graph = smo.Descriptor.parse(text).validate()
/// >>> size = {"cpu": 4, "memory": "8Gi"}
/// >>> clusters = [{"name": name, "allocatable": size} for name in ("edge-1", "edge-2")]
/// >>> fleet = smo.Inventory.from_dict({"fleet": {"clusters": clusters}})
/// >>> problem = smo.PlacementProblem.pose(fleet, graph).with_rule(Quiet())
/// >>> smo.place(problem).placement["web"].clusters
/// ['edge-2']
#[pyclass(module = "smo", frozen, subclass)]
pub(crate) struct Rule;

#[pymethods]
impl Rule {
    /// Takes any arguments, so that a subclass with its own `__init__` need not write `__new__` too.
    #[new]
    #[pyo3(signature = (*args, **kwargs))]
    fn new(args: &Bound<'_, PyTuple>, kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        let _ = (args, kwargs);
        Self
    }

    /// The name that errors show.
    #[getter]
    fn name(slf: &Bound<'_, Self>) -> PyResult<String> {
        slf.get_type().name()?.extract()
    }

    /// Why a service may not run on a cluster, wherever the others run; `None` when it may.
    #[allow(clippy::unused_self)]
    fn forbids(
        &self,
        service: &str,
        demand: &ServiceDemand,
        cluster: &str,
        supply: &ClusterSupply,
    ) -> Option<String> {
        let _ = (service, demand, cluster, supply);
        None
    }

    /// Everything that a placement does wrong.
    #[allow(clippy::unused_self)]
    fn breaches(&self, placement: &Bound<'_, PyDict>) -> Vec<String> {
        let _ = placement;
        Vec::new()
    }

    fn __repr__(slf: &Bound<'_, Self>) -> PyResult<String> {
        Ok(format!(
            "<smo.Rule {}>",
            slf.getattr("name")?.extract::<String>()?
        ))
    }
}

/// The names of the rules, as `PlacementProblem.with_soft` takes them. `demand` and `priority` cannot be wishes.
///
/// >>> import smo
/// >>> "region" in smo.rules()
/// True
#[pyfunction]
pub(crate) fn rules() -> Vec<String> {
    let rules = core::default_rules().iter();
    rules.map(|rule| rule.name().to_owned()).collect()
}

pub(super) fn domain(key: &str) -> core::DomainKey {
    let Ok(key) = key.parse();
    key
}

/// A price in points, 0 or more.
pub(super) fn points(price: Option<f64>) -> PyResult<Option<core::Weight>> {
    let read = |price: f64| {
        let message = || format!("a price is 0 to 1000000 points, not {price}");
        core::Weight::from_points(price).ok_or_else(|| PyValueError::new_err(message()))
    };
    price.map(read).transpose()
}

/// True when the class of `object` has its own method of this name.
pub(super) fn overrides<T: pyo3::PyTypeInfo>(object: &Bound<'_, T>, method: &str) -> PyResult<bool> {
    let base = object.py().get_type::<T>().getattr(method)?;
    Ok(!object.as_any().get_type().getattr(method)?.is(&base))
}

/// A placement as Python sees it.
pub(super) fn as_dict<'py>(
    py: Python<'py>,
    placement: &Placement,
    names: &Names,
) -> PyResult<Bound<'py, PyDict>> {
    let services = PyDict::new(py);
    for (key, assignment) in placement.iter() {
        let clusters = PyDict::new(py);
        for (cluster, replicas) in assignment.iter() {
            clusters.set_item(cluster.as_str(), replicas)?;
        }
        services.set_item(names.of(key), clusters)?;
    }
    Ok(services)
}

/// What Python is told of one service on one cluster.
pub(super) fn view(pair: &Pair<'_>, names: &Names) -> (String, ServiceDemand, String, ClusterSupply) {
    let current = pair.problem.current.get(pair.service);
    (
        names.of(pair.service),
        ServiceDemand::new(pair.demand, current),
        pair.cluster.to_string(),
        ClusterSupply::from(pair.supply),
    )
}

pub(super) fn custom(rule: &Bound<'_, Rule>, names: Names, raised: Cause) -> PyResult<CustomRule> {
    Ok(CustomRule::new(Foreign {
        name: rule.getattr("name")?.str()?.extract()?,
        unary: overrides(rule, "forbids")?,
        couples: overrides(rule, "breaches")?,
        object: rule.clone().unbind(),
        names,
        raised,
    }))
}

#[derive(Debug)]
struct Foreign {
    object: Py<Rule>,
    name: String,
    unary: bool,
    couples: bool,
    names: Names,
    raised: Cause,
}

impl CoreRule for Foreign {
    fn name(&self) -> &str {
        &self.name
    }

    fn forbids(&self, pair: &Pair<'_>) -> Option<Reason> {
        if !self.unary {
            return None;
        }
        let asked = Python::attach(|py| {
            let said = self
                .object
                .bind(py)
                .call_method1("forbids", view(pair, &self.names))?;
            said.extract::<Option<String>>()
        });
        let message = asked.unwrap_or_else(|error| {
            let message = error.to_string();
            self.raised.keep(error);
            Some(message)
        })?;
        Some(Reason::Custom {
            name: self.name.clone(),
            message,
        })
    }

    fn breaches(&self, problem: &PlacementProblem, placement: &Placement) -> Vec<Breach> {
        let mut breaches = core::rules::forbidden(self, problem, placement);
        if !self.couples {
            return breaches;
        }
        let asked = Python::attach(|py| -> PyResult<Vec<(String, u64)>> {
            let placement = as_dict(py, placement, &self.names)?;
            let said = self.object.bind(py).call_method1("breaches", (placement,))?;
            said.try_iter()?
                .map(|breach| {
                    let breach = breach?;
                    breach
                        .extract::<(String, u64)>()
                        .or_else(|_| PyResult::Ok((breach.extract::<String>()?, 1)))
                })
                .collect()
        });
        let said = asked.unwrap_or_else(|error| {
            let message = error.to_string();
            self.raised.keep(error);
            vec![(message, 1)]
        });
        breaches.extend(said.into_iter().map(|(message, amount)| Breach::Custom {
            rule: self.name.clone(),
            message,
            amount,
        }));
        breaches
    }

    fn couples(&self, _: &PlacementProblem) -> bool {
        self.couples
    }
}
