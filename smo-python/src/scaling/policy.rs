//! How fast counts may change.

use std::time::Duration;

use pyo3::prelude::*;
use smo_core::scaling::{self as core, ForeignChange, StepLimit, WithoutSample};

use super::rate;
use crate::convert::seconds;

/// How a controller treats a service. Times are in seconds. The defaults are those of the Kubernetes HPA where it has the
/// notion.
///
/// - `up_cooldown`, `down_cooldown`: a count changes at the earliest this long after its last change;
/// - `up_window`, `down_window`: stabilisation, to the lowest (up) or highest (down) count wanted within this time;
/// - `tolerance_percent`: a count goes down only as far as it would still carry so many percent more load;
/// - `headroom_percent`: a measured load counts for so much more, since it may rise while replicas start;
/// - `up_step`, `down_step`: the most that a count changes by at once, replicas or percent of the count, the larger of the
///   two, as `(4, 100)`; `None`: any;
/// - `stale_after`: a sample older than this is none;
/// - `assume_load`: what to decide for without a sample; `None`: hold;
/// - `idle_after`, `idle_load`: scale to zero after a load of at most `idle_load` for this long; `None`: never;
/// - `respect`: how long a count that somebody else has set is left alone; `None`: it is decided again at once;
/// - `settle`: a change that is not in place after this long was not carried out.
///
/// Raises `ValueError` for a time that is negative or no number. A policy that contradicts itself is refused by the controller.
///
/// >>> from smo.scaling import ScalingPolicy
/// >>> ScalingPolicy(down_window=60, idle_after=900).to_dict()["downWindow"]["secs"]
/// 60
#[pyclass(module = "smo.scaling", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct ScalingPolicy(pub(crate) core::ScalingPolicy);

fn step(limit: Option<(u32, u32)>) -> StepLimit {
    limit.map_or(StepLimit::NONE, |(replicas, percent)| StepLimit {
        replicas,
        percent,
    })
}

#[pymethods]
impl ScalingPolicy {
    #[new]
    #[pyo3(signature = (*, up_cooldown = 15.0, down_cooldown = 60.0, up_window = 0.0, down_window = 300.0,
        tolerance_percent = 10, headroom_percent = 0, up_step = Some((4, 100)), down_step = None, stale_after = 90.0,
        assume_load = None, idle_after = None, idle_load = 0.0, respect = Some(600.0), settle = 60.0))]
    #[allow(clippy::too_many_arguments, reason = "keywords of Python")]
    fn new(
        py: Python<'_>,
        up_cooldown: f64,
        down_cooldown: f64,
        up_window: f64,
        down_window: f64,
        tolerance_percent: u32,
        headroom_percent: u32,
        up_step: Option<(u32, u32)>,
        down_step: Option<(u32, u32)>,
        stale_after: f64,
        assume_load: Option<f64>,
        idle_after: Option<f64>,
        idle_load: f64,
        respect: Option<f64>,
        settle: f64,
    ) -> PyResult<Self> {
        let optional = |name: &str, time: Option<f64>| -> PyResult<Option<Duration>> {
            time.map(|time| seconds(name, time)).transpose()
        };
        Ok(Self(core::ScalingPolicy {
            up_cooldown: seconds("up_cooldown", up_cooldown)?,
            down_cooldown: seconds("down_cooldown", down_cooldown)?,
            up_window: seconds("up_window", up_window)?,
            down_window: seconds("down_window", down_window)?,
            tolerance_percent,
            headroom_percent,
            up_step: step(up_step),
            down_step: step(down_step),
            stale_after: seconds("stale_after", stale_after)?,
            without_sample: match assume_load {
                Some(load) => WithoutSample::Assume(rate(py, "assume_load", load)?),
                None => WithoutSample::Hold,
            },
            idle_after: optional("idle_after", idle_after)?,
            idle_load: rate(py, "idle_load", idle_load)?,
            foreign_change: match optional("respect", respect)? {
                Some(respect) => ForeignChange::Respect(respect),
                None => ForeignChange::Override,
            },
            settle: seconds("settle", settle)?,
        }))
    }

    /// The policy for counts that follow a forecast (`LoadPredictor.to_carry`, `ScaledService(model=)`), at its 90 % quantile: a reserve of 15 % above
    /// what is measured and where that is heading, and a smaller tolerance.
    ///
    /// >>> from smo.scaling import ScalingPolicy
    /// >>> ScalingPolicy.with_forecast() == ScalingPolicy(headroom_percent=15, tolerance_percent=5)
    /// True
    #[staticmethod]
    fn with_forecast() -> Self {
        Self(core::ScalingPolicy::with_forecast())
    }

    /// Everything that is wrong with it, one sentence each; empty when nothing is.
    ///
    /// >>> from smo.scaling import ScalingPolicy
    /// >>> ScalingPolicy(stale_after=0).faults()
    /// ['samples are stale after 0 s, so there never is one']
    fn faults(&self) -> Vec<String> {
        self.0.faults().iter().map(ToString::to_string).collect()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        crate::convert::serialised(py, &self.0)
    }

    fn __repr__(&self) -> String {
        let policy = &self.0;
        format!(
            "<smo.scaling.ScalingPolicy: cool-down {:?} up, {:?} down, windows {:?} up, {:?} down>",
            policy.up_cooldown, policy.down_cooldown, policy.up_window, policy.down_window
        )
    }
}
