//! From samples at any moments to what is expected next: what a host asks before every scaling decision.

use std::time::Duration;

use jiff::Timestamp;

use super::super::controller::since;
use super::super::{ExpectedLoad, ScalingPolicy};
use super::momentum::Momentum;
use super::series::is_rate;
use super::{Forecast, ForecastError, RollingForecast, RollingOptions};
use crate::units::Rate;

/// More steps without a sample than this are not filled with gaps: the forecast starts anew.
const MOST_GAPS: i128 = 20_160;

/// Puts samples into steps, and forecasts from them. Samples within one step count as their mean, a step without a sample
/// is a gap.
///
/// ```
/// use std::time::Duration;
/// use jiff::Timestamp;
/// use smo_core::scaling::{LoadPredictor, RollingOptions, ScalingPolicy};
/// use smo_core::units::Rate;
///
/// let mut predictor = LoadPredictor::new(Duration::from_secs(60), RollingOptions::default())?;
/// let mut now = Timestamp::UNIX_EPOCH;
/// for sample in 1..=1200_u32 {
///     now += Duration::from_secs(15);
///     predictor.observe(now, Some(f64::from(20 + sample / 4 % 30)))?;
/// }
/// let (policy, ahead) = (ScalingPolicy::with_forecast(), Duration::from_secs(45));
/// let expected = predictor.to_carry(&policy, 90, now, ahead).unwrap();
/// assert!(expected.rate >= Rate::from_f64(19.0).unwrap());
/// # Ok::<(), smo_core::scaling::ForecastError>(())
/// ```
#[derive(Debug, Clone)]
pub struct LoadPredictor {
    step: Duration,
    options: RollingOptions,
    rolling: Option<RollingForecast>,
    /// The number of the step that samples come for, counted from 1970; those before it are complete.
    slot: i128,
    sum: f64,
    count: u32,
    last: Option<Timestamp>,
    momentum: Momentum,
    /// From the sample before the last to the last.
    apart: Option<Duration>,
}

fn whole_seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

impl LoadPredictor {
    /// A predictor that knows nothing yet, with steps of `step`.
    ///
    /// # Errors
    /// As [`RollingForecast::new`].
    pub fn new(step: Duration, options: RollingOptions) -> Result<Self, ForecastError> {
        RollingForecast::new(Timestamp::UNIX_EPOCH, step, options.clone())?;
        Ok(Self {
            step,
            options,
            rolling: None,
            slot: 0,
            sum: 0.0,
            count: 0,
            last: None,
            momentum: Momentum::default(),
            apart: None,
        })
    }

    fn nanos(&self) -> i128 {
        i128::try_from(self.step.as_nanos()).unwrap_or(i128::MAX).max(1)
    }

    /// Takes a sample, in requests per second: the mean rate of some time up to `at`. `None` says that there is none,
    /// and that time passes.
    ///
    /// # Errors
    /// [`ForecastError::Invalid`] for a value that is no rate, and for a sample that is not after the one before it.
    pub fn observe(&mut self, at: Timestamp, rate: Option<f64>) -> Result<(), ForecastError> {
        let index = self.rolling.as_ref().map_or(0, RollingForecast::len);
        let invalid = |fault| Err(ForecastError::Invalid(super::super::Faults(vec![fault])));
        if let Some(value) = rate.filter(|value| !is_rate(*value)) {
            return invalid(super::SeriesFault::Value { index, value });
        }
        if self.last.is_some_and(|last| last >= at) {
            return invalid(super::SeriesFault::Unsorted { index, at });
        }
        self.lead(at, rate);
        self.last = Some(at);
        let nanos = self.nanos();
        // A sample speaks of the time before it, so that one at the end of a step belongs to it.
        let slot = (at.as_nanosecond() - 1).div_euclid(nanos);
        if self.rolling.is_none() || slot - self.slot > MOST_GAPS {
            self.begin(slot)?;
        }
        self.complete(slot)?;
        if let Some(rate) = rate {
            self.sum += rate;
            self.count += 1;
        }
        if at.as_nanosecond().rem_euclid(nanos) == 0 {
            self.complete(slot + 1)?;
        }
        Ok(())
    }

