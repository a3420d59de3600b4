//! How far a forecast may be off: quantiles from the errors it made before.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::super::ExpectedLoad;
use super::super::statistics::float;
use super::{ForecastError, Forecaster, LoadSeries};
use crate::units::Rate;

/// The levels that decisions use.
pub const LEVELS: [u8; 3] = [50, 90, 99];
/// How many moments of the past are forecast again to learn the errors.
const MOST_ORIGINS: usize = 200;
/// With fewer errors than this there is no quantile.
const LEAST_ERRORS: usize = 10;

/// One quantile over the horizon.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Quantile {
    /// The real rate is expected to be at most the quantile in so many of 100 cases.
    pub percent: u8,
    /// Requests per second, for every step of the horizon.
    pub values: Vec<f64>,
    /// How many past errors it was learned from, for each step. With fewer than `percent / (100 - percent)` of them
    /// the quantile is the largest error, and covers less than it says.
    pub errors: Vec<usize>,
}

/// What is expected, step by step, and how surely.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// The model.
    pub model: String,
    /// The moment of the last value that is known or missing.
    pub from: Timestamp,
    /// From one step to the next, in seconds.
    #[serde(serialize_with = "seconds")]
    pub step: Duration,
    /// The model's own values.
    pub points: Vec<f64>,
    /// The quantiles, lowest level first.
    pub quantiles: Vec<Quantile>,
}

fn seconds<S: serde::Serializer>(step: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(step.as_secs_f64())
}

impl Forecast {
    /// Forecasts `horizon` steps, with quantiles at `levels` (in percent, such as [`LEVELS`]).
    ///
    /// The model forecasts up to 200 moments of the past from what was before each; the errors it made at each distance
    /// are sorted, and the quantile is the one at rank `ceil((n + 1) * level)` (split conformal prediction; V. Vovk,
    /// A. Gammerman and G. Shafer, *Algorithmic learning in a random world*, 2005). What a model learns, such as its season, it
    /// learns once, from all of the history.
    ///
    /// # Errors
    /// [`ForecastError::TooShort`] when the history does not suffice for the model and at least ten errors,
    /// [`ForecastError::Level`] for a level outside 1 to 99, [`ForecastError::NoHorizon`] for no step at all, and what
    /// the model says. [`ForecastError::WrongAnswer`] for a model that breaks its contract.
    pub fn new(
        model: &dyn Forecaster,
        history: &LoadSeries,
        horizon: usize,
        levels: &[u8],
    ) -> Result<Self, ForecastError> {
        if horizon == 0 {
            return Err(ForecastError::NoHorizon);
        }
        let levels = checked_levels(levels)?;
        let values = history.values();
        let learned = model.learned(values)?;
        let model = learned.as_deref().unwrap_or(model);
        let points = checked(model, values, horizon)?;
        let errors = past_errors(model, values, horizon)?;
        let quantile = |percent: u8| {
            let shifted = |(point, errors): (&f64, &Vec<f64>)| (point + at_level(errors, percent)).max(0.0);
            Quantile {
                percent,
                values: points.iter().zip(&errors).map(shifted).collect(),
                errors: errors.iter().map(Vec::len).collect(),
            }
        };
        Ok(Self {
            model: model.name().to_owned(),
            from: history.moment(values.len().saturating_sub(1)),
            step: history.step(),
            quantiles: levels.into_iter().map(quantile).collect(),
            points,
        })
    }

    /// A quantile by its level in percent.
    #[must_use]
    pub fn quantile(&self, percent: u8) -> Option<&Quantile> {
        self.quantiles.iter().find(|quantile| quantile.percent == percent)
    }

