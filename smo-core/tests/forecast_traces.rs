//! Forecasts on public request traces, where the reference folder is there: seasons are found, quantiles cover what they
//! say, and smoothing is no worse than repeating the last season.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

use std::fs;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use smo_core::scaling::{
    Forecast, Forecaster, HoltWinters, LEVELS, LoadSeries, SeasonalNaive, coverage, detect_season, mase,
};

/// The last column of a trace; nothing, with a line that says so, where the reference folder is missing.
fn trace(file: &str) -> Option<Vec<f64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/bench/traces")
        .join(file);
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: no {}", path.display());
        return None;
    };
    let last = |line: &str| line.rsplit(',').next().unwrap().parse().unwrap();
    Some(text.lines().skip(1).map(last).collect())
}

/// Means over `width` values; zero requests to these servers are an outage and therefore a gap.
fn means(values: &[f64], width: usize) -> Vec<Option<f64>> {
    let mean = |chunk: &[f64]| {
        let sum: f64 = chunk.iter().sum();
        (sum > 0.0).then(|| sum / chunk.len() as f64)
    };
    values.chunks_exact(width).map(mean).collect()
}

struct Result {
    naive: f64,
    smooth: f64,
    covered: Vec<f64>,
}

/// Forecasts `horizon` steps from every `stride`-th moment of the second half of a history.
fn replay(history: &[Option<f64>], period: usize, horizon: usize, stride: usize) -> Result {
    let half = history.len() / 2;
    let smooth = HoltWinters::fitted(period, &history[..half]).unwrap();
    let naive = SeasonalNaive::new(period);
    let mut actual = Vec::new();
    let (mut by_naive, mut by_smooth) = (Vec::new(), Vec::new());
    let mut quantiles = vec![Vec::new(); LEVELS.len()];
    for origin in (half..history.len() - horizon).step_by(stride) {
        let known = &history[..origin];
        let series =
            LoadSeries::new(Timestamp::UNIX_EPOCH, Duration::from_secs(600), known.to_vec()).unwrap();
        let forecast = Forecast::new(&smooth, &series, horizon, &LEVELS).unwrap();
        actual.extend_from_slice(&history[origin..origin + horizon]);
        by_naive.extend(naive.forecast(known, horizon).unwrap());
        by_smooth.extend_from_slice(&forecast.points);
        for (quantile, values) in forecast.quantiles.iter().zip(&mut quantiles) {
            values.extend_from_slice(&quantile.values);
        }
    }
    let scaled = |forecast: &[f64]| mase(&actual, forecast, &history[..half], period).unwrap();
    Result {
        naive: scaled(&by_naive),
        smooth: scaled(&by_smooth),
        covered: quantiles
            .iter()
            .map(|values| coverage(&actual, values).unwrap())
            .collect(),
    }
}

#[test]
fn requests_to_a_web_server() {
    let Some(minutes) = trace("nasa_http_1995_minutes.csv") else {
        return;
    };
    // Ten-minute means of the four weeks before the outage.
    let history = &means(&minutes, 10)[..4_000];
    // Week-ends are unlike working days, so a week is stronger than a day.
    let season = detect_season(history).unwrap();
    assert!(season.period.abs_diff(7 * 144) <= 2, "{season:?}");
    let result = replay(history, 144, 6, 37);
    eprintln!(
        "NASA: naive {:.2}, Holt-Winters {:.2}, covered {:.2?}",
        result.naive, result.smooth, result.covered
    );
    assert!(result.smooth < result.naive);
    for (share, level) in result.covered.iter().zip([0.5, 0.9, 0.99]) {
        assert!((share - level).abs() < 0.08, "{share} of {level}");
    }
}

#[test]
fn requests_to_a_load_balancer() {
    let Some(counts) = trace("nab_elb_request_count_8c0756.csv") else {
        return;
    };
    // Hourly means: single samples are too noisy to show the day.
    let history = means(&counts, 12);
    let season = detect_season(&history).unwrap();
    // The peak is blurred: 25 hours are as alike (0.397) as 24 (0.394).
    assert!(season.period.abs_diff(24) <= 1, "{season:?}");
    let result = replay(&history, 24, 6, 3);
    eprintln!(
        "ELB: naive {:.2}, Holt-Winters {:.2}, covered {:.2?}",
        result.naive, result.smooth, result.covered
    );
    assert!(result.smooth < result.naive);
    for (share, level) in result.covered.iter().zip([0.5, 0.9, 0.99]) {
        assert!((share - level).abs() < 0.08, "{share} of {level}");
    }
}
