//! What is measured on one load.

use smo_core::scaling::{
    Backtest, Hpa, LoadSeries, Predictive, PredictiveOptions, ReplayError, ReplayOutcome, RollingOptions,
    Workload, replay,
};

use super::traces::Trace;
use crate::backtest;
use crate::replay::{outcomes, workload};

/// The quantiles that charts show beside the default.
const QUANTILES: [u8; 3] = [75, 90, 99];

/// One load with everything that was measured on it.
pub(super) struct Measured {
    pub(super) trace: Trace,
    pub(super) workload: Workload,
    pub(super) forecasts: Vec<(String, Vec<Backtest>)>,
    pub(super) outcomes: Vec<ReplayOutcome>,
    pub(super) rival: Option<ReplayOutcome>,
    pub(super) autoscalers: Vec<ReplayOutcome>,
    pub(super) quantiles: Vec<ReplayOutcome>,
}

pub(super) fn measure(trace: Trace) -> Result<Measured, String> {
    let text = |error: ReplayError| error.to_string();
    let workload = workload(trace.load.clone())?;
    let mut forecasts = Vec::new();
    let coarse = coarser(&trace.load, trace.width)?;
    for (load, period, horizon) in [(&trace.load, 1, 2), (&coarse, trace.period, 6)] {
        let title = format!(
            "{} s steps, {horizon} ahead, errors scaled by those of {period} back",
            load.step().as_secs()
        );
        let reports = backtest::compare(load, period, horizon).map_err(|error| error.to_string())?;
        forecasts.push((title, reports));
    }
    let (outcomes, rival) = outcomes(&workload).map_err(text)?;
    let mut autoscalers = Vec::new();
    for target in (50..=100).step_by(5) {
        autoscalers.push(replay(&mut Hpa::new(target).map_err(text)?, &workload).map_err(text)?);
    }
    let mut quantiles = Vec::new();
    for percent in QUANTILES {
        let options = PredictiveOptions {
            percent: Some(percent),
            rolling: RollingOptions {
                levels: vec![percent],
                ..RollingOptions::default()
            },
            ..PredictiveOptions::default()
        };
        quantiles.push(replay(&mut Predictive::new(options).map_err(text)?, &workload).map_err(text)?);
    }
    Ok(Measured {
        trace,
        workload,
        forecasts,
        outcomes,
        rival,
        autoscalers,
        quantiles,
    })
}

/// Means over `width` steps; a mean of gaps is a gap.
fn coarser(load: &LoadSeries, width: usize) -> Result<LoadSeries, String> {
    let mean = |chunk: &[Option<f64>]| {
        let known: Vec<f64> = chunk.iter().flatten().copied().collect();
        #[allow(clippy::cast_precision_loss)]
        let count = known.len() as f64;
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / count)
    };
    let values = load.values().chunks_exact(width.max(1)).map(mean).collect();
    let step = load.step() * u32::try_from(width.max(1)).unwrap_or(1);
    LoadSeries::new(load.moment(0), step, values).map_err(|error| error.to_string())
}
