//! How good forecasts were.

use super::super::statistics::float;
use super::ForecastError;

/// The mean absolute scaled error: the mean absolute error over that of repeating the last season within `history`.
/// Below 1 is better than that. (R. J. Hyndman and A. B. Koehler, *Another look at measures of forecast accuracy*,
/// International Journal of Forecasting 22, 2006.) Gaps are left out.
///
/// ```
/// use smo_core::scaling::mase;
/// let history = [Some(1.0), Some(3.0), Some(2.0), Some(5.0)];
/// assert_eq!(mase(&[Some(4.0), None], &[3.0, 9.0], &history, 2)?, 1.0 / 1.5);
/// # Ok::<(), smo_core::scaling::ForecastError>(())
/// ```
///
/// # Errors
/// [`ForecastError::Accuracy`] for lists of unlike length, nothing to compare, or a history that never changes.
pub fn mase(
    actual: &[Option<f64>],
    forecast: &[f64],
    history: &[Option<f64>],
    period: usize,
) -> Result<f64, ForecastError> {
    let error = mean_over(actual, forecast, |actual, forecast| (actual - forecast).abs())?;
    let seasons = history.iter().zip(history.iter().skip(period.max(1)));
    let (mut sum, mut count) = (0.0, 0);
    for (before, after) in seasons {
        if let (Some(before), Some(after)) = (before, after) {
            sum += (after - before).abs();
            count += 1;
        }
    }
    if sum > 0.0 {
        Ok(error / (sum / float(count)))
    } else {
        Err(ForecastError::Accuracy(
            "the history never changes from season to season",
        ))
    }
}

/// The mean pinball loss of a quantile: what is above costs `level`, what is below `1 - level`
/// (R. Koenker and G. Bassett, *Regression quantiles*, Econometrica 46, 1978). Gaps are left out.
///
/// # Errors
/// [`ForecastError::Accuracy`] for lists of unlike length, nothing to compare, or a level outside 0 to 1.
pub fn pinball_loss(actual: &[Option<f64>], quantile: &[f64], level: f64) -> Result<f64, ForecastError> {
    if !(0.0..=1.0).contains(&level) {
        return Err(ForecastError::Accuracy("the level is not between 0 and 1"));
    }
    mean_over(actual, quantile, |actual, quantile| {
        let above = actual - quantile;
        (level * above).max((level - 1.0) * above)
    })
}

/// The share of values at or below a quantile; for the 0.9 quantile, 0.9 is right. Gaps are left out.
///
/// # Errors
/// [`ForecastError::Accuracy`] for lists of unlike length or nothing to compare.
pub fn coverage(actual: &[Option<f64>], quantile: &[f64]) -> Result<f64, ForecastError> {
    mean_over(actual, quantile, |actual, quantile| {
        f64::from(u8::from(actual <= quantile))
    })
}

fn mean_over(
    actual: &[Option<f64>],
    forecast: &[f64],
    loss: impl Fn(f64, f64) -> f64,
) -> Result<f64, ForecastError> {
    if actual.len() != forecast.len() {
        return Err(ForecastError::Accuracy("the lists have unlike lengths"));
    }
    let (mut sum, mut count) = (0.0, 0);
    for (actual, forecast) in actual.iter().zip(forecast) {
        if let Some(actual) = actual {
            sum += loss(*actual, *forecast);
            count += 1;
        }
    }
    if count == 0 {
        return Err(ForecastError::Accuracy("there is nothing to compare with"));
    }
    let mean = sum / float(count);
    if mean.is_finite() {
        Ok(mean)
    } else {
        Err(ForecastError::Accuracy("a value is no finite number"))
    }
}
