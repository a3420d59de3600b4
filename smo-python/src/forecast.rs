//! Loads, seasons, forecasts, and how good they would have been.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use pyo3::prelude::*;
use smo_core::scaling::{self as core, Forecaster};

use crate::convert::{Moment, seconds, serialised};
use crate::error;
use crate::scaling::{ExpectedLoad, ScalingPolicy};

/// Requests per second at equally spaced moments; a gap is `None` and not 0. `step` is in seconds.
///
/// Raises `InvalidSamples` with every fault: a value that is negative or no number, no step, too many values.
///
/// >>> from smo.forecast import LoadSeries
/// >>> load = LoadSeries([1.0, 3.0, None, 4.0], step=60)
/// >>> len(load), load.step, load.until(2).values
/// (4, 60.0, [1.0, 3.0])
#[pyclass(module = "smo.forecast", frozen, eq)]
#[derive(Clone, PartialEq)]
pub(crate) struct LoadSeries(pub(crate) core::LoadSeries);

#[pymethods]
impl LoadSeries {
    #[new]
    #[pyo3(signature = (values, step, *, start = None))]
    fn new(py: Python<'_>, values: Vec<Option<f64>>, step: f64, start: Option<Moment>) -> PyResult<Self> {
        let start = start.map_or(Timestamp::UNIX_EPOCH, |start| start.0);
        let series = core::LoadSeries::new(start, seconds("step", step)?, values);
        series.map(Self).map_err(|fault| error::forecast(py, &fault))
    }

    /// A series of samples at any moments (seconds since 1970, RFC 3339, or a `datetime` with a time zone), oldest first: each counts for the nearest step,
    /// those of one step as their mean, and a step without a sample is a gap.
    #[staticmethod]
    fn from_samples(py: Python<'_>, samples: Vec<(Moment, f64)>, step: f64) -> PyResult<Self> {
        let samples: Vec<(Timestamp, f64)> = samples.iter().map(|(at, value)| (at.0, *value)).collect();
        let series = core::LoadSeries::from_samples(&samples, seconds("step", step)?);
        series.map(Self).map_err(|fault| error::forecast(py, &fault))
    }

    /// Reads a CSV text, whose first column is the time and whose last the value, or the answer of Prometheus to a range query. The step is
    /// what most samples are apart when not given; `counts` says that values are requests a step and not a second.
    ///
    /// >>> from smo.forecast import LoadSeries
    /// >>> LoadSeries.parse("minute,requests\n0,60\n1,90\n2,\n3,30\n", counts=True).values
    /// [1.0, 1.5, None, 0.5]
    #[staticmethod]
    #[pyo3(signature = (text, *, step = None, counts = false))]
    fn parse(py: Python<'_>, text: &str, step: Option<f64>, counts: bool) -> PyResult<Self> {
        let mut samples = core::read_load(text).map_err(|fault| error::samples(py, &fault))?;
        let step = match step {
            Some(step) => seconds("step", step)?,
            None => core::usual_step(&samples).ok_or_else(|| {
                error::invalid_samples(py, ["there are fewer than two samples".to_owned()], "give a step")
            })?,
        };
        if counts {
            for (_, value) in &mut samples {
                *value /= step.as_secs_f64();
            }
        }
        let series = core::LoadSeries::from_samples(&samples, step);
        series.map(Self).map_err(|fault| error::forecast(py, &fault))
    }

    /// The values, oldest first.
    #[getter]
    fn values(&self) -> Vec<Option<f64>> {
        self.0.values().to_vec()
    }

    /// From one value to the next, in seconds.
    #[getter]
    fn step(&self) -> f64 {
        self.0.step().as_secs_f64()
    }

    /// When the value at an index is, which may be after the last one.
    fn moment(&self, index: usize) -> String {
        self.0.moment(index).to_string()
    }

    /// The first values.
    fn until(&self, length: usize) -> Self {
        Self(self.0.until(length))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.forecast.LoadSeries of {} values, {} s apart>",
            self.0.len(),
            self.step()
        )
    }
}

