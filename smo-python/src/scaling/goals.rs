//! What counts of replicas are judged by.

use pyo3::prelude::*;
use pyo3::types::PyTuple;
use smo_core::scaling as core;
use smo_core::value::Weight;

use crate::convert::serialised;
use crate::error::invalid_scaling;

/// What counts of replicas are judged by, in points; less is better.
///
/// `money` counts for 1 EUR/h, `replicas` for a replica that runs, `starts` and `stops` for one that starts or stops. The
/// defaults: a point is a euro per hour, fewer replicas are better where nothing has a price, and replicas stay where they
/// are unless another cluster saves more. A weight is 0 to a million; anything else is `InvalidScaling`.
///
/// >>> from smo.scaling import ScalingGoals
/// >>> ScalingGoals(stops=0.5)
/// ScalingGoals(money=1.0, replicas=0.0001, starts=0.001, stops=0.5)
/// >>> ScalingGoals.smo()
/// ScalingGoals.smo(utilisation=0.4, transition=0.4, bounded=False)
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ScalingGoals(pub(super) core::ScalingGoals);

fn weight(py: Python<'_>, name: &str, points: f64) -> PyResult<Weight> {
    let fault = || format!("the weight of {name} is {points}, not a number from 0 to 1000000");
    Weight::from_points(points).ok_or_else(|| invalid_scaling(py, [fault()]))
}

#[pymethods]
impl ScalingGoals {
    #[new]
    #[pyo3(signature = (money = 1.0, replicas = 0.0001, starts = 0.001, stops = 0.0))]
    fn new(py: Python<'_>, money: f64, replicas: f64, starts: f64, stops: f64) -> PyResult<Self> {
        Ok(Self(core::ScalingGoals::Cost {
            money: weight(py, "money", money)?,
            replicas: weight(py, "replicas", replicas)?,
            starts: weight(py, "starts", starts)?,
            stops: weight(py, "stops", stops)?,
        }))
    }

    /// The predecessor's: utilisation of cpu, and changes as a share of the maximum. It scales down only where room runs
    /// out, and keeps `r <= max` only when it is `bounded`.
    #[staticmethod]
    #[pyo3(signature = (utilisation = 0.4, transition = 0.4, bounded = false))]
    fn smo(py: Python<'_>, utilisation: f64, transition: f64, bounded: bool) -> PyResult<Self> {
        Ok(Self(core::ScalingGoals::Smo {
            utilisation: weight(py, "utilisation", utilisation)?,
            transition: weight(py, "transition", transition)?,
            bounded,
        }))
    }

    /// The weights, and `model`: `cost` or `smo`.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        match &self.0 {
            core::ScalingGoals::Cost {
                money,
                replicas,
                starts,
                stops,
            } => format!(
                "ScalingGoals(money={:?}, replicas={:?}, starts={:?}, stops={:?})",
                money.points(),
                replicas.points(),
                starts.points(),
                stops.points()
            ),
            core::ScalingGoals::Smo {
                utilisation,
                transition,
                bounded,
            } => format!(
                "ScalingGoals.smo(utilisation={:?}, transition={:?}, bounded={})",
                utilisation.points(),
                transition.points(),
                if *bounded { "True" } else { "False" }
            ),
        }
    }

    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyTuple>)> {
        let py = slf.py();
        let class = slf.get_type();
        Ok(match &slf.get().0 {
            core::ScalingGoals::Cost {
                money,
                replicas,
                starts,
                stops,
            } => {
                let weights = [money, replicas, starts, stops].map(|weight| weight.points());
                (class.into_any(), PyTuple::new(py, weights)?)
            }
            core::ScalingGoals::Smo {
                utilisation,
                transition,
                bounded,
            } => {
                let arguments = (utilisation.points(), transition.points(), *bounded);
                (class.getattr("smo")?, arguments.into_pyobject(py)?)
            }
        })
    }
}

/// The goals that were given, or the default ones.
pub(super) fn or_default(goals: Option<&ScalingGoals>) -> core::ScalingGoals {
    goals.map_or_else(core::ScalingGoals::default, |goals| goals.0)
}
