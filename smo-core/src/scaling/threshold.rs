//! Two thresholds, two counts: the predecessor's simple scaler.

use indexmap::IndexMap;
use serde::Serialize;

use super::{DecidedBy, ExactScaler, Scaler, ScalingDecision, ScalingError, ScalingProblem, ServiceLoad};
use crate::id::ServiceKey;
use crate::units::Rate;

/// When to run many replicas, and when few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Thresholds {
    /// Above this load, `up_replicas` run.
    pub up: Rate,
    /// Below this load, `down_replicas` run.
    pub down: Rate,
    /// How many run under a high load.
    pub up_replicas: u32,
    /// How many run under a low load.
    pub down_replicas: u32,
}

impl Thresholds {
    /// The count, and the threshold that was passed; `None` where none asks for another count.
    fn decide(&self, service: &ServiceLoad) -> Option<(u32, Rate)> {
        let current = service.current();
        if service.load > self.up && current < u64::from(self.up_replicas) {
            Some((self.up_replicas, self.up))
        } else if service.load < self.down && current > u64::from(self.down_replicas) {
            Some((self.down_replicas, self.down))
        } else {
            None
        }
    }
}

/// The predecessor's stateless step: above `up` with fewer than `up_replicas`, scale to them; below `down` with more
/// than `down_replicas`, scale to those; nothing otherwise.
///
/// A count stays within the minimum and maximum of the problem. Replicas on several clusters are divided at least
/// cost, and where the room is too small the answer is [`ScalingDecision::Replace`], like everywhere. Cool-down is the
/// matter of the [`ScalingController`](super::ScalingController).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThresholdScaler {
    default: Option<Thresholds>,
    services: IndexMap<ServiceKey, Thresholds>,
}

impl ThresholdScaler {
    /// The same thresholds for every service.
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            default: Some(thresholds),
            services: IndexMap::new(),
        }
    }

    /// No thresholds: every service stays as it is, but for those named by [`ThresholdScaler::with_service`].
    #[must_use]
    pub fn by_service() -> Self {
        Self {
            default: None,
            services: IndexMap::new(),
        }
    }

    /// The same with other thresholds for one service.
    #[must_use]
    pub fn with_service(mut self, service: ServiceKey, thresholds: Thresholds) -> Self {
        self.services.insert(service, thresholds);
        self
    }
}

impl Scaler for ThresholdScaler {
    fn name(&self) -> &str {
        "threshold"
    }

    fn decide(&self, problem: &ScalingProblem) -> Result<ScalingDecision, ScalingError> {
        let passed = |(key, service): (&ServiceKey, &ServiceLoad)| {
            let thresholds = self.services.get(key).or(self.default.as_ref());
            thresholds.and_then(|thresholds| thresholds.decide(service))
        };
        let passed: Vec<Option<(u32, Rate)>> = problem.services.iter().map(passed).collect();
        let wanted = |(service, passed): (&ServiceLoad, &Option<(u32, Rate)>)| {
            let current = u32::try_from(service.current()).unwrap_or(u32::MAX);
            let count = passed.map_or(current, |(count, _)| count);
            // The other way round than `clamp`, which panics where the bounds are crossed.
            count.min(service.max).max(service.min)
        };
        let totals: Vec<u32> = problem.services.values().zip(&passed).map(wanted).collect();
        let mut decision = ExactScaler::new().divide(problem, &totals)?;
        let name = self.name().to_owned();
        let services = match &mut decision {
            ScalingDecision::Scale(targets) => {
                targets.scaler = name;
                (targets.value, targets.bound) = (None, None);
                &mut targets.services
            }
            ScalingDecision::Replace(replace) => {
                replace.scaler = name;
                &mut replace.meanwhile
            }
        };
        for (((target, passed), total), service) in services
            .values_mut()
            .zip(&passed)
            .zip(&totals)
            .zip(problem.services.values())
        {
            target.decided_by = match passed {
                _ if *total == service.max && passed.is_some_and(|(count, _)| count > *total) => {
                    DecidedBy::Maximum
                }
                _ if *total == service.min && passed.is_some_and(|(count, _)| count < *total) => {
                    DecidedBy::Minimum
                }
                Some((_, threshold)) => DecidedBy::Threshold {
                    threshold: *threshold,
                },
                None => DecidedBy::BetweenThresholds,
            };
        }
        Ok(decision)
    }
}