/// The season of a load: how many steps it has, and how alike one season is to the next (0.3 to 1); `None` when there is none.
///
/// >>> from smo.forecast import LoadSeries, detect_season
/// >>> detect_season(LoadSeries([float(hour % 24) for hour in range(240)], step=3600))[0]
/// 24
#[pyfunction]
pub(crate) fn detect_season(py: Python<'_>, history: &LoadSeries) -> Option<(usize, f64)> {
    let season = py.detach(|| core::detect_season(history.0.values()));
    season.map(|season| (season.period, season.strength))
}

/// What is expected, step by step, and how surely.
#[pyclass(module = "smo.forecast", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Forecast(core::Forecast);

#[pymethods]
impl Forecast {
    /// The model.
    #[getter]
    fn model(&self) -> &str {
        &self.0.model
    }

    /// The model's own values, in requests per second.
    #[getter]
    fn points(&self) -> Vec<f64> {
        self.0.points.clone()
    }

    /// From level, in percent, to its values: what comes is expected to be at most that in so many of 100 cases.
    #[getter]
    fn quantiles(&self) -> BTreeMap<u8, Vec<f64>> {
        let quantiles = self.0.quantiles.iter();
        quantiles
            .map(|quantile| (quantile.percent, quantile.values.clone()))
            .collect()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.forecast.Forecast of {} steps by {}>",
            self.0.points.len(),
            self.0.model
        )
    }
}

/// The models that are given a whole history, by name.
pub(crate) fn seasonal_model(name: &str, period: Option<usize>) -> PyResult<core::AutoForecaster> {
    let model = match name {
        "holt-winters" => core::SeasonalModel::HoltWinters,
        "seasonal-naive" => core::SeasonalModel::Naive,
        other => {
            let fault = format!(
                "there is no model {other}; there are holt-winters, seasonal-naive and, in smo.forecast, rolling"
            );
            return Err(pyo3::exceptions::PyValueError::new_err(fault));
        }
    };
    Ok(core::AutoForecaster::new(model, period))
}

/// The same, or `None` for the one that goes on with every value.
fn model(name: &str, period: Option<usize>) -> PyResult<Option<core::AutoForecaster>> {
    (name != "rolling")
        .then(|| seasonal_model(name, period))
        .transpose()
}

/// Forecasts `horizon` steps after a load, with quantiles at `levels` (in percent).
///
/// `model` is `rolling` (Holt-Winters that finds its season and learns from its own errors; decisions use it), `holt-winters` or
/// `seasonal-naive`; `period` is the season in steps, found when not given. Raises `NotEnoughData` for a load that is too short,
/// `InvalidSamples` for a level or a horizon that is none.
///
/// >>> from smo.forecast import LoadSeries, forecast
/// >>> load = LoadSeries([float(10 + hour % 24) for hour in range(480)], step=3600)
/// >>> [round(value) for value in forecast(load, 3, model="holt-winters").points]
/// [10, 11, 12]
#[pyfunction]
#[pyo3(signature = (history, horizon, *, model = "rolling", period = None, levels = vec![50, 90, 99]))]
pub(crate) fn forecast(
    py: Python<'_>,
    history: &LoadSeries,
    horizon: usize,
    model: &str,
    period: Option<usize>,
    levels: Vec<u8>,
) -> PyResult<Forecast> {
    let model = self::model(model, period)?;
    let made = py.detach(|| match model {
        Some(model) => core::Forecast::new(&model, &history.0, horizon, &levels),
        None => {
            let options = core::RollingOptions {
                horizon,
                levels,
                ..core::RollingOptions::default()
            };
            let mut rolling = core::RollingForecast::new(history.0.moment(0), history.0.step(), options)?;
            for value in history.0.values() {
                rolling.push(*value)?;
            }
            rolling.forecast()
        }
    });
    made.map(Forecast).map_err(|fault| error::forecast(py, &fault))
}

/// Samples in, what is expected next out: what a host asks before every scaling decision.
///
/// Samples within one `step` (in seconds) count as their mean, a step without one is a gap. `horizon` steps are forecast at `levels`;
/// `errors` of the latest errors tell the quantiles, and season and model are looked for in `history` values, after `refit` steps anew.
///
/// >>> from smo.forecast import LoadPredictor
/// >>> predictor = LoadPredictor(60)
/// >>> for sample in range(1, 1201):
/// ...     predictor.observe(15 * sample, 20.0 + sample // 4 % 30)
/// >>> predictor.expected(90, now=15 * 1200, ahead=45) >= 19
/// True
#[pyclass(module = "smo.forecast")]
pub(crate) struct LoadPredictor(core::LoadPredictor);

