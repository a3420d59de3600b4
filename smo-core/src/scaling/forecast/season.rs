//! Finding how long a season is.

use serde::Serialize;

use super::super::statistics::float;

/// A season that a history shows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Season {
    /// How many steps it has.
    pub period: usize,
    /// The autocorrelation at that lag, -1 to 1: how alike one season is to the next.
    pub strength: f64,
}

/// Below this, seasons are not alike enough to forecast by.
const LEAST_STRENGTH: f64 = 0.3;
/// A shorter season is taken where it is nearly as strong: a day rather than two.
const NEARLY: f64 = 0.9;
/// Longer histories are looked at in coarser steps first.
const COARSE: usize = 2_000;

/// The season of a history, by the highest peak of its autocorrelation (G. E. P. Box and G. M. Jenkins, *Time series
/// analysis*, 1970) after its linear trend is taken away; `None` when there is none. A season is seen at least three
/// times. Gaps are left out.
#[must_use]
pub fn detect_season(history: &[Option<f64>]) -> Option<Season> {
    let factor = history.len().div_ceil(COARSE).max(1);
    let coarse: Vec<Option<f64>> = history.chunks_exact(factor).map(mean).collect();
    let coarse = without_trend(&coarse);
    let most = coarse.len() / 3;
    let strengths: Vec<f64> = (0..=most).map(|lag| autocorrelation(&coarse, lag)).collect();
    let is_peak = |lag: &usize| {
        let at = |lag: usize| strengths.get(lag).copied().unwrap_or(-1.0);
        at(*lag) >= LEAST_STRENGTH && at(*lag) > at(lag - 1) && at(*lag) >= at(lag + 1)
    };
    let peaks: Vec<usize> = (2..=most).filter(is_peak).collect();
    let strongest = peaks.iter().map(|lag| strengths[*lag]).fold(0.0, f64::max);
    let lag = peaks
        .into_iter()
        .find(|lag| strengths[*lag] >= NEARLY * strongest)?;
    if factor == 1 {
        let strength = strengths[lag];
        return Some(Season {
            period: lag,
            strength,
        });
    }
    let fine = without_trend(history);
    let around = (lag - 1) * factor..=(lag + 1) * factor;
    let of = |period| Season {
        period,
        strength: autocorrelation(&fine, period),
    };
    around
        .map(of)
        .max_by(|a, b| a.strength.total_cmp(&b.strength).then(b.period.cmp(&a.period)))
}

fn mean(values: &[Option<f64>]) -> Option<f64> {
    let count = values.iter().flatten().count();
    (count > 0).then(|| values.iter().flatten().sum::<f64>() / float(count))
}

/// The deviations from the straight line of least squares.
fn without_trend(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = || {
        let indexed = values.iter().enumerate();
        indexed.filter_map(|(index, value)| value.map(|value| (float(index), value)))
    };
    let count = float(known().count()).max(1.0);
    let (sum_x, sum_y) = known().fold((0.0, 0.0), |(x, y), (index, value)| (x + index, y + value));
    let (mean_x, mean_y) = (sum_x / count, sum_y / count);
    let (xy, xx) = known().fold((0.0, 0.0), |(xy, xx), (index, value)| {
        (
            xy + (index - mean_x) * (value - mean_y),
            xx + (index - mean_x).powi(2),
        )
    });
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    let rest = |(index, value): (usize, &Option<f64>)| {
        value.map(|value| value - mean_y - slope * (float(index) - mean_x))
    };
    values.iter().enumerate().map(rest).collect()
}

/// How alike values are to those `lag` steps before.
fn autocorrelation(values: &[Option<f64>], lag: usize) -> f64 {
    let (mut product, mut before, mut after) = (0.0, 0.0, 0.0);
    for (a, b) in values.iter().zip(values.iter().skip(lag)) {
        if let (Some(a), Some(b)) = (a, b) {
            product += a * b;
            before += a * a;
            after += b * b;
        }
    }
    let scale = (before * after).sqrt();
    if scale > 0.0 { product / scale } else { 0.0 }
}
