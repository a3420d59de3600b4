//! A forecast that goes on with every value, and learns from every error it made.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use super::super::statistics::float;
use super::errors::ErrorWindow;
use super::holt_winters::State;
use super::quantiles::checked_levels;
use super::series::{is_rate, moment};
use super::{Forecast, ForecastError, Forecaster, HoltWinters, LEVELS, Quantile, detect_season};

/// How a rolling forecast learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RollingOptions {
    /// How many steps ahead are forecast; 2.
    pub horizon: usize,
    /// The levels of the quantiles, in percent; [`LEVELS`].
    pub levels: Vec<u8>,
    /// How many of the latest errors tell the quantiles; 500.
    pub errors: usize,
    /// How many of the latest values seasons are looked for in, and models are fitted to; 20160, two weeks of minutes.
    pub history: usize,
    /// After how many steps season and model are looked for anew; 720. Earlier in the beginning: whenever the history has
    /// doubled.
    pub refit: usize,
}

impl Default for RollingOptions {
    fn default() -> Self {
        Self {
            horizon: 2,
            levels: LEVELS.to_vec(),
            errors: 500,
            history: 20_160,
            refit: 720,
        }
    }
}

/// With fewer values than this there is no model, and with fewer errors no quantile.
pub(super) const LEAST: usize = 10;

/// Holt-Winters smoothing that is given one value after the other: the season is found in the values, or found missing, and
/// the model is the better one of with and without it. Quantiles come from the errors of the forecasts it really made.
///
/// A step costs time in proportion to the horizon and to `errors`, but for those at which it is fitted anew. The same
/// values give the same forecasts.
///
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use smo_core::scaling::{RollingForecast, RollingOptions};
///
/// let minute = Duration::from_secs(60);
/// let mut rolling = RollingForecast::new(Timestamp::UNIX_EPOCH, minute, RollingOptions::default())?;
/// for step in 0..300_u32 {
///     rolling.push(Some(100.0 + f64::from(step % 30)))?;
/// }
/// assert_eq!(rolling.season().map(|season| season.period), Some(30));
/// let forecast = rolling.forecast()?;
/// assert!((forecast.points[0] - 100.0).abs() < 2.0 && (forecast.points[1] - 101.0).abs() < 2.0);
/// # Ok::<(), smo_core::scaling::ForecastError>(())
/// ```
#[derive(Debug, Clone)]
pub struct RollingForecast {
    start: Timestamp,
    step: Duration,
    options: RollingOptions,
    history: VecDeque<Option<f64>>,
    /// How many values there ever were.
    seen: usize,
    sum: f64,
    known: usize,
    model: Option<Fitted>,
    fitted_at: usize,
    /// What was forecast at the latest steps, the newest first.
    made: VecDeque<Made>,
    /// The errors at each distance.
    errors: Vec<ErrorWindow>,
}

#[derive(Debug, Clone)]
struct Fitted {
    model: HoltWinters,
    season: Option<super::Season>,
    state: State,
}

#[derive(Debug, Clone)]
struct Made {
    points: Vec<f64>,
    /// Quantile by quantile, each over the horizon.
    quantiles: Vec<Vec<f64>>,
}

impl RollingForecast {
    /// A forecast that has seen nothing yet; its first value will be that of `start`.
    ///
    /// # Errors
    /// [`ForecastError::NoHorizon`], [`ForecastError::Level`] for a level outside 1 to 99, [`ForecastError::Invalid`] for
    /// no step, [`ForecastError::TooShort`] for a history or a window of fewer than ten values.
    pub fn new(start: Timestamp, step: Duration, mut options: RollingOptions) -> Result<Self, ForecastError> {
        // The same checks as those of a series.
        super::LoadSeries::new(start, step, Vec::new())?;
        if options.horizon == 0 {
            return Err(ForecastError::NoHorizon);
        }
        options.levels = checked_levels(&options.levels)?;
        for (model, have) in [
            ("a rolling forecast", options.history),
            ("its quantiles", options.errors),
        ] {
            if have < LEAST {
                return Err(ForecastError::TooShort {
                    model: model.to_owned(),
                    have,
                    needed: LEAST,
                });
            }
        }
        let window = ErrorWindow::new(options.errors, &options.levels);
        Ok(Self {
            start,
            step,
            history: VecDeque::new(),
            seen: 0,
            sum: 0.0,
            known: 0,
            model: None,
            fitted_at: 0,
            made: VecDeque::new(),
            errors: vec![window; options.horizon],
            options,
        })
    }

    /// Takes the value of the next step; `None` for a gap.
    ///
    /// # Errors
    /// [`ForecastError::Invalid`] for a value that is no rate; nothing is changed then.
    pub fn push(&mut self, value: Option<f64>) -> Result<(), ForecastError> {
        if let Some(wrong) = value.filter(|value| !is_rate(*value)) {
            let fault = super::SeriesFault::Value {
                index: self.seen,
                value: wrong,
            };
            return Err(ForecastError::Invalid(super::super::Faults(vec![fault])));
        }
        self.learn(value);
        self.keep(value);
        if self.fit_is_due() {
            self.fit();
        } else if let Some(fitted) = &mut self.model {
            fitted.model.advance(&mut fitted.state, value);
        }
        if let Some(made) = self.make() {
            self.made.push_front(made);
            self.made.truncate(self.options.horizon);
        }
        Ok(())
    }