#[pymethods]
impl LoadPredictor {
    #[new]
    #[pyo3(signature = (step = 60.0, *, horizon = 2, levels = vec![50, 90, 99], errors = 500, history = 20_160, refit = 720))]
    fn new(
        py: Python<'_>,
        step: f64,
        horizon: usize,
        levels: Vec<u8>,
        errors: usize,
        history: usize,
        refit: usize,
    ) -> PyResult<Self> {
        let options = core::RollingOptions {
            horizon,
            levels,
            errors,
            history,
            refit,
        };
        let predictor = core::LoadPredictor::new(seconds("step", step)?, options);
        predictor.map(Self).map_err(|fault| error::forecast(py, &fault))
    }

    /// Takes the mean rate of some time up to `at` (seconds since 1970, RFC 3339, or a `datetime` with a time zone); `None` says that there is no sample. Raises
    /// `InvalidSamples` for a value that is no rate, and for a moment that is not after the one before.
    #[pyo3(signature = (at, rate))]
    fn observe(&mut self, py: Python<'_>, at: Moment, rate: Option<f64>) -> PyResult<()> {
        self.0
            .observe(at.0, rate)
            .map_err(|fault| error::forecast(py, &fault))
    }

    /// The highest value of a quantile over the steps that are not over between `now` and `ahead` seconds later; `None` before there is a
    /// forecast.
    #[pyo3(signature = (percent, *, now, ahead))]
    fn expected(&self, percent: u8, now: Moment, ahead: f64) -> PyResult<Option<f64>> {
        let expected = self.0.expected(percent, now.0, seconds("ahead", ahead)?);
        Ok(expected.map(|expected| expected.rate.to_f64()))
    }

    /// Where the measured rate is heading, as its latest changes tell, where that is up; else `None`.
    fn heading(&self) -> Option<f64> {
        self.0.heading().map(|rate| rate.to_f64())
    }

    /// What to decide replicas for, for `ObservedService(expected=)`: the higher one of `expected`, and of where the measured rate is heading with
    /// the headroom of the policy.
    ///
    /// >>> from smo.forecast import LoadPredictor
    /// >>> from smo.scaling import ScalingPolicy
    /// >>> predictor = LoadPredictor(60)
    /// >>> for sample in range(1, 401):
    /// ...     predictor.observe(15 * sample, 20.0 if sample // 40 % 2 else 60.0)
    /// >>> predictor.to_carry(ScalingPolicy.with_forecast(), 90, now=15 * 400, ahead=45).percent
    /// 90
    #[pyo3(signature = (policy, percent, *, now, ahead))]
    fn to_carry(
        &self,
        policy: &ScalingPolicy,
        percent: u8,
        now: Moment,
        ahead: f64,
    ) -> PyResult<Option<ExpectedLoad>> {
        let ahead = seconds("ahead", ahead)?;
        let expected = self.0.to_carry(&policy.0, percent, now.0, ahead);
        Ok(expected.map(ExpectedLoad))
    }

    /// The forecast after the last complete step. Raises `NotEnoughData` before there is one.
    fn forecast(&self, py: Python<'_>) -> PyResult<Forecast> {
        self.0
            .forecast()
            .map(Forecast)
            .map_err(|fault| error::forecast(py, &fault))
    }

    fn __repr__(&self) -> &'static str {
        "<smo.forecast.LoadPredictor>"
    }
}

/// How good forecasts were.
#[pyclass(module = "smo.forecast", frozen, eq)]
#[derive(PartialEq)]
pub(crate) struct Backtest(core::Backtest);

#[pymethods]
impl Backtest {
    /// The model.
    #[getter]
    fn model(&self) -> &str {
        &self.0.model
    }

    /// How many forecasts were made.
    #[getter]
    fn origins(&self) -> usize {
        self.0.origins
    }

    /// The mean absolute scaled error: less is better, 1 is as good as repeating the last season.
    #[getter]
    fn mase(&self) -> f64 {
        self.0.mase
    }