    /// The highest value of a quantile within `ahead` from the last known moment, for a scaling decision; `None`
    /// without that level. At least one step is looked at.
    #[must_use]
    pub fn expected(&self, percent: u8, ahead: Duration) -> Option<ExpectedLoad> {
        let step = self.step.as_nanos().max(1);
        let steps = usize::try_from(ahead.as_nanos().div_ceil(step)).unwrap_or(usize::MAX);
        let values = &self.quantile(percent)?.values;
        let looked_at = values.iter().take(steps.max(1));
        let count = u32::try_from(looked_at.len()).unwrap_or(u32::MAX);
        let highest = looked_at.copied().fold(0.0, f64::max);
        let seconds = self.step.saturating_mul(count).as_secs();
        Some(ExpectedLoad {
            rate: Rate::from_f64(highest)?,
            percent: Some(percent),
            seconds: u32::try_from(seconds).unwrap_or(u32::MAX),
        })
    }
}

/// Levels in percent, in order and each once.
pub(super) fn checked_levels(levels: &[u8]) -> Result<Vec<u8>, ForecastError> {
    if let Some(level) = levels.iter().find(|level| !(1..=99).contains(*level)) {
        return Err(ForecastError::Level(*level));
    }
    let mut levels = levels.to_vec();
    levels.sort_unstable();
    levels.dedup();
    Ok(levels)
}

fn checked(
    model: &dyn Forecaster,
    history: &[Option<f64>],
    horizon: usize,
) -> Result<Vec<f64>, ForecastError> {
    let values = model.forecast(history, horizon)?;
    if values.len() == horizon && values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(ForecastError::WrongAnswer {
            model: model.name().to_owned(),
            horizon,
        })
    }
}

/// The errors (real less forecast) of the past at every distance, sorted.
fn past_errors(
    model: &dyn Forecaster,
    history: &[Option<f64>],
    horizon: usize,
) -> Result<Vec<Vec<f64>>, ForecastError> {
    let mut errors: Vec<Vec<f64>> = vec![Vec::new(); horizon];
    // The latest origins tell most; from the first half, models know too little.
    let first = history.len() / 2;
    let stride = history.len().saturating_sub(first).div_ceil(MOST_ORIGINS).max(1);
    for origin in (first..history.len()).rev().step_by(stride) {
        let (known, real) = history.split_at(origin);
        let ahead = horizon.min(real.len());
        let forecast = match checked(model, known, ahead) {
            Ok(forecast) => forecast,
            // Too early for the model; earlier origins are too.
            Err(ForecastError::TooShort { .. } | ForecastError::NoSample) => break,
            Err(error) => return Err(error),
        };
        for ((errors, real), forecast) in errors.iter_mut().zip(real).zip(forecast) {
            errors.extend(real.map(|real| real - forecast));
        }
    }
    for errors in &mut errors {
        errors.sort_by(f64::total_cmp);
        if errors.len() < LEAST_ERRORS {
            return Err(ForecastError::TooShort {
                model: format!("the quantiles of {}", model.name()),
                have: history.len(),
                needed: history.len() + (LEAST_ERRORS - errors.len()).saturating_mul(stride),
            });
        }
    }
    Ok(errors)
}

/// The error at a level, of sorted errors.
fn at_level(sorted: &[f64], percent: u8) -> f64 {
    let rank = ((sorted.len() + 1) * usize::from(percent)).div_ceil(100);
    let index = rank.clamp(1, sorted.len().max(1)) - 1;
    sorted.get(index).copied().unwrap_or(0.0)
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps = self.points.len();
        let ahead = self.step.as_secs_f64() * float(steps);
        writeln!(
            f,
            "{} for the {steps} steps ({ahead} s) after {}",
            self.model, self.from
        )?;
        for quantile in &self.quantiles {
            let peak = quantile.values.iter().copied().fold(0.0, f64::max);
            let least = quantile.errors.iter().copied().min().unwrap_or(0);
            writeln!(
                f,
                "  0.{:02} quantile: {:.3} req/s next, {peak:.3} at most; from {least} past errors or more",
                quantile.percent,
                quantile.values.first().copied().unwrap_or(0.0)
            )?;
        }
        Ok(())
    }
}
