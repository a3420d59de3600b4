//! How fast counts may change, and what happens without samples.

use std::time::Duration;

use serde::Serialize;
use thiserror::Error;

use crate::units::Rate;

/// The most that one decision may change a count by: the larger of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StepLimit {
    /// This many replicas.
    pub replicas: u32,
    /// This share of the current count, in percent, rounded up.
    pub percent: u32,
}

impl StepLimit {
    /// Any change.
    pub const NONE: Self = Self {
        replicas: u32::MAX,
        percent: 0,
    };

    /// How many replicas a count of `current` may change by.
    #[must_use]
    pub fn most(self, current: u32) -> u32 {
        let share = (u64::from(current) * u64::from(self.percent)).div_ceil(100);
        self.replicas.max(u32::try_from(share).unwrap_or(u32::MAX))
    }
}

/// What to do without a fresh sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum WithoutSample {
    /// Change nothing.
    Hold,
    /// Decide for this load, and say so.
    Assume(Rate),
}

/// What to do when somebody else changed a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum ForeignChange {
    /// Leave it so for this long, then decide again.
    Respect(Duration),
    /// Decide again at once, and say what was changed.
    Override,
}

/// How the controller treats a service. The defaults are those of the Kubernetes HPA where it has the notion
/// ([algorithm](https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/)): no window up, 300 s down,
/// 10 % tolerance, up by the larger of 4 and 100 %.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ScalingPolicy {
    /// A count goes up at the earliest this long after its last change; 15 s.
    pub up_cooldown: Duration,
    /// A count goes down at the earliest this long after its last change; 60 s.
    pub down_cooldown: Duration,
    /// Stabilisation: a count goes up to the lowest count wanted within this time; 0.
    pub up_window: Duration,
    /// Stabilisation: a count goes down to the highest count wanted within this time; 300 s.
    pub down_window: Duration,
    /// Hysteresis: a count goes down only as far as it would still carry so many percent more load; 10.
    pub tolerance_percent: u32,
    /// A measured load counts for so much more, in percent: it may rise while replicas start; 0.
    pub headroom_percent: u32,
    /// The most that a count goes up by; 4 or 100 %.
    pub up_step: StepLimit,
    /// The most that a count goes down by; any.
    pub down_step: StepLimit,
    /// A sample older than this is none; 90 s.
    pub stale_after: Duration,
    /// What to do without a sample.
    pub without_sample: WithoutSample,
    /// Scale to zero after a load of at most `idle_load` for this long; `None`: never below the minimum.
    pub idle_after: Option<Duration>,
    /// A load that counts as none; 0.
    pub idle_load: Rate,
    /// What to do when somebody else changed a count; respected for 10 min.
    pub foreign_change: ForeignChange,
    /// A change that is not in place after this long was not carried out; 60 s.
    pub settle: Duration,
}

impl Default for ScalingPolicy {
    fn default() -> Self {
        Self {
            up_cooldown: Duration::from_secs(15),
            down_cooldown: Duration::from_secs(60),
            up_window: Duration::ZERO,
            down_window: Duration::from_secs(300),
            tolerance_percent: 10,
            headroom_percent: 0,
            up_step: StepLimit {
                replicas: 4,
                percent: 100,
            },
            down_step: StepLimit::NONE,
            stale_after: Duration::from_secs(90),
            without_sample: WithoutSample::Hold,
            idle_after: None,
            idle_load: Rate::ZERO,
            foreign_change: ForeignChange::Respect(Duration::from_secs(600)),
            settle: Duration::from_secs(60),
        }
    }
}

impl ScalingPolicy {
    /// The quantile of a forecast, in percent, that [`Self::with_forecast`] is made for.
    pub const FORECAST_PERCENT: u8 = 90;

    /// A policy for counts that are decided for a quantile of a forecast, or for what is measured and where that is heading, and 15 % more, where
    /// that is higher ([`LoadPredictor::to_carry`](super::super::LoadPredictor::to_carry)). Chosen once for all loads that `cargo xtask report scaling` replays.
    #[must_use]
    pub fn with_forecast() -> Self {
        Self {
            tolerance_percent: 5,
            headroom_percent: 15,
            ..Self::default()
        }
    }

    /// A measured load and what is kept in reserve for it, rounded up.
    #[must_use]
    pub fn with_headroom(&self, rate: Rate) -> Rate {
        let more = i128::from(rate.base()) * i128::from(100 + u64::from(self.headroom_percent));
        let rounded = more.div_euclid(100) + i128::from(more.rem_euclid(100) > 0);
        Rate::from_base(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

/// One thing wrong with a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyFault {
    /// No step at all.
    #[error("the step {direction} is 0 replicas and 0 %, so a count never goes {direction}")]
    NoStep {
        /// `up` or `down`.
        direction: &'static str,
    },
    /// Every sample is stale.
    #[error("samples are stale after 0 s, so there never is one")]
    AlwaysStale,
    /// A load below zero.
    #[error("{what} is {rate}; a load is not negative")]
    NegativeLoad {
        /// Which one.
        what: &'static str,
        /// What was given.
        rate: Rate,
    },
    /// A hysteresis of more than ten times the load.
    #[error("a tolerance of {percent} % is above 1000 %")]
    Tolerance {
        /// What was given.
        percent: u32,
    },
    /// A headroom of more than ten times the load.
    #[error("a headroom of {percent} % is above 1000 %")]
    Headroom {
        /// What was given.
        percent: u32,
    },
}

impl ScalingPolicy {
    /// Everything that is wrong with it; empty when nothing is.
    #[must_use]
    pub fn faults(&self) -> Vec<PolicyFault> {
        let mut faults = Vec::new();
        for (direction, step) in [("up", self.up_step), ("down", self.down_step)] {
            if step.replicas == 0 && step.percent == 0 {
                faults.push(PolicyFault::NoStep { direction });
            }
        }
        if self.stale_after.is_zero() {
            faults.push(PolicyFault::AlwaysStale);
        }
        if self.idle_load < Rate::ZERO {
            let (what, rate) = ("the load that counts as none", self.idle_load);
            faults.push(PolicyFault::NegativeLoad { what, rate });
        }
        if let WithoutSample::Assume(rate) = self.without_sample
            && rate < Rate::ZERO
        {
            let what = "the load assumed without a sample";
            faults.push(PolicyFault::NegativeLoad { what, rate });
        }
        if self.tolerance_percent > 1000 {
            let percent = self.tolerance_percent;
            faults.push(PolicyFault::Tolerance { percent });
        }
        if self.headroom_percent > 1000 {
            let percent = self.headroom_percent;
            faults.push(PolicyFault::Headroom { percent });
        }
        faults
    }
}
