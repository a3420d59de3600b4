//! How good forecasts would have been: forecasting a past again, step by step, from what was known at each.

use std::fmt;

use serde::Serialize;

use super::{
    Forecast, ForecastError, Forecaster, LEVELS, LoadSeries, RollingForecast, RollingOptions, coverage, mase,
    pinball_loss,
};

/// What is forecast again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BacktestOptions {
    /// How many steps ahead; 6.
    pub horizon: usize,
    /// The levels of the quantiles, in percent; [`LEVELS`].
    pub levels: Vec<u8>,
    /// The season that errors are compared with: 1 scales them by those of "as it was last", 24 by "as it was 24 steps
    /// ago"; 1.
    pub period: usize,
    /// How many steps are only learned from; half of the history when not said.
    pub first: Option<usize>,
    /// From every how many steps a forecast is made; 1.
    pub stride: usize,
}

impl Default for BacktestOptions {
    fn default() -> Self {
        Self {
            horizon: 6,
            levels: LEVELS.to_vec(),
            period: 1,
            first: None,
            stride: 1,
        }
    }
}

/// How good one quantile was.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct QuantileScore {
    /// The level.
    pub percent: u8,
    /// The mean pinball loss, in requests per second: less is better.
    pub pinball_loss: f64,
    /// The share of values at or below the quantile: the level is right.
    pub coverage: f64,
}

/// How good forecasts were.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// The model.
    pub model: String,
    /// How many forecasts were made.
    pub origins: usize,
    /// How many steps each.
    pub horizon: usize,
    /// How many values there were to compare with: those of gaps are missing.
    pub compared: usize,
    /// The mean absolute scaled error of the points: less is better, 1 is as good as repeating the last season.
    pub mase: f64,
    /// The quantiles, lowest level first.
    pub quantiles: Vec<QuantileScore>,
}

/// Forecasts a history again with a model that is given all that was known at each step.
///
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use smo_core::scaling::{BacktestOptions, LoadSeries, SeasonalNaive, backtest};
///
/// let values = (0..200_u32).map(|step| Some(f64::from(step % 24 + step % 7))).collect();
/// let history = LoadSeries::new(Timestamp::UNIX_EPOCH, Duration::from_secs(3600), values)?;
/// let options = BacktestOptions { period: 24, ..BacktestOptions::default() };
/// let report = backtest(&SeasonalNaive::new(24), &history, &options)?;
/// assert!((0.9..1.1).contains(&report.mase) && report.origins == 95);
/// # Ok::<(), smo_core::scaling::ForecastError>(())
/// ```
///
/// # Errors
/// As [`Forecast::new`] at the first step that is forecast, and [`ForecastError::TooShort`] where there is none.
pub fn backtest(
    model: &dyn Forecaster,
    history: &LoadSeries,
    options: &BacktestOptions,
) -> Result<Backtest, ForecastError> {
    let mut scores = Scores::new(model.name(), history, options)?;
    for origin in scores.origins() {
        let forecast = Forecast::new(model, &history.until(origin), options.horizon, &options.levels)?;
        scores.take(origin, &forecast);
    }
    scores.finish()
}

/// The same with the forecast that goes on with every value; horizon and levels are those of `options`.
///
/// # Errors
/// As [`RollingForecast::new`] and [`RollingForecast::forecast`], and [`ForecastError::TooShort`] where no step is forecast.
pub fn backtest_rolling(
    rolling: &RollingOptions,
    history: &LoadSeries,
    options: &BacktestOptions,
) -> Result<Backtest, ForecastError> {
    let rolling = RollingOptions {
        horizon: options.horizon,
        levels: options.levels.clone(),
        ..rolling.clone()
    };
    let mut rolling = RollingForecast::new(history.moment(0), history.step(), rolling)?;
    let mut scores = Scores::new("rolling Holt-Winters", history, options)?;
    let mut origins = scores.origins().peekable();
    for (index, value) in history.values().iter().enumerate() {
        rolling.push(*value)?;
        if origins.next_if_eq(&(index + 1)).is_some() {
            scores.take(index + 1, &rolling.forecast()?);
        }
    }
    scores.finish()
}

/// What was forecast, beside what came.
struct Scores<'a> {
    model: String,
    history: &'a [Option<f64>],
    options: &'a BacktestOptions,
    first: usize,
    origins: usize,
    actual: Vec<Option<f64>>,
    points: Vec<f64>,
    quantiles: Vec<(u8, Vec<f64>)>,
}

impl<'a> Scores<'a> {
    fn new(
        model: &str,
        history: &'a LoadSeries,
        options: &'a BacktestOptions,
    ) -> Result<Self, ForecastError> {
        let history = history.values();
        let first = options.first.unwrap_or(history.len() / 2);
        if options.horizon == 0 {
            return Err(ForecastError::NoHorizon);
        }
        if first == 0 || first + options.horizon > history.len() {
            return Err(ForecastError::TooShort {
                model: "a backtest".to_owned(),
                have: history.len(),
                needed: first.max(1).saturating_add(options.horizon),
            });
        }
        Ok(Self {
            model: model.to_owned(),
            history,
            options,
            first,
            origins: 0,
            actual: Vec::new(),
            points: Vec::new(),
            quantiles: Vec::new(),
        })
    }

    /// How many steps are known at each forecast.
    fn origins(&self) -> std::iter::StepBy<std::ops::RangeInclusive<usize>> {
        let last = self.history.len() - self.options.horizon;
        (self.first..=last).step_by(self.options.stride.max(1))
    }

    fn take(&mut self, origin: usize, forecast: &Forecast) {
        let came = self.history.iter().skip(origin).take(self.options.horizon);
        self.actual.extend(came);
        self.points.extend_from_slice(&forecast.points);
        if self.quantiles.is_empty() {
            let levels = forecast.quantiles.iter();
            self.quantiles = levels.map(|quantile| (quantile.percent, Vec::new())).collect();
        }
        for ((_, values), quantile) in self.quantiles.iter_mut().zip(&forecast.quantiles) {
            values.extend_from_slice(&quantile.values);
        }
        self.origins += 1;
    }

    fn finish(self) -> Result<Backtest, ForecastError> {
        let known = self.history.get(..self.first).unwrap_or_default();
        let score = |(percent, values): &(u8, Vec<f64>)| {
            Ok(QuantileScore {
                percent: *percent,
                pinball_loss: pinball_loss(&self.actual, values, f64::from(*percent) / 100.0)?,
                coverage: coverage(&self.actual, values)?,
            })
        };
        Ok(Backtest {
            mase: mase(&self.actual, &self.points, known, self.options.period)?,
            quantiles: self.quantiles.iter().map(score).collect::<Result<_, _>>()?,
            model: self.model,
            origins: self.origins,
            horizon: self.options.horizon,
            compared: self.actual.iter().flatten().count(),
        })
    }
}

impl fmt::Display for Backtest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (origins, horizon) = (self.origins, self.horizon);
        writeln!(
            f,
            "{}: {origins} forecasts of {horizon} steps, {} values",
            self.model, self.compared
        )?;
        writeln!(f, "  mean absolute scaled error {:.3}", self.mase)?;
        for score in &self.quantiles {
            writeln!(
                f,
                "  0.{:02} quantile: pinball loss {:.4} req/s, covers {:.1} %",
                score.percent,
                score.pinball_loss,
                score.coverage * 100.0
            )?;
        }
        Ok(())
    }
}
