//! The trait of forecasting models, and the simplest one.

use std::fmt::Debug;

use super::ForecastError;

/// A model that goes on from a history: synchronous, without chance, the same answer to the same question.
///
/// # Contract
/// `forecast` gives exactly `horizon` finite values, the first for the moment after the last of `history`. Gaps in the
/// history are `None`.
///
/// # Implementations
/// [`SeasonalNaive`], [`HoltWinters`](super::HoltWinters), [`AutoForecaster`](super::AutoForecaster).
///
/// # Example
/// ```
/// use smo_core::scaling::{Forecaster, SeasonalNaive};
/// let history = [Some(1.0), Some(5.0), Some(2.0), None];
/// assert_eq!(SeasonalNaive::new(2).forecast(&history, 3)?, [2.0, 5.0, 2.0]);
/// # Ok::<(), smo_core::scaling::ForecastError>(())
/// ```
pub trait Forecaster: Debug + Send + Sync {
    /// The name that reports show.
    fn name(&self) -> &str;

    /// The next `horizon` values.
    ///
    /// # Errors
    /// [`ForecastError::TooShort`] when the history does not suffice.
    fn forecast(&self, history: &[Option<f64>], horizon: usize) -> Result<Vec<f64>, ForecastError>;

    /// This model with what it learns from a history, such as its season; `None` where there is nothing to learn. Who
    /// forecasts at many moments of one history asks once.
    ///
    /// # Errors
    /// As [`Forecaster::forecast`].
    fn learned(&self, history: &[Option<f64>]) -> Result<Option<Box<dyn Forecaster>>, ForecastError> {
        let _ = history;
        Ok(None)
    }
}

/// As it was one season ago; with a season of 1, as it was last. Gaps are filled from the season before.
///
/// R. J. Hyndman and G. Athanasopoulos, *Forecasting: principles and practice*, 3rd edition, section 5.2
/// (<https://otexts.com/fpp3/simple-methods.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeasonalNaive {
    period: usize,
}

impl SeasonalNaive {
    pub(super) const NAME: &str = "seasonal naive";

    /// A model with a season of `period` steps; 0 counts as 1.
    #[must_use]
    pub const fn new(period: usize) -> Self {
        Self {
            period: if period == 0 { 1 } else { period },
        }
    }
}

impl Forecaster for SeasonalNaive {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn forecast(&self, history: &[Option<f64>], horizon: usize) -> Result<Vec<f64>, ForecastError> {
        if history.len() < self.period {
            return Err(ForecastError::TooShort {
                model: self.name().to_owned(),
                have: history.len(),
                needed: self.period,
            });
        }
        let last = history.iter().rev().find_map(|value| *value);
        let Some(last) = last else {
            return Err(ForecastError::NoSample);
        };
        let start = history.len() - self.period;
        let seasons = |phase: usize| (0..=start + phase).rev().step_by(self.period);
        let at_phase = |phase: usize| seasons(phase).find_map(|index| history.get(index).copied().flatten());
        let season: Vec<f64> = (0..self.period.min(horizon))
            .map(|phase| at_phase(phase).unwrap_or(last))
            .collect();
        Ok(season.iter().copied().cycle().take(horizon).collect())
    }
}
