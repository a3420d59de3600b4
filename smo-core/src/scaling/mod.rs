//! Deciding how many replicas every service runs: one problem, strategies behind one trait, every answer re-checked.
//!
//! [`ScalingProblem`] states the question, a [`Scaler`] answers it, [`decide`] checks the answer with code that shares
//! nothing with the scaler. Too little room is a value, [`ScalingDecision::Replace`], that says which service lacks how
//! much.
//!
//! Around one decision:
//!
//! | what | type |
//! | --- | --- |
//! | from step to step: fresh samples, windows, cool-down, steps, one owner, scale to zero | [`ScalingController`] |
//! | what replicas carry, learned from samples | [`Profile`] |
//! | what load is to come, and how surely | [`Forecast`], and step by step [`LoadPredictor`] |
//! | how good forecasts would have been | [`backtest`] |
//! | samples that were saved | [`read_load`], [`read_profile_samples`] |
//! | how a policy would have served a load that is over, beside those of others | [`replay()`] |
//!
//! Decisions are made in integers; learning and forecasting are in floating point, and hand a [`Throughput`] and an
//! [`ExpectedLoad`] in integers to the decision.

mod controller;
mod decision;
mod exact;
mod explain;
mod forecast;
mod problem;
mod profile;
mod replay;
mod samples;
mod scaler;
mod statistics;
mod threshold;
mod throughput;
mod verify;

pub use controller::{
    ControllerError, ExpectedLoad, ForeignChange, Limit, LoadSample, LoadUsed, ObservedService, PolicyFault,
    ScalingAction, ScalingController, ScalingMemory, ScalingObservation, ScalingPolicy, ScalingStep,
    ServiceVerdict, StepLimit, WithoutSample,
};
pub use decision::{DecidedBy, Lack, LackReason, Replace, ScalingDecision, ServiceTarget, Share, Targets};
pub use exact::{ExactScaler, ScalingCounts, ScalingWorkspace};
pub use forecast::{
    AutoForecaster, Backtest, BacktestOptions, Forecast, ForecastError, Forecaster, HoltWinters, LEVELS,
    LoadPredictor, LoadSeries, Quantile, QuantileScore, RollingForecast, RollingOptions, Season,
    SeasonalModel, SeasonalNaive, SeriesFault, Smoothing, backtest, backtest_rolling, coverage,
    detect_season, mase, pinball_loss,
};
pub use problem::{ClusterRoom, ProblemFault, ScalingGoals, ScalingProblem, ServiceLoad};
pub use profile::{
    Drift, Interval, Profile, ProfileError, ProfileFault, ProfileOptions, ProfileSample, Refusal, Saturation,
};
pub use replay::{
    Foresight, GeneratedLoad, Hpa, Keda, PredecessorLoop, Predictive, PredictiveOptions, ReplayError,
    ReplayMoment, ReplayOutcome, ReplayPolicy, ReplayView, Workload, WorkloadFault, replay, replay_with,
};
pub use samples::{SamplesError, join_profile_samples, read_load, read_profile_samples, usual_step};
pub use scaler::{Faults, Scaler, ScalingError, decide};
pub use threshold::{ThresholdScaler, Thresholds};
pub use throughput::{Throughput, ThroughputError};
pub use verify::{ScalingBreach, verify};