    /// Changes are compared only where samples are about as far apart as before.
    fn lead(&mut self, at: Timestamp, rate: Option<f64>) {
        let apart = self.last.map(|last| since(at, last));
        let alike = |(one, other): (Duration, Duration)| one < other.mul_f64(1.5) && other < one.mul_f64(1.5);
        if !self.apart.zip(apart).is_none_or(alike) {
            self.momentum.push(None);
        }
        self.apart = apart;
        self.momentum.push(rate);
    }

    fn begin(&mut self, slot: i128) -> Result<(), ForecastError> {
        let start = Timestamp::from_nanosecond(slot * self.nanos()).unwrap_or(Timestamp::MIN);
        self.rolling = Some(RollingForecast::new(start, self.step, self.options.clone())?);
        (self.slot, self.sum, self.count) = (slot, 0.0, 0);
        Ok(())
    }

    /// Hands over the steps before `slot`.
    fn complete(&mut self, slot: i128) -> Result<(), ForecastError> {
        let Some(rolling) = &mut self.rolling else {
            return Ok(());
        };
        while self.slot < slot {
            let mean = (self.count > 0).then(|| self.sum / f64::from(self.count));
            rolling.push(mean)?;
            (self.sum, self.count) = (0.0, 0);
            self.slot += 1;
        }
        Ok(())
    }

    /// The highest value of a quantile over the steps that are not over between `now` and `ahead` later; `None` before
    /// there is a forecast, without that level, and where the samples ended longer ago than the horizon.
    #[must_use]
    pub fn expected(&self, percent: u8, now: Timestamp, ahead: Duration) -> Option<ExpectedLoad> {
        let forecast = self.forecast().ok()?;
        let nanos = self.nanos();
        let now = now.as_nanosecond();
        let until = now + i128::try_from(ahead.as_nanos()).unwrap_or(i128::MAX >> 1);
        // The value at index 0 is that of the step `self.slot`.
        let index = |slot: i128| usize::try_from((slot - self.slot).max(0)).unwrap_or(usize::MAX);
        let first = index(now.div_euclid(nanos));
        let last = index((until - 1).div_euclid(nanos)).max(first);
        let values = &forecast.quantile(percent)?.values;
        let last = last.min(values.len().saturating_sub(1));
        if first > last {
            return None;
        }
        let highest = values.get(first..=last)?.iter().copied().fold(0.0, f64::max);
        Some(ExpectedLoad {
            rate: Rate::from_f64(highest)?,
            percent: Some(percent),
            seconds: whole_seconds(ahead),
        })
    }

    /// Where the measured load is heading, as its latest changes tell, where that is up. A rate that is measured over a window shows a jump
    /// bit by bit; what bits come to is learned from those before (an autoregression by recursive least squares).
    #[must_use]
    pub fn heading(&self) -> Option<Rate> {
        self.momentum.heading().and_then(Rate::from_f64)
    }

    /// What to decide replicas for: the higher one of [`Self::expected`], and of where the measured load is heading with the headroom of
    /// the policy, as a measured load has it; `None` where there is neither. A heading of more than a step ago is none.
    #[must_use]
    pub fn to_carry(
        &self,
        policy: &ScalingPolicy,
        percent: u8,
        now: Timestamp,
        ahead: Duration,
    ) -> Option<ExpectedLoad> {
        let fresh = self.last.is_some_and(|last| since(now, last) <= self.step);
        let heading = self.heading().filter(|_| fresh).map(|rate| ExpectedLoad {
            rate: policy.with_headroom(rate),
            percent: None,
            seconds: whole_seconds(ahead),
        });
        let expected = self.expected(percent, now, ahead);
        expected.into_iter().chain(heading).max_by_key(|load| load.rate)
    }

    /// The forecast after the last complete step.
    ///
    /// # Errors
    /// As [`RollingForecast::forecast`].
    pub fn forecast(&self) -> Result<Forecast, ForecastError> {
        match &self.rolling {
            Some(rolling) => rolling.forecast(),
            None => Err(ForecastError::NoSample),
        }
    }
}