    /// Compares the value with what was forecast for it one step ago, two steps ago, and so on.
    fn learn(&mut self, value: Option<f64>) {
        let floor = self.floor();
        for (distance, (made, errors)) in self.made.iter().zip(&mut self.errors).enumerate() {
            let (Some(value), Some(point)) = (value, made.points.get(distance)) else {
                continue;
            };
            let quantiles = made.quantiles.iter().map(|values| values.get(distance).copied());
            errors.learn((value - point) / scale(*point, floor), value, quantiles);
        }
    }

    fn keep(&mut self, value: Option<f64>) {
        self.history.push_back(value);
        self.seen += 1;
        if let Some(value) = value {
            self.sum += value;
            self.known += 1;
        }
        if self.history.len() > self.options.history
            && let Some(Some(old)) = self.history.pop_front()
        {
            self.sum -= old;
            self.known -= 1;
        }
    }

    /// A load below this is as uncertain as one of this: a hundredth of the mean.
    fn floor(&self) -> f64 {
        let mean = self.sum / float(self.known.max(1));
        (mean / 100.0).max(1e-9)
    }

    fn fit_is_due(&self) -> bool {
        let since = self.seen - self.fitted_at;
        self.seen >= LEAST && (since >= self.options.refit || since >= self.fitted_at.max(1))
    }

    /// Looks for the season and the model of the history. A model that does worse without its season goes without.
    fn fit(&mut self) {
        self.fitted_at = self.seen;
        let history: &[Option<f64>] = self.history.make_contiguous();
        let season = detect_season(history);
        let mut best: Option<(f64, Fitted)> = None;
        let from = 2 * season.map_or(1, |season| season.period);
        for season in [None, season].into_iter().take(1 + usize::from(season.is_some())) {
            let period = season.map_or(1, |season| season.period);
            let Ok(model) = HoltWinters::fitted(period, history) else {
                continue;
            };
            let (Ok(errors), Ok(state)) = (model.errors_after(from, history), model.after(history)) else {
                continue;
            };
            if best.as_ref().is_none_or(|(least, _)| errors < *least) {
                best = Some((errors, Fitted { model, season, state }));
            }
        }
        if let Some((_, fitted)) = best {
            self.model = Some(fitted);
        }
    }

    /// The forecast of this step.
    fn make(&self) -> Option<Made> {
        let fitted = self.model.as_ref()?;
        let horizon = self.options.horizon;
        let points: Vec<f64> = fitted.model.ahead(&fitted.state).take(horizon).collect();
        let floor = self.floor();
        let at_level = |level: usize| {
            let shifted = points.iter().zip(&self.errors);
            let shifted =
                shifted.map(|(point, errors)| errors.at_level(level) * scale(*point, floor) + point);
            shifted.map(|value| value.max(0.0)).collect()
        };
        let quantiles = (0..self.options.levels.len()).map(at_level).collect();
        Some(Made { points, quantiles })
    }

    /// The forecast after the last value.
    ///
    /// # Errors
    /// [`ForecastError::NoSample`] without a single value, [`ForecastError::TooShort`] before there are ten values for a
    /// model and ten errors for the quantiles.
    pub fn forecast(&self) -> Result<Forecast, ForecastError> {
        if self.known == 0 {
            return Err(ForecastError::NoSample);
        }
        let fewest = self.errors.iter().map(ErrorWindow::len).min().unwrap_or(0);
        let (Some(made), Some(fitted), true) = (self.made.front(), &self.model, fewest >= LEAST) else {
            return Err(ForecastError::TooShort {
                model: "the quantiles of a rolling forecast".to_owned(),
                have: self.seen,
                needed: self.seen.max(LEAST) + self.options.horizon + (LEAST - fewest.min(LEAST)),
            });
        };
        let quantile = |(percent, values): (&u8, &Vec<f64>)| Quantile {
            percent: *percent,
            values: values.clone(),
            errors: self.errors.iter().map(ErrorWindow::len).collect(),
        };
        Ok(Forecast {
            model: fitted.model.name().to_owned(),
            from: self.moment(self.seen.saturating_sub(1)),
            step: self.step,
            quantiles: self
                .options
                .levels
                .iter()
                .zip(&made.quantiles)
                .map(quantile)
                .collect(),
            points: made.points.clone(),
        })
    }

    /// The season of the model, where it has one.
    #[must_use]
    pub fn season(&self) -> Option<super::Season> {
        self.model.as_ref()?.season
    }

    /// How many values it was given, gaps included.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.seen
    }

    /// True before the first value.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.seen == 0
    }

    /// The moment of the value at `index`, which may be after the last one.
    #[must_use]
    pub fn moment(&self, index: usize) -> Timestamp {
        moment(self.start, self.step, index)
    }
}

/// Errors grow with the root of the load, as those of counts do (S. D. Poisson's distribution: the variance is the mean).
fn scale(point: f64, floor: f64) -> f64 {
    point.max(floor).sqrt()
}
