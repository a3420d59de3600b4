//! Models that find in a history what they are not told: their season, and how fast they follow.

use super::{ForecastError, Forecaster, HoltWinters, SeasonalNaive, detect_season};

/// A kind of model with a season.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SeasonalModel {
    /// [`SeasonalNaive`].
    Naive,
    /// [`HoltWinters`], fitted.
    HoltWinters,
}

/// A model that learns from the history it is given. Where no season is given, it is the one that the history shows
/// ([`detect_season`]), and none where it shows none; the smoothing of Holt-Winters is fitted ([`HoltWinters::fitted`]).
///
/// ```
/// use smo_core::scaling::{AutoForecaster, Forecaster, SeasonalModel};
/// let history: Vec<Option<f64>> = (0..240_u32).map(|hour| Some(f64::from(hour % 24))).collect();
/// let next = AutoForecaster::new(SeasonalModel::HoltWinters, None).forecast(&history, 3)?;
/// assert!(next.iter().zip([0.0, 1.0, 2.0]).all(|(value, right)| (value - right).abs() < 0.5));
/// # Ok::<(), smo_core::scaling::ForecastError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoForecaster {
    model: SeasonalModel,
    period: Option<usize>,
}

impl AutoForecaster {
    /// A model with a season of `period` steps, or with the one that it finds.
    #[must_use]
    pub const fn new(model: SeasonalModel, period: Option<usize>) -> Self {
        Self { model, period }
    }

    fn learn(self, history: &[Option<f64>]) -> Result<Box<dyn Forecaster>, ForecastError> {
        let found = || detect_season(history).map_or(1, |season| season.period);
        let period = self.period.unwrap_or_else(found);
        Ok(match self.model {
            SeasonalModel::Naive => Box::new(SeasonalNaive::new(period)),
            SeasonalModel::HoltWinters => Box::new(HoltWinters::fitted(period, history)?),
        })
    }
}

impl Forecaster for AutoForecaster {
    fn name(&self) -> &str {
        match self.model {
            SeasonalModel::Naive => SeasonalNaive::NAME,
            SeasonalModel::HoltWinters => HoltWinters::NAME,
        }
    }

    fn forecast(&self, history: &[Option<f64>], horizon: usize) -> Result<Vec<f64>, ForecastError> {
        self.learn(history)?.forecast(history, horizon)
    }

    fn learned(&self, history: &[Option<f64>]) -> Result<Option<Box<dyn Forecaster>>, ForecastError> {
        self.learn(history).map(Some)
    }
}
