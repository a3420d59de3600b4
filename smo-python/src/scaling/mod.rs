//! Deciding how many replicas run: the question, scalers, the answer, and the controller that asks again and again.

mod autoscaler;
mod controller;
mod decision;
mod goals;
mod observation;
mod policy;
mod problem;
mod scaler;
mod simulation;
mod step;
mod throughput;

pub(crate) use autoscaler::{Autoscaler, ScaledService, ScalingReport};
pub(crate) use controller::ScalingController;
pub(crate) use decision::{Lack, ScalingDecision, ServiceTarget};
pub(crate) use goals::ScalingGoals;
pub(crate) use observation::{ExpectedLoad, ObservedService, ScalingObservation};
pub(crate) use policy::ScalingPolicy;
pub(crate) use problem::{ClusterRoom, ScalingProblem, ServiceLoad};
pub(crate) use scaler::{ExactScaler, Scaler, ThresholdScaler, Thresholds, decide};
pub(crate) use simulation::{ServiceCourse, SimulationResult, simulate};
pub(crate) use step::{ScalingStep, ServiceVerdict};
pub(crate) use throughput::Throughput;

use indexmap::IndexMap;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use smo_core::id::{ClusterName, ServiceKey};
use smo_core::units::Rate;

use crate::convert::parse;
use crate::error::invalid_scaling;

/// Requests per second. `what` is what they are of.
pub(crate) fn rate(py: Python<'_>, what: &str, value: f64) -> PyResult<Rate> {
    Rate::from_f64(value).ok_or_else(|| invalid_scaling(py, [format!("{what} is {value}, which is no rate")]))
}

/// A service: `project/graph/service`, `graph/service` in the project `default`, or a bare id, which is a service of the
/// graph `default` there.
fn service_key(name: &str) -> PyResult<ServiceKey> {
    match name.split('/').count() {
        1 => parse(&format!("default/default/{name}")),
        2 => parse(&format!("default/{name}")),
        _ => parse(name),
    }
}

/// A dict by service, in order.
fn by_service<'py, T>(
    services: &Bound<'py, PyDict>,
    read: impl Fn(Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<IndexMap<ServiceKey, T>> {
    let mut named = IndexMap::with_capacity(services.len());
    for (name, value) in services.iter() {
        let name: String = name.extract()?;
        if named.insert(service_key(&name)?, read(value)?).is_some() {
            return Err(invalid_scaling(services.py(), [format!("{name} is given twice")]));
        }
    }
    Ok(named)
}

/// A dict by cluster, in order.
pub(crate) fn by_cluster<'py, T>(
    clusters: &Bound<'py, PyDict>,
    read: impl Fn(Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<IndexMap<ClusterName, T>> {
    let entry = |(name, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
        Ok((parse(&name.extract::<String>()?)?, read(value)?))
    };
    clusters.iter().map(entry).collect()
}
