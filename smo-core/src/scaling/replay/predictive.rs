//! This library's controller, with or without its forecast.

use std::collections::BTreeSet;
use std::time::Duration;

use indexmap::IndexMap;

use super::{ReplayError, ReplayPolicy, ReplayView};
use crate::id::{ClusterName, ServiceKey};
use crate::resources::Resources;
use crate::scaling::{
    ClusterRoom, LoadPredictor, LoadSample, ObservedService, RollingOptions, ScalingController,
    ScalingMemory, ScalingObservation, ScalingPolicy,
};
use crate::units::Rate;

/// How the controller is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PredictiveOptions {
    /// How fast counts change.
    pub policy: ScalingPolicy,
    /// The quantile of the forecast that counts are decided for, in percent; `None` decides for what was measured.
    pub percent: Option<u8>,
    /// The step of the forecast.
    pub step: Duration,
    /// How the forecast learns.
    pub rolling: RollingOptions,
}

impl Default for PredictiveOptions {
    /// The policy for counts that follow a forecast, at the quantile that its documentation says.
    fn default() -> Self {
        Self {
            policy: ScalingPolicy::with_forecast(),
            percent: Some(ScalingPolicy::FORECAST_PERCENT),
            step: Duration::from_secs(60),
            rolling: RollingOptions {
                levels: vec![ScalingPolicy::FORECAST_PERCENT],
                ..RollingOptions::default()
            },
        }
    }
}

/// The [`ScalingController`] as a host runs it: samples go to a [`LoadPredictor`], and what that says is to be carried until a replica asked
/// for now would serve, and one more tick, goes to the controller.
#[derive(Debug)]
pub struct Predictive {
    name: String,
    percent: Option<u8>,
    policy: ScalingPolicy,
    controller: ScalingController,
    memory: ScalingMemory,
    predictor: LoadPredictor,
}

impl Predictive {
    /// The controller with options.
    ///
    /// # Errors
    /// [`ReplayError::Controller`] for a policy, [`ReplayError::Forecast`] for a forecast that makes no sense.
    pub fn new(options: PredictiveOptions) -> Result<Self, ReplayError> {
        let mut rolling = options.rolling;
        rolling.levels.extend(options.percent);
        Ok(Self {
            name: match options.percent {
                Some(percent) => format!("smo, 0.{percent:02} quantile"),
                None => "smo, measured".to_owned(),
            },
            percent: options.percent,
            controller: ScalingController::new(options.policy.clone())?,
            policy: options.policy,
            memory: ScalingMemory::default(),
            predictor: LoadPredictor::new(options.step, rolling)?,
        })
    }

    /// The controller that decides for what was measured, with the default policy.
    ///
    /// # Errors
    /// Never.
    pub fn measured() -> Result<Self, ReplayError> {
        Self::new(PredictiveOptions {
            policy: ScalingPolicy::default(),
            percent: None,
            ..PredictiveOptions::default()
        })
    }
}

/// The names of the one service and the one cluster of a replay.
pub(super) fn names() -> Option<(ServiceKey, ClusterName)> {
    Some(("replay/replay/service".parse().ok()?, "replay".parse().ok()?))
}

impl ReplayPolicy for Predictive {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn decide(&mut self, view: &ReplayView<'_>) -> Result<u32, ReplayError> {
        let workload = view.workload;
        let mut expected = None;
        if let Some(percent) = self.percent {
            self.predictor.observe(view.now, view.sample)?;
            let ahead = workload.start_delay + workload.tick;
            expected = self.predictor.to_carry(&self.policy, percent, view.now, ahead);
        }
        let sample = view.sample.and_then(Rate::from_f64);
        let Some((key, cluster)) = names() else {
            return Ok(view.asked);
        };
        let service = ObservedService {
            sample: sample.map_or(LoadSample::Missing, |rate| LoadSample::Measured {
                rate,
                at: view.now,
            }),
            expected,
            throughput: workload.throughput,
            min: workload.min,
            max: workload.max,
            per_replica: Resources::new(),
            requires: BTreeSet::new(),
            clusters: IndexMap::from([(cluster.clone(), view.asked)]),
            owners: Vec::new(),
        };
        let observation = ScalingObservation {
            services: IndexMap::from([(key.clone(), service)]),
            clusters: IndexMap::from([(cluster, ClusterRoom::default())]),
        };
        let step = self.controller.step(&mut self.memory, &observation, view.now)?;
        let verdict = step.services.get(&key);
        Ok(verdict.map_or(view.asked, |verdict| verdict.target.replicas()))
    }
}
