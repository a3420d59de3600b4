//! Deciding how many replicas every service runs: one problem, strategies behind one trait, every answer re-checked.
//!
//! [`ScalingProblem`] states the question, a [`Scaler`] answers it, [`decide`] checks the answer with code that shares
//! nothing with the scaler. Too little room is a value, [`ScalingDecision::Replace`], that says which service lacks how
//! much.

mod controller;
mod decision;
mod exact;
mod explain;
mod forecast;
mod problem;
mod profile;
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
pub use exact::ExactScaler;
pub use forecast::{
    Forecast, ForecastError, Forecaster, HoltWinters, LEVELS, LoadSeries, Quantile, Season, SeasonalNaive,
    SeriesFault, Smoothing, coverage, detect_season, mase, pinball_loss,
};
pub use problem::{ClusterRoom, ProblemFault, ScalingGoals, ScalingProblem, ServiceLoad};
pub use profile::{
    Drift, Interval, Profile, ProfileError, ProfileFault, ProfileOptions, ProfileSample, Refusal, Saturation,
};
pub use scaler::{Faults, Scaler, ScalingError, decide};
pub use threshold::{ThresholdScaler, Thresholds};
pub use throughput::{Throughput, ThroughputError};
pub use verify::{ScalingBreach, verify};