    /// From level, in percent, to the mean pinball loss of its quantile, in requests per second: less is better.
    #[getter]
    fn pinball_loss(&self) -> BTreeMap<u8, f64> {
        let scores = self.0.quantiles.iter();
        scores.map(|score| (score.percent, score.pinball_loss)).collect()
    }

    /// From level, in percent, to the share of values at or below its quantile: the level is right.
    #[getter]
    fn coverage(&self) -> BTreeMap<u8, f64> {
        let scores = self.0.quantiles.iter();
        scores.map(|score| (score.percent, score.coverage)).collect()
    }

    /// Everything, as Python's own types.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        serialised(py, &self.0)
    }

    fn __str__(&self) -> String {
        self.0.to_string().trim_end().to_owned()
    }

    fn __repr__(&self) -> String {
        format!(
            "<smo.forecast.Backtest of {}, MASE {:.3}>",
            self.0.model, self.0.mase
        )
    }
}

/// Forecasts a load again, step by step, from what was known at each, and says how good that would have been.
///
/// `first` steps are only learned from, half of the load when not given; a forecast is made at every `stride`-th step after them. Errors are
/// scaled by those of repeating what was `period` steps ago, the season that is found when not given.
///
/// >>> from smo.forecast import LoadSeries, backtest
/// >>> load = LoadSeries([float(10 + hour % 24 + hour % 5) for hour in range(480)], step=3600)
/// >>> report = backtest(load, model="seasonal-naive", horizon=3)
/// >>> report.origins, round(report.mase, 1)
/// (238, 1.0)
#[pyfunction]
#[pyo3(signature = (history, *, model = "rolling", period = None, horizon = 6, levels = vec![50, 90, 99], first = None, stride = 1))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn backtest(
    py: Python<'_>,
    history: &LoadSeries,
    model: &str,
    period: Option<usize>,
    horizon: usize,
    levels: Vec<u8>,
    first: Option<usize>,
    stride: usize,
) -> PyResult<Backtest> {
    let values = history.0.values();
    let learned = values.get(..first.unwrap_or(values.len() / 2)).unwrap_or(values);
    let found = || core::detect_season(learned).map_or(1, |season| season.period);
    let period = period.unwrap_or_else(found);
    let options = core::BacktestOptions {
        horizon,
        levels,
        period,
        first,
        stride,
    };
    let model = self::model(model, Some(period))?;
    let report = py.detach(|| match model {
        // Learned once, from the steps that are only learned from.
        Some(model) => {
            let learned = model.learned(learned)?;
            core::backtest(learned.as_deref().unwrap_or(&model), &history.0, &options)
        }
        None => core::backtest_rolling(&core::RollingOptions::default(), &history.0, &options),
    });
    report.map(Backtest).map_err(|fault| error::forecast(py, &fault))
}

/// A load that is made, the same for the same seed: days, week-ends, noise and spikes. `step` and `spike_length` are in seconds.
///
/// >>> from smo.forecast import generate_load
/// >>> len(generate_load(seed=3, days=2)), generate_load(seed=3) == generate_load(seed=3)
/// (2880, True)
#[pyfunction]
#[pyo3(signature = (*, seed = 1, days = 14, step = 60.0, mean = 100.0, daily = 0.6, weekend = 0.3, noise = 0.08, spikes = 2.0,
    spike_height = 1.0, spike_length = 1800.0))]
#[allow(clippy::too_many_arguments, reason = "keywords of Python")]
pub(crate) fn generate_load(
    py: Python<'_>,
    seed: u64,
    days: u32,
    step: f64,
    mean: f64,
    daily: f64,
    weekend: f64,
    noise: f64,
    spikes: f64,
    spike_height: f64,
    spike_length: f64,
) -> PyResult<LoadSeries> {
    let load = core::GeneratedLoad {
        seed,
        days,
        step: seconds("step", step)?,
        mean,
        daily,
        weekend,
        noise,
        spikes,
        spike_height,
        spike_length: seconds("spike_length", spike_length)?.max(Duration::from_millis(1)),
    };
    load.series()
        .map(LoadSeries)
        .map_err(|fault| error::forecast(py, &fault))
}
