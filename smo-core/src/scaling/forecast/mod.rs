//! Forecasting load, with quantiles that scaling decisions are made for.

mod accuracy;
mod auto;
mod backtest;
mod errors;
mod holt_winters;
mod model;
mod momentum;
mod predictor;
mod quantiles;
mod rolling;
mod season;
mod series;
#[cfg(test)]
mod tests;

use thiserror::Error;

pub use accuracy::{coverage, mase, pinball_loss};
pub use auto::{AutoForecaster, SeasonalModel};
pub use backtest::{Backtest, BacktestOptions, QuantileScore, backtest, backtest_rolling};
pub use holt_winters::{HoltWinters, Smoothing};
pub use model::{Forecaster, SeasonalNaive};
pub use predictor::LoadPredictor;
pub use quantiles::{Forecast, LEVELS, Quantile};
pub use rolling::{RollingForecast, RollingOptions};
pub use season::{Season, detect_season};
pub(super) use series::moment;
pub use series::{LoadSeries, SeriesFault};

use super::Faults;

/// Why there is no forecast.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum ForecastError {
    /// The samples are wrong; all faults at once.
    #[error("the samples are no series: {0}")]
    Invalid(Faults<SeriesFault>),
    /// The history does not suffice.
    #[error("{have} steps of history are too few for {model}; {needed} or more are needed")]
    TooShort {
        /// What it is for.
        model: String,
        /// How many steps there are.
        have: usize,
        /// How many it takes.
        needed: usize,
    },
    /// A history of gaps only.
    #[error("the history has no sample at all")]
    NoSample,
    /// No step to forecast.
    #[error("the horizon is zero steps")]
    NoHorizon,
    /// A level that is none.
    #[error("a quantile of {0} % is none; it is between 1 and 99")]
    Level(u8),
    /// A smoothing parameter that is none.
    #[error("the smoothing of the {name} is {value}, and has to be between 0 and 1")]
    Smoothing {
        /// Which one.
        name: &'static str,
        /// What was given.
        value: f64,
    },
    /// An accuracy that cannot be told.
    #[error("no accuracy: {0}")]
    Accuracy(&'static str),
    /// The model broke its contract.
    #[error("the model `{model}` did not give {horizon} finite values")]
    WrongAnswer {
        /// Its name.
        model: String,
        /// How many were asked for.
        horizon: usize,
    },
}
